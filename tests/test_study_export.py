"""What a study's export holds, and that others get the same estimate and p from it."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from rlsmove.cli import main
from rlsmove.comparison.comparison import compare_study
from rlsmove.comparison.person import primary_contrast
from rlsmove.comparison.study_nights import study_nights, study_settings
from rlsmove.simulate.study_results import ResultParameters, write_simulated_results
from rlsmove.study.folder import about_study, read_study, write_study
from rlsmove.study.plan import first_nights, freeze_plan, plan_content, read_plan
from rlsmove.study.scheme import make_scheme

ARMS = ("massage", "control")

#: Schemes, and how many movements an hour there are.
STUDIES = {
    "pairs": (make_scheme("pairs", ARMS, 14), {}),
    "blocks": (make_scheme("blocks", ARMS, 16), {}),
    "runs capped": (make_scheme("free", ARMS, 12, max_run=2), {}),
    "periods of two": (make_scheme("blocks", ARMS, 16, block_nights=8, period_nights=2), {}),
    "too many to list": (make_scheme("free", ARMS, 24), {}),
    "few movements": (make_scheme("pairs", ARMS, 14), {"rate_per_hour": 0.6}),
    "hardly any": (make_scheme("pairs", ARMS, 14), {"rate_per_hour": 0.1}),
}


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=STUDIES)
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    scheme, more = STUDIES[request.param]
    parameters = ResultParameters(persons=3, scheme=scheme, ratio=0.6, missing=0.2, **more)
    write_simulated_results(parameters, folder / "study", seed=4)
    assert run("study", "export", folder / "study", folder / "out").exit_code == 0
    study = read_study(folder / "study")
    settings = study_settings(study)
    persons = study_nights(study, read_plan(study), settings.index)
    return folder / "out", {p.participant_id: primary_contrast(p, settings) for p in persons}


def twin(folder, name):
    """Estimate and p from the tables alone, as slowly as they are defined."""
    own = [r for r in rows_of(folder / "nights.csv") if r["participant_id"] == name]
    own = [r for r in own if r["compared"] == "yes"]
    count = np.array([float(r["count"]) for r in own])
    hours = np.array([float(r["hours"]) for r in own])
    a = np.array([float(r["massage"]) for r in own])
    day = np.array([int(r["day"]) for r in own])
    sets = [r for r in rows_of(folder / "sequences.csv") if r["set"] == own[0]["sequence_set"]]
    drawn = [np.array([float(s["sequence"][int(r["place"]) - 1]) for r in own]) for s in sets]
    if count.sum() < 10:
        return None, None
    if count.mean() < 10:
        middle = np.outer(hours, hours) / hours.sum()
        m, y = np.diag(hours) - middle, (count + hours / hours.sum()) / hours
        sums = [(count[a == k].sum() + 0.5) / hours[a == k].sum() for k in (1, 0)]
        ratio = sums[0] / sums[1]
    else:
        y = np.log((count + 0.5) / hours)
        inverse = np.linalg.inv(0.3 ** np.abs(day[:, None] - day))
        fixed = np.column_stack([np.ones(len(day)), day - day.mean()])
        inner = np.linalg.inv(fixed.T @ inverse @ fixed)
        m = inverse - inverse @ fixed @ inner @ fixed.T @ inverse
        ratio = math.exp(a @ m @ y / (a @ m @ a))

    def z(b):
        information = b @ m @ b
        return b @ m @ y / math.sqrt(information) if information > 1e-9 else 0.0

    every = np.array([z(b) for b in drawn])
    above, below = np.mean(every >= z(a) - 1e-9), np.mean(every <= z(a) + 1e-9)
    return ratio, min(1.0, 2 * min(above, below))


def near(one, other):
    return (one is None and other is None) or one == pytest.approx(other, rel=1e-8)


def ratio_and_p(found):
    return (None, None) if found is None else (math.exp(found.shift), found.p)


def number(text):
    return None if text.strip() in ("NA", "n/a") else float(text)


def test_estimate_and_p_follow_from_the_tables_alone(exported):
    folder, persons = exported
    for row in rows_of(folder / "estimates.csv"):
        found = persons[row["participant_id"]]
        for one, other, written in zip(
            twin(folder, row["participant_id"]),
            ratio_and_p(found),
            (number(row["ratio"]), number(row["p"])),
            strict=True,
        ):
            assert near(one, other)
            assert near(written, other)


def test_the_estimates_are_those_of_a_comparison(tmp_path):
    parameters = ResultParameters(persons=1, scheme=STUDIES["pairs"][0], ratio=0.4)
    write_simulated_results(parameters, tmp_path / "study", seed=4)
    assert run("study", "export", tmp_path / "study", tmp_path / "out").exit_code == 0
    comparison, _ = compare_study(tmp_path / "study")
    row = rows_of(tmp_path / "out" / "estimates.csv")[0]
    for column in ("ratio", "ratio_low", "ratio_high", "p"):
        told = comparison["persons"]["sim-001"][column]
        assert number(row[column]) == pytest.approx(told, abs=1e-6)


@pytest.mark.skipif(not shutil.which("Rscript"), reason="no R here (Debian: r-base-core)")
def test_the_script_gives_estimate_and_p(exported):
    folder, persons = exported
    done = subprocess.run(
        ["Rscript", "--vanilla", folder / "analysis.R", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    told = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["participant_id"] for row in told] == list(persons)
    for row in told:
        ratio, p = ratio_and_p(persons[row["participant_id"]])
        assert near(number(row["ratio"]), ratio)
        assert near(number(row["p"]), p)


def test_every_column_is_in_the_dictionary_beside_its_table(exported):
    folder, _ = exported
    for path in folder.glob("*.csv"):
        dictionary = json.loads(path.with_suffix(".json").read_text())
        assert list(dictionary) == path.read_text().split("\n", 1)[0].split(",")
        assert all(entry["Description"] for entry in dictionary.values())


def test_the_flow_accounts_for_every_night(exported):
    folder, _ = exported
    flow = rows_of(folder / "flow.csv")
    known = next(int(row["nights"]) for row in flow if row["stage"] == "known")
    parts = ("still to come", "left out", "with a result: massage", "with a result: control")
    assert known == sum(int(row["nights"]) for row in flow if row["stage"] in parts)
    assert known == len(rows_of(folder / "nights.csv"))


def concealed(path):
    about = about_study("s", title="Legs\n# and | rest", worthwhile_ratio=0.7)
    write_study(path, about, {"participants.tsv": [{"participant_id": "P01"}]})
    study = read_study(path)
    scheme = make_scheme("pairs", ARMS, 14)
    content = plan_content(study, scheme, 5, first_nights(study, date(2026, 3, 2)), {})
    freeze_plan(study, content, conceal=True)


def test_a_plan_can_be_registered_before_its_first_night_and_concealed(tmp_path):
    concealed(tmp_path / "study")
    assert run("study", "export", tmp_path / "study", tmp_path / "out").exit_code == 0
    text = (tmp_path / "out" / "preregistration.md").read_text()
    digest = json.loads((tmp_path / "study" / "study.json").read_text())["plan_digest"]
    for part in (digest, "0.7 or less", "pairs over 14 nights", "Once, when all", "concealed"):
        assert part in text
    assert text.splitlines()[0] == "# Legs # and | rest"
    nights = rows_of(tmp_path / "out" / "nights.csv")
    assert {row["condition_assigned"] for row in nights} == {"n/a"}
    assert rows_of(tmp_path / "out" / "sequences.csv") == []


def test_nothing_else_is_written_over(tmp_path):
    concealed(tmp_path / "study")
    for folder in ("study", "study/derived"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "nights.csv").write_text("mine")
        before = sorted((tmp_path / folder).iterdir())
        told = run("study", "export", tmp_path / "study", tmp_path / folder)
        assert told.exit_code == 1
        assert "something else" in told.stderr
        assert sorted((tmp_path / folder).iterdir()) == before
        (tmp_path / folder / "nights.csv").unlink()
    assert run("study", "export", tmp_path / "study", tmp_path / "out").exit_code == 0
    assert run("study", "export", tmp_path / "study", tmp_path / "out").exit_code == 0
