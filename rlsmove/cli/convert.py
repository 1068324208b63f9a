"""`rlsmove convert`: recordings and event lists in other formats."""

from __future__ import annotations

from pathlib import Path

import click

from rlsmove.cli.input_paths import InputPath
from rlsmove.cli.told_options import ToldOptions, told_options


@click.command()
@click.argument("file", type=InputPath())
@click.argument("out", type=click.Path(path_type=Path))
@told_options()
def command(file: Path, out: Path, told: ToldOptions) -> None:
    """Write a recording or an event list in another format, by OUT's suffix.

    A recording becomes HDF5 (.h5), EDF+ (.edf) or CSV (.csv, .csv.gz), an event list CSV (.csv),
    EDF+ annotations (.edf) or Luna's .annot.

    The samples stay as they were recorded, uncalibrated. What is missing is NaN in HDF5, the
    lowest value with an annotation "Gap" in EDF+, and a jump in time in CSV.

    Example: rlsmove convert left_ankle.cwa left_ankle.h5
    """
    from rlsmove.cli.progress import progress_bar
    from rlsmove.devices import may_be_recording
    from rlsmove.errors import SettingError
    from rlsmove.events.event_lists import convert_events, is_event_list
    from rlsmove.signal.recording_exports import export_recording

    if out.exists() and file.exists() and out.samefile(file):
        raise SettingError(
            out, "the output is the input itself", expected="another name; inputs stay untouched"
        )
    if is_event_list(file) and not may_be_recording(file):
        notices = convert_events(file, out)
    else:
        with progress_bar(f"converting {file.name}") as progress:
            notices = export_recording(file, out, progress, told=told.of())
    for notice in notices:
        click.echo(f"warning ({notice.code}): {notice.sentence}", err=True)
    click.echo(str(out))
