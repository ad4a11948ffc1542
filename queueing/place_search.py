"""A patient looks for the own ticket page again: the tickets of a number, while wrong tries are few.

A guesser could try years of birth. So wrong tries of one number, of one address and of the whole facility are counted.
A try counts as wrong until ``found`` takes it back, so tries that come together are all counted.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from queueing import library
from queueing.models import Ticket
from queueing.packed_ticket import ticket_of
from queueing.redis_keys import facility_root
from queueing.store.store import Store

BY_PATIENT: Final = "the patient"
"""Who acted, in the audit and the event log. No login of staff has a space."""
NUMBER_WINDOW_S: Final = 6 * 3_600
"""Wrong tries of one number are counted over a hospital's morning."""
WRONG_PER_NUMBER: Final = 5
"""Some sixty years of birth are likely: five tries find the right one once in twelve times."""
WINDOW_S: Final = 3_600
WRONG_PER_ADDRESS: Final = 20
"""The phones of a hall's own Wi-Fi share one address, and one of ten people mistypes."""
WRONG_PER_FACILITY: Final = 120
"""Two a minute: 1,200 searches an hour with one mistyped in ten. Many addresses together guess no faster than this."""


class Seeker(Struct, frozen=True, kw_only=True):
    """Who searches: keyed digests in hex of the number and the address, and the address for the audit."""

    number: str
    source: str
    address: str


class Candidate(Struct, frozen=True):
    """A ticket with the number, and its sealed envelope; empty when there is none."""

    ticket: Ticket
    envelope: bytes


class PlaceSearch:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def candidates(self, hip: str, token: str, seeker: Seeker) -> tuple[Sequence[Candidate], int]:
        """Tickets with this number, living or ended today, and 0; or none, and the seconds to wait after too many wrong
        tries. The step counts the try as wrong and records that profiles are compared.
        """
        root = facility_root(hip)
        refused, wait_s, *lines = await library.call(
            self._store, "find_place", root, token, seeker.number, seeker.source, NUMBER_WINDOW_S, WRONG_PER_NUMBER,
            WINDOW_S, WRONG_PER_ADDRESS, WRONG_PER_FACILITY, seeker.address, BY_PATIENT,
        )  # fmt: skip
        if refused:
            return (), int(wait_s)
        await self._store.durable(root)
        return [Candidate(ticket_of(ticket_id, packed), envelope) for ticket_id, packed, envelope in lines], 0

    async def found(self, hip: str, seeker: Seeker) -> None:
        """The person proved who it is: the try was not a wrong one."""
        await library.call(self._store, "find_place_right", facility_root(hip), seeker.number, seeker.source)
