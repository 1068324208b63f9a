"""The indices of nights that can be counted on one's fingers."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from contracts import INDEX_NAMES
from hand_scored import every, lm, of_kind, score, spans, staged

from rlsmove.records import POSTURE_SHIFT, Intervals, Movements, Sleep
from rlsmove.rules import AASM, WASM_2006, WASM_2016
from rlsmove.scoring import INDICES, index_notices, night_indices, night_tables

#: Two hours: 30 min wake, 60 min N2, 30 min R.
STAGES_2_H = " ".join(["W"] * 60 + ["N2"] * 120 + ["R"] * 60)
NIGHT = staged(STAGES_2_H, lights=(0, 7200))
WHOLE = spans((0, 7200))


def indices_of(
    movements: Movements,
    sleep: Sleep | None = NIGHT,
    *,
    analysable: Intervals = WHOLE,
    rules=WASM_2016,
    **about,
):
    scoring = score(movements, rules, sleep=sleep, **about)
    return night_indices(scoring, sleep=sleep, analysable=analysable, rules=rules)


def test_names_stand_in_the_order_of_the_contract():
    assert list(indices_of(Movements.empty())) == INDEX_NAMES
    assert [index.name for index in INDICES] == INDEX_NAMES


def test_every_definition_says_what_it_counts_and_its_bounds():
    for index in INDICES:
        assert index.counts, index.name
        assert index.bounds, index.name
        assert ("per_hour" in index.name) == (index.unit == "1/h"), index.name
        assert bool(index.over) >= ("per_hour" in index.name), index.name


def test_counts_and_rates_of_a_plain_night():
    awake, asleep = every(20, 6, start_s=600), every(30, 9, start_s=3000)
    indices = indices_of(Movements.concatenate(awake, asleep, lm((6000, 1, "L"))))
    assert indices["tib_hours"] == 2
    assert indices["sleep_hours"] == 1.5
    assert indices["wake_hours"] == 0.5
    assert indices["lm_count"] == indices["clm_count"] == 16
    assert indices["lm_per_hour_tib"] == 8
    assert indices["plm_count"] == 15
    assert indices["plms_count"] == 9
    assert indices["plms_per_hour"] == 6
    assert indices["plmw_count"] == 6
    assert indices["plmw_per_hour"] == 12
    assert indices["isolated_per_hour"] == pytest.approx(1 / 1.5)
    assert indices["series_count"] == 2
    assert indices["periodicity_index_movements"] == 15 / 16
    assert indices["plm_duration_mean_s"] == 2
    assert indices["imi_plm_median_s"] == 30


def test_sleep_measures_of_a_plain_night():
    sleep = staged("W W N1 N2 W N2 W W R R W W", lights=(15, 345))
    indices = indices_of(Movements.empty(), sleep, analysable=spans((0, 400)))
    assert indices["sleep_onset_latency_min"] == 0.75
    assert indices["waso_min"] == (30 + 60 + 45) / 60
    assert indices["awakenings"] == 2
    assert indices["sleep_efficiency"] == pytest.approx(150 / 330)
    assert indices["wake_hours"] == pytest.approx(180 / 3600)


def test_time_that_cannot_be_analysed_counts_in_no_hours():
    analysable = spans((0, 3600), (5400, 7200))
    indices = indices_of(every(30, 9, start_s=3000), analysable=analysable)
    assert indices["analysable_hours"] == indices["tib_hours"] == 1.5
    assert indices["sleep_hours"] == 1
    assert indices["plms_per_hour"] == 9


def test_movements_out_of_bed_are_scored_but_not_counted():
    sleep = staged(STAGES_2_H, lights=(1800, 7200))
    indices = indices_of(every(20, 6, start_s=600), sleep)
    assert indices["lm_count"] == 0
    assert indices["plmw_count"] == 0
    assert indices["plmw_per_hour"] is None


def test_without_lights_nothing_is_said_per_hour_in_bed():
    indices = indices_of(every(30, 9, start_s=3000), staged(STAGES_2_H))
    unknown = {name for name, value in indices.items() if value is None}
    assert {"tib_hours", "lm_per_hour_tib", "clm_per_hour_tib", "plm_per_hour_tib"} <= unknown
    assert {"wake_hours", "plmw_count", "plmw_per_hour", "posture_shifts_per_hour"} <= unknown
    assert {"sleep_onset_latency_min", "sleep_efficiency", "waso_min", "awakenings"} <= unknown
    assert indices["plms_per_hour"] == 6
    assert indices["lm_count"] == 9


def test_without_any_sleep_nothing_is_said_of_it():
    indices = indices_of(every(30, 9), None)
    known = {name for name, value in indices.items() if value is not None}
    assert known == {
        "analysable_hours",
        "lm_count",
        "clm_count",
        "plm_count",
        "periodicity_index_movements",
        "periodicity_index_intervals",
        "imi_plm_median_s",
        "ln_imi_mean",
        "ln_imi_sd",
        "series_count",
        "plm_duration_mean_s",
    }


def test_lights_without_stages_give_rates_in_bed_only():
    none = np.empty(0, np.int64)
    lights = Sleep("lights", 0, 7_200_000, none, none, none.astype(np.int8))
    indices = indices_of(every(30, 9), lights)
    assert indices["lm_per_hour_tib"] == 4.5
    assert indices["plms_count"] is None
    assert indices["sleep_hours"] is None


def test_a_night_without_sleep_has_no_rate_of_sleep():
    indices = indices_of(every(30, 9), staged("W " * 240, lights=(0, 7200)))
    assert indices["sleep_hours"] == 0
    assert indices["plms_count"] == 0
    assert indices["plms_per_hour"] is None
    assert indices["sleep_efficiency"] == 0
    assert indices["sleep_onset_latency_min"] is None


def test_a_night_without_movements_has_rates_of_zero_and_no_shape():
    indices = indices_of(Movements.empty())
    assert indices["plms_per_hour"] == 0
    assert indices["periodicity_index_movements"] is None
    assert indices["periodicity_index_intervals"] is None
    assert indices["ln_imi_sd"] is None
    assert indices["plm_duration_mean_s"] is None


def test_sleep_of_unknown_stage_is_sleep():
    indices = indices_of(every(30, 9, start_s=3000), staged("S " * 240, lights=(0, 7200)))
    assert indices["plms_per_hour"] == 4.5


def test_short_intervals_are_those_below_the_rules_own_limit():
    movements = lm((3000, 1, "L"), (3007, 1, "L"), (3050, 1, "L"))
    assert indices_of(movements)["short_interval_per_hour"] == pytest.approx(1 / 1.5)
    assert indices_of(movements, rules=WASM_2006)["short_interval_per_hour"] == 0
    assert indices_of(movements)["isolated_per_hour"] == pytest.approx(2 / 1.5)


def test_periodicity_over_intervals_wants_three_in_a_row_above_10_and_up_to_90_s():
    onsets = [3000, 3020, 3110, 3120.001, 3220, 3240, 3260, 3360]
    indices = indices_of(lm(*((onset, 1, "L") for onset in onsets)))
    assert indices["periodicity_index_intervals"] == pytest.approx(3 / 7)
    onsets[3] = 3120  # an interval of exactly 10 s does not count
    indices = indices_of(lm(*((onset, 1, "L") for onset in onsets)))
    assert indices["periodicity_index_intervals"] == 0


def test_a_run_of_intervals_does_not_reach_across_a_gap():
    movements = every(30, 5, start_s=3000)
    assert indices_of(movements)["periodicity_index_intervals"] == 1
    gap = spans((3065, 3070))
    assert indices_of(movements, gaps=gap)["periodicity_index_intervals"] == 0


def test_ln_imi_is_described_over_10_to_90_s():
    indices = indices_of(lm(*((onset, 1, "L") for onset in (3000, 3010, 3100, 3195, 3200))))
    logs = [math.log(10), math.log(90)]
    assert indices["ln_imi_mean"] == pytest.approx(np.mean(logs))
    assert indices["ln_imi_sd"] == pytest.approx(np.std(logs, ddof=1))


def test_plms_by_hour_after_sleep_onset_and_by_third_of_the_night():
    early, late = every(30, 6, start_s=1900), every(30, 9, start_s=6000)
    indices = indices_of(Movements.concatenate(early, late))
    assert indices["plms_per_hour_by_hour"] == [6, 18]
    assert indices["plms_per_hour_by_third"] == [pytest.approx(6 / (600 / 3600)), 0, 13.5]


def test_a_third_without_sleep_is_null():
    sleep = staged(" ".join(["W"] * 80 + ["N2"] * 160), lights=(0, 7200))
    assert indices_of(Movements.empty(), sleep)["plms_per_hour_by_third"] == [None, 0, 0]


def test_plms_with_arousal_and_without_respiratory_events():
    movements = every(30, 9, start_s=3000)
    indices = indices_of(movements, arousals=spans((3000, 3004)), respiratory=spans((3110, 3118)))
    assert indices["plms_arousal_per_hour"] == pytest.approx(1 / 1.5)
    assert indices["plms_nr_per_hour"] == pytest.approx(8 / 1.5)
    indices = indices_of(movements)
    assert indices["plms_arousal_per_hour"] is None
    assert indices["plms_nr_per_hour"] is None


def test_movements_in_wake_are_not_counted_by_a_standard_that_scores_sleep_only():
    indices = indices_of(every(30, 9, start_s=300), rules=AASM)
    assert indices["plmw_count"] is None
    assert indices["plmw_per_hour"] is None


def test_posture_shifts_are_counted_in_bed_and_not_in_event_lists():
    shifts = Movements.concatenate(
        of_kind(POSTURE_SHIFT, 100, 3),
        of_kind(POSTURE_SHIFT, 4000, 3),
        of_kind(POSTURE_SHIFT, 8000, 3),
    )
    scoring = score(shifts, WASM_2016, sleep=NIGHT)
    about = {"sleep": NIGHT, "analysable": WHOLE, "rules": WASM_2016}
    assert night_indices(scoring, **about)["posture_shifts_per_hour"] == 1
    assert night_indices(scoring, **about)["lm_count"] == 0
    listed = night_indices(scoring, **about, from_signal=False)
    assert listed["posture_shifts_per_hour"] is None


def test_few_movements_are_flagged():
    assert [n.code for n in index_notices(indices_of(every(30, 9)))] == ["few_movements"]
    assert index_notices(indices_of(every(30, 40))) == []


def test_tables_of_a_plain_night():
    movements = every(30, 9, start_s=3000)
    scoring = score(movements, WASM_2016, sleep=NIGHT)
    tables = night_tables(
        scoring,
        sleep=NIGHT,
        analysable=WHOLE,
        rules=WASM_2016,
        start_time=datetime(2026, 3, 1, 22, 40),
    )
    in_n2 = tables["movements_by_part"]["plm"]["N2"]
    assert in_n2["number"] == 9
    assert in_n2["per_hour"] == 9
    assert tables["movements_by_side"]["plm"]["right"]["number"] == 0
    assert tables["movements_by_part"]["plm_nr"]["TST"] is None
    assert tables["events_by_part"]["arousal"]["TST"] is None
    histogram = tables["imi_histogram"]
    assert histogram["count"][histogram["edges"].index(30)] == 8
    assert sum(histogram["count"]) == 8
    assert sum(tables["ln_imi_histogram"]["count"]) == 8
    hours = tables["plms_by_clock_hour"]
    assert [hour["from"][11:16] for hour in hours] == ["23:00", "00:00"]
    assert [hour["plms_per_hour"] for hour in hours] == [pytest.approx(9 / (50 / 60)), 0]


def test_the_sums_of_both_nights_of_a_split_hypnogram_agree():
    halves = [replace(NIGHT, lights_on_ms=3_600_000), replace(NIGHT, lights_off_ms=3_600_000)]
    movements = every(30, 30, start_s=3000)
    whole = indices_of(movements)
    parts = [indices_of(movements, half) for half in halves]
    for name in ("lm_count", "plm_count", "plms_count", "sleep_hours", "tib_hours"):
        assert sum(part[name] for part in parts) == pytest.approx(whole[name])


def test_plms_of_each_stage_over_its_own_hours():
    indices = indices_of(Movements.concatenate(every(30, 8, 3000), every(30, 5, 6000)))
    assert indices["plms_nrem_per_hour"] == 8
    assert indices["plms_rem_per_hour"] == 10
    assert indices["clm_per_hour"] == pytest.approx(13 / 1.5)
    unknown = indices_of(every(30, 9, 3000), staged("S " * 240, lights=(0, 7200)))
    assert unknown["plms_nrem_per_hour"] is None


def test_isolated_and_short_interval_movements_in_wake_over_hours_of_wake():
    awake = lm((300, 1, "L"), (307, 1, "L"), (900, 1, "L"))
    indices = indices_of(awake)
    assert indices["isolated_wake_per_hour"] == 4
    assert indices["short_interval_wake_per_hour"] == 2
    assert indices["isolated_per_hour"] == 0
    assert indices_of(awake, rules=AASM)["isolated_wake_per_hour"] is None


def test_a_candidate_soon_after_a_movement_that_is_none_is_isolated_unless_the_rules_say_else():
    group_of_5 = [(3000 + 0.8 * n, 0.6, "LR"[n % 2]) for n in range(5)]
    movements = lm(*group_of_5, (3006, 1, "L"))
    indices = indices_of(movements)
    assert (indices["isolated_per_hour"], indices["short_interval_per_hour"]) == (1 / 1.5, 0)
    indices = indices_of(movements, rules=replace(WASM_2016, short_after="lm"))
    assert (indices["isolated_per_hour"], indices["short_interval_per_hour"]) == (0, 1 / 1.5)


def test_plms_of_each_leg_and_of_both():
    left, right = every(30, 6, 3000), every(30, 3, 3000, "R")
    indices = indices_of(Movements.concatenate(left, right))
    assert indices["plms_left_per_hour"] == 2
    assert indices["plms_right_per_hour"] == 0
    assert indices["plms_bilateral_per_hour"] == 2
    one = indices_of(left)
    assert (one["plms_left_per_hour"], one["plms_right_per_hour"]) == (4, None)
    assert one["plms_bilateral_per_hour"] is None
    assert indices_of(every(30, 6, 3000, "?"))["plms_left_per_hour"] is None


def test_respiratory_candidates_and_arousals_without_them():
    movements = every(30, 9, start_s=3000)
    about = {"arousals": spans((3000, 3004), (3120, 3124)), "respiratory": spans((3110, 3118))}
    indices = indices_of(movements, **about)
    assert indices["clm_respiratory_count"] == 1
    assert indices["plms_arousal_per_hour"] == pytest.approx(2 / 1.5)
    assert indices["plms_nr_arousal_per_hour"] == pytest.approx(1 / 1.5)
    assert indices_of(movements)["clm_respiratory_count"] is None
    assert indices_of(movements)["plms_nr_arousal_per_hour"] is None


def from_sensor(hours: float, bed_hours: float, start_s: float = 0.0) -> Sleep:
    """One stretch of sleep that the sensor alone saw."""
    onset, offset = (np.array([round(1000 * s)]) for s in (start_s, start_s + 3600 * hours))
    stage = np.array([5], np.int8)
    return Sleep("lights", 0, round(3_600_000 * bed_hours), onset, offset, stage)


@pytest.mark.parametrize(("hours", "index"), [(0.99, None), (1.0, 10.0)])
def test_less_than_an_hour_of_sleep_from_the_sensor_has_no_rate(
    hours: float, index: float | None
) -> None:
    sleep = from_sensor(hours, 4)
    indices = indices_of(every(30, 10, start_s=600), sleep, analysable=spans((0, 4 * 3600)))
    assert indices["plms_count"] == 10
    for name in ("plms_per_hour", "clm_per_hour", "plms_per_hour_low"):
        assert (indices[name] is None) == (index is None)
    assert indices["plms_per_hour"] == index
    codes = [notice.code for notice in index_notices(indices)]
    assert ("little_sleep" in codes) == (index is None)
    # A hypnogram is believed however short.
    scored = indices_of(every(30, 10, start_s=600), replace(sleep, source="hypnogram"))
    assert scored["plms_per_hour"] == pytest.approx(10 / hours)


def test_with_a_hypnogram_the_range_is_the_index() -> None:
    indices = indices_of(every(30, 9, start_s=3000))
    assert indices["plms_per_hour_low"] == indices["plms_per_hour_high"] == indices["plms_per_hour"]


def test_the_range_holds_what_quiet_wake_and_a_late_onset_would_make_of_the_index() -> None:
    bed = spans((0, 8 * 3600))
    sleep = from_sensor(6, 8)
    # 120 movements in the third and fourth hour; the other four hours may have been quiet wake,
    # of which two are believed.
    middle = every(60, 120, start_s=7200)
    indices = indices_of(middle, sleep, analysable=bed)
    assert indices["plms_per_hour"] == 20
    assert indices["plms_per_hour_high"] == pytest.approx(120 / 4)
    assert indices["plms_per_hour_low"] == pytest.approx(120 / 8)
    # Movements of the first half hour may have been made awake.
    early = every(60, 30, start_s=0)
    indices = indices_of(early, sleep, analysable=bed)
    assert indices["plms_per_hour_low"] == 0
    # Movements less than 10 minutes apart leave no quiet wake.
    late = every(90, 159, start_s=7200)
    indices = indices_of(late, from_sensor(4, 4, start_s=7200), analysable=bed)
    assert indices["plms_per_hour_high"] == indices["plms_per_hour"]
