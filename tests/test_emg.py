"""Leg movements in simulated EMG: when they begin and end, and what is none."""

from __future__ import annotations

import json
import random
from datetime import date, time
from pathlib import Path

import edfio
import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.errors import EventListError, UnsuitableSignal
from rlsmove.events import emg
from rlsmove.events._emg_kernels import envelope_bursts, hold_median
from rlsmove.events.labels import read_label_table
from rlsmove.io.edf_records import EdfRecords
from rlsmove.records import LEFT, RIGHT

FS = 256


def simulated_emg(
    length_s: int,
    bursts: list[tuple[float, float, float]],
    *,
    fs: int = FS,
    rest_uv: float = 1.0,
    seed: int = 1,
) -> np.ndarray:
    """Gaussian noise, louder in bursts of (onset_s, duration_s, sigma in uV)."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=length_s * fs)
    loudness = np.full(length_s * fs, rest_uv)
    for onset, duration, sigma in bursts:
        loudness[round(onset * fs) : round((onset + duration) * fs)] = sigma
    return noise * loudness


def edf_of(
    path: Path,
    signals: dict[str, np.ndarray],
    annotations: list[tuple[float, float | None, str]] | None = None,
    *,
    fs: int = FS,
    unit: str = "uV",
) -> Path:
    edf = edfio.Edf(
        [
            edfio.EdfSignal(
                signal, fs, label=label, physical_dimension=unit, physical_range=(-3000, 3000)
            )
            for label, signal in signals.items()
        ],
        annotations=None
        if annotations is None
        else [edfio.EdfAnnotation(*annotation) for annotation in annotations],
        recording=edfio.Recording(startdate=date(2026, 3, 1)),
        starttime=time(22, 0),
        data_record_duration=1,
    )
    edf.write(path)
    return path


def found_in(path: Path) -> list[tuple[float, float]]:
    movements = emg.read_emg_events(path, read_label_table()).movements
    return [
        (onset / 1000, duration / 1000)
        for onset, duration in zip(movements.onset_ms, movements.duration_ms, strict=True)
    ]


def close(found: list[tuple[float, float]], bursts: list[tuple[float, float, float]]) -> bool:
    """Onsets within 0.1 s and offsets within 0.15 s: peaks of noise are some 10 ms apart."""
    return len(found) == len(bursts) and all(
        abs(on - onset) < 0.1 and abs(on + length - onset - duration) < 0.15
        for (on, length), (onset, duration, _) in zip(found, bursts, strict=True)
    )


BURSTS = [(20.0, 2.0, 15.0), (50.3, 0.8, 20.0), (90.0, 5.0, 12.0), (130.0, 9.0, 40.0)]


def test_bursts_are_found_where_they_are(tmp_path):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(200, BURSTS)})
    assert close(found_in(path), BURSTS)


@pytest.mark.parametrize("fs", [128, 200, 500, 512])
def test_the_rate_does_not_matter(tmp_path, fs):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(200, BURSTS, fs=fs)}, fs=fs)
    assert close(found_in(path), BURSTS)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_mains_hum_and_an_offset_do_not_matter(tmp_path, mains_hz):
    signal = simulated_emg(200, BURSTS)
    time_s = np.arange(len(signal)) / FS
    signal += 30 * np.sin(2 * np.pi * mains_hz * time_s) + 800
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": signal})
    assert close(found_in(path), BURSTS)


def test_slow_waves_and_heartbeats_are_no_movements(tmp_path):
    signal = simulated_emg(200, [])
    time_s = np.arange(len(signal)) / FS
    signal += 200 * np.sin(2 * np.pi * 0.3 * time_s)
    for beat in np.arange(0.5, 199, 0.9):
        signal[round(beat * FS) : round(beat * FS) + 5] += [10, 30, -20, 10, -5]
    assert found_in(edf_of(tmp_path / "n.edf", {"EMG LAT": signal})) == []


def test_the_unit_is_minded(tmp_path):
    signal = simulated_emg(200, BURSTS) / 1000
    edf = edfio.Edf(
        [
            edfio.EdfSignal(
                signal, FS, label="Leg L", physical_dimension="mV", physical_range=(-0.5, 0.5)
            )
        ],
        data_record_duration=1,
    )
    edf.write(tmp_path / "n.edf")
    assert close(found_in(tmp_path / "n.edf"), BURSTS)


def test_rest_that_drifts_is_followed(tmp_path):
    random = np.random.default_rng(4)
    loudness = np.linspace(0.5, 4, 900 * FS)
    signal = random.normal(size=900 * FS) * loudness
    for onset in (100, 400, 700):
        signal[onset * FS : (onset + 2) * FS] *= 8
    assert [round(onset) for onset, _ in found_in(edf_of(tmp_path / "n.edf", {"LAT": signal}))] == [
        100,
        400,
        700,
    ]


def test_a_burst_must_rise_8_uv_above_rest(tmp_path):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(200, [(50, 3, 1.8)])})
    assert found_in(path) == []


def test_both_legs_are_read_each_as_its_own(tmp_path):
    left, right = [(20.0, 2.0, 15.0)], [(60.0, 2.0, 15.0)]
    path = edf_of(
        tmp_path / "n.edf",
        {
            "EEG C3": simulated_emg(100, BURSTS[:1]),
            "EMG LAT": simulated_emg(100, left),
            "EMG RAT": simulated_emg(100, right, seed=2),
        },
    )
    movements = emg.read_emg_events(path, read_label_table()).movements
    assert movements.side.tolist() == [LEFT, RIGHT]
    assert [round(onset / 1000) for onset in movements.onset_ms] == [20, 60]


def test_the_block_size_does_not_matter(tmp_path, monkeypatch):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(200, BURSTS)})
    whole = found_in(path)
    monkeypatch.setattr(emg, "_BLOCK_S", 7)
    assert found_in(path) == whole


def test_a_break_in_the_recording_ends_a_movement_and_moves_what_follows(tmp_path):
    bursts = [(20.0, 2.0, 15.0), (49.0, 3.0, 20.0), (80.0, 2.0, 15.0)]
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(120, bursts)}, [(1, 1, "x")])
    content = path.read_bytes().replace(b"EDF+C", b"EDF+D")
    for record in range(119, 49, -1):
        old, new = f"+{record}\x14\x14\0".encode(), f"+{record + 100}\x14\x14".encode()
        at = content.rindex(old)
        content = content[:at] + new.ljust(len(old), b"\0") + content[at + len(old) :]
    path.write_bytes(content)
    events = emg.read_emg_events(path, read_label_table())
    assert events.gaps.onset_ms.tolist() == [50_000]
    assert events.gaps.offset_ms.tolist() == [150_000]
    assert [round(onset / 1000) for onset in events.movements.onset_ms] == [20, 49, 150, 180]
    assert events.span_ms == (0, 220_000)


def test_stages_and_other_events_are_the_annotations_of_the_same_file(tmp_path):
    path = edf_of(
        tmp_path / "n.edf",
        {"EMG LAT": simulated_emg(200, BURSTS)},
        [(0, 200, "Sleep stage N2"), (10, 2, "Limb movement left"), (40, 3, "EEG arousal")],
    )
    events = emg.read_emg_events(path, read_label_table())
    assert len(events.movements) == 4
    assert len(events.arousals) == 1
    assert "annotated_movements" in [notice.code for notice in events.notices]
    result = CliRunner().invoke(main, ["score", str(path), "--emg"])
    assert result.exit_code == 0
    assert "lm_count                                 4" in result.stdout


@pytest.mark.parametrize(
    ("signals", "unit", "fs", "found"),
    [
        ({"EEG C3": None}, "uV", 256, "no leg EMG among EEG C3"),
        ({"EMG LAT": None, "Leg L": None}, "uV", 256, "two channels for one leg"),
        ({"Leg L": None}, "g", 256, "unit of 'Leg L' is 'g'"),
        ({"Leg L": None}, "uV", 64, "64 samples per second"),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_words(tmp_path, signals, unit, fs, found):
    noise = simulated_emg(10, [], fs=fs)
    path = edf_of(tmp_path / "n.edf", dict.fromkeys(signals, noise), unit=unit, fs=fs)
    with pytest.raises(UnsuitableSignal) as error:
        emg.read_emg_events(path, read_label_table())
    assert found in str(error.value)


@pytest.mark.parametrize(
    ("onset", "found"), [("+3", "data record 9 begins before"), ("+900000", "hours")]
)
def test_data_records_at_odd_times_are_refused(tmp_path, onset, found):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(9, [])}, [(1, 1, "x" * 20)])
    content = path.read_bytes()
    at = content.rindex(b"+8\x14\x14")
    new = f"{onset}\x14\x14\0".encode()
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    with pytest.raises(UnsuitableSignal, match=found):
        emg.read_emg_events(path, read_label_table())


def test_a_file_cut_within_its_first_record_is_refused(tmp_path):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(9, [])})
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(UnsuitableSignal, match="no whole data record"):
        emg.read_emg_events(path, read_label_table())


def test_damaged_bytes_give_events_or_a_named_error(tmp_path):
    path = edf_of(tmp_path / "n.edf", {"EMG LAT": simulated_emg(20, [])}, [(1, 1, "LM left")])
    content = path.read_bytes()
    choose = random.Random(7)
    complaints = []
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(choose.randint(1, 5)):
            damaged[choose.choice([choose.randrange(768), choose.randrange(len(damaged))])] = (
                choose.randrange(256)
            )
        path.write_bytes(damaged)
        try:
            emg.read_emg_events(path, read_label_table())
        except (EventListError, UnsuitableSignal) as error:
            complaints.append(str(error))
    assert complaints
    assert all("n.edf" in complaint for complaint in complaints)


def test_a_file_that_is_no_edf_is_refused(tmp_path):
    path = tmp_path / "n.edf"
    path.write_text("kind,label,onset_s,duration_s\n" * 20)
    with pytest.raises(EventListError, match="EDF"):
        emg.read_emg_events(path, read_label_table())


def test_samples_are_those_that_an_independent_reader_sees(tmp_path):
    signals = {"EEG C3": simulated_emg(20, []), "EMG LAT": simulated_emg(20, [], seed=2)}
    path = edf_of(tmp_path / "n.edf", signals, [(1, 1, "x")])
    edf = EdfRecords(path)
    own = np.concatenate([block for _, block in edf.blocks(edf.channels[1], 3)])
    assert np.allclose(own, edfio.read_edf(path).signals[1].data, atol=1e-9)


# Kernels against slow twins


def slow_bursts(above: np.ndarray, onset_uv: float, offset_uv: float, quiet: int):
    bursts = []
    i = 0
    while i < len(above):
        if above[i] > onset_uv:
            end = i
            while end < len(above) and not np.isnan(above[end]):
                ahead = above[end : end + quiet]
                if len(ahead) == quiet and np.all(ahead <= offset_uv):
                    break
                end += 1
            loud = [j for j in range(i, end) if above[j] > offset_uv]
            bursts.append((i, loud[-1] + 1))
            i = end
        i += 1
    return bursts


def random_envelope(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    envelope = np.repeat(random.choice([0.0, 1.0, 3.0, 9.0], 60), random.integers(1, 9, 60))
    envelope[random.random(len(envelope)) < 0.02] = np.nan
    return envelope


@pytest.mark.parametrize("seed", range(30))
def test_bursts_are_those_of_the_slow_twin(seed):
    envelope = random_envelope(seed)
    found = envelope_bursts(envelope, np.zeros(len(envelope)), 8.0, 2.0, 5)
    assert [tuple(row) for row in found.tolist()] == slow_bursts(envelope, 8.0, 2.0, 5)


@pytest.mark.parametrize("seed", range(30))
def test_median_criterion_is_that_of_the_slow_twin(seed):
    envelope = random_envelope(seed)
    rest = np.zeros(len(envelope))
    bursts = envelope_bursts(envelope, rest, 8.0, 2.0, 5)
    expected = [
        any(np.sort(envelope[i : i + 6])[3] >= 2.0 and i + 6 <= end for i in range(start, end - 5))
        for start, end in bursts
    ]
    assert hold_median(envelope, rest, bursts, 2.0, 6).tolist() == expected


# Heart beats, and rest that is not quiet


def with_heart(signal: np.ndarray, uv: float, per_minute: float = 62, seed: int = 3) -> np.ndarray:
    """An ECG on top: beats of three waves whose intervals breathe."""
    random = np.random.default_rng(seed)
    heard = signal.copy()
    at_s = 0.3
    while at_s < len(signal) / FS - 1:
        index = np.arange(round((at_s - 0.1) * FS), round((at_s + 0.3) * FS))
        index = index[(index >= 0) & (index < len(signal))]
        time_s = index / FS - at_s
        wave = np.exp(-0.5 * (time_s / 0.01) ** 2)
        wave -= 0.35 * np.exp(-0.5 * ((time_s - 0.03) / 0.012) ** 2)
        heard[index] += uv * wave
        breath = 1 + 0.05 * np.sin(2 * np.pi * at_s / 4)
        at_s += 60 / per_minute * (breath + random.normal(0, 0.02))
    return heard


def many_bursts(seed: int, length_s: int) -> list[tuple[float, float, float]]:
    random = np.random.default_rng(seed)
    onset_s = 20 + np.cumsum(random.uniform(12, 30, 400))
    return [
        (float(at_s), float(random.uniform(0.7, 5)), float(random.uniform(8, 35)))
        for at_s in onset_s[onset_s < length_s - 30]
    ]


@pytest.mark.parametrize(("uv", "per_minute"), [(12, 62), (30, 62), (30, 48), (30, 95), (60, 70)])
def test_heart_beats_move_no_onset_and_no_offset(tmp_path, uv, per_minute):
    bursts = many_bursts(5, 1200)
    signal = with_heart(simulated_emg(1200, bursts), uv, per_minute)
    found = found_in(edf_of(tmp_path / "n.edf", {"EMG LAT": signal}))
    onset_s = np.array([at for at, _, _ in bursts])
    offset_s = np.array([at + length for at, length, _ in bursts])
    near = [
        (on, on + length)
        for on, length in found
        if np.min(np.abs(onset_s - on)) < 0.2 and np.min(np.abs(offset_s - on - length)) < 0.3
    ]
    assert 2 * len(near) / (len(found) + len(bursts)) > 0.95


def test_a_heart_without_movements_is_no_movement(tmp_path):
    signal = with_heart(simulated_emg(600, []), 60)
    assert found_in(edf_of(tmp_path / "n.edf", {"EMG LAT": signal})) == []


def test_movements_end_where_they_do_though_rest_is_not_quiet(tmp_path):
    bursts = many_bursts(6, 1200)
    signal = simulated_emg(1200, [(at, length, 25.0) for at, length, _ in bursts], rest_uv=2.5)
    found = found_in(edf_of(tmp_path / "n.edf", {"EMG LAT": signal}))
    offset_s = np.array([at + length for at, length, _ in bursts])
    late_s = [min(offset_s - on - length, key=abs) for on, length in found]
    assert len(found) == len(bursts)
    assert np.quantile(np.abs(late_s), 0.95) < 0.35


# Without marks, by name, with stages of another file


def test_leg_emg_is_scored_where_nothing_is_marked_and_it_is_said(tmp_path):
    signals = {"EMG LAT": simulated_emg(200, BURSTS), "EEG": np.zeros(200 * FS)}
    path = edf_of(tmp_path / "n.edf", signals)
    result = CliRunner().invoke(main, ["score", str(path), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["indices"]["lm_count"] == 4
    assert "movements_from_emg" in result.stderr
    assert "'EMG LAT'" in result.stderr


def test_channels_are_named_and_stages_come_from_another_file(tmp_path):
    signals = {"X1": simulated_emg(200, BURSTS), "X2": simulated_emg(200, BURSTS[:2], seed=2)}
    path = edf_of(tmp_path / "n.edf", signals)
    stages = tmp_path / "stages.txt"
    stages.write_text("W\nN2\nN2\nN2\nN2\nN2\n")
    words = ["score", str(path), "--channels", "X1,x2", "--sleep", str(stages), "--json"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    indices = json.loads(result.stdout)["indices"]
    assert indices["sleep_hours"] == pytest.approx(150 / 3600, abs=1e-6)
    assert indices["lm_count"] == 4
    result = CliRunner().invoke(main, ["score", str(path), "--channels", "X3"])
    assert result.exit_code == 1
    assert "no channel 'X3'" in result.stderr
    assert "X1, X2" in result.stderr
