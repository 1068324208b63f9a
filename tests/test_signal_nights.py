"""Nights from noon to noon by the device's own wall clock, and what is worn of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

import numpy as np
import pytest
from recordings import ArrayRecording, at_rest

from rlsmove.signal.calibration import calibrate
from rlsmove.signal.nights import night_spans, read_night
from rlsmove.signal.survey import WINDOW_S, Survey, survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.signal.wear import motionless_stretches, nonwear_stretches

HOUR_S = 3600.0


@lru_cache
def survey_of(hours: float, missing_h: tuple[float, float] = (0.0, 0.0)) -> Survey:
    """The survey of a recording of so many hours at 50 Hz, without its samples."""
    template = survey_recording(ArrayRecording(at_rest(0.1, fs=50.0), fs=50.0))
    start_s = np.arange(0.0, hours * HOUR_S, WINDOW_S)
    kept = (start_s < missing_h[0] * HOUR_S) | (start_s >= missing_h[1] * HOUR_S)
    start_s = start_s[kept]
    gap = np.array(missing_h) * HOUR_S if missing_h[1] > missing_h[0] else np.empty(0)
    return replace(
        template,
        end_s=hours * HOUR_S,
        n_samples=len(start_s) * 500,
        gap_start_s=gap[:1],
        gap_end_s=gap[1:],
        window_start_s=start_s,
        window_count=np.full(len(start_s), 500.0),
    )


def evenings(start: datetime, hours: float) -> list[tuple[date, float, float]]:
    nights, _ = night_spans(start, survey_of(hours))
    return [
        (night.evening, round(night.start_s / HOUR_S, 2), round(night.end_s / HOUR_S, 2))
        for night in nights
    ]


def test_an_evening_recording_is_the_night_of_its_date() -> None:
    assert evenings(datetime(2026, 3, 1, 22, 30), 8) == [(date(2026, 3, 1), 0, 8)]


def test_after_midnight_it_is_still_the_night_before() -> None:
    assert evenings(datetime(2026, 3, 2, 1, 0), 8) == [(date(2026, 3, 1), 0, 8)]


def test_a_start_at_noon_begins_a_night() -> None:
    assert evenings(datetime(2026, 3, 1, 12), 24) == [(date(2026, 3, 1), 0, 24)]


def test_a_start_before_noon_leaves_a_short_morning_over() -> None:
    nights, leftovers = night_spans(datetime(2026, 3, 1, 10), survey_of(26))
    assert [night.evening for night in nights] == [date(2026, 3, 1)]
    assert nights[0].start_s == 2 * HOUR_S
    assert [(left.evening, left.recorded_s) for left in leftovers] == [
        (date(2026, 2, 28), 2 * HOUR_S)
    ]


def test_a_recording_of_nothing_but_a_short_stretch_is_its_night() -> None:
    assert evenings(datetime(2026, 3, 1, 10), 0.5) == [(date(2026, 2, 28), 0, 0.5)]


def test_a_fortnight_holds_fourteen_nights() -> None:
    found = evenings(datetime(2026, 3, 1, 18), 13 * 24 + 14)
    assert len(found) == 14
    assert [evening for evening, _, _ in found] == [
        date(2026, 3, 1) + timedelta(days=day) for day in range(14)
    ]
    assert found[1][1:] == (18, 42)


@pytest.mark.parametrize("day", [date(2028, 2, 28), date(2026, 3, 28), date(2026, 10, 24)])
def test_leap_days_and_clock_changes_leave_the_devices_clock_alone(day: date) -> None:
    # A device's clock does not step: noon to noon is 24 hours on it, on such dates too.
    found = evenings(datetime(day.year, day.month, day.day, 12), 72)
    assert found == [(day + timedelta(days=i), 24 * i, 24 * i + 24) for i in range(3)]


def test_an_offset_from_utc_does_not_move_the_nights() -> None:
    zone = timezone(timedelta(hours=-8))
    assert evenings(datetime(2026, 3, 1, 22, 30, tzinfo=zone), 8) == [(date(2026, 3, 1), 0, 8)]


def test_recorded_time_leaves_out_gaps() -> None:
    (night,), _ = night_spans(datetime(2026, 3, 1, 20), survey_of(12, (3, 5)))
    assert night.recorded_s == pytest.approx(10 * HOUR_S, rel=1e-3)
    assert night.end_s == 12 * HOUR_S


def test_a_night_that_was_not_recorded_is_not_there() -> None:
    nights, _ = night_spans(datetime(2026, 3, 1, 18), survey_of(60, (18, 42)))
    assert [night.evening for night in nights] == [date(2026, 3, 1), date(2026, 3, 3)]


def test_a_night_is_read_from_its_noon_with_its_gaps() -> None:
    values = at_rest(0.05, fs=50.0)
    values[500:1000] = np.nan
    start = datetime(2026, 3, 1, 11, 59)
    recording = ArrayRecording(values, fs=50.0, start_time=start)
    survey = survey_recording(recording)
    nights, leftovers = night_spans(start, survey)
    span = max(nights + leftovers, key=lambda span: span.start_s)
    reader = UniformReader(recording)
    night = read_night(reader, span, calibrate(survey))
    assert span.start_s == 60.0
    assert night.first == 60 * 25
    assert len(night.acceleration) == 120 * 25
    assert not np.isnan(night.acceleration).any()
    before = read_night(reader, min(nights + leftovers, key=lambda s: s.start_s), calibrate(survey))
    np.testing.assert_array_equal(
        np.isnan(before.acceleration[:, 0]).nonzero()[0], np.arange(250, 500)
    )


def moving(hours: float, still: tuple[float, float]) -> Survey:
    """A limb that turns a little every ten minutes, except in one stretch."""
    fs = 10.0
    values = at_rest(hours, fs=fs)
    minute = np.arange(len(values)) / fs / 60
    kept_still = (minute / 60 >= still[0]) & (minute / 60 < still[1])
    step = np.where(kept_still, still[0] * 6, np.floor(minute / 10))
    values[:, 0] += (0.05 * (step % 2)).astype(np.float32)
    return survey_recording(ArrayRecording(values, fs=fs))


def test_three_hours_without_a_trace_of_movement_are_not_worn() -> None:
    survey = moving(8.0, (2.0, 5.5))
    (stretch,) = nonwear_stretches(survey).tolist()
    assert stretch == pytest.approx([2.0 * HOUR_S, 5.5 * HOUR_S], abs=700)


def test_two_still_hours_are_worn_but_worth_a_question() -> None:
    survey = moving(6.0, (2.0, 4.0))
    assert len(nonwear_stretches(survey)) == 0
    assert len(motionless_stretches(survey, 1.5 * HOUR_S)) == 1


def test_a_gap_ends_a_motionless_stretch() -> None:
    values = at_rest(4.0, fs=10.0)
    values[72_000:73_000] = np.nan  # 100 s in the middle
    survey = survey_recording(ArrayRecording(values, fs=10.0))
    assert len(nonwear_stretches(survey)) == 0
    assert len(motionless_stretches(survey, 1.5 * HOUR_S)) == 2
