"""Diaries of nights in any of their layouts, into nights.tsv.

A row a night: a code, a date, times. Basic (GGIR): a row a person, then onset and waking of the
first night, of the second and so on, as times of day, the headers numbered or repeated. Advanced
(GGIR): a row a person, for each calendar date the columns ``..date..``, ``..wakeup..`` (of that
morning) and ``..inbed..``, ``..onset..``, ``..tobed..`` or ``..lightsout..`` (of that evening, also
if it is after midnight); naps and non-wear are not used (GGIR, vignette and R/g.loadlog.R).

Columns are matched by their names, never by their place alone, unless they are told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from rlsmove.errors import SettingError, StudyError
from rlsmove.study.columns import MISSING, NIGHTS, Column, night_of, time_in_night
from rlsmove.study.diary_cells import (
    Cells,
    clock_of,
    day_of,
    number_of,
    orders_of,
    read_cells,
    repeated,
    squashed,
)
from rlsmove.study.folder import Study
from rlsmove.study.imports import write_tables
from rlsmove.study.person_codes import match_codes
from rlsmove.study.problems import Problem
from rlsmove.study.tables import table_text

#: A diary's time in bed outside of these is a slip of the pen, in hours.
_BED_HOURS = (1.0, 18.0)

_CODE_WORDS = (
    "participantid id recordid subjectid subject subj participant patientid patient pid "
    "code proband probandid probandin vp vpn sujet sujeto personid person studyid subid "
    "kennung"
)
_CODE_NAMES = _CODE_WORDS.split()

#: Words of the columns, squashed, the surest first.
_DATE_WORDS = ("night", "evening", "diarydate", "date", "datum", "fecha", "dato", "nacht", "abend")
_NOT_THE_DATE = ("birth", "dob", "geburt", "visit", "consent", "complet", "enter", "timestamp",
                 "start", "end", "naissance", "number", "nightno", "nightnr", "nightnum", "count",
                 "waso", "update", "device")  # fmt: skip
_MORNING_WORDS = ("morning", "morgen", "matin", "wake", "waking", "gotup", "riseday")
_OFF_WORDS = (
    ("lightsoff", "lightsout", "lightoff", "lightout", "lichtaus", "lichtuit", "luzapagada"),
    ("triedtosleep", "trytosleep", "sleepattempt", "einschlafversuch"),
    ("bedtime", "inbed", "tobed", "bedstart", "zubett", "bettzeit", "insbett", "coucher",
     "naarbed", "acostarse", "alletto", "senglagt"),
    ("onset", "fellasleep", "asleep", "sleepstart", "eingeschlafen", "einschlafzeit"),
)  # fmt: skip
_ON_WORDS = (
    ("lightson", "lighton", "lichtan", "lichtaan"),
    ("gotup", "getup", "gettingup", "outofbed", "outbed", "bedend", "risetime", "aufgestanden",
     "aufsteh", "opgestaan", "levantarse", "lever"),
    ("wakeup", "wakingup", "waketime", "woke", "aufgewacht", "aufwach", "reveil", "awake",
     "sleepend", "waking", "wakened", "wake"),
)  # fmt: skip
#: A column with one of these in its name holds no time of going to bed or getting up.
_NO_TIME = ("nap", "nonwear", "duration", "dauer", "minutes", "quality", "count", "number",
            "latency", "why", "reason", "comment", "waso", "awakening", "mood", "difficult",
            "usual", "planned", "target", "feeling", "rested", "howmany", "times", "rating",
            "medic", "partner", "hours")  # fmt: skip
_CONDITION_WORDS = ("condition", "arm", "treatment", "intervention", "bedingung", "massage")

_NIGHT_COLUMNS = {column.name: column for column in NIGHTS}


@dataclass(frozen=True)
class DiaryNight:
    """One night as a diary has it.

    Attributes
    ----------
    row : int
        In the diary's file.
    participant_id : str
        As the diary writes it.
    night : date
        Evening date.
    cells : dict of str to str
        What goes into nights.tsv, by its columns.
    """

    row: int
    participant_id: str
    night: date
    cells: dict[str, str]


@dataclass
class Diary:
    """A diary as understood.

    Attributes
    ----------
    path : Path
        Its file.
    layout : str
        ``a row a night``, ``basic`` or ``advanced``.
    understood : list of (str, str)
        Columns of nights.tsv with those of the diary that they are taken from.
    unused : list of str
        Columns of the diary that nothing is taken from.
    nights : list of DiaryNight
        What it says.
    problems : list of Problem
        What is wrong with it; with any, nothing of it is to be written.
    """

    path: Path
    layout: str = ""
    understood: list[tuple[str, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    nights: list[DiaryNight] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, row: int, column: str, found: str, expected: str = "") -> None:
        """Note down what is wrong, once."""
        problem = Problem(str(self.path), row, column, found, expected)
        if problem not in self.problems:
            self.problems.append(problem)


@dataclass(frozen=True)
class DiaryHints:
    """What a user says of a diary that it does not say itself.

    Attributes
    ----------
    first_night : date or None
        Basic layout: date of everybody's first night.
    date_order : str or None
        ``ymd``, ``dmy`` or ``mdy``.
    columns : mapping of str to str
        Column of the diary by that of nights.tsv.
    """

    first_night: date | None = None
    date_order: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def read_diary(
    path: Path,
    told: DiaryHints,
    *,
    first_nights: Mapping[str, date],
    recorded: Mapping[str, Collection[date]],
    sole_person: str | None = None,
) -> Diary:
    """Read a diary and say what was understood of it.

    Parameters
    ----------
    path : Path
        CSV or Excel.
    told : DiaryHints
        What the user says.
    first_nights : mapping of str to date
        For the basic layout, which has no dates.
    recorded : mapping of str to collection of date
        Evenings of each person that are known, for dates that can be read in two ways.
    sole_person : str, optional
        Whose it is where no column says so.

    Raises
    ------
    StudyError
        It is no table that can be read, or its dates can be read in two ways.
    SettingError
        A column that was told is not there.
    """
    cells = read_cells(path)
    diary = Diary(path)
    names = [squashed(name) for name in cells.header]
    places = _told_places(cells, told)
    code = places.get("participant_id", _code_place(names))
    if code is None and sole_person is None:
        diary.problem(1, "", "no column has the persons' codes", "a column such as participant_id")
        return diary
    dates = [at for at, name in enumerate(names) if at != code and _is_date(name)]
    if "night" in places:
        dates = [places["night"]]
    numbered = [
        at for at in dates if re.search(r"\d", names[at]) or names[at] in repeated(names)
    ]  # fmt: skip
    of_basic = _basic_pairs(names, code) if not dates and not places else []
    if len(numbered) >= 2:
        _read_advanced(diary, cells, names, code or 0, numbered, told)
    elif of_basic:
        _read_basic(diary, cells, code or 0, of_basic, told, first_nights)
    else:
        _read_rows(diary, cells, names, code, dates, places, told, recorded, sole_person)
    return diary


def diary_persons(path: Path, told: DiaryHints) -> set[str]:
    """Codes of the persons of a diary, as it writes them; none where no column has them.

    Raises
    ------
    StudyError, SettingError
        As of `read_diary`.
    """
    cells = read_cells(path)
    names = [squashed(name) for name in cells.header]
    at = _told_places(cells, told).get("participant_id", _code_place(names))
    return set() if at is None else {line[at] for _, line in cells.rows if line[at]}


def _told_places(cells: Cells, told: DiaryHints) -> dict[str, int]:
    places = {}
    for column, name in told.columns.items():
        found = [
            at for at, written in enumerate(cells.header) if squashed(written) == squashed(name)
        ]
        if column not in _NIGHT_COLUMNS:
            raise SettingError("--column", column, expected=", ".join(_NIGHT_COLUMNS))
        if len(found) != 1:
            raise SettingError(
                "--column",
                f"{len(found)} columns are called {name!r}",
                expected=f"one of {', '.join(cells.header)}",
            )
        places[column] = found[0]
    return places


def _code_place(names: Sequence[str]) -> int | None:
    return next((names.index(name) for name in _CODE_NAMES if name in names), None)


def _is_date(name: str) -> bool:
    return any(word in name for word in _DATE_WORDS) and not any(
        word in name for word in (*_NOT_THE_DATE, *_NO_TIME)
    )


def _is_one(name: str, words: Sequence[str]) -> bool:
    return any(word in name for word in words) and not any(word in name for word in _NO_TIME)


def _bedtime_rank(name: str, groups: Sequence[Sequence[str]]) -> int | None:
    return next((rank for rank, words in enumerate(groups) if _is_one(name, words)), None)


def _basic_pairs(names: Sequence[str], code: int | None) -> list[tuple[int, int]]:
    """The pairs of onset and waking after the code, if its columns are nothing else."""
    rest = range(0 if code is None else code + 1, len(names))
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    is_basic = len(rest) >= 2 and len(rest) % 2 == 0 and all(
        (names[off], names[on]) == ("on", "off")
        or (
            _bedtime_rank(names[off], _OFF_WORDS) is not None
            and _bedtime_rank(names[on], _ON_WORDS) is not None
        )
        for off, on in pairs
    )  # fmt: skip
    return pairs if is_basic else []


def _read_basic(
    diary: Diary,
    cells: Cells,
    code: int,
    pairs: list[tuple[int, int]],
    told: DiaryHints,
    first_nights: Mapping[str, date],
) -> None:
    diary.layout = "basic"
    diary.understood = [
        ("participant_id", cells.header[code]),
        ("lights_off", ", ".join(cells.header[off] for off, _ in pairs[:3])),
        ("lights_on", ", ".join(cells.header[on] for _, on in pairs[:3])),
    ]
    for row, line in cells.rows:
        first = told.first_night or first_nights.get(line[code])
        if first is None:
            diary.problem(
                row, "", f"no first night is known for {line[code]!r}",
                "first_night in participants.tsv, or --first-night",
            )  # fmt: skip
            continue
        for number, (off, on) in enumerate(pairs):
            night = first + timedelta(days=number)
            times = {
                "lights_off": _clock(diary, row, cells.header[off], line[off], "ymd"),
                "lights_on": _clock(diary, row, cells.header[on], line[on], "ymd"),
            }
            _add(diary, row, line[code], night, times)


def _read_advanced(
    diary: Diary, cells: Cells, names: list[str], code: int, dates: list[int], told: DiaryHints
) -> None:
    diary.layout = "advanced"
    parts = list(zip(dates, [*dates[1:], len(names)], strict=True))
    used: dict[str, list[str]] = {"lights_off": [], "lights_on": []}
    for row, line in cells.rows:
        written = {at: line[at] for at in dates if line[at]}
        days = _days_in_a_row(written, told.date_order, f"{diary.path}: row {row}")
        off: dict[date, str] = {}
        on: dict[date, str] = {}
        for at, following in parts:
            for other in range(at + 1, following) if at in days else ():
                name = names[other]
                if _bedtime_rank(name, _ON_WORDS) is not None:
                    column, night, times = "lights_on", days[at] - timedelta(days=1), on
                elif _bedtime_rank(name, _OFF_WORDS) is not None:
                    column, night, times = "lights_off", days[at], off
                else:
                    continue
                if clock := _clock(diary, row, cells.header[other], line[other], "ymd"):
                    times[night] = clock
                    used[column].append(cells.header[other])
        for night in sorted({*off, *on}):
            times_of_night = {"lights_off": off.get(night, ""), "lights_on": on.get(night, "")}
            _add(diary, row, line[code], night, times_of_night)
    diary.understood = [
        ("participant_id", cells.header[code]),
        ("night", ", ".join(cells.header[at] for at in dates[:3])),
        *((c, ", ".join(dict.fromkeys(found[:3]))) for c, found in used.items()),
    ]


def _days_in_a_row(cells: Mapping[int, str], order: str | None, place: str) -> dict[int, date]:
    """Read the dates of a row in the one order that makes a run of days of them."""
    if not cells:
        return {}
    found = {
        name: days
        for name, days in orders_of(cells.values()).items()
        if days == sorted(set(days)) and order in (None, name)
    }
    # The shortest span is the run of nights; another order spreads the same days over months.
    spans = sorted((max(days) - min(days), name) for name, days in found.items())
    if not spans:
        raise StudyError(
            place,
            f"dates {', '.join(list(cells.values())[:3])}",
            expected="dates in rising order, all written the same way",
        )
    ties = [name for span, name in spans if span == spans[0][0]]
    if len({tuple(found[name]) for name in ties}) > 1:
        raise _two_ways(place, list(cells.values()), ties)
    return dict(zip(cells, found[ties[0]], strict=True))


def _two_ways(place: str, texts: list[str], orders: list[str]) -> StudyError:
    return StudyError(
        place,
        f"dates {', '.join(dict.fromkeys(texts[:3]))} can be read as {' or '.join(orders)}",
        advice="Say which with --date-order",
    )


def _read_rows(
    diary: Diary,
    cells: Cells,
    names: list[str],
    code: int | None,
    dates: list[int],
    places: dict[str, int],
    told: DiaryHints,
    recorded: Mapping[str, Collection[date]],
    sole_person: str | None,
) -> None:
    """Read a diary with a row a night, also one of REDCap, with a row an event."""
    diary.layout = "a row a night"
    places = {**_night_places(diary, cells, names, {code, *dates}), **places}
    places.pop("participant_id", None)
    if "night" not in places and (at := _date_place(diary, cells, names, dates)) is not None:
        places["night"] = at
    date_at = places.pop("night", None)
    diary.understood = [
        *([("participant_id", cells.header[code])] if code is not None else []),
        *([("night", cells.header[date_at])] if date_at is not None else []),
        *((column, cells.header[at]) for column, at in places.items()),
    ]
    taken = {code, date_at, *places.values()}
    diary.unused = [name for at, name in enumerate(cells.header) if at not in taken and name]
    if not {"lights_off", "lights_on"} & set(places):
        diary.problem(
            1, "", "no column says when the light went out or when the person got up",
            "columns such as lights_off and lights_on, or --column lights_off=NAME",
        )  # fmt: skip
        return
    filled = [(row, line) for row, line in cells.rows if any(line[at] for at in places.values())]
    written = [line[date_at] for _, line in filled if line[date_at]] if date_at is not None else []
    order = _order_of(diary, cells, filled, code, date_at, written, told, recorded)
    morning = date_at is not None and _is_one(names[date_at], _MORNING_WORDS)
    for row, line in filled:
        person = sole_person or "" if code is None else line[code]
        if not person:
            diary.problem(row, cells.header[code or 0], "no code", "whose night it is")
        values = {}
        for column, at in places.items():
            if column in ("lights_off", "lights_on", "massage_start"):
                values[column] = _clock(diary, row, cells.header[at], line[at], order)
            else:
                values[column] = _value(diary, row, cells.header[at], line[at], column)
        night = None
        if date_at is not None and line[date_at]:
            try:
                night = day_of(line[date_at], order) - timedelta(days=int(morning))
            except ValueError:
                diary.problem(row, cells.header[date_at], repr(line[date_at]), "a date")
                continue
        elif len(values.get("lights_off", "")) > len("22:45:00"):
            night = night_of(datetime.fromisoformat(values["lights_off"]))
        if night is None:
            found = "no column says its date" if date_at is None else "no date"
            diary.problem(
                row,
                "" if date_at is None else cells.header[date_at],
                found,
                "the date of the evening, in a column such as night or --column night=NAME",
            )
            continue
        _add(diary, row, person, night, values)


def _night_places(
    diary: Diary, cells: Cells, names: list[str], taken: set[int | None]
) -> dict[str, int]:
    """Columns of the diary by those of nights.tsv that they are taken for."""
    places: dict[str, int] = {}
    free = [at for at in range(len(names)) if at not in taken]
    for at in free:
        column = next((c for c in _NIGHT_COLUMNS if squashed(c) == names[at]), None)
        if column and column not in ("participant_id", "night"):
            places.setdefault(column, at)
    for column, groups in (("lights_off", _OFF_WORDS), ("lights_on", _ON_WORDS)):
        if column in places:
            continue
        ranked = [
            (rank, at) for at in free if (rank := _bedtime_rank(names[at], groups)) is not None
        ]
        best = [at for rank, at in ranked if rank == min(ranked)[0]]
        if len(best) > 1:
            told = " or ".join(cells.header[at] for at in best)
            diary.problem(1, "", f"{column} may be {told}", f"--column {column}=NAME")
        elif best:
            places[column] = best[0]
    if "condition_assigned" not in places:
        for at in free:
            if at not in places.values() and names[at] in _CONDITION_WORDS:
                places["condition_assigned"] = at
                break
    return places


def _date_place(
    diary: Diary, cells: Cells, names: list[str], dates: list[int]
) -> int | None:  # fmt: skip
    """The column of the night's date: the surest name."""

    def rank(at: int) -> int:
        return next(r for r, word in enumerate(_DATE_WORDS) if word in names[at])

    best = [at for at in dates if rank(at) == min(map(rank, dates))]
    if len(best) > 1:
        told = " or ".join(cells.header[at] for at in best)
        diary.problem(1, "", f"the date may be {told}", "--column night=NAME")
    return best[0] if best else None


