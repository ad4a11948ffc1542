"""The delivery role: one process follows the event log and delivers to every target; others stand by.

One reader of the log serves all targets: it hands each event to the couriers whose facility it is of. A courier that
lags reads by itself. What became of deliveries is written twice a second, for many targets in one call.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from kiosk.delivery.archived import ReadArchive, archived_events
from kiosk.delivery.bodies import Bodies, Facilities, wants
from kiosk.delivery.courier import Courier
from kiosk.delivery.message import Attempt, Message
from kiosk.delivery.phone_alarms import PhoneAlarms
from kiosk.delivery.send_places import SendPlaces
from kiosk.delivery.senders import Senders
from kiosk.delivery.shared_messages import SharedMessages
from kiosk.observability import metrics
from queueing.back_off import BackOff
from queueing.errors import QueueingError
from queueing.event_log import Event, EventLog, cursor_numbers
from queueing.models import UnixMs
from queueing.redis_keys import EVENT_PARTITIONS, facility_key, facility_root, partition_of
from queueing.store.store import Store
from queueing.targets import EVERY_FACILITY, DeliveryFacts, EventRef, NoSuchTarget, Saved, Target, TargetKind, Targets

LEASE_MS: Final = 15_000
RENEW_S: Final = 5.0
STANDBY_S: Final = 2.0
TICK_S: Final = 0.25
"""A retry is that much late at most."""
SAVE_S: Final = 0.5
REFRESH_S: Final = 1.0
"""A new target, a replay or a switch counts after that."""
FACTS_S: Final = 5.0
"""Metrics must be true within fifteen seconds."""
SETTLE_S: Final = 1_800.0
"""Cursors of idle targets move this often: far below the three days that events are kept."""
READS_AT_ONCE: Final = 8
"""Targets that catch up at once: the store answers scans beside them."""
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.5, 15.0

_log = structlog.get_logger(__name__)


class LostLease(Exception):
    """Another role works."""


class RoleParts(Struct, frozen=True, kw_only=True):
    """What the role works with."""

    store: Store
    targets: Targets
    facilities: Facilities
    bodies: Bodies
    senders: Senders
    read_archive: ReadArchive
    name: str
    """Of this process, as the lease knows it."""
    has_ended: Callable[[str], bool]
    alarms: PhoneAlarms | None = None
    """Messages to patients' phones; None where the operator allows no push service."""


