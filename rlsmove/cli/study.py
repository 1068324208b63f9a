"""`rlsmove study`: an empty study folder, everything wrong with one, sleep logs into one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rlsmove.study.problems import Problem


@click.group()
def command() -> None:
    """Make, check and fill study folders.

    Example: rlsmove study new my_study
    """


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--id", "study_id", default="", help="Short name.  [default: the folder's]")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="IANA name of the zone in which the nights are slept.",
)
def new(folder: Path, study_id: str, time_zone: str) -> None:
    """Make an empty study folder that already validates.

    Example: rlsmove study new my_study --time-zone Europe/Berlin
    """
    from rlsmove.study.folder import new_study

    new_study(folder, study_id=study_id, time_zone=time_zone)
    click.echo(
        f"{folder}: made. Enter persons in participants.tsv, then draw their nights with\n"
        f"  rlsmove plan {folder} --scheme pairs --nights 14 --start DATE"
    )


@command.command()
@click.argument("study", type=click.Path(path_type=Path))
def check(study: Path) -> None:
    """List everything that is wrong with a study folder, with file, row and column.

    Example: rlsmove study check my_study
    """
    from rlsmove.study.check import check_study
    from rlsmove.study.folder import read_study

    problems = check_study(read_study(study))
    for problem in problems:
        click.echo(f"{'notice' if problem.only_notice else 'problem'}: {problem}")
    wrong = sum(not problem.only_notice for problem in problems)
    click.echo(
        f"{study}: {wrong} problem(s), {len(problems) - wrong} notice(s)"
        if problems
        else f"{study}: nothing wrong"
    )
    if wrong:
        raise SystemExit(1)


@command.command("import-sleeplog")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("log", metavar="LOG.csv", type=click.Path(path_type=Path))
@click.option(
    "--first-night",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Basic layout: date of the first night.  [default: first_night of each person, else "
    "their first in nights.tsv]",
)
@click.option(
    "--date-order",
    type=click.Choice(["ymd", "dmy", "mdy"]),
    help="Advanced layout: order of day, month and year, where the dates leave it open.",
)
def import_sleeplog(
    study: Path, log: Path, first_night: datetime | None, date_order: str | None
) -> None:
    """Fill lights_off and lights_on of nights.tsv from a sleep log in either layout of GGIR.

    Example: rlsmove study import-sleeplog my_study sleeplog.csv
    """
    from rlsmove.study.folder import read_study
    from rlsmove.study.sleep_logs import import_sleep_log

    imported = import_sleep_log(
        read_study(study),
        log,
        first_night=first_night.date() if first_night else None,
        date_order=date_order,
    )
    click.echo(
        f"{log}: {imported.layout} layout, {imported.filled} night(s) filled in "
        f"{study / 'nights.tsv'}, {imported.added} of them new"
    )
    if tell_problems(imported.problems):
        raise SystemExit(1)


def tell_problems(problems: Sequence[Problem]) -> bool:
    """Name problems on standard error, and say whether any is more than a notice."""
    for problem in problems:
        click.echo(f"{'notice' if problem.only_notice else 'problem'}: {problem}", err=True)
    return any(not problem.only_notice for problem in problems)
