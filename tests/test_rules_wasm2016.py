"""WASM 2016, clause by clause."""

from __future__ import annotations

import pytest
from hand_scored import every, lm, of_kind, plm, score, series, spans, staged

from rlsmove.records import (
    BILATERAL,
    GAIT,
    GROSS_MOVEMENT,
    LEFT,
    POSTURE_SHIFT,
    TAP,
    TRANSMITTED_SHAKE,
    Movements,
)
from rlsmove.rules import WASM_2016

# One leg


def test_a_gap_below_half_a_second_joins_movements_of_one_leg():
    scoring = score(lm((0, 2, "L"), (2.499, 1, "L")), WASM_2016)
    assert scoring.duration_ms.tolist() == [3499]
    assert scoring.n_monolateral.tolist() == [1]
    assert scoring.side.tolist() == [LEFT]


def test_a_gap_of_exactly_half_a_second_divides_movements_of_one_leg():
    assert len(score(lm((0, 2, "L"), (2.5, 1, "L")), WASM_2016)) == 2


def test_joining_reaches_as_far_as_the_latest_offset():
    scoring = score(lm((0, 8, "L"), (1, 1, "L"), (8.4, 1, "L")), WASM_2016)
    assert scoring.duration_ms.tolist() == [9400]


def test_a_movement_of_exactly_half_a_second_stays():
    assert len(score(lm((0, 0.5, "L")), WASM_2016)) == 1


def test_a_movement_below_half_a_second_is_dropped_and_counted():
    scoring = score(lm((0, 0.499, "L")), WASM_2016)
    assert len(scoring) == 0
    assert scoring.n_short == 1


def test_short_movements_are_joined_before_they_are_dropped():
    scoring = score(lm((0, 0.3, "L"), (0.6, 0.3, "L")), WASM_2016)
    assert scoring.duration_ms.tolist() == [900]


# Both legs


def test_legs_less_than_half_a_second_apart_are_bilateral():
    scoring = score(lm((0, 2, "L"), (2.499, 1, "R")), WASM_2016)
    assert scoring.side.tolist() == [BILATERAL]
    assert scoring.n_monolateral.tolist() == [2]


def test_legs_exactly_half_a_second_apart_are_two_movements():
    assert len(score(lm((0, 2, "L"), (2.5, 1, "R")), WASM_2016)) == 2


def test_two_movements_of_one_leg_join_through_the_other():
    scoring = score(lm((0, 2, "L"), (1.9, 3, "R"), (5.2, 1, "L")), WASM_2016)
    assert scoring.n_monolateral.tolist() == [3]
    assert scoring.duration_ms.tolist() == [6200]


# Candidates


@pytest.mark.parametrize(
    ("movements", "candidate", "reason"),
    [
        (lm((0, 10, "L")), 1, ""),
        (lm((0, 10.001, "L")), 0, "longer than 10 s"),
        (lm((0, 8, "L"), (8, 7, "R")), 1, ""),
        (lm((0, 8, "L"), (8, 7.001, "R")), 0, "a group over 15 s"),
        (lm((0, 2, "L"), (1, 10.001, "R")), 0, "a member over 10 s"),
        (lm((0, 2, "L"), (1, 2, "R"), (2.6, 2, "L"), (4, 2, "R")), 1, ""),
        (
            lm((0, 2, "L"), (1, 2, "R"), (2.6, 2, "L"), (4, 2, "R"), (5.2, 2, "L")),
            0,
            "a group of more than 4",
        ),
    ],
)
def test_what_is_a_candidate(movements, candidate, reason):
    scoring = score(movements, WASM_2016)
    assert scoring.clm.tolist() == [candidate]
    assert (scoring.reason[0] == reason) or candidate


# Series


def test_four_candidates_are_a_series_and_three_are_none():
    assert plm(score(every(30, 4), WASM_2016)) == [1, 1, 1, 1]
    assert plm(score(every(30, 3), WASM_2016)) == [0, 0, 0]


