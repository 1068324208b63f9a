"""From the detected movements of one leg or two to the scored night and its indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlsmove.records import (
    SIDES,
    DetectedLeg,
    DetectedNight,
    IntArray,
    Intervals,
    Movements,
    Scoring,
)
from rlsmove.rules import GAP_ENDS_SERIES_MS, RuleSet
from rlsmove.scoring.indices import night_indices
from rlsmove.scoring.intervals import difference, total_ms, union
from rlsmove.scoring.scored_movements import score_movements, side_by_side

#: What the counted side of two legs that share a clock is called.
BOTH = "both"


@dataclass(frozen=True)
class ScoredLegs:
    """What scoring makes of the legs of one night.

    Attributes
    ----------
    scoring : Scoring
        The movements of all legs.
    rows_by_leg : tuple of ndarray of int64
        For each leg, in their order, the row of `scoring` that each of its movements is part of;
        -1 where it was dropped as too short.
    indices : dict
        Of both legs together; of the leg with more hours where they cannot be combined.
    indices_by_leg : dict
        The same for each leg alone, by side; empty with one leg.
    counted_side : str
        The leg that the indices are of, as in `records.SIDES`, or ``both``.
    analysable : Intervals
        The time that the indices count in.
    """

    scoring: Scoring
    rows_by_leg: tuple[IntArray, ...]
    indices: dict[str, Any]
    indices_by_leg: dict[str, dict[str, Any]]
    counted_side: str
    analysable: Intervals


def score_legs(night: DetectedNight, rules: RuleSet) -> ScoredLegs:
    """Score the legs of one night: each alone, and both together where they share a clock.

    Parameters
    ----------
    night : DetectedNight
        What was found on each leg, and the night's sleep.
    rules : RuleSet
        A standard.
    """

    def score(part: Sequence[DetectedLeg]) -> tuple[Scoring, dict[str, Any]]:
        movements = Movements.concatenate(*(leg.movements for leg in part))
        analysable = seen_time(part)
        scoring = score_part(night, movements, covered_time(part), rules)
        indices = night_indices(scoring, sleep=night.sleep, analysable=analysable, rules=rules)
        return scoring, indices

    legs = night.legs
    alone = [score([leg]) for leg in legs] if len(legs) == 2 else []
    counted = counted_legs(night)
    scoring, indices = score(counted)
    analysable = seen_time(counted)
    if not night.combined:
        scoring = side_by_side(alone[0][0], alone[1][0])
        rows_by_leg = tuple(np.split(scoring.row_of, [len(legs[0].movements)]))
    else:
        tables = Movements.concatenated_rows(*(leg.movements for leg in legs))
        rows_by_leg = tuple(scoring.row_of[rows] for rows in tables)
    by_leg = {SIDES[leg.side]: one[1] for leg, one in zip(legs, alone, strict=False)}
    side = SIDES[counted[0].side] if len(counted) == 1 else BOTH
    return ScoredLegs(scoring, rows_by_leg, indices, by_leg, side, analysable)


def counted_legs(night: DetectedNight) -> tuple[DetectedLeg, ...]:
    """The legs that the indices of a night count.

    Both where they share a clock, else the one with more hours.
    """
    if night.combined:
        return night.legs
    return (max(night.legs, key=lambda leg: total_ms(leg.analysable)),)


def score_part(
    night: DetectedNight, movements: Movements, covered: Intervals, rules: RuleSet
) -> Scoring:
    """Score some movements of a night, recorded in a given time, with all else known of it."""
    return score_movements(
        movements,
        sleep=night.sleep,
        respiratory=night.respiratory,
        arousals=night.arousals,
        gaps=_series_gaps(covered),
        rules=rules,
    )


def covered_time(legs: Sequence[DetectedLeg]) -> Intervals:
    """Time in which any of the legs was recorded and worn."""
    return _united([leg.analysable for leg in legs])


def seen_time(legs: Sequence[DetectedLeg]) -> Intervals:
    """Time in which a movement of any of the legs would have been seen: not behind a machine."""
    return _united([difference(leg.analysable, leg.hidden) for leg in legs])


def _united(parts: Sequence[Intervals]) -> Intervals:
    return union(
        np.concatenate([part.onset_ms for part in parts]),
        np.concatenate([part.offset_ms for part in parts]),
    )


def _series_gaps(covered: Intervals) -> Intervals:
    """Gaps in what was recorded that are long enough to end a series."""
    start_ms, end_ms = covered.offset_ms[:-1], covered.onset_ms[1:]
    long = end_ms - start_ms > GAP_ENDS_SERIES_MS
    return Intervals(start_ms[long], end_ms[long])
