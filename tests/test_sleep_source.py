"""Lights off and on by the wall clock, and which source of sleep is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from rlsmove.errors import SettingError
from rlsmove.night.sleep_source import (
    Lights,
    clocks_change,
    sleep_of_night,
    wall_ms,
    was_recorded,
)
from rlsmove.records import N2, SLEEP, WAKE, Intervals, Movements, Sleep

EVENING = date(2026, 3, 28)
START = datetime(2026, 3, 28, 22, 0)
HOUR_MS = 3_600_000
WORN = Intervals(np.array([0], np.int64), np.array([10 * HOUR_MS], np.int64))


def sleep(scored: Sleep | None = None, **lights: str) -> tuple[Sleep | None, list[str]]:
    found, notices = sleep_of_night(
        Movements.empty(), WORN, START, EVENING, scored, Lights(**lights)
    )
    return found, [notice.code for notice in notices]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:10", 1 + 1 / 6),
        ("9:30", 11.5),
        ("06:45:30", 8.75 + 30 / 3600),
        ("2026-03-28T23:10", 1 + 1 / 6),
        ("2026-03-29 06:00", 8),
    ],
)
def test_a_time_alone_lies_between_the_noon_of_the_evening_and_the_next(
    text: str, hours: float
) -> None:
    assert wall_ms(text, START, EVENING, "--lights-off") == round(hours * HOUR_MS)


@pytest.mark.parametrize("text", ["25:00", "10:75", "late", "", "23.10", "2026-13-01T10:00"])
def test_what_is_no_time_is_refused_with_its_option(text: str) -> None:
    with pytest.raises(SettingError, match="--lights-on"):
        wall_ms(text, START, EVENING, "--lights-on")


def test_lights_on_after_the_clocks_went_forward_come_an_hour_earlier() -> None:
    plain = wall_ms("07:00", START, EVENING, "--lights-on")
    zoned = wall_ms("07:00", START, EVENING, "--lights-on", "Europe/Berlin")
    assert plain == 9 * HOUR_MS
    assert zoned == 8 * HOUR_MS
    before = wall_ms("01:00", START, EVENING, "--lights-off", "Europe/Berlin")
    assert before == 3 * HOUR_MS


def test_offsets_that_are_known_on_both_sides_are_compared_in_absolute_time() -> None:
    start = START.replace(tzinfo=timezone(timedelta(hours=1)))
    assert wall_ms("2026-03-28T23:00+02:00", start, EVENING, "--sit") == 0
    assert wall_ms("23:00", start, EVENING, "--sit") == HOUR_MS
    assert wall_ms("2026-03-28T23:00+02:00", START, EVENING, "--sit") == HOUR_MS


def test_a_change_of_the_clocks_is_seen_only_where_it_lies_in_the_night() -> None:
    assert clocks_change(START, 0, 10 * 3600, "Europe/Berlin")
    assert not clocks_change(START, 0, 3 * 3600, "Europe/Berlin")
    assert not clocks_change(START, 0, 10 * 3600, "Asia/Tokyo")
    assert not clocks_change(START, 0, 10 * 3600, "")


def test_lights_bound_the_sleep_that_the_sensor_tells() -> None:
    found, codes = sleep(off="23:00", on="05:00")
    assert found is not None
    assert (found.source, found.lights_off_ms, found.lights_on_ms) == (
        "lights",
        HOUR_MS,
        7 * HOUR_MS,
    )
    assert set(found.stage.tolist()) <= {SLEEP, WAKE}
    assert codes == ["sleep_from_sensor"]


def test_without_lights_the_sensor_tells_the_time_in_bed_too() -> None:
    found, codes = sleep()
    assert found is not None
    assert found.source == "sensor"
    assert codes == ["sleep_from_sensor"]


def test_a_hypnogram_wins_and_given_lights_go_before_its_own() -> None:
    hypnogram = Sleep(
        "hypnogram",
        0,
        9 * HOUR_MS,
        np.array([0], np.int64),
        np.array([9 * HOUR_MS], np.int64),
        np.array([N2], np.int8),
    )
    found, codes = sleep(hypnogram, on="06:00")
    assert found is not None
    assert (found.source, found.lights_off_ms, found.lights_on_ms) == ("hypnogram", 0, 8 * HOUR_MS)
    assert codes == []


def test_lights_off_after_lights_on_are_refused() -> None:
    with pytest.raises(SettingError, match="not before"):
        sleep(off="05:00", on="23:00")


def test_a_night_without_rest_has_no_time_in_bed() -> None:
    minute = Intervals(np.array([0], np.int64), np.array([60_000], np.int64))
    found, notices = sleep_of_night(Movements.empty(), minute, START, EVENING, None, Lights())
    assert found is None
    assert [notice.code for notice in notices] == ["no_rest_found"]


def test_a_dated_time_of_another_night_is_refused() -> None:
    with pytest.raises(SettingError, match="is not in the night of 2026-03-28"):
        wall_ms("2026-03-30T23:10", START, EVENING, "--lights-off")
    assert wall_ms("2026-03-29T13:30", START, EVENING, "--lights-on") == round(15.5 * HOUR_MS)


def test_lights_between_which_nothing_was_recorded_give_no_hours_and_say_so() -> None:
    found, codes = sleep(off="13:00", on="15:00")
    assert found is None
    assert codes == ["lights_not_recorded"]


@pytest.mark.parametrize("lights", [{"off": "07:59"}, {"on": "22:01"}])
def test_one_light_alone_is_kept_whatever_the_sensor_says_of_the_other(
    lights: dict[str, str],
) -> None:
    found, codes = sleep(**lights)
    assert found is not None
    assert found.lights_off_ms is not None
    assert found.lights_on_ms is not None
    assert found.lights_off_ms < found.lights_on_ms
    assert codes == ["sleep_from_sensor"]


def test_a_hypnogram_of_another_night_was_not_recorded() -> None:
    later = Sleep(
        "hypnogram",
        24 * HOUR_MS,
        32 * HOUR_MS,
        np.array([24 * HOUR_MS], np.int64),
        np.array([32 * HOUR_MS], np.int64),
        np.array([N2], np.int8),
    )
    assert not was_recorded(later, WORN)
    assert was_recorded(replace(later, onset_ms=later.onset_ms - 15 * HOUR_MS), WORN)
