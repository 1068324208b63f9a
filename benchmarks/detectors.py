"""The detectors that the accuracy benchmark compares, all called alike.

A detector is a callable that takes one `LegNight` and gives either a `rlsmove.records.Movements` or
a pair of arrays, onsets and durations of the leg movements in seconds from the first sample.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import PEERS, Marks
from rlsmove.movements import detect_leg_movements
from rlsmove.movements.given_detector import Detector, LegNight, movements_by
from rlsmove.records import SIDES, Movements
from rlsmove.signal.calibration import calibrate
from rlsmove.signal.nights import night_spans, read_night
from rlsmove.signal.survey import survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.simulate import SimulatedNight
from rlsmove.simulate.simulated_recording import SimulatedRecording

OURS = "rlsmove"


def named_detector(name: str) -> Detector:
    """The callable that ``module:function`` names.

    Raises
    ------
    ValueError
        There is none; the message says what is missing.
    """
    module_name, colon, function = name.partition(":")
    if not colon or not function:
        raise ValueError(f"detector {name!r}; expected module:function")
    try:
        found = getattr(importlib.import_module(module_name), function, None)
    except ModuleNotFoundError as error:
        raise ValueError(f"detector {name!r}: {error}") from error
    if not callable(found):
        raise ValueError(f"detector {name!r}: {module_name} has no callable {function!r}")
    return found


def found_by(name: str, detector: Detector | None, night: SimulatedNight) -> dict[str, Movements]:
    """What a detector finds on each side of a night, on the true clock.

    Parameters
    ----------
    name : str
        `OURS`, one of the published ones, or any other.
    detector : callable or None
        For any other.
    night : SimulatedNight
        The night.

    Returns
    -------
    dict of str to Movements
        All detectors get the true clock: this is no test of the alignment of two devices.
    """
    found = {}
    for side, sensor in night.sensors.items():
        if name == OURS:
            movements = detected_by_rlsmove(night, side)
        else:
            leg_night = LegNight(night.acceleration(side), night.parameters.fs, side)
            movements = movements_by(detector or partial(_published, name), leg_night)
        onset = sensor.clock.true_s(movements.onset_ms / 1000)
        found[side] = replace(movements, onset_ms=np.round(1000 * onset).astype(np.int64))
    return found


def detected_by_rlsmove(night: SimulatedNight, side: str) -> Movements:
    """Movements of every kind that this package finds, on the device's own clock."""
    recording = SimulatedRecording(night, side)
    survey = survey_recording(recording)
    spans, _ = night_spans(recording.start_time, survey)
    calibration = calibrate(survey)
    tables = [
        detect_leg_movements(
            read_night(UniformReader(recording), span, calibration),
            side=SIDES.index(side),
            step_g=survey.step_g,
        )
        for span in spans
    ]
    return Movements.concatenate(Movements.empty(), *tables)


def _published(name: str, night: LegNight) -> Marks:
    return PEERS[name](_filled(night.acceleration), night.fs)


def _filled(acceleration: NDArray[np.float32]) -> NDArray[np.float64]:
    """Gaps bridged by the last sample before them: the published ones know no gaps."""
    there = ~np.isnan(acceleration[:, 0])
    last = np.maximum.accumulate(np.where(there, np.arange(len(there)), 0))
    last = np.where(there[last], last, int(np.argmax(there)))
    return acceleration[last].astype(np.float64)
