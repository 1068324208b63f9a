"""One night from the file to the indices: the stages in their order, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsmove.devices import open_recording
from rlsmove.devices.recording import Recording
from rlsmove.errors import SettingError
from rlsmove.io.provenance import sha256_of
from rlsmove.movements import detect_at_thresholds
from rlsmove.movements.common_clock import CommonClock, find_common_clock
from rlsmove.night.sleep_source import Lights, clocks_change, sleep_of_night, wall_ms, was_recorded
from rlsmove.records import (
    SIDES,
    DetectedLeg,
    DetectedNight,
    FloatArray,
    Intervals,
    LegSignal,
    Movements,
    Notice,
    Scoring,
    Sleep,
)
from rlsmove.rules import WASM_2016, RuleSet
from rlsmove.scoring import index_notices
from rlsmove.scoring.detected_legs import covered_time, score_legs
from rlsmove.scoring.immobilization import score_immobilization
from rlsmove.scoring.intervals import complement, union
from rlsmove.scoring.threshold_range import (
    THRESHOLDS,
    indices_by_threshold,
    near_threshold_share,
)
from rlsmove.signal.calibration import Calibration, calibrate
from rlsmove.signal.kept_signal import kept_signal, on_other_clock
from rlsmove.signal.nights import NightSpan, night_spans, read_night
from rlsmove.signal.suitability import check_rate, check_signal
from rlsmove.signal.survey import Survey, survey_recording
from rlsmove.signal.uniform_clock import UniformReader
from rlsmove.signal.wear import (
    NONWEAR_S,
    SUSPICIOUS_S,
    motionless_stretches,
    nonwear_stretches,
)

if TYPE_CHECKING:
    from rlsmove.events.night_events import Events

Progress = Callable[[float], None]

#: An index of a shorter time in bed says little: series alone take minutes to form.
SHORT_RECORDING_S = 3600.0

#: Parts of the body, as decoders name them, that do not move with the leg.
NOT_ON_A_LEG = ("wrist", "arm", "waist", "hip", "chest", "back")

#: The user gave none.
NO_LIGHTS = Lights()


@dataclass(frozen=True)
class Leg:
    """One recording after its first reading.

    Attributes
    ----------
    recording : Recording
        The opened file.
    reader : UniformReader
        Its samples on the common clock.
    side : int
        Index into `records.SIDES`.
    survey : Survey
        What it covers.
    calibration : Calibration
        Of the whole recording.
    nonwear_s : ndarray of float64, shape (k, 2)
        When it lay elsewhere.
    nights, leftovers : list of NightSpan
        See `signal.nights.night_spans`.
    sha256 : str
        Of the file's bytes; empty without a file.
    """

    recording: Recording
    reader: UniformReader
    side: int
    survey: Survey
    calibration: Calibration
    nonwear_s: FloatArray
    nights: list[NightSpan]
    leftovers: list[NightSpan]
    sha256: str = ""

    def span_of(self, evening: date) -> NightSpan | None:
        """What the recording holds of the night that begins on this date; None for nothing."""
        return next((s for s in self.nights + self.leftovers if s.evening == evening), None)


@dataclass(frozen=True)
class NightResult:
    """Everything that one night yields.

    Attributes
    ----------
    evening : date
        Date of the noon at which it begins.
    detected : DetectedNight
        What was found on each leg, and the night's sleep.
    scoring : Scoring
        Movements, scored.
    analysable : Intervals
        Time that the indices count in.
    rules : RuleSet
        What it was scored by.
    indices : dict
        By the names of the glossary.
    indices_by_leg : dict
        The same for each leg alone, by side; empty with one leg.
    by_threshold : list of dict
        See `scoring.threshold_range.indices_by_threshold`.
    near_threshold_share : float or None
        Share of leg movements just above the threshold; None without any.
    immobilization : dict or None
        See `scoring.immobilization`; None where none was asked for.
    legs : list of Leg
        The recordings.
    clock : CommonClock or None
        With two legs, how their clocks agree.
    notices : list of Notice
        Warnings of all stages.
    """

    evening: date
    detected: DetectedNight
    scoring: Scoring
    analysable: Intervals
    rules: RuleSet
    indices: dict[str, Any]
    indices_by_leg: dict[str, dict[str, Any]]
    by_threshold: list[dict[str, Any]]
    near_threshold_share: float | None
    immobilization: dict[str, Any] | None
    legs: list[Leg]
    clock: CommonClock | None
    notices: list[Notice]

    @property
    def sleep(self) -> Sleep | None:
        """Where sleep and wake come from."""
        return self.detected.sleep

    @property
    def sides(self) -> list[str]:
        """Side of each leg, in their order."""
        return [SIDES[leg.side] for leg in self.legs]


def open_leg(path: str | Path, side: str | None = None, progress: Progress | None = None) -> Leg:
    """Open a recording and read it once: coverage, calibration, wear, nights.

    Parameters
    ----------
    path : str or Path
        A recording in any format that is read here.
    side : str, optional
        ``left`` or ``right``; what the file says by default.
    progress : callable, optional
        Called with the fraction read.

    Returns
    -------
    Leg
        Ready for `analyse_night`.

    Raises
    ------
    RecordingError
        The file cannot be used.
    """
    leg = read_leg(open_recording(path), side, progress)
    return replace(leg, sha256=sha256_of(path))


def read_leg(
    recording: Recording, side: str | None = None, progress: Progress | None = None
) -> Leg:
    """Read an opened recording once, whether or not there is a file; otherwise as `open_leg`."""
    check_rate(recording)
    survey = survey_recording(recording, progress)
    check_signal(recording, survey)
    nights, leftovers = night_spans(recording.start_time, survey)
    return Leg(
        recording=recording,
        reader=UniformReader(recording),
        side=SIDES.index(side or recording.side),
        survey=survey,
        calibration=calibrate(survey),
        nonwear_s=nonwear_stretches(survey),
        nights=nights,
        leftovers=leftovers,
    )


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


def analyse_night(
    legs: list[Leg],
    evening: date,
    *,
    events: Events | None = None,
    lights: Lights = NO_LIGHTS,
    sit: str | None = None,
    rules: RuleSet = WASM_2016,
    keep_signal: bool = False,
    progress: Progress | None = None,
) -> NightResult:
    """Find and score the leg movements of one night.

    Parameters
    ----------
    legs : list of Leg
        One recording, or the left and the right one in this order.
    evening : date
        Date of the noon at which the night begins.
    events : Events, optional
        Hypnogram, respiratory events and arousals; onsets count from the start of the first
        recording.
    lights : Lights, optional
        Lights off and on by the wall clock; they go before those of the events.
    sit : str, optional
        Wall time at which a suggested immobilization test of an hour began.
    rules : RuleSet
        What to score by.
    keep_signal : bool
        Whether the result shall hold the signal too, for pictures and review.
    progress : callable, optional
        Called with the fraction of a recording read.

    Returns
    -------
    NightResult
        The same for any cutting of the recording into blocks.
    """
    start_time = legs[0].recording.start_time
    zone = lights.time_zone or legs[0].recording.time_zone
    lights = replace(lights, time_zone=zone)
    there = [leg for leg in legs if leg.span_of(evening) is not None]
    notices = [notice for leg in legs for notice in _leg_notices(leg, evening)]
    notices += _clock_notices(there[0], evening, zone)
    if events is not None:
        # A list of stages alone is no fault here.
        notices += [notice for notice in events.notices if notice.code != "no_movements"]
    by_threshold = [_detected_leg(leg, evening, start_time, keep_signal, progress) for leg in there]

    clock = None
    if len(there) == 2:
        left, right = by_threshold
        clock = find_common_clock(left[1.0].movements, right[1.0].movements)
        if clock.combined:
            by_threshold[1] = {at: _on_left_clock(leg, clock) for at, leg in right.items()}
        else:
            notices.append(Notice("legs_not_combined", clock.sentence))
    found = tuple(leg[1.0] for leg in by_threshold)
    detected = DetectedNight(
        start_time=start_time,
        legs=found,
        combined=clock is None or clock.combined,
        sleep=None,
        respiratory=None,
        arousals=None,
    )
    recorded = covered_time(detected)
    if events is not None and events.sleep and not was_recorded(events.sleep, recorded):
        notices.append(
            Notice(
                "events_of_another_night",
                "the sleep of the event list lies outside of what was recorded of the night of "
                f"{evening}: the list is not used for it",
            )
        )
        events = None
    sleep, sleep_notices = sleep_of_night(
        Movements.concatenate(*(leg.movements for leg in found)),
        recorded,
        start_time,
        evening,
        None if events is None else events.sleep,
        lights,
    )
    detected = replace(
        detected,
        sleep=sleep,
        respiratory=None if events is None else events.respiratory,
        arousals=None if events is None else events.arousals,
    )
    scored = score_legs(detected, rules)
    sit_ms = wall_ms(sit, start_time, evening, "--sit", zone)
    others = {
        at: replace(detected, legs=tuple(leg[at] for leg in by_threshold)) for at in THRESHOLDS
    }
    return NightResult(
        evening=evening,
        detected=detected,
        scoring=scored.scoring,
        analysable=scored.analysable,
        rules=rules,
        indices=scored.indices,
        indices_by_leg=scored.indices_by_leg,
        by_threshold=indices_by_threshold(others, rules),
        near_threshold_share=near_threshold_share(detected),
        immobilization=None if sit_ms is None else score_immobilization(detected, sit_ms, rules),
        legs=there,
        clock=clock,
        notices=[*notices, *sleep_notices, *index_notices(scored.indices)],
    )


def leg_signal(
    leg: Leg, evening: date, start_time: datetime, progress: Progress | None = None
) -> LegSignal:
    """Read the signal of one leg in one night, as `analyse_night` keeps it.

    Parameters
    ----------
    leg : Leg
        A recording that holds the night.
    evening : date
        Date of the noon at which the night begins.
    start_time : datetime
        Wall time that moments count from.
    progress : callable, optional
        Called with the fraction of the recording read.

    Raises
    ------
    SettingError
        The recording holds nothing of the night.
    """
    span = leg.span_of(evening)
    if span is None:
        raise SettingError(leg.recording.path, f"no night of {evening}")
    night = read_night(leg.reader, span, leg.calibration, progress)
    return kept_signal(night, step_g=leg.survey.step_g, later_s=_later_s(leg, start_time))


def _later_s(leg: Leg, start_time: datetime) -> float:
    """How much later than the first recording this one starts, by the devices' own clocks."""
    own = leg.recording.start_time
    if own.tzinfo is None or start_time.tzinfo is None:
        own, start_time = own.replace(tzinfo=None), start_time.replace(tzinfo=None)
    return (own - start_time).total_seconds()


