"""Arithmetic on stretches of time."""

from __future__ import annotations

import numpy as np

from rlsmove.records import BoolArray, IntArray, Intervals


def intersection(one: Intervals, other: Intervals) -> Intervals:
    """Return the time that lies in both; each argument sorted and without overlap within itself."""
    # Each stretch of `one` meets a contiguous run of `other`.
    first = np.searchsorted(other.offset_ms, one.onset_ms, side="right")
    last = np.searchsorted(other.onset_ms, one.offset_ms, side="left")
    count = np.maximum(last - first, 0)
    mine = np.repeat(np.arange(len(one)), count)
    run_start = np.repeat(np.cumsum(count) - count, count)
    theirs = np.repeat(first, count) + np.arange(len(mine)) - run_start
    return Intervals(
        np.maximum(one.onset_ms[mine], other.onset_ms[theirs]),
        np.minimum(one.offset_ms[mine], other.offset_ms[theirs]),
    )


def union(onset_ms: IntArray, offset_ms: IntArray) -> Intervals:
    """Make stretches, given in any order, into such as neither overlap nor touch."""
    order = np.lexsort((offset_ms, onset_ms))
    onset_ms, reach_ms = onset_ms[order], np.maximum.accumulate(offset_ms[order])
    starts = np.ones(len(onset_ms), bool)
    starts[1:] = onset_ms[1:] > reach_ms[:-1]
    ends = np.append(starts[1:], True)[: len(starts)]
    return Intervals(onset_ms[starts], reach_ms[ends])


def complement(intervals: Intervals, onset_ms: int, offset_ms: int) -> Intervals:
    """Return what lies between onset and offset and in none of the stretches."""
    onsets = np.append(np.int64(onset_ms), np.clip(intervals.offset_ms, onset_ms, offset_ms))
    offsets = np.append(np.clip(intervals.onset_ms, onset_ms, offset_ms), np.int64(offset_ms))
    real = offsets > onsets
    return Intervals(onsets[real], offsets[real])


def difference(one: Intervals, other: Intervals) -> Intervals:
    """Return the time that lies in `one` and not in `other`."""
    if not len(one) or not len(other):
        return one
    start_ms, end_ms = int(one.onset_ms[0]), int(one.offset_ms[-1])
    return intersection(one, complement(other, start_ms, end_ms))


def total_ms(intervals: Intervals) -> int:
    """Add up the length of all stretches."""
    return int(np.sum(intervals.offset_ms - intervals.onset_ms))


def holding(intervals: Intervals, time_ms: IntArray) -> IntArray:
    """For each time, the number of the stretch that holds it (end excluded), or -1."""
    if not len(intervals):
        return np.full(len(time_ms), -1, np.int64)
    row = np.searchsorted(intervals.onset_ms, time_ms, side="right") - 1
    inside = (row >= 0) & (time_ms < intervals.offset_ms[row])
    return np.where(inside, row, -1)


def touched(
    onset_ms: IntArray, offset_ms: IntArray, intervals: Intervals, *, closed: bool = True
) -> BoolArray:
    """Which of the given stretches meet one of `intervals`.

    Parameters
    ----------
    onset_ms, offset_ms : ndarray of int64, shape (n,)
        The stretches asked about, in any order.
    intervals : Intervals
        What they may meet; these may overlap one another.
    closed : bool
        Whether stretches that share no more than an end meet.
    """
    # Those that have begun by the end of a stretch, less those that were over before its start.
    onsets, offsets = np.sort(intervals.onset_ms), np.sort(intervals.offset_ms)
    begun = np.searchsorted(onsets, offset_ms, side="right" if closed else "left")
    over = np.searchsorted(offsets, onset_ms, side="left" if closed else "right")
    return begun > over
