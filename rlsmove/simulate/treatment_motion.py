"""What massages, machines in bed and their look-alikes do at an ankle sensor, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter, sosfiltfilt

from rlsmove.records import FloatArray
from rlsmove.simulate.limb_motion import Shake, unit
from rlsmove.simulate.treatment import Session

#: Shaking is given at this rate, turns (which are slow) at the other.
SHAKE_RATE_HZ, TURN_RATE_HZ = 100.0, 25.0
#: Longest piece.
_PIECE_S = 240.0


@dataclass(frozen=True)
class Felt:
    """A piece of what is done to a leg, in the axes of the shank.

    Attributes
    ----------
    start_s : float
        On the true clock.
    turn_rad : ndarray, shape (n,)
        By how much the leg is turned, at `TURN_RATE_HZ`; it starts and ends at 0.
    axis : ndarray, shape (3,)
        Unit vector about which gravity turns then.
    shake_g : ndarray, shape (m, 3)
        Acceleration besides, at `SHAKE_RATE_HZ`.
    lines : tuple of Shake
        What motors do: too fast for points.
    """

    start_s: float
    turn_rad: FloatArray
    axis: FloatArray
    shake_g: FloatArray
    lines: tuple[Shake, ...] = ()


def pieces(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Draw what a session does.

    Parameters
    ----------
    session : Session
        Its kind and times; of what runs in bed also period and clock.
    rng : Generator
        Source of chance.

    Returns
    -------
    session : Session
        With its frequency or period as drawn.
    felt : list of Felt
        By start, none longer than some minutes.
    """
    return _KINDS[session.kind](session, rng)


