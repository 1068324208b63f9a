"""Plans: drawn from the scheme, frozen, watched; and what they can show."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.comparison.power import (
    Baseline,
    cohort_power,
    design_of_scheme,
    nights_for_power,
    person_power,
    smallest_p,
)
from rlsmove.errors import SettingError, StudyError
from rlsmove.study.folder import Arm, about_study, read_study, write_study
from rlsmove.study.plan import first_nights, freeze_plan, plan_content, read_plan
from rlsmove.study.schedule import redraw
from rlsmove.study.scheme import draw_nights, make_scheme, person_key

ARMS = ("massage", "control")
STUDY_ARMS = (Arm("massage", True), Arm("control", False))
START = date(2026, 3, 2)


def study_with(path, people=("P01", "P02"), **about):
    rows = [{"participant_id": name} for name in people]
    write_study(path, about_study("s", **about), {"participants.tsv": rows})
    return read_study(path)


def frozen(path, kind="pairs", nights=14, seed=3, **scheme):
    study = study_with(path)
    drawn = make_scheme(kind, ARMS, nights, **scheme)
    freeze_plan(study, plan_content(study, drawn, seed, first_nights(study, START), {}))
    return read_study(path)


def draw_plan(scheme, seed, firsts):
    return {
        name: {"schedule": draw_nights(scheme, person_key("s", name, seed), first)}
        for name, first in firsts.items()
    }


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_each_pair_holds_one_night_of_each_condition():
    plan = draw_plan(make_scheme("pairs", ARMS, 14), 1, {"P01": START})
    arms = [night["arm"] for night in plan["P01"]["schedule"]]
    assert all(set(arms[i : i + 2]) == set(ARMS) for i in range(0, 14, 2))


def test_periods_share_an_arm_and_the_cap_counts_periods():
    scheme = make_scheme("free", ARMS, 24, period_nights=2, max_run=2)
    plan = draw_plan(scheme, 1, {f"P{i}": START for i in range(20)})
    for person in plan.values():
        arms = [night["arm"] for night in person["schedule"]]
        assert arms[::2] == arms[1::2]
        runs = "".join(arm[0] for arm in arms[::2])
        assert "mmm" not in runs
        assert "ccc" not in runs


def test_run_in_comes_first_and_apart():
    plan = draw_plan(make_scheme("pairs", ARMS, 4, run_in_nights=2), 1, {"P01": START})
    schedule = plan["P01"]["schedule"]
    assert [n["arm"] for n in schedule[:2]] == ["run_in", "run_in"]
    assert [n["night"] for n in schedule] == [f"2026-03-{day:02d}" for day in range(2, 8)]
    assert [n["block"] for n in schedule] == [0, 0, 1, 1, 2, 2]


def test_a_person_keeps_their_draw_whoever_else_is_in_the_study():
    scheme = make_scheme("free", ARMS, 20)
    alone = draw_plan(scheme, 9, {"P02": START})
    together = draw_plan(scheme, 9, {"P01": START, "P02": START, "P03": START})
    assert together["P02"] == alone["P02"]
    assert together["P01"]["schedule"] != together["P02"]["schedule"]


def test_several_arms_are_each_as_often_in_every_block():
    arms = ("control", "effleurage", "vibration")
    plan = draw_plan(make_scheme("blocks", arms, 12), 1, {"P01": START})
    names = [night["arm"] for night in plan["P01"]["schedule"]]
    for block in (names[:6], names[6:]):
        assert sorted(block) == sorted(arms * 2)


@pytest.mark.parametrize(
    ("kind", "arms", "nights", "options", "found"),
    [
        ("pairs", ARMS, 13, {}, "13 nights"),
        ("blocks", ARMS, 12, {"block_nights": 5}, "blocks of 5"),
        ("free", ARMS, 4, {"max_run": 0}, "longest run"),
        ("free", ("a",), 4, {}, "leave 1 sequence"),
        ("pairs", ARMS, 4, {"period_nights": 0}, "period"),
        ("pairs", ARMS, 10**9, {}, "1000000000"),
    ],
)
def test_numbers_that_do_not_fit_are_named(kind, arms, nights, options, found):
    with pytest.raises(SettingError, match=found):
        make_scheme(kind, arms, nights, **options)


def test_frozen_with_its_digest_and_the_same_bytes_for_the_same_seed(tmp_path):
    study = frozen(tmp_path / "a")
    again = frozen(tmp_path / "b")
    plan = (study.path / "plan.json").read_bytes()
    assert study.about["plan_digest"] == hashlib.sha256(plan).hexdigest()
    assert plan == (again.path / "plan.json").read_bytes()
    found = read_plan(study)
    assert found is not None
    assert found.changes == ()


def test_planned_nights_stand_in_the_diary(tmp_path):
    rows = frozen(tmp_path / "s", run_in_nights=1).tables["nights.tsv"].rows
    assert len(rows) == 2 * 15
    assert rows[0].get("condition_assigned") == "run_in"


def test_a_second_plan_is_refused(tmp_path):
    study = frozen(tmp_path / "s")
    before = (study.path / "plan.json").read_bytes()
    with pytest.raises(StudyError, match="a plan already"):
        freeze_plan(
            study, plan_content(study, make_scheme("pairs", ARMS, 4), 1, {"P01": START}, {})
        )
    assert (study.path / "plan.json").read_bytes() == before


def test_a_night_that_had_a_condition_before_is_refused(tmp_path):
    study = study_with(tmp_path / "s", ["P01"])
    scheme = make_scheme("pairs", ARMS, 4)
    first = draw_plan(scheme, 1, {"P01": START})["P01"]["schedule"][0]
    other = "control" if first["arm"] == "massage" else "massage"
    row = {"participant_id": "P01", "night": first["night"], "condition_assigned": other}
    people = {"participants.tsv": [{"participant_id": "P01"}], "nights.tsv": [row]}
    write_study(study.path, study.about, people)
    with pytest.raises(StudyError, match=f"P01 {first['night']} is {other}"):
        freeze_plan(read_study(study.path), plan_content(study, scheme, 1, {"P01": START}, {}))
    assert not (study.path / "plan.json").exists()


def test_an_edited_night_is_named_and_not_followed(tmp_path):
    study = frozen(tmp_path / "s")
    frozen_plan = read_plan(study)
    assert frozen_plan is not None
    was = frozen_plan.participants["P02"]["schedule"][4]

    def swap(content):
        night = content["participants"]["P02"]["schedule"][4]
        night["arm"] = "control" if night["arm"] == "massage" else "massage"

    edit(study.path / "plan.json", swap)
    found = read_plan(read_study(study.path))
    assert found is not None
    assert any(f"P02 {was['night']}" in change for change in found.changes)
    assert len(found.changes) == 2
    assert found.participants == frozen_plan.participants


def test_a_plan_without_digest_or_a_digest_without_plan_is_named(tmp_path):
    study = frozen(tmp_path / "s")
    edit(study.path / "study.json", lambda content: content.update(plan_digest=None))
    found = read_plan(read_study(study.path))
    assert found is not None
    assert "no digest" in found.changes[0]
    edit(study.path / "study.json", lambda content: content.update(plan_digest="0" * 64))
    (study.path / "plan.json").unlink()
    with pytest.raises(StudyError, match="is gone"):
        read_plan(read_study(study.path))


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", "not json", '{"scheme": {"kind": "pairs"}}', '{"scheme": 3, "participants": 4}'],
)
def test_a_plan_that_is_none_is_an_error_in_words(tmp_path, text):
    study = frozen(tmp_path / "s")
    (study.path / "plan.json").write_text(text)
    with pytest.raises(StudyError, match=r"plan\.json"):
        read_plan(read_study(study.path))


def test_somebody_without_a_first_night_is_named(tmp_path):
    with pytest.raises(StudyError, match="P01, P02"):
        first_nights(study_with(tmp_path / "s"), None)
    with pytest.raises(StudyError, match="nobody"):
        first_nights(study_with(tmp_path / "t", []), START)


# What a plan can show.


@pytest.mark.parametrize(
    ("kind", "nights", "options", "smallest"),
    [
        ("pairs", 10, {}, 2 / 32),
        ("pairs", 14, {}, 2 / 128),
        ("free", 8, {}, 2 / 70),
        ("blocks", 8, {"block_nights": 4}, 2 / 36),
    ],
)
def test_the_smallest_p_by_hand(kind, nights, options, smallest):
    assert smallest_p(*repeated(kind, nights, **options)) == smallest


def repeated(kind, nights, **options):
    """The design of a scheme, and how often its block is repeated."""
    design = design_of_scheme(make_scheme(kind, ARMS, nights, **options), STUDY_ARMS)
    return design, nights // design.block_nights


def test_a_scheme_is_its_block_repeated():
    for kind, nights, options in (
        ("pairs", 28, {"period_nights": 2}),
        ("blocks", 18, {"block_nights": 6}),
        ("free", 10, {"max_run": 3}),
    ):
        scheme = make_scheme(kind, ARMS, nights, **options)
        design, blocks = repeated(kind, nights, **options)
        schedule = design.schedule(blocks)
        assert redraw(schedule, np.array([True, True])).space.size == scheme.space().size


def test_power_without_an_effect_is_the_level():
    for design in (repeated("pairs", 14), repeated("free", 14, max_run=3)):
        power = person_power(*design, 1.0, Baseline(0.5, 0.6, 0.15), seed=2)
        assert 0.02 < power < 0.075


@pytest.mark.parametrize(
    ("kind", "nights", "freedom", "ratio"),
    [("pairs", 60, 29, 0.7), ("pairs", 28, 13, 0.6), ("blocks", 40, 37, 0.6)],
)
def test_power_is_near_that_of_the_t_test_on_the_same_nights(kind, nights, freedom, ratio):
    """For normal nights without correlation the t test's power is known in closed form."""
    stats = pytest.importorskip("scipy.stats")
    away = abs(np.log(ratio)) / (0.5 * (4 / nights) ** 0.5)
    bound = stats.t.ppf(0.975, freedom)
    known = 1 - stats.nct.cdf(bound, freedom, away) + stats.nct.cdf(-bound, freedom, away)
    found = person_power(*repeated(kind, nights), ratio, Baseline(), 1)
    assert found == pytest.approx(known, abs=0.08)


