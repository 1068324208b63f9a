"""What a row of recordings.tsv says of a recording that its file does not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from zoneinfo import ZoneInfo

from rlsmove.devices.told import Told
from rlsmove.study.tables import Row

#: Columns that say what a file does not, as the options of the command line do.
TOLD_COLUMNS = ("time_zone", "start", "columns", "unit", "date_order", "where")


def told_of_row(row: Row, study_zone: str) -> tuple[Told, float]:
    """What a row tells of its file, and how many seconds the device's clock was ahead.

    The nights are cut in the zone of ``time_zone``, of the study, or of the device's clock; the
    clock's own zone dates what carries local time. Of ``clock``, such as ``Europe/Berlin +12.5``,
    what cannot be read says nothing.

    Parameters
    ----------
    row : Row
        Of recordings.tsv.
    study_zone : str
        Of study.json; empty where it is not known.

    Raises
    ------
    SettingError
        A cell cannot be understood; its `file` is the option of the same name.
    """
    clock_zone, _, ahead = str(row.get("clock") or "").partition(" ")
    clock_zone, ahead_s = known_zone(clock_zone), 0.0
    with suppress(ValueError):
        ahead_s = float(ahead or 0.0)
    texts = {name: row.get(name) for name in TOLD_COLUMNS}
    told = Told.parse(**{name: None if text is None else str(text) for name, text in texts.items()})
    return (
        replace(
            told,
            time_zone=told.time_zone or study_zone or clock_zone,
            clock_zone=told.time_zone or clock_zone or study_zone,
        ),
        ahead_s,
    )


def known_zone(name: str) -> str:
    """The name of a zone, or nothing where there is no such zone."""
    try:
        return name if name and ZoneInfo(name) else ""
    except (KeyError, ValueError, OSError):
        return ""
