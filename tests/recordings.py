"""Recordings in memory, cut into blocks at will, and simulated legs to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import Block, Recording
from rlsmove.simulate import named_scenario, simulate_night
from rlsmove.simulate.night import SimulatedNight

EVENING = datetime(2026, 3, 1, 22, 30)


class ArrayRecording(Recording):
    """Samples in memory, read like any other recording.

    Parameters
    ----------
    acceleration : ndarray of shape (n, 3), in g
        Rows of NaN are missing.
    time_s : ndarray of shape (n,), optional
        By default sample i lies i / fs after the start.
    fs : float
        The rate that the device says it was set to.
    cut : int
        Samples of a block.
    """

    def __init__(
        self,
        acceleration: NDArray[np.floating],
        time_s: NDArray[np.float64] | None = None,
        *,
        fs: float = 100.0,
        cut: int = 1 << 16,
        start_time: datetime = EVENING,
        range_g: float = 8.0,
        side: str = "unknown",
        name: str = "made_up",
    ) -> None:
        super().__init__(
            Path(name),
            device="simulated array",
            start_time=start_time,
            sample_rate_hz=fs,
            range_g=range_g,
            side=side,
            placement="ankle",
        )
        values = np.ascontiguousarray(acceleration, np.float32)
        there = ~np.isnan(values[:, 0])
        time_s = np.arange(len(values)) / fs if time_s is None else time_s
        self._values, self._time_s = values[there], time_s[there]
        self._cut = cut

    def blocks(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Block]:
        low, high = np.searchsorted(self._time_s, (start_s, end_s))
        for start in range(low, high, self._cut):
            end = min(start + self._cut, high)
            self.fraction_read = (end - low) / (high - low)
            yield Block(self._values[start:end], self._time_s[start:end])
        self.fraction_read = 1.0


def at_rest(
    hours: float, *, fs: float = 100.0, noise_g: float = 0.002, seed: int = 0
) -> NDArray[np.float32]:
    """A device that lies still, with its noise, shape (n, 3)."""
    rng = np.random.default_rng(seed)
    n = round(hours * 3600 * fs)
    return (np.array([0.1, -0.2, 0.97]) + noise_g * rng.standard_normal((n, 3))).astype(np.float32)


@lru_cache(maxsize=8)
def simulated(seed: int = 1, **changes: float | str) -> SimulatedNight:
    """A short simulated night; by default an hour of one leg full of periodic movements."""
    from dataclasses import replace

    chosen = {"hours": 1.0, "fs": 50.0, "legs": "left", "start_time": EVENING, **changes}
    return simulate_night(replace(named_scenario("severe"), **chosen), seed)  # type: ignore[arg-type]


@lru_cache(maxsize=8)
def simulated_samples(
    side: str = "left", seed: int = 1, **changes: float | str
) -> NDArray[np.float32]:
    """The samples of one leg of such a night, shape (n, 3)."""
    return simulated(seed, **changes).acceleration(side)


def any_rotation(seed: int) -> NDArray[np.float64]:
    """A rotation of space, shape (3, 3)."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    q *= np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q
