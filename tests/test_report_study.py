"""Pages of persons and studies: every night accounted for, words that claim no more than is so."""

from __future__ import annotations

import json
import shutil

import pytest
from chromium import chromium, needs_chromium
from click.testing import CliRunner
from test_report_night import OVERLAPS, Outline

from rlsmove.cli import main
from rlsmove.errors import StudyError
from rlsmove.report.person_page import person_page
from rlsmove.report.plain_answer import next_step, plain_answer
from rlsmove.report.study_facts import read_study_facts
from rlsmove.report.study_page import study_page


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def simulated(folder, *, persons, nights, seed=2, missing=0.15):
    options = ["--persons", persons, "--nights", nights, "--seed", seed, "--missing", missing]
    assert run("simulate", "results", folder, *options).exit_code == 0
    assert (folder / "derived" / "nights.csv").exists()
    run("compare", folder)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("study") / "cohort", persons=6, nights=12)


@pytest.fixture(scope="module")
def one_made(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("study") / "one", persons=1, nights=20)


@pytest.fixture
def study(made, tmp_path):
    return shutil.copytree(made, tmp_path / "study")


@pytest.fixture(scope="module")
def page(made):
    return study_page(read_study_facts(made))


def words(page):
    return " ".join("".join(Outline(page).text).split())


def comparison_of(study):
    return json.loads((study / "derived" / "comparison.json").read_text())


def test_pages_are_whole_and_need_nothing_from_elsewhere(made, page):
    for text in (page, person_page(read_study_facts(made), "sim-001")):
        outline = Outline(text)
        assert outline.open == []
        assert all(target.startswith("#") for target in outline.asked)
        assert "<script" not in text
        assert all(outline.pictures)
        assert text.count("Simulated data") >= 2


def test_every_person_and_the_cohort_stand_in_the_forest_plot(made, page):
    comparison = comparison_of(made)
    forest = next(words for words in Outline(page).pictures if words.startswith("Ratios"))
    for name, person in comparison["persons"].items():
        assert f"{name} {person['ratio']:.2f}" in forest
    assert f"together {comparison['cohort']['ratio']:.2f}" in forest


def test_verdicts_are_those_of_the_comparison(made, page):
    comparison = comparison_of(made)
    assert comparison["cohort"]["sentence"][1:] in words(page)
    for name, person in comparison["persons"].items():
        text = words(person_page(read_study_facts(made), name))
        assert person["sentence"][1:] in text


def test_flow_accounts_for_every_night(made):
    facts = read_study_facts(made)
    flow = facts.flow()
    persons = facts.comparison["persons"].values()
    assert flow["known"] == 6 * 12
    lost = sum(count for _, count in flow["without_result"])
    left_out = sum(count for _, count in flow["left_out"])
    assert lost > 0
    assert flow["recorded"] == flow["known"] - lost
    assert flow["massage"] + flow["control"] == flow["recorded"] - left_out
    assert flow["massage"] == sum(person["nights_massage"] for person in persons)
    assert flow["control"] == sum(person["nights_control"] for person in persons)


def test_every_night_stands_on_the_persons_page(made):
    facts = read_study_facts(made)
    text = words(person_page(facts, "sim-002"))
    for standing in facts.standings("sim-002"):
        assert standing.night.night in text
        if standing.rate is not None:
            assert f"{standing.rate:.1f}" in text
        if standing.why_not:
            assert f"not compared: {standing.why_not}" in text


def test_every_claim_has_its_row(made, page):
    text = words(page)
    for row in comparison_of(made)["claims"]:
        assert f"<td>{row['code']}</td>" in page
        assert row["sentence"][1:] in text


def test_checklists_show_their_blanks(made, page):
    reporting = comparison_of(made)["reporting"]
    assert page.count("<em>blank</em>") == len(reporting["blank"])
    for row in reporting["cent_2015"]:
        assert row["topic"] in words(page)


def test_study_of_one_person_gets_the_persons_page(one_made):
    written = run("report", one_made)
    assert written.exit_code == 0
    page = (one_made / "derived" / "report.html").read_text()
    assert "<h1>Person sim-001</h1>" in page
    assert "Claims about massage" in page


def test_person_is_reported_by_name_and_by_folder(study):
    by_name = run("report", study, "--person", "sim-003")
    where = study / "derived" / "nights" / "sim-003" / "report.html"
    assert by_name.stdout == f"{where}\n"
    first = where.read_bytes()
    by_folder = run("report", where.parent)
    assert by_folder.exit_code == 0
    assert where.read_bytes() == first


def test_unknown_person_is_refused_in_words(study):
    answer = run("report", study, "--person", "nobody")
    assert answer.exit_code == 1
    assert "nobody is called nobody" in answer.stderr
    assert "sim-001" in answer.stderr


def test_study_without_a_comparison_says_what_to_do(study):
    (study / "derived" / "comparison.json").unlink()
    answer = run("report", study)
    assert answer.exit_code == 1
    assert "there is no comparison yet" in answer.stderr
    assert "rlsmove compare" in answer.stderr


def test_comparison_that_is_older_than_its_tables_says_so(study):
    table = study / "nights.tsv"
    table.write_text(table.read_text() + "\n")
    codes = [notice.code for notice in read_study_facts(study).notices]
    assert "comparison_is_older" in codes
    assert "nights.tsv" in study_page(read_study_facts(study))


