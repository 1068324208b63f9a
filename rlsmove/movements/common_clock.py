"""Two clocks on one: offset and drift from movements that both saw, of two legs or a laboratory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rlsmove.records import FloatArray, IntArray, Intervals, Movements

#: The legs are combined when the error of the common clock stays below this all night: the rules
#: join legs across 0.5 s, so half of it would already change pairs.
COMBINED_ERROR_S = 0.1
#: A laboratory's clock is to be right within 0.1 s, which twice its standard error stays below.
LABORATORY_ERROR_S = 0.05


@dataclass(frozen=True)
class ClockSearch:
    """How far apart two clocks may be, and what they are called.

    Attributes
    ----------
    reach_s : float or None
        Largest offset; None for any at which the two lists overlap.
    drift_ppm : float
        Largest drift of one against the other.
    around_s : tuple of float
        Reach around the line of the fits, one after the other.
    largest_error_s : float
        Standard error up to which both are put on one clock.
    over_chance : float
        A clock needs this many times as many movements that fit it as the best clock elsewhere:
        any two lists of movements agree somewhere by chance.
    one, other : str
        The two, in sentences.
    together : str
        What is done with them on one clock, in sentences.
    apart : str
        What is done without.
    """

    reach_s: float | None
    drift_ppm: float
    around_s: tuple[float, ...]
    largest_error_s: float
    over_chance: float
    one: str
    other: str
    together: str
    apart: str


#: Two devices that were set by the same computer.
LEGS = ClockSearch(
    reach_s=65.0,
    drift_ppm=60.0,
    around_s=(0.6, 0.4),
    largest_error_s=COMBINED_ERROR_S,
    over_chance=1.5,
    one="left",
    other="right",
    together="to combine the legs",
    apart="each leg is scored alone",
)
#: ... and where one of them was not: in summer time, or set by hand.
LEGS_HOURS_APART = replace(LEGS, reach_s=4 * 3600.0, over_chance=2.0)
#: A laboratory's list may count from anything. Cheap crystals differ by up to 100 ppm.
LABORATORY = ClockSearch(
    reach_s=None,
    drift_ppm=120.0,
    around_s=(1.0, 0.8),
    largest_error_s=LABORATORY_ERROR_S,
    over_chance=1.5,
    one="sensor's",
    other="laboratory's",
    together="to match movements",
    apart="the clocks stay as told",
)

#: Within hours the offset is first found to this many seconds, then within `NEAR_S` of that.
WIDE_BIN_S = 0.2
NEAR_S = 65.0
#: Pairs of movements that are looked at, at most; of more, every other one and so on.
PAIRS_MOST = 4_000_000

#: Width of the votes on the grid.
COARSE_S = 0.25

#: Onsets of what both legs feel at once scatter by about this much.
SCATTER_S = 0.2
#: Onsets are told no finer.
SCATTER_LEAST_S = 0.02
ITERATIONS = 30
TIME_UNIT_S = 3600.0

#: A clock needs this many movements that fit it.
LEAST_PAIRS = 8
#: Other clocks are looked for at least this far from the chosen one.
ELSEWHERE_S = 2.0


@dataclass(frozen=True)
class CommonClock:
    """One clock against another: other = one + offset + drift * one.

    Attributes
    ----------
    offset_s : float
        At the start of the first recording, beyond what the two start times say.
    drift_ppm : float
        How much faster the other clock runs.
    error_s : float
        Largest standard error over the night, in seconds; infinite where nothing fits.
    n_pairs : int
        Movements that both saw.
    combined : bool
        Whether it is good enough to put both on one clock.
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
    def unknown(cls, why: str, search: ClockSearch = LEGS) -> CommonClock:
        """No common clock, for a reason in words."""
        names = f"the {search.one} and the {search.other}"
        sentence = f"no common clock found for {names}: {why}; {search.apart}"
        return cls(0.0, 0.0, float("inf"), 0, False, sentence)

    def on_first_clock(self, times_ms: IntArray) -> IntArray:
        """Times of the other clock on the first one's."""
        moved_ms = (times_ms - 1000.0 * self.offset_s) / (1.0 + 1e-6 * self.drift_ppm)
        return np.round(moved_ms).astype(np.int64)

    def on_left_clock(self, right: Movements) -> Movements:
        """Movements of the right leg with their onsets moved to the left device's clock."""
        return replace(right, onset_ms=self.on_first_clock(right.onset_ms))

    def intervals_on_first_clock(self, intervals: Intervals) -> Intervals:
        """Stretches of the other clock's time on the first one's."""
        return Intervals(
            self.on_first_clock(intervals.onset_ms), self.on_first_clock(intervals.offset_ms)
        )


