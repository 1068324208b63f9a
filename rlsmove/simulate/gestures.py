"""Ways in which a leg moves and comes back, as the angle of the limb and its shaking over time.

Each gesture is made from chance and a duration alone, at a height of 1; `gesture` scales it, works
out what a sensor on the limb feels, and cuts off what lies still at both ends, so that onset and
offset are those of something that moves. The families share no formula with each other: a detector
that knows one of them knows little about the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, lfilter, sosfiltfilt

from rlsmove.records import FloatArray
from rlsmove.simulate.limb_motion import STANDARD_GRAVITY, Sampled, unit

#: Gestures are made at this rate; tissue between limb and sensor blunts what is faster.
RATE_HZ = 200.0
_TISSUE_S = 0.03
_FROM_REST_S, _TO_REST_S = 0.05, 0.2
#: No leg accelerates a sensor by more in bed: the median and SD of ln from movement to movement,
#: and the most (judgement). Quick gestures turn less far.
_STRONGEST_G, _STRONGEST_LN_SD, _MOST_G = 0.8, 0.7, 4.0
#: Below these shares of its height a gesture has not begun, or is over.
_ANGLE_FROM, _SHAKE_FROM = 0.03, 0.06

Shape = tuple[FloatArray, FloatArray]


def _bell(u: FloatArray) -> FloatArray:
    """Angle of a minimum-jerk turn from 0 to 1."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)


def _limb(torque: FloatArray, frequency_hz: float, damping: float) -> FloatArray:
    """Angle of a damped limb of the second order under a torque."""
    omega = 2 * np.pi * frequency_hz / RATE_HZ
    # Backward differences: stable whatever the frequency.
    a = [1 + 2 * damping * omega + omega**2, -2 - 2 * damping * omega, 1.0]
    return lfilter([omega**2], a, torque)


