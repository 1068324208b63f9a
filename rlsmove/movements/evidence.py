"""What speaks for a leg movement and against it: physical evidence, and its probability."""

from __future__ import annotations

import functools
import json
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rlsmove.movements import _kernels
from rlsmove.movements.traces import Traces
from rlsmove.records import FloatArray
from rlsmove.signal.activity import SECOND

#: What is looked at, in the order of the columns of `evidence_of`. Logarithms are natural.
EVIDENCE = (
    "log_net_over_error",  # net turn over its own error: a shake has none
    "net_share",  # net turn over the root mean square of all motion: 1 for a turn held still
    "log_peak_g",
    "log_duration_s",
    "log_energy_over_noise",  # root mean square over the rest's, times the root of the length
    "shaking_share",  # fast changes over the root mean square of all motion
    "center",  # where its energy lies: a struck mattress dies away, a muscle does not
    "moving",  # share on the move
    "log_residual_over_noise",  # how surely it lies elsewhere afterwards
    "log_residual_deg",  # how far from where it lay
    "residual_share",  # and in proportion to the largest turn
    "log_turn_deg",  # the largest turn
    "across_share",  # the largest turn across gravity over the root mean square of all motion
    "log_strength",  # largest movement signal over its threshold
    "log_peak_over_noise",
    "log_net_over_step",  # net turn in steps of the device
    "straight",  # share of its energy in one direction
    "along",  # and along gravity: a turn lies across it
)

#: A mean of n moments errs by the noise of one times the root of 3 / n, since neighbors share
#: points, and by what the rests before and after err by (judgement).
_MOMENTS_SHARED = 3.0
_RESTS_ERROR = 0.08

#: A scale finer than this counts as this: noise hides its steps.
_FINEST_STEP_G = 0.002

_MODEL = "leg_movement_model.json"


def evidence_of(traces: Traces, step_g: float) -> FloatArray:
    """Put the evidence of traced movements in numbers.

    Parameters
    ----------
    traces : Traces
        What was measured of each.
    step_g : float
        Step of the device's scale, in g.

    Returns
    -------
    ndarray of float64, shape (k, len(EVIDENCE))
        Finite, but NaN where a rest of exactly 0 g has no direction.
    """
    length = traces.end - traces.start
    duration_s = length / SECOND
    error = traces.rest_g * np.sqrt(_MOMENTS_SHARED / length + _RESTS_ERROR)
    rms_g = np.maximum(traces.rms_g, 1e-6)
    turn_g = np.maximum(traces.turn_g, 1e-6)
    columns = (
        np.log(traces.net_g / error + 1e-3),
        traces.net_g / rms_g,
        np.log(np.maximum(traces.peak_g, 1e-6)),
        np.log(duration_s),
        np.log(rms_g / traces.rest_g * np.sqrt(length)),
        traces.shake_g / rms_g,
        traces.center,
        traces.moving,
        np.log(traces.residual_g / traces.rest_g + 0.1),
        np.log(chord_deg(traces.residual_g) + 0.1),
        np.minimum(traces.residual_g / turn_g, 3.0),
        np.log(chord_deg(turn_g) + 0.02),
        traces.across_g / rms_g,
        np.log(traces.strength),
        np.log(np.maximum(traces.peak_g, 1e-6) / traces.rest_g),
        np.log(traces.net_g / max(step_g, _FINEST_STEP_G) + 0.01),
        traces.straight,
        traces.along,
    )
    return np.stack(columns, axis=1)


def chord_deg(distance_g: FloatArray) -> FloatArray:
    """Angle between two unit vectors at a given distance, in degrees."""
    return np.degrees(2.0 * np.arcsin(np.minimum(distance_g / 2.0, 1.0)))


def leg_movement_probability(evidence: FloatArray) -> FloatArray:
    """How likely each traced movement is a leg movement.

    Parameters
    ----------
    evidence : ndarray of float64, shape (k, len(EVIDENCE))
        See `evidence_of`.

    Returns
    -------
    ndarray of float64, shape (k,)
        Of candidates that look so, this share were leg movements in the simulated nights that
        the model was fitted on.
    """
    start, feature, threshold, score = _model()
    log_odds = np.full(len(evidence), start)
    _kernels.add_scores(np.ascontiguousarray(evidence), feature, threshold, score, log_odds)
    return 1.0 / (1.0 + np.exp(-log_odds))


@functools.cache
def _model() -> tuple[float, NDArray[np.int64], FloatArray, FloatArray]:
    """Log odds without evidence, and what each tree asks and adds (see `_kernels.add_scores`)."""
    table = json.loads(files(__package__).joinpath(_MODEL).read_text("utf-8"))
    trees = table["trees"]
    return (
        float(table["start"]),
        np.array([[EVIDENCE.index(name) for name in tree["asks"]] for tree in trees], np.int64),
        np.array([tree["above"] for tree in trees], np.float64),
        np.array([tree["adds"] for tree in trees], np.float64),
    )
