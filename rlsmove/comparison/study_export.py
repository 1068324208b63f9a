"""A study's nights for other programs: tidy tables, a script that repeats the test, a protocol."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from rlsmove.comparison.person import FEW_A_NIGHT, FEWEST_MOVEMENTS, primary_contrast
from rlsmove.comparison.person_nights import (
    ADDED_TO_COUNT,
    ComparedNight,
    PersonNights,
    Settings,
    why_without_rate,
)
from rlsmove.comparison.plan_shows import words_of
from rlsmove.comparison.randomized_shift import ALPHA, CARRIES_ON
from rlsmove.comparison.rate_ratio import ADDED_TO_SUM
from rlsmove.comparison.study_nights import study_nights, study_settings
from rlsmove.errors import OutputError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.study.columns import NIGHTS, Column
from rlsmove.study.folder import COUNTED, Study
from rlsmove.study.plan import FrozenPlan, read_plan
from rlsmove.study.schedule import redrawn_arms
from rlsmove.study.tables import table_text

#: The script; it also marks a folder as one that may be written anew.
SCRIPT = "analysis.R"

_YES_NO = {"yes": "Yes", "no": "No"}
_PERSON = Column("participant_id", "Code of the person", "id", required=True)

_NIGHT_COLUMNS = (
    _PERSON,
    Column("night", "Date of the evening on which the night begins", "date", required=True),
    Column("day", "Place of the night in time; differences count", "number", "days"),
    Column("scheme", "How conditions were assigned: pairs, blocks, free, or none (not randomized)"),
    Column("finished", "Whether all planned nights of the person are over", levels=_YES_NO),
    Column("block", "Block of the scheme, from 1", "number"),
    Column("period", "Nights assigned together, from 1", "number"),
    Column("condition_assigned", "The arm that the plan gave this night"),
    Column("condition_received", "The arm that the night was in fact"),
    Column("massage", "1 for an arm with massage, 0 for a control arm, of the primary contrast"),
    Column("count", "Movements of the primary index", "number", "movements"),
    Column("hours", "Hours that they were counted in", "number", "h"),
    Column("compared", "Whether the night enters the primary comparison", levels=_YES_NO),
    Column("why_not", "Why it does not"),
    Column("sequence_set", "Which sequences of sequences.csv the person's nights could have had"),
    Column("place", "Place of the night in these sequences, from 1", "number"),
)
_SEQUENCE_COLUMNS = (
    Column("set", "As sequence_set of nights.csv", required=True),
    Column(
        "sequence",
        "One assignment that could have been drawn, a character a night: 1 massage, 0 control, "
        "- an arm outside the primary contrast; all of them, or the one that was drawn and 9,999 "
        "draws where there are more than 65,536",
        required=True,
    ),
)
_ESTIMATE_COLUMNS = (
    _PERSON,
    Column("ratio", "Rate on massage nights over that on control nights", "number"),
    Column("ratio_low", "Lower end of its 95 % interval; n/a where open", "number"),
    Column("ratio_high", "Upper end of its 95 % interval; n/a where open", "number"),
    Column("p", "Two-sided p of the randomization test; n/a before the planned end", "number"),
)
_FLOW_COLUMNS = (
    Column("stage", "What is counted", required=True),
    Column("reason", "Why nights were left out"),
    Column("participants", "Persons with at least one such night", "number"),
    Column("nights", "Nights", "number"),
)

#: Columns of the diary that stand among the others.
_NOT_DIARY = ("participant_id", "night", "condition_assigned", "condition_received")


def export_study(study: Study, out: Path) -> list[Path]:
    """Write a study's nights, what could have been drawn, a script, the flow and a protocol.

    Parameters
    ----------
    study : Study
    out : Path
        A new or empty folder, or one of an earlier export.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OutputError
        The folder holds something else.
    StudyError
        The plan cannot be read.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / SCRIPT).exists()):
        raise OutputError(out, "something else is there already", expected="a new or empty folder")
    plan = read_plan(study)
    study = study if plan is None else plan.as_fixed(study)
    settings = study_settings(study)
    persons = study_nights(study, plan, settings.index)
    sets: dict[tuple[str, ...], str] = {}
    nights = [row for person in persons for row in _night_rows(person, settings, sets)]
    diary = [c for c in NIGHTS if c.name not in _NOT_DIARY and any(c.name in n for n in nights)]
    sequences = [
        {"set": name, "sequence": sequence} for listed, name in sets.items() for sequence in listed
    ]
    estimates = [_estimate(person, settings) for person in persons]
    tables: dict[str, tuple[Sequence[Column], Sequence[Mapping[str, Any]]]] = {
        "nights": ((*_NIGHT_COLUMNS, *diary), nights),
        "sequences": (_SEQUENCE_COLUMNS, sequences),
        "estimates": (_ESTIMATE_COLUMNS, estimates),
        "flow": (_FLOW_COLUMNS, _flow(study, plan, persons, settings)),
    }
    contents: dict[Path, str] = {}
    for name, (columns, rows) in tables.items():
        header = [column.name for column in columns]
        contents[out / f"{name}.csv"] = table_text(header, rows, delimiter=",")
        contents[out / f"{name}.json"] = json_text({c.name: c.dictionary_entry() for c in columns})
    contents[out / SCRIPT] = _script(settings, simulated=bool(study.about.get("simulated")))
    contents[out / "preregistration.md"] = preregistration(study, plan, settings)
    write_files(contents)
    return list(contents)


