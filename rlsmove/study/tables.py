"""Plain tables, read with everything that is wrong in them and written with nothing partial."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rlsmove.errors import StudyError
from rlsmove.study.columns import MISSING, Column
from rlsmove.study.problems import Problem

#: Cells that stand for a missing value, in lower case.
_MISSING_WORDS = ("", MISSING, "na", "nan", "null", "none")


@dataclass
class Row:
    """One row of a table.

    Attributes
    ----------
    number : int
        Line of the file, the header being 1.
    cells : dict
        Value by column, read by its kind; a missing one, or one that could not be read, is not
        in it.
    text : dict
        The cells as they stand in the file.
    """

    number: int
    cells: dict[str, Any]
    text: dict[str, str]
    bad: set[str] = field(default_factory=set)

    def get(self, column: str, otherwise: Any = None) -> Any:
        """Return the value of a column, or `otherwise`."""
        return self.cells.get(column, otherwise)


@dataclass(frozen=True)
class Table:
    """A table as read.

    Attributes
    ----------
    name : str
        What to call its file in messages.
    header : tuple of str
        Columns in the order of the file.
    rows : list of Row
    problems : list of Problem
        Everything that is wrong with it by itself.
    """

    name: str
    header: tuple[str, ...]
    rows: list[Row]
    problems: list[Problem]


def read_table(
    path: str | Path,
    columns: Iterable[Column],
    *,
    name: str = "",
    delimiter: str = "\t",
) -> Table:
    """Read a table, and list everything that does not fit its columns.

    Parameters
    ----------
    path : str or Path
    columns : iterable of Column
        The columns that are known. Others are read as text.
    name : str, optional
        What to call the file in messages; its path by default.
    delimiter : str
        Character between cells.

    Returns
    -------
    Table

    Raises
    ------
    StudyError
        Where the file cannot be read as a table at all, or lacks a required column.
    """
    name = name or str(path)
    try:
        lines = list(csv.reader(io.StringIO(_text_of(path, name)), delimiter=delimiter))
    except csv.Error as error:
        raise StudyError(name, f"it is no table ({error})", expected="a plain table") from None
    lines_numbered = [(n, line) for n, line in enumerate(lines, 1) if any(map(str.strip, line))]
    if not lines_numbered:
        raise StudyError(name, "the table is empty", expected="a header and a row for each entry")
    header = tuple(" ".join(cell.lower().split()) for cell in lines_numbered[0][1])
    known = {column.name: column for column in columns}
    absent = [c.name for c in known.values() if c.required and c.name not in header]
    if absent:
        raise StudyError(
            name,
            f"the header has no column {', '.join(absent)}",
            place="row 1",
            expected=f"the columns {', '.join(known)}",
            advice=f"It has: {', '.join(filter(None, header)) or 'nothing'}",
        )
    problems = [
        Problem(name, 1, column, "the column appears twice", "each column once")
        for column in sorted({c for c in header if header.count(c) > 1})
    ]
    rows = []
    for number, line in lines_numbered[1:]:
        if len(line) != len(header):
            problems.append(
                Problem(name, number, "", f"{len(line)} cells", f"{len(header)}, as in the header")
            )
        text = {c: cell.strip() for c, cell in zip(header, line, strict=False)}
        row = Row(number, {}, text)
        for column_name, cell in text.items():
            column = known.get(column_name)
            if cell.lower() in _MISSING_WORDS:
                if column is not None and column.required:
                    row.bad.add(column_name)
                    problems.append(
                        Problem(name, number, column_name, "no value", column.expected())
                    )
                continue
            try:
                row.cells[column_name] = cell if column is None else column.parse(cell)
            except (ValueError, KeyError):
                assert column is not None
                row.bad.add(column_name)
                problems.append(Problem(name, number, column_name, repr(cell), column.expected()))
        rows.append(row)
    return Table(name, header, rows, problems)


def _text_of(path: str | Path, name: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudyError(name, "there is no such file") from None
    except IsADirectoryError:
        raise StudyError(name, "this is a folder", expected="a table") from None
    except UnicodeDecodeError as error:
        raise StudyError(
            name,
            f"byte {error.start} is not UTF-8 text",
            expected="a plain table",
            advice="Save the table as CSV or TSV in UTF-8",
        ) from None
    except OSError as error:
        raise StudyError(name, f"cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise StudyError(name, "it holds zero bytes", expected="a plain table")
    return text


def delimiter_of(path: str | Path) -> str:
    """Tell the character between cells from the header: a tab, a semicolon, else a comma."""
    header = _text_of(path, str(path)).split("\n", 1)[0]
    return max("\t;,", key=header.count)


def table_text(
    header: Sequence[str], rows: Iterable[Mapping[str, Any]], *, delimiter: str = "\t"
) -> str:
    """Write a table out: a line a row, missing values as ``n/a``.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of mapping
        Value by column.
    delimiter : str

    Returns
    -------
    str
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in header])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return MISSING if value != value else f"{value:.10g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)
