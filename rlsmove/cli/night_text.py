"""Results as plain text that a person reads in ten seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rlsmove.devices.recording import Completeness
from rlsmove.night.analysis import NightResult
from rlsmove.night.opened_leg import Leg


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {name:<24}{text}" for name, text in pairs]


def _value(value: Any, unit: str = "", decimals: int = 1) -> str:
    if value is None:
        return "-"
    text = f"{value:.{decimals}f}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.1f} min ({seconds:.2f} s)"
    return f"{seconds / 3600:.2f} h"


def _complete(found: Completeness | None) -> str:
    """How much of a recording was read, in words."""
    if found is None:
        return "unknown"
    of = f" of {found.expected}" if found.expected is not None else ""
    words = f"{found.read}{of} {found.unit} read, {found.lost} lost"
    return words + (f", {found.unknown} not vouched for" if found.unknown else "")


def info_lines(leg: Leg) -> list[str]:
    """What a recording holds, a line a fact.

    Parameters
    ----------
    leg : Leg
        A recording after its first reading.
    """
    recording, survey = leg.recording, leg.survey
    serial = f" {recording.serial}" if recording.serial else ""
    zone = recording.time_zone or ("" if recording.start_time.tzinfo else "no zone: local time")
    start = recording.start_time.isoformat(" ")
    gap_s = survey.gap_s
    gaps = "none"
    if len(gap_s):
        gaps = f"{len(gap_s)}, longest {gap_s.max():.2f} s, together {_duration(gap_s.sum())}"
    span = f"{recording.range_g:g} g" if recording.range_g == recording.range_g else "unknown"
    lines = [f"{recording.path.name}"]
    lines += _rows(
        [
            ("device", recording.device + serial),
            ("leg", f"{recording.side} {recording.placement}"),
            ("start", f"{start}  ({zone})".replace("  ()", "") if recording.dated else "no date"),
            ("length", f"{_duration(survey.end_s)}, {survey.n_samples} samples"),
            ("rate", f"{recording.sample_rate_hz:g} Hz set, {survey.true_rate_hz:.3f} Hz true"),
            ("range", span),
            ("gaps", gaps),
            ("complete", _complete(recording.completeness)),
            ("mean acceleration", f"{survey.mean_norm_g:.4f} g"),
            ("calibration", leg.calibration.sentence),
        ]
    )
    lines += _rows(
        (f"{taken.what} taken for", f"{taken.value}  ({taken.source})") for taken in recording.taken
    )
    for night in leg.nights:
        evening = night.evening if recording.dated else "no date"
        lines.append(f"  night {evening!s:10}        {night.recorded_s / 3600:.2f} h recorded")
    lines += [f"  warning: {notice.sentence}" for notice in recording.notices]
    return lines


def night_lines(result: NightResult) -> list[str]:
    """One night's main results, a line an index, each with its hours.

    Parameters
    ----------
    result : NightResult
        The night.
    """
    indices = result.indices
    sleep = result.sleep
    source = "not known" if sleep is None else SLEEP_SOURCES[sleep.source]
    legs = " and ".join(f"{side} leg" for side in result.sides).replace("unknown leg", "one leg")
    simulated = any("simulated" in leg.recording.device.lower() for leg in result.legs)
    title = f"Night of {result.evening}, {legs}, {result.rules.name}"
    lines = [title + (" (SIMULATED DATA)" if simulated else "")]
    hours = indices["analysable_hours"]
    lines += _rows(
        [
            ("in bed", _value(indices["tib_hours"], "h", 2)),
            ("asleep", f"{_value(indices['sleep_hours'], 'h', 2)}  (source: {source})"),
            ("analyzable", _value(hours, "h", 2)),
            ("leg movements", _per_hour(indices, "lm", "tib")),
            ("candidates (CLM)", _per_hour(indices, "clm", "tib")),
            ("periodic (PLM)", _per_hour(indices, "plm", "tib")),
            ("periodic asleep (PLMS)", _rate(indices, "plms", "sleep_hours", "of sleep")),
            ("periodic awake (PLMW)", _rate(indices, "plmw", "wake_hours", "awake")),
            ("series", str(indices["series_count"])),
            ("interval, median", _value(indices["imi_plm_median_s"], "s")),
            (
                "periodicity index",
                f"{_value(indices['periodicity_index_intervals'], '', 2)} of intervals, "
                f"{_value(indices['periodicity_index_movements'], '', 2)} of movements",
            ),
            ("posture shifts", _value(indices["posture_shifts_per_hour"], "per hour in bed")),
            ("massage seen", _massage(result)),
        ]
    )
    test = result.immobilization
    if test is not None:
        rate = _value(test["plmw_per_hour"], "PLMW per hour")
        parts = " ".join("-" if n is None else str(n) for n in test["plmw_by_5_min"])
        lines += _rows(
            [
                (
                    "immobilization test",
                    f"{rate} in {test['analysable_hours']:.2f} h, by 5 min: {parts}",
                )
            ]
        )
    if result.clock is not None:
        lines.append(f"  legs: {result.clock.sentence}")
    return lines


#: What a source of sleep is called.
SLEEP_SOURCES = {
    "hypnogram": "hypnogram",
    "lights": "lights off and on given, sustained inactivity between them",
    "sensor": "sustained inactivity of the sensor",
}


def _massage(result: NightResult) -> str:
    """What massage the sensor shows, in a few words."""
    if result.massage is None:
        return "not recorded (the sensor was off before lights off)"
    said = [
        f"{one.session.kind}, {(one.session.end_s - one.session.start_s) / 60:.0f} min"
        for one in result.massage
    ]
    return "; ".join(said) or "none"


def _per_hour(indices: dict[str, Any], name: str, part: str) -> str:
    rate = indices[f"{name}_per_hour_{part}"]
    count = f"{indices[f'{name}_count']:>5}"
    return count if rate is None else f"{count}   {rate:6.1f} per hour in bed"


def _rate(indices: dict[str, Any], name: str, hours: str, where: str) -> str:
    count, rate = indices[f"{name}_count"], indices[f"{name}_per_hour"]
    if count is None or rate is None:
        return "    -   (no hours)"
    return f"{count:>5}   {rate:6.1f} per hour {where} ({indices[hours]:.2f} h)"
