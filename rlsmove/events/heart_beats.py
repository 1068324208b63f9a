"""Heart beats in the envelope of a leg's EMG, found by their regularity and taken out.

A beat reaches the leg as a spike of less than 0.1 s, and rings in the filters a little longer. It
would begin a movement early, or keep one from ending; what it hides is taken from just before and
after it.
"""

from __future__ import annotations

import numpy as np

from rlsmove.records import BoolArray, FloatArray, IntArray

#: A spike's width at half its height, and the quiet around it, in s.
_WIDTH_S = 0.16
_APART_S = (0.14, 0.22)
#: Peaks of one beat lie closer than this; two beats do not.
_ONE_BEAT_S = 0.3
#: A beat has several peaks; its middle shows over this time, in s.
_SMOOTH_S = 0.07
#: ... and its height above rest, in uV.
_LEAST_UV = 3.0
#: Intervals between beats, in s, and how little two in a row differ, as a share.
_INTERVAL_S = (0.35, 1.7)
_UNEVEN = 0.2
#: Spikes are a heart where so many follow each other evenly, and in this share of a stretch.
_BEATS_LEAST = 20
_SHARE_LEAST = 0.25
_STRETCH_S = 300
#: Where a beat is expected, it is looked for this far to each side, and may be this much unlike
#: the others in height.
_EXPECTED_WITHIN_S = 0.12
_HEIGHT_RATIO = 1.6
#: Beats are expected so many intervals into a stretch that hides them.
_EXPECTED_MOST = 4
#: A beat lasts as long as the mean of all lies this much above rest, in uV, at most so long.
_ENDS_UV = 0.7
_BEFORE_S, _AFTER_S = 0.12, 0.35


def without_beats(envelope: FloatArray, rest_uv: float, fs: int) -> FloatArray:
    """Take the heart beats out of an envelope.

    Parameters
    ----------
    envelope : ndarray of float64, shape (n,), in uV
        Largest rectified values, before peaks are joined; NaN where nothing was recorded.
    rest_uv : float
        Level of rest.
    fs : int
        Values a second.

    Returns
    -------
    ndarray of float64, shape (n,), in uV
        The envelope itself where no regular beats are found.
    """
    from scipy.ndimage import uniform_filter1d

    above = np.nan_to_num(envelope - rest_uv, nan=0.0)
    smooth = uniform_filter1d(above, round(_SMOOTH_S * fs))
    spikes = _spikes(smooth, fs)
    beats = _regular(spikes, len(above), fs)
    if len(beats) < _BEATS_LEAST:
        return envelope
    beats = _with_expected(smooth, beats, fs)
    before, after = _extent(above, beats, fs)
    return _bridged(envelope, beats, before, after)


def _spikes(smooth: FloatArray, fs: int) -> IntArray:
    """Local peaks that are narrow and stand alone."""
    from scipy.signal import find_peaks

    peaks, found = find_peaks(
        smooth, height=_LEAST_UV, width=(None, _WIDTH_S * fs), distance=round(_ONE_BEAT_S * fs)
    )
    near, far = (round(edge_s * fs) for edge_s in _APART_S)
    inside = (peaks >= far) & (peaks < len(smooth) - far)
    peaks, heights = peaks[inside], found["peak_heights"][inside]
    alone = np.ones(len(peaks), bool)
    for offset in range(near, far + 1):
        alone &= (smooth[peaks - offset] < 0.5 * heights) & (smooth[peaks + offset] < 0.5 * heights)
    return peaks[alone].astype(np.int64)


