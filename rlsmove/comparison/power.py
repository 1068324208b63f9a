"""What a scheme can show, by simulating it with the analysis that it will get."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from rlsmove.comparison.contrast import Contrast
from rlsmove.comparison.person_nights import PersonNights, Settings
from rlsmove.comparison.randomized_shift import (
    ALPHA,
    CARRIES_ON,
    TIE,
    fixed_columns,
    freed,
    orthonormal,
    unit_rows,
    whitened,
)
from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.study.assignments import Arms
from rlsmove.study.folder import Arm
from rlsmove.study.schedule import Schedule, redraw
from rlsmove.study.scheme import Scheme

#: SD of a night's log rate within one person and condition, where nothing was measured.
NIGHT_SD = 0.5

#: Share of nights without a result, where nothing was measured.
MISSING = 0.15

#: SD of the true log ratio between persons, where nothing was measured.
PERSON_SD = 0.3

#: Power that `nights_needed` asks for, and the nights beyond which it does not look.
POWER = 0.8
MOST_NIGHTS = 500

#: Simulated studies for each figure: so many patterns of missing nights, and studies of each.
_PATTERNS, _STUDIES = 20, 50

#: Redrawn assignments for each test; a fortieth of them is a whole number.
_REDRAWN = 200

#: Nights that vary by less than this share of the effect need no more of them.
_LEAST_NOISE = 0.2

#: A simulated power is as good as the one asked for if it is no further below.
_NEAR = 0.02

#: Simulated figures are kept for persons whose nights are alike: effects by steps of 5 %.
_STEP = 0.05


@dataclass(frozen=True)
class Baseline:
    """How a person's nights vary when nothing is done.

    Attributes
    ----------
    night_sd : float
        SD of a night's log rate.
    correlation : float
        Lag-1 correlation from one night to the next.
    missing : float
        Share of nights without a result.
    """

    night_sd: float = NIGHT_SD
    correlation: float = 0.0
    missing: float = 0.0


@dataclass(frozen=True)
class Design:
    """A scheme of any length: a block, and how it is repeated.

    Attributes
    ----------
    scheme : str
    units : tuple of int, length arms
        Periods of each arm in a block.
    period_nights : int
    max_run : int or None
    level : tuple, length arms
        1 for massage, 0 for control, None for an arm outside the primary contrast.
    """

    scheme: str
    units: tuple[int, ...]
    period_nights: int
    max_run: int | None
    level: tuple[float | None, ...]

    @property
    def block_nights(self) -> int:
        """Nights in a block: by so many a study grows."""
        return sum(self.units) * self.period_nights

    def schedule(self, blocks: int) -> Schedule:
        """Return the schedule of so many blocks, their arms in order."""
        arm = np.tile(np.repeat(np.arange(len(self.units)), self.units), blocks)
        block = np.repeat(np.arange(blocks), sum(self.units))
        if self.scheme == "free":
            arm, block = np.sort(arm), np.zeros_like(block)
        unit = np.repeat(np.arange(len(arm)), self.period_nights)
        return Schedule(self.scheme, block[unit], unit, arm[unit], len(self.units), self.max_run)

    @property
    def levels(self) -> FloatArray:
        """`level` as numbers, NaN for None."""
        return np.array([math.nan if one is None else one for one in self.level])


def design_of_scheme(scheme: Scheme, arms: tuple[Arm, ...]) -> Design:
    """Return the design of a plan's scheme."""
    by_name = {arm.name: arm for arm in arms}
    periods = scheme.block_nights // scheme.period_nights // len(scheme.arms)
    return Design(
        scheme.kind,
        (1 if scheme.kind == "free" else periods,) * len(scheme.arms),
        scheme.period_nights,
        scheme.max_run,
        tuple(
            float(by_name[name].massage) if by_name[name].compared else None for name in scheme.arms
        ),
    )


def design_of_person(person: PersonNights) -> Design:
    """Return the design that a person's nights were assigned by, its commonest block repeated."""
    of_night, block, arm = person.schedule().units()
    counts = np.zeros((block.max() + 1, len(person.arms)), np.int64)
    np.add.at(counts, (block, arm), 1)
    rows, times = np.unique(counts[counts.any(axis=1)], axis=0, return_counts=True)
    units = rows[np.argmax(times)]
    if person.scheme == "free":
        units = units // np.gcd.reduce(units)
    return Design(
        person.scheme,
        tuple(units.tolist()),
        int(np.median(np.bincount(of_night))),
        person.max_run,
        tuple(float(arm.massage) if arm.compared else None for arm in person.arms),
    )


def smallest_p(design: Design, blocks: int) -> float:
    """Return the smallest p that any result of one person could reach.

    Parameters
    ----------
    design : Design
    blocks : int
        How often its block is repeated.
    """
    schedule = design.schedule(blocks)
    return min(1.0, 2 / redraw(schedule, np.isfinite(design.levels)).size)


