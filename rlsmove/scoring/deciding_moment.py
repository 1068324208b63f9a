"""The moment of a movement that decides in which stage it counts."""

from __future__ import annotations

import numpy as np

from rlsmove.records import WAKE, IntArray, Sleep
from rlsmove.rules import RuleSet
from rlsmove.scoring.intervals import holding, union


def deciding_ms(
    onset_ms: IntArray, offset_ms: IntArray, sleep: Sleep | None, rules: RuleSet
) -> IntArray:
    """Tell for each movement the moment whose stage it is counted in.

    Parameters
    ----------
    onset_ms, offset_ms : ndarray of int64, shape (n,)
        Start and end of each movement.
    sleep : Sleep or None
        Stages; None where nothing is known.
    rules : RuleSet
        `in_sleep` is used.

    Returns
    -------
    ndarray of int64, shape (n,)
        The onset; with ``any_part`` the first moment in sleep of what begins outside of it.
    """
    if rules.in_sleep == "onset" or sleep is None or not np.any(sleep.stage > WAKE):
        return onset_ms
    rows = sleep.stage > WAKE
    asleep = union(sleep.onset_ms[rows], sleep.offset_ms[rows])
    later = np.minimum(np.searchsorted(asleep.onset_ms, onset_ms), len(asleep) - 1)
    first_ms = asleep.onset_ms[later]
    reaches = (holding(asleep, onset_ms) < 0) & (first_ms >= onset_ms) & (first_ms < offset_ms)
    return np.where(reaches, first_ms, onset_ms)
