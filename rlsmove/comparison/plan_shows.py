"""What a plan can show before it is frozen, with where its assumptions come from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlsmove.comparison.person_nights import log_rate
from rlsmove.comparison.power import (
    NIGHT_SD,
    PERSON_SD,
    POWER,
    Baseline,
    cohort_power,
    nights_for_power,
    person_power,
    smallest_p,
)
from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.comparison.study_nights import study_nights, study_settings
from rlsmove.study.folder import Study
from rlsmove.study.plan import Scheme

#: Ratios that the power is given for, beside the worthwhile one.
_RATIOS = (0.5, 0.7)

#: Nights without massage from which one person's variation is worth measuring.
_LEAST_NIGHTS = 4


def plan_shows(
    study: Study, scheme: Scheme, *, seed: int, night_sd: float | None, correlation: float
) -> dict[str, Any]:
    """Say what a scheme can show in a study.

    Parameters
    ----------
    study : Study
    scheme : Scheme
    seed : int
        For the simulations.
    night_sd : float or None
        SD of a night's log rate; None to measure it from nights without massage that have a
        result, or else to assume 0.5.
    correlation : float
        From one night to the next.

    Returns
    -------
    dict
        ``assignments``, ``smallest_p``, ``night_sd``, ``night_sd_source``, ``correlation``,
        ``person_sd``, ``power`` (a list of ``ratio``, ``person``, ``cohort``), ``nights_needed``
        and ``sentence``.
    """
    settings = study_settings(study)
    by_name = {arm.name: arm.massage for arm in study.arms}
    massage = np.array([by_name[name] for name in scheme.arms])
    source = "as given"
    if night_sd is None:
        night_sd = _measured_sd(study, settings.index)
        source = "measured in this study's nights without massage"
    if night_sd is None:
        night_sd, source = NIGHT_SD, "assumed"
    baseline = Baseline(night_sd, correlation)
    persons = len(study.participants)
    power = [
        {
            "ratio": ratio,
            "person": person_power(scheme, massage, ratio, baseline, seed),
            "cohort": cohort_power(scheme, massage, ratio, baseline, persons, seed)
            if 2 <= persons <= 1000
            else None,
        }
        for ratio in sorted({*_RATIOS, settings.margin})
    ]
    smallest = smallest_p(scheme, massage)
    shows: dict[str, Any] = {
        "assignments": min(scheme.space().size, 2**53),
        "smallest_p": smallest,
        "night_sd": night_sd,
        "night_sd_source": source,
        "correlation": correlation,
        "person_sd": PERSON_SD,
        "power": power,
        "nights_needed": nights_for_power(scheme, massage, settings.margin, baseline, seed),
    }
    return {**shows, "sentence": _sentence(shows, persons, settings.margin)}


def _sentence(shows: dict[str, Any], persons: int, margin: float) -> str:
    lines = [
        f"{shows['assignments']} possible sequences for each person; the smallest p that one "
        f"person can reach is {shows['smallest_p']:.2g}."
    ]
    if shows["smallest_p"] > ALPHA:
        lines.append(
            f"That is above {ALPHA:g}: one person's nights cannot be told apart with this plan, "
            "whatever they show. More blocks are needed."
        )
    lines.append(
        f"Power, with a night-to-night SD of {shows['night_sd']:.2f} on the log scale "
        f"({shows['night_sd_source']}) and a correlation of {shows['correlation']:g}:"
    )
    for row in shows["power"]:
        line = f"  ratio {row['ratio']:g}: one person {row['person']:.2f}"
        if row["cohort"] is not None:
            line += (
                f", {persons} persons {row['cohort']:.2f} (true ratios differing between them "
                f"with SD {shows['person_sd']:g}, assumed)"
            )
        lines.append(line)
    lines.append(
        f"To tell a ratio of {margin:g} with a power of {POWER:g}, one person needs "
        f"{shows['nights_needed'] or 'more than 500'} nights."
    )
    return "\n".join(lines)


def _measured_sd(study: Study, index: str) -> float | None:
    """Pool each person's variance over nights without massage: run-in and control."""
    squares, freedom = 0.0, 0
    for person in study_nights(study, None, index):
        rates = []
        for night in person.nights:
            no_massage = night.received < 0 or not person.arms[night.received].massage
            if no_massage and not night.failed and night.hours > 0 and night.count >= 0:
                rates.append(log_rate(night.count, night.hours))
        if len(rates) >= _LEAST_NIGHTS:
            squares += float(np.var(rates)) * len(rates)
            freedom += len(rates) - 1
    return math.sqrt(squares / freedom) if squares > 0 else None
