"""What the labels of scored events mean, in the words of many programs.

One table says it, `event_labels.csv`; a user's own table of the same three columns is read on top
of it and wins. Columns: ``label`` (``*`` stands for any text), ``kind`` (stage, lm, respiratory,
arousal, lights, gap, other) and ``meaning`` (a stage, left, right, bilateral, off, on, or nothing).
``other`` is known and plays no part in the scoring.
"""

from __future__ import annotations

import csv
import re
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from rlsmove.errors import EventListError
from rlsmove.records import SIDES, STAGES

#: Kinds of events, and the meanings that each may have.
MEANINGS = {
    "stage": (*STAGES, "unscored"),
    "lm": (*SIDES, ""),
    "respiratory": ("",),
    "arousal": ("",),
    "lights": ("off", "on"),
    "gap": ("",),
    "other": ("",),
}

#: Words that name a leg, in labels and in the names of channels: LAT and RAT are the left and
#: right anterior tibialis. A word further up wins.
_SIDE_WORDS = (
    ("bilateral", {"both", "bilateral", "bilat"}),
    ("left", {"left", "l", "lt", "lleg", "legl", "links", "ltib", "tibl"}),
    ("right", {"right", "r", "rt", "rleg", "legr", "rechts", "rtib", "tibr"}),
    ("left", {"lat", "latl"}),
    ("right", {"rat", "latr"}),
)


class Label(NamedTuple):
    """What a label means.

    Attributes
    ----------
    kind : str
        A key of `MEANINGS`.
    meaning : str
        One of the values there; of a leg movement ``unknown`` where no leg is named.
    """

    kind: str
    meaning: str


class LabelTable:
    """Labels and what they mean.

    Parameters
    ----------
    rows : list of (str, Label)
        The first row that fits a label tells its meaning; rows without ``*`` go first.
    """

    def __init__(self, rows: list[tuple[str, Label]]) -> None:
        self._patterns = [(_plain(text), label) for text, label in rows if "*" in text]
        self._exact: dict[str, Label] = {}
        for text, label in rows:
            if "*" not in text:
                self._exact.setdefault(_plain(text), label)
        self._known: dict[tuple[str, str], Label | None] = {}

    def find(self, text: str, channel: str = "") -> Label | None:
        """Say what a label means, or None where it is not in the table.

        Parameters
        ----------
        text : str
            The label. Case, spaces and punctuation do not matter. Of alternatives between bars
            (``Limb movement - left|Limb Movement (Left)``) the first that is known counts; what
            follows ``@@`` is the channel, as EDF+ has it.
        channel : str
            Channel that the event was scored on, where the format has one.
        """
        key = (text, channel)
        if key not in self._known:
            self._known[key] = self._find(text, channel)
        return self._known[key]

    def _find(self, text: str, channel: str) -> Label | None:
        text, _, linked = text.partition("@@")
        parts = [_plain(part) for part in (text, *text.split("|"))]
        exact = (self._exact[part] for part in parts if part in self._exact)
        fitting = (
            label
            for part in parts
            for pattern, label in self._patterns
            if fnmatchcase(part, pattern)
        )
        label = next(exact, None) or next(fitting, None)
        if label is not None and label.kind == "lm" and not label.meaning:
            return Label("lm", side_named(f"{text} {linked} {channel}"))
        return label

    def find_stage(self, text: str) -> Label | None:
        """Say what a label means that is known to be a stage, such as a bare ``2``."""
        for candidate in (f"Sleep stage {text}", text):
            label = self.find(candidate)
            if label is not None and label.kind == "stage":
                return label
        return None


def side_named(text: str) -> str:
    """Which leg a label or the name of a channel speaks of: left, right, bilateral or unknown."""
    words = set(_plain(text).split())
    return next((side for side, names in _SIDE_WORDS if words & names), "unknown")


def read_label_table(path: str | Path | None = None) -> LabelTable:
    """Read the table of labels, with a user's own on top of it.

    Parameters
    ----------
    path : str or Path, optional
        CSV with columns ``label, kind, meaning``.

    Raises
    ------
    EventListError
        A row of the user's table has an unknown kind or meaning, or a column is missing.
    """
    if path is None:
        return _built_in_table()
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EventListError(
            path, f"the table of labels cannot be read ({error})", expected="CSV text in UTF-8"
        ) from error
    return LabelTable(_rows(path, text) + _built_in_rows())


@lru_cache(maxsize=1)
def _built_in_table() -> LabelTable:
    return LabelTable(_built_in_rows())


def _built_in_rows() -> list[tuple[str, Label]]:
    text = files("rlsmove.io").joinpath("event_labels.csv").read_text(encoding="utf-8")
    return _rows(Path("event_labels.csv"), text)


def _rows(path: Path, text: str) -> list[tuple[str, Label]]:
    reader = csv.DictReader(text.splitlines())
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    if missing := {"label", "kind", "meaning"} - set(reader.fieldnames):
        raise EventListError(
            path,
            f"no column {', '.join(sorted(missing))}",
            place="row 1",
            expected="columns label, kind, meaning",
        )
    rows = []
    for row in reader:
        text, kind, meaning = ((row[name] or "").strip() for name in ("label", "kind", "meaning"))
        if not text:
            continue
        kind = kind.lower()
        allowed = MEANINGS.get(kind)
        known = {value.lower(): value for value in allowed or ()}
        if allowed is None or meaning.lower() not in known:
            raise EventListError(
                path,
                f"kind '{kind}' with meaning '{meaning}'",
                place=f"row {reader.line_num}",
                expected="; ".join(
                    f"{name} ({', '.join(filter(None, values)) or 'no meaning'})"
                    for name, values in MEANINGS.items()
                ),
            )
        rows.append((text, Label(kind, known[meaning.lower()])))
    return rows


def _plain(text: str) -> str:
    """Lower case, words divided by single spaces, no punctuation but ``?`` and ``*``."""
    return " ".join(re.sub(r"[^\w?*]|_", " ", text.casefold()).split())
