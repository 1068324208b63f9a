"""Time in bed and sleep from the sensor, blind to leg movements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlsmove.movements import detect_leg_movements
from rlsmove.movements.sustained_inactivity import MINUTE_MS, inactivity_window, sleep_within
from rlsmove.records import (
    GROSS_MOVEMENT,
    LEFT,
    LEG_MOVEMENT,
    SLEEP,
    WAKE,
    Intervals,
    Movements,
    Sleep,
)
from rlsmove.signal.calibration import Calibration
from rlsmove.signal.nights import NightSpan, read_night
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.simulate import named_scenario, simulate_night
from rlsmove.simulate.simulated_recording import SimulatedRecording

HOUR_MS = 60 * MINUTE_MS


def movements(onset_min: list[float], duration_min: float, kind: int) -> Movements:
    onset_ms = np.array([round(m * MINUTE_MS) for m in onset_min], np.int64)
    n = len(onset_ms)
    table = Movements.marks(
        onset_ms, np.full(n, round(duration_min * MINUTE_MS), np.int64), np.full(n, LEFT, np.int8)
    )
    return replace(table, kind=np.full(n, kind, np.int8))


def recorded(*hours: tuple[float, float]) -> Intervals:
    edges = np.array(hours).reshape(-1, 2) * HOUR_MS
    return Intervals(edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64))


def busy(start_h: float, end_h: float) -> list[float]:
    """Half of each minute restless."""
    return np.arange(60 * start_h, 60 * end_h).tolist()


def hours_of(sleep: Sleep, stage: int) -> float:
    rows = sleep.stage == stage
    return float(np.sum(sleep.offset_ms[rows] - sleep.onset_ms[rows])) / HOUR_MS


def test_the_window_is_the_longest_rest_between_restless_hours() -> None:
    restless = movements(busy(0, 2) + busy(9, 11), 0.5, GROSS_MOVEMENT)
    window = inactivity_window(restless, recorded((0, 11)))
    assert window is not None
    assert window[0] / HOUR_MS == pytest.approx(2, abs=0.15)
    assert window[1] / HOUR_MS == pytest.approx(9, abs=0.15)


def test_up_for_less_than_an_hour_does_not_part_the_night() -> None:
    up = movements(busy(4, 4.5), 0.5, GROSS_MOVEMENT)
    assert inactivity_window(up, recorded((0, 8))) == (0, 8 * HOUR_MS)


def test_a_periodic_series_is_not_taken_for_wake() -> None:
    series = movements(np.arange(0, 480, 1 / 3).tolist(), 1 / 15, LEG_MOVEMENT)
    sleep = sleep_within(series, recorded((0, 8)), 0, 8 * HOUR_MS, "lights")
    assert hours_of(sleep, SLEEP) == pytest.approx(8)


def test_a_restless_half_hour_is_wake() -> None:
    up = movements(busy(3, 3.5), 0.5, GROSS_MOVEMENT)
    sleep = sleep_within(up, recorded((0, 8)), 0, 8 * HOUR_MS, "lights")
    assert hours_of(sleep, WAKE) == pytest.approx(0.5, abs=0.2)
    assert hours_of(sleep, SLEEP) + hours_of(sleep, WAKE) == pytest.approx(8)


def test_nothing_is_said_of_time_without_record() -> None:
    sleep = sleep_within(
        Movements.empty(), recorded((0, 3), (5, 8)), HOUR_MS, 7 * HOUR_MS, "lights"
    )
    assert hours_of(sleep, SLEEP) == pytest.approx(4)
    assert sleep.onset_ms.tolist() == [HOUR_MS, 5 * HOUR_MS]


def test_less_than_half_an_hour_holds_no_window() -> None:
    assert inactivity_window(Movements.empty(), recorded((0, 0.4))) is None
    assert inactivity_window(Movements.empty(), Intervals.empty()) is None


@pytest.mark.parametrize("scenario", ["severe", "restless", "none"])
def test_time_in_bed_and_sleep_are_near_the_truth_of_simulated_nights(scenario: str) -> None:
    parameters = replace(named_scenario(scenario), hours=6.0, fs=25.0, legs="left")
    simulated = simulate_night(parameters, seed=71)
    end_s = 6 * 3600.0
    calibration = Calibration("too_little_rest", np.ones(3), np.zeros(3), 0.0, 0.0, 0)
    recording = SimulatedRecording(simulated, "left")
    span = NightSpan(recording.start_time.date(), 0.0, end_s, end_s)
    night = read_night(UniformReader(recording), span, calibration)
    found = detect_leg_movements(night, side=LEFT)
    window = inactivity_window(found, recorded((0, 6)))
    truth = simulated.sleep
    assert window is not None
    assert truth.lights_off_ms is not None
    assert truth.lights_on_ms is not None
    assert window[1] - window[0] == pytest.approx(
        truth.lights_on_ms - truth.lights_off_ms, abs=0.6 * HOUR_MS
    )
    sleep = sleep_within(found, recorded((0, 6)), *window, "sensor")
    true_hours = sum(hours_of(truth, stage) for stage in range(1, 6))
    assert hours_of(sleep, SLEEP) == pytest.approx(true_hours, abs=1.5)
