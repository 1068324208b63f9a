"""The report of one night."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlsmove.records import LegSignal
from rlsmove.report.figure_svg import page_style
from rlsmove.report.movement_examples import example_figure, movement_examples
from rlsmove.report.night_facts import NightFacts, night_facts
from rlsmove.report.night_figures import (
    SLEEP_SOURCES,
    by_hour,
    by_threshold,
    index_of_thresholds,
    interval_histogram,
    intervals_s,
    overview,
    raster,
    rates_by_hour,
)
from rlsmove.report.page import Pictures, number, render
from rlsmove.review import NightFolder
from rlsmove.review.edits import ACCEPT, ADD, CHANGE, REJECT
from rlsmove.rules import PLMS_LINE_PER_HOUR
from rlsmove.scoring import INDICES

#: Decimals of an index by its unit.
_DECIMALS = {"h": 2, "1/h": 1, "s": 1, "min": 1, "ln s": 2, "": 2}


def night_page(folder: NightFolder, signals: dict[int, LegSignal] | None = None) -> str:
    """Make the report of one night.

    Parameters
    ----------
    folder : NightFolder
        Opened with its signal.
    signals : dict of int to LegSignal, optional
        Signals of the legs, by side, where the folder itself has none.

    Returns
    -------
    str
        A whole page of HTML.
    """
    with page_style():
        return render("night.html.j2", _context(night_facts(folder, signals)))


def _context(facts: NightFacts) -> dict[str, Any]:
    folder = facts.folder
    pictures = Pictures()
    record = folder.record
    thresholds = record["quality"].get("indices_by_threshold") or []
    return {
        "title": _title(facts),
        "simulated": facts.simulated,
        "review": _review(folder),
        "warnings": record["quality"].get("warnings", []),
        "notices": folder.notices,
        "tiles": _tiles(facts),
        "recordings": _recordings(record),
        "clock": (record["recording"].get("clock") or {}).get("second_device"),
        "sleep": _sleep(facts),
        "massage": _massage(facts),
        "overview": _both_widths(pictures, overview, facts, _overview_alt(facts)),
        "has_signal": bool(facts.traces),
        "raster": _both_widths(pictures, raster, facts, _raster_alt(facts)),
        "intervals": [
            pictures.draw(
                interval_histogram(facts, logarithmic=logarithmic), _intervals_alt(facts, scale)
            )
            for logarithmic, scale in ((False, "linear"), (True, "logarithmic"))
        ],
        "window_s": (facts.rules.imi_min_ms / 1000, facts.rules.imi_max_ms / 1000),
        "by_hour": pictures.draw(by_hour(facts), _by_hour_alt(facts)),
        "line_per_hour": PLMS_LINE_PER_HOUR,
        "threshold": pictures.draw(by_threshold(thresholds), _threshold_alt(thresholds))
        if thresholds
        else None,
        "near_threshold_share": record["quality"].get("near_threshold_share"),
        "immobilization": facts.tables.get("immobilization_test")
        or (record.get("tables") or {}).get("immobilization_test"),
        "examples": [
            {
                "title": example.title,
                "caption": example.caption,
                "picture": pictures.draw(
                    example_figure(example),
                    f"Acceleration of three axes around the movement at {example.caption}.",
                ),
            }
            for example in movement_examples(facts)
        ],
        "indices": _index_rows(facts),
        "indices_by_leg": folder.indices_by_leg,
        "rules": record["rules"],
        "provenance": record["provenance"],
    }


def _title(facts: NightFacts) -> str:
    evening = (facts.folder.record["provenance"].get("settings") or {}).get("evening")
    if evening is None and facts.start_time is not None:
        evening = facts.start_time.date()
    return "A scored list of events" if evening is None else f"Night of {evening}"


def _both_widths(pictures: Pictures, draw: Any, facts: NightFacts, alt: str) -> dict[str, Any]:
    return {
        "wide": pictures.draw(draw(facts), alt),
        "narrow": pictures.draw(draw(facts, narrow=True), alt),
    }


def _tiles(facts: NightFacts) -> list[dict[str, str]]:
    """Return the few numbers that a reader looks for, each with what it is made of."""
    indices = facts.indices
    return [
        {
            "name": "Periodic leg movements in sleep",
            "value": number(indices["plms_per_hour"]),
            "unit": "per hour of sleep",
            "made_of": f"{number(indices['plms_count'])} in "
            f"{number(indices['sleep_hours'], 2)} analyzable hours of sleep",
        },
        {
            "name": "Periodic leg movements awake",
            "value": number(indices["plmw_per_hour"]),
            "unit": "per hour awake",
            "made_of": f"{number(indices['plmw_count'])} in "
            f"{number(indices['wake_hours'], 2)} analyzable hours awake in bed",
        },
        {
            "name": "All leg movements",
            "value": number(indices["lm_per_hour_tib"]),
            "unit": "per hour in bed",
            "made_of": f"{number(indices['lm_count'])} in "
            f"{number(indices['tib_hours'], 2)} analyzable hours in bed",
        },
        {
            "name": "Interval between periodic movements",
            "value": number(indices["imi_plm_median_s"]),
            "unit": "s, median",
            "made_of": f"{number(indices['series_count'])} series",
        },
    ]


def _recordings(record: dict[str, Any]) -> list[dict[str, str]]:
    """Say of each recording what it was, as far as night.json does."""
    recording = record["recording"]
    tables = []
    for facts in list((recording.get("legs") or {}).values()) or [recording]:
        rows = {name: str(value) for name, value in facts.items() if isinstance(value, str | int)}
        rate, coverage = facts.get("rate"), facts.get("coverage")
        if rate:
            true_rate = number(rate["true_rate_hz"], 2)
            rows["rate"] = f"{number(rate['sample_rate_hz'], 2)} Hz set, {true_rate} Hz true"
        if coverage:
            rows["recorded"] = (
                f"{number(coverage['recorded_hours'], 2)} h in the whole file; gaps: "
                f"{coverage['gap_count']}, the longest {number(coverage['longest_gap_s'])} s; "
                f"not worn {number(coverage['not_worn_hours'], 2)} h"
            )
        if facts.get("calibration"):
            rows["calibration"] = facts["calibration"]["sentence"]
        tables.append({name: text for name, text in rows.items() if text})
    return tables


def _sleep(facts: NightFacts) -> dict[str, str]:
    sleep = facts.folder.record["sleep"]
    off_s, on_s = facts.lights_s
    return {
        "source": SLEEP_SOURCES.get(sleep["source"], sleep["source"]),
        "lights_off": "not known" if off_s is None else facts.clock(off_s),
        "lights_on": "not known" if on_s is None else facts.clock(on_s),
    }


def _massage(facts: NightFacts) -> str:
    """Say what massage the sensor shows, in words."""
    if facts.massage is None:
        return (
            "Whether there was a massage is not known from the sensor: the time before lights off "
            "was not recorded, or it was not worn."
        )
    if not facts.massage:
        return "The sensor shows no massage."
    sentences = []
    for session in facts.massage:
        rate = ""
        if session["frequency_hz"] is not None:
            folded = ", folded by the device" if session["aliased"] else ""
            rate = f" at {number(session['frequency_hz'])} Hz{folded}"
        elif session["period_s"] is not None:
            rate = f" every {number(session['period_s'])} s"
        before = session["before_lights_off_min"]
        when = "" if before is None else f", {number(before, 0)} minutes before lights off"
        sentences.append(
            f"{session['kind']}{rate} from {facts.clock(session['start_s'])} to "
            f"{facts.clock(session['end_s'])}{when}"
        )
    return (
        "The sensor shows massage (the marks at the foot of the picture): "
        + "; ".join(sentences)
        + "."
    )


def _review(folder: NightFolder) -> dict[str, Any] | None:
    """Say what a reviewer changed, and the index before and after."""
    if not folder.edits:
        return None
    verbs = {ACCEPT: "accepted", REJECT: "rejected", CHANGE: "changed", ADD: "added"}
    counts = dict.fromkeys(verbs.values(), 0)
    for edit in folder.edits:
        counts[verbs[edit.action]] += len(edit.movements or ("one",))
    return {
        "who": sorted({edit.who for edit in folder.edits if edit.who}),
        "last": max(edit.at for edit in folder.edits)[:16].replace("T", " "),
        "counts": ", ".join(f"{count} {verb}" for verb, count in counts.items() if count),
        "before": number(folder.record["indices"]["plms_per_hour"]),
        "after": number(folder.indices["plms_per_hour"]),
        "edits": folder.edits,
    }


def _index_rows(facts: NightFacts) -> list[dict[str, str]]:
    hours = {index.counts: index.name for index in INDICES if index.unit == "h"}
    rows = []
    for index in INDICES:
        value = facts.indices.get(index.name)
        over = number(facts.indices.get(hours[index.over]), 2) if index.over in hours else ""
        rows.append(
            {
                "name": index.name,
                "value": number(value, _DECIMALS.get(index.unit, 2)),
                "unit": index.unit,
                "counts": index.counts,
                "over": index.over,
                "hours": f"{over} h" if over else "",
            }
        )
    return rows


def _overview_alt(facts: NightFacts) -> str:
    first, last = facts.span_s
    legs = " and ".join(trace.side for trace in facts.traces) or "no"
    return (
        f"The night from {facts.clock(first)} to {facts.clock(last)}: movement of the {legs} leg "
        f"signal, posture, sleep, and {number(facts.indices['series_count'])} periodic series "
        f"among {number(facts.indices['lm_count'])} leg movements in bed."
    )


def _raster_alt(facts: NightFacts) -> str:
    return (
        "One row for each hour, a tick for each movement: "
        f"{int(np.count_nonzero(facts.scoring.plm == 1))} periodic ones and "
        f"{int(np.count_nonzero(facts.scoring.clm == 1))} candidates in all."
    )


def _intervals_alt(facts: NightFacts, scale: str) -> str:
    imi_s = intervals_s(facts)
    low_s, high_s = facts.rules.imi_min_ms / 1000, facts.rules.imi_max_ms / 1000
    inside = int(np.count_nonzero((imi_s >= low_s) & (imi_s <= high_s)))
    return (
        f"Histogram on a {scale} scale of {len(imi_s)} intervals between movements; {inside} of "
        f"them are from {low_s:g} to {high_s:g} seconds."
    )


def _by_hour_alt(facts: NightFacts) -> str:
    hours, axis_name = rates_by_hour(facts)
    told = "; ".join(f"{name}: {number(rate)}" for name, rate in hours)
    return f"Periodic leg movements per hour of sleep by {axis_name}: {told or 'not known'}."


def _threshold_alt(table: list[dict[str, Any]]) -> str:
    name = index_of_thresholds(table)
    told = "; ".join(f"from {row['threshold']:g}: {number(row[name])}" for row in table)
    return f"{name} by threshold: {told}."
