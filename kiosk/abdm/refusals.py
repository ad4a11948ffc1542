"""The code and the text of each refusal, for the gateway and the patient's phone.

A text has at most 250 characters of plain words, says what to do next, and contains nothing about the patient. A
refusal for which ABDM has no code gets its general code ``ABDM-9999``.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

from kiosk.locales import ENGLISH
from queueing.models import Refusal
from queueing.pending_reply import PendingReply


class RefusalText(NamedTuple):
    code: str
    text: str


REFUSALS: Final = MappingProxyType(
    {
        Refusal.UNKNOWN_FACILITY: RefusalText(
            "ABDM-1035", "This hospital does not give numbers here yet. Please ask at the registration counter."
        ),
        Refusal.CLOSED_COUNTER: RefusalText(
            "ABDM-9999", "This counter is closed now. Please scan the code at another counter, or ask the staff."
        ),
        Refusal.CLOSED_QUEUE: RefusalText(
            "ABDM-9999", "This queue is closed now. Please ask at the registration counter when it opens."
        ),
        Refusal.FAR: RefusalText(
            "ABDM-9999", "You seem to be away from the hospital. Please scan the code again when you are there."
        ),
        Refusal.STALE: RefusalText(
            "ABDM-9999", "This code is no longer on the screen. Please scan the code that the screen shows now."
        ),
        Refusal.UNKNOWN_COUNTER: RefusalText(
            "ABDM-9999", "This code names no counter of this hospital. Please scan the code at the counter again."
        ),
        Refusal.INTENT: RefusalText(
            "ABDM-1149", "This counter gives queue numbers only. Please choose to share your profile, or ask the staff."
        ),
        Refusal.CLOCK: RefusalText("ABDM-1016", "This request came too late. Please scan the code again."),
        Refusal.FACILITY_MISMATCH: RefusalText(
            "ABDM-1055", "This request names two different hospitals. Please scan the code again."
        ),
        Refusal.BUSY: RefusalText(
            "ABDM-1024", "Very many people are scanning just now. Please scan again in a minute."
        ),
        Refusal.QUEUE_FULL: RefusalText(
            "ABDM-9999", "Today's numbers for this queue are all given out. Please ask at the registration counter."
        ),
        Refusal.PROFILE: RefusalText(
            "ABDM-1102", "Your profile came without an ABHA address. Please try again, or ask at the counter."
        ),
        Refusal.MALFORMED: RefusalText(
            "ABDM-1050", "The app's request could not be read. Please scan the code again, or ask at the counter."
        ),
        Refusal.NO_PLACE: RefusalText(
            "ABDM-9999",
            "A printed code alone gives no number here. Please scan a code on a screen, or share your location.",
        ),
        Refusal.NO_QUEUE: RefusalText(
            "ABDM-9999", "This hospital has not opened its queues here yet. Please ask at the registration counter."
        ),
        Refusal.NO_TOKENS: RefusalText("ABDM-1001", "No number was given in this queue today."),
    }
)


def text_of(pending: PendingReply) -> RefusalText:
    """Code and text of a refusal. Where hours closed the queue, the text says when it opens."""
    assert pending.refusal is not None  # noqa: S101  (callers check it; this tells the type checker)
    found = REFUSALS[pending.refusal]
    opening = pending.closed.opening if pending.closed else None
    if opening is None:
        return found
    return RefusalText(
        found.code, f"This queue is closed now. {ENGLISH.opening(opening)}. Please scan the code again then."
    )
