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

#: Shaking begins a run by so many points early at most, as its spans reach to both sides; the limb
#: is looked for away from rest so many points later.
SHAKING_SPREAD_POINTS = 1.0
LEAD_LATEST_POINTS = 8

#: A run in which the limb is away gains from each point at most this much, so that a knock counts
#: no more than what lasts, and is noise where its gains and losses do not add up to as much.
LARGEST_GAIN = 4.0
LEAST_TOTAL = 4.0

#: Shaking is taken over this many points to both sides.
SHAKING_HALF = 2

#: What is slight beside a run is less than this share of its root mean square; of a weak one, which
#: a breath may lead up to, half of it, up to this many times the threshold.
SLIGHT = 0.1
HALF_AS_MUCH = 0.5
SLIGHT_MOST = 1.5

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


@kernel(
    "int64(int64[:,::1], float64[:,::1], float64[:,::1], float64[::1], boolean[::1], int64, int64,"
    " int64[:,::1])"
)
def group_bursts(
    bursts: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    back_g: NDArray[np.float64],
    ramp: NDArray[np.bool_],
    pause: int,
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
            short = bursts[last, 0] - bursts[last - 1, 1] <= pause
            if left <= back or (short and ramp[first] and ramp[last]):
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
    "int64(float32[:,::1], float32[::1], float32[::1], int64[:,::1], float64[:,::1],"
    " float64[:,::1], int64, int64, float64[:,::1], int64[:,::1], float64[::1])"
)
def trace_away(
    acceleration: NDArray[np.float32],
    shaking: NDArray[np.float32],
    away_g: NDArray[np.float32],
    spans: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    half: int,
    join: int,
    scratch: NDArray[np.float64],
    runs: NDArray[np.int64],
    level: NDArray[np.float64],
) -> int:
    """Runs within each span in which the limb is away from the rests around it, or shakes.

    acceleration (n, 3); shaking (n,); away_g, a value a second; spans (k, 2); before, after (k, 3);
    scratch (2, longest span); runs (m, 3): number of the span, first point and the one after the
    last; level (m,). The excess of a point is the distance of the moment around it, the mean of
    the points within ``half``, from the nearer rest over its threshold, or its shaking where that
    is more. It gains the square of that less one, the shaking taken over its neighbors, and at
    most `LARGEST_GAIN`. A run goes from its first gain to where its sum is largest, and is over
    when that has not risen for ``join`` points: a limb barely away for long counts as one far away
    for a moment. Of its ends what is slight beside the rest of it is taken off: below the excess
    that `level` takes. Returns the number found, at most m.
    """
    found = 0
    for k in range(len(spans)):
        start, length = spans[k, 0], spans[k, 1] - spans[k, 0]
        excess, gain = scratch[0], scratch[1]
        for j in range(length):
            i = start + j
            beyond = distance_at(acceleration, i, half, before, k)
            beyond = min(beyond, distance_at(acceleration, i, half, after, k))
            beyond /= away_g[i // SECOND]
            excess[j] = max(beyond, np.float64(shaking[i]))
            low, high = max(i - SHAKING_HALF, 0), min(i + SHAKING_HALF + 1, len(shaking))
            shaken = 0.0
            for near in range(low, high):
                shaken += np.float64(shaking[near]) ** 2
            gain[j] = min(max(beyond * beyond, shaken / (high - low)), LARGEST_GAIN) - 1.0
        j = 0
        since = last = -1
        total = largest = 0.0
        while j <= length:
            if since < 0:
                if j < length and gain[j] > 0.0 and excess[j] > 1.0:
                    since = last = j
                    total = largest = gain[j]
                j += 1
                continue
            total += gain[j] if j < length else -1.0
            if total > largest:
                largest, last = total, j
            elif total <= 0.0 or j - last >= join or j == length:
                if largest >= LEAST_TOTAL and found < len(runs):
                    squared = 0.0
                    for near in range(since, last + 1):
                        squared += excess[near] ** 2
                    rms = np.sqrt(squared / (last + 1 - since))
                    slight = max(SLIGHT * rms, min(HALF_AS_MUCH * rms, SLIGHT_MOST), 1.0)
                    first, end = since, last
                    while excess[first] < slight:
                        first += 1
                    while excess[end] < slight:
                        end -= 1
                    runs[found, 0], runs[found, 1], runs[found, 2] = (
                        k,
                        start + first,
                        start + end + 1,
                    )
                    level[found] = slight
                    found += 1
                    j = last
                since = -1
            j += 1
    return found


@kernel(
    "int64(float32[:,::1], float32[::1], int64[:,::1], int64, int64, float64[:,::1], int64[:,::1])"
)
def find_rests(
    acceleration: NDArray[np.float32],
    away_g: NDArray[np.float32],
    runs: NDArray[np.int64],
    half: int,
    shortest: int,
    level: NDArray[np.float64],
    rests: NDArray[np.int64],
) -> int:
    """Stretches within each run in which the limb lies still, wherever that is.

    acceleration (n, 3); away_g, a value a second; runs (k, 2). A stretch is still where every
    moment of it, the mean of the points within ``half``, lies within the threshold of the mean of
    its first ``shortest`` points. level (1, 3), scratch; rests (m, 3): number of the run, first
    point and the one after the last. Returns the number found, at most m.
    """
    found = 0
    for k in range(len(runs)):
        i = runs[k, 0]
        while i + shortest <= runs[k, 1] and found < len(rests):
            for axis in range(3):
                total = 0.0
                for near in range(i, i + shortest):
                    total += acceleration[near, axis]
                level[0, axis] = total / shortest
            end = i
            while end < runs[k, 1]:
                if distance_at(acceleration, end, half, level, 0) > away_g[end // SECOND]:
                    break
                end += 1
            if end - i >= shortest:
                rests[found, 0], rests[found, 1], rests[found, 2] = k, i, end
                found += 1
                i = end
            else:
                i += 1
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
        # Where shaking alone began the run, the limb may leave rest a little later.
        later = 0
        while later < LEAD_LATEST_POINTS and (last[k] - begin) * step > later:
            if distance_at(acceleration, begin + step * later, half, rest, k) >= away_g[k]:
                break
            later += 1
        begin += step * later
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
        if distance[1] < away_g[k]:
            lead[k] = -SHAKING_SPREAD_POINTS
            continue
        if multiple <= LEAD_LEAST_MULTIPLE:
            lead[k] = max(lead[k], -SHAKING_SPREAD_POINTS)
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
        if later > 0:
            lead[k] = min(max(lead[k], -SHAKING_SPREAD_POINTS), 2.0)


@kernel(
    "void(float32[:,::1], float32[::1], int64[:,::1], float64[:,::1], float64[:,::1],"
    " float64[::1], int64, float64[:,::1], float64[:,:,::1], float64[:,::1])"
)
def measure_runs(
    acceleration: NDArray[np.float32],
    strength: NDArray[np.float32],
    spans: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    turn_g: NDArray[np.float64],
    half: int,
    net: NDArray[np.float64],
    scatter: NDArray[np.float64],
    measured: NDArray[np.float64],
) -> None:
    """What the limb does in each span.

    acceleration (n, 3); strength (n,); spans (k, 2); before and after (k, 3), the rest around
    each; turn_g (k,). net (k, 3), zeros at the start: the mean in it from half way between both
    rests. scatter (k, 3, 3), zeros at the start: the mean product of the way from the nearer rest
    with itself.
    measured (6, k), the result: largest movement signal; largest distance from the rest before;
    root mean square of the distance from the nearer rest; root mean square of the shaking, the
    change between the means of two points before and after; share on the move; and where in the
    span its energy lies, from 0 to 1. All but the first two of an empty span are NaN.
    """
    n = len(acceleration)
    for k in range(len(spans)):
        start, end = spans[k, 0], spans[k, 1]
        strongest = peak = total = shaken = weighed = 0.0
        moving = 0
        least = MOVING_SHARE * turn_g[k]
        for i in range(start, end):
            strongest = max(strongest, np.float64(strength[i]))
            one, other = min(i + half + 1, n - 1), max(i - half - 1, 0)
            left = right = covered = jerk = 0.0
            for axis in range(3):
                value = np.float64(acceleration[i, axis])
                net[k, axis] += value
                left += (value - before[k, axis]) ** 2
                right += (value - after[k, axis]) ** 2
                covered += np.float64(acceleration[one, axis] - acceleration[other, axis]) ** 2
                change = value + acceleration[min(i + 1, n - 1), axis]
                change -= acceleration[max(i - 1, 0), axis] + acceleration[max(i - 2, 0), axis]
                jerk += 0.25 * change * change
            peak = max(peak, left)
            away = min(left, right)
            for axis in range(3):
                rest = before[k, axis] if left <= right else after[k, axis]
                one_way = np.float64(acceleration[i, axis]) - rest
                for cross in range(3):
                    rest = before[k, cross] if left <= right else after[k, cross]
                    scatter[k, axis, cross] += one_way * (acceleration[i, cross] - rest)
            total += away
            shaken += jerk
            weighed += away * (i + 0.5 - start)
            if covered > least * least:
                moving += 1
        length = np.float64(end - start)
        for axis in range(3):
            net[k, axis] = net[k, axis] / length - 0.5 * (before[k, axis] + after[k, axis])
            for cross in range(3):
                scatter[k, axis, cross] /= length
        measured[0, k] = strongest
        measured[1, k] = np.sqrt(peak)
        measured[2, k] = np.sqrt(total / length)
        measured[3, k] = np.sqrt(shaken / length)
        measured[4, k] = moving / length
        measured[5, k] = weighed / (total * length) if total > 0.0 else 0.5


@kernel("void(float64[:,::1], int64[:,::1], float64[:,::1], float64[:,::1], float64[::1])")
def add_scores(
    evidence: NDArray[np.float64],
    feature: NDArray[np.int64],
    threshold: NDArray[np.float64],
    score: NDArray[np.float64],
    log_odds: NDArray[np.float64],
) -> None:
    """Add to the log odds (k,) what each tree says of the evidence (k, e).

    feature, threshold (t, 2^d - 1): what each node asks, row by row from the root; score (t, 2^d).
    The way goes to the right where the evidence lies above the threshold: NaN never does.
    """
    nodes = feature.shape[1]
    for k in range(len(evidence)):
        for t in range(len(feature)):
            node = 0
            while node < nodes:
                above = evidence[k, feature[t, node]] > threshold[t, node]
                node = 2 * node + (2 if above else 1)
            log_odds[k] += score[t, node - nodes]