def test_power_where_nights_are_missing_is_that_of_earlier_simulations():
    """Ratio 0.6, 15 % missing, independent / correlated nights: pairs .25 / .51, blocks .34."""
    for correlation, expected in ((0.0, 0.25), (0.6, 0.51)):
        baseline = Baseline(0.5, correlation, 0.15)
        assert person_power(*repeated("pairs", 14), 0.6, baseline, 1) == pytest.approx(
            expected, abs=0.06
        )
    found = person_power(*repeated("blocks", 16), 0.6, Baseline(0.5, 0.0, 0.15), 1)
    assert found == pytest.approx(0.34, abs=0.06)


def test_power_of_a_cohort_is_that_of_earlier_simulations():
    """Ratio 0.75, 14 nights each: .58 with 12 persons, .90 with 20."""
    pairs = repeated("pairs", 14)
    assert cohort_power(*pairs, 0.75, Baseline(), 12, 1) == pytest.approx(0.58, abs=0.08)
    assert cohort_power(*pairs, 0.75, Baseline(), 20, 1) == pytest.approx(0.9, abs=0.08)


@pytest.mark.parametrize("kind", ["pairs", "blocks", "free"])
def test_the_nights_needed_reach_the_power_and_fewer_do_not(kind):
    design, _ = repeated(kind, 16)
    nights = nights_for_power(design, 0.6, Baseline(), 1)
    assert nights is not None
    blocks = nights // design.block_nights
    assert person_power(design, blocks, 0.6, Baseline(), 2) == pytest.approx(0.8, abs=0.06)
    assert smallest_p(design, blocks) <= 0.05
    assert nights_for_power(design, 0.98, Baseline(), 1) is None


