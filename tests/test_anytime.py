"""Looks at any time: the bets by hand, their fairness by enumeration, and what they come to."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rlsmove.comparison.anytime import STRENGTHS, Bet, bets, follow, sign_bets
from rlsmove.comparison.contrast import Assigned
from rlsmove.study.schedule import Schedule

LEVEL = np.array([0.0, 1.0])


def assigned(scheme, arms, block, max_run=None, period=None):
    nights = np.arange(len(arms))
    schedule = Schedule(
        scheme,
        np.asarray(block),
        nights if period is None else period,
        np.asarray(arms),
        2,
        max_run,
    )
    return Assigned(schedule, nights, LEVEL)


def pairs(arms):
    return assigned("pairs", arms, np.arange(len(arms)) // 2)


def wealth(bet, h):
    return math.exp(-h * 0) / float(np.exp(bet.log_chance) @ np.exp(h * bet.stake))


def over(n):
    return np.ones(n, bool)


def test_the_first_pair_is_a_bet_on_its_difference():
    (bet,) = bets(np.array([1.0, 1.8]), pairs([0, 1]), over(2))
    for h in STRENGTHS:
        assert wealth(bet, h) == pytest.approx(math.exp(0.8 * h) / math.cosh(0.8 * h))


@pytest.mark.parametrize("missing", [[], [2], [1, 2, 7], [4, 5]])
@pytest.mark.parametrize("scheme", ["pairs", "blocks", "free", "capped"])
def test_bets_are_fair_whatever_the_nights(scheme, missing):
    """Over all orders that could have been, each as likely, E+ has the mean 1 after every block."""
    y = np.random.default_rng(3).normal(size=8) * 2
    y[missing] = np.nan
    block = {"pairs": np.arange(8) // 2, "blocks": np.arange(8) // 4}.get(scheme, np.zeros(8, int))
    products: dict[int, list[float]] = {}
    for arms in itertools.product([0, 1], repeat=8):
        arms = np.array(arms)
        longest = max(len(list(run)) for _, run in itertools.groupby(arms))
        if any(arms[block == b].sum() * 2 != (block == b).sum() for b in set(block)):
            continue
        if scheme == "capped" and longest > 2:
            continue
        kind = "free" if scheme == "capped" else scheme
        found = bets(y, assigned(kind, arms, block, 2 if scheme == "capped" else None), over(8))
        total = np.zeros(len(STRENGTHS))
        for number, bet in enumerate(found):
            total += [math.log(wealth(bet, h)) for h in STRENGTHS]
            products.setdefault(number, []).append(float(np.exp(total).mean()))
    for after in products.values():
        assert np.mean(after) == pytest.approx(1.0)


def test_an_effect_is_found_and_the_sequence_of_intervals_agrees():
    rng = np.random.default_rng(1)
    arms = rng.permuted([[0, 1]] * 40, axis=1).ravel()
    y = rng.normal(0, 0.3, 80) - 0.6 * arms
    found = follow(bets(y, pairs(arms), over(80)))
    assert found.decided_after is not None
    assert found.decided_after < 20
    assert found.high < 0
    assert found.low < -0.6 < found.high
    p = [value for _, value in found.path]
    assert p == sorted(p, reverse=True)
    assert p[found.decided_after - 1] <= 0.05 < p[found.decided_after - 2]
    mirrored = follow(bets(-y, pairs(arms), over(80)))
    assert mirrored.low == pytest.approx(-found.high, abs=1e-5)


def test_what_is_decided_stays_decided():
    rng = np.random.default_rng(2)
    arms = rng.permuted([[0, 1]] * 30, axis=1).ravel()
    y = rng.normal(0, 0.3, 60) - 0.8 * arms * (np.arange(60) < 30)
    early = follow(bets(y[:30], pairs(arms[:30]), over(30)))
    late = follow(bets(y, pairs(arms), over(60)))
    assert early.decided_after == late.decided_after
    assert late.p <= early.p
    assert late.high <= early.high + 1e-6
    assert [p for _, p in late.path][:15] == pytest.approx([p for _, p in early.path])


def test_a_block_is_bet_on_when_all_of_it_is_over():
    y = np.array([1.0, 2.0, 3.0, np.nan])
    started = np.array([True, True, True, False])
    assert len(bets(y, pairs([0, 1, 0, 1]), started)) == 1
    assert len(bets(y, pairs([0, 1, 0, 1]), over(4))) == 2


def test_a_night_alone_is_taken_against_the_level_so_far():
    y = np.array([0.0, 0.0, 0.0, 0.0, 3.0, np.nan])
    *_, bet = bets(y, pairs([0, 1, 1, 0, 1, 0]), over(6))
    assert bet.stake.max() == pytest.approx(0.0)
    assert bet.stake.min() < -1  # as if its partner had been at the level


def test_large_blocks_and_free_schemes_are_bet_on_night_by_night():
    arms = np.random.default_rng(1).permutation([0, 1] * 8)
    found = bets(
        np.random.default_rng(2).normal(size=16), assigned("free", arms, [0] * 16), over(16)
    )
    assert [bet.block for bet in found] == list(range(1, 17))
    big = np.tile([0, 1], 16)
    many = bets(np.zeros(32), assigned("blocks", big, [0] * 32), over(32))
    assert len(many) == 32


def test_false_alarms_over_sixty_looks_are_below_one_in_twenty():
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(300):
        arms = rng.permuted([[0, 1]] * 60, axis=1).ravel()
        noise = rng.normal(0, 0.5, 120)
        for night in range(1, 120):
            noise[night] = 0.4 * noise[night - 1] + noise[night] * 0.84**0.5
        alarms += follow(bets(noise, pairs(arms), over(120))).decided_after is not None
    assert alarms <= 27  # 9 %: four standard errors above 4


def test_the_average_effect_needs_six_persons():
    for persons, decides in ((4, False), (8, True)):
        found = follow(sign_bets(np.full(persons, -2.0), range(1, persons + 1), range(persons)))
        assert (found.decided_after is not None) is decides


def test_nothing_bet_is_nothing_known():
    found = follow([])
    assert (found.p, found.low, found.high, found.path) == (1.0, -math.inf, math.inf, [])
    still = Bet(1, 0, np.zeros(2), np.zeros(2), np.log([0.5, 0.5]))
    assert follow([still]).p == 1.0
