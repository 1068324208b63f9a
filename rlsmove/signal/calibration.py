"""Gain and offset of each axis from the moments at rest, when gravity is all there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray
from rlsmove.signal import _kernels
from rlsmove.signal.survey import Survey

#: All numbers of this module are those of van Hees et al., J Appl Physiol 2014;117:738-744, as
#: given there or in the authors' own software (GGIR, g.calibrate).
REST_SD_G = 0.013
REST_MEAN_MAX_G = 2.0
SPHERE_FILLED_G = 0.3
ERROR_ENOUGH_G = 0.01
WINDOWS_ENOUGH = 10
ITERATIONS = 1000
TOLERANCE = 1e-10

#: A window must be about whole: half of the samples that the rate promises.
WINDOW_FILLED = 0.5

#: Gains beyond 10 % or offsets beyond 0.15 g are not met in working devices; a fit that goes there
#: follows something other than the sensor.
GAIN_DEVIATION_MAX = 0.1
OFFSET_MAX_G = 0.15


@dataclass(frozen=True)
class Calibration:
    """Gain and offset of each axis: calibrated = gain * (acceleration + offset).

    Attributes
    ----------
    status : str
        ``calibrated``, ``too_little_rest`` (fewer than 10 still windows), ``too_few_postures``
        (the still windows do not reach 0.3 g to both sides of each axis), ``no_better`` (the fit
        leaves no smaller error, or one of 0.01 g or more, or goes where no working sensor is).
        In all but the first, gain is 1 and offset 0.
    gain : ndarray of float64, shape (3,)
        Factor of each axis.
    offset_g : ndarray of float64, shape (3,)
        Added to each axis before the factor.
    error_before_g, error_after_g : float
        Mean distance of still windows from 1 g, without and with the correction; NaN without
        still windows.
    n_windows : int
        Still windows of 10 s.
    """

    status: str
    gain: FloatArray
    offset_g: FloatArray
    error_before_g: float
    error_after_g: float
    n_windows: int

    def apply(self, acceleration: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated acceleration, in g, of the same shape (n, 3) and type."""
        if self.status != "calibrated":
            return acceleration
        calibrated = np.empty_like(acceleration)
        # An axis at a time: numpy is slow at rows of three.
        for axis in range(3):
            np.add(acceleration[:, axis], np.float32(self.offset_g[axis]), calibrated[:, axis])
            calibrated[:, axis] *= np.float32(self.gain[axis])
        return calibrated

    @property
    def sentence(self) -> str:
        """What was done and how far it can be trusted, for people."""
        if self.status == "calibrated":
            return (
                f"calibrated on {self.n_windows} still windows of 10 s: mean error at rest "
                f"{1000 * self.error_before_g:.1f} mg before, "
                f"{1000 * self.error_after_g:.1f} mg after"
            )
        if self.status == "too_little_rest":
            off = f", {1000 * self.error_before_g:.1f} mg off 1 g at rest" if self.n_windows else ""
            return (
                f"not calibrated: {self.n_windows} still windows of 10 s, "
                f"{WINDOWS_ENOUGH} are needed; the device's own scale is used{off}"
            )
        if self.status == "too_few_postures":
            return (
                "not calibrated: the limb lay in too few directions (each axis needs rest above "
                f"{SPHERE_FILLED_G} g and below -{SPHERE_FILLED_G} g); the device's own scale is "
                f"used, {1000 * self.error_before_g:.1f} mg off 1 g at rest"
            )
        return (
            f"not calibrated: the best correction leaves {1000 * self.error_after_g:.1f} mg, the "
            f"device's own scale {1000 * self.error_before_g:.1f} mg off 1 g at rest"
        )


def still_windows(survey: Survey) -> FloatArray:
    """Mean acceleration of each 10-s window at rest, in g, shape (k, 3)."""
    whole = survey.window_count >= WINDOW_FILLED * np.median(survey.window_count)
    still = np.all(survey.sd_g < REST_SD_G, axis=1)
    plausible = np.all(np.abs(survey.mean_g) < REST_MEAN_MAX_G, axis=1)
    return survey.mean_g[whole & still & plausible].astype(np.float64)


def calibrate(survey: Survey) -> Calibration:
    """Fit gain and offset so that rest lies on the sphere of 1 g (van Hees et al. 2014).

    Each still window is moved to the closest point of the unit sphere, each axis is fitted to
    those points by weighted least squares, and both steps are repeated until the error stands
    still. Unlike the authors' software no temperature term is fitted, and a fit is refused where
    it would not help.

    Parameters
    ----------
    survey : Survey
        Window statistics of the whole recording.

    Returns
    -------
    Calibration
        With status and residual error.
    """
    rest = still_windows(survey)
    one, zero = np.ones(3), np.zeros(3)
    if len(rest) == 0:
        return Calibration("too_little_rest", one, zero, float("nan"), float("nan"), 0)
    before = float(np.mean(np.abs(np.linalg.norm(rest, axis=1) - 1.0)))
    if len(rest) < WINDOWS_ENOUGH:
        return Calibration("too_little_rest", one, zero, before, before, len(rest))
    low_enough = np.min(rest, axis=0) < -SPHERE_FILLED_G
    high_enough = np.max(rest, axis=0) > SPHERE_FILLED_G
    if not np.all(low_enough & high_enough):
        return Calibration("too_few_postures", one, zero, before, before, len(rest))
    gain, offset_g = _fit_sphere(rest)
    corrected = gain * (rest + offset_g)
    after = float(np.mean(np.abs(np.linalg.norm(corrected, axis=1) - 1.0)))
    sane = np.all(np.abs(gain - 1.0) < GAIN_DEVIATION_MAX) and np.all(
        np.abs(offset_g) < OFFSET_MAX_G
    )
    if not (sane and after < before and after < ERROR_ENOUGH_G):
        return Calibration("no_better", one, zero, before, after, len(rest))
    return Calibration("calibrated", gain, offset_g, before, after, len(rest))


def _fit_sphere(rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gain (3,) and offset (3,) that bring points (k, 3) closest to the unit sphere."""
    scale, shift = np.ones(3), np.zeros(3)
    weight, target, sums = np.ones(len(rest)), np.empty_like(rest), np.empty((3, 4))
    _kernels.fit_sphere(rest, ITERATIONS, TOLERANCE, weight, target, sums, scale, shift)
    return scale, shift / scale
