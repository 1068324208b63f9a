"""The shape of night.json that those who read it back rely on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rlsmove.scoring import INDICES

NUMBER, TEXT, RATE, EVENING, MOMENT = "a number", "text", "a number or null", "a date", "a time"
INDEX = "a number, null or a list of them"


@dataclass(frozen=True)
class Misfit:
    """Where a record is not as expected.

    Attributes
    ----------
    place, found, expected : str
        As in `rlsmove.errors.RlsmoveError`.
    """

    place: str
    found: str
    expected: str


#: Names that end in a question mark may be missing or null; the star stands for any name; a list
#: holds any number of what it names. Names that are not here are not read back.
_RECORDING: dict[str, Any] = {
    "device?": TEXT,
    "start_time?": MOMENT,
    "rate?": {"sample_rate_hz": NUMBER, "true_rate_hz": RATE},
    "coverage?": {
        "recorded_hours": NUMBER,
        "gap_count": NUMBER,
        "longest_gap_s": NUMBER,
        "not_worn_hours": NUMBER,
    },
    "calibration?": {"sentence": TEXT},
}
RECORD_SHAPE: dict[str, Any] = {
    "recording": {
        **_RECORDING,
        "clock?": {
            "start_time?": MOMENT,
            "second_device?": {"offset_s": NUMBER, "drift_ppm": NUMBER, "sentence": TEXT},
        },
        "legs?": {"*": _RECORDING},
    },
    "sleep": {"source": TEXT, "lights_off_s?": NUMBER, "lights_on_s?": NUMBER},
    "rules": {"name": TEXT},
    "indices": {index.name: INDEX for index in INDICES},
    "quality": {
        "warnings?": [{"code": TEXT, "sentence": TEXT}],
        "near_threshold_share?": NUMBER,
        "indices_by_threshold?": [
            {"threshold": NUMBER, "plms_per_hour": RATE, "plm_per_hour_tib": RATE}
        ],
    },
    "provenance": {
        "program": TEXT,
        "version": TEXT,
        "settings_digest": TEXT,
        "settings?": {"evening?": EVENING},
        "inputs": [{"file": TEXT, "sha256": TEXT}],
    },
    "tables?": {
        "plms_by_clock_hour?": [{"from": MOMENT, "plms_per_hour": RATE}],
        "indices_by_leg?": {
            "*": {
                "lm_per_hour_tib": RATE,
                "plm_per_hour_tib": RATE,
                "plms_per_hour": RATE,
                "analysable_hours": RATE,
            }
        },
        "immobilization_test?": {
            "start_s": NUMBER,
            "lm_count": RATE,
            "plmw_count": RATE,
            "plmw_per_hour": RATE,
            "analysable_hours": RATE,
        },
    },
}


def find_misfit(value: Any, shape: Any, place: str = "") -> Misfit | None:
    """Find the first place at which a value is not of a shape; None where it is."""
    if isinstance(shape, str):
        return None if _fits(value, shape) else Misfit(place, f"{value!r}", shape)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return Misfit(place, f"{value!r}", "a list")
        parts = [(f"{place}[{number}]", item, shape[0]) for number, item in enumerate(value)]
        return next(filter(None, (find_misfit(item, of, at) for at, item, of in parts)), None)
    if not isinstance(value, dict):
        return Misfit(place, f"{value!r}", "an object")
    if "*" in shape:
        shape = dict.fromkeys(value, shape["*"])
    for name, of in shape.items():
        key = name.removesuffix("?")
        at = f"{place}.{key}" if place else key
        if key not in value and key == name:
            return Misfit(at, "nothing", of if isinstance(of, str) else "an object or a list")
        if key != name and value.get(key) is None:
            continue
        misfit = find_misfit(value[key], of, at)
        if misfit is not None:
            return misfit
    return None


def _fits(value: Any, kind: str) -> bool:
    if kind == INDEX:
        return all(_fits(item, RATE) for item in (value if isinstance(value, list) else [value]))
    if kind in (NUMBER, RATE):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number or (value is None and kind == RATE)
    if not isinstance(value, str):
        return False
    try:
        if kind == EVENING:
            date.fromisoformat(value)
        elif kind == MOMENT:
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
