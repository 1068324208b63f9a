"""How far a batch has come: one live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rlsmove.batch.run import Progress

#: Time between plain lines.
LINE_EVERY_S = 30.0


@contextmanager
def batch_progress() -> Iterator[Callable[[Progress], None]]:
    """Show progress on standard error.

    Yields
    ------
    callable
        To be told the progress, as often as one likes.
    """
    if not sys.stderr.isatty():
        yield _plain_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.percentage:3.0f} %  {task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda now: bar.update(task, completed=now.fraction, description=progress_line(now))


def _plain_lines() -> Callable[[Progress], None]:
    told = time.monotonic()

    def tell(now: Progress) -> None:
        nonlocal told
        if time.monotonic() - told >= LINE_EVERY_S:
            told = time.monotonic()
            click.echo(f"{100 * now.fraction:.0f} %  {progress_line(now)}", err=True)

    return tell


def progress_line(now: Progress) -> str:
    """Say in one line how far a batch has come, how fast it goes and how long it will take."""
    parts = [
        f"{now.recordings_read}/{now.recordings} recordings",
        f"{now.nights_done}/{now.nights} nights",
    ]
    if now.nights_kept:
        parts.append(f"{now.nights_kept} kept")
    if now.failures:
        parts.append(f"{now.failures} failed")
    if now.nights_done:
        parts.append(f"{now.nights_per_hour:.0f} nights per hour")
    if 0 < now.fraction < 1:
        minutes, seconds = divmod(round(now.left_s), 60)
        hours, minutes = divmod(minutes, 60)
        parts.append(f"{hours}:{minutes:02d}:{seconds:02d} left")
    return ", ".join(parts)