def test_few_nights_are_never_enough_where_no_p_could_be_small():
    """A ratio of 0.01 among still nights: six pairs are the fewest that reach p 0.05."""
    design, _ = repeated("pairs", 16)
    assert nights_for_power(design, 0.01, Baseline(0.2), 1) == 12


def test_command_says_what_the_plan_can_show_before_it_is_frozen(tmp_path):
    study = study_with(tmp_path / "s")
    run = CliRunner().invoke(
        main, ["plan", str(study.path), "--scheme", "pairs", "--nights", "10", "--dry-run",
         "--start", "2026-03-02"],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "32 possible sequences" in run.output
    assert "above 0.05" in run.output
    assert "free over 10 nights: " in run.output
    assert not (study.path / "plan.json").exists()
    run = CliRunner().invoke(main, ["plan", str(study.path), "--start", "2026-03-02"])
    assert run.exit_code == 0, run.output
    assert (study.path / "plan.json").exists()
    run = CliRunner().invoke(main, ["plan", str(study.path), "--start", "2026-03-02"])
    assert run.exit_code == 1
    assert "a plan already" in run.output


def test_the_scheme_with_the_most_power_is_the_default(tmp_path):
    study = study_with(tmp_path / "s")
    run = CliRunner().invoke(main, ["plan", str(study.path), "--start", "2026-03-02", "--dry-run"])
    assert run.exit_code == 0, run.output
    lines = run.output.splitlines()
    listed = lines[next(i for i, line in enumerate(lines) if line.startswith("Schemes")) + 1 :][:3]
    power = [float(line.rsplit(": ", 1)[1]) for line in listed]
    assert power == sorted(power, reverse=True)
    assert lines[0] == f"The plan: {listed[0].strip().rsplit(': ', 1)[0]}."
    assert "15 % of the nights missing" in run.output


def test_three_arms_fit_every_scheme(tmp_path):
    arms = [{"name": name, "massage": name == "massage"} for name in ("massage", "control", "sham")]
    for kind in ("pairs", "blocks", "free"):
        study = study_with(tmp_path / kind, arms=arms, primary_contrast=["massage", "control"])
        run = CliRunner().invoke(
            main, ["plan", str(study.path), "--scheme", kind, "--nights", "12", "--start",
                   "2026-03-02"],
        )  # fmt: skip
        assert run.exit_code == 0, run.output
        plan = json.loads((study.path / "plan.json").read_text())
        given = [night["arm"] for night in plan["participants"]["P01"]["schedule"]]
        assert {given.count(name) for name in ("massage", "control", "sham")} == {4}


def test_command_refuses_nights_that_do_not_fit(tmp_path):
    study = study_with(tmp_path / "s")
    run = CliRunner().invoke(main, ["plan", str(study.path), "--nights", "13"])
    assert run.exit_code == 1
    assert "multiple of 2" in run.output


def test_variation_is_measured_from_nights_without_massage(tmp_path):
    rates = [10.0, 20.0, 40.0, 20.0, 10.0, 30.0]
    nights = [
        {"participant_id": "P01", "night": f"2026-02-{day:02d}", "condition_received": "run_in"}
        for day in range(1, 7)
    ]
    header = "status,participant_id,night,side,plms_count,sleep_hours\n"
    lines = [
        f"ok,P01,2026-02-{day:02d},both,{int(7 * rate)},7\n" for day, rate in enumerate(rates, 1)
    ]
    write_study(
        tmp_path / "s",
        about_study("s"),
        {"participants.tsv": [{"participant_id": "P01"}], "nights.tsv": nights},
        others={"derived/nights.csv": header + "".join(lines)},
    )
    run = CliRunner().invoke(
        main, ["plan", str(tmp_path / "s"), "--start", "2026-03-02", "--dry-run"]
    )
    expected = np.std(np.log(np.array(rates) * 7 + 0.5), ddof=1)
    assert f"SD of {expected:.2f}" in run.output
    assert "measured" in run.output


def redigest(study_path):
    """Put the digest of plan.json as it is now into study.json, as a forger would."""
    digest = hashlib.sha256((study_path / "plan.json").read_bytes()).hexdigest()
    edit(study_path / "study.json", lambda about: about.update(plan_digest=digest))


def changes_of(path):
    plan = read_plan(read_study(path))
    assert plan is not None
    return plan.changes


def test_two_studies_give_the_same_code_other_orders():
    scheme = make_scheme("free", ARMS, 20)
    keys = [person_key(study, "sub-01", 7) for study in ("one", "other")]
    one, other = (draw_nights(scheme, key, START) for key in keys)
    assert [n["arm"] for n in one] != [n["arm"] for n in other]


def test_the_seed_comes_from_the_system_unless_told(tmp_path):
    seeds = []
    for name in "ab":
        study_with(tmp_path / name)
        arguments = ["plan", str(tmp_path / name), "--nights", "4", "--scheme", "pairs"]
        run = CliRunner().invoke(main, [*arguments, "--start", "2026-03-02"])
        assert run.exit_code == 0, run.output
        assert "lodge this SHA-256" in run.stdout
        seeds.append(json.loads((tmp_path / name / "plan.json").read_text())["seed"])
    assert seeds[0] != seeds[1]
    assert all(seed > 2**32 for seed in seeds)


def test_schedule_and_digest_edited_together_are_noticed(tmp_path):
    study = frozen(tmp_path / "s")

    def swap(content):
        for night in content["participants"]["P01"]["schedule"]:
            night["arm"] = "control" if night["arm"] == "massage" else "massage"

    before = read_plan(study)
    edit(study.path / "plan.json", swap)
    redigest(study.path)
    after = read_plan(read_study(study.path))
    assert len(after.changes) == 14
    assert after.participants == before.participants


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("primary_index", "lm_per_hour_tib"),
        ("worthwhile_ratio", 0.95),
        ("exclusion_rules", {"minimum_hours": 5.5}),
        ("looks", "every_morning"),
        ("rules", "aasm"),
    ],
)
def test_what_was_fixed_is_noticed_when_study_json_says_otherwise(tmp_path, name, value):
    study = frozen(tmp_path / "s")
    edit(study.path / "study.json", lambda about: about.update({name: value}))
    (change,) = changes_of(study.path)
    assert name in change
    plan = read_plan(read_study(study.path))
    assert plan.as_fixed(read_study(study.path)).about[name] == study.about[name]


