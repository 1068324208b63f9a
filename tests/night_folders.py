"""Folders of small simulated nights, for tests of what reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rlsmove.night.analysis import analyse_night
from rlsmove.night.chosen_nights import choose_nights
from rlsmove.night.opened_leg import open_leg
from rlsmove.results.night_files import write_night_result
from rlsmove.simulate import SCENARIOS, simulate_night
from rlsmove.simulate.files import write_simulated_night


def write_recordings(
    folder: Path, *, scenario: str = "severe", hours: float = 0.7, legs: str = "both", seed: int = 5
) -> None:
    """Write the recordings and the hypnogram of a simulated night."""
    parameters = replace(SCENARIOS[scenario], hours=hours, fs=25.0, legs=legs)
    write_simulated_night(simulate_night(parameters, seed), folder, scenario=scenario)


def write_results(
    recordings: Path, folder: Path, *, with_sleep: bool = True, keep_signal: bool = True
) -> None:
    """Analyze the recordings of one night, and write what `rlsmove night --out` writes."""
    from rlsmove.events.event_lists import read_one_night

    legs = [
        open_leg(recordings / f"{side}.h5", side)
        for side in ("left", "right")
        if (recordings / f"{side}.h5").exists()
    ]
    events = read_one_night(recordings / "events.csv") if with_sleep else None
    (evening,) = choose_nights(legs)
    result = analyse_night(legs, evening, events=events, keep_signal=keep_signal)
    write_night_result(result, folder, recordings / "events.csv" if with_sleep else None)
