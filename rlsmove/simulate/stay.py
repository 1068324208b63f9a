"""Several simulated nights in one recording, as of a device that is worn for a week of nights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlsmove.errors import SettingError
from rlsmove.io.atomic_files import write_files
from rlsmove.simulate.ankle_sensor import AnkleSensor, Clock, stored
from rlsmove.simulate.files import truth_files, write_leg
from rlsmove.simulate.limb_motion import unit
from rlsmove.simulate.night import SimulatedNight, simulate_night
from rlsmove.simulate.scenarios import NightParameters

DAY_S = 86_400.0
#: A day without the sensor is made in stretches of this length.
_BLOCK_S = 300.0
#: Longest night where another follows.
_LONGEST_HOURS = 23.0


@dataclass(frozen=True)
class SimulatedStay:
    """Nights on successive evenings, recorded by the same devices.

    Attributes
    ----------
    nights : tuple of SimulatedNight
        Each from its own evening on; by day the sensors lie on a table.
    """

    nights: tuple[SimulatedNight, ...]

    def blocks(self, side: str) -> Iterator[NDArray[np.float32]]:
        """The recording of one leg, in stretches of shape (n, 3), in g; missing rows are NaN."""
        for number, night in enumerate(self.nights):
            yield from night.blocks(side)
            if number + 1 < len(self.nights):
                rng = np.random.default_rng([night.seed, number, side == "right"])
                yield from _day(night.sensors[side], night.parameters, rng)


def _day(
    sensor: AnkleSensor, parameters: NightParameters, rng: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """A sensor on a table from the end of one night to the start of the next."""
    on_table = sensor.seen(unit(rng.normal(size=3)))
    rows = round(DAY_S * parameters.fs) - round(parameters.hours * 3600 * parameters.fs)
    step = round(_BLOCK_S * parameters.fs)
    for first in range(0, rows, step):
        still = np.tile(on_table, (min(step, rows - first), 1))
        yield stored(still, parameters, rng)


def simulate_stay(parameters: NightParameters, seed: int, nights: int) -> SimulatedStay:
    """Draw nights on successive evenings.

    Parameters
    ----------
    parameters : NightParameters
        What all nights share; its start is that of the first.
    seed : int
        Of all chance; the first night is the one that `simulate_night` draws with it.
    nights : int
        How many.

    Returns
    -------
    SimulatedStay

    Raises
    ------
    SettingError
        A parameter is out of its bounds.
    """
    if not 1 <= nights <= 60:
        raise SettingError("", f"nights is {nights}", expected="1 to 60")
    if nights > 1 and parameters.hours > _LONGEST_HOURS:
        raise SettingError(
            "",
            f"hours is {parameters.hours:g} with another night to follow",
            expected=f"up to {_LONGEST_HOURS:g}",
        )
    first = simulate_night(parameters, seed)
    made = [first]
    for number in range(1, nights):
        evening = replace(parameters, start_time=parameters.start_time + timedelta(days=number))
        night = simulate_night(evening, int(np.random.default_rng([seed, number]).integers(2**31)))
        sensors = {
            side: _the_same_device(first.sensors[side], sensor, number)
            for side, sensor in night.sensors.items()
        }
        made.append(replace(night, sensors=sensors))
    return SimulatedStay(tuple(made))


def _the_same_device(first: AnkleSensor, later: AnkleSensor, days: int) -> AnkleSensor:
    """A later night as the device of the first one records it."""
    drifted_s = days * DAY_S * first.clock.drift_ppm * 1e-6
    clock = Clock(first.clock.offset_s + drifted_s, first.clock.drift_ppm)
    return replace(later, clock=clock, gain=first.gain, offset_g=first.offset_g)


def write_simulated_stay(stay: SimulatedStay, out_dir: str | Path, *, scenario: str) -> None:
    """Write one recording a leg, and a folder of truth for each evening.

    Parameters
    ----------
    stay : SimulatedStay
        The nights.
    out_dir : str or Path
        Folder; made where it is missing. Each file appears whole or not at all.
    scenario : str
        Name that the parameters started from, for the record.

    Raises
    ------
    OutputError
        A file cannot be written.

    Notes
    -----
    Times in the files of truth count from the start of the recording, as those of a night's results
    do.
    """
    out_dir = Path(out_dir)
    first = stay.nights[0]
    for side in first.sensors:
        path = out_dir / f"{side}.h5"
        write_leg(first, side, path, scenario=scenario, blocks=stay.blocks(side))
    for number, night in enumerate(stay.nights):
        folder = out_dir / night.parameters.start_time.date().isoformat()
        folder.mkdir(exist_ok=True)
        later = night.later(round(number * DAY_S))
        write_files(truth_files(later, folder, scenario=scenario))
