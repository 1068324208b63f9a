"""A batch in which files are damaged, one hangs, workers are killed and the run itself is."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
import sys
from pathlib import Path

import pytest
from batch_studies import (
    files_under,
    finished_nights,
    is_there,
    kill,
    make_study,
    run_batch_command,
    start_batch,
    wait_until,
    workers_of,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks up processes in /proc")

PERSONS, NIGHTS = 5, 4
HANGING = "raw/p02_2026-03-03_right.h5"
DAMAGED = {
    "raw/p01_2026-03-02_left.h5": b"",
    "raw/p03_2026-03-04_left.h5": b"this is no recording",
    "raw/p03_2026-03-04_right.h5": b"\x89HDF\r\n\x1a\n and nothing after it",
}
TIMEOUT = ("--timeout", "4")


def spoiled_study(path: Path) -> None:
    make_study(path, PERSONS, NIGHTS)
    for name, content in DAMAGED.items():
        (path / name).write_bytes(content)
    (path / HANGING).unlink()
    os.mkfifo(path / HANGING)  # opening it waits for a writer, who never comes


def copy_of(study: Path, path: Path) -> Path:
    shutil.copytree(study, path, ignore=shutil.ignore_patterns(Path(HANGING).name, "derived"))
    os.mkfifo(path / HANGING)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that a batch has gone through undisturbed."""
    path = tmp_path_factory.mktemp("undisturbed") / "study"
    spoiled_study(path)
    run = run_batch_command(path, "--jobs", "2", *TIMEOUT)
    assert run.returncode == 1
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_night_is_there_once(study: Path) -> None:
    rows = rows_of(study / "derived/nights.csv")
    nights = [(row["participant_id"], row["night"]) for row in rows]
    assert len(nights) == len(set(nights)) == PERSONS * NIGHTS
    failed = [night for night, row in zip(nights, rows, strict=True) if row["status"] == "failed"]
    assert failed == [("p03", "2026-03-04")]  # the only one of which both legs are damaged


def test_every_bad_recording_is_named_with_its_reason(study: Path) -> None:
    failures = {row["file"]: row for row in rows_of(study / "derived/failures.csv")}
    assert set(failures) >= {*DAMAGED, HANGING}
    # What would never end is told from a file before anything waits for it.
    assert failures[HANGING]["code"] == "recording_error"
    assert "no regular file" in failures[HANGING]["sentence"]
    for name in DAMAGED:
        assert Path(name).name in failures[name]["sentence"]


def test_a_night_with_one_bad_leg_is_scored_from_the_other(study: Path) -> None:
    rows = {(r["participant_id"], r["night"]): r for r in rows_of(study / "derived/nights.csv")}
    for night, side, lost in (
        (("p01", "2026-03-02"), "right", "raw/p01_2026-03-02_left.h5"),
        (("p02", "2026-03-03"), "left", HANGING),
    ):
        assert rows[night]["side"] == side
        assert "leg_missing" in rows[night]["code"].split(";")
        assert lost in rows[night]["sentence"]
        assert int(rows[night]["lm_count"]) > 0


def test_interrupted_killed_and_killed_again_it_leaves_the_same_bytes(
    study: Path, tmp_path: Path
) -> None:
    path = copy_of(study, tmp_path / "study")
    derived = path / "derived"

    interrupted = start_batch(path, "--jobs", "2", *TIMEOUT)
    wait_until(lambda: finished_nights(derived) >= 2)
    workers = workers_of(interrupted.pid)
    interrupted.send_signal(signal.SIGINT)
    _, err = interrupted.communicate(timeout=30)
    assert interrupted.returncode == 1
    assert "run the same command to go on" in err
    assert "Traceback" not in err
    assert not any(is_there(pid) for pid in workers)
    assert rows_of(derived / "nights.csv")

    killed = start_batch(path, "--jobs", "2", *TIMEOUT)
    for victim in range(2):
        least = finished_nights(derived) + 2
        wait_until(lambda least=least: finished_nights(derived) >= least)
        wait_until(lambda: len(workers_of(killed.pid)) == 2)
        kill(workers_of(killed.pid)[victim])
    least = finished_nights(derived) + 2
    wait_until(lambda: finished_nights(derived) >= least)
    workers = workers_of(killed.pid)
    kill(killed.pid)
    killed.communicate()
    wait_until(lambda: not any(is_there(pid) for pid in workers), 10.0)
    done = finished_nights(derived)
    assert done < PERSONS * NIGHTS - 1

    run = run_batch_command(path, "--jobs", "2", "--explain", *TIMEOUT)
    assert run.returncode == 1
    assert run.stdout.count(": kept\n") == done
    assert files_under(derived) == files_under(study / "derived")


def test_a_full_disk_fails_the_nights_by_name_and_leaves_nothing_partial(tmp_path: Path) -> None:
    make_study(tmp_path / "study", 1, 2)

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    run = run_batch_command(tmp_path / "study", "--jobs", "1", preexec_fn=small_disk)
    assert run.returncode == 1
    assert "cohort.h5: cannot be written" in run.stderr
    derived = tmp_path / "study/derived"
    rows = rows_of(derived / "nights.csv")
    assert [row["code"] for row in rows] == ["output_error"] * 2
    assert all("cannot be written" in row["sentence"] for row in rows)
    assert not list(derived.glob("nights/*/*/*"))

    run = run_batch_command(tmp_path / "study", "--jobs", "1")
    assert run.returncode == 0
    assert finished_nights(derived) == 2
