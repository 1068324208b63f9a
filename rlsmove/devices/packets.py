"""What device formats have in common: a row of packets, each with a reading of the clock."""

from __future__ import annotations

import bisect
import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _kernels
from rlsmove.devices.recording import Block, Recording
from rlsmove.errors import DamagedRecording

Bytes = NDArray[np.uint8]

#: Damage that goes on for longer than this ends the wait for a packet's successors.
_LONGEST_DAMAGE_BYTES = 1 << 20

_EPOCH = datetime(1970, 1, 1)

#: The sentence for each finding that is counted: how often, of what, where or by how much first.
_SENTENCES = {
    "damaged_blocks": "{count} {unit} are damaged, the first at {first}; each is left out, a gap.",
    "duplicate_blocks": "{count} {unit} come a second time, the first at {first}; dropped.",
    "clock_outlier": "The time of {count} {unit} is out of line with their neighbors, first by "
    "{first}; they were put where their neighbors leave room.",
    "clock_step": "The device's clock is set back {count} times, first by {first}; elapsed time "
    "goes on by the count of samples.",
    "clock_jump": "The device's clock leaps ahead {count} times, first by {first}; up to 31 days "
    "count as a gap, more as a fault of the clock, without a gap.",
}
_CLOCK_FINDINGS = {
    _kernels.OUTLIER: "clock_outlier",
    _kernels.STEP_BACK: "clock_step",
    _kernels.LEAP: "clock_jump",
}


