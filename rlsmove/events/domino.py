"""Events of SOMNOmedics DOMINO: one text file a signal, in the language of the program.

A head of ``Key: value`` lines (``Signal ID``, ``Start Time``, ``Signal Type``, ``Rate``), then
rows: of a ``Discret`` signal ``22:00:30,000; N2``, a value from that time on, an epoch long; of an
``Impuls`` signal ``22:00:40,100-22:00:42,200; 2;PLM li.``, perhaps with the date before the first
time.
"""

from __future__ import annotations

import re
from pathlib import Path

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable, side_named
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.events.written_times import DAY_MS, WrittenTime, date_order, placed_times, read_time
from rlsmove.rules import STAGE_EPOCH_MS

_RATE = re.compile(r"([\d.,]+)\s*(ms|s|min)?", re.IGNORECASE)
_RATE_MS = {"ms": 1, "s": 1000, "min": 60_000}


def is_domino(text: str) -> bool:
    """Whether a text begins like an export of DOMINO."""
    return re.match(r"\ufeff?\s*Signal[ -]?ID\s*:", text, re.IGNORECASE) is not None


def read_domino_marks(path: Path, text: str, labels: LabelTable) -> MarkList:
    """Read one exported signal.

    Raises
    ------
    EventListError
        The signal holds values and no events, or a time cannot be read.
    """
    lines = text.lstrip("\ufeff").splitlines()
    head: dict[str, str] = {}
    below = 0
    for number, line in enumerate(lines):
        key, sign, value = line.partition(":")
        if not sign or re.match(r"\s*\d", line):
            if line.strip():
                break
            below = number + 1
            if head and not line.strip() and "signal type" in head:
                break
            continue
        head[" ".join(key.lower().split())] = value.strip()
        below = number + 1
    signal = head.get("signal id", "")
    sort = head.get("signal type", "").lower()
    if sort not in ("discret", "discrete", "impuls", "impulse"):
        raise EventListError(
            path,
            f"a DOMINO export of '{signal}' of signal type '{head.get('signal type', '')}'",
            expected="signal type Discret (a sleep profile) or Impuls (events)",
        )
    rows = [
        (number, [cell.strip() for cell in line.split(";")])
        for number, line in enumerate(lines[below:], start=below + 1)
        if line.strip()
    ]
    if not rows:
        raise EventListError(
            path, f"a DOMINO export of '{signal}' without a row", expected="events"
        )
    starts = [re.split(r"\s*-\s*(?=\d{1,2}:)", cells[0])[0] for _, cells in rows]
    order, guesses = date_order([head.get("start time", ""), *starts])
    times = []
    for (number, _), start in zip(rows, starts, strict=True):
        time = read_time(start, order)
        if time is None or time.sort == "elapsed":
            raise EventListError(
                path, f"the time '{start}'", place=f"row {number}", expected="such as 22:00:40,100"
            )
        times.append(time)
    origin = read_time(head.get("start time", ""), order)
    placed = placed_times(times, origin=origin, first_is_start=True)
    discrete = sort.startswith("discret")
    marks = []
    epoch_ms = _epoch_ms(head.get("rate", ""))
    for (number, cells), onset_ms, time in zip(rows, placed.onset_ms, times, strict=True):
        if discrete:
            value = cells[1] if len(cells) > 1 else ""
            label = labels.find_stage(value) or Label("unknown", "")
            marks.append(Mark(number, value, *label, onset_ms, epoch_ms))
            continue
        value = next((cell for cell in cells[1:] if re.search(r"[^\W\d_]", cell)), "")
        label = labels.find(value) or Label("unknown", "")
        if label.kind == "lm" and label.meaning == "unknown":
            label = Label("lm", side_named(signal))
        marks.append(Mark(number, value, *label, onset_ms, _length_ms(cells, time, head, order)))
    return MarkList(
        path,
        "row",
        {"": marks},
        placed.start_time,
        None,
        (*guesses, *placed.notices),
        clock_ms=placed.clock_ms,
    )


def _length_ms(
    cells: list[str], start: WrittenTime, head: dict[str, str], order: str
) -> int | None:
    """Length of an event: from its start to its end, else as the second cell has it."""
    parts = re.split(r"\s*-\s*(?=\d{1,2}:)", cells[0])
    end = read_time(parts[-1], order) if len(parts) > 1 else None
    if end is not None:
        return (end.ms - start.ms) % DAY_MS
    found = _RATE.match(cells[1]) if len(cells) > 1 else None
    if found is None:
        return None
    return round(float(found[1].replace(",", ".")) * _RATE_MS.get(head.get("unit", "s"), 1000))


def _epoch_ms(rate: str) -> int:
    found = _RATE.match(rate)
    if found is None:
        return STAGE_EPOCH_MS
    return round(float(found[1].replace(",", ".")) * _RATE_MS[(found[2] or "s").lower()])
