"""Recordings of real devices, where they are at hand, and how to read any recording whole."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rlsmove.devices import Recording, open_recording

FOLDER = Path(os.environ.get("RLSMOVE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))

NAMES = (
    "actigraph_60hz.gt3x",
    "actigraph_idle_sleep_30hz.gt3x",
    "actigraph_link_wrist_100hz.gt3x",
    "axivity_ax3_wrist_100hz.cwa",
    "axivity_ax3_corrupt_blocks.cwa",
    "axivity_ax3_200hz.cwa",
    "axivity_ax6_100hz.cwa",
    "geneactiv_85hz.bin",
    "geneactiv_100hz_still.bin",
    "wrist_100hz.csv.gz",
)


def real_file(name: str) -> Path:
    """The file, or a skipped test."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the real recording {name} is not here")
    return path


def read(
    source: Path | Recording, start_s: float = 0.0, end_s: float = math.inf
) -> tuple[Recording, NDArray[np.float32], NDArray[np.float64]]:
    """Read a recording, and hold its blocks to what `Block` promises."""
    recording = open_recording(source) if isinstance(source, Path) else source
    blocks = list(recording.blocks(start_s, end_s))
    for block in blocks:
        assert block.acceleration.dtype == np.float32
        assert block.acceleration.flags.c_contiguous
        assert block.acceleration.shape == (len(block.time_s), 3)
        assert block.time_s.dtype == np.float64
        assert len(block.time_s) > 0
        assert np.isfinite(block.acceleration).all()
    acceleration = np.concatenate([np.empty((0, 3), np.float32)] + [b.acceleration for b in blocks])
    time_s = np.concatenate([np.empty(0)] + [b.time_s for b in blocks])
    assert np.isfinite(time_s).all()
    assert (np.diff(time_s) > 0).all()
    if len(time_s):
        assert start_s <= time_s[0]
        assert time_s[-1] < end_s
    assert recording.fraction_read == 1.0
    return recording, acceleration, time_s


def codes(recording: Recording) -> set[str]:
    return {notice.code for notice in recording.notices}
