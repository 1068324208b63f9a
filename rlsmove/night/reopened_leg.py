"""What a first reading showed, as plain facts that travel, and the leg that they open again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from rlsmove.devices import open_recording
from rlsmove.devices.recording import Completeness
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.errors import RecordingError
from rlsmove.io.file_stamps import Stamp, stamp_of
from rlsmove.io.provenance import sha256_of
from rlsmove.massage.second_spectra import SecondSpectra
from rlsmove.night.opened_leg import Leg, changed_meanwhile
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
    side, survey, calibration, nonwear_s, nights, leftovers, spectra, sha256, stamp
        As of `Leg`.
    notices : tuple of Notice
        What was found wrong with the recording once it was read to its end.
    completeness : Completeness or None
        How much of it was read.
    start_time : datetime
        Its start, by most of its stamps.
    """

    side: int
    survey: Survey
    calibration: Calibration
    nonwear_s: FloatArray
    nights: list[NightSpan]
    leftovers: list[NightSpan]
    spectra: SecondSpectra
    sha256: str
    stamp: Stamp | None
    notices: tuple[Notice, ...]
    completeness: Completeness | None
    start_time: datetime


_OF_RECORDING = ("completeness", "start_time")
_SHARED = tuple(
    field.name for field in fields(FirstReading) if field.name not in ("notices", *_OF_RECORDING)
)


def first_reading(leg: Leg) -> FirstReading:
    """Return what the first reading of a leg showed."""
    shared = {name: getattr(leg, name) for name in _SHARED}
    of_recording = {name: getattr(leg.recording, name) for name in _OF_RECORDING}
    return FirstReading(**shared, **of_recording, notices=tuple(leg.recording.notices))


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
        The file cannot be used any more, or is not what it was.
    """
    check_unchanged(path, reading)
    recording = open_recording(path, told)
    recording.notices = list(reading.notices)
    for name in _OF_RECORDING:
        setattr(recording, name, getattr(reading, name))
    shared = {name: getattr(reading, name) for name in _SHARED}
    return Leg(recording=recording, reader=UniformReader(recording), **shared)


def check_unchanged(path: Path, reading: FirstReading) -> None:
    """See that a file still has the bytes that its first reading was of.

    Raises
    ------
    RecordingError
        It has others.
    """
    try:
        same = stamp_of(path) == reading.stamp or sha256_of(path) == reading.sha256
    except OSError as error:
        raise RecordingError(path, f"cannot be read ({error.strerror})") from error
    if not same:
        raise changed_meanwhile(path)
