"""Every field of every output once: its name, type, unit and meaning.

The columns of tables, the check of what is read back and the glossary are made from these. What
the code holds elsewhere, of the indices and of the rules' options, is taken from there.
"""

from __future__ import annotations

from typing import NamedTuple

from rlsmove.movements.leg_movements import PROBABILITY
from rlsmove.records import KINDS
from rlsmove.scoring.immobilization import IMMOBILIZATION_PART_MS
from rlsmove.scoring.threshold_range import NEAR, THRESHOLDS, TOLD

#: Types of values, in the words of the glossary. What cannot be said is null in JSON and an empty
#: cell in CSV, whatever the type; only a needed field has to have a value.
TEXT = "text"
NUMBER = "number"
RATE = "number or null"
FLAG = "1 or 0"
TRUTH = "true or false"
MOMENT = "time"
EVENING = "date"
LIST = "list"
INDEX = "number or list of numbers"
ANY = "value"


class Field(NamedTuple):
    """One field of an output.

    Attributes
    ----------
    name : str
        Its column, or its keys with points between; ``<side>`` and the like stand for any, ``[]``
        for each item of a list.
    type : str
        One of the types above.
    unit : str
        Empty where it has none.
    meaning : str
        What it says.
    needed : bool
        Whether a file without it is not what its name says.
    """

    name: str
    type: str
    unit: str
    meaning: str
    needed: bool = False


MOVEMENTS = (
    Field(
        "onset_s",
        NUMBER,
        "s",
        "start, from the start of the (left) recording",
        needed=True,
    ),
    Field(
        "duration_s",
        NUMBER,
        "s",
        "length, from the first onset to the last offset of its members",
        needed=True,
    ),
    Field("onset_time", MOMENT, "", "start by the recording's wall clock"),
    Field("side", TEXT, "", "left, right, bilateral (a group of both legs) or unknown"),
    Field("kind", TEXT, "", "what it was taken for: " + ", ".join(KINDS)),
    Field("n_monolateral", NUMBER, "", "movements of single legs in it"),
    Field(
        "clm",
        FLAG,
        "",
        "candidate leg movement (CLM) by the rules",
        needed=True,
    ),
    Field(
        "plm",
        FLAG,
        "",
        "periodic leg movement (PLM): member of a series",
        needed=True,
    ),
    Field("series", NUMBER, "", "number of its series, from 1; empty outside of series"),
    Field(
        "imi_s",
        NUMBER,
        "s",
        "inter-movement interval (IMI): from the onset of the candidate before; empty where none "
        "is measured (the first one, or across a non-candidate or a gap)",
    ),
    Field("sleep", FLAG, "", "onset in sleep, in wake"),
    Field(
        "stage", TEXT, "", "sleep stage at its onset: W, N1, N2, N3, R, or S (sleep, stage unknown)"
    ),
    Field("respiratory", FLAG, "", "beside a respiratory event; empty where none were scored"),
    Field("plmnr", FLAG, "", "periodic once respiratory candidates are taken out"),
    Field("arousal", FLAG, "", "with an arousal; empty where none were scored"),
    Field("peak_g", NUMBER, "g", "largest acceleration beside gravity"),
    Field("tilt_deg", NUMBER, "degrees", "largest turn away from the rest before it"),
    Field(
        "probability",
        NUMBER,
        "",
        "that it is a leg movement, by what was measured of it; the largest of its members; 0 for "
        "a tap, gait and gross movements",
    ),
    Field(
        "reason",
        TEXT,
        "",
        "why it is no candidate, why it is not periodic, or what ended its series",
    ),
)

