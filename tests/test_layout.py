"""The shape of the package: which way imports run, and that every part is where it should be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rlsmove"

#: Each part may import those on earlier lines, and its own. `__init__` names what is public.
ORDER = (
    {"errors", "records", "rules", "_processors"},
    {"_jit"},
    {"io", "scoring"},
    {"devices", "events"},
    {"signal"},
    {"movements"},
    {"massage"},
    {"night"},
    {"results"},
    {"study", "agreement", "review"},
    {"comparison", "batch", "view", "share"},
    {"report", "simulate", "home"},
    {"notebook"},
    {"cli"},
)
RANK = {part: rank for rank, parts in enumerate(ORDER) for part in parts}


def part_of(module: str) -> str:
    return module.split(".")[1]


def imported_parts(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "rlsmove":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rlsmove."):
            found.add(part_of(node.module or ""))
        elif isinstance(node, ast.Import):
            found |= {part_of(a.name) for a in node.names if a.name.startswith("rlsmove.")}
    return found


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    backwards = {
        other
        for other in imported_parts(path) - {part}
        if RANK[other] >= RANK[part] and other in RANK
    }
    assert not backwards, f"{part} comes before {sorted(backwards)}"


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in MODULES}
    assert parts <= set(RANK)
