"""71.16 lakh tokens as days and institutions: what was reported, and how the days between are filled.

Reported are totals on a few dates and how many institutions took part. Between two dates tokens are spread over days by
weekday, over institutions by size (``loadtests.shapes.sizes``), and over a day as an OPD morning goes. Every total that
was reported is met exactly; which hospital had how many on a single day is a model, for nobody published it.
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
"""How many took part; between the dates they join one by one, the largest first."""
WEEKDAYS: Final = (1.3, 1.1, 1.05, 1.0, 0.85, 0.9, 0.04)
"""Monday first: Mondays are the fullest, Fridays shorter, on Sundays only emergencies are registered."""


class Day(Struct, frozen=True):
    """One day of the history."""

    date: date
    tokens: tuple[int, ...]
    """By institution, the largest first; as many as took part."""

    @property
    def total(self) -> int:
        """Of the whole state."""
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
    """How many take part on this day."""
    at = bisect_right([one for one, _ in INSTITUTIONS], on)
    if at == len(INSTITUTIONS):
        return INSTITUTIONS[-1][1]
    (begins, few), (ends, many) = INSTITUTIONS[at - 1], INSTITUTIONS[at]
    return few + (many - few) * (on - begins).days // (ends - begins).days


def shared_out(total: int, weights: Sequence[float]) -> list[int]:
    """``total`` in whole parts by weight: rounded as it adds up, so that nothing is lost and no part is off by one."""
    whole, parts, passed, assigned = sum(weights), list[int](), 0.0, 0
    for weight in weights:
        passed += weight
        reached = round(total * passed / whole)
        parts.append(reached - assigned)
        assigned = reached
    return parts


def some(all_days: list[Day], one_in: int) -> list[Day]:
    """One day in ``one_in``, evenly over the history and whole as it was; all of them for 1."""
    return all_days[one_in // 2 :: one_in]


def chapters(chosen: list[Day], tokens: int) -> list[list[Day]]:
    """Days in their order, in groups of at least so many tokens (the last may have fewer)."""
    groups: list[list[Day]] = [[]]
    for day in chosen:
        if sum(one.total for one in groups[-1]) >= tokens:
            groups.append([])
        groups[-1].append(day)
    return [group for group in groups if group]


def shares(chapter: list[Day], first_index: int, seed: int) -> Iterator[Share]:
    """Everybody who came, in the order of coming. A facility of the run is one institution on one day."""
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
