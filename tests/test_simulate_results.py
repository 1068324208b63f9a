"""Simulated night results: what was put in comes out, and the comparison keeps its promises."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.comparison.cohort import pool
from rlsmove.comparison.comparison import compare_table
from rlsmove.comparison.person import primary_contrast
from rlsmove.comparison.person_nights import Settings
from rlsmove.errors import SettingError, StudyError
from rlsmove.simulate.study_results import (
    ARMS,
    MASSAGE,
    ResultParameters,
    person_nights,
    simulate_results,
    write_simulated_results,
)
from rlsmove.study.scheme import make_scheme

LONG = make_scheme("free", ARMS, 1000)


def rates(person):
    return np.log(person.count / person.hours)


def test_the_effect_put_in_is_there():
    (person,) = simulate_results(
        ResultParameters(1, LONG, ratio=0.6, ratio_ln_sd=0, rate_per_hour=60), seed=1
    )
    massage = person.schedule.arm == MASSAGE
    shift = rates(person)[massage].mean() - rates(person)[~massage].mean()
    assert math.exp(shift) == pytest.approx(0.6, abs=0.05)
    assert person.log_ratio == pytest.approx(math.log(0.6))


def test_carry_over_trend_and_correlation_put_in_are_there():
    parameters = ResultParameters(
        1,
        LONG,
        ratio=1.0,
        ratio_ln_sd=0,
        rate_per_hour=100,
        correlation=0.6,
        carry_over=0.5,
        trend_per_week=0.02,
    )
    (person,) = simulate_results(parameters, seed=2)
    day = np.arange(1, 1000)
    before = (person.received[:-1] == MASSAGE).astype(float)
    columns = np.column_stack([np.ones(999), before, day / 7])
    solved = np.linalg.lstsq(columns, person.log_rate[1:], rcond=None)[0]
    rest = person.log_rate[1:] - columns @ solved
    assert math.exp(solved[1]) == pytest.approx(0.5, abs=0.05)
    assert solved[2] == pytest.approx(0.02, abs=0.003)
    assert np.corrcoef(rest[:-1], rest[1:])[0, 1] == pytest.approx(0.6, abs=0.08)
    assert rest.std() == pytest.approx(0.5, abs=0.05)


def test_shares_of_missing_and_not_adhered_nights():
    (person,) = simulate_results(ResultParameters(1, LONG, missing=0.2, not_adhered=0.1), seed=3)
    assert person.missing.mean() == pytest.approx(0.2, abs=0.04)
    assert (person.received != person.schedule.arm).mean() == pytest.approx(0.1, abs=0.03)


def test_same_seed_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_simulated_results(ResultParameters(persons=2), tmp_path / name, seed=5)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) >= 10
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_folder_says_that_it_is_simulated_and_holds_its_truth(tmp_path):
    run = CliRunner().invoke(
        main, ["simulate", "results", str(tmp_path / "s"), "--persons", "3", "--effect", "0.5"]
    )
    assert run.exit_code == 0, run.output
    about = json.loads((tmp_path / "s" / "study.json").read_text())
    truth = json.loads((tmp_path / "s" / "truth.json").read_text())
    assert about["simulated"] is truth["simulated"] is True
    assert truth["parameters"]["ratio"] == 0.5
    assert len(truth["persons"]["sim-001"]["rate_per_hour"]) == 14


def test_a_parameter_out_of_bounds_and_a_folder_in_use_are_refused(tmp_path):
    with pytest.raises(SettingError, match=r"correlation is 1\.2"):
        simulate_results(ResultParameters(correlation=1.2), seed=1)
    write_simulated_results(ResultParameters(persons=1), tmp_path / "s", seed=1)
    with pytest.raises(StudyError, match="already"):
        write_simulated_results(ResultParameters(persons=1), tmp_path / "s", seed=1)


# Calibration, on fewer studies than the benchmark: the bounds are four standard errors wide.

DESIGNS = [
    make_scheme("pairs", ARMS, 14),
    make_scheme("blocks", ARMS, 16),
    make_scheme("free", ARMS, 12),
    make_scheme("free", ARMS, 14, max_run=3),
]
HARD = {"correlation": 0.6, "trend_per_week": 0.4}


def contrasted(person, scheme):
    nights = person_nights(person, scheme)
    return primary_contrast(nights, Settings())


def within_four_errors(share, expected, studies):
    return abs(share - expected) <= 4 * math.sqrt(expected * (1 - expected) / studies)


@pytest.mark.parametrize("scheme", DESIGNS, ids=lambda s: f"{s.kind}-{s.nights}-{s.max_run}")
def test_false_positives_and_coverage_of_one_person(scheme):
    studies = 300
    parameters = ResultParameters(studies, scheme, ratio=0.7, ratio_ln_sd=0.0, **HARD)
    truth = math.log(0.7)
    covered = rejected = 0
    for name, ratio in (("effect", 0.7), ("none", 1.0)):
        for person in simulate_results(replace(parameters, ratio=ratio), seed=11):
            found = contrasted(person, scheme)
            assert found is not None
            if name == "effect":
                covered += found.low <= truth <= found.high
            else:
                rejected += found.p <= 0.05
    assert within_four_errors(rejected / studies, 0.05, studies)
    assert within_four_errors(covered / studies, 0.95, studies)


def test_false_positives_and_coverage_of_a_cohort_whose_persons_differ():
    studies, persons = 100, 8
    rejected = covered = 0
    for study in range(studies):
        for ratio in (1.0, 0.7):
            parameters = ResultParameters(persons, ratio=ratio, ratio_ln_sd=0.3, **HARD)
            found = [
                contrasted(person, parameters.scheme)
                for person in simulate_results(parameters, seed=1000 + study)
            ]
            pooled = pool(np.array([c.shift for c in found if c]), seed=1)
            if ratio == 1.0:
                rejected += pooled.p <= 0.05
            else:
                covered += pooled.low <= math.log(0.7) <= pooled.high
    assert within_four_errors(rejected / studies, 0.05, studies)
    assert within_four_errors(covered / studies, 0.95, studies)


def test_a_table_gives_what_the_folder_gives(tmp_path):
    """The same nights by `--nights` and by the study folder: the same persons, the same cohort."""
    parameters = ResultParameters(persons=6)
    write_simulated_results(parameters, tmp_path / "s", seed=7)
    lines = ["participant_id\tnight\tcondition\tblock\tcount\thours\n"]
    for person in simulate_results(parameters, seed=7):
        for i in range(14):
            condition = ARMS[person.schedule.arm[i]]
            lines.append(
                f"{person.participant_id}\t{i}\t{condition}\t{i // 2}\t{person.count[i]}\t"
                f"{person.hours[i]}\n"
            )
    (tmp_path / "n.tsv").write_text("".join(lines))
    table, _ = compare_table(tmp_path / "n.tsv", "pairs")
    run = CliRunner().invoke(main, ["compare", str(tmp_path / "s"), "--json"])
    folder = json.loads(run.stdout)
    for name, person in folder["persons"].items():
        for key in ("ratio", "ratio_low", "ratio_high", "p", "verdict"):
            assert person[key] == table["persons"][name][key]
    for key in ("ratio", "ratio_low", "ratio_high", "p", "spread", "prediction_low"):
        assert folder["cohort"][key] == table["cohort"][key]
