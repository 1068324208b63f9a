"""A person's comparison in one sentence without statistics, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain_answer(person: Mapping[str, Any], looks: str) -> str:
    """Say what a person's nights showed.

    Parameters
    ----------
    person : mapping
        An entry of ``persons`` in comparison.json.
    looks : str
        When the nights are judged, one of `rlsmove.study.folder.LOOKS`.
    """
    ratio, waits = person["ratio"], person["verdict"] == "not_finished"
    if ratio is None:
        return "These nights are not enough yet to compare massage nights with the others."
    size = _size(ratio)
    moved = "as often as on the others" if size == "no change" else f"about {size}"
    if person.get("randomized") is False:
        return (
            f"On massage nights your legs moved {moved}, but chance did not choose those nights, "
            "so nobody can say whether it was the massage."
        )
    if waits:
        return f"So far your legs moved {moved} on massage nights; it is too early for an answer."
    limits = person.get("anytime") or {} if looks == "every_morning" else person
    fitting = _fitting(limits.get("ratio_low"), limits.get("ratio_high"))
    return f"On massage nights your legs moved {moved}; {fitting}."


def next_step(person: Mapping[str, Any], looks: str) -> str:
    """Say what to do next about a person's nights; never about a treatment."""
    if person.get("randomized") is False:
        return (
            "Let chance choose the nights to come: rlsmove plan STUDY draws them, and the nights "
            "after it can be compared."
        )
    if person["verdict"] == "not_finished":
        over, planned = person.get("nights_over"), person.get("nights_planned")
        return f"Go on with the plan: {over} of {planned} nights are over."
    if person["verdict"] != "cannot_tell":
        return "These nights have their answer: none more are needed for it."
    needed, over = person.get("nights_needed"), person.get("nights_over")
    more = None if needed is None or over is None else needed - over
    if looks == "every_morning":
        return "Go on with the plan, and look again when another block of nights is over."
    if more is not None and more > 0:
        return (
            f"To tell, about {more} more nights would be needed (rlsmove plan STUDY --more-nights)."
        )
    return "Nights like these do not tell. See below which are missing, and why."


def _size(ratio: float) -> str:
    per_cent = round(100 * abs(ratio - 1))
    if per_cent == 0:
        return "no change"
    return f"{per_cent} % {'less' if ratio < 1 else 'more'} often"


def _fitting(low: float | None, high: float | None) -> str:
    """Say an interval of ratios; None is an open end."""
    if low is None and high is None:
        return "any other difference, or none, would fit so few nights as well"
    one = "hardly ever" if low is None else _size(low)
    two = "many times as often" if high is None else _size(high)
    for way in (" % less often", " % more often"):
        if one.endswith(way) and two.endswith(way):
            small, large = sorted(int(end.removesuffix(way)) for end in (one, two))
            return f"between {small} and {large} % would fit these nights as well"
    return f"anything from {one} to {two} would fit these nights as well"
