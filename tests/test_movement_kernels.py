"""Each step of the tracer against a slow and obvious twin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rlsmove.movements import _kernels, traces
from rlsmove.movements.traces import find_bursts, group_bursts, largest_turns, rest_levels
from rlsmove.signal.activity import SECOND, movement_activity

RNG_SEEDS = range(8)


def walk(rng: np.random.Generator, n: int = 400) -> NDArray[np.float32]:
    """Acceleration that wanders, rests and jumps."""
    steps = rng.normal(0, 0.01, (n, 3)) * (rng.random((n, 1)) < 0.3)
    return np.ascontiguousarray(np.cumsum(steps, axis=0) + np.array([0, 0, 1]), np.float32)


def moment(acceleration: NDArray[np.float32], i: int, half: int) -> NDArray[np.float64]:
    return acceleration[max(i - half, 0) : i + half + 1].astype(float).mean(axis=0)


@pytest.mark.parametrize("seed", RNG_SEEDS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_bursts_are_runs_above_the_threshold_joined_across_short_pauses(
    seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    strength = np.where(rng.random(300) < share, 1.5, 0.5).astype(np.float32)
    expected: list[list[int]] = []
    for i in np.flatnonzero(strength > 1.0).tolist():
        if expected and i - (expected[-1][1] - 1) < round(traces.REST_BETWEEN_S * SECOND):
            expected[-1][1] = i + 1
        else:
            expected.append([i, i + 1])
    assert find_bursts(strength, 1.0).tolist() == expected


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_rest_levels_are_means_beside_the_burst_and_not_beyond_its_neighbors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    edges = np.sort(rng.choice(np.arange(5, 395), 12, replace=False))
    bursts = np.ascontiguousarray(edges.reshape(-1, 2), np.int64)
    before, after = rest_levels(acceleration, bursts)
    for b, (start, end) in enumerate(bursts.tolist()):
        floor = bursts[b - 1, 1] if b else 0
        ceiling = bursts[b + 1, 0] if b < 5 else 400
        low, high = max(start - 50, floor), min(end + 50, ceiling)
        np.testing.assert_allclose(before[b], acceleration[low:start].astype(float).mean(axis=0))
        np.testing.assert_allclose(after[b], acceleration[end:high].astype(float).mean(axis=0))


@pytest.mark.parametrize("burst", [(0, 400), (0, 3), (397, 400)])
def test_rest_levels_have_a_value_where_there_is_no_room(burst: tuple[int, int]) -> None:
    acceleration = walk(np.random.default_rng(0))
    before, after = rest_levels(acceleration, np.array([burst], np.int64))
    assert np.all(np.isfinite(before))
    assert np.all(np.isfinite(after))


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_largest_turn_is_the_farthest_smoothed_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    window = np.hanning(23)[1:-1]
    window /= window.sum()
    spans = np.sort(rng.choice(400, (5, 2), replace=False), axis=1)
    spans[4] = spans[4, 0]  # an empty one
    rest = rng.normal(size=(5, 3))
    padded = np.pad(acceleration.astype(float), ((10, 10), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(padded[:, k], window, "valid") for k in range(3)], axis=1)
    turn_g, away = largest_turns(acceleration, spans, rest)
    for k, (start, end) in enumerate(spans[:4].tolist()):
        distance = np.linalg.norm(smooth[start:end] - rest[k], axis=1)
        assert turn_g[k] == pytest.approx(distance.max())
        np.testing.assert_allclose(away[k], smooth[start + int(distance.argmax())] - rest[k])
    assert turn_g[4] == 0.0


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_trace_is_where_the_limb_is_away_from_both_rests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    away_g = rng.uniform(0.01, 0.04, 16).astype(np.float32)
    shaking = (rng.exponential(0.3, 400) * (rng.random(400) < 0.8)).astype(np.float32)
    before, after = acceleration[:20].mean(axis=0), acceleration[-20:].mean(axis=0)
    before, after = before.astype(float), after.astype(float)
    half, join, least = 1, 12, _kernels.LEAST_TOTAL
    spans = np.array([[10, 390], [390, 390], [10, 390]])
    rests = [np.tile(rest, (3, 1)) for rest in (before, after)]
    runs, level = np.empty((64, 3), np.int64), np.empty(64)
    count = _kernels.trace_away(
        acceleration, shaking, away_g, spans, *rests, half, join, np.empty((2, 400)), runs, level
    )

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
    excess = np.maximum(beyond, shaking)
    near = _kernels.SHAKING_HALF
    shaken = [np.mean(shaking[max(i - near, 0) : i + near + 1] ** 2.0) for i in range(400)]
    gain = np.minimum(np.maximum(beyond**2, shaken), _kernels.LARGEST_GAIN) - 1
    expected, levels = [], []
    i = 10
    while i < 390:
        if gain[i] <= 0 or excess[i] <= 1:
            i += 1
            continue
        # The sum of gains from here on: up to where it is used up, or has not risen for long.
        sums = np.cumsum(gain[i:390])
        end = next(
            (
                j
                for j in range(len(sums))
                if j and (sums[j] <= 0 or j - int(sums[: j + 1].argmax()) >= join)
            ),
            len(sums),
        )
        last = i + int(sums[: end + 1].argmax())
        if sums[: end + 1].max() < least:
            i += end + 1
            continue
        rms = np.sqrt(np.mean(excess[i : last + 1] ** 2))
        slight = max(
            _kernels.SLIGHT * rms, min(_kernels.HALF_AS_MUCH * rms, _kernels.SLIGHT_MOST), 1.0
        )
        kept = i + np.flatnonzero(excess[i : last + 1] >= slight)
        expected.append([int(kept[0]), int(kept[-1]) + 1])
        levels.append(slight)
        i = last + 1
    assert runs[:count].tolist() == [[k, *run] for k in (0, 2) for run in expected]
    np.testing.assert_allclose(level[:count], levels * 2)


def test_a_burst_out_and_a_burst_back_are_one_group_and_others_stay_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n = 1000
    level = np.zeros(n)
    level[100:200] = 0.1  # out at 100, back at 200
    level[400:] = 0.1  # out for good
    acceleration = np.zeros((n, 3), np.float32)
    acceleration[:, 0] = level
    bursts = np.array([[95, 105], [195, 205], [395, 405], [700, 705]], np.int64)
    before, after = rest_levels(acceleration, bursts)
    away_g = np.full(n // 25, 0.01, np.float32)
    groups = group_bursts(acceleration, away_g, bursts, before, after)
    assert groups.tolist() == [[0, 2], [2, 3], [3, 4]]
    monkeypatch.setattr(traces, "LONGEST_HOLD_S", 4.0)
    groups = group_bursts(acceleration, away_g, bursts, before, after)
    assert groups.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    # Above the threshold nothing is held.
    groups = group_bursts(acceleration, 20 * away_g, bursts, before, after)
    assert len(groups) == 4


@pytest.mark.parametrize("ramp", [1, 5, 20, 40])
@pytest.mark.parametrize("step", [1, -1])
def test_departure_finds_the_foot_of_a_ramp(ramp: int, step: int) -> None:
    x = np.clip((np.arange(200) - 100) / ramp, 0, 1) * 0.2
    acceleration = np.zeros((200, 3), np.float32)
    acceleration[:, 1] = x[::step]
    first = int(np.flatnonzero(acceleration[:, 1] > 0.02)[0 if step == 1 else -1])
    last = 199 if step == 1 else 0
    lead = np.empty(2)
    _kernels.find_leads(
        acceleration,
        np.array([first, first]),
        np.array([last, last]),
        step,
        np.zeros((2, 3)),
        np.array([0.02, 0.02]),
        0,
        np.empty(220),
        lead,
    )
    foot = 100 if step == 1 else 99
    assert first - step * lead == pytest.approx(foot, abs=max(1.0, 0.1 * ramp))


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_runs_are_measured_as_by_the_plain_steps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    strength = rng.exponential(1.0, 400).astype(np.float32)
    spans = np.sort(rng.choice(400, (6, 2), replace=False), axis=1)
    before, after = (acceleration[spans[:, end]].astype(float) for end in (0, 1))
    turn_g = rng.uniform(0.1, 0.5, 6)
    net, scatter, measured = np.zeros((6, 3)), np.zeros((6, 3, 3)), np.empty((6, 6))
    _kernels.measure_runs(
        acceleration, strength, spans, before, after, turn_g, 1, net, scatter, measured
    )
    for k, (start, end) in enumerate(spans.tolist()):
        run = acceleration[start:end].astype(float)
        from_before, from_after = run - before[k], run - after[k]
        nearer = np.linalg.norm(from_before, axis=1) <= np.linalg.norm(from_after, axis=1)
        away = np.where(nearer[:, None], from_before, from_after)
        energy = np.sum(away**2, axis=1)
        at = np.arange(start, end)
        covered = np.linalg.norm(
            acceleration[np.minimum(at + 2, 399)] - acceleration[np.maximum(at - 2, 0)], axis=1
        )
        two = acceleration[at] + acceleration[np.minimum(at + 1, 399)]
        two_before = acceleration[np.maximum(at - 1, 0)] + acceleration[np.maximum(at - 2, 0)]
        np.testing.assert_allclose(net[k], run.mean(0) - (before[k] + after[k]) / 2, atol=1e-9)
        np.testing.assert_allclose(scatter[k], away.T @ away / (end - start), atol=1e-9)
        expected = (
            strength[start:end].max(),
            np.linalg.norm(from_before, axis=1).max(),
            np.sqrt(energy.mean()),
            np.sqrt(np.mean(np.sum((two - two_before) ** 2, axis=1) / 4)),
            np.mean(covered > _kernels.MOVING_SHARE * turn_g[k]),
            np.average((at - start + 0.5) / (end - start), weights=energy) if energy.any() else 0.5,
        )
        np.testing.assert_allclose(measured[:, k], expected, rtol=1e-5)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_scores_are_those_of_the_leaves_that_the_evidence_leads_to(seed: int) -> None:
    rng = np.random.default_rng(seed)
    evidence = rng.normal(size=(20, 4))
    evidence[0] = np.nan
    feature, threshold = rng.integers(0, 4, (6, 7)), rng.normal(size=(6, 7))
    threshold[0] = evidence[1, feature[0]]  # at the threshold is not above it
    score, log_odds = rng.normal(size=(6, 8)), np.full(20, 0.5)
    _kernels.add_scores(evidence, feature, threshold, score, log_odds)
    for k in range(20):
        total = 0.5
        for asks, above, adds in zip(feature, threshold, score, strict=True):
            first = evidence[k, asks[0]] > above[0]
            second = evidence[k, asks[1 + first]] > above[1 + first]
            third = 3 + 2 * first + second
            total += adds[2 * (2 * first + second) + (evidence[k, asks[third]] > above[third])]
        assert log_odds[k] == pytest.approx(total)


def test_two_short_bursts_that_turn_on_are_one_where_the_pause_is_short() -> None:
    level = np.zeros((1000, 3), np.float32)
    level[205:, 0] = 0.05  # to one place,
    level[255:, 1] = 0.08  # soon on to another,
    level[605:, 2] = 0.05  # and late to a third
    bursts = np.array([[200, 210], [250, 260], [600, 610]], np.int64)
    before, after = rest_levels(level, bursts)
    away_g = np.full(40, 0.01, np.float32)
    assert group_bursts(level, away_g, bursts, before, after).tolist() == [[0, 2], [2, 3]]
    pause = round(traces.SHORT_HOLD_S * SECOND)
    for more, groups in ((0, [[0, 2]]), (1, [[0, 1], [1, 2]])):
        apart = np.array([[200, 210], [210 + pause + more, 220 + pause + more]], np.int64)
        found = group_bursts(level, away_g, apart, before[:2], after[:2])
        assert found.tolist() == groups


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_rests_are_the_first_stretches_within_the_threshold_of_how_they_begin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    acceleration = walk(rng)
    away_g = rng.uniform(0.005, 0.02, 16).astype(np.float32)
    runs = np.array([[3, 150], [160, 168], [200, 400]], np.int64)
    half, shortest = 1, 10
    rests = np.empty((100, 3), np.int64)
    count = _kernels.find_rests(acceleration, away_g, runs, half, shortest, np.empty((1, 3)), rests)
    expected = []
    for run, (first, last) in enumerate(runs):
        start = first
        while start + shortest <= last:
            level = acceleration[start : start + shortest].astype(float).mean(axis=0)
            still = [
                np.linalg.norm(moment(acceleration, i, half) - level) <= away_g[i // SECOND]
                for i in range(start, last)
            ]
            length = still.index(False) if False in still else len(still)
            if length >= shortest:
                expected.append([run, start, start + length])
            start += length if length >= shortest else 1
    assert len(expected) > 3
    assert rests[:count].tolist() == expected


@pytest.mark.filterwarnings("error")
def test_a_burst_out_of_zeros_is_traced_without_a_warning() -> None:
    rng = np.random.default_rng(0)
    acceleration = rng.normal(0, 0.002, (20_000, 3)) + np.array([0, 0, 1])
    acceleration[5_000:12_000] = 0
    acceleration[8_000:8_050] += 0.3 * rng.standard_normal((50, 3))
    acceleration = acceleration.astype(np.float32)
    found = traces.trace_movements(acceleration, movement_activity(acceleration, 0.0), 1.0)
    assert np.any((found.start > 7_980) & (found.end < 8_070))
    assert np.isnan(found.across_g).any()
