"""Movements scored: which are candidates, which are periodic, and what they go with."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from rlsmove.records import (
    GROSS_MOVEMENT,
    KINDS,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    WAKE,
    BoolArray,
    CodeArray,
    IntArray,
    Intervals,
    Movements,
    Scoring,
    Sleep,
    TextArray,
)
from rlsmove.rules import RuleSet
from rlsmove.scoring.deciding_moment import deciding_ms
from rlsmove.scoring.intervals import holding, touched
from rlsmove.scoring.joined_movements import (
    CombinedMovements,
    combined_movements,
    fold,
    monolateral_movements,
)
from rlsmove.scoring.plm_series import BREAKS, PlmSeries, find_plm_series


def score_movements(
    movements: Movements,
    *,
    sleep: Sleep | None,
    respiratory: Intervals | None,
    arousals: Intervals | None,
    gaps: Intervals,
    rules: RuleSet,
) -> Scoring:
    """Score movements of one leg or of both, by the steps of a standard in their order.

    Parameters
    ----------
    movements : Movements
        Of single legs. Only those of kind leg movement can be candidates; long posture shifts
        and gross movements end a series where the rules let long movements do so; all others
        are kept and play no part.
    sleep : Sleep or None
        Stages, None where nothing is known. They play no part in forming series, unless the
        rules count movements in sleep only; without stages these then count all.
    respiratory, arousals : Intervals or None
        None where none were looked for, which is not the same as none found. They may overlap.
    gaps : Intervals
        Stretches without samples, each long enough to end a series.
    rules : RuleSet
        A standard, such as `rules.WASM_2016`.
    """
    one_leg, row_of, n_short = monolateral_movements(movements, rules)
    combined = combined_movements(one_leg, row_of, rules)
    stage = _stages(combined.movements, sleep, rules)
    breathing = _beside_respiratory(combined.movements, respiratory, rules)
    oversize = _oversize(combined, rules)
    knows_sleep = sleep is not None and len(sleep.stage) > 0
    awake = (stage <= WAKE) & knows_sleep  # outside the epochs as well: not known to be asleep
    rejected = _rejected(combined.movements, oversize, awake, breathing, rules)
    if rules.short_interval == "merge":
        groups = _short_interval_groups(combined.movements, rejected == "", rules)
        combined = fold(combined, groups)
        kept = np.unique(groups)
        stage, oversize, rejected = stage[kept], oversize[kept], rejected[kept]
        breathing = _beside_respiratory(combined.movements, respiratory, rules)

    table = combined.movements
    clm = rejected == ""
    ends = _ends_series(table, oversize, rules)
    plm = find_plm_series(table.onset_ms, clm, ends, gaps, rules)
    without = find_plm_series(table.onset_ms, clm & ~breathing, ends, gaps, rules)

    unknown = np.full(len(table), -1, np.int8)
    known_breathing = respiratory is not None
    plmnr = np.where(clm & breathing, -1, without.series > 0).astype(np.int8)
    return Scoring(
        onset_ms=table.onset_ms,
        duration_ms=table.duration_ms,
        side=table.side,
        kind=table.kind,
        peak_g=table.peak_g,
        tilt_deg=table.tilt_deg,
        snr=table.snr,
        probability=table.probability,
        n_monolateral=combined.n_monolateral,
        clm=clm.astype(np.int8),
        plm=(plm.series > 0).astype(np.int8),
        series=plm.series,
        imi_ms=plm.imi_ms,
        stage=stage,
        sleep=np.where(stage < 0, -1, stage != WAKE).astype(np.int8),
        respiratory=breathing.astype(np.int8) if known_breathing else unknown,
        plmnr=plmnr if known_breathing else unknown,
        imi_nr_ms=without.imi_ms,
        arousal=unknown if arousals is None else _with_arousal(table, arousals, rules),
        reason=_reasons(rejected, clm, plm, rules),
        row_of=combined.row_of,
        n_short=n_short,
    )


def side_by_side(one: Scoring, other: Scoring) -> Scoring:
    """Put the movements of two legs that were scored alone into one table, sorted by onset.

    Nothing is scored anew; the series of the other leg are numbered on, and so is `row_of`: the
    movements of the one, then those of the other.
    """
    numbered = replace(
        other,
        series=np.where(other.series > 0, other.series + one.series.max(initial=0), 0),
    )
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(one, field.name), getattr(numbered, field.name)])
        for field in fields(Scoring)
        if field.name not in ("row_of", "n_short")
    }
    order = np.lexsort((columns["side"], columns["duration_ms"], columns["onset_ms"]))
    rows = np.concatenate([one.row_of, np.where(other.row_of < 0, -1, other.row_of + len(one))])
    return Scoring(
        **{name: column[order] for name, column in columns.items()},
        row_of=np.where(rows < 0, -1, np.argsort(order)[rows]),
        n_short=one.n_short + other.n_short,
    )


def _stages(movements: Movements, sleep: Sleep | None, rules: RuleSet) -> CodeArray:
    """Stage of the epoch that holds each movement's deciding moment; -1 where none does."""
    if sleep is None or not len(sleep.stage):
        return np.full(len(movements), -1, np.int8)
    offset_ms = movements.onset_ms + movements.duration_ms
    moment_ms = deciding_ms(movements.onset_ms, offset_ms, sleep, rules)
    epoch = holding(Intervals(sleep.onset_ms, sleep.offset_ms), moment_ms)
    return np.where(epoch < 0, np.int8(-1), sleep.stage[epoch])


