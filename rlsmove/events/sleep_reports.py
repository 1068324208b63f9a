"""GGIR's sleep reports: a row a night with when sleep began and ended, for a person or many.

Part 4 (``part4_nightsummary_sleep_cleaned.csv``) and part 5 (``part5_daysummary_*.csv``) have
``calendar_date, sleeponset_ts, wakeup_ts`` and, where the sleeper kept a diary,
``guider_inbedStart_ts`` and ``guider_inbedEnd_ts``. They are the hours between falling asleep and
waking up and know nothing of wake between: they are taken as lights off and on.
"""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from rlsmove.errors import EventListError
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.events.written_times import DAY_MS, date_order, read_time
from rlsmove.records import Notice

_BEDS = (("guider_inbedStart_ts", "guider_inbedEnd_ts"), ("sleeponset_ts", "wakeup_ts"))
_DATES = ("calendar_date", "calendardate", "night_date")
_NOON_MS = DAY_MS // 2


def is_sleep_report(first_line: str) -> bool:
    """Whether a table has the columns of a sleep report of GGIR."""
    return "sleeponset_ts" in first_line and "wakeup_ts" in first_line


def read_sleep_report(path: Path, text: str) -> MarkList:
    """Read lights off and on of each night, by ``ID/date``.

    Raises
    ------
    EventListError
        A column is missing, or a date or a time cannot be read.
    """
    first = text.lstrip("\ufeff").partition("\n")[0]
    reader = csv.DictReader(
        StringIO(text.lstrip("\ufeff"), newline=""), delimiter=max(",;\t", key=first.count)
    )
    names = reader.fieldnames or []
    day_name = next((name for name in _DATES if name in names), None)
    if day_name is None:
        raise EventListError(
            path, "a sleep report of GGIR without calendar_date", expected="a date a night"
        )
    rows = list(reader)
    order, guesses = date_order([row[day_name] or "" for row in rows])
    persons = {row.get("ID") or "" for row in rows}
    cases: dict[str, list[Mark]] = {}
    starts: dict[str, datetime] = {}
    for line, row in enumerate(rows, start=2):
        day = read_time(row[day_name] or "", order)
        if day is None or day.sort != "date":
            raise EventListError(
                path, f"{day_name} is '{row[day_name]}'", place=f"row {line}", expected="a date"
            )
        bed = _bed_ms(row)
        if bed is None:
            continue
        midnight = datetime(1, 1, 1) + timedelta(milliseconds=day.ms // DAY_MS * DAY_MS)
        off_ms, on_ms = bed
        name = midnight.date().isoformat()
        case = f"{row.get('ID')}/{name}" if len(persons) > 1 else name
        if case in cases:
            continue  # part 5 has a row for each of several thresholds
        starts[case] = midnight + timedelta(milliseconds=off_ms)
        cases[case] = [
            Mark(line, "GGIR", "lights", "off", 0, 0),
            Mark(line, "GGIR", "lights", "on", on_ms - off_ms, 0),
        ]
    notice = Notice(
        "sleep_window",
        "a sleep report of GGIR tells when sleep began and ended; these are taken as lights off "
        "and on, and wake between them is left to the sensor.",
    )
    return MarkList(path, "row", cases, None, None, (*guesses, notice), start_times=starts)


def _bed_ms(row: dict[str, str]) -> tuple[int, int] | None:
    """Lights off and on in ms after the midnight before the night; None where neither is told."""
    for off_name, on_name in _BEDS:
        off, on = (read_time(row.get(name) or "") for name in (off_name, on_name))
        if off is None or on is None:
            continue
        off_ms, on_ms = off.ms % DAY_MS, on.ms % DAY_MS
        if off_ms < _NOON_MS:
            off_ms += DAY_MS
        while on_ms <= off_ms:
            on_ms += DAY_MS
        return off_ms, on_ms
    return None
