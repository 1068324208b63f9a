"""`rlsmove simulate`: nights and studies with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
@click.option("--fs", type=float, help="Samples per second; 100 by default, or as drawn.")
@click.option(
    "--nights",
    type=int,
    default=1,
    show_default=True,
    help="Nights in the recording, with the sensors off by day.",
)
@click.option(
    "--legs",
    type=click.Choice(["left", "right", "both"]),
    default="both",
    show_default=True,
    help="Which ankles carry a device.",
)
@click.option("--device", help="Device imitated; the scenario's own by default.")
@click.option(
    "--physics",
    type=click.Choice(["training", "held_out"]),
    help="Draw legs, strap, bed and device from these ranges; no scenario then.",
)
@click.option("--kind", help="Kind of drawn night; training is drawn from unless told otherwise.")
@click.option(
    "--massage",
    multiple=True,
    metavar="KIND",
    help="A session before lights off: vibration, kneading, compression or manual. Repeatable.",
)
@click.option(
    "--activity",
    multiple=True,
    metavar="KIND",
    help="What is no massage: jiggling, rubbing, stretching, walking or car. Repeatable.",
)
@click.option(
    "--evening",
    type=float,
    metavar="MIN",
    help="Minutes recorded before lights off, within --hours; as many as are needed by default.",
)
@click.option(
    "--sleeve",
    is_flag=False,
    flag_value="steady",
    metavar="CLOCK",
    help="A compression sleeve in bed; its clock is steady, stops, drift, jitter or free.",
)
@click.option(
    "--pad",
    is_flag=False,
    flag_value="steady",
    metavar="CLOCK",
    help="A vibrating pad in bed, with a clock like a sleeve's.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of chance.")
def night(
    out_dir: Path,
    scenario: str,
    hours: float,
    fs: float | None,
    nights: int,
    legs: str,
    device: str | None,
    physics: str | None,
    kind: str | None,
    massage: tuple[str, ...],
    activity: tuple[str, ...],
    evening: float | None,
    sleeve: str | None,
    pad: str | None,
    seed: int,
) -> None:
    """Write a simulated night, or several: recordings, hypnogram and truth.

    Example: rlsmove simulate night out --scenario severe --hours 2 --massage kneading --seed 7
    """
    from dataclasses import replace

    from rlsmove.errors import SettingError
    from rlsmove.simulate import named_scenario
    from rlsmove.simulate.files import write_simulated_night
    from rlsmove.simulate.kinds import drawn_parameters
    from rlsmove.simulate.ranges import RANGES
    from rlsmove.simulate.stay import simulate_stay, write_simulated_stay
    from rlsmove.simulate.treatment import Treatment, evening_needed_min

    if sleeve and pad:
        raise SettingError("", "--sleeve and --pad", expected="one machine in bed")
    needed = evening_needed_min(massage, activity)
    treatment = Treatment(
        evening_min=needed if evening is None else evening,
        massages=massage,
        activities=activity,
        machine="sleeve" if sleeve else "pad" if pad else "",
        clock=sleeve or pad or "steady",
    )
    given: dict[str, Any] = {"hours": hours, "legs": legs, "treatment": treatment}
    given |= {name: told for name, told in (("fs", fs), ("device", device)) if told is not None}
    if physics or kind:
        physics, kind = physics or "training", kind or "drawn"
        scenario = f"{kind}, {physics}"
        parameters = drawn_parameters(seed, RANGES[physics], kind, **given)
    else:
        parameters = replace(named_scenario(scenario), **given)
    stay = simulate_stay(parameters, seed, nights)
    if nights == 1:
        write_simulated_night(stay.nights[0], out_dir, scenario=scenario)
    else:
        write_simulated_stay(stay, out_dir, scenario=scenario)
    click.echo(f"simulated night in {out_dir}")


@command.command()
@click.argument("out_dir", type=click.Path(path_type=Path))
@click.option("--persons", type=int, default=2, show_default=True, help="Persons.")
@click.option("--nights", type=int, default=4, show_default=True, help="Nights of each person.")
@click.option("--hours", type=float, default=8.0, show_default=True, help="Length of a night.")
@click.option("--fs", type=float, default=25.0, show_default=True, help="Samples per second.")
@click.option("--device", default="ax3", show_default=True, help="Device imitated.")
@click.option(
    "--effect",
    type=float,
    default=0.7,
    show_default=True,
    help="Leg movements on massage nights over those on control nights.",
)
@click.option(
    "--evening",
    type=float,
    default=0.0,
    show_default=True,
    metavar="MIN",
    help="Minutes recorded before lights off, with the massages in the signal; 35 or more.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of chance.")
def study(
    out_dir: Path,
    persons: int,
    nights: int,
    hours: float,
    fs: float,
    device: str,
    effect: float,
    evening: float,
    seed: int,
) -> None:
    """Write a study folder of simulated persons: recordings, diary, plan and truth.

    Example: rlsmove simulate study out --persons 2 --nights 4 --effect 0.7 --seed 1
    """
    from rlsmove.cli.progress import progress_bar
    from rlsmove.simulate import NightParameters
    from rlsmove.simulate.study_recordings import StudyParameters, write_simulated_study

    shared = NightParameters(hours=hours, fs=fs, device=device)
    parameters = StudyParameters(persons, nights, effect, shared, evening)
    with progress_bar("simulating nights") as progress:
        write_simulated_study(parameters, out_dir, seed=seed, progress=progress)
    click.echo(f"simulated study in {out_dir}")


@command.command()
@click.argument("out_dir", type=click.Path(path_type=Path))
@click.option("--persons", type=int, default=12, show_default=True, help="Persons.")
@click.option(
    "--scheme",
    type=click.Choice(["pairs", "blocks", "free"]),
    default="pairs",
    show_default=True,
    help="How nights got their conditions.",
)
@click.option("--nights", type=int, default=14, show_default=True, help="Nights of each person.")
@click.option(
    "--effect", type=float, default=0.7, show_default=True, help="True ratio of the median person."
)
@click.option(
    "--effect-sd", type=float, default=0.2, show_default=True, help="SD of true log ratios."
)
@click.option(
    "--night-sd", type=float, default=0.5, show_default=True, help="SD of nights, log scale."
)
@click.option(
    "--correlation", type=float, default=0.0, show_default=True, help="From night to night."
)
@click.option("--trend", type=float, default=0.0, show_default=True, help="Log shift over a week.")
@click.option(
    "--carry-over",
    type=float,
    default=1.0,
    show_default=True,
    help="Rate on the night after a massage over the rate otherwise.",
)
@click.option("--missing", type=float, default=0.0, show_default=True, help="Share of nights.")
@click.option(
    "--not-adhered",
    type=float,
    default=0.0,
    show_default=True,
    help="Share of nights that got the other condition.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of chance.")
def results(
    out_dir: Path,
    persons: int,
    scheme: str,
    nights: int,
    effect: float,
    effect_sd: float,
    night_sd: float,
    correlation: float,
    trend: float,
    carry_over: float,
    missing: float,
    not_adhered: float,
    seed: int,
) -> None:
    """Write a study folder of simulated night results, without recordings, ready to compare.

    Example: rlsmove simulate results out --persons 12 --effect 0.7 --seed 1
    """
    from rlsmove.simulate.study_results import ARMS, ResultParameters, write_simulated_results
    from rlsmove.study.scheme import make_scheme

    parameters = ResultParameters(
        persons=persons,
        scheme=make_scheme(scheme, ARMS, nights),
        ratio=effect,
        ratio_ln_sd=effect_sd,
        night_ln_sd=night_sd,
        correlation=correlation,
        trend_per_week=trend,
        carry_over=carry_over,
        missing=missing,
        not_adhered=not_adhered,
    )
    write_simulated_results(parameters, out_dir, seed=seed)
    click.echo(f"simulated night results in {out_dir}")