def _order_of(
    diary: Diary,
    cells: Cells,
    rows: list[tuple[int, tuple[str, ...]]],
    code: int | None,
    date_at: int | None,
    written: list[str],
    told: DiaryHints,
    recorded: Mapping[str, Collection[date]],
) -> str:
    """In which order day, month and year stand: as told, as all dates allow, as recorded."""
    if told.date_order or date_at is None or not written:
        return told.date_order or "ymd"
    found = orders_of(written)
    if not found:
        for row, line in rows:
            if line[date_at] and not orders_of([line[date_at]]):
                diary.problem(row, cells.header[date_at], repr(line[date_at]), "a date")
        if not diary.problems:
            diary.problem(
                1, cells.header[date_at], "dates written in different orders", "one order"
            )
        return "ymd"
    if len({tuple(days) for days in found.values()}) == 1:
        return next(iter(found))
    dated = [line for _, line in rows if line[date_at]]
    fit = {
        order: sum(
            code is not None and day in recorded.get(line[code], ())
            for line, day in zip(dated, days, strict=True)
        )
        for order, days in found.items()
    }
    best = [order for order in fit if fit[order] == max(fit.values())]
    if len(best) > 1:
        # The nights of a study lie close together; another order spreads them over months.
        spans = {order: _longest_step(found[order]) for order in best}
        best = [order for order in best if spans[order] == min(spans.values())]
    if len(best) > 1:
        raise _two_ways(f"{diary.path}: {cells.header[date_at]}", written, best)
    return best[0]


