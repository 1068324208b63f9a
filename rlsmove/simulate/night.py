"""One simulated night: a sleeper, two legs, two devices, and the truth about all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import (
    LEFT,
    LEG_MOVEMENT,
    RIGHT,
    SIDES,
    TRANSMITTED_SHAKE,
    BoolArray,
    FloatArray,
    IntArray,
    Intervals,
    Movements,
    Sleep,
)
from rlsmove.simulate.ankle_sensor import AnkleSensor, Background, Clock
from rlsmove.simulate.body import Leg, cross_talk
from rlsmove.simulate.evening import plan_sessions
from rlsmove.simulate.hypnogram import simulate_respiratory_events, simulate_sleep
from rlsmove.simulate.limb_motion import Motion, rotate, turned, unit
from rlsmove.simulate.movement_plan import Planned, plan_movements
from rlsmove.simulate.scenarios import NightParameters, check_parameters
from rlsmove.simulate.treatment import Session
from rlsmove.simulate.treatment_motion import Felt, pieces

#: An ideal detector that knew a movement's very shape would see it from this ratio of signal to
#: noise on: high enough for less than one false find in a night of some 10^6 places to look.
DETECTABLE_SNR = 8.0
#: Breathing and heart beat spread their power over about this band.
_BACKGROUND_BAND_HZ = 1.5
#: Share of the power of 1/f noise in the band of movements: two decades of four and a half.
_FLICKER_SHARE = 0.4
#: Noise from this share of a step on makes the error of the step white (SD of a half step).
_SPREADING = 0.25
_TRUTH_RATE_HZ = 100.0
#: The same where motors run, and what the other leg feels of a treatment of one.
_LINES_RATE_HZ, _FELT_ACROSS = 250.0, 0.05
#: Treatments have a seed of their own: a machine in bed leaves the night's movements as they are.
_TREATMENT_SEED = 11


@dataclass(frozen=True)
class Truth:
    """What happened, a row a movement of one leg, sorted by onset; times on the left's clock.

    Attributes
    ----------
    movements : Movements
        Onset, duration, side (never bilateral), kind, `peak_g`, `tilt_deg` (both without noise),
        and as `snr` the matched filter's ratio of signal to noise: 0 for a movement of which the
        device missed a part.
    cause : list of str
        See `Planned`; ``other_leg`` is a shake by the other leg's movement.
    series, group, jerks : ndarray of int64
        See `Planned`.
    held : ndarray of bool
        See `Planned`.
    """

    movements: Movements
    cause: list[str]
    series: IntArray
    group: IntArray
    jerks: IntArray
    held: BoolArray

    @property
    def detectable(self) -> BoolArray:
        """Whether an ideal detector could see the movement: `snr` at least `DETECTABLE_SNR`."""
        return self.movements.snr >= DETECTABLE_SNR

    @property
    def leg_movements(self) -> BoolArray:
        """The rows that are leg movements."""
        return self.movements.kind == LEG_MOVEMENT


@dataclass(frozen=True)
class Treated:
    """A session as it was felt.

    Attributes
    ----------
    session : Session
        What was done, when and to which legs.
    intensity_g : float
        Root mean square of what a noiseless sensor on its first leg feels, over the session.
    cycles_s : ndarray, shape (k, 2)
        Onset and offset of each cycle of a machine in bed; none for others.
    """

    session: Session
    intensity_g: float
    cycles_s: FloatArray

    def later(self, by_s: float) -> Treated:
        """The same, its times counted from a start that lies so much earlier."""
        session = self.session
        moved = replace(session, start_s=session.start_s + by_s, end_s=session.end_s + by_s)
        return replace(self, session=moved, cycles_s=self.cycles_s + by_s)


@dataclass(frozen=True)
class SimulatedNight:
    """A night with known truth.

    Attributes
    ----------
    parameters : NightParameters
        What it was drawn from.
    seed : int
        The same seed and parameters give the same night; another rate, device or noise leaves
        the movements as they are.
    sleep : Sleep
        The hypnogram, on the left's clock.
    respiratory : Intervals
        Respiratory events, on the left's clock.
    truth : Truth
        Every movement, of the legs simulated.
    sensors : dict of str to AnkleSensor
        By side.
    treated : list of Treated
        Massages, machines in bed, and what looks like them, by start.
    """

    parameters: NightParameters
    seed: int
    sleep: Sleep
    respiratory: Intervals
    truth: Truth
    sensors: dict[str, AnkleSensor]
    treated: list[Treated]

    def later(self, by_s: int) -> SimulatedNight:
        """The truth with its times counted from a recording's start that lies so much earlier."""
        by_ms = 1000 * by_s
        sleep, truth = self.sleep, self.truth
        return replace(
            self,
            parameters=replace(
                self.parameters, start_time=self.parameters.start_time - timedelta(seconds=by_s)
            ),
            sleep=replace(
                sleep,
                lights_off_ms=(sleep.lights_off_ms or 0) + by_ms,
                lights_on_ms=(sleep.lights_on_ms or 0) + by_ms,
                onset_ms=sleep.onset_ms + by_ms,
                offset_ms=sleep.offset_ms + by_ms,
            ),
            respiratory=Intervals(
                self.respiratory.onset_ms + by_ms, self.respiratory.offset_ms + by_ms
            ),
            truth=replace(
                truth, movements=replace(truth.movements, onset_ms=truth.movements.onset_ms + by_ms)
            ),
            treated=[one.later(by_s) for one in self.treated],
        )

    def blocks(self, side: str) -> Iterator[NDArray[np.float32]]:
        """The recording of one leg, in stretches of shape (n, 3), in g; missing rows are NaN."""
        return self.sensors[side].record(self.parameters)

    def acceleration(self, side: str) -> NDArray[np.float32]:
        """The whole recording of one leg, shape (n, 3), in g; missing rows are NaN."""
        return np.concatenate(list(self.blocks(side)))


