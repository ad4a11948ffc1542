"""All that is kept of one person in a facility: to show it to them, or to erase it at their wish.

A person is known by digests that the caller makes; a ticket by its token number.
Erased are the sealed profile, the digests, and replies to the gateway that still carry a profile.
The ticket stays, without anything of a person, because a number that was given is never given again.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from queueing import library
from queueing.desk import ticket_of
from queueing.models import Ticket
from queueing.redis_keys import facility_root
from queueing.store.store import Store

DIGESTS: Final = 2
"""ABHA address and ABHA number."""


class PersonRecord(Struct, frozen=True):
    """One ticket of the person, and the sealed envelope that says who it is; empty when none is kept."""

    ticket: Ticket
    envelope: bytes


class PersonRecords:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, hip: str, digests: Sequence[bytes] = (), *, token: str = "") -> list[PersonRecord]:
        """Every ticket of the kept days, newest first. Reads the whole day: for an administrator."""
        return await self._call("find", hip, digests, token)

    async def erase(self, hip: str, digests: Sequence[bytes] = (), *, token: str = "") -> list[PersonRecord]:
        """Take the person off these tickets; what was there is returned. Durable when it returns."""
        erased = await self._call("erase", hip, digests, token)
        await self._store.durable(facility_root(hip))
        return erased

    async def _call(self, act: str, hip: str, digests: Sequence[bytes], token: str) -> list[PersonRecord]:
        padded = [*digests, *[b""] * (DIGESTS - len(digests))]
        lines = await library.call(self._store, "person", facility_root(hip), act, *padded, token)
        return [PersonRecord(ticket_of(ticket_id, packed, 0), envelope) for ticket_id, packed, envelope in lines]
