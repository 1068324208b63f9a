"""What the evidence for a leg movement weighs, fitted on simulated nights of the training physics.

``python -m benchmarks evidence`` simulates nights whose physics are drawn from the training ranges,
traces the candidates of each, and fits boosted trees that tell leg movements from all else by
`rlsmove.movements.evidence`. It writes them to ``rlsmove/movements/leg_movement_model.json``, with
where they come from. No held-out night plays a part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rlsmove
from benchmarks.tally import matched
from rlsmove.movements.evidence import EVIDENCE, evidence_of
from rlsmove.movements.leg_movements import bridged, candidates, recorded_stretches
from rlsmove.records import SIDES, FloatArray, IntArray
from rlsmove.signal.activity import movement_activity
from rlsmove.signal.calibration import calibrate
from rlsmove.signal.nights import night_spans, read_night
from rlsmove.signal.survey import survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.simulate import TRAINING, SimulatedNight, drawn_night
from rlsmove.simulate.simulated_recording import SimulatedRecording

MODEL_PATH = Path(rlsmove.__file__).parent / "movements" / "leg_movement_model.json"

#: A candidate that overlaps a visible leg movement and begins elsewhere is a poor find of it.
_PART_WEIGHT = 0.3

#: A leg movement that turns the sensor by less than this counts for less: more of them than in
#: life would make every shake of the bed a leg movement (judgement).
_TURNLESS_DEG, _TURNLESS_WEIGHT = 0.2, 0.3

#: Trees of three questions in a row; each adds a tenth of what would fit best.
_DEPTH = 3
_RATE = 0.1
_BINS = 48
_SHRINK = 4.0
_LEAST_BEND = 1.0


@dataclass(frozen=True)
class Labelled:
    """Candidates of some nights: evidence (k, e), whether a leg movement (k,), weight (k,)."""

    evidence: FloatArray
    is_leg: FloatArray
    weight: FloatArray


def labelled_candidates(night: SimulatedNight, side: str) -> Labelled:
    """Trace the candidates on one side of a simulated night, and look up what each was.

    A candidate is a leg movement when it begins within half a second of one. It weighs nothing
    where that, or what it overlaps, was a leg movement that no detector could see.
    """
    recording = SimulatedRecording(night, side)
    survey = survey_recording(recording)
    calibration = calibrate(survey)
    clock = night.sensors[side].clock
    truth = night.truth
    legs = truth.leg_movements & (truth.movements.side == SIDES.index(side))
    onset_s = clock.reading_s(truth.movements.onset_ms[legs] / 1000)
    offset_s = onset_s + truth.movements.duration_ms[legs] / 1000
    visible = truth.detectable[legs]
    turnless = truth.movements.tilt_deg[legs] < _TURNLESS_DEG
    worth = visible * np.where(turnless, _TURNLESS_WEIGHT, 1.0)
    parts = []
    for span in night_spans(recording.start_time, survey)[0]:
        points = read_night(UniformReader(recording), span, calibration)
        for first, last in recorded_stretches(points.acceleration, points.fs):
            stretch = bridged(points.acceleration[first:last])
            traces = candidates(stretch, movement_activity(stretch, survey.step_g))
            start_s = (points.first + first + traces.start) / points.fs
            end_s = (points.first + first + traces.end) / points.fs
            is_leg, weight = np.zeros(len(traces)), np.ones(len(traces))
            pairs = matched(onset_s, start_s)
            for row in range(len(traces)):
                overlaps = (onset_s < end_s[row]) & (offset_s > start_s[row])
                if overlaps.any():
                    weight[row] = _PART_WEIGHT if visible[overlaps].any() else 0.0
            is_leg[pairs[1]] = 1.0
            weight[pairs[1]] = worth[pairs[0]]
            parts.append(Labelled(evidence_of(traces, survey.step_g), is_leg, weight))
    return joined(parts)


def joined(parts: Sequence[Labelled]) -> Labelled:
    """All candidates of several parts that weigh anything."""
    evidence = np.concatenate([np.empty((0, len(EVIDENCE))), *(part.evidence for part in parts)])
    is_leg = np.concatenate([np.empty(0), *(part.is_leg for part in parts)])
    weight = np.concatenate([np.empty(0), *(part.weight for part in parts)])
    rows = (weight > 0) & np.all(np.isfinite(evidence), axis=1)
    return Labelled(evidence[rows], is_leg[rows], weight[rows])


def fit_trees(labelled: Labelled, count: int) -> tuple[float, list[dict[str, Any]]]:
    """Fit boosted trees to the log odds (Friedman, Ann Stat 2001;29:1189-1232).

    Returns
    -------
    start : float
        Log odds without evidence.
    trees : list of dict
        ``asks``, the evidence of each node, row by row; ``above``, from what value on the way
        goes to the right; ``adds``, what each leaf adds to the log odds.
    """
    evidence, is_leg, weight = labelled.evidence, labelled.is_leg, labelled.weight
    edges = np.quantile(evidence, np.linspace(0, 1, _BINS + 1)[1:-1], axis=0)
    binned = np.stack(
        [np.searchsorted(edges[:, e], evidence[:, e]) for e in range(evidence.shape[1])], axis=1
    )
    share = np.average(is_leg, weights=weight)
    start = float(np.log(share / (1 - share)))
    log_odds = np.full(len(is_leg), start)
    trees = []
    for _ in range(count):
        probability = 1 / (1 + np.exp(-log_odds))
        slope = weight * (is_leg - probability)
        bend = weight * probability * (1 - probability)
        node = np.zeros(len(is_leg), np.int64)
        asks, above = [], []
        for level in range(_DEPTH):
            asked, cut = _best_questions(binned, node, slope, bend, 2**level)
            asks += [EVIDENCE[e] for e in asked]
            above += [round(float(edges[c, e]), 4) for e, c in zip(asked, cut, strict=True)]
            node = 2 * node + (binned[np.arange(len(node)), asked[node]] > cut[node])
        sums, weights = (np.bincount(node, part, 2**_DEPTH) for part in (slope, bend))
        adds = np.round(_RATE * sums / (weights + _SHRINK), 4)
        log_odds += adds[node]
        trees.append({"asks": asks, "above": above, "adds": adds.tolist()})
    return start, trees


def _best_questions(
    binned: IntArray, node: IntArray, slope: FloatArray, bend: FloatArray, nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each node the evidence and the bin that part its candidates best, shapes (nodes,)."""
    columns = binned.shape[1]
    place = (node[:, None] * columns + np.arange(columns)) * _BINS + binned
    shape = (nodes, columns, _BINS)
    sums, weights = (
        np.bincount(place.ravel(), np.repeat(part, columns), nodes * columns * _BINS)
        .reshape(shape)
        .cumsum(axis=2)
        for part in (slope, bend)
    )
    left, left_weight = sums[:, :, :-1], weights[:, :, :-1]
    right, right_weight = sums[:, :, -1:] - left, weights[:, :, -1:] - left_weight
    gain = left**2 / (left_weight + _SHRINK) + right**2 / (right_weight + _SHRINK)
    few = np.minimum(left_weight, right_weight) < _LEAST_BEND
    best = np.where(few, -1.0, gain).reshape(nodes, -1).argmax(axis=1)
    return np.divmod(best, _BINS - 1)


