"""Massages, machines in bed and their look-alikes in simulated nights."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.errors import SettingError
from rlsmove.simulate import NightParameters, simulate_night
from rlsmove.simulate.files import MASSAGE_COLUMNS, write_simulated_night
from rlsmove.simulate.physics import Physics
from rlsmove.simulate.treatment import ACTIVITIES, MASSAGES, Treatment

NOTHING_ELSE = replace(
    NightParameters(hours=1.0, fs=100.0, legs="left", walks=0, drift_g=0.0),
    plm_per_hour=0.0,
    isolated_per_hour=0.0,
    clusters_per_hour=0.0,
    wake_per_hour=0.0,
    gross_per_hour=0.0,
    posture_shifts_per_hour=0.0,
    taps_per_hour=0.0,
)


def evening(seed: int = 1, fs: float = 100.0, physics: Physics | None = None, **treatment):
    chosen = Treatment(evening_min=45.0, legs="both", **treatment)
    parameters = replace(NOTHING_ELSE, fs=fs, treatment=chosen, physics=physics or Physics())
    return simulate_night(parameters, seed)


def during(night, start_s: float, end_s: float):
    rows = night.acceleration("left").astype(np.float64)
    fs = night.parameters.fs
    part = rows[int(start_s * fs) : int(end_s * fs)]
    return part - part.mean(axis=0)


@pytest.mark.parametrize("kind", MASSAGES)
def test_massage_is_felt_between_its_ends_and_lies_before_lights_off(kind):
    night = evening(massages=(kind,), physics=Physics(filtered=False))
    (treated,) = night.treated
    session = treated.session
    assert session.is_massage
    assert 60 <= session.start_s < session.end_s < night.sleep.lights_off_ms / 1000 - 400
    inside = during(night, session.start_s + 1, session.end_s - 1)
    before = during(night, session.start_s - 30, session.start_s - 10)
    noise = before.std()
    assert inside.std() > 1.2 * noise
    felt = np.sqrt(3 * max(inside.var() - before.var(), 0))
    assert felt == pytest.approx(treated.intensity_g, rel=0.25, abs=0.004)


def strongest_hz(rows, fs):
    power = (np.abs(np.fft.rfft(rows * np.hanning(len(rows))[:, None], axis=0)) ** 2).sum(axis=1)
    frequency = np.fft.rfftfreq(len(rows), 1 / fs)
    return frequency[np.argmax(np.where(frequency > 2.0, power, 0.0))]


def steady_vibration(fs, filtered):
    """A session whose motor is faster than half the rate."""
    for seed in range(40):
        night = evening(seed, fs, Physics(filtered=filtered), massages=("vibration",))
        session = night.treated[0].session
        if session.frequency_hz > 0.6 * fs and night.treated[0].intensity_g > 0.1:
            return night, session
    raise AssertionError("no such session")


def test_fast_motor_is_aliased_without_a_low_pass_and_gone_with_one():
    night, session = steady_vibration(50.0, filtered=False)
    middle = (session.start_s + session.end_s) / 2
    rows = during(night, middle, middle + 5)
    alias = abs(session.frequency_hz - 50.0)
    assert strongest_hz(rows, 50.0) == pytest.approx(alias, abs=0.8)
    filtered = simulate_night(replace(night.parameters, physics=Physics(filtered=True)), night.seed)
    assert during(filtered, middle, middle + 5).std() < 0.3 * rows.std()


def test_kneading_and_strokes_keep_the_rate_that_the_truth_gives():
    night = evening(massages=("kneading",))
    session = night.treated[0].session
    rows = during(night, session.start_s + 20, session.end_s - 20)
    slow = np.stack([np.convolve(axis, np.hanning(40) / 20, "same") for axis in rows.T], axis=1)
    power = (np.abs(np.fft.rfft(slow, axis=0)) ** 2).sum(axis=1)
    frequency = np.fft.rfftfreq(len(slow), 0.01)
    best = frequency[np.argmax(np.where(frequency > 0.15, power, 0))]
    ratio = best / session.frequency_hz
    assert ratio == pytest.approx(round(ratio), abs=0.06)


@pytest.mark.parametrize("kind", ACTIVITIES)
def test_what_only_looks_like_a_massage_is_none(kind):
    night = evening(activities=(kind,))
    assert [one.session.is_massage for one in night.treated] == [False]
    session = night.treated[0].session
    inside = during(night, session.start_s, session.end_s)
    assert inside.std() > 1.5 * during(night, session.start_s - 35, session.start_s - 15).std()


@pytest.mark.parametrize(
    ("clock", "last_error_s"),
    [
        ("steady", (0.0, 1e-6)),
        ("drift", (1.0, 5.0)),
        ("jitter", (1e-3, 2.0)),
        ("free", (0.3, 99.0)),
    ],
)
def test_cycles_of_a_sleeve_keep_the_clock_asked_for(clock, last_error_s):
    treatment = Treatment(machine="sleeve", clock=clock, period_s=30.0)
    night = simulate_night(replace(NOTHING_ELSE, hours=2.0, fs=25.0, treatment=treatment), 5)
    onset = night.treated[0].cycles_s[:, 0]
    assert len(onset) > 150
    error = onset - onset[0] - 30.0 * np.arange(len(onset))
    low, high = last_error_s
    assert low <= np.abs(error).max() <= high
    lengths = np.diff(onset)
    if clock == "free":
        assert lengths.std() == pytest.approx(0.6, rel=0.3)
    if clock == "jitter":
        assert lengths.std() == pytest.approx(0.3 * np.sqrt(2), rel=0.3)


def test_sleeve_that_stops_leaves_the_rest_of_the_night_alone():
    treatment = Treatment(machine="sleeve", clock="stops")
    night = simulate_night(replace(NOTHING_ELSE, hours=2.0, fs=25.0, treatment=treatment), 5)
    bed_s = (night.sleep.lights_on_ms - night.sleep.lights_off_ms) / 1000
    session = night.treated[0].session
    assert 0.2 < (session.end_s - session.start_s) / bed_s < 0.75


def test_machine_in_bed_leaves_the_movements_of_the_night_as_they_are():
    plain = replace(NightParameters(), hours=1.0, fs=25.0)
    treated = replace(plain, treatment=Treatment(machine="pad"))
    one, other = simulate_night(plain, 3), simulate_night(treated, 3)
    np.testing.assert_array_equal(one.truth.movements.onset_ms, other.truth.movements.onset_ms)
    assert not np.array_equal(one.acceleration("left"), other.acceleration("left"))


def test_sensor_that_is_off_for_the_massage_feels_nothing_of_it():
    night = evening(massages=("vibration",), sensor_off=True, physics=Physics(filtered=False))
    session = night.treated[0].session
    inside = during(night, session.start_s + 5, session.end_s - 5)
    assert inside.std() < 1.3 * np.sqrt(0.003**2 + 1 / 256**2 / 12)


def test_one_leg_massaged_is_felt_by_the_other_only_faintly():
    chosen = Treatment(evening_min=45.0, massages=("manual",), legs="right")
    night = simulate_night(
        replace(NOTHING_ELSE, legs="both", clock_offset_s=0.0, treatment=chosen), 2
    )
    session = night.treated[0].session
    middle = slice(int(session.start_s + 20) * 100, int(session.end_s - 20) * 100)
    left, right = (night.acceleration(side)[middle].std(axis=0).max() for side in ("left", "right"))
    assert right > 3 * left


@pytest.mark.parametrize(
    ("treatment", "word"),
    [
        (Treatment(massages=("kneading",)), "evening_min"),
        (Treatment(evening_min=60.0, massages=("shiatsu",)), "shiatsu"),
        (Treatment(evening_min=60.0, activities=("kneading",)), "activity"),
        (Treatment(machine="robot"), "sleeve"),
        (Treatment(machine="pad", clock="lazy"), "steady"),
        (Treatment(machine="pad", period_s=1.0), "period_s"),
        (Treatment(evening_min=58.0), "leaves"),
    ],
)
def test_impossible_treatments_are_refused_by_name(treatment, word):
    with pytest.raises(SettingError, match=word):
        simulate_night(replace(NOTHING_ELSE, treatment=treatment), 1)


def test_files_tell_sessions_and_cycles(tmp_path):
    treatment = Treatment(
        evening_min=60.0, massages=("kneading",), activities=("jiggling",), machine="sleeve"
    )
    night = simulate_night(replace(NOTHING_ELSE, hours=1.5, fs=25.0, treatment=treatment), 4)
    write_simulated_night(night, tmp_path, scenario="typical")
    with (tmp_path / "massage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == MASSAGE_COLUMNS
    assert {row["kind"]: row["massage"] for row in rows} == {
        "kneading": "1",
        "jiggling": "0",
        "compression": "1",
    }
    lights_off_s = night.sleep.lights_off_ms / 1000
    for row in rows:
        length = float(row["end_s"]) - float(row["start_s"])
        assert float(row["minutes"]) == pytest.approx(length / 60, abs=0.01)
        before = (lights_off_s - float(row["end_s"])) / 60
        assert float(row["before_lights_off_min"]) == pytest.approx(before, abs=0.01)
    cycles = (tmp_path / "machine.csv").read_text().splitlines()
    assert cycles[0] == "onset_s,duration_s,side"
    sleeve = next(one for one in night.treated if one.session.clock)
    assert len(cycles) - 1 == len(sleeve.cycles_s) * len(sleeve.session.legs)
    assert json.loads((tmp_path / "truth.json").read_text())["parameters"]["treatment"]


def test_command_simulates_a_massage_and_a_sleeve(tmp_path):
    arguments = ["simulate", "night", str(tmp_path / "x"), "--hours", "1", "--fs", "25"]
    arguments += ["--massage", "compression", "--sleeve", "free", "--legs", "left"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "compression" in (tmp_path / "x" / "massage.csv").read_text()
    assert (tmp_path / "x" / "machine.csv").exists()


def test_command_refuses_two_machines(tmp_path):
    arguments = ["simulate", "night", str(tmp_path / "x"), "--sleeve", "steady", "--pad", "drift"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "one machine" in result.stderr
