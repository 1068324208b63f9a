"""The randomization test: against enumeration by hand, against scipy, and against its interval."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.comparison.contrast import contrast
from rlsmove.comparison.randomized_shift import ALPHA, shift_test, sign_flip_test
from rlsmove.study.schedule import Schedule, indicator

LEVEL = np.array([0.0, 1.0])


def pairs(arms: list[int]) -> Schedule:
    nights = np.arange(len(arms))
    return Schedule("pairs", nights // 2, nights, np.array(arms), 2)


def one_block(scheme: str, arms: list[int], max_run: int | None = None) -> Schedule:
    nights = np.arange(len(arms))
    return Schedule(scheme, np.zeros(len(arms), int), nights, np.array(arms), 2, max_run)


def slow_p(y, x, every, fixed, shift: float = 0.0) -> float:
    """Fit y on x and the fixed columns by least squares for every assignment, one by one."""
    y = y - shift * x

    def statistic(z):
        basis = np.linalg.qr(fixed)[0]
        rest = z - basis @ (basis.T @ z)
        return abs(rest @ y) / np.linalg.norm(rest)

    observed = statistic(x)
    return float(np.mean([statistic(z) >= observed - 1e-9 for z in every]))


def test_seven_pairs_all_in_favor_by_hand():
    y = np.log([3, 9, 8, 2, 4, 11, 3, 10, 12, 4, 2, 9, 3, 13])
    arms = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0]
    found = contrast(y, pairs(arms), LEVEL, seed=1)
    assert found is not None
    # Of 2^7 ways to swap, only the one made and its mirror are as extreme.
    assert found.p == 2 / 128
    assert found.p_minimum == 2 / 128
    assert found.high < 0


def test_free_assignment_by_hand():
    y = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0])
    found = contrast(y, one_block("free", [0, 0, 0, 1, 1, 1]), LEVEL, seed=1)
    assert found is not None
    assert found.p == 2 / 20
    assert found.shift == 9.0


def test_agrees_with_scipy_for_pairs_and_for_two_samples():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    y = rng.normal(size=16)
    arms = [0, 1] * 8
    found = contrast(y, pairs(arms), LEVEL, seed=1)
    scipy = stats.permutation_test(
        (y[1::2] - y[::2],), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert found is not None
    assert found.p == pytest.approx(scipy.pvalue)

    treated, control = rng.normal(0.8, 1, 6), rng.normal(size=6)
    found = contrast(
        np.concatenate([treated, control]), one_block("free", [1] * 6 + [0] * 6), LEVEL, seed=1
    )
    scipy = stats.permutation_test(
        (treated, control),
        lambda a, b: np.mean(a) - np.mean(b),
        permutation_type="independent",
        n_resamples=np.inf,
    )
    assert found is not None
    assert found.p == pytest.approx(scipy.pvalue)


def test_sign_flips_agree_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(8).normal(0.4, 1, 9)
    scipy = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_test(values, np.random.default_rng(1)).p == pytest.approx(scipy.pvalue)


OUTCOMES = st.lists(
    st.integers(-12, 12).map(float) | st.floats(-3, 3, allow_subnormal=False),
    min_size=8,
    max_size=8,
)


@given(OUTCOMES, st.permutations([0, 0, 0, 0, 1, 1, 1, 1]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_fast_p_is_that_of_least_squares_for_each_assignment(y, arms, adjusted):
    y, x = np.array(y), np.array(arms, float)
    every = np.array([row for row in itertools.product([0.0, 1.0], repeat=8) if sum(row) == 4])
    fixed, day = np.ones((8, 1)), np.arange(8.0)[:, None] - 3.5
    found = shift_test(y, x, every, fixed, day if adjusted else None, exact=True)
    assert found is not None
    all_fixed = np.column_stack([fixed, day]) if adjusted else fixed
    for shift in (0.0, 0.7):
        moved = shift_test(y - shift * x, x, every, fixed, day if adjusted else None, exact=True)
        assert moved is not None
        assert moved.p == pytest.approx(slow_p(y, x, every, all_fixed, shift))


@given(
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=14, max_size=14),
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.floats(-4, 4),
)
@settings(max_examples=150, deadline=None)
def test_interval_holds_exactly_the_shifts_that_are_not_rejected(y, flips, shift):
    arms = [arm for flip in flips for arm in ([1, 0] if flip else [0, 1])]
    y, x = np.array(y), np.array(arms, float)
    found = contrast(y, pairs(arms), LEVEL, seed=1)
    moved = contrast(y - shift * x, pairs(arms), LEVEL, seed=1)
    assert found is not None
    assert moved is not None
    if min(abs(shift - found.low), abs(shift - found.high)) > 1e-6:
        assert (found.low <= shift <= found.high) == (moved.p > ALPHA)
    assert (found.low <= 0 <= found.high) == (found.p > ALPHA)
    assert found.low <= found.shift <= found.high


def test_interval_and_p_agree_for_monte_carlo_draws():
    rng = np.random.default_rng(2)
    for _ in range(20):
        x = rng.permutation([0, 1] * 15)
        y = rng.normal(size=30) + 0.7 * x
        found = contrast(y, one_block("free", x.tolist()), LEVEL, seed=4)
        assert found is not None
        assert found.test is not None
        assert not found.test.exact
        assert found.p >= 1 / 20_000
        assert (found.low <= 0 <= found.high) == (found.p > ALPHA)


@pytest.mark.parametrize("pairs_", [5, 6, 7, 8])
def test_level_is_the_largest_that_so_many_pairs_allow(pairs_):
    """Whatever the nights were like, over all schedules that could have been drawn."""
    y = np.random.default_rng(pairs_).normal(size=2 * pairs_)
    rejected = 0
    for flips in itertools.product([0, 1], repeat=pairs_):
        arms = [arm for flip in flips for arm in (flip, 1 - flip)]
        found = contrast(y, pairs(arms), LEVEL, seed=1)
        assert found is not None
        rejected += found.p <= ALPHA
    assert rejected == 2 * int(ALPHA * 2**pairs_ / 2)


def test_level_holds_for_a_capped_scheme_with_a_trend_and_a_missing_night():
    y = np.linspace(0, 3, 8) + np.random.default_rng(1).normal(0, 0.3, 8)
    y[3] = np.nan
    every = [
        arms
        for arms in itertools.product([0, 1], repeat=8)
        if sum(arms) == 4 and max(len(list(g)) for _, g in itertools.groupby(arms)) <= 2
    ]
    rejected = [
        found.p <= ALPHA
        for arms in every
        if (found := contrast(y, one_block("free", list(arms), 2), LEVEL, seed=1))
    ]
    assert len(rejected) == len(every)
    assert np.mean(rejected) <= ALPHA


def test_ties_everywhere_give_a_p_of_one():
    found = contrast(np.full(14, 2.5), pairs([0, 1] * 7), LEVEL, seed=1)
    assert found is not None
    assert found.p == 1.0
    assert found.shift == found.low == found.high == 0.0


def test_five_pairs_cannot_reach_the_level_and_have_no_interval():
    y = np.arange(10.0) % 2 * 50
    found = contrast(y, pairs([0, 1] * 5), LEVEL, seed=1)
    assert found is not None
    assert found.p_minimum == 2 / 32
    assert (found.low, found.high) == (-np.inf, np.inf)


@given(
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=14, max_size=14),
    st.floats(-5, 5),
    st.floats(0.1, 10),
)
@settings(max_examples=60, deadline=None)
def test_a_common_level_changes_nothing_a_scale_scales_and_swapped_arms_mirror(y, level, scale):
    y, arms = np.array(y), [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1]
    plain = contrast(y, pairs(arms), LEVEL, seed=1)
    moved = contrast(y + level, pairs(arms), LEVEL, seed=1)
    scaled = contrast(scale * y, pairs(arms), LEVEL, seed=1)
    mirrored = contrast(y, pairs([1 - arm for arm in arms]), LEVEL, seed=1)
    assert plain is not None
    assert moved is not None
    assert scaled is not None
    assert mirrored is not None
    for other, factor in ((moved, 1.0), (scaled, scale)):
        assert other.shift == pytest.approx(factor * plain.shift, abs=1e-9)
        assert other.low == pytest.approx(factor * plain.low, abs=1e-9)
        assert other.high == pytest.approx(factor * plain.high, abs=1e-9)
    assert mirrored.shift == pytest.approx(-plain.shift, abs=1e-12)
    assert mirrored.low == pytest.approx(-plain.high, abs=1e-9)
    assert mirrored.p == plain.p


def test_the_standard_error_of_pairs_is_that_of_their_differences():
    rng = np.random.default_rng(6)
    y = rng.normal(size=20)
    found = contrast(y, pairs([0, 1] * 10), LEVEL, seed=1)
    assert found is not None
    differences = y[1::2] - y[::2]
    assert found.se == pytest.approx(differences.std(ddof=1) / 10**0.5)
    assert found.mean == pytest.approx(differences.mean())


def test_periods_of_several_nights_count_once():
    """Two nights each: four pairs of periods have sixteen assignments, not two hundred."""
    nights = np.arange(16)
    arms = np.repeat([0, 1, 1, 0, 1, 0, 0, 1], 2)
    schedule = Schedule("pairs", nights // 4, nights // 2, arms, 2)
    y = np.random.default_rng(4).normal(size=16) + arms
    found = contrast(y, schedule, LEVEL, seed=1)
    means = y.reshape(8, 2).mean(axis=1)
    single = contrast(means, pairs(arms[::2].tolist()), LEVEL, seed=1)
    assert found is not None
    assert found.test is not None
    assert single is not None
    assert found.test.assignments == 16
    assert (found.shift, found.p) == (single.shift, single.p)


def test_an_arm_outside_the_contrast_stays_where_it_is():
    """Of three arms, only the two contrasted are shuffled, within their own nights."""
    nights = np.arange(6)
    schedule = Schedule("blocks", nights // 3, nights, np.array([0, 1, 2, 2, 0, 1]), 3)
    y = np.array([1.0, 2.0, 50.0, 70.0, 1.5, 2.75])
    found = contrast(y, schedule, np.array([0.0, 1.0, np.nan]), seed=1)
    assert found is not None
    assert found.test is not None
    assert found.test.assignments == 4
    assert found.shift == pytest.approx((1.0 + 1.25) / 2)
    assert found.used.tolist() == [True, True, False, False, True, True]


def test_without_randomization_there_is_an_estimate_and_no_p():
    found = contrast(np.arange(6.0), one_block("none", [0, 0, 0, 1, 1, 1]), LEVEL, seed=1)
    assert found is not None
    assert found.shift == 3.0
    assert np.isnan([found.p, found.low, found.high, found.p_minimum]).all()


def test_no_contrast_where_no_block_has_both():
    assert (
        contrast(np.array([1.0, np.nan, np.nan, 2.0]), pairs([0, 1, 0, 1]), LEVEL, seed=1) is None
    )
    assert indicator(np.array([4, 4, 7])).tolist() == [[1, 0], [1, 0], [0, 1]]
