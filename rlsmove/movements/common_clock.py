"""Two devices on one clock: their offset and drift from movements that both legs feel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rlsmove.records import FloatArray, IntArray, Movements

#: How far the clocks may differ, and drift against each other.
LARGEST_OFFSET_S = 65.0
LARGEST_DRIFT_PPM = 60.0

#: The legs are combined when the error of the common clock stays below this all night: the rules
#: join legs across 0.5 s, so half of it would already change pairs.
COMBINED_ERROR_S = 0.1

#: Width of the votes on the grid, and reach around the line of the two fits that follow.
COARSE_S = 0.25
REACH_S = (0.6, 0.4)

#: Onsets of what both legs feel at once scatter by about this much.
SCATTER_S = 0.2
ITERATIONS = 30
TIME_UNIT_S = 3600.0

#: A clock needs this many movements that fit it, and this many times as many as the best clock
#: elsewhere: any two lists of movements agree somewhere by chance.
LEAST_PAIRS = 8
OVER_CHANCE = 1.5


@dataclass(frozen=True)
class CommonClock:
    """The right device's clock against the left one's: right = left + offset + drift * left.

    Attributes
    ----------
    offset_s : float
        At the start of the left recording, beyond what the two start times say.
    drift_ppm : float
        How much faster the right clock runs.
    error_s : float
        Largest standard error over the night, in seconds; infinite where nothing fits.
    n_pairs : int
        Movements that both legs felt.
    combined : bool
        Whether it is good enough to combine the legs.
    sentence : str
        The same in words.
    """

    offset_s: float
    drift_ppm: float
    error_s: float
    n_pairs: int
    combined: bool
    sentence: str

    @classmethod
    def unknown(cls, why: str) -> CommonClock:
        """No common clock, for a reason in words."""
        sentence = f"no common clock found for the two legs: {why}; each leg is scored alone"
        return cls(0.0, 0.0, np.inf, 0, False, sentence)

    def on_left_clock(self, right: Movements) -> Movements:
        """Movements of the right leg with their onsets moved to the left device's clock."""
        onset_ms = np.round(
            (right.onset_ms - 1000.0 * self.offset_s) / (1.0 + 1e-6 * self.drift_ppm)
        )
        return replace(right, onset_ms=onset_ms.astype(np.int64))


def find_common_clock(left: Movements, right: Movements) -> CommonClock:
    """Find offset and drift between two devices from the onsets of their movements.

    Every pair of onsets less than 65 s apart votes for an offset. Pairs of the same movement agree
    on a line in time, all others scatter. The line with the most votes is found on a grid, then
    fitted to its pairs by least squares, outliers left out.

    Parameters
    ----------
    left, right : Movements
        Of all kinds, each on its own device's clock, both counted from the start of the left
        recording by what the devices' start times say.

    Returns
    -------
    CommonClock
        With an error estimate, and a refusal in words where it is not good enough.
    """
    time_s, shift_s = _pairs(left.onset_ms, right.onset_ms)
    if len(time_s) < LEAST_PAIRS:
        return CommonClock.unknown(
            f"only {len(time_s)} movements of the two legs lie within a minute"
        )
    middle_s = 0.5 * (time_s.min() + time_s.max())
    votes, offset_s, drift = _coarse_line(time_s - middle_s, shift_s)
    for reach_s in REACH_S:
        near = np.abs(shift_s - offset_s - drift * (time_s - middle_s)) < reach_s
        if np.count_nonzero(near) < LEAST_PAIRS:
            break
        offset_s, drift, error_s = _peaked_line(
            time_s[near] - middle_s, shift_s[near], offset_s, drift, reach_s
        )
    n_pairs = int(np.count_nonzero(near))
    elsewhere = _most_votes_beside(time_s - middle_s, shift_s, offset_s, drift)
    if n_pairs < LEAST_PAIRS or votes < OVER_CHANCE * elsewhere:
        return CommonClock.unknown(
            f"the best clock has {votes:.0f} movements for it and the best one elsewhere "
            f"{elsewhere:.0f}; that may be chance"
        )
    drift_ppm = 1e6 * drift
    start_s = offset_s - drift * middle_s
    combined = error_s <= COMBINED_ERROR_S and abs(drift_ppm) <= LARGEST_DRIFT_PPM
    sentence = (
        f"the right clock is {start_s:+.2f} s off the left one at its start and drifts by "
        f"{drift_ppm:+.1f} ppm, by {n_pairs} movements that both legs felt; the error is at most "
        f"{error_s:.3f} s" + ("" if combined else ", too large to combine the legs")
    )
    return CommonClock(float(start_s), float(drift_ppm), error_s, n_pairs, combined, sentence)


