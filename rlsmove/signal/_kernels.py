"""Compiled loops of the signal stage. Shapes: n samples in, m grid points out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import inner_kernel, kernel

#: Reach of the resampling filter to either side of a grid time.
HALF_WIDTH_S = 0.08

#: Samples that `change_between_means` takes at a time.
_STRIDE = 512

#: Layout of the running state of `accumulate_windows`.
STATE_SIZE = 15
_TIME, _WINDOW, _COUNT, _SUM, _SQUARE, _LOW, _HIGH = 0, 1, 2, 3, 6, 9, 12


@inner_kernel
def flush_window(state: NDArray[np.float64], windows: NDArray[np.float64], row: int) -> None:
    """Write the window held in state (15,) to windows[row] (14,)."""
    count = state[_COUNT]
    windows[row, 0] = state[_WINDOW]
    windows[row, 1] = count
    for axis in range(3):
        mean = state[_SUM + axis] / count
        variance = state[_SQUARE + axis] / count - mean * mean
        windows[row, 2 + axis] = mean
        windows[row, 5 + axis] = np.sqrt(max(variance, 0.0))
        windows[row, 8 + axis] = state[_LOW + axis]
        windows[row, 11 + axis] = state[_HIGH + axis]


@kernel("int64(float32[:,::1], float64[::1], float64, float64[::1], float64[:,::1], float64[::1])")
def accumulate_windows(
    acceleration: NDArray[np.float32],
    time_s: NDArray[np.float64],
    window_s: float,
    state: NDArray[np.float64],
    windows: NDArray[np.float64],
    norm_sum: NDArray[np.float64],
) -> int:
    """Add samples to running window statistics; write each window that is complete.

    acceleration (n, 3); state (15,); windows (k, 14): window number, count, mean xyz, SD xyz,
    low xyz, high xyz; norm_sum (1,). Returns how many windows were completed.
    Samples are added one by one, so the result does not depend on how blocks were cut.
    """
    done = 0
    for i in range(len(time_s)):
        number = np.floor(time_s[i] / window_s)
        if number != state[_WINDOW]:
            if state[_COUNT] > 0:
                flush_window(state, windows, done)
                done += 1
            state[_WINDOW] = number
            state[_COUNT] = 0.0
            for axis in range(3):
                state[_SUM + axis] = 0.0
                state[_SQUARE + axis] = 0.0
                state[_LOW + axis] = np.inf
                state[_HIGH + axis] = -np.inf
        state[_COUNT] += 1.0
        squared = 0.0
        for axis in range(3):
            value = np.float64(acceleration[i, axis])
            square = value * value
            squared += square
            state[_SUM + axis] += value
            state[_SQUARE + axis] += square
            state[_LOW + axis] = min(state[_LOW + axis], value)
            state[_HIGH + axis] = max(state[_HIGH + axis], value)
        norm_sum[0] += np.sqrt(squared)
    return done


@kernel(
    "int64(float32[:,::1], float64[::1], int64, float64, float64, float64,"
    " float32[::1], float32[:,::1])"
)
def resample(
    acceleration: NDArray[np.float32],
    time_s: NDArray[np.float64],
    first: int,
    fs: float,
    end_s: float,
    longest_gap_s: float,
    taper: NDArray[np.float32],
    grid: NDArray[np.float32],
) -> int:
    """Weighted means of the samples around each grid time, from grid point ``first`` on.

    acceleration (n, 3); taper (t,): the weight at distances from 0 to the half width, where
    t - 1 steps make the half width; grid (m, 3), filled from row 0. Grid times are k / fs. Stops
    before the first grid time at or after end_s. Returns how many rows were filled; a row within
    a gap is NaN.
    """
    half_width = HALF_WIDTH_S
    scale = (len(taper) - 1) / half_width
    n = len(time_s)
    filled = 0
    low = 0
    middle = 0
    high = 0
    k = first
    while filled < len(grid):
        moment = k / fs
        if moment >= end_s:
            break
        while low < n and time_s[low] <= moment - half_width:
            low += 1
        while middle < n and time_s[middle] <= moment:
            middle += 1
        while high < n and time_s[high] < moment + half_width:
            high += 1
        recorded = low < middle and (
            time_s[middle - 1] == moment
            or (middle < high and time_s[middle] - time_s[middle - 1] <= longest_gap_s)
        )
        total = 0.0
        x = 0.0
        y = 0.0
        z = 0.0
        if recorded:
            for j in range(low, high):
                weight = np.float64(taper[np.int64(abs(time_s[j] - moment) * scale + 0.5)])
                total += weight
                x += weight * acceleration[j, 0]
                y += weight * acceleration[j, 1]
                z += weight * acceleration[j, 2]
        if total > 0.0:
            grid[filled, 0] = x / total
            grid[filled, 1] = y / total
            grid[filled, 2] = z / total
        else:
            grid[filled, 0] = np.nan
            grid[filled, 1] = np.nan
            grid[filled, 2] = np.nan
        filled += 1
        k += 1
    return filled


@kernel("void(float32[:,::1], int64, float32[::1])")
def change_between_means(
    acceleration: NDArray[np.float32], span: int, change: NDArray[np.float32]
) -> None:
    """Distance between the mean of the next and of the last ``span`` samples.

    acceleration (n, 3); change (n,): at i, |mean(a[i : i + span]) - mean(a[i - span : i])|, and 0
    where one of them does not fit.
    """
    n = len(acceleration)
    change[:] = 0.0
    if n < 2 * span:
        return
    ahead = np.empty(3)
    behind = np.empty(3)
    for axis in range(3):
        ahead[axis] = 0.0
        behind[axis] = 0.0
        for j in range(span):
            behind[axis] += acceleration[j, axis]
            ahead[axis] += acceleration[span + j, axis]
    # Sums run from sample to sample; what is made of them does not, and is left to loops of its
    # own that the compiler does several samples at a time in.
    step = np.empty(_STRIDE)
    squared = np.empty(_STRIDE)
    for first in range(span, n - span + 1, _STRIDE):
        m = min(_STRIDE, n - span + 1 - first)
        now = acceleration[first : first + m]
        past = acceleration[first - span : first - span + m]
        coming = acceleration[first + span : first + span + m]
        for i in range(m):
            squared[i] = 0.0
        for axis in range(3):
            up = ahead[axis]
            down = behind[axis]
            for i in range(m):
                step[i] = up - down
                value = np.float64(now[i, axis])
                down += value - past[i, axis]
                if i < len(coming):
                    up += coming[i, axis] - value
            ahead[axis] = up
            behind[axis] = down
            for i in range(m):
                part = step[i] / span
                squared[i] += part * part
        for i in range(m):
            change[first + i] = np.sqrt(squared[i])


@kernel("void(float32[:,::1], int64, int64, float32[::1])")
def distance_from_rest(
    acceleration: NDArray[np.float32], rest: int, half: int, distance: NDArray[np.float32]
) -> None:
    """Distance of each moment from the mean of the ``rest`` samples before it.

    acceleration (n, 3); distance (n,): a moment is the mean of the samples within ``half`` of it;
    0 where the rest before it or the moment does not fit.
    """
    n = len(acceleration)
    distance[:] = 0.0
    width = 2 * half + 1
    if n < rest + width:
        return
    moment = np.empty(3)
    before = np.empty(3)
    for axis in range(3):
        moment[axis] = 0.0
        before[axis] = 0.0
        for j in range(rest):
            before[axis] += acceleration[j, axis]
        for j in range(rest, rest + width):
            moment[axis] += acceleration[j, axis]
    # The rest ends where the moment begins: the two share no sample.
    for start in range(rest, n - width + 1):
        squared = 0.0
        for axis in range(3):
            step = moment[axis] / width - before[axis] / rest
            squared += step * step
            before[axis] += acceleration[start, axis] - np.float64(acceleration[start - rest, axis])
            if start + width < n:
                moment[axis] += acceleration[start + width, axis] - np.float64(
                    acceleration[start, axis]
                )
        distance[start + half] = np.sqrt(squared)


@kernel("void(float32[::1], int64, float64[::1])")
def nonzero_means(values: NDArray[np.float32], length: int, means: NDArray[np.float64]) -> None:
    """Mean of each run of ``length`` values (n,) into means (ceil(n / length),); NaN if all 0."""
    for number in range(len(means)):
        total = 0.0
        start = number * length
        end = min(start + length, len(values))
        for i in range(start, end):
            total += values[i]
        means[number] = total / (end - start) if total > 0.0 else np.nan


@kernel("void(float64[::1], int64, float64, float64[::1])")
def rolling_quantile(
    values: NDArray[np.float64], window: int, quantile: float, result: NDArray[np.float64]
) -> None:
    """Quantile of values[i : i + window] (n,), NaN left out, into result (n - window + 1,).

    The lower of the two neighbors where the quantile falls between; 0 where all are NaN.
    """
    ordered = np.empty(window)
    count = 0
    for i in range(len(values)):
        new = values[i]
        gone = values[i - window] if i >= window else np.nan
        place = count
        if not np.isnan(gone):
            low = 0
            while low < place:
                middle = (low + place) // 2
                if ordered[middle] < gone:
                    low = middle + 1
                else:
                    place = middle
            count -= 1
        # What is gone leaves a hole, which moves to where the new value belongs, or to the end.
        while place < count and not ordered[place + 1] >= new:
            ordered[place] = ordered[place + 1]
            place += 1
        if not np.isnan(new):
            while place > 0 and ordered[place - 1] > new:
                ordered[place] = ordered[place - 1]
                place -= 1
            ordered[place] = new
            count += 1
        if i >= window - 1:
            chosen = np.int64(quantile * (count - 1))
            result[i - window + 1] = ordered[chosen] if count > 0 else 0.0


@kernel("void(float32[::1], float64[::1], int64, float32[::1])")
def largest_ratio(
    values: NDArray[np.float32],
    threshold: NDArray[np.float64],
    length: int,
    largest: NDArray[np.float32],
) -> None:
    """Raise largest (n,) to values (n,) / threshold, one threshold for each ``length`` values."""
    for number in range(len(threshold)):
        for i in range(number * length, min((number + 1) * length, len(values))):
            largest[i] = max(largest[i], values[i] / threshold[number])


@kernel("void(float64[::1], float64, float64, int64[::1], int64[::1])")
def nearest_ticks(
    time_s: NDArray[np.float64],
    tick_hz: float,
    slack: float,
    last: NDArray[np.int64],
    ticks: NDArray[np.int64],
) -> None:
    """Number of the tick that each sample goes to, or -1 where its tick is taken.

    time_s, ticks (n,); last (1,): the tick of the sample before, carried from block to block. A
    sample takes the tick after the one before it as long as that lies within ``slack`` ticks of
    it, else the nearest one.
    """
    for i in range(len(time_s)):
        place = time_s[i] * tick_hz
        tick = last[0] + 1
        if abs(place - tick) > slack:
            tick = np.int64(np.floor(place + 0.5))
        if tick > last[0]:
            ticks[i] = tick
            last[0] = tick
        else:
            ticks[i] = -1


@kernel("void(float64[:,::1], int64, float64, float64[::1], float64[::1])")
def fit_sphere(
    rest: NDArray[np.float64],
    iterations: int,
    tolerance: float,
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> None:
    """Scale and shift of each axis that bring points (k, 3) closest to the unit sphere.

    scale, shift (3,) hold the start and take the result: scale * rest + shift. Each round moves
    every point to the closest one of the sphere and fits each axis to those by least squares;
    points weigh 1 / distance, at most 100, by the round before. Stops where the root mean square
    distance changes by less than ``tolerance``.
    """
    k = len(rest)
    weight = np.empty(k)
    for i in range(k):
        weight[i] = 1.0
    mean_rest = np.empty(3)
    mean_target = np.empty(3)
    target = np.empty((k, 3))
    last = np.inf
    for _ in range(iterations):
        total = 0.0
        for axis in range(3):
            mean_rest[axis] = 0.0
            mean_target[axis] = 0.0
        for i in range(k):
            squared = 0.0
            for axis in range(3):
                target[i, axis] = scale[axis] * rest[i, axis] + shift[axis]
                squared += target[i, axis] ** 2
            norm = np.sqrt(squared)
            total += weight[i]
            for axis in range(3):
                target[i, axis] /= norm
                mean_rest[axis] += weight[i] * rest[i, axis]
                mean_target[axis] += weight[i] * target[i, axis]
        for axis in range(3):
            mean_rest[axis] /= total
            mean_target[axis] /= total
            across = 0.0
            along = 0.0
            for i in range(k):
                step = weight[i] * (rest[i, axis] - mean_rest[axis])
                across += step * (target[i, axis] - mean_target[axis])
                along += step * (rest[i, axis] - mean_rest[axis])
            scale[axis] = across / along
            shift[axis] = mean_target[axis] - scale[axis] * mean_rest[axis]
        total = 0.0
        for i in range(k):
            squared = 0.0
            for axis in range(3):
                squared += (scale[axis] * rest[i, axis] + shift[axis] - target[i, axis]) ** 2
            total += squared
            weight[i] = min(1.0 / max(np.sqrt(squared), 1e-12), 100.0)
        error = np.sqrt(total / k)
        if abs(last - error) < tolerance:
            break
        last = error
