"""Comparisons of one person and of a cohort, from plain tables."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.comparison.cohort import compare_cohort, holm, pool
from rlsmove.comparison.comparison import compare_table
from rlsmove.comparison.person import VERDICTS, verdict
from rlsmove.comparison.person_nights import Settings
from rlsmove.comparison.wording import change, change_range

HEADER = "participant_id,night,condition,block,count,hours\n"


def row(person, night, massage, block, count, hours=7.0):
    return f"{person},{night},{'massage' if massage else 'control'},{block},{count},{hours}\n"


def table(path, rows):
    path.write_text(HEADER + "".join(rows))
    return path


def pairs_of(person, counts, order=None):
    """Rows of (massage, control) counts, a pair each, in the order given (massage first is 1)."""
    rows = []
    for pair, (massage, control) in enumerate(counts):
        first = 1 if order is None else order[pair]
        nights = [(1, massage), (0, control)] if first else [(0, control), (1, massage)]
        for place, (is_massage, count) in enumerate(nights):
            rows.append(row(person, 2 * pair + place + 1, is_massage, pair + 1, count))
    return rows


SEVEN = [(70, 140), (60, 150), (90, 120), (50, 130), (80, 100), (66, 144), (72, 125)]


def test_estimate_is_the_shift_that_level_trend_and_carry_over_leave(tmp_path):
    order = [1, 0, 0, 1, 0, 1, 1]
    result, problems = compare_table(
        table(tmp_path / "n.csv", pairs_of("P1", SEVEN, order)), "pairs"
    )
    person = result["persons"]["P1"]
    massage = np.array([m for first in order for m in ((1, 0) if first else (0, 1))])
    counts = np.array([n for (m, c), first in zip(SEVEN, order, strict=True)
                       for n in ((m, c) if first else (c, m))])  # fmt: skip
    night = np.arange(14)
    weight = np.linalg.inv(0.3 ** np.abs(night[:, None] - night))
    columns = np.column_stack([massage, np.ones(14), night])
    fit = np.linalg.solve(columns.T @ weight @ columns, columns.T @ weight @ np.log(counts + 0.5))
    assert problems == []
    assert person["ratio"] == pytest.approx(math.exp(fit[0]), abs=1e-6)
    assert person["p"] == person["p_minimum"] == pytest.approx(2 / 128, abs=1e-6)
    assert person["verdict"] == "fewer"
    assert (person["nights_massage"], person["nights_control"]) == (7, 7)
    assert person["ratio_high"] < 1
    assert result["cohort"] is None


def test_keys_are_those_of_the_contract(tmp_path):
    rows = pairs_of("P1", SEVEN) + pairs_of("P2", SEVEN[:3])
    result, _ = compare_table(table(tmp_path / "n.csv", rows), "pairs")
    assert {"persons", "cohort", "claims", "sensitivity", "plan", "provenance"} <= result.keys()
    shared = {"ratio", "ratio_low", "ratio_high", "p", "verdict"}
    shared |= {"anytime"}
    own = {"p_minimum", "nights_massage", "nights_control", "nights_missing", "excluded"}
    own |= {f"nights_needed{end}" for end in ("", "_low", "_high")}
    own |= {f"ratio_with_others{end}" for end in ("", "_low", "_high")}
    for person in result["persons"].values():
        assert shared | own <= person.keys()
        assert person["verdict"] in VERDICTS
    cohort = {"any_effect_p", "persons", "prediction_low", "prediction_high", "spread"}
    assert shared | cohort <= result["cohort"].keys()
    anytime = {"p", "ratio_low", "ratio_high", "decided_after", "path"}
    assert anytime <= result["cohort"]["anytime"].keys()
    assert isinstance(result["complete"], bool)


def test_hours_count_as_much_as_counts(tmp_path):
    """Twice the count in twice the hours is the same rate, but for the half that is added."""
    rows = []
    for pair in range(7):
        rows.append(row("P1", 2 * pair, 1, pair, 4000, 8))
        rows.append(row("P1", 2 * pair + 1, 0, pair, 2000, 4))
    result, _ = compare_table(table(tmp_path / "n.csv", rows), "pairs")
    assert result["persons"]["P1"]["ratio"] == pytest.approx(1.0, abs=1e-3)


def test_order_of_rows_changes_nothing(tmp_path):
    rows = pairs_of("P1", SEVEN, [1, 0, 0, 1, 0, 1, 1])
    one, _ = compare_table(table(tmp_path / "a.csv", rows), "pairs")
    rows = np.random.default_rng(1).permutation(rows).tolist()
    other, _ = compare_table(table(tmp_path / "b.csv", rows), "pairs")
    assert one["persons"] == other["persons"]


def test_same_seed_gives_the_same_result_and_another_seed_nearly_so(tmp_path):
    rng = np.random.default_rng(2)
    arms = rng.permutation([0, 1] * 15)
    path = table(
        tmp_path / "n.csv",
        [row("P1", i, arm, 1, rng.poisson(100 - 5 * arm)) for i, arm in enumerate(arms)],
    )
    one, again, other = (compare_table(path, "free", seed=seed)[0] for seed in (5, 5, 6))
    assert one == again
    p, q = one["persons"]["P1"]["p"], other["persons"]["P1"]["p"]
    assert p != q
    assert p == pytest.approx(q, abs=0.01)


def test_swapped_conditions_give_the_inverse_ratio(tmp_path):
    rows = pairs_of("P1", SEVEN)
    other_way = {"massage": "control", "control": "massage"}
    swapped = [re.sub("massage|control", lambda found: other_way[found[0]], one) for one in rows]
    one, _ = compare_table(table(tmp_path / "a.csv", rows), "pairs")
    other, _ = compare_table(table(tmp_path / "b.csv", swapped), "pairs")
    fewer, more = one["persons"]["P1"], other["persons"]["P1"]
    assert more["verdict"] == "more"
    assert more["p"] == fewer["p"]
    assert more["ratio"] == pytest.approx(1 / fewer["ratio"], abs=1e-5)
    assert more["ratio_low"] == pytest.approx(1 / fewer["ratio_high"], abs=1e-5)


@pytest.mark.parametrize("scheme", ["pairs", "blocks", "free"])
def test_pairs_are_blocks_of_two_and_free_is_one_block(tmp_path, scheme):
    path = table(tmp_path / "n.csv", pairs_of("P1", SEVEN, [1, 0, 0, 1, 0, 1, 1]))
    person = compare_table(path, scheme)[0]["persons"]["P1"]
    assert person["assignments"] == {"pairs": 128, "blocks": 128, "free": 3432}[scheme]


def test_blocks_are_shuffled_within(tmp_path):
    arms = [1, 0, 0, 1, 0, 0, 0, 1, 0]
    rows = [row("P1", i, arm, i // 3, 90 - 30 * arm + i) for i, arm in enumerate(arms)]
    person = compare_table(table(tmp_path / "n.csv", rows), "blocks")[0]["persons"]["P1"]
    # Blocks of 1 in 3, 1 in 3 and 1 in 3: 27 ways.
    assert person["assignments"] == 27


def test_whole_blocks_of_one_condition_are_the_units(tmp_path):
    rows = [row("P1", i, (i // 2) % 2, i // 2, 100 + i) for i in range(16)]
    result, problems = compare_table(table(tmp_path / "n.csv", rows), "blocks")
    assert result["persons"]["P1"]["assignments"] == 70
    assert problems[0].only_notice
    assert "whole blocks" in str(problems[0])


def test_unrandomized_nights_get_an_estimate_and_no_p(tmp_path):
    rows = pairs_of("P1", SEVEN) + pairs_of("P2", SEVEN)
    result, _ = compare_table(table(tmp_path / "n.csv", rows), "none")
    for part in (*result["persons"].values(), result["cohort"]):
        assert part["ratio"] < 1
        assert part["p"] is None
        assert part["ratio_low"] is None
        assert part["verdict"] == "cannot_tell"
        assert "before and after, not a test" in part["sentence"]
    assert all(row["p"] is None for row in result["claims"])
    assert all(row["p"] is None for row in result["sensitivity"])


def test_every_night_is_compared_or_has_its_reason(tmp_path):
    rows = pairs_of("P1", SEVEN)
    rows[0] = row("P1", 1, 1, 1, 70, 0)
    rows[2] = row("P1", 3, 1, 2, 60, "")
    rows[5] = row("P1", 6, 0, 3, 120, 1.5)
    rows[6] = row("P1", 7, 1, 4, "", 7)
    person = compare_table(table(tmp_path / "n.csv", rows), "pairs")[0]["persons"]["P1"]
    reasons = {entry["night"]: entry["reason"] for entry in person["excluded"]}
    assert reasons == {
        "1": "no hours were recorded",
        "3": "the hours are missing",
        "6": "1.5 h, fewer than the 3 h that a night must have",
        "7": "the count is missing",
    }
    assert person["nights_massage"] + person["nights_control"] + len(reasons) == 14
    assert person["nights_missing"] == 4
    assert person["assignments"] == 128


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (pairs_of("P1", [(0, 0)] * 7), "too few movements: 0 in 14 nights"),
        ([row("P1", i, 1, i, 50) for i in range(6)], "no control night"),
        ([row("P1", i, 0, i, 50) for i in range(6)], "no massage night"),
        ([row("P1", i, i % 2, 1, 50, 0.1) for i in range(6)], "no night has a usable result"),
        (
            [row("P1", i, i % 2, 1, 50, 7 * (i % 2)) for i in range(6)],
            "no control night has a usable result",
        ),
    ],
)
def test_what_cannot_be_compared_says_why_and_the_rest_is(tmp_path, rows, reason):
    path = table(tmp_path / "n.csv", rows + pairs_of("P2", SEVEN) + pairs_of("P3", SEVEN))
    result, _ = compare_table(path, "blocks")
    person = result["persons"]["P1"]
    assert person["ratio"] is None
    assert person["p"] is None
    assert person["verdict"] == "cannot_tell"
    assert reason in person["sentence"]
    assert result["persons"]["P2"]["verdict"] == "fewer"
    assert result["cohort"]["persons"] == 2
    assert reason in result["cohort"]["left_out"][0]["reason"]


def test_two_nights_cannot_tell(tmp_path):
    person = compare_table(table(tmp_path / "n.csv", pairs_of("P1", [(70, 140)])), "pairs")[0][
        "persons"
    ]["P1"]
    assert person["p"] == person["p_minimum"] == 1.0
    assert person["verdict"] == "cannot_tell"
    assert "no result could go below" in person["sentence"]
    assert person["ratio_low"] is None


def test_more_nights_are_asked_for_where_nothing_can_be_told(tmp_path):
    noisy = [(60, 140), (150, 60), (90, 120), (130, 50), (80, 100), (166, 44), (72, 125)]
    person = compare_table(table(tmp_path / "n.csv", pairs_of("P1", noisy)), "pairs")[0]["persons"][
        "P1"
    ]
    assert person["verdict"] == "cannot_tell"
    assert 14 < person["nights_needed_low"] <= person["nights_needed"]
    assert f"{person['nights_needed']} nights in all" in person["sentence"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.5, 0.9, "fewer"),
        (1.1, 2.0, "more"),
        (0.5, 1.2, "cannot_tell"),
        (0.85, 1.2, "no_worthwhile_difference"),
        (0.85, 0.95, "no_worthwhile_difference"),
        (0.79, 0.95, "fewer"),
        (1.05, 1.26, "more"),
        (0.85, 1.26, "cannot_tell"),
        (0.0, math.inf, "cannot_tell"),
    ],
)
def test_verdicts(low, high, words):
    with np.errstate(divide="ignore"):
        assert verdict(float(np.log(low)), float(np.log(high)), margin=0.8) == words


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=9),
    st.lists(st.booleans(), min_size=9, max_size=9),
)
@settings(max_examples=60, deadline=None)
def test_verdict_p_and_interval_never_contradict(tmp_path_factory, counts, order):
    path = table(tmp_path_factory.mktemp("t") / "n.csv", pairs_of("P1", counts, order))
    person = compare_table(path, "pairs")[0]["persons"]["P1"]
    if person["p"] is None:
        assert sum(map(sum, counts)) < 10
        return
    low = person["ratio_low"] if person["ratio_low"] is not None else 0.0
    high = person["ratio_high"] if person["ratio_high"] is not None else math.inf
    assert low <= person["ratio"] <= high
    assert (person["p"] <= 0.05) == (not low <= 1 <= high)
    if person["verdict"] == "fewer":
        assert high < 1
    if person["verdict"] == "more":
        assert low > 1
    if person["verdict"] == "cannot_tell":
        assert person["p"] > 0.05
    assert person["p"] >= person["p_minimum"]


def test_trend_carry_over_and_correlation_are_found(tmp_path):
    """A trend of 10 % a night, and 30 % fewer on the night after a massage, without noise."""
    arms = np.random.default_rng(3).permutation([0, 1] * 10)
    rows = []
    for i, arm in enumerate(arms):
        before = arms[i - 1] if i else 0
        rate = 10_000 * 1.1**i * 0.5**arm * 0.7**before
        rows.append(row("P1", i, arm, 1, round(7 * rate)))
    person = compare_table(table(tmp_path / "n.csv", rows), "free")[0]["persons"]["P1"]
    assert person["carry_over"] == pytest.approx(0.7, abs=0.01)
    assert person["trend_per_week"] == pytest.approx(1.1**7, rel=0.1)

    rng = np.random.default_rng(4)
    noise = np.zeros(200)
    for i in range(1, 200):
        noise[i] = 0.6 * noise[i - 1] + rng.normal(0, 0.4)
    arms = rng.permutation([0, 1] * 100)
    rows = [row("P1", i, arm, 1, round(7000 * math.exp(noise[i]))) for i, arm in enumerate(arms)]
    person = compare_table(table(tmp_path / "n.csv", rows), "free")[0]["persons"]["P1"]
    assert person["serial_correlation"] == pytest.approx(0.6, abs=0.12)


def test_the_trend_is_held_fixed(tmp_path):
    arms = np.random.default_rng(3).permutation([0, 1] * 8)
    rows = [row("P1", i, a, 1, round(7e5 * 1.2**i * 0.8**a)) for i, a in enumerate(arms)]
    person = compare_table(table(tmp_path / "n.csv", rows), "free")[0]["persons"]["P1"]
    assert person["ratio"] == pytest.approx(0.8, abs=1e-3)
    assert person["ratio_low"] == pytest.approx(0.8, abs=1e-3)


def test_short_nights_are_dropped_in_the_analysis_that_says_so(tmp_path):
    rows = pairs_of("P1", SEVEN)
    rows[0] = row("P1", 1, 1, 1, 70, 4.0)
    result, _ = compare_table(table(tmp_path / "n.csv", rows), "pairs")
    dropped = next(r for r in result["sensitivity"] if r["analysis"] == "short_nights_dropped")
    rows[0] = row("P1", 1, 1, 1, "n/a", 4.0)
    without, _ = compare_table(table(tmp_path / "m.csv", rows), "pairs")
    assert dropped["ratio"] == pytest.approx(without["persons"]["P1"]["ratio"], abs=1e-6)
    assert result["persons"]["P1"]["nights_massage"] == 7


# Cohorts.


def test_cohort_is_one_number_a_person(tmp_path):
    """Equal weight for a person with three pairs and one with nine."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(7):
        counts = rng.poisson(120, (3 + number, 2)) * np.array([0.8, 1])
        order = rng.integers(0, 2, 10).tolist()
        rows += pairs_of(f"P{number}", counts.astype(int).tolist(), order)
    result, _ = compare_table(table(tmp_path / "n.csv", rows), "pairs")
    shifts = [math.log(person["ratio"]) for person in result["persons"].values()]
    cohort = result["cohort"]
    walsh = [(shifts[i] + shifts[j]) / 2 for i in range(7) for j in range(i, 7)]
    assert cohort["ratio"] == pytest.approx(math.exp(np.median(walsh)), abs=1e-5)
    assert cohort["persons"] == 7
    assert cohort["p"] * 128 == pytest.approx(round(cohort["p"] * 128), abs=1e-3)
    assert 0 < cohort["any_effect_p"] < 0.05
    for person in result["persons"].values():
        low, high = person["ratio_with_others_low"], person["ratio_with_others_high"]
        assert low < person["ratio_with_others"] < high


