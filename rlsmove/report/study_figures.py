"""Pictures of persons and studies: nights by condition, thumbnails, forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from rlsmove.records import LEG_MOVEMENT, WAKE, Scoring, Sleep
from rlsmove.report.figure_svg import COLOR, NARROW_IN, WIDE_IN, new_figure
from rlsmove.report.study_facts import NightStanding

#: Ratios that a forest plot shows at least; beyond its ends intervals get an arrow.
_FOREST = (0.25, 2.0)
_FOREST_MOST = (0.05, 8.0)


@dataclass(frozen=True)
class ForestRow:
    """One line of a forest plot.

    Attributes
    ----------
    name : str
        Person, or what stands for all.
    ratio, low, high : float or None
        Massage over control, and its interval.
    pooled : bool
        Whether it stands for all.
    """

    name: str
    ratio: float | None
    low: float | None
    high: float | None
    pooled: bool = False


def forest_rows(comparison: Mapping[str, Any]) -> list[ForestRow]:
    """List the lines of a comparison's forest plot, the persons first."""
    rows = [
        ForestRow(name, person["ratio"], person["ratio_low"], person["ratio_high"])
        for name, person in comparison["persons"].items()
    ]
    cohort = comparison.get("cohort")
    if cohort:
        ends = cohort["ratio"], cohort["ratio_low"], cohort["ratio_high"]
        rows.append(ForestRow("together", *ends, pooled=True))
        if cohort.get("prediction_low") is not None:
            rows.append(
                ForestRow("next person", None, cohort["prediction_low"], cohort["prediction_high"])
            )
    return rows


