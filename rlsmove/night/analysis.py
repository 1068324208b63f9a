"""One night from its opened recordings to its indices: the stages in their order."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from rlsmove.errors import RecordingError
from rlsmove.events.night_events import Events
from rlsmove.massage.night_massage import MassageSession, massage_of_night
from rlsmove.movements.common_clock import CommonClock, find_common_clock
from rlsmove.movements.given_detector import Detector
from rlsmove.night.chosen_nights import check_dated
from rlsmove.night.leg_detections import detect_leg, on_left_clock
from rlsmove.night.machine_notices import machine_notices
from rlsmove.night.opened_leg import Leg, Progress
from rlsmove.night.placed_events import PlacedEvents, place_events
from rlsmove.night.recording_notices import clock_notices, leg_notices
from rlsmove.night.sleep_source import Lights, sleep_of_night, wall_ms, was_recorded
from rlsmove.records import (
    MACHINE,
    SIDES,
    DetectedLeg,
    DetectedNight,
    Intervals,
    Movements,
    Notice,
    Scoring,
    Sleep,
)
from rlsmove.rules import WASM_2016, RuleSet
from rlsmove.scoring import index_notices
from rlsmove.scoring.detected_legs import covered_time, score_legs
from rlsmove.scoring.immobilization import score_immobilization
from rlsmove.scoring.threshold_range import indices_by_threshold, near_threshold_share

_log = logging.getLogger(__name__)

#: The user gave none.
NO_LIGHTS = Lights()


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
    counted_side : str
        The leg or legs that `indices` are of, as in `scoring.detected_legs.ScoredLegs`.
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
    massage : list of MassageSession or None
        See `massage.night_massage.massage_of_night`.
    notices : list of Notice
        Warnings of all stages.
    placed : PlacedEvents or None
        The events of a laboratory on the recording's clock; None without a list of the night.
    """

    evening: date
    detected: DetectedNight
    scoring: Scoring
    analysable: Intervals
    rules: RuleSet
    indices: dict[str, Any]
    indices_by_leg: dict[str, dict[str, Any]]
    counted_side: str
    by_threshold: list[dict[str, Any]]
    near_threshold_share: float | None
    immobilization: dict[str, Any] | None
    legs: list[Leg]
    clock: CommonClock | None
    massage: list[MassageSession] | None
    notices: list[Notice]
    placed: PlacedEvents | None = None

    @property
    def sleep(self) -> Sleep | None:
        """Where sleep and wake come from."""
        return self.detected.sleep

    @property
    def simulated(self) -> bool:
        """Whether any of the recordings is simulated."""
        return any(leg.recording.simulated for leg in self.legs)

    @property
    def sides(self) -> list[str]:
        """Side of each leg, in their order."""
        return [SIDES[leg.side] for leg in self.legs]


def analyse_night(
    legs: list[Leg],
    evening: date,
    *,
    events: Events | None = None,
    lights: Lights = NO_LIGHTS,
    sit: str | None = None,
    rules: RuleSet = WASM_2016,
    threshold: float | None = None,
    detector: Detector | None = None,
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
        Hypnogram, respiratory events and arousals; put on the recording's clock by start times,
        time of day and movements, see `placed_events`.
    lights : Lights, optional
        Lights off and on by the wall clock; they go before those of the events.
    sit : str, optional
        Wall time at which a suggested immobilization test of an hour began.
    rules : RuleSet
        What to score by.
    threshold, detector : optional
        See `leg_detections.detect_leg`.
    keep_signal : bool
        Whether the result shall hold the signal too, for pictures and review.
    progress : callable, optional
        Called with the fraction of a recording read.

    Returns
    -------
    NightResult
        The same for any cutting of the recording into blocks.
    """
    check_dated(legs, {"--lights-off": lights.off, "--lights-on": lights.on, "--sit": sit})
    start_time = legs[0].recording.start_time
    zone = lights.time_zone or legs[0].recording.time_zone
    lights = replace(lights, time_zone=zone)
    _check_two_legs(legs)
    present = [leg for leg in legs if leg.span_of(evening) is not None]
    notices = [notice for leg in legs for notice in leg_notices(leg, evening)]
    notices += clock_notices(present[0], evening, zone)
    if events is not None:
        # A list of stages alone is no fault here.
        notices += [notice for notice in events.notices if notice.code != "no_movements"]
    findings = [
        detect_leg(
            leg,
            evening,
            start_time,
            threshold=threshold,
            detector=detector,
            keep_signal=keep_signal,
            progress=progress,
        )
        for leg in present
    ]

    clock = None
    if len(present) == 2:
        left, right = findings
        clock = (
            find_common_clock(_own(left.detected), _own(right.detected))
            if all(leg.recording.dated for leg in present)
            else CommonClock.unknown(
                "a recording without a date is never taken for simultaneous with another one "
                "(--left-start, --right-start)"
            )
        )
        if clock.combined:
            findings = [left, on_left_clock(right, clock)]
        else:
            notices.append(Notice("legs_not_combined", clock.sentence))
    found = tuple(leg.detected for leg in findings)
    detected = DetectedNight(
        start_time=start_time,
        legs=found,
        combined=clock is None or clock.combined,
        sleep=None,
        respiratory=None,
        arousals=None,
    )
    recorded = covered_time(found)
    all_movements = Movements.concatenate(*(_own(leg) for leg in found))
    placed = None
    if events is not None:
        placed = place_events(events, all_movements, recorded, start_time)
        events = placed.events
        notices += placed.notices
    if events is not None and events.sleep and not was_recorded(events.sleep, recorded):
        notices.append(
            Notice(
                "events_of_another_night",
                "the sleep of the event list lies outside of what was recorded of the night of "
                f"{evening}: the list is not used for it",
            )
        )
        events = placed = None
    _log.debug("night of %s: sleep and scoring", evening)
    sleep, sleep_notices = sleep_of_night(
        all_movements,
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
    notices += machine_notices(findings, detected, scored, rules)
    sit_ms = wall_ms(sit, start_time, evening, "--sit", zone)
    return NightResult(
        evening=evening,
        detected=detected,
        scoring=scored.scoring,
        analysable=scored.analysable,
        rules=rules,
        indices=scored.indices,
        indices_by_leg=scored.indices_by_leg,
        counted_side=scored.counted_side,
        by_threshold=indices_by_threshold(detected, rules),
        near_threshold_share=near_threshold_share(detected),
        immobilization=None if sit_ms is None else score_immobilization(detected, sit_ms, rules),
        legs=present,
        clock=clock,
        massage=massage_of_night(
            [(SIDES[leg.as_detected.side], leg.massage) for leg in findings], sleep, recorded
        ),
        notices=[*notices, *sleep_notices, *index_notices(scored.indices)],
        placed=placed,
    )


def _check_two_legs(legs: list[Leg]) -> None:
    """Refuse the same samples for both legs: each movement would count as one of both."""
    if len(legs) < 2:
        return
    one, two = (leg.survey for leg in legs)
    same = one.sd_g.shape == two.sd_g.shape and all(
        np.allclose(getattr(one, name), getattr(two, name), rtol=1e-3, atol=1e-4)
        for name in ("mean_g", "sd_g")
    )
    if same and one.sd_g.any():
        names = " and ".join(leg.recording.path.name for leg in legs)
        raise RecordingError(
            legs[1].recording.path,
            f"{names} hold the same samples",
            expected="a recording of each leg",
            advice="Give the recording of the other leg, or one leg alone",
        )


def _own(leg: DetectedLeg) -> Movements:
    """The movements of a leg that no machine made."""
    return leg.movements.take(leg.movements.kind != MACHINE)
