"""EDF and EDF+ files, read a few data records at a time.

The format: Kemp B and Olivan J, European data format 'plus' (EDF+), Clin Neurophysiol
2003;114:1755-61, and https://www.edfplus.info/specs/edfplus.html. The start of each data record,
which tells the gaps of an EDF+D file, stands in its first annotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlsmove.errors import EventListError
from rlsmove.io.numbers_as_text import milliseconds
from rlsmove.records import FloatArray, IntArray, Notice

EDF_MAGIC = b"0       "
_HEADER_BYTES = 256
_CHANNEL_BYTES = 256
#: Widths of the fields of the header's second part, each one after the other for all channels.
_CHANNEL_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_ANNOTATIONS = "EDF Annotations"
#: No recording has data records of more than this; the standard recommends 61,440.
_LARGEST_RECORD_BYTES = 1 << 27

#: One time-stamped annotation list: onset, perhaps a duration, texts.
_TAL = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?)?)?\x14((?:[^\x14\x00]*\x14)*)")


class EdfAnnotation(NamedTuple):
    """One annotation.

    Attributes
    ----------
    onset_ms : int
        From the start time of the file.
    duration_ms : int or None
        None where the file gives none.
    text : str
        What it says.
    """

    onset_ms: int
    duration_ms: int | None
    text: str


@dataclass(frozen=True)
class EdfChannel:
    """One signal of an EDF file.

    Attributes
    ----------
    label, unit : str
        As they stand in the header.
    samples : int
        Samples in a data record.
    first_byte : int
        Where they begin in a data record.
    gain, offset : float
        A sample times `gain` plus `offset` is in `unit`.
    digital_min, digital_max : int
        The ends of the converter's range.
    """

    label: str
    unit: str
    samples: int
    first_byte: int
    gain: float
    offset: float
    digital_min: int
    digital_max: int

    @property
    def is_annotations(self) -> bool:
        """Whether the channel holds text instead of samples."""
        return self.label == _ANNOTATIONS


class EdfRecords:
    """An opened EDF or EDF+ file.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    channels : tuple of EdfChannel
        Signals and annotations.
    record_s : float
        Length of a data record; 0 in files of annotations only.
    investigation, device : str
        As an EDF+ header names them; empty where it does not.
    equipment : str
        Of the first signal.
    n_records : int
        Whole data records that the file really holds.
    notices : list of Notice
        ``truncated`` where it holds fewer than its header says.

    Raises
    ------
    EventListError
        The file is no EDF, or its header contradicts itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[Notice] = []
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES or not header.startswith(EDF_MAGIC):
                raise self._damaged("no EDF header of 256 bytes", "an EDF or EDF+ file")
            text = header.decode("latin-1")
            n_channels = self._integer(text[252:256], "number of signals", 0, 10_000)
            rest = file.read(n_channels * _CHANNEL_BYTES)
            if len(rest) < n_channels * _CHANNEL_BYTES:
                raise self._damaged("the file ends within its header", "a whole EDF header")
            self._header_bytes = self._integer(text[184:192], "size of the header", 256, 1 << 24)
            stated = self._integer(text[236:244], "number of data records", -1, 1 << 40)
            self.record_s = self._number(text[244:252], "duration of a data record")
            self._discontinuous = text[192:197] == "EDF+D"
            self.channels = self._read_channels(rest.decode("latin-1"), n_channels)
            self._record_bytes = sum(2 * channel.samples for channel in self.channels)
            if not 0 < self._record_bytes <= _LARGEST_RECORD_BYTES:
                raise self._damaged(
                    f"data records of {self._record_bytes} bytes", "a whole EDF header"
                )
            size = file.seek(0, 2) - self._header_bytes
        self.n_records = max(size, 0) // self._record_bytes
        if stated >= 0 and self.n_records < stated:
            self.notices.append(
                Notice(
                    "truncated",
                    f"{self.n_records} of {stated} data records are there; the rest is missing.",
                )
            )
        if stated >= 0:
            self.n_records = min(self.n_records, stated)
        self._whole_start = self._start_time(text)
        # Of an EDF+ header: start date, investigation, technician, equipment.
        codes = text[88:168].split() if text[88:97] == "Startdate" else []
        codes = [code.replace("_", " ") if code != "X" else "" for code in codes[1:5]]
        self.investigation, self.device = (*codes, "", "", "", "")[1:4:2]
        labels = rest.decode("latin-1")
        self.equipment = labels[16 * n_channels : 16 * n_channels + 80].strip()
        self._whole_clock = _clock(text[176:184])

    def _damaged(self, found: str, expected: str) -> EventListError:
        return EventListError(self.path, found, place="EDF header", expected=expected)

    def _integer(self, text: str, name: str, least: int, most: int) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise self._damaged(f"{name} is '{text.strip()}'", "a whole number in range")
        return value

    def _number(self, text: str, name: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not 0 <= value < 1e6:
            raise self._damaged(f"{name} is '{text.strip()}'", "a number in range")
        return value

    def _read_channels(self, text: str, n_channels: int) -> tuple[EdfChannel, ...]:
        columns = []
        position = 0
        for width in _CHANNEL_FIELDS:
            end = position + width * n_channels
            columns.append([text[at : at + width].strip() for at in range(position, end, width)])
            position = end
        channels = []
        first_byte = 0
        for label, _, unit, low, high, digital_low, digital_high, _, samples, _ in zip(
            *columns, strict=True
        ):
            n_samples = self._integer(samples, f"samples a record of '{label}'", 0, 1 << 26)
            gain = offset = 0.0
            digital = (0, 0)
            if label != _ANNOTATIONS:
                try:
                    physical = (float(low), float(high))
                    digital = (int(digital_low), int(digital_high))
                    gain = (physical[1] - physical[0]) / (digital[1] - digital[0])
                    offset = physical[0] - gain * digital[0]
                except (ValueError, ZeroDivisionError):
                    raise self._damaged(
                        f"range of '{label}' is {low} to {high} for {digital_low} to "
                        f"{digital_high}",
                        "two different numbers each",
                    ) from None
            channels.append(EdfChannel(label, unit, n_samples, first_byte, gain, offset, *digital))
            first_byte += 2 * n_samples
        return tuple(channels)

    def _start_time(self, text: str) -> datetime | None:
        """Start date and time; EDF+ has the year in full where EDF has two digits of it."""
        full = re.match(r"Startdate (\d\d-[A-Za-z]{3}-\d{4})", text[88:168])
        anonymous = text[88:168].startswith("Startdate X") or text[168:176] == "01.01.85"
        if anonymous and not full:
            return None
        clock = text[176:184].replace(":", ".")
        try:
            if full:
                return datetime.strptime(f"{full[1]} {clock}", "%d-%b-%Y %H.%M.%S")
            date = datetime.strptime(f"{text[168:176]} {clock}", "%d.%m.%y %H.%M.%S")
        except ValueError:
            return None
        # Two digits mean 1985 to 2084, by the standard.
        return date.replace(year=1985 + (date.year - 1985) % 100)

    @property
    def clock_ms(self) -> int | None:
        """Time of day of time zero in ms, which stays where a date was made anonymous."""
        if self.start_time is not None:
            at = self.start_time
        elif self._whole_clock is not None:
            at = self._whole_clock + timedelta(milliseconds=self._timeline[2])
        else:
            return None
        return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000

    @property
    def annotations(self) -> list[EdfAnnotation]:
        """All annotations, in the order of the file."""
        return self._timeline[0]

    @property
    def onset_s(self) -> FloatArray:
        """Start of each data record, from the start time.

        Without time stamps, records follow upon each other.
        """
        return self._timeline[1]

    @property
    def start_time(self) -> datetime | None:
        """Wall time of time zero; None where the header has been made anonymous."""
        shift = timedelta(milliseconds=self._timeline[2])
        return None if self._whole_start is None else self._whole_start + shift

    @cached_property
    def _timeline(self) -> tuple[list[EdfAnnotation], FloatArray, int]:
        """Annotations, starts of the records, and by how many ms the header's start is early."""
        onset_s = np.arange(self.n_records, dtype=np.float64) * self.record_s
        found: list[EdfAnnotation] = []
        channels = [channel for channel in self.channels if channel.is_annotations]
        with self.path.open("rb") as file:
            for record in range(self.n_records):
                for channel in channels:
                    file.seek(self._header_bytes + record * self._record_bytes + channel.first_byte)
                    notes = self._notes(file.read(2 * channel.samples), record)
                    if channel is channels[0] and notes and not notes[0].text:
                        onset_s[record] = notes[0].onset_ms / 1000
                    found += [note for note in notes if note.text]
        if not len(onset_s) or not 0 < onset_s[0] < 1:
            return found, onset_s, 0
        # The header has whole seconds; the first record says what belongs to them.
        shift_ms = round(float(onset_s[0]) * 1000)
        found = [note._replace(onset_ms=note.onset_ms - shift_ms) for note in found]
        return found, onset_s - onset_s[0], shift_ms

    def _notes(self, content: bytes, record: int) -> list[EdfAnnotation]:
        """Annotations of one data record, those without text too: they only tell the time."""
        notes = []
        for onset, duration, texts in _TAL.findall(content):
            onset_ms = milliseconds(onset.decode())
            if onset_ms is None:
                raise EventListError(
                    self.path,
                    f"an annotation at {onset.decode()[:20]} s",
                    place=f"data record {record + 1}",
                    expected="times of one night",
                )
            duration_ms = milliseconds(duration.decode()) if duration else None
            for text in texts[:-1].split(b"\x14"):
                notes.append(EdfAnnotation(onset_ms, duration_ms, _decoded(text)))
        return notes

    def samples(self, channels: Sequence[EdfChannel], first: int, count: int) -> IntArray:
        """Read channels of the same rate as they are stored.

        Parameters
        ----------
        channels : sequence of EdfChannel
            Each with the same number of samples in a data record.
        first, count : int
            Which data records.

        Returns
        -------
        ndarray of int64, shape (n, len(channels))
        """
        with self.path.open("rb") as file:
            file.seek(self._header_bytes + first * self._record_bytes)
            raw = np.frombuffer(file.read(count * self._record_bytes), np.uint8)
        records = raw[: len(raw) // self._record_bytes * self._record_bytes]
        records = records.reshape(-1, self._record_bytes)
        columns = [
            np.ascontiguousarray(
                records[:, channel.first_byte : channel.first_byte + 2 * channel.samples]
            )
            .view("<i2")
            .ravel()
            for channel in channels
        ]
        return np.stack(columns, axis=1).astype(np.int64)

    def blocks(
        self, channel: EdfChannel, records_per_block: int
    ) -> Iterator[tuple[int, FloatArray]]:
        """Read the samples of a channel in blocks of whole data records.

        Yields
        ------
        first_record : int
            Number of the block's first data record.
        samples : ndarray of float64
            In the channel's unit.
        """
        with self.path.open("rb") as file:
            for first in range(0, self.n_records, records_per_block):
                count = min(records_per_block, self.n_records - first)
                file.seek(self._header_bytes + first * self._record_bytes)
                raw = np.frombuffer(file.read(count * self._record_bytes), np.uint8)
                part = raw.reshape(count, self._record_bytes)[
                    :, channel.first_byte : channel.first_byte + 2 * channel.samples
                ]
                digital = np.ascontiguousarray(part).view("<i2").ravel()
                yield first, digital * channel.gain + channel.offset


def _clock(text: str) -> datetime | None:
    """Time of day in the header; midnight stands for none."""
    try:
        clock = datetime.strptime(text.replace(":", "."), "%H.%M.%S")
    except ValueError:
        return None
    return clock if (clock.hour, clock.minute, clock.second) != (0, 0, 0) else None


def _decoded(text: bytes) -> str:
    """EDF+ has UTF-8; some programs write Latin-1."""
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()
