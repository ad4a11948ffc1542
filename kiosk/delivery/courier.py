"""One target's deliveries: in order for each ticket, side by side over tickets, tried again at the contract's pace.

A courier takes events in the log's order. Events of one ticket form a lane, and a lane is sent one event after the
other; eight lanes run at once. The stored cursor moves behind the oldest event that is neither delivered nor among the
failed ones, so a role that dies sends some events again and loses none.

When twenty tries in a row failed, or a hundred tickets wait, the target is *down*: the cursor stands still and one
probe goes out at the pace of the retries. A dead target costs one small record and one probe.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

import structlog
from msgspec import Struct, structs

from kiosk.delivery.message import Attempt, Result
from kiosk.delivery.parts import Parts
from kiosk.observability import metrics
from queueing.errors import QueueingError
from queueing.event_log import Event, cursor_numbers
from queueing.models import UnixMs
from queueing.targets import (
    PARKED_KEPT,
    Delivery,
    EventRef,
    FailedTicket,
    ParkedEvent,
    Saved,
    TargetState,
    partitions_of,
)

PACE_MS: Final = (5_000, 60_000, 300_000)
"""Pauses before the first tries again."""
LAST_PACE_MS: Final = 1_800_000
PARK_AFTER_MS: Final = 3 * 86_400_000
LANES_AT_ONCE: Final = 8
"""Tries of one target in flight: a receiver of a hospital is a small program. A new one and one that fails get one."""
WINDOW: Final = 500
"""Events that a courier holds. Beyond that it reads on when there is room."""
FAILED_TICKETS: Final = 100
FAILURES_IN_ROW: Final = 20
"""More of either means that the receiver, not a ticket, is the trouble."""
BEHIND_ONE_TICKET: Final = 200
"""Events of a failed ticket that wait for it: ten times what a visit has."""
REPEATED_KEPT: Final = 1_000
"""A reply follows its share within half a minute: more than a state's repeated shares of that time."""
STORE_PAUSE_S: Final = 1.0
UNSENT_KEPT: Final = 200
"""Deliveries that wait to be written; the list that is shown has a hundred."""

_log = structlog.get_logger(__name__)


class Job(Struct):
    """One event that waits for its turn, or is being sent."""

    event: Event
    partition: str
    done: bool = False


def order_of(event: Event) -> str:
    """Events with the same word are delivered one after the other: those of one ticket, and of its reply."""
    return (event.ticket.request if event.ticket else event.request) or event.id


def ref_of(event: Event) -> EventRef:
    return EventRef(event.facility_key, event.cursor, event.id)


def pause_ms(attempts: int) -> int:
    """How long to wait after so many tries."""
    return PACE_MS[attempts - 1] if attempts <= len(PACE_MS) else LAST_PACE_MS


