"""`rlsmove merge`: the parts of a batch that ran on several machines, as one."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source", metavar="STUDY")
@click.option(
    "--rules",
    "rules_name",
    type=click.Choice(["wasm2016", "wasm2006", "aasm"]),
    help="Standard that the parts were scored by.  [default: that of study.json, else wasm2016]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the results, as of `rlsmove batch`.  [default: derived in STUDY]",
)
def command(source: str, rules_name: str | None, out: Path | None) -> None:
    """Put together what `rlsmove batch STUDY --shard i/n` wrote, part by part.

    Example: rlsmove merge my_study
    """
    from rlsmove.batch import merge_shards

    merged = merge_shards(source, out=out, rules_name=rules_name)
    for number in merged.missing:
        click.echo(f"part {number} is missing: its nights stand as failed", err=True)
    for number in merged.unfinished:
        click.echo(f"part {number} did not come to its end: its other nights failed", err=True)
    for failure in merged.failures:
        place = " ".join(filter(None, (failure[c] for c in ("participant_id", "night", "file"))))
        click.echo(f"failed: {place} ({failure['code']}): {failure['sentence']}", err=True)
    failed = sum(row["status"] == "failed" for row in merged.rows)
    click.echo(f"{len(merged.rows)} nights, {failed} of them failed")
    if failed or merged.failures:
        raise SystemExit(1)
