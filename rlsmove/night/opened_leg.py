"""A recording after its first reading: what it covers, how it is calibrated, when it was worn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rlsmove.devices import open_recording
from rlsmove.devices.recording import Recording
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.errors import RecordingError
from rlsmove.io.file_stamps import Stamp, stamp_of
from rlsmove.io.provenance import sha256_of
from rlsmove.massage.second_spectra import SecondSpectra, SpectraOfBlocks
from rlsmove.records import SIDES, FloatArray
from rlsmove.signal.calibration import Calibration, calibrate
from rlsmove.signal.nights import NightSpan, night_spans
from rlsmove.signal.suitability import check_rate, check_scale, check_signal
from rlsmove.signal.survey import Survey, survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.signal.wear import nonwear_stretches

Progress = Callable[[float], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leg:
    """One recording after its first reading.

    Attributes
    ----------
    recording : Recording
        The opened file.
    reader : UniformReader
        Its samples on the common clock.
    side : int
        Index into `records.SIDES`.
    survey : Survey
        What it covers.
    calibration : Calibration
        Of the whole recording.
    nonwear_s : ndarray of float64, shape (k, 2)
        When it lay elsewhere.
    nights, leftovers : list of NightSpan
        See `signal.nights.night_spans`.
    spectra : SecondSpectra
        What shook it, at the device's own rate.
    sha256 : str
        Of the file's bytes; empty without a file.
    stamp : Stamp or None
        Of the file when it was read; None without one.
    """

    recording: Recording
    reader: UniformReader
    side: int
    survey: Survey
    calibration: Calibration
    nonwear_s: FloatArray
    nights: list[NightSpan]
    leftovers: list[NightSpan]
    spectra: SecondSpectra
    sha256: str = ""
    stamp: Stamp | None = None

    def span_of(self, evening: date) -> NightSpan | None:
        """What the recording holds of the night that begins on this date; None for nothing."""
        return next((s for s in self.nights + self.leftovers if s.evening == evening), None)


def open_leg(
    path: str | Path,
    side: str | None = None,
    progress: Progress | None = None,
    *,
    told: Told = NOTHING_TOLD,
) -> Leg:
    """Open a recording and read it once: coverage, calibration, wear, nights.

    Parameters
    ----------
    path : str or Path
        A recording in any format that is read here.
    side : str, optional
        ``left`` or ``right``; what the file says by default.
    progress : callable, optional
        Called with the fraction read.
    told : Told
        What is said of the recording beside the file.

    Returns
    -------
    Leg
        Ready for `analyse_night`.

    Raises
    ------
    RecordingError
        The file cannot be used.
    SettingError
        What is told does not fit it.
    """
    _log.debug("reading %s", path)
    recording = open_recording(path, told)
    stamp = stamp_of(path)
    leg = replace(read_leg(recording, side, progress), sha256=sha256_of(path), stamp=stamp)
    if stamp_of(path) != stamp:
        raise changed_meanwhile(path)
    return leg


def changed_meanwhile(path: str | Path) -> RecordingError:
    """Say that a file was changed while it was being read."""
    return RecordingError(
        path,
        "it was changed while it was being read",
        advice="Run the same again once nothing writes to it",
    )


def read_leg(
    recording: Recording, side: str | None = None, progress: Progress | None = None
) -> Leg:
    """Read an opened recording once, whether or not there is a file; otherwise as `open_leg`."""
    check_rate(recording)
    spectra = SpectraOfBlocks(recording.sample_rate_hz)
    survey = survey_recording(recording, progress, spectra.add)
    check_signal(recording, survey)
    calibration = calibrate(survey)
    check_scale(recording, calibration)
    nights, leftovers = night_spans(
        recording.start_time, survey, recording.time_zone, recording.dated
    )
    return Leg(
        recording=recording,
        reader=UniformReader(recording),
        side=SIDES.index(side or recording.side),
        survey=survey,
        calibration=calibration,
        nonwear_s=nonwear_stretches(survey),
        nights=nights,
        leftovers=leftovers,
        spectra=spectra.result(),
    )
