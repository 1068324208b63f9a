"""How well massages are seen, and machines in bed told from the sleeper, on simulated nights.

``python -m benchmarks massage`` simulates evenings with each kind of massage and with what looks
like one, nights with sleeves, pads and swaying partners, and true series of many regularities, all
of held-out physics, and writes the tables into ``docs/benchmarks-massage.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.pages import write_tables
from rlsmove.events.night_events import Events
from rlsmove.massage.sessions import UNKNOWN, Session
from rlsmove.night.analysis import NightResult, analyse_night
from rlsmove.night.opened_leg import read_leg
from rlsmove.records import LEG_MOVEMENT, SIDES, Intervals, Movements
from rlsmove.rules import WASM_2016
from rlsmove.scoring import night_indices, score_movements
from rlsmove.simulate import HELD_OUT, KINDS, SCENARIOS, SimulatedNight, drawn_night, simulate_night
from rlsmove.simulate.simulated_recording import SimulatedRecording
from rlsmove.simulate.treatment import ACTIVITIES, CLOCKS, MASSAGES, Treatment

#: Seeds start here, away from those of tests and development.
FIRST_SEED = 70_001

RATES_HZ = (50.0, 100.0)

#: A session is found where intersection over union is above this.
OVERLAP = 0.5

#: Interval variation of true series: that of the logarithm.
VARIATIONS = (0.05, 0.1, 0.15, 0.3)

WARNINGS = {"machine_in_bed", "possible_machine", "possible_partner"}


def analysed(night: SimulatedNight) -> NightResult:
    """The night of one leg, with its true hypnogram."""
    leg = read_leg(SimulatedRecording(night, next(iter(night.sensors))))
    span_ms = (0, round(1000 * leg.survey.end_s))
    events = Events(
        Movements.empty(), night.sleep, None, None, Intervals.empty(), span_ms, None, ()
    )
    return analyse_night([leg], leg.nights[0].evening, events=events)


def true_index(night: SimulatedNight, result: NightResult) -> float:
    """PLMS per hour of the true leg movements of the leg that was analyzed."""
    truth = night.truth.movements
    side = SIDES.index(next(iter(night.sensors)))
    rows = (truth.kind == LEG_MOVEMENT) & (truth.side == side)
    scoring = score_movements(
        Movements.marks(truth.onset_ms[rows], truth.duration_ms[rows], truth.side[rows]),
        sleep=night.sleep,
        respiratory=None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    analysable = result.detected.legs[0].analysable
    indices: dict[str, Any] = night_indices(
        scoring, sleep=night.sleep, analysable=analysable, rules=WASM_2016
    )
    return float(indices["plms_per_hour"] or 0.0)


@dataclass
class SessionTally:
    """What was made of the evenings of one row.

    Attributes
    ----------
    sessions, found, false : int
        True ones, those found, and those reported that are none.
    right : float
        Of those found, with their kind right; unknown is half.
    edges_s : list of float
        Distance of each start and end from the true one.
    """

    evenings: int = 0
    sessions: int = 0
    found: int = 0
    false: int = 0
    right: float = 0.0
    edges_s: list[float] = field(default_factory=list)


def judge_sessions(tally: SessionTally, night: SimulatedNight, result: NightResult) -> None:
    """Add one evening to a tally."""
    side = SIDES.index(next(iter(night.sensors)))
    reported = [one.session for one in result.massage or []]
    tally.evenings += 1
    for treated in night.treated:
        true = treated.session
        if not true.is_massage or side not in true.legs:
            continue
        tally.sessions += 1
        hit = max(reported, key=lambda one: _overlap(one, true.start_s, true.end_s), default=None)
        if hit is None or _overlap(hit, true.start_s, true.end_s) <= OVERLAP:
            continue
        reported.remove(hit)
        tally.found += 1
        tally.right += 1.0 if hit.kind == true.kind else 0.5 if hit.kind == UNKNOWN else 0.0
        tally.edges_s += [abs(hit.start_s - true.start_s), abs(hit.end_s - true.end_s)]
    tally.false += len(reported)


def _overlap(session: Session, start_s: float, end_s: float) -> float:
    shared = min(session.end_s, end_s) - max(session.start_s, start_s)
    return shared / (max(session.end_s, end_s) - min(session.start_s, start_s))


def evening_night(kind: str, seed: int) -> SimulatedNight:
    """An hour of sleep after an evening with one kind of massage, or with none, and activities."""
    rng = np.random.default_rng([seed, 1])
    activities = tuple(str(one) for one in rng.choice(ACTIVITIES, rng.integers(0, 3), False))
    treatment = Treatment(
        evening_min=90.0,
        massages=(kind,) if kind in MASSAGES else (),
        legs="both",
        activities=activities,
    )
    return drawn_night(
        seed, HELD_OUT, hours=2.5, fs=float(rng.choice(RATES_HZ)), legs="left", treatment=treatment
    )


def machine_night(
    machine: str, clock: str, moves: bool, seed: int, hours: float, *, runs: bool = True
) -> SimulatedNight:
    """A night with a machine in bed, or the same night without it."""
    rng = np.random.default_rng([seed, 2])
    scenario = SCENARIOS["typical" if moves else "none"]
    treatment = Treatment(machine=machine if runs else "", clock=clock, legs="both")
    fs = float(rng.choice(RATES_HZ))
    given = replace(scenario, hours=hours, fs=fs, legs="left", treatment=treatment)
    if not moves:
        given = replace(given, partner_per_hour=0.0, taps_per_hour=1.0)
    return simulate_night(given, seed)


def series_night(variation: float, seed: int, hours: float) -> SimulatedNight:
    """A night of true series with a given interval variation."""
    rng = np.random.default_rng([seed, 3])
    return simulate_night(
        replace(
            SCENARIOS["severe"],
            hours=hours,
            fs=25.0,
            legs="left",
            interval_ln_sd=variation,
            interval_median_s=float(rng.uniform(16.0, 40.0)),
            alternating_share=0.0,
            held_share=float(rng.uniform(0, 0.3)),
            tilt_ln_sd=float(rng.uniform(0.2, 0.8)),
        ),
        seed,
    )


def partner_night(seed: int, hours: float) -> SimulatedNight:
    """A night without leg movements beside a partner who sways the mattress."""
    given: dict[str, Any] = {"hours": hours, "legs": "left", "fs": 50.0} | dict(
        KINDS["none_swaying"]
    )
    return drawn_night(seed, HELD_OUT, **given)


def session_table(evenings: int) -> str:
    """Sessions by kind, and false ones on evenings without a massage."""
    lines = [
        "| evening | sessions | found | of those reported, right | kind right | "
        "edges, median (s) | false in 100 evenings |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in (*MASSAGES, "none"):
        tally = SessionTally()
        for seed in range(FIRST_SEED, FIRST_SEED + evenings):
            night = evening_night(kind, seed)
            judge_sessions(tally, night, analysed(night))
        reported = tally.found + tally.false
        lines.append(
            f"| {kind} | {tally.sessions} | {_share(tally.found, tally.sessions)} | "
            f"{_share(tally.found, reported)} | {_share(tally.right, tally.found)} | "
            f"{np.median(tally.edges_s) if tally.edges_s else float('nan'):.1f} | "
            f"{100 * tally.false / tally.evenings:.0f} |"
        )
    return "\n".join(lines)


def machine_table(nights: int, hours: float) -> str:
    """PLMS per hour on nights with a machine, beside the same nights without it."""
    lines = [
        "| machine | clock | own movements | error of the index | the same without the machine | "
        "warned of |",
        "|---|---|---|---|---|---|",
    ]
    for machine in ("sleeve", "pad"):
        for clock in CLOCKS:
            for moves in (False, True):
                rows = []
                for seed in range(FIRST_SEED, FIRST_SEED + nights):
                    night = machine_night(machine, clock, moves, seed, hours)
                    plain = machine_night(machine, clock, moves, seed, hours, runs=False)
                    result, without = analysed(night), analysed(plain)
                    true = true_index(plain, without)
                    rows.append(
                        (
                            abs(_index(result) - true),
                            abs(_index(without) - true),
                            any(notice.code in WARNINGS for notice in result.notices),
                        )
                    )
                error, base, warned = np.mean(np.array(rows, float), axis=0)
                lines.append(
                    f"| {machine} | {clock} | {'yes' if moves else 'none'} | {error:.1f} | "
                    f"{base:.1f} | {warned:.2f} |"
                )
    return "\n".join(lines)


def series_table(nights: int, hours: float) -> str:
    """True series that were taken for a machine, and those warned of."""
    lines = [
        "| interval variation | nights | taken for a machine | warned of |",
        "|---|---|---|---|",
    ]
    for variation in VARIATIONS:
        codes = [
            {notice.code for notice in analysed(series_night(variation, seed, hours)).notices}
            for seed in range(FIRST_SEED, FIRST_SEED + nights)
        ]
        taken = sum("machine_in_bed" in each for each in codes)
        warned = sum(bool(each & {"possible_machine", "possible_partner"}) for each in codes)
        lines.append(f"| {variation:.0%} | {nights} | {taken} | {warned} |")
    swaying = [
        {notice.code for notice in analysed(partner_night(seed, hours)).notices}
        for seed in range(FIRST_SEED, FIRST_SEED + nights)
    ]
    warned = sum(bool(each & WARNINGS) for each in swaying)
    lines.append(
        f"| none, a swaying partner | {nights} | "
        f"{sum('machine_in_bed' in each for each in swaying)} | {warned} |"
    )
    return "\n".join(lines)


def _index(result: NightResult) -> float:
    return float(result.indices["plms_per_hour"] or 0.0)


def _share(part: float, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks massage", description=__doc__)
    parser.add_argument("--nights", type=int, default=20, help="nights of each row")
    parser.add_argument("--hours", type=float, default=2.0, help="length of a night")
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    text = "\n\n".join(
        (
            f"Simulated evenings, {options.nights} of each kind, one leg:",
            session_table(options.nights),
            f"Simulated nights of {options.hours:g} h with a machine in bed, {options.nights} of "
            "each, one leg; error in PLMS per hour:",
            machine_table(options.nights, options.hours),
            "Simulated true series:",
            series_table(options.nights, options.hours),
        )
    )
    if options.print:
        print(text)
    else:
        write_tables("massage", text)
