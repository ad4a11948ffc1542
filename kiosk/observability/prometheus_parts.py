"""The private parts of ``prometheus_client`` that we use. Only this file and one test name them.

``pyproject.toml`` pins the minor version that they were tested with.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

from prometheus_client import Histogram, values


def name_processes_by(process_id: Callable[[], int]) -> None:
    """Write values to files named by ``process_id()``. The library would ask the system for the id at each count."""
    values.ValueClass = values.MultiProcessValue(process_id)  # type: ignore[no-untyped-call]  # untyped upstream


def observe_all(histogram: Histogram, seconds: list[float]) -> None:
    """Observe many values at once. ``observe`` for each would cost what the tally saves."""
    histogram._sum.inc(sum(seconds))
    for bucket, count in Counter(bisect_left(histogram._upper_bounds, one) for one in seconds).items():
        histogram._buckets[bucket].inc(count)
