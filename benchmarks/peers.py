"""Published detectors of leg movements at the ankle, written anew from their published numbers.

Each takes the acceleration of one ankle in g, shape (n, 3), without gaps, and its rate, and gives
onsets and durations in seconds. Where a publication leaves a step open, the choice made here is
said in the function; none of them saw a simulated night before.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Marks = tuple[Floats, Floats]

#: The offset needs half a second of rest, and a leg movement lasts half a second (WASM 2016); used
#: wherever a publication names no times of its own.
QUIET_S = 0.5
SHORTEST_S = 0.5


def pam_rl(acceleration: Floats, fs: float) -> Marks:
    """PAM-RL (Sforza et al., Sleep Med 2005;6:407-413), default parameters.

    40 Hz, 0.3-20 Hz, begins above 200 mg and ends when the signal has stayed below 100 mg for its
    drop-out time of 1 s. Taken here: the length of the vector of the three axes; the 20 Hz are
    the 40 samples a second themselves.
    """
    at_40, rate = _resampled(acceleration, fs, 40.0)
    strength = _length(_filtered(at_40, rate, 0.3, None))
    return _runs(strength, 0.200, 0.100, quiet_s=1.0, fs=rate)


def resteaze(acceleration: Floats, fs: float) -> Marks:
    """RestEaze's public scoring program (github.com/pakmar1/Resteaze-PLM).

    25 Hz, root mean square over the axes after gravity is taken away, begins above 100 mg, ends
    with 0.5 s below 50 mg, lasts more than 0.5 s, and holds a half second whose median is above
    50 mg. Taken here: gravity is what lies below 0.25 Hz, since the program reads a signal from
    which the device has already taken it.
    """
    at_25, rate = _resampled(acceleration, fs, 25.0)
    strength = _length(_filtered(at_25, rate, 0.25, None)) / np.sqrt(3)
    onset, duration = _runs(strength, 0.100, 0.050, quiet_s=QUIET_S, fs=rate)
    return _dense_enough(strength, rate, onset, duration, np.full(len(strength), 0.050))


def pendulum(acceleration: Floats, fs: float) -> Marks:
    """Pendulum (github.com/KonsomeJona/pendulum, docs/03-algorithm.md), without its bedtime ritual.

    50 Hz, 0.5-8 Hz of second order; envelopes of 0.5 s (decision) and 0.15 s (edges); noise floor
    from the lower quartile within a minute to each side, then the median of what lies below four
    times that; begins above 8 floors and at least 20 mg, ends with 0.5 s below 0.3125 of it; a
    half second whose median reaches that; movements of five times the threshold, of more than
    10 s, or with a net turn of more than 20 degrees are of the whole body and take 2 s to each
    side with them. Where the ritual is left out, the threshold is at least 0.12 of the median
    peak of whole-body movements; taken here: those that a first pass without it finds.
    """
    at_50, rate = _resampled(acceleration, fs, 50.0)
    moved = _filtered(at_50, rate, 0.5, 8.0)
    power = (moved**2).sum(axis=1)
    coarse, fine = (np.sqrt(_mean(power, round(s * rate))) for s in (0.5, 0.15))
    floor = _pendulum_floor(coarse, rate)
    gravity = _filtered(at_50, rate, None, 0.15)
    begins = np.maximum(8.0 * floor, 0.020)
    onset, duration, gross, peak = _pendulum_pass(coarse, fine, gravity, begins, rate)
    if gross.any():
        begins = np.maximum(begins, 0.12 * np.median(peak[gross]))
        onset, duration, gross, _ = _pendulum_pass(coarse, fine, gravity, begins, rate)
    keep = ~gross
    for start, length in zip(onset[gross], duration[gross], strict=True):
        keep &= (onset > start + length + 2.0) | (onset + duration < start - 2.0)
    return onset[keep], duration[keep]


def _pendulum_pass(
    coarse: Floats, fine: Floats, gravity: Floats, begins: Floats, rate: float
) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
    """Movements above a threshold, whether they are of the whole body, and their peaks."""
    ends = begins * 0.3125
    onset, duration = _runs(coarse, begins, ends, quiet_s=QUIET_S, fs=rate)
    onset, duration = _narrowed(fine, ends, onset, duration, rate)
    onset, duration = _dense_enough(fine, rate, onset, duration, ends)
    gross = np.zeros(len(onset), np.bool_)
    peak = np.zeros(len(onset))
    for row, (start, length) in enumerate(zip(onset, duration, strict=True)):
        first, last = int(start * rate), min(int((start + length) * rate), len(coarse) - 1)
        before = gravity[max(first - int(2 * rate), 0)]
        after = gravity[min(last + int(2 * rate), len(gravity) - 1)]
        turned = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
        peak[row] = coarse[first : last + 1].max()
        large = peak[row] >= 5.0 * begins[first]
        gross[row] = large or turned < np.cos(np.deg2rad(20.0)) or length > 10.0
    return onset, duration, gross, peak


def sicbaldi(acceleration: Floats, fs: float) -> Marks:
    """Sicbaldi, Ferri, Silvani et al. (Sci Rep 2025, PMC12770513).

    100 Hz, 0.1-10 Hz, 15 mg at the ankle. Taken here: second-order Butterworth, the length of the
    vector, smoothed over 0.1 s, and 0.5 s of rest between movements.
    """
    at_100, rate = _resampled(acceleration, fs, 100.0) if fs > 100.0 else (acceleration, fs)
    strength = _mean(_length(_filtered(at_100, rate, 0.1, 10.0)), round(0.1 * rate))
    return _runs(strength, 0.015, 0.015, quiet_s=QUIET_S, fs=rate)


def actiwatch(acceleration: Floats, fs: float) -> Marks:
    """Actiwatch (Gschliesser et al., Sleep Med 2009): 3 Hz high-pass, 50 mg.

    The device has one axis; here the one that moves most, and rest of 0.5 s ends a movement.
    """
    at_32, rate = _resampled(acceleration, fs, 32.0)
    moved = np.abs(_filtered(at_32, rate, 3.0, None))
    strength = moved[:, int(np.argmax(moved.mean(axis=0)))]
    return _runs(strength, 0.050, 0.050, quiet_s=QUIET_S, fs=rate)


PEERS: dict[str, Callable[[Floats, float], Marks]] = {
    "PAM-RL, 200/100 mg": pam_rl,
    "RestEaze, 100/50 mg": resteaze,
    "Pendulum, 8 noise floors": pendulum,
    "Sicbaldi 2025, 15 mg": sicbaldi,
    "Actiwatch, 3 Hz, 50 mg": actiwatch,
}


def _resampled(acceleration: Floats, fs: float, wanted: float) -> tuple[Floats, float]:
    """At the device's own rate, or as it is where that would be an increase."""
    from scipy.signal import butter, sosfiltfilt

    if fs <= wanted:
        return acceleration, fs
    smooth = sosfiltfilt(butter(4, 0.45 * wanted, fs=fs, output="sos"), acceleration, axis=0)
    n = int(len(smooth) / fs * wanted)
    place = np.arange(n) * fs / wanted
    source = np.arange(len(smooth))
    return np.stack([np.interp(place, source, smooth[:, axis]) for axis in range(3)], 1), wanted


