"""Where the sensor and the diary disagree on a night's massage: the sensor is a witness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rlsmove.study.columns import time_in_night
from rlsmove.study.folder import Study
from rlsmove.study.problems import Problem
from rlsmove.study.tables import Row

#: Beginnings that lie no further apart are the same.
APART_MIN = 15.0


def massage_disagreements(study: Study) -> Iterator[Problem]:
    """Yield the nights on which the diary and the sensor say different things.

    Parameters
    ----------
    study : Study
        With its derived/nights.csv; without it there is nothing to yield.
    """
    if study.results is None:
        return
    massaged = {arm.name for arm in study.arms if arm.massage}
    diary = {
        (row.get("participant_id"), row.get("night")): row
        for row in study.tables["nights.tsv"].rows
    }
    for seen in study.results.rows:
        row = diary.get((seen.get("participant_id"), seen.get("night")))
        if row is None:
            continue
        received = row.get("condition_received") or row.get("condition_assigned")
        found = None if received is None else _disagreement(received in massaged, row, seen)
        if found is not None:
            yield Problem(
                study.results.name,
                seen.number,
                "massage_seen",
                f"{seen.get('participant_id')} {seen.get('night')}: {found}",
                only_notice=True,
            )


def _disagreement(massage: bool, diary: Row, seen: Row) -> str | None:
    """What the sensor says against the diary of one night; None where they agree."""
    witness = seen.get("massage_seen")
    kind, start = seen.get("massage_seen_kind"), seen.get("massage_seen_start")
    if witness == "yes" and not massage:
        return f"the sensor shows a massage ({kind}, from {start}) on a night without one"
    if witness == "no" and massage:
        return (
            "the sensor, recorded and worn before lights off, shows no massage on a massage night"
        )
    noted = diary.get("massage_start")
    if witness != "yes" or noted is None or not start:
        return None
    told = time_in_night(diary.cells["night"], noted)
    apart_min = (
        abs((datetime.fromisoformat(start).replace(tzinfo=None) - told).total_seconds()) / 60
    )
    if apart_min <= APART_MIN:
        return None
    return (
        f"the sensor shows a massage from {start}, {apart_min:.0f} minutes from the diary's "
        f"{told:%H:%M}"
    )
