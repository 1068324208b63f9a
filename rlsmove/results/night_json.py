"""night.json: put together, and read back with every field checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rlsmove.errors import ResultError
from rlsmove.records import Notice, Sleep
from rlsmove.results.fields import INDEX, NIGHT, RECORDING, Field
from rlsmove.results.movements_csv import wall_time
from rlsmove.results.record_check import find_misfit, shape_of
from rlsmove.rules import RuleSet
from rlsmove.scoring import INDICES

RECORD_FILE = "night.json"

#: What the digest of each file beside night.json is called in it.
DIGEST_KEYS = {"movements.csv": "movements_csv", "night.npz": "night_npz"}

_SHAPE = shape_of(
    NIGHT,
    {
        "<fact>": RECORDING,
        "<index>": [
            Field(index.name, INDEX, index.unit, index.counts, needed=True) for index in INDICES
        ],
    },
    needed=("recording", "sleep", "rules", "indices", "quality", "provenance"),
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
    simulated: bool = False,
    night_id: str = "",
    digests: Mapping[str, str] | None = None,
    completeness: Sequence[Mapping[str, Any]] | None = None,
    massage: Sequence[Mapping[str, Any]] | None = None,
    tables: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put together what night.json holds.

    Parameters
    ----------
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
    simulated : bool
        Whether no person was recorded.
    night_id : str
        As `night_id_of` gives it.
    digests : mapping, optional
        SHA-256 of each file beside night.json, by `DIGEST_KEYS`.
    completeness : sequence of mapping, optional
        How much of each recording was read.
    massage : sequence of mapping or None
        The massages seen; None where none could have been.
    tables, quality : mapping, optional
        Further tables, and further entries beside the warnings.
    """
    record: dict[str, Any] = {
        "recording": dict(recording),
        "sleep": _sleep_record(sleep, start_time, indices),
        "rules": rules.options(),
        "indices": dict(indices),
        "quality": {"warnings": warnings(notices), **(quality or {})},
        "provenance": dict(provenance),
        "simulated": simulated,
        "id": night_id,
        "digests": dict(digests or {}),
        "massage": None if massage is None else [dict(session) for session in massage],
    }
    if completeness is not None:
        record["completeness"] = [dict(one) for one in completeness]
    if tables is not None:
        record["tables"] = dict(tables)
    return record


def night_id_of(evening: str, inputs: Iterable[tuple[str, str]]) -> str:
    """Name a night so that its files and edits can be told from those of any other.

    Parameters
    ----------
    evening : str
        Date of the evening; empty for an event list.
    inputs : iterable of (str, str)
        Side, or kind, and SHA-256 of each recording or list.

    Returns
    -------
    str
        16 hexadecimal digits, the same whatever version of the program or rules made the result.
    """
    text = "\n".join([evening, *(f"{side} {sha256}" for side, sha256 in inputs)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def warnings(notices: Sequence[Notice]) -> list[dict[str, str]]:
    """Put notices into plain values."""
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


def read_night_json(path: Path) -> dict[str, Any]:
    """Read night.json.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        Its content, every field of `results.fields` of the type that stands there.

    Raises
    ------
    ResultError
        There is no such file, or it is no night.json; the message has the place in it.
    """
    advice = "`rlsmove night ... --out FOLDER` makes such a folder"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(
            path, "there is no such file", expected="a night's folder", advice=advice
        ) from None
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ResultError(path, f"it is not JSON ({error})", advice=advice) from error
    misfit = find_misfit(record, _SHAPE)
    if misfit is not None:
        raise ResultError(
            path, misfit.found, place=misfit.place, expected=misfit.expected, advice=advice
        )
    checked: dict[str, Any] = record
    return checked
