"""Compiled loops of the detector. n is the number of points of the common clock."""

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

#: The filter of the common clock and the mean of a moment spread what is sudden by about this much
#: to both sides.
SPREAD_POINTS = 1.5

#: A moment or two away from rest is noise unless it goes beyond this many times the threshold.
NOISE_MULTIPLE = 2.0
LEAD_LEAST_POINTS = 3


@kernel("int64(float32[::1], float64, int64, int64[:,::1])")
def find_bursts(
    strength: NDArray[np.float32], threshold: float, join: int, bursts: NDArray[np.int64]
) -> int:
    """Runs in which the movement signal is significant, joined across less than ``join`` points.

    strength (n,); bursts (k, 2): first point and the point after the last. Returns the number
    found, at most k.
    """
    found = 0
    last = -join - 1
    for i in range(len(strength)):
        if strength[i] <= threshold:
            continue
        if found > 0 and i - last < join:
            bursts[found - 1, 1] = i + 1
        else:
            if found == len(bursts):
                break
            bursts[found, 0] = i
            bursts[found, 1] = i + 1
            found += 1
        last = i
    return found


@inner_kernel
def mean_vector(
    acceleration: NDArray[np.float32], start: int, end: int, mean: NDArray[np.float64]
) -> None:
    """Mean of acceleration[start:end] (n, 3) into mean (3,)."""
    for axis in range(3):
        total = 0.0
        for i in range(start, end):
            total += acceleration[i, axis]
        mean[axis] = total / (end - start)


