"""The command line: each command reads, calls one function, and writes."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rlsmove.errors import RlsmoveError

#: Each command and the module that holds it, loaded only when it is asked for.
COMMANDS = (
    "info",
    "night",
    "score",
    "batch",
    "merge",
    "compare",
    "study",
    "plan",
    "report",
    "view",
    "simulate",
    "validate",
    "convert",
)


class _Commands(click.Group):
    """Commands that are imported when they are used, so that start-up stays short."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"rlsmove.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        with _tidy_end_when_told_to_stop():
            try:
                return super().invoke(ctx)
            except RlsmoveError as error:
                click.echo(f"error: {error}", err=True)
                sys.exit(1)
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Exception as error:
                log = _keep_traceback()
                click.echo(
                    f"error: a fault of rlsmove itself ({type(error).__name__}: {error}); what led "
                    f"to it is in {log}. Please report it with that file.",
                    err=True,
                )
                sys.exit(1)


@contextmanager
def _tidy_end_when_told_to_stop() -> Iterator[None]:
    """A job that is told to stop tidies up its unfinished files on the way out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _keep_traceback() -> Path:
    """Write the traceback at hand to a file of its own among the temporary files."""
    import os
    import tempfile
    import traceback

    number, name = tempfile.mkstemp(prefix="rlsmove-fault-", suffix=".log")
    with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
        traceback.print_exc(file=file)
    return Path(name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rlsmove")
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is being done.")
def main(verbose: bool) -> None:
    """Find leg movements in ankle recordings of the night, and compare nights.

    rlsmove measures and compares; it does not diagnose or treat.

    Example: rlsmove night left_ankle.cwa
    """
    if verbose:
        import logging

        logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("rlsmove").setLevel(logging.DEBUG)
