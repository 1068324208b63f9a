"""A bar on a terminal for what takes long; elsewhere nothing but a line when it is slow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

#: Work that is done before this needs no bar, and no line where there is no terminal.
PATIENCE_S = 2.0


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Show how far a piece of work has come, on standard error.

    Parameters
    ----------
    label : str
        What is being done.

    Yields
    ------
    callable
        To be called with the fraction done, from 0 to 1. At a terminal a bar appears after two
        seconds; elsewhere a plain line every ten per cent.
    """
    started = time.monotonic()
    terminal = sys.stderr.isatty()
    bar = None
    told = 0

    def show(fraction: float) -> None:
        nonlocal bar, told
        if time.monotonic() - started < PATIENCE_S:
            return
        if terminal:
            if bar is None:
                bar = click.progressbar(length=1000, label=label, file=sys.stderr)
                bar.render_progress()
            bar.update(int(1000 * fraction) - bar.pos)
        elif int(10 * fraction) > told:
            told = int(10 * fraction)
            click.echo(f"{label}: {10 * told} %", err=True)

    try:
        yield show
    finally:
        if bar is not None:
            bar.render_finish()
