"""The plain table of nights that were counted elsewhere, for `compare --nights`."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

from rlsmove.comparison.person_nights import ComparedNight, PersonNights
from rlsmove.errors import StudyError
from rlsmove.study.columns import Column
from rlsmove.study.folder import Arm
from rlsmove.study.problems import Problem
from rlsmove.study.tables import Row, Table, delimiter_of, read_table

ARMS = (Arm("control", False), Arm("massage", True))

COLUMNS = (
    # Any text may name a person here: the table was made elsewhere.
    Column("participant_id", "Code of the person", required=True),
    Column("night", "Evening date, or the number of the night", required=True),
    Column(
        "condition",
        "Condition of the night",
        "level",
        levels={"massage": "Massage before bed", "control": "No massage"},
        required=True,
    ),
    Column("block", "Block within which conditions were shuffled"),
    Column("period", "Run of nights that were given their condition together"),
    Column("count", "Movements counted", "number", minimum=0),
    Column("hours", "Hours they were counted in", "number", "h", minimum=0, maximum=24),
)

#: Days that nights may be numbered with.
_MOST_DAYS = 10**6


def read_night_table(
    path: str | Path,
    scheme: str,
    *,
    max_run: int | None = None,
    planned_nights: int | None = None,
) -> tuple[list[PersonNights], list[Problem]]:
    """Read a table with a row for each person and night.

    Parameters
    ----------
    path : str or Path
        CSV or TSV with the columns participant_id, night, condition, block (not needed for
        ``free`` and ``none``), period (where several nights were assigned together), count and
        hours. A night that was assigned and has no result keeps its row. Nights are ordered by
        date or number; where they are neither, as they stand.
    scheme : str
        How the conditions were assigned, one of `rlsmove.study.schedule.SCHEMES`.
    max_run : int, optional
        Longest run of periods with one condition that the scheme allowed.
    planned_nights : int, optional
        Nights of each person that were planned.

    Returns
    -------
    persons : list of PersonNights
        In the order of their first rows.
    problems : list of Problem
        Rows that cannot be used as they stand, and what was made of them.

    Raises
    ------
    StudyError
        The file is no table with these columns, holds no night, or a run that is longer than
        was said.
    """
    table = read_table(path, COLUMNS, name=str(path), delimiter=delimiter_of(path))
    needed = ["count", "hours"] + (["block"] if scheme in ("pairs", "blocks") else [])
    absent = [name for name in needed if name not in table.header]
    if absent:
        raise StudyError(
            path,
            f"the header has no column {', '.join(absent)}",
            place="row 1",
            expected=", ".join(column.name for column in COLUMNS),
            advice="Without a block, --scheme free or none may be what was done"
            if absent == ["block"]
            else "",
        )
    if not table.rows:
        raise StudyError(path, "there is no night in it", expected="a row for each night")
    problems = list(table.problems)
    by_person: dict[str, list[Row]] = {}
    for row in table.rows:
        if "participant_id" in row.cells:
            by_person.setdefault(row.cells["participant_id"], []).append(row)
    _alike(list(by_person), table, problems)
    persons = [_person(name, rows, scheme, table, problems) for name, rows in by_person.items()]
    if scheme == "blocks":
        persons = _whole_blocks(persons, table, problems)
    persons = [replace(p, max_run=max_run, planned_nights=planned_nights) for p in persons]
    for person in persons if max_run is not None and scheme != "none" else []:
        longest = person.schedule().longest_run() if person.assigned else 0
        if longest > (max_run or 0):
            raise StudyError(
                path,
                f"{person.participant_id} has {longest} in a row with one condition",
                expected=f"at most {max_run}, as --max-run says",
                advice="An assigned night without a result keeps its row (count n/a)",
            )
    return persons, problems


def _alike(names: list[str], table: Table, problems: list[Problem]) -> None:
    """Say which persons differ only in the case of their letters."""
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(name.casefold(), []).append(name)
    problems += [
        Problem(
            table.name,
            0,
            "participant_id",
            f"{' and '.join(group)} differ in the case of letters only",
            "one spelling for a person (they are taken as different persons)",
            only_notice=True,
        )
        for group in spelled.values()
        if len(group) > 1
    ]


def _person(
    participant_id: str, rows: list[Row], scheme: str, table: Table, problems: list[Problem]
) -> PersonNights:
    days = _days([row.text.get("night", "") for row in rows])
    if days is None:
        days = list(range(len(rows)))
        problems.append(
            Problem(
                table.name,
                rows[0].number,
                "night",
                f"{participant_id}: nights are neither all dates nor all numbers",
                "dates such as 2026-03-01 (they are taken one after the other, as they stand)",
                only_notice=True,
            )
        )
    times = Counter(days)
    blocks: dict[str, int] = {}
    periods: dict[tuple[int, str], int] = {}
    nights: list[ComparedNight] = []
    seen: set[int] = set()
    in_blocks = scheme in ("pairs", "blocks")
    for day, row in sorted(zip(days, rows, strict=True), key=lambda pair: pair[0]):
        name, block = row.text.get("night", ""), row.get("block")
        condition = row.get("condition")
        left_out, arm = "", int(condition == "massage")
        if times[day] > 1:
            left_out = f"the night appears {times[day]} times"
            problems.append(
                Problem(
                    table.name,
                    row.number,
                    "night",
                    f"{participant_id} {name} again",
                    "each night of a person once (none of these rows is used)",
                )
            )
        elif row.bad & {"count", "hours"}:
            bad = sorted(row.bad & {"count", "hours"})
            left_out = "; ".join(f"{column} is {row.text[column]!r}" for column in bad)
        if condition is None:
            left_out, arm = f"unknown condition {row.text.get('condition', '')!r}", -1
        elif in_blocks and block is None:
            left_out, arm = "it has no block", -1
        elif day in seen:
            arm = -1
        seen.add(day)
        number = blocks.setdefault(str(block), len(blocks)) if in_blocks and arm >= 0 else 0
        period = row.get("period") or f"night {len(nights)}"
        nights.append(
            ComparedNight(
                night=name,
                day=day,
                arm=arm,
                block=number,
                period=periods.setdefault((number, period), len(periods)),
                received=arm,
                count=row.get("count", math.nan),
                hours=row.get("hours", math.nan),
                left_out=left_out,
            )
        )
    nights = _one_condition_a_period(participant_id, nights, table, problems)
    if scheme == "pairs":
        nights = _only_pairs(participant_id, nights, list(blocks), table, problems)
    return PersonNights(participant_id, scheme, ARMS, tuple(nights))


def _days(names: list[str]) -> list[int] | None:
    """Turn the names of nights into days: dates or numbers; None where they are neither."""
    try:
        return [date.fromisoformat(name).toordinal() for name in names]
    except ValueError:
        pass
    try:
        days = [int(name) for name in names]
    except ValueError:
        return None
    return days if all(abs(day) <= _MOST_DAYS for day in days) else None


def _one_condition_a_period(
    participant_id: str, nights: list[ComparedNight], table: Table, problems: list[Problem]
) -> list[ComparedNight]:
    """Leave out periods that hold nights of both conditions: they were not assigned together."""
    arms: dict[int, set[int]] = {}
    for night in nights:
        if night.arm >= 0:
            arms.setdefault(night.period, set()).add(night.arm)
    mixed = {period for period, found in arms.items() if len(found) > 1}
    for period in mixed:
        inside = [night.night for night in nights if night.period == period and night.arm >= 0]
        problems.append(
            Problem(
                table.name,
                0,
                "period",
                f"{participant_id}, nights {', '.join(inside)}: both conditions",
                "one condition throughout a period (these nights are left out)",
            )
        )
    return [
        replace(night, arm=-1, left_out="its period holds both conditions")
        if night.period in mixed and night.arm >= 0
        else night
        for night in nights
    ]


def _only_pairs(
    participant_id: str,
    nights: list[ComparedNight],
    names: list[str],
    table: Table,
    problems: list[Problem],
) -> list[ComparedNight]:
    """Leave out blocks that are no pair, and put in the other half of a pair that has no row."""
    arms: dict[int, dict[int, int]] = {}
    for night in nights:
        if night.arm >= 0:
            arms.setdefault(night.block, {})[night.period] = night.arm
    odd, halves = set(), set()
    for block, periods in arms.items():
        found = list(periods.values())
        if len(found) == 1:
            halves.add(block)
        elif sorted(found) != [0, 1]:
            odd.add(block)
            problems.append(
                Problem(
                    table.name,
                    0,
                    "block",
                    f"{participant_id}, block {names[block]}: {sum(found)} massage and "
                    f"{len(found) - sum(found)} control nights",
                    "one of each in a pair (the block is left out)",
                )
            )
    whole: list[ComparedNight] = []
    for night in nights:
        if night.block in odd and night.arm >= 0:
            why = "its block is not a pair of one massage and one control night"
            night = replace(night, arm=-1, left_out=night.left_out or why)
        whole.append(night)
        if night.block in halves and night.arm >= 0:
            halves.remove(night.block)
            problems.append(
                Problem(
                    table.name,
                    0,
                    "block",
                    f"{participant_id}, block {names[night.block]}: one night of two",
                    "a row for each assigned night (the other is taken as missing)",
                    only_notice=True,
                )
            )
            whole.append(
                replace(
                    night,
                    night=f"the other night of block {names[night.block]}",
                    arm=1 - night.arm,
                    received=1 - night.arm,
                    period=len(nights) + night.block,
                    count=math.nan,
                    hours=math.nan,
                    left_out="it has no row in the table",
                )
            )
    return whole


def _whole_blocks(
    persons: list[PersonNights], table: Table, problems: list[Problem]
) -> list[PersonNights]:
    """Take blocks as the units where none of them holds both conditions.

    Then the conditions were given to whole blocks, and it is those that are redrawn, with the
    numbers of massage and of control blocks fixed.
    """
    of_block: dict[tuple[str, int], set[int]] = {}
    for person in persons:
        for night in person.assigned:
            of_block.setdefault((person.participant_id, night.block), set()).add(night.arm)
    if not of_block or any(len(arms) > 1 for arms in of_block.values()):
        return persons
    problems.append(
        Problem(
            table.name,
            0,
            "block",
            "no block holds both conditions: whole blocks are taken as what was assigned",
            only_notice=True,
        )
    )
    return [
        replace(
            person,
            nights=tuple(replace(night, period=night.block, block=0) for night in person.nights),
        )
        for person in persons
    ]
