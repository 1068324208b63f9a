"""A clock that is not the sleeper's: the cycles of a sleeve or a pad that runs in bed.

A machine keeps time; a sleeper does not, or not so well. Over short runs true series lock to a
clock as well, so the mark is how far many cycles lie from one fixed grid, and, since a very regular
sleeper cannot be excluded, how like each other they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.massage import _kernels
from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.signal.activity import SECOND

#: Periods looked for: leg movements come no faster than every 10 s in a series, sleeves cycle in
#: 20-75 s (judgement, from descriptions of devices).
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 15.0, 80.0


#: Edges closer than this belong to one.
EDGES_APART_S = 1.0

#: How far from its expected time an edge is looked for, as a share of the period, and at least.
REACH, LEAST_REACH_S = 0.04, 0.6

#: Cycles that the grid is fitted to and that a run has at least, and the share that hold an edge.
LEAST_CYCLES = 20
FILLED = 0.85

#: Largest root mean square distance from the grid, as a share of the period, and its floor. None
#: of 106 simulated nights of true series with an interval variation of 5-29 % came below it.
RESIDUAL, LEAST_RESIDUAL_S = 0.01, 0.15

#: Share of a cycle's waveform that the cycles around it explain from which they are alike. It is
#: the turn that tells: bursts of any origin look alike. Cycles on the edge of the residual have to
#: be more alike.
ALIKE = 0.6
VERY_ALIKE = 0.85
RESIDUAL_VERY_ALIKE = 0.0135

#: With fewer cycles than this they have to be very alike.
FEW_CYCLES = 10

#: A turn below this, in g, is none, and the burst stands for the waveform.
LEAST_TURN_G = 0.003

#: A clock that starts anew in each cycle: cycles, and the variation of their intervals.
FREE_CYCLES = 30
FREE_VARIATION = 0.03

#: Cycles without an edge after which a run ends.
LONGEST_PAUSE = 4

#: The waveform of a cycle: this much before its edge and after it.
BEFORE_S, AFTER_S = 2.0, 4.0

#: Largest shift that edges are moved by to match the cycles around them.
SHIFT_S = 1.0

#: How far the edges of a clock stand out, by the median: breaths that just do come at even times as
#: well.
LEAST_STRENGTH = 1.5

#: Several intervals of a sleeper together vary less than each of them, as a share: every third
#: movement of a series at 5 % keeps time to 3 %. Where other edges part this share of the cycles
#: into even beats, each coming within this share of a beat, the residual is held to the beat.
MOST_BEATS = 5
BEATS_FILLED = 0.6
BEAT_REACH = 0.2

#: Bare edges may lie this far from the grid, by the root mean square, before they are moved to
#: where their waveforms match: share of the period, and floor in s.
NEARLY, NEARLY_S = 0.02, 0.35

#: Cycles to either side that a cycle is compared with.
NEIGHBORS = 8


@dataclass(frozen=True)
class Clock:
    """Edges that keep one clock.

    Attributes
    ----------
    time_s : ndarray of float64, shape (k,)
        When they come, in seconds of the signal.
    slot : ndarray of int64, shape (k,)
        Number of the cycle that each falls in, from 0.
    length_s : float
        How long an edge lasts, typically.
    period_s : float
        Time from cycle to cycle.
    residual : float
        Root mean square distance from a grid over 20 cycles, as a share of the period (median over
        such stretches).
    variation : float
        Coefficient of variation of the intervals of neighboring cycles.
    alike : float
        Share of a cycle's waveform that those around it explain, median.
    strength_g : float
        Largest change of the smoothed acceleration in an edge, median, in g.
    fixed : bool
        Whether one grid holds them; otherwise each cycle starts anew after the one before.
    """

    time_s: FloatArray
    slot: IntArray
    length_s: float
    period_s: float
    residual: float
    variation: float
    alike: float
    strength_g: float
    fixed: bool

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def is_machine(self) -> bool:
        """Whether it is sure enough to take its cycles out."""
        return self.fixed and self.alike >= ALIKE

    def cycles_s(self) -> FloatArray:
        """When each cycle came or should have come, shape (last slot + 1,)."""
        return np.interp(np.arange(self.slot[-1] + 1), self.slot, self.time_s)


def edges_of(strength: NDArray[np.float32]) -> NDArray[np.int64]:
    """First and past-the-last point of each stretch that stands out, shape (k, 2)."""
    above = np.flatnonzero(strength > 1.0)
    apart = np.flatnonzero(np.diff(above) > round(EDGES_APART_S * SECOND))
    first = np.concatenate([above[:1], above[apart + 1]])
    last = np.concatenate([above[apart], above[-1:]])
    return np.stack([first, last + 1], axis=1)


def find_clocks(
    acceleration: NDArray[np.float32],
    strength: NDArray[np.float32],
    *,
    least_cycles: int = LEAST_CYCLES,
    shortest_period_s: float = SHORTEST_PERIOD_S,
) -> list[Clock]:
    """Find what keeps a clock in a stretch of signal.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock, without NaN.
    strength : ndarray of float32, shape (n,)
        Of its edges, see `edge_strength`.
    least_cycles : int
        Cycles that a clock has at least. With fewer than `LEAST_CYCLES` it has to be very alike in
        each of them, and may be told from a sleeper only where nobody sleeps.
    shortest_period_s : float
        Shortest time from cycle to cycle.

    Returns
    -------
    list of Clock
        Those on a fixed grid first, the longest first.
    """
    edges = edges_of(strength)
    time_s = edges[:, 0] / SECOND
    peak = np.array([strength[first:last].max() for first, last in edges.tolist()])
    shape = waveforms(acceleration, strength)
    used = np.zeros(len(edges), bool)
    clocks: list[Clock] = []
    few = least_cycles < LEAST_CYCLES
    for fixed in (True,) if few else (True, False):
        tried = used.copy()
        least = FILLED * (least_cycles if fixed else FREE_CYCLES)
        while True:
            rows, slot = _longest_run(time_s, tried, fixed, shortest_period_s)
            if len(rows) < least:
                break
            tried[rows] = True
            # Where a chamber fills and empties at even times, either edge keeps the clock and both
            # together do not.
            for part in (slice(None), slot % 2 == 0, slot % 2 == 1):
                if len(rows[part]) < least:
                    continue
                every = 1 if isinstance(part, slice) else 2
                if every * _period_s(time_s[rows], slot) > LONGEST_PERIOD_S:
                    continue
                chosen = rows[part]
                if np.median(peak[chosen]) < LEAST_STRENGTH or not _may_keep_time(
                    time_s[chosen], slot[part] // every, fixed
                ):
                    continue
                clock = _measured(shape, edges[chosen], slot[part] // every, fixed)
                if _keeps_time(clock, beats_in_cycle(clock, time_s)):
                    clocks.append(clock)
                    used[rows[part]] = True
                    if isinstance(part, slice):
                        break
    return clocks


def _may_keep_time(time_s: FloatArray, slot: IntArray, fixed: bool) -> bool:
    """Whether bare edges, not yet moved to where they match, come near a clock."""
    period_s = _period_s(time_s, slot)
    if fixed:
        return _residual_s(time_s, slot) <= max(NEARLY * period_s, NEARLY_S)
    intervals = np.diff(time_s)[np.diff(slot) == 1]
    return float(np.std(intervals)) <= max(2 * NEARLY * period_s, 2 * NEARLY_S)


def beats_in_cycle(clock: Clock, time_s: FloatArray) -> int:
    """Into how many even beats other edges (n,) part most of a clock's cycles; 1 for none."""
    cycles_s = clock.cycles_s()
    most = 1
    for beats in range(2, MOST_BEATS + 1):
        reach_s = BEAT_REACH * clock.period_s / beats
        expected_s = cycles_s[:-1, None] + clock.period_s * np.arange(1, beats) / beats
        near = np.searchsorted(time_s, expected_s + reach_s) > np.searchsorted(
            time_s, expected_s - reach_s
        )
        if np.mean(near) >= BEATS_FILLED:
            most = beats
    return most


