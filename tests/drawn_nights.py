"""Short seeded nights of each kind of physics, and what the detector makes of them.

Drawn from the ranges for training: what is found wrong here may be looked at and put right. The
held-out ranges belong to the accuracy benchmark.
"""

from __future__ import annotations

from functools import cache

from benchmarks.detectors import OURS, found_by
from benchmarks.tally import Tally, judge, pooled
from rlsmove.simulate import TRAINING, SimulatedNight, drawn_night

#: Of the nights of each kind: an hour of one leg each.
SEEDS = (501, 502)


@cache
def nights_of(kind: str) -> tuple[SimulatedNight, ...]:
    """The nights of a kind."""
    return tuple(drawn_night(seed, TRAINING, kind, hours=1.0, walks=0, off=0) for seed in SEEDS)


@cache
def tally_of(kind: str) -> Tally:
    """What the detector made of all nights of a kind."""
    return pooled([judge(night, found_by(OURS, None, night)) for night in nights_of(kind)])
