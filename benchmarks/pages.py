"""The pages of the documentation that the benchmarks write their tables into."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"

BEGIN, END = "<!-- begin generated table -->", "<!-- end generated table -->"


def page_of(benchmark: str) -> Path:
    """The page of a benchmark, by its name."""
    return DOCS / f"benchmarks-{benchmark}.md"


def write_tables(benchmark: str, text: str) -> None:
    """Put new tables between the marks of a benchmark's page."""
    path = page_of(benchmark)
    head, rest = path.read_text(encoding="utf-8").split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
