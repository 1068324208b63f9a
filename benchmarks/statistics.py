"""What the comparison promises, on simulated studies: each figure beside its bar.

``python -m benchmarks statistics`` simulates studies of night results, compares each as
``rlsmove compare`` does, and writes the tables into ``docs/benchmarks-statistics.md``; with
``--quick`` a tenth of the studies, printed only.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.pages import write_tables
from rlsmove.comparison.anytime import Anytime, bets, follow
from rlsmove.comparison.cohort import pool
from rlsmove.comparison.contrast import Contrast, joint_p
from rlsmove.comparison.hierarchy import hierarchy
from rlsmove.comparison.person import primary_contrast
from rlsmove.comparison.person_nights import PersonNights, Settings, log_rates
from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.records import FloatArray
from rlsmove.simulate.study_results import (
    ARMS,
    ResultParameters,
    person_nights,
    simulate_results,
)
from rlsmove.study.scheme import make_scheme

PAIRS = make_scheme("pairs", ARMS, 14)

#: One person's designs, as `rlsmove plan` offers them.
DESIGNS = {
    "pairs, 14 nights": PAIRS,
    "pairs, 20 nights": make_scheme("pairs", ARMS, 20),
    "pairs of 2-night periods, 28 nights": make_scheme("pairs", ARMS, 28, period_nights=2),
    "blocks of 4, 16 nights": make_scheme("blocks", ARMS, 16),
    "blocks of 2-night periods, 24 nights": make_scheme("blocks", ARMS, 24, period_nights=2),
    "blocks of 4, runs of at most 2, 16 nights": make_scheme("blocks", ARMS, 16, max_run=2),
    "free, 14 nights": make_scheme("free", ARMS, 14),
    "free, runs of at most 3, 14 nights": make_scheme("free", ARMS, 14, max_run=3),
}

#: What nights do beside massage.
INDEPENDENT: dict[str, Any] = {}
HARD: dict[str, Any] = {"correlation": 0.6, "trend_per_week": 0.4}
SCENARIOS: dict[str, dict[str, Any]] = {
    "independent": INDEPENDENT,
    "independent, 15 % missing": {"missing": 0.15},
    "correlation 0.6 and trend": HARD,
    "the same, 20 % missing": {**HARD, "missing": 0.2},
}

#: The least power, by design and scenario, at a true ratio of 0.6.
POWER_BARS = {
    ("pairs, 14 nights", "independent"): 0.31,
    ("pairs, 14 nights", "independent, 15 % missing"): 0.22,
    ("pairs, 14 nights", "correlation 0.6 and trend"): 0.65,
    ("blocks of 4, 16 nights", "independent"): 0.40,
    ("blocks of 4, 16 nights", "correlation 0.6 and trend"): 0.75,
}

#: Most false positives; the least and the most coverage.
FALSE_POSITIVES, COVERAGE = 0.06, (0.93, 0.97)

#: Seeds start here.
FIRST_SEED = 70_001


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach.

    Attributes
    ----------
    low, high : float
        The figure lies between them.
    """

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        return (
            f"at least {self.low:g}" if math.isinf(self.high) else f"{self.low:g} to {self.high:g}"
        )

    def told(self, figure: float, error: float) -> str:
        """Say whether a figure reaches it, three standard errors of the simulation allowed."""
        met = self.low - 3 * error <= figure <= self.high + 3 * error
        return "yes" if met else "NO"


def share(hits: Sequence[bool]) -> tuple[float, float]:
    """Return a share of studies and its standard error."""
    p = float(np.mean(hits))
    return p, math.sqrt(max(p * (1 - p), 0.01) / len(hits))


def row(what: str, nights: str, figure: tuple[float, float], bar: Bar | None) -> str:
    """Write a line of a table."""
    tail = f"{bar} | {bar.told(*figure)}" if bar else " | "
    return f"| {what} | {nights} | {figure[0]:.3f} ± {figure[1]:.3f} | {tail} |"


def persons(seed: int, number: int, **changes: Any) -> Iterator[tuple[float, PersonNights]]:
    """Yield simulated persons with their true shift."""
    parameters = replace(ResultParameters(persons=number, ratio_ln_sd=0.0), **changes)
    for person in simulate_results(parameters, seed):
        yield person.log_ratio, person_nights(person, parameters.scheme)


