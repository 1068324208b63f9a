"""What is done to the legs of a simulated sleeper: massages before bed, machines in it.

All amplitudes are judgement, from descriptions of devices: no public recording of a massage at an
ankle sensor is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlsmove.errors import SettingError

#: Massages, machines that run in bed with how their cycles keep time, and what else is felt on an
#: evening that is no massage.
MASSAGES = ("vibration", "kneading", "compression", "manual")
MACHINES = ("sleeve", "pad")
CLOCKS = ("steady", "stops", "drift", "jitter", "free")
ACTIVITIES = ("jiggling", "rubbing", "stretching", "walking", "car")


@dataclass(frozen=True)
class Treatment:
    """What one night's legs go through besides their own movements.

    Attributes
    ----------
    evening_min : float
        Minutes that the recording starts earlier, before lights off.
    massages : tuple of str
        Sessions of the evening, of `MASSAGES`.
    minutes : float or None
        Length of each session; drawn between 5 and 30 without it.
    legs : str
        ``left``, ``right`` or ``both``, or ``drawn``: both in seven sessions of ten.
    sensor_off : bool
        The sensors are taken off for the massages.
    activities : tuple of str
        What else happens in the evening, of `ACTIVITIES`.
    machine : str
        What runs in bed: one of `MACHINES`, or nothing.
    clock : str
        How its cycles keep time: ``steady`` from lights off to lights on; ``stops`` after a part
        of the night; ``drift``: the period changes by 0.1 % over the night; ``jitter``: each cycle
        is off by 1 % of a period; ``free``: each period differs by 2 %, adding up.
    period_s : float or None
        Length of a cycle; drawn between 20 and 75 s without it.
    """

    evening_min: float = 0.0
    massages: tuple[str, ...] = ()
    minutes: float | None = None
    legs: str = "drawn"
    sensor_off: bool = False
    activities: tuple[str, ...] = ()
    machine: str = ""
    clock: str = "steady"
    period_s: float | None = None


#: A night without any.
UNTREATED = Treatment()

#: An evening holds its sessions, at least this long each, the time between them, and the way to
#: bed.
_SESSION_MIN, _REST_MIN = 20.0, 15.0


def evening_needed_min(massages: tuple[str, ...], activities: tuple[str, ...]) -> float:
    """Minutes before lights off that so many sessions of usual length take."""
    sessions = len(massages) + len(activities)
    return _REST_MIN + sessions * _SESSION_MIN if sessions else 0.0


def check_treatment(treatment: Treatment) -> None:
    """Refuse a treatment that cannot be.

    Raises
    ------
    SettingError
        The first value that is not one of those there are, or an evening too short for it.
    """
    for what, names, known in (
        ("massage", treatment.massages, MASSAGES),
        ("activity", treatment.activities, ACTIVITIES),
        ("machine", (treatment.machine,) if treatment.machine else (), MACHINES),
        ("clock", (treatment.clock,), CLOCKS),
        ("legs", (treatment.legs,), ("left", "right", "both", "drawn")),
    ):
        for name in names:
            if name not in known:
                raise SettingError("", f"{what} {name!r}", expected="one of " + ", ".join(known))
    needed = evening_needed_min(treatment.massages, treatment.activities)
    if not needed <= treatment.evening_min <= 360.0:
        raise SettingError(
            "", f"evening_min is {treatment.evening_min:g}", expected=f"{needed:g} to 360"
        )
    if treatment.period_s is not None and not 5.0 <= treatment.period_s <= 300.0:
        raise SettingError("", f"period_s is {treatment.period_s:g}", expected="5 to 300")


@dataclass(frozen=True)
class Session:
    """One massage, activity or machine at work: the truth about it.

    Attributes
    ----------
    kind : str
        Of `MASSAGES` or `ACTIVITIES`; what runs in bed is a compression or a vibration.
    start_s, end_s : float
        When, on the true clock.
    legs : tuple of int
        Legs it is done to.
    frequency_hz : float or None
        Of the line that a motor makes, or the rate of strokes.
    period_s : float or None
        Of a cycle.
    clock : str
        For what runs in bed, how its cycles keep time; empty for an evening's session.
    """

    kind: str
    start_s: float
    end_s: float
    legs: tuple[int, ...]
    frequency_hz: float | None = None
    period_s: float | None = None
    clock: str = ""

    @property
    def is_massage(self) -> bool:
        """Whether it is one, or looks like one only."""
        return self.kind in MASSAGES
