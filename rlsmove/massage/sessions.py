"""Sessions of massage as one sensor shows them: kind, times, strength, and how sure.

Each kind has a mark that neither a sleeper nor a restless evening has: vibration a steady line in
the spectrum of a second, kneading a stroke that comes back to the hundredth of its time,
compression turns on one clock, hands minutes of strokes at an uneven beat. Feet that jiggle
(4-7 Hz), rubbing, stretching, walking and a car miss these marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.massage.machine_cycles import Clock
from rlsmove.massage.second_spectra import SecondSpectra
from rlsmove.records import BoolArray, FloatArray
from rlsmove.signal.activity import SECOND

VIBRATION, KNEADING, COMPRESSION, MANUAL, UNKNOWN = KINDS = (
    "vibration",
    "kneading",
    "compression",
    "manual",
    "unknown",
)

#: Massagers vibrate faster than this; what shows at a lower frequency on a device of few samples
#: a second has been folded there. No jiggling foot is faster (judgement: 4-7 Hz).
VIBRATION_FROM_HZ = 8.0
MASSAGER_HZ = (18.0, 62.0)

#: A line that holds this share of a second's shaking, by root mean square, and this much at least.
LINE_SHARE = 0.7
LEAST_LINE_G = 0.008

#: Seconds to either side in which a line's frequency is compared, and how much it may scatter
#: (median absolute deviation): a motor's, and one at the frequencies of a jiggling foot, where
#: nothing but its steadiness tells it from one.
LINE_REACH_S = 10
LINE_SCATTER_HZ = 0.6
JIGGLE_SCATTER_HZ = 0.1
#: And how much its strength may scatter there (median absolute deviation of its logarithm).
JIGGLE_SCATTER_LN = 0.07

#: A car that stands with its engine running shows a steady line as well, but the minutes beside it
#: shake at all frequencies: a weak line is none of a massager where this share of the seconds next
#: to it, on one side, are shaken.
CAR_BESIDE_S = 120
CAR_SHARE = 0.5
CAR_LINE_G = 0.08

#: Slow strokes are looked at in windows of this length, this far apart, at this rate.
STROKE_WINDOW_S, STROKE_STEP_S, STROKE_HZ = 20.0, 5.0, 5.0

#: Time of a stroke or a roller's turn, in s.
STROKE_S = (0.65, 3.4)

#: Strength of slow strokes, root mean square of all axes: what kneading and hands have at least,
#: and what only steps exceed.
KNEADING_G = (0.003, 0.12)
MANUAL_G = (0.018, 0.35)

#: Breathing swings a leg as regularly as a slow roller, all night long: kneading at its rate has to
#: be this many times as strong as what the night has at that rate, and this strong.
BREATHING_HZ = 0.45
OVER_BREATHING = 3.0
SLOW_KNEADING_G = 0.008

#: No chamber shakes the sensor more than this at its edges; hands and steps do.
COMPRESSION_G = 0.12

#: A roller comes back: the correlation with itself four turns later. Hands do not.
ROLLER_REGULAR = 0.7
#: Strokes of hands: the correlation with itself one stroke later.
STROKE_REGULAR = 0.15

#: Shares of a second's shaking above 3 Hz, by power: what is faster is no stroke.
STROKE_FAST_SHARE = 0.85

#: Joined across pauses up to this; shorter sessions are none.
PAUSE_S = {VIBRATION: 45, UNKNOWN: 45, KNEADING: 120, MANUAL: 45}
SHORTEST_S = {VIBRATION: 120, UNKNOWN: 150, KNEADING: 120, MANUAL: 200}
#: Share of a session in which its mark is there, at least.
PRESENT = {VIBRATION: 0.25, UNKNOWN: 0.5, KNEADING: 0.4, MANUAL: 0.6}


@dataclass(frozen=True)
class Session:
    """One massage as one leg's sensor shows it.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    start_s, end_s : float
        In seconds of the signal.
    frequency_hz : float or None
        Of the vibration or the strokes, as the device shows it.
    aliased : bool
        Whether the frequency must be one that the device folded below its Nyquist frequency.
    period_s : float or None
        Of a cycle of compression.
    intensity_g : float
        Root mean square in the kind's band.
    confidence : float
        From 0 to 1: the share of the session in which its mark is there.
    """

    kind: str
    start_s: float
    end_s: float
    frequency_hz: float | None
    aliased: bool
    period_s: float | None
    intensity_g: float
    confidence: float


def find_sessions(
    acceleration: NDArray[np.float32],
    spectra: SecondSpectra,
    first_s: float,
    clocks: Sequence[Clock],
) -> list[Session]:
    """Find the massages in the signal of one leg.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock, without NaN.
    spectra : SecondSpectra
        Of the recording's seconds.
    first_s : float
        Time of the first point in the recording.
    clocks : sequence of Clock
        What keeps a machine's clock in the signal.

    Returns
    -------
    list of Session
        Sorted, none overlapping another.
    """
    n = len(acceleration) // SECOND
    here = spectra.between(first_s, first_s + n)
    at = np.minimum((here.second - first_s).astype(np.int64), n - 1)
    found = [
        *_vibrations(here, at, n),
        *_strokes(acceleration, here, at, n),
        *(_compression(clock, n) for clock in clocks if clock.strength_g <= COMPRESSION_G),
    ]
    return _apart(found)


def _vibrations(here: SecondSpectra, at: NDArray[np.int64], n: int) -> list[Session]:
    """Sessions with a steady line."""
    line = (here.line_g >= LINE_SHARE * here.rms_g) & (here.line_g >= LEAST_LINE_G)
    line &= may_be_massager(here.line_hz, 2 * here.nyquist_hz)
    hz = np.full(n, np.nan)
    hz[at[line]] = here.line_hz[line]
    strength = np.zeros(n)
    strength[at[line]] = here.line_g[line]
    shaken = np.zeros(n, bool)
    shaken[at[~line]] = True
    scatter, count = _local_scatter(hz)
    uneven, _ = _local_scatter(np.log(np.where(strength > 0, strength, np.nan)))
    steady = (count >= 5) & ~np.isnan(hz)
    fast = steady & (hz >= VIBRATION_FROM_HZ) & (scatter <= LINE_SCATTER_HZ)
    slow = steady & (hz < VIBRATION_FROM_HZ) & (scatter <= JIGGLE_SCATTER_HZ)
    slow &= uneven <= JIGGLE_SCATTER_LN
    sessions = []
    for kind, mark in ((VIBRATION, fast), (UNKNOWN, slow)):
        for first, last, share in _runs(mark, kind):
            there = np.flatnonzero(mark[first:last]) + first
            frequency = float(np.median(hz[there]))
            intensity_g = float(np.sqrt(np.mean(strength[there] ** 2)))
            beside = (shaken[max(first - CAR_BESIDE_S, 0) : first], shaken[last:][:CAR_BESIDE_S])
            in_car = max((float(np.mean(side)) for side in beside if len(side)), default=0.0)
            if in_car >= CAR_SHARE and intensity_g < CAR_LINE_G:
                continue
            sessions.append(
                Session(
                    kind,
                    float(first),
                    float(last),
                    frequency,
                    frequency < MASSAGER_HZ[0],
                    None,
                    intensity_g,
                    float(min(1.0, 0.5 + share)) if kind == VIBRATION else 0.5 * share,
                )
            )
    return sessions


def may_be_massager(hz: NDArray[np.float32], fs: float) -> BoolArray:
    """Whether a line may be a massager's: as it shows, or folded at the rate of the device."""
    low, high = MASSAGER_HZ
    seen = (hz >= low) & (hz <= high)
    for folded in (fs - hz, fs + hz):
        seen |= (folded >= low) & (folded <= high)
    return seen


