"""Stages of sleep in words or numbers, and lists of nothing but stages.

Numbers have two codes: 0 to 3 for wake and N1 to N3, and then either 4 for REM (YASA and others)
or, by Rechtschaffen and Kales, 4 for stage 4 and 5 for REM. Which one, a file with a 5 tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.records import Notice
from rlsmove.rules import STAGE_EPOCH_MS

_NUMBER = re.compile(r"-?\d(\.0*)?")
_TO_FOUR = ("W", "N1", "N2", "N3", "R")
_TO_FIVE = ("W", "N1", "N2", "N3", "N3", "R")
#: Lines before the stages, such as those of Elan and Visbrain, are at most so many.
_HEAD_LINES = 8
_EPOCH_LENGTH = re.compile(
    r"^[#*\s]*(?:epoch\s*(?:length|duration|s)?|time_?base|rate|unit)\D*?([\d.]+)\s*(s|sec.*|ms)?$",
    re.IGNORECASE,
)


class StageReader:
    """Says what a word or a number means as a stage, for one file.

    Parameters
    ----------
    texts : sequence of str
        All that stand in the file, which tell the code of the numbers.
    labels : LabelTable
        What words mean.
    to_five : bool
        Whether the format is known to have REM as 5.

    Attributes
    ----------
    notices : list of Notice
        What was guessed.
    """

    def __init__(self, texts: Sequence[str], labels: LabelTable, *, to_five: bool = False) -> None:
        self._labels = labels
        numbers = {int(float(text)) for text in texts if _NUMBER.fullmatch(text.strip())}
        self._numbers = _TO_FIVE if to_five or 5 in numbers else _TO_FOUR
        self.notices: list[Notice] = []
        if 4 in numbers and self._numbers is _TO_FOUR:
            self.notices.append(
                Notice(
                    "stage_numbers",
                    "stage 4 is taken for REM, since no 5 occurs; where it is stage 4 of "
                    "Rechtschaffen and Kales, a table of labels (4,stage,N3) says so.",
                )
            )

    def find(self, text: str) -> Label | None:
        """Say what a text means that may be a stage; None where it is none."""
        text = text.strip()
        if _NUMBER.fullmatch(text):
            told = self._labels.find(text)
            if told is not None:
                return told
            number = int(float(text))
            if 0 <= number < len(self._numbers):
                return Label("stage", self._numbers[number])
            return Label("stage", "unscored")
        return self._labels.find_stage(text)


def stage_lines(text: str, labels: LabelTable) -> list[tuple[int, str]] | None:
    """Find the stages of a list with one a line; None where the text is no such list.

    Returns
    -------
    list of (int, str)
        Number of the line and what stands there; a number before the stage is the epoch's.
    """
    lines = [
        (n, line.strip()) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1)
    ]
    filled = [(n, line) for n, line in lines if line]
    reader = StageReader([line for _, line in filled], labels)
    for skipped in range(min(len(filled), _HEAD_LINES) + 1):
        rows = filled[skipped:]
        found = [(n, _last_word(line)) for n, line in rows]
        if rows and all(_is_stage(reader, word) for _, word in found):
            return found
    return None


def _is_stage(reader: StageReader, word: str) -> bool:
    label = reader.find(word)
    return label is not None and label.kind == "stage"


def _last_word(line: str) -> str:
    """The stage of a line that may have the number of the epoch before it."""
    found = re.fullmatch(r"\d+\s*[\t,; ]\s*(.+)", line)
    return (found[1] if found else line).strip(" ,;\"'")


def read_stage_lines(
    path: Path, text: str, lines: list[tuple[int, str]], labels: LabelTable
) -> MarkList:
    """Read a list of stages from `stage_lines`, an epoch each from 0 s on.

    Raises
    ------
    EventListError
        The head gives a length of an epoch that none can have.
    """
    epoch_ms = STAGE_EPOCH_MS
    notices = []
    head = text.lstrip("\ufeff").splitlines()[: lines[0][0] - 1]
    told = next((found for line in head if (found := _EPOCH_LENGTH.match(line.strip()))), None)
    if told is not None:
        epoch_ms = round(float(told[1]) * (1 if told[2] == "ms" else 1000))
        if not 1000 <= epoch_ms <= 300_000:
            raise EventListError(
                path, f"epochs of {epoch_ms / 1000:g} s", place="head", expected="1 to 300 s"
            )
    else:
        sentence = (
            f"a list of {len(lines)} stages without times: an epoch of {epoch_ms // 1000} s each, "
            "from the start of the recording."
        )
        notices.append(Notice("epochs_of_30_s", sentence))
    reader = StageReader([word for _, word in lines], labels)
    marks = [
        Mark(line, word, *(reader.find(word) or Label("unknown", "")), number * epoch_ms, epoch_ms)
        for number, (line, word) in enumerate(lines)
    ]
    return MarkList(path, "line", {"": marks}, None, None, (*notices, *reader.notices))
