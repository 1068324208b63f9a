"""The cells of a diary as people keep it: CSV in any of its forms, or an Excel sheet."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rlsmove.errors import StudyError

_EXCEL = (".xlsx", ".xlsm")

#: Cells that stand for a missing value, in lower case.
_MISSING = frozenset(("", "n/a", "na", "nan", "null", "none", "-", "--", "."))

ORDERS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}

#: Beginnings of the months' names, in English, German, French, Spanish and Dutch.
_MONTH_NAMES = (
    "jan ene,feb fev,mar mae mrz mrt,apr avr abr,may mai mei,jun jui juin,jul juil,aug aou ago,"
    "sep,oct okt,nov,dec dez dic"
)
_MONTHS = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.split(","), 1)
    for name in names.split()
}

_TIME = re.compile(
    r"(\d{1,2})\s*[:.hH]\s*(\d{2})(?:[:.m]\s*(\d{2})(?:[.,]\d+)?)?\s*(uhr|h|a\.?m\.?|p\.?m\.?)?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(\d{1,2})\s*(uhr|h|a\.?m\.?|p\.?m\.?)", re.IGNORECASE)
_DIGITS = re.compile(r"(\d{1,2})(\d{2})")
_PART_OF_DAY = re.compile(r"0?\.\d{3,}")


@dataclass(frozen=True)
class Cells:
    """A table of text.

    Attributes
    ----------
    header : tuple of str
        As written, repeated names included.
    rows : list of (int, tuple of str)
        Number of each row in its file, and its cells, as many as the header has.
    """

    header: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]


def read_cells(path: Path) -> Cells:
    """Read the cells of a diary; cells that stand for nothing are empty.

    Raises
    ------
    StudyError
        It is no such table, or Excel's tables cannot be read here.
    """
    lines = _excel_lines(path) if path.suffix.lower() in _EXCEL else _text_lines(path)
    numbered = [(number, line) for number, line in enumerate(lines, 1) if any(line)]
    if not numbered:
        raise StudyError(path, "the table is empty", expected="a header and a row for each entry")
    header = numbered[0][1]
    width = len(header)
    rows = []
    for number, line in numbered[1:]:
        if len(line) > width and any(line[width:]):
            raise StudyError(
                path,
                f"{len(line)} cells",
                place=f"row {number}",
                expected=f"{width}, as its header",
            )
        cells = [*line[:width], *[""] * (width - len(line))]
        rows.append((number, tuple("" if c.lower() in _MISSING else c for c in cells)))
    return Cells(tuple(header), [row for row in rows if any(row[1])])


def _text_lines(path: Path) -> list[list[str]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise StudyError(path, "there is no such file") from None
    except IsADirectoryError:
        raise StudyError(path, "this is a folder", expected="a table") from None
    except OSError as error:
        raise StudyError(path, f"cannot be read: {error.strerror}") from None
    if content[:2] in (b"PK", b"\xd0\xcf"):
        raise StudyError(
            path, "it is no text", expected="CSV, or an Excel file named .xlsx",
            advice="Save it as .xlsx or CSV",
        )  # fmt: skip
    text = _decoded(content)
    if "\0" in text:
        raise StudyError(path, "it holds zero bytes", expected="a plain table")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max("\t;,|", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise StudyError(path, f"it is no table ({error})", expected="a plain table") from None
    return [[cell.strip() for cell in line] for line in lines]


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # Excel on Windows


def _excel_lines(path: Path) -> list[list[str]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise StudyError(
            path, "openpyxl is not installed", advice="Install rlsmove[excel], or save it as CSV"
        ) from None
    if not path.is_file():
        raise StudyError(path, "there is no such file")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        # The library has no error of its own for a file that is none of Excel's.
        raise StudyError(path, f"it is no Excel table ({error})", expected="a sheet") from None
    try:
        for sheet in book.worksheets:
            lines = [[_cell_text(c) for c in line] for line in sheet.iter_rows(values_only=True)]
            if sum(any(line) for line in lines) > 1:
                return lines
    finally:
        book.close()
    return []


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        if value.year <= 1900:  # a time of day, as some versions of Excel keep it
            return value.time().isoformat(timespec="seconds")
        if value.time() == time(0):
            return value.date().isoformat()
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return (datetime(2000, 1, 1) + value).time().isoformat(timespec="seconds")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def squashed(name: str) -> str:
    """A column's name in lower case, without accents and without all that is no letter or digit."""
    apart = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o"))
    return re.sub(r"[^0-9a-z]", "", apart.lower())


