"""The lanes, how many minutes each counts as having arrived earlier, and the reasons that lead to them."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

from queueing.reasons import Reason


class Lane(IntEnum):
    """Why somebody goes sooner. ``LANES`` describes each. Stored: a number is never used again."""

    ORDINARY = 0
    SENIOR = 1
    PREGNANT = 2
    DISABLED = 3
    EMERGENCY = 4
    PRIORITY = 5

    @property
    def word(self) -> str:
        """As pages, other programs and the archive write it."""
        return self.name.lower()


class LaneRow(Struct, frozen=True):
    """One lane as staff see it, and how it counts."""

    label: str
    """For staff, in a list to choose from."""
    mark: str
    """Beside a token number, at most 5 characters; empty: no mark."""
    head_start_min: int
    """The lane counts as having arrived so many minutes earlier (``HEAD_START_MS`` in the store)."""
    who: str
    """Who stands in it, for administrators."""
    is_emergency: bool = False
    """Called before everybody else; FHIR and HL7 know no other priority."""


LANES: Final[dict[Lane, LaneRow]] = {
    Lane.ORDINARY: LaneRow("Ordinary", "", 0, "Everybody else, in the order in which they came."),
    Lane.SENIOR: LaneRow(
        "Senior, 60 or older", "60+", 20, "By the age in the profile or form, or chosen by a clerk."
    ),
    Lane.PREGNANT: LaneRow("Pregnant", "PREG", 30, "Chosen by a clerk."),
    Lane.DISABLED: LaneRow("Person with disability", "PwD", 30, "Chosen by a clerk."),
    Lane.EMERGENCY: LaneRow(
        "Emergency", "EMERG", 7 * 24 * 60, "Chosen by a clerk: called before everybody else.", is_emergency=True
    ),
    Lane.PRIORITY: LaneRow(
        "Other priority", "PRIO", 20,
        "A small child, hospital staff, sent back by the doctor, or another reason that a clerk chooses.",
    ),
}  # fmt: skip
"""The one table of lanes: the store's numbers, the pages of staff and the messages to other programs are made from it.
Bounded head starts keep the ordinary lane moving: after half an hour of waiting no newcomer is placed before them. An
emergency is always called first. ``tests/house/test_lanes.py`` names what a new lane lacks elsewhere."""
EMERGENCY_WORDS: Final = frozenset(lane.word for lane, row in LANES.items() if row.is_emergency)


def lua_tables() -> str:
    """``LANE`` and ``HEAD_START_MS``, as the functions of the store name them."""
    numbers = ", ".join(f"{lane.name} = {lane.value}" for lane in Lane)
    head_starts = ", ".join(f"[LANE.{lane.name}] = {row.head_start_min * 60_000}" for lane, row in LANES.items())
    return f"local LANE = {{{numbers}}}\nlocal HEAD_START_MS = {{{head_starts}}}\n"


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
