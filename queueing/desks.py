"""Who sits at which counter, whom each counter serves, and the breaks of counters: what staff see of each other."""

import time
from typing import Any, Final

from msgspec import Struct

from queueing import library
from queueing.audit import Act
from queueing.models import Ticket, UnixMs
from queueing.packed_ticket import ticket_of
from queueing.redis_keys import facility_root
from queueing.store.store import Store

SEEN_EVERY_S: Final = 60.0
"""An open desk is written down so often; the store forgets it after three times as long (``SEAT_MS``)."""
DESKS_KNOWN: Final = 4096
"""Desks of one worker: more than its connections. When there are more, each is written down anew."""


class Seat(Struct, frozen=True, array_like=True):
    """Somebody with an open desk; ``functions/counters_now.lua`` packs it in this order."""

    login: str
    name: str
    since_ms: UnixMs


class CounterNow(Struct, frozen=True, kw_only=True):
    """A counter at this moment."""

    name: str
    seats: tuple[Seat, ...]
    """Who has it open, the first to come first."""
    ticket: Ticket | None
    """Who is called to it or served there."""
    back_ms: UnixMs
    """When its clerk comes back from a break; 0 without one."""


class Desks:
    """Open desks. A desk that stays open costs one write a minute, however often its page asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, tuple[str, float]] = {}

    async def sit(self, hip: str, session: str, counter: str, *, login: str, name: str) -> None:
        """The desk of this session is open at this counter."""
        key, now_s = f"{session} {hip}", time.monotonic()
        before, seen_s = self._seen.get(key, ("", 0.0))
        if before == counter and now_s - seen_s < SEEN_EVERY_S:
            return
        if len(self._seen) >= DESKS_KNOWN:
            self._seen.clear()
        self._seen[key] = counter, now_s
        await library.call(self._store, "sit", facility_root(hip), session, counter, login, name)

    async def leave(self, hip: str, session: str, *, login: str) -> None:
        """The desk of this session is closed: the clerk signed out."""
        self._seen.pop(f"{session} {hip}", None)
        await library.call(self._store, "sit", facility_root(hip), session, "", login, "")

    async def set_break(self, hip: str, counter: str, back_ms: UnixMs, act: Act) -> bool:
        """The counter is served again at ``back_ms``; 0 ends the break. False: unknown counter, or no break to end."""
        root = facility_root(hip)
        done = await library.call(self._store, "counter_break", root, counter, back_ms, *act.parts())
        await self._store.durable(root)
        return bool(done)

    async def put_note(self, hip: str, ticket: str, sealed: bytes, act: Act) -> bool:
        """Write a sealed note on a ticket; an empty one removes it. False: no such ticket."""
        root = facility_root(hip)
        written = await library.call(self._store, "ticket_note", root, ticket, sealed, act.kind, act.by, act.address)
        await self._store.durable(root)
        return bool(written)

    async def counters(self, hip: str) -> list[CounterNow]:
        """Every counter of the facility, in the order in which they were added."""
        return [_counter(*line) for line in await library.call(self._store, "counters_now", facility_root(hip))]


def _counter(name: bytes, seats: list[Any], ticket_id: bytes, packed: bytes, back_ms: int) -> CounterNow:
    found = [Seat(login.decode(), shown.decode("utf-8", "replace"), since_ms) for login, shown, since_ms in seats]
    return CounterNow(
        name=name.decode(), seats=tuple(sorted(found, key=lambda seat: seat.since_ms)),
        ticket=ticket_of(ticket_id, packed) if packed else None, back_ms=back_ms,
    )  # fmt: skip