@pytest.mark.parametrize("damage", ["persons", "claims", "settings", "provenance"])
def test_damaged_comparison_is_refused_in_words(damage, study):
    comparison = comparison_of(study)
    comparison[damage] = "nonsense"
    (study / "derived" / "comparison.json").write_text(json.dumps(comparison))
    with pytest.raises(StudyError, match=damage):
        read_study_facts(study)


def test_comparison_of_a_plain_table_is_reported_without_nights(tmp_path):
    lines = ["participant_id,night,condition,block,count,hours"]
    for person in ("a", "b", "c"):
        for block in range(1, 7):
            for condition, count in (("massage", 30), ("control", 44)):
                night = 2 * block + (condition == "control")
                lines.append(f"{person},{night},{condition},{block},{count + block},7")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    options = ["--scheme", "pairs", "--out", tmp_path / "out"]
    assert run("compare", "--nights", tmp_path / "table.csv", *options).exit_code == 0
    assert run("report", tmp_path / "out").exit_code == 0
    text = words((tmp_path / "out" / "report.html").read_text())
    assert "movements per hour" in text
    assert "Simulated data" not in text


def test_before_and_after_is_no_test_and_has_no_p(tmp_path):
    lines = ["participant_id\tnight\tcondition\tblock\tcount\thours"]
    lines += [
        f"a\t{night}\t{'control' if night < 6 else 'massage'}\t1\t{90 - night}\t7"
        for night in range(12)
    ]
    (tmp_path / "table.tsv").write_text("\n".join(lines))
    options = ["--scheme", "none", "--out", tmp_path / "out"]
    run("compare", "--nights", tmp_path / "table.tsv", *options)
    assert run("report", tmp_path / "out").exit_code == 0
    text = words((tmp_path / "out" / "report.html").read_text())
    assert "not a test" in text
    assert "none: conditions were not randomized" in text


def test_markup_in_the_diary_stays_text(study):
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    about = json.loads((study / "study.json").read_text())
    about["title"] = attack
    (study / "study.json").write_text(json.dumps(about))
    table = (study / "nights.tsv").read_text().splitlines()
    column = table[0].split("\t").index("adverse_event")
    cells = table[1].split("\t")
    cells[column] = attack
    table[1] = "\t".join(cells)
    (study / "nights.tsv").write_text("\n".join(table) + "\n")
    run("compare", study)
    facts = read_study_facts(study)
    for page in (study_page(facts), person_page(facts, cells[0])):
        assert "<script" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_same_study_gives_the_same_page(made, page):
    assert study_page(read_study_facts(made)) == page


@needs_chromium
def test_nothing_overlaps_or_runs_over_on_desk_and_phone(made, page, tmp_path):
    facts = read_study_facts(made)
    pages = {"study": page, "person": person_page(facts, "sim-001")}
    with chromium(tmp_path / "profile") as driver:
        for name, text in pages.items():
            (tmp_path / f"{name}.html").write_text(text)
            for width in (1200, 390):
                driver.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
                )
                driver.get(f"file://{tmp_path / name}.html")
                found = driver.execute_script(OVERLAPS)
                assert found["width"] <= width, (name, width)
                assert found["overlaps"] == [], (name, width)
                assert found["outside"] == [], (name, width)


PERSON = {"ratio": 0.59, "ratio_low": 0.43, "ratio_high": 0.8, "verdict": "fewer"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "about 41 % less often; between 20 and 57 % would fit"),
        ({"ratio_high": 1.15}, "anything from 57 % less often to 15 % more often would fit"),
        ({"ratio": 1.5, "ratio_low": 1.05, "ratio_high": 2.1}, "between 5 and 110 % would fit"),
        ({"ratio_low": None, "ratio_high": None}, "any other difference, or none, would fit"),
        ({"ratio_low": None}, "anything from hardly ever to 20 % less often would fit"),
        ({"ratio": 1.001}, "as often as on the others; between"),
        ({"ratio": None}, "not enough yet"),
        ({"verdict": "not_finished"}, "too early for an answer"),
        ({"randomized": False}, "chance did not choose"),
    ],
)
def test_the_answer_is_a_sentence_without_statistics(changed, said):
    answer = plain_answer({**PERSON, **changed}, "at_the_end")
    assert said in answer
    for word in ("interval", "p ", "ratio", "significan", "95"):
        assert word not in answer


def test_looks_every_morning_answer_by_their_own_limits():
    person = {**PERSON, "anytime": {"ratio_low": 0.3, "ratio_high": 0.9}}
    assert "between 10 and 70 %" in plain_answer(person, "every_morning")


def test_what_comes_next_is_about_nights():
    undecided = {**PERSON, "verdict": "cannot_tell", "nights_needed": 40, "nights_over": 14}
    assert "about 26 more nights" in next_step(undecided, "at_the_end")
    begun = {**PERSON, "verdict": "not_finished", "nights_over": 6, "nights_planned": 14}
    assert "6 of 14" in next_step(begun, "at_the_end")
    assert "chance" in next_step({**PERSON, "randomized": False}, "at_the_end")
    assert "none more are needed" in next_step(PERSON, "at_the_end")


def test_a_person_page_begins_with_the_answer_the_nights_and_what_comes_next(made):
    page = person_page(read_study_facts(made), "sim-001")
    person = comparison_of(made)["persons"]["sim-001"]
    places = [
        page.index(part)
        for part in (
            plain_answer(person, "at_the_end"),
            "<svg",
            "Next:",
            "In figures",
            "<dt>p</dt>",
        )
    ]
    assert places == sorted(places)
