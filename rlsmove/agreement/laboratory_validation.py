"""Nights of a laboratory beside the sensor's, together: intervals over nights, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rlsmove.agreement.event_agreement import EventAgreement, pooled
from rlsmove.agreement.index_agreement import agree_on_index
from rlsmove.agreement.laboratory_night import MOVEMENT_TYPES, LaboratoryNight, SleepAgreement
from rlsmove.agreement.validation import event_record

#: Indices that a laboratory reports.
LABORATORY_INDICES = (
    "plms_per_hour",
    "plmw_per_hour",
    "plms_nr_per_hour",
    "plms_arousal_per_hour",
    "plms_nrem_per_hour",
    "plms_rem_per_hour",
    "plm_per_hour_tib",
    "clm_per_hour",
    "clm_per_hour_tib",
    "lm_per_hour_tib",
    "periodicity_index_movements",
    "imi_plm_median_s",
    "sleep_hours",
    "sleep_efficiency",
    "waso_min",
)
#: On the laboratory's stages these are the laboratory's own.
_OF_SLEEP = ("sleep_hours", "sleep_efficiency", "waso_min")
#: Lines that the literature draws in PLMS per hour, in children and in adults (ICSD-3).
LINES_PER_HOUR = (5.0, 15.0)
LINE_CAVEAT = (
    "single nights of one person differ by 25 per hour on average: to lie on the same side of a "
    "line in one night is agreement of two methods, not a diagnosis"
)
#: Words for the lower end of an ICC's interval (Koo TK and Li MY, J Chiropr Med 2016;15:155-163).
_ICC_WORDS = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))
#: With fewer nights an interval of an ICC or of limits of agreement says next to nothing.
NIGHTS_LEAST = 10
_DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval over nights; None where it cannot be said."""

    value: float | None
    low: float | None
    high: float | None


def laboratory_record(
    nights: Sequence[LaboratoryNight], tolerance_s: float, *, simulated: bool = False
) -> dict[str, Any]:
    """Put nights together and say what they show, in plain values.

    Parameters
    ----------
    nights : sequence of LaboratoryNight
        Those that are not counted are named and left out of everything.
    tolerance_s : float
        Largest difference of matched onsets.
    simulated : bool
        Whether any recording was simulated.

    Notes
    -----
    Intervals of shares draw whole nights with replacement (2,000 times, seed 0). Bland-Altman and
    ICC as in `index_agreement`; each night counts once, so several nights of one person make the
    intervals too narrow.
    """
    counted = [night for night in nights if night.counted]
    record: dict[str, Any] = {
        "simulated": simulated,
        "tolerance_s": tolerance_s,
        "nights_given": len(nights),
        "nights_counted": len(counted),
        "hours": sum(night.hours for night in counted),
        "events": {kind: _event_estimates(counted, kind) for kind in MOVEMENT_TYPES},
        "seen": _seen(counted),
        "sleep": _sleep(counted),
        "indices": {
            name: {
                "on_laboratory_stages": _index([] if name in _OF_SLEEP else counted, name, 1),
                "on_own_sleep": _index(counted, name, 2),
            }
            for name in LABORATORY_INDICES
        },
        "lines": [_line(counted, line) for line in LINES_PER_HOUR],
        "line_caveat": LINE_CAVEAT,
        "scorers": _scorers(counted),
        "nights": [night_record(night) for night in nights],
    }
    record["verdict"], record["sentence"] = _verdict(record)
    return record


def night_record(night: LaboratoryNight) -> dict[str, Any]:
    """One night in plain values."""
    placed = night.placed
    clock = None if placed is None else placed.clock
    return {
        "name": night.name,
        "counted": night.counted,
        "clock": {
            "told_by": None if placed is None else placed.told_by,
            "told_s": None if placed is None else placed.told_s,
            "offset_s": None if clock is None or not clock.combined else clock.offset_s,
            "drift_ppm": None if clock is None or not clock.combined else clock.drift_ppm,
            "error_s": None if clock is None or not clock.combined else clock.error_s,
            "movements": None if clock is None else clock.n_pairs,
            "sentence": None if clock is None else clock.sentence,
        },
        "hours": night.hours,
        "events": {kind: event_record(found) for kind, found in night.events.items()},
        "seen": night.seen,
        "sleep": None if night.sleep is None else asdict(night.sleep),
        "sleep_hours": night.sleep_hours,
        "indices": {
            name: dict(
                zip(("laboratory", "on_laboratory_stages", "on_own_sleep"), values, strict=True)
            )
            for name, values in night.indices.items()
            if not isinstance(values[0], list)
        },
        "scorers": None if night.scorers is None else event_record(night.scorers),
        "notices": [asdict(notice) for notice in night.notices],
    }


