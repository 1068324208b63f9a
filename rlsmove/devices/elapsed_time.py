"""Elapsed seconds from what clocks say of packets and rows, however they lie.

A clock dates each packet (or row) of a recording. Here packets are put in order, those that come
again are found, and each is given its start and end in one time that never goes back:

1. `measure_beat` tells from the first minutes how long packets are and how far the stamps scatter.
2. `order_packets` sorts what came out of order, by numbers where a format counts its packets, else
   by the stamps; what would lie on top of other packets was not late but wrongly dated, and stays.
3. `follow_clock` goes along the stamps. A stamp out of line is ignored when the clock agrees again
   later. Where it does not, a clock that went ahead leaves a gap, one that was set back leaves
   none, and what it was set back by is given back when it is set ahead again. Stamps that scatter,
   as those of arrival do, are replaced by a line through their medians.

All of it looks ahead by an hour (`LOOKAHEAD_S`) at packets that are held until then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: How far out of order packets may come, and how far ahead a clock that is off is followed.
LOOKAHEAD_S = 3600.0
#: How much is placed at a time.
STRIDE_S = 900.0

#: A packet follows the one before when it starts this close to where that one ends: a part of
#: its length (sensors run up to 2 % off the device's clock), a few samples, and the scatter.
SLACK_PART = 0.05
SLACK_SAMPLES = 3.0
SLACK_SCATTER = 3.0
#: Stamps that scatter by less than this are taken as they are. Those of device files scatter by
#: up to 2 ms about a line, those of a phone's arrival times by tens.
EXACT_S = 0.004
#: Rows come again when of those with known times nearly all have the same samples.
SAME_SHARE = 0.9
#: Stamps that jump by more than this do so for another reason than scatter.
LONGEST_LATENCY_S = 1.5
#: Stretch over which the line through scattered stamps is straight.
WINDOW_S = 60.0
FEWEST_IN_WINDOW = 8
#: The same for measuring the scatter; arrival times of a phone come in bursts of up to 1.5 s.
SCATTER_WINDOW_S = 5.0

#: A leap of the clock that no plain pause explains, and one that no battery outlives.
LONG_PAUSE_S = 86_400.0
LONGEST_PAUSE_S = 31 * 86_400.0

#: By how much the measured length of samples may differ from the nominal one.
STRETCH = (0.9, 1.1)
#: No packet is squeezed to less than this part of its length.
LEAST_PART = 1e-3
#: What is left of it, as a part, once it was measured.
STRETCH_ERROR = 1e-3


@dataclass(frozen=True)
class Beat:
    """What the first minutes of a recording tell of its stamps.

    Attributes
    ----------
    packet_s : float
        Nominal length of a packet.
    scatter_s : float
        How far stamps lie from a line, nine of ten of them; 0 where they are taken as they are.
    stretch : float
        Measured over nominal distance of samples.
    """

    packet_s: float
    scatter_s: float
    stretch: float

    @property
    def lookahead(self) -> int:
        """Packets that are held back."""
        return max(math.ceil(LOOKAHEAD_S / self.packet_s), 4 * self.window)

    @property
    def stride(self) -> int:
        """Packets that are placed at a time."""
        return max(math.ceil(STRIDE_S / self.packet_s), 4 * self.window)

    @property
    def window(self) -> int:
        """Packets that one piece of the line goes through."""
        return max(round(WINDOW_S / self.packet_s), FEWEST_IN_WINDOW)


@dataclass(frozen=True)
class Course:
    """Where the clock stands between two stretches of packets.

    Attributes
    ----------
    clock_s : float
        Its reading at which the next packet is expected; NaN before the first.
    shift_s : float
        Its reading where elapsed time is zero.
    debt_s : float
        What it was set back by and not yet ahead again; 0 or less.
    stretch : float
        Measured over nominal distance of samples.
    serial : int
        Number of the last packet; -1 for none.
    knot : tuple of float
        Last point of the line through scattered stamps: its nominal distance from the next packet
        (0 or less) and its reading; NaN for none.
    """

    clock_s: float = math.nan
    shift_s: float = 0.0
    debt_s: float = 0.0
    stretch: float = 1.0
    serial: int = -1
    knot: tuple[float, float] = (math.nan, math.nan)


@dataclass(frozen=True)
class Break:
    """A place at which the clock left its course for good: where, by how much, and the gap.

    `debt_s` is what it is set back by from then on.
    """

    row: int
    off_s: float
    gap_s: float
    debt_s: float


@dataclass(frozen=True)
class Placed:
    """Packets in time.

    Attributes
    ----------
    start_s, end_s : ndarray of float64, shape (n,)
        Elapsed time of the first sample and of one past the last.
    shift_s : ndarray of float64, shape (n,)
        The clock's reading at elapsed time zero, as it was then.
    dropped : ndarray of bool, shape (n,)
        Packets that no time is left for, since others are there.
    outliers : ndarray of bool, shape (n,)
        Packets whose stamp was out of line.
    off_s : ndarray of float64, shape (n,)
        By how much, and by how much the clock left its course at a break.
    breaks : list of Break
        See there.
    course : Course
        Where to go on.
    """

    start_s: Floats
    end_s: Floats
    shift_s: Floats
    dropped: Flags
    outliers: Flags
    off_s: Floats
    breaks: list[Break] = field(default_factory=list)
    course: Course = Course()


def slack_of(length_s: Floats, step_s: Floats | float, beat: Beat) -> Floats:
    """How far from the end of a packet of this length the next one may start, in seconds."""
    return SLACK_PART * length_s + SLACK_SAMPLES * step_s + SLACK_SCATTER * beat.scatter_s


def measure_beat(clock_s: Floats, length_s: Floats) -> Beat:
    """Tell length, scatter and stretch of packets from the first of them.

    Parameters
    ----------
    clock_s, length_s : ndarray of float64, shape (n,), n > 0
        Stamps (NaN where there is none) and nominal lengths, in the order of the file.
    """
    packet_s = float(np.median(length_s))
    # Short pieces, so that most of them are free of what befell the clock once or twice.
    piece = max(round(SCATTER_WINDOW_S / packet_s), FEWEST_IN_WINDOW)
    half = piece // 2
    sound = np.isfinite(clock_s)
    clock_s, length_s = clock_s[sound], length_s[sound]
    pieces = len(clock_s) // piece
    x, y = np.stack([np.cumsum(length_s) - length_s, clock_s])[:, : pieces * piece].reshape(
        2, pieces, piece
    )
    y.sort(axis=1)  # neighbors may be swapped
    off_s = np.diff(y, axis=1) - np.diff(x, axis=1)
    whole = (np.abs(off_s) < LONGEST_LATENCY_S).all(axis=1)
    if not whole.any():
        return Beat(packet_s, 0.0, 1.0)
    x, y = x[whole], y[whole]
    slope = np.median(y[:, -half:], axis=1) - np.median(y[:, :half], axis=1)
    slope /= np.median(x[:, -half:], axis=1) - np.median(x[:, :half], axis=1)
    rest = y - slope[:, None] * x
    rest = np.sort(np.abs(rest - np.median(rest, axis=1)[:, None]), axis=1)
    # Of two pieces the better one: the other may hold a gap.
    scatter = rest[:, round(0.9 * (piece - 1))]
    scatter_s = float(np.sort(scatter)[(len(scatter) - 1) // 2])
    if len(slope) == 2:
        slope = slope[scatter <= scatter_s]
    stretch = float(np.clip(np.median(slope), *STRETCH))
    return Beat(packet_s, scatter_s if scatter_s > EXACT_S else 0.0, stretch)


# Order -----------------------------------------------------------------------------------------


def in_order(
    clock_s: Floats, length_s: Floats, step_s: Floats, serial: Ints, beat: Beat, counted: bool
) -> bool:
    """Whether packets need no sorting and none can be a repetition of another."""
    if counted:
        return bool((serial[1:] > serial[:-1]).all())
    if not np.isfinite(clock_s).all():
        return False
    ahead_s = np.diff(clock_s)
    if beat.scatter_s:
        return bool((ahead_s > -slack_of(length_s[:-1], step_s[:-1], beat)).all())
    return bool((ahead_s > 0).all())


def order_packets(
    clock_s: Floats,
    length_s: Floats,
    step_s: Floats,
    serial: Ints,
    beat: Beat,
    course: Course,
    counted: bool,
    same: Callable[[Ints, Ints], Flags],
) -> tuple[Ints, Ints, Ints]:
    """Put packets in order, and find those that come again.

    Parameters
    ----------
    clock_s, length_s, step_s : ndarray of float64, shape (n,)
        Stamps (NaN where there is none), nominal lengths, and distances of samples.
    serial : ndarray of int64, shape (n,)
        Numbers of the packets.
    beat, course
        How stamps behave, and where the clock stands before the first of these.
    counted : bool
        Whether the format numbers its packets.
    same : callable
        Tells of two arrays of rows which pairs hold the same samples.

    Returns
    -------
    order, repeated, late : ndarray of int64
        Rows in the order of time, rows that came before, and rows whose number and clock lie
        before all that was placed already.
    """
    rows = np.arange(len(clock_s))
    if counted:
        return _order_by_number(clock_s, serial, course)
    repeated = _find_repeated(clock_s, rows, same)
    kept = np.delete(rows, repeated)
    order = _order_by_clock(clock_s[kept], length_s[kept], step_s[kept], beat, course)
    return kept[order], repeated, np.empty(0, np.int64)


def _find_repeated(clock_s: Floats, rows: Ints, same: Callable[[Ints, Ints], Flags]) -> Ints:
    """Rows that have the time and the samples of an earlier one.

    Those of a limb at rest may be the same by chance where a clock was set back: of rows that
    come again together, nearly all are the same.
    """
    dated = rows[np.isfinite(clock_s)]
    by_time = dated[np.argsort(clock_s[dated], kind="stable")]
    again, repeated = np.zeros((2, len(rows)), np.bool_)
    distance = 1
    while True:
        early, late = by_time[:-distance], by_time[distance:]
        pair = clock_s[early] == clock_s[late]
        if not pair.any():
            break
        again[late[pair]] = True
        repeated[late[pair]] |= same(early[pair], late[pair])
        distance += 1
    first = np.flatnonzero(np.diff(again, prepend=False) & again)
    if len(first):
        last = np.append(np.flatnonzero(np.diff(again) & again[:-1]), len(rows) - 1)[: len(first)]
        total = np.concatenate(([0], np.cumsum(repeated)))
        share = (total[last + 1] - total[first]) / (last + 1 - first)
        for low, high in zip(first[share < SAME_SHARE], last[share < SAME_SHARE], strict=True):
            repeated[low : high + 1] = False
    return np.flatnonzero(repeated)


def _order_by_number(clock_s: Floats, serial: Ints, course: Course) -> tuple[Ints, Ints, Ints]:
    """Sort by number; a number that falls while the clock goes on means a device started anew."""
    start = np.zeros(len(serial), np.int64)
    highest, latest_s, starts = course.serial, course.clock_s, 0
    for row, (number, moment_s) in enumerate(zip(serial.tolist(), clock_s.tolist(), strict=True)):
        if number <= highest and (number == highest == 0 or moment_s > latest_s):
            # A device that does not count numbers all of them 0.
            starts += number < highest or moment_s > latest_s
            highest = number
        highest = max(highest, number)
        if math.isfinite(moment_s) and not moment_s < latest_s:
            latest_s = moment_s
        start[row] = starts
    late = (start == 0) & (serial <= course.serial)
    kept = np.flatnonzero(~late)
    order = kept[np.lexsort((kept, serial[kept], start[kept]))]
    again = np.zeros(len(order), np.bool_)
    again[1:] = (np.diff(serial[order]) == 0) & (np.diff(start[order]) == 0)
    return order[~again], np.sort(order[again]), np.flatnonzero(late)


def _order_by_clock(
    clock_s: Floats, length_s: Floats, step_s: Floats, beat: Beat, course: Course
) -> Ints:
    """Sort stretches of packets that follow each other, unless they lie on top of others."""
    n = len(clock_s)
    if n < 2:
        return np.arange(n)
    filled_s = _filled(clock_s, length_s)
    ahead_s = np.diff(filled_s)
    off_s = ahead_s - length_s[:-1]
    slack_s = slack_of(length_s, step_s, beat)
    if beat.scatter_s:
        apart = np.abs(off_s) > slack_s[:-1]
    else:
        apart = np.abs(off_s) > 0.5 * step_s[:-1] + 0.02 * length_s[:-1]
        apart |= ahead_s <= 0
    first = np.concatenate(([0], np.flatnonzero(apart) + 1))
    last = np.append(first[1:], n) - 1
    start_s, end_s = filled_s[first], filled_s[last] + length_s[last]
    long_s = np.add.reduceat(length_s, first)
    overlap_s = np.minimum(slack_s[last], 0.5 * length_s[last])

    wrong = np.zeros(len(first), np.bool_)
    if math.isfinite(course.clock_s):
        # What would lie before all that was placed already came too late, or is wrongly dated.
        wrong |= start_s < course.clock_s - slack_s[first]
    for _ in range(1000):
        # More than an hour late: the shorter one is at fault.
        good = np.flatnonzero(~wrong)
        front = np.maximum.accumulate(start_s[good])
        late = np.flatnonzero(front - start_s[good] > LOOKAHEAD_S + slack_s[first[good]])
        if not len(late):
            break
        behind = good[late[0]]
        front_one = good[int(np.argmax(start_s[good[: late[0]]]))]
        wrong[front_one if long_s[front_one] < long_s[behind] else behind] = True
    while True:
        good = np.flatnonzero(~wrong)
        order = good[np.argsort(start_s[good], kind="stable")]
        one, other = order[:-1], order[1:]
        on_top = end_s[one] - start_s[other] > overlap_s[one]
        if not on_top.any():
            lonely = _lonely(order, start_s, end_s, 2 * slack_s[last])
            if not lonely.size:
                break
            wrong[lonely] = True
            continue
        one, other = one[on_top], other[on_top]
        other_wrong = (long_s[other] < long_s[one]) | (
            (long_s[other] == long_s[one]) & (other > one)
        )
        wrong[np.where(other_wrong, other, one)] = True
    if wrong.any():
        # What is wrongly dated stays behind what it came after, or before what it came before.
        before = np.maximum.accumulate(np.where(wrong, -1, np.arange(len(first))))
        ahead = before < 0
        place = np.empty(len(first))
        place[order] = np.arange(len(order))
        place[wrong] = np.where(ahead, -1.0, place[np.maximum(before, 0)])[wrong]
        if ahead.any() and len(order):
            following = int(np.argmax(~wrong))
            place[ahead] = place[following] - 0.5
        order = np.lexsort((np.arange(len(first)), wrong & ~ahead, place))
    counts = last - first + 1
    offset = np.cumsum(counts[order]) - counts[order]
    return np.repeat(first[order] - offset, counts[order]) + np.arange(n)


def _lonely(order: Ints, start_s: Floats, end_s: Floats, near_s: Floats) -> Ints:
    """Stretches that sorting moved to where they adjoin none.

    What was late fits in where it is missing. A clock that was set, to where nothing was
    recorded, leaves the stretch alone there.
    """
    apart = np.ones(len(order) + 1, np.bool_)
    apart[1:-1] = start_s[order[1:]] - end_s[order[:-1]] > near_s[order[:-1]]
    moved = np.zeros(len(order), np.bool_)
    moved[1:] = order[1:] < order[:-1]
    moved[:-1] |= moved[1:]
    return order[moved & apart[:-1] & apart[1:]]


def _filled(clock_s: Floats, length_s: Floats) -> Floats:
    """Stamps, where there is none that of the packet before and its length."""
    if np.isfinite(clock_s).all():
        return clock_s
    along_s = np.cumsum(length_s) - length_s
    known = np.isfinite(clock_s)
    if not known.any():
        return along_s
    row = np.maximum.accumulate(np.where(known, np.arange(len(clock_s)), -1))
    row = np.where(row < 0, int(np.argmax(known)), row)
    return clock_s[row] + along_s - along_s[row]


# The clock's course ----------------------------------------------------------------------------


def follow_clock(
    clock_s: Floats,
    length_s: Floats,
    step_s: Floats,
    beat: Beat,
    course: Course,
    stride: int,
    counted: bool,
    ends: bool,
) -> Placed:
    """Give packets in their order a start and an end.

    Parameters
    ----------
    clock_s, length_s, step_s : ndarray of float64, shape (n,)
        Stamps (NaN where there is none), nominal lengths, and distances of samples.
    beat, course
        How stamps behave, and where the clock stands before the first of these.
    stride : int
        How many of them to place, or a few less, where more follow.
    counted : bool
        Whether the format numbers its packets, so that none is a second version of another.
    ends : bool
        Nothing follows: all are placed.

    Returns
    -------
    Placed
        Of the first packets.
    """
    n = len(clock_s)
    reach = n if ends else reach_of(stride, beat)
    filled_s = _filled(clock_s[:reach], length_s[:reach])
    known = np.isfinite(clock_s[:reach])
    dropped = np.zeros(reach, np.bool_)
    off_s = np.zeros(reach)
    breaks: list[Break] = []
    if len(_misfits(filled_s, length_s[:reach], step_s[:reach], beat, course)[0]):
        filled_s = _filled(clock_s, length_s)
        breaks = _judge(
            filled_s, length_s, step_s, beat, course, reach, counted, known, dropped, off_s
        )
    outliers = ~known
    kept = np.flatnonzero(~dropped)
    edges = [0, *(one.row for one in breaks if one.row > 0), reach]
    at_start = bool(breaks) and breaks[0].row == 0
    cut = n if ends else stride
    knot = (math.nan, math.nan)
    lines: list[tuple[Ints, Floats, float]] = []
    left: list[Break | None] = []
    for low, high in pairwise(edges):
        rows = kept[np.searchsorted(kept, low) : np.searchsorted(kept, high)]
        goes_on = low == 0 and not at_start
        before = course if goes_on else Course(stretch=course.stretch)
        over = ends or high < reach
        line = _line(filled_s[rows], length_s[rows], known[rows], beat, before, over)
        lines.append((rows, line.clock_s, line.stretch))
        left.append(next((one for one in breaks if one.row == low), None))
        if not over and len(line.edges) and rows[line.edges[0]] <= stride:
            # The line is cut between two of its pieces.
            last = int(np.searchsorted(rows[line.edges], stride, "right")) - 1
            cut = int(rows[line.edges[last]])
            along_s = float(length_s[rows[: line.edges[last]]].sum())
            knot = (float(line.knot_along_s[last] - along_s), float(line.knot_s[last]))
    return _in_time(lines, left, length_s, course, cut, knot, dropped, outliers, off_s)


def reach_of(stride: int, beat: Beat) -> int:
    """How many packets are looked at to place so many that all follow each other."""
    return stride + 3 * beat.window


def follow_each_other(
    clock_s: Floats, length_s: Floats, step_s: Floats, beat: Beat, course: Course
) -> bool:
    """Whether no stamp is missing or off its course, so that nothing further on matters."""
    return bool(np.isfinite(clock_s).all()) and not len(
        _misfits(clock_s, length_s, step_s, beat, course)[0]
    )


def _misfits(
    clock_s: Floats, length_s: Floats, step_s: Floats, beat: Beat, course: Course
) -> tuple[Ints, Floats]:
    """Rows that do not follow the one before, and by how much all are off."""
    off_s = np.empty(len(clock_s))
    off_s[1:] = np.diff(clock_s) - length_s[:-1] * course.stretch
    off_s[:1] = clock_s[:1] - course.clock_s
    slack_s = slack_of(length_s, step_s, beat)
    slack_s[1:] = slack_s[:-1]
    return np.flatnonzero(np.abs(off_s) > slack_s), off_s


def _judge(
    clock_s: Floats,
    length_s: Floats,
    step_s: Floats,
    beat: Beat,
    course: Course,
    reach: int,
    counted: bool,
    known: Flags,
    dropped: Flags,
    off_s: Floats,
) -> list[Break]:
    """Tell the breaks of a clock from stamps that are out of line, up to row `reach`.

    Stretches of packets that follow each other are judged as a whole: `level_s` is how far the
    clock is ahead of the count of samples in each. `known`, `dropped`, `off_s` are written.
    """
    misfits, misfit_s = _misfits(clock_s, length_s, step_s, beat, course)
    first = np.unique(np.concatenate(([0], misfits)))
    fresh = math.isnan(course.clock_s)
    jump_s = misfit_s[first]
    if beat.scatter_s:
        jump_s = _settled_jumps(clock_s, length_s, beat, course, first)
    if fresh or misfits[0] > 0:
        jump_s[0] = 0.0
    level_s = np.cumsum(jump_s)
    long_s = np.add.reduceat(length_s, first) * course.stretch
    along_s = np.cumsum(long_s) - long_s
    slack_s = slack_of(length_s, step_s, beat)[first]
    edges = np.append(first, len(clock_s))
    now_s, debt_s = 0.0, course.debt_s
    breaks: list[Break] = []

    def settled(low: int) -> int:
        """The stretch that the clock settles to, the first of those that are long."""
        high = int(np.searchsorted(along_s, along_s[low] + LOOKAHEAD_S, "right"))
        return low + int(np.argmax(long_s[low:high] >= 0.5 * long_s[low:high].max()))

    def ignore(low: int, high: int, from_s: float) -> None:
        for one in range(low, high):
            rows = slice(edges[one], min(edges[one + 1], reach))
            known[rows] = False
            off_s[rows] = level_s[one] - from_s

    k = 0
    comes_back = np.abs(level_s[1:]) <= slack_s[1:] + STRETCH_ERROR * along_s[1:]
    if (
        fresh
        and (m := settled(0))
        and not (comes_back & (long_s[1:] >= 0.25 * long_s[0])).any()
        and not 0.0 < level_s[m] <= LONGEST_PAUSE_S
    ):
        # The clock was not set yet.
        ignore(0, m, level_s[m])
        now_s, k = level_s[m], m
    while k < len(first) and first[k] < reach:
        if abs(level_s[k] - now_s) <= slack_s[k]:
            now_s = level_s[k]
            k += 1
            continue
        later = slice(k + 1, int(np.searchsorted(along_s, along_s[k] + LOOKAHEAD_S, "right")))
        ahead_s = along_s[later] - along_s[k]
        close_s = slack_s[later] + STRETCH_ERROR * ahead_s
        longest_s = np.maximum.accumulate(long_s[k : later.stop - 1])
        agrees = np.abs(level_s[later] - now_s) <= close_s
        agrees &= long_s[later] >= 0.25 * longest_s
        if agrees.any():
            j = k + 1 + int(np.argmax(agrees))
            ignore(k, j, now_s)
            now_s, k = level_s[j], j + 1
            continue
        again = (
            not counted
            and k + 1 < later.stop
            and level_s[k] < now_s
            and abs(level_s[k + 1] + long_s[k] - now_s) <= close_s[0]
        )
        if again:
            # Another version of what is there already, and no time is left for it here.
            rows = slice(first[k], min(first[k + 1], reach))
            dropped[rows] = True
            off_s[rows] = level_s[k] - now_s
            now_s = level_s[k + 1]
            k += 2
            continue
        m = settled(k)
        steps_s = np.diff(level_s[k : m + 1], prepend=now_s)
        if ((steps_s > 0.0) & (steps_s <= LONGEST_PAUSE_S)).all():
            # Pauses one after the other.
            m = k
        ignore(k, m, level_s[m])
        by_s = float(level_s[m] - now_s)
        gap_s = 0.0
        if by_s < 0.0 or (by_s > LONGEST_PAUSE_S and debt_s >= 0.0):
            debt_s += by_s
        elif debt_s < 0.0 and by_s >= -debt_s - slack_s[m]:
            gap_s = by_s + debt_s if by_s > slack_s[m] - debt_s else 0.0
            debt_s = 0.0
            if gap_s > LONGEST_PAUSE_S:
                debt_s, gap_s = gap_s, 0.0
        else:
            gap_s = by_s
        breaks.append(Break(int(first[k]), by_s, gap_s, debt_s))
        now_s, k = level_s[m], m + 1
    return breaks


def _settled_jumps(
    clock_s: Floats, length_s: Floats, beat: Beat, course: Course, first: Ints
) -> Floats:
    """From stretch to stretch, by medians on either side, since single stamps scatter."""
    rest_s = clock_s - (np.cumsum(length_s) - length_s) * course.stretch
    edges = [*first.tolist(), len(clock_s)]
    jump_s = np.empty(len(first))
    before_s = course.clock_s
    for number, (low, high) in enumerate(pairwise(edges)):
        jump_s[number] = np.median(rest_s[low : min(low + beat.window, high)]) - before_s
        before_s = np.median(rest_s[max(high - beat.window, low) : high])
    return jump_s


@dataclass(frozen=True)
class _Line:
    """Stamps on their line, the rows at which pieces of it meet, and the points before these."""

    clock_s: Floats
    stretch: float
    edges: Ints
    knot_along_s: Floats
    knot_s: Floats


def _line(
    clock_s: Floats, length_s: Floats, known: Flags, beat: Beat, course: Course, ends: bool
) -> _Line:
    """Lay a line through the stamps of packets that follow each other.

    Stamps that do not scatter are the line. `ends` is whether the packets end here for good.
    """
    along_s = np.cumsum(length_s) - length_s
    none = np.empty(0)
    edges = np.empty(0, np.int64)
    knots_along_s, knots_s = none, none
    if beat.scatter_s and known.any():
        window = beat.window
        pieces = max(round(len(clock_s) / window - 0.5 * (1 - ends)), 1)
        starts = window * np.arange(pieces)
        stops = np.append(starts[1:], len(clock_s))
        level_s = clock_s - along_s * course.stretch
        points = []
        for low, high in zip(starts, stops, strict=True):
            there = low + np.flatnonzero(known[low:high])
            if len(there):
                middle_s = float(along_s[there].mean())
                points.append(
                    (middle_s, float(np.median(level_s[there])) + middle_s * course.stretch)
                )
            else:
                points.append((math.nan, math.nan))
        if pieces == 1 and len(there) >= FEWEST_IN_WINDOW and math.isnan(course.knot[0]):
            half = len(there) // 2
            points = [
                (float(along_s[part].mean()), float(np.median(level_s[part]))
                 + float(along_s[part].mean()) * course.stretch)
                for part in (there[:half], there[-half:])
            ]  # fmt: skip
        else:
            edges = starts[1:]
        table = np.array([course.knot, *points])
        knots_along_s, knots_s = table[1:, 0], table[1:, 1]
        table = table[np.isfinite(table[:, 0])]
    else:
        anchor = (0.0, course.clock_s) if not known[:1].all() else (math.nan, math.nan)
        table = np.column_stack((along_s[known], clock_s[known]))
        if math.isfinite(anchor[1]):
            table = np.concatenate(([anchor], table))
    table = _rising(table)
    stretch = course.stretch
    if len(table) > 1:
        ran_s = table[-1] - table[-2]
        stretch = float(np.clip(ran_s[1] / ran_s[0], *STRETCH))
    if beat.scatter_s or not known.all() or len(table) < len(clock_s):
        clock_s = _through(along_s, table, stretch)
    return _Line(clock_s, stretch, edges, knots_along_s, knots_s)


def _rising(table: Floats) -> Floats:
    """The points of a line without those that would let time stand still."""
    while len(table) > 1:
        along_s, clock_s = np.diff(table, axis=0).T
        still = clock_s < 0.05 * along_s
        if not still.any():
            break
        table = table[np.concatenate(([True], ~still))]
    return table


def _through(along_s: Floats, table: Floats, stretch: float) -> Floats:
    """Readings along a line through points, which goes on beyond its ends."""
    if not len(table):
        return along_s * stretch
    clock_s = np.interp(along_s, table[:, 0], table[:, 1])
    first, last = table[0], table[-1]
    if len(table) > 1:
        ran_s = table[1] - table[0]
        slope = float(np.clip(ran_s[1] / ran_s[0], *STRETCH))
    else:
        slope = stretch
    early, late = along_s < first[0], along_s > last[0]
    clock_s[early] = first[1] + slope * (along_s[early] - first[0])
    clock_s[late] = last[1] + stretch * (along_s[late] - last[0])
    return clock_s


def _keep_apart(
    start_s: Floats, end_s: Floats, length_s: Floats, kept: Ints, course: Course
) -> None:
    """Let no packet start before the end of the one before, whatever their lines say."""
    least_s = LEAST_PART * length_s[kept]
    along_s = np.cumsum(least_s) - least_s
    rest_s = start_s[kept] - along_s
    if len(rest_s) and math.isfinite(course.clock_s):
        rest_s[0] = max(rest_s[0], course.clock_s - course.shift_s)
    start_s[kept] = np.maximum.accumulate(rest_s) + along_s
    end_s[kept] = np.maximum(end_s[kept], start_s[kept] + least_s)
    end_s[kept[:-1]] = np.minimum(end_s[kept[:-1]], start_s[kept[1:]])


def _in_time(
    lines: list[tuple[Ints, Floats, float]],
    breaks: list[Break | None],
    length_s: Floats,
    course: Course,
    cut: int,
    knot: tuple[float, float],
    dropped: Flags,
    outliers: Flags,
    off_s: Floats,
) -> Placed:
    """Turn readings of the clock into elapsed time, up to row `cut`."""
    start_s, end_s, shift_s = np.full((3, cut), np.nan)
    shift = course.shift_s
    stretch = course.stretch
    expected_s = course.clock_s
    done_s = expected_s - shift
    debt_s = course.debt_s
    for one, (rows, clock_s, own_stretch) in zip(breaks, lines, strict=True):
        if not len(rows):
            continue
        if one is not None:
            if rows[0] >= cut:
                break
            shift = float(clock_s[0]) - (done_s + one.gap_s)
            debt_s = one.debt_s
        elif math.isnan(course.clock_s):
            shift = float(clock_s[0])
        upto = int(np.searchsorted(rows, cut))
        now = rows[:upto]
        if upto == 0:
            expected_s = float(clock_s[0])
            break
        stretch = own_stretch
        start_s[now] = clock_s[:upto] - shift
        shift_s[now] = shift
        end_s[now[:-1]] = start_s[now[1:]]
        expected_s = (
            float(clock_s[upto])
            if upto < len(rows)
            else float(clock_s[-1] + length_s[rows[-1]] * stretch)
        )
        done_s = expected_s - shift
        end_s[now[-1]] = done_s
    kept = np.flatnonzero(~dropped[:cut])
    _keep_apart(start_s, end_s, length_s[:cut], kept, course)
    if len(kept):
        shift -= max(float(end_s[kept[-1]]) - done_s, 0.0)
    return Placed(
        start_s,
        end_s,
        shift_s,
        dropped[:cut],
        outliers[:cut],
        off_s[:cut],
        [one for one in breaks if one is not None and one.row < cut],
        Course(expected_s, shift, debt_s, stretch, course.serial, knot),
    )
