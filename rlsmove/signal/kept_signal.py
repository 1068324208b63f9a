"""The night's signal in the compact form in which it is kept beside the results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import COUNTS_PER_G, MISSING_COUNT, LegSignal
from rlsmove.signal.activity import movement_activity
from rlsmove.signal.nights import Night

#: Points that are rounded at a time.
_PIECE = 1 << 16


def kept_signal(night: Night, *, step_g: float, later_s: float = 0.0) -> LegSignal:
    """Round a night to steps of half a milligravity, half the size in memory and on disk.

    Parameters
    ----------
    night : Night
        One night on the common clock, calibrated.
    step_g : float
        Step of the device's scale, in g.
    later_s : float
        How much later than the first recording this one starts.

    Returns
    -------
    LegSignal
        Values beyond +-16 g, which no limb reaches in bed, are cut off there.
    """
    counts = np.empty(night.acceleration.shape, np.int16)
    # In pieces, so that the scaled copies stay small beside the night itself.
    for start in range(0, len(counts), _PIECE):
        piece = night.acceleration[start : start + _PIECE] * COUNTS_PER_G
        np.clip(piece, MISSING_COUNT + 1, -MISSING_COUNT - 1, out=piece)
        piece[np.isnan(piece)] = MISSING_COUNT
        counts[start : start + _PIECE] = np.rint(piece, out=piece)
    return LegSignal(
        start_s=night.first / night.fs + later_s,
        step_s=1.0 / night.fs,
        device_step_g=step_g,
        counts=counts,
    )


def on_other_clock(signal: LegSignal, offset_s: float, drift_ppm: float) -> LegSignal:
    """Move a signal to a clock that its own is ahead of by an offset and a drift."""
    rate = 1.0 + 1e-6 * drift_ppm
    return replace(signal, start_s=(signal.start_s - offset_s) / rate, step_s=signal.step_s / rate)


def signal_strength(signal: LegSignal) -> NDArray[np.float32]:
    """Movement signal of a kept night, as the detector computes it, for looking at.

    Parameters
    ----------
    signal : LegSignal
        One leg.

    Returns
    -------
    ndarray of float32, shape (n,)
        Over its threshold: 1 is just significant. NaN where nothing was recorded.
    """
    acceleration = signal.acceleration()
    missing = np.isnan(acceleration[:, 0])
    if np.all(missing):
        return np.full(len(signal), np.nan, np.float32)
    there, gone = np.flatnonzero(~missing), np.flatnonzero(missing)
    for axis in range(3):
        acceleration[gone, axis] = np.interp(gone, there, acceleration[there, axis])
    strength = movement_activity(acceleration, signal.device_step_g).strength
    strength[missing] = np.nan
    return strength
