"""The ranges that nights of many physics are drawn from: some to develop on, others to test on.

A detector is developed, and every constant of it chosen, on nights of `TRAINING` alone. `HELD_OUT`
has ways of moving that `TRAINING` lacks, and reaches further in most of its ranges: nothing may be
chosen on its nights, or they tell nothing. Where a range has no source it is a judgement, and says
so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from rlsmove.simulate.physics import Physics
from rlsmove.simulate.scenarios import NightParameters


@dataclass(frozen=True)
class Range:
    """What one value is drawn from.

    Attributes
    ----------
    low, high : float
        Bounds.
    source : str
        Where they come from, or "judgement".
    scale : str
        ``even``, ``log`` or ``whole`` (whole numbers, both bounds among them).
    absent : float
        Share of the nights that have 0 instead.
    """

    low: float
    high: float
    source: str
    scale: str = "even"
    absent: float = 0.0

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        there = rng.random() >= self.absent
        if self.scale == "log":
            value = float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        elif self.scale == "whole":
            value = int(rng.integers(int(self.low), int(self.high) + 1))
        else:
            value = float(rng.uniform(self.low, self.high))
        return value if there else 0 * value


@dataclass(frozen=True)
class Ranges:
    """A world of nights.

    Attributes
    ----------
    name : str
        ``training`` or ``held_out``.
    gestures : tuple of str
        Ways of moving; a night has a few of them, in shares of its own.
    values : mapping of str to Range
        By the name of an attribute of `NightParameters` or `Physics`; ``settle_low_deg`` and
        ``settle_span_deg``, ``breath_low_hz`` and ``heart_low_hz`` (and their ``span``) make the
        pairs there.
    steps_g : tuple of float
        Steps of devices: 8, 10 and 12 bits over 2 to 16 g, and finer.
    rates_hz : tuple of float
        Samples per second.
    """

    name: str
    gestures: tuple[str, ...]
    values: Mapping[str, Range]
    steps_g: tuple[float, ...]
    rates_hz: tuple[float, ...]


_JUDGED = "judgement"
_PATIENTS = "median 20-30 s in patients, widened"
_DURATION = "about 2 s, 0.5-5 s in patients, widened"
_PEAK = "0.38 g mean peak in sleep (Sicbaldi 2025); persons differ by an order (judgement)"
_RESTING = "still parts of real recordings: 1-7.5 mg with the step"

#: To develop on.
TRAINING = Ranges(
    "training",
    (
        "jerked",
        "second_order",
        "emg_driven",
        "clonic",
        "held",
        "slow",
        "relaxing",
        "burst",
        "tremor",
        "toe",
    ),
    {
        "plm_per_hour": Range(5.0, 90.0, "0-100 per hour in patients", absent=0.15),
        "isolated_per_hour": Range(1.0, 15.0, _JUDGED),
        "clusters_per_hour": Range(0.0, 5.0, _JUDGED),
        "wake_per_hour": Range(5.0, 120.0, "90 per hour awake (Sicbaldi 2025)"),
        "interval_median_s": Range(14.0, 40.0, _PATIENTS),
        "interval_ln_sd": Range(0.05, 0.6, _JUDGED, "log"),
        "interval_memory": Range(0.0, 0.7, _JUDGED),
        "interval_trend": Range(0.0, 0.5, _JUDGED),
        "duration_median_s": Range(0.8, 3.5, _DURATION, "log"),
        "duration_ln_sd": Range(0.2, 0.7, _DURATION),
        "tilt_median_deg": Range(0.5, 10.0, _PEAK, "log"),
        "tilt_ln_sd": Range(0.3, 1.1, _JUDGED),
        "shake_median_g": Range(0.01, 0.25, _PEAK, "log"),
        "shake_ln_sd": Range(0.3, 0.9, _JUDGED),
        "held_share": Range(0.0, 0.5, _JUDGED),
        "jerks_share": Range(0.0, 0.5, _JUDGED),
        "tremor_share": Range(0.0, 0.6, _JUDGED),
        "silent_share": Range(0.0, 0.4, "5-70 % of EMG movements move nothing (Terrill 2013)"),
        "bilateral_share": Range(0.0, 0.8, _JUDGED),
        "alternating_share": Range(0.0, 0.5, _JUDGED),
        "settle_share": Range(0.05, 1.0, _JUDGED, absent=0.25),
        "settle_low_deg": Range(0.2, 2.0, _JUDGED),
        "settle_span_deg": Range(0.5, 8.0, _JUDGED),
        "creep_share": Range(0.0, 0.4, _JUDGED),
        "into_posture_share": Range(0.0, 0.08, _JUDGED),
        "from_posture_share": Range(0.0, 0.05, _JUDGED),
        "posture_shifts_per_hour": Range(1.0, 8.0, "healthy sleepers: 1-4 changes per hour"),
        "gross_per_hour": Range(0.0, 5.0, _JUDGED),
        "walks": Range(0, 1, _JUDGED, "whole"),
        "taps_per_hour": Range(0.0, 6.0, _JUDGED),
        "partner_per_hour": Range(5.0, 80.0, _JUDGED, absent=0.5),
        "partner_interval_s": Range(12.0, 60.0, _JUDGED),
        "partner_interval_ln_sd": Range(0.1, 0.8, _JUDGED),
        "partner_shake_g": Range(0.005, 0.05, "some 10 mg (judgement)", "log"),
        "mattress_hz": Range(1.5, 9.0, "beds ring at 2-8 Hz (judgement)", "log"),
        "mattress_damping": Range(0.05, 0.5, _JUDGED, "log"),
        "sway_deg": Range(0.05, 0.8, _JUDGED, "log", absent=0.5),
        "breathing_g": Range(0.0003, 0.006, "mg at the ankle (judgement)", "log"),
        "heart_g": Range(0.0003, 0.004, "1-2 mg at the ankle (judgement)", "log"),
        "drift_g": Range(0.001, 0.015, "0.2-1 mg per K (makers)", "log"),
        "breath_low_hz": Range(0.15, 0.3, "10-20 breaths a minute"),
        "breath_span_hz": Range(0.03, 0.12, _JUDGED),
        "heart_low_hz": Range(0.7, 1.2, "45-85 beats a minute"),
        "heart_span_hz": Range(0.05, 0.3, _JUDGED),
        "respiratory_per_hour": Range(2.0, 25.0, "apnea hypopnea index", absent=0.7),
        "strap_hz": Range(5.0, 30.0, _JUDGED, "log", absent=0.4),
        "strap_damping": Range(0.1, 0.9, _JUDGED, "log"),
        "slips": Range(0, 4, _JUDGED, "whole", absent=0.5),
        "flips": Range(0, 1, _JUDGED, "whole", absent=0.8),
        "off": Range(1, 1, _JUDGED, "whole", absent=0.9),
        "noise_g": Range(0.0007, 0.007, _RESTING, "log"),
        "flicker_g": Range(0.0002, 0.003, _JUDGED, "log", absent=0.3),
        "gaps": Range(0, 3, _JUDGED, "whole", absent=0.7),
    },
    (1 / 4096, 1 / 2048, 1 / 512, 1 / 256, 1 / 256, 1 / 128, 1 / 64),
    (25.0, 30.0, 40.0, 50.0, 64.0, 85.7, 100.0),
)

#: To test on, and on nothing else.
HELD_OUT = Ranges(
    "held_out",
    (
        "staircase",
        "flutter",
        "wandering",
        "jerked",
        "second_order",
        "clonic",
        "burst",
        "tremor",
        "toe",
    ),
    {
        **TRAINING.values,
        "interval_median_s": Range(11.0, 60.0, _PATIENTS),
        "interval_ln_sd": Range(0.04, 0.7, _JUDGED, "log"),
        "duration_median_s": Range(0.6, 4.5, _DURATION, "log"),
        "tilt_median_deg": Range(0.4, 14.0, _PEAK, "log"),
        "shake_median_g": Range(0.008, 0.4, _PEAK, "log"),
        "settle_span_deg": Range(0.3, 11.0, _JUDGED),
        "creep_share": Range(0.0, 0.7, _JUDGED),
        "partner_interval_s": Range(8.0, 90.0, _JUDGED),
        "partner_shake_g": Range(0.004, 0.08, _JUDGED, "log"),
        "mattress_hz": Range(1.0, 14.0, _JUDGED, "log"),
        "mattress_damping": Range(0.03, 0.7, _JUDGED, "log"),
        "sway_deg": Range(0.05, 1.2, _JUDGED, "log", absent=0.5),
        "breathing_g": Range(0.0002, 0.009, _JUDGED, "log"),
        "heart_g": Range(0.0002, 0.006, _JUDGED, "log"),
        "breath_low_hz": Range(0.12, 0.38, "8-25 breaths a minute"),
        "heart_low_hz": Range(0.6, 1.5, "40-100 beats a minute"),
        "strap_hz": Range(3.0, 40.0, _JUDGED, "log", absent=0.3),
        "strap_damping": Range(0.07, 1.2, _JUDGED, "log"),
        "noise_g": Range(0.0004, 0.010, _RESTING, "log"),
        "flicker_g": Range(0.0002, 0.005, _JUDGED, "log", absent=0.3),
    },
    (1 / 2048, 1 / 341, 1 / 256, 1 / 128, 1 / 64, 1 / 32),
    (25.0, 32.0, 33.3, 50.0, 75.0, 100.0),
)


#: By the names that commands give them.
RANGES = {ranges.name: ranges for ranges in (TRAINING, HELD_OUT)}


def draw_parameters(
    rng: np.random.Generator, ranges: Ranges = TRAINING, **given: object
) -> NightParameters:
    """Draw what one night is made of.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    ranges : Ranges
        `TRAINING`, or for tests alone `HELD_OUT`.
    **given
        Values that are not drawn: attributes of `NightParameters` or `Physics` by name, such as
        ``hours=8.0`` or ``settle_share=1.0``. The others come out as without them. Nights are of 2
        hours and of the left leg unless given otherwise.

    Returns
    -------
    NightParameters
        For `simulate_night`.
    """
    drawn: dict[str, object] = {name: part.draw(rng) for name, part in ranges.values.items()}
    for pair in ("settle", "breath", "heart"):
        unit = "deg" if pair == "settle" else "hz"
        low, span = (drawn.pop(f"{pair}_{part}_{unit}") for part in ("low", "span"))
        drawn[f"{pair}_{unit}"] = (low, low + span)  # type: ignore[operator]
    count = int(rng.integers(1, 6))
    chosen = rng.choice(ranges.gestures, count, replace=False)
    drawn["gestures"] = tuple(
        (str(name), float(weight))
        for name, weight in zip(chosen, rng.dirichlet(np.ones(count)), strict=True)
    )
    step_g = float(rng.choice(ranges.steps_g))
    drawn["step_g"] = step_g
    # Eight bits at most beneath a scale of 2 to 16 g; a coarse step has a narrow scale.
    drawn["range_g"] = float(
        np.clip(rng.choice([2.0, 4.0, 8.0, 16.0]), step_g * 64, step_g * 2**15)
    )
    drawn["filtered"] = bool(rng.random() < 0.7)
    drawn |= {"hours": 2.0, "legs": "left", "fs": float(rng.choice(ranges.rates_hz))} | given
    of_physics = {field.name for field in fields(Physics)}
    physics = Physics(**{k: v for k, v in drawn.items() if k in of_physics})  # type: ignore[arg-type]
    rest = {name: value for name, value in drawn.items() if name not in of_physics}
    return replace(NightParameters(), physics=physics, **rest)  # type: ignore[arg-type]
