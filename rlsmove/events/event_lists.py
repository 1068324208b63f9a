"""Lists of scored events in any format, told apart by what they hold: read, checked, converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from rlsmove.errors import EventListError, SettingError
from rlsmove.events.annot import annot_text, is_annot, read_annot_marks
from rlsmove.events.csv import events_csv, is_event_csv, read_csv_marks
from rlsmove.events.domino import is_domino, read_domino_marks
from rlsmove.events.edf import read_edf_marks, write_edf_marks
from rlsmove.events.labels import LabelTable, read_label_table
from rlsmove.events.night_events import Events, MarkList, events_of_cases
from rlsmove.events.sleep_reports import is_sleep_report, read_sleep_report
from rlsmove.events.stage_codes import read_stage_lines, stage_lines
from rlsmove.events.tables import log_rows, read_log_marks, read_table_marks, table_layout
from rlsmove.events.xml import is_xml, read_xml_marks
from rlsmove.io.atomic_files import atomic_path, write_files
from rlsmove.io.edf_records import EDF_MAGIC
from rlsmove.records import Notice

__all__ = [
    "Events",
    "convert_events",
    "events_of_evening",
    "is_event_list",
    "read_events",
    "read_marks",
    "read_one_night",
    "text_reader",
]

#: A format shows within these.
_HEAD_BYTES = 16_384

Reader = Callable[[Path, str, LabelTable], MarkList]


def is_event_list(path: str | Path) -> bool:
    """Whether a file looks like an event list, by its first bytes, or by its name if .annot.

    A file that cannot be opened is none; whoever reads it will say why.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    if head.startswith(EDF_MAGIC) or is_xml(head) or path.suffix.lower() == ".annot":
        return True
    text = _decoded(head)
    if text is None:
        return False
    if len(head) == _HEAD_BYTES:
        text = text.rpartition("\n")[0]
    return text_reader(text, read_label_table()) is not None


def read_events(path: str | Path, labels: LabelTable | None = None) -> dict[str, Events]:
    """Read the scored events of one night or of several.

    Parameters
    ----------
    path : str or Path
        CSV (``kind,label,onset_s,duration_s``, perhaps with ``case``), EDF+ with annotations,
        Luna .annot, or an export of a sleep laboratory: tables, logs, lists of stages, XML.
    labels : LabelTable, optional
        What labels mean, from `read_label_table`.

    Returns
    -------
    dict
        Events by case, in the order of the file; the case is empty where there is one night.

    Raises
    ------
    EventListError
        The file cannot be read, or contradicts itself; with its row or annotation.
    """
    return events_of_cases(read_marks(Path(path), labels))


def read_one_night(path: str | Path, labels: LabelTable | None = None) -> Events:
    """Read the scored events of a file that holds one night.

    Raises
    ------
    EventListError
        As `read_events`, and where the file holds several cases.
    """
    cases = read_events(path, labels)
    if len(cases) > 1:
        raise EventListError(
            path, f"{len(cases)} cases ({', '.join(list(cases)[:3])}, ...)", expected="one night"
        )
    return next(iter(cases.values()))


def events_of_evening(
    path: str | Path, cases: Mapping[str, Events], evening: date
) -> Events | None:
    """Choose the case of one night from `read_events`.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    cases : mapping
        Events by case.
    evening : date
        Date of the noon at which the night begins.

    Returns
    -------
    Events or None
        The only case whatever its date, or the one that begins in that night; None without one.

    Raises
    ------
    EventListError
        Several cases begin in that night, or the cases have no dates.
    """
    if len(cases) == 1:
        return next(iter(cases.values()))
    dated = {case: events.start_time for case, events in cases.items() if events.start_time}
    noon = timedelta(hours=12)
    fitting = [case for case, start in dated.items() if (start - noon).date() == evening]
    if len(fitting) > 1 or len(dated) < len(cases):
        named = fitting or list(cases)
        raise EventListError(
            path,
            f"{len(named)} cases ({', '.join(named[:3])}, ...)",
            expected=f"one night, or dates that tell which is that of {evening}",
        )
    return cases[fitting[0]] if fitting else None


