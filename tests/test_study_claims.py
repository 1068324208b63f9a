"""The claims: each asked of nights that hold its answer, or said why not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rlsmove.comparison.claims import CLAIMS, answer_claims
from rlsmove.comparison.cohort import compare_cohort
from rlsmove.comparison.models import INSTALL, fit_models
from rlsmove.comparison.person import compare_person
from rlsmove.comparison.person_nights import ComparedNight, PersonNights, Settings
from rlsmove.study.folder import Arm

ARMS = (Arm("massage", True), Arm("control", False))
SETTINGS = Settings()
HOURS = 7.0


def person(name, arms_of_nights, of_night, *, arms=ARMS, block=2, about=None, scheme="pairs"):
    """A person whose night `i` with arm `a` has what `of_night(i, a)` gives."""
    nights = []
    for i, arm in enumerate(arms_of_nights):
        given = {"rate": 100.0, "diary": {}, "indices": {}, "left": {}, "right": {}}
        given |= of_night(i, arm)
        nights.append(
            ComparedNight(
                night=str(i),
                day=i,
                arm=arm,
                block=i // block,
                period=i,
                received=given.get("received", arm),
                count=HOURS * given["rate"],
                hours=HOURS,
                diary=given["diary"],
                indices=given["indices"],
                left=given["left"],
                right=given["right"],
            )
        )
    return PersonNights(name, scheme, arms, tuple(nights), about=about or {})


def answered(*persons):
    compared = [compare_person(p, SETTINGS) for p in persons]
    cohort = compare_cohort(compared, SETTINGS) if len(persons) > 1 else None
    return {row["code"]: row for row in answer_claims(compared, cohort, SETTINGS)}


def shuffled(seed, pairs=8):
    rng = np.random.default_rng(seed)
    return [int(a) for _ in range(pairs) for a in rng.permutation([0, 1])]


def cohort_of(n, of_night, **options):
    return [person(f"P{i}", shuffled(i), of_night, **options) for i in range(n)]


def test_every_claim_has_a_row_and_says_what_it_needs():
    rows = answered(person("P1", shuffled(1), lambda i, a: {}))
    assert list(rows) == [f"C{i}" for i in range(1, 19)] == [claim.code for claim in CLAIMS]
    for row in rows.values():
        if row["status"] == "not_testable":
            assert row["sentence"] == f"not testable here: needs {row['needs']}"
            assert row["estimate"] is None


def test_the_primary_comparison_is_no_part_of_the_family():
    people = cohort_of(8, lambda i, a: {"rate": 100 * (0.5 if a == 0 else 1) + i})
    rows = answered(*people)
    compared = [compare_person(p, SETTINGS) for p in people]
    pooled = compare_cohort(compared, SETTINGS).pooled
    assert pooled is not None
    assert rows["C1"]["status"] == "primary"
    assert rows["C1"]["p"] == pooled.p
    assert rows["C1"]["estimate"] == pytest.approx(math.exp(pooled.center))
    assert rows["C1"]["p_adjusted"] is None


def test_the_family_is_adjusted_by_holm():
    rng = np.random.default_rng(1)

    def night(i, a):
        return {
            "diary": {
                "soreness": 3.0 - a + rng.normal(),
                "stress": 5.0 + rng.normal(),
                "partner_rating": 5.0 + rng.normal(),
            }
        }

    rows = answered(*cohort_of(9, night))
    family = [row for row in rows.values() if row["status"] == "secondary"]
    assert {row["code"] for row in family} >= {"C12", "C17", "C18"}
    smallest = min(family, key=lambda row: row["p"])
    assert smallest["p_adjusted"] == pytest.approx(min(1, len(family) * smallest["p"]))
    assert all(row["p_adjusted"] >= row["p"] for row in family)


@pytest.mark.parametrize(
    ("code", "column"), [("C12", "soreness"), ("C17", "stress"), ("C18", "partner_rating")]
)
def test_ratings_are_contrasted_between_conditions(code, column):
    row = answered(
        person("P1", shuffled(1), lambda i, a: {"diary": {column: 6.0 if a == 0 else 4.0}})
    )[code]
    assert row["status"] == "secondary"
    assert (row["scale"], row["estimate"]) == ("difference", pytest.approx(2.0))
    assert row["p"] == 2 / 256


@pytest.mark.parametrize(
    ("code", "name"), [("C3", "sleep_onset_latency_min"), ("C4", "sleep_efficiency")]
)
def test_sleep_is_contrasted_between_conditions(code, name):
    row = answered(
        person("P1", shuffled(1), lambda i, a: {"indices": {name: 12.0 if a == 0 else 20.0}})
    )[code]
    assert row["outcome"] == name
    assert row["estimate"] == pytest.approx(-8.0)


def test_a_diary_stands_in_where_the_sensor_has_nothing():
    row = answered(
        person("P1", shuffled(1), lambda i, a: {"diary": {"diary_sol_min": 10.0 + 5 * a}})
    )["C3"]
    assert (row["outcome"], row["estimate"]) == ("diary_sol_min", pytest.approx(-5.0))


def test_further_rates_are_ratios():
    def night(i, a):
        return {"indices": {"lm_count": 700.0 * (1 + a), "tib_hours": 7.0}}

    row = answered(person("P1", shuffled(1), night))["C2"]
    assert row["scale"] == "ratio"
    assert row["estimate"] == pytest.approx(0.5, abs=1e-3)


def test_regular_use_is_the_slope_on_nights_of_use():
    given = shuffled(3, 12)

    def night(i, a):
        used = sum(arm == 0 for arm in given[max(0, i - 7) : i])
        return {"rate": 1e4 * 0.9**used * (0.8 if a == 0 else 1)}

    row = answered(person("P1", given, night))["C5"]
    assert row["status"] == "exploratory"
    assert row["p"] is None
    assert row["estimate"] == pytest.approx(0.9, abs=1e-3)


def test_the_first_block_alone_is_contrasted():
    def night(i, a):
        return {"rate": 1e4 * (0.5 if a == 0 and i < 2 else 1)}

    rows = answered(*cohort_of(8, night))
    assert rows["C6"]["estimate"] == pytest.approx(0.5, abs=1e-3)
    assert rows["C6"]["p"] == 2 / 256


def test_carry_over_is_the_night_after_a_massage():
    people = []
    for i in range(8):
        given = shuffled(i)

        def night(day, a, given=given):
            after = day > 0 and given[day - 1] == 0
            return {"rate": 1e4 * (0.7 if after else 1) * (0.5 if a == 0 else 1)}

        people.append(person(f"P{i}", given, night))
    row = answered(*people)["C7"]
    assert row["estimate"] == pytest.approx(0.7, abs=0.01)
    assert row["status"] == "secondary"


def test_timing_is_the_slope_on_minutes_before_bed():
    from datetime import date

    def night(i, a):
        start = 21 + (i % 3)
        minutes = (24 - start) * 60 - 30  # lights off at midnight, half an hour of massage
        diary = {
            "night": date(2026, 3, 1),
            "massage_start": f"{start}:00",
            "massage_min": 30.0,
            "lights_off": "00:00",
        }
        return {"rate": 1e4 * 1.05 ** (minutes / 30), "diary": diary if a == 0 else {}}

    row = answered(person("P1", shuffled(1), night))["C8"]
    assert row["estimate"] == pytest.approx(1.05, abs=1e-3)


def test_soreness_goes_along_with_intensity():
    def night(i, a):
        return {"diary": {"intensity": float(i % 5), "soreness": 1 + 0.5 * (i % 5)}}

    row = answered(person("P1", shuffled(1), night))["C9"]
    assert row["estimate"] == pytest.approx(0.5)
    assert row["status"] == "exploratory"


def test_techniques_that_the_plan_drew_between_are_tested():
    arms = (
        Arm("control", False),
        Arm("strokes", True, technique="effleurage"),
        Arm("device", True, technique="vibration"),
    )
    rng = np.random.default_rng(2)
    given = [int(a) for _ in range(8) for a in rng.permutation(3)]

    def night(i, a):
        return {"rate": 1e4 * (1, 0.8, 0.4)[a]}

    rows = answered(person("P1", given, night, arms=arms, block=3, scheme="blocks"))
    assert rows["C10"]["estimate"] == pytest.approx(0.5, abs=1e-3)
    assert rows["C10"]["status"] == "secondary"
    assert rows["C10"]["p"] == 2 / 256
    assert rows["C1"]["estimate"] == pytest.approx(0.6, abs=0.05)


def test_techniques_that_the_person_chose_are_exploratory():
    def night(i, a):
        strokes = i % 3 > 0
        diary = {"technique": "effleurage" if strokes else "vibration"}
        return {"rate": 1e4 * (0.8 if strokes else 1), "diary": diary}

    row = answered(person("P1", shuffled(1), night))["C10"]
    assert row["status"] == "exploratory"
    assert row["estimate"] == pytest.approx(0.8, abs=1e-3)


def test_the_massaged_leg_is_contrasted_with_the_other_within_nights():
    """What differs between the legs or the nights anyway falls out."""
    arms = (
        Arm("control", False),
        Arm("left", True, side="left"),
        Arm("right", True, side="right"),
    )
    rng = np.random.default_rng(2)
    given = [int(a) for _ in range(6) for a in rng.permutation(3)]

    def leg(rate):
        return {"plms_count": HOURS * rate, "sleep_hours": HOURS}

    def night(i, a):
        level = 1e4 * (1 + i)
        left, right = (0.6 if a == 1 else 1), 2.5 * (0.6 if a == 2 else 1)
        return {"left": leg(level * left), "right": leg(level * right)}

    row = answered(person("P1", given, night, arms=arms, block=3, scheme="blocks"))["C11"]
    assert row["estimate"] == pytest.approx(0.6, abs=1e-3)
    assert row["status"] == "secondary"
    assert row["p"] < 0.001


def test_one_massaged_leg_against_nights_without():
    arms = (Arm("left leg", True, side="left"), Arm("control", False))

    def leg(rate):
        return {"plms_count": HOURS * rate, "sleep_hours": HOURS}

    def night(i, a):
        return {"left": leg(9000 * (0.5 if a == 0 else 1)), "right": leg(3000)}

    row = answered(person("P1", shuffled(1), night, arms=arms))["C11"]
    assert row["estimate"] == pytest.approx(0.5, abs=1e-3)
    assert row["p"] == 2 / 256


def test_severity_and_medication_are_asked_between_persons():
    people = []
    for i in range(8):
        effect = 0.9 - 0.05 * i
        people.append(
            person(
                f"P{i}",
                shuffled(i),
                lambda _, a, effect=effect: {"rate": 1e4 * (effect if a == 0 else 1)},
                about={"irls_total": 10.0 + 3 * i, "rls_medication": i >= 4},
            )
        )
    rows = answered(*people)
    assert rows["C13"]["estimate"] < 0.9
    assert rows["C13"]["high"] < 1
    assert rows["C16"]["estimate"] < 0.8
    for code in ("C13", "C16"):
        assert rows[code]["status"] == "exploratory"
        assert rows[code]["p"] is None


@pytest.mark.parametrize(
    ("code", "column", "per"),
    [("C15", "caffeine", 100), ("C15", "alcohol", 1), ("C14", "bath", 30)],
)
def test_habits_are_slopes_with_the_condition_held_fixed(code, column, per):
    def night(i, a):
        amount = float(i % 4) * per
        rate = 1e4 * 1.1 ** (amount / per) * (0.5 if a == 0 else 1)
        return {"rate": rate, "diary": {column: amount}}

    row = answered(person("P1", shuffled(1), night))[code]
    assert row["estimate"] == pytest.approx(1.1, abs=1e-3)
    assert row["status"] == "exploratory"


def test_without_randomization_no_claim_has_a_p():
    people = cohort_of(
        8, lambda i, a: {"diary": {"stress": float(a + i % 3)}, "rate": 50.0 + a}, scheme="none"
    )
    for rows in (answered(*people), answered(people[0])):
        assert all(row["p"] is None for row in rows.values())
        assert rows["C17"]["status"] == "exploratory"


def test_models_stand_beside_and_find_the_effect():
    pytest.importorskip("statsmodels")
    rng = np.random.default_rng(3)
    compared = []
    for i in range(15):
        effect = math.exp(rng.normal(math.log(0.6), 0.2))
        level = math.exp(rng.normal(3, 0.4))

        def night(_, a, effect=effect, level=level):
            rate = level * (effect if a == 0 else 1) * math.exp(rng.normal(0, 0.3))
            return {"rate": rng.poisson(HOURS * rate) / HOURS}

        compared.append(compare_person(person(f"P{i}", shuffled(i), night), SETTINGS))
    results = {result.analysis: result for result in fit_models(compared)}
    assert list(results) == ["mixed_model", "negative_binomial_gee"]
    for result in results.values():
        assert math.exp(result.estimate) == pytest.approx(0.6, abs=0.08)
        assert result.low < result.estimate < result.high < 0
        assert result.note.startswith("model-based, not the test")


def test_models_say_how_to_get_them_where_they_are_not_installed(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "statsmodels", None)
    monkeypatch.setitem(sys.modules, "statsmodels.api", None)
    results = fit_models([])
    assert [result.note for result in results] == [INSTALL, INSTALL]
    assert all(math.isnan(result.estimate) for result in results)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_mere_trend_is_no_effect_of_dose_or_regular_use(seed):
    def night(i, a):
        return {"rate": 1e4 * 0.95**i}

    rows = answered(person("P1", shuffled(seed, 12), night))
    assert rows["C5"]["estimate"] == pytest.approx(1.0, abs=1e-3)
    sessions = next(row for row in rows["C6"]["others"] if "session" in row["outcome"])
    assert sessions["estimate"] == pytest.approx(1.0, abs=1e-3)


def test_a_sham_arm_stays_out_of_the_primary_contrast_and_is_compared_beside_it():
    arms = (Arm("massage", True), Arm("control", False), Arm("sham", False, compared=False))
    rng = np.random.default_rng(2)
    given = [int(a) for _ in range(8) for a in rng.permutation(3)]

    def night(i, a):
        return {"rate": 1e4 * (0.5, 1.0, 0.8)[a]}

    found = compare_person(
        person("P1", given, night, arms=arms, block=3, scheme="blocks"), SETTINGS
    )
    assert found.contrast is not None
    assert math.exp(found.contrast.shift) == pytest.approx(0.5, abs=1e-3)
    assert found.contrast.assignments == 256
    assert (found.nights_massage, found.nights_control, found.nights_missing) == (8, 8, 0)
    beside = {v.analysis: math.exp(v.contrast.shift) for v in found.variants if v.contrast}
    assert beside["massage over sham"] == pytest.approx(0.625, abs=1e-3)
    assert beside["sham over control"] == pytest.approx(0.8, abs=1e-3)
    assert [why for _, why in found.excluded] == ["sham is no arm of the primary contrast"] * 8
