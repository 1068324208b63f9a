"""A simulated night on disk."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.devices import open_recording
from rlsmove.events.event_lists import read_one_night
from rlsmove.records import LEG_MOVEMENT, Intervals
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements
from rlsmove.simulate import SCENARIOS, simulate_night
from rlsmove.simulate.files import TRUTH_COLUMNS, true_counts, write_simulated_night

ARGUMENTS = ["--hours", "0.3", "--fs", "25", "--seed", "3"]


@pytest.fixture
def night():
    return simulate_night(replace(SCENARIOS["severe"], hours=0.5, fs=25.0, gaps=2), 3)


@pytest.fixture
def folder(night, tmp_path):
    write_simulated_night(night, tmp_path / "night", scenario="severe")
    return tmp_path / "night"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_folder_holds_recordings_events_and_truth(folder):
    names = {path.name for path in folder.iterdir()}
    recordings, lists = {"left.h5", "right.h5"}, {"events.csv", "truth.csv", "truth_events.csv"}
    assert names == recordings | lists | {"truth.json"}


def test_recording_reads_back_as_simulated(night, folder):
    for side in ("left", "right"):
        recording = open_recording(folder / f"{side}.h5")
        assert recording.side == side
        assert recording.placement == "ankle"
        assert recording.device.startswith("simulated ")
        rows = night.acceleration(side)
        there = ~np.isnan(rows[:, 0])
        read = np.concatenate([block.acceleration for block in recording.blocks()])
        np.testing.assert_array_equal(read, rows[there])
        with h5py.File(folder / f"{side}.h5") as file:
            assert bool(file.attrs["simulated"])
            assert file.attrs["seed"] == 3


def test_truth_table_has_a_row_a_movement(night, folder):
    rows = rows_of(folder / "truth.csv")
    m = night.truth.movements
    assert tuple(rows[0]) == TRUTH_COLUMNS
    assert [round(1000 * float(row["onset_s"])) for row in rows] == m.onset_ms.tolist()
    assert [round(1000 * float(row["duration_s"])) for row in rows] == m.duration_ms.tolist()
    is_lm = [row["kind"] == "leg_movement" for row in rows]
    assert is_lm == (m.kind == LEG_MOVEMENT).tolist()
    assert [row["detectable"] == "1" for row in rows] == night.truth.detectable.tolist()
    assert all(row["series"] for row in rows if row["cause"] == "periodic")


def test_truth_summary_counts_what_the_table_holds(night, folder):
    summary = json.loads((folder / "truth.json").read_text())
    rows = rows_of(folder / "truth.csv")
    assert summary["simulated"] is True
    assert summary["seed"] == 3
    assert sum(summary["rows_by_kind"].values()) == len(rows)
    left = [r for r in rows if r["side"] == "left" and r["kind"] == "leg_movement"]
    assert summary["leg_movements_left"] == len(left)
    assert len(summary["gaps_s"]["left"]) == 2
    clock = night.sensors["right"].clock
    assert summary["clock"]["right_minus_left_at_start_s"] == pytest.approx(clock.offset_s)


def test_index_of_the_truth_is_count_over_hours_of_sleep(night, folder):
    scoring = json.loads((folder / "truth.json").read_text())["scoring"]["all"]
    hours = (night.sleep.stage != 0).sum() * 30 / 3600
    assert scoring["plms_per_hour"] == pytest.approx(scoring["plms_count"] / hours, abs=1e-3)
    assert scoring["lm_count"] >= scoring["clm_count"] >= scoring["plm_count"]
    assert scoring["plm_count"] >= scoring["plms_count"] > 0


def test_truth_without_leg_movements_scores_none(night):
    nothing = np.zeros(len(night.truth.movements), bool)
    counts = true_counts(night, nothing)
    assert counts["lm_count"] == counts["plms_count"] == counts["plms_per_hour"] == 0


def test_events_hold_lights_and_every_epoch(night, folder):
    rows = rows_of(folder / "events.csv")
    marks = {row["kind"]: float(row["onset_s"]) for row in rows if row["kind"] != "stage"}
    assert marks["lights_off"] * 1000 == night.sleep.lights_off_ms
    assert marks["lights_on"] * 1000 == night.sleep.lights_on_ms
    stages = [row for row in rows if row["kind"] == "stage"]
    assert len(stages) == len(night.sleep.stage)
    assert {row["label"] for row in stages} <= {"W", "N1", "N2", "N3", "R"}
    assert all(float(row["duration_s"]) == 30 for row in stages)


def test_true_scoring_is_an_event_list_that_scores_to_the_true_index(night, folder):
    events = read_one_night(folder / "truth_events.csv")
    scoring = score_movements(
        events.movements,
        sleep=events.sleep,
        respiratory=None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    expected = night.truth.movements.take(night.truth.leg_movements)
    np.testing.assert_array_equal(events.movements.onset_ms, expected.onset_ms)
    np.testing.assert_array_equal(events.movements.side, expected.side)
    assert (scoring.plm == 1).sum() > 0


def test_command_writes_the_same_bytes_for_the_same_seed(tmp_path):
    for name in ("one", "two"):
        result = CliRunner().invoke(main, ["simulate", "night", str(tmp_path / name), *ARGUMENTS])
        assert result.exit_code == 0, result.output
        assert "simulated" in result.stdout
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_command_simulates_one_leg(tmp_path):
    arguments = ["simulate", "night", str(tmp_path), *ARGUMENTS, "--legs", "right"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert not (tmp_path / "left.h5").exists()
    assert {row["side"] for row in rows_of(tmp_path / "truth.csv")} == {"right"}


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (["--scenario", "peaceful"], "typical"),
        (["--hours", "-1"], "hours"),
        (["--fs", "5"], "20 to 200"),
        (["--device", "abacus"], "ax3"),
    ],
)
def test_command_names_what_cannot_be(tmp_path, extra, word):
    result = CliRunner().invoke(main, ["simulate", "night", str(tmp_path / "x"), *extra])
    assert result.exit_code == 1
    assert word in result.stderr
    assert not (tmp_path / "x").exists()


def test_command_says_so_when_the_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["simulate", "night", str(tmp_path / "file"), *ARGUMENTS])
    assert result.exit_code == 1
    assert "folder" in result.stderr
