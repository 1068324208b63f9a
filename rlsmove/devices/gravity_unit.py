"""The unit of acceleration, told by gravity: what a sensor at rest shows is 1 g."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.export_layouts import WITH_GRAVITY
from rlsmove.devices.told import UNITS, Told
from rlsmove.errors import SettingError, UnsuitableSignal

#: What a sensor at rest may show in place of 1 g, since offsets and gains are some per cent off;
#: and in a unit that was told, which goes before what is seen.
_REST_G = (0.75, 1.3)
_TOLD_REST_G = (0.5, 2.0)
#: Less than this at rest, in any unit, is what is left when gravity is taken out.
_NO_GRAVITY = 0.4
_STILLEST_PART = 0.1
_LARGEST = 1e12


@dataclass(frozen=True)
class UnitOfGravity:
    """A unit, and why it is that one.

    Attributes
    ----------
    per_g : float
        How many of it make 1 g.
    name, source : str
        In words, with where it comes from.
    notice : str
        What a reader should know of it; empty where it was said and gravity agrees.
    """

    per_g: float
    name: str
    source: str
    notice: str = ""


def tell_unit(
    path: Path,
    value: NDArray[np.float64],
    rate_hz: float,
    said: str,
    source: str,
    told: Told,
    *,
    trusted: bool = True,
    without_gravity: bool = False,
    words: str = "",
) -> UnitOfGravity:
    """Tell the unit: as told, as the file says, or by gravity; gravity has to agree.

    Parameters
    ----------
    path : Path
        The file, for errors.
    value : ndarray of float64, shape (n, 3)
        Its first minutes.
    rate_hz : float
        Rows a second.
    said : str
        Unit that the file says (see `told.Told.unit`); empty for none.
    source : str
        Where it says so, in words.
    told : Told
        What is told of the file.
    trusted : bool
        Whether a unit that gravity contradicts is a reason to refuse, not one to look away.
    without_gravity : bool
        Whether names say that gravity was taken out.
    words : str
        Whose export it is, for errors.

    Raises
    ------
    UnsuitableSignal
        Gravity was taken out, or the numbers at rest make 1 g in no unit or another one.
    SettingError
        The unit that is told is far off.
    """
    rest = rest_norm(value, rate_hz)
    fitting = [unit for unit, one in UNITS.items() if _REST_G[0] <= rest / one <= _REST_G[1]]
    if told.unit:
        said, source = told.unit, "told"
    elif said not in fitting and not trusted:
        said = ""
    per_g = UNITS.get(said) or (float(said) if said else math.nan)
    name = said if said in UNITS or not said else f"{said} counts to 1 g"
    if _REST_G[0] <= rest / per_g <= _REST_G[1]:
        return UnitOfGravity(per_g, name, f"{source}; gravity agrees")
    if told.unit and _TOLD_REST_G[0] <= rest / per_g <= _TOLD_REST_G[1]:
        notice = f"At rest the numbers make {rest:.4g}, though {per_g:g} was told to be 1 g."
        return UnitOfGravity(per_g, name, source, notice)
    if told.unit:
        raise SettingError(
            "--unit",
            f"{path.name}: at rest its numbers make {rest:.4g}",
            expected=f"about {per_g:g}, as 1 g in {told.unit} is",
        )
    whole = bool((value == np.rint(value)).all())
    if without_gravity or (not fitting and rest < _NO_GRAVITY and not whole):
        raise UnsuitableSignal(
            path,
            f"gravity was taken out: at rest its numbers make {rest:.4g}{words}",
            expected="1 g at rest, that is about 1 (g), 1000 (mg) or 9.81 (m/s2)",
            advice=WITH_GRAVITY,
        )
    if not fitting:
        raise UnsuitableSignal(
            path,
            f"at rest its numbers make {rest:.4g}"
            + ", all of them whole, as activity counts or a device's own units are" * whole,
            expected="1 g, that is about 1 (g), 1000 (mg) or 9.81 (m/s2)",
            advice="Export the raw acceleration in g.",
            options=(f"--unit {_counts(rest):g}",) if 20 < rest < math.inf else (),
        )
    if said:
        raise UnsuitableSignal(
            path,
            f"its columns say {said}, but at rest its numbers make {rest:.4g}, which is 1 g in "
            f"{fitting[0]}",
            expected=f"about {per_g:g}",
            advice="Correct the columns' names.",
            options=(f"--unit {fitting[0]}",),
        )
    notice = (
        f"No unit is said; at rest the numbers make {rest:.4g}, so they are taken for {fitting[0]}."
    )
    return UnitOfGravity(UNITS[fitting[0]], fitting[0], f"gravity at rest, {rest:.4g}", notice)


def rest_norm(value: NDArray[np.float64], rate_hz: float) -> float:
    """What gravity makes of the numbers: their length in the stillest seconds."""
    # What no unit makes an acceleration of would be too large to square.
    value = value[(np.abs(value) < _LARGEST).all(axis=1)]
    if not len(value):
        return math.inf
    window = min(max(round(rate_hz), 2), len(value))
    windows = value[: len(value) // window * window].reshape(-1, window, 3)
    stillest = np.argsort(windows.std(axis=1).sum(axis=1))
    stillest = stillest[: max(round(_STILLEST_PART * len(windows)), 5)]
    return float(np.median(np.linalg.norm(windows[stillest], axis=2)))


def _counts(rest: float) -> float:
    """The number of counts that 1 g most likely is: a power of two nearby, or what was found."""
    power = 2.0 ** round(math.log2(rest))
    return power if 0.9 <= rest / power <= 1.1 else round(rest)
