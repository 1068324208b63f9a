"""The plan: which night gets which arm and all else that was fixed, drawn once and frozen.

plan.json holds what was fixed beforehand and, entry by entry, what was added or amended later; the
nights of every person follow from it and are drawn anew whenever it is read.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rlsmove.errors import SettingError, StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text, plain
from rlsmove.io.provenance import sha256_of
from rlsmove.study.columns import RUN_IN
from rlsmove.study.folder import SCHEMA_VERSION, Study, read_json
from rlsmove.study.scheme import Scheme, draw_nights, extended, make_scheme, person_key
from rlsmove.study.tables import table_text

PLAN = "plan.json"

#: Seed and schedule of a plan that is concealed until its end.
SECRET = "plan.secret"

#: Entries of study.json that are fixed when the plan is frozen.
FIXED = ("arms", "primary_index", "worthwhile_ratio", "exclusion_rules", "rules", "looks")

#: How the nights are analysed: by redrawing all sequences, missing nights missing in each.
ANALYSIS = "randomisation test over all sequences of the scheme, missing nights missing in each"

#: What becomes of a night that did not go as planned: fixed with the plan, and shown where the
#: question comes up.
NIGHT_RULES = {
    "missed": "A night without a recording stays in the plan and is missing. It is not made up, "
    "and the nights after it keep their conditions.",
    "swapped": "Enter what was received in condition_received. The primary analysis goes by what "
    "was assigned; the one by what was received stands beside it.",
    "ill": "An ill night, or one with a new medication, counts. Write it down; set exclude to yes "
    "with its reason only before anybody has looked at the results.",
}

#: Nights listed by name in a sentence of what has changed.
_MOST_NAMED = 20


def first_nights(study: Study, start: date | None, known: tuple[str, ...] = ()) -> dict[str, date]:
    """Return the evening date on which each person begins.

    Parameters
    ----------
    study : Study
    start : date or None
        For every person whose first_night in participants.tsv is not given.
    known : tuple of str
        Persons who are in a plan already and are passed over.

    Raises
    ------
    StudyError
        There is nobody in participants.tsv, somebody without a first night, or a row that cannot
        be planned: nobody is left out without a word.
    """
    path = study.path / "participants.tsv"
    bad = [p for p in study.problems if p.file == "participants.tsv" and not p.only_notice]
    if bad:
        raise StudyError(
            path,
            "; ".join(f"row {p.row}, {p.column or 'row'}: {p.found}" for p in bad[:5]),
            expected="every row in order before the plan is drawn",
            advice="`rlsmove study check` lists everything",
        )
    rows = [r for r in study.tables["participants.tsv"].rows if "participant_id" in r.cells]
    if not rows:
        raise StudyError(
            path,
            "there is nobody in it",
            expected="a row for each person, before the plan is drawn",
        )
    first = {
        row.cells["participant_id"]: row.get("first_night", start)
        for row in rows
        if row.cells["participant_id"] not in known
    }
    lacking = [name for name, night in first.items() if night is None]
    if lacking:
        raise StudyError(
            path,
            f"no first night for {', '.join(lacking)}",
            expected="first_night of each person, or --start for all",
        )
    return first


def new_seed() -> int:
    """Draw the seed of a plan from the system's entropy."""
    return secrets.randbits(64)


def plan_content(
    study: Study,
    scheme: Scheme,
    seed: int,
    first_nights: Mapping[str, date],
    shows: Mapping[str, Any],
    *,
    made: datetime | None = None,
    draw_version: int = 2,
) -> dict[str, Any]:
    """Return the content of plan.json: all that is fixed, every schedule, what it can show.

    Parameters
    ----------
    study : Study
    scheme : Scheme
    seed : int
        From `new_seed`; another one for simulations.
    first_nights : mapping of str to date
        Evening date of each person's first night.
    shows : mapping
        What the plan was said to be able to show.
    made : datetime, optional
        When it was drawn; left out of simulations, so that they repeat byte by byte.
    draw_version : int
        One of `scheme.DRAW_VERSIONS`.
    """
    planned = {
        "schema_version": SCHEMA_VERSION,
        "study": study.study_id,
        "made": None if made is None else made.isoformat(timespec="seconds"),
        "scheme": asdict(scheme),
        "seed": seed,
        "draw": {
            "version": draw_version,
            "keys": {
                name: person_key(study.study_id, name, seed, draw_version) for name in first_nights
            },
        },
        "first_nights": {name: first.isoformat() for name, first in first_nights.items()},
        "fixed": {name: study.about.get(name) for name in FIXED} | {"analysis": ANALYSIS},
        "night_rules": dict(NIGHT_RULES),
        "shows": dict(shows),
        "amendments": [],
    }
    content: dict[str, Any] = plain(planned)
    participants = _drawn(content)
    over = 0 if made is None else _nights_over(study, participants)
    return {**content, "over_recorded_nights": over, "participants": participants}


