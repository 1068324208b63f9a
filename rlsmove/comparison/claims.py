"""The claims about massage, each asked of the nights at hand, or said why not.

A question rests on chance where the plan drew what it contrasts (massage against control, one
technique against another, one leg against the other): those enter the secondary family, one
question a claim, and Holm's adjustment. What the person or the day chose (minutes, intensity,
coffee) can only go along with the result: those are exploratory, without a p.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlsmove.comparison.cohort import CohortComparison, holm, pool
from rlsmove.comparison.contrast import Contrast, contrast
from rlsmove.comparison.least_squares import slope
from rlsmove.comparison.outcomes import Outcome, diary, index, rate
from rlsmove.comparison.person import PersonComparison
from rlsmove.comparison.person_nights import ComparedNight, Settings, log_rate
from rlsmove.comparison.randomized_shift import shift_test, unit_rows
from rlsmove.study.assignments import MONTE_CARLO_DRAWS
from rlsmove.study.columns import time_in_night
from rlsmove.study.folder import COUNTED


@dataclass(frozen=True)
class Found:
    """The answer of one person, or of all, to a question.

    Attributes
    ----------
    estimate, low, high : float
        Shift of a logarithm or difference; NaN for an end that cannot be said.
    p : float
        NaN where the question does not rest on chance.
    persons : int
    """

    estimate: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    persons: int = 1

    @classmethod
    def of_contrast(cls, found: Contrast | None) -> Found | None:
        """Take over a contrast's estimate, interval and p."""
        if found is None:
            return None
        return cls(found.shift, found.low, found.high, found.p)


@dataclass(frozen=True)
class Question:
    """One question to the nights.

    Attributes
    ----------
    outcome : str
        What is compared, in words.
    scale : str
        ``ratio`` or ``difference``.
    unit : str
        Of a difference.
    randomized : bool
        Whether chance decided what is contrasted.
    of_person : callable
        From a person to their answer; None where they have none.
    of_persons : callable or None
        For a question between persons: from all of them to the answer.
    """

    outcome: str
    scale: str
    unit: str
    randomized: bool
    of_person: Callable[[PersonComparison, Settings], Found | None]
    of_persons: Callable[[Sequence[PersonComparison], Settings], Found | None] | None = None


@dataclass(frozen=True)
class Claim:
    """A claim about massage, and how nights can answer it.

    Attributes
    ----------
    code, text : str
    needs : str
        What the study must have for it.
    questions : tuple of Question
        The first that can be answered stands for the claim; the others are exploratory.
    """

    code: str
    text: str
    needs: str
    questions: tuple[Question, ...]


def answer_claims(
    persons: Sequence[PersonComparison], cohort: CohortComparison | None, settings: Settings
) -> list[dict[str, Any]]:
    """Ask every claim of the persons' nights.

    Parameters
    ----------
    persons : sequence of PersonComparison
    cohort : CohortComparison or None
        The primary comparison of several persons; None where there is one.
    settings : Settings

    Returns
    -------
    list of dict
        A row a claim: ``code, claim, needs, status`` (primary, secondary, exploratory or
        not_testable), ``outcome, scale, unit, estimate, low, high, p, p_adjusted, persons,
        sentence`` and ``others``, the claim's further outcomes, exploratory.
    """
    rows = [_row(claim, persons, cohort, settings) for claim in CLAIMS]
    if any(person.waits for person in persons):
        rows = [_without_test(row) for row in rows]
    family = [row for row in rows if row["status"] == "secondary"]
    for row, adjusted in zip(family, holm([row["p"] for row in family]), strict=True):
        row["p_adjusted"] = adjusted
    return [{**row, "sentence": _sentence(row)} for row in rows]


def _without_test(row: dict[str, Any]) -> dict[str, Any]:
    """Keep the estimates alone: the plan has no verdict before its end."""
    tests = dict.fromkeys(("low", "high", "p"))
    others = [{**other, **tests} for other in row["others"]]
    status = "exploratory" if row["status"] in ("primary", "secondary") else row["status"]
    return {**row, **tests, "status": status, "others": others}


