"""Several simulated nights in one recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.devices import open_recording
from rlsmove.errors import SettingError
from rlsmove.events.event_lists import read_one_night
from rlsmove.simulate import NightParameters, simulate_night
from rlsmove.simulate.stay import DAY_S, SimulatedStay, simulate_stay, write_simulated_stay
from rlsmove.simulate.treatment import Treatment

SHORT = NightParameters(hours=0.5, fs=25.0, plm_per_hour=60.0, gaps=1)


@pytest.fixture(scope="module")
def stay():
    return simulate_stay(replace(SHORT, treatment=Treatment(machine="pad")), 3, 2)


@pytest.fixture(scope="module")
def folder(stay, tmp_path_factory):
    path = tmp_path_factory.mktemp("stay")
    left = tuple(replace(night, sensors={"left": night.sensors["left"]}) for night in stay.nights)
    write_simulated_stay(SimulatedStay(left), path, scenario="typical")
    return path


def test_first_night_is_that_of_one_night_alone(stay):
    alone = simulate_night(stay.nights[0].parameters, 3)
    rows = np.concatenate(list(islice(stay.blocks("left"), 6)))
    np.testing.assert_array_equal(rows, alone.acceleration("left"))


def test_later_nights_come_on_their_evenings_and_differ(stay):
    one, two = stay.nights
    assert two.parameters.start_time - one.parameters.start_time == timedelta(days=1)
    assert len(one.truth.movements) != len(two.truth.movements) or not np.array_equal(
        one.truth.movements.onset_ms, two.truth.movements.onset_ms
    )


def test_one_device_records_all_nights_and_its_clock_goes_on(stay):
    one, two = (night.sensors["right"] for night in stay.nights)
    np.testing.assert_array_equal(one.gain, two.gain)
    np.testing.assert_array_equal(one.offset_g, two.offset_g)
    # What the device shows at the start of the second evening, by either night's sensor.
    shown = one.clock.reading_s(np.array([DAY_S + 100.0]))
    np.testing.assert_allclose(two.clock.reading_s(np.array([100.0])) + DAY_S, shown, atol=1e-6)


def test_sensor_lies_still_by_day(stay):
    rows = np.concatenate(list(islice(stay.blocks("left"), 6, 18)))
    assert np.all(rows.std(axis=0) < 0.003)
    assert np.linalg.norm(rows.mean(axis=0)) == pytest.approx(1.0, abs=0.03)


def test_truth_of_each_evening_counts_from_the_start_of_the_recording(stay, folder):
    recording = open_recording(folder / "left.h5")
    assert "simulated" in recording.device
    with h5py.File(folder / "left.h5") as file:
        assert file["acceleration"].shape == ((DAY_S + 1800) * 25, 3)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    assert names == ["2026-03-01", "2026-03-02"]
    for number, name in enumerate(names):
        events = read_one_night(folder / name / "truth_events.csv")
        truth = stay.nights[number].truth
        own = truth.movements.take(truth.leg_movements)
        by_ms = round(1000 * DAY_S) * number
        np.testing.assert_array_equal(events.movements.onset_ms, own.onset_ms + by_ms)
        assert events.sleep.lights_off_ms == stay.nights[number].sleep.lights_off_ms + by_ms
        cycle = (folder / name / "machine.csv").read_text().splitlines()[1]
        assert float(cycle.split(",")[0]) >= by_ms / 1000


@pytest.mark.parametrize(
    ("hours", "nights", "word"), [(0.5, 0, "nights"), (0.5, 61, "nights"), (23.5, 2, "hours")]
)
def test_impossible_stays_are_refused(hours, nights, word):
    with pytest.raises(SettingError, match=word):
        simulate_stay(replace(SHORT, hours=hours), 1, nights)


def test_command_writes_several_nights_of_a_kind(tmp_path):
    arguments = ["simulate", "night", str(tmp_path / "x"), "--nights", "2", "--hours", "0.2"]
    arguments += ["--kind", "weak", "--fs", "25", "--legs", "left"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "x" / "2026-03-02" / "truth.csv").exists()
    assert "weak, training" in (tmp_path / "x" / "2026-03-02" / "truth.json").read_text()


def test_command_names_the_kinds_there_are(tmp_path):
    arguments = ["simulate", "night", str(tmp_path / "x"), "--kind", "odd"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "settling_all" in result.stderr
