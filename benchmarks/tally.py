"""What a detector made of simulated nights: movements found, missed and made up, and the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import KINDS, LEG_MOVEMENT, SIDES, Intervals, Movements
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements
from rlsmove.simulate import SimulatedNight
from rlsmove.simulate.files import true_counts

#: A find belongs to a movement when their onsets lie no further apart.
TOLERANCE_S = 0.5

#: Draws of nights for an interval.
_RESAMPLES = 500


@dataclass
class Tally:
    """What one detector made of some nights.

    Attributes
    ----------
    found, missed, false, split : int
        Detectable leg movements found and not found, finds of nothing, and movements that two or
        more finds share.
    causes : Counter
        What the false finds were, by name.
    hours : float
        Time from lights off to lights on, of each leg.
    onset_error_s, duration_error_s : list of float
        Found less true onset and duration.
    index_error : list of float
        Found less true PLMS per hour, a night.
    """

    found: int = 0
    missed: int = 0
    false: int = 0
    split: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    hours: float = 0.0
    onset_error_s: list[float] = field(default_factory=list)
    duration_error_s: list[float] = field(default_factory=list)
    index_error: list[float] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.split + other.split,
            self.causes + other.causes,
            self.hours + other.hours,
            self.onset_error_s + other.onset_error_s,
            self.duration_error_s + other.duration_error_s,
            self.index_error + other.index_error,
        )

    def bare(self) -> Tally:
        """Without what only medians need: quick to add."""
        return replace(self, causes=Counter(), onset_error_s=[], duration_error_s=[])

    @property
    def false_per_hour(self) -> float:
        """False finds per hour in bed of one leg."""
        return _ratio(self.false, self.hours)

    @property
    def index_mae(self) -> float:
        """Mean absolute error of the PLMS index, per hour."""
        return float(np.abs(self.index_error).mean()) if self.index_error else float("nan")

    @property
    def precision(self) -> float:
        """Share of the finds that are leg movements; NaN without finds."""
        return _ratio(self.found, self.found + self.false)

    @property
    def recall(self) -> float:
        """Share of the detectable leg movements that were found; NaN where there are none."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where there are no leg movements."""
        if self.found + self.missed == 0:
            return float("nan")
        return 2 * self.found / (2 * self.found + self.false + self.missed)


def interval(nights: Sequence[Tally], measure: Callable[[Tally], float]) -> tuple[float, float]:
    """95 % of what other nights of the same kinds might have given: nights drawn with replacement.

    Parameters
    ----------
    nights : sequence of Tally
        A tally a night.
    measure : callable
        What is asked of their sum.

    Returns
    -------
    low, high : float
        The same each time for the same nights; NaN where the measure is.
    """
    rng = np.random.default_rng(0)
    values = []
    for _ in range(_RESAMPLES):
        rows = rng.integers(len(nights), size=len(nights))
        values.append(measure(pooled([nights[row].bare() for row in rows])))
    low, high = np.nanpercentile(values, (2.5, 97.5)) if nights else (np.nan, np.nan)
    return float(low), float(high)


