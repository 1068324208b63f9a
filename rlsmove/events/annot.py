"""Event lists in Luna's .annot files.

The format, by https://zzz.bwh.harvard.edu/luna/ref/annotations/: columns divided by tabs (or
white space), ``class instance channel start stop meta``, ``class instance start stop`` or ``class
start stop``; lines of ``#`` before them describe the classes. A time is elapsed seconds
(``30.5``), elapsed hours (``0+00:00:30.5``), the clock (``23:10:02``, ``11:10:02pm``), date and
clock (``04-08-18-22:30:15``) or an epoch (``e:2``, ``e:2:20``); a stop may also be a duration
(``+5``), ``...`` (until the next line) or ``.`` (none).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.io.numbers_as_text import milliseconds, seconds
from rlsmove.records import Notice
from rlsmove.rules import STAGE_EPOCH_MS

_DAY_MS = 86_400_000
_LAYOUTS = {
    6: ("class", "instance", "channel", "start", "stop", "meta"),
    4: ("class", "instance", "start", "stop"),
    3: ("class", "start", "stop"),
}
_CLOCK = r"(\d{1,2}):(\d\d):(\d\d(?:\.\d*)?)"
_SECONDS = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+")
_ELAPSED = re.compile(r"0\+(\d+):(\d\d):(\d\d(?:\.\d*)?)")
_OF_DAY = re.compile(_CLOCK + r"\s*(am|pm)?", re.IGNORECASE)
_DATED = re.compile(r"(\d{1,2})[-/](\d{1,2}|[A-Za-z]{3})[-/](\d{4}|\d{2})[- ]" + _CLOCK)
_EPOCH = re.compile(r"e:(\d+)(?::(\d+(?:\.\d*)?))?(?::(\d+(?:\.\d*)?))?")


class _Time(NamedTuple):
    """A time as it is written: elapsed ms, ms of the day, or ms since year 1."""

    sort: str
    ms: int
    end_ms: int = 0  # of an epoch


class _Row(NamedTuple):
    line: int
    text: str
    label: Label
    start: _Time
    stop: str


def is_annot(text: str) -> bool:
    """Whether every row of a text has as many columns as an .annot file has, with a time each."""
    rows = 0
    for line in text.lstrip("\ufeff").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = line.strip().split("\t") if "\t" in line else line.split()
        layout = _LAYOUTS.get(len(cells))
        if layout is None:
            return False
        row = dict(zip(layout, (cell.strip() for cell in cells), strict=True))
        if row["class"].lower() == "class" and row["start"].lower() == "start":
            rows += 1
        elif _time(row["start"]) is None or not _is_stop(row["stop"]):
            return False
        else:
            rows += 1
    return rows > 0


def _is_stop(text: str) -> bool:
    return text in ("", ".", "...") or _time(text.removeprefix("+")) is not None


def read_annot_marks(path: Path, text: str, labels: LabelTable) -> MarkList:
    """Read a Luna .annot file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    text : str
        What it holds.
    labels : LabelTable
        What classes mean: ``LM`` with instance or channel naming the leg, ``N2``, ``arousal``.

    Raises
    ------
    EventListError
        A row has another number of columns, a time cannot be read, a stop lies before its start,
        or clock times stand beside elapsed ones, which need the recording's start.
    """
    rows: list[_Row] = []
    for line, content in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        cells = content.strip().split("\t") if "\t" in content else content.split()
        layout = _LAYOUTS.get(len(cells))
        if layout is None:
            raise EventListError(
                path,
                f"{len(cells)} columns",
                place=f"row {line}",
                expected="3, 4 or 6 columns, as a Luna .annot file has",
            )
        row = dict(zip(layout, (cell.strip() for cell in cells), strict=True))
        if row["class"].lower() == "class" and row["start"].lower() == "start":
            continue
        instance, channel = (row.get(name, ".").strip(".") for name in ("instance", "channel"))
        label = _label(labels, row["class"], instance, channel)
        start = _time(row["start"])
        if start is None:
            raise _bad_time(path, line, "start", row["start"])
        rows.append(_Row(line, f"{row['class']} {instance}".strip(), label, start, row["stop"]))
    return _marks(path, rows)


def _label(labels: LabelTable, class_: str, instance: str, channel: str) -> Label:
    """Say what a row is: class and instance together, the class, or the instance tell."""
    label = labels.find(class_, f"{instance} {channel}")
    if label is None:
        label = labels.find(f"{class_} {instance}", channel) or labels.find(instance, channel)
    return label or Label("unknown", "")


def _marks(path: Path, rows: list[_Row]) -> MarkList:
    starts, zero, start_time, notices = _placed([row.start for row in rows], path)
    marks = []
    for number, (row, start_ms) in enumerate(zip(rows, starts, strict=True)):
        following = starts[number + 1] if number + 1 < len(rows) else None
        duration_ms = _duration(path, row, start_ms, zero, following)
        marks.append(Mark(row.line, row.text, *row.label, start_ms, duration_ms))
    return MarkList(path, "row", {"": marks}, start_time, None, notices)


def _placed(
    times: list[_Time], path: Path
) -> tuple[list[int], int, datetime | None, tuple[Notice, ...]]:
    """Count all times from one moment.

    Clock times come from one night: the longest stretch of the day without any lies outside it.

    Returns
    -------
    starts_ms : list of int
        The times from that moment.
    zero_ms : int
        The moment, in ms of the day or since year 1; 0 for elapsed times.
    start_time : datetime or None
        The moment by calendar and clock, where there are dates.
    notices : tuple of Notice
    """
    sorts = {time.sort for time in times}
    if sorts <= {"elapsed"}:
        return [time.ms for time in times], 0, None, ()
    if len(sorts) > 1:
        raise EventListError(
            path,
            f"times of several sorts ({', '.join(sorted(sorts))})",
            expected="one sort of time, since the start of the recording is not in the file",
            advice="Let Luna write it anew with WRITE-ANNOTS.",
        )
    if sorts == {"date"}:
        zero = min(time.ms for time in times)
        start_time = datetime(1, 1, 1) + timedelta(milliseconds=zero)
        return [time.ms - zero for time in times], zero, start_time, ()
    clock = sorted({time.ms for time in times})
    following = [*clock[1:], clock[0] + _DAY_MS]
    zero = max(zip(clock, following, strict=True), key=lambda pair: pair[1] - pair[0])[1] % _DAY_MS
    notice = Notice(
        "clock_without_date",
        "times are of the clock without a date; onsets count from the first event, at "
        f"{timedelta(milliseconds=zero)}.",
    )
    return [(time.ms - zero) % _DAY_MS for time in times], zero, None, (notice,)


def _duration(
    path: Path, row: _Row, start_ms: int, zero_ms: int, following_ms: int | None
) -> int | None:
    """Length of a row's event; None where the row gives none."""
    stop = row.stop
    if stop == "." or not stop:
        return row.start.end_ms - row.start.ms if row.start.end_ms else None
    if stop == "...":
        if following_ms is None:
            return STAGE_EPOCH_MS if row.label.kind == "stage" else None
        duration_ms = following_ms - start_ms
    elif stop.startswith("+") and _SECONDS.fullmatch(stop[1:]):
        length_ms = milliseconds(stop[1:])
        if length_ms is None:
            raise _bad_time(path, row.line, "stop", stop)
        duration_ms = length_ms
    else:
        end = _time(stop)
        if end is None or end.sort != row.start.sort:
            raise _bad_time(path, row.line, "stop", stop)
        duration_ms = (end.end_ms or end.ms) - zero_ms - start_ms
        if end.sort == "clock":
            duration_ms %= _DAY_MS
    if duration_ms < 0:
        raise EventListError(
            path,
            f"stop '{stop}' lies before the start",
            place=f"row {row.line}",
            expected="a stop at or after the start",
        )
    return duration_ms


