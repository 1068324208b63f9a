"""`rlsmove score`: files, tables, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from oracle import ORACLE, needs_oracle, rows_by_case

from rlsmove.cli import main
from rlsmove.results.movements_csv import MOVEMENT_COLUMNS
from rlsmove.scoring import INDICES

HEADER = "kind,label,onset_s,duration_s\n"
PLAIN = HEADER + "".join(
    [f"stage,N2,{onset},30\n" for onset in range(0, 3600, 30)]
    + [f"lm,left,{onset},2\n" for onset in range(600, 1800, 30)]
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def written(folder: Path, text: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_one_night_is_printed_index_by_index_with_its_hours(tmp_path):
    result = run(written(tmp_path, PLAIN))
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "40.00" in lines["plms_per_hour"]
    assert lines["plms_per_hour"].endswith("1.00 h sleep")
    assert all(index.name in lines for index in INDICES)
    assert "warning (lights_from_stages)" in result.stderr


def test_one_night_is_written_as_a_night(tmp_path):
    result = run(written(tmp_path, PLAIN), "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "movements.csv",
        "night.json",
    ]
    rows = table(tmp_path / "out" / "movements.csv")
    assert tuple(rows[0]) == MOVEMENT_COLUMNS
    assert len(rows) == 40
    night = json.loads((tmp_path / "out" / "night.json").read_text())
    assert night["indices"]["plms_per_hour"] == 40
    assert night["sleep"]["source"] == "hypnogram"
    assert night["provenance"]["inputs"][0]["file"] == "events.csv"


def test_json_is_what_is_written(tmp_path):
    path = written(tmp_path, PLAIN)
    result = run(path, "--json", "--out", tmp_path / "out")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "night.json").read_text())


@needs_oracle
def test_a_list_with_cases_gives_the_independent_scorers_movements(tmp_path):
    result = run(ORACLE / "events.csv", "--out", tmp_path)
    assert result.exit_code == 0
    names = ["movements.csv", "nights.csv", "score.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    expected = [row for rows in rows_by_case("movements.csv").values() for row in rows]
    found = table(tmp_path / "movements.csv")
    assert next(iter(found[0])) == "case"
    assert [{name: row[name] for name in expected[0]} for row in found] == expected
    nights = table(tmp_path / "nights.csv")
    assert list(nights[0]) == ["case", *(index.name for index in INDICES)]
    assert [night["case"] for night in nights] == list(rows_by_case("events.csv"))
    assert nights[0]["plms_per_hour"] == "71.659919"


def test_all_rules_stand_side_by_side(tmp_path):
    result = run(written(tmp_path, PLAIN), "--rules", "all", "--out", tmp_path / "out")
    assert result.stdout.splitlines()[0].split() == ["index", "wasm2016", "wasm2006", "aasm", "per"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "aasm",
        "wasm2006",
        "wasm2016",
    ]


def test_options_reach_the_rules_and_are_written_down(tmp_path):
    result = run(
        written(tmp_path, PLAIN),
        *("--strict-start", "--respiratory-window", "0.5", "0.5", "--json"),
    )
    rules = json.loads(result.stdout)["rules"]
    assert rules["strict_start"] is True
    assert (rules["respiratory_before_ms"], rules["respiratory_after_ms"]) == (500, 500)


def test_a_table_of_labels_can_be_given(tmp_path):
    labels = written(tmp_path, "label,kind,meaning\nzuck,lm,left\n", "labels.csv")
    events = written(tmp_path, HEADER + "zuck,,1,2\nzuck,,40,2\n")
    assert "unknown_labels" in run(events).stderr
    result = run(events, "--labels", labels, "--json")
    assert "unknown_labels" not in result.stderr
    assert json.loads(result.stdout)["indices"]["lm_count"] == 2


@pytest.mark.parametrize(
    "text", ["", HEADER + "lm,left,x,1\n", HEADER + "stage,W,0,30\nstage,N2,10,30\n"]
)
def test_a_bad_list_ends_with_code_1_one_sentence_and_no_output(tmp_path, text):
    result = run(written(tmp_path, text), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert "events.csv" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [("--rules", "wasm1999"), ("--rules", "aasm", "--strict-start"), ("--respiratory-window", "1")],
)
def test_wrong_usage_ends_with_code_2(tmp_path, options):
    assert run(written(tmp_path, PLAIN), *options).exit_code == 2


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    result = run(written(tmp_path, PLAIN), "--out", tmp_path / "events.csv" / "out")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_the_input_is_left_as_it_was(tmp_path):
    path = written(tmp_path, PLAIN)
    before = path.read_bytes()
    run(path, "--rules", "all", "--out", tmp_path / "out")
    assert path.read_bytes() == before


def test_the_same_list_gives_the_same_bytes(tmp_path):
    path = written(tmp_path, PLAIN)
    for name in ("a", "b"):
        run(path, "--out", tmp_path / name)
    for name in ("movements.csv", "night.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_help_has_an_example():
    result = run("--help")
    assert result.exit_code == 0
    assert "Example: rlsmove score" in result.stdout