def _filtered(acceleration: Floats, fs: float, low: float | None, high: float | None) -> Floats:
    from scipy.signal import butter, sosfilt, sosfilt_zi

    if high is None or high >= fs / 2:
        sos = butter(2, low, "highpass", fs=fs, output="sos")
    elif low is None:
        sos = butter(2, high, "lowpass", fs=fs, output="sos")
    else:
        sos = butter(2, (low, high), "bandpass", fs=fs, output="sos")
    state = sosfilt_zi(sos)[:, :, None] * acceleration[0]
    filtered: Floats = sosfilt(sos, acceleration, axis=0, zi=state)[0]
    return filtered


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.linalg.norm(vectors, axis=1), np.float64)


def _mean(values: Floats, width: int) -> Floats:
    return np.convolve(values, np.ones(width) / width, "same")


def _runs(
    strength: Floats, begins: Floats | float, ends: Floats | float, *, quiet_s: float, fs: float
) -> Marks:
    """From the first point above `begins` to the last before `quiet_s` below `ends`."""
    above = np.flatnonzero(strength >= ends)
    if len(above) == 0:
        return np.empty(0), np.empty(0)
    breaks = np.flatnonzero(np.diff(above) > quiet_s * fs)
    first = above[np.concatenate(([0], breaks + 1))]
    last = above[np.concatenate((breaks, [len(above) - 1]))] + 1
    triggers = np.flatnonzero(strength >= begins)
    place = np.searchsorted(triggers, first)
    start = triggers[np.minimum(place, len(triggers) - 1)] if len(triggers) else first
    triggered = (place < len(triggers)) & (start >= first) & (start < last)
    onset, duration = start[triggered] / fs, (last - start)[triggered] / fs
    long = duration >= SHORTEST_S
    return onset[long], duration[long]


def _dense_enough(
    strength: Floats, fs: float, onset: Floats, duration: Floats, low: Floats
) -> Marks:
    """Movements with half a second whose median is above `low` (WASM 2016)."""
    width = round(0.5 * fs)
    # The median of a window is above a level when more than half of its points are.
    high = np.concatenate(([0], np.cumsum(strength > low)))
    full = (high[width:] - high[:-width]) * 2 > width
    cumulated = np.concatenate(([0], np.cumsum(full)))
    first = np.clip(np.round(onset * fs).astype(int), 0, len(full))
    last = np.clip(np.round((onset + duration) * fs).astype(int) - width + 1, first, len(full))
    keep = cumulated[last] > cumulated[first]
    return onset[keep], duration[keep]


def _pendulum_floor(coarse: Floats, fs: float) -> Floats:
    half = round(60 * fs)
    # Ten points a second stand for the envelope, which is a mean over half a second.
    step = max(round(fs / 10), 1)
    thin = coarse[::step]
    reach = half // step
    at = np.arange(0, len(thin), 10)
    floor = np.empty(len(at))
    for row, centre in enumerate(at):
        window = thin[max(centre - reach, 0) : centre + reach + 1]
        quiet = window[window <= 4.0 * np.percentile(window, 25)]
        floor[row] = np.median(quiet)
    smooth = np.interp(np.arange(len(coarse)), at * step, floor)
    return np.maximum(smooth, 0.020 / 8.0)


def _narrowed(fine: Floats, ends: Floats, onset: Floats, duration: Floats, fs: float) -> Marks:
    """Ends set where the fine envelope crosses the lower threshold."""
    low = np.flatnonzero(fine < ends)
    high = np.flatnonzero(fine >= ends)
    first = np.round(onset * fs).astype(int)
    last = np.round((onset + duration) * fs).astype(int)
    if len(low) and len(high):
        place = np.maximum(np.searchsorted(low, first, "right") - 1, 0)
        first = np.minimum(first, low[place] + 1)
        place = np.maximum(np.searchsorted(high, last) - 1, 0)
        last = np.maximum(high[place] + 1, first + 1)
    length = (last - first) / fs
    long = length >= SHORTEST_S
    return first[long] / fs, length[long]
