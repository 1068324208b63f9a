"""Recordings in this project's HDF5: read in windows, written in one pass.

Root attributes ``format`` = "rlsmove-recording", ``version`` = 1, ``start_time`` (ISO 8601),
``sample_rate_hz``, ``unit`` = "g", ``side``, ``placement``, ``device``, optionally ``time_zone``
(IANA), ``serial``, ``range_g``; dataset ``acceleration``, shape (n, 3), float32, in g, where a
missing sample is a row of NaN; optionally ``temperature_c`` with attribute ``sample_rate_hz``.
"""

from __future__ import annotations

import io
import math
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlsmove.devices.recording import Block, Completeness, Recording
from rlsmove.errors import DamagedRecording, OutputError, UnknownFormat, UnsuitableSignal

FORMAT = "rlsmove-recording"
VERSION = 1

#: Samples read at once.
ROWS_PER_READ = 1 << 16
#: Rows of one stored chunk: about three minutes at 100 Hz, so that a window costs little.
_CHUNK_ROWS = 1 << 14
#: A stored chunk is held in memory whole; a larger one is not opened.
_LARGEST_CHUNK_BYTES = 1 << 28
#: Rates outside are no accelerometer's.
_RATES_HZ = (1.0, 10_000.0)

#: Signature, version and reserved bytes of a collection of texts.
_HEAP = b"GCOL\x01\0\0\0"
#: Deflated zeros take so many times less than they are.
_LARGEST_RATIO = 1100
#: No recording is longer; a damaged or made-up shape may be.
_LONGEST_DAYS = 400

#: Root attributes that are read; what else there may be is not, in case it is damaged.
_READ = (
    *("format", "version", "unit", "start_time", "time_zone", "sample_rate_hz"),
    *("device", "serial", "range_g", "side", "placement", "simulated"),
)
_SIDES = ("left", "right", "unknown")


