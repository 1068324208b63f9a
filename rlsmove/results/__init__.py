"""The files that a night or a batch yields, each written and read back in one place."""
