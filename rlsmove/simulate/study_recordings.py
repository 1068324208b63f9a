"""A study folder of simulated persons: recordings of every night and leg, diary, plan and truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.errors import SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.records import SIDES
from rlsmove.simulate.files import true_counts, truth_files, write_leg
from rlsmove.simulate.night import SimulatedNight, simulate_night
from rlsmove.simulate.scenarios import DEVICES, NightParameters, check_parameters
from rlsmove.simulate.treatment import Treatment
from rlsmove.study.folder import about_study, read_study, write_study
from rlsmove.study.plan import freeze_plan, plan_content
from rlsmove.study.scheme import draw_nights, make_scheme, person_key

#: Persons differ log-normally around this median of periodic movements per hour.
_PLM_MEDIAN, _PLM_LN_SD = 30.0, 0.5
#: The same person differs from night to night by this much on the log scale.
_NIGHT_LN_SD = 0.3
#: What a diary calls each way of massage.
_TECHNIQUES = {
    "vibration": "vibration",
    "kneading": "deep_tissue",
    "compression": "compression",
    "manual": "effleurage",
}
#: A night in March, clear of every change of the clocks.
_FIRST_NIGHT = date(2026, 3, 2)
_ARMS = ("massage", "control")
_SCENARIO = "study"


@dataclass(frozen=True)
class StudyParameters:
    """What a simulated study is made of.

    Attributes
    ----------
    persons, nights : int
        Persons, and nights of each: pairs of a massage and a control night in random order.
    effect : float
        Ratio of the rates of leg movements, massage over control.
    night : NightParameters
        What all nights share.
    evening_min : float
        Minutes recorded before lights off, with the massages of massage nights in the signal; 0
        is none: then only the diary knows of them.
    """

    persons: int
    nights: int
    effect: float
    night: NightParameters
    evening_min: float = 0.0


def write_simulated_study(
    parameters: StudyParameters,
    out_dir: str | Path,
    *,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write a study folder of simulated persons, with its plan frozen.

    Parameters
    ----------
    parameters : StudyParameters
        How large the study is and what the massage does.
    out_dir : str or Path
        A folder that does not exist yet, or an empty one.
    seed : int
        Of all chance: the same seed and parameters give the same bytes.
    progress : callable, optional
        Called with the fraction of the nights written.

    Raises
    ------
    SettingError
        A parameter is out of its bounds.
    StudyError
        The folder holds something already.
    OutputError
        A file cannot be written.

    Notes
    -----
    Beside the study's own files, ``truth/`` holds the hypnogram and the movements of each night,
    and ``truth/truth.json`` each person's base rate and the effect. ``study.json`` is written
    last, so that a folder left half made is no study.
    """
    out_dir = Path(out_dir)
    _check(parameters)
    if out_dir.is_file() or (out_dir.is_dir() and any(out_dir.iterdir())):
        raise StudyError(
            out_dir, "something is there already", expected="a folder that is new or empty"
        )
    scheme = make_scheme("pairs", _ARMS, parameters.nights)
    first_nights = {
        # Persons start a day apart.
        f"sim-{number + 1:02d}": _FIRST_NIGHT + timedelta(days=number)
        for number in range(parameters.persons)
    }
    schedules = {
        person: draw_nights(scheme, person_key("", person, seed, 1), first)
        for person, first in first_nights.items()
    }
    nights: list[dict[str, Any]] = []
    recordings: list[dict[str, Any]] = []
    truth: dict[str, Any] = {}
    device = f"simulated {DEVICES[parameters.night.device].name}"
    for number, (person, schedule) in enumerate(schedules.items()):
        rng = np.random.default_rng([seed, number])
        base = float(np.clip(rng.lognormal(np.log(_PLM_MEDIAN), _PLM_LN_SD), 8.0, 90.0))
        # Everybody has one way of massage; a generator of its own leaves the nights as they are.
        kind = str(np.random.default_rng([seed, number, 1]).choice(list(_TECHNIQUES)))
        truth[person] = {"plm_per_hour": round(base, 3), "effect": parameters.effect, "nights": {}}
        for order, slot in enumerate(schedule):
            night = _night(parameters, slot, base, kind, rng)
            stem = f"{person}_{slot['night']}"
            for side in night.sensors:
                file = f"raw/{stem}_{side}.h5"
                write_leg(night, side, out_dir / file, scenario=_SCENARIO)
                recordings.append(
                    {
                        "participant_id": person,
                        "file": file,
                        "leg": side,
                        "placement": "ankle",
                        "device": device,
                        "clock": "UTC",
                    }
                )
            write_files(truth_files(night, out_dir / "truth" / stem, scenario=_SCENARIO))
            truth[person]["nights"][slot["night"]] = {
                "condition": slot["arm"],
                **true_counts(night, night.truth.leg_movements),
            }
            nights.append(_diary(person, slot, night, rng))
            if progress is not None:
                done = number * parameters.nights + order + 1
                progress(done / (parameters.persons * parameters.nights))
    about = about_study(
        "simulated",
        title="Simulated nights with and without massage; no person was recorded",
        simulated=True,
    )
    people = [
        {"participant_id": person, "first_night": first.isoformat()}
        for person, first in first_nights.items()
    ]
    tables = {"participants.tsv": people, "nights.tsv": nights, "recordings.tsv": recordings}
    summary = {"simulated": True, "seed": seed, "participants": truth}
    write_study(out_dir, about, tables, others={"truth/truth.json": json_text(summary)})
    (out_dir / "derived").mkdir(exist_ok=True)
    study = read_study(out_dir)
    freeze_plan(study, plan_content(study, scheme, seed, first_nights, {}, draw_version=1))


