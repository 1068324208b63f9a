"""What a worker does: read a recording once, score one night; and how it fails in words."""

from __future__ import annotations

import pickle
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from rlsmove.batch.finished_nights import NightKey, clear_leftovers, finish_night
from rlsmove.batch.work_list import RecordingFile
from rlsmove.errors import RlsmoveError, SettingError
from rlsmove.events.event_lists import events_of_evening, read_events
from rlsmove.io.json_text import plain
from rlsmove.io.provenance import program_version, sha256_of
from rlsmove.night.analysis import NightResult, analyse_night
from rlsmove.night.opened_leg import changed_meanwhile, open_leg
from rlsmove.night.reopened_leg import (
    FirstReading,
    check_unchanged,
    first_reading,
    reopen_leg,
)
from rlsmove.night.sleep_source import SLEEP_FROM_SENSOR, Lights
from rlsmove.records import SIDES, Notice
from rlsmove.results.night_files import massage_records, write_night_result
from rlsmove.results.nights_csv import ROW_COLUMNS, massage_columns
from rlsmove.rules import RULE_SETS
from rlsmove.scoring import INDICES

#: Codes of a job that its worker had no memory for, that took too long, whose worker died, and
#: that never began because the worker died before; and of an error that nobody foresaw.
OUT_OF_MEMORY = "out_of_memory"
TIMED_OUT = "timed_out"
WORKER_DIED = "worker_died"
NOT_STARTED = "worker_not_started"
INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True)
class Failure:
    """Why a task came to nothing.

    Attributes
    ----------
    code : str
        Lower case with underscores, stable between versions.
    sentence : str
        What happened, with its place and value.
    traceback : str
        Of a fault of the program itself; empty for what ails a recording or a night.
    """

    code: str
    sentence: str
    traceback: str = ""

    def with_names(self, names: Mapping[Path, str]) -> Failure:
        """The same with paths of this machine told by the names that everybody knows."""
        sentence = self.sentence
        for path, name in names.items():
            sentence = sentence.replace(str(path), name)
        return replace(self, sentence=sentence)


@dataclass(frozen=True)
class Reading:
    """What the first reading of a recording showed.

    Attributes
    ----------
    file : RecordingFile
        Which recording.
    sha256 : str
        Of its bytes.
    side : str
        ``left``, ``right`` or ``unknown``.
    nights, leftovers : dict of str to float
        Seconds recorded of each night, by evening date; leftovers are too short to be nights
        by themselves.
    dated : bool
        Whether it says when it was made.
    first : FirstReading or None
        All that scoring needs of it; None where the rest was known by the digest and the samples
        were not read again.
    """

    file: RecordingFile
    sha256: str
    side: str
    nights: Mapping[str, float]
    leftovers: Mapping[str, float]
    dated: bool
    first: FirstReading | None

    def recorded_s(self, evening: str) -> float:
        """Seconds recorded of one night; 0 for nothing."""
        return self.nights.get(evening, self.leftovers.get(evening, 0.0))


def get_ready() -> str:
    """Load and compile all that tasks need, outside their limited time; returns the version."""
    import rlsmove.devices._kernels
    import rlsmove.devices._text_kernels  # noqa: F401
    from rlsmove._jit import load_kernels

    load_kernels()
    return program_version()


def attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """Run a task; whatever goes wrong in it comes back as a `Failure`.

    What it returns has been through pickle once, so that it is sure to reach another process.
    """
    try:
        return pickle.loads(pickle.dumps(call(*arguments)))
    except RlsmoveError as error:
        code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
        return Failure(code, " ".join(str(error).split()))
    except MemoryError:
        return Failure(OUT_OF_MEMORY, "the worker had no memory left")
    except BaseException as error:
        # One broken file must not end a batch of thousands, whatever is wrong: a library that
        # exits or an interrupt that reaches a worker neither.
        return internal_error(error)


def internal_error(error: BaseException) -> Failure:
    """Put an error that is none of this program's own into words."""
    try:
        told = " ".join(str(error).split())
    except Exception:
        told = "it cannot be put into words"
    return Failure(INTERNAL_ERROR, f"{type(error).__name__}: {told}", _traceback_of(error))


def _traceback_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # an error whose words fail has frames all the same
        return "".join(traceback.format_tb(error.__traceback__))


