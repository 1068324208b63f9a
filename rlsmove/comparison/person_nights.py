"""What a comparison is made from: each person's nights, their arms, and why some are left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rlsmove.comparison.contrast import Assigned
from rlsmove.records import BoolArray, FloatArray
from rlsmove.study.folder import EXCLUSION_RULES, LOOKS, PRIMARY_INDEX, WORTHWHILE_RATIO, Arm
from rlsmove.study.schedule import Schedule

#: Added to each count before the logarithm, so that a night without movements has one.
ADDED_TO_COUNT = 0.5


@dataclass(frozen=True)
class ComparedNight:
    """One night of one person.

    Attributes
    ----------
    night : str
        Evening date, or what the table calls the night.
    day : int
        Its place in time, in days.
    arm : int
        Number of the assigned arm; -1 for a night that has none, such as one of the run-in.
    block, period : int
        Of the schedule.
    received : int
        Number of the arm that the night was in fact; the assigned one where nothing else is
        known.
    count, hours : float
        Movements and the hours they were counted in; NaN where not known.
    left_out : str
        Why the night is not compared, whatever its values; empty where it is.
    failed : str
        Why it has no result from a recording; empty where it has one, or might.
    diary : mapping
        The row of nights.tsv: numbers, text, and truth values.
    indices : mapping of str to float
        The indices of the night.
    left, right : mapping of str to float
        Those of each leg alone, where they are known.
    reviewed : bool
        Whether a person has gone over its movements.
    over : bool
        Whether it is past: one that is may be missing, one that is not is still to come.
    """

    night: str
    day: int
    arm: int
    block: int
    period: int
    received: int
    count: float
    hours: float
    left_out: str = ""
    failed: str = ""
    diary: Mapping[str, Any] = field(default_factory=dict)
    indices: Mapping[str, float] = field(default_factory=dict)
    left: Mapping[str, float] = field(default_factory=dict)
    right: Mapping[str, float] = field(default_factory=dict)
    reviewed: bool = False
    over: bool = True


@dataclass(frozen=True)
class PersonNights:
    """One person's nights, in the order of time.

    Attributes
    ----------
    participant_id : str
    scheme : str
        One of `rlsmove.study.schedule.SCHEMES`; ``none`` where not randomized.
    arms : tuple of Arm
    nights : tuple of ComparedNight
    max_run : int or None
    about : mapping
        The person's row of participants.tsv.
    planned_nights : int or None
        Nights with an arm that were planned; None where nobody said.
    """

    participant_id: str
    scheme: str
    arms: tuple[Arm, ...]
    nights: tuple[ComparedNight, ...]
    max_run: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    planned_nights: int | None = None

    @property
    def randomized(self) -> bool:
        """Whether chance gave the nights their arms."""
        return self.scheme != "none"

    @cached_property
    def assigned(self) -> tuple[ComparedNight, ...]:
        """The nights that have an arm: those that a schedule speaks of."""
        return tuple(night for night in self.nights if night.arm >= 0)

    def schedule(self, arms: Sequence[int] | None = None) -> Schedule:
        """Return the schedule of `assigned`; `arms` take the place of the assigned ones."""
        nights = self.assigned
        return Schedule(
            scheme=self.scheme,
            block=np.array([night.block for night in nights], np.int64),
            period=np.array([night.period for night in nights], np.int64),
            arm=np.array(arms or [night.arm for night in nights], np.int64),
            n_arms=len(self.arms),
            max_run=self.max_run,
        )

    def contrasted(self, level: FloatArray | None = None) -> Assigned:
        """Return `assigned` as a contrast takes them; the primary one unless levels are given."""
        day = np.array([night.day for night in self.assigned], np.int64)
        return Assigned(self.schedule(), day, self.massage_level() if level is None else level)

    def massage_level(self) -> FloatArray:
        """Return 1 for each arm with massage and 0 for each without, NaN for one not compared."""
        return np.array([float(arm.massage) if arm.compared else math.nan for arm in self.arms])

    def massage(self) -> BoolArray:
        """Return which of `assigned` were assigned to massage."""
        return np.array([self.arms[night.arm].massage for night in self.assigned], bool)

    def in_contrast(self) -> BoolArray:
        """Return which of `assigned` have an arm of the primary contrast."""
        return np.array([self.arms[night.arm].compared for night in self.assigned], bool)

    @property
    def nights_over(self) -> int:
        """How many of the nights with an arm are past."""
        return sum(night.over for night in self.assigned)

    @property
    def finished(self) -> bool:
        """Whether all planned nights are over."""
        return self.planned_nights is None or self.nights_over >= self.planned_nights


@dataclass(frozen=True)
class Settings:
    """What a comparison is done by; set before the nights are seen.

    Attributes
    ----------
    index : str
        The primary index.
    margin : float
        The worthwhile ratio of massage over control, below 1.
    minimum_hours : float
        A night with fewer is left out.
    minimum_nights : int
        Nights of each condition that a person needs to enter a cohort.
    short_night_hours : float
        Nights below are dropped in a sensitivity analysis.
    looks : str
        One of `rlsmove.study.folder.LOOKS`.
    seed : int
        For draws where there are too many assignments to list.
    """

    index: str = PRIMARY_INDEX
    margin: float = WORTHWHILE_RATIO
    minimum_hours: float = EXCLUSION_RULES["minimum_hours"]
    minimum_nights: int = int(EXCLUSION_RULES["minimum_nights"])
    short_night_hours: float = EXCLUSION_RULES["short_night_hours"]
    looks: str = LOOKS[0]
    seed: int = 1


def log_rate(count: float, hours: float) -> float:
    """Return the natural logarithm of (count + 0.5) / hours, the outcome that is compared."""
    return math.log((count + ADDED_TO_COUNT) / hours)


def why_without_rate(night: ComparedNight, settings: Settings) -> str:
    """Say why a night has no rate to compare; empty where it has one."""
    if night.left_out:
        return night.left_out
    if night.failed:
        return night.failed
    if math.isnan(night.hours):
        return "the hours are missing"
    if night.hours <= 0:
        return "no hours were recorded"
    if math.isnan(night.count):
        return "the count is missing"
    if night.hours < settings.minimum_hours:
        return (
            f"{night.hours:.2g} h, fewer than the {settings.minimum_hours:g} h that a night "
            "must have"
        )
    return ""


def counts(nights: Sequence[ComparedNight], settings: Settings) -> tuple[FloatArray, FloatArray]:
    """Return count and hours of each night, NaN where it has no rate to compare."""
    usable = [not why_without_rate(night, settings) for night in nights]
    count = [night.count if use else math.nan for night, use in zip(nights, usable, strict=True)]
    hours = [night.hours if use else math.nan for night, use in zip(nights, usable, strict=True)]
    return np.array(count, np.float64), np.array(hours, np.float64)


def log_rates(nights: Sequence[ComparedNight], settings: Settings) -> FloatArray:
    """Return the outcome of each night, NaN where it has none."""
    count, hours = counts(nights, settings)
    return np.log((count + ADDED_TO_COUNT) / hours)