def _bad_time(path: Path, line: int, column: str, text: str) -> EventListError:
    return EventListError(
        path,
        f"{column} is '{text}'",
        place=f"row {line}",
        expected="seconds, 0+hh:mm:ss, hh:mm:ss, dd-mm-yy-hh:mm:ss or e:n",
    )


def _time(text: str) -> _Time | None:
    """Read a time; None where it is none."""
    if _SECONDS.fullmatch(text):
        time_ms = milliseconds(text)
        return None if time_ms is None else _Time("elapsed", time_ms)
    if found := _ELAPSED.fullmatch(text):
        time_ms = _clock_ms(*found.groups())
        return None if time_ms is None else _Time("elapsed", time_ms)
    if found := _OF_DAY.fullmatch(text):
        hour, minute, second, half = found.groups()
        if half:
            hour = str(int(hour) % 12 + (12 if half.lower() == "pm" else 0))
        time_ms = _clock_ms(hour, minute, second)
        return None if time_ms is None or time_ms >= _DAY_MS else _Time("clock", time_ms)
    if found := _DATED.fullmatch(text):
        return _dated(*found.groups())
    if found := _EPOCH.fullmatch(text):
        length_ms = milliseconds(found[2]) if found[2] else STAGE_EPOCH_MS
        step_ms = milliseconds(found[3]) if found[3] else length_ms
        number = milliseconds(found[1])
        if length_ms is None or step_ms is None or number is None or number == 0:
            return None
        start_ms = (int(found[1]) - 1) * step_ms
        return _Time("elapsed", start_ms, start_ms + length_ms)
    return None


def _dated(day: str, month: str, year: str, hour: str, minute: str, second: str) -> _Time | None:
    """Read a date and clock; two digits of a year mean 1985 to 2084."""
    full_year = int(year) if len(year) == 4 else 1985 + (int(year) - 85) % 100
    month_format = "%m" if month.isdigit() else "%b"
    try:
        date = datetime.strptime(f"{day} {month} {full_year:04d}", f"%d {month_format} %Y")
    except ValueError:
        return None
    clock_ms = _clock_ms(hour, minute, second)
    if clock_ms is None:
        return None
    return _Time("date", (date - datetime(1, 1, 1)).days * _DAY_MS + clock_ms)


def _clock_ms(hour: str, minute: str, second: str) -> int | None:
    """Read hours, minutes and seconds; None over a month."""
    return milliseconds(str((int(hour) * 60 + int(minute)) * 60 + float(second)))


def annot_text(marks: Sequence[Mark]) -> str:
    """Write marks as a Luna .annot file of six columns, times in elapsed seconds."""
    lines = ["\t".join(_LAYOUTS[6])]
    for mark in sorted(marks, key=lambda mark: (mark.onset_ms, mark.kind)):
        class_, instance = _class_and_instance(mark)
        stop = "." if mark.duration_ms is None else seconds(mark.onset_ms + mark.duration_ms)
        lines.append("\t".join((class_, instance, ".", seconds(mark.onset_ms), stop, ".")))
    return "\n".join(lines) + "\n"


def _class_and_instance(mark: Mark) -> tuple[str, str]:
    if mark.kind == "stage":
        return ("?" if mark.meaning == "unscored" else mark.meaning), "."
    if mark.kind == "lights":
        return f"lights_{mark.meaning}", "."
    if mark.kind == "lm":
        return "LM", mark.meaning
    return "_".join(mark.text.split()) or mark.kind, "."
