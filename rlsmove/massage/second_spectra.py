"""What shakes the sensor in each second, up to the device's own Nyquist frequency.

The common clock of 25 Hz takes out the vibration of a massager, so that this is measured while a
recording is read the first time, at the rate of its device.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.recording import Block
from rlsmove.records import FloatArray, IntArray
from rlsmove.signal import _kernels

#: Edges of the bands that power is summed in, in Hz; the last one ends at the Nyquist frequency.
BAND_EDGES_HZ = (1.5, 3.0, 8.0, 15.0)

#: A second is looked at where the root mean square of its acceleration about its mean, all axes
#: together, is above this; a sleeper's second seldom is, so that spectra cost next to nothing.
GATE_G = 0.012

#: A line is looked for from this frequency on; slower ones do not fit into a second.
LINE_FROM_HZ = 3.0

#: A line's power lies within this many steps of the spectrum of a Hann window.
LINE_STEPS = 2

#: Share of a second that is looked at, so that it holds enough samples whatever the true rate.
SHARE = 0.95


@dataclass(frozen=True)
class SecondSpectra:
    """Spectra of the seconds in which anything shook; arrays of length k.

    Attributes
    ----------
    second : ndarray of int64
        Whole seconds since the start of the recording, increasing.
    rms_g : ndarray of float32
        Root mean square about the mean, all axes together.
    band_g : ndarray of float32, shape (k, 4)
        Root mean square in the bands that begin at `BAND_EDGES_HZ`.
    line_hz, line_g : ndarray of float32
        Frequency of the strongest line as the device shows it, and its root mean square.
    nyquist_hz : float
        Half the device's rate; what vibrates faster shows folded below it.
    """

    second: IntArray
    rms_g: NDArray[np.float32]
    band_g: NDArray[np.float32]
    line_hz: NDArray[np.float32]
    line_g: NDArray[np.float32]
    nyquist_hz: float

    def between(self, start_s: float, end_s: float) -> SecondSpectra:
        """The seconds of a stretch."""
        first, last = np.searchsorted(self.second, (start_s, end_s))
        return SecondSpectra(
            self.second[first:last],
            self.rms_g[first:last],
            self.band_g[first:last],
            self.line_hz[first:last],
            self.line_g[first:last],
            self.nyquist_hz,
        )


class SpectraOfBlocks:
    """Gathers spectra from the blocks of a recording, in their order.

    Parameters
    ----------
    sample_rate_hz : float
        The rate that the device was set to.
    """

    def __init__(self, sample_rate_hz: float) -> None:
        self._rate_hz = sample_rate_hz
        self._length = int(SHARE * sample_rate_hz)
        self._size = 1 << int(np.ceil(np.log2(self._length)))
        window = np.hanning(self._length + 2)[1:-1]
        self._window = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
        self._rest = (np.empty((0, 3), np.float32), np.empty(0))
        self._rows: list[NDArray[np.float32]] = []
        self._seconds: list[IntArray] = []

    def add(self, block: Block) -> None:
        """Take the next block; its last second waits for the one after it."""
        acceleration = np.concatenate([self._rest[0], block.acceleration])
        time_s = np.concatenate([self._rest[1], block.time_s])
        if len(time_s) == 0:
            return
        last = int(np.searchsorted(time_s, np.floor(time_s[-1])))
        self._measure(acceleration[:last], time_s[:last])
        self._rest = (acceleration[last:].copy(), time_s[last:].copy())

    def result(self) -> SecondSpectra:
        """What was gathered, the last second included."""
        self._measure(*self._rest)
        rows = np.concatenate([np.empty((0, 7), np.float32), *self._rows])
        return SecondSpectra(
            second=np.concatenate([np.empty(0, np.int64), *self._seconds]),
            rms_g=rows[:, 0],
            band_g=rows[:, 1:5],
            line_hz=rows[:, 5],
            line_g=rows[:, 6],
            nyquist_hz=self._rate_hz / 2,
        )

    def _measure(self, acceleration: NDArray[np.float32], time_s: FloatArray) -> None:
        if len(time_s) == 0:
            return
        most = min(len(time_s), int(time_s[-1] - time_s[0]) + 2)
        table = np.empty((most, _kernels.N_STATISTICS))
        state = np.zeros(_kernels.STATE_SIZE)
        done = _kernels.accumulate_windows(acceleration, time_s, 1.0, state, table)
        table[done] = state[: _kernels.N_STATISTICS]
        table = table[: done + 1]
        count = table[:, 1]
        mean = table[:, 2:5] / count[:, None]
        rms_g = np.sqrt(np.maximum(table[:, 5:8] / count[:, None] - mean**2, 0).sum(axis=1))
        chosen = np.flatnonzero((rms_g > GATE_G) & (count >= self._length))
        if len(chosen) == 0:
            return
        start = (np.cumsum(count) - count)[chosen].astype(np.int64)
        pieces = acceleration[start[:, None] + np.arange(self._length)]
        pieces = pieces - mean[chosen, None].astype(np.float32)
        step_hz = (self._length - 1) / (time_s[start + self._length - 1] - time_s[start])
        step_hz = step_hz / self._size
        self._seconds.append(table[chosen, 0].astype(np.int64))
        self._rows.append(
            np.column_stack([rms_g[chosen], self._spectra(pieces, step_hz)]).astype(np.float32)
        )

    def _spectra(self, pieces: NDArray[np.float32], step_hz: FloatArray) -> FloatArray:
        """Bands, line frequency and line strength of pieces (k, l, 3), shape (k, 6)."""
        spectrum = np.fft.rfft(pieces * self._window[:, None], self._size, axis=1)
        # Mean squares: the power of each step, both halves of the spectrum together.
        power = (2 * np.sum(np.abs(spectrum) ** 2, axis=2) / self._size).astype(np.float64)
        hz = np.arange(power.shape[1]) * step_hz[:, None]
        edges = (*BAND_EDGES_HZ, np.inf)
        bands = [
            np.sqrt(np.sum(power * ((hz >= low) & (hz < high)), axis=1))
            for low, high in pairwise(edges)
        ]
        wide = LINE_STEPS * self._size // self._length
        peak = np.argmax(np.where(hz >= LINE_FROM_HZ, power, 0), axis=1)
        peak = np.clip(peak, 1, power.shape[1] - 2)
        row = np.arange(len(power))
        low, top, high = (np.log(power[row, peak + off] + 1e-30) for off in (-1, 0, 1))
        curve = low - 2 * top + high
        shift = np.where(curve < 0, 0.5 * (low - high) / np.where(curve < 0, curve, 1), 0)
        near = np.abs(np.arange(power.shape[1]) - peak[:, None]) <= wide
        line_g = np.sqrt(np.sum(power * near, axis=1))
        return np.column_stack([*bands, (peak + np.clip(shift, -0.5, 0.5)) * step_hz, line_g])
