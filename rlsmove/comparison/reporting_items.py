"""What a paper on the study must report, filled from the study folder as far as it goes.

The items are those of CENT 2015 (Vohra et al., BMJ 2015;350:h1738; N-of-1 trials) and of SCRIBE
2016 (Tate et al., Aphasiology 2016;30:862-76; single-case designs), by their numbers, their
topics in short words of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlsmove.study.folder import REPORTING, Study
from rlsmove.study.plan import FrozenPlan

#: Number, topic, and the name of what fills it; empty where only an author can.
CENT_2015 = (
    ("1a", "title names an N-of-1 trial, or a series of them", "title"),
    ("1b", "structured summary", ""),
    ("2a", "background and why N-of-1", "rationale"),
    ("2b", "objectives or hypotheses", "objective"),
    ("3a", "design: periods, their number and length, run-in, washout", "design"),
    ("3b", "changes to methods after the start", "changes_to_methods"),
    ("4a", "diagnosis, criteria, other conditions and treatments", "diagnosis_and_eligibility"),
    ("4b", "settings and locations", "setting_and_location"),
    ("4c", "research or care; ethics approval", "ethics_approval_and_consent"),
    ("5", "interventions of each period, enough to repeat them", "interventions"),
    ("6a", "outcomes, how and when measured, their properties", "outcomes"),
    ("6b", "changes to outcomes after the start", "changes_to_methods"),
    ("7a", "how the number of periods and persons was chosen", "sample_size"),
    ("7b", "interim looks and stopping rules", "looks"),
    ("8a", "how the order of periods was drawn", "sequence_generation"),
    ("8b", "type of randomization and its restrictions", "restrictions"),
    ("8c", "the intended sequence of periods", "sequence"),
    ("9", "how the sequence was concealed", ""),
    ("10", "who drew the sequence, enrolled and assigned", ""),
    ("11a", "who was blinded, and how", "blinding"),
    ("11b", "how alike the interventions were", ""),
    ("12a", "how each person's data were compared", "analysis"),
    ("12b", "how persons were taken together; further analyses", "synthesis"),
    ("12c", "carry-over, period effects, correlation of nights", "course"),
    ("13a", "periods completed, with the reasons of those that were not", "completed"),
    ("13b", "losses and exclusions", "exclusions"),
    ("14a", "dates of recruitment and of the periods", "dates"),
    ("14b", "why it ended, or was stopped", ""),
    ("15", "the persons at baseline", "participants"),
    ("16", "numbers analyzed", "numbers"),
    ("17a", "results of each person and together, with intervals", "results"),
    ("17b", "absolute and relative sizes", ""),
    ("18", "further analyses, prespecified told from exploratory", "further"),
    ("19", "harms", "harms"),
    ("20", "limitations", ""),
    ("21", "applicability", ""),
    ("22", "interpretation", ""),
    ("23", "registration", "registration"),
    ("24", "where the protocol is", "protocol"),
    ("25", "funding", "funding"),
)

SCRIBE_2016 = (
    ("1", "title", "title"),
    ("2", "abstract", ""),
    ("3", "scientific background", "rationale"),
    ("4", "aims", "objective"),
    ("5", "design and sequence of phases", "design"),
    ("6", "procedural changes", "changes_to_methods"),
    ("7", "replication", "numbers"),
    ("8", "randomization", "sequence_generation"),
    ("9", "blinding", "blinding"),
    ("10", "selection criteria", "diagnosis_and_eligibility"),
    ("11", "participant characteristics", "participants"),
    ("12", "setting", "setting_and_location"),
    ("13", "ethics", "ethics_approval_and_consent"),
    ("14", "measures", "outcomes"),
    ("15", "equipment", "equipment"),
    ("16", "intervention", "interventions"),
    ("17", "procedural fidelity", "fidelity"),
    ("18", "analyses", "analysis"),
    ("19", "sequence completed", "completed"),
    ("20", "outcomes and estimation", "results"),
    ("21", "adverse events", "harms"),
    ("22", "interpretation", ""),
    ("23", "limitations", ""),
    ("24", "applicability", ""),
    ("25", "protocol", "protocol"),
    ("26", "funding", "funding"),
)


def reporting_items(
    study: Study, plan: FrozenPlan | None, comparison: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Fill the items of CENT 2015 and SCRIBE 2016.

    Parameters
    ----------
    study : Study
    plan : FrozenPlan or None
    comparison : mapping
        The content of comparison.json so far.

    Returns
    -------
    dict
        ``cent_2015`` and ``scribe_2016``, lists of ``item``, ``topic`` and ``content`` (None
        where it is blank and an author must write it); ``blank``, the items of both that are.
    """
    known = _content(study, plan, comparison)
    lists = {
        name: [
            {"item": number, "topic": topic, "content": known.get(source) or None}
            for number, topic, source in items
        ]
        for name, items in (("cent_2015", CENT_2015), ("scribe_2016", SCRIBE_2016))
    }
    blank = [
        {"list": name, "item": row["item"], "topic": row["topic"]}
        for name, rows in lists.items()
        for row in rows
        if row["content"] is None
    ]
    return {**lists, "blank": blank}