def simulate_night(parameters: NightParameters, seed: int) -> SimulatedNight:
    """Draw a night.

    Parameters
    ----------
    parameters : NightParameters
        What it is made of; see `SCENARIOS` for named sets.
    seed : int
        Of all chance.

    Returns
    -------
    SimulatedNight
        The movements are drawn, the recordings are computed when asked for.

    Raises
    ------
    SettingError
        A parameter is out of its bounds.
    """
    check_parameters(parameters)
    rng = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(5)]
    treatment = parameters.treatment
    sleep, walk_onset_s = simulate_sleep(
        parameters.hours, parameters.walks, rng[0], 60 * treatment.evening_min
    )
    own = np.random.default_rng([seed, _TREATMENT_SEED])
    drawn = [pieces(session, own) for session in plan_sessions(treatment, sleep, own)]
    physics = parameters.physics
    respiratory = simulate_respiratory_events(sleep, physics.respiratory_per_hour, rng[0])
    planned = plan_movements(
        parameters,
        sleep,
        walk_onset_s,
        rng[1],
        (respiratory.offset_ms / 1000).tolist(),
        [session for session, _ in drawn],
    )
    legs, made, treated = _moved(planned, drawn, parameters, rng[2])
    breath = Background.cycles(parameters.hours, physics.breath_hz, rng[3])
    heart = Background.cycles(parameters.hours, physics.heart_hz, rng[3])
    backgrounds = [Background(parameters, leg, rng[3], breath, heart, respiratory) for leg in legs]
    right_clock = Clock(
        float(rng[4].uniform(-1, 1) * parameters.clock_offset_s),
        float(rng[4].uniform(-1, 1) * parameters.clock_drift_ppm),
    )
    sensors = {}
    for leg in (LEFT, RIGHT):
        gain = 1 + parameters.gain_error * rng[4].uniform(-1, 1, 3)
        offset = parameters.offset_error_g * rng[4].uniform(-1, 1, 3)
        gaps = _gaps(parameters, rng[4])
        noise_seed = np.random.SeedSequence([seed, 1 + leg])
        if parameters.legs in (SIDES[leg], "both"):
            # A night of the right leg alone runs on the right's clock.
            clock = right_clock if leg == RIGHT and parameters.legs == "both" else Clock()
            off_s = _off_s(planned, leg)
            beside = np.array([unit(row) for row in rng[4].normal(size=(len(off_s), 3))])
            sensors[SIDES[leg]] = AnkleSensor(
                leg=legs[leg],
                background=backgrounds[leg],
                clock=clock,
                gain=gain,
                offset_g=offset,
                gaps_s=gaps,
                seed=noise_seed,
                off_s=off_s,
                off_gravity=beside.reshape(-1, 3),
            )
    kept = [row for row in made if SIDES[row.plan.leg] in sensors]
    truth = _truth(kept, backgrounds, sensors, parameters)
    return SimulatedNight(parameters, seed, sleep, respiratory, truth, sensors, treated)


