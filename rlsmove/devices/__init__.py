"""Recordings of every known device, opened by what is in the file, whatever its name."""

from __future__ import annotations

from pathlib import Path

from rlsmove.devices.hdf5 import write_recording
from rlsmove.devices.lookalikes import is_other_kind, name_lookalike
from rlsmove.devices.recording import Block, Recording
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.devices.wall_clock import set_wall_clock
from rlsmove.devices.zip_member import GZIP_MAGIC, find_members, read_head
from rlsmove.errors import RecordingError, UnknownFormat
from rlsmove.io.edf_records import EDF_MAGIC

__all__ = [
    "Block",
    "Recording",
    "Told",
    "may_be_recording",
    "open_recording",
    "write_recording",
]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_WAV = b"RIFF"
_ZIP = b"PK\x03\x04"
#: Of the header of a .cwa file, of one of its blocks: two letters and the length that follows.
_CWA = (b"MD\xfc\x03", b"AX\xfc\x01")
_GENEACTIV = b"Device Identity"

_EXPECTED = (
    "a recording: Axivity .cwa or OmGui .wav, ActiGraph .gt3x, GENEActiv .bin, acceleration in "
    "EDF, rlsmove's HDF5, or a table of text as devices and phones export it, packed or not"
)


def open_recording(path: str | Path, told: Told = NOTHING_TOLD) -> Recording:
    """Open a recording of any format that is read here, told apart by its content.

    Parameters
    ----------
    path : str or Path
        The file. Its name does not matter.
    told : Told
        What a person says of it, which goes before what is found in it.

    Returns
    -------
    Recording
        Its header is read; of its samples no more than it takes to date the first one, and for a
        table of text to tell its unit.

    Raises
    ------
    RecordingError
        There is no such file, or it may not be read.
    UnknownFormat
        Its content is of no format that is read here; the message says what it looks like.
    DamagedRecording, UnsuitableSignal
        Nothing whole is left in it, or it holds no raw acceleration.
    SettingError
        What is told does not fit it.
    """
    path = Path(path)
    try:
        if not path.is_file() and path.exists():
            kind = "it is a directory" if path.is_dir() else "no regular file"
            raise RecordingError(path, f"cannot be read ({kind})", expected="a recording's file")
        with path.open("rb") as file:
            head = file.read(2048)
        recording = _open(path, head, told)
    except OSError as error:
        raise RecordingError(path, f"cannot be read ({error.strerror or error})") from error
    set_wall_clock(recording, told)
    return recording


def may_be_recording(path: Path) -> bool:
    """Whether a file is a recording, or what is left of one: whatever is surely none is not.

    Parameters
    ----------
    path : Path
        A file among others, as they lie in a folder.
    """
    try:
        with path.open("rb") as file:
            head = file.read(2048)
        if is_other_kind(head):
            return False
        _open(path, head, NOTHING_TOLD)
    except UnknownFormat:
        if head.startswith(_ZIP):
            members = find_members(path)
            return not members or "info.txt" in members  # what is left of a .gt3x
        return bool(name_lookalike(head)) and not head.startswith((EDF_MAGIC, _WAV))
    except (RecordingError, OSError):
        return True
    return True


def _open(path: Path, head: bytes, told: Told) -> Recording:
    if head.startswith(GZIP_MAGIC):
        return _open_packed(path, head, told)
    if head.startswith(_HDF5):
        from rlsmove.devices.hdf5 import Hdf5Recording

        return Hdf5Recording(path)
    if head.startswith(_ZIP):
        from rlsmove.devices.actigraph import open_gt3x

        members = find_members(path)
        if "log.bin" in members or "activity.bin" in members:
            return open_gt3x(path, members)
        from rlsmove.devices.zip_exports import open_zip_export

        return open_zip_export(path, members, told)
    if head.startswith(EDF_MAGIC):
        from rlsmove.devices.edf import EdfRecording

        return EdfRecording(path, told)
    if head.startswith(_WAV):
        from rlsmove.devices.omgui_wav import OmguiWavRecording

        return OmguiWavRecording(path)
    return _open_packed(path, head, told)


def _open_packed(path: Path, head: bytes, told: Told) -> Recording:
    """Open what may lie in a gzip file as well as by itself."""
    content = read_head(path, len(head)) if head.startswith(GZIP_MAGIC) else head
    if content.startswith(_CWA) or content[1024:].startswith(_CWA[1]):
        from rlsmove.devices.axivity import AxivityRecording

        return AxivityRecording(path)
    if content.startswith(_GENEACTIV):
        from rlsmove.devices.geneactiv import GeneactivRecording

        return GeneactivRecording(path)
    lookalike = name_lookalike(head)
    if lookalike:
        raise UnknownFormat(path, f"it looks like {lookalike}", expected=_EXPECTED)
    from rlsmove.devices.csv import open_csv
    from rlsmove.devices.text_file import TextFile

    return open_csv(TextFile.of(path), told)
