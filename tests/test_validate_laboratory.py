"""A sleep laboratory's night beside the sensor's: clocks, verdict, page, what may be shared."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlsmove.agreement.laboratory_validation import kappa_of
from rlsmove.cli import main
from rlsmove.devices import open_recording
from rlsmove.events.edf import write_edf_marks
from rlsmove.events.night_events import Mark

#: The laboratory begins this much before the sensor, its clock is this much ahead, and drifts.
BEGINS_S, AHEAD_S, DRIFT_PPM = -900, 2700, 60


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def laboratory_marks(folder: Path, seed: int, drift_ppm: float = DRIFT_PPM) -> list[Mark]:
    """What a scorer would mark of a simulated night: most movements, and all stages."""
    random = np.random.default_rng(seed)
    found = []
    with (folder / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "leg_movement" and random.random() < 0.95:
                at_s = float(row["onset_s"]) + random.normal(0, 0.05)
                found.append(("LM", "lm", row["side"], at_s, float(row["duration_s"])))
    with (folder / "events.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "stage":
                label = row["label"]
                found.append((f"Sleep stage {label}", "stage", label, float(row["onset_s"]), 30.0))
    return [
        Mark(
            number,
            text,
            kind,
            meaning,
            round(1000 * (at_s - BEGINS_S) * (1 + 1e-6 * drift_ppm)),
            round(1000 * max(length_s, 0.5)),
        )
        for number, (text, kind, meaning, at_s, length_s) in enumerate(found)
    ]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night")
    made = run("simulate", "night", folder, "--hours", 2, "--scenario", "severe", "--seed", 11)
    assert made.exit_code == 0, made.output
    start = open_recording(folder / "left.h5").start_time
    start += timedelta(seconds=BEGINS_S + AHEAD_S)
    for name, seed in (("psg", 1), ("second", 2)):
        write_edf_marks(folder / f"{name}.edf", laboratory_marks(folder, seed), start)
    return folder


@pytest.fixture(scope="module")
def validated(night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("validated")
    files = [f"--{side}={night / f'{side}.h5'}" for side in ("left", "right")]
    files += [f"--psg={night / 'psg.edf'}", f"--second={night / 'second.edf'}", f"--out={out}"]
    result = run("validate", *files)
    assert result.exit_code == 0, result.output
    return out


def test_the_clock_is_found_and_the_movements_are_matched(validated: Path) -> None:
    record = json.loads((validated / "validation.json").read_text())
    (night,) = record["nights"]
    assert night["counted"]
    assert night["clock"]["told_by"] == "start times"
    assert night["clock"]["offset_s"] == pytest.approx(AHEAD_S, abs=0.1)
    assert night["clock"]["drift_ppm"] == pytest.approx(DRIFT_PPM, abs=15)
    assert record["events"]["lm"]["f1"]["value"] > 0.85
    assert record["scorers"]["events"]["f1"] > 0.85
    assert record["verdict"] == "cannot_tell"
    assert record["simulated"]


def test_stages_and_indices_stand_side_by_side(validated: Path) -> None:
    (night,) = json.loads((validated / "validation.json").read_text())["nights"]
    plms = night["indices"]["plms_per_hour"]
    assert plms["on_laboratory_stages"] == pytest.approx(plms["laboratory"], rel=0.25)
    assert sum(night["sleep"].values()) == pytest.approx(240, abs=45)
    hours, own = night["sleep_hours"]
    asleep = night["sleep"]["both_sleep"] + night["sleep"]["missed_sleep"]
    assert hours == pytest.approx(asleep / 120)
    assert own > 0
    for classes in night["seen"].values():
        assert all(both <= count for count, both in classes.values())


def test_the_page_says_what_was_found_and_what_a_paper_needs(validated: Path) -> None:
    page = (validated / "validation.html").read_text()
    for words in ("Simulated data", "What each saw alone", "GRRAS 8", "kappa", "15 per hour"):
        assert words in page
    assert "https://" not in page
    table = (validated / "validation.csv").read_text().splitlines()
    assert any(line.startswith("psg,1,plms_per_hour,1/h,") for line in table)


def test_what_is_shared_names_nobody_and_no_day(validated: Path) -> None:
    text = (validated / "validation_shareable.json").read_text()
    shared = json.loads(text)
    assert shared["format"] == "rlsmove-validation"
    assert "plms_per_hour" in shared["nights"][0]["indices"]
    for word in ("psg", "2026", "left.h5", "sentence", "clock"):
        assert word not in text


def test_a_night_of_somebody_else_counts_nowhere(night: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    at_s = np.cumsum(random.lognormal(3.3, 0.4, 250))
    marks = [Mark(n, "LM", "lm", "left", round(1000 * s), 1500) for n, s in enumerate(at_s)]
    start = open_recording(night / "left.h5").start_time
    write_edf_marks(tmp_path / "other.edf", marks, start)
    result = run("validate", "--psg", tmp_path / "other.edf", "--left", night / "left.h5", "--json")
    record = json.loads(result.stdout)
    assert record["nights_counted"] == 0
    assert record["events"]["lm"]["matched"] == 0
    assert "0 of 1 nights" in record["sentence"]
    assert "night_not_aligned" in result.stderr


def test_many_nights_come_from_a_table_and_a_bad_one_is_named(night: Path, tmp_path: Path) -> None:
    table = tmp_path / "nights.csv"
    table.write_text(f"night,psg,left\none,{night / 'psg.edf'},\n")
    result = run("validate", "--nights", table)
    assert result.exit_code == 1
    assert "row 2" in result.stderr


@pytest.mark.parametrize(
    "words", [("--psg", "a.edf"), ("a.csv",), ("a.csv", "b.csv", "--psg", "c.edf")]
)
def test_wrong_usage_is_told(words: tuple[str, ...]) -> None:
    assert run("validate", *words).exit_code == 2


def test_kappa_of_a_counted_table() -> None:
    assert kappa_of(20, 5, 10, 15) == pytest.approx(0.4)
    assert kappa_of(0, 0, 0, 9) is None
