"""The signal of a night from its recordings, where the night's folder holds none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from rlsmove.devices.told import Told
from rlsmove.errors import ResultError
from rlsmove.io.provenance import sha256_of
from rlsmove.night.leg_detections import leg_signal
from rlsmove.night.opened_leg import open_leg
from rlsmove.records import SIDES, LegSignal
from rlsmove.review.night_folder import NightFolder
from rlsmove.signal.kept_signal import on_other_clock


def recorded_signals(
    folder: NightFolder,
    recordings: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[int, LegSignal]:
    """Read the signal of each leg again, from recordings with the right digest.

    Parameters
    ----------
    folder : NightFolder
        The night.
    recordings : Path, optional
        Folder of the recordings. Without it they are looked for in the night's folder, and in
        ``raw`` of the study that it lies in.
    progress : callable, optional
        Called with the fraction of a recording read.

    Returns
    -------
    dict of int to LegSignal
        By side. A leg whose recording is not found is missing.

    Raises
    ------
    ResultError
        A recording is found and cannot be used.
    """
    night = folder.detected
    if night is None:
        return {}
    evening = (folder.record["provenance"].get("settings") or {}).get("evening")
    if not evening:
        return {}
    signals = {}
    for leg, (name, sha256) in zip(night.legs, _inputs(folder), strict=False):
        path = next(_candidates(folder.path, recordings, name, sha256), None)
        if path is None:
            continue
        opened = open_leg(path, SIDES[leg.side], told=_told(folder, SIDES[leg.side]))
        signal = leg_signal(opened, date.fromisoformat(evening), night.start_time, progress)
        if leg.side != night.legs[0].side and night.combined:
            signal = _on_first_clock(signal, folder.record)
        signals[leg.side] = signal
    return signals


def _told(folder: NightFolder, side: str) -> Told:
    """What was told of a leg's recording when the night was made."""
    recording = folder.record.get("recording") or {}
    of_leg = (recording.get("legs") or {}).get(side, recording)
    return Told.parse(**(of_leg.get("told") or {}))


def _inputs(folder: NightFolder) -> list[tuple[str, str]]:
    """Name and digest of each leg's recording, in the order of the legs."""
    try:
        return [(entry["file"], entry["sha256"]) for entry in folder.record["provenance"]["inputs"]]
    except (KeyError, TypeError) as error:
        raise ResultError(
            folder.path / "night.json",
            f"its inputs cannot be read ({error!r})",
            place="provenance",
            expected="file and sha256 of each",
        ) from error


def _candidates(folder: Path, recordings: Path | None, name: str, sha256: str) -> Iterator[Path]:
    """Files of that name with that digest."""
    if recordings is not None:
        places = [recordings]
    else:
        here = folder.resolve()
        studies = [parent for parent in here.parents if (parent / "study.json").exists()]
        places = [here, here.parent, *(study / "raw" for study in studies[:1])]
    for place in places:
        deep = recordings is not None or place.name == "raw"
        for path in sorted(place.rglob(name) if deep else place.glob(name)):
            if path.is_file() and sha256_of(path) == sha256:
                yield path


def _on_first_clock(signal: LegSignal, record: dict[str, Any]) -> LegSignal:
    clock = (record["recording"].get("clock") or {}).get("second_device")
    if not clock:
        return signal
    return on_other_clock(signal, clock["offset_s"], clock["drift_ppm"])