def test_interval_of_a_cohort_agrees_with_its_p_and_holds_its_estimate():
    rng = np.random.default_rng(6)
    for _ in range(300):
        n = int(rng.integers(2, 20))
        found = pool(rng.normal(rng.normal(0, 0.4), 0.5, n) * rng.exponential(1, n), seed=1)
        assert (found.low <= 0 <= found.high) == (found.p > 0.05)
        assert found.low <= found.center <= found.high


def test_five_persons_cannot_reach_the_level():
    found = pool(np.array([-1.0, -1.1, -1.2, -1.3, -0.9]), seed=1)
    assert found.p == found.p_minimum == 2 / 32
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_spread_between_persons_is_told_from_noise(tmp_path):
    rng = np.random.default_rng(7)

    def spread(sd, name):
        rows = []
        for number in range(60):
            effect = rng.normal(-0.3, sd)
            counts = [
                (rng.poisson(9e3 * math.exp(a + effect)), rng.poisson(9e3 * math.exp(b)))
                for a, b in rng.normal(0, 0.3, (7, 2))
            ]
            rows += pairs_of(f"P{number}", counts)
        return compare_table(table(tmp_path / name, rows), "pairs")[0]["cohort"]

    alike, unlike = spread(0.0, "a.csv"), spread(0.5, "b.csv")
    assert alike["spread"] < 0.12
    assert unlike["spread"] == pytest.approx(0.5, abs=0.12)
    # One more person of the second kind lies within two SD of -0.3, 19 times in 20.
    assert math.log(unlike["prediction_low"]) == pytest.approx(-0.3 - 2 * 0.5, abs=0.3)
    assert math.log(unlike["prediction_high"]) == pytest.approx(-0.3 + 2 * 0.5, abs=0.3)
    for cohort in (alike, unlike):
        assert cohort["prediction_low"] < cohort["ratio_low"]
        assert cohort["ratio_high"] < cohort["prediction_high"]


