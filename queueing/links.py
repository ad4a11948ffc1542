"""The hospital system's own numbers of a ticket, and the one number that each person has in a facility.

What is sealed is never read here. A person is known by keyed digests, and a number by a keyed mark.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from queueing import library
from queueing.audit import Act
from queueing.redis_keys import facility_root
from queueing.store.store import Store

PERSON_KEPT_S: Final = 90 * 86_400
"""A person's number is compared for so long after it was last sent: follow-up visits of a quarter. A hospital of 2,000
patients a day has 180,000 of them, some 30 MB."""
TICKETS_AT_MOST: Final = 500


class Linked(Enum):
    """What became of numbers that were sent."""

    DONE = "DONE"
    OTHER_NUMBER = "OTHER"
    """This person has another number here; nothing was written."""
    UNKNOWN_TICKET = "TICKET"


class LinkReply(Struct, frozen=True, kw_only=True):
    outcome: Linked
    first: str = ""
    """The person's other number, sealed; of OTHER_NUMBER."""


class Links:
    """Writes and reads the numbers of tickets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self, hip: str, ticket: str, sealed: bytes, *, persons: Sequence[bytes], mark: bytes, number: str, act: Act,
    ) -> LinkReply:  # fmt: skip
        """Bind numbers to a ticket; durable when it returns. The same step writes the audit.

        ``number``: the patient's number, sealed.
        """
        root = facility_root(hip)
        outcome, *first = await library.call(
            self._store, "links_put", root, ticket, sealed, mark, number, PERSON_KEPT_S,
            act.kind, act.by, act.address, *persons,
        )  # fmt: skip
        await self._store.durable(root)
        return LinkReply(outcome=Linked(outcome.decode()), first=first[0].decode() if first else "")

    async def forget(self, hip: str, ticket: str, *, persons: Sequence[bytes], act: Act) -> bool:
        """Remove the numbers of a ticket and of its person. False: there were none. The same step writes the audit."""
        root = facility_root(hip)
        removed = await library.call(
            self._store, "links_forget", root, ticket, act.kind, act.by, act.address, *persons
        )  # fmt: skip
        await self._store.durable(root)
        return bool(removed)

    async def of(self, hip: str, tickets: Sequence[str]) -> dict[str, bytes]:
        """Sealed numbers by ticket id; a ticket without them is missing."""
        wanted = list(tickets)[:TICKETS_AT_MOST]
        if not wanted:
            return {}
        found = await library.call(self._store, "links", facility_root(hip), *wanted)
        return {ticket: sealed for ticket, sealed in zip(wanted, found, strict=True) if sealed}
