r"""The randomization test of a shift, and its interval by inversion.

The statistic is the least-squares coefficient of the assignment x, other columns held fixed, in
the form ``T = a'y / |a|``, where a is what the other columns leave of x. Under the hypothesis
that x shifts y by θ per unit, y - θx would have been the same under any other assignment, so
each redrawn assignment r gives ``T_r - θ c_r`` with ``c_r = a_r'x / |a_r|``, and the one that
was made gives ``T - θ c``. A redrawn value is at least as far from zero where
``(T - θc)² <= (T_r - θc_r)²``. As ``|c_r| <= c`` (Cauchy-Schwarz), that is an interval of θ
around the estimate T / c, with the ends ``(T - T_r) / (c - c_r)`` and
``(T + T_r) / (c + c_r)``. The p of any θ is therefore the share of intervals that hold it, it
falls on both sides of the estimate, and the set of θ with p > 0.05 is one interval whose ends
are order statistics of these ends: exact, without a search, and never at odds with p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray
from rlsmove.study.assignments import MONTE_CARLO_DRAWS, MOST_ENUMERATED

#: Level of the tests; the intervals are of 1 - ALPHA = 95 %.
ALPHA = 0.05

#: Relative to the data's size: differences below it are rounding, and count as ties.
_TIE = 1e-10


@dataclass(frozen=True)
class ShiftTest:
    """A shift with its test.

    Attributes
    ----------
    estimate : float
        Least-squares shift per unit of x, in the units of y.
    se : float
        Standard deviation of the estimate over the assignments, if this is the true shift; NaN
        where nothing is left to estimate it from.
    low, high : float
        95 % interval; infinite where so few assignments cannot exclude any value.
    p : float
        Two-sided p of no shift.
    p_minimum : float
        The smallest p that any data could give with these assignments.
    assignments : int
        Assignments compared, the observed one among them.
    exact : bool
        True where they are all that there are; False where they were drawn, and
        p = (1 + b) / (R + 1).
    """

    estimate: float
    se: float
    low: float
    high: float
    p: float
    p_minimum: float
    assignments: int
    exact: bool


def shift_test(
    y: FloatArray,
    x: FloatArray,
    redrawn: FloatArray,
    blocks: FloatArray,
    adjust: FloatArray | None = None,
    *,
    exact: bool,
) -> ShiftTest | None:
    """Test whether x shifts y, against the assignments that could have been.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome of each unit.
    x : ndarray, shape (n,)
        The assignment that was made, as a number.
    redrawn : ndarray, shape (r, n)
        All assignments (the observed one among them) where `exact`, else draws from them. In
        each block they hold the same numbers as x, in another order.
    blocks : ndarray, shape (n, b)
        Indicators of the blocks; one column of ones where there is one.
    adjust : ndarray, shape (n, k), optional
        Further columns to hold fixed.
    exact : bool
        Whether `redrawn` holds all assignments.

    Returns
    -------
    ShiftTest or None
        None where the fixed columns leave nothing of x: there is no contrast.
    """
    basis = _orthonormal(blocks if adjust is None else np.column_stack([blocks, adjust]))
    a = x - basis @ (basis.T @ x)
    c = float(np.sqrt(a @ a))
    if c < _TIE * max(1.0, float(np.abs(x).max(initial=0.0))):
        return None
    # As y and a are free of the fixed columns, what these leave of a redrawn assignment need
    # not be worked out, only its length; without further columns that is the same for all.
    size = float(np.abs(y).max())
    y = y - basis @ (basis.T @ y)
    t = float(a @ y) / c
    t_redrawn, c_redrawn = redrawn @ y, redrawn @ a
    if adjust is None:
        t_redrawn, c_redrawn = t_redrawn / c, c_redrawn / c
    else:
        square = np.einsum("ij,ij->i", redrawn, redrawn) - ((redrawn @ basis) ** 2).sum(axis=1)
        nothing = square <= (_TIE * c) ** 2
        norm = np.sqrt(np.where(nothing, np.inf, square))
        t_redrawn, c_redrawn = t_redrawn / norm, c_redrawn / norm
    freedom = len(y) - basis.shape[1]
    if freedom > 1:
        spread = t_redrawn - t / c * c_redrawn
        se = float(np.sqrt(np.mean(spread**2) * freedom / (freedom - 1))) / c
    else:
        se = float("nan")
    return _inverted(t, c, t_redrawn, c_redrawn, size=size, se=se, exact=exact)


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
    exact = 2**n <= MOST_ENUMERATED
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        t, c = signs @ values, signs.sum(axis=1)
    else:
        t, c = np.empty(MONTE_CARLO_DRAWS), np.empty(MONTE_CARLO_DRAWS)
        rows = max(1, 2**22 // n)  # a slice of the draws at a time bounds the memory
        for start in range(0, MONTE_CARLO_DRAWS, rows):
            part = slice(start, min(start + rows, MONTE_CARLO_DRAWS))
            signs = 1.0 - 2.0 * rng.integers(0, 2, (part.stop - part.start, n), np.int8)
            t[part], c[part] = signs @ values, signs.sum(axis=1)
    root = np.sqrt(n)
    se = float(np.std(values, ddof=1) / root) if n > 1 else float("nan")
    size = float(np.abs(values).max())
    return _inverted(
        float(values.sum() / root), root, t / root, c / root, size=size, se=se, exact=exact
    )


def _inverted(
    t: float,
    c: float,
    t_redrawn: NDArray[np.float64],
    c_redrawn: NDArray[np.float64],
    *,
    size: float,
    se: float,
    exact: bool,
) -> ShiftTest:
    """Count and invert, as the module's notes say; `size` is that of the data, for ties."""
    tie = _TIE * size / c
    one = _quotient(t - t_redrawn, c - c_redrawn, c)
    other = _quotient(t + t_redrawn, c + c_redrawn, c)
    # An assignment equal to the observed one, or its mirror, is as far from zero at any shift.
    always = np.isnan(one) | np.isnan(other)
    low = np.where(always, -np.inf, np.fmin(one, other))
    high = np.where(always, np.inf, np.fmax(one, other))
    low[np.abs(low) <= tie] = 0.0
    high[np.abs(high) <= tie] = 0.0
    if not exact:  # the observed assignment counts as one more draw
        low, high = np.append(low, -np.inf), np.append(high, np.inf)
        always = np.append(always, True)
    number = len(low)
    holding = int(np.count_nonzero((low <= 0.0) & (high >= 0.0)))
    # p > ALPHA wherever more than this many intervals hold the value.
    rejecting = int(np.floor(ALPHA * number + 1e-9))
    return ShiftTest(
        estimate=t / c,
        se=se,
        low=float(np.partition(low, rejecting)[rejecting]),
        high=float(-np.partition(-high, rejecting)[rejecting]),
        p=holding / number,
        p_minimum=int(np.count_nonzero(always)) / number if exact else 1 / number,
        assignments=number,
        exact=exact,
    )


def _quotient(above: FloatArray, below: FloatArray, size: float) -> FloatArray:
    """Divide, with NaN where the divisor is nothing but rounding."""
    nothing = np.abs(below) <= _TIE * size
    return np.divide(above, below, out=np.full_like(above, np.nan), where=~nothing)


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the columns' span, shape (n, rank)."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, size > _TIE * max(1.0, float(size.max(initial=0.0)))]
