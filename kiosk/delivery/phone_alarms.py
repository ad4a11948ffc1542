"""Messages to phones whose page is closed: the number is called, or as many people are before it as the patient chose.

Who is due follows from how tickets stand, not from single events: an event only says which facility to look at. So a
role that was away sends what still helps, and what is late is left out. Nothing here is waited for by anybody else. A
message has the token and the count of people before it, no word about a person.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from kiosk.delivery.push_sender import USEFUL_S, PushMessage, PushResult
from kiosk.exchange.push_subscription import Subscription
from kiosk.locales import BOOK
from kiosk.observability import metrics
from queueing.desk import OpdDesk
from queueing.errors import QueueingError
from queueing.event_log import Event, EventKind
from queueing.models import State, Ticket, UnixMs
from queueing.push_phones import Phone, PushPhones
from queueing.redis_keys import facility_key

LOOK_EVERY_S: Final = 1.0
"""A facility is looked at so often at most: twenty calls of one second are one look."""
LOOKS_AT_ONCE: Final = 8
"""The store answers scans beside them."""
PACE_S: Final = (3.0, 15.0, 60.0)
"""Pauses before the tries after the first. A message that was tried four times is left out."""
TRIES_KNOWN: Final = 10_000
_STANDING: Final = frozenset({
    EventKind.CREATED, EventKind.SHARE_REPEATED, EventKind.SHARE_REFUSED, EventKind.SHARE_REDELIVERED,
    EventKind.ACKNOWLEDGEMENT_PARKED, EventKind.ACKNOWLEDGEMENT_DELIVERED, EventKind.ACT,
})  # fmt: skip
"""They bring nobody nearer. A morning's scans cause no look."""
_OVER: Final = frozenset({State.DONE, State.CANCELLED, State.LAPSED})

Send = Callable[[Subscription, PushMessage], Awaitable[PushResult]]
Open = Callable[[str, str, str], Subscription | None]
"""Facility, ticket id and what was sealed → the subscription; None when it cannot be opened."""


class Alarm(StrEnum):
    """Why a message is sent: the key of its words."""

    CALLED = "push.called"
    NEAR = "push.near"


class Due(Struct, frozen=True):
    """What a phone is to learn, and what it knows then."""

    alarm: Alarm | None
    """None: nothing is sent, only remembered."""
    calls: int
    warned: bool


class _Tries(Struct):
    due: Due
    count: int
    next_s: float


def due_for(phone: Phone, ticket: Ticket, now_ms: UnixMs) -> Due | None:
    """What is due for a phone; None when it knows how its ticket stands."""
    if ticket.state is State.CALLED and ticket.calls > phone.calls:
        is_late = now_ms - max(ticket.called_ms, ticket.changed_ms) > USEFUL_S * 1000
        return Due(None if is_late else Alarm.CALLED, ticket.calls, True)
    if ticket.state is State.WAITING and phone.near:
        is_near = ticket.ahead <= phone.near
        if is_near != bool(phone.warned):
            return Due(Alarm.NEAR if is_near else None, phone.calls, is_near)
    return None


def message_for(alarm: Alarm, phone: Phone, ticket: Ticket) -> PushMessage:
    """The words in the phone's language. ``key`` is the ticket's, as in snapshots: by it the worker finds the page."""
    messages = BOOK.get(phone.language) or BOOK["en"]
    text = messages.say(alarm, ahead=ticket.ahead)
    shown = {"title": ticket.token, "body": text, "lang": messages.code, "dir": messages.direction, "key": ticket.key}
    topic = sha256(ticket.id.encode()).hexdigest()[:32]
    return PushMessage(plain=msgspec.json.encode(shown), topic=topic, kid=phone.kid)


