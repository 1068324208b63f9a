"""A night result as what night.json holds of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rlsmove.io.atomic_files import atomic_path, write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.provenance import provenance_of_digests, sha256_of
from rlsmove.night.analysis import NightResult
from rlsmove.night.opened_leg import Leg
from rlsmove.records import SIDES
from rlsmove.results.movements_csv import MOVEMENTS_FILE, movements_csv
from rlsmove.results.night_json import DIGEST_KEYS, RECORD_FILE, night_id_of, night_record
from rlsmove.results.night_npz import NIGHT_FILE, write_night_file
from rlsmove.scoring import night_tables
from rlsmove.scoring.intervals import total_ms

MS_PER_HOUR = 3_600_000


def recording_facts(leg: Leg) -> dict[str, Any]:
    """Say what a recording is: device, clock, rate, coverage, calibration.

    Parameters
    ----------
    leg : Leg
        A recording after its first reading.

    Returns
    -------
    dict
        In the order and by the names of night.json.
    """
    recording, survey, calibration = leg.recording, leg.survey, leg.calibration
    gap_s = survey.gap_s
    start_time = recording.start_time.isoformat() if recording.dated else None
    return {
        "file": recording.path.name,
        "device": recording.device,
        "serial": recording.serial,
        "side": recording.side,
        "placement": recording.placement,
        "start_time": start_time,
        "clock": {
            "start_time": start_time,
            "time_zone": recording.time_zone or None,
        },
        "told": recording.told.as_texts(),
        "rate": {
            "sample_rate_hz": recording.sample_rate_hz,
            "true_rate_hz": survey.true_rate_hz,
        },
        "coverage": {
            "n_samples": survey.n_samples,
            "duration_s": survey.end_s,
            "recorded_hours": (survey.end_s - float(gap_s.sum())) / 3600,
            "gap_count": len(gap_s),
            "longest_gap_s": float(gap_s.max(initial=0.0)),
            "gaps_total_s": float(gap_s.sum()),
            "not_worn_hours": float((leg.nonwear_s[:, 1] - leg.nonwear_s[:, 0]).sum()) / 3600,
            "nights": [span.evening.isoformat() for span in leg.nights],
        },
        "mean_g": survey.mean_norm_g,
        "calibration": {
            "status": calibration.status,
            "gain": calibration.gain.tolist(),
            "offset_g": calibration.offset_g.tolist(),
            "error_before_mg": 1000 * calibration.error_before_g,
            "error_after_mg": 1000 * calibration.error_after_g,
            "still_windows": calibration.n_windows,
            "sentence": calibration.sentence,
        },
    }


def night_facts(result: NightResult) -> dict[str, Any]:
    """Say what the recording or the two recordings of a night are.

    Returns
    -------
    dict
        The facts of the first recording; with two legs also ``legs``, both by side, and in
        ``clock`` how the second device's clock agrees with the first one's.
    """
    facts = recording_facts(result.legs[0])
    facts["coverage"]["night_analysable_hours"] = total_ms(result.analysable) / MS_PER_HOUR
    if len(result.legs) < 2:
        return facts
    facts["legs"] = {
        side: recording_facts(leg) for side, leg in zip(result.sides, result.legs, strict=True)
    }
    if result.clock is not None:
        facts["clock"]["second_device"] = {
            "offset_s": result.clock.offset_s,
            "drift_ppm": result.clock.drift_ppm,
            "error_s": result.clock.error_s,
            "movements_in_both": result.clock.n_pairs,
            "combined": result.clock.combined,
            "sentence": result.clock.sentence,
        }
    return facts


def night_json(result: NightResult, events: Path | None) -> dict[str, Any]:
    """Build what night.json holds of a night, but for the digests of the files beside it.

    Parameters
    ----------
    result : NightResult
        The night.
    events : Path or None
        The event list that its sleep came from.
    """
    return night_record(**_parts(result, events))


def write_night_result(result: NightResult, out_dir: Path, events: Path | None) -> dict[str, Any]:
    """Write movements.csv, night.json and night.npz of a night into a folder, together.

    Returns
    -------
    dict
        What was written into night.json.

    Raises
    ------
    OutputError
        A file cannot be written; then none is changed.
    """
    with atomic_path(out_dir / NIGHT_FILE) as partial:
        write_night_file(partial, result.detected)
        movements = movements_csv([(result.scoring, _start_time(result), "")])
        digests = {
            DIGEST_KEYS[MOVEMENTS_FILE]: hashlib.sha256(movements.encode()).hexdigest(),
            DIGEST_KEYS[NIGHT_FILE]: sha256_of(partial),
        }
        record = night_record(**_parts(result, events), digests=digests)
        write_files({out_dir / MOVEMENTS_FILE: movements, out_dir / RECORD_FILE: json_text(record)})
    return record


def _start_time(result: NightResult) -> datetime | None:
    """Wall time that onsets count from; None where nothing dates the recording."""
    return result.detected.start_time if result.legs[0].recording.dated else None


def massage_records(result: NightResult) -> list[dict[str, Any]] | None:
    """The massages of a night as plain values; None where none could have been seen."""
    if result.massage is None:
        return None
    return [session.as_record() for session in result.massage]


def _parts(result: NightResult, events: Path | None) -> dict[str, Any]:
    inputs = [(leg.recording.path.name, leg.sha256) for leg in result.legs]
    if events is not None:
        inputs.append((events.name, sha256_of(events)))
    settings = {
        "rules": result.rules.options(),
        "evening": str(result.evening),
        "sides": result.sides,
        "sleep_source": None if result.sleep is None else result.sleep.source,
    }
    by_leg = {"indices_by_leg": result.indices_by_leg} if result.indices_by_leg else {}
    test = result.immobilization
    immobilization = {} if test is None else {"immobilization_test": test}
    legs = [(SIDES[leg.side], leg.sha256) for leg in result.legs]
    return {
        "night_id": night_id_of(str(result.evening), legs),
        "start_time": _start_time(result),
        "simulated": result.simulated,
        "massage": massage_records(result),
        "recording": night_facts(result),
        "completeness": [
            {"side": side, **asdict(leg.recording.completeness)}
            for side, leg in zip(result.sides, result.legs, strict=True)
            if leg.recording.completeness is not None
        ],
        "sleep": result.sleep,
        "rules": result.rules,
        "indices": result.indices,
        "notices": result.notices,
        "quality": {
            "indices_by_threshold": result.by_threshold,
            "near_threshold_share": result.near_threshold_share,
        },
        "provenance": provenance_of_digests(inputs, settings),
        "tables": {
            **night_tables(
                result.scoring,
                sleep=result.sleep,
                analysable=result.analysable,
                respiratory=result.detected.respiratory,
                arousals=result.detected.arousals,
                rules=result.rules,
                start_time=_start_time(result),
            ),
            **by_leg,
            **immobilization,
        },
    }
