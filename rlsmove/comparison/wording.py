"""What a comparison says in words: of the nights compared, never of a disease."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Stands at the end of every comparison.
DISCLAIMER = (
    "This compares leg movements counted in the recordings supplied, between conditions that "
    "were chosen. It is research software: it does not diagnose, recommends no treatment, and "
    "no regulator has evaluated it. What an accelerometer counts is a movement, not a burst of "
    "EMG; circulation, tension, endorphins and dopamine cannot be measured with it."
)

#: Each verdict in plain words.
VERDICT_WORDS = {
    "fewer": "fewer movements",
    "no_worthwhile_difference": "no worthwhile difference",
    "more": "more movements",
    "cannot_tell": "cannot tell yet",
    "not_finished": "not finished",
}

#: With fewer persons the average effect can hardly be told, and any effect is said first.
FEW_PERSONS = 8

#: For nights whose conditions chance did not give.
NOT_A_TEST = "before and after, not a test"


def change(ratio: float) -> str:
    """Say a ratio as a change in per cent, such as ``31 % fewer``."""
    per_cent = 100 * (ratio - 1)
    if abs(per_cent) < 0.5:
        return "no change"
    return f"{abs(per_cent):.0f} % {'fewer' if per_cent < 0 else 'more'}"


def change_interval(low: float | None, high: float | None) -> str:
    """Say an interval of ratios as one of changes, ``9 to 34 % fewer``; None is an open end."""
    if low is None and high is None:
        return "no interval"
    if low is None:
        return f"95 % interval up to {change(high or 0.0)}, open below"
    if high is None:
        return f"95 % interval from {change(low)}, open above"
    return f"95 % interval {change_range(low, high)}"


def change_range(low: float, high: float) -> str:
    """Say two ratios as the changes between them."""
    one, other = change(low), change(high)
    for way in (" % fewer", " % more"):
        if one.endswith(way) and other.endswith(way):
            small, large = sorted((one, other), key=lambda words: int(words.split()[0]))
            return f"{small.removesuffix(way)} to {large}"
    return f"{one} to {other}"


def p_words(p: float) -> str:
    """Say a p."""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def person_sentence(result: Mapping[str, Any], margin: float, looks: str) -> str:
    """Say what one person's comparison says.

    Parameters
    ----------
    result : mapping
        An entry of ``persons`` in comparison.json.
    margin : float
        The worthwhile ratio.
    looks : str
        When the nights are judged, one of `rlsmove.study.folder.LOOKS`.
    """
    waits = result["verdict"] == "not_finished"
    begun = f"not finished: {result['nights_over']} of {result['nights_planned']} nights"
    if result["ratio"] is None:
        return f"{begun if waits else VERDICT_WORDS['cannot_tell']}: {result['reason']}"
    nights = f"{result['nights_massage']} massage and {result['nights_control']} control nights"
    size = change(result["ratio"])
    if not result["randomized"]:
        return (
            f"{NOT_A_TEST}: {size} on massage nights ({nights}). The conditions were not "
            "randomized, so nothing tells massage from whatever else changed"
        )
    if waits:
        return (
            f"{begun}: {size} on massage nights so far ({nights}), and no verdict before the "
            f"planned end. {_at_any_time(result['anytime'])}"
        )
    fixed = f"{change_interval(result['ratio_low'], result['ratio_high'])}; {p_words(result['p'])}"
    if looks == "every_morning":
        return (
            f"{VERDICT_WORDS[result['verdict']]}: {size} on massage nights ({nights}). "
            f"{_at_any_time(result['anytime'])}. Beside it, the test at a fixed end: {fixed}"
        )
    sentence = f"{VERDICT_WORDS[result['verdict']]}: {size} on massage nights ({fixed}; {nights})"
    if result["verdict"] == "no_worthwhile_difference":
        sentence += _inside(result, margin)
    if result["verdict"] == "cannot_tell":
        if result["p_minimum"] > 0.05:
            sentence += f". With these nights no result could go below p {result['p_minimum']:.3f}"
        sentence += _needed(result, margin)
    return sentence


def _at_any_time(anytime: Mapping[str, Any], step: str = "block") -> str:
    """Say what the test says that may be looked at every morning."""
    if anytime["p"] is None:
        return "Looked at every morning: nothing yet"
    interval = change_interval(anytime["ratio_low"], anytime["ratio_high"])
    decided = anytime["decided_after"]
    return f"Looked at every morning: {p_words(anytime['p'])}, {interval}" + (
        f", decided after {step} {decided}" if decided else ""
    )


def _needed(result: Mapping[str, Any], margin: float) -> str:
    """Say how many nights would do."""
    number, low, high = (result[f"nights_needed{end}"] for end in ("", "_low", "_high"))
    if number is None and low is None:
        return ""
    told = f". To tell a change of {100 * (1 - margin):.0f} %, "
    if number is None:
        return told + "more than 500 nights would be needed"
    used = result["nights_over"]
    return (
        f"{told}about {number} nights in all would do, {number - used} more (between {low} and "
        f"{high or 'more than 500'}, as far as these nights tell)"
    )


def cohort_sentence(result: Mapping[str, Any], margin: float, looks: str) -> str:
    """Say what the persons say together; `result` is ``cohort`` in comparison.json."""
    waits = result["verdict"] == "not_finished"
    if result["ratio"] is None:
        words = VERDICT_WORDS["not_finished" if waits else "cannot_tell"]
        return f"{words}: fewer than two persons can be taken together"
    size, persons = change(result["ratio"]), f"{result['persons']} persons"
    if result["anytime"]["p"] is None:
        return f"{NOT_A_TEST}: {size} on massage nights ({persons}); conditions not randomized"
    if waits:
        return (
            f"{VERDICT_WORDS['not_finished']}: {size} on massage nights so far ({persons}), and "
            "no verdict before all have finished"
        )
    fixed = f"{change_interval(result['ratio_low'], result['ratio_high'])}; {p_words(result['p'])}"
    average = f"{size} on massage nights on the average ({fixed}; {persons})"
    if looks == "every_morning":
        average += f". {_at_any_time(result['anytime'], 'person')}"
    if result["verdict"] == "no_worthwhile_difference":
        average += _inside(result, margin)
    if result["verdict"] == "cannot_tell" and result["p_minimum"] > 0.05:
        average += f". So few persons cannot go below p {result['p_minimum']:.3f} on the average"
    parts = [f"{VERDICT_WORDS[result['verdict']]}: {average}"]
    if result["any_effect_p"] is not None:
        some = (
            "somebody's nights change"
            if result["any_effect_p"] <= 0.05
            else ("no sign that anybody's nights change")
        )
        told = (
            f"{some} with massage ({p_words(result['any_effect_p'])}, all nights of all persons "
            "redrawn; effects that differ around none would show here too)"
        )
        if result["persons"] < FEW_PERSONS:
            parts.insert(0, told)
            parts[1] = f"{parts[1][0].upper()}{parts[1][1:]}"
        else:
            parts.append(f"{told[0].upper()}{told[1:]}")
    if result["prediction_low"] is not None:
        expected = change_range(result["prediction_low"], result["prediction_high"])
        parts.append(f"One more person may expect {expected}")
    return ". ".join(parts)


def _inside(result: Mapping[str, Any], margin: float) -> str:
    inside = f", all of it within the margin of {margin:g} to {1 / margin:.3g} set beforehand"
    if result["p"] <= 0.05:
        inside += "; there is a difference, but a smaller one than was worth having"
    return inside


def comparison_text(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as a page of text.

    Parameters
    ----------
    comparison : mapping
        The content of comparison.json.
    """
    settings = comparison["settings"]
    lines = [
        f"Massage nights against control nights: {settings['index_words']}, by the condition "
        "assigned.",
    ]
    if comparison["simulated"]:
        lines.append("These data are simulated.")
    if comparison["incomplete"]:
        lines.append(f"NOT ALL NIGHTS: {comparison['incomplete']}.")
    lines += [f"Plan: {comparison['plan']['sentence']}", ""]
    persons = comparison["persons"]
    width = max(len(name) for name in persons)
    if len(persons) > 1:
        lines += _forest(persons, comparison["cohort"], width)
        lines.append("")
    for name, result in persons.items():
        lines.append(f"{name.ljust(width)}  {result['sentence']}.")
    if comparison["cohort"]:
        lines += ["", f"Together: {comparison['cohort']['sentence']}."]
        lines += [
            f"  not in it: {row['participant_id']}, {row['reason']}"
            for row in comparison["cohort"]["left_out"]
        ]
    left_out = [(name, row) for name, result in persons.items() for row in result["excluded"]]
    if left_out:
        lines += ["", f"Nights not compared ({len(left_out)}):"]
        most = 40
        lines += [f"  {name} {row['night']}: {row['reason']}" for name, row in left_out[:most]]
        if len(left_out) > most:
            lines.append(f"  and {len(left_out) - most} more, all in comparison.json")
    lines += _beside(comparison)
    tested = [row for row in comparison["claims"] if row["status"] != "not_testable"]
    if tested:
        lines += ["", "Claims about massage:"]
        lines += [f"  {row['code']} {row['claim']} - {row['sentence']}" for row in tested]
        rest = [row["code"] for row in comparison["claims"] if row["status"] == "not_testable"]
        if rest:
            lines.append(f"  not testable here: {', '.join(rest)} (comparison.json says why)")
    lines += ["", DISCLAIMER]
    return "\n".join(lines) + "\n"


