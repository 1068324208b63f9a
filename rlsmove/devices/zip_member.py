"""Members of a zip file, and gzip files, read as a stream, also where they are cut short."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rlsmove.devices.recording import Recording
from rlsmove.errors import DamagedRecording

_LOCAL = struct.Struct("<4s5H3I2H")
_SIGNATURE = b"PK\x03\x04"
#: Flag of a member whose sizes and checksum stand behind it.
_BEHIND = 8
_STORED, _DEFLATED, _GZIP = 0, 8, -1
GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 18
#: More than this, and more than so many times what it was made from, is no recording.
_BOMB_BYTES = 1 << 30
_BOMB_RATIO = 200


@dataclass(frozen=True)
class Member:
    """One file in a zip file.

    Attributes
    ----------
    name : str
        Without folders, in lower case.
    offset : int
        Byte of the zip file at which its content begins.
    packed_size, size : int
        Bytes of the zip file that it takes, and bytes of its content; the second is a guess
        where the zip file does not say.
    method : int
        0 stored, 8 deflated, -1 for a gzip file.
    crc : int or None
        CRC-32 of its content; None where the zip file does not say.
    """

    name: str
    offset: int
    packed_size: int
    size: int
    method: int
    crc: int | None = None

    @property
    def is_gzip(self) -> bool:
        """Whether it is a whole gzip file."""
        return self.method == _GZIP


def find_members(path: Path) -> dict[str, Member]:
    """Find a zip file's members, by its directory, or without one by their own headers.

    Parameters
    ----------
    path : Path
        The zip file. Where its end is missing, so is its directory.

    Returns
    -------
    dict of str to Member
        By name without folders, in lower case; of members with one name, the first.
    """
    try:
        with zipfile.ZipFile(path) as file:
            entries: list[tuple[int, int | None, int | None]] = [
                (item.header_offset, item.compress_size, item.CRC) for item in file.infolist()
            ]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        entries = []
    members = _read_headers(path, entries)
    if not entries or len(members) < len(entries):
        found = _read_headers(path, [(at, None, None) for at in _find_signatures(path)])
        members = {**found, **members}
    return members


def whole_gzip(path: Path) -> Member:
    """The content of a gzip file."""
    size = path.stat().st_size
    return Member(path.name, 0, size, size, _GZIP)


def open_content(path: Path, position: int) -> BinaryIO | MemberStream:
    """Open a file, or what a gzip file holds, from this byte on."""
    file = path.open("rb", buffering=0)
    if file.read(2) == GZIP_MAGIC:
        file.close()
        return MemberStream(path, whole_gzip(path), position)
    file.seek(position)
    return cast(BinaryIO, file)


def read_head(path: Path, size: int) -> bytes:
    """Read the beginning of a file, or of what a gzip file holds."""
    stream = open_content(path, 0)
    try:
        return stream.read(size)
    finally:
        stream.close()


def content_size(path: Path) -> int:
    """Bytes of a file, or of what a gzip file holds: that is a guess where it is cut short."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(2) != GZIP_MAGIC:
            return size
        file.seek(-min(size, 4), 2)
        # A gzip file ends with the size of its content, modulo 2^32.
        return int.from_bytes(file.read(4), "little")


