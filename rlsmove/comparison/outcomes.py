"""What can be compared between nights, beside the primary index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlsmove.comparison.contrast import Contrast, contrast
from rlsmove.comparison.person import contrast_rates
from rlsmove.comparison.person_nights import (
    ADDED_TO_COUNT,
    ComparedNight,
    PersonNights,
    Settings,
    counts,
    why_without_rate,
)
from rlsmove.records import FloatArray
from rlsmove.study.folder import COUNTED


@dataclass(frozen=True)
class Outcome:
    """One outcome of a night.

    Attributes
    ----------
    name : str
        An index of the night, or a column of the diary.
    source : str
        ``rate`` (compared as a ratio, by logarithms), ``index`` or ``diary`` (compared as a
        difference in its own unit).
    unit : str
        Of a difference.
    """

    name: str
    source: str
    unit: str = ""

    @property
    def scale(self) -> str:
        """``ratio`` or ``difference``."""
        return "ratio" if self.source == "rate" else "difference"

    def of(self, nights: Sequence[ComparedNight], settings: Settings) -> FloatArray:
        """Return the outcome of each night, NaN where it has none; of a rate, its logarithm."""
        if self.source == "rate":
            count, hours = self._counts(nights, settings)
            return np.log((count + ADDED_TO_COUNT) / hours)
        return np.array([self._of_night(night, settings) for night in nights])

    def contrast(
        self, person: PersonNights, settings: Settings, level: FloatArray | None = None
    ) -> Contrast | None:
        """Contrast a person's nights, massage and control unless levels are given."""
        assigned = person.contrasted(level)
        if self.source == "rate":
            count, hours = self._counts(person.assigned, settings)
            return contrast_rates(count, hours, assigned, seed=settings.seed)
        return contrast(self.of(person.assigned, settings), assigned, seed=settings.seed)

    def _counts(
        self, nights: Sequence[ComparedNight], settings: Settings
    ) -> tuple[FloatArray, FloatArray]:
        """Return count and hours of a rate, NaN where a night has none of its own."""
        if self.name == settings.index:
            return counts(nights, settings)
        pairs = np.full((len(nights), 2), math.nan)
        for night, pair in zip(nights, pairs, strict=True):
            count, hours = (night.indices.get(part, math.nan) for part in COUNTED[self.name])
            if not why_without_rate(night, settings) and hours > 0 and count >= 0:
                pair[:] = count, hours
        return pairs[:, 0], pairs[:, 1]

    def _of_night(self, night: ComparedNight, settings: Settings) -> float:
        if night.left_out:
            return math.nan
        if self.source == "diary":
            value = night.diary.get(self.name, math.nan)
            return float(value) if isinstance(value, int | float) else math.nan
        if why_without_rate(night, settings):
            return math.nan
        return night.indices.get(self.name, math.nan)


def rate(name: str) -> Outcome:
    """Return a rate index, one of `rlsmove.study.folder.COUNTED`."""
    return Outcome(name, "rate")


def index(name: str, unit: str = "") -> Outcome:
    """Return any other index of the night."""
    return Outcome(name, "index", unit)


def diary(name: str, unit: str = "points") -> Outcome:
    """Return a column of nights.tsv."""
    return Outcome(name, "diary", unit)
