"""Leg movements in sleep, from the accelerometer's file to the comparison of nights.

::

    import rlsmove

    nights = rlsmove.read("left.cwa")                      # or left=..., right=...; a result folder
    nights.indices(), nights.movements(), nights.plot()
    rlsmove.score("events.csv")                            # leg movements that others found
    rlsmove.compare("nights.csv", scheme="pairs")          # or a study folder

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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlsmove.errors import RlsmoveError
    from rlsmove.movements.given_detector import LegNight
    from rlsmove.notebook import Night, Nights, compare, read, score
    from rlsmove.rules import AASM, WASM_2006, WASM_2016, RuleSet

    __version__: str

__all__ = [
    "AASM",
    "WASM_2006",
    "WASM_2016",
    "LegNight",
    "Night",
    "Nights",
    "RlsmoveError",
    "RuleSet",
    "__version__",
    "compare",
    "read",
    "score",
]

#: Where each public name is. They are imported when they are asked for: a command starts in a
#: twentieth of a second.
_HOMES = {
    **dict.fromkeys(("AASM", "WASM_2006", "WASM_2016", "RuleSet"), "rules"),
    **dict.fromkeys(("Night", "Nights", "compare", "read", "score"), "notebook"),
    "LegNight": "movements.given_detector",
    "RlsmoveError": "errors",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from rlsmove.io.provenance import program_version

        return program_version()
    if name in _HOMES:
        return getattr(import_module(f"rlsmove.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'rlsmove' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