class MemberStream:
    """The content of a member, inflated where it is deflated.

    Parameters
    ----------
    path : Path
        The zip file.
    member : Member
        One of its members.
    position : int
        Byte of the content to begin with.

    Attributes
    ----------
    broken : str
        Why it ended before its end; empty where it did not, so far.
    mismatch : bool
        Whether it was read from its beginning to its end and does not match its checksum.
    """

    def __init__(self, path: Path, member: Member, position: int) -> None:
        self._path = path
        self._member = member
        self._file = path.open("rb")
        self._left = member.packed_size
        # Minus stands for no header of zlib's own, and 16 more for that of gzip.
        self._bits = zlib.MAX_WBITS + 16 if member.method == _GZIP else -zlib.MAX_WBITS
        self._inflater = zlib.decompressobj(self._bits)
        self._inflated = 0
        self._failed = False
        self._salvaged = b""
        self.broken = ""
        self.mismatch = False
        # Only of what is read as a whole the checksum can be told.
        self._crc: int | None = 0 if position == 0 and member.crc is not None else None
        self._file.seek(member.offset)
        if member.method == _STORED:
            self._file.seek(position, 1)
            self._left -= position
        else:
            while position > 0 and (skipped := self._read(min(position, _READ_BYTES))):
                position -= len(skipped)

    def read(self, size: int, /) -> bytes:
        """Read on; fewer bytes than asked for mean the end."""
        data = self._read(size)
        if self._crc is not None:
            self._crc = zlib.crc32(data, self._crc)
            if len(data) < size:
                self.mismatch = self._crc != self._member.crc and not self.broken
                if self.mismatch:
                    self.broken = "its content does not match its checksum"
        return data

    def _read(self, size: int) -> bytes:
        if self._member.method == _STORED:
            return self._read_packed(size)
        pieces = []
        while size > 0:
            piece = self._salvaged[:size]
            self._salvaged = self._salvaged[size:]
            if not piece and (self._failed or not (piece := self._inflate(size))):
                break
            pieces.append(piece)
            size -= len(piece)
            self._inflated += len(piece)
        if self._inflated > max(_BOMB_BYTES, _BOMB_RATIO * self._member.packed_size):
            raise DamagedRecording(
                self._path,
                f"inflates to more than {_BOMB_RATIO} times its size",
                place=self._member.name,
                advice="No recording does that; the file was not made by a device.",
            )
        return b"".join(pieces)

    def _inflate(self, size: int) -> bytes:
        """Inflate up to so many bytes more; none at the end."""
        piece = b""
        while not piece:
            packed = self._inflater.unconsumed_tail or self._inflater.unused_data
            packed = packed or self._read_packed(_READ_BYTES)
            if self._inflater.eof:
                # Gzip files may stand one behind the other.
                if self._member.method != _GZIP or not packed.startswith(GZIP_MAGIC):
                    break
                self._inflater = zlib.decompressobj(self._bits)
            elif not packed:
                self.broken = self.broken or "the file ends within it"
                break
            before = self._inflater.copy()
            try:
                piece = self._inflater.decompress(packed, size)
            except zlib.error as error:
                self.broken = f"it cannot be inflated any further ({error})"
                self._failed = True
                # What comes before the damage would be lost, unless it is taken byte by byte.
                pieces = []
                with suppress(zlib.error):
                    for at in range(len(packed)):
                        pieces.append(before.decompress(packed[at : at + 1]))
                salvaged = b"".join(pieces)
                piece, self._salvaged = salvaged[:size], salvaged[size:]
                break
        return piece

    def _read_packed(self, size: int) -> bytes:
        want = max(min(size, self._left), 0)
        data = self._file.read(want)
        self._left -= len(data)
        if len(data) < want:
            self.broken = f"{self._left} of its {self._member.packed_size} bytes are missing"
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def tell_broken(recording: Recording, stream: object) -> None:
    """Add a finding where a packed stream ended before its end."""
    if isinstance(stream, MemberStream) and stream.broken:
        recording.notice("truncated", f"The packed file is damaged: {stream.broken}.")


def _read_headers(
    path: Path, entries: list[tuple[int, int | None, int | None]]
) -> dict[str, Member]:
    """Members from their own headers; `entries` holds their offsets and, if known, sizes."""
    members: dict[str, Member] = {}
    file_size = path.stat().st_size
    ends = ([at for at, *_ in entries] + [file_size])[1:]
    with path.open("rb") as file:
        for (at, packed, crc), end in zip(entries, ends, strict=False):
            if not 0 <= at < file_size:
                continue
            file.seek(at)
            header = file.read(_LOCAL.size)
            if len(header) < _LOCAL.size:
                continue
            fields = _LOCAL.unpack(header)
            signature, method, name_size, extra_size = (fields[i] for i in (0, 3, 9, 10))
            name = file.read(name_size).decode("utf-8", "replace")
            name = name.replace("\\", "/").rpartition("/")[2].lower()
            if signature != _SIGNATURE or not name or not name.isprintable():
                continue
            if method not in (_STORED, _DEFLATED):
                continue
            offset = at + _LOCAL.size + name_size + extra_size
            if packed is None:
                # A size of 0 stands behind the content instead: it takes all until the next one.
                packed = fields[7] or max(end - offset, 0)
            size = fields[8] or packed
            if crc is None and not fields[2] & _BEHIND:
                crc = fields[6]
            members.setdefault(name, Member(name, offset, packed, size, method, crc))
    return members


def _find_signatures(path: Path) -> list[int]:
    found = []
    with path.open("rb") as file:
        at, kept = 0, b""
        while data := file.read(_READ_BYTES):
            data = kept + data
            here = data.find(_SIGNATURE)
            while here >= 0:
                found.append(at + here)
                here = data.find(_SIGNATURE, here + 1)
            kept = data[-3:]
            at += len(data) - len(kept)
    return found