def contrasts(seed: int, number: int, **changes: Any) -> list[tuple[float, Contrast | None]]:
    """Return each person's true shift and what a comparison makes of their nights."""
    return [
        (shift, primary_contrast(nights, Settings()))
        for shift, nights in persons(seed, number, **changes)
    ]


def rejected(found: Contrast | None) -> bool:
    """Whether p <= 0.05."""
    return found is not None and found.p <= ALPHA


def covered(shift: float, found: Contrast | None) -> bool:
    """Whether the interval holds the true shift."""
    return found is None or found.low <= shift <= found.high


def one_person(studies: int) -> Iterator[str]:
    """Every design: false positives, coverage, power, persons without an interval."""
    for name, scheme in DESIGNS.items():
        for scenario, changes in SCENARIOS.items():
            none = contrasts(FIRST_SEED, studies, scheme=scheme, ratio=1.0, **changes)
            some = contrasts(FIRST_SEED + 1, studies, scheme=scheme, ratio=0.6, **changes)
            wide = [c is None or not math.isfinite(c.low + c.high) for _, c in some]
            bar = POWER_BARS.get((name, scenario))
            yield row(
                f"{name}: false positives",
                scenario,
                share([rejected(c) for _, c in none]),
                Bar(high=FALSE_POSITIVES),
            )
            yield row(
                f"{name}: coverage",
                scenario,
                share([covered(s, c) for s, c in some]),
                Bar(*COVERAGE),
            )
            yield row(
                f"{name}: power at 0.6",
                scenario,
                share([rejected(c) for _, c in some]),
                None if bar is None else Bar(low=bar),
            )
            if name == "pairs, 14 nights" and scenario == "independent, 15 % missing":
                yield row(f"{name}: no interval", scenario, share(wide), Bar(high=0.03))


def sparse(studies: int) -> Iterator[str]:
    """Few movements a night: how far the mean log ratio lies from the truth."""
    for per_night, most in ((3.0, 0.03), (1.0, 0.08)):
        found = contrasts(
            FIRST_SEED + 2, studies, ratio=0.6, rate_per_hour=per_night / 7.0, rate_ln_sd=0.0
        )
        told = [c for _, c in found if c is not None]
        shifts = np.array([c.shift for c in told])
        bias = abs(float(np.mean(shifts)) - math.log(0.6))
        error = float(np.std(shifts)) / math.sqrt(len(told))
        name = f"{per_night:g} movements a night"
        yield row(
            f"{name}: bias of the log ratio", "pairs, 14 nights", (bias, error), Bar(high=most)
        )
        hits = [covered(math.log(0.6), c) for c in told]
        yield row(f"{name}: coverage", f"{len(told)} of {studies} told", share(hits), None)


def looked_at(seed: int, number: int, **changes: Any) -> list[Anytime]:
    """Follow persons' bets over 60 pairs."""
    found = []
    scheme = make_scheme("pairs", ARMS, 120)
    for _, nights in persons(seed, number, scheme=scheme, correlation=0.4, **changes):
        values = log_rates(nights.assigned, Settings())
        found.append(follow(bets(values, nights.contrasted(), np.ones(len(values), bool))))
    return found


