"""Leg movements in the EMG of the anterior tibialis muscles, by the WASM's amplitudes.

The EMG is looked at between 10 and 100 Hz with the mains taken out, rectified, and its peaks are
joined to an envelope, which is what a scorer's eye follows on paper. Rest is what the envelope
comes back to around each moment, so that an electrode that grows noisier in the night does not
start to move.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlsmove.errors import UnsuitableSignal
from rlsmove.events.edf import edf_marks
from rlsmove.events.heart_beats import without_beats
from rlsmove.events.labels import LabelTable, side_named
from rlsmove.events.night_events import Events, events_of_cases
from rlsmove.io.edf_records import EdfChannel, EdfRecords
from rlsmove.records import SIDES, FloatArray, Movements, Notice
from rlsmove.rules import (
    EMG_BAND_HZ,
    EMG_MEDIAN_STRETCH_MS,
    EMG_OFFSET_ABOVE_REST_UV,
    EMG_ONSET_ABOVE_REST_UV,
    EMG_QUIET_MS,
    EMG_REST_MAX_UV,
)

#: Envelope samples per second: onsets are told to 10 ms.
ENVELOPE_HZ = 100
#: Peaks of one burst lie closer than this.
_PEAKS_JOIN_S = 0.1
#: Rest is looked for this far to each side: long against a movement, short against the night.
_REST_REACH_S = 60
#: ... as the level that the envelope stays below for this part of that time: movements, which
#: may fill half of it in a restless hour, leave it as it is.
_REST_QUANTILE = 0.3
#: Noise at rest that comes above the offset's level keeps a movement from ending; the level lies at
#: least so many standard deviations above rest.
_SCATTERS = 4.0
_MAINS_HZ = (50.0, 60.0, 100.0)
#: 3 Hz rings for 0.35 s after a burst of 40 uV; wider ones take more of the EMG itself.
_NOTCH_WIDTH_HZ = 6.0
#: Below this nothing is left of the band that EMG lies in.
_RATE_MIN_HZ = 100.0
_BLOCK_S = 120
_LONGEST_H = 48
_TO_UV = {"uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
_LEG_CHANNEL = re.compile(
    r"tib|leg|bein|jambe|pierna|gamba|perna|\b[lr]at\b|\bta\b|plm", re.IGNORECASE
)


def read_emg_events(path: Path, labels: LabelTable, names: Sequence[str] = ()) -> Events:
    """Find the leg movements in the EMG of an EDF file; all other events are its annotations.

    Parameters
    ----------
    path : Path
        EDF or EDF+ with a channel for one leg or each.
    labels : LabelTable
        What the annotations mean.
    names : sequence of str
        Channels to look at, as in `leg_channels`.

    Returns
    -------
    Events
        Leg movements that are annotated are left out, with a notice.

    Raises
    ------
    UnsuitableSignal
        No channel is named for a leg, or its unit or rate will not do.
    EventListError
        The file is no EDF, or its annotations contradict each other.
    """
    edf = EdfRecords(path)
    _check_timeline(edf)
    channels = leg_channels(edf, names)
    found = edf_marks(edf, labels)
    (marks,) = found.cases.values()
    others = [mark for mark in marks if mark.kind != "lm"]
    (events,) = events_of_cases(replace(found, cases={"": others})).values()
    notices = [notice for notice in events.notices if notice.code != "no_movements"]
    if len(others) < len(marks):
        notices.append(
            Notice(
                "annotated_movements",
                f"{len(marks) - len(others)} annotated leg movements were left out; those of the "
                "EMG count.",
            )
        )
    tables = []
    for side, channel in channels.items():
        movements, rest_uv = emg_movements(edf, channel, SIDES.index(side))
        tables.append(movements)
        if rest_uv > EMG_REST_MAX_UV:
            notices.append(
                Notice(
                    "restless_emg",
                    f"the EMG of '{channel.label}' rests at {rest_uv:.1f} uV; more than "
                    f"{EMG_REST_MAX_UV:g} uV hides small movements.",
                )
            )
    onset_s = edf.onset_s
    ends = [round(float(edge) * 1000) for edge in (onset_s[0], onset_s[-1] + edf.record_s)]
    return replace(
        events,
        movements=Movements.concatenate(*tables),
        span_ms=(ends[0], ends[1]),
        notices=tuple(notices),
    )


def _check_timeline(edf: EdfRecords) -> None:
    """Refuse a file of which no night can be laid out."""
    if not edf.n_records or not edf.record_s:
        raise UnsuitableSignal(edf.path, "no whole data record", expected="a recorded night")
    steps = np.diff(edf.onset_s)
    if np.any(steps < 0):
        record = int(np.argmax(steps < 0)) + 2
        raise UnsuitableSignal(
            edf.path,
            f"data record {record} begins before the one before it",
            expected="data records in the order of time",
        )
    length_h = (edf.onset_s[-1] - edf.onset_s[0] + edf.record_s) / 3600
    if length_h > _LONGEST_H:
        raise UnsuitableSignal(
            edf.path, f"{length_h:.1f} hours", expected=f"one night, at most {_LONGEST_H} hours"
        )


def leg_channels(edf: EdfRecords, names: Sequence[str] = ()) -> dict[str, EdfChannel]:
    """Channels of leg EMG by side: left, right, or unknown where a single one names no side.

    Parameters
    ----------
    edf : EdfRecords
        The file.
    names : sequence of str
        Channels by name, whatever their names say; of two that name no side the left one first.
    """
    signals = [channel for channel in edf.channels if not channel.is_annotations]
    legs: dict[str, EdfChannel] = {}
    if names:
        chosen = [_named(edf, signals, name) for name in names]
        unnamed = [c for c in chosen if side_named(c.label) == "unknown"]
    else:
        chosen = [channel for channel in signals if _LEG_CHANNEL.search(channel.label)]
        unnamed = []
    for channel in chosen:
        side = side_named(channel.label)
        if len(unnamed) == 2 and channel in unnamed:
            side = ("left", "right")[unnamed.index(channel)]
        if side in legs:
            raise UnsuitableSignal(
                edf.path,
                f"two channels for one leg: '{legs[side].label}' and '{channel.label}'",
                expected="one bipolar EMG channel a leg",
            )
        legs[side] = channel
    if not legs:
        raise UnsuitableSignal(
            edf.path,
            f"no leg EMG among {', '.join(channel.label for channel in signals) or 'no signals'}",
            expected="a channel named for the tibialis or the leg, such as 'EMG LAT' or 'Leg L'",
        )
    for channel in legs.values():
        rate_hz = channel.samples / edf.record_s
        if channel.unit.lower() not in _TO_UV:
            raise UnsuitableSignal(
                edf.path, f"unit of '{channel.label}' is '{channel.unit}'", expected="uV, mV or V"
            )
        if rate_hz < _RATE_MIN_HZ:
            raise UnsuitableSignal(
                edf.path,
                f"'{channel.label}' has {rate_hz:g} samples per second",
                expected=f"at least {_RATE_MIN_HZ:g}",
            )
    return legs


def _named(edf: EdfRecords, signals: Sequence[EdfChannel], name: str) -> EdfChannel:
    """The channel of a name, whatever its case."""
    wanted = name.strip().casefold()
    for channel in signals:
        if channel.label.casefold() == wanted:
            return channel
    raise UnsuitableSignal(
        edf.path,
        f"no channel '{name}'",
        expected=f"one of {', '.join(channel.label for channel in signals) or 'no signals'}",
    )


def emg_movements(edf: EdfRecords, channel: EdfChannel, side: int) -> tuple[Movements, float]:
    """Find the leg movements of one channel.

    Parameters
    ----------
    edf : EdfRecords
        The file.
    channel : EdfChannel
        One of its `leg_channels`.
    side : int
        Index into `records.SIDES`.

    Returns
    -------
    movements : Movements
        Sorted by onset, however short or long.
    rest_uv : float
        Median level of rest.
    """
    from rlsmove.events._emg_kernels import envelope_bursts, hold_median

    envelope, start_s = emg_envelope(edf, channel)
    rest = resting_level(envelope)
    bursts = envelope_bursts(
        envelope,
        rest,
        EMG_ONSET_ABOVE_REST_UV,
        max(EMG_OFFSET_ABOVE_REST_UV, _SCATTERS * resting_scatter(envelope)),
        EMG_QUIET_MS * ENVELOPE_HZ // 1000,
    )
    stretch = EMG_MEDIAN_STRETCH_MS * ENVELOPE_HZ // 1000
    bursts = bursts[hold_median(envelope, rest, bursts, EMG_OFFSET_ABOVE_REST_UV, stretch)]
    onset_ms = bursts[:, 0] * 1000 // ENVELOPE_HZ + round(start_s * 1000)
    duration_ms = (bursts[:, 1] - bursts[:, 0]) * 1000 // ENVELOPE_HZ
    movements = Movements.marks(onset_ms, duration_ms, np.full(len(bursts), side, np.int8))
    return movements, float(np.nanmedian(rest))


def emg_envelope(edf: EdfRecords, channel: EdfChannel) -> tuple[FloatArray, float]:
    """Follow the peaks of the rectified EMG, a block of the file at a time.

    Returns
    -------
    envelope : ndarray of float64, shape (n,), in uV
        `ENVELOPE_HZ` values a second from the first data record on; NaN where none was recorded.
    start_s : float
        Start of the first data record.

    Notes
    -----
    Within each 10 ms the largest value counts. Dips of less than 0.1 s between peaks are filled
    by a running maximum followed by a running minimum of that width, which moves no edge.
    """
    from scipy.ndimage import grey_closing
    from scipy.signal import butter, iirnotch, sosfilt, tf2sos

    fs = channel.samples / edf.record_s
    low, high = EMG_BAND_HZ
    band = (low, high) if high < 0.45 * fs else low
    stages = [butter(2, band, "bandpass" if band != low else "highpass", fs=fs, output="sos")]
    stages += [
        tf2sos(*iirnotch(mains, mains / _NOTCH_WIDTH_HZ, fs=fs))
        for mains in _MAINS_HZ
        if mains < 0.45 * fs
    ]
    sos = np.concatenate(stages)

    onset_s = edf.onset_s
    start_s = float(onset_s[0])
    length = round((float(onset_s[-1]) - start_s + edf.record_s) * ENVELOPE_HZ)
    envelope = np.full(length, np.nan)
    to_uv = _TO_UV[channel.unit.lower()]
    state: FloatArray | None = None
    per_block = max(1, round(_BLOCK_S / edf.record_s))
    for first, samples in edf.blocks(channel, per_block):
        count = len(samples) // channel.samples
        breaks = np.flatnonzero(
            np.diff(onset_s[first : first + count]) > edf.record_s + 1 / ENVELOPE_HZ
        )
        for start, end in zip([0, *(breaks + 1)], [*(breaks + 1), count], strict=True):
            piece = samples[start * channel.samples : end * channel.samples] * to_uv
            record = first + start
            follows = record > 0 and onset_s[record] - onset_s[record - 1] <= (
                edf.record_s + 1 / ENVELOPE_HZ
            )
            if state is None or not follows:
                state = np.zeros((len(sos), 2))
                piece_mean = float(np.mean(piece[: channel.samples]))
            # An offset of the amplifier would ring through the high-pass at the start.
            filtered, state = sosfilt(sos, piece - piece_mean, zi=state)
            time_s = onset_s[record] - start_s + np.arange(len(piece)) / fs
            bins = np.minimum((time_s * ENVELOPE_HZ + 1e-6).astype(np.int64), length - 1)
            edges = np.flatnonzero(np.diff(bins, prepend=-1))
            envelope[bins[edges]] = np.maximum.reduceat(np.abs(filtered), edges)
    width = round(_PEAKS_JOIN_S * ENVELOPE_HZ) + 1
    recorded = ~np.isnan(envelope)
    if np.any(recorded):
        envelope = without_beats(envelope, float(np.nanmedian(envelope)), ENVELOPE_HZ)
    closed = grey_closing(np.where(recorded, envelope, 0.0), size=width)
    return np.where(recorded, closed, np.nan), start_s


def resting_level(envelope: FloatArray) -> FloatArray:
    """Level of rest around each moment.

    Parameters
    ----------
    envelope : ndarray of float64, shape (n,), in uV
        NaN where nothing was recorded.

    Returns
    -------
    ndarray of float64, shape (n,), in uV
        The 0.3-quantile of the seconds' medians from a minute before to a minute after.
    """
    seconds = -(-len(envelope) // ENVELOPE_HZ)
    padded = np.full(seconds * ENVELOPE_HZ, np.nan)
    padded[: len(envelope)] = envelope
    # Sorting puts NaN last; the count of the others says where the median of a second lies.
    by_second = np.sort(padded.reshape(seconds, ENVELOPE_HZ), axis=1)
    medians = _sorted_quantile(by_second, 0.5)
    around = np.pad(medians, _REST_REACH_S, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _REST_REACH_S + 1)
    rest = _sorted_quantile(np.sort(windows, axis=1), _REST_QUANTILE)
    return np.repeat(rest, ENVELOPE_HZ)[: len(envelope)]


def resting_scatter(envelope: FloatArray) -> float:
    """How much the envelope scatters at rest, in uV, as a standard deviation.

    By its 50 % and 90 % quantiles in each second, of which the quieter half is rest.
    """
    seconds = len(envelope) // ENVELOPE_HZ
    by_second = np.sort(envelope[: seconds * ENVELOPE_HZ].reshape(seconds, ENVELOPE_HZ), axis=1)
    by_second = by_second[~np.isnan(by_second[:, -1])]
    if not len(by_second):
        return 0.0
    middle = _sorted_quantile(by_second, 0.5)
    spread = (_sorted_quantile(by_second, 0.9) - middle) / 1.2816
    return float(np.median(spread[middle <= np.median(middle)]))


def _sorted_quantile(rows: FloatArray, quantile: float) -> FloatArray:
    """Quantile of each row, whose values are sorted with NaN last; NaN for a row of NaN alone."""
    count = np.count_nonzero(~np.isnan(rows), axis=1)
    at = np.maximum((count - 1) * quantile, 0).astype(np.int64)
    return rows[np.arange(len(rows)), at]
