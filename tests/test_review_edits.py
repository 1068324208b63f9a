"""Edits of a night: kept line by line, applied to what was detected, scored again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.errors import OutputError, ResultError
from rlsmove.records import (
    LEFT,
    LEG_MOVEMENT,
    RIGHT,
    TRANSMITTED_SHAKE,
    DetectedLeg,
    DetectedNight,
    Intervals,
    Movements,
    Sleep,
)
from rlsmove.review.edits import EDITS_FILE, append_edit, new_edit, read_edits
from rlsmove.review.reviewed_night import movement_names, review_night
from rlsmove.rules import WASM_2016
from rlsmove.scoring.detected_legs import score_legs


def ints(*values):
    return np.array(values, np.int64)


def leg(side, onsets_s, kinds=None):
    onset_ms = 1000 * np.array(onsets_s, np.int64)
    movements = Movements.marks(
        onset_ms, np.full(len(onset_ms), 2000), np.full(len(onset_ms), side, np.int8)
    )
    if kinds is not None:
        movements = replace(movements, kind=np.array(kinds, np.int8))
    return DetectedLeg(side, movements, Intervals(ints(0), ints(3_600_000)), None)


@pytest.fixture
def night():
    """Six movements of the left leg 20 s apart, a shake among them, and one of the right."""
    left = leg(LEFT, [100, 120, 140, 160, 180, 200], [0, 0, 0, TRANSMITTED_SHAKE, 0, 0])
    sleep = Sleep("hypnogram", 0, 3_600_000, ints(0), ints(3_600_000), np.array([2], np.int8))
    return DetectedNight(
        datetime(2026, 3, 1, 22), (left, leg(RIGHT, [1000])), True, sleep, None, None
    )


def edit(action, **fields):
    return new_edit({"who": "mk", "action": action, "why": "because", **fields}, night="0123")


def plms(night, *edits):
    return score_legs(review_night(night, list(edits)).night, WASM_2016).indices["plms_count"]


def test_night_without_edits_is_as_detected(night):
    reviewed = review_night(night, [])
    assert reviewed.edits == []
    for one, other in zip(reviewed.night.legs, night.legs, strict=True):
        np.testing.assert_array_equal(one.movements.onset_ms, other.movements.onset_ms)
        np.testing.assert_array_equal(one.movements.kind, other.movements.kind)


def test_accepted_shake_counts_as_leg_movement(night):
    assert plms(night) == 5
    assert plms(night, edit("accept", movements=["left@160.000"])) == 6


def test_rejected_movement_leaves_the_scoring_and_keeps_its_row(night):
    reviewed = review_night(night, [edit("reject", movements=["left@100.000", "left@120.000"])])
    assert len(reviewed.night.legs[0].movements) == 4
    assert reviewed.legs[0].states[:2] == ("rejected", "rejected")
    assert len(reviewed.legs[0].names) == 6


def test_changed_movement_keeps_its_name(night):
    change = edit("change", movements=["left@120.000"], onset_s=105.5, duration_s=1.25)
    leg = review_night(night, [change]).legs[0]
    row = leg.names.index("left@120.000")
    assert leg.movements.onset_ms[row] == 105_500
    assert leg.movements.duration_ms[row] == 1250
    assert leg.states[row] == "changed"


def test_added_movement_counts_and_can_be_rejected_again(night):
    added = edit("add", side="left", onset_s=220.0, duration_s=1.0)
    assert plms(night, added) == 6
    assert plms(night, added, edit("reject", movements=[f"left+{added.edit}"])) == 5


def test_last_of_several_edits_decides(night):
    name = ["left@100.000"]
    assert plms(night, edit("reject", movements=name), edit("accept", movements=name)) == 5


def test_undone_edit_has_no_effect(night):
    reject = edit("reject", movements=["left@100.000"])
    assert plms(night, reject) == 4
    assert plms(night, reject, edit("undo", undoes=reject.edit)) == 5
    assert review_night(night, [reject, edit("undo", undoes=reject.edit)]).edits == []


def test_detected_night_is_never_changed(night):
    before = [leg.movements.onset_ms.copy() for leg in night.legs]
    review_night(night, [edit("change", movements=["left@100.000"], onset_s=1.0, duration_s=1.0)])
    for leg, onset_ms in zip(night.legs, before, strict=True):
        np.testing.assert_array_equal(leg.movements.onset_ms, onset_ms)
        assert leg.movements.kind[0] == LEG_MOVEMENT


def test_edit_of_a_movement_that_is_not_there_is_told(night):
    reviewed = review_night(night, [edit("reject", movements=["left@99.000"])])
    assert [notice.code for notice in reviewed.notices] == ["edit_without_movement"]
    assert "left@99.000" in reviewed.notices[0].sentence


def test_movement_cannot_be_added_to_a_leg_without_recording(night):
    one_leg = replace(night, legs=night.legs[:1])
    reviewed = review_night(one_leg, [edit("add", side="right", onset_s=1.0, duration_s=1.0)])
    assert [notice.code for notice in reviewed.notices] == ["edit_without_movement"]


def test_names_of_one_leg_are_its_own(night):
    twice = leg(LEFT, [5, 5, 5])
    assert len(set(movement_names(twice))) == 3


def test_edits_read_back_in_order(tmp_path):
    written = [
        edit("reject", movements=["left@1.000"]),
        edit("add", side="left", onset_s=5.0, duration_s=0.5),
        edit("undo", undoes="abcd"),
    ]
    for one in written:
        append_edit(tmp_path, one)
    assert read_edits(tmp_path) == (written, [])


def test_words_in_any_script_stay_as_they_are(tmp_path):
    odd = replace(
        edit("accept", movements=["left@1.000"]), who="Zoë <b>&\n", why="日本 \"'</script>"
    )
    append_edit(tmp_path, odd)
    assert read_edits(tmp_path)[0] == [odd]


def test_line_that_a_killed_program_left_costs_no_other_edit(tmp_path):
    first, second = (edit("reject", movements=["left@1.000"]) for _ in range(2))
    append_edit(tmp_path, first)
    with (tmp_path / EDITS_FILE).open("ab") as file:
        file.write(second.line().encode()[:40])
    append_edit(tmp_path, second)
    edits, notices = read_edits(tmp_path)
    assert edits == [first, second]
    assert [notice.code for notice in notices] == ["edit_unreadable"]


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "7",
        '{"edit": "a", "at": "", "who": "", "why": "", "night": "", "action": "explode"}',
        '{"edit": "a", "at": "", "who": "", "why": "", "night": "", "action": "add", '
        '"side": "left", "onset_s": 1, "duration_s": -1}',
        '{"edit": "a", "at": "", "who": "", "why": "", "night": "", "action": "change", '
        '"movements": ["a", "b"], "onset_s": 1, "duration_s": 1}',
        "\x00\xff",
    ],
)
def test_line_that_is_no_edit_is_told_and_left_out(line, tmp_path):
    (tmp_path / EDITS_FILE).write_text(line + "\n", encoding="latin-1")
    edits, notices = read_edits(tmp_path)
    assert edits == []
    assert len(notices) == 1
    assert "line 1" in notices[0].sentence


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300))
def test_whatever_the_file_holds_reading_it_ends_in_edits_or_notices(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edits")
    (folder / EDITS_FILE).write_bytes(content)
    edits, notices = read_edits(folder)
    lines = [line for line in content.split(b"\n") if line.strip()]
    assert len(edits) + len(notices) == len(lines)


def test_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / EDITS_FILE).mkdir()
    with pytest.raises(ResultError, match=EDITS_FILE):
        read_edits(tmp_path)
    with pytest.raises(OutputError, match=EDITS_FILE):
        append_edit(tmp_path, edit("undo", undoes="a"))


def test_every_edit_is_one_line_of_json(tmp_path):
    append_edit(tmp_path, edit("reject", movements=["left@1.000"]))
    line = (tmp_path / EDITS_FILE).read_text()
    assert line.endswith("\n")
    assert json.loads(line)["who"] == "mk"


def test_a_line_whose_action_is_a_list_is_named_and_the_rest_counts(tmp_path):
    append_edit(tmp_path, edit("accept", movements=["left@160.000"]))
    with (tmp_path / EDITS_FILE).open("a") as file:
        file.write('{"edit":"a","at":"x","who":"x","why":"x","night":"0123","action":["accept"]}\n')
    append_edit(tmp_path, edit("reject", movements=["left@100.000"]))
    edits, notices = read_edits(tmp_path)
    assert [one.action for one in edits] == ["accept", "reject"]
    assert [notice.code for notice in notices] == ["edit_unreadable"]
    assert "line 2" in notices[0].sentence
