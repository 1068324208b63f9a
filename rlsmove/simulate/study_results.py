"""Simulated studies at the level of a night's result: fast, and with everything known.

No recording is made. Each night has a rate, drawn on the log scale around the person's own and
along a first-order series of nights, shifted by massage, by the massage of the night before, and
by a trend; the count is Poisson given that rate and the hours.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.comparison.person_nights import ComparedNight, PersonNights
from rlsmove.comparison.power import autocorrelated
from rlsmove.errors import SettingError, StudyError
from rlsmove.io.json_text import json_text
from rlsmove.records import BoolArray, FloatArray, IntArray
from rlsmove.scoring.indices import INDICES
from rlsmove.study.folder import RESULTS, Arm, about_study, read_study, write_study
from rlsmove.study.plan import freeze_plan, plan_content
from rlsmove.study.schedule import Schedule
from rlsmove.study.scheme import Scheme, draw_schedule, make_scheme, person_key
from rlsmove.study.tables import table_text

ARMS = ("massage", "control")
MASSAGE = ARMS.index("massage")

#: A night in March, clear of every change of the clocks for 20 days.
_FIRST_NIGHT = date(2026, 3, 2)

#: Columns of derived/nights.csv before the indices.
_RESULT_COLUMNS = (
    "status",
    "code",
    "sentence",
    "participant_id",
    "night",
    "side",
    "file",
    "reviewed",
)


@dataclass(frozen=True)
class ResultParameters:
    """What a simulated study of night results is made of.

    Attributes
    ----------
    persons : int
    scheme : Scheme
        How arms are given to nights.
    ratio : float
        True rate with massage over that without, of the median person.
    ratio_ln_sd : float
        SD of the persons' true log ratios.
    rate_per_hour, rate_ln_sd : float
        Median of the persons' rates without massage, and their SD on the log scale.
    night_ln_sd, correlation : float
        SD of a person's nights on the log scale, and from one night to the next.
    trend_per_week : float
        Shift of the log rate over a week.
    carry_over : float
        Rate on the night after a massage over the rate otherwise.
    hours, hours_sd : float
        Hours of sleep.
    missing : float
        Share of nights without a result.
    not_adhered : float
        Share of nights that got the other arm than the one assigned.
    """

    persons: int = 12
    scheme: Scheme = field(default_factory=lambda: make_scheme("pairs", ARMS, 14))
    ratio: float = 0.7
    ratio_ln_sd: float = 0.2
    rate_per_hour: float = 20.0
    rate_ln_sd: float = 0.5
    night_ln_sd: float = 0.5
    correlation: float = 0.0
    trend_per_week: float = 0.0
    carry_over: float = 1.0
    hours: float = 7.0
    hours_sd: float = 0.8
    missing: float = 0.0
    not_adhered: float = 0.0


@dataclass(frozen=True)
class SimulatedPerson:
    """One simulated person's nights, and the truth of them.

    Attributes
    ----------
    participant_id : str
    schedule : Schedule
        As assigned; arms are numbers of `ARMS`.
    received : ndarray of int64, shape (nights,)
        Arm that each night got.
    count : ndarray of int64, shape (nights,)
        Periodic movements in sleep.
    hours : ndarray, shape (nights,)
        Hours of sleep.
    missing : ndarray of bool, shape (nights,)
    log_ratio : float
        This person's own true shift by massage.
    log_rate : ndarray, shape (nights,)
        True log rate of each night.
    """

    participant_id: str
    schedule: Schedule
    received: IntArray
    count: IntArray
    hours: FloatArray
    missing: BoolArray
    log_ratio: float
    log_rate: FloatArray


def simulate_results(parameters: ResultParameters, seed: int) -> list[SimulatedPerson]:
    """Simulate the night results of a study.

    Parameters
    ----------
    parameters : ResultParameters
    seed : int
        Of all chance: the same seed gives the same study.

    Returns
    -------
    list of SimulatedPerson

    Raises
    ------
    SettingError
        A parameter is out of its bounds.
    """
    _check(parameters)
    return [_person(parameters, seed, number) for number in range(parameters.persons)]


def _check(parameters: ResultParameters) -> None:
    bounds = {
        "persons": (1, 10_000),
        "ratio": (0.01, 100),
        "ratio_ln_sd": (0, 5),
        "rate_per_hour": (0, 1000),
        "rate_ln_sd": (0, 3),
        "night_ln_sd": (0, 3),
        "correlation": (-0.99, 0.99),
        "trend_per_week": (-3, 3),
        "carry_over": (0.01, 100),
        "hours": (1, 14),
        "hours_sd": (0, 5),
        "missing": (0, 1),
        "not_adhered": (0, 1),
    }
    for name, (low, high) in bounds.items():
        value = getattr(parameters, name)
        if not low <= value <= high:
            raise SettingError("", f"{name} is {value:g}", expected=f"{low:g} to {high:g}")


def _person(parameters: ResultParameters, seed: int, number: int) -> SimulatedPerson:
    p = parameters
    name = f"sim-{number + 1:03d}"
    rng = np.random.default_rng([seed, number])
    schedule = draw_schedule(p.scheme, person_key("", name, seed, 1))
    nights = p.scheme.nights
    log_ratio = math.log(p.ratio) + rng.normal(0, p.ratio_ln_sd)
    level = rng.normal(0, p.rate_ln_sd)
    noise = autocorrelated((1, nights), p.night_ln_sd, p.correlation, rng)[0]
    other = rng.random(nights) < p.not_adhered
    received = np.where(other, 1 - schedule.arm, schedule.arm)
    massage = (received == MASSAGE).astype(np.float64)
    before = np.concatenate([[0.0], massage[:-1]])
    with np.errstate(divide="ignore"):
        log_rate = (
            np.log(p.rate_per_hour)
            + level
            + noise
            + log_ratio * massage
            + math.log(p.carry_over) * before
            + p.trend_per_week * np.arange(nights) / 7
        )
    hours = np.clip(rng.normal(p.hours, p.hours_sd, nights), 0.5, 14.0).round(4)
    return SimulatedPerson(
        participant_id=name,
        schedule=schedule,
        received=received,
        count=rng.poisson(np.exp(log_rate) * hours),
        hours=hours,
        missing=rng.random(nights) < p.missing,
        log_ratio=float(log_ratio),
        log_rate=log_rate,
    )


def person_nights(person: SimulatedPerson, scheme: Scheme) -> PersonNights:
    """Return a simulated person's nights as a comparison takes them, without any files.

    Parameters
    ----------
    person : SimulatedPerson
    scheme : Scheme
        The one that their schedule was drawn from.
    """
    nights = tuple(
        ComparedNight(
            night=str(night + 1),
            day=night,
            arm=int(person.schedule.arm[night]),
            block=int(person.schedule.block[night]),
            period=int(person.schedule.period[night]),
            received=int(person.received[night]),
            count=float(person.count[night]),
            hours=float(person.hours[night]),
            failed="simulated as missing" if person.missing[night] else "",
        )
        for night in range(scheme.nights)
    )
    arms = tuple(Arm(name, name == ARMS[MASSAGE]) for name in ARMS)
    return PersonNights(person.participant_id, scheme.kind, arms, nights, scheme.max_run)


def write_simulated_results(
    parameters: ResultParameters, out_dir: str | Path, *, seed: int
) -> None:
    """Write a study folder with the results of simulated nights, its plan frozen.

    Parameters
    ----------
    parameters : ResultParameters
    out_dir : str or Path
        A folder that does not exist yet, or an empty one.
    seed : int

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
    The folder is like one that recordings were analyzed in, without the recordings; the truth
    is in ``truth.json``. Everything in it says that it is simulated.
    """
    out_dir = Path(out_dir)
    if out_dir.is_file() or (out_dir.is_dir() and any(out_dir.iterdir())):
        raise StudyError(
            out_dir, "something is there already", expected="a folder that is new or empty"
        )
    persons = simulate_results(parameters, seed)
    first_nights = {person.participant_id: _FIRST_NIGHT for person in persons}
    diary: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, person in enumerate(persons):
        rng = np.random.default_rng([seed, number, 1])
        for night in range(parameters.scheme.nights):
            evening = _FIRST_NIGHT + timedelta(days=parameters.scheme.run_in_nights + night)
            row = _diary(person, night, evening, rng)
            diary.append(row)
            results.append(_result(person, night, evening, row["diary_sol_min"]))
    about = about_study(
        "simulated",
        title="Simulated night results with and without massage; no person was recorded",
        simulated=True,
    )
    truth = {
        "simulated": True,
        "seed": seed,
        "parameters": asdict(parameters),
        "persons": {
            person.participant_id: {
                "ratio": math.exp(person.log_ratio),
                "rate_per_hour": np.exp(person.log_rate),
            }
            for person in persons
        },
    }
    people = [
        {"participant_id": name, "first_night": first} for name, first in first_nights.items()
    ]
    header = (*_RESULT_COLUMNS, *(index.name for index in INDICES))
    write_study(
        out_dir,
        about,
        {"participants.tsv": people, "nights.tsv": diary},
        others={
            RESULTS.as_posix(): table_text(header, results, delimiter=","),
            "truth.json": json_text(truth),
        },
    )
    study = read_study(out_dir)
    content = plan_content(study, parameters.scheme, seed, first_nights, {}, draw_version=1)
    freeze_plan(study, content)


def _diary(
    person: SimulatedPerson, night: int, evening: date, rng: np.random.Generator
) -> dict[str, Any]:
    """A row of nights.tsv, with ratings that follow the night's rate loosely."""
    received = ARMS[person.received[night]]
    own = person.log_rate[night] - np.mean(person.log_rate)
    severity = 5 + 2 * (own if np.isfinite(own) else 0.0) + rng.normal(0, 1)
    row: dict[str, Any] = {
        "participant_id": person.participant_id,
        "night": evening,
        "condition_received": received,
        "lights_off": f"23:{rng.integers(0, 60):02d}",
        "lights_on": f"07:{rng.integers(0, 60):02d}",
        "caffeine": 80 * int(rng.integers(0, 4)),
        "stress": int(rng.integers(1, 8)),
        "symptoms": int(np.clip(round(severity), 0, 10)),
        "diary_sol_min": int(rng.integers(2, 12)) * 5,
        "diary_quality": int(np.clip(round(5.5 - severity / 2), 1, 5)),
        "partner_rating": int(rng.integers(4, 10)),
        "soreness": 0,
    }
    if received == "massage":
        intensity = int(rng.integers(2, 8))
        row |= {
            "massage_start": f"22:{rng.integers(0, 31):02d}",
            "massage_min": 5 * int(rng.integers(2, 6)),
            "technique": "effleurage",
            "areas": "foot+calf",
            "side": "both",
            "provider": "self",
            "intensity": intensity,
            "soreness": int(np.clip(round(intensity / 3 + rng.normal(0, 1)), 0, 10)),
        }
    return row


