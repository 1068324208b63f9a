"""`rlsmove batch`: every night of a study, a folder or a glob."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rlsmove.batch.run import BatchResult


@click.command()
@click.argument("source", metavar="STUDY")
@click.option("--jobs", type=click.IntRange(min=1), help="Workers.  [default: one a processor]")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds after which a recording or a night is given up.",
)
@click.option("--shard", help="Only part i of n, as i/n; `rlsmove merge` puts the parts together.")
@click.option("--cluster", help="Run on this dask scheduler: its address or its scheduler file.")
@click.option("--explain", is_flag=True, help="Say for each night why it is computed, or is not.")
@click.option(
    "--rules",
    "rules_name",
    type=click.Choice(["wasm2016", "wasm2006", "aasm"]),
    help="Standard to score by.  [default: that of study.json, else wasm2016]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the results.  [default: derived in STUDY]",
)
def command(
    source: str,
    jobs: int | None,
    timeout_s: float,
    shard: str | None,
    cluster: str | None,
    explain: bool,
    rules_name: str | None,
    out: Path | None,
) -> None:
    """Score every night of every person in a study folder, a folder or a quoted glob.

    Run again, it goes on where it stopped, and computes only what has changed.

    Example: rlsmove batch my_study --jobs 4
    """
    from rlsmove.batch import run_batch
    from rlsmove.batch.shards import Shard
    from rlsmove.cli.batch_progress import batch_progress

    part = None if shard is None else Shard.parse(shard)
    try:
        with batch_progress() as progress:
            result = run_batch(
                source,
                out=out,
                rules_name=rules_name,
                jobs=jobs,
                timeout_s=timeout_s,
                shard=part,
                cluster=cluster,
                progress=progress,
                explain=_explain if explain else None,
            )
    except KeyboardInterrupt:
        click.echo("interrupted; what is done stays: run the same command to go on", err=True)
        raise SystemExit(1) from None
    _tell(result)


def _explain(participant_id: str, night: str, sentence: str) -> None:
    click.echo(f"{participant_id} {night}: {sentence}")


def _tell(result: BatchResult) -> None:
    """Say how it went, name what failed, and end with 1 where something did."""
    count = {
        status: sum(row["status"] == status for row in result.rows)
        for status in ("ok", "warned", "failed")
    }
    progress = result.progress
    for failure in result.failures:
        place = " ".join(filter(None, (failure["participant_id"], failure["night"])))
        click.echo(
            f"failed: {place} {failure['file']} ({failure['code']}): {failure['sentence']}",
            err=True,
        )
    click.echo(
        f"{len(result.rows)} nights: {count['ok']} ok, {count['warned']} with warnings, "
        f"{count['failed']} failed; {progress.nights_kept} kept from before, "
        f"{progress.nights_done} computed in {progress.elapsed_s:.1f} s "
        f"({progress.nights_per_hour:.0f} nights per hour)"
    )
    click.echo(f"results in {result.derived}")
    if result.failures:
        raise SystemExit(1)