def _off_s(planned: list[Planned], leg: int) -> FloatArray:
    """Start and end of each stretch in which the sensor of a leg is off, shape (k, 2)."""
    handled = {
        cause: [row for row in planned if row.leg == leg and row.cause == cause]
        for cause in ("taken_off", "put_on")
    }
    return np.array(
        [
            (taken.offset_s, put.onset_s)
            for taken in handled["taken_off"]
            for put in handled["put_on"]
            if put.group == taken.group
        ]
    ).reshape(-1, 2)


@dataclass(frozen=True)
class _Made:
    """A movement as made: the plan, and what a noiseless sensor would show of it."""

    plan: Planned
    peak_g: float
    tilt_deg: float
    #: Integral of the squared deviation from its own mean, over all axes, in g2 s.
    energy: float


def _moved(
    planned: list[Planned],
    drawn: list[tuple[Session, list[Felt]]],
    parameters: NightParameters,
    rng: np.random.Generator,
) -> tuple[list[Leg], list[_Made], list[Treated]]:
    """Have two legs make all planned movements, and feel each other's strong ones."""
    legs = [Leg.lying_down(rng) for _ in (LEFT, RIGHT)]
    shakes_seed = int(rng.integers(2**31))
    made: list[_Made] = []
    treatments = [_TreatmentOfLegs(session, felt) for session, felt in drawn]
    for plan in planned:
        for treatment in treatments:
            treatment.go_on(legs, plan.onset_s)
        leg = legs[plan.leg]
        gravity = leg.gravity
        # Both legs feel the same shakes.
        own = np.random.default_rng([shakes_seed, plan.group])
        motion = leg.move(plan, parameters, own if plan.kind == TRANSMITTED_SHAKE else rng)
        plan = replace(plan, duration_s=motion.offset_s - motion.onset_s)
        made.append(_measured(plan, leg, gravity, motion))
        if plan.kind != LEG_MOVEMENT:
            continue
        felt_across = cross_talk(motion, made[-1].peak_g, rng)
        if felt_across is not None:
            other = legs[1 - plan.leg]
            other.shakes.append(felt_across)
            across = Planned(
                felt_across.onset_s,
                felt_across.offset_s - felt_across.onset_s,
                1 - plan.leg,
                TRANSMITTED_SHAKE,
                "other_leg",
                group=plan.group,
            )
            made.append(_measured(across, other, other.gravity, felt_across))
    for treatment in treatments:
        treatment.go_on(legs, np.inf)
    for leg in legs:
        leg.shakes.sort(key=lambda motion: motion.onset_s)
    made.sort(key=lambda row: (row.plan.onset_s, row.plan.duration_s, row.plan.leg))
    return legs, made, [treatment.treated() for treatment in treatments]


