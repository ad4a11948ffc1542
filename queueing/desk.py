"""Every operation on the queues of an OPD. Each is one call to the store.

- Each move has one winner, on any number of workers and machines.
- A number is never given twice. A request id gets the same answer for at least 26 hours.
- When a call returns, its write is as durable as the store promises (``Store.promise``).
- When a call raises ``InDoubt`` it may or may not have happened: ask again with the same request id.
"""

import copy
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from queueing import library
from queueing.arrival_hints import ArrivalHints
from queueing.arrivals import Arrivals
from queueing.audit import Act
from queueing.day import ServiceClock, iso_day
from queueing.day_counts import DAY_PAGE, DayCounts, DayPage
from queueing.facility_view import Snapshot
from queueing.form_gate import FormSender, FormVerdict, admit_form
from queueing.lanes import Lane
from queueing.models import Arrival, Envelopes, Moved, Outcome, Place, Reader, Refusal, State, Ticket, UnixMs
from queueing.packed_ticket import ticket_of
from queueing.reasons import Reason
from queueing.redis_keys import facility_root
from queueing.removal import check_removed
from queueing.snapshots import snapshot_of
from queueing.store.store import Store

Current: TypeAlias = Literal["", "finish", "no_show", "ask"]
"""Whether the called person at the counter came."""
NEXT_SHOWN: Final = 200
"""Next numbers of a queue in a snapshot. A phone finds its place among them; one further back asks for itself."""
TICKETS_AT_MOST: Final = 2000
ENVELOPES_AT_MOST: Final = 500
PERSONS: Final = 2
"""By so many digests a person is known, at most: of ABHA number and ABHA address."""
_UNNUMBERED: Final = (None, 0, "")
"""In place of a desk that numbers its moves."""
LIKELY_MAX: Final = 20_000
"""Counter texts whose queue is remembered, some megabytes. Past that all are forgotten: each is learned again with its
next scan."""


_PLACE_HEAD: Final = bytes((0x90 + len(Place.__struct_fields__),))
"""MessagePack's head of a list so long; the function leaves it away."""
_read_place = msgspec.msgpack.Decoder(Place).decode


def _moved(reply: list[Any]) -> Moved:
    if len(reply) == 1:
        return Moved(outcome=Outcome(reply[0]))
    outcome, ticket_id, packed, ahead, *more = reply
    ticket = ticket_of(ticket_id, packed, ahead)
    counter = more[0].decode() if more else ""  # only undo names the counter
    read = _read(ticket.id, *more[1:]) if len(more) > 1 else None
    return Moved(outcome=Outcome(outcome), ticket=ticket, counter=counter, read=read)


def _read(ticket: str, alarm: int, numbers: bytes, sealed: bytes, note: bytes) -> Envelopes:
    """One profile, as ``with_profile`` in functions/shared/desk_moves.lua adds it to the reply."""
    return Envelopes(
        sealed={ticket: sealed} if sealed else {}, notes={ticket: note} if note else {}, numbers=numbers,
        alarm=bool(alarm),
    )  # fmt: skip


def packed_arrival(arrival: Arrival, rate: float, burst: int, likely: str) -> bytes:
    """The argument of functions/enqueue.lua, which names the values in the same order."""
    values = library.pack_values(
        arrival.facility,
        arrival.counter,
        arrival.text,
        arrival.queue,
        arrival.assurance,
        arrival.position,
        arrival.lane,
        arrival.request,
        arrival.reply_wanted,
        arrival.refusal,
        rate,
        burst,
        likely,
    )
    head, fingerprint, envelope, persons = library.text_head, arrival.fingerprint, arrival.envelope, arrival.persons
    parts = [values, head(len(fingerprint)), fingerprint, head(len(envelope)), envelope]
    for digest in persons:
        parts += head(1 + len(digest)), b"p", digest
    parts.append(head(0) * (PERSONS - len(persons)))
    if arrival.late or arrival.by or arrival.any_hour:  # the last values are only written when they say something
        last: tuple[Any, ...] = (arrival.late, arrival.by)
        if arrival.reason or arrival.any_hour:
            last += (arrival.reason, arrival.any_hour)
        parts.append(library.pack_values(*last))
    return b"".join(parts)


