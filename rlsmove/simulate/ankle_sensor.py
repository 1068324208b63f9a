"""What a device on a simulated leg records: the leg, the body's small motions, the noise."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from rlsmove.records import FloatArray, Intervals
from rlsmove.simulate.body import Leg
from rlsmove.simulate.limb_motion import rotate, turned, unit
from rlsmove.simulate.physics import Physics
from rlsmove.simulate.scenarios import NightParameters

#: The motion is computed at this rate or above, and brought down to the device's by a low pass, as
#: a device does.
_MOTION_RATE_HZ = 100.0
#: The same where motors are felt.
_HUMMING_RATE_HZ = 400.0
#: Pass band of that low pass, as a share of the device's rate, and its length in output samples.
_PASS, _FILTER_SAMPLES = 0.45, 16
#: Length of the stretches in which a recording is made.
_BLOCK_S = 300.0
#: Longest movement, for the search of those that touch a stretch.
_LONGEST_S = 400.0
#: A strap has forgotten how it swung after this time.
_STRAP_MEMORY_S = 3.0
#: Breathing in a respiratory event, and in the breaths after it, beside that before.
_BREATH_HELD, _BREATH_AFTER, _AFTER_S = 0.25, 1.7, 12.0
#: Time constants of the random walks whose sum is 1/f noise down to the longest of them.
_FLICKER_S = (0.03, 0.3, 3.0, 30.0, 300.0)


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
    respiratory : Intervals
        When breathing is shallow.
    """

    CYCLES_FROM_S = -200.0

    def __init__(
        self,
        parameters: NightParameters,
        leg: Leg,
        rng: np.random.Generator,
        breath_cycles: FloatArray,
        heart_cycles: FloatArray,
        respiratory: Intervals,
    ) -> None:
        self.lying_from_s = np.array(leg.lying_from_s)
        n = len(self.lying_from_s)
        self.breath_g = _directions(rng, n) * _heights(rng, n, parameters.breathing_g)
        self.heart_g = _directions(rng, n) * _heights(rng, n, parameters.heart_g)
        self.breath_cycles, self.heart_cycles = breath_cycles, heart_cycles
        self.drift_g = parameters.drift_g * rng.normal(size=(3, 3)) / 2
        self.drift_hz = 1 / rng.uniform(1800.0, 14400.0, 3)
        self.drift_phase = rng.uniform(0, 2 * np.pi, 3)
        # Depth of breathing, by the second.
        self.breath_depth = np.ones(len(breath_cycles))
        for start_ms, end_ms in zip(respiratory.onset_ms, respiratory.offset_ms, strict=True):
            start, end = (int(ms / 1000 - self.CYCLES_FROM_S) for ms in (start_ms, end_ms))
            self.breath_depth[end : end + int(_AFTER_S)] = _BREATH_AFTER
            self.breath_depth[start:end] = _BREATH_HELD

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
        wave *= _interpolate(self.breath_depth, time_s)
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
    off_s : ndarray, shape (k, 2)
        Stretches of true time in which the sensor lies beside the leg.
    off_gravity : ndarray, shape (k, 3)
        What it feels then, in g.
    """

    leg: Leg
    background: Background
    clock: Clock
    gain: FloatArray
    offset_g: FloatArray
    gaps_s: FloatArray
    seed: np.random.SeedSequence
    off_s: FloatArray
    off_gravity: FloatArray

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
        fs = parameters.fs
        rng = np.random.default_rng(self.seed)
        flicker = _Flicker(parameters.physics.flicker_g, fs, np.random.default_rng(self.seed))
        total = round(parameters.hours * 3600 * fs)
        step = round(_BLOCK_S * fs)
        for first in range(0, total, step):
            last = min(first + step, total)
            felt = self._moved(first, last, fs, parameters.physics)
            rows = stored(self.seen(felt) + flicker.next(last - first), parameters, rng)
            for start_s, end_s in self.gaps_s:
                low, high = (round(edge * fs) - first for edge in (start_s, end_s))
                rows[max(low, 0) : max(high, 0)] = np.nan
            yield rows

    def seen(self, felt_g: FloatArray) -> FloatArray:
        """What a miscalibrated sensor makes of what it feels."""
        return felt_g * self.gain + self.offset_g

    def records(self, start_s: float, end_s: float, parameters: NightParameters) -> bool:
        """Whether a stretch of true time was recorded on the leg, with no gap in it."""
        start, end = self.clock.reading_s(np.array([start_s, end_s]))
        missed = (self.gaps_s[:, 0] < end) & (self.gaps_s[:, 1] > start)
        off = (self.off_s[:, 0] < end_s) & (self.off_s[:, 1] > start_s)
        inside = start >= 0.0 and end <= parameters.hours * 3600
        return bool(inside and not missed.any() and not off.any())

    def _moved(self, first: int, last: int, fs: float, physics: Physics) -> FloatArray:
        """Noiseless acceleration at output samples [first, last)."""
        # What is neither filtered nor swings is wanted at the samples alone.
        rate_hz = fs
        if physics.filtered or physics.strap_hz:
            hums = self._hums(first / fs, last / fs)
            rate_hz = _HUMMING_RATE_HZ if hums else _MOTION_RATE_HZ
        times = max(int(np.ceil(rate_hz / fs - 1e-9)), 1)
        half = _FILTER_SAMPLES * times // 2 if times > 1 and physics.filtered else 0
        lead = int(_STRAP_MEMORY_S * fs * times) if physics.strap_hz else 0
        samples = np.arange(first * times - half - lead, (last - 1) * times + half + 1)
        fine = self.acceleration(self.clock.true_s(samples / (fs * times)))
        if physics.strap_hz:
            fine = _on_strap(fine, physics.strap_hz / (fs * times), physics.strap_damping)[lead:]
        if half == 0:
            return fine[::times]
        taps = _low_pass(half, _PASS / times)
        smooth = [np.convolve(fine[:, axis], taps, "valid")[::times] for axis in range(3)]
        return np.stack(smooth, axis=1)

    def _hums(self, start_s: float, end_s: float) -> bool:
        """Whether a motor is felt between two readings of the clock."""
        low, high = self.clock.true_s(np.array([start_s - 1.0, end_s + 1.0]))
        return any(
            part.form == "steady" and part.start_s < high and part.start_s + part.duration_s > low
            for motion in self.leg.shakes
            for part in motion.shakes
        )

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
        total += self.background.at(time_s)
        for (off_from_s, off_to_s), gravity in zip(self.off_s, self.off_gravity, strict=True):
            low, high = np.searchsorted(time_s, (off_from_s, off_to_s))
            total[low:high] = gravity
        return total


def stored(
    rows_g: FloatArray, parameters: NightParameters, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Rows with the device's white noise, within its range and on its steps."""
    device = parameters.model
    noise_g = device.noise_g * parameters.noise_ratio * np.sqrt(parameters.fs / 100.0)
    noisy = rows_g + noise_g * rng.standard_normal(rows_g.shape)
    kept = np.clip(noisy, -device.range_g, device.range_g)
    return (np.round(kept / device.step_g) * device.step_g).astype(np.float32)


