"""A simulated leg: how the sensor is strapped on, how the leg lies, and how it makes each movement.

Shank frame: x to the front, y to the outer side, z from ankle to knee. Standing, the sensor feels
1 g along z; lying on the back along x, on the side along y.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from rlsmove.records import (
    GAIT,
    GROSS_MOVEMENT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    TAP,
    TRANSMITTED_SHAKE,
    FloatArray,
)
from rlsmove.simulate.gestures import RATE_HZ, gesture
from rlsmove.simulate.limb_motion import Motion, Sampled, Shake, Turn, rotate, unit
from rlsmove.simulate.mattress import passed_on, sway
from rlsmove.simulate.movement_plan import Planned
from rlsmove.simulate.physics import Physics
from rlsmove.simulate.scenarios import NightParameters
from rlsmove.simulate.treatment_motion import SHAKE_RATE_HZ, TURN_RATE_HZ, Felt

#: Outward and backward ramps of a movement of 5 degrees; larger ones take somewhat longer.
_RAMP_S, _RAMP_LN_SD = 0.36, 0.35
_SHORTEST_RAMP_S = 0.12
#: Back and out again within a movement of several jerks.
_SHORTEST_JERK_S = 0.4
#: Movements made awake turn the leg further.
_WAKE_TILT = 4.0
_LARGEST_TILT_DEG = 60.0
#: What is left of the turn of a silent movement.
_SILENT = 0.003
#: A peak above which the other ankle feels the movement through the mattress, and how much of it.
_CROSS_TALK_FROM_G, _CROSS_TALK = 0.15, (0.01, 0.03)
#: A leg that sinks does so in steps too small and quick to be seen.
_SINK_STEP_S = 0.04


@dataclass
class Leg:
    """One leg over one night; the movements are added in the order of time.

    Attributes
    ----------
    strapping : ndarray, shape (3, 3)
        From the shank's frame to the sensor's.
    lever_direction : ndarray, shape (3,)
        From knee to sensor, in the sensor's frame.
    coupling : float
        Share of the mattress's shaking that reaches this leg.
    rest_from_s, rest_gravity : list
        Since when the leg has lain as it lies, and what the sensor feels then, in g.
    lying_from_s : list of float
        Since when the posture is what it is, small settlings aside.
    motions : list of Motion
        Movements that turn the leg; none overlaps another.
    shakes : list of Motion
        Whatever is felt on top.
    """

    strapping: FloatArray
    lever_direction: FloatArray
    coupling: float
    rest_from_s: list[float] = field(default_factory=list)
    rest_gravity: list[FloatArray] = field(default_factory=list)
    lying_from_s: list[float] = field(default_factory=list)
    motions: list[Motion] = field(default_factory=list)
    shakes: list[Motion] = field(default_factory=list)

    @classmethod
    def lying_down(cls, rng: np.random.Generator) -> Leg:
        """A leg at the start of the night, the sensor strapped on at random."""
        # Columns: the shank's axes in the sensor's frame. The QR of a Gaussian matrix is uniform.
        strapping, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        strapping *= np.sign(np.linalg.det(strapping))
        leg = cls(strapping, -strapping[:, 2], float(rng.uniform(0.5, 1.0)))
        leg._settle(-1e9, leg._posture(rng))
        leg.lying_from_s.append(-1e9)
        return leg

    @property
    def gravity(self) -> FloatArray:
        """What the sensor feels as the leg lies now."""
        return self.rest_gravity[-1]

    def _posture(self, rng: np.random.Generator) -> FloatArray:
        """Gravity at the sensor lying on the back, on a side or on the front."""
        roll = np.deg2rad(rng.choice([0.0, 75.0, -75.0, 160.0], p=[0.45, 0.22, 0.22, 0.11]))
        roll += rng.normal(0.0, 0.25)
        pitch = rng.normal(0.1, 0.15)
        shank = np.array(
            [np.cos(roll) * np.cos(pitch), np.sin(roll) * np.cos(pitch), np.sin(pitch)]
        )
        return unit(self.strapping @ shank)

    def _settle(self, time_s: float, gravity: FloatArray) -> None:
        self.rest_from_s.append(time_s)
        self.rest_gravity.append(unit(gravity))

    def move(self, row: Planned, parameters: NightParameters, rng: np.random.Generator) -> Motion:
        """Make the movement: draw its turns and shakes, and let the leg lie where they end.

        Parameters
        ----------
        row : Planned
            The movement; each must start after the one before has ended, shakes and taps aside.
        parameters : NightParameters
            How large the movements are.
        rng : Generator
            Source of chance.

        Returns
        -------
        Motion
            Already added to the leg.
        """
        physics = parameters.physics
        if row.kind in (TAP, TRANSMITTED_SHAKE):
            motion = _tap(row, rng) if row.kind == TAP else self._shaken(row, physics, rng)
            self.shakes.append(motion)
            return motion
        # What has not sunk by now stays up.
        while self.rest_from_s[-1] > row.onset_s:
            self.rest_from_s.pop()
            self.rest_gravity.pop()
        sinks = np.zeros(3)
        if row.kind == LEG_MOVEMENT:
            motion = self._leg_movement(row, parameters, rng)
            if rng.random() < physics.settle_share if physics.settle_share else False:
                motion, sinks = self._settled_elsewhere(motion, physics, rng)
        elif row.cause in ("slip", "flip"):
            motion = self._slip(row, rng)
        elif row.kind == POSTURE_SHIFT:
            motion = self._posture_shift(row, rng)
        elif row.kind == GROSS_MOVEMENT:
            motion = self._gross_movement(row, rng)
        else:
            assert row.kind == GAIT
            motion = self._walk(row, rng)
        self.motions.append(motion)
        self._settle(motion.offset_s, rotate(self.gravity, motion.net_turn[None])[0])
        if sinks.any():
            self._sink(motion.offset_s, sinks, rng)
        if row.kind != LEG_MOVEMENT:
            self.lying_from_s.append(motion.offset_s)
        if row.cause == "put_on":
            self._strap_on(rng)
        return motion

    def feel(self, felt: Felt, share: float = 1.0) -> Motion:
        """Go through a piece of a massage or the like, or feel a share of the other leg's."""
        axis = self.strapping @ felt.axis
        away = rotate(self.gravity, share * felt.turn_rad[:, None] * axis) - self.gravity
        shake = share * felt.shake_g @ self.strapping.T
        lines = tuple(
            replace(line, amplitude_g=share * self.strapping @ line.amplitude_g)
            for line in felt.lines
        )
        parts = [
            Sampled(felt.start_s, rate_hz, np.broadcast_to(np.zeros(3), rows.shape), rows)
            for rate_hz, rows in ((TURN_RATE_HZ, away), (SHAKE_RATE_HZ, shake))
            if rows.any()
        ]
        ends = [line.start_s + line.duration_s for line in lines]
        end_s = max([*ends, *(part.end_s for part in parts)], default=felt.start_s)
        motion = Motion(felt.start_s, end_s, (), lines, tuple(parts))
        self.shakes.append(motion)
        return motion

    def _strap_on(self, rng: np.random.Generator) -> None:
        """Wear the sensor anew, some other way round; the leg lies as it lies."""
        turned_by, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        turned_by *= np.sign(np.linalg.det(turned_by))
        self.strapping = turned_by @ self.strapping
        self.rest_gravity[-1] = turned_by @ self.rest_gravity[-1]

    def _slip(self, row: Planned, rng: np.random.Generator) -> Motion:
        """The strap slips round the shank, or the sensor turns over."""
        if row.cause == "flip":
            axis, angle = self.strapping[:, int(rng.integers(3))], np.pi
        else:
            axis, angle = self.strapping[:, 2], np.deg2rad(rng.uniform(3.0, 45.0))
        self.strapping = np.array(
            [rotate(column, (angle * axis)[None])[0] for column in self.strapping.T]
        ).T
        turn = Turn(row.onset_s, row.duration_s, angle, axis, 0.0, int(rng.integers(3)))
        rub = rng.lognormal(np.log(0.02), 0.7) * unit(rng.normal(size=3))
        shake = Shake(row.onset_s, row.duration_s, rub, rng.uniform(4.0, 20.0), "burst")
        return Motion(row.onset_s, row.offset_s, (turn,), (shake,))

    def _settled_elsewhere(
        self, motion: Motion, physics: Physics, rng: np.random.Generator
    ) -> tuple[Motion, FloatArray]:
        """A movement after which the leg lies elsewhere, and by how much it has yet to sink."""
        across = np.cross(self.gravity, rng.normal(size=3))
        by = np.deg2rad(rng.uniform(*physics.settle_deg)) * unit(across)
        if rng.random() < physics.creep_share:
            return motion, by
        room_s = motion.offset_s - motion.onset_s
        lasts_s = min(rng.uniform(0.25, 1.5), room_s)
        start_s = motion.onset_s + rng.uniform(0.0, room_s - lasts_s)
        angle = float(np.linalg.norm(by))
        turn = Turn(start_s, lasts_s, angle, by / max(angle, 1e-9), 0.1, int(rng.integers(3)))
        return replace(motion, turns=(*motion.turns, turn)), np.zeros(3)

    def _sink(self, from_s: float, by: FloatArray, rng: np.random.Generator) -> None:
        """Let the leg sink by a rotation vector, ever more slowly."""
        tau_s = rng.uniform(0.5, 4.0)
        elapsed_s = np.arange(_SINK_STEP_S, 4 * tau_s, _SINK_STEP_S)
        so_far = 1 - np.exp(-elapsed_s / tau_s)
        self.rest_from_s += (from_s + elapsed_s).tolist()
        self.rest_gravity += list(rotate(self.gravity, so_far[:, None] * by))

    def _flexion(
        self, tilt_rad: float, rng: np.random.Generator
    ) -> tuple[FloatArray, float, float]:
        """Axis, angle and lever of a movement that is to turn gravity by `tilt_rad`.

        The knee's axis is the shank's y. Where it lies near the vertical (on the side), a turn
        moves gravity little in the sensor's frame, so that the angle must be larger.
        """
        axis = unit(self.strapping @ (np.array([0.0, 1.0, 0.0]) + rng.normal(0.0, 0.3, 3)))
        across = float(np.linalg.norm(np.cross(axis, self.gravity)))
        angle = tilt_rad / max(across, 0.4) * rng.choice([-1.0, 1.0])
        # Knee or hip carries the sensor along; the ankle's flexion hardly does.
        lever = rng.uniform(0.25, 0.45) if rng.random() < 0.75 else rng.uniform(0.04, 0.12)
        return axis, float(angle), float(lever)

    def _leg_movement(
        self, row: Planned, parameters: NightParameters, rng: np.random.Generator
    ) -> Motion:
        awake = row.cause == "wake"
        median = parameters.tilt_median_deg * (_WAKE_TILT if awake else 1.0)
        drawn_deg = min(rng.lognormal(np.log(median), parameters.tilt_ln_sd), _LARGEST_TILT_DEG)
        tilt_deg = drawn_deg
        if rng.random() < parameters.silent_share:
            tilt_deg *= _SILENT
        axis, angle, lever = self._flexion(np.deg2rad(tilt_deg), rng)
        physics = parameters.physics
        name = physics.gestures[0][0]
        if len(physics.gestures) > 1:
            names, weights = zip(*physics.gestures, strict=True)
            name = str(rng.choice(names, p=np.array(weights) / sum(weights)))
        if name == "jerked":
            return self._jerked(row, tilt_deg, axis, angle, lever, parameters.tremor_share, rng)
        shake_g = rng.lognormal(np.log(physics.shake_median_g), physics.shake_ln_sd)
        made = gesture(
            name,
            row.onset_s,
            row.duration_s,
            axis=axis,
            angle_rad=angle,
            lever=lever * self.lever_direction,
            shake_g=shake_g * tilt_deg / drawn_deg * (_WAKE_TILT if awake else 1.0),
            rng=rng,
        )
        return Motion(made.start_s, made.end_s, sampled=(made,))

    def _jerked(
        self,
        row: Planned,
        tilt_deg: float,
        axis: FloatArray,
        angle: float,
        lever: float,
        tremor_share: float,
        rng: np.random.Generator,
    ) -> Motion:
        """Out in a jerk, at work for a while or held, and back."""
        slower = max(tilt_deg / 5.0, 0.1) ** 0.25
        out_s = max(rng.lognormal(np.log(_RAMP_S * slower), _RAMP_LN_SD), _SHORTEST_RAMP_S)
        back_s = max(out_s * rng.lognormal(np.log(1.4), 0.4), _SHORTEST_RAMP_S)
        end = row.offset_s
        # A swing after the way back, in one movement of six that leaves time for it.
        swings = rng.random() < 1 / 6 and row.duration_s > 1.2 and not row.held
        swing_s = 0.18 if swings else 0.0
        room = row.duration_s - 3 * swing_s
        if out_s + back_s > room:
            out_s, back_s = (part * room / (out_s + back_s) for part in (out_s, back_s))
        back_from = end - 3 * swing_s - back_s

        def turn(start: float, duration: float, share: float) -> Turn:
            profile = int(rng.integers(3))
            return Turn(start, duration, share * angle, axis, lever, profile)

        # The leg comes back to nearly where it lay.
        back = 1.0 - float(np.clip(rng.normal(0.0, 0.05), -0.12, 0.12))
        turns = [turn(row.onset_s, out_s, 1.0)]
        hold_s = back_from - row.onset_s - out_s
        # Further jerks, or the unsteadiness of a muscle at work; a held movement lies still.
        size = (0.3, 0.8) if row.jerks > 1 else (0.05, 0.4)
        most = int(hold_s / _SHORTEST_JERK_S)
        wags = 0 if row.held else min(row.jerks - 1 or int(hold_s / 0.6), most)
        for wag in range(wags):
            slot = hold_s / wags
            share = rng.uniform(*size)
            at = row.onset_s + out_s + wag * slot
            turns += [turn(at, slot / 2, -share), turn(at + slot / 2, slot / 2, share)]
        turns.append(turn(back_from, back_s, -back))
        if swings:
            share = rng.uniform(0.08, 0.2)
            at = back_from + back_s
            for part in (share, -1.5 * share, 0.5 * share):
                turns.append(turn(at, swing_s, part))
                at += swing_s
        shakes: tuple[Shake, ...] = ()
        if not row.held and rng.random() < tremor_share:
            height = abs(angle) * rng.uniform(0.05, 0.3)
            direction = unit(rng.normal(size=3))
            frequency = rng.uniform(5.0, 12.0)
            shakes = (Shake(row.onset_s, row.duration_s, height * direction, frequency, "burst"),)
        return Motion(row.onset_s, end, tuple(turns), shakes)

    def _to(self, gravity: FloatArray) -> tuple[FloatArray, float]:
        """Axis and angle that take gravity from where it is to where it shall be."""
        axis = np.cross(self.gravity, gravity)
        if np.linalg.norm(axis) < 1e-6:
            axis = np.cross(self.gravity, np.roll(self.gravity, 1) + np.array([0.1, 0.0, 0.0]))
        return unit(axis), float(np.arccos(np.clip(self.gravity @ gravity, -1.0, 1.0)))

    def _posture_shift(self, row: Planned, rng: np.random.Generator) -> Motion:
        if rng.random() < 0.6:
            axis, angle = self._to(self._posture(rng))
        else:
            axis, angle = unit(rng.normal(size=3)), np.deg2rad(rng.lognormal(np.log(15.0), 0.5))
        turns = [
            Turn(row.onset_s, row.duration_s * rng.uniform(0.6, 1.0), angle, axis, 0.3, 0),
            *_fidgets(row, rng, per_s=0.7, median_deg=6.0),
        ]
        return Motion(row.onset_s, row.offset_s, tuple(turns))

    def _gross_movement(self, row: Planned, rng: np.random.Generator) -> Motion:
        axis, angle = self._to(self._posture(rng))
        start = row.onset_s + row.duration_s * rng.uniform(0.1, 0.4)
        turns = [
            Turn(start, row.duration_s * rng.uniform(0.2, 0.5), angle, axis, 0.35, 0),
            *_fidgets(row, rng, per_s=1.0, median_deg=15.0),
        ]
        return Motion(row.onset_s, row.offset_s, tuple(turns))

    def _walk(self, row: Planned, rng: np.random.Generator) -> Motion:
        """Up, a walk, a stand, a walk back, down into a new posture."""
        up_s, down_s = 4.0, 5.0
        standing = unit(self.strapping @ np.array([0.05, 0.0, 1.0]))
        axis, angle = self._to(standing)
        turns = [Turn(row.onset_s, up_s, angle, axis, 0.35, 0)]
        walk_s = (row.duration_s - up_s - down_s) * 0.3
        stride_s = rng.uniform(1.05, 1.25)
        swing_axis = unit(self.strapping @ np.array([0.0, 1.0, 0.0]))
        shakes = []
        for start in (row.onset_s + up_s, row.offset_s - down_s - walk_s):
            for stride in range(int(walk_s / stride_s)):
                at = start + stride * stride_s
                swing = np.deg2rad(rng.normal(35.0, 3.0))
                turns += [
                    Turn(at, 0.4 * stride_s, swing, swing_axis, 0.4, 0),
                    Turn(at + 0.4 * stride_s, 0.6 * stride_s, -swing, swing_axis, 0.4, 0),
                ]
                heel = rng.uniform(0.8, 1.5) * standing + rng.normal(0.0, 0.2, 3)
                shakes.append(Shake(at + 0.4 * stride_s, 0.25, heel, 12.0, "damped"))
        # The way down starts from standing, not from how the leg lies now.
        lying = self._posture(rng)
        down = _rotation_vector_between(self.gravity, axis * angle, lying)
        turns.append(
            Turn(row.offset_s - down_s, down_s, float(np.linalg.norm(down)), unit(down), 0.35)
        )
        return Motion(row.onset_s, row.offset_s, tuple(turns), tuple(shakes))

    def _shaken(self, row: Planned, physics: Physics, rng: np.random.Generator) -> Motion:
        """A movement of somebody else in the bed: swings of the mattress, no turn of the leg."""
        height = self.coupling * min(rng.lognormal(np.log(physics.partner_shake_g), 0.8), 0.15)
        if physics.mattress_hz:
            felt = passed_on(
                physics.mattress_hz, physics.mattress_damping, height, row.duration_s, rng
            )
            felt = felt @ self.strapping.T
            if physics.sway_deg:
                felt += sway(physics.sway_deg, self.gravity, len(felt), row.duration_s, rng)
            made = Sampled(row.onset_s, RATE_HZ, np.zeros_like(felt), felt)
            return Motion(row.onset_s, made.end_s, sampled=(made,))
        swings = []
        at = row.onset_s
        while at < row.offset_s - 0.3:
            length = min(rng.uniform(0.4, 1.2), row.offset_s - at)
            direction = self.strapping @ unit(rng.normal(size=3))
            amplitude = height * rng.uniform(0.5, 1.0) * direction
            swings.append(Shake(at, length, amplitude, rng.uniform(2.0, 12.0), "damped"))
            at += length * rng.uniform(0.7, 1.0)
        return Motion(row.onset_s, at, (), tuple(swings))


