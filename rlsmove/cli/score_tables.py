"""Scored event lists as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlsmove.events.scored_events import ScoredNight
from rlsmove.records import Notice
from rlsmove.scoring import INDICES

Nights = Mapping[str, ScoredNight]

#: Columns of the table of several nights: heading, index, decimals.
_CASE_COLUMNS = (
    ("in bed h", "tib_hours", 2),
    ("asleep h", "sleep_hours", 2),
    ("LM", "lm_count", 0),
    ("LM/h bed", "lm_per_hour_tib", 1),
    ("PLM/h bed", "plm_per_hour_tib", 1),
    ("PLMS", "plms_count", 0),
    ("PLMS/h", "plms_per_hour", 1),
    ("PLMW/h", "plmw_per_hour", 1),
    ("PI mov.", "periodicity_index_movements", 2),
    ("PI int.", "periodicity_index_intervals", 2),
)


def score_lines(scores: Mapping[str, Nights]) -> list[str]:
    """Show results by rule set: every index of one night, or a line for each of several.

    Parameters
    ----------
    scores : mapping
        Scored nights by case, by name of the rule set.
    """
    first = next(iter(scores.values()))
    if len(first) == 1:
        (case,) = first
        return _indices_of(case, {name: nights[case] for name, nights in scores.items()})
    return [line for name, nights in scores.items() for line in [*_cases(name, nights), ""]][:-1]


def _indices_of(case: str, nights: Mapping[str, ScoredNight]) -> list[str]:
    """Every index with its hours, the rule sets side by side."""
    title = f"{case:<28}" if case else f"{'index':<28}"
    lines = [title + "".join(f"{name:>14}" for name in nights) + "  per"]
    for index in INDICES:
        values = [night.indices[index.name] for night in nights.values()]
        if any(isinstance(value, list) for value in values):
            for name, value in zip(nights, values, strict=True):
                label = index.name if len(nights) == 1 else f"{index.name} {name}"
                lines.append(f"{label:<28}  {_text(value)}")
            continue
        hours = _hours(index.over, next(iter(nights.values())).indices)
        line = f"{index.name:<28}" + "".join(f"{_text(value):>14}" for value in values)
        lines.append(f"{line}  {hours}".rstrip())
    return lines


def _hours(over: str, indices: Mapping[str, Any]) -> str:
    """Say which hours an index is counted over, and how many they are."""
    for word, name in (("wake", "wake_hours"), ("sleep", "sleep_hours"), ("lights", "tib_hours")):
        if "hours" in over and word in over:
            value = indices[name]
            return f"{value:.2f} h {word.replace('lights', 'in bed')}" if value else "hours unknown"
    return ""


def _cases(name: str, nights: Nights) -> list[str]:
    width = max(len("case"), *(len(case) for case in nights))
    lines = [
        f"{name}",
        f"{'case':<{width}}" + "".join(f"{head:>10}" for head, _, _ in _CASE_COLUMNS),
    ]
    for case, night in nights.items():
        cells = [
            "-" if night.indices[key] is None else f"{night.indices[key]:.{decimals}f}"
            for _, key, decimals in _CASE_COLUMNS
        ]
        lines.append(f"{case:<{width}}" + "".join(f"{cell:>10}" for cell in cells))
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "  ".join(_text(item) for item in value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def warning_lines(nights: Nights) -> list[str]:
    """One line for each warning of a single night; for several nights, one for each code."""
    if len(nights) == 1:
        return [_line(notice) for night in nights.values() for notice in night.notices]
    found: dict[str, list[tuple[str, Notice]]] = {}
    for case, night in nights.items():
        for notice in night.notices:
            found.setdefault(notice.code, []).append((case, notice))
    lines = []
    for warned in found.values():
        case, notice = warned[0]
        lines.append(
            f"{_line(notice)} (case {case}; such in {len(warned)} of {len(nights)} nights)"
        )
    return lines


def _line(notice: Notice) -> str:
    return f"warning ({notice.code}): {notice.sentence}"


def all_warnings(scores: Mapping[str, Nights]) -> Sequence[str]:
    """Warnings of all rule sets, each once."""
    return list(dict.fromkeys(line for nights in scores.values() for line in warning_lines(nights)))