def _night_rows(
    person: PersonNights, settings: Settings, sets: dict[tuple[str, ...], str]
) -> list[dict[str, Any]]:
    """A row for each night; adds the sequences that the person's nights could have had."""
    level = person.massage_level()
    place = {night.night: i for i, night in enumerate(person.assigned, start=1)}
    name = ""
    if person.randomized and place:
        name = sets.setdefault(_sequences(person, settings.seed), f"set{len(sets) + 1}")

    def arm(number: int) -> str:
        return person.arms[number].name if number >= 0 else ""

    rows = []
    for night in person.nights:
        massage = level[night.arm] if night.arm >= 0 else math.nan
        why = why_without_rate(night, settings)
        why = why or ("" if math.isfinite(massage) else "its arm is outside the primary contrast")
        assigned = night.night in place
        rows.append(
            {
                **{key: value for key, value in night.diary.items() if key not in _NOT_DIARY},
                "participant_id": person.participant_id,
                "night": night.night,
                "day": night.day,
                "scheme": person.scheme,
                "finished": person.finished,
                "block": night.block + 1 if assigned else None,
                "period": night.period + 1 if assigned else None,
                "condition_assigned": arm(night.arm),
                "condition_received": night.diary.get("condition_received"),
                "massage": float(massage),
                "count": night.count,
                "hours": repr(night.hours) if math.isfinite(night.hours) else None,
                "compared": not why,
                "why_not": why,
                "sequence_set": name if assigned else None,
                "place": place.get(night.night),
            }
        )
    return rows


def _sequences(person: PersonNights, seed: int) -> tuple[str, ...]:
    """All that the scheme could have given, or draws from it, as `contrast` redraws them."""
    contrasted = person.contrasted()
    of_night, _, arm = contrasted.schedule.units()
    arms, _ = redrawn_arms(contrasted.redraw(), tuple(arm.tolist()), seed)
    sign = ["-" if math.isnan(level) else f"{level:.0f}" for level in contrasted.level]
    return tuple("".join(sign[a] for a in row) for row in arms[:, of_night].tolist())


def _estimate(person: PersonNights, settings: Settings) -> dict[str, Any]:
    found = primary_contrast(person, settings) if person.assigned else None
    row: dict[str, Any] = {"participant_id": person.participant_id}
    if found is None:
        return row
    row["ratio"] = math.exp(found.shift)
    if settings.looks == "every_morning" or person.finished:
        low, high = found.low, found.high
        row["ratio_low"] = math.exp(low) if math.isfinite(low) else None
        row["ratio_high"] = math.exp(high) if math.isfinite(high) else None
        row["p"] = found.p
    return row


def _script(settings: Settings, *, simulated: bool) -> str:
    """The R script, with the constants of the test in front."""
    constants = {
        "added_to_count": ADDED_TO_COUNT,
        "added_to_sum": ADDED_TO_SUM,
        "carries_on": CARRIES_ON,
        "alpha": ALPHA,
        "fewest_movements": FEWEST_MOVEMENTS,
        "few_a_night": FEW_A_NIGHT,
    }
    head = [f"{name} <- {value!r}" for name, value in constants.items()]
    head.append(f'looks <- "{settings.looks}"')
    head[:0] = ["# These data are simulated."] if simulated else []
    body = files("rlsmove.comparison").joinpath("each_person.R").read_text(encoding="utf-8")
    return "\n".join(head) + "\n\n" + body


