"""Real recordings, against independent readers and the facts known of each file."""

from __future__ import annotations

import csv
import gzip
import struct
import zipfile
from datetime import datetime

import actfast
import numpy as np
import pytest
from numpy.typing import NDArray
from real_recordings import NAMES, codes, read, real_file

EPOCH = datetime(1970, 1, 1)

#: File, samples, seconds from first to last, mean length of the vector in g, start.
FACTS = (
    ("actigraph_60hz.gt3x", 4860, 80.98, None, "2024-04-30 14:53:00"),
    ("actigraph_idle_sleep_30hz.gt3x", 17640, 1767.97, 1.0120, "2020-08-26 10:09:00"),
    ("actigraph_link_wrist_100hz.gt3x", 18000, 179.99, 1.099, "2023-06-13 08:34:00"),
    ("axivity_ax3_wrist_100hz.cwa", 17400, 175.98, 0.9816, "2019-02-26 10:55:06"),
    ("axivity_ax3_200hz.cwa", 58800, 298.11, 1.0466, "2020-02-12 09:03:37.482"),
    ("axivity_ax6_100hz.cwa", 11320, 114.29, 1.5365, "2019-12-23 21:04:06.700"),
    ("geneactiv_85hz.bin", 5031, 58.68, 1.0196, "2013-05-30 10:12:54.500"),
    ("geneactiv_100hz_still.bin", 19200, 191.99, 1.0012, "2018-08-27 09:32:38"),
    ("wrist_100hz.csv.gz", 180000, 1799.99, 1.038, "2019-07-22 14:34:45.890"),
)


@pytest.mark.parametrize(
    ("name", "samples", "span_s", "norm_g", "start"), FACTS, ids=[fact[0] for fact in FACTS]
)
def test_facts(name: str, samples: int, span_s: float, norm_g: float | None, start: str) -> None:
    recording, acceleration, time_s = read(real_file(name))
    assert len(time_s) == samples
    assert time_s[0] == 0.0
    # The last block of a .cwa file ends at the rate that the sensor truly ran at, not at the
    # one it was set to, as some readers have it: 1.2 s at 98.87 Hz instead of 100 Hz.
    assert time_s[-1] == pytest.approx(span_s, abs=0.015)
    if norm_g is not None:
        norm = np.linalg.norm(acceleration.astype(float), axis=1).mean()
        assert norm == pytest.approx(norm_g, abs=5e-4)
    assert abs((recording.start_time - datetime.fromisoformat(start)).total_seconds()) < 1e-3
    assert not codes(recording) - {"unit", "truncated"}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".csv.gz")])
def test_samples_equal_those_of_an_independent_reader(name: str) -> None:
    path = real_file(name)
    series = actfast.read(path, lenient=True)["timeseries"]
    theirs = series.get("high_frequency") or series["acceleration"]
    if not len(theirs["datetime"]):
        pytest.skip("the independent reader finds no samples in this file")
    recording, acceleration, time_s = read(path)
    np.testing.assert_array_equal(acceleration, theirs["acceleration"])
    # It steps through a block at the rate that was set and starts each block anew, so that its
    # times run up to 1.2 % of a block ahead of ours: 15 ms of 1.2 s.
    start_s = (recording.start_time - EPOCH).total_seconds()
    np.testing.assert_allclose(
        start_s + time_s, theirs["datetime"] / 1e9, rtol=0, atol=0.015 if ".cwa" in name else 0.001
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [n for n in NAMES if ".cwa" in n and "corrupt" not in n] + ["geneactiv_100hz_still.bin"]
)
def test_samples_equal_those_of_a_second_reader(name: str) -> None:
    from skdh.io import ReadBin, ReadCwa

    path = real_file(name)
    theirs = (ReadCwa() if ".cwa" in name else ReadBin()).predict(file=str(path))
    recording, acceleration, time_s = read(path)
    np.testing.assert_allclose(acceleration, theirs["accel"], rtol=2e-7, atol=1e-7)
    # Its times are rounded down to whole samples of the rate that was set, on top of the above.
    start_s = (recording.start_time - EPOCH).total_seconds()
    np.testing.assert_allclose(start_s + time_s, theirs["time"], rtol=0, atol=0.025)


def records_of(path: object) -> list[tuple[int, int, bytes]]:
    """Type, time and payload of each record of a log, the slow way."""
    log = zipfile.ZipFile(path).read("log.bin")
    records = []
    at = 0
    while at < len(log):
        separator, kind, time, size = struct.unpack_from("<BBIH", log, at)
        assert separator == 0x1E
        records.append((kind, time, log[at + 8 : at + 8 + size]))
        at += 9 + size
    return records


