"""What a night yields, as files: movements.csv, night.json and nights.csv."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import DECIMALS, json_text
from rlsmove.io.numbers_as_text import csv_cell, decimal, seconds
from rlsmove.records import KINDS, SIDES, STAGES, Notice, Scoring, Sleep
from rlsmove.rules import RuleSet

#: Columns of movements.csv.
MOVEMENT_COLUMNS = (
    "onset_s",
    "duration_s",
    "onset_time",
    "side",
    "kind",
    "n_monolateral",
    "clm",
    "plm",
    "series",
    "imi_s",
    "sleep",
    "stage",
    "respiratory",
    "plmnr",
    "arousal",
    "peak_g",
    "tilt_deg",
    "reason",
)


def write_night(
    out_dir: str | Path,
    *,
    scoring: Scoring,
    start_time: datetime | None,
    recording: Mapping[str, Any],
    sleep: Sleep | None,
    rules: RuleSet,
    indices: Mapping[str, Any],
    notices: Sequence[Notice],
    provenance: Mapping[str, Any],
    tables: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | None = None,
) -> None:
    """Write movements.csv and night.json of one night into a folder, together.

    Parameters
    ----------
    out_dir : str or Path
        Folder; made where it is missing.
    scoring : Scoring
        The movements.
    start_time : datetime or None
        Wall time at which onsets count from; None where it is not known.
    recording : mapping
        Device, clock, rate, coverage, calibration, as far as there are such.
    sleep : Sleep or None
        Where sleep and wake come from.
    rules : RuleSet
        What the movements were scored by.
    indices : mapping
        As `scoring.night_indices` gives them.
    notices : sequence of Notice
        Warnings of all stages.
    provenance : mapping
        As `provenance.provenance` gives it.
    tables, quality : mapping, optional
        Further tables, and further entries beside the warnings.

    Raises
    ------
    OutputError
        A file cannot be written; then neither is changed.
    """
    night = night_record(
        start_time=start_time,
        recording=recording,
        sleep=sleep,
        rules=rules,
        indices=indices,
        notices=notices,
        provenance=provenance,
        tables=tables,
        quality=quality,
    )
    write_files(
        {
            Path(out_dir) / "movements.csv": movements_csv([(scoring, start_time, "")]),
            Path(out_dir) / "night.json": json_text(night),
        }
    )


def night_record(
    *,
    start_time: datetime | None,
    recording: Mapping[str, Any],
    sleep: Sleep | None,
    rules: RuleSet,
    indices: Mapping[str, Any],
    notices: Sequence[Notice],
    provenance: Mapping[str, Any],
    tables: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put together what night.json holds; parameters as in `write_night`."""
    record: dict[str, Any] = {
        "recording": dict(recording),
        "sleep": _sleep_record(sleep, start_time, indices),
        "rules": rules.options(),
        "indices": dict(indices),
        "quality": {"warnings": _warnings(notices), **(quality or {})},
        "provenance": dict(provenance),
    }
    if tables is not None:
        record["tables"] = dict(tables)
    return record


def _warnings(notices: Sequence[Notice]) -> list[dict[str, str]]:
    return [{"code": notice.code, "sentence": notice.sentence} for notice in notices]


def _sleep_record(
    sleep: Sleep | None, start_time: datetime | None, indices: Mapping[str, Any]
) -> dict[str, Any]:
    lights_ms = {
        "lights_off": None if sleep is None else sleep.lights_off_ms,
        "lights_on": None if sleep is None else sleep.lights_on_ms,
    }
    return {
        "source": "none" if sleep is None else sleep.source,
        **{name: wall_time(start_time, ms) or None for name, ms in lights_ms.items()},
        **{f"{name}_s": None if ms is None else ms / 1000 for name, ms in lights_ms.items()},
        **{name: indices.get(name) for name in ("tib_hours", "sleep_hours", "wake_hours")},
    }


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
        map(_flag, scoring.sleep.tolist()),
        [stages[stage] for stage in scoring.stage.tolist()],
        map(_flag, scoring.respiratory.tolist()),
        map(_flag, scoring.plmnr.tolist()),
        map(_flag, scoring.arousal.tolist()),
        [decimal(peak, 4) for peak in scoring.peak_g.tolist()],
        [decimal(tilt, 2) for tilt in scoring.tilt_deg.tolist()],
        map(csv_cell, scoring.reason.tolist()),
        strict=True,
    )


def write_cases(
    out_dir: str | Path,
    *,
    scorings: Mapping[str, Scoring],
    indices: Mapping[str, Mapping[str, Any]],
    rules: RuleSet,
    notices: Mapping[str, Sequence[Notice]],
    provenance: Mapping[str, Any],
) -> None:
    """Write movements.csv, nights.csv and score.json of a list of several nights, together.

    Parameters
    ----------
    out_dir : str or Path
        Folder; made where it is missing.
    scorings, indices, notices : mapping
        Movements, indices and warnings by case.
    rules : RuleSet
        What the movements were scored by.
    provenance : mapping
        As `provenance.provenance` gives it.

    Raises
    ------
    OutputError
        A file cannot be written; then none is changed.
    """
    nights = [{"case": case, **values} for case, values in indices.items()]
    record = {
        "rules": rules.options(),
        "quality": {case: _warnings(found) for case, found in notices.items()},
        "provenance": dict(provenance),
    }
    movements = [(scoring, None, case) for case, scoring in scorings.items()]
    write_files(
        {
            Path(out_dir) / "movements.csv": movements_csv(movements, cases=True),
            Path(out_dir) / "nights.csv": nights_csv(nights),
            Path(out_dir) / "score.json": json_text(record),
        }
    )


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


def wall_time(start_time: datetime | None, time_ms: int | None) -> str:
    """Write the wall time of a moment in ISO 8601; empty where it is not known."""
    if start_time is None or time_ms is None:
        return ""
    return (start_time + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds")


def _flag(value: int) -> str:
    return "" if value < 0 else str(value)
