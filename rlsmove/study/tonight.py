"""One person's one night: its condition, what to write down, and what if it goes otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rlsmove.errors import SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.study.columns import MISSING, RUN_IN, Column
from rlsmove.study.folder import Arm, Study, study_columns
from rlsmove.study.plan import PLAN, FrozenPlan, read_plan, secret_content
from rlsmove.study.tables import table_text

#: Before this hour the evening that is meant by tonight is yesterday's.
_STILL_UP_UNTIL_H = 6

#: Columns of nights.tsv that are noted of a massage, and those that only the morning can tell.
OF_MASSAGE = (
    "massage_start",
    "massage_min",
    "technique",
    "areas",
    "side",
    "provider",
    "device",
    "intensity",
)
IN_THE_MORNING = (
    "lights_on",
    "soreness",
    "adverse_event",
    "symptoms",
    "diary_sol_min",
    "diary_waso_min",
    "diary_quality",
    "partner_rating",
)

#: Columns of nights.tsv that nobody notes in the evening or the morning.
_NOT_NOTED = ("participant_id", "night", "condition_assigned", "exclude", "exclude_reason")


@dataclass(frozen=True)
class Tonight:
    """A night of the plan, as its person needs to know it.

    Attributes
    ----------
    participant_id : str
    night : date
        Evening date.
    condition : str
        The study's own word for it; `RUN_IN` before the first assigned night.
    arm : Arm or None
        None in the run-in, or where study.json has no such arm any more.
    number, planned : int
        Which of the person's nights with a condition it is, and of how many; 0 in the run-in.
    to_note : tuple of Column
        Columns of nights.tsv to fill, evening first.
    night_rules : dict of str
    entered : bool
        Whether the condition was written into nights.tsv now: a concealed plan tells it only here.
    """

    participant_id: str
    night: date
    condition: str
    arm: Arm | None
    number: int
    planned: int
    to_note: tuple[Column, ...]
    night_rules: Mapping[str, str]
    entered: bool


def this_evening(study: Study, now: datetime | None = None) -> date:
    """Return the date of the evening that is tonight where the study is slept.

    Parameters
    ----------
    study : Study
    now : datetime, optional
        With its zone; the present by default.
    """
    try:
        zone = ZoneInfo(str(study.about.get("time_zone")))
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    local = datetime.now(zone) if now is None else now.astimezone(zone)
    return (local - timedelta(hours=_STILL_UP_UNTIL_H)).date()


def plan_of(study: Study) -> FrozenPlan:
    """Read the plan of a study that must have one.

    Raises
    ------
    StudyError
        There is none, or it cannot be read.
    """
    plan = read_plan(study)
    if plan is None:
        raise StudyError(
            study.path / PLAN,
            "this study has no plan yet",
            advice="`rlsmove plan STUDY` draws the nights of everybody in participants.tsv",
        )
    return plan


def noted_columns(study: Study, *, massage: bool) -> tuple[Column, ...]:
    """Return what is written down of a night: the columns that nights.tsv has, evening first.

    Parameters
    ----------
    study : Study
    massage : bool
        Whether those of the massage are among them.
    """
    known = {column.name: column for column in study_columns(study.arms)["nights.tsv"]}
    header = study.tables["nights.tsv"].header
    names = [
        name
        for name in header
        if name and name not in _NOT_NOTED and (massage or name not in OF_MASSAGE)
    ]
    names.sort(key=lambda name: name in IN_THE_MORNING)
    return tuple(known.get(name, Column(name, name.replace("_", " "))) for name in names)


def tonight(study: Study, participant_id: str | None = None, night: date | None = None) -> Tonight:
    """Tell one person's one night; of a concealed plan, that night alone, and enter it.

    Parameters
    ----------
    study : Study
    participant_id : str, optional
        Needed where the plan has several persons.
    night : date, optional
        Evening date; this evening by default.

    Raises
    ------
    StudyError
        There is no plan, it holds no such night, its secret is missing or another one, or
        nights.tsv says something else of the night or cannot be written without loss.
    SettingError
        Nobody of this code is in the plan, or it has several persons and none was named.
    """
    plan = plan_of(study)
    person = _person(plan, participant_id)
    evening = this_evening(study) if night is None else night
    schedule = plan.participants[person]["schedule"]
    assigned = [entry["night"] for entry in schedule if entry["block"]]
    if evening.isoformat() not in {entry["night"] for entry in schedule}:
        raise StudyError(
            study.path / PLAN,
            f"{person} has no night on {evening}",
            expected=_nights(schedule, evening),
        )
    entered = False
    if plan.concealed:
        schedule = secret_content(study)["participants"][person]["schedule"]
    condition = next(e["arm"] for e in schedule if e["night"] == evening.isoformat())
    if plan.concealed and condition != RUN_IN:
        entered = _enter(study, person, evening.isoformat(), condition)
    arm = next((arm for arm in study.arms if arm.name == condition), None)
    return Tonight(
        participant_id=person,
        night=evening,
        condition=condition,
        arm=arm,
        number=assigned.index(evening.isoformat()) + 1 if condition != RUN_IN else 0,
        planned=len(assigned),
        to_note=noted_columns(study, massage=arm is not None and arm.massage),
        night_rules=plan.night_rules,
        entered=entered,
    )


def _person(plan: FrozenPlan, participant_id: str | None) -> str:
    names = list(plan.participants)
    if participant_id is None and len(names) == 1:
        return names[0]
    if participant_id not in names:
        raise SettingError(
            "--participant",
            "nobody is named" if participant_id is None else f"{participant_id} is not in the plan",
            expected=f"one of {', '.join(names)}" if names else "somebody in the plan",
        )
    return participant_id


def _nights(schedule: list[dict[str, Any]], evening: date) -> str:
    """Say which nights there are, and which comes next."""
    if not schedule:
        return "a night of the plan; this person has none"
    first, last = schedule[0]["night"], schedule[-1]["night"]
    following = next((e["night"] for e in schedule if e["night"] > evening.isoformat()), None)
    return f"a night from {first} to {last}" + (f"; the next is {following}" if following else "")


def _enter(study: Study, participant_id: str, night: str, condition: str) -> bool:
    """Write a night's condition into nights.tsv; tell whether it was not there before."""
    path, table = study.path / "nights.tsv", study.tables["nights.tsv"]
    # A row is matched by its cells, and rewritten with the others: nothing may get lost by it.
    broken = [p for p in table.problems if not p.column or "appears twice" in p.found]
    if broken or "participant_id" not in table.header:
        raise StudyError(
            path,
            str(broken[0]) if broken else "it cannot be read",
            expected="a table in order, so that the condition can be entered",
            advice="`rlsmove study check` lists everything; nothing was written",
        )
    rows = [dict(row.text) for row in table.rows]
    own = [
        row for row in rows if row.get("participant_id") == participant_id and row["night"] == night
    ]
    if len(own) > 1:
        raise StudyError(path, f"{participant_id} {night} has {len(own)} rows", expected="one")
    if not own:
        own = [{"participant_id": participant_id, "night": night}]
        rows += own
    stands = own[0].get("condition_assigned", "").strip()
    if stands.lower() == condition.lower():
        return False
    if stands.lower() not in ("", MISSING, "na"):
        raise StudyError(
            path,
            f"{participant_id} {night} is {stands} there",
            expected="the condition that was drawn, or n/a",
            advice="Set condition_assigned of this night to n/a and ask again; what was received "
            "goes into condition_received",
        )
    own[0]["condition_assigned"] = condition
    header = list(table.header)
    header += [] if "condition_assigned" in header else ["condition_assigned"]
    write_files({path: table_text(header, rows)})
    return True


def tonight_text(told: Tonight) -> str:
    """Say a night in plain words."""
    if told.condition == RUN_IN:
        place, words = "before the first night with a condition", "no condition: sleep as usual"
    else:
        place, words = f"night {told.number} of {told.planned}", told.condition
    lines = [f"{told.participant_id}, evening of {told.night:%A} {told.night} ({place}): {words}"]
    if told.arm is not None:
        about = {name: getattr(told.arm, name) for name in ("technique", "areas", "side", "timing")}
        lines += [f"  {name}: {value}" for name, value in about.items() if value]
    for head, columns in (
        ("To note this evening:", [c for c in told.to_note if c.name not in IN_THE_MORNING]),
        ("To note in the morning:", [c for c in told.to_note if c.name in IN_THE_MORNING]),
    ):
        if columns:
            lines += ["", head]
            lines += [
                f"  {c.name}: {c.description}" + (f" ({c.units})" if c.units else "")
                for c in columns
            ]
    lines += ["", "If it goes otherwise:"]
    lines += [f"  {name}: {rule}" for name, rule in told.night_rules.items()]
    return "\n".join(lines)
