"""A batch on a dask cluster of several worker processes, one of which is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_studies import (
    files_under,
    finished_nights,
    kill,
    make_study,
    run_batch_command,
    start_batch,
    wait_until,
    workers_of,
)

pytest.importorskip("distributed", reason="the extra cluster is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks up processes in /proc")

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def cluster() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    yield process.stdout.readline().strip(), process
    process.communicate(timeout=60)


def test_killed_and_hanging_it_leaves_the_same_bytes_as_on_this_machine(
    cluster: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    address, process = cluster
    path = tmp_path / "study"
    make_study(path, persons=3, nights=3)
    (path / "raw/p01_2026-03-02_left.h5").write_bytes(b"nothing")
    hanging = path / "raw/p02_2026-03-03_right.h5"
    hanging.unlink()
    os.mkfifo(hanging)
    run_batch_command(path, "--jobs", "2", "--timeout", "4", "--out", tmp_path / "here")

    first = start_batch(path, "--cluster", address, "--timeout", "4", "--out", tmp_path / "there")
    wait_until(lambda: finished_nights(tmp_path / "there") >= 2)
    kill(first.pid)
    first.communicate()
    batch = start_batch(path, "--cluster", address, "--timeout", "4", "--out", tmp_path / "there")
    wait_until(lambda: finished_nights(tmp_path / "there") >= 5)
    kill(workers_of(process.pid)[0])
    _, err = batch.communicate(timeout=120)
    assert batch.returncode == 1
    assert "Traceback" not in err
    assert hanging.name in err
    assert files_under(tmp_path / "there") == files_under(tmp_path / "here")


def test_an_address_without_a_scheduler_is_refused_in_words(tmp_path: Path) -> None:
    make_study(tmp_path / "study", persons=1, nights=1)
    run = run_batch_command(tmp_path / "study", "--cluster", "nowhere.txt")
    assert run.returncode == 1
    assert "no scheduler answers at 'nowhere.txt'" in run.stderr
