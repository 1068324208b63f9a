"""Times as programs of sleep laboratories write them, and the moment that they count from.

A time is elapsed seconds (``40.1``, ``40,1``), the clock (``22:00:40.100``, ``22.00.40``,
``10:00:40 PM``) or a date with the clock, in any order of day, month and year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import NamedTuple

from rlsmove.io.numbers_as_text import milliseconds
from rlsmove.records import Notice

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

#: Orders of day, month and year, the likelier first; the year is first where it has four digits.
_ORDERS = ("dmy", "mdy", "ymd")
_MONTHS = (
    ("jan", "gen", "ene", "led"),
    ("feb", "fev"),
    ("mar", "mrt", "maa", "mae"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mei", "mag", "maj"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "dic"),
)
_CLOCK = (
    r"(?P<hour>\d{1,2})(?P<sign>[:.h])(?P<minute>\d\d)"
    r"(?:[:.m](?P<second>\d\d)(?:[.,:](?P<part>\d+))?s?)?"
    r"(?:\s*(?P<half>[ap])\.?\s?m\.?)?(?:\s?(?P<zone>Z|[+-]\d\d:?\d\d))?"
)
_OF_DAY = re.compile(_CLOCK, re.IGNORECASE)
_DATE = r"(?P<first>\d{1,4})[-/. ]+(?P<second_>\d{1,2}|[^\W\d_]{3,10})\.?[-/. ,]+(?P<third>\d{1,4})"
_NAMED = r"(?P<month>[^\W\d_]{3,10})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"
_DATED = re.compile(rf"(?:{_DATE}|{_NAMED})(?:(?:[T,]|\s)+{_CLOCK})?", re.IGNORECASE)
_SECONDS = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
_FIRST_DAY = date(1, 1, 1).toordinal()

#: Programs that know no date write the first days of their calendars.
_NO_DATE_YEARS = (1899, 1900, 1970)
#: A clock that begins this soon after midnight and never passes it again counts from the start.
_ELAPSED_WITHIN_MS = 30 * MINUTE_MS


class WrittenTime(NamedTuple):
    """A time as it is written.

    Attributes
    ----------
    sort : str
        ``elapsed``, ``clock`` or ``date``.
    ms : int
        From the start of the recording, of the day, or of year 1.
    zone_min : int or None
        Minutes east of UTC, where they are written.
    """

    sort: str
    ms: int
    zone_min: int | None = None


@dataclass(frozen=True)
class PlacedTimes:
    """Times counted from one moment.

    Attributes
    ----------
    onset_ms : list of int
        The times from that moment.
    start_time : datetime or None
        The moment, where there are dates.
    clock_ms : int or None
        Its time of day in ms, where the clock is known.
    zero_ms : int
        The moment as the times have it: of the day, or of year 1; 0 for elapsed times.
    notices : tuple of Notice
        What was guessed.
    """

    onset_ms: list[int]
    start_time: datetime | None
    clock_ms: int | None
    zero_ms: int
    notices: tuple[Notice, ...]


def date_order(texts: Sequence[str]) -> tuple[str, tuple[Notice, ...]]:
    """Tell the order of day, month and year from all dates; a guess comes with a notice.

    Of the orders in which every date exists, the one counts in which they lie closest together;
    an export of one night spans no months. Where two are alike, AM and PM tell a month first,
    and points between the numbers a day.
    """
    dated = [
        text
        for text in map(str.strip, texts)
        if _DATED.fullmatch(text) and not _OF_DAY.fullmatch(text)
    ]
    spans = {}
    for order in _ORDERS:
        times = [read_time(text, order) for text in dated]
        if all(time is not None for time in times):
            values = [time.ms for time in times if time is not None]
            spans[order] = max(values, default=0) - min(values, default=0)
    if not spans or not dated:
        return "dmy", ()
    least = min(spans.values())
    alike = [order for order in _ORDERS if spans.get(order, least + 1) == least]
    american = any(re.search(r"\d\s*[ap]\.?m\.?$", text, re.IGNORECASE) for text in dated)
    order = "mdy" if "mdy" in alike and american else alike[0]
    meant = {read_time(dated[0], other) for other in alike}
    if len(meant) == 1 or (order == "dmy" and "." in dated[0].split()[0]):
        return order, ()
    first = read_time(dated[0], order)
    day = "" if first is None else (datetime(1, 1, 1) + timedelta(milliseconds=first.ms)).date()
    sentence = f"'{dated[0]}' was read as {day:%d %B %Y}; the order of day and month is a guess."
    return order, (Notice("date_order_guessed", sentence),)


def read_time(text: str, order: str = "dmy") -> WrittenTime | None:
    """Read a time; None where it is none.

    Parameters
    ----------
    text : str
        As it stands in the file.
    order : str
        From `date_order`.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        time_ms = milliseconds(text.replace(",", "."))
        return None if time_ms is None else WrittenTime("elapsed", time_ms)
    if found := _OF_DAY.fullmatch(text):
        clock_ms = _clock_ms(found)
        return None if clock_ms is None else WrittenTime("clock", clock_ms, _zone_min(found))
    if found := _DATED.fullmatch(text):
        day = _day(found, order)
        clock_ms = _clock_ms(found) if found["hour"] else 0
        if day is None or clock_ms is None:
            return None
        return WrittenTime("date", (day - _FIRST_DAY) * DAY_MS + clock_ms, _zone_min(found))
    return None


