"""AASM, clause by clause, where it differs from the WASM standards."""

from __future__ import annotations

import pytest
from hand_scored import every, lm, plm, score, series, spans, staged

from rlsmove.records import BILATERAL, Movements
from rlsmove.rules import AASM


@pytest.mark.parametrize(("onset_s", "rows"), [(4.999, 1), (5, 2)])
def test_onsets_of_two_legs_less_than_5_s_apart_count_as_one(onset_s, rows):
    scoring = score(lm((0, 1, "L"), (onset_s, 1, "R")), AASM)
    assert len(scoring) == rows
    if rows == 1:
        assert scoring.side.tolist() == [BILATERAL]
        assert scoring.duration_ms.tolist() == [5_999]


def test_the_5_s_count_from_the_first_onset_and_do_not_chain():
    scoring = score(lm((0, 1, "L"), (4, 1, "R"), (8, 1, "L"), (12, 1, "R")), AASM)
    assert scoring.onset_ms.tolist() == [0, 8_000]


def test_movements_of_one_leg_are_not_combined():
    scoring = score(lm((0, 1, "L"), (3, 1, "L")), AASM, short_interval="break")
    assert len(scoring) == 2


def test_two_movements_of_10_s_each_may_combine():
    assert score(lm((0, 10, "L"), (4.9, 10, "R")), AASM).clm.tolist() == [1]


def test_a_movement_over_10_s_is_none_and_leaves_the_series_alone():
    movements = Movements.concatenate(every(30, 8), lm((196, 12, "R")))
    scoring = score(movements, AASM)
    assert series(scoring) == [1] * 4 + [0] + [1] * 4


@pytest.mark.parametrize(("interval_s", "periodic"), [(5, 1), (90, 1), (90.001, 0)])
def test_intervals_of_5_to_90_s_are_periodic_both_ends_in(interval_s, periodic):
    assert plm(score(every(interval_s, 6), AASM)) == [periodic] * 6


# An interval below 5 s: the manual is silent

SHORT = lm((100, 1, "L"), (103, 1, "L"), (130, 1, "L"), (160, 1, "L"), (190, 1, "L"))


def test_short_interval_skip_passes_the_later_movement_over():
    scoring = score(SHORT, AASM, short_interval="skip")
    assert plm(scoring) == [1, 0, 1, 1, 1]
    assert scoring.imi_ms.tolist()[2] == 30_000


def test_short_interval_break_ends_the_series():
    scoring = score(SHORT, AASM, short_interval="break")
    assert plm(scoring) == [0, 1, 1, 1, 1]
    assert scoring.imi_ms.tolist()[2] == 27_000


def test_short_interval_merge_makes_one_movement_of_both():
    scoring = score(SHORT, AASM, short_interval="merge")
    assert scoring.onset_ms.tolist() == [100_000, 130_000, 160_000, 190_000]
    assert scoring.duration_ms.tolist()[0] == 4_000
    assert scoring.n_monolateral.tolist() == [2, 1, 1, 1]
    assert plm(scoring) == [1, 1, 1, 1]


# Sleep


def test_only_movements_in_sleep_count():
    sleep = staged("W N2 N2 N2 N2 N2")
    scoring = score(every(30, 6, start_s=0), AASM, sleep=sleep)
    assert scoring.clm.tolist() == [0, 1, 1, 1, 1, 1]
    assert scoring.reason[0] == "not in sleep"


def test_wake_below_90_s_between_two_movements_does_not_end_a_series():
    sleep = staged("N2 N2 W W N2 N2 N2 N2")
    movements = lm((20, 1, "L"), (50, 1, "L"), (75, 1, "L"), (130, 1, "L"), (160, 1, "L"))
    scoring = score(movements, AASM, sleep=sleep)
    assert series(scoring) == [1, 1, 0, 1, 1]
    assert scoring.imi_ms.tolist()[3] == 80_000


def test_wake_of_90_s_or_more_between_two_movements_ends_a_series():
    sleep = staged("N2 W W W N2 N2 N2 N2")
    movements = lm((29.5, 0.5, "L"), (120, 1, "L"), (140, 1, "L"), (160, 1, "L"))
    assert sum(plm(score(movements, AASM, sleep=sleep))) == 0


def test_outside_the_hypnogram_nothing_counts():
    scoring = score(every(30, 4, start_s=100), AASM, sleep=staged("N2 N2"))
    assert scoring.clm.tolist() == [0] * 4


def test_without_any_stage_all_movements_count():
    assert plm(score(every(30, 4), AASM)) == [1] * 4


# Respiratory events and arousals


@pytest.mark.parametrize(
    ("onset_s", "counted"), [(78.4, 1), (78.5, 0), (90, 0), (100.5, 0), (100.501, 1)]
)
def test_nothing_is_scored_from_half_a_second_before_to_half_a_second_after_an_event(
    onset_s, counted
):
    scoring = score(lm((onset_s, 1, "L")), AASM, respiratory=spans((80, 100)))
    assert scoring.clm.tolist() == [counted]
    assert (scoring.reason[0] == "beside a respiratory event") is (counted == 0)


@pytest.mark.parametrize(
    ("arousal", "associated"), [((97, 99.501), 1), ((97, 99.5), 0), ((102.499, 106), 1)]
)
def test_an_arousal_belongs_when_less_than_half_a_second_lies_between(arousal, associated):
    scoring = score(lm((100, 2, "L")), AASM, arousals=spans(arousal))
    assert scoring.arousal.tolist() == [associated]