def main(arguments: Sequence[str]) -> None:
    """Simulate, fit, and write the model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks evidence", description=__doc__)
    parser.add_argument("--nights", type=int, default=120, help="nights of 2 h to fit on")
    parser.add_argument("--trees", type=int, default=150, help="trees to fit")
    options = parser.parse_args(arguments)
    parts = []
    for seed in range(options.nights):
        # A bed that tilts under the leg cannot be told from the leg: it would teach to miss both.
        night = drawn_night(seed, TRAINING, sway_deg=0.0)
        parts.append(labelled_candidates(night, "left"))
        print(f"night {seed + 1} of {options.nights}: {len(parts[-1].weight)} candidates")
    labelled = joined(parts)
    start, trees = fit_trees(labelled, options.trees)
    command = f"python -m benchmarks evidence --nights {options.nights} --trees {options.trees}"
    model = {
        "made_by": command,
        "version": rlsmove.__version__,
        "fitted_on": f"{options.nights} simulated nights of 2 h, one leg, physics drawn from the "
        f"ranges named {TRAINING.name}, seeds 0 to {options.nights - 1}",
        "candidates": len(labelled.weight),
        "leg_movements": int(labelled.is_leg.sum()),
        "start": round(start, 4),
        "trees": trees,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in model.items()]
    lines[-1] = '  "trees": [\n' + ",\n".join(f"    {json.dumps(tree)}" for tree in trees) + "\n  ]"
    MODEL_PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
