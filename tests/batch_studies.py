"""Small study folders for the tests of batches, and batches run as a person runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from datetime import time as clock
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.devices import write_recording
from rlsmove.simulate import NightParameters, simulate_night
from rlsmove.study.folder import about_study, write_study

FIRST_NIGHT = date(2026, 3, 2)
FS = 25.0


@cache
def signal_of(seed: int, side: str, hours: float = 0.7) -> np.ndarray:
    """Acceleration of one simulated leg."""
    night = simulate_night(NightParameters(hours=hours, fs=FS), seed)
    return np.concatenate(list(night.blocks(side)))


def write_leg(path: Path, evening: date, side: str, seed: int) -> None:
    """Write one night of one leg, from ten in the evening on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_recording(
        path,
        [signal_of(seed, side)],
        start_time=datetime.combine(evening, clock(22)),
        sample_rate_hz=FS,
        side=side,
        placement="ankle",
        device="simulated AX3",
    )


def make_study(path: Path, persons: int = 2, nights: int = 2) -> None:
    """Write a study with both legs of every night; nights of one seed differ in their date."""
    recordings: list[dict[str, Any]] = []
    diary: list[dict[str, Any]] = []
    for person in range(persons):
        code = f"p{person + 1:02d}"
        for number in range(nights):
            evening = FIRST_NIGHT + timedelta(days=number)
            for side in ("left", "right"):
                name = f"raw/{code}_{evening}_{side}.h5"
                write_leg(path / name, evening, side, seed=(person + number) % 2)
                recordings.append(
                    {"participant_id": code, "file": name, "leg": side, "placement": "ankle"}
                )
            lights = {"lights_off": "22:05", "lights_on": "22:40"}
            diary.append({"participant_id": code, "night": evening.isoformat(), **lights})
    tables = {"nights.tsv": diary, "recordings.tsv": recordings}
    write_study(path, about_study("test"), tables)


def change_cell(table: Path, row: int, column: str, value: str) -> None:
    """Change one cell of a table; row 1 is the first after the header."""
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    lines[row][lines[0].index(column)] = value
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")


def drop_rows(table: Path, text: str) -> None:
    """Remove the rows that hold a text."""
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if text not in line) + "\n")


def start_batch(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start `rlsmove batch` and leave it running."""
    code = "from rlsmove.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "batch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run_batch_command(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `rlsmove batch` to its end."""
    process = start_batch(*arguments, **options)
    out, err = process.communicate(timeout=240)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess([], process.returncode, out, err)


def files_under(folder: Path) -> dict[str, bytes]:
    """The content of every file, by its place."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def finished_nights(derived: Path) -> int:
    """How many nights are finished so far."""
    return len(list(derived.glob("nights/*/*/batch.json")))


def wait_until(what: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def workers_of(pid: int) -> list[int]:
    """Worker processes of a batch, at this moment."""
    return [child for child, parent, text in _processes() if parent == pid and "spawn_main" in text]


def kill(pid: int) -> None:
    """Kill a process as the system does when memory runs out."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_there(pid: int) -> bool:
    """Whether a process is still running."""
    return any(found == pid for found, _, _ in _processes())


def _processes() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if stat[0] != "Z":
                yield int(folder.name), int(stat[1]), (folder / "cmdline").read_text()
