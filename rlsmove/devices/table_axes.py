"""The columns of a table of text that hold acceleration, and the one that names its source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rlsmove.devices.export_layouts import Layout
from rlsmove.devices.text_table import DATE, TextTable, axis_stems
from rlsmove.devices.told import Told
from rlsmove.errors import SettingError, UnknownFormat, UnsuitableSignal

_EXPECTED = "a column for each of x, y and z, such as 'x', 'acc_y' or 'Accelerometer Z [g]'"
_COUNTS_NAME = re.compile(
    r"count|axis ?[123]|magnitude|activity|\b(vm|enmo|mad|steps|pim|tat|zcm|svm|vmu)\b"
)
_METERS = re.compile(r"m ?/? ?\(?s ?(\^|\*\*)? ?-? ?[2²]|mps2|meters per second squared")
_MILLI_G = re.compile(r"(?<![a-z])m(illi)?[ -]?g(?![a-z])")
_G = re.compile(r"(?<![a-z])g(?![a-z])|g-force|g units")

#: What names say of three columns, the first that fits: another quantity, a part of the signal,
#: the acceleration.
_OTHER = re.compile(
    r"gyr|rot|angular|mag|compass|orient|euler|quat|attitude|gps|location|veloc|speed|displac|"
    r"heading|deg|rad/|dps|tesla|ut\b|count"
)
_GRAVITY = re.compile(r"grav")
_REMOVED = re.compile(r"\blin|linear|user|without|no ?g\b|free ?acc|dynamic")
_ACCELERATION = re.compile(r"acc|\ba\b|^a_?\?|\bimu|g-?f|beschl|acel|versnel")
#: Names of columns that tell sources apart.
_SOURCE = re.compile(
    r"\b(device|sensor|subject|participant|person|patient|serial|mac|uuid|address|node|side|leg|"
    r"limb|placement|type|source)\b"
)
#: A column with more values than this counts something.
_MOST_SOURCES = 20


@dataclass(frozen=True)
class Axes:
    """Columns of acceleration.

    Attributes
    ----------
    columns : tuple of tuple of int
        Of x, y and z; of several columns, the sum.
    unit : str
        That their names say: ``g``, ``mg``, ``m/s2``, or empty.
    without_gravity : bool
        Whether their names say that gravity was taken out.
    source : str
        Where this was found, in words.
    """

    columns: tuple[tuple[int, ...], ...]
    unit: str
    without_gravity: bool
    source: str

    @property
    def all_columns(self) -> set[int]:
        """Every column of them."""
        return {column for axis in self.columns for column in axis}

    def words(self, table: TextTable) -> str:
        """The columns, in words."""
        return ", ".join(
            " + ".join(table.label(column).removeprefix("column ") for column in axis)
            for axis in self.columns
        )


def column_of(table: TextTable, text: str, name: str) -> int:
    """Find a column that was told by its name or by its number from 1.

    Raises
    ------
    SettingError
        There is none; the message lists those that are.
    """
    plain = [column.strip().lower() for column in table.names]
    short = [re.sub(r"[\[(].*", "", column).strip() for column in plain]
    for columns in (plain, short):
        if text.lower() in columns:
            return columns.index(text.lower())
    if text.isdigit() and 1 <= int(text) <= len(table.rows[0]):
        return int(text) - 1
    raise SettingError(
        f"--{name}", f"no column {text!r}", expected=f"one of {table.listing()}, or its number"
    )


def find_axes(path: Path, table: TextTable, layout: Layout | None, told: Told) -> list[Axes]:
    """Find the columns of acceleration, the likeliest first.

    Parameters
    ----------
    path : Path
        The file, for errors.
    table : TextTable
        The table.
    layout : Layout or None
        Whose export it is.
    told : Told
        What is told of it.

    Raises
    ------
    SettingError
        A column that is told is not there.
    UnknownFormat, UnsuitableSignal
        There are no three axes.
    """
    if told.columns:
        columns = [column_of(table, text, "columns") for text in told.columns[1:]]
        return [_axes(table, [columns], "told")]
    if not table.names:
        return [_axes(table, [_unnamed(path, table)], "the order of the columns")]
    stems = axis_stems(table.names)
    if layout is not None and layout.axes:
        if "channel" in layout.axes[0]:
            plain = [re.sub(r"[\[(].*", "", name).strip().lower() for name in table.names]
            stems = {
                layout.axes[0]: [plain.index(layout.axes[0].replace("?", n)) for n in "012"],
            }
        if all(axes in stems for axes in layout.axes):
            return [
                _axes(
                    table, [stems[axes] for axes in layout.axes], f"the layout of {layout.device}"
                )
            ]
    chosen = likely_axes(table.names)
    by_gravity = {
        bool(_GRAVITY.search(stem)): columns
        for stem, columns in stems.items()
        if _GRAVITY.search(stem) or _rank(table.names, stem, columns) == 1
    }
    if chosen and chosen[0].without_gravity and len(by_gravity) == 2:
        # What was taken out stands beside it.
        return [
            _axes(table, [by_gravity[True], by_gravity[False]], "gravity and the rest added up")
        ]
    if chosen:
        return chosen
    _refuse(path, table)
    raise AssertionError


def likely_axes(names: list[str]) -> list[Axes]:
    """Threes of columns that their names may make the acceleration, the likeliest first.

    Parameters
    ----------
    names : list of str
        Of all columns, with their units.
    """
    ranked = [
        (-_rank(names, stem, columns), number, columns)
        for number, (stem, columns) in enumerate(axis_stems(names).items())
    ]
    return [
        Axes(
            tuple((column,) for column in columns),
            _unit_said(names[columns[0]]),
            rank == -1,
            "the names of the columns",
        )
        for rank, _, columns in sorted(ranked)
        if rank < 0
    ]


def _axes(table: TextTable, parts: list[list[int]], source: str) -> Axes:
    name = table.names[parts[0][0]] if table.names else ""
    return Axes(tuple(zip(*parts, strict=True)), _unit_said(name), False, source)


def _rank(names: list[str], stem: str, columns: list[int]) -> int:
    """How likely three columns are the acceleration: 0 for surely not, 1 without gravity."""
    words = " ".join([re.sub(r"[_.-]", " ", stem), *(names[c].lower() for c in columns)])
    spaced = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", names[c]).lower() for c in columns)
    if _OTHER.search(words) or _GRAVITY.search(words):
        return 0
    if _REMOVED.search(words):
        return 1
    if _ACCELERATION.search(words) or _ACCELERATION.search(spaced):
        return 4
    return 3 if re.fullmatch(r"\W*\?\W*(axis|value|data)?\W*", stem) else 2


def _unnamed(path: Path, table: TextTable) -> list[int]:
    """Without names: a time, if the first columns are one, then the axes."""
    width = len(table.rows[0])
    first = 0
    while first < width and _is_time(table, first):
        first += 1
    if width < first + 3:
        raise UnsuitableSignal(
            path,
            f"its rows have {width - first} column{'s' * (width - first != 1)} beside the time",
            expected="three axes",
            advice="One axis alone, or activity counts, cannot be scored.",
        )
    if first == 0 and width > 3:
        raise UnknownFormat(
            path,
            f"{width} columns without names",
            expected=_EXPECTED,
            options=("--columns 1,2,3,4",),
        )
    return [first, first + 1, first + 2]


def _is_time(table: TextTable, column: int) -> bool:
    """Whether a column without a name holds dates, times of day, or numbers that always grow."""
    cells = [row[column] for row in table.rows if column < len(row)]
    if DATE.fullmatch(cells[0]) or ":" in cells[0]:
        return True
    if column or len(table.rows[0]) < 4 or len(cells) < 3:
        return False
    values = [value for cell in cells if (value := table.number(cell)) is not None]
    grows = sum(after > before for before, after in pairwise(values))
    falls = sum(after < before for before, after in pairwise(values))
    return len(values) == len(cells) and grows > 0 and falls <= 0.05 * len(cells)


def _refuse(path: Path, table: TextTable) -> None:
    columns = table.listing()
    found = [axis for axis in "xyz" if any(_axis_word(name) == axis for name in table.names)]
    if not found and _COUNTS_NAME.search(" ".join(table.names).lower().replace("_", " ")):
        raise UnsuitableSignal(
            path,
            f"its columns ({columns}) are activity counts or averages",
            expected=_EXPECTED,
            advice="Export the raw acceleration of each axis from the maker's program.",
        )
    if found:
        raise UnsuitableSignal(
            path, f"its columns ({columns}) hold {len(found)} of three axes", expected=_EXPECTED
        )
    options = ("--columns 1,2,3,4",) if len(table.rows[0]) >= 4 else ()
    raise UnknownFormat(
        path, f"no axes among its columns ({columns})", expected=_EXPECTED, options=options
    )


def _axis_word(name: str) -> str:
    """The axis that one column's name stands for by itself; empty for none."""
    words = re.findall("[a-z]+", re.sub(r"[\[(].*", "", name.lower()))
    axis = [word for word in words if word in ("x", "y", "z")]
    return axis[0] if len(axis) == 1 else ""


def _unit_said(name: str) -> str:
    words = name.lower().replace("_", " ")
    for unit, pattern in (("m/s2", _METERS), ("mg", _MILLI_G), ("g", _G)):
        if pattern.search(words):
            return unit
    return ""


def sources_of(
    table: TextTable, lines: Callable[[], list[str]], taken: set[int]
) -> dict[int, Counter[str]]:
    """Columns that may tell sources apart, by their names, with what they hold and how often.

    Parameters
    ----------
    table : TextTable
        The table.
    lines : callable
        Returns rows of it.
    taken : set of int
        Columns of times and acceleration.
    """
    columns = [
        column
        for column, name in enumerate(table.names)
        if column not in taken
        and _SOURCE.search(re.sub(r"(?<=[a-z])(?=[A-Z])|[_.-]", " ", name).lower())
        and not re.search(r"time|accel|gyro|orientation|status", name.lower())
    ]
    held: dict[int, Counter[str]] = {column: Counter() for column in columns}
    for line in lines() if columns else []:
        cells = table.cells(line)
        for column in columns:
            if column < len(cells):
                held[column][cells[column]] += 1
    return {column: values for column, values in held.items() if len(values) <= _MOST_SOURCES}
