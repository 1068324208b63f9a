"""Axivity recordings that OmGui or omconvert resampled to .wav, as omconvert's README describes.

Channels 1 to 3 are x, y and z in 16 bits, of which the comment says the scale; bit 15 of the
fourth says where there is no sample.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.recording import Block, Recording
from rlsmove.errors import DamagedRecording, UnknownFormat

ROWS_PER_READ = 1 << 16
_FULL_SCALE = 32_768
_PCM = 1


class OmguiWavRecording(Recording):
    """An Axivity recording in a .wav file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    UnknownFormat
        It holds sound, or nothing that says that it is acceleration.
    DamagedRecording
        It breaks off before its samples.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        said: dict[str, str] = {}
        shape = b""
        self._first_byte = self._declared = -1
        with path.open("rb") as file:
            size = path.stat().st_size
            file.seek(12)
            while len(head := file.read(8)) == 8:
                name, length = head[:4], int.from_bytes(head[4:], "little")
                if name == b"data":
                    self._first_byte, self._declared = file.tell(), length
                    break
                content = file.read(min(length + length % 2, size))
                if name == b"fmt ":
                    shape = content
                elif name == b"LIST" and content.startswith(b"INFO"):
                    said |= _said(content[4:])
        if len(shape) < 16 or self._first_byte < 0:
            raise DamagedRecording(path, "a .wav file that breaks off before its samples")
        kind, self._channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", shape[:16])
        axes = [said.get(f"channel-{number}", "").lower() for number in (1, 2, 3)]
        if kind not in (_PCM, 0xFFFE) or bits != 16 or axes != ["accel-x", "accel-y", "accel-z"]:
            raise UnknownFormat(
                path,
                "a .wav file that does not say that it holds acceleration",
                expected="one that OmGui or omconvert made of an Axivity .cwa",
            )
        try:
            scale_g = [float(said[f"scale-{number}"]) for number in (1, 2, 3)]
            start_time = datetime.fromisoformat(said.get("time") or said["icrd"])
        except (KeyError, ValueError) as error:
            raise DamagedRecording(
                path, f"its comment lacks the scale or the time ({error})", place="ICMT"
            ) from error
        self._g_per_count = np.array(scale_g) / _FULL_SCALE
        self._row_bytes = 2 * self._channels
        there = (size - self._first_byte) // self._row_bytes
        declared = self._declared // self._row_bytes
        self._rows = min(there, declared) if declared else there
        device = "Axivity AX6" if said.get("device", "").endswith("6") else "Axivity AX3"
        super().__init__(
            path,
            device=f"{device} (OmGui)",
            serial=said.get("id", ""),
            start_time=start_time,
            sample_rate_hz=float(rate_hz),
            range_g=max(scale_g),
        )
        self.take("unit", f"1/{_FULL_SCALE} of {scale_g[0]:g} g", "the comment of the file")
        self.take("axes", ", ".join(axes), "the comment of the file")
        if there < declared:
            self.notice(
                "truncated",
                f"The file declares {declared} samples and holds {there}: "
                f"{(declared - there) / rate_hz / 3600:.2f} h are missing.",
            )

    def blocks(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
        """Read the samples with start_s <= time < end_s (see `Recording.blocks`)."""
        rate_hz = self.sample_rate_hz
        first = min(max(math.floor(start_s * rate_hz) - 1, 0), self._rows)
        last = self._rows
        if end_s * rate_hz < self._rows - 1:
            last = max(math.ceil(end_s * rate_hz) + 1, first)
        with self.path.open("rb") as file:
            file.seek(self._first_byte + first * self._row_bytes)
            for row in range(first, last, ROWS_PER_READ):
                count = min(ROWS_PER_READ, last - row)
                raw = np.frombuffer(file.read(count * self._row_bytes), "<i2")
                values = raw.reshape(-1, self._channels)
                time_s = (row + np.arange(len(values))) / rate_hz
                keep = self._there(values) & (time_s >= start_s) & (time_s < end_s)
                self.fraction_read = (row + count - first) / max(last - first, 1)
                if keep.any():
                    acceleration = values[keep, :3] * self._g_per_count
                    yield Block(acceleration.astype(np.float32), time_s[keep])
        self.fraction_read = 1.0

    def _there(self, values: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Whether a row is a sample; where the fourth channel's highest bit is set, it is none."""
        if self._channels < 4:
            return np.ones(len(values), np.bool_)
        return values[:, 3] >= 0


def _said(content: bytes) -> dict[str, str]:
    """What an INFO list says: chunks by their names, and the lines ``key: value`` in them."""
    said: dict[str, str] = {}
    at = 0
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        text = content[at + 8 : at + 8 + length].rstrip(b"\0").decode("latin-1")
        said[name.decode("latin-1").lower()] = text.strip()
        for line in text.splitlines():
            key, colon, value = line.partition(":")
            if colon:
                said.setdefault(key.strip().lower(), value.strip())
        at += 8 + length + length % 2
    return said
