"""The report of one person: nights by condition, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from rlsmove.errors import RlsmoveError, StudyError
from rlsmove.report.figure_svg import NARROW_IN, WIDE_IN, page_style
from rlsmove.report.page import Pictures, number, render
from rlsmove.report.plain_answer import next_step, plain_answer
from rlsmove.report.study_facts import NightStanding, StudyFacts
from rlsmove.report.study_figures import (
    ForestRow,
    anytime_figure,
    forest,
    nights_figure,
    thumbnail,
)
from rlsmove.results.movements_csv import MOVEMENTS_FILE, read_movements
from rlsmove.review import open_night
from rlsmove.study.columns import NIGHTS

#: What the compared indices are called on an axis.
INDEX_WORDS = {
    "plms_per_hour": "PLMS per hour of sleep",
    "plmw_per_hour": "PLMW per hour awake",
    "plm_per_hour_tib": "PLM per hour in bed",
    "clm_per_hour_tib": "CLM per hour in bed",
    "lm_per_hour_tib": "LM per hour in bed",
    "count": "movements per hour",
}

#: Columns of the diary that stand elsewhere on the page.
_NOT_DIARY = (
    "participant_id",
    "night",
    "condition_assigned",
    "condition_received",
    "exclude",
    "exclude_reason",
)


def person_page(facts: StudyFacts, participant_id: str) -> str:
    """Make the report of one person.

    Parameters
    ----------
    facts : StudyFacts
        The study.
    participant_id : str
        Who.

    Returns
    -------
    str
        A whole page of HTML.

    Raises
    ------
    StudyError
        The comparison has nobody of this code.
    """
    with page_style():
        return render("person.html.j2", _context(facts, participant_id))


def _context(facts: StudyFacts, participant_id: str) -> dict[str, Any]:
    comparison = facts.comparison
    person = comparison["persons"].get(participant_id)
    if person is None:
        raise StudyError(
            "comparison.json",
            f"nobody is called {participant_id}",
            expected="one of " + ", ".join(comparison["persons"]),
            advice="`rlsmove compare STUDY` after a new person's nights were analyzed",
        )
    pictures = Pictures()
    nights = facts.standings(participant_id)
    margin = float(comparison["settings"]["margin"])
    index = index_words(comparison)
    row = ForestRow("", person["ratio"], person["ratio_low"], person["ratio_high"])
    alone = len(comparison["persons"]) == 1
    return {
        "title": f"Person {participant_id}",
        "study_title": str(facts.study.about.get("title") or "") if facts.study else "",
        "simulated": facts.simulated,
        "notices": facts.notices,
        "person": person,
        "answer": plain_answer(person, str(comparison["settings"].get("looks"))),
        "next_step": next_step(person, str(comparison["settings"].get("looks"))),
        "margin": margin,
        "index": index,
        "estimate": pictures.draw(forest([row], margin, narrow=True), _estimate_alt(person)),
        "nights_picture": {
            name: pictures.draw(
                nights_figure(nights, index, width_in=width_in, height_in=2.6),
                nights_alt(participant_id, nights, index),
            )
            for name, width_in in (("wide", WIDE_IN), ("narrow", NARROW_IN))
        }
        if nights
        else None,
        "anytime": anytime_picture(person, pictures, "blocks of nights that are over"),
        "nights": [_night_row(standing, pictures) for standing in nights],
        "diary": diary_table(nights),
        "sensitivity": [
            entry
            for entry in comparison["sensitivity"]
            if entry["scope"] == participant_id or (alone and entry["scope"] == "cohort")
        ],
        "claims": comparison["claims"] if alone else [],
        "reporting": comparison.get("reporting") if alone else None,
        "plan": comparison["plan"],
        "settings": comparison["settings"],
        "provenance": comparison["provenance"],
    }


def anytime_picture(
    result: dict[str, Any], pictures: Pictures, counted: str
) -> dict[str, Markup] | None:
    """Draw the looks of every morning of a person or a cohort; None where there are none yet."""
    anytime = result.get("anytime")
    if not anytime or not anytime.get("path"):
        return None
    alt = (
        f"Evidence against no difference after {len(anytime['path'])} {counted}: "
        f"{1 / max(anytime['p'], 1e-6):.1f}, where 20 decides."
    )
    return {
        name: pictures.draw(anytime_figure(anytime, counted, width_in=width_in), alt)
        for name, width_in in (("wide", WIDE_IN), ("narrow", NARROW_IN))
    }


def index_words(comparison: dict[str, Any]) -> str:
    """Say which index a comparison is of."""
    index = str(comparison["settings"]["index"])
    return INDEX_WORDS.get(index, index)


def nights_alt(participant_id: str, nights: Sequence[NightStanding], index: str) -> str:
    """Say a picture of nights in words."""
    told = "; ".join(
        f"{standing.night.night} {standing.condition or 'no condition'} {number(standing.rate)}"
        + (" (not compared)" if standing.why_not else "")
        for standing in nights
    )
    return f"{index} of {participant_id}, night by night: {told}."


def _estimate_alt(person: dict[str, Any]) -> str:
    if person["ratio"] is None:
        return "No estimate."
    ends = "no interval"
    low, high = person["ratio_low"], person["ratio_high"]
    if low is not None or high is not None:
        told = (f"{end:.2f}" if end is not None else "open" for end in (low, high))
        ends = f"interval {' to '.join(told)}"
    return f"Ratio of massage over control {person['ratio']:.2f}, {ends}."


def _night_row(standing: NightStanding, pictures: Pictures) -> dict[str, Any]:
    night = standing.night
    received = night.diary.get("condition_received")
    return {
        "night": night.night,
        "condition": standing.condition,
        "received": str(received) if received and received != standing.condition else "",
        "rate": standing.rate,
        "count": int(night.count) if night.count == night.count else None,
        "hours": night.hours if night.hours == night.hours else None,
        "reviewed": night.reviewed,
        "why_not": standing.why_not,
        "thumbnail": _thumbnail(standing, pictures),
    }


def _thumbnail(standing: NightStanding, pictures: Pictures) -> Markup | None:
    """Draw the night small; None where its results are not there or cannot be read."""
    if standing.folder is None:
        return None
    try:
        night = open_night(standing.folder)
        scoring = (
            night.scored.scoring
            if night.scored is not None
            else read_movements(standing.folder / MOVEMENTS_FILE)[""].scoring
        )
    except RlsmoveError:
        # The comparison stands without the picture; `rlsmove report` on the night says what ails.
        return None
    sleep = night.record["sleep"]
    lights_s = sleep.get("lights_off_s"), sleep.get("lights_on_s")
    figure = thumbnail(scoring, night.detected.sleep if night.detected else None, lights_s)
    return pictures.draw(
        figure,
        f"The night of {standing.night.night} as a strip: {int((scoring.plm == 1).sum())} periodic "
        f"among {int((scoring.clm == 1).sum())} candidate movements.",
    )


def diary_table(nights: Sequence[NightStanding]) -> dict[str, Any] | None:
    """Lay out what the diary holds of a person's nights; None where it holds nothing."""
    known = {column.name: column for column in NIGHTS}
    names = [
        name
        for name in dict.fromkeys(name for s in nights for name in s.night.diary)
        if name not in _NOT_DIARY
    ]
    if not names:
        return None
    return {
        "columns": [
            {
                "name": name.replace("_", " "),
                "unit": known[name].units if name in known and not name.endswith("_min") else "",
                "description": known[name].description if name in known else "",
            }
            for name in names
        ],
        "rows": [
            {
                "night": standing.night.night,
                "condition": standing.condition,
                "cells": [_cell(standing.night.diary.get(name)) for name in names],
            }
            for standing in nights
        ],
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
