"""Tables of text with a column for each axis, as programs export them; gzip files of them too."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _text_kernels as kernels
from rlsmove.devices.export_layouts import EMPATICA_E4, WITH_GRAVITY, find_layout
from rlsmove.devices.gravity_unit import tell_unit
from rlsmove.devices.packets import Bytes, ByteStream, PacketRecording, Packets, Tape
from rlsmove.devices.recording import Block, Completeness, Recording
from rlsmove.devices.row_repairs import FINE_STEP_G, IDLE_S, RowRepairs
from rlsmove.devices.table_axes import Axes, column_of, find_axes, sources_of
from rlsmove.devices.table_times import RATES_HZ, Times, find_times, measure_rate, unrolled
from rlsmove.devices.text_file import TextFile, TextStream
from rlsmove.devices.text_table import DATE, TextTable, find_table
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.devices.zip_member import tell_broken
from rlsmove.errors import DamagedRecording, RecordingError, SettingError, UnsuitableSignal

#: About 2^16 rows of 45 bytes.
BYTES_PER_READ = 3 << 20
#: The rate and the unit are told from the first minutes.
HEAD_BYTES = 1 << 20

#: No accelerometer worn in bed shows more; larger numbers are slips of a program or a pen.
_LARGEST_G = 64.0
#: No leg feels more than this on all axes to the last digit: it stands for no sample.
_FILLED_G = 17.0
#: Rows of one time that take more than this are no second of any device.
_LONGEST_SECOND_BYTES = 1 << 20
_NS = 10**9
_1970 = datetime(1970, 1, 1)
_NO_DATE = (
    "The table says no date: wall times mean nothing until it is told when it starts (--start)."
)

#: With this line `signal.recording_exports` begins a table of simulated data.
_SIMULATED = re.compile(r"^# simulated:", re.MULTILINE)
_RATE_SAID = (
    re.compile(r"\bat\s+(\d+(?:[.,]\d+)?)\s*hz", re.IGNORECASE),
    re.compile(
        r"(?:sampl\w*|measurement|output)[ _-]*(?:rate|freq\w*)[^\d\n]{0,20}(\d+(?:[.,]\d+)?)",
        re.IGNORECASE,
    ),
)
_DATE_FORMAT_SAID = re.compile(r"date format ([dMy][dMy./ -]*[dMy])", re.IGNORECASE)
_START_TIME_SAID = re.compile(r"start time\W+(\d{1,2}:\d\d:\d\d(?: ?[AaPp][Mm])?)", re.IGNORECASE)
_START_DATE_SAID = re.compile(
    r"start date\W+(\d{1,4}[-/.]? ?\w{1,9}[-/.]? ?\d{1,4}\.?)", re.IGNORECASE
)
_START_SAID = re.compile(
    r"(?:start[ _]?time|recording start|start)\W+(\d{4}-\d\d-\d\d[T _]\d\d[:-]\d\d[:-]\d\d"
    r"(?:[.:-]\d{3})?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Rows:
    """Rows of a stretch of bytes (see `_text_kernels.parse_rows`)."""

    begin: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    offset: NDArray[np.int64]
    value: NDArray[np.float64]
    status: NDArray[np.int8]
    used: int


@dataclass(frozen=True)
class _Source:
    """A table of text: its file, and how to read its rows."""

    text: TextFile
    first_byte: int
    form: NDArray[np.int64]
    columns: NDArray[np.int64]
    source: NDArray[np.uint8]
    #: What a column of sources is called, if rows of another one are refused.
    one_source: str
    g_per_unit: float

    @property
    def path(self) -> Path:
        return self.text.path

    def open(self, position: int) -> TextStream:
        """The rows from this byte on."""
        return self.text.open(position + self.first_byte)

    @property
    def size(self) -> int:
        """Bytes of the rows, or a guess."""
        return self.text.size - self.first_byte

    def read(self, data: Bytes, at_end: bool) -> _Rows:
        """Parse the rows; values are in g, and rows with values that cannot be are bad."""
        scale = np.array([self.g_per_unit, _LARGEST_G, _FILLED_G])
        rows = _parse(data, at_end, self.form, self.columns, self.source, scale)
        if self.one_source and (rows.status == kernels.OTHER).any():
            first = int(rows.begin[np.argmax(rows.status == kernels.OTHER)])
            line = bytes(data[first : first + 200]).split(b"\n")[0].decode("latin-1").strip()
            raise UnsuitableSignal(
                self.path,
                f"{self.one_source} changes from {bytes(self.source).decode('latin-1')!r} on the "
                f"way (row {line!r})",
                expected="rows of one source",
                advice="Say which one to read with --where COLUMN=VALUE.",
            )
        return rows


#: A column of this name, as `signal.recording_exports` writes it, marks simulated data.
SIMULATED_COLUMN = "simulated"


def open_csv(text: TextFile, told: Told = NOTHING_TOLD, beside: Beside | None = None) -> Recording:
    """Open a table of text.

    Parameters
    ----------
    text : TextFile
        The file, or a part of it.
    told : Told
        What is told of it.
    beside : Beside, optional
        What other files of the same export say.

    Returns
    -------
    Recording
        Columns are found by their names or by what is in them, whatever lines stand before
        them; the unit is what they say, checked against 1 g at rest.

    Raises
    ------
    UnknownFormat
        It holds no table with three axes.
    UnsuitableSignal
        Its numbers are no raw acceleration, not in the unit they claim, or of several sources.
    DamagedRecording
        It has no whole row, or its times do not advance.
    RecordingError
        Times or sample rate cannot be told.
    SettingError
        What is told does not fit the table.
    """
    opening = _Opening(text, told, beside or Beside())
    recording = opening.recording()
    recording.simulated = SIMULATED_COLUMN in opening.table.names
    return recording


@dataclass(frozen=True)
class Beside:
    """What the files beside a table say, as they stand in the same zip file.

    Attributes
    ----------
    start : datetime or None
        When its times count from, with the offset where that is known.
    time_zone : str
        IANA name; empty where nothing says it.
    source : str
        The name of the file that says so.
    """

    start: datetime | None = None
    time_zone: str = ""
    source: str = ""


class _Opening:
    """The steps from a file to its recording, each with what the ones before it found."""

    def __init__(self, text: TextFile, told: Told, beside: Beside) -> None:
        self.text, self.path, self.told, self.beside = text, text.path, told, beside
        self.notices: dict[str, str] = {}
        self.taken: dict[str, tuple[str, str]] = {}
        self.head = text.head(HEAD_BYTES)
        self.table = find_table(self.path, self.head)
        self.layout = find_layout(self.table.names, self.table.preamble)
        self.empatica = _empatica(self.table)
        if self.empatica is not None:
            self.layout = EMPATICA_E4
            first_byte = self.head.find(b"\n", self.head.find(b"\n") + 1) + 1
            self.table = self.table.from_row(2, first_byte, ["x", "y", "z"])
        self.form = np.empty(4, np.int64)
        self.form[kernels.DELIMITER] = ord(self.table.delimiter)
        self.form[kernels.DECIMAL] = ord(self.table.decimal)
        self.form[kernels.LINE_END] = ord(self.table.line_end)
        self.form[kernels.HALF_DAYS] = 0
        self.data = np.frombuffer(bytearray(self.head[self.table.first_byte :]), np.uint8)
        self.at_end = len(self.head) < HEAD_BYTES
        self.source: tuple[int, str] = (-1, "")
        self.one_source = ""

    def recording(self) -> Recording:
        """Open it."""
        layout = self.layout
        if layout is not None and layout.without_gravity and not self.told.columns:
            raise UnsuitableSignal(
                self.path,
                f"gravity was taken out: it holds {layout.without_gravity}{self._words}",
                advice=WITH_GRAVITY,
            )
        candidates = find_axes(self.path, self.table, layout, self.told)
        taken = set().union(*(axes.all_columns for axes in candidates))
        self._find_source(taken)
        times = find_times(
            self.path,
            self.table,
            taken,
            layout,
            self.told,
            lambda roles, half_days: self._parse_times(roles, half_days, candidates[0]),
            self._spread_rows,
        )
        self.form[kernels.HALF_DAYS] = times.half_days
        refused: RecordingError | None = None
        for axes in candidates:
            try:
                return self._with_axes(axes, times)
            except UnsuitableSignal as error:
                refused = refused or error
        assert refused is not None
        raise refused

    def _with_axes(self, axes: Axes, times: Times) -> Recording:
        columns = self._columns(times.roles, axes)
        rows = self._parse_head(columns)
        whole = rows.status == kernels.READ
        if not whole.any():
            raise DamagedRecording(
                self.path, f"none of its first {len(whole)} rows has a time and three numbers"
            )
        time_ns = unrolled(rows.time_ns[whole], times.period_ns)
        rate_hz = measure_rate(time_ns) if times.roles else self._rate_said()
        self._check_rate(rate_hz, times)
        per_g = self._units_of_1_g(axes, rows.value[whole], rate_hz)
        source = _Source(
            self.text,
            self.table.first_byte,
            self.form,
            columns,
            np.frombuffer(bytearray(self.source[1].encode("latin-1", "replace")), np.uint8),
            self.one_source,
            1.0 / per_g,
        )
        numbers = all(role[0] == kernels.NUMBER for role in times.roles.values())
        repairs = RowRepairs(
            period_ns=times.period_ns,
            wall_clock=bool(times.roles) and not numbers and not times.utc and not times.period_ns,
            idle=_finest_step(rows.value[whole]) / per_g <= FINE_STEP_G,
        )
        recording = self._open(source, repairs, times, rate_hz, int(rows.time_ns[whole][0]))
        if self.layout is not None:
            recording.device = self.layout.device
        recording.simulated = _SIMULATED.search(self.table.preamble) is not None
        for code, sentence in self.notices.items():
            recording.notice(code, sentence)
        self.taken["axes"] = (axes.words(self.table), axes.source)
        for what, (value, why) in self.taken.items():
            recording.take(what, value, why)
        return recording

    def _open(
        self, source: _Source, repairs: RowRepairs, times: Times, rate_hz: float, first_ns: int
    ) -> Recording:
        """Open the rows, dated as well as the file and what is beside it allow."""
        start, why = self._start_beside(times, first_ns)
        if not times.roles:
            recording: Recording = UntimedCsvRecording(source, repairs, rate_hz, start or _1970)
            dated = start is not None
            self.taken["time"] = (f"{rate_hz:g} rows a second", "the lines before the table")
        else:
            recording = CsvRecording(source, repairs, times, rate_hz, start)
            dated = times.dated or start is not None
            sure = "" if times.sure else " (a guess)"
            self.taken["time"] = (times.words, "the columns" + sure)
            if times.unit_guessed and not times.dated:
                self.notices["time_unit"] = (
                    f"Times are taken for {times.unit_guessed}, as their distance suggests."
                )
        recording.dated = dated
        recording.time_zone = self.beside.time_zone
        if not dated:
            self.notices["no_date"] = _NO_DATE
        self.taken["start"] = (
            recording.start_time.isoformat(" ") if dated else "no date",
            why or ("the columns" if dated else "nothing says it"),
        )
        offset = times.offset_minutes
        counted = times.utc or (self.empatica is not None and why == "its first row")
        if dated and offset == kernels.NO_OFFSET and counted and not recording.time_zone:
            self.notices["epoch_time"] = (
                "Times count from 1970 and are taken for UTC: nights are cut at noon UTC, and wall "
                "times are UTC, until a zone is told (--time-zone)."
            )
        return recording

    def _start_beside(self, times: Times, first_ns: int) -> tuple[datetime | None, str]:
        """When the first row was, where its own times do not say it."""
        if times.dated and times.roles:
            return None, ""
        if times.start is not None:
            start = times.start
            if times.offset_minutes != kernels.NO_OFFSET:
                zone = timezone(timedelta(minutes=times.offset_minutes))
                start = (
                    start.replace(tzinfo=UTC).astimezone(zone)
                    if times.utc
                    else start.replace(tzinfo=zone)
                )
            elif times.utc:
                start = start.replace(tzinfo=UTC)
            return start, "another column"
        zero, why = self.beside.start, self.beside.source
        if zero is None:
            zero, why = self._start_said(), "the lines before the table"
        if zero is None and self.empatica is not None:
            zero, why = self.empatica[0], "its first row"
        if zero is None:
            return None, ""
        # A count from the start has its own beginning; one from elsewhere says nothing.
        from_start = bool(times.roles) and 0 <= first_ns < 3600 * _NS
        return zero + timedelta(microseconds=first_ns / 1000 if from_start else 0), why

    def _start_said(self) -> datetime | None:
        """The start that the lines before the table say."""
        before = self.table.preamble
        if start := _START_SAID.search(before):
            return _datetime(start[1], kernels.YEAR_FIRST)
        time, date = _START_TIME_SAID.search(before), _START_DATE_SAID.search(before)
        if not (time and date):
            return None
        order = kernels.YEAR_FIRST
        parts = DATE.fullmatch(date[1].strip())
        said = _DATE_FORMAT_SAID.search(before)
        if self.told.date_order:
            order = _ORDERS[self.told.date_order[0]]
        elif said:
            order = _ORDERS[next(letter for letter in said[1].lower() if letter in "dmy")]
        elif parts and parts["one"] and len(parts["one"]) < 4:
            if parts["two"].isdigit() and parts["one"].isdigit():
                if int(parts["two"]) <= 12 and int(parts["one"]) <= 12 and parts["mark"] != ".":
                    return None
                order = kernels.MONTH_FIRST if int(parts["two"]) > 12 else kernels.DAY_FIRST
            else:
                order = kernels.DAY_FIRST if parts["one"].isdigit() else kernels.MONTH_FIRST
        return _datetime(f"{date[1].strip()} {time[1]}", order)

    def _rate_said(self) -> float:
        if self.empatica is not None:
            return self.empatica[1]
        said = [found for rate in _RATE_SAID if (found := rate.search(self.table.preamble))]
        return float(said[0][1].replace(",", ".")) if said else 0.0

    def _check_rate(self, rate_hz: float, times: Times) -> None:
        low, high = RATES_HZ
        if not times.roles and not low <= rate_hz <= high:
            raise RecordingError(
                self.path,
                "no column of times, and no usable sample rate in the lines before the table",
                advice="Export the table with a time for each row.",
            )
        if not rate_hz:
            raise DamagedRecording(self.path, "the times of its rows do not advance")
        if rate_hz < low:
            raise UnsuitableSignal(
                self.path,
                f"a row every {1 / rate_hz:g} s",
                expected=f"at least {low:g} rows a second",
                advice="Activity counts and averages over epochs cannot be scored; export the raw "
                "acceleration.",
            )
        if rate_hz > high:
            raise UnsuitableSignal(
                self.path,
                f"{rate_hz:g} rows a second",
                expected=f"at most {high:g}; check the times' unit",
            )

    def _units_of_1_g(self, axes: Axes, value: NDArray[np.float64], rate_hz: float) -> float:
        """How many units make 1 g."""
        said, source, layout = axes.unit, "the names of the columns", self.layout
        trusted = layout is None or layout.unit != "numbers"
        if not said and layout is not None and layout.unit and trusted:
            said, source = layout.unit, f"the layout of {layout.device}"
        unit = tell_unit(
            self.path,
            value,
            rate_hz,
            said,
            source,
            self.told,
            trusted=trusted,
            without_gravity=axes.without_gravity,
            words=self._words,
        )
        if unit.notice:
            self.notices["unit"] = unit.notice
        self.taken["unit"] = (unit.name, unit.source)
        return unit.per_g

    @property
    def _words(self) -> str:
        return f", an export of {self.layout.device}" if self.layout is not None else ""

    def _find_source(self, taken: set[int]) -> None:
        """Choose the rows to read, where a column tells their sources apart."""
        if self.told.where:
            column = column_of(self.table, self.told.where[0], "where")
            self.source = (column, self.told.where[1])
            lines = self._head_lines()
            held = {
                cells[column] for line in lines if len(cells := self.table.cells(line)) > column
            }
            if self.source[1] not in held:
                values = ", ".join(repr(value) for value in sorted(held)[:10])
                raise SettingError(
                    "--where",
                    f"{self.path.name}: {self.table.label(column)} holds no {self.source[1]!r}",
                    expected=f"one of {values}",
                )
            self.taken["rows"] = ("=".join(self.told.where), "told")
            return
        for column, sources in sources_of(self.table, self._head_lines, taken).items():
            name = self.table.names[column]
            if len(sources) > 1:
                most = [value for value, _ in sources.most_common(10)]
                raise UnsuitableSignal(
                    self.path,
                    f"{self.table.label(column)} holds several sources: " + ", ".join(most),
                    expected="rows of one source",
                    options=tuple(f"--where '{name}={value}'" for value in most),
                )
            self.source = (column, next(iter(sources)))
            self.one_source = self.table.label(column)

    def _head_lines(self) -> list[str]:
        text = self.head[self.table.first_byte :].decode("latin-1")
        lines = [line.strip("\r ") for line in text.split(self.table.line_end)]
        return [line for line in lines[: None if self.at_end else -1] if line]

    def _spread_rows(self) -> Iterator[list[str]]:
        for line in self.text.spread_lines(self.table.line_end):
            yield self.table.cells(line)

    def _columns(self, roles: Mapping[int, tuple[int, int, int]], axes: Axes) -> NDArray[np.int64]:
        used: dict[int, tuple[int, int, int]] = dict(roles)
        for role, parts in zip((kernels.X, kernels.Y, kernels.Z), axes.columns, strict=True):
            used |= dict.fromkeys(parts, (role, 0, 0))
        if self.source[0] >= 0:
            used[self.source[0]] = (kernels.SOURCE, 0, 0)
        columns = np.zeros((3, max(used) + 1), np.int64)
        for column, entry in used.items():
            columns[:, column] = entry
        return columns

    def _parse_head(self, columns: NDArray[np.int64]) -> _Rows:
        source = np.frombuffer(bytearray(self.source[1].encode("latin-1", "replace")), np.uint8)
        scale = np.array([1.0, math.inf, math.inf])
        return _parse(self.data, self.at_end, self.form, columns, source, scale)

    def _parse_times(
        self, roles: Mapping[int, tuple[int, int, int]], half_days: bool, axes: Axes
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        form = self.form
        self.form = form.copy()
        self.form[kernels.HALF_DAYS] = half_days
        try:
            rows = self._parse_head(self._columns(roles, axes))
        finally:
            self.form = form
        whole = rows.status == kernels.READ
        return rows.time_ns[whole], rows.offset[whole]


_ORDERS = {"y": kernels.YEAR_FIRST, "d": kernels.DAY_FIRST, "m": kernels.MONTH_FIRST}


def _datetime(text: str, order: int) -> datetime | None:
    """Read one date and time as the rows are read."""
    columns = np.array([[order, kernels.X, kernels.Y, kernels.Z], [0] * 4, [0] * 4])
    form = np.array([ord("\t"), ord("."), ord("\n"), 0])
    data = np.frombuffer(bytearray(f"{text}\t1\t1\t0".encode()), np.uint8)
    none = np.empty(0, np.uint8)
    rows = _parse(data, True, form, columns, none, np.array([1.0, math.inf, math.inf]))
    if rows.status[0] != kernels.READ:
        return None
    return _1970 + timedelta(microseconds=int(rows.time_ns[0]) // 1000)


def _empatica(table: TextTable) -> tuple[datetime, float] | None:
    """Start and rate of Empatica's ACC.csv, which begins with a row of each; None for others."""
    if table.names or len(table.rows) < 3 or len(table.rows[0]) != 3:
        return None
    start, rate = ({table.number(cell) for cell in row} for row in table.rows[:2])
    if len(start) != 1 or len(rate) != 1:
        return None
    start_s, rate_hz = start.pop() or 0.0, rate.pop() or 0.0
    if not 1.1e9 < start_s < 4.1e9 or not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        return None
    return datetime.fromtimestamp(start_s, UTC), rate_hz