def _noise(n: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> FloatArray:
    """Noise in a band, with an SD of 1."""
    sections = butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    white = rng.standard_normal(n + 400)
    made = sosfiltfilt(sections, white)[200 : 200 + n]
    return made / made.std()


def _swell(n: int, rng: np.random.Generator) -> FloatArray:
    """An envelope from 0 to 1 and back, lopsided either way."""
    u = (np.arange(n) + 0.5) / n
    a, b = rng.uniform(0.4, 3.0, 2)
    shape = u**a * (1 - u) ** b
    return shape / shape.max()


def _plateau(n: int, rng: np.random.Generator) -> FloatArray:
    """An envelope that rises, stays and falls."""
    u = (np.arange(n) + 0.5) / n
    up, down = rng.uniform(0.05, 0.35, 2)
    return _bell(u / up) * _bell((1 - u) / down)


def _second_order(n: int, rng: np.random.Generator) -> Shape:
    """Pulses of torque on a damped limb, from well damped to ringing."""
    frequency, damping = rng.uniform(0.8, 4.5), rng.uniform(0.2, 1.4)
    rest = min(3.0 / (2 * np.pi * frequency * min(damping, 1.0)) * RATE_HZ, 0.6 * n)
    torque = np.zeros(n)
    pulses = int(rng.integers(1, 4))
    edges = np.sort(rng.uniform(0, n - rest, 2 * pulses - 1))
    edges = np.concatenate([[0.0], edges]).astype(int)
    for start, end in edges.reshape(-1, 2):
        torque[start : max(end, start + 20)] = rng.uniform(0.4, 1.0)
    angle = _limb(torque, frequency, damping)
    last = max(int(0.15 * n), 2)
    angle[-last:] *= 1 - _bell(np.arange(1, last + 1) / last)
    return angle, np.zeros((n, 3))


def _emg_driven(n: int, rng: np.random.Generator) -> Shape:
    """A gamma-shaped activation bends a sluggish limb, and the muscle's own noise shakes it."""
    t = np.arange(n) / n
    k, peak = rng.uniform(0.8, 4.0), rng.uniform(0.12, 0.4)
    activation = (t / peak) ** k * np.exp(k * (1 - t / peak))
    angle = _limb(activation, rng.uniform(1.0, 3.5), rng.uniform(0.7, 1.2))
    angle *= 1 - _bell((t - 0.8) / 0.2)
    noise = np.stack([_noise(n, 5.0, rng.uniform(10.0, 25.0), rng) for _ in range(3)], axis=1)
    return angle, activation[:, None] * noise * rng.uniform(0.2, 1.0)


def _clonic(n: int, rng: np.random.Generator) -> Shape:
    """A train of beats, at a rate that wanders, about one side or about the middle."""
    rate = rng.uniform(1.5, 6.0) * np.linspace(1.0, rng.uniform(0.75, 1.25), n)
    cycles = np.cumsum(rate) / RATE_HZ
    sharp = rng.uniform(0.0, 0.35)
    beat = np.sin(2 * np.pi * cycles) + sharp * np.sin(4 * np.pi * cycles)
    if rng.random() < 0.6:
        beat = (1 - np.cos(2 * np.pi * cycles)) / 2 + sharp / 2 * np.sin(4 * np.pi * cycles)
    envelope = _swell(n, rng) if rng.random() < 0.5 else _plateau(n, rng)
    return beat * envelope, np.zeros((n, 3))


def _held(n: int, rng: np.random.Generator) -> Shape:
    """Out at once, held while it sags a little, and back at once."""
    t = np.arange(n) / RATE_HZ
    length = n / RATE_HZ
    out_s, back_s = (min(rng.uniform(0.12, 0.5), 0.4 * length) for _ in range(2))
    sag = rng.uniform(0.0, 0.5) * t / length
    angle = _bell(t / out_s) * (1 - sag) * _bell((length - t) / back_s)
    return angle, np.zeros((n, 3))


def _slow(n: int, rng: np.random.Generator) -> Shape:
    """A stretch: slowly out, slowly back, hardly any acceleration."""
    u = np.arange(n) / n
    out = rng.uniform(0.3, 0.6)
    stay = rng.uniform(0.0, 0.9 - out)
    return _bell(u / out) - _bell((u - out - stay) / (1 - out - stay)), np.zeros((n, 3))


def _relaxing(n: int, rng: np.random.Generator) -> Shape:
    """A quick flexion that the muscle lets go of, as an exponential."""
    t = np.arange(n) / RATE_HZ
    length = n / RATE_HZ
    out_s = min(rng.uniform(0.1, 0.4), 0.4 * length)
    tau = (length - out_s) / rng.uniform(3.5, 5.0)
    back = np.exp(-np.maximum(t - out_s, 0.0) / tau)
    return _smooth((_bell(t / out_s) * back)[:, None], 0.12)[:, 0], np.zeros((n, 3))


def _burst(n: int, rng: np.random.Generator) -> Shape:
    """Noise in the band of limbs, as recorded bursts look: no plan that one could write down."""
    low = rng.uniform(0.5, 1.5)
    angle = _noise(n, low, rng.uniform(2.0, 5.0), rng)
    shake = np.stack([_noise(n, 2.0, rng.uniform(6.0, 20.0), rng) for _ in range(3)], axis=1)
    envelope = _swell(n, rng) if rng.random() < 0.5 else _plateau(n, rng)
    return angle * envelope, shake * envelope[:, None]


def _tremor(n: int, rng: np.random.Generator) -> Shape:
    """Shaking in one direction, with next to no turn."""
    rate = rng.uniform(4.0, 14.0) * (1 + 0.1 * _noise(n, 0.3, 1.5, rng))
    wave = np.sin(2 * np.pi * np.cumsum(rate) / RATE_HZ) * _plateau(n, rng)
    return _bell(np.arange(n) / n * 2) * _plateau(n, rng), wave[:, None] * unit(rng.normal(size=3))


def _toe(n: int, rng: np.random.Generator) -> Shape:
    """Toes or ankle flex: tendons pull at the strap, the shank hardly turns."""
    angle, _ = _held(n, rng)
    shake = np.zeros((n, 3))
    width = max(int(rng.uniform(0.08, 0.25) * RATE_HZ), 4)
    for start in (0, n - min(width, n)):
        length = min(width, n - start)
        pull = np.sin(2 * np.pi * np.arange(length) / length) * rng.uniform(0.5, 1.0)
        shake[start : start + length] += pull[:, None] * unit(rng.normal(size=3))
    return angle, shake


def _staircase(n: int, rng: np.random.Generator) -> Shape:
    """Out in several steps, back in one."""
    u = np.arange(n) / n
    steps = int(rng.integers(2, 5))
    angle = np.zeros(n)
    for step in range(steps):
        angle += _bell((u - 0.8 * step / steps) / rng.uniform(0.06, 0.8 / steps)) / steps
    return angle * (1 - _bell((u - 0.82) / 0.18)), np.zeros((n, 3))


def _flutter(n: int, rng: np.random.Generator) -> Shape:
    """Alternating strokes with sharp turning points, each as large as chance has it."""
    count = max(int(n / RATE_HZ * rng.uniform(2.0, 7.0)), 2)
    at = np.sort(np.concatenate([[0.0, n - 1.0], rng.uniform(0, n - 1, count)]))
    height = rng.uniform(0.2, 1.0, len(at)) * (-1.0) ** np.arange(len(at))
    height[[0, -1]] = 0.0
    strokes = np.interp(np.arange(n), at, height)
    return _smooth(strokes[:, None], rng.uniform(0.08, 0.16))[:, 0], np.zeros((n, 3))


def _wandering(n: int, rng: np.random.Generator) -> Shape:
    """A smooth curve through points of chance."""
    knots = max(int(n / RATE_HZ / rng.uniform(0.15, 0.6)), 2) + 3
    height = rng.normal(size=knots)
    height[[0, -1]] = 0.0
    curve = CubicSpline(np.linspace(0, n - 1, knots), height, bc_type="clamped")
    shake = np.stack([_noise(n, 1.0, 8.0, rng) for _ in range(3)], axis=1)
    return curve(np.arange(n)), shake * _plateau(n, rng)[:, None] * rng.uniform(0.0, 0.5)


#: Each way with the share of a night's turn and of its shaking that it has.
GESTURES: dict[str, tuple[Callable[[int, np.random.Generator], Shape], float, float]] = {
    "second_order": (_second_order, 1.0, 0.0),
    "emg_driven": (_emg_driven, 1.0, 0.5),
    "clonic": (_clonic, 0.5, 0.0),
    "held": (_held, 1.0, 0.0),
    "slow": (_slow, 1.0, 0.0),
    "relaxing": (_relaxing, 1.0, 0.0),
    "burst": (_burst, 0.3, 0.7),
    "tremor": (_tremor, 0.03, 1.0),
    "toe": (_toe, 0.12, 0.4),
    "staircase": (_staircase, 1.0, 0.0),
    "flutter": (_flutter, 0.5, 0.0),
    "wandering": (_wandering, 0.8, 0.5),
}


def gesture(
    name: str,
    start_s: float,
    duration_s: float,
    *,
    axis: FloatArray,
    angle_rad: float,
    lever: FloatArray,
    shake_g: float,
    rng: np.random.Generator,
) -> Sampled:
    """Make one movement.

    Parameters
    ----------
    name : str
        One of `GESTURES`.
    start_s, duration_s : float
        When, and how long at most.
    axis : ndarray, shape (3,)
        Unit vector in the sensor's frame about which gravity turns.
    angle_rad : float
        Largest turn of a gesture that turns.
    lever : ndarray, shape (3,)
        From the pivot to the sensor, in m.
    shake_g : float
        Height of a gesture that shakes.
    rng : Generator
        Source of chance.

    Returns
    -------
    Sampled
        Starting at `start_s`, its still ends cut off.
    """
    make, turns, shakes = GESTURES[name]
    n = max(int(duration_s * RATE_HZ), round(0.5 * RATE_HZ)) + 1
    shape, shaking = make(n, rng)
    # From rest and to rest.
    after_s, before_s = np.arange(n) / RATE_HZ, np.arange(n, 0, -1) / RATE_HZ
    at_work = (_bell(after_s / _FROM_REST_S) * _bell(before_s / _TO_REST_S))[:, None]
    angle = _smooth(shape[:, None] * at_work, _TISSUE_S)[:, 0]
    angle *= turns * angle_rad / np.abs(angle).max()
    shake = _smooth(shaking * at_work, _TISSUE_S)
    height = np.linalg.norm(shake, axis=1).max()
    if height > 0:
        shake *= shakes * shake_g / height
    inertial = _felt(angle, axis, lever)
    peak_g = np.linalg.norm(inertial, axis=1).max()
    most_g = min(rng.lognormal(np.log(_STRONGEST_G), _STRONGEST_LN_SD), _MOST_G)
    if peak_g > most_g:
        angle *= most_g / peak_g
        inertial = _felt(angle, axis, lever)
    inertial += shake
    first, last = _moving(angle, inertial)
    turn = (angle[first:last] - angle[first])[:, None] * axis
    return Sampled(start_s, RATE_HZ, turn, inertial[first:last])


def _felt(angle: FloatArray, axis: FloatArray, lever: FloatArray) -> FloatArray:
    """Tangential and centripetal acceleration of a turning limb, in g, shape (n, 3)."""
    speed = np.gradient(angle) * RATE_HZ
    # The leg turns against gravity's turn in its frame: hence the signs.
    tangent = np.cross(axis, lever) / STANDARD_GRAVITY
    inertial = -(np.gradient(speed) * RATE_HZ)[:, None] * tangent
    return inertial + (speed**2)[:, None] * np.cross(axis, tangent)


def _smooth(rows: FloatArray, width_s: float) -> FloatArray:
    """Columns averaged over a window; there is rest before and after them."""
    window = np.hanning(int(width_s * RATE_HZ) + 2)
    window /= window.sum()
    return np.stack([np.convolve(column, window, "same") for column in rows.T], axis=1)


def _moving(angle: FloatArray, inertial: FloatArray) -> tuple[int, int]:
    """First and past-the-last point of what moves; half a second at least."""
    force = np.linalg.norm(inertial, axis=1)
    moves = (np.abs(angle) > _ANGLE_FROM * np.abs(angle).max()) | (
        force > _SHAKE_FROM * force.max()
    )
    where = np.flatnonzero(moves)
    first, last = max(int(where[0]) - 1, 0), min(int(where[-1]) + 2, len(angle))
    shortest = round(0.5 * RATE_HZ) + 1
    last = min(max(last, first + shortest), len(angle))
    return min(first, last - shortest), last
