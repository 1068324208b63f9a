"""Worker processes on this machine, each of which may hang or die without harm to the others."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from rlsmove.batch.job import Job
from rlsmove.batch.tasks import (
    NOT_STARTED,
    OUT_OF_MEMORY,
    TIMED_OUT,
    WORKER_DIED,
    Failure,
    attempt,
    get_ready,
    internal_error,
)

if TYPE_CHECKING:
    from pebble import ProcessPool

#: Libraries that would start threads of their own in every worker.
_ONE_THREAD = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class LocalWorkers:
    """A number of worker processes, each with one job at a time.

    Parameters
    ----------
    number : int
        How many.
    timeout_s : float
        Longest time for one job.

    Notes
    -----
    Each worker is a pebble pool of one. Workers of one pool share their pipes and locks, and one
    that is killed while it holds a lock, or has written half a result, blocks the others; a pool
    of one is thrown away with its worker.
    """

    def __init__(self, number: int, timeout_s: float) -> None:
        self.number = number
        self._timeout_s = timeout_s
        self._environment = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
        self._idle = [_new_pool() for _ in range(number)]
        self._busy: dict[Future[object], tuple[ProcessPool, Job]] = {}

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        pools = [*self._idle, *(pool for pool, _ in self._busy.values())]
        for pool in pools:
            pool.stop()
        for pool in pools:
            pool.join()
        for name, value in self._environment.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    @property
    def idle(self) -> bool:
        """Whether a worker is free."""
        return bool(self._idle)

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return bool(self._busy)

    def start(self, job: Job) -> None:
        """Hand a job to a free worker."""
        pool = self._idle.pop()
        if not pool.active:  # its worker died while it had nothing to do
            _throw_away(pool)
            pool = _new_pool()
        arguments = job.filled_in(lambda part: part.outcome)
        future = pool.schedule(attempt, args=(job.call, *arguments), timeout=self._timeout_s)
        self._busy[future] = (pool, job)

    def ended(self, patience_s: float) -> list[Job]:
        """Wait for jobs to end, but no longer than so many seconds; their outcomes are set."""
        done, _ = wait(self._busy, timeout=patience_s, return_when=FIRST_COMPLETED)
        jobs = []
        for future in done:
            pool, job = self._busy.pop(future)
            job.outcome = _outcome(future, self._timeout_s)
            if isinstance(job.outcome, Failure) and job.outcome.code in (
                WORKER_DIED,
                NOT_STARTED,
                TIMED_OUT,
                OUT_OF_MEMORY,
            ):
                _throw_away(pool)
                pool = _new_pool()
            self._idle.append(pool)
            jobs.append(job)
        return jobs


def _outcome(future: Future[object], timeout_s: float) -> object:
    from pebble import ProcessExpired

    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TimeoutError):
        return Failure(TIMED_OUT, f"not done after {timeout_s:g} s; given up")
    if isinstance(error, ProcessExpired):
        return Failure(WORKER_DIED, f"its process died ({_how(error.exitcode)})")
    if isinstance(error, BrokenProcessPool):
        return Failure(NOT_STARTED, "no worker process could be started for it")
    return internal_error(error)


def _how(exit_code: int) -> str:
    if exit_code == -9:
        return "killed by signal 9: by hand, or by the system for want of memory"
    return f"by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _new_pool() -> ProcessPool:
    from pebble import ProcessPool

    pool = ProcessPool(
        max_workers=1, initializer=_prepare, context=multiprocessing.get_context("spawn")
    )
    assert pool.active  # asking starts the process, so that it gets ready meanwhile
    return pool


def _throw_away(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


def _prepare() -> None:
    """Get ready for jobs, and end with the parent."""
    get_ready()
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
