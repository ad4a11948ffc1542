"""The lanes: what staff see of each, and how many minutes it counts as having arrived earlier."""

from typing import Final

from msgspec import Struct

from queueing.models import Lane


class LaneRow(Struct, frozen=True):
    """One lane as staff see it, and how it counts."""

    label: str
    """For staff, in a list to choose from."""
    mark: str
    """Beside a token number, at most 5 characters; empty: no mark."""
    head_start_min: int
    """The lane counts as having arrived so many minutes earlier (``HEAD_START_MS`` in functions/shared/enums.lua)."""


LANES: Final[dict[Lane, LaneRow]] = {
    Lane.ORDINARY: LaneRow("Ordinary", "", 0),
    Lane.SENIOR: LaneRow("Senior, 60 or older", "60+", 20),
    Lane.PREGNANT: LaneRow("Pregnant", "PREG", 30),
    Lane.DISABLED: LaneRow("Person with disability", "PwD", 30),
    Lane.EMERGENCY: LaneRow("Emergency", "EMERG", 7 * 24 * 60),
}
"""The one table of lanes: the console shows label and mark, the store counts the head start. Bounded head starts keep
the ordinary lane moving; an emergency is always called first. Tests compare the table with ``Lane`` and the store."""
