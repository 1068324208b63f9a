"""Event lists in, results out."""
