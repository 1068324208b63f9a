"""Which nights recordings hold, the one that was asked for, and whether they have a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from rlsmove.errors import SettingError
from rlsmove.night.opened_leg import Leg
from rlsmove.records import SIDES


def choose_nights(legs: list[Leg], evening: str | None = None) -> list[date]:
    """List the nights that any leg holds, or check the one that was asked for.

    Raises
    ------
    SettingError
        The night asked for is in none of the recordings; the message lists those that are.
    """
    held = sorted({span.evening for leg in legs for span in leg.nights})
    if evening is None:
        return held
    every = {span.evening for leg in legs for span in leg.nights + leg.leftovers}
    try:
        chosen = date.fromisoformat(evening)
    except ValueError:
        raise SettingError(
            "--night", f"{evening!r}", expected="the evening's date, such as 2026-03-01"
        ) from None
    if chosen not in every:
        raise SettingError(
            legs[0].recording.path,
            f"no night of {chosen}",
            expected="one of " + ", ".join(str(night) for night in held),
        )
    return [chosen]


def check_dated(legs: list[Leg], wall_times: Mapping[str, str | None]) -> None:
    """Refuse wall times for recordings without a date.

    Parameters
    ----------
    legs : list of Leg
        The recordings.
    wall_times : mapping of str to str or None
        Times, by the options that give them.

    Raises
    ------
    SettingError
        One is given and a recording has no date; the message says which, and how to give it one.
    """
    undated = [leg for leg in legs if not leg.recording.dated]
    given = [(option, text) for option, text in wall_times.items() if text is not None]
    if not undated or not given:
        return
    option, text = given[0]
    files = " and ".join(leg.recording.path.name for leg in undated)
    raise SettingError(
        option,
        f"{text!r} says nothing of {files}, which has no date",
        expected="the wall time of its first sample",
        options=tuple(
            f"--{SIDES[leg.side] + '-' if len(legs) > 1 else ''}start 2026-03-01T22:30"
            for leg in undated
        ),
    )
