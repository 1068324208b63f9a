"""`rlsmove validate`: a test scoring against a reference of the same nights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rlsmove.cli.input_paths import InputPath
from rlsmove.cli.told_options import ToldOptions, told_options

if TYPE_CHECKING:
    from rlsmove.agreement.laboratory_files import LaboratoryFiles


@click.command()
@click.argument("reference", type=InputPath(), required=False)
@click.argument("test", type=InputPath(), required=False)
@click.option("--psg", type=InputPath(), help="Night of a laboratory: EDF or events.")
@click.option("--left", type=InputPath(), help="Recording of the left ankle.")
@click.option("--right", type=InputPath(), help="Recording of the right ankle.")
@click.option("--sleep", type=InputPath(), help="Stages, where the laboratory's file has none.")
@click.option("--second", type=InputPath(), help="A second scorer's list of the same night.")
@click.option(
    "--nights",
    "table",
    type=InputPath(),
    help="Many nights: a table of night, psg, left, right, sleep, second.",
)
@click.option("--channels", help="Channels of leg EMG in the EDF, such as 'LAT,RAT'.")
@told_options(legs=True)
@click.option(
    "--tolerance",
    "tolerance_s",
    type=click.FloatRange(0.001, 10),
    default=0.5,
    show_default=True,
    help="Largest difference of matched onsets, in seconds.",
)
@click.option("--no-align", is_flag=True, help="Take the clocks as they are.")
@click.option(
    "--rules",
    "rules_name",
    type=click.Choice(["wasm2016", "wasm2006", "aasm"]),
    default="wasm2016",
    show_default=True,
    help="Standard to score event lists by.",
)
@click.option(
    "--labels",
    "labels_file",
    type=InputPath(),
    help="Table of labels (CSV: label,kind,meaning) on top of the built-in one.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for validation.json and plots."
)
@click.option(
    "--plots",
    type=click.Choice(["png", "svg"]),
    default="png",
    show_default=True,
    help="Format of the plots.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    reference: Path | None,
    test: Path | None,
    psg: Path | None,
    left: Path | None,
    right: Path | None,
    sleep: Path | None,
    second: Path | None,
    table: Path | None,
    channels: str | None,
    told: ToldOptions,
    tolerance_s: float,
    no_align: bool,
    rules_name: str,
    labels_file: Path | None,
    out: Path | None,
    plots: str,
    as_json: bool,
) -> None:
    """Compare the scoring TEST with the scoring REFERENCE, movement by movement and by index.

    Each is an event list, a movements.csv, or a folder of them; nights belong together by name. Or
    compare a sleep laboratory's night (--psg) or many (--nights) with the sensor's: clocks are
    found, and what comes out is a verdict with a page, tables and a file without names to share.

    Example: rlsmove validate --psg night.edf --left left.cwa --right right.cwa --out validity/
    """
    if psg is not None or table is not None:
        if reference is not None or test is not None or (psg is not None and table is not None):
            raise click.UsageError("give REFERENCE and TEST, or --psg, or --nights")
        from rlsmove.agreement.laboratory_files import LaboratoryFiles, read_table

        if table is not None:
            nights_given = read_table(table)
        else:
            assert psg is not None
            if left is None and right is None:
                raise click.UsageError("--psg goes with --left, --right or both")
            nights_given = [LaboratoryFiles(psg.stem, psg, left, right, sleep, second)]
        _laboratory(
            nights_given, rules_name, labels_file, tolerance_s, channels, told, out, as_json
        )
        return
    if reference is None or test is None:
        raise click.UsageError("give REFERENCE and TEST, or --psg, or --nights")
    from rlsmove.agreement.night_scorings import read_scored_nights
    from rlsmove.agreement.validation import validate, validation_record
    from rlsmove.cli.validation_tables import validation_lines
    from rlsmove.events.labels import read_label_table
    from rlsmove.io.atomic_files import write_files
    from rlsmove.io.json_text import json_text
    from rlsmove.io.provenance import program_version
    from rlsmove.rules import RULE_SETS

    labels, rules = read_label_table(labels_file), RULE_SETS[rules_name]
    nights = [read_scored_nights(path, rules, labels) for path in (reference, test)]
    validation = validate(*nights, tolerance_s=tolerance_s, align=not no_align)
    record = {
        **validation_record(validation),
        "rules": rules.options(),
        "provenance": {
            "program": "rlsmove",
            "version": program_version(),
            "reference": reference.name,
            "test": test.name,
        },
    }
    if out is not None:
        from rlsmove.report.agreement_plots import write_agreement_plots

        write_agreement_plots(validation, out, plots)
        write_files({out / "validation.json": json_text(record)})
    click.echo(json_text(record) if as_json else validation_lines(validation), nl=not as_json)
    for notice in validation.notices:
        click.echo(f"warning ({notice.code}): {notice.sentence}", err=True)


def _laboratory(
    nights_given: list[LaboratoryFiles],
    rules_name: str,
    labels_file: Path | None,
    tolerance_s: float,
    channels: str | None,
    told: ToldOptions,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare a laboratory's nights with the sensor's."""
    from rlsmove.agreement.laboratory_files import compare_files
    from rlsmove.agreement.laboratory_validation import laboratory_record, shareable_record
    from rlsmove.agreement.reporting_items import reporting_items
    from rlsmove.cli.progress import progress_bar
    from rlsmove.cli.validation_tables import laboratory_lines
    from rlsmove.events.labels import read_label_table
    from rlsmove.io.atomic_files import write_files
    from rlsmove.io.json_text import json_text
    from rlsmove.io.provenance import program_version
    from rlsmove.rules import RULE_SETS

    rules, labels = RULE_SETS[rules_name], read_label_table(labels_file)
    named = [name for name in (channels or "").split(",") if name.strip()]
    nights = []
    for files in nights_given:
        with progress_bar(f"night {files.name}") as progress:
            nights.append(
                compare_files(
                    files,
                    rules,
                    labels,
                    tolerance_s=tolerance_s,
                    channels=named,
                    told=told.of,
                    progress=progress,
                )
            )
    simulated = any(night.simulated for night in nights)
    record = {
        **laboratory_record(nights, tolerance_s, simulated=simulated),
        "rules": rules.options(),
        "provenance": {"program": "rlsmove", "version": program_version()},
    }
    record["reporting"] = reporting_items(record)
    if out is not None:
        from rlsmove.report.validation_page import validation_csv, validation_page

        write_files(
            {
                out / "validation.json": json_text(record),
                out / "validation.csv": validation_csv(record),
                out / "validation.html": validation_page(record),
                out / "validation_shareable.json": json_text(shareable_record(record)),
            }
        )
    click.echo(json_text(record) if as_json else laboratory_lines(record), nl=not as_json)
    for night in nights:
        for notice in night.notices:
            click.echo(f"warning ({notice.code}): {night.name}: {notice.sentence}", err=True)
