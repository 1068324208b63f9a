"""`rlsmove night`: every night of a recording, from the file to the indices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlsmove.cli.input_paths import InputPath
from rlsmove.cli.told_options import ToldOptions, told_options

if TYPE_CHECKING:
    from rlsmove.events.event_lists import Events


@click.command()
@click.argument("file", type=InputPath(), required=False)
@click.option("--left", type=InputPath(), help="Recording of the left ankle.")
@click.option("--right", type=InputPath(), help="Recording of the right ankle.")
@click.option("--side", type=click.Choice(["left", "right"]), help="Leg of FILE.")
@click.option("--night", "evening", help="Only the night that begins on this date (2026-03-01).")
@click.option(
    "--sleep",
    "events_file",
    type=InputPath(),
    help="Event list or hypnogram of a laboratory; its clock is found.",
)
@click.option(
    "--labels",
    "labels_file",
    type=InputPath(),
    help="Table of labels (CSV: label,kind,meaning) for it, on top of the built-in one.",
)
@click.option("--lights-off", help="Wall time, such as 23:10 or 2026-03-01T23:10.")
@click.option("--lights-on", help="Wall time, such as 06:45.")
@click.option("--sit", help="Wall time at which an immobilization test of an hour began.")
@click.option(
    "--rules",
    "rules_name",
    type=click.Choice(["wasm2016", "wasm2006", "aasm"]),
    default="wasm2016",
    show_default=True,
    help="Standard to score by.",
)
@told_options(legs=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    file: Path | None,
    left: Path | None,
    right: Path | None,
    side: str | None,
    evening: str | None,
    events_file: Path | None,
    labels_file: Path | None,
    lights_off: str | None,
    lights_on: str | None,
    sit: str | None,
    rules_name: str,
    told: ToldOptions,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find and score the leg movements of each night in one recording, or in two, one a leg.

    Example: rlsmove night --left left.cwa --right right.cwa --lights-off 23:10 --lights-on 06:45
    """
    from rlsmove.cli.night_text import night_lines
    from rlsmove.cli.progress import progress_bar
    from rlsmove.io.json_text import json_text
    from rlsmove.night.analysis import analyse_night
    from rlsmove.night.chosen_nights import choose_nights
    from rlsmove.night.opened_leg import open_leg
    from rlsmove.night.sleep_source import Lights
    from rlsmove.results.night_files import night_json, write_night_result
    from rlsmove.rules import RULE_SETS

    files = _files_by_side(file, left, right, side)
    legs = []
    for leg_side, path in files:
        with progress_bar(f"reading {path.name}") as progress:
            legs.append(open_leg(path, leg_side, progress, told=told.of(leg_side)))
    evenings = choose_nights(legs, evening)
    scored: Callable[[date], Events | None] = _no_events
    if events_file is not None:
        from rlsmove.events.event_lists import events_of_evening, read_events
        from rlsmove.events.labels import read_label_table

        cases = read_events(events_file, read_label_table(labels_file))
        scored = partial(events_of_evening, events_file, cases)
    printed = []
    for chosen in evenings:
        with progress_bar(f"night of {chosen}") as progress:
            result = analyse_night(
                legs,
                chosen,
                events=scored(chosen),
                lights=Lights(lights_off, lights_on),
                sit=sit,
                rules=RULE_SETS[rules_name],
                keep_signal=out is not None,
                progress=progress,
            )
        record = None
        if out is not None:
            folder = out if len(evenings) == 1 else out / str(chosen)
            record = write_night_result(result, folder, events_file)
        if as_json:
            printed.append(record or night_json(result, events_file))
        else:
            click.echo("\n".join(night_lines(result)))
        for notice in result.notices:
            click.echo(f"warning ({notice.code}): {notice.sentence}", err=True)
        del result  # its signal would stay beside that of the next night
    if as_json:
        click.echo(json_text(printed[0] if len(printed) == 1 else printed), nl=False)


def _no_events(evening: date) -> Events | None:
    return None


def _files_by_side(
    file: Path | None, left: Path | None, right: Path | None, side: str | None
) -> list[tuple[str | None, Path]]:
    """Each recording with the leg it is said to be of, the left one first."""
    if file is not None:
        if left is not None or right is not None:
            raise click.UsageError("give either FILE, or --left and --right, not both")
        return [(side, file)]
    if side is not None:
        raise click.UsageError("--side goes with FILE; --left and --right say it themselves")
    files = [("left", left), ("right", right)]
    given: list[tuple[str | None, Path]] = [(name, path) for name, path in files if path]
    if not given:
        raise click.UsageError("give a recording: FILE, or --left FILE --right FILE")
    if left is not None and right is not None and left.resolve() == right.resolve():
        raise click.UsageError("--left and --right are the same file")
    return given
