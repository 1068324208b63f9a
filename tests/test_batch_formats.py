"""Recordings of every format through every kind of worker, and tasks that go wrong in any way."""

from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batch_studies import FS, files_under, run_batch_command, signal_of, write_leg
from device_files import write_bin, write_cwa, write_gt3x, write_old_gt3x

from rlsmove.batch.fault_log import log_fault
from rlsmove.batch.job import Job
from rlsmove.batch.local_workers import LocalWorkers
from rlsmove.batch.run import run_batch
from rlsmove.batch.shards import Shard, merge_shards
from rlsmove.batch.tasks import Failure, attempt
from rlsmove.night.opened_leg import open_leg

START = datetime(2026, 3, 2, 22)


def write_table(path: Path, open_: Callable[..., Any] = open) -> None:
    with open_(path, "wt") as file:
        file.write("time,x (g),y (g),z (g)\n")
        for row, values in enumerate(signal_of(0, "left")):
            time = START + timedelta(seconds=row / FS)
            file.write(f"{time:%Y-%m-%d %H:%M:%S.%f}," + ",".join(f"{v:.4f}" for v in values))
            file.write("\n")


WRITERS: dict[str, Callable[[Path], object]] = {
    "new.gt3x": lambda path: write_gt3x(
        path, [signal_of(0, "left")], rate_hz=25, kind=26, start=START, deflated=True
    ),
    "old.gt3x": lambda path: write_old_gt3x(path, [signal_of(0, "left")], rate_hz=25, start=START),
    "axivity.cwa": lambda path: write_cwa(
        path, [signal_of(0, "left")], rate_code=0x48, start=START
    ),
    "geneactiv.bin": lambda path: write_bin(
        path, [signal_of(0, "left")], rate_hz=25.0, start=START
    ),
    "table.csv": write_table,
    "packed.csv.gz": lambda path: write_table(path, gzip.open),
    "own.h5": lambda path: write_leg(path, START.date(), "left", 0),
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


@pytest.fixture(scope="module")
def local(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of worker processes on this machine."""
    out = tmp_path_factory.mktemp("local")
    run = run_batch_command(recordings, "--jobs", "2", "--out", out)
    assert run.returncode == 0, run.stderr
    return out


def test_local_workers_score_every_format(local: Path) -> None:
    with (local / "nights.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"]: row["night"] for row in rows} == dict.fromkeys(WRITERS, "2026-03-02")
    assert all(row["status"] != "failed" for row in rows)
    counts = [int(row["lm_count"]) for row in rows]
    assert min(counts) > 5
    assert max(counts) - min(counts) <= 2  # their scales and rates differ a little


def test_shards_leave_the_same_bytes(recordings: Path, local: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        run_batch(recordings, jobs=1, out=tmp_path, shard=Shard(number, 2))
    merge_shards(recordings, out=tmp_path)
    merged = {
        name: content
        for name, content in files_under(tmp_path).items()
        if not name.startswith("shards/")
    }
    assert merged == files_under(local)


CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert process.stdout
    yield process.stdout.readline().strip()
    process.communicate(timeout=60)


def test_a_cluster_leaves_the_same_bytes(
    cluster: str, recordings: Path, local: Path, tmp_path: Path
) -> None:
    run = run_batch_command(recordings, "--cluster", cluster, "--out", tmp_path)
    assert run.returncode == 0, run.stderr
    assert files_under(tmp_path) == files_under(local)


class NoWords(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class NoReturn:
    """Goes into pickle, but does not come out of it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (int, ("none",))


class OddError(Exception):
    def __init__(self, path: Path, lock: object) -> None:
        super().__init__(f"{path} is odd")
        self.lock = lock


def ends_in(way: str) -> object:
    """Come to an end that nobody foresaw."""
    if way == "exit":
        sys.exit(3)
    if way == "interrupt":
        raise KeyboardInterrupt
    if way == "unpicklable error":
        raise OddError(Path("a"), threading.Lock())
    if way == "no words":
        raise NoWords
    if way == "lock":
        return threading.Lock()
    if way == "no return":
        return NoReturn()
    if way == "deep":
        nest: list[Any] = []
        for _ in range(100_000):
            nest = [nest]
        return nest
    return float(np.float64(1.0))


WAYS = {
    "exit": "SystemExit: 3",
    "interrupt": "KeyboardInterrupt: ",
    "unpicklable error": "OddError: a is odd",
    "no words": "NoWords: it cannot be put into words",
    "lock": "TypeError: ",
    "no return": "ValueError: ",
    "deep": "RecursionError: ",
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_task_does_it_comes_back_as_a_failure(way: str) -> None:
    outcome = attempt(ends_in, way)
    assert isinstance(outcome, Failure)
    assert outcome.code == "internal_error"
    assert outcome.sentence.startswith(WAYS[way])
    if way not in ("lock", "no return", "deep"):
        assert "in ends_in" in outcome.traceback


def test_the_traceback_of_a_fault_is_kept_and_named(tmp_path: Path) -> None:
    fault = attempt(ends_in, "unpicklable error")
    derived = tmp_path / "derived"
    told = log_fault(derived, fault, participant_id="p01", night="2026-03-02", file="a.cwa")
    assert told.sentence == f"{fault.sentence}; the traceback is in derived/batch.log"
    log_fault(derived, fault, participant_id="p02", night="", file="b.cwa")
    log = (derived / "batch.log").read_text()
    assert log.startswith(f"p01, 2026-03-02, a.cwa\n{fault.traceback}")
    assert f"p02, b.cwa\n{fault.traceback}" in log


def test_what_ails_a_recording_has_no_traceback(tmp_path: Path) -> None:
    nothing = tmp_path / "a.cwa"
    nothing.write_bytes(b"nothing")
    failure = attempt(open_leg, nothing)
    assert failure.traceback == ""
    assert log_fault(tmp_path, failure, participant_id="", night="", file="") == failure
    assert not (tmp_path / "batch.log").exists()


def outcomes(workers: Any, ways: list[str]) -> dict[str, Any]:
    waiting = [Job(ends_in, (way,)) for way in ways]
    ended: list[Job] = []
    while len(ended) < len(ways):
        while waiting and workers.idle:
            workers.start(waiting.pop(0))
        ended += workers.ended(0.5)
    return {job.arguments[0]: job.outcome for job in ended}


def test_a_local_worker_goes_on_after_each_of_them() -> None:
    with LocalWorkers(1, 60.0) as workers:
        found = outcomes(workers, [*WAYS, "well"])
    assert found.pop("well") == 1.0
    assert {way: outcome.code for way, outcome in found.items()} == dict.fromkeys(
        WAYS, "internal_error"
    )


def test_a_cluster_goes_on_after_each_of_them(cluster: str) -> None:
    from rlsmove.batch.cluster_workers import ClusterWorkers

    with ClusterWorkers(cluster, 60.0) as workers:
        found = outcomes(workers, [*WAYS, "well"])
    assert found.pop("well") == 1.0
    assert {way: outcome.code for way, outcome in found.items()} == dict.fromkeys(
        WAYS, "internal_error"
    )
