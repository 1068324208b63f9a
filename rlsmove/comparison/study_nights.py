"""From a study folder to the nights of each person, by the arm that the plan gave them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from rlsmove.comparison.person_nights import ComparedNight, PersonNights, Settings
from rlsmove.errors import ResultError, RlsmoveError, StudyError
from rlsmove.review import EDITS_FILE, open_night
from rlsmove.study.columns import RUN_IN
from rlsmove.study.folder import COUNTED, RESULTS, Study, is_number, read_json
from rlsmove.study.plan import FrozenPlan
from rlsmove.study.table_extent import why_incomplete
from rlsmove.study.tables import Row

#: Which legs a row of derived/nights.csv is of, the best first.
_SIDES = ("both", "left", "right", "unknown")


def study_settings(
    study: Study,
    *,
    margin: float | None = None,
    minimum_hours: float | None = None,
    looks: str | None = None,
    seed: int = 1,
) -> Settings:
    """Return the settings that study.json was given before the nights.

    Parameters
    ----------
    study : Study
    margin, minimum_hours, looks : optional
        Take the place of what study.json says.
    seed : int
    """
    rules = study.rules
    awake = COUNTED[study.primary_index][1] == "wake_hours"
    minimum = rules["minimum_wake_hours" if awake else "minimum_hours"]
    return Settings(
        index=study.primary_index,
        margin=study.worthwhile_ratio if margin is None else margin,
        minimum_hours=minimum if minimum_hours is None else minimum_hours,
        minimum_nights=int(rules["minimum_nights"]),
        short_night_hours=0.0 if awake else rules["short_night_hours"],
        looks=looks or study.looks,
        seed=seed,
    )


def study_nights(study: Study, plan: FrozenPlan | None, index: str) -> list[PersonNights]:
    """Join plan, diary and results, a night a row; no night of any of them is lost.

    Parameters
    ----------
    study : Study
    plan : FrozenPlan or None
        Without one nobody's nights are randomized, and the diary says what each was.
    index : str
        The index to compare, one of `rlsmove.study.folder.COUNTED`.

    Returns
    -------
    list of PersonNights
        Persons of participants.tsv in its order, then others who have nights.
    """
    diary: dict[str, dict[date, list[Row]]] = {}
    for row in study.tables["nights.tsv"].rows:
        if "participant_id" in row.cells and "night" in row.cells:
            nights = diary.setdefault(row.cells["participant_id"], {})
            nights.setdefault(row.cells["night"], []).append(row)
    results: dict[str, dict[date, list[Row]]] = {}
    for row in study.results.rows if study.results else []:
        if "participant_id" in row.cells and "night" in row.cells:
            nights = results.setdefault(row.cells["participant_id"], {})
            nights.setdefault(row.cells["night"], []).append(_as_reviewed(study, row))
    results = _of_one_detector(results)
    about = {
        row.cells["participant_id"]: row.cells
        for row in study.tables["participants.tsv"].rows
        if "participant_id" in row.cells
    }
    planned = plan.participants if plan else {}
    last = _last_evening(diary, results)
    no_row = _why_no_row(study)
    names = list(dict.fromkeys([*study.participants, *planned, *diary, *results]))
    return [
        _person(
            study,
            name,
            plan,
            planned.get(name),
            diary.get(name, {}),
            results.get(name, {}),
            about.get(name, {}),
            index,
            last,
            no_row,
        )
        for name in names
    ]


def _person(
    study: Study,
    participant_id: str,
    plan: FrozenPlan | None,
    planned: Mapping[str, Any] | None,
    diary: Mapping[date, list[Row]],
    results: Mapping[date, list[Row]],
    about: Mapping[str, Any],
    index: str,
    last: date,
    no_row: str,
) -> PersonNights:
    arms = study.arms
    number = {arm.name: i for i, arm in enumerate(arms)}
    schedule = {
        date.fromisoformat(night["night"]): night for night in (planned or {}).get("schedule", [])
    }
    side = _usual_side(results)
    nights = []
    for position, evening in enumerate(sorted({*schedule, *diary, *results})):
        rows = diary.get(evening, [])
        row = rows[0].cells if len(rows) == 1 else {}
        entry = schedule.get(evening)
        name = entry["arm"] if entry else row.get("condition_assigned") if not planned else None
        left_out = _left_out(rows, entry is not None, planned is not None, name, number)
        arm = number.get(str(name), -1)
        received = number.get(str(row.get("condition_received", name)), -1)
        found, failed = _result(results.get(evening, []), side, no_row)
        count, hours = COUNTED[index]
        indices = _numbers(found)
        legs = _legs(study, participant_id, evening, results.get(evening, []))
        nights.append(
            ComparedNight(
                night=evening.isoformat(),
                day=evening.toordinal(),
                arm=arm,
                block=entry["block"] - 1 if entry else 0,
                period=entry["period"] - 1 if entry else position,
                received=received,
                count=indices.get(count, math.nan),
                hours=indices.get(hours, math.nan),
                left_out=left_out,
                failed=failed,
                diary=row,
                indices=indices,
                left=legs["left"],
                right=legs["right"],
                reviewed=found is not None and found.get("reviewed") == "yes",
                over=evening <= last,
            )
        )
    return PersonNights(
        participant_id=participant_id,
        scheme=plan.scheme.kind if plan and planned else "none",
        arms=arms,
        nights=tuple(nights),
        max_run=plan.scheme.max_run if plan and planned else None,
        about=about,
        planned_nights=plan.scheme.nights if plan and planned else None,
    )


def _why_no_row(study: Study) -> str:
    """Say why a night has no row in derived/nights.csv."""
    if study.results is None:
        return "derived/nights.csv is not there yet"
    if why_incomplete(study):
        return "derived/nights.csv is not complete, and has no row of it yet"
    return "no recording of it"


def _last_evening(
    diary: Mapping[str, Mapping[date, list[Row]]], results: Mapping[str, Mapping[date, list[Row]]]
) -> date:
    """Return the last evening with anybody's result, or left out: nights up to it are over."""
    evenings = [evening for nights in results.values() for evening in nights]
    evenings += [
        evening
        for nights in diary.values()
        for evening, rows in nights.items()
        if any(row.cells.get("exclude") for row in rows)
    ]
    return max(evenings, default=date.min)