def read_marks(path: Path, labels: LabelTable | None = None) -> MarkList:
    """Read the marks of a file as they stand there, with what their labels mean."""
    labels = read_label_table() if labels is None else labels
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if head.startswith(EDF_MAGIC):
            marks = read_edf_marks(path, labels)
        elif is_xml(head):
            marks = read_xml_marks(path, labels)
        else:
            marks = _read_text(path, labels)
    except OSError as error:
        raise EventListError(path, f"cannot be read ({error.strerror or error})") from error
    if not any(marks.cases.values()):
        raise EventListError(path, "no event", expected="at least one scored event")
    return marks


def text_reader(text: str, labels: LabelTable) -> Reader | None:
    """Tell which reader a text is for; None where it looks like no list of events.

    Parameters
    ----------
    text : str
        What the file holds, or its beginning.
    labels : LabelTable
        What labels and names of columns mean.
    """
    first = text.lstrip("\ufeff").lstrip().partition("\n")[0]
    if is_event_csv(text):
        return read_csv_marks
    if is_domino(text):
        return read_domino_marks
    if is_sleep_report(first):
        return lambda path, whole, _: read_sleep_report(path, whole)
    if is_annot(text):
        return read_annot_marks
    layout = table_layout(text, labels)
    if layout is not None:
        return lambda path, whole, of: read_table_marks(path, whole, layout, of)
    if stage_lines(text, labels) is not None:
        return lambda path, whole, of: read_stage_lines(
            path, whole, stage_lines(whole, of) or [], of
        )
    if log_rows(text) is not None:
        return lambda path, whole, of: read_log_marks(path, whole, log_rows(whole) or [], of)
    return None


def _decoded(content: bytes) -> str | None:
    """Text of a file, by its byte order mark or by where it has zeros; None where it is none."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in content:
        # UTF-16 without a mark: of Latin text every other byte is 0.
        half = len(content) // 2
        odd, even = content[1::2].count(0), content[::2].count(0)
        if max(odd, even) < 0.8 * half:
            return None
        encodings = ("utf-16-le" if odd > even else "utf-16-be",)
    else:
        encodings = ("utf-8-sig", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            return content[: len(content) // 2 * 2 if "16" in encoding else None].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _read_text(path: Path, labels: LabelTable) -> MarkList:
    text = _decoded(path.read_bytes())
    if text is None:
        raise EventListError(
            path,
            "neither text nor EDF+",
            expected="a list of events or an export of a sleep laboratory",
        )
    reader = text_reader(text, labels)
    if reader is not None:
        return reader(path, text, labels)
    if path.suffix.lower() == ".annot":
        return read_annot_marks(path, text, labels)
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    raise EventListError(
        path,
        f"a layout that is not known, beginning with '{first[:80]}'" if first else "an empty file",
        expected="columns for the time (onset, start time, ...) and for what happened (event, "
        "label, stage, ...), as lists of events, BIDS, RemLogic, Nox, DOMINO, NSRR, Philips and "
        "others have",
        advice="A table of labels can say what a column holds: 'My time,column,onset' in a file "
        "given with --labels",
    )


def convert_events(
    source: str | Path, target: str | Path, labels: LabelTable | None = None
) -> list[Notice]:
    """Write an event list anew in another format, each time kept to the millisecond.

    Parameters
    ----------
    source : str or Path
        Any list that `read_events` reads.
    target : str or Path
        ``.csv``, ``.edf`` (EDF+ annotations) or ``.annot`` (Luna).
    labels : LabelTable, optional
        What labels mean.

    Returns
    -------
    list of Notice
        What a reader of the new file should know.

    Raises
    ------
    EventListError
        The source cannot be used.
    SettingError
        The target's format is unknown, or cannot hold several nights.
    OutputError
        The target cannot be written.
    """
    source, target = Path(source), Path(target)
    marks = read_marks(source, labels)
    checked = events_of_cases(marks)
    suffix = target.suffix.lower()
    if suffix not in (".csv", ".edf", ".annot"):
        raise SettingError(target, f"format '{suffix}'", expected="a name in .csv, .edf or .annot")
    if suffix == ".csv":
        write_files({target: events_csv(marks.cases)})
    elif len(marks.cases) > 1:
        raise SettingError(
            target, f"{len(marks.cases)} nights for one {suffix} file", expected="a .csv file"
        )
    else:
        (night,) = marks.cases.values()
        if suffix == ".annot":
            write_files({target: annot_text(night)})
        else:
            with atomic_path(target) as partial:
                write_edf_marks(partial, night, marks.start_time)
    return [notice for events in checked.values() for notice in events.notices]