def _nights_over(study: Study, participants: Mapping[str, Any]) -> int:
    """How many of the planned nights have a result already."""
    if study.results is None:
        return 0
    scored = {(r.text.get("participant_id"), r.text.get("night")) for r in study.results.rows}
    return sum(
        (name, night["night"]) in scored
        for name, person in participants.items()
        for night in person["schedule"]
    )


def _drawn(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The nights of every person, as scheme, keys and amendments give them."""
    scheme = _scheme_of(content["scheme"])
    keys = content["draw"]["keys"]
    persons = {
        name: {
            "first_night": first,
            "schedule": draw_nights(scheme, keys[name], date.fromisoformat(first)),
        }
        for name, first in content["first_nights"].items()
    }
    for number, entry in enumerate(content["amendments"]):
        if entry["kind"] == "participants":
            for name, first in entry["first_nights"].items():
                schedule = draw_nights(scheme, entry["keys"][name], date.fromisoformat(first))
                persons[name] = {"first_night": first, "schedule": schedule}
        elif entry["kind"] == "nights":
            more = extended(scheme, entry["nights"])
            for name, person in persons.items():
                if name in entry["keys"]:
                    person["schedule"] = person["schedule"] + _added(
                        more, entry["keys"][name], person["schedule"]
                    )
        elif entry["kind"] != "fixed":
            raise ValueError(f"amendment {number + 1} is of kind {entry['kind']!r}")
    return persons


def _added(scheme: Scheme, key: str, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    next_night = date.fromisoformat(before[-1]["night"]) + timedelta(days=1)
    after = (max(n["block"] for n in before), max(n["period"] for n in before))
    return draw_nights(scheme, key, next_night, after=after, run_in=False)


def _scheme_of(given: Mapping[str, Any]) -> Scheme:
    about = dict(given)
    kind, arms, nights = about.pop("kind"), tuple(about.pop("arms")), about.pop("nights")
    return make_scheme(kind, arms, nights, **about)


def amended(
    content: Mapping[str, Any], entry: Mapping[str, Any], *, reason: str, after_results: bool
) -> dict[str, Any]:
    """Add an entry to a plan.

    Parameters
    ----------
    content : mapping
        Of plan.json as it is.
    entry : mapping
        ``kind`` and what goes with it.
    reason : str
        Why.
    after_results : bool
        Whether results of nights existed by then.
    """
    whole = {
        **entry,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "reason": reason,
        "after_results": after_results,
        "digest_before": _digest(content),
    }
    longer = {**content, "amendments": [*content["amendments"], whole]}
    return {**longer, "participants": _drawn(longer)}


def participants_entry(
    study: Study, content: Mapping[str, Any], new: Mapping[str, date]
) -> dict[str, Any]:
    """The entry that adds persons to a plan."""
    version = content["draw"]["version"]
    return {
        "kind": "participants",
        "first_nights": {name: first.isoformat() for name, first in new.items()},
        "keys": {name: person_key(study.study_id, name, content["seed"], version) for name in new},
    }


def nights_entry(study: Study, content: Mapping[str, Any], nights: int) -> dict[str, Any]:
    """The entry that adds nights for every person, drawn by keys of their own.

    Raises
    ------
    SettingError
        As `scheme.extended`.
    """
    extended(_scheme_of(content["scheme"]), nights)
    stage = f"nights {len(content['amendments']) + 1}"
    keys = {
        name: person_key(f"{study.study_id}\0{stage}", name, content["seed"])
        for name in content["participants"]
    }
    return {"kind": "nights", "nights": nights, "keys": keys}


def fixed_entry(study: Study, content: Mapping[str, Any]) -> dict[str, Any]:
    """The entry that takes over what study.json says now.

    Raises
    ------
    SettingError
        It says what the plan says.
    """
    now = _fixed_now(content)
    changed = {
        name: study.about.get(name) for name in FIXED if study.about.get(name) != now.get(name)
    }
    if not changed:
        raise SettingError("--amend", "study.json says what the plan says: nothing to amend")
    return {"kind": "fixed", "fixed": changed}


def _fixed_now(content: Mapping[str, Any]) -> dict[str, Any]:
    fixed = dict(content["fixed"])
    for entry in content["amendments"]:
        fixed |= entry.get("fixed") or {}
    return fixed


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_text(content).encode()).hexdigest()


def freeze_plan(study: Study, content: Mapping[str, Any], *, conceal: bool = False) -> str:
    """Write plan.json, its digest into study.json, and the planned nights into nights.tsv.

    Parameters
    ----------
    study : Study
    content : mapping
        From `plan_content`.
    conceal : bool
        Whether conditions stay hidden: plan.secret then holds the seed and the schedule, plan.json
        the commitment to it, and nights.tsv no condition.

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
            advice="A plan is drawn once. Persons and nights can be added to it: "
            "`rlsmove plan STUDY --add`, `--more-nights N`",
        )
    if conceal:
        return _write(study, concealed(content), {study.path / SECRET: json_text(content)})
    return _write(study, content, {})


