"""All that a facility holds of one person: to show it to the person, or to erase it at the person's wish.

The caller names a person by digests, or a ticket by its token number or id. ``erase`` removes the sealed profile, the
digests, and replies to the gateway that still carry a profile. The ticket stays without them, because no number is
issued twice.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from queueing import library
from queueing.models import Ticket
from queueing.packed_ticket import ticket_of
from queueing.redis_keys import facility_root
from queueing.store.store import Store

DIGESTS: Final = 2
"""ABHA address and ABHA number."""


class PersonRecord(Struct, frozen=True):
    """One ticket of the person, and the sealed envelope with the profile; empty when there is none."""

    ticket: Ticket
    envelope: bytes


class PersonRecords:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, hip: str, digests: Sequence[bytes] = (), *, token: str = "") -> list[PersonRecord]:
        """Every ticket of the stored days, newest first. It reads whole days: for an administrator."""
        return await self._call("find", hip, digests, token)

    async def erase(
        self, hip: str, digests: Sequence[bytes] = (), *, token: str = "", by: str, address: str = ""
    ) -> list[PersonRecord]:
        """Erase the person from these tickets; returns what was there. ``token`` may also be a ticket id.

        Durable when it returns. The same step records ``by``, ``address`` and each ticket's id in the
        audit, and nothing of the person.
        """
        erased = await self._call("erase", hip, digests, token, by, address)
        await self._store.durable(facility_root(hip))
        return erased

    async def _call(
        self, act: str, hip: str, digests: Sequence[bytes], token: str, *recorded: str
    ) -> list[PersonRecord]:
        padded = [*digests, *[b""] * (DIGESTS - len(digests))]
        lines = await library.call(self._store, "person", facility_root(hip), act, *padded, token, *recorded)
        return [PersonRecord(ticket_of(ticket_id, packed, 0), envelope) for ticket_id, packed, envelope in lines]
