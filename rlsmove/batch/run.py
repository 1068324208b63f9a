"""All persons of a batch over all workers."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlsmove._processors import n_processors
from rlsmove.batch.cohort_tables import write_tables
from rlsmove.batch.job import Job, Workers
from rlsmove.batch.local_workers import LocalWorkers
from rlsmove.batch.person_tasks import Explain, PersonResult, Steps, person_steps
from rlsmove.batch.shards import Shard, part_of_persons, write_shard
from rlsmove.batch.tasks import (
    NOT_STARTED,
    OUT_OF_MEMORY,
    WORKER_DIED,
    Failure,
    read_recording,
    score_night,
)
from rlsmove.batch.work_list import Person, WorkList, read_work_list
from rlsmove.errors import OutputError

#: Longest time for one reading of a recording, or for one night.
TIMEOUT_S = 600.0

#: A job that failed is tried once more; one that never began, some times.
TRIES = 2
STARTS = 5

#: How often progress is told.
TELL_EVERY_S = 0.5

#: While a batch runs its tables are written no oftener than this, and for at most this share of
#: the time.
WRITE_EVERY_S = 10.0
WRITING_SHARE = 0.05


@dataclass(frozen=True)
class Progress:
    """How far a batch has come.

    Attributes
    ----------
    recordings_read, recordings : int
        Those read, and all.
    nights_done, nights : int
        Nights scored or failed in this run, and how many there seem to be.
    nights_kept : int
        Nights that an earlier run had finished.
    failures : int
        Recordings and nights that came to nothing.
    elapsed_s : float
        Since the start.
    """

    recordings_read: int = 0
    recordings: int = 0
    nights_done: int = 0
    nights: int = 0
    nights_kept: int = 0
    failures: int = 0
    elapsed_s: float = 0.0

    @property
    def fraction(self) -> float:
        """Share of the work that is done, from 0 to 1."""
        return (self.recordings_read + self.nights_done) / max(self.recordings + self.nights, 1)

    @property
    def nights_per_hour(self) -> float:
        """Nights scored per hour so far."""
        return 3600 * self.nights_done / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float:
        """Time that the rest seems to take; infinite before anything is done."""
        return self.elapsed_s * (1 / self.fraction - 1) if self.fraction > 0 else float("inf")


@dataclass(frozen=True)
class BatchResult:
    """What a batch came to.

    Attributes
    ----------
    derived : Path
        Folder of the results.
    rows : list of dict
        Of nights.csv, of the persons of this run.
    failures : list of mapping
        Of failures.csv.
    progress : Progress
        At the end.
    """

    derived: Path
    rows: list[dict[str, Any]]
    failures: list[Mapping[str, str]]
    progress: Progress


@dataclass(eq=False)
class _Flow:
    """One person on the way through the batch."""

    person: Person
    result: PersonResult
    steps: Steps
    jobs: list[Job] = field(default_factory=list)
    waiting: int = 0
    finished: bool = False

    def advance(self) -> list[Job]:
        """The next jobs; none when the person is finished."""
        for jobs in self.steps:
            if jobs:
                self.jobs += jobs
                self.waiting = len(jobs)
                return jobs
        self.finished = True
        self.jobs.clear()  # their outcomes are in the result
        return []

    @property
    def nights_to_score(self) -> int:
        """Nights to be scored; as many as the diary has, or pairs of files, until it is known."""
        if self.result.to_score is not None:
            return self.result.to_score
        return len(self.person.diary or ()) or -(-len(self.person.recordings) // 2)

    @property
    def nights_expected(self) -> int:
        """Nights that there will be, as far as it is known."""
        if self.finished:
            return len(self.result.rows)
        return max(self.nights_to_score + self.result.kept, len(self.rows))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of the nights that are done."""
        return [*self.result.rows, *(j.outcome for j in self.jobs if isinstance(j.outcome, dict))]


def run_batch(
    source: str | Path,
    *,
    out: Path | None = None,
    rules_name: str | None = None,
    jobs: int | None = None,
    timeout_s: float = TIMEOUT_S,
    shard: Shard | None = None,
    cluster: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    explain: Explain | None = None,
) -> BatchResult:
    """Score every night of a study, a folder or a glob of recordings.

    Parameters
    ----------
    source : str or Path
        A study folder, a folder of recordings, or a glob.
    out : Path, optional
        Folder of the results; ``derived`` in the folder by default.
    rules_name : str, optional
        Rule set; that of study.json by default, else wasm2016.
    jobs : int, optional
        Worker processes; one for each processor by default.
    timeout_s : float
        Longest time for one reading of a recording, or for one night.
    shard : Shard, optional
        The part to do; `merge_shards` puts the parts together.
    cluster : str, optional
        Address of a dask scheduler, or its scheduler file, to run there instead of here.
    progress : callable, optional
        Told now and then how far it has come.
    explain : callable, optional
        Told for each night why it is computed, or is not.

    Returns
    -------
    BatchResult

    Raises
    ------
    StudyError, SettingError
        There is nothing that can be worked on; or the cluster cannot be used.

    Notes
    -----
    Nothing of a single recording ends the batch: it is tried once more, then named in
    failures.csv. A batch that was cut short, even killed, goes on where it stopped, and in the
    end its files are the same, byte for byte.
    """
    work = read_work_list(source, out=out, rules_name=rules_name)
    batch = _Batch(work, shard, progress or (lambda _: None), explain or (lambda *_: None))
    with _workers(cluster, jobs, timeout_s) as workers:
        try:
            batch.run(workers)
        finally:
            unwritten = batch.write(complete=all(flow.finished for flow in batch.flows))
    return BatchResult(work.derived, batch.rows, batch.failures + unwritten, batch.progress)


