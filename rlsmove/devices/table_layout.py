"""What the columns of a table of text hold: times, three axes, and in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _text_kernels as kernels
from rlsmove.errors import RecordingError, UnknownFormat, UnsuitableSignal

#: Time stamps that are numbers count from 1970 when that makes them later than this.
_COUNTED_FROM_1970 = datetime(1980, 1, 1)
_TIME_UNITS_NS = {"s": 10**9, "sec": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

_PREAMBLE_BYTES = 1 << 16
_PREAMBLE_LINES = 500
#: Lines that look alike make a table.
_ALIKE = 3
_SEPARATORS = (("\t", "."), ("\t", ","), (";", "."), (";", ","), (",", "."))

_NUMBER = {
    ".": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?"),
}
_MISSING = re.compile(r"-?|n/?a|[+-]?nan|null|none|[+-]?inf(inity)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})([T ]+\d{1,2}:\d\d.*)?")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d([.,:]\d+)?)?( ?[AaPp][Mm])?")

_AXIS = re.compile(
    r"(raw|filtered|imu)?(acc|accel|acceleration|accelerometer|a|gf)?(axis|value|data)?"
    r"(?P<axis>[xyz])(axis|value|data|acc|accel|acceleration|accelerometer)?"
)
_UNIT_WORDS = {"g", "mg", "m", "s", "ms", "mps"}
_TIME_NAME = re.compile(r"time|date|epoc|unix|elapsed|second|^ts?\b|^[mun]s\b")
_COUNTS_NAME = re.compile(
    r"count|axis ?[123]|magnitude|activity|\b(vm|enmo|mad|steps|pim|tat|zcm|svm|vmu)\b"
)
_METERS = re.compile(r"m ?/? ?s ?(\^|\*\*)? ?-? ?[2²]|mps2")
_MILLI_G = re.compile(r"(?<![a-z])m(illi)?[ -]?g(?![a-z])")
_G = re.compile(r"(?<![a-z])g(?![a-z])")

_RATE_SAID = (
    re.compile(r"\bat\s+(\d+(?:[.,]\d+)?)\s*hz", re.IGNORECASE),
    re.compile(
        r"(?:sampl\w*|measurement)[ _-]*(?:rate|freq\w*)[^\d\n]{0,20}(\d+(?:[.,]\d+)?)",
        re.IGNORECASE,
    ),
)
_DATE_FORMAT_SAID = re.compile(r"date format ([dM])", re.IGNORECASE)
_START_TIME_SAID = re.compile(r"start time\W+(\d{1,2}:\d\d:\d\d)", re.IGNORECASE)
_START_DATE_SAID = re.compile(r"start date\W+(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})", re.IGNORECASE)
_START_SAID = re.compile(r"start[ _]?time\W+(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)", re.IGNORECASE)


@dataclass(frozen=True)
class TableLayout:
    """How to read a table of text.

    Attributes
    ----------
    first_byte : int
        Where its first row begins.
    cells : ndarray of int64, shape (8,)
        What `_text_kernels.parse_rows` needs to know of the cells.
    unit : str
        ``g``, ``mg``, ``m/s2``, or empty where nothing is said.
    counts_from_1970, time_unit_said : bool
        Of times that are numbers.
    rate_said_hz : float
        The sample rate that the lines before the table give; 0 where they do not.
    start_said : datetime or None
        The start that they give.
    """

    first_byte: int
    cells: NDArray[np.int64]
    unit: str
    counts_from_1970: bool
    time_unit_said: bool
    rate_said_hz: float
    start_said: datetime | None


@dataclass(frozen=True)
class _Table:
    delimiter: str
    decimal: str
    first_byte: int
    preamble: str
    names: list[str]
    rows: list[list[str]]


def find_layout(path: Path, head: bytes) -> TableLayout:
    """Find a table's columns by their names, or where they have none by what is in them.

    Parameters
    ----------
    path : Path
        The file, for errors.
    head : bytes
        Its beginning, decompressed.

    Raises
    ------
    UnknownFormat
        There is no table of numbers, or no three axes in it.
    UnsuitableSignal
        Its columns are activity counts, or one axis alone.
    RecordingError
        Times cannot be understood without guessing.
    """
    table = _find_table(path, head)
    axes = _find_axes(path, table)
    time = _find_time(table, axes)
    kind, unit_ns, counts_from_1970, unit_said = kernels.NO_TIME, 0, False, False
    if time >= 0:
        kind = _time_kind(path, table, time)
        if kind == kernels.NUMBER:
            unit_ns, counts_from_1970, unit_said = _time_unit(table, time)
    cells = np.empty(8, np.int64)
    cells[kernels.DELIMITER] = ord(table.delimiter)
    cells[kernels.DECIMAL] = ord(table.decimal)
    cells[kernels.TIME] = time
    cells[[kernels.X, kernels.Y, kernels.Z]] = axes
    cells[kernels.KIND] = kind
    cells[kernels.UNIT_NS] = unit_ns
    rates = [said[1] for rate in _RATE_SAID if (said := rate.search(table.preamble))]
    return TableLayout(
        table.first_byte,
        cells,
        _unit_said(table.names[axes[0]]) if table.names else "",
        counts_from_1970,
        unit_said,
        float(rates[0].replace(",", ".")) if rates else 0.0,
        _start_said(table.preamble),
    )


def _find_table(path: Path, head: bytes) -> _Table:
    """Find the first lines that look alike, for each way of writing tables; take the widest."""
    lines: list[tuple[int, str]] = []
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    first = at
    for line in head[at:_PREAMBLE_BYTES].split(b"\n")[:_PREAMBLE_LINES]:
        text = line.decode("utf-8", "replace").strip("\r ")
        if text and not text.startswith("#"):
            lines.append((at, text))
        at += len(line) + 1
    if at > _PREAMBLE_BYTES and len(lines) > 1:
        lines.pop()

    best: _Table | None = None
    for delimiter, decimal in _SEPARATORS:
        rows = [[cell.strip(' "') for cell in text.split(delimiter)] for _, text in lines]
        start = next((i for i in range(len(rows)) if _looks_alike(rows[i:], decimal)), None)
        if start is None or (best and len(rows[start]) <= len(best.rows[0])):
            continue
        names = _find_names(rows[:start], len(rows[start]), decimal)
        first_byte = lines[start][0]
        preamble = head[first:first_byte].decode("utf-8", "replace")
        best = _Table(delimiter, decimal, first_byte, preamble, names, rows[start:])
    if best is None:
        raise UnknownFormat(
            path,
            f"text without a table of numbers (it begins with {lines[0][1][:40]!r})"
            if lines
            else "no rows",
            expected="columns of time, x, y and z, as devices' programs export them",
        )
    return best


def _find_names(rows: list[list[str]], width: int, decimal: str) -> list[str]:
    """The columns' names among the lines before a table: all axes, or the last line, if words."""
    for row in reversed(rows):
        if {"x", "y", "z"} <= {_axis(name) for name in row}:
            return row
    last = rows[-1] if rows else []
    data = any(_NUMBER[decimal].fullmatch(cell) or _DATE.fullmatch(cell) for cell in last)
    return [] if data or len(last) != width else last


