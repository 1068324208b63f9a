"""What a reader should know of machines and partners in a night, and of the index without them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rlsmove.massage.machine_cycles import Clock
from rlsmove.night.leg_detections import LegFindings
from rlsmove.records import (
    LEG_MOVEMENT,
    MACHINE,
    BoolArray,
    DetectedLeg,
    DetectedNight,
    FloatArray,
    Notice,
)
from rlsmove.rules import RuleSet
from rlsmove.scoring.detected_legs import ScoredLegs, score_legs
from rlsmove.scoring.intervals import total_ms

#: What comes through a mattress is small (judgement: a partner's kick turns a leg by a degree at
#: most), and leg movements of a sleeper are larger by the median. A night whose periodic movements
#: are mostly of this size may be a partner's.
PARTNER_TILT_DEG = 1.5
PARTNER_PEAK_G = 0.15
PARTNER_SHARE = 0.6
PARTNER_COUNT = 10


def machine_notices(
    findings: Sequence[LegFindings], detected: DetectedNight, scored: ScoredLegs, rules: RuleSet
) -> list[Notice]:
    """Warn of machines, of what may be one, and of what may be a partner.

    Parameters
    ----------
    findings : sequence of LegFindings
        Of each leg, on one clock where the legs are scored together.
    detected : DetectedNight
        The night without what is sure to be a machine's.
    scored : ScoredLegs
        That night, scored.
    rules : RuleSet
        What it was scored by.
    """

    def index_of(legs: Sequence[DetectedLeg]) -> float | None:
        index = score_legs(replace(detected, legs=tuple(legs)), rules).indices["plms_per_hour"]
        return None if index is None else float(index)

    now = scored.indices["plms_per_hour"]
    notices = []
    sure = [clock for leg in findings for clock in leg.massage.machine]
    if sure:
        hidden_min = sum(total_ms(leg.hidden) for leg in detected.legs) / 60_000
        events = sum(int(np.sum(leg.movements.kind == MACHINE)) for leg in detected.legs)
        notices.append(
            Notice(
                "machine_in_bed",
                f"{_periods(sure)}: {events} events are taken for its cycles and count as no leg "
                f"movement, {hidden_min:.1f} minutes that they hide count in no hours; the PLMS "
                f"index is {_rate(now)} without and "
                f"{_rate(index_of([leg.as_detected for leg in findings]))} with them",
            )
        )
    doubtful = [clock for leg in findings for clock in leg.massage.clocks if not clock.is_machine]
    if doubtful:
        without = index_of([leg.without(leg.massage.clocks) for leg in findings])
        notices.append(
            Notice(
                "possible_machine",
                f"{_periods(doubtful)}, too regular for most sleepers and not regular enough to "
                f"be sure that it is a machine: nothing was taken out; the PLMS index is "
                f"{_rate(now)} with and {_rate(without)} without what keeps it",
            )
        )
    notices += _partner(detected, scored, now, index_of)
    return notices


def _partner(
    detected: DetectedNight,
    scored: ScoredLegs,
    now: float | None,
    index_of: Callable[[Sequence[DetectedLeg]], float | None],
) -> list[Notice]:
    table = scored.scoring
    periodic = (table.plm == 1) & (table.sleep != 0)
    small = _small(table.tilt_deg, table.peak_g)
    count = int(np.sum(periodic & small))
    if count < PARTNER_COUNT or count < PARTNER_SHARE * np.sum(periodic):
        return []
    legs = [
        replace(
            leg,
            movements=leg.movements.take(
                (leg.movements.kind != LEG_MOVEMENT)
                | ~_small(leg.movements.tilt_deg, leg.movements.peak_g)
            ),
        )
        for leg in detected.legs
    ]
    return [
        Notice(
            "possible_partner",
            f"{count} of {int(np.sum(periodic))} periodic movements are as small as what a partner "
            f"passes on through a mattress (below {PARTNER_TILT_DEG:g} degrees and "
            f"{PARTNER_PEAK_G:g} g), and a sensor on the leg cannot tell whose they are: nothing "
            f"was taken out; the PLMS index is {_rate(now)} with and {_rate(index_of(legs))} "
            "without them",
        )
    ]


def _small(tilt_deg: FloatArray, peak_g: FloatArray) -> BoolArray:
    small: BoolArray = (tilt_deg < PARTNER_TILT_DEG) & (peak_g < PARTNER_PEAK_G)
    return small


def _periods(clocks: Sequence[Clock]) -> str:
    """The periods of some clocks in words, those of one length once."""
    periods: list[float] = []
    for clock in sorted(clocks, key=len, reverse=True):
        if all(abs(clock.period_s / period - 1) > 0.05 for period in periods):
            periods.append(clock.period_s)
    text = " and ".join(f"{period:.1f}" for period in sorted(periods[:3]))
    return f"something keeps a clock of {text} s"


def _rate(index: float | None) -> str:
    return "not known" if index is None else f"{index:.1f} per hour"
