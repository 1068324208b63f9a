"""The accuracy of leg movement detectors on simulated nights with known truth.

``python -m benchmarks accuracy`` simulates nights of every scenario and of every kind of held-out
physics, has each detector find the leg movements of each ankle, and writes the tables into
``docs/benchmarks-accuracy.md``. ``--quick`` takes minutes and prints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.detectors import OURS, Detector, found_by, named_detector
from benchmarks.pages import write_tables
from benchmarks.peers import PEERS
from benchmarks.tally import Tally, interval, judge, pooled
from rlsmove.cli.progress import progress_bar
from rlsmove.simulate import (
    HELD_OUT,
    KINDS,
    SCENARIOS,
    TRAINING,
    SimulatedNight,
    drawn_night,
    simulate_night,
)

#: Seeds start here, away from those of tests and development: keep detectors from being fitted
#: to these.
FIRST_SEED = 90_001


#: Kinds that one sensor cannot tell from a sleeper who moves: in no total.
UNDECIDABLE = ("none_swaying",)


@dataclass(frozen=True)
class NightSet:
    """Nights that stand in one table.

    Attributes
    ----------
    title : str
        Above its tables.
    names : sequence of str
        Of its rows.
    nights : int
        Of each row.
    draw : callable
        Makes a night of a row, by its name and a seed.
    """

    title: str
    names: Sequence[str]
    nights: int
    draw: Callable[[str, int], SimulatedNight]


#: The tallies of a set, a list a row and detector.
Results = dict[tuple[str, str], list[Tally]]


def _nights(nights: int, hours: float) -> str:
    return f"{nights} night{'s' if nights > 1 else ''} of {hours:g} h"


def scenario_nights(names: Sequence[str], nights: int, hours: float) -> NightSet:
    """Nights of the plain physics, both ankles."""
    return NightSet(
        f"Scenarios of the plain physics: {_nights(nights, hours)} of each, both ankles",
        names,
        nights,
        lambda name, seed: simulate_night(replace(SCENARIOS[name], hours=hours), seed),
    )


def physics_nights(ranges_name: str, names: Sequence[str], nights: int, hours: float) -> NightSet:
    """Nights of many physics, one ankle."""
    kinds = list(KINDS)
    ranges = {"training": TRAINING, "held_out": HELD_OUT}[ranges_name]
    words = {"training": "Physics for training", "held_out": "Held-out physics"}[ranges_name]
    return NightSet(
        f"{words}: {_nights(nights, hours)} of each kind, one ankle",
        names,
        nights,
        # Nights of their own for each kind: with one seed kinds would share their movements.
        lambda name, seed: drawn_night(seed + 1000 * kinds.index(name), ranges, name, hours=hours),
    )


def run(
    nights: NightSet, detectors: dict[str, Detector | None]
) -> Iterator[tuple[str, str, Tally]]:
    """Simulate and judge; yields row, detector and tally, night by night."""
    for name in nights.names:
        for number in range(nights.nights):
            night = nights.draw(name, FIRST_SEED + number)
            for label, detector in detectors.items():
                yield name, label, judge(night, found_by(label, detector, night))


def _cell(rows: Sequence[Tally], measure: Callable[[Tally], float], form: str) -> str:
    """A measure of all nights together, with what other nights might have given."""
    value = f"{measure(pooled(rows)):{form}}"
    if len(rows) < 2:
        return value
    low, high = interval(rows, measure)
    return f"{value} ({low:{form}}-{high:{form}})"


def _precision(tally: Tally) -> float:
    return tally.precision


def _recall(tally: Tally) -> float:
    return tally.recall


def _f1(tally: Tally) -> float:
    return tally.f1


def _false_per_hour(tally: Tally) -> float:
    return tally.false_per_hour


def _index_mae(tally: Tally) -> float:
    return tally.index_mae


def tables(nights: NightSet, results: Results) -> str:
    """Markdown of one set: all nights together, row by row, and false finds by cause."""
    detectors = list(dict.fromkeys(label for _, label in results))
    names = [name for name in nights.names if name not in UNDECIDABLE] or nights.names
    every = {
        label: [tally for name in names for tally in results[name, label]] for label in detectors
    }
    one = pooled(every[detectors[0]])
    lines = [
        f"### {nights.title}",
        "",
        f"{one.found + one.missed} detectable leg movements; seeds from {FIRST_SEED}. In brackets "
        "95 % of what other nights of the same kinds might have given (nights drawn with "
        "replacement).",
        "",
        "| detector | precision | recall | F1 | split | false finds per hour | onset error, s "
        "(median, 5-95 %) | duration error, s (median) | PLMS index error per hour (mean, mean "
        "absolute) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for label, rows in every.items():
        tally = pooled(rows)
        low, middle, high = np.percentile(tally.onset_error_s or [np.nan], (5, 50, 95))
        cells = [
            label,
            _cell(rows, _precision, ".3f"),
            _cell(rows, _recall, ".3f"),
            _cell(rows, _f1, ".3f"),
            f"{100 * tally.split / max(tally.found + tally.missed, 1):.1f} %",
            _cell(rows, _false_per_hour, ".2f"),
            f"{middle:+.2f} ({low:+.2f} to {high:+.2f})",
            f"{np.median(tally.duration_error_s or [np.nan]):+.2f}",
            f"{np.mean(tally.index_error):+.1f}, {_cell(rows, _index_mae, '.1f')}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    heading = ["| nights | " + " | ".join(detectors) + " |", "|---" * (len(detectors) + 1) + "|"]
    lines += ["", "F1, or false finds per hour of one leg where nothing is to be found:", ""]
    lines += heading
    for name in nights.names:
        cells = []
        for label in detectors:
            rows = results[name, label]
            bare = np.isnan(pooled(rows).f1)
            cells.append(
                f"{_cell(rows, _false_per_hour, '.2f')} /h" if bare else _cell(rows, _f1, ".3f")
            )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "Mean absolute error of the PLMS index, per hour:", "", *heading]
    for name in nights.names:
        cells = [_cell(results[name, label], _index_mae, ".1f") for label in detectors]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    totals = {label: pooled(rows) for label, rows in every.items()}
    causes = sorted(set().union(*(tally.causes for tally in totals.values())))
    lines += ["", "False finds per hour of one leg, by what they lie on:", ""]
    lines += ["| detector | " + " | ".join(causes) + " |", "|---" * (len(causes) + 1) + "|"]
    for label, tally in totals.items():
        cells = [f"{tally.causes[cause] / tally.hours:.2f}" for cause in causes]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _chosen(options: argparse.Namespace) -> list[NightSet]:
    """The sets of nights that were asked for."""
    quick = options.quick
    sets = []
    if options.scenario or not (options.physics or options.kind):
        nights, hours = (1, 2.0) if quick else (3, 8.0)
        names = options.scenario or list(SCENARIOS)
        sets.append(scenario_nights(names, options.nights or nights, options.hours or hours))
    if options.physics or options.kind or not options.scenario:
        nights, hours = (2, 1.0) if quick else (8, 2.0)
        names = options.kind or list(KINDS)
        physics = options.physics or "held_out"
        sets.append(
            physics_nights(physics, names, options.nights or nights, options.hours or hours)
        )
    return sets


def _counted(rows: Iterator[tuple[str, str, Tally]], total: int, label: str) -> Results:
    results: Results = {}
    with progress_bar(label) as progress:
        for done, (name, detector, tally) in enumerate(rows, 1):
            results.setdefault((name, detector), []).append(tally)
            progress(done / total)
    return results


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer and shorter nights, this package alone; prints"
    )
    parser.add_argument("--nights", type=int, help="nights of each scenario or kind")
    parser.add_argument("--hours", type=float, help="length of a night")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only these")
    parser.add_argument(
        "--kind", action="append", choices=list(KINDS), help="only these of many physics"
    )
    parser.add_argument(
        "--physics",
        choices=["training", "held_out"],
        help="only nights drawn from these ranges; develop on training, never on held_out",
    )
    parser.add_argument(
        "--detector",
        action="append",
        metavar="MODULE:FUNCTION",
        help="another detector in the same tables: a callable from a night to its movements",
    )
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    detectors: dict[str, Detector | None] = {OURS: None}
    try:
        detectors |= {name: named_detector(name) for name in options.detector or ()}
    except ValueError as error:
        parser.error(str(error))
    if not options.quick:
        detectors |= dict.fromkeys(PEERS)
    texts = []
    for nights in _chosen(options):
        total = len(nights.names) * nights.nights * len(detectors)
        label = nights.title.split(":")[0]
        results = _counted(run(nights, detectors), total, label)
        texts.append(tables(nights, results))
        print(texts[-1] + "\n", flush=True)
    if options.quick or options.print:
        print("Printed only: docs/benchmarks-accuracy.md is as it was.", file=sys.stderr)
    else:
        write_tables("accuracy", "\n\n".join(texts))