def _beside(comparison: Mapping[str, Any]) -> list[str]:
    rows = [row for row in comparison["sensitivity"] if row["ratio"] is not None]
    if not rows or len(comparison["persons"]) > 1:
        rows = [row for row in rows if row["scope"] == "cohort"]
    if not rows:
        return []
    return [
        "",
        "Done another way, beside the comparison above:",
        *(
            f"  {row['analysis'].replace('_', ' ')}: {change(row['ratio'])}"
            + (
                f" ({change_interval(row['ratio_low'], row['ratio_high'])})"
                if row["ratio_low"] is not None
                else ""
            )
            + f"; {row['note']}"
            for row in rows
        ),
    ]


#: Ratios that the forest's scale runs between, and its width in characters.
_FOREST = (0.25, 4.0)
_FOREST_WIDTH = 41


def _forest(persons: Mapping[str, Any], cohort: Mapping[str, Any] | None, width: int) -> list[str]:
    """Draw the persons' ratios and intervals as a forest of text."""
    most = 40
    rows = [(name, result) for name, result in persons.items() if result["ratio"] is not None]
    lines = [_forest_line(name, result, width) for name, result in rows[:most]]
    if len(rows) > most:
        lines.append(f"and {len(rows) - most} persons more")
    if cohort and cohort["ratio"] is not None:
        lines.append(_forest_line("together", cohort, width))
    axis = [" "] * _FOREST_WIDTH
    for tick in (_FOREST[0], 0.5, 1.0, 2.0, _FOREST[1]):
        text = f"{tick:g}"
        start = min(_forest_column(tick), _FOREST_WIDTH - len(text))
        axis[start : start + len(text)] = text
    return [*lines, f"{'ratio'.ljust(max(width, 8))}  {''.join(axis)}"]


def _forest_line(name: str, result: Mapping[str, Any], width: int) -> str:
    cells = [" "] * _FOREST_WIDTH
    cells[_forest_column(1.0)] = "|"
    low, high = (result[f"ratio_{end}"] for end in ("low", "high"))
    if low is None and high is None:  # nothing excludes any ratio
        cells = ["." if cell == " " else cell for cell in cells]
    else:
        first = 0 if low is None else _forest_column(low)
        last = _FOREST_WIDTH - 1 if high is None else _forest_column(high)
        cells[first : last + 1] = "-" * (last + 1 - first)
    cells[_forest_column(result["ratio"])] = "o"
    return f"{name.ljust(max(width, 8))}  {''.join(cells)}  {result['ratio']:.2f}"


def _forest_column(ratio: float) -> int:
    low, high = (math.log(end) for end in _FOREST)
    share = (min(max(math.log(ratio), low), high) - low) / (high - low)
    return round(share * (_FOREST_WIDTH - 1))