def _content(
    study: Study, plan: FrozenPlan | None, comparison: Mapping[str, Any]
) -> dict[str, str]:
    about, settings = study.about, comparison["settings"]
    persons, cohort = comparison["persons"], comparison["cohort"]
    written = about.get("reporting")
    known = {
        name: str(written.get(name) or "") if isinstance(written, dict) else ""
        for name in REPORTING
    }
    arms = "; ".join(
        " ".join(filter(None, (arm.name, arm.technique, arm.areas, arm.side, arm.timing)))
        for arm in study.arms
    )
    nights = study.tables["nights.tsv"].rows
    dates = sorted(row.cells["night"] for row in nights if "night" in row.cells)
    events = [r.cells["adverse_event"] for r in nights if "adverse_event" in r.cells]
    followed = [r for r in nights if {"condition_assigned", "condition_received"} <= r.cells.keys()]
    kept = sum(r.cells["condition_assigned"] == r.cells["condition_received"] for r in followed)
    devices = sorted(
        {
            " at the ".join(filter(None, (r.get("device"), r.get("placement"))))
            for r in study.tables["recordings.tsv"].rows
        }
    )
    left_out = sum(len(person["excluded"]) for person in persons.values())
    known |= {
        "title": str(about.get("title") or ""),
        "objective": f"Whether nights with massage differ from nights without in "
        f"{settings['index']}; a ratio of {settings['margin']:g} is worth having",
        "interventions": " | ".join(filter(None, (arms, known["interventions_in_full"]))),
        "outcomes": f"{settings['index']} as {settings['outcome']}, rule set "
        f"{about.get('rules')}, nights of at least {settings['minimum_hours']:g} h",
        "analysis": "Estimate with level and trend held fixed, randomization test by redrawing "
        "the frozen scheme over every night, interval by inversion of the test, by the condition "
        "assigned",
        "synthesis": "One log ratio a person, sign-flip permutation test, Hodges-Lehmann "
        "estimate, interval by inversion; Holm over the secondary family"
        if cohort
        else "",
        "looks": "Looked at every morning with a test that stays valid; stopped when it decides"
        if settings["looks"] == "every_morning"
        else "None: judged once, at the planned number of nights",
        "course": "; ".join(
            f"{name}: carry-over ratio {_show(p['carry_over'])}, trend per week "
            f"{_show(p['trend_per_week'])}, lag-1 correlation {_show(p['serial_correlation'])}"
            for name, p in persons.items()
        ),
        "completed": "; ".join(
            f"{name}: {p['nights_massage']} massage and {p['nights_control']} control nights"
            for name, p in persons.items()
        ),
        "exclusions": f"{left_out} nights not compared, each with its reason under persons",
        "dates": f"Nights from {dates[0]} to {dates[-1]}" if dates else "",
        "participants": "; ".join(
            ", ".join(f"{c} {text}" for c, text in row.text.items() if text not in ("", "n/a"))
            for row in study.tables["participants.tsv"].rows
        ),
        "numbers": f"{sum(p['ratio'] is not None for p in persons.values())} of {len(persons)} "
        "persons compared",
        "results": "; ".join(f"{name}: {p['sentence']}" for name, p in persons.items())
        + (f". Together: {cohort['sentence']}" if cohort else ""),
        "further": "The claims under claims, exploratory ones marked",
        "harms": f"{len(events)} noted: {'; '.join(events)}"
        if events
        else ("None noted in nights.tsv" if nights else ""),
        "equipment": "; ".join(filter(None, devices)),
        "fidelity": f"{kept} of {len(followed)} nights as assigned" if followed else "",
    }
    if plan:
        known |= {
            "design": comparison["plan"]["sentence"],
            "sequence_generation": "Drawn uniformly from all sequences that the scheme allows, "
            f"seed {plan.seed}, frozen with SHA-256 {plan.digest}",
            "restrictions": comparison["plan"]["sentence"],
            "sequence": "; ".join(
                f"{name}: " + " ".join(night["arm"] for night in person["schedule"])
                for name, person in plan.participants.items()
            ),
            "sample_size": plan.shows,
        }
    return known


def _show(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
