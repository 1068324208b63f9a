r"""The randomization test of a ratio of rates, for nights with so few movements that logs mislead.

With one movement a night the mean of log(count + 0.5) says little of the mean count: at a true
ratio of 0.6 the logs give 0.75. So the movements of each arm are added up instead. For a ratio r
each count is brought to the rate without massage, ``x = n / r`` on massage nights and n on others;
the statistic is the sum of x over the nights of the arm, less what its hours would have had at the
common rate, over the root of what it varies by: the weighted score of a difference of rates, in
which each night counts by its hours. It is redrawn as that of a shift is (`randomized_shift`).
At r = 1 nothing is approximate. For another r counts are rescaled where a smaller rate would have
made fewer of them, so coverage there was measured, not proven.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlsmove.comparison.randomized_shift import ALPHA, TIE, freed, unit_rows
from rlsmove.records import BoolArray, FloatArray

#: Movements added to each arm's sum, so that an arm without any has a rate.
ADDED_TO_SUM = 0.5

#: No ratio further from 1 than this is looked at; an end beyond is open.
_FURTHEST = math.log(1e3)


@dataclass(frozen=True)
class RatioTest:
    """A ratio with its test, in logarithms; the names are those of a `ShiftTest`.

    Information is in nights of the mean length, as it is there.
    """

    estimate: float
    low: float
    high: float
    p: float
    p_minimum: float
    noise: float
    information: float
    assignments: int


def ratio_of_sums(count: FloatArray, hours: FloatArray, massage: BoolArray) -> float:
    """Return the log of the ratio of the arms' rates, each (sum + 0.5) over its hours."""

    def log_rate(arm: BoolArray) -> float:
        return math.log((count[arm].sum() + ADDED_TO_SUM) / hours[arm].sum())

    return log_rate(massage) - log_rate(~massage)


def ratio_test(
    count: FloatArray, hours: FloatArray, massage: BoolArray, redrawn: FloatArray
) -> RatioTest:
    """Test whether massage changes a rate, against what could have been assigned.

    Parameters
    ----------
    count, hours : ndarray, shape (n,)
        Of the nights that have both.
    massage : ndarray of bool, shape (n,)
        The assignment that was made; some nights of each.
    redrawn : ndarray of 0 and 1, shape (r, n)
        All assignments or draws from them, the one that was made included.
    """
    weight = np.sqrt(hours)
    basis = (weight / np.linalg.norm(weight))[:, None]
    rows, _ = unit_rows(freed(redrawn * weight, basis))
    own = freed(np.where(massage, weight, 0.0), basis)
    root = float(np.linalg.norm(own))
    own = own / root
    # Linear in u = 1 / r: what control nights give, and massage nights times u. The movement that
    # is spread over all hours changes nothing at r = 1, and gives nights without any a scale.
    spread = count + 2 * ADDED_TO_SUM * hours / hours.sum()
    control, treated = np.where(massage, 0.0, spread), np.where(massage, spread, 0.0)
    z0, z1 = rows @ (control / weight), rows @ (treated / weight)
    z0, z1 = z0 - own @ (control / weight), z1 - own @ (treated / weight)
    tie = TIE * (1.0 + float(count.max()))

    def tails(log_ratio: float) -> tuple[int, int]:
        difference = z0 + z1 * math.exp(-log_ratio)
        limit = tie * (1.0 + math.exp(-log_ratio))
        above = np.count_nonzero(difference >= -limit)
        return int(above), int(np.count_nonzero(difference <= limit))

    number = len(rows)
    rejecting = math.floor(ALPHA / 2 * number + 1e-9)
    estimate = ratio_of_sums(count, hours, massage)
    above, below = tails(0.0)
    x = np.where(massage, spread * math.exp(-estimate), spread)
    c = rows @ own
    spared = 1.0 - float(np.mean(c**2))
    rate = float(x.sum() / hours.sum())
    noise = math.nan
    if spared > TIE and rate > 0:
        noise = math.sqrt(float(np.mean((rows @ (x / weight)) ** 2)) / spared) / rate
        noise /= math.sqrt(float(hours.mean()))
    ties = int(np.count_nonzero(c >= 1.0 - TIE))
    return RatioTest(
        estimate=estimate,
        # An arm without movements has no rate that would be too high for the other.
        low=-_furthest(lambda b: tails(-b)[0] > rejecting, -estimate)
        if count[massage].any()
        else -math.inf,
        high=_furthest(lambda b: tails(b)[1] > rejecting, estimate)
        if count[~massage].any()
        else math.inf,
        p=min(1.0, 2 * min(above, below) / number),
        p_minimum=min(1.0, 2 * ties / number),
        noise=noise,
        information=root**2 / float(hours.mean()),
        assignments=number,
    )


def _furthest(accepted: Callable[[float], bool], start: float) -> float:
    """Return the largest shift that is accepted, by halving.

    No shift at all is always one of the two, so that the end never contradicts p.
    """
    if accepted(0.0):
        inside, outside = 0.0, _FURTHEST
        if start > 0.0:
            inside, outside = (start, outside) if accepted(start) else (inside, start)
    else:
        inside, outside = (start if start < 0.0 else -_FURTHEST), 0.0
    if outside == _FURTHEST and accepted(outside):
        return math.inf
    while outside - inside > 1e-9:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
    return inside
