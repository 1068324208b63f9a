"""One night as its pictures and tables need it, whatever its folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.records import SIDES, DetectedNight, FloatArray, Intervals, LegSignal, Scoring, Sleep
from rlsmove.results.movements_csv import MOVEMENTS_FILE, read_movements
from rlsmove.review import NightFolder
from rlsmove.rules import RuleSet
from rlsmove.scoring import night_tables
from rlsmove.scoring.detected_legs import counted_legs, covered_time
from rlsmove.scoring.intervals import complement
from rlsmove.signal.kept_signal import signal_strength

#: Bin of the envelope and of the posture in the picture of a whole night.
BIN_S = 30.0


@dataclass(frozen=True)
class LegTrace:
    """What the picture of a whole night shows of one leg, a value for each bin.

    Attributes
    ----------
    side : str
        ``left``, ``right`` or ``unknown``.
    signal : LegSignal
        The signal itself.
    time_s : ndarray of float64, shape (b,)
        Middle of each bin.
    strength : ndarray of float32, shape (b,)
        Largest movement signal over its threshold; NaN where nothing was recorded.
    turn_deg : ndarray of float64, shape (b,)
        Angle from the leg's usual position, in degrees.
    """

    side: str
    signal: LegSignal
    time_s: FloatArray
    strength: NDArray[np.float32]
    turn_deg: FloatArray


@dataclass(frozen=True)
class NightFacts:
    """One night for its report.

    Attributes
    ----------
    folder : NightFolder
        Where it comes from.
    start_time : datetime or None
        Wall time at which onsets count from.
    scoring : Scoring
        Movements, with edits if there are any.
    indices, tables : dict
        As in night.json, with edits if there are any.
    rules : RuleSet
        What it was scored by.
    detected : DetectedNight or None
        The night before scoring, with edits; None where it was not kept.
    analysable : Intervals or None
        Time that the indices count in.
    traces : tuple of LegTrace
        Of the legs whose signal there is.
    span_s : tuple of float
        What the pictures show, from and to.
    simulated : bool
        Whether the recording was.
    """

    folder: NightFolder
    start_time: datetime | None
    scoring: Scoring
    indices: dict[str, Any]
    tables: dict[str, Any]
    rules: RuleSet
    detected: DetectedNight | None
    analysable: Intervals | None
    traces: tuple[LegTrace, ...]
    span_s: tuple[float, float]
    simulated: bool

    @property
    def sleep(self) -> Sleep | None:
        """Where sleep and wake come from, as far as the epochs were kept."""
        return self.detected.sleep if self.detected else None

    @property
    def lights_s(self) -> tuple[float | None, float | None]:
        """Lights off and on."""
        sleep = self.folder.record["sleep"]
        return sleep.get("lights_off_s"), sleep.get("lights_on_s")

    @property
    def missing(self) -> Intervals:
        """Time within the pictures that was not recorded, or the device not worn in."""
        if self.detected is None:
            return Intervals.empty()
        start_ms, end_ms = (round(1000 * moment) for moment in self.span_s)
        return complement(covered_time(counted_legs(self.detected)), start_ms, end_ms)

    @property
    def massage(self) -> list[dict[str, Any]] | None:
        """Massages that the sensor shows; None where none could have been seen."""
        massage: list[dict[str, Any]] | None = self.folder.record.get("massage")
        return massage

    def clock(self, time_s: float) -> str:
        """Say a moment by the wall clock, or by hours since the start where that is not known."""
        if self.start_time is None:
            return f"{time_s / 3600:.2f} h"
        return f"{self.start_time + timedelta(seconds=time_s):%H:%M:%S}"


def night_facts(folder: NightFolder, signals: dict[int, LegSignal] | None = None) -> NightFacts:
    """Put together what the report of a night shows.

    Parameters
    ----------
    folder : NightFolder
        Opened with its signal, where there is one.
    signals : dict of int to LegSignal, optional
        Signals of the legs, by side, where the folder itself has none.
    """
    record = folder.record
    detected = folder.reviewed.night if folder.reviewed else None
    tables = record.get("tables") or {}
    if folder.scored is not None and detected is not None:
        scoring, analysable = folder.scored.scoring, folder.scored.analysable
        tables = night_tables(
            scoring,
            sleep=detected.sleep,
            analysable=analysable,
            rules=folder.rules,
            respiratory=detected.respiratory,
            arousals=detected.arousals,
            start_time=detected.start_time,
        )
    else:
        scoring, analysable = read_movements(folder.path / MOVEMENTS_FILE)[""].scoring, None
    traces = []
    for leg in detected.legs if detected else ():
        signal = leg.signal or (signals or {}).get(leg.side)
        if signal is not None and len(signal):
            traces.append(_trace(SIDES[leg.side], signal))
    return NightFacts(
        folder=folder,
        start_time=_start_time(record, detected),
        scoring=scoring,
        indices=folder.indices,
        tables=tables,
        rules=folder.rules,
        detected=detected,
        analysable=analysable,
        traces=tuple(traces),
        span_s=_span_s(record, scoring, analysable),
        simulated=bool(record.get("simulated")),
    )


def _start_time(record: dict[str, Any], detected: DetectedNight | None) -> datetime | None:
    if detected is not None:
        return detected.start_time
    clock = record["recording"].get("clock") or {}
    text = clock.get("start_time") or record["recording"].get("start_time")
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None


def _span_s(
    record: dict[str, Any], scoring: Scoring, analysable: Intervals | None
) -> tuple[float, float]:
    """From lights off to lights on and a little beyond, or else all that there is."""
    sleep = record["sleep"]
    off_s, on_s = sleep.get("lights_off_s"), sleep.get("lights_on_s")
    begins = [] if analysable is None else (analysable.onset_ms[:1] / 1000).tolist()
    ends = [] if analysable is None else (analysable.offset_ms[-1:] / 1000).tolist()
    begins += (scoring.onset_ms[:1] / 1000).tolist()
    if len(scoring):
        ends.append(float(np.max(scoring.onset_ms + scoring.duration_ms)) / 1000)
    first, last = min(begins, default=0.0), max(ends, default=3600.0)
    if off_s is not None and on_s is not None:
        # A recording of a whole day is mostly not the night.
        first = min(max(first, off_s - 1800), off_s)
        last = max(min(last, on_s + 1800), on_s)
    return first, max(last, first + 60)


def _trace(side: str, signal: LegSignal) -> LegTrace:
    per_bin = round(BIN_S / signal.step_s)
    strength = signal_strength(signal)
    starts = np.arange(0, len(signal), per_bin)
    acceleration = signal.acceleration()
    recorded = ~np.isnan(acceleration[:, 0])
    count = np.add.reduceat(recorded.astype(np.int64), starts)
    rows = np.where(recorded[:, None], acceleration, 0.0)
    mean = np.add.reduceat(rows, starts, axis=0) / np.maximum(count, 1)[:, None]
    mean[count == 0] = np.nan
    strongest = np.maximum.reduceat(np.nan_to_num(strength, nan=-1.0), starts)
    return LegTrace(
        side=side,
        signal=signal,
        time_s=np.asarray(signal.start_s + (starts + per_bin / 2) * signal.step_s, np.float64),
        strength=np.where(count > 0, strongest, np.nan).astype(np.float32),
        turn_deg=_turn_deg(mean),
    )


def _turn_deg(mean_g: FloatArray) -> FloatArray:
    """Angle of each vector (b, 3) from the median one, in degrees; NaN where there is none."""
    if np.all(np.isnan(mean_g[:, 0])):
        return np.full(len(mean_g), np.nan)
    usual = np.nanmedian(mean_g, axis=0)
    length = np.linalg.norm(mean_g, axis=1) * np.linalg.norm(usual)
    cosine = mean_g @ usual / np.where(length > 0, length, np.nan)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
