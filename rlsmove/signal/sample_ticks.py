"""A recording's own samples on a uniform clock, for file formats that keep no time stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import kernel
from rlsmove.devices.recording import Recording

#: A sample stays on the tick after the one before it while that is no farther off than this, in
#: ticks. Half a tick would let a device's jitter double and drop samples whenever its phase passes
#: the middle between two ticks.
SLACK_TICKS = 0.75

#: Missing rows handed out at a time.
ROWS = 1 << 16


def samples_on_ticks(
    recording: Recording, tick_hz: float, progress: Callable[[float], None] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Lay the samples of a recording on the ticks of a uniform clock, unchanged.

    Each sample goes to the nearest tick, or stays next to the sample before it while that is no
    more than three quarters of a tick from its time. Row i of what is yielded lies i / tick_hz
    after the first sample.

    Parameters
    ----------
    recording : Recording
        An opened recording. Gets the notice ``samples_left_out`` where more samples than ticks
        came, as from a device whose rate wanders.
    tick_hz : float
        Ticks per second, such as the device's true mean rate.
    progress : callable, optional
        Called with the fraction of the recording read, after each block.

    Yields
    ------
    ndarray of float32, shape (m, 3), in g
        Consecutive rows, in pieces of bounded size; a tick without a sample is a row of NaN.
    """
    last = np.array([-1], np.int64)
    left_out = 0
    n_samples = 0
    for block in recording.blocks():
        n = len(block.time_s)
        first = int(last[0]) + 1
        ticks = np.empty(n, np.int64)
        nearest_ticks(block.time_s, tick_hz, SLACK_TICKS, last, ticks)
        kept = np.flatnonzero(ticks >= 0)
        n_samples += n
        left_out += n - len(kept)
        # Cut where a piece would grow too long: at gaps, which may last for days.
        for rows in np.split(kept, np.flatnonzero(np.diff(ticks[kept]) > ROWS) + 1):
            if len(rows) == 0:
                continue
            while ticks[rows[0]] - first > ROWS:
                yield np.full((ROWS, 3), np.nan, np.float32)
                first += ROWS
            piece = np.full((ticks[rows[-1]] + 1 - first, 3), np.nan, np.float32)
            piece[ticks[rows] - first] = block.acceleration[rows]
            first = int(ticks[rows[-1]]) + 1
            yield piece
        if progress is not None:
            progress(recording.fraction_read)
    if left_out:
        recording.notice(
            "samples_left_out",
            f"{left_out} of {n_samples} samples came faster than the mean rate of {tick_hz:.4f} Hz "
            "and found no tick left; each is less than a tick from one that was kept",
        )


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
