"""What a first reading showed, as plain facts that travel, and the leg that they open again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from rlsmove.devices import open_recording
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.night.opened_leg import Leg
from rlsmove.records import FloatArray, Notice
from rlsmove.signal.calibration import Calibration
from rlsmove.signal.nights import NightSpan
from rlsmove.signal.survey import Survey
from rlsmove.signal.uniform_clock import UniformReader


@dataclass(frozen=True)
class FirstReading:
    """All that `Leg` holds but the opened file.

    Attributes
    ----------
    side, survey, calibration, nonwear_s, nights, leftovers, sha256
        As of `Leg`.
    notices : tuple of Notice
        What was found wrong with the recording once it was read to its end.
    """

    side: int
    survey: Survey
    calibration: Calibration
    nonwear_s: FloatArray
    nights: list[NightSpan]
    leftovers: list[NightSpan]
    sha256: str
    notices: tuple[Notice, ...]


_SHARED = tuple(field.name for field in fields(FirstReading) if field.name != "notices")


def first_reading(leg: Leg) -> FirstReading:
    """Return what the first reading of a leg showed."""
    shared = {name: getattr(leg, name) for name in _SHARED}
    return FirstReading(**shared, notices=tuple(leg.recording.notices))


def reopen_leg(path: Path, reading: FirstReading, told: Told = NOTHING_TOLD) -> Leg:
    """Open a recording of which a first reading is known, without reading it once more.

    Parameters
    ----------
    path : Path
        The very file that the reading was of.
    reading : FirstReading
        What it showed.
    told : Told
        What was told of it then.

    Raises
    ------
    RecordingError
        The file cannot be used any more.
    """
    recording = open_recording(path, told)
    recording.notices = list(reading.notices)
    shared = {name: getattr(reading, name) for name in _SHARED}
    return Leg(recording=recording, reader=UniformReader(recording), **shared)