def pooled(nights: Sequence[Tally]) -> Tally:
    """The sum of some nights."""
    return sum(nights, Tally())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def matched(
    true_s: NDArray[np.float64], found_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair sorted onsets one to one within the tolerance, as many as can be.

    Parameters
    ----------
    true_s, found_s : ndarray
        Sorted onsets, in seconds.

    Returns
    -------
    true_rows, found_rows : ndarray of int64
        Rows of each pair. With one tolerance for all, pairing the earliest with the earliest
        gives the largest number.
    """
    pairs = []
    i = j = 0
    while i < len(true_s) and j < len(found_s):
        if abs(true_s[i] - found_s[j]) <= TOLERANCE_S:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif true_s[i] < found_s[j]:
            i += 1
        else:
            j += 1
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def judge(night: SimulatedNight, detected: dict[str, Movements]) -> Tally:
    """Compare what was found on each side of one night with the truth.

    Parameters
    ----------
    night : SimulatedNight
        The night.
    detected : dict of str to Movements
        By side, on the true clock; those of kind leg movement count, unless they are longer than
        a candidate may be: such a find is nobody's leg movement, it only ends series.
    """
    tally = Tally()
    truth = night.truth
    low, high = night.sleep.lights_off_ms or 0, night.sleep.lights_on_ms or 0
    for side, movements in detected.items():
        own = truth.movements.side == SIDES.index(side)
        in_bed = (truth.movements.onset_ms >= low) & (truth.movements.onset_ms < high)
        wanted = np.flatnonzero(own & in_bed & truth.leg_movements & truth.detectable)
        found = movements.take(
            (movements.kind == LEG_MOVEMENT)
            & (movements.duration_ms <= WASM_2016.clm_max_ms)
            & (movements.onset_ms >= low)
            & (movements.onset_ms < high)
        )
        true_s = truth.movements.onset_ms[wanted] / 1000
        found_s = found.onset_ms / 1000
        hits, used = matched(true_s, found_s)
        tally.found += len(hits)
        tally.missed += len(wanted) - len(hits)
        tally.onset_error_s += (found_s[used] - true_s[hits]).tolist()
        length = truth.movements.duration_ms[wanted][hits]
        tally.duration_error_s += ((found.duration_ms[used] - length) / 1000).tolist()
        tally.hours += (high - low) / 3_600_000
        tally.split += _shared(truth.movements.take(wanted), found)
        for row in np.setdiff1d(np.arange(len(found)), used):
            cause = _cause(night, np.flatnonzero(own), found, int(row))
            if cause == "not detectable":
                continue
            tally.false += 1
            tally.causes[cause] += 1
    tally.index_error.append(_index(night, detected) - _true_index(night))
    return tally


def _shared(true: Movements, found: Movements) -> int:
    """How many true movements overlap two or more finds."""
    ends = true.onset_ms + true.duration_ms
    first = np.searchsorted(
        np.maximum.accumulate(found.onset_ms + found.duration_ms), true.onset_ms
    )
    last = np.searchsorted(found.onset_ms, ends)
    return int((last - first >= 2).sum())


def _cause(night: SimulatedNight, own: NDArray[np.int64], found: Movements, row: int) -> str:
    """Name what a false find lies on: the longest overlap among the leg's true movements."""
    truth = night.truth
    onset = truth.movements.onset_ms[own]
    overlap = np.minimum(
        onset + truth.movements.duration_ms[own], found.onset_ms[row] + found.duration_ms[row]
    ) - np.maximum(onset, found.onset_ms[row])
    if len(own) == 0 or overlap.max() <= 0:
        return "nothing"
    best = int(own[int(np.argmax(overlap))])
    if truth.leg_movements[best]:
        return "part of a leg movement" if truth.detectable[best] else "not detectable"
    if truth.cause[best] == "other_leg":
        return "other leg's shake"
    return KINDS[truth.movements.kind[best]].replace("_", " ")


def _index(night: SimulatedNight, detected: dict[str, Movements]) -> float:
    scoring = score_movements(
        Movements.concatenate(*detected.values()),
        sleep=night.sleep,
        respiratory=night.respiratory if len(night.respiratory) else None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    in_bed = (scoring.onset_ms >= (night.sleep.lights_off_ms or 0)) & (
        scoring.onset_ms < (night.sleep.lights_on_ms or 0)
    )
    hours = float((night.sleep.stage > 0).sum()) * 30 / 3600
    return float((in_bed & (scoring.plm == 1) & (scoring.sleep == 1)).sum()) / hours


def _true_index(night: SimulatedNight) -> float:
    counts = true_counts(night, night.truth.leg_movements & night.truth.detectable)
    return float(counts["plms_per_hour"] or 0.0)
