"""One night of a sleep laboratory beside the sensor's, within the time that both saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlsmove.agreement.event_agreement import EventAgreement, agree_on_events, matched
from rlsmove.events.event_lists import Events
from rlsmove.night.analysis import NightResult
from rlsmove.night.placed_events import PlacedEvents, moved_events
from rlsmove.night.sleep_source import Lights, sleep_of_night
from rlsmove.records import (
    LEG_MOVEMENT,
    STAGES,
    WAKE,
    BoolArray,
    FloatArray,
    Intervals,
    Movements,
    Notice,
    Scoring,
    Sleep,
)
from rlsmove.rules import STAGE_EPOCH_MS, RuleSet
from rlsmove.scoring.detected_legs import counted_legs, score_part
from rlsmove.scoring.indices import night_indices
from rlsmove.scoring.intervals import complement, holding, intersection, total_ms, union
from rlsmove.scoring.scored_movements import score_movements

#: Which movements are compared.
MOVEMENT_TYPES = ("lm", "clm", "plm")

#: Edges between classes of a movement's largest acceleration, in g, and their names.
_PEAK_EDGES_G = (0.05, 0.2, 0.5)
PEAK_CLASSES = ("below 0.05 g", "0.05 to 0.2 g", "0.2 to 0.5 g", "0.5 g and more")
#: Edges between classes of a movement's length, in s, and their names.
_LENGTH_EDGES_S = (1.0, 3.0, 10.0)
LENGTH_CLASSES = ("below 1 s", "1 to 3 s", "3 to 10 s", "10 s and more")
NO_STAGE = "unscored"


@dataclass(frozen=True)
class SleepAgreement:
    """Epochs of 30 s by what the laboratory and the sensor make of them.

    Attributes
    ----------
    both_sleep, missed_sleep, missed_wake, both_wake : int
        Sleep in both; sleep that the sensor takes for wake; wake that it takes for sleep; wake.
    """

    both_sleep: int
    missed_sleep: int
    missed_wake: int
    both_wake: int


@dataclass(frozen=True)
class LaboratoryNight:
    """A laboratory's night beside the sensor's.

    Attributes
    ----------
    name : str
        The night.
    placed : PlacedEvents or None
        The laboratory's events on the sensor's clock; None where none fell into the night.
    counted : bool
        Whether movements put both on one clock; otherwise the night counts nowhere.
    hours : float
        Time that both saw, in bed where that is known.
    events : dict of str to EventAgreement
        By type of movement; the laboratory is the reference.
    seen : dict of str to dict
        Of the laboratory's leg movements by ``stage`` and ``length``, and of the sensor's by
        ``sensor_stage`` and ``sensor_peak``: class to movements and those that the other has.
    sleep : SleepAgreement or None
        None without stages of the laboratory.
    sleep_hours : tuple of float or None
        By the laboratory and by the sensor.
    indices : dict of str to tuple
        By name: the laboratory's value, the sensor's on the laboratory's stages, the sensor's on
        its own.
    scorers : EventAgreement or None
        A second scorer's leg movements against the first one's.
    scorer_indices : dict of str to tuple
        By name: the first scorer's and the second one's value.
    notices : tuple of Notice
        What a reader should know.
    simulated : bool
        Whether a recording was simulated.
    """

    name: str
    placed: PlacedEvents | None
    counted: bool
    hours: float
    events: Mapping[str, EventAgreement]
    seen: Mapping[str, Mapping[str, tuple[int, int]]]
    sleep: SleepAgreement | None
    sleep_hours: tuple[float, float] | None
    indices: Mapping[str, tuple[Any, Any, Any]]
    scorers: EventAgreement | None
    scorer_indices: Mapping[str, tuple[Any, Any]]
    notices: tuple[Notice, ...]
    simulated: bool = False


def compare_night(
    name: str,
    result: NightResult,
    rules: RuleSet,
    tolerance_s: float,
    second: Events | None = None,
) -> LaboratoryNight:
    """Compare what a laboratory and the sensor saw of one night.

    Parameters
    ----------
    name : str
        The night.
    result : NightResult
        Analysed with the laboratory's events.
    rules : RuleSet
        What both are scored by.
    tolerance_s : float
        Largest difference of matched onsets.
    second : Events, optional
        A second scorer's events on the clock of the first one's list.
    """
    placed = result.placed
    if placed is None or (len(placed.events.movements) and not placed.aligned):
        return _not_counted(name, placed, result)
    events = placed.events
    common = _common_time(events, result)
    laboratory = _scored(events, common, rules)
    counted = counted_legs(result.detected)
    movements = Movements.concatenate(*(leg.movements for leg in counted))
    sensor = score_part(result.detected, movements, common, rules)
    own_sleep = _own_sleep(result)
    own = score_part(replace(result.detected, sleep=own_sleep), movements, common, rules)
    stages = events.sleep if events.sleep is not None and len(events.sleep.stage) else None

    def indices(scoring: Scoring, sleep: Sleep | None) -> dict[str, Any]:
        return night_indices(scoring, sleep=sleep, analysable=common, rules=rules)

    own_in_bed = own_sleep
    if own_sleep is not None and stages is not None:
        # Time in bed is the laboratory's in all three: what is compared is the telling of sleep.
        own_in_bed = replace(
            own_sleep, lights_off_ms=stages.lights_off_ms, lights_on_ms=stages.lights_on_ms
        )
    values = (
        indices(laboratory, events.sleep),
        indices(sensor, events.sleep),
        indices(own, own_in_bed),
    )
    scorers, scorer_indices = None, {}
    if second is not None:
        on_sensor = moved_events(second, lambda ms: ms + round(1000 * placed.told_s))
        if placed.clock is not None:
            on_sensor = moved_events(on_sensor, placed.clock.on_first_clock)
        other = _scored(on_sensor, common, rules)
        scorers = _events(laboratory, other, common, tolerance_s)["lm"]
        theirs = indices(other, on_sensor.sleep or events.sleep)
        scorer_indices = {index: (values[0][index], theirs[index]) for index in theirs}
    asleep = None if stages is None else _sleep_agreement(stages, own_sleep, common)
    return LaboratoryNight(
        name=name,
        placed=placed,
        counted=True,
        hours=total_ms(common) / 3_600_000,
        events=_events(laboratory, sensor, common, tolerance_s),
        seen=_seen(laboratory, sensor, common, tolerance_s),
        sleep=asleep,
        sleep_hours=None if asleep is None else _hours_of(asleep),
        indices={index: tuple(value[index] for value in values) for index in values[0]},
        scorers=scorers,
        scorer_indices=scorer_indices,
        notices=tuple(result.notices),
        simulated=_simulated(result),
    )


def _simulated(result: NightResult) -> bool:
    return any(leg.recording.simulated for leg in result.legs)


def _not_counted(name: str, placed: PlacedEvents | None, result: NightResult) -> LaboratoryNight:
    why = (
        "nothing of the laboratory's list falls into the night"
        if placed is None
        else placed.clock.sentence
        if placed.clock is not None
        else "the sensor shows no movement"
    )
    notice = Notice("night_not_aligned", f"{name}: {why}; the night counts nowhere.")
    return LaboratoryNight(
        name,
        placed,
        False,
        0.0,
        {},
        {},
        None,
        None,
        {},
        None,
        {},
        (*result.notices, notice),
        _simulated(result),
    )


def _common_time(events: Events, result: NightResult) -> Intervals:
    """Time that both recorded, in bed where the laboratory says when that was."""
    gaps = union(events.gaps.onset_ms, events.gaps.offset_ms)
    common = intersection(result.analysable, complement(gaps, *events.span_ms))
    sleep = events.sleep
    if sleep is None or sleep.lights_off_ms is None or sleep.lights_on_ms is None:
        return common
    return intersection(
        common, Intervals(np.array([sleep.lights_off_ms]), np.array([sleep.lights_on_ms]))
    )


def _scored(events: Events, common: Intervals, rules: RuleSet) -> Scoring:
    return score_movements(
        events.movements,
        sleep=events.sleep,
        respiratory=events.respiratory,
        arousals=events.arousals,
        gaps=events.gaps,
        rules=rules,
    )


def _own_sleep(result: NightResult) -> Sleep | None:
    """Sleep and time in bed by the sensor alone."""
    movements = Movements.concatenate(*(leg.movements for leg in result.detected.legs))
    sleep, _ = sleep_of_night(
        movements,
        result.analysable,
        result.detected.start_time,
        result.evening,
        None,
        Lights(),
    )
    return sleep


def _rows(scoring: Scoring, kind: str, common: Intervals) -> BoolArray:
    chosen = {"clm": scoring.clm == 1, "plm": scoring.plm == 1}.get(
        kind, scoring.kind == LEG_MOVEMENT
    )
    inside: BoolArray = chosen & (holding(common, scoring.onset_ms) >= 0)
    return inside


def _events(
    laboratory: Scoring, sensor: Scoring, common: Intervals, tolerance_s: float
) -> dict[str, EventAgreement]:
    agreements = {}
    for kind in MOVEMENT_TYPES:
        sides = []
        for scoring in (laboratory, sensor):
            rows = _rows(scoring, kind, common)
            onset_ms = scoring.onset_ms[rows]
            sides.append((onset_ms, onset_ms + scoring.duration_ms[rows]))
        agreements[kind] = agree_on_events(sides[0], sides[1], tolerance_s)
    return agreements


def _seen(
    laboratory: Scoring, sensor: Scoring, common: Intervals, tolerance_s: float
) -> dict[str, dict[str, tuple[int, int]]]:
    """How many leg movements of each class the other has as well."""
    mine, theirs = (_rows(scoring, "lm", common) for scoring in (laboratory, sensor))
    pairs = matched(laboratory.onset_ms[mine], sensor.onset_ms[theirs], round(1000 * tolerance_s))
    found, confirmed = (np.zeros(int(rows.sum()), bool) for rows in (mine, theirs))
    found[pairs[0]] = True
    confirmed[pairs[1]] = True
    stages = (*STAGES, NO_STAGE)
    return {
        "stage": _by_class(laboratory.stage[mine], stages, found),
        "length": _by_class(
            _classes(laboratory.duration_ms[mine] / 1000, _LENGTH_EDGES_S), LENGTH_CLASSES, found
        ),
        "sensor_stage": _by_class(sensor.stage[theirs], stages, confirmed),
        "sensor_peak": _by_class(
            _classes(sensor.peak_g[theirs], _PEAK_EDGES_G), PEAK_CLASSES, confirmed
        ),
    }


def _classes(values: FloatArray, edges: tuple[float, ...]) -> Any:
    return np.searchsorted(np.array(edges), values, side="right")


def _by_class(codes: Any, names: tuple[str, ...], also: BoolArray) -> dict[str, tuple[int, int]]:
    return {
        name: (int(np.count_nonzero(of_class)), int(np.count_nonzero(of_class & also)))
        for code, name in enumerate(names)
        if np.any(of_class := np.asarray(codes) % len(names) == code)
    }


def _sleep_agreement(stages: Sleep, own: Sleep | None, common: Intervals) -> SleepAgreement | None:
    """Compare the middles of the laboratory's epochs, a long stretch of one stage in many."""
    if own is None or not len(own.stage):
        return None
    middles = []
    asleep = []
    for start, end, stage in zip(stages.onset_ms, stages.offset_ms, stages.stage, strict=True):
        middle = np.arange(start + STAGE_EPOCH_MS // 2, end, STAGE_EPOCH_MS)
        middles.append(middle)
        asleep.append(np.full(len(middle), stage != WAKE))
    moment = np.concatenate(middles)
    reference = np.concatenate(asleep)
    row = holding(Intervals(own.onset_ms, own.offset_ms), moment)
    inside = holding(common, moment) >= 0
    # Outside of the sensor's time in bed there is no sleep by the sensor.
    test = np.where(row >= 0, own.stage[row] != WAKE, False)
    reference, test = reference[inside], test[inside]
    return SleepAgreement(
        int(np.count_nonzero(reference & test)),
        int(np.count_nonzero(reference & ~test)),
        int(np.count_nonzero(~reference & test)),
        int(np.count_nonzero(~reference & ~test)),
    )


def _hours_of(asleep: SleepAgreement) -> tuple[float, float]:
    epoch_h = STAGE_EPOCH_MS / 3_600_000
    return (
        (asleep.both_sleep + asleep.missed_sleep) * epoch_h,
        (asleep.both_sleep + asleep.missed_wake) * epoch_h,
    )
