"""A laboratory's events on the sensor's clock: by start times, by time of day, by movements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from rlsmove.events.night_events import Events
from rlsmove.movements.common_clock import LABORATORY, CommonClock, find_common_clock
from rlsmove.records import IntArray, Intervals, Movements, Notice

_DAY_MS = 86_400_000

#: Clocks that agree this well with what was told are not worth a word.
_AS_TOLD_S = 1.0


@dataclass(frozen=True)
class PlacedEvents:
    """Events with onsets from the start of the first recording, by its clock.

    Attributes
    ----------
    events : Events
        Movements, sleep and all else on that clock.
    told_by : str
        ``start times``, ``time of day``, or ``nothing``: then onsets counted from the start of the
        recording until movements said otherwise.
    told_s : float
        By how much the list begins later than the recording, as told.
    clock : CommonClock or None
        What movements say beyond that; None where the list or the recording has too few.
    notices : tuple of Notice
        What was found.
    """

    events: Events
    told_by: str
    told_s: float
    clock: CommonClock | None
    notices: tuple[Notice, ...]

    @property
    def aligned(self) -> bool:
        """Whether movements put the list on the recording's clock."""
        return self.clock is not None and self.clock.combined


def place_events(
    events: Events, movements: Movements, recorded: Intervals, start_time: datetime
) -> PlacedEvents:
    """Put the events of a laboratory on the clock of a recording.

    Parameters
    ----------
    events : Events
        Onsets count from the list's own start, or from that of the recording where it tells none.
    movements : Movements
        Of the night, from the sensor; they go before what the files say.
    recorded : Intervals
        Time of the night with samples, from the start of the recording.
    start_time : datetime
        Wall time at which the recording starts.
    """
    told_by, told_ms = _told_ms(events, recorded, start_time)
    placed = moved_events(events, lambda times_ms: times_ms + told_ms)
    clock = None
    if len(events.movements) and len(movements):
        clock = find_common_clock(movements, placed.movements, LABORATORY)
    notices = []
    if clock is not None and clock.combined:
        placed = moved_events(placed, clock.on_first_clock)
        if abs(clock.offset_s) > _AS_TOLD_S:
            told = "" if told_by == "nothing" else f" (by {told_by}: {told_ms / 1000:+.0f} s)"
            notices.append(
                Notice(
                    "events_clock_found",
                    f"the event list begins {told_ms / 1000 + clock.offset_s:+.1f} s from the "
                    f"start of the recording{told}: {clock.sentence}; its times were set right",
                )
            )
    elif told_by != "nothing" or clock is not None:
        by = f"by {told_by}" if told_by != "nothing" else "as if both began together"
        why = "no movements of both" if clock is None else clock.sentence
        notices.append(
            Notice(
                "events_clock_told",
                f"the event list was placed {by}, {told_ms / 1000:+.0f} s from the start of the "
                f"recording, and movements do not confirm it ({why})",
            )
        )
    return PlacedEvents(placed, told_by, told_ms / 1000, clock, tuple(notices))


def _told_ms(events: Events, recorded: Intervals, start_time: datetime) -> tuple[str, int]:
    """How the list's start is told, and by how much it is later than the recording's."""
    if not len(recorded):
        return "nothing", 0
    start, end = int(recorded.onset_ms[0]), int(recorded.offset_ms[-1])
    if events.start_time is not None:
        own, other = events.start_time, start_time
        if own.tzinfo is None or other.tzinfo is None:
            own, other = own.replace(tzinfo=None), other.replace(tzinfo=None)
        later_ms = round((own - other).total_seconds() * 1000)
        near_recording = later_ms > -_DAY_MS and later_ms < end + _DAY_MS
        if near_recording:
            return "start times", later_ms
    clock_ms = events.clock_ms
    if clock_ms is None and events.start_time is not None:
        at = events.start_time
        clock_ms = ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000
    if clock_ms is None:
        return "nothing", 0
    at = start_time
    own_ms = ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000
    first_ms, last_ms = events.span_ms
    base_ms = (clock_ms - own_ms) % _DAY_MS
    days = range(-1, (end - base_ms) // _DAY_MS + 2)

    def overlap_ms(day: int) -> int:
        later_ms = base_ms + day * _DAY_MS
        return min(end, last_ms + later_ms) - max(start, first_ms + later_ms)

    # Days on which it fits alike are told apart by their order: the first night counts.
    return "time of day", base_ms + max(days, key=overlap_ms) * _DAY_MS


def moved_events(events: Events, move: Callable[[IntArray], IntArray]) -> Events:
    """Events whose times, in ms, are moved by a function of them that keeps their order."""

    def intervals(of: Intervals) -> Intervals:
        return Intervals(move(of.onset_ms), move(of.offset_ms))

    def moment(time_ms: int | None) -> int | None:
        return None if time_ms is None else int(move(np.array([time_ms], np.int64))[0])

    sleep = events.sleep
    if sleep is not None:
        sleep = replace(
            sleep,
            lights_off_ms=moment(sleep.lights_off_ms),
            lights_on_ms=moment(sleep.lights_on_ms),
            onset_ms=move(sleep.onset_ms),
            offset_ms=move(sleep.offset_ms),
        )
    first_ms, last_ms = (int(edge) for edge in move(np.array(events.span_ms, np.int64)))
    return replace(
        events,
        movements=replace(events.movements, onset_ms=move(events.movements.onset_ms)),
        sleep=sleep,
        respiratory=None if events.respiratory is None else intervals(events.respiratory),
        arousals=None if events.arousals is None else intervals(events.arousals),
        gaps=intervals(events.gaps),
        span_ms=(first_ms, last_ms),
    )
