"""What a batch has to do: persons, their recordings, and what their diary says of each night."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rlsmove.devices import may_be_recording
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.errors import SettingError, StudyError
from rlsmove.rules import RULE_SETS, RuleSet
from rlsmove.study.columns import time_in_night
from rlsmove.study.folder import Study, read_study
from rlsmove.study.placed_files import place_files, read_header
from rlsmove.study.recording_rows import known_zone, told_of_row
from rlsmove.study.tables import Row

DERIVED = "derived"


@dataclass(frozen=True)
class Clock:
    """What a device's clock showed.

    Attributes
    ----------
    time_zone : str
        IANA name of the zone that its recording's start is told in, that of the sleeper; empty
        where that is not known.
    ahead_s : float
        How far it was ahead of the true time, in seconds.
    """

    time_zone: str = ""
    ahead_s: float = 0.0


@dataclass(frozen=True)
class RecordingFile:
    """A recording of one person.

    Attributes
    ----------
    name : str
        As it stands in the tables and outputs: relative to the study folder.
    path : Path
        Where it is.
    side : str or None
        ``left`` or ``right``; None where only the file itself may know.
    clock : Clock
        Of the device, in the zone of the sleeper.
    told : Told
        What the study says of it.
    sleep : Path or None
        Hypnogram or scored events of its nights.
    """

    name: str
    path: Path
    side: str | None
    clock: Clock = Clock()
    told: Told = NOTHING_TOLD
    sleep: Path | None = None


@dataclass(frozen=True)
class DiaryNight:
    """What nights.tsv says of one night.

    Attributes
    ----------
    lights_off, lights_on : str or None
        Wall time; None where it is not given.
    problem : str
        Why it cannot be used; empty where it can.
    """

    lights_off: str | None = None
    lights_on: str | None = None
    problem: str = ""

    def lights(self, evening: str, clock: Clock) -> tuple[str | None, str | None]:
        """Return lights off and on by the clock of a device.

        Parameters
        ----------
        evening : str
            Date of the night.
        clock : Clock
            Of the device; the diary is written in its zone.
        """
        if not clock.ahead_s:
            return self.lights_off, self.lights_on
        zone = ZoneInfo(clock.time_zone) if clock.time_zone else None
        off, on = (
            None
            if text is None
            else (
                time_in_night(date.fromisoformat(evening), _clock_time(text)).replace(tzinfo=zone)
                + timedelta(seconds=clock.ahead_s)
            ).isoformat()
            for text in (self.lights_off, self.lights_on)
        )
        return off, on


@dataclass(frozen=True)
class Person:
    """One person's share of the work.

    Attributes
    ----------
    participant_id : str
        Code of the person.
    recordings : tuple of RecordingFile
        In the order of the table.
    diary : mapping of str to DiaryNight, or None
        By evening date; None where there is no diary at all.
    """

    participant_id: str
    recordings: tuple[RecordingFile, ...]
    diary: Mapping[str, DiaryNight] | None


@dataclass(frozen=True)
class WorkList:
    """Everything that a batch has to do.

    Attributes
    ----------
    source : str
        The study folder, folder or glob, for messages.
    derived : Path
        Folder of the results.
    persons : tuple of Person
        Sorted by their codes.
    rules : RuleSet
        What to score by.
    time_zone : str
        Zone that the diary was written in; empty where it is not known.
    failures : tuple of mapping
        Rows of recordings.tsv that name no recording, as failures.csv has them.
    """

    source: str
    derived: Path
    persons: tuple[Person, ...]
    rules: RuleSet
    time_zone: str
    failures: tuple[Mapping[str, str], ...]


def read_work_list(
    source: str | Path, *, out: Path | None = None, rules_name: str | None = None
) -> WorkList:
    """List the work of a batch.

    Parameters
    ----------
    source : str or Path
        A study folder, a folder of recordings, or a glob such as ``data/*.cwa``.
    out : Path, optional
        Folder of the results; ``derived`` in the folder by default.
    rules_name : str, optional
        Rule set; that of study.json by default, else wasm2016.

    Returns
    -------
    WorkList
        Without any recording having been opened.

    Raises
    ------
    StudyError
        There is no such folder, it holds no recording, or study.json cannot be read.
    SettingError
        study.json names a rule set that does not exist.
    """
    folder = Path(source)
    if (folder / "study.json").exists():
        study = read_study(folder)
        time_zone = known_zone(str(study.about.get("time_zone") or ""))
        name = rules_name or str(study.about.get("rules", "wasm2016"))
        persons, failures = _of_study(study, time_zone)
        if not any(person.recordings for person in persons):
            told = [str(p) for p in study.problems if p.file == "recordings.tsv"]
            raise StudyError(
                folder,
                "recordings.tsv lists no recording" + "".join(f"; {text}" for text in told[:3]),
                advice="`rlsmove study from FOLDER STUDY` lists recordings as they are, "
                "`rlsmove study check STUDY` says what is wrong",
            )
    else:
        root, paths = _recording_paths(source)
        folder, name, failures, time_zone = root, rules_name or "wasm2016", (), ""
        persons = persons_of_files(root, paths)
    if name not in RULE_SETS:
        raise SettingError(
            folder / "study.json", f"rules is {name!r}", expected="one of " + ", ".join(RULE_SETS)
        )
    return WorkList(
        source=str(source),
        derived=(out or folder / DERIVED).resolve(),
        persons=persons,
        rules=RULE_SETS[name],
        time_zone=time_zone,
        failures=failures,
    )


def _of_study(
    study: Study, study_zone: str
) -> tuple[tuple[Person, ...], tuple[Mapping[str, str], ...]]:
    """Persons of any of the three tables, so that a night in one of them only is not lost."""
    recordings: dict[str, dict[str, RecordingFile]] = defaultdict(dict)
    failures: list[Mapping[str, str]] = []
    for row in study.tables["recordings.tsv"].rows:
        code, name = row.text.get("participant_id", ""), row.text.get("file", "")
        wrong = [c for c in ("participant_id", "file", "leg") if c not in row.cells]
        if not wrong and name not in recordings[code]:
            path = (study.path / name).resolve()
            try:
                told, ahead_s = told_of_row(row, study_zone)
            except SettingError as error:
                wrong = [error.file.removeprefix("--").replace("-", "_")]
            else:
                clock = Clock(told.time_zone, ahead_s)
                scored = row.text.get("sleep", "")
                recordings[code][name] = RecordingFile(
                    name,
                    path,
                    row.cells["leg"],
                    clock,
                    told,
                    (study.path / scored).resolve() if scored not in ("", "n/a") else None,
                )
                continue
        cells = ", ".join(f"{column} {row.text.get(column, '')!r}" for column in wrong)
        found = f"{cells} cannot be used" if wrong else f"{name} is listed a second time"
        failures.append(
            {
                "participant_id": code,
                "night": "",
                "file": name,
                "code": "bad_table_row",
                "sentence": f"recordings.tsv, row {row.number}: {found}",
            }
        )
    diaries: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in study.tables["nights.tsv"].rows:
        if "participant_id" in row.cells and "night" in row.cells:
            diaries[row.cells["participant_id"]][row.cells["night"].isoformat()].append(row)
    persons = [
        Person(
            code,
            tuple(recordings[code].values()),
            {evening: _diary_night(rows) for evening, rows in sorted(diaries[code].items())},
        )
        for code in sorted({*study.participants, *recordings, *diaries})
    ]
    return tuple(p for p in persons if p.recordings or p.diary), tuple(failures)


def _diary_night(rows: list[Row]) -> DiaryNight:
    if len(rows) > 1:
        numbers = ", ".join(str(row.number) for row in rows)
        return DiaryNight(problem=f"nights.tsv has it {len(rows)} times, in rows {numbers}")
    row = rows[0]
    for column in ("lights_off", "lights_on"):
        if column in row.bad:
            return DiaryNight(
                problem=f"nights.tsv, row {row.number}: {column} is {row.text[column]!r}; expected "
                "a time such as 22:45"
            )
    return DiaryNight(_wall_time(row.get("lights_off")), _wall_time(row.get("lights_on")))


def _clock_time(text: str) -> str | datetime:
    return datetime.fromisoformat(text) if "-" in text else text


def _wall_time(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


def _recording_paths(source: str | Path) -> tuple[Path, list[Path]]:
    """The files of a folder or a glob, and the folder that their names are told from."""
    root = Path(source)
    if root.is_dir():
        paths = [
            path
            for path in sorted(root.rglob("*"))
            if not any(
                part.startswith(".") or part == DERIVED for part in path.relative_to(root).parts
            )
            and not path.is_dir()
            and may_be_recording(path)
        ]
        expected = "recordings of a device or a phone, whatever their names"
    else:
        if not glob.has_magic(str(source)):
            raise StudyError(
                source,
                "there is no such folder" if not root.exists() else "this is a file",
                expected="a study folder, a folder of recordings or a quoted glob",
                advice="For a single recording there is `rlsmove night FILE`",
            )
        fixed = list(root.parts[:-1])
        while any(glob.has_magic(part) for part in fixed):
            fixed.pop()
        root = Path(*fixed)
        paths = sorted(
            Path(path) for path in glob.glob(str(source), recursive=True) if not Path(path).is_dir()
        )
        expected = "at least one file that it fits"
    if not paths:
        raise StudyError(source, "no recording is there", expected=expected)
    return root, paths


def persons_of_files(root: Path, paths: Iterable[Path]) -> tuple[Person, ...]:
    """Tell which files belong together, as `study from` does (see `study.placed_files`).

    Parameters
    ----------
    root : Path
        Folder that names are told from.
    paths : iterable of Path
        Files.

    Returns
    -------
    tuple of Person
        Sorted by code, each code once.
    """
    recordings: dict[str, list[RecordingFile]] = defaultdict(list)
    for file in place_files(root, {path: read_header(path) for path in paths}):
        told = RecordingFile(file.name, file.path.resolve(), file.leg)
        recordings[file.participant_id].append(told)
    return tuple(
        Person(code, tuple(sorted(files, key=lambda file: (file.side or "", file.name))), None)
        for code, files in sorted(recordings.items())
    )
