"""`rlsmove info`, `night` and `convert` on recordings of real devices, against what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from real_recordings import NAMES, real_file

from rlsmove.cli import main

#: Samples, span in s, rate set in Hz, mean length of the vector in g (None: not told), start.
#: Each was found with an independent reader; spans hold to a hundredth of a second or, where the
#: reader spreads samples otherwise within the last block, to the block.
FACTS: dict[str, tuple[int | None, float, float, float | None, str]] = {
    "actigraph_60hz.gt3x": (None, 81.0, 60.0, None, ""),
    "actigraph_idle_sleep_30hz.gt3x": (17_640, 1767.97, 30.0, 1.0120, ""),
    "actigraph_link_wrist_100hz.gt3x": (18_000, 180.0, 100.0, 1.099, ""),
    "axivity_ax3_wrist_100hz.cwa": (17_400, 175.98, 100.0, 0.9816, "2019-02-26T10:55:06"),
    "axivity_ax3_200hz.cwa": (58_800, 298.11, 200.0, 1.0466, ""),
    "axivity_ax6_100hz.cwa": (11_320, 114.29, 100.0, 1.5365, ""),
    "geneactiv_85hz.bin": (5_031, 58.68, 85.7, 1.0196, "2013-05-30T10:12:54.5"),
    "geneactiv_100hz_still.bin": (19_200, 191.99, 100.0, 1.0012, ""),
    "wrist_100hz.csv.gz": (180_000, 1800.0, 100.0, 1.038, ""),
}


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return result


def json_of(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.mark.parametrize("name", FACTS)
def test_info_tells_the_known_facts(name: str) -> None:
    samples, span_s, rate_hz, norm_g, start = FACTS[name]
    facts = json_of("info", real_file(name))
    if samples is not None:
        assert facts["coverage"]["n_samples"] == samples
    assert facts["coverage"]["duration_s"] == pytest.approx(span_s, abs=0.03)
    assert facts["rate"]["sample_rate_hz"] == pytest.approx(rate_hz, abs=0.05)
    if norm_g is not None:
        assert facts["mean_g"] == pytest.approx(norm_g, abs=0.0006)
    assert facts["clock"]["start_time"].startswith(start)


def test_info_tells_the_gaps_of_idle_sleep() -> None:
    coverage = json_of("info", real_file("actigraph_idle_sleep_30hz.gt3x"))["coverage"]
    assert coverage["gap_count"] == 23
    assert coverage["longest_gap_s"] == pytest.approx(261.03, abs=0.01)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("axivity_ax3_corrupt_blocks.cwa", "damaged_blocks"),
        ("geneactiv_85hz.bin", "truncated"),
        ("wrist_100hz.csv.gz", "unit"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_info_and_night(name: str, code: str) -> None:
    warnings = json_of("info", real_file(name))["warnings"]
    assert code in [warning["code"] for warning in warnings]
    warnings = json_of("night", real_file(name))["quality"]["warnings"]
    assert code in [warning["code"] for warning in warnings]


@pytest.mark.parametrize("name", NAMES)
def test_a_night_of_each_is_short_but_scored(name: str, tmp_path: Path) -> None:
    night = json_of("night", real_file(name), "--out", tmp_path)
    codes = [warning["code"] for warning in night["quality"]["warnings"]]
    assert "short_recording" in codes
    assert night["indices"]["lm_per_hour_tib"] is None
    assert ("not_on_a_leg" in codes) == (night["recording"]["placement"] in ("wrist", "waist"))
    rows = (tmp_path / "movements.csv").read_text().splitlines()[1:]
    if name == "geneactiv_100hz_still.bin":
        assert len(rows) <= 2
    for row in rows:
        assert 0 <= float(row.split(",")[0]) <= night["recording"]["coverage"]["duration_s"]


@pytest.mark.parametrize("name", NAMES)
def test_the_converted_file_gives_the_same_movements(name: str, tmp_path: Path) -> None:
    run("convert", real_file(name), tmp_path / "again.h5")
    run("night", real_file(name), "--out", tmp_path / "one")
    run("night", tmp_path / "again.h5", "--out", tmp_path / "other")
    one, other = (
        np.loadtxt(
            tmp_path / folder / "movements.csv", delimiter=",", skiprows=1, usecols=0, ndmin=1
        )
        for folder in ("one", "other")
    )
    assert len(one) == len(other)
    np.testing.assert_allclose(one, other, atol=0.05)
