"""The contrast of two conditions over one person's nights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rlsmove.comparison.randomized_shift import (
    TIE,
    ShiftTest,
    fixed_columns,
    freed,
    orthonormal,
    shift_test,
    unit_rows,
    whitened,
)
from rlsmove.comparison.rate_ratio import RatioTest, ratio_of_sums, ratio_test
from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.study.assignments import MONTE_CARLO_DRAWS, MOST_ENUMERATED
from rlsmove.study.schedule import Redraw, Schedule, redraw, redrawn_arms


@dataclass(frozen=True)
class Contrast:
    """What one person's nights say of a contrast.

    Attributes
    ----------
    shift : float
        Estimate, brought to the nearer end of the interval in the rare case of assignments so
        lopsided that it lies beyond.
    low, high : float
        95 % interval by inversion of the test; infinite where so few assignments, or so few
        movements, exclude nothing on that side; NaN where not randomized.
    p, p_minimum : float
        NaN where not randomized.
    se : float
        Standard error of the shift, from the redraws of what it leaves; NaN where they do not
        tell.
    noise : float
        Standard error of a shift in a contrast of unit information, the same whatever the number
        of nights.
    assignments : int or None
        Compared with the one that was made; None where not randomized.
    used : ndarray of bool, shape (nights,)
        Nights that entered.
    """

    shift: float
    low: float
    high: float
    p: float
    p_minimum: float
    se: float
    noise: float
    assignments: int | None
    used: BoolArray

    @classmethod
    def of_test(cls, test: ShiftTest | RatioTest, used: BoolArray) -> Contrast:
        """Take over what a test says."""
        return cls(
            shift=min(max(test.estimate, test.low), test.high),
            low=test.low,
            high=test.high,
            p=test.p,
            p_minimum=test.p_minimum,
            se=test.noise / math.sqrt(test.information),
            noise=test.noise,
            assignments=test.assignments,
            used=used,
        )

    @classmethod
    def of_estimate(cls, shift: float, used: BoolArray) -> Contrast:
        """Take over an estimate that no test goes with."""
        nan = math.nan
        return cls(shift, nan, nan, nan, nan, nan, nan, None, used)


@dataclass(frozen=True)
class Assigned:
    """The nights of one person, as a contrast takes them.

    Attributes
    ----------
    schedule : Schedule
        How they got their arms.
    day : ndarray of int64, shape (nights,)
        Place of each in time, increasing.
    level : ndarray, shape (arms,)
        The number that each arm has in the contrast (1 treated, 0 control); NaN for an arm that
        is not part of it.
    """

    schedule: Schedule
    day: IntArray
    level: FloatArray

    @property
    def level_of_night(self) -> FloatArray:
        """The number of each night's own arm."""
        return self.level[self.schedule.arm]

    def redraw(self) -> Redraw:
        """What else the scheme could have given."""
        return redraw(self.schedule, np.isfinite(self.level))

    def redrawn(self, seed: int) -> FloatArray:
        """List or draw assignments, as the numbers of all nights; shape (r, nights)."""
        of_night, _, arm = self.schedule.units()
        arms, _ = redrawn_arms(self.redraw(), tuple(arm.tolist()), seed)
        return self.level[arms][:, of_night]


def contrast(
    values: FloatArray,
    assigned: Assigned,
    *,
    seed: int,
    adjust: FloatArray | None = None,
) -> Contrast | None:
    """Contrast the nights of some arms with those of others.

    Parameters
    ----------
    values : ndarray, shape (nights,)
        Outcome of each night of the schedule; NaN where the night has none or is left out.
    assigned : Assigned
    seed : int
        For draws where the assignments are too many to list.
    adjust : ndarray, shape (nights, k), optional
        Further columns held fixed.

    Returns
    -------
    Contrast or None
        None where the nights do not tell the arms apart.
    """
    x = assigned.level_of_night
    used = np.isfinite(values) & np.isfinite(x)
    if adjust is not None:
        used &= np.isfinite(adjust).all(axis=1)
    if used.sum() < 2:
        return None
    day, randomized = assigned.day[used], assigned.schedule.scheme != "none"
    others = () if adjust is None else (adjust[used],)
    # A record that was not randomized is told as it is: the level before, and the level after.
    basis = orthonormal(
        whitened(fixed_columns(day.astype(np.float64), *others, trend=randomized).T, day).T
    )
    y, a = freed(whitened(values[used], day), basis), freed(whitened(x[used], day), basis)
    if float(a @ a) <= TIE:
        return None
    if not randomized:
        return Contrast.of_estimate(float(a @ y) / float(a @ a), used)
    if adjust is None:
        rows, _ = redrawn_rows(_Nights(assigned, used, seed))
    else:
        rows, _ = unit_rows(freed(whitened(assigned.redrawn(seed)[:, used], day), basis))
    test = shift_test(y, a, rows, size=float(np.abs(values[used]).max()))
    return None if test is None else Contrast.of_test(test, used)


