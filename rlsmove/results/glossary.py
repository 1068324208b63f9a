"""Every field of the outputs, its unit and meaning; ``python -m rlsmove.results.glossary``.

Definitions that the code holds already, of the indices and of the rules' options, are taken from
there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import NamedTuple

from rlsmove.records import KINDS
from rlsmove.rules import RuleSet
from rlsmove.scoring import INDICES
from rlsmove.scoring.immobilization import IMMOBILIZATION_PART_MS
from rlsmove.scoring.threshold_range import NEAR, THRESHOLDS, TOLD


class Field(NamedTuple):
    """One field of an output.

    Attributes
    ----------
    name : str
        Its column, or its keys with points between; ``<side>`` and the like stand for any.
    unit : str
        Empty where it has none.
    meaning : str
        What it says; empty and null cells mean that it is not known.
    """

    name: str
    unit: str
    meaning: str


MOVEMENTS = (
    Field("onset_s", "s", "start, from the start of the (left) recording"),
    Field("duration_s", "s", "length, from the first onset to the last offset of its members"),
    Field("onset_time", "ISO 8601", "start by the recording's wall clock"),
    Field("side", "", "left, right, bilateral (a group of both legs) or unknown"),
    Field("kind", "", "what it was taken for: " + ", ".join(KINDS)),
    Field("n_monolateral", "", "movements of single legs in it"),
    Field("clm", "1, 0", "candidate leg movement (CLM) by the rules"),
    Field("plm", "1, 0", "periodic leg movement (PLM): member of a series"),
    Field("series", "", "number of its series, from 1; empty outside of series"),
    Field(
        "imi_s",
        "s",
        "inter-movement interval (IMI): from the onset of the candidate before; empty where none "
        "is measured (the first one, or across a non-candidate or a gap)",
    ),
    Field("sleep", "1, 0", "onset in sleep, in wake"),
    Field("stage", "", "sleep stage at its onset: W, N1, N2, N3, R, or S (sleep, stage unknown)"),
    Field("respiratory", "1, 0", "beside a respiratory event; empty where none were scored"),
    Field("plmnr", "1, 0", "periodic once respiratory candidates are taken out"),
    Field("arousal", "1, 0", "with an arousal; empty where none were scored"),
    Field("peak_g", "g", "largest acceleration beside gravity"),
    Field("tilt_deg", "degrees", "largest turn away from the rest before it"),
    Field("reason", "", "why it is no candidate, why it is not periodic, or what ended its series"),
)

RECORDING = (
    Field("file", "", "name of the file"),
    Field("device", "", "maker and model"),
    Field("serial", "", "the device's own number"),
    Field("side", "", "leg by the file itself: left, right, unknown"),
    Field("placement", "", "part of the body by the file itself"),
    Field("clock.start_time", "ISO 8601", "wall time of the first sample"),
    Field("clock.time_zone", "", "IANA name, where the file or the study gives one"),
    Field("rate.sample_rate_hz", "Hz", "rate that the device was set to"),
    Field("rate.true_rate_hz", "Hz", "samples per second of recorded time, by their own times"),
    Field("coverage.n_samples", "", "samples read"),
    Field("coverage.duration_s", "s", "from the first sample to the last"),
    Field("coverage.recorded_hours", "h", "the same without gaps"),
    Field("coverage.gap_count", "", "gaps: more than three sample intervals and 0.1 s"),
    Field("coverage.longest_gap_s", "s", "the longest of them"),
    Field("coverage.gaps_total_s", "s", "all of them together"),
    Field("coverage.not_worn_hours", "h", "stretches of three hours or more without any movement"),
    Field("coverage.nights", "dates", "evenings of the nights held, cut from noon to noon"),
    Field("mean_g", "g", "mean length of the acceleration vector, before calibration"),
    Field(
        "calibration.status",
        "",
        "calibrated, too_little_rest, too_few_postures, no_better; in all but the first the "
        "device's own scale is used",
    ),
    Field("calibration.gain", "", "factor of x, y, z"),
    Field("calibration.offset_g", "g", "added to x, y, z before the factor"),
    Field("calibration.error_before_mg", "mg", "mean distance from 1 g at rest, without it"),
    Field("calibration.error_after_mg", "mg", "the same with it"),
    Field("calibration.still_windows", "", "windows of 10 s at rest"),
    Field("calibration.sentence", "", "the same in words"),
)

NIGHT = (
    Field("recording.<fact>", "", "the facts of the (left) recording, listed below"),
    Field(
        "recording.coverage.night_analysable_hours",
        "h",
        "hours of this night in which a movement would have been seen",
    ),
    Field("recording.clock.second_device.offset_s", "s", "right clock ahead of the left at start"),
    Field("recording.clock.second_device.drift_ppm", "ppm", "how much faster the right clock runs"),
    Field("recording.clock.second_device.error_s", "s", "largest standard error of both together"),
    Field("recording.clock.second_device.movements_in_both", "", "movements that both legs felt"),
    Field("recording.clock.second_device.combined", "true, false", "whether legs were combined"),
    Field("recording.clock.second_device.sentence", "", "the same in words"),
    Field("recording.legs.<side>.<fact>", "", "the facts of each recording, with two"),
    Field(
        "sleep.source",
        "",
        "hypnogram; lights (off and on given, sleep from the sensor); sensor (both from the "
        "sensor); none",
    ),
    Field("sleep.lights_off", "ISO 8601", "wall time of lights off; sleep.lights_off_s in s"),
    Field("sleep.lights_off_s", "s", "the same from the start of the recording"),
    Field("sleep.lights_on", "ISO 8601", "wall time of lights on"),
    Field("sleep.lights_on_s", "s", "the same from the start of the recording"),
    Field("sleep.tib_hours", "h", "see the index"),
    Field("sleep.sleep_hours", "h", "see the index"),
    Field("sleep.wake_hours", "h", "see the index"),
    Field("rules.<option>", "", "every option of the rule set, listed below"),
    Field("indices.<index>", "", "every index, listed below"),
    Field("quality.warnings[].code", "", "lower case with underscores, stable between versions"),
    Field("quality.warnings[].sentence", "", "what was found and what was done about it"),
    Field(
        "quality.indices_by_threshold[].threshold",
        "",
        "multiple of the detector's threshold: " + ", ".join(f"{at:g}" for at in THRESHOLDS),
    ),
    *(
        Field(f"quality.indices_by_threshold[].{name}", "", "the index, detected so")
        for name in TOLD
    ),
    Field(
        "quality.near_threshold_share",
        "",
        f"share of leg movements that are less than {NEAR:g} times the threshold",
    ),
    Field("provenance.program", "", "rlsmove"),
    Field("provenance.version", "", "its version"),
    Field("provenance.settings_digest", "SHA-256", "of the settings"),
    Field("provenance.settings.<setting>", "", "every option that the result depends on"),
    Field("provenance.inputs[].file", "", "name of a file that was read"),
    Field("provenance.inputs[].sha256", "SHA-256", "of its bytes"),
    Field("tables.movements_by_part.<type>.<part>.number", "", "movements with onset in the part"),
    Field("tables.movements_by_part.<type>.<part>.per_hour", "per hour", "of the part"),
    Field("tables.movements_by_part.<type>.<part>.duration_s.<spread>", "s", "their lengths"),
    Field("tables.movements_by_side.<type>.<side>.number", "", "movements in sleep of the side"),
    Field("tables.movements_by_side.<type>.<side>.per_hour", "per hour", "of sleep"),
    Field("tables.movements_by_side.<type>.<side>.duration_s.<spread>", "s", "their lengths"),
    Field("tables.intervals_by_part.<which>.<part>.short", "", "intervals below the rules' least"),
    Field("tables.intervals_by_part.<which>.<part>.periodic", "", "intervals within the rules'"),
    Field("tables.intervals_by_part.<which>.<part>.long", "", "intervals above the rules' largest"),
    Field("tables.intervals_by_part.<which>.<part>.geometric_mean_s", "s", "of all intervals"),
    Field("tables.intervals_by_part.<which>.<part>.geometric_sd", "", "of all intervals, a factor"),
    Field("tables.events_by_part.<event>.<part>.number", "", "events that begin in the part"),
    Field("tables.events_by_part.<event>.<part>.per_hour", "per hour", "of the part"),
    Field(
        "tables.events_by_part.<event>.<part>.share_with_clm", "", "respiratory, with a candidate"
    ),
    Field("tables.durations_s.<class>.<spread>", "s", "lengths of movements of a class, in bed"),
    Field("tables.imi_histogram.edges", "s", "edges of the bins, each with its lower edge"),
    Field("tables.imi_histogram.count", "", "intervals of candidates in each bin"),
    Field("tables.ln_imi_histogram.edges", "ln s", "the same of the natural logarithm"),
    Field("tables.ln_imi_histogram.count", "", "intervals in each bin"),
    Field("tables.plms_by_clock_hour[].from", "ISO 8601", "start of an hour of the clock"),
    Field("tables.plms_by_clock_hour[].plms_per_hour", "per hour", "of sleep in that hour"),
    Field("tables.indices_by_leg.<side>.<index>", "", "every index of each leg alone, with two"),
    Field("tables.immobilization_test.start_s", "s", "start of the test (option --sit)"),
    Field("tables.immobilization_test.analysable_hours", "h", "recorded of its hour"),
    Field("tables.immobilization_test.lm_count", "", "leg movements in it"),
    Field("tables.immobilization_test.plmw_count", "", "periodic ones, all of them in wake"),
    Field("tables.immobilization_test.plmw_per_hour", "per hour", "of the test"),
    Field(
        "tables.immobilization_test.clm_by_5_min",
        "",
        f"candidates in each {IMMOBILIZATION_PART_MS // 60_000} minutes",
    ),
    Field("tables.immobilization_test.plmw_by_5_min", "", "periodic ones in each"),
)

PLACEHOLDERS = (
    Field("<part>", "", "TIB (lights off to on), TST (sleep), W, N1, N2, N3, R, NREM"),
    Field("<side>", "", "left, right; in tables also all, bilateral, monolateral"),
    Field(
        "<type>",
        "",
        "clm, plm, non_clm (a leg movement that is no candidate), and of each those that are "
        "respiratory, not respiratory (nr) or with an arousal",
    ),
    Field("<which>", "", "all intervals, or nr: respiratory candidates taken out"),
    Field("<event>", "", "respiratory, arousal"),
    Field("<class>", "", "plm, isolated, short_interval"),
    Field("<spread>", "", "mean, sd, min, max"),
)

NIGHTS = (
    Field("status", "", "ok, warned or failed"),
    Field("code", "", "codes of the warnings, or of what went wrong, between semicolons"),
    Field("sentence", "", "the same in words"),
    Field("participant_id", "", "the person, by the study"),
    Field("night", "date", "date of the evening"),
    Field("side", "", "leg or legs that the indices are of"),
    Field("file", "", "recordings, between semicolons"),
    Field("reviewed", "yes, no", "whether a person has edited the night"),
)

PERSON = (
    Field("ratio", "", "movements per hour on massage nights over control nights; below 1: fewer"),
    Field("ratio_low", "", "lower end of its 95 % interval"),
    Field("ratio_high", "", "upper end of its 95 % interval"),
    Field("p", "", "of the randomization test; null where nothing was randomized"),
    Field("verdict", "", "fewer, no_worthwhile_difference, more, cannot_tell"),
    Field("p_minimum", "", "smallest p that the schedule can reach"),
    Field("nights_massage", "nights", "massage nights that entered"),
    Field("nights_control", "nights", "control nights that entered"),
    Field("excluded", "", "nights that did not, each with its reason"),
    Field("nights_needed", "nights", "in all, to tell the worthwhile ratio with a power of 0.8"),
)

COHORT = (
    Field("ratio", "", "Hodges-Lehmann estimate over persons, massage over control"),
    Field("ratio_low", "", "lower end of its 95 % interval"),
    Field("ratio_high", "", "upper end of its 95 % interval"),
    Field("p", "", "of the sign-flip test; null where nothing was randomized"),
    Field("verdict", "", "as of a person"),
    Field("persons", "", "how many entered"),
    Field("prediction_low", "", "lower end of the 95 % interval for the next person's ratio"),
    Field("prediction_high", "", "upper end of it"),
    Field("spread", "", "SD of the true log ratio between persons"),
)

#: How the types of the rules' options are called here; those not named list their values.
_VALUES = {"str": "", "int": "", "int or None": "", "bool": "true, false"}

_HEAD = """\
# Glossary

