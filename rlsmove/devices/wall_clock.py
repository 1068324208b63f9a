"""The wall clock of a recording: what is told of its start and zone, over what its file says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from rlsmove.devices.recording import Recording
from rlsmove.devices.told import Told

#: Clocks that were never set count from 1970 or 1980; nobody recorded then.
_FIRST_YEAR = 1985


def set_wall_clock(recording: Recording, told: Told) -> None:
    """Give a recording the start and the zone that are told, or the zone that its file says.

    Where the zone is known, the start has its offset from UTC at that time. The offset stays the
    same to the end, as devices' clocks do not step with the clocks on the wall.

    Parameters
    ----------
    recording : Recording
        Opened; its `start_time`, `dated` and `time_zone` are set.
    told : Told
        What is told of it.
    """
    recording.told = told
    if recording.start_time.year < _FIRST_YEAR and recording.dated:
        recording.dated = False
        recording.notice(
            "no_date",
            f"Its clock was never set (it says {recording.start_time:%Y-%m-%d %H:%M}): wall times "
            "mean nothing until it is told when it starts (--start).",
        )
        recording.take("start", "no date", "its clock was never set")
    said = {taken.what for taken in recording.taken}
    if told.start is not None:
        recording.start_time = told.start
        recording.dated = True
        recording.take("start", told.start.isoformat(" "), "told")
        recording.drop_notices("no_date", "epoch_time")
    elif "start" not in said:
        recording.take("start", recording.start_time.isoformat(" "), "the file")
    zone = told.time_zone or recording.time_zone
    recording.time_zone = zone
    start = recording.start_time
    if not recording.dated:
        return
    if zone:
        source = "told" if told.time_zone else "the file"
        if start.tzinfo is None:
            start = wall_time(start, ZoneInfo(told.clock_zone or zone))
        offset = start.astimezone(ZoneInfo(zone)).utcoffset()
        recording.start_time = start.astimezone(timezone(offset or timedelta()))
        recording.take("zone", zone, source)
        recording.drop_notices("epoch_time")
    elif any(notice.code == "epoch_time" for notice in recording.notices):
        recording.take("zone", "UTC", "a guess: its times count from 1970, and nothing says a zone")
    elif start.tzinfo is not None:
        recording.take("zone", f"UTC{start:%z}", "the file; the zone by name is not known")
    else:
        recording.take("zone", "local time, its zone not known", "nothing says it")


def wall_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """A wall time in a zone; one that the change of the clocks skips is that of the old offset."""
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
