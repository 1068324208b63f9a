"""A batch with a laboratory's hypnogram beside a recording."""

from __future__ import annotations

import json
from pathlib import Path

from batch_studies import FIRST_NIGHT, change_cell, make_study, run_batch_command

STAGES = ["W"] * 20 + ["N2"] * 40 + ["R"] * 10


def hypnogram(path: Path, first: str = "22:05") -> None:
    minutes = int(first[3:])
    rows = [
        f"{FIRST_NIGHT}T22:{minutes + number // 2:02d}:{30 * (number % 2):02d};{stage}"
        for number, stage in enumerate(STAGES)
    ]
    path.write_text("Time;Stage\n" + "\n".join(rows) + "\n")


def test_a_hypnogram_goes_before_the_diary_and_a_new_one_before_the_old(tmp_path: Path) -> None:
    study = tmp_path / "study"
    make_study(study, persons=1, nights=1)
    table = study / "recordings.tsv"
    lines = table.read_text().splitlines()
    if "sleep" not in lines[0].split("\t"):
        lines = [lines[0] + "\tsleep", *(line + "\tn/a" for line in lines[1:])]
        table.write_text("\n".join(lines) + "\n")
    change_cell(table, 1, "sleep", "sleep/p01.csv")
    (study / "sleep").mkdir()
    hypnogram(study / "sleep" / "p01.csv")

    assert run_batch_command(study, "--jobs", "1").returncode == 0
    record = study / "derived" / "nights" / "p01" / str(FIRST_NIGHT) / "night.json"
    night = json.loads(record.read_text())
    assert night["sleep"]["source"] == "hypnogram"
    assert abs(night["indices"]["sleep_hours"] - 50 / 120) < 0.02

    hypnogram(study / "sleep" / "p01.csv", first="22:02")
    assert run_batch_command(study, "--jobs", "1").returncode == 0
    again = json.loads(record.read_text())
    assert again["provenance"] != night["provenance"]

    (study / "sleep" / "p01.csv").unlink()
    result = run_batch_command(study, "--jobs", "1")
    assert result.returncode == 1
    assert "p01.csv" in (study / "derived" / "nights.csv").read_text()
