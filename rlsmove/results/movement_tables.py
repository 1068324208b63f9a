"""movements.csv read back, with the indices that stand beside it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.errors import EventListError
from rlsmove.io.numbers_as_text import milliseconds
from rlsmove.records import KINDS, LEG_MOVEMENT, BoolArray, IntArray
from rlsmove.results.night_json import MOVEMENT_COLUMNS

_NEEDED = ("onset_s", "duration_s", "kind", "clm", "plm")


@dataclass(frozen=True)
class MovementTable:
    """Scored leg movements of one night, sorted by onset; arrays of length n.

    Attributes
    ----------
    onset_ms, offset_ms : ndarray of int64
        Start and end.
    clm, plm : ndarray of bool
        Candidates, and periodic movements.
    indices : dict
        Index values by name, as far as they are known.
    start_time : datetime or None
        Wall time at which onsets count from.
    """

    onset_ms: IntArray
    offset_ms: IntArray
    clm: BoolArray
    plm: BoolArray
    indices: dict[str, Any] = field(default_factory=dict)
    start_time: datetime | None = None


def is_movement_table(path: Path) -> bool:
    """Whether a file begins like movements.csv."""
    with path.open("rb") as file:
        names = file.readline(4096).decode("utf-8", "replace").strip().split(",")
    return {"onset_s", "n_monolateral", "plm"} <= set(names)


def read_movement_tables(path: Path) -> dict[str, MovementTable]:
    """Read movements.csv, by case where it has several nights.

    Parameters
    ----------
    path : Path
        The table. The indices come from night.json or nights.csv in the same folder; without
        them only the counts are known.

    Raises
    ------
    EventListError
        A column is missing or a cell cannot be read; with its row.
    """
    cases: dict[str, list[tuple[int, int, bool, bool]]] = {}
    starts: dict[str, datetime] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
                raise EventListError(
                    path,
                    f"no column {', '.join(missing)}",
                    place="row 1",
                    expected=", ".join(MOVEMENT_COLUMNS),
                )
            for row in reader:
                _read_row(path, reader.line_num, row, cases, starts)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise EventListError(path, f"cannot be read ({error})", expected="movements.csv") from error
    beside = _indices_beside(path.parent)
    return {
        case: _table(rows, beside.get(case, {}), starts.get(case))
        for case, rows in (cases or {"": []}).items()
    }


def _read_row(
    path: Path,
    line: int,
    row: dict[str, str],
    cases: dict[str, list[tuple[int, int, bool, bool]]],
    starts: dict[str, datetime],
) -> None:
    """Add a row's leg movement to its case; other movements are passed over."""
    case = row.get("case") or ""
    cases.setdefault(case, [])
    try:
        onset_ms, duration_ms = (_time_ms(row[name]) for name in ("onset_s", "duration_s"))
        kind = KINDS.index(row["kind"])
        clm, plm = (bool(int(row[name])) for name in ("clm", "plm"))
        if row.get("onset_time") and case not in starts:
            from datetime import timedelta

            at = datetime.fromisoformat(row["onset_time"])
            starts[case] = at - timedelta(milliseconds=onset_ms)
    except (ValueError, TypeError) as error:
        raise EventListError(
            path,
            f"cannot be read ({error})",
            place=f"row {line}",
            expected="a row as rlsmove writes it",
        ) from error
    if kind == LEG_MOVEMENT:
        cases[case].append((onset_ms, onset_ms + duration_ms, clm, plm))


def _time_ms(text: str) -> int:
    time_ms = milliseconds(text)
    if time_ms is None:
        raise ValueError(f"'{text}' is no time")
    return time_ms


def _table(
    rows: list[tuple[int, int, bool, bool]], indices: dict[str, Any], start: datetime | None
) -> MovementTable:
    rows = sorted(rows)
    times = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
    flags = np.array([row[2:] for row in rows], bool).reshape(-1, 2)
    counts = {
        "lm_count": len(rows),
        "clm_count": int(np.count_nonzero(flags[:, 0])),
        "plm_count": int(np.count_nonzero(flags[:, 1])),
    }
    return MovementTable(
        times[:, 0], times[:, 1], flags[:, 0], flags[:, 1], {**counts, **indices}, start
    )


def _indices_beside(folder: Path) -> dict[str, dict[str, Any]]:
    """Indices of night.json or nights.csv in a folder, by case; empty where there are none."""
    night, nights = folder / "night.json", folder / "nights.csv"
    try:
        if night.is_file():
            return {"": dict(json.loads(night.read_text(encoding="utf-8"))["indices"])}
        if nights.is_file():
            with nights.open(newline="", encoding="utf-8") as file:
                return {
                    row.pop("case", ""): {name: _number(cell) for name, cell in row.items()}
                    for row in csv.DictReader(file)
                }
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        file_name = night if night.is_file() else nights
        raise EventListError(
            file_name, f"cannot be read ({error})", expected="a file as rlsmove writes it"
        ) from error
    return {}


def _number(cell: str | None) -> float | None:
    """A single number; None for an empty cell and for a list."""
    return float(cell) if cell and ";" not in cell else None
