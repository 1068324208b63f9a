"""nights.csv: a row a night of a batch or of an event list with cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rlsmove.io.json_text import DECIMALS
from rlsmove.io.numbers_as_text import csv_cell, decimal
from rlsmove.results.fields import NIGHTS
from rlsmove.results.movements_csv import wall_time

NIGHTS_FILE = "nights.csv"

#: First columns of a batch's table, all of them text; the names of the indices follow.
ROW_COLUMNS = tuple(field.name for field in NIGHTS)

#: Those of them that say what massage the sensor saw.
MASSAGE_COLUMNS = tuple(name for name in ROW_COLUMNS if name.startswith("massage_seen"))


def massage_columns(
    massage: Sequence[Mapping[str, Any]] | None, start_time: datetime | None
) -> dict[str, Any]:
    """The columns of a night that say what massage the sensor saw.

    Parameters
    ----------
    massage : sequence of mapping or None
        As in night.json.
    start_time : datetime or None
        Wall time that its times count from.
    """
    row: dict[str, Any] = dict.fromkeys(MASSAGE_COLUMNS)
    if not massage:
        return {**row, "massage_seen": "not_recorded" if massage is None else "no"}
    longest = max(massage, key=lambda session: session["minutes"])
    before = [
        session["before_lights_off_min"]
        for session in massage
        if session["before_lights_off_min"] is not None
    ]
    first_ms = round(1000 * min(session["start_s"] for session in massage))
    return {
        "massage_seen": "yes",
        "massage_seen_start": wall_time(start_time, first_ms),
        "massage_seen_min": sum(session["minutes"] for session in massage),
        "massage_seen_kind": longest["kind"],
        "massage_seen_intensity_g": longest["intensity_g"],
        "massage_seen_before_lights_off_min": min(before) if before else None,
    }


def nights_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write a table with a row a night as CSV text; the first row's keys are the columns.

    Numbers are rounded as in JSON; a list becomes one cell, its values between semicolons; what
    cannot be said is an empty cell.
    """
    columns = list(rows[0]) if rows else []
    lines = [",".join(columns)]
    lines += [",".join(csv_cell(value_text(row[name])) for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def value_text(value: Any) -> str:
    """Write a value of an index as a cell; empty where it cannot be said."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ";".join(value_text(item) for item in value)
    if isinstance(value, float):
        return decimal(value, DECIMALS)
    return str(value)
