"""EDF+ files of three axes of acceleration, written a few data records at a time.

The format: Kemp B and Olivan J, European data format 'plus' (EDF+), Clin Neurophysiol
2003;114:1755-61, and https://www.edfplus.info/specs/edfplus.html.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray

AXES = ("x", "y", "z")

#: The lowest digital value stands for a missing sample; no sample takes it.
MISSING = -32768
_LARGEST = 32767

#: Length that a data record is made close to. The header has eight characters for it: below 10 s
#: six of them are decimals.
_RECORD_S = 5.0

#: Years that the two digits of the header can stand for; EDF+ has the year in full beside them.
_YEARS = range(1985, 2085)
#: The investigation code (EDF+, local recording identification) of simulated data.
SIMULATED_CODE = "simulated"

_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"

#: Bytes of the annotation that tells a record's time, and of another one, at most; both even.
_TIME_BYTES, _NOTE_BYTES = 24, 48

#: Where the header tells how many data records follow.
_N_RECORDS_AT = 236


@dataclass(frozen=True)
class EdfClock:
    """Data records of which the header tells the length exactly.

    Attributes
    ----------
    samples : int
        Of one axis in a data record.
    record_us : int
        Length of a data record in microseconds.
    """

    samples: int
    record_us: int

    @classmethod
    def closest(cls, rate_hz: float) -> EdfClock:
        """The clock that comes closest to a rate: within 2e-7 of it from 1 Hz on."""
        samples = max(round(_RECORD_S * rate_hz), 1)
        return cls(samples, round(1e6 * samples / rate_hz))

    @property
    def tick_hz(self) -> float:
        """Samples per second."""
        return 1e6 * self.samples / self.record_us


def write_edf(
    path: Path,
    rows: Iterable[NDArray[np.float32]],
    *,
    clock: EdfClock,
    end_s: float,
    gaps_s: FloatArray,
    start_time: datetime,
    largest_g: float,
    equipment: str,
    sensor: str,
    simulated: bool = False,
) -> None:
    """Write acceleration as EDF+C with three signals in g and the gaps as annotations.

    A row of NaN within a gap takes the lowest digital value, which is the physical minimum and
    is taken by no sample; the annotation ``Gap`` tells where and for how long. Another row of NaN
    (a tick of the clock that no sample came for) repeats the row before it. After the last row,
    where the annotation ``Recording ends`` stands, the last data record is filled like a gap.

    Parameters
    ----------
    path : Path
        The file to write; not atomic by itself.
    rows : iterable of ndarray of float32, shape (k, 3), in g
        Acceleration on the ticks of `clock`, one piece after the other.
    clock : EdfClock
        Its data records.
    end_s : float
        Time of the last row.
    gaps_s : ndarray of float64, shape (g, 2)
        Start and end of each gap, in seconds since the first row.
    start_time : datetime
        Wall time of the first row.
    largest_g : float
        Largest absolute value of an axis.
    equipment, sensor : str
        Words for the header: the device, and the device with its place on the body.
    simulated : bool
        Whether no person was recorded; the header's investigation code then is `SIMULATED_CODE`.
    """
    notes = _notes(gaps_s, end_s, start_time)
    # One record less than it takes, so that rounding at the very end leaves no note without room.
    n_records = max(math.floor(end_s * clock.tick_hz / clock.samples), 1)
    note_bytes = _TIME_BYTES + _NOTE_BYTES * -(-len(notes) // n_records)
    low_g, high_g = _physical_range(largest_g)
    gain_g = (high_g - low_g) / (_LARGEST - MISSING)
    with path.open("wb") as file:
        header = _header(start_time, clock, low_g, high_g, note_bytes, equipment, sensor, simulated)
        file.write(header)
        at_us = start_time.microsecond
        note = n_records = 0
        for record in _records(rows, clock, gaps_s):
            scaled = np.round((record - low_g) / gain_g) + MISSING
            digital = np.nan_to_num(np.clip(scaled, MISSING + 1, _LARGEST), nan=MISSING)
            file.write(digital.T.astype("<i2").tobytes())
            text = f"+{at_us / 1e6:.6f}".rstrip("0").rstrip(".").encode() + b"\x14\x14\0"
            while note < len(notes) and len(text) + len(notes[note]) <= note_bytes:
                text += notes[note]
                note += 1
            file.write(text.ljust(note_bytes, b"\0"))
            at_us += clock.record_us
            n_records += 1
        file.seek(_N_RECORDS_AT)
        file.write(_field(str(n_records), 8))


def _notes(gaps_s: FloatArray, end_s: float, start_time: datetime) -> list[bytes]:
    """The annotation of each gap, and of the end; onsets count from the header's whole second."""
    part_s = start_time.microsecond / 1e6
    gaps = [
        f"+{start + part_s:.3f}\x15{end - start:.3f}\x14Gap\x14\0".encode()
        for start, end in gaps_s.tolist()
    ]
    return [*gaps, f"+{end_s + part_s:.3f}\x14Recording ends\x14\0".encode()]


