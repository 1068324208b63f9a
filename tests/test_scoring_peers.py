"""WASM 2006 against MATPLM and AASM against psgscoring, candidate by candidate; and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_scored import every, lm, score, spans, staged
from oracle import events_of, ms, needs_oracle, rows_by_case

from rlsmove.records import LEG_MOVEMENT, Intervals, Movements, Scoring
from rlsmove.rules import AASM, WASM_2006, WASM_2016, RuleSet
from rlsmove.scoring import night_indices, score_movements


def scored(rows: list[dict[str, str]], rules: RuleSet) -> Scoring:
    movements, sleep, respiratory, arousals = events_of(rows)
    return score_movements(
        movements,
        sleep=sleep,
        respiratory=respiratory,
        arousals=arousals,
        gaps=Intervals.empty(),
        rules=rules,
    )


@needs_oracle
def test_wasm_2006_agrees_with_matplm_in_every_candidate_and_periodic_movement():
    events, expected = rows_by_case("wasm2006_events.csv"), rows_by_case("wasm2006_movements.csv")
    for case, rows in events.items():
        scoring = scored(rows, WASM_2006)
        found = {
            int(scoring.onset_ms[row]): (int(scoring.plm[row]), int(scoring.respiratory[row]))
            for row in np.flatnonzero(scoring.clm == 1)
        }
        theirs = {
            ms(row["onset_s"]): (int(row["plm"]), int(row["respiratory"])) for row in expected[case]
        }
        assert {at: found.get(at) for at in theirs} == theirs, case
        # What is passed over after a short interval has no row there.
        assert not any(found[at][0] for at in found.keys() - theirs.keys()), case


@needs_oracle
def test_aasm_with_short_intervals_that_break_agrees_with_psgscoring():
    events = rows_by_case("aasm_break_one_leg_events.csv")
    expected = rows_by_case("aasm_break_one_leg_movements.csv")
    for case, rows in events.items():
        scoring = scored(rows, replace(AASM, short_interval="break"))
        candidates = np.flatnonzero((scoring.clm == 1) & (scoring.kind == LEG_MOVEMENT))
        found = [(int(scoring.onset_ms[row]), int(scoring.plm[row])) for row in candidates]
        theirs = [(ms(row["onset_s"]), int(row["plm"])) for row in expected[case]]
        assert found == theirs, case


# What a peer gets wrong, by hand.


def test_a_last_movement_over_10_s_is_no_candidate_and_leaves_the_series_alone():
    movements = Movements.concatenate(every(30, 4), lm((220, 12, "L")))
    scoring = score(movements, WASM_2006)
    assert scoring.clm.tolist() == [1, 1, 1, 1, 0]
    assert scoring.plm.tolist() == [1, 1, 1, 1, 0]


def test_a_non_candidate_ends_the_series_though_the_next_candidate_is_respiratory():
    # Intervals of 30 s; a movement of 12 s between the fourth and the fifth, which is respiratory.
    movements = Movements.concatenate(every(30, 4), lm((205, 12, "L")), every(30, 4, start_s=220))
    scoring = score(movements, WASM_2016, respiratory=spans((210, 219)))
    candidates = scoring.clm == 1
    assert scoring.series[candidates].tolist() == [1] * 4 + [2] * 4
    # Without the respiratory one the later three are no series, nor do they join the earlier.
    assert scoring.plmnr[candidates].tolist() == [1] * 4 + [-1, 0, 0, 0]


@pytest.mark.parametrize(("in_sleep", "plms"), [("onset", 0), ("any_part", 4)])
def test_a_movement_that_begins_in_wake_counts_by_the_part_that_the_rules_name(in_sleep, plms):
    rules = replace(AASM, in_sleep=in_sleep)
    sleep = staged("W N2 N2 N2 N2", lights=(0, 150))
    movements = lm((29.5, 2, "L"), (50, 2, "L"), (70, 2, "L"), (90, 2, "L"))
    scoring = score(movements, rules, sleep=sleep)
    indices = night_indices(scoring, sleep=sleep, analysable=spans((0, 150)), rules=rules)
    assert indices["plms_count"] == plms


@pytest.mark.parametrize(("counts", "arousal"), [(True, 1), (False, 0)])
def test_an_arousal_at_exactly_half_a_second_belongs_by_the_option(counts, arousal):
    rules = replace(WASM_2016, arousal_bound_counts=counts)
    scoring = score(lm((100, 2, "L")), rules, arousals=spans((102.5, 106)))
    assert scoring.arousal.tolist() == [arousal]
