"""Acceleration in EDF and in .wav files of OmGui, and packed recordings of devices."""

from __future__ import annotations

import gzip
import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from device_files import worn, write_cwa
from real_recordings import codes, read

from rlsmove.devices import Told, may_be_recording, open_recording, write_recording
from rlsmove.errors import DamagedRecording, UnknownFormat, UnsuitableSignal
from rlsmove.signal.recording_exports import export_recording

FS = 50
SIGNAL = worn(40, FS).astype(np.float32)
START = datetime(2026, 3, 1, 22, 30)


def write_wav(
    path: Path, signal: np.ndarray, *, axes: str = "Accel", missing: slice = slice(0)
) -> None:
    """As omconvert writes it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

    comment = "Time: 2026-03-01 22:30:00.000\n" + "".join(
        f"Channel-{i}: {axes}-{axis}\nScale-{i}: 8\n" for i, axis in enumerate("XYZ", 1)
    )
    said = chunk(b"IART", b"Id: 4321\nDevice: CWA") + chunk(b"ICMT", comment.encode())
    data = np.zeros((len(signal), 4), "<i2")
    data[:, :3] = np.round(signal / 8 * 32_768)
    data[missing, 3] = -32_768
    shape = struct.pack("<HHIIHH", 1, 4, FS, 8 * FS, 8, 16)
    body = b"WAVE" + chunk(b"fmt ", shape) + chunk(b"LIST", b"INFO" + said)
    body += chunk(b"data", data.tobytes())
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_a_wav_of_omgui(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, SIGNAL, missing=slice(500, 600))
    recording, acceleration, time_s = read(path)
    there = np.r_[0:500, 600 : len(SIGNAL)]
    np.testing.assert_allclose(acceleration, SIGNAL[there], atol=1.3e-4)
    np.testing.assert_array_equal(time_s, there / FS)
    assert (recording.start_time, recording.serial, recording.range_g) == (START, "4321", 8.0)
    assert codes(recording) == set()
    _, part, part_s = read(recording, 13.0, 15.5)
    np.testing.assert_array_equal(part_s, np.arange(650, 775) / FS)
    np.testing.assert_allclose(part, SIGNAL[650:775], atol=1.3e-4)


def test_a_wav_that_is_cut_says_how_much_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, SIGNAL)
    path.write_bytes(path.read_bytes()[: -8 * 100])
    recording, acceleration, _ = read(path)
    assert len(acceleration) == len(SIGNAL) - 100
    assert codes(recording) == {"truncated"}


def test_sound_is_no_recording(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", SIGNAL, axes="Voice")
    with pytest.raises(UnknownFormat, match="does not say that it holds acceleration"):
        open_recording(tmp_path / "a.wav")
    assert not may_be_recording(tmp_path / "a.wav")


def test_edf_of_this_program_comes_back_as_it_was(tmp_path: Path) -> None:
    signal = SIGNAL.copy()
    signal[700:900] = np.nan
    write_recording(
        tmp_path / "a.h5", [signal], start_time=START, sample_rate_hz=FS, side="left",
        placement="ankle", device="Axivity AX3", simulated=True, attributes={"range_g": 8.0},
    )  # fmt: skip
    export_recording(tmp_path / "a.h5", tmp_path / "a.edf")
    recording, acceleration, time_s = read(tmp_path / "a.edf")
    there = np.r_[0:700, 900 : len(SIGNAL)]
    np.testing.assert_allclose(acceleration, SIGNAL[there], atol=1.3e-4)
    np.testing.assert_allclose(time_s, there / FS, atol=1e-9)
    assert recording.start_time == START
    assert (recording.side, recording.placement) == ("left", "ankle")
    assert recording.simulated
    assert codes(recording) == set()
    _, _, part_s = read(recording, 10.0, 12.0)
    np.testing.assert_allclose(part_s, np.arange(500, 600) / FS, atol=1e-9)


def edf_of(path: Path, labels: list[str], unit: str, signal: np.ndarray) -> None:
    edfio = pytest.importorskip("edfio")
    signals = [
        edfio.EdfSignal(np.asarray(column, np.float64), FS, label=label, physical_dimension=unit)
        for label, column in zip(labels, signal.T, strict=True)
    ]
    date = edfio.Recording(startdate=START.date())
    edfio.Edf(signals, recording=date, starttime=START.time()).write(path)


@pytest.mark.parametrize(("unit", "per_g"), [("g", 1.0), ("mg", 1000.0), ("m/s^2", 9.80665)])
@pytest.mark.parametrize("label", ["Acc {}", "Accelerometer_{}", "{}-axis", "leg {}"])
def test_edf_of_another_program(unit: str, per_g: float, label: str, tmp_path: Path) -> None:
    whole = SIGNAL[: 40 * FS]
    gyro = np.zeros_like(whole) + np.sin(np.arange(len(whole)))[:, None]
    labels = [f"Gyro {axis}" for axis in "xyz"] + [label.format(axis) for axis in "xyz"]
    edf_of(tmp_path / "a.edf", labels, unit, np.hstack([gyro, whole * per_g]))
    recording, acceleration, _ = read(tmp_path / "a.edf")
    np.testing.assert_allclose(acceleration, whole, atol=2e-4)
    assert recording.start_time == START
    assert codes(recording) == set()


def test_edf_without_acceleration_or_without_gravity(tmp_path: Path) -> None:
    edf_of(tmp_path / "a.edf", ["EEG C3", "EEG C4", "EMG"], "uV", SIGNAL)
    with pytest.raises(UnknownFormat, match="channels: EEG C3, EEG C4, EMG"):
        open_recording(tmp_path / "a.edf")
    assert not may_be_recording(tmp_path / "a.edf")
    rest = np.random.default_rng(0).normal(scale=0.01, size=SIGNAL.shape)
    edf_of(tmp_path / "b.edf", ["Acc X", "Acc Y", "Acc Z"], "g", rest)
    with pytest.raises(UnsuitableSignal, match="gravity was taken out"):
        open_recording(tmp_path / "b.edf")


def test_edf_with_a_damaged_header(tmp_path: Path) -> None:
    (tmp_path / "a.edf").write_bytes(b"0       patient" + b" " * 500)
    with pytest.raises(DamagedRecording, match="number of signals"):
        open_recording(tmp_path / "a.edf")


def test_a_packed_cwa(tmp_path: Path) -> None:
    write_cwa(tmp_path / "a.cwa", [SIGNAL])
    plain, acceleration, time_s = read(tmp_path / "a.cwa")
    packed = gzip.compress((tmp_path / "a.cwa").read_bytes())
    (tmp_path / "a.cwa.gz").write_bytes(packed)
    recording, same, same_s = read(tmp_path / "a.cwa.gz")
    np.testing.assert_array_equal(same, acceleration)
    np.testing.assert_array_equal(same_s, time_s)
    assert (recording.device, recording.start_time) == (plain.device, plain.start_time)
    _, part, _ = read(recording, 10.0, 20.0)
    np.testing.assert_array_equal(part, acceleration[(time_s >= 10.0) & (time_s < 20.0)])
    (tmp_path / "cut.cwa.gz").write_bytes(packed[: len(packed) // 2])
    recording, part, _ = read(tmp_path / "cut.cwa.gz")
    assert codes(recording) == {"truncated"}
    np.testing.assert_array_equal(part, acceleration[: len(part)])


def test_a_start_and_a_zone_that_are_told_go_before_the_file(tmp_path: Path) -> None:
    write_cwa(tmp_path / "a.cwa", [SIGNAL])
    told = Told.parse(time_zone="America/Los_Angeles", start="2026-03-01T22:30")
    recording = open_recording(tmp_path / "a.cwa", told)
    assert recording.start_time.isoformat() == "2026-03-01T22:30:00-08:00"
    assert ("start", "told") in [(taken.what, taken.source) for taken in recording.taken]
