"""A night with a reviewer's edits applied to what the detector found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rlsmove.records import (
    LEG_MOVEMENT,
    SIDES,
    BoolArray,
    DetectedLeg,
    DetectedNight,
    Movements,
    Notice,
)
from rlsmove.review.edits import ACCEPT, ADD, CHANGE, REJECT, Edit, in_effect

#: What became of a movement in the review.
UNTOUCHED, ACCEPTED, REJECTED, CHANGED, ADDED = "", "accepted", "rejected", "changed", "added"


@dataclass(frozen=True)
class ReviewedLeg:
    """All movements of one leg, rejected ones too, sorted by onset.

    Attributes
    ----------
    side : int
        Index into `rlsmove.records.SIDES`.
    movements : Movements
        Of length n, with edited times and kinds.
    names : tuple of str
        How edits call each of them.
    states : tuple of str
        What became of each.
    """

    side: int
    movements: Movements
    names: tuple[str, ...]
    states: tuple[str, ...]

    @property
    def counts(self) -> BoolArray:
        """Which movements enter the scoring: all but the rejected ones, shape (n,)."""
        return np.array([state != REJECTED for state in self.states], bool)


@dataclass(frozen=True)
class ReviewedNight:
    """A night as its reviewer left it.

    Attributes
    ----------
    night : DetectedNight
        What enters the scoring.
    legs : tuple of ReviewedLeg
        In the order of the night's legs.
    edits : list of Edit
        Those in effect; without any the night was not reviewed.
    notices : list of Notice
        ``edit_without_movement`` where an edit names what is not there.
    """

    night: DetectedNight
    legs: tuple[ReviewedLeg, ...]
    edits: list[Edit]
    notices: list[Notice]


@dataclass
class _Row:
    """One movement while edits are applied: its row in the detected table, or -1 if added."""

    row: int
    onset_ms: int
    duration_ms: int
    state: str = UNTOUCHED


def movement_names(leg: DetectedLeg) -> list[str]:
    """How edits call the movements of one leg, in their order."""
    side = SIDES[leg.side]
    names: list[str] = []
    for onset_ms in leg.movements.onset_ms.tolist():
        name = f"{side}@{onset_ms / 1000:.3f}"
        while name in names[-3:]:
            name += "'"
        names.append(name)
    return names


def review_night(night: DetectedNight, edits: list[Edit]) -> ReviewedNight:
    """Apply edits to a night, in their order.

    Parameters
    ----------
    night : DetectedNight
        As detected; it stays as it is.
    edits : list of Edit
        As read, undone ones too.

    Returns
    -------
    ReviewedNight
        An accepted movement is a leg movement whatever it was taken for; a rejected one does not
        enter the scoring; the last of several edits of a movement decides.
    """
    effective = in_effect(edits)
    tables = [_rows(leg) for leg in night.legs]
    notices = []
    for edit in effective:
        missing = _apply(edit, tables, [SIDES[leg.side] for leg in night.legs])
        notices += [
            Notice(
                "edit_without_movement",
                f"edit {edit.edit} of {edit.at} ({edit.action}) names {name}, which is not there; "
                "was the night analyzed anew since?",
            )
            for name in missing
        ]
    legs = tuple(_reviewed_leg(leg, table) for leg, table in zip(night.legs, tables, strict=True))
    counted = tuple(
        replace(leg, movements=reviewed.movements.take(reviewed.counts))
        for leg, reviewed in zip(night.legs, legs, strict=True)
    )
    return ReviewedNight(replace(night, legs=counted), legs, effective, notices)


def _rows(leg: DetectedLeg) -> dict[str, _Row]:
    times = zip(leg.movements.onset_ms.tolist(), leg.movements.duration_ms.tolist(), strict=True)
    return {
        name: _Row(row, onset_ms, duration_ms)
        for row, (name, (onset_ms, duration_ms)) in enumerate(
            zip(movement_names(leg), times, strict=True)
        )
    }


def _apply(edit: Edit, tables: list[dict[str, _Row]], sides: list[str]) -> list[str]:
    """Apply one edit to the tables of the legs; return the names that are in none of them."""
    if edit.action == ADD:
        if edit.side not in sides:
            return [str(edit.side)]
        tables[sides.index(edit.side)][f"{edit.side}+{edit.edit}"] = _Row(
            -1, *_times_ms(edit), ADDED
        )
        return []
    missing = []
    for name in edit.movements or ():
        found = next((table[name] for table in tables if name in table), None)
        if found is None:
            missing.append(name)
        elif edit.action == CHANGE:
            found.onset_ms, found.duration_ms = _times_ms(edit)
            found.state = CHANGED
        elif edit.action == ACCEPT:
            found.state = ACCEPTED
        elif edit.action == REJECT:
            found.state = REJECTED
    return missing


def _times_ms(edit: Edit) -> tuple[int, int]:
    assert edit.onset_s is not None
    assert edit.duration_s is not None
    return round(1000 * edit.onset_s), round(1000 * edit.duration_s)


def _reviewed_leg(leg: DetectedLeg, table: dict[str, _Row]) -> ReviewedLeg:
    rows = sorted(table.items(), key=lambda item: (item[1].onset_ms, item[1].duration_ms))
    onset_ms = np.array([row.onset_ms for _, row in rows], np.int64)
    duration_ms = np.array([row.duration_ms for _, row in rows], np.int64)
    states = tuple(row.state for _, row in rows)
    detected = np.array([row.row for _, row in rows], np.int64)
    there = detected >= 0
    movements = Movements.marks(onset_ms, duration_ms, np.full(len(rows), leg.side, np.int8))
    kind = movements.kind.copy()
    as_found = np.array([state in (UNTOUCHED, REJECTED) for state in states], bool) & there
    kind[as_found] = leg.movements.kind[detected[as_found]]
    kind[~as_found] = LEG_MOVEMENT
    measured = {}
    for name in ("peak_g", "tilt_deg", "snr", "probability"):
        measured[name] = np.full(len(rows), np.nan)
        measured[name][there] = getattr(leg.movements, name)[detected[there]]
    return ReviewedLeg(
        leg.side,
        replace(movements, kind=kind, **measured),
        tuple(name for name, _ in rows),
        states,
    )
