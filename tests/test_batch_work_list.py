"""Which recordings belong together, told from their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlsmove.batch.tasks import Failure, attempt
from rlsmove.batch.work_list import persons_of_files, read_work_list
from rlsmove.errors import DamagedRecording
from rlsmove.study.folder import about_study, write_study

ROOT = Path("data")


def grouped(*names: str) -> dict[str, list[tuple[str, str | None]]]:
    persons = persons_of_files(ROOT, [ROOT / name for name in names])
    assert len({person.participant_id for person in persons}) == len(persons)
    return {
        person.participant_id: [(file.name, file.side) for file in person.recordings]
        for person in persons
    }


@pytest.mark.parametrize(
    ("left", "right", "code"),
    [
        ("anna_left.cwa", "anna_right.cwa", "anna"),
        ("anna_L.gt3x", "anna_R.gt3x", "anna"),
        ("Left-anna.csv.gz", "Right-anna.csv.gz", "anna"),
        ("anna/left.bin", "anna/right.bin", "anna"),
        ("01 left ankle.h5", "01 right ankle.h5", "01"),
    ],
)
def test_two_legs_of_one_person(left: str, right: str, code: str) -> None:
    assert grouped(right, left) == {code: [(left, "left"), (right, "right")]}


def test_a_file_without_a_side_is_a_person_of_its_own() -> None:
    assert grouped("one.cwa", "two.cwa") == {"one": [("one.cwa", None)], "two": [("two.cwa", None)]}


def test_one_leg_alone_keeps_its_side() -> None:
    assert grouped("anna_left.cwa") == {"anna": [("anna_left.cwa", "left")]}


def test_the_same_name_in_two_folders_is_two_persons() -> None:
    assert set(grouped("week1/left.cwa", "week1/right.cwa", "week2/left.cwa")) == {"week1", "week2"}
    assert set(grouped("a/night_left.cwa", "b/night_left.cwa")) == {"a", "b"}


def test_a_word_that_only_begins_like_a_side_is_none() -> None:
    assert grouped("leftover.cwa") == {"leftover": [("leftover.cwa", None)]}


def test_names_that_say_nothing_still_get_codes() -> None:
    assert len(grouped("???.cwa", "!!!.cwa", "left.cwa")) == 3


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DamagedRecording("a.cwa", "nothing\nwhole"), "damaged_recording"),
        (MemoryError(), "out_of_memory"),
        (ZeroDivisionError("odd"), "internal_error"),
    ],
)
def test_whatever_goes_wrong_in_a_task_becomes_a_failure(error: Exception, code: str) -> None:
    failure = attempt(fail, error)
    assert isinstance(failure, Failure)
    assert failure.code == code
    assert "\n" not in failure.sentence


@pytest.mark.parametrize(
    ("cell", "clock_zone", "lights_off"),
    [
        ("n/a", "Europe/Berlin", "23:10"),
        ("Europe/Berlin", "Europe/Berlin", "23:10"),
        ("UTC", "UTC", "23:10"),
        ("Europe/Berlin +12.5", "Europe/Berlin", "2026-03-02T23:10:12.500000+01:00"),
        ("Atlantis", "Europe/Berlin", "23:10"),
    ],
)
def test_lights_of_the_diary_are_told_by_the_clock_of_the_device(
    cell: str, clock_zone: str, lights_off: str, tmp_path: Path
) -> None:
    recording = {"participant_id": "p1", "file": "raw/a.cwa", "leg": "left", "placement": "ankle"}
    night = {"participant_id": "p1", "night": "2026-03-02", "lights_off": "23:10"}
    tables = {"recordings.tsv": [{**recording, "clock": cell}], "nights.tsv": [night]}
    write_study(tmp_path, about_study("test", "Europe/Berlin"), tables)
    work = read_work_list(tmp_path)
    (person,) = work.persons
    assert person.diary
    file = person.recordings[0]
    entry = person.diary["2026-03-02"]
    assert entry.lights("2026-03-02", file.clock) == (lights_off, None)
    assert (file.told.time_zone, file.told.clock_zone) == ("Europe/Berlin", clock_zone)
