"""Workers of a dask cluster, perhaps on many machines that share the study's folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from rlsmove.batch.job import Job
from rlsmove.batch.tasks import (
    TIMED_OUT,
    WORKER_DIED,
    Failure,
    attempt,
    get_ready,
    internal_error,
)
from rlsmove.errors import SettingError
from rlsmove.io.provenance import program_version

#: Patience with a scheduler that does not answer.
CONNECT_S = 30.0

_EXPECTED = "the address of a running dask scheduler, or its scheduler file"

#: Patience with a scheduler that has lost all its workers, which a queue may bring back.
NO_WORKERS_S = 600.0

#: How often it is looked up which jobs are running, for those that hang.
LOOK_EVERY_S = 2.0

#: What a job may take beyond its time, so that it is given up before its worker ends itself.
GRACE_S = 5.0


class ClusterWorkers:
    """The threads of a dask cluster's workers, each with one job at a time.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://node1:8786``, or its scheduler file.
    timeout_s : float
        Longest time for one job.

    Raises
    ------
    SettingError
        dask is not installed, no scheduler answers, it has no workers, or they run another
        version.

    Notes
    -----
    What a job gives stays where it was computed, and the jobs that need it go there. Jobs of a
    worker that dies are run again elsewhere by dask itself. A job that hangs is given up after
    its time; its worker ends itself soon after, also when nobody waits for it any more, and comes
    back if a nanny watches over it, as is dask's default.
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._client = _connect(address)
        # What a job has given is let go of with the job.
        self._futures: WeakKeyDictionary[Job, Any] = WeakKeyDictionary()
        self._running: dict[Any, Job] = {}
        self._seen_running: dict[Any, float] = {}
        self._looked = self._had_workers = time.monotonic()

    def __enter__(self) -> ClusterWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._running:
            future.cancel()
        self._client.close()

    @property
    def idle(self) -> bool:
        """Whether a thread of a worker is free."""
        return len(self._running) < max(sum(self._client.nthreads().values()), 1)

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return bool(self._running)

    def start(self, job: Job) -> None:
        """Hand a job to the cluster."""
        arguments = job.filled_in(self._futures.__getitem__)
        limit_s = self._timeout_s + GRACE_S
        future = self._client.submit(limited_attempt, limit_s, job.call, *arguments, pure=False)
        self._futures[job] = future
        self._running[future] = job

    def ended(self, patience_s: float) -> list[Job]:
        """Wait for jobs to end, but no longer than so many seconds; their outcomes are set."""
        from distributed import wait

        with self._client.as_current(), suppress(TimeoutError):
            wait(list(self._running), timeout=patience_s, return_when="FIRST_COMPLETED")
        if self._client.status != "running":
            raise SettingError(self._address, "the scheduler is gone", expected=_EXPECTED)
        done = [future for future in self._running if future.done()]
        jobs = [self._end(future, self._outcome(future)) for future in done]
        if self._client.nthreads():
            self._had_workers = time.monotonic()
        elif time.monotonic() - self._had_workers > NO_WORKERS_S:
            raise SettingError(self._address, "the scheduler has lost all its workers")
        if time.monotonic() - self._looked > LOOK_EVERY_S:
            jobs += self._give_up_hanging()
            self._looked = time.monotonic()
        return jobs

    def _outcome(self, future: Any) -> Any:
        from distributed import KilledWorker

        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, KilledWorker):
            return Failure(WORKER_DIED, "every worker that ran it died")
        if isinstance(error, CancelledError):
            return Failure(WORKER_DIED, "the cluster has lost it")
        return internal_error(error)

    def _end(self, future: Any, outcome: Any) -> Job:
        job = self._running.pop(future)
        self._seen_running.pop(future, None)
        job.outcome = outcome
        return job

    def _give_up_hanging(self) -> list[Job]:
        """End what has been running for too long; a job that waits for a worker is not."""
        now = time.monotonic()
        stacks = self._client.call_stack(list(self._running)) or {}
        running = {key for keys in stacks.values() for key in keys}
        given_up = []
        for future in list(self._running):
            if future.key not in running:
                self._seen_running.pop(future, None)
            elif now - self._seen_running.setdefault(future, now) > self._timeout_s:
                told = f"not done after {self._timeout_s:g} s; given up"
                given_up.append(self._end(future, Failure(TIMED_OUT, told)))
                future.cancel(force=True)
        return given_up


def limited_attempt(limit_s: float, call: Callable[..., Any], *arguments: Any) -> Any:
    """Run a task; a worker that it hangs in ends itself, since its thread would be lost."""
    end = threading.Timer(limit_s, os._exit, (1,))
    end.daemon = True
    end.start()
    try:
        return attempt(call, *arguments)
    finally:
        end.cancel()


def _connect(address: str) -> Any:
    """Open a client, and see that the cluster's workers run this version of the program."""
    try:
        from distributed import Client
        from distributed.comm import parse_address, parse_host_port
    except ImportError:
        raise SettingError(
            "--cluster", "dask.distributed is not installed", advice="Install rlsmove[cluster]"
        ) from None
    try:
        file = address if Path(address).is_file() else None
        if file is None:
            parse_host_port(parse_address(address)[1])  # a client without a port never closes
        client = Client(
            None if file else address, scheduler_file=file, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingError(
            "--cluster", f"no scheduler answers at {address!r} ({error})", expected=_EXPECTED
        ) from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
        versions = set(client.run(get_ready).values())
    except TimeoutError as error:
        client.close()
        raise SettingError("--cluster", f"the scheduler at {address!r} has no workers") from error
    except ImportError as error:
        client.close()
        raise SettingError(
            "--cluster", f"a worker lacks a module ({error})", expected="rlsmove on every worker"
        ) from error
    if versions != {program_version()}:
        client.close()
        raise SettingError(
            "--cluster",
            f"its workers run rlsmove {', '.join(sorted(versions))}",
            expected=f"rlsmove {program_version()}, as here",
        )
    return client
