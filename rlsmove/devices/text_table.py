"""A table of text: how it is written, the lines before it, its columns' names, its first rows."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from rlsmove.devices._text_kernels import MONTHS
from rlsmove.errors import UnknownFormat

_PREAMBLE_BYTES = 1 << 16
_PREAMBLE_LINES = 500
#: Lines that look alike make a table.
_ALIKE = 3
#: Ways to write tables: what parts cells, and what parts decimals. Of ways that yield the same
#: columns, the first.
_WAYS = tuple((delimiter, decimal) for delimiter in "\t;|, " for decimal in ".,")

_NUMBER = {
    ".": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?(\d+(,\d+)?|,\d+)([eE][+-]?\d+)?"),
}
_MISSING = re.compile(r"-?|n/?a|[+-]?nan|null|none|[+-]?inf(inity)?", re.IGNORECASE)
_MONTH = "(?:" + "|".join(word for words in MONTHS for word in words.split()) + r")[a-z]*\.?"
DATE = re.compile(
    rf"(?P<one>\d{{1,4}}|{_MONTH})(?P<mark>[-/.]|\. | )(?P<two>\d{{1,2}}|{_MONTH})"
    r"([-/.,]|\. | |, )(?P<three>\d{1,4})\.?(?P<clock>[T_ ,]+\d{1,2}([:.-]\d\d|\d{4}).*)?"
    r"|(?P<year_first>\d{8})(?P<its_clock>[T_ ]+\d{1,2}(:\d\d|\d{4}).*)",
    re.IGNORECASE,
)
TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d([.,:]\d+)?)?( ?[AaPp]\.? ?[Mm]\.?)?")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class TextTable:
    """A table of text, by its beginning.

    Attributes
    ----------
    delimiter, decimal, line_end : str
        What parts cells (runs of spaces count as one), decimals, and lines.
    first_byte : int
        Where its first row begins.
    preamble : str
        What stands before it.
    names : list of str
        Of the columns, each with the unit that a row of units gives it in brackets; empty where
        it has none.
    rows : list of list of str
        Its first rows.
    """

    delimiter: str
    decimal: str
    line_end: str
    first_byte: int
    preamble: str
    names: list[str]
    rows: list[list[str]]

    def number(self, cell: str) -> float | None:
        """The number that a cell holds; None for another one, and for one beyond all bounds."""
        if not _NUMBER[self.decimal].fullmatch(cell):
            return None
        number = float(cell.replace(",", "."))
        return number if math.isfinite(number) else None

    def label(self, column: int) -> str:
        """Words for a column."""
        named = self.names and column < len(self.names) and self.names[column]
        return f"column '{self.names[column]}'" if named else f"column {column + 1}"

    def listing(self) -> str:
        """All columns, by name or by number."""
        if self.names:
            return ", ".join(self.names)
        return ", ".join(str(number) for number in range(1, len(self.rows[0]) + 1))

    def cells(self, line: str) -> list[str]:
        """The cells of a further line."""
        return _cells(line, self.delimiter)

    def from_row(self, row: int, first_byte: int, names: list[str]) -> TextTable:
        """The same table without its first rows, which say something else."""
        return replace(self, rows=self.rows[row:], first_byte=first_byte, names=names)


def find_table(path: Path, head: bytes) -> TextTable:
    """Find the first lines that look alike, for each way of writing tables; take the widest.

    Parameters
    ----------
    path : Path
        The file, for errors.
    head : bytes
        Its beginning.

    Raises
    ------
    UnknownFormat
        There is no table of numbers.
    """
    lines: list[tuple[int, str]] = []
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    first = at
    line_end = b"\n" if b"\n" in head[:_PREAMBLE_BYTES] else b"\r"
    for line in head[at:_PREAMBLE_BYTES].split(line_end)[:_PREAMBLE_LINES]:
        text = _decoded(line).strip("\r ")
        if text:
            lines.append((at, text))
        at += len(line) + 1
    if at > _PREAMBLE_BYTES and len(lines) > 1:
        lines.pop()

    best: TextTable | None = None
    first_line = 0
    for delimiter, decimal in _WAYS:
        if not any(delimiter in text for _, text in lines):
            continue
        # Spaces stand in dates and in names too: they part the cells of nothing that begins later.
        known = best is not None and delimiter in (" ", best.delimiter)
        until = first_line + 1 if known else len(lines)
        start = next((i for i in range(until) if _looks_alike(lines[i:], delimiter, decimal)), None)
        if start is None:
            continue
        width = len(_cells(lines[start][1], delimiter))
        if best and width <= len(best.rows[0]):
            continue
        first_line, first_byte = start, lines[start][0]
        names = _find_names(
            [_cells(text.lstrip("#% "), delimiter) for _, text in lines[:start]],
            width,
            decimal,
        )
        if names:
            names += [""] * (width - len(names))
        data = [_cells(text, delimiter) for _, text in lines[start:] if text[0] != "#"]
        preamble = _decoded(head[first:first_byte])
        best = TextTable(delimiter, decimal, line_end.decode(), first_byte, preamble, names, data)
    if best is None:
        raise UnknownFormat(
            path,
            f"text without a table of numbers (it begins with {lines[0][1][:40]!r})"
            if lines
            else "no rows",
            expected="columns of time, x, y and z, as devices' programs export them",
        )
    return best


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _cells(text: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        cells = re.split(" +", text)
    elif '"' in text:
        line = text.replace("\r", " ")
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
    else:
        cells = text.split(delimiter)
    return [cell.strip(' "') for cell in cells]


def _find_names(rows: list[list[str]], width: int, decimal: str) -> list[str]:
    """The columns' names among the lines before a table: those with x, y and z, or the last."""
    for number in range(len(rows) - 1, -1, -1):
        row = rows[number]
        if axis_stems(row):
            if len(row) == width - 1:
                # R leaves out the name of the column of row names.
                row = ["", *row]
            units = rows[number + 1] if number + 1 < len(rows) else []
            if len(units) == len(row) and not _has_data(units, decimal):
                row = [f"{name} ({unit})" if unit else name for name, unit in zip(row, units)]  # noqa: B905
            return row
    last = rows[-1] if rows else []
    return [] if _has_data(last, decimal) or len(last) != width else last


