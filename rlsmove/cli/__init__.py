"""The command line: each command reads, calls one function, and writes."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
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
        # A job that is told to stop tidies up its unfinished files on the way out.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        try:
            return super().invoke(ctx)
        except RlsmoveError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rlsmove")
def main() -> None:
    """Find leg movements in ankle recordings of the night, and compare nights.

    rlsmove measures and compares; it does not diagnose or treat.

    Example: rlsmove night left_ankle.cwa
    """