@kernel("void(float32[:,::1], int64[:,::1], int64, float64[:,::1], float64[:,::1])")
def rest_levels(
    acceleration: NDArray[np.float32],
    bursts: NDArray[np.int64],
    rest: int,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> None:
    """Where the limb lay before and after each burst.

    acceleration (n, 3); bursts (b, 2); before, after (b, 3): mean of up to ``rest`` points next to
    the burst, not beyond the neighboring bursts; the burst's own end where there is no room.
    """
    n = len(acceleration)
    for b in range(len(bursts)):
        start, end = bursts[b, 0], bursts[b, 1]
        floor = bursts[b - 1, 1] if b > 0 else 0
        ceiling = bursts[b + 1, 0] if b + 1 < len(bursts) else n
        low = max(start - rest, floor)
        mean_vector(acceleration, min(low, start - 1) if start > 0 else 0, max(start, 1), before[b])
        high = min(end + rest, ceiling)
        mean_vector(acceleration, min(end, n - 1), max(high, min(end, n - 1) + 1), after[b])


@inner_kernel
def largest_turn(
    acceleration: NDArray[np.float32],
    start: int,
    end: int,
    window: NDArray[np.float64],
    rest: NDArray[np.float64],
    away: NDArray[np.float64],
) -> float:
    """Largest distance between the smoothed acceleration within [start, end) and rest, in g.

    acceleration (n, 3); window (2 h + 1,), weights that add up to 1; rest (3,); away (3,) takes
    the vector from rest at that moment. At the ends of the recording its last value goes on.
    """
    n = len(acceleration)
    half = len(window) // 2
    largest = 0.0
    step = np.zeros(3)
    for i in range(start, end):
        squared = 0.0
        for axis in range(3):
            smooth = 0.0
            for j in range(-half, half + 1):
                smooth += window[half + j] * acceleration[min(max(i + j, 0), n - 1), axis]
            step[axis] = smooth - rest[axis]
            squared += step[axis] ** 2
        if squared > largest:
            largest = squared
            for axis in range(3):
                away[axis] = step[axis]
    return np.sqrt(largest)


@inner_kernel
def between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Distance of two vectors (3,)."""
    squared = 0.0
    for axis in range(3):
        squared += (one[axis] - other[axis]) ** 2
    return np.sqrt(squared)


@kernel(
    "int64(float32[:,::1], int64[:,::1], float64[:,::1], float64[:,::1], float32[::1],"
    " int64, float64[::1], float64, float64, int64[:,::1])"
)
def group_bursts(
    acceleration: NDArray[np.float32],
    bursts: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    away_g: NDArray[np.float32],
    longest: int,
    window: NDArray[np.float64],
    held_share: float,
    back_share: float,
    groups: NDArray[np.int64],
) -> int:
    """Put bursts together that lead away from rest and back to it.

    acceleration (n, 3); bursts (b, 2); before, after (b, 3): rest around each; away_g, a value a
    second. A burst holds the limb where the rest after it differs from the rest before it by more
    than the threshold and by ``held_share`` of its largest turn. The first later burst that takes
    the limb from there back to within ``back_share`` of that difference closes the group, if all
    of it takes at most ``longest`` points. groups (b, 2): first burst and the one after the last.
    Returns the number of groups.
    """
    away = np.zeros(3)
    count = 0
    first = 0
    while first < len(bursts):
        start, end = bursts[first, 0], bursts[first, 1]
        rest = before[first]
        held = between(after[first], rest)
        closed = first
        turn = largest_turn(acceleration, start, end, window, rest, away)
        if held > max(held_share * turn, away_g[start // SECOND]):
            for last in range(first + 1, len(bursts)):
                if bursts[last, 1] - start > longest:
                    break
                if between(before[last], rest) <= back_share * held:
                    break
                if between(after[last], rest) <= back_share * held:
                    closed = last
                    break
        groups[count, 0] = first
        groups[count, 1] = closed + 1
        count += 1
        first = closed + 1
    return count


@inner_kernel
def distance_at(
    acceleration: NDArray[np.float32], i: int, half: int, rest: NDArray[np.float64]
) -> float:
    """Distance of the moment i, the mean of the points within ``half`` of it, from rest (3,)."""
    low, high = max(i - half, 0), min(i + half + 1, len(acceleration))
    squared = 0.0
    for axis in range(3):
        moment = 0.0
        for j in range(low, high):
            moment += acceleration[j, axis]
        squared += (moment / (high - low) - rest[axis]) ** 2
    return np.sqrt(squared)


@inner_kernel
def trace_away(
    acceleration: NDArray[np.float32],
    away_g: NDArray[np.float32],
    start: int,
    end: int,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    half: int,
    join: int,
    runs: NDArray[np.int64],
) -> int:
    """Runs within [start, end) in which the limb is away from the rest before and after.

    acceleration (n, 3); away_g, a value a second; before, after (3,); runs (k, 2): first point
    and the one after the last. A moment is the mean of the points within ``half`` of it. A run
    that is short and barely away is noise; the others are one where less than ``join`` points lie
    between them.
    Returns the number found, at most k.
    """
    found = 0
    since = -1
    farthest = 0.0
    for i in range(start, end + 1):
        beyond = 0.0
        if i < end:
            distance = min(
                distance_at(acceleration, i, half, before),
                distance_at(acceleration, i, half, after),
            )
            beyond = distance / away_g[i // SECOND]
        if beyond > 1.0:
            if since < 0:
                since = i
                farthest = 0.0
            farthest = max(farthest, beyond)
            continue
        if since >= 0 and (i - since > 2 * half or farthest > NOISE_MULTIPLE):
            if found > 0 and since - runs[found - 1, 1] < join:
                runs[found - 1, 1] = i
            elif found < len(runs):
                runs[found, 0] = since
                runs[found, 1] = i
                found += 1
        since = -1
    return found


@inner_kernel
def departure(
    acceleration: NDArray[np.float32],
    first: int,
    last: int,
    step: int,
    rest: NDArray[np.float64],
    away_g: float,
    half: int,
) -> float:
    """When the limb left rest, in points before ``first``, at which it is clearly away from it.

    acceleration (n, 3); the run from ``first`` to ``last``, gone through backwards in time where
    ``step`` is -1; rest (3,). The way between two points is taken as straight, so the result does
    not hang on where the points fall. The limb is taken to leave at an even speed: the time from
    the threshold to a multiple of it tells how long it took from rest to the threshold.
    """
    # The run was traced by the nearer of two rests; by the one it leaves it may begin earlier.
    n = len(acceleration)
    begin = first
    for k in range(LEAD_FARTHEST_POINTS):
        i = first - step * (k + 1)
        if i < 0 or i >= n:
            break
        if distance_at(acceleration, i, half, rest) < away_g:
            begin = i + step
            break
    length = (last - begin) * step + 1
    distance = np.empty(length + 1)
    distance[0] = distance_at(acceleration, min(max(begin - step, 0), n - 1), half, rest)
    farthest = 0.0
    for k in range(length):
        distance[k + 1] = distance_at(acceleration, begin + step * k, half, rest)
        farthest = max(farthest, distance[k + 1])
        if farthest >= LEAD_MULTIPLE * away_g / LEAD_SHARE:
            break
    crossing = 0.0
    if distance[0] < away_g < distance[1]:
        crossing = (distance[1] - away_g) / (distance[1] - distance[0])
    early = (first - begin) * step + crossing
    # Noise on top of a plateau makes its highest point come late; most of the way up does not.
    multiple = min(LEAD_SHARE * farthest / away_g, LEAD_MULTIPLE)
    if multiple <= LEAD_LEAST_MULTIPLE:
        return early
    level = multiple * away_g
    k = 1
    while distance[k] < level:
        k += 1
    reached = np.float64(k - 1)
    if distance[k - 1] < level:
        reached -= (distance[k] - level) / (distance[k] - distance[k - 1])
    trust = min((multiple - LEAD_LEAST_MULTIPLE) / LEAD_LEAST_MULTIPLE, 1.0)
    return early + trust * (reached + crossing) / (multiple - 1.0)


#: A limb is on the move where it covers this share of its largest turn within 0.2 s or so.
MOVING_SHARE = 0.15

#: Columns of `describe_groups`: onset and offset, in points and parts of them, largest movement
#: signal, peak, root mean square away from rest, largest turn and its part across gravity,
#: residual turn, share of its points at which it is on the move.
N_FEATURES = 9


@kernel(
    "int64(float32[:,::1], float32[::1], float32[::1], int64[:,::1], int64[:,::1],"
    " float64[:,::1], float64[:,::1], int64, float64[::1], int64, float64, float64[:,::1])"
)
def describe_groups(
    acceleration: NDArray[np.float32],
    strength: NDArray[np.float32],
    away_g: NDArray[np.float32],
    bursts: NDArray[np.int64],
    groups: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    half: int,
    window: NDArray[np.float64],
    join: int,
    longest_lead: float,
    features: NDArray[np.float64],
) -> int:
    """Trace each group of bursts and measure every run found in it.

    acceleration (n, 3); strength (n,); away_g, a value a second; bursts (b, 2); groups (g, 2);
    before, after (b, 3); features (k, 9), a row a run. Returns the number of rows, at most k.
    """
    n = len(acceleration)
    away = np.zeros(3)
    count = 0
    for g in range(len(groups)):
        first, last = groups[g, 0], groups[g, 1] - 1
        start, end = bursts[first, 0], bursts[last, 1]
        rest, later = before[first], after[last]
        runs = np.empty(((end - start) // join + 2, 2), np.int64)
        found = trace_away(acceleration, away_g, start, end, rest, later, half, join, runs)
        for run in range(found):
            if count == len(features):
                return count
            low, high = runs[run, 0], runs[run, 1]
            floor = runs[run - 1, 1] if run > 0 else 0
            ceiling = runs[run + 1, 0] if run + 1 < found else n
            early = departure(acceleration, low, high - 1, 1, rest, away_g[low // SECOND], half)
            late = departure(
                acceleration, high - 1, low, -1, later, away_g[(high - 1) // SECOND], half
            )
            onset = max(low - min(early, longest_lead) + SPREAD_POINTS, np.float64(floor))
            offset = min(high - 1 + min(late, longest_lead) - SPREAD_POINTS, ceiling - 1.0)
            if offset <= onset:
                onset, offset = np.float64(low), np.float64(high)
            low = int(np.ceil(onset))
            high = int(offset) + 1
            strongest = np.float32(0.0)
            peak = 0.0
            total = 0.0
            for i in range(low, high):
                strongest = max(strongest, strength[i])
                squared = 0.0
                for axis in range(3):
                    squared += (acceleration[i, axis] - rest[axis]) ** 2
                peak = max(peak, squared)
                total += squared
            turn = largest_turn(acceleration, low, high, window, rest, away)
            along = 0.0
            gravity = 0.0
            residual = 0.0
            for axis in range(3):
                along += away[axis] * rest[axis]
                gravity += rest[axis] ** 2
                residual += (later[axis] - rest[axis]) ** 2
            features[count, 0] = onset
            features[count, 1] = offset
            features[count, 2] = strongest
            features[count, 3] = np.sqrt(peak)
            features[count, 4] = np.sqrt(total / (high - low))
            features[count, 5] = turn
            features[count, 6] = np.sqrt(max(turn**2 - along**2 / gravity, 0.0))
            features[count, 7] = np.sqrt(residual)
            moving = 0
            for i in range(low, high):
                squared = 0.0
                one, other = min(i + half + 1, n - 1), max(i - half - 1, 0)
                for axis in range(3):
                    squared += (acceleration[one, axis] - acceleration[other, axis]) ** 2
                if squared > (MOVING_SHARE * turn) ** 2:
                    moving += 1
            features[count, 8] = moving / (high - low)
            count += 1
    return count
