"""The suggested immobilization test: the hour before lights off, all of it awake."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from rlsmove.records import LEFT, DetectedLeg, DetectedNight, Intervals, Movements
from rlsmove.rules import AASM, WASM_2016
from rlsmove.scoring.immobilization import score_immobilization

HOUR_MS = 3_600_000


def night(onset_s: list[float], recorded_s: tuple[float, float] = (0, 20_000)) -> DetectedNight:
    onset_ms = np.array([round(1000 * s) for s in onset_s], np.int64)
    movements = Movements.marks(
        onset_ms, np.full(len(onset_ms), 2000, np.int64), np.full(len(onset_ms), LEFT, np.int8)
    )
    start_ms, end_ms = (np.array([round(1000 * s)], np.int64) for s in recorded_s)
    leg = DetectedLeg(LEFT, movements, Intervals(start_ms, end_ms), None)
    return DetectedNight(datetime(2026, 3, 1, 21), (leg,), True, None, None, None)


def test_movements_in_the_hour_count_as_awake_whatever_the_rules_say_of_sleep() -> None:
    twenty_apart = night([1000 + 20 * k for k in range(10)])
    for rules in (WASM_2016, AASM):
        test = score_immobilization(twenty_apart, 0, rules)
        assert test["plmw_count"] == 10
        assert test["plmw_per_hour"] == pytest.approx(10.0)


def test_movements_outside_the_hour_neither_count_nor_make_a_series() -> None:
    across = night([3540, 3560, 3580, 3600, 3620, 3640])
    assert score_immobilization(across, 0, WASM_2016)["plmw_count"] == 0
    assert score_immobilization(across, 100_000, WASM_2016)["plmw_count"] == 6


def test_each_movement_falls_into_its_five_minutes() -> None:
    test = score_immobilization(night([10, 310, 320, 3590]), 0, WASM_2016)
    assert test["clm_by_5_min"] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert test["plmw_by_5_min"] == [0] * 12


def test_half_an_hour_of_record_doubles_the_rate_and_leaves_parts_unsaid() -> None:
    half = night([100 + 20 * k for k in range(8)], recorded_s=(0, 1800))
    test = score_immobilization(half, 0, WASM_2016)
    assert test["analysable_hours"] == pytest.approx(0.5)
    assert test["plmw_per_hour"] == pytest.approx(16.0)
    assert test["plmw_by_5_min"][6:] == [None] * 6


def test_an_hour_without_record_has_no_rate() -> None:
    test = score_immobilization(night([100]), 10 * HOUR_MS, WASM_2016)
    assert test["plmw_per_hour"] is None
    assert test["analysable_hours"] == 0


def test_two_legs_are_scored_together() -> None:
    one = night([100, 140, 180, 220])
    other = night([120, 160, 200, 240])
    right = replace(other.legs[0], side=1)
    both = replace(one, legs=(one.legs[0], right))
    assert score_immobilization(both, 0, WASM_2016)["plmw_count"] == 8
