"""Leg movements in sleep, from the accelerometer's file to the comparison of nights.

The data's way, a stage a line::

    devices     file -> Recording, in blocks of samples
    signal      Recording -> Night: uniform clock, calibrated, worn; movement signal and noise
    movements   Night -> leg movements of one leg, of both legs on one clock
    massage     Night -> what a massage or a machine does at the sensor
    scoring     leg movements -> CLM, PLM series, indices
    night       the stages of a night in their order
    results     a night's files, written and read back
    study       the folder of a study: tables, diaries, plan
    comparison  night results and plan -> contrast of one person, of a cohort
    report      results -> pages to look at
"""

from __future__ import annotations

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: commands start in a twentieth of a second.
    if name == "__version__":
        from rlsmove.io.provenance import program_version

        return program_version()
    raise AttributeError(f"module 'rlsmove' has no attribute {name!r}")
