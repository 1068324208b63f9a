"""Two devices on one clock: offset and drift found, or refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.movements.common_clock import COMBINED_ERROR_S, find_common_clock
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