def _records(
    rows: Iterable[NDArray[np.float32]], clock: EdfClock, gaps_s: FloatArray
) -> Iterator[FloatArray]:
    """The rows of each data record, shape (samples, 3); NaN within gaps and after the last row."""
    record = np.full((clock.samples, 3), np.nan)
    filled = 0
    first = 0
    last = np.zeros(3, np.float32)
    for piece in rows:
        held, last = _held(piece, first, last, clock.tick_hz, gaps_s)
        first += len(piece)
        at = 0
        while at < len(held):
            taken = min(clock.samples - filled, len(held) - at)
            record[filled : filled + taken] = held[at : at + taken]
            filled += taken
            at += taken
            if filled == clock.samples:
                yield record
                record = np.full((clock.samples, 3), np.nan)
                filled = 0
    if filled:
        yield record


def _held(
    piece: NDArray[np.float32],
    first: int,
    last: NDArray[np.float32],
    tick_hz: float,
    gaps_s: FloatArray,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The piece, its NaN outside of gaps filled with the row before; and its last row with data."""
    there = ~np.isnan(piece[:, 0])
    source = np.maximum.accumulate(np.where(there, np.arange(1, len(piece) + 1), 0))
    held = np.concatenate([last[None], piece])[source]
    time_s = (first + np.arange(len(piece))) / tick_hz
    gap = np.searchsorted(gaps_s[:, 0], time_s, side="right") - 1
    inside = (gap >= 0) & (time_s < np.append(gaps_s[:, 1], -np.inf)[gap])
    held_last = held[-1].copy()
    held[inside & ~there] = np.nan
    return held, held_last


def _physical_range(largest_g: float) -> tuple[float, float]:
    """Ends of the physical range as eight characters hold them, with steps of 2^-15 of it."""
    low = -math.ceil(1000 * largest_g) / 1000
    high = -low * _LARGEST / -MISSING
    return float(f"{low:.8g}"[:8]), float(f"{high:.7f}"[:8])


def _header(
    start_time: datetime,
    clock: EdfClock,
    low_g: float,
    high_g: float,
    note_bytes: int,
    equipment: str,
    sensor: str,
    simulated: bool,
) -> bytes:
    n_signals = len(AXES) + 1
    in_range = start_time.year in _YEARS
    date = start_time.strftime("%d.%m.") + (start_time.strftime("%y") if in_range else "yy")
    month = _MONTHS[3 * start_time.month - 3 : 3 * start_time.month]
    code = SIMULATED_CODE if simulated else "X"
    full = f"{start_time.day:02d}-{month}-{start_time.year:04d}"
    fields = [
        ("0", 8),
        ("X X X X", 80),
        (f"Startdate {full} {code} X {'_'.join(equipment.split()) or 'X'}", 80),
        (date, 8),
        (start_time.strftime("%H.%M.%S"), 8),
        (str(256 * (n_signals + 1)), 8),
        ("EDF+C", 44),
        ("-1", 8),
        (f"{clock.record_us / 1e6:.6f}"[:8], 8),
        (str(n_signals), 4),
    ]
    columns: list[tuple[int, str, str]] = [
        # width, text of an axis, text of the annotations
        (16, "", "EDF Annotations"),
        (80, sensor, ""),
        (8, "g", ""),
        (8, f"{low_g:.8g}", "-1"),
        (8, f"{high_g:.8g}"[:8], "1"),
        (8, str(MISSING), str(MISSING)),
        (8, str(_LARGEST), str(_LARGEST)),
        (80, "none", ""),
        (8, str(clock.samples), str(note_bytes // 2)),
        (32, "", ""),
    ]
    for number, (width, of_axis, of_notes) in enumerate(columns):
        fields += [(f"Acc {axis}" if number == 0 else of_axis, width) for axis in AXES]
        fields.append((of_notes, width))
    return b"".join(_field(text, width) for text, width in fields)


def _field(text: str, width: int) -> bytes:
    """Printable ASCII, as the header wants it, padded with spaces."""
    plain = "".join(sign if " " <= sign <= "~" else "_" for sign in text)
    return plain[:width].ljust(width).encode("ascii")
