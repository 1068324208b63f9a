"""The report of a study: persons together, every night accounted for, every claim answered."""

from __future__ import annotations

from typing import Any

from rlsmove.comparison.wording import VERDICT_WORDS
from rlsmove.report.figure_svg import page_style
from rlsmove.report.page import Pictures, render
from rlsmove.report.person_page import anytime_picture, index_words, nights_alt
from rlsmove.report.study_facts import StudyFacts
from rlsmove.report.study_figures import ForestRow, forest, forest_rows, nights_figure

#: Width and height of the picture of each person among the small ones, in inches.
_WIDTH_IN, _HEIGHT_IN = 3.4, 1.7


def study_page(facts: StudyFacts) -> str:
    """Make the report of a study of several persons.

    Parameters
    ----------
    facts : StudyFacts
        The study.

    Returns
    -------
    str
        A whole page of HTML.
    """
    with page_style():
        return render("study.html.j2", _context(facts))


def _context(facts: StudyFacts) -> dict[str, Any]:
    comparison = facts.comparison
    pictures = Pictures()
    margin = float(comparison["settings"]["margin"])
    index = index_words(comparison)
    rows = forest_rows(comparison)
    about = facts.study.about if facts.study else {}
    return {
        "title": str(about.get("title") or about.get("id") or "Comparison of nights"),
        "simulated": facts.simulated,
        "notices": facts.notices,
        "cohort": comparison.get("cohort"),
        "anytime": anytime_picture(
            comparison.get("cohort") or {}, pictures, "persons who have finished"
        ),
        "persons": comparison["persons"],
        "verdict_words": VERDICT_WORDS,
        "index": index,
        "margin": margin,
        "settings": comparison["settings"],
        "plan": comparison["plan"],
        "forest": {
            name: pictures.draw(forest(rows, margin, narrow=name == "narrow"), _forest_alt(rows))
            for name in ("wide", "narrow")
        },
        "flow": facts.flow() if facts.persons else None,
        "multiples": [
            {
                "name": name,
                "sentence": comparison["persons"].get(name, {}).get("sentence", ""),
                "picture": pictures.draw(
                    nights_figure(nights, "per hour", width_in=_WIDTH_IN, height_in=_HEIGHT_IN),
                    nights_alt(name, nights, index),
                ),
            }
            for name in facts.persons
            if (nights := facts.standings(name))
        ],
        "claims": comparison["claims"],
        "sensitivity": [row for row in comparison["sensitivity"] if row["scope"] == "cohort"],
        "by_person": [row for row in comparison["sensitivity"] if row["scope"] != "cohort"],
        "reporting": comparison.get("reporting"),
        "provenance": comparison["provenance"],
    }


def _forest_alt(rows: list[ForestRow]) -> str:
    told = []
    for row in rows:
        ends = "" if row.low is None or row.high is None else f" ({row.low:.2f} to {row.high:.2f})"
        told.append(f"{row.name} {'not known' if row.ratio is None else f'{row.ratio:.2f}'}{ends}")
    return "Ratios of massage over control: " + "; ".join(told) + "."
