"""Parts of a batch that run on several machines, and their merging into one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsmove.batch.cohort_tables import write_tables
from rlsmove.batch.finished_nights import clear_leftovers
from rlsmove.batch.tasks import Failure, failed_row
from rlsmove.batch.work_list import Person, read_work_list
from rlsmove.errors import SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.provenance import program_version
from rlsmove.rules import RuleSet
from rlsmove.study.folder import read_json

SHARDS = "shards"

_NAME = re.compile(r"shard-(\d+)-of-(\d+)\.json")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a batch.

    Attributes
    ----------
    number, of : int
        From 1 to `of`.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Make it from ``i/n``.

        Raises
        ------
        SettingError
            It is not of that form.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        number, of = (int(part) for part in found.groups()) if found else (0, 0)
        if not 1 <= number <= of:
            raise SettingError(
                "--shard", repr(text), expected="i/n with i from 1 to n, such as 2/8"
            )
        return cls(number, of)

    def part_of(self, persons: Sequence[Person]) -> tuple[Person, ...]:
        """The persons of this part: every n-th, whatever machine asks."""
        return tuple(persons[self.number - 1 :: self.of])


@dataclass(frozen=True)
class Merged:
    """What a merge found.

    Attributes
    ----------
    rows : list of dict
        Of nights.csv.
    failures : list of mapping
        Of failures.csv.
    missing, unfinished : list of int
        Numbers of shards that have left no record, or were cut short.
    """

    rows: list[dict[str, Any]]
    failures: list[Mapping[str, str]]
    missing: list[int]
    unfinished: list[int]


def write_shard(
    derived: Path,
    rows: Iterable[Mapping[str, Any]],
    failures: Iterable[Mapping[str, str]],
    inputs: Mapping[str, str],
    rules: RuleSet,
    *,
    shard: Shard,
    finished: Iterable[str],
    complete: bool,
) -> None:
    """Write the record of one part, from which `merge_shards` puts the whole together.

    Parameters
    ----------
    derived, rows, failures, inputs, rules, complete
        As of `cohort_tables.write_tables`.
    shard : Shard
        Which part.
    finished : iterable of str
        Codes of the persons all of whose nights are among the rows.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    folder = derived / SHARDS
    name = f"shard-{shard.number}-of-{shard.of}.json"
    clear_leftovers(folder, name)
    record = {
        "program": "rlsmove",
        "version": program_version(),
        "rules": rules.options(),
        "complete": complete,
        "finished": sorted(finished),
        "rows": sorted(rows, key=lambda row: (row["participant_id"], row["night"], row["file"])),
        "failures": list(failures),
        "inputs": dict(sorted(inputs.items())),
    }
    write_files({folder / name: json_text(record)})


def merge_shards(
    source: str | Path, *, out: Path | None = None, rules_name: str | None = None
) -> Merged:
    """Put the parts of a batch together, also when some of them are missing.

    Parameters
    ----------
    source : str or Path
        The study folder, folder or glob that every part was given.
    out, rules_name
        As every part was given them.

    Returns
    -------
    Merged
        With a failed row for each night of a part that is missing, so that it is named.

    Raises
    ------
    StudyError
        There is no part at all, or the parts do not belong together.
    OutputError
        The tables cannot be written.
    """
    work = read_work_list(source, out=out, rules_name=rules_name)
    of, records = _read_records(work.derived / SHARDS)
    missing = [number for number in range(1, of + 1) if number not in records]
    unfinished = [number for number, record in records.items() if not record["complete"]]
    rows = [row for record in records.values() for row in record["rows"]]
    failures = [*work.failures, *(f for record in records.values() for f in record["failures"])]
    inputs = {file: sha for record in records.values() for file, sha in record["inputs"].items()}
    there = {(row["participant_id"], row["night"]) for row in rows}
    for number in sorted([*missing, *unfinished]):
        told = "has left no record" if number in missing else "did not come to its end"
        failure = Failure("shard_missing", f"part {number} of {of} {told}")
        finished = records[number]["finished"] if number in records else ()
        for person in Shard(number, of).part_of(work.persons):
            if person.participant_id not in finished:
                lost = _lost_rows(person, failure)
                rows += [row for row in lost if (row["participant_id"], row["night"]) not in there]
    write_tables(
        work.derived,
        rows,
        failures,
        inputs,
        work.rules,
        complete=not missing and not unfinished,
    )
    return Merged(rows, failures, missing, unfinished)


def _read_records(folder: Path) -> tuple[int, dict[int, dict[str, Any]]]:
    """How many parts there should be, and the records that are there, by number."""
    advice = "Each part is run with `rlsmove batch STUDY --shard i/n`"
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for path in sorted(folder.glob("shard-*.json")):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            number, of = (int(part) for part in name.groups())
            found.setdefault(of, {})[number] = read_json(path)
    if not found:
        raise StudyError(folder, "no part of a batch has left a record here", advice=advice)
    if len(found) > 1:
        counts = " and of ".join(str(of) for of in sorted(found))
        raise StudyError(
            folder,
            f"there are parts of {counts}",
            expected="one way of cutting the batch into parts",
            advice="Remove the records that are out of date",
        )
    ((of, records),) = found.items()
    made_by = {
        number: (record.get("version"), json_text(record.get("rules")))
        for number, record in records.items()
    }
    usual = Counter(made_by.values()).most_common(1)[0][0]
    odd = [f"{number}/{of}" for number, by in sorted(made_by.items()) if by != usual]
    if odd:
        raise StudyError(
            folder,
            f"part {', '.join(odd)} was run by another version or other rules than the rest",
            advice="Run it again as the others were run",
        )
    return of, dict(sorted(records.items()))


def _lost_rows(person: Person, failure: Failure) -> list[dict[str, Any]]:
    """Rows for what the diary, or else the recordings, promise of a person."""
    files = ";".join(file.name for file in person.recordings)
    evenings = list(person.diary or {}) or [""]
    return [
        failed_row(person.participant_id, evening, "", "" if evening else files, failure)
        for evening in evenings
    ]
