"""Compiled kernels are cached, whatever happens to the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_files import write_cwa
from recordings import at_rest

from rlsmove._processors import n_processors

PROGRAM = "from rlsmove.cli import main; main()"

#: With this setting alone numba finds no place for a cache, as in a read-only installation of
#: somebody without a home.
NO_PLACE = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = at_rest(0.35, fs=100.0)
    for start in range(20_000, 120_000, 3_000):
        values[start : start + 150, 0] += 0.3 * np.sin(np.linspace(0, np.pi, 150))
    path = tmp_path_factory.mktemp("night") / "left.cwa"
    write_cwa(path, [values])
    return path


def start(recording: Path, out: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "night", str(recording), "--out", str(out)],
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def results(process: subprocess.Popen[str], out: Path) -> bytes:
    told, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in told + errors
    (movements,) = out.rglob("movements.csv")
    return movements.read_bytes()


def machine_code(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.rglob("*.nbc"))}


def when_quiet(cache: Path) -> dict[str, bytes]:
    """The cache once the helping process has come to its end."""
    found: dict[str, bytes] = {}
    deadline = time.monotonic() + 120
    while not found or found != machine_code(cache):
        assert time.monotonic() < deadline
        found = machine_code(cache)
        time.sleep(6)  # the longest kernel takes half of that to compile
    return found


@pytest.fixture(scope="module")
def expected(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    out = tmp_path_factory.mktemp("expected")
    found = results(start(recording, out), out)
    assert found.count(b"\n") > 20
    return found


def test_two_first_runs_at_once_fill_one_cache(
    recording: Path, expected: bytes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    outs = [tmp_path / "one", tmp_path / "other"]
    both = [start(recording, out, NUMBA_CACHE_DIR=str(cache)) for out in outs]
    assert [results(*run) for run in zip(both, outs, strict=True)] == [expected, expected]
    filled = when_quiet(cache)
    names = {name.split("-")[0] for name in filled}
    assert {"_kernels.unpack_packed", "_kernels.resample", "_kernels.trace_away"} <= names

    again = start(recording, tmp_path / "again", NUMBA_CACHE_DIR=str(cache))
    assert results(again, tmp_path / "again") == expected
    assert machine_code(cache) == filled  # nothing was compiled anew


@pytest.mark.skipif(n_processors() == 1, reason="there is no processor to spare")
def test_another_process_compiles_what_this_one_does_not_need_yet(
    recording: Path, tmp_path: Path
) -> None:
    decode = """
        import sys, rlsmove.night.analysis
        from rlsmove.devices import open_recording
        print(sum(len(block.time_s) for block in open_recording(sys.argv[1]).blocks()))
    """
    command = [sys.executable, "-c", textwrap.dedent(decode), str(recording)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    names = {name.split("-")[0] for name in when_quiet(tmp_path)}
    assert {"_kernels.unpack_packed", "_kernels.resample", "_kernels.trace_away"} <= names
    assert "_kernels.find_records" not in names  # of a format that nobody asked for


def test_another_processor_has_machine_code_of_its_own(
    recording: Path, expected: bytes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    found = {}
    for name, processor in (("own", {}), ("plain", plain), ("own again", {})):
        run = start(recording, tmp_path / name, NUMBA_CACHE_DIR=str(cache), **processor)
        found[name] = results(run, tmp_path / name)
        found[f"{name} cache"] = when_quiet(cache)
    assert found["own"] == found["own again"] == expected
    assert found["plain"].count(b"\n") == expected.count(b"\n")
    assert len(found["plain cache"]) > len(found["own cache"])
    assert found["own again cache"] == found["plain cache"]


def test_without_a_place_for_a_cache_it_works_all_the_same(
    recording: Path, expected: bytes, tmp_path: Path
) -> None:
    assert results(start(recording, tmp_path, **NO_PLACE), tmp_path) == expected
