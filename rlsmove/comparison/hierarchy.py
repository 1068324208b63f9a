"""Each person's shift with help from the others', and where the next person's may lie.

A normal hierarchical model: estimates around the persons' true shifts, with the errors that
redrawing gave; true shifts around a common center with a spread that is not known. The center has
a flat prior, the spread a half-normal one, integrated out on a grid: no sampler, no chance.
Errors are themselves estimated from few nights; each is drawn towards the cohort's
(`_COMMON_FREEDOM`), and the intervals are widened from the normal to Student's t. Gelman et al.,
Bayesian Data Analysis, 3rd ed., ch. 5; the prior after Röver et al., Res Synth Methods
2021;12:448-74.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.records import FloatArray

#: Scale of the prior of the spread between persons, in units of the natural logarithm.
SPREAD_SCALE = 0.75

#: How many degrees of freedom the cohort's common error counts beside a person's own.
_COMMON_FREEDOM = 12.0

_GRID = np.linspace(0.0, 4.0 * SPREAD_SCALE, 121)


@dataclass(frozen=True)
class Hierarchy:
    """Shifts of the natural logarithm.

    Attributes
    ----------
    mean, low, high : ndarray, shape (persons,)
        Of each person's true shift, with 95 % interval.
    next_low, next_high : float
        95 % interval for one more person's true shift.
    spread : float
        Median of the SD of the true shifts between persons.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    next_low: float
    next_high: float
    spread: float


def hierarchy(estimates: FloatArray, errors: FloatArray, nights: FloatArray) -> Hierarchy:
    """Take persons' estimates together.

    Parameters
    ----------
    estimates, errors : ndarray, shape (persons,)
        Shifts with their standard errors.
    nights : ndarray, shape (persons,)
        That each estimate is made of.
    """
    freedom = np.maximum(nights - 3.0, 1.0)
    of_night = errors**2 * nights
    common = float(freedom @ of_night / freedom.sum())
    together = freedom + _COMMON_FREEDOM
    variance = (freedom * of_night + _COMMON_FREEDOM * common) / together / nights
    variance = np.maximum(variance, 1e-12)

    weight = 1.0 / (variance + _GRID[:, None] ** 2)
    sum_of_weights = weight.sum(axis=1)
    center = weight @ estimates / sum_of_weights
    away = (weight * (estimates - center[:, None]) ** 2).sum(axis=1)
    log_density = (
        np.log(weight).sum(axis=1) / 2
        - np.log(sum_of_weights) / 2
        - away / 2
        - (_GRID / SPREAD_SCALE) ** 2 / 2
    )
    density = np.exp(log_density - log_density.max())
    density /= density.sum()

    own = _GRID[:, None] ** 2 * weight
    mean = own * estimates + (1 - own) * center[:, None]
    sd = np.sqrt(own * variance + (1 - own) ** 2 / sum_of_weights[:, None])
    low, high = _interval(density, mean, sd, together)
    next_sd = np.sqrt(_GRID**2 + 1.0 / sum_of_weights)
    next_low, next_high = _interval(
        density, center[:, None], next_sd[:, None], np.array([together.mean()])
    )
    spread = np.interp(0.5, np.cumsum(density), _GRID)
    return Hierarchy(
        density @ mean, low, high, float(next_low[0]), float(next_high[0]), float(spread)
    )


def _interval(
    density: FloatArray, mean: FloatArray, sd: FloatArray, freedom: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the 95 % interval of mixtures of normals over the grid, widened as Student's t is."""
    middle = density @ mean
    wider = stdtrit(freedom, 1 - ALPHA / 2) / ndtri(1 - ALPHA / 2)
    ends = []
    for share in (ALPHA / 2, 1 - ALPHA / 2):
        low = np.min(mean - 8 * sd, axis=0)
        high = np.max(mean + 8 * sd, axis=0)
        for _ in range(50):
            half = (low + high) / 2
            below = density @ ndtr((half - mean) / sd) < share
            low, high = np.where(below, half, low), np.where(below, high, half)
        ends.append(middle + ((low + high) / 2 - middle) * wider)
    return ends[0], ends[1]
