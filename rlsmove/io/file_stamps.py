"""What a file system says of a file that changes whenever its bytes do."""

from __future__ import annotations

from pathlib import Path

#: Size in bytes, and when it was last written and last changed in any way, in nanoseconds.
Stamp = tuple[int, int, int]


def stamp_of(path: str | Path) -> Stamp:
    """Return the stamp of a file; equal stamps are of equal bytes.

    Raises
    ------
    OSError
        There is no such file.
    """
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
