"""batch.log: the tracebacks of faults of the program itself, for those who mend it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rlsmove.batch.tasks import Failure

FAULT_LOG = "batch.log"


def log_fault(
    derived: Path, failure: Failure, *, participant_id: str, night: str, file: str
) -> Failure:
    """Put the traceback of a fault down; a failure without one is given back as it is.

    Parameters
    ----------
    derived : Path
        Folder of the results; what its log holds already stays.
    failure : Failure
        What a task came to.
    participant_id, night, file : str
        Where it happened; empty for what does not apply.

    Returns
    -------
    Failure
        Its sentence names the log, where that could be written.
    """
    if not failure.traceback:
        return failure
    place = ", ".join(filter(None, [participant_id, night, file]))
    try:
        derived.mkdir(parents=True, exist_ok=True)
        # One write at the end of the file: parts of a batch share it.
        with (derived / FAULT_LOG).open("ab", buffering=0) as log:
            log.write(f"{place}\n{failure.traceback}\n".encode(errors="replace"))
    except OSError:
        return replace(failure, traceback="")
    told = f"{failure.sentence}; the traceback is in {derived.name}/{FAULT_LOG}"
    return replace(failure, sentence=told, traceback="")
