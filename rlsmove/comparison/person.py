"""One person: nights with massage against nights without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlsmove.comparison.anytime import Anytime, Bet, bets, follow
from rlsmove.comparison.contrast import Assigned, Contrast, contrast, contrast_counts
from rlsmove.comparison.least_squares import residuals, slope
from rlsmove.comparison.person_nights import (
    ADDED_TO_COUNT,
    ComparedNight,
    PersonNights,
    Settings,
    counts,
    why_without_rate,
)
from rlsmove.comparison.power import NightsNeeded, nights_needed
from rlsmove.records import BoolArray, FloatArray

VERDICTS = ("fewer", "no_worthwhile_difference", "more", "cannot_tell", "not_finished")

#: Below so many movements in all nights a ratio is not given: one movement is no percentage.
FEWEST_MOVEMENTS = 10

#: Below so many a night, on the mean of all nights, the arms' sums are compared, not logarithms.
FEW_A_NIGHT = 10.0

#: Diary columns that a night's rate is adjusted for in a sensitivity analysis.
DIARY_COVARIATES = ("caffeine", "alcohol", "exercise", "stress")

#: Rows to spare for each covariate: fewer, and the adjustment says more of noise than of it.
_ROWS_FOR_COVARIATE = 4


@dataclass(frozen=True)
class Variant:
    """A contrast done another way, to stand beside the primary one.

    Attributes
    ----------
    analysis : str
        ``per_protocol``, ``short_nights_dropped``, ``diary_adjusted``, or the names of two arms.
    contrast : Contrast or None
        None where that way leaves nothing to contrast.
    note : str
        What was done.
    """

    analysis: str
    contrast: Contrast | None
    note: str


@dataclass(frozen=True)
class PersonComparison:
    """What one person's nights say. Shifts are of the natural logarithm of the rate.

    Attributes
    ----------
    person : PersonNights
    contrast : Contrast or None
        None where there is nothing to contrast; `reason` says why.
    reason : str
    verdict : str
        One of `VERDICTS`.
    nights_massage, nights_control : int
        Nights that entered.
    nights_missing : int
        Nights of the contrast that are over and did not.
    excluded : list of (str, str)
        Each night that did not enter, with its reason.
    bets : list of Bet
        The blocks that are over, for looks at any time.
    anytime : Anytime or None
        What they have come to; None where not randomized, or where there are too few movements.
    needed : NightsNeeded or None
        Nights in all that would tell the worthwhile ratio from none, where the verdict is
        ``cannot_tell``.
    trend_per_week, carry_over, serial_correlation : float or None
        Shift over a week; shift of a night after a massage night; lag-1 correlation of what
        condition and trend leave. None where the nights do not tell.
    variants : list of Variant
    """

    person: PersonNights
    contrast: Contrast | None
    reason: str
    verdict: str
    nights_massage: int
    nights_control: int
    nights_missing: int
    excluded: list[tuple[str, str]]
    bets: list[Bet]
    anytime: Anytime | None
    needed: NightsNeeded | None
    trend_per_week: float | None
    carry_over: float | None
    serial_correlation: float | None
    variants: list[Variant]

    @property
    def waits(self) -> bool:
        """Whether the plan has no verdict yet."""
        return self.verdict == "not_finished"


def compare_person(person: PersonNights, settings: Settings) -> PersonComparison:
    """Compare one person's nights, by the condition assigned.

    Parameters
    ----------
    person : PersonNights
    settings : Settings

    Returns
    -------
    PersonComparison
    """
    nights = person.assigned
    count, hours = counts(nights, settings)
    values = np.log((count + ADDED_TO_COUNT) / hours)
    reason = _nothing_to_contrast(person, count)
    found, placed = None, []
    if not reason:
        found = contrast_rates(count, hours, person.contrasted(), seed=settings.seed)
        if found is None:
            reason = "the usable nights do not tell massage from the course of time"
    if not reason and person.randomized:
        over = np.array([night.over for night in nights])
        placed = bets(values, person.contrasted(), over)
    used = found.used if found else np.zeros(len(nights), bool)
    massage = person.massage()
    anytime = follow(placed) if found and person.randomized else None
    decided = _verdict_of_person(person, found, anytime, settings)
    return PersonComparison(
        person=person,
        contrast=found,
        reason=reason,
        verdict=decided,
        nights_massage=int((used & massage).sum()),
        nights_control=int((used & ~massage).sum()),
        nights_missing=sum(
            night.over and not entered
            for night, entered, inside in zip(nights, used, person.in_contrast(), strict=True)
            if inside
        ),
        excluded=_excluded(person, used, reason, settings),
        bets=placed,
        anytime=anytime,
        needed=nights_needed(person, found, settings)
        if found and decided == "cannot_tell" and person.randomized
        else None,
        **_course(nights, values, massage, used),
        variants=_variants(person, values, used, settings) if found else [],
    )


def contrast_rates(
    count: FloatArray, hours: FloatArray, assigned: Assigned, *, seed: int
) -> Contrast | None:
    """Contrast rates, by the logarithm of each night's or, where movements are few, by their sums.

    Parameters
    ----------
    count, hours : ndarray, shape (nights,)
        NaN where the night has none or is left out.
    assigned : Assigned
    seed : int

    Returns
    -------
    Contrast or None
        None where there are fewer than `FEWEST_MOVEMENTS`, or the nights do not tell the arms
        apart.
    """
    compared = count[np.isfinite(count) & np.isfinite(assigned.level_of_night)]
    if compared.sum() < FEWEST_MOVEMENTS:
        return None
    two_sided = set(assigned.level[np.isfinite(assigned.level)].tolist()) == {0.0, 1.0}
    if compared.mean() < FEW_A_NIGHT and two_sided:
        return contrast_counts(count, hours, assigned, seed=seed)
    return contrast(np.log((count + ADDED_TO_COUNT) / hours), assigned, seed=seed)


def primary_contrast(person: PersonNights, settings: Settings) -> Contrast | None:
    """Contrast the primary index between massage and control nights, by assignment."""
    count, hours = counts(person.assigned, settings)
    return contrast_rates(count, hours, person.contrasted(), seed=settings.seed)


def verdict(low: float, high: float, margin: float) -> str:
    """Turn the interval of a log ratio into one of four verdicts.

    Parameters
    ----------
    low, high : float
        95 % interval of the log ratio of massage over control.
    margin : float
        The worthwhile ratio, below 1. Its reciprocal is the worthwhile ratio the other way.

    Returns
    -------
    str
        ``no_worthwhile_difference`` where the whole interval lies inside the margin, also where
        it excludes 1: then there is a difference, but a smaller one than was worth having.
    """
    if math.log(margin) <= low and high <= -math.log(margin):
        return "no_worthwhile_difference"
    if high < 0:
        return "fewer"
    return "more" if low > 0 else "cannot_tell"


def _verdict_of_person(
    person: PersonNights, found: Contrast | None, anytime: Anytime | None, settings: Settings
) -> str:
    if not person.randomized:
        return "cannot_tell"
    if settings.looks == "every_morning":
        return verdict(anytime.low, anytime.high, settings.margin) if anytime else "cannot_tell"
    if not person.finished:
        return "not_finished"
    return verdict(found.low, found.high, settings.margin) if found else "cannot_tell"


def _nothing_to_contrast(person: PersonNights, count: FloatArray) -> str:
    """Say why there is no contrast; empty where there may be one."""
    if not person.assigned:
        return "no night has a condition"
    inside = person.in_contrast()
    usable = np.isfinite(count) & inside
    massage = person.massage()
    for name, side in (("massage", massage), ("control", ~massage)):
        if not (side & inside).any():
            return f"there is no {name} night"
    if not usable.any():
        return "no night has a usable result"
    for name, side in (("massage", massage), ("control", ~massage)):
        if not (usable & side).any():
            return f"no {name} night has a usable result"
    if count[usable].sum() < FEWEST_MOVEMENTS:
        return (
            f"too few movements: {count[usable].sum():g} in {usable.sum()} nights, and "
            f"{FEWEST_MOVEMENTS} are the fewest that a percentage is made of"
        )
    return ""


def _excluded(
    person: PersonNights, used: BoolArray, reason: str, settings: Settings
) -> list[tuple[str, str]]:
    """Give the reason of each night that did not enter."""
    entered = dict(zip(map(id, person.assigned), used.tolist(), strict=True))
    excluded = []
    for night in person.nights:
        if entered.get(id(night), False):
            continue
        why = why_without_rate(night, settings)
        if not night.over:
            why = "still to come"
        elif not why and night.arm >= 0 and not person.arms[night.arm].compared:
            why = f"{person.arms[night.arm].name} is no arm of the primary contrast"
        excluded.append((night.night, why or reason))
    return excluded


def _course(
    nights: Sequence[ComparedNight],
    values: FloatArray,
    massage: np.ndarray,
    used: np.ndarray,
) -> dict[str, float | None]:
    """Trend, carry-over and serial correlation of the nights that entered."""
    y, x = values[used], massage[used].astype(np.float64)
    day = np.array([night.day for night in nights], np.float64)[used]
    course: dict[str, float | None] = dict.fromkeys(
        ("trend_per_week", "carry_over", "serial_correlation")
    )
    if len(y) < 5:
        return course
    per_day = slope(y, day, x)
    if per_day is None:
        return course
    course["trend_per_week"] = 7 * per_day
    course["carry_over"] = carry_over(nights, values, massage, used)
    rest = residuals(y, x, day)
    after = np.flatnonzero(np.diff(day) == 1)
    square = float(np.mean(rest**2))
    if len(after) >= 5 and square > 1e-18:
        course["serial_correlation"] = float(np.mean(rest[after] * rest[after + 1])) / square
    return course


def carry_over(
    nights: Sequence[ComparedNight],
    values: FloatArray,
    massage: np.ndarray,
    used: np.ndarray,
) -> float | None:
    """Shift of a night that follows a massage night, its own condition and the trend held fixed.

    Nights whose evening before is not in the record do not enter. None where the rest do not
    tell.
    """
    given = dict(zip((night.day for night in nights), massage.tolist(), strict=True))
    rows = [i for i in np.flatnonzero(used).tolist() if nights[i].day - 1 in given]
    before = np.array([given[nights[i].day - 1] for i in rows], np.float64)
    day = np.array([nights[i].day for i in rows], np.float64)
    return slope(values[rows], before, massage[rows].astype(np.float64), day)


def _variants(
    person: PersonNights, values: FloatArray, used: BoolArray, settings: Settings
) -> list[Variant]:
    nights, seed = person.assigned, settings.seed
    count, hours = counts(nights, settings)
    level = person.massage_level()
    variants = []

    received = [night.received if night.received >= 0 else night.arm for night in nights]
    differing = sum(
        r != night.arm and bool(level[r] != level[night.arm])
        for r, night in zip(received, nights, strict=True)
    )
    if differing:
        # By what was received, nothing was randomized: an estimate and no more.
        as_received = replace(person.schedule(received), scheme="none")
        by_received = replace(person.contrasted(), schedule=as_received)
        variants.append(
            Variant(
                "per_protocol",
                contrast_rates(count, hours, by_received, seed=seed),
                f"by the condition received, which differs in {differing} night(s); "
                "not randomized, so without a test",
            )
        )
    short = used & (hours < settings.short_night_hours)
    if short.any():
        variants.append(
            Variant(
                "short_nights_dropped",
                contrast_rates(
                    np.where(short, math.nan, count), hours, person.contrasted(), seed=seed
                ),
                f"without {int(short.sum())} night(s) of fewer than "
                f"{settings.short_night_hours:g} h",
            )
        )
    columns = _diary_columns(person, used)
    if columns:
        variants.append(
            Variant(
                "diary_adjusted",
                contrast(
                    values,
                    person.contrasted(),
                    seed=seed,
                    adjust=np.column_stack(list(columns.values())),
                ),
                f"{', '.join(columns)} held fixed, over the nights that have them",
            )
        )
    for one, other in other_contrasts(person):
        levels = np.full(len(level), math.nan)
        levels[list(one)], levels[list(other)] = 1.0, 0.0
        variants.append(
            Variant(
                f"{_names(person, one)} over {_names(person, other)}",
                contrast_rates(count, hours, person.contrasted(levels), seed=seed),
                "a secondary contrast of arms",
            )
        )
    return variants


def other_contrasts(person: PersonNights) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the arms of secondary contrasts: each arm outside the primary one with its sides."""
    arms = range(len(person.arms))
    massage, control = (
        tuple(a for a in arms if person.arms[a].compared and person.arms[a].massage is side)
        for side in (True, False)
    )
    others = [(a,) for a in arms if not person.arms[a].compared]
    return [pair for other in others for pair in ((massage, other), (other, control))]


def _names(person: PersonNights, arms: Sequence[int]) -> str:
    return " and ".join(person.arms[arm].name for arm in arms)


def _diary_columns(person: PersonNights, used: np.ndarray) -> dict[str, FloatArray]:
    """Return the covariates that most nights have and that vary, as many as the nights bear."""
    nights = person.assigned
    room = (int(used.sum()) - 3) // _ROWS_FOR_COVARIATE
    columns: dict[str, FloatArray] = {}
    for name in DIARY_COVARIATES:
        values = np.array([float(night.diary.get(name, math.nan)) for night in nights])
        known = values[used & np.isfinite(values)]
        if len(columns) < room and len(known) >= 0.8 * used.sum() and np.ptp(known) > 0:
            columns[name] = values
    return columns
