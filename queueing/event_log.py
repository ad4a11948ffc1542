"""The durable log of ticket events, for every consumer but the screens.

Each state change of a ticket is written to the log in the same step. Promised:

- Events of one facility have one order, and cursors only rise.
- An event is kept for at least three days, or until its partition (a 48th of all facilities) has 100,000 newer.
- A consumer keeps its own cursor and reads after it: ``read`` for one facility, ``follow`` for all. After a failure it
  reads again from the cursor it stored, so it gets every event at least once.
- An event is durable before it is handed over, as the store promises (``Store.promise``).
- Events hold numbers, counters and logins of staff. They hold no patient data.
- Shares that are refused because too many come have no event of their own: a flood of them must not push others out of
  the log. Their replies have one when they are delivered.

Events that one step wrote together have one cursor; ``read`` and ``follow`` never part them.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

import msgspec
from msgspec import structs

from queueing import library
from queueing.errors import QueueingError
from queueing.models import Outcome, Refusal, ReplyKind, Ticket, UnixMs
from queueing.packed_ticket import ticket_of
from queueing.pending_reply import PendingReply
from queueing.redis_keys import EVENT_PARTITIONS, events_key, facility_key, facility_root, partition_of
from queueing.store.store import Store
from queueing.streams import PartitionPollers, Raw, StreamReader, streams_of

OLDEST: Final = "0"
"""Cursor before the oldest event that is kept."""
READ_AT_MOST: Final = 500
"""Events of one read: some 100 kB."""
NUMBER_MAX: Final = 2**63 - 1
"""Of a number in a cursor, as a database's column takes it. The store's go twice as far, but no clock does."""
_CURSOR: Final = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")
_READ: Final = ("XREAD", "COUNT", READ_AT_MOST)
_WAIT_MS: Final = 5_000
_TRY_AGAIN_S: Final = 0.5
_GATHER_S: Final = 0.025
"""After a read: on a busy service the next one finds many events. Without it a thousand webhooks took some 7 % of the
scans at full speed."""


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
    SHARE_REPEATED = 16
    """A person who has a place shared again."""
    SHARE_REFUSED = 17
    SHARE_REDELIVERED = 18
    """The gateway delivered a request again. Only the first time of each request is an event."""
    ACKNOWLEDGEMENT_DELIVERED = 19
    ACT = 20
    """What staff did or read beside the moves of tickets (``queueing.audit``)."""

    @property
    def type(self) -> str:
        """The type as other programs know it."""
        name = self.name.lower()
        return name.replace("_", ".") if name.startswith(("acknowledgement", "share")) else f"ticket.{name}"


PUBLIC_KINDS: Final = frozenset(EventKind) - {EventKind.LANE_CHANGED, EventKind.SHARE_REDELIVERED, EventKind.ACT}
"""Kinds that other programs may get; the others are for the audit and the archive."""


class RecordedAct(msgspec.Struct, frozen=True):
    """An act of staff, as ``queueing.audit.AuditEntry`` has it."""

    kind: str
    address: str
    ticket: str
    """Ticket id, or empty."""
    why: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One state change of one ticket, a share that gave no new one, or what became of a reply."""

    id: str
    """The same in every delivery: facility key and cursor, and a number when one step wrote several."""
    cursor: str
    """Read after it to go on behind this event. Within a facility it only rises."""
    facility_key: str
    kind: EventKind
    at_ms: UnixMs
    by: str
    """Login of who did it; empty when the patient or the end of the day did."""
    ticket: Ticket | None = None
    """The ticket after the event; of a refused share the place that the person has in that queue. None without one, and
    for ACKNOWLEDGEMENT_DELIVERED: ``EventLog.with_tickets`` finds that one."""
    request: str = ""
    """Digest of the request, 24 hex characters (``redis_keys.request_digest``): of SHARE_… the share that came, of
    ACKNOWLEDGEMENT_DELIVERED the share that was answered, else that of the ticket.
    """
    outcome: Outcome | None = None
    """What the share was answered with; of SHARE_… and ACKNOWLEDGEMENT_DELIVERED."""
    refusal: Refusal | None = None
    by_hours: bool = False
    """Of a share that a closed queue refused: whether its opening hours or a holiday alone had closed it."""
    act: RecordedAct | None = None
    """Of ACT alone."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Events after a cursor."""

    events: list[Event]
    cursor: str
    """Where to go on, also when there were no events."""


_DELIVERED: Final = b"d"
"""First byte of a delivered reply in the short form; that of an arrival is a digit."""