def _regular(spikes: IntArray, n: int, fs: int) -> IntArray:
    """Spikes that follow each other evenly, in stretches that are full of such."""
    interval_s = np.diff(spikes) / fs
    usual = (interval_s >= _INTERVAL_S[0]) & (interval_s <= _INTERVAL_S[1])
    even = np.zeros(len(spikes), bool)
    if len(interval_s) < 2:
        return spikes[:0]
    alike = np.abs(np.diff(interval_s)) <= _UNEVEN * interval_s[:-1]
    both = usual[:-1] & usual[1:] & alike
    for part in (slice(None, -2), slice(1, -1), slice(2, None)):
        even[part] |= both
    kept: BoolArray = np.zeros(len(spikes), bool)
    for start in range(0, n, _STRETCH_S * fs):
        inside = (spikes >= start) & (spikes < start + _STRETCH_S * fs)
        length_s = min(_STRETCH_S, (n - start) / fs)
        count = int(np.count_nonzero(inside & even))
        if count < 3 or count < _SHARE_LEAST * length_s / _INTERVAL_S[1]:
            continue
        rows = np.flatnonzero(inside & even)
        kept[rows] = True
    return spikes[kept]


def _with_expected(smooth: FloatArray, beats: IntArray, fs: int) -> IntArray:
    """Beats beside movements, which do not stand alone, where the beats around tell them."""
    height = float(np.median(smooth[beats]))
    interval = np.diff(beats)
    usual = interval[(interval >= _INTERVAL_S[0] * fs) & (interval <= _INTERVAL_S[1] * fs)]
    reach = round(_EXPECTED_WITHIN_S * fs)
    found = set(beats.tolist())
    for before, after in zip(beats[:-1].tolist(), beats[1:].tolist(), strict=True):
        row = np.searchsorted(beats, before)
        nearby = interval[max(row - 6, 0) : row + 6]
        nearby = nearby[(nearby >= _INTERVAL_S[0] * fs) & (nearby <= _INTERVAL_S[1] * fs)]
        step = float(np.median(nearby)) if len(nearby) else float(np.median(usual))
        if after - before < 1.5 * step:
            continue
        for start, sign in ((before, 1), (after, -1)):
            at = start
            for _ in range(_EXPECTED_MOST):
                expected = round(at + sign * step)
                if not before + 0.5 * step < expected < after - 0.5 * step:
                    break
                place = _peak_near(smooth, expected, reach, height)
                if place is not None:
                    found.add(place)
                at = expected if place is None else place
    return np.array(sorted(found), np.int64)


def _peak_near(above: FloatArray, expected: int, reach: int, height: float) -> int | None:
    """The local peak within reach whose height is most like a beat's; None without one."""
    start = max(expected - reach, 1)
    part = above[start - 1 : expected + reach + 2]
    if len(part) < 3:
        return None
    peaks = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] >= part[2:]))
    values = part[1:-1][peaks]
    fits = (values > height / _HEIGHT_RATIO) & (values < height * _HEIGHT_RATIO)
    if not np.any(fits):
        return None
    best = peaks[fits][int(np.argmin(np.abs(np.log(values[fits] / height))))]
    return int(start + best)


def _extent(above: FloatArray, beats: IntArray, fs: int) -> tuple[int, int]:
    """How many values a beat reaches before and after its peak, by the mean of all."""
    most_before, most_after = round(_BEFORE_S * fs), round(_AFTER_S * fs)
    inside = beats[(beats >= most_before) & (beats < len(above) - most_after)]
    shape = np.median(above[inside[:, None] + np.arange(-most_before, most_after + 1)], axis=0)
    low = shape < _ENDS_UV
    before = next((n for n in range(1, most_before) if low[most_before - n]), most_before)
    after = next((n for n in range(1, most_after) if low[most_before + n]), most_after)
    return before, after


def _bridged(envelope: FloatArray, beats: IntArray, before: int, after: int) -> FloatArray:
    """The envelope with each beat replaced by a line between what lies on both sides."""
    bridged = envelope.copy()
    around = 3
    for beat in beats.tolist():
        first, last = max(beat - before, around), min(beat + after, len(envelope) - 1 - around)
        left = np.median(bridged[first - around : first])
        right = np.median(envelope[last + 1 : last + 1 + around])
        if first > last or np.isnan(left) or np.isnan(right):
            continue
        line = np.linspace(left, right, last - first + 1)
        bridged[first : last + 1] = np.minimum(bridged[first : last + 1], line)
    return bridged
