"""How much of a batch is in its table of nights, by the batch itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsmove.errors import StudyError
from rlsmove.study.folder import RESULTS, Study, read_json

#: Stands beside nights.csv.
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class TableExtent:
    """How far a batch had come when it wrote its table.

    Attributes
    ----------
    complete : bool
        Whether it had come to its end.
    nights, expected : int
        Rows that it wrote, and how many there should be, as far as it was known.
    """

    complete: bool
    nights: int
    expected: int

    def as_written(self) -> dict[str, Any]:
        """What stands in provenance.json."""
        return {
            "complete": self.complete,
            "nights": self.nights,
            "nights_expected": self.expected,
        }

    def why_incomplete(self, rows: int) -> str:
        """Say why a table of so many rows is not all that there should be; empty if it is."""
        if rows < self.nights:
            return (
                f"{RESULTS} has {rows} of the {self.nights} nights that the batch wrote into it: "
                "`rlsmove batch` makes it anew"
            )
        if not self.complete:
            return (
                f"{RESULTS} is not complete: it has {rows} of {max(self.expected, rows)} nights, "
                "as far as it is known; `rlsmove batch` goes on where it stopped"
            )
        return ""


def read_extent(derived: Path) -> TableExtent | None:
    """Read how far a batch had come; None where there was none, or nothing says it."""
    try:
        written: Mapping[str, Any] = read_json(derived / PROVENANCE)
    except StudyError:
        return None
    complete, nights = written.get("complete"), written.get("nights")
    expected = written.get("nights_expected")
    if isinstance(complete, bool) and isinstance(nights, int) and isinstance(expected, int):
        return TableExtent(complete, nights, expected)
    return None


def why_incomplete(study: Study) -> str:
    """Say why a study's table of nights is not all that there should be; empty if it is."""
    extent = read_extent((study.path / RESULTS).parent)
    if study.results is None or extent is None:
        return ""
    return extent.why_incomplete(len(study.results.rows))
