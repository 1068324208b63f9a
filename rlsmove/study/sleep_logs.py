"""Sleep logs in the two layouts of GGIR, into lights_off and lights_on of nights.tsv.

Basic: a row a recording, an identifier, then onset and waking of the first night, of the second
and so on, as times of day. Advanced: a row a recording, for each calendar date the columns
``..date..``, ``..wakeup..`` (of that morning) and ``..inbed..``, ``..onset..``, ``..tobed..`` or
``..lightsout..`` (of that evening, also if it is after midnight); columns of naps and of
non-wear are not used. The layout is advanced if two or more columns have ``date`` in their names
(GGIR, vignette and R/g.loadlog.R).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rlsmove.errors import StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.study.columns import MISSING, Column
from rlsmove.study.folder import Study
from rlsmove.study.problems import Problem
from rlsmove.study.tables import Row, delimiter_of, read_table, table_text

_CLOCK = Column("", "", "clock")
_WAKING = ("wakeup", "outbed", "bedend")
_BEDTIME = ("onset", "inbed", "tobed", "lightsout", "bedstart")
_ORDERS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    layout : str
        ``basic`` or ``advanced``.
    filled, added : int
        Nights that got a time, and those of them that nights.tsv did not have.
    problems : list of Problem
    """

    layout: str
    filled: int
    added: int
    problems: list[Problem]


@dataclass(frozen=True)
class _Logged:
    row: int
    participant_id: str
    night: date
    lights_off: str
    lights_on: str


def import_sleep_log(
    study: Study,
    path: str | Path,
    *,
    first_night: date | None = None,
    date_order: str | None = None,
) -> Imported:
    """Fill lights_off and lights_on from a sleep log.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV in either layout.
    first_night : date, optional
        For the basic layout, which has no dates; by default each person's first_night in
        participants.tsv, else their first night in nights.tsv.
    date_order : str, optional
        ``ymd``, ``dmy`` or ``mdy``, for dates of the advanced layout that leave it open.

    Returns
    -------
    Imported

    Raises
    ------
    StudyError
        The log is no such table, its dates can be read in two ways, or a night has another
        time in nights.tsv already.
    """
    table = read_table(path, (), name=str(path), delimiter=delimiter_of(path))
    dated = [name for name in table.header if "date" in name]
    problems = list(table.problems)
    if len(dated) >= 2:
        layout = "advanced"
        logged = list(_advanced(table.header, table.rows, str(path), date_order, problems))
    else:
        layout = "basic"
        logged = list(_basic(table.header, table.rows, str(path), study, first_night, problems))
    filled, added = _fill(study, logged, str(path), problems)
    return Imported(layout, filled, added, list(dict.fromkeys(problems)))


def _basic(
    header: tuple[str, ...],
    rows: list[Row],
    path: str,
    study: Study,
    first_night: date | None,
    problems: list[Problem],
) -> Iterator[_Logged]:
    times = header[header.index(_identifier(header)) + 1 :]
    if len(times) < 2:
        raise StudyError(
            path,
            f"the header has {len(header)} column(s)",
            place="row 1",
            expected="an identifier, then onset and waking of each night",
        )
    for row in rows:
        name = row.text.get(_identifier(header), "")
        if name not in study.participants:
            problems.append(_stranger(path, row.number, name))
            continue
        first = first_night or _first_night(study, name)
        if first is None:
            problems.append(
                Problem(
                    path,
                    row.number,
                    "",
                    f"no first night is known for {name}",
                    "first_night in participants.tsv, or --first-night",
                )
            )
            continue
        for number, (onset, waking) in enumerate(zip(times[::2], times[1::2], strict=False)):
            off = _clock(row, onset, path, problems)
            on = _clock(row, waking, path, problems)
            if off or on:
                yield _Logged(row.number, name, first + timedelta(days=number), off, on)


def _first_night(study: Study, name: str) -> date | None:
    for row in study.tables["participants.tsv"].rows:
        if row.get("participant_id") == name and "first_night" in row.cells:
            return row.cells["first_night"]
    nights = [
        row.cells["night"]
        for row in study.tables["nights.tsv"].rows
        if row.get("participant_id") == name and "night" in row.cells
    ]
    return min(nights, default=None)


