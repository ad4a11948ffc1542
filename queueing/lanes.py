"""The lanes, how many minutes each counts as having arrived earlier, and the reasons that lead to them."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

from queueing.reasons import Reason


class Lane(IntEnum):
    """Why somebody goes sooner. ``LANES`` describes each."""

    ORDINARY = 0
    SENIOR = 1
    PREGNANT = 2
    DISABLED = 3
    EMERGENCY = 4
    PRIORITY = 5


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
    Lane.PRIORITY: LaneRow("Other priority", "PRIO", 20),
}
"""The one table of lanes: the console shows label and mark, the store counts the head start. Bounded head starts keep
the ordinary lane moving; an emergency is always called first. Tests compare the table with ``Lane`` and the store."""


class ReasonRow(Struct, frozen=True):
    """One reason as staff see it, and where it leads."""

    label: str
    mark: str
    """Beside a token number, at most 5 characters."""
    lane: Lane


REASONS: Final[dict[Reason, ReasonRow]] = {
    Reason.SENIOR: ReasonRow(LANES[Lane.SENIOR].label, LANES[Lane.SENIOR].mark, Lane.SENIOR),
    Reason.PREGNANT: ReasonRow(LANES[Lane.PREGNANT].label, LANES[Lane.PREGNANT].mark, Lane.PREGNANT),
    Reason.DISABLED: ReasonRow(LANES[Lane.DISABLED].label, LANES[Lane.DISABLED].mark, Lane.DISABLED),
    Reason.CHILD: ReasonRow("Small child", "CHILD", Lane.PRIORITY),
    Reason.EMERGENCY: ReasonRow(LANES[Lane.EMERGENCY].label, LANES[Lane.EMERGENCY].mark, Lane.EMERGENCY),
    Reason.STAFF: ReasonRow("Hospital staff", "STAFF", Lane.PRIORITY),
    Reason.DOCTOR: ReasonRow("Sent back by the doctor", "BACK", Lane.PRIORITY),
    Reason.OTHER: ReasonRow("Other reason", "PRIO", Lane.PRIORITY),
}
"""In the order in which a clerk chooses them by digit."""


def label_of(lane: Lane, reason: Reason) -> str:
    """The reason in words, where a clerk gave one; else the lane."""
    return REASONS[reason].label if reason else LANES[lane].label


def mark_of(lane: Lane, reason: Reason) -> str:
    """What stands beside the number."""
    return REASONS[reason].mark if reason else LANES[lane].mark
