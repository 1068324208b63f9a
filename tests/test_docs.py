"""The documentation builds, needs no network to be read, and says what the program does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rlsmove.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("furo", reason="the extra docs is not installed")
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(out)]
    run = subprocess.run(build, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return out


def test_site_builds_without_a_warning(site):
    for page in DOCS.glob("*.md"):
        assert (site / f"{page.stem}.html").exists()


def test_site_loads_nothing_from_elsewhere(site):
    for page in site.glob("*.html"):
        text = page.read_text()
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"([^\"]+)\"", text)
        loaded += re.findall(r"<link[^>]*rel=\"(?:stylesheet|preload)[^>]*href=\"([^\"]+)\"", text)
        assert not [target for target in loaded if "//" in target], page.name
    for sheet in (site / "_static").rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text()), sheet.name


def test_every_picture_is_there_has_words_and_says_simulated():
    shown = []
    for page in PAGES:
        text = page.read_text()
        figures = re.findall(r"```\{figure\} (\S+)\n:alt: (.+)\n", text)
        figures += [(target, alt) for alt, target in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", text)]
        for target, alt in figures:
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
            assert "simulated" in alt.lower(), f"{page.name}: {target}"
            shown.append((page.parent / target).resolve())
    for picture in (DOCS / "pictures").iterdir():
        assert picture.resolve() in shown, f"{picture.name} stands on no page"
        if picture.suffix == ".svg":
            assert "simulated data" in picture.read_text()


def example_lines():
    """Lines of the pages that call the program, comments taken off."""
    for page in PAGES:
        if page.name == "commands.md":
            continue  # generated from the program
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), flags=re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                for part in line.split("&&"):
                    words = shlex.split(part, comments=True)
                    if words and words[0].split("/")[-1] == "rlsmove":
                        yield pytest.param(words[1:], id=f"{page.stem}: {' '.join(words[1:])}")


@pytest.mark.parametrize("words", list(example_lines()))
def test_commands_in_the_pages_are_commands_of_the_program(words):
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    options = {name for option in command.params for name in option.opts}
    for word in words:
        if word.startswith("-"):
            assert word.split("=")[0] in options, word


def test_pages_hold_to_the_words_of_the_program():
    for page in PAGES:
        text = page.read_text().lower()
        assert "abnormal" not in text, page.name
        assert "cure" not in re.findall(r"[a-z]+", text), page.name