def write_amended(study: Study, content: Mapping[str, Any]) -> str:
    """Write a plan with one entry more; returns its SHA-256.

    Raises
    ------
    StudyError
        As `freeze_plan`, for the nights.
    """
    return _write(study, content, {})


def concealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The plan without what tells the conditions, and with the commitment to it."""
    hidden = {name: value for name, value in content.items() if name not in ("seed", "draw")}
    hidden["participants"] = {
        name: {
            **person,
            "schedule": [
                {**night, "arm": night["arm"] if night["arm"] == RUN_IN else None}
                for night in person["schedule"]
            ],
        }
        for name, person in content["participants"].items()
    }
    return {**hidden, "commitment": _digest(content)}


def reveal_plan(study: Study) -> str:
    """Write the plan that was concealed in full, once it is shown to be the one committed to.

    Returns
    -------
    str
        SHA-256 of plan.json.

    Raises
    ------
    StudyError
        The plan is not concealed, or plan.secret is missing or another one.
    """
    content = secret_content(study)
    commitment = read_json(study.path / PLAN)["commitment"]
    return _write(study, {**content, "commitment": commitment}, {})


def secret_content(study: Study) -> dict[str, Any]:
    """Read the content of a concealed plan from plan.secret.

    Raises
    ------
    StudyError
        The plan is not concealed, or plan.secret is missing or another one.
    """
    commitment = read_json(study.path / PLAN).get("commitment")
    if commitment is None:
        raise StudyError(study.path / PLAN, "this plan is not concealed")
    path = study.path / SECRET
    if not path.exists():
        raise StudyError(
            path,
            "there is no such file",
            expected="the schedule that the plan was concealed with",
            advice="Whoever keeps it has to put it back: without it the plan cannot be revealed",
        )
    content: dict[str, Any] = read_json(path)
    if _digest(content) != commitment:
        raise StudyError(
            path,
            f"its SHA-256 is {_digest(content)[:12]}...",
            expected=f"{commitment[:12]}..., to which plan.json is committed",
        )
    return content


def _write(study: Study, content: Mapping[str, Any], others: Mapping[Path, str]) -> str:
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
            if planned["arm"] is None:
                continue
            stands = row.get("condition_assigned", "n/a").lower()
            if stands not in ("", "n/a", planned["arm"].lower()):
                raise StudyError(
                    study.path / "nights.tsv",
                    f"{participant_id} {planned['night']} is {stands}",
                    expected=f"{planned['arm']}, as drawn, or n/a",
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
            **others,
        }
    )
    return digest


@dataclass(frozen=True)
class FrozenPlan:
    """A plan as found in a study folder.

    Attributes
    ----------
    scheme : Scheme
        Of all nights, added ones too.
    seed : int or None
        None while it is concealed.
    participants : dict
        By participant_id: ``first_night`` and ``schedule``, as drawn anew from scheme and keys;
        arms are None while they are concealed.
    fixed : dict
        The entries of study.json that were fixed, as amended; empty in plans of version 1.
    digest : str
        SHA-256 of plan.json as it is now.
    made : str
        When it was drawn, in UTC; empty where it is not known.
    amendments : tuple of dict
        Entries added later, in their order.
    changes : tuple of str
        What is known to have changed since it was frozen; empty where nothing has.
    over_recorded_nights : int
        How many of its nights had a result when it was drawn.
    concealed : bool
        Whether the conditions are still hidden.
    shows : str
        What the plan was said to be able to show.
    night_rules : dict of str
        What becomes of a night that did not go as planned, as fixed with the plan; today's rules
        where an earlier version fixed none.
    """

    scheme: Scheme
    seed: int | None
    participants: dict[str, dict[str, Any]]
    fixed: dict[str, Any]
    digest: str
    made: str
    amendments: tuple[dict[str, Any], ...]
    changes: tuple[str, ...]
    over_recorded_nights: int
    concealed: bool
    shows: str
    night_rules: dict[str, str]

    def as_fixed(self, study: Study) -> Study:
        """The study with what the plan fixed in the place of what study.json says now."""
        return replace(study, about={**study.about, **{n: self.fixed[n] for n in self.fixed}})


def read_plan(study: Study) -> FrozenPlan | None:
    """Read the plan of a study, and find out whether it is the one that was frozen.

    The schedules are always drawn anew from scheme and keys, and what differs is named: the
    comparison goes by the draw, and by what the plan fixed, not by an edit.

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
    found = read_json(path)
    try:
        content = _of_version_1(study, found) if "draw" not in found else dict(found)
        hidden = "commitment" in found and "draw" not in found
        if hidden:
            content = dict(found)
        scheme = _scheme_of(content["scheme"])
        persons = {
            str(name): {
                "first_night": date.fromisoformat(person["first_night"]).isoformat(),
                "schedule": [_night(night) for night in person["schedule"]],
            }
            for name, person in found["participants"].items()
        }
        drawn = persons if hidden else _drawn(content)
        more = sum(e["nights"] for e in content["amendments"] if e["kind"] == "nights")
        changes = [] if hidden else _changes(study, found, content, persons, drawn)
        fixed = _fixed_now(content)
        amendments = tuple(dict(entry) for entry in content["amendments"])
        over = int(content.get("over_recorded_nights") or 0)
        night_rules = {
            str(k): str(v) for k, v in (content.get("night_rules") or NIGHT_RULES).items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, SettingError) as error:
        raise StudyError(
            PLAN, f"it is not a plan ({error})", expected="what `rlsmove plan` wrote"
        ) from None
    digest = sha256_of(path)
    if not frozen:
        changes.insert(0, "study.json has no digest of it: nothing shows that it was frozen")
    elif digest != frozen:
        changes.insert(0, "its SHA-256 is not the one in study.json: it was changed after freezing")
    changes += _other_fixed(study, fixed)
    changes += _digests_of_results(study, digest, amendments)
    shown = content.get("shows")
    return FrozenPlan(
        scheme=replace(scheme, nights=scheme.nights + more),
        seed=None if hidden else int(content["seed"]),
        participants=drawn,
        fixed={name: fixed[name] for name in FIXED if name in fixed},
        digest=digest,
        made=str(content.get("made") or ""),
        amendments=amendments,
        changes=tuple(changes),
        over_recorded_nights=over,
        concealed=hidden,
        shows=str(shown.get("sentence", "")) if isinstance(shown, dict) else "",
        night_rules=night_rules,
    )


