"""A reviewed night counts in a comparison as its reviewer left it."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from night_folders import write_recordings, write_results

from rlsmove.comparison.comparison import compare_study
from rlsmove.comparison.study_nights import night_results, study_nights
from rlsmove.errors import ResultError
from rlsmove.results.nights_csv import nights_csv
from rlsmove.review import EDITS_FILE, open_night
from rlsmove.review.edits import append_edit, new_edit
from rlsmove.scoring import INDICES
from rlsmove.study.folder import about_study, read_study, write_study

NIGHTS = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    write_recordings(folder / "raw", hours=0.8)
    write_results(folder / "raw", folder / "night", keep_signal=False)
    return folder / "night"


@pytest.fixture
def study(results, tmp_path):
    """A study whose nights are one and the same, so that a review alone makes a difference."""
    folder = tmp_path / "study"
    rows = [
        {"participant_id": "p1", "night": night, "condition_assigned": arm}
        for night, arm in zip(NIGHTS, ("massage", "control") * 2, strict=True)
    ]
    indices = json.loads((results / "night.json").read_text())["indices"]
    heads = [
        {"status": "ok", "participant_id": "p1", "night": night, "side": "both", "reviewed": "no"}
        for night in NIGHTS
    ]
    table = [{**head, **{index.name: indices[index.name] for index in INDICES}} for head in heads]
    write_study(
        folder,
        about_study("s", exclusion_rules={"minimum_hours": 0.1}),
        {"participants.tsv": [{"participant_id": "p1"}], "nights.tsv": rows},
        others={"derived/nights.csv": nights_csv(table)},
    )
    for night in NIGHTS:
        shutil.copytree(results, folder / "derived" / "nights" / "p1" / night)
    return folder


def reject(folder):
    """Reject what is periodic in the right leg, alone or with the left one."""
    night = open_night(folder)
    scoring, leg = night.scored.scoring, night.reviewed.legs[1]
    plm = scoring.plm == 1
    first_ms, last_ms = scoring.onset_ms[plm], scoring.onset_ms[plm] + scoring.duration_ms[plm]
    names = [
        name
        for name, onset_ms in zip(leg.names, leg.movements.onset_ms, strict=True)
        if ((first_ms <= onset_ms) & (onset_ms < last_ms)).any()
    ]
    fields = {"who": "mk", "action": "reject", "why": "", "movements": names}
    append_edit(folder, edit := new_edit(fields, night=night.digest))
    return edit


def counts(folder):
    (person,) = study_nights(read_study(folder), None, "plms_per_hour")
    return [night.count for night in person.nights], [night.reviewed for night in person.nights]


def test_reviewed_night_counts_as_reviewed(study):
    before, _ = counts(study)
    night = study / "derived" / "nights" / "p1" / NIGHTS[0]
    reject(night)
    after, reviewed = counts(study)
    assert after[0] == open_night(night).indices["plms_count"] < before[0]
    assert after[1:] == before[1:]
    assert reviewed == [True, False, False, False]


def test_undone_review_counts_as_detected(study):
    before, _ = counts(study)
    night = study / "derived" / "nights" / "p1" / NIGHTS[0]
    edit = reject(night)
    undo = {"who": "mk", "action": "undo", "why": "", "undoes": edit.edit}
    append_edit(night, new_edit(undo, night=""))
    assert counts(study) == (before, [False] * 4)


def test_comparison_says_which_nights_were_reviewed_and_by_which_edits(study):
    night = study / "derived" / "nights" / "p1" / NIGHTS[2]
    reject(night)
    comparison, _ = compare_study(study)
    person = comparison["persons"]["p1"]
    assert person["reviewed"] == [NIGHTS[2]]
    assert person["ratio"] < 1
    assert [entry["file"] for entry in comparison["provenance"]["inputs"]].count(EDITS_FILE) == 1


def test_review_that_cannot_be_used_leaves_the_night_out_in_words(study):
    night = night_results(read_study(study), "p1", date.fromisoformat(NIGHTS[0]))
    reject(night)
    (night / "night.npz").write_bytes(b"nonsense")
    comparison, _ = compare_study(study)
    (left_out,) = comparison["persons"]["p1"]["excluded"]
    assert left_out["night"] == NIGHTS[0]
    assert "review cannot be used" in left_out["reason"]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("night.npz", lambda content, _: content + b"\0"),
        ("movements.csv", lambda content, _: content.rsplit(b"\n", 2)[0] + b"\n"),
        (EDITS_FILE, lambda content, name: content.replace(name.encode(), b"0123456789abcdef")),
    ],
)
def test_what_is_of_another_night_is_refused(study, name, changed):
    night = study / "derived" / "nights" / "p1" / NIGHTS[0]
    reject(night)
    content = (night / name).read_bytes()
    (night / name).write_bytes(changed(content, open_night(night).digest))
    with pytest.raises(ResultError, match=r"of (this|the) night"):
        open_night(night)
    comparison, _ = compare_study(study)
    (left_out,) = comparison["persons"]["p1"]["excluded"]
    assert left_out["night"] == NIGHTS[0]
    assert name in left_out["reason"]
