"""Scored event lists as files and as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlsmove.events.scored_events import ScoredNight, event_tables
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.provenance import provenance
from rlsmove.results.movements_csv import MOVEMENTS_FILE, movements_csv
from rlsmove.results.night_json import DIGEST_KEYS, RECORD_FILE, night_id_of, night_record, warnings
from rlsmove.results.nights_csv import NIGHTS_FILE, nights_csv

#: Rules, warnings and provenance of a list of several nights.
SCORE_FILE = "score.json"


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
        files = {
            MOVEMENTS_FILE: _movements(night),
            RECORD_FILE: json_text(score_record(nights, inputs)),
        }
    else:
        rules = next(iter(nights.values())).rules
        record = {
            "rules": rules.options(),
            "quality": {case: warnings(night.notices) for case, night in nights.items()},
            "provenance": provenance(inputs, {"rules": rules.options()}),
        }
        files = {
            MOVEMENTS_FILE: movements_csv(
                [(night.scoring, None, case) for case, night in nights.items()], cases=True
            ),
            NIGHTS_FILE: nights_csv(
                [{"case": case, **night.indices} for case, night in nights.items()]
            ),
            SCORE_FILE: json_text(record),
        }
    write_files({out_dir / name: text for name, text in files.items()})


def score_record(nights: Mapping[str, ScoredNight], inputs: Sequence[Path]) -> dict[str, Any]:
    """Build what night.json holds: of the one night, or by case."""
    records = {case: night_record(**_parts(night, inputs)) for case, night in nights.items()}
    return records[""] if list(records) == [""] else records


def _movements(night: ScoredNight) -> str:
    return movements_csv([(night.scoring, night.events.start_time, "")])


def _parts(night: ScoredNight, inputs: Sequence[Path]) -> dict[str, Any]:
    events = night.events
    origin = provenance(inputs, {"rules": night.rules.options()})
    return {
        "digests": {
            DIGEST_KEYS[MOVEMENTS_FILE]: hashlib.sha256(_movements(night).encode()).hexdigest()
        },
        "night_id": night_id_of("", [("list", entry["sha256"]) for entry in origin["inputs"]]),
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
        "provenance": origin,
        "tables": event_tables(night),
    }
