"""A trial as it runs: tonight's condition, how nights stand, sheets and calendars."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rlsmove.cli import main
from rlsmove.errors import SettingError, StudyError
from rlsmove.report.night_sheet import write_sheets
from rlsmove.study.columns import RUN_IN
from rlsmove.study.folder import about_study, read_study, write_study
from rlsmove.study.night_calendar import CalendarNight, calendar_text
from rlsmove.study.plan import (
    NIGHT_RULES,
    first_nights,
    freeze_plan,
    plan_content,
    read_plan,
    reveal_plan,
)
from rlsmove.study.scheme import make_scheme
from rlsmove.study.status import study_status
from rlsmove.study.tables import table_text
from rlsmove.study.tonight import this_evening, tonight

START = date(2026, 3, 2)
WORDS = [
    {"name": "Fußmassage", "massage": True, "areas": "calf"},
    {"name": "Ruhe; wie immer", "massage": False},
]


def planned(path, people=("P01", "P02"), *, conceal=False, nights=8, run_in=0):
    rows = [{"participant_id": name} for name in people]
    about = about_study("s", "Europe/Berlin", arms=WORDS)
    write_study(path, about, {"participants.tsv": rows})
    study = read_study(path)
    arms = tuple(arm["name"] for arm in WORDS)
    scheme = make_scheme("pairs", arms, nights, run_in_nights=run_in)
    content = plan_content(study, scheme, 5, first_nights(study, START), {})
    freeze_plan(study, content, conceal=conceal)
    return content


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def nights_of(path):
    with (path / "nights.tsv").open(newline="") as file:
        return {(r["participant_id"], r["night"]): r for r in csv.DictReader(file, delimiter="\t")}


def change_nights(path, change):
    rows = nights_of(path)
    change(rows)
    header = list(next(iter(rows.values())))
    (path / "nights.tsv").write_text(table_text(header, rows.values()))


def test_tonight_is_in_the_words_of_the_study_with_the_rules_of_the_plan(tmp_path):
    content = planned(tmp_path)
    for entry in content["participants"]["P02"]["schedule"]:
        told = run("study", "tonight", tmp_path, "--participant", "P02", "--night", entry["night"])
        assert told.exit_code == 0
        assert entry["arm"] in told.stdout
        other = next(arm["name"] for arm in WORDS if arm["name"] != entry["arm"])
        assert other not in told.stdout
        assert ("massage_start" in told.stdout) == (entry["arm"] == WORDS[0]["name"])
        for rule in NIGHT_RULES.values():
            assert rule in told.stdout


def test_an_edited_plan_shows_what_was_drawn_and_says_that_it_was_edited(tmp_path):
    content = planned(tmp_path)
    entry = content["participants"]["P01"]["schedule"][0]
    plan = json.loads((tmp_path / "plan.json").read_text())
    other = next(arm["name"] for arm in WORDS if arm["name"] != entry["arm"])
    plan["participants"]["P01"]["schedule"][0]["arm"] = other
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    told = run("study", "tonight", tmp_path, "--participant", "P01", "--night", entry["night"])
    assert f": {entry['arm']}" in told.stdout
    assert "changed after freezing" in told.stderr


def test_a_concealed_night_is_shown_alone_and_entered_alone(tmp_path):
    content = planned(tmp_path, conceal=True)
    before = nights_of(tmp_path)
    entry = content["participants"]["P01"]["schedule"][3]
    told = run("study", "tonight", tmp_path, "--participant", "P01", "--night", entry["night"])
    assert f": {entry['arm']}" in told.stdout
    assert "condition entered" in told.stderr
    after = nights_of(tmp_path)
    before["P01", entry["night"]]["condition_assigned"] = entry["arm"]
    assert after == before
    as_it_is = (tmp_path / "nights.tsv").read_bytes()
    assert not tonight(read_study(tmp_path), "P01", date.fromisoformat(entry["night"])).entered
    assert (tmp_path / "nights.tsv").read_bytes() == as_it_is
    reveal_plan(read_study(tmp_path))
    assert read_plan(read_study(tmp_path)).changes == ()


def test_a_concealed_plan_with_another_secret_tells_nothing(tmp_path):
    planned(tmp_path, conceal=True)
    secret = json.loads((tmp_path / "plan.secret").read_text())
    schedule = secret["participants"]["P01"]["schedule"]
    schedule[0]["arm"], schedule[1]["arm"] = schedule[1]["arm"], schedule[0]["arm"]
    (tmp_path / "plan.secret").write_text(json.dumps(secret))
    as_it_is = (tmp_path / "nights.tsv").read_bytes()
    told = run("study", "tonight", tmp_path, "--participant", "P01", "--night", START)
    assert told.exit_code == 1
    assert "committed" in told.stderr
    assert not any(arm["name"] in told.stdout for arm in WORDS)
    assert (tmp_path / "nights.tsv").read_bytes() == as_it_is


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text.replace("n/a", "extra\tn/a", 1), "cells"),
        (lambda text: text + text.splitlines(keepends=True)[1], "2 rows"),
        (lambda text: text.replace("\tn/a", "\tsomething", 1), "something"),
    ],
    ids=["a cell too many", "the night twice", "another condition"],
)
def test_nights_that_cannot_take_the_condition_stay_as_they_are(tmp_path, spoil, said):
    planned(tmp_path, conceal=True)
    path = tmp_path / "nights.tsv"
    path.write_text(spoil(path.read_text()))
    as_it_is = path.read_bytes()
    with pytest.raises(StudyError, match=said):
        tonight(read_study(tmp_path), "P01", START)
    assert path.read_bytes() == as_it_is


def test_a_night_outside_the_plan_names_the_next_one(tmp_path):
    planned(tmp_path)
    with pytest.raises(StudyError, match="the next is 2026-03-02"):
        tonight(read_study(tmp_path), "P01", date(2026, 2, 1))
    with pytest.raises(SettingError, match="P01, P02"):
        tonight(read_study(tmp_path), None, START)
    with pytest.raises(SettingError, match="P09"):
        tonight(read_study(tmp_path), "P09", START)


def test_a_study_without_a_plan_is_told_so(tmp_path):
    write_study(tmp_path, about_study("s"), {})
    told = run("study", "tonight", tmp_path)
    assert told.exit_code == 1
    assert "no plan" in told.stderr


def test_nights_of_the_run_in_have_no_condition(tmp_path):
    planned(tmp_path, ("P01",), conceal=True, run_in=2)
    told = tonight(read_study(tmp_path), night=START)
    assert (told.condition, told.number, told.entered) == (RUN_IN, 0, False)
    assert tonight(read_study(tmp_path), night=date(2026, 3, 4)).number == 1


@pytest.mark.parametrize(
    ("utc", "evening"),
    [
        (datetime(2026, 3, 2, 20, 0, tzinfo=UTC), START),
        (datetime(2026, 3, 3, 1, 0, tzinfo=UTC), START),
        (datetime(2026, 3, 3, 7, 0, tzinfo=UTC), date(2026, 3, 3)),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), START),
    ],
)
def test_tonight_goes_by_the_clock_of_the_study_and_past_midnight(tmp_path, utc, evening):
    planned(tmp_path)
    assert this_evening(read_study(tmp_path), utc) == evening


def test_status_counts_nights_and_says_nothing_of_an_effect(tmp_path):
    content = planned(tmp_path)
    schedule = content["participants"]["P01"]["schedule"]
    results = [
        {"status": "ok", "participant_id": "P01", "night": schedule[0]["night"], "side": "both"},
        {
            "status": "warned",
            "participant_id": "P01",
            "night": schedule[1]["night"],
            "side": "left",
        },
        {
            "status": "failed",
            "participant_id": "P01",
            "night": schedule[2]["night"],
            "side": "both",
        },
    ]
    (tmp_path / "derived").mkdir()
    (tmp_path / "derived" / "nights.csv").write_text(
        table_text(list(results[0]), results, delimiter=",")
    )

    def fill(rows):
        rows["P01", schedule[0]["night"]] |= {
            "lights_off": "22:45",
            "condition_received": schedule[0]["arm"],
        }
        rows["P01", schedule[1]["night"]]["condition_received"] = next(
            arm["name"] for arm in WORDS if arm["name"] != schedule[1]["arm"]
        )

    change_nights(tmp_path, fill)
    status = study_status(read_study(tmp_path), date(2026, 3, 6))
    person = status["persons"]["P01"]
    wanted = {"planned": 8, "over": 4, "done": 2, "missed": 2, "to_come": 4, "scored": 2}
    wanted |= {"swapped": 1, "left": 2, "right": 1, "diary": 1, "excluded": 0}
    assert {name: person[name] for name in wanted} == wanted
    told = " ".join(person["to_do"])
    for part in ("no recording of 2026-03-04, 2026-03-05", "no right leg on 2026-03-03"):
        assert part in told
    assert status["persons"]["P02"]["missed"] == 4
    shown = run("study", "status", tmp_path)
    assert shown.exit_code == 0
    for word in ("ratio", "fewer", "per hour", " p "):
        assert word not in shown.stdout
    assert set(json.loads(run("study", "status", tmp_path, "--json").stdout)["persons"]) == {
        "P01",
        "P02",
    }


def test_status_of_a_study_without_a_plan_says_to_draw_one(tmp_path):
    write_study(tmp_path, about_study("s"), {"participants.tsv": [{"participant_id": "P01"}]})
    assert study_status(read_study(tmp_path))["persons"]["P01"]["to_do"] == [
        "draw the nights: rlsmove plan STUDY"
    ]


def unfolded(text):
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    return text.replace("\r\n ", "").split("\r\n")


@given(st.text(max_size=200))
def test_a_calendar_keeps_any_text_in_lines_of_75_octets(text):
    night = CalendarNight("a@b", START, text, text)
    lines = unfolded(calendar_text("x", [night], datetime(2026, 3, 1, tzinfo=UTC)))
    summary = next(line for line in lines if line.startswith("SUMMARY:"))[8:]
    read = summary.replace("\\\\", "\0").replace("\\n", "\n").replace("\\,", ",")
    read = read.replace("\\;", ";").replace("\0", "\\")
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    assert read == "".join(c for c in kept if c in "\n\t" or (c >= " " and c != "\x7f"))


def test_sheets_and_calendars_hold_the_nights_to_come(tmp_path):
    content = planned(tmp_path)
    out = tmp_path / "sheets"
    write_sheets(read_study(tmp_path), out, date(2026, 3, 5))
    page = (out / "P01.html").read_text()
    lines = unfolded((out / "P01.ics").read_bytes().decode())
    for number, entry in enumerate(content["participants"]["P01"]["schedule"], start=1):
        to_come = entry["night"] >= "2026-03-05"
        assert (f"{entry['night']}, night {number} of 8: {entry['arm']}" in page) == to_come
        start = f"DTSTART;VALUE=DATE:{entry['night'].replace('-', '')}"
        assert (start in lines) == to_come
        if to_come:
            summary = lines[lines.index(start) + 2]
            assert summary == f"SUMMARY:{entry['arm']} (night {number} of 8)".replace(";", "\\;")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "&#9744; yes" in page or "☐ yes" in page


def test_a_concealed_plan_is_not_in_sheets_and_calendars(tmp_path):
    planned(tmp_path, conceal=True)
    tonight(read_study(tmp_path), "P01", START)
    out = tmp_path / "sheets"
    write_sheets(read_study(tmp_path), out, START)
    calendar = "".join(unfolded((out / "P01.ics").read_bytes().decode()))
    assert not any(arm["name"].replace(";", "\\;") in calendar for arm in WORDS)
    nights = (out / "P01.html").read_text().split('<section class="tile">')[1:]
    # Every night offers the same: what it asks for would tell its condition too.
    assert len({night.split("</h3>")[1].split("</section>")[0] for night in nights}) == 1
    assert all("condition shown this evening" in night.split("</h3>")[0] for night in nights)


def test_who_has_no_night_left_gets_a_sheet_of_all(tmp_path):
    planned(tmp_path, ("P01",))
    written = write_sheets(read_study(tmp_path), tmp_path / "sheets", date(2027, 1, 1))
    assert written[0].read_text().count('<section class="tile">') == 8
