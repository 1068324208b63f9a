"""The glossary of all outputs as a page; ``python -m rlsmove.results.glossary`` prints it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

from rlsmove.results import fields
from rlsmove.results.fields import Field
from rlsmove.rules import RuleSet
from rlsmove.scoring import INDICES

_HEAD = """\
# Glossary

Every field of the outputs, with its unit. `python -m rlsmove.results.glossary > GLOSSARY.md` makes
this page from the program's own definitions; a test holds it current.

LM is a leg movement, CLM a candidate by the rules, PLM a periodic one, PLMS and PLMW those in
sleep and in wake, IMI the interval from onset to onset, TIB the time in bed (lights off to lights
on), TST the time asleep. What cannot be said is `null` in JSON and an empty cell in CSV, never 0.
What an accelerometer counts is a movement, not a burst of EMG.
"""


def glossary_text() -> str:
    """Write the glossary in Markdown."""
    sections = [
        _HEAD,
        "## movements.csv\n\nA row a movement, rejected ones too.\n\n" + _table(fields.MOVEMENTS),
        "## night.json\n\n" + _table(fields.NIGHT),
        "In these names stand:\n\n" + _table(fields.PLACEHOLDERS),
        "### Facts of a recording\n\n" + _table(fields.RECORDING),
        "### Indices\n\n" + _indices_table(),
        "### Options of the rules\n\n" + _table(_rule_options()),
        "## nights.csv\n\nOf a batch, a row a night: these columns, then every index by its name. "
        "`rlsmove score` of a list with cases writes `case`, then every index.\n\n"
        + _table(fields.NIGHTS),
        "## comparison.json\n\nOf each person, in `persons.<participant_id>`:\n\n"
        + _table(fields.PERSON),
        "Of the cohort, in `cohort` (null with one person):\n\n" + _table(fields.COHORT),
    ]
    return "\n".join(sections)


def _table(of: Iterable[Field]) -> str:
    lines = ["| field | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.type} | {one.unit} | {one.meaning} |" for one in of]
    return "\n".join(lines) + "\n"


def _indices_table() -> str:
    lines = [
        "| index | unit | what is counted or measured | over | bounds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{index.name}` | {index.unit} | {index.counts} | {index.over} | {index.bounds} |"
        for index in INDICES
    ]
    return "\n".join(lines) + "\n"


def _rule_options() -> list[Field]:
    """The attributes of `RuleSet`, from its own documentation."""
    text = inspect.getdoc(RuleSet) or ""
    body = text.partition("Attributes\n----------\n")[2]
    options = []
    for name, kind, meaning in re.findall(r"^(\S.*?) : (.*)\n((?:    .*\n?)+)", body, re.MULTILINE):
        said = " ".join(meaning.replace("``", "`").split())
        unit = "ms" if name.endswith("_ms") else ""
        values = kind.replace('"', "").strip("{}").replace("|", "or")
        options += [Field(option.strip(), values, unit, said) for option in name.split(",")]
    return options


if __name__ == "__main__":
    print(glossary_text(), end="")
