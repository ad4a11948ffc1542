"""Phones that want a message when their number is near, with their page closed. What says where a phone is, is sealed.

The delivery role reads them; nothing here is on a scan's path. A phone is bound to one ticket and ends with its page.
"""

from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import Struct

from queueing import library
from queueing.models import UnixMs
from queueing.redis_keys import PUSH_KEY, facility_root
from queueing.store.store import Store

FACILITY_MAX: Final = 500
"""Tickets with phones: as many as wait in a large hospital. Some 400 kB; each is looked at when somebody is called."""


class Phone(Struct, frozen=True, array_like=True):
    """One browser that agreed to messages about one ticket. New fields are added at the end, with a default."""

    id: str
    """Digest of its address: the same browser is stored once for each ticket."""
    until_ms: UnixMs
    """When the ticket's page ends."""
    sealed: str
    """Address and keys of the browser, as text."""
    near: int
    """It wants a message when so many people are before it; 0: only when it is called."""
    kid: str
    """The generation of the key ring whose public key the browser was handed."""
    language: str
    calls: int
    """Calls of this ticket that the phone knows of."""
    warned: int = 0
    """1 when it was warned that its number is near."""


class Stored(Enum):
    """What became of a phone that came."""

    DONE = b"DONE"
    UNKNOWN_TICKET = b"TICKET"
    FULL = b"FULL"
    """As many tickets of this facility have phones as may."""


_phones = msgspec.msgpack.Decoder(list[Phone]).decode


class PushPhones:
    """Writes and reads the phones of facilities."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, hip: str, ticket: str, phone: Phone) -> Stored:
        """Store a phone of a ticket, in place of what it sent before."""
        root = facility_root(hip)
        # First, because both lie in different slots: a facility that is listed without phones harms nobody.
        await self._store.call(PUSH_KEY, "ZADD", PUSH_KEY, "GT", phone.until_ms, hip)
        reply = await library.call(
            self._store, "push_put", root, ticket, FACILITY_MAX, phone.id, phone.until_ms, phone.sealed, phone.near,
            phone.kid, phone.language, phone.calls, phone.warned,
        )  # fmt: skip
        return Stored(reply)

    async def forget(self, hip: str, ticket: str, *phones: str) -> bool:
        """Forget these phones of a ticket, or all of them. False: there were none."""
        return bool(await library.call(self._store, "push_forget", facility_root(hip), ticket, *phones))

    async def mark(self, hip: str, ticket: str, phone: str, *, calls: int, warned: bool) -> None:
        """Remember what a phone knows by now. One that was forgotten meanwhile stays forgotten."""
        await library.call(self._store, "push_mark", facility_root(hip), ticket, phone, calls, int(warned))

    async def of(self, hip: str) -> dict[str, list[Phone]]:
        """All phones of a facility by ticket id."""
        flat: Any = await library.call(self._store, "push_all", facility_root(hip))
        return {flat[at].decode(): _phones(flat[at + 1]) for at in range(0, len(flat), 2)}

    async def facilities(self, now_ms: UnixMs) -> list[str]:
        """HIP ids of facilities that may have phones. Those whose pages have all ended are dropped."""
        await self._store.call(PUSH_KEY, "ZREMRANGEBYSCORE", PUSH_KEY, "-inf", now_ms)
        found: Any = await self._store.call(PUSH_KEY, "ZRANGE", PUSH_KEY, 0, -1)
        return [hip.decode() for hip in found]
