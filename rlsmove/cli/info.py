"""`rlsmove info`: what a recording holds."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path

import click

from rlsmove.cli.input_paths import InputPath
from rlsmove.cli.told_options import ToldOptions, told_options


@click.command()
@click.argument("file", type=InputPath())
@told_options()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(file: Path, told: ToldOptions, as_json: bool) -> None:
    """Say what a recording holds: device, start, rate, length, gaps, nights, warnings.

    It also says what was taken for time, start, zone, unit and axes, and where that comes from; of
    a file that it cannot read, the options that would help.

    Example: rlsmove info left_ankle.cwa
    """
    from rlsmove.cli.night_text import info_lines
    from rlsmove.cli.progress import progress_bar
    from rlsmove.errors import RlsmoveError
    from rlsmove.io.json_text import json_text
    from rlsmove.night.opened_leg import open_leg
    from rlsmove.results.night_files import recording_facts

    try:
        with progress_bar(f"reading {file.name}") as progress:
            leg = open_leg(file, progress=progress, told=told.of())
    except RlsmoveError as error:
        for option in error.options:
            click.echo(f"rlsmove info {shlex.quote(str(file))} {option}", err=True)
        raise
    if as_json:
        warnings = [vars(notice) for notice in leg.recording.notices]
        taken = [
            {"what": taken.what, "value": taken.value, "from": taken.source}
            for taken in leg.recording.taken
        ]
        complete = leg.recording.completeness
        facts = {
            **recording_facts(leg),
            "completeness": None if complete is None else asdict(complete),
            "taken": taken,
            "warnings": warnings,
        }
        click.echo(json_text(facts), nl=False)
    else:
        click.echo("\n".join(info_lines(leg)))