def joint_p(
    values: Sequence[FloatArray], assigned: Sequence[Assigned], *, seed: int
) -> float | None:
    """Test whether anybody's nights were changed: all are redrawn, each by their own scheme.

    Parameters
    ----------
    values : sequence of ndarray, shape (nights,)
        Outcomes of each person's nights; NaN where a night has none.
    assigned : sequence of Assigned
        Randomized.
    seed : int

    Returns
    -------
    float or None
        Two-sided p of the sum over persons of a'My over the root of the sum of a'Ma; None where
        nobody's nights tell the arms apart. Persons are not weighted by how their nights vary:
        that was tried, and loses power.
    """
    rng = np.random.default_rng(seed)
    own, persons = [], []
    for y, person in zip(values, assigned, strict=True):
        x = person.level_of_night
        used = np.isfinite(y) & np.isfinite(x)
        if used.sum() < 2:
            continue
        day = person.day[used]
        basis = orthonormal(whitened(fixed_columns(day.astype(np.float64)).T, day).T)
        y, a = freed(whitened(y[used], day), basis), freed(whitened(x[used], day), basis)
        rows, length = redrawn_rows(_Nights(person, used, seed))
        own.append((float(a @ y), float(a @ a)))
        persons.append((length * (rows @ y), length**2))
    if not own or sum(information for _, information in own) <= TIE:
        return None
    above, below = np.zeros(1), np.zeros(1)
    if math.prod(len(score) for score, _ in persons) <= MOST_ENUMERATED:
        for score, information in persons:
            above = (above[:, None] + score).ravel()
            below = (below[:, None] + information).ravel()
    else:
        for score, information in persons:
            drawn = rng.integers(0, len(score), MONTE_CARLO_DRAWS)
            above, below = above + score[drawn], below + information[drawn]
        above = np.append(above, sum(score for score, _ in own))
        below = np.append(below, sum(information for _, information in own))
    z = np.divide(above, np.sqrt(below), out=np.zeros_like(above), where=below > TIE)
    observed = sum(score for score, _ in own) / math.sqrt(sum(i for _, i in own))
    tie = TIE * max(1.0, float(np.abs(z).max()))
    smaller = min(np.count_nonzero(z >= observed - tie), np.count_nonzero(z <= observed + tie))
    return min(1.0, 2 * int(smaller) / len(z))


def contrast_counts(
    count: FloatArray, hours: FloatArray, assigned: Assigned, *, seed: int
) -> Contrast | None:
    """Contrast nights with so few movements that a logarithm of each would mislead.

    Parameters
    ----------
    count, hours : ndarray, shape (nights,)
        NaN where the night has none or is left out.
    assigned : Assigned
        With the levels 0 and 1.
    seed : int

    Returns
    -------
    Contrast or None
        None where the nights do not tell the arms apart.
    """
    x = assigned.level_of_night
    used = np.isfinite(count) & np.isfinite(hours) & np.isfinite(x)
    massage = x[used] == 1.0
    if not massage.any() or massage.all():
        return None
    if assigned.schedule.scheme == "none":
        return Contrast.of_estimate(ratio_of_sums(count[used], hours[used], massage), used)
    test = ratio_test(count[used], hours[used], massage, assigned.redrawn(seed)[:, used])
    return Contrast.of_test(test, used)


class _Nights:
    """The nights of a contrast, as the key of what they share with those of others."""

    def __init__(self, assigned: Assigned, used: BoolArray, seed: int) -> None:
        self.assigned, self.used, self.seed = assigned, used, seed
        of_night, _, arm = assigned.schedule.units()
        day = assigned.day[used]
        self._key = (
            assigned.redraw(),
            of_night.tobytes(),
            arm.tobytes(),
            assigned.level.tobytes(),
            (day - day[0]).tobytes(),
            used.tobytes(),
            seed,
        )

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Nights) and self._key == other._key


@lru_cache(maxsize=4)
def redrawn_rows(nights: _Nights) -> tuple[FloatArray, FloatArray]:
    """Redraw, as `shift_test` takes it, with the lengths; once for all outcomes of nights."""
    day = nights.assigned.day[nights.used]
    basis = orthonormal(whitened(fixed_columns(day.astype(np.float64)).T, day).T)
    rows = whitened(nights.assigned.redrawn(nights.seed)[:, nights.used], day)
    return unit_rows(freed(rows, basis))
