"""Time in bed and sleep from the ankle alone: long stretches in which the body keeps its place."""

from __future__ import annotations

import numpy as np

from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    POSTURE_SHIFT,
    SLEEP,
    WAKE,
    BoolArray,
    FloatArray,
    Intervals,
    Movements,
    Sleep,
)

#: Only what changes the body's place counts. Leg movements that return are left out: a periodic
#: series is a sign of sleep as much as of wake, and would be taken for hours of wake.
RESTLESS_KINDS = (POSTURE_SHIFT, GROSS_MOVEMENT, GAIT)

MINUTE_MS = 60_000

#: A minute is sleep when less than this share of the ten minutes around it is restless movement.
#: Of windows of 3 to 10 min and shares of 3 to 15 %, it agreed best with the hypnograms of
#: simulated nights (kappa 0.43; 5 min without any change of place, the rule for the wrist of van
#: Hees et al., PLoS ONE 2015;10:e0142533: kappa 0.34, and two hours of sleep lost in restless
#: sleepers).
RESTFUL_WINDOW_MIN = 10
SLEEP_SHARE = 0.06

#: A minute in bed may be more restless than that.
BED_SHARE = 0.15

#: The window of rest joins stretches of at least half an hour across interruptions of up to an
#: hour (van Hees et al., Sci Rep 2018;8:12975, who find the sleep period at the wrist so).
SHORTEST_REST_MIN = 30
LONGEST_INTERRUPTION_MIN = 60


def inactivity_window(movements: Movements, recorded: Intervals) -> tuple[int, int] | None:
    """Find the longest window of rest of one night.

    Parameters
    ----------
    movements : Movements
        All movements of one leg or both.
    recorded : Intervals
        Time with samples of a worn device; the rest counts as restless.

    Returns
    -------
    tuple of int or None
        Its start and end in ms since the start of the recording; None where no half hour is
        restful.
    """
    if len(recorded) == 0:
        return None
    first, restful = _restful_minutes(movements, recorded, BED_SHARE)
    rests = [run for run in _runs(restful) if run[1] - run[0] >= SHORTEST_REST_MIN]
    if not rests:
        return None
    joined = [rests[0]]
    for start, end in rests[1:]:
        if start - joined[-1][1] <= LONGEST_INTERRUPTION_MIN:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    start, end = max(joined, key=lambda run: run[1] - run[0])
    return (
        max((first + start) * MINUTE_MS, int(recorded.onset_ms[0])),
        min((first + end) * MINUTE_MS, int(recorded.offset_ms[-1])),
    )


def sleep_within(
    movements: Movements, recorded: Intervals, lights_off_ms: int, lights_on_ms: int, source: str
) -> Sleep:
    """Tell sleep from wake between lights off and lights on, minute by minute.

    Parameters
    ----------
    movements : Movements
        All movements of one leg or both.
    recorded : Intervals
        Time with samples of a worn device; of the rest nothing is said.
    lights_off_ms, lights_on_ms : int
        Time in bed.
    source : str
        Where the time in bed comes from: ``lights`` or ``sensor``.

    Returns
    -------
    Sleep
        Epochs of sleep of unknown stage and of wake.
    """
    onsets: list[int] = []
    offsets: list[int] = []
    stages: list[int] = []
    if len(recorded):
        first, restful = _restful_minutes(movements, recorded, SLEEP_SHARE)
        edges_ms = (first + np.flatnonzero(np.diff(restful)) + 1) * MINUTE_MS
        for start, end in zip(recorded.onset_ms.tolist(), recorded.offset_ms.tolist(), strict=True):
            start, end = max(start, lights_off_ms), min(end, lights_on_ms)
            if start >= end:
                continue
            inside = edges_ms[(edges_ms > start) & (edges_ms < end)].tolist()
            for onset, offset in zip([start, *inside], [*inside, end], strict=True):
                onsets.append(onset)
                offsets.append(offset)
                stages.append(SLEEP if restful[onset // MINUTE_MS - first] else WAKE)
    return Sleep(
        source,
        lights_off_ms,
        lights_on_ms,
        np.array(onsets, np.int64),
        np.array(offsets, np.int64),
        np.array(stages, np.int8),
    )


def _restful_minutes(
    movements: Movements, recorded: Intervals, share: float
) -> tuple[int, BoolArray]:
    """Number of the first minute, and whether less than a share around each minute is restless."""
    first = int(recorded.onset_ms[0]) // MINUTE_MS
    last = -(-int(recorded.offset_ms[-1]) // MINUTE_MS)
    covered = _share_of_minutes(recorded, first, last)
    moving = np.minimum(_share_of_minutes(_restless(movements), first, last), covered)
    around = np.ones(min(RESTFUL_WINDOW_MIN, len(covered)))
    seen = np.maximum(np.convolve(covered, around, "same"), 1e-9)
    restless = np.convolve(moving, around, "same") / seen
    return first, (restless < share) & (covered > 0.0)


def _restless(movements: Movements) -> Intervals:
    """Movements that change the body's place, overlapping ones joined."""
    chosen = movements.take(np.isin(movements.kind, RESTLESS_KINDS))
    if len(chosen) == 0:
        return Intervals.empty()
    reach = np.maximum.accumulate(chosen.onset_ms + chosen.duration_ms)
    begins = np.concatenate([[True], chosen.onset_ms[1:] > reach[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    return Intervals(chosen.onset_ms[begins], reach[ends])


def _share_of_minutes(intervals: Intervals, first: int, last: int) -> FloatArray:
    """Share of each minute from first to last that the intervals cover, shape (last - first,)."""
    edges = np.arange(first, last + 1, dtype=np.int64) * MINUTE_MS
    lengths = np.concatenate([[0], np.cumsum(intervals.offset_ms - intervals.onset_ms)])
    row = np.searchsorted(intervals.onset_ms, edges, side="right")
    over = np.zeros(len(edges), np.int64)
    inside = row > 0
    over[inside] = np.maximum(intervals.offset_ms[row[inside] - 1] - edges[inside], 0)
    return np.diff(lengths[row] - over) / MINUTE_MS


def _runs(mask: BoolArray) -> list[tuple[int, int]]:
    """First and past-the-last position of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
