"""Tables written by an import, with what stood there before, so that it can be undone.

``imports/0001.json`` and so on: ``what`` was imported, and for each table its text ``before`` (null
where there was none) and the SHA-256 of what was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from rlsmove.errors import StudyError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.study.folder import read_json

_FOLDER = "imports"


def write_tables(study: Path, contents: Mapping[str, str], *, what: str) -> None:
    """Write tables of a study, and keep what stood there before.

    Parameters
    ----------
    study : Path
        The study folder.
    contents : mapping of str to str
        Text of each file, by its name.
    what : str
        What was imported, for `undo_import`.

    Raises
    ------
    OutputError
        They cannot be written; then none is changed.
    """
    record = {
        "what": what,
        "before": {name: _text(study / name) for name in contents},
        "written": {name: _digest(text) for name, text in contents.items()},
    }
    number = len(list((study / _FOLDER).glob("*.json"))) + 1
    write_files(
        {
            study / _FOLDER / f"{number:04d}.json": json_text(record),
            **{study / name: text for name, text in contents.items()},
        }
    )


def undo_import(study: Path) -> str:
    """Put the tables back as they stood before the last import.

    Returns
    -------
    str
        What was undone.

    Raises
    ------
    StudyError
        There is none, or a table has been changed since.
    """
    records = sorted((study / _FOLDER).glob("*.json"))
    if not records:
        raise StudyError(study, "nothing was imported that could be undone")
    record = read_json(records[-1])
    before, written = record.get("before"), record.get("written")
    if not isinstance(before, dict) or not isinstance(written, dict):
        raise StudyError(records[-1], "it is no record of an import")
    changed = [name for name in written if _digest(_text(study / name) or "") != written[name]]
    if changed:
        raise StudyError(
            study,
            f"{', '.join(changed)} was changed after the import of {record.get('what')}",
            advice=f"What stood there before is in {records[-1]}",
        )
    write_files({study / name: text for name, text in before.items() if text is not None})
    for name, text in before.items():
        if text is None:
            (study / name).unlink(missing_ok=True)
    records[-1].unlink()
    return str(record.get("what"))


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.is_file() else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
