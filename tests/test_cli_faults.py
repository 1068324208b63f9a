"""What becomes of faults of the program itself, of signals, and of what it says of its work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from recordings import EVENING, simulated_samples

import rlsmove
from rlsmove.cli import main
from rlsmove.devices import write_recording


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    values = simulated_samples("left", hours=0.5, fs=25.0)
    write_recording(tmp_path / "a.h5", [values], start_time=EVENING, sample_rate_hz=25.0)
    return tmp_path / "a.h5"


def test_a_fault_is_one_sentence_and_its_traceback_a_file(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of a constant")

    monkeypatch.setattr("rlsmove.night.opened_leg.open_leg", fault)
    result = CliRunner().invoke(main, ["info", str(recording)])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: a fault of rlsmove itself (ZeroDivisionError: of a constant)")
    log = Path(line.split(" is in ")[1].split(". Please")[0])
    assert "in fault" in log.read_text()
    log.unlink()


def test_the_handler_of_signals_is_gone_when_a_command_returns(recording: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert CliRunner().invoke(main, ["info", str(recording)]).exit_code == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_work_is_said_only_when_asked_for(recording: Path) -> None:
    command = [sys.executable, "-c", "from rlsmove.cli import main; main()"]
    quiet = subprocess.run([*command, "info", str(recording)], capture_output=True, text=True)
    asked = subprocess.run([*command, "-v", "info", str(recording)], capture_output=True, text=True)
    assert quiet.stdout == asked.stdout
    assert f"reading {recording}" not in quiet.stderr
    assert f"reading {recording}" in asked.stderr


def test_the_version_is_that_of_the_commands() -> None:
    said = CliRunner().invoke(main, ["--version"]).stdout
    assert rlsmove.__version__ in said
