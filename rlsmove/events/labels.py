"""What the labels of scored events mean, in the words of many programs.

One table says it, `event_labels.csv`; a user's own table of the same three columns is read on top
of it and wins. Columns: ``label`` (``*`` stands for any text), ``kind`` (stage, lm, respiratory,
arousal, lights, gap, other, column) and ``meaning`` (a stage, left, right, bilateral, off, on, a
use of a column, or nothing). ``other`` is known and plays no part in the scoring; ``column`` says
what a column of an exported table holds.
"""

from __future__ import annotations

import csv
import re
import unicodedata
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
    "column": ("onset", "date", "offset", "duration", "label", "stage", "leg", "epoch", "case"),
}

#: Words that name a leg, in labels and in the names of channels: LAT and RAT are the left and
#: right anterior tibialis. A word further up wins.
_SIDE_WORDS = (
    ("bilateral", {"both", "bilateral", "bilat", "beide", "beidseits", "bds", "bilateraux"}),
    (
        "left",
        {"left", "l", "lt", "lleg", "legl", "links", "linkes", "linke", "li", "ltib", "tibl"}
        | {"gauche", "izquierda", "izquierdo", "izq", "sinistra", "sinistro", "sx", "esquerda"}
        | {"vanster", "venstre", "linker", "beinli", "lta", "tal", "leftleg", "ljambe"},
    ),
    (
        "right",
        {"right", "r", "rt", "rleg", "legr", "rechts", "rechtes", "rechte", "re", "rtib", "tibr"}
        | {"droite", "droit", "derecha", "derecho", "der", "destra", "destro", "dx", "direita"}
        | {"hoger", "hoyre", "hojre", "rechter", "beinre", "rta", "tar", "rightleg", "rjambe"},
    ),
    ("left", {"lat", "latl"}),
    ("right", {"rat", "latr"}),
)

#: Words around a stage, in several languages: "Stadium N2", "SLEEP-S2", "Fase 2".
_STAGE_WORDS = frozenset(
    [
        "sleep",
        "stage",
        "stages",
        "stadium",
        "stade",
        "stadio",
        "stadie",
        "estadio",
        "estagio",
        "etapa",
        "fase",
        "schlafstadium",
        "schlaf",
        "slaapstadium",
        "slaap",
        "sueno",
        "sommeil",
        "sonno",
        "somn",
    ]
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
        self._columns: dict[str, str] = {}
        self._exact: dict[str, Label] = {}
        self._patterns: list[tuple[str, Label]] = []
        for text, label in rows:
            if label.kind == "column":
                self._columns.setdefault(_plain(text), label.meaning)
            elif "*" in text:
                self._patterns.append((_plain(text), label))
            else:
                self._exact.setdefault(_plain(text), label)
        self._known: dict[tuple[str, str], Label | None] = {}

    def find(self, text: str, channel: str = "") -> Label | None:
        """Say what a label means, or None where it is not in the table.

        Parameters
        ----------
        text : str
            The label. Case, accents, spaces and punctuation do not matter. Of alternatives between
            bars (``Limb movement - left|Limb Movement (Left)``) the first that is known counts;
            what follows ``@@`` is the channel, as EDF+ has it.
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
        parts += [spaced for spaced in (_plain(_words_apart(text)),) if spaced not in parts]
        exact = (self._exact[part] for part in parts if part in self._exact)
        fitting = (
            label
            for part in parts
            for pattern, label in self._patterns
            if fnmatchcase(part, pattern)
        )
        label = next(exact, None) or self._stage_among_words(parts[0]) or next(fitting, None)
        if label is not None and label.kind == "lm" and not label.meaning:
            return Label("lm", side_named(f"{text} {linked} {channel}"))
        return label

    def _stage_among_words(self, text: str) -> Label | None:
        """Say which stage a label names with words such as "sleep" and "stage" around it."""
        words = text.split()
        code = " ".join(word for word in words if word not in _STAGE_WORDS)
        if not code or len(code) == len(text):
            return None
        label = self._exact.get(f"sleep stage {code}") or self._exact.get(code)
        return label if label is not None and label.kind == "stage" else None

    def column(self, name: str) -> str | None:
        """Say what a column of an exported table holds by its name; None where it is not known."""
        return self._columns.get(_plain(name))

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
    text = files("rlsmove.events").joinpath("event_labels.csv").read_text(encoding="utf-8")
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
    """Lower case without accents, single spaces, no punctuation but ``?`` and ``*``."""
    bare = "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)
    )
    return " ".join(re.sub(r"[^\w?*]|_", " ", bare.casefold()).split())


def _words_apart(text: str) -> str:
    """Part words that stand together: ``ObstructiveApnea``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