def _finest_step(value: NDArray[np.float64]) -> float:
    """The smallest difference between values of an axis; infinite where all are the same."""
    steps = np.abs(np.diff(value, axis=0))
    steps = steps[steps > 1e-9]
    return float(np.percentile(steps, 1)) if len(steps) else math.inf


class CsvRecording(PacketRecording):
    """A table of text with columns of times.

    Rows with the same time, as where whole seconds are written, are taken for one packet. Rows
    that lack a number are gaps.
    """

    _unit = "rows"

    def __init__(
        self,
        source: _Source,
        repairs: RowRepairs,
        times: Times,
        rate_hz: float,
        start: datetime | None,
    ) -> None:
        self.path = source.path
        self._bytes_per_read = BYTES_PER_READ
        self._source = source
        self._repairs = repairs
        self._rate_hz = rate_hz
        self._value = np.empty((0, 3))
        self._absent = _Absent(rate_hz)
        found = self._find_start(source.size)
        self._absent = _Absent(rate_hz)  # finds are made again when samples are read
        if times.dated:
            found += timedelta(microseconds=times.later_ns / 1000)
            offset = times.offset_minutes
            if times.utc:
                zone = timezone(timedelta(minutes=0 if offset == kernels.NO_OFFSET else offset))
                found = found.replace(tzinfo=UTC).astimezone(zone)
            elif offset != kernels.NO_OFFSET:
                found = found.replace(tzinfo=timezone(timedelta(minutes=offset)))
        else:
            found = start or _1970
        super().__init__(source.path, device="CSV table", start_time=found, sample_rate_hz=rate_hz)

    def _open(self, position: int) -> ByteStream:
        self._stream = self._source.open(position)
        return self._stream

    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        at_end = at_end and not self._stream.broken
        position = self._stream.position - len(data)
        rows = self._source.read(data, at_end)
        begin, time_ns, value = rows.begin, rows.time_ns, rows.value
        whole = rows.status == kernels.READ
        if not whole.all():
            begin, time_ns, value = begin[whole], time_ns[whole], value[whole]
        used = rows.used
        if self._repairs.needed:
            time_ns, measured, known = self._repairs.apply(position, begin, time_ns, value, at_end)
            self._tell_changes()
            if known < len(begin):
                used = int(begin[known])
            if known < len(begin) or not measured.all():
                self._absent.count_idle(self, position + begin[:known][~measured[:known]])
                measured[known:] = False
                begin, time_ns, value = begin[measured], time_ns[measured], value[measured]
        self._value = value
        first = np.flatnonzero(np.diff(time_ns, prepend=time_ns[:1] - 1))
        count = np.diff(first, append=len(time_ns))
        if not at_end and len(first) and (len(first) > 1 or len(data) < _LONGEST_SECOND_BYTES):
            # More rows of the last time may follow.
            used = min(used, int(begin[first[-1]]))
            first, count = first[:-1], count[:-1]
        lacking = np.empty(0, np.int64)
        if not whole.all():
            filled = rows.begin[rows.status == kernels.ABSENT]
            self._absent.count_filled(self, position + filled[filled < used])
            lacking = rows.begin[(rows.status == kernels.MISSING) | (rows.status == kernels.BAD)]
        whole_s = time_ns[first] // _NS
        packets = Packets(
            begin[first],
            first,
            count,
            self._clock(
                whole_s, (time_ns[first] - whole_s * _NS) / _NS, np.ones(len(first), np.bool_)
            ),
            np.full(len(first), 1.0 / self._rate_hz),
            np.zeros(len(first), np.int64),
        )
        return packets, lacking, used

    def _tell_changes(self) -> None:
        if self._repairs.changes:
            by_ns = next(iter(self._repairs.changes.values()))
            way = "ahead" if by_ns > 0 else "back"
            self.notice(
                "wall_clock_change",
                f"The times leap {way} by an hour at a full hour, as wall clocks do when summer "
                "time begins or ends; elapsed time goes on.",
            )

    def _content(self, data: Bytes) -> NDArray[Any]:
        return self._value.astype(np.float32)

    def _decode(
        self, content: NDArray[Any], packets: Packets, acceleration: NDArray[np.float32]
    ) -> None:
        ahead = np.cumsum(packets.count) - packets.count
        row = np.repeat(packets.body - ahead, packets.count) + np.arange(len(acceleration))
        acceleration[:] = content[row]

    def _where(self, position: int) -> str:
        return f"byte {self._source.first_byte + position}"

    def _check_end(self, end: int, left: int) -> None:
        tell_broken(self, self._stream.packed)


