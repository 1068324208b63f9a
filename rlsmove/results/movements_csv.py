"""movements.csv: its columns, written and read back."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.errors import ResultError
from rlsmove.io.numbers_as_text import csv_cell, decimal, milliseconds, seconds
from rlsmove.records import KINDS, SIDES, STAGES, Scoring
from rlsmove.results.fields import MOVEMENTS

MOVEMENTS_FILE = "movements.csv"

MOVEMENT_COLUMNS = tuple(field.name for field in MOVEMENTS)

#: Without these a table says nothing of periodic movements; the others may be missing, as in the
#: tables of earlier versions, and are then unknown.
_NEEDED = tuple(field.name for field in MOVEMENTS if field.needed)


def movements_csv(
    nights: Iterable[tuple[Scoring, datetime | None, str]], *, cases: bool = False
) -> str:
    """Write scored movements as CSV text.

    Parameters
    ----------
    nights : iterable of (Scoring, datetime or None, str)
        Movements of each night, the wall time at which its onsets count from, and its case.
    cases : bool
        Whether the case is the first column.
    """
    header = (("case",) if cases else ()) + MOVEMENT_COLUMNS
    lines = [",".join(header)]
    for scoring, start_time, case in nights:
        first = f"{csv_cell(case)}," if cases else ""
        lines += [first + ",".join(row) for row in _movement_rows(scoring, start_time)]
    return "\n".join(lines) + "\n"


def _movement_rows(scoring: Scoring, start_time: datetime | None) -> Iterable[tuple[str, ...]]:
    stages = (*STAGES, "")  # -1, no stage, is the last
    return zip(
        map(seconds, scoring.onset_ms.tolist()),
        map(seconds, scoring.duration_ms.tolist()),
        [wall_time(start_time, onset) for onset in scoring.onset_ms.tolist()],
        [SIDES[side] for side in scoring.side.tolist()],
        [KINDS[kind] for kind in scoring.kind.tolist()],
        map(str, scoring.n_monolateral.tolist()),
        map(str, scoring.clm.tolist()),
        map(str, scoring.plm.tolist()),
        [str(series) if series else "" for series in scoring.series.tolist()],
        [seconds(imi) if imi >= 0 else "" for imi in scoring.imi_ms.tolist()],
        map(_flag_text, scoring.sleep.tolist()),
        [stages[stage] for stage in scoring.stage.tolist()],
        map(_flag_text, scoring.respiratory.tolist()),
        map(_flag_text, scoring.plmnr.tolist()),
        map(_flag_text, scoring.arousal.tolist()),
        [decimal(peak, 4) for peak in scoring.peak_g.tolist()],
        [decimal(tilt, 2) for tilt in scoring.tilt_deg.tolist()],
        [decimal(probability, 3) for probability in scoring.probability.tolist()],
        map(csv_cell, scoring.reason.tolist()),
        strict=True,
    )


def wall_time(start_time: datetime | None, time_ms: int | None) -> str:
    """Write the wall time of a moment in ISO 8601; empty where it is not known."""
    if start_time is None or time_ms is None:
        return ""
    return (start_time + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds")


def _flag_text(value: int) -> str:
    return "" if value < 0 else str(value)


@dataclass(frozen=True)
class MovementTable:
    """The movements of one night as its movements.csv holds them.

    Attributes
    ----------
    scoring : Scoring
        What the file does not hold is as unknown: `snr` NaN, `imi_nr_ms` -1, `row_of` empty,
        `n_short` 0.
    start_time : datetime or None
        Wall time at which onsets count from; None where no row has a wall time.
    """

    scoring: Scoring
    start_time: datetime | None


def is_movements_csv(path: Path) -> bool:
    """Whether a file begins like movements.csv."""
    with path.open("rb") as file:
        names = file.readline(4096).decode("utf-8-sig", "replace").strip().split(",")
    return {"onset_s", "n_monolateral", "plm"} <= set(names)


def read_movements(path: str | Path) -> dict[str, MovementTable]:
    """Read scored movements, by case where the table has several nights.

    Parameters
    ----------
    path : str or Path
        A movements.csv.

    Returns
    -------
    dict of str to MovementTable
        In the order of the table; the case of a single night is the empty string.

    Raises
    ------
    ResultError
        There is no such file, or it is no movements.csv; the message has row and column.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultError(path, f"it is no table ({error})", expected=MOVEMENTS_FILE) from error
    header = rows[0] if rows else []
    if missing := [name for name in _NEEDED if name not in header]:
        raise ResultError(
            path,
            f"no column {', '.join(missing)}",
            place="row 1",
            expected=", ".join(MOVEMENT_COLUMNS),
        )
    cases: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ResultError(
                path, f"{len(row)} cells", place=f"row {number}", expected=str(len(header))
            )
        cells = dict(zip(header, row, strict=True))
        cases.setdefault(cells.get("case", ""), []).append((number, cells))
    return {case: _read_case(path, of_case) for case, of_case in (cases or {"": []}).items()}


def _read_case(path: Path, rows: list[tuple[int, Mapping[str, str]]]) -> MovementTable:
    n = len(rows)

    def column(name: str, read: Callable[[str], Any], dtype: Any, unknown: Any = None) -> Any:
        values = []
        for number, cells in rows:
            cell = cells.get(name)
            try:
                values.append(unknown if cell is None else read(cell))
            except ValueError:
                raise ResultError(
                    path,
                    f"{cell!r}",
                    place=f"row {number}, column {name}",
                    expected="a value as rlsmove writes it",
                ) from None
        return np.array(values, dtype)

    scoring = Scoring(
        onset_ms=column("onset_s", _ms, np.int64),
        duration_ms=column("duration_s", _ms, np.int64),
        side=column("side", SIDES.index, np.int8, SIDES.index("unknown")),
        kind=column("kind", KINDS.index, np.int8),
        peak_g=column("peak_g", _number, np.float64, np.nan),
        tilt_deg=column("tilt_deg", _number, np.float64, np.nan),
        snr=np.full(n, np.nan),
        probability=column("probability", _number, np.float64, np.nan),
        n_monolateral=column("n_monolateral", int, np.int64, 1),
        clm=column("clm", int, np.int8),
        plm=column("plm", int, np.int8),
        series=column("series", lambda cell: int(cell or 0), np.int64, 0),
        imi_ms=column("imi_s", lambda cell: _ms(cell) if cell else -1, np.int64, -1),
        stage=column("stage", _stage, np.int8, -1),
        sleep=column("sleep", _flag, np.int8, -1),
        respiratory=column("respiratory", _flag, np.int8, -1),
        plmnr=column("plmnr", _flag, np.int8, -1),
        imi_nr_ms=np.full(n, -1, np.int64),
        arousal=column("arousal", _flag, np.int8, -1),
        reason=column("reason", str, np.object_, ""),
        row_of=np.empty(0, np.int64),
        n_short=0,
    )
    walls = column("onset_time", lambda cell: cell and datetime.fromisoformat(cell), object, "")
    starts = [
        wall - timedelta(milliseconds=onset_ms)
        for wall, onset_ms in zip(walls.tolist(), scoring.onset_ms.tolist(), strict=True)
        if wall
    ]
    return MovementTable(scoring, starts[0] if starts else None)


def _ms(cell: str) -> int:
    time_ms = milliseconds(cell)
    if time_ms is None:
        raise ValueError(cell)
    return time_ms


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")


def _stage(cell: str) -> int:
    return STAGES.index(cell) if cell else -1


def _flag(cell: str) -> int:
    return int(cell) if cell else -1
