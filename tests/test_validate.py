"""Two scorings of the same nights: matching, clocks, agreement on indices, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from rlsmove.agreement.event_agreement import agree_on_events, clock_shift, matched, shifted
from rlsmove.agreement.index_agreement import agree_on_index, icc_2_1
from rlsmove.agreement.night_scorings import read_scored_nights
from rlsmove.agreement.validation import validate
from rlsmove.cli import main
from rlsmove.errors import ResultError
from rlsmove.events.labels import read_label_table
from rlsmove.report.agreement_plots import write_agreement_plots
from rlsmove.rules import WASM_2016

HEADER = "kind,label,onset_s,duration_s\n"

# Matching


def times(*seconds: float) -> np.ndarray:
    return np.array([round(second * 1000) for second in seconds], np.int64)


def test_a_movement_is_matched_once():
    mine, theirs = matched(times(10), times(9.8, 10.1), 500)
    assert mine.tolist() == [0]
    assert theirs.tolist() == [1]


def test_the_tolerance_itself_still_matches():
    assert len(matched(times(10), times(10.5), 500)[0]) == 1
    assert len(matched(times(10), times(10.501), 500)[0]) == 0


def test_as_many_pairs_as_can_be_go_before_the_closest_pair():
    mine, theirs = matched(times(10, 10.4), times(10.4, 10.8), 500)
    assert list(zip(mine, theirs, strict=True)) == [(0, 0), (1, 1)]


@settings(max_examples=200, deadline=None)
@given(
    one=st.lists(st.integers(0, 400), max_size=9),
    other=st.lists(st.integers(0, 400), max_size=9),
    tolerance=st.integers(1, 60),
)
def test_matching_is_as_good_as_the_best_assignment(one, other, tolerance):
    one, other = (np.array(sorted(values), np.int64) for values in (one, other))
    mine, theirs = matched(one, other, tolerance)
    assert len(set(mine.tolist())) == len(mine)
    assert len(set(theirs.tolist())) == len(theirs)
    apart = np.abs(one[mine] - other[theirs])
    assert np.all(apart <= tolerance)
    distance = np.abs(one[:, None] - other[None, :])
    # A pair gains more than all distances together can cost, so that pairs go first.
    gain = np.where(distance <= tolerance, 10_000 - distance, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    assert 10_000 * len(mine) - apart.sum() == gain[rows, columns].sum()


def test_precision_recall_and_f1_of_a_counted_case():
    reference = (times(10, 30, 50, 70), times(12, 32, 52, 72))
    test = (times(10.1, 30, 90), times(12.3, 31, 92))
    agreement = agree_on_events(reference, test, 0.5)
    assert agreement.n_matched == 2
    assert agreement.precision == 2 / 3
    assert agreement.recall == 1 / 2
    assert agreement.f1 == pytest.approx(4 / 7)
    assert agreement.onset_error_s.tolist() == [0.1, 0]
    assert agreement.offset_error_s.tolist() == [0.3, -1]


def test_nothing_against_nothing_has_no_score():
    agreement = agree_on_events((times(), times()), (times(), times()), 0.5)
    assert (agreement.precision, agreement.recall, agreement.f1) == (None, None, None)


# Clocks


def random_night(seed: int, count: int = 400) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.cumsum(random.integers(8_000, 90_000, count)).astype(np.int64)


@pytest.mark.parametrize(
    ("offset_s", "drift_ppm"), [(12.34, 0), (-41.5, 0), (3.0, 42), (-0.2, -50), (59, 20)]
)
def test_a_clock_that_is_off_is_found_and_set_right(offset_s, drift_ppm):
    reference = random_night(1)
    random = np.random.default_rng(2)
    heard = reference[random.random(len(reference)) < 0.7]
    added = np.sort(random.integers(0, reference[-1], 80))
    true = np.sort(np.concatenate([heard + random.integers(-100, 100, len(heard)), added]))
    test = np.rint((true - offset_s * 1000) * (1 - drift_ppm * 1e-6)).astype(np.int64)
    shift = clock_shift(reference, test, 0.5)
    assert shift.sure
    assert shift.offset_s == pytest.approx(offset_s, abs=0.15)
    assert shift.drift_ppm == pytest.approx(drift_ppm, abs=10)
    assert np.max(np.abs(shifted(test, int(test[0]), shift) - true)) < 250


def test_a_regular_series_alone_does_not_tell_the_shift():
    regular = np.arange(100, dtype=np.int64) * 25_000
    assert not clock_shift(regular, regular + 3_000, 0.5).sure


def test_unrelated_scorings_share_no_clock():
    assert not clock_shift(random_night(1), random_night(2), 0.5).sure
    assert not clock_shift(random_night(1), times(), 0.5).sure


def test_a_bias_within_the_tolerance_is_left_to_the_onset_error():
    reference = random_night(3)
    shift = clock_shift(reference, reference + 200, 0.5)
    assert shift == (0, 0, True)


def test_a_clock_hours_away_is_found():
    reference = random_night(4)
    shift = clock_shift(reference, reference - 7_265_000, 0.5)
    assert shift.sure
    assert shift.offset_s == pytest.approx(7265, abs=0.1)


def test_lists_of_one_clock_are_believed_where_movements_fit_it_though_they_fit_elsewhere():
    regular = np.arange(100, dtype=np.int64) * 25_000
    assert clock_shift(regular, regular + 200, 0.5) == (0, 0, True)


# Indices


def test_icc_is_that_of_the_published_example():
    # Shrout and Fleiss 1979, table 2; ICC(2,1) = .29, interval by McGraw and Wong .02 to .76.
    ratings = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
    )
    icc, low, high = icc_2_1(ratings)
    assert icc == pytest.approx(0.2898, abs=5e-5)
    assert low == pytest.approx(0.0188, abs=5e-5)
    assert high == pytest.approx(0.7611, abs=5e-5)


def test_bland_altman_of_a_counted_case():
    agreement = agree_on_index(np.array([10.0, 20, 30, 40]), np.array([11.0, 20, 33, 44]))
    assert agreement.bias == 2
    assert agreement.sd == pytest.approx(np.sqrt(10 / 3))
    assert agreement.limits_high == pytest.approx(2 + 1.96 * np.sqrt(10 / 3), abs=1e-3)
    assert agreement.bias_low == pytest.approx(2 - 3.18245 * np.sqrt(10 / 3) / 2, abs=1e-4)


def test_equal_values_agree_wholly_and_constant_ones_say_nothing():
    values = np.array([1.0, 5, 9, 3])
    assert agree_on_index(values, values).icc == 1
    assert agree_on_index(np.full(4, 2.0), np.full(4, 2.0)).icc is None
    assert agree_on_index(values[:1], values[:1]).sd is None


def test_icc_minds_a_shift_of_one_scorer():
    values = np.array([1.0, 5, 9, 3, 7])
    icc, low, high = icc_2_1(np.column_stack([values, values + 4]))
    assert icc < 0.7
    assert low < icc < high


# The command


def night_csv(onsets: np.ndarray, *, hours: int = 4) -> str:
    rows = [f"stage,N2,{second},30\n" for second in range(0, hours * 3600, 30)]
    rows += [f"lm,left,{onset / 1000},2\n" for onset in onsets]
    return HEADER + "".join(rows)


def scored(folder: Path, name: str, onsets: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(night_csv(onsets))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


@pytest.fixture
def two_folders(tmp_path) -> tuple[Path, Path]:
    for seed in range(5):
        onsets = random_night(seed, 120 + 40 * seed)
        onsets = onsets[onsets < 4 * 3_600_000]
        scored(tmp_path / "hand", f"n{seed}.csv", onsets)
        kept = onsets[np.random.default_rng(seed).random(len(onsets)) < 0.9]
        scored(tmp_path / "test", f"n{seed}.csv", kept + 5_000)
    return tmp_path / "hand", tmp_path / "test"


def test_folders_are_matched_by_name_clocks_set_right_and_everything_written(two_folders, tmp_path):
    hand, test = two_folders
    scored(hand, "alone.csv", random_night(9))
    result = run(hand, test, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert [night["name"] for night in record["nights"]] == ["n0", "n1", "n2", "n3", "n4"]
    for night in record["nights"]:
        assert night["clock"]["offset_s"] == pytest.approx(-5, abs=0.01)
        assert night["events"]["lm"]["precision"] == 1
        assert 0.8 < night["events"]["lm"]["recall"] < 1
    pooled = record["events"]["lm"]
    assert pooled["matched"] == sum(night["events"]["lm"]["matched"] for night in record["nights"])
    assert record["indices"]["plms_per_hour"]["n"] == 5
    assert record["indices"]["lm_count"]["bias"] < 0
    assert "night_alone" in result.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"validation.json", "errors.png", "index_plms_per_hour.png"} <= written
    assert json.loads((tmp_path / "out" / "validation.json").read_text()) == record


def test_the_table_names_nights_and_indices(two_folders):
    result = run(*two_folders)
    assert result.exit_code == 0
    assert "5 nights, onsets within 0.5 s" in result.stdout
    assert "plms_per_hour" in result.stdout
    assert "-5.000" in result.stdout


def test_clocks_are_left_alone_where_asked(two_folders):
    result = run(*two_folders, "--no-align", "--json")
    assert json.loads(result.stdout)["events"]["lm"]["matched"] == 0


def test_a_scoring_agrees_with_itself_through_every_format(tmp_path):
    path = scored(tmp_path / "a", "night.csv", random_night(4, 150))
    edf, out = tmp_path / "night.edf", tmp_path / "result"
    from rlsmove.events.event_lists import convert_events

    convert_events(path, edf)
    assert CliRunner().invoke(main, ["score", str(path), "--out", str(out)]).exit_code == 0
    for other in (edf, out, out / "movements.csv"):
        record = json.loads(run(path, other, "--json").stdout)
        assert record["events"]["lm"]["f1"] == 1
        assert record["nights"][0]["clock"] == {"offset_s": 0, "drift_ppm": 0, "sure": True}
        indices = record["nights"][0]["indices"]["plms_per_hour"]
        assert indices["test"] == pytest.approx(indices["reference"], abs=1e-6)


def test_cases_are_matched_by_name(tmp_path):
    rows = night_csv(random_night(4, 150)).splitlines()[1:]
    text = "case," + HEADER + "".join(f"{case},{row}\n" for case in "ab" for row in rows)
    (tmp_path / "events.csv").write_text(text)
    out = tmp_path / "out"
    CliRunner().invoke(main, ["score", str(tmp_path / "events.csv"), "--out", str(out)])
    record = json.loads(run(tmp_path / "events.csv", out, "--json").stdout)
    assert [night["name"] for night in record["nights"]] == ["a", "b"]
    assert record["events"]["plm"]["f1"] == 1


def test_svg_plots_have_the_same_bytes_each_time(two_folders, tmp_path):
    nights = [read_scored_nights(folder, WASM_2016, read_label_table()) for folder in two_folders]
    whole = validate(*nights, tolerance_s=0.5)
    few = replace(whole, indices={"lm_count": whole.indices["lm_count"]})
    one, two = (write_agreement_plots(few, tmp_path / name, "svg") for name in ("one", "two"))
    assert [path.name for path in one] == ["errors.svg", "index_lm_count.svg"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize(
    "text",
    [
        "onset_s,duration_s,n_monolateral,plm\n1,1,1,1\n",
        "onset_s,duration_s,kind,n_monolateral,clm,plm\nx,1,leg_movement,1,1,1\n",
        "onset_s,duration_s,kind,n_monolateral,clm,plm\n1,1,hop,1,1,1\n",
        "onset_s,duration_s,kind,n_monolateral,clm,plm\n1,1\n",
        "onset_s,duration_s,kind,n_monolateral,clm,plm\nnan,1,leg_movement,1,1,1\n",
    ],
)
def test_a_damaged_movements_csv_is_refused_with_its_row(tmp_path, text):
    path = tmp_path / "movements.csv"
    path.write_text(text)
    with pytest.raises(ResultError, match="row"):
        read_scored_nights(path, WASM_2016, read_label_table())


def test_what_cannot_be_compared_ends_with_code_1_in_words(tmp_path):
    path = scored(tmp_path / "a", "night.csv", random_night(1))
    (tmp_path / "empty").mkdir()
    for other, words in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path / "empty", "no event list"),
    ):
        result = run(path, other)
        assert result.exit_code == 1
        assert words in result.stderr
    scored(tmp_path / "b", "x.csv", random_night(1))
    scored(tmp_path / "b", "y.csv", random_night(1))
    scored(tmp_path / "a", "z.csv", random_night(1))
    result = run(tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 1
    assert "no night is in both" in result.stderr


def test_wrong_usage_ends_with_code_2(tmp_path):
    assert run(tmp_path).exit_code == 2
    assert run(tmp_path, tmp_path, "--tolerance", "0").exit_code == 2


def test_help_has_an_example():
    result = run("--help")
    assert result.exit_code == 0
    assert "Example: rlsmove validate" in result.stdout
