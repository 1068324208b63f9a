"""A simulated course of sleep: cycles of stages in 30-s epochs, with wake in between."""

from __future__ import annotations

import numpy as np

from rlsmove.records import N1, N2, N3, REM, WAKE, Intervals, Sleep

EPOCH_S = 30
#: Median length of a sleep cycle.
_CYCLE_MIN = 95.0
#: Wake bouts per hour of sleep: brief ones of an epoch or two, long ones of several minutes.
_BRIEF_PER_HOUR, _LONG_PER_HOUR = 3.0, 0.6


def simulate_sleep(
    hours: float, walks: int, rng: np.random.Generator, evening_s: float = 0.0
) -> tuple[Sleep, list[float]]:
    """Draw the stages of one night.

    Parameters
    ----------
    hours : float
        Length of the recording; lights go off a few minutes after its start, or after the evening
        before it, and on before its end.
    walks : int
        Times that the sleeper leaves the bed.
    rng : Generator
        Source of chance.
    evening_s : float
        Wake before that.

    Returns
    -------
    sleep : Sleep
        Epochs of the whole recording, on a grid of 30 s.
    walk_onset_s : list of float
        When each walk starts: in a wake bout long enough to hold it.

    Notes
    -----
    Sleep onset after 5 to 30 min, cycles of about 95 min (N1, N2, N3, N2, R) in which N3 shrinks
    and R grows through the night, 3 brief and 0.6 long wake bouts an hour. Nights of less than
    two hours are the same course, with the margins shortened in proportion.
    """
    n_epochs = int(hours * 3600 // EPOCH_S)
    night_s = hours * 3600 - evening_s
    margin = max(int(min(10 * 60, night_s * 0.03) // EPOCH_S), 1)
    evening = int(evening_s // EPOCH_S)
    lights_off, lights_on = evening + margin, n_epochs - margin
    stage = np.full(n_epochs, WAKE, np.int8)
    latency = int(min(rng.lognormal(np.log(12.0), 0.5), 40.0, night_s / 60 * 0.08) * 60 // EPOCH_S)
    epoch = lights_off + latency
    night_epochs = lights_on - epoch
    first = epoch
    while epoch < lights_on:
        progress = (epoch - first) / max(night_epochs, 1)
        cycle = rng.normal(_CYCLE_MIN, 10.0) * 60 / EPOCH_S
        n3_share = max(0.32 - 0.4 * progress, 0.02)
        rem_share = 0.08 + 0.27 * progress
        n2_share = 0.93 - n3_share - rem_share
        for code, share in (
            (N1, 0.07),
            (N2, n2_share * 0.4),
            (N3, n3_share),
            (N2, n2_share * 0.6),
            (REM, rem_share),
        ):
            length = max(round(cycle * share), 1)
            stage[epoch : min(epoch + length, lights_on)] = code
            epoch += length
    sleep_hours = night_epochs * EPOCH_S / 3600
    for _ in range(rng.poisson(_BRIEF_PER_HOUR * sleep_hours)):
        start = int(rng.integers(first + 1, lights_on))
        stage[start : start + int(rng.integers(1, 3))] = WAKE
    for _ in range(rng.poisson(_LONG_PER_HOUR * sleep_hours)):
        start = int(rng.integers(first + 1, lights_on))
        stage[start : min(start + int(rng.integers(5, 25)), lights_on)] = WAKE
    walk_onset_s = []
    for walk in range(walks):
        # One in each part of the night, never at its very ends.
        low = first + night_epochs * (walk + 0.25) / walks
        high = first + night_epochs * (walk + 0.75) / walks
        start = int(rng.uniform(low, high))
        if start + 20 >= lights_on:
            continue
        stage[start - 1 : start + 16] = WAKE
        walk_onset_s.append(start * EPOCH_S + float(rng.uniform(0, 20)))
    edges = np.arange(n_epochs + 1, dtype=np.int64) * EPOCH_S * 1000
    sleep = Sleep(
        "hypnogram",
        lights_off * EPOCH_S * 1000,
        lights_on * EPOCH_S * 1000,
        edges[:-1],
        edges[1:],
        stage,
    )
    return sleep, walk_onset_s


def simulate_respiratory_events(
    sleep: Sleep, per_hour: float, rng: np.random.Generator
) -> Intervals:
    """Draw respiratory events of 10 to 40 s, in trains at 35 to 80 s, in sleep only.

    Parameters
    ----------
    sleep : Sleep
        The night's stages.
    per_hour : float
        Events per hour of sleep, on average.
    rng : Generator
        Source of chance.

    Returns
    -------
    Intervals
        None overlaps another.
    """
    onset_s: list[float] = []
    asleep_s = (sleep.onset_ms[sleep.stage != WAKE] / 1000).tolist()
    if per_hour == 0 or not asleep_s:
        return Intervals.empty()
    wanted = rng.poisson(per_hour * len(asleep_s) * EPOCH_S / 3600)
    while len(onset_s) < wanted:
        at = float(rng.choice(asleep_s))
        for _ in range(min(int(rng.integers(1, 15)), wanted - len(onset_s))):
            onset_s.append(at)
            at += rng.uniform(35.0, 80.0)
    starts = np.sort(onset_s)
    ends = starts + rng.uniform(10.0, 30.0, wanted)
    epoch = np.minimum((starts // EPOCH_S).astype(int), len(sleep.stage) - 1)
    apart = np.concatenate([[True], starts[1:] > ends[:-1] + 5.0]) & (sleep.stage[epoch] != WAKE)
    return Intervals(*(np.round(1000 * part[apart]).astype(np.int64) for part in (starts, ends)))
