"""Simulated nights: the truth is in the signal, and chance is in the seed alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.errors import SettingError
from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    LEFT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    RIGHT,
    SIDES,
    TAP,
    TRANSMITTED_SHAKE,
    WAKE,
)
from rlsmove.simulate import DEVICES, SCENARIOS, NightParameters, simulate_night
from rlsmove.simulate.ankle_sensor import Clock
from rlsmove.simulate.hypnogram import simulate_sleep
from rlsmove.simulate.limb_motion import Motion, Shake
from rlsmove.simulate.movement_plan import plan_movements
from rlsmove.simulate.simulated_recording import SimulatedRecording

SHORT = NightParameters(hours=0.5, fs=25.0, plm_per_hour=60.0)
TURNING = (LEG_MOVEMENT, POSTURE_SHIFT, GROSS_MOVEMENT, GAIT)


def still(parameters: NightParameters) -> NightParameters:
    """The same movements, with nothing of the body, the device or its scale on top."""
    return replace(
        parameters,
        breathing_g=0.0,
        heart_g=0.0,
        drift_g=0.0,
        gain_error=0.0,
        offset_error_g=0.0,
        noise_ratio=0.0,
        device="ax6",
    )


def test_same_seed_gives_the_same_bytes():
    one, other = simulate_night(SHORT, 5), simulate_night(SHORT, 5)
    for side in ("left", "right"):
        assert one.acceleration(side).tobytes() == other.acceleration(side).tobytes()
    assert one.truth.movements.onset_ms.tobytes() == other.truth.movements.onset_ms.tobytes()


def test_another_seed_gives_another_night():
    one, other = simulate_night(SHORT, 5), simulate_night(SHORT, 6)
    assert not np.array_equal(one.acceleration("left"), other.acceleration("left"))


@pytest.mark.parametrize("change", [{"fs": 85.7}, {"device": "geneactiv"}, {"noise_ratio": 3.0}])
def test_rate_and_device_leave_the_movements_as_they_are(change):
    one, other = simulate_night(SHORT, 3), simulate_night(replace(SHORT, **change), 3)
    for column in ("onset_ms", "duration_ms", "side", "kind", "peak_g", "tilt_deg"):
        np.testing.assert_array_equal(
            getattr(one.truth.movements, column), getattr(other.truth.movements, column)
        )


def test_slow_and_fast_device_feel_the_same_leg():
    def low_pass(rows, width):
        window = np.hanning(width + 2)
        window /= window.sum()
        return np.apply_along_axis(np.convolve, 0, rows, window, "valid")

    lying = replace(still(SHORT), walks=0)
    slow = low_pass(simulate_night(lying, 4).acceleration("left"), 21)[::5]
    fast = low_pass(simulate_night(replace(lying, fs=100.0), 4).acceleration("left"), 81)[::20]
    difference = np.linalg.norm(slow - fast[: len(slow)], axis=1)
    assert np.percentile(difference, 99) < 0.005
    assert np.linalg.norm(np.diff(slow, axis=0), axis=1).max() > 0.1


def test_leg_lies_still_between_movements():
    night = simulate_night(still(SHORT), 8)
    rows = night.acceleration("left")
    moving = np.zeros(len(rows), bool)
    m = night.truth.movements
    own = m.take(m.side == LEFT)
    for onset, duration in zip(own.onset_ms, own.duration_ms, strict=True):
        moving[int(onset / 40) - 12 : int((onset + duration) / 40) + 13] = True
    steps = np.abs(np.diff(rows, axis=0)).max(axis=1)
    assert (~moving).sum() > 5000
    assert steps[~moving[1:] & ~moving[:-1]].max() <= 1.01 * DEVICES["ax6"].step_g
    assert steps[moving[1:]].max() > 0.1


def test_leg_comes_back_after_a_leg_movement_and_stays_away_after_a_posture_shift():
    night = simulate_night(still(replace(SCENARIOS["severe"], hours=4.0, fs=25.0)), 2)
    rows = night.acceleration("left")
    m = night.truth.movements
    turning = np.flatnonzero((m.side == LEFT) & np.isin(m.kind, TURNING))
    ratios = {LEG_MOVEMENT: [], POSTURE_SHIFT: []}
    for row in turning:
        if m.kind[row] not in ratios or m.tilt_deg[row] < 3:
            continue
        before = rows[int(m.onset_ms[row] / 40) - 10]
        after = rows[int((m.onset_ms[row] + m.duration_ms[row]) / 40) + 12]
        largest = 2 * np.sin(np.deg2rad(m.tilt_deg[row]) / 2)
        ratios[m.kind[row]].append(np.linalg.norm(after - before) / largest)
    assert len(ratios[LEG_MOVEMENT]) > 40
    assert max(ratios[LEG_MOVEMENT]) < 0.3
    assert np.median(ratios[POSTURE_SHIFT]) > 0.6


def test_stated_tilt_is_reached_and_held_movements_lie_quiet():
    night = simulate_night(still(replace(SHORT, hours=2.0, held_share=1.0)), 1)
    rows = night.acceleration("left")
    truth = night.truth
    m = truth.movements
    checked = 0
    for row in np.flatnonzero((m.side == LEFT) & truth.held & (m.duration_ms > 4000)):
        start = int(m.onset_ms[row] / 40)
        middle = start + int(m.duration_ms[row] / 80)
        hold = rows[middle - 5 : middle + 5]
        turn = np.linalg.norm(hold.mean(axis=0) - rows[start - 18 : start - 8].mean(axis=0))
        assert np.rad2deg(2 * np.arcsin(turn / 2)) == pytest.approx(m.tilt_deg[row], abs=0.3)
        assert hold.std(axis=0).max() < 0.001
        checked += 1
    assert checked > 10


def test_shakes_and_taps_have_no_turn():
    truth = simulate_night(replace(SCENARIOS["partner"], hours=2.0), 1).truth
    m = truth.movements
    shakes = np.isin(m.kind, (TRANSMITTED_SHAKE, TAP))
    assert shakes.sum() > 50
    assert m.tilt_deg[shakes].max() < 1e-6
    assert m.tilt_deg[m.kind == LEG_MOVEMENT].min() > 0


def test_both_ankles_feel_a_partner_at_once():
    truth = simulate_night(replace(SCENARIOS["partner"], hours=2.0), 1).truth
    rows = np.array([cause == "partner" for cause in truth.cause])
    m = truth.movements.take(rows)
    left, right = m.take(m.side == LEFT), m.take(m.side == RIGHT)
    np.testing.assert_array_equal(left.onset_ms, right.onset_ms)
    np.testing.assert_array_equal(left.duration_ms, right.duration_ms)
    ratio = left.peak_g / right.peak_g
    np.testing.assert_allclose(ratio, ratio[0])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(SCENARIOS)))
def test_movements_of_one_leg_keep_apart(seed, scenario):
    m = simulate_night(replace(SCENARIOS[scenario], hours=0.5), seed).truth.movements
    for side in (LEFT, RIGHT):
        own = m.take((m.side == side) & np.isin(m.kind, TURNING))
        quiet = own.onset_ms[1:] - (own.onset_ms + own.duration_ms)[:-1]
        # Rounding of the two ends to whole milliseconds aside.
        assert np.all(quiet >= 800 - 2)
        assert np.all(own.duration_ms >= 499)
    assert np.all(np.diff(m.onset_ms) >= 0)
    assert np.all(np.isfinite(m.peak_g) & np.isfinite(m.tilt_deg) & np.isfinite(m.snr))


def test_night_without_leg_movements_has_none_and_much_else():
    kind = simulate_night(SCENARIOS["none"], 1).truth.movements.kind
    assert not np.any(kind == LEG_MOVEMENT)
    for code in (POSTURE_SHIFT, GROSS_MOVEMENT, TRANSMITTED_SHAKE, TAP, GAIT):
        assert np.any(kind == code)


def planned(parameters, seed):
    """Stages and planned movements of a night, without their mechanics."""
    rng = np.random.default_rng(seed)
    sleep, walks = simulate_sleep(parameters.hours, parameters.walks, rng)
    return plan_movements(parameters, sleep, walks, rng)


def test_half_the_rate_makes_half_the_movements():
    def count(ratio):
        parameters = replace(SCENARIOS["typical"], rate_ratio=ratio)
        rows = [row for seed in range(12) for row in planned(parameters, seed)]
        return sum(row.kind == LEG_MOVEMENT for row in rows)

    assert 0.42 < count(0.5) / count(1.0) < 0.58


def test_rate_of_periodic_movements_is_that_asked_for():
    rates = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sleep, walks = simulate_sleep(8.0, 1, rng)
        rows = plan_movements(SCENARIOS["typical"], sleep, walks, rng)
        asleep = [row for row in rows if row.series and sleep.stage[int(row.onset_s // 30)] != WAKE]
        hours = (sleep.stage != WAKE).sum() * 30 / 3600
        rates.append(len({row.group for row in asleep}) / hours)
    assert np.mean(rates) == pytest.approx(SCENARIOS["typical"].plm_per_hour, rel=0.1)


def test_intervals_within_series_are_those_asked_for():
    parameters = replace(SCENARIOS["severe"], interval_median_s=30.0, bilateral_share=0.0)
    rows = [row for row in planned(parameters, 3) if row.series]
    intervals = [b.onset_s - a.onset_s for a, b in pairwise(rows) if a.series == b.series]
    assert len(intervals) > 200
    assert 26 < np.median(intervals) < 34
    assert 0.25 < np.std(np.log(intervals)) < 0.5


def test_more_movements_early_than_late():
    rows = [row for seed in range(6) for row in planned(SCENARIOS["severe"], seed) if row.series]
    early = sum(row.onset_s < 4 * 3600 for row in rows)
    assert early > 1.2 * (len(rows) - early)


def test_wake_movements_are_larger():
    truth = simulate_night(SCENARIOS["restless"], 3).truth
    awake = np.array([cause == "wake" for cause in truth.cause])
    asleep = np.array([cause == "periodic" for cause in truth.cause])
    peak = truth.movements.peak_g
    assert np.median(peak[awake]) > 1.5 * np.median(peak[asleep])


def test_silent_movements_are_in_the_truth_and_not_detectable():
    parameters = replace(SHORT, hours=2.0, silent_share=1.0)
    truth = simulate_night(parameters, 3).truth
    assert truth.leg_movements.sum() > 40
    assert truth.detectable[truth.leg_movements].mean() < 0.2


def test_detectability_falls_with_the_noise():
    weak = replace(SCENARIOS["low_snr"], hours=2.0)
    quiet = simulate_night(weak, 1).truth
    noisy = simulate_night(replace(weak, noise_ratio=10.0), 1).truth
    is_lm = quiet.leg_movements
    assert np.all(noisy.movements.snr[is_lm] < quiet.movements.snr[is_lm])
    assert noisy.detectable[is_lm].mean() < quiet.detectable[is_lm].mean() - 0.1


def test_rest_is_as_noisy_as_the_device():
    for name, fs in (("ax3", 100.0), ("geneactiv", 100.0), ("ax6", 25.0)):
        quiet = replace(still(SCENARIOS["none"]), hours=0.2, fs=fs, device=name, noise_ratio=1.0)
        rows = simulate_night(quiet, 2).acceleration("left").astype(np.float64)
        seconds = rows[: len(rows) // int(fs) * int(fs)].reshape(-1, int(fs), 3)
        measured = np.median(seconds.std(axis=1, ddof=1).mean(axis=1))
        device = DEVICES[name]
        expected = np.sqrt(device.noise_g**2 * fs / 100 + device.step_g**2 / 12)
        assert measured == pytest.approx(expected, rel=0.1)


def test_values_lie_on_the_device_scale_and_in_its_range():
    night = simulate_night(SHORT, 1)
    device = DEVICES[SHORT.device]
    steps = night.acceleration("left") / device.step_g
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert np.abs(steps).max() * device.step_g <= device.range_g


def test_slow_device_does_not_alias_what_it_cannot_show():
    night = simulate_night(still(replace(SHORT, hours=0.1)), 1)
    leg = night.sensors["left"].leg

    def response(frequency):
        leg.motions.clear()
        leg.rest_from_s[:] = leg.rest_from_s[:1]
        shake = Shake(60.0, 200.0, np.array([0.1, 0, 0]), frequency, "burst")
        leg.shakes[:] = [Motion(60.0, 260.0, (), (shake,))]
        return night.acceleration("left")[150 * 25 : 170 * 25, 0].std()

    assert response(5.0) > 0.06
    assert response(30.0) < 0.003


def test_right_clock_reads_what_truth_says():
    clock = Clock(offset_s=-40.0, drift_ppm=50.0)
    true_s = np.array([0.0, 1000.0, 28_800.0])
    np.testing.assert_allclose(clock.reading_s(true_s), [-40.0, 960.05, 28_761.44])
    np.testing.assert_allclose(clock.true_s(clock.reading_s(true_s)), true_s, atol=1e-9)


def test_right_recording_runs_on_its_own_clock():
    parameters = replace(SCENARIOS["drift"], hours=1.0, fs=25.0, gross_per_hour=8.0)
    night = simulate_night(parameters, 9)
    clock = night.sensors["right"].clock
    assert abs(clock.offset_s) > 5
    rows = night.acceleration("right")
    m = night.truth.movements
    large = (m.side == RIGHT) & (m.kind == GROSS_MOVEMENT)
    for onset_ms in m.onset_ms[large]:
        at = int(clock.reading_s(np.array([onset_ms / 1000]))[0] * 25)
        assert rows[at - 15 : at - 2].std(axis=0).max() < 0.02
        assert rows[at : at + 50].std(axis=0).max() > 0.02
    assert large.sum() > 0


def test_one_leg_alone_runs_on_the_true_clock_and_has_no_truth_of_the_other():
    night = simulate_night(replace(SCENARIOS["drift"], hours=0.5, legs="right"), 1)
    assert list(night.sensors) == ["right"]
    assert night.sensors["right"].clock == Clock()
    assert set(night.truth.movements.side) == {RIGHT}


def test_gaps_are_missing_rows_and_swallow_their_movements():
    night = simulate_night(replace(SHORT, hours=1.0, gaps=8), 12)
    for side, sensor in night.sensors.items():
        rows = night.acceleration(side)
        expected = np.zeros(len(rows), bool)
        for start_s, end_s in sensor.gaps_s:
            expected[round(start_s * 25) : round(end_s * 25)] = True
        np.testing.assert_array_equal(np.isnan(rows).any(axis=1), expected)
        m = night.truth.movements
        inside = np.zeros(len(m), bool)
        for start_s, end_s in sensor.clock.true_s(sensor.gaps_s):
            inside |= (m.onset_ms > 1000 * start_s) & (m.onset_ms < 1000 * end_s)
        inside &= m.side == SIDES.index(side)
        assert expected.any()
        assert not np.any(night.truth.detectable[inside])


def test_hypnogram_covers_the_night_with_lights_around_it():
    for seed in range(12):
        sleep, walk_onset_s = simulate_sleep(8.0, 2, np.random.default_rng(seed))
        for onset_s in walk_onset_s:
            assert np.all(sleep.stage[int(onset_s / 30) : int(onset_s / 30) + 10] == WAKE)
        np.testing.assert_array_equal(sleep.onset_ms[1:], sleep.offset_ms[:-1])
        assert sleep.onset_ms[0] == 0
        assert sleep.offset_ms[-1] == 8 * 3_600_000
        assert 0 < sleep.lights_off_ms < sleep.lights_on_ms < sleep.offset_ms[-1]
        out = (sleep.onset_ms < sleep.lights_off_ms) | (sleep.onset_ms >= sleep.lights_on_ms)
        assert np.all(sleep.stage[out] == WAKE)
        assert 4.5 < (sleep.stage != WAKE).sum() * 30 / 3600 < 7.5


def test_shortest_night_has_everything_a_night_needs():
    night = simulate_night(NightParameters(hours=0.1), 1)
    assert night.acceleration("left").shape == (36_000, 3)
    assert night.sleep.lights_off_ms < night.sleep.lights_on_ms


def test_stretches_are_short_whatever_the_night():
    night = simulate_night(replace(SHORT, hours=0.3), 1)
    lengths = [len(rows) for rows in night.blocks("left")]
    assert max(lengths) <= 300 * 25
    assert sum(lengths) == 0.3 * 3600 * 25


def test_recording_without_a_file_reads_like_one():
    night = simulate_night(replace(SHORT, gaps=3), 2)
    recording = SimulatedRecording(night, "left")
    whole = list(recording.blocks())
    time_s = np.concatenate([block.time_s for block in whole])
    rows = night.acceleration("left")
    there = ~np.isnan(rows[:, 0])
    np.testing.assert_array_equal(np.concatenate([b.acceleration for b in whole]), rows[there])
    np.testing.assert_allclose(time_s, np.flatnonzero(there) / 25)
    part = np.concatenate([block.time_s for block in recording.blocks(100.0, 700.5)])
    np.testing.assert_array_equal(part, time_s[(time_s >= 100.0) & (time_s < 700.5)])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hours": 0.0}, "hours"),
        ({"hours": float("nan")}, "hours"),
        ({"fs": 10.0}, "fs"),
        ({"plm_per_hour": -1.0}, "plm_per_hour"),
        ({"clock_offset_s": 61.0}, "clock_offset_s"),
        ({"legs": "three"}, "three"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_impossible_parameters_are_refused_by_name(change, word):
    with pytest.raises(SettingError, match=word):
        simulate_night(replace(SHORT, **change), 1)
