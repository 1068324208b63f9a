"""Recordings of every known device, opened by what is in the file, whatever its name."""

from __future__ import annotations

from pathlib import Path

from rlsmove.devices.hdf5 import write_recording
from rlsmove.devices.recording import Block, Recording
from rlsmove.errors import RecordingError, UnknownFormat

__all__ = ["Block", "Recording", "open_recording", "write_recording"]

_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_recording(path: str | Path) -> Recording:
    """Open a recording of any format that is read here, told apart by its content.

    Parameters
    ----------
    path : str or Path
        The file. Its name does not matter.

    Returns
    -------
    Recording
        Its header is read, its samples are not.

    Raises
    ------
    RecordingError
        There is no such file, or it may not be read.
    UnknownFormat
        Its content is of no format that is read here; the message says what it looks like.
    DamagedRecording, UnsuitableSignal
        Its header cannot be used.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise RecordingError(path, f"cannot be opened ({error.strerror})") from error
    if head.startswith(_HDF5):
        from rlsmove.devices.hdf5 import Hdf5Recording

        return Hdf5Recording(path)
    if head.startswith((b"MD\xfc\x03", b"AX\xfc\x01")):
        from rlsmove.devices.axivity import AxivityRecording

        return AxivityRecording(path)
    if head.startswith(b"PK\x03\x04"):
        from rlsmove.devices.actigraph import open_gt3x
        from rlsmove.devices.zip_member import find_members

        members = find_members(path)
        if "log.bin" in members or "activity.bin" in members:
            return open_gt3x(path, members)
    if head.startswith(b"Device Identity"):
        from rlsmove.devices.geneactiv import GeneactivRecording

        return GeneactivRecording(path)
    raise UnknownFormat(path, "its content is of no format that is read here")
