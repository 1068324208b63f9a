"""The randomization test: against matrices and enumeration by hand, and against its interval."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.comparison.contrast import Assigned, contrast, contrast_counts, joint_p
from rlsmove.comparison.randomized_shift import ALPHA, CARRIES_ON, sign_flip_test
from rlsmove.study.schedule import Schedule

LEVEL = np.array([0.0, 1.0])


def assigned(scheme, arms, block, *, max_run=None, period=None, level=LEVEL, day=None, n_arms=2):
    nights = np.arange(len(arms))
    period = nights if period is None else np.asarray(period)
    schedule = Schedule(scheme, np.asarray(block), period, np.asarray(arms), n_arms, max_run)
    return Assigned(schedule, nights if day is None else np.asarray(day), level)


def pairs(arms, **options):
    return assigned("pairs", arms, np.arange(len(arms)) // 2, **options)


def free(arms, max_run=None):
    return assigned("free", arms, np.zeros(len(arms), int), max_run=max_run)


def every_order(block, arms):
    """All assignments that shuffle arms within blocks, by brute force."""
    blocks = [np.flatnonzero(np.asarray(block) == name) for name in np.unique(block)]
    choices = [sorted(set(itertools.permutations([arms[i] for i in b]))) for b in blocks]
    for chosen in itertools.product(*choices):
        row = np.empty(len(arms))
        for b, some in zip(blocks, chosen, strict=True):
            row[b] = some
        yield row


def projection(day, *others):
    """M of the working model, by the matrices that its definition has."""
    day = np.asarray(day, float)
    correlation = np.linalg.inv(CARRIES_ON ** np.abs(day[:, None] - day[None, :]))
    columns = np.column_stack([np.ones(len(day)), day, *others])
    inner = np.linalg.inv(columns.T @ correlation @ columns)
    return correlation - correlation @ columns @ inner @ columns.T @ correlation


def slow_test(y, own, every, day, shift=0.0):
    """Estimate and p, one assignment after the other; missing nights left out of each."""
    there = np.isfinite(y)
    m, y = projection(np.asarray(day)[there]), np.where(there, y, 0) - shift * own

    def z(a):
        a = a[there]
        square = a @ m @ a
        return a @ m @ y[there] / math.sqrt(square) if square > 1e-9 else 0.0

    z_own = z(own)
    all_z = np.array([z(a) for a in every])
    smaller = min((all_z >= z_own - 1e-9).mean(), (all_z <= z_own + 1e-9).mean())
    a = own[there]
    return a @ m @ y[there] / (a @ m @ a) + shift, min(1.0, 2 * smaller)


# Squares of smaller numbers than a millionth run out of digits; no log rate has them.
OUTCOME = st.floats(-3, 3).map(lambda y: round(y, 6)) | st.just(math.nan)


@given(st.lists(OUTCOME, min_size=10, max_size=10), st.lists(st.booleans(), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_pairs_with_missing_nights_are_those_of_the_matrices(y, flips):
    arms = [arm for flip in flips for arm in ([1, 0] if flip else [0, 1])]
    y, own = np.array(y), np.array(arms, float)
    day = np.array([0, 1, 2, 3, 6, 7, 8, 9, 10, 12])
    found = contrast(y, pairs(arms, day=day), seed=1)
    there = np.isfinite(y)
    if there.sum() < 4 or len(set(own[there])) < 2:
        return
    a = own[there]
    if a @ projection(day[there]) @ a < 1e-6:
        return
    assert found is not None
    every = list(every_order(np.arange(10) // 2, arms))
    estimate, p = slow_test(y, own, every, day)
    assert found.assignments == 32
    assert found.p == pytest.approx(p)
    if found.low < estimate < found.high:
        assert found.shift == pytest.approx(estimate, abs=1e-8)
    assert (found.p <= ALPHA) == (not found.low <= 0 <= found.high)


@pytest.mark.parametrize("shift", [-0.6, 0.0, 0.45, 1.1])
def test_interval_holds_the_shifts_that_the_matrices_do_not_reject(shift):
    rng = np.random.default_rng(1)
    for _ in range(8):
        arms = rng.permuted([[0, 0, 1, 1]] * 3, axis=1).ravel()
        block = np.arange(12) // 4
        y = rng.normal(size=12) + 0.8 * arms
        y[rng.integers(0, 12, 2)] = np.nan
        found = contrast(y, assigned("blocks", arms, block), seed=1)
        assert found is not None
        every = list(every_order(block, arms))
        _, p = slow_test(y, arms.astype(float), every, np.arange(12), shift)
        assert (found.low <= shift <= found.high) == (p > ALPHA)


def test_a_missing_night_costs_itself_and_not_its_pair():
    """All 128 orders of seven pairs are compared, on the 13 nights that are there."""
    arms = [0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
    y = np.random.default_rng(2).normal(size=14) - np.array(arms)
    y[5] = np.nan
    found = contrast(y, pairs(arms), seed=1)
    assert found is not None
    assert found.assignments == 128
    assert found.used.sum() == 13
    assert found.p_minimum == 2 / 128


def test_a_pair_that_is_missing_whole_doubles_the_smallest_p():
    arms = [0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
    y = np.random.default_rng(2).normal(size=14)
    y[4:6] = np.nan
    found = contrast(y, pairs(arms), seed=1)
    assert found is not None
    assert found.p_minimum == 4 / 128


def test_a_trend_is_no_effect():
    arms = [0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
    y = 0.3 * np.arange(14) - 0.5 * np.array(arms)
    found = contrast(y, pairs(arms), seed=1)
    assert found is not None
    assert found.shift == pytest.approx(-0.5)
    assert found.high == pytest.approx(-0.5)


def test_interval_and_p_agree_for_drawn_assignments():
    rng = np.random.default_rng(2)
    for _ in range(10):
        x = rng.permutation([0, 1] * 15)
        y = rng.normal(size=30) + 0.7 * x
        found = contrast(y, free(x), seed=4)
        assert found is not None
        assert found.assignments == 10_000
        assert (found.low <= 0 <= found.high) == (found.p > ALPHA)
        moved = contrast(y - found.low * x - 1e-6 * x, free(x), seed=4)
        assert moved is not None
        assert moved.p > ALPHA


def test_sign_flips_agree_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(8).normal(0.4, 1, 9)
    scipy = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_test(values, np.random.default_rng(1)).p == pytest.approx(scipy.pvalue)


def test_false_positives_of_a_short_design_are_counted_exactly():
    """Whatever the outcome, p <= 0.05 in at most 5 % of all orders that could have been made."""
    y = np.random.default_rng(5).normal(size=12) + np.linspace(0, 3, 12)
    y[[3, 8]] = np.nan
    block = np.arange(12) // 4
    p = []
    for arms in every_order(block, [0, 0, 1, 1] * 3):
        found = contrast(y, assigned("blocks", arms.astype(int), block), seed=1)
        p.append(found.p if found else 1.0)
    assert len(p) == 216
    assert np.mean(np.array(p) <= ALPHA) <= ALPHA


def test_periods_of_several_nights_are_redrawn_whole():
    """Two nights each: four pairs of periods have sixteen assignments, not two hundred."""
    arms = np.repeat([0, 1, 1, 0, 1, 0, 0, 1], 2)
    nights = np.arange(16)
    found = contrast(
        np.random.default_rng(4).normal(size=16) + arms,
        assigned("pairs", arms, nights // 4, period=nights // 2),
        seed=1,
    )
    assert found is not None
    assert found.assignments == 16


def test_a_cap_on_runs_takes_sequences_away():
    arms = [0, 1, 0, 1, 1, 0, 1, 0]
    y = np.random.default_rng(4).normal(size=8)
    capped, all_of_them = contrast(y, free(arms, 2), seed=1), contrast(y, free(arms), seed=1)
    assert capped is not None
    assert all_of_them is not None
    assert (capped.assignments, all_of_them.assignments) == (34, 70)


def test_an_arm_outside_the_contrast_stays_where_it_is():
    """Of three arms, only the two contrasted are shuffled, within their own nights."""
    arms, block = np.array([0, 1, 2, 2, 0, 1, 1, 2, 0]), np.arange(9) // 3
    level = np.array([0.0, 1.0, np.nan])
    y = np.array([1.0, 2.0, 50.0, 70.0, 1.5, 2.5, 2.2, -30.0, 1.1])
    found = contrast(y, assigned("blocks", arms, block, level=level, n_arms=3), seed=1)
    assert found is not None
    assert found.assignments == 8
    assert found.used.tolist() == [True, True, False, False, True, True, True, False, True]
    without = np.where(arms == 2, 0.0, y)
    other = contrast(without, assigned("blocks", arms, block, level=level, n_arms=3), seed=1)
    assert other is not None
    assert (other.shift, other.p) == (found.shift, found.p)


def test_without_randomization_there_is_an_estimate_and_no_p():
    found = contrast(np.arange(6.0), assigned("none", [0, 0, 0, 1, 1, 1], np.zeros(6, int)), seed=1)
    assert found is not None
    assert found.shift == pytest.approx(3.0, abs=0.7)
    assert np.isnan([found.p, found.low, found.high, found.p_minimum]).all()


def test_no_contrast_where_only_one_arm_is_left():
    y = np.array([1.0, np.nan, np.nan, 2.0])
    assert contrast(y, pairs([0, 1, 1, 0]), seed=1) is None
    assert contrast(np.full(4, np.nan), pairs([0, 1, 1, 0]), seed=1) is None


def test_the_standard_error_is_that_of_estimates_over_studies():
    rng = np.random.default_rng(6)
    shifts, errors = [], []
    for _ in range(300):
        arms = rng.permuted([[0, 1]] * 10, axis=1).ravel()
        found = contrast(rng.normal(size=20), pairs(arms), seed=1)
        assert found is not None
        shifts.append(found.shift)
        errors.append(found.se)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(shifts), rel=0.12)


# Few movements.


def test_few_movements_are_compared_by_their_sums():
    arms = [0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
    count = np.array([4.0, 1, 2, 3, 5, 0, 1, 6, 0, 3, 4, 1, 2, 2])
    found = contrast_counts(count, np.full(14, 7.0), pairs(arms), seed=1)
    assert found is not None
    massage = np.array(arms) == 1
    ratio = (count[massage].sum() + 0.5) / (count[~massage].sum() + 0.5)
    assert found.shift == pytest.approx(math.log(ratio))
    # With equal hours p is that of the sums, over the 128 ways to swap.
    sums = [count @ a for a in every_order(np.arange(14) // 2, arms)]
    own = count @ np.array(arms)
    smaller = min(np.mean(np.array(sums) <= own), np.mean(np.array(sums) >= own))
    assert found.p == pytest.approx(2 * smaller)


@given(
    st.lists(st.integers(0, 6), min_size=14, max_size=14),
    st.lists(st.floats(1, 9), min_size=14, max_size=14),
    st.lists(st.booleans(), min_size=7, max_size=7),
)
@settings(max_examples=60, deadline=None)
def test_few_movements_never_contradict_their_p(count, hours, flips):
    arms = [arm for flip in flips for arm in ([1, 0] if flip else [0, 1])]
    found = contrast_counts(np.array(count, float), np.array(hours), pairs(arms), seed=1)
    assert found is not None
    assert found.low <= found.high
    assert (found.p <= ALPHA) == (not found.low <= 0 <= found.high)


def test_an_arm_without_movements_has_an_open_end():
    arms = [0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
    count = np.where(np.array(arms) == 1, 0.0, 4.0)
    found = contrast_counts(count, np.full(14, 7.0), pairs(arms), seed=1)
    assert found is not None
    assert found.low == -math.inf
    assert found.high < 0


# Several persons.


def test_joint_redraw_of_two_persons_by_hand():
    rng = np.random.default_rng(3)
    arms = [[0, 1, 1, 0, 0, 1], [1, 0, 0, 1, 1, 0]]
    y = [rng.normal(size=6) - np.array(a) for a in arms]
    m = projection(np.arange(6))
    every = list(every_order(np.arange(6) // 2, arms[0]))
    z = [
        (a @ m @ y[0] + b @ m @ y[1]) / math.sqrt(a @ m @ a + b @ m @ b)
        for a in every
        for b in every
    ]
    a, b = (np.array(one, float) for one in arms)
    own = (a @ m @ y[0] + b @ m @ y[1]) / math.sqrt(a @ m @ a + b @ m @ b)
    smaller = min(np.mean(np.array(z) <= own + 1e-9), np.mean(np.array(z) >= own - 1e-9))
    assert joint_p(y, [pairs(one) for one in arms], seed=1) == pytest.approx(2 * smaller)


def test_four_persons_who_agree_can_be_told_by_a_joint_redraw():
    rng = np.random.default_rng(4)
    people, values = [], []
    for _ in range(4):
        arms = rng.permuted([[0, 1]] * 7, axis=1).ravel()
        people.append(pairs(arms))
        values.append(rng.normal(0, 0.3, 14) - 0.5 * arms)
    p = joint_p(values, people, seed=1)
    assert p is not None
    assert p < 0.01
    assert p == joint_p(values, people, seed=1)
