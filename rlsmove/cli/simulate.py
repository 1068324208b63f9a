"""`rlsmove simulate`: nights with known truth."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Make simulated nights and studies, of which the truth is known.

    Example: rlsmove simulate night out --hours 1 --seed 7
    """


@command.command()
@click.argument("out_dir", type=click.Path(path_type=Path))
@click.option("--scenario", default="typical", show_default=True, help="Named kind of night.")
@click.option("--hours", type=float, default=8.0, show_default=True, help="Length.")
@click.option("--fs", type=float, default=100.0, show_default=True, help="Samples per second.")
@click.option(
    "--legs",
    type=click.Choice(["left", "right", "both"]),
    default="both",
    show_default=True,
    help="Which ankles carry a device.",
)
@click.option("--device", help="Device imitated; the scenario's own by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of chance.")
def night(
    out_dir: Path, scenario: str, hours: float, fs: float, legs: str, device: str | None, seed: int
) -> None:
    """Write one simulated night: recordings, hypnogram and truth.

    Example: rlsmove simulate night out --scenario severe --hours 2 --seed 7
    """
    from dataclasses import replace

    from rlsmove.simulate import named_scenario, simulate_night
    from rlsmove.simulate.files import write_simulated_night

    parameters = replace(named_scenario(scenario), hours=hours, fs=fs, legs=legs)
    if device is not None:
        parameters = replace(parameters, device=device)
    write_simulated_night(simulate_night(parameters, seed), out_dir, scenario=scenario)
    click.echo(f"simulated night in {out_dir}")
