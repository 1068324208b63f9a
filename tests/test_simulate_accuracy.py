"""The benchmark of detectors: what it counts, and the published detectors on plain signals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy import NightSet, main, tables
from benchmarks.peers import PEERS, pam_rl, pendulum, resteaze, sicbaldi
from benchmarks.tally import TOLERANCE_S, Tally, interval, judge, matched, pooled
from rlsmove.records import LEG_MOVEMENT, SIDES, Movements
from rlsmove.simulate import SCENARIOS, simulate_night

FS = 50.0


@pytest.fixture(scope="module")
def night():
    return simulate_night(replace(SCENARIOS["severe"], hours=2.0, fs=25.0), 7)


def true_finds(night):
    m = night.truth.movements.take(night.truth.leg_movements)
    return {side: m.take(m.side == SIDES.index(side)) for side in night.sensors}


def largest_matching(true_s, found_s):
    """Most pairs within the tolerance, by trying every choice for the first true onset."""
    if not true_s:
        return 0
    best = largest_matching(true_s[1:], found_s)
    for place, onset in enumerate(found_s):
        if abs(onset - true_s[0]) <= TOLERANCE_S:
            rest = found_s[:place] + found_s[place + 1 :]
            best = max(best, 1 + largest_matching(true_s[1:], rest))
    return best


def test_interval_holds_the_pooled_value_and_narrows_with_more_nights():
    rng = np.random.default_rng(1)
    nights = [Tally(found=int(rng.integers(20, 60)), missed=10, hours=1.0) for _ in range(40)]

    def recall(tally):
        return tally.recall

    few, many = interval(nights[:5], recall), interval(nights, recall)
    assert many[0] < pooled(nights).recall < many[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert interval(nights, recall) == many


def first_second(night):
    """A detector that finds one movement, in the first second."""
    assert night.acceleration.shape[1] == 3
    return np.array([0.5]), np.array([1.0])


def test_any_detector_can_be_named_and_stands_in_the_same_table(capsys):
    nights = ["--scenario", "none", "--kind", "none_alone", "--nights", "1", "--hours", "0.3"]
    main(["--quick", *nights, "--detector", "tests.test_simulate_accuracy:first_second"])
    out = capsys.readouterr().out
    assert out.count("| detector | precision") == 2
    assert "| nights | rlsmove | tests.test_simulate_accuracy:first_second |" in out
    assert "Held-out physics: 1 night of 0.3 h of each kind, one ankle" in out


@pytest.mark.parametrize("name", ["nowhere:f", "benchmarks.tally:nothing", "benchmarks.tally"])
def test_detector_that_is_not_there_is_named(name, capsys):
    with pytest.raises(SystemExit):
        main(["--quick", "--detector", name])
    assert name.split(":")[0] in capsys.readouterr().err


def test_kind_that_one_sensor_cannot_tell_is_in_no_total():
    made = NightSet("x: y", ("none_alone", "none_swaying"), 1, lambda name, seed: None)
    alone, swaying = Tally(hours=1.0, index_error=[0.0]), Tally(false=9, hours=1.0, index_error=[9])
    text = tables(made, {("none_alone", "a"): [alone], ("none_swaying", "a"): [swaying]})
    assert "| 0.0 % | 0.00 |" in text
    assert "| none_swaying | 9.00 /h |" in text


grid = st.lists(st.integers(0, 24).map(lambda n: n / 8), max_size=6).map(sorted)


@given(grid, grid)
def test_pairs_are_as_many_as_can_be_and_one_to_one(true_s, found_s):
    rows, columns = matched(np.array(true_s), np.array(found_s))
    assert len(rows) == largest_matching(true_s, found_s)
    assert len(set(rows)) == len(rows) == len(set(columns))
    assert all(
        abs(true_s[i] - found_s[j]) <= TOLERANCE_S for i, j in zip(rows, columns, strict=True)
    )


def test_truth_itself_has_no_errors(night):
    tally = judge(night, true_finds(night))
    assert tally.found > 100
    assert (tally.missed, tally.false, tally.split) == (0, 0, 0)
    assert tally.precision == tally.recall == tally.f1 == 1.0
    assert tally.index_error == [pytest.approx(0.0, abs=1e-3)]
    assert set(tally.onset_error_s) == {0.0}


@pytest.mark.parametrize(("late_ms", "found"), [(500, True), (501, False)])
def test_find_counts_up_to_half_a_second_from_the_onset(night, late_ms, found):
    late = {
        side: replace(finds, onset_ms=finds.onset_ms + late_ms)
        for side, finds in true_finds(night).items()
    }
    tally = judge(night, late)
    assert tally.recall == (1.0 if found else 0.0)


def test_nothing_found_is_all_missed(night):
    empty = dict.fromkeys(night.sensors, Movements.empty())
    tally = judge(night, empty)
    assert tally.recall == 0.0
    assert np.isnan(tally.precision)
    assert tally.index_error[0] < 0


def test_movement_found_in_two_pieces_is_split_and_false_once(night):
    pieces = {}
    for side, finds in true_finds(night).items():
        half = finds.duration_ms // 2
        later = replace(finds, onset_ms=finds.onset_ms + half + 600)
        pieces[side] = Movements.concatenate(replace(finds, duration_ms=half), later)
    tally = judge(night, pieces)
    assert tally.split > 0.3 * (tally.found + tally.missed)
    assert tally.causes["part of a leg movement"] > 0


def test_false_finds_are_named_by_what_they_lie_on(night):
    m = night.truth.movements
    others = m.take(m.kind != LEG_MOVEMENT)
    as_finds = replace(
        others,
        kind=np.full(len(others), LEG_MOVEMENT, np.int8),
        duration_ms=np.minimum(others.duration_ms, 5000),
    )
    finds = {side: as_finds.take(as_finds.side == SIDES.index(side)) for side in night.sensors}
    causes = judge(night, finds).causes
    assert {"posture shift", "other leg's shake"} <= set(causes)
    assert "nothing" not in causes


def lying(seconds, seed=0):
    """A still leg: gravity along z and 2 mg of noise."""
    rng = np.random.default_rng(seed)
    return np.array([0.0, 0.0, 1.0]) + 0.002 * rng.standard_normal((int(seconds * FS), 3))


def kicked(height_g, start_s=60.0, length_s=2.0, seconds=200):
    """The same, with a swing of 4 Hz for two seconds."""
    signal = lying(seconds)
    at = np.arange(len(signal)) / FS - start_s
    during = (at >= 0) & (at < length_s)
    signal[during, 0] += height_g * np.sin(2 * np.pi * 4.0 * at[during])
    return signal


@pytest.mark.parametrize("name", PEERS)
def test_published_detectors_find_nothing_at_rest(name):
    onset, duration = PEERS[name](lying(300), FS)
    assert len(onset) == len(duration) == 0


@pytest.mark.parametrize("name", PEERS)
def test_published_detectors_find_a_clear_movement_once(name):
    # Pendulum takes what exceeds five times its threshold for a movement of the whole body.
    height = 0.08 if name.startswith("Pendulum") else 0.6
    onset, duration = PEERS[name](kicked(height), FS)
    assert len(onset) == 1
    assert onset[0] == pytest.approx(60.0, abs=0.3)
    assert duration[0] == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(
    ("detect", "below_g", "above_g"),
    [(pam_rl, 0.15, 0.3), (resteaze, 0.12, 0.25), (sicbaldi, 0.008, 0.03)],
)
def test_published_thresholds_hold(detect, below_g, above_g):
    assert len(detect(kicked(below_g), FS)[0]) == 0
    assert len(detect(kicked(above_g), FS)[0]) == 1


def test_pendulum_leaves_out_changes_of_posture():
    signal = lying(200)
    turn = np.clip((np.arange(len(signal)) / FS - 60.0) / 2.0, 0, 1) * np.deg2rad(60)
    signal[:, 0] += np.sin(turn)
    signal[:, 2] += np.cos(turn) - 1
    assert len(pendulum(signal, FS)[0]) == 0
