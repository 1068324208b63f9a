"""The command line as a whole: help with an example, on the page, and a short start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rlsmove.cli import COMMANDS, main
from rlsmove.cli.commands_page import all_commands, commands_text

ROOT = Path(__file__).parents[1]

#: What takes long to import: help must do without.
HEAVY = ("numpy", "scipy", "numba", "h5py", "matplotlib", "rich", "edfio", "jinja2", "pebble")

EVERY = {words: command for words, command, _ in all_commands()}


def test_the_commands_of_the_contract_are_there() -> None:
    wanted = {
        "info", "night", "score", "batch", "compare", "study", "plan", "report", "view",
        "simulate", "validate", "convert",
    }  # fmt: skip
    assert wanted <= set(COMMANDS)
    assert {"rlsmove study new", "rlsmove study check"} <= set(EVERY)
    assert {"rlsmove simulate night", "rlsmove simulate study"} <= set(EVERY)


@pytest.mark.parametrize("words", EVERY)
def test_help_says_what_it_does_with_an_example(words: str) -> None:
    result = CliRunner().invoke(main, [*words.split()[1:], "--help"], prog_name="rlsmove")
    assert result.exit_code == 0
    assert f"Usage: {words}" in result.stdout
    assert "Example: rlsmove " in " ".join(result.stdout.split())


@pytest.mark.parametrize("words", EVERY)
def test_every_option_has_help(words: str) -> None:
    for parameter in EVERY[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts


def test_the_page_of_commands_is_current() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert page == commands_text(), "run python -m rlsmove.cli.commands_page > docs/commands.md"


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from rlsmove.cli import main\n"
        f"main([*{arguments!r}, '--help'], standalone_mode=False)\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_scoring_a_night_does_without_the_slow_parts_of_scipy() -> None:
    program = (
        "import sys, rlsmove.night.analysis, rlsmove.results.night_files\n"
        "slow = [n for n in ('scipy.signal', 'scipy.linalg', 'scipy.stats', 'matplotlib') "
        "if n in sys.modules]\n"
        "sys.exit(f'imported {slow}' if slow else 0)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("arguments", [["frobnicate"], ["night", "--frobnicate"], ["convert"]])
def test_wrong_usage_exits_with_2_and_says_so_on_standard_error(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage" in result.stderr
    assert result.stdout == ""


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert "0." in result.stdout
