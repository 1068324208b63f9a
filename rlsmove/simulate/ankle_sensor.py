"""What a device on a simulated leg records: the leg, the body's small motions, the noise."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray
from rlsmove.simulate.body import Leg
from rlsmove.simulate.limb_motion import rotate, turned, unit
from rlsmove.simulate.scenarios import DEVICES, NightParameters

#: The motion is computed at this rate or above, and brought down to the device's by a low pass, as
#: a device does.
_MOTION_RATE_HZ = 100.0
#: Pass band of that low pass, as a share of the device's rate, and its length in output samples.
_PASS, _FILTER_SAMPLES = 0.45, 16
#: Length of the stretches in which a recording is made.
_BLOCK_S = 300.0
#: Longest movement, for the search of those that touch a stretch.
_LONGEST_S = 400.0


class Background:
    """Breathing, heart beat and slow drift at one ankle, as functions of time.

    Parameters
    ----------
    parameters : NightParameters
        Amplitudes.
    leg : Leg
        Each posture carries breathing and heart beat in another direction and strength.
    rng : Generator
        Source of chance.
    breath_cycles, heart_cycles : ndarray
        Count of breaths and beats at whole seconds from `CYCLES_FROM_S` on; of the body, so that
        both legs share them.
    """

    CYCLES_FROM_S = -200.0

    def __init__(
        self,
        parameters: NightParameters,
        leg: Leg,
        rng: np.random.Generator,
        breath_cycles: FloatArray,
        heart_cycles: FloatArray,
    ) -> None:
        self.lying_from_s = np.array(leg.lying_from_s)
        n = len(self.lying_from_s)
        self.breath_g = _directions(rng, n) * _heights(rng, n, parameters.breathing_g)
        self.heart_g = _directions(rng, n) * _heights(rng, n, parameters.heart_g)
        self.breath_cycles, self.heart_cycles = breath_cycles, heart_cycles
        self.drift_g = parameters.drift_g * rng.normal(size=(3, 3)) / 2
        self.drift_hz = 1 / rng.uniform(1800.0, 14400.0, 3)
        self.drift_phase = rng.uniform(0, 2 * np.pi, 3)

    @staticmethod
    def cycles(hours: float, rate_hz: tuple[float, float], rng: np.random.Generator) -> FloatArray:
        """Cycles counted at whole seconds, at a rate that wanders within bounds."""
        n = int(hours * 3600 - 2 * Background.CYCLES_FROM_S) + 2
        knots = rng.uniform(*rate_hz, n // 40 + 2)
        rate = np.interp(np.arange(n) / 40, np.arange(len(knots)), knots)
        return np.concatenate(([0.0], np.cumsum(rate)[:-1]))

    def at(self, time_s: FloatArray) -> FloatArray:
        """Acceleration in g, shape (n, 3), at increasing times."""
        posture = np.searchsorted(self.lying_from_s, time_s, "right") - 1
        breath = 2 * np.pi * _interpolate(self.breath_cycles, time_s)
        beat = _interpolate(self.heart_cycles, time_s) % 1.0
        wave = np.sin(breath) + 0.25 * np.sin(2 * breath)
        # A beat rings at six times its own rate and dies away within half of it.
        pulse = np.sin(2 * np.pi * 6 * beat) * np.exp(-5.0 * beat)
        drift = np.sin(2 * np.pi * self.drift_hz * time_s[:, None] + self.drift_phase)
        return (
            wave[:, None] * self.breath_g[posture]
            + pulse[:, None] * self.heart_g[posture]
            + drift @ self.drift_g
        )

    def rms_g(self, time_s: float) -> float:
        """Root mean square of breathing and heart beat over the three axes at one time."""
        posture = int(np.searchsorted(self.lying_from_s, time_s, "right")) - 1
        breath = float(np.linalg.norm(self.breath_g[posture]))
        heart = float(np.linalg.norm(self.heart_g[posture]))
        # Mean squares of the two waves above.
        return float(np.sqrt(breath**2 * (1 + 0.25**2) / 2 + heart**2 * 0.05))


def _directions(rng: np.random.Generator, n: int) -> FloatArray:
    return np.array([unit(row) for row in rng.normal(size=(n, 3))])


def _heights(rng: np.random.Generator, n: int, median: float) -> FloatArray:
    return median * np.exp(rng.normal(0.0, 0.5, n))[:, None]


def _interpolate(at_seconds: FloatArray, time_s: FloatArray) -> FloatArray:
    place = time_s - Background.CYCLES_FROM_S
    whole = np.clip(place.astype(np.int64), 0, len(at_seconds) - 2)
    return at_seconds[whole] + (place - whole) * (at_seconds[whole + 1] - at_seconds[whole])


@dataclass(frozen=True)
class Clock:
    """A device's clock against the true one.

    Attributes
    ----------
    offset_s : float
        What it reads when the true clock reads 0.
    drift_ppm : float
        How much faster it runs.
    """

    offset_s: float = 0.0
    drift_ppm: float = 0.0

    def true_s(self, reading_s: FloatArray) -> FloatArray:
        """True times at which the clock shows these readings."""
        return (reading_s - self.offset_s) / (1 + self.drift_ppm * 1e-6)

    def reading_s(self, true_s: FloatArray) -> FloatArray:
        """What the clock shows at true times."""
        return self.offset_s + true_s * (1 + self.drift_ppm * 1e-6)


@dataclass(frozen=True)
class AnkleSensor:
    """A device on one leg, ready to record.

    Attributes
    ----------
    leg : Leg
        All movements made.
    background : Background
        What the body does besides.
    clock : Clock
        The device's.
    gain, offset_g : ndarray, shape (3,)
        Its miscalibration.
    gaps_s : ndarray, shape (k, 2)
        Stretches without samples, in seconds of the device's clock.
    seed : SeedSequence
        Of the noise.
    """

    leg: Leg
    background: Background
    clock: Clock
    gain: FloatArray
    offset_g: FloatArray
    gaps_s: FloatArray
    seed: np.random.SeedSequence

    def record(self, parameters: NightParameters) -> Iterator[NDArray[np.float32]]:
        """Yield the recording in stretches of five minutes.

        Parameters
        ----------
        parameters : NightParameters
            Length, rate, device and noise.

        Yields
        ------
        ndarray of float32, shape (n, 3), in g
            A missing sample is a row of NaN.
        """
        device = DEVICES[parameters.device]
        fs = parameters.fs
        noise_g = device.noise_g * parameters.noise_ratio * np.sqrt(fs / 100.0)
        rng = np.random.default_rng(self.seed)
        total = round(parameters.hours * 3600 * fs)
        step = round(_BLOCK_S * fs)
        for first in range(0, total, step):
            last = min(first + step, total)
            rows = self._moved(first, last, fs) * self.gain + self.offset_g
            rows += noise_g * rng.standard_normal((last - first, 3))
            rows = np.clip(rows, -device.range_g, device.range_g)
            rows = np.round(rows / device.step_g) * device.step_g
            for start_s, end_s in self.gaps_s:
                low, high = (round(edge * fs) - first for edge in (start_s, end_s))
                rows[max(low, 0) : max(high, 0)] = np.nan
            yield rows.astype(np.float32)

    def records(self, start_s: float, end_s: float, parameters: NightParameters) -> bool:
        """Whether all of a stretch of true time is in the recording, with no gap in it."""
        start, end = self.clock.reading_s(np.array([start_s, end_s]))
        missed = (self.gaps_s[:, 0] < end) & (self.gaps_s[:, 1] > start)
        return bool(start >= 0.0 and end <= parameters.hours * 3600 and not missed.any())

    def _moved(self, first: int, last: int, fs: float) -> FloatArray:
        """Noiseless acceleration at output samples [first, last)."""
        times = max(int(np.ceil(_MOTION_RATE_HZ / fs - 1e-9)), 1)
        if times == 1:
            return self.acceleration(self.clock.true_s(np.arange(first, last) / fs))
        half = _FILTER_SAMPLES * times // 2
        samples = np.arange(first * times - half, (last - 1) * times + half + 1)
        fine = self.acceleration(self.clock.true_s(samples / (fs * times)))
        taps = _low_pass(half, _PASS / times)
        smooth = [np.convolve(fine[:, axis], taps, "valid")[::times] for axis in range(3)]
        return np.stack(smooth, axis=1)

    def acceleration(self, time_s: FloatArray) -> FloatArray:
        """Acceleration at the sensor at increasing true times, in g, shape (n, 3)."""
        leg = self.leg
        lies = np.searchsorted(leg.rest_from_s, time_s, "right") - 1
        total = np.array(leg.rest_gravity)[lies]
        for motions, turns_leg in ((leg.motions, True), (leg.shakes, False)):
            onsets = [motion.onset_s for motion in motions]
            start = bisect_left(onsets, time_s[0] - _LONGEST_S)
            for motion in motions[start : bisect_left(onsets, time_s[-1])]:
                low, high = np.searchsorted(time_s, (motion.onset_s, motion.offset_s))
                if low == high:
                    continue
                turn, inertial = turned(motion, leg.lever_direction, time_s[low:high])
                if turns_leg:
                    total[low:high] = rotate(total[low], turn)
                total[low:high] += inertial
        return total + self.background.at(time_s)


def _low_pass(half: int, cutoff: float) -> FloatArray:
    """Windowed sinc of 2 half + 1 taps, unit gain at rest; cutoff in cycles per sample."""
    place = np.arange(-half, half + 1)
    taps = np.sinc(2 * cutoff * place) * np.hamming(2 * half + 1)
    return taps / taps.sum()
