r"""A test that may be looked at after every block of nights, and its confidence sequence.

Each block of nights that chance shuffled is a bet on what the past cannot know: the arms that it
gave. For a ratio whose logarithm is b, x = y - b a₀ would have been the same under any other
assignment a of the block. With r what x leaves of the level so far, and
``s(a) = 2 Σ aᵢ rᵢ`` over the nights that are there (for a pair, up to a constant, the difference of
its nights), the bet pays

    e(h) = exp(h s(a₀)) / Σ P(a) exp(h s(a)),

P(a) being the chance of a given the blocks before. Its expectation under the hypothesis is 1,
whatever was bet before and whenever one looks, so that the product over the blocks, averaged over
the strengths h and over both signs of h, reaches 20 with a chance of at most 5 %: in a study
without an effect, ever. E is the larger of the two averages E+ and E-, halved; the anytime p is the
least 1/E so far. E+ falls with b and E- rises, so the ratios that E has never carried to 20 are one
interval, the confidence sequence.

Sequential randomization tests by betting (arXiv 2512.04366); Malinovsky et al., anytime-valid
inference in N-of-1 trials (arXiv 2309.07353); Ramdas et al., Stat Sci 2023;38:576-601.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlsmove.comparison.contrast import Assigned
from rlsmove.comparison.randomized_shift import ALPHA, CARRIES_ON
from rlsmove.records import BoolArray, FloatArray, IntArray

#: Strengths that the bets are averaged over: a pair whose difference has the mean b and the SD s is
#: best met by b / s², from 0.4 (a ratio of 0.8 among wild nights) to 8 (0.4 among still ones).
STRENGTHS = np.geomspace(0.4, 8.0, 16)

#: How much the level so far forgets a day: a person's level drifts.
_FORGETS = 0.95

#: Blocks that can be given in more ways than this are bet on a period at a time.
_MOST_WAYS = 4096

#: No ratio further from 1 than this is looked at; an end beyond is open.
_FURTHEST = math.log(1e3)


@dataclass(frozen=True)
class Bet:
    """One block: what was at stake, ready for any ratio.

    Attributes
    ----------
    block : int
        Its number, from 1; in a free scheme that of the period.
    day : int
        Of its last night.
    stake : ndarray, shape (ways,)
        s(a) at b = 0, less that of the assignment that was made.
    slope : ndarray, shape (ways,)
        How fast that falls with b.
    log_chance : ndarray, shape (ways,)
        Of each assignment.
    """

    block: int
    day: int
    stake: FloatArray
    slope: FloatArray
    log_chance: FloatArray


@dataclass(frozen=True)
class Anytime:
    """What the bets have come to.

    Attributes
    ----------
    p : float
        Anytime p of no shift.
    low, high : float
        Confidence sequence of the shift; infinite for an open end.
    decided_after : int or None
        Block at which no shift was first excluded.
    path : list of (int, float)
        Number of each block, and p after it.
    """

    p: float
    low: float
    high: float
    decided_after: int | None
    path: list[tuple[int, float]]


def bets(values: FloatArray, assigned: Assigned, over: BoolArray) -> list[Bet]:
    """Return the bets that one person's blocks were, in the order of time.

    Parameters
    ----------
    values : ndarray, shape (nights,)
        Outcome of each night; NaN where the night has none.
    assigned : Assigned
        With the levels 0 and 1; randomized.
    over : ndarray of bool, shape (nights,)
        Nights that will get no other result. A block is bet on when all of its nights are over.
    """
    of_night, block, arm = assigned.schedule.units()
    x = assigned.level_of_night
    there = np.isfinite(values) & np.isfinite(x)
    space = assigned.redraw().space
    found = []
    for number, first, last in _looks(block, arm, assigned.schedule.scheme):
        nights = np.flatnonzero((of_night >= first) & (of_night < last))
        if not over[nights].all():
            break
        present = nights[there[nights]]
        if not len(present):
            continue
        ways, chance = space.continued(arm[:first], last - first)
        levels = assigned.level[ways][:, of_night[present] - first]
        past = np.flatnonzero(there[: nights[0]])
        known = np.concatenate([past, present])
        day = assigned.day[known]
        age = (day[-1] - day).astype(np.float64)
        weight = _FORGETS**age
        weight /= weight.sum()
        rest, rest_slope = (
            _less_level(column[known], day, weight, len(past)) for column in (values, x)
        )
        stake, slope = 2 * levels @ rest, 2 * levels @ rest_slope
        own = x[present]
        found.append(
            Bet(
                block=number,
                day=int(assigned.day[nights[-1]]),
                stake=stake - 2 * own @ rest,
                slope=slope - 2 * own @ rest_slope,
                log_chance=np.log(chance),
            )
        )
    return found


def _less_level(column: FloatArray, day: IntArray, weight: FloatArray, past: int) -> FloatArray:
    """Take from the nights after the first `past` what the level and the last night say of them."""
    level = float(weight @ column)
    rest = column[past:] - level
    if past:
        rest = rest - CARRIES_ON ** (day[past:] - day[past - 1]) * (column[past - 1] - level)
    return rest


def _looks(block: IntArray, arm: IntArray, scheme: str) -> list[tuple[int, int, int]]:
    """Return the stretches that are bet on as one: number, first unit, the unit after the last."""
    ends = [*(np.flatnonzero(np.diff(block)) + 1).tolist(), len(block)]
    blocks = list(zip([0, *ends[:-1]], ends, strict=True))

    def ways(first: int, last: int) -> int:
        each = [math.factorial(n) for n in np.bincount(arm[first:last]).tolist()]
        return math.factorial(last - first) // math.prod(each)

    together = len(set(block.tolist())) == len(blocks) and scheme != "free"
    if together and all(ways(*stretch) <= _MOST_WAYS for stretch in blocks):
        return [(number, *stretch) for number, stretch in enumerate(blocks, start=1)]
    return [(unit + 1, unit, unit + 1) for unit in range(len(block))]


def follow(found: Sequence[Bet]) -> Anytime:
    """Follow bets to where they have come; those of several persons multiply.

    Parameters
    ----------
    found : sequence of Bet
        In the order of time.
    """
    if not found:
        return Anytime(1.0, -math.inf, math.inf, None, [])
    ways = max(len(bet.stake) for bet in found)

    def padded(rows: list[FloatArray], filler: float) -> FloatArray:
        table = np.full((len(rows), ways), filler)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        return table

    stake = padded([bet.stake for bet in found], 0.0)
    slope = padded([bet.slope for bet in found], 0.0)
    chance = np.exp(padded([bet.log_chance for bet in found], -math.inf))

    def log_wealth(b: float, sign: float) -> FloatArray:
        """Logarithm of E+ or E- after each block, at the shift b."""
        s = sign * (stake - b * slope)
        top = np.max(np.where(chance > 0, s, -np.inf), axis=1)
        strength = STRENGTHS[:, None, None]
        with np.errstate(over="ignore"):
            mean = (chance * np.exp(strength * (s - top[:, None]))).sum(axis=2)
        steps = np.cumsum(-np.log(mean) - STRENGTHS[:, None] * top, axis=1)
        highest = steps.max(axis=0)
        return highest + np.log(np.exp(steps - highest).mean(axis=0))

    log_e = np.maximum(log_wealth(0.0, 1.0), log_wealth(0.0, -1.0)) - math.log(2)
    path = np.minimum(np.exp(np.minimum.accumulate(-log_e)), 1.0)
    needed = math.log(2 / ALPHA)
    decided = np.flatnonzero(log_e >= needed - math.log(2))
    return Anytime(
        p=float(path[-1]),
        low=-furthest(lambda b: log_wealth(-b, 1.0).max() < needed),
        high=furthest(lambda b: log_wealth(b, -1.0).max() < needed),
        decided_after=found[decided[0]].block if len(decided) else None,
        path=[(bet.block, float(p)) for bet, p in zip(found, path, strict=True)],
    )


def furthest(accepted: Callable[[float], bool]) -> float:
    """Return the largest shift that is accepted, where all below it are, by halving from 0."""
    inside, outside = (0.0, _FURTHEST) if accepted(0.0) else (-_FURTHEST, 0.0)
    if outside == _FURTHEST and accepted(outside):
        return math.inf
    while outside - inside > 1e-7:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
    return inside


def sign_bets(estimates: FloatArray, numbers: Sequence[int], days: Sequence[int]) -> list[Bet]:
    """Return a bet for each finished person: the sign of their estimate, if its center is 0.

    They test the average effect: estimates that lie symmetric about it, however far they spread.

    Parameters
    ----------
    estimates : ndarray, shape (persons,)
        In the order in which the persons finished.
    numbers, days : sequence of int
        Place of each among the persons, and their last night.
    """
    return [
        Bet(number, day, np.array([0.0, -2.0 * e]), np.array([0.0, -2.0]), np.log([0.5, 0.5]))
        for e, number, day in zip(estimates.tolist(), numbers, days, strict=True)
    ]
