"""Parts of a batch on several machines, and their merging."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from batch_studies import files_under, make_study
from click.testing import CliRunner

from rlsmove.batch import merge_shards, run_batch
from rlsmove.batch.shards import Shard
from rlsmove.cli import main
from rlsmove.errors import SettingError, StudyError

BROKEN = "raw/p02_2026-03-02_left.h5"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run in one piece."""
    path = tmp_path_factory.mktemp("whole") / "study"
    make_study(path, persons=3, nights=1)
    (path / BROKEN).write_bytes(b"nothing")
    run_batch(path, jobs=1)
    return path


@pytest.fixture(scope="module")
def in_parts(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in three parts, not merged yet."""
    path = tmp_path_factory.mktemp("parts") / "study"
    shutil.copytree(whole, path, ignore=shutil.ignore_patterns("derived"))
    for number in (3, 1, 2):
        run_batch(path, jobs=1, shard=Shard(number, 3))
    return path


@pytest.fixture
def parts(in_parts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(in_parts, tmp_path / "study"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with (path / "derived/nights.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_merged_parts_are_the_whole_to_the_byte(whole: Path, parts: Path) -> None:
    merged = merge_shards(parts)
    assert (merged.missing, merged.unfinished) == ([], [])
    shutil.rmtree(parts / "derived/shards")
    assert files_under(parts / "derived") == files_under(whole / "derived")


def test_a_missing_part_is_named_and_its_nights_stand_as_failed(parts: Path) -> None:
    (parts / "derived/shards/shard-3-of-3.json").unlink()
    run = CliRunner().invoke(main, ["merge", str(parts)])
    assert run.exit_code == 1
    assert "part 3 is missing" in run.stderr
    status = {row["participant_id"]: (row["status"], row["code"]) for row in rows_of(parts)}
    assert status["p03"] == ("failed", "shard_missing")
    assert status["p01"][0] != "failed"


def test_a_part_that_was_cut_short_gives_what_it_has(parts: Path) -> None:
    record = parts / "derived/shards/shard-1-of-3.json"
    text = record.read_text()
    text = text.replace('"complete": true', '"complete": false')
    record.write_text(text.replace('"finished": [\n    "p01"\n  ]', '"finished": []'))
    merged = merge_shards(parts)
    assert merged.unfinished == [1]
    assert [row["participant_id"] for row in rows_of(parts)] == ["p01", "p02", "p03"]
    assert rows_of(parts)[0]["status"] != "failed"


def test_parts_of_other_rules_do_not_mix(parts: Path) -> None:
    run_batch(parts, jobs=1, shard=Shard(2, 3), rules_name="aasm")
    with pytest.raises(StudyError, match="part 2/3 was run by another version or other rules"):
        merge_shards(parts)


def test_two_ways_of_cutting_do_not_mix(parts: Path) -> None:
    shutil.copy(
        parts / "derived/shards/shard-1-of-3.json", parts / "derived/shards/shard-1-of-4.json"
    )
    with pytest.raises(StudyError, match="parts of 3 and of 4"):
        merge_shards(parts)


def test_without_any_part_there_is_nothing_to_merge(whole: Path) -> None:
    with pytest.raises(StudyError, match="no part of a batch"):
        merge_shards(whole)


def test_a_person_added_between_parts_is_named_and_nobody_counts_twice(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "study"
    shutil.copytree(whole, path, ignore=shutil.ignore_patterns("derived"))
    run_batch(path, jobs=1, shard=Shard(1, 2))
    for side in ("left", "right"):
        name = f"raw/p00_2026-03-02_{side}.h5"
        shutil.copy(path / f"raw/p01_2026-03-02_{side}.h5", path / name)
        with (path / "recordings.tsv").open("a") as table:
            table.write(f"p00\t{name}\t{side}\tankle" + "\tn/a" * 20 + "\n")
    with (path / "nights.tsv").open("a") as table:
        table.write("p00\t2026-03-02" + "\tn/a" * 40 + "\n")
    run_batch(path, jobs=1, shard=Shard(2, 2))
    run = CliRunner().invoke(main, ["merge", str(path)])
    assert run.exit_code == 1
    assert "p00" in run.output
    rows = rows_of(path)
    assert [row["participant_id"] for row in rows] == ["p00", "p01", "p02", "p03"]
    assert rows[0]["code"] == "not_in_parts"
    assert json.loads((path / "derived/provenance.json").read_text())["complete"] is False

    for number in (1, 2):
        run_batch(path, jobs=1, shard=Shard(number, 2))
    merge_shards(path)
    assert [row["status"] for row in rows_of(path)].count("failed") == 0


def test_every_person_is_in_exactly_one_part() -> None:
    persons = [f"p{number}" for number in range(11)]
    parts = [Shard(number, 4).part_of(persons) for number in range(1, 5)]
    assert sorted(person for part in parts for person in part) == sorted(persons)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/2/3", "-1/3"])
def test_a_part_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="i/n"):
        Shard.parse(text)
