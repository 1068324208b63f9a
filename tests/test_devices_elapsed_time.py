"""Elapsed time from clocks that lie: disorder, repetitions, bursts, jumps, drift."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from device_files import START, worn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from real_recordings import codes, read

from rlsmove.devices import csv, open_recording
from rlsmove.devices.elapsed_time import (
    Course,
    Placed,
    follow_clock,
    measure_beat,
    order_packets,
)
from rlsmove.errors import RecordingError

Floats = NDArray[np.float64]


def follow(clock_s: Floats, packet_s: float = 1.0, step_s: float = 0.01) -> Placed:
    """Follow the clock of packets of one length to their end."""
    length_s, step = np.full(len(clock_s), packet_s), np.full(len(clock_s), step_s)
    beat = measure_beat(clock_s, length_s)
    course = Course(stretch=beat.stretch)
    return follow_clock(clock_s, length_s, step, beat, course, beat.stride, False, True)


def order(clock_s: Floats, packet_s: float = 1.0, step_s: float = 0.01) -> list[int]:
    length_s, step = np.full(len(clock_s), packet_s), np.full(len(clock_s), step_s)
    beat = measure_beat(clock_s, length_s)
    rows, *_ = order_packets(
        clock_s,
        length_s,
        step,
        np.zeros(len(clock_s), np.int64),
        beat,
        Course(stretch=beat.stretch),
        False,
        lambda one, other: one != one,
    )
    return rows.tolist()


EVEN_S = np.arange(600.0)


# What is wrong with the clock of packets of a second; all of it leaves elapsed time as it is.


def stands_still(clock_s: Floats) -> None:
    clock_s[200:240] = clock_s[200]


def stale_block(clock_s: Floats) -> None:
    clock_s[300] -= 180


def first_of_1970(clock_s: Floats) -> None:
    clock_s[0] = -1.7e9


def set_after_a_minute(clock_s: Floats) -> None:
    clock_s[:60] -= 1.7e9


def set_back_after_a_minute(clock_s: Floats) -> None:
    clock_s[:60] += 7200


def set_back_for_good(clock_s: Floats) -> None:
    clock_s[350:] -= 3600


def resynchronized(clock_s: Floats) -> None:
    clock_s[200:] -= 2
    clock_s[400:] -= 2


def back_and_ahead_again(clock_s: Floats) -> None:
    clock_s[200:260] -= 3600


def ahead_and_back_again(clock_s: Floats) -> None:
    clock_s[200:260] += 600


def no_stamp_now_and_then(clock_s: Floats) -> None:
    clock_s[[0, 7, 8, 9, 599]] = np.nan


@pytest.mark.parametrize(
    "wrong",
    [
        stands_still, stale_block, first_of_1970, set_after_a_minute, set_back_after_a_minute,
        set_back_for_good, resynchronized, back_and_ahead_again, ahead_and_back_again,
        no_stamp_now_and_then,
    ],
)  # fmt: skip
def test_elapsed_time_goes_on(wrong: Callable[[Floats], None]) -> None:
    clock_s = EVEN_S.copy()
    wrong(clock_s)
    rows = order(clock_s)
    assert rows == list(range(600))
    placed = follow(clock_s)
    np.testing.assert_allclose(placed.start_s, EVEN_S, rtol=0, atol=0.01)
    assert not placed.dropped.any()


@pytest.mark.parametrize("wrong", [first_of_1970, set_after_a_minute, set_back_after_a_minute])
def test_the_start_goes_by_most_of_the_stamps(wrong: Callable[[Floats], None]) -> None:
    clock_s = EVEN_S + 1000.0
    wrong(clock_s)
    assert np.median(follow(clock_s).shift_s) == pytest.approx(1000.0)


def test_what_a_clock_was_set_back_by_is_given_back() -> None:
    clock_s = np.arange(12_000.0)
    clock_s[4000:9000] -= 3600
    placed = follow(clock_s)
    np.testing.assert_allclose(placed.start_s, np.arange(12_000.0), rtol=0, atol=1e-6)
    assert [one.off_s for one in placed.breaks] == pytest.approx([-3600, 3600])
    assert [one.gap_s for one in placed.breaks] == [0, 0]


def test_a_pause_is_a_gap() -> None:
    clock_s = EVEN_S + 7200 * (EVEN_S >= 100) + 30 * (EVEN_S >= 110)
    np.testing.assert_allclose(follow(clock_s).start_s, clock_s, rtol=0, atol=1e-9)


def test_a_true_rate_is_kept() -> None:
    clock_s = EVEN_S * 100 / 98.87
    placed = follow(clock_s)
    np.testing.assert_allclose(placed.start_s, clock_s, rtol=0, atol=1e-9)
    assert placed.end_s[-1] == pytest.approx(600 * 100 / 98.87)


@pytest.mark.parametrize("ppm", [-50, 0, 50, 11_000])
@pytest.mark.parametrize("scatter_s", [0.0, 0.008, 0.09])
def test_scattered_stamps_lie_on_a_line_that_keeps_the_drift(ppm: float, scatter_s: float) -> None:
    rng = np.random.default_rng(3)
    n = 20_000
    true_s = 0.2 * np.arange(n) * (1 + ppm * 1e-6)
    placed = follow(true_s + rng.exponential(scatter_s + 1e-12, n), 0.2, 0.01)
    off_s = placed.start_s - true_s
    assert np.ptp(off_s) < 0.6 * scatter_s + 1e-6
    slope = np.polyfit(true_s, placed.start_s, 1)[0]
    assert abs(slope - 1) < 5e-6


def test_disorder_is_sorted() -> None:
    rng = np.random.default_rng(1)
    rows = rng.permutation(600)
    assert (EVEN_S[rows][order(EVEN_S[rows])] == EVEN_S).all()
    for late in (1, 30, 400):
        rows = np.r_[0:100, 105 : 105 + late, 100:105, 105 + late : 600]
        assert (EVEN_S[rows][order(EVEN_S[rows])] == EVEN_S).all()


CLOCKS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.01, -0.01, 5.0, -5.0, -3600.0, 1e5, 1e9, np.nan]),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(CLOCKS)
@settings(max_examples=200, deadline=None)
def test_packets_never_overlap_whatever_the_clock_does(clock: list[tuple[float, bool]]) -> None:
    off = np.array([by for by, _ in clock])
    lasting = np.array([lasts for _, lasts in clock])
    clock_s = np.arange(len(off)) + off + np.cumsum(np.where(lasting, np.nan_to_num(off), 0)) * 1.0
    if not np.isfinite(clock_s).any():
        return
    rows = order(clock_s)
    assert sorted(rows) == list(range(len(off)))
    placed = follow(clock_s[rows])
    start_s, end_s = placed.start_s[~placed.dropped], placed.end_s[~placed.dropped]
    assert np.isfinite(start_s).all()
    assert (end_s > start_s).all()
    assert (start_s[1:] >= end_s[:-1] - 1e-6).all()


# Tables: the same minutes in every disguise ------------------------------------------------------

FS = 25
MINUTES = 100
SIGNAL = np.round(worn(60 * MINUTES, FS), 4)
TIME_S = np.arange(len(SIGNAL)) / FS


def written(path: Path, time_s: Floats, rows: NDArray[np.int64], start: datetime = START) -> Path:
    first = np.datetime64(start, "us")
    stamps = np.datetime_as_string(first + np.rint(time_s * 1e6).astype("m8[us]"), unit="us")
    with path.open("w") as file:
        file.write("time,x,y,z\n")
        for stamp, (x, y, z) in zip(stamps.tolist(), SIGNAL[rows].tolist(), strict=True):
            file.write(f"{stamp},{x:.4f},{y:.4f},{z:.4f}\n")
    return path


ROWS = np.arange(len(SIGNAL))
RNG = np.random.default_rng(5)


def swapped() -> tuple[Floats, NDArray[np.int64]]:
    rows = ROWS.copy()
    rows[500::500], rows[501::500] = ROWS[501::500], ROWS[500::500]
    return TIME_S[rows], rows


def all_swapped() -> tuple[Floats, NDArray[np.int64]]:
    rows = ROWS.reshape(-1, 2)[:, ::-1].ravel()
    return TIME_S[rows], rows


def sent_twice() -> tuple[Floats, NDArray[np.int64]]:
    pieces = ROWS.reshape(-1, 600 * FS)
    rows = np.concatenate(
        [piece for i, piece in enumerate(pieces) for _ in range(1 + (i % 3 == 2))]
    )
    return TIME_S[rows], rows


def late_by_59_minutes() -> tuple[Floats, NDArray[np.int64]]:
    at, to = 600 * FS, (600 + 59 * 60) * FS
    rows = np.r_[ROWS[:at], ROWS[at + 500 : to], ROWS[at : at + 500], ROWS[to:]]
    return TIME_S[rows], rows


def bursts() -> tuple[Floats, NDArray[np.int64]]:
    arrival_s = TIME_S[9::10] + 0.03 + RNG.exponential(0.03, len(ROWS) // 10)
    return np.repeat(arrival_s - arrival_s[0], 10), ROWS


def jitter() -> tuple[Floats, NDArray[np.int64]]:
    return np.maximum(TIME_S + RNG.normal(scale=0.008, size=len(ROWS)), 0), ROWS


def whole_seconds() -> tuple[Floats, NDArray[np.int64]]:
    return np.floor(TIME_S + 1e-9), ROWS


def whole_minutes() -> tuple[Floats, NDArray[np.int64]]:
    return np.floor((TIME_S + 1e-9) / 60) * 60, ROWS


def set_back_for_winter() -> tuple[Floats, NDArray[np.int64]]:
    return TIME_S - 3600 * (TIME_S >= 4000), ROWS


def frozen() -> tuple[Floats, NDArray[np.int64]]:
    return np.where((TIME_S >= 1000) & (TIME_S < 1040), 1000.0, TIME_S), ROWS


DISGUISES = (
    swapped, all_swapped, sent_twice, late_by_59_minutes, bursts, jitter, whole_seconds,
    whole_minutes, set_back_for_winter, frozen,
)  # fmt: skip


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_table_in_disguise(
    disguise: Callable[[], tuple[Floats, NDArray[np.int64]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = written(tmp_path / "a.csv", *disguise())
    recording, acceleration, time_s = read(path)
    np.testing.assert_allclose(acceleration, SIGNAL, rtol=0, atol=1e-4)
    # Late by the latency, but by the same throughout.
    off_s = time_s - TIME_S
    assert np.ptp(off_s) < 0.02
    assert abs(off_s.mean()) < 0.1
    assert abs(recording.start_time - START) < timedelta(seconds=0.2)
    assert not codes(recording) & {"clock_jump"}
    # In pieces of another size, and a late stretch alone.
    with monkeypatch.context() as smaller:
        smaller.setattr(csv, "BYTES_PER_READ", 70_000)
        again, again_g, again_s = read(path)
    assert again.notices == recording.notices
    np.testing.assert_array_equal(again_s, time_s)
    np.testing.assert_array_equal(again_g, acceleration)
    for source in (again, open_recording(path)):
        _, part_g, part_s = read(source, 3333.3, 4444.4)
        inside = (time_s >= 3333.3) & (time_s < 4444.4)
        np.testing.assert_array_equal(part_s, time_s[inside])
        np.testing.assert_array_equal(part_g, acceleration[inside])


@pytest.mark.parametrize("late_minutes", [0, 70])
def test_disorder_of_more_than_an_hour_is_refused(late_minutes: int, tmp_path: Path) -> None:
    """Halves in the wrong order; a minute that comes 70 minutes late."""
    half = 75 * 60 * FS
    rows = np.r_[ROWS[half:], ROWS[:half]]
    if late_minutes:
        at, to = 5 * 60 * FS, (6 + late_minutes) * 60 * FS
        rows = np.r_[ROWS[:at], ROWS[at + 1500 : to], ROWS[at : at + 1500], ROWS[to:]]
    path = written(tmp_path / "a.csv", TIME_S[rows], rows)
    with pytest.raises(RecordingError, match=r"byte \d+: rows that belong 1\.[12] h before"):
        read(path)


@pytest.mark.parametrize("seed", range(4))
def test_time_never_goes_back_where_lateness_outgrows_what_the_first_minutes_showed(
    seed: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    late_s = rng.exponential(0.03, len(ROWS) // 10)
    late_s[4500:] += rng.exponential(0.4, len(late_s) - 4500)
    late_s[9000:] += rng.normal(scale=1.5, size=len(late_s) - 9000)
    arrival_s = np.maximum(TIME_S[9::10] + late_s, 0)
    _, acceleration, _ = read(written(tmp_path / "a.csv", np.repeat(arrival_s, 10), ROWS))
    assert len(acceleration) > 0.5 * len(ROWS)