def _advanced(
    header: tuple[str, ...],
    rows: list[Row],
    path: str,
    date_order: str | None,
    problems: list[Problem],
) -> Iterator[_Logged]:
    places = [i for i, name in enumerate(header) if "date" in name]
    parts = {
        header[place]: header[place + 1 : following]
        for place, following in zip(places, [*places[1:], len(header)], strict=True)
    }
    for row in rows:
        name = row.text.get(_identifier(header), "")
        days = {column: row.text.get(column, "") for column in parts}
        read = _dates(
            {c: text for c, text in days.items() if text and text.lower() != "na"},
            date_order,
            f"{path}: row {row.number}",
        )
        off: dict[date, str] = {}
        on: dict[date, str] = {}
        for column, day in read.items():
            for other in parts[column]:
                if "nap" in other or "nonwear" in other:
                    continue
                clock = _clock(row, other, path, problems)
                if clock and any(word in other for word in _WAKING):
                    on[day - timedelta(days=1)] = clock
                elif clock and any(word in other for word in _BEDTIME):
                    off[day] = clock
        for night in sorted({*off, *on}):
            yield _Logged(row.number, name, night, off.get(night, ""), on.get(night, ""))


def _dates(cells: dict[str, str], date_order: str | None, place: str) -> dict[str, date]:
    """Read the dates of a row in the one order that makes a run of days of them."""
    orders = [date_order] if date_order else list(_ORDERS)
    found = {}
    for order in orders:
        try:
            days = {column: _date(text, _ORDERS[order]) for column, text in cells.items()}
        except (ValueError, IndexError):
            continue
        ordered = list(days.values())
        if ordered == sorted(set(ordered)):
            found[order] = days
    # The shortest span is the run of nights; another order spreads the same days over months.
    spans = sorted(
        (max(days.values()) - min(days.values()), order) for order, days in found.items() if days
    )
    if not spans:
        if not cells:
            return {}
        raise StudyError(
            place,
            f"dates {', '.join(list(cells.values())[:3])}",
            expected="dates in rising order, all written the same way",
        )
    ties = [order for span, order in spans if span == spans[0][0]]
    if len({tuple(found[order].values()) for order in ties}) > 1:
        raise StudyError(
            place,
            f"dates {', '.join(list(cells.values())[:3])} can be read as {' or '.join(ties)}",
            advice="Say which with --date-order",
        )
    return found[ties[0]]


def _date(text: str, order: tuple[int, int, int]) -> date:
    numbers = [int(part) for part in re.split(r"[-/.]", text.strip())]
    if len(numbers) != 3:
        raise ValueError(text)
    year, month, day = (numbers[place] for place in order)
    return date(year + 2000 if year < 100 else year, month, day)


def _identifier(header: tuple[str, ...]) -> str:
    """Return the column with the person's code: the one called so, else the first."""
    return next((name for name in header if name in ("participant_id", "id")), header[0])


def _stranger(path: str, row: int, name: str) -> Problem:
    return Problem(path, row, "", f"nobody called {name!r}", "a person of participants.tsv")


def _clock(row: Row, column: str, path: str, problems: list[Problem]) -> str:
    """Return a time of day, or nothing where there is none or it cannot be read."""
    text = row.text.get(column, "")
    if text.lower() in ("", MISSING, "na"):
        return ""
    try:
        _CLOCK.parse(text)
    except ValueError:
        problems.append(Problem(path, row.number, column, repr(text), _CLOCK.expected()))
        return ""
    return text


def _fill(
    study: Study, logged: list[_Logged], path: str, problems: list[Problem]
) -> tuple[int, int]:
    """Write the times into nights.tsv."""
    table = study.tables["nights.tsv"]
    rows: dict[tuple[str, str], dict[str, Any]] = {
        (row.text.get("participant_id", ""), row.text.get("night", "")): dict(row.text)
        for row in table.rows
    }
    if len(rows) < len(table.rows):
        raise StudyError(
            study.path / "nights.tsv",
            "a night stands in it twice",
            advice="`rlsmove study check` says which; correct it first",
        )
    known = set(study.participants)
    filled = added = 0
    for entry in logged:
        if entry.participant_id not in known:
            problems.append(_stranger(path, entry.row, entry.participant_id))
            continue
        key = (entry.participant_id, entry.night.isoformat())
        row = rows.get(key)
        if row is None:
            row = rows[key] = {"participant_id": key[0], "night": key[1]}
            added += 1
        for column, clock in (("lights_off", entry.lights_off), ("lights_on", entry.lights_on)):
            stands = row.get(column, MISSING)
            if clock and stands.lower() not in ("", MISSING) and stands != clock:
                problems.append(
                    Problem(
                        path,
                        entry.row,
                        column,
                        f"{clock} for {key[0]} {key[1]}",
                        f"{stands}, as it stands in nights.tsv (which is kept)",
                    )
                )
            elif clock:
                row[column] = clock
        filled += 1
    header = [*table.header]
    header += [c for c in ("participant_id", "night", "lights_off", "lights_on") if c not in header]
    write_files({study.path / "nights.tsv": table_text(header, rows.values())})
    return filled, added
