"""`rlsmove compare --nights` on tables good and bad: in words, with the right exit code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.cli import main

HEADER = "participant_id,night,condition,block,count,hours\n"
GOOD = "".join(
    f"P1,2026-03-{2 * pair + 1 + place:02d},{condition},{pair},{count + 7 * pair},7.2\n"
    for pair in range(7)
    for place, (condition, count) in enumerate([("massage", 60), ("control", 120)])
)


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


def compare(tmp_path, text, *options, scheme="pairs"):
    path = tmp_path / "nights.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("--nights", path, "--scheme", scheme, *options)


def test_a_good_table_is_compared_and_written(tmp_path):
    done = compare(tmp_path, HEADER + GOOD, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "P1  fewer movements:" in done.stdout
    assert done.stderr == ""
    result = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert result["persons"]["P1"]["verdict"] == "fewer"
    assert result["persons"]["P1"]["p"] == pytest.approx(2 / 128, abs=1e-6)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["comparison.json"]


def test_json_is_all_that_is_printed_when_asked_for(tmp_path):
    done = compare(tmp_path, HEADER + GOOD, "--json")
    assert json.loads(done.stdout)["persons"]["P1"]["nights_massage"] == 7


@pytest.mark.parametrize(
    "text",
    [
        HEADER.replace(",", "\t") + GOOD.replace(",", "\t"),
        HEADER.replace(",", ";") + GOOD.replace(",", ";"),
        "\ufeff" + (HEADER.upper() + GOOD.replace("massage", "Massage")).replace("\n", "\r\n"),
        HEADER + "\n" + GOOD.replace("\n", "\n\n") + "\n,,,,,\n",
    ],
    ids=["tabs", "semicolons", "byte-order-mark", "blank-lines"],
)
def test_the_same_table_written_another_way(tmp_path, text):
    done = compare(tmp_path, text, "--json")
    assert done.exit_code == 0, done.output
    plain = compare(tmp_path, HEADER + GOOD, "--json")
    assert json.loads(done.stdout)["persons"] == json.loads(plain.stdout)["persons"]


ROW_4 = "P1,2026-03-03,massage,1,67,7.2"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("P1,2026-03-03,massage,1,-67,7.2", "row 4, count: '-67'"),
        ("P1,2026-03-03,massage,1,many,7.2", "row 4, count: 'many'"),
        ("P1,2026-03-03,massage,1,67,-2", "row 4, hours: '-2'"),
        ("P1,2026-03-03,massage,1,67,1e999", "row 4, hours: '1e999'"),
        ("P1,2026-03-03,sham,1,67,7.2", "row 4, condition: 'sham'"),
        ("P1,2026-03-02,massage,1,67,7.2", "2026-03-02 again"),
        ("P1,2026-03-03,control,1,67,7.2", "block 1: 0 massage and 2"),
        ("P1,2026-03-03,massage,1,67", "row 4: 5 cells"),
        (",2026-03-03,massage,1,67,7.2", "row 4, participant_id: no value"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_compared(tmp_path, written, sentence):
    assert ROW_4 in GOOD
    text = HEADER + GOOD.replace(ROW_4, written)
    done = compare(tmp_path, text, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert sentence in done.stderr
    result = json.loads((tmp_path / "out" / "comparison.json").read_text())
    person = result["persons"]["P1"]
    assert person["assignments"] in (64, 128)
    assert person["nights_massage"] + person["nights_control"] in (12, 13)
    assert person["ratio"] < 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        (HEADER, "no night in it"),
        ("a,b\n1,2\n", "no column participant_id, night, condition"),
        (HEADER.replace(",hours", "") + "P1,1,massage,1,5\n", "no column hours"),
        (HEADER.replace(",block", "") + "P1,1,massage,5,7\n", "no column block"),
        (b"\x00\x01\x02", "zero bytes"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEADER + "P1,1,massage,1,5,7\n", "nobody's nights can be compared"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error_in_words(tmp_path, text, sentence):
    done = compare(tmp_path, text)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_free_and_none_need_no_block(tmp_path):
    rows = "".join(
        ",".join(line.split(",")[:3] + line.split(",")[4:]) + "\n" for line in GOOD.split()
    )
    for scheme in ("free", "none"):
        done = compare(tmp_path, HEADER.replace(",block", "") + rows, scheme=scheme)
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["study", "--nights", "n.csv", "--scheme", "free"],
        ["--nights", "n.csv"],
        ["study", "--scheme", "free"],
        ["--nights", "n.csv", "--scheme", "sham"],
        ["--nights", "n.csv", "--scheme", "free", "--margin", "1.2"],
        ["--nights", "n.csv", "--scheme", "free", "--margin", "0"],
        ["--nights", "n.csv", "--scheme", "free", "--seed", "-1"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert run(*arguments).exit_code == 2


def test_files_that_are_not_there(tmp_path):
    assert run("--nights", tmp_path / "no.csv", "--scheme", "free").exit_code == 1
    assert run(tmp_path / "no").exit_code == 1
    assert run("--nights", tmp_path, "--scheme", "free").exit_code == 1


def test_the_margin_decides_what_is_worthwhile(tmp_path):
    rows = "".join(
        f"P1,{2 * p + i},{c},{p},{n + p % 3},7\n"
        for p in range(8)
        for i, (c, n) in enumerate([("massage", 980), ("control", 1000)])
    )
    wide = json.loads(compare(tmp_path, HEADER + rows, "--json").stdout)["persons"]["P1"]
    narrow = json.loads(compare(tmp_path, HEADER + rows, "--json", "--margin", "0.99").stdout)[
        "persons"
    ]["P1"]
    assert wide["verdict"] == "no_worthwhile_difference"
    assert narrow["verdict"] == "fewer"
    assert (wide["ratio"], wide["p"]) == (narrow["ratio"], narrow["p"])


CELL = st.one_of(
    st.sampled_from(["massage", "control", "P1", "P2", "1", "2", "3", "7.5", "0", "", "n/a"]),
    st.text(max_size=4),
    st.integers(-3, 20).map(str),
)


@given(
    st.lists(st.lists(CELL, min_size=4, max_size=7), max_size=12),
    st.sampled_from(["pairs", "blocks", "free", "none"]),
)
@settings(max_examples=80, deadline=None)
def test_whatever_the_cells_hold_there_is_a_result_or_an_error_in_words(
    tmp_path_factory, rows, scheme
):
    text = HEADER + "".join(",".join(row) + "\n" for row in rows)
    done = compare(
        tmp_path_factory.mktemp("t"), text.encode("utf-8", "surrogatepass"), scheme=scheme
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1)


@pytest.mark.parametrize(
    "command",
    [["compare"], ["plan"], ["study"], ["study", "new"], ["study", "check"],
     ["study", "import-sleeplog"], ["simulate", "results"]],
)  # fmt: skip
def test_every_command_has_help_with_an_example(command):
    done = CliRunner().invoke(main, [*command, "--help"])
    assert done.exit_code == 0
    assert "Example: rlsmove" in done.output


# Plans as they stand with a table.


def person_of(tmp_path, text, *options, scheme="pairs"):
    done = compare(tmp_path, text, "--json", *options, scheme=scheme)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["persons"]["P1"], done.stderr


def test_before_the_planned_end_there_is_no_verdict_and_no_p(tmp_path):
    done = compare(tmp_path, HEADER + GOOD, "--json", "--planned-nights", "20")
    result = json.loads(done.stdout)
    person = result["persons"]["P1"]
    assert person["verdict"] == "not_finished"
    assert person["ratio"] < 1
    assert person["p"] is person["ratio_low"] is person["ratio_high"] is None
    assert person["anytime"]["p"] < 0.2
    assert "not finished: 14 of 20 nights" in person["sentence"]
    assert all(row["p"] is None for row in (*result["claims"], *result["sensitivity"]))
    assert result["complete"] is False
    finished, _ = person_of(tmp_path, HEADER + GOOD, "--planned-nights", "14")
    assert finished["verdict"] == "fewer"


def test_looked_at_every_morning_the_anytime_test_decides(tmp_path):
    person, _ = person_of(tmp_path, HEADER + GOOD, "--looks", "every_morning")
    anytime = person["anytime"]
    assert person["verdict"] == ("fewer" if anytime["ratio_high"] < 1 else "cannot_tell")
    assert person["p"] == pytest.approx(2 / 128, abs=1e-6)
    assert len(anytime["path"]) == 7
    assert anytime["path"] == sorted(anytime["path"], reverse=True)
    assert (anytime["decided_after"] is None) == (anytime["p"] > 0.05)
    early, _ = person_of(
        tmp_path, HEADER + GOOD, "--looks", "every_morning", "--planned-nights", "40"
    )
    assert early["verdict"] == person["verdict"]


def test_periods_are_redrawn_whole(tmp_path):
    """Four nights of a block in two periods: two ways, not six."""
    header = HEADER.replace("block,", "block,period,")
    rows = "".join(
        f"P1,{8 * block + 2 * half + night},{condition},{block},{2 * block + half},{60 + night},7\n"
        for block in range(6)
        for half, condition in enumerate(("massage", "control")[:: 1 if block % 2 else -1])
        for night in range(2)
    )
    for scheme in ("pairs", "blocks"):
        person, _ = person_of(tmp_path, header + rows, scheme=scheme)
        assert person["assignments"] == 64
    mixed = (header + rows).replace("P1,0,control", "P1,0,massage")
    done = compare(tmp_path, mixed, "--json", scheme="pairs")
    assert done.exit_code == 1
    assert "both conditions" in done.stderr


def test_the_other_night_of_a_pair_without_a_row_is_missing(tmp_path):
    rows = [line for line in GOOD.splitlines(keepends=True) if "2026-03-04" not in line]
    person, told = person_of(tmp_path, HEADER + "".join(rows))
    assert person["assignments"] == 128
    assert person["nights_missing"] == 1
    assert "one night of two" in told


def test_a_run_longer_than_was_said_is_refused(tmp_path):
    done = compare(tmp_path, HEADER + GOOD, "--max-run", "1")
    assert done.exit_code == 0
    rows = "".join(f"P1,{i},{'massage' if i < 4 else 'control'},1,50,7\n" for i in range(8))
    done = compare(tmp_path, HEADER + rows, "--max-run", "2", scheme="free")
    assert done.exit_code == 1
    assert "4 in a row" in done.stderr


def test_hours_of_a_short_test_have_a_minimum_of_their_own(tmp_path):
    rows = GOOD.replace(",7.2\n", ",1\n")
    person, told = person_of(tmp_path, HEADER + rows)
    assert person["nights_massage"] == 7
    assert "fewer than 0.5 h" in told
    _, told = person_of(tmp_path, HEADER + rows, "--minimum-hours", "0.5")
    assert told == ""
    done = compare(tmp_path, HEADER + rows, "--minimum-hours", "2")
    assert done.exit_code == 1


def test_few_movements_are_compared_by_sums_and_fewer_not_at_all(tmp_path):
    def rows(massage, control):
        return "".join(
            f"P1,{2 * pair + place},{condition},{pair},{count},7\n"
            for pair in range(7)
            for place, (condition, count) in enumerate(
                [("massage", massage[pair]), ("control", control[pair])][:: 1 if pair % 2 else -1]
            )
        )

    few, control = [1, 0, 2, 1, 0, 1, 1], [3, 2, 4, 1, 3, 2, 5]
    person, _ = person_of(tmp_path, HEADER + rows(few, control))
    assert person["ratio"] == pytest.approx((sum(few) + 0.5) / (sum(control) + 0.5), abs=1e-6)
    assert person["ratio_high"] < 1
    done = compare(tmp_path, HEADER + rows([0] * 7, [1] + [0] * 6), "--json")
    person = json.loads(done.stdout)["persons"]["P1"]
    assert person["ratio"] is None
    assert "too few movements: 1 in 14 nights" in person["sentence"]
    none, _ = person_of(tmp_path, HEADER + rows([0] * 7, control))
    assert none["ratio_low"] is None
    assert none["verdict"] == "fewer"


def test_names_that_differ_in_case_only_are_said(tmp_path):
    done = compare(tmp_path, HEADER + GOOD + GOOD.replace("P1", "p1"), "--json")
    assert set(json.loads(done.stdout)["persons"]) == {"P1", "p1"}
    assert "case of letters" in done.stderr
