"""Movements of one leg, found by the turn of the limb away from rest and by its shaking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rlsmove.movements.evidence import chord_deg, evidence_of, leg_movement_probability
from rlsmove.movements.traces import Traces, trace_movements
from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    TAP,
    TRANSMITTED_SHAKE,
    Movements,
)
from rlsmove.signal.activity import SECOND, Activity, movement_activity
from rlsmove.signal.nights import Night

#: A gap up to this long is bridged; the signal on both sides of a longer one is independent.
BRIDGED_GAP_S = 2.0

#: What is no leg movement and leaves the limb turned by more than a third of its largest turn, and
#: by more than 2 degrees, has changed its posture.
POSTURE_SHARE = 0.33
POSTURE_DEG = 2.0

#: No limb goes out and back within this time (judgement; a burst of EMG lasts 0.5 s or more).
TAP_S = 0.25

#: A movement is a leg movement where it is more likely than not one.
PROBABILITY = 0.5

#: A shake or a knock that stands out of the noise by less than this many times the threshold, and
#: is so unlikely a leg movement, is left out: there is one every few minutes.
FAINT_STRENGTH = 4.0
FAINT_PROBABILITY = 0.1

#: Longer than any candidate leg movement of one leg (WASM 2016), or half as long, on the move for
#: most of it, with a turn that no flexion of the ankle makes.
GROSS_S = 10.0
GROSS_LARGE_S = 5.0
GROSS_LARGE_DEG = 20.0
GROSS_MOVING = 0.4

#: Steps: a gross movement of at least this length that repeats itself at the time of a stride or of
#: a step, strongly enough, in its first two minutes (judgement; a stride takes 0.9-1.3 s, and up to
#: twice that at night).
GAIT_S = 5.0
GAIT_LOOK_S = 120.0
STRIDE_S = (0.4, 2.0)
GAIT_RMS_G = 0.05
GAIT_REGULAR = 0.5

#: What comes this close to a gross movement is part of it.
GROSS_NEAR_MS = 2000


def detect_leg_movements(night: Night, *, side: int, step_g: float = 0.0) -> Movements:
    """Find the movements of one leg in one night.

    Candidates are where the movement signal stands out of the noise, in a moment or gathered over
    seconds. From each, the limb is followed until it lies again where it lay before: a movement
    that is held counts from the burst that leads away to the burst that leads back. Its ends are
    where the limb leaves rest and where it has returned and stopped shaking. What was measured of
    it makes a probability that it is a leg movement. What is not more likely one than not is kept
    as what it looks like: a posture shift, a tap, a shake that came from elsewhere. A stretch in
    which the limb is in use and never rests is one gross movement.

    Parameters
    ----------
    night : Night
        One night on the common clock.
    side : int
        Index into `rlsmove.records.SIDES`.
    step_g : float
        Step of the device's scale, in g.

    Returns
    -------
    Movements
        Of every kind; times in ms since the start of the recording.
    """
    tables = []
    for start, end in recorded_stretches(night.acceleration, night.fs):
        stretch = bridged(night.acceleration[start:end])
        activity = movement_activity(stretch, step_g)
        traces = candidates(stretch, activity)
        tables.append(_classified(traces, night, start, side, step_g))
        tables.append(_in_use(stretch, activity.unrest, night, start, side))
    return Movements.concatenate(Movements.empty(), *tables)


def candidates(stretch: NDArray[np.float32], activity: Activity) -> Traces:
    """Trace what may be a movement in a stretch (n, 3) without gaps, sorted by its start."""
    traces = trace_movements(stretch, activity, 1.0)
    traces = traces.take(~activity.unrest[traces.start.astype(np.int64) // SECOND])
    return traces.take(np.argsort(traces.start, kind="stable"))


def recorded_stretches(acceleration: NDArray[np.float32], fs: float) -> list[tuple[int, int]]:
    """First and past-the-last point of each stretch without a gap of more than 2 s."""
    there = ~np.isnan(acceleration[:, 0])
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if len(starts) == 0:
        return []
    apart = starts[1:] - ends[:-1] >= BRIDGED_GAP_S * fs
    starts = starts[np.concatenate([[True], apart])]
    ends = ends[np.concatenate([apart, [True]])]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def bridged(stretch: NDArray[np.float32]) -> NDArray[np.float32]:
    """The stretch (n, 3), its short gaps filled with straight lines."""
    missing = np.isnan(stretch[:, 0])
    if not np.any(missing):
        return np.ascontiguousarray(stretch)
    filled = stretch.copy()
    there = np.flatnonzero(~missing)
    gone = np.flatnonzero(missing)
    for axis in range(3):
        filled[gone, axis] = np.interp(gone, there, stretch[there, axis])
    return filled


def _in_use(
    stretch: NDArray[np.float32], unrest: NDArray[np.bool_], night: Night, first: int, side: int
) -> Movements:
    """A gross movement for each run of seconds in which the limb never rests."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], unrest.astype(np.int8), [0]])))
    start, end = np.minimum(edges * SECOND, len(stretch)).reshape(-1, 2).T
    onset_ms = np.round(1000.0 * (night.first + first + start) / night.fs).astype(np.int64)
    end_ms = np.round(1000.0 * (night.first + first + end) / night.fs).astype(np.int64)
    marks = Movements.marks(onset_ms, end_ms - onset_ms, np.full(len(start), side, np.int8))
    peak_g = np.array(
        [_largest_g(stretch[one:other]) for one, other in zip(start, end, strict=True)]
    )
    return replace(
        marks,
        kind=np.full(len(start), GROSS_MOVEMENT, np.int8),
        peak_g=peak_g,
        probability=np.zeros(len(start)),
    )


