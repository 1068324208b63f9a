"""`rlsmove score`: an existing list of leg movements, from its marks to the indices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlsmove.cli.input_paths import InputPath

if TYPE_CHECKING:
    from rlsmove.rules import RuleSet


@click.command()
@click.argument("events", type=InputPath())
@click.option(
    "--rules",
    "rules_name",
    type=click.Choice(["wasm2016", "wasm2006", "aasm", "all"]),
    default="wasm2016",
    show_default=True,
    help="Standard to score by; all puts the three side by side.",
)
@click.option(
    "--strict-start", is_flag=True, help="A movement after a short interval starts no series."
)
@click.option(
    "--short-interval",
    type=click.Choice(["break", "skip", "merge"]),
    help="What an interval below the smallest does, in place of the standard's own way.",
)
@click.option(
    "--respiratory-window",
    type=click.FloatRange(min=0),
    nargs=2,
    help="Seconds before and after, in place of the standard's own.",
)
@click.option(
    "--sleep-part",
    type=click.Choice(["onset", "any"]),
    default="onset",
    show_default=True,
    help="Part of a movement that decides whether it is in sleep.",
)
@click.option(
    "--short-after",
    type=click.Choice(["clm", "lm"]),
    default="clm",
    show_default=True,
    help="A candidate soon after this is of a short interval, else isolated.",
)
@click.option(
    "--arousal-bound",
    type=click.Choice(["counts", "not"]),
    help="Whether an arousal at exactly the largest distance belongs, in place of the standard.",
)
@click.option(
    "--labels",
    "labels_file",
    type=InputPath(),
    help="Table of labels (CSV: label,kind,meaning) on top of the built-in one.",
)
@click.option(
    "--sleep",
    "sleep_file",
    type=InputPath(),
    help="Another list of the night, with its stages.",
)
@click.option("--channels", help="Channels of leg EMG in an EDF file, such as 'LAT,RAT'.")
@click.option("--emg", is_flag=True, help="Find the movements in the leg EMG of an EDF file.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    events: Path,
    rules_name: str,
    strict_start: bool,
    short_interval: str | None,
    respiratory_window: tuple[float, float] | None,
    sleep_part: str,
    short_after: str,
    arousal_bound: str | None,
    labels_file: Path | None,
    sleep_file: Path | None,
    channels: str | None,
    emg: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Score a list of leg movements: CSV, EDF+, Luna .annot or an export of a sleep laboratory.

    EVENTS holds the marks of one night, or of several with a column `case`. Of an EDF without marks
    the leg EMG is scored.

    Example: rlsmove score events.csv --rules all --out scored/
    """
    from rlsmove.cli.score_tables import all_warnings, score_lines
    from rlsmove.events.labels import read_label_table
    from rlsmove.events.laboratory import read_laboratory
    from rlsmove.events.scored_events import score_events
    from rlsmove.io.json_text import json_text
    from rlsmove.results.event_scores import score_record, write_scores

    changes: dict[str, Any] = {"short_after": short_after}
    if short_interval is not None:
        changes["short_interval"] = short_interval
    if respiratory_window is not None:
        before_s, after_s = respiratory_window
        changes["respiratory_before_ms"] = round(before_s * 1000)
        changes["respiratory_after_ms"] = round(after_s * 1000)
    if sleep_part == "any":
        changes["in_sleep"] = "any_part"
    if arousal_bound is not None:
        changes["arousal_bound_counts"] = arousal_bound == "counts"
    rule_sets = _chosen_rules(rules_name, strict_start, changes)
    labels = read_label_table(labels_file)
    if emg and not channels:
        from rlsmove.events.emg import read_emg_events

        cases = {"": read_emg_events(events, labels)}
    else:
        named = [name for name in (channels or "").split(",") if name.strip()]
        cases = read_laboratory(events, labels, channels=named, sleep_path=sleep_file)
    inputs = [path for path in (events, labels_file, sleep_file) if path is not None]
    scores = {
        rules.name: {case: score_events(night, rules) for case, night in cases.items()}
        for rules in rule_sets
    }
    if out is not None:
        for name, nights in scores.items():
            write_scores(out / name if len(scores) > 1 else out, nights, inputs)
    if as_json:
        records = {name: score_record(nights, inputs) for name, nights in scores.items()}
        click.echo(json_text(records if len(records) > 1 else records.popitem()[1]), nl=False)
    else:
        click.echo("\n".join(score_lines(scores)))
    for line in all_warnings(scores):
        click.echo(line, err=True)


def _chosen_rules(name: str, strict_start: bool, changes: dict[str, Any]) -> list[RuleSet]:
    """The rule sets of a name, with the options that were given."""
    from dataclasses import replace

    from rlsmove.rules import RULE_SETS

    chosen = RULE_SETS.values() if name == "all" else [RULE_SETS[name]]
    rule_sets = [replace(rules, **changes) for rules in chosen]
    if not strict_start:
        return rule_sets
    if all(rules.short_interval != "break" for rules in rule_sets):
        raise click.UsageError("--strict-start goes with rules that break a series (wasm2016)")
    return [replace(rules, strict_start=rules.short_interval == "break") for rules in rule_sets]
