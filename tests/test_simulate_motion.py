"""What a sensor on a turning leg feels, against mechanics worked out the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsmove.simulate.limb_motion import (
    SPEED_PROFILES,
    STANDARD_GRAVITY,
    Motion,
    Shake,
    Turn,
    rotate,
    turned,
    unit,
)


def rotation_matrix(axis, angle):
    """Matrix of a turn about a unit vector."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def felt(motion, gravity, lever, time_s):
    """Deviation of the sensor from what it shows at rest."""
    turn, inertial = turned(motion, lever, time_s)
    return rotate(gravity, turn) - gravity + inertial


def felt_by_mechanics(turn, gravity, lever, time_s):
    """Specific force of a point on a turning body, from positions differentiated twice.

    The world's axes are those of the sensor at rest; the pivot is at the origin. Gravity turns by
    +angle in the sensor's frame, so the body turns by -angle in the world.
    """
    step = time_s[1] - time_s[0]
    angle = turned(Motion(0, 10, (turn,)), lever, time_s)[0] @ turn.axis
    body = np.array([rotation_matrix(turn.axis, -a) for a in angle])
    position = turn.lever_m * body @ lever
    acceleration = np.gradient(np.gradient(position, step, axis=0), step, axis=0)
    force = acceleration / STANDARD_GRAVITY + gravity
    return np.einsum("nij,ni->nj", body, force) - gravity


@pytest.mark.parametrize("profile", range(len(SPEED_PROFILES)))
def test_sensor_feels_what_mechanics_say(profile):
    rng = np.random.default_rng(profile)
    time_s = np.arange(0, 2, 1e-4)
    for _ in range(5):
        turn = Turn(0.5, 0.6, rng.uniform(0.2, 0.5), unit(rng.normal(size=3)), 0.4, profile)
        gravity, lever = unit(rng.normal(size=3)), unit(rng.normal(size=3))
        fast = felt(Motion(0.5, 1.1, (turn,)), gravity, lever, time_s)
        slow = felt_by_mechanics(turn, gravity, lever, time_s)
        # Differences over 0.1 ms; the profiles' third derivative jumps at their ends.
        np.testing.assert_allclose(fast[5:-5], slow[5:-5], atol=2e-3)
        assert np.abs(fast).max() > 0.05


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
def test_turning_gravity_keeps_its_length(turn, vector):
    result = rotate(np.array(vector), np.array([turn]))
    assert np.linalg.norm(result) == pytest.approx(np.linalg.norm(vector), abs=1e-9)


def test_rotation_vector_turns_like_the_matrix():
    rng = np.random.default_rng(1)
    for _ in range(20):
        axis, angle, vector = unit(rng.normal(size=3)), rng.uniform(0, 3), rng.normal(size=3)
        expected = rotation_matrix(axis, angle) @ vector
        np.testing.assert_allclose(rotate(vector, (axis * angle)[None])[0], expected, atol=1e-12)


def test_way_out_and_way_back_leave_gravity_where_it_was():
    axis, gravity, lever = np.eye(3)
    out = Turn(0.0, 0.3, 0.2, axis, 0.3)
    back = Turn(1.0, 0.5, -0.2, axis, 0.3, 1)
    time_s = np.array([-0.1, 0.6, 2.0])
    result = felt(Motion(0.0, 1.5, (out, back)), gravity, lever, time_s)
    np.testing.assert_allclose(result[[0, 2]], 0, atol=1e-12)
    assert np.linalg.norm(result[1]) == pytest.approx(2 * np.sin(0.1))


def test_turn_about_the_vertical_is_felt_only_while_it_lasts():
    axis, _, lever = np.eye(3)
    turn = Turn(0.0, 0.5, 0.3, axis, 0.3)
    result = felt(Motion(0.0, 0.5, (turn,)), axis, lever, np.array([0.1, 0.4, 0.6, 3.0]))
    assert np.linalg.norm(result[:2], axis=1).min() > 0.01
    np.testing.assert_allclose(result[2:], 0, atol=1e-12)


@pytest.mark.parametrize("form", ["burst", "damped", "pulse"])
def test_shake_is_confined_to_its_time_and_its_height(form):
    height = np.array([0.03, 0.0, 0.04])
    motion = Motion(1.0, 1.5, (), (Shake(1.0, 0.5, height, 8.0, form),))
    time_s = np.arange(0, 3, 0.002)
    result = felt(motion, np.eye(3)[2], np.eye(3)[0], time_s)
    outside = (time_s < 1.0) | (time_s >= 1.5)
    assert np.all(result[outside] == 0)
    assert 0.02 < np.linalg.norm(result, axis=1).max() <= 0.05 + 1e-12