def _longest_step(days: Sequence[date]) -> timedelta:
    ordered = sorted(set(days))
    steps = [b - a for a, b in pairwise(ordered)]
    return max(steps, default=timedelta(0))


def _clock(diary: Diary, row: int, column: str, text: str, order: str) -> str:
    if not text:
        return ""
    try:
        return clock_of(text, order)
    except ValueError:
        diary.problem(row, column, repr(text), "a time such as 22:45 or 10:45 PM")
        return ""


_YES_NO = {"yes": True, "no": False, "1": True, "0": False, "ja": True, "nein": False,
           "true": True, "false": False, "oui": True, "non": False, "si": True}  # fmt: skip


def _value(diary: Diary, row: int, name: str, text: str, column: str) -> str:
    """Read a cell of another column of nights.tsv."""
    if not text:
        return ""
    known: Column = _NIGHT_COLUMNS[column]
    if known.kind == "number":
        text = number_of(text)
    elif known.kind == "yes_no":
        said = _YES_NO.get(squashed(text))
        text = text if said is None else "yes" if said else "no"
    elif (
        column == "condition_assigned" and squashed(text) in _YES_NO and "massage" in squashed(name)
    ):
        text = "massage" if _YES_NO[squashed(text)] else "control"
    if known.name.startswith("condition_"):
        return text  # the study's own words, which its check knows
    try:
        known.parse(text)
    except (ValueError, KeyError):
        diary.problem(row, name, repr(text), known.expected())
    return text


