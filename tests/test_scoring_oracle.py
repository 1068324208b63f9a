"""WASM 2016 against an independent scorer, movement by movement."""

from __future__ import annotations

from fractions import Fraction

import pytest
from oracle import events_of, ms, needs_oracle, rows_by_case

from rlsmove.records import SIDES, STAGES, Intervals
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements
from rlsmove.scoring.night_hours import NightHours
from rlsmove.scoring.night_tables import (
    event_statistics,
    interval_statistics,
    movement_statistics,
    movement_types,
    of_side,
    respiratory_statistics,
)

CASES = [f"dev{number:02d}" for number in range(24)]


@pytest.fixture(scope="module")
def events() -> dict[str, list[dict[str, str]]]:
    return rows_by_case("events.csv")


@pytest.fixture(scope="module")
def expected() -> dict[str, list[dict[str, str]]]:
    return rows_by_case("movements.csv")


@pytest.fixture(scope="module")
def statistics() -> dict[str, list[dict[str, str]]]:
    return rows_by_case("statistics.csv")


@needs_oracle
@pytest.mark.parametrize("case", CASES)
def test_every_column_of_every_movement_is_that_of_the_independent_scorer(case, events, expected):
    movements, sleep, respiratory, arousals = events_of(events[case])
    scoring = score_movements(
        movements,
        sleep=sleep,
        respiratory=respiratory,
        arousals=arousals,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )

    found = [
        (
            int(scoring.onset_ms[row]),
            int(scoring.duration_ms[row]),
            SIDES[scoring.side[row]],
            int(scoring.n_monolateral[row]),
            int(scoring.clm[row]),
            int(scoring.respiratory[row]),
            int(scoring.plm[row]),
            int(scoring.series[row]),
            int(scoring.plmnr[row]),
            int(scoring.imi_ms[row]),
            STAGES[scoring.stage[row]],
            int(scoring.arousal[row]),
        )
        for row in range(len(scoring))
    ]
    assert found == [
        (
            ms(row["onset_s"]),
            ms(row["duration_s"]),
            row["side"],
            int(row["n_monolateral"]),
            int(row["clm"]),
            int(row["respiratory"]),
            int(row["plm"]),
            int(row["series"] or 0),
            int(row["plmnr"] or -1),
            ms(row["imi_s"]) if row["imi_s"] else -1,
            row["stage"],
            int(row["arousal"]),
        )
        for row in expected[case]
    ]


# The statistics, under the independent scorer's names.

PARTS = {"TIB": "TIB", "TST": "TST", "Wake": "W", "REM": "R", "NREM": "NREM"}
PARTS |= {stage: stage for stage in ("N1", "N2", "N3")}
TYPES = {
    "CLM": "clm",
    "CLMr": "clm_respiratory",
    "CLMnr": "clm_nr",
    "PLM": "plm",
    "PLMa": "plm_arousal",
    "PLMnr": "plm_nr",
    "PLMnr_a": "plm_nr_arousal",
    "nonCLM": "non_clm",
    "nonCLMr": "non_clm_respiratory",
    "nonCLMnr": "non_clm_nr",
}
GROUPS = {"": "all", "l": "left", "r": "right", "b": "bilateral", "m": "monolateral"}


def half_up(ratio: Fraction) -> float:
    return float(int(ratio * 100 + Fraction(1, 2))) / 100


def statistic(night, respiratory, arousals, lm_type: str, name: str, part: str) -> float | None:
    """The value that the independent scorer calls by this type and name."""
    if lm_type == "Sleep/Wake":
        return night.hours(part) * 3600
    if lm_type in ("PI", "PInr"):
        types = movement_types(night.scoring)
        nr = "_nr" if lm_type == "PInr" else ""
        plm = movement_statistics(night, types["plm" + nr], part)["number"]
        clm = movement_statistics(night, types["clm" + nr], part)["number"]
        return half_up(Fraction(plm, clm)) if clm else None
    if lm_type in ("IMI", "IMInr"):
        key = {
            "<10s; number": "short",
            "10-90s; number": "periodic",
            ">90s; number": "long",
            "log; mean": "geometric_mean_s",
            "log; SD": "geometric_sd",
        }[name]
        return interval_statistics(night, part, nr=lm_type == "IMInr")[key]
    if lm_type in ("R events", "Arousal"):
        if lm_type == "Arousal":
            found = event_statistics(night, arousals, part)
        else:
            found = respiratory_statistics(night, respiratory, part)
        if name == "% with CLM":
            share = found["share_with_clm"]
            return None if share is None else share * 100
        return found["number" if name == "number" else "per_hour"]
    prefix, rest = (lm_type[0], lm_type[2:]) if lm_type[1] == "_" else ("", lm_type)
    rows = of_side(night.scoring, movement_types(night.scoring)[TYPES[rest]], GROUPS[prefix])
    found = movement_statistics(night, rows, part)
    if name == "number":
        return found["number"]
    if name == "no./hour":
        return found["per_hour"]
    return found["duration_s"][name.removeprefix("duration; ").lower()]


@needs_oracle
@pytest.mark.parametrize("case", CASES)
def test_every_statistic_is_that_of_the_independent_scorer(case, events, statistics):
    movements, sleep, respiratory, arousals = events_of(events[case])
    scoring = score_movements(
        movements,
        sleep=sleep,
        respiratory=respiratory,
        arousals=arousals,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    whole = Intervals(sleep.onset_ms[:1], sleep.offset_ms[-1:])
    night = NightHours(scoring, sleep, whole, WASM_2016)

    different = []
    for row in statistics[case]:
        for column, part in PARTS.items():
            found = statistic(night, respiratory, arousals, row["LMtype"], row["Statistic"], part)
            expected = float(row[column]) if row[column] not in ("", "NA") else None
            same = found == (expected and pytest.approx(expected, rel=1e-9))
            if not same:
                different.append((row["LMtype"], row["Statistic"], column, found, row[column]))
    assert different == []
