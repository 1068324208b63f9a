"""What the speed benchmark runs side by side does the same work."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import pages
from benchmarks.speed import write_formats
from benchmarks.speed_peers import (
    Samples,
    actfast_decode,
    rlsmove_decode,
    script_decode,
    script_night,
    script_samples,
    skdh_decode,
)
from rlsmove.devices import open_recording


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_formats(tmp_path_factory.mktemp("formats"), 0.2)


@pytest.mark.parametrize("kind", ["cwa", "gt3x", "bin"])
def test_every_reader_decodes_as_many_samples(files: dict[str, Path], kind: str) -> None:
    path = str(files[kind])
    counts = {rlsmove_decode(path), actfast_decode(path), script_decode(path)}
    if kind != "gt3x":
        counts.add(skdh_decode(path))
    assert len(counts) == 1
    assert counts.pop() > 0.19 * 3600 * 100


@pytest.mark.parametrize("kind", ["cwa", "gt3x", "bin"])
def test_the_script_decodes_the_same_acceleration(files: dict[str, Path], kind: str) -> None:
    ours = np.concatenate([b.acceleration for b in open_recording(files[kind]).blocks()])
    theirs: Samples = script_samples(str(files[kind]))
    np.testing.assert_allclose(theirs[0], ours, atol=1e-6)


def test_the_script_finds_movements_in_the_night(tmp_path: Path) -> None:
    assert script_night(str(write_formats(tmp_path, 1.0)["cwa"])) > 10


@pytest.mark.parametrize("benchmark", ["accuracy", "speed", "statistics"])
def test_the_page_takes_the_tables_and_keeps_its_text(
    benchmark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages.page_of(benchmark).read_text(encoding="utf-8")
    (tmp_path / pages.page_of(benchmark).name).write_text(before, encoding="utf-8")
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    pages.write_tables(benchmark, "| new |")
    after = pages.page_of(benchmark).read_text(encoding="utf-8")
    head, tail = before.split(pages.BEGIN)[0], before.split(pages.END)[1]
    assert after == f"{head}{pages.BEGIN}\n| new |\n{pages.END}{tail}"
