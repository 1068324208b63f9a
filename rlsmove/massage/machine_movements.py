"""Movements that a machine made, marked among those of the sleeper, and the time that it hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rlsmove.massage.machine_cycles import Clock
from rlsmove.records import MACHINE, BoolArray, IntArray, Intervals, Movements
from rlsmove.scoring.intervals import holding, union

#: A movement belongs to a cycle whose edge its onset comes this close to; its end may come this
#: much later than the cycle's own.
ONSET_NEAR_MS, END_NEAR_MS = 800, 1500

#: A movement that is this many times as large as the cycles' own is the sleeper's, in their midst.
LARGER = 2.5

#: Movements at any other point of the cycle are the machine's as well where this share of the
#: cycles around have one there.
LOCKED_SHARE = 0.5
LOCKED_CYCLES = 10


def machine_windows(clocks: Sequence[Clock]) -> Intervals:
    """When the edges of all cycles show."""
    onset_ms, offset_ms = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for clock in clocks:
        start_ms = np.round(1000 * clock.cycles_s()).astype(np.int64)
        onset_ms.append(start_ms)
        offset_ms.append(start_ms + round(1000 * clock.length_s))
    return union(np.concatenate(onset_ms), np.concatenate(offset_ms))


def mark_machine(movements: Movements, clocks: Sequence[Clock]) -> Movements:
    """Mark the movements of one leg that are cycles of a machine.

    Parameters
    ----------
    movements : Movements
        Of every kind, sorted by onset.
    clocks : sequence of Clock
        The machine's, by the same clock as the movements.

    Returns
    -------
    Movements
        A cycle is of kind machine; a movement that begins with one but is much larger than they
        are stays what it was taken for.
    """
    if not clocks or not len(movements):
        return movements
    made = _made_by_machine(movements, clocks)
    return replace(
        movements,
        kind=np.where(made, np.int8(MACHINE), movements.kind),
        probability=np.where(made, np.nan, movements.probability),
    )


def _made_by_machine(movements: Movements, clocks: Sequence[Clock]) -> BoolArray:
    windows = machine_windows(clocks)
    onset_ms, end_ms = movements.onset_ms, movements.onset_ms + movements.duration_ms
    wide = union(windows.onset_ms - ONSET_NEAR_MS, windows.offset_ms + END_NEAR_MS)
    made = (holding(wide, onset_ms) >= 0) & (holding(wide, end_ms) >= 0)
    made |= _locked(onset_ms, clocks)
    larger = np.zeros(len(movements), bool)
    if np.any(made):
        for size in (movements.peak_g, movements.tilt_deg):
            typical = np.nanquantile(size[made], 0.75) if not np.all(np.isnan(size[made])) else 0
            larger |= np.nan_to_num(size) > LARGER * typical
    return made & ~larger


def _locked(onset_ms: IntArray, clocks: Sequence[Clock]) -> BoolArray:
    """Which onsets come at a point of the cycle at which many cycles around have one."""
    locked = np.zeros(len(onset_ms), bool)
    for clock in clocks:
        cycles_s = clock.cycles_s()
        place = np.interp(
            onset_ms / 1000, cycles_s, np.arange(len(cycles_s)), left=np.nan, right=np.nan
        )
        reach = ONSET_NEAR_MS / 1000 / clock.period_s
        for row in np.flatnonzero(~np.isnan(place)):
            off = place - place[row]
            near = (np.abs(off) <= LOCKED_CYCLES + 0.5) & (np.abs(off - np.round(off)) < reach)
            others = len(np.unique(np.round(off[near]))) - 1
            locked[row] |= others >= LOCKED_SHARE * 2 * LOCKED_CYCLES
    return locked
