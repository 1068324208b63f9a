"""How one person's nights got their arms: what the randomization test redraws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.study.assignments import (
    MONTE_CARLO_DRAWS,
    MOST_ENUMERATED,
    Arms,
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
        names = np.column_stack([self.block, self.period])
        _, first, of_night = np.unique(names, axis=0, return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(len(first))
        first = np.sort(first)
        return rank[of_night.ravel()], self.block[first], self.arm[first]


def redrawn_arms(
    block: IntArray,
    arm: IntArray,
    used: BoolArray,
    n_arms: int,
    max_run: int | None,
    seed: int,
) -> tuple[Arms, bool]:
    """Assignments that the scheme could have given to the units that are used.

    Units that are not used (a missing night) keep their place in the sequence where a cap on
    runs ties the units together. The numbers of each arm among the used units of a block are
    held at what they were: given them, all remaining assignments stay equally likely, and the
    estimate has the same form in each.

    Parameters
    ----------
    block, arm : ndarray of int64, shape (units,)
        Block and assigned arm of each unit, in the order of time.
    used : ndarray of bool, shape (units,)
        Units that enter the contrast.
    n_arms : int
    max_run : int or None
    seed : int
        For the draws where there are too many assignments to list.

    Returns
    -------
    arms : ndarray of int8, shape (r, used units)
        All assignments, or draws from them.
    exact : bool
        Whether they are all.
    """
    if max_run is None:
        block, arm, used = block[used], arm[used], used[used]
    # The strata are the used and the unused units of each block.
    names = list(zip(block.tolist(), used.tolist(), strict=True))
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    stratum = tuple(number[name] for name in names)
    counts = np.zeros((len(number), n_arms), np.int64)
    np.add.at(counts, (np.array(stratum, np.int64), arm), 1)
    arms, exact = _arms_of(stratum, tuple(map(tuple, counts.tolist())), max_run, seed)
    return (arms if used.all() else arms[:, used]), exact


@lru_cache(maxsize=16)
def _arms_of(
    stratum: tuple[int, ...], counts: tuple[tuple[int, ...], ...], max_run: int | None, seed: int
) -> tuple[Arms, bool]:
    """List or draw assignments, once for all persons and outcomes that share them."""
    space = assignment_space(stratum, counts, max_run)
    if space.size <= MOST_ENUMERATED:
        return space.every(), True
    return space.draw(MONTE_CARLO_DRAWS, np.random.default_rng(seed)), False


def indicator(labels: IntArray) -> FloatArray:
    """Return one column of zeros and ones for each distinct label, shape (n, labels)."""
    return (labels[:, None] == np.unique(labels)[None, :]).astype(np.float64)
