"""How far two scorings of one night mark the same movements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rlsmove.movements.common_clock import LABORATORY, find_common_clock
from rlsmove.records import FloatArray, IntArray, Movements

#: Two marks of one movement begin this close together.
TOLERANCE_S = 0.5

#: Without a clock found, that of the files is believed where so many movements, and half of the
#: shorter list, find each other on it.
_FITTING_MIN = 3


class ClockShift(NamedTuple):
    """By how much the clock of the test was set right.

    Attributes
    ----------
    offset_s : float
        Added to the times of the test, at their start.
    drift_ppm : float
        Added to them besides, in seconds per million.
    sure : bool
        Whether movements agreed on it; both are 0 where they did not.
    """

    offset_s: float
    drift_ppm: float
    sure: bool


@dataclass(frozen=True)
class EventAgreement:
    """Movements that two scorings share, and how they differ.

    Attributes
    ----------
    n_reference, n_test, n_matched : int
        Movements of each, and those that found each other.
    onset_error_s, offset_error_s : ndarray of float64, shape (n_matched,)
        Test less reference.
    """

    n_reference: int
    n_test: int
    onset_error_s: FloatArray
    offset_error_s: FloatArray

    @property
    def n_matched(self) -> int:
        """Movements that found each other."""
        return len(self.onset_error_s)

    @property
    def precision(self) -> float | None:
        """Part of the test's movements that the reference has."""
        return self.n_matched / self.n_test if self.n_test else None

    @property
    def recall(self) -> float | None:
        """Part of the reference's movements that the test has."""
        return self.n_matched / self.n_reference if self.n_reference else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where neither has a movement."""
        together = self.n_reference + self.n_test
        return 2 * self.n_matched / together if together else None


def agree_on_events(
    reference: tuple[IntArray, IntArray], test: tuple[IntArray, IntArray], tolerance_s: float
) -> EventAgreement:
    """Match two lists of movements one to one and say how they differ.

    Parameters
    ----------
    reference, test : tuple of ndarray of int64
        Onset and offset in ms, sorted by onset, on one clock.
    tolerance_s : float
        Largest difference of matched onsets.
    """
    mine, theirs = matched(reference[0], test[0], round(tolerance_s * 1000))
    return EventAgreement(
        len(reference[0]),
        len(test[0]),
        (test[0][theirs] - reference[0][mine]) / 1000,
        (test[1][theirs] - reference[1][mine]) / 1000,
    )


def pooled(parts: list[EventAgreement]) -> EventAgreement:
    """Put the agreements of several nights together."""
    none = np.empty(0)
    return EventAgreement(
        sum(part.n_reference for part in parts),
        sum(part.n_test for part in parts),
        np.concatenate([none, *(part.onset_error_s for part in parts)]),
        np.concatenate([none, *(part.offset_error_s for part in parts)]),
    )


def matched(one: IntArray, other: IntArray, tolerance_ms: int) -> tuple[IntArray, IntArray]:
    """Pair times one to one: as many pairs as can be, and among those the least total difference.

    Parameters
    ----------
    one, other : ndarray of int64
        Times, sorted.
    tolerance_ms : int
        Largest difference within a pair.

    Returns
    -------
    rows, other_rows : ndarray of int64
        Which of `one` belongs to which of `other`, in order.

    Notes
    -----
    Some best pairing crosses no other pair, so that a table over the beginnings of both lists
    holds it. A row of the table is kept only where its time has partners within the tolerance:
    before them it equals the row above, after them it stays as it is.
    """
    first = np.searchsorted(other, one - tolerance_ms, side="left").tolist()
    last = np.searchsorted(other, one + tolerance_ms, side="right").tolist()
    one_list, other_list = one.tolist(), other.tolist()
    table = [_TableRow(0, [(0, 0)])]
    for time, start, end in zip(one_list, first, last, strict=True):
        above = table[-1]
        values = [above.at(start)]
        for j in range(start, end):
            pairs, cost = above.at(j)
            paired = (pairs + 1, cost - abs(time - other_list[j]))
            values.append(max(above.at(j + 1), values[-1], paired))
        table.append(_TableRow(start, values))
    chosen: list[tuple[int, int]] = []
    i, j = len(one_list), len(other_list)
    while i:
        row, above = table[i], table[i - 1]
        if j <= row.start or row.at(j) == above.at(j):
            i -= 1
        elif row.at(j) == row.at(j - 1):
            j -= 1
        else:
            i, j = i - 1, j - 1
            chosen.append((i, j))
    rows = np.array(chosen[::-1], np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


class _TableRow(NamedTuple):
    """Pairs, and minus their total difference, of the first times of one list with those of other.

    The row tells it for the first `start` times of the other list, the first `start` + 1, ...
    """

    start: int
    values: list[tuple[int, int]]

    def at(self, j: int) -> tuple[int, int]:
        """Tell it for the first j times of the other list; j is not before `start`."""
        return self.values[min(j - self.start, len(self.values) - 1)]


def clock_shift(reference: IntArray, test: IntArray, tolerance_s: float) -> ClockShift:
    """Find by how much the clock of the test is off, from movements that both have.

    Parameters
    ----------
    reference, test : ndarray of int64
        Onsets in ms, sorted.
    tolerance_s : float
        What lies within it is no matter of the clock and is left to the onset error.
    """
    if not len(reference) or not len(test):
        return ClockShift(0.0, 0.0, False)
    clock = find_common_clock(_marks(reference), _marks(test), LABORATORY)
    if not clock.combined:
        pairs = len(matched(reference, test, round(tolerance_s * 1000))[0])
        fits = pairs >= max(_FITTING_MIN, min(len(reference), len(test)) / 2)
        return ClockShift(0.0, 0.0, fits)
    ends_ms = np.array([test[0], test[-1]])
    added_ms = clock.on_first_clock(ends_ms) - ends_ms
    if np.max(np.abs(added_ms)) <= tolerance_s * 1000:
        return ClockShift(0.0, 0.0, True)
    slope = 1.0 / (1.0 + 1e-6 * clock.drift_ppm) - 1.0
    return ClockShift(float(added_ms[0]) / 1000, slope * 1e6, True)


def _marks(onset_ms: IntArray) -> Movements:
    return Movements.marks(onset_ms, np.zeros_like(onset_ms), np.zeros(len(onset_ms), np.int8))


def shifted(times_ms: IntArray, first_ms: int, shift: ClockShift) -> IntArray:
    """Set times of the test right; `first_ms` is its first onset."""
    added = shift.offset_s * 1000 + (times_ms - first_ms) * shift.drift_ppm * 1e-6
    return times_ms + np.rint(added).astype(np.int64)