class UntimedCsvRecording(Recording):
    """A table of text without times: the lines before it give the sample rate.

    Row ``i`` lies ``i / sample_rate_hz`` after the start, rows that lack a number included.
    """

    def __init__(
        self, source: _Source, repairs: RowRepairs, rate_hz: float, start_time: datetime
    ) -> None:
        self._source = source
        self._repairs = repairs
        self._absent = _Absent(rate_hz)
        super().__init__(
            source.path, device="CSV table", start_time=start_time, sample_rate_hz=rate_hz
        )

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        stream = self._source.open(0)
        tape = Tape(stream, 0, BYTES_PER_READ)
        first = used = lost = 0
        try:
            while not tape.ended and first / self.sample_rate_hz < end_s:
                tape.advance(used)
                rows = self._source.read(tape.data, tape.ended)
                used = rows.used
                n = len(rows.begin)
                row = first + np.arange(n)
                whole = rows.status == kernels.READ
                if self._repairs.needed:
                    read = np.flatnonzero(whole)
                    _, measured, known = self._repairs.apply(
                        tape.position,
                        rows.begin[read],
                        np.rint(row[read] / self.sample_rate_hz * _NS).astype(np.int64),
                        rows.value[read],
                        tape.ended,
                    )
                    if known < len(read):
                        used = int(rows.begin[read[known]])
                        n = int(read[known])
                    idle = read[:known][~measured[:known]]
                    whole[idle] = False
                    self._absent.count_idle(self, tape.position + rows.begin[idle])
                row, whole, status = row[:n], whole[:n], rows.status[:n]
                time_s = row / self.sample_rate_hz
                first += n
                self.fraction_read = min(tape.position / max(self._source.size, 1), 1.0)
                lost += int(((status == kernels.MISSING) | (status == kernels.BAD)).sum())
                self._absent.count_filled(
                    self, tape.position + rows.begin[:n][status == kernels.ABSENT]
                )
                whole &= (time_s >= start_s) & (time_s < end_s)
                if whole.any():
                    yield Block(rows.value[:n][whole].astype(np.float32), time_s[whole])
            if tape.ended:
                tell_broken(self, stream.packed)
        finally:
            stream.close()
        if tape.ended:
            self.completeness = Completeness("rows", None, first - lost, lost, 0, ())
        if lost:
            self.notice("damaged_blocks", f"{lost} rows lack a number; each is left out, a gap.")
        self.fraction_read = 1.0