def _rotation_vector_between(
    gravity: FloatArray, so_far: FloatArray, target: FloatArray
) -> FloatArray:
    """What to add to a rotation vector so that the sum takes gravity to the target."""
    axis = np.cross(gravity, target)
    angle = np.arccos(np.clip(gravity @ target, -1.0, 1.0))
    whole = unit(axis) * angle if np.linalg.norm(axis) > 1e-6 else np.zeros(3)
    return whole - so_far


def _fidgets(
    row: Planned, rng: np.random.Generator, *, per_s: float, median_deg: float
) -> list[Turn]:
    """Turns there and back about changing axes, all over by the movement's end."""
    turns = []
    count = max(int(row.duration_s * per_s), 2)
    for place in range(count):
        out_s, back_s = rng.uniform(0.3, 1.2, 2)
        scale = min(1.0, row.duration_s / (out_s + back_s))
        out_s, back_s = out_s * scale, back_s * scale
        # The first begins with the movement and the last ends with it.
        within = rng.uniform() if 0 < place < count - 1 else float(place > 0)
        share = (place + within) / count
        at = row.onset_s + share * (row.duration_s - out_s - back_s)
        angle = np.deg2rad(min(rng.lognormal(np.log(median_deg), 0.6), 70.0))
        axis = unit(rng.normal(size=3))
        lever = rng.uniform(0.2, 0.6)
        turns += [
            Turn(at, out_s, angle, axis, lever, int(rng.integers(3))),
            Turn(at + out_s, back_s, -angle, axis, lever, int(rng.integers(3))),
        ]
    return turns


def _tap(row: Planned, rng: np.random.Generator) -> Motion:
    height = rng.lognormal(np.log(0.3), 0.6) * unit(rng.normal(size=3))
    shake = Shake(row.onset_s, row.duration_s, height, 0.0, "pulse")
    return Motion(row.onset_s, row.offset_s, (), (shake,))


def cross_talk(motion: Motion, peak_g: float, rng: np.random.Generator) -> Motion | None:
    """What the other ankle feels of a strong movement, through the mattress."""
    share = rng.uniform(*_CROSS_TALK)
    if peak_g < _CROSS_TALK_FROM_G:
        return None
    length = float(rng.uniform(0.4, 0.9))
    amplitude = min(peak_g, 1.0) * share * unit(rng.normal(size=3))
    shake = Shake(motion.onset_s, length, amplitude, float(rng.uniform(4.0, 7.0)), "damped")
    return Motion(motion.onset_s, motion.onset_s + length, (), (shake,))
