"""One reading of a whole recording: what it covers, and 10-s statistics of its samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.recording import Block, Recording
from rlsmove.errors import DamagedRecording
from rlsmove.records import FloatArray
from rlsmove.signal import _kernels

#: Length of a statistics window (van Hees et al., J Appl Physiol 2014;117:738-744).
WINDOW_S = 10.0

#: Samples at the start of a recording in which the step of the scale is looked for.
STEP_SAMPLES = 50_000

#: Differences below this come from rounding in single precision.
ROUNDING_G = 1e-5


def longest_pause_s(sample_rate_hz: float) -> float:
    """Longest time between two samples that is not yet a gap, in seconds.

    Three sample intervals, so that a device's jitter makes no gaps, and at least 0.1 s, which is
    shorter than anything that is scored.
    """
    return max(3.0 / sample_rate_hz, 0.1)


@dataclass(frozen=True)
class Survey:
    """What a recording holds.

    Attributes
    ----------
    n_samples : int
        Samples read.
    end_s : float
        Time of the last sample, in seconds since the first.
    true_rate_hz : float
        Samples per second of recorded time, gaps left out.
    gap_start_s, gap_end_s : ndarray of float64, shape (g,)
        Last sample before and first sample after each gap.
    mean_norm_g : float
        Mean of the length of the acceleration vector.
    step_g : float
        Smallest difference between two successive values of an axis, in g: the step of the
        device's scale, or next to nothing where the values are not quantized.
    window_start_s : ndarray of float64, shape (k,)
        Start of each 10-s window that holds samples.
    window_count : ndarray of float64, shape (k,)
        Samples in it.
    mean_g, sd_g, low_g, high_g : ndarray of float32, shape (k, 3)
        Mean, standard deviation, smallest and largest value in it, for each axis.
    """

    n_samples: int
    end_s: float
    true_rate_hz: float
    gap_start_s: FloatArray
    gap_end_s: FloatArray
    mean_norm_g: float
    step_g: float
    window_start_s: FloatArray
    window_count: FloatArray
    mean_g: NDArray[np.float32]
    sd_g: NDArray[np.float32]
    low_g: NDArray[np.float32]
    high_g: NDArray[np.float32]

    @property
    def gap_s(self) -> FloatArray:
        """Length of each gap, in seconds, shape (g,)."""
        return self.gap_end_s - self.gap_start_s


def survey_recording(
    recording: Recording,
    progress: Callable[[float], None] | None = None,
    each_block: Callable[[Block], None] | None = None,
) -> Survey:
    """Read a recording from start to end, in bounded memory, and sum it up.

    Parameters
    ----------
    recording : Recording
        An opened recording.
    progress : callable, optional
        Called with the fraction read after each block.
    each_block : callable, optional
        Called with each block that holds samples, for whatever else has to see them all.

    Returns
    -------
    Survey
        The same for any cutting into blocks.

    Raises
    ------
    DamagedRecording
        When it holds no sample.
    """
    longest = longest_pause_s(recording.sample_rate_hz)
    state = np.zeros(_kernels.STATE_SIZE)
    windows: list[NDArray[np.float32]] = []
    gap_starts: list[FloatArray] = []
    gap_ends: list[FloatArray] = []
    n_samples = 0
    last_s = np.nan
    head: list[NDArray[np.float32]] = []
    for block in recording.blocks():
        time_s = block.time_s
        n = len(time_s)
        if n == 0:
            continue
        most = min(n, int((time_s[-1] - time_s[0]) / WINDOW_S) + 2)
        if each_block is not None:
            each_block(block)
        rows = np.empty((most, _kernels.N_STATISTICS))
        done = _kernels.accumulate_windows(block.acceleration, time_s, WINDOW_S, state, rows)
        windows.append(_window_statistics(rows[:done]))
        if n_samples and time_s[0] - last_s > longest:
            gap_starts.append(np.array([last_s]))
            gap_ends.append(time_s[:1])
        jumps = np.flatnonzero(np.diff(time_s) > longest)
        gap_starts.append(time_s[jumps])
        gap_ends.append(time_s[jumps + 1])
        if n_samples < STEP_SAMPLES:
            head.append(block.acceleration[: STEP_SAMPLES - n_samples].copy())
        n_samples += n
        last_s = float(time_s[-1])
        if progress is not None:
            progress(recording.fraction_read)
    if n_samples == 0:
        raise DamagedRecording(
            recording.path, "no samples", expected="at least one whole block of acceleration"
        )
    *unfinished, _, norm_sum = state
    table = np.concatenate([*windows, _window_statistics(np.array([unfinished]))])
    gap_start_s = np.concatenate(gap_starts)
    gap_end_s = np.concatenate(gap_ends)
    recorded_s = last_s - float(np.sum(gap_end_s - gap_start_s))
    intervals = n_samples - 1 - len(gap_start_s)
    return Survey(
        n_samples=n_samples,
        end_s=last_s,
        true_rate_hz=intervals / recorded_s if recorded_s > 0 else float("nan"),
        gap_start_s=gap_start_s,
        gap_end_s=gap_end_s,
        mean_norm_g=float(norm_sum) / n_samples,
        step_g=_smallest_step_g(np.concatenate(head)),
        window_start_s=table[:, 0].astype(np.float64) * WINDOW_S,
        window_count=table[:, 1].astype(np.float64),
        mean_g=table[:, 2:5],
        sd_g=table[:, 5:8],
        low_g=table[:, 8:11],
        high_g=table[:, 11:14],
    )


def _window_statistics(rows: FloatArray) -> NDArray[np.float32]:
    """Number, count, mean, SD, lowest and highest of windows from their sums, shape (k, 14)."""
    count = rows[:, 1:2]
    mean = rows[:, 2:5] / count
    variance = rows[:, 5:8] / count - mean * mean
    sd = np.sqrt(np.maximum(variance, 0.0))
    return np.hstack([rows[:, :2], mean, sd, rows[:, 8:]]).astype(np.float32)


def _smallest_step_g(acceleration: NDArray[np.float32]) -> float:
    steps = np.abs(np.diff(acceleration, axis=0))
    steps = steps[steps > ROUNDING_G]
    return float(np.min(steps)) if len(steps) else 0.0
