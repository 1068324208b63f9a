"""All that a laboratory gives of one night: marks, or else leg EMG, and stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rlsmove.errors import EventListError, UnsuitableSignal
from rlsmove.events.emg import leg_channels, read_emg_events
from rlsmove.events.event_lists import Events, read_events, read_one_night
from rlsmove.events.labels import LabelTable
from rlsmove.io.edf_records import EDF_MAGIC, EdfRecords
from rlsmove.records import Intervals, Notice, Sleep


def read_laboratory(
    path: Path,
    labels: LabelTable,
    *,
    channels: Sequence[str] = (),
    sleep_path: Path | None = None,
) -> dict[str, Events]:
    """Read the events of a laboratory's file, by case.

    Parameters
    ----------
    path : Path
        Any event list, or an EDF: without marks of leg movements those of its leg EMG are found.
    labels : LabelTable
        What labels mean.
    channels : sequence of str
        Channels of leg EMG by name; they are looked at whatever is marked.
    sleep_path : Path, optional
        A list with the stages, lights, respiratory events and arousals of the same night.

    Raises
    ------
    EventListError
        A file cannot be read, or has neither marks nor leg EMG.
    UnsuitableSignal
        A channel that was named is not there, or cannot be used.
    """
    cases = _marks_or_emg(path, labels, channels)
    if sleep_path is None:
        return cases
    if len(cases) > 1:
        raise EventListError(path, f"{len(cases)} cases", expected="one night beside --sleep")
    ((case, events),) = cases.items()
    return {case: _with_sleep(events, read_one_night(sleep_path, labels))}


def _marks_or_emg(path: Path, labels: LabelTable, channels: Sequence[str]) -> dict[str, Events]:
    if channels:
        return {"": read_emg_events(path, labels, channels)}
    if not _is_edf(path):
        return read_events(path, labels)
    try:
        cases = read_events(path, labels)
        without = not any(len(events.movements) for events in cases.values())
    except EventListError:
        without, cases = True, {}
    if not without:
        return cases
    try:
        found = leg_channels(EdfRecords(path))
    except UnsuitableSignal:
        return cases or read_events(path, labels)
    events = read_emg_events(path, labels)
    names = " and ".join(f"'{channel.label}'" for channel in found.values())
    notice = Notice(
        "movements_from_emg",
        f"no leg movement is marked; those of the EMG of {names} were found instead.",
    )
    return {"": replace(events, notices=(*events.notices, notice))}


def _is_edf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(EDF_MAGIC)) == EDF_MAGIC
    except OSError:
        return False


def _with_sleep(events: Events, other: Events) -> Events:
    """Stages and all but the movements of another list, on the first one's clock."""
    later_ms = 0
    if events.start_time is not None and other.start_time is not None:
        own, start = events.start_time, other.start_time
        if own.tzinfo is None or start.tzinfo is None:
            own, start = own.replace(tzinfo=None), start.replace(tzinfo=None)
        if abs(start - own) < timedelta(hours=18):
            later_ms = round((start - own).total_seconds() * 1000)
    elif events.clock_ms is not None and other.clock_ms is not None:
        half_ms = 43_200_000
        later_ms = (other.clock_ms - events.clock_ms + half_ms) % (2 * half_ms) - half_ms

    def moved(of: Intervals | None) -> Intervals | None:
        return None if of is None else Intervals(of.onset_ms + later_ms, of.offset_ms + later_ms)

    def moment(time_ms: int | None) -> int | None:
        return None if time_ms is None else time_ms + later_ms

    sleep = other.sleep
    if sleep is not None:
        sleep = Sleep(
            sleep.source,
            moment(sleep.lights_off_ms),
            moment(sleep.lights_on_ms),
            sleep.onset_ms + later_ms,
            sleep.offset_ms + later_ms,
            sleep.stage,
        )
    told = [notice for notice in other.notices if notice.code != "no_movements"]
    return replace(
        events,
        sleep=sleep,
        respiratory=events.respiratory if other.respiratory is None else moved(other.respiratory),
        arousals=events.arousals if other.arousals is None else moved(other.arousals),
        notices=(*events.notices, *told),
    )
