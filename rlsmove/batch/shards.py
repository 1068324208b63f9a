"""Parts of a batch that run on several machines, and their merging into one."""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsmove.batch.cohort_tables import write_tables
from rlsmove.batch.finished_nights import clear_leftovers
from rlsmove.batch.tasks import Failure, failed_row
from rlsmove.batch.work_list import Person, WorkList, read_work_list
from rlsmove.errors import OutputError, SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.provenance import program_version
from rlsmove.rules import RuleSet
from rlsmove.study.folder import read_json

SHARDS, MANIFEST = "shards", "manifest.json"

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

    def part_of(self, codes: Sequence[str]) -> list[str]:
        """The persons of this part: every n-th of the manifest, whatever machine asks."""
        return list(codes[self.number - 1 :: self.of])


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


def part_of_persons(work: WorkList, shard: Shard) -> tuple[Person, ...]:
    """The persons of one part, by the manifest that all parts of a batch share.

    The part that begins first freezes who is in the batch; who is added to the study later is in
    none of its parts, and `merge_shards` says so. Once all parts have come to their end the next
    one to begin freezes anew.

    Raises
    ------
    StudyError
        Other parts of the same folder were cut in another way.
    OutputError
        The manifest cannot be written.
    """
    path = work.derived / SHARDS / MANIFEST
    codes = [person.participant_id for person in work.persons]
    frozen = _read_manifest(path)
    if frozen is not None and frozen != {"of": shard.of, "persons": codes}:
        left = [path.parent / _name_of(n, frozen["of"]) for n in range(1, frozen["of"] + 1)]
        if all(record.exists() and read_json(record).get("complete") for record in left):
            frozen = None
            for old in [path, *left]:
                old.unlink(missing_ok=True)
    if frozen is None:
        _freeze(path, {"of": shard.of, "persons": codes})
        frozen = _read_manifest(path) or {"of": shard.of, "persons": codes}
    if frozen["of"] != shard.of:
        raise StudyError(
            path,
            f"the batch was begun in {frozen['of']} parts",
            expected=f"{shard.number}/{frozen['of']}, or all its parts at their end",
            advice=f"Remove {path.parent} to begin anew; finished nights stay",
        )
    own = {*shard.part_of(frozen["persons"])}
    return tuple(person for person in work.persons if person.participant_id in own)


def _name_of(number: int, of: int) -> str:
    return f"shard-{number}-of-{of}.json"


def _read_manifest(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    found = read_json(path)
    if not isinstance(found.get("of"), int) or not isinstance(found.get("persons"), list):
        raise StudyError(path, "it is no manifest of a batch's parts", advice=f"Remove {path}")
    return found


def _freeze(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest unless another part was first: a link is made by one of them alone."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json_text(manifest), encoding="utf-8")
        with suppress(FileExistsError):
            os.link(partial, path)
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


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
    name = _name_of(shard.number, shard.of)
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
    frozen = _read_manifest(work.derived / SHARDS / MANIFEST)
    of, records = _read_records(work.derived / SHARDS)
    codes = frozen["persons"] if frozen else [person.participant_id for person in work.persons]
    persons = {person.participant_id: person for person in work.persons}
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
        for code in Shard(number, of).part_of(codes):
            if code not in finished:
                lost = _lost_rows(persons.get(code, Person(code, (), None)), failure)
                rows += [row for row in lost if (row["participant_id"], row["night"]) not in there]
    added = [code for code in persons if code not in codes]
    late = Failure("not_in_parts", "added to the study after its parts had been begun")
    for code in added:
        rows += _lost_rows(persons[code], late)
        failures.append(
            {"participant_id": code, "night": "", "file": "", "code": late.code,
             "sentence": f"{late.sentence}: run all parts again"}
        )  # fmt: skip
    write_tables(
        work.derived,
        rows,
        failures,
        inputs,
        work.rules,
        complete=not missing and not unfinished and not added,
        expected=len(rows),
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
