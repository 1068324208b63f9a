"""Lists of scored events: CSV, EDF+ annotations and Luna .annot, read, checked, converted."""

from __future__ import annotations

from pathlib import Path

from rlsmove.errors import EventListError, SettingError
from rlsmove.events.annot import annot_text, read_annot_marks
from rlsmove.events.csv import events_csv, is_event_csv, read_csv_marks
from rlsmove.events.edf import read_edf_marks, write_edf_marks
from rlsmove.events.labels import LabelTable, read_label_table
from rlsmove.events.night_events import Events, MarkList, events_of_cases
from rlsmove.io.atomic_files import atomic_path, write_files
from rlsmove.io.edf_records import EDF_MAGIC
from rlsmove.records import Notice

__all__ = [
    "Events",
    "convert_events",
    "is_event_list",
    "read_events",
    "read_marks",
    "read_one_night",
]

#: The first line of a CSV lies within these.
_HEAD_BYTES = 4096


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
    is_csv = b"\0" not in head and is_event_csv(head.decode("utf-8", "replace"))
    return head.startswith(EDF_MAGIC) or is_csv or path.suffix.lower() == ".annot"


def read_events(path: str | Path, labels: LabelTable | None = None) -> dict[str, Events]:
    """Read the scored events of one night or of several.

    Parameters
    ----------
    path : str or Path
        CSV (``kind,label,onset_s,duration_s``, perhaps with ``case``), EDF+ with annotations or
        Luna .annot; told apart by what the file holds.
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


def read_marks(path: Path, labels: LabelTable | None = None) -> MarkList:
    """Read the marks of a file as they stand there, with what their labels mean."""
    labels = read_label_table() if labels is None else labels
    try:
        with path.open("rb") as file:
            is_edf = file.read(len(EDF_MAGIC)) == EDF_MAGIC
        read = read_edf_marks if is_edf else _read_text
        marks = read(path, labels)
    except OSError as error:
        raise EventListError(path, f"cannot be read ({error.strerror or error})") from error
    if not any(marks.cases.values()):
        raise EventListError(path, "no event", expected="at least one scored event")
    return marks


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EventListError(
            path, "neither text nor EDF+", expected="CSV, EDF+ with annotations or Luna .annot"
        )
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "latin-1")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EventListError(path, "text of no known encoding", expected="UTF-8")


def _read_text(path: Path, labels: LabelTable) -> MarkList:
    text = _text_of(path)
    if is_event_csv(text) or path.suffix.lower() in (".csv", ".tsv"):
        return read_csv_marks(path, text, labels)
    return read_annot_marks(path, text, labels)


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
