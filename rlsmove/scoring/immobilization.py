"""The suggested immobilization test: an hour awake and still, before lights off."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from rlsmove.records import WAKE, DetectedNight, Intervals, Sleep
from rlsmove.rules import IMMOBILIZATION_MS, IMMOBILIZATION_PART_MS, RuleSet
from rlsmove.scoring.detected_legs import score_legs
from rlsmove.scoring.intervals import intersection, total_ms

MS_PER_HOUR = 3_600_000


def score_immobilization(night: DetectedNight, start_ms: int, rules: RuleSet) -> dict[str, Any]:
    """Score the hour of a suggested immobilization test.

    Parameters
    ----------
    night : DetectedNight
        The night that the test went before.
    start_ms : int
        When the person sat down with legs outstretched, in ms since the start of the recording.
    rules : RuleSet
        A standard; whatever it says of sleep, all of the hour is wake.

    Returns
    -------
    dict
        ``start_s``, ``analysable_hours``, ``lm_count``, ``plmw_count``, ``plmw_per_hour`` and, for
        each 5 minutes of the hour, ``clm_by_5_min`` and ``plmw_by_5_min``. Rates are None, never 0,
        where nothing of the hour was recorded; so are the counts of a part without record.
    """
    end_ms = start_ms + IMMOBILIZATION_MS
    hour = Intervals(np.array([start_ms], np.int64), np.array([end_ms], np.int64))
    legs = []
    for leg in night.legs:
        onset_ms = leg.movements.onset_ms
        inside = (onset_ms >= start_ms) & (onset_ms < end_ms)
        legs.append(
            replace(
                leg,
                movements=leg.movements.take(inside),
                analysable=intersection(leg.analysable, hour),
                hidden=intersection(leg.hidden, hour),
            )
        )
    awake = Sleep(
        "immobilization", start_ms, end_ms, hour.onset_ms, hour.offset_ms, np.array([WAKE], np.int8)
    )
    scored = score_legs(
        replace(night, legs=tuple(legs), sleep=awake), replace(rules, sleep_only=False)
    )
    table = scored.scoring
    edges_ms = np.arange(start_ms, end_ms + 1, IMMOBILIZATION_PART_MS)

    def by_part(rows: np.ndarray) -> list[int | None]:
        counts = np.histogram(table.onset_ms[rows], edges_ms)[0].tolist()
        return [
            count if total_ms(intersection(scored.analysable, _between(*part))) else None
            for count, part in zip(counts, pairwise(edges_ms.tolist()), strict=True)
        ]

    indices = scored.indices
    return {
        "start_s": start_ms / 1000,
        "analysable_hours": total_ms(scored.analysable) / MS_PER_HOUR,
        "lm_count": indices["lm_count"],
        "plmw_count": indices["plmw_count"],
        "plmw_per_hour": indices["plmw_per_hour"],
        "clm_by_5_min": by_part(table.clm == 1),
        "plmw_by_5_min": by_part(table.plm == 1),
    }


def _between(onset_ms: int, offset_ms: int) -> Intervals:
    return Intervals(np.array([onset_ms], np.int64), np.array([offset_ms], np.int64))
