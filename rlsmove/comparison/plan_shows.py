"""What a plan can show before it is frozen, with where its assumptions come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlsmove.comparison.person_nights import log_rate
from rlsmove.comparison.power import (
    MOST_NIGHTS,
    NIGHT_SD,
    PERSON_SD,
    POWER,
    Baseline,
    cohort_power,
    design_of_scheme,
    nights_for_power,
    person_power,
    smallest_p,
)
from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.comparison.study_nights import study_nights, study_settings
from rlsmove.errors import SettingError
from rlsmove.study.folder import Arm, Study
from rlsmove.study.scheme import Scheme, make_scheme

#: Ratio that the power of schemes is compared at: a large effect, as fits one person's nights.
COMPARED_AT = 0.6

#: Ratios that the power is given for, beside the worthwhile one.
_RATIOS = (0.5, 0.7)

#: Nights without massage from which one person's variation is worth measuring.
_LEAST_NIGHTS = 4


def offered_schemes(
    arms: tuple[Arm, ...], nights: int, *, period_nights: int, max_run: int | None, run_in: int
) -> list[Scheme]:
    """Return the schemes that fit a number of nights: pairs, blocks of twice that, and free.

    Parameters
    ----------
    arms : tuple of Arm
    nights : int
        Of each person.
    period_nights, max_run, run_in
        As in `rlsmove.study.plan.make_scheme`.
    """
    names = tuple(arm.name for arm in arms)
    schemes = []
    for kind in ("blocks", "pairs", "free"):
        try:
            schemes.append(
                make_scheme(
                    kind,
                    names,
                    nights,
                    period_nights=period_nights,
                    max_run=max_run,
                    run_in_nights=run_in,
                )
            )
        except SettingError:
            continue  # the nights do not fit this one
    return schemes


def power_of_each(
    schemes: Sequence[Scheme], arms: tuple[Arm, ...], baseline: Baseline, seed: int
) -> list[tuple[Scheme, float]]:
    """Return schemes with one person's power at `COMPARED_AT`, the most powerful first."""
    powers = []
    for scheme in schemes:
        design = design_of_scheme(scheme, arms)
        blocks = scheme.nights // design.block_nights
        powers.append((scheme, person_power(design, blocks, COMPARED_AT, baseline, seed)))
    return sorted(powers, key=lambda pair: -pair[1])


def study_baseline(
    study: Study, *, night_sd: float | None, correlation: float, missing: float
) -> tuple[Baseline, str]:
    """Return how nights are expected to vary, and where the SD comes from.

    Parameters
    ----------
    study : Study
    night_sd : float or None
        SD of a night's log rate; None to measure it from nights without massage that have a
        result, or else to assume 0.5.
    correlation : float
        From one night to the next.
    missing : float
        Share of nights that will have no result.
    """
    source = "as given"
    if night_sd is None:
        night_sd = _measured_sd(study, study.primary_index)
        source = "measured in this study's nights without massage"
    if night_sd is None:
        night_sd, source = NIGHT_SD, "assumed"
    return Baseline(night_sd, correlation, missing), source


def plan_shows(
    study: Study,
    scheme: Scheme,
    baseline: Baseline,
    source: str,
    others: Sequence[tuple[Scheme, float]],
    *,
    seed: int,
) -> dict[str, Any]:
    """Say what a scheme can show in a study.

    Parameters
    ----------
    study : Study
    scheme : Scheme
    baseline, source
        From `study_baseline`.
    others : sequence of (Scheme, float)
        From `power_of_each`, the scheme at hand among them.
    seed : int
        For the simulations.

    Returns
    -------
    dict
        ``assignments``, ``smallest_p``, ``night_sd``, ``night_sd_source``, ``correlation``,
        ``missing``, ``person_sd``, ``power`` (a list of ``ratio``, ``person``, ``cohort``),
        ``schemes`` (a list of ``scheme``, ``power``), ``nights_needed`` and ``sentence``.
    """
    settings = study_settings(study)
    design = design_of_scheme(scheme, study.arms)
    blocks = scheme.nights // design.block_nights
    persons = len(study.participants)
    power = [
        {
            "ratio": ratio,
            "person": person_power(design, blocks, ratio, baseline, seed),
            "cohort": cohort_power(design, blocks, ratio, baseline, persons, seed)
            if 2 <= persons <= 1000
            else None,
        }
        for ratio in sorted({*_RATIOS, settings.margin})
    ]
    shows: dict[str, Any] = {
        "assignments": min(scheme.space().size, 2**53),
        "smallest_p": smallest_p(design, blocks),
        "night_sd": baseline.night_sd,
        "night_sd_source": source,
        "correlation": baseline.correlation,
        "missing": baseline.missing,
        "person_sd": PERSON_SD,
        "power": power,
        "schemes": [{"scheme": words_of(one), "power": power} for one, power in others],
        "nights_needed": nights_for_power(design, settings.margin, baseline, seed),
    }
    return {**shows, "sentence": _sentence(shows, persons, settings.margin)}


def words_of(scheme: Scheme) -> str:
    """Say a scheme, such as ``blocks of 4 nights over 16``."""
    words = f"{scheme.kind} of {scheme.block_nights} nights over {scheme.nights}"
    if scheme.kind == "free":
        words = f"free over {scheme.nights} nights"
    if scheme.kind == "pairs":
        words = (
            f"{'pairs' if len(scheme.arms) == 2 else 'one of each arm'} over {scheme.nights} nights"
        )
    words += f", {scheme.period_nights} at a time" if scheme.period_nights > 1 else ""
    return words + (f", runs of at most {scheme.max_run}" if scheme.max_run else "")


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
        f"({shows['night_sd_source']}), a correlation of {shows['correlation']:g} and "
        f"{100 * shows['missing']:.0f} % of the nights missing, simulated:"
    )
    for row in shows["power"]:
        line = f"  ratio {row['ratio']:g}: one person {row['person']:.2f}"
        if row["cohort"] is not None:
            line += (
                f", {persons} persons {row['cohort']:.2f} (true ratios differing between them "
                f"with SD {shows['person_sd']:g}, assumed)"
            )
        lines.append(line)
    lines.append(f"Schemes for so many nights, one person's power at a ratio of {COMPARED_AT:g}:")
    lines += [f"  {row['scheme']}: {row['power']:.2f}" for row in shows["schemes"]]
    lines.append(
        f"To tell a ratio of {margin:g} with a power of {POWER:g}, one person needs "
        f"{shows['nights_needed'] or f'more than {MOST_NIGHTS}'} nights."
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