@pytest.mark.parametrize(("interval_s", "periodic"), [(9.999, 0), (10, 1), (90, 1), (90.001, 0)])
def test_intervals_of_10_to_90_s_are_periodic_both_ends_in(interval_s, periodic):
    assert plm(score(every(interval_s, 6), WASM_2016)) == [periodic] * 6


def test_every_interval_on_a_10_ms_grid_is_measured_exactly():
    for start in range(0, 1000, 10):
        scoring = score(every(10, 4, start_s=start / 1000 + 7000.37), WASM_2016)
        assert plm(scoring) == [1, 1, 1, 1]


def test_intervals_run_from_onset_to_onset():
    scoring = score(lm((0, 9, "L"), (20, 1, "L")), WASM_2016)
    assert scoring.imi_ms.tolist() == [-1, 20_000]


@pytest.mark.parametrize("shift_s", [95, 5])
def test_a_long_or_short_interval_ends_a_series_and_the_next_may_begin(shift_s):
    second = every(30, 4, start_s=100 + 3 * 30 + shift_s)
    scoring = score(Movements.concatenate(every(30, 4), second), WASM_2016)
    assert series(scoring) == [1] * 4 + [2] * 4


def test_with_strict_start_a_movement_after_a_short_interval_starts_no_series():
    second = every(30, 5, start_s=100 + 3 * 30 + 5)
    scoring = score(Movements.concatenate(every(30, 4), second), WASM_2016, strict_start=True)
    assert series(scoring) == [1] * 4 + [0] + [2] * 4
    short = every(30, 4, start_s=100 + 3 * 30 + 5)
    scoring = score(Movements.concatenate(every(30, 4), short), WASM_2016, strict_start=True)
    assert series(scoring) == [1] * 4 + [0] * 4


def test_a_movement_too_long_ends_a_series_and_no_interval_is_measured_across_it():
    long = lm((200, 12, "R"))
    scoring = score(Movements.concatenate(every(30, 8), long), WASM_2016)
    assert series(scoring) == [1] * 4 + [0] + [2] * 4
    assert scoring.imi_ms.tolist()[4:6] == [-1, -1]
    assert scoring.reason[3] == "series ended by a movement that is no candidate"


def test_three_and_three_around_a_long_movement_are_no_series():
    long = lm((170, 12, "R"))
    assert sum(plm(score(Movements.concatenate(every(30, 6), long), WASM_2016))) == 0


def test_a_gap_in_the_recording_ends_a_series():
    scoring = score(every(30, 8), WASM_2016, gaps=spans((195, 200)))
    assert series(scoring) == [1] * 4 + [2] * 4
    assert scoring.imi_ms.tolist()[4] == -1


def test_sleep_and_wake_play_no_part_in_forming_series():
    sleep = staged("W N2 W N2 W N2 W N2 W N2")
    assert plm(score(every(30, 6, start_s=0), WASM_2016, sleep=sleep)) == [1] * 6


def test_the_stage_is_that_of_the_epoch_that_holds_the_onset():
    sleep = staged("W N2 - R")
    scoring = score(lm((29.999, 2, "L"), (30, 1, "R"), (60, 1, "L"), (90, 1, "L")), WASM_2016)
    assert scoring.stage.tolist() == [-1] * 3
    scoring = score(
        lm((20, 2, "L"), (30, 1, "R"), (60, 1, "L"), (90, 1, "L")), WASM_2016, sleep=sleep
    )
    assert scoring.stage.tolist() == [0, 2, -1, 4]
    assert scoring.sleep.tolist() == [0, 1, -1, 1]


# Respiratory events and arousals


@pytest.mark.parametrize(
    ("onset_s", "duration_s", "beside"),
    [
        (96, 2, 1),  # ends exactly 2 s before the end of the event
        (96, 1.999, 0),
        (110.25, 1, 1),  # begins exactly 10.25 s after it
        (110.251, 1, 0),
        (99, 1, 1),
        (90, 4, 0),  # within the event, long before its end
    ],
)
def test_respiratory_window_reaches_2_s_before_to_10_25_s_after_the_end(
    onset_s, duration_s, beside
):
    movements = lm((onset_s, duration_s, "L"))
    scoring = score(movements, WASM_2016, respiratory=spans((80, 100)))
    assert scoring.respiratory.tolist() == [beside]