def _keeps_time(clock: Clock, beats: int) -> bool:
    """Whether a run is a clock: on one grid, or free, and its cycles alike."""
    if not clock.fixed:
        return beats == 1 and clock.variation <= FREE_VARIATION and clock.alike >= ALIKE
    residual = RESIDUAL_VERY_ALIKE if clock.alike >= VERY_ALIKE else RESIDUAL
    few = clock.slot[-1] + 1 < FEW_CYCLES
    return clock.residual <= max(residual / beats, LEAST_RESIDUAL_S / clock.period_s) and (
        not few or clock.alike >= VERY_ALIKE
    )


def _longest_run(
    time_s: FloatArray, used: BoolArray, fixed: bool, shortest_period_s: float
) -> tuple[IntArray, IntArray]:
    """Events on one clock and the cycle of each."""
    n = len(time_s)
    rows, slots, best_rows, best_slots = np.empty((4, n), np.int64)
    count = _kernels.longest_run(
        time_s,
        used,
        shortest_period_s,
        LONGEST_PERIOD_S,
        REACH if fixed else 2 * FREE_VARIATION,
        LEAST_REACH_S,
        16 if fixed else 1,
        LONGEST_PAUSE,
        FILLED,
        rows,
        slots,
        best_rows,
        best_slots,
    )
    return best_rows[:count].copy(), best_slots[:count].copy()


