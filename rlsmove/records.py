"""The records that pass between stages: frozen, plain, with units in their names.

Event times are whole milliseconds since the start of the recording (of the left one, where there
are two), in ``int64``: in floating seconds some exact 10-s intervals come out below 10.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.int8]
TextArray = NDArray[np.object_]

#: Side of a movement, by its code.
SIDES = ("left", "right", "bilateral", "unknown")
LEFT, RIGHT, BILATERAL, UNKNOWN_SIDE = range(4)

#: What a movement was taken for, by its code. Only the first enters the scoring as LM.
KINDS = (
    "leg_movement",
    "posture_shift",
    "gross_movement",
    "transmitted_shake",
    "tap",
    "gait",
    "machine",
)
LEG_MOVEMENT, POSTURE_SHIFT, GROSS_MOVEMENT, TRANSMITTED_SHAKE, TAP, GAIT, MACHINE = range(7)

#: Sleep stage, by its code: S is sleep of unknown stage; -1 stands for no stage at all.
STAGES = ("W", "N1", "N2", "N3", "R", "S")
WAKE, N1, N2, N3, REM, SLEEP = range(6)


@dataclass(frozen=True)
class Notice:
    """Something a reader of the result should know: a stable code and a sentence.

    Attributes
    ----------
    code : str
        Lower case with underscores, stable between versions, such as ``truncated``.
    sentence : str
        What was found, where, with its value, and what was done about it.
    """

    code: str
    sentence: str


@dataclass(frozen=True)
class Movements:
    """Movements of one leg, or of both in one table; all arrays of length n, sorted by onset.

    Attributes
    ----------
    onset_ms, duration_ms : ndarray of int64
        Start and length of each movement.
    side : ndarray of int8
        Index into `SIDES`.
    kind : ndarray of int8
        Index into `KINDS`.
    peak_g : ndarray of float64
        Largest acceleration beside gravity during the movement, in g; NaN for a bare mark.
    tilt_deg : ndarray of float64
        Largest turn away from the rest before it, in degrees; NaN for a bare mark.
    snr : ndarray of float64
        Peak of the detection signal over its threshold at that time (1 is just detected);
        NaN for a bare mark.
    probability : ndarray of float64
        How likely it is a leg movement, by what was measured of it; NaN for a bare mark.
    """

    onset_ms: IntArray
    duration_ms: IntArray
    side: CodeArray
    kind: CodeArray
    peak_g: FloatArray
    tilt_deg: FloatArray
    snr: FloatArray
    probability: FloatArray

    def __len__(self) -> int:
        return len(self.onset_ms)

    @classmethod
    def empty(cls) -> Movements:
        """A table without rows."""
        return cls.marks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))

    @classmethod
    def marks(cls, onset_ms: IntArray, duration_ms: IntArray, side: CodeArray) -> Movements:
        """Leg movements that carry no signal, such as those of an event list, sorted by onset.

        Ties are ordered by duration, then side, so that the order of the input never matters.
        """
        order = np.lexsort((side, duration_ms, onset_ms))
        blank = np.full(len(order), np.nan)
        return cls(
            onset_ms[order],
            duration_ms[order],
            side[order],
            np.full(len(order), LEG_MOVEMENT, np.int8),
            blank,
            blank,
            blank,
            blank,
        )

    @classmethod
    def concatenate(cls, *tables: Movements) -> Movements:
        """All rows of several tables, sorted by onset (ties by duration, then side)."""
        columns: dict[str, Any] = {
            field.name: np.concatenate([getattr(table, field.name) for table in tables])
            for field in fields(cls)
        }
        order = cls._order(columns)
        return cls(**{name: column[order] for name, column in columns.items()})

    @classmethod
    def concatenated_rows(cls, *tables: Movements) -> tuple[IntArray, ...]:
        """For each table, the rows of their `concatenate` that its movements stand in."""
        columns = {
            name: np.concatenate([getattr(table, name) for table in tables])
            for name in ("onset_ms", "duration_ms", "side")
        }
        rows = np.argsort(cls._order(columns))
        return tuple(np.split(rows, np.cumsum([len(table) for table in tables])[:-1]))

    @staticmethod
    def _order(columns: dict[str, Any]) -> IntArray:
        return np.lexsort((columns["side"], columns["duration_ms"], columns["onset_ms"]))

    def take(self, rows: IntArray | BoolArray) -> Movements:
        """The rows chosen by a mask or by their numbers."""
        return Movements(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Sleep:
    """Sleep and wake of one night, and where that knowledge comes from.

    Attributes
    ----------
    source : str
        ``hypnogram``, ``lights`` (lights off and on given, sleep from the sensor), ``sensor``.
    lights_off_ms, lights_on_ms : int or None
        Time in bed; None where it is not known.
    onset_ms, offset_ms : ndarray of int64, shape (k,)
        Epochs, sorted, none overlapping another. Time that no epoch covers is of unknown stage.
    stage : ndarray of int8, shape (k,)
        Index into `STAGES`.
    """

    source: str
    lights_off_ms: int | None
    lights_on_ms: int | None
    onset_ms: IntArray
    offset_ms: IntArray
    stage: CodeArray


@dataclass(frozen=True)
class Intervals:
    """Stretches of time, sorted, none overlapping another: respiratory events, arousals, gaps.

    Attributes
    ----------
    onset_ms, offset_ms : ndarray of int64, shape (k,)
        Start and end of each.
    """

    onset_ms: IntArray
    offset_ms: IntArray

    def __len__(self) -> int:
        return len(self.onset_ms)

    @classmethod
    def empty(cls) -> Intervals:
        """No stretch at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class Scoring:
    """Scored movements, a row a combined movement, rejected ones too; sorted by onset.

    Arrays of length n. In columns of 1, 0 and -1 the last stands for what is not known.

    Attributes
    ----------
    onset_ms, duration_ms : ndarray of int64
        From the first onset to the last offset of its members.
    side, kind : ndarray of int8
        Index into `SIDES` and `KINDS`.
    peak_g, tilt_deg, snr, probability : ndarray of float64
        The largest of its members, as in `Movements`.
    n_monolateral : ndarray of int64
        Movements of single legs in it.
    clm, plm : ndarray of int8
        1 for a candidate, a periodic movement; else 0.
    series : ndarray of int64
        Number of its series, from 1; 0 for none.
    imi_ms : ndarray of int64
        Interval from the onset of the candidate before; -1 where it is not measured.
    stage : ndarray of int8
        Index into `STAGES` of the epoch that holds the onset; -1 for none.
    sleep : ndarray of int8
        1 in sleep, 0 in wake, -1 unknown.
    respiratory : ndarray of int8
        1 beside a respiratory event, else 0; -1 where none were looked for.
    plmnr : ndarray of int8
        1 for what is periodic once respiratory candidates are taken out, else 0; -1 for those
        taken out, and for all where no respiratory events were looked for.
    imi_nr_ms : ndarray of int64
        As `imi_ms`, once respiratory candidates are taken out.
    arousal : ndarray of int8
        1 with an arousal, else 0; -1 where none were looked for.
    reason : ndarray of str
        Why it is no candidate, why it is not periodic, or what ended the series after it.
    row_of : ndarray of int64, shape (m,)
        For each movement that was scored, in their order, the row that it is part of; -1 where it
        was dropped because it was too short.
    n_short : int
        Leg movements, joined where they belong together, that were dropped as too short.
    """

    onset_ms: IntArray
    duration_ms: IntArray
    side: CodeArray
    kind: CodeArray
    peak_g: FloatArray
    tilt_deg: FloatArray
    snr: FloatArray
    probability: FloatArray
    n_monolateral: IntArray
    clm: CodeArray
    plm: CodeArray
    series: IntArray
    imi_ms: IntArray
    stage: CodeArray
    sleep: CodeArray
    respiratory: CodeArray
    plmnr: CodeArray
    imi_nr_ms: IntArray
    arousal: CodeArray
    reason: TextArray
    row_of: IntArray
    n_short: int

    def __len__(self) -> int:
        return len(self.onset_ms)


