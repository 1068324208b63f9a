"""The columns of a study's tables: what each holds, in which unit, with which levels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

#: How a missing value is written.
MISSING = "n/a"

#: Condition of the nights before the first assigned one, in which nothing is compared.
RUN_IN = "run_in"

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")

#: A night runs from noon to noon.
_NOON = time(12)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    description : str
    kind : str
        ``id``, ``text``, ``date``, ``clock`` (a time of day, or a date and a time), ``number``,
        ``yes_no``, ``level`` (one of `levels`) or ``levels`` (some of them, joined by +).
    units : str
    levels : mapping of str to str
        What each level means.
    minimum, maximum : float
    required : bool
        Whether the column must be there, and a value in every row.
    """

    name: str
    description: str
    kind: str = "text"
    units: str = ""
    levels: Mapping[str, str] | None = None
    minimum: float = -math.inf
    maximum: float = math.inf
    required: bool = False

    def dictionary_entry(self) -> dict[str, Any]:
        """Return the column's entry in a data dictionary, as BIDS lays it out."""
        entry: dict[str, Any] = {"Description": self.description}
        if self.units:
            entry["Units"] = self.units
        if self.levels:
            entry["Levels"] = dict(self.levels)
        entry["Required"] = self.required
        return entry

    def with_levels(self, levels: Mapping[str, str]) -> Column:
        """Return the column with the levels of the study at hand."""
        return replace(self, levels=levels)

    def expected(self) -> str:
        """Say in words what a cell of the column holds."""
        if self.kind in ("level", "levels") and self.levels:
            joined = " (several joined by +)" if self.kind == "levels" else ""
            return f"one of {', '.join(self.levels)}{joined}"
        if self.kind == "number":
            low, high = self.minimum, self.maximum
            if math.isfinite(low) and math.isfinite(high):
                return f"a number from {low:g} to {high:g}"
            return f"a number of at least {low:g}" if math.isfinite(low) else "a number"
        return {
            "id": "letters, digits, - and _",
            "date": "a date such as 2026-03-01",
            "clock": "a time such as 22:45, or a date and a time such as 2026-03-01T22:45",
            "yes_no": "yes or no",
        }.get(self.kind, "text")

    def parse(self, text: str) -> Any:
        """Read one cell that is not missing.

        Raises
        ------
        ValueError
            Where the cell does not fit `expected`.
        """
        if self.kind == "number":
            number = float(text)
            if not self.minimum <= number <= self.maximum or not math.isfinite(number):
                raise ValueError(text)
            return number
        if self.kind == "date":
            if len(text) != len("2026-03-01"):
                raise ValueError(text)
            return date.fromisoformat(text)
        if self.kind == "clock":
            return text if _CLOCK.fullmatch(text) else datetime.fromisoformat(text)
        if self.kind == "yes_no":
            return {"yes": True, "no": False, "1": True, "0": False}[text.lower()]
        if self.kind == "id" and not _IDENTIFIER.fullmatch(text):
            raise ValueError(text)
        if self.levels and self.kind in ("level", "levels"):
            spelled = {level.lower(): level for level in self.levels}
            parts = text.split("+") if self.kind == "levels" else [text]
            return "+".join(spelled[part.strip().lower()] for part in parts)
        return text


def time_in_night(night: date, clock: str | datetime) -> datetime:
    """Place a time of day in the night that begins at noon of its evening date.

    Parameters
    ----------
    night : date
        The evening's date.
    clock : str or datetime
        A value of a ``clock`` column.

    Returns
    -------
    datetime
        On the wall clock, without a zone.
    """
    if isinstance(clock, datetime):
        return clock.replace(tzinfo=None)
    moment = time.fromisoformat(clock.zfill(5) if clock.count(":") == 1 else clock.zfill(8))
    return datetime.combine(night if moment >= _NOON else night + timedelta(days=1), moment)


def night_of(moment: datetime) -> date:
    """Return the evening date of the noon-to-noon night that holds a moment."""
    return (moment - timedelta(hours=12)).date()


_TEN = "0 (none) to 10 (worst imaginable)"

PARTICIPANTS: tuple[Column, ...] = (
    Column("participant_id", "Code of the person; no name", "id", required=True),
    Column("first_night", "Evening date of the first night in the study", "date"),
    Column("age_band", "Age in bands of ten years, such as 40-49"),
    Column(
        "sex",
        "Sex",
        "level",
        levels={"female": "Female", "male": "Male", "other": "Neither, or not said"},
    ),
    Column(
        "irls_total",
        "Total of the International RLS severity scale; the licensed items are not stored",
        "number",
        "points",
        minimum=0,
        maximum=40,
    ),
    Column("rls_medication", "Whether any medication against restless legs is taken", "yes_no"),
)

