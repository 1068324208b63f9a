"""Each compiled loop of the detector against a slow and obvious twin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rlsmove.movements import _kernels

RNG_SEEDS = range(8)


def walk(rng: np.random.Generator, n: int = 400) -> NDArray[np.float32]:
    """Acceleration that wanders, rests and jumps."""
    steps = rng.normal(0, 0.01, (n, 3)) * (rng.random((n, 1)) < 0.3)
    return np.ascontiguousarray(np.cumsum(steps, axis=0) + np.array([0, 0, 1]), np.float32)


def moment(acceleration: NDArray[np.float32], i: int, half: int) -> NDArray[np.float64]:
    return acceleration[max(i - half, 0) : i + half + 1].astype(float).mean(axis=0)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_bursts_are_runs_above_the_threshold_joined_across_short_pauses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strength = rng.exponential(0.6, 300).astype(np.float32)
    join = int(rng.integers(1, 8))
    bursts = np.empty((300, 2), np.int64)
    bursts = bursts[: _kernels.find_bursts(strength, 1.0, join, bursts)]

    expected: list[list[int]] = []
    for i in np.flatnonzero(strength > 1.0).tolist():
        if expected and i - (expected[-1][1] - 1) < join:
            expected[-1][1] = i + 1
        else:
            expected.append([i, i + 1])
    assert bursts.tolist() == expected


def test_bursts_stop_at_the_room_there_is() -> None:
    strength = np.array([2, 0, 0, 2, 0, 0, 2], np.float32)
    bursts = np.empty((2, 2), np.int64)
    assert _kernels.find_bursts(strength, 1.0, 2, bursts) == 2
    assert bursts.tolist() == [[0, 1], [3, 4]]


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_rest_levels_are_means_beside_the_burst_and_not_beyond_its_neighbors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    edges = np.sort(rng.choice(np.arange(5, 395), 12, replace=False))
    bursts = np.ascontiguousarray(edges.reshape(-1, 2), np.int64)
    before, after = np.empty((6, 3)), np.empty((6, 3))
    _kernels.rest_levels(acceleration, bursts, 50, before, after)
    for b, (start, end) in enumerate(bursts.tolist()):
        floor = bursts[b - 1, 1] if b else 0
        ceiling = bursts[b + 1, 0] if b < 5 else 400
        low, high = max(start - 50, floor), min(end + 50, ceiling)
        np.testing.assert_allclose(before[b], acceleration[low:start].astype(float).mean(axis=0))
        np.testing.assert_allclose(after[b], acceleration[end:high].astype(float).mean(axis=0))


@pytest.mark.parametrize("burst", [(0, 400), (0, 3), (397, 400)])
def test_rest_levels_have_a_value_where_there_is_no_room(burst: tuple[int, int]) -> None:
    acceleration = walk(np.random.default_rng(0))
    before, after = np.full((1, 3), np.nan), np.full((1, 3), np.nan)
    _kernels.rest_levels(acceleration, np.array([burst], np.int64), 50, before, after)
    assert np.all(np.isfinite(before))
    assert np.all(np.isfinite(after))


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_largest_turn_is_the_farthest_smoothed_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    window = np.hanning(23)[1:-1]
    window /= window.sum()
    start, end = sorted(rng.choice(400, 2, replace=False).tolist())
    rest, away = rng.normal(size=3), np.zeros(3)
    padded = np.pad(acceleration.astype(float), ((10, 10), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(padded[:, k], window, "valid") for k in range(3)], axis=1)
    distance = np.linalg.norm(smooth[start:end] - rest, axis=1)
    turn = _kernels.largest_turn(acceleration, start, end, window, rest, away)
    assert turn == pytest.approx(distance.max())
    np.testing.assert_allclose(away, smooth[start + int(distance.argmax())] - rest)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_trace_is_where_the_limb_is_away_from_both_rests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    away_g = rng.uniform(0.01, 0.04, 16).astype(np.float32)
    before, after = acceleration[:20].mean(axis=0), acceleration[-20:].mean(axis=0)
    before, after = before.astype(float), after.astype(float)
    half, join = 1, 12
    runs = np.empty((64, 2), np.int64)
    runs = runs[
        : _kernels.trace_away(acceleration, away_g, 10, 390, before, after, half, join, runs)
    ]

    beyond = np.array(
        [
            min(
                np.linalg.norm(moment(acceleration, i, half) - before),
                np.linalg.norm(moment(acceleration, i, half) - after),
            )
            / away_g[i // 25]
            for i in range(400)
        ]
    )
    raw: list[list[int]] = []
    for i in range(10, 390):
        if beyond[i] > 1:
            if raw and raw[-1][1] == i:
                raw[-1][1] = i + 1
            else:
                raw.append([i, i + 1])
    expected: list[list[int]] = []
    for start, end in raw:
        if end - start <= 2 * half and beyond[start:end].max() <= _kernels.NOISE_MULTIPLE:
            continue
        if expected and start - expected[-1][1] < join:
            expected[-1][1] = end
        else:
            expected.append([start, end])
    assert runs.tolist() == expected


def test_a_burst_out_and_a_burst_back_are_one_group_and_others_stay_alone() -> None:
    n = 1000
    level = np.zeros(n)
    level[100:200] = 0.1  # out at 100, back at 200
    level[400:] = 0.1  # out for good
    acceleration = np.zeros((n, 3), np.float32)
    acceleration[:, 0] = level
    bursts = np.array([[95, 105], [195, 205], [395, 405], [700, 705]], np.int64)
    before, after = np.empty((4, 3)), np.empty((4, 3))
    _kernels.rest_levels(acceleration, bursts, 50, before, after)
    window = np.ones(5) / 5
    groups = np.empty((4, 2), np.int64)
    away_g = np.full(n // 25, 0.01, np.float32)
    arguments = (acceleration, bursts, before, after, away_g)
    count = _kernels.group_bursts(*arguments, 300, window, 0.2, 0.5, groups)
    assert groups[:count].tolist() == [[0, 2], [2, 3], [3, 4]]
    count = _kernels.group_bursts(*arguments, 100, window, 0.2, 0.5, groups)
    assert groups[:count].tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]


@pytest.mark.parametrize("ramp", [1, 5, 20, 40])
@pytest.mark.parametrize("step", [1, -1])
def test_departure_finds_the_foot_of_a_ramp(ramp: int, step: int) -> None:
    x = np.clip((np.arange(200) - 100) / ramp, 0, 1) * 0.2
    acceleration = np.zeros((200, 3), np.float32)
    acceleration[:, 1] = x[::step]
    first = int(np.flatnonzero(acceleration[:, 1] > 0.02)[0 if step == 1 else -1])
    last = 199 if step == 1 else 0
    back = _kernels.departure(acceleration, first, last, step, np.zeros(3), 0.02, 0)
    foot = 100 if step == 1 else 99
    assert first - step * back == pytest.approx(foot, abs=max(1.0, 0.1 * ramp))
