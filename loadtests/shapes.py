"""Kinds of days as data: when people come, how many, to how many hospitals of which size, with how many screens.

Times are minutes. A run shortens a day of hours to a minute or two. The sizes come from reports of J&K's hospitals.
"""

from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import Final

from msgspec import Struct

from loadtests.simulator.people.morning import MORNING, Stretch


class Shape(Struct, frozen=True, kw_only=True):
    """One kind of day."""

    name: str
    words: str
    stretches: tuple[Stretch, ...]
    patients: int
    """Scans of the real day."""
    facilities: int
    boards_per_facility: float
    """Displays and open ticket pages for each facility."""
    clerks: int
    """Counters at work in the staffed facilities of a run."""

    def begins(self) -> float:
        """The minute of the first arrival."""
        return self.stretches[0].begins

    def minutes(self) -> float:
        """Minutes from the first stretch to the end of the last."""
        return self.stretches[-1].ends - self.begins()

    def pace(self, part: float) -> float:
        """People a minute at this part (0 to 1) of the day, if ``patients`` come in all."""
        minute = self.begins() + part * self.minutes()
        whole = sum(stretch.patients for stretch in self.stretches)
        for stretch in self.stretches:
            if stretch.begins <= minute < stretch.ends:
                return self.patients * stretch.patients / whole / (stretch.ends - stretch.begins)
        return 0.0

    def peak(self) -> float:
        """The most people a minute."""
        whole = sum(stretch.patients for stretch in self.stretches)
        return max(self.patients * s.patients / whole / (s.ends - s.begins) for s in self.stretches)


FESTIVAL: Final = 1.4
"""Patients of a Monday, or of the day after a festival, for each one of an ordinary day (KGH Visakhapatnam: 1,800 and
1,250)."""

SHAPES: Final = {
    shape.name: shape
    for shape in (
        Shape(
            name="opd-morning",
            words="one large hospital, everybody by QR: a step when the gate opens, a plateau to 11:00, a tail",
            stretches=MORNING, patients=10_000, facilities=1, boards_per_facility=40, clerks=4,
        ),
        Shape(
            name="monday-after-festival",
            words="the same hospital with 1.4 times the people, and more of them at the gate",
            stretches=tuple(
                Stretch(s.begins, s.ends, s.patients * (1.6 if s.patients == 0.15 else 1.0)) for s in MORNING
            ),
            patients=int(10_000 * FESTIVAL), facilities=1, boards_per_facility=60, clerks=4,
        ),
        Shape(
            name="state-day",
            words="every public facility of J&K takes part, sizes as they are: a few giants, many small ones",
            stretches=MORNING, patients=60_000, facilities=3_607, boards_per_facility=0.1, clerks=4,
        ),
        Shape(
            name="flash-crowd",
            words="a whole yard scans in the five minutes in which the gate opens, then nobody",
            stretches=(Stretch(505, 510, 0.02), Stretch(510, 515, 0.9), Stretch(515, 525, 0.08)),
            patients=8_000, facilities=3, boards_per_facility=20, clerks=2,
        ),
    )
}  # fmt: skip
"""By name."""


def sizes(facilities: int) -> list[float]:
    """Each facility's part of a day, largest first. The sum is 1.

    A rank-size law, (rank + 3) ** -1.05. Of 60,000 patients in 3,607 facilities the first has 2,500 (SMHS and GMC Jammu
    report 2,700 to 4,000 visits of all kinds), the hundredth 80 (a district hospital) and the thousandth 8. Half of all
    facilities have fewer than 5 (a health centre).
    """
    weights = [(rank + 3) ** -1.05 for rank in range(1, facilities + 1)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


class Chooser:
    """Draws facilities by size."""

    def __init__(self, facilities: int, seed: int) -> None:
        self._ends = list(accumulate(sizes(facilities)))
        self._draw = Random(f"facilities:{seed}")

    def facility(self) -> int:
        """Index of one facility."""
        return min(bisect_right(self._ends, self._draw.random()), len(self._ends) - 1)
