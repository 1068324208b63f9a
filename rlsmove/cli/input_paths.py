"""Paths that are read: what can only be read once, or without an end, is refused by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rlsmove.errors import RlsmoveError


class InputPath(click.Path):
    """A file or a folder to read; a pipe or a device would be waited for without an end."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.Path`, but for what is neither a file nor a folder."""
        path = Path(str(super().convert(value, param, ctx)))
        try:
            readable = not path.exists() or path.is_file() or path.is_dir()
        except OSError:
            return path  # whoever opens it says why it cannot
        if not readable:
            raise RlsmoveError(
                path,
                "cannot be read (no regular file)",
                expected="a file or a folder",
                advice="Write what it yields to a file, and name that.",
            )
        return path
