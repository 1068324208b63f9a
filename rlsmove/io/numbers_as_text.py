"""Numbers and cells of tables as text, the same for the same value, and times read back."""

from __future__ import annotations

import math

#: Longest time that a file may speak of: beyond a month a number is no second of a night.
_MAX_S = 32 * 86_400


def csv_cell(text: str) -> str:
    """Quote a cell where CSV needs it."""
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def seconds(time_ms: int) -> str:
    """Write milliseconds as seconds, with as many decimals as they have."""
    whole, rest = divmod(abs(time_ms), 1000)
    text = f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)
    return f"-{text}" if time_ms < 0 else text


def decimal(value: float, decimals: int) -> str:
    """Write a number with at most so many decimals; empty where it is not finite."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def milliseconds(text: str) -> int | None:
    """Read seconds as whole milliseconds; None where it is no number, or over a month."""
    try:
        time_s = float(text)
    except ValueError:
        return None
    return round(time_s * 1000) if abs(time_s) <= _MAX_S else None