def _flow(
    study: Study, plan: FrozenPlan | None, persons: Sequence[PersonNights], settings: Settings
) -> list[dict[str, Any]]:
    """Count persons and nights from the list of participants to the comparison."""

    def stage(name: str, chosen: Sequence[tuple[str, ComparedNight]], reason: str = "") -> Any:
        return {
            "stage": name,
            "reason": reason,
            "participants": len({person for person, _ in chosen}),
            "nights": len(chosen),
        }

    every = [(person.participant_id, night) for person in persons for night in person.nights]
    of_plan = plan.participants.values() if plan else ()
    rows: list[dict[str, Any]] = [
        {"stage": "listed", "participants": len(study.participants)},
        {
            "stage": "in the plan",
            "participants": len(of_plan),
            "nights": sum(bool(n["block"]) for person in of_plan for n in person["schedule"]),
        },
        stage("known", every),
    ]
    ahead = [(name, night) for name, night in every if not night.over]
    past = [(name, night) for name, night in every if night.over]
    rows.append(stage("still to come", ahead))
    reasons = Counter(w for _, n in past if (w := why_without_rate(n, settings)))
    rows += [
        stage("left out", [p for p in past if why_without_rate(p[1], settings) == why], why)
        for why, _ in reasons.most_common()
    ]
    arms = {person.participant_id: person.arms for person in persons}
    for arm in study.arms:
        own = [
            (name, night)
            for name, night in past
            if night.arm >= 0
            and arms[name][night.arm].name == arm.name
            and not why_without_rate(night, settings)
        ]
        rows.append(stage(f"with a result: {arm.name}", own))
    return rows


def preregistration(study: Study, plan: FrozenPlan | None, settings: Settings) -> str:
    """Write the text to register, filled from study.json and the plan; blanks are for its authors.

    Parameters
    ----------
    study : Study
    plan : FrozenPlan or None
    settings : Settings
    """
    count, hours = COUNTED[settings.index]
    reporting = study.about.get("reporting")
    told = reporting if isinstance(reporting, dict) else {}

    def said(name: str) -> str:
        return " ".join(str(told.get(name) or "").split()) or "*(to be filled in)*"

    arms = [
        f"- {arm.name}: {'massage' if arm.massage else 'no massage'}"
        + "".join(f", {d}" for d in (arm.technique, arm.areas, arm.side, arm.timing) if d)
        + ("" if arm.compared else " (not in the primary contrast)")
        for arm in study.arms
    ]
    looks = {
        "at_the_end": "Once, when all planned nights are over; no verdict before.",
        "every_morning": "Every morning, by a test that stays valid at any time; the study may "
        "stop when it decides.",
    }[settings.looks]
    lines = [
        "# " + " ".join(str(study.about.get("title") or study.study_id).split()),
        "",
        f"Study: {study.study_id}. Time zone: {study.about.get('time_zone')}.",
        "",
        "## Why",
        "",
        said("rationale"),
        "",
        "## Participants",
        "",
        f"{len(plan.participants) if plan else len(study.participants)} person(s). "
        f"Eligibility: {said('diagnosis_and_eligibility')}",
        "",
        "## Conditions",
        "",
        *arms,
        "",
        f"In full: {said('interventions_in_full')}",
        "",
        "## Assignment",
        "",
        *_assignment(plan),
        "",
        "## Primary outcome",
        "",
        f"`{settings.index}`: {count} over {hours}, by the rules {study.about.get('rules')}. A "
        f"ratio of massage over control of {settings.margin:g} or less is worth having.",
        "",
        "## Nights left out",
        "",
        f"- Fewer than {settings.minimum_hours:g} h ({hours}).",
        "- Marked `exclude` with a reason, by somebody who does not know the result.",
        f"- Persons with fewer than {settings.minimum_nights} nights of either condition do not "
        "enter the cohort.",
        *(f"- {name}: {rule}" for name, rule in (plan.night_rules.items() if plan else ())),
        "",
        "## Analysis",
        "",
        "A randomization test over all sequences that the scheme could have given; a missing "
        f"night is missing in each. Outcome: log((count + {ADDED_TO_COUNT:g}) / hours). Working "
        f"model: level, linear trend over days, correlation of {CARRIES_ON:g} from one night to "
        f"the next. Below {FEW_A_NIGHT:g} movements a night the arms' sums are compared; below "
        f"{FEWEST_MOVEMENTS} in all, nothing is. The interval (95 %) inverts the test.",
        "",
        f"Looks: {looks}",
        "",
        f"Blinding: {said('blinding')}",
        "",
    ]
    if plan and plan.shows:
        lines += ["## What the plan can show", "", plan.shows.replace("\n", "\n\n"), ""]
    return "\n".join(lines)


def _assignment(plan: FrozenPlan | None) -> list[str]:
    if plan is None:
        return ["There is no plan: the conditions are not randomized."]
    lines = [f"{words_of(plan.scheme)}, drawn for each person by a recorded seed."]
    if plan.scheme.run_in_nights:
        lines.append(f"{plan.scheme.run_in_nights} nights of run-in come first, not compared.")
    lines += [
        f"{'Conditions are concealed until each evening. ' if plan.concealed else ''}"
        f"Plan made {plan.made or 'at a time that is not recorded'}, SHA-256 `{plan.digest}`.",
        *(f"Amended {entry['made']}: {entry['reason']}" for entry in plan.amendments),
        *(f"Not as it was frozen: {change}" for change in plan.changes),
    ]
    if plan.over_recorded_nights:
        lines.append(f"{plan.over_recorded_nights} of its nights had a result when it was drawn.")
    return ["\n\n".join(lines)]