def _row(
    claim: Claim,
    persons: Sequence[PersonComparison],
    cohort: CohortComparison | None,
    settings: Settings,
) -> dict[str, Any]:
    answered = []
    for question in claim.questions:
        found = _ask(question, persons, cohort, settings)
        if found is not None:
            answered.append((question, found))
    row: dict[str, Any] = {"code": claim.code, "claim": claim.text, "needs": claim.needs}
    if not answered:
        return {**row, "status": "not_testable", **_answer(None, None), "others": []}
    (question, found), *others = answered
    status = "exploratory"
    if not math.isnan(found.p):
        status = "primary" if question.outcome == settings.index else "secondary"
    return {
        **row,
        "status": status,
        **_answer(question, found),
        "others": [_answer(*other) for other in others],
    }


def _ask(
    question: Question,
    persons: Sequence[PersonComparison],
    cohort: CohortComparison | None,
    settings: Settings,
) -> Found | None:
    if question.outcome == settings.index and cohort and cohort.pooled and cohort.randomized:
        pooled = cohort.pooled
        return Found(pooled.center, pooled.low, pooled.high, pooled.p, persons=pooled.persons)
    if question.of_persons is not None:
        return question.of_persons(persons, settings)
    answers = [a for a in (question.of_person(p, settings) for p in persons) if a is not None]
    if len(persons) == 1 or not answers:
        return answers[0] if answers else None
    if len(answers) == 1:
        return Found(answers[0].estimate)
    pooled = pool(np.array([a.estimate for a in answers]), settings.seed)
    if not any(person.person.randomized for person in persons):
        return Found(pooled.center, persons=pooled.persons)
    p = pooled.p if question.randomized else math.nan
    return Found(pooled.center, pooled.low, pooled.high, p, persons=pooled.persons)


def _answer(question: Question | None, found: Found | None) -> dict[str, Any]:
    """Return the columns of an answer, a ratio where the question is one of logarithms."""
    if question is None or found is None:
        names = ("outcome", "scale", "unit", "estimate", "low", "high", "p", "p_adjusted")
        return {**dict.fromkeys(names), "persons": 0}
    turned = math.exp if question.scale == "ratio" else float
    low, high = (turned(end) if math.isfinite(end) else None for end in (found.low, found.high))
    return {
        "outcome": question.outcome,
        "scale": question.scale,
        "unit": question.unit,
        "estimate": turned(found.estimate),
        "low": low,
        "high": high,
        "p": None if math.isnan(found.p) else found.p,
        "p_adjusted": None,
        "persons": found.persons,
    }


def _sentence(row: dict[str, Any]) -> str:
    if row["status"] == "not_testable":
        return f"not testable here: needs {row['needs']}"
    size = f"{row['estimate']:.3g} {row['unit']}".strip()
    if row["scale"] == "ratio":
        size = f"ratio {row['estimate']:.2f}"
    if row["low"] is not None and row["high"] is not None:
        size += f" ({row['low']:.3g} to {row['high']:.3g})"
    tail = {
        "primary": "the primary comparison",
        "secondary": f"adjusted p {row['p_adjusted'] or 0:.3f}",
        "exploratory": "exploratory: it goes along with it, which is no test",
    }[row["status"]]
    return f"{row['outcome']}: {size}; {tail}"


# Kinds of question.


def _by_condition(outcome: Outcome) -> Question:
    """Massage against control."""

    def of_person(person: PersonComparison, settings: Settings) -> Found | None:
        nights = person.person
        if not nights.assigned:
            return None
        primary = outcome.name == settings.index
        return Found.of_contrast(person.contrast if primary else outcome.contrast(nights, settings))

    return Question(outcome.name, outcome.scale, outcome.unit, True, of_person)