def _check(parameters: StudyParameters) -> None:
    bounds = {"persons": (1, 500), "nights": (2, 200), "effect": (0.05, 3.0)}
    for name, (low, high) in bounds.items():
        value = getattr(parameters, name)
        if not low <= value <= high:
            raise SettingError("", f"{name} is {value:g}", expected=f"{low:g} to {high:g}")
    hours = parameters.night.hours + parameters.evening_min / 60
    check_parameters(
        replace(
            parameters.night, hours=hours, treatment=_massage(parameters, next(iter(_TECHNIQUES)))
        )
    )


def _massage(parameters: StudyParameters, kind: str) -> Treatment:
    """The evening of a massage night."""
    massages = (kind,) if parameters.evening_min else ()
    return Treatment(evening_min=parameters.evening_min, massages=massages)


def _night(
    parameters: StudyParameters,
    slot: dict[str, Any],
    base: float,
    kind: str,
    rng: np.random.Generator,
) -> SimulatedNight:
    """One night of one person: their own rate, the night's, the arm's, and its massage."""
    evening = date.fromisoformat(slot["night"])
    start = datetime.combine(evening, time(22, 0)) + timedelta(minutes=int(rng.integers(0, 60)))
    start -= timedelta(minutes=parameters.evening_min)
    massaged = slot["arm"] == "massage"
    evening_of = _massage(parameters, kind) if massaged else Treatment(parameters.evening_min)
    night_factor = float(rng.lognormal(0.0, _NIGHT_LN_SD))
    drawn = replace(
        parameters.night,
        start_time=start,
        plm_per_hour=base,
        rate_ratio=night_factor * (parameters.effect if massaged else 1.0),
        hours=parameters.night.hours + parameters.evening_min / 60,
        treatment=evening_of,
    )
    return simulate_night(drawn, int(rng.integers(2**31)))


def _as_felt(night: SimulatedNight) -> dict[str, Any]:
    """What a diary says of a massage that is in the signal."""
    session = night.treated[0].session
    start = night.parameters.start_time + timedelta(seconds=session.start_s)
    return {
        "massage_start": f"{start:%H:%M}",
        "massage_min": round((session.end_s - session.start_s) / 60),
        "technique": _TECHNIQUES[session.kind],
        "side": "both" if len(session.legs) == 2 else SIDES[session.legs[0]],
        "provider": "self" if session.kind == "manual" else "device",
    }


def _diary(
    person: str, slot: dict[str, Any], night: SimulatedNight, rng: np.random.Generator
) -> dict[str, Any]:
    """A diary's row: to the minute, as people write them."""
    start = night.parameters.start_time
    off, on = (
        start + timedelta(milliseconds=mark or 0)
        for mark in (night.sleep.lights_off_ms, night.sleep.lights_on_ms)
    )
    row = {
        "participant_id": person,
        "night": slot["night"],
        "condition_received": slot["arm"],
        "lights_off": f"{off:%H:%M}",
        "lights_on": f"{on:%H:%M}",
        "stress": int(rng.integers(1, 7)),
        "caffeine": int(rng.integers(0, 4)) * 80,
    }
    if slot["arm"] == "massage":
        minutes = int(rng.integers(4, 7)) * 5
        begun = off - timedelta(minutes=minutes + int(rng.integers(5, 40)))
        row |= {
            "massage_start": f"{begun:%H:%M}",
            "massage_min": minutes,
            "technique": "effleurage",
            "areas": "foot+calf",
            "side": "both",
            "provider": "self",
            "intensity": int(rng.integers(3, 6)),
            "soreness": int(rng.integers(0, 3)),
        }
        if night.treated:
            row |= _as_felt(night)
    return row