class PhoneAlarms:
    """Works while the delivery role has its lease. All methods run on one event loop."""

    def __init__(self, phones: PushPhones, desk: OpdDesk, open_subscription: Open, send: Send) -> None:
        self._phones, self._desk, self._open, self._send = phones, desk, open_subscription, send
        self._hips: dict[str, str] = {}
        """Key → HIP id of facilities with phones."""
        self._to_look: set[str] = set()
        self._looked: dict[str, float] = {}
        self._looking: set[str] = set()
        self._later: dict[str, float] = {}
        """HIP id → when to look again, for a message that was not taken."""
        self._sending: set[tuple[str, str]] = set()
        self._tries: dict[tuple[str, str], _Tries] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_awake(self) -> bool:
        """Whether events matter: some facility has phones."""
        return bool(self._hips)

    async def refresh(self) -> bool:
        """Read which facilities have phones. True: there are some, and there were none."""
        was_awake = self.is_awake
        hips = {facility_key(hip): hip for hip in await self._phones.facilities(_now_ms())}
        self._to_look |= {hip for key, hip in hips.items() if key not in self._hips}
        self._hips = hips
        return self.is_awake and not was_awake

    def hear(self, events: Iterable[Event]) -> None:
        """Look at the facilities where somebody may have come nearer."""
        for event in events:
            if event.kind not in _STANDING and (hip := self._hips.get(event.facility_key)):
                self._to_look.add(hip)

    def tick(self) -> None:
        """Called a few times a second: start what is due."""
        now = time.monotonic()
        for hip in [hip for hip, at in self._later.items() if at <= now]:
            del self._later[hip]
            self._to_look.add(hip)
        for hip in list(self._to_look):
            if len(self._looking) >= LOOKS_AT_ONCE:
                return
            if hip not in self._looking and now - self._looked.get(hip, 0) >= LOOK_EVERY_S:
                self._to_look.discard(hip)
                self._looking.add(hip)
                self._looked[hip] = now
                self._start(self._look(hip))

    async def close(self) -> None:
        """Stop; the next role begins with how tickets stand then."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for known in (self._hips, self._to_look, self._looked, self._looking, self._later, self._sending, self._tries):
            known.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, hip: str) -> None:
        try:
            stored = await self._phones.of(hip)
            tickets = {ticket.id: ticket for ticket in await self._desk.these(hip, list(stored))}
            for ticket_id, phones in stored.items():
                await self._look_at(hip, ticket_id, tickets.get(ticket_id), phones)
        except QueueingError:
            self._look_later(hip, PACE_S[0])
        finally:
            self._looking.discard(hip)

    async def _look_at(self, hip: str, ticket_id: str, ticket: Ticket | None, phones: list[Phone]) -> None:
        if ticket is None or ticket.state in _OVER:
            await self._phones.forget(hip, ticket_id)
            return
        for phone in phones:
            key = (ticket_id, phone.id)
            due = due_for(phone, ticket, _now_ms())
            if due is None or key in self._sending:
                continue
            tries = self._tries.get(key)
            if tries and tries.due == due and tries.next_s > time.monotonic():
                continue
            self._sending.add(key)
            self._start(self._tell(hip, ticket, phone, due))

    async def _tell(self, hip: str, ticket: Ticket, phone: Phone, due: Due) -> None:
        key = (ticket.id, phone.id)
        try:
            result = await self._try(hip, ticket, phone, due.alarm) if due.alarm else PushResult.DELIVERED
            if result is PushResult.FAILED and self._try_again(hip, key, due):
                return
            self._tries.pop(key, None)
            if result is PushResult.GONE:
                await self._phones.forget(hip, ticket.id, phone.id)
            else:
                await self._phones.mark(hip, ticket.id, phone.id, calls=due.calls, warned=due.warned)
            self._to_look.add(hip)  # what came meanwhile
        except QueueingError:
            self._look_later(hip, PACE_S[0])
        finally:
            self._sending.discard(key)

    async def _try(self, hip: str, ticket: Ticket, phone: Phone, alarm: Alarm) -> PushResult:
        subscription = self._open(hip, ticket.id, phone.sealed)
        if subscription is None:
            return PushResult.GONE
        result = await self._send(subscription, message_for(alarm, phone, ticket))
        metrics.push_ended(result.value)
        return result

    def _try_again(self, hip: str, key: tuple[str, str], due: Due) -> bool:
        """Whether there is another try; it is remembered when."""
        tries = self._tries.pop(key, None)
        count = tries.count if tries and tries.due == due else 0
        if count >= len(PACE_S):
            metrics.push_ended("left_out")
            return False
        self._tries[key] = _Tries(due, count + 1, time.monotonic() + PACE_S[count])
        while len(self._tries) > TRIES_KNOWN:
            del self._tries[next(iter(self._tries))]
        self._look_later(hip, PACE_S[count])
        return True

    def _look_later(self, hip: str, pause_s: float) -> None:
        at = time.monotonic() + pause_s
        self._later[hip] = min(at, self._later.get(hip, at))


def _now_ms() -> UnixMs:
    return time.time_ns() // 1_000_000
