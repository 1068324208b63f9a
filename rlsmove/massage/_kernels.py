"""Compiled loops that look for a clock in the times of events. Shape: n events, sorted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import inner_kernel, kernel


@inner_kernel
def follow(
    time_s: NDArray[np.float64],
    used: NDArray[np.bool_],
    first: int,
    second: int,
    tolerance: float,
    least_tolerance_s: float,
    memory: int,
    longest_pause: int,
    rows: NDArray[np.int64],
    slots: NDArray[np.int64],
) -> int:
    """Follow a clock through events (n,) from two of them on; return how many keep it.

    rows and slots (n,) take the events' numbers and the cycle that each falls in. The next cycle
    is expected where a line through the last ``memory`` events on their cycles leads; with a
    ``memory`` of 1 at the mean interval after the last one, which forgives a clock that starts
    anew in each cycle. Ends after ``longest_pause`` cycles without an event.
    """
    n = len(time_s)
    rows[0], rows[1] = first, second
    slots[0], slots[1] = 0, 1
    count = 2
    slot = 1
    place = second
    while True:
        last = count - 1
        if memory == 1 or count == 2:
            period = (time_s[rows[last]] - time_s[first]) / slots[last]
            base_s, base = time_s[rows[last]], float(slots[last])
        else:
            low = max(count - memory, 0)
            size = count - low
            mean_s = mean = 0.0
            for i in range(low, count):
                mean_s += time_s[rows[i]]
                mean += slots[i]
            mean_s /= size
            mean /= size
            across = along = 0.0
            for i in range(low, count):
                across += (slots[i] - mean) * (time_s[rows[i]] - mean_s)
                along += (slots[i] - mean) ** 2
            period = across / along
            base_s, base = mean_s, mean
        slot += 1
        if slot - slots[last] > longest_pause:
            return count
        expected_s = base_s + (slot - base) * period
        reach_s = max(tolerance * period, least_tolerance_s)
        best = -1
        best_s = reach_s
        while place < n and time_s[place] < expected_s - reach_s:
            place += 1
        i = place
        while i < n and time_s[i] <= expected_s + reach_s:
            off_s = abs(time_s[i] - expected_s)
            if not used[i] and off_s <= best_s and i > rows[last]:
                best, best_s = i, off_s
            i += 1
        if best >= 0:
            rows[count] = best
            slots[count] = slot
            count += 1
        elif place >= n:
            return count


@kernel(
    "int64(float64[::1], boolean[::1], float64, float64, float64, float64, int64, int64, float64,"
    " int64[::1], int64[::1], int64[::1], int64[::1])"
)
def longest_run(
    time_s: NDArray[np.float64],
    used: NDArray[np.bool_],
    shortest_period_s: float,
    longest_period_s: float,
    tolerance: float,
    least_tolerance_s: float,
    memory: int,
    longest_pause: int,
    filled: float,
    rows: NDArray[np.int64],
    slots: NDArray[np.int64],
    best_rows: NDArray[np.int64],
    best_slots: NDArray[np.int64],
) -> int:
    """Find the most events (n,) that one clock explains; return how many, 0 for none.

    ``used`` events are passed over. best_rows and best_slots (n,) take the events and their
    cycles; at least ``filled`` of the cycles hold one. rows and slots (n,) are scratch.
    """
    n = len(time_s)
    best = 0
    for first in range(n):
        if used[first]:
            continue
        for second in range(first + 1, n):
            apart_s = time_s[second] - time_s[first]
            if apart_s > longest_period_s:
                break
            if used[second] or apart_s < shortest_period_s:
                continue
            count = follow(
                time_s,
                used,
                first,
                second,
                tolerance,
                least_tolerance_s,
                memory,
                longest_pause,
                rows,
                slots,
            )
            while count > 2 and count < filled * (slots[count - 1] + 1):
                count -= 1
            if count > best:
                best = count
                best_rows[:count] = rows[:count]
                best_slots[:count] = slots[:count]
    return best
