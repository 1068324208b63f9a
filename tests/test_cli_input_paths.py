"""What is no file or folder is refused by every command that reads, before it is opened."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main

COMMANDS = [
    ["info", "{}"],
    ["night", "{}"],
    ["night", "--left", "{}", "--right", "{}"],
    ["night", "none.csv", "--sleep", "{}"],
    ["score", "{}"],
    ["score", "none.csv", "--labels", "{}"],
    ["validate", "{}", "{}"],
    ["validate", "--psg", "{}", "--left", "none.csv"],
    ["convert", "{}", "out.h5"],
    ["compare", "--nights", "{}", "--scheme", "none"],
    ["report", "{}"],
    ["view", "{}"],
    ["study", "check", "{}"],
    ["study", "from", "{}", "study"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_pipe_is_refused_and_not_waited_for(words: list[str], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    result = CliRunner().invoke(main, [word.format(pipe) for word in words])
    assert result.exit_code == 1
    assert f"{pipe}: cannot be read (no regular file)" in result.output


def test_a_device_without_an_end_is_refused() -> None:
    result = CliRunner().invoke(main, ["score", "/dev/zero"])
    assert result.exit_code == 1
    assert "cannot be read (no regular file)" in result.output


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode elsewhere")
def test_a_name_that_is_not_utf8_yields_a_night_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"n\xfft.csv")
    time_s = np.arange(3000) / 25
    swings = 0.02 * np.sin(np.outer(time_s, [3, 1, 2])) + [0.1, 0.0, 0.99]
    rows = (
        f"2026-03-01T22:{30 + int(t) // 60}:{t % 60:06.3f},{x:.4f},{y:.4f},{z:.4f}"
        for t, (x, y, z) in zip(time_s, swings, strict=True)
    )
    path.write_text("timestamp,x,y,z\n" + "\n".join(rows) + "\n")
    result = CliRunner().invoke(main, ["night", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "out" / "night.json").read_text(encoding="utf-8"))
    assert path.name in json.dumps(record, ensure_ascii=False)
