"""Reports of whatever a folder holds: a night, several nights, a person or a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rlsmove.errors import ResultError, SettingError
from rlsmove.report.page import write_page
from rlsmove.report.study_facts import STUDY_FILE, read_study_facts
from rlsmove.results.night_json import RECORD_FILE
from rlsmove.review import open_night
from rlsmove.study.folder import COMPARISON

REPORT_FILE = "report.html"

#: Folder of the persons' folders within the results of a study.
NIGHTS_FOLDER = "nights"

Progress = Callable[[float], None]


def write_reports(
    folder: Path,
    *,
    person: str | None = None,
    recordings: Path | None = None,
    pdf: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write report.html into a folder of results.

    Parameters
    ----------
    folder : Path
        A night's folder, one with a folder for each of several nights (then each gets a report),
        a person's folder in the results of a study, or a study, whose report goes into its
        ``derived``.
    person : str, optional
        In a study, the participant whose report is wanted.
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
    ResultError, StudyError
        The folder holds no results, or they cannot be used.
    SettingError
        A person is asked for where there is no study, or a PDF without what makes one.
    OutputError
        A report cannot be written.
    """
    if (folder / STUDY_FILE).exists() or (folder / COMPARISON.name).exists():
        return _write_study(folder, person, pdf)
    if person is not None:
        raise SettingError("--person", f"{folder} is no study", expected="a study folder")
    if (folder / RECORD_FILE).exists():
        return _write_night(folder, recordings, pdf)
    study = _study_of_person(folder)
    if study is not None:
        return _write_study(study, folder.resolve().name, pdf)
    nights = sorted(path.parent for path in folder.glob(f"*/{RECORD_FILE}"))
    if not nights:
        raise ResultError(
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


def _study_of_person(folder: Path) -> Path | None:
    """Return the study in whose results a folder is that of one person; None for another."""
    here = folder.resolve()
    if here.parent.name != NIGHTS_FOLDER or len(here.parents) < 3:
        return None
    study = here.parents[2]
    return study if (study / STUDY_FILE).exists() else None


def _write_study(folder: Path, person: str | None, pdf: bool) -> list[Path]:
    from rlsmove.report.person_page import person_page
    from rlsmove.report.study_page import study_page

    facts = read_study_facts(folder)
    where = folder if facts.study is None else (folder / COMPARISON).parent
    persons = list(facts.comparison["persons"])
    if person is not None:
        page = person_page(facts, person)
        where = where / NIGHTS_FOLDER / person
    elif len(persons) == 1:
        page = person_page(facts, persons[0])
    else:
        page = study_page(facts)
    return write_page(page, where / REPORT_FILE, pdf=pdf)


def _write_night(folder: Path, recordings: Path | None, pdf: bool) -> list[Path]:
    from rlsmove.report.night_page import night_page

    night = open_night(folder, signal=True)
    signals = {}
    if night.detected and any(leg.signal is None for leg in night.detected.legs):
        from rlsmove.review.recorded_signal import recorded_signals

        signals = recorded_signals(night, recordings)
    return write_page(night_page(night, signals), folder / REPORT_FILE, pdf=pdf)