class Hdf5Recording(Recording):
    """A recording in this project's HDF5.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    UnknownFormat
        The HDF5 was written by another program, or by a later version of this one.
    DamagedRecording
        A dataset or an attribute is missing or malformed, or lies where the file is cut off.
    UnsuitableSignal
        The acceleration is not in g.

    Notes
    -----
    Row ``i`` of the dataset lies ``i / sample_rate_hz`` after ``start_time``. Rows that are not
    finite are missing and become jumps in time. A stored chunk that cannot be read (a checksum or
    the compression fails, or it lies where the file is cut off) is a gap as well, with a notice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cut_bytes = _missing_bytes(path)
        _check_heaps(path)
        try:
            with self._open() as file:
                attributes = {name: file.attrs[name] for name in _READ if name in file.attrs}
                self._check_format(attributes)
                self._rows, self._chunk_rows = self._check_dataset(file)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise DamagedRecording(
                path,
                f"the HDF5 library cannot open it ({_first_line(error)})",
                advice="The file may be cut short; copy it again from where it was made.",
            ) from error
        super().__init__(
            path,
            device=self._text(attributes, "device", "unknown"),
            serial=self._text(attributes, "serial", ""),
            start_time=self._start_time(attributes),
            sample_rate_hz=self._rate(attributes),
            range_g=self._range(attributes),
            side=self._text(attributes, "side", "unknown").lower(),
            placement=self._text(attributes, "placement", "unknown").lower() or "unknown",
            simulated=self._flag(attributes, "simulated"),
        )
        if self.side not in _SIDES:
            raise self._wrong("attribute 'side'", repr(self.side), " or ".join(map(repr, _SIDES)))
        self.time_zone = self._zone(attributes)
        days = self._rows / self.sample_rate_hz / 86_400
        if days > _LONGEST_DAYS:
            raise self._wrong(
                "dataset 'acceleration'", f"{days:.0f} days long", f"at most {_LONGEST_DAYS}"
            )

    def _open(self) -> Any:
        import h5py

        return h5py.File(_CutFile(self.path, self._cut_bytes) if self._cut_bytes else self.path)

    def blocks(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        rate = self.sample_rate_hz
        # One row more on either side: the times themselves decide, below.
        first = int(min(max(math.floor(start_s * rate) - 1, 0), self._rows))
        last = self._rows
        if end_s * rate < self._rows - 1:
            last = max(math.ceil(end_s * rate) + 1, first)
        lost: list[tuple[int, int]] = []
        any_whole = False
        with self._open() as file:
            dataset = file["acceleration"]
            for start in range(first, last, ROWS_PER_READ):
                end = min(start + ROWS_PER_READ, last)
                rows = self._read(dataset, start, end, lost)
                time_s = np.arange(start, end) / rate
                keep = np.isfinite(rows).all(axis=1) & (time_s >= start_s) & (time_s < end_s)
                if self._unwritten:
                    keep &= rows.any(axis=1)
                any_whole |= bool(keep.any())
                self.fraction_read = (end - first) / (last - first)
                if keep.all():
                    yield Block(rows, time_s)
                elif keep.any():
                    yield Block(rows[keep], time_s[keep])
        if lost and not any_whole:
            raise DamagedRecording(
                self.path,
                f"none of its rows {first} to {last - 1} can be read",
                place="dataset 'acceleration'",
                advice="Copy the file again, or convert it anew from the device's own file.",
            )
        if first == 0 and last == self._rows:
            missing = sum(end - start for start, end in lost)
            places = tuple(f"rows {start} to {end - 1}" for start, end in lost[:20])
            self.completeness = Completeness(
                "rows", self._rows, self._rows - missing, missing, 0, places
            )
        if self._cut_bytes:
            self.notice("truncated", f"{self._cut_bytes} bytes are missing at the end of the file.")
        if lost:
            self.notice(
                "damaged_blocks",
                f"{sum(end - start for start, end in lost)} rows of dataset 'acceleration' cannot "
                f"be read, the first at row {lost[0][0]}; they are left out, a gap.",
            )
        self.fraction_read = 1.0

    def _read(
        self, dataset: Any, start: int, end: int, lost: list[tuple[int, int]]
    ) -> NDArray[np.float32]:
        """Rows [start, end); those of chunks that fail are NaN and are listed in `lost`."""
        try:
            rows = np.empty((end - start, 3), np.float32)
            dataset.read_direct(rows, np.s_[start:end])
            return rows
        except (OSError, RuntimeError):
            edge = (start // self._chunk_rows + 1) * self._chunk_rows
            if edge >= end:
                lost.append((start, end))
                return np.full((end - start, 3), np.nan, np.float32)
            edges = [start, *range(edge, end, self._chunk_rows), end]
            pieces = [self._read(dataset, *span, lost) for span in pairwise(edges)]
            return np.concatenate(pieces)

    def _wrong(self, place: str, found: str, expected: str) -> DamagedRecording:
        return DamagedRecording(self.path, f"{place} is {found}", expected=expected)

    def _check_format(self, attributes: dict[str, Any]) -> None:
        name = self._text(attributes, "format", "")
        if name != FORMAT:
            raise UnknownFormat(
                self.path,
                f"an HDF5 file whose root attribute 'format' is {name!r}"
                if name
                else "an HDF5 file without the root attribute 'format'",
                expected=repr(FORMAT),
                advice="Only HDF5 files that rlsmove wrote, or of the same layout, are read.",
            )
        version = self._number(attributes, "version")
        if version != VERSION:
            raise UnknownFormat(
                self.path,
                f"attribute 'version' is {version:g}",
                expected=str(VERSION),
                advice="A later version of rlsmove may have written it.",
            )
        unit = self._text(attributes, "unit", "")
        if unit != "g":
            raise UnsuitableSignal(self.path, f"attribute 'unit' is {unit!r}", expected="'g'")

    def _check_dataset(self, file: Any) -> tuple[int, int]:
        """Rows of the dataset, and of one of its chunks."""
        import h5py

        dataset = file.get("acceleration")
        if not isinstance(dataset, h5py.Dataset):
            raise DamagedRecording(
                self.path, "no dataset 'acceleration'", expected="one of shape (n, 3)"
            )
        place = "dataset 'acceleration'"
        link = file.get("acceleration", getlink=True)
        if not isinstance(link, h5py.HardLink) or dataset.external or dataset.is_virtual:
            raise self._wrong(place, "stored in or linked to another file", "stored in this one")
        largest = _LARGEST_RATIO * self.path.stat().st_size
        if dataset.shape and math.prod(dataset.shape) * dataset.dtype.itemsize > largest:
            raise self._wrong(
                place,
                f"of shape {dataset.shape}",
                f"at most the {largest} bytes that the file can hold",
            )
        if dataset.ndim != 2 or dataset.shape[1] != 3:
            raise DamagedRecording(
                self.path, f"{place} has shape {dataset.shape}", expected="(n, 3)"
            )
        if dataset.dtype.kind != "f":
            raise DamagedRecording(
                self.path, f"{place} has type {dataset.dtype}", expected="float32, in g"
            )
        # Of a file that is cut off, the index of its chunks may be missing.
        stored = self._cut_bytes or dataset.id.get_storage_size()
        if dataset.shape[0] == 0 or not stored:
            raise DamagedRecording(self.path, f"{place} holds no samples")
        chunk = dataset.chunks or (ROWS_PER_READ, 3)
        size = math.prod(chunk) * dataset.dtype.itemsize
        if size > _LARGEST_CHUNK_BYTES:
            raise DamagedRecording(
                self.path,
                f"{place} is stored in chunks of {size} bytes",
                expected=f"at most {_LARGEST_CHUNK_BYTES}",
            )
        # A program that broke off leaves chunks without content, which read as zeros.
        chunks = math.prod(
            -(-rows // size) for rows, size in zip(dataset.shape, chunk, strict=True)
        )
        self._unwritten = bool(
            self._cut_bytes or (dataset.chunks and dataset.id.get_num_chunks() < chunks)
        )
        return dataset.shape[0], chunk[0]

    def _text(self, attributes: dict[str, Any], name: str, default: str) -> str:
        value = attributes.get(name, default)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.ravel()[0]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            raise self._wrong(f"attribute '{name}'", repr(value), "text")
        return value

    def _flag(self, attributes: dict[str, Any], name: str) -> bool:
        value = attributes.get(name, False)
        if isinstance(value, bool | int | np.bool_ | np.integer) and value in (0, 1):
            return bool(value)
        raise self._wrong(f"attribute '{name}'", repr(value), "true or false")

    def _start_time(self, attributes: dict[str, Any]) -> datetime:
        text = self._text(attributes, "start_time", "missing")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            expected = "ISO 8601, such as '2026-03-01T22:30:00+01:00'"
            raise self._wrong("attribute 'start_time'", repr(text), expected) from None

    def _number(self, attributes: dict[str, Any], name: str) -> float:
        value = attributes.get(name, "missing")
        try:
            return float(np.ravel(np.asarray(value, np.float64))[0])
        except (TypeError, ValueError, IndexError):
            raise self._wrong(f"attribute '{name}'", repr(value), "a number") from None

    def _rate(self, attributes: dict[str, Any]) -> float:
        rate = self._number(attributes, "sample_rate_hz")
        low, high = _RATES_HZ
        if not low <= rate <= high:
            raise self._wrong("attribute 'sample_rate_hz'", f"{rate:g}", f"{low:g} to {high:g}")
        return rate

    def _range(self, attributes: dict[str, Any]) -> float:
        return self._number(attributes, "range_g") if "range_g" in attributes else math.nan

    def _zone(self, attributes: dict[str, Any]) -> str:
        from zoneinfo import ZoneInfo

        name = self._text(attributes, "time_zone", "")
        try:
            if name:
                ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            self.notice(
                "time_zone", f"attribute 'time_zone' is {name!r}, no IANA zone known here; ignored."
            )
            return ""
        return name


def _check_heaps(path: Path) -> None:
    """Refuse a file whose heap of texts is damaged: the library may never return from it.

    Texts of attributes lie in global heap collections, which no checksum guards: signature,
    version, size, then objects of 16 bytes and their content, padded to 8 (HDF5 File Format
    Specification, III.E). An object of no length lets the library step on the spot.

    Raises
    ------
    DamagedRecording
        An object does not fit into its collection.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_HEAP)
        while at >= 0:
            end = at + int.from_bytes(data[at + 8 : at + 16], "little")
            object_at = at + 16
            while object_at + 16 <= min(end, len(data)):
                index = int.from_bytes(data[object_at : object_at + 2], "little")
                size = int.from_bytes(data[object_at + 8 : object_at + 16], "little")
                # What is free counts its own 16 bytes.
                length = size if index == 0 else 16 + (size + 7) // 8 * 8
                if length < 16 or object_at + length > end:
                    raise DamagedRecording(
                        path,
                        f"an object of {size} bytes",
                        place=f"heap of texts at byte {at}",
                        expected=f"one that fits into the {end - object_at} bytes left",
                        advice="Convert it anew from the device's own file.",
                    )
                object_at += length
            at = data.find(_HEAP, at + 8)


