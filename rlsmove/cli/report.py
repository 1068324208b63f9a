"""`rlsmove report`: self-contained pages of a night, a person or a study."""

from __future__ import annotations

from pathlib import Path

import click

from rlsmove.cli.input_paths import InputPath


@click.command()
@click.argument("folder", type=InputPath())
@click.option("--person", help="In a study: the participant whose report is wanted.")
@click.option(
    "--recordings",
    type=InputPath(),
    help="Folder of the recordings, for nights whose signal was not kept.  "
    "[default: raw of the study]",
)
@click.option("--pdf", is_flag=True, help="Write a PDF as well (needs the extra pdf).")
def command(folder: Path, person: str | None, recordings: Path | None, pdf: bool) -> None:
    """Write report.html into FOLDER: the results of a night, of a person, or of a study.

    Example: rlsmove report results/2026-03-01
    """
    from rlsmove.cli.progress import progress_bar
    from rlsmove.report.written_reports import write_reports

    with progress_bar("report") as progress:
        written = write_reports(
            folder, person=person, recordings=recordings, pdf=pdf, progress=progress
        )
    for path in written:
        click.echo(path)
