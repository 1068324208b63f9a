"""What a massage or a machine did at one leg in one night."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlsmove.massage.edge_strength import edge_strength
from rlsmove.massage.machine_cycles import Clock, find_clocks
from rlsmove.massage.machine_movements import machine_windows
from rlsmove.massage.second_spectra import SecondSpectra
from rlsmove.massage.sessions import Session, find_sessions
from rlsmove.records import Intervals
from rlsmove.signal.nights import Night

#: Cycles and period of a compression that is looked for where nobody sleeps: massagers cycle in
#: 8-30 s (judgement, from descriptions of devices), and a session has few cycles of a sleeve.
SESSION_CYCLES = 8
SESSION_PERIOD_S = 8.0


@dataclass(frozen=True)
class LegMassage:
    """Massage and machines at one leg; times in s from the start of the first recording.

    Attributes
    ----------
    clocks : tuple of Clock
        What keeps a clock all night, whether or not it is sure to be a machine.
    hidden : Intervals
        When edges of a machine's cycles show.
    sessions : tuple of Session
        As `massage.sessions.find_sessions` gives them.
    """

    clocks: tuple[Clock, ...]
    hidden: Intervals
    sessions: tuple[Session, ...]

    @property
    def machine(self) -> tuple[Clock, ...]:
        """The clocks that are sure to be a machine's."""
        return tuple(clock for clock in self.clocks if clock.is_machine)

    def on_left_clock(self, offset_s: float, drift_ppm: float) -> LegMassage:
        """The same by a clock that its own is ahead of by an offset and a drift."""
        rate = 1.0 + 1e-6 * drift_ppm

        def moved_ms(time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.round((time_ms - 1000 * offset_s) / rate).astype(np.int64)

        return LegMassage(
            tuple(replace(one, time_s=(one.time_s - offset_s) / rate) for one in self.clocks),
            Intervals(moved_ms(self.hidden.onset_ms), moved_ms(self.hidden.offset_ms)),
            tuple(
                replace(
                    one,
                    start_s=(one.start_s - offset_s) / rate,
                    end_s=(one.end_s - offset_s) / rate,
                )
                for one in self.sessions
            ),
        )


def massage_of_leg(
    night: Night, spectra: SecondSpectra, *, step_g: float, later_s: float
) -> LegMassage:
    """Look for massage and machines in the night of one leg.

    Parameters
    ----------
    night : Night
        On the common clock, calibrated.
    spectra : SecondSpectra
        Of the recording, at its own rate.
    step_g : float
        Step of the device's scale, in g.
    later_s : float
        How much later than the first recording this one starts.
    """
    there = ~np.isnan(night.acceleration[:, 0])
    if np.count_nonzero(there) < 60 * night.fs:
        return LegMassage((), Intervals.empty(), ())
    acceleration = _filled(night.acceleration, there)
    strength = edge_strength(acceleration, step_g)
    first_s = night.first / night.fs
    clocks = find_clocks(acceleration, strength)
    briefer = find_clocks(
        acceleration, strength, least_cycles=SESSION_CYCLES, shortest_period_s=SESSION_PERIOD_S
    )
    sessions = find_sessions(acceleration, spectra, first_s, briefer)
    shift_s = first_s + later_s
    placed = tuple(replace(clock, time_s=clock.time_s + shift_s) for clock in clocks)
    return LegMassage(
        placed,
        machine_windows([clock for clock in placed if clock.is_machine]),
        tuple(
            replace(one, start_s=one.start_s + shift_s, end_s=one.end_s + shift_s)
            for one in sessions
        ),
    )


def _filled(acceleration: NDArray[np.float32], there: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The acceleration with straight lines across gaps."""
    if np.all(there):
        return np.ascontiguousarray(acceleration)
    filled = acceleration.copy()
    known, gone = np.flatnonzero(there), np.flatnonzero(~there)
    for axis in range(3):
        filled[gone, axis] = np.interp(gone, known, acceleration[known, axis])
    return filled
