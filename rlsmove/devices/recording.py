"""What every decoder yields: an opened recording, handed out in blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.told import NOTHING_TOLD
from rlsmove.records import Notice


@dataclass(frozen=True)
class Block:
    """A run of samples in the order of time.

    Attributes
    ----------
    acceleration : ndarray of float32, shape (n, 3), C-contiguous, in g
        As the device scaled it; not calibrated any further.
    time_s : ndarray of float64, shape (n,)
        Seconds since the start of the recording, strictly increasing, also from block to block.
        A missing stretch is a jump in time; there are no rows of NaN.
    """

    acceleration: NDArray[np.float32]
    time_s: NDArray[np.float64]


@dataclass(frozen=True)
class Taken:
    """How something in a file was understood.

    Attributes
    ----------
    what : str
        ``time``, ``start``, ``zone``, ``unit``, ``axes`` or ``rows``.
    value : str
        What it was taken for.
    source : str
        Where that comes from: ``told``, the file, or what it was guessed by.
    """

    what: str
    value: str
    source: str


@dataclass(frozen=True)
class Completeness:
    """How much of a recording was read, and what became of the rest.

    Attributes
    ----------
    unit : str
        What is counted: ``blocks``, ``records``, ``pages`` or ``rows``.
    expected : int or None
        How many there should be, by the file's own numbers; None where nothing in it says.
    read : int
        How many were read.
    lost : int
        How many are damaged or missing.
    unknown : int
        How many of those read are not vouched for, since a check that covers them fails.
    places : tuple of str
        Where something is amiss, the first of them.
    """

    unit: str
    expected: int | None
    read: int
    lost: int
    unknown: int
    places: tuple[str, ...]


class Recording(ABC):
    """An opened recording. Nothing of its samples is read before `blocks` is asked for them.

    Attributes
    ----------
    path : Path
        The file.
    device : str
        Maker and model, such as ``Axivity AX3``.
    serial : str
        The device's own number; empty where the file has none.
    subject : str
        What was entered as the person's code when the device was set up; empty for nothing.
    start_time : datetime
        Wall time of the first sample (time_s = 0), with its offset from UTC where that is known.
    dated : bool
        Whether anything dates it; where nothing does, `start_time` means nothing.
    time_zone : str
        IANA name of the sleeper's zone, where the file or a person gives one; empty otherwise.
    sample_rate_hz : float
        The rate that the device was set to. The true one follows from the samples' times.
    range_g : float
        Largest acceleration that the device can show, in g; NaN where unknown.
    side, placement : str
        ``left``, ``right`` or ``unknown``; ``ankle``, ... or ``unknown``.
    simulated : bool
        Whether no person was recorded; kept by every conversion, and said wherever it is shown.
    notices : list of Notice
        What was found wrong so far: complete once `blocks` has been read to its end. Reading
        again does not list a finding twice.
    completeness : Completeness or None
        How much of the file was read; None until `blocks` has been read to its end.
    fraction_read : float
        How far the reading has come, from 0 to 1, for progress bars.
    taken : list of Taken
        What was taken for time, start, zone, unit and axes, and why.
    told : Told
        What a person said of it.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str,
        start_time: datetime,
        sample_rate_hz: float,
        serial: str = "",
        subject: str = "",
        time_zone: str = "",
        range_g: float = float("nan"),
        side: str = "unknown",
        placement: str = "unknown",
        simulated: bool = False,
    ) -> None:
        self.path = path
        self.device = device
        self.serial = serial
        self.subject = subject
        self.start_time = start_time
        self.time_zone = time_zone
        self.sample_rate_hz = sample_rate_hz
        self.range_g = range_g
        self.side = side
        self.placement = placement
        self.dated = True
        self.simulated = simulated
        self.notices: list[Notice] = []
        self.completeness: Completeness | None = None
        self.fraction_read = 0.0
        self.taken: list[Taken] = []
        self.told = NOTHING_TOLD

    @abstractmethod
    def blocks(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s, in blocks of bounded size.

        Parameters
        ----------
        start_s, end_s : float
            Seconds since the start of the recording. Where the format can be searched, what lies
            before and after is not read.

        Yields
        ------
        Block
            Samples in the order of time.

        Raises
        ------
        DamagedRecording
            When nothing whole is left to read.
        """

    def drop_notices(self, *codes: str) -> None:
        """Take findings back that no longer hold."""
        self.notices = [notice for notice in self.notices if notice.code not in codes]

    def take(self, what: str, value: str, source: str) -> None:
        """Say what something was taken for, in the place of what was said of it before."""
        self.taken = [taken for taken in self.taken if taken.what != what]
        self.taken.append(Taken(what, value, source))

    def notice(self, code: str, sentence: str) -> None:
        """Add a finding to `notices`, in the place of an earlier one with the same code."""
        codes = [notice.code for notice in self.notices]
        if code in codes:
            self.notices[codes.index(code)] = Notice(code, sentence)
        else:
            self.notices.append(Notice(code, sentence))