def shareable_record(record: dict[str, Any]) -> dict[str, Any]:
    """The same without names, dates and clocks, for others to pool: counts and values a night."""
    kept = ("counted", "hours", "events", "seen", "sleep", "sleep_hours", "indices", "scorers")
    return {
        "format": "rlsmove-validation",
        "version": 1,
        "simulated": record["simulated"],
        "tolerance_s": record["tolerance_s"],
        "rules": record.get("rules"),
        "program": record.get("provenance", {}).get("version"),
        "nights": [
            {"night": number, **{name: night[name] for name in kept}}
            for number, night in enumerate(record["nights"], start=1)
        ],
    }


def _over_nights(nights: Sequence[Any], share: Callable[[Sequence[Any]], float | None]) -> Estimate:
    """A share of all nights together, with an interval from drawing nights."""
    value = share(nights)
    if value is None or len(nights) < 2:
        return Estimate(value, None, None)
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(_DRAWS):
        found = share([nights[row] for row in random.integers(0, len(nights), len(nights))])
        if found is not None:
            drawn.append(found)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def _event_estimates(nights: Sequence[LaboratoryNight], kind: str) -> dict[str, Any]:
    together = pooled([night.events[kind] for night in nights])
    counts = [
        (events.n_reference, events.n_test, events.n_matched)
        for events in (night.events[kind] for night in nights)
    ]

    def total(
        rows: Sequence[tuple[int, int, int]], over: Callable[[int, int], float]
    ) -> float | None:
        reference, test, both = (sum(row[column] for row in rows) for column in range(3))
        under = over(reference, test)
        return both / under if under else None

    return {
        **event_record(together),
        "sensitivity": asdict(_over_nights(counts, lambda rows: total(rows, lambda r, _: r))),
        "precision": asdict(_over_nights(counts, lambda rows: total(rows, lambda _, t: t))),
        "f1": asdict(_over_nights(counts, lambda rows: total(rows, lambda r, t: (r + t) / 2))),
    }


def _seen(nights: Sequence[LaboratoryNight]) -> dict[str, dict[str, dict[str, int]]]:
    """Movements of each class, and those that the other has, over all nights."""
    together: dict[str, dict[str, dict[str, int]]] = {}
    for night in nights:
        for by, classes in night.seen.items():
            for name, (count, also) in classes.items():
                cell = together.setdefault(by, {}).setdefault(name, {"movements": 0, "in_both": 0})
                cell["movements"] += count
                cell["in_both"] += also
    return together


def _sleep(nights: Sequence[LaboratoryNight]) -> dict[str, Any] | None:
    known = [night for night in nights if night.sleep is not None]
    tables = [night.sleep for night in known if night.sleep is not None]
    if not tables:
        return None
    minutes = np.array([night.sleep_hours for night in known], float) * 60
    return {
        "nights": len(tables),
        "epochs": sum(sum(asdict(table).values()) for table in tables),
        "kappa": asdict(_over_nights(tables, _kappa)),
        "sensitivity": asdict(_over_nights(tables, lambda rows: _sum_share(rows, "sleep"))),
        "specificity": asdict(_over_nights(tables, lambda rows: _sum_share(rows, "wake"))),
        "total_sleep_min": asdict(agree_on_index(minutes[:, 0], minutes[:, 1])),
    }


def _sum_share(tables: Sequence[SleepAgreement], stage: str) -> float | None:
    both = sum(table.both_sleep if stage == "sleep" else table.both_wake for table in tables)
    missed = sum(table.missed_sleep if stage == "sleep" else table.missed_wake for table in tables)
    return both / (both + missed) if both + missed else None


