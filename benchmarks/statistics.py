"""False positives, coverage and power of every design on offer, on simulated studies.

``python -m benchmarks statistics`` simulates studies of night results, compares each as
``rlsmove compare`` does, and writes the tables into ``docs/benchmarks-statistics.md``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.pages import write_tables
from rlsmove.comparison.cohort import pool
from rlsmove.comparison.contrast import Contrast
from rlsmove.comparison.person import primary_contrast
from rlsmove.comparison.person_nights import Settings
from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.simulate.study_results import (
    ARMS,
    ResultParameters,
    person_nights,
    simulate_results,
)
from rlsmove.study.plan import Scheme, make_scheme

#: One person's designs, as `rlsmove plan` offers them.
DESIGNS = {
    "pairs, 14 nights": make_scheme("pairs", ARMS, 14),
    "pairs, 20 nights": make_scheme("pairs", ARMS, 20),
    "pairs, 60 nights": make_scheme("pairs", ARMS, 60),
    "pairs of 2-night periods, 28 nights": make_scheme("pairs", ARMS, 28, period_nights=2),
    "blocks of 4, 16 nights": make_scheme("blocks", ARMS, 16),
    "blocks of 6, 24 nights": make_scheme("blocks", ARMS, 24, block_nights=6),
    "blocks of 2-night periods, 24 nights": make_scheme("blocks", ARMS, 24, period_nights=2),
    "blocks of 4, runs of at most 2, 16 nights": make_scheme("blocks", ARMS, 16, max_run=2),
    "free, 14 nights": make_scheme("free", ARMS, 14),
    "free, runs of at most 3, 14 nights": make_scheme("free", ARMS, 14, max_run=3),
    "free, 24 nights": make_scheme("free", ARMS, 24),
}

#: What nights do beside massage.
SCENARIOS = {
    "independent nights": {},
    "correlation 0.6 and trend": {"correlation": 0.6, "trend_per_week": 0.4},
    "the same, 10 % of nights missing": {
        "correlation": 0.6,
        "trend_per_week": 0.4,
        "missing": 0.1,
    },
}

#: Persons in a cohort, each with 7 pairs of nights.
COHORTS = (7, 8, 12, 20, 40)

#: True ratios that the power is given for.
PERSON_RATIOS, COHORT_RATIOS = (0.7, 0.5), (0.75,)

#: Seeds start here.
FIRST_SEED = 70_001


@dataclass(frozen=True)
class Rates:
    """What simulated studies gave, as shares of them.

    Attributes
    ----------
    false_positives, coverage : float
        With no true effect, p <= 0.05; with the first true ratio, that ratio in the interval.
    power : tuple of float
        With each true ratio, p <= 0.05.
    """

    false_positives: float
    coverage: float
    power: tuple[float, ...]


def person_contrasts(parameters: ResultParameters, seed: int) -> Iterator[tuple[float, Contrast]]:
    """Yield each simulated person's true shift and what a comparison makes of their nights."""
    settings = Settings()
    for person in simulate_results(parameters, seed):
        nights = person_nights(person, parameters.scheme)
        found = primary_contrast(nights, settings)
        if found is not None:
            yield person.log_ratio, found


def person_rates(scheme: Scheme, scenario: dict[str, float], studies: int) -> Rates:
    """Simulate persons, each a study of their own."""
    shared = ResultParameters(persons=studies, scheme=scheme, ratio_ln_sd=0.0)
    shared = replace(shared, **scenario)  # type: ignore[arg-type]
    none, *some = (
        list(person_contrasts(replace(shared, ratio=ratio), FIRST_SEED + number))
        for number, ratio in enumerate((1.0, *PERSON_RATIOS))
    )
    return Rates(
        float(np.mean([c.p <= ALPHA for _, c in none])),
        float(np.mean([c.low <= shift <= c.high for shift, c in some[0]])),
        tuple(float(np.mean([c.p <= ALPHA for _, c in found])) for found in some),
    )


def cohort_rates(persons: int, scenario: dict[str, float], studies: int) -> Rates:
    """Simulate cohorts of persons who differ in their true ratios."""
    shared = ResultParameters(persons=persons, ratio_ln_sd=0.3)
    shared = replace(shared, **scenario)  # type: ignore[arg-type]
    found = []
    for number, ratio in enumerate((1.0, *COHORT_RATIOS)):
        cohorts = []
        for study in range(studies):
            seed = FIRST_SEED + 10_000 * (number + 1) + study
            drawn = person_contrasts(replace(shared, ratio=ratio), seed)
            cohorts.append(pool(np.array([contrast.shift for _, contrast in drawn]), seed=1))
        found.append(cohorts)
    shift = math.log(COHORT_RATIOS[0])
    return Rates(
        float(np.mean([pooled.p <= ALPHA for pooled in found[0]])),
        float(np.mean([pooled.low <= shift <= pooled.high for pooled in found[1]])),
        tuple(float(np.mean([pooled.p <= ALPHA for pooled in some])) for some in found[1:]),
    )


def tables(studies: int) -> Iterator[str]:
    """Yield the lines of both tables, as soon as each is known."""
    yield f"{studies} simulated studies for each figure."
    yield ""
    yield _head("one person", PERSON_RATIOS)
    for name, scheme in DESIGNS.items():
        for scenario, changes in SCENARIOS.items():
            yield _line(name, scenario, person_rates(scheme, changes, studies))
    yield ""
    yield _head("cohort, 7 pairs of nights each", COHORT_RATIOS)
    for persons in COHORTS:
        for scenario, changes in SCENARIOS.items():
            yield _line(f"{persons} persons", scenario, cohort_rates(persons, changes, studies))


def _head(what: str, ratios: Sequence[float]) -> str:
    power = "".join(f" power, ratio {ratio:g} |" for ratio in ratios)
    return (
        f"| {what} | nights | false positives | coverage |{power}\n"
        f"|---|---|--:|--:|{'--:|' * len(ratios)}"
    )


def _line(name: str, scenario: str, rates: Rates) -> str:
    power = "".join(f" {value:.2f} |" for value in rates.power)
    return (
        f"| {name} | {scenario} | {100 * rates.false_positives:.1f} % | "
        f"{100 * rates.coverage:.1f} % |{power}"
    )


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks statistics", description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies a figure")
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    lines = []
    for line in tables(options.studies):
        print(line, flush=True)
        lines.append(line)
    if not options.print:
        write_tables("statistics", "\n".join(lines))
