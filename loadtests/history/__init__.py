"""A year of the whole state in an archive, to measure pages and exports with."""
