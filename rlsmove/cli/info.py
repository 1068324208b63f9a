"""`rlsmove info`: what a recording holds."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(file: Path, as_json: bool) -> None:
    """Say what a recording holds: device, start, rate, length, gaps, nights, warnings.

    Example: rlsmove info left_ankle.cwa
    """
    from rlsmove.cli.night_text import info_lines
    from rlsmove.cli.progress import progress_bar
    from rlsmove.io.json_text import json_text
    from rlsmove.night.opened_leg import open_leg
    from rlsmove.results.night_files import recording_facts

    with progress_bar(f"reading {file.name}") as progress:
        leg = open_leg(file, progress=progress)
    if as_json:
        warnings = [vars(notice) for notice in leg.recording.notices]
        click.echo(json_text({**recording_facts(leg), "warnings": warnings}), nl=False)
    else:
        click.echo("\n".join(info_lines(leg)))
