"""`rlsmove compare`: nights with massage against nights without."""

from __future__ import annotations

from pathlib import Path

import click

from rlsmove.cli.input_paths import InputPath


@click.command()
@click.argument("study", type=InputPath(), required=False)
@click.option(
    "--nights",
    "table",
    type=InputPath(),
    help="Instead of STUDY: a CSV or TSV of nights counted elsewhere (participant_id, night, "
    "condition, block, period, count, hours).",
)
@click.option(
    "--scheme",
    type=click.Choice(["pairs", "blocks", "free", "none"]),
    help="With --nights: how chance gave the nights their conditions, none if it did not.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The worthwhile ratio of massage over control.  [default: that of study.json, else 0.8]",
)
@click.option(
    "--minimum-hours",
    type=click.FloatRange(0, 24),
    help="Hours of the index that a night must have.  [default: those of study.json; with --nights "
    "3, or half of the usual where nights have fewer]",
)
@click.option(
    "--max-run",
    type=click.IntRange(min=1),
    help="With --nights: most periods in a row that the scheme gave one condition.",
)
@click.option(
    "--looks",
    type=click.Choice(["at_the_end", "every_morning"]),
    help="When the nights are judged: once, when all are there, or by the test that may be looked "
    "at every morning.  [default: as planned, else at_the_end]",
)
@click.option(
    "--planned-nights",
    type=click.IntRange(min=1),
    help="With --nights: nights of each person that were planned. With fewer there is no verdict.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="For draws where the possible assignments are too many to list.",
)
@click.option(
    "--models",
    is_flag=True,
    help="Also fit a mixed model and a negative-binomial GEE (needs the extra stats).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for comparison.json.  [default: derived in STUDY; none with --nights]",
)
@click.option("--json", "as_json", is_flag=True, help="Print comparison.json instead of text.")
def command(
    study: Path | None,
    table: Path | None,
    scheme: str | None,
    margin: float | None,
    minimum_hours: float | None,
    max_run: int | None,
    looks: str | None,
    planned_nights: int | None,
    seed: int,
    models: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare massage nights with control nights, each person and all together.

    Example: rlsmove compare --nights nights.csv --scheme pairs --out result
    """
    from rlsmove.cli.study import tell_problems
    from rlsmove.comparison.comparison import compare_study, compare_table
    from rlsmove.comparison.wording import comparison_text
    from rlsmove.io.atomic_files import write_files
    from rlsmove.io.json_text import json_text
    from rlsmove.study.folder import COMPARISON, LOOKS, WORTHWHILE_RATIO

    if (study is None) == (table is None):
        raise click.UsageError("give either STUDY, or --nights TABLE")
    if study is not None:
        if scheme is not None:
            raise click.UsageError("--scheme goes with --nights; a study's plan says it itself")
        if max_run is not None or planned_nights is not None:
            raise click.UsageError("--max-run and --planned-nights go with --nights")
        comparison, problems = compare_study(
            study,
            margin=margin,
            minimum_hours=minimum_hours,
            looks=looks,
            seed=seed,
            models=models,
        )
        out = out or (study / COMPARISON).parent
    elif table is not None:
        if scheme is None:
            raise click.UsageError("--nights needs --scheme: pairs, blocks, free or none")
        comparison, problems = compare_table(
            table,
            scheme,
            margin=margin or WORTHWHILE_RATIO,
            minimum_hours=minimum_hours,
            max_run=max_run,
            looks=looks or LOOKS[0],
            planned_nights=planned_nights,
            seed=seed,
            models=models,
        )
    text = json_text(comparison)
    if out is not None:
        write_files({out / COMPARISON.name: text})
    click.echo(text if as_json else comparison_text(comparison), nl=False)
    failed = tell_problems(problems)
    if all(person["ratio"] is None for person in comparison["persons"].values()):
        click.echo("error: nobody's nights can be compared; each person says why.", err=True)
        failed = True
    if failed:
        raise SystemExit(1)
