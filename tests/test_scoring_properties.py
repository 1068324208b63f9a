"""What holds for every night: the slow twin agrees, and nothing hangs on order or clock."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import reference
from hand_scored import every
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.records import Intervals, Movements, Scoring, Sleep
from rlsmove.rules import AASM, WASM_2006, WASM_2016, RuleSet
from rlsmove.scoring import night_indices, score_movements

RULES = [
    WASM_2016,
    replace(WASM_2016, strict_start=True),
    WASM_2006,
    AASM,
    replace(AASM, short_interval="break"),
]
NAMES = ["wasm2016", "strict", "wasm2006", "aasm", "aasm-break"]

# Steps of 0.25 s from onset to onset and for durations put many pairs exactly on an edge.
STEPS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 50), st.integers(30, 400)),
        st.one_of(st.integers(1, 20), st.integers(30, 70)),
        st.integers(0, 1),
    ),
    max_size=60,
)


def night_of(steps: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(onset_ms, offset_ms, leg) of steps in quarters of a second."""
    onset = 0
    marks = []
    for step, length, leg in steps:
        onset += step
        marks.append((onset * 250, (onset + length) * 250, leg))
    return marks


def movements_of(marks: list[tuple[int, int, int]]) -> Movements:
    onset, offset, leg = np.array(marks, np.int64).reshape(-1, 3).T
    return Movements.marks(onset, offset - onset, leg.astype(np.int8))


def stages_over(seconds: int, seed: int) -> Sleep:
    count = seconds // 30 + 1
    onset = np.arange(count, dtype=np.int64) * 30_000
    stage = np.random.default_rng(seed).integers(0, 5, count).astype(np.int8)
    return Sleep("hypnogram", 0, count * 30_000, onset, onset + 30_000, stage)


def scored(movements: Movements, rules: RuleSet, **about: object) -> Scoring:
    arguments: dict[str, object] = {
        "sleep": None,
        "respiratory": None,
        "arousals": None,
        "gaps": Intervals.empty(),
    }
    return score_movements(movements, rules=rules, **{**arguments, **about})


def same(one: Scoring, other: Scoring, *, but: tuple[str, ...] = ()) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name), equal_nan=True)
        if getattr(one, field.name).dtype.kind == "f"
        else np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Scoring)
        if field.name not in (*but, "n_short")
    )


@pytest.mark.parametrize("rules", RULES, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, gaps=st.lists(st.integers(0, 4000), max_size=3, unique=True))
def test_the_slow_twin_scores_the_same(rules, steps, gaps):
    marks = night_of(steps)
    edges = [(start * 250, start * 250 + 2250) for start in sorted(gaps)]
    edges = [edge for i, edge in enumerate(edges) if i == 0 or edge[0] > edges[i - 1][1]]
    intervals = np.array(edges, np.int64).reshape(-1, 2)
    scoring = scored(movements_of(marks), rules, gaps=Intervals(intervals[:, 0], intervals[:, 1]))
    expected = reference.score(marks, edges, rules)
    assert scoring.onset_ms.tolist() == [row.onset for row in expected]
    assert scoring.duration_ms.tolist() == [row.duration for row in expected]
    assert scoring.n_monolateral.tolist() == [len(row.legs) for row in expected]
    assert scoring.clm.tolist() == [int(row.clm) for row in expected]
    assert scoring.series.tolist() == [row.series for row in expected]
    assert scoring.imi_ms.tolist() == [row.imi for row in expected]


