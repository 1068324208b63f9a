"""The study folder: made empty, read whole with all that is wrong, and written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

from rlsmove.errors import StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.study.columns import RUN_IN, TABLES, Column
from rlsmove.study.problems import Problem
from rlsmove.study.tables import Table, read_table, table_text

SCHEMA_VERSION = 1

#: Rate indices that can be compared, with the count and the hours that each is made of.
COUNTED = {
    "plms_per_hour": ("plms_count", "sleep_hours"),
    "plmw_per_hour": ("plmw_count", "wake_hours"),
    "plm_per_hour_tib": ("plm_count", "tib_hours"),
    "clm_per_hour_tib": ("clm_count", "tib_hours"),
    "lm_per_hour_tib": ("lm_count", "tib_hours"),
}

#: The index that a verdict rests on unless study.json says otherwise.
PRIMARY_INDEX = "plms_per_hour"

#: A change worth having, as massage over control; the usual plan in docs and defaults.
WORTHWHILE_RATIO = 0.8

#: What a night and a person must have to be compared. A night whose index has fewer hours than
#: its minimum is left out: of sleep or in bed, or, for an index of wake, awake. One under the
#: short-night hours of sleep or in bed is dropped in a sensitivity analysis only.
EXCLUSION_RULES = {
    "minimum_hours": 3.0,
    "minimum_wake_hours": 0.25,
    "minimum_nights": 2,
    "short_night_hours": 5.0,
}

#: When a study's nights may be judged: once, at the planned number of nights, or every morning.
LOOKS = ("at_the_end", "every_morning")

#: What a report of a trial must say and no table holds; blank until somebody writes it.
REPORTING = (
    "diagnosis_and_eligibility",
    "setting_and_location",
    "recruitment_dates",
    "ethics_approval_and_consent",
    "registration",
    "protocol",
    "funding",
    "rationale",
    "blinding",
    "changes_to_methods",
    "interventions_in_full",
)

#: Where the results of the nights stand, and the comparison of them.
RESULTS = Path("derived") / "nights.csv"
COMPARISON = Path("derived") / "comparison.json"


@dataclass(frozen=True)
class Arm:
    """One of the conditions that nights are given.

    Attributes
    ----------
    name : str
        As it stands in the tables.
    massage : bool
        Whether it counts as massage in the primary contrast, or as control.
    technique, areas, side, timing : str
        What sets it apart from other arms; empty where nothing does.
    compared : bool
        Whether it is part of the primary contrast; a sham or attention arm may be neither.
    """

    name: str
    massage: bool
    technique: str = ""
    areas: str = ""
    side: str = ""
    timing: str = ""
    compared: bool = True


@dataclass(frozen=True)
class Study:
    """A study folder as read.

    Attributes
    ----------
    path : Path
    about : dict
        study.json as it stands.
    arms : tuple of Arm
    tables : dict of str to Table
        participants.tsv, nights.tsv, recordings.tsv; empty tables where a file is missing.
    results : Table or None
        derived/nights.csv; None where there is none yet.
    problems : list of Problem
        What is wrong with the files as far as reading shows; `rlsmove.study.check` adds the rest.
    """

    path: Path
    about: dict[str, Any]
    arms: tuple[Arm, ...]
    tables: dict[str, Table]
    results: Table | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def study_id(self) -> str:
        """The study's own short name."""
        return str(self.about.get("id", ""))

    @property
    def primary_index(self) -> str:
        """The index that the verdict rests on; the default if it is none that can be compared."""
        index = str(self.about.get("primary_index"))
        return index if index in COUNTED else PRIMARY_INDEX

    @property
    def rules(self) -> dict[str, float]:
        """Exclusion rules, the defaults filled in."""
        given = self.about.get("exclusion_rules")
        given = given if isinstance(given, dict) else {}
        return {
            name: float(given[name]) if is_number(given.get(name), 0, math.inf) else value
            for name, value in EXCLUSION_RULES.items()
        }

    @property
    def worthwhile_ratio(self) -> float:
        """The ratio of massage over control that is worth having; the default if unusable."""
        ratio = self.about.get("worthwhile_ratio")
        return float(ratio) if is_number(ratio, 0, 1) and 0 < ratio < 1 else WORTHWHILE_RATIO

    @property
    def looks(self) -> str:
        """When the nights are judged, one of `LOOKS`; the first if it is none of them."""
        looks = self.about.get("looks")
        return looks if looks in LOOKS else LOOKS[0]

    @property
    def participants(self) -> list[str]:
        """Codes of the persons, in the order of participants.tsv."""
        rows = self.tables["participants.tsv"].rows
        return list(
            dict.fromkeys(r.cells["participant_id"] for r in rows if "participant_id" in r.cells)
        )


