"""Events after a cursor: from the store while it has all of them, before that from the archive.

Somebody who waits hangs on the hints of changes. Events without a hint (a reply was delivered, a share refused) are
found by a look now and then.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kiosk.api.errors import CursorGone, TooManyWaits
from kiosk.api.guards import Caller
from kiosk.api.shown import ShownTickets
from kiosk.archive.database import Database
from kiosk.archive.public_events import KEEP_MS, events_after
from kiosk.exchange.event_json import EventJson, event_json
from queueing.changes import Changes, Version
from queueing.event_log import OLDEST, PUBLIC_KINDS, Event, EventLog, cursor_numbers
from queueing.redis_keys import facility_key, facility_root, partition_of

LATEST: Final = "latest"
"""In place of a cursor: none of the past."""
SOON_S: Final = 2.0
"""After a change: by then the gateway has the reply to a new share, and that is an event without a hint."""
SELDOM_S: Final = 15.0
"""A facility without changes is looked at this often, for the sake of lost hints."""
DAY_MS: Final = 86_400_000
WAITS_PER_KEY: Final = 64
"""Waiting polls and streams of a key in one worker: a program and its stand-ins need a few."""
WAITS_PER_STATE_KEY: Final = 4_000
"""Of a key for all facilities: one for each facility of a state."""
BEGIN_LATE_MS: Final = 60_000
"""A caller has so long to begin where a 410 said."""
READS_IN_A_ROW: Final = 20
"""A read looks at 2,000 events of a partition that many facilities share; so many reads pass over a day of them."""


class Events:
    """Reads events for programs; one for each worker."""

    def __init__(
        self,
        log: EventLog,
        archive: Database,
        changes: Changes,
        shown_tickets: ShownTickets,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._archive, self._changes, self._clock_s = log, archive, changes, clock_s
        self._shown_tickets = shown_tickets
        self._waiting: Counter[str] = Counter()

    @property
    def is_closing(self) -> bool:
        """Whether this process ends, so that nobody may wait any more."""
        return self._changes.closed

    async def begin(self, caller: Caller, after: str | None) -> str:
        """The cursor to read after, of what a caller sent."""
        if after == LATEST:
            return await self._log.newest(caller.hip)
        return _oldest() if after in {None, OLDEST} else str(after)

    async def read(self, caller: Caller, after: str, limit: int) -> tuple[list[EventJson], str]:
        """Public events after a cursor, oldest first, and where to go on.

        Raises CursorGone for a cursor whose next events are dropped everywhere, ArchiveError, QueueingError.
        """
        if not await self._log.has_all_after(partition_of(facility_root(caller.hip)), after):
            if cursor_numbers(after) < cursor_numbers(_oldest(BEGIN_LATE_MS)):
                begin = _oldest()
                raise CursorGone(f"Events are kept for {KEEP_MS // DAY_MS} days: begin after {begin}.", begin=begin)
            found = await self._archive.ask(events_after, caller.hip, after, limit)
            if found:
                return await self._shown(caller, found), found[-1].cursor
        return await self._read_store(caller, after, limit)

    async def _read_store(self, caller: Caller, after: str, limit: int) -> tuple[list[EventJson], str]:
        for _ in range(READS_IN_A_ROW):
            page = await self._log.read(caller.hip, after, limit)
            shown = await self._shown(caller, [event for event in page.events if event.kind in PUBLIC_KINDS])
            if shown or page.cursor == after:
                return shown, page.cursor
            after = page.cursor
        return [], after

    async def _shown(self, caller: Caller, events: Sequence[Event]) -> list[EventJson]:
        """With the hospital's own numbers of each ticket by now, and the tickets of delivered replies."""
        events = await self._log.with_tickets(caller.hip, events)
        links = await self._shown_tickets.links(caller, [event.ticket for event in events if event.ticket])
        return [
            event_json(event, caller.hip, caller.zone, links=links.get(event.ticket.id) if event.ticket else None)
            for event in events
        ]

    async def wait(self, caller: Caller, after: str, limit: int, wait_s: float) -> tuple[list[EventJson], str]:
        """The same, when there are some or the time is over."""
        ends_s, pause_s = self._clock_s() + wait_s, SOON_S
        version = self.version(caller)
        found, after = await self.read(caller, after, limit)
        while not found and (left_s := ends_s - self._clock_s()) > 0 and not self.is_closing:
            changed = await self.change(caller, version, min(left_s, pause_s))
            pause_s, version = SOON_S if changed else SELDOM_S, self.version(caller)
            found, after = await self._read_store(caller, after, limit)  # the log drops nothing within a wait
        return found, after

    def version(self, caller: Caller) -> Version:
        """Another one after each hint of a change at the caller's facility."""
        return self._changes.version(facility_key(caller.hip))

    async def change(self, caller: Caller, seen: Version, timeout_s: float) -> bool:
        """Wait for another version; False when the time is over. It asks the store nothing."""
        return await self._changes.wait(facility_key(caller.hip), seen, timeout_s)

    @contextmanager
    def counted(self, caller: Caller) -> Iterator[None]:
        """Hold one waiting poll or stream of this key. Raises TooManyWaits."""
        most = WAITS_PER_STATE_KEY if caller.key.is_for_all else WAITS_PER_KEY
        if self._waiting[caller.key.id] >= most:
            raise TooManyWaits(f"This key has {most} waiting requests already.")
        self._waiting[caller.key.id] += 1
        try:
            yield
        finally:
            self._waiting[caller.key.id] -= 1
            if not self._waiting[caller.key.id]:
                del self._waiting[caller.key.id]


def _oldest(ms_ago: int = 0) -> str:
    """The cursor before the oldest event that is kept anywhere, now or some time ago."""
    return f"{time.time_ns() // 1_000_000 - KEEP_MS - ms_ago}-0"