def _detected_leg(
    leg: Leg, evening: date, start_time: datetime, keep_signal: bool, progress: Progress | None
) -> dict[float, DetectedLeg]:
    """What one leg shows in one night, counted from the start of the first recording.

    By the multiple of the detector's threshold; the signal is kept once, at the threshold itself.
    """
    span = leg.span_of(evening)
    assert span is not None
    night = read_night(leg.reader, span, leg.calibration, progress)
    later_s = _later_s(leg, start_time)
    tables = detect_at_thresholds(
        night, side=leg.side, step_g=leg.survey.step_g, thresholds=THRESHOLDS
    )
    analysable = _worn(leg, evening, start_time)
    found = {
        at: DetectedLeg(
            side=leg.side,
            movements=replace(table, onset_ms=table.onset_ms + round(1000 * later_s)),
            analysable=analysable,
            signal=None,
        )
        for at, table in zip(THRESHOLDS, tables, strict=True)
    }
    if keep_signal:
        signal = kept_signal(night, step_g=leg.survey.step_g, later_s=later_s)
        found[1.0] = replace(found[1.0], signal=signal)
    return found


def _on_left_clock(right: DetectedLeg, clock: CommonClock) -> DetectedLeg:
    signal = right.signal
    if signal is not None:
        signal = on_other_clock(signal, clock.offset_s, clock.drift_ppm)
    return replace(right, movements=clock.on_left_clock(right.movements), signal=signal)


