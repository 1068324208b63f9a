"""One call that some worker is to make, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(eq=False)
class Job:
    """One call that some worker is to make.

    Attributes
    ----------
    call : callable
        A function of a module, so that another process can find it.
    arguments : tuple
        Its arguments. A job among them, or in a list among them, stands for its outcome.
    outcome : Any
        What the call returned, or a `tasks.Failure`; None while it has not ended.
    tries, starts : int
        How often it came to nothing, and how often it did not even begin.
    died : bool
        Whether it last took its worker with it.
    """

    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    outcome: Any = None
    tries: int = 0
    starts: int = 0
    died: bool = False

    def filled_in(self, stands_for: Callable[[Job], Any]) -> list[Any]:
        """The arguments, with what stands for them in the place of jobs."""

        def fill(part: Any) -> Any:
            if isinstance(part, list):
                return [fill(item) for item in part]
            return stands_for(part) if isinstance(part, Job) else part

        return [fill(argument) for argument in self.arguments]


class Workers(Protocol):
    """Where jobs run."""

    @property
    def idle(self) -> bool:
        """Whether another job can be started."""

    @property
    def busy(self) -> bool:
        """Whether a job is running."""

    def start(self, job: Job) -> None:
        """Start a job."""

    def ended(self, patience_s: float) -> list[Job]:
        """Wait for jobs to end, but no longer than so many seconds; their outcomes are set."""
