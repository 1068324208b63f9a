"""The nights that an independent scorer was run on, and what it made of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from rlsmove.records import SIDES, STAGES, Intervals, Movements, Sleep

ORACLE = Path(__file__).parents[2] / "shared" / "oracle"

needs_oracle = pytest.mark.skipif(
    not (ORACLE / "events.csv").exists(), reason="the independent scorer's nights are not here"
)


def rows_by_case(name: str) -> dict[str, list[dict[str, str]]]:
    cases: dict[str, list[dict[str, str]]] = {}
    with (ORACLE / name).open(newline="") as file:
        for row in csv.DictReader(file):
            cases.setdefault(row["case"], []).append(row)
    return cases


def ms(text: str) -> int:
    return round(float(text) * 1000)


def spans(rows: list[dict[str, str]]) -> Intervals:
    onset = np.array([ms(row["onset_s"]) for row in rows], np.int64)
    length = np.array([ms(row["duration_s"]) for row in rows], np.int64)
    return Intervals(onset, onset + length)


def in_order(intervals: Intervals) -> Intervals:
    order = np.argsort(intervals.onset_ms)
    return Intervals(intervals.onset_ms[order], intervals.offset_ms[order])


def events_of(rows: list[dict[str, str]]) -> tuple[Movements, Sleep, Intervals, Intervals]:
    """Movements, sleep, respiratory events and arousals of one case."""
    of_kind = {
        kind: [row for row in rows if row["kind"] == kind]
        for kind in ("lm", "stage", "respiratory", "arousal")
    }
    lm, stages = spans(of_kind["lm"]), spans(of_kind["stage"])
    side = np.array([SIDES.index(row["label"]) for row in of_kind["lm"]], np.int8)
    stage = np.array([STAGES.index(row["label"]) for row in of_kind["stage"]], np.int8)
    return (
        Movements.marks(lm.onset_ms, lm.offset_ms - lm.onset_ms, side),
        Sleep(
            "hypnogram",
            int(stages.onset_ms[0]),
            int(stages.offset_ms[-1]),
            stages.onset_ms,
            stages.offset_ms,
            stage,
        ),
        in_order(spans(of_kind["respiratory"])),
        in_order(spans(of_kind["arousal"])),
    )
