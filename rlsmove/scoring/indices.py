"""The indices of a night: each defined once, with what it counts, over what, and its bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rlsmove.records import (
    BILATERAL,
    LEFT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    RIGHT,
    UNKNOWN_SIDE,
    WAKE,
    BoolArray,
    Intervals,
    Notice,
    Scoring,
    Sleep,
)
from rlsmove.rules import (
    LN_IMI_MAX_MS,
    LN_IMI_MIN_MS,
    PERIODICITY_IMI_ABOVE_MS,
    PERIODICITY_IMI_MAX_MS,
    PERIODICITY_LM_PER_HOUR_MIN,
    PERIODICITY_RUN_MIN,
    RuleSet,
)
from rlsmove.scoring.intervals import holding, intersection, total_ms
from rlsmove.scoring.night_hours import (
    LEAST_SENSOR_SLEEP_HOURS,
    MS_PER_HOUR,
    MS_PER_MIN,
    NightHours,
)

#: Lying awake without moving counts as sleep where only the sensor tells: stretches without PLM of
#: at least 10 minutes, up to a third of the night (judgement; 2.5 h in 8 have been seen), and the
#: first half hour (of sleepers with RLS many take longer to fall asleep).
QUIET_WAKE_FROM_MS = 10 * MS_PER_MIN
QUIET_WAKE_SHARE = 1 / 3
DOUBTFUL_ONSET_MS = 30 * MS_PER_MIN

Value = float | int | list[float | None] | None


@dataclass(frozen=True)
class Index:
    """The definition of one index.

    Attributes
    ----------
    name : str
        Its name in every output.
    unit : str
        Empty for a bare ratio.
    counts : str
        The numerator, or what is measured.
    over : str
        The denominator; empty where there is none.
    bounds : str
        Smallest and largest value it can take.
    value : callable
        From a night's hours to the value; None where it cannot be said.
    """

    name: str
    unit: str
    counts: str
    over: str
    bounds: str
    value: Callable[[NightHours], Value]


def night_indices(
    scoring: Scoring,
    *,
    sleep: Sleep | None,
    analysable: Intervals,
    rules: RuleSet,
    from_signal: bool = True,
    names: Collection[str] | None = None,
) -> dict[str, Value]:
    """Work out the indices of one night.

    Parameters
    ----------
    scoring : Scoring
        The night's movements.
    sleep : Sleep or None
        Stages and time in bed. Without lights off and on there is no time in bed; without
        stages there is no sleep; what needs them is then None.
    analysable : Intervals
        Time in which a movement would have been seen (worn, no gap). All hours are hours of it.
    rules : RuleSet
        What the movements were scored by.
    from_signal : bool
        False for marks of an event list, in which posture shifts were not looked for.
    names : collection of str, optional
        Only these; every one of `INDICES` by default.

    Returns
    -------
    dict
        Value by name, in the order of `INDICES`. None where it cannot be said; a rate without
        hours is None, never 0.
    """
    night = NightHours(scoring, sleep, analysable, rules, from_signal)
    return {
        index.name: index.value(night) for index in INDICES if names is None or index.name in names
    }


def index_notices(indices: dict[str, Value]) -> list[Notice]:
    """Say what a reader should know about the values."""
    notices = []
    hours = indices["sleep_hours"]
    if isinstance(hours, int | float) and hours > 0 and indices["plms_per_hour"] is None:
        notices.append(
            Notice(
                "little_sleep",
                f"the sensor saw {hours:.1f} h of sleep, less than {LEAST_SENSOR_SLEEP_HOURS:g} h: "
                "there is no rate per hour of sleep; a hypnogram (--sleep) would give one",
            )
        )
    per_hour = indices["lm_per_hour_tib"]
    if isinstance(per_hour, int | float) and per_hour < PERIODICITY_LM_PER_HOUR_MIN:
        notices.append(
            Notice(
                "few_movements",
                f"{per_hour:.1f} leg movements per hour: below {PERIODICITY_LM_PER_HOUR_MIN} "
                "neither periodicity index means much.",
            )
        )
    return notices


# What the definitions below are made of.


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    return None if numerator is None or not denominator else numerator / denominator


def _count(rows: BoolArray | None) -> int | None:
    return None if rows is None else int(np.count_nonzero(rows))


def _lm(night: NightHours) -> BoolArray:
    return night.counted & (night.scoring.kind == LEG_MOVEMENT)


def _clm(night: NightHours) -> BoolArray:
    return night.counted & (night.scoring.clm == 1)


def _plm(night: NightHours) -> BoolArray:
    return night.counted & (night.scoring.plm == 1)


def _in(night: NightHours, part: str, rows: BoolArray) -> BoolArray | None:
    within = night.within(part)
    return None if within is None else within & rows


def _per_hour(night: NightHours, part: str, rows: BoolArray) -> float | None:
    return _ratio(_count(_in(night, part, rows)), night.rate_hours(part))


def _plms_range(night: NightHours) -> tuple[float, float] | None:
    """Lowest and highest PLMS index that the doubt about the sensor's sleep allows.

    All time in bed may have been sleep; the first half hour of sleep may have been wake, with its
    movements; and so may stretches of it without PLM, up to a third.
    """
    plm = night.scoring.plm == 1
    index, asleep, hours = _per_hour(night, "TST", plm), night.parts["TST"], night.hours("TST")
    if index is None or asleep is None or hours is None:
        return None
    if night.has_hypnogram:
        return index, index
    onset_ms = night.scoring.onset_ms[plm]
    starts = np.cumsum(asleep.offset_ms - asleep.onset_ms) - (asleep.offset_ms - asleep.onset_ms)
    row = holding(asleep, onset_ms)
    slept_ms = np.sort((starts[row] + onset_ms - asleep.onset_ms[row])[row >= 0])
    total = total_ms(asleep)
    between_ms = np.diff(slept_ms, prepend=0, append=total)
    quiet_ms = np.sum(between_ms[between_ms >= QUIET_WAKE_FROM_MS])
    quiet_ms = min(float(quiet_ms), QUIET_WAKE_SHARE * total)
    later = int(np.count_nonzero(slept_ms >= DOUBTFUL_ONSET_MS))
    values = [
        index,
        _per_hour(night, "TIB", plm),
        _ratio(len(slept_ms), (total - quiet_ms) / MS_PER_HOUR),
        _ratio(later, max(total - DOUBTFUL_ONSET_MS, 0) / MS_PER_HOUR),
    ]
    known = [value for value in values if value is not None]
    return min(known), max(known)


def _end_of_range(night: NightHours, end: int) -> float | None:
    between = _plms_range(night)
    return None if between is None else between[end]


def _plms_arousal(night: NightHours) -> float | None:
    plms = _in(night, "TST", night.scoring.plm == 1)
    if plms is None or np.any(night.scoring.arousal[plms] < 0):
        return None
    return _per_hour(night, "TST", plms & (night.scoring.arousal == 1))


def _plms_nr(night: NightHours) -> float | None:
    clms = _in(night, "TST", night.scoring.clm == 1)
    if clms is None or np.any(night.scoring.respiratory[clms] < 0):
        return None
    return _per_hour(night, "TST", night.scoring.plmnr == 1)


def _plms_nr_arousal(night: NightHours) -> float | None:
    if _plms_nr(night) is None or _plms_arousal(night) is None:
        return None
    nr = _in(night, "TST", night.scoring.plmnr == 1)
    if nr is None or np.any(night.scoring.arousal[nr] < 0):
        return None
    return _per_hour(night, "TST", nr & (night.scoring.arousal == 1))


def _clm_respiratory(night: NightHours) -> int | None:
    clm = _clm(night)
    if not night.rules.respiratory_counted or np.any(night.scoring.respiratory[clm] < 0):
        return None
    return _count(clm & (night.scoring.respiratory == 1))


def _of_wake(night: NightHours, rows: Callable[[NightHours], BoolArray]) -> float | None:
    return None if night.rules.sleep_only else _per_hour(night, "W", rows(night))


def _plms_of_side(night: NightHours, side: int) -> float | None:
    """PLMS of one leg, or of both; None where that leg was not recorded or no leg is named."""
    scoring = night.scoring
    seen = set(scoring.side[scoring.kind == LEG_MOVEMENT].tolist())
    legs = {LEFT, RIGHT} if BILATERAL in seen else seen & {LEFT, RIGHT}
    if UNKNOWN_SIDE in seen or not ({LEFT, RIGHT} if side == BILATERAL else {side}) <= legs:
        return None
    return _per_hour(night, "TST", (scoring.plm == 1) & (scoring.side == side))


def short_interval(night: NightHours) -> BoolArray:
    """Candidates a short interval after the one before, or after any LM where the rules say so."""
    scoring, rules = night.scoring, night.rules
    imi = scoring.imi_ms
    short = (imi >= 0) & (imi < rules.imi_min_ms)
    if rules.short_after == "lm":
        lm = np.flatnonzero(scoring.kind == LEG_MOVEMENT)
        since = np.diff(scoring.onset_ms[lm], prepend=scoring.onset_ms[lm[:1]] - rules.imi_max_ms)
        short[lm] |= (since < rules.imi_min_ms) & (scoring.plm[lm] == 0)
    return (scoring.clm == 1) & short


def isolated(night: NightHours) -> BoolArray:
    """Candidates in no series whose interval is long, or periodic in length, or unmeasured."""
    return (night.scoring.clm == 1) & (night.scoring.plm == 0) & ~short_interval(night)


def _periodicity_intervals(night: NightHours) -> float | None:
    clm = _clm(night)
    imi = np.diff(night.scoring.onset_ms[clm])
    measured = night.scoring.imi_ms[clm][1:] >= 0
    fits = measured & (imi > PERIODICITY_IMI_ABOVE_MS) & (imi <= PERIODICITY_IMI_MAX_MS)
    run = np.cumsum(np.diff(fits, prepend=False))  # runs of equal values, numbered
    length = np.bincount(run, minlength=1)
    in_runs = int(np.count_nonzero(fits & (length[run] >= PERIODICITY_RUN_MIN)))
    return _ratio(in_runs, len(imi))


def _ln_imi(night: NightHours) -> list[float]:
    imi = night.scoring.imi_ms[_clm(night)]
    fits = (imi >= LN_IMI_MIN_MS) & (imi <= LN_IMI_MAX_MS)
    return [math.log(value / 1000) for value in imi[fits]]


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _sd(values: list[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _median_s(night: NightHours) -> float | None:
    return float(np.median(night.plm_interval_ms)) / 1000 if len(night.plm_interval_ms) else None


def _duration_s(night: NightHours) -> float | None:
    return _mean([value / 1000 for value in night.scoring.duration_ms[_plm(night)]])


def plms_per_hour_between(night: NightHours, edges_ms: list[int]) -> list[float | None] | None:
    """PLMS per hour of sleep in each slice between neighboring edges; None without sleep there."""
    asleep = night.parts["TST"]
    if asleep is None:
        return None
    rates = []
    for onset, offset in pairwise(edges_ms):
        piece = intersection(asleep, Intervals(np.array([onset]), np.array([offset])))
        plms = (night.scoring.plm == 1) & (holding(piece, night.scoring.onset_ms) >= 0)
        rates.append(_ratio(_count(plms), total_ms(piece) / MS_PER_HOUR))
    return rates


def _by_hour(night: NightHours) -> list[float | None] | None:
    if night.sleep_span_ms is None:
        return None
    onset, offset = night.sleep_span_ms
    hours = math.ceil((offset - onset) / MS_PER_HOUR)
    return plms_per_hour_between(night, [onset + h * MS_PER_HOUR for h in range(hours + 1)])


def _by_third(night: NightHours) -> list[float | None] | None:
    if night.bed is None:
        return None
    off, on = int(night.bed.onset_ms[0]), int(night.bed.offset_ms[0])
    return plms_per_hour_between(night, [off + (on - off) * third // 3 for third in range(4)])


def _latency_min(night: NightHours) -> float | None:
    if night.bed is None or night.sleep_span_ms is None:
        return None
    return (night.sleep_span_ms[0] - int(night.bed.onset_ms[0])) / MS_PER_MIN


def _wake_after_onset(night: NightHours) -> Intervals | None:
    if night.bed is None or night.sleep_span_ms is None:
        return None
    rest = Intervals(np.array([night.sleep_span_ms[0]]), night.bed.offset_ms)
    return intersection(night.staged((WAKE,)), rest)


def _waso_min(night: NightHours) -> float | None:
    wake = _wake_after_onset(night)
    return None if wake is None else total_ms(wake) / MS_PER_MIN


def _awakenings(night: NightHours) -> int | None:
    wake = _wake_after_onset(night)
    if wake is None or night.sleep_span_ms is None:
        return None
    return int(np.count_nonzero(wake.onset_ms < night.sleep_span_ms[1]))


def _posture_shifts(night: NightHours) -> float | None:
    if not night.from_signal:
        return None
    return _per_hour(night, "TIB", night.scoring.kind == POSTURE_SHIFT)


_BED = "analyzable hours from lights off to lights on"
_SLEEP = "analyzable hours of sleep"
_WAKE = "analyzable hours of wake from lights off to lights on"
_NO_END = "0 and up"
_RATIO = "0 to 1"

#: Every index of a night, in the order of the outputs.
INDICES: tuple[Index, ...] = (
    Index("tib_hours", "h", _BED, "", _NO_END, lambda n: n.hours("TIB")),
    Index("sleep_hours", "h", _SLEEP, "", _NO_END, lambda n: n.hours("TST")),
    Index(
        "wake_hours",
        "h",
        _WAKE,
        "",
        _NO_END,
        lambda n: n.hours("W"),
    ),
    Index(
        "analysable_hours",
        "h",
        "hours in which a movement would have been seen, in bed or not",
        "",
        _NO_END,
        lambda n: total_ms(n.analysable) / MS_PER_HOUR,
    ),
    Index(
        "lm_count",
        "",
        "leg movements (LM) from lights off to lights on, both legs combined; of the whole "
        "recording where the lights are not known",
        "",
        _NO_END,
        lambda n: _count(_lm(n)),
    ),
    Index(
        "lm_per_hour_tib",
        "1/h",
        "LM",
        _BED,
        _NO_END,
        lambda n: _ratio(_count(_lm(n)), n.hours("TIB")),
    ),
    Index(
        "clm_count", "", "candidate LM (CLM), as LM", "", "0 to lm_count", lambda n: _count(_clm(n))
    ),
    Index(
        "clm_per_hour_tib",
        "1/h",
        "CLM",
        _BED,
        _NO_END,
        lambda n: _ratio(_count(_clm(n)), n.hours("TIB")),
    ),
    Index(
        "plm_count",
        "",
        "periodic LM (PLM), as LM",
        "",
        "0 to clm_count",
        lambda n: _count(_plm(n)),
    ),
    Index(
        "plm_per_hour_tib",
        "1/h",
        "PLM",
        _BED,
        _NO_END,
        lambda n: _ratio(_count(_plm(n)), n.hours("TIB")),
    ),
    Index(
        "plms_count",
        "",
        "PLM with onset in sleep",
        "",
        "0 to plm_count",
        lambda n: _count(_in(n, "TST", n.scoring.plm == 1)),
    ),
    Index(
        "plms_per_hour",
        "1/h",
        "PLM with onset in sleep (the PLMS index)",
        _SLEEP,
        _NO_END,
        lambda n: _per_hour(n, "TST", n.scoring.plm == 1),
    ),
    Index(
        "plmw_count",
        "",
        "PLM with onset in wake, from lights off to lights on; none where only sleep is scored",
        "",
        "0 to plm_count",
        lambda n: None if n.rules.sleep_only else _count(_in(n, "W", n.scoring.plm == 1)),
    ),
    Index(
        "plmw_per_hour",
        "1/h",
        "PLM with onset in wake",
        _WAKE,
        _NO_END,
        lambda n: None if n.rules.sleep_only else _per_hour(n, "W", n.scoring.plm == 1),
    ),
    Index(
        "plms_nr_per_hour",
        "1/h",
        "PLM with onset in sleep once respiratory CLM are taken out",
        _SLEEP,
        _NO_END,
        _plms_nr,
    ),
    Index(
        "plms_arousal_per_hour",
        "1/h",
        "PLM with onset in sleep and an arousal",
        _SLEEP,
        "0 to plms_per_hour",
        _plms_arousal,
    ),
    Index(
        "isolated_per_hour",
        "1/h",
        "CLM in sleep in no series, without a short interval before",
        _SLEEP,
        _NO_END,
        lambda n: _per_hour(n, "TST", isolated(n)),
    ),
    Index(
        "short_interval_per_hour",
        "1/h",
        "CLM in sleep an interval below the series' smallest after the CLM before",
        _SLEEP,
        _NO_END,
        lambda n: _per_hour(n, "TST", short_interval(n)),
    ),
    Index(
        "periodicity_index_movements",
        "",
        "PLM",
        "CLM",
        _RATIO,
        lambda n: _ratio(_count(_plm(n)), _count(_clm(n))),
    ),
    Index(
        "periodicity_index_intervals",
        "",
        "intervals between CLM above 10 s and up to 90 s in runs of at least 3",
        "all intervals between CLM, CLM less 1",
        _RATIO,
        _periodicity_intervals,
    ),
    Index(
        "imi_plm_median_s",
        "s",
        "median interval from PLM to PLM within a series",
        "",
        "the series' smallest to largest interval",
        _median_s,
    ),
    Index(
        "ln_imi_mean",
        "ln s",
        "mean natural logarithm of the intervals between CLM, 10 to 90 s",
        "",
        "2.30 to 4.50",
        lambda n: _mean(_ln_imi(n)),
    ),
    Index(
        "ln_imi_sd",
        "ln s",
        "standard deviation (n - 1) of the same",
        "",
        _NO_END,
        lambda n: _sd(_ln_imi(n)),
    ),
    Index(
        "series_count",
        "",
        "series that have a PLM from lights off to lights on",
        "",
        _NO_END,
        lambda n: len(np.unique(n.scoring.series[_plm(n)])),
    ),
    Index("plm_duration_mean_s", "s", "mean duration of PLM", "", _NO_END, _duration_s),
    Index(
        "plms_per_hour_by_hour",
        "1/h",
        "PLMS in each hour from sleep onset to the end of sleep, a list",
        "analyzable hours of sleep in that hour",
        _NO_END,
        _by_hour,
    ),
    Index(
        "plms_per_hour_by_third",
        "1/h",
        "PLMS in each third of the time from lights off to lights on, a list of 3",
        "analyzable hours of sleep in that third",
        _NO_END,
        _by_third,
    ),
    Index(
        "sleep_onset_latency_min",
        "min",
        "from lights off to the first epoch of any stage but wake (AASM)",
        "",
        _NO_END,
        _latency_min,
    ),
    Index(
        "sleep_efficiency",
        "",
        "analyzable hours of sleep",
        _BED,
        _RATIO,
        lambda n: _ratio(n.hours("TST"), n.hours("TIB")),
    ),
    Index(
        "waso_min",
        "min",
        "wake from sleep onset to lights on (AASM)",
        "",
        _NO_END,
        _waso_min,
    ),
    Index(
        "awakenings",
        "",
        "stretches of wake between sleep onset and the end of sleep",
        "",
        _NO_END,
        _awakenings,
    ),
    Index(
        "posture_shifts_per_hour",
        "1/h",
        "changes of posture",
        _BED,
        _NO_END,
        _posture_shifts,
    ),
    Index(
        "plms_per_hour_low",
        "1/h",
        "lowest PLMS index that doubt about the sensor's sleep allows; the index with a hypnogram",
        _SLEEP,
        "0 to plms_per_hour",
        lambda n: _end_of_range(n, 0),
    ),
    Index(
        "plms_per_hour_high",
        "1/h",
        "highest PLMS index that doubt about the sensor's sleep allows; the index with a hypnogram",
        _SLEEP,
        "plms_per_hour and up",
        lambda n: _end_of_range(n, 1),
    ),
    Index(
        "plms_nrem_per_hour",
        "1/h",
        "PLM with onset in NREM sleep",
        "analyzable hours of N1, N2 and N3",
        _NO_END,
        lambda n: _per_hour(n, "NREM", n.scoring.plm == 1),
    ),
    Index(
        "plms_rem_per_hour",
        "1/h",
        "PLM with onset in REM sleep",
        "analyzable hours of REM sleep",
        _NO_END,
        lambda n: _per_hour(n, "R", n.scoring.plm == 1),
    ),
    Index(
        "clm_per_hour",
        "1/h",
        "CLM with onset in sleep",
        _SLEEP,
        _NO_END,
        lambda n: _per_hour(n, "TST", n.scoring.clm == 1),
    ),
    Index(
        "clm_respiratory_count",
        "",
        "CLM beside a respiratory event, as CLM",
        "",
        "0 to clm_count",
        _clm_respiratory,
    ),
    Index(
        "plms_nr_arousal_per_hour",
        "1/h",
        "PLM with onset in sleep and an arousal once respiratory CLM are taken out",
        _SLEEP,
        "0 to plms_nr_per_hour",
        _plms_nr_arousal,
    ),
    Index(
        "isolated_wake_per_hour",
        "1/h",
        "CLM in wake in no series, without a short interval before",
        _WAKE,
        _NO_END,
        lambda n: _of_wake(n, isolated),
    ),
    Index(
        "short_interval_wake_per_hour",
        "1/h",
        "CLM in wake an interval below the series' smallest after the CLM before",
        _WAKE,
        _NO_END,
        lambda n: _of_wake(n, short_interval),
    ),
    Index(
        "plms_left_per_hour",
        "1/h",
        "PLM of the left leg alone with onset in sleep; null where no movement of it is marked",
        _SLEEP,
        "0 to plms_per_hour",
        lambda n: _plms_of_side(n, LEFT),
    ),
    Index(
        "plms_right_per_hour",
        "1/h",
        "PLM of the right leg alone with onset in sleep; null where no movement of it is marked",
        _SLEEP,
        "0 to plms_per_hour",
        lambda n: _plms_of_side(n, RIGHT),
    ),
    Index(
        "plms_bilateral_per_hour",
        "1/h",
        "PLM of both legs together with onset in sleep; null unless both legs are marked",
        _SLEEP,
        "0 to plms_per_hour",
        lambda n: _plms_of_side(n, BILATERAL),
    ),
)
