"""Which nights recordings hold, and the one that was asked for."""

from __future__ import annotations

from datetime import date

from rlsmove.errors import SettingError
from rlsmove.night.opened_leg import Leg


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
