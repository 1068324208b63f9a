"""What the browser gets to know of a night: movements, series, sleep, indices, edits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from rlsmove.io.json_text import plain
from rlsmove.records import (
    KINDS,
    LEG_MOVEMENT,
    SIDES,
    STAGES,
    Intervals,
    Scoring,
)
from rlsmove.review.night_folder import NightFolder
from rlsmove.review.reviewed_night import REJECTED, ReviewedLeg
from rlsmove.scoring.detected_legs import ScoredLegs
from rlsmove.scoring.intervals import complement

LIGHTS = ("lights_off_s", "lights_on_s")

#: Indices that the page shows, beside those of the night as detected.
SHOWN_INDICES = (
    "plms_per_hour",
    "plms_count",
    "sleep_hours",
    "plmw_per_hour",
    "plm_per_hour_tib",
    "plm_count",
    "lm_per_hour_tib",
    "lm_count",
    "clm_count",
    "tib_hours",
    "series_count",
    "periodicity_index_movements",
    "imi_plm_median_s",
)


def night_state(folder: NightFolder) -> dict[str, Any]:
    """Describe a night as reviewed so far.

    Parameters
    ----------
    folder : NightFolder
        With its night before scoring.

    Returns
    -------
    dict
        Ready for JSON; times in seconds since the start of the recording.
    """
    reviewed, scored = folder.reviewed, folder.scored
    assert reviewed is not None
    assert scored is not None
    night = reviewed.night
    in_effect = {edit.edit for edit in reviewed.edits}
    sleep = night.sleep
    return plain(
        {
            "start_time": night.start_time.isoformat(),
            "rules": folder.rules.name,
            "simulated": bool(folder.record.get("simulated")),
            "lights_s": [folder.record["sleep"].get(name) for name in LIGHTS],
            "sleep": []
            if sleep is None
            else [
                [onset_ms / 1000, offset_ms / 1000, STAGES[stage]]
                for onset_ms, offset_ms, stage in zip(
                    sleep.onset_ms.tolist(),
                    sleep.offset_ms.tolist(),
                    sleep.stage.tolist(),
                    strict=True,
                )
            ],
            "analysable": _pairs(scored.analysable),
            "legs": [
                {
                    "side": SIDES[leg.side],
                    "missing": _missing(detected.analysable),
                    "movements": _movements(leg),
                }
                for leg, detected in zip(reviewed.legs, night.legs, strict=True)
            ],
            "items": _items(scored, reviewed.legs),
            "series": _series(scored.scoring),
            "indices": {name: scored.indices[name] for name in SHOWN_INDICES},
            "as_detected": {name: folder.record["indices"][name] for name in SHOWN_INDICES},
            "edits": [
                {
                    "edit": edit.edit,
                    "at": edit.at,
                    "who": edit.who,
                    "action": edit.action,
                    "why": edit.why,
                    "movements": list(edit.movements or ()),
                    "in_effect": edit.edit in in_effect,
                }
                for edit in folder.every_edit
            ],
            "notices": [notice.sentence for notice in folder.notices],
        }
    )


def night_title(folder: NightFolder) -> str:
    """Say which night it is: its evening and what its folder is called."""
    night = folder.detected
    evening = (folder.record["provenance"].get("settings") or {}).get("evening")
    if evening is None and night is not None:
        evening = (night.start_time - timedelta(hours=12)).date()
    return f"Night of {evening}"


def _pairs(intervals: Intervals) -> list[list[float]]:
    table = np.stack([intervals.onset_ms, intervals.offset_ms], axis=1) / 1000
    pairs: list[list[float]] = table.tolist()
    return pairs


def _missing(analysable: Intervals) -> list[list[float]]:
    """Stretches within a leg's time in which nothing was recorded, or the device not worn."""
    if not len(analysable):
        return []
    span = int(analysable.onset_ms[0]), int(analysable.offset_ms[-1])
    return _pairs(complement(analysable, *span))


def _movements(leg: ReviewedLeg) -> list[dict[str, Any]]:
    table = leg.movements
    columns = zip(
        leg.names,
        (table.onset_ms / 1000).tolist(),
        (table.duration_ms / 1000).tolist(),
        table.kind.tolist(),
        leg.states,
        table.peak_g.tolist(),
        table.tilt_deg.tolist(),
        table.probability.tolist(),
        strict=True,
    )
    return [
        {
            "name": name,
            "onset_s": onset_s,
            "duration_s": duration_s,
            "kind": KINDS[kind],
            "state": state,
            "peak_g": peak_g,
            "tilt_deg": tilt_deg,
            "probability": probability,
        }
        for name, onset_s, duration_s, kind, state, peak_g, tilt_deg, probability in columns
    ]


def _items(scored: ScoredLegs, legs: tuple[ReviewedLeg, ...]) -> list[dict[str, Any]]:
    """What a reviewer steps through: each scored movement with those of single legs in it.

    Movements in none of them (rejected, or too short for the rules) are items of their own.
    """
    scoring = scored.scoring
    members: list[list[str]] = [[] for _ in range(len(scoring))]
    alone: list[dict[str, Any]] = []
    for leg, counted_rows in zip(legs, scored.rows_by_leg, strict=True):
        rows = np.full(len(leg.movements), -1, np.int64)
        rows[leg.counts] = counted_rows
        for position, row in enumerate(rows.tolist()):
            if row >= 0:
                members[row].append(leg.names[position])
                continue
            rejected = leg.states[position] == REJECTED
            alone.append(
                {
                    "onset_s": int(leg.movements.onset_ms[position]) / 1000,
                    "duration_s": int(leg.movements.duration_ms[position]) / 1000,
                    "side": SIDES[leg.side],
                    "kind": KINDS[leg.movements.kind[position]],
                    "clm": 0,
                    "plm": 0,
                    "series": 0,
                    "imi_s": None,
                    "stage": "",
                    "reason": "rejected in the review" if rejected else "too short for the rules",
                    "members": [leg.names[position]],
                }
            )
    stages = (*STAGES, "")
    items = [
        {
            "onset_s": int(scoring.onset_ms[row]) / 1000,
            "duration_s": int(scoring.duration_ms[row]) / 1000,
            "side": SIDES[scoring.side[row]],
            "kind": KINDS[scoring.kind[row]],
            "clm": int(scoring.clm[row]),
            "plm": int(scoring.plm[row]),
            "series": int(scoring.series[row]),
            "imi_s": int(scoring.imi_ms[row]) / 1000 if scoring.imi_ms[row] >= 0 else None,
            "stage": stages[scoring.stage[row]],
            "reason": str(scoring.reason[row]),
            "members": members[row],
        }
        for row in range(len(scoring))
    ]
    return sorted([*items, *alone], key=lambda item: (item["onset_s"], item["duration_s"]))


def _series(scoring: Scoring) -> list[list[float]]:
    spans = []
    for number in np.unique(scoring.series[scoring.series > 0]).tolist():
        rows = (scoring.series == number) & (scoring.kind == LEG_MOVEMENT)
        ends = scoring.onset_ms[rows] + scoring.duration_ms[rows]
        spans.append([int(scoring.onset_ms[rows][0]) / 1000, int(ends.max()) / 1000])
    return spans
