"""How far two scorings agree on an index over many nights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rlsmove.records import FloatArray

#: Two-sided level of all intervals.
_CONFIDENCE = 0.95
#: Normal quantile of the limits that 95 % of differences lie in.
_LIMITS_Z = 1.959963984540054


@dataclass(frozen=True)
class IndexAgreement:
    """Agreement on one index; intervals are of 95 %. None where it cannot be said.

    Attributes
    ----------
    n : int
        Nights on which both say the index.
    bias, bias_low, bias_high : float or None
        Mean difference, test less reference.
    sd : float or None
        Standard deviation of the differences.
    limits_low, limits_high : float or None
        Limits of agreement: bias less and plus 1.96 standard deviations.
    limits_error : float or None
        Half the width of each limit's interval.
    icc, icc_low, icc_high : float or None
        Intraclass correlation for absolute agreement of single scorings, ICC(2,1).
    """

    n: int
    bias: float | None = None
    bias_low: float | None = None
    bias_high: float | None = None
    sd: float | None = None
    limits_low: float | None = None
    limits_high: float | None = None
    limits_error: float | None = None
    icc: float | None = None
    icc_low: float | None = None
    icc_high: float | None = None


def agree_on_index(reference: FloatArray, test: FloatArray) -> IndexAgreement:
    """Compare the values of an index over nights.

    Parameters
    ----------
    reference, test : ndarray of float64, shape (n,)
        Values of the same nights, all finite.

    Notes
    -----
    Limits of agreement: Bland JM and Altman DG, Lancet 1986;1:307-10, with the standard error of
    a limit as there. ICC: `icc_2_1`.
    """
    from scipy.special import stdtrit

    n = len(reference)
    if n == 0:
        return IndexAgreement(0)
    differences = test - reference
    bias = float(np.mean(differences))
    if n < 2:
        return IndexAgreement(n, bias)
    sd = float(np.std(differences, ddof=1))
    t = float(stdtrit(n - 1, (1 + _CONFIDENCE) / 2))
    half = t * sd / math.sqrt(n)
    limits_error = t * sd * math.sqrt(1 / n + _LIMITS_Z**2 / (2 * (n - 1)))
    return IndexAgreement(
        n,
        bias,
        bias - half,
        bias + half,
        sd,
        bias - _LIMITS_Z * sd,
        bias + _LIMITS_Z * sd,
        limits_error,
        *icc_2_1(np.column_stack([reference, test])),
    )


def icc_2_1(ratings: FloatArray) -> tuple[float | None, float | None, float | None]:
    """Intraclass correlation for absolute agreement of single ratings, with its 95 % interval.

    Parameters
    ----------
    ratings : ndarray of float64, shape (n, k)
        k ratings of n targets.

    Returns
    -------
    icc, low, high : float or None
        None where the ratings do not vary, or there are fewer than three targets.

    Notes
    -----
    Shrout PE and Fleiss JL, Psychol Bull 1979;86:420-8, case 2; interval by McGraw KO and Wong
    SP, Psychol Methods 1996;1:30-46.
    """
    from scipy.special import fdtri

    n, k = ratings.shape
    if n < 3:
        return None, None, None
    mean = ratings.mean()
    of_targets = ratings.mean(axis=1) - mean
    of_raters = ratings.mean(axis=0) - mean
    rest = ratings - mean - of_targets[:, None] - of_raters[None, :]
    ms_targets = k * float(np.sum(of_targets**2)) / (n - 1)
    ms_raters = n * float(np.sum(of_raters**2)) / (k - 1)
    ms_rest = float(np.sum(rest**2)) / ((n - 1) * (k - 1))
    total = ms_targets + (k - 1) * ms_rest + k * (ms_raters - ms_rest) / n
    # What is left of differences between equal numbers is rounding.
    tiny = 1e-12 * (1 + mean**2)
    if total <= tiny:
        return None, None, None
    if ms_rest <= tiny and ms_raters <= tiny:
        return 1.0, 1.0, 1.0
    icc = (ms_targets - ms_rest) / total
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    spread = (a * ms_raters) ** 2 / (k - 1) + (b * ms_rest) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * ms_raters + b * ms_rest) ** 2 / spread
    p = (1 + _CONFIDENCE) / 2
    f_low, f_high = float(fdtri(n - 1, freedom, p)), float(fdtri(freedom, n - 1, p))
    raters = k * ms_raters + (k * n - k - n) * ms_rest
    low = n * (ms_targets - f_low * ms_rest) / (f_low * raters + n * ms_targets)
    high = n * (f_high * ms_targets - ms_rest) / (raters + n * f_high * ms_targets)
    return icc, low, high
