"""Each compiled loop of the signal stage against a slow, obvious twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rlsmove.signal import _kernels
from rlsmove.signal.sample_ticks import nearest_ticks


def noise(n: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((n, 3)).astype(np.float32)


def test_windows_hold_count_sums_squares_and_extremes() -> None:
    rng = np.random.default_rng(1)
    values = noise(997) + np.float32(0.3)
    time_s = np.sort(rng.uniform(0, 200, 997))
    time_s = time_s[(time_s < 50) | (time_s > 90)]
    values = values[: len(time_s)]
    state = np.zeros(_kernels.STATE_SIZE)
    rows = np.empty((30, _kernels.N_STATISTICS))
    done = _kernels.accumulate_windows(values, time_s, 10.0, state, rows)
    *rows[done], end_s, norm_sum = state
    assert end_s == 10.0 * (np.floor(time_s[-1] / 10.0) + 1)
    expected = []
    for number in range(20):
        inside = values[np.floor(time_s / 10.0) == number].astype(np.float64)
        if len(inside):
            parts = (inside.sum(0), (inside**2).sum(0), inside.min(0), inside.max(0))
            expected.append(np.concatenate([[number, len(inside)], *parts]))
    np.testing.assert_allclose(rows[: done + 1], expected, rtol=1e-12, atol=1e-12)
    assert len(expected) < 20
    assert norm_sum == pytest.approx(np.linalg.norm(values.astype(float), axis=1).sum())


def test_windows_end_whatever_the_times_are() -> None:
    time_s = np.array([-1e-9, 0.0, 1.0, np.nan, 12.0])
    state = np.zeros(_kernels.STATE_SIZE)
    rows = np.empty((5, _kernels.N_STATISTICS))
    values = np.ones((5, 3), np.float32)
    done = _kernels.accumulate_windows(values, time_s, 10.0, state, rows)
    assert rows[:done, :2].tolist() == [[-1, 1], [0, 3]]
    assert rows[:done, 8:].tolist() == [[1] * 6] * 2  # no 0 among the lowest and highest
    assert state[:2].tolist() == [1, 1]


def slow_resample(
    values: NDArray[np.float32],
    time_s: NDArray[np.float64],
    moments: NDArray[np.float64],
    longest_gap_s: float,
) -> NDArray[np.float64]:
    reach_s = _kernels.HALF_WIDTH / 25.0
    rows = np.full((len(moments), 3), np.nan)
    for row, moment in enumerate(moments):
        apart = np.abs(time_s - moment)
        near = apart < reach_s
        before = time_s[near & (time_s <= moment)]
        after = time_s[near & (time_s > moment)]
        if len(before) == 0 or (before[-1] != moment and len(after) == 0):
            continue
        if before[-1] != moment and after[0] - before[-1] > longest_gap_s:
            continue
        weight = 0.5 + 0.5 * np.cos(np.pi * apart[near] / reach_s)
        rows[row] = weight @ values[near].astype(float) / weight.sum()
    return rows


@pytest.mark.parametrize("fs", [25.0, 30.0, 85.7, 100.0])
def test_resampling_is_the_weighted_mean_of_the_samples_around(fs: float) -> None:
    rng = np.random.default_rng(2)
    n = 400
    time_s = np.cumsum(rng.uniform(0.5, 1.5, n) / fs)
    keep = (time_s < 0.4 * time_s[-1]) | (time_s > 0.4 * time_s[-1] + 0.5)
    time_s = time_s[keep]
    time_s[60] = np.ceil(25 * time_s[60]) / 25  # right on a grid time
    time_s.sort()
    values = noise(len(time_s))
    quarter = np.cos(np.linspace(0, np.pi / 2, 1_000_001))
    grid = np.empty((1000, 3), np.float32)
    cells = np.empty((1003, 13))
    end_s = float(time_s[-1])
    filled = _kernels.resample(values, time_s, 3, 25.0, end_s, 0.12, quarter, cells, grid)
    moments = np.arange(3, 3 + filled) / 25.0
    assert moments[-1] < end_s <= moments[-1] + 1 / 25
    expected = slow_resample(values, time_s, moments, 0.12)
    assert np.isnan(expected).any()
    np.testing.assert_allclose(grid[:filled], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (6, 6), (24, 24), (50, 3), (5, 1), (7, 9)])
def test_distance_of_the_means_ahead_and_behind(before: int, after: int) -> None:
    values = noise(120)
    distance = np.zeros(120, np.float32)
    _kernels.distance_of_means(values, before, after, distance)
    expected = np.zeros(120)
    for i in range(before, 120 - after + 1):
        ahead, behind = values[i : i + after].mean(0), values[i - before : i].mean(0)
        expected[i] = np.linalg.norm(ahead - behind)
    np.testing.assert_allclose(distance, expected, atol=1e-5)


def test_distance_is_zero_where_the_means_do_not_fit() -> None:
    distance = np.zeros(5, np.float32)
    _kernels.distance_of_means(noise(5), 3, 3, distance)
    np.testing.assert_array_equal(distance, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(0, 5), st.just(float("nan"))), min_size=1, max_size=60),
    st.integers(1, 20),
    st.floats(0, 1),
)
def test_rolling_quantile_is_the_lower_quantile_of_each_window(
    numbers: list[float], window: int, quantile: float
) -> None:
    values = np.array(numbers)
    window = min(window, len(values))
    result = np.empty(len(values) - window + 1)
    _kernels.rolling_quantile(values, quantile, np.empty(window), result)
    for i, found in enumerate(result):
        inside = np.sort(values[i : i + window])
        inside = inside[~np.isnan(inside)]
        expected = inside[int(quantile * (len(inside) - 1))] if len(inside) else 0.0
        assert found == expected


def slow_ticks(time_s: NDArray[np.float64], tick_hz: float, slack: float) -> list[int]:
    ticks: list[int] = []
    taken = -1
    for moment in time_s:
        place = moment * tick_hz
        tick = taken + 1 if abs(place - (taken + 1)) <= slack else int(np.floor(place + 0.5))
        ticks.append(tick if tick > taken else -1)
        taken = max(tick, taken)
    return ticks


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.97, 0.9999, 1.0, 1.0001, 1.05]),
    st.integers(1, 50),
)
def test_ticks_do_not_depend_on_the_cutting(seed: int, ratio: float, cut: int) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.uniform(0.8, 1.2, 300) / (50 * ratio))
    time_s[150:] += rng.uniform(0, 3)
    time_s -= time_s[0]
    last = np.array([-1], np.int64)
    ticks = np.empty(300, np.int64)
    for start in range(0, 300, cut):
        piece = ticks[start : start + cut]
        nearest_ticks(time_s[start : start + cut], 50.0, 0.75, last, piece)
    assert ticks.tolist() == slow_ticks(time_s, 50.0, 0.75)
    kept = ticks >= 0
    assert (np.diff(ticks[kept]) > 0).all()
    assert (np.abs(ticks[kept] - 50 * time_s[kept]) <= 0.75).all()


def slow_fit_sphere(rest: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale, shift, weight = np.ones(3), np.zeros(3), np.ones(len(rest))
    last_error = np.inf
    for _ in range(1000):
        current = rest * scale + shift
        target = current / np.linalg.norm(current, axis=1, keepdims=True)
        mean_rest = np.average(rest, axis=0, weights=weight)
        mean_target = np.average(target, axis=0, weights=weight)
        spread = weight[:, None] * (rest - mean_rest)
        scale = (spread * (target - mean_target)).sum(0) / (spread * (rest - mean_rest)).sum(0)
        shift = mean_target - scale * mean_rest
        residual = np.linalg.norm(rest * scale + shift - target, axis=1)
        weight = np.minimum(1.0 / np.maximum(residual, 1e-12), 100.0)
        error = np.sqrt(np.mean(residual**2))
        if abs(last_error - error) < 1e-10:
            break
        last_error = error
    return scale, shift


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sphere_is_fitted_as_by_the_plain_steps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    rest = points * rng.uniform(0.95, 1.05, 3) + rng.uniform(-0.05, 0.05, 3)
    rest += 0.002 * rng.standard_normal(rest.shape)
    scale, shift, weight = np.ones(3), np.zeros(3), np.ones(200)
    scratch = np.empty((200, 3)), np.empty((3, 4))
    _kernels.fit_sphere(rest, 1000, 1e-10, weight, *scratch, scale, shift)
    expected_scale, expected_shift = slow_fit_sphere(rest)
    np.testing.assert_allclose(scale, expected_scale, atol=1e-8)
    np.testing.assert_allclose(shift, expected_shift, atol=1e-8)