def _add(diary: Diary, row: int, person: str, night: date, values: dict[str, str]) -> None:
    """Take up a night, or say why it cannot be so."""
    values = {column: value for column, value in values.items() if value}
    if not values:
        return
    off, on = (
        time_in_night(night, _column_value(values[c])) if c in values else None
        for c in ("lights_off", "lights_on")
    )
    for column, moment in (("lights_off", off), ("lights_on", on)):
        if moment is not None and night_of(moment) != night:
            diary.problem(
                row, column, f"{moment:%Y-%m-%d %H:%M} in the night of {night}",
                "a time from its noon to the next",
            )  # fmt: skip
            return
    hours = None if off is None or on is None else (on - off) / timedelta(hours=1)
    if hours is not None and not _BED_HOURS[0] <= hours <= _BED_HOURS[1]:
        diary.problem(
            row, "", f"{values['lights_off']} to {values['lights_on']} is {hours:.1f} h in bed",
            f"{_BED_HOURS[0]:g} to {_BED_HOURS[1]:g} h: is it AM or PM?",
        )  # fmt: skip
        return
    same = [n for n in diary.nights if n.participant_id == person and n.night == night]
    for other in same:
        if any(other.cells.get(c, v) != v for c, v in values.items()):
            diary.problem(
                row, "", f"{person} {night} again", f"one entry (row {other.row} is it too)"
            )
            return
    diary.nights.append(DiaryNight(row, person, night, values))


