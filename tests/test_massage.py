"""Massages and machines at the sensor: what is seen, taken out, warned of, and left alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rlsmove.devices.recording import Block
from rlsmove.massage import _kernels
from rlsmove.massage.edge_strength import edge_strength
from rlsmove.massage.leg_massage import LegMassage
from rlsmove.massage.machine_cycles import Clock, find_clocks
from rlsmove.massage.machine_movements import machine_windows, mark_machine
from rlsmove.massage.night_massage import massage_of_night
from rlsmove.massage.second_spectra import SecondSpectra, SpectraOfBlocks
from rlsmove.massage.sessions import Session, find_sessions, may_be_massager
from rlsmove.records import (
    LEG_MOVEMENT,
    MACHINE,
    N2,
    DetectedLeg,
    DetectedNight,
    Intervals,
    Movements,
    Sleep,
)
from rlsmove.rules import WASM_2016
from rlsmove.scoring.detected_legs import score_legs
from rlsmove.study.seen_massage import massage_disagreements

FS = 25


def lying_still(minutes: float, seed: int, fs: float = FS) -> NDArray[np.float64]:
    """A leg at rest: gravity along z, and the noise of a device."""
    rng = np.random.default_rng(seed)
    n = round(minutes * 60 * fs)
    return np.array([0.0, 0.0, 1.0]) + 0.003 * rng.standard_normal((n, 3))


def add_turn(
    leg: NDArray[np.float64], onset_s: float, length_s: float, deg: float, ramp_s: float = 0.5
) -> None:
    """Turn the leg about x for a while, with a smooth way out and back."""
    time_s = np.arange(len(leg)) / FS - onset_s
    inside = np.flatnonzero((time_s > 0) & (time_s < length_s))
    edge = np.minimum(time_s[inside], length_s - time_s[inside]) / ramp_s
    leg[inside, 1] += np.sin(np.radians(deg)) * np.clip(edge, 0, 1)


def clocks_in(leg: NDArray[np.float64], **few: float) -> list[Clock]:
    values = np.ascontiguousarray(leg, np.float32)
    return find_clocks(values, edge_strength(values, 1 / 256), **few)


def sleeve(minutes: float, period_s: float, jitter: float = 0.0, seed: int = 1) -> NDArray:
    rng = np.random.default_rng(seed)
    leg = lying_still(minutes, seed)
    for onset_s in np.arange(30.0, 60 * minutes - period_s, period_s):
        add_turn(leg, onset_s + jitter * period_s * rng.standard_normal(), 0.4 * period_s, 1.2)
    return leg


def series(minutes: float, interval_s: float, variation: float, seed: int) -> NDArray:
    """Leg movements of a sleeper, each interval varying on its own."""
    rng = np.random.default_rng(seed)
    leg = lying_still(minutes, seed)
    onset_s = 30.0
    while onset_s < 60 * minutes - 10:
        add_turn(leg, onset_s, rng.lognormal(np.log(1.8), 0.2), rng.lognormal(np.log(3), 0.3), 0.3)
        onset_s += interval_s * (1 + variation * rng.standard_normal())
    return leg


@pytest.mark.parametrize("period_s", [20.0, 33.3, 70.0])
def test_a_sleeve_is_a_machine_and_its_period_is_found(period_s: float) -> None:
    sure = [clock for clock in clocks_in(sleeve(40, period_s)) if clock.is_machine]
    assert sure
    assert all(clock.period_s == pytest.approx(period_s, rel=0.005) for clock in sure)


def test_a_sleeve_that_jitters_by_a_hundredth_is_a_machine() -> None:
    assert any(clock.is_machine for clock in clocks_in(sleeve(60, 40.0, jitter=0.008)))


@pytest.mark.parametrize("variation", [0.05, 0.1, 0.2])
def test_a_true_series_is_no_machine(variation: float) -> None:
    for seed in range(4):
        found = clocks_in(series(90, 22.0 + seed, variation, seed))
        assert not any(clock.is_machine for clock in found)


def test_fewer_than_twenty_cycles_are_no_machine() -> None:
    assert not clocks_in(sleeve(8, 30.0))


def test_the_compiled_search_finds_what_the_plain_one_finds() -> None:
    rng = np.random.default_rng(3)
    time_s = np.sort(np.concatenate([np.arange(20) * 31.0, rng.uniform(0, 620, 25)]))
    found = []
    for search in (_kernels.longest_run, _plain_search()):
        rows, slots, best_rows, best_slots = np.empty((4, len(time_s)), np.int64)
        count = search(
            time_s,
            np.zeros(len(time_s), bool),
            15.0,
            80.0,
            0.04,
            0.6,
            16,
            4,
            0.85,
            rows,
            slots,
            best_rows,
            best_slots,
        )
        found.append((count, best_rows[:count].tolist(), best_slots[:count].tolist()))
    assert found[0] == found[1]
    assert found[0][0] >= 20


def _plain_search():  # type: ignore[no-untyped-def]
    """The search without its compiler, down to the function that it calls."""
    import types

    plain = _kernels.longest_run.py_func
    scope = dict(plain.__globals__, follow=_kernels.follow.py_func)
    return types.FunctionType(plain.__code__, scope)


def clock_of(cycles: int, period_s: float, start_s: float = 100.0) -> Clock:
    slot = np.arange(cycles)
    return Clock(start_s + period_s * slot, slot, 1.0, period_s, 0.0, 0.0, 1.0, 0.01, True)


def marks(onset_s: list[float], tilt_deg: list[float]) -> Movements:
    n = len(onset_s)
    table = Movements.marks(
        np.array([round(1000 * at) for at in onset_s]), np.full(n, 1000), np.zeros(n, np.int8)
    )
    values = np.array(tilt_deg)
    return Movements(
        table.onset_ms,
        table.duration_ms,
        table.side,
        table.kind,
        values / 50,
        values,
        np.full(n, 2.0),
        np.full(n, 0.9),
    )


def test_cycles_are_marked_and_the_sleepers_own_movements_are_kept() -> None:
    clock = clock_of(20, 30.0)
    own_s = [112.0, 171.0, 262.3]
    movements = marks(sorted([*clock.time_s.tolist(), *own_s]), [1.0] * 23)
    marked = mark_machine(movements, [clock])
    kept = marked.onset_ms[marked.kind == LEG_MOVEMENT] / 1000
    assert kept.tolist() == own_s
    assert np.all(np.isnan(marked.probability[marked.kind == MACHINE]))


def test_a_much_larger_movement_amid_the_cycles_is_the_sleepers() -> None:
    clock = clock_of(20, 30.0)
    sizes = [1.0] * 20
    sizes[7] = 12.0
    marked = mark_machine(marks(clock.time_s.tolist(), sizes), [clock])
    assert np.flatnonzero(marked.kind == LEG_MOVEMENT).tolist() == [7]


def test_hidden_time_shortens_the_hours_and_ends_no_series() -> None:
    clock = clock_of(40, 30.0)
    own_s = [115.0 + 25.0 * k for k in range(40)]
    end_ms = 1_300_000
    whole = Intervals(np.array([0]), np.array([end_ms]))
    sleep = Sleep(
        "hypnogram", 0, end_ms, np.array([0]), np.array([end_ms]), np.array([N2], np.int8)
    )
    movements = marks(own_s, [5.0] * 40)

    def scored(hidden: Intervals):  # type: ignore[no-untyped-def]
        leg = DetectedLeg(0, movements, whole, None, hidden)
        from datetime import datetime

        night = DetectedNight(datetime(2026, 3, 1), (leg,), True, sleep, None, None)
        return score_legs(night, WASM_2016)

    hidden = machine_windows([clock])
    seen, plain = scored(hidden), scored(Intervals.empty())
    assert plain.indices["analysable_hours"] - seen.indices["analysable_hours"] == pytest.approx(
        40 / 3600
    )
    assert seen.scoring.plm.tolist() == plain.scoring.plm.tolist() == [1] * 40


def spectra_of(values: NDArray[np.float64], fs: float, cut: int = 1 << 14) -> SecondSpectra:
    gathered = SpectraOfBlocks(fs)
    time_s = np.arange(len(values)) / fs
    for first in range(0, len(values), cut):
        part = slice(first, first + cut)
        gathered.add(Block(np.ascontiguousarray(values[part], np.float32), time_s[part]))
    return gathered.result()


def vibrating(hz: float, fs: float, minutes: float = 10, at_s: tuple[float, float] = (120, 480)):
    values = lying_still(minutes, 5, fs)
    time_s = np.arange(len(values)) / fs
    on = (time_s >= at_s[0]) & (time_s < at_s[1])
    values[on, 0] += 0.1 * np.sin(2 * np.pi * hz * time_s[on])
    return values


@pytest.mark.parametrize(("hz", "fs", "shown_hz"), [(33.3, 100.0, 33.3), (38.0, 50.0, 12.0)])
def test_a_line_is_found_where_the_device_shows_it(hz: float, fs: float, shown_hz: float) -> None:
    spectra = spectra_of(vibrating(hz, fs), fs)
    assert len(spectra.second) == pytest.approx(360, abs=2)
    assert np.median(spectra.line_hz) == pytest.approx(shown_hz, abs=0.2)
    assert np.median(spectra.line_g) == pytest.approx(0.1 / np.sqrt(2), rel=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(500, 20_000))
def test_spectra_do_not_depend_on_how_blocks_are_cut(cut: int) -> None:
    values = vibrating(21.0, 50.0, minutes=3, at_s=(30, 120))
    one, other = spectra_of(values, 50.0), spectra_of(values, 50.0, cut)
    assert one.second.tolist() == other.second.tolist()
    np.testing.assert_allclose(one.line_hz, other.line_hz, rtol=1e-4)


def resampled(values: NDArray[np.float64], fs: float) -> NDArray[np.float32]:
    step = round(fs / FS)
    return values[: len(values) // step * step].reshape(-1, step, 3).mean(axis=1).astype(np.float32)


@pytest.mark.parametrize(("hz", "fs", "aliased"), [(33.3, 100.0, False), (38.0, 50.0, True)])
def test_a_vibration_is_a_session_and_an_alias_is_named(
    hz: float, fs: float, aliased: bool
) -> None:
    values = vibrating(hz, fs)
    (session,) = find_sessions(resampled(values, fs), spectra_of(values, fs), 0.0, [])
    assert session.kind == "vibration"
    assert session.aliased is aliased
    assert session.start_s == pytest.approx(120, abs=2)
    assert session.end_s == pytest.approx(480, abs=2)


def strokes(hz: float, uneven: float, fs: float = 50.0) -> NDArray[np.float64]:
    """Ten minutes of strokes from the second minute on, each of its own length."""
    rng = np.random.default_rng(2)
    values = lying_still(14, 6, fs)
    lengths = np.maximum(1 + uneven * rng.standard_normal(round(600 * hz)), 0.3) / hz
    beats = np.concatenate([[0], np.cumsum(lengths)])
    time_s = np.arange(len(values)) / fs - 120
    phase = np.interp(time_s, beats, np.arange(len(beats)))
    on = (time_s > 0) & (time_s < beats[-1])
    values[on, 1] += 0.05 * np.sin(2 * np.pi * phase[on]) + 0.02 * np.sin(4 * np.pi * phase[on])
    return values


@pytest.mark.parametrize(
    ("uneven", "kinds"), [(0.0, ["kneading"]), (0.15, ["manual"])], ids=["roller", "hands"]
)
def test_even_strokes_are_kneading_and_uneven_ones_hands(uneven: float, kinds: list[str]) -> None:
    values = strokes(0.8, uneven)
    found = find_sessions(resampled(values, 50.0), spectra_of(values, 50.0), 0.0, [])
    assert [session.kind for session in found] == kinds
    assert found[0].frequency_hz == pytest.approx(0.8, rel=0.1)


@pytest.mark.parametrize("hz", [4.5, 6.0])
def test_a_jiggling_foot_is_no_massage(hz: float) -> None:
    values = strokes(hz, 0.06)
    assert find_sessions(resampled(values, 50.0), spectra_of(values, 50.0), 0.0, []) == []


def test_breathing_all_night_is_no_massage() -> None:
    values = lying_still(60, 8, 50.0)
    time_s = np.arange(len(values)) / 50.0
    values[:, 1] += 0.008 * np.sin(2 * np.pi * 0.33 * time_s)
    assert find_sessions(resampled(values, 50.0), spectra_of(values, 50.0), 0.0, []) == []


def test_a_line_no_massager_makes_is_none() -> None:
    assert not may_be_massager(np.array([12.0], np.float32), 100.0)[0]
    assert may_be_massager(np.array([12.0], np.float32), 50.0)[0]


def night_with(sessions: tuple[Session, ...], worn_s: tuple[float, float], off_s: float | None):  # type: ignore[no-untyped-def]
    leg = LegMassage((), Intervals.empty(), sessions)
    sleep = Sleep(
        "lights",
        None if off_s is None else round(1000 * off_s),
        None,
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.int8),
    )
    worn = Intervals(*(np.array([round(1000 * at)]) for at in worn_s))
    return massage_of_night([("left", leg), ("right", leg)], sleep, worn)


KNEADED = Session("kneading", 600.0, 1500.0, 0.8, False, None, 0.03, 0.9)


def test_a_session_of_both_legs_is_one_with_its_time_before_lights_off() -> None:
    (found,) = night_with((KNEADED,), (0, 20_000), 3600.0)
    assert found.legs == ("left", "right")
    assert found.before_lights_off_min == pytest.approx(35.0)


def test_an_evening_that_was_not_worn_is_not_recorded_rather_than_none() -> None:
    assert night_with((), (0, 20_000), 3600.0) == []
    assert night_with((), (3500, 20_000), 3600.0) is None
    assert night_with((), (0, 20_000), None) is None


def test_diary_and_sensor_that_disagree_are_listed() -> None:
    def table(rows: list[dict]) -> SimpleNamespace:
        return SimpleNamespace(
            name="derived/nights.csv",
            rows=[
                SimpleNamespace(number=number, cells=row, get=row.get)
                for number, row in enumerate(rows, start=2)
            ],
        )

    from datetime import date

    days = [date(2026, 3, day) for day in (1, 2, 3, 4)]
    diary = [
        {"participant_id": "p", "night": day, "condition_received": arm, "massage_start": "21:00"}
        for day, arm in zip(days, ("control", "massage", "massage", "massage"), strict=True)
    ]
    seen = [
        {"massage_seen": "yes", "massage_seen_start": "2026-03-01T21:00:00"},
        {"massage_seen": "no"},
        {"massage_seen": "yes", "massage_seen_start": "2026-03-03T21:40:00"},
        {"massage_seen": "not_recorded"},
    ]
    results = [
        {"participant_id": "p", "night": day, **row} for day, row in zip(days, seen, strict=True)
    ]
    study = SimpleNamespace(
        results=table(results),
        tables={"nights.tsv": table(diary)},
        arms=[
            SimpleNamespace(name="massage", massage=True),
            SimpleNamespace(name="control", massage=False),
        ],
    )
    found = list(massage_disagreements(study))  # type: ignore[arg-type]
    assert [problem.row for problem in found] == [2, 3, 4]
    assert all(problem.only_notice for problem in found)
    assert "40 minutes" in found[2].found
