"""The night before scoring, kept as one file."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime

import numpy as np
import pytest

from rlsmove.errors import ResultError
from rlsmove.records import (
    LEFT,
    RIGHT,
    DetectedLeg,
    DetectedNight,
    Intervals,
    LegSignal,
    Movements,
    Sleep,
)
from rlsmove.results.night_npz import read_night_file, write_night_file
from rlsmove.signal.kept_signal import kept_signal, on_other_clock
from rlsmove.signal.nights import Night, NightSpan


def ints(*values):
    return np.array(values, np.int64)


def leg(side, signal):
    movements = Movements.marks(ints(1000, 30_000), ints(2000, 700), np.full(2, side, np.int8))
    return DetectedLeg(side, movements, Intervals(ints(0), ints(90_000)), signal)


@pytest.fixture
def night():
    counts = np.array([[0, 0, 2048], [1, -1, 2047], [-32768] * 3], np.int16)
    return DetectedNight(
        start_time=datetime(2026, 3, 1, 22, 30),
        legs=(leg(LEFT, LegSignal(0.0, 0.04, 0.004, counts)), leg(RIGHT, None)),
        combined=True,
        sleep=Sleep(
            "hypnogram", 1000, None, ints(0, 30_000), ints(30_000, 60_000), np.array([0, 2], "i1")
        ),
        respiratory=Intervals.empty(),
        arousals=None,
    )


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "__dataclass_fields__"):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


def test_night_reads_back_as_it_was(night, tmp_path):
    write_night_file(tmp_path / "night.npz", night)
    assert_same(read_night_file(tmp_path / "night.npz"), night)


def test_night_without_sleep_reads_back_as_it_was(night, tmp_path):
    night = replace(night, sleep=None, respiratory=None)
    write_night_file(tmp_path / "night.npz", night)
    assert_same(read_night_file(tmp_path / "night.npz"), night)


def test_signal_can_be_left_unread(night, tmp_path):
    write_night_file(tmp_path / "night.npz", night)
    assert read_night_file(tmp_path / "night.npz", signal=False).legs[0].signal is None


def test_same_night_gives_the_same_bytes(night, tmp_path):
    for name in ("a.npz", "b.npz"):
        write_night_file(tmp_path / name, night)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "other", "cut"])
def test_damaged_file_is_named(content, night, tmp_path):
    path = tmp_path / "night.npz"
    write_night_file(path, night)
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(ResultError, match=r"night\.npz"):
        read_night_file(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ResultError, match="no such file"):
        read_night_file(tmp_path / "night.npz")


def test_kept_signal_is_within_a_quarter_milligravity_and_keeps_gaps():
    rng = np.random.default_rng(1)
    acceleration = rng.normal(0, 1, (500, 3)).astype(np.float32)
    acceleration[100:120] = np.nan
    night = Night(NightSpan(datetime(2026, 3, 1).date(), 10.0, 30.0, 20.0), 250, 25.0, acceleration)
    signal = kept_signal(night, step_g=0.004, later_s=5.0)
    assert signal.start_s == 15.0
    back = signal.acceleration()
    np.testing.assert_array_equal(np.isnan(back), np.isnan(acceleration))
    assert np.nanmax(np.abs(back - acceleration)) <= 0.5 / 2048 + 1e-6


def test_signal_beyond_sixteen_g_is_cut_off_there():
    night = Night(
        NightSpan(datetime(2026, 3, 1).date(), 0.0, 0.04, 0.04),
        0,
        25.0,
        np.array([[40.0, -40.0, 1.0]], np.float32),
    )
    back = kept_signal(night, step_g=0.0).acceleration()
    np.testing.assert_allclose(back, [[16.0, -16.0, 1.0]], atol=1e-3)


def test_signal_on_another_clock_keeps_its_moments():
    signal = LegSignal(10.0, 0.04, 0.0, np.zeros((100, 3), np.int16))
    moved = on_other_clock(signal, offset_s=2.0, drift_ppm=50.0)
    own = 10.0 + 0.04 * np.arange(100)
    other = moved.start_s + moved.step_s * np.arange(100)
    np.testing.assert_allclose(other * (1 + 50e-6) + 2.0, own)
