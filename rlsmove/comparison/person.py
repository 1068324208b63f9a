"""One person: nights with massage against nights without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlsmove.comparison.contrast import Contrast, contrast
from rlsmove.comparison.least_squares import residuals, slope
from rlsmove.comparison.person_nights import (
    ComparedNight,
    PersonNights,
    Settings,
    log_rates,
    why_without_rate,
)
from rlsmove.comparison.power import nights_for_error
from rlsmove.records import FloatArray

VERDICTS = ("fewer", "no_worthwhile_difference", "more", "cannot_tell")

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
        ``per_protocol``, ``trend_adjusted``, ``short_nights_dropped`` or ``diary_adjusted``.
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
    excluded : list of (str, str)
        Each other night with its reason.
    nights_needed : int or None
        Nights in all that would tell the worthwhile ratio from none with a power of 0.8, where
        the verdict is ``cannot_tell``.
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
    excluded: list[tuple[str, str]]
    nights_needed: int | None
    trend_per_week: float | None
    carry_over: float | None
    serial_correlation: float | None
    variants: list[Variant]


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
    values = log_rates(nights, settings)
    reason = _nothing_to_contrast(person, values, settings)
    found = None if reason else primary_contrast(person, values, settings)
    if not reason and found is None:
        reason = "no block has a usable night of both conditions"
    used = found.used if found else np.zeros(len(nights), bool)
    massage = person.massage() if nights else np.zeros(0, bool)
    decided = (
        verdict(found.low, found.high, settings.margin)
        if found and person.randomized
        else "cannot_tell"
    )
    needed = None
    if found and decided == "cannot_tell" and found.se > 0:
        needed = nights_for_error(found.se, int(used.sum()), settings.margin, step=2)
    return PersonComparison(
        person=person,
        contrast=found,
        reason=reason,
        verdict=decided,
        nights_massage=int((used & massage).sum()),
        nights_control=int((used & ~massage).sum()),
        excluded=_excluded(person, values, used, reason, settings),
        nights_needed=needed,
        **_course(nights, values, massage, used),
        variants=_variants(person, values, used, settings) if found else [],
    )


def primary_contrast(
    person: PersonNights, values: FloatArray, settings: Settings
) -> Contrast | None:
    """Contrast massage with control nights, by assignment.

    Parameters
    ----------
    person : PersonNights
    values : ndarray, shape (assigned nights,)
        Outcome of each of ``person.assigned``, NaN where it has none.
    settings : Settings

    Returns
    -------
    Contrast or None
        None where no block has usable nights of both.
    """
    return contrast(values, person.schedule(), person.massage_level(), seed=settings.seed)


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


def _nothing_to_contrast(person: PersonNights, values: FloatArray, settings: Settings) -> str:
    """Say why there is no contrast; empty where there may be one."""
    usable = np.isfinite(values)
    nights = person.assigned
    if not nights:
        return "no night has a condition"
    if not usable.any():
        return "no night has a usable result"
    massage = person.massage()
    for name, side in (("massage", massage), ("control", ~massage)):
        if not side.any():
            return f"there is no {name} night"
        if not (usable & side).any():
            return f"no {name} night has a usable result"
    if all(night.count == 0 for night, use in zip(nights, usable, strict=True) if use):
        return "no movement was counted in any night: there is no rate to compare"
    return ""


def _excluded(
    person: PersonNights,
    values: FloatArray,
    used: np.ndarray,
    reason: str,
    settings: Settings,
) -> list[tuple[str, str]]:
    """Give the reason of each night that did not enter."""
    entered = dict(zip(map(id, person.assigned), used.tolist(), strict=True))
    excluded = []
    for night in person.nights:
        if entered.get(id(night), False):
            continue
        why = why_without_rate(night, settings) or reason
        if not why:
            why = (
                "the other night of its pair has no usable result"
                if person.scheme == "pairs"
                else "no usable night of the other condition in its block"
            )
        excluded.append((night.night, why))
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
    person: PersonNights, values: FloatArray, used: np.ndarray, settings: Settings
) -> list[Variant]:
    nights = person.assigned
    level = person.massage_level()
    variants = []

    received = [night.received if night.received >= 0 else night.arm for night in nights]
    differing = sum(level[r] != level[night.arm] for r, night in zip(received, nights, strict=True))
    if differing:
        # By what was received, nothing was randomized: an estimate and no more.
        by_received = replace(
            person.schedule(received),
            scheme="none",
            block=np.zeros(len(nights), np.int64),
            period=np.arange(len(nights)),
        )
        variants.append(
            Variant(
                "per_protocol",
                contrast(values, by_received, level, seed=settings.seed),
                f"by the condition received, which differs in {differing} night(s); "
                "not randomized, so without a test",
            )
        )
    day = np.array([night.day for night in nights], np.float64)
    variants.append(
        Variant(
            "trend_adjusted",
            contrast(
                values,
                person.schedule(),
                level,
                seed=settings.seed,
                adjust=(day - day.mean())[:, None],
            ),
            "the nights' linear trend held fixed",
        )
    )
    hours = np.array([night.hours for night in nights])
    short = used & (hours < settings.short_night_hours)
    if short.any():
        variants.append(
            Variant(
                "short_nights_dropped",
                primary_contrast(person, np.where(short, math.nan, values), settings),
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
                    person.schedule(),
                    level,
                    seed=settings.seed,
                    adjust=np.column_stack(list(columns.values())),
                ),
                f"{', '.join(columns)} held fixed, over the nights that have them",
            )
        )
    return variants


def _diary_columns(person: PersonNights, used: np.ndarray) -> dict[str, FloatArray]:
    """Return the covariates that most nights have and that vary, as many as the nights bear."""
    nights = person.assigned
    room = (int(used.sum()) - len({n.block for n in nights})) // _ROWS_FOR_COVARIATE
    columns: dict[str, FloatArray] = {}
    for name in DIARY_COVARIATES:
        values = np.array([float(night.diary.get(name, math.nan)) for night in nights])
        known = values[used & np.isfinite(values)]
        if len(columns) < room and len(known) >= 0.8 * used.sum() and np.ptp(known) > 0:
            columns[name] = values
    return columns