def test_seed_key_and_schedule_edited_together_are_noticed(tmp_path):
    study = frozen(tmp_path / "s")

    def another_key(content):
        key = person_key("s", "P01", 99)
        content["draw"]["keys"]["P01"] = key
        schedule = draw_nights(make_scheme("pairs", ARMS, 14), key, START)
        content["participants"]["P01"]["schedule"] = schedule

    edit(study.path / "plan.json", another_key)
    redigest(study.path)
    assert any("key of P01" in change for change in changes_of(study.path))


def test_results_remember_the_plan_that_they_were_made_under(tmp_path):
    study = frozen(tmp_path / "s")
    (study.path / "derived").mkdir(exist_ok=True)
    (study.path / "derived" / "provenance.json").write_text(
        json.dumps({"plan_digests": [study.about["plan_digest"]]})
    )
    assert changes_of(study.path) == ()
    another = plan_content(study, make_scheme("pairs", ARMS, 14), 8, {"P01": START}, {})
    (study.path / "plan.json").write_text(json.dumps(another))
    redigest(study.path)
    assert any("does not descend" in change for change in changes_of(study.path))


def plan_command(path, *options):
    return CliRunner().invoke(main, ["plan", str(path), *options])


def test_persons_and_nights_are_added_and_what_was_there_stays(tmp_path):
    study = frozen(tmp_path / "s")
    before = read_plan(study)
    with (study.path / "participants.tsv").open("a") as file:
        header = (study.path / "participants.tsv").read_text().splitlines()[0].split("\t")
        file.write("\t".join(["P03", *["n/a"] * (len(header) - 1)]) + "\n")
    refused = plan_command(study.path, "--add", "--start", "2026-05-01")
    assert refused.exit_code == 2
    assert "--reason" in refused.stderr
    added = plan_command(study.path, "--add", "--start", "2026-05-01", "--reason", "came later")
    assert added.exit_code == 0, added.output
    more = plan_command(study.path, "--more-nights", "4", "--reason", "cannot tell yet")
    assert more.exit_code == 0, more.output
    after = read_plan(read_study(study.path))
    assert after.changes == ()
    assert after.scheme.nights == 18
    assert list(after.participants) == ["P01", "P02", "P03"]
    for name in ("P01", "P02"):
        schedule = after.participants[name]["schedule"]
        assert schedule[:14] == before.participants[name]["schedule"]
        assert [n["block"] for n in schedule[14:]] == [8, 8, 9, 9]
        assert schedule[14]["night"] == "2026-03-16"
    assert [entry["reason"] for entry in after.amendments] == ["came later", "cannot tell yet"]
    edit(study.path / "plan.json", lambda plan: plan["amendments"][0].update(reason="as planned"))
    redigest(study.path)
    assert any("before entry 2" in change for change in changes_of(study.path))


