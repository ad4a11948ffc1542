"""When patients come: an OPD morning as hospitals of the region report it.

A few patients come from 06:30, then more. At 08:30 the gate opens and everybody in the yard scans within minutes. Until
11:00 many come at an even pace: most patients of the day. Until 13:00 they become fewer. From 14:00 some come to the
special clinics.
"""

from bisect import bisect_left
from itertools import accumulate
from random import Random

from msgspec import Struct

MINUTE = 60
GATE_OPEN, CLOSING = 8 * 60 + 30, 13 * 60
"""Minutes after midnight: when the gate opens, and when registration ends."""


class Stretch(Struct, frozen=True):
    """A steady pace from ``begins`` to ``ends``, minutes after midnight. ``patients`` is its part of the day's
    patients.
    """

    begins: int
    ends: int
    patients: float


MORNING = (
    Stretch(6 * 60 + 30, 7 * 60 + 30, 0.03),
    Stretch(7 * 60 + 30, 8 * 60 + 30, 0.11),
    # Five minutes at nine times the plateau's mean: the step at gate-open.
    Stretch(8 * 60 + 30, 8 * 60 + 35, 0.15),
    Stretch(8 * 60 + 35, 11 * 60, 0.50),
    Stretch(11 * 60, 13 * 60, 0.16),
    Stretch(14 * 60, 15 * 60, 0.05),
)
"""The plateau has 0.50 of the day's patients in 145 minutes; 06:30 to 11:00 has four fifths."""


def arrivals(seed: int, patients: int, *, day: tuple[Stretch, ...] = MORNING) -> list[float]:
    """The arrival of each of ``patients``, in seconds after midnight, in order. The same seed gives the same day."""
    draw = Random(f"morning:{seed}")
    ends = list(accumulate(stretch.patients for stretch in day))
    return sorted(_moment(draw, day, ends) for _ in range(patients))


def _moment(draw: Random, day: tuple[Stretch, ...], ends: list[float]) -> float:
    stretch = day[min(bisect_left(ends, draw.random() * ends[-1]), len(day) - 1)]
    return draw.uniform(stretch.begins * MINUTE, stretch.ends * MINUTE)


def scaled(arrival_times: list[float], speed: float) -> list[float]:
    """Seconds from the first arrival, with time running ``speed`` times as fast."""
    return [(moment - arrival_times[0]) / speed for moment in arrival_times]