RECORDING = (
    Field("file", TEXT, "", "name of the file"),
    Field("device", TEXT, "", "maker and model"),
    Field("serial", TEXT, "", "the device's own number"),
    Field("side", TEXT, "", "leg by the file itself: left, right, unknown"),
    Field("placement", TEXT, "", "part of the body by the file itself"),
    Field("start_time", MOMENT, "", "wall time of the first sample, with its offset where known"),
    Field("clock.start_time", MOMENT, "", "the same; null without a date"),
    Field("clock.time_zone", TEXT, "", "IANA name, where the file or a person gives one"),
    Field("told", ANY, "", "what was told of the file: start, time_zone, unit and so on"),
    Field(
        "rate.sample_rate_hz",
        NUMBER,
        "Hz",
        "rate that the device was set to",
        needed=True,
    ),
    Field(
        "rate.true_rate_hz",
        RATE,
        "Hz",
        "samples per second of recorded time, by their own times",
        needed=True,
    ),
    Field("coverage.n_samples", NUMBER, "", "samples read"),
    Field("coverage.duration_s", NUMBER, "s", "from the first sample to the last"),
    Field(
        "coverage.recorded_hours",
        NUMBER,
        "h",
        "the same without gaps",
        needed=True,
    ),
    Field(
        "coverage.gap_count",
        NUMBER,
        "",
        "gaps: more than three sample intervals and 0.1 s",
        needed=True,
    ),
    Field(
        "coverage.longest_gap_s",
        NUMBER,
        "s",
        "the longest of them",
        needed=True,
    ),
    Field("coverage.gaps_total_s", NUMBER, "s", "all of them together"),
    Field(
        "coverage.not_worn_hours",
        NUMBER,
        "h",
        "stretches of three hours or more without any movement",
        needed=True,
    ),
    Field("coverage.nights", LIST, "", "evenings of the nights held, cut from noon to noon"),
    Field("mean_g", NUMBER, "g", "mean length of the acceleration vector, before calibration"),
    Field(
        "calibration.status",
        TEXT,
        "",
        "calibrated, too_little_rest, too_few_postures, no_better; in all but the first the "
        "device's own scale is used",
    ),
    Field("calibration.gain", LIST, "", "factor of x, y, z"),
    Field("calibration.offset_g", LIST, "g", "added to x, y, z before the factor"),
    Field(
        "calibration.error_before_mg", NUMBER, "mg", "mean distance from 1 g at rest, without it"
    ),
    Field("calibration.error_after_mg", NUMBER, "mg", "the same with it"),
    Field("calibration.still_windows", NUMBER, "", "windows of 10 s at rest"),
    Field(
        "calibration.sentence",
        TEXT,
        "",
        "the same in words",
        needed=True,
    ),
)

