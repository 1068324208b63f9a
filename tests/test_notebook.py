"""The public door: what a notebook asks for, by the names that a newcomer would try."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal

import rlsmove
from rlsmove.cli import main

ROOT = Path(__file__).parents[1]
RAW = ROOT / "sample_data" / "study" / "raw"
LEFT, RIGHT = (RAW / f"sim-01_2026-03-02_{side}.h5" for side in ("left", "right"))
LIGHTS = {"lights_off": "22:50", "lights_on": "06:10"}


@pytest.fixture(scope="module")
def nights() -> rlsmove.Nights:
    return rlsmove.read(left=LEFT, right=RIGHT, **LIGHTS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    options = ["--lights-off", "22:50", "--lights-on", "06:10", "--out", str(folder)]
    legs = ["--left", str(LEFT), "--right", str(RIGHT)]
    assert CliRunner().invoke(main, ["night", *legs, *options]).exit_code == 0
    return folder


def test_only_the_public_names_are_shown() -> None:
    assert dir(rlsmove) == sorted(rlsmove.__all__)
    for name in rlsmove.__all__:
        assert getattr(rlsmove, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_it"):
        rlsmove.nothing_of_it  # noqa: B018


def test_the_page_of_the_interface_lists_exactly_them() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    listed = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert listed == {f"rlsmove.{name}" for name in rlsmove.__all__}


def test_a_recording_and_its_results_say_what_the_command_says(
    nights: rlsmove.Nights, written: Path
) -> None:
    record = json.loads((written / "night.json").read_text())
    (night,) = nights
    assert night.name == "2026-03-02"
    assert night.indices() == record["indices"]
    assert [notice.code for notice in night.notices] == [
        entry["code"] for entry in record["quality"]["warnings"]
    ]
    (again,) = rlsmove.read(written)
    assert again.name == night.name
    assert again.indices() == record["indices"]
    for table in (night.movements(), again.movements()):
        assert int(table["plm"].sum()) == record["indices"]["plm_count"]
    assert_array_equal(night.movements()["onset_s"], again.movements()["onset_s"])


def test_times_are_seconds_and_wall_times(nights: rlsmove.Nights) -> None:
    table = nights[0].movements()
    since = table["onset_time"] - np.datetime64("2026-03-02T22:45:00.000")
    assert_array_equal(
        since.astype("timedelta64[ms]").astype(int), np.round(1000 * table["onset_s"])
    )


def test_a_table_of_several_nights_names_each(written: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    for name in ("a", "b"):
        (both / name).mkdir(parents=True)
        for file in written.iterdir():
            (both / name / file.name).write_bytes(file.read_bytes())
    nights = rlsmove.read(both)
    assert len(nights) == 2
    indices = nights.indices()
    assert list(indices["night"]) == ["2026-03-02"] * 2
    assert indices["plms_per_hour"][0] == nights[0].indices()["plms_per_hour"]
    movements = nights.movements()
    assert len(movements) == 2 * len(nights[0].movements())
    with pytest.raises(rlsmove.RlsmoveError, match="2 nights"):
        nights.plot()


def test_frames_hold_the_same(nights: rlsmove.Nights) -> None:
    pytest.importorskip("pandas")
    frame: Any = nights.movements(frame=True)
    assert list(frame.columns) == list(nights.movements().dtype.names)
    assert int(frame["plm"].sum()) == int(nights.movements()["plm"].sum())


def test_a_night_is_drawn(nights: rlsmove.Nights, tmp_path: Path) -> None:
    figure = nights.plot("2026-03-02")
    figure.savefig(tmp_path / "night.png")
    assert (tmp_path / "night.png").stat().st_size > 10_000


def test_anybodys_detector_is_scored(nights: rlsmove.Nights) -> None:
    seen: list[rlsmove.LegNight] = []

    def every_half_minute(night: rlsmove.LegNight) -> tuple[Any, Any]:
        seen.append(night)
        onset_s = np.arange(600.0, len(night.acceleration) / night.fs - 600.0, 30.0)
        return onset_s, np.full(len(onset_s), 2.0)

    (night,) = rlsmove.read(LEFT, detector=every_half_minute, **LIGHTS)
    assert [leg.side for leg in seen] == ["left"]
    assert abs(np.nanmean(np.linalg.norm(seen[0].acceleration, axis=1)) - 1) < 0.02
    table = night.movements()
    assert set(np.diff(table["onset_s"])) == {30.0}
    assert table["onset_s"][0] == pytest.approx(600.0, abs=0.04)
    assert night.indices()["clm_count"] == pytest.approx(6.9 * 120, rel=0.06)
    with pytest.raises(rlsmove.RlsmoveError, match=r"<lambda>.*it gave int"):
        rlsmove.read(LEFT, detector=lambda night: 3, **LIGHTS)  # type: ignore[arg-type, return-value]


def test_a_lower_threshold_finds_no_less() -> None:
    counts = [
        rlsmove.read(LEFT, threshold=threshold, **LIGHTS)[0].indices()["lm_count"]
        for threshold in (0.95, 0.5, 0.05)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]
    assert counts[1] == rlsmove.read(LEFT, **LIGHTS)[0].indices()["lm_count"]


def test_rules_are_a_name_or_a_set(nights: rlsmove.Nights) -> None:
    by_name, by_set = (
        rlsmove.read(LEFT, rules=rules, **LIGHTS)[0].indices() for rules in ("aasm", rlsmove.AASM)
    )
    assert by_name == by_set
    assert by_name != rlsmove.read(LEFT, **LIGHTS)[0].indices()


def test_an_event_list_is_scored(tmp_path: Path) -> None:
    rows = [f"lm,left,{30 * k},2" for k in range(1, 9)]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["kind,label,onset_s,duration_s", "stage,N2,0,600", *rows]) + "\n")
    (night,) = rlsmove.score(path)
    assert night.indices()["plm_count"] == 8
    assert bool(night.movements()["plm"].all())
    with pytest.raises(rlsmove.RlsmoveError, match="no signal"):
        night.plot()


NIGHTS = [
    (f"p{person}", f"2026-03-{2 * block + half + 1:02d}", condition, block, 30 + 12 * half, 7.0)
    for person in range(2)
    for block in range(7)
    for half, condition in enumerate(("massage", "control"))
]
COLUMNS = ("participant_id", "night", "condition", "block", "count", "hours")


def test_a_table_in_memory_compares_like_the_file(tmp_path: Path) -> None:
    table = np.array(NIGHTS, [(name, "U12" if i < 3 else float) for i, name in enumerate(COLUMNS)])
    path = tmp_path / "nights.csv"
    lines = [",".join(COLUMNS), *(",".join(map(str, row)) for row in NIGHTS)]
    path.write_text("\n".join(lines) + "\n")
    one, other = (rlsmove.compare(nights, scheme="pairs") for nights in (table, path))
    assert one["persons"] == other["persons"]
    assert one["persons"]["p0"]["ratio"] < 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: rlsmove.read(), "nothing to read"),
        (lambda: rlsmove.read(7), "expected a path"),
        (lambda: rlsmove.read([LEFT, RIGHT]), "expected a path"),
        (lambda: rlsmove.read(LEFT, left=LEFT), "beside left or right"),
        (lambda: rlsmove.read("nowhere.cwa"), "nowhere.cwa"),
        (lambda: rlsmove.read(LEFT, side="top"), "left or right"),
        (lambda: rlsmove.read(LEFT, night="yesterday"), "evening's date"),
        (lambda: rlsmove.read(LEFT, night=date(2020, 1, 1)), "no night of 2020-01-01"),
        (lambda: rlsmove.read(LEFT, threshold=2, **LIGHTS), "a probability"),
        (lambda: rlsmove.read(LEFT, rules="mine"), "wasm2016"),
        (lambda: rlsmove.read(LEFT, zone="Europe/Berlin"), "time_zone"),
        (lambda: rlsmove.read(LEFT, time_zone="Berlin"), "IANA"),
        (lambda: rlsmove.read(ROOT / "docs"), "no night in this folder"),
        (lambda: rlsmove.score(3.5), "expected a path"),
        (lambda: rlsmove.compare(RAW / "missing.csv"), "scheme"),
        (lambda: rlsmove.compare(np.zeros((3, 2)), scheme="pairs"), "without named columns"),
        (lambda: rlsmove.compare([1, 2], scheme="pairs"), "expected a table"),
    ],
)
def test_what_is_not_right_is_said_with_what_would_be(call: Any, says: str) -> None:
    with pytest.raises(rlsmove.RlsmoveError, match=says):
        call()


def test_the_tutorial_runs_to_its_picture(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(ROOT)
    notebook = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    said = capsys.readouterr().out
    assert f"{names['indices']['plms_per_hour']:.2f}" in said
    assert "PLMS per hour, left leg" in said
    assert len(names["figure"].axes) > 2
    assert names["person"]["ratio"] < 1
