"""What is told of a recording, from the command line and the study to the results."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from device_files import worn
from test_signal_nights import survey_of

from rlsmove.batch.work_list import read_work_list
from rlsmove.cli import main
from rlsmove.devices import Told
from rlsmove.errors import SettingError
from rlsmove.night.analysis import analyse_night
from rlsmove.night.chosen_nights import choose_nights
from rlsmove.night.opened_leg import open_leg
from rlsmove.night.sleep_source import clocks_change, wall_ms
from rlsmove.signal.nights import night_spans
from rlsmove.study.folder import about_study, write_study

FS = 25
SIGNAL = np.round(worn(120, FS), 4)


def table(path: Path, times: list[str], head: str = "time,x,y,z") -> Path:
    lines = [f"{t},{x},{y},{z}" for t, (x, y, z) in zip(times, SIGNAL.tolist(), strict=True)]
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture
def undated(tmp_path: Path) -> Path:
    return table(tmp_path / "undated.csv", [f"{i / FS:.2f}" for i in range(len(SIGNAL))])


@pytest.fixture
def epoch(tmp_path: Path) -> Path:
    """Of a person in New York, from 22:30 on the evening of March 1 on."""
    first = datetime(2026, 3, 2, 3, 30, tzinfo=UTC).timestamp()
    return table(tmp_path / "epoch.csv", [f"{first + i / FS:.2f}" for i in range(len(SIGNAL))])


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_info_says_what_was_taken_for_what(epoch: Path) -> None:
    facts = json.loads(run("info", epoch, "--json").stdout)
    assert facts["clock"] == {"start_time": "2026-03-02T03:30:00+00:00", "time_zone": None}
    assert (
        "--time-zone" in next(w for w in facts["warnings"] if w["code"] == "epoch_time")["sentence"]
    )
    told = json.loads(run("info", epoch, "--time-zone", "America/New_York", "--json").stdout)
    assert told["clock"]["start_time"] == "2026-03-01T22:30:00-05:00"
    assert told["coverage"]["nights"] == ["2026-03-01"]
    assert told["told"] == {"time_zone": "America/New_York"}
    taken = {entry["what"]: entry for entry in told["taken"]}
    assert taken["zone"] == {"what": "zone", "value": "America/New_York", "from": "told"}
    assert "seconds since 1970" in taken["time"]["value"]
    assert taken["unit"]["from"].startswith("gravity at rest")


def test_info_gives_the_options_that_would_help(tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, 22, 30)
    times = [
        f"{start + timedelta(seconds=i / FS):%d/%m/%Y %H:%M:%S.%f}" for i in range(len(SIGNAL))
    ]
    path = table(tmp_path / "my night.csv", times)
    refused = run("info", path)
    assert refused.exit_code == 1
    pasted = [line for line in refused.stderr.splitlines() if line.startswith("rlsmove info")]
    assert pasted == [
        f"rlsmove info '{path}' --date-order dmy",
        f"rlsmove info '{path}' --date-order mdy",
    ]
    assert run("info", path, "--date-order", "dmy").exit_code == 0


def test_wall_times_need_a_date(undated: Path) -> None:
    refused = run("night", undated, "--lights-off", "22:31", "--lights-on", "22:32")
    assert refused.exit_code == 1
    assert "undated.csv, which has no date" in refused.stderr
    assert "--start 2026-03-01T22:30" in refused.stderr
    dated = run(
        "night", undated, "--lights-off", "22:30:20", "--lights-on", "22:31:20",
        "--start", "2026-03-01T22:30", "--json",
    )  # fmt: skip
    record = json.loads(dated.stdout)
    assert record["sleep"]["lights_off"] == "2026-03-01T22:30:20.000"
    bare = run("night", undated, "--json")
    assert json.loads(bare.stdout)["recording"]["clock"]["start_time"] is None


def test_two_legs_without_a_date_are_never_simultaneous(undated: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(undated.read_text().replace("x,y,z", "z,y,x"))
    legs = [open_leg(undated, "left"), open_leg(other, "right")]
    result = analyse_night(legs, choose_nights(legs)[0])
    assert not result.detected.combined
    assert any("never taken for simultaneous" in notice.sentence for notice in result.notices)
    refused = run(
        "night", "--left", undated, "--right", other, "--left-start", "2026-03-01T22:30",
        "--lights-off", "22:31",
    )  # fmt: skip
    assert "other.csv" in refused.stderr
    assert "--right-start" in refused.stderr
    both = run(
        "night", "--left", undated, "--right", other, "--left-start", "2026-03-01T22:30",
        "--right-start", "2026-03-01T22:30:01", "--lights-off", "22:30:30", "--json",
    )  # fmt: skip
    legs_said = json.loads(both.stdout)["recording"]["legs"]
    assert legs_said["left"]["told"] == {"start": "2026-03-01T22:30:00"}
    assert legs_said["right"]["told"] == {"start": "2026-03-01T22:30:01"}


def test_an_option_of_a_leg_goes_before_that_of_both(epoch: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(epoch.read_text().replace("x,y,z", "z,y,x"))
    both = run(
        "night", "--left", epoch, "--right", other, "--time-zone", "America/New_York",
        "--right-time-zone", "America/Chicago", "--json",
    )  # fmt: skip
    legs = json.loads(both.stdout)["recording"]["legs"]
    assert legs["left"]["clock"]["time_zone"] == "America/New_York"
    assert legs["right"]["clock"]["start_time"] == "2026-03-01T21:30:00-06:00"


def test_a_conversion_keeps_what_was_told(epoch: Path, tmp_path: Path) -> None:
    for suffix in ("h5", "csv"):
        out = tmp_path / f"out.{suffix}"
        assert run("convert", epoch, out, "--time-zone", "America/New_York").exit_code == 0
        facts = json.loads(run("info", out, "--json").stdout)
        assert facts["clock"]["start_time"] == "2026-03-01T22:30:00-05:00"


def test_what_cannot_be_told_is_a_clear_error(epoch: Path) -> None:
    refused = run("info", epoch, "--time-zone", "Mars/Olympus")
    assert refused.exit_code == 1
    assert "--time-zone: 'Mars/Olympus'; expected an IANA zone" in refused.stderr


TOLD_IN_A_STUDY = {
    "time_zone": ({"file": "epoch.csv", "time_zone": "America/New_York"}, "Europe/Berlin"),
    "start": ({"file": "undated.csv", "start": "2026-03-01T22:30"}, "America/New_York"),
    "unit": ({"file": "epoch.csv", "unit": "mg"}, "America/New_York"),
}


def study_of(column: str, folder: Path) -> None:
    cells, zone = TOLD_IN_A_STUDY[column]
    row = {"participant_id": "p1", "leg": "left", "placement": "ankle", **cells}
    write_study(folder, about_study("test", zone), {"recordings.tsv": [row]})


@pytest.mark.parametrize("column", ["time_zone", "start"])
def test_a_study_tells_the_same(column: str, epoch: Path, undated: Path, tmp_path: Path) -> None:
    study_of(column, tmp_path)
    assert run("batch", tmp_path, "--jobs", "1").exit_code == 0
    folder = tmp_path / "derived" / "nights" / "p1" / "2026-03-01"
    record = json.loads((folder / "night.json").read_text())["recording"]
    assert record["clock"]["start_time"] == "2026-03-01T22:30:00-05:00"
    assert record["told"]["time_zone"] == "America/New_York"


def test_a_study_that_tells_what_does_not_fit(epoch: Path, tmp_path: Path) -> None:
    study_of("unit", tmp_path)
    assert run("batch", tmp_path, "--jobs", "1").exit_code == 1
    assert "--unit" in (tmp_path / "derived" / "nights.csv").read_text()
    row = {"participant_id": "p1", "leg": "left", "placement": "ankle", "file": "epoch.csv"}
    rows = [row, {**row, "file": "other.csv", "where": "no such thing"}]
    write_study(tmp_path / "other", about_study("test"), {"recordings.tsv": rows})
    (failure,) = read_work_list(tmp_path / "other").failures
    assert "where 'no such thing' cannot be used" in failure["sentence"]


def test_nights_are_cut_at_the_noon_of_the_sleeper() -> None:
    # Recorded over the change of March 29 in Berlin, whose day has 23 hours.
    start = datetime(2026, 3, 27, 13, tzinfo=timezone(timedelta(hours=1)))
    nights, _ = night_spans(start, survey_of(95), "Europe/Berlin")
    assert [span.evening for span in nights] == [
        date(2026, 3, 27) + timedelta(days=i) for i in range(4)
    ]
    assert [span.start_s / 3600 for span in nights] == [0.0, 23.0, 46.0, 70.0]
    # A clock without a zone goes on.
    nights, _ = night_spans(start.replace(tzinfo=None), survey_of(95))
    assert [span.start_s / 3600 for span in nights] == [0.0, 23.0, 47.0, 71.0]
    # Without a date nobody knows noon: every 24 h from the start are a night.
    nights, _ = night_spans(datetime(1970, 1, 1), survey_of(50), dated=False)
    assert [span.start_s / 3600 for span in nights] == [0.0, 24.0]


def test_wall_times_follow_the_wall_over_a_change_of_the_clocks() -> None:
    start = datetime(2026, 3, 28, 22, 45, tzinfo=timezone(timedelta(hours=1)))
    ms = wall_ms("07:10", start, date(2026, 3, 28), "--lights-on", "Europe/Berlin")
    assert ms == round(1000 * 3600 * (7 + 25 / 60))
    assert clocks_change(start, 0.0, 8 * 3600.0, "Europe/Berlin")
    assert not clocks_change(start, 0.0, 2 * 3600.0, "Europe/Berlin")


def test_a_clock_that_was_never_set_has_no_date(tmp_path: Path) -> None:
    start = datetime(1970, 1, 1, 0, 5)
    times = [f"{start + timedelta(seconds=i / FS)}".ljust(26, "0")[:23].replace("0000000", ".000")
             for i in range(len(SIGNAL))]  # fmt: skip
    times = [t if "." in t else f"{t[:19]}.000" for t in times]
    path = table(tmp_path / "a.csv", times)
    leg = open_leg(path, "left")
    assert not leg.recording.dated
    assert any(notice.code == "no_date" for notice in leg.recording.notices)
    told = open_leg(path, "left", told=Told.parse(start="2026-03-01T22:30"))
    assert told.recording.start_time == datetime(2026, 3, 1, 22, 30)
    assert not any(notice.code == "no_date" for notice in told.recording.notices)


def test_a_night_that_is_read_again_is_read_as_it_was_told(undated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = run(
        "night", undated, "--side", "left", "--start", "2026-03-01T22:30",
        "--time-zone", "Europe/Berlin", "--out", out,
    )  # fmt: skip
    assert made.exit_code == 0
    record = json.loads((out / "night.json").read_text())
    told = record["recording"]["told"]
    assert told == {"start": "2026-03-01T22:30:00", "time_zone": "Europe/Berlin"}
    assert Told.parse(**told).as_texts() == told


def test_a_start_that_is_no_time(epoch: Path) -> None:
    with pytest.raises(SettingError, match="a date and a time"):
        Told.parse(start="22:30")
