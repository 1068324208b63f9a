"""The detector: what is a leg movement, where it begins and ends, and what is something else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shank import FS, Shank, night_of

from rlsmove.movements import detect_leg_movements
from rlsmove.movements.leg_movements import PROBABILITY
from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    LEFT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    TAP,
    TRANSMITTED_SHAKE,
    Movements,
)


def found(shank: Shank) -> Movements:
    return detect_leg_movements(shank.night(), side=LEFT)


def kinds(shank: Shank) -> list[int]:
    return found(shank).kind.tolist()


def test_rest_alone_holds_no_movement() -> None:
    assert len(found(Shank(minutes=60))) == 0


def test_a_movement_that_returns_is_one_leg_movement_with_its_times_turn_and_peak() -> None:
    movements = found(Shank().flex(300.0, 2.0, deg=6.0))
    assert movements.kind.tolist() == [LEG_MOVEMENT]
    assert movements.onset_ms[0] / 1000 == pytest.approx(300.0, abs=0.1)
    end_s = (movements.onset_ms[0] + movements.duration_ms[0]) / 1000
    assert end_s == pytest.approx(302.0, abs=0.1)
    assert movements.tilt_deg[0] == pytest.approx(6.0, abs=0.3)
    assert movements.peak_g[0] == pytest.approx(2 * np.sin(np.radians(3.0)), abs=0.006)


@pytest.mark.parametrize("hold_s", [2.0, 4.0, 6.0, 8.0])
def test_a_held_movement_stays_whole(hold_s: float) -> None:
    movements = found(Shank().flex(300.0, hold_s + 0.8, deg=5.0))
    assert movements.kind.tolist() == [LEG_MOVEMENT]
    assert movements.duration_ms[0] / 1000 == pytest.approx(hold_s + 0.8, abs=0.2)


def test_a_limb_that_stays_away_has_changed_its_posture_twice() -> None:
    assert kinds(Shank().flex(300.0, 40.0, deg=15.0)) == [POSTURE_SHIFT, POSTURE_SHIFT]


def test_a_movement_that_does_not_return_is_a_posture_shift() -> None:
    assert kinds(Shank().settle(300.0, 1.5, deg=30.0)) == [POSTURE_SHIFT]


def test_a_return_that_is_nearly_whole_is_still_a_leg_movement() -> None:
    assert kinds(Shank().flex(300.0, 2.0, deg=8.0, left_deg=1.0)) == [LEG_MOVEMENT]


def test_a_struck_mattress_comes_from_elsewhere() -> None:
    shank = Shank()
    since = np.clip(shank.time_s - 300.0, 0.0, None)
    shank.shake_g += (0.015 * np.exp(-4 * since) * np.sin(2 * np.pi * 6 * since))[:, None]
    movements = found(shank)
    assert movements.kind.tolist() == [TRANSMITTED_SHAKE]
    assert movements.probability[0] < PROBABILITY


def test_a_knock_is_a_tap() -> None:
    assert kinds(Shank().tap(300.0, peak_g=0.1)) == [TAP]


def test_a_movement_longer_than_a_candidate_is_gross() -> None:
    shank = Shank()
    for k in range(14):
        shank.flex(300.0 + k, 1.2, deg=20.0 if k % 2 else -14.0)
    assert set(kinds(shank)) == {GROSS_MOVEMENT}


def test_strides_are_gait() -> None:
    shank = Shank()
    since = shank.time_s - 300.0
    walking = (since >= 0) & (since < 30)
    shank.shake_g[walking] += (0.4 * np.sin(2 * np.pi * 0.95 * since[walking]) ** 3)[:, None]
    assert GAIT in kinds(shank)
    assert LEG_MOVEMENT not in kinds(shank)


def test_two_movements_half_a_second_of_rest_apart_are_two() -> None:
    movements = found(Shank().flex(300.0, 1.5, deg=6.0).flex(302.5, 1.5, deg=6.0))
    assert movements.kind.tolist() == [LEG_MOVEMENT, LEG_MOVEMENT]


@pytest.mark.parametrize("rest_s", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("left_deg", [-0.5, 0.3, 0.6])
def test_a_leg_movement_after_a_change_of_posture_has_settled_is_one_of_its_own(
    rest_s: float, left_deg: float
) -> None:
    onset_s = 301.5 + rest_s
    shank = Shank().settle(300.0, 1.5, deg=30.0).flex(onset_s, 2.5, deg=5.0, left_deg=left_deg)
    movements = found(shank)
    assert movements.kind.tolist() == [POSTURE_SHIFT, LEG_MOVEMENT]
    assert movements.onset_ms[1] / 1000 == pytest.approx(onset_s, abs=0.15)
    assert movements.duration_ms[1] / 1000 == pytest.approx(2.5, abs=0.3)
    end_s = (movements.onset_ms[0] + movements.duration_ms[0]) / 1000
    assert end_s == pytest.approx(301.5, abs=0.2)


def test_a_leg_movement_that_comes_back_not_quite_rests_before_the_next_posture() -> None:
    shank = Shank().flex(300.0, 2.0, deg=6.0, left_deg=0.6).settle(303.8, 1.5, deg=30.0)
    movements = found(shank)
    assert movements.kind.tolist() == [LEG_MOVEMENT, POSTURE_SHIFT]
    assert movements.onset_ms[1] / 1000 == pytest.approx(303.8, abs=0.2)


def test_a_pause_near_the_end_of_a_held_movement_does_not_part_it() -> None:
    shank = Shank().flex(300.0, 3.0, deg=5.0).flex(302.8, 1.8, deg=1.5)
    assert found(shank).kind.tolist() == [LEG_MOVEMENT]


def test_nothing_is_a_leg_movement_while_the_limb_never_rests() -> None:
    shank = Shank(noise_g=0.1)
    for k in range(30):
        shank.flex(20.0 + 19.0 * k, 2.0, deg=70.0)
    assert LEG_MOVEMENT not in kinds(shank)


def test_the_threshold_follows_the_noise_of_the_stretch() -> None:
    small = Shank(minutes=20).flex(300.0, 2.0, deg=0.6).flex(900.0, 2.0, deg=0.6)
    acceleration = small.acceleration()
    half = len(acceleration) // 2
    noise = np.random.default_rng(1).normal(0.0, 0.015, (half, 3))
    loud = acceleration.copy()
    loud[half:] += noise
    assert (
        detect_leg_movements(night_of(acceleration), side=LEFT).kind.tolist() == [LEG_MOVEMENT] * 2
    )
    assert detect_leg_movements(night_of(loud), side=LEFT).onset_ms.tolist() == pytest.approx(
        [300_000], abs=200
    )


def test_breathing_is_no_movement() -> None:
    shank = Shank(minutes=30)
    shank.turn_deg += 0.3 * np.sin(2 * np.pi * 0.25 * shank.time_s)
    assert len(found(shank)) == 0


def test_a_single_step_of_a_coarse_scale_is_no_movement() -> None:
    shank = Shank(minutes=30, noise_g=0.0)
    shank.turn_deg += 1.0 * shank.time_s / shank.time_s[-1]
    coarse = np.round(shank.acceleration() * 64) / 64
    assert len(detect_leg_movements(night_of(coarse), side=LEFT, step_g=1 / 64)) == 0


def test_a_gap_parts_the_night_and_a_short_one_is_bridged() -> None:
    whole = Shank().flex(300.0, 3.0, deg=6.0).acceleration()
    short, long = whole.copy(), whole.copy()
    short[round(301.0 * FS) : round(302.0 * FS)] = np.nan
    long[round(200.0 * FS) : round(205.0 * FS)] = np.nan
    for holed in (short, long):
        movements = detect_leg_movements(night_of(holed), side=LEFT)
        assert movements.kind.tolist() == [LEG_MOVEMENT]
        assert movements.onset_ms[0] == pytest.approx(300_000, abs=100)


def test_a_night_without_a_single_sample_has_no_movement() -> None:
    assert len(detect_leg_movements(night_of(np.full((500, 3), np.nan)), side=LEFT)) == 0


@pytest.mark.parametrize("points", [1, 3, 11, 60])
def test_a_night_of_a_few_points_has_no_movement(points: int) -> None:
    assert len(detect_leg_movements(night_of(np.ones((points, 3))), side=LEFT)) == 0


def test_what_is_likely_enough_is_a_leg_movement() -> None:
    shank = Shank(minutes=20, noise_g=0.002)
    for k, deg in enumerate([0.08, 0.15, 0.3, 0.6, 1.2, 2.4]):
        shank.flex(60.0 + 180 * k, 2.0, deg=deg)
    movements = found(shank)
    likely = movements.probability >= PROBABILITY
    assert likely.tolist() == (movements.kind == LEG_MOVEMENT).tolist()
    assert set(movements.onset_ms[likely] // 60_000) >= {10, 13, 16}


def test_the_first_point_only_moves_the_times() -> None:
    acceleration = Shank().flex(300.0, 2.0, deg=6.0).acceleration()
    early = detect_leg_movements(night_of(acceleration), side=LEFT)
    late = detect_leg_movements(night_of(acceleration, first=1000), side=LEFT)
    assert (late.onset_ms - early.onset_ms).tolist() == [40_000]
    assert late.duration_ms.tolist() == early.duration_ms.tolist()


@settings(max_examples=25, deadline=None)
@given(
    deg=st.floats(1.0, 25.0),
    duration_s=st.floats(0.9, 8.0),
    turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    scale=st.floats(0.97, 1.03),
)
def test_turning_and_scaling_the_sensor_changes_nothing(
    deg: float, duration_s: float, turn: tuple[float, ...], scale: float
) -> None:
    acceleration = Shank(minutes=6).flex(180.0, duration_s, deg).acceleration()
    w, x, y, z = np.array(turn) / np.linalg.norm(turn)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    one = detect_leg_movements(night_of(acceleration), side=LEFT)
    other = detect_leg_movements(night_of(scale * acceleration @ rotation.T), side=LEFT)
    assert one.kind.tolist() == other.kind.tolist() == [LEG_MOVEMENT]
    assert np.abs(one.onset_ms - other.onset_ms).max() <= 20
    assert np.abs(one.duration_ms - other.duration_ms).max() <= 40


@settings(max_examples=15, deadline=None)
@given(seconds=st.integers(1, 1200))
def test_leading_silence_only_moves_the_times(seconds: int) -> None:
    acceleration = Shank(minutes=6).flex(180.0, 2.0, 5.0).flex(230.0, 1.0, 3.0).acceleration()
    silence = np.repeat(acceleration[:1], round(seconds * FS), axis=0)
    plain = detect_leg_movements(night_of(acceleration), side=LEFT)
    padded = detect_leg_movements(night_of(np.vstack([silence, acceleration])), side=LEFT)
    assert (padded.onset_ms - 1000 * seconds).tolist() == pytest.approx(
        plain.onset_ms.tolist(), abs=50
    )
    assert padded.kind.tolist() == plain.kind.tolist()