def _pairs(left_ms: IntArray, right_ms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Time and difference, in s, of all pairs of onsets less than the largest offset apart."""
    reach = int(1000 * LARGEST_OFFSET_S)
    first = np.searchsorted(right_ms, left_ms - reach)
    last = np.searchsorted(right_ms, left_ms + reach, side="right")
    count = last - first
    rows = np.repeat(np.arange(len(left_ms)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    columns = np.repeat(first, count) + within
    return left_ms[rows] / 1000.0, (right_ms[columns] - left_ms[rows]) / 1000.0


def _grid(time_s: FloatArray) -> FloatArray:
    """Drifts to be tried: between neighbors the ends of the night move by 0.1 s."""
    half_s = max(float(np.max(np.abs(time_s))), 1.0)
    steps = int(np.ceil(1e-6 * LARGEST_DRIFT_PPM * half_s / 0.1))
    return np.linspace(-1.0, 1.0, 2 * steps + 1) * 1e-6 * LARGEST_DRIFT_PPM


def _votes(shift_s: FloatArray) -> FloatArray:
    """Smoothed histogram of shifts in bins of 0.05 s, shape (2 * 66 / 0.05,)."""
    histogram, _ = np.histogram(shift_s, np.arange(-1320, 1321) * 0.05)
    kernel = np.exp(-0.5 * (np.arange(-10, 11) * 0.05 / (COARSE_S / 2)) ** 2)
    return np.convolve(histogram, kernel, "same")


def _coarse_line(time_s: FloatArray, shift_s: FloatArray) -> tuple[float, float, float]:
    """Votes, offset at time 0 and drift of the best line."""
    best = (-1.0, 0.0, 0.0)
    for drift in _grid(time_s):
        votes = _votes(shift_s - drift * time_s)
        place = int(np.argmax(votes))
        if votes[place] > best[0]:
            best = (float(votes[place]), (place - 1320 + 0.5) * 0.05, float(drift))
    return best


def _most_votes_beside(
    time_s: FloatArray, shift_s: FloatArray, offset_s: float, drift: float
) -> float:
    """Votes of the best offset more than 2 s from the chosen one, at the chosen drift."""
    votes = _votes(shift_s - drift * time_s)
    place = (np.arange(-1320, 1320) + 0.5) * 0.05
    return float(np.max(votes[np.abs(place - offset_s) > 2.0]))


def _peaked_line(
    time_s: FloatArray, shift_s: FloatArray, offset_s: float, drift: float, reach_s: float
) -> tuple[float, float, float]:
    """Offset, drift and largest standard error, fitted by Cauchy weights around a first guess.

    Movements that both legs feel at once agree within the detector's own scatter; those that the
    legs make one after the other trail off to both sides and are given little weight. Such a fit
    has many local best lines, so it starts from the best of a grid of shifts at both ends.
    """
    design = np.stack([np.ones(len(time_s)), time_s / TIME_UNIT_S], axis=1)
    limit = 1e-6 * LARGEST_DRIFT_PPM * TIME_UNIT_S
    tried_s = np.arange(-reach_s, reach_s + SCATTER_S / 4, SCATTER_S / 2)
    along = (time_s - time_s.min()) / max(float(np.ptp(time_s)), 1.0)
    residual = shift_s - offset_s - drift * time_s
    peak = np.empty((len(tried_s), len(tried_s)))
    for row, first_s in enumerate(tried_s):
        late_s = residual - (1.0 - along) * first_s - along * tried_s[:, None]
        peak[row] = np.sum(1.0 / (1.0 + (late_s / SCATTER_S) ** 2), axis=1)
    first, last = np.unravel_index(np.argmax(peak), peak.shape)
    slope = (tried_s[last] - tried_s[first]) / max(float(np.ptp(time_s)), 1.0)
    line = np.array(
        [offset_s + tried_s[first] - slope * time_s.min(), (drift + slope) * TIME_UNIT_S]
    )
    weight = np.ones(len(time_s))
    for _ in range(ITERATIONS):
        weight = 1.0 / (1.0 + ((shift_s - design @ line) / SCATTER_S) ** 2)
        normal = design.T @ (design * weight[:, None])
        # A movement's weight in drift is little where all lie close together in time.
        line = np.linalg.solve(normal + 1e-9 * np.eye(2), design.T @ (weight * shift_s))
        line[1] = np.clip(line[1], -limit, limit)
    # Sandwich estimate of the error of a weighted fit.
    inverse = np.linalg.inv(normal + 1e-9 * np.eye(2))
    meat = design * (weight * (shift_s - design @ line))[:, None]
    covariance = inverse @ (meat.T @ meat) @ inverse
    errors = np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    return float(line[0]), float(line[1] / TIME_UNIT_S), float(np.max(errors))