def waveforms(
    acceleration: NDArray[np.float32], strength: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What cycles are compared by: the smoothed acceleration and the movement signal, (n, 4)."""
    span = round(0.4 * SECOND)
    taps = np.hanning(span + 2)[1:-1]
    taps /= taps.sum()
    turn = [np.convolve(acceleration[:, axis], taps, "same") for axis in range(3)]
    return np.stack([*turn, np.log1p(strength)], axis=1).astype(np.float32)


def _measured(
    shape: NDArray[np.float32], edges: NDArray[np.int64], slot: IntArray, fixed: bool
) -> Clock:
    """A run of edges (k, 2) as a clock: its edges moved to where they match, and its regularity."""
    room = round(SHIFT_S * SECOND)
    before, after = round(BEFORE_S * SECOND), round(AFTER_S * SECOND)
    inside = (edges[:, 0] > before + room) & (edges[:, 0] < len(shape) - after - room)
    edges, slot = edges[inside], slot[inside] - slot[inside][0]
    wide = shape[edges[:, 0, None] + np.arange(-before - room, after + room)]
    wide[..., :3] -= wide[:, room : room + before // 2, None, :3].mean(axis=1)
    largest = np.abs(wide).max(axis=1)
    cap = 2.0 * np.median(largest, axis=0)
    wide = np.clip(wide, -cap, cap)
    # Turn and burst count alike.
    wide[..., :3] /= np.sqrt(np.mean(np.sum(wide[..., :3] ** 2, axis=2))) + 1e-9
    wide[..., 3:] /= np.sqrt(np.mean(wide[..., 3] ** 2)) + 1e-9
    shift = np.zeros(len(edges), np.int64)
    length = before + after
    # Distance of a cycle from those around it, at each shift: squares less twice the product.
    squares = np.zeros((len(edges), wide.shape[1] + 1))
    np.cumsum(np.sum(wide**2, axis=2), axis=1, out=squares[:, 1:])
    energy = (squares[:, length:] - squares[:, :-length])[:, : 2 * room]
    for _ in range(2):
        own = wide[np.arange(len(edges))[:, None], room + shift[:, None] + np.arange(length)]
        template = _of_neighbors(own)
        match = np.stack(
            [
                np.einsum("klc,klc->k", wide[:, at : at + length], template)
                for at in range(2 * room)
            ],
            axis=1,
        )
        shift = np.argmin(energy - 2 * match, axis=1) - room
    own = wide[np.arange(len(edges))[:, None], room + shift[:, None] + np.arange(length)]
    left = np.einsum("klc,klc->kc", own - template, own - template)
    whole = np.einsum("klc,klc->kc", own, own)
    turn = 1 - left[:, :3].sum(axis=1) / whole[:, :3].sum(axis=1)
    burst = 1 - left[:, 3] / whole[:, 3]
    turn_g = float(np.median(largest[:, :3].max(axis=1)))
    alike = float(np.median(turn if turn_g > LEAST_TURN_G else burst))
    time_s = (edges[:, 0] + shift) / SECOND
    period_s = _period_s(time_s, slot)
    step = np.diff(slot)
    intervals = np.diff(time_s)[step == 1]
    return Clock(
        time_s=time_s,
        slot=slot,
        length_s=float(np.median(edges[:, 1] - edges[:, 0])) / SECOND,
        period_s=period_s,
        residual=_residual_s(time_s, slot) / period_s,
        variation=float(np.std(intervals) / np.mean(intervals)),
        alike=alike,
        strength_g=turn_g,
        fixed=fixed,
    )


def _period_s(time_s: FloatArray, slot: IntArray) -> float:
    return float(np.polyfit(slot, time_s, 1)[0])


def _of_neighbors(own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the cycles (k, l, c) around each, itself left out."""
    k = len(own)
    total = np.concatenate([np.zeros_like(own[:1]), np.cumsum(own, axis=0)])
    low = np.maximum(np.arange(k) - NEIGHBORS, 0)
    high = np.minimum(np.arange(k) + NEIGHBORS + 1, k)
    return (total[high] - total[low] - own) / (high - low - 1)[:, None, None]


def _residual_s(time_s: FloatArray, slot: IntArray) -> float:
    """Root mean square distance from a grid, median over stretches of 20 cycles."""
    starts = slot[slot <= max(slot[-1] - LEAST_CYCLES + 1, 0)]
    first = np.searchsorted(slot, starts)
    last = np.searchsorted(slot, starts + LEAST_CYCLES)
    # About one line for all, so that the sums keep their digits.
    x = slot - slot.mean()
    y = time_s - np.polyval(np.polyfit(x, time_s, 1), x)
    sums = np.cumsum(np.stack([np.ones(len(x)), x, y, x * x, x * y, y * y]), axis=1)
    sums = np.concatenate([np.zeros((6, 1)), sums], axis=1)
    n, sx, sy, sxx, sxy, syy = sums[:, last] - sums[:, first]
    across = np.maximum(sxx - sx * sx / n, 1e-12)
    left = syy - sy * sy / n - (sxy - sx * sy / n) ** 2 / across
    return float(np.median(np.sqrt(np.maximum(left, 0.0) / n)))
