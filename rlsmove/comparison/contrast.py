"""The contrast of two conditions over one person's nights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlsmove.comparison import hodges_lehmann
from rlsmove.comparison.randomized_shift import ShiftTest, shift_test
from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.study.schedule import Schedule, indicator, redrawn_arms


@dataclass(frozen=True)
class Contrast:
    """What one person's nights say of a contrast.

    Attributes
    ----------
    shift : float
        Hodges-Lehmann estimate: over the differences of the blocks, or over all pairs of nights
        where there is one block; brought to the nearer end of the interval in the rare case of
        differences so skewed that it lies beyond, as the interval is that of the test on means.
    low, high : float
        95 % interval by inversion of the test; NaN where not randomized, infinite where so few
        assignments exclude nothing.
    p, p_minimum : float
        NaN where not randomized.
    se : float
        Standard error of the mean shift; NaN where it cannot be estimated.
    mean : float
        Least-squares shift, the one number of this person in a cohort.
    used : ndarray of bool, shape (nights,)
        Nights that entered.
    test : ShiftTest or None
        None where not randomized.
    """

    shift: float
    low: float
    high: float
    p: float
    p_minimum: float
    se: float
    mean: float
    used: BoolArray
    test: ShiftTest | None


def contrast(
    values: FloatArray,
    schedule: Schedule,
    level: FloatArray,
    *,
    seed: int,
    adjust: FloatArray | None = None,
) -> Contrast | None:
    """Contrast the nights of some arms with those of others.

    Parameters
    ----------
    values : ndarray, shape (nights,)
        Outcome of each night of the schedule; NaN where the night has none or is left out.
    schedule : Schedule
        How the nights got their arms.
    level : ndarray, shape (arms,)
        The number that each arm has in the contrast (1 treated, 0 control); NaN for an arm that
        is not part of it.
    seed : int
        For draws where the assignments are too many to list.
    adjust : ndarray, shape (nights, k), optional
        Columns held fixed, such as the night's number.

    Returns
    -------
    Contrast or None
        None where no block holds nights on both sides.
    """
    usable = np.isfinite(values)
    if adjust is not None:
        usable &= np.isfinite(adjust).all(axis=1)
    if not usable.any():
        return None
    unit_of_night, block, arm = schedule.units()
    nights = np.bincount(unit_of_night[usable], minlength=len(block))
    with np.errstate(invalid="ignore"):
        y = np.bincount(unit_of_night[usable], values[usable], len(block)) / nights
        columns = (
            [np.bincount(unit_of_night[usable], c[usable], len(block)) / nights for c in adjust.T]
            if adjust is not None
            else []
        )
    x = level[arm]
    used = (nights > 0) & np.isfinite(x)
    for name in np.unique(block):
        inside = used & (block == name)
        if inside.any() and np.ptp(x[inside]) == 0.0:
            used &= block != name
    if not used.any():
        return None

    y, x, blocks = y[used], x[used], block[used]
    fixed = np.column_stack([column[used] for column in columns]) if columns else None
    if schedule.scheme == "none":
        redrawn, exact = x[None, :], True
    else:
        arms, exact = redrawn_arms(block, arm, used, schedule.n_arms, schedule.max_run, seed)
        redrawn = level[arms]
    test = shift_test(y, x, redrawn, indicator(blocks), fixed, exact=exact)
    if test is None:
        return None
    shift = test.estimate if columns else _hodges_lehmann(y, x, blocks, test.estimate)
    entered = usable & used[unit_of_night]
    if schedule.scheme == "none":
        nan = float("nan")
        return Contrast(shift, nan, nan, nan, nan, nan, test.estimate, entered, None)
    return Contrast(
        shift=min(max(shift, test.low), test.high),
        low=test.low,
        high=test.high,
        p=test.p,
        p_minimum=test.p_minimum,
        se=test.se,
        mean=test.estimate,
        used=entered,
        test=test,
    )


def _hodges_lehmann(y: FloatArray, x: FloatArray, block: IntArray, otherwise: float) -> float:
    """Estimate over the blocks' differences; `otherwise` where x has more than two levels."""
    levels = np.unique(x)
    if len(levels) > 2:
        return otherwise
    high = x == levels[-1]
    names = np.unique(block)
    scale = float(levels[-1] - levels[0])
    if len(names) == 1:
        return hodges_lehmann.of_two_samples(y[high], y[~high]) / scale
    differences = [
        y[high & (block == name)].mean() - y[~high & (block == name)].mean() for name in names
    ]
    return hodges_lehmann.of_differences(np.array(differences)) / scale
