"""Run one benchmark: ``python -m benchmarks NAME [OPTIONS]``."""

from __future__ import annotations

import importlib
import sys

NAMES = ("accuracy", "evidence", "massage", "speed", "statistics")


def run() -> int:
    """Find the benchmark that was asked for, and run it."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(f"usage: python -m benchmarks {{{','.join(NAMES)}}} [options]", file=sys.stderr)
        return 2
    importlib.import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
    return 0


sys.exit(run())