def test_a_cap_on_runs_cannot_be_drawn_on_across_the_seam(tmp_path):
    study = frozen(tmp_path / "s", kind="free", nights=12, max_run=3)
    refused = plan_command(study.path, "--more-nights", "4", "--reason", "more")
    assert refused.exit_code == 1
    assert "caps runs at 3" in refused.stderr


def test_an_amendment_says_whether_results_existed(tmp_path):
    study = frozen(tmp_path / "s")
    edit(study.path / "study.json", lambda about: about.update(worthwhile_ratio=0.9))
    assert plan_command(study.path, "--amend", "--reason", "a typing error").exit_code == 0
    plan = read_plan(read_study(study.path))
    assert plan.changes == ()
    assert plan.fixed["worthwhile_ratio"] == 0.9
    assert plan.amendments[0]["after_results"] is False
    assert plan_command(study.path, "--amend", "--reason", "again").exit_code == 1


def test_rows_that_cannot_be_planned_stop_the_plan(tmp_path):
    study = study_with(tmp_path / "s")
    table = study.path / "participants.tsv"
    table.write_text(table.read_text().replace("P02", "P 02/x"))
    run = plan_command(study.path, "--start", "2026-03-02", "--nights", "4", "--scheme", "pairs")
    assert run.exit_code == 1
    assert "participants.tsv" in run.stderr
    assert not (study.path / "plan.json").exists()