NIGHT = (
    Field("id", TEXT, "", "of the night: the same for the same recordings and evening"),
    Field("digests.movements_csv", TEXT, "SHA-256", "of movements.csv beside it"),
    Field("digests.night_npz", TEXT, "SHA-256", "of night.npz beside it"),
    Field("simulated", TRUTH, "", "whether no person was recorded"),
    Field("recording.<fact>", ANY, "", "the facts of the (left) recording, listed below"),
    Field(
        "recording.coverage.night_analysable_hours",
        NUMBER,
        "h",
        "hours of this night in which a movement would have been seen",
    ),
    Field(
        "recording.clock.second_device.offset_s",
        NUMBER,
        "s",
        "right clock ahead of the left at start",
        needed=True,
    ),
    Field(
        "recording.clock.second_device.drift_ppm",
        NUMBER,
        "ppm",
        "how much faster the right clock runs",
        needed=True,
    ),
    Field(
        "recording.clock.second_device.error_s",
        NUMBER,
        "s",
        "largest standard error of both together",
    ),
    Field(
        "recording.clock.second_device.movements_in_both",
        NUMBER,
        "",
        "movements that both legs felt",
    ),
    Field("recording.clock.second_device.combined", TRUTH, "", "whether legs were combined"),
    Field(
        "recording.clock.second_device.sentence",
        TEXT,
        "",
        "the same in words",
        needed=True,
    ),
    Field("completeness[].side", TEXT, "", "leg of each recording, in their order"),
    Field("completeness[].unit", TEXT, "", "what is counted: blocks, records, pages or rows"),
    Field(
        "completeness[].expected",
        NUMBER,
        "",
        "how many there should be by the file's own numbers; null where nothing in it says",
    ),
    Field("completeness[].read", NUMBER, "", "how many were read"),
    Field("completeness[].lost", NUMBER, "", "how many are damaged or missing"),
    Field(
        "completeness[].unknown",
        NUMBER,
        "",
        "how many of those read are not vouched for, since a check that covers them fails",
    ),
    Field("completeness[].places", LIST, "", "where something is amiss, the first of them"),
    Field("recording.legs.<side>.<fact>", ANY, "", "the facts of each recording, with two"),
    Field(
        "sleep.source",
        TEXT,
        "",
        "hypnogram; lights (off and on given, sleep from the sensor); sensor (both from the "
        "sensor); none",
        needed=True,
    ),
    Field("sleep.lights_off", MOMENT, "", "wall time of lights off; sleep.lights_off_s in s"),
    Field("sleep.lights_off_s", NUMBER, "s", "the same from the start of the recording"),
    Field("sleep.lights_on", MOMENT, "", "wall time of lights on"),
    Field("sleep.lights_on_s", NUMBER, "s", "the same from the start of the recording"),
    Field("sleep.tib_hours", NUMBER, "h", "see the index"),
    Field("sleep.sleep_hours", NUMBER, "h", "see the index"),
    Field("sleep.wake_hours", NUMBER, "h", "see the index"),
    Field(
        "rules.name",
        TEXT,
        "",
        "of the rule set",
        needed=True,
    ),
    Field("rules.<option>", ANY, "", "every option of the rule set, listed below"),
    Field(
        "indices.<index>",
        INDEX,
        "",
        "every index, listed below",
        needed=True,
    ),
    Field(
        "quality.warnings[].code",
        TEXT,
        "",
        "lower case with underscores, stable between versions",
        needed=True,
    ),
    Field(
        "quality.warnings[].sentence",
        TEXT,
        "",
        "what was found and what was done about it",
        needed=True,
    ),
    Field(
        "quality.indices_by_threshold[].threshold",
        NUMBER,
        "",
        "least probability of what counts as a leg movement: "
        + ", ".join(f"{at:g}" for at in THRESHOLDS)
        + f"; all else is told for {PROBABILITY:g}",
        needed=True,
    ),
    *(
        Field(
            f"quality.indices_by_threshold[].{name}",
            RATE,
            "",
            "the index, detected so",
            needed=True,
        )
        for name in TOLD
    ),
    Field(
        "quality.near_threshold_share",
        NUMBER,
        "",
        f"share of leg movements with a probability below {NEAR:g}",
    ),
    *(
        Field(f"massage[].{name}", kind, unit, meaning, needed=kind not in (RATE, ANY))
        for name, kind, unit, meaning in (
            (
                "start_s",
                NUMBER,
                "s",
                "start of a massage seen by the sensor; the list is null "
                "where the time before lights off was not recorded or not worn",
            ),
            ("end_s", NUMBER, "s", "its end"),
            ("minutes", NUMBER, "min", "its length"),
            ("kind", TEXT, "", "vibration, kneading, compression, manual or unknown"),
            ("legs", LIST, "", "whose sensor shows it"),
            ("frequency_hz", RATE, "Hz", "of the vibration or the strokes, as the device shows it"),
            (
                "aliased",
                ANY,
                "",
                "true where the device must have folded the frequency; null without one",
            ),
            ("period_s", RATE, "s", "of a cycle of compression"),
            ("intensity_g", NUMBER, "g", "root mean square in the kind's band"),
            ("before_lights_off_min", RATE, "min", "from its end to lights off; null in bed"),
            ("confidence", NUMBER, "", "from 0 to 1: how much of it bears its kind's mark"),
        )
    ),
    Field(
        "provenance.program",
        TEXT,
        "",
        "rlsmove",
        needed=True,
    ),
    Field(
        "provenance.version",
        TEXT,
        "",
        "its version",
        needed=True,
    ),
    Field("provenance.code", TEXT, "", "first digits of the SHA-256 of the code it was made by"),
    Field("provenance.libraries.<library>", TEXT, "", "version of numpy, scipy, numba, h5py"),
    Field(
        "provenance.settings_digest",
        TEXT,
        "SHA-256",
        "of the settings",
        needed=True,
    ),
    Field("provenance.settings.evening", EVENING, "", "date of the night's evening"),
    Field("provenance.settings.<setting>", ANY, "", "every option that the result depends on"),
    Field(
        "provenance.inputs[].file",
        TEXT,
        "",
        "name of a file that was read",
        needed=True,
    ),
    Field(
        "provenance.inputs[].sha256",
        TEXT,
        "SHA-256",
        "of its bytes",
        needed=True,
    ),
    Field(
        "tables.movements_by_part.<type>.<part>.number",
        NUMBER,
        "",
        "movements with onset in the part",
    ),
    Field("tables.movements_by_part.<type>.<part>.per_hour", NUMBER, "per hour", "of the part"),
    Field(
        "tables.movements_by_part.<type>.<part>.duration_s.<spread>", NUMBER, "s", "their lengths"
    ),
    Field(
        "tables.movements_by_side.<type>.<side>.number",
        NUMBER,
        "",
        "movements in sleep of the side",
    ),
    Field("tables.movements_by_side.<type>.<side>.per_hour", NUMBER, "per hour", "of sleep"),
    Field(
        "tables.movements_by_side.<type>.<side>.duration_s.<spread>", NUMBER, "s", "their lengths"
    ),
    Field(
        "tables.intervals_by_part.<which>.<part>.short",
        NUMBER,
        "",
        "intervals below the rules' least",
    ),
    Field(
        "tables.intervals_by_part.<which>.<part>.periodic",
        NUMBER,
        "",
        "intervals within the rules'",
    ),
    Field(
        "tables.intervals_by_part.<which>.<part>.long",
        NUMBER,
        "",
        "intervals above the rules' largest",
    ),
    Field(
        "tables.intervals_by_part.<which>.<part>.geometric_mean_s", NUMBER, "s", "of all intervals"
    ),
    Field(
        "tables.intervals_by_part.<which>.<part>.geometric_sd",
        NUMBER,
        "",
        "of all intervals, a factor",
    ),
    Field(
        "tables.events_by_part.<event>.<part>.number", NUMBER, "", "events that begin in the part"
    ),
    Field("tables.events_by_part.<event>.<part>.per_hour", NUMBER, "per hour", "of the part"),
    Field(
        "tables.events_by_part.<event>.<part>.share_with_clm",
        NUMBER,
        "",
        "respiratory, with a candidate",
    ),
    Field(
        "tables.durations_s.<class>.<spread>",
        NUMBER,
        "s",
        "lengths of movements of a class, in bed",
    ),
    Field("tables.imi_histogram.edges", LIST, "s", "edges of the bins, each with its lower edge"),
    Field("tables.imi_histogram.count", LIST, "", "intervals of candidates in each bin"),
    Field("tables.ln_imi_histogram.edges", LIST, "ln s", "the same of the natural logarithm"),
    Field("tables.ln_imi_histogram.count", LIST, "", "intervals in each bin"),
    Field(
        "tables.plms_by_clock_hour[].from",
        MOMENT,
        "",
        "start of an hour of the clock",
        needed=True,
    ),
    Field(
        "tables.plms_by_clock_hour[].plms_per_hour",
        RATE,
        "per hour",
        "of sleep in that hour",
        needed=True,
    ),
    Field(
        "tables.indices_by_leg.<side>.<index>", INDEX, "", "every index of each leg alone, with two"
    ),
    Field(
        "tables.immobilization_test.start_s",
        NUMBER,
        "s",
        "start of the test (option --sit)",
        needed=True,
    ),
    Field(
        "tables.immobilization_test.analysable_hours",
        RATE,
        "h",
        "recorded of its hour",
        needed=True,
    ),
    Field(
        "tables.immobilization_test.lm_count",
        RATE,
        "",
        "leg movements in it",
        needed=True,
    ),
    Field(
        "tables.immobilization_test.plmw_count",
        RATE,
        "",
        "periodic ones, all of them in wake",
        needed=True,
    ),
    Field(
        "tables.immobilization_test.plmw_per_hour",
        RATE,
        "per hour",
        "of the test",
        needed=True,
    ),
    Field(
        "tables.immobilization_test.clm_by_5_min",
        LIST,
        "",
        f"candidates in each {IMMOBILIZATION_PART_MS // 60_000} minutes",
    ),
    Field("tables.immobilization_test.plmw_by_5_min", LIST, "", "periodic ones in each"),
)

