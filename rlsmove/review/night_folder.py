"""Everything that a night's folder holds, edits included, scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rlsmove.errors import ResultError
from rlsmove.io.provenance import sha256_of
from rlsmove.records import DetectedNight, Notice
from rlsmove.results.movements_csv import MOVEMENTS_FILE
from rlsmove.results.night_json import DIGEST_KEYS, RECORD_FILE, read_night_json
from rlsmove.results.night_npz import NIGHT_FILE, read_night_file
from rlsmove.review.edits import EDITS_FILE, UNDO, Edit, read_edits
from rlsmove.review.reviewed_night import ReviewedNight, review_night
from rlsmove.rules import RuleSet
from rlsmove.scoring.detected_legs import ScoredLegs, score_legs


@dataclass(frozen=True)
class NightFolder:
    """One night as its folder holds it.

    Attributes
    ----------
    path : Path
        The folder.
    record : dict
        The content of night.json.
    rules : RuleSet
        What it was scored by.
    digest : str
        Its id, which edits name; of an earlier version's folder, which has none, the first digits
        of the SHA-256 of its movements.csv.
    detected : DetectedNight or None
        The night before scoring, without any edit; None where there is no night.npz, as for
        event lists.
    every_edit : list of Edit
        All edits, undone ones too.
    reviewed : ReviewedNight or None
        The night before scoring, with the edits.
    notices : list of Notice
        What was found odd about the edits.
    """

    path: Path
    record: dict[str, Any]
    rules: RuleSet
    digest: str
    detected: DetectedNight | None
    every_edit: list[Edit]
    reviewed: ReviewedNight | None
    notices: list[Notice]

    @property
    def edits(self) -> list[Edit]:
        """The edits in effect."""
        return self.reviewed.edits if self.reviewed else []

    @cached_property
    def scored(self) -> ScoredLegs | None:
        """The night scored with its edits; None where there is no night.npz."""
        return score_legs(self.reviewed.night, self.rules) if self.reviewed else None

    @property
    def indices(self) -> dict[str, Any]:
        """The indices: those of night.json, or with edits those of the reviewed night."""
        if self.edits and self.scored:
            return self.scored.indices
        indices: dict[str, Any] = self.record["indices"]
        return indices

    @property
    def indices_by_leg(self) -> dict[str, dict[str, Any]]:
        """The indices of each leg alone, by side; empty with one leg."""
        if self.edits and self.scored:
            return self.scored.indices_by_leg
        tables = self.record.get("tables") or {}
        by_leg: dict[str, dict[str, Any]] = tables.get("indices_by_leg") or {}
        return by_leg


def open_night(path: str | Path, *, signal: bool = False) -> NightFolder:
    """Read a night's folder.

    Parameters
    ----------
    path : str or Path
        With night.json, movements.csv, and mostly night.npz; edits.jsonl where it was reviewed.
    signal : bool
        Whether to read the signal too.

    Raises
    ------
    ResultError
        It is no night's folder, one of its files cannot be used, or they are of different nights.
    """
    path = Path(path)
    record = read_night_json(path / RECORD_FILE)
    digests = {name: _digest(path / name) for name in (MOVEMENTS_FILE, NIGHT_FILE)}
    if digests[MOVEMENTS_FILE] is None:
        raise ResultError(
            path / MOVEMENTS_FILE,
            "there is no such file",
            expected="the movements of the night, beside night.json",
        )
    written: dict[str, str] = record.get("digests") or {}
    for name, digest in digests.items() if written else ():
        if digest not in (None, written.get(DIGEST_KEYS[name])):
            raise ResultError(
                path / name,
                "it is not of this night",
                expected="the file that was written with night.json",
                advice="Make the night anew, or bring its own file back",
            )
    detected = None
    if digests[NIGHT_FILE] is not None:
        detected = read_night_file(path / NIGHT_FILE, signal=signal)
    name = record.get("id") or str(digests[MOVEMENTS_FILE])[:16]
    folder = NightFolder(path, record, _rules(path, record), name, detected, [], None, [])
    return read_review(folder)


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror})") from error


def read_review(folder: NightFolder) -> NightFolder:
    """Read the edits of a night (again), and apply them.

    Raises
    ------
    ResultError
        The edits are there but cannot be read, or they are of another night.
    """
    edits, notices = read_edits(folder.path)
    if not folder.record.get("id"):
        notices.append(
            Notice(
                "earlier_version",
                f"{RECORD_FILE} was written by version {folder.record['provenance']['version']}, "
                "which gave nights no id: whether the files beside it are its own is not known",
            )
        )
    foreign = [
        edit
        for edit in edits
        if edit.night != folder.digest and (edit.night or edit.action != UNDO)
    ]
    if foreign and folder.record.get("id"):
        raise ResultError(
            folder.path / EDITS_FILE,
            f"{len(foreign)} of {len(edits)} edits are of the night {foreign[0].night!r}",
            expected=f"edits of this night, {folder.digest!r}",
            advice="Remove them from the file, or make the night anew and review it again",
        )
    if folder.detected is None:
        if edits:
            notices.append(
                Notice(
                    "edits_unused", f"{EDITS_FILE} is not used: there is no {NIGHT_FILE} beside it"
                )
            )
        return replace(folder, every_edit=edits, notices=notices)
    reviewed = review_night(folder.detected, edits)
    return replace(
        folder, every_edit=edits, reviewed=reviewed, notices=[*notices, *reviewed.notices]
    )


def reviewed_indices(path: str | Path) -> dict[str, Any] | None:
    """Indices of a night as its reviewer left it; None where it was not reviewed.

    Raises
    ------
    ResultError
        There are edits, but the night that they are of cannot be read.
    """
    if not (Path(path) / EDITS_FILE).exists():
        return None
    night = open_night(path)
    return night.indices if night.edits else None


def _rules(path: Path, record: dict[str, Any]) -> RuleSet:
    try:
        return RuleSet(**record["rules"])
    except TypeError as error:
        raise ResultError(
            path / RECORD_FILE,
            f"its rules are of another version ({error})",
            place="rules",
            advice="Analyze the night again with this version",
        ) from error
