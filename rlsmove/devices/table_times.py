"""The columns of a table of text that date its rows: which they are, their unit, and the start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _text_kernels as kernels
from rlsmove.devices.export_layouts import Layout
from rlsmove.devices.table_axes import column_of
from rlsmove.devices.text_table import DATE, TIME_OF_DAY, TextTable
from rlsmove.devices.told import Told
from rlsmove.errors import DamagedRecording, RecordingError

#: Rows a second that an accelerometer yields, and those that are usual.
RATES_HZ = (5.0, 10_000.0)
_USUAL_RATES_HZ = (10.0, 1000.0)
_NS = 10**9
_DAY_NS = 86_400 * _NS
_HALF_DAY_NS = _DAY_NS // 2

_TIME_NAME = re.compile(r"time|date|epoc|unix|elapsed|second|zeit|fecha|^ts?\b|^[mun]s\b")
_NO_TIME_NAME = re.compile(r"count(er)?\b|sample ?(n|index)\b|index|latency|press|duration|offset")
_UNIT_NS = {
    "s": _NS, "sec": _NS, "secs": _NS, "second": _NS, "seconds": _NS,
    "ms": 10**6, "msec": 10**6, "milli": 10**6, "millis": 10**6, "millisecond": 10**6,
    "milliseconds": 10**6, "us": 10**3, "usec": 10**3, "micros": 10**3, "microseconds": 10**3,
    "ns": 1, "nsec": 1, "nanos": 1, "nanoseconds": 1,
}  # fmt: skip
_UNIT_WORDS = {
    _DAY_NS: "days",
    _NS: "seconds",
    10**6: "milliseconds",
    10**3: "microseconds",
    100: "steps of 100 ns",
    1: "nanoseconds",
}


@dataclass(frozen=True)
class _Epoch:
    """What a number of time counts from."""

    unit_ns: int
    #: The number that stands for 1970, and the numbers of the years 2004 to 2100 or so.
    zero: int
    low: float
    high: float
    utc: bool
    words: str
    sure: bool = True


_SINCE_1970 = [
    _Epoch(unit, 0, 1.1e9 * _NS / unit, 4.1e9 * _NS / unit, True, "1970 in UTC")
    for unit in (_NS, 10**6, 10**3, 1)
]
_EPOCHS = (
    *_SINCE_1970,
    _Epoch(_NS, -978_307_200, 1.2e8, 1.05e9, True, "2001 in UTC, as Apple counts", False),
    _Epoch(1, -946_684_800 * _NS, 1.3e17, 1.1e18, True, "2000, as Polar counts", False),
    _Epoch(100, 116_444_736_000_000_000, 1.27e17, 1.6e17, True, "1601 in UTC, as Windows counts"),
    _Epoch(100, 621_355_968_000_000_000, 6.32e17, 6.6e17, False, "the year 1, as .NET counts"),
    _Epoch(_DAY_NS, 25_569, 37_987, 73_050, False, "1900, as Excel counts days"),
    _Epoch(_DAY_NS, 719_529, 731_947, 767_011, False, "the year 0, as Matlab counts days"),
)
_UNITS_NS = (_NS, 10**6, 10**3, 1, 100, _DAY_NS)

_DATE_FORMAT_SAID = re.compile(r"date format ([dMy][dMy./ -]*[dMy])", re.IGNORECASE)
_OFFSET_SAID = re.compile(r"([+-]\d{2}):?(\d{2})\b")
_ZONE_LINE = re.compile(r"time ?zone\W+(?:GMT|UTC)? ?([+-]\d{1,2}):?(\d{2})?", re.IGNORECASE)
_UTC_SAID = re.compile(r"\b(utc|gmt)\b")

#: A counter of 32 bits starts anew.
_WRAPS_AT = 1 << 32


@dataclass(frozen=True)
class Times:
    """How to date the rows of a table.

    Attributes
    ----------
    roles : dict of int to tuple of int
        Of each column of times its role, unit and zero (see `_text_kernels.parse_rows`); empty
        where there is none.
    half_days : bool
        Whether hours run from 1 to 12 without being told apart.
    period_ns : int
        After this the times start anew; 0 for never.
    dated : bool
        Whether the times hold the date.
    utc : bool
        Whether they are of UTC.
    unit_guessed : str
        The unit of a number, in words, where only its steps tell; empty otherwise.
    rate_hz : float
        Rows per second.
    words : str
        What they are, for a person.
    sure : bool
        Whether they can be nothing else.
    start : datetime or None
        Wall time of the first row where another column dates it.
    later_ns : int
        How much later the rows are than they say: half a day where AM and PM are not told apart.
    offset_minutes : int
        Offset from UTC that the names of the columns or the lines before them say, or that two
        columns show; `_text_kernels.NO_OFFSET` where none.
    """

    roles: dict[int, tuple[int, int, int]]
    half_days: bool = False
    period_ns: int = 0
    dated: bool = True
    utc: bool = False
    unit_guessed: str = ""
    rate_hz: float = 0.0
    words: str = ""
    sure: bool = True
    start: datetime | None = None
    later_ns: int = 0
    offset_minutes: int = kernels.NO_OFFSET


#: Parses rows by the roles of columns: their times, offsets from UTC, and which were read.
ParseTimes = Callable[
    [dict[int, tuple[int, int, int]], bool], tuple[NDArray[np.int64], NDArray[np.int64]]
]


def find_times(
    path: Path,
    table: TextTable,
    axes: set[int],
    layout: Layout | None,
    told: Told,
    parse: ParseTimes,
    spread: Callable[[], Iterator[list[str]]],
) -> Times:
    """Find the columns that date the rows.

    Of several, those win whose steps are the most regular; among equals, those with a date. A
    date that does not move with the rows still dates the first one.

    Parameters
    ----------
    path : Path
        The file, for errors.
    table : TextTable
        The table.
    axes : set of int
        Columns of acceleration.
    layout : Layout or None
        Whose export it is.
    told : Told
        What is told of it.
    parse : callable
        Reads the times of the first rows (see `ParseTimes`).
    spread : callable
        Yields rows from all over the file, in their order.

    Raises
    ------
    RecordingError
        Times cannot be understood without guessing.
    DamagedRecording
        Times do not advance.
    """
    finder = _Finder(path, table, axes, layout, told, parse, spread)
    candidates = finder.candidates()
    if not candidates:
        if finder.problem is not None:
            raise finder.problem
        if told.columns:
            column = column_of(table, told.columns[0], "columns")
            raise finder.not_understood(column, "no time")
        return Times({})
    rated = [finder.rate(candidate) for candidate in candidates]
    moving = [entry for entry in rated if entry[0].rate_hz > 0]
    if not any(len(ns) for _, _, ns in rated):
        return rated[0][0]
    if not moving:
        if finder.problem is not None and not any(c.dated for c in candidates):
            raise finder.problem
        raise DamagedRecording(path, "the times of its rows do not advance")
    best, _, ns = max(moving, key=lambda entry: (entry[1], entry[0].dated and entry[0].sure))
    if not best.dated and finder.problem is not None and told.start is None:
        # A date is there; it only cannot be read.
        raise finder.problem
    return finder.with_start(best, ns, [entry for entry in rated if entry[0] is not best])


@dataclass
class _Finder:
    path: Path
    table: TextTable
    axes: set[int]
    layout: Layout | None
    told: Told
    parse: ParseTimes
    spread: Callable[[], Iterator[list[str]]]
    #: Why a column of dates cannot be used.
    problem: RecordingError | None = None

    def cells(self, column: int) -> list[str]:
        return [row[column] for row in self.table.rows if column < len(row) and row[column]]

    def candidates(self) -> list[Times]:
        """Every way to date the rows."""
        width = len(self.table.rows[0])
        if self.told.columns:
            wanted = [column_of(self.table, self.told.columns[0], "columns")]
        else:
            wanted = [column for column in range(width) if column not in self.axes]
        dates, whole, clocks, numbers = [], [], [], []
        for column in wanted:
            cells = self.cells(column)
            found = DATE.fullmatch(cells[0]) if cells else None
            if found and (found["clock"] or found["its_clock"]):
                dates.append(column)
            elif found:
                whole.append(column)
            elif cells and TIME_OF_DAY.fullmatch(cells[0]):
                clocks.append(column)
            elif cells and self.table.number(cells[0]) is not None and self._named(column):
                numbers.append(column)
        if self.told.columns and clocks:
            # The date of a time of day may stand in a column of its own.
            whole = [
                column
                for column in range(width)
                if (cells := self.cells(column)) and (found := DATE.fullmatch(cells[0]))
                if not found["clock"]
            ]
        found_times = [*map(self._of_date, dates)]
        found_times += [self._of_clock(whole[:1], column) for column in clocks]
        found_times += [self._of_number(column) for column in numbers]
        found_times += self._with_parts(numbers)
        if whole and not clocks and not dates:
            self.problem = self.problem or self.not_understood(whole[0], "a date without a time")
        return [times for times in found_times if times is not None]

    def _named(self, column: int) -> bool:
        """Whether a column of numbers may hold times, by its name."""
        if self.told.columns or not self.table.names:
            return bool(self.told.columns) or column < min(self.axes)
        name = self.table.names[column].lower()
        words = re.sub(r"[^a-zµ]+", " ", name).strip()
        split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.table.names[column]).lower()
        timely = _TIME_NAME.search(words) or _TIME_NAME.search(split) or _unit_of(name)
        return bool(timely) and not _NO_TIME_NAME.search(words)

    def _of_date(self, column: int) -> Times | None:
        role = self._order(column)
        if role is None:
            return None
        half_days, later_ns, words = self._half_days(column, role)
        if half_days is None:
            return None
        name = self.table.label(column)
        return Times(
            {column: (role, 0, 0)},
            half_days,
            _HALF_DAY_NS if half_days else 0,
            words=f"{name}, dates and times{words}",
            later_ns=later_ns,
            offset_minutes=self._offset_said(column),
        )

    def _of_clock(self, whole: list[int], column: int) -> Times | None:
        roles = {column: (kernels.CLOCK, 0, 0)}
        words = f"{self.table.label(column)}, times of day"
        role = self._order(whole[0]) if whole else None
        half_days, later_ns, later = self._half_days(column, role, whole[0] if whole else -1)
        if half_days is None:
            return None
        if role is not None:
            roles[whole[0]] = (role, 0, 0)
            words = f"{self.table.label(whole[0])} and {words}"
        return Times(
            roles,
            half_days,
            _HALF_DAY_NS if half_days else 2 * _HALF_DAY_NS,
            dated=role is not None,
            words=words + later,
            later_ns=later_ns,
            offset_minutes=self._offset_said(column),
        )

    def _of_number(self, column: int) -> Times | None:
        """A column of numbers: its unit by its name, by what it counts from, or by its steps."""
        values = [v for cell in self.cells(column) if (v := self.table.number(cell)) is not None]
        per_unit = _rows_per_unit(values)
        name = self.table.names[column] if self.table.names else ""
        label = self.table.label(column)
        if per_unit <= 0:
            return None
        said = _unit_of(name.lower())
        if self.layout is not None and self.layout.wraps_at:
            said = said or 10**3
        rate_hz = {unit: per_unit * _NS / unit for unit in _UNITS_NS}
        low, high = RATES_HZ
        if said and low <= rate_hz[said] <= high:
            fitting = [said]
        else:
            fitting = [unit for unit in _UNITS_NS if low <= rate_hz[unit] <= high]
        for epoch in _EPOCHS:
            if epoch.unit_ns in fitting and epoch.low <= np.median(values) <= epoch.high:
                return Times(
                    {column: (kernels.NUMBER, epoch.unit_ns, epoch.zero)},
                    utc=epoch.utc,
                    words=f"{label}, {_UNIT_WORDS[epoch.unit_ns]} since {epoch.words}",
                    sure=epoch.sure,
                    offset_minutes=self._offset_said(column),
                )
        usual = [
            unit
            for unit in (_NS, 10**6, 10**3, 1)
            if _USUAL_RATES_HZ[0] <= rate_hz[unit] <= _USUAL_RATES_HZ[1]
        ]
        # What fits no unit is read as said, or as seconds, and refused for its rate.
        unit = said if said in fitting else (usual or [said or _NS])[0]
        whole = all(value == int(value) for value in values)
        wraps = self.layout.wraps_at if self.layout is not None else 0
        if unit == 10**3 and whole and max(values) < _WRAPS_AT:
            wraps = wraps or _WRAPS_AT
        return Times(
            {column: (kernels.NUMBER, unit, 0)},
            period_ns=wraps * unit,
            dated=False,
            unit_guessed="" if unit == said else _UNIT_WORDS[unit],
            words=f"{label}, {_UNIT_WORDS[unit]} from a start that it does not say",
            sure=unit == said,
        )

    def _with_parts(self, numbers: list[int]) -> list[Times]:
        """Whole seconds with the milliseconds of each in a column of their own."""
        found = []
        for column in numbers:
            name = self.table.names[column].lower() if self.table.names else ""
            unit = _unit_of(name)
            values = [self.table.number(cell) or 0.0 for cell in self.cells(column)]
            if not unit or unit == _NS or not values or not 0 <= min(values) <= max(values):
                continue
            if max(values) * unit >= _NS:
                continue
            for other in range(len(self.table.rows[0])):
                cells = self.cells(other)
                date = DATE.fullmatch(cells[0]) if cells else None
                if date and date["clock"] and not re.search(r"\d[.,]\d+\D*$", cells[0]):
                    times = self._of_date(other)
                elif other != column and cells and other not in self.axes and self._named(other):
                    number = self.table.number(cells[0])
                    whole = number is not None and number == int(number)
                    times = self._of_number(other) if whole and number and number > 1e9 else None
                else:
                    continue
                if times is not None and times.dated:
                    roles = {**times.roles, column: (kernels.NUMBER, unit, 0)}
                    words = f"{times.words} and {self.table.label(column)}"
                    found.append(replace(times, roles=roles, words=words))
        return found

    def rate(self, times: Times) -> tuple[Times, tuple[bool, float], NDArray[np.int64]]:
        """Measure the rate, and how regular the steps are."""
        ns, offset = self.parse(times.roles, times.half_days)
        if len(ns) < 2:
            return replace(times, rate_hz=0.0), (False, 0.0), ns
        if offset[0] != kernels.NO_OFFSET:
            times = replace(times, offset_minutes=int(offset[0]), utc=True)
        steps = np.diff(unrolled(ns, times.period_ns))
        rate_hz = measure_rate(unrolled(ns, times.period_ns))
        usual = np.median(steps[steps > 0]) if (steps > 0).any() else 0
        regular = float(np.mean(np.abs(steps - usual) <= 0.5 * usual)) if usual else 0.0
        in_range = RATES_HZ[0] <= rate_hz <= RATES_HZ[1]
        # Stamps of whole seconds, many rows each, lie on a coarse grid: others are finer.
        return replace(times, rate_hz=rate_hz), (in_range, round(regular, 1)), ns

    def with_start(
        self,
        times: Times,
        ns: NDArray[np.int64],
        others: Sequence[tuple[Times, tuple[bool, float], NDArray[np.int64]]],
    ) -> Times:
        """Add what the other columns say of the date and of the offset from UTC."""
        said = _ZONE_LINE.search(self.table.preamble)
        if said and times.offset_minutes == kernels.NO_OFFSET:
            times = replace(times, offset_minutes=_minutes(said[1], said[2]))
        for other, _, other_ns in others:
            if len(other_ns) != len(ns) or not other.dated:
                continue
            is_date = any(role[0] != kernels.NUMBER for role in other.roles.values())
            if times.dated and times.sure and times.utc:
                # UTC and local time side by side show the offset.
                if other.utc or times.offset_minutes != kernels.NO_OFFSET:
                    continue
                off = (other_ns[0] - ns[0]) / (60 * _NS)
                quarter = round(off / 15) * 15
                if abs(off - quarter) < 1 and abs(quarter) <= 14 * 60:
                    times = replace(times, offset_minutes=int(quarter))
            elif not times.dated or (is_date and not times.sure):
                start_ns = _start_by(other_ns, unrolled(ns, times.period_ns))
                start = datetime(1970, 1, 1) + timedelta(microseconds=start_ns / 1000)
                return replace(
                    times,
                    dated=False,
                    start=start,
                    utc=other.utc,
                    offset_minutes=other.offset_minutes,
                    words=f"{times.words}; the date from {other.words}",
                    sure=True,
                    unit_guessed="",
                )
        return times

    def _order(self, column: int) -> int | None:
        """In which order dates have day, month and year; None, with a problem, if unclear."""
        cells = self.cells(column)
        dates = [date for cell in cells if (date := DATE.fullmatch(cell))]
        if not dates:
            return None
        first = dates[0]
        if first["year_first"] or (len(first["one"]) == 4 and first["one"].isdigit()):
            return kernels.YEAR_FIRST
        if self.told.date_order:
            return {
                "ymd": kernels.YEAR_FIRST,
                "dmy": kernels.DAY_FIRST,
                "mdy": kernels.MONTH_FIRST,
            }[self.told.date_order]
        if not first["one"].isdigit():
            return kernels.MONTH_FIRST
        if not first["two"].isdigit():
            return kernels.DAY_FIRST
        if said := _DATE_FORMAT_SAID.search(self.table.preamble):
            letters = [letter for letter in said[1].lower() if letter in "dmy"]
            return {
                "y": kernels.YEAR_FIRST,
                "d": kernels.DAY_FIRST,
                "m": kernels.MONTH_FIRST,
            }[letters[0]]
        if first["mark"][0] == ".":
            return kernels.DAY_FIRST
        pairs = [_parts(date) for date in dates]
        if len(first["three"]) == 4 or first["mark"] == "/":
            order = _settled(pairs)
            if order is None:
                spread = (DATE.fullmatch(row[column]) for row in self.spread() if len(row) > column)
                for date in spread:
                    if date and date["one"] and _parts(date) not in pairs:
                        pairs.append(_parts(date))
                        if (order := _settled(pairs)) is not None:
                            break
            if order is not None:
                return order
        self.problem = self.problem or RecordingError(
            self.path,
            f"{cells[0]!r} may be read with the day or the month first"
            + (", or the year" if len(first["three"]) < 3 else ""),
            place=self.table.label(column),
            expected="year, month and day, such as '2026-03-01 22:30:00.000', or dates that "
            "change on the way",
            options=("--date-order dmy", "--date-order mdy")
            + (("--date-order ymd",) if len(first["three"]) < 3 else ()),
        )
        return None

    def _half_days(
        self, column: int, role: int | None, whole: int = -1
    ) -> tuple[bool | None, int, str]:
        """Whether hours run from 1 to 12 without being told apart; None if that is not settled.

        How much later the first row is for it, and words, follow.
        """
        hours = [_hour(cell) for cell in self.cells(column)]
        if not hours or any(hour is None or not 1 <= hour <= 12 for hour in hours):
            return False, 0, ""
        before: tuple[str, float] | None = None
        for row in self.spread():
            if max(column, whole) >= len(row):
                continue
            hour = _hour(row[column])
            if hour is None:
                continue
            if not 1 <= int(hour) <= 12:
                return False, 0, ""
            date = row[whole] if whole >= 0 else _date_of(row[column])
            half = hour % 12
            if before is not None and half < before[1] - 1:
                if self.told.start is not None:
                    return True, 0, "; AM and PM from the start that was told"
                if role is None:
                    break
                # The date changes where a night begins that started in the afternoon.
                later_ns = _HALF_DAY_NS if date != before[0] else 0
                return True, later_ns, "; AM and PM from the change of the date"
            before = date, half
        else:
            return False, 0, ""
        self.problem = RecordingError(
            self.path,
            f"{self.cells(column)[0]!r}: hours run from 1 to 12 and nothing tells AM from PM",
            place=self.table.label(column),
            options=("--start 2026-03-01T22:30",),
        )
        return None, 0, ""

    def not_understood(self, column: int, what: str) -> RecordingError:
        return RecordingError(
            self.path,
            f"{self.cells(column)[0]!r} is {what}",
            place=self.table.label(column),
            expected="date and time, such as '2026-03-01 22:30:00.000'",
        )

    def _offset_said(self, column: int) -> int:
        """The offset from UTC that a column's name says."""
        name = self.table.names[column].lower() if self.table.names else ""
        bracket = re.search(r"\((?:utc|gmt)?\s*([+-]\d{1,2}):?(\d{2})?\)", name)
        if bracket:
            return _minutes(bracket[1], bracket[2])
        return 0 if _UTC_SAID.search(re.sub("[^a-z]+", " ", name)) else kernels.NO_OFFSET


