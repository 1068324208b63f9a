"""A night of scored events, from the list to the indices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlsmove.events.event_lists import Events
from rlsmove.records import Intervals, Notice, Scoring
from rlsmove.rules import RuleSet
from rlsmove.scoring.deciding_moment import deciding_ms
from rlsmove.scoring.indices import Value, index_notices, night_indices
from rlsmove.scoring.intervals import complement, union
from rlsmove.scoring.night_tables import night_tables
from rlsmove.scoring.scored_movements import score_movements


@dataclass(frozen=True)
class ScoredNight:
    """What scoring makes of one night's events.

    Attributes
    ----------
    events : Events
        What was scored.
    rules : RuleSet
        What it was scored by.
    scoring : Scoring
        The movements.
    indices : dict
        As `night_indices` gives them.
    notices : tuple of Notice
        Of the list, and of the indices.
    """

    events: Events
    rules: RuleSet
    scoring: Scoring
    indices: dict[str, Value]
    notices: tuple[Notice, ...]


def score_events(events: Events, rules: RuleSet) -> ScoredNight:
    """Score the leg movements of an event list.

    Parameters
    ----------
    events : Events
        One night.
    rules : RuleSet
        A standard.
    """
    scoring = score_movements(
        events.movements,
        sleep=events.sleep,
        respiratory=events.respiratory,
        arousals=events.arousals,
        gaps=events.gaps,
        rules=rules,
    )
    indices = night_indices(
        scoring,
        sleep=events.sleep,
        analysable=recorded_time(events),
        rules=rules,
        from_signal=False,
    )
    notices = [*events.notices, *_scoring_notices(scoring, events, rules)]
    return ScoredNight(events, rules, scoring, indices, (*notices, *index_notices(indices)))


def event_tables(night: ScoredNight) -> dict[str, Any]:
    """Work out the tables of a scored event list, as `night_tables` does."""
    events = night.events
    return night_tables(
        night.scoring,
        sleep=events.sleep,
        analysable=recorded_time(events),
        rules=night.rules,
        respiratory=events.respiratory,
        arousals=events.arousals,
        start_time=events.start_time,
    )


def recorded_time(events: Events) -> Intervals:
    """Time in which a movement would have been marked: all that was recorded, but for gaps."""
    gaps = union(events.gaps.onset_ms, events.gaps.offset_ms)
    return complement(gaps, *events.span_ms)


def _scoring_notices(scoring: Scoring, events: Events, rules: RuleSet) -> list[Notice]:
    notices = []
    if scoring.n_short:
        notices.append(
            Notice(
                "short_movements",
                f"{scoring.n_short} leg movements shorter than {rules.lm_min_ms / 1000:g} s "
                "were dropped.",
            )
        )
    if rules.sleep_only and rules.in_sleep == "onset" and events.sleep is not None:
        end_ms = scoring.onset_ms + scoring.duration_ms
        reached = deciding_ms(
            scoring.onset_ms, end_ms, events.sleep, replace(rules, in_sleep="any_part")
        )
        if begun_awake := int(np.count_nonzero(reached != scoring.onset_ms)):
            notices.append(
                Notice(
                    "begins_in_wake",
                    f"{begun_awake} leg movements begin in wake and reach into sleep; by their "
                    "onset they are left out. --sleep-part any counts them.",
                )
            )
    if rules.sleep_only and (events.sleep is None or not len(events.sleep.stage)):
        notices.append(
            Notice(
                "sleep_unknown",
                f"{rules.name} counts movements in sleep only, but no stage is known; all count.",
            )
        )
    return notices
