"""`rlsmove convert`: recordings as HDF5, EDF+ and CSV, and event lists among their formats."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from device_files import write_cwa, write_gt3x
from numpy.typing import NDArray
from recordings import at_rest

from rlsmove.cli import main
from rlsmove.devices import open_recording, write_recording

START = datetime(2026, 3, 1, 22, 30, 0, 123_000)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def samples(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    blocks = list(open_recording(path).blocks())
    return (
        np.concatenate([block.acceleration for block in blocks]),
        np.concatenate([block.time_s for block in blocks]),
    )


@pytest.fixture
def with_gap(tmp_path: Path) -> Path:
    """Two minutes at 50 Hz, 10 s of them missing."""
    values = at_rest(1 / 30, fs=50.0, noise_g=0.05)
    values[2000:2500] = np.nan
    path = tmp_path / "with_gap.h5"
    write_recording(
        path,
        [values],
        start_time=START,
        sample_rate_hz=50.0,
        side="left",
        placement="ankle",
        device="simulated AX3",
        time_zone="Europe/Berlin",
        attributes={"serial": "4711", "range_g": 8.0},
    )
    return path


def test_hdf5_keeps_samples_gaps_and_what_is_known_of_the_recording(
    with_gap: Path, tmp_path: Path
) -> None:
    result = run("convert", with_gap, tmp_path / "again.h5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.strip() == str(tmp_path / "again.h5")
    first, again = open_recording(with_gap), open_recording(tmp_path / "again.h5")
    for name in (
        "start_time", "side", "placement", "device", "time_zone", "serial", "range_g",
    ):  # fmt: skip
        assert getattr(first, name) == getattr(again, name)
    one, other = samples(with_gap), samples(tmp_path / "again.h5")
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], atol=1e-6)


def test_a_device_that_runs_slow_gets_a_clock_at_its_true_rate(tmp_path: Path) -> None:
    values = at_rest(0.1, noise_g=0.02)
    write_cwa(tmp_path / "slow.cwa", [values], true_rate_hz=98.87)
    run("convert", tmp_path / "slow.cwa", tmp_path / "slow.h5")
    assert open_recording(tmp_path / "slow.h5").sample_rate_hz == pytest.approx(98.87, rel=1e-4)
    one, other = samples(tmp_path / "slow.cwa"), samples(tmp_path / "slow.h5")
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(one[1], other[1], atol=0.76 / 98.87)


def test_idle_sleep_becomes_missing_rows(tmp_path: Path) -> None:
    values = at_rest(0.05, fs=30.0, noise_g=0.02)
    write_gt3x(tmp_path / "idle.gt3x", [values], rate_hz=30, asleep=range(40, 75))
    run("convert", tmp_path / "idle.gt3x", tmp_path / "idle.h5")
    one, other = samples(tmp_path / "idle.gt3x"), samples(tmp_path / "idle.h5")
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_allclose(np.diff(other[1]).max(), np.diff(one[1]).max(), atol=0.04)


def test_edf_opens_elsewhere_with_samples_start_and_gap(with_gap: Path, tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio")
    path = tmp_path / "out.edf"
    assert run("convert", with_gap, path).exit_code == 0
    edf = edfio.read_edf(path)
    assert [signal.label for signal in edf.signals] == ["Acc x", "Acc y", "Acc z"]
    assert {signal.physical_dimension for signal in edf.signals} == {"g"}
    assert edf.startdate == START.date()
    assert edf.starttime == START.time()
    values, time_s = samples(with_gap)
    found = np.stack([signal.data for signal in edf.signals], axis=1)
    rows = np.round(time_s * edf.signals[0].sampling_frequency).astype(int)
    step_g = 16 / 65_536
    np.testing.assert_allclose(found[rows], values, atol=0.51 * step_g)
    missing = found[:, 0] == edf.signals[0].physical_min
    assert missing[: rows[-1]].nonzero()[0].tolist() == list(range(2000, 2500))
    gap, end = edf.annotations
    assert (gap.text, gap.onset, gap.duration) == ("Gap", pytest.approx(39.98), 10.02)
    assert (end.text, end.onset) == ("Recording ends", pytest.approx(time_s[-1], abs=0.001))


def test_edf_is_valid_for_the_reference_reader(with_gap: Path, tmp_path: Path) -> None:
    pyedflib = pytest.importorskip("pyedflib")
    run("convert", with_gap, tmp_path / "out.edf")
    with pyedflib.EdfReader(str(tmp_path / "out.edf")) as edf:
        assert edf.signals_in_file == 3
        assert edf.getEquipment() == "simulated AX3 4711"
        assert edf.getTransducer(0) == "simulated AX3 4711, left ankle"
        assert edf.readAnnotations()[2].tolist() == ["Gap", "Recording ends"]
        assert edf.getSampleFrequency(0) == 50.0


def test_edf_of_many_gaps_tells_them_all(tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio")
    values = at_rest(0.05, fs=50.0)
    values[np.arange(len(values)) % 20 < 8] = np.nan  # more gaps than a data record has room for
    path = tmp_path / "torn.h5"
    write_recording(path, [values], start_time=START, sample_rate_hz=50.0)
    assert run("convert", path, tmp_path / "torn.edf").exit_code == 0
    edf = edfio.read_edf(tmp_path / "torn.edf")
    assert len([note for note in edf.annotations if note.text == "Gap"]) == len(values) / 20 - 1


def test_missing_ticks_of_a_wandering_rate_repeat_the_sample_before(tmp_path: Path) -> None:
    from recordings import ArrayRecording

    from rlsmove.signal.recording_exports import (
        _write_edf,  # the file formats all keep their own clock
    )
    from rlsmove.signal.survey import survey_recording

    edfio = pytest.importorskip("edfio")
    values = at_rest(1 / 60, fs=50.0, noise_g=0.05)
    time_s = np.arange(len(values)) / 50.0
    time_s[1500:] += 0.04  # two samples late, no gap
    recording = ArrayRecording(values, time_s, fs=50.0)
    _write_edf(recording, survey_recording(recording), tmp_path / "out.edf", lambda fraction: None)
    edf = edfio.read_edf(tmp_path / "out.edf")
    assert edf.signals[0].data.min() > edf.signals[0].physical_min
    assert [note.text for note in edf.annotations] == ["Recording ends"]


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_csv_keeps_each_sample_at_its_own_time(with_gap: Path, tmp_path: Path, name: str) -> None:
    assert run("convert", with_gap, tmp_path / name).exit_code == 0
    content = (tmp_path / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith("gz") else content).decode()
    header, first, *_ = text.splitlines()
    assert header == "time,x,y,z"
    assert first.startswith("2026-03-01T22:30:00.123000+01:00,")
    one, other = samples(with_gap), samples(tmp_path / name)
    np.testing.assert_allclose(one[0], other[0], atol=1e-7)
    np.testing.assert_allclose(one[1], other[1], atol=2e-6)
    assert open_recording(tmp_path / name).start_time == open_recording(with_gap).start_time


def test_csv_keeps_an_offset_from_utc(tmp_path: Path) -> None:
    from datetime import timezone

    start = START.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    write_recording(tmp_path / "a.h5", [at_rest(0.01)], start_time=start, sample_rate_hz=100.0)
    run("convert", tmp_path / "a.h5", tmp_path / "a.csv")
    line = (tmp_path / "a.csv").read_text().splitlines()[1]
    assert line.startswith("2026-03-01T22:30:00.123000-03:30,")
    assert open_recording(tmp_path / "a.csv").start_time == start


def test_conversion_gives_the_same_bytes_each_time(with_gap: Path, tmp_path: Path) -> None:
    for suffix in (".edf", ".csv.gz"):
        contents = []
        for name in ("one", "other"):
            run("convert", with_gap, tmp_path / (name + suffix))
            contents.append((tmp_path / (name + suffix)).read_bytes())
        assert contents[0] == contents[1]


def test_event_lists_convert_by_their_content(tmp_path: Path) -> None:
    rows = ["kind,label,onset_s,duration_s", "lm,left,12.345,1.5", "stage,N2,0,30"]
    (tmp_path / "events.csv").write_text("\n".join(rows) + "\n")
    assert run("convert", tmp_path / "events.csv", tmp_path / "events.edf").exit_code == 0
    assert run("convert", tmp_path / "events.edf", tmp_path / "events.annot").exit_code == 0
    assert run("convert", tmp_path / "events.annot", tmp_path / "again.csv").exit_code == 0
    again = (tmp_path / "again.csv").read_text().splitlines()
    assert again[0] == rows[0]
    assert sorted(again[1:]) == sorted(rows[1:])


@pytest.mark.parametrize("name", ["with_gap.h5", "./with_gap.h5", "link.h5"])
def test_the_input_is_never_overwritten(with_gap: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "link.h5").symlink_to(with_gap)
    before = with_gap.read_bytes()
    result = run("convert", with_gap, tmp_path / name)
    assert result.exit_code == 1
    assert "the output is the input itself" in result.stderr
    assert with_gap.read_bytes() == before


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.gz"])
def test_an_unknown_suffix_is_refused(with_gap: Path, tmp_path: Path, name: str) -> None:
    result = run("convert", with_gap, tmp_path / name)
    assert result.exit_code == 1
    assert "expected one of .h5, .hdf5, .edf, .csv, .csv.gz" in result.stderr
    assert not (tmp_path / name).exists()


def test_an_event_list_does_not_become_a_recording(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("kind,label,onset_s,duration_s\nlm,left,12,1\n")
    result = run("convert", tmp_path / "events.csv", tmp_path / "events.h5")
    assert result.exit_code == 1
    assert "expected a name in .csv, .edf or .annot" in result.stderr


def test_warnings_of_the_recording_are_passed_on(tmp_path: Path) -> None:
    write_cwa(tmp_path / "cut.cwa", [at_rest(0.02)])
    content = (tmp_path / "cut.cwa").read_bytes()
    (tmp_path / "cut.cwa").write_bytes(content[:-100])
    result = run("convert", tmp_path / "cut.cwa", tmp_path / "cut.h5")
    assert result.exit_code == 0
    assert "warning (truncated)" in result.stderr


@pytest.mark.parametrize("name", ["out.h5", "out.edf", "out.csv"])
def test_a_place_that_cannot_be_written_is_named(with_gap: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("convert", with_gap, tmp_path / "file" / name)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'file' / name}: cannot be written")


def test_settings_of_the_recording_do_not_matter_to_its_conversion(tmp_path: Path) -> None:
    # Too slow for leg movements, and in no unit known: a conversion judges neither.
    values: Any = 1000 * at_rest(0.1, fs=10.0)
    write_recording(tmp_path / "slow.h5", [values], start_time=START, sample_rate_hz=10.0)
    assert run("convert", tmp_path / "slow.h5", tmp_path / "slow.edf").exit_code == 0
    facts = run("info", tmp_path / "slow.h5", "--json")
    assert facts.exit_code == 1
    with pytest.raises(json.JSONDecodeError):
        json.loads(facts.stdout)
