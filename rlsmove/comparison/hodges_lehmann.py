"""The Hodges-Lehmann estimate of a center: the median of all averages of two.

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
