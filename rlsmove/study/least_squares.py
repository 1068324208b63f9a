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
    fixed = np.column_stack([np.ones(len(y)), *others])
    if len(y) - fixed.shape[1] - 1 < 2:
        return None
    solved = np.linalg.lstsq(fixed, np.column_stack([x, y]), rcond=None)[0]
    x_left, y_left = (np.column_stack([x, y]) - fixed @ solved).T
    size = float(x_left @ x_left)
    if size <= 1e-9 * max(float(x @ x), 1e-300):
        return None
    return float(x_left @ y_left) / size


def residuals(y: FloatArray, *columns: FloatArray) -> FloatArray:
    """Return what a constant and the columns leave of y, shape (n,)."""
    fixed = np.column_stack([np.ones(len(y)), *columns])
    return y - fixed @ np.linalg.lstsq(fixed, y, rcond=None)[0]