def _on_strap(rows: FloatArray, frequency: float, damping: float) -> FloatArray:
    """What a sensor feels that swings on its strap; frequency in cycles per row."""
    omega = 2 * np.tan(np.pi * min(frequency, 0.45))
    # The bilinear transform of omega^2 / (s^2 + 2 damping omega s + omega^2).
    a = np.array(
        [
            4 + 4 * damping * omega + omega**2,
            2 * omega**2 - 8,
            4 - 4 * damping * omega + omega**2,
        ]
    )
    b = omega**2 * np.array([1.0, 2.0, 1.0])
    return lfilter(b / a[0], a / a[0], rows - rows[0], axis=0) + rows[0]


class _Flicker:
    """1/f noise, stretch by stretch: a sum of random walks that forget after different times."""

    def __init__(self, sd_g: float, fs: float, rng: np.random.Generator) -> None:
        self.keep = np.exp(-1 / (np.array(_FLICKER_S) * fs))
        self.sd_g = sd_g / np.sqrt(len(_FLICKER_S))
        self.rng = rng
        self.state = self.sd_g * rng.standard_normal((len(_FLICKER_S), 3))

    def next(self, n: int) -> FloatArray:
        """The next n rows, in g."""
        total = np.zeros((n, 3))
        if self.sd_g == 0:
            return total
        for row, keep in enumerate(self.keep):
            step = self.sd_g * np.sqrt(1 - keep**2) * self.rng.standard_normal((n, 3))
            walk, _ = lfilter([1.0], [1.0, -keep], step, axis=0, zi=keep * self.state[row][None])
            self.state[row] = walk[-1]
            total += walk
        return total


def _low_pass(half: int, cutoff: float) -> FloatArray:
    """Windowed sinc of 2 half + 1 taps, unit gain at rest; cutoff in cycles per sample."""
    place = np.arange(-half, half + 1)
    taps = np.sinc(2 * cutoff * place) * np.hamming(2 * half + 1)
    return taps / taps.sum()
