"""The accuracy of leg movement detectors on simulated nights with known truth.

``python -m benchmarks accuracy`` simulates nights of every scenario, has each detector find the
leg movements of each ankle, and writes the table into ``docs/benchmarks-accuracy.md``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.pages import write_tables
from benchmarks.peers import PEERS, Marks
from rlsmove.movements import detect_leg_movements
from rlsmove.records import KINDS, LEG_MOVEMENT, SIDES, Intervals, Movements
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements
from rlsmove.signal.calibration import calibrate
from rlsmove.signal.nights import night_spans, read_night
from rlsmove.signal.survey import survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.simulate import SCENARIOS, SimulatedNight, simulate_night
from rlsmove.simulate.files import true_counts
from rlsmove.simulate.simulated_recording import SimulatedRecording

#: A find belongs to a movement when their onsets lie no further apart.
TOLERANCE_S = 0.5

#: Seeds start here, away from those of tests and development: keep detectors from being fitted
#: to these.
FIRST_SEED = 90_001

OURS = "rlsmove"


@dataclass
class Tally:
    """What one detector made of some nights.

    Attributes
    ----------
    found, missed, false, split : int
        Detectable leg movements found and not found, finds of nothing, and movements that two or
        more finds share.
    causes : Counter
        What the false finds were, by name.
    hours : float
        Time from lights off to lights on, of each leg.
    onset_error_s : list of float
        Found less true onset.
    index_error : list of float
        Found less true PLMS per hour, a night.
    """

    found: int = 0
    missed: int = 0
    false: int = 0
    split: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    hours: float = 0.0
    onset_error_s: list[float] = field(default_factory=list)
    index_error: list[float] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.split + other.split,
            self.causes + other.causes,
            self.hours + other.hours,
            self.onset_error_s + other.onset_error_s,
            self.index_error + other.index_error,
        )

    @property
    def precision(self) -> float:
        """Share of the finds that are leg movements; NaN without finds."""
        return _ratio(self.found, self.found + self.false)

    @property
    def recall(self) -> float:
        """Share of the detectable leg movements that were found; NaN where there are none."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where there are no leg movements."""
        if self.found + self.missed == 0:
            return float("nan")
        return 2 * self.found / (2 * self.found + self.false + self.missed)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def matched(
    true_s: NDArray[np.float64], found_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair sorted onsets one to one within the tolerance, as many as can be.

    Parameters
    ----------
    true_s, found_s : ndarray
        Sorted onsets, in seconds.

    Returns
    -------
    true_rows, found_rows : ndarray of int64
        Rows of each pair. With one tolerance for all, pairing the earliest with the earliest
        gives the largest number.
    """
    pairs = []
    i = j = 0
    while i < len(true_s) and j < len(found_s):
        if abs(true_s[i] - found_s[j]) <= TOLERANCE_S:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif true_s[i] < found_s[j]:
            i += 1
        else:
            j += 1
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def detected_by_rlsmove(night: SimulatedNight, side: str) -> Movements:
    """Movements of every kind that this package finds, on the device's own clock."""
    recording = SimulatedRecording(night, side)
    survey = survey_recording(recording)
    spans, _ = night_spans(recording.start_time, survey)
    calibration = calibrate(survey)
    tables = [
        detect_leg_movements(
            read_night(UniformReader(recording), span, calibration),
            side=SIDES.index(side),
            step_g=survey.step_g,
        )
        for span in spans
    ]
    return Movements.concatenate(*tables)


def _filled(acceleration: NDArray[np.float32]) -> NDArray[np.float64]:
    """Gaps bridged by the last sample before them: the peers know no gaps."""
    there = ~np.isnan(acceleration[:, 0])
    last = np.maximum.accumulate(np.where(there, np.arange(len(there)), 0))
    last = np.where(there[last], last, int(np.argmax(there)))
    return acceleration[last].astype(np.float64)


def _as_movements(marks: Marks, side: str) -> Movements:
    onset, duration = (np.round(1000 * part).astype(np.int64) for part in marks)
    return Movements.marks(onset, duration, np.full(len(onset), SIDES.index(side), np.int8))


def _on_true_clock(movements: Movements, night: SimulatedNight, side: str) -> Movements:
    """All detectors get the true clock: this is no test of the alignment of two devices."""
    onset = night.sensors[side].clock.true_s(movements.onset_ms / 1000)
    return replace(movements, onset_ms=np.round(1000 * onset).astype(np.int64))


def judge(night: SimulatedNight, detected: dict[str, Movements]) -> Tally:
    """Compare what was found on each side of one night with the truth.

    Parameters
    ----------
    night : SimulatedNight
        The night.
    detected : dict of str to Movements
        By side, on the true clock; those of kind leg movement count, unless they are longer than
        a candidate may be: such a find is nobody's leg movement, it only ends series.
    """
    tally = Tally()
    truth = night.truth
    low, high = night.sleep.lights_off_ms or 0, night.sleep.lights_on_ms or 0
    for side, movements in detected.items():
        own = truth.movements.side == SIDES.index(side)
        in_bed = (truth.movements.onset_ms >= low) & (truth.movements.onset_ms < high)
        wanted = np.flatnonzero(own & in_bed & truth.leg_movements & truth.detectable)
        found = movements.take(
            (movements.kind == LEG_MOVEMENT)
            & (movements.duration_ms <= WASM_2016.clm_max_ms)
            & (movements.onset_ms >= low)
            & (movements.onset_ms < high)
        )
        true_s = truth.movements.onset_ms[wanted] / 1000
        found_s = found.onset_ms / 1000
        hits, used = matched(true_s, found_s)
        tally.found += len(hits)
        tally.missed += len(wanted) - len(hits)
        tally.onset_error_s += (found_s[used] - true_s[hits]).tolist()
        tally.hours += (high - low) / 3_600_000
        tally.split += _shared(truth.movements.take(wanted), found)
        for row in np.setdiff1d(np.arange(len(found)), used):
            cause = _cause(night, np.flatnonzero(own), found, int(row))
            if cause == "not detectable":
                continue
            tally.false += 1
            tally.causes[cause] += 1
    tally.index_error.append(_index(night, detected) - _true_index(night))
    return tally


def _shared(true: Movements, found: Movements) -> int:
    """How many true movements overlap two or more finds."""
    ends = true.onset_ms + true.duration_ms
    first = np.searchsorted(
        np.maximum.accumulate(found.onset_ms + found.duration_ms), true.onset_ms
    )
    last = np.searchsorted(found.onset_ms, ends)
    return int((last - first >= 2).sum())


def _cause(night: SimulatedNight, own: NDArray[np.int64], found: Movements, row: int) -> str:
    """Name what a false find lies on: the longest overlap among the leg's true movements."""
    truth = night.truth
    onset = truth.movements.onset_ms[own]
    overlap = np.minimum(
        onset + truth.movements.duration_ms[own], found.onset_ms[row] + found.duration_ms[row]
    ) - np.maximum(onset, found.onset_ms[row])
    if len(own) == 0 or overlap.max() <= 0:
        return "nothing"
    best = int(own[int(np.argmax(overlap))])
    if truth.leg_movements[best]:
        return "part of a leg movement" if truth.detectable[best] else "not detectable"
    if truth.cause[best] == "other_leg":
        return "other leg's shake"
    return KINDS[truth.movements.kind[best]].replace("_", " ")


def _index(night: SimulatedNight, detected: dict[str, Movements]) -> float:
    scoring = score_movements(
        Movements.concatenate(*detected.values()),
        sleep=night.sleep,
        respiratory=None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    in_bed = (scoring.onset_ms >= (night.sleep.lights_off_ms or 0)) & (
        scoring.onset_ms < (night.sleep.lights_on_ms or 0)
    )
    hours = float((night.sleep.stage > 0).sum()) * 30 / 3600
    return float((in_bed & (scoring.plm == 1) & (scoring.sleep == 1)).sum()) / hours


def _true_index(night: SimulatedNight) -> float:
    counts = true_counts(night, night.truth.leg_movements & night.truth.detectable)
    return float(counts["plms_per_hour"] or 0.0)


def run(scenarios: Sequence[str], nights: int, hours: float) -> Iterator[tuple[str, str, Tally]]:
    """Simulate and judge; yields scenario, detector and tally, night by night."""
    for scenario in scenarios:
        for number in range(nights):
            parameters = replace(SCENARIOS[scenario], hours=hours)
            night = simulate_night(parameters, FIRST_SEED + number)
            ours = {
                side: _on_true_clock(detected_by_rlsmove(night, side), night, side)
                for side in night.sensors
            }
            yield scenario, OURS, judge(night, ours)
            signals = {side: _filled(night.acceleration(side)) for side in night.sensors}
            for name, detect in PEERS.items():
                theirs = {
                    side: _on_true_clock(
                        _as_movements(detect(signal, parameters.fs), side), night, side
                    )
                    for side, signal in signals.items()
                }
                yield scenario, name, judge(night, theirs)


def tables(results: dict[tuple[str, str], Tally], nights: int, hours: float) -> str:
    """Markdown of all results: pooled, by scenario, and false finds by cause."""
    scenarios = list(dict.fromkeys(scenario for scenario, _ in results))
    detectors = list(dict.fromkeys(detector for _, detector in results))
    pooled = {
        name: sum((results[scenario, name] for scenario in scenarios), Tally())
        for name in detectors
    }
    one = pooled[detectors[0]]
    lines = [
        f"{len(scenarios)} scenarios, {nights} simulated nights of {hours:g} h each, both ankles, "
        f"{one.found + one.missed} detectable leg movements; seeds from {FIRST_SEED}.",
        "",
        "| detector | precision | recall | F1 | split | false finds per hour | onset error, s "
        "(median, 5-95 %) | PLMS index error per hour (mean, mean absolute) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, tally in pooled.items():
        onset = np.array(tally.onset_error_s or [np.nan])
        index = np.array(tally.index_error)
        low, middle, high = np.percentile(onset, (5, 50, 95))
        lines.append(
            f"| {name} | {tally.precision:.3f} | {tally.recall:.3f} | {tally.f1:.3f} | "
            f"{100 * _ratio(tally.split, tally.found + tally.missed):.1f} % | "
            f"{tally.false / tally.hours:.2f} | {middle:+.2f} ({low:+.2f} to {high:+.2f}) | "
            f"{index.mean():+.1f}, {np.abs(index).mean():.1f} |"
        )
    lines += ["", "F1 by scenario (for `none`, false finds per hour of one leg):", ""]
    lines += ["| scenario | " + " | ".join(detectors) + " |", "|---" * (len(detectors) + 1) + "|"]
    for scenario in scenarios:
        cells = []
        for name in detectors:
            tally = results[scenario, name]
            bare = np.isnan(tally.f1)
            cells.append(f"{tally.false / tally.hours:.2f} /h" if bare else f"{tally.f1:.3f}")
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    lines += ["", "Mean absolute error of the PLMS index, per hour, by scenario:", ""]
    lines += ["| scenario | " + " | ".join(detectors) + " |", "|---" * (len(detectors) + 1) + "|"]
    for scenario in scenarios:
        errors = [np.abs(results[scenario, name].index_error).mean() for name in detectors]
        lines.append(f"| {scenario} | " + " | ".join(f"{error:.1f}" for error in errors) + " |")
    causes = sorted(set().union(*(tally.causes for tally in pooled.values())))
    lines += ["", "False finds per hour of one leg, by what they lie on:", ""]
    lines += ["| detector | " + " | ".join(causes) + " |", "|---" * (len(causes) + 1) + "|"]
    for name, tally in pooled.items():
        cells = [f"{tally.causes[cause] / tally.hours:.2f}" for cause in causes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--nights", type=int, default=3, help="nights of each scenario")
    parser.add_argument("--hours", type=float, default=8.0, help="length of a night")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only these")
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    results: dict[tuple[str, str], Tally] = {}
    for scenario, name, tally in run(
        options.scenario or list(SCENARIOS), options.nights, options.hours
    ):
        results[scenario, name] = results.get((scenario, name), Tally()) + tally
    text = tables(results, options.nights, options.hours)
    print(text)
    if not options.print:
        write_tables("accuracy", text)
