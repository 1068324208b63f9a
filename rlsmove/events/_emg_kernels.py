"""Compiled steps of finding leg movements in EMG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import kernel


# envelope, rest: (n,) float64 in uV, NaN where nothing was recorded. Returns onset and offset of
# each movement as sample numbers, (k, 2): from where the envelope rises `onset_uv` above rest to
# the start of the first `quiet` samples that all stay within `offset_uv` of it.
@kernel("int64[:, ::1](float64[::1], float64[::1], float64, float64, int64)")
def envelope_bursts(
    envelope: NDArray[np.float64],
    rest: NDArray[np.float64],
    onset_uv: float,
    offset_uv: float,
    quiet: int,
) -> NDArray[np.int64]:
    n = len(envelope)
    found = np.empty((n // 2 + 1, 2), np.int64)
    count = 0
    onset = -1
    last_active = -1
    for i in range(n + 1):
        missing = i == n or np.isnan(envelope[i])
        if onset >= 0 and (missing or i - last_active > quiet):
            found[count, 0] = onset
            found[count, 1] = last_active + 1
            count += 1
            onset = -1
        if missing:
            continue
        above = envelope[i] - rest[i]
        if onset < 0 and above > onset_uv:
            onset = i
        if above > offset_uv:
            last_active = i
    return found[:count].copy()


# envelope, rest: (n,) float64 in uV; bursts: (k, 2) int64 sample numbers. Returns for each burst
# whether it holds `stretch` samples in a row of which at least half lie `above_uv` above rest: then
# their median does.
@kernel("boolean[::1](float64[::1], float64[::1], int64[:, ::1], float64, int64)")
def hold_median(
    envelope: NDArray[np.float64],
    rest: NDArray[np.float64],
    bursts: NDArray[np.int64],
    above_uv: float,
    stretch: int,
) -> NDArray[np.bool_]:
    holds = np.zeros(len(bursts), np.bool_)
    for burst in range(len(bursts)):
        start, end = bursts[burst, 0], bursts[burst, 1]
        active = 0
        for i in range(start, end):
            active += envelope[i] - rest[i] >= above_uv
            if i - start >= stretch:
                active -= envelope[i - stretch] - rest[i - stretch] >= above_uv
            if i - start >= stretch - 1 and 2 * active >= stretch:
                holds[burst] = True
                break
    return holds
