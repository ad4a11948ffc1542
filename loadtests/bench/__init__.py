"""Benchmark: the cost of a scan and scans a second, beside a yardstick measured in the same run."""