def simulated_tests(
    design: Design,
    blocks: int,
    log_ratio: float,
    baseline: Baseline,
    seed: int,
    *,
    patterns: int = _PATTERNS,
) -> tuple[FloatArray, FloatArray]:
    """Simulate persons, and test each as a comparison does.

    Parameters
    ----------
    design : Design
    blocks : int
    log_ratio : float
        True shift of the log rate by massage.
    baseline : Baseline
    seed : int
    patterns : int
        Of missing nights, each in `_STUDIES` persons.

    Returns
    -------
    estimate, p : ndarray, shape (persons,)
        NaN and 1 where the nights that are left tell nothing.
    """
    rng = np.random.default_rng(seed)
    level, drawn = design.levels, design.schedule(blocks)
    of_night, _, _ = drawn.units()
    inside = np.isfinite(level)
    studies = _STUDIES
    if inside.all() and baseline.missing == 0:  # all patterns are one
        patterns, studies = 1, patterns * _STUDIES
    noise = autocorrelated(
        (patterns, studies, len(of_night)), baseline.night_sd, baseline.correlation, rng
    )
    arms = _drawn_arms(drawn, inside, rng)
    estimates, ps = np.full((patterns, studies), math.nan), np.ones((patterns, studies))
    for pattern in range(patterns):
        levels = level[arms][:, of_night]
        if not inside.all():  # the other arms stay where one draw puts them
            kept = replace(drawn, arm=_shuffled(drawn, rng)[of_night])
            levels = level[_drawn_arms(kept, inside, rng)][:, of_night]
        there = np.isfinite(levels[0]) & (rng.random(len(of_night)) >= baseline.missing)
        own = rng.integers(0, len(levels), studies)
        if there.sum() < 2:
            continue
        day = np.flatnonzero(there)
        basis = orthonormal(whitened(fixed_columns(day.astype(np.float64)).T, day).T)
        rows, length = unit_rows(freed(whitened(levels[:, there], day), basis))
        y = noise[pattern][:, there] + log_ratio * levels[own][:, there]
        z = rows @ freed(whitened(y, day), basis).T
        observed = z[own, np.arange(studies)]
        tie = TIE * float(np.abs(z).max(initial=0.0))
        tail = np.minimum((z >= observed - tie).sum(axis=0), (z <= observed + tie).sum(axis=0))
        ps[pattern] = np.minimum(1.0, 2 * tail / len(rows))
        with np.errstate(divide="ignore", invalid="ignore"):
            estimates[pattern] = observed / length[own]
    return estimates.ravel(), ps.ravel()


def _drawn_arms(schedule: Schedule, inside: BoolArray, rng: np.random.Generator) -> Arms:
    """List the assignments of a contrast, or draw some, shape (r, units)."""
    others = redraw(schedule, inside)
    if others.size <= _REDRAWN:
        return others.space.every()
    if others.max_run is not None:
        return others.space.draw(_REDRAWN, rng)
    _, _, arm = schedule.units()
    stratum = np.array(others.stratum)
    inward = np.argsort(stratum, kind="stable")
    shuffled = np.argsort(stratum + rng.random((_REDRAWN, len(arm))), axis=1)
    arms = np.empty(shuffled.shape, np.int8)
    arms[:, inward] = arm[shuffled]
    return arms


def _shuffled(schedule: Schedule, rng: np.random.Generator) -> IntArray:
    """Draw the arms of all units; where a cap forbids the shuffle, from those that it allows."""
    _, block, arm = schedule.units()
    arms = np.empty_like(arm)
    arms[np.argsort(block, kind="stable")] = arm[np.lexsort((rng.random(len(arm)), block))]
    longest = replace(schedule, arm=arms[schedule.units()[0]]).longest_run()
    if schedule.max_run is None or longest <= schedule.max_run:
        return arms
    every = redraw(schedule, np.ones(schedule.n_arms, bool)).space
    return every.draw(1, rng)[0].astype(np.int64)


def person_power(design: Design, blocks: int, ratio: float, baseline: Baseline, seed: int) -> float:
    """Return the share of simulated persons whose test reaches p <= 0.05.

    Parameters
    ----------
    design : Design
    blocks : int
    ratio : float
        True rate with massage over that without.
    baseline : Baseline
    seed : int
    """
    _, p = simulated_tests(design, blocks, math.log(ratio), baseline, seed)
    return float(np.mean(p <= ALPHA))


def cohort_power(
    design: Design,
    blocks: int,
    ratio: float,
    baseline: Baseline,
    persons: int,
    seed: int,
    person_sd: float = PERSON_SD,
) -> float:
    """Return the share of simulated cohorts whose sign-flip test reaches p <= 0.05.

    Parameters
    ----------
    design, blocks, ratio, baseline, seed
        As in `person_power`.
    persons : int
    person_sd : float
        SD of the true log ratio between persons.
    """
    rng = np.random.default_rng(seed)
    studies = _PATTERNS * _STUDIES
    pool, _ = simulated_tests(design, blocks, math.log(ratio), baseline, seed)
    pool = pool[np.isfinite(pool)]
    values = rng.choice(pool, (studies, persons)) + rng.normal(0, person_sd, (studies, persons))
    exact = 2**persons <= _REDRAWN
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**persons)[:, None] >> np.arange(persons)) & 1)
    else:
        signs = 1.0 - 2.0 * rng.integers(0, 2, (_REDRAWN, persons))
    count = (np.abs(values @ signs.T) >= np.abs(values.sum(axis=1))[:, None] - 1e-9).sum(axis=1)
    p = count / len(signs) if exact else (1 + count) / (1 + len(signs))
    return float(np.mean(p <= ALPHA))


