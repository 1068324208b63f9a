"""EDF and EDF+ files with three channels of acceleration, those of this program among them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.body_place import find_body_place
from rlsmove.devices.gravity_unit import UnitOfGravity, tell_unit
from rlsmove.devices.recording import Block, Recording
from rlsmove.devices.table_axes import Axes, likely_axes
from rlsmove.devices.told import Told
from rlsmove.errors import DamagedRecording, EventListError, UnknownFormat
from rlsmove.io.edf_records import EdfChannel, EdfRecords
from rlsmove.io.edf_signals import SIMULATED_CODE

#: Samples read at once.
ROWS_PER_READ = 1 << 16

#: With this annotation the program's own files end; in them the lowest value is no sample.
_OWN_END = "Recording ends"
_1970 = datetime(1970, 1, 1)


class EdfRecording(Recording):
    """Acceleration in an EDF file.

    The channels are found by their labels; their unit is what the header says, checked against
    1 g at rest. In an EDF+D file the start of each data record is read.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        What is told of it.

    Raises
    ------
    UnknownFormat
        It has no three channels of acceleration.
    UnsuitableSignal
        Gravity is not in them.
    DamagedRecording
        Its header cannot be read, or no data record is whole.
    """

    def __init__(self, path: Path, told: Told) -> None:
        try:
            self._edf = EdfRecords(path)
            onset_s = self._edf.onset_s
            annotations = self._edf.annotations
        except EventListError as error:
            raise DamagedRecording(
                path, error.found, place=error.place, expected=error.expected
            ) from error
        self._channels, axes = self._find_channels(path)
        if not self._edf.n_records or not self._edf.record_s:
            raise DamagedRecording(path, "none of its data records is whole")
        self._onset_s = onset_s - onset_s[0]
        self._per_record = self._channels[0].samples
        rate_hz = self._per_record / self._edf.record_s
        self._own = any(note.text == _OWN_END for note in annotations)
        self._unit = UnitOfGravity(1.0, "", "")
        few = max(math.ceil(600 * rate_hz / self._per_record), 1)
        rows = self._read(0, few)
        self._unit = tell_unit(
            path, rows[np.isfinite(rows).all(axis=1)], rate_hz, axes.unit, axes.source, told
        )
        low = max(abs(c.offset + c.gain * c.digital_min) for c in self._channels)
        side, placement = find_body_place(self._edf.equipment)
        super().__init__(
            path,
            device=self._edf.device or "EDF",
            start_time=self._edf.start_time or _1970,
            sample_rate_hz=rate_hz,
            range_g=float(low / self._unit.per_g),
            side=side,
            placement=placement,
            simulated=self._edf.investigation == SIMULATED_CODE,
        )
        self.dated = self._edf.start_time is not None
        self.notices = list(self._edf.notices)
        if not self.dated:
            self.notice("no_date", "Its header has no date: tell when it starts (--start).")
            self.take("start", "no date", "nothing says it")
        if self._unit.notice:
            self.notice("unit", self._unit.notice)
        labels = ", ".join(channel.label for channel in self._channels)
        self.take("axes", labels, "the labels of the channels")
        self.take("unit", self._unit.name, self._unit.source)

    def _find_channels(self, path: Path) -> tuple[tuple[EdfChannel, ...], Axes]:
        """The three channels of acceleration: of several, the ones with the likeliest labels."""
        channels = self._edf.channels
        names = [f"{channel.label} ({channel.unit})" for channel in channels]
        for axes in likely_axes(names):
            chosen = tuple(channels[column] for (column,) in axes.columns)
            if len({channel.samples for channel in chosen}) == 1 and chosen[0].samples:
                return chosen, axes
        labels = ", ".join(channel.label for channel in channels[:10]) or "none"
        raise UnknownFormat(
            path,
            f"an EDF file without three channels of acceleration (its channels: {labels})",
            expected="channels such as 'Acc X', 'Acc Y', 'Acc Z'",
        )

    def _read(self, first: int, count: int) -> NDArray[np.float64]:
        """Samples of data records, in g; NaN where the program's own files hold none."""
        digital = self._edf.samples(self._channels, first, count)
        rows = np.stack(
            [
                digital[:, i] * channel.gain + channel.offset
                for i, channel in enumerate(self._channels)
            ],
            axis=1,
        )
        if self._own:
            lowest = np.array([channel.digital_min for channel in self._channels])
            rows[(digital == lowest).all(axis=1)] = np.nan
        return rows / self._unit.per_g

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        onset_s, record_s = self._onset_s, self._edf.record_s
        first = max(int(np.searchsorted(onset_s, start_s - record_s, side="right")) - 1, 0)
        last = int(np.searchsorted(onset_s, end_s))
        step = max(ROWS_PER_READ // self._per_record, 1)
        for record in range(first, last, step):
            count = min(step, last - record)
            rows = self._read(record, count)
            within_s = np.arange(self._per_record) / self.sample_rate_hz
            time_s = (onset_s[record : record + count, None] + within_s).ravel()[: len(rows)]
            self.fraction_read = (record + count - first) / (last - first)
            keep = np.isfinite(rows).all(axis=1) & (time_s >= start_s) & (time_s < end_s)
            if keep.any():
                yield Block(rows[keep].astype(np.float32), time_s[keep])
        self.fraction_read = 1.0
