"""How many counters a queue needs now, from arrivals and measured visits. Pure arithmetic.

People arrive at random and visits differ in length, so a queue with just enough counters still grows. Erlang's formula
for waiting lines says how many wait longer than promised. Those who wait already must be called as well.
"""

import math
from typing import Final

from msgspec import Struct

WITHIN_MIN: Final = 30
"""Minutes within which a patient is to be called: what hospitals are measured by."""
PART: Final = 0.9
"""Nine of ten patients: the tenth arrives in the worst moment."""
COUNTERS_MAX: Final = 200
"""No hospital has more. A figure beyond it is a mistake in what was measured."""


class QueueNeed(Struct, frozen=True, kw_only=True):
    """One queue at this hour, or several that share counters, and the counters that they need."""

    queue: str
    """The name, or the names."""
    arrivals_per_h: float
    service_min: float | None
    """Minutes of a visit; None when none was measured."""
    waiting: int

    @property
    def needed(self) -> int | None:
        """None when no visit was measured."""
        if self.service_min is None:
            return None
        return counters_needed(self.arrivals_per_h, self.service_min, self.waiting)


def counters_needed(arrivals_per_h: float, service_min: float, waiting: int = 0) -> int:
    """The least number of counters with which ``PART`` of the people are called within ``WITHIN_MIN`` minutes."""
    if service_min <= 0 or (arrivals_per_h <= 0 and waiting <= 0):
        return 0
    load = arrivals_per_h / 60 * service_min
    for_waiting = max((waiting * service_min) / WITHIN_MIN, (waiting + arrivals_per_h) * service_min / 60)
    counters = max(1, math.ceil(for_waiting - 1e-9), math.floor(load) + 1)
    while counters < COUNTERS_MAX and part_later(counters, load, service_min) > 1 - PART:
        counters += 1
    return min(counters, COUNTERS_MAX)


def part_later(counters: int, load: float, service_min: float, within_min: float = WITHIN_MIN) -> float:
    """The part of arriving people who wait longer (Erlang C). ``load``: counters that are busy on average."""
    if load >= counters:
        return 1.0
    blocked = 1.0
    for number in range(1, counters + 1):
        blocked = load * blocked / (number + load * blocked)
    must_wait = blocked / (1 - load / counters * (1 - blocked))
    return must_wait * math.exp(-(counters - load) * within_min / service_min)
