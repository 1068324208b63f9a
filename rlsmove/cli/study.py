"""`rlsmove study`: a study folder made, checked, filled from files and diaries, and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlsmove.cli.input_paths import InputPath

if TYPE_CHECKING:
    from rlsmove.study.diaries import DiaryHints
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
@click.argument("study", type=InputPath())
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


def _diary_options(function: Callable[..., None]) -> Callable[..., None]:
    """Options that say what a diary does not say itself."""
    for option in (
        click.option(
            "--column",
            "columns",
            multiple=True,
            metavar="COLUMN=NAME",
            help="Which column of the diary a column of nights.tsv is, such as "
            "lights_off=Bettzeit; may be repeated.",
        ),
        click.option(
            "--date-order",
            type=click.Choice(["ymd", "dmy", "mdy"]),
            help="Order of day, month and year, where the dates leave it open.",
        ),
        click.option(
            "--first-night",
            type=click.DateTime(["%Y-%m-%d"]),
            help="Date of the first night, for a diary without dates.  [default: first_night of "
            "each person, else their first that is known]",
        ),
    ):
        function = option(function)
    return function


def _hints(
    columns: tuple[str, ...], date_order: str | None, first_night: datetime | None
) -> DiaryHints:
    from rlsmove.errors import SettingError
    from rlsmove.study.diaries import DiaryHints

    parts = [text.partition("=") for text in columns]
    for name, sign, _ in parts:
        if not sign:
            raise SettingError("--column", name, expected="COLUMN=NAME")
    return DiaryHints(
        first_night=first_night.date() if first_night else None,
        date_order=date_order,
        columns={column.strip(): name.strip() for column, _, name in parts},
    )


@command.command("import-sleeplog")
@click.argument("study", type=InputPath())
@click.argument("log", metavar="DIARY", type=InputPath())
@_diary_options
@click.option("--dry-run", is_flag=True, help="Show what was understood, and write nothing.")
def import_sleeplog(
    study: Path,
    log: Path,
    first_night: datetime | None,
    date_order: str | None,
    columns: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Fill nights.tsv from a diary: CSV or Excel, a row a night, or either layout of GGIR.

    Columns are matched by their names. With any problem nothing is written, and `rlsmove study
    undo` takes it back.

    Example: rlsmove study import-sleeplog my_study sleeplog.csv
    """
    from rlsmove.study.diaries import import_diary, understood_lines
    from rlsmove.study.folder import read_study

    told = _hints(columns, date_order, first_night)
    imported = import_diary(read_study(study), log, told, dry_run=dry_run)
    for line in understood_lines(imported.diary):
        click.echo(line)
    if tell_problems(imported.diary.problems):
        click.echo("nothing was written", err=True)
        raise SystemExit(1)
    done = "filled" if imported.written else "would be filled"
    click.echo(
        f"{imported.diary.layout} layout, {imported.filled} night(s) {done} in "
        f"{study / 'nights.tsv'}, {imported.added} of them new"
    )


