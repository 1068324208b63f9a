"""Everything that is wrong with a study folder, all at once."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rlsmove.errors import RlsmoveError, SettingError, StudyError
from rlsmove.study.columns import RUN_IN, night_of, time_in_night
from rlsmove.study.folder import COUNTED, EXCLUSION_RULES, SCHEMA_VERSION, Study, is_number
from rlsmove.study.plan import FrozenPlan, read_plan
from rlsmove.study.problems import Problem
from rlsmove.study.recording_rows import known_zone, told_of_row
from rlsmove.study.seen_massage import massage_disagreements
from rlsmove.study.tables import Row

#: Share of an arm's nights that may be missing before it is a finding.
MOST_MISSING = 0.2

#: Time in bed outside of these is a slip of the pen, in hours.
_BED_HOURS = (1.0, 18.0)

#: A recording holds a night if it covers this much of it, in hours.
LEAST_RECORDED_HOURS = 3.0

NIGHTS, RECORDINGS, PARTICIPANTS = "nights.tsv", "recordings.tsv", "participants.tsv"


@dataclass(frozen=True)
class Span:
    """From when to when one recording lasts, on the wall clock of its device."""

    row: Row
    start: datetime
    end: datetime


def check_study(study: Study) -> list[Problem]:
    """List every problem of a study folder.

    Parameters
    ----------
    study : Study
        As read; what reading found is in the list as well.

    Returns
    -------
    list of Problem
        By file, then row.
    """
    problems = [*study.problems, *about_problems(study)]
    plan = None
    try:
        plan = read_plan(study)
    except StudyError as error:
        problems.append(Problem("plan.json", 0, error.place, error.found, error.expected))
    problems += [
        Problem("plan.json", 0, "", change, "the plan as frozen")
        for change in (plan.changes if plan else ())
    ]
    problems += _people(study)
    problems += _nights(study)
    if plan:
        problems += _against_plan(study, plan)
    problems += _clock_changes(study)
    spans, unreadable = recorded_spans(study)
    problems += unreadable
    problems += _recordings(study)
    problems += _unlisted(study)
    problems += _absent_columns(study)
    problems += _against_recordings(study, spans)
    problems += _results(study)
    problems += massage_disagreements(study)
    problems += _missing_arms(study, plan)
    return sorted(set(problems))


def about_problems(study: Study) -> Iterator[Problem]:
    """Yield what is wrong with the entries of study.json."""
    about = study.about

    def problem(key: str, found: Any, expected: str) -> Problem:
        return Problem("study.json", 0, key, repr(found), expected)

    for key in ("id", "title", "time_zone"):
        if not isinstance(about.get(key), str) or not about[key].strip():
            yield problem(key, about.get(key), "text")
    if about.get("schema_version") != SCHEMA_VERSION:
        yield problem("schema_version", about.get("schema_version"), str(SCHEMA_VERSION))
    if isinstance(about.get("time_zone"), str) and _zone(study) is None:
        yield problem("time_zone", about["time_zone"], "an IANA name such as Europe/Berlin")
    if about.get("primary_index") not in COUNTED:
        yield problem("primary_index", about.get("primary_index"), f"one of {', '.join(COUNTED)}")
    ratio = about.get("worthwhile_ratio")
    if not is_number(ratio, 0, 1) or ratio in (0, 1):
        yield problem("worthwhile_ratio", ratio, "a number between 0 and 1")
    from rlsmove.rules import RULE_SETS

    if about.get("rules") not in RULE_SETS:
        yield problem("rules", about.get("rules"), f"one of {', '.join(RULE_SETS)}")
    rules = about.get("exclusion_rules")
    if rules is not None and not isinstance(rules, dict):
        yield problem("exclusion_rules", rules, "an object")
    for name, value in (rules if isinstance(rules, dict) else {}).items():
        if name not in EXCLUSION_RULES:
            yield problem(f"exclusion_rules.{name}", value, f"one of {', '.join(EXCLUSION_RULES)}")
        elif not is_number(value, 0, math.inf):
            yield problem(f"exclusion_rules.{name}", value, "a number of at least 0")


def _people(study: Study) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in study.tables[PARTICIPANTS].rows:
        name = row.get("participant_id")
        if name in seen:
            yield Problem(
                PARTICIPANTS, row.number, "participant_id", f"{name} again", "each person once"
            )
        seen.add(name)
    for table in (NIGHTS, RECORDINGS):
        for row in study.tables[table].rows:
            name = row.get("participant_id")
            if name is not None and name not in seen:
                yield Problem(
                    table, row.number, "participant_id", str(name), "a person of participants.tsv"
                )


def _nights(study: Study) -> Iterator[Problem]:
    times = Counter(
        (row.get("participant_id"), row.get("night")) for row in study.tables[NIGHTS].rows
    )
    for row in study.tables[NIGHTS].rows:
        night = row.get("night")
        if night is None:
            continue
        if times[row.get("participant_id"), night] > 1:
            yield Problem(
                NIGHTS,
                row.number,
                "night",
                f"{row.get('participant_id')} {night} more than once",
                "each night of a person once",
            )
        off, on = (
            time_in_night(night, row.cells[c]) if c in row.cells else None
            for c in ("lights_off", "lights_on")
        )
        for column, moment in (("lights_off", off), ("lights_on", on)):
            if moment is not None and night_of(moment) != night:
                yield Problem(
                    NIGHTS,
                    row.number,
                    column,
                    moment.isoformat(timespec="minutes"),
                    f"a time from noon of {night} to noon of the next day",
                )
        if off and on and not _BED_HOURS[0] <= (on - off) / timedelta(hours=1) <= _BED_HOURS[1]:
            hours = (on - off) / timedelta(hours=1)
            yield Problem(
                NIGHTS,
                row.number,
                "lights_on",
                f"{hours:.1f} h after lights off",
                f"{_BED_HOURS[0]:g} to {_BED_HOURS[1]:g} h",
            )
        if off and "massage_start" in row.cells:
            started = time_in_night(night, row.cells["massage_start"])
            if started > off:
                yield Problem(
                    NIGHTS,
                    row.number,
                    "massage_start",
                    started.isoformat(timespec="minutes"),
                    f"before lights off at {off:%H:%M}",
                )
        massaged = {arm.name for arm in study.arms if arm.massage}
        received = row.get("condition_received")
        if received is not None and received not in massaged and row.get("massage_min", 0) > 0:
            yield Problem(
                NIGHTS,
                row.number,
                "massage_min",
                f"{row.get('massage_min'):g} min",
                f"0 on a night received as {received}",
            )
        if row.get("exclude") and "exclude_reason" not in row.cells:
            yield Problem(
                NIGHTS,
                row.number,
                "exclude_reason",
                "no value",
                "the reason why the night is left out",
            )


def _against_plan(study: Study, plan: FrozenPlan) -> Iterator[Problem]:
    known = {arm.name for arm in study.arms}
    for arm in plan.scheme.arms:
        if arm not in known:
            yield Problem("plan.json", 0, "arms", arm, f"an arm of study.json: {sorted(known)}")
    planned = {
        (name, night["night"]): night["arm"]
        for name, person in plan.participants.items()
        for night in person["schedule"]
    }
    rows = {
        (row.get("participant_id"), str(row.get("night"))): row for row in study.tables[NIGHTS].rows
    }
    for (name, night), arm in planned.items():
        row = rows.get((name, night))
        if row is None:
            yield Problem(
                NIGHTS,
                0,
                "night",
                f"no row for {name} {night}",
                f"a row for each night of the plan ({arm or 'concealed'})",
            )
        elif arm is not None and row.get("condition_assigned") not in (None, arm):
            yield Problem(
                NIGHTS,
                row.number,
                "condition_assigned",
                row.cells["condition_assigned"],
                f"{arm}, as the plan says (the comparison goes by the plan)",
            )
    for (name, night), row in rows.items():
        if name in plan.participants and (name, night) not in planned and row.get("night"):
            yield Problem(
                NIGHTS,
                row.number,
                "night",
                f"{name} {night}",
                "a night of the plan (it is not compared)",
                only_notice=True,
            )
    for name in study.participants:
        if name not in plan.participants:
            yield Problem(
                PARTICIPANTS,
                0,
                "participant_id",
                f"{name} is not in the plan",
                "a schedule for each person (theirs is not randomized)",
            )


def _clock_changes(study: Study) -> Iterator[Problem]:
    zone = _zone(study)
    for row in study.tables[NIGHTS].rows:
        night = row.get("night")
        if zone is None or night is None or night.year > 9000:
            continue
        noon = datetime(night.year, night.month, night.day, 12, tzinfo=zone)
        next_noon = noon.replace(tzinfo=None) + timedelta(days=1)
        step = next_noon.replace(tzinfo=zone).utcoffset() - noon.utcoffset()  # type: ignore[operator]
        if step:
            yield Problem(
                NIGHTS,
                row.number,
                "night",
                f"clocks change by {step / timedelta(hours=1):+g} h in this night",
                "that times in bed were noted with care",
                only_notice=True,
            )


def _zone(study: Study) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(study.about.get("time_zone")))
    except (KeyError, ValueError, OSError):
        return None


def _recordings(study: Study) -> Iterator[Problem]:
    used: dict[str, set[tuple[str, str]]] = defaultdict(set)
    files: set[str] = set()
    for row in study.tables[RECORDINGS].rows:
        file = row.get("file")
        if file in files:
            yield Problem(RECORDINGS, row.number, "file", f"{file} again", "each recording once")
        files.add(file)
        clock = str(row.get("clock", "")).split()
        if clock and not _is_clock(clock):
            yield Problem(
                RECORDINGS,
                row.number,
                "clock",
                row.cells["clock"],
                "a zone, and seconds ahead, such as Europe/Berlin +12.5",
            )
        for column in ("placement", "device"):
            if column in row.cells:
                used[column].add((row.get("participant_id"), row.cells[column]))
    for column, values in used.items():
        for name, times in Counter(person for person, _ in values).items():
            if times > 1:
                kinds = ", ".join(sorted(value for person, value in values if person == name))
                yield Problem(
                    RECORDINGS,
                    0,
                    column,
                    f"{name} has {kinds}",
                    f"one {column} throughout: counts differ between them",
                )


def _unlisted(study: Study) -> Iterator[Problem]:
    """Find files of raw/ that no row of recordings.tsv names."""
    from rlsmove.devices import may_be_recording
    from rlsmove.study.placed_files import read_header

    listed = {
        (study.path / row.text.get("file", "")).resolve() for row in study.tables[RECORDINGS].rows
    }
    for path in sorted((study.path / "raw").rglob("*")):
        name = path.relative_to(study.path).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(study.path).parts)
        if hidden or not path.is_file() or path.resolve() in listed:
            continue
        is_recording = may_be_recording(path) and not read_header(path).foreign
        yield Problem(
            name,
            0,
            "",
            "no row of recordings.tsv names it",
            "a row for each recording; `rlsmove study from` makes them"
            if is_recording
            else "recordings only",
            only_notice=not is_recording,
        )


def _absent_columns(study: Study) -> Iterator[Problem]:
    """Find columns of nights.tsv that a comparison needs and the table lacks."""
    table = study.tables[NIGHTS]
    for column in ("condition_assigned", "lights_off", "lights_on") if table.header else ():
        if column not in table.header:
            yield Problem(NIGHTS, 1, column, "no such column", "the column", only_notice=True)


def _is_clock(parts: list[str]) -> bool:
    try:
        ZoneInfo(parts[0])
        return len(parts) == 1 or (len(parts) == 2 and float(parts[1]) == float(parts[1]))
    except (KeyError, ValueError, OSError):
        return False


def recorded_spans(study: Study) -> tuple[list[Span], list[Problem]]:
    """Open the recordings for their clocks."""
    from rlsmove.devices import open_recording

    spans, problems = [], []
    for row in study.tables[RECORDINGS].rows:
        file = row.get("file")
        if file is None:
            continue
        path = study.path / file
        if not path.is_file():
            problems.append(
                Problem(
                    RECORDINGS,
                    row.number,
                    "file",
                    f"there is no {file}",
                    "a recording, its place relative to the study folder",
                )
            )
            continue
        try:
            zone = known_zone(str(study.about.get("time_zone") or ""))
            recording = open_recording(path, told_of_row(row, zone)[0])
            start = recording.start_time.replace(tzinfo=None)
            spans.append(Span(row, start, start + timedelta(seconds=_length_s(recording))))
        except SettingError as error:
            column = error.file.removeprefix("--").replace("-", "_")
            problems.append(Problem(RECORDINGS, row.number, column, error.found, error.expected))
            continue
        except RlsmoveError as error:
            problems.append(Problem(RECORDINGS, row.number, "file", str(error)))
            continue
        if not recording.dated:
            problems.append(
                Problem(
                    RECORDINGS,
                    row.number,
                    "start",
                    f"{file} has no date",
                    "the wall time of its first sample, such as 2026-03-01T22:30",
                )
            )
            spans.pop()
        if recording.side in ("left", "right") and row.get("leg") not in (None, recording.side):
            problems.append(
                Problem(
                    RECORDINGS,
                    row.number,
                    "leg",
                    row.cells["leg"],
                    f"{recording.side}, as the recording itself says",
                    only_notice=True,
                )
            )
    return spans, problems


def _length_s(recording: Any, precision_s: float = 60.0) -> float:
    """Find the end of a recording by halving: reading it all would take minutes a study."""

    def goes_on_after(time_s: float) -> bool:
        return next(iter(recording.blocks(start_s=time_s)), None) is not None

    above = 3600.0
    while goes_on_after(above):
        above *= 2.0
    below = 0.0
    while above - below > precision_s:
        middle = (below + above) / 2.0
        below, above = (middle, above) if goes_on_after(middle) else (below, middle)
    return below


def _against_recordings(study: Study, spans: list[Span]) -> Iterator[Problem]:
    of_person: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        of_person[span.row.get("participant_id")].append(span)
    for own in of_person.values():
        for leg in ("left", "right"):
            ordered = sorted((s for s in own if s.row.get("leg") == leg), key=lambda s: s.start)
            for one, two in pairwise(ordered):
                if two.start < one.end:
                    yield Problem(
                        RECORDINGS,
                        two.row.number,
                        "file",
                        f"it begins at {two.start:%Y-%m-%d %H:%M}, before row "
                        f"{one.row.number} ends at {one.end:%Y-%m-%d %H:%M}",
                        f"one recording at a time of the {leg} leg",
                    )
        legs = {leg: [s for s in own if s.row.get("leg") == leg] for leg in ("left", "right")}
        for leg, other in (("left", "right"), ("right", "left")):
            for span in legs[leg]:
                if legs[other] and not any(
                    s.start < span.end and span.start < s.end for s in legs[other]
                ):
                    yield Problem(
                        RECORDINGS,
                        span.row.number,
                        "file",
                        f"no recording of the {other} leg overlaps it",
                        "both legs at the same time, or one leg throughout",
                        only_notice=True,
                    )
    noted = {
        (row.get("participant_id"), row.get("night")): row for row in study.tables[NIGHTS].rows
    }
    for (name, night), row in noted.items():
        if not isinstance(night, date) or not of_person.get(name):
            continue
        if "condition_received" not in row.cells and "lights_off" not in row.cells:
            continue  # a night still to come
        if row.get("exclude"):
            continue
        if not any(hours_of_night(span, night) >= LEAST_RECORDED_HOURS for span in of_person[name]):
            yield Problem(
                NIGHTS,
                row.number,
                "night",
                f"no recording of {name} covers {night}",
                "the night in a recording: "
                + "; ".join(
                    f"{s.start:%Y-%m-%d %H:%M} to {s.end:%Y-%m-%d %H:%M}"
                    for s in sorted(of_person[name], key=lambda s: s.start)
                ),
            )
    for name, own in of_person.items():
        for span in own:
            night = night_of(span.start)
            while night <= night_of(span.end):
                if (
                    hours_of_night(span, night) >= LEAST_RECORDED_HOURS
                    and (name, night) not in noted
                ):
                    yield Problem(
                        RECORDINGS,
                        span.row.number,
                        "file",
                        f"it holds the night of {night}, which nights.tsv does not have",
                        "a row for each recorded night",
                    )
                night += timedelta(days=1)


def hours_of_night(span: Span, night: date) -> float:
    """Hours of a night, 21:00 to 9:00, that a recording covers."""
    evening = datetime(night.year, night.month, night.day, 21)
    start, end = max(span.start, evening), min(span.end, evening + timedelta(hours=12))
    return (end - start) / timedelta(hours=1)


def _results(study: Study) -> Iterator[Problem]:
    if study.results is None:
        return
    name = study.results.name
    noted = {(row.get("participant_id"), row.get("night")) for row in study.tables[NIGHTS].rows}
    times = Counter(
        (r.get("participant_id"), r.get("night"), r.get("side")) for r in study.results.rows
    )
    for row in study.results.rows:
        key = (row.get("participant_id"), row.get("night"))
        if None not in key and key not in noted:
            yield Problem(
                name,
                row.number,
                "night",
                f"{key[0]} {key[1]}",
                "a night of nights.tsv (it is not compared)",
            )
        if times[(*key, row.get("side"))] > 1:
            yield Problem(
                name,
                row.number,
                "night",
                f"{key[0]} {key[1]} more than once",
                "each night and side once",
            )
        if row.get("status") == "failed":
            yield Problem(
                name,
                row.number,
                "status",
                f"{key[0]} {key[1]} failed: {row.get('sentence', 'no sentence')}",
                only_notice=True,
            )


def _missing_arms(study: Study, plan: FrozenPlan | None) -> Iterator[Problem]:
    """Find arms of a person of whose nights too many have no result."""
    if study.results is None:
        return
    have = {
        (r.get("participant_id"), r.get("night"))
        for r in study.results.rows
        if r.get("status") in ("ok", "warned")
    }
    assigned: dict[tuple[str, str], list[date]] = defaultdict(list)
    if plan:
        for name, person in plan.participants.items():
            for night in person["schedule"]:
                assigned[name, night["arm"]].append(date.fromisoformat(night["night"]))
    for row in study.tables[NIGHTS].rows:
        name, night = row.get("participant_id"), row.get("night")
        if not (plan and name in plan.participants) and night and "condition_assigned" in row.cells:
            assigned[name, row.cells["condition_assigned"]].append(night)
    for (name, arm), nights in assigned.items():
        missing = sum((name, night) not in have for night in nights)
        if arm != RUN_IN and missing > MOST_MISSING * len(nights):
            yield Problem(
                NIGHTS,
                0,
                "condition_assigned",
                f"{name}: {missing} of {len(nights)} {arm} nights have no result",
                f"at most {MOST_MISSING:.0%} missing in an arm",
                only_notice=True,
            )