Every field of the outputs, with its unit. `python -m rlsmove.results.glossary > GLOSSARY.md` makes
this page from the program's own definitions; a test holds it current.

LM is a leg movement, CLM a candidate by the rules, PLM a periodic one, PLMS and PLMW those in
sleep and in wake, IMI the interval from onset to onset, TIB the time in bed (lights off to lights
on), TST the time asleep. What cannot be said is `null` in JSON and an empty cell in CSV, never 0.
What an accelerometer counts is a movement, not a burst of EMG.
"""


def glossary_text() -> str:
    """Write the glossary in Markdown."""
    sections = [
        _HEAD,
        "## movements.csv\n\nA row a movement, rejected ones too.\n\n" + _table(MOVEMENTS),
        "## night.json\n\n" + _table(NIGHT),
        "In these names stand:\n\n" + _table(PLACEHOLDERS),
        "### Facts of a recording\n\n" + _table(RECORDING),
        "### Indices\n\n" + _indices_table(),
        "### Options of the rules\n\n" + _table(_rule_options()),
        "## nights.csv\n\nOf a batch, a row a night: these columns, then every index by its name. "
        "`rlsmove score` of a list with cases writes `case`, then every index.\n\n"
        + _table(NIGHTS),
        "## comparison.json\n\nOf each person, in `persons.<participant_id>`:\n\n" + _table(PERSON),
        "Of the cohort, in `cohort` (null with one person):\n\n" + _table(COHORT),
    ]
    return "\n".join(sections)


def _table(fields: Iterable[Field]) -> str:
    lines = ["| field | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{field.name}` | {field.unit} | {field.meaning} |" for field in fields]
    return "\n".join(lines) + "\n"


def _indices_table() -> str:
    lines = [
        "| index | unit | what is counted or measured | over | bounds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{index.name}` | {index.unit} | {index.counts} | {index.over} | {index.bounds} |"
        for index in INDICES
    ]
    return "\n".join(lines) + "\n"


def _rule_options() -> list[Field]:
    """The attributes of `RuleSet`, from its own documentation."""
    text = inspect.getdoc(RuleSet) or ""
    body = text.partition("Attributes\n----------\n")[2]
    options = []
    for name, kind, meaning in re.findall(r"^(\S.*?) : (.*)\n((?:    .*\n?)+)", body, re.MULTILINE):
        said = " ".join(meaning.replace("``", "`").split())
        unit = (
            "ms" if name.endswith("_ms") else kind.replace('"', "").strip("{}").replace("|", "or")
        )
        options += [Field(option.strip(), unit, said) for option in name.split(",")]
    return options


if __name__ == "__main__":
    print(glossary_text(), end="")