PLACEHOLDERS = (
    Field("<library>", TEXT, "", "numpy, scipy, numba, h5py"),
    Field("<part>", TEXT, "", "TIB (lights off to on), TST (sleep), W, N1, N2, N3, R, NREM"),
    Field("<side>", TEXT, "", "left, right; in tables also all, bilateral, monolateral"),
    Field(
        "<type>",
        TEXT,
        "",
        "clm, plm, non_clm (a leg movement that is no candidate), and of each those that are "
        "respiratory, not respiratory (nr) or with an arousal",
    ),
    Field("<which>", TEXT, "", "all intervals, or nr: respiratory candidates taken out"),
    Field("<event>", TEXT, "", "respiratory, arousal"),
    Field("<class>", TEXT, "", "plm, isolated, short_interval"),
    Field("<spread>", TEXT, "", "mean, sd, min, max"),
)

NIGHTS = (
    Field("status", TEXT, "", "ok, warned or failed"),
    Field("code", TEXT, "", "codes of the warnings, or of what went wrong, between semicolons"),
    Field("sentence", TEXT, "", "the same in words"),
    Field("participant_id", TEXT, "", "the person, by the study"),
    Field("night", EVENING, "", "date of the evening"),
    Field("side", TEXT, "", "leg or legs that the indices are of"),
    Field("file", TEXT, "", "recordings, between semicolons"),
    Field("simulated", TEXT, "", "yes, no: whether no person was recorded"),
    Field(
        "massage_seen",
        TEXT,
        "",
        "yes, no, or not_recorded: whether the sensor shows a massage; the diary is the record",
    ),
    Field("massage_seen_start", MOMENT, "", "start of the first one seen, by the wall clock"),
    Field("massage_seen_min", NUMBER, "min", "length of all together"),
    Field("massage_seen_kind", TEXT, "", "kind of the longest"),
    Field("massage_seen_intensity_g", NUMBER, "g", "strength of the longest, see massage[]"),
    Field(
        "massage_seen_before_lights_off_min",
        NUMBER,
        "min",
        "from the end of the last one before bed to lights off",
    ),
    Field("reviewed", TEXT, "", "whether a person has edited the night"),
    Field("sleep_source", TEXT, "", "where sleep comes from: hypnogram, lights, sensor, none"),
    Field("rules", TEXT, "", "name of the rule set"),
    Field("detector", TEXT, "", "version of the program, and of the code, that made the night"),
)