@command.command("from")
@click.argument("folder", type=InputPath())
@click.argument("study", type=InputPath())
@click.option("--diary", type=InputPath(), help="Diary of the nights, CSV or Excel.")
@click.option(
    "--pattern",
    help="How the files' names are made, such as '{person}/{date}_{leg}'; {} and * stand for "
    "anything.",
)
@_diary_options
@click.option("--time-zone", help="IANA name of the zone of the nights, for a new study.")
@click.option("--dry-run", is_flag=True, help="Show the pairing, and write nothing.")
@click.option("--yes", is_flag=True, help="Write without asking, unless a row is doubtful.")
def from_(
    folder: Path,
    study: Path,
    diary: Path | None,
    pattern: str | None,
    first_night: datetime | None,
    date_order: str | None,
    columns: tuple[str, ...],
    time_zone: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Make a study folder out of a folder of recordings as they are, or add new ones to it.

    Person, leg and night of each file are told by its header first, then by its name, its folder
    and its device's serial number. The whole pairing is shown with its reasons, doubtful rows
    first, and written after a yes. The recordings stay where they are. `rlsmove study undo` takes
    it back.

    Example: rlsmove study from downloads my_study --diary diary.xlsx
    """
    from rlsmove.cli.progress import progress_bar
    from rlsmove.study.diaries import understood_lines
    from rlsmove.study.intake import pairing_lines, study_from

    told = _hints(columns, date_order, first_night)
    with progress_bar("opening files") as progress:
        intake = study_from(
            folder,
            study,
            diary=diary,
            pattern=pattern,
            told=told,
            time_zone=time_zone,
            progress=progress,
        )
    for line in pairing_lines(intake):
        click.echo(line)
    if intake.diary is not None:
        for line in understood_lines(intake.diary):
            click.echo(line)
    persons = len({file.participant_id for file in intake.placed})
    click.echo(
        f"{len(intake.placed)} new file(s) of {persons} person(s), "
        f"{len(intake.doubtful)} doubtful; {intake.listed} listed before"
    )
    if intake.diary is not None and tell_problems(intake.diary.problems):
        click.echo("nothing was written", err=True)
        raise SystemExit(1)
    if dry_run:
        return
    if intake.doubtful and yes:
        click.echo(
            "nothing was written: correct the doubtful files' names, say how names are made with "
            "--pattern, or answer without --yes",
            err=True,
        )
        raise SystemExit(1)
    unplaced = len(intake.placed) - len(intake.usable)
    question = f"{len(intake.doubtful)} row(s) are doubtful. " if intake.doubtful else ""
    question += f"{unplaced} without a leg are left out. " if unplaced else ""
    if not yes and not click.confirm(f"{question}Write {study}?"):
        click.echo("nothing was written", err=True)
        raise SystemExit(1)
    intake.write()
    click.echo(f"{study}: written. Next: rlsmove study check {study}")


@command.command()
@click.argument("study", type=InputPath())
def undo(study: Path) -> None:
    """Take back the last import: put the tables back as they were before it.

    Example: rlsmove study undo my_study
    """
    from rlsmove.study.imports import undo_import

    click.echo(f"{study}: undone: {undo_import(study)}")


@command.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--participant", metavar="ID", help="Whose night.  [default: the plan's only person]")
@click.option(
    "--night",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Evening date.  [default: this evening in the study's time zone]",
)
def tonight(study: Path, participant: str | None, night: datetime | None) -> None:
    """Say one person's condition of one night, what to note, and what if it goes otherwise.

    Where the plan is concealed, this alone shows the condition, and enters it into nights.tsv.

    Example: rlsmove study tonight my_study --participant sub-01
    """
    from rlsmove.study.folder import read_study
    from rlsmove.study.tonight import plan_of, this_evening, tonight_text
    from rlsmove.study.tonight import tonight as night_of_plan

    read = read_study(study)
    for change in plan_of(read).changes:
        click.echo(f"warning: plan.json: {change}", err=True)
    told = night_of_plan(read, participant, night.date() if night else None)
    click.echo(tonight_text(told))
    if told.entered:
        early = told.night > this_evening(read)
        click.echo(
            f"{study / 'nights.tsv'}: condition entered"
            + (". This night is still to come: it was to stay hidden until then" if early else ""),
            err=True,
        )


@command.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def status(study: Path, as_json: bool) -> None:
    """Say how each person's nights stand and what to do; nothing about any effect.

    Example: rlsmove study status my_study
    """
    from rlsmove.io.json_text import json_text
    from rlsmove.study.folder import read_study
    from rlsmove.study.status import status_text, study_status

    stands = study_status(read_study(study))
    click.echo(json_text(stands) if as_json else status_text(stands), nl=not as_json)
    for problem in [*stands["plan_changes"], *stands["problems"]]:
        click.echo(f"problem: {problem}", err=True)


@command.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the sheets."
)
def sheet(study: Path, out: Path) -> None:
    """Write each person's nights to come: a sheet to print with boxes to fill, and a calendar.

    ID.html opens and prints without a network; ID.ics goes into a calendar. Conditions of a
    concealed plan are not in them.

    Example: rlsmove study sheet my_study --out sheets
    """
    from rlsmove.report.night_sheet import write_sheets
    from rlsmove.study.folder import read_study

    for path in write_sheets(read_study(study), out):
        click.echo(path)


@command.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def export(study: Path, out: Path) -> None:
    """Write a study's nights for other programs, with what it takes to repeat the test.

    OUT gets tidy tables (nights.csv, sequences.csv, estimates.csv, flow.csv), each with its data
    dictionary in JSON; analysis.R, which needs base R alone and gives each person's ratio and p;
    and preregistration.md, filled from the plan.

    Example: rlsmove study export my_study exported
    """
    from rlsmove.comparison.study_export import export_study
    from rlsmove.study.folder import read_study

    for path in export_study(read_study(study), out):
        click.echo(path)


def tell_problems(problems: Sequence[Problem]) -> bool:
    """Name problems on standard error, and say whether any is more than a notice."""
    for problem in problems:
        click.echo(f"{'notice' if problem.only_notice else 'problem'}: {problem}", err=True)
    return any(not problem.only_notice for problem in problems)