def _minutes(hours: str, minutes: str | None) -> int:
    sign = -1 if hours.startswith("-") else 1
    return int(hours) * 60 + sign * int(minutes or 0)


def _hour(cell: str) -> float | None:
    """The hour of a cell without AM or PM, with its minutes as a part; None for others."""
    if re.search(r"[AaPp]\.? ?[Mm]\.?\s*$", cell):
        return None
    found = re.search(r"(?:^|[T_ ,])(\d{1,2})[:.-](\d\d)(?=[:.-])", cell)
    return int(found[1]) + int(found[2]) / 60 if found else None


def _date_of(cell: str) -> str:
    date = DATE.fullmatch(cell)
    return "/".join(date.group("one", "two", "three")) if date and date["one"] else cell[:8]


def _parts(date: re.Match[str]) -> tuple[str, str, str]:
    return date["one"], date["two"], date["three"]


def _settled(dates: list[tuple[str, str, str]]) -> int | None:
    """The order of dates such as 3/4/2026, if only one is possible, or lets them follow soon."""
    pairs = [(int(one), int(two), int(three)) for one, two, three in dates if one and two]
    if any(one > 12 for one, _, _ in pairs):
        return kernels.DAY_FIRST
    if any(two > 12 for _, two, _ in pairs):
        return kernels.MONTH_FIRST
    if len(set(pairs)) < 2:
        return None
    spans = {}
    for order, (day, month) in ((kernels.DAY_FIRST, (0, 1)), (kernels.MONTH_FIRST, (1, 0))):
        try:
            days = [datetime(pair[2], pair[month], pair[day]) for pair in pairs]
        except ValueError:
            continue
        spans[order] = max(abs((after - days[0]).days) for after in days)
    if not spans:
        return None
    best = min(spans, key=spans.__getitem__)
    return best if len(spans) == 1 or spans[best] < max(spans.values()) else None


