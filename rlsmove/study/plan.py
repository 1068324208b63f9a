"""The plan: which night gets which arm, drawn once, frozen, and watched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from rlsmove.errors import SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.io.provenance import sha256_of
from rlsmove.study.assignments import AssignmentSpace, assignment_space
from rlsmove.study.columns import RUN_IN
from rlsmove.study.folder import SCHEMA_VERSION, Study, read_json
from rlsmove.study.schedule import Schedule
from rlsmove.study.tables import table_text

PLAN = "plan.json"

#: Nights of one person that a plan may have.
MOST_NIGHTS = 1000


@dataclass(frozen=True)
class Scheme:
    """How arms are given to nights.

    Attributes
    ----------
    kind : str
        ``pairs`` (blocks of one period of each arm), ``blocks`` or ``free`` (all nights one block).
    arms : tuple of str
        Each equally often in every block.
    nights : int
        Nights with an arm, for each person.
    block_nights : int
        Nights in a block.
    period_nights : int
        Nights in a row that share one arm: 1, or 2 to 3 where the effect may carry over.
    max_run : int or None
        Longest run of periods with one arm, across blocks.
    run_in_nights : int
        Nights before the first with an arm.
    """

    kind: str
    arms: tuple[str, ...]
    nights: int
    block_nights: int
    period_nights: int = 1
    max_run: int | None = None
    run_in_nights: int = 0

    def space(self) -> AssignmentSpace:
        """Return all sequences of arms that the scheme can give."""
        periods, each = self.nights // self.period_nights, self.block_nights // self.period_nights
        blocks = periods // each
        stratum = tuple(period // each for period in range(periods))
        counts = ((each // len(self.arms),) * len(self.arms),) * blocks
        return assignment_space(stratum, counts, self.max_run)

    def schedule(self, arm_of_period: np.ndarray) -> Schedule:
        """Return the schedule that a sequence of arms makes."""
        night = np.arange(self.nights)
        period = night // self.period_nights
        return Schedule(
            scheme=self.kind,
            block=night // self.block_nights,
            period=period,
            arm=arm_of_period.astype(np.int64)[period],
            n_arms=len(self.arms),
            max_run=self.max_run,
        )


def make_scheme(
    kind: str,
    arms: tuple[str, ...],
    nights: int,
    *,
    block_nights: int | None = None,
    period_nights: int = 1,
    max_run: int | None = None,
    run_in_nights: int = 0,
) -> Scheme:
    """Return a scheme whose numbers fit each other.

    Parameters
    ----------
    kind : str
        ``pairs``, ``blocks`` or ``free``.
    arms : tuple of str
    nights : int
    block_nights : int, optional
        For ``blocks`` only; two periods of each arm by default.
    period_nights, max_run, run_in_nights
        As in `Scheme`.

    Raises
    ------
    SettingError
        They do not fit, or the cap on runs leaves fewer than two sequences.
    """
    numbers = {"nights": nights, "nights in a period": period_nights, "arms": len(arms)}
    numbers |= {"the longest run": max_run} if max_run is not None else {}
    for name, number in numbers.items():
        if not 1 <= number <= MOST_NIGHTS:
            raise SettingError("", f"{name}: {number}", expected=f"1 to {MOST_NIGHTS}")
    share = len(arms) * period_nights
    if kind == "pairs":
        block = share
    elif kind == "blocks":
        block = 2 * share if block_nights is None else block_nights
    else:
        block = nights
    if block < share or block % share:
        raise SettingError(
            "",
            f"blocks of {block} nights",
            expected=f"a multiple of {share}: {len(arms)} arms, {period_nights} night(s) at a time",
        )
    if nights < block or nights % block:
        below = max(nights // block, 1) * block
        raise SettingError(
            "",
            f"{nights} nights",
            expected=f"a multiple of {block}, such as {below} or {below + block}",
        )
    scheme = Scheme(kind, arms, nights, block, period_nights, max_run, run_in_nights)
    if scheme.space().size < 2:
        raise SettingError(
            "",
            f"runs of at most {max_run} leave {scheme.space().size} sequence(s)",
            expected="a longer run, so that there is something to draw from",
        )
    return scheme


def draw_schedule(scheme: Scheme, seed: int, participant_id: str) -> Schedule:
    """Draw one person's schedule, uniformly over all that the scheme can give.

    Parameters
    ----------
    scheme : Scheme
    seed : int
        The plan's seed.
    participant_id : str
        Each person has a draw of their own, whoever else is in the study.

    Returns
    -------
    Schedule
    """
    person = int.from_bytes(hashlib.sha256(participant_id.encode()).digest()[:8], "big")
    rng = np.random.default_rng([seed, person])
    return scheme.schedule(scheme.space().draw(1, rng)[0])


def draw_plan(
    scheme: Scheme, seed: int, first_nights: Mapping[str, date]
) -> dict[str, dict[str, Any]]:
    """Draw the nights of every person.

    Parameters
    ----------
    scheme : Scheme
    seed : int
    first_nights : mapping of str to date
        Evening date of each person's first night, that of the run-in where there is one.

    Returns
    -------
    dict
        By participant_id: ``first_night`` and ``schedule``, a list of ``night``, ``arm``,
        ``block`` and ``period`` (block and period count from 1; 0 for run-in nights).
    """
    persons = {}
    for participant_id, first in first_nights.items():
        drawn = draw_schedule(scheme, seed, participant_id)
        run_in = [
            {
                "night": (first + timedelta(days=day)).isoformat(),
                "arm": RUN_IN,
                "block": 0,
                "period": 0,
            }
            for day in range(scheme.run_in_nights)
        ]
        nights = [
            {
                "night": (first + timedelta(days=scheme.run_in_nights + day)).isoformat(),
                "arm": scheme.arms[arm],
                "block": int(block) + 1,
                "period": int(period) + 1,
            }
            for day, (arm, block, period) in enumerate(
                zip(drawn.arm, drawn.block, drawn.period, strict=True)
            )
        ]
        persons[participant_id] = {"first_night": first.isoformat(), "schedule": run_in + nights}
    return persons


def first_nights(study: Study, start: date | None) -> dict[str, date]:
    """Return the evening date on which each person begins.

    Parameters
    ----------
    study : Study
    start : date or None
        For every person whose first_night in participants.tsv is not given.

    Raises
    ------
    StudyError
        There is nobody in participants.tsv, or somebody without a first night.
    """
    rows = [r for r in study.tables["participants.tsv"].rows if "participant_id" in r.cells]
    if not rows:
        raise StudyError(
            study.path / "participants.tsv",
            "there is nobody in it",
            expected="a row for each person, before the plan is drawn",
        )
    first = {row.cells["participant_id"]: row.get("first_night", start) for row in rows}
    lacking = [name for name, night in first.items() if night is None]
    if lacking:
        raise StudyError(
            study.path / "participants.tsv",
            f"no first night for {', '.join(lacking)}",
            expected="first_night of each person, or --start for all",
        )
    return first


def plan_content(
    study_id: str,
    scheme: Scheme,
    seed: int,
    first_nights: Mapping[str, date],
    shows: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the content of plan.json: scheme, seed, every schedule, and what it can show."""
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study_id,
        "scheme": asdict(scheme),
        "seed": seed,
        "shows": dict(shows),
        "participants": draw_plan(scheme, seed, first_nights),
    }


