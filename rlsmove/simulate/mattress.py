"""What a mattress passes on of somebody else's movement: shaking, and a tilt of the bed."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from rlsmove.records import FloatArray
from rlsmove.simulate.gestures import RATE_HZ
from rlsmove.simulate.limb_motion import rotate, unit


def passed_on(
    frequency_hz: float,
    damping: float,
    height_g: float,
    duration_s: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Shaking of a damped mattress by pushes that come and go.

    Parameters
    ----------
    frequency_hz, damping : float
        Of the mattress, an oscillator of the second order.
    height_g : float
        Largest acceleration.
    duration_s : float
        How long the pushes last; the mattress rings on for up to 2 s.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (n, 3), in g
        At `RATE_HZ`, in the axes of the bed.
    """
    n = int(duration_s * RATE_HZ)
    ring_s = min(3.0 / (2 * np.pi * frequency_hz * damping), 2.0)
    push = np.zeros((n + int(ring_s * RATE_HZ), 3))
    if rng.random() < 0.5:
        # Few kicks, each in its own direction.
        for at in rng.integers(0, n, int(rng.integers(1, 6))):
            push[at : at + 10] += rng.uniform(0.3, 1.0) * unit(rng.normal(size=3))
    else:
        push[:n] = rng.standard_normal((n, 3)) * np.sin(np.pi * np.arange(n) / n)[:, None]
        push[:n] *= unit(rng.uniform(0.2, 1.0, 3))
    omega = 2 * np.pi * frequency_hz / RATE_HZ
    pole = np.exp(-damping * omega) * np.exp(1j * omega * np.sqrt(1 - damping**2))
    # Zeros at rest: an acceleration has no mean.
    felt = lfilter([1.0, -2.0, 1.0], [1.0, -2 * pole.real, abs(pole) ** 2], push, axis=0)
    return felt * height_g / np.linalg.norm(felt, axis=1).max()


def sway(
    most_deg: float, gravity: FloatArray, n: int, duration_s: float, rng: np.random.Generator
) -> FloatArray:
    """Change of gravity at the sensor while the bed is tilted under the leg.

    Parameters
    ----------
    most_deg : float
        Largest tilt.
    gravity : ndarray, shape (3,)
        What the sensor feels otherwise.
    n : int
        Points at `RATE_HZ`.
    duration_s : float
        From the way up to the end of the way down.
    rng : Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (n, 3), in g
    """
    tilt_rad = np.deg2rad(most_deg * rng.uniform(0.2, 1.0))
    axis = unit(np.cross(gravity, rng.normal(size=3)))
    u = np.arange(n) / RATE_HZ / duration_s
    edge = rng.uniform(0.1, 0.45)
    rise = (1 - np.cos(np.pi * np.clip(u / edge, 0, 1))) / 2
    fall = (1 - np.cos(np.pi * np.clip((1 - u) / edge, 0, 1))) / 2
    return rotate(gravity, (tilt_rad * rise * fall)[:, None] * axis) - gravity
