"""Axivity .cwa files (AX3, AX6), as the Open Movement project describes them in ``cwa.h``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _kernels
from rlsmove.devices.body_place import find_body_place
from rlsmove.devices.elapsed_time import LONG_PAUSE_S, LONGEST_PAUSE_S
from rlsmove.devices.packets import Bytes, ByteStream, PacketRecording, Packets
from rlsmove.devices.zip_member import content_size, open_content, read_head, tell_broken

HEADER = b"MD\xfc\x03"
SECTOR = b"AX\xfc\x01"
HEADER_BYTES = 1024
SECTOR_BYTES = 512

#: A block holds 120 samples of three packed axes, 80 of three int16, 40 of six, 26 of nine.
SAMPLES_PER_READ = 1 << 17

_BLOCK = np.dtype(
    {
        "names": [
            "mark", "fraction", "session", "sequence", "time", "scale", "rate", "layout",
            "offset", "count",
        ],
        "formats": ["<u4", "<u2", "<u4", "<u4", "<u4", "<u2", "u1", "u1", "<i2", "<u2"],
        "offsets": [0, 4, 6, 10, 14, 18, 24, 25, 26, 28],
        "itemsize": SECTOR_BYTES,
    }
)  # fmt: skip
_AX6 = 0x64


class AxivityRecording(PacketRecording):
    """A recording of an Axivity AX3 or AX6; of its sensors the accelerometer alone is read.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DamagedRecording
        Not one of its blocks is whole.

    Notes
    -----
    A block tells the clock at one of its samples or a little after them; from there its first
    sample is dated at the rate that was set, as the device does it itself for the fraction of
    the second. Blocks whose 16-bit sum is not zero are damaged. A device that was stopped and
    started again begins another session, which is read too, with the gap between; blocks of a
    session that is far off in time, left on the device from an earlier use, are not.
    """

    _unit = "blocks"
    _counted = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes_per_read = max(SAMPLES_PER_READ // 120, 1) * SECTOR_BYTES
        header = read_head(path, HEADER_BYTES)
        self._data_start = 0 if header.startswith(SECTOR) else HEADER_BYTES
        self._first: np.void | None = None
        start_time = self._find_start(content_size(path) - self._data_start)
        assert self._first is not None
        self._bytes_per_read = (
            max(SAMPLES_PER_READ // max(int(self._first["count"]), 1), 1) * SECTOR_BYTES
        )

        device = "Axivity AX6" if self._first["layout"] >> 4 > 3 else "Axivity AX3"
        serial, subject, side, placement = "", "", "unknown", "unknown"
        if header.startswith(HEADER):
            device = "Axivity AX6" if header[4] == _AX6 else "Axivity AX3"
            upper = int.from_bytes(header[11:13], "little")
            number = int.from_bytes(header[5:7], "little")
            serial = str(number if upper == 0xFFFF else number | upper << 16)
            # What the person who set up the device typed: pairs encoded as in an address.
            note = header[64:512].rstrip(b" \0\xff").decode("latin-1")
            said = parse_qs(note)
            side, placement = find_body_place(" ".join(said.get("_p", [])))
            subject = " ".join(said.get("_sc", [])).strip()
        super().__init__(
            path,
            device=device,
            serial=serial,
            subject=subject,
            start_time=start_time,
            sample_rate_hz=self._rate_hz,
            range_g=float(16 >> (self._first["rate"] >> 6)),
            side=side,
            placement=placement,
        )
        if not header.startswith(HEADER):
            self.notice("damaged_header", "The header is damaged; the blocks are read without it.")

    def _open(self, position: int) -> ByteStream:
        self._stream = open_content(self.path, self._data_start + position)
        return self._stream

    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        sectors = data[: len(data) // SECTOR_BYTES * SECTOR_BYTES].reshape(-1, SECTOR_BYTES)
        block = sectors.view(_BLOCK)[:, 0]
        begin = np.arange(len(block)) * SECTOR_BYTES
        axes, packing = block["layout"] >> 4, block["layout"] & 0x0F
        plain = (packing == 2) & ((axes == 3) | (axes == 6) | (axes == 9))
        sample_bytes = np.where((packing == 0) & (axes == 3), 4, 2 * axes.astype(np.int64) * plain)
        count = block["count"].astype(np.int64)
        sound = sectors.view("<u2").sum(axis=1, dtype=np.uint16) == 0
        of_samples = sound & (block["mark"] == int.from_bytes(SECTOR, "little"))
        whole = of_samples & (sample_bytes > 0) & (count * sample_bytes <= SECTOR_BYTES - 32)
        rate_hz = np.where(
            block["rate"] == 0,
            block["offset"].astype(np.float64),  # as the first firmware had it
            3200.0 / (1 << (15 - (block["rate"] & 0x0F).astype(np.int64))),
        )
        whole &= rate_hz > 0
        # A block of another kind is no damage; zeros are, though their sum is right.
        damaged = begin[~(whole | (sound & ~of_samples & (block["mark"] != 0)))]
        if self._first is None and whole.any():
            # The session that most of them belong to.
            session, blocks = np.unique(block["session"][whole], return_counts=True)
            main = whole & (block["session"] == session[np.argmax(blocks)])
            self._first = block[np.argmax(main)].copy()
            self._rate_hz = float(rate_hz[np.argmax(main)])
            self._first_s = float(self._clock_of(block[main], rate_hz[main])[0])
        clock_s = np.full(len(block), np.nan)
        clock_s[whole] = self._clock_of(block[whole], rate_hz[whole])
        if self._first is not None:
            later_s = clock_s - self._first_s
            near = (later_s > -LONG_PAUSE_S) & (later_s < LONGEST_PAUSE_S)
            left = whole & (block["session"] != self._first["session"]) & ~near
            if left.any():
                self.notice(
                    "other_session", "Blocks of another session, far off in time, are left out."
                )
            whole &= ~left
        whole &= count > 0
        rows = slice(None) if whole.all() else np.flatnonzero(whole)
        packets = Packets(
            begin[rows],
            begin[rows],
            count[rows],
            clock_s[rows],
            1.0 / rate_hz[rows],
            block["sequence"][rows].astype(np.int64),
        )
        return packets, damaged, sectors.size

    def _clock_of(
        self, block: NDArray[np.void], rate_hz: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The clock at the first sample of each block."""
        time = block["time"].astype(np.int64)
        month = (time >> 26) * 12 + (time >> 22 & 0x0F) - 1  # since January 2000
        day = time >> 17 & 0x1F
        hour, minute, second = time >> 12 & 0x1F, time >> 6 & 0x3F, time & 0x3F
        first_day = (np.datetime64("2000-01", "M") + month).astype("M8[D]")
        whole_s = (first_day.astype(np.int64) + day - 1) * 86_400
        whole_s += hour * 3600 + minute * 60 + second
        valid = (time >> 22 & 0x0F >= 1) & (time >> 22 & 0x0F <= 12) & (day >= 1)
        valid &= (hour < 24) & (minute < 60) & (second < 60)

        # With its top bit set the field holds 2^-15 s, and the offset, in samples, was moved by
        # as many whole samples as that makes, at the rate in whole hertz.
        fraction = np.where(block["fraction"] & 0x8000, block["fraction"] & 0x7FFF, 0)
        fraction = fraction.astype(np.int64)
        offset = block["offset"] + (2 * fraction * rate_hz.astype(np.int64) >> 16)
        offset = np.where(block["rate"] == 0, 0, offset)
        return self._clock(whole_s, fraction / 32_768 - offset / rate_hz, valid)

    def _decode(
        self, content: NDArray[Any], packets: Packets, acceleration: NDArray[np.float32]
    ) -> None:
        packed = content[packets.body + 25] & 0x0F == 0
        if packed.any():
            _kernels.unpack_packed(content, packets.body, packets.count, acceleration)
        if not packed.all():
            _kernels.unpack_plain(content, packets.body, packets.count, acceleration)

    def _where(self, position: int) -> str:
        byte = self._data_start + position
        return f"block {position // SECTOR_BYTES} (byte {byte})"

    def _check_end(self, end: int, left: int) -> None:
        tell_broken(self, self._stream)
        if left:
            self.notice(
                "truncated",
                f"The file ends {left} bytes into its last block, which has {SECTOR_BYTES}; "
                "what was recorded after that is missing.",
            )
