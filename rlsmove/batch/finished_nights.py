"""The folder of one night's results: when it is finished, and why another is not.

``DERIVED/nights/PARTICIPANT/EVENING/`` holds movements.csv, night.json and night.npz, and, written
last, ``batch.json``: what the night was made from, the digests of these files, and its row of
nights.csv. A night is finished when that record names the very inputs, settings and version at
hand and the files are as it left them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text, plain
from rlsmove.io.provenance import sha256_of
from rlsmove.results.movements_csv import MOVEMENTS_FILE
from rlsmove.results.night_json import RECORD_FILE
from rlsmove.results.night_npz import NIGHT_FILE

RECORD = "batch.json"
_PARTS = ("key", "outputs", "recordings", "row")
OUTPUTS = (MOVEMENTS_FILE, RECORD_FILE, NIGHT_FILE)


@dataclass(frozen=True)
class NightKey:
    """Everything that one night's result depends on.

    Attributes
    ----------
    participant_id, night : str
        Whose night, and its evening date.
    version, code : str
        Of this program, and the digest of its code.
    libraries : mapping of str to str
        Versions of those that numbers come from.
    rules : mapping
        Name and values of the rule set.
    lights_off, lights_on : str or None
        By the diary.
    time_zone : str
        Of the first device's clock; empty where it is not known.
    inputs : tuple of mapping
        ``file``, ``side``, ``sha256`` and what was ``told`` of each recording.
    notices : tuple of str
        Sentences that the batch adds to the night.
    """

    participant_id: str
    night: str
    version: str
    code: str
    libraries: Mapping[str, str]
    rules: Mapping[str, Any]
    lights_off: str | None
    lights_on: str | None
    time_zone: str
    inputs: tuple[Mapping[str, Any], ...]
    notices: tuple[str, ...]


def night_folder(derived: Path, participant_id: str, evening: str) -> Path:
    """Where the results of one night are."""
    return derived / "nights" / participant_id / evening


def finish_night(
    folder: Path, key: NightKey, row: Mapping[str, Any], readings: Mapping[str, Any]
) -> None:
    """Mark a night as finished, its files being written.

    Parameters
    ----------
    folder : Path
        Of the night.
    key : NightKey
        What it was made from.
    row : mapping
        Its row of nights.csv.
    readings : mapping of str to mapping
        What its recordings hold, by the digest of their bytes, so that a later batch need not
        read them again: ``side``, ``nights``, ``leftovers``, ``dated``, ``told``.

    Raises
    ------
    OutputError
        The record cannot be written.
    """
    record = {
        "key": asdict(key),
        "outputs": {name: sha256_of(folder / name) for name in OUTPUTS},
        "recordings": readings,
        "row": row,
    }
    write_files({folder / RECORD: json_text({**record, "digest": _digest(record)})})


def _digest(record: Mapping[str, Any]) -> str:
    parts = {name: record[name] for name in _PARTS}
    return hashlib.sha256(json_text(parts).encode()).hexdigest()


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read what a night was made from; None where it was never finished, or is not as written."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(record, dict) and {*_PARTS, "digest"} == set(record)
    # What was changed by hand, or is of another version's shape, is not what a batch wrote.
    return record if whole and record["digest"] == _digest(record) else None


def why_unfinished(folder: Path, record: Mapping[str, Any] | None, key: NightKey) -> str:
    """Say why a night has to be computed; empty where it is finished.

    Parameters
    ----------
    folder : Path
        Of the night.
    record : mapping or None
        As `read_record` gives it.
    key : NightKey
        What the night would be made from now.
    """
    if record is None:
        return _why_no_record(folder, key)
    wanted, earlier = plain(asdict(key)), record["key"]
    if wanted != earlier:
        return "; ".join(_differences(earlier, wanted)) or "the record of its earlier run differs"
    for name in OUTPUTS:
        try:
            same = sha256_of(folder / name) == record["outputs"].get(name)
        except OSError:
            return f"{name} is missing"
        if not same:
            return f"{name} was changed"
    return ""


def _why_no_record(folder: Path, key: NightKey) -> str:
    if not folder.exists():
        return "no earlier result"
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "its earlier run did not finish"
    earlier = found.get("key") if isinstance(found, dict) else None
    if isinstance(earlier, dict) and earlier.get("version") not in (None, key.version):
        return f"version {earlier['version']} before, {key.version} now"
    return f"{RECORD} is damaged, was edited, or is of another version"


def _differences(earlier: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    found = []
    if earlier.get("version") != wanted["version"]:
        found.append(f"version {earlier.get('version')} before, {wanted['version']} now")
    elif earlier.get("code") != wanted["code"]:
        found.append("the program's code has changed")
    for name, now in wanted["libraries"].items():
        before = (earlier.get("libraries") or {}).get(name)
        if before != now:
            found.append(f"{name} {before} before, {now} now")
    rules, wanted_rules = earlier.get("rules") or {}, wanted["rules"]
    if rules != wanted_rules:
        names = [name for name in wanted_rules if rules.get(name) != wanted_rules[name]]
        told = ", ".join(
            f"{name} {rules.get(name)} before, {wanted_rules[name]} now" for name in names[:3]
        )
        found.append(f"rules differ ({told})")
    for name in ("lights_off", "lights_on", "time_zone"):
        if earlier.get(name) != wanted[name]:
            found.append(f"{name} {earlier.get(name) or 'n/a'} before, {wanted[name] or 'n/a'} now")
    files = {entry["file"]: entry for entry in earlier.get("inputs") or []}
    for entry in wanted["inputs"]:
        other = files.pop(entry["file"], None)
        if other is None:
            found.append(f"{entry['file']} is new")
        elif other["sha256"] != entry["sha256"]:
            found.append(f"{entry['file']} has changed")
        elif other.get("told") != entry["told"]:
            found.append(f"what is told of {entry['file']} has changed")
        elif other != entry:
            found.append(f"{entry['file']} was of the {other['side']} leg before")
    found += [f"{name} is not used any more" for name in files]
    if earlier.get("notices") != wanted["notices"]:
        found.append("what is known of the night beside its signal has changed")
    return found


def clear_leftovers(folder: Path, name: str = "*") -> None:
    """Remove what a killed run left half written in a folder, of one file or of all."""
    for leftover in folder.glob(f".{name}.*.part"):
        leftover.unlink(missing_ok=True)