def _local_scatter(hz: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Median absolute deviation of the values around each, and how many there are."""
    n = len(hz)
    scatter = np.full(n, np.inf)
    there = np.flatnonzero(~np.isnan(hz))
    count = np.zeros(n, np.int64)
    if len(there) == 0:
        return scatter, count
    low = np.searchsorted(there, there - LINE_REACH_S)
    high = np.searchsorted(there, there + LINE_REACH_S, side="right")
    for row, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        values = hz[there[first:last]]
        scatter[there[row]] = np.median(np.abs(values - np.median(values)))
        count[there[row]] = last - first
    return scatter, count


def _strokes(
    acceleration: NDArray[np.float32], here: SecondSpectra, at: NDArray[np.int64], n: int
) -> list[Session]:
    """Sessions of kneading and of hands."""
    step = round(SECOND / STROKE_HZ)
    swing = acceleration[: n * SECOND].reshape(-1, step, 3).mean(axis=1)
    length, hop = round(STROKE_WINDOW_S * STROKE_HZ), round(STROKE_STEP_S * STROKE_HZ)
    starts = np.arange(0, len(swing) - length + 1, hop)
    fast2 = np.zeros(n)
    fast2[at] = np.sum(here.band_g[:, 1:] ** 2, axis=1)
    slow2 = np.zeros(n)
    slow2[at] = np.maximum(here.rms_g**2 - fast2[at], 0)
    fast2, slow2 = (np.concatenate([[0.0], np.cumsum(x)]) for x in (fast2, slow2))
    second = (starts / STROKE_HZ).astype(np.int64)
    wide = round(STROKE_WINDOW_S)
    fast_share = fast2[second + wide] - fast2[second]
    fast_share = fast_share / (fast_share + slow2[second + wide] - slow2[second] + 1e-9)
    rms_g, stroke_s, once, often = _regularity(swing, starts, length)
    roller = (rms_g >= KNEADING_G[0]) & (rms_g <= KNEADING_G[1]) & (often >= ROLLER_REGULAR)
    steady = np.zeros(len(starts), bool)
    for shift in (-2, -1, 1, 2):
        near = np.roll(stroke_s, shift)
        steady |= np.abs(near / stroke_s - 1) < 0.015
    roller &= steady
    slow = stroke_s > 1 / BREATHING_HZ
    swing_g = np.median(rms_g)
    roller &= ~slow | (rms_g >= max(SLOW_KNEADING_G, OVER_BREATHING * swing_g))
    roller &= rms_g >= min(1.5 * swing_g, SLOW_KNEADING_G)
    hands = (rms_g >= MANUAL_G[0]) & (rms_g <= MANUAL_G[1]) & (once >= STROKE_REGULAR)
    hands &= (often < ROLLER_REGULAR) & (fast_share < STROKE_FAST_SHARE)
    sessions = []
    for kind, windows in ((KNEADING, roller), (MANUAL, hands)):
        mark = np.zeros(n, bool)
        quarter = wide // 4
        for first in second[windows].tolist():
            # A window says most of its middle.
            mark[first + quarter : first + wide - quarter] = True
        for first, last, share in _runs(mark, kind):
            inside = windows & (second + wide / 2 >= first) & (second + wide / 2 <= last)
            if not np.any(inside):
                continue
            period_s = float(np.median(stroke_s[inside]))
            first, last = max(first - quarter, 0), min(last + quarter, n)
            first, last = _busy(swing, first, last)
            sessions.append(
                Session(
                    kind,
                    float(first),
                    float(last),
                    1.0 / period_s,
                    False,
                    None,
                    float(np.sqrt(np.mean(rms_g[inside] ** 2))),
                    float(share),
                )
            )
    return sessions


def _busy(slow: NDArray[np.float32], first: int, last: int) -> tuple[int, int]:
    """Seconds within which strokes are as strong as a third of the usual, by single seconds."""
    rate = round(STROKE_HZ)
    seconds = slow[first * rate : last * rate].reshape(-1, rate, 3)
    spread = np.sqrt(np.sum(np.var(seconds, axis=1), axis=1))
    busy = np.flatnonzero(spread > np.median(spread) / 3)
    return first + int(busy[0]), first + int(busy[-1]) + 1


def _regularity(
    slow: NDArray[np.float32], starts: NDArray[np.int64], length: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Strength, stroke time, and correlation one and four strokes later, of each window."""
    rms_g, stroke_s, once, often = np.zeros((4, len(starts)))
    stroke_s[:] = np.nan
    low, high = (round(edge * STROKE_HZ) for edge in STROKE_S)
    ramp = np.arange(length) - (length - 1) / 2
    overlap = length - np.arange(length)
    for chunk in range(0, len(starts), 4096):
        rows = np.arange(chunk, min(chunk + 4096, len(starts)))
        pieces = slow[starts[rows, None] + np.arange(length)].astype(np.float64)
        pieces -= pieces.mean(axis=1, keepdims=True)
        slope = np.einsum("klc,l->kc", pieces, ramp) / np.sum(ramp**2)
        pieces -= slope[:, None] * ramp[:, None]
        power = np.sum(pieces**2, axis=(1, 2)) / length
        rms_g[rows] = np.sqrt(power)
        strong = rms_g[rows] >= KNEADING_G[0]
        if not np.any(strong):
            continue
        rows, pieces = rows[strong], pieces[strong]
        spectrum = np.sum(np.abs(np.fft.rfft(pieces, 2 * length, axis=1)) ** 2, axis=2)
        lags = np.fft.irfft(spectrum, axis=1)[:, :length]
        lags = lags / overlap / (lags[:, :1] / length)
        inner = lags[:, low : high + 1]
        is_peak = np.zeros(inner.shape, dtype=bool)
        is_peak[:, 1:-1] = (inner[:, 1:-1] >= inner[:, :-2]) & (inner[:, 1:-1] >= inner[:, 2:])
        best = np.argmax(np.where(is_peak, inner, -1), axis=1)
        # The first peak that is nearly as high is the stroke; later ones are its multiples.
        top = inner[np.arange(len(rows)), best]
        nearly = is_peak & (inner >= 0.9 * top[:, None])
        best = np.where(np.any(nearly, axis=1), np.argmax(nearly, axis=1), best) + low
        row = np.arange(len(rows))
        place = best + _peak_shift(lags, best)
        once[rows] = lags[row, best]
        later = np.minimum(4 * place, length * 0.7)
        base = later.astype(np.int64)
        around = np.stack([lags[row, np.clip(base + off, 0, length - 1)] for off in (-1, 0, 1, 2)])
        often[rows] = np.max(around, axis=0)
        # Where it comes again the fourth time tells the time of one more closely.
        fourth = np.argmax(around, axis=0) + base - 1
        fourth = np.clip(fourth, 1, length - 2)
        exact = fourth + _peak_shift(lags, fourth)
        turns = np.maximum(np.round(exact / place), 1)
        time_s = exact / turns / STROKE_HZ
        found = np.any(is_peak, axis=1) & (time_s >= STROKE_S[0]) & (time_s <= STROKE_S[1])
        stroke_s[rows] = np.where(found, time_s, np.nan)
        once[rows[~found]] = often[rows[~found]] = 0.0
    return rms_g, stroke_s, once, often


def _peak_shift(lags: FloatArray, place: NDArray[np.int64]) -> FloatArray:
    """How far the top of a parabola lies from a place in each row (k, l), in steps."""
    row = np.arange(len(lags))
    before, at, after = (lags[row, place + off] for off in (-1, 0, 1))
    curve = np.minimum(before - 2 * at + after, -1e-12)
    shift: FloatArray = np.clip(0.5 * (before - after) / curve, -0.5, 0.5)
    return shift


def _compression(clock: Clock, n: int) -> Session:
    """A machine's clock as a session."""
    start_s, end_s = float(clock.time_s[0]), float(clock.time_s[-1]) + clock.period_s
    return Session(
        COMPRESSION,
        start_s,
        min(end_s, float(n)),
        None,
        False,
        clock.period_s,
        clock.strength_g,
        float(len(clock) / (clock.slot[-1] + 1) * min(1.0, clock.alike)),
    )


def _runs(mark: BoolArray, kind: str) -> list[tuple[int, int, float]]:
    """Start, end and share of marked seconds, of stretches of a mark joined across pauses."""
    there = np.flatnonzero(mark)
    if len(there) == 0:
        return []
    cut = np.flatnonzero(np.diff(there) > PAUSE_S[kind])
    firsts = there[np.concatenate([[0], cut + 1])]
    lasts = there[np.concatenate([cut, [len(there) - 1]])] + 1
    runs = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        share = float(np.mean(mark[first:last]))
        if last - first >= SHORTEST_S[kind] and share >= PRESENT[kind]:
            runs.append((first, last, share))
    return runs


def _apart(sessions: list[Session]) -> list[Session]:
    """The surest kind where several claim the same time, sorted by start."""
    rank = {VIBRATION: 0, KNEADING: 1, COMPRESSION: 2, UNKNOWN: 3, MANUAL: 4}
    kept: list[Session] = []
    for session in sorted(sessions, key=lambda s: (rank[s.kind], s.start_s)):
        if all(
            min(session.end_s, other.end_s) - max(session.start_s, other.start_s)
            <= 0.2 * min(session.end_s - session.start_s, other.end_s - other.start_s)
            for other in kept
        ):
            kept.append(session)
    return sorted(kept, key=lambda s: s.start_s)