@pytest.mark.parametrize("rules", RULES, ids=NAMES)
@settings(max_examples=20, deadline=None)
@given(steps=STEPS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_marks_does_not_matter(rules, steps, order):
    marks = night_of(steps)
    shuffled = list(marks)
    order.shuffle(shuffled)
    assert same(scored(movements_of(marks), rules), scored(movements_of(shuffled), rules))


@pytest.mark.parametrize("rules", RULES, ids=NAMES)
@settings(max_examples=20, deadline=None)
@given(steps=STEPS, shift_ms=st.integers(-10_000_000, 10_000_000), seed=st.integers(0, 9))
def test_shifting_all_times_changes_nothing_but_the_onsets(rules, steps, shift_ms, seed):
    movements = movements_of(night_of(steps))
    sleep = stages_over(3600, seed)
    span = Intervals(np.array([0]), np.array([sleep.lights_on_ms]))
    events = Intervals(np.array([5_000, 400_000]), np.array([30_000, 420_000]))

    def all_of(shift: int) -> tuple[Scoring, dict[str, object]]:
        moved = replace(movements, onset_ms=movements.onset_ms + shift)
        moved_sleep = replace(
            sleep,
            lights_off_ms=shift,
            lights_on_ms=sleep.lights_on_ms + shift,
            onset_ms=sleep.onset_ms + shift,
            offset_ms=sleep.offset_ms + shift,
        )
        around = Intervals(events.onset_ms + shift, events.offset_ms + shift)
        scoring = scored(moved, rules, sleep=moved_sleep, respiratory=around, arousals=around)
        analysable = Intervals(span.onset_ms + shift, span.offset_ms + shift)
        return scoring, night_indices(
            scoring, sleep=moved_sleep, analysable=analysable, rules=rules
        )

    (here, indices), (there, moved_indices) = all_of(0), all_of(shift_ms)
    assert same(here, there, but=("onset_ms",))
    assert (here.onset_ms + shift_ms).tolist() == there.onset_ms.tolist()
    assert indices == moved_indices


@settings(max_examples=20, deadline=None)
@given(steps=STEPS, cut=st.integers(0, 60))
def test_a_night_split_in_two_lists_and_rejoined_scores_the_same(steps, cut):
    marks = night_of(steps)
    rejoined = Movements.concatenate(movements_of(marks[cut:]), movements_of(marks[:cut]))
    assert same(scored(movements_of(marks), WASM_2016), scored(rejoined, WASM_2016))


@pytest.mark.parametrize("rules", RULES, ids=NAMES)
@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_a_movement_far_from_all_others_adds_one_row_and_nothing_else(rules, steps):
    marks = night_of(steps)
    end = max([offset for _, offset, _ in marks], default=0)
    far = (end + 200_000, end + 201_000, 0)
    before, after = scored(movements_of(marks), rules), scored(movements_of([*marks, far]), rules)
    assert len(after) == len(before) + 1
    for name in ("onset_ms", "clm", "plm", "series", "imi_ms", "n_monolateral"):
        assert getattr(after, name)[:-1].tolist() == getattr(before, name).tolist()
    assert (after.clm[-1], after.plm[-1]) == (1, 0)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS, seed=st.integers(0, 99))
def test_indices_keep_their_bounds(steps, seed):
    movements = movements_of(night_of(steps))
    sleep = stages_over(4000, seed)
    span = Intervals(np.array([0]), np.array([sleep.lights_on_ms]))
    scoring = scored(movements, WASM_2016, sleep=sleep, respiratory=Intervals.empty())
    indices = night_indices(scoring, sleep=sleep, analysable=span, rules=WASM_2016)
    assert indices["lm_count"] >= indices["clm_count"] >= indices["plm_count"]
    assert indices["plm_count"] == indices["plms_count"] + indices["plmw_count"]
    assert indices["tib_hours"] == pytest.approx(indices["sleep_hours"] + indices["wake_hours"])
    for name in ("periodicity_index_movements", "periodicity_index_intervals"):
        assert indices[name] is None or 0 <= indices[name] <= 1
    if indices["ln_imi_mean"] is not None:
        assert np.log(10) <= indices["ln_imi_mean"] <= np.log(90)
    if indices["imi_plm_median_s"] is not None:
        assert 10 <= indices["imi_plm_median_s"] <= 90


def test_signal_columns_of_a_group_are_the_largest_of_its_members():
    left, right = every(30, 1), every(30, 1, leg="R")
    left = replace(left, peak_g=np.array([0.2]), tilt_deg=np.array([3.0]), snr=np.array([4.0]))
    right = replace(right, peak_g=np.array([0.1]), tilt_deg=np.array([9.0]))
    scoring = scored(Movements.concatenate(left, right), WASM_2016)
    assert scoring.peak_g.tolist() == [0.2]
    assert scoring.tilt_deg.tolist() == [9.0]
    assert scoring.snr.tolist() == [4.0]
