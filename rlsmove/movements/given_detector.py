"""A detector that somebody gives: any callable from one leg's night to its movements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlsmove.errors import SettingError
from rlsmove.records import SIDES, Movements


@dataclass(frozen=True)
class LegNight:
    """What a detector gets: one ankle of one night.

    Attributes
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        A missing sample is a row of NaN.
    fs : float
        Samples per second.
    side : str
        As in `records.SIDES`.
    """

    acceleration: NDArray[np.float32]
    fs: float
    side: str


#: Gives movements, or onsets and durations in seconds; times count from the first sample.
Detector = Callable[[LegNight], Movements | tuple[ArrayLike, ArrayLike]]


def movements_by(detector: Detector, night: LegNight) -> Movements:
    """Ask a detector for the movements of a night.

    Parameters
    ----------
    detector : callable
        From a `LegNight` to a `Movements`, or to a pair of arrays of one length: onsets and
        durations of the leg movements, in seconds from the first sample.
    night : LegNight
        The night.

    Returns
    -------
    Movements
        Sorted by onset; times in ms from the first sample.

    Raises
    ------
    SettingError
        It gives something else.
    """
    made: Any = detector(night)
    if isinstance(made, Movements):
        return Movements.concatenate(made)
    try:
        onset_s, duration_s = (np.asarray(part, np.float64) for part in made)
        if onset_s.shape != duration_s.shape or onset_s.ndim != 1:
            raise ValueError(f"shapes {onset_s.shape} and {duration_s.shape}")
        if not (np.isfinite(onset_s).all() and (duration_s > 0).all()):
            raise ValueError("a time that is no number, or a duration that is not above 0")
    except (TypeError, ValueError) as error:
        raise SettingError(
            getattr(detector, "__name__", "detector"),
            f"it gave {type(made).__name__} ({error})",
            expected="Movements, or a pair of arrays: onsets and durations in seconds",
        ) from error
    onset_ms, duration_ms = (
        np.round(1000 * part).astype(np.int64) for part in (onset_s, duration_s)
    )
    return Movements.marks(
        onset_ms, duration_ms, np.full(len(onset_ms), SIDES.index(night.side), np.int8)
    )