def _log(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _band(seconds: float, low_hz: float, high_hz: float, rng: np.random.Generator) -> FloatArray:
    """Noise of three axes in a band, with an SD of 1, shape (m, 3)."""
    n = max(int(seconds * SHAKE_RATE_HZ), 8)
    sections = butter(2, (low_hz, high_hz), "bandpass", fs=SHAKE_RATE_HZ, output="sos")
    made = sosfiltfilt(sections, rng.standard_normal((n + 200, 3)), axis=0)[100 : 100 + n]
    return made / made.std()


def _edges(n: int, rate_hz: float, edge_s: float) -> FloatArray:
    """1, with a smooth rise and fall at the ends, shape (n,)."""
    at_s = (np.arange(n) + 0.5) / rate_hz
    nearest = np.minimum(at_s, at_s[::-1])
    return np.sin(np.pi / 2 * np.clip(nearest / edge_s, 0, 1)) ** 2


def _still(seconds: float) -> FloatArray:
    return np.zeros(max(int(seconds * TURN_RATE_HZ), 2))


def _runs(
    session: Session,
    run_s: tuple[float, float],
    pause_s: tuple[float, float],
    rng: np.random.Generator,
) -> Iterator[tuple[float, float]]:
    """Starts and lengths of runs with pauses between, from start to end of a session."""
    at = session.start_s
    while session.end_s - at > 2.0:
        length = min(rng.uniform(*run_s), session.end_s - at)
        yield at, length
        at += length + rng.uniform(*pause_s)


def _curve(seconds: float, every_s: float, rng: np.random.Generator) -> FloatArray:
    """A slow wandering between -1 and 1 that starts and ends at 0, at the rate of turns."""
    n = max(int(seconds * TURN_RATE_HZ), 2)
    knots = np.concatenate([[0.0], rng.uniform(-1, 1, max(int(seconds / every_s), 1)), [0.0]])
    at = np.linspace(0, len(knots) - 1, n)
    low = np.minimum(at.astype(int), len(knots) - 2)
    smooth = (1 - np.cos(np.pi * (at - low))) / 2
    return knots[low] + smooth * (knots[low + 1] - knots[low])


def _vibration(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """A motor's line: steady, in programs of seconds on and off, or a massage gun moved about."""
    frequency = float(rng.uniform(20.0, 60.0))
    height_g, overtone = _log(0.07, 1.0, rng), rng.uniform(0.0, 0.5)
    wander = rng.uniform(0.0, 0.01)
    direction, other = unit(rng.normal(size=3)), unit(rng.normal(size=3))
    way = rng.choice(["steady", "program", "gun"], p=[0.4, 0.35, 0.25])
    on, off = rng.uniform(1.0, 8.0), rng.uniform(0.5, 6.0)
    on_s, off_s = {
        "steady": ((_PIECE_S, _PIECE_S), (0.0, 0.0)),
        "program": ((on, on), (off, off)),
        "gun": ((2.0, 6.0), (0.0, 0.3)),
    }[str(way)]
    felt = []
    for at, length in _runs(session, on_s, off_s, rng):
        share = rng.uniform(0.15, 1.0) if way == "gun" else 1.0
        steady = Shake(at, length, height_g * share * direction, frequency, "steady", wander)
        double = replace(
            steady, amplitude_g=height_g * share * overtone * other, frequency_hz=2 * frequency
        )
        moved = np.deg2rad(rng.uniform(0.5, 4.0)) * _curve(length, 1.5, rng)
        turn = moved if way == "gun" else _still(length)
        felt.append(Felt(at, turn, other, np.zeros((2, 3)), (steady, double)))
    return replace(session, frequency_hz=frequency), felt


def _kneading(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Rollers: a slow line with harmonics, turning the leg, over the rumble of a motor."""
    frequency = float(rng.uniform(0.3, 1.2))
    height = np.deg2rad(rng.uniform(0.25, 1.5))
    harmonics = rng.uniform(0.0, 1.0, 4) / np.arange(1, 5)
    harmonics[0] = 1.0
    phases = rng.uniform(0, 2 * np.pi, 4)
    axis, along = unit(rng.normal(size=3)), unit(rng.normal(size=3))
    push_g = _log(0.005, 0.06, rng)
    rumble_g, rumble_hz = _log(0.004, 0.04, rng), rng.uniform(9.0, 35.0)
    pause = (0.3, 3.0) if rng.random() < 0.6 else (0.0, 0.0)
    felt = []
    for at, length in _runs(session, (15.0, 90.0), pause, rng):
        slip = 1 + rng.normal(0.0, 0.004)

        def wave(rate_hz: float, length: float = length, slip: float = slip) -> FloatArray:
            t = np.arange(max(int(length * rate_hz), 2)) / rate_hz
            angle = 2 * np.pi * frequency * slip * t
            made = sum(
                h * np.sin((k + 1) * angle + p)
                for k, (h, p) in enumerate(zip(harmonics, phases, strict=True))
            )
            return np.asarray(made) * _edges(len(t), rate_hz, 1.0) / harmonics.sum()

        shake = push_g * wave(SHAKE_RATE_HZ)[:, None] * along
        rumble = Shake(at, length, rumble_g * along, rumble_hz, "steady", 0.004)
        felt.append(Felt(at, height * wave(TURN_RATE_HZ), axis, shake, (rumble,)))
    return replace(session, frequency_hz=frequency), felt


def _compression(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Air chambers fill, hold and let go: a small turn with a burst at each edge, and a pump."""
    bounds_s = (20.0, 75.0) if session.clock else (8.0, 30.0)
    period = session.period_s or float(rng.uniform(*bounds_s))
    cycle = _Chambers(period, rng)
    felt = [
        piece
        for at in _cycle_starts(replace(session, period_s=period), rng)
        if at + 0.95 * period < session.end_s
        for piece in cycle.at(at, rng)
    ]
    return replace(session, period_s=period), felt


def _cycle_starts(session: Session, rng: np.random.Generator) -> FloatArray:
    """When the cycles of a machine start, by how its clock is kept."""
    period = session.period_s or 30.0
    count = int((session.end_s - session.start_s) / period)
    lengths = np.full(count, period)
    if session.clock == "drift":
        lengths *= np.linspace(1.0, 1.0 + rng.choice([-1, 1]) * 0.001, count)
    elif session.clock == "free":
        lengths *= 1 + 0.02 * rng.standard_normal(count)
    starts = session.start_s + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])[:count]
    if session.clock == "jitter":
        starts += 0.01 * period * rng.standard_normal(count)
    return starts


class _Chambers:
    """One cycle of a compression machine; every cycle is alike, but for its bursts' noise."""

    def __init__(self, period_s: float, rng: np.random.Generator) -> None:
        self.fill_s = max(rng.uniform(0.08, 0.35) * period_s, 1.0)
        self.hold_s = rng.uniform(0.05, 0.4) * period_s
        self.empty_s = min(rng.uniform(0.4, 3.0), 0.15 * period_s)
        self.steps = int(rng.integers(1, 5)) if rng.random() < 0.5 else 1
        self.height = np.deg2rad(_log(0.3, 2.0, rng))
        self.axis, self.way = unit(rng.normal(size=3)), unit(rng.normal(size=3))
        self.burst_g, self.burst_s = _log(0.01, 0.12, rng), rng.uniform(0.15, 1.0)
        self.release = rng.uniform(0.3, 2.0)
        self.band = (rng.uniform(1.0, 5.0), rng.uniform(9.0, 30.0))
        self.hum_g = _log(0.002, 0.03, rng)
        self.hum_hz = rng.uniform(20.0, 60.0)

    def at(self, start_s: float, rng: np.random.Generator) -> Iterator[Felt]:
        """The turn and hum of one cycle, and its bursts."""
        whole_s = self.fill_s + self.hold_s + self.empty_s
        t = np.arange(int(whole_s * TURN_RATE_HZ)) / TURN_RATE_HZ
        step_s = self.fill_s / self.steps
        angle = np.zeros(len(t))
        for step in range(self.steps):
            rise = np.clip((t - step * step_s) / step_s, 0, 1)
            angle += (1 - np.cos(np.pi * rise)) / 2 / self.steps
        angle *= (1 + np.cos(np.pi * np.clip((t - whole_s) / self.empty_s + 1, 0, 1))) / 2
        angle *= self.height * (1 + rng.normal(0.0, 0.05))
        hum = Shake(start_s, self.fill_s, self.hum_g * self.way, self.hum_hz, "steady", 0.01)
        yield Felt(start_s, angle, self.axis, np.zeros((2, 3)), (hum,))
        edges = [(start_s + step * step_s, 1.0) for step in range(self.steps)]
        for at, share in [*edges, (start_s + self.fill_s + self.hold_s, self.release)]:
            seconds = self.burst_s * rng.uniform(0.8, 1.25)
            shake = _band(seconds, *self.band, rng)
            shake *= self.burst_g * share * _edges(len(shake), SHAKE_RATE_HZ, seconds / 2)[:, None]
            yield Felt(at, _still(seconds), self.axis, shake)


def _pad(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """A vibrating pad in bed: seconds on in every cycle, on a clock of its own."""
    if not session.clock:
        return _vibration(session, rng)
    period = session.period_s or float(rng.uniform(20.0, 75.0))
    frequency, height_g = float(rng.uniform(20.0, 60.0)), _log(0.03, 0.4, rng)
    on_s = rng.uniform(0.1, 0.4) * period
    way = unit(rng.normal(size=3))
    session = replace(session, period_s=period, frequency_hz=frequency)
    felt = []
    for at in _cycle_starts(session, rng):
        line = Shake(float(at), on_s, height_g * way, frequency, "steady", 0.003)
        felt.append(Felt(float(at), _still(on_s), way, np.zeros((2, 3)), (line,)))
    return session, felt


def _manual(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Hands: uneven strokes in runs, the leg lifted and laid down between them."""
    rate, uneven = float(rng.uniform(0.4, 1.5)), rng.uniform(0.1, 0.2)
    press_g, rub_g = _log(0.03, 0.3, rng), _log(0.005, 0.05, rng)
    height = np.deg2rad(rng.uniform(0.5, 4.0))
    felt = []
    for at, length in _runs(session, (25.0, 120.0), (2.0, 10.0), rng):
        axis, way = unit(rng.normal(size=3)), unit(rng.normal(size=3))
        beats = np.cumsum(np.maximum(rng.normal(1.0, uneven, int(length * rate) + 2), 0.3)) / rate
        beats = beats[beats < length - 0.5]
        # Phase of the stroke at each moment, a whole number at each beat.
        turn_t = np.arange(int(length * TURN_RATE_HZ)) / TURN_RATE_HZ
        shake_t = np.arange(int(length * SHAKE_RATE_HZ)) / SHAKE_RATE_HZ
        heights = rng.lognormal(0.0, 0.3, len(beats) + 2)

        def strokes(
            t: FloatArray, beats: FloatArray = beats, heights: FloatArray = heights
        ) -> FloatArray:
            phase = np.interp(t, beats, np.arange(len(beats))) if len(beats) else np.zeros(len(t))
            size = heights[phase.astype(int)]
            return size * (np.sin(2 * np.pi * phase) + 0.4 * np.sin(4 * np.pi * phase + 1.0))

        turn = height * strokes(turn_t) * _edges(len(turn_t), TURN_RATE_HZ, 0.5)
        rubbing = _band(length, 2.0, 14.0, rng)[: len(shake_t)]
        shake = press_g * strokes(shake_t)[:, None] * way
        shake += rub_g * (0.4 + np.abs(strokes(shake_t)))[:, None] * rubbing
        shake *= _edges(len(shake_t), SHAKE_RATE_HZ, 0.5)[:, None]
        felt.append(Felt(at, turn, axis, shake))
        if rng.random() < 0.6 and length > 8.0:
            # Lifted, turned a little, laid down.
            lift_s = rng.uniform(1.5, 4.0)
            lift = np.deg2rad(rng.uniform(5.0, 30.0)) * np.sin(
                np.pi * np.linspace(0, 1, int(lift_s * TURN_RATE_HZ))
            )
            jolt = _band(lift_s, 0.8, 8.0, rng) * rng.uniform(0.03, 0.2)
            jolt *= _edges(len(jolt), SHAKE_RATE_HZ, lift_s / 3)[:, None]
            felt.append(Felt(at + length, lift, axis, jolt))
    return replace(session, frequency_hz=rate), felt


def _jiggling(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """A foot that jiggles at 4 to 7 Hz, in runs."""
    rate = float(rng.uniform(4.0, 7.0))
    height_g, axis, way = _log(0.03, 0.3, rng), unit(rng.normal(size=3)), unit(rng.normal(size=3))
    felt = []
    for at, length in _runs(session, (8.0, 90.0), (3.0, 60.0), rng):
        m = int(length * SHAKE_RATE_HZ)
        wandering = 1 + 0.06 * np.interp(np.arange(m), *_knots(m, 150, rng))
        cycles = np.cumsum(rate * wandering) / SHAKE_RATE_HZ
        size = 1 + 0.35 * np.interp(np.arange(m), *_knots(m, 250, rng))
        wave = np.sin(2 * np.pi * cycles) + 0.3 * np.sin(4 * np.pi * cycles)
        wave *= size * _edges(m, SHAKE_RATE_HZ, 0.7)
        turn = np.deg2rad(rng.uniform(0.2, 1.5)) * _curve(length, 3.0, rng)
        felt.append(Felt(at, turn, axis, height_g * wave[:, None] * way))
    return replace(session, frequency_hz=rate), felt


def _knots(m: int, every: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    at = np.arange(0, m + every, every, dtype=np.float64)
    return at, rng.standard_normal(len(at))


def _rubbing(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Rubbing one's own leg, now and then, for some seconds."""
    felt = []
    for at, length in _runs(session, (3.0, 20.0), (15.0, 90.0), rng):
        rate = rng.uniform(1.5, 4.0)
        m = int(length * SHAKE_RATE_HZ)
        cycles = np.cumsum(
            rate * (1 + 0.2 * np.interp(np.arange(m), *_knots(m, int(100 / rate), rng)))
        )
        wave = np.sin(2 * np.pi * cycles / SHAKE_RATE_HZ)[:, None] * unit(rng.normal(size=3))
        wave = _log(0.03, 0.2, rng) * wave + rng.uniform(0.01, 0.05) * _band(length, 3.0, 20.0, rng)
        wave *= _edges(m, SHAKE_RATE_HZ, 0.4)[:, None]
        turn = np.deg2rad(rng.uniform(0.5, 4.0)) * _curve(length, 0.7, rng)
        felt.append(Felt(at, turn, unit(rng.normal(size=3)), wave))
    return session, felt


def _stretching(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Slow large turns that are held, trembling."""
    felt = []
    for at, length in _runs(session, (4.0, 25.0), (3.0, 30.0), rng):
        turn = np.deg2rad(rng.uniform(8.0, 40.0)) * _edges(
            int(length * TURN_RATE_HZ), TURN_RATE_HZ, min(2.5, length / 3)
        )
        shake = _band(length, 5.0, 12.0, rng) * rng.uniform(0.005, 0.05)
        shake *= _edges(len(shake), SHAKE_RATE_HZ, 1.0)[:, None]
        felt.append(Felt(at, turn, unit(rng.normal(size=3)), shake))
    return session, felt


def _walking(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """Steps are movements of the legs' own: nothing is done to them."""
    return session, []


def _car(session: Session, rng: np.random.Generator) -> tuple[Session, list[Felt]]:
    """A ride: the road's noise, an engine whose speed changes, sway, stops."""
    felt = []
    road_g, engine_g = _log(0.008, 0.08, rng), _log(0.002, 0.02, rng)
    for at, length in _runs(session, (10.0, 120.0), (0.0, 20.0), rng):
        shake = _band(length, 0.8, 15.0, rng) * road_g * rng.uniform(0.3, 1.2)
        shake *= _edges(len(shake), SHAKE_RATE_HZ, 2.0)[:, None]
        engine = Shake(
            at, length, engine_g * unit(rng.normal(size=3)), rng.uniform(14.0, 50.0), "steady", 0.1
        )
        turn = np.deg2rad(rng.uniform(0.5, 3.0)) * _curve(length, 2.0, rng)
        felt.append(Felt(at, turn, unit(rng.normal(size=3)), shake, (engine,)))
    return session, felt


_KINDS: dict[str, Callable[[Session, np.random.Generator], tuple[Session, list[Felt]]]] = {
    "vibration": _pad,
    "kneading": _kneading,
    "compression": _compression,
    "manual": _manual,
    "jiggling": _jiggling,
    "rubbing": _rubbing,
    "stretching": _stretching,
    "walking": _walking,
    "car": _car,
}
