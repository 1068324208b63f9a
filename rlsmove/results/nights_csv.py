"""nights.csv: a row a night of a batch or of an event list with cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlsmove.io.json_text import DECIMALS
from rlsmove.io.numbers_as_text import csv_cell, decimal
from rlsmove.results.fields import NIGHTS

NIGHTS_FILE = "nights.csv"

#: First columns of a batch's table, all of them text; the names of the indices follow.
ROW_COLUMNS = tuple(field.name for field in NIGHTS)


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