def _by_arm(attribute: str) -> Question:
    """One kind of massage against another, where the plan drew between them."""

    def of_person(person: PersonComparison, settings: Settings) -> Found | None:
        nights = person.person
        kinds = list(
            dict.fromkeys(
                getattr(arm, attribute)
                for arm in nights.arms
                if arm.massage and getattr(arm, attribute)
            )
        )
        if len(kinds) < 2 or not nights.assigned:
            return None
        level = np.array(
            [
                float(kinds.index(getattr(arm, attribute)))
                if arm.massage and getattr(arm, attribute) in kinds[:2]
                else math.nan
                for arm in nights.arms
            ]
        )
        return Found.of_contrast(rate(settings.index).contrast(nights, settings, level))

    return Question(
        f"primary index, second {attribute} against first", "ratio", "", True, of_person
    )


def _slope_on(
    outcome: Outcome | None,
    of_night: Callable[[ComparedNight, PersonComparison], float],
    words: str,
    unit: str,
    *,
    massage_nights_only: bool = False,
) -> Question:
    """How an outcome (the primary index by default) goes along with something of the night.

    The day is held fixed: sessions and nights of use grow with it, and so would a mere trend.
    """

    def of_person(person: PersonComparison, settings: Settings) -> Found | None:
        nights = person.person.assigned
        if not nights:
            return None
        x = np.array([of_night(night, person) for night in nights])
        if not np.isfinite(x).any():
            return None
        y = (outcome or rate(settings.index)).of(nights, settings)
        massage = person.person.massage()
        use = np.isfinite(y) & np.isfinite(x)
        if not use.any():
            return None
        day = np.array([night.day for night in nights], np.float64)
        if massage_nights_only:
            use &= massage
            found = slope(y[use], x[use], day[use])
        else:
            found = slope(y[use], x[use], day[use], massage[use].astype(np.float64))
        return None if found is None else Found(found)

    scale = outcome.scale if outcome else "ratio"
    name = outcome.name if outcome else "primary index"
    return Question(f"{name} {words}", scale, unit, False, of_person)


def _between_persons(of_person: Callable[[PersonComparison], float], words: str) -> Question:
    """How the persons' contrasts go along with something of the person."""

    def of_persons(persons: Sequence[PersonComparison], settings: Settings) -> Found | None:
        pairs = [(of_person(p), p.contrast.shift) for p in persons if p.contrast is not None]
        x, y = np.array(pairs, np.float64).reshape(-1, 2).T
        use = np.isfinite(x)
        if use.sum() < 4 or np.ptp(x[use]) == 0:
            return None
        x, y = x[use], y[use]
        rng = np.random.default_rng(settings.seed)
        x, y = x - x.mean(), y - y.mean()
        shuffled = rng.permuted(np.tile(x, (MONTE_CARLO_DRAWS + 1, 1)), axis=1)
        shuffled[0] = x
        test = shift_test(y, x, unit_rows(shuffled)[0], size=float(np.abs(y).max()))
        if test is None:
            return None
        return Found(test.estimate, test.low, test.high, persons=len(x))

    def of_nobody(person: PersonComparison, settings: Settings) -> Found | None:
        return None

    return Question(f"massage over control, {words}", "ratio", "", False, of_nobody, of_persons)


# What single claims ask.


def _first_block(person: PersonComparison, settings: Settings) -> Found | None:
    """Contrast of the first block that has one."""
    found = person.contrast
    if found is None or not person.person.randomized:
        return None
    blocks = np.array([night.block for night in person.person.assigned])
    massage = person.person.massage()
    values = rate(settings.index).of(person.person.assigned, settings)
    for block in np.unique(blocks[found.used]).tolist():
        first = found.used & (blocks == block)
        if 0 < massage[first].sum() < first.sum() < found.used.sum():
            return Found(float(values[first & massage].mean() - values[first & ~massage].mean()))
    return None


def _by_session(night: ComparedNight, person: PersonComparison) -> float:
    """Number of the massage session."""
    massage = person.person.massage()
    return float(
        sum(
            m
            for m, other in zip(massage, person.person.assigned, strict=True)
            if other.day <= night.day
        )
    )


def _carry_over(person: PersonComparison, settings: Settings) -> Found | None:
    return None if person.carry_over is None else Found(person.carry_over)