def _workers(cluster: str | None, jobs: int | None, timeout_s: float) -> Any:
    if cluster is None:
        return LocalWorkers(jobs or n_processors(), timeout_s)
    from rlsmove.batch.cluster_workers import ClusterWorkers

    return ClusterWorkers(cluster, timeout_s)


class _Batch:
    """The state of a running batch."""

    def __init__(
        self,
        work: WorkList,
        shard: Shard | None,
        tell: Callable[[Progress], None],
        explain: Explain,
    ) -> None:
        self._work = work
        self._shard = shard
        self._tell = tell
        persons = part_of_persons(work, shard) if shard else work.persons
        self.flows = []
        for person in persons:
            result = PersonResult(person.participant_id)
            steps = person_steps(person, work, explain, result)
            self.flows.append(_Flow(person, result, steps))
        self._started = time.monotonic()
        self._written = -float("inf")
        self._writing_s = 0.0
        self._ended: Counter[Callable[..., Any]] = Counter()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of nights.csv so far."""
        return [row for flow in self.flows for row in flow.rows]

    @property
    def failures(self) -> list[Mapping[str, str]]:
        """Rows of failures.csv so far."""
        of_tables = () if self._shard else self._work.failures
        return [*of_tables, *(f for flow in self.flows for f in flow.result.failures)]

    @property
    def progress(self) -> Progress:
        """How far the batch has come."""
        return Progress(
            recordings_read=self._ended[read_recording],
            recordings=sum(len(flow.person.recordings) for flow in self.flows),
            nights_done=self._ended[score_night],
            nights=sum(flow.nights_to_score for flow in self.flows),
            nights_kept=sum(flow.result.kept for flow in self.flows),
            failures=len(self.failures),
            elapsed_s=time.monotonic() - self._started,
        )

    def run(self, workers: Workers) -> None:
        """Do all jobs of all persons; those begun first go first."""
        owner: dict[Job, _Flow] = {}
        ready: deque[Job] = deque()
        late: deque[Job] = deque()
        to_begin = iter(self.flows)

        def advance(flow: _Flow) -> None:
            jobs = flow.advance()
            owner.update(dict.fromkeys(jobs, flow))
            ready.extend(jobs)

        while True:
            while workers.idle:
                if ready:
                    workers.start(ready.popleft())
                elif (flow := next(to_begin, None)) is not None:
                    advance(flow)
                elif late:
                    workers.start(late.popleft())
                else:
                    break
            if not workers.busy:
                return
            for job in workers.ended(TELL_EVERY_S):
                if _once_more(job):
                    # What killed one worker is tried again last: memory may be scarce only now.
                    (late if job.died else ready).append(job)
                    continue
                self._ended[job.call] += 1
                flow = owner.pop(job)
                flow.waiting -= 1
                if flow.waiting == 0:
                    advance(flow)
            self._tell(self.progress)
            self._write_now_and_then()

    def write(self, *, complete: bool) -> list[Mapping[str, str]]:
        """Write the tables, or the record of a part, as far as they go.

        Returns
        -------
        list of mapping
            A row of failures.csv where they cannot be written, so that the rest is told as well.
        """
        inputs = {name: sha for flow in self.flows for name, sha in flow.result.inputs.items()}
        parts = (self._work.derived, self.rows, self.failures, inputs, self._work.rules)
        try:
            if self._shard is None:
                expected = sum(flow.nights_expected for flow in self.flows)
                write_tables(*parts, complete=complete, expected=expected)
            else:
                finished = [flow.person.participant_id for flow in self.flows if flow.finished]
                write_shard(*parts, shard=self._shard, finished=finished, complete=complete)
        except OutputError as error:
            told = {"file": Path(error.file).name, "code": "output_error", "sentence": str(error)}
            return [{"participant_id": "", "night": "", **told}]
        return []

    def _write_now_and_then(self) -> None:
        began = time.monotonic()
        if began - self._written < max(WRITE_EVERY_S, self._writing_s / WRITING_SHARE):
            return
        self.write(complete=False)
        self._written = time.monotonic()
        self._writing_s = self._written - began


def _once_more(job: Job) -> bool:
    """Whether a job that came to nothing is tried again; then its outcome is forgotten."""
    failure = job.outcome
    if not isinstance(failure, Failure):
        return False
    if failure.code == NOT_STARTED:
        job.starts += 1
    else:
        job.tries += 1
    job.died = failure.code in (WORKER_DIED, OUT_OF_MEMORY)
    again = job.tries < TRIES and job.starts < STARTS
    if again:
        job.outcome = None
    return again
