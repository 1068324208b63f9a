"""Studies of simulated persons: a folder that validates, with its plan, diary and truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.devices import open_recording
from rlsmove.errors import SettingError, StudyError
from rlsmove.simulate import NightParameters
from rlsmove.simulate.study_recordings import StudyParameters, write_simulated_study
from rlsmove.study.check import check_study
from rlsmove.study.folder import read_study
from rlsmove.study.plan import read_plan

# Long enough for a night to be one to the checks of a study.
SMALL = StudyParameters(2, 4, 0.5, NightParameters(hours=3.2, fs=25.0, walks=0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "one"
    write_simulated_study(SMALL, path, seed=5)
    return path


def test_folder_is_a_study_without_problems(folder):
    study = read_study(folder)
    assert check_study(study) == []
    assert study.about["simulated"] is True
    assert study.participants == ["sim-01", "sim-02"]


def test_plan_is_frozen_and_conditions_follow_it(folder):
    study = read_study(folder)
    plan = read_plan(study)
    assert plan.changes == ()
    assert plan.scheme.kind == "pairs"
    for row in study.tables["nights.tsv"].rows:
        person = plan.participants[row.get("participant_id")]
        slot = next(s for s in person["schedule"] if s["night"] == str(row.get("night")))
        assert row.get("condition_assigned") == row.get("condition_received") == slot["arm"]
        assert (row.get("massage_min") is not None) == (slot["arm"] == "massage")


def test_each_night_has_a_recording_of_each_leg_named_simulated(folder):
    rows = read_study(folder).tables["recordings.tsv"].rows
    assert len(rows) == 2 * 4 * 2
    for row in rows:
        recording = open_recording(folder / row.get("file"))
        assert recording.side == row.get("leg")
        assert recording.device == row.get("device")
        assert "simulated" in recording.device


def test_truth_holds_effect_and_the_index_of_every_night(folder):
    truth = json.loads((folder / "truth" / "truth.json").read_text())
    assert truth["simulated"] is True
    for person in truth["participants"].values():
        assert person["effect"] == 0.5
        assert len(person["nights"]) == 4
        assert all(night["plms_per_hour"] >= 0 for night in person["nights"].values())
    assert len(list((folder / "truth").glob("*/truth.csv"))) == 8


def test_same_seed_gives_the_same_bytes(folder, tmp_path):
    write_simulated_study(SMALL, tmp_path / "two", seed=5)
    for path in folder.rglob("*"):
        if path.is_file():
            other = tmp_path / "two" / path.relative_to(folder)
            assert path.read_bytes() == other.read_bytes(), path


def test_stronger_effect_leaves_fewer_movements_on_massage_nights_only(tmp_path):
    counts = {}
    for effect in (0.2, 1.0):
        parameters = replace(SMALL, persons=1, effect=effect)
        write_simulated_study(parameters, tmp_path / str(effect), seed=9)
        truth = json.loads((tmp_path / str(effect) / "truth" / "truth.json").read_text())
        for night in truth["participants"]["sim-01"]["nights"].values():
            counts.setdefault((effect, night["condition"]), []).append(night["lm_count"])
    assert counts[0.2, "control"] == counts[1.0, "control"]
    assert sum(counts[0.2, "massage"]) < 0.6 * sum(counts[1.0, "massage"])


def test_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(StudyError, match="something is there"):
        write_simulated_study(SMALL, tmp_path, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "change", [{"persons": 0}, {"nights": 3}, {"effect": -1.0}, {"effect": float("nan")}]
)
def test_impossible_studies_are_refused(tmp_path, change):
    with pytest.raises(SettingError):
        write_simulated_study(replace(SMALL, **change), tmp_path / "x", seed=1)
    assert not (tmp_path / "x").exists()


def test_command_writes_a_study(tmp_path):
    arguments = ["simulate", "study", str(tmp_path / "s"), "--persons", "1", "--nights", "2"]
    result = CliRunner().invoke(main, [*arguments, "--hours", "0.2", "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"simulated study in {tmp_path / 's'}\n"
    assert (tmp_path / "s" / "plan.json").exists()


def test_sample_study_is_valid_simulated_and_small():
    sample = Path(__file__).parents[1] / "sample_data" / "study"
    study = read_study(sample)
    assert check_study(study) == []
    assert study.about["simulated"] is True
    conditions = [row.get("condition_assigned") for row in study.tables["nights.tsv"].rows]
    assert sorted(conditions) == ["control"] * 4 + ["massage"] * 4
    for row in study.tables["recordings.tsv"].rows:
        assert "simulated" in open_recording(sample / row.get("file")).device
    assert sum(p.stat().st_size for p in sample.rglob("*") if p.is_file()) < 15_000_000


def test_sample_study_names_the_seed_that_made_it():
    folder = Path(__file__).parents[1] / "sample_data"
    seed = json.loads((folder / "study" / "truth" / "truth.json").read_text())["seed"]
    assert f"--seed {seed}\n" in (folder / "README.md").read_text()