NIGHTS: tuple[Column, ...] = (
    Column("participant_id", "Code of the person, as in participants.tsv", "id", required=True),
    Column("night", "Date of the evening on which the night begins", "date", required=True),
    Column(
        "condition_assigned",
        "The arm that the plan gave this night",
        "level",
        levels={"massage": "Massage before bed", "control": "No massage", RUN_IN: "Before it"},
    ),
    Column(
        "condition_received",
        "The arm that the night was in fact",
        "level",
        levels={"massage": "Massage before bed", "control": "No massage", RUN_IN: "Before it"},
    ),
    Column("lights_off", "When the light went out to sleep", "clock", "local time"),
    Column("lights_on", "When the person got up for good", "clock", "local time"),
    Column("massage_start", "When the massage began", "clock", "local time"),
    Column("massage_min", "How long the massage took", "number", "min", minimum=0, maximum=600),
    Column(
        "technique",
        "Technique of the massage",
        "levels",
        levels={
            "effleurage": "Long light strokes",
            "deep_tissue": "Slow deep pressure",
            "myofascial": "Held stretch of the fascia, foam roller",
            "reflex_points": "Reflex points of the foot",
            "compression": "Pneumatic or bandage compression",
            "vibration": "Vibrating device",
            "other": "Anything else",
        },
    ),
    Column(
        "areas",
        "Areas massaged",
        "levels",
        levels={
            "foot": "Foot",
            "calf": "Calf",
            "thigh": "Thigh, front or side",
            "hamstring": "Thigh, back",
            "glute": "Buttock",
        },
    ),
    Column(
        "side",
        "Leg massaged",
        "level",
        levels={"left": "Left leg", "right": "Right leg", "both": "Both legs"},
    ),
    Column(
        "provider",
        "Who massaged",
        "level",
        levels={
            "self": "The person",
            "partner": "A partner or friend",
            "therapist": "A professional",
            "device": "A device alone",
        },
    ),
    Column("device", "Massage device, if any"),
    Column("intensity", f"Intensity of the massage, {_TEN}", "number", "", None, 0, 10),
    Column("soreness", f"Soreness of the legs next morning, {_TEN}", "number", "", None, 0, 10),
    Column("adverse_event", "Anything untoward, in words"),
    Column("caffeine", "Caffeine since noon", "number", "mg", minimum=0),
    Column("alcohol", "Alcohol since noon", "number", "standard drinks", minimum=0),
    Column("exercise", "Exercise that day", "number", "min", minimum=0, maximum=1440),
    Column("stretching", "Stretching that evening", "number", "min", minimum=0, maximum=1440),
    Column("bath", "Warm bath that evening", "number", "min", minimum=0, maximum=1440),
    Column("medication_change", "Whether any medication was changed that day", "yes_no"),
    Column("stress", f"Stress that evening, {_TEN}", "number", "", None, 0, 10),
    Column("symptoms", f"Restless legs that evening and night, {_TEN}", "number", "", None, 0, 10),
    Column("diary_sol_min", "Time to fall asleep by the diary", "number", "min", None, 0, 1440),
    Column("diary_waso_min", "Awake after that by the diary", "number", "min", None, 0, 1440),
    Column(
        "diary_quality",
        "Quality of sleep, 1 (very poor) to 5 (very good)",
        "number",
        "",
        None,
        1,
        5,
    ),
    Column(
        "partner_rating",
        "How the partner slept, 0 (very badly) to 10 (very well)",
        "number",
        "",
        None,
        0,
        10,
    ),
    Column("exclude", "Whether the night is to be left out", "yes_no"),
    Column("exclude_reason", "Why, decided without knowing the result"),
)

RECORDINGS: tuple[Column, ...] = (
    Column("participant_id", "Code of the person, as in participants.tsv", "id", required=True),
    Column("file", "Recording, relative to the study folder", required=True),
    Column(
        "leg",
        "Leg that wore the device",
        "level",
        levels={"left": "Left leg", "right": "Right leg"},
        required=True,
    ),
    Column(
        "placement",
        "Where on the leg",
        "level",
        levels={"ankle": "Ankle", "toe": "Big toe", "foot": "Foot"},
        required=True,
    ),
    Column("device", "Maker and model of the device"),
    Column(
        "clock",
        "Zone that the device's clock kept, and its known error, such as Europe/Berlin or "
        "Europe/Berlin +12.5 (seconds ahead)",
    ),
    Column(
        "time_zone",
        "Zone of the sleeper's clock, such as Europe/Berlin, where it is not that of the study",
    ),
    Column(
        "start", "Wall time of the first sample, such as 2026-03-01T22:30, if the file has none"
    ),
    Column("columns", "Of a table of text the columns TIME,X,Y,Z, by names or numbers from 1"),
    Column("unit", "Of a table of text: g, mg, m/s2, or how many counts make 1 g"),
    Column("date_order", "Of a table of text with dates such as 3/4/2026: ymd, dmy or mdy"),
    Column("where", "Of a table of text the rows to read, COLUMN=VALUE"),
    Column(
        "sleep",
        "Hypnogram or scored events of its night by a laboratory, relative to the study folder",
    ),
)

#: The columns of each table of a study folder.
TABLES: dict[str, tuple[Column, ...]] = {
    "participants.tsv": PARTICIPANTS,
    "nights.tsv": NIGHTS,
    "recordings.tsv": RECORDINGS,
}
