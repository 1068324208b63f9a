"""A recording on a uniform clock of 25 Hz, whatever rate its device really ran at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.recording import Recording
from rlsmove.signal import _kernels
from rlsmove.signal.survey import longest_pause_s

#: Rate of the common clock. Movements of a limb lie below 10 Hz (Sicbaldi et al. 2025 use
#: 0.1-10 Hz at the ankle), and every device in use for sleep records at 25 Hz or more; one rate
#: for all makes results independent of the recording's own.
CLOCK_HZ = 25.0

#: Grid points handed out at a time.
CHUNK = 1 << 15


#: Half the width of the Hann window that samples are weighted by.
REACH_S = _kernels.HALF_WIDTH / CLOCK_HZ

#: Steps of a quarter of a cosine in the table that weights are looked up in: 0.02 ms each.
QUARTER_STEPS = 2048


class UniformReader:
    """A recording on the common clock, read onwards from where the reading before it ended.

    A fortnight read night by night is decoded once, also where its format cannot be searched,
    such as a compressed one.

    Parameters
    ----------
    recording : Recording
        An opened recording.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._chunks: Iterator[NDArray[np.float32]] | None = None
        self._chunk = np.empty((0, 3), np.float32)
        self._next = 0

    def read(
        self, first: int, length: int, progress: Callable[[float], None] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Read consecutive grid points.

        Parameters
        ----------
        first : int
            Number of the first grid point; it lies first / 25 s after the start.
        length : int
            How many.
        progress : callable, optional
            Called with the fraction read, after each piece.

        Yields
        ------
        ndarray of float32, shape (m, 3), in g
            NaN inside gaps. Ends early where the recording does.
        """
        if self._chunks is None or first < self._next:
            self._chunks = uniform_acceleration(self._recording, first / CLOCK_HZ)
            self._chunk = self._chunk[:0]
            self._next = first
        end = first + length
        while self._next < end:
            if len(self._chunk) == 0:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return
                self._chunk = chunk
            start = min(max(first - self._next, 0), len(self._chunk))
            stop = min(end - self._next, len(self._chunk))
            piece = self._chunk[start:stop]
            self._chunk = self._chunk[stop:]
            self._next += stop
            if len(piece):
                yield piece
            if progress is not None:
                progress(min(max(self._next - first, 0) / length, 1.0))


def uniform_acceleration(
    recording: Recording, start_s: float, end_s: float = float("inf")
) -> Iterator[NDArray[np.float32]]:
    """Resample a stretch of a recording to the common clock.

    Each grid point is a mean of the samples within 0.08 s of it, weighted by a Hann window of
    their true distance in time, so that jitter, drift and odd rates need no special case. Grid
    times are k / 25 s from the start of the recording for whole k.

    The window has no negative weights: a filter with sharper edges rings, and the ringing of a
    strong movement begins 0.1 s before the movement does. Its first null lies at the Nyquist
    frequency of the common clock, and at 25 Hz the weights of the samples in reach always add up
    to the same.

    Parameters
    ----------
    recording : Recording
        An opened recording.
    start_s, end_s : float
        Stretch wanted, in seconds since the start of the recording.

    Yields
    ------
    ndarray of float32, shape (m, 3), in g
        Consecutive grid points from the first at or after start_s; NaN inside gaps. Nothing is
        yielded after the last sample. The values do not depend on how blocks were cut.
    """
    longest = longest_pause_s(recording.sample_rate_hz)
    quarter = np.cos(np.linspace(0.0, np.pi / 2, QUARTER_STEPS + 1))
    cells = np.empty((CHUNK + 3, 13))
    first = int(np.ceil(start_s * CLOCK_HZ - 1e-9))
    acceleration = np.empty((0, 3), np.float32)
    time_s = np.empty(0)

    def fill(until_s: float) -> Iterator[NDArray[np.float32]]:
        nonlocal first
        while True:
            grid = np.empty((CHUNK, 3), np.float32)
            filled = _kernels.resample(
                acceleration, time_s, first, CLOCK_HZ, until_s, longest, quarter, cells, grid
            )
            if filled == 0:
                return
            first += filled
            yield grid[:filled]

    for block in recording.blocks(start_s - REACH_S, end_s + REACH_S):
        if len(block.time_s) == 0:
            continue
        acceleration = np.concatenate([acceleration, block.acceleration])
        time_s = np.concatenate([time_s, block.time_s])
        yield from fill(min(time_s[-1] - REACH_S, end_s))
        # The next grid point still needs what lies within reach of it, and the sample before.
        keep = max(int(np.searchsorted(time_s, first / CLOCK_HZ - REACH_S)) - 1, 0)
        acceleration = acceleration[keep:]
        time_s = time_s[keep:]
    if len(time_s):
        yield from fill(min(np.nextafter(time_s[-1], np.inf), end_s))
