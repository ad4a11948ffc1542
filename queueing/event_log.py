"""The durable log of ticket events, for every consumer but the screens.

Each state change of a ticket is written to the log in the same step. Promised:

- Events of one facility have one order, and cursors only rise.
- An event is kept for at least three days, or until its partition (a 48th of all facilities) has 100,000 newer.
- A consumer keeps its own cursor and reads after it: ``read`` for one facility, ``follow`` for all. After a failure it
  reads again from the cursor it stored, so it gets every event at least once.
- An event is durable before it is handed over, as the store promises (``Store.promise``).
- Events hold numbers, counters and logins of staff. They hold no patient data.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from enum import IntEnum
from typing import Any, Final

import msgspec

from queueing import library
from queueing.desk import ticket_of
from queueing.errors import QueueingError
from queueing.models import Ticket, UnixMs
from queueing.redis_keys import ALL_PARTITIONS, events_key, facility_key, facility_root
from queueing.store.store import Store
from queueing.streams import Raw, StreamReader

OLDEST: Final = "0"
"""Cursor before the oldest event that is kept."""
READ_AT_MOST: Final = 500
"""Events of one read: some 100 kB."""
_WAIT_MS: Final = 5_000
_TRY_AGAIN_S: Final = 0.5


class EventKind(IntEnum):
    """What happened; ``EVENT`` in functions/shared/enums.lua."""

    CREATED = 1
    CHECKED_IN = 2
    CALLED = 3
    RECALLED = 4
    SERVING = 5
    HELD = 6
    NO_SHOW = 7
    RETURNED = 8
    TRANSFERRED = 9
    DONE = 10
    CANCELLED = 11
    LAPSED = 12
    UNDONE = 13
    LANE_CHANGED = 14
    ACKNOWLEDGEMENT_PARKED = 15

    @property
    def type(self) -> str:
        """The type as other programs know it."""
        name = self.name.lower()
        return name.replace("_", ".") if name.startswith("acknowledgement") else f"ticket.{name}"


PUBLIC_KINDS: Final = frozenset(EventKind) - {EventKind.LANE_CHANGED}
"""Kinds that other programs may get; a change of lane is for the audit alone."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One state change of one ticket, or what became of a reply about it."""

    id: str
    """The same in every delivery: facility key and cursor."""
    cursor: str
    """Read after it to go on behind this event. Within a facility it only rises."""
    facility_key: str
    kind: EventKind
    at_ms: UnixMs
    by: str
    """Login of who did it; empty when the patient or the end of the day did."""
    ticket: Ticket
    """The ticket after the event."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events after a cursor."""

    events: list[Event]
    cursor: str
    """Where to go on, also when there were no events."""


def _event(facility: str, stream_id: bytes, flat: list[bytes]) -> Event:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    ticket = ticket_of(fields[b"i"], fields[b"t"])
    cursor = stream_id.decode()
    return Event(
        id=f"{facility}-{cursor}",
        cursor=cursor,
        facility_key=facility,
        kind=EventKind(int(fields.get(b"k", EventKind.CREATED))),
        at_ms=int(fields.get(b"a", ticket.arrived_ms)),
        by=fields.get(b"b", b"").decode(errors="replace"),
        ticket=ticket,
    )


class EventLog:
    """Reads the log. It keeps nothing: any number of consumers may read at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, hip: str, after: str = OLDEST, limit: int = 100) -> Page:
        """At most ``limit`` events of one facility after a cursor, oldest first.

        A page may have fewer events, or none, though more follow: a call looks at 2,000 events of the partition. Go on
        until the cursor stays the same.
        """
        most = max(1, min(limit, READ_AT_MOST))
        reply = await library.call(self._store, "event_log", facility_root(hip), after, most)
        await self._store.durable(facility_root(hip))
        cursor, entries = reply
        key = facility_key(hip)
        return Page(events=[_event(key, entry[0], entry[1:]) for entry in entries], cursor=cursor.decode())

    async def newest(self, hip: str) -> str:
        """The cursor behind the newest event of the facility's partition: where a new consumer begins that wants no
        past events.
        """
        key = events_key(facility_root(hip).partition(":")[0])
        entries: Any = await self._store.call(key, "XREVRANGE", key, "+", "-", "COUNT", 1)
        return entries[0][0].decode() if entries else OLDEST

    async def follow(self, cursors: Mapping[str, str] | None = None) -> AsyncGenerator[tuple[str, list[Event]], None]:
        """Events of all facilities as they happen: partition, and its events in order.

        ``cursors`` holds partition -> cursor; a partition that is missing begins with the oldest event. Store the
        cursor of the last event of a batch after its work is done. Goes on by itself when the store was away.
        """
        reader = StreamReader(self._store)
        last = {events_key(name): (cursors or {}).get(name, OLDEST) for name in ALL_PARTITIONS}
        while True:
            try:
                found = await reader.read(("XREAD", "COUNT", READ_AT_MOST), last, _WAIT_MS)
                await asyncio.gather(*(self._store.durable(key) for key in found))
            except QueueingError:
                await asyncio.sleep(_TRY_AGAIN_S)
                continue
            for key, entries in found.items():
                last[key] = entries[-1][0].decode()
                yield key.removesuffix(":events"), [_event_of_any(entry) for entry in entries if entry[1]]


def _event_of_any(entry: Raw) -> Event:
    stream_id, flat = entry
    return _event(flat[1].decode(), stream_id, flat[2:])
