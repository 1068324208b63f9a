"""One night as the indices see it: hours in bed, asleep and awake, and what fell in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rlsmove.records import N1, REM, STAGES, WAKE, BoolArray, IntArray, Intervals, Scoring, Sleep
from rlsmove.rules import RuleSet
from rlsmove.scoring.deciding_moment import deciding_ms
from rlsmove.scoring.intervals import holding, intersection, total_ms, union

MS_PER_HOUR = 3_600_000
MS_PER_MIN = 60_000

#: With less sleep than this estimated from the sensor there is no rate per hour of sleep: a few
#: minutes that a short series fell into gave 88 per hour.
LEAST_SENSOR_SLEEP_HOURS = 1.0

#: Parts of the night that a table may be asked for, and the stages in each; TIB is all of it.
PARTS = {
    "TIB": None,
    "TST": tuple(range(N1, len(STAGES))),
    "W": (WAKE,),
    "N1": (N1,),
    "N2": (N1 + 1,),
    "N3": (N1 + 2,),
    "R": (REM,),
    "NREM": tuple(range(N1, REM)),
}


@dataclass(frozen=True)
class NightHours:
    """The hours of one night and the movements in them.

    Attributes
    ----------
    scoring : Scoring
        The night's movements.
    sleep : Sleep or None
        Stages and time in bed, as far as they are known.
    analysable : Intervals
        Time in which a movement would have been seen.
    rules : RuleSet
        What the movements were scored by.
    from_signal : bool
        Whether the movements come from a signal, so that posture shifts were looked for.
    """

    scoring: Scoring
    sleep: Sleep | None
    analysable: Intervals
    rules: RuleSet
    from_signal: bool = True

    @cached_property
    def bed(self) -> Intervals | None:
        """From lights off to lights on; None where that is not known."""
        sleep = self.sleep
        if sleep is None or sleep.lights_off_ms is None or sleep.lights_on_ms is None:
            return None
        return Intervals(
            np.array([sleep.lights_off_ms], np.int64), np.array([sleep.lights_on_ms], np.int64)
        )

    @cached_property
    def knows_sleep(self) -> bool:
        """Whether any stage is known."""
        return self.sleep is not None and len(self.sleep.stage) > 0

    def staged(self, stages: tuple[int, ...]) -> Intervals:
        """Time in bed in the given stages, whether or not it can be analyzed."""
        if self.sleep is None:
            return Intervals.empty()
        rows = np.isin(self.sleep.stage, stages)
        epochs = union(self.sleep.onset_ms[rows], self.sleep.offset_ms[rows])
        return epochs if self.bed is None else intersection(epochs, self.bed)

    @cached_property
    def parts(self) -> dict[str, Intervals | None]:
        """Analyzable time of each of `PARTS`; None where it is not known.

        Wake is counted from lights off to lights on, so it is not known without them.
        """
        parts: dict[str, Intervals | None] = {}
        for name, stages in PARTS.items():
            if stages is None:
                known = self.bed
            elif not self.knows_sleep or (name == "W" and self.bed is None):
                known = None
            else:
                known = self.staged(stages)
            parts[name] = None if known is None else intersection(known, self.analysable)
        return parts

    def hours(self, part: str) -> float | None:
        """Analyzable hours of a part; None where it is not known."""
        time = self.parts[part]
        return None if time is None else total_ms(time) / MS_PER_HOUR

    def rate_hours(self, part: str) -> float | None:
        """The hours that a rate is over; None where the sensor alone saw too little sleep."""
        hours = self.hours(part)
        short = hours is None or hours < LEAST_SENSOR_SLEEP_HOURS
        return None if short and part == "TST" and not self.has_hypnogram else hours

    @property
    def has_hypnogram(self) -> bool:
        """Whether sleep comes from stages that were scored, not from the sensor."""
        return self.sleep is not None and self.sleep.source == "hypnogram"

    def within(self, part: str) -> BoolArray | None:
        """Which movements count in a part, by their onset as a rule; None where it is not known."""
        time = self.parts[part]
        return None if time is None else holding(time, self.moment_ms) >= 0

    @cached_property
    def moment_ms(self) -> IntArray:
        """Moment of each movement that decides in which part it counts."""
        onset_ms = self.scoring.onset_ms
        return deciding_ms(onset_ms, onset_ms + self.scoring.duration_ms, self.sleep, self.rules)

    @cached_property
    def counted(self) -> BoolArray:
        """Movements of the night: those in bed, or all analyzable ones where that is not known."""
        in_bed = self.within("TIB")
        if in_bed is not None:
            return in_bed
        return holding(self.analysable, self.scoring.onset_ms) >= 0

    @cached_property
    def sleep_span_ms(self) -> tuple[int, int] | None:
        """Start of the first and end of the last sleep in bed; None without sleep."""
        asleep = self.staged(PARTS["TST"] or ())
        if not len(asleep):
            return None
        return int(asleep.onset_ms[0]), int(asleep.offset_ms[-1])

    @cached_property
    def plm_interval_ms(self) -> IntArray:
        """Intervals within the series of the night, from each periodic movement to the next."""
        rows = np.flatnonzero((self.scoring.plm == 1) & self.counted)
        same = np.diff(self.scoring.series[rows], prepend=0) == 0
        return self.scoring.imi_ms[rows[same]]
