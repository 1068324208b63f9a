"""Zip files that phone programs export: the table of the accelerometer, and what lies beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from rlsmove.devices.csv import Beside, open_csv
from rlsmove.devices.recording import Recording
from rlsmove.devices.text_file import TextFile
from rlsmove.devices.told import Told
from rlsmove.devices.zip_member import Member, MemberStream
from rlsmove.errors import RecordingError, RlsmoveError, UnknownFormat, UnsuitableSignal

_TABLE = re.compile(r"\.(csv|txt|tsv)$")
#: Tables of other sensors, by their names; what is left is looked into.
_OTHER = re.compile(
    r"gyro|magnet|orient|gravity|linear|location|baro|pressure|light|annotation|metadata|battery|"
    r"pedometer|step|microphone|heart|hr|bvp|eda|temp|ibi|tags|device|^time|info|camera|compass|"
    r"audio|brightness|network|activity|event"
)
#: Of several tables that would do, the one whose name comes first here.
_PREFERRED = ("totalacceleration", "accelerometeruncalibrated", "acc", "raw data", "wristmotion")
_BESIDE_BYTES = 1 << 16


def open_zip_export(path: Path, members: Mapping[str, Member], told: Told) -> Recording:
    """Open the accelerometer's table in a zip file.

    Parameters
    ----------
    path : Path
        The zip file.
    members : mapping of str to Member
        Its members.
    told : Told
        What is told of it.

    Raises
    ------
    UnknownFormat
        There is no table of acceleration in it, or there are several.
    UnsuitableSignal
        The only one has no gravity.
    """
    tables = [name for name in members if _TABLE.search(name)]
    likely = [name for name in tables if not _OTHER.search(name)]
    beside = _beside(path, members)
    opened: dict[str, Recording] = {}
    refused: list[RlsmoveError] = []
    for name in likely:
        try:
            opened[name] = open_csv(TextFile.of(path, members[name]), told, beside)
        except RecordingError as error:
            error.place = f"{name} in it" + (f", {error.place}" if error.place else "")
            refused.append(error)
    for preferred in _PREFERRED:
        named = [name for name in opened if name.replace("_", "").startswith(preferred)]
        if named and len(opened) > 1:
            opened = {name: opened[name] for name in named}
            break
    if len(opened) == 1:
        name, recording = next(iter(opened.items()))
        recording.take("table", name, "the zip file")
        return recording
    if opened:
        raise UnknownFormat(
            path,
            f"a zip file of {len(opened)} recordings ({', '.join(sorted(opened)[:5])})",
            expected="one",
            advice="Unpack it and give the one that is meant.",
        )
    refused.sort(key=lambda error: not isinstance(error, UnsuitableSignal))
    if refused:
        raise refused[0]
    names = ", ".join(list(members)[:5]) or "nothing that can be read"
    raise UnknownFormat(
        path,
        f"a zip file of {names}",
        expected="log.bin or activity.bin in it, which make it an ActiGraph .gt3x, or a table of "
        "acceleration, as phone programs export it",
    )


def _beside(path: Path, members: Mapping[str, Member]) -> Beside:
    """What the other files of an export say of the start and the zone."""
    if "time.csv" in members and (rows := _rows(path, members["time.csv"])):
        # phyphox: event, experiment time, system time, system time text; each START goes on.
        for row in rows:
            if len(row) >= 4 and row[0].strip().upper() == "START":
                return Beside(_phyphox_start(row), "", "time.csv in it")
    if "metadata.csv" in members and (rows := _rows(path, members["metadata.csv"])):
        said = dict(zip(rows[0], rows[1] if len(rows) > 1 else [], strict=False))
        zone = said.get("recording timezone", "").strip()
        try:
            if zone:
                ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            zone = ""
        return Beside(None, zone, "metadata.csv in it")
    return Beside()


def _phyphox_start(row: list[str]) -> datetime | None:
    """When the experiment's own time was zero."""
    try:
        since_s = float(row[1].replace(",", "."))
        start = datetime.fromtimestamp(float(row[2].replace(",", ".")) - since_s, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    offset = re.search(r"UTC\s*([+-])(\d{1,2}):?(\d{2})", row[3])
    if offset is None:
        return start
    minutes = int(offset[2]) * 60 + int(offset[3])
    return start.astimezone(timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes)))


def _rows(path: Path, member: Member) -> list[list[str]]:
    stream = MemberStream(path, member, 0)
    try:
        text = stream.read(_BESIDE_BYTES).decode("utf-8-sig", "replace")
    finally:
        stream.close()
    separator = max(",;\t", key=text.partition("\n")[0].count)
    return list(csv.reader(io.StringIO(text), delimiter=separator))