class Courier:
    """Delivers to one target. All methods run on one event loop; ``close`` before another courier takes the target."""

    def __init__(self, state: TargetState, parts: Parts) -> None:
        self.target = state.target
        self.generation = state.generation
        self.dirty = False
        self._progress = state.progress
        self._parts = parts
        self._failed = {ticket.order: ticket for ticket in state.progress.failed}
        self._window: dict[str, deque[Job]] = {name: deque() for name in partitions_of(self.target)}
        self._lagging = dict(state.progress.cursors)
        self._taken = dict(state.progress.cursors)
        """Partition → cursor: everything up to it was taken. Of a partition that does not lag, the position is."""
        self._repeated: OrderedDict[str, str] = OrderedDict()
        """Request of a repeated share → request of its ticket."""
        self._lanes: dict[str, deque[Job]] = {}
        self._ready: deque[str] = deque()
        self._running: set[str] = set()
        self._reading = self._probing = self._closed = False
        self._deliveries: list[Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0

    async def close(self) -> None:
        self._closed = True  # a lane that ends now starts no other one
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_down(self) -> bool:
        return self._progress.down_since_ms > 0

    @property
    def is_failing(self) -> bool:
        return self._progress.failures > 0

    @property
    def _lanes_at_once(self) -> int:
        return 1 if self.is_failing or not self._progress.delivered_ms else LANES_AT_ONCE

    @property
    def pending(self) -> int:
        """Events that wait for this target."""
        return self._open + sum(len(one.events) for one in self._failed.values()) + self._progress.behind

    def saved(self) -> Saved:
        """What is to be written now."""
        self._progress.failed = list(self._failed.values())
        deliveries, self._deliveries = self._deliveries, []
        self.dirty = False
        return Saved(id=self.target.id, generation=self.generation, progress=self._progress, deliveries=deliveries)

    def not_saved(self, saved: Saved) -> None:
        """The store did not take it: it is written with the next."""
        self._deliveries = [*saved.deliveries, *self._deliveries][-UNSENT_KEPT:]
        self.dirty = True

    def accept(self, partition: str, events: Sequence[Event], before: str) -> None:
        """Events that were just followed, the first behind ``before``."""
        if partition not in self._window:
            return  # acts of staff, of which targets hear nothing
        wanted = [event for event in events if self._parts.wants(self.target, event)]
        if partition not in self._lagging and (self.is_down or self.target.off or self._open >= WINDOW):
            # A target that caught up may have read further than the log was followed: nothing is taken twice.
            self._lagging[partition] = max(before, self._taken.get(partition, "0"), key=cursor_numbers)
        if partition in self._lagging:
            self._progress.behind += len(wanted)
            self.dirty = self.dirty or bool(wanted)
            return
        taken = cursor_numbers(self._taken.get(partition, "0"))
        self._take(partition, [event for event in wanted if cursor_numbers(event.cursor) > taken])

    def tick(self) -> None:
        """Called a few times a second: start what is due."""
        if self.target.off:
            return
        now = self._parts.now_ms()
        if self.is_down:
            if now >= self._progress.probe_ms and not self._running:
                self._probe()
            return
        for ticket in self._failed.values():
            if len(self._running) >= self._lanes_at_once:
                break
            if ticket.next_ms <= now and ticket.order not in self._running:
                self._start(ticket.order, partial(self._retry, ticket))
        if self._lagging and not self._reading and self._open < WINDOW // 2:
            self._reading = True
            self._spawn(self._catch_up())
        self._pump()

    def settle(self) -> None:
        """Move the stored cursors of an idle target along with the log, so that they stay within what is stored."""
        if self._lagging or self._open:
            return
        for partition in self._window:
            self._progress.cursors[partition] = self._parts.position(partition)
        self.dirty = True

    def _take(self, partition: str, events: Sequence[Event]) -> None:
        for event in events:
            order = self._order_of(event)
            job = Job(event, partition)
            self._window[partition].append(job)
            if (ticket := self._failed.get(order)) is not None:
                ticket.events.append(ref_of(event))
                job.done = True
                if len(ticket.events) > BEHIND_ONE_TICKET:
                    self._go_down()
                continue
            self._open += 1
            if order in self._lanes:
                self._lanes[order].append(job)
            else:
                self._lanes[order] = deque([job])
                self._ready.append(order)
        self._commit(partition)
        self._pump()

    def _order_of(self, event: Event) -> str:
        """As ``order_of``. The reply to a repeated share names only that share: it belongs to the place it told of."""
        if event.ticket is None:
            return self._repeated.get(event.request) or order_of(event)
        if event.request and event.request != event.ticket.request:
            self._repeated[event.request] = event.ticket.request
            if len(self._repeated) > REPEATED_KEPT:
                self._repeated.popitem(last=False)
        return order_of(event)

    def _commit(self, partition: str) -> None:
        """Move the cursor behind what is done. Events of one step have one cursor, which moves behind the last."""
        window = self._window[partition]
        while window and window[0].done:
            cursor = window.popleft().event.cursor
            if not window or window[0].event.cursor != cursor:
                self._progress.cursors[partition] = cursor
                self.dirty = True

    def _pump(self) -> None:
        if self._closed or self.is_down or self.target.off:
            return
        while self._ready and len(self._running) < self._lanes_at_once:
            order = self._ready.popleft()
            self._start(order, partial(self._run_lane, order))

    def _start(self, order: str, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            try:
                await work()
            finally:
                self._running.discard(order)
                self._pump()

        self._running.add(order)
        self._spawn(run())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_lane(self, order: str) -> None:
        lane = self._lanes[order]
        while lane:
            event = lane[0].event
            delivered = await self._try(event, attempt=1)
            if not delivered:
                now = self._parts.now_ms()
                refs = [ref_of(job.event) for job in lane]
                self._failed[order] = FailedTicket(order, 1, now + pause_ms(1), now, refs)
            for job in list(lane) if not delivered else [lane[0]]:
                lane.popleft()
                self._end(job)
            if not delivered:
                self._note_failure()
        del self._lanes[order]

    def _end(self, job: Job) -> None:
        job.done = True
        self._open -= 1
        self._commit(job.partition)

    async def _retry(self, ticket: FailedTicket) -> None:
        """Send what waits of one ticket, until it fails again or nothing is left."""
        while ticket.events:
            ref = ticket.events[0]
            event = await self._without_store_trouble(partial(self._parts.find, self.target, ref))
            if event is not None and not await self._try(event, attempt=ticket.attempts + 1):
                self._failed_again(ticket, event)
                self._note_failure()
                return
            ticket.events.pop(0)
            ticket.attempts, ticket.since_ms = 0, self._parts.now_ms()
            self.dirty = True
        self._failed.pop(ticket.order, None)

    def _failed_again(self, ticket: FailedTicket, event: Event) -> None:
        now = self._parts.now_ms()
        ticket.attempts += 1
        ticket.next_ms = now + pause_ms(ticket.attempts)
        self.dirty = True
        if now - ticket.since_ms < PARK_AFTER_MS:
            return
        self._park(ticket, event, now)

    def _park(self, ticket: FailedTicket, event: Event, now: UnixMs) -> None:
        """Give up on the first event of a ticket; the next one has three days of its own."""
        ref = ticket.events.pop(0)
        token = event.ticket.token if event.ticket else ""
        self._progress.parked = [*self._progress.parked, ParkedEvent(ref, event.kind.type, token, now)][-PARKED_KEPT:]
        ticket.attempts, ticket.since_ms = len(PACE_MS), now
        metrics.delivery_ended(self.target.kind.value, "parked")
        self._note(Delivery(now, ref, event.kind.type, token, "parked", "", 0, "three days are over", 0))
        if not ticket.events:
            self._failed.pop(ticket.order, None)

    async def _try(self, event: Event, attempt: int) -> bool:
        """Send one event. True: it need not be sent any more."""
        since = self._parts.now_ms()
        try:
            message = await self._without_store_trouble(partial(self._parts.message, self.target, event))
            if message is None:
                return True
            since = self._parts.now_ms()
            sent = await self._parts.send(self.target, message)
        except Exception as fault:  # one event must not stop its target: it is tried again like any that failed
            sent = self._fault(event, fault)
        now = self._parts.now_ms()
        token = event.ticket.token if event.ticket else ""
        self._note(Delivery(
            since, ref_of(event), event.kind.type, token, sent.result.value, sent.status, max(0, now - since),
            sent.answer, attempt,
        ))  # fmt: skip
        if sent.result is Result.SWITCHED_OFF and not self.target.off:
            self.target = structs.replace(self.target, off=sent.status)
            await self._without_store_trouble(partial(self._parts.switch_off, self.target))
        if sent.result is not Result.DELIVERED:
            return False
        self._note_delivered(now)
        return True

    def _fault(self, event: Event, fault: Exception) -> Attempt:
        """A fault of ours with one event. It is tried again as any other, so that the events of others go on. The text
        of the fault may hold a patient's words and is not logged.
        """
        _log.error("delivery_fault", target=self.target.id, id=event.id, error=type(fault).__name__)
        return Attempt(result=Result.FAILED, status="fault", answer=type(fault).__name__)

    async def _without_store_trouble(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the store until it answers: its trouble is not the receiver's."""
        while True:
            try:
                return await ask()
            except QueueingError:
                await asyncio.sleep(STORE_PAUSE_S)

    def _note(self, delivery: Delivery) -> None:
        self._deliveries = [*self._deliveries[-UNSENT_KEPT:], delivery]
        self.dirty = True

    def _note_delivered(self, now: UnixMs) -> None:
        progress = self._progress
        was_down = self.is_down
        progress.failures = progress.probes = 0
        progress.down_since_ms = progress.probe_ms = 0
        progress.delivered_ms, self._probing = now, False
        if was_down:
            for ticket in self._failed.values():
                ticket.next_ms = now

    def _note_failure(self) -> None:
        self._progress.failures += 1
        if self._probing:
            self._probing = False
            self._progress.probes += 1
            self._progress.probe_ms = self._parts.now_ms() + pause_ms(self._progress.probes + 1)
        elif self.is_down:
            return  # it was on its way when the target went down, and is no probe
        elif self._progress.failures >= FAILURES_IN_ROW or len(self._failed) > FAILED_TICKETS:
            self._go_down()

    def _go_down(self) -> None:
        """Stop taking events. What was taken and not sent yet waits, and the cursor stands before it."""
        now = self._parts.now_ms()
        if not self.is_down:
            self._progress.down_since_ms, self._progress.probes = now, 0
        self._progress.probe_ms = now + pause_ms(1)
        self.dirty = True

    def _probe(self) -> None:
        """Send the oldest failed event. Without one, take events again; the next failure is the last."""
        first = min(self._failed.values(), key=lambda one: cursor_numbers(one.events[0].cursor), default=None)
        if first is None:
            self._progress.down_since_ms, self._progress.failures = 0, FAILURES_IN_ROW - 1
            return
        self._probing = True
        self._start(first.order, partial(self._retry, first))

    async def _catch_up(self) -> None:
        """Read what the target has missed, until it is where the log was followed."""
        try:
            while self._lagging and not self.is_down and not self.target.off and self._open < WINDOW:
                partition, after = next(iter(self._lagging.items()))
                position = self._parts.position(partition)
                read = partial(self._parts.read, self.target, partition, after)
                events, cursor = await self._without_store_trouble(read)
                if cursor == after and cursor_numbers(position) > cursor_numbers(after):
                    cursor = position  # nothing stands between them any more
                wanted = [event for event in events if self._parts.wants(self.target, event)]
                self._lagging[partition] = self._taken[partition] = cursor
                self._progress.behind = max(0, self._progress.behind - len(wanted))
                if cursor_numbers(cursor) >= cursor_numbers(self._parts.position(partition)):
                    del self._lagging[partition]
                if not self._lagging:
                    self._progress.behind = 0
                self._take(partition, wanted)
        finally:
            self._reading = False
