"""How a study stands: nights done and missed, sensors and diary there, what to do; no effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rlsmove.study.check import LEAST_RECORDED_HOURS, hours_of_night, recorded_spans
from rlsmove.study.columns import RUN_IN
from rlsmove.study.folder import Study
from rlsmove.study.plan import FrozenPlan, read_plan
from rlsmove.study.tables import Row
from rlsmove.study.tonight import this_evening

#: Columns of nights.tsv that are not what a person writes down of a night.
_NOT_DIARY = (
    "participant_id",
    "night",
    "condition_assigned",
    "condition_received",
    "exclude",
    "exclude_reason",
)


def study_status(study: Study, evening: date | None = None) -> dict[str, Any]:
    """Count each person's nights, and say what is to be done.

    Parameters
    ----------
    study : Study
    evening : date, optional
        Nights before it are over; this evening by default.

    Returns
    -------
    dict
        ``study``, ``evening``, ``concealed``, ``problems`` and ``persons``, by participant_id:
        ``planned``, ``over``, ``done`` (recorded), ``missed``, ``to_come``, ``scored``,
        ``swapped``, ``excluded``, ``left``, ``right`` and ``diary`` as numbers of nights with a
        condition; ``nights``, each with what is there of it; ``to_do``, sentences. Nothing in it
        tells an effect.
    """
    evening = this_evening(study) if evening is None else evening
    plan = read_plan(study)
    legs, problems = _recorded_legs(study)
    scored: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in study.results.rows if study.results else []:
        if row.get("status") != "failed":
            scored[row.get("participant_id", ""), str(row.get("night"))] |= _legs_of_result(row)
    noted = {
        (row.get("participant_id", ""), str(row.get("night"))): row
        for row in study.tables["nights.tsv"].rows
    }
    names = list(dict.fromkeys([*study.participants, *(plan.participants if plan else {})]))
    persons = {}
    for name in names:
        nights = [
            _night(night, name, noted.get((name, night)), legs, scored, evening)
            for night in _planned(plan, name, noted)
        ]
        planned = plan is None or name in plan.participants
        persons[name] = {**_counted(nights), "nights": nights}
        persons[name]["to_do"] = _to_do(nights, name, planned, plan is not None, evening)
    return {
        "study": study.study_id,
        "evening": evening.isoformat(),
        "concealed": plan is not None and plan.concealed,
        "plan_changes": list(plan.changes) if plan else [],
        "problems": problems,
        "persons": persons,
    }


def _recorded_legs(study: Study) -> tuple[dict[tuple[str, str], set[str]], list[str]]:
    """Which legs were recorded in each person's nights, and what cannot be opened."""
    spans, problems = recorded_spans(study)
    evenings = {
        row.cells["night"] for row in study.tables["nights.tsv"].rows if "night" in row.cells
    }
    legs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for span in spans:
        for evening in evenings:
            if hours_of_night(span, evening) >= LEAST_RECORDED_HOURS:
                key = span.row.get("participant_id", ""), evening.isoformat()
                legs[key].add(span.row.get("leg", "unknown"))
    return legs, [str(problem) for problem in problems if not problem.only_notice]


def _legs_of_result(row: Row) -> set[str]:
    side = str(row.get("side", "both"))
    return {"left", "right"} if side == "both" else {side}


def _planned(plan: FrozenPlan | None, name: str, noted: Mapping[tuple[str, str], Row]) -> list[str]:
    """Evening dates of a person's nights with a condition."""
    if plan is not None:
        schedule = plan.participants.get(name, {"schedule": []})["schedule"]
        return [night["night"] for night in schedule if night["block"]]
    return sorted(
        night
        for (person, night), row in noted.items()
        if person == name and row.get("condition_assigned") not in (None, RUN_IN)
    )