class _Absent:
    """How many rows hold no sample, each counted once however often it is read."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._seen = {"filled": -1, "idle": -1}
        self._rows = {"filled": 0, "idle": 0}

    def count_filled(self, recording: Recording, place: NDArray[np.int64]) -> None:
        """Count rows that are filled with zeros, or with a number that no leg feels."""
        self._count(recording, "filled", place)

    def count_idle(self, recording: Recording, place: NDArray[np.int64]) -> None:
        """Count rows that only repeat."""
        self._count(recording, "idle", place)

    def _count(self, recording: Recording, kind: str, place: NDArray[np.int64]) -> None:
        new = place[place > self._seen[kind]]
        if not len(new):
            return
        self._seen[kind] = int(new[-1])
        self._rows[kind] += len(new)
        parts = []
        if self._rows["filled"]:
            parts.append(
                f"{self._rows['filled']} rows ({self._rows['filled'] / self._rate_hz:.1f} s) hold "
                "0,0,0 or another number in place of a sample"
            )
        if self._rows["idle"]:
            parts.append(
                f"{self._rows['idle']} rows ({self._rows['idle'] / self._rate_hz:.1f} s) repeat "
                f"the same values for {IDLE_S:g} s or more"
            )
        recording.notice("not_recorded", f"{'; '.join(parts)}: left out, a gap.")


def _parse(
    data: Bytes,
    at_end: bool,
    form: NDArray[np.int64],
    columns: NDArray[np.int64],
    source: NDArray[np.uint8],
    scale: NDArray[np.float64],
) -> _Rows:
    # A row has a byte and the end of its line at least; what is not written takes no memory.
    most = len(data) // 2 + 1
    begin, time_ns, offset = np.empty((3, most), np.int64)
    value = np.empty((most, 3))
    status = np.empty(most, np.int8)
    rows, used = kernels.parse_rows(
        data, at_end, form, columns, source, scale, begin, time_ns, offset, value, status
    )
    return _Rows(begin[:rows], time_ns[:rows], offset[:rows], value[:rows], status[:rows], used)
