"""Tables of a night beside its indices: by stage, by side, by hour, and how intervals spread."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from rlsmove.records import (
    BILATERAL,
    LEFT,
    LEG_MOVEMENT,
    RIGHT,
    BoolArray,
    FloatArray,
    Intervals,
    Scoring,
    Sleep,
)
from rlsmove.rules import (
    IMI_BIN_S,
    IMI_HISTOGRAM_MAX_S,
    LN_IMI_BIN,
    LN_IMI_HISTOGRAM_MAX,
    RuleSet,
)
from rlsmove.scoring.indices import isolated, plms_per_hour_between, short_interval
from rlsmove.scoring.intervals import holding, touched
from rlsmove.scoring.night_hours import MS_PER_HOUR, PARTS, NightHours

#: Sides that movements are counted by: the legs alone, both, and either leg alone.
SIDE_GROUPS = {
    "all": None,
    "left": (LEFT,),
    "right": (RIGHT,),
    "bilateral": (BILATERAL,),
    "monolateral": (LEFT, RIGHT),
}


def night_tables(
    scoring: Scoring,
    *,
    sleep: Sleep | None,
    analysable: Intervals,
    rules: RuleSet,
    respiratory: Intervals | None = None,
    arousals: Intervals | None = None,
    start_time: datetime | None = None,
) -> dict[str, Any]:
    """Work out the tables of one night.

    Parameters
    ----------
    scoring, sleep, analysable, rules
        As in `night_indices`.
    respiratory, arousals : Intervals, optional
        As in `score_movements`.
    start_time : datetime or None
        Wall time at which onsets count from; without it there is no table by clock hour.

    Returns
    -------
    dict
        ``movements_by_part``, ``movements_by_side``, ``intervals_by_part``, ``events_by_part``,
        ``durations_s``, ``imi_histogram``, ``ln_imi_histogram``, ``plms_by_clock_hour``. What
        cannot be said is None. Parts are those of `night_hours.PARTS`.
    """
    night = NightHours(scoring, sleep, analysable, rules)
    types = movement_types(scoring)
    return {
        "movements_by_part": {
            name: {part: movement_statistics(night, rows, part) for part in PARTS}
            for name, rows in types.items()
        },
        "movements_by_side": {
            name: {
                group: movement_statistics(night, of_side(scoring, rows, group), "TST")
                for group in SIDE_GROUPS
            }
            for name, rows in types.items()
        },
        "intervals_by_part": {
            name: {part: interval_statistics(night, part, nr=nr) for part in PARTS}
            for name, nr in (("all", False), ("nr", True))
        },
        "events_by_part": {
            "respiratory": {
                part: respiratory_statistics(night, respiratory, part) for part in PARTS
            },
            "arousal": {part: event_statistics(night, arousals, part) for part in PARTS},
        },
        "durations_s": {
            "plm": _spread((scoring.duration_ms[night.counted & (scoring.plm == 1)]) / 1000),
            "isolated": _spread(scoring.duration_ms[night.counted & isolated(night)] / 1000),
            "short_interval": _spread(
                scoring.duration_ms[night.counted & short_interval(night)] / 1000
            ),
        },
        "imi_histogram": _histogram(
            _imi_s(night), list(range(0, IMI_HISTOGRAM_MAX_S + IMI_BIN_S, IMI_BIN_S))
        ),
        "ln_imi_histogram": _histogram(
            np.log(_imi_s(night)),
            [bin_ * LN_IMI_BIN for bin_ in range(round(LN_IMI_HISTOGRAM_MAX / LN_IMI_BIN) + 1)],
        ),
        "plms_by_clock_hour": _by_clock_hour(night, start_time),
    }


def movement_types(scoring: Scoring) -> dict[str, BoolArray | None]:
    """Rows of each type of movement; None where the column that it needs is not known."""
    lm, clm, plm = scoring.kind == LEG_MOVEMENT, scoring.clm == 1, scoring.plm == 1
    plmnr = scoring.plmnr == 1
    respiratory, arousal = scoring.respiratory == 1, scoring.arousal == 1
    knows_respiratory = not np.any(scoring.respiratory < 0)
    knows_arousal = not np.any(scoring.arousal < 0)
    return {
        "clm": clm,
        "clm_respiratory": clm & respiratory if knows_respiratory else None,
        "clm_nr": clm & ~respiratory if knows_respiratory else None,
        "plm": plm,
        "plm_arousal": plm & arousal if knows_arousal else None,
        "plm_nr": plmnr if knows_respiratory else None,
        "plm_nr_arousal": plmnr & arousal if knows_respiratory and knows_arousal else None,
        "non_clm": lm & ~clm,
        "non_clm_respiratory": lm & ~clm & respiratory if knows_respiratory else None,
        "non_clm_nr": lm & ~clm & ~respiratory if knows_respiratory else None,
    }


def of_side(scoring: Scoring, rows: BoolArray | None, group: str) -> BoolArray | None:
    """Those of the rows that belong to one of `SIDE_GROUPS`."""
    sides = SIDE_GROUPS[group]
    return rows if rows is None or sides is None else rows & np.isin(scoring.side, sides)


def movement_statistics(
    night: NightHours, rows: BoolArray | None, part: str
) -> dict[str, Any] | None:
    """Count movements in a part of the night, with their rate and how long they last."""
    within = night.within(part)
    if rows is None or within is None:
        return None
    chosen = rows & within
    number, hours = int(np.count_nonzero(chosen)), night.rate_hours(part)
    return {
        "number": number,
        "per_hour": number / hours if hours else None,
        "duration_s": _spread(night.scoring.duration_ms[chosen] / 1000),
    }


def interval_statistics(night: NightHours, part: str, *, nr: bool) -> dict[str, Any] | None:
    """Count short, periodic and long intervals that end in a part, and their geometric mean.

    Parameters
    ----------
    night : NightHours
        The night.
    part : str
        One of `night_hours.PARTS`.
    nr : bool
        Whether respiratory candidates are taken out first.
    """
    within = night.within(part)
    if within is None or (nr and np.any(night.scoring.respiratory < 0)):
        return None
    imi = (night.scoring.imi_nr_ms if nr else night.scoring.imi_ms)[within]
    imi = imi[imi >= 0]
    short, long = imi < night.rules.imi_min_ms, imi > night.rules.imi_max_ms
    ln = np.log(imi[imi > 0] / 1000)
    return {
        "short": int(np.count_nonzero(short)),
        "periodic": int(np.count_nonzero(~short & ~long)),
        "long": int(np.count_nonzero(long)),
        "geometric_mean_s": float(np.exp(np.mean(ln))) if len(ln) else None,
        "geometric_sd": float(np.exp(np.std(ln, ddof=1))) if len(ln) > 1 else None,
    }


def respiratory_statistics(
    night: NightHours, events: Intervals | None, part: str
) -> dict[str, Any] | None:
    """Count respiratory events that begin in a part, and those that a candidate goes with."""
    statistics = event_statistics(night, events, part)
    time = night.parts[part]
    if statistics is None or events is None or time is None:
        return statistics
    chosen = holding(time, events.onset_ms) >= 0
    rules, clm = night.rules, night.scoring.clm == 1
    anchor = events.onset_ms if rules.respiratory_span == "event" else events.offset_ms
    onset = night.scoring.onset_ms[clm]
    with_clm = touched(
        anchor - rules.respiratory_before_ms,
        events.offset_ms + rules.respiratory_after_ms,
        Intervals(onset, onset + night.scoring.duration_ms[clm]),
    )
    number = statistics["number"]
    share = int(np.count_nonzero(chosen & with_clm)) / number if number else None
    return {**statistics, "share_with_clm": share}


def event_statistics(
    night: NightHours, events: Intervals | None, part: str
) -> dict[str, Any] | None:
    """Count events that begin in a part, with their rate."""
    time, hours = night.parts[part], night.hours(part)
    if events is None or time is None:
        return None
    number = int(np.count_nonzero(holding(time, events.onset_ms) >= 0))
    return {"number": number, "per_hour": number / hours if hours else None}


def _spread(values: FloatArray) -> dict[str, float | None]:
    if not len(values):
        return {"mean": None, "sd": None, "min": None, "max": None}
    return {
        "mean": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "min": float(np.min(values)),
        "max": float(np.max(values)),
    }


def _imi_s(night: NightHours) -> FloatArray:
    imi = night.scoring.imi_ms[night.counted & (night.scoring.clm == 1)]
    return imi[imi > 0] / 1000


def _histogram(values: FloatArray, edges: list[float]) -> dict[str, list[float]]:
    """Count values between edges: each bin holds its lower edge, the last one both."""
    return {"edges": edges, "count": np.histogram(values, edges)[0].tolist()}


def _by_clock_hour(night: NightHours, start_time: datetime | None) -> list[dict[str, Any]] | None:
    """PLMS per hour of sleep in each hour of the clock, from the first sleep to the last."""
    if start_time is None or night.sleep_span_ms is None:
        return None
    onset, offset = night.sleep_span_ms
    first = (start_time + timedelta(milliseconds=onset)).replace(minute=0, second=0, microsecond=0)
    edges = [round((first - start_time) / timedelta(milliseconds=1))]
    while edges[-1] < offset:
        edges.append(edges[-1] + MS_PER_HOUR)
    rates = plms_per_hour_between(night, edges)
    if rates is None:
        return None
    return [
        {"from": (start_time + timedelta(milliseconds=edge)).isoformat(), "plms_per_hour": rate}
        for edge, rate in zip(edges, rates, strict=False)
    ]
