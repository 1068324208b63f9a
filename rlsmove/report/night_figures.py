"""Pictures of one night: at a glance, hour by hour, intervals, hours and thresholds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from rlsmove.movements.leg_movements import PROBABILITY
from rlsmove.records import (
    GROSS_MOVEMENT,
    LEG_MOVEMENT,
    POSTURE_SHIFT,
    STAGES,
    WAKE,
    FloatArray,
    Intervals,
)
from rlsmove.report.figure_svg import COLOR, HALF_IN, NARROW_IN, WIDE_IN, new_figure
from rlsmove.report.night_facts import LegTrace, NightFacts
from rlsmove.rules import IMI_BIN_S, IMI_HISTOGRAM_MAX_S, LN_IMI_BIN, PLMS_LINE_PER_HOUR

HOUR_S = 3600.0

#: Order of stages in a hypnogram from the top, and what its rows are called.
_STAGE_ROWS = {"W": "wake", "R": "REM", "S": "sleep", "N1": "N1", "N2": "N2", "N3": "N3"}


def overview(facts: NightFacts, *, narrow: bool = False) -> Figure:
    """Draw the whole night: movement of each leg, posture, sleep, series, gaps."""
    rows: list[tuple[str, float]] = [(trace.side, 1.0) for trace in facts.traces]
    if facts.traces:
        rows.append(("posture", 0.8))
    if _knows_sleep(facts):
        assert facts.sleep is not None
        rows.append(("sleep", 0.4 + 0.13 * len(np.unique(facts.sleep.stage))))
    rows.append(("movements", 0.75))
    heights = [height for _, height in rows]
    between_in = 0.34
    figure = new_figure(
        NARROW_IN if narrow else WIDE_IN,
        0.62 * sum(heights) + between_in * len(rows) + 0.3,
        left_in=0.68,
        top_in=between_in,
        bottom_in=0.3,
    )
    mean_in = 0.62 * sum(heights) / len(rows)
    grid = figure.add_gridspec(len(rows), 1, height_ratios=heights, hspace=between_in / mean_in)
    first: Axes | None = None
    for number, (name, _) in enumerate(rows):
        axes = figure.add_subplot(grid[number], sharex=first)
        first = first or axes
        trace = next((trace for trace in facts.traces if trace.side == name), None)
        if trace is not None:
            _draw_strength(axes, trace)
        elif name == "posture":
            _draw_posture(axes, facts)
        elif name == "sleep":
            _draw_sleep(axes, facts)
        else:
            _draw_movement_rows(axes, facts)
        _draw_bands(axes, facts)
        axes.tick_params(labelbottom=number == len(rows) - 1)
    assert first is not None
    clock_axis(first, facts, narrow=narrow)
    return figure


def clock_axis(axes: Axes, facts: NightFacts, *, narrow: bool = False) -> None:
    """Label the horizontal axis, in seconds since the start, by the wall clock."""
    first, last = facts.span_s
    axes.set_xlim(first, last)
    step_s = next(
        step
        for step in (60.0, 300.0, 900.0, HOUR_S, 2 * HOUR_S, 4 * HOUR_S)
        if (last - first) / step <= (7 if narrow else 14) or step == 4 * HOUR_S
    )
    origin_s = 0.0
    if facts.start_time is not None:
        midnight = facts.start_time.replace(hour=0, minute=0, second=0, microsecond=0)
        origin_s = (midnight - facts.start_time).total_seconds()
    ticks = origin_s + step_s * np.arange(
        np.ceil((first - origin_s) / step_s), np.floor((last - origin_s) / step_s) + 1
    )
    axes.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: _tick(facts.start_time, time_s)))


def _tick(start_time: datetime | None, time_s: float) -> str:
    if start_time is None:
        return f"{time_s / HOUR_S:.4g} h"
    return f"{start_time + timedelta(seconds=round(time_s)):%H:%M}"


def _draw_strength(axes: Axes, trace: LegTrace) -> None:
    color = COLOR.get(trace.side, COLOR["both"])
    height = np.maximum(trace.strength, 0.3)
    axes.fill_between(trace.time_s, 0.3, height, step="mid", color=color, linewidth=0)
    axes.axhline(1.0, color=COLOR["ink"], linewidth=0.6, linestyle=(0, (3, 2)))
    axes.set_yscale("log")
    axes.set_ylim(0.3, max(200.0, float(np.nanmax(height, initial=0.3)) * 1.3))
    axes.yaxis.set_major_locator(FixedLocator([1, 10, 100]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    side = {"unknown": "leg"}.get(trace.side, f"{trace.side} leg")
    axes.set_title(f"{side[:1].upper()}{side[1:]}: movement over the threshold (dashed)")


def _draw_posture(axes: Axes, facts: NightFacts) -> None:
    for trace in facts.traces:
        axes.step(
            trace.time_s,
            trace.turn_deg,
            where="mid",
            color=COLOR.get(trace.side, COLOR["both"]),
            linewidth=1.0,
            linestyle="-" if trace.side != "right" else (0, (4, 1.5)),
            label=trace.side,
        )
    top = max((float(np.nanmax(t.turn_deg, initial=0.0)) for t in facts.traces), default=0.0)
    axes.set_ylim(0, max(30.0, 1.1 * top))
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 3, 6, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}°"))
    axes.set_title(
        "Posture: turn from the usual one" + (" (right dashed)" if len(facts.traces) > 1 else "")
    )


def _knows_sleep(facts: NightFacts) -> bool:
    return facts.sleep is not None and len(facts.sleep.stage) > 0


def _draw_sleep(axes: Axes, facts: NightFacts) -> None:
    sleep = facts.sleep
    assert sleep is not None
    present = [name for name in _STAGE_ROWS if STAGES.index(name) in sleep.stage]
    rows = {STAGES.index(name): len(present) - 1 - row for row, name in enumerate(present)}
    height = np.array([rows[stage] for stage in sleep.stage.tolist()], float)
    # Unscored time between epochs breaks the line.
    jumps = np.flatnonzero(sleep.onset_ms[1:] > sleep.offset_ms[:-1]) + 1
    time_s = np.ravel(np.column_stack([sleep.onset_ms, sleep.offset_ms])) / 1000
    levels = np.repeat(height, 2)
    for part in np.split(np.arange(len(levels)), 2 * jumps):
        axes.plot(time_s[part], levels[part], color=COLOR["ink"], linewidth=1.0)
    rem = np.flatnonzero(sleep.stage == STAGES.index("R"))
    for row in rem.tolist():
        level = height[row]
        ends = [sleep.onset_ms[row] / 1000, sleep.offset_ms[row] / 1000]
        axes.plot(ends, [level, level], color=COLOR["ink"], linewidth=2.6)
    axes.set_ylim(-0.6, len(present) - 0.4)
    axes.set_yticks([rows[STAGES.index(name)] for name in present])
    axes.set_yticklabels([_STAGE_ROWS[name] for name in present])
    source = facts.folder.record["sleep"]["source"]
    axes.tick_params(axis="y", labelsize=7.5)
    axes.set_title(f"Sleep and wake, {SLEEP_SOURCES.get(source, source)}")


#: What a source of sleep is called.
SLEEP_SOURCES = {
    "hypnogram": "from a hypnogram",
    "lights": "from inactivity between lights off and on",
    "sensor": "from the sensor's inactivity",
    "none": "not known",
}


def _draw_movement_rows(axes: Axes, facts: NightFacts) -> None:
    scoring = facts.scoring
    onset_s = scoring.onset_ms / 1000
    moves = np.isin(scoring.kind, (POSTURE_SHIFT, GROSS_MOVEMENT))
    lm = scoring.kind == LEG_MOVEMENT
    plm = scoring.plm == 1
    for level, (rows, color) in enumerate(
        ((moves, COLOR["muted"]), (lm & ~plm, COLOR["other"]), (plm, COLOR["plm"]))
    ):
        ticks(axes, onset_s[rows], level - 0.38, level + 0.38, color)
    axes.set_ylim(-0.6, 2.6)
    axes.set_yticks([0, 1, 2])
    axes.set_yticklabels(["body", "other leg", "periodic"])
    axes.tick_params(axis="y", length=0)
    axes.set_title("Movements, with series as bands")
    for first_s, last_s in series_spans_s(facts):
        axes.axvspan(first_s, last_s, ymin=0.62, ymax=1.0, color=COLOR["series"], alpha=0.45, lw=0)


def ticks(axes: Axes, x: FloatArray, low: float, high: float, color: str) -> None:
    """Draw a short upright line at each x; all of them are one path, which keeps pages small."""
    if not len(x):
        return
    points = np.full((len(x), 3), np.nan)
    points[:, 0] = points[:, 1] = x
    heights = np.tile([low, high, np.nan], len(x))
    axes.plot(points.ravel(), heights, color=color, linewidth=0.9, solid_capstyle="butt")


def series_spans_s(facts: NightFacts) -> list[tuple[float, float]]:
    """First onset and last offset of each periodic series, in seconds since the start."""
    scoring = facts.scoring
    spans = []
    for number in np.unique(scoring.series[scoring.series > 0]).tolist():
        rows = scoring.series == number
        ends = scoring.onset_ms[rows] + scoring.duration_ms[rows]
        spans.append((int(scoring.onset_ms[rows][0]) / 1000, int(ends.max()) / 1000))
    return spans


def _draw_bands(axes: Axes, facts: NightFacts) -> None:
    """Mark gaps, non-wear, massages and the lights in every row of the overview."""
    for session in facts.massage or ():
        axes.axvspan(
            session["start_s"], session["end_s"], ymax=0.06, facecolor=COLOR["other"], lw=0
        )
    missing = facts.missing
    for onset_ms, offset_ms in zip(
        missing.onset_ms.tolist(), missing.offset_ms.tolist(), strict=True
    ):
        axes.axvspan(
            onset_ms / 1000, offset_ms / 1000, facecolor=COLOR["missing"], alpha=0.55, lw=0
        )
    for mark_s in facts.lights_s:
        if mark_s is not None:
            axes.axvline(mark_s, color=COLOR["muted"], linewidth=0.9, linestyle=(0, (1, 1.5)))


def raster(facts: NightFacts, *, narrow: bool = False) -> Figure:
    """Draw a row an hour, or a third of one on a phone; even spacing along a row is periodicity."""
    row_s = HOUR_S / 3 if narrow else HOUR_S
    origin_s = facts.span_s[0]
    if facts.start_time is None:
        origin_s = np.floor(origin_s / row_s) * row_s
    else:
        midnight = facts.start_time.replace(hour=0, minute=0, second=0, microsecond=0)
        day_s = (facts.start_time - midnight).total_seconds()
        origin_s = np.floor((day_s + origin_s) / row_s) * row_s - day_s
    n_rows = max(int(np.ceil((facts.span_s[1] - origin_s) / row_s)), 1)
    height = (0.115 if narrow else 0.27) * n_rows + 0.75
    figure = new_figure(NARROW_IN if narrow else WIDE_IN, height)
    axes = figure.add_subplot()
    _draw_wake(axes, facts, origin_s, row_s)
    scoring = facts.scoring
    onset_s = scoring.onset_ms / 1000
    row = np.floor((onset_s - origin_s) / row_s)
    minute = (onset_s - origin_s - row * row_s) / 60
    lm, plm = scoring.kind == LEG_MOVEMENT, scoring.plm == 1
    body = np.isin(scoring.kind, (POSTURE_SHIFT, GROSS_MOVEMENT))
    for rows, color, reach in (
        (body, COLOR["muted"], 0.18),
        (lm & ~plm, COLOR["other"], 0.30),
        (lm & plm, COLOR["plm"], 0.42),
    ):
        points = np.full((np.count_nonzero(rows), 3, 2), np.nan)
        points[:, :2, 0] = minute[rows, None]
        points[:, 0, 1], points[:, 1, 1] = row[rows] - reach, row[rows] + reach
        axes.plot(*points.reshape(-1, 2).T, color=color, linewidth=1.1)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.set_xlim(0, row_s / 60)
    axes.set_xticks(np.arange(0, row_s / 60 + 1, 5 if narrow else 10))
    begins_s = [float(origin_s + number * row_s) for number in range(n_rows)]
    # On a phone only whole hours are told, where there is one.
    whole = [number for number, time_s in enumerate(begins_s) if _is_whole_hour(facts, time_s)]
    shown = whole or list(range(n_rows))
    axes.set_yticks(shown)
    axes.set_yticklabels([_tick(facts.start_time, begins_s[number]) for number in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("minutes of the row")
    return figure


def _is_whole_hour(facts: NightFacts, time_s: float) -> bool:
    if facts.start_time is None:
        return time_s % HOUR_S == 0
    return (facts.start_time + timedelta(seconds=round(time_s))).minute == 0


def _draw_wake(axes: Axes, facts: NightFacts, origin_s: float, row_s: float) -> None:
    """Shade wake and time without recording behind the raster."""
    sleep = facts.sleep
    bands: list[tuple[Intervals, str]] = [(facts.missing, COLOR["missing"])]
    if sleep is not None:
        wake = sleep.stage == WAKE
        bands.append((Intervals(sleep.onset_ms[wake], sleep.offset_ms[wake]), COLOR["wake"]))
    for stretches, color in bands:
        pieces: dict[int, list[tuple[float, float]]] = {}
        for onset_ms, offset_ms in _joined(stretches):
            start_s, end_s = onset_ms / 1000 - origin_s, offset_ms / 1000 - origin_s
            for number in range(int(start_s // row_s), int(np.ceil(end_s / row_s))):
                low, high = max(start_s, number * row_s), min(end_s, (number + 1) * row_s)
                pieces.setdefault(number, []).append(
                    ((low - number * row_s) / 60, (high - low) / 60)
                )
        for number, spans in pieces.items():
            if number >= 0:
                axes.broken_barh(spans, (number - 0.5, 1.0), facecolor=color, linewidth=0)


def _joined(stretches: Intervals) -> list[tuple[int, int]]:
    """Stretches that touch, as one."""
    joined: list[tuple[int, int]] = []
    for onset_ms, offset_ms in zip(
        stretches.onset_ms.tolist(), stretches.offset_ms.tolist(), strict=True
    ):
        if joined and joined[-1][1] == onset_ms:
            joined[-1] = (joined[-1][0], offset_ms)
        else:
            joined.append((onset_ms, offset_ms))
    return joined


def intervals_s(facts: NightFacts) -> FloatArray:
    """Intervals between candidates, in seconds."""
    imi_ms = facts.scoring.imi_ms[facts.scoring.clm == 1]
    return imi_ms[imi_ms > 0] / 1000


def interval_histogram(facts: NightFacts, *, logarithmic: bool) -> Figure:
    """Draw how intervals from onset to onset spread, with the periodic window marked."""
    figure = new_figure(HALF_IN, 2.5, right_in=0.22)
    axes = figure.add_subplot()
    imi_s = intervals_s(facts)
    low_s, high_s = facts.rules.imi_min_ms / 1000, facts.rules.imi_max_ms / 1000
    axes.axvspan(low_s, high_s, color=COLOR["sleep"], lw=0)
    if logarithmic:
        # Whole intervals of a night lie between half a second and some hours.
        edges = np.exp(np.arange(-0.7, 7.0 + LN_IMI_BIN, LN_IMI_BIN))
        axes.set_xscale("log")
        axes.set_xlim(0.5, 1000)
        axes.xaxis.set_major_locator(FixedLocator([1, 3, 10, 30, 90, 300, 1000]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        edges = np.arange(0.0, IMI_HISTOGRAM_MAX_S + 30 + IMI_BIN_S, IMI_BIN_S)
        axes.set_xlim(0, edges[-1])
        axes.set_xticks(np.arange(0, edges[-1] + 1, 10 if edges[-1] <= 90 else 30))
    axes.hist(imi_s, edges.tolist(), color=COLOR["both"], linewidth=0)
    _whole_numbers(axes)
    axes.set_xlabel("interval from onset to onset, s" + (" (log scale)" if logarithmic else ""))
    axes.set_ylabel("intervals")
    if not len(imi_s):
        _nothing(axes, "no intervals")
    return figure


def by_hour(facts: NightFacts) -> Figure:
    """Draw periodic movements per hour of sleep, hour by hour."""
    figure = new_figure(HALF_IN, 2.5)
    axes = figure.add_subplot()
    hours, axis_name = rates_by_hour(facts)
    rates = np.array([np.nan if rate is None else rate for _, rate in hours])
    places = np.arange(len(rates))
    axes.bar(places, np.nan_to_num(rates), 0.82, color=COLOR["plm"], linewidth=0)
    for place in np.flatnonzero(np.isnan(rates)).tolist():
        axes.text(place, 0, "no sleep", ha="center", va="bottom", rotation=90, fontsize=7)
    axes.set_xlabel(axis_name)
    axes.set_ylabel("PLMS per hour of sleep")
    if not hours:
        _nothing(axes, "sleep is not known")
        return figure
    axes.set_xticks(places)
    axes.set_xticklabels([name for name, _ in hours])
    axes.set_xlim(-0.6, len(hours) - 0.4)
    axes.axhline(PLMS_LINE_PER_HOUR, color=COLOR["ink"], linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1.15 * max(PLMS_LINE_PER_HOUR * 1.3, float(np.nanmax(rates, initial=0.0))))
    return figure


def rates_by_hour(facts: NightFacts) -> tuple[list[tuple[str, float | None]], str]:
    """List the PLMS per hour of sleep of each hour, and say which hours they are.

    Hours of the clock; hours after the onset of sleep where the clock is not known.
    """
    table = facts.tables.get("plms_by_clock_hour")
    if table:
        return [(str(row["from"])[11:13], row["plms_per_hour"]) for row in table], (
            "hour of the clock"
        )
    rates = facts.indices.get("plms_per_hour_by_hour") or []
    return [(str(number), rate) for number, rate in enumerate(rates, start=1)], (
        "hour after the onset of sleep"
    )


def by_threshold(table: list[dict[str, Any]]) -> Figure:
    """Draw the index against the detector's threshold, each of its rows a threshold."""
    name = index_of_thresholds(table)
    threshold = np.array([row["threshold"] for row in table], float)
    per_hour = np.array([np.nan if row[name] is None else row[name] for row in table], float)
    figure = new_figure(HALF_IN, 2.5)
    axes = figure.add_subplot()
    axes.axvline(PROBABILITY, color=COLOR["muted"], linewidth=0.9, linestyle=(0, (1, 1.5)))
    axes.plot(threshold, per_hour, color=COLOR["plm"], linewidth=1.6, marker="o", markersize=4)
    axes.xaxis.set_major_locator(FixedLocator(threshold.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(0, max(1.15 * float(np.nanmax(per_hour, initial=0.0)), 1.0))
    axes.set_xlabel("least probability of a leg movement")
    axes.set_ylabel("PLMS per hour of sleep" if name == "plms_per_hour" else "PLM per hour in bed")
    if np.all(np.isnan(per_hour)):
        _nothing(axes, "no hours to divide by")
    return figure


def index_of_thresholds(table: list[dict[str, Any]]) -> str:
    """Name the index that is drawn against the threshold: of sleep, where sleep is known."""
    known = any(row["plms_per_hour"] is not None for row in table)
    return "plms_per_hour" if known else "plm_per_hour_tib"


def _whole_numbers(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, 1.0))


def _nothing(axes: Axes, words: str) -> None:
    axes.set_yticks([])
    axes.text(
        0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=COLOR["muted"]
    )
