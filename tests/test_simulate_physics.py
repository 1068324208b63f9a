"""Nights of many physics: gestures, settling legs, straps, beds, devices, and their ranges."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.records import LEFT, LEG_MOVEMENT, POSTURE_SHIFT, WAKE
from rlsmove.simulate import (
    HELD_OUT,
    KINDS,
    TRAINING,
    NightParameters,
    draw_parameters,
    drawn_night,
    simulate_night,
)
from rlsmove.simulate.files import write_simulated_night
from rlsmove.simulate.gestures import GESTURES, RATE_HZ, gesture
from rlsmove.simulate.hypnogram import simulate_sleep
from rlsmove.simulate.limb_motion import STANDARD_GRAVITY, Motion, rotate, turned, unit
from rlsmove.simulate.mattress import passed_on, sway
from rlsmove.simulate.movement_plan import plan_movements
from rlsmove.simulate.physics import PLAIN, Physics
from rlsmove.simulate.ranges import RANGES

QUIET = NightParameters(
    hours=0.5,
    fs=50.0,
    legs="left",
    walks=0,
    plm_per_hour=60.0,
    gross_per_hour=0.0,
    posture_shifts_per_hour=0.0,
    taps_per_hour=0.0,
    breathing_g=0.0,
    heart_g=0.0,
    drift_g=0.0,
    gain_error=0.0,
    offset_error_g=0.0,
    noise_ratio=0.0,
    device="ax6",
)


def with_physics(**changes):
    return replace(QUIET, physics=Physics(**changes))


def made(name, seed=1, duration_s=2.0, angle_deg=3.0, shake_g=0.05):
    return gesture(
        name,
        0.0,
        duration_s,
        axis=np.array([0.0, 1.0, 0.0]),
        angle_rad=np.deg2rad(angle_deg),
        lever=np.array([0.0, 0.0, -0.35]),
        shake_g=shake_g,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("name", GESTURES)
def test_gesture_starts_and_ends_at_rest_and_nearly_where_it_was(name):
    for seed in range(8):
        points = made(name, seed)
        angle = points.turn_rad[:, 1]
        assert 0.5 <= points.end_s <= 2.01
        assert angle[0] == 0
        assert abs(angle[-1]) <= 0.07 * max(np.abs(angle).max(), 1e-9)
        assert np.abs(np.diff(points.inertial_g, axis=0)).max() < 1.0
        assert np.linalg.norm(points.inertial_g, axis=1).max() <= 4.0 + 0.051
        height = np.linalg.norm(points.inertial_g, axis=1)
        assert height.max() > 0.003
        # Neither end is still: there lie the onset and the offset.
        for end in (slice(0, 60), slice(-60, None)):
            moves = height[end].max() > 0.05 * height.max()
            assert moves or np.abs(angle[end]).max() > 0.025 * np.abs(angle).max()


@pytest.mark.parametrize("name", ["second_order", "clonic", "held", "slow", "relaxing", "flutter"])
def test_turning_gesture_is_felt_as_mechanics_say(name):
    """Without shaking, against positions of a point on the limb differentiated twice."""
    points = made(name, 3, angle_deg=8.0, shake_g=0.0)
    gravity = unit(np.array([0.9, 0.1, 0.4]))
    felt = rotate(gravity, points.turn_rad) + points.inertial_g
    # Onto a fine grid, so that differences of differences are smooth.
    lever = np.array([0.0, 0.0, -0.35])
    world = np.array([rotate(lever, -turn[None])[0] for turn in points.turn_rad])
    force = np.gradient(np.gradient(world, 1 / RATE_HZ, axis=0), 1 / RATE_HZ, axis=0)
    slow = np.array(
        [
            rotate(a / STANDARD_GRAVITY + gravity, turn[None])[0]
            for a, turn in zip(force, points.turn_rad, strict=True)
        ]
    )
    np.testing.assert_allclose(felt[4:-4], slow[4:-4], atol=0.02 * np.abs(felt - gravity).max())


def test_gestures_differ_in_how_much_they_turn():
    def turn_and_shake(name):
        points = [made(name, seed) for seed in range(6)]
        turn = np.median([np.abs(p.turn_rad).max() for p in points])
        return np.rad2deg(turn)

    assert turn_and_shake("tremor") < 0.2 < turn_and_shake("toe") < 0.6
    assert turn_and_shake("slow") == pytest.approx(3.0, rel=0.1)


def turn_left_by(night, rows, row, after_s=0.3):
    """Angle between the gravity before a movement and after it, in degrees."""
    m, fs = night.truth.movements, night.parameters.fs
    onset, end = m.onset_ms[row] / 1000, (m.onset_ms[row] + m.duration_ms[row]) / 1000
    before = rows[int((onset - 0.3) * fs) : int((onset - 0.1) * fs)].mean(axis=0)
    after = rows[int((end + after_s) * fs) : int((end + after_s + 0.2) * fs)].mean(axis=0)
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def lone_leg_movements(night, alone_s=6.0):
    m = night.truth.movements
    rows = np.flatnonzero((m.side == LEFT) & (m.kind == LEG_MOVEMENT))
    ends = m.onset_ms[rows] + m.duration_ms[rows]
    after = np.append(m.onset_ms[rows[1:]], m.onset_ms[rows[-1]] + 10**6) - ends
    return rows[after > 1000 * alone_s]


def test_leg_that_settles_lies_elsewhere_by_what_was_asked_for():
    night = simulate_night(with_physics(settle_share=1.0, settle_deg=(4.0, 6.0)), 3)
    rows = night.acceleration("left").astype(np.float64)
    angles = [turn_left_by(night, rows, row) for row in lone_leg_movements(night)]
    assert len(angles) > 8
    # The movement itself comes back to within some per cent of its own turn.
    assert 3.5 < np.median(angles) < 6.5
    returning = simulate_night(QUIET, 3)
    rows = returning.acceleration("left").astype(np.float64)
    angles = [turn_left_by(returning, rows, row) for row in lone_leg_movements(returning)]
    assert np.median(angles) < 0.6


def test_leg_that_sinks_is_still_on_its_way_after_the_end():
    physics = {"settle_share": 1.0, "settle_deg": (5.0, 6.0), "creep_share": 1.0}
    night = simulate_night(with_physics(**physics, gestures=(("held", 1.0),)), 3)
    rows = night.acceleration("left").astype(np.float64)
    alone = lone_leg_movements(night, 18.0)
    soon = np.array([turn_left_by(night, rows, row, 0.0) for row in alone])
    late = np.array([turn_left_by(night, rows, row, 16.5) for row in alone])
    assert len(alone) > 3
    assert np.median(soon) < 0.5 * np.median(late)
    assert 4.5 < np.median(late) < 6.5


def test_postures_change_at_the_end_of_a_movement_or_before_it():
    night = simulate_night(with_physics(into_posture_share=0.5, from_posture_share=0.5), 3)
    m = night.truth.movements
    own = m.take((m.side == LEFT) & np.isin(m.kind, (LEG_MOVEMENT, POSTURE_SHIFT)))
    apart_ms = own.onset_ms[1:] - (own.onset_ms + own.duration_ms)[:-1]
    kinds = list(zip(own.kind[:-1], own.kind[1:], strict=True))
    into = [ms for ms, kind in zip(apart_ms, kinds, strict=True) if kind == (0, 1) and ms < 300]
    out_of = [ms for ms, kind in zip(apart_ms, kinds, strict=True) if kind == (1, 0) and ms < 300]
    assert len(into) > 3
    assert len(out_of) > 3


def test_leg_that_moves_out_of_a_new_posture_starts_from_there():
    ends, kept = [], []
    for seed in range(6):
        night = simulate_night(with_physics(from_posture_share=1.0, settle_share=0.5), seed)
        leg = night.sensors["left"].leg
        ends += [motion.offset_s for motion in leg.motions]
        kept += [np.abs(np.array(leg.rest_from_s) - m.offset_s).min() for m in leg.motions]
    assert len(ends) > 150
    assert max(kept) == 0.0


def test_series_remember_their_intervals():
    def neighbors(**changes):
        parameters = replace(
            with_physics(**changes),
            hours=8.0,
            plm_per_hour=100.0,
            interval_ln_sd=0.3,
            bilateral_share=1.0,
            isolated_per_hour=0.0,
        )
        rng = np.random.default_rng(4)
        sleep, walks = simulate_sleep(parameters.hours, 0, rng)
        rows = [row for row in plan_movements(parameters, sleep, walks, rng) if row.leg == LEFT]
        pairs = []
        for number in {row.series for row in rows} - {0}:
            onset = np.array([row.onset_s for row in rows if row.series == number])
            logs = np.log(np.diff(onset))
            pairs.append(np.stack([logs[:-1], logs[1:]]) - np.median(logs if len(logs) else 0))
        return np.corrcoef(np.concatenate(pairs, axis=1))[0, 1]

    assert abs(neighbors()) < 0.2
    assert neighbors(interval_memory=0.7) > 0.4


def test_strap_swings_at_its_own_frequency_and_no_faster():
    night = simulate_night(with_physics(strap_hz=6.0, strap_damping=0.1), 3)
    firm = simulate_night(QUIET, 3)
    rows, plain = (n.acceleration("left").astype(np.float64) for n in (night, firm))
    power, still = (
        (np.abs(np.fft.rfft(a - a.mean(axis=0), axis=0)) ** 2).sum(axis=1) for a in (rows, plain)
    )
    frequency = np.fft.rfftfreq(len(rows), 1 / 50)

    def gain(low, high):
        band = (frequency > low) & (frequency < high)
        return power[band].sum() / still[band].sum()

    assert gain(0.05, 1.0) == pytest.approx(1.0, rel=0.2)
    assert gain(5.5, 6.5) > 8
    assert gain(14.0, 20.0) < 0.5


def test_slip_turns_the_sensor_and_flip_turns_it_over():
    night = simulate_night(with_physics(slips=3, flips=2), 3)
    truth = night.truth
    tilt = truth.movements.tilt_deg
    causes = np.array(truth.cause)
    assert np.all(truth.movements.kind[np.isin(causes, ("slip", "flip"))] == POSTURE_SHIFT)
    assert np.all(tilt[causes == "slip"] <= 45.1)
    both = simulate_night(replace(night.parameters, legs="both"), 3).truth
    assert sum(cause == "slip" for cause in both.cause) == 3
    assert sum(cause == "flip" for cause in both.cause) == 2


def test_sensor_beside_the_leg_feels_nothing_and_sees_no_movement():
    night = simulate_night(replace(with_physics(off=1), hours=2.0, legs="both"), 2)
    (side, sensor), *others = [(s, one) for s, one in night.sensors.items() if len(one.off_s)]
    assert not others
    start, end = sensor.clock.reading_s(sensor.off_s[0])
    rows = night.acceleration(side)[int(start * 50) + 50 : int(end * 50) - 50]
    assert 240 < end - start < 2500
    assert np.ptp(rows, axis=0).max() <= 2 * 1 / 2048
    m = night.truth.movements
    inside = (m.onset_ms / 1000 > start + 5) & (m.onset_ms / 1000 < end - 10)
    assert np.all(m.snr[inside & (m.side == (side == "right"))] == 0)


def test_flicker_is_stronger_the_slower():
    night = simulate_night(replace(with_physics(flicker_g=0.01), plm_per_hour=0.0), 3)
    rows = night.acceleration("left")[:, 0].astype(np.float64)
    power = np.abs(np.fft.rfft(rows - rows.mean())) ** 2
    frequency = np.fft.rfftfreq(len(rows), 1 / 50)
    density = [power[(frequency > low) & (frequency < 2 * low)].mean() for low in (0.02, 0.2, 2.0)]
    # Ten times slower is some ten times stronger.
    for slow, fast in pairwise(density):
        assert 3 < slow / fast < 40
    assert rows.std() == pytest.approx(0.01, rel=0.5)


def test_mattress_rings_at_its_frequency_and_sways_back():
    rng = np.random.default_rng(2)
    felt = passed_on(4.0, 0.05, 0.02, 2.0, rng)
    assert np.linalg.norm(felt, axis=1).max() == pytest.approx(0.02)
    after = felt[int(2.05 * RATE_HZ) :]
    power = (np.abs(np.fft.rfft(after, 4096, axis=0)) ** 2).sum(axis=1)
    assert np.fft.rfftfreq(4096, 1 / RATE_HZ)[power.argmax()] == pytest.approx(4.0, abs=0.4)
    gravity = unit(np.array([0.3, 0.2, 0.9]))
    tilt = sway(1.0, gravity, 400, 2.0, rng)
    assert np.abs(tilt[[0, -1]]).max() < 2e-4
    angle = np.rad2deg(np.linalg.norm(tilt, axis=1).max())
    assert 0.15 < angle <= 1.001


def test_breathing_is_shallow_in_respiratory_events_which_the_files_tell(tmp_path):
    parameters = replace(
        with_physics(respiratory_per_hour=30.0), hours=2.0, plm_per_hour=0.0, breathing_g=0.02
    )
    night = simulate_night(parameters, 3)
    events = night.respiratory
    assert 10 < len(events) < 90
    stages = night.sleep.stage[events.onset_ms // 30_000]
    assert np.all(stages != WAKE)
    background = night.sensors["left"].background
    time_s = np.arange(0.0, 7200.0, 0.1)
    wave = np.linalg.norm(background.at(time_s), axis=1)
    held = np.zeros(len(time_s), bool)
    for onset, offset in zip(events.onset_ms, events.offset_ms, strict=True):
        held |= (time_s > onset / 1000 + 2) & (time_s < offset / 1000 - 2)
    assert np.median(wave[held]) < 0.5 * np.median(wave[~held])
    assert "respiratory" in night.truth.cause
    write_simulated_night(night, tmp_path, scenario="x")
    lines = (tmp_path / "events.csv").read_text().splitlines()
    assert sum(line.startswith("respiratory,") for line in lines) == len(events)


def test_device_is_changed_as_the_physics_has_it():
    night = simulate_night(with_physics(step_g=1 / 32, range_g=1.0, noise_g=0.01), 3)
    rows = night.acceleration("left")
    np.testing.assert_allclose(rows * 32, np.round(rows * 32), atol=1e-4)
    assert np.abs(rows).max() <= 1.0


@pytest.mark.parametrize("name", RANGES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_drawn_values_lie_in_their_ranges(name, seed):
    ranges = RANGES[name]
    parameters = draw_parameters(np.random.default_rng(seed), ranges)
    for key, part in ranges.values.items():
        holder = parameters.physics if hasattr(parameters.physics, key) else parameters
        if hasattr(holder, key):
            value = getattr(holder, key)
            assert part.low <= value <= part.high or (value == 0 and part.absent > 0)
    physics = parameters.physics
    assert set(dict(physics.gestures)) <= set(ranges.gestures)
    assert sum(weight for _, weight in physics.gestures) == pytest.approx(1.0)
    assert physics.step_g in ranges.steps_g
    assert parameters.fs in ranges.rates_hz
    assert physics.settle_deg[0] < physics.settle_deg[1]


def test_every_range_has_a_source_and_the_held_out_ones_reach_further():
    for ranges in RANGES.values():
        assert all(part.source and part.low <= part.high for part in ranges.values.values())
    assert set(HELD_OUT.gestures) - set(TRAINING.gestures)
    wider = [
        key
        for key, part in HELD_OUT.values.items()
        if (part.low, part.high) != (TRAINING.values[key].low, TRAINING.values[key].high)
    ]
    assert len(wider) > 12
    for key in wider:
        assert HELD_OUT.values[key].low <= TRAINING.values[key].low
        assert HELD_OUT.values[key].high >= TRAINING.values[key].high


def test_all_of_the_physics_is_drawn():
    values = {name for ranges in RANGES.values() for name in ranges.values}
    pairs = {"settle_deg", "breath_hz", "heart_hz"}
    own = {"gestures", "step_g", "range_g", "filtered"}
    assert {part.name for part in fields(Physics)} <= values | pairs | own


def test_what_is_given_is_not_drawn_and_changes_nothing_else():
    drawn, told = (
        draw_parameters(np.random.default_rng(5), **extra)
        for extra in ({}, {"settle_share": 0.4, "hours": 3.0})
    )
    assert told.physics.settle_share == 0.4
    assert replace(told.physics, settle_share=drawn.physics.settle_share) == drawn.physics
    assert replace(told, hours=2.0, physics=drawn.physics) == drawn


def test_drawn_night_is_the_seeds_own():
    one, same, other = (drawn_night(seed, hours=0.3) for seed in (4, 4, 5))
    assert one.acceleration("left").tobytes() == same.acceleration("left").tobytes()
    assert one.parameters.physics != other.parameters.physics != PLAIN


@pytest.mark.parametrize("kind", KINDS)
def test_night_of_a_kind_has_what_makes_it_one(kind):
    night = drawn_night(3, HELD_OUT, kind, hours=0.3)
    for name, value in KINDS[kind].items():
        holder = night.parameters.physics if hasattr(PLAIN, name) else night.parameters
        assert getattr(holder, name) == value
    assert night.truth.leg_movements.any() != kind.startswith("none")


def test_motion_given_by_points_is_felt_between_them_and_stays():
    points = made("held", 1)
    motion = Motion(0.0, points.end_s, sampled=(points,))
    time_s = np.arange(-0.5, 4.0, 0.004)
    turn, inertial = turned(motion, np.array([0.0, 0.0, -1.0]), time_s)
    outside = (time_s < 0) | (time_s > points.end_s)
    assert np.all(inertial[outside] == 0)
    after = turn[time_s > points.end_s]
    np.testing.assert_allclose(after, np.tile(points.turn_rad[-1], (len(after), 1)), atol=1e-12)
    at = np.interp(1.0, np.arange(len(points.turn_rad)) / RATE_HZ, points.turn_rad[:, 1])
    assert turn[np.argmin(np.abs(time_s - 1.0)), 1] == pytest.approx(at, abs=1e-6)
    np.testing.assert_array_equal(motion.net_turn, points.turn_rad[-1])
