"""The movement signal and its noise against a slow, obvious twin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rlsmove.signal import activity
from rlsmove.signal.activity import movement_activity

SECOND = activity.SECOND


def still_with_a_kick(n: int) -> NDArray[np.float32]:
    values = np.random.default_rng(4).normal(0, 0.002, (n, 3))
    values[:, 2] += 1
    values[n // 2 : n // 2 + 40] += np.linspace(0, 0.3, 40)[:, None]
    values[n // 3 : n // 3 + 3 * SECOND] = values[n // 3]  # a filled gap
    return values.astype(np.float32)


def slow_noise(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Noise level before and after each second; a second of zeros says nothing of it."""
    seconds = [values[i : i + SECOND].mean() for i in range(0, len(values), SECOND)]
    means = np.where(np.array(seconds) == 0, np.nan, seconds)
    window = min(activity.NOISE_WINDOW_S, len(means))
    level = np.array(
        [
            np.nanquantile(means[i : i + window], activity.NOISE_QUANTILE, method="lower")
            for i in range(len(means) - window + 1)
        ]
    )
    before = [level[max(s - window + 1, 0)] for s in range(len(means))]
    after = [level[min(s, len(level) - 1)] for s in range(len(means))]
    return [np.array(before), np.array(after)]


def slow_activity(acceleration: NDArray[np.float32]) -> tuple[NDArray, ...]:
    values = acceleration.astype(float)
    n = len(values)
    second = np.arange(n) // SECOND
    strength = np.zeros(n)
    for span_s in activity.SPANS_S:
        span = round(span_s * SECOND)
        change = np.zeros(n)
        for i in range(span, n - span + 1):
            change[i] = np.linalg.norm(values[i : i + span].mean(0) - values[i - span : i].mean(0))
        noise = np.maximum(*slow_noise(change))
        least = activity.LEAST_THRESHOLD_G / activity.THRESHOLD_OVER_NOISE
        noise = np.maximum(noise, least)[second]
        strength = np.maximum(strength, change / (activity.THRESHOLD_OVER_NOISE * noise))
        for window_s, multiple in activity.GATHERED_OVER_NOISE.items():
            points = round(window_s * SECOND) | 1
            squares = np.convolve(change**2, np.ones(points) / points, "same")
            strength = np.maximum(strength, np.sqrt(squares) / (multiple * noise))
        if span_s == min(activity.SPANS_S):
            shaking = change / (activity.SHAKING_OVER_NOISE * noise)
    rest, half = round(activity.REST_S * SECOND), round(activity.MOMENT_S * SECOND) // 2
    distance = np.zeros(n)
    for i in range(rest + half, n - half):
        moment = values[i - half : i + half + 1].mean(0)
        distance[i] = np.linalg.norm(moment - values[i - half - rest : i - half].mean(0))
    before, after = slow_noise(distance)
    away_g = activity.AWAY_OVER_NOISE * np.maximum(before, after)
    away_g = np.maximum(away_g, activity.LEAST_THRESHOLD_G)
    return strength, shaking, away_g, np.minimum(before, after) > activity.UNREST_G


@pytest.mark.parametrize("piece_s", [47, 3600])
def test_activity_is_change_over_noise(piece_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    acceleration = still_with_a_kick(7 * 60 * SECOND + 13)
    acceleration[-60 * SECOND :] += np.float32(0.2) * np.random.default_rng(5).standard_normal(
        (60 * SECOND, 3)
    ).astype(np.float32)
    monkeypatch.setattr(activity, "PIECE_S", piece_s)
    found = movement_activity(acceleration, 0.0)
    strength, shaking, away_g, unrest = slow_activity(acceleration)
    np.testing.assert_allclose(found.shaking, shaking, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.strength, strength, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.away_g, away_g, rtol=1e-4)
    np.testing.assert_array_equal(found.unrest, unrest)
    assert found.strength[len(strength) // 2] > 1.0 > np.median(found.strength)