def _result(
    person: SimulatedPerson, night: int, evening: date, latency_min: float
) -> dict[str, Any]:
    """A row of derived/nights.csv; indices that nothing was simulated for stay empty."""
    row: dict[str, Any] = {
        "status": "ok",
        "participant_id": person.participant_id,
        "night": evening,
        "side": "both",
    }
    if person.missing[night]:
        return {
            **row,
            "status": "failed",
            "code": "simulated_missing",
            "sentence": "simulated as missing",
        }
    count, sleep = int(person.count[night]), float(person.hours[night])
    wake = 0.6 + latency_min / 60
    awake, other = count // 8, count // 3
    return row | {
        "tib_hours": sleep + wake,
        "sleep_hours": sleep,
        "wake_hours": wake,
        "analysable_hours": sleep + wake,
        "lm_count": count + awake + other,
        "lm_per_hour_tib": (count + awake + other) / (sleep + wake),
        "plm_count": count + awake,
        "plm_per_hour_tib": (count + awake) / (sleep + wake),
        "plms_count": count,
        "plms_per_hour": count / sleep,
        "plmw_count": awake,
        "plmw_per_hour": awake / wake,
        "sleep_onset_latency_min": latency_min,
        "sleep_efficiency": sleep / (sleep + wake),
    }
