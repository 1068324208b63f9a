"""`rlsmove plan`: which night gets which condition, drawn once and frozen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--scheme",
    type=click.Choice(["pairs", "blocks", "free"]),
    help="Conditions in random order within pairs or blocks of nights, or over all nights.  "
    "[default: the one with the most power, of those that fit the nights]",
)
@click.option(
    "--nights",
    type=click.IntRange(2, 1000),
    default=16,
    show_default=True,
    help="Nights of each person, without the run-in.",
)
@click.option(
    "--block-nights",
    type=click.IntRange(min=2),
    help="Nights in a block.  [default: two of each arm]",
)
@click.option(
    "--period-nights",
    type=click.IntRange(1, 7),
    default=1,
    show_default=True,
    help="Nights in a row with one condition: 2 or 3 where the effect may carry over.",
)
@click.option(
    "--max-run",
    type=click.IntRange(min=1),
    help="Most periods in a row with one condition.  [default: no cap]",
)
@click.option(
    "--run-in",
    type=click.IntRange(min=0, max=100),
    default=0,
    show_default=True,
    help="Nights before the first assigned one.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Evening date of the first night.  [default: first_night of participants.tsv]",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the draw."
)
@click.option(
    "--night-sd",
    type=click.FloatRange(min=0, min_open=True),
    help="SD of a night's log rate, for the power.  [default: measured from nights without "
    "massage, else 0.5]",
)
@click.option(
    "--correlation",
    type=click.FloatRange(-1, 1, min_open=True, max_open=True),
    default=0.0,
    show_default=True,
    help="From one night to the next, for the power.",
)
@click.option(
    "--missing",
    type=click.FloatRange(0, 0.9),
    default=0.15,
    show_default=True,
    help="Share of nights that will have no result, for the power.",
)
@click.option("--dry-run", is_flag=True, help="Say what the plan could show, and write nothing.")
def command(
    study: Path,
    scheme: str | None,
    nights: int,
    block_nights: int | None,
    period_nights: int,
    max_run: int | None,
    run_in: int,
    start: datetime | None,
    seed: int,
    night_sd: float | None,
    correlation: float,
    missing: float,
    dry_run: bool,
) -> None:
    """Draw the nights of every person, freeze them, and say what they can show.

    Example: rlsmove plan my_study --nights 16 --start 2026-03-01 --seed 7
    """
    from rlsmove.comparison.plan_shows import (
        offered_schemes,
        plan_shows,
        power_of_each,
        study_baseline,
        words_of,
    )
    from rlsmove.study.folder import read_study
    from rlsmove.study.plan import first_nights, freeze_plan, make_scheme, plan_content

    read = read_study(study)
    baseline, source = study_baseline(
        read, night_sd=night_sd, correlation=correlation, missing=missing
    )
    schemes = offered_schemes(
        read.arms, nights, period_nights=period_nights, max_run=max_run, run_in=run_in
    )
    if scheme is not None or block_nights is not None or not schemes:
        chosen = make_scheme(
            scheme or ("free" if block_nights is None else "blocks"),
            tuple(arm.name for arm in read.arms),
            nights,
            block_nights=block_nights,
            period_nights=period_nights,
            max_run=max_run,
            run_in_nights=run_in,
        )
        schemes = list(dict.fromkeys([chosen, *schemes]))
    powers = power_of_each(schemes, read.arms, baseline, seed)
    drawn = powers[0][0] if scheme is None and block_nights is None else schemes[0]
    shows = plan_shows(read, drawn, baseline, source, powers, seed=seed)
    click.echo(f"The plan: {words_of(drawn)}.")
    click.echo(shows["sentence"])
    if dry_run:
        click.echo("Nothing was written.")
        return
    first = first_nights(read, start.date() if start else None)
    digest = freeze_plan(read, plan_content(read.study_id, drawn, seed, first, shows))
    click.echo(f"{study / 'plan.json'}: {len(first)} person(s), frozen with SHA-256 {digest}")
