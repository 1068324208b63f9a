"""How complete a recording is: what is damaged, cut out or contradicts itself is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from device_files import worn, write_bin, write_cwa, write_gt3x
from real_recordings import FOLDER, NAMES, codes, read, real_file

from rlsmove.devices import actigraph, axivity, geneactiv, open_recording
from rlsmove.errors import RecordingError

DAMAGED = FOLDER.parent / "cases" / "damaged"

#: File, unit, how many are expected, read, lost and not vouched for, and the finding.
CASES = (
    ("gt3x_boundary_payload_639.gt3x", "records", None, 2399, 1, 0, "damaged_blocks"),
    ("gt3x_kind_flip.gt3x", "records", None, 59, 1, 0, "damaged_blocks"),
    ("gt3x_record_deleted.gt3x", "records", None, 59, 1, 0, "missing_blocks"),
    ("gt3x_scale_digit.gt3x", "records", None, 60, 0, 60, "damaged_header"),
    ("gt3x_old_zeros.gt3x", "rows", 4817, 4817, 0, 4817, "checksum"),
    ("cwa_block_deleted.cwa", "blocks", 50, 49, 1, 0, "missing_blocks"),
    ("cwa_first_block_deleted.cwa", "blocks", 50, 49, 1, 0, "missing_blocks"),
    ("bin_page_deleted.bin", "pages", 20, 19, 1, 0, "missing_blocks"),
    ("bin_page_short.bin", "pages", 20, 20, 0, 1, "short_pages"),
    ("bin_mid_page_mark.bin", "pages", 20, 19, 1, 0, "damaged_blocks"),
    ("bin_last_page_mark.bin", "pages", 20, 19, 1, 0, "damaged_blocks"),
)


@pytest.mark.parametrize(
    ("name", "unit", "expected", "read_", "lost", "unknown", "code"),
    CASES,
    ids=[case[0] for case in CASES],
)
def test_damage_is_said_with_its_amount(
    name: str, unit: str, expected: int | None, read_: int, lost: int, unknown: int, code: str
) -> None:
    path = DAMAGED / name
    if not path.exists():
        pytest.skip("this damaged recording is not here")
    recording, _, _ = read(path)
    found = recording.completeness
    assert found is not None
    assert (found.unit, found.expected, found.read) == (unit, expected, read_)
    assert (found.lost, found.unknown) == (lost, unknown)
    assert code in codes(recording)


@pytest.mark.parametrize("name", [name for name in NAMES if "corrupt" not in name])
def test_whole_files_are_complete(name: str) -> None:
    recording, _, _ = read(real_file(name))
    found = recording.completeness
    assert found is not None
    assert found.unknown == 0
    assert found.lost == (222_031 if "85hz" in name else 0)


SIGNAL = worn(120, 100)
WRITERS: dict[str, Callable[[Path], object]] = {
    "cwa": lambda path: write_cwa(path, [SIGNAL]),
    "gt3x": lambda path: write_gt3x(path, [SIGNAL]),
    "bin": lambda path: write_bin(path, [SIGNAL], pages=40),
}


@pytest.mark.parametrize("format_", WRITERS)
@pytest.mark.parametrize("seed", range(12))
def test_a_byte_changed_anywhere_is_said_at_its_place_whatever_is_read_at_once(
    format_: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    WRITERS[format_](path)
    data = bytearray(path.read_bytes())
    # Behind what comes first in the file, and before what comes last.
    at = 5000 + (seed * 7919 * 64 + seed) % (len(data) - 10_000)
    data[at] ^= 0x55
    path.write_bytes(data)
    whole, acceleration, _ = read(path)
    assert whole.completeness is not None
    if format_ != "bin":
        assert whole.completeness.lost + whole.completeness.unknown > 0
        assert codes(whole) & {"damaged_blocks", "checksum"}
        assert len(acceleration) >= len(SIGNAL) - 120
    monkeypatch.setattr(axivity, "SAMPLES_PER_READ", 700)
    monkeypatch.setattr(actigraph, "BYTES_PER_READ", 1000)
    monkeypatch.setattr(geneactiv, "BYTES_PER_READ", 5000)
    pieces, again, _ = read(path)
    assert pieces.completeness == whole.completeness
    assert pieces.notices == whole.notices
    assert (again == acceleration).all()


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(RecordingError, match="cannot be read"):
            open_recording(path)
