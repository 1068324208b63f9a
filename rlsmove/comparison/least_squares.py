"""Single coefficients of a line or plane, for what stands beside a contrast."""

from __future__ import annotations

import numpy as np

from rlsmove.records import FloatArray


def slope(y: FloatArray, x: FloatArray, *others: FloatArray) -> float | None:
    """Return the least-squares coefficient of x, a constant and other columns held fixed.

    Parameters
    ----------
    y, x : ndarray, shape (n,)
    *others : ndarray, shape (n,) or (n, k)

    Returns
    -------
    float or None
        None where the columns do not tell x apart, or leave fewer than two rows to spare.
    """
    columns = np.column_stack([x, *others])
    if len(y) - columns.shape[1] - 1 < 2:
        return None
    x_left, y_left = residuals(x, *others), residuals(y, *others)
    size, spread = float(x_left @ x_left), float(np.var(x)) * len(x)
    if size <= 1e-9 * max(spread, 1e-300):
        return None
    return float(x_left @ y_left) / size


def residuals(y: FloatArray, *columns: FloatArray) -> FloatArray:
    """Return what a constant and the columns leave of y, shape (n,)."""
    # Centered first: the day of a date is a large number that would drown its own changes.
    y = y - y.mean()
    if not columns:
        return y
    fixed = np.column_stack(columns)
    fixed = fixed - fixed.mean(axis=0)
    return y - fixed @ np.linalg.lstsq(fixed, y, rcond=None)[0]
