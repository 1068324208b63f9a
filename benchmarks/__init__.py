"""The benchmark suite: `python -m benchmarks accuracy`, `speed`, `statistics`."""
