"""Which movements a simulated night holds, and when: onsets, durations, legs and causes.

How each of them looks at the sensor is drawn later, in `limb_motion`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    LEFT,
    LEG_MOVEMENT,
    N1,
    N2,
    N3,
    POSTURE_SHIFT,
    REM,
    RIGHT,
    TAP,
    TRANSMITTED_SHAKE,
    WAKE,
    Sleep,
)
from rlsmove.simulate.scenarios import NightParameters
from rlsmove.simulate.treatment import Session

#: Rate of periodic movements by stage, relative to N2: fewest in REM, few in N3.
_STAGE_RATE = {WAKE: 0.0, N1: 1.2, N2: 1.0, N3: 0.5, REM: 0.15}
#: Movements in a series beyond the first four, on average.
_SERIES_LENGTH = 14
#: Share of a series that wake and REM sleep leave of it, on average (measured on 40 nights).
_SERIES_KEPT = 0.8
#: Quiet time between two movements of one leg.
_QUIET_S = 0.8
#: Share of the night that series may fill at most.
_MOST_IN_SERIES = 0.9
#: Movements made awake are longer than those in sleep by this factor.
_WAKE_DURATION = 1.6
_SHORTEST_S = 0.5
#: Share of respiratory events that end with a movement of the legs (judgement).
_RESPIRATORY_SHARE = 0.7


@dataclass(frozen=True)
class Planned:
    """One movement of one leg.

    Attributes
    ----------
    onset_s, duration_s : float
        When the limb starts to move, and how long until it has stopped, on the true clock.
    leg : int
        `LEFT` or `RIGHT`.
    kind : int
        Index into `KINDS`.
    cause : str
        What drew it: ``periodic``, ``isolated``, ``cluster``, ``wake``, ``posture``, ``gross``,
        ``walk``, ``partner``, ``tap``, ``respiratory``, ``slip`` and ``flip`` of the sensor,
        ``taken_off``, ``put_on``, ``massage`` (into it and out of it).
    series : int
        Number of the periodic series that it was drawn for; 0 for none.
    group : int
        Shared by the rows that both legs owe to one cause.
    held : bool
        The limb lies still between the way out and the way back.
    jerks : int
        Number of outward jerks.
    """

    onset_s: float
    duration_s: float
    leg: int
    kind: int
    cause: str
    series: int = 0
    group: int = 0
    held: bool = False
    jerks: int = 1

    @property
    def offset_s(self) -> float:
        """When the limb has stopped."""
        return self.onset_s + self.duration_s


def plan_movements(
    parameters: NightParameters,
    sleep: Sleep,
    walk_onset_s: list[float],
    rng: np.random.Generator,
    respiratory_end_s: Sequence[float] = (),
    sessions: Sequence[Session] = (),
) -> list[Planned]:
    """Draw every movement of a night.

    Parameters
    ----------
    parameters : NightParameters
        Rates and shares.
    sleep : Sleep
        Stages in 30-s epochs from the start of the recording.
    walk_onset_s : list of float
        When the sleeper leaves the bed.
    rng : Generator
        Source of chance.
    respiratory_end_s : sequence of float
        When the sleeper breathes again: many of these come with a movement of the legs.
    sessions : sequence of Session
        Massages and other doings of the evening.

    Returns
    -------
    list of Planned
        Sorted by onset. Movements that turn a leg never overlap on that leg; shakes and taps may
        overlap anything.
    """
    return _Planner(parameters, sleep, rng).draw(walk_onset_s, respiratory_end_s, sessions)


class _Planner:
    def __init__(self, parameters: NightParameters, sleep: Sleep, rng: np.random.Generator) -> None:
        self.parameters = parameters
        self.rng = rng
        self.stage = sleep.stage
        self.epoch_s = float(sleep.offset_ms[0] - sleep.onset_ms[0]) / 1000
        self.lights_off_s = (sleep.lights_off_ms or 0) / 1000
        self.lights_on_s = (sleep.lights_on_ms or 0) / 1000
        self.group = 0
        # Occupied stretches of each leg, by onset.
        self.busy: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
        self.planned: list[Planned] = []

    def draw(
        self,
        walk_onset_s: list[float],
        respiratory_end_s: Sequence[float],
        sessions: Sequence[Session],
    ) -> list[Planned]:
        """Draw in the order of who yields to whom: the rarer and larger come first."""
        p, rng = self.parameters, self.rng
        physics = p.physics
        self._evening([session for session in sessions if not session.clock])
        for _ in range(physics.off):
            self._off()
        for cause, count in (("slip", physics.slips), ("flip", physics.flips)):
            for onset in rng.uniform(self.lights_off_s, self.lights_on_s, count):
                leg = int(rng.integers(2))
                self._one(float(onset), rng.uniform(0.2, 2.0), leg, POSTURE_SHIFT, cause)
        for end_s in respiratory_end_s:
            if rng.random() < _RESPIRATORY_SHARE:
                onset = float(end_s + rng.uniform(-2.0, 3.0))
                self._leg_movement(onset, (LEFT, RIGHT), "respiratory", longest_s=10.0)
        for onset in walk_onset_s:
            self._both(onset, rng.uniform(120.0, 300.0), GAIT, "walk", lag_s=0.0)
        end = len(self.stage) * self.epoch_s
        # To bed before lights off and out of it after lights on, where the recording leaves room.
        for first, last in ((10.0, self.lights_off_s - 90.0), (self.lights_on_s + 20.0, end - 5.0)):
            if last - first > 60.0:
                duration = min(last - first, rng.uniform(60.0, 300.0))
                self._both(last - duration, duration, GAIT, "walk", lag_s=0.0)
        for onset in self._poisson(p.gross_per_hour, wake_factor=4.0):
            duration = min(5.0 + rng.exponential(8.0), 40.0)
            self._both(onset, duration, GROSS_MOVEMENT, "gross", lag_s=0.3)
        for onset in self._poisson(p.posture_shifts_per_hour, wake_factor=3.0):
            if rng.random() < 0.6:
                self._both(onset, rng.uniform(1.5, 6.0), POSTURE_SHIFT, "posture", lag_s=0.3)
            else:
                leg = int(rng.integers(2))
                self._one(onset, rng.uniform(1.0, 4.0), leg, POSTURE_SHIFT, "posture")
        self._periodic_series()
        ratio = p.rate_ratio
        for onset in self._poisson(p.isolated_per_hour * ratio, wake_factor=0.0):
            self._leg_movement(onset, self._side(None), "isolated", longest_s=10.0)
        for onset in self._poisson(p.clusters_per_hour * ratio, wake_factor=1.0):
            self._cluster(onset)
        for onset in self._poisson(p.wake_per_hour * ratio, wake_factor=1.0, sleep_factor=0.0):
            self._leg_movement(onset, self._side(None), "wake", longest_s=12.0)
        for onset in self._poisson(p.partner_per_hour / 2, wake_factor=1.0):
            self._shake(onset)
        # A partner may move periodically, too: about 25 movements in a row.
        for onset in self._poisson(p.partner_per_hour / 2 / 25, wake_factor=1.0):
            at = onset
            for _ in range(25):
                self._shake(at)
                at += rng.lognormal(
                    np.log(physics.partner_interval_s), physics.partner_interval_ln_sd
                )
        for onset in self._poisson(p.taps_per_hour, wake_factor=1.0):
            leg = int(rng.integers(2))
            self.group += 1
            tap = Planned(onset, rng.uniform(0.02, 0.08), leg, TAP, "tap", group=self.group)
            self.planned.append(tap)
        inside = [row for row in self.planned if row.offset_s < end - 1.0]
        return sorted(inside, key=lambda row: (row.onset_s, row.leg))

    def _stage_at(self, time_s: float) -> int:
        return int(self.stage[min(int(time_s // self.epoch_s), len(self.stage) - 1)])

    def _poisson(
        self, per_hour: float, *, wake_factor: float, sleep_factor: float = 1.0
    ) -> Iterator[float]:
        """Onsets in bed at a rate that differs between sleep and wake."""
        span = self.lights_on_s - self.lights_off_s
        factor = max(wake_factor, sleep_factor)
        n = self.rng.poisson(per_hour * factor * span / 3600)
        onsets = np.sort(self.rng.uniform(self.lights_off_s, self.lights_on_s, n))
        for onset in onsets:
            wanted = wake_factor if self._stage_at(onset) == WAKE else sleep_factor
            if self.rng.random() * factor < wanted:
                yield float(onset)

    def _decline(self, time_s: NDArray[np.floating]) -> NDArray[np.floating]:
        span = self.lights_on_s - self.lights_off_s
        return 1.0 - self.parameters.decline * (time_s - self.lights_off_s) / span

    def _periodic_series(self) -> None:
        """Series as they come: a hazard by stage and hour, then movements until they run out."""
        p, rng = self.parameters, self.rng
        starts = np.arange(len(self.stage)) * self.epoch_s
        in_bed = (starts >= self.lights_off_s) & (starts < self.lights_on_s)
        rate = np.array([_STAGE_RATE[int(code)] for code in self.stage]) * self._decline(starts)
        asleep = in_bed & (self.stage != WAKE)
        if p.plm_per_hour * p.rate_ratio == 0 or not asleep.any():
            return
        rate = rate / rate[asleep].mean()
        interval_s = p.interval_median_s * np.exp(p.interval_ln_sd**2 / 2)
        target = p.plm_per_hour * p.rate_ratio * interval_s / 3600
        # The share of time in a series gives the hazard of starting one while in none.
        share = np.minimum(target * rate, _MOST_IN_SERIES)
        length_s = _SERIES_KEPT * (4 + _SERIES_LENGTH) * interval_s
        hazard = np.where(asleep, share / (1 - share) / length_s, 0.0)
        highest = hazard.max()
        time, series = self.lights_off_s, 0
        while True:
            time += rng.exponential(1 / highest)
            if time >= self.lights_on_s:
                return
            if rng.random() * highest > hazard[int(time // self.epoch_s)]:
                continue
            series += 1
            time = self._one_series(time, series)

    def _one_series(self, onset: float, series: int) -> float:
        p, rng = self.parameters, self.rng
        count = 4 + rng.geometric(1 / _SERIES_LENGTH)
        median_s = p.interval_median_s * np.exp(rng.normal(0.0, 0.12))
        physics = p.physics
        trend = rng.uniform(-1, 1) * physics.interval_trend if physics.interval_trend else 0.0
        deviation = 0.0
        legs: tuple[int, ...] | None = None
        for place in range(count):
            stage = self._stage_at(onset)
            if onset >= self.lights_on_s or (stage in (WAKE, REM) and rng.random() < 0.5):
                break
            interval_s = float(rng.lognormal(np.log(median_s), p.interval_ln_sd))
            if physics.interval_memory or trend:
                memory = physics.interval_memory
                fresh = np.log(interval_s / median_s) * np.sqrt(1 - memory**2)
                deviation = memory * deviation + fresh
                interval_s = median_s * float(np.exp(deviation + trend * (place / count - 0.5)))
            legs = self._side(legs)
            self._leg_movement(onset, legs, "periodic", longest_s=interval_s - 1.0, series=series)
            onset += interval_s
        return onset

    def _cluster(self, onset: float) -> None:
        legs: tuple[int, ...] | None = None
        for _ in range(int(self.rng.integers(2, 6))):
            interval_s = float(self.rng.uniform(2.0, 8.0))
            legs = self._side(legs)
            self._leg_movement(onset, legs, "cluster", longest_s=interval_s - 1.0)
            onset += interval_s

    def _side(self, before: tuple[int, ...] | None) -> tuple[int, ...]:
        """Both legs, or one; within a series usually the leg of the movement before."""
        p, rng = self.parameters, self.rng
        if rng.random() < p.bilateral_share:
            return (LEFT, RIGHT)
        if before is None or len(before) == 2:
            return (int(rng.integers(2)),)
        return (1 - before[0],) if rng.random() < p.alternating_share else before

    def _leg_movement(
        self, onset: float, legs: tuple[int, ...], cause: str, *, longest_s: float, series: int = 0
    ) -> None:
        p, rng = self.parameters, self.rng
        awake = self._stage_at(onset) == WAKE
        median = p.duration_median_s * (_WAKE_DURATION if awake else 1.0)
        self.group += 1
        rows = []
        for place, leg in enumerate(legs):
            lag = abs(rng.normal(0.0, 0.15)) if place else 0.0
            held = rng.random() < p.held_share
            jerks = int(rng.integers(2, 5)) if not held and rng.random() < p.jerks_share else 1
            if held:
                duration = 0.8 + rng.uniform(1.0, 8.0)
            else:
                duration = float(rng.lognormal(np.log(median), p.duration_ln_sd))
                duration = min(max(duration, 0.45 * jerks), 9.0 if awake else 5.0)
            duration = max(min(duration, longest_s - lag), _SHORTEST_S)
            rows.append(
                Planned(
                    onset + lag,
                    duration,
                    leg,
                    LEG_MOVEMENT,
                    cause,
                    series,
                    self.group,
                    held and duration > 1.8,
                    jerks,
                )
            )
        if bool(rng.integers(2)) and len(rows) == 2:
            # Either leg may lead.
            a, b = rows
            rows = [replace(a, leg=b.leg), replace(b, leg=a.leg)]
        self._accept(self._with_posture(rows))

    def _with_posture(self, rows: list[Planned]) -> list[Planned]:
        """Leg movements, with the change of posture that some run into or come out of."""
        physics, rng = self.parameters.physics, self.rng
        shares = np.array([physics.into_posture_share, physics.from_posture_share])
        if not shares.any():
            return rows
        chance, shift_s = rng.random(), rng.uniform(0.8, 4.0)
        if chance >= shares.sum():
            return rows
        shifts = []
        for row in rows:
            onset = row.offset_s if chance < shares[0] else row.onset_s - shift_s
            shift = replace(row, onset_s=onset, duration_s=shift_s, kind=POSTURE_SHIFT)
            shifts.append(replace(shift, cause="posture", series=0, held=False, jerks=1))
        return rows + shifts

    def _evening(self, sessions: Sequence[Session]) -> None:
        """Getting into each session and out of it, and what the legs do between them."""
        treatment, rng = self.parameters.treatment, self.rng
        if not treatment.evening_min:
            return
        for session in sessions:
            length_s = session.end_s - session.start_s
            if session.kind == "walking":
                self._both(session.start_s, length_s, GAIT, "walk", lag_s=0.0)
            elif session.is_massage and treatment.sensor_off:
                for leg in (LEFT, RIGHT):
                    self._handled(leg, session.start_s - 25.0, length_s + 30.0)
            elif session.is_massage:
                for leg in session.legs:
                    for onset in (session.start_s - 8.0, session.end_s + 1.0):
                        self._one(onset, rng.uniform(2.0, 6.0), leg, POSTURE_SHIFT, "massage")
        hours = self.lights_off_s / 3600
        for onset in rng.uniform(5.0, self.lights_off_s - 400.0, rng.poisson(20 * hours)):
            if any(one.start_s - 40 < onset < one.end_s + 40 for one in sessions):
                continue
            if rng.random() < 0.4:
                self._both(onset, rng.uniform(1.5, 8.0), POSTURE_SHIFT, "posture", lag_s=0.3)
            else:
                self._leg_movement(onset, self._side(None), "wake", longest_s=12.0)

    def _off(self) -> None:
        """The sensor of one leg is taken off in the night, and put on again."""
        rng = self.rng
        away_s = rng.uniform(240.0, 2400.0)
        if self.lights_on_s - self.lights_off_s < away_s + 120.0:
            return
        leg = int(rng.integers(2))
        onset = rng.uniform(self.lights_off_s, self.lights_on_s - away_s - 60.0)
        self._handled(leg, onset, away_s)

    def _handled(self, leg: int, onset: float, away_s: float) -> None:
        """Hands take a sensor off, and put it on again later."""
        self.group += 1
        handled = [
            Planned(at, self.rng.uniform(5.0, 20.0), leg, GROSS_MOVEMENT, cause, group=self.group)
            for at, cause in ((onset, "taken_off"), (onset + away_s, "put_on"))
        ]
        self._accept(handled)

    def _both(self, onset: float, duration: float, kind: int, cause: str, *, lag_s: float) -> None:
        self.group += 1
        rng = self.rng
        first = int(rng.integers(2))
        lag = float(rng.uniform(0.0, lag_s))
        rows = [
            Planned(onset, duration, first, kind, cause, group=self.group),
            Planned(onset + lag, duration, 1 - first, kind, cause, group=self.group),
        ]
        self._accept(rows)

    def _one(self, onset: float, duration: float, leg: int, kind: int, cause: str) -> None:
        self.group += 1
        self._accept([Planned(onset, duration, leg, kind, cause, group=self.group)])

    def _shake(self, onset: float) -> None:
        """A bed partner's movement reaches both ankles at once."""
        if onset >= self.lights_on_s:
            return
        self.group += 1
        duration = float(self.rng.uniform(0.5, 3.0))
        self.planned += [
            Planned(onset, duration, leg, TRANSMITTED_SHAKE, "partner", group=self.group)
            for leg in (LEFT, RIGHT)
        ]

    def _accept(self, rows: list[Planned]) -> None:
        """Keep the rows of one cause if every leg concerned is free and at rest by then."""
        for row in rows:
            taken = self.busy[row.leg]
            place = bisect_left(taken, (row.onset_s, row.offset_s))
            if place and taken[place - 1][1] + _QUIET_S > row.onset_s:
                return
            if place < len(taken) and row.offset_s + _QUIET_S > taken[place][0]:
                return
        for row in rows:
            insort(self.busy[row.leg], (row.onset_s, row.offset_s))
        self.planned += rows