def _worn(leg: Leg, evening: date, start_time: datetime) -> Intervals:
    """When one leg's device was worn and recorded in one night, on the first recording's clock."""
    span = leg.span_of(evening)
    assert span is not None
    survey = leg.survey
    missing_s = np.concatenate(
        [np.stack([survey.gap_start_s, survey.gap_end_s], axis=1), leg.nonwear_s]
    )
    later_s = _later_s(leg, start_time)
    start_ms, end_ms = (round(1000 * (moment + later_s)) for moment in (span.start_s, span.end_s))
    missing_ms = np.round(1000 * (missing_s + later_s)).astype(np.int64)
    return complement(union(missing_ms[:, 0], missing_ms[:, 1]), start_ms, end_ms)


def _clock_notices(leg: Leg, evening: date, time_zone: str) -> list[Notice]:
    """Say so where wall clocks change in the night: the device's does not."""
    span = leg.span_of(evening)
    assert span is not None
    if not clocks_change(leg.recording.start_time, span.start_s, span.end_s, time_zone):
        return []
    return [
        Notice(
            "clock_change",
            f"clocks change in {time_zone} in the night of {evening}: the device's clock goes on, "
            "hours are elapsed time, and times of movements after the change are an hour off the "
            "clock on the wall",
        )
    ]