def _column_value(clock: str) -> Any:
    return datetime.fromisoformat(clock) if "T" in clock else clock


@dataclass(frozen=True)
class Filled:
    """nights.tsv with a diary in it.

    Attributes
    ----------
    text : str
        Of the table.
    filled, added : int
        Nights that got a value, and those of them that the table did not have.
    """

    text: str
    filled: int
    added: int


def fill_nights(study: Study, diary: Diary, codes: Mapping[str, str]) -> Filled:
    """Put a diary into nights.tsv, without writing it; what stands there is kept.

    Parameters
    ----------
    study : Study
        With the table as it is.
    diary : Diary
        What to put in; its problems grow by what contradicts the table.
    codes : mapping of str to str
        Code of each person, by the way that the diary writes it.
    """
    table = study.tables["nights.tsv"]
    rows: dict[tuple[str, str], dict[str, Any]] = {
        (row.text.get("participant_id", ""), row.text.get("night", "")): dict(row.text)
        for row in table.rows
    }
    if len(rows) < len(table.rows):
        raise StudyError(
            study.path / "nights.tsv",
            "a night stands in it twice",
            advice="`rlsmove study check` says which; correct it first",
        )
    added = 0
    header = [*table.header]
    for entry in diary.nights:
        code = codes.get(entry.participant_id)
        if code is None:
            diary.problem(
                entry.row, "", f"nobody called {entry.participant_id!r}",
                "a person of participants.tsv",
            )  # fmt: skip
            continue
        key = (code, entry.night.isoformat())
        if key not in rows:
            rows[key] = {"participant_id": key[0], "night": key[1]}
            added += 1
        row = rows[key]
        for column, value in entry.cells.items():
            stands = row.get(column) or MISSING
            if stands.lower() != MISSING and not _same(stands, value):
                diary.problem(
                    entry.row, column, f"{value} for {key[0]} {key[1]}",
                    f"{stands}, as it stands in nights.tsv (which is kept)",
                )  # fmt: skip
            elif stands.lower() == MISSING:
                row[column] = value
    used = {column for entry in diary.nights for column in entry.cells}
    header += [c for c in _NIGHT_COLUMNS if c in {"participant_id", "night", *used} - set(header)]
    return Filled(table_text(header, rows.values()), len(diary.nights), added)


