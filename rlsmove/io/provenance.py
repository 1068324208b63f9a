"""What made a result: version, settings and input, by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rlsmove.io.json_text import json_text

#: Parts of the package that a night's result depends on.
NIGHT_PARTS = frozenset(
    ("errors", "records", "rules", "_jit", "io", "scoring", "devices", "events", "signal",
     "movements", "massage", "night", "results")
)  # fmt: skip

#: Libraries that a night's result depends on.
LIBRARIES = ("numpy", "scipy", "numba", "h5py")


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
        "code": code_digest(),
        "libraries": library_versions(),
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


@cache
def code_digest() -> str:
    """First digits of the SHA-256 of the code that a night is made by.

    Of the parts of the package from a recording to a night's files; what shows, compares or
    simulates nights changes none of them.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package)
        if part.parts[0].removesuffix(".py") in NIGHT_PARTS:
            digest.update(part.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers come from."""
    return {name: version(name) for name in LIBRARIES}


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
