"""How many processors there are to work with."""

from __future__ import annotations

import os


def n_processors() -> int:
    """How many this process may use; where the system does not tell, how many it has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