@lru_cache(maxsize=1024)
def nights_for_power(design: Design, ratio: float, baseline: Baseline, seed: int) -> int | None:
    """Return the nights of one person with which the power reaches `POWER`.

    Between two numbers of nights the distance from no effect grows as the root of the nights;
    each simulation corrects the next guess, until the block is the same.

    Returns
    -------
    int or None
        A multiple of the design's block; None beyond `MOST_NIGHTS`.
    """
    from scipy.special import ndtri

    wanted = float(ndtri(1 - ALPHA / 2) + ndtri(POWER))
    most = MOST_NIGHTS // design.block_nights
    # Among several arms in one block the capped sequences are too many to count beyond this.
    most = min(most, 60) if design.max_run and len(design.units) > 2 else most
    fewest = next(blocks for blocks in range(1, most + 2) if smallest_p(design, blocks) <= ALPHA)
    tried: dict[int, float] = {}
    nights = (2 * wanted * baseline.night_sd / math.log(ratio)) ** 2
    for _ in range(6):
        blocks = min(max(round(nights / design.block_nights), fewest), most + 1)
        if blocks not in tried:
            _, p = simulated_tests(
                design, blocks, math.log(ratio), baseline, seed, patterns=_PATTERNS // 2
            )
            tried[blocks] = float(np.mean(p <= ALPHA))
            reached = ndtri(1 - ALPHA / 2) + ndtri(min(max(tried[blocks], 0.1), 0.995))
            nights = blocks * design.block_nights * min((wanted / float(reached)) ** 2, 4.0)
        elif tried[blocks] >= POWER - _NEAR:
            break
        else:
            nights += design.block_nights
    enough = [blocks for blocks, power in tried.items() if power >= POWER - _NEAR]
    return min(enough) * design.block_nights if enough and min(enough) <= most else None


@dataclass(frozen=True)
class NightsNeeded:
    """Nights in all that a person would need; None for more than `MOST_NIGHTS`.

    Attributes
    ----------
    number, low, high : int or None
        The number, and what it would be at either end of the 95 % interval of how much this
        person's nights vary.
    """

    number: int | None
    low: int | None
    high: int | None


def nights_needed(person: PersonNights, found: Contrast, settings: Settings) -> NightsNeeded | None:
    """Say how many nights would tell the worthwhile ratio from none, by this scheme and analysis.

    Parameters
    ----------
    person : PersonNights
        Randomized.
    found : Contrast
        Its noise is what the simulated nights vary by, its missing nights those they miss.
    settings : Settings

    Returns
    -------
    NightsNeeded or None
        None where the nights do not tell how much they vary.
    """
    nights, freedom = int(found.used.sum()), int(found.used.sum()) - 3
    if not (math.isfinite(found.noise) and found.noise > 0 and freedom >= 1):
        return None
    from scipy.special import chdtri

    design = design_of_person(person)
    over = max(person.nights_over, nights)
    missing = round(min(1 - nights / over, 0.6) / _STEP) * _STEP

    def number(sd: float) -> int | None:
        # What matters is the effect over the noise: bring it to the nearest step.
        steps = round(math.log(max(sd / -math.log(settings.margin), _LEAST_NOISE)) / _STEP)
        ratio = math.exp(-math.exp(-steps * _STEP))
        found = nights_for_power(design, ratio, Baseline(1.0, CARRIES_ON, missing), settings.seed)
        return (
            None
            if found is None
            else max(found, (over // design.block_nights + 1) * design.block_nights)
        )

    ends = (
        found.noise * math.sqrt(freedom / float(chdtri(freedom, share)))
        for share in (ALPHA / 2, 1 - ALPHA / 2)
    )
    low, high = map(number, ends)
    return NightsNeeded(number(found.noise), low, high)


def autocorrelated(
    shape: tuple[int, ...], sd: float, correlation: float, rng: np.random.Generator
) -> FloatArray:
    """Draw stationary first-order series.

    Parameters
    ----------
    shape : tuple of int
        The nights of a series are the last axis.
    sd, correlation : float
        Of each night, and from one night to the next.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, of that shape
    """
    noise = rng.normal(0.0, sd, shape)
    fresh = math.sqrt(1.0 - correlation**2)
    for night in range(1, shape[-1]):
        noise[..., night] = correlation * noise[..., night - 1] + fresh * noise[..., night]
    return noise
