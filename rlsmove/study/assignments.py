"""Every sequence of arms that a scheme could have given, all of them equally likely."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Arms = NDArray[np.int8]

#: Enumerate at most this many assignments; beyond, draw.
MOST_ENUMERATED = 2**16

#: Draws beyond that: with the observed one they are 10,000, of which 2.5 % are a whole number, so
#: that each tail of the test has its level exactly.
MONTE_CARLO_DRAWS = 9_999

#: A place in the making of a sequence: the last arm, the length of its run, and what is left of
#: each stratum that has begun and not ended.
_Node = tuple[int, int, tuple[tuple[int, ...], ...]]


class AssignmentSpace:
    """The set of sequences with given numbers of each arm in each stratum, and no long runs.

    The sequences are the paths through a graph whose nodes say what is left to assign. The
    number of paths from each node is counted exactly, in whole numbers, which gives the size of
    the set, all of its members, and draws that are exactly uniform over it: no draw is rejected,
    and no arm is favored because the other one happened to run into the cap.

    Parameters
    ----------
    stratum : tuple of int, length n
        Stratum of each unit (a night, or a period of nights), in the order of time.
    counts : tuple of tuple of int, shape (strata, arms)
        How many units of each stratum have each arm.
    max_run : int or None
        The longest run of units in a row with one arm; None for no cap.

    Attributes
    ----------
    size : int
        How many sequences there are; 0 where the cap leaves none.
    """

    def __init__(
        self,
        stratum: tuple[int, ...],
        counts: tuple[tuple[int, ...], ...],
        max_run: int | None = None,
    ) -> None:
        self._n_arms = len(counts[0]) if counts else 0
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for unit, name in enumerate(stratum):
            first.setdefault(name, unit)
            last[name] = unit

        # Forward: the nodes that can be reached at each unit, and where each arm leads.
        self._next: list[NDArray[np.int64]] = []
        layer: dict[_Node, int] = {(-1, 0, ()): 0}
        open_strata: list[int] = []
        for unit, name in enumerate(stratum):
            open_later = [s for s in sorted(first) if first[s] <= unit < last[s]]
            following: dict[_Node, int] = {}
            table = np.full((len(layer), self._n_arms), -1, np.int64)
            for (last_arm, run, left), row in layer.items():
                remaining = dict(zip(open_strata, left, strict=True))
                here = remaining.get(name, counts[name])
                for arm in range(self._n_arms):
                    length = run + 1 if arm == last_arm else 1
                    if here[arm] == 0 or (max_run is not None and length > max_run):
                        continue
                    remaining[name] = (*here[:arm], here[arm] - 1, *here[arm + 1 :])
                    node: _Node = (
                        arm if max_run is not None else -1,
                        length if max_run is not None else 0,
                        tuple(remaining[s] for s in open_later),
                    )
                    table[row, arm] = following.setdefault(node, len(following))
            self._next.append(table)
            layer, open_strata = following, open_later

        # Backward: the number of whole sequences from each node.
        paths = [1] * len(layer)
        self._share: list[NDArray[np.float64]] = []
        for table in reversed(self._next):
            ways = [[paths[to] if to >= 0 else 0 for to in row] for row in table.tolist()]
            table[
                np.array([[way == 0 for way in row] for row in ways], bool).reshape(table.shape)
            ] = -1
            paths = [sum(row) for row in ways]
            # Quotients of whole numbers are rounded once, so the last share is exactly 1.
            self._share.append(
                np.array(
                    [
                        [sum(row[: arm + 1]) / max(total, 1) for arm in range(self._n_arms)]
                        for row, total in zip(ways, paths, strict=True)
                    ]
                )
            )
        self._share.reverse()
        self.size = paths[0] if paths else 0

    def every(self) -> Arms:
        """All sequences.

        Returns
        -------
        ndarray of int8, shape (size, n)
            The arm of each unit, a sequence a row.
        """
        node = np.zeros(1 if self.size else 0, np.int64)
        sequences = np.empty((len(node), 0), np.int8)
        for table in self._next:
            row, arm = np.nonzero(table[node] >= 0)
            sequences = np.column_stack([sequences[row], arm.astype(np.int8)])
            node = table[node[row], arm]
        return sequences

    def draw(self, number: int, rng: np.random.Generator) -> Arms:
        """Sequences drawn at random, each as likely as any other.

        Parameters
        ----------
        number : int
            How many to draw, with replacement.
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        ndarray of int8, shape (number, n)
            The arm of each unit, a sequence a row.
        """
        node = np.zeros(number, np.int64)
        sequences = np.empty((number, len(self._next)), np.int8)
        for unit, (table, share) in enumerate(zip(self._next, self._share, strict=True)):
            arm = (rng.random(number)[:, None] >= share[node]).sum(axis=1)
            sequences[:, unit] = arm
            node = table[node, arm]
        return sequences

    def continued(self, begun: NDArray[np.int64], units: int) -> tuple[Arms, NDArray[np.float64]]:
        """How a sequence that has begun can go on, and how likely each way is.

        Parameters
        ----------
        begun : ndarray, shape (b,)
            The arms of the first units, of a sequence of this set.
        units : int
            How many more to look at.

        Returns
        -------
        arms : ndarray of int8, shape (ways, units)
        probability : ndarray, shape (ways,)
            Share of all sequences with this beginning that go on this way.
        """
        start = 0
        for table, arm in zip(self._next, begun, strict=False):
            start = int(table[start, arm])
        node, ways, probability = np.array([start]), np.empty((1, 0), np.int8), np.ones(1)
        for unit in range(len(begun), len(begun) + units):
            table, share = self._next[unit], np.diff(self._share[unit], axis=1, prepend=0.0)
            row, arm = np.nonzero(table[node] >= 0)
            ways = np.column_stack([ways[row], arm.astype(np.int8)])
            probability = probability[row] * share[node[row], arm]
            node = table[node[row], arm]
        return ways, probability


@lru_cache(maxsize=512)
def assignment_space(
    stratum: tuple[int, ...], counts: tuple[tuple[int, ...], ...], max_run: int | None = None
) -> AssignmentSpace:
    """Return the `AssignmentSpace` of these strata, made once for all persons who share it."""
    return AssignmentSpace(stratum, counts, max_run)
