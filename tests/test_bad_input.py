"""Bad recordings at the command line: a sentence that helps, exit code 1, and nothing written."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from device_files import CWA_BLOCK, write_bin, write_cwa, write_gt3x
from numpy.typing import NDArray
from recordings import EVENING, at_rest, simulated_samples

from rlsmove.cli import main
from rlsmove.devices import write_recording

COMMANDS = ("info", "night", "convert")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refuse(command: str, path: Path, out: Path) -> str:
    """Run a command that has to fail, and return its message."""
    options = {"info": [], "night": ["--out", out], "convert": [out / "out.h5"]}[command]
    result = run(command, path, *options)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert not out.exists() or list(out.iterdir()) == []
    (message,) = result.stderr.splitlines()
    assert message.startswith(f"error: {path}")
    assert message.endswith(".")
    return message


def night(path: Path, *options: object) -> Any:
    result = run("night", path, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def codes(record: Any) -> list[str]:
    return [warning["code"] for warning in record["quality"]["warnings"]]


def moving(minutes: float, fs: float = 100.0) -> NDArray[np.float32]:
    return simulated_samples(hours=0.5, fs=fs)[: round(minutes * 60 * fs)]


def save(path: Path, values: NDArray[np.floating], fs: float = 50.0) -> Path:
    write_recording(path, [values], start_time=EVENING, sample_rate_hz=fs, side="left")
    return path


# Files that are no recording.


def empty(path: Path) -> None:
    path.write_bytes(b"")


def picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000))


def document(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n" + bytes(2000))


def letter(path: Path) -> None:
    path.write_text("Dear Sir,\n\nplease find enclosed nothing.\n")


def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thesis.docx", "words")


def other_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(b"no table at all"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "make",
    [empty, picture, document, letter, noise, other_zip, other_gzip],
    ids=lambda m: m.__name__,
)
@pytest.mark.parametrize("suffix", [".cwa", ".gt3x", ".h5"])
def test_what_is_no_recording_is_refused_whatever_its_name(
    tmp_path: Path, make: Callable[[Path], None], suffix: str, command: str
) -> None:
    path = tmp_path / f"left{suffix}"
    make(path)
    message = refuse(command, path, tmp_path / "out")
    assert len(message) > len(f"error: {path}") + 20


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_instead_of_a_file(tmp_path: Path, command: str) -> None:
    (tmp_path / "left.cwa").mkdir()
    assert "directory" in refuse(command, tmp_path / "left.cwa", tmp_path / "out").lower()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_there(tmp_path: Path, command: str) -> None:
    assert "No such file" in refuse(command, tmp_path / "left.cwa", tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for the superuser")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_may_not_be_read(tmp_path: Path, command: str) -> None:
    path = save(tmp_path / "left.h5", moving(5))
    path.chmod(0)
    assert "Permission denied" in refuse(command, path, tmp_path / "out")


# Damaged recordings.


def cwa(path: Path, minutes: float = 20.0) -> Path:
    write_cwa(path, [moving(minutes)])
    return path


def every_sum_wrong(path: Path) -> Path:
    data = cwa(path).read_bytes()
    blocks = np.frombuffer(data[1024:], CWA_BLOCK).copy()
    blocks["sum"] += 1
    path.write_bytes(data[:1024] + blocks.tobytes())
    return path


def test_a_file_of_which_every_block_is_damaged_is_refused(tmp_path: Path) -> None:
    path = every_sum_wrong(tmp_path / "left.cwa")
    for command in COMMANDS:
        assert "none of its blocks is whole" in refuse(command, path, tmp_path / "out")


def test_a_header_without_anything_behind_it_is_refused(tmp_path: Path) -> None:
    path = cwa(tmp_path / "left.cwa")
    path.write_bytes(path.read_bytes()[:1024])
    assert refuse("night", path, tmp_path / "out")


@pytest.mark.parametrize("share", [0.3, 0.77])
@pytest.mark.parametrize("kind", ["cwa", "gt3x", "bin"])
def test_a_file_cut_short_is_used_as_far_as_it_goes(
    tmp_path: Path, kind: str, share: float
) -> None:
    path = tmp_path / f"left.{kind}"
    {"cwa": write_cwa, "gt3x": write_gt3x, "bin": write_bin}[kind](path, [moving(20)])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content)) + 7])
    record = night(path)
    assert "truncated" in codes(record)
    assert record["recording"]["coverage"]["duration_s"] == pytest.approx(1200 * share, rel=0.05)


def test_damaged_blocks_are_gaps(tmp_path: Path) -> None:
    path = cwa(tmp_path / "left.cwa")
    data = bytearray(path.read_bytes())
    for block in (100, 101, 102, 300):
        data[1024 + 512 * block + 40] ^= 0xFF
    path.write_bytes(bytes(data))
    record = night(path)
    assert "damaged_blocks" in codes(record)
    assert record["recording"]["coverage"]["gap_count"] == 2
    assert record["recording"]["coverage"]["gaps_total_s"] == pytest.approx(4 * 1.2, abs=0.1)


def test_a_header_that_declares_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "left.bin"
    write_bin(path, [moving(20)], pages=5000)
    record = night(path)
    (warning,) = [w for w in record["quality"]["warnings"] if w["code"] == "truncated"]
    assert "declares 5000 pages" in warning["sentence"]


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=400), timedelta(hours=-2)])
def test_clocks_that_leap_or_step_back_are_told(tmp_path: Path, jump: timedelta) -> None:
    from device_files import EPOCH, START, cwa_seal, cwa_time

    path = cwa(tmp_path / "left.cwa")
    data = path.read_bytes()
    blocks = np.frombuffer(data[1024:], CWA_BLOCK).copy()
    half = len(blocks) // 2
    begin_s = (START - EPOCH) / timedelta(seconds=1) + np.arange(len(blocks)) * 1.2
    begin_s[half:] += jump / timedelta(seconds=1)
    ticks = np.rint(begin_s * 32_768).astype(np.int64)
    blocks["time"] = cwa_time(ticks >> 15)
    blocks["fraction"] = 0x8000 | (ticks & 0x7FFF)
    blocks["offset"] = -(2 * (ticks & 0x7FFF) * 100 >> 16)
    cwa_seal(blocks)
    path.write_bytes(data[:1024] + blocks.tobytes())
    facts = run("info", path, "--json")
    assert facts.exit_code == 0
    told = [warning["code"] for warning in json.loads(facts.stdout)["warnings"]]
    assert {"clock_jump", "clock_step"} & set(told)
    assert run("night", path, "--json").exit_code == 0


# Signals that cannot be scored.


def constant_axis(values: NDArray[np.float32]) -> NDArray[np.float32]:
    values[:, 1] = 0.5
    return values


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (np.zeros_like, "every one of 30000 samples is 0"),
        (constant_axis, "axis y is 0.5 g throughout"),
        (lambda values: values * 9.80665, "look like m/s2: divide them by 9.80665"),
        (lambda values: values * 1000, "look like mg: divide them by 1000"),
        (lambda values: values - values.mean(axis=0), "Gravity seems to have been filtered out"),
        (lambda values: np.full_like(values, np.nan), ""),
    ],
    ids=["zeros", "constant", "m/s2", "mg", "filtered", "nan"],
)
def test_a_signal_that_cannot_be_scored_is_refused(
    tmp_path: Path, change: Callable[[NDArray[np.float32]], NDArray[np.float32]], said: str
) -> None:
    path = save(tmp_path / "left.h5", change(at_rest(1 / 6, fs=50.0)))
    for command in ("info", "night"):
        assert said in refuse(command, path, tmp_path / "out")


def test_ten_hertz_are_too_slow_and_it_says_why(tmp_path: Path) -> None:
    path = save(tmp_path / "slow.h5", at_rest(1.0, fs=10.0), fs=10.0)
    message = refuse("night", path, tmp_path / "out")
    assert "sampled at 10 Hz; expected at least 20 Hz" in message
    assert "0.5 s" in message


def test_activity_counts_are_refused(tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, 22)
    rng = np.random.default_rng(0)
    rows = [
        f"{start + timedelta(minutes=i)},{','.join(map(str, rng.integers(0, 900, 3)))}"
        for i in range(600)
    ]
    path = tmp_path / "counts.csv"
    path.write_text("time,axis1,axis2,axis3\n" + "\n".join(rows) + "\n")
    assert "counts" in refuse("night", path, tmp_path / "out")


def test_saturation_is_noticed(tmp_path: Path) -> None:
    values = moving(20).copy()
    values[::500] = 8.0
    write_cwa(tmp_path / "left.cwa", [values])
    assert "clipped" in codes(night(tmp_path / "left.cwa"))


def test_samples_that_are_not_numbers_are_missing(tmp_path: Path) -> None:
    values = moving(20, 50.0).copy()
    values[5000:6000, 2] = np.nan
    values[8000:8200] = np.inf
    record = night(save(tmp_path / "left.h5", values))
    assert record["recording"]["coverage"]["gap_count"] == 2
    assert record["recording"]["coverage"]["gaps_total_s"] == pytest.approx(24, abs=0.1)


def test_twenty_minutes_are_analyzed_with_a_warning(tmp_path: Path) -> None:
    path = cwa(tmp_path / "short.cwa")
    record = night(path)
    assert "short_recording" in codes(record)
    per_hour = [name for name in record["indices"] if "per_hour" in name]
    assert all(record["indices"][name] is None for name in per_hour)
    lit = night(path, "--lights-off", "22:31", "--lights-on", "22:49")
    assert lit["indices"]["tib_hours"] == pytest.approx(0.3, abs=1e-4)
    assert lit["indices"]["lm_per_hour_tib"] is not None


def test_a_single_sample_is_no_night(tmp_path: Path) -> None:
    path = save(tmp_path / "one.h5", at_rest(0.01)[:1])
    result = run("night", path)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith(f"error: {path}")


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.5, 11.0])
def test_a_few_seconds_are_no_crash(tmp_path: Path, seconds: float) -> None:
    values = at_rest(seconds / 3600, fs=50.0)
    record = night(save(tmp_path / "tiny.h5", values))
    assert "short_recording" in codes(record)
    assert record["indices"]["lm_per_hour_tib"] is None
