"""Slow, obvious twins of what the package computes fast, for the tests to compare with."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlsmove.rules import RuleSet


@dataclass
class Row:
    """A combined leg movement, as a scorer with a ruler would note it down."""

    onset: int
    offset: int
    legs: list[int]
    lengths: list[int]
    clm: bool = False
    ends: bool = False
    series: int = 0
    imi: int = -1
    skipped: bool = field(default=False)

    @property
    def duration(self) -> int:
        return self.offset - self.onset


def join_one_leg(marks: list[tuple[int, int]], rules: RuleSet) -> list[tuple[int, int]]:
    """(onset, offset) of one leg: joined where the gap is short, then the short ones dropped."""
    joined: list[tuple[int, int]] = []
    for onset, offset in sorted(marks):
        if joined and onset - joined[-1][1] < rules.join_gap_ms:
            joined[-1] = (joined[-1][0], max(joined[-1][1], offset))
        else:
            joined.append((onset, offset))
    return [(a, b) for a, b in joined if b - a >= rules.lm_min_ms]


def combine(marks: list[tuple[int, int, int]], rules: RuleSet) -> list[Row]:
    """Rows of (onset, offset, leg), swept by onset."""
    rows: list[Row] = []
    alone: list[Row] = []
    for onset, offset, leg in sorted(marks, key=lambda m: (m[0], m[1] - m[0], m[2])):
        here = Row(onset, offset, [leg], [offset - onset])
        if rules.long_movements == "ignore" and here.duration > rules.clm_max_ms:
            alone.append(here)
            continue
        if rows:
            last = rows[-1]
            if rules.combine_legs == "gap":
                together = onset < last.offset + rules.combine_within_ms
            else:
                together = leg != last.legs[0] and onset - last.onset < rules.combine_within_ms
            if together:
                last.offset = max(last.offset, offset)
                last.legs.append(leg)
                last.lengths.append(offset - onset)
                continue
        rows.append(here)
    return sorted(rows + alone, key=lambda row: (row.onset, row.duration))


def mark_candidates(rows: list[Row], rules: RuleSet) -> None:
    """Fill in `clm` and `ends`."""
    for row in rows:
        row.clm = all(length <= rules.clm_max_ms for length in row.lengths)
        if len(row.legs) > 1:
            row.clm = row.clm and row.duration <= rules.group_max_ms
            if rules.group_members_max is not None:
                row.clm = row.clm and len(row.legs) <= rules.group_members_max
        row.ends = not row.clm and rules.long_movements == "end_series"


def mark_series(rows: list[Row], gaps: list[tuple[int, int]], rules: RuleSet) -> None:
    """Fill in `series`, `imi` and `skipped`, a candidate after another."""
    run: list[Row] = []
    number = 0
    last: Row | None = None
    broken_before = False
    barred: Row | None = None

    def close() -> None:
        nonlocal number, run
        if len(run) >= rules.series_min_clm:
            number += 1
            for row in run:
                row.series = number
        run = []

    for row in rows:
        if row.ends:
            broken_before = True
        if not row.clm:
            continue
        if last is not None:
            previous = rows[max(i for i, r in enumerate(rows[: rows.index(row)]) if r.clm)]
            if any(a < row.onset and b > previous.onset for a, b in gaps):
                broken_before = True
        if last is None or broken_before:
            close()
            run = [row]
        else:
            row.imi = row.onset - last.onset
            if row.imi < rules.imi_min_ms and rules.short_interval == "skip":
                row.skipped = True
                continue
            if rules.imi_min_ms <= row.imi <= rules.imi_max_ms and barred is not last:
                run.append(row)
            else:
                close()
                run = [row]
                if row.imi < rules.imi_min_ms and rules.strict_start:
                    barred = row
        last = row
        broken_before = False
    close()


def score(
    marks: list[tuple[int, int, int]], gaps: list[tuple[int, int]], rules: RuleSet
) -> list[Row]:
    """All steps on (onset, offset, leg), whatever the legs are numbered."""
    legs = sorted({leg for _, _, leg in marks})
    one_leg = [
        (onset, offset, leg)
        for leg in legs
        for onset, offset in join_one_leg([(a, b) for a, b, own in marks if own == leg], rules)
    ]
    rows = combine(one_leg, rules)
    mark_candidates(rows, rules)
    mark_series(rows, gaps, rules)
    return rows
