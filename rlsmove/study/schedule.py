"""How one person's nights got their arms: what the randomization test redraws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.study.assignments import (
    MONTE_CARLO_DRAWS,
    MOST_ENUMERATED,
    Arms,
    AssignmentSpace,
    assignment_space,
)

#: Schemes by which conditions are assigned, in the words of the command line.
SCHEMES = ("pairs", "blocks", "free", "none")


@dataclass(frozen=True)
class Schedule:
    """The arms of one person's nights, in the order of time.

    The unit that gets an arm is a period: one night, or a few in a row with the same arm. Arms
    were shuffled within each block of periods, the numbers of each arm fixed.

    Attributes
    ----------
    scheme : str
        One of `SCHEMES`; ``none`` was not randomized and is never redrawn.
    block, period : ndarray of int64, shape (nights,)
        Number of the block and of the period that each night belongs to.
    arm : ndarray of int64, shape (nights,)
        The arm assigned to each night, the same throughout a period.
    n_arms : int
        Number of arms.
    max_run : int or None
        Longest run of periods with one arm that the scheme allowed.
    """

    scheme: str
    block: IntArray
    period: IntArray
    arm: IntArray
    n_arms: int
    max_run: int | None = None

    def units(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return the periods in the order of time.

        Returns
        -------
        of_night : ndarray of int64, shape (nights,)
            The unit that each night belongs to.
        block, arm : ndarray of int64, shape (units,)
            Block and arm of each unit.
        """
        return self._units

    @cached_property
    def _units(self) -> tuple[IntArray, IntArray, IntArray]:
        names = np.column_stack([self.block, self.period])
        _, first, of_night = np.unique(names, axis=0, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(len(first))
        first = np.sort(first)
        return rank[of_night.ravel()], self.block[first], self.arm[first]

    def longest_run(self) -> int:
        """Return how many units in a row have one arm, at most."""
        _, _, arm = self.units()
        changes = np.flatnonzero(np.diff(arm, prepend=-1, append=-1))
        return int(np.diff(changes).max(initial=0))


@dataclass(frozen=True)
class Redraw:
    """The assignments that a scheme could have given to one person's nights.

    Attributes
    ----------
    stratum : tuple of int, length units
        Stratum of each unit: arms are shuffled within.
    counts : tuple of tuple of int, shape (strata, arms)
        Units of each arm in each stratum.
    max_run : int or None
    """

    stratum: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]
    max_run: int | None

    @property
    def space(self) -> AssignmentSpace:
        """All assignments, over the units."""
        return assignment_space(self.stratum, self.counts, self.max_run)

    @property
    def size(self) -> int:
        """How many they are."""
        if self.max_run is not None:
            return self.space.size
        orders = (math.factorial(sum(row)) for row in self.counts)
        alike = (math.factorial(n) for row in self.counts for n in row)
        return math.prod(orders) // math.prod(alike)


def redraw(schedule: Schedule, in_contrast: BoolArray) -> Redraw:
    """Find what else the scheme could have given to the nights of a contrast.

    Every night that was assigned keeps its place in the sequence, also one without a result: it
    is redrawn with the others, and missing in each assignment. Units of arms outside the contrast
    are shuffled among themselves only, so that the contrast's own places stay what they were.

    Parameters
    ----------
    schedule : Schedule
    in_contrast : ndarray of bool, shape (arms,)
        Arms that the contrast is between.
    """
    _, block, arm = schedule.units()
    names = list(zip(block.tolist(), in_contrast[arm].tolist(), strict=True))
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    stratum = tuple(number[name] for name in names)
    counts = np.zeros((len(number), schedule.n_arms), np.int64)
    np.add.at(counts, (np.array(stratum, np.int64), arm), 1)
    return Redraw(stratum, tuple(map(tuple, counts.tolist())), schedule.max_run)


@lru_cache(maxsize=16)
def redrawn_arms(redraw: Redraw, assigned: tuple[int, ...], seed: int) -> tuple[Arms, bool]:
    """List or draw assignments, once for all persons and outcomes that share them.

    Parameters
    ----------
    redraw : Redraw
    assigned : tuple of int, length units
        The arms as they were; the first row where the others are drawn.
    seed : int
        For the draws where there are too many assignments to list.

    Returns
    -------
    arms : ndarray of int8, shape (r, units)
        The assigned one is among them.
    exact : bool
        Whether they are all that there are.
    """
    if redraw.size <= MOST_ENUMERATED:
        return redraw.space.every(), True
    drawn = redraw.space.draw(MONTE_CARLO_DRAWS, np.random.default_rng(seed))
    return np.vstack([np.array(assigned, np.int8), drawn]), False


def indicator(labels: IntArray) -> FloatArray:
    """Return one column of zeros and ones for each distinct label, shape (n, labels)."""
    return (labels[:, None] == np.unique(labels)[None, :]).astype(np.float64)