def _looks_alike(rows: list[list[str]], decimal: str) -> bool:
    width = len(rows[0])
    return all(len(row) == width and _is_data(row, decimal) for row in rows[:_ALIKE])


def _is_data(row: list[str], decimal: str) -> bool:
    numbers = sum(bool(_NUMBER[decimal].fullmatch(cell)) for cell in row)
    known = sum(
        bool(_MISSING.fullmatch(cell) or _DATE.fullmatch(cell) or _TIME_OF_DAY.fullmatch(cell))
        for cell in row
    )
    return numbers >= 3 or (numbers >= 1 and numbers + known == len(row))


def _axis(name: str) -> str:
    """The axis that a column's name stands for; empty for other columns."""
    words = re.findall("[a-z]+", re.sub(r"[\[(].*", "", name.lower()))
    axis = _AXIS.fullmatch("".join(word for word in words if word not in _UNIT_WORDS))
    return axis["axis"] if axis else ""


def _find_axes(path: Path, table: _Table) -> list[int]:
    expected = "a column for each of x, y and z, such as 'x', 'acc_y' or 'Accelerometer Z [g]'"
    if table.names:
        found = [_axis(name) for name in table.names]
        axes = [found.index(axis) for axis in "xyz" if axis in found]
        if len(axes) == 3:
            return axes
        columns = ", ".join(table.names)
        if _COUNTS_NAME.search(" ".join(table.names).lower().replace("_", " ")) and not axes:
            raise UnsuitableSignal(
                path,
                f"its columns ({columns}) are activity counts or averages",
                expected=expected,
                advice="Export the raw acceleration of each axis from the maker's program.",
            )
        if axes:
            raise UnsuitableSignal(
                path, f"its columns ({columns}) hold {len(axes)} of three axes", expected=expected
            )
        raise UnknownFormat(path, f"no axes among its columns ({columns})", expected=expected)
    # Without names: a time, if the first column is one, then the axes.
    width = len(table.rows[0])
    first = 1 if _is_time(table, 0) else 0
    if width < first + 3:
        raise UnsuitableSignal(
            path,
            f"its rows have {width - first} column{'s' * (width - first != 1)} beside the time",
            expected="three axes",
            advice="One axis alone, or activity counts, cannot be scored.",
        )
    if first == 0 and width > 3:
        raise UnknownFormat(path, f"{width} columns without names", expected=expected)
    return [first, first + 1, first + 2]


