"""`rlsmove night` and `rlsmove info`: what they print, write, refuse and leave alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from contracts import INDEX_NAMES
from recordings import EVENING, simulated, simulated_samples

from rlsmove.cli import main
from rlsmove.devices import write_recording
from rlsmove.scoring import INDICES
from rlsmove.simulate.files import events_csv

FS = 50.0
HOURS = 1.5

#: As the contract has them.
MOVEMENTS_HEADER = (
    "onset_s,duration_s,onset_time,side,kind,n_monolateral,clm,plm,series,imi_s,sleep,stage,"
    "respiratory,plmnr,arousal,peak_g,tilt_deg,probability,reason"
)
NIGHT_KEYS = ["recording", "sleep", "rules", "indices", "quality", "provenance"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Left and right leg of a night, its hypnogram, and a recording of two evenings."""
    folder = tmp_path_factory.mktemp("files")
    for side in ("left", "right"):
        write(folder / f"{side}.h5", simulated_samples(side, legs="both", hours=HOURS, fs=FS), side)
    night = simulated(legs="both", hours=HOURS, fs=FS)
    (folder / "events.csv").write_text(events_csv(night))
    evening = simulated_samples(seed=2, hours=3.1, fs=25.0)
    pause = np.full((round(20.9 * 3600 * 25), 3), np.nan, np.float32)
    write(folder / "two.h5", np.concatenate([evening, pause, evening]), "left", fs=25.0)
    return folder


