"""What made a result: version, settings and input, by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rlsmove.io.json_text import json_text


def provenance(inputs: Iterable[str | Path], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a result was made by and from. It holds no clock time and no folder.

    Parameters
    ----------
    inputs : iterable of str or Path
        Files that were read.
    settings : mapping
        Every option that the result depends on.
    """
    return provenance_of_digests(((Path(path).name, sha256_of(path)) for path in inputs), settings)


def provenance_of_digests(
    inputs: Iterable[tuple[str, str]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Describe what made a result from files whose digests are known already.

    Parameters
    ----------
    inputs : iterable of (str, str)
        Name and SHA-256 of each file.
    settings : mapping
        Every option that the result depends on.
    """
    return {
        "program": "rlsmove",
        "version": program_version(),
        "settings_digest": hashlib.sha256(json_text(settings).encode()).hexdigest(),
        "settings": dict(settings),
        "inputs": [{"file": name, "sha256": sha256} for name, sha256 in inputs],
    }


def program_version() -> str:
    """Version of the installed package."""
    try:
        return version("rlsmove")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
