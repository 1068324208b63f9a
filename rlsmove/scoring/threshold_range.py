"""How much the indices of a night hang on how likely a leg movement has to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rlsmove.records import LEG_MOVEMENT, DetectedNight, Movements
from rlsmove.rules import RuleSet
from rlsmove.scoring.detected_legs import counted_legs, covered_time, score_part, seen_time
from rlsmove.scoring.indices import night_indices

#: Probabilities of being a leg movement that a night is also scored at; the detector's own is in
#: the middle.
THRESHOLDS = (0.1, 0.25, 0.5, 0.75, 0.9)

#: A leg movement is near the threshold when the next one of them would have missed it.
NEAR = 0.75

#: Indices that are told for each threshold.
TOLD = ("lm_count", "clm_count", "plm_count", "plm_per_hour_tib", "plms_count", "plms_per_hour")


def indices_by_threshold(night: DetectedNight, rules: RuleSet) -> list[dict[str, Any]]:
    """Score one night at several thresholds.

    Parameters
    ----------
    night : DetectedNight
        At the detector's own threshold.
    rules : RuleSet
        A standard.

    Returns
    -------
    list of dict
        For each of `THRESHOLDS`, in their order, ``threshold`` and the indices of `TOLD`.
    """
    legs = counted_legs(night)
    detected = Movements.concatenate(*(leg.movements for leg in legs))
    covered, analysable = covered_time(legs), seen_time(legs)
    table = []
    for threshold in THRESHOLDS:
        movements = at_threshold(detected, threshold)
        scoring = score_part(night, movements, covered, rules)
        indices = night_indices(
            scoring, sleep=night.sleep, analysable=analysable, rules=rules, names=TOLD
        )
        table.append({"threshold": threshold, **indices})
    return table


def at_threshold(movements: Movements, threshold: float) -> Movements:
    """The movements with those as leg movements that are at least so likely to be one.

    Leg movements that are less likely are left out; what has no probability stays as it is.
    """
    is_leg = movements.kind == LEG_MOVEMENT
    likely = movements.probability >= threshold
    kind = np.where(likely, np.int8(LEG_MOVEMENT), movements.kind)
    unlikely = is_leg & (movements.probability < threshold)
    return replace(movements, kind=kind).take(~unlikely)


def near_threshold_share(night: DetectedNight) -> float | None:
    """Share of leg movements that are less likely than 0.75; None without any."""
    probability = np.concatenate(
        [leg.movements.probability[leg.movements.kind == LEG_MOVEMENT] for leg in night.legs]
    )
    return float(np.mean(probability < NEAR)) if len(probability) else None