def _unix_ms() -> UnixMs:
    return time.time_ns() // 1_000_000


class OpdDesk:
    """The operations. ``by`` is the login of who acts; the event log keeps it."""

    def __init__(
        self,
        store: Store,
        *,
        timezone: str = "Asia/Kolkata",
        clock: ServiceClock | None = None,
        facility_rate: float = 20,
        facility_burst: int = 200,
        now_ms: Callable[[], UnixMs] = _unix_ms,
    ) -> None:
        self._store = store
        self._arrivals = Arrivals(store)
        self._hints = ArrivalHints(store)
        self._now_ms = now_ms
        self._clocks = {"": clock or ServiceClock(timezone, now_ms)}
        self._zones: dict[str, str] = {}
        self._rate = facility_rate
        self._burst = facility_burst
        self._likely: dict[tuple[str, str], str] = {}
        """By root and counter or text: the queue to which it led last. The store reads that queue together with the
        facility's record, and another one when it no longer leads there."""
        self._sent: tuple[str | int | None, ...] = ()
        """What the functions get behind the clock: desk, number of the move, counter, and who sees the profile."""

    def sent_by(self, desk: str, number: int, *, counter: str = "") -> "OpdDesk":
        """The same for one move of an open desk that numbers its moves: sent again, it is not made again. ``counter``:
        it waited for the network there, and moves nobody whom another counter called meanwhile.
        """
        numbered = copy.copy(self)
        numbered._sent = desk, number, counter, *self._sent[3:]
        return numbered

    def shown_to(self, reader: Reader, *, alarm_over: int) -> "OpdDesk":
        """The same for moves whose ticket a clerk sees with its profile (``Moved.read``). The reading is recorded in
        the step of the move. ``alarm_over``: profiles in ten minutes.
        """
        shown = copy.copy(self)
        shown._sent = *(self._sent[:3] or _UNNUMBERED), reader.login, reader.session, reader.address, alarm_over
        return shown

    async def enqueue(self, arrival: Arrival) -> Place:
        """Give a place, or the place this person has, or refuse; the reply to the gateway is written in one step."""
        root = facility_root(arrival.facility)
        leads = root, arrival.counter or arrival.text
        likely = arrival.queue or self._likely.get(leads, "")
        packed = packed_arrival(arrival, self._rate, self._burst, likely)
        reply: Any = await self._arrivals.place(root, self._clock_of(root), packed)
        if type(reply) is list:
            reply = await self._arrivals.place(root, self._in_zone(root, reply), packed)
        place = _read_place(_PLACE_HEAD + reply)
        if place.outcome is Outcome.NEW:
            self._hints.note(root)
            if place.queue != likely:
                self._note_likely(leads, place.queue)
        return place

    def _note_likely(self, leads: tuple[str, str], queue: str) -> None:
        if len(self._likely) >= LIKELY_MAX:
            self._likely.clear()
        self._likely[leads] = queue

    async def call_next(
        self, hip: str, counter: str, *, by: str, seen: str | None = None, current: Current = ""
    ) -> Moved:
        """End the visit at the counter and call the first of its queues.

        ``seen`` is the ticket the clerk's screen shows there ("" none). When another ticket is there by now, the press
        was late: nobody is called and the outcome is TAKEN. EMPTY: the visit ended, nobody waits.

        ``current`` says what a called person who was never started came to: ``finish`` (came), ``no_show`` (did not
        come), ``ask`` (UNANSWERED unless the facility's ``no_show_after_s`` decides: nothing changes, call again with
        an answer), or nothing (that rule decides, else the person came).
        """
        return await self._move("call_next", hip, counter, by, "*" if seen is None else seen, current)

    async def call_this(
        self, hip: str, counter: str, ticket: str, *, by: str, current: Current = "", seen: str | None = None
    ) -> Moved:
        """Call a chosen ticket; TAKEN when a counter has it already. ``current`` and ``seen`` as in ``call_next``."""
        return await self._move("call_this", hip, ticket, by, counter, current, "*" if seen is None else seen)

    async def recall(self, hip: str, counter: str, *, by: str, ticket: str = "") -> Moved:
        """Announce again whom this counter called; TAKEN when that is not ``ticket``, if one is named."""
        return await self._move("recall", hip, counter, by, ticket)

    async def check_in(self, hip: str, ticket: str, *, by: str) -> Moved:
        """Somebody expected has arrived; the place counts from now."""
        return await self._move("check_in", hip, ticket, by)

    async def start(self, hip: str, ticket: str, *, by: str) -> Moved:
        """The called person is here."""
        return await self._move("start", hip, ticket, by)

    async def finish(self, hip: str, ticket: str, *, by: str) -> Moved:
        """Done at this counter."""
        return await self._move("finish", hip, ticket, by)

    async def hold(self, hip: str, ticket: str, *, by: str) -> Moved:
        """Stepped out; keeps the place."""
        return await self._move("hold", hip, ticket, by)

    async def no_show(self, hip: str, ticket: str, *, by: str) -> Moved:
        """Called and did not come."""
        return await self._move("no_show", hip, ticket, by)

    async def bring_back(self, hip: str, ticket: str, *, by: str) -> Moved:
        """From hold to the old place; from no-show, or from done or cancelled today, to a place near the front."""
        return await self._move("bring_back", hip, ticket, by)

    async def cancel(self, hip: str, ticket: str, *, by: str) -> Moved:
        """Gives the place up."""
        return await self._move("cancel", hip, ticket, by)

    async def transfer(self, hip: str, ticket: str, *, to: str, by: str) -> Moved:
        """To another queue, with the same number."""
        return await self._move("transfer", hip, ticket, by, to)

    async def set_lane(self, hip: str, ticket: str, lane: Lane, *, by: str, reason: Reason = Reason.NONE) -> Moved:
        """Change how soon somebody goes, and why."""
        return await self._move("set_lane", hip, ticket, by, int(lane), int(reason))

    async def undo(self, hip: str, counter: str, *, by: str) -> Moved:
        """Take back this person's last move, for ten minutes and while nobody moved its tickets on."""
        return await self._move("undo", hip, counter, by)

    async def ticket(self, hip: str, ticket: str) -> Ticket | None:
        """One ticket, or None."""
        found = await self._tickets(hip, "these", 1, [ticket])
        return found[0] if found else None

    async def these(self, hip: str, tickets: Sequence[str]) -> list[Ticket]:
        """The tickets of these ids that are still stored."""
        return await self._tickets(hip, "these", len(tickets), tickets) if tickets else []

    async def tickets(self, hip: str, *, queues: Sequence[str] = (), limit: int = 500) -> list[Ticket]:
        """Living tickets: at the counters, waiting in calling order, then expected, held and missed ones."""
        found = await self._tickets(hip, "all", min(limit, TICKETS_AT_MOST), queues)
        return sorted(found, key=lambda ticket: _LIST_ORDER[ticket.state])

    async def ended(self, hip: str, *, limit: int = 500) -> list[Ticket]:
        """Tickets that were finished or cancelled today, newest first: who was finished can be brought back."""
        return await self._tickets(hip, "ended", min(limit, TICKETS_AT_MOST), [])

    async def day_page(self, hip: str, after: int = 0) -> DayPage:
        """Tickets of the present day in the order of their numbers, ``DAY_PAGE`` numbers after ``after``."""
        day, last, lines = await self._ask("day_tickets", hip, after, DAY_PAGE, writes=False)
        return DayPage(day=iso_day(day), last=last, tickets=[ticket_of(*line) for line in lines])

    async def envelope(self, hip: str, ticket: str) -> bytes | None:
        """The sealed envelope of a ticket, or None."""
        return (await self.envelopes(hip, [ticket])).get(ticket)

    async def envelopes(self, hip: str, tickets: Sequence[str]) -> dict[str, bytes]:
        """Sealed envelopes by ticket id; a ticket without one is missing."""
        wanted = list(tickets)[:ENVELOPES_AT_MOST]
        sealed = await library.call(self._store, "envelopes", facility_root(hip), *wanted)
        return {ticket: body for ticket, body in zip(wanted, sealed, strict=True) if body}

    async def snapshot(self, hip: str) -> Snapshot | None:
        """The facility as everybody may see it, or None for an unknown one."""
        packed = await self._ask("snapshot", hip, NEXT_SHOWN, writes=False)
        return None if packed is None else snapshot_of(packed)

    async def counts(self, hip: str) -> DayCounts | None:
        """How many tickets are in which state now; None for an unknown facility and one without queues."""
        reply = await self._ask("day_counts", hip, writes=False)
        if reply is None:
            return None
        *rows, ended = reply
        queues = {queue.decode(): dict(zip(State, counts, strict=True)) for queue, *counts in rows}
        return DayCounts(ended=ended, queues=queues)

    async def running_token(
        self,
        hip: str,
        *,
        counter: str,
        text: str,
        request: str,
        fingerprint: bytes,
        envelope: bytes,
        refusal: Refusal | None = None,
    ) -> Outcome:
        """A patient's app asks for the number now served; the reply goes to the outbox. ``text``, ``request`` and
        ``fingerprint`` are spelled as an ``Arrival``'s.
        """
        reply = await self._ask(
            "running_token", hip, request, fingerprint, counter, text, int(refusal or 0), envelope, hip
        )
        return Outcome(reply[0])

    async def heal_clock(self, hip: str, *, by: str) -> bool:
        """Bring the facility back to the day of the clock, which ran ahead and is right now. False: nothing to do."""
        return bool(await self._ask("heal_clock", hip, by))

    async def remove(self, hip: str, kind: Literal["queue", "counter"], name: str, act: Act) -> None:
        """Remove what nobody uses; the audit has the act. Raises UnknownQueue, UnknownCounter, StillUsed."""
        check_removed(await self._ask(f"remove_{kind}", hip, name, *act.parts()))

    async def _move(self, operation: str, hip: str, *arguments: str | int) -> Moved:
        return _moved(await self._ask(operation, hip, *arguments))

    async def _tickets(self, hip: str, which: str, most: int, ids: Sequence[str]) -> list[Ticket]:
        reply = await library.call(self._store, "tickets", facility_root(hip), which, most, *ids)
        return [ticket_of(*line) for line in reply]

    async def admit_form(self, hip: str, sender: FormSender) -> tuple[FormVerdict, int]:
        """Whether a form of a patient without an app may ask for a place, and seconds to wait when it may not."""
        return await admit_form(self._store, hip, sender)

    async def _ask(self, operation: str, hip: str, *arguments: str | bytes | float, writes: bool = True) -> Any:
        """Calls a function that needs the day. After a write it returns when the store's promise is kept, because the
        reply is shown to people. One coroutine does all of it: each layer costs time.
        """
        root = facility_root(hip)
        clock = self._clock_of(root)
        reply = await self._call(operation, root, clock, *arguments)
        if type(reply) is list and reply[0] == Outcome.OTHER_ZONE:
            reply = await self._call(operation, root, self._in_zone(root, reply), *arguments)
        if writes:
            await self._store.durable(root)
        return reply

    def _call(self, operation: str, root: str, clock: ServiceClock, *arguments: str | bytes | float) -> Awaitable[Any]:
        packed = library.pack_values(*clock.values(), *self._sent)
        return library.call(self._store, operation, root, packed, *arguments)

    def _clock_of(self, root: str) -> ServiceClock:
        return self._clocks[self._zones.get(root, "")]

    def _in_zone(self, root: str, answer: Any) -> ServiceClock:
        """The clock of the zone that the store named in ``answer``, from now on used for this facility."""
        zone = answer[1].decode()
        self._zones[root] = zone
        return self._clocks.setdefault(zone, ServiceClock(zone, self._now_ms))


_LIST_ORDER: Final = {
    State.CALLED: 0,
    State.SERVING: 0,
    State.WAITING: 1,
    State.EXPECTED: 2,
    State.HELD: 3,
    State.NO_SHOW: 4,
    State.DONE: 5,
    State.CANCELLED: 5,
    State.LAPSED: 5,
}