#: Steps of the kept signal in 1 g, and its value where nothing was recorded.
COUNTS_PER_G = 2048
MISSING_COUNT = -32768


@dataclass(frozen=True)
class LegSignal:
    """Acceleration of one leg in one night, as the detector saw it, kept to be looked at.

    Attributes
    ----------
    start_s, step_s : float
        Time of the first point and from point to point, by the clock of the first recording.
    device_step_g : float
        Step of the device's own scale, in g.
    counts : ndarray of int16, shape (n, 3)
        In steps of 1 / `COUNTS_PER_G` g; `MISSING_COUNT` where nothing was recorded.
    """

    start_s: float
    step_s: float
    device_step_g: float
    counts: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.counts)

    def acceleration(self, first: int = 0, last: int | None = None) -> NDArray[np.float32]:
        """Acceleration of points first to last (n, 3), in g; NaN where nothing was recorded."""
        counts = self.counts[first:last]
        return np.where(
            counts == MISSING_COUNT, np.float32(np.nan), counts.astype(np.float32) / COUNTS_PER_G
        )


@dataclass(frozen=True)
class DetectedLeg:
    """What was found on one leg in one night.

    Attributes
    ----------
    side : int
        Index into `SIDES`.
    movements : Movements
        As detected: nothing is joined, dropped or combined yet.
    analysable : Intervals
        Time in which a movement would have been seen.
    signal : LegSignal or None
        None where it was not kept.
    hidden : Intervals
        Time in which a machine hides what the leg does: it counts in no hours, and is no gap.
    """

    side: int
    movements: Movements
    analysable: Intervals
    signal: LegSignal | None
    hidden: Intervals = field(default_factory=Intervals.empty)


@dataclass(frozen=True)
class DetectedNight:
    """One night before scoring: everything that scoring needs.

    Attributes
    ----------
    start_time : datetime
        Wall time at which onsets count from: the start of the (left) recording.
    legs : tuple of DetectedLeg
        One, or the left and the right one in this order, on one clock where they have one.
    combined : bool
        Whether the legs are scored together: False where no common clock was found.
    sleep : Sleep or None
        Where sleep and wake come from.
    respiratory, arousals : Intervals or None
        None where none were looked for.
    """

    start_time: datetime
    legs: tuple[DetectedLeg, ...]
    combined: bool
    sleep: Sleep | None
    respiratory: Intervals | None
    arousals: Intervals | None
