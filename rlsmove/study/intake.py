"""A study folder out of a folder of files as people keep them, and a diary."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rlsmove.devices import may_be_recording
from rlsmove.errors import StudyError
from rlsmove.io.json_text import json_text
from rlsmove.study.columns import MISSING
from rlsmove.study.diaries import (
    Diary,
    DiaryHints,
    diary_persons,
    fill_nights,
    first_nights,
    known_nights,
    read_diary,
)
from rlsmove.study.folder import Arm, Study, about_study, read_study, study_columns
from rlsmove.study.imports import write_tables
from rlsmove.study.person_codes import match_codes
from rlsmove.study.placed_files import (
    PLACEMENTS,
    Header,
    PlacedFile,
    place_files,
    read_header,
)
from rlsmove.study.tables import Table, table_text

RECORDINGS, NIGHTS, PARTICIPANTS = "recordings.tsv", "nights.tsv", "participants.tsv"


@dataclass(frozen=True)
class Intake:
    """What a folder of files would make of a study; nothing is written yet.

    Attributes
    ----------
    study : Path
        The study folder; it need not exist yet.
    placed : tuple of PlacedFile
        New files, doubtful ones first.
    listed : int
        Files that recordings.tsv has already.
    left_out : dict of str to str
        Why a file is no recording, by its name.
    diary : Diary or None
        As understood.
    notices : list of str
        What else should be known.
    tables : dict of str to str
        Text of each file that would be written.
    """

    study: Path
    placed: tuple[PlacedFile, ...]
    listed: int
    left_out: Mapping[str, str]
    diary: Diary | None
    notices: list[str] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)

    @property
    def doubtful(self) -> tuple[PlacedFile, ...]:
        """New files of which something may be wrong."""
        return tuple(file for file in self.placed if file.doubts)

    @property
    def usable(self) -> tuple[PlacedFile, ...]:
        """New files that a table can take up: those with a leg."""
        return tuple(file for file in self.placed if file.leg is not None)

    def write(self) -> None:
        """Write the tables; the import can be undone.

        Raises
        ------
        OutputError
            They cannot be written; then none is changed.
        """
        (self.study / "raw").mkdir(parents=True, exist_ok=True)
        (self.study / "derived").mkdir(exist_ok=True)
        write_tables(self.study, self.tables, what=f"{len(self.usable)} recordings")


def study_from(
    folder: Path,
    study: Path,
    *,
    diary: Path | None = None,
    pattern: str | None = None,
    told: DiaryHints | None = None,
    time_zone: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Intake:
    """Find out what a folder of files makes of a study, without writing anything.

    Parameters
    ----------
    folder : Path
        Where the recordings are; they stay there.
    study : Path
        The study folder, new or with tables that are added to.
    diary : Path, optional
        CSV or Excel, in any layout.
    pattern : str, optional
        How the files' names are made (see `place_files`).
    told : DiaryHints, optional
        What the diary does not say itself.
    time_zone : str, optional
        IANA name of the zone of the nights, for a new study; UTC by default.
    progress : callable, optional
        Called with the fraction of the files that were opened.

    Raises
    ------
    StudyError
        There is no such folder, no recording in it, or tables of the study that cannot be read.
    """
    if not folder.is_dir():
        raise StudyError(folder, "there is no such folder", expected="a folder of recordings")
    before = _study_before(study, time_zone)
    listed = _listed_files(before)
    headers, left_out = _headers(folder, study, diary, progress)
    if not headers:
        raise StudyError(
            folder,
            f"no recording is in it ({len(left_out)} other files)",
            expected="recordings of a device or a phone, whatever their names",
        )
    told = told or DiaryHints()
    known = {*before.participants}
    if diary is not None:
        known |= {*diary_persons(diary, told)}
    every = place_files(folder, headers, pattern=pattern, known=sorted(known))
    codes = {
        file.participant_id: listed[path]
        for file in every
        if (path := file.path.resolve()) in listed
    }
    placed = [
        replace(file, participant_id=codes.get(file.participant_id, file.participant_id))
        for file in every
        if file.path.resolve() not in listed
    ]
    placed.sort(key=lambda file: (not file.doubts, file.participant_id, file.name))
    entries = None if diary is None else _read_diary(before, diary, told, placed)
    intake = Intake(study, tuple(placed), len(every) - len(placed), left_out, entries)
    _fill_tables(intake, before)
    return intake


def _study_before(study: Path, time_zone: str | None) -> Study:
    """The study as it is, or an empty one where there is none."""
    if (study / "study.json").exists():
        return read_study(study)
    tables = {
        name: Table(name, tuple(column.name for column in columns), [], [])
        for name, columns in study_columns(()).items()
    }
    about = about_study(study.resolve().name, time_zone or "UTC")
    return Study(study, about, (Arm("massage", True), Arm("control", False)), tables, None)


def _listed_files(study: Study) -> dict[Path, str]:
    """Person of each recording that the study has, by its place."""
    return {
        (study.path / row.cells["file"]).resolve(): row.cells["participant_id"]
        for row in study.tables[RECORDINGS].rows
        if "file" in row.cells and "participant_id" in row.cells
    }


def _headers(
    folder: Path, study: Path, diary: Path | None, progress: Callable[[float], None] | None
) -> tuple[dict[Path, Header], dict[str, str]]:
    """What the files of a folder say of themselves; those that are none of recordings, and why."""
    skipped = {Path(study).resolve() / name for name in ("derived", "imports")}
    paths = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        whole = path.resolve()
        if any(place in whole.parents for place in skipped):
            continue
        if whole.parent == Path(study).resolve() or (diary and whole == diary.resolve()):
            continue
        paths.append(path)
    headers: dict[Path, Header] = {}
    left_out: dict[str, str] = {}
    for number, path in enumerate(paths, 1):
        header = read_header(path)
        if header.foreign or (header.problem and not may_be_recording(path)):
            left_out[path.relative_to(folder).as_posix()] = header.problem
        else:
            headers[path] = header
        if progress is not None:
            progress(number / len(paths))
    return headers, left_out


def _read_diary(study: Study, path: Path, told: DiaryHints, placed: list[PlacedFile]) -> Diary:
    """Read the diary; dates that can be read in two ways are read as the recordings say."""
    nights = known_nights(study)
    for file in placed:
        if file.evening is not None:
            nights.setdefault(file.participant_id, set()).add(file.evening)
    first = {code: min(days) for code, days in nights.items()} | first_nights(study)
    spelled = match_codes(diary_persons(path, told), {*nights, *first})
    return read_diary(
        path,
        told,
        first_nights={as_written: first[code] for as_written, code in spelled.items()},
        recorded={as_written: nights.get(code, set()) for as_written, code in spelled.items()},
    )


def _fill_tables(intake: Intake, before: Study) -> None:
    """Make the text of each table, from what stands there and what is new."""
    diary = intake.diary
    persons = {file.participant_id for file in intake.usable}
    if diary is not None:
        written = {night.participant_id for night in diary.nights}
        codes = match_codes(written, {*before.participants, *persons})
        strangers = sorted(written - set(codes))
        codes |= {code: code for code in strangers}
        persons |= set(strangers)
        intake.notices.extend(f"{code} has a diary, but no recording" for code in strangers)
        without = sorted({f.participant_id for f in intake.usable} - set(codes.values()))
        if without:
            intake.notices.append(f"no diary of {', '.join(without)}")
        if written and len(strangers) == len(written):
            some = ", ".join(sorted({f.participant_id for f in intake.usable})[:5])
            diary.problem(1, "", "none of its persons has a recording", f"codes such as {some}")
        intake.tables[NIGHTS] = fill_nights(before, diary, codes).text
    else:
        intake.tables[NIGHTS] = _nights_of_recordings(intake, before)
    columns = study_columns(before.arms)
    for name in (PARTICIPANTS, RECORDINGS):
        table = before.tables[name]
        rows: list[dict[str, Any]] = [dict(row.text) for row in table.rows]
        if name == PARTICIPANTS:
            rows += [{"participant_id": c} for c in sorted(persons - {*before.participants})]
        else:
            rows += [_recording_row(file, intake.study) for file in intake.usable]
        header = list(table.header) or [column.name for column in columns[name]]
        intake.tables[name] = table_text(header, rows)
    if not (intake.study / "study.json").exists():
        intake.tables["study.json"] = json_text(before.about)
        for name, kept in columns.items():
            dictionary = {column.name: column.dictionary_entry() for column in kept}
            intake.tables[name.replace(".tsv", ".json")] = json_text(dictionary)


def _recording_row(file: PlacedFile, study: Path) -> dict[str, Any]:
    header = file.header
    return {
        "participant_id": file.participant_id,
        "file": Path(os.path.relpath(file.path.resolve(), study.resolve())).as_posix(),
        "leg": file.leg,
        "placement": header.placement if header.placement in PLACEMENTS else "ankle",
        "device": " ".join(filter(None, (header.device, header.serial))) or MISSING,
    }


def _nights_of_recordings(intake: Intake, before: Study) -> str:
    """nights.tsv with a row for the first night of each new recording."""
    table = before.tables[NIGHTS]
    rows: list[dict[str, Any]] = [dict(row.text) for row in table.rows]
    present = {(row.get("participant_id"), row.get("night")) for row in rows}
    new = {
        (file.participant_id, file.evening.isoformat())
        for file in intake.usable
        if file.evening is not None
    }
    rows += [{"participant_id": c, "night": night} for c, night in sorted(new - present)]
    return table_text(list(table.header), rows)


def pairing_lines(intake: Intake) -> Iterator[str]:
    """Show which file is taken for whose, and why, doubtful ones first."""
    for file in intake.placed:
        placed = f"{file.participant_id}, {file.leg or '?'}, {file.evening or '?'}"
        if file.doubts:
            yield f"DOUBTFUL  {file.name}: {placed}: {'; '.join(file.doubts)}"
        else:
            yield f"{file.name}: {placed}  ({'; '.join(file.reasons)})"
        if file.header.problem:
            yield f"    cannot be read: {file.header.problem}; placed by its name"
    for name, why in intake.left_out.items():
        yield f"left out  {name}: {why}"
    for notice in intake.notices:
        yield f"notice  {notice}"
