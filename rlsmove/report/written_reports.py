"""Reports of whatever a folder holds: a night, several nights, a person or a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rlsmove.errors import RecordingError
from rlsmove.report.page import write_page
from rlsmove.review import open_night
from rlsmove.review.night_folder import RECORD_FILE

REPORT_FILE = "report.html"

Progress = Callable[[float], None]


def write_reports(
    folder: Path,
    *,
    recordings: Path | None = None,
    pdf: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write report.html into a folder of results.

    Parameters
    ----------
    folder : Path
        A night's folder, one with a folder for each of several nights (then each gets a report),
        a person's folder in the results of a study, or a study.
    recordings : Path, optional
        Folder of the recordings, for nights whose signal was not kept.
    pdf : bool
        Whether to write a PDF beside each page.
    progress : callable, optional
        Called with the fraction of the work done.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    RecordingError, StudyError
        The folder holds no results, or they cannot be used.
    OutputError
        A report cannot be written.
    """
    if (folder / RECORD_FILE).exists():
        return _write_night(folder, recordings, pdf)
    nights = sorted(path.parent for path in folder.glob(f"*/{RECORD_FILE}"))
    if not nights:
        raise RecordingError(
            folder,
            "there are no results here",
            expected="night.json, comparison.json or study.json",
            advice="`rlsmove night ... --out FOLDER` and `rlsmove compare STUDY` write results",
        )
    written = []
    for number, night in enumerate(nights, start=1):
        written += _write_night(night, recordings, pdf)
        if progress is not None:
            progress(number / len(nights))
    return written


def _write_night(folder: Path, recordings: Path | None, pdf: bool) -> list[Path]:
    from rlsmove.report.night_page import night_page

    night = open_night(folder, signal=True)
    signals = {}
    if night.detected and any(leg.signal is None for leg in night.detected.legs):
        from rlsmove.review.recorded_signal import recorded_signals

        signals = recorded_signals(night, recordings)
    return write_page(night_page(night, signals), folder / REPORT_FILE, pdf=pdf)
