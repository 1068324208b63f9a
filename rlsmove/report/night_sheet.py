"""Sheets to print and calendars: a person's nights to come, with boxes to fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rlsmove.errors import StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.report.page import render
from rlsmove.study.columns import PARTICIPANTS, RUN_IN, Column
from rlsmove.study.folder import Study
from rlsmove.study.night_calendar import CalendarNight, calendar_text
from rlsmove.study.plan import PLAN, FrozenPlan
from rlsmove.study.tonight import IN_THE_MORNING, noted_columns, plan_of, this_evening

#: More levels than these are written by hand rather than ticked.
_MOST_TICKED = 6


def write_sheets(study: Study, out: Path, evening: date | None = None) -> list[Path]:
    """Write a sheet to print (HTML) and a calendar (.ics) for each person of a plan.

    Parameters
    ----------
    study : Study
    out : Path
        Folder; each person's files are named by their code.
    evening : date, optional
        The first that is still to come; this evening by default. Who has none left gets a sheet of
        all nights, to be filled in afterwards.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StudyError
        There is no plan, or somebody in it has a code that cannot name a file.
    """
    plan = plan_of(study)
    evening = this_evening(study) if evening is None else evening
    contents: dict[Path, str] = {}
    for name, person in plan.participants.items():
        try:
            PARTICIPANTS[0].parse(name)
        except ValueError:
            raise StudyError(
                study.path / PLAN, f"the code {name!r}", expected=PARTICIPANTS[0].expected()
            ) from None
        nights = _nights(study, plan, person["schedule"])
        to_come = [night for night in nights if night["night"] >= evening] or nights
        contents[out / f"{name}.html"] = _sheet(study, plan, name, to_come)
        contents[out / f"{name}.ics"] = _calendar(study, plan, name, to_come)
    write_files(contents)
    return list(contents)


def _nights(
    study: Study, plan: FrozenPlan, schedule: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each night with what to say of it; a concealed one says nothing."""
    assigned = [entry["night"] for entry in schedule if entry["block"]]
    massage = {arm.name: arm.massage for arm in study.arms}
    nights = []
    for entry in schedule:
        hidden = entry["arm"] is None
        if entry["arm"] == RUN_IN:
            place, condition = "before the first", "sleep as usual"
        else:
            place = f"night {assigned.index(entry['night']) + 1} of {len(assigned)}"
            condition = "" if hidden else str(entry["arm"])
        columns = noted_columns(study, massage=hidden or massage.get(entry["arm"], False))
        boxes = [_box(column) for column in columns]
        nights.append(
            {
                "night": date.fromisoformat(entry["night"]),
                "place": place,
                "condition": condition,
                "evening": [box for box in boxes if box["name"] not in IN_THE_MORNING],
                "morning": [box for box in boxes if box["name"] in IN_THE_MORNING],
            }
        )
    return nights


def _box(column: Column) -> dict[str, Any]:
    """A column as something to fill: choices to tick, or room to write."""
    choices = ["yes", "no"] if column.kind == "yes_no" else []
    if column.kind in ("level", "levels") and column.levels:
        named = [level for level in column.levels if level != RUN_IN]
        choices = named if len(named) <= _MOST_TICKED else []
    return {
        "name": column.name,
        "label": column.description,
        "units": column.units,
        "choices": choices,
    }


def _sheet(
    study: Study, plan: FrozenPlan, participant_id: str, nights: Sequence[Mapping[str, Any]]
) -> str:
    return render(
        "sheet.html.j2",
        {
            "title": f"Nights of {participant_id}",
            "study_title": str(study.about.get("title") or study.study_id),
            "simulated": bool(study.about.get("simulated")),
            "nights": nights,
            "night_rules": plan.night_rules,
            "digest": plan.digest,
        },
    )


def _calendar(
    study: Study, plan: FrozenPlan, participant_id: str, nights: Sequence[Mapping[str, Any]]
) -> str:
    rules = "\n".join(f"{name}: {rule}" for name, rule in plan.night_rules.items())
    ask = (
        f"ask for the condition this evening: rlsmove study tonight --participant {participant_id}"
    )
    made = (
        datetime.fromisoformat(plan.made)
        if plan.made
        else datetime.combine(nights[0]["night"], datetime.min.time(), UTC)
    )
    return calendar_text(
        f"{study.study_id} {participant_id}",
        [
            CalendarNight(
                uid=f"{study.study_id}-{participant_id}-{night['night']}@rlsmove",
                night=night["night"],
                summary=f"{night['condition'] or 'condition this evening'} ({night['place']})",
                description="\n".join([*([] if night["condition"] else [ask]), rules]),
            )
            for night in nights
        ],
        made,
    )
