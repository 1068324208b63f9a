"""How much the indices of a night hang on the detector's threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlsmove.records import LEG_MOVEMENT, DetectedNight
from rlsmove.rules import RuleSet
from rlsmove.scoring.detected_legs import counted_part, score_part
from rlsmove.scoring.indices import night_indices

#: Multiples of the detector's threshold that a night is also scored at: a factor of 1.25 apart,
#: from a little above half of it to twice it.
THRESHOLDS = (0.64, 0.8, 1.0, 1.25, 1.6, 2.0)

#: Where the detector's own threshold stands among them.
OWN_THRESHOLD = THRESHOLDS.index(1.0)

#: A movement is near the threshold when the next one of them would have missed it.
NEAR = 1.25

#: Indices that are told for each threshold.
TOLD = ("lm_count", "clm_count", "plm_count", "plm_per_hour_tib", "plms_count", "plms_per_hour")


def indices_by_threshold(nights: Sequence[DetectedNight], rules: RuleSet) -> list[dict[str, Any]]:
    """Score one night as detected at several thresholds.

    Parameters
    ----------
    nights : sequence of DetectedNight
        One for each of `THRESHOLDS`, in their order.
    rules : RuleSet
        A standard.

    Returns
    -------
    list of dict
        For each threshold, in their order, ``threshold`` and the indices of `TOLD`.
    """
    table = []
    for threshold, night in zip(THRESHOLDS, nights, strict=True):
        movements, analysable = counted_part(night)
        scoring = score_part(night, movements, analysable, rules)
        indices = night_indices(
            scoring, sleep=night.sleep, analysable=analysable, rules=rules, names=TOLD
        )
        table.append({"threshold": threshold, **indices})
    return table


def near_threshold_share(night: DetectedNight) -> float | None:
    """Share of leg movements that are less than 1.25 times the threshold; None without any."""
    snr = np.concatenate(
        [leg.movements.snr[leg.movements.kind == LEG_MOVEMENT] for leg in night.legs]
    )
    return float(np.mean(snr < NEAR)) if len(snr) else None
