"""movements.csv read back, for nights of which nothing else was kept."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.errors import RecordingError
from rlsmove.records import KINDS, SIDES, STAGES, Scoring
from rlsmove.results.night_json import MOVEMENT_COLUMNS


def read_movements(path: str | Path) -> Scoring:
    """Read the scored movements of one night.

    Parameters
    ----------
    path : str or Path
        A movements.csv with one night.

    Returns
    -------
    Scoring
        What the file does not hold is as unknown: `snr` NaN, `imi_nr_ms` -1, `n_short` 0.

    Raises
    ------
    RecordingError
        There is no such file, or it is no movements.csv; the message has row and column.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise RecordingError(path, f"cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(path, f"it is no table ({error})") from error
    header = rows[0] if rows else []
    if tuple(header) != MOVEMENT_COLUMNS:
        raise RecordingError(
            path,
            f"its columns are {', '.join(header) or 'none'}",
            place="row 1",
            expected=", ".join(MOVEMENT_COLUMNS),
        )
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise RecordingError(
                path, f"{len(row)} cells", place=f"row {number}", expected=str(len(header))
            )
    columns = dict(zip(header, zip(*rows[1:], strict=True), strict=True)) if rows[1:] else {}

    def column(name: str, read: Callable[[str], Any], dtype: Any) -> Any:
        values = []
        for number, cell in enumerate(columns.get(name, ()), start=2):
            try:
                values.append(read(cell))
            except ValueError:
                raise RecordingError(
                    path, f"{cell!r}", place=f"row {number}, column {name}"
                ) from None
        return np.array(values, dtype)

    n = max(len(rows) - 1, 0)
    return Scoring(
        onset_ms=column("onset_s", _ms, np.int64),
        duration_ms=column("duration_s", _ms, np.int64),
        side=column("side", SIDES.index, np.int8),
        kind=column("kind", KINDS.index, np.int8),
        peak_g=column("peak_g", _number, np.float64),
        tilt_deg=column("tilt_deg", _number, np.float64),
        snr=np.full(n, np.nan),
        n_monolateral=column("n_monolateral", int, np.int64),
        clm=column("clm", int, np.int8),
        plm=column("plm", int, np.int8),
        series=column("series", lambda cell: int(cell or 0), np.int64),
        imi_ms=column("imi_s", lambda cell: _ms(cell) if cell else -1, np.int64),
        stage=column("stage", (*STAGES, "").index, np.int64).astype(np.int8),
        sleep=column("sleep", _flag, np.int8),
        respiratory=column("respiratory", _flag, np.int8),
        plmnr=column("plmnr", _flag, np.int8),
        imi_nr_ms=np.full(n, -1, np.int64),
        arousal=column("arousal", _flag, np.int8),
        reason=column("reason", str, np.object_),
        n_short=0,
    )


def _ms(cell: str) -> int:
    return round(1000 * float(cell))


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")


def _flag(cell: str) -> int:
    return int(cell) if cell else -1