def axis_stems(names: list[str]) -> dict[str, list[int]]:
    """Columns whose names differ in the letters x, y and z alone (or in three digits).

    Returns
    -------
    dict of str to list of int
        By the name with ``?`` in the place of the letter, small and without its unit, the three
        columns; in the order of the columns.
    """
    found: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        plain = " ".join(re.sub(r"[\[(].*", "", name).lower().split())
        for at, letter in enumerate(plain):
            if letter in "xyz":
                stem = f"{plain[:at]}?{plain[at + 1 :]}"
                found.setdefault(stem, {}).setdefault(letter, column)
    return {
        stem: [axes[axis] for axis in "xyz"]
        for stem, axes in sorted(found.items(), key=lambda item: min(item[1].values()))
        if len(axes) == 3
    }


def _has_data(row: list[str], decimal: str) -> bool:
    return any(_NUMBER[decimal].fullmatch(cell) or DATE.fullmatch(cell) for cell in row)


def _looks_alike(lines: list[tuple[int, str]], delimiter: str, decimal: str) -> bool:
    width = 0
    for _, text in lines[:_ALIKE]:
        row = _cells(text, delimiter)
        width = width or len(row)
        if len(row) != width or not _is_data(row, delimiter, decimal):
            return False
    return True


def _is_data(row: list[str], delimiter: str, decimal: str) -> bool:
    numbers = sum(bool(_NUMBER[decimal].fullmatch(cell)) for cell in row)
    known = sum(
        bool(_MISSING.fullmatch(cell) or DATE.fullmatch(cell) or TIME_OF_DAY.fullmatch(cell))
        for cell in row
    )
    if delimiter == " ":
        known += sum(bool(_WORD.fullmatch(cell)) for cell in row)
        return numbers >= 3 and numbers + known >= len(row)
    return numbers >= 3 or (numbers >= 1 and numbers + known == len(row))
