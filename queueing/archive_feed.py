"""What the archive reads of the store beside the event log: where it stands in the log, and the tickets of whole days.

Nothing here writes but ``write_archive_facts``.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from queueing.connection_facts import KEEP_S
from queueing.event_log import OLDEST
from queueing.models import Ticket, UnixMs
from queueing.packed_ticket import ticket_of
from queueing.redis_keys import ARCHIVE_KEY, EVENT_PARTITIONS, events_key, facility_root
from queueing.store.store import Store

DAYS_BACK: Final = 5
"""A day's hash is kept three days after the next day began; one of a facility that rests stays longer."""
AT_ONCE: Final = 500
"""Fields of one HSCAN: under a millisecond of the store."""


async def partitions_with_gaps(store: Store, cursors: Mapping[str, str]) -> list[str]:
    """Partitions of which events may have been dropped after these cursors; also those never read.

    The entry at a cursor is there unless entries were dropped from the old end up to it, and perhaps further.
    """
    there = await asyncio.gather(*(_has(store, name, cursors.get(name, OLDEST)) for name in EVENT_PARTITIONS))
    return [name for name, has in zip(EVENT_PARTITIONS, there, strict=True) if not has]


async def _has(store: Store, partition: str, cursor: str) -> bool:
    key = events_key(partition)
    return bool(cursor != OLDEST and await store.call(key, "XRANGE", key, cursor, cursor, "COUNT", 1))


async def oldest_unread_ms(store: Store, cursors: Mapping[str, str]) -> UnixMs:
    """When the oldest event after these cursors was written; 0 when all were read."""

    async def first_after(partition: str) -> UnixMs:
        key = events_key(partition)
        found: Any = await store.call(key, "XRANGE", key, f"({cursors.get(partition, OLDEST)}", "+", "COUNT", 1)
        return int(found[0][0].partition(b"-")[0]) if found else 0

    return min((ms for ms in await asyncio.gather(*map(first_after, EVENT_PARTITIONS)) if ms), default=0)


async def stored_tickets(store: Store, hip: str) -> AsyncIterator[list[Ticket]]:
    """The tickets of all days that are still stored, oldest day first, some hundred at a time."""
    root = facility_root(hip)
    record: Any = await store.call(root, "HGET", f"{root}:f", "day")
    today = int(record or 0)
    for day in range(today - DAYS_BACK, today + 1):
        key, cursor = f"{root}:{day}", b"0"
        while True:
            reply: Any = await store.call(key, "HSCAN", key, cursor, "MATCH", "t*", "COUNT", AT_ONCE)
            cursor, flat = reply
            found = [ticket_of(name[1:], packed) for name, packed in zip(flat[::2], flat[1::2], strict=True)]
            if found:
                yield sorted(found, key=lambda ticket: ticket.arrived_ms)
            if cursor == b"0":
                break


async def write_archive_facts(store: Store, process: str, packed: bytes) -> None:
    """Replace what this process said before about the archive."""
    await store.call(ARCHIVE_KEY, "HSET", ARCHIVE_KEY, process, packed)
    await store.call(ARCHIVE_KEY, "EXPIRE", ARCHIVE_KEY, KEEP_S)


async def read_archive_facts(store: Store) -> dict[str, bytes]:
    """What each process said last, by process."""
    flat: Any = await store.call(ARCHIVE_KEY, "HGETALL", ARCHIVE_KEY)
    return {process.decode(): packed for process, packed in zip(flat[::2], flat[1::2], strict=True)}


async def drop_archive_facts(store: Store, processes: list[str]) -> None:
    """Forget processes that ended."""
    if processes:
        await store.call(ARCHIVE_KEY, "HDEL", ARCHIVE_KEY, *processes)
