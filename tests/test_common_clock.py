"""Two devices on one clock: offset and drift found, or refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.movements.common_clock import COMBINED_ERROR_S, LABORATORY, find_common_clock
from rlsmove.records import LEFT, RIGHT, Movements

NIGHT_S = 8 * 3600


def legs(
    seed: int,
    *,
    shared: int = 60,
    alone: int = 300,
    lag_s: float = 0.05,
    offset_s: float = 0.0,
    drift_ppm: float = 0.0,
) -> tuple[Movements, Movements]:
    """Onsets of two legs: some movements felt by both, within a lag, the others by one alone."""
    rng = np.random.default_rng(seed)
    both = rng.uniform(0, NIGHT_S, shared)
    left = np.concatenate([both, rng.uniform(0, NIGHT_S, alone)])
    right = np.concatenate([both + rng.normal(0, lag_s, shared), rng.uniform(0, NIGHT_S, alone)])
    return table(left, LEFT), table(offset_s + right * (1 + 1e-6 * drift_ppm), RIGHT)


def table(onset_s: np.ndarray, side: int) -> Movements:
    onset_ms = np.round(1000 * onset_s).astype(np.int64)
    n = len(onset_ms)
    return Movements.marks(onset_ms, np.full(n, 1500, np.int64), np.full(n, side, np.int8))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    offset_s=st.floats(-60, 60),
    drift_ppm=st.floats(-50, 50),
)
def test_offset_and_drift_are_found_over_the_whole_range(
    seed: int, offset_s: float, drift_ppm: float
) -> None:
    clock = find_common_clock(*legs(seed, offset_s=offset_s, drift_ppm=drift_ppm))
    assert clock.combined
    for moment_s in (0, NIGHT_S):
        found = clock.offset_s + 1e-6 * clock.drift_ppm * moment_s
        assert found == pytest.approx(offset_s + 1e-6 * drift_ppm * moment_s, abs=0.08)


def test_movements_of_the_right_leg_land_on_the_left_clock() -> None:
    left, right = legs(1, shared=80, alone=0, lag_s=0.0, offset_s=-41.5, drift_ppm=37.0)
    moved = find_common_clock(left, right).on_left_clock(right)
    assert np.abs(moved.onset_ms - left.onset_ms).max() <= 20


def test_legs_that_have_nothing_in_common_are_not_combined() -> None:
    refused = [not find_common_clock(*legs(seed, shared=0)).combined for seed in range(20)]
    assert sum(refused) >= 19


@pytest.mark.parametrize("shared", [0, 1, 5])
def test_too_few_movements_are_a_refusal_that_says_so(shared: int) -> None:
    clock = find_common_clock(*legs(3, shared=shared, alone=0))
    assert not clock.combined
    assert clock.error_s == float("inf")
    assert "scored alone" in clock.sentence


def test_a_leg_without_movements_is_a_refusal() -> None:
    left, _ = legs(4)
    assert not find_common_clock(left, Movements.empty()).combined


def test_lagging_legs_widen_the_error() -> None:
    close = find_common_clock(*legs(5, lag_s=0.03))
    loose = find_common_clock(*legs(5, lag_s=0.2))
    assert close.error_s < loose.error_s
    assert close.error_s < COMBINED_ERROR_S


def test_swapping_the_legs_turns_the_clock_round() -> None:
    left, right = legs(6, offset_s=12.0, drift_ppm=20.0)
    one, other = find_common_clock(left, right), find_common_clock(right, left)
    assert one.offset_s == pytest.approx(-other.offset_s, abs=0.05)
    assert one.drift_ppm == pytest.approx(-other.drift_ppm, abs=2.0)


def laboratory_night(seed: int, hits: float = 0.85) -> tuple[np.ndarray, np.ndarray]:
    """Onsets in s of one night by a sensor and by a laboratory: series of movements and rest."""
    rng = np.random.default_rng(seed)
    steps = np.where(
        rng.random(600) < 0.85, rng.lognormal(3.2, 0.25, 600), rng.exponential(250, 600)
    )
    onset_s = np.cumsum(steps)
    onset_s = onset_s[onset_s < NIGHT_S]

    def seen(share: float, scatter_s: float) -> np.ndarray:
        kept = onset_s[rng.random(len(onset_s)) < share]
        alone = rng.uniform(0, NIGHT_S, round(0.1 * len(onset_s)))
        return np.concatenate([kept + rng.normal(0, scatter_s, len(kept)), alone])

    return seen(hits, 0.12), seen(0.95, 0.05)


@pytest.mark.parametrize(
    ("offset_s", "drift_ppm"), [(37, 20), (-600, -50), (3600, 80), (-10_800, -80), (20_000, 50)]
)
def test_a_laboratorys_clock_is_found_hours_away(offset_s: float, drift_ppm: float) -> None:
    sensor, laboratory = laboratory_night(abs(int(offset_s)))
    laboratory = offset_s + laboratory * (1 + 1e-6 * drift_ppm)
    clock = find_common_clock(table(sensor, LEFT), table(laboratory, RIGHT), LABORATORY)
    assert clock.combined
    for moment_s in (0, NIGHT_S):
        found = clock.offset_s + 1e-6 * clock.drift_ppm * moment_s
        assert found == pytest.approx(offset_s + 1e-6 * drift_ppm * moment_s, abs=0.1)


def test_nights_of_different_people_are_not_put_on_one_clock() -> None:
    for seed in range(6):
        sensor, _ = laboratory_night(seed)
        _, laboratory = laboratory_night(seed + 100)
        clock = find_common_clock(table(sensor, LEFT), table(laboratory, RIGHT), LABORATORY)
        assert not clock.combined
        assert clock.sentence


def test_movements_at_one_interval_fit_everywhere_and_are_refused() -> None:
    onset_s = np.arange(60, NIGHT_S, 30.0)
    clock = find_common_clock(table(onset_s, LEFT), table(onset_s + 75, RIGHT), LABORATORY)
    assert not clock.combined
    assert "chance" in clock.sentence


def test_the_error_that_is_told_is_that_of_the_clock() -> None:
    told, true = [], []
    for seed in range(12):
        sensor, laboratory = laboratory_night(seed, hits=0.6)
        clock = find_common_clock(table(sensor, LEFT), table(laboratory + 120, RIGHT), LABORATORY)
        end_s = clock.offset_s + 1e-6 * clock.drift_ppm * NIGHT_S
        told.append(clock.error_s)
        true += [clock.offset_s - 120, end_s - 120]
    assert 0.4 < np.median(told) / np.sqrt(np.mean(np.square(true))) < 2.5


def test_legs_whose_clocks_are_an_hour_apart_are_combined() -> None:
    clock = find_common_clock(*legs(7, shared=150, offset_s=3600.0, drift_ppm=30.0))
    assert clock.combined
    assert clock.offset_s == pytest.approx(3600, abs=0.1)