def _beside_respiratory(
    movements: Movements, respiratory: Intervals | None, rules: RuleSet
) -> BoolArray:
    """Which movements have a part in the window of a respiratory event."""
    if respiratory is None:
        return np.zeros(len(movements), bool)
    whole = rules.respiratory_span == "event"
    windows = Intervals(
        (respiratory.onset_ms if whole else respiratory.offset_ms) - rules.respiratory_before_ms,
        respiratory.offset_ms + rules.respiratory_after_ms,
    )
    return touched(movements.onset_ms, movements.onset_ms + movements.duration_ms, windows)


def _with_arousal(movements: Movements, arousals: Intervals, rules: RuleSet) -> CodeArray:
    """1 for each movement that an arousal meets or comes close to, else 0."""
    return touched(
        movements.onset_ms - rules.arousal_within_ms,
        movements.onset_ms + movements.duration_ms + rules.arousal_within_ms,
        arousals,
        closed=rules.arousal_bound_counts,
    ).astype(np.int8)


def _oversize(combined: CombinedMovements, rules: RuleSet) -> TextArray:
    """Say what makes a leg movement too large for a candidate; empty where nothing does."""
    duration_ms, members = combined.movements.duration_ms, combined.n_monolateral
    one = members == 1
    most = rules.group_members_max
    reasons: list[tuple[BoolArray, str]] = [
        (one & (duration_ms > rules.clm_max_ms), f"longer than {_s(rules.clm_max_ms)}"),
        (~one & (combined.longest_ms > rules.clm_max_ms), f"a member over {_s(rules.clm_max_ms)}"),
        (~one & (duration_ms > rules.group_max_ms), f"a group over {_s(rules.group_max_ms)}"),
    ]
    if most is not None:
        reasons.append((members > most, f"a group of more than {most}"))
    return _first_reason(reasons, combined.movements.kind == LEG_MOVEMENT)


def _rejected(
    movements: Movements,
    oversize: TextArray,
    awake: BoolArray,
    breathing: BoolArray,
    rules: RuleSet,
) -> TextArray:
    """Why each movement is no candidate; empty for a candidate."""
    rejected = oversize.copy()
    for code, kind in enumerate(KINDS):
        if code != LEG_MOVEMENT:
            rejected[movements.kind == code] = kind.replace("_", " ")
    left_out = []
    if rules.sleep_only:
        left_out.append((awake, "not in sleep"))
    if not rules.respiratory_counted:
        left_out.append((breathing, "beside a respiratory event"))
    also = _first_reason(left_out, rejected == "")
    return np.where(rejected == "", also, rejected)


def _first_reason(reasons: list[tuple[BoolArray, str]], asked: BoolArray) -> TextArray:
    text = np.full(len(asked), "", object)
    for applies, reason in reasons:
        text[asked & applies & (text == "")] = reason
    return text


def _ends_series(movements: Movements, oversize: TextArray, rules: RuleSet) -> BoolArray:
    """Which movements end a series and keep an interval from being measured across them."""
    posture = movements.kind == POSTURE_SHIFT
    turning = posture | (movements.kind == GROSS_MOVEMENT)
    long = (oversize != "") | (turning & (movements.duration_ms > rules.clm_max_ms))
    return (long & (rules.long_movements == "end_series")) | (
        posture & rules.posture_shifts_end_series
    )


def _short_interval_groups(movements: Movements, clm: BoolArray, rules: RuleSet) -> IntArray:
    """For each row, the candidate that it merges with: the one begun a short interval before."""
    groups = np.arange(len(movements))
    first = -1
    for row in np.flatnonzero(clm).tolist():
        if first >= 0 and movements.onset_ms[row] - movements.onset_ms[first] < rules.imi_min_ms:
            groups[row] = first
        else:
            first = row
    return groups


def _reasons(rejected: TextArray, clm: BoolArray, plm: PlmSeries, rules: RuleSet) -> TextArray:
    """Why a movement is no candidate, why it is not periodic, or what ended the run after it."""
    values = {"imi_min": _s(rules.imi_min_ms), "imi_max": _s(rules.imi_max_ms)}
    reason = rejected.copy()
    short = clm & (plm.series == 0) & ~plm.skipped
    for row in np.flatnonzero(short):
        reason[row] = f"run of {plm.run_length[row]}, {rules.series_min_clm} make a series"
    reason[plm.skipped] = f"passed over: under {values['imi_min']} after the one before"

    for row, following in pairwise(np.flatnonzero(clm & ~plm.skipped)):
        if plm.broken_by[following]:
            ended = "ended by " + BREAKS[plm.broken_by[following]].format(**values)
            reason[row] = f"{reason[row]}; {ended}" if reason[row] else f"series {ended}"
    return reason


def _s(time_ms: int) -> str:
    return f"{time_ms / 1000:g} s"