def read_length(text: str, unit_ms: float) -> int | None:
    """Read a duration as ms: a number in a unit, ``mm:ss`` or ``hh:mm:ss``; else None."""
    text = text.strip()
    if ":" in text:
        parts = text.replace(",", ".").split(":")
        if not 2 <= len(parts) <= 3:
            return None
        numbers = [milliseconds(part) for part in parts]
        total = 0
        for number in numbers:
            if number is None or number < 0:
                return None
            total = 60 * total + number
        return total
    number_text = re.sub(r"\s*(s|sec|secs|seconds|sek)\.?$", "", text, flags=re.IGNORECASE)
    if not _SECONDS.fullmatch(number_text):
        return None
    value = float(number_text.replace(",", "."))
    return round(value * unit_ms) if abs(value * unit_ms) <= 32 * DAY_MS else None


def placed_times(
    times: Sequence[WrittenTime],
    *,
    origin: WrittenTime | None = None,
    day: date | None = None,
    first_is_start: bool = False,
    start_within_ms: tuple[int, int] | None = None,
) -> PlacedTimes:
    """Count times of one sort from one moment.

    Parameters
    ----------
    times : sequence of WrittenTime
        In the order of the file; not empty, all of one sort.
    origin : WrittenTime, optional
        Start of the recording by the file's head: a date with the clock, or the clock.
    day : date, optional
        Date of the study by the file's head.
    first_is_start : bool
        Whether the first time is taken for the start, as the first epoch is; else times count from
        the full minute before it, where nothing tells the start.
    start_within_ms : tuple of int, optional
        Between which times of the day the start lies (after the first, up to the second), as
        numbers of epochs tell it.

    Notes
    -----
    Clock times come from one night: the longest stretch of the day without any lies outside it.
    """
    if times[0].sort == "elapsed":
        start = None if origin is None else _moment(origin, day)
        clock = None if origin is None else origin.ms % DAY_MS
        return PlacedTimes([time.ms for time in times], start, clock, 0, ())
    dated = times[0].sort == "date"
    if dated and all(_year(time) in _NO_DATE_YEARS for time in times):
        first_midnight = min(time.ms for time in times) // DAY_MS * DAY_MS
        return PlacedTimes([time.ms - first_midnight for time in times], None, None, 0, ())
    if dated and (origin is None or origin.sort == "date"):
        zero_ms, notices = _zero(times, origin, first_is_start, start_within_ms)
        start = _moment(WrittenTime("date", zero_ms, times[0].zone_min), None)
        return PlacedTimes(
            [time.ms - zero_ms for time in times], start, zero_ms % DAY_MS, zero_ms, notices
        )
    clocks = [WrittenTime("clock", time.ms % DAY_MS, time.zone_min) for time in times]
    if dated:
        day = date.fromordinal(min(time.ms for time in times) // DAY_MS + _FIRST_DAY)
    if origin is None and day is None and not dated and _counts_from_start(clocks):
        notice = Notice(
            "clock_from_zero",
            "times begin at 0:00 and never pass midnight; they are taken as time since the start.",
        )
        return PlacedTimes([time.ms for time in clocks], None, None, 0, (notice,))
    zero_ms, notices = _zero(clocks, origin, first_is_start, start_within_ms)
    zero_ms %= DAY_MS
    onset_ms = [_after(time.ms, zero_ms) for time in clocks]
    if origin is not None and origin.sort == "date":
        start = _moment(origin, None)
    else:
        start = _moment(WrittenTime("clock", zero_ms), day)
    return PlacedTimes(onset_ms, start, zero_ms, zero_ms, notices)


def _zero(
    times: Sequence[WrittenTime],
    origin: WrittenTime | None,
    first_is_start: bool,
    start_within_ms: tuple[int, int] | None,
) -> tuple[int, tuple[Notice, ...]]:
    """Find the moment to count from, in the times' own count."""
    if origin is not None:
        return (origin.ms if times[0].sort == origin.sort else origin.ms % DAY_MS), ()
    first_ms = _first_clock(times) if times[0].sort == "clock" else min(time.ms for time in times)
    if start_within_ms is not None:
        zero_ms = _roundest(*start_within_ms)
        told = "the numbers of the epochs"
    elif first_is_start:
        return first_ms, ()
    else:
        zero_ms = first_ms // MINUTE_MS * MINUTE_MS
        told = "the full minute before the first event"
    clock = timedelta(milliseconds=zero_ms % DAY_MS)
    sentence = (
        f"the start of the recording is not in the file; onsets count from {clock}, by {told}."
    )
    return zero_ms, (Notice("start_not_told", sentence),)


def _roundest(after_ms: int, until_ms: int) -> int:
    """Find the roundest time after the first and up to the second: recordings begin at such."""
    for step_ms in (MINUTE_MS, 30_000, 10_000, 5_000, 1_000):
        at_ms = until_ms // step_ms * step_ms
        if at_ms > after_ms:
            return at_ms
    return until_ms


def _first_clock(times: Sequence[WrittenTime]) -> int:
    """Time of day after the longest stretch without any."""
    clock = sorted({time.ms for time in times})
    following = [*clock[1:], clock[0] + DAY_MS]
    return max(zip(clock, following, strict=True), key=lambda pair: pair[1] - pair[0])[1] % DAY_MS


def _counts_from_start(clocks: Sequence[WrittenTime]) -> bool:
    """Whether times that look like the clock begin at zero and only grow."""
    grows = all(before.ms <= after.ms for before, after in pairwise(clocks))
    return grows and clocks[0].ms < _ELAPSED_WITHIN_MS


def _after(time_ms: int, zero_ms: int) -> int:
    """Time of day counted from another one; what lies shortly before it stays before it."""
    later_ms = (time_ms - zero_ms) % DAY_MS
    return later_ms - DAY_MS if later_ms > DAY_MS - 2 * HOUR_MS else later_ms


def _moment(time: WrittenTime, day: date | None) -> datetime | None:
    """Say a time by the calendar; None where no date is known."""
    if time.sort == "clock":
        if day is None:
            return None
        moment = datetime(day.year, day.month, day.day) + timedelta(milliseconds=time.ms)
    else:
        moment = datetime(1, 1, 1) + timedelta(milliseconds=time.ms)
    if time.zone_min is None:
        return moment
    return moment.replace(tzinfo=timezone(timedelta(minutes=time.zone_min)))


def _year(time: WrittenTime) -> int:
    return (datetime(1, 1, 1) + timedelta(milliseconds=time.ms)).year


def _clock_ms(found: re.Match[str]) -> int | None:
    hour, minute = int(found["hour"]), int(found["minute"])
    if found["sign"] == "." and not found["second"]:
        return None  # 22.05 is a number
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    second = int(found["second"] or 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    part_ms = round(float(f"0.{found['part'] or 0}") * 1000)
    return ((hour * 60 + minute) * 60 + second) * 1000 + part_ms


def _zone_min(found: re.Match[str]) -> int | None:
    zone = found["zone"]
    if not zone:
        return None
    if zone in "Zz":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def _day(found: re.Match[str], order: str) -> int | None:
    """Number of the day in the calendar; None where there is no such day."""
    if found["month"]:
        year, month, day = found["year"], found["month"], found["day"]
    else:
        parts = (found["first"], found["second_"], found["third"])
        if len(parts[0]) == 4:
            order = "ymd"
        elif not parts[1].isdigit():
            order = "dmy"
        elif len(parts[2]) == 4 and order == "ymd":
            return None
        year, month, day = (parts[order.index(letter)] for letter in "ymd")
    if len(year) == 3 or len(day) > 2 or (month.isdigit() and len(month) > 2):
        return None
    # Two digits mean 1985 to 2084, as in EDF.
    full_year = int(year) if len(year) == 4 else 1985 + (int(year) - 85) % 100
    number = int(month) if month.isdigit() else _month(month)
    try:
        return date(full_year, number, int(day)).toordinal()
    except ValueError:
        return None


def _month(name: str) -> int:
    """Number of a month named in one of several languages; 0 where it is none."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    fitting = (
        number
        for length in (4, 3)
        for number, names in enumerate(_MONTHS, start=1)
        if bare[:length] in names
    )
    return next(fitting, 0)
