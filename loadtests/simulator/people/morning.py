"""When patients come: an OPD morning as hospitals of the region report it.

A trickle from 06:30, a ramp, the step at 08:30 when the gate opens and everybody in the yard scans within minutes, a
plateau to 11:00 that carries most of the day, a tail to 13:00, a small bump for the special clinics from 14:00.
"""

from bisect import bisect_left
from itertools import accumulate
from random import Random

from msgspec import Struct

MINUTE = 60
GATE_OPEN, CLOSING = 8 * 60 + 30, 13 * 60
"""Minutes after midnight: when the yard comes in, and when registration ends."""


class Stretch(Struct, frozen=True):
    """From ``begins`` to ``ends``, minutes after midnight, at a steady pace; ``patients`` is its part of the day."""

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
"""Plateau 0.50 of the day in 145 minutes; 06:30 to 11:00 carries four fifths."""


def arrivals(seed: int, patients: int, *, day: tuple[Stretch, ...] = MORNING) -> list[float]:
    """Seconds after midnight at which each of ``patients`` comes, in order. The same seed gives the same day."""
    draw = Random(f"morning:{seed}")
    ends = list(accumulate(stretch.patients for stretch in day))
    return sorted(_moment(draw, day, ends) for _ in range(patients))


def _moment(draw: Random, day: tuple[Stretch, ...], ends: list[float]) -> float:
    stretch = day[min(bisect_left(ends, draw.random() * ends[-1]), len(day) - 1)]
    return draw.uniform(stretch.begins * MINUTE, stretch.ends * MINUTE)


def scaled(arrival_times: list[float], speed: float) -> list[float]:
    """Seconds from the first arrival, with time running ``speed`` times as fast."""
    return [(moment - arrival_times[0]) / speed for moment in arrival_times]
