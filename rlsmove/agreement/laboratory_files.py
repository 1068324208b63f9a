"""Nights of a laboratory and of a sensor from their files, each to its comparison."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rlsmove.agreement.laboratory_night import LaboratoryNight, compare_night
from rlsmove.devices.told import Told
from rlsmove.errors import EventListError, SettingError
from rlsmove.events.event_lists import Events, events_of_evening, read_one_night
from rlsmove.events.labels import LabelTable
from rlsmove.events.laboratory import read_laboratory
from rlsmove.night.analysis import NightResult, analyse_night
from rlsmove.night.chosen_nights import choose_nights
from rlsmove.night.opened_leg import Leg, open_leg
from rlsmove.rules import RuleSet

TABLE_COLUMNS = ("night", "psg", "left", "right", "sleep", "second")


@dataclass(frozen=True)
class LaboratoryFiles:
    """The files of one night.

    Attributes
    ----------
    name : str
        The night.
    psg : Path
        Events or EDF of the laboratory.
    left, right : Path or None
        Recordings; at least one.
    sleep : Path or None
        Stages, where the first file has none.
    second : Path or None
        A second scorer's list, on the clock of `psg`.
    """

    name: str
    psg: Path
    left: Path | None = None
    right: Path | None = None
    sleep: Path | None = None
    second: Path | None = None


def read_table(path: Path) -> list[LaboratoryFiles]:
    """Read a table of nights: ``night, psg, left, right, sleep, second``, paths beside it.

    Raises
    ------
    EventListError
        A column or a cell is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EventListError(path, f"cannot be read ({error})", expected="a table") from error
    first = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    if "psg" not in (reader.fieldnames or ()):
        raise EventListError(
            path, "no column psg", place="row 1", expected=", ".join(TABLE_COLUMNS)
        )
    nights: list[LaboratoryFiles] = []
    for row in reader:
        files = {
            name: path.parent / cell.strip()
            for name in TABLE_COLUMNS[1:]
            if (cell := row.get(name) or "").strip() not in ("", "n/a")
        }
        if "psg" not in files or not files.keys() & {"left", "right"}:
            raise EventListError(
                path,
                "a night without psg, or without left and right",
                place=f"row {reader.line_num}",
                expected="the laboratory's file and at least one recording",
            )
        nights.append(LaboratoryFiles(row.get("night") or str(len(nights) + 1), **files))
    if not nights:
        raise EventListError(path, "no night", expected="a row a night")
    return nights


def compare_files(
    files: LaboratoryFiles,
    rules: RuleSet,
    labels: LabelTable,
    *,
    tolerance_s: float,
    channels: Sequence[str] = (),
    told: Callable[[str], Told] | None = None,
    progress: Callable[[float], None] | None = None,
) -> LaboratoryNight:
    """Compare one night from its files.

    Parameters
    ----------
    files : LaboratoryFiles
        The night.
    rules : RuleSet
        What both are scored by.
    labels : LabelTable
        What labels mean.
    tolerance_s : float
        Largest difference of matched onsets.
    channels : sequence of str
        Channels of leg EMG, by name.
    told : callable, optional
        What was told of the recording of a side.
    progress : callable, optional
        Called with the fraction of a recording read.
    """
    cases = read_laboratory(files.psg, labels, channels=channels, sleep_path=files.sleep)
    legs = [
        open_leg(path, side, progress, told=told(side) if told is not None else Told())
        for side, path in (("left", files.left), ("right", files.right))
        if path is not None
    ]
    if not legs:
        raise SettingError("--psg", "no recording", expected="--left FILE, --right FILE or both")
    result = _night_of(files.psg, legs, cases, rules, progress)
    second = None if files.second is None else read_one_night(files.second, labels)
    return compare_night(files.name, result, rules, tolerance_s, second)


def _night_of(
    path: Path,
    legs: list[Leg],
    cases: dict[str, Events],
    rules: RuleSet,
    progress: Callable[[float], None] | None,
) -> NightResult:
    """The night that the laboratory saw: by its date, else the one whose movements fit best."""
    evenings = choose_nights(legs)
    dates = {
        (events.start_time - timedelta(hours=12)).date()
        for events in cases.values()
        if events.start_time is not None
    }
    likely: list[date] = [evening for evening in evenings if evening in dates] or evenings
    if not likely:
        raise SettingError(legs[0].recording.path, "no night", expected="a recording of a night")

    def pairs(result: NightResult) -> int:
        placed = result.placed
        return placed.clock.n_pairs if placed is not None and placed.clock is not None else -1

    results = (
        analyse_night(
            legs,
            evening,
            events=events_of_evening(path, cases, evening),
            rules=rules,
            progress=progress,
        )
        for evening in likely
    )
    return max(results, key=pairs)
