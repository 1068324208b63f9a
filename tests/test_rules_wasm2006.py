"""WASM 2006, clause by clause, where it differs from 2016."""

from __future__ import annotations

import pytest
from hand_scored import every, lm, plm, score, series, spans

from rlsmove.records import Movements
from rlsmove.rules import WASM_2006


@pytest.mark.parametrize(("interval_s", "periodic"), [(5, 1), (90, 1), (90.001, 0)])
def test_intervals_of_5_to_90_s_are_periodic_both_ends_in(interval_s, periodic):
    assert plm(score(every(interval_s, 6), WASM_2006)) == [periodic] * 6


def test_after_a_short_interval_the_later_movement_is_skipped_and_the_interval_goes_on():
    movements = Movements.concatenate(every(30, 4), lm((134.999, 1, "L")))
    scoring = score(movements, WASM_2006)
    assert plm(scoring) == [1, 1, 0, 1, 1]
    assert scoring.clm.tolist() == [1] * 5
    assert scoring.imi_ms.tolist() == [-1, 30_000, 4_999, 30_000, 30_000]
    assert "passed over" in scoring.reason[2]


def test_several_movements_may_be_skipped_after_one_another():
    movements = lm(*((onset, 0.6, "L") for onset in (0, 2, 4, 6, 20, 40, 60)))
    scoring = score(movements, WASM_2006)
    assert scoring.plm.tolist() == [1, 0, 0, 1, 1, 1, 1]
    assert scoring.imi_ms.tolist()[3] == 6_000


def test_a_movement_over_10_s_is_no_candidate_and_does_not_end_a_series():
    movements = Movements.concatenate(every(30, 8), lm((196, 12, "R")))
    scoring = score(movements, WASM_2006)
    assert series(scoring) == [1] * 4 + [0] + [1] * 4
    assert scoring.clm.tolist()[4] == 0
    assert scoring.imi_ms.tolist()[5] == 30_000


def test_a_movement_over_10_s_takes_none_of_the_other_leg_with_it():
    scoring = score(lm((0, 12, "L"), (11, 2, "R")), WASM_2006)
    assert scoring.clm.tolist() == [0, 1]


def test_both_legs_together_may_last_15_s():
    assert score(lm((0, 9, "L"), (8, 7, "R")), WASM_2006).clm.tolist() == [1]
    assert score(lm((0, 9, "L"), (8, 7.001, "R")), WASM_2006).clm.tolist() == [0]


def test_a_group_may_have_any_number_of_members():
    movements = lm(*((n, 1.2, "LR"[n % 2]) for n in range(8)))
    scoring = score(movements, WASM_2006)
    assert scoring.n_monolateral.tolist() == [8]
    assert scoring.clm.tolist() == [1]


@pytest.mark.parametrize(("onset_s", "beside"), [(100.5, 1), (100.501, 0), (98, 0), (98.5, 1)])
def test_respiratory_window_is_half_a_second_around_the_end(onset_s, beside):
    scoring = score(lm((onset_s, 1, "L")), WASM_2006, respiratory=spans((80, 100)))
    assert scoring.respiratory.tolist() == [beside]


def test_a_gap_ends_a_series_and_a_short_interval_across_it_skips_nothing():
    movements = lm((0, 1, "L"), (4, 1, "L"), (30, 1, "L"))
    scoring = score(movements, WASM_2006, gaps=spans((1.5, 3.9)))
    assert scoring.imi_ms.tolist() == [-1, -1, 26_000]
