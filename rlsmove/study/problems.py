"""Something wrong in a study's files, with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One finding of the validator.

    Attributes
    ----------
    file : str
        The file, relative to the study folder.
    row : int
        Line of the file, the header being 1; 0 where the finding is not of one row.
    column : str
        Empty where the finding is not of one column.
    found, expected : str
        What is there, and what should be.
    only_notice : bool
        True for what is allowed but should be known, such as a night of a clock change.
    """

    file: str
    row: int = 0
    column: str = ""
    found: str = ""
    expected: str = ""
    only_notice: bool = False

    def __str__(self) -> str:
        place = [f"row {self.row}"] if self.row else []
        place += [self.column] if self.column else []
        sentence = ": ".join([self.file, *([", ".join(place)] if place else []), self.found])
        return f"{sentence}; expected {self.expected}" if self.expected else sentence