def _night(night: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "night": date.fromisoformat(night["night"]).isoformat(),
        "arm": None if night["arm"] is None else str(night["arm"]),
        "block": int(night["block"]),
        "period": int(night["period"]),
    }


def _of_version_1(study: Study, found: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a plan that has no keys: they follow from its seed as they did then."""
    seed = int(found.get("seed") or 0)
    names = found["participants"]
    return {
        **found,
        "draw": {
            "version": 1,
            "keys": {name: person_key("", str(name), seed, 1) for name in names},
        },
        "first_nights": {name: person["first_night"] for name, person in names.items()},
        "fixed": {},
        "amendments": [],
    }


def _changes(
    study: Study,
    found: Mapping[str, Any],
    content: Mapping[str, Any],
    persons: Mapping[str, Any],
    drawn: Mapping[str, Any],
) -> list[str]:
    """What in plan.json is not what its own scheme, seed and entries give."""
    changes = _differences(persons, drawn)
    if "draw" in found and found["draw"].get("renamed") is not True:
        seed, version = int(content["seed"]), int(content["draw"]["version"])
        changes += [
            f"the key of {name} is not the one that the seed gives"
            for name, key in content["draw"]["keys"].items()
            if key != person_key(str(content["study"]), name, seed, version)
        ]
        if found["study"] != study.study_id:
            changes.append(f"it is the plan of {found['study']!r}, not of {study.study_id!r}")
    earlier = {**content, "amendments": []}
    if "commitment" in found:
        kept = {name: earlier[name] for name in found if name != "commitment"}
        if _digest({**kept, "participants": _drawn(earlier)}) != found["commitment"]:
            changes.append("it is not the plan that was committed to while it was concealed")
    for number, entry in enumerate(content["amendments"], start=1):
        before = {**earlier, "participants": _drawn(earlier)}
        if found.get("draw") and entry["digest_before"] != _digest(
            {name: before[name] for name in found if name in before}
        ):
            changes.append(f"what stood before entry {number} was changed after it was made")
        earlier = {**earlier, "amendments": [*earlier["amendments"], entry]}
    return changes


def _other_fixed(study: Study, fixed: Mapping[str, Any]) -> list[str]:
    """Where study.json says something else than the plan fixed."""
    return [
        f"study.json says {name} {json.dumps(study.about.get(name))}, where the plan fixed "
        f"{json.dumps(fixed[name])}: the comparison goes by the plan"
        for name in FIXED
        if name in fixed and study.about.get(name) != fixed[name]
    ]


def _digests_of_results(
    study: Study, digest: str, amendments: tuple[dict[str, Any], ...]
) -> list[str]:
    """Where results were made under a plan that this one does not descend from."""
    path = study.path / "derived" / "provenance.json"
    if not path.exists():
        return []
    try:
        seen = read_json(path).get("plan_digests")
    except StudyError:
        return []
    known = {digest, *(entry["digest_before"] for entry in amendments)}
    other = [one for one in seen if one not in known] if isinstance(seen, list) else []
    return [
        f"results were made under a plan with SHA-256 {one[:12]}..., from which this one does not "
        "descend"
        for one in other
    ]


def _differences(found: Mapping[str, Any], drawn: Mapping[str, Any]) -> list[str]:
    """Name the nights whose entry is not what scheme and key give."""
    sentences = [f"{name} is in it without a key" for name in found if name not in drawn]
    for participant_id, person in drawn.items():
        now = {n["night"]: n for n in (found.get(participant_id) or {"schedule": []})["schedule"]}
        before = {night["night"]: night for night in person["schedule"]}
        for night in sorted(set(now) | set(before)):
            stands, was = now.get(night), before.get(night)
            if stands != was:
                sentences.append(
                    f"{participant_id} {night} is {stands['arm'] if stands else 'gone'}, "
                    f"where scheme and seed give {was['arm'] if was else 'no night'}"
                )
    if len(sentences) > _MOST_NAMED:
        rest = len(sentences) - _MOST_NAMED
        return [*sentences[:_MOST_NAMED], f"and {rest} nights more"]
    return sentences
