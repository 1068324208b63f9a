"""A comparison and the nights behind it, as the pages of persons and studies need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rlsmove.comparison.person_nights import ComparedNight, PersonNights
from rlsmove.comparison.study_nights import night_results, study_nights
from rlsmove.errors import StudyError
from rlsmove.io.provenance import sha256_of
from rlsmove.records import Notice
from rlsmove.results.night_json import RECORD_FILE
from rlsmove.study.folder import COMPARISON, COUNTED, RESULTS, Study, read_json, read_study
from rlsmove.study.plan import PLAN, read_plan

STUDY_FILE = "study.json"

#: What a comparison.json must hold for its pages to be made.
_NEEDED = {
    "settings": dict,
    "persons": dict,
    "claims": list,
    "sensitivity": list,
    "plan": dict,
    "provenance": dict,
}
_PERSON_NEEDS = ("ratio", "ratio_low", "ratio_high", "p", "verdict", "sentence", "excluded")


@dataclass(frozen=True)
class NightStanding:
    """One night of a person, and what became of it.

    Attributes
    ----------
    night : ComparedNight
        Diary and indices.
    condition : str
        The arm that it was assigned to; empty for none.
    massage : bool or None
        Whether that arm has massage; None for none.
    why_not : str
        Why it is not compared; empty where it is.
    folder : Path or None
        Where its results are.
    """

    night: ComparedNight
    condition: str
    massage: bool | None
    why_not: str
    folder: Path | None

    @property
    def rate(self) -> float | None:
        """Movements per hour; None where they are not known."""
        count, hours = self.night.count, self.night.hours
        return count / hours if hours > 0 and count >= 0 else None


@dataclass(frozen=True)
class StudyFacts:
    """A comparison, and the nights behind it where there is a study folder.

    Attributes
    ----------
    study : Study or None
        None for a comparison of a plain table.
    comparison : dict
        The content of comparison.json.
    persons : dict of str to PersonNights
        Nights by participant; empty without a study folder.
    notices : list of Notice
        What a reader should know of the files.
    """

    study: Study | None
    comparison: dict[str, Any]
    persons: Mapping[str, PersonNights]
    notices: list[Notice]

    @property
    def simulated(self) -> bool:
        """Whether the data are simulated."""
        return bool(self.comparison.get("simulated"))

    def standings(self, participant_id: str) -> list[NightStanding]:
        """List the nights of one person in the order of time."""
        person = self.persons.get(participant_id)
        if person is None:
            return []
        excluded = {
            str(entry.get("night")): str(entry.get("reason"))
            for entry in self.comparison["persons"].get(participant_id, {}).get("excluded", [])
        }
        return [
            NightStanding(
                night=night,
                condition=person.arms[night.arm].name if night.arm >= 0 else "",
                massage=person.arms[night.arm].massage if night.arm >= 0 else None,
                why_not=night.left_out or night.failed or excluded.get(night.night, ""),
                folder=self._folder(participant_id, night.night),
            )
            for night in person.nights
        ]

    def _folder(self, participant_id: str, night: str) -> Path | None:
        if self.study is None:
            return None
        folder = night_results(self.study, participant_id, date.fromisoformat(night))
        return folder if (folder / RECORD_FILE).exists() else None

    def flow(self) -> dict[str, Any]:
        """Count nights from the diary and the plan to those that were compared.

        Returns
        -------
        dict
            ``known``, ``without_result`` and ``left_out`` (with their reasons, each counted),
            ``massage`` and ``control``, what was compared.
        """
        every = [standing for name in self.persons for standing in self.standings(name)]
        failed = [standing.night.failed for standing in every if standing.night.failed]
        left_out = [
            standing.why_not for standing in every if standing.why_not and not standing.night.failed
        ]
        compared = [standing for standing in every if not standing.why_not]
        return {
            "known": len(every),
            "without_result": Counter(failed).most_common(),
            "recorded": len(every) - len(failed),
            "left_out": Counter(left_out).most_common(),
            "massage": sum(standing.massage is True for standing in compared),
            "control": sum(standing.massage is False for standing in compared),
        }


def read_study_facts(folder: Path) -> StudyFacts:
    """Read what the pages of a study or of its persons show.

    Parameters
    ----------
    folder : Path
        A study folder, or one with a comparison.json alone.

    Raises
    ------
    StudyError
        There is no comparison yet, or a file cannot be used.
    """
    if not (folder / STUDY_FILE).exists():
        comparison = _comparison(folder / COMPARISON.name)
        return StudyFacts(None, comparison, {}, _about_extent(comparison))
    study = read_study(folder)
    comparison = _comparison(folder / COMPARISON)
    plan, notices = None, _about_extent(comparison)
    try:
        plan = read_plan(study)
    except StudyError as error:
        notices.append(Notice("plan_unusable", str(error)))
    index = str(comparison["settings"].get("index", study.primary_index))
    persons = {
        person.participant_id: person
        for person in study_nights(study, plan, index if index in COUNTED else "plms_per_hour")
    }
    stale = _changed_since(comparison, folder)
    if stale:
        notices.append(
            Notice(
                "comparison_is_older",
                f"{', '.join(stale)} changed after the comparison was made; "
                "`rlsmove compare` makes it anew",
            )
        )
    return StudyFacts(study, comparison, persons, notices)


def _comparison(path: Path) -> dict[str, Any]:
    """Read a comparison.json and see that it is one."""
    if not path.exists():
        raise StudyError(
            path,
            "there is no comparison yet",
            advice="`rlsmove compare STUDY` makes it, after `rlsmove batch STUDY`",
        )
    comparison = read_json(path)
    for name, kind in _NEEDED.items():
        if not isinstance(comparison.get(name), kind):
            raise StudyError(
                path,
                f"it has no {name}",
                expected="a comparison.json of this version",
                advice="`rlsmove compare` makes it anew",
            )
    for participant_id, person in comparison["persons"].items():
        missing = [n for n in _PERSON_NEEDS if not isinstance(person, dict) or n not in person]
        if missing:
            raise StudyError(
                path,
                f"without {', '.join(missing)}",
                place=f"persons, {participant_id}",
                advice="`rlsmove compare` makes it anew",
            )
    return comparison


def _about_extent(comparison: Mapping[str, Any]) -> list[Notice]:
    """Say that nights are yet to come, where the table that was compared says so."""
    told = comparison.get("incomplete")
    return [Notice("table_not_complete", str(told))] if told else []


def _changed_since(comparison: Mapping[str, Any], folder: Path) -> list[str]:
    """Name the files of the study that are not those that the comparison was made from."""
    made_from = {
        entry.get("file"): entry.get("sha256")
        for entry in comparison["provenance"].get("inputs") or []
        if isinstance(entry, dict)
    }
    changed = []
    for name in (STUDY_FILE, PLAN, "participants.tsv", "nights.tsv", RESULTS.as_posix()):
        path = folder / name
        if (sha256_of(path) if path.is_file() else None) != made_from.get(path.name):
            changed.append(name)
    return changed
