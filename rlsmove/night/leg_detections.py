"""What each leg shows in one night, on the clock of the first recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from rlsmove.errors import SettingError
from rlsmove.massage.leg_massage import LegMassage, massage_of_leg
from rlsmove.massage.machine_cycles import Clock
from rlsmove.massage.machine_movements import machine_windows, mark_machine
from rlsmove.movements import detect_leg_movements
from rlsmove.movements.common_clock import CommonClock
from rlsmove.movements.given_detector import Detector, LegNight, movements_by
from rlsmove.night.opened_leg import Leg, Progress
from rlsmove.records import SIDES, DetectedLeg, Intervals, LegSignal
from rlsmove.scoring.intervals import complement, union
from rlsmove.scoring.threshold_range import at_threshold
from rlsmove.signal.kept_signal import kept_signal, on_other_clock
from rlsmove.signal.nights import read_night


@dataclass(frozen=True)
class LegFindings:
    """What one leg shows in one night.

    Attributes
    ----------
    as_detected : DetectedLeg
        Its movements as the detector takes them, whoever made them.
    massage : LegMassage
        What a massage or a machine did there.
    """

    as_detected: DetectedLeg
    massage: LegMassage

    def without(self, clocks: Sequence[Clock]) -> DetectedLeg:
        """The leg with the movements on some clocks marked as a machine's."""
        return replace(
            self.as_detected,
            movements=mark_machine(self.as_detected.movements, clocks),
            hidden=machine_windows(clocks),
        )

    @property
    def detected(self) -> DetectedLeg:
        """The leg without what is sure to be a machine's."""
        return self.without(self.massage.machine)


def detect_leg(
    leg: Leg,
    evening: date,
    start_time: datetime,
    *,
    threshold: float | None = None,
    detector: Detector | None = None,
    keep_signal: bool = False,
    progress: Progress | None = None,
) -> LegFindings:
    """Find the movements of one leg in one night, and what a massage or a machine did there.

    Parameters
    ----------
    leg : Leg
        A recording that holds the night.
    evening : date
        Date of the noon at which the night begins.
    start_time : datetime
        Wall time that onsets count from.
    threshold : float, optional
        Probability from which on a movement is a leg movement; the detector's own by default.
    detector : callable, optional
        In the place of rlsmove's own, see `movements.given_detector`.
    keep_signal : bool
        Whether the signal is kept too.
    progress : callable, optional
        Called with the fraction of the recording read.
    """
    span = leg.span_of(evening)
    assert span is not None
    night = read_night(leg.reader, span, leg.calibration, progress)
    later_s = _later_s(leg, start_time)
    if detector is None:
        movements = detect_leg_movements(night, side=leg.side, step_g=leg.survey.step_g)
    else:
        movements = movements_by(detector, LegNight(night.acceleration, night.fs, SIDES[leg.side]))
        first_ms = round(1000 * night.first / night.fs)
        movements = replace(movements, onset_ms=movements.onset_ms + first_ms)
    if threshold is not None:
        movements = at_threshold(movements, threshold)
    signal = None
    if keep_signal:
        signal = kept_signal(night, step_g=leg.survey.step_g, later_s=later_s)
    return LegFindings(
        DetectedLeg(
            side=leg.side,
            movements=replace(movements, onset_ms=movements.onset_ms + round(1000 * later_s)),
            analysable=_worn(leg, evening, start_time),
            signal=signal,
        ),
        massage_of_leg(night, leg.spectra, step_g=leg.survey.step_g, later_s=later_s),
    )


def on_left_clock(right: LegFindings, clock: CommonClock) -> LegFindings:
    """Put what the right leg shows on the clock of the left one."""
    leg = right.as_detected
    signal = leg.signal
    if signal is not None:
        signal = on_other_clock(signal, clock.offset_s, clock.drift_ppm)
    return LegFindings(
        replace(
            leg,
            movements=clock.on_left_clock(leg.movements),
            analysable=clock.intervals_on_first_clock(leg.analysable),
            signal=signal,
        ),
        right.massage.on_left_clock(clock.offset_s, clock.drift_ppm),
    )


def leg_signal(
    leg: Leg, evening: date, start_time: datetime, progress: Progress | None = None
) -> LegSignal:
    """Read the signal of one leg in one night, as `detect_leg` keeps it.

    Parameters
    ----------
    leg : Leg
        A recording that holds the night.
    evening : date
        Date of the noon at which the night begins.
    start_time : datetime
        Wall time that moments count from.
    progress : callable, optional
        Called with the fraction of the recording read.

    Raises
    ------
    SettingError
        The recording holds nothing of the night.
    """
    span = leg.span_of(evening)
    if span is None:
        raise SettingError(leg.recording.path, f"no night of {evening}")
    night = read_night(leg.reader, span, leg.calibration, progress)
    return kept_signal(night, step_g=leg.survey.step_g, later_s=_later_s(leg, start_time))


def _later_s(leg: Leg, start_time: datetime) -> float:
    """How much later than the first recording this one starts, by the devices' own clocks."""
    own = leg.recording.start_time
    if own.tzinfo is None or start_time.tzinfo is None:
        own, start_time = own.replace(tzinfo=None), start_time.replace(tzinfo=None)
    return (own - start_time).total_seconds()


def _worn(leg: Leg, evening: date, start_time: datetime) -> Intervals:
    """When one leg's device was worn and recorded in one night, on the first recording's clock."""
    span = leg.span_of(evening)
    assert span is not None
    survey = leg.survey
    missing_s = np.concatenate(
        [np.stack([survey.gap_start_s, survey.gap_end_s], axis=1), leg.nonwear_s]
    )
    later_s = _later_s(leg, start_time)
    start_ms, end_ms = (round(1000 * (moment + later_s)) for moment in (span.start_s, span.end_s))
    missing_ms = np.round(1000 * (missing_s + later_s)).astype(np.int64)
    return complement(union(missing_ms[:, 0], missing_ms[:, 1]), start_ms, end_ms)
