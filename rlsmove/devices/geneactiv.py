"""GENEActiv .bin files: pages of text, as the maker's operating instructions describe them."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import median_low
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import _kernels
from rlsmove.devices.body_place import find_body_place
from rlsmove.devices.packets import Bytes, ByteStream, Mark, PacketRecording, Packets
from rlsmove.devices.zip_member import content_size, open_content, read_head, tell_broken
from rlsmove.errors import DamagedRecording
from rlsmove.records import FloatArray

HEADER = b"Device Identity"

#: About 2^16 samples: a page holds 300 in some 3,800 bytes.
BYTES_PER_READ = 3 << 18

_LONGEST_HEADER = 1 << 16
_LONGEST_PAGE = 1 << 14
_SAMPLES_PER_PAGE = 300
_DIGITS_PER_SAMPLE = 12

_PAGE = b"Recorded Data"
_PAGE_HEADER = re.compile(
    rb"Recorded Data\r?\n"
    rb"Device Unique Serial Code:[^\n]*\n"
    rb"Sequence Number:\s*(\d{1,18})\s*\n"
    rb"Page Time:([^\n]*)\n"
    rb"Unassigned:[^\n]*\n"
    rb"Temperature:[^\n]*\n"
    rb"Battery voltage:[^\n]*\n"
    rb"Device Status:[^\n]*\n"
    rb"Measurement Frequency:\s*(\d{1,4}(?:[.,]\d{1,6})?)[^\n]*\n"
)
_PAGE_TIME = re.compile(rb"\s*(\d{4})-(\d\d?)-(\d\d?) (\d\d?):(\d\d?):(\d\d?):(\d{3})\s*")

_1970 = datetime(1970, 1, 1)
#: Stands for a page's time where it cannot be read.
_NO_TIME = -(1 << 62)

_DIGIT = np.full(256, 0xFF, np.uint8)
for _value, _letter in enumerate("0123456789ABCDEF"):
    _DIGIT[[ord(_letter), ord(_letter.lower())]] = _value


class GeneactivRecording(PacketRecording):
    """A recording of a GENEActiv, calibrated with the gains and offsets of its header.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DamagedRecording
        The header lacks the calibration, or not one page is whole.

    Notes
    -----
    A page tells the time of its first sample to the millisecond. A page whose header or whose
    digits cannot be read is damaged; the format has no checksum. Of a page that breaks off at
    the end of the file, the whole samples are read.
    """

    _unit = "pages"
    _counted = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes_per_read = BYTES_PER_READ
        head = read_head(path, _LONGEST_HEADER)
        self._data_start = head.find(_PAGE)
        if self._data_start < 0:
            raise DamagedRecording(
                path,
                f"no page of data within {len(head)} bytes",
                expected=f"'{_PAGE.decode()}' after the header",
                advice="The file ends within its header, or the recording was never started.",
            )
        header = head[: self._data_start].decode("latin-1")
        lines = (line.partition(":") for line in header.splitlines())
        # Of a key that comes twice, as in a study's own notes, the first is the device's.
        said: dict[str, str] = {}
        for key, _, value in lines:
            said.setdefault(key.strip().lower(), value.strip())

        self._gain = np.array([self._calibration(said, f"{axis} gain") for axis in "xyz"])
        self._offset = np.array([self._calibration(said, f"{axis} offset") for axis in "xyz"])
        pages = re.match(r"\d+", said.get("number of pages", ""))
        self._pages_said = int(pages[0]) if pages else 0
        rate = re.match(r"\d+(\.\d+)?", said.get("measurement frequency", "").replace(",", "."))
        self._rate_said_hz = float(rate[0]) if rate else 0.0
        self._rate_hz = math.nan
        self._breaks_off = False
        self._short: dict[int, int] = {}
        self._last_begin = -1
        start_time = self._find_start(content_size(path) - self._data_start)
        side, placement = find_body_place(said.get("device location code", ""))
        high_g = re.search(r"to\s*(\d+)", said.get("accelerometer range", ""))
        super().__init__(
            path,
            device=f"GENEActiv {said.get('device model', '')}".strip(),
            serial=said.get("device unique serial code", ""),
            subject=said.get("subject code", ""),
            start_time=start_time,
            sample_rate_hz=self._rate_hz,
            range_g=float(high_g[1]) if high_g else math.nan,
            side=side,
            placement=placement,
        )

    def _calibration(self, said: dict[str, str], key: str) -> float:
        try:
            value = float(said.get(key, ""))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (value <= 0 and key.endswith("gain")):
            raise DamagedRecording(
                self.path,
                f"'{key}' is {said.get(key, 'missing')!r}",
                place="header",
                expected="a number such as 25548 (gain) or -574 (offset)",
                advice="Without it counts cannot be turned into g; copy the file again.",
            )
        return value

    def _open(self, position: int) -> ByteStream:
        self._stream = open_content(self.path, self._data_start + position)
        return self._stream

    def _find(self, data: Bytes, at_end: bool) -> tuple[Packets, NDArray[np.int64], int]:
        text = data.tobytes()
        pages: list[_Page] = []
        damaged: list[int] = []
        at = 0
        while (begin := text.find(_PAGE, at)) >= 0:
            at = text.find(_PAGE, begin + len(_PAGE))
            last = at < 0
            if last:
                at = len(text)
            if last and not at_end and at - begin < _LONGEST_PAGE:
                return *self._packets(data, pages, damaged), begin
            header = _PAGE_HEADER.match(text, begin, at)
            if not header and last and at_end:
                return *self._packets(data, pages, damaged), begin
            line_end = text.find(b"\n", header.end(), at) if header else -1
            self._breaks_off = last and at_end and line_end < 0
            if line_end < 0:
                line_end = at
            page = _read_page(text, begin, header, line_end, self._breaks_off) if header else None
            if page is None:
                damaged.append(begin)
            else:
                pages.append(page)
                rest = text[line_end:at]
                if rest.strip():
                    damaged.append(at - len(rest.lstrip()))
        used = len(text) if at_end else max(at, len(text) - len(_PAGE) + 1)
        return *self._packets(data, pages, damaged), used

    def _packets(
        self, data: Bytes, pages: list[_Page], damaged: list[int]
    ) -> tuple[Packets, NDArray[np.int64]]:
        begin, body, stop, serial, whole_s, milliseconds = (
            np.array([page[:-1] for page in pages], np.int64).reshape(-1, 6).T
        )
        sound = np.empty(len(pages), np.bool_)
        _kernels.check_hex(data, body.copy(), stop.copy(), _DIGIT, sound)
        if math.isnan(self._rate_hz) and pages:
            # One rate for all: a page's own may be damaged, and the format has no checksum.
            rates_hz = [page.rate_hz for page in pages]
            self._rate_hz = (
                self._rate_said_hz if self._rate_said_hz in rates_hz else median_low(rates_hz)
            )
        packets = Packets(
            begin,
            body,
            (stop - body) // _DIGITS_PER_SAMPLE,
            self._clock(whole_s, milliseconds / 1000, whole_s > _NO_TIME),
            np.full(len(pages), 1.0 / self._rate_hz),
            serial,
        )
        lost = np.concatenate((begin[~sound], np.array(damaged, np.int64)))
        return packets.take(np.flatnonzero(sound)), np.sort(lost)

    def _decode(
        self, content: NDArray[Any], packets: Packets, acceleration: NDArray[np.float32]
    ) -> None:
        _kernels.decode_hex(
            content, packets.body, packets.count, _DIGIT, self._gain, self._offset, acceleration
        )

    def _where(self, position: int) -> str:
        return f"byte {self._data_start + position}"

    def _count_missing(
        self, packets: Packets, start_s: FloatArray, end_s: FloatArray, mark: Mark
    ) -> None:
        super()._count_missing(packets, start_s, end_s, mark)
        for row in np.flatnonzero(packets.count < _SAMPLES_PER_PAGE).tolist():
            self._short[int(packets.begin[row])] = _SAMPLES_PER_PAGE - int(packets.count[row])
        if len(packets):
            self._last_begin = int(packets.begin[-1])

    def _check_end(self, end: int, left: int) -> None:
        tell_broken(self, self._stream)
        pages = self._marks[-1].course.serial + 1
        missing = self._pages_said - pages
        if missing > 0:
            hours = missing * _SAMPLES_PER_PAGE / self._rate_hz / 3600
            self.notice(
                "truncated",
                f"The header declares {self._pages_said} pages, the file holds {pages}: "
                f"{missing} of them ({hours:.2f} h) are missing.",
            )
            self._trailing = missing
        elif left or self._breaks_off:
            self.notice("truncated", "The file ends within its last page.")
            self._trailing += left > 0
        # The last page of all ends with the recording.
        self._short.pop(self._last_begin, None)
        if self._short:
            self._unknown = len(self._short)
            lacking = sum(self._short.values())
            at = self._where(min(self._short))
            self.notice(
                "short_pages",
                f"{len(self._short)} pages have fewer than {_SAMPLES_PER_PAGE} samples, the first "
                f"at {at}: {lacking} samples are missing somewhere in them.",
            )
            self._places.append(f"a short page at {at}")


class _Page(NamedTuple):
    """Where a page and its digits lie in a stretch, its number, its time, its rate."""

    begin: int
    body: int
    stop: int
    serial: int
    whole_s: int
    milliseconds: int
    rate_hz: float


def _read_page(
    text: bytes, begin: int, header: re.Match[bytes], line_end: int, breaks_off: bool
) -> _Page | None:
    """Read a page's header, and check the length of its line of digits."""
    stop = line_end - 1 if text[line_end - 1 : line_end] == b"\r" else line_end
    digits = stop - header.end()
    samples, odd = divmod(digits, _DIGITS_PER_SAMPLE)
    rate_hz = float(header[3].replace(b",", b"."))
    if not 0 < samples <= _SAMPLES_PER_PAGE or (odd and not breaks_off) or rate_hz < 1.0:
        return None
    whole_s, milliseconds = _NO_TIME, 0
    if time := _PAGE_TIME.fullmatch(header[2]):
        year, month, day, hour, minute, second, milliseconds = map(int, time.groups())
        with suppress(ValueError):  # a 31st of February is no time
            since_1970 = datetime(year, month, day, hour, minute, second) - _1970
            whole_s = since_1970.days * 86_400 + since_1970.seconds
    return _Page(begin, header.end(), stop - odd, int(header[1]), whole_s, milliseconds, rate_hz)
