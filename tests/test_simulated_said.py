"""Simulated data is called simulated wherever it is shown, whatever it was converted through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from recordings import EVENING

from rlsmove.cli import main
from rlsmove.devices import open_recording, write_recording

RNG = np.random.default_rng(5)


def written(path: Path, *, simulated: bool) -> Path:
    values = np.tile([0.0, 0.0, 1.0], (25 * 120, 1)) + RNG.normal(0, 0.002, (25 * 120, 3))
    write_recording(
        path, [values], start_time=EVENING, sample_rate_hz=25.0, device="a sensor",
        simulated=simulated,
    )  # fmt: skip
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("simulated", [True, False])
@pytest.mark.parametrize(
    "suffixes", [(".h5",), (".csv",), (".csv.gz",), (".edf",), (".edf", ".csv", ".h5")]
)
def test_conversions_keep_it(tmp_path: Path, suffixes: tuple[str, ...], simulated: bool) -> None:
    path = written(tmp_path / "source.h5", simulated=simulated)
    for step, suffix in enumerate(suffixes):
        target = tmp_path / f"copy{step}{suffix}"
        run("convert", str(path), str(target))
        path = target
    assert open_recording(path).simulated is simulated


@pytest.mark.parametrize("simulated", [True, False])
def test_results_say_it(tmp_path: Path, simulated: bool) -> None:
    path = written(tmp_path / "source.h5", simulated=simulated)
    night = json.loads(run("night", str(path), "--json"))
    night = next(iter(night.values())) if "recording" not in night else night
    assert night["simulated"] is simulated


def test_a_flag_that_is_none_is_refused(tmp_path: Path) -> None:
    import h5py

    path = written(tmp_path / "source.h5", simulated=True)
    with h5py.File(path, "a") as file:
        file.attrs["simulated"] = "perhaps"
    result = CliRunner().invoke(main, ["info", str(path)])
    assert result.exit_code == 1
    assert "simulated" in result.stderr