def _unit_of(name: str) -> int:
    """Nanoseconds of the unit that a column's name says; 0 for none."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("µ", "u")))
    said = [_UNIT_NS[word] for word in words if word in _UNIT_NS]
    return said[-1] if said else 0


def _rows_per_unit(values: list[float]) -> float:
    """Rows in one unit of a number of time; 0 where it does not grow."""
    steps = np.diff(np.array(values, np.float64))
    if not (steps > 0).any():
        return 0.0
    # On a scale on which the usual step is that of an accelerometer.
    scale = 4e7 / float(np.median(steps[steps > 0]))
    since = np.clip((np.array(values) - values[0]) * scale, -1e18, 1e18)
    return measure_rate(np.rint(since).astype(np.int64)) * scale / _NS


def unrolled(ns: NDArray[np.int64], period_ns: int) -> NDArray[np.int64]:
    """Times that start anew after a period, as if they went on."""
    if not period_ns or len(ns) < 2:
        return ns
    turns = -np.rint(np.diff(ns, prepend=ns[:1]) / period_ns).astype(np.int64)
    return ns + np.cumsum(turns) * period_ns


def _start_by(date_ns: NDArray[np.int64], elapsed_ns: NDArray[np.int64]) -> float:
    """When the first row was, by dates of which each may stand in many rows: it is the first's."""
    first = np.flatnonzero(np.diff(date_ns, prepend=date_ns[:1] - 1))
    return float(np.median((date_ns - (elapsed_ns - elapsed_ns[0]))[first]))


