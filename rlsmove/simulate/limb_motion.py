"""How a leg moves: turns of the shank and shakes of the sensor, and what the sensor feels of them.

The shank turns about an axis through a pivot (knee or ankle); the sensor sits on a lever. In the
sensor's frame gravity turns the other way, and the turn itself is felt as tangential acceleration
(lever times angular acceleration) and centripetal acceleration (lever times angular velocity
squared). Whatever does not turn the leg is a shake: a plain oscillation of acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray

STANDARD_GRAVITY = 9.80665  # m/s2

#: Speed over a turn is u^a (1 - u)^b: the bell of minimum jerk, one that starts fast and settles
#: slowly, and one that builds up.
SPEED_PROFILES = ((2, 2), (2, 4), (3, 2))


def _profile(a: int, b: int) -> tuple[np.poly1d, np.poly1d, np.poly1d]:
    """Angle, speed and acceleration over a turn from 0 to 1 that takes 1 s."""
    speed = np.poly1d([1, 0]) ** a * np.poly1d([-1, 1]) ** b
    angle = speed.integ()
    scale = 1.0 / angle(1.0)
    return angle * scale, speed * scale, speed.deriv() * scale


_POLYNOMIALS = tuple(_profile(a, b) for a, b in SPEED_PROFILES)


@dataclass(frozen=True)
class Turn:
    """A smooth turn of the leg by one angle about one axis.

    Attributes
    ----------
    start_s, duration_s : float
        When, on the true clock.
    angle_rad : float
        By how much; it stays until another turn undoes it.
    axis : ndarray, shape (3,)
        Unit vector in the sensor's frame about which gravity turns.
    lever_m : float
        From the pivot to the sensor.
    profile : int
        Index into `SPEED_PROFILES`.
    """

    start_s: float
    duration_s: float
    angle_rad: float
    axis: FloatArray
    lever_m: float
    profile: int = 0


@dataclass(frozen=True)
class Shake:
    """An oscillation that does not turn the leg.

    Attributes
    ----------
    start_s, duration_s : float
        When, on the true clock.
    amplitude_g : ndarray, shape (3,)
        Direction and height.
    frequency_hz : float
        Of the oscillation; a pulse has none.
    form : str
        ``burst`` (swells and fades), ``damped`` (starts at once and dies away), ``pulse`` (half a
        wave).
    """

    start_s: float
    duration_s: float
    amplitude_g: FloatArray
    frequency_hz: float
    form: str


@dataclass(frozen=True)
class Motion:
    """All turns and shakes of one movement of one leg."""

    onset_s: float
    offset_s: float
    turns: tuple[Turn, ...] = ()
    shakes: tuple[Shake, ...] = ()


def felt(
    motion: Motion, gravity: FloatArray, lever_direction: FloatArray, time_s: FloatArray
) -> FloatArray:
    """Acceleration at the sensor beyond the gravity that it felt at rest.

    Parameters
    ----------
    motion : Motion
        The movement.
    gravity : ndarray, shape (3,)
        What the sensor felt before it, in g.
    lever_direction : ndarray, shape (3,)
        Unit vector from pivot to sensor in the sensor's frame.
    time_s : ndarray, shape (n,)
        True times, increasing.

    Returns
    -------
    ndarray, shape (n, 3)
        In g.
    """
    turn, inertial = turned(motion, lever_direction, time_s)
    return rotate(gravity, turn) - gravity + inertial


def turned(
    motion: Motion, lever_direction: FloatArray, time_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rotation vector of gravity (radians) and acceleration beside gravity (g), each (n, 3)."""
    turn = np.zeros((len(time_s), 3))
    inertial = np.zeros((len(time_s), 3))
    for part in motion.turns:
        first, last = np.searchsorted(time_s, (part.start_s, part.start_s + part.duration_s))
        u = (time_s[first:last] - part.start_s) / part.duration_s
        angle, speed, acceleration = _POLYNOMIALS[part.profile]
        turn[first:last] += (part.angle_rad * angle(u))[:, None] * part.axis
        turn[last:] += part.angle_rad * part.axis
        # The leg turns against gravity's turn in its frame: hence the minus.
        rate = -part.angle_rad / part.duration_s
        tangent = np.cross(part.axis, lever_direction)
        scale = part.lever_m / STANDARD_GRAVITY
        inertial[first:last] += scale * rate / part.duration_s * acceleration(u)[
            :, None
        ] * tangent + scale * (rate * speed(u)[:, None]) ** 2 * np.cross(part.axis, tangent)
    for shake in motion.shakes:
        first, last = np.searchsorted(time_s, (shake.start_s, shake.start_s + shake.duration_s))
        elapsed = time_s[first:last] - shake.start_s
        inertial[first:last] += _wave(shake, elapsed)[:, None] * shake.amplitude_g
    return turn, inertial


def _wave(shake: Shake, elapsed_s: FloatArray) -> FloatArray:
    u = elapsed_s / shake.duration_s
    if shake.form == "pulse":
        return np.sin(np.pi * u)
    carrier = np.sin(2 * np.pi * shake.frequency_hz * elapsed_s)
    if shake.form == "burst":
        return carrier * np.sin(np.pi * u) ** 2
    # Down to 5 % at its end.
    return carrier * np.exp(-3.0 * u)


def rotate(vector: FloatArray, turn: FloatArray) -> FloatArray:
    """Turn one vector by each of n rotation vectors (Rodrigues)."""
    angle = np.linalg.norm(turn, axis=1, keepdims=True)
    axis = turn / np.where(angle > 0, angle, 1.0)
    along = axis @ vector
    return (
        vector * np.cos(angle)
        + np.cross(axis, vector) * np.sin(angle)
        + axis * along[:, None] * (1 - np.cos(angle))
    )


def unit(vector: NDArray[np.floating]) -> FloatArray:
    """The vector at length 1."""
    return np.asarray(vector / np.linalg.norm(vector), np.float64)