def delivered_event(pending: PendingReply) -> tuple[str, str] | tuple[()]:
    """Field and value of the event log for a reply that was delivered; nothing for a reply about no share."""
    if pending.kind is not ReplyKind.ON_SHARE:
        return ()
    return pending.facility_key, f"d{pending.outcome:d} {pending.refusal or 0:d} {pending.request}"


def cursor_numbers(cursor: str) -> tuple[int, int]:
    """The two numbers of a cursor, which compare as the log's order; the second is 0 where it is left out.

    Raises ValueError for what is no cursor.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("not a cursor of the event log")
    return min(int(found[1]), NUMBER_MAX), min(int(found[2] or 0), NUMBER_MAX)


def _events_of(entry: Raw) -> list[Event]:
    """The events of one entry, in either form (functions/shared/events.lua)."""
    stream_id, flat = entry
    cursor = stream_id.decode()
    if flat[0] == b"f":
        return [_full(cursor, dict(zip(flat[::2], flat[1::2], strict=True)))]
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return [_short(cursor, number, facility.decode(), value) for number, (facility, value) in enumerate(pairs)]


def _full(cursor: str, fields: dict[bytes, bytes]) -> Event:
    facility = fields[b"f"].decode()
    ticket = ticket_of(fields[b"i"], fields[b"t"]) if fields[b"t"] else None
    request = fields.get(b"q", b"").decode() or (ticket.request if ticket else "")
    return Event(
        id=f"{facility}-{cursor}",
        cursor=cursor,
        facility_key=facility,
        kind=EventKind(int(fields.get(b"k", EventKind.CREATED))),
        at_ms=int(fields.get(b"a", ticket.arrived_ms if ticket else 0)),
        by=fields.get(b"b", b"").decode(errors="replace"),
        ticket=ticket,
        request=request,
        outcome=Outcome(int(fields[b"o"])) if b"o" in fields else None,
        refusal=_refusal(int(fields.get(b"r", 0))),
        by_hours=b"h" in fields,
        act=_act(fields),
    )


def _act(fields: dict[bytes, bytes]) -> RecordedAct | None:
    if b"x" not in fields:
        return None
    return RecordedAct(*(fields[name].decode("utf-8", "replace") for name in (b"x", b"d", b"i", b"w")))


def _short(cursor: str, number: int, facility: str, value: bytes) -> Event:
    event_id = f"{facility}-{cursor}.{number}" if number else f"{facility}-{cursor}"
    if value[:1] == _DELIVERED:
        outcome, refusal, request = value[1:].split(b" ", 2)
        return Event(
            id=event_id,
            cursor=cursor,
            facility_key=facility,
            kind=EventKind.ACKNOWLEDGEMENT_DELIVERED,
            at_ms=int(cursor.partition("-")[0]),
            by="",
            request=request.decode(),
            outcome=Outcome(int(outcome)),
            refusal=_refusal(int(refusal)),
        )
    ticket_id, _, packed = value.partition(b" ")
    ticket = ticket_of(ticket_id, packed)
    return Event(
        id=event_id,
        cursor=cursor,
        facility_key=facility,
        kind=EventKind.CREATED,
        at_ms=ticket.arrived_ms,
        by="",
        ticket=ticket,
        request=ticket.request,
    )


def _lacks_ticket(event: Event) -> bool:
    return event.kind is EventKind.ACKNOWLEDGEMENT_DELIVERED and event.ticket is None


def _refusal(number: int) -> Refusal | None:
    return Refusal(number) if number else None


class EventLog:
    """Reads the log. It keeps nothing: any number of consumers may read at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, hip: str, after: str = OLDEST, limit: int = 100) -> Page:
        """At most ``limit`` events of one facility after a cursor, oldest first; some more where the last step wrote
        several.

        A page may have fewer events, or none, though more follow: a call looks at 2,000 events of the partition. Go on
        until the cursor stays the same.
        """
        most = max(1, min(limit, READ_AT_MOST))
        reply = await library.call(self._store, "event_log", facility_root(hip), after, most)
        await self._store.durable(facility_root(hip))
        cursor, entries = reply
        key = facility_key(hip)
        events = [event for entry in entries for event in _events_of([entry[0], entry[1:]])]
        return Page(events=[event for event in events if event.facility_key == key], cursor=cursor.decode())

    async def with_tickets(self, hip: str, events: Sequence[Event]) -> list[Event]:
        """The same events of one facility; those of a delivered reply with the ticket that the share was answered with,
        as it is now.

        The log does not hold it: the relay writes thousands of these events a second, and few are read.
        """
        requests = [event.request for event in events if _lacks_ticket(event)]
        if not requests:
            return list(events)
        reply = await library.call(self._store, "tickets_of_requests", facility_root(hip), *requests)
        found = {request: ticket_of(*ticket) for request, ticket in zip(requests, reply, strict=True) if ticket}
        return [
            structs.replace(event, ticket=found.get(event.request)) if _lacks_ticket(event) else event
            for event in events
        ]

    async def newest(self, hip: str) -> str:
        """The cursor behind the newest event of the facility's partition: where a new consumer begins that wants no
        past events.
        """
        return await self.newest_of(partition_of(facility_root(hip)))

    async def newest_of(self, partition: str) -> str:
        """The cursor behind the newest event of a partition."""
        key = events_key(partition)
        entries: Any = await self._store.call(key, "XREVRANGE", key, "+", "-", "COUNT", 1)
        return entries[0][0].decode() if entries else OLDEST

    async def has_all_after(self, partition: str, cursor: str) -> bool:
        """Whether the log still has every event of a partition after a cursor: the oldest that is left is not newer
        than the cursor, or none was ever dropped.
        """
        key = events_key(partition)
        oldest: Any = await self._store.call(key, "XRANGE", key, "-", "+", "COUNT", 1)
        if oldest and cursor_numbers(oldest[0][0].decode()) <= cursor_numbers(cursor):
            return True
        if not await self._store.call(key, "EXISTS", key):
            return True
        flat: Any = await self._store.call(key, "XINFO", "STREAM", key)
        facts = dict(zip(flat[::2], flat[1::2], strict=True))
        return bool(facts[b"entries-added"] == facts[b"length"])

    async def read_partition(self, partition: str, after: str) -> list[Event]:
        """At most 500 steps of all facilities of a partition after a cursor, oldest first."""
        return await self._range(partition, f"({after}", "+", READ_AT_MOST)

    async def at(self, partition: str, cursor: str) -> list[Event]:
        """The events of one step; none when they are not kept any more."""
        return await self._range(partition, cursor, cursor, 1)

    async def _range(self, partition: str, first: str, last: str, most: int) -> list[Event]:
        key = events_key(partition)
        entries: Any = await self._store.call(key, "XRANGE", key, first, last, "COUNT", most)
        await self._store.durable(key)
        return [event for entry in entries for event in _events_of(entry)]

    async def follow(self, cursors: Mapping[str, str] | None = None) -> AsyncGenerator[tuple[str, list[Event]], None]:
        """Events of all facilities as they happen: partition, and its events in order.

        ``cursors`` holds partition -> cursor; a partition that is missing begins with the oldest event. Store the
        cursor of the last event of a batch after its work is done. Goes on by itself when the store was away; on a
        cluster the shards that are there go on.
        """
        last = {name: (cursors or {}).get(name, OLDEST) for name in EVENT_PARTITIONS}
        batches = self._of_cluster(last) if self._store.is_cluster else self._of_server(last)
        async for partition, entries in batches:
            yield partition, [event for entry in entries if entry[1] for event in _events_of(entry)]

    async def _of_server(self, last: dict[str, str]) -> AsyncGenerator[tuple[str, list[Raw]], None]:
        reader = StreamReader(self._store)
        while True:
            keys = {events_key(name): cursor for name, cursor in last.items()}
            try:
                found = await reader.read(_READ, keys, _WAIT_MS)
            except QueueingError:
                await asyncio.sleep(_TRY_AGAIN_S)
                continue
            for key, entries in found.items():
                name = key.removesuffix(":events")
                last[name] = entries[-1][0].decode()
                yield name, entries
            await asyncio.sleep(_GATHER_S)

    async def _of_cluster(self, last: dict[str, str]) -> AsyncGenerator[tuple[str, list[Raw]], None]:
        async def read_one(name: str) -> list[Raw]:
            key = events_key(name)
            reply: Any = await self._store.call(key, *_READ, "STREAMS", key, last[name])
            entries: list[Raw] = streams_of(reply).get(key, [])
            if entries:
                await self._store.durable(key)
                last[name] = entries[-1][0].decode()
            return entries

        pollers = PartitionPollers(EVENT_PARTITIONS, read_one)
        try:
            while True:
                for batch in (await pollers.wait_for_entries(_WAIT_MS)).items():
                    yield batch
        finally:
            await pollers.close()
