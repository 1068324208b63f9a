"""Traces: from when to when the limb was away from rest, and how far, in one stretch of signal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.movements import _kernels
from rlsmove.records import FloatArray
from rlsmove.signal.activity import AWAY_OVER_NOISE, MOMENT_S, REST_S, SECOND, Activity

#: Rest of at least this much parts two movements (WASM 2016, offset: 0.5 s at rest).
REST_BETWEEN_S = 0.5

#: A limb may lie at rest a little away from where it lay before and from where it lies later. Such
#: a rest is told from a pause in a movement by its length: stretches of 0.5 s in which the limb
#: is still lie mostly inside held and gross movements in simulated nights for training, those of
#: 1 s seldom.
REST_ELSEWHERE_S = 1.0

#: Longest way out and back that is looked for: a candidate lasts 10 s (WASM 2016), bursts reach
#: beyond the movement by up to 1.8 s, and a limb that stays away longer has changed its posture.
LONGEST_HOLD_S = 13.5

#: A burst after which the limb lies elsewhere, by a fifth of the largest turn, may begin a held
#: movement; it ends with the burst after which no more than half of that is left.
HELD_SHARE = 0.2
BACK_SHARE = 0.5

#: Two bursts that do nothing but turn the limb one way, this close together, are one held movement
#: wherever it ends.
RAMP_SHARE = 0.6
SHORT_HOLD_S = 1.8

#: A slow movement has left rest up to this long before it can be told from noise.
LONGEST_LEAD_S = 0.4

#: Turns are told from shakes and from the acceleration of the limb itself after smoothing with a
#: Hann window of this span: it passes a turn of a second and takes out what swings at 2.5 Hz or
#: faster.
TURN_SPAN_S = 0.8

#: The filter of the common clock and the mean of a moment spread what is sudden by about this much
#: to both sides, in points.
SPREAD_POINTS = 1.4

_JOIN = round(REST_BETWEEN_S * SECOND)
_REST = round(REST_ELSEWHERE_S * SECOND)
_HALF = round(MOMENT_S * SECOND) // 2


@dataclass(frozen=True)
class Traces:
    """Runs of a signal in which the limb was away from rest. Shape of each: (k,).

    Attributes
    ----------
    start, end : ndarray of float64
        When the limb left rest and when it lay still again, in points of the signal and parts of
        them.
    strength : ndarray of float64
        Largest movement signal (see `signal.activity.Activity`).
    peak_g : ndarray of float64
        Largest distance of the acceleration from the rest before it.
    rms_g : ndarray of float64
        Root mean square of its distance from the nearer rest, before or after.
    shake_g : ndarray of float64
        Root mean square of the change between the means of two points before and after.
    turn_g, across_g : ndarray of float64
        Largest distance after smoothing, and its part across gravity.
    net_g : ndarray of float64
        Distance of its mean from half way between both rests, across gravity. A shake leaves
        nothing of itself there, a turn that is held does.
    residual_g : ndarray of float64
        Distance of the rest after it from the rest before it.
    rest_g : ndarray of float64
        Usual distance of a moment from the rest before it, at that time of the night.
    moving : ndarray of float64
        Share of its points at which the limb is on the move.
    center : ndarray of float64
        Where in it its energy lies: 0 at its start, 1 at its end.
    straight, along : ndarray of float64
        Share of its energy in one direction, and along gravity.
    """

    start: FloatArray
    end: FloatArray
    strength: FloatArray
    peak_g: FloatArray
    rms_g: FloatArray
    shake_g: FloatArray
    turn_g: FloatArray
    across_g: FloatArray
    net_g: FloatArray
    residual_g: FloatArray
    rest_g: FloatArray
    moving: FloatArray
    center: FloatArray
    straight: FloatArray
    along: FloatArray

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: Any) -> Traces:
        """The traces chosen by a mask or their numbers."""
        return Traces(*(getattr(self, field.name)[rows] for field in fields(self)))


def trace_movements(
    acceleration: NDArray[np.float32], activity: Activity, threshold: float
) -> Traces:
    """Trace every movement in a stretch without gaps.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock, without NaN.
    activity : Activity
        Its movement signal and noise.
    threshold : float
        What the movement signal has to pass.

    Returns
    -------
    Traces
        By group of bursts.
    """
    n = len(acceleration)
    bursts = find_bursts(activity.strength, threshold)
    before, after = rest_levels(acceleration, bursts)
    group = group_bursts(acceleration, activity.away_g, bursts, before, after)
    spans = np.stack([bursts[group[:, 0], 0], bursts[group[:, 1] - 1, 1]], axis=1)
    before, after = before[group[:, 0]], after[group[:, 1] - 1]

    runs, level = _runs_away(acceleration, activity, spans, before, after)
    rests = _rests_between(acceleration, activity, runs, before, after)
    if len(rests) > 0:
        spans, before, after = _parted(acceleration, spans, before, after, rests)
        runs, level = _runs_away(acceleration, activity, spans, before, after)
    count = len(runs)
    number, low, high = runs.T
    before, after = before[number], after[number]
    same = number[1:] == number[:-1]
    floor = np.concatenate([[0], np.where(same, high[:-1], 0)])[:count]
    ceiling = np.concatenate([np.where(same, low[1:], n), [n]])[:count]

    away_g = activity.away_g.astype(np.float64)
    longest = LONGEST_LEAD_S * SECOND
    last = high - 1
    early = _leads(acceleration, low, last, 1, before, level * away_g[low // SECOND])
    late = _leads(acceleration, last, low, -1, after, level * away_g[last // SECOND])
    start = np.maximum(low - np.minimum(early, longest) + SPREAD_POINTS, floor)
    end = np.minimum(last + np.minimum(late, longest) - SPREAD_POINTS, ceiling - 1.0)
    nothing = end <= start
    start, end = np.where(nothing, low, start), np.where(nothing, high, end)

    points = np.stack([np.floor(start), np.floor(end) + 1.0], axis=1).astype(np.int64)
    turn_g, away = largest_turns(acceleration, points, before)
    net, scatter, measured = np.zeros((count, 3)), np.zeros((count, 3, 3)), np.empty((6, count))
    _kernels.measure_runs(
        acceleration,
        activity.strength,
        points,
        before,
        after,
        turn_g,
        _HALF,
        net,
        scatter,
        measured,
    )
    strength, peak_g, rms_g, shake_g, moving, center = measured
    return Traces(
        start=start,
        end=end,
        strength=strength,
        peak_g=peak_g,
        rms_g=rms_g,
        shake_g=shake_g,
        turn_g=turn_g,
        across_g=_across(away, before),
        net_g=_across(net, before),
        residual_g=_lengths(after - before),
        rest_g=away_g[points[:, 0] // SECOND] / AWAY_OVER_NOISE,
        moving=moving,
        center=center,
        straight=np.linalg.eigvalsh(scatter)[:, 2] / _energy(scatter),
        along=_along(scatter, before),
    )


def _runs_away(
    acceleration: NDArray[np.float32],
    activity: Activity,
    spans: NDArray[np.int64],
    before: FloatArray,
    after: FloatArray,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Runs (r, 3) in spans (k, 2), and how far away each begins (see `_kernels.trace_away`)."""
    # Runs within a span are parted by rest, so there cannot be more of them than this.
    runs = np.empty((len(acceleration) // _JOIN + 2 * len(spans), 3), np.int64)
    level = np.empty(len(runs))
    count = _kernels.trace_away(
        acceleration,
        activity.shaking,
        activity.away_g,
        spans,
        before,
        after,
        _HALF,
        _JOIN,
        np.empty((2, np.max(spans[:, 1] - spans[:, 0], initial=0))),
        runs,
        level,
    )
    return runs[:count], level[:count]


def _rests_between(
    acceleration: NDArray[np.float32],
    activity: Activity,
    runs: NDArray[np.int64],
    before: FloatArray,
    after: FloatArray,
) -> NDArray[np.int64]:
    """Rests (m, 3) of 1 s or more inside runs: number of the span, first point, one past the last.

    A limb that settles after a change of posture, or comes back not quite, lies a little away from
    the rest before it and from the rest after the next movement. It lies at rest all the same, and
    is not held, where it lies still and either is nearer than `HELD_SHARE` of the largest turn
    of what comes before it in the run, and of what comes after.
    """
    number, low, high = runs.T
    still = np.empty((np.sum((high - low) // _REST, initial=0), 3), np.int64)
    inside = np.ascontiguousarray(runs[:, 1:])
    count = _kernels.find_rests(
        acceleration, activity.away_g, inside, _HALF, _REST, np.empty((1, 3)), still
    )
    run, start, end = still[:count].T
    before, after = before[number[run]], after[number[run]]
    first_g, _ = largest_turns(acceleration, np.stack([low[run], start], axis=1), before)
    second_g, _ = largest_turns(acceleration, np.stack([end, high[run]], axis=1), after)
    lying = np.empty((count, 3))
    _kernels.span_means(acceleration, start.copy(), end.copy(), lying)
    gap_g = np.minimum(_lengths(lying - before), _lengths(lying - after))
    rest = gap_g <= HELD_SHARE * np.minimum(first_g, second_g)
    return np.stack([number[run], start, end], axis=1)[rest]


def _parted(
    acceleration: NDArray[np.float32],
    spans: NDArray[np.int64],
    before: FloatArray,
    after: FloatArray,
    rests: NDArray[np.int64],
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Spans (k, 2), and the rest before and after each (k, 3), parted at rests (m, 3) in them."""
    number, start, end = rests.T
    longest = round(REST_S * SECOND)
    settled, leaving = np.empty((2, len(rests), 3))
    _kernels.span_means(acceleration, start.copy(), np.minimum(end, start + longest), settled)
    _kernels.span_means(acceleration, np.maximum(start, end - longest), end.copy(), leaving)
    middle = (start + end) // 2
    return (
        np.stack(
            [np.insert(spans[:, 0], number + 1, middle), np.insert(spans[:, 1], number, middle)],
            axis=1,
        ),
        np.insert(before, number + 1, leaving, axis=0),
        np.insert(after, number, settled, axis=0),
    )


def _across(vectors: FloatArray, gravity: FloatArray) -> FloatArray:
    """Length of the part of each vector (k, 3) across gravity (k, 3), shape (k,)."""
    # Rest of exactly 0 g, as where a device wrote zeros, has no direction of gravity: NaN.
    with np.errstate(invalid="ignore"):
        along = np.sum(vectors * gravity, axis=1) ** 2 / np.sum(gravity**2, axis=1)
    across: FloatArray = np.sqrt(np.maximum(np.sum(vectors**2, axis=1) - along, 0.0))
    return across


def _along(scatter: FloatArray, gravity: FloatArray) -> FloatArray:
    """Share of the scatter (k, 3, 3) along gravity (k, 3), shape (k,)."""
    with np.errstate(invalid="ignore"):
        along: FloatArray = np.einsum("ki,kij,kj->k", gravity, scatter, gravity)
        return along / (_energy(scatter) * np.sum(gravity**2, axis=1))


def _energy(scatter: FloatArray) -> FloatArray:
    """Trace of each (k, 3, 3), shape (k,); a little where there is none."""
    return np.maximum(np.trace(scatter, axis1=1, axis2=2), 1e-12)


def find_bursts(strength: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Runs in which the movement signal (n,) is significant, joined across less than 0.5 s.

    Returns
    -------
    ndarray of int64, shape (b, 2)
        First point and the one after the last.
    """
    above = np.flatnonzero(strength > threshold)
    apart = np.flatnonzero(np.diff(above) >= _JOIN)
    first = np.concatenate([above[:1], above[apart + 1]])
    last = np.concatenate([above[apart], above[-1:]])
    return np.stack([first, last + 1], axis=1)


def rest_levels(
    acceleration: NDArray[np.float32], bursts: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Where the limb lay before and after each burst (b, 2), in g.

    Returns
    -------
    before, after : ndarray of float64, shape (b, 3)
        Mean of up to 2 s next to the burst, not beyond the neighboring bursts; the burst's own end
        where there is no room.
    """
    n = len(acceleration)
    rest = round(REST_S * SECOND)
    start, end = bursts.T
    floor = np.concatenate([[0], end])[: len(start)]
    ceiling = np.concatenate([start[1:], [n]])[: len(start)]
    before, after = np.empty((2, len(bursts), 3))
    low = np.maximum(np.minimum(np.maximum(start - rest, floor), start - 1), 0)
    _kernels.span_means(acceleration, low, np.maximum(start, 1), before)
    low = np.minimum(end, n - 1)
    high = np.maximum(np.minimum(end + rest, ceiling), low + 1)
    _kernels.span_means(acceleration, low, high, after)
    return before, after


def group_bursts(
    acceleration: NDArray[np.float32],
    away_g: NDArray[np.float32],
    bursts: NDArray[np.int64],
    before: FloatArray,
    after: FloatArray,
) -> NDArray[np.int64]:
    """Put bursts together that lead away from rest and back to it.

    A burst holds the limb where the rest after it differs from the rest before it by more than the
    threshold and by `HELD_SHARE` of its largest turn. The first later burst that takes the limb
    from there back to within `BACK_SHARE` of that difference closes the group, if all of it takes
    at most `LONGEST_HOLD_S`.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock.
    away_g : ndarray of float32, shape (ceil(n / 25),)
        Threshold of each second.
    bursts, before, after : shape (b, 2), (b, 3), (b, 3)
        Bursts and the rest around each.

    Returns
    -------
    ndarray of int64, shape (g, 2)
        First burst of each group and the one after its last.
    """
    held_g = _lengths(after - before)
    holds = held_g > away_g[bursts[:, 0] // SECOND]
    rows = np.flatnonzero(holds)
    turn_g, _ = largest_turns(acceleration, bursts[rows], before[rows])
    ramp = np.zeros(len(bursts), np.bool_)
    ramp[rows] = held_g[rows] > RAMP_SHARE * turn_g
    holds[rows] = held_g[rows] > HELD_SHARE * turn_g
    group = np.empty((len(bursts), 2), np.int64)
    longest, pause = round(LONGEST_HOLD_S * SECOND), round(SHORT_HOLD_S * SECOND)
    back_g = np.where(holds, BACK_SHARE * held_g, -1.0)
    count = _kernels.group_bursts(bursts, before, after, back_g, ramp, pause, longest, group)
    return group[:count]


def largest_turns(
    acceleration: NDArray[np.float32], spans: NDArray[np.int64], rest: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Largest distance of the smoothed acceleration (n, 3) from rest (k, 3) within spans (k, 2).

    Returns
    -------
    turn_g : ndarray of float64, shape (k,)
        The distance, in g; 0 for an empty span.
    away : ndarray of float64, shape (k, 3)
        The way from rest to there.
    """
    window = np.hanning(round(TURN_SPAN_S * SECOND) + 3)[1:-1]
    away = np.zeros((len(spans), 3))
    _kernels.largest_turns(acceleration, spans, rest, window / np.sum(window), away)
    return _lengths(away), away


def _leads(
    acceleration: NDArray[np.float32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    step: int,
    rest: FloatArray,
    away_g: FloatArray,
) -> FloatArray:
    """When the limb left rest (k, 3), in points before ``first`` (see `_kernels.find_leads`)."""
    lead = np.empty(len(first))
    longest = np.max(np.abs(last - first), initial=0)
    distance = np.empty(longest + _kernels.LEAD_FARTHEST_POINTS + 2)
    first, last = np.ascontiguousarray(first), np.ascontiguousarray(last)
    _kernels.find_leads(acceleration, first, last, step, rest, away_g, _HALF, distance, lead)
    return lead


def _lengths(vectors: FloatArray) -> FloatArray:
    """Length of each vector (k, 3), shape (k,)."""
    lengths: FloatArray = np.sqrt(np.sum(vectors * vectors, axis=1))
    return lengths
