"""The night before scoring as one file, night.npz: what pictures and review start from.

Plain numpy arrays, read with ``numpy.load``. For each leg, under its side (``left``, ``right``,
``unknown``): ``/onset_ms``, ``/duration_ms``, ``/kind``, ``/peak_g``, ``/tilt_deg``, ``/snr``,
``/probability`` of its movements as detected (kinds by their number in `rlsmove.records.KINDS`);
``/analysable_ms`` (k, 2); and, where the signal was kept, ``/acceleration`` (n, 3) in 1/2048 g
(-32768: nothing recorded) with ``/clock``: time of the first point, from point to point, and the
step of the device's scale in g. For the night: ``start_time`` (ISO 8601), ``combined``,
``lights_ms``, ``stages`` (k, 3: start, end, number in `rlsmove.records.STAGES`) and
``sleep_source``, ``respiratory_ms``, ``arousals_ms`` (k, 2); what is not known is left out. All
times count from `start_time`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.errors import ResultError
from rlsmove.records import (
    SIDES,
    DetectedLeg,
    DetectedNight,
    Intervals,
    LegSignal,
    Movements,
    Sleep,
)

#: Its name, beside movements.csv and night.json.
NIGHT_FILE = "night.npz"

VERSION = 2

_MOVEMENT_COLUMNS = (
    "onset_ms",
    "duration_ms",
    "kind",
    "peak_g",
    "tilt_deg",
    "snr",
    "probability",
)
_UNKNOWN_MS = -(2**62)


def write_night_file(path: Path, night: DetectedNight) -> None:
    """Write a night before scoring; the same night gives the same bytes."""
    arrays: dict[str, Any] = {
        "version": np.int64(VERSION),
        "start_time": np.str_(night.start_time.isoformat()),
        "combined": np.bool_(night.combined),
        "sides": np.array([SIDES[leg.side] for leg in night.legs]),
    }
    for leg in night.legs:
        side = SIDES[leg.side]
        arrays |= {f"{side}/{name}": getattr(leg.movements, name) for name in _MOVEMENT_COLUMNS}
        arrays[f"{side}/analysable_ms"] = _spans(leg.analysable)
        arrays[f"{side}/hidden_ms"] = _spans(leg.hidden)
        if leg.signal is not None:
            signal = leg.signal
            arrays[f"{side}/acceleration"] = signal.counts
            arrays[f"{side}/clock"] = np.array(
                [signal.start_s, signal.step_s, signal.device_step_g]
            )
    if night.sleep is not None:
        sleep = night.sleep
        lights = (sleep.lights_off_ms, sleep.lights_on_ms)
        arrays["sleep_source"] = np.str_(sleep.source)
        arrays["lights_ms"] = np.array([_UNKNOWN_MS if ms is None else ms for ms in lights])
        arrays["stages"] = np.stack([sleep.onset_ms, sleep.offset_ms, sleep.stage], axis=1)
    for name in ("respiratory", "arousals"):
        intervals = getattr(night, name)
        if intervals is not None:
            arrays[f"{name}_ms"] = _spans(intervals)
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read_night_file(path: str | Path, *, signal: bool = True) -> DetectedNight:
    """Read a night before scoring.

    Parameters
    ----------
    path : str or Path
        A night.npz.
    signal : bool
        Whether to read the acceleration too, which is nearly all of the file.

    Raises
    ------
    ResultError
        There is no such file, it is damaged, or another program wrote it.
    """
    path = Path(path)
    advice = "`rlsmove night ... --out FOLDER` writes it anew"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            version = int(arrays["version"])
            if version != VERSION:
                raise ResultError(
                    path, f"it is of version {version}", expected=str(VERSION), advice=advice
                )
            return _night(arrays, signal)
    except FileNotFoundError:
        raise ResultError(
            path,
            "there is no such file",
            expected="the night before scoring, beside night.json",
            advice=advice,
        ) from None
    except (OSError, EOFError, KeyError, ValueError, IndexError, zipfile.BadZipFile) as error:
        raise ResultError(
            path, f"it is damaged or no night ({error})", expected="a night.npz", advice=advice
        ) from error


def _night(arrays: Mapping[str, NDArray[Any]], signal: bool) -> DetectedNight:
    return DetectedNight(
        start_time=datetime.fromisoformat(str(arrays["start_time"])),
        legs=tuple(_leg(arrays, side, signal) for side in arrays["sides"].tolist()),
        combined=bool(arrays["combined"]),
        sleep=_sleep(arrays) if "sleep_source" in arrays else None,
        respiratory=_intervals(arrays, "respiratory_ms"),
        arousals=_intervals(arrays, "arousals_ms"),
    )


def _leg(arrays: Mapping[str, NDArray[Any]], side: str, signal: bool) -> DetectedLeg:
    columns = {name: arrays[f"{side}/{name}"] for name in _MOVEMENT_COLUMNS}
    number = SIDES.index(side)
    kept = None
    if signal and f"{side}/acceleration" in arrays:
        start_s, step_s, device_step_g = arrays[f"{side}/clock"].tolist()
        kept = LegSignal(start_s, step_s, device_step_g, arrays[f"{side}/acceleration"])
    return DetectedLeg(
        side=number,
        movements=Movements(side=np.full(len(columns["kind"]), number, np.int8), **columns),
        analysable=Intervals(*_columns(arrays[f"{side}/analysable_ms"])),
        signal=kept,
        hidden=Intervals(*_columns(arrays[f"{side}/hidden_ms"])),
    )


def _sleep(arrays: Mapping[str, NDArray[Any]]) -> Sleep:
    off_ms, on_ms = (None if ms == _UNKNOWN_MS else ms for ms in arrays["lights_ms"].tolist())
    onset_ms, offset_ms, stage = _columns(arrays["stages"])
    return Sleep(
        str(arrays["sleep_source"]), off_ms, on_ms, onset_ms, offset_ms, stage.astype(np.int8)
    )


def _intervals(arrays: Mapping[str, NDArray[Any]], name: str) -> Intervals | None:
    return Intervals(*_columns(arrays[name])) if name in arrays else None


def _columns(table: NDArray[Any]) -> list[NDArray[Any]]:
    return [np.ascontiguousarray(column) for column in table.T]


def _spans(intervals: Intervals) -> NDArray[np.int64]:
    return np.stack([intervals.onset_ms, intervals.offset_ms], axis=1)
