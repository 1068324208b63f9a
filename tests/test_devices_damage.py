"""Damaged files: what is whole is read, what is not is told, and time never goes back."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from device_files import (
    CWA_BLOCK,
    EPOCH,
    START,
    activity_payload,
    cwa_seal,
    cwa_time,
    damaged_copies,
    gt3x_info,
    gt3x_records,
    worn,
    write_bin,
    write_cwa,
    write_gt3x,
    write_old_gt3x,
)
from numpy.typing import NDArray
from real_recordings import NAMES, codes, read, real_file

from rlsmove.devices import open_recording, zip_member
from rlsmove.errors import (
    DamagedRecording,
    RecordingError,
    RlsmoveError,
    UnknownFormat,
    UnsuitableSignal,
)

FS = 100
SIGNAL = worn(60, FS)
BLOCK_S = 1.2
HOUR = timedelta(hours=1)


def edit_cwa(path: Path, edit: Callable[[NDArray[np.void]], NDArray[np.void]]) -> None:
    """Change the blocks of a .cwa file, and make their sums right again."""
    data = path.read_bytes()
    blocks = edit(np.frombuffer(data[1024:], CWA_BLOCK).copy())
    cwa_seal(blocks)
    path.write_bytes(data[:1024] + blocks.tobytes())


def move_clock(path: Path, rows: slice | list[int], by: timedelta) -> None:
    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        first_s = (START - EPOCH + by) // timedelta(seconds=1)
        whole_s = first_s + np.floor(np.arange(len(blocks)) * BLOCK_S + 1e-6).astype(np.int64)
        blocks["time"][rows] = cwa_time(whole_s)[rows]
        return blocks

    edit_cwa(path, edit)


@pytest.fixture
def cwa(tmp_path: Path) -> Path:
    write_cwa(tmp_path / "a.cwa", [SIGNAL])
    return tmp_path / "a.cwa"


@pytest.fixture
def gt3x(tmp_path: Path) -> Path:
    write_gt3x(tmp_path / "a.gt3x", [SIGNAL])
    return tmp_path / "a.gt3x"


@pytest.fixture
def geneactiv(tmp_path: Path) -> Path:
    write_bin(tmp_path / "a.bin", [SIGNAL], pages=20)
    return tmp_path / "a.bin"


EVEN_S = np.arange(len(SIGNAL)) / FS
BLOCK = np.arange(len(SIGNAL)) // 120


# Clocks --------------------------------------------------------------------------------------


def test_a_pause_is_a_gap_and_no_finding(cwa: Path) -> None:
    move_clock(cwa, slice(20, None), HOUR)
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S + 3600 * (BLOCK >= 20), rtol=0, atol=1e-3)
    assert recording.notices == []


def test_a_pause_of_two_days_is_a_gap_and_a_finding(cwa: Path) -> None:
    move_clock(cwa, slice(20, None), 48 * HOUR)
    recording, _, time_s = read(cwa)
    np.testing.assert_allclose(time_s, EVEN_S + 172_800 * (BLOCK >= 20), rtol=0, atol=1e-3)
    assert codes(recording) == {"clock_jump"}


def test_a_leap_of_ten_years_is_no_gap(cwa: Path) -> None:
    move_clock(cwa, slice(20, None), 87_660 * HOUR)
    recording, _, time_s = read(cwa)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert codes(recording) == {"clock_jump"}


@pytest.mark.parametrize("by", [HOUR, timedelta(seconds=2), timedelta(days=3000)])
def test_a_clock_set_back_lets_elapsed_time_go_on(cwa: Path, by: timedelta) -> None:
    move_clock(cwa, slice(20, None), -by)
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert codes(recording) == {"clock_step"}
    assert f"{by.total_seconds():.3f} s" in recording.notices[0].sentence


def test_a_clock_set_back_twice(cwa: Path) -> None:
    move_clock(cwa, slice(10, None), -HOUR)
    move_clock(cwa, slice(30, None), -3 * HOUR)
    recording, _, time_s = read(cwa)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert "2 times" in recording.notices[0].sentence


@pytest.mark.parametrize("row", [0, 1, 7, 24, 48])
@pytest.mark.parametrize("by", [timedelta(days=4000), -timedelta(days=4000), -HOUR, HOUR])
def test_one_clock_out_of_line_is_put_between_its_neighbors(
    cwa: Path, row: int, by: timedelta
) -> None:
    move_clock(cwa, [row], by)
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    if row == 0 and by == -HOUR:
        # An hour between the first block and the second may as well be a pause.
        assert time_s[-1] == pytest.approx(EVEN_S[-1] + 3600, abs=1e-3)
    else:
        np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
        assert codes(recording) == {"clock_outlier"}
        assert abs(recording.start_time - START) < timedelta(milliseconds=1)


@pytest.mark.parametrize("row", [0, 1, 24, 49])
def test_one_clock_that_is_no_time(cwa: Path, row: int) -> None:
    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks["time"][row] = 0xFFFFFFFF
        return blocks

    edit_cwa(cwa, edit)
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert codes(recording) == {"clock_outlier"}
    assert abs(recording.start_time - START) < timedelta(milliseconds=1)


def test_no_clock_at_all(cwa: Path) -> None:
    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks["time"] = 0
        return blocks

    edit_cwa(cwa, edit)
    with pytest.raises(DamagedRecording, match="no time"):
        open_recording(cwa)


@pytest.mark.parametrize(
    "order",
    [[*range(20), 19, *range(20, 50)], [*range(20), *range(10, 50)], [*range(50), *range(50)]],
    ids=["one again", "ten again", "all again"],
)
def test_blocks_that_come_again_are_dropped(cwa: Path, order: list[int]) -> None:
    edit_cwa(cwa, lambda blocks: blocks[order])
    recording, acceleration, time_s = read(cwa)
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert codes(recording) == {"duplicate_blocks"}
    assert f"{len(order) - 50} blocks" in recording.notices[0].sentence


def test_a_device_that_starts_anew_counts_its_blocks_anew(cwa: Path) -> None:
    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks["sequence"][20:] -= 20
        return blocks

    move_clock(cwa, slice(20, None), HOUR)
    edit_cwa(cwa, edit)
    _, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S + 3600 * (BLOCK >= 20), rtol=0, atol=1e-3)


@pytest.mark.parametrize("rows", [slice(0, 10), slice(40, None)])
def test_blocks_of_another_use_are_left_out(cwa: Path, rows: slice) -> None:
    move_clock(cwa, rows, -24 * 40 * HOUR)

    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks["session"][rows] = 99
        blocks["sequence"][10:] -= 10 * (rows.start == 0)
        return blocks

    edit_cwa(cwa, edit)
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == 40 * 120
    np.testing.assert_allclose(time_s, EVEN_S[: 40 * 120], rtol=0, atol=1e-3)
    assert codes(recording) == {"other_session"}


def test_a_second_session_of_the_night_is_read_with_the_gap_between(cwa: Path) -> None:
    move_clock(cwa, slice(20, None), 2 * HOUR)

    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks["session"][20:] = 99
        blocks["sequence"][20:] -= 20
        return blocks

    edit_cwa(cwa, edit)
    recording, acceleration, time_s = read(cwa)
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256
    np.testing.assert_allclose(time_s, EVEN_S + 7200 * (BLOCK >= 20), rtol=0, atol=1e-3)
    assert recording.notices == []


def test_a_second_that_comes_again_is_dropped(gt3x: Path) -> None:
    log = read_log(gt3x)
    size = 9 + 450
    write_log(gt3x, log[: 30 * size] + log[29 * size :])
    recording, acceleration, time_s = read(gt3x)
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-9)
    assert codes(recording) == {"duplicate_blocks"}


def test_a_clock_set_back_within_a_log(tmp_path: Path) -> None:
    first_s = (START - EPOCH) // timedelta(seconds=1)
    second = first_s + np.arange(60) - 3600 * (np.arange(60) >= 30)
    payload = activity_payload(SIGNAL.reshape(60, FS, 3), 26, 256.0)
    write_log(tmp_path / "a", gt3x_records(26, second, payload))
    recording, acceleration, time_s = read(tmp_path / "a")
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-9)
    assert codes(recording) == {"clock_step"}


# Axivity -------------------------------------------------------------------------------------


def test_a_damaged_block_is_a_gap(cwa: Path) -> None:
    data = bytearray(cwa.read_bytes())
    data[1024 + 512 * 7 + 100] ^= 1
    cwa.write_bytes(data)
    recording, acceleration, time_s = read(cwa)
    left = BLOCK != 7
    assert np.abs(acceleration - SIGNAL[left]).max() <= 0.51 / 256
    np.testing.assert_allclose(time_s, EVEN_S[left], rtol=0, atol=1e-3)
    assert codes(recording) == {"damaged_blocks"}
    assert "block 7 (byte 4608)" in recording.notices[0].sentence


def test_no_whole_block(cwa: Path) -> None:
    data = bytearray(cwa.read_bytes())
    data[1024 + 40 :: 512] = bytes(byte ^ 1 for byte in data[1024 + 40 :: 512])
    cwa.write_bytes(data)
    with pytest.raises(DamagedRecording, match="none of its blocks is whole"):
        open_recording(cwa)


def test_zeros_for_blocks_are_damage_though_their_sum_is_right(cwa: Path) -> None:
    data = bytearray(cwa.read_bytes())
    data[1024 + 512 * 10 : 1024 + 512 * 12] = bytes(1024)
    cwa.write_bytes(data)
    recording, acceleration, _ = read(cwa)
    assert len(acceleration) == len(SIGNAL) - 240
    assert "2 blocks" in recording.notices[0].sentence


def test_more_damage_than_fits_into_memory_at_once(cwa: Path) -> None:
    data = cwa.read_bytes()
    middle = 1024 + 512 * 25
    cwa.write_bytes(data[:middle] + b"\xa5" * (512 * 9000) + data[middle:])
    recording, acceleration, time_s = read(cwa)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-3)
    assert "9000 blocks" in recording.notices[0].sentence


def test_a_header_that_is_lost(cwa: Path) -> None:
    data = cwa.read_bytes()
    for content in (bytes(1024) + data[1024:], data[1024:]):
        cwa.write_bytes(content)
        recording, acceleration, _ = read(cwa)
        assert len(acceleration) == len(SIGNAL)
        assert recording.device == "Axivity AX3"
        assert codes(recording) == {"damaged_header"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("layout", 0x31), ("layout", 0x00), ("layout", 0x70), ("count", 121), ("count", 65535)],
)
def test_a_block_of_no_known_layout_is_damage(cwa: Path, field: str, value: int) -> None:
    def edit(blocks: NDArray[np.void]) -> NDArray[np.void]:
        blocks[field][5] = value
        return blocks

    edit_cwa(cwa, edit)
    recording, acceleration, _ = read(cwa)
    assert len(acceleration) == len(SIGNAL) - 120
    assert codes(recording) == {"damaged_blocks"}


# ActiGraph -----------------------------------------------------------------------------------


def read_log(path: Path, member: str = "log.bin") -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(member)


def write_log(path: Path, log: bytes, info: str | None = None, *, deflated: bool = False) -> None:
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("log.bin", log)
        if info != "":
            archive.writestr("info.txt", info or gt3x_info(START, FS))


RECORD = 9 + 450


@pytest.mark.parametrize("at", [0, 1, 3, 6, 7, 8, 200, 458])
def test_a_damaged_second_is_a_gap(gt3x: Path, at: int) -> None:
    log = bytearray(read_log(gt3x))
    log[20 * RECORD + at] ^= 0x41
    write_log(gt3x, bytes(log))
    recording, acceleration, time_s = read(gt3x)
    left = np.arange(len(SIGNAL)) // FS != 20
    assert np.abs(acceleration - SIGNAL[left]).max() <= 0.51 / 256
    np.testing.assert_allclose(time_s, EVEN_S[left], rtol=0, atol=1e-9)
    assert codes(recording) == {"damaged_blocks"}


def test_zeros_between_records_are_no_damage(gt3x: Path) -> None:
    log = read_log(gt3x)
    write_log(gt3x, log[: 20 * RECORD] + bytes(7) + log[20 * RECORD :])
    recording, acceleration, _ = read(gt3x)
    assert len(acceleration) == len(SIGNAL)
    assert recording.notices == []


def test_records_of_other_kinds_and_of_one_byte_are_passed_over(gt3x: Path) -> None:
    log = read_log(gt3x)
    first_s = np.array([(START - EPOCH) // timedelta(seconds=1) + 20])
    usb = gt3x_records(0, first_s, np.array([[3]], np.uint8))
    other = gt3x_records(5, first_s, np.full((1, 300), 0x1E, np.uint8))
    cut = 20 * RECORD
    write_log(gt3x, log[:cut] + other + usb + log[cut + RECORD :])
    recording, acceleration, time_s = read(gt3x)
    assert len(acceleration) == len(SIGNAL) - FS
    assert np.diff(time_s).max() == pytest.approx(1.01)
    assert recording.notices == []


def test_a_log_without_raw_samples(tmp_path: Path) -> None:
    epoch = gt3x_records(9, np.arange(1_600_000_000, 1_600_000_010), np.ones((10, 6), np.uint8))
    write_log(tmp_path / "a", epoch)
    with pytest.raises(UnsuitableSignal, match="10 records, but none of raw acceleration"):
        open_recording(tmp_path / "a")


def test_a_log_without_info(gt3x: Path) -> None:
    write_log(gt3x, read_log(gt3x), "")
    recording, acceleration, _ = read(gt3x)
    assert recording.sample_rate_hz == FS
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256
    assert codes(recording) == {"damaged_header"}


def test_the_scale_of_a_log_without_info_comes_from_its_parameters(tmp_path: Path) -> None:
    write_gt3x(tmp_path / "a", [SIGNAL], scale=341.0)
    log = read_log(tmp_path / "a")
    # 341 is 0.666015625 * 2^9, the fraction in 24 bits.
    value = 9 << 24 | round(341 / 512 * 0x800000)
    payload = np.frombuffer(struct.pack("<HHIHHI", 1, 10, FS, 0, 55, value), np.uint8)[None]
    write_log(tmp_path / "a", gt3x_records(21, np.array([1_700_000_000]), payload) + log, "")
    _, acceleration, _ = read(tmp_path / "a")
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 341


def test_parameters_that_break_off(tmp_path: Path) -> None:
    payload = np.zeros((1, 4), np.uint8)
    write_log(tmp_path / "a", gt3x_records(21, np.array([1_700_000_000]), payload)[:-3], "")
    with pytest.raises(DamagedRecording, match="none of its records"):
        open_recording(tmp_path / "a")


def test_info_that_contradicts_the_records(gt3x: Path) -> None:
    write_log(gt3x, read_log(gt3x), gt3x_info(START, 30))
    recording, _, time_s = read(gt3x)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-9)
    assert recording.sample_rate_hz == FS
    assert codes(recording) == {"sample_rate"}


def test_decimal_commas_in_info(gt3x: Path) -> None:
    info = gt3x_info(START, FS, Acceleration_Scale="256,0", Acceleration_Max="8,0")
    write_log(gt3x, read_log(gt3x), info)
    recording, acceleration, _ = read(gt3x)
    assert recording.range_g == 8.0
    assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256


@pytest.mark.parametrize("missing", ["Start_Date", "Sample_Rate"])
def test_the_old_layout_needs_its_info(missing: str, tmp_path: Path) -> None:
    write_old_gt3x(tmp_path / "a", [SIGNAL], rate_hz=FS, **{missing: None})
    with pytest.raises(DamagedRecording, match=missing.replace("_", " ")):
        open_recording(tmp_path / "a")


def test_the_old_layout_without_samples(tmp_path: Path) -> None:
    write_old_gt3x(tmp_path / "a", [], rate_hz=FS)
    recording = open_recording(tmp_path / "a")
    with pytest.raises(DamagedRecording, match="no samples"):
        list(recording.blocks())


@pytest.mark.parametrize("ticks", ["9" * 30, "-5", "0", "1", "x"])
def test_the_old_layout_with_an_impossible_start(ticks: str, tmp_path: Path) -> None:
    write_old_gt3x(tmp_path / "a", [SIGNAL], rate_hz=FS, Start_Date=ticks)
    try:
        recording = open_recording(tmp_path / "a")
    except DamagedRecording:
        return
    assert ticks == "1"
    assert recording.start_time.year == 1


def test_a_zip_file_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.gt3x", "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(UnknownFormat, match=r"zip file of workbook\.xml"):
        open_recording(tmp_path / "a.gt3x")


def test_a_zip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_member, "_BOMB_BYTES", 1 << 22)
    write_log(tmp_path / "a", bytes(1 << 24), deflated=True)
    with pytest.raises(DamagedRecording, match="inflates to more than"):
        open_recording(tmp_path / "a")


def test_a_zip_file_with_sizes_behind_its_members(gt3x: Path) -> None:
    class Pipe:
        """A file that cannot seek makes zipfile write sizes behind the members."""

        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

        def flush(self) -> None:
            pass

    for deflated in (False, True):
        pipe = Pipe()
        method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        with zipfile.ZipFile(pipe, "w", method) as archive:  # type: ignore[arg-type]
            archive.writestr("info.txt", gt3x_info(START, FS))
            archive.writestr("log.bin", read_log(gt3x))
        path = gt3x.with_name("streamed")
        path.write_bytes(pipe.data)
        recording, acceleration, _ = read(path)
        assert np.abs(acceleration - SIGNAL).max() <= 0.51 / 256
        assert recording.notices == []
        # Without its directory too.
        path.write_bytes(pipe.data[: pipe.data.rindex(b"PK\x01\x02") - 60])
        recording, acceleration, _ = read(path)
        assert len(acceleration) >= len(SIGNAL) - 3 * FS


# GENEActiv -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Recorded Data", b"Recorded Dat\xf4"),
        (b"Sequence Number:7\r", b"Sequence Number:?\r"),
        (b"Measurement Frequency:100.0", b"Measurement Frequency:\xff\xff"),
        (b"Device Status:", b"Device Statu\x00:"),
        (b"\r\nTemperature", b"Temperature"),
    ],
)
def test_a_damaged_page_is_a_gap(geneactiv: Path, old: bytes, new: bytes) -> None:
    data = geneactiv.read_bytes()
    at = data.index(old, data.rindex(b"Recorded", 0, data.index(b"Sequence Number:7\r")))
    geneactiv.write_bytes(data[:at] + new + data[at + len(old) :])
    recording, acceleration, time_s = read(geneactiv)
    left = np.arange(len(SIGNAL)) // 300 != 7
    assert np.abs(acceleration - SIGNAL[left]).max() <= 0.51 / 255
    np.testing.assert_allclose(time_s, EVEN_S[left], rtol=0, atol=1e-9)
    assert codes(recording) == {"damaged_blocks"}


@pytest.mark.parametrize("instead", [b"", b"G", b"00"])
def test_a_line_of_digits_with_a_wrong_one(instead: bytes, geneactiv: Path) -> None:
    data = geneactiv.read_bytes()
    at = data.index(b"Sequence Number:7\r") + 500
    geneactiv.write_bytes(data[:at] + instead + data[at + 1 :])
    recording, acceleration, _ = read(geneactiv)
    assert len(acceleration) == len(SIGNAL) - 300
    assert codes(recording) == {"damaged_blocks"}


@pytest.mark.parametrize(
    ("time", "finding"),
    [
        (b"2026-02-31 22:30:21:000", "clock_outlier"),
        (b"2036-03-01 22:30:21:000", "clock_outlier"),
        (b"2026-03-01 22:30:2\xb1:000", "clock_outlier"),
    ],
)
def test_a_page_whose_time_is_damaged(geneactiv: Path, time: bytes, finding: str) -> None:
    data = geneactiv.read_bytes()
    geneactiv.write_bytes(data.replace(b"2026-03-01 22:30:21:000", time))
    recording, _, time_s = read(geneactiv)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-9)
    assert codes(recording) == {finding}


def test_a_page_whose_rate_is_damaged(geneactiv: Path) -> None:
    data = geneactiv.read_bytes()
    at = data.index(b"Measurement Frequency:100.0\r\n", data.index(b"Sequence Number:7\r"))
    geneactiv.write_bytes(data[: at + 22] + b"9" + data[at + 23 :])
    recording, _, time_s = read(geneactiv)
    np.testing.assert_allclose(time_s, EVEN_S, rtol=0, atol=1e-9)
    assert recording.sample_rate_hz == FS


@pytest.mark.parametrize("gain", ["", "x", "0", "-25548", "nan"])
def test_a_header_without_calibration(gain: str, geneactiv: Path) -> None:
    data = geneactiv.read_bytes().replace(b"x gain:25548", f"x gain:{gain}".encode())
    geneactiv.write_bytes(data)
    with pytest.raises(DamagedRecording, match="x gain"):
        open_recording(geneactiv)


def test_missing_pages_are_told_with_their_length(geneactiv: Path) -> None:
    data = geneactiv.read_bytes()
    geneactiv.write_bytes(data[: data.index(b"Sequence Number:10\r") - 50])
    recording, acceleration, _ = read(geneactiv)
    assert len(acceleration) == 3000
    assert codes(recording) == {"truncated"}
    assert "20 pages" in recording.notices[0].sentence


# All formats ---------------------------------------------------------------------------------

WRITERS: dict[str, Callable[[Path], object]] = {
    "cwa": lambda path: write_cwa(path, [SIGNAL]),
    "gt3x": lambda path: write_gt3x(path, [SIGNAL]),
    "gt3x, deflated": lambda path: write_gt3x(path, [SIGNAL], deflated=True, info_first=True),
    "gt3x, old": lambda path: write_old_gt3x(path, [SIGNAL], rate_hz=FS),
    "bin": lambda path: write_bin(path, [SIGNAL], pages=20),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_cut_anywhere_gives_what_comes_before(name: str, tmp_path: Path) -> None:
    path = tmp_path / "whole"
    WRITERS[name](path)
    _, acceleration, time_s = read(path)
    data = path.read_bytes()
    cut = tmp_path / "cut"
    least = 0
    for size in [*range(60), *np.linspace(60, len(data) - 1, 60).astype(int)]:
        cut.write_bytes(data[:size])
        try:
            recording, part, part_s = read(cut)
        except RecordingError:
            assert least == 0, "less of the file was enough before"
            continue
        n = len(part)
        np.testing.assert_array_equal(part, acceleration[:n])
        # The last packet left has lost its successor, so that its end is reckoned.
        np.testing.assert_allclose(part_s, time_s[:n], rtol=0, atol=1e-3)
        assert n >= least
        least = n
        if n < len(acceleration) and not (name == "cwa" and (size - 1024) % 512 == 0):
            assert "truncated" in codes(recording)
    # Info that comes last is lost with the end; the old layout is nothing without it.
    assert least > 0.9 * len(acceleration) or name == "gt3x, old"


NOT_RECORDINGS = {
    "nothing": (b"", "empty file"),
    "zeros": (bytes(5000), "zeros"),
    "bdf": (b"\xffBIOSEMIpatient" + b" " * 500, "BDF"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "web page": (b"<!DOCTYPE html><html>", "web page"),
    "json": (b'{"a": 1}', "JSON"),
    "utf-16": ("Dear reader,\nthis is a letter.\n".encode("utf-16"), "table"),
    "noise": (bytes(range(256)) * 20, "binary"),
    "packed recording": (gzip.compress(b"\x89HDF\r\n\x1a\n" + bytes(2000)), "HDF5 file; unpack"),
    "packed noise": (gzip.compress(bytes(range(256)) * 9), "gzip file of binary"),
    "damaged gzip": (b"\x1f\x8b" + bytes(100), "damaged gzip"),
    "prose": (b"Dear reader,\nthis is a letter.\n", "table"),
    "events": (b"kind,label,onset_s,duration_s\nlm,left,1,2\n", "list of events"),
}


@pytest.mark.parametrize("name", NOT_RECORDINGS)
@pytest.mark.parametrize("suffix", [".cwa", ".gt3x", ".bin", ".csv", ".h5"])
def test_other_files_are_called_what_they_are(name: str, suffix: str, tmp_path: Path) -> None:
    content, words = NOT_RECORDINGS[name]
    path = tmp_path / f"night{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat, match=words) as caught:
        open_recording(path)
    assert str(path) in str(caught.value)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.cwa", tmp_path):
        with pytest.raises(RecordingError, match="cannot be read"):
            open_recording(path)


@pytest.mark.parametrize("name", NAMES)
def test_damage_of_any_kind_gives_samples_or_a_clear_error(name: str, tmp_path: Path) -> None:
    data = real_file(name).read_bytes()
    path = tmp_path / name
    read_well = 0
    for copy in damaged_copies(data, 12 if ".csv" in name else 60, seed=5):
        path.write_bytes(copy)
        try:
            recording, acceleration, _ = read(path)
        except RlsmoveError:
            continue
        assert isinstance(recording.start_time, datetime)
        read_well += len(acceleration) > 0
    assert read_well > 0
