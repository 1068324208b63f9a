"""Examples of what was detected and what was rejected, with the signal behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rlsmove.records import BILATERAL, SIDES, IntArray
from rlsmove.report.figure_svg import COLOR, new_figure
from rlsmove.report.night_facts import LegTrace, NightFacts
from rlsmove.review.reviewed_night import REJECTED

#: Rest that is shown before and after a movement, and the most that is shown of one.
_AROUND_S = 4.0
_LONGEST_S = 45.0

#: Reasons for rejection that get a picture, the most frequent first.
_REASONS_SHOWN = 6


@dataclass(frozen=True)
class Example:
    """One movement to show.

    Attributes
    ----------
    title : str
        What it is an example of.
    caption : str
        When it was, which leg, how long and how strong.
    onset_s, duration_s : float
        When it was.
    trace : LegTrace
        The leg that shows it best.
    """

    title: str
    caption: str
    onset_s: float
    duration_s: float
    trace: LegTrace


def movement_examples(facts: NightFacts) -> list[Example]:
    """Choose the largest, a typical and the faintest movement, and one of each rejected kind."""
    if not facts.traces:
        return []
    chosen = [*_counted(facts), *_rejected(facts), *_rejected_in_review(facts)]
    return [example for example in chosen if example is not None]


def _counted(facts: NightFacts) -> Iterator[Example | None]:
    scoring = facts.scoring
    clm = np.flatnonzero((scoring.clm == 1) & ~np.isnan(scoring.peak_g))
    if not len(clm):
        return
    titles: dict[int, list[str]] = {}
    for title, row in (
        ("largest", int(clm[np.argmax(scoring.peak_g[clm])])),
        ("typical (nearest to the medians)", _typical(facts, clm)),
        (
            "nearest to the threshold",
            int(clm[np.argmin(np.nan_to_num(scoring.probability[clm], nan=np.inf))]),
        ),
    ):
        titles.setdefault(row, []).append(title)
    for row, names in titles.items():
        title = ", ".join(names)
        yield _of_row(facts, title[:1].upper() + title[1:], row)


def _rejected(facts: NightFacts) -> Iterator[Example | None]:
    scoring = facts.scoring
    out = np.flatnonzero(scoring.clm == 0)
    reasons, count = np.unique(scoring.reason[out].astype(str), return_counts=True)
    for place in np.argsort(-count, kind="stable")[:_REASONS_SHOWN].tolist():
        rows = out[scoring.reason[out] == reasons[place]]
        title = f"Not counted: {reasons[place] or 'no reason given'} ({count[place]} in all)"
        yield _of_row(facts, title, _typical(facts, rows))


def _rejected_in_review(facts: NightFacts) -> Iterator[Example | None]:
    reviewed = facts.folder.reviewed
    for leg in reviewed.legs if reviewed else ():
        rows = [row for row, state in enumerate(leg.states) if state == REJECTED]
        if rows:
            onset_ms = int(leg.movements.onset_ms[rows[0]])
            duration_ms = int(leg.movements.duration_ms[rows[0]])
            title = f"Rejected in the review, {SIDES[leg.side]} leg ({len(rows)} in all)"
            yield _example(facts, title, onset_ms, duration_ms, SIDES[leg.side], "")


def _typical(facts: NightFacts, rows: IntArray) -> int:
    """Return the row nearest to the medians of duration and peak, both as logarithms."""
    duration = np.log(np.maximum(facts.scoring.duration_ms[rows], 1))
    peak = np.log(np.maximum(np.nan_to_num(facts.scoring.peak_g[rows]), 1e-4))
    away = (duration - np.median(duration)) ** 2 + (peak - np.median(peak)) ** 2
    return int(rows[np.argmin(away)])


def _of_row(facts: NightFacts, title: str, row: int) -> Example | None:
    scoring = facts.scoring
    measured = []
    if np.isfinite(scoring.peak_g[row]):
        measured.append(f"peak {1000 * scoring.peak_g[row]:.0f} mg")
    if np.isfinite(scoring.tilt_deg[row]):
        measured.append(f"turn {scoring.tilt_deg[row]:.1f}°")
    if np.isfinite(scoring.probability[row]):
        measured.append(f"probability {scoring.probability[row]:.2f}")
    onset_ms, duration_ms = int(scoring.onset_ms[row]), int(scoring.duration_ms[row])
    side = SIDES[scoring.side[row]]
    return _example(facts, title, onset_ms, duration_ms, side, ", ".join(measured))


def _example(
    facts: NightFacts, title: str, onset_ms: int, duration_ms: int, side: str, measured: str
) -> Example | None:
    onset_s, duration_s = onset_ms / 1000, duration_ms / 1000
    there = [t for t in facts.traces if t.side == side or side == SIDES[BILATERAL]]
    if not there:
        return None
    trace = max(there, key=lambda t: float(np.nanmax(np.ptp(_shown(t, onset_s, duration_s)[1], 0))))
    shown = f"{side}, {trace.side} shown" if side == SIDES[BILATERAL] else side
    caption = f"{facts.clock(onset_s)}, {shown}, {duration_s:.2f} s"
    return Example(
        title, f"{caption}, {measured}" if measured else caption, onset_s, duration_s, trace
    )


def _shown(trace: LegTrace, onset_s: float, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Time from onset, in s, and acceleration away from rest (m, 3), in mg, of what is shown."""
    signal = trace.signal
    length_s = min(duration_s, _LONGEST_S - 2 * _AROUND_S)
    first = int((onset_s - _AROUND_S - signal.start_s) / signal.step_s)
    last = int((onset_s + length_s + _AROUND_S - signal.start_s) / signal.step_s)
    first, last = max(first, 0), min(max(last, 1), len(signal))
    acceleration = 1000 * signal.acceleration(first, last)
    time_s = signal.start_s + np.arange(first, last) * signal.step_s - onset_s
    rest = acceleration[time_s < 0]
    if not len(acceleration):
        return np.zeros(1), np.zeros((1, 3))
    known = rest[~np.isnan(rest[:, 0])] if len(rest) else rest
    return time_s, acceleration - (np.mean(known, axis=0) if len(known) else acceleration[0])


def example_figure(example: Example) -> Figure:
    """Draw the three axes of the leg around a movement, which is shaded."""
    figure = new_figure(3.6, 1.75, left_in=0.68)
    axes = figure.add_subplot()
    time_s, away_mg = _shown(example.trace, example.onset_s, example.duration_s)
    in_g = float(np.nanmax(np.abs(away_mg), initial=0.0)) > 1500
    axes.axvspan(0, min(example.duration_s, time_s[-1]), color=COLOR["sleep"], lw=0)
    for axis, color in enumerate((COLOR["left"], COLOR["right"], COLOR["both"])):
        axes.plot(time_s, away_mg[:, axis] / (1000 if in_g else 1), color=color, linewidth=1.0)
    axes.set_xlim(time_s[0], time_s[-1])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("s from onset")
    axes.set_ylabel("g" if in_g else "mg")
    return figure
