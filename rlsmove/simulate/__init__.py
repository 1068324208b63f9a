"""Nights and studies with known truth. Everything that comes from here is called simulated."""

from rlsmove.simulate.kinds import KINDS, drawn_night
from rlsmove.simulate.night import DETECTABLE_SNR, SimulatedNight, Truth, simulate_night
from rlsmove.simulate.ranges import HELD_OUT, TRAINING, draw_parameters
from rlsmove.simulate.scenarios import DEVICES, SCENARIOS, NightParameters, named_scenario

__all__ = [
    "DETECTABLE_SNR",
    "DEVICES",
    "HELD_OUT",
    "KINDS",
    "SCENARIOS",
    "TRAINING",
    "NightParameters",
    "SimulatedNight",
    "Truth",
    "draw_parameters",
    "drawn_night",
    "named_scenario",
    "simulate_night",
]