def _same(one: str, two: str) -> bool:
    return one == two or one.removesuffix(":00") == two.removesuffix(":00") != ""


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    diary : Diary
        As understood.
    filled, added : int
        Nights that got a value, and those of them that nights.tsv did not have.
    written : bool
        Whether nights.tsv was changed: never where there is a problem.
    """

    diary: Diary
    filled: int
    added: int
    written: bool


def import_diary(
    study: Study, path: str | Path, told: DiaryHints, *, dry_run: bool = False
) -> Imported:
    """Fill nights.tsv from a diary.

    Parameters
    ----------
    study : Study
        Whose persons it is of.
    path : str or Path
        CSV or Excel.
    told : DiaryHints
        What the diary does not say itself.
    dry_run : bool
        Whether to write nothing.

    Raises
    ------
    StudyError
        The diary is no such table, or its dates can be read in two ways.
    """
    persons = study.participants
    first, recorded = first_nights(study), known_nights(study)
    codes = match_codes(diary_persons(Path(path), told), persons)
    codes |= {persons[0]: persons[0]} if len(persons) == 1 else {}
    diary = read_diary(
        Path(path),
        told,
        first_nights={as_written: first[c] for as_written, c in codes.items() if c in first},
        recorded={as_written: recorded.get(c, set()) for as_written, c in codes.items()},
        sole_person=persons[0] if len(persons) == 1 else None,
    )
    filled = fill_nights(study, diary, codes)
    written = not diary.problems and not dry_run
    if written:
        write_tables(study.path, {"nights.tsv": filled.text}, what=f"diary {Path(path).name}")
    return Imported(diary, filled.filled, filled.added, written)


def known_nights(study: Study) -> dict[str, set[date]]:
    """Evenings of each person in nights.tsv."""
    nights: dict[str, set[date]] = defaultdict(set)
    for row in study.tables["nights.tsv"].rows:
        if "participant_id" in row.cells and "night" in row.cells:
            nights[row.cells["participant_id"]].add(row.cells["night"])
    return nights


def first_nights(study: Study) -> dict[str, date]:
    """First night of each person: of participants.tsv, else the first in nights.tsv."""
    first = {person: min(nights) for person, nights in known_nights(study).items()}
    for row in study.tables["participants.tsv"].rows:
        if "participant_id" in row.cells and "first_night" in row.cells:
            first[row.cells["participant_id"]] = row.cells["first_night"]
    return first


def understood_lines(diary: Diary) -> Iterator[str]:
    """Say what was understood of a diary, a line a column, and what its first nights are."""
    yield f"{diary.path}: {diary.layout or 'not understood'}, {len(diary.nights)} night(s)"
    for column, source in diary.understood:
        yield f"  {column} <- {source}"
    if diary.unused:
        yield f"  not used: {', '.join(diary.unused)}"
    for night in diary.nights[:3]:
        cells = ", ".join(f"{column} {value}" for column, value in night.cells.items())
        yield f"  {night.participant_id} {night.night}: {cells}"
