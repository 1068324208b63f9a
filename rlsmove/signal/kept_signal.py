"""The night's signal in the compact form in which it is kept beside the results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rlsmove.records import COUNTS_PER_G, MISSING_COUNT, LegSignal
from rlsmove.signal.nights import Night


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
    counts = np.clip(night.acceleration * COUNTS_PER_G, MISSING_COUNT + 1, -MISSING_COUNT - 1)
    np.rint(counts, out=counts)
    counts[np.isnan(counts)] = MISSING_COUNT
    return LegSignal(
        start_s=night.first / night.fs + later_s,
        step_s=1.0 / night.fs,
        device_step_g=step_g,
        counts=counts.astype(np.int16),
    )


def on_other_clock(signal: LegSignal, offset_s: float, drift_ppm: float) -> LegSignal:
    """Move a signal to a clock that its own is ahead of by an offset and a drift."""
    rate = 1.0 + 1e-6 * drift_ppm
    return replace(signal, start_s=(signal.start_s - offset_s) / rate, step_s=signal.step_s / rate)
