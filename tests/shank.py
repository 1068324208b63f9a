"""A made-up shank on the common clock: rests, turns and shakes put together by hand.

Its physics are plainer than the simulator's, so that each test shows what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rlsmove.signal.nights import Night, NightSpan

FS = 25.0


@dataclass
class Shank:
    """Ten quiet minutes, to which movements are added before the night is taken."""

    minutes: float = 10.0
    noise_g: float = 0.001
    seed: int = 0
    rest: tuple[float, float, float] = (0.0, 0.0, 1.0)
    turn_deg: NDArray[np.float64] = field(init=False)
    shake_g: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        n = round(self.minutes * 60 * FS)
        self.turn_deg = np.zeros(n)
        self.shake_g = np.zeros((n, 3))

    @property
    def time_s(self) -> NDArray[np.float64]:
        return np.arange(len(self.turn_deg)) / FS

    def flex(
        self,
        onset_s: float,
        duration_s: float,
        deg: float,
        ramp_s: float = 0.4,
        left_deg: float = 0,
    ) -> Shank:
        """Turn away within ramp_s, stay, and turn back so that it is over after duration_s."""
        out = np.clip((self.time_s - onset_s) / ramp_s, 0, 1)
        back = np.clip((self.time_s - onset_s - duration_s + ramp_s) / ramp_s, 0, 1)
        smooth_out, smooth_back = (0.5 - 0.5 * np.cos(np.pi * part) for part in (out, back))
        self.turn_deg += deg * smooth_out - (deg - left_deg) * smooth_back
        return self

    def settle(self, onset_s: float, duration_s: float, deg: float) -> Shank:
        """Turn to a new posture."""
        part = np.clip((self.time_s - onset_s) / duration_s, 0, 1)
        self.turn_deg += deg * (0.5 - 0.5 * np.cos(np.pi * part))
        return self

    def shake(self, onset_s: float, duration_s: float, peak_g: float, hz: float = 4.0) -> Shank:
        """Shake to and fro without a turn, swelling and fading."""
        since = self.time_s - onset_s
        inside = (since >= 0) & (since < duration_s)
        swell = np.sin(np.pi * since[inside] / duration_s)
        wave = peak_g * swell * np.sin(2 * np.pi * hz * since[inside])
        self.shake_g[inside] += wave[:, None] * np.array([0.6, 0.5, 0.62])
        return self

    def tap(self, onset_s: float, peak_g: float) -> Shank:
        """Knock on the device, for a tenth of a second."""
        self.shake_g[round(onset_s * FS) : round(onset_s * FS) + 2] += peak_g
        return self

    def acceleration(self) -> NDArray[np.float64]:
        angle = np.radians(self.turn_deg)
        rest = np.array(self.rest) / np.linalg.norm(self.rest)
        axis = np.cross(rest, [0.3, 0.8, -0.5])
        axis /= np.linalg.norm(axis)
        across = np.cross(axis, rest)
        gravity = np.cos(angle)[:, None] * rest + np.sin(angle)[:, None] * across
        noise = np.random.default_rng(self.seed).normal(0.0, self.noise_g, gravity.shape)
        return gravity + self.shake_g + noise

    def night(self) -> Night:
        return night_of(self.acceleration())


def night_of(acceleration: NDArray[np.floating], first: int = 0) -> Night:
    """Points of the common clock as a night."""
    end_s = (first + len(acceleration)) / FS
    span = NightSpan(date(2026, 3, 1), first / FS, end_s, end_s - first / FS)
    return Night(span, first, FS, np.ascontiguousarray(acceleration, np.float32))
