"""What device formats have in common: a row of packets, each with a reading of the clock."""

from __future__ import annotations

import bisect
import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _kernels
from rlsmove.devices.elapsed_time import (
    LONG_PAUSE_S,
    LOOKAHEAD_S,
    Course,
    Placed,
    follow_clock,
    follow_each_other,
    in_order,
    measure_beat,
    order_packets,
    reach_of,
)
from rlsmove.devices.recording import Block, Completeness, Recording
from rlsmove.errors import DamagedRecording, RecordingError
from rlsmove.records import FloatArray, IntArray

Bytes = NDArray[np.uint8]

#: Bytes that the start, and what is known of the stamps, are told from.
_HEAD_BYTES = 1 << 20
#: Samples handed out at once, or a few more.
_SAMPLES_PER_BLOCK = 1 << 16
#: Places that are listed of what is missing.
_MOST_PLACES = 20
#: The whole recording changes its start by no less.
_SAME_START_S = 1e-3

_EPOCH = datetime(1970, 1, 1)

#: The sentence for each finding that is counted: how often, of what, where or by how much first.
_SENTENCES = {
    "damaged_blocks": "{count} {unit} are damaged, the first at {first}; each is left out, a gap.",
    "missing_blocks": "{count} {unit} are missing, the first before {first}.",
    "duplicate_blocks": "{count} {unit} come a second time, the first at {first}; dropped.",
    "conflicting_blocks": "{count} {unit} have times at which others were recorded, the first at "
    "{first}; dropped.",
    "clock_outlier": "The time of {count} {unit} is out of line with their neighbors, first by "
    "{first}; they were put where their neighbors leave room.",
    "clock_step": "The device's clock is set back {count} times, first by {first}; elapsed time "
    "goes on by the count of samples.",
    "clock_jump": "The device's clock leaps ahead {count} times, first by {first}; up to 31 days "
    "count as a gap, more as a fault of the clock, without a gap.",
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
        Its number, where the format counts packets; otherwise how many times the device says that
        it paused since the one before.
    """

    begin: NDArray[np.int64]
    body: NDArray[np.int64]
    count: NDArray[np.int64]
    clock_s: NDArray[np.float64]
    step_s: NDArray[np.float64]
    serial: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin)

    @classmethod
    def joined(cls, parts: list[Packets]) -> Packets:
        """The packets of several stretches in one table."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )

    def take(self, rows: Any) -> Packets:
        """The packets chosen by a mask, a slice or their numbers."""
        return Packets(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Mark:
    """A place at which reading can be taken up again, and what is known there.

    Attributes
    ----------
    position : int
        Byte of the stream to begin at: one at which a stretch was read before.
    first : int
        Byte at which the first packet begins that is not done with.
    last_sample_s : float
        Elapsed time up to which all was handed out.
    strides : int
        How many were placed until there.
    course : Course
        Where the clock stood.
    used : frozenset of int
        Bytes behind that at which packets begin that are done with.
    """

    position: int
    first: int
    last_sample_s: float
    strides: int
    course: Course
    used: frozenset[int]


class _Held:
    """Packets that wait for their place, and what their samples are decoded from."""

    def __init__(self) -> None:
        self.packets: list[Packets] = []
        self.contents: list[tuple[int, NDArray[Any]]] = []
        self.starts: list[int] = []
        self.size = 0
        self.sorted = True

    def __len__(self) -> int:
        return sum(map(len, self.packets))

    def add(self, packets: Packets, content: NDArray[Any]) -> None:
        """Hold packets, whose bodies from now on count through all contents so far."""
        self.packets.append(replace(packets, body=self.size + packets.body))
        self.contents.append((self.size, content))
        self.size += len(content)

    def first(self, count: int) -> Packets:
        """The first so many, or all, as one table."""
        parts = []
        for packets in self.packets:
            parts.append(packets.take(slice(count)))
            count -= len(parts[-1])
            if count <= 0:
                break
        return Packets.joined(parts)

    def drop_first(self, count: int) -> None:
        """Let go of the first so many."""
        while self.packets and count >= len(self.packets[0]):
            count -= len(self.packets.pop(0))
        if count:
            self.packets[0] = self.packets[0].take(slice(count, None))

    def drop_contents(self) -> None:
        """Let go of the contents of packets that are not held any more."""
        low = min(
            (int(packets.body.min()) for packets in self.packets if len(packets)), default=self.size
        )
        while self.contents and self.contents[0][0] + len(self.contents[0][1]) <= low:
            self.contents.pop(0)

    def sources(self, body: IntArray) -> IntArray:
        """Number of the content that each packet lies in."""
        return np.searchsorted([first for first, _ in self.contents], body, "right") - 1


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
    and the rest is a gap. How packets are sorted, and what becomes of clocks that fail, is told
    in `elapsed_time`. Packets are held for an hour of the recording, in which others may come
    that belong before them.

    The first reading remembers where packets lie; later ones go to a late stretch directly.
    """

    #: Bytes read at once, about 2^16 samples.
    _bytes_per_read: int
    #: What a packet of this format is called, in the plural.
    _unit: str

    #: Whether the format numbers its packets, and whether it says when a device pauses.
    _counted = False
    _tells_pauses = False

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

    def _content(self, data: Bytes) -> NDArray[Any]:
        """What `_decode` needs of the bytes that packets were just found in, to be kept."""
        return data.copy()

    @abstractmethod
    def _decode(
        self, content: NDArray[Any], packets: Packets, acceleration: NDArray[np.float32]
    ) -> None:
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
        self._strides_seen = 0
        self._read = self._missing = self._trailing = self._unknown = 0
        self._places: list[str] = []
        self._stretches: list[tuple[float, float, float, int]] = []
        parts: list[Packets] = []
        stream = self._open(0)
        try:
            tape = Tape(stream, 0, min(self._bytes_per_read, _HEAD_BYTES))
            used = 0
            limit = math.inf
            while tape.position < limit and not tape.ended:
                tape.advance(used)
                packets, _, used = self._find(tape.data, tape.ended)
                parts.append(replace(packets, begin=packets.begin + tape.position))
                if math.isinf(limit) and len(packets):
                    limit = int(parts[-1].begin[0]) + _HEAD_BYTES
        finally:
            stream.close()
        head = Packets.joined(parts)
        head = head.take(head.begin < limit)
        if not np.isfinite(head.clock_s).any():
            raise DamagedRecording(
                self.path,
                f"the first of its {self._unit} carry no time"
                if len(head)
                else f"none of its {self._unit} is whole",
                advice="Copy the file again from the device.",
            )
        self._beat = measure_beat(head.clock_s, head.count * head.step_s)
        course = Course(stretch=self._beat.stretch)
        self._marks = [Mark(0, 0, -math.inf, 0, course, frozenset())]
        order, *_ = self._ordered(head, course, lambda one, other: one != other)
        placed = self._follow(head.take(order), course, ends=True)
        self._weight_of_shift: dict[float, float] = {}
        self._start_shift_s = self._main_shift(placed, head.take(order))
        self._weight_of_shift = {}
        return (
            _EPOCH
            + timedelta(seconds=(self._epoch_s or 0))
            + timedelta(seconds=self._start_shift_s)
        )

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        first = bisect.bisect_left(self._marks, start_s, key=lambda mark: mark.last_sample_s)
        mark = self._marks[max(first - 1, 0)]
        held = _Held()
        enough = self._beat.lookahead + self._beat.stride
        stream = self._open(mark.position)
        try:
            tape = Tape(stream, mark.position, self._bytes_per_read)
            used = 0
            while not tape.ended and mark.last_sample_s < end_s:
                tape.advance(used)
                used = self._hold(tape, held, mark)
                while len(held) >= enough or (tape.ended and len(held)):
                    mark, pieces = self._place(held, mark, tape.position + used, enough)
                    self.fraction_read = min(tape.position / self._size, 1.0)
                    yield from self._blocks(held, *pieces, start_s, end_s)
                    held.drop_contents()
                    if mark.last_sample_s >= end_s:
                        break
            if tape.ended and not len(held):
                self._check_end(tape.position + len(tape.data), len(tape.data) - used)
                self._check_stretches()
                self._set_start()
                self.completeness = self._completeness()
        finally:
            stream.close()
        self.fraction_read = 1.0

    def _hold(self, tape: Tape, held: _Held, mark: Mark) -> int:
        """Take the packets that the tape holds; how many bytes those are."""
        packets, damaged, used = self._find(tape.data, tape.ended)
        held.starts.append(tape.position)
        self._count_damaged(damaged, tape.position, used)
        last = packets.begin[-1] if len(packets) else -1
        self._trailing = self._trailing * (last < 0) + int((damaged > last).sum())
        if not len(packets):
            return used
        packets = replace(packets, begin=packets.begin + tape.position)
        before = held.packets[-1:] and [held.packets[-1].take(slice(-1, None))]
        held.add(packets, self._content(tape.data[:used]))
        if mark.used or packets.begin[0] < mark.first:
            new = packets.begin >= mark.first
            new &= ~np.isin(packets.begin, list(mark.used))
            packets = packets.take(new)
            held.packets[-1] = held.packets[-1].take(new)
            if not len(packets):
                held.packets.pop()
        held.sorted &= self._in_order(Packets.joined([*before, packets]))
        return used

    def _in_order(self, packets: Packets) -> bool:
        return in_order(
            packets.clock_s,
            packets.count * packets.step_s,
            packets.step_s,
            packets.serial,
            self._beat,
            self._counted,
        )

    def _ordered(
        self,
        packets: Packets,
        course: Course,
        same: Callable[[IntArray, IntArray], NDArray[np.bool_]],
    ) -> tuple[IntArray, IntArray, IntArray]:
        return order_packets(
            packets.clock_s,
            packets.count * packets.step_s,
            packets.step_s,
            packets.serial,
            self._beat,
            course,
            self._counted,
            same,
        )

    def _follow(self, packets: Packets, course: Course, *, ends: bool) -> Placed:
        return follow_clock(
            packets.clock_s,
            packets.count * packets.step_s,
            packets.step_s,
            self._beat,
            course,
            self._beat.stride,
            self._counted,
            ends,
        )

    def _place(
        self, held: _Held, mark: Mark, position: int, enough: int
    ) -> tuple[Mark, tuple[Packets, FloatArray, FloatArray]]:
        """Put the first of the packets held in time, and let go of them.

        Of no more than `enough` of them anything is seen, so that what is read at once does not
        matter; with fewer, nothing follows.
        """
        ends = len(held) < enough
        new = mark.strides >= self._strides_seen
        course = mark.course
        if held.sorted and not ends:
            packets = held.first(reach_of(self._beat.stride, self._beat))
            if not follow_each_other(
                packets.clock_s,
                packets.count * packets.step_s,
                packets.step_s,
                self._beat,
                course,
            ):
                packets = held.first(enough)
        else:
            packets = held.first(enough)
        gone = np.zeros(len(packets), np.bool_)
        whole = packets
        order = np.arange(len(packets))
        if not held.sorted:
            order, repeated, late = self._ordered(packets, course, self._same(held, packets))
            gone[repeated] = gone[late] = True
            if new:
                self._count("duplicate_blocks", packets.begin[repeated])
                self._check_late(packets.take(late))
            packets = packets.take(order)
        placed = self._follow(packets, course, ends=ends)
        done = len(placed.start_s)
        gone[order[:done]] = True
        packets = packets.take(slice(done))
        there = ~placed.dropped
        if new:
            self._count_findings(packets, placed)
            self._main_shift(placed, packets)
            self._count_missing(
                packets.take(there), placed.start_s[there], placed.end_s[there], mark
            )
        course = placed.course
        if self._counted and done:
            course = replace(course, serial=int(packets.serial[-1]))
        packets, start_s, end_s = packets.take(there), placed.start_s[there], placed.end_s[there]
        if held.sorted:
            held.drop_first(done)
        else:
            held.drop_first(len(whole))
            held.packets.insert(0, whole.take(~gone))
            held.sorted = self._in_order(held.first(len(held)))
        begins = [int(part.begin.min()) for part in held.packets if len(part)]
        first = min([position, *begins])
        used = mark.used
        if used or whole.begin[gone].max(initial=-1) >= first:
            used = frozenset(
                begin for begin in (*used, *whole.begin[gone].tolist()) if begin >= first
            )
        while len(held.starts) > 1 and held.starts[1] <= first:
            held.starts.pop(0)
        last_s = end_s[-1] if len(end_s) else mark.last_sample_s
        mark = Mark(held.starts[0], first, float(last_s), mark.strides + 1, course, used)
        if new:
            self._strides_seen = mark.strides
            self._marks.append(mark)
        return mark, (packets, start_s, end_s)

    def _blocks(
        self,
        held: _Held,
        packets: Packets,
        start_s: FloatArray,
        end_s: FloatArray,
        from_s: float,
        to_s: float,
    ) -> Iterator[Block]:
        """The samples of packets in blocks, cut to the window."""
        inside = (end_s > from_s) & (start_s < to_s)
        if not inside.all():
            packets, start_s, end_s = packets.take(inside), start_s[inside], end_s[inside]
        for low, high in _cuts(packets.count, _SAMPLES_PER_BLOCK):
            rows = slice(low, high)
            part = packets.take(rows)
            time_s = np.empty(int(part.count.sum()))
            _kernels.spread_samples(start_s[rows], end_s[rows], part.count, time_s)
            first, last = np.searchsorted(time_s, (from_s, to_s))
            if first < last:
                yield Block(self._samples(held, part)[first:last], time_s[first:last])

    def _samples(self, held: _Held, packets: Packets) -> NDArray[np.float32]:
        """Decode packets that are held, in their order."""
        ends = np.cumsum(packets.count)
        acceleration = np.empty((int(ends[-1]), 3), np.float32)
        source = held.sources(packets.body)
        edges = [0, *(np.flatnonzero(np.diff(source)) + 1).tolist(), len(source)]
        for low, high in pairwise(edges):
            offset, content = held.contents[source[low]]
            part = packets.take(slice(low, high))
            self._decode(
                content,
                replace(part, body=part.body - offset),
                acceleration[ends[low] - packets.count[low] : ends[high - 1]],
            )
        return acceleration

    def _same(
        self, held: _Held, packets: Packets
    ) -> Callable[[IntArray, IntArray], NDArray[np.bool_]]:
        """A function that tells which pairs of these packets hold the same samples."""

        def same(one: IntArray, other: IntArray) -> NDArray[np.bool_]:
            equal = packets.count[one] == packets.count[other]
            pairs = np.flatnonzero(equal)
            if len(pairs):
                count = packets.count[one[pairs]]
                samples = (self._samples(held, packets.take(i[pairs])) for i in (one, other))
                differs = np.not_equal(*samples).any(axis=1)
                equal[pairs] = ~np.logical_or.reduceat(differs, np.cumsum(count) - count)
            return equal

        return same

    def _main_shift(self, placed: Placed, packets: Packets) -> float:
        """The clock's reading at elapsed time zero, by most of the samples so far."""
        length_s = packets.count * packets.step_s
        weight = self._weight_of_shift
        edges = np.flatnonzero(np.diff(placed.shift_s, prepend=math.nan))
        for at, total_s in zip(edges, np.add.reduceat(length_s, edges), strict=True):
            shift_s = float(placed.shift_s[at])
            weight[shift_s] = weight.get(shift_s, 0.0) + float(total_s)
        return max(weight, key=lambda shift_s: weight[shift_s])

    def _set_start(self) -> None:
        """Date the first sample by most of the stamps, once all are known."""
        weight = self._weight_of_shift
        shift_s = max(weight, key=lambda shift_s: weight[shift_s])
        if abs(shift_s - self._start_shift_s) > _SAME_START_S:
            self.start_time += timedelta(seconds=shift_s - self._start_shift_s)
            self._start_shift_s = shift_s

    def _check_late(self, packets: Packets) -> None:
        """Count the packets whose numbers were there before; refuse those that were missing."""
        self._count("duplicate_blocks", packets.begin)

    def _count_findings(self, packets: Packets, placed: Placed) -> None:
        """Count what the clock did, and the packets that found no place."""
        late = np.flatnonzero(placed.dropped & (placed.off_s < -LOOKAHEAD_S))
        if len(late):
            raise self._disorder(int(packets.begin[late[0]]), -placed.off_s[late[0]])
        self._keep_stretches(packets, placed)
        self._count("conflicting_blocks", packets.begin[placed.dropped])
        rows = np.flatnonzero(placed.outliers & ~placed.dropped)
        self._count("clock_outlier", packets.begin[rows], placed.off_s[rows])
        for one in placed.breaks:
            code = ""
            if one.off_s < 0.0:
                code = "clock_step"
            elif one.off_s > LONG_PAUSE_S:
                code = "clock_jump"
            if code:
                self._count(code, packets.begin[[one.row]], np.array([one.off_s]))

    def _keep_stretches(self, packets: Packets, placed: Placed) -> None:
        """Remember from when to when the clock ran on without being set."""
        edges = np.flatnonzero(np.diff(placed.shift_s, prepend=math.nan)).tolist()
        for low, high in pairwise([*edges, len(packets)]):
            shift_s = float(placed.shift_s[low])
            end_s = float(placed.end_s[high - 1]) + shift_s
            if self._stretches and self._stretches[-1][0] == shift_s:
                self._stretches[-1] = (*self._stretches[-1][:2], end_s, self._stretches[-1][3])
            else:
                start_s = float(placed.start_s[low]) + shift_s
                self._stretches.append((shift_s, start_s, end_s, int(packets.begin[low])))

    def _check_stretches(self) -> None:
        """Refuse a recording whose parts were put together in the wrong order.

        A clock that was set does not come to its earlier beginning at the very end.
        """
        near_s = 2 * self._beat.packet_s + 4 * self._beat.scatter_s
        for number, (_, start_s, end_s, begin) in enumerate(self._stretches):
            for _, early_s, _, _ in self._stretches[:number]:
                late_s = early_s - start_s
                if late_s > LOOKAHEAD_S and abs(end_s - early_s) < near_s:
                    raise self._disorder(begin, late_s)

    def _disorder(self, begin: int, late_s: float) -> RecordingError:
        return RecordingError(
            self.path,
            f"{self._unit} that belong {late_s / 3600:.1f} h before those that stand before them",
            place=self._where(begin),
            expected="disorder of at most an hour",
            advice="Sort the file by time, or export it anew.",
        )

    def _count_missing(
        self, packets: Packets, start_s: FloatArray, end_s: FloatArray, mark: Mark
    ) -> None:
        """Count packets, and those that are missing between them.

        A gap tells how many may be missing; numbers tell how many are, and without numbers the
        device has to say that it paused.
        """
        if not len(packets):
            return
        gap_s = start_s - np.concatenate(([max(mark.last_sample_s, 0.0)], end_s[:-1]))
        room = np.rint(gap_s / (packets.count * packets.step_s)).astype(np.int64)
        first_of_all = self._read == 0
        if self._counted:
            ahead = packets.serial - np.concatenate(([mark.course.serial], packets.serial[:-1])) - 1
            missing = np.minimum(ahead, room)
            if first_of_all:
                follows = len(packets) > 1 and packets.serial[1] == packets.serial[0] + 1
                missing[0] = packets.serial[0] if follows else 0
        elif self._tells_pauses:
            missing = np.where(packets.serial > 0, 0, room)
        else:
            missing = np.zeros(len(packets), np.int64)
        self._read += len(packets)
        rows = np.flatnonzero(missing > 0)
        self._missing += int(missing[rows].sum())
        for row in rows[: _MOST_PLACES - len(self._places)].tolist():
            self._places.append(
                f"{missing[row]} {self._unit} before {self._where(int(packets.begin[row]))}"
            )

    def _completeness(self) -> Completeness:
        """How much was read, once all is; notes what is missing and was not found damaged."""
        damaged = self._tally.get("damaged_blocks", (0, ""))[0]
        lost = int(max(self._missing + self._trailing, damaged))
        gaps = [place.partition(" before ")[2] for place in self._places if " before " in place]
        if lost > damaged and gaps:
            self.notice(
                "missing_blocks",
                _SENTENCES["missing_blocks"].format(
                    count=lost - damaged,
                    unit=self._unit,
                    first=gaps[0],
                ),
            )
        places = self._places
        if damaged:
            places = [f"damage at {self._tally['damaged_blocks'][1]}", *places]
        if self._trailing:
            places = [*places, f"{self._trailing} {self._unit} at the end"]
        return Completeness(
            self._unit,
            self._read + lost if self._counted else None,
            self._read,
            lost,
            min(self._unknown, self._read),
            tuple(dict.fromkeys(places)),  # once, however often it is read
        )

    def _count_damaged(self, damaged: IntArray, position: int, used: int) -> None:
        """Count the damaged packets at these bytes of a stretch, unless they were counted."""
        new = (damaged < used) & (damaged + position >= self._seen_to)
        self._count("damaged_blocks", damaged[new] + position)
        self._seen_to = max(self._seen_to, position + used)

    def _count(self, code: str, begin: IntArray, off_s: FloatArray | None = None) -> None:
        """Count findings at these bytes of the stream."""
        if not len(begin):
            return
        first = self._where(int(begin[0]))
        if off_s is not None:
            first = f"{abs(off_s[0]):.3f} s at {first}"
        count, first = self._tally.get(code, (0, first))
        count += len(begin)
        self._tally[code] = (count, first)
        self.notice(code, _SENTENCES[code].format(count=count, unit=self._unit, first=first))


def _cuts(count: IntArray, most: int) -> Iterator[tuple[int, int]]:
    """Cut packets of so many samples each into pieces of at most so many, but for single ones."""
    ends = np.cumsum(count)
    low, before = 0, 0
    while low < len(count):
        high = max(int(np.searchsorted(ends, before + most, "right")), low + 1)
        yield low, high
        low, before = high, int(ends[high - 1])
