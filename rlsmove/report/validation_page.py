"""The page of a validation: a laboratory's nights beside the sensor's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlsmove.report.figure_svg import COLOR, HALF_IN, new_figure, page_style
from rlsmove.report.page import Pictures, render
from rlsmove.scoring import INDICES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNITS = {index.name: index.unit for index in INDICES}
_COUNTS = {index.name: index.counts for index in INDICES}
#: Columns of the table of nights, and what each is called.
COLUMNS = (("on_laboratory_stages", "on the laboratory's stages"), ("on_own_sleep", "on its own"))
_SEEN = (
    ("stage", "the laboratory's, by stage", "seen by the sensor"),
    ("length", "the laboratory's, by length", "seen by the sensor"),
    ("sensor_stage", "the sensor's, by stage", "marked by the laboratory"),
    ("sensor_peak", "the sensor's, by largest acceleration", "marked by the laboratory"),
)
_KINDS = {"lm": "leg movements", "clm": "candidates (CLM)", "plm": "periodic (PLM)"}


def validation_page(record: dict[str, Any]) -> str:
    """Make the page of a validation.

    Parameters
    ----------
    record : dict
        From `laboratory_record`, with ``rules``, ``provenance`` and ``reporting``.

    Returns
    -------
    str
        A whole page of HTML.
    """
    with page_style():
        pictures = Pictures()
        figures = [
            {"picture": pictures.draw(_bland_altman(record, column), alt), "words": alt}
            for column, words in COLUMNS
            if (alt := _alt(record, column, words))
        ]
        return render(
            "validation.html.j2",
            {
                "title": "A sleep laboratory beside the ankle sensor",
                "simulated": record["simulated"],
                "record": record,
                "figures": figures,
                "kinds": _KINDS,
                "seen": [
                    (title, heading, record["seen"][by])
                    for by, title, heading in _SEEN
                    if by in record["seen"]
                ],
                "counts": _COUNTS,
                "units": _UNITS,
                "columns": COLUMNS,
            },
        )


def _values(record: dict[str, Any], column: str) -> np.ndarray[Any, Any]:
    values = []
    for night in record["nights"]:
        index = night["indices"].get("plms_per_hour")
        if night["counted"] and index and None not in (index["laboratory"], index[column]):
            values.append((index["laboratory"], index[column]))
    return np.array(values, float).reshape(-1, 2)


def _alt(record: dict[str, Any], column: str, words: str) -> str:
    count = len(_values(record, column))
    if count < 2:
        return ""
    found = record["indices"]["plms_per_hour"][column]
    limits = (
        ""
        if found["limits_low"] is None
        else f", limits of agreement {found['limits_low']:+.1f} to {found['limits_high']:+.1f}"
    )
    return (
        f"PLMS per hour of sleep {words}, sensor less laboratory against their mean: {count} "
        f"nights, mean difference {found['bias']:+.1f}{limits}."
    )


def _bland_altman(record: dict[str, Any], column: str) -> Figure:
    values = _values(record, column)
    figure = new_figure(HALF_IN, 3.0)
    axes = figure.subplots()
    if len(values):
        found = record["indices"]["plms_per_hour"][column]
        axes.axhline(0, color=COLOR["grid"], linewidth=0.8)
        axes.scatter(values.mean(axis=1), values[:, 1] - values[:, 0], s=22, color=COLOR["left"])
        axes.axhline(found["bias"], color=COLOR["right"], linewidth=1)
        for limit in (found["limits_low"], found["limits_high"]):
            if limit is not None:
                axes.axhline(limit, color=COLOR["right"], linewidth=1, linestyle="--")
    axes.set_xlabel("mean of both, PLMS per hour of sleep")
    axes.set_ylabel("sensor less laboratory")
    return figure


def validation_csv(record: dict[str, Any]) -> str:
    """Write the indices of each night as a table: a row a night and an index."""
    lines = ["night,counted,index,unit,laboratory,on_laboratory_stages,on_own_sleep"]
    for night in record["nights"]:
        for name, values in night["indices"].items():
            cells = [
                "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
                for value in (values["laboratory"], *(values[column] for column, _ in COLUMNS))
            ]
            start = [_cell(night["name"]), str(int(night["counted"])), name, _UNITS.get(name, "")]
            lines.append(",".join(start + cells))
        if not night["counted"]:
            lines.append(f"{_cell(night['name'])},0,,,,,")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    from rlsmove.io.numbers_as_text import csv_cell

    return csv_cell(text)
