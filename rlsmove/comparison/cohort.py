"""A cohort: one number a person, and what they say together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlsmove.comparison import hodges_lehmann
from rlsmove.comparison.anytime import Anytime, follow, sign_bets
from rlsmove.comparison.contrast import Contrast, joint_p
from rlsmove.comparison.hierarchy import Hierarchy, hierarchy
from rlsmove.comparison.least_squares import slope
from rlsmove.comparison.person import PersonComparison, verdict
from rlsmove.comparison.person_nights import Settings, log_rates
from rlsmove.comparison.randomized_shift import sign_flip_test
from rlsmove.records import FloatArray
from rlsmove.study.schedule import indicator


@dataclass(frozen=True)
class Pooled:
    """One number a person, taken together.

    Attributes
    ----------
    center : float
        Hodges-Lehmann estimate: median of the Walsh averages.
    low, high : float
        95 % interval by inversion of the sign-flip test; infinite with fewer than 6 persons.
    p, p_minimum : float
        Of the sign-flip test.
    persons : int
    """

    center: float
    low: float
    high: float
    p: float
    p_minimum: float
    persons: int


@dataclass(frozen=True)
class CohortComparison:
    """What several persons say together. Shifts are of the natural logarithm of the rate.

    Attributes
    ----------
    pooled : Pooled or None
        The average effect; None where no two persons can be taken together.
    randomized : bool
        Whether chance gave their nights the conditions; without it there is no test.
    verdict : str
        From the interval of the average effect, or, with looks every morning, from `anytime`.
    entered : list of str
        Persons who did, in the order of `hierarchy`.
    left_out : list of (str, str)
        Persons who did not, with the reason.
    any_effect_p : float or None
        Of no effect on anyone: all nights of all persons redrawn together.
    hierarchy : Hierarchy or None
        Each person with help from the others, the next person, and the spread.
    anytime, anytime_any_effect : Anytime or None
        Bets on the average effect, one for each person who has finished, and on no effect on
        anyone, one for each block of anyone.
    checks : dict of str to Pooled
        ``period_effect`` (change from one period of a block to the next), ``sequence_effect``
        (blocks of two that began with massage against those that began without) and
        ``carry_over`` (a night after a massage night), each one number a person.
    """

    pooled: Pooled | None
    randomized: bool
    verdict: str
    entered: list[str]
    left_out: list[tuple[str, str]]
    any_effect_p: float | None
    hierarchy: Hierarchy | None
    anytime: Anytime | None
    anytime_any_effect: Anytime | None
    checks: dict[str, Pooled]

    @property
    def waits(self) -> bool:
        """Whether the plan has no verdict yet."""
        return self.verdict == "not_finished"


@dataclass(frozen=True)
class CohortVariant:
    """The cohort's contrast done another way, to stand beside the primary one.

    Attributes
    ----------
    analysis, note : str
        Which way, and what was done.
    estimate, low, high, p : float
        Shift of the log rate; NaN where it cannot be said.
    """

    analysis: str
    note: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan


def compare_cohort(persons: Sequence[PersonComparison], settings: Settings) -> CohortComparison:
    """Compare the nights of several persons, each person one number.

    Parameters
    ----------
    persons : sequence of PersonComparison
    settings : Settings

    Returns
    -------
    CohortComparison
    """
    randomized = any(p.person.randomized and p.contrast for p in persons)
    left_out, entered = [], []
    for person in persons:
        why = _why_not(person, randomized, settings)
        if why:
            left_out.append((person.person.participant_id, why))
        else:
            entered.append(person)
    found = [p.contrast for p in entered if p.contrast]
    shifts = np.array([c.shift for c in found])
    pooled = pool(shifts, settings.seed) if len(shifts) > 1 else None
    average, anyone = _anytime(persons) if randomized else (None, None)
    checks = {}
    for name, of_person in _CHECKS.items():
        values = [v for v in (of_person(p, settings) for p in entered) if v is not None]
        if randomized and len(values) > 1:
            checks[name] = pool(np.array(values), settings.seed)
    return CohortComparison(
        pooled=pooled,
        randomized=randomized,
        verdict=_verdict_of_cohort(persons, pooled, average, settings)
        if randomized
        else "cannot_tell",
        entered=[p.person.participant_id for p in entered],
        left_out=left_out,
        any_effect_p=_any_effect(persons, settings) if randomized else None,
        hierarchy=_hierarchy(found),
        anytime=average,
        anytime_any_effect=anyone,
        checks=checks,
    )


def _verdict_of_cohort(
    persons: Sequence[PersonComparison],
    pooled: Pooled | None,
    anytime: Anytime | None,
    settings: Settings,
) -> str:
    if settings.looks == "every_morning":
        return verdict(anytime.low, anytime.high, settings.margin) if anytime else "cannot_tell"
    if any(person.waits for person in persons):
        return "not_finished"
    return verdict(pooled.low, pooled.high, settings.margin) if pooled else "cannot_tell"


def _any_effect(persons: Sequence[PersonComparison], settings: Settings) -> float | None:
    some = [p.person for p in persons if p.contrast and p.person.randomized]
    return joint_p(
        [log_rates(person.assigned, settings) for person in some],
        [person.contrasted() for person in some],
        seed=settings.seed,
    )


def _hierarchy(found: Sequence[Contrast]) -> Hierarchy | None:
    errors = np.array([c.se for c in found])
    if len(found) < 2 or not np.isfinite(errors).all():
        return None
    nights = np.array([c.used.sum() for c in found], np.float64)
    return hierarchy(np.array([c.shift for c in found]), errors, nights)


def _anytime(persons: Sequence[PersonComparison]) -> tuple[Anytime, Anytime]:
    """Follow the bets on the average effect, and on no effect on anyone."""
    randomized = [p for p in persons if p.person.randomized]
    every = [(bet.day, place, bet) for place, p in enumerate(randomized) for bet in p.bets]
    every.sort(key=lambda entry: entry[:2])
    done = [
        (max(night.day for night in p.person.assigned), place, p.contrast.shift)
        for place, p in enumerate(randomized)
        if p.contrast and p.person.finished
    ]
    done.sort()
    average = sign_bets(
        np.array([shift for *_, shift in done]),
        list(range(1, len(done) + 1)),
        [day for day, *_ in done],
    )
    return follow(average), follow(
        [replace(bet, block=number) for number, (*_, bet) in enumerate(every, start=1)]
    )


def together(
    persons: Sequence[PersonComparison], cohort: CohortComparison | None, settings: Settings
) -> list[CohortVariant]:
    """Take the persons' variants together, with the primary number of persons without one.

    Parameters
    ----------
    persons : sequence of PersonComparison
    cohort : CohortComparison or None
        None for one person: there is nothing to take together.
    settings : Settings

    Returns
    -------
    list of CohortVariant
    """
    if cohort is None or cohort.pooled is None or not cohort.randomized or cohort.waits:
        return []
    out = {name for name, _ in cohort.left_out}
    entered = [p for p in persons if p.person.participant_id not in out]
    variants = []
    for analysis in dict.fromkeys(v.analysis for p in entered for v in p.variants):
        own = [
            next((v.contrast for v in p.variants if v.analysis == analysis), p.contrast)
            for p in entered
        ]
        changed = sum(any(v.analysis == analysis for v in p.variants) for p in entered)
        shifts = np.array([c.shift for c in own if c is not None])
        if len(shifts) < 2:
            continue
        found = pool(shifts, settings.seed)
        note = f"{changed} of {len(entered)} persons have nights that it changes"
        if analysis == "per_protocol":
            # What was received was not randomized: an estimate and no more.
            variants.append(CohortVariant(analysis, f"{note}; without a test", found.center))
        else:
            variants.append(
                CohortVariant(analysis, note, found.center, found.low, found.high, found.p)
            )
    return variants


def pool(values: FloatArray, seed: int) -> Pooled:
    """Take one number a person together.

    Parameters
    ----------
    values : ndarray, shape (persons,)
        Symmetric about their center if there is none; not necessarily equally precise.
    seed : int

    Returns
    -------
    Pooled
        The interval is that of the sign-flip test on the mean, so that it agrees with p; its
        ends are means of subsets of the persons, as Walsh averages are of one or two.
    """
    test = sign_flip_test(values, np.random.default_rng(seed))
    center = hodges_lehmann.of_differences(values)
    return Pooled(
        center=min(max(center, test.low), test.high),
        low=test.low,
        high=test.high,
        p=test.p,
        p_minimum=test.p_minimum,
        persons=len(values),
    )


def holm(p: Sequence[float]) -> list[float]:
    """Adjust a family of p values so that any false claim among them has a chance of 5 %.

    Parameters
    ----------
    p : sequence of float

    Returns
    -------
    list of float
        Adjusted p in the order given (Holm, Scand J Stat 1979;6:65-70).
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, row in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[row]))
        adjusted[row] = largest
    return adjusted