def test_period_and_sequence_effects_are_found(tmp_path):
    """The second night of a pair has 30 % more; pairs that began with massage 20 % more."""
    rng = np.random.default_rng(8)
    rows = []
    for number in range(10):
        for pair in range(8):
            first = int(rng.integers(0, 2))
            for place in range(2):
                massage = first if place == 0 else 1 - first
                rate = 9000 * 0.7**massage * 1.3**place * 1.2**first
                rows.append(row(f"P{number}", 2 * pair + place, massage, pair, round(rate)))
    cohort = compare_table(table(tmp_path / "n.csv", rows), "pairs")[0]["cohort"]
    assert cohort["period_effect"]["ratio"] == pytest.approx(1.3, abs=0.01)
    assert cohort["sequence_effect"]["ratio"] == pytest.approx(1.2, abs=0.02)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_nobody_to_take_together_gives_no_cohort_result():
    assert compare_cohort([], Settings()).pooled is None


def test_changes_in_words():
    assert change(0.69) == "31 % fewer"
    assert change(1.25) == "25 % more"
    assert change(1.001) == "no change"
    assert change_range(0.64, 0.93) == "7 to 36 % fewer"
    assert change_range(1.1, 1.5) == "10 to 50 % more"
    assert change_range(0.8, 1.3) == "20 % fewer to 30 % more"
