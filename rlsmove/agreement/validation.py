"""Two scorings of the same nights, movement by movement and index by index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from rlsmove.agreement.event_agreement import (
    ClockShift,
    EventAgreement,
    agree_on_events,
    clock_shift,
    pooled,
    shifted,
)
from rlsmove.agreement.index_agreement import IndexAgreement, agree_on_index
from rlsmove.agreement.night_scorings import NightScoring
from rlsmove.errors import EventListError
from rlsmove.movements.common_clock import LEAST_PAIRS
from rlsmove.records import FloatArray, Notice
from rlsmove.scoring.indices import INDICES

#: Which movements are compared: all leg movements, candidates, periodic ones.
MOVEMENT_TYPES = ("lm", "clm", "plm")

_HALF_DAY_S = 43_200.0


@dataclass(frozen=True)
class NightAgreement:
    """Agreement on one night.

    Attributes
    ----------
    name : str
        The night.
    shift : ClockShift
        By how much the clock of the test was set right.
    counted : bool
        Whether the clocks are known to agree; otherwise the night counts nowhere.
    events : dict
        `EventAgreement` by type of movement, see `MOVEMENT_TYPES`.
    indices : dict
        Reference and test value by name of the index.
    """

    name: str
    shift: ClockShift
    counted: bool
    events: dict[str, EventAgreement]
    indices: dict[str, tuple[float | None, float | None]]


@dataclass(frozen=True)
class Validation:
    """Agreement of two scorings.

    Attributes
    ----------
    tolerance_s : float
        Largest difference of matched onsets.
    nights : list of NightAgreement
        Each night that both have.
    events : dict
        `EventAgreement` of all nights together, by type of movement.
    indices : dict
        `IndexAgreement` by name of the index.
    notices : list of Notice
        Nights that only one has, clocks that could not be compared.
    """

    tolerance_s: float
    nights: list[NightAgreement]
    events: dict[str, EventAgreement]
    indices: dict[str, IndexAgreement]
    notices: list[Notice]


def validate(
    reference: Mapping[str, NightScoring],
    test: Mapping[str, NightScoring],
    *,
    tolerance_s: float,
    align: bool = True,
) -> Validation:
    """Compare a test scoring with a reference.

    Parameters
    ----------
    reference, test : mapping
        Nights by name; a single night of each belongs together whatever the names.
    tolerance_s : float
        Largest difference of matched onsets.
    align : bool
        Whether the clock of the test is set right first.

    Raises
    ------
    EventListError
        No night is in both.
    """
    notices: list[Notice] = []
    names = _common_names(reference, test, notices)
    nights = []
    for name, (of_reference, of_test) in names.items():
        night = _compare(name, reference[of_reference], test[of_test], tolerance_s, align, notices)
        nights.append(night)
    counted = [night for night in nights if night.counted]
    return Validation(
        tolerance_s,
        nights,
        {kind: pooled([night.events[kind] for night in counted]) for kind in MOVEMENT_TYPES},
        {
            index.name: agree_on_index(*values)
            for index in INDICES
            if len((values := index_values(nights, index.name))[0])
        },
        notices,
    )


def _common_names(
    reference: Mapping[str, NightScoring],
    test: Mapping[str, NightScoring],
    notices: list[Notice],
) -> dict[str, tuple[str, str]]:
    if len(reference) == len(test) == 1:
        (one,), (other,) = reference, test
        return {one or other: (one, other)}
    common = {name: (name, name) for name in reference if name in test}
    for here, there, which in ((reference, test, "reference"), (test, reference, "test")):
        alone = [name for name in here if name not in there]
        if alone and common:
            some = ", ".join(alone[:5]) + (", ..." if len(alone) > 5 else "")
            notices.append(
                Notice("night_alone", f"only the {which} has {len(alone)} nights ({some}).")
            )
    if not common:
        raise EventListError(
            "",
            f"no night is in both: reference {', '.join(list(reference)[:3])}; test "
            f"{', '.join(list(test)[:3])}",
            expected="nights of the same names",
        )
    return common


def _compare(
    name: str,
    reference: NightScoring,
    test: NightScoring,
    tolerance_s: float,
    align: bool,
    notices: list[Notice],
) -> NightAgreement:
    onset_ms, offset_ms = test.onset_ms, test.offset_ms
    start_s = _later_start_s(reference.start_time, test.start_time) if align else 0.0
    onset_ms, offset_ms = (times + round(start_s * 1000) for times in (onset_ms, offset_ms))
    shift, counted = ClockShift(0.0, 0.0, False), True
    if align:
        shift = clock_shift(reference.onset_ms, onset_ms, tolerance_s)
        counted = shift.sure
        if not shift.sure and min(len(reference.onset_ms), len(onset_ms)) < LEAST_PAIRS:
            counted = True
            notices.append(
                Notice(
                    "clocks_not_checked",
                    f"{name or 'the night'}: too few movements to compare the clocks; they were "
                    "taken as they are.",
                )
            )
        elif not shift.sure:
            notices.append(
                Notice(
                    "clocks_not_compared",
                    f"{name or 'the night'}: movements do not agree on a shift of the clocks, nor "
                    "with the clocks as they are; the night counts nowhere (--no-align takes the "
                    "clocks as they are).",
                )
            )
        first_ms = int(onset_ms[0]) if len(onset_ms) else 0
        onset_ms, offset_ms = (shifted(times, first_ms, shift) for times in (onset_ms, offset_ms))
        shift = shift._replace(offset_s=shift.offset_s + start_s)
    masks = {
        "lm": (np.ones(len(reference.clm), bool), np.ones(len(test.clm), bool)),
        "clm": (reference.clm, test.clm),
        "plm": (reference.plm, test.plm),
    }
    events = {
        kind: agree_on_events(
            (reference.onset_ms[mine], reference.offset_ms[mine]),
            (onset_ms[theirs], offset_ms[theirs]),
            tolerance_s,
        )
        for kind, (mine, theirs) in masks.items()
    }
    indices = {
        index.name: (_number(reference.indices, index.name), _number(test.indices, index.name))
        for index in INDICES
    }
    return NightAgreement(name, shift, counted, events, indices)


def _later_start_s(reference: datetime | None, test: datetime | None) -> float:
    """By how much the test starts later, by wall clocks of one kind; 0 where it is not known.

    Dates that are half a day and more apart are not of one night: one was made anonymous.
    """
    if reference is None or test is None or (reference.tzinfo is None) != (test.tzinfo is None):
        return 0.0
    later_s = (test - reference).total_seconds()
    return later_s if abs(later_s) < _HALF_DAY_S else 0.0


def _number(indices: Mapping[str, Any], name: str) -> float | None:
    value = indices.get(name)
    return float(value) if isinstance(value, int | float) else None


def index_values(nights: list[NightAgreement], name: str) -> tuple[FloatArray, FloatArray]:
    """Reference and test values of an index on the nights on which both say it."""
    pairs = [night.indices[name] for night in nights if night.counted]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    table = np.array(both, float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def validation_record(validation: Validation) -> dict[str, Any]:
    """Put a validation into plain values, for JSON."""
    return {
        "tolerance_s": validation.tolerance_s,
        "events": {kind: event_record(events) for kind, events in validation.events.items()},
        "indices": {name: asdict(found) for name, found in validation.indices.items()},
        "nights": [
            {
                "name": night.name,
                "clock": night.shift._asdict(),
                "counted": night.counted,
                "events": {kind: event_record(found) for kind, found in night.events.items()},
                "indices": {
                    name: {"reference": one, "test": other}
                    for name, (one, other) in night.indices.items()
                    if one is not None or other is not None
                },
            }
            for night in validation.nights
        ],
        "notices": [notice.__dict__ for notice in validation.notices],
    }


def event_record(events: EventAgreement) -> dict[str, Any]:
    """Describe an agreement on movements in plain values."""
    return {
        "reference": events.n_reference,
        "test": events.n_test,
        "matched": events.n_matched,
        "precision": events.precision,
        "recall": events.recall,
        "f1": events.f1,
        "onset_error_s": error_record(events.onset_error_s),
        "offset_error_s": error_record(events.offset_error_s),
    }


def error_record(errors: FloatArray) -> dict[str, float | None]:
    """Describe errors by mean, standard deviation, median and the middle 90 %."""
    if not len(errors):
        return dict.fromkeys(("mean", "sd", "median", "p05", "p95"))
    p05, median, p95 = np.quantile(errors, (0.05, 0.5, 0.95))
    return {
        "mean": float(np.mean(errors)),
        "sd": float(np.std(errors, ddof=1)) if len(errors) > 1 else None,
        "median": float(median),
        "p05": float(p05),
        "p95": float(p95),
    }