class _CutFile(io.RawIOBase):
    """A file that pretends to be as long as it says; what is missing cannot be read."""

    def __init__(self, path: Path, missing_bytes: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._kept_bytes = path.stat().st_size
        self._bytes = self._kept_bytes + missing_bytes

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(self._bytes + offset if whence == 2 else offset, whence % 2)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        if self._file.tell() + len(buffer) > self._kept_bytes:
            raise OSError("the file is cut off before this")
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _missing_bytes(path: Path) -> int:
    """How many bytes fewer a file has than it says at its start; 0 where it does not say.

    The superblock holds the file's end as 8 bytes, at byte 40 in its first two versions and at
    byte 28 in the later two (HDF5 File Format Specification, II.A).
    """
    with path.open("rb") as file:
        head = file.read(48)
    version = head[8] if len(head) > 8 else 0
    at = 40 if version < 2 else 28
    return max(int.from_bytes(head[at : at + 8], "little") - path.stat().st_size, 0)


def write_recording(
    path: str | Path,
    blocks: Iterable[ArrayLike],
    *,
    start_time: datetime,
    sample_rate_hz: float,
    side: str = "unknown",
    placement: str = "unknown",
    device: str = "unknown",
    time_zone: str = "",
    simulated: bool = False,
    temperature_c: ArrayLike | None = None,
    temperature_rate_hz: float | None = None,
    attributes: Mapping[str, str | int | float] | None = None,
) -> None:
    """Write a recording in this project's HDF5, block by block.

    Parameters
    ----------
    path : str or Path
        The file to make. It appears whole or not at all, in place of one that was there; its
        folder is made where it is missing.
    blocks : iterable of array_like, each of shape (k, 3), in g
        Acceleration on a uniform clock, one block after the other; a missing sample is a row of
        NaN. An array in memory is passed as ``[array]``. Blocks are drawn one at a time, so that
        memory does not grow with the recording.
    start_time : datetime
        Time of the first row, with its UTC offset where that is known.
    sample_rate_hz : float
        Rows per second.
    side : str
        ``left``, ``right`` or ``unknown``.
    placement : str
        ``ankle``, ... or ``unknown``.
    device : str
        Maker and model.
    time_zone : str, optional
        IANA name.
    simulated : bool
        Whether no person was recorded.
    temperature_c : array_like, shape (m,), optional
        Temperature in degrees Celsius, from `start_time` on.
    temperature_rate_hz : float, optional
        Its samples per second; needed with `temperature_c`.
    attributes : mapping, optional
        Further root attributes, such as ``serial`` and ``range_g``, or what a simulation knows.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    import h5py

    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # From version 1.10 on, the format guards all of its structure with checksums.
        with h5py.File(partial, "w", libver=("v110", "v110")) as file:
            file.attrs.update(attributes or {})
            file.attrs["format"] = FORMAT
            file.attrs["version"] = VERSION
            file.attrs["start_time"] = start_time.isoformat()
            file.attrs["sample_rate_hz"] = float(sample_rate_hz)
            file.attrs["unit"] = "g"
            file.attrs["side"] = side
            file.attrs["placement"] = placement
            file.attrs["device"] = device
            if time_zone:
                file.attrs["time_zone"] = time_zone
            if simulated:
                file.attrs["simulated"] = True
            dataset = file.create_dataset(
                "acceleration",
                shape=(0, 3),
                maxshape=(None, 3),
                chunks=(_CHUNK_ROWS, 3),
                dtype=np.float32,
                fillvalue=np.nan,
                shuffle=True,
                compression="gzip",
                compression_opts=4,
                fletcher32=True,
            )
            rows = 0
            for block in blocks:
                values = np.asarray(block, np.float32).reshape(-1, 3)
                dataset.resize(rows + len(values), axis=0)
                dataset[rows:] = values
                rows += len(values)
            if temperature_c is not None:
                temperature = file.create_dataset(
                    "temperature_c", data=np.asarray(temperature_c, np.float32)
                )
                temperature.attrs["sample_rate_hz"] = float(temperature_rate_hz or math.nan)
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(path, f"cannot be written ({_first_line(error)})") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