def write(path: Path, values: np.ndarray, side: str, fs: float = FS, **how: Any) -> None:
    how = {"start_time": EVENING, "placement": "ankle", "device": "simulated AX3", **how}
    write_recording(path, [values], sample_rate_hz=fs, side=side, **how)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def loads(text: str) -> Any:
    """JSON that holds neither NaN nor infinity, which are no JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_a_table_goes_to_standard_output_and_warnings_to_standard_error(files: Path) -> None:
    result = run("night", files / "left.h5")
    assert result.exit_code == 0
    assert result.stdout.startswith("Night of 2026-03-01, left leg, wasm2016 (SIMULATED DATA)")
    assert "periodic asleep (PLMS)" in result.stdout
    assert "warning" not in result.stdout
    assert "warning (sleep_from_sensor)" in result.stderr


def test_json_is_the_content_of_night_json(files: Path, tmp_path: Path) -> None:
    result = run("night", files / "left.h5", "--json", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert loads(result.stdout) == loads((tmp_path / "out" / "night.json").read_text())


def test_night_json_has_the_keys_of_the_contract(files: Path) -> None:
    night = loads(run("night", files / "left.h5", "--json").stdout)
    assert list(night)[: len(NIGHT_KEYS)] == NIGHT_KEYS
    assert list(night["indices"]) == INDEX_NAMES == [index.name for index in INDICES]
    assert {"device", "clock", "rate", "coverage", "calibration"} <= set(night["recording"])
    assert {"source", "lights_off", "lights_on", "tib_hours"} <= set(night["sleep"])
    assert {"code", "sentence"} == set(night["quality"]["warnings"][0])
    provenance = night["provenance"]
    assert {"version", "settings_digest", "inputs"} <= set(provenance)
    assert provenance["inputs"][0]["file"] == "left.h5"
    assert len(provenance["inputs"][0]["sha256"]) == 64


def test_movements_csv_has_the_columns_of_the_contract(files: Path, tmp_path: Path) -> None:
    run("night", files / "left.h5", "--sleep", files / "events.csv", "--out", tmp_path)
    header, *rows = (tmp_path / "movements.csv").read_text().splitlines()
    assert header == MOVEMENTS_HEADER
    assert len(rows) > 50
    cells = dict(zip(header.split(","), rows[10].split(","), strict=True))
    assert cells["side"] == "left"
    assert cells["onset_time"].startswith("2026-03-0")
    assert float(cells["onset_s"]) > 0


def test_results_are_the_same_bytes_each_time(files: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run("night", files / "left.h5", "--out", tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_hours_come_from_the_hypnogram_lights_or_the_sensor(files: Path) -> None:
    def night(*options: object) -> Any:
        return loads(run("night", files / "left.h5", "--json", *options).stdout)["sleep"]

    scored = night("--sleep", files / "events.csv")
    assert scored["source"] == "hypnogram"
    lit = night("--lights-off", "22:40", "--lights-on", "23:40")
    assert (lit["source"], lit["tib_hours"]) == ("lights", 1.0)
    assert lit["lights_off"] == "2026-03-01T22:40:00.000"
    assert night()["source"] == "sensor"


def test_two_legs_are_scored_on_one_clock(files: Path, tmp_path: Path) -> None:
    result = run(
        "night", "--left", files / "left.h5", "--right", files / "right.h5", "--out", tmp_path
    )
    assert result.exit_code == 0
    assert "left leg and right leg" in result.stdout
    night = loads((tmp_path / "night.json").read_text())
    assert night["recording"]["clock"]["second_device"]["combined"] is True
    assert set(night["recording"]["legs"]) == {"left", "right"}
    assert [given["file"] for given in night["provenance"]["inputs"]] == ["left.h5", "right.h5"]
    assert ",bilateral," in (tmp_path / "movements.csv").read_text()


def test_right_leg_alone(files: Path) -> None:
    result = run("night", "--right", files / "right.h5")
    assert result.exit_code == 0
    assert "right leg" in result.stdout


def test_each_night_of_several_gets_a_folder_and_one_that_was_chosen_none(
    files: Path, tmp_path: Path
) -> None:
    result = run("night", files / "two.h5", "--out", tmp_path / "all", "--json")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [
        "2026-03-01",
        "2026-03-02",
    ]
    assert len(loads(result.stdout)) == 2
    result = run("night", files / "two.h5", "--night", "2026-03-02", "--out", tmp_path / "one")
    assert "Night of 2026-03-02" in result.stdout
    for name in ("movements.csv", "night.json"):
        assert (tmp_path / "one" / name).read_bytes() == (
            tmp_path / "all" / "2026-03-02" / name
        ).read_bytes()


def test_an_event_list_counts_for_its_own_night_alone(files: Path, tmp_path: Path) -> None:
    night = simulated(seed=2, hours=3.1, fs=25.0)
    (tmp_path / "events.csv").write_text(events_csv(night) + "respiratory,,1500,20\n")
    result = run("night", files / "two.h5", "--sleep", tmp_path / "events.csv", "--json")
    first, second = loads(result.stdout)
    assert first["sleep"]["source"] == "hypnogram"
    assert second["sleep"]["source"] == "sensor"
    assert second["indices"]["tib_hours"] > 1
    assert second["indices"]["plms_nr_per_hour"] is None
    codes = [warning["code"] for warning in second["quality"]["warnings"]]
    assert "events_of_another_night" in codes


def test_a_converted_recording_gives_the_same_movements(files: Path, tmp_path: Path) -> None:
    for name in ("again.h5", "again.csv.gz"):
        assert run("convert", files / "left.h5", tmp_path / name).exit_code == 0
        run("night", tmp_path / name, "--side", "left", "--out", tmp_path / "out")
        run("night", files / "left.h5", "--out", tmp_path / "first")
        one, other = (
            np.genfromtxt(tmp_path / folder / "movements.csv", delimiter=",", usecols=(0, 1))
            for folder in ("first", "out")
        )
        np.testing.assert_allclose(one, other, atol=0.05)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a recording"),
        (["{left}", "--left", "{left}"], "not both"),
        (["--left", "{left}", "--side", "left"], "--side goes with FILE"),
        (["--left", "{left}", "--right", "{left}"], "same file"),
        (["{left}", "--rules", "wasm1999"], "wasm1999"),
        (["{left}", "--side", "both"], "both"),
        (["{left}", "--frobnicate"], "No such option"),
        (["{left}", "more"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_exits_with_2(files: Path, arguments: list[str], said: str) -> None:
    result = run("night", *(part.format(left=files / "left.h5") for part in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--night", "2026-04-01"], "no night of 2026-04-01; expected one of 2026-03-01"),
        (["--night", "soon"], "'soon'; expected the evening's date, such as 2026-03-01"),
        (["--lights-off", "late"], "--lights-off: 'late'; expected a time such as 23:10"),
        (["--lights-on", "24:61"], "--lights-on: '24:61'"),
        (["--lights-off", "23:50", "--lights-on", "22:50"], "is not before lights on"),
        (["--sleep", "missing.csv"], "missing.csv: cannot be read"),
    ],
)
def test_settings_that_do_not_fit_exit_with_1_and_write_nothing(
    files: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = run("night", files / "left.h5", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_named(files: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("night", files / "left.h5", "--out", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert str(tmp_path / "file" / "out") in result.stderr
    assert "cannot be" in result.stderr
    assert (tmp_path / "file").read_text() == "in the way"


def test_earlier_results_stay_when_a_run_fails(files: Path, tmp_path: Path) -> None:
    run("night", files / "left.h5", "--out", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    run("night", files / "left.h5", "--lights-off", "never", "--out", tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_inputs_are_not_touched(files: Path, tmp_path: Path) -> None:
    copy = tmp_path / "left.h5"
    shutil.copy(files / "left.h5", copy)
    os.utime(copy, (1e9, 1e9))
    copy.chmod(0o444)
    run("night", copy, "--out", tmp_path / "out")
    assert copy.stat().st_mtime == 1e9
    assert copy.read_bytes() == (files / "left.h5").read_bytes()


def test_info_says_what_a_recording_holds(files: Path) -> None:
    result = run("info", files / "two.h5")
    assert result.exit_code == 0
    for words in ("simulated AX3", "left ankle", "2026-03-01 22:30:00", "25 Hz", "20.90 h"):
        assert words in result.stdout
    assert result.stdout.count("night 2026-03-0") == 2
    facts = loads(run("info", files / "two.h5", "--json").stdout)
    assert facts["coverage"]["nights"] == ["2026-03-01", "2026-03-02"]
    assert facts["coverage"]["longest_gap_s"] == pytest.approx(20.9 * 3600, abs=1)


def rlsmove(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from rlsmove.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_real_process_keeps_output_and_messages_apart(files: Path) -> None:
    process = rlsmove("night", files / "left.h5", "--json")
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert loads(stdout)["recording"]["file"] == "left.h5"
    assert "warning (sleep_from_sensor)" in stderr
    failed = rlsmove("night", files / "nowhere.h5")
    stdout, stderr = failed.communicate(timeout=60)
    assert (failed.returncode, stdout) == (1, "")
    assert stderr.startswith("error: ")
    assert "Traceback" not in stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_partial_result(tmp_path: Path, how: signal.Signals) -> None:
    # Long enough that the signal comes while it works.
    values = simulated_samples(seed=2, hours=3.1, fs=25.0)
    pause = np.full((round(20.9 * 3600 * 25), 3), np.nan, np.float32)
    write(tmp_path / "long.h5", np.concatenate([values, pause] * 3), "left", fs=25.0)
    process = rlsmove("convert", tmp_path / "long.h5", tmp_path / "out" / "long.csv")
    part = tmp_path / "out"
    while process.poll() is None and not part.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    left = [path.name for path in part.iterdir()]
    assert "long.csv" not in left
    if how != signal.SIGKILL:  # nobody can tidy up after that one
        assert left == []


def test_a_broken_pipe_is_no_traceback(files: Path) -> None:
    process = rlsmove("night", files / "left.h5")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        stderr = process.stderr.read()
    process.wait(timeout=60)
    assert "Traceback" not in stderr


def test_nights_of_a_recording_over_midnight_belong_to_their_evening(tmp_path: Path) -> None:
    values = simulated_samples(hours=HOURS, fs=FS)
    write(tmp_path / "late.h5", values, "left", start_time=EVENING + timedelta(hours=3))
    assert "Night of 2026-03-01" in run("night", tmp_path / "late.h5").stdout