def _kappa(tables: Sequence[SleepAgreement]) -> float | None:
    """Cohen's kappa of all epochs together."""
    a, b, c, d = (
        sum(getattr(table, name) for table in tables)
        for name in ("both_sleep", "missed_sleep", "missed_wake", "both_wake")
    )
    return kappa_of(a, b, c, d)


def kappa_of(a: int, b: int, c: int, d: int) -> float | None:
    """Cohen's kappa of two by two; None where chance leaves nothing to agree on."""
    n = a + b + c + d
    if not n:
        return None
    by_chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n**2
    return None if by_chance == 1 else ((a + d) / n - by_chance) / (1 - by_chance)


def _pairs(nights: Sequence[LaboratoryNight], name: str, column: int) -> np.ndarray[Any, Any]:
    values = [
        (night.indices[name][0], night.indices[name][column])
        for night in nights
        if name in night.indices
        and night.indices[name][0] is not None
        and night.indices[name][column] is not None
    ]
    return np.array(values, float).reshape(-1, 2)


def _index(nights: Sequence[LaboratoryNight], name: str, column: int) -> dict[str, Any]:
    table = _pairs(nights, name, column)
    return asdict(agree_on_index(table[:, 0], table[:, 1]))


def _line(nights: Sequence[LaboratoryNight], line: float) -> dict[str, Any]:
    """Nights on the same side of a line of PLMS per hour."""
    record: dict[str, Any] = {"per_hour": line}
    for column, name in ((1, "on_laboratory_stages"), (2, "on_own_sleep")):
        above = _pairs(nights, "plms_per_hour", column) > line
        a, b, c, d = (
            int(np.count_nonzero((above[:, 0] == one) & (above[:, 1] == other)))
            for one, other in ((True, True), (True, False), (False, True), (False, False))
        )
        total = a + b + c + d
        record[name] = {
            "both_above": a,
            "laboratory_alone": b,
            "sensor_alone": c,
            "both_below": d,
            "agreement": (a + d) / total if total else None,
            "kappa": kappa_of(a, b, c, d),
        }
    return record


def _scorers(nights: Sequence[LaboratoryNight]) -> dict[str, Any] | None:
    """A second scorer against the first, as the sensor is against the first."""
    known = [night for night in nights if night.scorers is not None]
    if not known:
        return None
    agreements: list[EventAgreement] = [night.scorers for night in known if night.scorers]
    indices = {}
    for name in LABORATORY_INDICES:
        values = [night.scorer_indices.get(name, (None, None)) for night in known]
        table = np.array([pair for pair in values if None not in pair], float).reshape(-1, 2)
        indices[name] = asdict(agree_on_index(table[:, 0], table[:, 1]))
    return {"nights": len(known), "events": event_record(pooled(agreements)), "indices": indices}


def _verdict(record: dict[str, Any]) -> tuple[str, str]:
    """Say in a word and a sentence how far PLMS per hour agree."""
    found = record["indices"]["plms_per_hour"]["on_laboratory_stages"]
    counted, given = record["nights_counted"], record["nights_given"]
    of_all = f"{counted} of {given} nights could be put on one clock"
    f1 = record["events"]["lm"]["f1"]["value"]
    matched = "" if f1 is None else f"; of leg movements F1 is {f1:.2f}"
    if not counted:
        return "cannot_tell", f"{of_all}: nothing can be said."
    if found["bias"] is None:
        return "cannot_tell", f"{of_all}{matched}; no night has PLMS per hour by both."
    told = f"the sensor's PLMS per hour differ by {found['bias']:+.1f} on average"
    if found["limits_low"] is not None:
        told += f" (95 % of nights from {found['limits_low']:+.1f} to {found['limits_high']:+.1f})"
    if found["n"] < NIGHTS_LEAST or found["icc_low"] is None:
        return (
            "cannot_tell",
            f"{of_all}{matched}; {told}. Fewer than {NIGHTS_LEAST} nights, or nights too much "
            "alike, allow no verdict.",
        )
    word = next((word for least, word in _ICC_WORDS if found["icc_low"] >= least), "poor")
    return (
        word,
        f"{of_all}{matched}; {told}; the ICC is {found['icc']:.2f} ({found['icc_low']:.2f} to "
        f"{found['icc_high']:.2f}): at least {word} agreement on the laboratory's stages.",
    )
