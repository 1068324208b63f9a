"""Agreement of two scorings as plain text."""

from __future__ import annotations

from typing import Any

from rlsmove.agreement.validation import Validation, error_record

_NAMES = {"lm": "leg movements", "clm": "candidates (CLM)", "plm": "periodic (PLM)"}


def validation_lines(validation: Validation) -> str:
    """Show events of all nights together, then each night, then each index."""
    lines = [
        f"{len(validation.nights)} nights, onsets within {validation.tolerance_s:g} s",
        "",
        _row("movements", "reference", "test", "matched", "precision", "recall", "F1"),
    ]
    for kind, events in validation.events.items():
        counts = (events.n_reference, events.n_test, events.n_matched)
        shares = (events.precision, events.recall, events.f1)
        lines.append(_row(_NAMES[kind], *map(str, counts), *map(_number, shares)))
    for name, errors in (
        ("onset error", validation.events["lm"].onset_error_s),
        ("offset error", validation.events["lm"].offset_error_s),
    ):
        found = error_record(errors)
        median, p05, p95 = (_number(found[key]) for key in ("median", "p05", "p95"))
        lines.append(f"{name}: median {median} s, 90 % from {p05} to {p95} s")
    lines += ["", _row("night", "clock s", "ppm", "matched", "precision", "recall", "F1")]
    for night in validation.nights:
        events = night.events["lm"]
        clock = (_number(night.shift.offset_s), f"{night.shift.drift_ppm:.1f}")
        shares = (events.precision, events.recall, events.f1)
        lines.append(_row(night.name or "-", *clock, str(events.n_matched), *map(_number, shares)))
    if any(agreement.n > 1 for agreement in validation.indices.values()):
        lines += ["", _row("index", "nights", "bias", "limits", "", "ICC", "  95 % interval")]
        for name, found_index in validation.indices.items():
            limits = (_number(found_index.limits_low), _number(found_index.limits_high))
            interval = (
                "-"
                if found_index.icc is None
                else f"  {_number(found_index.icc_low)} to {_number(found_index.icc_high)}"
            )
            row = (str(found_index.n), _number(found_index.bias), *limits)
            lines.append(_row(name, *row, _number(found_index.icc), interval))
    return "\n".join(lines)


def laboratory_lines(record: dict[str, Any]) -> str:
    """Show what a laboratory's nights beside the sensor's come to: the sentence and its tables."""
    head = ("movements", "laboratory", "sensor", "in both", "sensitivity", "precision", "F1")
    lines = [record["sentence"], "", _row(*head)]
    for kind, events in record["events"].items():
        counts = (events["reference"], events["test"], events["matched"])
        shares = (events[name]["value"] for name in ("sensitivity", "precision", "f1"))
        lines.append(_row(_NAMES[kind], *map(str, counts), *map(_number, shares)))
    lines += ["", _row("index", "nights", "bias", "limits", "", "own sleep", "limits", "")]
    for name, both in record["indices"].items():
        stages, own = both["on_laboratory_stages"], both["on_own_sleep"]
        if not own["n"]:
            continue
        cells = [_number(stages[part]) for part in ("bias", "limits_low", "limits_high")]
        cells += [_number(own[part]) for part in ("bias", "limits_low", "limits_high")]
        lines.append(_row(name, str(own["n"]), *cells))
    sleep = record["sleep"]
    if sleep is not None:
        parts = ("kappa", "sensitivity", "specificity")
        told = [_number(sleep[name]["value"]) for name in parts]
        lines += ["", _row("sleep", "epochs", "kappa", "sensitivity", "specificity", "TST min")]
        bias = _number(sleep["total_sleep_min"]["bias"])
        lines.append(_row("sensor against laboratory", str(sleep["epochs"]), *told, bias))
    lines += ["", _row("night", "hours", "clock s", "ppm", "error s", "F1")]
    for night in record["nights"]:
        clock = night["clock"]
        f1 = night["events"]["lm"]["f1"] if night["events"] else None
        cells = [_number(night["hours"]) if night["counted"] else "not counted"]
        cells += [_number(clock[part]) for part in ("offset_s", "drift_ppm", "error_s")]
        lines.append(_row(night["name"], *cells, _number(f1)))
    return "\n".join(lines)


def _row(name: str, *cells: str) -> str:
    return f"{name:<28}" + "".join(f"{cell:>12}" for cell in cells)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
