"""movements.csv and night.json: columns, numbers, and files that are whole or absent."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from rlsmove.errors import OutputError
from rlsmove.io.atomic_files import atomic_path, write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.numbers_as_text import seconds
from rlsmove.records import LEFT, RIGHT, Intervals, Movements, Notice, Sleep
from rlsmove.results.movements_csv import MOVEMENT_COLUMNS, MOVEMENTS_FILE, movements_csv
from rlsmove.results.night_json import RECORD_FILE, night_record
from rlsmove.results.nights_csv import nights_csv, value_text
from rlsmove.rules import WASM_2016
from rlsmove.scoring import Scoring, night_indices, score_movements

START = datetime(2026, 3, 1, 22, 0, 0)
WHOLE = Intervals(np.array([0]), np.array([3_600_000]))


def marks(*rows: tuple[int, int, int]) -> Movements:
    onset, duration, side = np.array(rows, np.int64).reshape(-1, 3).T
    return Movements.marks(onset, duration, side.astype(np.int8))


def scored(movements: Movements, sleep: Sleep | None = None) -> Scoring:
    return score_movements(
        movements,
        sleep=sleep,
        respiratory=None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )


def write(folder: Path, **changes: object) -> None:
    scoring = scored(marks((1_005, 2_000, LEFT), (21_010, 1_500, RIGHT)))
    arguments: dict[str, object] = {
        "start_time": START,
        "recording": {"device": "an ankle sensor", "rate": np.float64(99.5)},
        "sleep": None,
        "rules": WASM_2016,
        "indices": night_indices(scoring, sleep=None, analysable=WHOLE, rules=WASM_2016),
        "notices": [Notice("gap", "A gap of 3 s.")],
        "provenance": {"version": "1"},
    }
    record = night_record(**{**arguments, **changes})
    write_files(
        {
            folder / MOVEMENTS_FILE: movements_csv([(scoring, START, "")]),
            folder / RECORD_FILE: json_text(record),
        }
    )


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_columns_stand_in_the_order_of_the_contract():
    text = movements_csv([(scored(marks((0, 600, LEFT))), None, "")])
    assert text.splitlines()[0] == (
        "onset_s,duration_s,onset_time,side,kind,n_monolateral,clm,plm,series,imi_s,sleep,stage,"
        "respiratory,plmnr,arousal,peak_g,tilt_deg,probability,reason"
    )
    assert tuple(table(text)[0]) == MOVEMENT_COLUMNS


def test_a_mark_leaves_empty_what_it_does_not_carry():
    (row,) = table(movements_csv([(scored(marks((0, 600, LEFT))), None, "")]))
    empty = (
        "onset_time,series,imi_s,sleep,stage,respiratory,plmnr,arousal,peak_g,tilt_deg,probability"
    )
    assert ",".join(name for name, cell in row.items() if cell == "") == empty


def test_wall_time_counts_from_the_start_and_keeps_its_offset():
    scoring = scored(marks((3_600_250, 600, LEFT)))
    (naive,) = table(movements_csv([(scoring, START, "")]))
    aware_start = START.replace(tzinfo=timezone(timedelta(hours=2)))
    (aware,) = table(movements_csv([(scoring, aware_start, "")]))
    assert naive["onset_time"] == "2026-03-01T23:00:00.250"
    assert aware["onset_time"] == "2026-03-01T23:00:00.250+02:00"


def test_case_comes_first_and_is_quoted_where_it_needs_to_be():
    text = movements_csv([(scored(marks((0, 600, LEFT))), None, 'a,"b"')], cases=True)
    assert next(iter(table(text)[0])) == "case"
    assert table(text)[0]["case"] == 'a,"b"'


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [(0, "0"), (287_000, "287"), (1_005, "1.005"), (-250, "-0.25"), (22_530_100, "22530.1")],
)
def test_seconds_have_no_more_decimals_than_they_need(time_ms, text):
    assert seconds(time_ms) == text


def test_night_json_holds_its_sections_and_null_for_what_cannot_be_said(tmp_path):
    write(tmp_path)
    night = json.loads((tmp_path / "night.json").read_text())
    assert list(night)[:6] == ["recording", "sleep", "rules", "indices", "quality", "provenance"]
    assert night["rules"]["name"] == "wasm2016"
    assert night["rules"]["strict_start"] is False
    assert night["indices"]["plms_per_hour"] is None
    assert night["indices"]["lm_count"] == 2
    assert night["quality"]["warnings"] == [{"code": "gap", "sentence": "A gap of 3 s."}]
    assert night["sleep"]["source"] == "none"


def test_lights_are_given_as_wall_time(tmp_path):
    none = np.empty(0, np.int64)
    sleep = Sleep("lights", 60_000, 3_000_000, none, none, none.astype(np.int8))
    write(tmp_path, sleep=sleep)
    night = json.loads((tmp_path / "night.json").read_text())
    assert night["sleep"]["lights_off"] == "2026-03-01T22:01:00.000"
    assert night["sleep"]["lights_on_s"] == 3000


def test_the_same_night_gives_the_same_bytes(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    for name in ("movements.csv", "night.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_but_the_results_is_left_in_the_folder(tmp_path):
    write(tmp_path)
    write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["movements.csv", "night.json"]


def test_json_never_holds_nan():
    text = json_text({"a": float("nan"), "b": [np.inf, np.float64(1 / 3)], "c": np.arange(2)})
    assert json.loads(text) == {"a": None, "b": [None, 0.333333], "c": [0, 1]}


def test_a_list_is_one_cell_of_a_table_and_null_an_empty_one():
    assert value_text([1.5, None, 2.0]) == "1.5;;2"
    assert nights_csv([{"case": "a", "x": None, "y": 1 / 3}]) == "case,x,y\na,,0.333333\n"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "result.txt"
    target.write_text("old")

    def write_half() -> None:
        with atomic_path(target) as partial:
            partial.write_text("half")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_files_written_together_are_all_left_alone_when_one_fails(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match=r"b\.txt"):
        write_files({tmp_path / "a.txt": "new", blocked / "b.txt": "new"})
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