def samples_12_bit(payload: bytes) -> NDArray[np.float64]:
    bits = "".join(f"{byte:08b}" for byte in payload)
    values = [int(bits[at : at + 12], 2) for at in range(0, len(bits) - 11, 12)]
    signed = np.array([value - 4096 if value > 2047 else value for value in values])
    return signed[: len(signed) // 3 * 3].reshape(-1, 3)[:, [1, 0, 2]]


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".gt3x")])
def test_log_equals_its_slow_reading(name: str) -> None:
    path = real_file(name)
    recording, acceleration, time_s = read(path)
    times, samples = [], []
    for kind, time, payload in records_of(path):
        if kind in (0, 26) and len(payload) > 1:
            values = (
                samples_12_bit(payload)
                if kind == 0
                else np.frombuffer(payload, "<i2").reshape(-1, 3)
            )
            samples.append(values / 256)
            times.append(time + np.arange(len(values)) / len(values))
    np.testing.assert_array_equal(acceleration, np.concatenate(samples).astype(np.float32))
    start_s = (recording.start_time - EPOCH).total_seconds()
    np.testing.assert_allclose(start_s + time_s, np.concatenate(times), rtol=0, atol=1e-6)


def test_table_of_text_equals_its_slow_reading() -> None:
    path = real_file("wrist_100hz.csv.gz")
    recording, acceleration, time_s = read(path)
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))[1:]
    values = np.array([row[1:] for row in rows], float)
    np.testing.assert_array_equal(acceleration, values.astype(np.float32))
    first = datetime.fromisoformat(rows[0][0])
    assert recording.start_time == first
    slow_s = [(datetime.fromisoformat(row[0]) - first).total_seconds() for row in rows]
    np.testing.assert_allclose(time_s, slow_s, rtol=0, atol=1e-9)


def test_idle_sleep_leaves_its_gaps() -> None:
    _, _, time_s = read(real_file("actigraph_idle_sleep_30hz.gt3x"))
    step_s = np.diff(time_s)
    gaps = step_s[step_s > 0.5]
    assert len(gaps) == 23
    assert gaps.max() == pytest.approx(261.03, abs=0.005)


def test_the_rate_that_the_sensor_ran_at_shows() -> None:
    recording, _, time_s = read(real_file("axivity_ax3_wrist_100hz.cwa"))
    assert recording.sample_rate_hz == 100.0
    assert (len(time_s) - 1) / time_s[-1] == pytest.approx(98.87, abs=0.01)


def test_damaged_blocks_become_gaps_and_leave_the_rest_as_it_was() -> None:
    recording, acceleration, time_s = read(real_file("axivity_ax3_corrupt_blocks.cwa"))
    _, sound, sound_s = read(real_file("axivity_ax3_wrist_100hz.cwa"))
    lost = np.isin(np.arange(len(sound)) // 120, (0, 13, 14, 142, 143, 144))
    np.testing.assert_array_equal(acceleration, sound[~lost])
    assert codes(recording) == {"damaged_blocks"}
    assert "6 blocks" in recording.notices[0].sentence
    assert "block 0 (byte 1024)" in recording.notices[0].sentence
    # Times agree but for the ends of the two blocks that lost their successor.
    shift_s = sound_s[~lost][0]
    np.testing.assert_allclose(time_s + shift_s, sound_s[~lost], rtol=0, atol=0.003)


def test_declared_pages_that_are_not_there_are_told() -> None:
    recording, _, _ = read(real_file("geneactiv_85hz.bin"))
    assert codes(recording) == {"truncated"}
    assert "222048" in recording.notices[0].sentence
    assert "215.9" in recording.notices[0].sentence


@pytest.mark.parametrize(
    ("name", "device", "serial", "range_g", "side", "placement"),
    [
        ("axivity_ax3_wrist_100hz.cwa", "Axivity AX3", "39434", 8.0, "right", "wrist"),
        ("axivity_ax6_100hz.cwa", "Axivity AX6", "6011834", 16.0, "unknown", "unknown"),
        ("actigraph_60hz.gt3x", "ActiGraph wGT3XBT", "MOS2E17210537", 8.0, "unknown", "unknown"),
        ("actigraph_link_wrist_100hz.gt3x", "ActiGraph Link", "TAS1H52220588", 8.0, "unknown",
         "wrist"),
        ("geneactiv_100hz_still.bin", "GENEActiv 1.1", "035645", 8.0, "left", "wrist"),
    ],
)  # fmt: skip
def test_what_the_header_says(
    name: str, device: str, serial: str, range_g: float, side: str, placement: str
) -> None:
    recording, _, _ = read(real_file(name))
    assert recording.device == device
    assert recording.serial == serial
    assert recording.range_g == range_g
    assert (recording.side, recording.placement) == (side, placement)


@pytest.mark.parametrize("name", NAMES)
def test_reading_twice_gives_the_same_and_tells_nothing_twice(name: str) -> None:
    recording, acceleration, time_s = read(real_file(name))
    notices = list(recording.notices)
    _, again, again_s = read(recording)
    np.testing.assert_array_equal(acceleration, again)
    np.testing.assert_array_equal(time_s, again_s)
    assert recording.notices == notices


@pytest.mark.parametrize("name", NAMES)
def test_a_window_holds_what_the_whole_holds(name: str) -> None:
    path = real_file(name)
    recording, acceleration, time_s = read(path)
    for start_s, end_s in ((0.0, 10.0), (23.456, 41.0), (50.0, 1e9), (1e7, 2e7), (30.0, 30.0)):
        inside = (time_s >= start_s) & (time_s < end_s)
        for source in (path, recording):  # never read before, and read before
            _, part, part_s = read(source, start_s, end_s)
            np.testing.assert_array_equal(part, acceleration[inside])
            np.testing.assert_array_equal(part_s, time_s[inside])
