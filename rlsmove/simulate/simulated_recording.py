"""One leg of a simulated night as an opened recording, without a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rlsmove.devices import Block, Recording
from rlsmove.simulate.night import SimulatedNight


class SimulatedRecording(Recording):
    """What a simulated device holds, read like any other recording.

    Parameters
    ----------
    night : SimulatedNight
        The night.
    side : str
        ``left`` or ``right``, one of those simulated.
    """

    def __init__(self, night: SimulatedNight, side: str) -> None:
        device = night.parameters.model
        super().__init__(
            Path(f"simulated {side}"),
            device=f"simulated {device.name}",
            start_time=night.parameters.start_time,
            sample_rate_hz=night.parameters.fs,
            range_g=device.range_g,
            side=side,
            placement="ankle",
            simulated=True,
        )
        self._night = night

    def blocks(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Block]:
        """Compute the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        first = 0
        length = self._night.parameters.hours * 3600 * self.sample_rate_hz
        for rows in self._night.blocks(self.side):
            time_s = np.arange(first, first + len(rows)) / self.sample_rate_hz
            first += len(rows)
            self.fraction_read = min(first / length, 1.0)
            wanted = (time_s >= start_s) & (time_s < end_s) & ~np.isnan(rows[:, 0])
            if wanted.any():
                yield Block(np.ascontiguousarray(rows[wanted]), time_s[wanted])
