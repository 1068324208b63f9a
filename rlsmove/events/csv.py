"""Event lists in CSV: ``kind,label,onset_s,duration_s``, perhaps with a column ``case``."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable, side_named
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.io.numbers_as_text import csv_cell, milliseconds, seconds

COLUMNS = ("kind", "label", "onset_s", "duration_s")


def is_event_csv(text: str) -> bool:
    """Whether the first line of a text names the columns of an event list."""
    first = text.lstrip("\ufeff").lstrip().partition("\n")[0]
    return {"kind", "onset_s"} <= set(_names(first, _delimiter(first)))


def read_csv_marks(path: Path, text: str, labels: LabelTable) -> MarkList:
    """Read the marks of each case, in the order in which the cases appear.

    Parameters
    ----------
    path : Path
        The file, for messages.
    text : str
        What it holds. The comma may be a semicolon or a tab; with a semicolon the decimal point
        may be a comma. Columns go by their names, further ones are passed over, blank lines too.
    labels : LabelTable
        What the labels mean.

    Raises
    ------
    EventListError
        A column is missing, a number cannot be read, or a leg or a stage is unknown.
    """
    text = text.lstrip("\ufeff")
    delimiter = _delimiter(text.lstrip().partition("\n")[0])
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    number = _number_reader(path, decimal_comma=delimiter == ";")
    cases: dict[str, list[Mark]] = {}
    columns: dict[str, int] = {}
    meanings: dict[tuple[str, str], Label] = {}
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = _columns(path, row, rows.line_num)
                place = [columns[name] for name in COLUMNS]
                case_column = columns.get("case")
                continue
            line = rows.line_num
            if len(row) <= max(place):
                raise EventListError(
                    path,
                    f"{len(row)} cells",
                    place=f"row {line}",
                    expected=f"{len(columns)} cells, one a column",
                )
            kind, label, onset, duration = (row[column].strip() for column in place)
            case = ""
            if case_column is not None:
                case = row[case_column].strip()
                if not case:
                    raise EventListError(
                        path, "the case is empty", place=f"row {line}", expected="a name"
                    )
            meaning = meanings.get((kind, label))
            if meaning is None:
                meaning = meanings[kind, label] = _meaning(path, line, kind, label, labels)
            onset_ms = number(onset, line, "onset_s")
            if onset_ms is None:
                raise EventListError(
                    path, "onset_s is empty", place=f"row {line}", expected="seconds"
                )
            duration_ms = number(duration, line, "duration_s")
            if duration_ms is not None and duration_ms < 0:
                raise EventListError(
                    path,
                    f"duration_s is {duration}",
                    place=f"row {line}",
                    expected="0 or more seconds",
                )
            named = f"{kind} {label}".strip() if meaning.kind == "unknown" else label or kind
            mark = Mark(line, named, *meaning, onset_ms, duration_ms)
            cases.setdefault(case, []).append(mark)
    except csv.Error as error:
        raise EventListError(
            path, f"not CSV ({error})", place=f"row {rows.line_num}", expected="CSV text"
        ) from error
    return MarkList(path, "row", cases)


def _delimiter(first_line: str) -> str:
    return max(",;\t", key=first_line.count)


def _names(first_line: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').strip().lower() for name in first_line.split(delimiter)]


def _columns(path: Path, row: list[str], line: int) -> dict[str, int]:
    names = [name.strip().lower() for name in row]
    if missing := [name for name in COLUMNS if name not in names]:
        raise EventListError(
            path,
            f"no column {', '.join(missing)} among {', '.join(filter(None, names))}",
            place=f"row {line}",
            expected=f"columns {', '.join(COLUMNS)}, and case where the file holds several nights",
        )
    return {name: column for column, name in reversed(list(enumerate(names)))}


def _number_reader(path: Path, *, decimal_comma: bool) -> Callable[[str, int, str], int | None]:
    def read(text: str, line: int, column: str) -> int | None:
        """Read seconds as whole milliseconds; None where the cell is empty or n/a."""
        if not text or text.lower() == "n/a":
            return None
        time_ms = milliseconds(text.replace(",", ".") if decimal_comma else text)
        if time_ms is None:
            raise EventListError(
                path,
                f"{column} is '{text}'",
                place=f"row {line}",
                expected="a number of seconds from the start of the recording",
            )
        return time_ms

    return read


def _meaning(path: Path, line: int, kind: str, label: str, labels: LabelTable) -> Label:
    """Say what a row is; an unknown stage or leg is refused, any other label may be unknown."""
    kind = kind.lower()
    if kind == "stage":
        found = labels.find_stage(label)
        if found is None:
            raise EventListError(
                path,
                f"stage '{label}'",
                place=f"row {line}",
                expected="W, N1, N2, N3, R or S, or a label that the table of labels names",
            )
        return found
    if kind == "lm":
        found = labels.find(label)
        if found is not None and found.kind == "lm":
            return found
        side = side_named(label)
        if side == "unknown" and label.lower() not in ("", "n/a", "unknown"):
            raise EventListError(
                path,
                f"leg '{label}'",
                place=f"row {line}",
                expected="left, right, bilateral or unknown",
            )
        return Label("lm", side)
    if kind in ("respiratory", "arousal", "gap"):
        return Label(kind, "")
    return labels.find(kind) or labels.find(label) or Label("unknown", "")


def events_csv(cases: Mapping[str, Sequence[Mark]]) -> str:
    """Write the marks of each case as CSV text, in the order of their onsets.

    Parameters
    ----------
    cases : mapping
        Marks by case; with the single case of no name there is no column for it.
    """
    named = list(cases) != [""]
    lines = [",".join((("case",) if named else ()) + COLUMNS)]
    for case, marks in cases.items():
        for mark in sorted(marks, key=lambda mark: (mark.onset_ms, mark.kind)):
            kind, label = _kind_and_label(mark)
            duration = "" if mark.duration_ms is None else seconds(mark.duration_ms)
            cells = [kind, label, seconds(mark.onset_ms), duration]
            lines.append(",".join(csv_cell(cell) for cell in ([case] if named else []) + cells))
    return "\n".join(lines) + "\n"


def _kind_and_label(mark: Mark) -> tuple[str, str]:
    if mark.kind == "lights":
        return f"lights_{mark.meaning}", ""
    if mark.kind in ("stage", "lm"):
        return mark.kind, "?" if mark.meaning == "unscored" else mark.meaning
    return ("other" if mark.kind == "unknown" else mark.kind), mark.text
