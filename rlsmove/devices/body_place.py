"""Where on the body a recording was made, from the words that someone typed."""

from __future__ import annotations

import re

_SIDE = re.compile(r"\b(left|right)\b")
_PLACE = re.compile(r"\b(ankle|foot|toe|shin|calf|leg|thigh|knee|wrist|arm|waist|hip|chest|back)\b")


def find_body_place(text: str) -> tuple[str, str]:
    """Find the side and the placement named in a text.

    Parameters
    ----------
    text : str
        Such as ``right wrist`` or ``Waist``.

    Returns
    -------
    side : str
        ``left``, ``right`` or ``unknown``.
    placement : str
        The first part of the body that is named, or ``unknown``.
    """
    side = _SIDE.search(text.lower())
    place = _PLACE.search(text.lower())
    return side[1] if side else "unknown", place[1] if place else "unknown"
