"""Tables of text with a column for each axis, as programs export them; gzip files of them too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _text_kernels as kernels
from rlsmove.devices.packets import Bytes, ByteStream, PacketRecording, Packets, Tape
from rlsmove.devices.recording import Block, Recording
from rlsmove.devices.table_layout import TableLayout, find_layout
from rlsmove.devices.zip_member import GZIP_MAGIC, MemberStream, whole_gzip
from rlsmove.errors import DamagedRecording, RecordingError, UnsuitableSignal

#: About 2^16 rows of 45 bytes.
BYTES_PER_READ = 3 << 20
#: The rate and the unit are told from the first minutes.
HEAD_BYTES = 1 << 20

_RATES_HZ = (5.0, 10_000.0)
#: How many of a unit make 1 g.
_UNITS = {"g": 1.0, "mg": 1000.0, "m/s2": 9.80665}
#: What a sensor at rest may show in place of 1 g, since offsets and gains are some per cent off.
_REST_G = (0.75, 1.3)
_STILLEST_PART = 0.1
#: Rows at their usual distance that cover less than this part of the time come in bursts, as
#: phones hand them over; from burst to burst it is no longer than so many seconds.
_REGULAR_PART = 0.8
_LONGEST_BURST_S = 1.5
#: No accelerometer shows more; larger numbers are slips of a program or a pen.
_LARGEST_G = 1000.0
#: Rows of one time that take more than this are no second of any device.
_LONGEST_SECOND_BYTES = 1 << 20
_NS = 10**9
_1970 = datetime(1970, 1, 1)
_NO_DATE = "The table says no date; times count from 1970-01-01 00:00."


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
    """A table of text: its file, its layout, and what makes g of its numbers."""

    path: Path
    packed: bool
    layout: TableLayout
    g_per_unit: float

    def open(self, position: int) -> ByteStream:
        """The rows from this byte on."""
        position += self.layout.first_byte
        if self.packed:
            return MemberStream(self.path, whole_gzip(self.path), position)
        file = self.path.open("rb", buffering=0)
        file.seek(position)
        return file

    @property
    def size(self) -> int:
        """Bytes of the rows, or a guess."""
        size = self.path.stat().st_size
        if self.packed:
            with self.path.open("rb") as file:
                file.seek(-4, 2)
                # A gzip file ends with the size of its content, modulo 2^32.
                size = int.from_bytes(file.read(4), "little")
        return size - self.layout.first_byte

    def read(self, data: Bytes, at_end: bool) -> _Rows:
        """Parse the rows; values are in g, and rows with values that cannot be are bad."""
        rows = _parse(data, at_end, self.layout.cells)
        value = rows.value * self.g_per_unit
        whole = rows.status == kernels.READ
        rows.status[whole & (np.abs(value) > _LARGEST_G).any(axis=1)] = kernels.BAD
        return _Rows(rows.begin, rows.time_ns, rows.offset, value, rows.status, rows.used)


def open_csv(path: Path) -> Recording:
    """Open a table of text, or a gzip file of one.

    Parameters
    ----------
    path : Path
        The file.

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
        Its numbers are no raw acceleration, or not in the unit they claim.
    DamagedRecording
        It has no whole row, or its times do not advance.
    RecordingError
        Times or sample rate cannot be told.
    """
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        head = file.read(HEAD_BYTES)
    if packed:
        stream = MemberStream(path, whole_gzip(path), 0)
        head = stream.read(HEAD_BYTES)
        stream.close()
    layout = find_layout(path, head)
    data = np.frombuffer(bytearray(head[layout.first_byte :]), np.uint8)
    rows = _parse(data, len(head) < HEAD_BYTES, layout.cells)
    whole = rows.status == kernels.READ
    if not whole.any():
        raise DamagedRecording(
            path, f"none of its first {len(whole)} rows has a time and three numbers"
        )
    notices: dict[str, str] = {}
    if layout.cells[kernels.KIND] == kernels.NO_TIME:
        rate_hz = layout.rate_said_hz
        if not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
            raise RecordingError(
                path,
                "no column of times, and no usable sample rate in the lines before the table",
                advice="Export the table with a time for each row.",
            )
    else:
        layout, rate_hz = _tell_rate(path, layout, rows.time_ns[whole], notices)
    unit = _tell_unit(path, layout.unit, rows.value[whole], rate_hz, notices)
    source = _Source(path, packed, layout, 1.0 / _UNITS[unit])

    recording: Recording
    if layout.cells[kernels.KIND] == kernels.NO_TIME:
        recording = UntimedCsvRecording(source, rate_hz)
    else:
        recording = CsvRecording(source, rate_hz, int(rows.offset[whole][0]))
    for code, sentence in notices.items():
        recording.notice(code, sentence)
    return recording


class CsvRecording(PacketRecording):
    """A table of text with a column of times.

    Rows with the same time, as where whole seconds are written, are taken for one packet. Rows
    that lack a number are gaps.
    """

    _unit = "rows"

    def __init__(self, source: _Source, rate_hz: float, offset: int) -> None:
        self.path = source.path
        self._bytes_per_read = BYTES_PER_READ
        self._source = source
        self._rate_hz = rate_hz
        self._value = np.empty((0, 3))
        layout = source.layout
        start_time = self._find_start(source.size)
        number = layout.cells[kernels.KIND] == kernels.NUMBER
        dated = not number or layout.counts_from_1970
        if number and layout.counts_from_1970:
            offset = 0
        if offset != kernels.NO_OFFSET:
            zone = timezone(timedelta(minutes=offset))
            start_time = start_time.replace(tzinfo=UTC).astimezone(zone)
        if not dated and layout.start_said:
            start_time = layout.start_said + (start_time - _1970)
        super().__init__(
            source.path, device="CSV table", start_time=start_time, sample_rate_hz=rate_hz
        )
        if number and dated:
            self.notice("epoch_time", "Times count from 1970 and are taken for UTC.")
        elif not dated and not layout.start_said:
            self.notice("no_date", _NO_DATE)

    def _open(self, position: int) -> ByteStream:
        self._stream = self._source.open(position)
        return self._stream

    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        broken = isinstance(self._stream, MemberStream) and bool(self._stream.broken)
        rows = self._source.read(data, at_end and not broken)
        whole = np.flatnonzero(rows.status == kernels.READ)
        begin, time_ns = rows.begin[whole], rows.time_ns[whole]
        self._value = rows.value[whole]
        first = np.flatnonzero(np.diff(time_ns, prepend=time_ns[:1] - 1))
        used = rows.used
        if not at_end and len(first) and (len(first) > 1 or len(data) < _LONGEST_SECOND_BYTES):
            # More rows of the last time may follow.
            used = int(begin[first[-1]])
            whole = whole[: first[-1]]
            first = first[:-1]
        count = np.diff(first, append=len(whole))
        packets = Packets(
            begin[first],
            first,
            count,
            self._clock(
                time_ns[first] // _NS, time_ns[first] % _NS / _NS, np.ones(len(first), np.bool_)
            ),
            np.full(len(first), 1.0 / self._rate_hz),
            np.zeros(len(first), np.int64),
        )
        return packets, rows.begin[rows.status != kernels.READ], used

    def _decode(self, data: Bytes, packets: Packets, acceleration: NDArray[np.float32]) -> None:
        ahead = np.cumsum(packets.count) - packets.count
        row = np.repeat(packets.body - ahead, packets.count) + np.arange(len(acceleration))
        acceleration[:] = self._value[row]

    def _where(self, position: int) -> str:
        return f"byte {self._source.layout.first_byte + position}"

    def _check_end(self, end: int, left: int) -> None:
        _check_packed(self, self._stream)


class UntimedCsvRecording(Recording):
    """A table of text without times: the lines before it give the sample rate.

    Row ``i`` lies ``i / sample_rate_hz`` after the start, rows that lack a number included.
    """

    def __init__(self, source: _Source, rate_hz: float) -> None:
        self._source = source
        super().__init__(
            source.path,
            device="CSV table",
            start_time=source.layout.start_said or _1970,
            sample_rate_hz=rate_hz,
        )
        if not source.layout.start_said:
            self.notice("no_date", _NO_DATE)

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
                time_s = (first + np.arange(len(rows.begin))) / self.sample_rate_hz
                first += len(time_s)
                self.fraction_read = min(tape.position / max(self._source.size, 1), 1.0)
                whole = rows.status == kernels.READ
                lost += int((~whole).sum())
                whole &= (time_s >= start_s) & (time_s < end_s)
                if whole.any():
                    yield Block(rows.value[whole].astype(np.float32), time_s[whole])
            if tape.ended:
                _check_packed(self, stream)
        finally:
            stream.close()
        if lost:
            self.notice("damaged_blocks", f"{lost} rows lack a number; each is left out, a gap.")
        self.fraction_read = 1.0


def _parse(data: Bytes, at_end: bool, cells: NDArray[np.int64]) -> _Rows:
    most = int(np.count_nonzero(data == ord("\n"))) + 1
    begin, time_ns, offset = np.empty((3, most), np.int64)
    value = np.empty((most, 3))
    status = np.empty(most, np.int8)
    rows, used = kernels.parse_rows(data, at_end, cells, begin, time_ns, offset, value, status)
    return _Rows(begin[:rows], time_ns[:rows], offset[:rows], value[:rows], status[:rows], used)


def _check_packed(recording: Recording, stream: ByteStream) -> None:
    if isinstance(stream, MemberStream) and stream.broken:
        recording.notice("truncated", f"The gzip file is damaged: {stream.broken}.")


def _measure_rate(time_ns: NDArray[np.int64]) -> float:
    """Rows per second, from their times, some of which may be equal or lie across a gap."""
    first = np.flatnonzero(np.diff(time_ns, prepend=time_ns[:1] - 1))
    span_s = np.diff(time_ns[first]) / _NS
    count = np.diff(first)
    if len(span_s) > 2:
        # The rows of the first time may have begun before the table did.
        span_s, count = span_s[1:], count[1:]
    step_s = span_s / count
    if not (step_s > 0).any():
        return 0.0
    usual = np.median(step_s[step_s > 0])
    near = np.abs(step_s - usual) <= 0.5 * usual
    short = (step_s > 0) & (span_s <= _LONGEST_BURST_S)
    if span_s[near & short].sum() < _REGULAR_PART * span_s[short].sum():
        near = short
    rate_hz = float(count[near].sum() / span_s[near].sum())
    return float(round(rate_hz)) if abs(rate_hz - round(rate_hz)) < 1e-3 * rate_hz else rate_hz


def _tell_rate(
    path: Path, layout: TableLayout, time_ns: NDArray[np.int64], notices: dict[str, str]
) -> tuple[TableLayout, float]:
    """Tell the rate, and with it the unit of times that are bare numbers without a unit."""
    rate_hz = _measure_rate(time_ns)
    if not rate_hz:
        raise DamagedRecording(path, "the times of its rows do not advance")
    low, high = _RATES_HZ
    if layout.cells[kernels.KIND] == kernels.NUMBER and not layout.time_unit_said:
        for name, finer in (("seconds", 1), ("milliseconds", 1000), ("microseconds", 10**6)):
            if low <= rate_hz * finer <= high:
                cells = layout.cells.copy()
                cells[kernels.UNIT_NS] //= finer
                notices["time_unit"] = f"Times are taken for {name}, as their distance suggests."
                return replace(layout, cells=cells), rate_hz * finer
    if rate_hz < low:
        raise UnsuitableSignal(
            path,
            f"a row every {1 / rate_hz:g} s",
            expected=f"at least {low:g} rows a second",
            advice="Activity counts and averages over epochs cannot be scored; export the raw "
            "acceleration.",
        )
    if rate_hz > high:
        raise UnsuitableSignal(
            path, f"{rate_hz:g} rows a second", expected=f"at most {high:g}; check the times' unit"
        )
    return layout, rate_hz


def _tell_unit(
    path: Path,
    said: str,
    value: NDArray[np.float64],
    rate_hz: float,
    notices: dict[str, str],
) -> str:
    """Tell the unit from gravity in the stillest seconds, against what the table says."""
    window = min(max(round(rate_hz), 2), len(value))
    windows = value[: len(value) // window * window].reshape(-1, window, 3)
    stillest = np.argsort(windows.std(axis=1).sum(axis=1))
    stillest = stillest[: max(round(_STILLEST_PART * len(windows)), 5)]
    rest = float(np.median(np.linalg.norm(windows[stillest], axis=2)))
    fitting = [unit for unit, one_g in _UNITS.items() if _REST_G[0] <= rest / one_g <= _REST_G[1]]
    if not fitting:
        whole_numbers = bool((value == np.rint(value)).all())
        raise UnsuitableSignal(
            path,
            f"at rest its numbers make {rest:.4g}"
            + (
                ", all of them whole, as activity counts or a device's own units are"
                * whole_numbers
            ),
            expected="1 g, that is about 1 (g), 1000 (mg) or 9.81 (m/s2)",
            advice="Export the raw acceleration in g.",
        )
    if said and said not in fitting:
        raise UnsuitableSignal(
            path,
            f"its columns say {said}, but at rest its numbers make {rest:.4g}, which is 1 g in "
            f"{fitting[0]}",
            expected=f"about {_UNITS[said]:g}",
            advice="Correct the columns' names.",
        )
    if not said:
        notices["unit"] = (
            f"No unit is said; at rest the numbers make {rest:.4g}, so they are taken for "
            f"{fitting[0]}."
        )
    return fitting[0]


def _are_whole(value: NDArray[np.float64]) -> bool:
    return bool((value == np.rint(value)).all())
