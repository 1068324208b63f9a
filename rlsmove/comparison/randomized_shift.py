r"""The randomization test of a shift, and its interval by inversion.

A night's outcome y is looked at through a working model that is fixed beforehand: a level and a
linear trend over the days, and noise that carries over from one night to the next (first-order
autoregressive over calendar nights, correlation `CARRIES_ON`). With V its correlation matrix, C
the fixed columns and ``M = V⁻¹ - V⁻¹C (C'V⁻¹C)⁻¹ C'V⁻¹``, the statistic for a shift b is
``z_b(a) = a'M(y - ba₀) / √(a'Ma)``, a₀ being the assignment that was made. Under the hypothesis
y - ba₀ would have been the same under any other assignment, so z_b(a₀) is one of all z_b(a) that
the scheme could have given, each as likely as it was to be drawn. The model decides only which
differences the test looks for; whether it fits or not, p is exact. Nothing in it depends on b: were
the correlation estimated anew for each b, the accepted shifts would fall into pieces.

z_b(a₀) falls faster with b than any z_b(a) (Cauchy-Schwarz), so each a passes a₀ once, at
``b = (z₀(a₀) - z₀(a)) / (√(a₀'Ma₀) - a'Ma₀/√(a'Ma))``. The share of assignments at or above a₀ is
the share of crossings at or below b, and the other way round: each tail is monotone in b, and the
shifts with p > 0.05 are those between two order statistics of the crossings. The interval needs no
search and cannot contradict p.

Pitman, J R Stat Soc Suppl 1937;4:119-30 (the test); Rosenbaum, Observational Studies, 2002, ch. 2
(its inversion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlsmove.records import FloatArray, IntArray
from rlsmove.study.assignments import MONTE_CARLO_DRAWS, MOST_ENUMERATED

#: Level of the tests; the intervals are of 1 - ALPHA = 95 %.
ALPHA = 0.05

#: Correlation of one night with the next in the working model. Simulated persons whose nights
#: correlate by 0 to 0.6 lose little power by it, and the level holds at any correlation.
CARRIES_ON = 0.3

#: Relative to the data's size: differences below it are rounding, and count as ties.
TIE = 1e-10


@dataclass(frozen=True)
class ShiftTest:
    """A shift with its test.

    Attributes
    ----------
    estimate : float
        Shift per unit of the assignment, in the units of the outcome.
    low, high : float
        95 % interval; infinite where so few assignments cannot exclude any value.
    p : float
        Two-sided p of no shift: twice the smaller tail, at most 1.
    p_minimum : float
        The smallest p that any outcome could give with these assignments.
    noise : float
        SD of the statistic over the assignments, if the estimate is the true shift; NaN where
        the assignments do not tell.
    information : float
        a₀'Ma₀: the estimate's variance is noise² / information.
    assignments : int
        Assignments compared, the one that was made among them.
    """

    estimate: float
    low: float
    high: float
    p: float
    p_minimum: float
    noise: float
    information: float
    assignments: int


def fixed_columns(day: FloatArray, *others: FloatArray, trend: bool = True) -> FloatArray:
    """Return the columns that the working model holds fixed.

    Parameters
    ----------
    day : ndarray, shape (n,)
    *others : ndarray, shape (n,) or (n, k)
        Such as what the diary says of the day.
    trend : bool
        Whether the days have a linear trend. Two nights cannot tell one from a shift, so there
        it is left out.

    Returns
    -------
    ndarray, shape (n, columns)
    """
    columns = [np.ones(len(day)), *others]
    if trend and len(day) > 2:
        columns.insert(1, day)
    return np.column_stack([c - np.mean(c, axis=0) if i else c for i, c in enumerate(columns)])


def whitened(rows: FloatArray, day: IntArray) -> FloatArray:
    """Take out of each night what the working model carries on from the night before.

    Parameters
    ----------
    rows : ndarray, shape (..., n)
        Values of the nights, along the last axis.
    day : ndarray of int64, shape (n,)
        Increasing.

    Returns
    -------
    ndarray, of that shape
        Its nights are uncorrelated and of one variance if the model's are. (V⁻¹ of such a series
        is a product of two matrices with two diagonals each, gaps or not.)
    """
    carried = CARRIES_ON ** np.diff(day).astype(np.float64)
    fresh = rows.astype(np.float64)
    fresh[..., 1:] -= carried * rows[..., :-1]
    fresh[..., 1:] /= np.sqrt(1.0 - carried**2)
    return fresh


def orthonormal(columns: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the columns' span, shape (n, rank)."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, size > TIE * max(1.0, float(size.max(initial=0.0)))]


def freed(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """Return what a basis leaves of each row, shape (..., n)."""
    return rows - (rows @ basis) @ basis.T


def unit_rows(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scale rows to length 1, those that are mere rounding to 0; return their lengths too."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    length[length <= TIE * max(1.0, float(length.max(initial=0.0)))] = 0.0
    return rows / np.where(length > 0.0, length, np.inf)[:, None], length


def shift_test(
    y: FloatArray, assigned: FloatArray, redrawn: FloatArray, *, size: float
) -> ShiftTest | None:
    """Test whether an assignment shifts an outcome, against what could have been assigned.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome of each night that has one, `whitened` and `freed` of the fixed columns.
    assigned : ndarray, shape (n,)
        The assignment that was made, likewise.
    redrawn : ndarray, shape (r, n)
        All assignments or draws from them, the one that was made included, likewise, and as
        `unit_rows` makes them.
    size : float
        Largest outcome, before anything was taken out of it: what is far below it is rounding.

    Returns
    -------
    ShiftTest or None
        None where the fixed columns leave nothing of the assignment: there is no contrast.
    """
    root = float(np.sqrt(assigned @ assigned))
    if root <= TIE:
        return None
    return crossings_test(
        float(assigned @ y) / root, root, redrawn @ y, redrawn @ assigned, size=size
    )


def sign_flip_test(values: FloatArray, rng: np.random.Generator) -> ShiftTest:
    """Test whether values that are symmetric about their center have it at zero.

    Parameters
    ----------
    values : ndarray, shape (n,), n >= 1
        One value a person. They need not be equally precise, nor normal.
    rng : numpy.random.Generator
        Used where there are more than `MOST_ENUMERATED` ways to flip the signs.

    Returns
    -------
    ShiftTest
        Its statistic is the mean; every way to flip signs is one assignment.
    """
    n = len(values)
    if 2**n <= MOST_ENUMERATED:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        t, c = signs @ values, signs.sum(axis=1)
    else:
        t, c = (
            np.full(MONTE_CARLO_DRAWS + 1, values.sum()),
            np.full(MONTE_CARLO_DRAWS + 1, float(n)),
        )
        rows = max(1, 2**22 // n)  # a slice of the draws at a time bounds the memory
        for start in range(1, len(t), rows):
            part = slice(start, min(start + rows, len(t)))
            signs = 1.0 - 2.0 * rng.integers(0, 2, (part.stop - part.start, n), np.int8)
            t[part], c[part] = signs @ values, signs.sum(axis=1)
    root = float(np.sqrt(n))
    size = float(np.abs(values).max())
    return crossings_test(float(values.sum()) / root, root, t / root, c / root, size=size)


def crossings_test(
    z: float, root: float, z_redrawn: FloatArray, c_redrawn: FloatArray, *, size: float
) -> ShiftTest:
    """Count and invert, as the module's notes say.

    Parameters
    ----------
    z : float
        z₀ of the assignment that was made.
    root : float
        √(a₀'Ma₀).
    z_redrawn, c_redrawn : ndarray, shape (r,)
        z₀(a) and a'Ma₀/√(a'Ma) of every assignment, the one that was made included.
    size : float
        Of the data, for ties.
    """
    faster = root - c_redrawn
    never = faster <= TIE * root  # the same on the nights that are there: a tie at any shift
    crossing = np.divide(z - z_redrawn, faster, out=np.full(len(z_redrawn), np.inf), where=~never)
    crossing[np.abs(crossing) <= TIE * size / root] = 0.0
    number, ties = len(crossing), int(np.count_nonzero(never))
    above = ties + int(np.count_nonzero(crossing[~never] <= 0.0))
    below = int(np.count_nonzero(crossing >= 0.0))
    # A shift is rejected where no more than this many are in one tail.
    rejecting = int(np.floor(ALPHA / 2 * number + 1e-9))
    rising = np.where(never, -np.inf, crossing)
    estimate = z / root
    share = c_redrawn / root
    spared = 1.0 - float(np.mean(share**2))
    rest = z_redrawn - estimate * c_redrawn
    return ShiftTest(
        estimate=estimate,
        low=float(np.partition(rising, rejecting)[rejecting]),
        high=float(-np.partition(-crossing, rejecting)[rejecting]),
        p=min(1.0, 2 * min(above, below) / number),
        p_minimum=min(1.0, 2 * ties / number),
        noise=float(np.sqrt(np.mean(rest**2) / spared)) if spared > TIE else float("nan"),
        information=root**2,
        assignments=number,
    )
