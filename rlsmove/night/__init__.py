"""One night, from its recordings to its indices."""