def _is_time(table: _Table, column: int) -> bool:
    """Whether a column without a name holds dates, or numbers that always grow."""
    cells = [row[column] for row in table.rows if column < len(row)]
    if _DATE.fullmatch(cells[0]):
        return True
    if len(table.rows[0]) < 4 or len(cells) < _ALIKE:
        return False
    numbers = [_NUMBER[table.decimal].fullmatch(cell) for cell in cells]
    values = [float(number[0].replace(",", ".")) for number in numbers if number]
    return len(values) == len(cells) and all(np.diff(values) > 0)


def _find_time(table: _Table, axes: list[int]) -> int:
    """The column of times; -1 where there is none."""
    if not table.names:
        return axes[0] - 1
    row = table.rows[0]
    named = [
        column
        for column, name in enumerate(table.names)
        if column not in axes and _TIME_NAME.search(re.sub(r"[^a-z]+", " ", name.lower()).strip())
    ]
    dates = [column for column, cell in enumerate(row) if _DATE.fullmatch(cell)]
    return next(iter([c for c in named if c in dates] or named or dates), -1)


def _time_kind(path: Path, table: _Table, column: int) -> int:
    cells = [row[column] for row in table.rows if column < len(row)]
    place = f"column '{table.names[column]}'" if table.names else f"column {column + 1}"
    if _NUMBER[table.decimal].fullmatch(cells[0]):
        return kernels.NUMBER
    dates = [date for cell in cells if (date := _DATE.fullmatch(cell))]
    if not dates or not dates[0][5]:
        what = "a date without a time" if dates else "no date and time"
        raise RecordingError(
            path,
            f"{cells[0]!r} is {what}",
            place=place,
            expected="date and time in one column, such as '2026-03-01 22:30:00.000'",
        )
    if len(dates[0][1]) == 4:
        return kernels.YEAR_FIRST
    said = _DATE_FORMAT_SAID.search(table.preamble)
    if said and len(dates[0][4]) == 4:
        return kernels.MONTH_FIRST if said[1] == "M" else kernels.DAY_FIRST
    if len(dates[0][4]) == 4:
        if dates[0][2] == "." or any(int(date[1]) > 12 for date in dates):
            return kernels.DAY_FIRST
        if any(int(date[3]) > 12 for date in dates):
            return kernels.MONTH_FIRST
    raise RecordingError(
        path,
        f"{cells[0]!r} may be read with the day or the month first",
        place=place,
        expected="year, month and day, such as '2026-03-01 22:30:00.000'",
        advice="Export the file anew with dates of this form.",
    )


def _time_unit(table: _Table, column: int) -> tuple[int, bool, bool]:
    """Nanoseconds of the unit of times, whether they count from 1970, whether the unit is said.

    A name may say the unit, as in ``time_ms`` or ``elapsed (s)``; otherwise the size of a number
    that counts from 1970 does, and one that does not is taken for seconds.
    """
    value = float(table.rows[0][column].replace(",", "."))
    name = table.names[column].lower() if table.names else ""
    said = [
        unit for unit in re.findall(r"[a-z]+", name.replace("µ", "u")) if unit in _TIME_UNITS_NS
    ]
    since_1970_s = (_COUNTED_FROM_1970 - datetime(1970, 1, 1)) / timedelta(seconds=1)
    if said:
        unit_ns = _TIME_UNITS_NS[said[-1]]
        return unit_ns, value * unit_ns / 1e9 >= since_1970_s, True
    # 1980 in seconds is beyond 3e8; each smaller unit is a thousand times that.
    for unit_ns in (1, 10**3, 10**6, 10**9):
        if value * unit_ns / 1e9 >= since_1970_s:
            return unit_ns, True, True
    return 10**9, False, False


def _unit_said(name: str) -> str:
    words = name.lower().replace("_", " ")
    for unit, pattern in (("m/s2", _METERS), ("mg", _MILLI_G), ("g", _G)):
        if pattern.search(words):
            return unit
    return ""


def _start_said(preamble: str) -> datetime | None:
    if start := _START_SAID.search(preamble):
        return datetime.fromisoformat(start[1])
    time, date = _START_TIME_SAID.search(preamble), _START_DATE_SAID.search(preamble)
    date_format = _DATE_FORMAT_SAID.search(preamble)
    if not (time and date):
        return None
    parts = [int(part) for part in re.split("[-/.]", date[1])]
    if parts[0] < 1000:
        if (date_format and date_format[1] == "M") or parts[1] > 12:
            parts = [parts[2], parts[0], parts[1]]
        elif date_format or parts[0] > 12:
            parts = [parts[2], parts[1], parts[0]]
        else:
            return None
    try:
        day = datetime(parts[0], parts[1], parts[2])
        return datetime.fromisoformat(f"{day:%Y-%m-%d} {time[1].zfill(8)}")
    except ValueError:
        return None
