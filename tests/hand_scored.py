"""Short nights written down by hand, in seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rlsmove.records import (
    LEFT,
    RIGHT,
    STAGES,
    UNKNOWN_SIDE,
    Intervals,
    Movements,
    Scoring,
    Sleep,
)
from rlsmove.rules import RuleSet
from rlsmove.scoring import score_movements

LEGS = {"L": LEFT, "R": RIGHT, "?": UNKNOWN_SIDE}


def lm(*rows: tuple[float, float, str]) -> Movements:
    """Leg movements of (onset_s, duration_s, leg)."""
    return Movements.marks(
        np.array([round(row[0] * 1000) for row in rows], np.int64),
        np.array([round(row[1] * 1000) for row in rows], np.int64),
        np.array([LEGS[row[2]] for row in rows], np.int8),
    )


def every(interval_s: float, count: int, start_s: float = 100.0, leg: str = "L") -> Movements:
    """Movements of 2 s at a fixed interval."""
    return lm(*((start_s + n * interval_s, 2, leg) for n in range(count)))


def of_kind(kind: int, onset_s: float, duration_s: float, leg: str = "L") -> Movements:
    """One movement that is no leg movement."""
    one = lm((onset_s, duration_s, leg))
    return replace(one, kind=np.full(1, kind, np.int8))


def spans(*rows: tuple[float, float]) -> Intervals:
    """Stretches of (onset_s, offset_s)."""
    edges = np.array([[round(edge * 1000) for edge in row] for row in rows], np.int64)
    edges = edges.reshape(-1, 2)
    return Intervals(edges[:, 0], edges[:, 1])


def staged(stages: str, lights: tuple[float, float] | None = None, epoch_s: int = 30) -> Sleep:
    """Epochs from second 0, a word each; ``-`` for an epoch without a stage."""
    words = stages.split()
    rows = [row for row, word in enumerate(words) if word != "-"]
    onset = np.array([row * epoch_s * 1000 for row in rows], np.int64)
    off, on = (None, None) if lights is None else (round(edge * 1000) for edge in lights)
    stage = np.array([STAGES.index(words[row]) for row in rows], np.int8)
    return Sleep("hypnogram", off, on, onset, onset + epoch_s * 1000, stage)


def score(
    movements: Movements,
    rules: RuleSet,
    *,
    sleep: Sleep | None = None,
    respiratory: Intervals | None = None,
    arousals: Intervals | None = None,
    gaps: Intervals | None = None,
    **options: object,
) -> Scoring:
    """Score with any option of the rules changed."""
    return score_movements(
        movements,
        sleep=sleep,
        respiratory=respiratory,
        arousals=arousals,
        gaps=Intervals.empty() if gaps is None else gaps,
        rules=replace(rules, **options),
    )


def plm(scoring: Scoring) -> list[int]:
    return scoring.plm.tolist()


def series(scoring: Scoring) -> list[int]:
    return scoring.series.tolist()