def _nights_of_use(night: ComparedNight, person: PersonComparison) -> float:
    """Massage nights among the seven before."""
    arms = person.person.arms
    return float(
        sum(
            other.received >= 0 and arms[other.received].massage
            for other in person.person.nights
            if 1 <= night.day - other.day <= 7
        )
    )


def _minutes_before_bed(night: ComparedNight, person: PersonComparison) -> float:
    """From the end of the massage to lights off, in half hours."""
    row = night.diary
    if not {"massage_start", "massage_min", "lights_off", "night"} <= row.keys():
        return math.nan
    off, start = (time_in_night(row["night"], row[c]) for c in ("lights_off", "massage_start"))
    return ((off - start).total_seconds() / 60 - float(row["massage_min"])) / 30


def _noted(column: str, per: float = 1.0) -> Callable[[ComparedNight, PersonComparison], float]:
    def of_night(night: ComparedNight, person: PersonComparison) -> float:
        value = night.diary.get(column, math.nan)
        return float(value) / per if isinstance(value, int | float) else math.nan

    return of_night


def _technique_used(night: ComparedNight, person: PersonComparison) -> float:
    """1 for the technique used most, 0 for another."""
    noted = [n.diary.get("technique") for n in person.person.assigned]
    known = sorted({t for t in noted if t}, key=lambda t: (-noted.count(t), t))
    if len(known) < 2 or not night.diary.get("technique"):
        return math.nan
    return float(night.diary["technique"] == known[0])


def _massaged_leg(person: PersonComparison, settings: Settings) -> Found | None:
    """The leg massaged against the other one, within nights.

    The logarithm of left over right is contrasted between nights with the left leg massaged
    (1), with the right one (-1) and with none (0): what differs between the legs anyway is the
    same in all nights and falls out.
    """
    nights = person.person
    sides = {"left": 1.0, "right": -1.0}
    level = np.array([sides.get(arm.side, math.nan) if arm.massage else 0.0 for arm in nights.arms])
    if not np.any(np.abs(level) == 1.0) or not nights.assigned:
        return None
    values = np.array([_left_over_right(night, settings) for night in nights.assigned])
    return Found.of_contrast(contrast(values, nights.contrasted(level), seed=settings.seed))


def _left_over_right(night: ComparedNight, settings: Settings) -> float:
    if night.left_out:
        return math.nan
    count, hours = COUNTED[settings.index]
    legs = []
    for leg in (night.left, night.right):
        if not (leg.get(hours, 0.0) >= settings.minimum_hours and leg.get(count, -1.0) >= 0):
            return math.nan
        legs.append(log_rate(leg[count], leg[hours]))
    return legs[0] - legs[1]


def _severity(person: PersonComparison) -> float:
    """IRLS total, in tens of points."""
    return float(person.person.about.get("irls_total", math.nan)) / 10


def _run_in_level(person: PersonComparison) -> float:
    """Mean log rate of the run-in nights: nights that are no part of the contrast."""
    rates = [
        log_rate(n.count, n.hours)
        for n in person.person.nights
        if n.left_out == "a night of the run-in" and n.hours > 0 and n.count >= 0
    ]
    return float(np.mean(rates)) if rates else math.nan


def _medicated(person: PersonComparison) -> float:
    return float(person.person.about.get("rls_medication", math.nan))