def _left_out(
    rows: list[Row], in_plan: bool, has_plan: bool, arm: str | None, known: Mapping[str, int]
) -> str:
    """Say why a night is not compared, whatever its result."""
    if len(rows) > 1:
        return f"it stands {len(rows)} times in nights.tsv (rows " + (
            ", ".join(str(row.number) for row in rows) + ")"
        )
    cells = rows[0].cells if rows else {}
    if cells.get("exclude"):
        return f"excluded: {cells.get('exclude_reason', 'no reason given')}"
    if arm == RUN_IN:
        return "a night of the run-in"
    if has_plan and not in_plan:
        return "not a night of the plan"
    if arm is None:
        given = rows[0].text.get("condition_assigned", "") if rows else ""
        if rows and "condition_assigned" in rows[0].bad:
            return f"unknown condition {given!r}"
        return "no condition is assigned to it" if rows else "it is not in nights.tsv"
    return "" if arm in known else f"unknown condition {arm!r}"


def night_results(study: Study, participant_id: str, evening: date) -> Path:
    """Return the folder that a batch writes a night's results into."""
    return study.path / RESULTS.parent / "nights" / participant_id / evening.isoformat()


def _as_reviewed(study: Study, row: Row) -> Row:
    """Give a night the indices that its reviewer left, also where the table is older than that."""
    night = night_results(study, row.cells["participant_id"], row.cells["night"])
    if row.get("status") == "failed" or not (night / EDITS_FILE).exists():
        return row
    try:
        opened = open_night(night)
    except RlsmoveError as error:
        why = f"its review cannot be used: {error}"
        return replace(row, cells={**row.cells, "status": "failed", "sentence": why})
    others = {name: value for name, value in row.cells.items() if name not in opened.indices}
    numbers = {
        name: float(value)
        for name, value in opened.indices.items()
        if is_number(value, -math.inf, math.inf)
    }
    reviewed = "yes" if opened.edits else "no"
    return replace(row, cells={**others, **numbers, "reviewed": reviewed})


