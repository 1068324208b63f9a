"""Compiled loops of the tracer. n is the number of points of the common clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import inner_kernel, kernel
from rlsmove.signal.activity import SECOND

#: The way out is followed up to the first multiple of the threshold; what it tells of a slow start
#: is trusted in full there, and not at all at the second.
LEAD_MULTIPLE = 3.0
LEAD_LEAST_MULTIPLE = 1.25
LEAD_SHARE = 0.8
LEAD_FARTHEST_POINTS = 12

#: A moment or two away from rest is noise unless it goes beyond this many times the threshold.
NOISE_MULTIPLE = 2.0

#: A limb is on the move where it covers this share of its largest turn within 0.2 s or so.
MOVING_SHARE = 0.15


@kernel("void(float32[:,::1], int64[::1], int64[::1], float64[:,::1])")
def span_means(
    acceleration: NDArray[np.float32],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    means: NDArray[np.float64],
) -> None:
    """Mean of acceleration[start:end] (n, 3) of each span, into means (k, 3)."""
    for k in range(len(start)):
        for axis in range(3):
            total = 0.0
            for i in range(start[k], end[k]):
                total += acceleration[i, axis]
            means[k, axis] = total / (end[k] - start[k])


@kernel("void(float32[:,::1], int64[:,::1], float64[:,::1], float64[::1], float64[:,::1])")
def largest_turns(
    acceleration: NDArray[np.float32],
    spans: NDArray[np.int64],
    rest: NDArray[np.float64],
    window: NDArray[np.float64],
    away: NDArray[np.float64],
) -> None:
    """Farthest vector from rest of the smoothed acceleration (n, 3) within each span.

    spans (k, 2); rest (k, 3); window (2 h + 1,), weights that add up to 1; away (k, 3), zeros at
    the start. At the ends of the recording its last value goes on.
    """
    n = len(acceleration)
    half = len(window) // 2
    for k in range(len(spans)):
        largest = 0.0
        for i in range(spans[k, 0], spans[k, 1]):
            x, y, z = -rest[k, 0], -rest[k, 1], -rest[k, 2]
            for j in range(len(window)):
                at = min(max(i + j - half, 0), n - 1)
                x += window[j] * acceleration[at, 0]
                y += window[j] * acceleration[at, 1]
                z += window[j] * acceleration[at, 2]
            squared = x * x + y * y + z * z
            if squared > largest:
                largest = squared
                away[k, 0], away[k, 1], away[k, 2] = x, y, z


@kernel("int64(int64[:,::1], float64[:,::1], float64[:,::1], float64[::1], int64, int64[:,::1])")
def group_bursts(
    bursts: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    back_g: NDArray[np.float64],
    longest: int,
    groups: NDArray[np.int64],
) -> int:
    """Put bursts together that lead away from rest and back to it.

    bursts (b, 2); before, after (b, 3): rest around each; back_g (b,): how close the limb comes
    again to the rest before a burst that holds it elsewhere, negative for any other. All of a group
    takes at most ``longest`` points. groups (b, 2): first burst and the one after the last. Returns
    the number of groups.
    """
    count = 0
    first = 0
    while first < len(bursts):
        closed = first
        back = back_g[first] * back_g[first]
        last = first + 1
        while back_g[first] > 0.0 and last < len(bursts):
            if bursts[last, 1] - bursts[first, 0] > longest:
                break
            there = 0.0
            left = 0.0
            for axis in range(3):
                rest = before[first, axis]
                there += (before[last, axis] - rest) * (before[last, axis] - rest)
                left += (after[last, axis] - rest) * (after[last, axis] - rest)
            if there <= back:
                break
            if left <= back:
                closed = last
                break
            last += 1
        groups[count, 0] = first
        groups[count, 1] = closed + 1
        count += 1
        first = closed + 1
    return count


@inner_kernel
def distance_at(
    acceleration: NDArray[np.float32], i: int, half: int, rest: NDArray[np.float64], k: int
) -> float:
    """Distance of the moment i, the mean of the points within ``half`` of it, from rest[k]."""
    low, high = max(i - half, 0), min(i + half + 1, len(acceleration))
    squared = 0.0
    for axis in range(3):
        moment = 0.0
        for j in range(low, high):
            moment += acceleration[j, axis]
        step = moment / (high - low) - rest[k, axis]
        squared += step * step
    return np.sqrt(squared)


@kernel(
    "int64(float32[:,::1], float32[::1], int64[:,::1], float64[:,::1], float64[:,::1],"
    " int64, int64, int64[:,::1])"
)
def trace_away(
    acceleration: NDArray[np.float32],
    away_g: NDArray[np.float32],
    spans: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    half: int,
    join: int,
    runs: NDArray[np.int64],
) -> int:
    """Runs within each span in which the limb is away from the rest before and after it.

    acceleration (n, 3); away_g, a value a second; spans (k, 2); before, after (k, 3); runs (m, 3):
    number of the span, first point and the one after the last. A moment is the mean of the points
    within ``half`` of it. A run that is short and barely away is noise; the others are one where
    less than ``join`` points lie between them. Returns the number found, at most m.
    """
    found = 0
    for k in range(len(spans)):
        start, end = spans[k, 0], spans[k, 1]
        own = found
        since = -1
        farthest = 0.0
        for i in range(start, end + 1):
            beyond = 0.0
            if i < end:
                beyond = distance_at(acceleration, i, half, before, k)
                beyond = min(beyond, distance_at(acceleration, i, half, after, k))
                beyond /= away_g[i // SECOND]
            if beyond > 1.0:
                if since < 0:
                    since = i
                    farthest = 0.0
                farthest = max(farthest, beyond)
                continue
            if since >= 0 and (i - since > 2 * half or farthest > NOISE_MULTIPLE):
                if found > own and since - runs[found - 1, 2] < join:
                    runs[found - 1, 2] = i
                elif found < len(runs):
                    runs[found, 0] = k
                    runs[found, 1] = since
                    runs[found, 2] = i
                    found += 1
            since = -1
    return found


@kernel(
    "void(float32[:,::1], int64[::1], int64[::1], int64, float64[:,::1], float64[::1], int64,"
    " float64[::1], float64[::1])"
)
def find_leads(
    acceleration: NDArray[np.float32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    step: int,
    rest: NDArray[np.float64],
    away_g: NDArray[np.float64],
    half: int,
    distance: NDArray[np.float64],
    lead: NDArray[np.float64],
) -> None:
    """When the limb left rest, in points before ``first``, at which it is clearly away from it.

    acceleration (n, 3); the runs from ``first`` to ``last`` (k,), gone through backwards in time
    where ``step`` is -1; rest (k, 3); away_g (k,); distance, scratch, as long as the longest run
    and 14 more; lead (k,), the result. The way between two points is taken as straight, so the
    result does not hang on where the points fall. The limb is taken to leave at an even speed: the
    time from the threshold to a multiple of it tells how long it took from rest to the threshold.
    """
    n = len(acceleration)
    for k in range(len(first)):
        # The run was traced by the nearer of two rests; by the one it leaves it may begin earlier.
        begin = first[k]
        for back in range(LEAD_FARTHEST_POINTS):
            i = first[k] - step * (back + 1)
            if i < 0 or i >= n:
                break
            if distance_at(acceleration, i, half, rest, k) < away_g[k]:
                begin = i + step
                break
        # The distances from the point before ``begin`` on.
        length = (last[k] - begin) * step + 1
        farthest = 0.0
        for j in range(length + 1):
            i = min(max(begin + step * (j - 1), 0), n - 1)
            distance[j] = distance_at(acceleration, i, half, rest, k)
            if j > 0:
                farthest = max(farthest, distance[j])
            if farthest >= LEAD_MULTIPLE * away_g[k] / LEAD_SHARE:
                break
        crossing = 0.0
        if distance[0] < away_g[k] < distance[1]:
            crossing = (distance[1] - away_g[k]) / (distance[1] - distance[0])
        lead[k] = (first[k] - begin) * step + crossing
        # Noise on top of a plateau makes its highest point come late; most of the way up does not.
        multiple = min(LEAD_SHARE * farthest / away_g[k], LEAD_MULTIPLE)
        if multiple <= LEAD_LEAST_MULTIPLE:
            continue
        level = multiple * away_g[k]
        j = 1
        while distance[j] < level:
            j += 1
        reached = j - 1.0
        if distance[j - 1] < level:
            reached -= (distance[j] - level) / (distance[j] - distance[j - 1])
        trust = min((multiple - LEAD_LEAST_MULTIPLE) / LEAD_LEAST_MULTIPLE, 1.0)
        lead[k] += trust * (reached + crossing) / (multiple - 1.0)


@kernel(
    "void(float32[:,::1], float32[::1], int64[:,::1], float64[:,::1], float64[::1], int64,"
    " float64[:,::1])"
)
def measure_runs(
    acceleration: NDArray[np.float32],
    strength: NDArray[np.float32],
    spans: NDArray[np.int64],
    rest: NDArray[np.float64],
    turn_g: NDArray[np.float64],
    half: int,
    measured: NDArray[np.float64],
) -> None:
    """Largest movement signal, peak, root mean square and share on the move of each span.

    acceleration (n, 3); strength (n,); spans (k, 2); rest (k, 3) and turn_g (k,) of each;
    measured (4, k), the result; of an empty span the latter two are NaN.
    """
    n = len(acceleration)
    for k in range(len(spans)):
        start, end = spans[k, 0], spans[k, 1]
        strongest = 0.0
        peak = 0.0
        total = 0.0
        moving = 0
        least = MOVING_SHARE * turn_g[k]
        for i in range(start, end):
            strongest = max(strongest, np.float64(strength[i]))
            one, other = min(i + half + 1, n - 1), max(i - half - 1, 0)
            squared = 0.0
            covered = 0.0
            for axis in range(3):
                away = acceleration[i, axis] - rest[k, axis]
                squared += away * away
                step = acceleration[one, axis] - acceleration[other, axis]
                covered += step * step
            peak = max(peak, squared)
            total += squared
            if covered > least * least:
                moving += 1
        measured[0, k] = strongest
        measured[1, k] = np.sqrt(peak)
        measured[2, k] = np.sqrt(total / (end - start))
        measured[3, k] = moving / (end - start)
