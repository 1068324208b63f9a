"""Where sleep comes from: a hypnogram before lights off and on, and these before the sensor."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from rlsmove.errors import SettingError
from rlsmove.movements.sustained_inactivity import inactivity_window, sleep_within
from rlsmove.records import Intervals, Movements, Notice, Sleep

#: Code of the notice that time asleep is the sensor's, which `Sleep.source` says too.
SLEEP_FROM_SENSOR = "sleep_from_sensor"

#: Times with a date may lie this far outside of noon to noon: some rise after it.
LATE_RISER = timedelta(hours=3)


@dataclass(frozen=True)
class Lights:
    """Lights off and on by the wall clock, as a person writes them; None where not given.

    Attributes
    ----------
    off, on : str or None
        ``23:10``, ``23:10:30`` or a full ISO 8601 time.
    time_zone : str
        IANA name of the zone that the wall clock and, at its start, the device ran in; empty where
        it is not known. It matters in a night in which the clocks change: a device's does not.
    """

    off: str | None = None
    on: str | None = None
    time_zone: str = ""


def sleep_of_night(
    movements: Movements,
    recorded: Intervals,
    start_time: datetime,
    evening: date,
    scored: Sleep | None,
    lights: Lights,
) -> tuple[Sleep | None, list[Notice]]:
    """Tell sleep from wake by the best source there is.

    Parameters
    ----------
    movements : Movements
        All movements of the night, for the sensor's own estimate.
    recorded : Intervals
        Time with samples of a worn device.
    start_time : datetime
        Wall time at which onsets count from.
    evening : date
        Date of the noon at which the night begins.
    scored : Sleep or None
        Of an event list: a hypnogram, or just lights off and on.
    lights : Lights
        They go before the lights of the event list.

    Returns
    -------
    sleep : Sleep or None
        None where nothing is known and the sensor shows no rest.
    notices : list of Notice
        ``sleep_from_sensor`` where the sensor had to do, ``no_rest_found`` where it could not,
        ``lights_not_recorded`` where nothing was recorded between lights off and on.

    Raises
    ------
    SettingError
        A time of lights off or on cannot be read, or they are in the wrong order.
    """
    zone = lights.time_zone
    off_ms = wall_ms(lights.off, start_time, evening, "--lights-off", zone)
    on_ms = wall_ms(lights.on, start_time, evening, "--lights-on", zone)
    if scored is not None:
        off_ms = scored.lights_off_ms if off_ms is None else off_ms
        on_ms = scored.lights_on_ms if on_ms is None else on_ms
    given = off_ms is not None and on_ms is not None
    hypnogram = scored if scored is not None and len(scored.stage) else None
    if not given and hypnogram is None:
        window = inactivity_window(movements, recorded)
        if window is None:
            return None, [
                Notice(
                    "no_rest_found",
                    "no lights off and on were given and the sensor shows no half hour of rest: "
                    "there are no hours to divide by",
                )
            ]
        # Where the window contradicts what was given, all that was recorded is the bound.
        if off_ms is None:
            off_ms = window[0] if on_ms is None or window[0] < on_ms else int(recorded.onset_ms[0])
        if on_ms is None:
            on_ms = window[1] if window[1] > off_ms else int(recorded.offset_ms[-1])
    if off_ms is not None and on_ms is not None:
        off, on = (_wall(start_time, moment_ms) for moment_ms in (off_ms, on_ms))
        if off_ms >= on_ms:
            raise SettingError(
                "--lights-off",
                f"lights off ({off}) is not before lights on ({on})",
                expected="a time in bed between noon and noon",
            )
        if not _overlap(off_ms, on_ms, recorded):
            notice = f"nothing was recorded between lights off ({off}) and lights on ({on})"
            return None, [Notice("lights_not_recorded", f"{notice}: there are no hours")]
    if hypnogram is not None:
        return replace(hypnogram, lights_off_ms=off_ms, lights_on_ms=on_ms), []
    assert off_ms is not None
    assert on_ms is not None
    source = "lights" if given else "sensor"
    told = "time in bed and sleep are" if not given else "sleep within lights off and on is"
    return sleep_within(movements, recorded, off_ms, on_ms, source), [
        Notice(
            SLEEP_FROM_SENSOR,
            f"{told} the sensor's sustained inactivity, not a hypnogram: lying awake without "
            "moving counts as sleep, and an index per hour of sleep leans on it",
        )
    ]


def was_recorded(scored: Sleep, recorded: Intervals) -> bool:
    """Whether any of the stages, or of the time in bed where there are none, was recorded."""
    spans = list(zip(scored.onset_ms.tolist(), scored.offset_ms.tolist(), strict=True))
    if not spans and scored.lights_off_ms is not None and scored.lights_on_ms is not None:
        spans = [(scored.lights_off_ms, scored.lights_on_ms)]
    return not spans or any(_overlap(*span, recorded) for span in spans)


def _overlap(start_ms: int, end_ms: int, recorded: Intervals) -> bool:
    return bool(np.any((recorded.onset_ms < end_ms) & (recorded.offset_ms > start_ms)))


def _wall(start_time: datetime, moment_ms: int) -> str:
    return (start_time + timedelta(milliseconds=moment_ms)).isoformat(" ", "minutes")


def wall_ms(
    text: str | None, start_time: datetime, evening: date, option: str, time_zone: str = ""
) -> int | None:
    """Find when a wall time of a night comes, in ms since the start of the recording.

    Parameters
    ----------
    text : str or None
        ``23:10``, ``23:10:30`` or a full ISO 8601 time; None where it was not given.
    start_time : datetime
        Wall time at which onsets count from.
    evening : date
        Date of the noon at which the night begins; a time alone lies between that noon and the
        next.
    option : str
        What to call it in an error.
    time_zone : str
        As in `Lights`.

    Raises
    ------
    SettingError
        It cannot be read, or its date is that of another night.
    """
    if text is None:
        return None
    clock = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip())
    if clock is not None:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        try:
            moment = time(hour, minute, second)
        except ValueError:
            raise SettingError(option, f"{text!r}", expected="a time such as 23:10") from None
        day = evening if moment >= time(12) else evening + timedelta(days=1)
        stamp = datetime.combine(day, moment)
    else:
        try:
            stamp = datetime.fromisoformat(text.strip())
        except ValueError:
            raise SettingError(
                option, f"{text!r}", expected="a time such as 23:10 or 2026-03-01T23:10"
            ) from None
        noon = datetime.combine(evening, time(12))
        since = stamp.replace(tzinfo=None) - noon
        if not -LATE_RISER <= since <= timedelta(days=1) + LATE_RISER:
            raise SettingError(
                option,
                f"{text!r} is not in the night of {evening}",
                expected="a time from noon to noon",
                advice="A time without its date fits each night; --night chooses one",
            )
    zone = ZoneInfo(time_zone) if time_zone else None
    start, stamp = (t if t.tzinfo else t.replace(tzinfo=zone) for t in (start_time, stamp))
    if start.tzinfo is None or stamp.tzinfo is None:
        # With one offset unknown, both run on the wall clock that the person reads.
        start, stamp = start.replace(tzinfo=None), stamp.replace(tzinfo=None)
    else:
        # Times of one zone would be subtracted by the wall; in UTC a change of the clocks counts.
        start, stamp = start.astimezone(UTC), stamp.astimezone(UTC)
    return round((stamp - start).total_seconds() * 1000)


def clocks_change(start_time: datetime, start_s: float, end_s: float, time_zone: str) -> bool:
    """Whether wall clocks change between two moments of a recording.

    Parameters
    ----------
    start_time : datetime
        Wall time at which the recording starts.
    start_s, end_s : float
        Seconds since then.
    time_zone : str
        IANA name; where it is empty, nothing is known of a change.
    """
    if not time_zone:
        return False
    zone = ZoneInfo(time_zone)
    start = start_time if start_time.tzinfo else start_time.replace(tzinfo=zone)
    start = start.astimezone(UTC)
    offsets = [
        (start + timedelta(seconds=moment_s)).astimezone(zone).utcoffset()
        for moment_s in (start_s, end_s)
    ]
    return offsets[0] != offsets[1]
