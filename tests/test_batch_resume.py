"""What a batch computes anew, and why; and what it makes of diaries, folders and reviews."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from batch_studies import FIRST_NIGHT, change_cell, drop_rows, files_under, make_study, write_leg

from rlsmove.batch import BatchResult, person_tasks, run_batch
from rlsmove.batch.finished_nights import NightKey, read_record
from rlsmove.batch.tasks import night_row, read_recording
from rlsmove.batch.work_list import RecordingFile
from rlsmove.errors import RecordingError, StudyError
from rlsmove.io.provenance import library_versions
from rlsmove.night.analysis import analyse_night
from rlsmove.night.opened_leg import open_leg
from rlsmove.night.reopened_leg import reopen_leg
from rlsmove.night.sleep_source import Lights
from rlsmove.records import Notice
from rlsmove.results.movements_csv import MOVEMENT_COLUMNS
from rlsmove.review import open_night
from rlsmove.review.edits import append_edit, new_edit
from rlsmove.scoring import INDICES

NIGHT_1, NIGHT_2 = (str(FIRST_NIGHT + timedelta(days=day)) for day in (0, 1))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "study"
    make_study(path, persons=1, nights=2)
    run_batch(path, jobs=1)
    return path


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


def explained(path: Path, **options: object) -> dict[str, str]:
    """Run again; what became of each night, and why."""
    told = {}
    run_batch(path, jobs=1, explain=lambda _, night, why: told.update({night: why}), **options)
    return told


def rows_of(path: Path) -> list[dict[str, str]]:
    with (path / "derived/nights.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_finished_night_is_kept_and_nothing_changes(study: Path) -> None:
    before = files_under(study)
    assert explained(study) == {NIGHT_1: "kept", NIGHT_2: "kept"}
    assert files_under(study) == before


def test_changed_inputs_and_settings_are_told_apart(study: Path) -> None:
    write_leg(study / f"raw/p01_{NIGHT_1}_left.h5", FIRST_NIGHT, "left", seed=5)
    change_cell(study / "nights.tsv", 2, "lights_on", "22:35")
    told = explained(study)
    assert told[NIGHT_1] == f"computed: raw/p01_{NIGHT_1}_left.h5 has changed"
    assert told[NIGHT_2] == "computed: lights_on 22:40 before, 22:35 now"
    assert set(explained(study).values()) == {"kept"}


def test_other_rules_are_told_by_their_names(study: Path) -> None:
    told = explained(study, rules_name="aasm")
    assert all(why.startswith("computed: rules differ (name wasm2016") for why in told.values())


@pytest.mark.parametrize("name", ["movements.csv", "night.json", "night.npz"])
def test_a_file_that_was_changed_or_removed_is_made_again(study: Path, name: str) -> None:
    files = [study / f"derived/nights/p01/{night}/{name}" for night in (NIGHT_1, NIGHT_2)]
    before = files[0].read_bytes(), files[1].read_bytes()
    files[0].write_bytes(before[0] + b" ")
    files[1].unlink()
    assert explained(study) == {
        NIGHT_1: f"computed: {name} was changed",
        NIGHT_2: f"computed: {name} is missing",
    }
    assert (files[0].read_bytes(), files[1].read_bytes()) == before


def test_an_older_version_is_computed_again(study: Path) -> None:
    record = study / f"derived/nights/p01/{NIGHT_1}/batch.json"
    record.write_text(record.read_text().replace('"version": "', '"version": "0.0.0 of '))
    assert explained(study)[NIGHT_1].startswith("computed: version 0.0.0 of ")


def test_a_damaged_record_counts_as_unfinished(study: Path) -> None:
    (study / f"derived/nights/p01/{NIGHT_1}/batch.json").write_text('{"key": ')
    assert explained(study) == {
        NIGHT_1: "computed: its earlier run did not finish",
        NIGHT_2: "kept",
    }


def test_leftovers_of_a_killed_run_are_cleared_away(study: Path) -> None:
    before = files_under(study / "derived")
    night = study / f"derived/nights/p01/{NIGHT_1}"
    (night / ".night.npz.0a1b2c3d.part").write_bytes(b"half")
    (study / "derived/.nights.csv.0a1b2c3d.part").write_bytes(b"half")
    (night / "batch.json").unlink()
    explained(study)
    assert files_under(study / "derived") == before


def test_a_night_in_one_table_and_not_in_the_other_is_reported(study: Path) -> None:
    drop_rows(study / "nights.tsv", NIGHT_1)
    drop_rows(study / "recordings.tsv", NIGHT_2)
    result = run_batch(study, jobs=1)
    first, second = rows_of(study)
    assert first["status"] == "warned"
    assert "not_in_diary" in first["code"].split(";")
    assert second["status"] == "failed"
    assert second["code"] == "no_recording"
    assert [failure["code"] for failure in result.failures] == ["no_recording"]


def test_that_sleep_comes_from_the_sensor_is_a_column_and_no_warning(study: Path) -> None:
    for row in rows_of(study):
        assert row["sleep_source"] == "lights"
        assert "sleep_from_sensor" not in row["code"].split(";")
        assert "inactivity" not in row["sentence"]
    record = read_record(study / f"derived/nights/p01/{NIGHT_1}")
    assert record
    key = NightKey(**record["key"])
    leg = open_leg(study / f"raw/p01_{NIGHT_1}_left.h5")
    result = analyse_night([leg], FIRST_NIGHT, lights=Lights("22:05", "22:40"))
    (common,) = (n for n in result.notices if n.code == "sleep_from_sensor")
    assert night_row(replace(result, notices=[common]), key)["status"] == "ok"
    special = Notice("not_worn", "it lay on the table")
    row = night_row(replace(result, notices=[common, special]), key)
    assert [row[name] for name in ("status", "code", "sentence")] == [
        "warned", "not_worn", "it lay on the table",
    ]  # fmt: skip


def test_lights_of_the_diary_are_used(study: Path) -> None:
    change_cell(study / "nights.tsv", 1, "lights_off", "22:15")
    run_batch(study, jobs=1)
    night = json.loads((study / f"derived/nights/p01/{NIGHT_1}/night.json").read_text())
    assert night["sleep"]["source"] == "lights"
    assert night["sleep"]["lights_off"] == f"{NIGHT_1}T22:15:00.000+00:00"


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("lights_off", "quarter past ten", "nights.tsv, row 2: lights_off is 'quarter past ten'"),
        ("lights_off", "23:50", "is not before lights on"),
        ("night", NIGHT_2, "nights.tsv has it 2 times, in rows 2, 3"),
    ],
)
def test_a_diary_that_cannot_be_used_fails_the_night_with_its_place(
    study: Path, column: str, value: str, told: str
) -> None:
    change_cell(study / "nights.tsv", 1, column, value)
    run_batch(study, jobs=1)
    failed = [row for row in rows_of(study) if row["status"] == "failed"]
    assert len(failed) == 1
    assert told in failed[0]["sentence"]


def test_rows_that_name_no_recording_are_reported(study: Path) -> None:
    change_cell(study / "recordings.tsv", 1, "leg", "middle")
    change_cell(study / "recordings.tsv", 4, "file", f"raw/p01_{NIGHT_2}_left.h5")
    result = run_batch(study, jobs=1)
    told = sorted(f["sentence"] for f in result.failures if f["code"] == "bad_table_row")
    assert told == [
        "recordings.tsv, row 2: leg 'middle' cannot be used",
        f"recordings.tsv, row 5: raw/p01_{NIGHT_2}_left.h5 is listed a second time",
    ]


def test_the_longer_of_two_recordings_of_a_leg_is_taken(study: Path) -> None:
    with (study / "recordings.tsv").open("a") as table:
        table.write("p01\traw/again.h5\tleft\tankle\tn/a\tn/a\n")
    write_leg(study / "raw/again.h5", FIRST_NIGHT, "left", seed=0)
    with h5py.File(study / "raw/again.h5", "a") as file:
        shorter = file["acceleration"][:20_000]
        del file["acceleration"]
        file["acceleration"] = shorter
    run_batch(study, jobs=1)
    row = rows_of(study)[0]
    assert row["night"] == NIGHT_1
    assert "raw/again.h5" not in row["file"]
    assert "recording_left_out" in row["code"].split(";")


def test_a_reviewed_night_counts_as_reviewed(study: Path) -> None:
    folder = study / f"derived/nights/p01/{NIGHT_1}"
    before = rows_of(study)[0]
    night = open_night(folder)
    assert night.reviewed is not None
    for leg in night.reviewed.legs:
        fields = {"who": "test", "why": "no movement", "action": "reject"}
        fields["movements"] = list(leg.names)
        append_edit(folder, new_edit(fields, night=night.digest))
    assert explained(study)[NIGHT_1] == "kept"
    after = rows_of(study)[0]
    assert (before["reviewed"], after["reviewed"]) == ("no", "yes")
    assert int(before["lm_count"]) > int(after["lm_count"]) == 0


def test_the_table_has_the_columns_of_the_contract(finished: Path) -> None:
    header = (finished / "derived/nights.csv").read_text().splitlines()[0].split(",")
    first = ["status", "code", "sentence", "participant_id", "night", "side", "file"]
    first.append("simulated")
    massage = ["", "_start", "_min", "_kind", "_intensity_g", "_before_lights_off_min"]
    first += [f"massage_seen{what}" for what in massage]
    first += ["reviewed", "sleep_source", "rules", "detector"]
    assert header == [*first, *(index.name for index in INDICES)]


def test_a_finished_table_stays_until_another_is_complete(study: Path) -> None:
    before = files_under(study / "derived")
    provenance = json.loads(before["provenance.json"])
    assert provenance["complete"] is True
    assert provenance["nights"] == provenance["nights_expected"] == 2
    change_cell(study / "nights.tsv", 1, "lights_off", "22:15")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(study, jobs=1, progress=stop)
    after = files_under(study / "derived")
    for name in ("nights.csv", "provenance.json", "cohort.h5", "failures.csv"):
        assert after[name] == before[name]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record["row"].update(lm_count=999),
        lambda record: record["row"].pop("status"),
        lambda record: record.update(key=[]),
        lambda record: record["recordings"].clear(),
        lambda record: record.pop("digest"),
        lambda record: record.update(outputs=None),
    ],
)
def test_a_record_that_was_edited_is_computed_anew(study: Path, spoil: Any) -> None:
    before = files_under(study)
    path = study / f"derived/nights/p01/{NIGHT_1}/batch.json"
    record = json.loads(path.read_text())
    spoil(record)
    path.write_text(json.dumps(record))
    assert explained(study) == {
        NIGHT_1: "computed: batch.json is damaged, was edited, or is of another version",
        NIGHT_2: "kept",
    }
    assert files_under(study) == before


def test_other_code_and_other_libraries_compute_anew(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = {**library_versions(), "scipy": "9.9"}
    monkeypatch.setattr(person_tasks, "library_versions", lambda: libraries)
    assert "scipy" in explained(study)[NIGHT_1]
    monkeypatch.setattr(person_tasks, "code_digest", lambda: "other")
    assert explained(study)[NIGHT_2] == "computed: the program's code has changed"


def test_one_recording_for_both_legs_is_refused(study: Path) -> None:
    left, right = (study / f"raw/p01_{NIGHT_1}_{side}.h5" for side in ("left", "right"))
    right.write_bytes(left.read_bytes())
    result = run_batch(study, jobs=1)
    row = next(row for row in result.rows if row["night"] == NIGHT_1)
    assert row["status"] == "failed"
    assert "hold the same samples" in row["sentence"]


def test_a_recording_that_changes_between_two_readings_is_refused(study: Path) -> None:
    file = RecordingFile("a", study / f"raw/p01_{NIGHT_1}_left.h5", "left")
    reading = read_recording(file, {})
    assert reading.first is not None
    assert reopen_leg(file.path, reading.first).sha256 == reading.sha256
    content = bytearray(file.path.read_bytes())
    content[len(content) // 2] ^= 1
    times = file.path.stat()
    file.path.write_bytes(content)
    os.utime(file.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(RecordingError, match="changed while it was being read"):
        reopen_leg(file.path, reading.first)


def test_the_store_holds_what_the_tables_hold(finished: Path) -> None:
    rows = rows_of(finished)
    with h5py.File(finished / "derived/cohort.h5") as store:
        assert store.attrs["format"] == "rlsmove-cohort"
        assert store.attrs["complete"]
        nights, movements = store["nights"], store["movements"]
        assert list(nights["night"].asstr()) == [NIGHT_1, NIGHT_2]
        for index in INDICES:
            cells = [row[index.name] for row in rows]
            if "_by_" in index.name:
                cells = [cell.split(";")[0] for cell in cells]
                stored = nights[index.name][:, 0]
            else:
                stored = nights[index.name][:]
            np.testing.assert_array_equal(stored, [float(cell or "nan") for cell in cells])
        for number, night in enumerate((NIGHT_1, NIGHT_2)):
            path = finished / f"derived/nights/p01/{night}/movements.csv"
            with path.open(newline="") as file:
                expected = list(csv.DictReader(file))
            first, n = nights["first_movement"][number], nights["n_movements"][number]
            mine = slice(first, first + n)
            assert n == len(expected) > 0
            assert set(movements["night_row"][mine]) == {number}
            for name in MOVEMENT_COLUMNS:
                column = movements[name]
                if h5py.check_string_dtype(column.dtype):
                    assert list(column.asstr()[mine]) == [row[name] for row in expected]
                else:
                    empty = "nan" if column.dtype.kind == "f" else "-1"
                    wanted = [float(row[name] or empty) for row in expected]
                    np.testing.assert_array_equal(column[mine], wanted)


def test_a_folder_of_recordings_needs_no_tables(study: Path, tmp_path: Path) -> None:
    result = run_batch(study / "raw", jobs=1, out=tmp_path / "results")
    assert outline(result) == [
        ("p01", NIGHT_1, "both"),
        ("p01", NIGHT_2, "both"),
    ]
    assert (tmp_path / f"results/nights/p01/{NIGHT_1}/movements.csv").exists()


def test_a_glob_takes_what_it_fits_and_names_what_fails(study: Path, tmp_path: Path) -> None:
    (study / "raw/broken_left.h5").write_bytes(b"nothing")
    result = run_batch(f"{study}/raw/*_left.h5", jobs=1, out=tmp_path / "results")
    assert outline(result) == [
        ("broken", "", "left"),
        ("p01", NIGHT_1, "left"),
        ("p01", NIGHT_2, "left"),
    ]
    assert [failure["file"] for failure in result.failures] == ["broken_left.h5"]


def outline(result: BatchResult) -> list[tuple[str, str, str]]:
    return [(row["participant_id"], row["night"], row["side"]) for row in result.rows]


@pytest.mark.parametrize("source", ["nowhere", "", "*.cwa"])
def test_a_source_without_recordings_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError):
        run_batch(source or tmp_path)


def test_the_documentation_names_everything_in_the_store(finished: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/batch.md").read_text()
    with h5py.File(finished / "derived/cohort.h5") as store:
        for name in set(store["movements"]) - set(MOVEMENT_COLUMNS):
            assert f"`movements/{name}`" in page
        indices = {index.name for index in INDICES}
        for name in set(store["nights"]) - indices:
            assert f"`{name}`" in page or f"`nights/{name}`" in page
        for name in store.attrs:
            assert f"`{name}`" in page
