"""Recordings in the project's HDF5: what is written comes back, and what is wrong is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pytest
from device_files import damaged_copies, worn
from numpy.typing import NDArray
from real_recordings import codes, read

from rlsmove.devices import open_recording, write_recording
from rlsmove.errors import (
    DamagedRecording,
    OutputError,
    RecordingError,
    RlsmoveError,
    UnknownFormat,
    UnsuitableSignal,
)

FS = 50
SIGNAL = worn(1200, FS).astype(np.float32)
MISSING = np.zeros(len(SIGNAL), np.bool_)
MISSING[[0, 1, 999, *range(20_000, 45_000)]] = True
START = datetime(2026, 3, 1, 22, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    signal = SIGNAL.copy()
    signal[MISSING] = np.nan
    write_recording(
        tmp_path / "left.h5",
        [signal[:10], signal[10:10], signal[10:33_333], signal[33_333:]],
        start_time=START,
        sample_rate_hz=FS,
        side="left",
        placement="ankle",
        device="Axivity AX6",
        time_zone="Europe/Berlin",
        temperature_c=np.full(20, 33.5),
        temperature_rate_hz=1 / 60,
        attributes={"serial": "123", "range_g": 8.0, "truth": "simulated"},
    )
    return tmp_path / "left.h5"


def test_what_is_written_comes_back(path: Path) -> None:
    recording, acceleration, time_s = read(path)
    np.testing.assert_array_equal(acceleration, SIGNAL[~MISSING])
    np.testing.assert_array_equal(time_s, (np.arange(len(SIGNAL)) / FS)[~MISSING])
    assert recording.start_time == START
    assert recording.start_time.utcoffset() == timedelta(hours=1)
    assert recording.time_zone == "Europe/Berlin"
    assert (recording.side, recording.placement) == ("left", "ankle")
    assert (recording.device, recording.serial) == ("Axivity AX6", "123")
    assert (recording.sample_rate_hz, recording.range_g) == (FS, 8.0)
    assert recording.notices == []


def test_the_file_is_as_its_description_says(path: Path) -> None:
    with h5py.File(path) as file:
        assert dict(file.attrs) == {
            "format": "rlsmove-recording", "version": 1, "unit": "g", "sample_rate_hz": FS,
            "start_time": "2026-03-01T22:30:00+01:00", "side": "left", "placement": "ankle",
            "device": "Axivity AX6", "time_zone": "Europe/Berlin", "serial": "123",
            "range_g": 8.0, "truth": "simulated",
        }  # fmt: skip
        assert file["acceleration"].shape == (len(SIGNAL), 3)
        assert file["acceleration"].dtype == np.float32
        assert np.isnan(file["acceleration"][:]).all(axis=1).tolist() == MISSING.tolist()
        assert file["temperature_c"].attrs["sample_rate_hz"] == pytest.approx(1 / 60)


@pytest.mark.parametrize(
    ("start_s", "end_s"),
    [(0, 1), (19.98, 20.0), (300.01, 950), (399.9, 901), (500, 600), (1199.98, 2e9), (1200, 1300),
     (-5, 0.03), (1e12, np.inf)],
)  # fmt: skip
def test_windows(path: Path, start_s: float, end_s: float) -> None:
    expected_s = (np.arange(len(SIGNAL)) / FS)[~MISSING]
    inside = (expected_s >= start_s) & (expected_s < end_s)
    _, acceleration, time_s = read(open_recording(path), start_s, end_s)
    np.testing.assert_array_equal(time_s, expected_s[inside])
    np.testing.assert_array_equal(acceleration, SIGNAL[~MISSING][inside])


def test_a_window_reads_that_part_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 0
    read_direct = h5py.Dataset.read_direct

    def counted(dataset: h5py.Dataset, out: NDArray[np.float32], source: slice) -> None:
        nonlocal rows
        rows += source.stop - source.start
        read_direct(dataset, out, source)

    monkeypatch.setattr(h5py.Dataset, "read_direct", counted)
    read(open_recording(path), 1000.0, 1001.0)
    assert rows <= FS + 3


def test_files_that_others_wrote_to_the_description(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update(
            format=np.bytes_("rlsmove-recording"), version=np.array([1], np.int64),
            start_time="2026-03-01T22:30:00", sample_rate_hz=np.float32(FS), unit="g",
            side=b"right", placement="ankle", device="home-made",
        )  # fmt: skip
        file["acceleration"] = SIGNAL.astype(">f8")
    recording, acceleration, _ = read(tmp_path / "a.h5")
    np.testing.assert_array_equal(acceleration, SIGNAL)
    assert recording.start_time == datetime(2026, 3, 1, 22, 30)
    assert recording.side == "right"


Edit = Callable[[h5py.File], object]


def replace_data(data: object) -> Edit:
    def edit(file: h5py.File) -> None:
        del file["acceleration"]
        if data is not None:
            file["acceleration"] = data

    return edit


def attribute(name: str, value: object) -> Edit:
    def edit(file: h5py.File) -> None:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value

    return edit


def declare(rows: int) -> Edit:
    def edit(file: h5py.File) -> None:
        del file["acceleration"]
        file.create_dataset("acceleration", (rows, 3), "f4", chunks=(1000, 3))
        file["acceleration"][:1000] = 1.0

    return edit


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        (replace_data(SIGNAL.T), DamagedRecording,
         r"dataset 'acceleration' has shape \(3, 60000\); expected \(n, 3\)"),
        (replace_data(SIGNAL[:, :2]), DamagedRecording, r"has shape \(60000, 2\)"),
        (replace_data(SIGNAL[None]), DamagedRecording, r"has shape \(1, 60000, 3\)"),
        (replace_data(1.0), DamagedRecording, r"has shape \(\)"),
        (replace_data(SIGNAL[:0]), DamagedRecording, "holds no samples"),
        (replace_data(np.ones((9, 3), np.int16)), DamagedRecording, "has type int16"),
        (replace_data(np.full((9, 3), b"x")), DamagedRecording, "has type"),
        (replace_data(None), DamagedRecording, "no dataset 'acceleration'"),
        (declare(10**12), DamagedRecording, "that the file can hold"),
        (attribute("format", None), UnknownFormat, "without the root attribute 'format'"),
        (attribute("format", "other"), UnknownFormat, "is 'other'; expected 'rlsmove-recording'"),
        (attribute("version", 2), UnknownFormat, "'version' is 2; expected 1"),
        (attribute("version", "one"), DamagedRecording, "'version' is 'one'"),
        (attribute("version", None), DamagedRecording, "'version' is 'missing'"),
        (attribute("unit", "m/s2"), UnsuitableSignal, "'unit' is 'm/s2'; expected 'g'"),
        (attribute("start_time", "1.3.2026"), DamagedRecording, "'start_time' is '1.3.2026'"),
        (attribute("start_time", None), DamagedRecording, "'start_time' is 'missing'"),
        (attribute("start_time", 5), DamagedRecording, "'start_time' is"),
        (attribute("sample_rate_hz", 0.0), DamagedRecording, "'sample_rate_hz' is 0"),
        (attribute("sample_rate_hz", np.nan), DamagedRecording, "'sample_rate_hz' is nan"),
        (attribute("sample_rate_hz", "fast"), DamagedRecording, "'sample_rate_hz' is 'fast'"),
        (attribute("sample_rate_hz", None), DamagedRecording, "'sample_rate_hz' is 'missing'"),
        (attribute("sample_rate_hz", 1e9), DamagedRecording, r"'sample_rate_hz' is 1e\+09"),
        (attribute("side", "both"), DamagedRecording, "'side' is 'both'"),
        (attribute("device", np.arange(3)), DamagedRecording, "'device' is"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    edit: Edit, error: type[RlsmoveError], words: str, path: Path
) -> None:
    with h5py.File(path, "a") as file:
        edit(file)
    with pytest.raises(error, match=words) as caught:
        open_recording(path)
    assert "left.h5" in str(caught.value)


def test_a_group_in_place_of_the_dataset(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["acceleration"]
        file.create_group("acceleration")
    with pytest.raises(DamagedRecording, match="no dataset"):
        open_recording(path)


def test_nothing_outside_of_the_file_is_read(path: Path) -> None:
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["acceleration"] = SIGNAL
    with h5py.File(path, "a") as file:
        del file["acceleration"]
        file["acceleration"] = h5py.ExternalLink("other.h5", "/acceleration")
    with pytest.raises(DamagedRecording, match="linked to another file"):
        open_recording(path)
    with h5py.File(path, "a") as file:
        del file["acceleration"]
        external = [(str(path.with_name("raw")), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("acceleration", (100, 3), "f4", external=external)
    with pytest.raises(DamagedRecording, match="linked to another file"):
        open_recording(path)


def test_a_heap_that_the_library_would_never_return_from(path: Path) -> None:
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 24 : heap + 32] = bytes(8)
    data[heap + 16 : heap + 18] = bytes(2)
    path.write_bytes(data)
    with pytest.raises(DamagedRecording, match=f"heap of texts at byte {heap}"):
        open_recording(path)


def test_another_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.cwa", "w") as file:
        file["x"] = 1
    with pytest.raises(UnknownFormat, match="HDF5 file without"):
        open_recording(tmp_path / "a.cwa")


def test_a_zone_that_does_not_exist_is_told_and_ignored(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file.attrs["time_zone"] = "Middle/Earth"
    recording, _, _ = read(path)
    assert recording.time_zone == ""
    assert codes(recording) == {"time_zone"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_with_one_bad_number_is_missing(value: float, path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["acceleration"][500, 1] = value
    _, acceleration, _ = read(path)
    assert len(acceleration) == (~MISSING).sum() - 1


def test_nothing_but_missing_rows(tmp_path: Path) -> None:
    nothing = np.full((500, 3), np.nan)
    write_recording(tmp_path / "a", [nothing], start_time=START, sample_rate_hz=FS)
    _, acceleration, _ = read(tmp_path / "a")
    assert len(acceleration) == 0


def test_chunks_that_were_never_written_are_missing_not_zero(tmp_path: Path, path: Path) -> None:
    with h5py.File(path, "a") as file:
        declare(5000)(file)
    _, acceleration, _ = read(path)
    np.testing.assert_array_equal(acceleration, np.ones((1000, 3), np.float32))


def test_damage_within_is_a_gap(path: Path) -> None:
    with h5py.File(path) as file:
        chunk = file["acceleration"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 100] ^= 1
    path.write_bytes(data)
    recording, acceleration, _ = read(path)
    left = ~MISSING & (np.arange(len(SIGNAL)) >= 16_384)
    np.testing.assert_array_equal(acceleration, SIGNAL[left])
    assert codes(recording) == {"damaged_blocks"}
    # The same when a chunk is read in pieces, and when nothing but damage is asked for.
    with pytest.raises(DamagedRecording, match="none of its rows"):
        read(recording, 10.0, 20.0)


def test_a_file_cut_anywhere_gives_what_comes_before(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    cut = tmp_path / "cut.h5"
    expected = SIGNAL[~MISSING]
    enough = 0
    for size in np.linspace(0, len(data) - 1, 80).astype(int):
        cut.write_bytes(data[:size])
        try:
            recording, acceleration, time_s = read(cut)
        except RecordingError:
            continue
        enough += 1
        assert "truncated" in codes(recording)
        row = np.rint(time_s * FS).astype(int)
        np.testing.assert_array_equal(acceleration, SIGNAL[row])
        assert len(acceleration) <= len(expected)
    assert enough > 30


def test_an_end_that_no_file_has(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[40:48] = b"\xfe" * 8
    path.write_bytes(data)
    with pytest.raises(DamagedRecording, match="HDF5 library cannot open it"):
        open_recording(path)


def test_damage_of_any_kind_gives_samples_or_a_clear_error(path: Path) -> None:
    copy_path = path.with_name("copy.h5")
    read_well = 0
    for copy in damaged_copies(path.read_bytes(), 100, seed=3):
        copy_path.write_bytes(copy)
        try:
            _, acceleration, _ = read(copy_path)
        except RlsmoveError:
            continue
        read_well += len(acceleration) > 0
    assert read_well > 20


def failing_blocks() -> Iterator[NDArray[np.float32]]:
    yield SIGNAL
    raise RuntimeError("the source failed")


def test_a_file_appears_whole_or_not_at_all(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="the source failed"):
        write_recording(path, failing_blocks(), start_time=START, sample_rate_hz=FS)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["left.h5"]


def test_a_folder_is_made_where_it_is_missing_but_not_in_place_of_a_file(tmp_path: Path) -> None:
    how = {"start_time": START.astimezone(UTC), "sample_rate_hz": FS}
    write_recording(tmp_path / "new" / "a.h5", [SIGNAL], **how)
    assert (tmp_path / "new" / "a.h5").exists()
    with pytest.raises(OutputError, match="cannot be written"):
        write_recording(tmp_path / "new" / "a.h5" / "b.h5", [SIGNAL], **how)
