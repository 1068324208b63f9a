"""Whether the samples are raw acceleration of a leg at all."""

from __future__ import annotations

import numpy as np

from rlsmove.devices.recording import Recording
from rlsmove.errors import UnsuitableSignal
from rlsmove.signal.calibration import Calibration
from rlsmove.signal.survey import Survey

#: Leg movements are bursts of 0.5 s with content up to 10 Hz; below 20 samples a second neither
#: their shape nor the 0.5-s limits of the scoring rules can be told.
SLOWEST_HZ = 20.0

#: Gravity at rest, in g, of a working device before calibration (gain and offset included).
GRAVITY_LOW_G, GRAVITY_HIGH_G = 0.7, 1.3

#: Mean distance from 1 g at rest, in g, from which a scale that was not calibrated is doubted.
#: Sensors that work lie within a few hundredths (van Hees et al. 2014).
SCALE_DOUBTED_G = 0.05

#: Standard gravity, m/s2 (CGPM 1901).
STANDARD_GRAVITY = 9.80665

#: Share of 10-s windows touching the end of the device's range from which clipping is reported.
CLIPPED_SHARE = 0.05

AXES = ("x", "y", "z")


def check_rate(recording: Recording) -> None:
    """Refuse a recording whose device was set to a rate too slow for leg movements.

    Raises
    ------
    UnsuitableSignal
        Below 20 Hz.
    """
    if recording.sample_rate_hz < SLOWEST_HZ:
        raise UnsuitableSignal(
            recording.path,
            f"sampled at {recording.sample_rate_hz:g} Hz",
            expected=f"at least {SLOWEST_HZ:g} Hz",
            advice=(
                "A leg movement begins and ends within tenths of a second, and the rules draw "
                "their lines at 0.5 s: at this rate they cannot be told apart. Set the device to "
                "25 Hz or more"
            ),
        )


def check_signal(recording: Recording, survey: Survey) -> None:
    """Refuse samples that cannot be raw acceleration in g; notice what is merely doubtful.

    Parameters
    ----------
    recording : Recording
        Gets the notices ``clipped`` and ``rate_differs``.
    survey : Survey
        Its window statistics.

    Raises
    ------
    UnsuitableSignal
        All zeros, an axis that never changes while others do, or rest far from 1 g (counts, mg or
        m/s2 taken for g).
    """
    check_rate(recording)
    lowest = np.min(survey.low_g, axis=0)
    highest = np.max(survey.high_g, axis=0)
    if np.all(lowest == 0.0) and np.all(highest == 0.0):
        raise UnsuitableSignal(
            recording.path,
            f"every one of {survey.n_samples} samples is 0",
            expected="acceleration in g, with gravity (about 1 g) at rest",
            advice="The sensor did not record, or the file was exported empty",
        )
    constant = lowest == highest
    if np.any(constant):
        axis = int(np.flatnonzero(constant)[0])
        raise UnsuitableSignal(
            recording.path,
            f"axis {AXES[axis]} is {lowest[axis]:g} g throughout",
            expected="three axes that follow the limb",
            advice="A sensor that works shows noise on each axis; turns cannot be measured so",
        )
    _check_gravity(recording, survey)
    _check_clipping(recording, survey)
    if survey.n_samples > 1000 and abs(survey.true_rate_hz / recording.sample_rate_hz - 1) > 0.05:
        recording.notice(
            "rate_differs",
            f"the device was set to {recording.sample_rate_hz:g} Hz but recorded "
            f"{survey.true_rate_hz:.2f} Hz by its own clock; times follow the clock",
        )


def check_scale(recording: Recording, calibration: Calibration) -> None:
    """Notice a scale that rest contradicts and that calibration could not put right.

    Parameters
    ----------
    recording : Recording
        Gets the notice ``scale_doubtful``.
    calibration : Calibration
        Of its samples.
    """
    off_g = calibration.error_before_g
    if calibration.status != "calibrated" and off_g > SCALE_DOUBTED_G:
        recording.notice(
            "scale_doubtful",
            f"at rest it is {1000 * off_g:.0f} mg off 1 g, which could not be put right: the gain "
            "or the offset in the file may be damaged, or the sensor; sizes of movements may be "
            "wrong",
        )


def _check_gravity(recording: Recording, survey: Survey) -> None:
    # The stillest tenth of the windows: at rest the norm is gravity alone.
    spread = np.sqrt(np.sum(survey.sd_g**2, axis=1))
    still = spread <= np.quantile(spread, 0.1)
    rest_g = float(np.median(np.linalg.norm(survey.mean_g[still], axis=1)))
    if GRAVITY_LOW_G <= rest_g <= GRAVITY_HIGH_G:
        return
    advice = "The values are no acceleration in g; activity counts and filtered signals do not do"
    for unit, in_g in (("m/s2", STANDARD_GRAVITY), ("mg", 1000.0)):
        if GRAVITY_LOW_G <= rest_g / in_g <= GRAVITY_HIGH_G:
            advice = f"The values look like {unit}: divide them by {in_g:g}, or name the unit"
    if rest_g < 0.05:
        advice = "Gravity seems to have been filtered out; raw acceleration is needed"
    raise UnsuitableSignal(
        recording.path,
        f"{rest_g:.4g} at rest (median of the stillest windows)",
        expected="about 1 g",
        advice=advice,
    )


def _check_clipping(recording: Recording, survey: Survey) -> None:
    end_g = recording.range_g
    if not np.isfinite(end_g):
        # A range that the file does not tell shows as one extreme value, reached over and over.
        end_g = max(float(np.max(survey.high_g)), -float(np.min(survey.low_g)))
        if end_g <= GRAVITY_HIGH_G:
            return
    clipped = np.any(np.maximum(survey.high_g, -survey.low_g) >= 0.999 * end_g, axis=1)
    share = float(np.mean(clipped))
    if share > CLIPPED_SHARE:
        recording.notice(
            "clipped",
            f"{100 * share:.0f} % of the 10-s windows reach the end of the range "
            f"(+-{end_g:.3g} g): peaks are cut off, or the sensor is broken",
        )