def measure_rate(time_ns: NDArray[np.int64]) -> float:
    """Rows per second, from their times, some of which may be equal or lie across a gap."""
    first = np.flatnonzero(np.diff(time_ns, prepend=time_ns[:1] - 1))
    # Rows may be swapped, or come again.
    moment_ns, place = np.unique(time_ns[first], return_index=True)
    span_s = np.diff(moment_ns) / _NS
    count = np.diff(first, append=len(time_ns))[place][:-1]
    if len(span_s) > 2:
        # The rows of the first time may have begun before the table did.
        span_s, count = span_s[1:], count[1:]
    step_s = span_s / count
    if not (step_s > 0).any():
        return 0.0
    usual = np.median(step_s[step_s > 0])
    near = np.abs(step_s - usual) <= 0.5 * usual
    short = (step_s > 0) & (span_s <= _LONGEST_BURST_S)
    if not short.any():
        short = step_s > 0
    if span_s[near & short].sum() < _REGULAR_PART * span_s[short].sum():
        near = short
    rate_hz = float(count[near].sum() / span_s[near].sum())
    return float(round(rate_hz)) if abs(rate_hz - round(rate_hz)) < 1e-3 * rate_hz else rate_hz


#: Rows at their usual distance that cover less than this part of the time come in bursts, as
#: phones hand them over; from burst to burst it is no longer than so many seconds.
_REGULAR_PART = 0.8
_LONGEST_BURST_S = 1.5
