"""The tables of a batch: nights.csv, failures.csv, provenance.json, and the cohort's store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rlsmove.batch.cohort_store import write_cohort_store
from rlsmove.batch.finished_nights import clear_leftovers, night_folder
from rlsmove.errors import RlsmoveError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text, plain
from rlsmove.io.provenance import provenance_of_digests, sha256_of
from rlsmove.results.nights_csv import NIGHTS_FILE, nights_csv
from rlsmove.review import reviewed_indices
from rlsmove.rules import RuleSet
from rlsmove.scoring import INDICES
from rlsmove.study.plan import PLAN
from rlsmove.study.table_extent import PROVENANCE, TableExtent, read_extent

FAILURES = "failures.csv"

FAILURE_COLUMNS = ("participant_id", "night", "file", "code", "sentence")


def write_tables(
    derived: Path,
    rows: Iterable[Mapping[str, Any]],
    failures: Iterable[Mapping[str, str]],
    inputs: Mapping[str, str],
    rules: RuleSet,
    *,
    complete: bool,
    expected: int,
) -> None:
    """Write everything that stands beside the nights' folders.

    A table that says more stays: one of a batch that had come to its end until another has, and
    one of a batch that was cut short until another has got as far.

    Parameters
    ----------
    derived : Path
        Folder of the results.
    rows : iterable of mapping
        Of nights.csv.
    failures : iterable of mapping
        By `FAILURE_COLUMNS`.
    inputs : mapping of str to str
        Digest of each recording, by its name.
    rules : RuleSet
        What was scored by.
    complete : bool
        Whether the batch has come to its end.
    expected : int
        How many nights there should be, as far as it is known.

    Raises
    ------
    OutputError
        A file cannot be written.
    StudyError
        The files of a night are gone.
    """
    clear_leftovers(derived)
    rows = list(rows)
    if not complete and _says_more(derived, len(rows)):
        return
    rows = [_reviewed(row, derived) for row in rows]
    rows = sorted(rows, key=lambda row: (row["participant_id"], row["night"], row["file"]))
    settings = {"rules": rules.options()}
    write_files(
        {
            derived / PROVENANCE: json_text(
                {
                    **provenance_of_digests(sorted(inputs.items()), settings),
                    **TableExtent(complete, len(rows), max(expected, len(rows))).as_written(),
                    "plan_digests": _plan_digests(derived),
                }
            ),
            derived / FAILURES: failures_csv(failures),
            derived / NIGHTS_FILE: nights_csv(rows),
        }
    )
    write_cohort_store(derived, rows, complete=complete)


def _says_more(derived: Path, nights: int) -> bool:
    """Whether the table that is there is complete, or has more nights."""
    earlier = read_extent(derived)
    if earlier is None or not (derived / NIGHTS_FILE).exists():
        return False
    return earlier.complete or earlier.nights > nights


def _plan_digests(derived: Path) -> list[str]:
    """Digests of the plans that results were made under, the present one last.

    They witness later which plan there was when results existed.
    """
    try:
        seen = json.loads((derived / PROVENANCE).read_text(encoding="utf-8"))["plan_digests"]
        before = [str(digest) for digest in seen]
    except (OSError, ValueError, KeyError, TypeError):
        before = []
    plan = derived.parent / PLAN
    now = [sha256_of(plan)] if plan.is_file() else []
    return [digest for digest in before if digest not in now] + now


def _reviewed(row: Mapping[str, Any], derived: Path) -> dict[str, Any]:
    """A row with the indices as a reviewer left them, where the night was reviewed."""
    if row["status"] == "failed":
        return dict(row)
    try:
        indices = reviewed_indices(night_folder(derived, row["participant_id"], row["night"]))
    except RlsmoveError as error:
        code = ";".join(filter(None, [row["code"], "review_unusable"]))
        sentence = "; ".join(filter(None, [row["sentence"], str(error)]))
        return {**row, "status": "warned", "code": code, "sentence": sentence}
    if indices is None:
        return dict(row)
    return {**row, "reviewed": "yes", **{i.name: plain(indices[i.name]) for i in INDICES}}


def failures_csv(failures: Iterable[Mapping[str, str]]) -> str:
    """Write what came to nothing as CSV text, sorted."""
    lines = sorted([failure[column] for column in FAILURE_COLUMNS] for failure in failures)
    return _csv_text([list(FAILURE_COLUMNS), *lines])


def _csv_text(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()
