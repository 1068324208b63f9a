"""Movements of one leg joined, and those of both legs combined."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rlsmove.records import BILATERAL, KINDS, LEG_MOVEMENT, SIDES, IntArray, Movements
from rlsmove.rules import RuleSet


@dataclass(frozen=True)
class CombinedMovements:
    """Movements of either leg or of both, a row a group; arrays of length n, sorted by onset.

    Attributes
    ----------
    movements : Movements
        From the onset of the first member to the latest offset; side bilateral where the members
        are of different legs; `peak_g`, `tilt_deg`, `snr` and
        `probability` the largest of the members.
    n_monolateral : ndarray of int64
        Members of each group; a movement that was marked bilateral as such counts as two.
    longest_ms : ndarray of int64
        Duration of the longest member of a single leg; 0 where there is none.
    row_of : ndarray of int64, shape (m,)
        For each movement at the beginning, the row that it is part of; -1 where it was dropped.
    """

    movements: Movements
    n_monolateral: IntArray
    longest_ms: IntArray
    row_of: IntArray


def monolateral_movements(movements: Movements, rules: RuleSet) -> tuple[Movements, IntArray, int]:
    """Join movements of one leg that lie close, then drop leg movements that are too short.

    Parameters
    ----------
    movements : Movements
        Of one leg or of both. Every kind is joined with its own kind only.
    rules : RuleSet
        `join_gap_ms` and `lm_min_ms` are used.

    Returns
    -------
    movements : Movements
        Sorted by onset.
    row_of : ndarray of int64
        For each movement given, the row that it is part of; -1 where it was dropped.
    n_short : int
        How many leg movements were dropped.
    """
    leg_and_kind = movements.kind.astype(np.int64) * len(SIDES) + movements.side
    groups = np.empty(len(movements), np.int64)
    for value in np.unique(leg_and_kind):
        rows = np.flatnonzero(leg_and_kind == value)
        groups[rows] = rows[_gap_groups(movements.take(rows), rules.join_gap_ms)]
    joined = fold(_each_alone(movements), groups)
    table = joined.movements
    short = (table.kind == LEG_MOVEMENT) & (table.duration_ms < rules.lm_min_ms)
    row = np.where(short, -1, np.cumsum(~short) - 1)
    return table.take(~short), row[joined.row_of], int(np.count_nonzero(short))


def combined_movements(movements: Movements, row_of: IntArray, rules: RuleSet) -> CombinedMovements:
    """Combine the movements of two legs that belong together.

    Parameters
    ----------
    movements : Movements
        Of single legs, or marked bilateral as such, joined and sorted by onset.
    row_of : ndarray of int64
        As `monolateral_movements` gives it.
    rules : RuleSet
        `combine_legs`, `combine_within_ms`, `long_movements`, `clm_max_ms` and `group_max_ms`
        are used.

    Returns
    -------
    CombinedMovements
        Every kind is combined with its own kind only; kinds other than leg movements always by
        the gap, so that a turn that both legs feel is one posture shift.
    """
    limit_ms = np.where(movements.side == BILATERAL, rules.group_max_ms, rules.clm_max_ms)
    stays_alone = (
        (movements.kind == LEG_MOVEMENT)
        & (movements.duration_ms > limit_ms)
        & (rules.long_movements == "ignore")
    )
    groups = np.arange(len(movements))
    for kind in range(len(KINDS)):
        rows = np.flatnonzero((movements.kind == kind) & ~stays_alone)
        part = movements.take(rows)
        if kind == LEG_MOVEMENT and rules.combine_legs == "onsets":
            groups[rows] = rows[_onset_groups(part, rules.combine_within_ms)]
        else:
            groups[rows] = rows[_gap_groups(part, rules.combine_within_ms)]
    return fold(replace(_each_alone(movements), row_of=row_of), groups)


def fold(combined: CombinedMovements, groups: IntArray) -> CombinedMovements:
    """Make one row of the rows of each group.

    Parameters
    ----------
    combined : CombinedMovements
        n rows.
    groups : ndarray of int64, shape (n,)
        Equal numbers for rows that belong together; rows of a group are of one kind.

    Returns
    -------
    CombinedMovements
        Sorted by onset, then duration, side and kind, so that the order of the input never
        matters.
    """
    if not len(groups):
        return combined
    rows = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[rows], prepend=-1))
    members = combined.movements.take(rows)
    onset_ms = np.minimum.reduceat(members.onset_ms, starts)
    offset_ms = np.maximum.reduceat(members.onset_ms + members.duration_ms, starts)
    one_side = np.minimum.reduceat(members.side, starts)
    same_side = one_side == np.maximum.reduceat(members.side, starts)
    table = Movements(
        onset_ms,
        offset_ms - onset_ms,
        np.where(same_side, one_side, np.int8(BILATERAL)),
        members.kind[starts],
        # fmax: a member without signal hides nothing.
        np.fmax.reduceat(members.peak_g, starts),
        np.fmax.reduceat(members.tilt_deg, starts),
        np.fmax.reduceat(members.snr, starts),
        np.fmax.reduceat(members.probability, starts),
    )
    order = np.lexsort((table.kind, table.side, table.duration_ms, table.onset_ms))
    new_row = np.empty(len(groups), np.int64)
    new_row[rows] = np.repeat(np.argsort(order), np.diff(starts, append=len(rows)))
    return CombinedMovements(
        table.take(order),
        np.add.reduceat(combined.n_monolateral[rows], starts)[order],
        np.maximum.reduceat(combined.longest_ms[rows], starts)[order],
        np.where(combined.row_of < 0, -1, new_row[combined.row_of]),
    )


def _each_alone(movements: Movements) -> CombinedMovements:
    both = movements.side == BILATERAL
    return CombinedMovements(
        movements,
        np.where(both, 2, 1),
        np.where(both, 0, movements.duration_ms),
        np.arange(len(movements)),
    )


def _gap_groups(movements: Movements, gap_ms: int) -> IntArray:
    """For each row, the first row of its group: an onset less than the gap after what went before.

    The running offset may be the latest of all rows before, not only of the group: a group
    begins after all earlier offsets.
    """
    onset_ms = movements.onset_ms
    reach_ms = np.maximum.accumulate(onset_ms + movements.duration_ms)
    starts = np.ones(len(onset_ms), bool)
    starts[1:] = onset_ms[1:] >= reach_ms[:-1] + gap_ms
    return np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))


def _onset_groups(movements: Movements, within_ms: int) -> IntArray:
    """For each row, the first row of its group: of the other leg, begun less than this before."""
    groups = np.arange(len(movements))
    first = 0
    for row in range(1, len(groups)):
        near = movements.onset_ms[row] - movements.onset_ms[first] < within_ms
        if near and movements.side[row] != movements.side[first]:
            groups[row] = first
        else:
            first = row
    return groups
