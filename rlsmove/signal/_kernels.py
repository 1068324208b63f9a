"""Compiled loops of the signal stage. Shapes: n samples in, m grid points out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import kernel

#: Half the width of the resampling filter, in steps of its grid.
HALF_WIDTH = 2

#: Columns of a row of window statistics: number of the window, count, and for each axis the sum,
#: the sum of squares, the lowest and the highest value.
N_STATISTICS = 14
_WINDOW, _COUNT, _SUM, _SQUARE, _LOW, _HIGH = 0, 1, 2, 5, 8, 11

#: The running state of `accumulate_windows`: a row of statistics, the end of its window in
#: seconds, and the sum of the lengths of all vectors.
STATE_SIZE = N_STATISTICS + 2
_END, _NORM_SUM = N_STATISTICS, N_STATISTICS + 1


@kernel("int64(float32[:,::1], float64[::1], float64, float64[::1], float64[:,::1])")
def accumulate_windows(
    acceleration: NDArray[np.float32],
    time_s: NDArray[np.float64],
    window_s: float,
    state: NDArray[np.float64],
    windows: NDArray[np.float64],
) -> int:
    """Add samples to running window statistics; write each window that is complete.

    acceleration (n, 3); state (16,), zeros at the start; windows (k, 14). Returns how many
    windows were completed. Samples are added one by one, so the result does not depend on how
    blocks were cut.
    """
    done = 0
    n = len(time_s)
    i = 0
    while i < n:
        if state[_COUNT] == 0.0 or time_s[i] >= state[_END]:
            if state[_COUNT] > 0.0:
                for column in range(N_STATISTICS):
                    windows[done, column] = state[column]
                done += 1
            number = np.floor(time_s[i] / window_s)
            state[_WINDOW] = number
            state[_COUNT] = 0.0
            for axis in range(3):
                state[_SUM + axis] = 0.0
                state[_SQUARE + axis] = 0.0
                state[_LOW + axis] = np.inf
                state[_HIGH + axis] = -np.inf
            state[_END] = (number + 1.0) * window_s
        end_s = state[_END]
        first = i
        norm_sum = state[_NORM_SUM]
        sum_x, sum_y, sum_z = state[_SUM], state[_SUM + 1], state[_SUM + 2]
        square_x, square_y, square_z = state[_SQUARE], state[_SQUARE + 1], state[_SQUARE + 2]
        low_x, low_y, low_z = state[_LOW], state[_LOW + 1], state[_LOW + 2]
        high_x, high_y, high_z = state[_HIGH], state[_HIGH + 1], state[_HIGH + 2]
        while i < n and not time_s[i] >= end_s:
            x = np.float64(acceleration[i, 0])
            y = np.float64(acceleration[i, 1])
            z = np.float64(acceleration[i, 2])
            sum_x += x
            sum_y += y
            sum_z += z
            square_x += x * x
            square_y += y * y
            square_z += z * z
            norm_sum += np.sqrt(x * x + y * y + z * z)
            low_x, high_x = min(low_x, x), max(high_x, x)
            low_y, high_y = min(low_y, y), max(high_y, y)
            low_z, high_z = min(low_z, z), max(high_z, z)
            i += 1
        state[_NORM_SUM] = norm_sum
        state[_COUNT] += i - first
        state[_SUM], state[_SUM + 1], state[_SUM + 2] = sum_x, sum_y, sum_z
        state[_SQUARE], state[_SQUARE + 1], state[_SQUARE + 2] = square_x, square_y, square_z
        state[_LOW], state[_LOW + 1], state[_LOW + 2] = low_x, low_y, low_z
        state[_HIGH], state[_HIGH + 1], state[_HIGH + 2] = high_x, high_y, high_z
    return done


@kernel(
    "int64(float32[:,::1], float64[::1], int64, float64, float64, float64,"
    " float64[::1], float64[:,::1], float32[:,::1])"
)
def resample(
    acceleration: NDArray[np.float32],
    time_s: NDArray[np.float64],
    first: int,
    fs: float,
    end_s: float,
    longest_gap_s: float,
    quarter: NDArray[np.float64],
    cells: NDArray[np.float64],
    grid: NDArray[np.float32],
) -> int:
    """Means of the samples around each grid time, weighted by a Hann window of their distance.

    acceleration (n, 3); quarter (q,): a quarter of a cosine, from 1 to 0; cells (m + 3, 13),
    scratch; grid (m, 3), filled from row 0, which is grid point ``first``. Grid times are k / fs;
    the window reaches two steps to either side. Stops before the first grid time at or after
    end_s. Returns how many rows were filled; a row within a gap is NaN.

    A sample at u steps behind a grid time weighs (1 + cos) / 2 there, with the angle u pi / 2,
    (1 + sin) / 2 at the next one, (1 - sin) / 2 at the one before and (1 - cos) / 2 at the second
    next. So each sample is gone through once, for three sums over the step that it lies in.
    """
    # Unsigned, an index needs no look at whether it is negative.
    last = np.uint32(len(quarter) - 1)
    scale = fs * last
    n = len(time_s)
    j = 0
    while j < n and time_s[j] < (first - HALF_WIDTH) / fs:
        j += 1
    for row in range(len(cells)):
        moment = (first - HALF_WIDTH + row) / fs
        end = (first - HALF_WIDTH + row + 1) / fs
        recorded = False
        if j < n and time_s[j] < moment + HALF_WIDTH / fs:
            recorded = time_s[j] == moment
            if j > 0 and time_s[j - 1] > moment - HALF_WIDTH / fs:
                recorded = recorded or time_s[j] - time_s[j - 1] <= longest_gap_s
        count = sum_c = sum_s = 0.0
        x = x_c = x_s = 0.0
        y = y_c = y_s = 0.0
        z = z_c = z_s = 0.0
        while j < n and time_s[j] < end:
            place = np.uint32((time_s[j] - moment) * scale + 0.5)
            c = quarter[place]
            s = quarter[last - place]
            count += 1.0
            sum_c += c
            sum_s += s
            value = np.float64(acceleration[j, 0])
            x += value
            x_c += c * value
            x_s += s * value
            value = np.float64(acceleration[j, 1])
            y += value
            y_c += c * value
            y_s += s * value
            value = np.float64(acceleration[j, 2])
            z += value
            z_c += c * value
            z_s += s * value
            j += 1
        cells[row, 0], cells[row, 1], cells[row, 2] = count, sum_c, sum_s
        cells[row, 3], cells[row, 4], cells[row, 5] = x, x_c, x_s
        cells[row, 6], cells[row, 7], cells[row, 8] = y, y_c, y_s
        cells[row, 9], cells[row, 10], cells[row, 11] = z, z_c, z_s
        cells[row, 12] = recorded
        filled = row - 3
        if filled < 0:
            continue
        if (first + filled) / fs >= end_s:
            return filled
        total = 0.0
        for part in range(4):
            k = 3 * part
            weighted = cells[filled, k] - cells[filled, k + 1]
            weighted += cells[filled + 1, k] + cells[filled + 1, k + 2]
            weighted += cells[filled + 2, k] + cells[filled + 2, k + 1]
            weighted += cells[filled + 3, k] - cells[filled + 3, k + 2]
            if part == 0:
                total = weighted if cells[filled + 2, 12] else np.nan
            else:
                grid[filled, part - 1] = weighted / total
    return len(grid)


@kernel("void(float32[:,::1], int64, int64, float32[::1])")
def distance_of_means(
    acceleration: NDArray[np.float32], before: int, after: int, distance: NDArray[np.float32]
) -> None:
    """Distance of the mean of the next ``after`` samples from that of the last ``before``.

    acceleration (n, 3); distance (n,), zeros at the start: at i, |mean(a[i : i + after]) -
    mean(a[i - before : i])|; where one of them does not fit, it stays as it is.
    """
    n = len(acceleration)
    if n < before + after:
        return
    both = before + after
    share = 1.0 / (before * after)
    # For each axis the difference of the means, times before * after, carried on from sample to
    # sample.
    x = y = z = 0.0
    for j in range(both):
        times = -after if j < before else before
        x += times * np.float64(acceleration[j, 0])
        y += times * np.float64(acceleration[j, 1])
        z += times * np.float64(acceleration[j, 2])
    for i in range(before, n - after + 1):
        if i > before:
            old, now, new = i - 1 - before, i - 1, i - 1 + after
            x += after * np.float64(acceleration[old, 0]) - both * np.float64(acceleration[now, 0])
            x += before * np.float64(acceleration[new, 0])
            y += after * np.float64(acceleration[old, 1]) - both * np.float64(acceleration[now, 1])
            y += before * np.float64(acceleration[new, 1])
            z += after * np.float64(acceleration[old, 2]) - both * np.float64(acceleration[now, 2])
            z += before * np.float64(acceleration[new, 2])
        distance[i] = np.sqrt(x * x + y * y + z * z) * share


@kernel("void(float32[::1], float64[::1], int64[::1], float64[::1], int64, float32[::1])")
def raise_strength(
    change: NDArray[np.float32],
    noise: NDArray[np.float64],
    windows: NDArray[np.int64],
    multiples: NDArray[np.float64],
    second: int,
    strength: NDArray[np.float32],
) -> None:
    """Raise the strength (n,) to the change (n,) over its threshold, by itself and gathered.

    noise, one for each ``second`` points; windows (w,), odd numbers of points over which the root
    mean square of the change is taken, 0 beyond the ends; multiples (1 + w,) of the noise: the
    thresholds for the change at a point and over each window.
    """
    n = len(change)
    squares = np.zeros(len(windows))
    for w in range(len(windows)):
        for i in range(min(windows[w] // 2, n)):
            squares[w] += np.float64(change[i]) ** 2
    for i in range(n):
        level = noise[i // second]
        raised = max(np.float64(strength[i]), change[i] / (multiples[0] * level))
        for w in range(len(windows)):
            half = windows[w] // 2
            if i + half < n:
                squares[w] += np.float64(change[i + half]) ** 2
            if i - half - 1 >= 0:
                squares[w] -= np.float64(change[i - half - 1]) ** 2
            mean = max(squares[w], 0.0) / windows[w]
            raised = max(raised, np.sqrt(mean) / (multiples[1 + w] * level))
        strength[i] = raised


@kernel("void(float64[::1], float64, float64[::1], float64[::1])")
def rolling_quantile(
    values: NDArray[np.float64],
    quantile: float,
    ordered: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    """Quantile of values[i : i + window] (n,), NaN left out, into result (n - window + 1,).

    The lower of the two neighbors where the quantile falls between; 0 where all are NaN. ordered
    (window,) is scratch.
    """
    window = len(ordered)
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


@kernel(
    "void(float64[:,::1], int64, float64, float64[::1], float64[:,::1], float64[:,::1],"
    " float64[::1], float64[::1])"
)
def fit_sphere(
    rest: NDArray[np.float64],
    iterations: int,
    tolerance: float,
    weight: NDArray[np.float64],
    target: NDArray[np.float64],
    sums: NDArray[np.float64],
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> None:
    """Scale and shift of each axis that bring points (k, 3) closest to the unit sphere.

    weight (k,), scale and shift (3,) hold the start; target (k, 3) and sums (3, 4) are scratch;
    scale and shift take the result: scale * rest + shift. Each round moves every point to the
    closest one of the sphere and fits each axis to those by least squares; points weigh
    1 / distance, at most 100, by the round before. Stops where the root mean square distance
    changes by less than ``tolerance``.
    """
    k = len(rest)
    last = np.inf
    for _ in range(iterations):
        total = 0.0
        for axis in range(3):
            for part in range(4):
                sums[axis, part] = 0.0
        for i in range(k):
            squared = 0.0
            for axis in range(3):
                moved = scale[axis] * rest[i, axis] + shift[axis]
                target[i, axis] = moved
                squared += moved * moved
            norm = np.sqrt(squared)
            total += weight[i]
            for axis in range(3):
                x = rest[i, axis]
                y = target[i, axis] / norm
                target[i, axis] = y
                sums[axis, 0] += weight[i] * x
                sums[axis, 1] += weight[i] * y
                sums[axis, 2] += weight[i] * x * x
                sums[axis, 3] += weight[i] * x * y
        for axis in range(3):
            mean = sums[axis, 0] / total
            across = sums[axis, 3] - mean * sums[axis, 1]
            along = sums[axis, 2] - mean * sums[axis, 0]
            scale[axis] = across / along
            shift[axis] = sums[axis, 1] / total - scale[axis] * mean
        total = 0.0
        for i in range(k):
            squared = 0.0
            for axis in range(3):
                step = scale[axis] * rest[i, axis] + shift[axis] - target[i, axis]
                squared += step * step
            total += squared
            weight[i] = 100.0 if squared < 1e-4 else 1.0 / np.sqrt(squared)
        error = np.sqrt(total / k)
        if abs(last - error) < tolerance:
            break
        last = error