def _why_not(person: PersonComparison, randomized: bool, settings: Settings) -> str:
    if person.contrast is None:
        return person.reason
    if randomized and not person.person.randomized:
        return "the conditions were not randomized"
    fewest = min(person.nights_massage, person.nights_control)
    if fewest < settings.minimum_nights:
        return (
            f"{person.nights_massage} massage and {person.nights_control} control nights, fewer "
            f"than {settings.minimum_nights} of each"
        )
    return ""


# Checks, one number a person. Each is of units, so that periods of several nights count once.


def _units(person: PersonComparison, settings: Settings) -> tuple[FloatArray, ...] | None:
    """Return y, massage, block and place within the block of the units that entered."""
    found = person.contrast
    if found is None:
        return None
    values = np.where(found.used, log_rates(person.person.assigned, settings), math.nan)
    of_night, block, arm = person.person.schedule().units()
    usable = np.isfinite(values)
    nights = np.bincount(of_night[usable], minlength=len(block))
    use = nights > 0
    y = np.bincount(of_night[usable], values[usable], len(block))[use] / nights[use]
    place = np.array([np.sum(block[:i] == name) for i, name in enumerate(block)], np.float64)
    return y, person.person.massage_level()[arm][use], block[use].astype(np.float64), place[use]


def _period_effect(person: PersonComparison, settings: Settings) -> float | None:
    units = _units(person, settings)
    if units is None:
        return None
    y, x, block, place = units
    return slope(y, place, x, indicator(block.astype(np.int64))[:, 1:])


def _sequence_effect(person: PersonComparison, settings: Settings) -> float | None:
    units = _units(person, settings)
    if units is None:
        return None
    y, x, block, _ = units
    first: list[float] = []
    second: list[float] = []
    for name in np.unique(block):
        inside = block == name
        if inside.sum() == 2:
            (first if x[inside][0] == 1.0 else second).append(float(y[inside].mean()))
    if not first or not second:
        return None
    return float(np.mean(first) - np.mean(second))


def _carry_over(person: PersonComparison, settings: Settings) -> float | None:
    return person.carry_over


_CHECKS: dict[str, Callable[[PersonComparison, Settings], float | None]] = {
    "period_effect": _period_effect,
    "sequence_effect": _sequence_effect,
    "carry_over": _carry_over,
}