def test_a_concealed_plan_shows_no_condition_until_it_is_revealed(tmp_path):
    study = study_with(tmp_path / "s")
    options = ["--start", "2026-03-02", "--nights", "8", "--scheme", "free", "--conceal"]
    assert plan_command(study.path, *options).exit_code == 0
    public = "".join((study.path / name).read_text() for name in ("plan.json", "nights.tsv"))
    assert '"arm": null' in public
    assert '"arm": "massage"' not in public
    assert "seed" not in public
    assert "\tmassage\t" not in public
    hidden = read_plan(read_study(study.path))
    assert hidden.concealed
    assert hidden.changes == ()
    assert plan_command(study.path, "--reveal").exit_code == 0
    shown = read_plan(read_study(study.path))
    assert not shown.concealed
    assert shown.changes == ()
    rows = read_study(study.path).tables["nights.tsv"].rows
    assert {row.get("condition_assigned") for row in rows} == set(ARMS)


def test_another_secret_than_the_one_committed_to_is_refused(tmp_path):
    study = study_with(tmp_path / "s")
    options = ["--start", "2026-03-02", "--nights", "8", "--scheme", "free", "--conceal"]
    plan_command(study.path, *options)
    edit(study.path / "plan.secret", lambda secret: secret.update(seed=5))
    refused = plan_command(study.path, "--reveal")
    assert refused.exit_code == 1
    assert "committed" in refused.stderr


def test_a_plan_of_an_earlier_version_is_redrawn_as_it_was(tmp_path):
    study = study_with(tmp_path / "s", ["P01"])
    scheme = make_scheme("pairs", ARMS, 4)
    schedule = draw_nights(scheme, person_key("", "P01", 3, 1), START)
    old = {
        "schema_version": 1,
        "study": "s",
        "scheme": {**scheme.__dict__, "arms": list(ARMS)},
        "seed": 3,
        "shows": {},
        "participants": {"P01": {"first_night": START.isoformat(), "schedule": schedule}},
    }
    (study.path / "plan.json").write_text(json.dumps(old))
    redigest(study.path)
    assert changes_of(study.path) == ()
    old["participants"]["P01"]["schedule"][0]["arm"] = "massage"
    old["participants"]["P01"]["schedule"][1]["arm"] = "massage"
    (study.path / "plan.json").write_text(json.dumps(old))
    redigest(study.path)
    assert len(changes_of(study.path)) == 1
