"""Hodges-Lehmann estimates of a shift: medians of averages and of differences.

Hodges and Lehmann, Ann Math Stat 1963;34:598-611.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def of_differences(differences: NDArray[np.float64]) -> float:
    """Estimate the center of paired differences.

    Parameters
    ----------
    differences : ndarray, shape (n,), n >= 1

    Returns
    -------
    float
        Median of the n (n + 1) / 2 Walsh averages, those of each value with itself included.
    """
    i, j = np.triu_indices(len(differences))
    return float(np.median((differences[i] + differences[j]) / 2))


def of_two_samples(treated: NDArray[np.float64], control: NDArray[np.float64]) -> float:
    """Estimate the shift between two samples.

    Parameters
    ----------
    treated, control : ndarray, shapes (n,) and (m,), n, m >= 1

    Returns
    -------
    float
        Median of the n m differences treated minus control.
    """
    return float(np.median(np.subtract.outer(treated, control)))
