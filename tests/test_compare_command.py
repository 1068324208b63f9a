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