PERSON = (
    Field(
        "ratio",
        NUMBER,
        "",
        "movements per hour on massage nights over control nights; below 1: fewer",
    ),
    Field("ratio_low", NUMBER, "", "lower end of its 95 % interval; null for an open end"),
    Field("ratio_high", NUMBER, "", "upper end of its 95 % interval; null for an open end"),
    Field(
        "p",
        NUMBER,
        "",
        "of the randomization test; null where nothing was randomized, and before the planned end",
    ),
    Field(
        "verdict",
        TEXT,
        "",
        "fewer, no_worthwhile_difference, more, cannot_tell; not_finished before the end",
    ),
    Field("anytime.p", NUMBER, "", "of the test that may be looked at every morning"),
    Field(
        "anytime.ratio_low",
        NUMBER,
        "",
        "lower end of its confidence sequence; null for an open end",
    ),
    Field("anytime.ratio_high", NUMBER, "", "upper end of it"),
    Field("anytime.decided_after", NUMBER, "", "block at which it first excluded 1"),
    Field("anytime.path", LIST, "", "its p after each block"),
    Field("anytime.blocks", LIST, "", "number of each of these blocks"),
    Field(
        "p_minimum",
        NUMBER,
        "",
        "smallest p that the schedule can reach on the nights that are there",
    ),
    Field("nights_massage", NUMBER, "nights", "massage nights that entered"),
    Field("nights_control", NUMBER, "nights", "control nights that entered"),
    Field("nights_missing", NUMBER, "nights", "assigned nights that are over and did not enter"),
    Field("excluded", LIST, "", "nights that did not enter, each with its reason"),
    Field(
        "nights_needed",
        NUMBER,
        "nights",
        "in all, to tell the worthwhile ratio with a power of 0.8 by this scheme and analysis; "
        "null where a verdict stands, or beyond 500",
    ),
    Field(
        "nights_needed_low", NUMBER, "nights", "the same if the nights vary as little as they may"
    ),
    Field("nights_needed_high", NUMBER, "nights", "the same if they vary as much as they may"),
    Field("ratio_with_others", NUMBER, "", "ratio with help from the other persons; null alone"),
    Field("ratio_with_others_low", NUMBER, "", "lower end of its 95 % interval"),
    Field("ratio_with_others_high", NUMBER, "", "upper end of it"),
)

COHORT = (
    Field("ratio", NUMBER, "", "average effect, massage over control: Hodges-Lehmann over persons"),
    Field("ratio_low", NUMBER, "", "lower end of its 95 % interval"),
    Field("ratio_high", NUMBER, "", "upper end of its 95 % interval"),
    Field("p", NUMBER, "", "of the sign-flip test; null as of a person"),
    Field("verdict", TEXT, "", "as of a person, from the average effect's interval"),
    Field("any_effect_p", NUMBER, "", "that massage changes nobody's nights: all redrawn together"),
    Field("anytime.<field>", ANY, "", "bets on the average effect, one for each finished person"),
    Field(
        "anytime_any_effect.<field>",
        ANY,
        "",
        "bets that massage changes nobody's nights, one for each block of anyone; the interval is "
        "that of one ratio common to all",
    ),
    Field("persons", NUMBER, "", "how many entered"),
    Field(
        "prediction_low", NUMBER, "", "lower end of the 95 % interval for the next person's ratio"
    ),
    Field("prediction_high", NUMBER, "", "upper end of it"),
    Field("spread", NUMBER, "", "SD of the true log ratio between persons"),
)
