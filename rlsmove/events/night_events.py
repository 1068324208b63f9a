"""The scored events of one night, put together and checked from marks of any format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rlsmove.errors import EventListError
from rlsmove.records import SIDES, STAGES, CodeArray, IntArray, Intervals, Movements, Notice, Sleep
from rlsmove.rules import GAP_ENDS_SERIES_MS, STAGE_EPOCH_MS

#: Stages that reach this far into the next were rounded: an epoch lasts many times as long.
_ROUNDING_MS = 1_000
#: Shorter times without a stage are rounding and are not told.
_UNTOLD_GAP_MS = 100
#: Unknown labels that a notice names; the others are only counted.
_LABELS_NAMED = 12


class Mark(NamedTuple):
    """One line of an event list.

    Attributes
    ----------
    place : int
        Number of the row or annotation, for messages.
    text : str
        Its label as it stands in the file.
    kind : str
        A key of `event_labels.MEANINGS`; ``unknown`` where the label is in no table.
    meaning : str
        What the label means among its kind.
    onset_ms : int
        Start.
    duration_ms : int or None
        Length; None where the file gives none.
    """

    place: int
    text: str
    kind: str
    meaning: str
    onset_ms: int
    duration_ms: int | None


@dataclass(frozen=True)
class MarkList:
    """What a file of scored events holds, before anything is checked.

    Attributes
    ----------
    path : Path
        The file.
    place_word : str
        What the place of a mark is called in messages: ``row``, ``annotation``.
    cases : dict
        Marks by case, in the order of the file; the case is empty where the file has one night.
    start_time : datetime or None
        Wall time at which onsets count from.
    span_ms : tuple of int or None
        Start and end of the recording, where the format tells.
    notices : tuple of Notice
        What was found odd while reading.
    clock_ms : int or None
        Time of day at which onsets count from, in ms; it is often known without the date.
    start_times : mapping
        `start_time` by case, where the cases have their own.
    """

    path: Path
    place_word: str
    cases: dict[str, list[Mark]]
    start_time: datetime | None = None
    span_ms: tuple[int, int] | None = None
    notices: tuple[Notice, ...] = ()
    clock_ms: int | None = None
    start_times: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Events:
    """The scored events of one night.

    Attributes
    ----------
    movements : Movements
        Leg movements, a row a mark.
    sleep : Sleep or None
        Stages and lights; None where the list has neither.
    respiratory, arousals : Intervals or None
        None where the list holds none at all, so that nobody may have looked for them. They may
        overlap.
    gaps : Intervals
        Stretches that were not recorded, as far as the format tells.
    span_ms : tuple of int
        Start and end of what was recorded; of all events where the format does not tell.
    start_time : datetime or None
        Wall time at which onsets count from.
    notices : tuple of Notice
        What was repaired or left out.
    clock_ms : int or None
        Time of day at which onsets count from, in ms; it is often known without the date.
    """

    movements: Movements
    sleep: Sleep | None
    respiratory: Intervals | None
    arousals: Intervals | None
    gaps: Intervals
    span_ms: tuple[int, int]
    start_time: datetime | None
    notices: tuple[Notice, ...]
    clock_ms: int | None = None


def events_of_cases(marks: MarkList) -> dict[str, Events]:
    """Put the marks of each night together, repairing what is harmless, refusing what is not.

    Parameters
    ----------
    marks : MarkList
        In any order. Respiratory events and arousals that the whole file does not hold are
        unknown; those that a case alone does not hold are none.

    Raises
    ------
    EventListError
        A leg movement has no duration, stages contradict each other, there are two different
        marks of lights off or on, or on is before off.
    """
    looked_for = {mark.kind for case in marks.cases.values() for mark in case}
    return {case: _events(marks, case, looked_for) for case in marks.cases}


def _events(file: MarkList, case: str, looked_for: set[str]) -> Events:
    marks = file.cases[case]
    check = _Check(file, case)
    of_kind: dict[str, list[Mark]] = {}
    for mark in marks:
        of_kind.setdefault(mark.kind, []).append(mark)

    check.unknown_labels(of_kind.get("unknown", []))
    movements = check.movements(of_kind.get("lm", []))
    epochs = check.stages(of_kind.get("stage", []))
    lights = check.lights(of_kind.get("lights", []), epochs)
    sleep = None
    if len(epochs[0]) or lights != (None, None):
        source = "hypnogram" if len(epochs[0]) else "lights"
        sleep = Sleep(source, lights[0], lights[1], *epochs)
    return Events(
        movements=movements,
        sleep=sleep,
        respiratory=_spans(of_kind, "respiratory", looked_for),
        arousals=_spans(of_kind, "arousal", looked_for),
        gaps=_gaps(of_kind.get("gap", [])),
        span_ms=_span_of_all(marks) if file.span_ms is None else file.span_ms,
        start_time=file.start_times.get(case, file.start_time),
        notices=tuple(check.notices),
        clock_ms=file.clock_ms,
    )


def _spans(of_kind: dict[str, list[Mark]], kind: str, looked_for: set[str]) -> Intervals | None:
    return _intervals(of_kind.get(kind, [])) if kind in looked_for else None


def _gaps(marks: Sequence[Mark]) -> Intervals:
    """Gaps that are long enough to end a series."""
    gaps = _intervals(marks)
    long = gaps.offset_ms - gaps.onset_ms > GAP_ENDS_SERIES_MS
    return Intervals(gaps.onset_ms[long], gaps.offset_ms[long])


def _intervals(marks: Sequence[Mark]) -> Intervals:
    marks = sorted(marks, key=lambda mark: mark.onset_ms)
    onset = np.array([mark.onset_ms for mark in marks], np.int64)
    return Intervals(onset, onset + np.array([mark.duration_ms or 0 for mark in marks], np.int64))


def _span_of_all(marks: Sequence[Mark]) -> tuple[int, int]:
    if not marks:
        return 0, 0
    return (
        min(mark.onset_ms for mark in marks),
        max(mark.onset_ms + (mark.duration_ms or 0) for mark in marks),
    )


class _Check:
    """The marks of one night, kind by kind: each method refuses, repairs or passes."""

    def __init__(self, file: MarkList, case: str) -> None:
        self._file = file
        self._case = case
        self.notices = list(file.notices)

    def _refuse(self, mark: Mark, found: str, expected: str, advice: str = "") -> EventListError:
        place = f"{self._file.place_word} {mark.place}"
        if self._case:
            place += f", case {self._case}"
        return EventListError(self._file.path, found, place=place, expected=expected, advice=advice)

    def unknown_labels(self, marks: list[Mark]) -> None:
        if not marks:
            return
        counts = Counter(mark.text for mark in marks).most_common()
        named = ", ".join(f"'{text}' ({count})" for text, count in counts[:_LABELS_NAMED])
        more = f" and {len(counts) - _LABELS_NAMED} others" if len(counts) > _LABELS_NAMED else ""
        self.notices.append(
            Notice(
                "unknown_labels",
                f"labels that are not understood were left out: {named}{more}. A table of labels "
                "(label,kind,meaning) can say what they mean: --labels FILE.",
            )
        )

    def movements(self, marks: list[Mark]) -> Movements:
        for mark in marks:
            if mark.duration_ms is None:
                raise self._refuse(
                    mark,
                    f"leg movement '{mark.text}' has no duration",
                    "onset and duration of each movement, in seconds",
                )
        if not marks:
            self.notices.append(Notice("no_movements", "the list holds no leg movement."))
        table = Movements.marks(
            np.array([mark.onset_ms for mark in marks], np.int64),
            np.array([mark.duration_ms for mark in marks], np.int64),
            np.array([SIDES.index(mark.meaning) for mark in marks], np.int8),
        )
        self._overlaps(table)
        return table

    def _overlaps(self, table: Movements) -> None:
        overlapping = 0
        for side in range(len(SIDES)):
            leg = table.take(table.side == side)
            reach = np.maximum.accumulate(leg.onset_ms + leg.duration_ms)
            overlapping += int(np.count_nonzero(leg.onset_ms[1:] < reach[:-1]))
        if overlapping:
            self.notices.append(
                Notice(
                    "overlapping_movements",
                    f"{overlapping} leg movements begin before one of the same leg has ended; "
                    "they were joined.",
                )
            )

    def stages(self, marks: list[Mark]) -> tuple[IntArray, IntArray, CodeArray]:
        """Onset, offset and stage of the epochs, sorted."""
        marks = sorted(marks, key=lambda mark: mark.onset_ms)
        marks = self._with_durations(marks)
        kept: list[Mark] = []
        repeated = 0
        rounded_ms: list[int] = []
        for mark in marks:
            overlap_ms = 0
            if kept:
                overlap_ms = kept[-1].onset_ms + (kept[-1].duration_ms or 0) - mark.onset_ms
            if 0 < overlap_ms <= _ROUNDING_MS and mark.onset_ms > kept[-1].onset_ms:
                kept[-1] = kept[-1]._replace(duration_ms=mark.onset_ms - kept[-1].onset_ms)
                rounded_ms.append(overlap_ms)
            elif overlap_ms > 0:
                if mark[3:] != kept[-1][3:]:
                    raise self._refuse(
                        mark,
                        f"stage {mark.text} at {mark.onset_ms / 1000:g} s overlaps stage "
                        f"{kept[-1].text} at {kept[-1].onset_ms / 1000:g} s",
                        "one stage at a time",
                        "Keep one scorer's stages only.",
                    )
                repeated += 1
                continue
            kept.append(mark)
        if rounded_ms:
            self.notices.append(
                Notice(
                    "rounded_stages",
                    f"{len(rounded_ms)} stages reach up to {max(rounded_ms)} ms into the next one, "
                    "as rounding does; each was ended where the next begins.",
                )
            )
        if repeated:
            self.notices.append(
                Notice("repeated_stages", f"{repeated} stages stand twice; one of each counts.")
            )
        between = (
            later.onset_ms - (earlier.onset_ms + (earlier.duration_ms or 0))
            for earlier, later in pairwise(kept)
        )
        missing_ms = sum(gap_ms for gap_ms in between if gap_ms > _UNTOLD_GAP_MS)
        scored = [mark for mark in kept if mark.meaning != "unscored"]
        missing_ms += sum(mark.duration_ms or 0 for mark in kept if mark.meaning == "unscored")
        if missing_ms and scored:
            self.notices.append(
                Notice(
                    "unscored_time",
                    f"{missing_ms / 60_000:.1f} min between the first and the last epoch have no "
                    "stage; they count as neither sleep nor wake.",
                )
            )
        onset = np.array([mark.onset_ms for mark in scored], np.int64)
        length = np.array([mark.duration_ms for mark in scored], np.int64)
        stage = np.array([STAGES.index(mark.meaning) for mark in scored], np.int8)
        return onset, onset + length, stage

    def _with_durations(self, marks: list[Mark]) -> list[Mark]:
        """Stages that are marked where they begin last until the next, the last one an epoch."""
        if all(mark.duration_ms for mark in marks):
            return marks
        self.notices.append(
            Notice(
                "stages_without_duration",
                "stages without a duration last until the next one, the last of them "
                f"{STAGE_EPOCH_MS // 1000} s.",
            )
        )
        following = [*(mark.onset_ms for mark in marks[1:]), marks[-1].onset_ms + STAGE_EPOCH_MS]
        return [
            mark if mark.duration_ms else mark._replace(duration_ms=end - mark.onset_ms)
            for mark, end in zip(marks, following, strict=True)
        ]

    def lights(
        self, marks: list[Mark], epochs: tuple[IntArray, IntArray, CodeArray]
    ) -> tuple[int | None, int | None]:
        """Lights off and on; from the first to the last epoch where they are not marked."""
        times: dict[str, Mark] = {}
        for mark in marks:
            before = times.setdefault(mark.meaning, mark)
            if before.onset_ms != mark.onset_ms:
                raise self._refuse(
                    mark,
                    f"lights {mark.meaning} at {mark.onset_ms / 1000:g} s, and already at "
                    f"{before.onset_ms / 1000:g} s",
                    f"one mark of lights {mark.meaning}",
                )
        off = times["off"].onset_ms if "off" in times else None
        on = times["on"].onset_ms if "on" in times else None
        onset, offset, _ = epochs
        if len(onset) and (off is None or on is None):
            off = int(onset[0]) if off is None else off
            on = int(offset[-1]) if on is None else on
            missing = " and ".join(name for name in ("off", "on") if name not in times)
            self.notices.append(
                Notice(
                    "lights_from_stages",
                    f"lights {missing} are not marked; time in bed is taken from the stages "
                    "(first epoch to last).",
                )
            )
        if off is not None and on is not None and on <= off:
            raise self._refuse(
                times.get("on") or times["off"],
                f"lights on at {on / 1000:g} s, lights off at {off / 1000:g} s",
                "lights on after lights off",
            )
        return off, on
