"""Tables of events as laboratories and analysis programs export them.

RemLogic, Nox, Natus, Nihon Kohden, BIDS events.tsv, MNE, Wonambi and their like differ in the
words of their columns, the sign between them, and how they write a time; what they share is a row
of names and a row an event. The names are in the table of labels (kind ``column``). Before the
names there may be lines such as ``Study Date: 01/03/2026``. Without names a row begins with its
time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable, side_named
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.events.stage_codes import StageReader
from rlsmove.events.written_times import (
    DAY_MS,
    PlacedTimes,
    WrittenTime,
    date_order,
    placed_times,
    read_length,
    read_time,
)
from rlsmove.records import Notice
from rlsmove.rules import STAGE_EPOCH_MS

#: The names of the columns stand within these first lines.
_HEAD_LINES = 80
_DELIMITERS = ("\t", ";", ",", "|")
#: A leg that is named by a bare word ("Left") and lies longer is a position of the body.
_LONGEST_BARE_SIDE_MS = 60_000

_UNIT = re.compile(r"[\[(]\s*([^\])]*)\s*[\])]|\b(?:in\s+)?(ms|msec|s|sec|secs|seconds|sek|min)$")
_UNITS_MS = {
    **dict.fromkeys(("ms", "msec", "milliseconds"), 1.0),
    **dict.fromkeys(
        ("", "s", "sec", "secs", "second", "seconds", "sek", "sekunden", "hh:mm:ss"), 1e3
    ),
    **dict.fromkeys(("min", "mins", "minutes", "minuten"), 60e3),
    **dict.fromkeys(("h", "hours"), 3600e3),
}
#: Names of axes and signals: a table with such columns is a recording.
_SIGNAL = re.compile(r"(acc\w*|gyro\w*|mag)( \w+)*|[xyz]( axis)?|a[xyz]|axis ?\d|lux|enmo")
_DATE_KEY = re.compile(r"date|datum|fecha|^data\b|päivä", re.IGNORECASE)
_START_KEY = re.compile(
    r"(recording|study|record)?\s*(start|begin)|startzeit|aufnahmebeginn|orig.?time|d[ée]but|inicio|inizio",
    re.IGNORECASE,
)
_BIRTH_KEY = re.compile(r"birth|geburt|naissance|nacim|nascita|geboorte|export|print|report", re.I)
_DURATION_IN_TEXT = re.compile(
    r"[\s,;:(-]*\b(?:dur(?:ation|ee|ée)?|dauer|durata)\b[.:=\s]*([\d.,]+)\s*(m?s(?:ec\w*)?)?[.)]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TableLayout:
    """Where a table of events has what.

    Attributes
    ----------
    name_line : int
        Number of the line with the names of the columns, from 0.
    delimiter : str
        Sign between cells; two spaces stand for two or more of them.
    columns : dict
        Number of the column by what it holds (see `labels.MEANINGS`, ``column``).
    units_ms : dict
        Milliseconds in a unit of the column, by what it holds.
    names : tuple of str
        All names as they stand there.
    """

    name_line: int
    delimiter: str
    columns: dict[str, int]
    units_ms: dict[str, float]
    names: tuple[str, ...]


class _Row(NamedTuple):
    line: int
    time: WrittenTime | None
    end: WrittenTime | None
    length_ms: int | None
    text: str
    channel: str
    epoch: int | None
    case: str


def table_layout(text: str, labels: LabelTable) -> TableLayout | None:
    """Find the names of the columns of an event table; None where the text is none."""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines()[:_HEAD_LINES]):
        bare = line.lstrip("# ").rstrip("\r\n")
        for delimiter in (*_DELIMITERS, "  "):
            layout = _layout(number, _cells(bare, delimiter), delimiter, labels)
            if layout is not None:
                return layout
    return None


def _layout(
    number: int, names: list[str], delimiter: str, labels: LabelTable
) -> TableLayout | None:
    columns: dict[str, int] = {}
    units: dict[str, float] = {}
    for column, name in enumerate(names):
        lower = name.lower().strip().replace("_", " ")
        if _SIGNAL.fullmatch(lower):
            return None
        unit = _UNIT.search(lower)
        bare = _UNIT.sub("", lower).strip() if unit else lower
        use = labels.column(name) or labels.column(lower) or labels.column(bare)
        written = (unit[1] or unit[2] or "").strip() if unit else ""
        if use is None or written not in _UNITS_MS:
            continue
        # A table may have the clock beside elapsed time: what names a unit, or no clock, counts.
        clock = any(word in lower for word in ("clock", "date", "uhr", "hh:mm"))
        taken = use in columns
        was_clock = taken and any(
            word in names[columns[use]].lower() for word in ("clock", "date", "uhr")
        )
        if not taken or (use == "onset" and was_clock and not clock):
            columns[use] = column
            units[use] = _UNITS_MS[written]
    timed = "onset" in columns or "epoch" in columns
    says_what = bool(columns.keys() & {"label", "stage", "leg"})
    movements_alone = len(columns) == len(names) and columns.keys() <= {
        "onset",
        "offset",
        "duration",
    }
    ends = bool(columns.keys() & {"offset", "duration"})
    if len(names) < 2 and columns.keys() != {"stage"}:
        return None
    if (timed and says_what) or (timed and movements_alone and ends):
        return TableLayout(number, delimiter, columns, units, tuple(names))
    if "stage" in columns and not timed and len(columns) == len(names):
        return TableLayout(number, delimiter, columns, units, tuple(names))
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "  ":
        return [cell.strip() for cell in re.split(r"\s{2,}|\t", line.strip())]
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip().strip('"') for cell in cells]


def read_table_marks(path: Path, text: str, layout: TableLayout, labels: LabelTable) -> MarkList:
    """Read an exported table of events.

    Parameters
    ----------
    path : Path
        The file, for messages.
    text : str
        What it holds.
    layout : TableLayout
        From `table_layout`.
    labels : LabelTable
        What the labels mean.

    Raises
    ------
    EventListError
        A time cannot be read, or there is no row below the names.
    """
    lines = text.lstrip("\ufeff").splitlines()
    head = head_of(lines[: layout.name_line], labels)
    raw = _raw_rows(path, lines, layout)
    if not raw:
        raise EventListError(
            path, "no row below the names of the columns", expected="a row an event"
        )
    at = layout.columns
    times = [cells[at[use]] for _, cells in raw for use in ("date", "onset", "offset") if use in at]
    order, guesses = date_order([*times, *head.texts, *_with_dates(raw, at)])
    rows = [_row(path, line, cells, layout, order) for line, cells in raw]
    cases: dict[str, list[_Row]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row)
    notices = [*guesses]
    found: dict[str, list[Mark]] = {}
    placed = None
    stages = StageReader([row.text for row in rows], labels)
    only_stage = "label" not in at and "stage" in at
    for case, of_case in cases.items():
        placed = _placed(of_case, head, order, only_stage or _begins_with_stage(of_case, stages))
        notices += [notice for notice in placed.notices if notice not in notices]
        found[case] = [
            _mark(row, onset_ms, stages, labels, placed, only_stage=only_stage, layout=layout)
            for row, onset_ms in zip(of_case, placed.onset_ms, strict=True)
        ]
        found[case] += head.marks(placed, order)
    notices += stages.notices
    if layout.columns.keys() <= {"onset", "offset", "duration"}:
        notices.append(
            Notice(
                "no_labels", "no column says what the rows are; they are taken for leg movements."
            )
        )
    one = placed if len(cases) == 1 else None
    return MarkList(
        path,
        "row",
        found,
        one.start_time if one else None,
        None,
        tuple(notices),
        clock_ms=one.clock_ms if one else None,
    )


@dataclass(frozen=True)
class Head:
    """What the lines before the names of the columns say.

    Attributes
    ----------
    date_text, start_text : str
        Date of the study, start of the recording; empty where they are not there.
    lights : tuple of (Label, str)
        Lights off and on with their times.
    """

    date_text: str = ""
    start_text: str = ""
    lights: tuple[tuple[Label, str], ...] = ()

    @property
    def texts(self) -> list[str]:
        """All dates and times, to tell their order from."""
        return [self.date_text, self.start_text, *(text for _, text in self.lights)]

    def day(self, order: str) -> date | None:
        """Date of the study."""
        time = read_time(self.date_text, order)
        if time is None or time.sort != "date":
            return None
        return (datetime(1, 1, 1) + timedelta(milliseconds=time.ms)).date()

    def origin(self, order: str) -> WrittenTime | None:
        """Start of the recording: a date with the clock, or the clock alone."""
        for text in (self.start_text, self.date_text):
            time = read_time(text, order)
            if time is not None and time.sort == "clock":
                return time
            if time is not None and time.sort == "date" and ":" in text:
                return time
        return None

    def marks(self, placed: PlacedTimes, order: str) -> list[Mark]:
        """Lights off and on, on the same count as the events."""
        found = []
        for label, text in self.lights:
            time = read_time(text, order)
            if time is None or placed.clock_ms is None:
                continue
            onset_ms = (time.ms - placed.clock_ms) % DAY_MS
            found.append(Mark(0, f"lights {label.meaning}", *label, onset_ms, 0))
        return found


def head_of(lines: Sequence[str], labels: LabelTable) -> Head:
    """Read the lines before the names of the columns."""
    day = start = ""
    lights: list[tuple[Label, str]] = []
    for line in lines:
        key, sign, value = line.strip().lstrip("# ").partition(":")
        if "\t" in key or not sign:
            key, sign, value = line.strip().lstrip("# ").partition("\t")
        key, value = key.strip().rstrip(":"), value.strip().strip(";,\t\"' ")
        if not sign or not value or _BIRTH_KEY.search(key):
            continue
        label = labels.find(key)
        if label is not None and label.kind == "lights":
            lights.append((label, value))
        elif _START_KEY.search(key) and not start:
            start = value
        elif _DATE_KEY.search(key) and not day:
            day = value
    return Head(day, start, tuple(lights))


def _raw_rows(path: Path, lines: list[str], layout: TableLayout) -> list[tuple[int, list[str]]]:
    """Cells of the rows below the names, with the numbers of their lines."""
    below = lines[layout.name_line + 1 :]
    first = layout.name_line + 2
    most = max(layout.columns.values()) + 1
    rows = []
    if layout.delimiter == "  ":
        read = [(number, _cells(line, "  ")) for number, line in enumerate(below, start=first)]
    else:
        reader = csv.reader(StringIO("\n".join(below)), delimiter=layout.delimiter)
        read = []
        try:
            for cells in reader:
                read.append((reader.line_num + first - 1, [cell.strip() for cell in cells]))
        except csv.Error as error:
            raise EventListError(
                path,
                f"not a table ({error})",
                place=f"row {reader.line_num + first - 1}",
                expected="cells below the names of the columns",
            ) from error
    for number, cells in read:
        if not any(cells) or (cells and cells[0].startswith("#")):
            continue
        rows.append((number, cells + [""] * (most - len(cells))))
    return rows


def _with_dates(raw: list[tuple[int, list[str]]], at: dict[str, int]) -> list[str]:
    """Dates that stand in a column of their own, with their times."""
    if "date" not in at or "onset" not in at:
        return []
    return [f"{cells[at['date']]} {cells[at['onset']]}" for _, cells in raw]


def _row(path: Path, line: int, cells: list[str], layout: TableLayout, order: str) -> _Row:
    at = layout.columns

    def cell(use: str) -> str:
        return cells[at[use]] if use in at else ""

    def time(use: str) -> WrittenTime | None:
        text = cell(use)
        if not text or text.lower() in ("n/a", "na", "nan", "-"):
            return None
        found = read_time(text, order)
        if found is not None and found.sort == "clock" and cell("date"):
            found = read_time(f"{cell('date')} {text}", order) or found
        if found is None:
            raise EventListError(
                path,
                f"'{layout.names[at[use]]}' is '{text}'",
                place=f"row {line}",
                expected="seconds, a time of the clock, or a date with the clock",
            )
        if found.sort == "elapsed":
            unit_ms = layout.units_ms.get(use, 1e3)
            found = found._replace(ms=round(found.ms * unit_ms / 1e3))
        return found

    onset = time("onset")
    if onset is None and "onset" in at:
        raise EventListError(
            path,
            f"'{layout.names[at['onset']]}' is '{cell('onset')}'",
            place=f"row {line}",
            expected="a time for each row",
        )
    length_ms = None
    if (text := cell("duration")) and text.lower() not in ("n/a", "na", "nan", "-"):
        length_ms = read_length(text, layout.units_ms.get("duration", 1e3))
        if length_ms is None or length_ms < 0:
            raise EventListError(
                path,
                f"'{layout.names[at['duration']]}' is '{text}'",
                place=f"row {line}",
                expected="a duration of 0 or more",
            )
    epoch = cell("epoch")
    label = cell("label") if "label" in at else cell("stage")
    return _Row(
        line,
        onset,
        time("offset"),
        length_ms,
        label,
        cell("leg"),
        int(float(epoch)) if re.fullmatch(r"\d+(\.0+)?", epoch) else None,
        cell("case"),
    )


def _begins_with_stage(rows: Sequence[_Row], stages: StageReader) -> bool:
    label = stages.find(rows[0].text)
    return label is not None and label.kind == "stage"


def _placed(rows: Sequence[_Row], head: Head, order: str, first_is_start: bool) -> PlacedTimes:
    """Count the rows' times from the start of the recording."""
    if rows[0].time is None:
        first = rows[0].epoch if rows[0].epoch is not None else 0
        counted = [
            row.epoch if row.epoch is not None else number for number, row in enumerate(rows)
        ]
        times = [WrittenTime("elapsed", (epoch - first) * STAGE_EPOCH_MS) for epoch in counted]
        return placed_times(times, origin=head.origin(order), day=head.day(order))
    sort = rows[0].time.sort
    times = [row.time for row in rows if row.time is not None and row.time.sort == sort]
    if len(times) < len(rows):
        # A clock beside dated times belongs to the same night.
        times = [WrittenTime("clock", row.time.ms % DAY_MS) for row in rows if row.time is not None]
    return placed_times(
        times,
        origin=head.origin(order),
        day=head.day(order),
        first_is_start=first_is_start,
        start_within_ms=_start_by_epochs(rows, times),
    )