def find_common_clock(
    left: Movements, right: Movements, search: ClockSearch | None = None
) -> CommonClock:
    """Find offset and drift between two clocks from the onsets of movements.

    Every pair of onsets votes for an offset. Pairs of the same movement agree on a line in time,
    all others scatter. The line with the most votes is found on a grid, then fitted to its pairs
    by least squares, outliers left out.

    Parameters
    ----------
    left, right : Movements
        Of all kinds, each on its own clock, both counted from the start of the first recording by
        what the start times say.
    search : ClockSearch, optional
        What is looked for; by default two legs, less than 65 s apart and then hours apart.

    Returns
    -------
    CommonClock
        With an error estimate, and a refusal in words where it is not good enough.
    """
    if search is not None:
        return _found_clock(left.onset_ms, right.onset_ms, search)
    clock = _found_clock(left.onset_ms, right.onset_ms, LEGS)
    if clock.combined:
        return clock
    apart = _found_clock(left.onset_ms, right.onset_ms, LEGS_HOURS_APART)
    return apart if apart.combined else clock


def _found_clock(one_ms: IntArray, other_ms: IntArray, search: ClockSearch) -> CommonClock:
    centre_s, reach_s, likely = 0.0, search.reach_s, float("inf")
    if reach_s is None or reach_s > NEAR_S:
        centre_s, likely = _wide_offset(one_ms, other_ms, search)
        reach_s = NEAR_S
    time_s, shift_s = _pairs(one_ms, other_ms, centre_s, reach_s)
    if len(time_s) < LEAST_PAIRS:
        return CommonClock.unknown(
            f"only {len(time_s)} movements of the two lie within a minute", search
        )
    middle_s = 0.5 * (time_s.min() + time_s.max())
    votes, offset_s, drift = _coarse_line(time_s - middle_s, shift_s, search)
    for around_s in search.around_s:
        near = np.abs(shift_s - offset_s - drift * (time_s - middle_s)) < around_s
        if np.count_nonzero(near) < LEAST_PAIRS:
            break
        offset_s, drift, error_s = _peaked_line(
            time_s[near] - middle_s, shift_s[near], offset_s, drift, around_s, search
        )
    n_pairs = int(np.count_nonzero(near))
    elsewhere = _most_votes_beside(time_s - middle_s, shift_s, offset_s, drift)
    elsewhere = max(elsewhere, votes / likely if likely < search.over_chance else 0.0)
    if n_pairs < LEAST_PAIRS or votes < search.over_chance * elsewhere:
        return CommonClock.unknown(
            f"the best clock has {votes:.0f} movements for it and the best one elsewhere "
            f"{elsewhere:.0f}; that may be chance",
            search,
        )
    drift_ppm = 1e6 * drift
    start_s = centre_s + offset_s - drift * middle_s
    combined = error_s <= search.largest_error_s and abs(drift_ppm) <= search.drift_ppm
    sentence = (
        f"the {search.other} clock is {start_s:+.2f} s off the {search.one} one at its start and "
        f"drifts by {drift_ppm:+.1f} ppm, by {n_pairs} movements that both show; the error is at "
        f"most {error_s:.3f} s" + ("" if combined else f", too large {search.together}")
    )
    return CommonClock(float(start_s), float(drift_ppm), error_s, n_pairs, combined, sentence)


