"""Event lists in the annotations of EDF+ files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.io.edf_records import EdfRecords

#: Data records that begin this little after the one before has ended follow upon it.
_ROUNDING_MS = 2

_STAGE_TEXTS = {"S": "Sleep stage S", "unscored": "Sleep stage ?"}


def read_edf_marks(path: Path, labels: LabelTable) -> MarkList:
    """Read the annotations of an EDF+ file; breaks in an EDF+D recording become gaps.

    Raises
    ------
    EventListError
        The header is damaged, or the file has no annotations.
    """
    edf = EdfRecords(path)
    if not any(channel.is_annotations for channel in edf.channels):
        raise EventListError(
            path,
            "an EDF file without annotations",
            expected="EDF+ with scored events as annotations",
            advice="Leg EMG in it is scored with --emg.",
        )
    return edf_marks(edf, labels)


def edf_marks(edf: EdfRecords, labels: LabelTable) -> MarkList:
    """Take the annotations of an opened file, if it has any, and the breaks in its recording."""
    marks = [
        Mark(number, note.text, *(labels.find(note.text) or Label("unknown", "")), *note[:2])
        for number, note in enumerate(edf.annotations, start=1)
    ]
    starts_ms = [round(onset * 1000) for onset in edf.onset_s.tolist()]
    record_ms = round(edf.record_s * 1000)
    for before, after in pairwise(starts_ms):
        if record_ms and after - (before + record_ms) > _ROUNDING_MS:
            gap_ms = after - before - record_ms
            marks.append(Mark(0, "gap", "gap", "", before + record_ms, gap_ms))
    span_ms = (starts_ms[0], starts_ms[-1] + record_ms) if record_ms and starts_ms else None
    return MarkList(
        edf.path,
        "annotation",
        {"": marks},
        edf.start_time,
        span_ms,
        tuple(edf.notices),
        clock_ms=edf.clock_ms,
    )


def write_edf_marks(path: Path, marks: Sequence[Mark], start_time: datetime | None) -> None:
    """Write marks as the annotations of an EDF+ file without signals."""
    from datetime import time

    from edfio import Edf, EdfAnnotation, Recording

    annotations = [
        EdfAnnotation(
            mark.onset_ms / 1000,
            None if mark.duration_ms is None else mark.duration_ms / 1000,
            edf_text(mark),
        )
        for mark in marks
    ]
    edf = Edf(
        [],
        annotations=annotations,
        recording=Recording(startdate=None if start_time is None else start_time.date()),
        starttime=time() if start_time is None else start_time.time().replace(tzinfo=None),
    )
    edf.write(path)


def edf_text(mark: Mark) -> str:
    """Say what a mark is in the standard texts of EDF+, where there is one for it."""
    if mark.kind == "stage":
        return _STAGE_TEXTS.get(mark.meaning, f"Sleep stage {mark.meaning}")
    if mark.kind == "lights":
        return f"Lights {mark.meaning}"
    if mark.kind == "lm":
        side = "" if mark.meaning == "unknown" else f" ({mark.meaning})"
        return f"Limb movement{side}"
    return mark.text
