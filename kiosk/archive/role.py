"""The archive role: follows the event log and writes what happened into the archive's database.

It never holds up a scan. When the database is away, it waits and goes on where it stood; the event log keeps three
days. What was dropped from the log meanwhile is read from the tickets of the stored days.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from kiosk.archive import audit_chain, expiry, incentive, public_events, usual_paces, writer
from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable, Database
from kiosk.archive.directory import Directory
from kiosk.archive.lease import give_lease_back, take_lease
from kiosk.archive.person_digests import Envelopes, MonthKeys, Origin
from kiosk.archive.status import ArchiveFacts, publish
from kiosk.archive.writer import Batch, Overtaken
from queueing.archive_feed import oldest_unread_ms, partitions_with_gaps, stored_tickets
from queueing.back_off import BackOff
from queueing.desk import OpdDesk
from queueing.errors import QueueingError
from queueing.event_log import OLDEST, READ_AT_MOST, Event, EventKind, EventLog
from queueing.models import Ticket, UnixMs
from queueing.redis_keys import facility_root, partition_of
from queueing.store.store import Store
from queueing.usual_paces import write_usual_days

PAUSE_S: Final = 1.0
"""Between two reads of the log. Events of a second are written together, which costs the store and the disk less."""
REST: Final = 39.0
"""After each batch the role rests this many times the processor time that it used: it takes a fortieth of a processor.
Low priority alone is not enough: two virtual cores are often one real core, and a scan gets slower while the other one
works. It then archives about 65 tickets a second, several times what a state's busiest hour brings.
"""
REST_WHEN_LATE: Final = 4.0
"""While the oldest event that is not archived is older than ``LATE_MS``: after an outage of the database."""
LATE_MS: Final = 600_000
TEND_EVERY_S: Final = 5.0
"""Facts must be true within fifteen seconds; a lease lasts as long."""
STANDBY_S: Final = 2.0
UPKEEP_EVERY_S: Final = 300.0
"""Names of facilities change seldom. An unknown facility is looked up at once."""
EXPIRE_EVERY_S: Final = 3_600.0
EXPIRE_PAUSE_S: Final = 0.2
COUNT_EVERY_S: Final = 300.0
"""Looking for changed months of a state takes a fifth of a second. The page says that these counts are late."""
LEARN_EVERY_S: Final = 300.0
"""Between two looks for facilities whose day has changed. Each is learned once a day, and when the role begins."""
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.5, 15.0
ENVELOPES_AT_ONCE: Final = 100
"""Sealed envelopes of one reply: some 100 kB."""
_NEW: Final = (EventKind.CREATED, EventKind.ACKNOWLEDGEMENT_PARKED)
"""Kinds of events whose ticket may have no row yet; the second after a gap (``_as_event``)."""
SAY_AGAIN_S: Final = 600.0
"""One log line about the same trouble in ten minutes."""

_log = structlog.get_logger(__name__)


class Stopped(Exception):
    """Another role has the lease, or wrote the events first: begin again."""


class Parts(Struct, frozen=True, kw_only=True):
    """What the role works with."""

    store: Store
    database: Database
    desk: OpdDesk
    directory: Directory
    envelopes: Envelopes
    month_keys: MonthKeys
    name: str
    """Of this process, as the lease knows it."""
    has_ended: Callable[[str], bool]
    """Whether a process of this name is surely gone."""
    keep_days: int
    audit_days: int
    audit_keys: Callable[[], audit_chain.Keys | None]
    """None: the key ring cannot be read now."""
    zone: ZoneInfo


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def rest_after(complete_ms: UnixMs, now_ms: UnixMs) -> float:
    """How many times its processor time a batch is followed by rest. ``complete_ms`` is 0 while it is not known."""
    return REST_WHEN_LATE if 0 < complete_ms < now_ms - LATE_MS else REST


class ArchiveRole:
    """``run`` ends when it is cancelled."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._cursors: dict[str, str] | None = None
        self._trouble = ""
        self._reason = ""
        self._complete_ms = 0
        self._warned: dict[str, float] = {}

    async def run(self) -> None:
        """Archive without end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            group.create_task(self._expire())
            group.create_task(self._count_incentives())
            group.create_task(self._learn())
            await self._work()

    async def _work(self) -> None:
        back_off = BackOff(FIRST_BACK_OFF_S, LAST_BACK_OFF_S, steady_s=LAST_BACK_OFF_S)
        while True:
            since = time.monotonic()
            try:
                await self._parts.database.prepare_in_thread()
                await self._hold_lease()
            except Stopped:
                await asyncio.sleep(STANDBY_S)
                continue
            except ArchiveAway as away:
                self._warn("away", str(away))
            except ArchiveUnsuitable as unsuitable:
                self._warn("unsuitable", str(unsuitable))
            except QueueingError as away:
                self._warn("store", f"the store does not answer ({type(away).__name__})")
            await asyncio.sleep(back_off.pause_s(time.monotonic() - since))

    def _warn(self, trouble: str, reason: str) -> None:
        self._trouble, self._reason = trouble, reason.replace("the archive's database", "its database", 1)
        if time.monotonic() - self._warned.get(trouble, -SAY_AGAIN_S) >= SAY_AGAIN_S:
            self._warned[trouble] = time.monotonic()
            _log.warning("archive_waits", reason=reason)

    async def _hold_lease(self) -> None:
        """Work while this role has the lease. Raises Stopped when it does not."""
        await self._take_lease()
        renewing = asyncio.create_task(self._renew_lease())
        working = asyncio.create_task(self._follow())
        try:
            done, _ = await asyncio.wait({renewing, working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (renewing, working):
                task.cancel()
            await asyncio.gather(renewing, working, return_exceptions=True)
            with contextlib.suppress(ArchiveAway):
                await self._parts.database.change(give_lease_back, self._parts.name)

    async def _take_lease(self) -> None:
        if not await self._parts.database.change(take_lease, self._parts.name, _now_ms(), self._parts.has_ended):
            self._trouble, self._cursors = "", None
            raise Stopped

    async def _renew_lease(self) -> None:
        while True:
            await asyncio.sleep(TEND_EVERY_S)
            await self._take_lease()

    async def _follow(self) -> None:
        await self._upkeep()
        self._cursors = await self._parts.database.ask(writer.read_cursors)
        await self._fill_gaps(self._cursors)
        if self._trouble:
            _log.info("archive_goes_on")
        self._trouble, self._warned, upkept = "", {}, time.monotonic()
        async for partition, events in self._paced(self._cursors):
            if time.monotonic() - upkept > UPKEEP_EVERY_S:
                await self._upkeep()
                upkept = time.monotonic()
            await self._archive(partition, self._cursors.get(partition, OLDEST), events)
            self._cursors[partition] = events[-1].cursor

    async def _paced(self, cursors: Mapping[str, str]) -> AsyncIterator[tuple[str, list[Event]]]:
        """The log's batches. The role rests after each; a pause comes before the next read, unless a batch was full."""
        seen: set[str] = set()
        full = False
        async with contextlib.aclosing(EventLog(self._parts.store).follow(cursors)) as batches:
            async for partition, events in batches:
                if partition in seen:
                    if not full:
                        await asyncio.sleep(PAUSE_S)
                    seen, full = set(), False
                seen.add(partition)
                full = full or len(events) >= READ_AT_MOST
                if events:
                    used_s = time.process_time()
                    yield partition, events
                    await asyncio.sleep(rest_after(self._complete_ms, _now_ms()) * (time.process_time() - used_s))

    async def _archive(self, partition: str, before: str, events: list[Event], after: str | None = None) -> None:
        parts = self._parts
        unknown = {event.facility_key for event in events} - parts.directory.places.keys()
        if unknown:
            has_place = any(event.ticket is not None and event.facility_key in unknown for event in events)
            await self._read_directory(None if has_place else unknown)
        batch = Batch(
            partition=partition,
            before=before,
            after=after or events[-1].cursor,
            events=events,
            places=parts.directory.places,
            origins=await self._origins(events),
            zone=parts.zone,
        )
        try:
            await self._parts.database.change(writer.write, batch, parts.month_keys, _now_ms())
        except Overtaken:
            raise Stopped from None

    async def _origins(self, events: list[Event]) -> dict[tuple[str, str], Origin]:
        """What the envelopes of new places say. The envelopes stay sealed in the store."""
        wanted: dict[str, dict[str, Ticket]] = {}
        for event in events:
            if event.kind in _NEW and event.ticket is not None:
                wanted.setdefault(event.facility_key, {})[event.ticket.id] = event.ticket
        found: dict[tuple[str, str], Origin] = {}
        for key, tickets in wanted.items():
            if (place := self._parts.directory.places.get(key)) is None:
                continue
            for ticket_id, sealed in (await self._envelopes(place.hip_id, list(tickets))).items():
                found[key, ticket_id] = self._parts.envelopes.origin(key, tickets[ticket_id].request, sealed)
        return found

    async def _envelopes(self, hip_id: str, tickets: list[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for first in range(0, len(tickets), ENVELOPES_AT_ONCE):
            found |= await self._parts.desk.envelopes(hip_id, tickets[first : first + ENVELOPES_AT_ONCE])
        return found

    async def _fill_gaps(self, cursors: dict[str, str]) -> None:
        """Archive the stored tickets of partitions whose events were dropped before they were read."""
        gaps = set(await partitions_with_gaps(self._parts.store, cursors))
        filled = 0
        for key, place in list(self._parts.directory.places.items()):
            partition = partition_of(facility_root(place.hip_id))
            if partition not in gaps:
                continue
            cursor = cursors.get(partition, OLDEST)
            async for tickets in stored_tickets(self._parts.store, place.hip_id):
                await self._archive(partition, cursor, [_as_event(key, cursor, one) for one in tickets], cursor)
                filled += len(tickets)
        if filled:
            _log.info("archive_read_stored_days", count=filled)

    async def _upkeep(self) -> None:
        await self._read_directory()
        today = datetime.now(self._parts.zone).date()
        await self._parts.database.change(self._parts.month_keys.refresh, today)
        if (keys := self._parts.audit_keys()) is not None:
            await self._parts.database.change(audit_chain.seal_days, datetime.now(UTC).date(), keys)
        if self._parts.month_keys.closed:
            self._warn("keys", "keyring.json is not the one of this archive: people are counted as unknown")

    async def _read_directory(self, unknown: set[str] | None = None) -> None:
        changed = await self._parts.directory.refresh(unknown)
        if changed:
            await self._parts.database.change(self._parts.directory.save, changed)

    async def _tell(self) -> None:
        """Say how far the archive is, every few seconds."""
        while True:
            with contextlib.suppress(QueueingError):
                if self._cursors is not None:
                    unread_ms = await oldest_unread_ms(self._parts.store, self._cursors)
                    self._complete_ms = unread_ms or _now_ms()
                reason = self._reason if self._trouble else ""
                facts = ArchiveFacts(_now_ms(), self._complete_ms, self._trouble, reason)
                if self._cursors is not None or self._trouble:
                    await publish(self._parts.store, self._parts.name, facts)
            await asyncio.sleep(TEND_EVERY_S)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY_S)
            if self._cursors is None or self._trouble:
                continue
            before = datetime.now(UTC).date() - timedelta(days=self._parts.keep_days)
            keep_from = datetime.now(UTC).date() - timedelta(days=self._parts.audit_days)
            with contextlib.suppress(ArchiveAway):
                await self._expire_before(before)
                await self._expire_events(_now_ms() - public_events.KEEP_MS)
                await self._parts.database.change(audit_chain.expire, keep_from)

    async def _expire_before(self, before: date) -> None:
        deleted = -1
        while deleted:
            deleted = await self._parts.database.change(expiry.delete_some, before)
            await asyncio.sleep(EXPIRE_PAUSE_S)

    async def _expire_events(self, before_ms: int) -> None:
        behind: str | None = ""
        while behind is not None:
            behind = await self._parts.database.change(expiry.delete_some_events, before_ms, behind)
            await asyncio.sleep(EXPIRE_PAUSE_S)

    async def _count_incentives(self) -> None:
        """Count again what the incentive pays for, of facilities whose month has changed."""
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            if self._cursors is None or self._trouble:
                continue
            today = datetime.now(self._parts.zone).date()
            oldest = today - timedelta(days=self._parts.keep_days)
            with contextlib.suppress(ArchiveAway):
                while rows := await self._parts.database.ask(incentive.changed_counts, today, _now_ms(), oldest):
                    await self._parts.database.change(incentive.save_counts, rows)
                    await asyncio.sleep(EXPIRE_PAUSE_S)

    async def _learn(self) -> None:
        """Tell the store how fast queues usually move, each facility once a day, with a rest after each."""
        learned: dict[str, date] = {}
        while True:
            await asyncio.sleep(LEARN_EVERY_S)
            zones = {place.hip_id: place.zone for place in self._parts.directory.places.values() if place.hip_id}
            due = ((hip, zone, datetime.now(zone).date()) for hip, zone in zones.items())
            for hip_id, zone, today in ((hip, zone, day) for hip, zone, day in due if learned.get(hip) != day):
                if self._cursors is None or self._trouble:
                    break
                used_s = time.process_time()
                with contextlib.suppress(ArchiveAway, QueueingError):
                    usual = await self._parts.database.ask(usual_paces.learned, hip_id, today, zone)
                    await write_usual_days(self._parts.store, hip_id, usual)
                    learned[hip_id] = today
                await asyncio.sleep(REST * (time.process_time() - used_s))


def _as_event(facility_key: str, cursor: str, ticket: Ticket) -> Event:
    """A stored ticket as if its event had been read."""
    kind = EventKind.ACKNOWLEDGEMENT_PARKED if ticket.reply_parked else EventKind.CREATED
    return Event(
        id=f"{facility_key}-{ticket.id}",
        cursor=cursor,
        facility_key=facility_key,
        kind=kind,
        at_ms=ticket.arrived_ms,
        by="",
        ticket=ticket,
        request=ticket.request,
    )
