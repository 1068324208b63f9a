"""The glossary names every field that the outputs have, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from recordings import EVENING, simulated, simulated_samples

from rlsmove.cli import main
from rlsmove.devices import write_recording
from rlsmove.massage.night_massage import MassageSession
from rlsmove.massage.sessions import Session
from rlsmove.results import fields, glossary
from rlsmove.results.movements_csv import MOVEMENT_COLUMNS
from rlsmove.results.nights_csv import ROW_COLUMNS
from rlsmove.rules import WASM_2016
from rlsmove.scoring import INDICES
from rlsmove.simulate.files import events_csv

ROOT = Path(__file__).parents[1]


def names(of: tuple[fields.Field, ...] | list[fields.Field]) -> list[str]:
    return [field.name for field in of]


def paths(value: Any, prefix: str = "") -> set[str]:
    """The keys of every leaf; ``[]`` stands for the items of a list of objects."""
    if isinstance(value, dict) and value:
        return set().union(*(paths(item, f"{prefix}.{key}") for key, item in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return paths(value[0], f"{prefix}[]")
    return {prefix.removeprefix(".")}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """night.json of two legs with everything that can be in it."""
    folder = tmp_path_factory.mktemp("glossary")
    for side in ("left", "right"):
        values = simulated_samples(side, legs="both", hours=1.5, fs=50.0)
        write_recording(
            folder / f"{side}.h5", [values], start_time=EVENING, sample_rate_hz=50.0, side=side
        )
    events = events_csv(simulated(legs="both", hours=1.5, fs=50.0))
    events += "respiratory,,1500,20\narousal,,1600,5\n"
    (folder / "events.csv").write_text(events)
    options = [
        "--sleep",
        f"{folder}/events.csv",
        "--sit",
        "22:30",
        "--json",
        "--out",
        f"{folder}/out",
    ]
    legs = ["--left", f"{folder}/left.h5", "--right", f"{folder}/right.h5"]
    result = CliRunner().invoke(main, ["night", *legs, *options])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_glossary_is_current() -> None:
    page = (ROOT / "GLOSSARY.md").read_text()
    assert page == glossary.glossary_text(), "run python -m rlsmove.results.glossary > GLOSSARY.md"


def test_every_column_of_movements_csv_is_there() -> None:
    assert tuple(names(fields.MOVEMENTS)) == MOVEMENT_COLUMNS


def test_every_column_of_nights_csv_is_there() -> None:
    assert tuple(names(fields.NIGHTS)) == ROW_COLUMNS


def test_every_option_of_the_rules_is_there() -> None:
    assert names(glossary._rule_options()) == list(WASM_2016.options())


#: What each placeholder stands for.
STANDS_FOR = {
    "<index>": "|".join(index.name for index in INDICES),
    "<option>": "|".join(WASM_2016.options()),
    "<part>": "TIB|TST|W|N1|N2|N3|R|NREM",
    "<side>": "left|right|all|bilateral|monolateral",
    "<type>": r"clm\w*|plm\w*|non_clm\w*",
    "<which>": "all|nr",
    "<event>": "respiratory|arousal",
    "<class>": "plm|isolated|short_interval",
    "<spread>": "mean|sd|min|max",
    "<library>": "numpy|scipy|numba|h5py",
    "<setting>": r"[\w.]+",
    "<fact>": "|".join(re.escape(field.name) for field in fields.RECORDING),
}


def pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"(<\w+>)", name)
    return re.compile(
        "".join(
            f"(?:{STANDS_FOR[part]})" if part in STANDS_FOR else re.escape(part) for part in parts
        )
    )


def test_every_field_of_night_json_is_there(night: Any) -> None:
    known = [pattern(name) for name in names(fields.NIGHT)]
    unknown = {path for path in paths(night) if not any(one.fullmatch(path) for one in known)}
    # What nobody scored is null where there would be an object.
    unknown -= {path for path in unknown if any(one.pattern.startswith(path) for one in known)}
    assert not unknown


def test_every_entry_of_night_json_is_met(night: Any) -> None:
    session = Session("vibration", 0.0, 600.0, 30.0, False, None, 0.1, 0.9)
    massage = MassageSession(session, ("left",), 20.0).as_record()
    found = paths(night) | paths({"massage": [massage]})
    unmet = [
        name
        for name in names(fields.NIGHT)
        if not any(pattern(name).fullmatch(path) for path in found)
    ]
    assert not unmet


def test_every_index_is_defined_with_its_bounds() -> None:
    text = glossary.glossary_text()
    for index in INDICES:
        assert f"| `{index.name}` |" in text
        assert index.counts
        assert index.bounds


def test_the_main_fields_of_a_comparison_are_there(tmp_path: Path) -> None:
    lines = ["participant_id,night,condition,block,count,hours"]
    lines += [
        f"p{person},2026-03-{2 * block + 1 + half:02d},{condition},{block},{40 + half + block},7"
        for person in range(3)
        for block in range(5)
        for half, condition in enumerate(("massage", "control"))
    ]
    (tmp_path / "nights.csv").write_text("\n".join(lines) + "\n")
    arguments = ["compare", "--nights", f"{tmp_path}/nights.csv", "--scheme", "pairs", "--json"]
    comparison = json.loads(CliRunner().invoke(main, arguments).stdout)
    for known, found in (
        (fields.PERSON, comparison["persons"]["p0"]),
        (fields.COHORT, comparison["cohort"]),
    ):
        for name in names(known):
            key, _, inner = name.partition(".")
            assert key in found
            assert inner in ("", "<field>") or inner in found[key]
