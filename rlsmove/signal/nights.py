"""Nights, cut from noon to noon by the sleeper's wall clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import FloatArray
from rlsmove.signal.calibration import Calibration
from rlsmove.signal.survey import WINDOW_S, Survey
from rlsmove.signal.uniform_clock import CLOCK_HZ, UniformReader

#: A slice from noon to noon with less than this recorded is a leftover of setting up or of taking
#: off, not a night, unless the recording has nothing else.
SHORTEST_NIGHT_S = 3 * 3600.0

DAY_S = 86400.0


@dataclass(frozen=True)
class NightSpan:
    """One slice of a recording, from noon to noon.

    Attributes
    ----------
    evening : date
        Date of the noon at which it begins.
    start_s, end_s : float
        First and last moment recorded in it, in seconds since the start of the recording.
    recorded_s : float
        How much of it was recorded.
    """

    evening: date
    start_s: float
    end_s: float
    recorded_s: float


@dataclass(frozen=True)
class Night:
    """One night of one leg on the common clock.

    Attributes
    ----------
    span : NightSpan
        Which night.
    first : int
        Number of the first grid point, counted from the start of the recording: grid point i of
        this night lies (first + i) / fs seconds after it.
    fs : float
        Grid points per second.
    acceleration : ndarray of float32, shape (n, 3), in g
        Calibrated; NaN where nothing was recorded.
    """

    span: NightSpan
    first: int
    fs: float
    acceleration: NDArray[np.float32]


def night_spans(
    start_time: datetime, survey: Survey, time_zone: str = "", dated: bool = True
) -> tuple[list[NightSpan], list[NightSpan]]:
    """Cut what a recording covers from noon to noon.

    Parameters
    ----------
    start_time : datetime
        Wall time of the first sample.
    survey : Survey
        What the recording covers.
    time_zone : str
        IANA name of the sleeper's zone; without it the clock of the start goes on, also where
        clocks on the wall change.
    dated : bool
        Whether the start means anything; where it does not, each 24 h from it are a night.

    Returns
    -------
    nights, leftovers : list of NightSpan
        In order; leftovers are slices with less than three hours, where another has more.
    """
    wall = start_time.replace(tzinfo=None)
    first = (wall - timedelta(hours=12)).date() if dated else wall.date()
    evenings = [
        first + timedelta(days=number) for number in range(math.ceil(survey.end_s / DAY_S) + 2)
    ]
    zone = ZoneInfo(time_zone) if time_zone and start_time.tzinfo is not None else None
    noon_s = np.array([_noon_s(evening, start_time, zone) for evening in evenings])
    if not dated:
        noon_s = np.arange(len(evenings)) * DAY_S
    day = np.searchsorted(noon_s, survey.window_start_s, side="right") - 1
    window_s = _recorded_in_windows(survey)
    spans = []
    for number in np.unique(day):
        rows = day == number
        spans.append(
            NightSpan(
                evening=evenings[number],
                start_s=max(noon_s[number], float(survey.window_start_s[rows][0]), 0.0),
                end_s=min(
                    noon_s[number + 1],
                    float(survey.window_start_s[rows][-1]) + WINDOW_S,
                    survey.end_s,
                ),
                recorded_s=float(np.sum(window_s[rows])),
            )
        )
    longest = max(spans, key=lambda span: span.recorded_s)
    nights = [span for span in spans if span.recorded_s >= SHORTEST_NIGHT_S] or [longest]
    return nights, [span for span in spans if span not in nights]


def _noon_s(evening: date, start_time: datetime, zone: ZoneInfo | None) -> float:
    """When the noon of a date is, in seconds since the start."""
    noon = datetime.combine(evening, time(12))
    if zone is None:
        return (noon - start_time.replace(tzinfo=None)).total_seconds()
    return (noon.replace(tzinfo=zone).astimezone(UTC) - start_time).total_seconds()


def _recorded_in_windows(survey: Survey) -> FloatArray:
    """Seconds recorded in each 10-s window, shape (k,)."""
    return np.minimum(survey.window_count / survey.true_rate_hz, WINDOW_S)


def read_night(
    reader: UniformReader,
    span: NightSpan,
    calibration: Calibration,
    progress: Callable[[float], None] | None = None,
) -> Night:
    """Read one night of a recording, on the common clock and calibrated.

    Parameters
    ----------
    reader : UniformReader
        Of the recording; nights are best read in their order.
    span : NightSpan
        Which night.
    calibration : Calibration
        Of the whole recording.
    progress : callable, optional
        Called with the fraction of the night read.

    Returns
    -------
    Night
        At most 24 h at 25 Hz: 26 MB, however long the recording.
    """
    first = int(np.ceil(span.start_s * CLOCK_HZ - 1e-9))
    length = int(np.ceil(span.end_s * CLOCK_HZ - 1e-9)) - first
    acceleration = np.full((max(length, 0), 3), np.nan, np.float32)
    filled = 0
    for piece in reader.read(first, len(acceleration), progress):
        acceleration[filled : filled + len(piece)] = calibration.apply(piece)
        filled += len(piece)
    return Night(span, first, CLOCK_HZ, acceleration)
