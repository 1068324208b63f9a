"""ActiGraph .gt3x files, in both layouts that the maker describes.

Since firmware 3 a zip file of ``info.txt`` and ``log.bin``, a log of records
(GT3X-File-Format); before, as in NHANES, of ``info.txt`` and ``activity.bin``, nothing but
samples (NHANES-GT3X-File-Format).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _kernels
from rlsmove.devices.body_place import find_body_place
from rlsmove.devices.packets import Bytes, PacketRecording, Packets
from rlsmove.devices.recording import Block, Completeness, Recording
from rlsmove.devices.zip_member import Member, MemberStream
from rlsmove.errors import DamagedRecording, UnsuitableSignal

#: About 2^16 samples, and never less than the longest record, 64 KiB.
BYTES_PER_READ = 9 << 15

_LONGEST_INFO_BYTES = 1 << 16
_RATES_HZ = (1.0, 1000.0)
#: Stands among the keys of info.txt for what is wrong with it as a whole.
_BROKEN = ""
#: A recording may end so much before the last sample that info.txt tells of.
_END_SLACK_S = 60.0
#: .NET ticks of 1e-7 s since the year 1, at 1970.
_TICKS_1970 = 621_355_968_000_000_000
_TICKS_PER_S = 10_000_000
#: Counts per g where no file says so: GT3X+, wGT3X+ and ActiSleep+ show 6 g, later ones 8 g.
_COUNTS_PER_G_OLD, _COUNTS_PER_G = 341.0, 256.0
_OLD_SERIALS = ("NEO", "CLE", "MRA")
#: Space and number of two entries of the PARAMETERS record, and its type.
_PARAMETERS = 21
_SAMPLE_RATE, _ACCEL_SCALE = (1, 10), (0, 55)


_INFO_BROKEN = (
    "info.txt is damaged ({}): sample rate, scale and start may be wrong, and with them all "
    "samples."
)


def open_gt3x(path: Path, members: dict[str, Member]) -> Recording:
    """Open a .gt3x file of either layout; `members` are those of the zip file.

    Raises
    ------
    DamagedRecording
        Nothing whole is left in it, or what is needed to read it is missing.
    UnsuitableSignal
        It holds no raw acceleration.
    """
    info = _read_info(path, members)
    if "log.bin" in members:
        return LogRecording(path, members["log.bin"], info)
    return ActivityRecording(path, members["activity.bin"], info)


class LogRecording(PacketRecording):
    """A recording of an ActiGraph since firmware 3: a log with a record for each second.

    Parameters
    ----------
    path : Path
        The zip file.
    log : Member
        Its ``log.bin``.
    info : dict
        What ``info.txt`` says; empty where it is missing.

    Notes
    -----
    A record is dated to the whole second. Seconds without a record of samples (idle sleep mode,
    or USB connected, which leaves a record of one byte) are gaps. The sample rate is what the
    records hold; the scale comes from ``info.txt``, or else from the log's own record of
    parameters, or else from the serial number.
    """

    _unit = "records"
    _tells_pauses = True

    def __init__(self, path: Path, log: Member, info: dict[str, str]) -> None:
        self.path = path
        self._bytes_per_read = BYTES_PER_READ
        self._log = log
        self._other_records = 0
        self._damaged = False
        parameters = {} if info else _read_parameters(self._open(0))
        self._rate_hz = 0.0
        self._rate_said_hz = _rate_hz(info) or parameters.get(_SAMPLE_RATE, 0.0)
        self._scale = _counts_per_g(info, parameters.get(_ACCEL_SCALE, 0.0))
        try:
            start_time = self._find_start(log.size)
        except DamagedRecording:
            if self._damaged or not self._other_records:
                raise
            raise UnsuitableSignal(
                path,
                f"{self._other_records} records, but none of raw acceleration",
                place=log.name,
                advice="Raw data must be enabled when the device is set up.",
            ) from None
        super().__init__(
            path,
            start_time=start_time,
            sample_rate_hz=self._rate_hz,
            **_about(info, self._scale),
        )
        self._last_said = _moment(info, "last sample time")
        self._info_broken = info.get(_BROKEN, "")
        if self._info_broken:
            self.notice("damaged_header", _INFO_BROKEN.format(self._info_broken))
        if not info:
            self.notice(
                "damaged_header",
                f"info.txt is missing; {self._rate_hz:g} Hz and {self._scale:g} counts per g were "
                "taken from the records themselves or are this maker's usual ones.",
            )
        elif self._rate_said_hz != self._rate_hz:
            self.notice(
                "sample_rate",
                f"info.txt says {info.get('sample rate', 'nothing')} as its Sample Rate, but the "
                f"records hold {self._rate_hz:g} samples a second; the records are believed.",
            )

    def _open(self, position: int) -> MemberStream:
        self._stream = MemberStream(self.path, self._log, position)
        self._pauses = 0
        return self._stream

    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        activity = np.empty((len(data) // 9 + 1, 5), np.int64)
        damaged = np.empty(len(activity), np.int64)
        counts = np.zeros(5, np.int64)
        counts[_kernels.PAUSES] = self._pauses
        _kernels.find_records(data, at_end, activity, damaged, counts)
        used = int(counts[_kernels.USED])
        self._other_records += int(counts[_kernels.OTHER])
        self._damaged |= bool(counts[_kernels.DAMAGED]) or (at_end and used < len(data))
        self._pauses = int(counts[_kernels.PAUSES])
        begin, kind, time, size, pauses = activity[: counts[_kernels.ACTIVITY]].T
        count = np.where(kind == 0, size * 2 // 9, size // 6)
        if not self._rate_hz and len(count):
            # A record is a second, so that its size is the rate, whatever is said elsewhere.
            few = len(count) < 3 and self._rate_said_hz
            self._rate_hz = self._rate_said_hz if few else float(np.median(count))
        packets = Packets(
            begin.copy(),
            begin + 8,
            count,
            self._clock(time, np.zeros(len(time)), time > 0),
            1.0 / np.maximum(count, self._rate_hz or 1.0),
            pauses.copy(),
        )
        return packets, damaged[: counts[_kernels.DAMAGED]], used

    def _decode(
        self, content: NDArray[Any], packets: Packets, acceleration: NDArray[np.float32]
    ) -> None:
        _kernels.unpack_actigraph(content, packets.body, packets.count, self._scale, acceleration)

    def _where(self, position: int) -> str:
        return f"byte {position} of log.bin"

    def _check_end(self, end: int, left: int) -> None:
        self._trailing += left > 0 and not self._missing
        if self._info_broken:
            self._unknown = self._read
            self._places.append("info.txt")
        if self._stream.mismatch:
            if "damaged_blocks" not in self._tally:
                # What is wrong passed the records' own checks.
                self._unknown = self._read
                self._places.append("log.bin")
                self.notice(
                    "checksum",
                    "log.bin does not match its checksum in the zip file, though each record "
                    "matches its own; samples or times may be wrong.",
                )
        elif self._stream.broken:
            self.notice("truncated", f"log.bin is cut short: {self._stream.broken}.")
        elif left:
            self.notice("truncated", f"The last {left} bytes of log.bin make no whole record.")
        last = self.start_time + timedelta(seconds=self._marks[-1].last_sample_s)
        if self._last_said and (self._last_said - last).total_seconds() > _END_SLACK_S:
            hours = (self._last_said - last).total_seconds() / 3600
            self.notice(
                "truncated",
                f"info.txt says that the last sample is of {self._last_said:%Y-%m-%d %H:%M:%S}, "
                f"but the records end {hours:.2f} h before.",
            )
            self._trailing += round(hours * 3600)


class ActivityRecording(Recording):
    """A recording of an ActiGraph before firmware 3: samples without a break, without a clock.

    Parameters
    ----------
    path : Path
        The zip file.
    activity : Member
        Its ``activity.bin``.
    info : dict
        What ``info.txt`` says.

    Raises
    ------
    DamagedRecording
        ``info.txt`` says no start or sample rate, or there are no samples.

    Notes
    -----
    Sample ``i`` lies ``i / sample_rate_hz`` after the start date.
    """

    def __init__(self, path: Path, activity: Member, info: dict[str, str]) -> None:
        self._activity = activity
        rate_hz = _rate_hz(info)
        ticks = _number(info, "start date")
        if not rate_hz or not ticks:
            raise DamagedRecording(
                path,
                f"it has no usable {'Start Date' if rate_hz else 'Sample Rate'}",
                place="info.txt",
                advice="Without it activity.bin cannot be dated; copy the file again.",
            )
        seconds, ticks = divmod(int(info["start date"]) - _TICKS_1970, _TICKS_PER_S)
        try:
            start_time = datetime(1970, 1, 1) + timedelta(seconds=seconds, microseconds=ticks / 10)
        except OverflowError:
            raise DamagedRecording(
                path, f"Start Date is {info['start date']}", place="info.txt"
            ) from None
        self._scale = _counts_per_g(info, 0.0)
        super().__init__(
            path, start_time=start_time, sample_rate_hz=rate_hz, **_about(info, self._scale)
        )
        self._info_broken = info.get(_BROKEN, "")
        if self._info_broken:
            self.notice("damaged_header", _INFO_BROKEN.format(self._info_broken))

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        # Two samples take nine bytes.
        first = int(max(min(start_s, 1e9) * self.sample_rate_hz - 1, 0)) // 2 * 2
        position = first // 2 * 9
        stream = MemberStream(self.path, self._activity, position)
        ended = False
        try:
            while not ended:
                data = np.frombuffer(bytearray(stream.read(BYTES_PER_READ)), np.uint8)
                count = len(data) * 2 // 9
                time_s = (first + np.arange(count)) / self.sample_rate_hz
                at_end = len(data) < BYTES_PER_READ
                ended = at_end or time_s[-1] >= end_s
                first += count
                position += len(data)
                self.fraction_read = min(position / max(self._activity.size, 1), 1.0)
                low, high = np.searchsorted(time_s, (start_s, end_s))
                if low < high:
                    acceleration = np.empty((count, 3), np.float32)
                    _kernels.unpack_12_bit(data, 0, count, self._scale, acceleration, 0)
                    yield Block(acceleration[low:high], time_s[low:high])
            if stream.mismatch:
                self.notice(
                    "checksum",
                    "activity.bin does not match its checksum in the zip file, and nothing tells "
                    "which of its samples are wrong.",
                )
            elif stream.broken:
                self.notice("truncated", f"activity.bin is cut short: {stream.broken}.")
        finally:
            stream.close()
        if first == 0:
            raise DamagedRecording(
                self.path, "holds no samples", place="activity.bin", advice="Copy the file again."
            )
        if at_end:
            expected = max(self._activity.size * 2 // 9, first)
            wrong = stream.mismatch or bool(self._info_broken)
            places = ("activity.bin",) if wrong or expected > first else ()
            self.completeness = Completeness(
                "rows", expected, first, expected - first, first if wrong else 0, places
            )
        self.fraction_read = 1.0


def _read_info(path: Path, members: dict[str, Member]) -> dict[str, str]:
    """The lines ``key: value`` of info.txt, keys in lower case; empty where there is none."""
    if "info.txt" not in members:
        return {}
    stream = MemberStream(path, members["info.txt"], 0)
    text = stream.read(_LONGEST_INFO_BYTES).decode("utf-8-sig", "replace")
    stream.close()
    pairs = (line.partition(":") for line in text.splitlines())
    said = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if stream.broken:
        said[_BROKEN] = stream.broken
    return said


def _number(info: dict[str, str], key: str) -> float:
    """A positive number, with a point or a comma; 0 where there is none."""
    try:
        value = float(info.get(key, "").replace(",", "."))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _moment(info: dict[str, str], key: str) -> datetime | None:
    """A time in ticks; None where there is none."""
    ticks = _number(info, key)
    try:
        return datetime(1970, 1, 1) + timedelta(seconds=(ticks - _TICKS_1970) / _TICKS_PER_S)
    except OverflowError:
        return None


def _rate_hz(info: dict[str, str]) -> float:
    rate_hz = _number(info, "sample rate")
    return rate_hz if _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1] else 0.0


def _counts_per_g(info: dict[str, str], parameter: float) -> float:
    """The scale, from the first source that knows it."""
    serial = info.get("serial number", "").upper()
    usual = _COUNTS_PER_G_OLD if serial.startswith(_OLD_SERIALS) else _COUNTS_PER_G
    return _number(info, "acceleration scale") or parameter or usual


def _about(info: dict[str, str], counts_per_g: float) -> dict[str, Any]:
    """What `Recording` is told of device and wearer."""
    side, placement = find_body_place(f"{info.get('side', '')} {info.get('limb', '')}")
    return {
        "device": f"ActiGraph {info.get('device type', '')}".strip(),
        "serial": info.get("serial number", ""),
        "subject": info.get("subject name", ""),
        "range_g": _number(info, "acceleration max") or round(2048 / counts_per_g, 1),
        "side": side,
        "placement": placement,
    }


def _read_parameters(stream: MemberStream) -> dict[tuple[int, int], float]:
    """Sample rate and scale from the first record of parameters, if it stands near the start."""
    data = stream.read(BYTES_PER_READ)
    stream.close()
    found: dict[tuple[int, int], float] = {}
    at = 0
    while not found and at + 9 <= len(data) and data[at] == 0x1E:
        size = int.from_bytes(data[at + 6 : at + 8], "little")
        if data[at + 1] == _PARAMETERS:
            payload = data[at + 8 : at + 8 + size]
            whole = len(payload) // 8 * 8
            for space, number, value in struct.iter_unpack("<HHI", payload[:whole]):
                if (space, number) == _SAMPLE_RATE:
                    found[_SAMPLE_RATE] = float(value)
                if (space, number) == _ACCEL_SCALE:
                    # 24 bits of fraction of 2^23, 8 bits of exponent, both signed.
                    fraction = ((value & 0xFFFFFF) ^ 0x800000) - 0x800000
                    exponent = ((value >> 24) ^ 0x80) - 0x80
                    found[_ACCEL_SCALE] = math.ldexp(fraction / 0x800000, exponent)
        at += 9 + size
    return found