def read_recording(file: RecordingFile, known: Mapping[str, Mapping[str, Any]]) -> Reading:
    """Read a recording once, unless it was read before.

    Parameters
    ----------
    file : RecordingFile
        Which one.
    known : mapping of str to mapping
        What earlier readings by this version showed, by the digest of the bytes: ``side``,
        ``nights``, ``leftovers``, ``dated`` and what was ``told``.

    Returns
    -------
    Reading
        Without its first reading where the digest is known.
    """
    # Of a pipe there is no digest, nor an end.
    sha256 = sha256_of(file.path) if known and file.path.is_file() else ""
    earlier = known.get(sha256, {})
    if earlier and earlier.get("told") == file.told.as_texts():
        return Reading(
            file,
            sha256,
            file.side or earlier["side"],
            earlier["nights"],
            earlier["leftovers"],
            earlier["dated"],
            None,
        )
    leg = open_leg(file.path, file.side, told=file.told)
    return Reading(
        file,
        leg.sha256,
        SIDES[leg.side],
        {str(span.evening): span.recorded_s for span in leg.nights},
        {str(span.evening): span.recorded_s for span in leg.leftovers},
        leg.recording.dated,
        first_reading(leg),
    )


def sleep_input(file: RecordingFile) -> dict[str, str]:
    """Name and digest of the list of sleep that belongs to a recording; nothing without one."""
    if file.sleep is None:
        return {}
    sha256 = sha256_of(file.sleep) if file.sleep.is_file() else ""
    return {"sleep": file.sleep.name, "sleep_sha256": sha256}


def score_night(
    readings: list[Reading], key: NightKey, folder: Path, notices: list[Notice]
) -> dict[str, Any]:
    """Score one night, write its files, and mark it as finished.

    Parameters
    ----------
    readings : list of Reading
        Of one recording, or of the left and the right one in this order, with what they showed.
    key : NightKey
        What the night depends on.
    folder : Path
        Where its files go.
    notices : list of Notice
        What a reader should know beside what the night itself shows.

    Returns
    -------
    dict
        The night's row of nights.csv.

    Raises
    ------
    RlsmoveError
        The night cannot be scored or written.
    """
    for reading, entry in zip(readings, key.inputs, strict=True):
        if reading.sha256 != entry["sha256"]:
            raise changed_meanwhile(reading.file.path)
    evening = date.fromisoformat(key.night)
    sleep_path = next((r.file.sleep for r in readings if r.file.sleep is not None), None)
    events = None
    if sleep_path is not None:
        events = events_of_evening(sleep_path, read_events(sleep_path), evening)
    legs = [reopen_leg(r.file.path, r.first, r.file.told) for r in readings if r.first is not None]
    try:
        result = analyse_night(
            legs,
            evening,
            events=events,
            lights=Lights(key.lights_off, key.lights_on, key.time_zone),
            rules=RULE_SETS[key.rules["name"]],
        )
    except SettingError as error:
        if key.lights_off is None and key.lights_on is None:
            raise
        raise SettingError(
            "nights.tsv", f"the night of {key.night}: {error.found}", expected=error.expected
        ) from error
    for reading in readings:
        if reading.first is not None:
            check_unchanged(reading.file.path, reading.first)
    result = replace(result, notices=[*result.notices, *notices])
    clear_leftovers(folder)
    write_night_result(result, folder, None if events is None else sleep_path)
    known = {
        reading.sha256: {
            "side": reading.side,
            "nights": reading.nights,
            "leftovers": reading.leftovers,
            "dated": reading.dated,
            "told": reading.file.told.as_texts(),
        }
        for reading in readings
    }
    row = plain(night_row(result, key))
    finish_night(folder, key, row, known)
    return row


def night_row(result: NightResult, key: NightKey) -> dict[str, Any]:
    """One night's row of nights.csv.

    Where sleep comes from has a column of its own, and is not among what is special to a night.
    """
    special = [notice for notice in result.notices if notice.code != SLEEP_FROM_SENSOR]
    codes = dict.fromkeys(notice.code for notice in special)
    return {
        "status": "warned" if special else "ok",
        "code": ";".join(codes),
        "sentence": "; ".join(notice.sentence for notice in special),
        "participant_id": key.participant_id,
        "night": key.night,
        "side": result.counted_side,
        "file": ";".join(entry["file"] for entry in key.inputs),
        "simulated": "yes" if result.simulated else "no",
        **massage_columns(massage_records(result), result.detected.start_time),
        "reviewed": "no",
        "sleep_source": "none" if result.sleep is None else result.sleep.source,
        "rules": key.rules["name"],
        "detector": f"{key.version}+{key.code}",
        **{index.name: result.indices[index.name] for index in INDICES},
    }


def failed_row(
    participant_id: str, night: str, side: str, file: str, failure: Failure
) -> dict[str, Any]:
    """The row of nights.csv of a night that has no result."""
    return {
        **dict.fromkeys(ROW_COLUMNS, ""),
        "status": "failed",
        "code": failure.code,
        "sentence": failure.sentence,
        "participant_id": participant_id,
        "night": night,
        "side": side,
        "file": file,
        "reviewed": "no",
        **dict.fromkeys(index.name for index in INDICES),
    }
