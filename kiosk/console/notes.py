"""A short note of staff on a ticket, sealed like the profile. Only staff see it; it goes with the ticket."""

from typing import Final

from kiosk.security.encryption import Seal, SealBroken
from queueing.display_text import marked_text
from queueing.models import Ticket
from queueing.redis_keys import facility_key

NOTE_MAX: Final = 200
"""Characters: two lines at a counter. What is longer belongs into the patient's file."""
PURPOSE: Final = "note"
"""Bound into the seal, so that nothing else that is sealed passes for a note."""


def cleaned(text: str) -> str:
    """The note in one line, without control characters."""
    return marked_text(" ".join(text.split()), NOTE_MAX)


class NoteSeal:
    """Seals notes with the day's key, bound to the ticket."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def close(self, hip: str, ticket: Ticket, note: str) -> bytes:
        return self._seal.close(PURPOSE, facility_key(hip), ticket.request, note.encode("utf-8", "replace"))

    def open(self, hip: str, ticket: Ticket, sealed: bytes) -> str:
        """The note again; empty without one, or when its day's key is erased."""
        if not sealed:
            return ""
        try:
            return cleaned(
                self._seal.open(PURPOSE, facility_key(hip), ticket.request, sealed).decode("utf-8", "replace")
            )
        except SealBroken:
            return ""
