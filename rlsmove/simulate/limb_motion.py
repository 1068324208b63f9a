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


#: Of steady shakes: rise and fall, and the time in which a motor's speed goes up and down.
_EDGE_S, _WANDER_S = 0.1, 37.0


def _profile(a: int, b: int) -> tuple[list[float], list[float], list[float]]:
    """Coefficients of angle, speed and acceleration over a turn from 0 to 1 that takes 1 s."""
    speed = np.poly1d([1, 0]) ** a * np.poly1d([-1, 1]) ** b
    angle = speed.integ()
    scale = 1.0 / angle(1.0)
    return tuple((part * scale).coef.tolist() for part in (angle, speed, speed.deriv()))


_COEFFICIENTS = tuple(_profile(a, b) for a, b in SPEED_PROFILES)


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
        wave), ``steady`` (all the same but for its first and last tenth of a second).
    wander : float
        Share by which the frequency goes up and down every 37 s, as a motor's does.
    """

    start_s: float
    duration_s: float
    amplitude_g: FloatArray
    frequency_hz: float
    form: str
    wander: float = 0.0


@dataclass(frozen=True)
class Sampled:
    """A movement given point by point, for what no formula above makes.

    Attributes
    ----------
    start_s : float
        Time of the first point, on the true clock.
    rate_hz : float
        Points per second.
    turn_rad : ndarray, shape (n, 3)
        Rotation vector of gravity in the sensor's frame; the last one stays.
    inertial_g : ndarray, shape (n, 3)
        Acceleration beside gravity.
    """

    start_s: float
    rate_hz: float
    turn_rad: FloatArray
    inertial_g: FloatArray

    @property
    def end_s(self) -> float:
        """Time of the last point."""
        return self.start_s + (len(self.turn_rad) - 1) / self.rate_hz


@dataclass(frozen=True)
class Motion:
    """All parts of one movement of one leg."""

    onset_s: float
    offset_s: float
    turns: tuple[Turn, ...] = ()
    shakes: tuple[Shake, ...] = ()
    sampled: tuple[Sampled, ...] = ()

    @property
    def net_turn(self) -> FloatArray:
        """Rotation vector of gravity once all is over, in radians."""
        turns = [part.angle_rad * part.axis for part in self.turns]
        return sum([*turns, *(part.turn_rad[-1] for part in self.sampled)], np.zeros(3))


def turned(
    motion: Motion, lever_direction: FloatArray, time_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What the sensor feels of a movement.

    Parameters
    ----------
    motion : Motion
        The movement.
    lever_direction : ndarray, shape (3,)
        Unit vector from pivot to sensor in the sensor's frame.
    time_s : ndarray, shape (n,)
        True times, increasing.

    Returns
    -------
    turn : ndarray, shape (n, 3)
        Rotation vector of gravity since the rest before the movement, in radians.
    inertial : ndarray, shape (n, 3)
        Acceleration beside gravity, in g. Turns that overlap are added as if small, which they
        are not in movements of the whole body.
    """
    turn = np.zeros((len(time_s), 3))
    inertial = np.zeros((len(time_s), 3))
    for part in motion.turns:
        first, last = np.searchsorted(time_s, (part.start_s, part.start_s + part.duration_s))
        u = (time_s[first:last] - part.start_s) / part.duration_s
        angle, speed, acceleration = (_polynomial(c, u) for c in _COEFFICIENTS[part.profile])
        turn[first:last] += (part.angle_rad * angle)[:, None] * part.axis
        turn[last:] += part.angle_rad * part.axis
        # The leg turns against gravity's turn in its frame: hence the minus.
        rate = -part.angle_rad / part.duration_s
        tangent = lever_direction @ _crossed_by(part.axis)
        scale = part.lever_m / STANDARD_GRAVITY
        inertial[first:last] += (scale * rate / part.duration_s * acceleration)[:, None] * tangent
        inertial[first:last] += (scale * (rate * speed) ** 2)[:, None] * (
            tangent @ _crossed_by(part.axis)
        )
    for shake in motion.shakes:
        first, last = np.searchsorted(time_s, (shake.start_s, shake.start_s + shake.duration_s))
        elapsed = time_s[first:last] - shake.start_s
        inertial[first:last] += _wave(shake, elapsed)[:, None] * shake.amplitude_g
    for points in motion.sampled:
        first, last = np.searchsorted(time_s, (points.start_s, points.end_s))
        place = (time_s[first:last] - points.start_s) * points.rate_hz
        whole = np.minimum(place.astype(np.int64), len(points.turn_rad) - 2)
        part_way = (place - whole)[:, None]
        for total, rows in ((turn, points.turn_rad), (inertial, points.inertial_g)):
            total[first:last] += rows[whole] + part_way * (rows[whole + 1] - rows[whole])
        turn[last:] += points.turn_rad[-1]
    return turn, inertial


def _polynomial(coefficients: list[float], u: FloatArray) -> FloatArray:
    value = np.full(len(u), coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * u + coefficient
    return value


def _crossed_by(axis: FloatArray) -> FloatArray:
    """The matrix M for which v @ M is axis x v, for one v or rows of them."""
    x, y, z = axis
    return np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]])


def _wave(shake: Shake, elapsed_s: FloatArray) -> FloatArray:
    u = elapsed_s / shake.duration_s
    if shake.form == "pulse":
        return np.sin(np.pi * u)
    carrier = np.sin(2 * np.pi * shake.frequency_hz * _wandered(elapsed_s, shake.wander))
    if shake.form == "steady":
        nearest_s = np.minimum(elapsed_s, shake.duration_s - elapsed_s)
        return carrier * np.clip(nearest_s / _EDGE_S, 0.0, 1.0)
    if shake.form == "burst":
        return carrier * np.sin(np.pi * u) ** 2
    # Down to 5 % at its end.
    return carrier * np.exp(-3.0 * u)


def _wandered(elapsed_s: FloatArray, wander: float) -> FloatArray:
    """Time as a motor counts it whose speed goes up and down."""
    if wander == 0:
        return elapsed_s
    pace = 2 * np.pi / _WANDER_S
    return elapsed_s + wander * (1 - np.cos(pace * elapsed_s)) / pace


def rotate(vector: FloatArray, turn: FloatArray) -> FloatArray:
    """Turn one vector by each of n rotation vectors (Rodrigues)."""
    angle = np.linalg.norm(turn, axis=1, keepdims=True)
    axis = turn / np.where(angle > 0, angle, 1.0)
    along = axis @ vector
    return (
        vector * np.cos(angle)
        - axis @ _crossed_by(vector) * np.sin(angle)
        + axis * along[:, None] * (1 - np.cos(angle))
    )


def unit(vector: NDArray[np.floating]) -> FloatArray:
    """The vector at length 1."""
    return np.asarray(vector / np.linalg.norm(vector), np.float64)
