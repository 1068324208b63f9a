"""`rlsmove plan`: which night gets which condition, drawn once and frozen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlsmove.cli.input_paths import InputPath

if TYPE_CHECKING:
    from rlsmove.study.folder import Study

#: How to make a plan that nobody can change unseen, not even its maker.
_LODGE = (
    "To show later that it was fixed today, lodge this SHA-256 elsewhere: in a registry, or in an "
    "e-mail to yourself."
)


@click.command()
@click.argument("study", type=InputPath())
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
    "--seed",
    type=click.IntRange(min=0),
    help="Of the draw, for simulations.  [default: from the system's entropy, and recorded]",
)
@click.option("--add", is_flag=True, help="Add persons of participants.tsv who are not in it.")
@click.option(
    "--more-nights", type=click.IntRange(2, 1000), help="Add so many nights for every person."
)
@click.option("--amend", is_flag=True, help="Take over what study.json says now, as an entry.")
@click.option("--reason", help="Why, for --add, --more-nights and --amend.")
@click.option("--conceal", is_flag=True, help="Keep the conditions hidden until each evening.")
@click.option("--reveal", is_flag=True, help="At the end: show what a concealed plan had drawn.")
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
    seed: int | None,
    add: bool,
    more_nights: int | None,
    amend: bool,
    reason: str | None,
    conceal: bool,
    reveal: bool,
    night_sd: float | None,
    correlation: float,
    missing: float,
    dry_run: bool,
) -> None:
    """Draw the nights of every person, freeze them, and say what they can show.

    Example: rlsmove plan my_study --nights 16 --start 2026-03-01 --seed 7
    """
    from rlsmove.study.folder import read_study

    read = read_study(study)
    if reveal or add or amend or more_nights is not None:
        click.echo(_changed(read, start, reveal, add, more_nights, amend, reason))
        return
    from rlsmove.comparison.plan_shows import (
        offered_schemes,
        plan_shows,
        power_of_each,
        study_baseline,
        words_of,
    )
    from rlsmove.study.plan import first_nights, freeze_plan, new_seed, plan_content
    from rlsmove.study.scheme import make_scheme

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
    powers = power_of_each(schemes, read.arms, baseline, 1 if seed is None else seed)
    drawn = powers[0][0] if scheme is None and block_nights is None else schemes[0]
    shows = plan_shows(read, drawn, baseline, source, powers, seed=1 if seed is None else seed)
    click.echo(f"The plan: {words_of(drawn)}.")
    click.echo(shows["sentence"])
    if dry_run:
        click.echo("Nothing was written.")
        return
    first = first_nights(read, start.date() if start else None)
    content = plan_content(
        read,
        drawn,
        new_seed() if seed is None else seed,
        first,
        shows,
        made=datetime.now(UTC),
    )
    digest = freeze_plan(read, content, conceal=conceal)
    click.echo(f"{study / 'plan.json'}: {len(first)} person(s), frozen with SHA-256 {digest}")
    click.echo(_LODGE)
    if content["over_recorded_nights"]:
        click.echo(
            f"warning: {content['over_recorded_nights']} of the planned nights have a result "
            "already; every report will say so",
            err=True,
        )
    if conceal:
        click.echo(
            f"{study / 'plan.secret'} holds the conditions: give it to somebody who does not "
            "score nights; `rlsmove study tonight` shows one person's one night."
        )


def _changed(
    study: Study,
    start: datetime | None,
    reveal: bool,
    add: bool,
    more_nights: int | None,
    amend: bool,
    reason: str | None,
) -> str:
    """Add one entry to a frozen plan, or reveal it; returns what was done."""
    from rlsmove.study.folder import read_json
    from rlsmove.study.plan import (
        PLAN,
        amended,
        first_nights,
        fixed_entry,
        nights_entry,
        participants_entry,
        reveal_plan,
        write_amended,
    )

    if [reveal, add, amend, more_nights is not None].count(True) > 1:
        raise click.UsageError("one of --add, --more-nights, --amend and --reveal at a time")
    path = study.path / PLAN
    if reveal:
        return f"{path}: revealed, SHA-256 {reveal_plan(study)}"
    if not reason:
        raise click.UsageError("give the reason with --reason: every report shows it")
    content = read_json(path)
    if "draw" not in content:
        raise click.UsageError(
            f"{path} is concealed or was made by an earlier version: nothing can be added to it"
        )
    if add:
        new = first_nights(study, start.date() if start else None, tuple(content["participants"]))
        if not new:
            raise click.UsageError("everybody of participants.tsv is in the plan")
        entry, words = participants_entry(study, content, new), f"{len(new)} person(s) added"
    elif more_nights is not None:
        entry = nights_entry(study, content, more_nights)
        words = f"{more_nights} nights a person added"
    else:
        entry = fixed_entry(study, content)
        words = "amended: " + ", ".join(entry["fixed"])
    content = amended(content, entry, reason=reason, after_results=study.results is not None)
    return f"{path}: {words}, SHA-256 {write_amended(study, content)}\n{_LODGE}"