def forest(rows: Sequence[ForestRow], margin: float, *, narrow: bool = False) -> Figure:
    """Draw ratios with their intervals, a line a person, massage over control."""
    longest = max((len(row.name) for row in rows), default=4)
    figure = new_figure(
        NARROW_IN if narrow else WIDE_IN,
        0.26 * len(rows) + 0.75,
        left_in=min(0.2 + 0.085 * longest, 1.8),
        right_in=0.15 if narrow else 1.7,
        bottom_in=0.55,
    )
    axes = figure.add_subplot()
    known = [end for row in rows for end in (row.ratio, row.low, row.high) if end]
    low_end = max(min([_FOREST[0], *known]) / 1.1, _FOREST_MOST[0])
    high_end = min(max([_FOREST[1], *known]) * 1.1, _FOREST_MOST[1])
    axes.axvline(1.0, color=COLOR["ink"], linewidth=0.9)
    axes.axvline(margin, color=COLOR["muted"], linewidth=0.9, linestyle=(0, (4, 3)))
    for place, row in enumerate(rows):
        _forest_row(axes, place, row, low_end, high_end)
        if not narrow:
            axes.text(
                1.02,
                place,
                _forest_words(row),
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
            )
    axes.set_xscale("log")
    axes.set_xlim(low_end, high_end)
    axes.xaxis.set_major_locator(
        FixedLocator([t for t in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8) if low_end <= t <= high_end])
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([row.name if len(row.name) < 20 else row.name[:18] + "…" for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("ratio, massage over control" + (" (log scale)" if not narrow else ""))
    return figure


def _forest_row(axes: Axes, place: int, row: ForestRow, low_end: float, high_end: float) -> None:
    color = COLOR["plm"] if row.pooled else COLOR["left"]
    low, high = row.low or low_end, row.high or high_end
    open_ends = [
        (low_end, row.low is None or row.low < low_end, "<"),
        (high_end, row.high is None or row.high > high_end, ">"),
    ]
    if row.ratio is None and row.low is None:
        axes.text(1.0, place, " not compared", va="center", fontsize=8, color=COLOR["muted"])
        return
    certain = row.low is not None or row.high is not None
    if row.pooled and row.ratio is not None and row.low and row.high:
        shape = [(low, place), (row.ratio, place - 0.28), (high, place)]
        shape += [(row.ratio, place + 0.28)]
        axes.fill(*zip(*shape, strict=True), color=color, linewidth=0)
        return
    # Without an interval the nights fit any ratio: dots from end to end, and a hollow mark.
    style: Any = "-" if certain and row.ratio is not None else (0, (1, 2.5))
    line = color if certain else COLOR["muted"]
    axes.plot([low, high], [place, place], color=line, linewidth=1.5, linestyle=style)
    for end, beyond, marker in open_ends:
        if beyond:
            axes.plot([end], [place], marker=marker, color=line, clip_on=False)
    if row.ratio is not None:
        axes.plot(
            [row.ratio],
            [place],
            marker="D" if row.pooled else "s",
            color=color if certain else "none",
            markeredgecolor=line,
            markersize=5,
        )


def _forest_words(row: ForestRow) -> str:
    if row.ratio is None and row.low is None:
        return ""
    ends = "no interval"
    if row.low is not None or row.high is not None:
        low, high = (f"{end:.2f}" if end is not None else "open" for end in (row.low, row.high))
        ends = f"{low} to {high}"
    return ends if row.ratio is None else f"{row.ratio:.2f}  ({ends})"


def anytime_figure(anytime: Mapping[str, Any], counted: str, *, width_in: float) -> Figure:
    """Draw what the looks of every morning have gathered against no difference.

    Parameters
    ----------
    anytime : mapping
        Of a person or a cohort in comparison.json, with a path.
    counted : str
        What each step of it is, in the plural.
    width_in : float
        Width of the picture.
    """
    figure = new_figure(width_in, 2.0, left_in=0.6, bottom_in=0.42, right_in=0.15)
    axes = figure.add_subplot()
    blocks = [0, *anytime["blocks"]]
    gathered = [1.0, *(1 / max(p, 1e-6) for p in anytime["path"])]
    axes.axhline(20.0, color=COLOR["ink"], linewidth=0.9, linestyle=(0, (4, 3)))
    axes.step(blocks, gathered, where="post", color=COLOR["left"], linewidth=1.5)
    axes.plot([blocks[-1]], [gathered[-1]], marker="o", color=COLOR["left"], markersize=5)
    axes.set_yscale("log")
    axes.set_ylim(0.9, max(40.0, 2 * gathered[-1]))
    axes.set_xlim(0, max(blocks) + 0.5)
    axes.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 100, 1000, 10_000, 100_000]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel(counted)
    axes.set_ylabel("evidence")
    return figure


def nights_figure(
    nights: Sequence[NightStanding], name: str, *, width_in: float, height_in: float
) -> Figure:
    """Draw the index of each night in the order of time, by condition; pairs joined.

    Parameters
    ----------
    nights : sequence of NightStanding
        Of one person.
    name : str
        What is counted per hour, for the axis.
    width_in, height_in : float
        Size of the picture.
    """
    figure = new_figure(width_in, height_in, left_in=0.5, bottom_in=0.42)
    axes = figure.add_subplot()
    first = min((standing.night.day for standing in nights), default=0)
    shown = [(standing, rate) for standing in nights if (rate := standing.rate) is not None]
    for pair in _pairs(shown):
        axes.plot(
            [standing.night.day - first for standing, _ in pair],
            [rate for _, rate in pair],
            color=COLOR["muted"],
            linewidth=0.9,
        )
    for standing, rate in shown:
        left_out = bool(standing.why_not)
        color = {True: COLOR["left"], False: COLOR["right"], None: COLOR["muted"]}[standing.massage]
        axes.plot(
            [standing.night.day - first],
            [rate],
            marker={True: "o", False: "s", None: "d"}[standing.massage],
            markersize=5.5,
            color="none" if left_out else color,
            markeredgecolor=color,
            linestyle="none",
        )
    for standing in nights:
        if standing.rate is None:
            axes.plot(
                [standing.night.day - first],
                [0],
                marker="x",
                color=COLOR["muted"],
                markersize=5,
                clip_on=False,
            )
    top = max((standing.rate or 0.0 for standing in nights), default=0.0)
    axes.set_ylim(0, max(1.15 * top, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    last = max((standing.night.day - first for standing in nights), default=0)
    axes.set_xlim(-0.6, last + 0.6)
    axes.xaxis.set_major_locator(
        MaxNLocator(6 if width_in < 5 else 12, integer=True, min_n_ticks=1)
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda day, _: _day(first, day)))
    axes.set_ylabel(name)
    return figure


def _pairs(
    nights: Sequence[tuple[NightStanding, float]],
) -> list[list[tuple[NightStanding, float]]]:
    """Nights of one block of two, with their rates, both of which are compared."""
    blocks: dict[int, list[tuple[NightStanding, float]]] = {}
    for standing, rate in nights:
        if not standing.why_not and standing.massage is not None:
            blocks.setdefault(standing.night.block, []).append((standing, rate))
    return [pair for pair in blocks.values() if len(pair) == 2]


def _day(first: int, day: float) -> str:
    try:
        return f"{date.fromordinal(first + round(day)):%d %b}"
    except (ValueError, OverflowError):
        return f"{day:g}"


def thumbnail(
    scoring: Scoring, sleep: Sleep | None, lights_s: tuple[float | None, float | None]
) -> Figure:
    """Draw a whole night as one strip: sleep behind, periodic and other leg movements before."""
    figure = new_figure(3.2, 0.42, left_in=0.02, right_in=0.02, top_in=0.02, bottom_in=0.02)
    axes = figure.add_subplot()
    onset_s = scoring.onset_ms / 1000
    off_s, on_s = lights_s
    if sleep is not None:
        wake = sleep.stage == WAKE
        spans = [
            (onset / 1000, (offset - onset) / 1000)
            for onset, offset in zip(sleep.onset_ms[wake], sleep.offset_ms[wake], strict=True)
        ]
        axes.broken_barh(spans, (0, 1), facecolor=COLOR["wake"], linewidth=0)
    lm, plm = scoring.kind == LEG_MOVEMENT, scoring.plm == 1
    for rows, color, low, high in (
        (lm & ~plm, COLOR["other"], 0.25, 0.75),
        (lm & plm, COLOR["plm"], 0.08, 0.92),
    ):
        points = np.full((np.count_nonzero(rows), 3, 2), np.nan)
        points[:, :2, 0] = onset_s[rows, None]
        points[:, 0, 1], points[:, 1, 1] = low, high
        axes.plot(*points.reshape(-1, 2).T, color=color, linewidth=0.6)
    ends = [end for end in (off_s, on_s) if end is not None]
    first = off_s if off_s is not None else float(onset_s.min(initial=0.0))
    last = on_s if on_s is not None else float(onset_s.max(initial=first + 60.0))
    axes.set_xlim(first, max(last, first + 60.0))
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    for spine in axes.spines.values():
        spine.set_visible(bool(ends))
        spine.set_color(COLOR["grid"])
    return figure
