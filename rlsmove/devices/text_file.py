"""The bytes of a table of text: plain, in a gzip or zip file, in UTF-8, Latin letters or UTF-16."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rlsmove.devices.packets import ByteStream
from rlsmove.devices.zip_member import (
    GZIP_MAGIC,
    Member,
    MemberStream,
    content_size,
    whole_gzip,
)

_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
#: Rows from all over a file are looked at this many bytes apart.
_STRIDE = 1 << 18
_LONGEST_ROW = 1 << 12


@dataclass(frozen=True)
class TextFile:
    """A text and how to get at its bytes.

    Attributes
    ----------
    path : Path
        The file.
    member : Member or None
        The part of it that is packed; None for a plain file.
    encoding : str
        ``bytes``, or ``utf-16-le``, ``utf-16-be``, of which each unit of two bytes counts as one:
        what is no Latin letter becomes ``?``.
    """

    path: Path
    member: Member | None = None
    encoding: str = "bytes"

    @classmethod
    def of(cls, path: Path, member: Member | None = None) -> TextFile:
        """Look how a file is packed and encoded."""
        if member is None:
            with path.open("rb") as file:
                if file.read(2) == GZIP_MAGIC:
                    member = whole_gzip(path)
        text = cls(path, member)
        head = text.head(1024)
        encoding = _BOMS.get(head[:2], "bytes")
        if encoding == "bytes" and len(head) > 8 and not any(head[1::2]):
            encoding = "utf-16-le"
        return replace(text, encoding=encoding)

    def head(self, size: int) -> bytes:
        """Its beginning."""
        stream = self.open(0)
        try:
            return stream.read(size)
        finally:
            stream.close()

    def open(self, position: int) -> TextStream:
        """The bytes from this one on."""
        wide = self.encoding != "bytes"
        start = 2 * position if wide else position
        stream: ByteStream
        if self.member is not None:
            stream = MemberStream(self.path, self.member, start)
        else:
            stream = self.path.open("rb", buffering=0)
            stream.seek(start)
        return TextStream(stream, position, self.encoding)

    @property
    def size(self) -> int:
        """Bytes of the text, or a guess."""
        in_zip = self.member is not None and not self.member.is_gzip
        size = self.member.size if self.member and in_zip else content_size(self.path)
        return size // 2 if self.encoding != "bytes" else size

    def spread_lines(self, line_end: str) -> Iterator[str]:
        """One whole line of each quarter of a megabyte, in their order; the last one too."""
        end = line_end.encode()
        if self.member is not None:
            stream = self.open(0)
            try:
                while piece := stream.read(_STRIDE):
                    yield from _whole_line(piece[:_LONGEST_ROW], end)
                    yield from _whole_line(piece[-_LONGEST_ROW:], end)
            finally:
                stream.close()
            return
        size = self.size
        for position in [*range(0, max(size - _LONGEST_ROW, 1), _STRIDE), size - _LONGEST_ROW]:
            stream = self.open(max(position, 0))
            try:
                yield from _whole_line(stream.read(_LONGEST_ROW), end)
            finally:
                stream.close()


def _whole_line(piece: bytes, end: bytes) -> Iterator[str]:
    lines = piece.split(end)[1:-1]
    if lines:
        yield lines[-1].decode("latin-1").strip("\r ")


class TextStream:
    """A stream of text that knows its place.

    Attributes
    ----------
    position : int
        Of the byte that is read next.
    packed : ByteStream
        What it is read from.
    """

    def __init__(self, stream: ByteStream, position: int, encoding: str) -> None:
        self.packed = self._stream = stream
        self._encoding = encoding
        self.position = position

    def read(self, size: int, /) -> bytes:
        """Read on; fewer bytes than asked for mean the end."""
        if self._encoding == "bytes":
            data = self._stream.read(size)
        else:
            raw = self._stream.read(2 * size)
            low, high = (0, 1) if self._encoding == "utf-16-le" else (1, 0)
            units = np.frombuffer(raw[: len(raw) // 2 * 2], np.uint8).reshape(-1, 2)
            letters = np.where(units[:, high] == 0, units[:, low], ord("?"))
            if self.position == 0 and len(letters) and bytes(raw[:2]) in _BOMS:
                letters[0] = ord(" ")
            data = letters.astype(np.uint8).tobytes()
        self.position += len(data)
        return data

    @property
    def broken(self) -> str:
        """Why it ended before its end; empty where it did not, so far."""
        return self._stream.broken if isinstance(self._stream, MemberStream) else ""

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()
