"""Pictures of how far two scorings agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsmove.agreement.validation import Validation, index_values
from rlsmove.io.atomic_files import atomic_path
from rlsmove.scoring.indices import INDICES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_agreement_plots(validation: Validation, out_dir: Path, file_format: str) -> list[Path]:
    """Draw the errors of matched movements, and a Bland-Altman plot of each index.

    Parameters
    ----------
    validation : Validation
        What is drawn.
    out_dir : Path
        Folder; made where it is missing.
    file_format : str
        ``png`` or ``svg``.

    Returns
    -------
    list of Path
        The files: ``errors``, and ``index_<name>`` for each index said on two nights or more.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    figures: dict[str, Figure] = {}
    if validation.events["lm"].n_matched:
        figures["errors"] = _errors(validation)
    for index in INDICES:
        agreement = validation.indices.get(index.name)
        if agreement is not None and agreement.n > 1:
            figures[f"index_{index.name}"] = _bland_altman(validation, index.name, index.unit)
    written = []
    for name, figure in figures.items():
        path = out_dir / f"{name}.{file_format}"
        with atomic_path(path) as partial:
            # No date in the file, and no random names: the same data draw the same bytes.
            metadata = {"Date": None} if file_format == "svg" else {"Software": None}
            figure.savefig(partial, format=file_format, metadata=metadata)
        written.append(path)
    return written


def _figure(columns: int) -> tuple[Figure, Any]:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "rlsmove"
    figure = Figure(figsize=(5.5 * columns, 4), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _errors(validation: Validation) -> Figure:
    figure, axes = _figure(2)
    events = validation.events["lm"]
    for axis, errors, name in zip(
        axes, (events.onset_error_s, events.offset_error_s), ("onset", "offset"), strict=True
    ):
        reach = max(validation.tolerance_s, float(np.quantile(np.abs(errors), 0.98)))
        axis.hist(np.clip(errors, -reach, reach), bins=41, range=(-reach, reach), color="#4878a8")
        axis.axvline(0, color="black", linewidth=0.8)
        axis.axvline(float(np.median(errors)), color="#c44e52", label="median")
        axis.set_xlabel(f"{name}, test less reference (s)")
        axis.set_ylabel("matched leg movements")
        axis.legend(frameon=False, loc="upper right")
    return figure


def _bland_altman(validation: Validation, name: str, unit: str) -> Figure:
    figure, axis = _figure(1)
    reference, test = index_values(validation.nights, name)
    agreement = validation.indices[name]
    axis.scatter((reference + test) / 2, test - reference, s=18, color="#4878a8")
    for value, style, label in (
        (agreement.bias, "-", "mean difference"),
        (agreement.limits_low, "--", "95 % limits of agreement"),
        (agreement.limits_high, "--", None),
    ):
        if value is not None:
            axis.axhline(value, color="#c44e52", linestyle=style, label=label)
    axis.axhline(0, color="black", linewidth=0.8)
    in_unit = f" ({unit})" if unit else ""
    axis.set_title(name)
    axis.set_xlabel(f"mean of test and reference{in_unit}")
    axis.set_ylabel(f"test less reference{in_unit}")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
