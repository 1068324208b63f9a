"""What a batch has to do: persons, their recordings, and what their diary says of each night."""

from __future__ import annotations

import glob
import re
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
from rlsmove.study.recording_rows import known_zone, told_of_row
from rlsmove.study.tables import Row

DERIVED = "derived"

_SIDE_WORD = re.compile(r"(?:^|[^A-Za-z0-9]+)(left|right|l|r)(?=$|[^A-Za-z0-9])", re.IGNORECASE)
_SUFFIX = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,4})?(\.gz)?$")
_NOT_IN_CODES = re.compile(r"[^A-Za-z0-9]+")


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
    """

    name: str
    path: Path
    side: str | None
    clock: Clock = Clock()
    told: Told = NOTHING_TOLD


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
                recordings[code][name] = RecordingFile(name, path, row.cells["leg"], clock, told)
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
    """Tell from the names of files which belong together.

    Files of one folder whose names differ in the word left or right (or l, r) alone are the two
    legs of one person, called by what is left of the name, or by the folder where nothing is.
    Every other file is a person of its own.

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
    together: dict[tuple[Path, str], list[tuple[Path, str | None]]] = defaultdict(list)
    for path in paths:
        stem = _SUFFIX.sub("", path.name)
        words = list(_SIDE_WORD.finditer(stem))
        side = None
        if len(words) == 1:
            side = {"l": "left", "r": "right"}[words[0][1][0].lower()]
            stem = stem[: words[0].start()] + stem[words[0].end() :]
        together[path.parent, stem].append((path, side))
    groups: list[tuple[Path, str, list[tuple[Path, str | None]]]] = []
    for (folder, stem), files in together.items():
        sides = [side for _, side in files]
        if len(set(sides)) == len(sides) and (len(sides) == 1 or None not in sides):
            groups.append((folder, stem, files))
        else:
            groups += [(folder, path.name, [(path, side)]) for path, side in files]
    short = [_code(stem) or _code(folder.name) for folder, stem, _ in groups]
    persons = []
    for code, (folder, stem, files) in zip(short, groups, strict=True):
        if short.count(code) > 1 or not code:
            code = _code(f"{folder.relative_to(root)} {stem}")
        recordings = sorted(files, key=lambda file: (file[1] or "", file[0]))
        persons.append(
            Person(
                code,
                tuple(
                    RecordingFile(path.relative_to(root).as_posix(), path.resolve(), side)
                    for path, side in recordings
                ),
                None,
            )
        )
    return tuple(sorted(_numbered(persons), key=lambda person: person.participant_id))


def _numbered(persons: list[Person]) -> list[Person]:
    """Tell apart codes that are still the same, by numbers in the order of their files."""
    seen: dict[str, int] = defaultdict(int)
    told = []
    for person in sorted(persons, key=lambda p: (p.participant_id, p.recordings[0].name)):
        seen[person.participant_id] += 1
        number = seen[person.participant_id]
        code = person.participant_id if number == 1 else f"{person.participant_id}-{number}"
        told.append(Person(code, person.recordings, person.diary))
    return told


def _code(text: str) -> str:
    """What of a name may stand in the code of a person."""
    return _NOT_IN_CODES.sub("-", text).strip("-")
