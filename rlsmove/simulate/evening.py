"""When massages, other doings of the evening and machines in bed take place."""

from __future__ import annotations

import numpy as np

from rlsmove.records import LEFT, RIGHT, Sleep
from rlsmove.simulate.treatment import Session, Treatment

#: Sessions start this long after the recording, and end this long before lights off: the way to
#: bed lies there.
_FIRST_S, _LAST_S = 60.0, 480.0
#: Length of a session where none is given, in minutes.
_MINUTES = (5.0, 30.0)
#: Share of the evening that sessions may fill.
_MOST = 0.8


def plan_sessions(treatment: Treatment, sleep: Sleep, rng: np.random.Generator) -> list[Session]:
    """Draw the times of all sessions of a night.

    Parameters
    ----------
    treatment : Treatment
        What there is.
    sleep : Sleep
        With lights off and lights on.
    rng : Generator
        Source of chance.

    Returns
    -------
    list of Session
        By start; those of the evening do not overlap. What a machine's cycles are is drawn later.
    """
    lights_off_s = (sleep.lights_off_ms or 0) / 1000
    lights_on_s = (sleep.lights_on_ms or 0) / 1000
    sessions = []
    names = [str(name) for name in rng.permutation([*treatment.massages, *treatment.activities])]
    if names:
        room_s = lights_off_s - _LAST_S - _FIRST_S
        minutes = np.array([treatment.minutes or rng.uniform(*_MINUTES) for _ in names])
        lengths_s = 60 * minutes * min(1.0, _MOST * room_s / (60 * minutes.sum()))
        pauses_s = (room_s - lengths_s.sum()) * rng.dirichlet(np.full(len(names) + 1, 2.0))
        at = float(_FIRST_S)
        for name, length_s, pause_s in zip(
            names, lengths_s.tolist(), pauses_s.tolist(), strict=False
        ):
            at += pause_s
            legs = _legs(treatment.legs, rng) if name in treatment.massages else (LEFT, RIGHT)
            sessions.append(Session(name, at, at + length_s, legs))
            at += length_s
    if treatment.machine:
        kind = "compression" if treatment.machine == "sleeve" else "vibration"
        start_s = lights_off_s + rng.uniform(0.0, 0.05) * (lights_on_s - lights_off_s)
        end_s = lights_on_s
        if treatment.clock == "stops":
            end_s = start_s + rng.uniform(0.3, 0.7) * (end_s - start_s)
        legs = _legs(treatment.legs, rng)
        sessions.append(
            Session(kind, start_s, end_s, legs, period_s=treatment.period_s, clock=treatment.clock)
        )
    return sessions


def _legs(legs: str, rng: np.random.Generator) -> tuple[int, ...]:
    if legs == "drawn":
        legs = str(rng.choice(["both", "left", "right"], p=[0.7, 0.15, 0.15]))
    return {"both": (LEFT, RIGHT), "left": (LEFT,), "right": (RIGHT,)}[legs]
