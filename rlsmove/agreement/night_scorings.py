"""Nights as somebody scored them, read from event lists, movements.csv or folders of either."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rlsmove.errors import EventListError, ResultError
from rlsmove.events.event_lists import read_events
from rlsmove.events.labels import LabelTable
from rlsmove.events.scored_events import score_events
from rlsmove.records import LEG_MOVEMENT, BoolArray, IntArray, Scoring
from rlsmove.results.movements_csv import MOVEMENTS_FILE, is_movements_csv, read_movements
from rlsmove.results.night_json import RECORD_FILE, read_night_json
from rlsmove.results.nights_csv import NIGHTS_FILE
from rlsmove.rules import RuleSet

_LIST_SUFFIXES = (".csv", ".tsv", ".edf", ".annot", ".txt", ".xml", ".rml")


@dataclass(frozen=True)
class NightScoring:
    """Scored leg movements of one night, sorted by onset; arrays of length n.

    Attributes
    ----------
    onset_ms, offset_ms : ndarray of int64
        Start and end.
    clm, plm : ndarray of bool
        Candidates, and periodic movements.
    indices : dict
        Index values by name, as far as they are known.
    start_time : datetime or None
        Wall time at which onsets count from.
    """

    onset_ms: IntArray
    offset_ms: IntArray
    clm: BoolArray
    plm: BoolArray
    indices: dict[str, Any] = field(default_factory=dict)
    start_time: datetime | None = None


def read_scored_nights(path: Path, rules: RuleSet, labels: LabelTable) -> dict[str, NightScoring]:
    """Read scored nights by name: an event list, movements.csv, or a folder of either.

    Parameters
    ----------
    path : Path
        A file, a folder that holds movements.csv, or one of event lists and such folders.
    rules : RuleSet
        What event lists are scored by; movements.csv is taken as it stands.
    labels : LabelTable
        What the labels of event lists mean.

    Raises
    ------
    EventListError
        A file cannot be read, or the folder holds nothing to read.
    """
    if path.is_dir():
        nights: dict[str, NightScoring] = {}
        for file, name in _files_of(path):
            for case, night in read_scored_nights(file, rules, labels).items():
                nights["/".join(part for part in (name, case) if part)] = night
        if not nights:
            raise EventListError(path, "no event list", expected="event lists or movements.csv")
        return nights
    if not path.is_file():
        raise EventListError(path, "there is no such file", expected="a file or a folder")
    if is_movements_csv(path):
        return _of_movements_csv(path)
    return {
        case: _table_of(night.scoring, dict(night.indices), events.start_time)
        for case, events in read_events(path, labels).items()
        for night in (score_events(events, rules),)
    }


def _files_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files to read in a folder, each with the name of its night."""
    if (folder / MOVEMENTS_FILE).is_file():
        yield folder / MOVEMENTS_FILE, ""
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and (entry / MOVEMENTS_FILE).is_file():
            yield entry / MOVEMENTS_FILE, entry.name
        elif entry.is_file() and entry.suffix.lower() in _LIST_SUFFIXES:
            yield entry, entry.stem


def _table_of(
    scoring: Scoring, indices: dict[str, Any], start_time: datetime | None
) -> NightScoring:
    lm = scoring.kind == LEG_MOVEMENT
    return NightScoring(
        scoring.onset_ms[lm],
        (scoring.onset_ms + scoring.duration_ms)[lm],
        scoring.clm[lm] == 1,
        scoring.plm[lm] == 1,
        indices,
        start_time,
    )


def _of_movements_csv(path: Path) -> dict[str, NightScoring]:
    """Movements as they stand; the indices come from the files beside, else counts alone."""
    beside = _indices_beside(path.parent)
    nights = {}
    for case, table in read_movements(path).items():
        night = _table_of(table.scoring, {}, table.start_time)
        counts = {
            "lm_count": len(night.onset_ms),
            "clm_count": int(night.clm.sum()),
            "plm_count": int(night.plm.sum()),
        }
        nights[case] = replace(night, indices={**counts, **beside.get(case, {})})
    return nights


def _indices_beside(folder: Path) -> dict[str, dict[str, Any]]:
    """Indices of night.json or nights.csv in a folder, by case; empty where there are none."""
    if (folder / RECORD_FILE).is_file():
        return {"": dict(read_night_json(folder / RECORD_FILE)["indices"])}
    nights = folder / NIGHTS_FILE
    if not nights.is_file():
        return {}
    try:
        with nights.open(newline="", encoding="utf-8") as file:
            return {
                row.pop("case", ""): {name: _number(cell) for name, cell in row.items()}
                for row in csv.DictReader(file)
            }
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise ResultError(
            nights, f"cannot be read ({error})", expected="a file as rlsmove writes it"
        ) from error


def _number(cell: str | None) -> float | None:
    """A single number; None for an empty cell and for a list."""
    return float(cell) if cell and ";" not in cell else None
