"""Files of known content come back as they were written, however they are read."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from device_files import (
    GAIN,
    START,
    worn,
    write_bin,
    write_cwa,
    write_gt3x,
    write_old_gt3x,
)
from real_recordings import NAMES, codes, read, real_file

from rlsmove.devices import (
    actigraph,
    axivity,
    csv,
    geneactiv,
    hdf5,
    open_recording,
    write_recording,
)

FS = 100
SIGNAL = worn(95, FS)
CHUNKS = [SIGNAL[:1], SIGNAL[1:4000], SIGNAL[4000:]]

#: Name, writer, and the step of the scale in g (for packed samples the largest of them).
FILES: tuple[tuple[str, Callable[[Path], object], float], ...] = (
    ("packed AX3", lambda p: write_cwa(p, CHUNKS), 1 / 256),
    ("packed AX3 at 98.87 Hz", lambda p: write_cwa(p, CHUNKS, true_rate_hz=98.87), 1 / 256),
    ("packed AX3, whole seconds", lambda p: write_cwa(p, CHUNKS, fractions=False), 1 / 256),
    ("AX3 of int16", lambda p: write_cwa(p, CHUNKS, packed=False), 1 / 256),
    ("AX6 alone", lambda p: write_cwa(p, CHUNKS, packed=False, scale_bits=4), 1 / 4096),
    ("AX6 with gyroscope",
     lambda p: write_cwa(p, CHUNKS, axes=6, packed=False, scale_bits=3), 1 / 2048),
    ("nine axes", lambda p: write_cwa(p, CHUNKS, axes=9, packed=False, scale_bits=6), 1 / 16384),
    ("ActiGraph, 12 bit", lambda p: write_gt3x(p, CHUNKS), 1 / 256),
    ("ActiGraph, 16 bit", lambda p: write_gt3x(p, CHUNKS, kind=26), 1 / 256),
    ("ActiGraph, deflated, in a folder",
     lambda p: write_gt3x(p, CHUNKS, deflated=True, folder="a/b/"), 1 / 256),
    ("ActiGraph, info first", lambda p: write_gt3x(p, CHUNKS, info_first=True), 1 / 256),
    ("ActiGraph, 341 counts per g", lambda p: write_gt3x(p, CHUNKS, scale=341.0), 1 / 341),
    ("ActiGraph before firmware 3", lambda p: write_old_gt3x(p, CHUNKS, rate_hz=FS), 1 / 341),
    ("ActiGraph before firmware 3, stored",
     lambda p: write_old_gt3x(p, CHUNKS, rate_hz=FS, deflated=False), 1 / 341),
    ("GENEActiv", lambda p: write_bin(p, CHUNKS), 100 / min(GAIN)),
    ("GENEActiv, line feeds", lambda p: write_bin(p, CHUNKS, line_end="\n"), 100 / min(GAIN)),
)  # fmt: skip


@pytest.mark.parametrize(("name", "write", "step_g"), FILES, ids=[file[0] for file in FILES])
def test_samples_come_back_within_half_a_step(
    name: str, write: Callable[[Path], object], step_g: float, tmp_path: Path
) -> None:
    path = tmp_path / "recording"
    write(path)
    recording, acceleration, time_s = read(path)
    assert len(acceleration) == len(SIGNAL)
    assert np.abs(acceleration - SIGNAL).max() <= 0.501 * step_g
    true_rate_hz = 98.87 if "98.87" in name else FS
    np.testing.assert_allclose(time_s, np.arange(len(SIGNAL)) / true_rate_hz, rtol=0, atol=6e-4)
    assert recording.sample_rate_hz == FS
    assert abs(recording.start_time - START) < timedelta(milliseconds=1)
    assert recording.notices == []


def test_strong_accelerations_keep_the_precision_that_packing_leaves(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    strong = rng.uniform(-7.9, 7.9, size=(2400, 3)) * rng.choice([0.1, 0.3, 1.0], size=(2400, 1))
    write_cwa(tmp_path / "a", [strong])
    _, acceleration, _ = read(tmp_path / "a")
    largest = np.abs(strong).max(axis=1) * 256
    step_g = np.select([largest < 511, largest < 1022, largest < 2044], [1, 2, 4], 8) / 256
    # Rounded to 1/256 g first, and then to the step that the largest of the three allows.
    assert (np.abs(acceleration - strong) <= 0.5 * step_g[:, None] + 0.5 / 256 + 1e-6).all()


@pytest.mark.parametrize("rate_code", range(6, 16))
def test_every_rate_of_an_axivity(rate_code: int, tmp_path: Path) -> None:
    signal = worn(1000, 1)
    rate_hz = write_cwa(tmp_path / "a", [signal], rate_code=0x40 | rate_code)
    recording, acceleration, time_s = read(tmp_path / "a")
    assert recording.sample_rate_hz == rate_hz
    assert len(acceleration) == 1000
    np.testing.assert_allclose(time_s, np.arange(1000) / rate_hz, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("bits", "range_g"), [(0, 16), (1, 8), (2, 4), (3, 2)])
def test_range_of_an_axivity(bits: int, range_g: int, tmp_path: Path) -> None:
    write_cwa(tmp_path / "a", [SIGNAL[:240]], rate_code=bits << 6 | 0x0A)
    assert open_recording(tmp_path / "a").range_g == range_g


@pytest.mark.parametrize("rate_hz", [30, 40, 50, 60, 70, 80, 90, 100])
@pytest.mark.parametrize("kind", [0, 26])
def test_every_rate_of_an_actigraph(rate_hz: int, kind: int, tmp_path: Path) -> None:
    signal = worn(20, rate_hz)
    write_gt3x(tmp_path / "a", [signal], rate_hz=rate_hz, kind=kind)
    recording, acceleration, time_s = read(tmp_path / "a")
    assert recording.sample_rate_hz == rate_hz
    assert np.abs(acceleration - signal).max() <= 0.501 / 256
    np.testing.assert_allclose(time_s, np.arange(len(signal)) / rate_hz, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("serial", "counts_per_g"), [("NEO1", 341), ("CLE2", 341), ("MRA1", 341), ("MOS2", 256)]
)
def test_scale_of_an_actigraph_that_does_not_say_it(
    serial: str, counts_per_g: int, tmp_path: Path
) -> None:
    write_gt3x(
        tmp_path / "a", [SIGNAL], scale=float(counts_per_g), Serial_Number=serial,
        Acceleration_Scale=None,
    )  # fmt: skip
    _, acceleration, _ = read(tmp_path / "a")
    assert np.abs(acceleration - SIGNAL).max() <= 0.501 / counts_per_g


def test_seconds_asleep_are_gaps(tmp_path: Path) -> None:
    write_gt3x(tmp_path / "a", [SIGNAL], asleep=[*range(10, 20), 30])
    recording, acceleration, time_s = read(tmp_path / "a")
    second = np.arange(len(SIGNAL)) // FS
    awake = ~np.isin(second, [*range(10, 20), 30])
    assert np.abs(acceleration - SIGNAL[awake]).max() <= 0.501 / 256
    np.testing.assert_allclose(time_s, (np.arange(len(SIGNAL)) / FS)[awake], rtol=0, atol=1e-9)
    assert recording.notices == []


def test_true_rate_of_a_geneactiv(tmp_path: Path) -> None:
    write_bin(tmp_path / "a", CHUNKS, rate_hz=85.7, true_rate_hz=300 / 3.5)
    recording, _, time_s = read(tmp_path / "a")
    assert recording.sample_rate_hz == 85.7
    np.testing.assert_allclose(time_s, np.arange(len(SIGNAL)) * 3.5 / 300, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("note", "side", "placement"),
    [("_p=left+ankle&_sc=1", "left", "ankle"), ("_sc=right", "unknown", "unknown"),
     ("_p=Right%20Foot", "right", "foot"), ("%%%&=&", "unknown", "unknown")],
)  # fmt: skip
def test_body_place_in_an_axivity_header(
    note: str, side: str, placement: str, tmp_path: Path
) -> None:
    write_cwa(tmp_path / "a", [SIGNAL], note=note)
    recording = open_recording(tmp_path / "a")
    assert (recording.side, recording.placement) == (side, placement)


def test_body_place_in_other_headers(tmp_path: Path) -> None:
    write_gt3x(tmp_path / "a", [SIGNAL], Limb="Ankle", Side="Left")
    write_bin(tmp_path / "b", [SIGNAL], location="right ankle")
    places = [open_recording(tmp_path / name) for name in "ab"]
    assert [(place.side, place.placement) for place in places] == [
        ("left", "ankle"), ("right", "ankle"),
    ]  # fmt: skip


def smaller_reads(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(axivity, "SAMPLES_PER_READ", size // 4)
    monkeypatch.setattr(actigraph, "BYTES_PER_READ", max(size // 9 * 9, 9))
    monkeypatch.setattr(geneactiv, "BYTES_PER_READ", size)
    monkeypatch.setattr(csv, "BYTES_PER_READ", size)
    monkeypatch.setattr(hdf5, "ROWS_PER_READ", max(size // 12, 1))


@pytest.mark.parametrize("size", [480, 5000, 40_000])
@pytest.mark.parametrize("name", NAMES)
def test_real_files_read_the_same_in_pieces_of_any_size(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if size == 480 and ".csv" in name:
        pytest.skip("5,000 bytes show it as well, in less time")
    path = real_file(name)
    whole, acceleration, time_s = read(path)
    smaller_reads(monkeypatch, size)
    pieces, piece_acceleration, piece_s = read(path)
    np.testing.assert_array_equal(piece_acceleration, acceleration)
    np.testing.assert_array_equal(piece_s, time_s)
    assert pieces.notices == whole.notices
    assert pieces.start_time == whole.start_time


@pytest.mark.parametrize(("name", "write", "step_g"), FILES, ids=[file[0] for file in FILES])
def test_windows_of_a_long_file_are_found_without_reading_it_whole(
    name: str,
    write: Callable[[Path], object],
    step_g: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "recording"
    write(path)
    _, acceleration, time_s = read(path)
    smaller_reads(monkeypatch, 4800)
    recording = open_recording(path)
    rng = np.random.default_rng(1)
    for start_s in [*rng.uniform(-5, 100, 12), 0.0, 9.0, 94.99]:
        end_s = start_s + rng.choice([0.005, 1.0, 40.0, np.inf])
        inside = (time_s >= start_s) & (time_s < end_s)
        _, part, part_s = read(recording, start_s, end_s)
        np.testing.assert_array_equal(part, acceleration[inside])
        np.testing.assert_array_equal(part_s, time_s[inside])
    assert codes(recording) == set()


@pytest.mark.parametrize(("name", "write", "step_g"), FILES, ids=[file[0] for file in FILES])
def test_the_name_of_a_file_does_not_matter(
    name: str, write: Callable[[Path], object], step_g: float, tmp_path: Path
) -> None:
    path = tmp_path / "night.csv"
    write(path)
    assert type(open_recording(path)).__name__ != "CsvRecording"


def test_blocks_stay_small(tmp_path: Path) -> None:
    long = np.tile(SIGNAL, (60, 1))
    for write in (write_cwa, write_gt3x, write_bin):
        write(tmp_path / "a", [long])
        sizes = [len(block.time_s) for block in open_recording(tmp_path / "a").blocks()]
        assert len(sizes) > 3
        assert max(sizes) < 1.5 * (1 << 17)


@pytest.mark.parametrize("format_", ["cwa", "gt3x", "bin", "csv.gz", "hdf5"])
def test_memory_does_not_grow_with_the_file(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "a"

    def write(hours: int) -> None:
        signal = np.tile(SIGNAL[:9000], (40, 1))
        match format_:
            case "cwa":
                write_cwa(path, [signal] * hours)
            case "gt3x":
                write_gt3x(path, [signal] * hours, deflated=True)
            case "bin":
                write_bin(path, [signal] * hours)
            case "hdf5":
                write_recording(path, [signal] * hours, start_time=START, sample_rate_hz=FS)
            case "csv.gz":
                rows = "".join(f"{x:.3f},{y:.3f},{z:.3f}\n" for x, y, z in SIGNAL[:9000])
                with gzip.open(path, "wt", compresslevel=1) as file:
                    file.write("Sample Rate: 100 Hz\nx,y,z\n" + 40 * hours * rows)

    peaks = []
    for hours in (1, 3):
        write(hours)
        recording = open_recording(path)
        tracemalloc.start()
        samples = sum(len(block.time_s) for block in recording.blocks())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert samples == 360_000 * hours
    assert peaks[1] < 1.2 * peaks[0] + 1e6