#: The claims, in the words of their proponents, with what each needs and how it is asked.
CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C1",
        "fewer episodes, lower frequency and severity",
        "nights of both conditions with lights off and on; a symptom rating",
        (
            _by_condition(rate("plms_per_hour")),
            _by_condition(rate("plmw_per_hour")),
            _by_condition(rate("lm_per_hour_tib")),
            _by_condition(diary("symptoms")),
        ),
    ),
    Claim(
        "C2",
        "fewer involuntary movements",
        "the legs and the placement of the devices, the same on all nights",
        (
            _by_condition(rate("lm_per_hour_tib")),
            _by_condition(index("periodicity_index_movements")),
            _by_condition(index("ln_imi_mean", "ln s")),
            _by_condition(index("plm_duration_mean_s", "s")),
        ),
    ),
    Claim(
        "C3",
        "falls asleep faster",
        "lights off, or diary_sol_min",
        (
            _by_condition(index("sleep_onset_latency_min", "min")),
            _by_condition(diary("diary_sol_min", "min")),
        ),
    ),
    Claim(
        "C4",
        "sleeps better",
        "lights off and on, or the sleep diary (diary_waso_min, diary_quality)",
        (
            _by_condition(index("sleep_efficiency")),
            _by_condition(index("waso_min", "min")),
            _by_condition(index("sleep_hours", "h")),
            _by_condition(index("awakenings", "awakenings")),
            _by_condition(diary("diary_quality")),
            _by_condition(diary("diary_waso_min", "min")),
        ),
    ),
    Claim(
        "C5",
        "regular use matters",
        "condition_received on every night, six nights or more",
        (_slope_on(None, _nights_of_use, "for each massage night in the last 7", ""),),
    ),
    Claim(
        "C6",
        "relief after few sessions",
        "a randomized plan of two blocks or more",
        (
            Question("primary index, first block alone", "ratio", "", True, _first_block),
            _slope_on(None, _by_session, "for each further session", "", massage_nights_only=True),
        ),
    ),
    Claim(
        "C7",
        "long-term relief, or it wears off",
        "nights in a row, some of them after a massage night and some not",
        (Question("primary index after a massage night", "ratio", "", True, _carry_over),),
    ),
    Claim(
        "C8",
        "before bed is the right time",
        "massage_start, massage_min and lights_off, or arms that differ in timing",
        (
            _by_arm("timing"),
            _slope_on(
                None,
                _minutes_before_bed,
                "for each half hour from massage to lights off",
                "",
                massage_nights_only=True,
            ),
        ),
    ),
    Claim(
        "C9",
        "start low, raise slowly",
        "intensity and soreness",
        (
            _slope_on(
                diary("soreness"),
                _noted("intensity"),
                "for each point of intensity",
                "points",
                massage_nights_only=True,
            ),
        ),
    ),
    Claim(
        "C10",
        "the technique matters",
        "arms that differ in technique, or technique noted each night",
        (
            _by_arm("technique"),
            _slope_on(
                None,
                _technique_used,
                "with the technique used most against others",
                "",
                massage_nights_only=True,
            ),
        ),
    ),
    Claim(
        "C11",
        "the area matters",
        "an arm with one leg massaged and both legs recorded, or arms that differ in areas",
        (
            Question(
                "primary index, massaged leg over the other", "ratio", "", True, _massaged_leg
            ),
            _by_arm("areas"),
        ),
    ),
    Claim(
        "C12", "too much makes sore", "soreness each morning", (_by_condition(diary("soreness")),)
    ),
    Claim(
        "C13",
        "helps severe cases too",
        "several persons with irls_total, or with run-in nights",
        (
            _between_persons(_severity, "for each 10 points of irls_total"),
            _between_persons(_run_in_level, "for each e-fold of the run-in rate"),
        ),
    ),
    Claim(
        "C14",
        "combine with stretching, exercise, warm bath, relaxation",
        "minutes of stretching, exercise or bath that differ between nights",
        tuple(
            _slope_on(None, _noted(column, 30), f"for each half hour of {column}", "")
            for column in ("stretching", "exercise", "bath")
        ),
    ),
    Claim(
        "C15",
        "caffeine and alcohol are triggers",
        "caffeine or alcohol that differ between nights",
        (
            _slope_on(None, _noted("caffeine", 100), "for each 100 mg of caffeine", ""),
            _slope_on(None, _noted("alcohol"), "for each drink", ""),
        ),
    ),
    Claim(
        "C16",
        "compatible with medication",
        "several persons with rls_medication, some yes and some no",
        (_between_persons(_medicated, "with medication against without"),),
    ),
    Claim("C17", "less stress", "stress each evening", (_by_condition(diary("stress")),)),
    Claim(
        "C18",
        "the partner sleeps better",
        "partner_rating each night",
        (_by_condition(diary("partner_rating")),),
    ),
)
