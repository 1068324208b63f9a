"""What a person says of a recording that its file does not say, or says wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rlsmove.errors import SettingError

#: Units by name, and how many of each make 1 g.
UNITS = {"g": 1.0, "mg": 1000.0, "m/s2": 9.80665}

DATE_ORDERS = ("ymd", "dmy", "mdy")


@dataclass(frozen=True)
class Told:
    """What is told of a recording; it goes before what the file says and what would be guessed.

    Attributes
    ----------
    time_zone : str
        IANA name of the zone that the sleeper's clock shows.
    start : datetime or None
        Wall time of the first sample.
    columns : tuple of str
        Of a table of text the columns of time, x, y and z: names, or numbers from 1.
    unit : str
        ``g``, ``mg``, ``m/s2``, or how many counts make 1 g.
    date_order : str
        ``ymd``, ``dmy`` or ``mdy``.
    where : tuple of str
        Column and value of the rows to read; empty for all.
    clock_zone : str
        IANA name of the zone that the device's own clock kept, where it is another one than the
        sleeper's.
    """

    time_zone: str = ""
    start: datetime | None = None
    columns: tuple[str, ...] = ()
    unit: str = ""
    date_order: str = ""
    where: tuple[str, ...] = ()
    clock_zone: str = ""

    @classmethod
    def parse(cls, **texts: str | None) -> Told:
        """Make it from words, as options of a command or cells of a table hold them.

        Parameters
        ----------
        texts : str or None
            By the names of the attributes; what is empty or None is not told.

        Raises
        ------
        SettingError
            One of them cannot be understood.
        """
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if text is not None and text.strip():
                values[name] = _READERS[name](name, text.strip())
        return cls(**values)

    @property
    def g_units(self) -> float:
        """How many of the unit make 1 g; NaN where no unit is told."""
        if not self.unit:
            return math.nan
        return UNITS[self.unit] if self.unit in UNITS else float(self.unit)

    def as_texts(self) -> dict[str, str]:
        """What is told, by name, in words that `parse` understands."""
        texts = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, datetime):
                value = value.isoformat()
            elif isinstance(value, tuple):
                value = ("=" if field.name == "where" else ",").join(value)
            if value:
                texts[field.name] = value
        return texts


def option(name: str) -> str:
    """What the option is called on the command line."""
    return "--" + name.replace("_", "-")


def _zone(name: str, text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise SettingError(
            option(name), repr(text), expected="an IANA zone such as Europe/Berlin"
        ) from None
    return text


def _start(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(
            option(name), repr(text), expected="a date and a time such as 2026-03-01T22:30"
        ) from None


def _columns(name: str, text: str) -> tuple[str, ...]:
    columns = tuple(part.strip() for part in text.split(","))
    if len(columns) != 4 or not all(columns):
        raise SettingError(
            option(name),
            repr(text),
            expected="four columns, TIME,X,Y,Z, by names or by numbers from 1",
        )
    return columns


def _unit(name: str, text: str) -> str:
    plain = text.lower().replace("^", "").replace("²", "2").replace(" ", "")
    if plain in UNITS:
        return plain
    try:
        if 0 < float(text) < math.inf:
            return text
    except ValueError:
        pass
    raise SettingError(
        option(name), repr(text), expected="g, mg, m/s2, or how many counts make 1 g"
    )


def _date_order(name: str, text: str) -> str:
    if text.lower() not in DATE_ORDERS:
        raise SettingError(option(name), repr(text), expected="one of " + ", ".join(DATE_ORDERS))
    return text.lower()


def _where(name: str, text: str) -> tuple[str, ...]:
    column, equals, value = text.partition("=")
    if not equals or not column.strip():
        raise SettingError(option(name), repr(text), expected="COLUMN=VALUE, such as device=left")
    return column.strip(), value.strip()


_READERS = {
    "time_zone": _zone,
    "start": _start,
    "columns": _columns,
    "unit": _unit,
    "date_order": _date_order,
    "where": _where,
    "clock_zone": _zone,
}

#: Nothing is told.
NOTHING_TOLD = Told()
