"""Scored event lists as files and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlsmove.events.scored_events import ScoredNight, event_tables
from rlsmove.io.provenance import provenance
from rlsmove.results.night_json import night_record, write_cases, write_night


def write_scores(out_dir: Path, nights: Mapping[str, ScoredNight], inputs: Sequence[Path]) -> None:
    """Write what scoring an event list gave.

    Parameters
    ----------
    out_dir : Path
        Folder; made where it is missing.
    nights : mapping
        Scored nights by case. A single case without a name gives movements.csv and night.json;
        others give movements.csv with the case, nights.csv and score.json.
    inputs : sequence of Path
        Files that were read.

    Raises
    ------
    OutputError
        A file cannot be written; then none is changed.
    """
    if list(nights) == [""]:
        night = nights[""]
        write_night(out_dir, scoring=night.scoring, **_parts(night, inputs))
        return
    first = next(iter(nights.values()))
    write_cases(
        out_dir,
        scorings={case: night.scoring for case, night in nights.items()},
        indices={case: night.indices for case, night in nights.items()},
        rules=first.rules,
        notices={case: night.notices for case, night in nights.items()},
        provenance=provenance(inputs, {"rules": first.rules.options()}),
    )


def score_record(nights: Mapping[str, ScoredNight], inputs: Sequence[Path]) -> dict[str, Any]:
    """Build what night.json holds: of the one night, or by case."""
    records = {case: night_record(**_parts(night, inputs)) for case, night in nights.items()}
    return records[""] if list(records) == [""] else records


def _parts(night: ScoredNight, inputs: Sequence[Path]) -> dict[str, Any]:
    events = night.events
    return {
        "start_time": events.start_time,
        "recording": {
            "source": "event list",
            "start_time": events.start_time,
            "span_s": [time_ms / 1000 for time_ms in events.span_ms],
            "marks": len(events.movements),
        },
        "sleep": events.sleep,
        "rules": night.rules,
        "indices": night.indices,
        "notices": night.notices,
        "provenance": provenance(inputs, {"rules": night.rules.options()}),
        "tables": event_tables(night),
    }
