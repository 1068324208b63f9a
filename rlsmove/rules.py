"""The published scoring rules as values: each number once, with its source beside it.

Scoring reads these values and never asks which rule set it was given. Where a text is silent, or
published scorers differ, the choice is an option with a name and a default, and every result says
which was taken.

Sources
-------
WASM 2016
    Ferri R et al., World Association of Sleep Medicine (WASM) 2016 standards for recording and
    scoring leg movements in polysomnograms. Sleep Med 2016;26:86-95.
WASM 2006
    Zucconi M et al., The official World Association of Sleep Medicine (WASM) standards for
    recording and scoring periodic leg movements in sleep (PLMS) and wakefulness (PLMW).
    Sleep Med 2006;7:175-183.
AASM
    Berry RB et al., The AASM manual for the scoring of sleep and associated events, version 2.6
    (version 3 has the same numbers).
PMC9619152
    Table 3 there sets the AASM and WASM 2016 criteria side by side.
PLMScoRe, MATPLM, SOMAS
    Published scorers by authors of the standards; where they agree, so does this module.

All times are whole milliseconds: in floating seconds some exact 10-s intervals fall below 10.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """One standard: which movements count, when they are periodic, and what they go with.

    Attributes
    ----------
    name : str
        Name to choose the set by.
    lm_min_ms : int
        A leg movement (LM) lasts at least this long; shorter ones are dropped.
    join_gap_ms : int
        Two movements of one leg with less than this between offset and onset are one.
    combine_legs : {"gap", "onsets"}
        ``gap``: movements of both legs belong together when the onset lies less than
        `combine_within_ms` after the latest offset so far. ``onsets``: a movement belongs to one
        of the other leg that began less than `combine_within_ms` before.
    combine_within_ms : int
        See `combine_legs`.
    clm_max_ms : int
        A candidate (CLM) of one leg, and each member of a group, lasts at most this long.
    group_max_ms : int
        A group of several movements lasts at most this long.
    group_members_max : int or None
        A candidate group has at most this many members; None where there is no limit.
    long_movements : {"end_series", "ignore"}
        What a leg movement does that is too long (or a group too large) for a candidate:
        ``end_series``, it joins groups, ends a series, and no interval is measured across it;
        ``ignore``, it is no leg movement of this standard, joins nothing and ends nothing.
        Posture shifts and gross movements longer than `clm_max_ms` do the same.
    posture_shifts_end_series : bool
        Option: posture shifts end a series however short they are.
    sleep_only : bool
        Only movements in sleep are candidates; others are left aside and end nothing.
    in_sleep : {"onset", "any_part"}
        Option: a movement counts in the stage of its ``onset``; with ``any_part`` one that begins
        in wake and reaches into sleep counts in the sleep that it reaches.
    imi_min_ms, imi_max_ms : int
        Intervals from onset to onset within a series, both ends allowed.
    series_min_clm : int
        A series holds at least this many candidates.
    short_interval : {"break", "skip", "merge"}
        After an interval below `imi_min_ms`: ``break``, the series ends; ``skip``, the later
        movement is passed over and the interval is measured on to the next; ``merge``, the later
        movement becomes part of the earlier.
    strict_start : bool
        Option: a movement after a short interval may not start the next series.
    short_after : {"clm", "lm"}
        Option: what a candidate has to follow closely to be one of a short interval rather than
        isolated: the ``clm`` before, or any ``lm``, so that one soon after a movement that is no
        candidate counts too.
    respiratory_span : {"end", "event"}
        The window lies around the ``end`` of a respiratory event, or around the whole ``event``.
    respiratory_before_ms, respiratory_after_ms : int
        How far the window reaches, both ends in. A candidate of which any part lies in the
        window is respiratory.
    respiratory_counted : bool
        Whether a respiratory movement is a candidate at all. Where it is, the series are built a
        second time without it (PLMnr).
    arousal_within_ms : int
        An arousal belongs to a movement when no more than this lies between them.
    arousal_bound_counts : bool
        Whether exactly `arousal_within_ms` still belongs.
    """

    name: str
    lm_min_ms: int
    join_gap_ms: int
    combine_legs: Literal["gap", "onsets"]
    combine_within_ms: int
    clm_max_ms: int
    group_max_ms: int
    group_members_max: int | None
    long_movements: Literal["end_series", "ignore"]
    posture_shifts_end_series: bool = False
    sleep_only: bool
    in_sleep: Literal["onset", "any_part"] = "onset"
    imi_min_ms: int
    imi_max_ms: int
    series_min_clm: int
    short_interval: Literal["break", "skip", "merge"]
    strict_start: bool = False
    short_after: Literal["clm", "lm"] = "clm"
    respiratory_span: Literal["end", "event"]
    respiratory_before_ms: int
    respiratory_after_ms: int
    respiratory_counted: bool
    arousal_within_ms: int
    arousal_bound_counts: bool

    def options(self) -> dict[str, str | int | bool | None]:
        """Every value under its name, for the record of what a result was scored by."""
        return asdict(self)


WASM_2016 = RuleSet(
    name="wasm2016",
    lm_min_ms=500,  # WASM 2016; 0.5 s itself stays (PLMScoRe, MATPLM)
    join_gap_ms=500,  # WASM 2016: the offset needs 0.5 s of rest; less than that is no offset
    combine_legs="gap",  # WASM 2016
    combine_within_ms=500,  # WASM 2016; swept with the running offset (PLMScoRe)
    clm_max_ms=10_000,  # WASM 2016; PMC9619152
    group_max_ms=15_000,  # WASM 2016
    group_members_max=4,  # WASM 2016
    long_movements="end_series",  # WASM 2016; PMC9619152
    sleep_only=False,  # WASM 2016: sleep and wake play no part in forming series
    imi_min_ms=10_000,  # WASM 2016; PMC9619152
    imi_max_ms=90_000,  # WASM 2016; PMC9619152
    series_min_clm=4,  # WASM 2016; PMC9619152
    short_interval="break",  # WASM 2016; PMC9619152
    short_after="clm",  # PLMScoRe: isolated; SOMAS takes it for a short interval
    strict_start=False,  # PLMScoRe, MATPLM; SOMAS is strict, which lowers PLM by 9 to 19 %
    respiratory_span="end",  # WASM 2016
    respiratory_before_ms=2_000,  # Manconi M et al., Sleep 2015;38:295-304; alternative 500
    respiratory_after_ms=10_250,  # the same; alternative 500
    respiratory_counted=True,  # WASM 2016: counted, then taken out for PLMnr
    arousal_within_ms=500,  # WASM 2016
    arousal_bound_counts=True,  # PLMScoRe
)

WASM_2006 = RuleSet(
    name="wasm2006",
    lm_min_ms=500,  # WASM 2006
    join_gap_ms=500,  # WASM 2006, by its definition of the offset
    combine_legs="gap",  # WASM 2006
    combine_within_ms=500,  # WASM 2006
    clm_max_ms=10_000,  # WASM 2006; 15 s for research
    group_max_ms=15_000,  # WASM 2006
    group_members_max=None,
    long_movements="ignore",  # WASM 2006: no candidate, and it does not end a series
    sleep_only=False,  # WASM 2006 scores both sleep and wake
    imi_min_ms=5_000,  # WASM 2006
    imi_max_ms=90_000,  # WASM 2006
    series_min_clm=4,  # WASM 2006
    short_interval="skip",  # WASM 2006
    respiratory_span="end",  # WASM 2006, as told in Manconi M et al., Sleep 2015;38:295-304
    respiratory_before_ms=500,  # WASM 2006
    respiratory_after_ms=500,  # WASM 2006
    respiratory_counted=True,
    arousal_within_ms=500,  # WASM 2006
    arousal_bound_counts=True,
)

# The manual lets wake shorter than 90 s between two movements not end a series. No value stands
# for that here: longer wake between two movements already puts their onsets over 90 s apart.
AASM = RuleSet(
    name="aasm",
    lm_min_ms=500,  # AASM; PMC9619152
    join_gap_ms=500,  # AASM, by its definition of the ending
    combine_legs="onsets",  # AASM
    combine_within_ms=5_000,  # AASM
    clm_max_ms=10_000,  # AASM; PMC9619152
    group_max_ms=15_000,  # AASM names none; it follows from 5 s between onsets and 10 s each
    group_members_max=None,
    long_movements="ignore",  # AASM: none, and it leaves the series alone
    sleep_only=True,  # AASM
    in_sleep="onset",  # psgscoring; the manual does not say which part of a movement decides
    imi_min_ms=5_000,  # AASM; PMC9619152
    imi_max_ms=90_000,  # AASM; PMC9619152
    series_min_clm=4,  # AASM; PMC9619152
    short_interval="skip",  # AASM says nothing of an interval below 5 s: an option
    respiratory_span="event",  # AASM
    respiratory_before_ms=500,  # AASM
    respiratory_after_ms=500,  # AASM
    respiratory_counted=False,  # AASM: not scored
    arousal_within_ms=500,  # AASM
    arousal_bound_counts=False,  # AASM: "< 0.5 s" (PMC9619152)
)

#: The rule sets by name.
RULE_SETS = {rules.name: rules for rules in (WASM_2016, WASM_2006, AASM)}

# Leg EMG (WASM 2016; PMC9619152): a movement begins where the EMG rises 8 uV above rest and ends at
# the start of at least 0.5 s in which it stays within 2 uV of rest. One that a computer detects
# must hold a stretch of 0.5 s whose median is at least 2 uV above rest. Rest is at most 10 uV.
EMG_ONSET_ABOVE_REST_UV = 8.0
EMG_OFFSET_ABOVE_REST_UV = 2.0
EMG_QUIET_MS = 500
EMG_MEDIAN_STRETCH_MS = 500
EMG_REST_MAX_UV = 10.0

#: Band in which leg EMG is looked at, in Hz (AASM; recommended filters).
EMG_BAND_HZ = (10.0, 100.0)

#: A stretch without samples longer than this ends a series: movements in it went unseen.
GAP_ENDS_SERIES_MS = 2_000

#: Epoch of sleep staging (AASM; Rechtschaffen and Kales had 20 or 30 s).
STAGE_EPOCH_MS = 30_000

# Ferri R et al., Sleep 2006;29:759-769: the periodicity index counts intervals above 10 s and up
# to 90 s that stand in runs of at least three. Its limits are its own, whatever the rule set.
PERIODICITY_IMI_ABOVE_MS = 10_000
PERIODICITY_IMI_MAX_MS = 90_000
PERIODICITY_RUN_MIN = 3

#: Below this many LM per hour neither periodicity index means much (WASM 2016).
PERIODICITY_LM_PER_HOUR_MIN = 10

# ln IMI is described over the intervals of the 2016 standard, so that nights compare between
# rule sets; the bins of the histograms are those that PLMScoRe and WASM 2016 plot.
LN_IMI_MIN_MS = 10_000
LN_IMI_MAX_MS = 90_000
IMI_BIN_S = 2
IMI_HISTOGRAM_MAX_S = 90
LN_IMI_BIN = 0.1
LN_IMI_HISTOGRAM_MAX = 4.5

#: PLMS per hour of sleep at which the literature draws a line in adults (5 in children). Single
#: nights of one person differ by 25 per hour on average: a line in pictures, never a verdict.
PLMS_LINE_PER_HOUR = 15

#: Suggested immobilization test: an hour, told in parts of five minutes (rules of the test as given
#: with WASM 2006).
IMMOBILIZATION_MS = 3_600_000
IMMOBILIZATION_PART_MS = 300_000
