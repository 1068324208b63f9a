"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rlsmove.errors import OutputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside the final one, and move what was written there into place.

    Parameters
    ----------
    path : str or Path
        Where the file shall be; its folder is made where it is missing.

    Yields
    ------
    Path
        Where to write. When the block ends well the file replaces `path`; when it does not,
        the file is removed and `path` stays as it was.

    Raises
    ------
    OutputError
        The folder cannot be made or the file cannot be written or moved.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            path,
            f"cannot be written ({error.strerror or error})",
            advice="Choose another place for the output, or make room there.",
        ) from error


def write_files(contents: Mapping[Path, str]) -> None:
    """Write text files so that they appear together: all written aside first, then moved.

    Parameters
    ----------
    contents : mapping of Path to str
        What each file shall hold, written as UTF-8 with the line ends as given; a byte of a
        file's name that is not UTF-8 by its escape.

    Raises
    ------
    OutputError
        One of them cannot be written; then none is replaced.
    """
    with ExitStack() as files:
        for path, text in contents.items():
            files.enter_context(atomic_path(path)).write_bytes(
                text.encode("utf-8", "backslashreplace")
            )