class DeliveryRole:
    """``run`` ends when it is cancelled. It is the ``Parts`` of its couriers."""

    def __init__(self, parts: RoleParts) -> None:
        self._parts = parts
        self._log = EventLog(parts.store)
        self._messages = SharedMessages(parts.bodies.message)
        self._couriers: dict[str, Courier] = {}
        self._by_facility: dict[str, list[Courier]] = {}
        self._of_all: list[Courier] = []
        self._positions: dict[str, str] = {}
        self._version = ""
        self._places = SendPlaces()
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._writing = asyncio.Lock()
        """Generations are compared only while none is being written."""

    async def run(self) -> None:
        """Deliver without end, whenever this role has the lease."""
        back_off = BackOff(FIRST_BACK_OFF_S, LAST_BACK_OFF_S, steady_s=LAST_BACK_OFF_S)
        while True:
            since = time.monotonic()
            try:
                if await self._take_lease():
                    await self._hold_lease()
                else:
                    await asyncio.sleep(STANDBY_S)
                    continue
            except QueueingError as away:
                _log.warning("delivery_waits", reason=f"the store does not answer ({type(away).__name__})")
            except LostLease:
                _log.warning("delivery_waits", reason="another role took over")
            await asyncio.sleep(back_off.pause_s(time.monotonic() - since))

    async def _take_lease(self) -> bool:
        return await self._parts.targets.take_lease(self._parts.name, LEASE_MS, self._parts.has_ended)

    async def _hold_lease(self) -> None:
        self._version = ""
        await self._go_to_newest()
        await self._refresh()
        work = (
            self._follow(), self._each(RENEW_S, self._renew), self._each(SAVE_S, self._save),
            self._each(REFRESH_S, self._refresh), self._each(TICK_S, self._tick), self._each(FACTS_S, self._tell),
            self._each(SETTLE_S, self._settle),
        )  # fmt: skip
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop()

    async def _go_to_newest(self) -> None:
        """The log is followed from here. Targets that are behind read up to it by themselves."""
        newest = await asyncio.gather(*map(self._log.newest_of, EVENT_PARTITIONS))
        self._positions = dict(zip(EVENT_PARTITIONS, newest, strict=True))

    async def _stop(self) -> None:
        """Write what is known, so that the next role repeats little."""
        if self._parts.alarms:
            await self._parts.alarms.close()
        await asyncio.gather(*(courier.close() for courier in self._couriers.values()))
        with contextlib.suppress(QueueingError, LostLease):
            await self._save()
            await self._parts.targets.give_lease_back(self._parts.name)
        self._couriers, self._by_facility, self._of_all = {}, {}, []

    async def _each(self, pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            await work()

    async def _renew(self) -> None:
        if not await self._take_lease():
            raise LostLease

    async def _tick(self) -> None:
        for courier in list(self._couriers.values()):
            courier.tick()
        if self._parts.alarms:
            self._parts.alarms.tick()

    async def _settle(self) -> None:
        for courier in self._couriers.values():
            courier.settle()

    async def _tell(self) -> None:
        pending = dict.fromkeys((kind.value for kind in TargetKind), 0)
        for courier in self._couriers.values():
            pending[courier.target.kind.value] += courier.pending
        await self._parts.targets.write_facts(DeliveryFacts(self.now_ms(), pending))

    async def _follow(self) -> None:
        """Without targets and phones nothing is read: each event costs processor time that scans would miss."""
        while True:
            if self._is_listening:
                await self._follow_log()
            await asyncio.sleep(TICK_S)

    @property
    def _is_listening(self) -> bool:
        return bool(self._couriers) or (self._parts.alarms is not None and self._parts.alarms.is_awake)

    async def _follow_log(self) -> None:
        async with contextlib.aclosing(self._log.follow(self._positions)) as batches:
            async for partition, events in batches:
                if not self._is_listening:
                    return
                if events:
                    self._hand_over(partition, events)

    def _hand_over(self, partition: str, events: Sequence[Event]) -> None:
        before, self._positions[partition] = self._positions[partition], events[-1].cursor
        if self._parts.alarms:
            self._parts.alarms.hear(events)
        by_key: dict[str, list[Event]] = {}
        for event in events:
            by_key.setdefault(event.facility_key, []).append(event)
        for key, of_facility in by_key.items():
            for courier in self._by_facility.get(key, ()):
                courier.accept(partition, of_facility, before)
        for courier in self._of_all:
            courier.accept(partition, events, before)

    async def _refresh(self) -> None:
        """Take new, changed and removed targets, and facilities with phones."""
        async with self._writing:
            await self._read_targets()
        if self._parts.alarms and await self._parts.alarms.refresh() and not self._couriers:
            await self._go_to_newest()  # a look at how all tickets stand follows

    async def _read_targets(self) -> None:
        version, rows = await self._parts.targets.read(self._version)
        if version == self._version:
            return
        if rows and not self._is_listening:
            await self._go_to_newest()
        there = {target.id for target, _ in rows}
        for target_id in self._couriers.keys() - there:
            await self._drop(target_id)
        for target, generation in rows:
            courier = self._couriers.get(target.id)
            if courier is None or generation != courier.generation:
                await self._begin(target.id)
            else:
                courier.target = target
        self._version = version

    async def _begin(self, target_id: str, unsaved: Saved | None = None) -> None:
        """A courier with what the store has of this target."""
        await self._drop(target_id)
        with contextlib.suppress(NoSuchTarget):
            courier = Courier(await self._parts.targets.one(target_id), self)
            if unsaved is not None:
                courier.not_saved(unsaved)
            self._couriers[target_id] = courier
            # At once: a courier that has caught up must hear of the very next event.
            self._add_to_index(courier)
            courier.tick()

    async def _drop(self, target_id: str) -> None:
        self._places.forget(target_id)
        if (courier := self._couriers.pop(target_id, None)) is not None:
            self._index()
            await courier.close()

    def _index(self) -> None:
        self._by_facility, self._of_all = {}, []
        for courier in self._couriers.values():
            self._add_to_index(courier)

    def _add_to_index(self, courier: Courier) -> None:
        facility = courier.target.facility
        if facility == EVERY_FACILITY:
            self._of_all.append(courier)
        else:
            self._parts.facilities.note([facility])
            self._by_facility.setdefault(facility_key(facility), []).append(courier)

    async def _save(self) -> None:
        async with self._writing:
            await self._write_progress()

    async def _write_progress(self) -> None:
        dirty = [courier for courier in self._couriers.values() if courier.dirty]
        if not dirty:
            return
        saved = [courier.saved() for courier in dirty]
        try:
            generations = await self._parts.targets.save(self._parts.name, saved)
        except QueueingError:
            for courier, one in zip(dirty, saved, strict=True):
                courier.not_saved(one)
            raise
        if not generations:
            raise LostLease
        for courier, one, generation in zip(dirty, saved, generations, strict=True):
            if generation:
                courier.generation = generation
            elif self._couriers.get(one.id) is courier:
                await self._begin(one.id, one)

    def now_ms(self) -> UnixMs:
        return time.time_ns() // 1_000_000

    def position(self, partition: str) -> str:
        return self._positions[partition]

    def wants(self, target: Target, event: Event) -> bool:
        return wants(target, event)

    async def read(self, target: Target, partition: str, after: str) -> tuple[list[Event], str]:
        async with self._reads:
            is_for_all = target.facility == EVERY_FACILITY
            if not await self._log.has_all_after(partition, after):
                hips = await self._parts.facilities.of_partition(partition) if is_for_all else [target.facility]
                if found := await archived_events(self._parts.read_archive, hips, after):
                    return found, found[-1].cursor
            if is_for_all:
                events = await self._log.read_partition(partition, after)
                return events, events[-1].cursor if events else after
            page = await self._log.read(target.facility, after)
            return page.events, page.cursor

    async def find(self, target: Target, ref: EventRef) -> Event | None:
        hip = await self._parts.facilities.hip_of(ref.facility_key)
        if not hip:
            return None
        partition = partition_of(facility_root(hip))
        events = await self._log.at(partition, ref.cursor)
        if not events and not await self._log.has_all_after(partition, ref.cursor):
            ms, number = cursor_numbers(ref.cursor)
            before = f"{ms}-{number - 1}" if number else f"{max(0, ms - 1)}-{2**62}"
            events = list(await self._parts.read_archive(hip, before, 1))
        return next((event for event in events if event.id == ref.id), None)

    async def message(self, target: Target, event: Event) -> Message | None:
        return await self._messages.message(target, event)

    async def send(self, target: Target, message: Message) -> Attempt:
        async with self._places.use(target.id, lambda: self._is_failing(target)):
            attempt = await self._parts.senders.of(target.kind).send(target, message)
        metrics.delivery_ended(target.kind.value, attempt.result.value)
        return attempt

    def _is_failing(self, target: Target) -> bool:
        courier = self._couriers.get(target.id)
        return courier is None or courier.is_failing

    async def switch_off(self, target: Target) -> None:
        _log.warning("target_switched_off", target=target.id, status=target.off)
        with contextlib.suppress(NoSuchTarget):
            await self._parts.targets.switch_off(target.id, target.off)
