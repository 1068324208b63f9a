"""Series of candidate leg movements at periodic intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlsmove.records import BoolArray, IntArray, Intervals
from rlsmove.rules import RuleSet

#: What stands between a candidate and the one before it, by its code.
BREAKS = (
    "",
    "no candidate before",
    "a movement that is no candidate",
    "a gap in the recording",
    "an interval over {imi_max}",
    "an interval under {imi_min}",
    "a movement that may not start a series",
)
UNBROKEN, NONE_BEFORE, MOVEMENT_BETWEEN, GAP_BETWEEN, OVER_MAX, UNDER_MIN, BARRED = range(7)


@dataclass(frozen=True)
class PlmSeries:
    """Which movements are periodic; arrays of length n, a row a movement.

    Attributes
    ----------
    series : ndarray of int64
        Number of the series, from 1; 0 for a movement in none.
    imi_ms : ndarray of int64
        Interval from the onset of the candidate before; -1 where it is not measured.
    run_length : ndarray of int64
        Candidates in a row with intervals as in a series; 0 for a movement that is in no run.
    skipped : ndarray of bool
        Candidates passed over because of a short interval.
    broken_by : ndarray of int64
        Index into `BREAKS`: why a candidate does not go on with the run before it.
    """

    series: IntArray
    imi_ms: IntArray
    run_length: IntArray
    skipped: BoolArray
    broken_by: IntArray


def find_plm_series(
    onset_ms: IntArray, clm: BoolArray, ends: BoolArray, gaps: Intervals, rules: RuleSet
) -> PlmSeries:
    """Find the series of periodic movements among candidates.

    Parameters
    ----------
    onset_ms : ndarray of int64, shape (n,)
        Onsets of all movements, sorted.
    clm : ndarray of bool, shape (n,)
        The candidates.
    ends : ndarray of bool, shape (n,)
        Movements that end a series; none of them a candidate. What is neither plays no part.
    gaps : Intervals
        Stretches of the recording that end a series.
    rules : RuleSet
        `imi_min_ms`, `imi_max_ms`, `series_min_clm`, `short_interval` and `strict_start` are used.
    """
    rows = np.flatnonzero(clm)
    onset = onset_ms[rows]
    between = _what_lies_between(onset, rows, ends, gaps)
    skipped, imi = _intervals(onset, between == UNBROKEN, rules)

    broken = between.copy()
    measured = broken == UNBROKEN
    broken[measured & (imi > rules.imi_max_ms)] = OVER_MAX
    if rules.short_interval == "break":
        broken[measured & (imi < rules.imi_min_ms)] = UNDER_MIN
    if rules.strict_start:
        after_short = np.append(False, broken[:-1] == UNDER_MIN)[: len(broken)]
        broken[after_short & (broken == UNBROKEN)] = BARRED

    # A run is what no break divides; those long enough are series, numbered in order.
    kept = np.flatnonzero(~skipped)
    run = np.cumsum(broken[kept] != UNBROKEN) - 1
    length = np.bincount(run, minlength=1)
    is_series = length >= rules.series_min_clm
    number = np.where(is_series, np.cumsum(is_series), 0)

    found = PlmSeries(
        np.zeros(len(clm), np.int64),
        np.full(len(clm), -1, np.int64),
        np.zeros(len(clm), np.int64),
        np.zeros(len(clm), bool),
        np.zeros(len(clm), np.int64),
    )
    found.series[rows[kept]] = number[run]
    found.run_length[rows[kept]] = length[run]
    found.imi_ms[rows] = imi
    found.skipped[rows] = skipped
    found.broken_by[rows] = broken
    return found


def _what_lies_between(
    onset: IntArray, rows: IntArray, ends: BoolArray, gaps: Intervals
) -> IntArray:
    """For each candidate, what keeps the interval from the one before from being measured."""
    ended = np.cumsum(ends)[rows]
    before = np.append(onset[:1], onset[:-1])
    gaps_begun = np.searchsorted(gaps.onset_ms, onset, side="left")
    gaps_over = np.searchsorted(gaps.offset_ms, before, side="right")
    between = np.zeros(len(rows), np.int64)
    between[gaps_begun > gaps_over] = GAP_BETWEEN
    between[np.diff(ended, prepend=0) > 0] = MOVEMENT_BETWEEN
    between[:1] = NONE_BEFORE
    return between


def _intervals(onset: IntArray, measured: BoolArray, rules: RuleSet) -> tuple[BoolArray, IntArray]:
    """Which candidates are passed over, and the interval before each (-1 where unmeasured)."""
    skipped = np.zeros(len(onset), bool)
    imi = np.where(measured, np.diff(onset, prepend=0), -1)
    if rules.short_interval == "skip" and np.any(measured & (imi < rules.imi_min_ms)):
        start = 0  # the candidate that the interval is measured from
        for row in range(1, len(onset)):
            if measured[row]:
                imi[row] = onset[row] - onset[start]
                skipped[row] = imi[row] < rules.imi_min_ms
            if not skipped[row]:
                start = row
    return skipped, imi
