"""A laboratory's events on the clock of a recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hand_scored import spans, staged

from rlsmove.events.event_lists import Events
from rlsmove.night.placed_events import place_events
from rlsmove.records import LEFT, Intervals, Movements

START = datetime(2026, 3, 1, 22, 30)
RECORDED = spans((0, 8 * 3600))
HOUR_MS = 3_600_000


def marks(onset_s: np.ndarray) -> Movements:
    onset_ms = np.round(1000 * np.sort(onset_s)).astype(np.int64)
    return Movements.marks(onset_ms, np.full(len(onset_ms), 1500), np.full(len(onset_ms), LEFT))


SENSOR = marks(np.cumsum(np.random.default_rng(4).lognormal(3.6, 0.5, 400)))


def laboratory(begins_s: float, *, movements: Movements | None = None, **known: object) -> Events:
    """Events that count from `begins_s` after the recording's start; a hypnogram of six hours."""
    table = Movements.empty() if movements is None else movements
    later_ms = round(1000 * begins_s)
    table = replace(table, onset_ms=table.onset_ms - later_ms)
    sleep = staged("W " * 20 + "N2 " * 700)
    about = {"start_time": None, "clock_ms": None, **known}
    return Events(
        table, sleep, None, None, Intervals.empty(), (0, 6 * HOUR_MS), notices=(), **about
    )


def placed_at_s(events: Events) -> tuple[float, str, list[str]]:
    placed = place_events(events, SENSOR, RECORDED, START)
    return (
        placed.events.sleep.onset_ms[0] / 1000,
        placed.told_by,
        [notice.code for notice in placed.notices],
    )


def test_a_hypnogram_lies_where_its_own_start_says():
    events = laboratory(-2100, start_time=START - timedelta(minutes=35))
    assert placed_at_s(events) == (-2100, "start times", ["events_clock_told"])


@pytest.mark.parametrize("date", [datetime(2000, 1, 1, 22, 45), None])
def test_an_anonymous_date_leaves_the_time_of_day(date):
    events = laboratory(900, start_time=date, clock_ms=(22 * 60 + 45) * 60_000)
    assert placed_at_s(events)[:2] == (900, "time of day")


def test_a_list_without_a_clock_counts_from_the_start_of_the_recording():
    assert placed_at_s(laboratory(0)) == (0, "nothing", [])


@pytest.mark.parametrize("begins_s", [-2100, 37, 900, 5000])
@pytest.mark.parametrize("told_s", [None, 0, 3600])
def test_movements_go_before_what_the_files_say(begins_s, told_s):
    start = None if told_s is None else START + timedelta(seconds=begins_s + told_s)
    events = laboratory(begins_s, movements=SENSOR, start_time=start)
    at_s, _, codes = placed_at_s(events)
    assert at_s == pytest.approx(begins_s, abs=0.1)
    assert codes == ([] if told_s == 0 else ["events_clock_found"])


def test_movements_of_somebody_else_confirm_nothing():
    others = marks(np.cumsum(np.random.default_rng(5).lognormal(3.6, 0.5, 400)))
    events = laboratory(900, movements=others, start_time=START + timedelta(minutes=15))
    assert placed_at_s(events) == (900, "start times", ["events_clock_told"])