def looks(studies: int) -> Iterator[str]:
    """Looking after every pair: false alarms, coverage, pairs until it stops."""
    nights = "pairs, 120 nights, correlation 0.4"
    none = looked_at(FIRST_SEED + 3, studies, ratio=1.0)
    yield row(
        "no effect: ever a verdict",
        nights,
        share([a.decided_after is not None for a in none]),
        Bar(high=0.05),
    )
    for ratio, most in ((0.5, 9), (0.6, 14), (0.7, 25)):
        some = looked_at(FIRST_SEED + 4, studies // 2, ratio=ratio)
        stop = np.array([a.decided_after or 61 for a in some])
        error = 1.25 * float(np.std(stop)) / math.sqrt(len(stop))
        yield row(
            f"ratio {ratio:g}: median pairs",
            nights,
            (float(np.median(stop)), error),
            Bar(high=most),
        )
        missed = [not a.low <= math.log(ratio) <= a.high for a in some]
        yield row(f"ratio {ratio:g}: ever misses", nights, share(missed), Bar(high=0.05))


def cohorts(studies: int) -> Iterator[str]:
    """Few persons, average effects, each person with help from the others, the next person."""
    settings = Settings()
    for ratio, bar in ((1.0, Bar(high=FALSE_POSITIVES)), (0.7, Bar(low=0.72))):
        hits = []
        for study in range(studies):
            four = [n for _, n in persons(FIRST_SEED + 10_000 + study, 4, ratio=ratio)]
            values = [log_rates(n.assigned, settings) for n in four]
            p = joint_p(values, [n.contrasted() for n in four], seed=1)
            hits.append(p is not None and p <= ALPHA)
        yield row(f"4 persons, ratio {ratio:g}: any effect", "7 pairs each", share(hits), bar)
    for spread, most in ((0.15, 0.70), (0.3, 0.88)):
        yield from _eight_persons(studies, spread, most)


def _eight_persons(studies: int, spread: float, most: float) -> Iterator[str]:
    own, helped, inside, average, following, alarms = [], [], [], [], [], []
    for study in range(studies):
        seed = FIRST_SEED + 30_000 + study
        for ratio in (1.0, 0.7):
            nine = contrasts(seed, 9, ratio=ratio, ratio_ln_sd=spread)
            truth = np.array([shift for shift, _ in nine])
            some = [c for _, c in nine[:8] if c is not None]
            shifts = np.array([c.shift for c in some])
            pooled = pool(shifts, 1)
            if ratio == 1.0:
                alarms.append(pooled.p <= ALPHA)
                continue
            together = hierarchy(
                shifts,
                np.array([c.se for c in some]),
                np.array([float(c.used.sum()) for c in some]),
            )
            own.append((shifts - truth[:8]) ** 2)
            helped.append((together.mean - truth[:8]) ** 2)
            inside.append((together.low <= truth[:8]) & (truth[:8] <= together.high))
            average.append(pooled.low <= math.log(ratio) <= pooled.high)
            following.append(together.next_low <= truth[8] <= together.next_high)
    name = f"8 persons, spread {spread:g}"
    nights = "7 pairs each"
    ratios: FloatArray = np.mean(helped, axis=1) / np.mean(own)
    figure = math.sqrt(float(np.mean(ratios)))
    error = float(np.std(ratios)) / math.sqrt(len(ratios)) / (2 * figure)
    yield row(f"{name}: error with help over own", nights, (figure, error), Bar(high=most))
    every = np.concatenate(inside).tolist()
    yield row(f"{name}: coverage with help", nights, share(every), Bar(*COVERAGE))
    yield row(f"{name}: coverage of the next", nights, share(following), Bar(low=0.93))
    yield row(f"{name}: coverage of the average", nights, share(average), Bar(*COVERAGE))
    yield row(
        f"{name}: false positives of the average", nights, share(alarms), Bar(high=FALSE_POSITIVES)
    )


#: Parts of the benchmark: heading, what runs, and studies for each figure of the whole.
PARTS: tuple[tuple[str, Callable[[int], Iterator[str]], int], ...] = (
    ("One person", one_person, 1000),
    ("Few movements", sparse, 1000),
    ("Looked at every morning", looks, 800),
    ("Several persons", cohorts, 500),
)


def tables(tenth: bool) -> Iterator[str]:
    """Yield the lines of all tables, as soon as each is known."""
    for heading, part, studies in PARTS:
        number = max(studies // 10, 20) if tenth else studies
        yield f"**{heading}**, {number} simulated studies for each figure."
        yield ""
        yield "| figure | nights | measured | bar | reached |\n|---|---|--:|---|---|"
        yield from part(number)
        yield ""


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks statistics", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the studies; print only")
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    started, lines = time.monotonic(), []
    for line in tables(options.quick):
        print(line, flush=True)
        print(f"\r{time.monotonic() - started:5.0f} s", end="\r", file=sys.stderr, flush=True)
        lines.append(line)
    if not (options.print or options.quick):
        write_tables("statistics", "\n".join(lines).rstrip())