def _start_by_epochs(rows: Sequence[_Row], times: Sequence[WrittenTime]) -> tuple[int, int] | None:
    """Between which times the recording starts, where events have the clock and their epoch."""
    if times[0].sort == "elapsed" or any(row.epoch is None for row in rows):
        return None
    ms = [time.ms for time in times]
    if times[0].sort == "clock":
        ms = [ms[0] + (value - ms[0] + DAY_MS // 2) % DAY_MS - DAY_MS // 2 for value in ms]
    starts = [
        value - (row.epoch or 0) * STAGE_EPOCH_MS for value, row in zip(ms, rows, strict=True)
    ]
    after, until = max(starts), min(starts) + STAGE_EPOCH_MS
    return (after, until) if after < until else None


def _mark(
    row: _Row,
    onset_ms: int,
    stages: StageReader,
    labels: LabelTable,
    placed: PlacedTimes,
    *,
    only_stage: bool,
    layout: TableLayout,
) -> Mark:
    text, in_text_ms = _without_duration(row.text)
    duration_ms = row.length_ms if row.length_ms is not None else in_text_ms
    if row.end is not None and (duration_ms is None or duration_ms % 1000 == 0):
        # The end is written as exactly as the start; a duration may be rounded to seconds.
        end_ms = row.end.ms if row.end.sort == "elapsed" else row.end.ms - placed.zero_ms
        if row.end.sort == "clock":
            end_ms %= DAY_MS
        between_ms = end_ms - onset_ms
        if between_ms >= 0 and (duration_ms is None or abs(between_ms - duration_ms) < 1000):
            duration_ms = between_ms
    if "label" not in layout.columns and "stage" not in layout.columns:
        return Mark(
            row.line,
            row.channel or "leg movement",
            "lm",
            side_named(row.channel),
            onset_ms,
            duration_ms,
        )
    label = stages.find(text) if only_stage else stages.find(text) or labels.find(text, row.channel)
    if label is not None and label.kind == "lm":
        if label.meaning == "unknown":
            label = Label("lm", side_named(row.channel))
        bare = len(text.split()) == 1 and side_named(text) != "unknown"
        if bare and (duration_ms is None or duration_ms > _LONGEST_BARE_SIDE_MS):
            label = None
    if label is not None and label.kind == "stage" and duration_ms is None and only_stage:
        duration_ms = STAGE_EPOCH_MS if row.time is None else None
    return Mark(row.line, text, *(label or Label("unknown", "")), onset_ms, duration_ms)


def _without_duration(text: str) -> tuple[str, int | None]:
    """Part a label from the duration that some programs write into it."""
    found = _DURATION_IN_TEXT.search(text)
    if found is None:
        return text, None
    unit_ms = 1.0 if (found[2] or "").lower() == "ms" else 1e3
    length_ms = read_length(found[1], unit_ms)
    return (text[: found.start()] + text[found.end() :]).strip(" -,;"), length_ms


def log_rows(text: str) -> list[tuple[int, list[str]]] | None:
    """Find rows of a time and words, without names above; None for other text."""
    lines = text.lstrip("\ufeff").splitlines()
    for delimiter in (*_DELIMITERS, "  "):
        rows = [
            (n, _cells(line, delimiter)) for n, line in enumerate(lines, start=1) if line.strip()
        ]
        timed = [(n, cells) for n, cells in rows if len(cells) > 1 and _is_clock(cells[0])]
        worded = [
            cells for _, cells in timed if any(re.search(r"[^\W\d_]", cell) for cell in cells[1:])
        ]
        if timed and len(timed) > 0.7 * len(rows) and len(worded) == len(timed):
            return timed
    return None


def _is_clock(text: str) -> bool:
    time = read_time(text)
    return time is not None and time.sort != "elapsed"


def read_log_marks(
    path: Path, text: str, rows: list[tuple[int, list[str]]], labels: LabelTable
) -> MarkList:
    """Read rows of a time, a label and perhaps a duration, from `log_rows`."""
    lines = text.lstrip("\ufeff").splitlines()
    head = head_of(lines[: rows[0][0] - 1], labels)
    order, guesses = date_order([cells[0] for _, cells in rows] + head.texts)
    read = []
    for line, cells in rows:
        length = next((read_length(cell, 1e3) for cell in cells[2:] if cell), None)
        label = next(cell for cell in cells[1:] if re.search(r"[^\W\d_]", cell))
        others = " ".join(cell for cell in cells[1:] if cell != label)
        read.append(_Row(line, read_time(cells[0], order), None, length, label, others, None, ""))
    stages = StageReader([row.text for row in read], labels)
    placed = _placed(read, head, order, _begins_with_stage(read, stages))
    layout = TableLayout(0, "", {"label": 1}, {}, ())
    marks = [
        _mark(row, onset_ms, stages, labels, placed, only_stage=False, layout=layout)
        for row, onset_ms in zip(read, placed.onset_ms, strict=True)
    ]
    return MarkList(
        path,
        "row",
        {"": marks + head.marks(placed, order)},
        placed.start_time,
        None,
        (*guesses, *placed.notices, *stages.notices),
        clock_ms=placed.clock_ms,
    )