def _pairs(
    one_ms: IntArray, other_ms: IntArray, centre_s: float, reach_s: float
) -> tuple[FloatArray, FloatArray]:
    """Time, and difference beyond the centre, in s, of all pairs within reach of the centre."""
    low, high = (round(1000 * (centre_s + edge_s)) for edge_s in (-reach_s, reach_s))
    first = np.searchsorted(other_ms, one_ms + low)
    last = np.searchsorted(other_ms, one_ms + high, side="right")
    count = last - first
    rows = np.repeat(np.arange(len(one_ms)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    columns = np.repeat(first, count) + within
    return one_ms[rows] / 1000.0, (other_ms[columns] - one_ms[rows]) / 1000.0 - centre_s


def _wide_offset(one_ms: IntArray, other_ms: IntArray, search: ClockSearch) -> tuple[float, float]:
    """Offset with the most votes among all, and by how much it beats the best elsewhere."""
    thin = max(1, -(-len(one_ms) * len(other_ms) // PAIRS_MOST))
    kept = one_ms[::thin]
    if not len(kept) or not len(other_ms):
        return 0.0, 1.0
    reach_s = search.reach_s
    if reach_s is None:
        reach_s = float(np.abs([other_ms[-1] - kept[0], other_ms[0] - kept[-1]]).max()) / 1000 + 1
    time_s, shift_s = _pairs(kept, other_ms, 0.0, reach_s)
    if not len(time_s):
        return 0.0, 1.0
    time_s = time_s - 0.5 * (time_s[0] + time_s[-1])
    low_s, high_s = float(shift_s.min()) - 10, float(shift_s.max()) + 10
    n_bins = int((high_s - low_s) / WIDE_BIN_S) + 2
    best = np.zeros(n_bins)
    for drift in _grid(time_s, search):
        place = ((shift_s - drift * time_s - low_s) / WIDE_BIN_S).astype(np.int64)
        histogram = np.bincount(np.clip(place, 0, n_bins - 1), minlength=n_bins).astype(float)
        votes = histogram.copy()
        votes[1:] += 0.5 * histogram[:-1]
        votes[:-1] += 0.5 * histogram[1:]
        np.maximum(best, votes, out=best)
    at = int(np.argmax(best))
    beside = int(ELSEWHERE_S / WIDE_BIN_S) + round(
        0.5e-6 * search.drift_ppm * np.ptp(time_s) / WIDE_BIN_S
    )
    others = np.concatenate([best[: max(at - beside, 0)], best[at + beside + 1 :]])
    return low_s + (at + 0.5) * WIDE_BIN_S, float(best[at] / max(np.max(others, initial=0.0), 1.0))


def _grid(time_s: FloatArray, search: ClockSearch) -> FloatArray:
    """Drifts to be tried: between neighbors the ends of the night move by 0.1 s."""
    half_s = max(float(np.max(np.abs(time_s))), 1.0)
    steps = int(np.ceil(1e-6 * search.drift_ppm * half_s / 0.1))
    return np.linspace(-1.0, 1.0, 2 * steps + 1) * 1e-6 * search.drift_ppm


def _votes(shift_s: FloatArray) -> FloatArray:
    """Smoothed histogram of shifts in bins of 0.05 s, shape (2 * 66 / 0.05,)."""
    histogram, _ = np.histogram(shift_s, np.arange(-1320, 1321) * 0.05)
    kernel = np.exp(-0.5 * (np.arange(-10, 11) * 0.05 / (COARSE_S / 2)) ** 2)
    return np.convolve(histogram, kernel, "same")


def _coarse_line(
    time_s: FloatArray, shift_s: FloatArray, search: ClockSearch
) -> tuple[float, float, float]:
    """Votes, offset at time 0 and drift of the best line."""
    best = (-1.0, 0.0, 0.0)
    for drift in _grid(time_s, search):
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
    return float(np.max(votes[np.abs(place - offset_s) > ELSEWHERE_S]))


def _peaked_line(
    time_s: FloatArray,
    shift_s: FloatArray,
    offset_s: float,
    drift: float,
    reach_s: float,
    search: ClockSearch,
) -> tuple[float, float, float]:
    """Offset, drift and largest standard error, fitted by Cauchy weights around a first guess.

    Movements that both legs feel at once agree within the detector's own scatter; those that the
    legs make one after the other trail off to both sides and are given little weight. Such a fit
    has many local best lines, so it starts from the best of a grid of shifts at both ends.
    """
    design = np.stack([np.ones(len(time_s)), time_s / TIME_UNIT_S], axis=1)
    limit = 1e-6 * search.drift_ppm * TIME_UNIT_S
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
    for _ in range(ITERATIONS):
        weight = 1.0 / (1.0 + ((shift_s - design @ line) / SCATTER_S) ** 2)
        normal = design.T @ (design * weight[:, None])
        # A movement's weight in drift is little where all lie close together in time.
        line = np.linalg.solve(normal + 1e-9 * np.eye(2), design.T @ (weight * shift_s))
        line[1] = np.clip(line[1], -limit, limit)
    line, covariance = _normal_among_others(design, shift_s, line, reach_s)
    line[1] = np.clip(line[1], -limit, limit)
    errors = np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    return float(line[0]), float(line[1] / TIME_UNIT_S), float(np.max(errors))


def _normal_among_others(
    design: FloatArray, shift_s: FloatArray, line: FloatArray, reach_s: float
) -> tuple[FloatArray, FloatArray]:
    """Fit a line to points that scatter normally about it among others spread evenly.

    Expectation and maximization: the scatter and the share of the others are the data's own.

    Returns
    -------
    line : ndarray of float64, shape (2,)
        Offset, and drift per `TIME_UNIT_S`.
    covariance : ndarray of float64, shape (2, 2)
        Its estimated error, by a sandwich of the fit's own weights.
    """
    scatter_s, share = SCATTER_S, 0.5
    for _ in range(ITERATIONS):
        residual = shift_s - design @ line
        normal_s = np.exp(-0.5 * (residual / scatter_s) ** 2) / (scatter_s * np.sqrt(2 * np.pi))
        belongs = share * normal_s / (share * normal_s + (1 - share) / (2 * reach_s))
        gram = design.T @ (design * belongs[:, None]) + 1e-9 * np.eye(2)
        line = np.linalg.solve(gram, design.T @ (belongs * shift_s))
        residual = shift_s - design @ line
        scatter_s = float(
            np.sqrt(np.sum(belongs * residual**2) / max(float(np.sum(belongs)), 1e-9))
        )
        scatter_s = min(max(scatter_s, SCATTER_LEAST_S), reach_s / 2)
        share = float(np.clip(np.mean(belongs), 0.05, 0.95))
    # The derivative of belongs * residual: points that might be others tell less.
    slope = belongs * (1 - (1 - belongs) * (residual / scatter_s) ** 2)
    bread = np.linalg.inv(design.T @ (design * slope[:, None]) + 1e-9 * np.eye(2))
    meat = design * (belongs * residual)[:, None]
    return line, bread @ (meat.T @ meat) @ bread
