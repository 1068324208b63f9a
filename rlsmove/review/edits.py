"""The edits of a night, one line each, only ever added to: edits.jsonl.

A line is a JSON object: ``edit`` (its own code), ``at`` (ISO 8601), ``who``, ``action``, ``why``,
``night`` (id of the night that was looked at, as in night.json), and by its action

- ``accept``, ``reject``: ``movements``, the names of movements of one leg;
- ``change``: ``movements``, one name, with ``onset_s`` and ``duration_s``;
- ``add``: ``side``, ``onset_s``, ``duration_s``; the movement's name is ``side+edit``;
- ``undo``: ``undoes``, the code of an edit.

A detected movement is named by its side and onset, such as ``left@395.865``.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rlsmove.errors import OutputError, ResultError
from rlsmove.records import SIDES, Notice

EDITS_FILE = "edits.jsonl"

ACCEPT, REJECT, CHANGE, ADD, UNDO = "accept", "reject", "change", "add", "undo"

#: Fields that an action needs beside those of every edit.
NEEDS = {
    ACCEPT: ("movements",),
    REJECT: ("movements",),
    CHANGE: ("movements", "onset_s", "duration_s"),
    ADD: ("side", "onset_s", "duration_s"),
    UNDO: ("undoes",),
}


@dataclass(frozen=True)
class Edit:
    """One edit; the fields are those of its line, None where its action has none.

    Attributes
    ----------
    edit, at, who, action, why, night : str
        See the module.
    movements : tuple of str or None
    side : str or None
    onset_s, duration_s : float or None
    undoes : str or None
    """

    edit: str
    at: str
    who: str
    action: str
    why: str
    night: str
    movements: tuple[str, ...] | None = None
    side: str | None = None
    onset_s: float | None = None
    duration_s: float | None = None
    undoes: str | None = None

    def line(self) -> str:
        """Write the edit as its line, without the line's end."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(fields, ensure_ascii=False)


def new_edit(fields: Mapping[str, Any], *, night: str) -> Edit:
    """Make an edit of this moment, under a code of its own.

    Parameters
    ----------
    fields : mapping
        ``who``, ``action``, ``why`` and what the action needs; others are passed over.
    night : str
        Id of the night that was looked at.

    Raises
    ------
    ValueError
        A field is missing or of the wrong kind; the message says which.
    """
    at = datetime.now().astimezone().isoformat(timespec="milliseconds")
    return edit_of({**fields, "edit": secrets.token_hex(4), "at": at, "night": night})


def read_edits(folder: str | Path) -> tuple[list[Edit], list[Notice]]:
    """Read all edits of a night in their order.

    Parameters
    ----------
    folder : str or Path
        The night's folder; without an edits.jsonl there are none.

    Returns
    -------
    edits : list of Edit
        Those that were undone, and what undid them, too.
    notices : list of Notice
        ``edit_unreadable`` for each line that is no edit; it is left out.

    Raises
    ------
    ResultError
        The file is there but cannot be read.
    """
    path = Path(folder) / EDITS_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror})") from error
    edits, notices = [], []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            edits.append(edit_of(json.loads(line)))
        except (ValueError, RecursionError) as error:
            notices.append(
                Notice(
                    "edit_unreadable", f"{path.name}, line {number}: no edit ({error}); left out"
                )
            )
    return edits, notices


def edit_of(fields: Any) -> Edit:
    """Make an edit of the fields of its line; ValueError says what is wrong with them."""
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    action = fields.get("action")
    if not isinstance(action, str) or action not in NEEDS:
        raise ValueError(f"action is {action!r}")
    for name in ("edit", "at", "who", "why", "night"):
        if not isinstance(fields.get(name), str):
            raise ValueError(f"{name} is {fields.get(name)!r}")
    given: dict[str, Any] = {}
    for name in NEEDS[action]:
        given[name] = _checked(name, fields.get(name))
    if action == CHANGE and len(given["movements"]) != 1:
        raise ValueError(f"change names {len(given['movements'])} movements")
    every = {name: fields[name] for name in ("edit", "at", "who", "action", "why", "night")}
    return Edit(**every, **given)


def _checked(name: str, value: Any) -> Any:
    if name == "movements":
        named = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
        if named:
            return tuple(value)
    elif name in ("onset_s", "duration_s"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and abs(value) < 1e7 and (name == "onset_s" or value > 0):
            return float(value)
    elif isinstance(value, str) and (name != "side" or value in SIDES):
        return value
    raise ValueError(f"{name} is {value!r}")


def append_edit(folder: str | Path, edit: Edit) -> None:
    """Add an edit to a night's edits; when this returns, it is on the disk.

    One write to a file that is only appended to, so that two programs lose none of each other's
    edits. What a killed program left of a line is closed first.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    path = Path(folder) / EDITS_FILE
    try:
        is_new = not path.exists()
        with path.open("a+b", buffering=0) as file:
            torn = False
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                torn = file.read(1) != b"\n"
            line = f"{edit.line()}\n".encode()
            file.write(b"\n" + line if torn else line)
            os.fsync(file.fileno())
        if is_new and os.name == "posix":
            folder_entry = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(folder_entry)
            finally:
                os.close(folder_entry)
    except OSError as error:
        raise OutputError(
            path,
            f"the edit cannot be written ({error.strerror or error})",
            advice="Make room there, or review a copy of the folder.",
        ) from error


def in_effect(edits: list[Edit]) -> list[Edit]:
    """Leave out edits that were undone, and what undid them."""
    undone = {edit.undoes for edit in edits if edit.action == UNDO}
    return [edit for edit in edits if edit.action != UNDO and edit.edit not in undone]
