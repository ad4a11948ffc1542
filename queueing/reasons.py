"""Why a clerk lets somebody go sooner: a short list, so that it can be counted. It stands with the ticket."""

from enum import IntEnum


class Reason(IntEnum):
    """What a clerk chose; ``queueing.lanes`` says which lane each leads to. Stored: a number is never used again."""

    NONE = 0
    """No clerk chose one: the age, the hospital's system or nothing decides the lane."""
    SENIOR = 1
    PREGNANT = 2
    DISABLED = 3
    CHILD = 4
    EMERGENCY = 5
    STAFF = 6
    """Staff of the hospital, or their family."""
    DOCTOR = 7
    """Sent back by the doctor, with a report or for a signature."""
    OTHER = 8


def word_of(reason: Reason) -> str:
    """As other programs and the archive write it; empty for none."""
    return reason.name.lower() if reason else ""
