"""WASM 2016 against an independent scorer, movement by movement."""

from __future__ import annotations

import pytest
from oracle import events_of, ms, needs_oracle, rows_by_case

from rlsmove.records import SIDES, STAGES, Intervals
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements

CASES = [f"dev{number:02d}" for number in range(24)]


@pytest.fixture(scope="module")
def events() -> dict[str, list[dict[str, str]]]:
    return rows_by_case("events.csv")


@pytest.fixture(scope="module")
def expected() -> dict[str, list[dict[str, str]]]:
    return rows_by_case("movements.csv")


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
