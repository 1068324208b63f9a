"""`rlsmove validate`: a test scoring against a reference of the same nights."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("test", type=click.Path(path_type=Path))
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
    type=click.Path(path_type=Path),
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
    reference: Path,
    test: Path,
    tolerance_s: float,
    no_align: bool,
    rules_name: str,
    labels_file: Path | None,
    out: Path | None,
    plots: str,
    as_json: bool,
) -> None:
    """Compare the scoring TEST with the scoring REFERENCE, movement by movement and by index.

    Each is an event list, a movements.csv, or a folder of them; nights belong together by name.

    Example: rlsmove validate scored_by_hand/ derived/ --out agreement/
    """
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