def freeze_plan(study: Study, content: Mapping[str, Any]) -> str:
    """Write plan.json, its digest into study.json, and the planned nights into nights.tsv.

    Parameters
    ----------
    study : Study
    content : mapping
        From `plan_content`.

    Returns
    -------
    str
        SHA-256 of plan.json.

    Raises
    ------
    StudyError
        The study has a plan already, or its nights.tsv holds a night of the plan under another
        condition.
    """
    if study.about.get("plan_digest") or (study.path / PLAN).exists():
        raise StudyError(
            study.path / PLAN,
            "this study has a plan already",
            advice="A plan is drawn once, before the first night. To draw another before any "
            "night was slept, delete plan.json and set plan_digest in study.json to null",
        )
    text = json_text(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = study.tables["nights.tsv"]
    rows = {
        (row.text.get("participant_id"), row.text.get("night")): dict(row.text)
        for row in table.rows
    }
    for participant_id, person in content["participants"].items():
        for planned in person["schedule"]:
            row = rows.setdefault(
                (participant_id, planned["night"]),
                {"participant_id": participant_id, "night": planned["night"]},
            )
            stands = row.get("condition_assigned", "n/a").lower()
            if stands not in ("", "n/a", planned["arm"].lower()):
                raise StudyError(
                    study.path / "nights.tsv",
                    f"{participant_id} {planned['night']} is {stands}",
                    expected=f"{planned['arm']}, as just drawn, or n/a",
                    advice="Nights that were given a condition before there was a plan cannot "
                    "be part of it: start the plan after them",
                )
            row["condition_assigned"] = planned["arm"]
    header = list(table.header)
    if "condition_assigned" not in header:
        header.append("condition_assigned")
    write_files(
        {
            study.path / PLAN: text,
            study.path / "study.json": json_text({**study.about, "plan_digest": digest}),
            study.path / "nights.tsv": table_text(header, rows.values()),
        }
    )
    return digest


@dataclass(frozen=True)
class FrozenPlan:
    """A plan as found in a study folder.

    Attributes
    ----------
    scheme : Scheme
    seed : int
    participants : dict
        As `draw_plan` returns it: the frozen one where that can be told.
    digest : str
        SHA-256 of plan.json as it is now.
    changes : tuple of str
        What is known to have changed since it was frozen; empty where nothing has.
    shows : str
        What the plan was said to be able to show.
    """

    scheme: Scheme
    seed: int
    participants: dict[str, dict[str, Any]]
    digest: str
    changes: tuple[str, ...]
    shows: str


def read_plan(study: Study) -> FrozenPlan | None:
    """Read the plan of a study, and find out whether it is the one that was frozen.

    Where plan.json was changed by hand, the schedules are drawn anew from its scheme and seed,
    and what differs is named: the comparison goes by the draw, not by the edit.

    Parameters
    ----------
    study : Study

    Returns
    -------
    FrozenPlan or None
        None where the study has neither plan nor digest.

    Raises
    ------
    StudyError
        plan.json is missing though a digest is there, or it cannot be understood.
    """
    path, frozen = study.path / PLAN, study.about.get("plan_digest")
    if not path.exists():
        if frozen:
            raise StudyError(
                PLAN,
                "the plan that study.json has the digest of is gone",
                advice="Put it back: without it no night can be called randomized",
            )
        return None
    content = read_json(path)
    try:
        given = dict(content["scheme"])
        scheme = make_scheme(
            given.pop("kind"), tuple(given.pop("arms")), given.pop("nights"), **given
        )
        seed = int(content["seed"])
        persons: dict[str, dict[str, Any]] = {
            str(name): {
                "first_night": date.fromisoformat(person["first_night"]).isoformat(),
                "schedule": [
                    {
                        "night": date.fromisoformat(night["night"]).isoformat(),
                        "arm": str(night["arm"]),
                        "block": int(night["block"]),
                        "period": int(night["period"]),
                    }
                    for night in person["schedule"]
                ],
            }
            for name, person in content["participants"].items()
        }
        strangers = {n["arm"] for p in persons.values() for n in p["schedule"]}
        strangers -= {RUN_IN, *scheme.arms}
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        raise StudyError(
            PLAN, f"it is not a plan ({error})", expected="what `rlsmove plan` wrote"
        ) from None
    digest = sha256_of(path)
    changes: list[str] = []
    if not frozen:
        changes.append("study.json has no digest of it: nothing shows that it was frozen")
    elif digest != frozen:
        changes.append("its SHA-256 is not the one in study.json: it was changed after freezing")
        drawn = draw_plan(
            scheme, seed, {n: date.fromisoformat(p["first_night"]) for n, p in persons.items()}
        )
        changes += _differences(persons, drawn)
        persons = drawn
    elif strangers:
        raise StudyError(PLAN, f"arms {sorted(strangers)}", expected=", ".join(scheme.arms))
    shown = content.get("shows")
    shows = str(shown.get("sentence", "")) if isinstance(shown, dict) else ""
    return FrozenPlan(scheme, seed, persons, digest, tuple(changes), shows)


def _differences(found: Mapping[str, Any], drawn: Mapping[str, Any]) -> list[str]:
    """Name the nights whose entry is not what scheme and seed give."""
    sentences = []
    for participant_id, person in drawn.items():
        now = {night["night"]: night for night in found[participant_id]["schedule"]}
        before = {night["night"]: night for night in person["schedule"]}
        for night in sorted(set(now) | set(before)):
            stands, was = now.get(night), before.get(night)
            if stands != was:
                sentences.append(
                    f"{participant_id} {night} is {stands['arm'] if stands else 'gone'}, "
                    f"where scheme and seed give {was['arm'] if was else 'no night'}"
                )
    most = 20
    if len(sentences) > most:
        return [*sentences[:most], f"and {len(sentences) - most} nights more"]
    return sentences or ["the schedules are still those that its scheme and seed give"]
