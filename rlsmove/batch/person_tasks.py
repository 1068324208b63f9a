"""One person's work in its order: read the recordings, then score each night that they hold."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlsmove.batch.fault_log import log_fault
from rlsmove.batch.finished_nights import NightKey, night_folder, read_record, why_unfinished
from rlsmove.batch.job import Job
from rlsmove.batch.tasks import (
    Failure,
    Reading,
    failed_row,
    read_recording,
    score_night,
    sleep_input,
)
from rlsmove.batch.work_list import DiaryNight, Person, WorkList
from rlsmove.io.provenance import code_digest, library_versions, program_version
from rlsmove.records import Notice

#: Told what becomes of a night, and why: participant, evening, sentence.
Explain = Callable[[str, str, str], None]

#: Yields jobs that can run at the same time, a list after another; goes on once all have ended.
Steps = Generator[list[Job], None, None]


@dataclass
class PersonResult:
    """What a batch makes of one person.

    Attributes
    ----------
    participant_id : str
        Whose.
    rows : list of dict
        Of nights.csv.
    failures : list of dict
        Of failures.csv: recordings and nights that came to nothing.
    inputs : dict of str to str
        Digest of each recording that was read, by its name.
    kept : int
        Nights that an earlier run had finished.
    to_score : int or None
        Nights that have to be scored; None while it is not known.
    """

    participant_id: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    kept: int = 0
    to_score: int | None = None

    def fail(self, night: str, file: str, failure: Failure) -> None:
        """Note down a failure."""
        self.failures.append(
            {
                "participant_id": self.participant_id,
                "night": night,
                "file": file,
                "code": failure.code,
                "sentence": failure.sentence,
            }
        )

    def fail_night(self, night: str, side: str, file: str, failure: Failure) -> None:
        """Note down a failure that is a night of its own."""
        self.rows.append(failed_row(self.participant_id, night, side, file, failure))
        self.fail(night, file, failure)


@dataclass(frozen=True)
class _PlannedNight:
    """A night that can be scored."""

    key: NightKey
    folder: Path
    readings: list[Reading]
    notices: list[Notice]

    @property
    def side(self) -> str:
        return "both" if len(self.readings) == 2 else self.readings[0].side

    @property
    def file(self) -> str:
        return ";".join(reading.file.name for reading in self.readings)


def person_steps(person: Person, work: WorkList, explain: Explain, result: PersonResult) -> Steps:
    """Do the work of one person, all but the jobs themselves.

    Parameters
    ----------
    person : Person
        Who.
    work : WorkList
        What all persons share.
    explain : callable
        Told for each night why it is computed, or is not.
    result : PersonResult
        Takes up rows and failures; in the end every night that the recordings or the diary have
        is in them.

    Yields
    ------
    list of Job
        That can run at the same time; each has ended when the next list is asked for.
    """
    version = program_version()
    known = _known_recordings(work.derived / "nights" / person.participant_id)
    reading_jobs = {file.name: Job(read_recording, (file, known)) for file in person.recordings}
    yield list(reading_jobs.values())
    readings = [j.outcome for j in reading_jobs.values() if isinstance(j.outcome, Reading)]
    failed = {
        file.name: log_fault(
            work.derived,
            outcome.with_names({file.path: file.name}),
            participant_id=person.participant_id,
            night="",
            file=file.name,
        )
        for file in person.recordings
        if isinstance(outcome := reading_jobs[file.name].outcome, Failure)
    }
    result.inputs = {reading.file.name: reading.sha256 for reading in readings}

    planned = _plan_nights(person, readings, failed, work, version, result)
    to_score = []
    for night in planned:
        record = read_record(night.folder)
        why = why_unfinished(night.folder, record, night.key)
        explain(person.participant_id, night.key.night, f"computed: {why}" if why else "kept")
        if why or record is None:
            to_score.append(night)
        else:
            result.rows.append(record["row"])
    result.kept, result.to_score = len(planned) - len(to_score), len(to_score)
    again = {r.file.name: r.file for n in to_score for r in n.readings if r.first is None}
    reading_jobs |= {name: Job(read_recording, (file, {})) for name, file in again.items()}
    yield [reading_jobs[name] for name in again]

    scoring_jobs = []
    for night in to_score:
        sources = [reading_jobs[reading.file.name] for reading in night.readings]
        arguments = (sources, night.key, night.folder, night.notices)
        lost = [job.outcome for job in sources if isinstance(job.outcome, Failure)]
        scoring_jobs.append(Job(score_night, arguments, outcome=lost[0] if lost else None))
    yield [job for job in scoring_jobs if job.outcome is None]
    for night, job in zip(to_score, scoring_jobs, strict=True):
        if isinstance(job.outcome, Failure):
            failure = log_fault(
                work.derived,
                job.outcome.with_names({work.derived: work.derived.name}),
                participant_id=person.participant_id,
                night=night.key.night,
                file=night.file,
            )
            result.fail_night(night.key.night, night.side, night.file, failure)
        else:
            result.rows.append(job.outcome)


def _known_recordings(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What the finished nights of a person tell of their recordings, by digest."""
    known: dict[str, Mapping[str, Any]] = {}
    for night in sorted(folder.glob("*")):
        record = read_record(night)
        if record is not None and record["key"].get("code") == code_digest():
            known |= record["recordings"]
    return known