class _TreatmentOfLegs:
    """A session as the legs go through it, each piece as the leg lies by then."""

    def __init__(self, session: Session, felt: list[Felt]) -> None:
        self.session = session
        self.coming = list(reversed(felt))
        self.energy = 0.0
        self.cycles_s: list[tuple[float, float]] = []

    def go_on(self, legs: list[Leg], until_s: float) -> None:
        """Feel the pieces that start by then."""
        while self.coming and self.coming[-1].start_s <= until_s:
            felt = self.coming.pop()
            for number, leg in enumerate(legs):
                own = number in self.session.legs
                motion = leg.feel(felt, 1.0 if own else _FELT_ACROSS)
                if number != self.session.legs[0]:
                    continue
                n = max(int((motion.offset_s - motion.onset_s) * _LINES_RATE_HZ), 8)
                time_s = np.linspace(motion.onset_s, motion.offset_s, n)
                _, inertial = turned(motion, leg.lever_direction, time_s)
                self.energy += float((inertial**2).sum()) / _LINES_RATE_HZ
                if self.session.clock and felt.lines:
                    self.cycles_s.append((motion.onset_s, motion.offset_s))

    def treated(self) -> Treated:
        """What has been felt in all."""
        length_s = self.session.end_s - self.session.start_s
        return Treated(
            self.session,
            float(np.sqrt(self.energy / length_s)),
            np.array(self.cycles_s).reshape(-1, 2),
        )


def _measured(plan: Planned, leg: Leg, gravity: FloatArray, motion: Motion) -> _Made:
    n = max(int(plan.duration_s * _TRUTH_RATE_HZ), 8)
    time_s = np.linspace(motion.onset_s, motion.offset_s, n)
    turn, inertial = turned(motion, leg.lever_direction, time_s)
    away = rotate(gravity, turn) - gravity
    # The chord keeps its precision at small angles, where the arc cosine loses it.
    chord = float(np.linalg.norm(away, axis=1).max())
    deviation = away + inertial
    return _Made(
        plan,
        peak_g=float(np.linalg.norm(inertial, axis=1).max()),
        tilt_deg=float(np.rad2deg(2 * np.arcsin(min(chord / 2, 1.0)))),
        energy=float(deviation.var(axis=0).sum()) * plan.duration_s,
    )


def _truth(
    made: list[_Made],
    backgrounds: list[Background],
    sensors: dict[str, AnkleSensor],
    parameters: NightParameters,
) -> Truth:
    device = parameters.model
    # One-sided densities in g2/Hz. That of the noise is proper to the device, not to its rate.
    noise = 2 * (device.noise_g * parameters.noise_ratio) ** 2 / 100.0
    noise_g = device.noise_g * parameters.noise_ratio * np.sqrt(parameters.fs / 100.0)
    # Without noise to spread it, the error of a step follows what moves, in its own band.
    spread_hz = parameters.fs / 2 if noise_g > _SPREADING * device.step_g else _BACKGROUND_BAND_HZ
    noise += device.step_g**2 / 12 / spread_hz
    noise += _FLICKER_SHARE * parameters.physics.flicker_g**2 / _BACKGROUND_BAND_HZ
    snr = []
    for row in made:
        plan = row.plan
        body = backgrounds[plan.leg].rms_g(plan.onset_s) ** 2 / _BACKGROUND_BAND_HZ
        whole = sensors[SIDES[plan.leg]].records(plan.onset_s, plan.offset_s, parameters)
        snr.append(np.sqrt(2 * row.energy / (noise + body)) if whole else 0.0)
    plans = [row.plan for row in made]
    movements = Movements(
        np.array([round(plan.onset_s * 1000) for plan in plans], np.int64),
        np.array([max(round(plan.duration_s * 1000), 1) for plan in plans], np.int64),
        np.array([plan.leg for plan in plans], np.int8),
        np.array([plan.kind for plan in plans], np.int8),
        np.array([row.peak_g for row in made], np.float64),
        np.array([row.tilt_deg for row in made], np.float64),
        np.array(snr, np.float64),
        np.array([float(plan.kind == LEG_MOVEMENT) for plan in plans], np.float64),
    )
    return Truth(
        movements,
        [plan.cause for plan in plans],
        np.array([plan.series for plan in plans], np.int64),
        np.array([plan.group for plan in plans], np.int64),
        np.array([plan.jerks for plan in plans], np.int64),
        np.array([plan.held for plan in plans], np.bool_),
    )


def _gaps(parameters: NightParameters, rng: np.random.Generator) -> FloatArray:
    length = rng.uniform(3.0, 600.0, parameters.gaps) ** rng.uniform(0.5, 1.0, parameters.gaps)
    start = np.sort(rng.uniform(0.0, parameters.hours * 3600, parameters.gaps))
    return np.stack([start, start + length], axis=1)