def is_number(value: Any, low: float, high: float) -> TypeGuard[float]:
    """Tell whether a value of a JSON file is a number within bounds, both ends in."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def new_study(path: str | Path, *, study_id: str = "", time_zone: str = "UTC") -> None:
    """Make an empty study folder that already validates.

    Parameters
    ----------
    path : str or Path
        A folder that does not exist yet, or an empty one.
    study_id : str
        Short name; that of the folder by default.
    time_zone : str
        IANA name of the zone that the nights were slept in.

    Raises
    ------
    StudyError
        The folder holds something already.
    """
    path = Path(path)
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise StudyError(
            path, "something is there already", expected="a folder that is new or empty"
        )
    write_study(path, about_study(study_id or path.resolve().name, time_zone), {})
    for folder in ("raw", "derived"):
        (path / folder).mkdir(exist_ok=True)


def about_study(
    study_id: str, time_zone: str = "UTC", title: str = "", **changes: Any
) -> dict[str, Any]:
    """Return the content of a new study.json, with the given entries changed."""
    return {
        "id": study_id,
        "title": title or f"Nights with and without massage: {study_id}",
        "schema_version": SCHEMA_VERSION,
        "time_zone": time_zone,
        "arms": [
            {"name": "massage", "massage": True},
            {"name": "control", "massage": False},
        ],
        "primary_index": PRIMARY_INDEX,
        "worthwhile_ratio": WORTHWHILE_RATIO,
        "rules": "wasm2016",
        "exclusion_rules": dict(EXCLUSION_RULES),
        "looks": LOOKS[0],
        "plan_digest": None,
        "reporting": dict.fromkeys(REPORTING, ""),
        **changes,
    }


def write_study(
    path: str | Path,
    about: Mapping[str, Any],
    rows: Mapping[str, list[dict[str, Any]]],
    *,
    others: Mapping[str, str] | None = None,
) -> None:
    """Write the tables of a study folder with their data dictionaries, all together.

    Parameters
    ----------
    path : str or Path
    about : mapping
        Content of study.json.
    rows : mapping
        For each table of `TABLES`, its rows; a table that is left out is written empty.
    others : mapping of str to str, optional
        Further files by their place in the folder, such as derived/nights.csv.
    """
    path = Path(path)
    arms = _arms(about, [])
    contents: dict[Path, str] = {path / "study.json": json_text(about)}
    for name, columns in study_columns(arms).items():
        contents[path / name] = table_text([c.name for c in columns], rows.get(name, []))
        contents[path / name.replace(".tsv", ".json")] = json_text(
            {column.name: column.dictionary_entry() for column in columns}
        )
    contents |= {path / name: text for name, text in (others or {}).items()}
    write_files(contents)


def study_columns(arms: tuple[Arm, ...]) -> dict[str, tuple[Column, ...]]:
    """Return the tables' columns, the condition's levels being the arms of the study."""
    levels = {
        **{arm.name: "Massage before bed" if arm.massage else "No massage" for arm in arms},
        RUN_IN: "A night before the first assigned one, not compared",
    }
    return {
        name: tuple(
            column.with_levels(levels)
            if column.name in ("condition_assigned", "condition_received")
            else column
            for column in columns
        )
        for name, columns in TABLES.items()
    }


def read_study(path: str | Path) -> Study:
    """Read a study folder, with everything that is wrong in its files.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        There is no study.json that can be read: without it nothing else can be understood.
    """
    path = Path(path)
    if not path.is_dir():
        raise StudyError(path, "there is no such folder", expected="a study folder")
    problems: list[Problem] = []
    about = read_json(path / "study.json")
    arms = _arms(about, problems)
    tables: dict[str, Table] = {}
    for name, columns in study_columns(arms).items():
        dictionary = path / name.replace(".tsv", ".json")
        columns = _with_dictionary(dictionary, columns, problems)
        try:
            tables[name] = read_table(path / name, columns, name=name)
        except StudyError as error:
            place = f"{error.place}: " if error.place else ""
            problems.append(
                Problem(name, 0, "", f"{place}{error.found}", error.expected or "a table")
            )
            tables[name] = Table(name, (), [], [])
        problems += tables[name].problems
        entries = {column.name for column in columns}
        problems += [
            Problem(dictionary.name, 0, column, "no entry", f"what the column of {name} holds")
            for column in tables[name].header
            if column not in entries
        ]
    return Study(path, about, arms, tables, _results(path, problems), problems)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises
    ------
    StudyError
        There is no such file, or it is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise StudyError(
            path, "there is no such file", advice="`rlsmove study new DIR` makes a study folder"
        ) from None
    except OSError as error:
        raise StudyError(path, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise StudyError(
            path, "it is not JSON", place=f"line {line}" if line else "", expected="a JSON object"
        ) from None
    if not isinstance(content, dict):
        raise StudyError(path, f"it holds a {type(content).__name__}", expected="a JSON object")
    return content


def _arms(about: Mapping[str, Any], problems: list[Problem]) -> tuple[Arm, ...]:
    """Read the arms, with the two usual ones where they cannot be used."""
    fields = ("technique", "areas", "side", "timing")
    arms: list[Arm] = []
    entries = about.get("arms")
    for entry in entries if isinstance(entries, list) else []:
        if (
            isinstance(entry, dict)
            and isinstance(entry.get("name"), str)
            and isinstance(entry.get("massage"), bool)
            and entry["name"] not in [RUN_IN, *(arm.name for arm in arms)]
        ):
            technique, areas, side, timing = (str(entry.get(name) or "") for name in fields)
            arms.append(Arm(entry["name"], entry["massage"], technique, areas, side, timing))
        else:
            problems.append(
                Problem(
                    "study.json",
                    0,
                    "arms",
                    json.dumps(entry),
                    'an arm of its own name such as {"name": "massage", "massage": true}',
                )
            )
    arms = _in_primary_contrast(arms, about.get("primary_contrast"), problems)
    if {arm.massage for arm in arms if arm.compared} != {True, False}:
        problems.append(
            Problem(
                "study.json",
                0,
                "arms",
                f"{sum(a.massage for a in arms if a.compared)} arms with massage, "
                f"{sum(not a.massage for a in arms if a.compared)} without",
                "at least one of each in the primary contrast",
            )
        )
        return (Arm("massage", True), Arm("control", False))
    return tuple(arms)


def _in_primary_contrast(arms: list[Arm], named: Any, problems: list[Problem]) -> list[Arm]:
    """Mark the arms that the primary contrast is between: all, or those that study.json names."""
    if named is None:
        return arms
    names = [arm.name for arm in arms]
    if not isinstance(named, list) or not named or any(name not in names for name in named):
        problems.append(
            Problem(
                "study.json",
                0,
                "primary_contrast",
                json.dumps(named),
                f"a list of arms that are compared, among {', '.join(names)}, or null for all",
            )
        )
        return arms
    return [replace(arm, compared=arm.name in named) for arm in arms]


def _with_dictionary(
    path: Path, columns: tuple[Column, ...], problems: list[Problem]
) -> tuple[Column, ...]:
    """Take the study's own levels and further columns from its data dictionary."""
    try:
        dictionary = read_json(path)
    except StudyError as error:
        problems.append(Problem(path.name, 0, "", error.found, "the table's data dictionary"))
        return columns
    known = {column.name: column for column in columns}
    for name, entry in dictionary.items():
        if not isinstance(entry, dict) or not str(entry.get("Description", "")).strip():
            problems.append(
                Problem(
                    path.name,
                    0,
                    name,
                    "an entry without a description",
                    "Description, and Units or Levels where they apply",
                )
            )
            continue
        levels = entry.get("Levels")
        column = known.get(name, Column(name, str(entry["Description"])))
        # Arms are declared in study.json, and there alone.
        if levels and isinstance(levels, dict) and not name.startswith("condition_"):
            if column.kind == "text":
                column = replace(column, kind="level")
            column = column.with_levels(levels)
        known[name] = column
    return tuple(known.values())


def _results(path: Path, problems: list[Problem]) -> Table | None:
    """Read derived/nights.csv, where there is one."""
    if not (path / RESULTS).exists():
        return None
    from rlsmove.scoring.indices import INDICES

    columns = (
        Column(
            "status",
            "Outcome of the night",
            "level",
            required=True,
            levels={"ok": "", "warned": "", "failed": ""},
        ),
        Column("participant_id", "Code of the person", "id", required=True),
        Column("night", "Evening date", "date", required=True),
        Column("side", "Leg or legs"),
        Column("massage_seen", "Whether the sensor shows a massage"),
        Column("massage_seen_start", "When it began, by the sensor"),
        Column("massage_seen_kind", "Its kind, by the sensor"),
        *(
            Column(index.name, index.counts, "text" if "_by_" in index.name else "number")
            for index in INDICES
        ),
    )
    name = RESULTS.as_posix()
    try:
        table = read_table(path / RESULTS, columns, name=name, delimiter=",")
    except StudyError as error:
        problems.append(Problem(name, 0, "", error.found, error.expected))
        return None
    problems += table.problems
    return table
