"""Nights of a plan as a calendar that phones and mail programs take (iCalendar, RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

#: Octets of a line, without its end (RFC 5545, section 3.1).
_LINE_OCTETS = 75

#: Control characters that no text may hold (section 3.3.11).
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class CalendarNight:
    """One entry of a calendar: a whole day, the same in every time zone.

    Attributes
    ----------
    uid : str
        The same whenever the night is written, so that a calendar taken in again is not doubled.
    night : date
        Evening date.
    summary, description : str
    """

    uid: str
    night: date
    summary: str
    description: str = ""


def calendar_text(name: str, nights: Iterable[CalendarNight], made: datetime) -> str:
    """Write a calendar out.

    Parameters
    ----------
    name : str
        What the calendar is called.
    nights : iterable of CalendarNight
    made : datetime
        With its zone.

    Returns
    -------
    str
        Lines end in CR LF, as the format demands.
    """
    stamp = made.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//rlsmove//nights of a plan//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_escaped(name)}",
    ]
    for entry in nights:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_escaped(entry.uid)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{entry.night:%Y%m%d}",
            f"DTEND;VALUE=DATE:{entry.night + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(entry.summary)}",
            *([f"DESCRIPTION:{_escaped(entry.description)}"] if entry.description else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _escaped(text: str) -> str:
    text = _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Break a line where it gets too long, never within a character."""
    parts, octets = [""], 0
    for character in line:
        size = len(character.encode())
        if octets + size > _LINE_OCTETS:
            parts.append("")
            octets = 1  # the space that the next line begins with
        parts[-1] += character
        octets += size
    return "\r\n ".join(parts)