def test_the_narrow_respiratory_window_is_an_option():
    movements = lm((100.5, 1, "L"), (102, 1, "R"))
    narrow = {"respiratory_before_ms": 500, "respiratory_after_ms": 500}
    scoring = score(movements, WASM_2016, respiratory=spans((80, 100)), **narrow)
    assert scoring.respiratory.tolist() == [1, 0]


def test_series_are_built_anew_without_respiratory_candidates():
    movements = every(20, 6)
    scoring = score(movements, WASM_2016, respiratory=spans((130, 138)))
    assert scoring.respiratory.tolist() == [0, 0, 1, 0, 0, 0]
    assert plm(scoring) == [1] * 6
    assert scoring.plmnr.tolist() == [1, 1, -1, 1, 1, 1]
    assert scoring.imi_nr_ms.tolist()[3] == 40_000


def test_a_respiratory_non_candidate_still_ends_the_series():
    movements = Movements.concatenate(every(30, 6), lm((170, 12, "R")))
    scoring = score(movements, WASM_2016, respiratory=spans((160, 172)))
    assert 1 not in scoring.plmnr.tolist()


def test_without_respiratory_events_looked_for_nothing_is_said():
    scoring = score(every(30, 4), WASM_2016)
    assert scoring.respiratory.tolist() == [-1] * 4
    assert scoring.plmnr.tolist() == [-1] * 4
    assert scoring.arousal.tolist() == [-1] * 4


@pytest.mark.parametrize(
    ("arousal", "associated"),
    [((97, 99.5), 1), ((97, 99.499), 0), ((102.5, 106), 1), ((102.501, 106), 0), ((101, 105), 1)],
)
def test_an_arousal_belongs_within_half_a_second_both_ends_in(arousal, associated):
    scoring = score(lm((100, 2, "L")), WASM_2016, arousals=spans(arousal))
    assert scoring.arousal.tolist() == [associated]


# Movements that are no leg movements


@pytest.mark.parametrize("kind", [POSTURE_SHIFT, GROSS_MOVEMENT])
def test_posture_shifts_and_gross_movements_over_10_s_end_a_series(kind):
    movements = Movements.concatenate(every(30, 8), of_kind(kind, 200, 10.5))
    scoring = score(movements, WASM_2016)
    assert series(scoring) == [1] * 4 + [0] + [2] * 4
    assert scoring.reason[4] == ("posture shift" if kind == POSTURE_SHIFT else "gross movement")


@pytest.mark.parametrize(
    ("kind", "duration_s"),
    [(POSTURE_SHIFT, 10), (GROSS_MOVEMENT, 10), (TAP, 12), (TRANSMITTED_SHAKE, 12), (GAIT, 12)],
)
def test_other_movements_are_kept_and_play_no_part(kind, duration_s):
    movements = Movements.concatenate(every(30, 8), of_kind(kind, 196, duration_s))
    scoring = score(movements, WASM_2016)
    assert series(scoring) == [1] * 4 + [0] + [1] * 4
    assert scoring.clm.tolist()[4] == 0


def test_short_posture_shifts_end_a_series_where_the_option_says_so():
    movements = Movements.concatenate(every(30, 8), of_kind(POSTURE_SHIFT, 200, 3))
    scoring = score(movements, WASM_2016, posture_shifts_end_series=True)
    assert series(scoring) == [1] * 4 + [0] + [2] * 4


def test_a_turn_that_both_legs_feel_is_one_posture_shift():
    movements = Movements.concatenate(
        of_kind(POSTURE_SHIFT, 50, 3, "L"), of_kind(POSTURE_SHIFT, 50.2, 3, "R"), lm((51, 1, "R"))
    )
    scoring = score(movements, WASM_2016)
    assert scoring.kind.tolist().count(POSTURE_SHIFT) == 1
    assert scoring.side.tolist()[0] == BILATERAL
    assert len(scoring) == 2


def test_no_movement_at_all_scores_to_nothing():
    scoring = score(Movements.empty(), WASM_2016, respiratory=spans((1, 2)), arousals=spans())
    assert len(scoring) == 0