def _of_one_detector(
    results: Mapping[str, Mapping[date, list[Row]]],
) -> dict[str, dict[date, list[Row]]]:
    """Take nights that another detector or other rules made than most for failed."""

    def made_by(row: Row) -> str:
        return f"detector {row.get('detector', '?')}, rules {row.get('rules', '?')}"

    count = Counter(
        made_by(row)
        for nights in results.values()
        for rows in nights.values()
        for row in rows
        if row.get("status") != "failed"
    )
    usual = max(count, key=lambda made: (count[made], made), default="")

    def checked(row: Row) -> Row:
        if row.get("status") == "failed" or made_by(row) == usual:
            return row
        why = f"made by {made_by(row)}, most others by {usual}: `rlsmove batch` makes it anew"
        return replace(row, cells={**row.cells, "status": "failed", "sentence": why})

    return {
        person: {night: [checked(row) for row in rows] for night, rows in nights.items()}
        for person, nights in results.items()
    }


def _usual_side(results: Mapping[date, list[Row]]) -> str:
    """Return the legs that most of the person's nights have; both rather than one in a tie.

    Nights of one leg among nights of two would count fewer movements for no reason but that.
    """
    count = Counter(
        row.get("side", "both")
        for rows in results.values()
        for row in rows
        if row.get("status") != "failed"
    )
    if not count:
        return "both"
    rank = {side: -place for place, side in enumerate(_SIDES)}
    return max(count, key=lambda side: (count[side], rank.get(side, -len(_SIDES))))


def _of_side(rows: list[Row], side: str) -> Row | None:
    """Return the one row of a side that has a result."""
    found = [r for r in rows if r.get("side", "both") == side and r.get("status") != "failed"]
    return found[0] if len(found) == 1 else None


def _result(rows: list[Row], side: str, no_row: str) -> tuple[Row | None, str]:
    """Return the row to compare, or why there is none."""
    found = _of_side(rows, side)
    if found:
        return found, ""
    if not rows:
        return None, no_row
    same = [r for r in rows if r.get("side", "both") == side]
    if len(same) > 1:
        return None, "it stands more than once in derived/nights.csv"
    failures = [r for r in rows if r.get("status") == "failed"]
    if failures:
        sentence = failures[0].get("sentence") or failures[0].get("code") or "no sentence given"
        return None, f"no result: {sentence}"
    others = ", ".join(sorted({str(r.get("side", "both")) for r in rows}))
    return None, f"recorded at {others}, where the other nights are of {side}"


def _legs(
    study: Study, participant_id: str, evening: date, rows: list[Row]
) -> dict[str, dict[str, float]]:
    """Return the indices of each leg alone, where an arm of the study massages one leg only."""
    legs = {leg: _numbers(_of_side(rows, leg)) for leg in ("left", "right")}
    if not any(arm.side in legs for arm in study.arms) or all(legs.values()):
        return legs
    night = night_results(study, participant_id, evening)
    try:
        if (night / EDITS_FILE).exists():
            by_leg: Any = open_night(night).indices_by_leg
        else:
            tables = read_json(night / "night.json").get("tables")
            by_leg = tables.get("indices_by_leg") if isinstance(tables, dict) else None
    except (StudyError, ResultError):
        return legs
    for leg in legs:
        found = by_leg.get(leg) if isinstance(by_leg, dict) else None
        for name, value in found.items() if isinstance(found, dict) else ():
            if is_number(value, -math.inf, math.inf):
                legs[leg].setdefault(name, float(value))
    return legs


def _numbers(row: Row | None) -> dict[str, float]:
    if row is None:
        return {}
    return {name: value for name, value in row.cells.items() if isinstance(value, float)}
