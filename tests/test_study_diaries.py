"""Diaries of every layout, imported into nights.tsv, and taken back."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.study.folder import about_study, read_study, write_study


@pytest.fixture
def study(tmp_path):
    people = [
        {"participant_id": "123", "first_night": "2015-03-30"},
        {"participant_id": "567", "first_night": "n/a"},
    ]
    nights = [{"participant_id": "567", "night": "2015-04-20", "condition_assigned": "control"}]
    write_study(
        tmp_path / "s", about_study("s"), {"participants.tsv": people, "nights.tsv": nights}
    )
    return tmp_path / "s"


def load(study, text, *options):
    log = study.parent / "log.csv"
    log.write_text(text)
    run = CliRunner().invoke(main, ["study", "import-sleeplog", str(study), str(log), *options])
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    diary = {
        (row.text["participant_id"], row.text["night"]): (
            row.text["lights_off"],
            row.text["lights_on"],
        )
        for row in read_study(study).tables["nights.tsv"].rows
    }
    return run, diary


BASIC = """ID,onset_N1,wakeup_N1,onset_N2,wakeup_N2,onset_N3,wakeup_N3
123,22:00:00,09:00:00,21:00:00,08:00:00,23:45:00,06:30:00
567,21:55:00,08:47:00,,,00:15:00,06:30:00
"""

ADVANCED = """ID,D1_date,D1_wakeup,D1_inbed,D1_nap_start,D1_nap_end,D1_nonwear1_off,D1_nonwear1_on,\
D2_date,D2_wakeup,D2_inbed,D3_date,D3_wakeup
123,30/03/2015,09:00:00,22:00:00,11:15:00,11:45:00,13:35:00,14:10:00,31/03/2015,08:10:00,02:00:00,\
01/04/2015,07:30:00
567,20/04/2015,08:30:00,23:15:00,,,,,21/04/2015,07:05:00,,,
"""


def test_basic_layout_counts_nights_from_the_first(study):
    run, diary = load(study, BASIC)
    assert run.exit_code == 0, run.output
    assert "basic layout, 5 night(s)" in run.output
    assert diary == {
        ("567", "2015-04-20"): ("21:55:00", "08:47:00"),
        ("123", "2015-03-30"): ("22:00:00", "09:00:00"),
        ("123", "2015-03-31"): ("21:00:00", "08:00:00"),
        ("123", "2015-04-01"): ("23:45:00", "06:30:00"),
        ("567", "2015-04-22"): ("00:15:00", "06:30:00"),
    }


def test_advanced_layout_goes_from_bedtime_to_the_waking_of_the_next_date(study):
    run, diary = load(study, ADVANCED)
    assert run.exit_code == 0, run.output
    assert "advanced layout" in run.output
    assert diary[("123", "2015-03-29")] == ("n/a", "09:00:00")
    assert diary[("123", "2015-03-30")] == ("22:00:00", "08:10:00")
    # Bedtime at two in the morning belongs to the evening before.
    assert diary[("123", "2015-03-31")] == ("02:00:00", "07:30:00")
    assert diary[("567", "2015-04-20")] == ("23:15:00", "07:05:00")


def test_what_was_in_the_diary_stays(study):
    _, before = load(study, BASIC)
    run, after = load(study, BASIC.replace("21:55:00", "22:10:00"))
    assert after == before
    assert run.exit_code == 1
    assert "21:55:00, as it stands in nights.tsv (which is kept)" in run.output
    rows = read_study(study).tables["nights.tsv"].rows
    assert rows[0].get("condition_assigned") == "control"


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (("2015-03-30", "2015-03-31", "2015-04-01"), "any"),
        (("30-03-2015", "31-03-2015", "01-04-2015"), "any"),
        (("03/30/2015", "03/31/2015", "04/01/2015"), "any"),
        (("30.03.15", "31.03.15", "01.04.15"), "any"),
    ],
)
def test_dates_are_read_in_the_one_order_that_makes_days_in_a_row(study, dates, order):
    text = ADVANCED
    for found, written in zip(("30/03/2015", "31/03/2015", "01/04/2015"), dates, strict=True):
        text = text.replace(found, written)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("567"))
    run, diary = load(study, text)
    assert run.exit_code == 0, run.output
    assert diary[("123", "2015-03-30")] == ("22:00:00", "08:10:00")


def test_dates_that_leave_it_open_are_asked_about(study):
    text = "ID,D1_date,D1_wakeup,D1_inbed,D2_date,D2_wakeup\n123,05/05/2015,,22:00,,\n"
    run, diary = load(study, text)
    assert diary[("123", "2015-05-05")] == ("22:00", "n/a")
    text = text.replace("05/05/2015", "03/04/2015")
    run, _ = load(study, text)
    assert run.exit_code == 1
    assert "--date-order" in run.output
    run, diary = load(study, text, "--date-order", "dmy")
    assert run.exit_code == 0, run.output
    assert ("123", "2015-04-03") in diary


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ID,on,off\n999,22:00,06:00\n", "'999'"),
        ("ID,on,off\n123,22:70,06:00\n", "row 2, on: '22:70'"),
        ("ID\n123\n", "no column says when"),
        ("", "empty"),
        ("ID,D1_date,D1_wakeup,D2_date\n123,30/33/2015,08:00,31/33/2015\n", "30/33/2015"),
        ("ID,D1_date,D1_wakeup,D2_date\n123,soon,08:00,later\n", "soon"),
    ],
)
def test_a_bad_log_is_named(study, text, sentence):
    run, _ = load(study, text)
    assert run.exit_code == 1
    assert sentence in run.output


def test_semicolons_and_an_identifier_elsewhere_are_read(study):
    run, diary = load(study, "site;participant_id;on;off\nA;123;22:00;06:00\n")
    assert run.exit_code == 0, run.output
    assert diary[("123", "2015-03-30")] == ("22:00", "06:00")


def test_the_first_night_may_be_given(study):
    _, diary = load(study, "ID,on,off\n123,22:00,06:00\n", "--first-night", "2015-05-01")
    assert ("123", "2015-05-01") in diary


def test_columns_are_matched_by_name_wherever_they_stand(study):
    text = "remark;Got up;Date;Bedtime;Subject ID\nfine;06:30;02.04.2015;22:30;123\n"
    run, diary = load(study, text)
    assert run.exit_code == 0, run.output
    assert "lights_off <- Bedtime" in run.output
    assert diary[("123", "2015-04-02")] == ("22:30", "06:30")


def test_a_redcap_row_an_event_is_a_night(study):
    text = (
        "record_id,redcap_event_name,consent_date,diary_date,lights_off,lights_on,awakenings\n"
        "123,baseline_arm_1,2015-01-02,,,,\n"
        "123,night_1_arm_1,,2015-04-02,22:30,06:30,2\n"
    )
    run, diary = load(study, text)
    assert run.exit_code == 0, run.output
    assert diary == {
        ("567", "2015-04-20"): ("n/a", "n/a"),
        ("123", "2015-04-02"): ("22:30", "06:30"),
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("record_id,diary_date,lights_off,lights_on\n123,,22:30,06:30\n", "row 2, diary_date: no"),
        (
            "ID,bedtime_reported,night_no,asleep,awake\n123,22:50,1,23:05,06:05\n",
            "row 2: no column",
        ),
        ("ID,date,bedtime,gotup\n123,2015-04-02,10:30,06:30\n", "AM or PM"),
        ("ID,date,bedtime,bedtime_2,gotup\n123,2015-04-02,22:30,22:31,06:30\n", "--column"),
        ("ID,date,bedtime,gotup\n123,2015-04-02,22:30,\n123,2015-04-02,22:50,\n", "row 3"),
    ],
)
def test_with_any_problem_nothing_is_written(study, text, sentence):
    before = (study / "nights.tsv").read_bytes()
    run, _ = load(study, text)
    assert run.exit_code == 1
    assert sentence in run.output
    assert (study / "nights.tsv").read_bytes() == before


def test_repeated_headers_are_nights_of_their_own(study):
    text = "ID,onset,wakeup,onset,wakeup\n123,23:10:00,06:50:00,22:40:00,07:05:00\n"
    _, diary = load(study, text)
    assert diary[("123", "2015-03-30")] == ("23:10:00", "06:50:00")
    assert diary[("123", "2015-03-31")] == ("22:40:00", "07:05:00")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10:45 PM", "22:45"),
        ("12:10 a.m.", "00:10"),
        ("22.45", "22:45"),
        ("22h45", "22:45"),
        ("22:45 Uhr", "22:45"),
        ("2245", "22:45"),
        ("11 pm", "23:00"),
        ("0.947916667", "22:45"),
        ("24:00", "00:00"),
        ("02.04.2015 22:45", "2015-04-02T22:45"),
    ],
)
def test_times_as_people_write_them(study, written, read):
    run, diary = load(study, f"ID;date;bedtime;gotup\n123;02.04.2015;{written};06:55\n")
    assert run.exit_code == 0, run.output
    assert diary[("123", "2015-04-02")] == (read, "06:55")


def test_columns_that_no_list_knows_can_be_told(study):
    text = "wer,wann,rein,raus\n123,2015-04-02,22:30,06:30\n"
    run, _ = load(study, text)
    assert run.exit_code == 1
    told = ("participant_id=wer", "night=wann", "lights_off=rein", "lights_on=raus")
    run, diary = load(study, text, *(part for one in told for part in ("--column", one)))
    assert run.exit_code == 0, run.output
    assert diary[("123", "2015-04-02")] == ("22:30", "06:30")


def test_codes_are_known_again_in_spite_of_zeros_and_signs(study):
    run, diary = load(study, "ID,date,bedtime,gotup\n00123,2015-04-02,22:30,06:30\n")
    assert run.exit_code == 0, run.output
    assert ("123", "2015-04-02") in diary


def test_a_dry_run_writes_nothing_and_an_import_can_be_undone(study):
    before = (study / "nights.tsv").read_bytes()
    run, _ = load(study, BASIC, "--dry-run")
    assert "would be filled" in run.output
    assert (study / "nights.tsv").read_bytes() == before
    load(study, BASIC)
    load(study, "ID,date,bedtime,gotup\n123,2016-04-02,22:30,06:30\n")
    assert (study / "nights.tsv").read_bytes() != before
    for _ in range(2):
        assert CliRunner().invoke(main, ["study", "undo", str(study)]).exit_code == 0
    assert (study / "nights.tsv").read_bytes() == before
    run = CliRunner().invoke(main, ["study", "undo", str(study)])
    assert run.exit_code == 1
    assert "nothing was imported" in run.output


def test_what_was_changed_by_hand_is_not_undone(study):
    load(study, BASIC)
    table = study / "nights.tsv"
    table.write_text(table.read_text().replace("22:00:00", "22:01:00"))
    run = CliRunner().invoke(main, ["study", "undo", str(study)])
    assert run.exit_code == 1
    assert "nights.tsv was changed" in run.output


def test_an_excel_sheet_is_read(study):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["ID", "Datum", "Licht aus", "aufgestanden", "caffeine"])
    sheet.append([123, datetime(2015, 4, 2), time(22, 45), datetime(2015, 4, 3, 6, 55), 80.0])
    path = study.parent / "diary.xlsx"
    book.save(path)
    run = CliRunner().invoke(main, ["study", "import-sleeplog", str(study), str(path)])
    assert run.exit_code == 0, run.output
    row = read_study(study).tables["nights.tsv"].rows[-1]
    assert row.text["lights_off"] == "22:45:00"
    assert row.text["lights_on"] == "2015-04-03T06:55:00"
    assert row.cells["caffeine"] == 80