class ByteStream(Protocol):
    """Bytes in their order; `read` returns fewer than asked for only at the end."""

    def read(self, size: int, /) -> bytes:
        """Read on."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True)
class Packets:
    """The whole packets in a stretch of bytes, in their order.

    Attributes
    ----------
    begin, body : ndarray of int64, shape (n,)
        Byte at which a packet begins, and its samples.
    count : ndarray of int64, shape (n,)
        Its samples, at least one.
    clock_s : ndarray of float64, shape (n,)
        The device's clock at its first sample (see `PacketRecording._clock`).
    step_s : ndarray of float64, shape (n,)
        Nominal distance of its samples.
    serial : ndarray of int64, shape (n,)
        Its number; the same for all where the format has none.
    """

    begin: NDArray[np.int64]
    body: NDArray[np.int64]
    count: NDArray[np.int64]
    clock_s: NDArray[np.float64]
    step_s: NDArray[np.float64]
    serial: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin)

    def take(self, rows: Any) -> Packets:
        """The packets chosen by a mask, a slice or their numbers."""
        return Packets(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class _Placed:
    """Packets and where they lie in time, from their first sample to one past their last."""

    packets: Packets
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


@dataclass(frozen=True)
class _Mark:
    """A place at which reading can be taken up again, and what is known there."""

    position: int
    last_sample_s: float
    state: NDArray[np.float64]
    last_clock_s: float
    last_serial: int


class Tape:
    """A stream's bytes, a stretch at a time; what is not used stays for the next.

    `data` lasts until the tape advances: one buffer holds them all, since asking the system for
    a new one for each costs more time than decoding what is in it.
    """

    def __init__(self, stream: ByteStream, position: int, bytes_per_read: int) -> None:
        self._stream = stream
        self._bytes_per_read = bytes_per_read
        self._buffer = np.empty(0, np.uint8)
        self.position = position
        self.data = self._buffer
        self.ended = False

    def advance(self, used: int) -> None:
        """Drop the bytes used, and read on."""
        rest = self.data[used:]
        fresh = self._stream.read(self._bytes_per_read)
        self.ended = len(fresh) < self._bytes_per_read
        self.position += used
        size = len(rest) + len(fresh)
        if size > len(self._buffer):
            self._buffer = np.empty(size + size // 8, np.uint8)
        self._buffer[: len(rest)] = rest
        self._buffer[len(rest) : size] = np.frombuffer(fresh, np.uint8)
        self.data = self._buffer[:size]


class PacketRecording(Recording):
    """A recording made of packets that each carry a reading of the device's clock.

    A subclass opens the stream of bytes, finds the packets in a stretch of it, and decodes them.

    Notes
    -----
    The clock dates a packet's first sample; its samples are spread evenly from there to the
    first sample of the next packet, as the makers' own programs do it, so that a sensor set to
    100 Hz that truly runs at 98.87 Hz shows 98.87 Hz. Where the next packet does not follow
    (more than 5 % of a packet and 3 samples off), the samples keep the distance measured last,
    and the rest is a gap. Of clocks that fail:

    - one packet out of line while its neighbors agree is put between them (``clock_outlier``);
    - set back: elapsed time goes on by the count of samples (``clock_step``);
    - leapt ahead by more than a day: a gap; by more than 31 days, longer than any of these
      devices runs: elapsed time goes on by the count of samples (both ``clock_jump``);
    - a packet that comes again is dropped (``duplicate_blocks``).

    The first reading of a late stretch passes over what lies before it without decoding it, and
    remembers where packets lie; later ones go there directly.
    """

    #: Bytes read at once, about 2^16 samples.
    _bytes_per_read: int
    #: What a packet of this format is called, in the plural.
    _unit: str

    _epoch_s: int | None = None

    @abstractmethod
    def _open(self, position: int) -> ByteStream:
        """The stream of packets from this byte on."""

    @abstractmethod
    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        """Find the packets in `data`.

        Returns
        -------
        packets : Packets
        damaged : ndarray of int64
            Bytes at which damaged packets begin.
        used : int
            Bytes dealt with; what is left begins a packet that goes on behind the stretch, or,
            `at_end`, that breaks off.
        """

    @abstractmethod
    def _decode(self, data: Bytes, packets: Packets, acceleration: NDArray[np.float32]) -> None:
        """Write the packets' samples, in g, to `acceleration`, shape (m, 3)."""

    @abstractmethod
    def _where(self, position: int) -> str:
        """Words for the packet at this byte of the stream."""

    @abstractmethod
    def _check_end(self, end: int, left: int) -> None:
        """Note what is missing: the stream ends at byte `end`, `left` bytes into a packet."""

    def _clock(
        self, whole_s: NDArray[np.int64], part_s: NDArray[np.float64], valid: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Seconds since the whole second that was read first; NaN where not `valid`.

        Counted from 1970, fractions would lose their microseconds.
        """
        if self._epoch_s is None and valid.any():
            self._epoch_s = int(whole_s[np.argmax(valid)])
        return np.where(valid, (whole_s - (self._epoch_s or 0)) + part_s, np.nan)

    def _find_start(self, size: int) -> datetime:
        """Find the wall time of the first sample; `size` is that of the stream in bytes.

        Raises
        ------
        DamagedRecording
            When the stream holds no whole packet.
        """
        self.notices = []  # finds made here are made again when samples are read
        self._size = max(size, 1)
        self._seen_to = 0
        self._tally: dict[str, tuple[int, str]] = {}
        clock_s = np.empty(0)
        length_s = np.empty(0)
        stream = self._open(0)
        try:
            tape = Tape(stream, 0, self._bytes_per_read)
            used = 0
            while len(clock_s) < 3 and not tape.ended:
                tape.advance(used)
                packets, _, used = self._find(tape.data, tape.ended)
                clock_s = np.concatenate((clock_s, packets.clock_s))[:3]
                length_s = np.concatenate((length_s, packets.count * packets.step_s))[:3]
        finally:
            stream.close()
        if not np.isfinite(clock_s).any():
            raise DamagedRecording(
                self.path,
                f"the first of its {self._unit} carry no time"
                if len(clock_s)
                else f"none of its {self._unit} is whole",
                advice="Copy the file again from the device.",
            )
        # The first clock that can be read, unless the two after it agree that it is absurd.
        row = int(np.argmax(np.isfinite(clock_s)))
        first_s = float(clock_s[row] - length_s[:row].sum())
        if len(clock_s) == 3 and abs(clock_s[2] - clock_s[1] - length_s[1]) < 0.1 * length_s[1]:
            second_s = float(clock_s[1])
            if not 0.0 < second_s - first_s <= _kernels.LONGEST_PAUSE_S:
                first_s = second_s - float(length_s[0])
        # `place_packets` then counts from the first sample.
        state = np.array([0.0, -first_s, 1.0, 0.0, 0.0])
        self._marks = [_Mark(0, -math.inf, state, math.nan, -1)]
        return _EPOCH + timedelta(seconds=self._epoch_s or 0) + timedelta(seconds=first_s)

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        first = bisect.bisect_left(self._marks, start_s, key=lambda mark: mark.last_sample_s)
        mark = self._marks[max(first - 1, 0)]
        stream = self._open(mark.position)
        try:
            tape = Tape(stream, mark.position, self._bytes_per_read)
            used = 0
            while not tape.ended and mark.last_sample_s < end_s:
                tape.advance(used)
                placed, used, mark = self._place(tape, mark)
                self.fraction_read = min(mark.position / self._size, 1.0)
                block = self._block(tape.data, placed, start_s, end_s)
                if block is not None:
                    yield block
            if tape.ended:
                self._check_end(tape.position + len(tape.data), len(tape.data) - used)
        finally:
            stream.close()
        self.fraction_read = 1.0

    def _place(self, tape: Tape, mark: _Mark) -> tuple[_Placed, int, _Mark]:
        """Put the tape's packets in time; how many bytes that took, and where to go on."""
        packets, damaged, used = self._find(tape.data, tape.ended)
        fresh = fresh_packets(packets.clock_s, packets.serial, mark.last_clock_s, mark.last_serial)
        kept = packets.take(fresh)
        final = tape.ended or (len(kept) <= 2 and used > _LONGEST_DAMAGE_BYTES)
        state = mark.state.copy()
        start_s, end_s, off_s = np.empty((3, len(kept)))
        verdict = np.empty(len(kept), np.int8)
        done = _kernels.place_packets(
            kept.clock_s, kept.step_s, kept.count, final, state, start_s, end_s, verdict, off_s
        )
        if done < len(kept):
            used = int(kept.begin[done])
        placed = _Placed(kept.take(slice(done)), start_s[:done], end_s[:done])

        repeated = np.delete(packets.begin, fresh)
        self._count("damaged_blocks", damaged, tape.position, used)
        self._count("duplicate_blocks", repeated, tape.position, used)
        for code, name in _CLOCK_FINDINGS.items():
            rows = np.flatnonzero(verdict[:done] == code)
            self._count(name, kept.begin[rows], tape.position, used, off_s[rows])

        position = tape.position + used
        if done:
            last = done - 1
            step_s = (end_s[last] - start_s[last]) / kept.count[last]
            mark = _Mark(
                position,
                start_s[last] + (kept.count[last] - 1) * step_s,
                state,
                kept.clock_s[last],
                int(kept.serial[last]),
            )
        else:
            mark = replace(mark, position=position)
        if position > self._seen_to:
            self._seen_to = position
            self._marks.append(mark)
        return placed, used, mark

    def _count(
        self,
        code: str,
        begin: NDArray[np.int64],
        position: int,
        used: int,
        off_s: NDArray[np.float64] | None = None,
    ) -> None:
        """Count what was found at the bytes `begin`, if it was not counted in a reading before."""
        new = (begin < used) & (begin + position >= self._seen_to)
        if not new.any():
            return
        row = int(np.argmax(new))
        first = self._where(position + int(begin[row]))
        if off_s is not None:
            first = f"{abs(off_s[row]):.3f} s at {first}"
        count, first = self._tally.get(code, (0, first))
        count += int(new.sum())
        self._tally[code] = (count, first)
        self.notice(code, _SENTENCES[code].format(count=count, unit=self._unit, first=first))

    def _block(self, data: Bytes, placed: _Placed, start_s: float, end_s: float) -> Block | None:
        """Decode the packets that reach into the window, and cut them to it."""
        inside = (placed.end_s > start_s) & (placed.start_s < end_s)
        packets = placed.packets.take(inside)
        samples = int(packets.count.sum())
        time_s = np.empty(samples)
        _kernels.spread_samples(placed.start_s[inside], placed.end_s[inside], packets.count, time_s)
        low, high = np.searchsorted(time_s, (start_s, end_s))
        if low == high:
            return None
        acceleration = np.empty((samples, 3), np.float32)
        self._decode(data, packets, acceleration)
        return Block(acceleration[low:high], time_s[low:high])


def fresh_packets(
    clock_s: NDArray[np.float64],
    serial: NDArray[np.int64],
    last_clock_s: float = math.nan,
    last_serial: int = -1,
) -> NDArray[np.int64]:
    """Rows of the packets that were not there before.

    A packet is a repetition when its number and its clock are those of the last fresh one, or
    when both are behind it: a clock set back keeps counting packets.
    """
    serial_before = np.concatenate(([last_serial], serial))[:-1]
    clock_before_s = np.concatenate(([last_clock_s], clock_s))[:-1]
    onwards = (serial > serial_before) | ((serial == serial_before) & (clock_s != clock_before_s))
    if onwards.all():
        return np.arange(len(serial))
    fresh = []
    for row, (number, moment_s) in enumerate(zip(serial.tolist(), clock_s.tolist(), strict=True)):
        if number == last_serial:
            repeated = moment_s == last_clock_s
        else:
            repeated = number < last_serial and moment_s <= last_clock_s
        if not repeated:
            fresh.append(row)
            last_clock_s, last_serial = moment_s, number
    return np.array(fresh, np.int64)
