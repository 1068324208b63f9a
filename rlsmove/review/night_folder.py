"""Everything that a night's folder holds, edits included, scored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rlsmove.errors import ResultError
from rlsmove.records import DetectedNight, Notice
from rlsmove.results.movements_csv import MOVEMENTS_FILE
from rlsmove.results.night_json import RECORD_FILE, read_night_json
from rlsmove.results.night_npz import NIGHT_FILE, read_night_file
from rlsmove.review.edits import EDITS_FILE, Edit, read_edits
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
        The first digits of the SHA-256 of its movements.csv.
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
        It is no night's folder, or one of its files cannot be used.
    """
    path = Path(path)
    record = read_night_json(path / RECORD_FILE)
    detected = None
    if (path / NIGHT_FILE).exists():
        detected = read_night_file(path / NIGHT_FILE, signal=signal)
    try:
        digest = hashlib.sha256((path / MOVEMENTS_FILE).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ResultError(
            path / MOVEMENTS_FILE,
            f"cannot be read ({error.strerror})",
            expected="the movements of the night, beside night.json",
        ) from error
    folder = NightFolder(path, record, _rules(path, record), digest, detected, [], None, [])
    return read_review(folder)


def read_review(folder: NightFolder) -> NightFolder:
    """Read the edits of a night (again), and apply them.

    Raises
    ------
    ResultError
        The edits are there but cannot be read.
    """
    edits, notices = read_edits(folder.path)
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
