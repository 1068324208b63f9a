"""The massages of a night from what its legs show, or that none could have been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlsmove.massage.leg_massage import LegMassage
from rlsmove.massage.machine_cycles import Clock
from rlsmove.massage.sessions import COMPRESSION, Session
from rlsmove.records import Intervals, Sleep
from rlsmove.scoring.intervals import intersection, total_ms

#: The evening: massages are taken in these minutes before lights off, or the sensor cannot say
#: whether there was one. It can where it was worn for at least this share of them.
EVENING_MIN = 60
WORN_SHARE = 0.5

#: Sessions of the two legs are one where they share this much of the shorter.
SHARED = 0.5


@dataclass(frozen=True)
class MassageSession:
    """One massage, of one leg or both.

    Attributes
    ----------
    session : Session
        What it was; times from the start of the first recording.
    legs : tuple of str
        Whose sensor shows it.
    before_lights_off_min : float or None
        Minutes from its end to lights off; None where it lies in bed or lights off are not known.
    """

    session: Session
    legs: tuple[str, ...]
    before_lights_off_min: float | None

    def as_record(self) -> dict[str, object]:
        """Put it into plain values, by the names of night.json."""
        session = self.session
        return {
            "start_s": session.start_s,
            "end_s": session.end_s,
            "minutes": (session.end_s - session.start_s) / 60,
            "kind": session.kind,
            "legs": list(self.legs),
            "frequency_hz": session.frequency_hz,
            "aliased": session.aliased if session.frequency_hz is not None else None,
            "period_s": session.period_s,
            "intensity_g": session.intensity_g,
            "before_lights_off_min": self.before_lights_off_min,
            "confidence": session.confidence,
        }


def massage_of_night(
    legs: Sequence[tuple[str, LegMassage]], sleep: Sleep | None, worn: Intervals
) -> list[MassageSession] | None:
    """Put together what the legs show.

    Parameters
    ----------
    legs : sequence of (str, LegMassage)
        Side of each leg, and what it shows, on one clock.
    sleep : Sleep or None
        For lights off and on.
    worn : Intervals
        When any leg was recorded and worn.

    Returns
    -------
    list of MassageSession or None
        By start; empty where none was seen, None where none could have been: the hour before
        lights off was not recorded, or the device not worn in it, and nothing was seen in bed.
    """
    off_ms = None if sleep is None else sleep.lights_off_ms
    off_s = None if off_ms is None else off_ms / 1000
    found: list[MassageSession] = []
    for side, leg in legs:
        for session in _of_leg(leg, off_s):
            same = next((row for row, one in enumerate(found) if _is_same(one, session)), None)
            if same is None:
                found.append(MassageSession(session, (side,), None))
            else:
                found[same] = replace(
                    found[same],
                    session=_joined(found[same].session, session),
                    legs=tuple(dict.fromkeys((*found[same].legs, side))),
                )
    found = [
        replace(
            one,
            before_lights_off_min=None
            if off_s is None or one.session.start_s >= off_s
            else max(off_s - one.session.end_s, 0.0) / 60,
        )
        for one in found
    ]
    if not found and not _evening_seen(off_ms, worn):
        return None
    return sorted(found, key=lambda one: one.session.start_s)


def _of_leg(leg: LegMassage, off_s: float | None) -> list[Session]:
    """Sessions of one leg: in bed a clock has to be sure to be a machine's."""
    evening = [
        one
        for one in leg.sessions
        if one.kind != COMPRESSION or (off_s is not None and one.start_s < off_s - 60)
    ]
    bed = [
        one
        for one in _machine_sessions(leg.machine)
        if all(min(one.end_s, other.end_s) <= max(one.start_s, other.start_s) for other in evening)
    ]
    return evening + bed


def _machine_sessions(clocks: Sequence[Clock]) -> list[Session]:
    """One session for all clocks of a machine: both edges of its cycles, before and after stops."""
    if not clocks:
        return []
    longest = max(clocks, key=len)
    start_s = min(float(clock.time_s[0]) for clock in clocks)
    end_s = max(float(clock.time_s[-1]) for clock in clocks)
    return [
        Session(
            kind=COMPRESSION,
            start_s=start_s,
            end_s=end_s + longest.period_s,
            frequency_hz=None,
            aliased=False,
            period_s=longest.period_s,
            intensity_g=longest.strength_g,
            confidence=float(np.clip(longest.alike, 0.0, 1.0)),
        )
    ]


def _is_same(one: MassageSession, session: Session) -> bool:
    known = one.session
    shared = min(known.end_s, session.end_s) - max(known.start_s, session.start_s)
    shorter = min(known.end_s - known.start_s, session.end_s - session.start_s)
    return shared > SHARED * shorter


def _joined(one: Session, other: Session) -> Session:
    """What both legs show of one massage: as the surer one says, as long as either."""
    surer = max(one, other, key=lambda session: session.confidence)
    return replace(
        surer,
        start_s=min(one.start_s, other.start_s),
        end_s=max(one.end_s, other.end_s),
        intensity_g=max(one.intensity_g, other.intensity_g),
    )


def _evening_seen(off_ms: int | None, worn: Intervals) -> bool:
    if off_ms is None:
        return False
    evening = Intervals(
        np.array([off_ms - 60_000 * EVENING_MIN], np.int64), np.array([off_ms], np.int64)
    )
    return total_ms(intersection(worn, evening)) >= WORN_SHARE * total_ms(evening)
