"""71.16 lakh tokens as days and institutions: the reported totals, and a model for the days between.

Reports give totals on a few dates and the number of institutions. Between two dates tokens are spread over days by
weekday, over institutions by size (``loadtests.shapes.sizes``), and over a day like an OPD morning. Every reported
total is met exactly. How many tokens a hospital had on a single day is a model, because no such figures were published.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct

from loadtests.shapes import sizes
from loadtests.simulator.people.crowd import Share
from loadtests.simulator.people.morning import arrivals

TOTALS: Final = (
    (date(2023, 4, 15), 0),  # launched in 11 hospitals (Rising Kashmir)
    (date(2023, 5, 26), 86_000),  # Daily Excelsior
    (date(2023, 5, 31), 110_000),  # Greater Kashmir: 33 institutions
    (date(2023, 9, 15), 790_000),  # "September 2023", taken as its middle
    (date(2023, 10, 10), 1_190_000),
    (date(2023, 12, 31), 2_500_000),  # "December 2023", taken as its end
    (date(2024, 6, 6), 3_710_000),
    (date(2024, 8, 3), 4_181_000),
    (date(2025, 1, 15), 5_399_189),  # "winter 2024-25", taken as its middle (Kashmir Life: 105 facilities)
    (date(2025, 7, 14), 7_116_000),  # CNI
)
"""Tokens up to the end of each date."""
INSTITUTIONS: Final = ((date(2023, 4, 15), 11), (date(2023, 5, 31), 33), (date(2025, 1, 15), 105))
"""How many institutions took part. Between the dates they join one by one, the largest first."""
WEEKDAYS: Final = (1.3, 1.1, 1.05, 1.0, 0.85, 0.9, 0.04)
"""The weight of each weekday, Monday first. Mondays are the busiest, Fridays are short, Sundays have only
emergencies.
"""


class Day(Struct, frozen=True):
    """One day of the history."""

    date: date
    tokens: tuple[int, ...]
    """Tokens of each participating institution, the largest first."""

    @property
    def total(self) -> int:
        """Tokens of the whole state."""
        return sum(self.tokens)


def days() -> list[Day]:
    """Every day from the launch to 14 July 2025."""
    found: list[Day] = []
    for (after, before_total), (until, total) in pairwise(TOTALS):
        first = after if after == TOTALS[0][0] else after + timedelta(days=1)
        dates = [first + timedelta(days=number) for number in range((until - first).days + 1)]
        found += map(_day, dates, shared_out(total - before_total, [WEEKDAYS[one.weekday()] for one in dates]))
    return found


def _day(on: date, total: int) -> Day:
    return Day(on, tuple(shared_out(total, sizes(institutions(on)))))


def institutions(on: date) -> int:
    """How many institutions take part on this day."""
    at = bisect_right([one for one, _ in INSTITUTIONS], on)
    if at == len(INSTITUTIONS):
        return INSTITUTIONS[-1][1]
    (begins, few), (ends, many) = INSTITUTIONS[at - 1], INSTITUTIONS[at]
    return few + (many - few) * (on - begins).days // (ends - begins).days


def shared_out(total: int, weights: Sequence[float]) -> list[int]:
    """``total`` in whole parts by weight. The running sum is rounded, so the parts always add up to ``total``."""
    whole, parts, passed, assigned = sum(weights), list[int](), 0.0, 0
    for weight in weights:
        passed += weight
        reached = round(total * passed / whole)
        parts.append(reached - assigned)
        assigned = reached
    return parts


def some(all_days: list[Day], one_in: int) -> list[Day]:
    """One day in ``one_in``, evenly over the history, each with all its tokens; every day for 1."""
    return all_days[one_in // 2 :: one_in]


def chapters(chosen: list[Day], tokens: int) -> list[list[Day]]:
    """The days in order, in groups of at least ``tokens`` tokens (the last may have fewer)."""
    groups: list[list[Day]] = [[]]
    for day in chosen:
        if sum(one.total for one in groups[-1]) >= tokens:
            groups.append([])
        groups[-1].append(day)
    return [group for group in groups if group]


def shares(chapter: list[Day], first_index: int, seed: int) -> Iterator[Share]:
    """All patients in the order of their arrival. A facility of the run is one institution on one day."""
    index, facility = first_index, 0
    for day in chapter:
        came = sorted(
            (moment, facility + place)
            for place, count in enumerate(day.tokens)
            for moment in arrivals(seed + facility + place, count)
        )
        for _, where in came:
            yield Share(index, where)
            index += 1
        facility += len(day.tokens)