def _night(
    night: str,
    name: str,
    row: Row | None,
    legs: Mapping[tuple[str, str], set[str]],
    scored: Mapping[tuple[str, str], set[str]],
    evening: date,
) -> dict[str, Any]:
    cells = row.cells if row else {}
    there = legs.get((name, night), set()) | scored.get((name, night), set())
    assigned, received = cells.get("condition_assigned"), cells.get("condition_received")
    over = date.fromisoformat(night) < evening or bool(there)
    return {
        "night": night,
        "over": over,
        "done": bool(there),
        "missed": over and not there,
        "scored": (name, night) in scored,
        "legs": sorted(there),
        "diary": any(column not in _NOT_DIARY for column in cells),
        "swapped": None not in (assigned, received) and assigned != received,
        "excluded": bool(cells.get("exclude")),
    }


def _counted(nights: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counted = {"planned": len(nights), "to_come": sum(not n["over"] for n in nights)}
    for name in ("over", "done", "missed", "scored", "swapped", "excluded", "diary"):
        counted[name] = sum(night[name] for night in nights)
    for leg in ("left", "right"):
        counted[leg] = sum(leg in night["legs"] for night in nights)
    return counted


def _to_do(
    nights: Sequence[Mapping[str, Any]], name: str, in_plan: bool, any_plan: bool, evening: date
) -> list[str]:
    """What somebody has to do about a person's nights."""
    if not any_plan and not nights:
        return ["draw the nights: rlsmove plan STUDY"]
    if not in_plan:
        return ["not in the plan: rlsmove plan STUDY --add --reason ..."]

    def named(nights: Sequence[Mapping[str, Any]]) -> str:
        most = 5
        dates = ", ".join(night["night"] for night in nights[:most])
        return dates + (f" and {len(nights) - most} more" if len(nights) > most else "")

    todo = []
    if any(night["night"] == evening.isoformat() for night in nights):
        todo.append(f"tonight is a night: rlsmove study tonight STUDY --participant {name}")
    missed = [n for n in nights if n["missed"] and not n["excluded"]]
    if missed:
        todo.append(
            f"no recording of {named(missed)}: list it in recordings.tsv if the sensor has it; "
            "else it stays missing and is not made up"
        )
    both = {"left", "right"} <= {leg for night in nights for leg in night["legs"]}
    for leg in ("left", "right") if both else ():
        lacking = [n for n in nights if n["done"] and leg not in n["legs"]]
        if lacking:
            todo.append(f"no {leg} leg on {named(lacking)}")
    unwritten = [n for n in nights if n["done"] and not n["diary"]]
    if unwritten:
        todo.append(f"no diary of {named(unwritten)}")
    if any(n["swapped"] for n in nights):
        todo.append(
            f"received another condition on {named([n for n in nights if n['swapped']])}: nothing "
            "to mend, both are kept"
        )
    unscored = [n for n in nights if n["done"] and not n["scored"]]
    if unscored:
        todo.append(f"{len(unscored)} recorded night(s) are not scored: rlsmove batch STUDY")
    elif nights and all(n["over"] for n in nights):
        todo.append("all nights are over: rlsmove compare STUDY")
    return todo


def status_text(status: Mapping[str, Any]) -> str:
    """Lay a status out as a table, and what to do under it."""
    columns = (
        *("planned", "done", "missed", "to_come", "swapped", "excluded"),
        *("left", "right", "diary", "scored"),
    )
    width = max([len("person"), *map(len, status["persons"])])
    head = "  ".join(["person".ljust(width), *(name.replace("_", " ") for name in columns)])
    lines = [f"{status['study']}, evening of {status['evening']}: numbers of nights", head]
    for name, person in status["persons"].items():
        cells = [str(person[column]).rjust(len(column)) for column in columns]
        lines.append("  ".join([name.ljust(width), *cells]))
    for name, person in status["persons"].items():
        lines += [f"{name}: {sentence}" for sentence in person["to_do"]]
    return "\n".join(lines)
