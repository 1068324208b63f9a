"""Study folders: made empty, checked whole, and compared as far as they can be."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.comparison.comparison import compare_study
from rlsmove.comparison.wording import comparison_text
from rlsmove.devices import write_recording
from rlsmove.report.study_facts import read_study_facts
from rlsmove.simulate.study_results import ARMS, ResultParameters, write_simulated_results
from rlsmove.study.check import check_study
from rlsmove.study.columns import TABLES, Column, night_of, time_in_night
from rlsmove.study.folder import new_study, read_study
from rlsmove.study.scheme import make_scheme


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def study(tmp_path):
    """Three simulated persons, seven pairs of nights each."""
    path = tmp_path / "study"
    parameters = ResultParameters(persons=3, ratio=0.4, ratio_ln_sd=0.0, night_ln_sd=0.2)
    write_simulated_results(parameters, path, seed=2)
    return path


def edit_table(path, row, column, value, delimiter="\t"):
    """Change one cell; `row` counts lines, the header being 1."""
    lines = [line.split(delimiter) for line in path.read_text().splitlines()]
    lines[row - 1][lines[0].index(column)] = value
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))


def edit_about(path, **changes):
    about = json.loads((path / "study.json").read_text())
    (path / "study.json").write_text(json.dumps({**about, **changes}))


def problems_of(path):
    return [str(p) for p in check_study(read_study(path)) if not p.only_notice]


def notices_of(path):
    return [str(p) for p in check_study(read_study(path)) if p.only_notice]


def test_a_new_folder_already_validates(tmp_path):
    made = run("study", "new", tmp_path / "s", "--time-zone", "Europe/Berlin")
    assert made.exit_code == 0, made.output
    checked = run("study", "check", tmp_path / "s")
    assert checked.exit_code == 0, checked.output
    assert "nothing wrong" in checked.output
    assert (tmp_path / "s" / "raw").is_dir()
    assert (tmp_path / "s" / "derived").is_dir()


def test_every_column_has_an_entry_in_the_dictionary_of_its_table(tmp_path):
    new_study(tmp_path / "s")
    for name, columns in TABLES.items():
        dictionary = json.loads((tmp_path / "s" / name.replace(".tsv", ".json")).read_text())
        header = (tmp_path / "s" / name).read_text().splitlines()[0].split("\t")
        assert header == list(dictionary) == [column.name for column in columns]
        for entry in dictionary.values():
            assert entry["Description"]
            assert entry["Required"] in (True, False)


def test_a_folder_with_something_in_it_is_not_touched(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("mine")
    made = run("study", "new", tmp_path / "s")
    assert made.exit_code == 1
    assert "something is there already" in made.output
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["mine.txt"]


def test_a_simulated_study_has_nothing_wrong(study):
    assert problems_of(study) == []


BAD_CELLS = [
    ("nights.tsv", 3, "night", "2026-13-01", "row 3, night: '2026-13-01'"),
    ("nights.tsv", 3, "night", "n/a", "row 3, night: no value"),
    ("nights.tsv", 4, "lights_off", "25:10", "row 4, lights_off: '25:10'"),
    ("nights.tsv", 4, "lights_on", "23:10", "h after lights off"),
    ("nights.tsv", 4, "lights_off", "2026-04-01T23:00", "row 4, lights_off: 2026-04-01T23:00"),
    ("nights.tsv", 5, "stress", "eleven", "row 5, stress: 'eleven'"),
    ("nights.tsv", 5, "stress", "11", "row 5, stress: '11'; expected a number from 0 to 10"),
    ("nights.tsv", 5, "stress", "nan2", "row 5, stress"),
    ("nights.tsv", 6, "condition_received", "sham", "row 6, condition_received: 'sham'"),
    ("nights.tsv", 6, "areas", "calf+elbow", "row 6, areas: 'calf+elbow'"),
    ("nights.tsv", 6, "exclude", "yes", "row 6, exclude_reason: no value"),
    ("nights.tsv", 7, "participant_id", "nobody", "row 7, participant_id: nobody"),
    ("nights.tsv", 8, "night", "2026-03-02", "more than once"),
    ("nights.tsv", 8, "participant_id", "a b", "row 8, participant_id: 'a b'"),
    ("participants.tsv", 2, "irls_total", "41", "row 2, irls_total: '41'"),
    ("participants.tsv", 3, "participant_id", "sim-001", "sim-001 again"),
    ("participants.tsv", 2, "sex", "x", "row 2, sex: 'x'; expected one of female, male, other"),
]


@pytest.mark.parametrize(("table", "row", "column", "value", "sentence"), BAD_CELLS)
def test_a_bad_cell_is_named_with_file_row_and_column(study, table, row, column, value, sentence):
    edit_table(study / table, row, column, value)
    found = problems_of(study)
    assert any(text.startswith(table) and sentence in text for text in found), found


@pytest.mark.parametrize(("table", "row", "column", "value", "sentence"), BAD_CELLS)
def test_with_a_bad_cell_the_rest_is_still_compared(study, table, row, column, value, sentence):
    edit_table(study / table, row, column, value)
    result, _ = compare_study(study)
    assert result["persons"]["sim-003"]["ratio"] < 0.6
    nights = sum(
        p["nights_massage"] + p["nights_control"] + len(p["excluded"])
        for p in result["persons"].values()
    )
    assert nights >= 42


def test_all_problems_are_listed_at_once(study):
    edit_table(study / "nights.tsv", 4, "lights_off", "25:10")
    edit_table(study / "nights.tsv", 5, "stress", "eleven")
    edit_table(study / "participants.tsv", 2, "irls_total", "41")
    edit_about(study, time_zone="Mars/Olympus", worthwhile_ratio=1.4)
    checked = run("study", "check", study)
    assert checked.exit_code == 1
    for word in ("25:10", "eleven", "irls_total", "Mars/Olympus", "worthwhile_ratio"):
        assert word in checked.output
    assert "6 problem(s)" in checked.output  # the ratio is not the planned one, too


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time_zone": "Nowhere/Zone"}, "Nowhere/Zone"),
        ({"time_zone": None}, "time_zone"),
        ({"primary_index": "plmi"}, "'plmi'"),
        ({"worthwhile_ratio": "much"}, "'much'"),
        ({"worthwhile_ratio": True}, "worthwhile_ratio"),
        ({"rules": "wasm1993"}, "wasm1993"),
        ({"exclusion_rules": {"minimum_hours": "four"}}, "exclusion_rules.minimum_hours"),
        ({"exclusion_rules": {"minimum_hour": 4}}, "exclusion_rules.minimum_hour"),
        ({"exclusion_rules": [1]}, "exclusion_rules"),
        ({"arms": [{"name": "massage", "massage": True}]}, "1 arms with massage, 0 without"),
        ({"arms": "both"}, "arms"),
        ({"schema_version": 9}, "schema_version"),
    ],
)
def test_a_bad_entry_of_study_json_is_named_and_the_nights_compared(study, changes, sentence):
    edit_about(study, **changes)
    assert any(sentence in text for text in problems_of(study))
    result, problems = compare_study(study)
    assert any(sentence in str(problem) for problem in problems)
    assert result["persons"]["sim-001"]["ratio"] < 0.6


@pytest.mark.parametrize("text", ["", "[1]", "{", "\xff"])
def test_a_study_json_that_is_none_is_an_error_in_words(study, text):
    (study / "study.json").write_bytes(text.encode("latin-1"))
    for command in (("study", "check"), ("compare",)):
        done = run(*command, study)
        assert done.exit_code == 1
        assert "study.json" in done.output
        assert "Traceback" not in done.output


@pytest.mark.parametrize("name", ["nights.tsv", "participants.tsv", "recordings.tsv"])
def test_a_missing_table_or_column_is_named(study, name):
    lines = (study / name).read_text().splitlines()
    (study / name).write_text("\n".join(line.split("\t", 1)[1] for line in lines))
    assert any("no column participant_id" in text for text in problems_of(study))
    (study / name).unlink()
    assert any("no such file" in text for text in problems_of(study))


def test_a_column_of_ones_own_needs_an_entry_in_the_dictionary(study):
    lines = (study / "nights.tsv").read_text().splitlines()
    lines = [lines[0] + "\tmoon", *(line + "\tfull" for line in lines[1:])]
    (study / "nights.tsv").write_text("\n".join(lines) + "\n")
    assert any("nights.json: moon: no entry" in text for text in problems_of(study))
    dictionary = json.loads((study / "nights.json").read_text())
    dictionary["moon"] = {"Description": "Phase", "Levels": {"full": "Full", "new": "New"}}
    (study / "nights.json").write_text(json.dumps(dictionary))
    assert problems_of(study) == []
    edit_table(study / "nights.tsv", 2, "moon", "blue")
    assert any("row 2, moon: 'blue'" in text for text in problems_of(study))


def test_a_condition_against_the_plan_is_named_and_the_plan_followed(study):
    before, _ = compare_study(study)
    for row in range(2, 16):
        edit_table(study / "nights.tsv", row, "condition_assigned", "massage")
    found = problems_of(study)
    assert sum("as the plan says" in text for text in found) == 7
    after, _ = compare_study(study)
    assert after["persons"] == before["persons"]


def test_a_plan_edited_by_hand_is_named_in_the_check_and_in_the_result(study):
    plan = json.loads((study / "plan.json").read_text())
    plan["participants"]["sim-001"]["schedule"][0]["arm"] = "massage"
    plan["participants"]["sim-001"]["schedule"][1]["arm"] = "massage"
    (study / "plan.json").write_text(json.dumps(plan))
    assert any("changed after freezing" in text for text in problems_of(study))
    done = run("compare", study)
    assert done.exit_code == 1
    assert "CHANGED SINCE IT WAS FROZEN" in done.output
    result = json.loads((study / "derived" / "comparison.json").read_text())
    assert len(result["plan"]["changes"]) == 2
    assert result["persons"]["sim-001"]["ratio"] < 0.6


def test_without_a_plan_nothing_is_randomized(study):
    (study / "plan.json").unlink()
    edit_about(study, plan_digest=None)
    result, _ = compare_study(study)
    person = result["persons"]["sim-001"]
    assert person["p"] is None
    assert person["verdict"] == "cannot_tell"
    assert "before and after, not a test" in person["sentence"]
    assert result["cohort"]["p"] is None


def test_a_person_who_is_not_in_the_plan_stays_out_of_the_cohort(study):
    people = (study / "participants.tsv").read_text()
    (study / "participants.tsv").write_text(people + "late\tn/a\tn/a\tn/a\tn/a\tn/a\n")
    header = (study / "nights.tsv").read_text().splitlines()[0].split("\t")
    results = (study / "derived" / "nights.csv").read_text().splitlines()
    first = results[1].split(",")
    for day in range(8):
        night = f"2026-05-{day + 1:02d}"
        row = dict.fromkeys(header, "n/a") | {
            "participant_id": "late",
            "night": night,
            "condition_assigned": ARMS[day % 2],
        }
        with (study / "nights.tsv").open("a") as file:
            file.write("\t".join(row.values()) + "\n")
        first[3:5] = ["late", night]
        results.append(",".join(first))
    (study / "derived" / "nights.csv").write_text("\n".join(results) + "\n")
    assert any("late is not in the plan" in text for text in problems_of(study))
    result, _ = compare_study(study)
    assert result["persons"]["late"]["p"] is None
    assert result["cohort"]["persons"] == 3
    assert result["cohort"]["left_out"] == [
        {"participant_id": "late", "reason": "the conditions were not randomized"}
    ]


def test_a_table_that_lacks_nights_is_compared_with_a_sentence(study):
    results = study / "derived" / "nights.csv"
    lines = results.read_text().splitlines()
    results.write_text("\n".join(lines[:13]) + "\n")
    extent = {"complete": False, "nights": 12, "nights_expected": 42}
    provenance = results.with_name("provenance.json")
    provenance.write_text(json.dumps(extent))
    found = compare_study(study)[0]
    assert found["complete"] is False
    assert "12 of 42 nights" in found["incomplete"]
    assert "12 of 42 nights" in comparison_text(found)
    reasons = {row["reason"] for p in found["persons"].values() for row in p["excluded"]}
    lacks = "derived/nights.csv is not complete, and has no row of it yet"
    assert reasons == {lacks, "still to come"}
    (study / "derived" / "comparison.json").write_text(json.dumps(found))
    (notice,) = read_study_facts(study).notices
    assert notice.sentence == found["incomplete"]

    results.write_text("\n".join(lines) + "\n")
    provenance.write_text(json.dumps({"complete": True, "nights": 42, "nights_expected": 42}))
    found = compare_study(study)[0]
    assert found["complete"] is True
    assert found["incomplete"] is None

    results.write_text("\n".join(lines[:-1]) + "\n")
    found = compare_study(study)[0]
    assert found["complete"] is False
    assert "41 of the 42 nights" in found["incomplete"]


def test_nights_in_one_table_and_not_in_the_other_are_reported(study):
    results = study / "derived" / "nights.csv"
    lines = results.read_text().splitlines()
    stray = lines[1].replace("2026-03-02", "2026-06-01")
    results.write_text("\n".join([lines[0], stray, *lines[2:]]) + "\n")
    assert any("sim-001 2026-06-01" in text for text in problems_of(study))
    person = compare_study(study)[0]["persons"]["sim-001"]
    reasons = {row["night"]: row["reason"] for row in person["excluded"]}
    assert reasons["2026-03-02"] == "no recording of it"
    assert reasons["2026-06-01"] == "not a night of the plan"


def test_a_failed_night_keeps_its_sentence(study):
    results = study / "derived" / "nights.csv"
    edit_table(results, 2, "status", "failed", ",")
    edit_table(results, 2, "sentence", "not worn after 01:10", ",")
    person = compare_study(study)[0]["persons"]["sim-001"]
    assert {"night": "2026-03-02", "reason": "no result: not worn after 01:10"} in (
        person["excluded"]
    )
    assert any("not worn after 01:10" in text for text in notices_of(study))


def test_nights_of_one_leg_are_not_mixed_with_nights_of_two(study):
    edit_table(study / "derived" / "nights.csv", 2, "side", "left", ",")
    person = compare_study(study)[0]["persons"]["sim-001"]
    assert (
        "recorded at left, where the other nights are of both" in (person["excluded"][0]["reason"])
    )


def test_an_excluded_night_keeps_its_reason(study):
    edit_table(study / "nights.tsv", 3, "exclude", "yes")
    edit_table(study / "nights.tsv", 3, "exclude_reason", "flight")
    person = compare_study(study)[0]["persons"]["sim-001"]
    assert {"night": "2026-03-03", "reason": "excluded: flight"} in person["excluded"]


def test_missing_nights_of_one_arm_are_noted(study):
    lines = (study / "derived" / "nights.csv").read_text().splitlines()
    plan = json.loads((study / "plan.json").read_text())["participants"]["sim-002"]["schedule"]
    gone = [night["night"] for night in plan if night["arm"] == "control"][:2]
    kept = [x for x in lines if not ("sim-002" in x and any(night in x for night in gone))]
    (study / "derived" / "nights.csv").write_text("\n".join(kept) + "\n")
    assert any("sim-002: 2 of 7 control nights have no result" in t for t in notices_of(study))


def test_a_night_of_a_clock_change_is_noted(tmp_path):
    new_study(tmp_path / "s", time_zone="Europe/Berlin")
    with (tmp_path / "s" / "participants.tsv").open("a") as file:
        file.write("P01\t2026-03-27\tn/a\tn/a\tn/a\tn/a\n")
    assert run("plan", tmp_path / "s", "--nights", "4", "--dry-run").exit_code == 0
    assert run("plan", tmp_path / "s", "--nights", "4").exit_code == 0
    (notice,) = notices_of(tmp_path / "s")
    assert "row 3, night: clocks change by +1 h" in notice


def recorded(path, rows):
    """Add recordings of rest, each a (person, leg, placement, device, start, hours)."""
    (path / "raw").mkdir(exist_ok=True)
    lines = []
    for number, (person, leg, placement, device, start, hours) in enumerate(rows):
        file = f"raw/{number}.h5"
        acceleration = np.tile(np.float32([0, 0, 1]), (int(hours * 3600), 1))
        write_recording(
            path / file,
            [acceleration],
            start_time=datetime.fromisoformat(start),
            sample_rate_hz=1.0,
            side=leg,
            placement=placement,
            device=device,
        )
        lines.append("\t".join([person, file, leg, placement, device, "Europe/Berlin +2.5"]))
    header = (path / "recordings.tsv").read_text().splitlines()[0]
    (path / "recordings.tsv").write_text("\n".join([header, *lines]) + "\n")


def test_nights_are_held_against_the_clocks_of_the_recordings(study):
    recorded(
        study,
        [
            ("sim-001", "left", "ankle", "AX3", "2026-03-02T18:00:00", 60),
            ("sim-001", "right", "ankle", "AX3", "2026-03-02T18:00:00", 60),
            ("sim-001", "left", "ankle", "AX3", "2026-03-03T18:00:00", 20),
            ("sim-002", "left", "toe", "AX3", "2026-03-20T18:00:00", 20),
            ("sim-002", "left", "ankle", "AX6", "2026-03-05T18:00:00", 20),
            ("sim-002", "right", "ankle", "AX6", "2026-03-08T18:00:00", 20),
        ],
    )
    found = "\n".join([*problems_of(study), *notices_of(study)])
    # The study is in UTC, an hour behind the devices.
    assert "row 4, file: it begins at 2026-03-03 17:00, before row 2 ends at 2026-03-05 0" in found
    assert "no recording of sim-001 covers 2026-03-06" in found
    assert "no recording of sim-001 covers 2026-03-03" not in found
    assert "row 5, file: it holds the night of 2026-03-20, which nights.tsv does not have" in found
    assert "placement: sim-002 has ankle, toe" in found
    assert "device: sim-002 has AX3, AX6" in found
    assert "no recording of the right leg overlaps it" in found


def test_recordings_that_cannot_be_used_are_named(study):
    recorded(study, [("sim-001", "left", "ankle", "AX3", "2026-03-02T18:00:00", 5)])
    edit_table(study / "recordings.tsv", 2, "clock", "Berlin 3")
    assert any("row 2, clock: Berlin 3" in text for text in problems_of(study))
    (study / "raw" / "0.h5").write_bytes(b"not a recording at all")
    assert any("row 2, file" in text and "begins with" in text for text in problems_of(study))
    (study / "raw" / "0.h5").unlink()
    assert any("row 2, file: there is no raw/0.h5" in text for text in problems_of(study))


def test_times_of_day_belong_to_the_night_of_the_evening():
    night = datetime(2026, 3, 1).date()
    assert time_in_night(night, "23:10") == datetime(2026, 3, 1, 23, 10)
    assert time_in_night(night, "0:30") == datetime(2026, 3, 2, 0, 30)
    assert time_in_night(night, "06:45:30") == datetime(2026, 3, 2, 6, 45, 30)
    assert night_of(datetime(2026, 3, 2, 11, 59)) == night
    assert night_of(datetime(2026, 3, 1, 12)) == night


def test_cells_are_read_by_their_kind():
    hours = Column("h", "", "number", minimum=0)
    for text in ("-1", "inf", "nan", "1,5", "x"):
        with pytest.raises(ValueError):  # noqa: PT011 - the message is the cell itself
            hours.parse(text)
    assert hours.parse("1.5") == 1.5
    areas = Column("a", "", "levels", levels={"calf": "", "foot": ""})
    assert areas.parse("Foot+calf") == "foot+calf"


def test_compare_without_results_says_what_is_missing(tmp_path):
    new_study(tmp_path / "s")
    done = run("compare", tmp_path / "s")
    assert done.exit_code == 1
    assert "nights.csv" in done.output


def test_compare_writes_the_same_bytes_for_the_same_input(study, tmp_path):
    assert run("compare", study, "--seed", "4").exit_code == 0
    first = (study / "derived" / "comparison.json").read_bytes()
    assert run("compare", study, "--seed", "4", "--out", tmp_path / "o").exit_code == 0
    assert (tmp_path / "o" / "comparison.json").read_bytes() == first
    printed = CliRunner().invoke(main, ["compare", str(study), "--seed", "4", "--json"])
    assert printed.stdout.encode() == first


def test_every_output_says_that_data_are_simulated_and_what_it_is_not(study):
    done = run("compare", study)
    assert "These data are simulated." in done.output
    assert "does not diagnose, recommends no treatment" in done.output
    assert "abnormal" not in done.output
    result = json.loads((study / "derived" / "comparison.json").read_text())
    assert result["simulated"] is True
    assert "no regulator" in result["disclaimer"]


def test_reporting_items_are_filled_or_named_as_blank(study):
    reporting = compare_study(study)[0]["reporting"]
    cent = {row["item"]: row["content"] for row in reporting["cent_2015"]}
    assert "seed 2" in cent["8a"]
    assert cent["13a"].startswith("sim-001: 7 massage and 7 control nights")
    assert cent["25"] is None
    assert len(reporting["scribe_2016"]) == 26
    assert {"list": "cent_2015", "item": "25", "topic": "funding"} in reporting["blank"]
    blank = {(row["list"], row["item"]) for row in reporting["blank"]}
    edit_about(study, reporting={"funding": "none"})
    after = compare_study(study)[0]["reporting"]["blank"]
    assert blank - {(row["list"], row["item"]) for row in after} == {
        ("cent_2015", "25"),
        ("scribe_2016", "26"),
    }


def test_per_protocol_stands_beside_the_comparison_without_a_test(tmp_path):
    parameters = ResultParameters(
        persons=8, ratio=0.3, ratio_ln_sd=0, night_ln_sd=0.1, not_adhered=0.3
    )
    write_simulated_results(parameters, tmp_path / "s", seed=1)
    result, _ = compare_study(tmp_path / "s")
    rows = [r for r in result["sensitivity"] if r["analysis"] == "per_protocol"]
    cohort = next(r for r in rows if r["scope"] == "cohort")
    assert cohort["ratio"] == pytest.approx(0.3, abs=0.05)
    assert result["cohort"]["ratio"] > 0.4
    assert all(row["p"] is None and row["ratio_low"] is None for row in rows)


def test_a_capped_scheme_and_a_run_in_survive_the_way_through_the_folder(tmp_path):
    scheme = make_scheme("free", ARMS, 10, max_run=2, run_in_nights=0)
    write_simulated_results(ResultParameters(persons=2, scheme=scheme), tmp_path / "s", seed=1)
    result, problems = compare_study(tmp_path / "s")
    assert problems == []
    assert result["persons"]["sim-001"]["assignments"] == scheme.space().size
    assert result["plan"]["max_run"] == 2


def test_each_leg_is_read_where_one_leg_is_massaged(study):
    """The legs' own indices stand in each night's own folder."""
    arms = [
        {"name": "massage", "massage": True, "side": "left"},
        {"name": "control", "massage": False},
    ]
    claim = {row["code"]: row for row in compare_study(study)[0]["claims"]}["C11"]
    assert claim["status"] == "not_testable"
    edit_about(study, arms=arms)
    plan = json.loads((study / "plan.json").read_text())["participants"]
    for person, planned in plan.items():
        for night in planned["schedule"]:
            folder = study / "derived" / "nights" / person / night["night"]
            folder.mkdir(parents=True)
            left = 30_000 if night["arm"] == "massage" else 60_000
            legs = {
                "left": {"plms_count": left, "sleep_hours": 7.0, "imi_plm_median_s": None},
                "right": {"plms_count": 20_000, "sleep_hours": 7.0},
            }
            (folder / "night.json").write_text(json.dumps({"tables": {"indices_by_leg": legs}}))
    claim = {row["code"]: row for row in compare_study(study)[0]["claims"]}["C11"]
    assert claim["status"] == "secondary"
    assert claim["estimate"] == pytest.approx(0.5, abs=1e-3)
