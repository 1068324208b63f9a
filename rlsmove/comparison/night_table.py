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
    Column("count", "Movements counted", "number", minimum=0),
    Column("hours", "Hours they were counted in", "number", "h", minimum=0, maximum=24),
)


def read_night_table(path: str | Path, scheme: str) -> tuple[list[PersonNights], list[Problem]]:
    """Read a table with a row for each person and night.

    Parameters
    ----------
    path : str or Path
        CSV or TSV with the columns participant_id, night, condition, block (not needed for
        ``free`` and ``none``), count and hours. Nights are ordered by date or number; where
        they are neither, as they stand.
    scheme : str
        How the conditions were assigned, one of `rlsmove.study.schedule.SCHEMES`.

    Returns
    -------
    persons : list of PersonNights
        In the order of their first rows.
    problems : list of Problem
        Rows that cannot be used as they stand, and what was made of them.

    Raises
    ------
    StudyError
        The file is no table with these columns, or holds no night.
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
    persons = [_person(name, rows, scheme, table, problems) for name, rows in by_person.items()]
    if scheme == "blocks":
        persons = _whole_blocks(persons, table, problems)
    return persons, problems


def _person(
    participant_id: str, rows: list[Row], scheme: str, table: Table, problems: list[Problem]
) -> PersonNights:
    days = _days([row.text.get("night", "") for row in rows])
    times = Counter(row.text.get("night", "") for row in rows)
    blocks: dict[str, int] = {}
    nights: list[ComparedNight] = []
    for day, row in sorted(zip(days, rows, strict=True), key=lambda pair: pair[0]):
        name, block = row.text.get("night", ""), row.get("block")
        condition = row.get("condition")
        left_out = ""
        if times[name] > 1:
            left_out = f"the night appears {times[name]} times"
            problems.append(
                Problem(
                    table.name,
                    row.number,
                    "night",
                    f"{participant_id} {name} again",
                    "each night of a person once (none of these rows is used)",
                )
            )
        elif condition is None:
            left_out = f"unknown condition {row.text.get('condition', '')!r}"
        elif row.bad & {"count", "hours"}:
            bad = sorted(row.bad & {"count", "hours"})
            left_out = "; ".join(f"{column} is {row.text[column]!r}" for column in bad)
        elif scheme in ("pairs", "blocks") and block is None:
            left_out = "it has no block"
        in_blocks = scheme in ("pairs", "blocks") and block is not None
        number = blocks.setdefault(str(block), len(blocks)) if in_blocks else -1
        arm = -1 if left_out else int(condition == "massage")
        nights.append(
            ComparedNight(
                night=name,
                day=day,
                arm=arm,
                block=number if in_blocks else 0,
                period=len(nights),
                received=arm,
                count=row.get("count", math.nan),
                hours=row.get("hours", math.nan),
                left_out=left_out,
            )
        )
    if scheme == "pairs":
        nights = _only_pairs(participant_id, nights, list(blocks), table, problems)
    return PersonNights(participant_id, scheme, ARMS, tuple(nights))


def _days(names: list[str]) -> list[int]:
    """Turn the names of nights into days: dates, numbers, else their order."""
    try:
        return [date.fromisoformat(name).toordinal() for name in names]
    except ValueError:
        pass
    try:
        return [int(name) for name in names]
    except ValueError:
        return list(range(len(names)))


def _only_pairs(
    participant_id: str,
    nights: list[ComparedNight],
    names: list[str],
    table: Table,
    problems: list[Problem],
) -> list[ComparedNight]:
    """Leave out blocks that are no pair: two nights, one of each condition."""
    arms: dict[int, list[int]] = {}
    for night in nights:
        if night.arm >= 0:
            arms.setdefault(night.block, []).append(night.arm)
    odd = {block: found for block, found in arms.items() if len(found) > 2 or sum(found) != 1}
    for block, found in odd.items():
        if len(found) > 1:
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
    return [
        replace(
            night,
            left_out="the other night of its pair is missing"
            if len(odd[night.block]) == 1
            else "its block is not a pair of one massage and one control night",
        )
        if night.block in odd and night.arm >= 0
        else night
        for night in nights
    ]


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
