"""The movement signal: how fast the acceleration vector changes, against the noise of the hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsmove.signal import _kernels
from rlsmove.signal.uniform_clock import CLOCK_HZ

#: Spans over which the vector is averaged before and after each moment. A change is looked for at
#: each: the short ones see jerks and shaking under a breathing chest, the long ones small turns
#: under sensor noise.
SPANS_S = (0.08, 0.24, 0.48, 0.96)

#: A change counts from this many times its own noise. The noise is the level that the seconds of
#: the neighborhood stay below for 40 % of the time; Gaussian noise in three axes passes four times
#: that level less than once in a night (seen in simulated rest), and movements have to fill more
#: than half of three minutes to raise it.
THRESHOLD_OVER_NOISE = 4.0
NOISE_QUANTILE = 0.4
NOISE_WINDOW_S = 180

#: Changes gathered over the length of a movement, as their root mean square, count from fewer
#: times their noise: what lasts is told from noise by its sum (span in s: multiple).
GATHERED_OVER_NOISE = {1.0: 2.2, 2.6: 1.7}

#: No threshold lies below this, however quiet the sensor: heartbeats shake an ankle by 1-2 mg.
LEAST_THRESHOLD_G = 0.003

#: The rest that a moment is compared with when a movement's ends are traced: the 2 s before it.
REST_S = 2.0

#: A signal is computed in pieces of this length.
PIECE_S = 3600

#: Points of the common clock in a second.
SECOND = round(CLOCK_HZ)

#: Smoothing of a single moment in that comparison.
MOMENT_S = 0.12

#: The limb counts as away from rest from this many times the noise of that distance. It can be
#: lower than the threshold for a change, because it is asked only where there is one already.
AWAY_OVER_NOISE = 2.0

#: Shaking counts from this many times the usual change over the shortest span.
SHAKING_OVER_NOISE = 2.0

#: Where the usual distance lies above this, the limb is not at rest but in use: lying still it is
#: 2-6 mg with the noisiest devices on hand, sitting or walking it is 36 mg and more.
UNREST_G = 0.016


@dataclass(frozen=True)
class Activity:
    """The movement signal of one night and its noise.

    Attributes
    ----------
    strength : ndarray of float32, shape (n,)
        For each point of the common clock, the largest change over the spans, each divided by
        its threshold: 1 is just significant.
    shaking : ndarray of float32, shape (n,)
        Change over the shortest span over its threshold.
    away_g : ndarray of float32, shape (ceil(n / 25),)
        For each second, the distance from rest, in g, from which a limb is away from it: the
        threshold for tracing.
    unrest : ndarray of bool, shape (ceil(n / 25),)
        Seconds in which the limb hardly ever rests, neither in the minutes before nor in those
        after.
    """

    strength: NDArray[np.float32]
    shaking: NDArray[np.float32]
    away_g: NDArray[np.float32]
    unrest: NDArray[np.bool_]


def movement_activity(acceleration: NDArray[np.float32], step_g: float) -> Activity:
    """Compute the movement signal of a night.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock, without NaN.
    step_g : float
        Step of the device's own scale, in g; a single step is never taken for a movement.

    Returns
    -------
    Activity
        Scaling, turning or shifting the acceleration leaves it unchanged, as far as the noise
        scales with it and stays above the least threshold.
    """
    least_g = max(LEAST_THRESHOLD_G, step_g)
    strength = np.zeros(len(acceleration), np.float32)
    windows = np.array([round(window_s * CLOCK_HZ) | 1 for window_s in GATHERED_OVER_NOISE])
    multiples = np.array([THRESHOLD_OVER_NOISE, *GATHERED_OVER_NOISE.values()])
    shaking = np.empty(0, np.float32)
    for span_s in SPANS_S:
        # Of one span at a time: 9 MB for a day.
        span = round(span_s * CLOCK_HZ)
        change = np.concatenate([values for _, values in _changes(acceleration, span)])
        noise = np.maximum(*local_noise(_second_means([(0, change)])))
        noise = np.maximum(noise, least_g / THRESHOLD_OVER_NOISE)
        _kernels.raise_strength(change, noise, windows, multiples, SECOND, strength)
        if span_s == SPANS_S[0]:
            level = np.repeat(SHAKING_OVER_NOISE * noise, SECOND)[: len(change)]
            shaking = (change / level).astype(np.float32)
    before, after = local_noise(_second_means(_distances(acceleration)))
    away_g = np.maximum(AWAY_OVER_NOISE * np.maximum(before, after), least_g)
    return Activity(
        strength, shaking, away_g.astype(np.float32), np.minimum(before, after) > UNREST_G
    )


def _changes(
    acceleration: NDArray[np.float32], span: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Change between the means of a span before and after each point, piece by piece."""
    return _pieces(
        acceleration,
        span,
        span,
        lambda piece, values: _kernels.distance_of_means(piece, span, span, values),
    )


def _distances(acceleration: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Distance of each point from the rest before it, piece by piece."""
    rest, half = round(REST_S * CLOCK_HZ), round(MOMENT_S * CLOCK_HZ) // 2
    return _pieces(
        acceleration,
        rest + half,
        half,
        lambda piece, values: _kernels.distance_of_means(piece, rest, 2 * half + 1, values[half:]),
    )


def _pieces(
    acceleration: NDArray[np.float32],
    before: int,
    after: int,
    compute: Callable[[NDArray[np.float32], NDArray[np.float32]], None],
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Number of the first point and the values of each piece of a signal.

    A piece is computed with as many points before and after it as its values hang on.
    """
    n = len(acceleration)
    for first in range(0, n, PIECE_S * SECOND):
        last = min(first + PIECE_S * SECOND, n)
        low, high = max(first - before, 0), min(last + after, n)
        values = np.zeros(high - low, np.float32)
        compute(acceleration[low:high], values)
        yield first, values[first - low : last - low]


def _second_means(pieces: Iterable[tuple[int, NDArray[np.float32]]]) -> NDArray[np.float64]:
    """Mean of each second of a signal; NaN where all of it is exactly 0."""
    means = [np.empty(0)]
    for _, values in pieces:
        starts = np.arange(0, len(values), SECOND)
        sums = np.add.reduceat(values, starts, dtype=np.float64)
        sums[sums == 0.0] = np.nan
        means.append(sums / np.diff(starts, append=len(values)))
    return np.concatenate(means)


def local_noise(
    means: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Noise level before and after each second of a signal.

    Parameters
    ----------
    means : ndarray of float64, shape (m,)
        Mean of each second of a signal that is never negative. NaN says nothing of the noise and
        is left out: a filled gap, a made-up rest.

    Returns
    -------
    before, after : ndarray of float64, shape (m,)
        For each second, the quantile of the three minutes up to it and of the three minutes from
        it on. Of the two the louder makes the threshold.
    """
    window = min(NOISE_WINDOW_S, len(means))
    forward = np.empty(len(means) - window + 1)
    _kernels.rolling_quantile(means, NOISE_QUANTILE, np.empty(window), forward)
    second = np.arange(len(means))
    after = forward[np.minimum(second, len(forward) - 1)]
    before = forward[np.maximum(second - window + 1, 0)]
    return before, after