def day_of(text: str, order: str) -> date:
    """Read a date in one order of day, month and year; names of months too.

    Raises
    ------
    ValueError
        It is none.
    """
    parts = re.findall(r"\d+|[^\W\d_]{3,}", text.split("T")[0] if "T" in text[4:] else text)
    named = [p for p in parts if not p.isdigit() and squashed(p)[:3] in _MONTHS]
    numbers = [int(part) for part in parts if part.isdigit()]
    if named:
        if len(named) != 1 or len(numbers) != 2:
            raise ValueError(text)
        year, day = numbers if numbers[0] > 31 else reversed(numbers)
        month = _MONTHS[squashed(named[0])[:3]]
    elif len(numbers) == 1 and len(text.strip()) == 8:
        digits = text.strip()
        if order != "ymd":
            raise ValueError(text)
        year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    else:
        if len(numbers) != 3 or len(parts) != 3:
            raise ValueError(text)
        year, month, day = (numbers[place] for place in ORDERS[order])
        if order == "ymd" and year < 1000:
            raise ValueError(text)
    return date(year + 2000 if year < 100 else year, month, day)


def orders_of(texts: Iterable[str]) -> dict[str, list[date]]:
    """Read dates in every order in which all of them are dates."""
    texts = list(texts)
    found = {}
    for order in ORDERS:
        try:
            found[order] = [day_of(text, order) for text in texts]
        except ValueError:
            continue
    # A year in front, or dots between the parts, leave nothing open.
    if "ymd" in found:
        return {"ymd": found["ymd"]}
    if "dmy" in found and texts and all("." in text for text in texts):
        return {"dmy": found["dmy"]}
    return found


def clock_of(text: str, order: str = "ymd") -> str:
    """Read a time of day, or a date with one, in any of the ways that people write them.

    Parameters
    ----------
    text : str
        Such as ``22:45``, ``10:45 PM``, ``22.45 Uhr``, ``2245``, ``2026-03-01 22:45``.
    order : str
        Of day, month and year, where there is a date.

    Returns
    -------
    str
        ``22:45`` or ``22:45:30``, after a date and ``T`` where there is one.

    Raises
    ------
    ValueError
        It is none.
    """
    text = text.strip()
    if _PART_OF_DAY.fullmatch(text):  # of a sheet whose cell has lost its format
        minutes = round(float(text) * 1440) % 1440
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    found = _TIME.fullmatch(text) or _HOUR.fullmatch(text) or _DIGITS.fullmatch(text)
    if found is None:
        day, sign, clock = re.sub(r"(?<=\d)T(?=\d)", " ", text).partition(" ")
        if not sign:
            raise ValueError(text)
        return f"{day_of(day, order).isoformat()}T{clock_of(clock).zfill(5)}"
    groups = found.groups()
    if found.re is _HOUR:
        groups = (groups[0], "00", None, groups[1])
    elif found.re is _DIGITS:
        groups = (groups[0], groups[1], None, None)
    hour, minute = int(groups[0]), int(groups[1])
    half = (groups[3] or "").lower()[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half == "p" else 0)
    elif hour == 24 and minute == 0:
        hour = 0
    if hour > 23 or minute > 59 or int(groups[2] or 0) > 59:
        raise ValueError(text)
    return f"{hour:02d}:{minute:02d}" + (f":{groups[2]}" if groups[2] else "")


def number_of(text: str) -> str:
    """A number with a point, where it was written with a comma."""
    return re.sub(r"(?<=\d),(?=\d)", ".", text) if text.count(",") == 1 else text


def repeated(names: Sequence[str]) -> set[str]:
    """Names that appear more than once."""
    return {name for name in names if names.count(name) > 1}