def _largest_g(stretch: NDArray[np.float32]) -> float:
    """Largest difference between the length of the acceleration (n, 3) and gravity, in g."""
    squared = np.einsum("ij,ij->i", stretch, stretch)
    lowest, highest = np.sqrt([squared.min(), squared.max()])
    return float(max(highest - 1.0, 1.0 - lowest))


def _classified(traces: Traces, night: Night, first: int, side: int, step_g: float) -> Movements:
    """Movements of one leg from its traces, whose points count from ``first`` of the night."""
    start, end = first + traces.start, first + traces.end
    residual_g = traces.residual_g
    duration_s = (end - start) / night.fs
    turn_deg, residual_deg = chord_deg(traces.turn_g), chord_deg(residual_g)
    onset_ms = np.round(1000.0 * (night.first + start) / night.fs).astype(np.int64)
    end_ms = np.round(1000.0 * (night.first + end) / night.fs).astype(np.int64)

    probability = leg_movement_probability(evidence_of(traces, step_g))
    kind = np.full(len(traces), TRANSMITTED_SHAKE, np.int8)
    turned = residual_deg > POSTURE_DEG
    kind[turned & (residual_g > POSTURE_SHARE * traces.turn_g)] = POSTURE_SHIFT
    large = (duration_s > GROSS_LARGE_S) & (turn_deg > GROSS_LARGE_DEG)
    kind[large & (traces.moving > GROSS_MOVING)] = GROSS_MOVEMENT
    kind[probability >= PROBABILITY] = LEG_MOVEMENT
    kind[duration_s < TAP_S] = TAP
    kind[duration_s > GROSS_S] = GROSS_MOVEMENT
    for row in np.flatnonzero((kind == GROSS_MOVEMENT) & (duration_s > GAIT_S)):
        begin = int(start[row])
        last = min(int(end[row]) + 1, begin + round(GAIT_LOOK_S * night.fs))
        if _is_gait(night.acceleration[begin:last], night.fs):
            kind[row] = GAIT
    gross = np.isin(kind, (GROSS_MOVEMENT, GAIT))
    for row in np.flatnonzero(gross):
        near = (onset_ms < end_ms[row] + GROSS_NEAR_MS) & (end_ms > onset_ms[row] - GROSS_NEAR_MS)
        kind[near & (kind != GAIT)] = GROSS_MOVEMENT
    probability = np.where(np.isin(kind, (GROSS_MOVEMENT, GAIT, TAP)), 0.0, probability)
    faint = (traces.strength < FAINT_STRENGTH) & (probability < FAINT_PROBABILITY)
    return Movements(
        onset_ms=onset_ms,
        duration_ms=end_ms - onset_ms,
        side=np.full(len(traces), side, np.int8),
        kind=kind,
        peak_g=traces.peak_g,
        tilt_deg=turn_deg,
        snr=traces.strength,
        probability=probability,
    ).take(~faint | ~np.isin(kind, (TRANSMITTED_SHAKE, TAP)))


def _is_gait(acceleration: NDArray[np.float32], fs: float) -> bool:
    """Whether strides follow each other, by the autocorrelation of the acceleration's length."""
    norm = np.linalg.norm(acceleration[~np.isnan(acceleration[:, 0])], axis=1)
    norm -= np.mean(norm)
    low, high = (round(stride_s * fs) for stride_s in STRIDE_S)
    if high > len(norm) or np.mean(norm * norm) < GAIT_RMS_G**2:
        return False
    correlation = np.correlate(np.concatenate([norm, np.zeros(high - 1)]), norm)
    return bool(np.max(correlation[low:]) > GAIT_REGULAR * correlation[0])