def _plan_nights(
    person: Person,
    readings: list[Reading],
    failed: Mapping[str, Failure],
    work: WorkList,
    version: str,
    result: PersonResult,
) -> list[_PlannedNight]:
    """List the nights that can be scored; the others, and all failed recordings, go to `result`."""
    for file, failure in failed.items():
        result.fail("", file, failure)
    told: set[str] = set()  # failed recordings that a night speaks of
    planned = []
    diary = person.diary or {}
    for evening in sorted({*diary, *(night for r in readings for night in r.nights)}):
        chosen, others = _recordings_of(evening, readings)
        entry = diary.get(evening, DiaryNight())
        if entry.problem:
            result.fail_night(evening, "", "", Failure("bad_diary", entry.problem))
            continue
        if not chosen:
            told.update(failed)
            undated = [reading.file.name for reading in readings if not reading.dated]
            failure = _no_recording(evening, failed, undated)
            result.fail_night(evening, "", ";".join(failed), failure)
            continue
        notices = []
        if person.diary is not None and evening not in diary:
            sentence = f"nights.tsv has no row for the night of {evening}"
            notices.append(Notice("not_in_diary", sentence))
        for side in ("left", "right"):
            of_side = [file.name for file in person.recordings if file.side == side]
            if of_side and side not in [reading.side for reading in chosen]:
                lost = {name: failed[name] for name in of_side if name in failed}
                told.update(lost)
                sentence = f"no recording of the {side} leg holds the night of {evening}"
                notices.append(Notice("leg_missing", sentence + _because(lost)))
        if others:
            names = ", ".join(reading.file.name for reading in others)
            sentence = f"{names} holds part of the night of {evening} too, and is left out"
            notices.append(Notice("recording_left_out", sentence))
        clock = chosen[0].file.clock
        lights_off, lights_on = entry.lights(evening, clock)
        key = NightKey(
            participant_id=person.participant_id,
            night=evening,
            version=version,
            code=code_digest(),
            libraries=library_versions(),
            rules=work.rules.options(),
            lights_off=lights_off,
            lights_on=lights_on,
            time_zone=clock.time_zone,
            inputs=tuple(
                {
                    "file": r.file.name,
                    "side": r.side,
                    "sha256": r.sha256,
                    "told": r.file.told.as_texts(),
                    **sleep_input(r.file),
                }
                for r in chosen
            ),
            notices=tuple(notice.sentence for notice in notices),
        )
        folder = night_folder(work.derived, person.participant_id, evening)
        planned.append(_PlannedNight(key, folder, chosen, notices))
    for file, failure in failed.items():
        if file not in told:
            side = next(f.side for f in person.recordings if f.name == file) or "unknown"
            result.rows.append(failed_row(person.participant_id, "", side, file, failure))
    return planned


def _recordings_of(evening: str, readings: list[Reading]) -> tuple[list[Reading], list[Reading]]:
    """The recordings to take a night from, left before right, and those that hold less of it."""
    holding = sorted(
        (reading for reading in readings if reading.recorded_s(evening) > 0.0),
        key=lambda reading: (-reading.recorded_s(evening), reading.file.name),
    )
    longest: dict[str, Reading] = {}
    for reading in holding:
        longest.setdefault(reading.side, reading)
    chosen = [longest[side] for side in ("left", "right") if side in longest]
    chosen = chosen or [longest[side] for side in longest]
    return chosen, [reading for reading in holding if reading not in chosen]


def _no_recording(evening: str, failed: Mapping[str, Failure], undated: list[str]) -> Failure:
    code = "unreadable_recording" if failed else "no_recording"
    sentence = f"no recording holds the night of {evening}{_because(failed)}"
    if undated:
        sentence += f"; {', '.join(undated)} has no date: recordings.tsv may tell its start"
    return Failure(code, sentence)


def _because(failed: Mapping[str, Failure]) -> str:
    told = (f"{name} failed: {failure.sentence}" for name, failure in failed.items())
    return "".join(f"; {text}" for text in told)
