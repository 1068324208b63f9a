"""Kinds of nights that are hard each in its own way: what a drawn night of a kind has for sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rlsmove.errors import SettingError
from rlsmove.simulate.night import SimulatedNight, simulate_night
from rlsmove.simulate.ranges import TRAINING, Ranges, draw_parameters
from rlsmove.simulate.scenarios import NightParameters

#: So that the physics of a seed has nothing to do with its movements.
_PHYSICS_SEED = 12

_NO_LEG_MOVEMENTS: dict[str, object] = {
    "plm_per_hour": 0.0,
    "isolated_per_hour": 0.0,
    "clusters_per_hour": 0.0,
    "wake_per_hour": 0.0,
    "respiratory_per_hour": 0.0,
}
_PERIODIC: dict[str, object] = {"plm_per_hour": 45.0}

#: What a night of each kind is given; all else is drawn.
KINDS: Mapping[str, Mapping[str, object]] = {
    "drawn": {},
    "settling_30": _PERIODIC | {"settle_share": 0.3},
    "settling_all": _PERIODIC | {"settle_share": 1.0},
    "weak": _PERIODIC | {"tilt_median_deg": 0.7, "tilt_ln_sd": 0.5, "shake_median_g": 0.012},
    "shaking": _PERIODIC
    | {"gestures": (("clonic", 1.0), ("tremor", 1.0), ("burst", 1.0)), "settle_share": 0.0},
    "toes": _PERIODIC | {"gestures": (("toe", 1.0),), "shake_median_g": 0.04},
    "long": _PERIODIC
    | {"gestures": (("slow", 1.0), ("held", 1.0), ("relaxing", 1.0)), "duration_median_s": 4.0},
    "coarse_step": _PERIODIC | {"step_g": 1 / 64, "range_g": 8.0, "noise_g": 0.003},
    "noisy": _PERIODIC | {"noise_g": 0.008, "flicker_g": 0.002, "step_g": 1 / 256},
    "aliased": _PERIODIC | {"fs": 25.0, "filtered": False},
    "loose_strap": _PERIODIC | {"strap_hz": 5.0, "strap_damping": 0.15, "slips": 4, "flips": 1},
    "partner": _PERIODIC | {"partner_per_hour": 60.0, "partner_shake_g": 0.02, "sway_deg": 0.0},
    "postures": _PERIODIC
    | {
        "posture_shifts_per_hour": 8.0,
        "gross_per_hour": 4.0,
        "into_posture_share": 0.12,
        "from_posture_share": 0.05,
    },
    "regular": _PERIODIC | {"interval_ln_sd": 0.06, "interval_memory": 0.0, "interval_trend": 0.0},
    "respiratory": _PERIODIC | {"respiratory_per_hour": 25.0},
    "none": _NO_LEG_MOVEMENTS
    | {"partner_per_hour": 30.0, "sway_deg": 0.0, "posture_shifts_per_hour": 6.0, "slips": 2},
    "none_alone": _NO_LEG_MOVEMENTS | {"partner_per_hour": 0.0},
    "none_swaying": _NO_LEG_MOVEMENTS | {"partner_per_hour": 60.0, "sway_deg": 0.8},
}


def drawn_parameters(
    seed: int, ranges: Ranges = TRAINING, kind: str = "drawn", **given: object
) -> NightParameters:
    """Draw what one night of a kind is made of.

    Parameters
    ----------
    seed : int
        Of the physics.
    ranges : Ranges
        `TRAINING`, or for tests alone `HELD_OUT`.
    kind : str
        One of `KINDS`.
    **given
        Values that are not drawn, as in `draw_parameters`; they go before the kind's.

    Raises
    ------
    SettingError
        There is no such kind.
    """
    if kind not in KINDS:
        raise SettingError("", f"kind {kind!r}", expected="one of " + ", ".join(KINDS))
    rng = np.random.default_rng([seed, _PHYSICS_SEED])
    return draw_parameters(rng, ranges, **(dict(KINDS[kind]) | given))


def drawn_night(
    seed: int, ranges: Ranges = TRAINING, kind: str = "drawn", **given: object
) -> SimulatedNight:
    """Draw a night of a kind, with a physics of its own; see `drawn_parameters`."""
    return simulate_night(drawn_parameters(seed, ranges, kind, **given), seed)
