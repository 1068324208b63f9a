"""Rows of a table put right before their times are used.

Counters start anew, wall clocks change, values only repeat.

A table is read in stretches that overlap as the reader likes, and from places in its middle. What
has to be known of the rows before is kept by the place in the file, so that every reading finds
the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rlsmove.devices import _text_kernels as kernels
from rlsmove.records import BoolArray, FloatArray, IntArray

_NS = 10**9

#: The same value for this long is no measurement, of a sensor that shows steps as fine as this:
#: its own noise and the body would move it. ActiLife fills the time its devices slept like this.
IDLE_S = 60.0
FINE_STEP_G = 0.005
#: Of the last row before a place its time, what was added to it, and since when its values are
#: the same; and these values.
_State = tuple[IntArray, FloatArray]


@dataclass
class RowRepairs:
    """The repairs of one table.

    Attributes
    ----------
    period_ns : int
        After this its times start anew; 0 for never.
    wall_clock : bool
        Whether its times are those of a wall clock that may change by an hour.
    idle : bool
        Whether values that stand still are no measurement.
    changes : dict of int to int
        Where the wall clock changed, by the byte of the row: 1 for ahead, -1 for back.
    """

    period_ns: int = 0
    wall_clock: bool = False
    idle: bool = False
    changes: dict[int, int] = field(default_factory=dict)
    _states: dict[int, _State] = field(default_factory=dict)
    _last: tuple[IntArray, IntArray, IntArray, IntArray, FloatArray] | None = None

    @property
    def needed(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.period_ns or self.wall_clock or self.idle)

    def apply(
        self,
        position: int,
        begin: IntArray,
        raw_ns: IntArray,
        value: FloatArray,
        at_end: bool,
    ) -> tuple[IntArray, BoolArray, int]:
        """Repair the rows of a stretch.

        Parameters
        ----------
        position : int
            Byte of the text at which the stretch begins.
        begin : ndarray of int64, shape (n,)
            Byte of the stretch at which each row begins.
        raw_ns : ndarray of int64, shape (n,)
            Times of the rows.
        value : ndarray of float64, shape (n, 3)
            Their values.
        at_end : bool
            Whether no row follows.

        Returns
        -------
        time_ns : ndarray of int64, shape (n,)
            The times, going on.
        measured : ndarray of bool, shape (n,)
            False for rows that only repeat.
        known : int
            How many of the rows are final; those behind have to be read again, with more.
        """
        n = len(raw_ns)
        time_ns, still_since_ns = np.empty((2, n), np.int64)
        measured = np.empty(n, np.bool_)
        change = np.empty(n, np.int8)
        if n == 0:
            return time_ns, measured, 0
        state, state_value = self._states.setdefault(position, self._state_at(position))
        known = kernels.repair_rows(
            raw_ns,
            value,
            self.period_ns,
            self.wall_clock,
            round(IDLE_S * _NS) if self.idle else 0,
            at_end,
            state,
            state_value,
            time_ns,
            still_since_ns,
            measured,
            change,
        )
        self._last = (position + begin, raw_ns, time_ns, still_since_ns, value)
        for row in np.flatnonzero(change).tolist():
            self.changes[position + int(begin[row])] = int(change[row])
        return time_ns, measured, known

    def _state_at(self, position: int) -> _State:
        """What is known of the row before a place: nothing at the start of the table."""
        if self._last is not None:
            begin, raw_ns, time_ns, still_since_ns, value = self._last
            row = int(np.searchsorted(begin, position)) - 1
            if row >= 0:
                added = time_ns[row] - raw_ns[row]
                return np.array([raw_ns[row], added, still_since_ns[row]]), value[row].copy()
        return np.zeros(3, np.int64), np.full(3, np.nan)
