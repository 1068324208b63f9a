"""`rlsmove view`: a local page to review nights in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from rlsmove.cli.input_paths import InputPath


@click.command()
@click.argument("folder", type=InputPath())
@click.option(
    "--recordings",
    type=InputPath(),
    help="Folder of the recordings, for nights whose signal was not kept.  "
    "[default: raw of the study]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on this computer.  [default: any that is free]",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(folder: Path, recordings: Path | None, port: int, no_browser: bool) -> None:
    """Review the nights of FOLDER in the browser: look, accept, reject, change, add, undo.

    The page is served to this computer alone, under a secret address. Edits go into edits.jsonl
    beside the night; what was detected is never changed. Ctrl-C ends it.

    Example: rlsmove view results/2026-03-01
    """
    import getpass
    import webbrowser

    from rlsmove.view.local_server import ViewServer
    from rlsmove.view.served_nights import ServedNights

    try:
        reviewer = getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        reviewer = ""
    with ViewServer(ServedNights(folder, recordings), reviewer=reviewer, port=port) as server:
        click.echo(server.address)
        click.echo("Ctrl-C ends the review; every edit is on the disk already.", err=True)
        if not no_browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("", err=True)
