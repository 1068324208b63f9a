"""What a file that is no recording looks like, in words for its owner."""

from __future__ import annotations

import zlib

_BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file; unpack it"),
    (b"MD\xfc\x03", "an Axivity recording; unpack it"),
    (b"PK\x03\x04", "a zip file; unpack it"),
    (b"Device Identity", "a GENEActiv recording; unpack it"),
    (b"0       ", "an EDF file"),
    (b"\xffBIOSEMI", "a BDF file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a sound or video file (RIFF); of Axivity's, the .cwa is read"),
    (b"SQLite format 3", "an SQLite database"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"PAR1", "a Parquet file"),
    (b"MDTC", "a Matrix (Parmay Tech) recording"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"BZh", "a bzip2 file; unpack it"),
    (b"\xfd7zXZ", "an xz file; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"{", "a JSON file"),
    (b"kind,label,onset_s", "a list of events; `rlsmove score` reads those"),
    (b"case,kind,label,onset_s", "a list of events; `rlsmove score` reads those"),
)
#: Kinds of which some files hold acceleration.
_MAY_HOLD_ONE = (b"0       ", b"RIFF")
#: With which text of two bytes a letter begins.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
#: Bytes that text does not hold, and the part of them that damage may put into it.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))
_CONTROLS_PART = 0.02


def is_other_kind(head: bytes) -> bool:
    """Whether a file is, by its beginning, of a kind that never holds a recording."""
    return any(
        head.startswith(beginning) and "unpack it" not in words
        for beginning, words in _BEGINNINGS
        if beginning not in _MAY_HOLD_ONE
    )


def name_lookalike(head: bytes) -> str:
    """Tell what a file looks like from its beginning; empty for text that may be a table.

    Parameters
    ----------
    head : bytes
        Some hundred bytes or more, from its start.
    """
    if not head:
        return "an empty file"
    if head.startswith(b"\x1f\x8b"):
        inside = zlib.decompressobj(zlib.MAX_WBITS + 16)
        try:
            head = inside.decompress(head, 4096)
        except zlib.error:
            return "a damaged gzip file"
        lookalike = name_lookalike(head)
        return f"a gzip file of {lookalike}" if lookalike else ""
    for beginning, words in _BEGINNINGS:
        if head.startswith(beginning):
            return words
    if not head.strip(b"\0"):
        return "nothing but zeros"
    if head.startswith(_UTF_16) or not any(head[1:512:2]):
        return ""
    if len(head) - len(head.translate(None, _CONTROLS)) > _CONTROLS_PART * len(head):
        return "binary data of no known kind"
    return ""