def _leg_notices(leg: Leg, evening: date) -> list[Notice]:
    """What a reader of the night should know of one leg's recording."""
    name = leg.recording.path.name
    notices = list(leg.recording.notices)
    if leg.recording.side not in ("unknown", SIDES[leg.side]):
        notices.append(
            Notice(
                "side_differs",
                f"{name} says that it was worn on the {leg.recording.side} leg, but was given as "
                f"the {SIDES[leg.side]} one; it is taken for the {SIDES[leg.side]} one",
            )
        )
    if leg.recording.placement in NOT_ON_A_LEG:
        notices.append(
            Notice(
                "not_on_a_leg",
                f"{name} says that it was worn at the {leg.recording.placement}: what is counted "
                "are movements of that part of the body",
            )
        )
    span = leg.span_of(evening)
    if span is None:
        return [*notices, Notice("leg_missing", f"{name} holds nothing of the night of {evening}")]
    if span.recorded_s < SHORT_RECORDING_S:
        notices.append(
            Notice(
                "short_recording",
                f"{name} holds {span.recorded_s / 60:.1f} minutes of the night of {evening}; "
                "an index needs hours, and a series of movements takes minutes to form",
            )
        )
    if leg.calibration.status != "calibrated":
        notices.append(Notice("not_calibrated", f"{name}: {leg.calibration.sentence}"))
    for start_s, end_s in motionless_stretches(leg.survey, SUSPICIOUS_S).tolist():
        if start_s < span.end_s and end_s > span.start_s:
            worn = end_s - start_s < NONWEAR_S
            notices.append(
                Notice(
                    "motionless" if worn else "not_worn",
                    f"{name}: nothing moved for {(end_s - start_s) / 3600:.1f} hours from "
                    f"{start_s / 3600:.2f} h after its start: "
                    + ("was it worn?" if worn else "taken as not worn and left out of the hours"),
                )
            )
    notices += [
        Notice(
            "short_night_left_out",
            f"{name}: only {left.recorded_s / 3600:.1f} hours from noon of {left.evening} to the "
            "next; ask for that night by its date to see it all the same",
        )
        for left in leg.leftovers
    ]
    return notices
