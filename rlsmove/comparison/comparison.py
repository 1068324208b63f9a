"""A comparison from beginning to end: nights in, comparison.json out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from rlsmove.comparison.anytime import Anytime
from rlsmove.comparison.claims import answer_claims
from rlsmove.comparison.cohort import (
    CohortComparison,
    CohortVariant,
    Pooled,
    compare_cohort,
    together,
)
from rlsmove.comparison.models import fit_models
from rlsmove.comparison.night_table import read_night_table
from rlsmove.comparison.person import PersonComparison, Variant, compare_person
from rlsmove.comparison.person_nights import ADDED_TO_COUNT, PersonNights, Settings
from rlsmove.comparison.reporting_items import reporting_items
from rlsmove.comparison.study_nights import night_results, study_nights, study_settings
from rlsmove.comparison.wording import DISCLAIMER, cohort_sentence, person_sentence
from rlsmove.errors import StudyError
from rlsmove.io.json_text import plain
from rlsmove.io.provenance import provenance
from rlsmove.review import EDITS_FILE
from rlsmove.study.check import about_problems
from rlsmove.study.folder import RESULTS, Study, read_study
from rlsmove.study.plan import PLAN, FrozenPlan, read_plan
from rlsmove.study.problems import Problem
from rlsmove.study.table_extent import why_incomplete

#: Says in every output that the nights never were.
SIMULATED = "simulated"


def compare_study(
    path: str | Path,
    *,
    margin: float | None = None,
    minimum_hours: float | None = None,
    looks: str | None = None,
    seed: int = 1,
    models: bool = False,
) -> tuple[dict[str, Any], list[Problem]]:
    """Compare the nights of a study folder.

    Parameters
    ----------
    path : str or Path
        The folder, with its derived/nights.csv.
    margin : float, optional
        The worthwhile ratio; that of study.json by default.
    minimum_hours : float, optional
        Hours of the index that a night must have; those of study.json by default.
    looks : str, optional
        One of `rlsmove.study.folder.LOOKS`; that of study.json by default.
    seed : int
        For draws where there are too many assignments to list.
    models : bool
        Also fit the models of the extra ``stats``.

    Returns
    -------
    comparison : dict
        The content of comparison.json.
    problems : list of Problem
        What was wrong with the files; the rest was compared.

    Raises
    ------
    StudyError
        Nothing can be compared at all.
    """
    study = read_study(path)
    if study.results is None:
        raise StudyError(
            study.path / RESULTS,
            "there are no results to compare",
            expected="the table of nights that `rlsmove batch STUDY` writes",
        )
    dictionaries = [name.replace(".tsv", ".json") for name in study.tables]
    problems = [p for p in study.problems if p.file not in dictionaries]
    problems += about_problems(study)
    plan = None
    try:
        plan = read_plan(study)
    except StudyError as error:
        problems.append(Problem(PLAN, 0, error.place, error.found, error.expected))
    if plan:
        problems += [Problem(PLAN, 0, "", change, "the plan as frozen") for change in plan.changes]
        if plan.concealed:
            raise StudyError(
                study.path / PLAN,
                "its conditions are concealed",
                expected="a plan that is revealed, at the end of the study",
                advice="`rlsmove plan STUDY --reveal`",
            )
        study = plan.as_fixed(study)
        given = {"margin": margin, "minimum_hours": minimum_hours, "looks": looks}
        plan = replace(plan, changes=(*plan.changes, *_given_instead(study, given)))
    settings = study_settings(
        study, margin=margin, minimum_hours=minimum_hours, looks=looks, seed=seed
    )
    nights = study_nights(study, plan, settings.index)
    files = [study.path / name for name in ("study.json", PLAN, *study.tables, RESULTS.as_posix())]
    files += [
        night_results(study, person.participant_id, date.fromisoformat(night.night)) / EDITS_FILE
        for person in nights
        for night in person.nights
        if night.reviewed
    ]
    comparison = _comparison(
        nights,
        settings,
        plan=_plan_of_study(study, plan),
        inputs=[file for file in files if file.exists()],
        models=models,
        simulated=bool(study.about.get(SIMULATED)) or _any_simulated(study),
        incomplete=why_incomplete(study),
    )
    comparison["reporting"] = reporting_items(study, plan, comparison)
    return plain(comparison), problems


def _given_instead(study: Study, given: Mapping[str, Any]) -> list[str]:
    """Where an option says something else than what was fixed beforehand."""
    fixed = study_settings(study)
    return [
        f"{name.replace('_', ' ')} {value} was given, where the plan fixed {getattr(fixed, name)}"
        for name, value in given.items()
        if value is not None and value != getattr(fixed, name)
    ]


def _any_simulated(study: Study) -> bool:
    rows = study.results.rows if study.results else []
    return any(row.cells.get(SIMULATED) == "yes" for row in rows)


def compare_table(
    path: str | Path,
    scheme: str,
    *,
    margin: float = Settings.margin,
    minimum_hours: float | None = None,
    max_run: int | None = None,
    looks: str = Settings.looks,
    planned_nights: int | None = None,
    seed: int = 1,
    models: bool = False,
) -> tuple[dict[str, Any], list[Problem]]:
    """Compare the nights of a plain table.

    Parameters
    ----------
    path : str or Path
        See `rlsmove.comparison.night_table.read_night_table`.
    scheme : str
        How the conditions were assigned: ``pairs``, ``blocks``, ``free`` or ``none``.
    minimum_hours : float, optional
        Hours that a night must have; by default those of a night's sleep, or half of what most
        nights of the table have where these are shorter (an index of wake, a test of an hour).
    max_run, planned_nights : int, optional
        See `read_night_table`.
    margin, looks, seed, models
        As in `compare_study`.

    Returns
    -------
    comparison : dict
    problems : list of Problem

    Raises
    ------
    StudyError
        The table cannot be used at all.
    """
    nights, problems = read_night_table(
        path, scheme, max_run=max_run, planned_nights=planned_nights
    )
    if minimum_hours is None:
        minimum_hours = _minimum_hours(nights)
        if minimum_hours < Settings.minimum_hours:
            problems.append(
                Problem(
                    str(path),
                    0,
                    "hours",
                    f"most nights have fewer than {Settings.minimum_hours:g} h: one with fewer "
                    f"than {minimum_hours:.2g} h is left out",
                    "--minimum-hours, if that is not what was planned",
                    only_notice=True,
                )
            )
    words = {
        "pairs": "conditions were assigned in random order within pairs",
        "blocks": "conditions were shuffled within blocks",
        "free": "conditions were shuffled over all nights of a person",
        "none": "conditions were not randomized",
    }
    capped = f", runs of at most {max_run}" if max_run and scheme != "none" else ""
    comparison = _comparison(
        nights,
        Settings(index="count", margin=margin, minimum_hours=minimum_hours, looks=looks, seed=seed),
        plan={
            "scheme": scheme,
            "max_run": max_run,
            "nights": planned_nights,
            "seed": None,
            "digest": None,
            "changes": [],
            "intact": None,
            "sentence": f"{words[scheme]}{capped}, as stated with the table.",
        },
        inputs=[Path(path)],
        models=models,
        simulated=False,
        incomplete="",
    )
    return plain(comparison), problems


def _minimum_hours(persons: Sequence[PersonNights]) -> float:
    """Return the hours that a night of a table must have, by what most nights have."""
    hours = [n.hours for p in persons for n in p.nights if n.hours > 0 and not n.left_out]
    usual = float(np.median(hours)) if hours else math.inf
    return Settings.minimum_hours if usual >= Settings.minimum_hours else usual / 2


def _plan_of_study(study: Study, plan: FrozenPlan | None) -> dict[str, Any]:
    if plan is None:
        return {
            "scheme": "none",
            "seed": None,
            "digest": None,
            "changes": [],
            "intact": None,
            "sentence": "there is no frozen plan, so no night counts as randomized.",
        }
    scheme = plan.scheme
    words = (
        f"{scheme.kind}, {scheme.nights} nights a person, "
        f"{scheme.period_nights} at a time"
        + (f", runs of at most {scheme.max_run}" if scheme.max_run else "")
        + f"; seed {plan.seed}, SHA-256 {plan.digest[:12]}"
    )
    if plan.made:
        words += f", made {plan.made}"
    late = [entry for entry in plan.amendments if entry.get("after_results")]
    for entry in plan.amendments:
        when = "after results existed" if entry in late else "before any result"
        words += f". Amended {entry['made']}, {when} ({entry['kind']}): {entry['reason']}"
    if plan.over_recorded_nights:
        words += (
            f". IT WAS DRAWN OVER {plan.over_recorded_nights} NIGHT(S) THAT HAD A RESULT ALREADY"
        )
    if plan.changes:
        words += f". CHANGED SINCE IT WAS FROZEN: {'; '.join(plan.changes)}"
    return {
        "scheme": scheme.kind,
        "nights": scheme.nights,
        "block_nights": scheme.block_nights,
        "period_nights": scheme.period_nights,
        "max_run": scheme.max_run,
        "run_in_nights": scheme.run_in_nights,
        "arms": list(scheme.arms),
        "seed": plan.seed,
        "digest": plan.digest,
        "made": plan.made or None,
        "amended": [
            {name: entry.get(name) for name in ("made", "kind", "reason", "after_results")}
            for entry in plan.amendments
        ],
        "over_recorded_nights": plan.over_recorded_nights,
        "digest_frozen": study.about.get("plan_digest"),
        "changes": list(plan.changes),
        "intact": not plan.changes,
        "sentence": f"{words}.",
    }


def _comparison(
    nights: Sequence[PersonNights],
    settings: Settings,
    *,
    plan: dict[str, Any],
    inputs: Sequence[Path],
    models: bool,
    simulated: bool,
    incomplete: str,
) -> dict[str, Any]:
    if not nights:
        raise StudyError("", "there is nobody to compare", expected="at least one participant")
    persons = [compare_person(person, settings) for person in nights]
    cohort = compare_cohort(persons, settings) if len(persons) > 1 else None
    used = {
        "index": settings.index,
        "index_words": "movements per hour" if settings.index == "count" else settings.index,
        "outcome": f"log((count + {ADDED_TO_COUNT}) / hours)",
        "margin": settings.margin,
        "minimum_hours": settings.minimum_hours,
        "minimum_nights": settings.minimum_nights,
        "short_night_hours": settings.short_night_hours,
        "looks": settings.looks,
        "seed": settings.seed,
        "models": models,
    }
    return {
        "format": "rlsmove-comparison",
        "version": 2,
        "simulated": simulated,
        "settings": used,
        "persons": {p.person.participant_id: _person(p, cohort, settings) for p in persons},
        "cohort": _cohort(cohort, settings) if cohort else None,
        "claims": answer_claims(persons, cohort, settings),
        "sensitivity": [
            *(_variant_row(person, variant) for person in persons for variant in person.variants),
            *(_model_row(result) for result in together(persons, cohort, settings)),
            *(
                _model_row(result)
                for result in (
                    fit_models(persons) if models and cohort and not cohort.waits else []
                )
            ),
        ],
        "plan": plan,
        "complete": not incomplete
        and all(p.nights_missing == 0 and p.person.finished for p in persons),
        "incomplete": incomplete or None,
        "reporting": None,
        "provenance": provenance(inputs, used),
        "disclaimer": DISCLAIMER,
    }


def _ratio(shift: float | None) -> float | None:
    """Turn a shift of logarithms into a ratio; None where it cannot be said."""
    return math.exp(shift) if shift is not None and math.isfinite(shift) else None


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _person(
    person: PersonComparison, cohort: CohortComparison | None, settings: Settings
) -> dict[str, Any]:
    found, needed = person.contrast, person.needed
    # Before the planned end the fixed test says nothing, and neither does its interval.
    tested = None if person.waits else found
    result: dict[str, Any] = {
        "ratio": _ratio(found.shift) if found else None,
        "ratio_low": _ratio(tested.low) if tested else None,
        "ratio_high": _ratio(tested.high) if tested else None,
        "p": _number(tested.p) if tested else None,
        "verdict": person.verdict,
        "anytime": _anytime(person.anytime),
        "p_minimum": _number(found.p_minimum) if found else None,
        "nights_massage": person.nights_massage,
        "nights_control": person.nights_control,
        "nights_missing": person.nights_missing,
        "excluded": [{"night": night, "reason": why} for night, why in person.excluded],
        "nights_needed": needed.number if needed else None,
        "nights_needed_low": needed.low if needed else None,
        "nights_needed_high": needed.high if needed else None,
        **_with_others(person, cohort),
        "randomized": person.person.randomized,
        "scheme": person.person.scheme,
        "nights_planned": person.person.planned_nights,
        "nights_over": person.person.nights_over,
        "assignments": found.assignments if found else None,
        "standard_error": _number(found.se) if found else None,
        "trend_per_week": _ratio(person.trend_per_week),
        "carry_over": _ratio(person.carry_over),
        "serial_correlation": person.serial_correlation,
        "reason": person.reason,
        "reviewed": [night.night for night in person.person.nights if night.reviewed],
    }
    return {**result, "sentence": person_sentence(result, settings.margin, settings.looks)}


def _anytime(anytime: Anytime | None) -> dict[str, Any]:
    """Return what bets have come to; nulls where nothing was bet."""
    if anytime is None:
        none = dict.fromkeys(("p", "ratio_low", "ratio_high", "decided_after"))
        return {**none, "path": [], "blocks": []}
    return {
        "p": anytime.p,
        "ratio_low": _ratio(anytime.low),
        "ratio_high": _ratio(anytime.high),
        "decided_after": anytime.decided_after,
        "path": [p for _, p in anytime.path],
        "blocks": [block for block, _ in anytime.path],
    }


def _with_others(person: PersonComparison, cohort: CohortComparison | None) -> dict[str, Any]:
    names = ("ratio_with_others", "ratio_with_others_low", "ratio_with_others_high")
    name = person.person.participant_id
    if cohort is None or cohort.hierarchy is None or cohort.waits or name not in cohort.entered:
        return dict.fromkeys(names)
    place, all_persons = cohort.entered.index(name), cohort.hierarchy
    shifts = (all_persons.mean[place], all_persons.low[place], all_persons.high[place])
    return dict(zip(names, map(_ratio, shifts), strict=True))


def _cohort(cohort: CohortComparison, settings: Settings) -> dict[str, Any]:
    pooled = cohort.pooled
    tested = pooled if cohort.randomized and not cohort.waits else None
    others = None if cohort.waits else cohort.hierarchy
    result: dict[str, Any] = {
        "ratio": _ratio(pooled.center) if pooled else None,
        "ratio_low": _ratio(tested.low) if tested else None,
        "ratio_high": _ratio(tested.high) if tested else None,
        "p": tested.p if tested else None,
        "verdict": cohort.verdict,
        "any_effect_p": None if cohort.waits else cohort.any_effect_p,
        "anytime": _anytime(cohort.anytime),
        "anytime_any_effect": _anytime(cohort.anytime_any_effect),
        "persons": pooled.persons if pooled else 0,
        "prediction_low": _ratio(others.next_low) if others else None,
        "prediction_high": _ratio(others.next_high) if others else None,
        "spread": others.spread if others else None,
        "p_minimum": tested.p_minimum if tested else None,
        "left_out": [{"participant_id": name, "reason": why} for name, why in cohort.left_out],
        **{
            name: None if cohort.waits else _pooled(cohort.checks.get(name))
            for name in ("period_effect", "sequence_effect", "carry_over")
        },
    }
    return {**result, "sentence": cohort_sentence(result, settings.margin, settings.looks)}


def _pooled(check: Pooled | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "ratio": _ratio(check.center),
        "ratio_low": _ratio(check.low),
        "ratio_high": _ratio(check.high),
        "p": check.p,
        "persons": check.persons,
    }


def _variant_row(person: PersonComparison, variant: Variant) -> dict[str, Any]:
    found = variant.contrast
    tested = None if person.waits else found
    return {
        "scope": person.person.participant_id,
        "analysis": variant.analysis,
        "ratio": _ratio(found.shift) if found else None,
        "ratio_low": _ratio(tested.low) if tested else None,
        "ratio_high": _ratio(tested.high) if tested else None,
        "p": _number(tested.p) if tested else None,
        "note": variant.note if found else f"{variant.note}: nothing is left",
    }


def _model_row(result: CohortVariant) -> dict[str, Any]:
    return {
        "scope": "cohort",
        "analysis": result.analysis,
        "ratio": _ratio(result.estimate),
        "ratio_low": _ratio(result.low),
        "ratio_high": _ratio(result.high),
        "p": _number(result.p),
        "note": result.note,
    }
