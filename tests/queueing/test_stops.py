"""The earlier stops of a ticket that was sent from queue to queue."""

import time

import msgspec
import pytest

from queueing.desk import OpdDesk
from queueing.event_log import EventKind, EventLog
from queueing.models import Outcome, Queue, Ticket
from queueing.packed_ticket import ticket_of
from queueing.registry import Registry
from queueing.stops import Stop
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, kolkata, midnight_in, open_desk

pytestmark = pytest.mark.anyio
STOPS_AT_MOST = 8


async def hospital(store: Store) -> OpdDesk:
    await build(store)
    await Registry(store).put_queue(HIP, Queue(id="laboratory", name="Laboratory", prefix="L"), 1)
    return open_desk(store)


async def registered(desk: OpdDesk) -> str:
    """A person at the registration, nobody else there."""
    return (await desk.enqueue(arrival(text="R1"))).ticket


async def found(desk: OpdDesk, ticket: str) -> Ticket:
    stored = await desk.ticket(HIP, ticket)
    assert stored
    return stored


async def test_a_ticket_remembers_each_queue_that_it_was_sent_on_from(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    arrived_ms = (await found(desk, ticket)).arrived_ms
    await desk.call_next(HIP, "R1", by="clerk")
    first_call_ms = (await found(desk, ticket)).called_ms
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    await desk.call_next(HIP, "M1", by="doctor")
    await desk.start(HIP, ticket, by="doctor")
    second_call_ms = (await found(desk, ticket)).called_ms
    moved = await desk.transfer(HIP, ticket, to="laboratory", by="doctor")
    first, second = (await found(desk, ticket)).stops
    assert moved.ticket
    assert moved.ticket.stops == (first, second)
    assert first == Stop("registration", arrived_ms, first_call_ms, first.ended_ms)
    assert second == Stop("medicine", first.ended_ms, second_call_ms, second.ended_ms)
    assert second.ended_ms == moved.ticket.changed_ms
    events = (await EventLog(store).read(HIP)).events
    sent_on = [event.ticket for event in events if event.kind is EventKind.TRANSFERRED]
    assert [len(one.stops) for one in sent_on if one] == [1, 2]


async def test_a_ticket_that_was_never_sent_on_has_no_stops_and_is_stored_without_them(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    await desk.call_next(HIP, "R1", by="clerk")
    await desk.finish(HIP, ticket, by="clerk")
    event = [one for one in (await EventLog(store).read(HIP)).events if one.ticket][-1]
    assert event.ticket
    assert event.ticket.stops == (await found(desk, ticket)).stops == ()


async def test_who_was_not_seen_at_a_stop_has_no_call_there(store: Store) -> None:
    """Sent on while waiting, while away, and after a call that nobody answered."""
    desk = await hospital(store)
    waiting, held, missed = [await registered(desk) for _ in range(3)]
    await desk.hold(HIP, held, by="clerk")
    await desk.call_this(HIP, "R1", missed, by="clerk")
    await desk.no_show(HIP, missed, by="clerk")
    for ticket in (waiting, held, missed):
        await desk.transfer(HIP, ticket, to="medicine", by="clerk")
        [stop] = (await found(desk, ticket)).stops
        assert (stop.queue, stop.called_ms) == ("registration", 0)


async def test_a_visit_counts_for_its_own_stop_alone(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    await desk.call_next(HIP, "R1", by="clerk")
    await desk.start(HIP, ticket, by="clerk")
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    await desk.transfer(HIP, ticket, to="laboratory", by="doctor")
    seen, passed = (await found(desk, ticket)).stops
    assert seen.called_ms > 0
    assert passed.called_ms == 0


async def test_who_waits_again_after_a_visit_was_still_seen_there(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    await desk.call_next(HIP, "R1", by="clerk")
    while time.time_ns() // 1_000_000 <= (await found(desk, ticket)).arrived_ms:
        pass  # the visit begins in a later millisecond than the arrival, as it does with people
    await desk.start(HIP, ticket, by="clerk")
    await desk.hold(HIP, ticket, by="clerk")
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    [stop] = (await found(desk, ticket)).stops
    assert stop.called_ms > 0


async def test_undo_of_a_transfer_takes_its_stop_back(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    one_stop = (await found(desk, ticket)).stops
    await desk.transfer(HIP, ticket, to="laboratory", by="clerk")
    assert (await desk.undo(HIP, "R1", by="clerk")).outcome is Outcome.MOVED
    assert ((await found(desk, ticket)).queue, (await found(desk, ticket)).stops) == ("medicine", one_stop)
    assert (await desk.undo(HIP, "R1", by="clerk")).outcome is Outcome.MOVED
    assert ((await found(desk, ticket)).queue, (await found(desk, ticket)).stops) == ("registration", ())


async def test_undo_of_a_later_move_leaves_the_stops(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    await desk.call_next(HIP, "M1", by="doctor")
    await desk.undo(HIP, "M1", by="doctor")
    assert [stop.queue for stop in (await found(desk, ticket)).stops] == ["registration"]


async def test_a_ticket_keeps_its_last_stops_only(store: Store) -> None:
    desk = await hospital(store)
    ticket = await registered(desk)
    way = ["medicine", "laboratory"] * 6
    for queue in way:
        await desk.transfer(HIP, ticket, to=queue, by="clerk")
    assert [stop.queue for stop in (await found(desk, ticket)).stops] == way[-STOPS_AT_MOST - 1 : -1]


async def test_stops_stay_with_a_ticket_that_is_carried_over_midnight(store: Store) -> None:
    await build(store)
    clock = kolkata()
    clock.moved_ms = midnight_in(clock, ms=60_000)
    desk = open_desk(store, clock)
    ticket = await registered(desk)
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    stops = (await found(desk, ticket)).stops
    clock.moved_ms += 65_000
    assert (await desk.enqueue(arrival(text="M1"))).token == "M-001"
    called = await desk.call_next(HIP, "M1", by="night")
    assert called.ticket
    assert (called.ticket.id, called.ticket.stops) == (ticket, stops)
    assert [stop.queue for stop in stops] == ["registration"]


async def test_a_lane_and_a_reason_stand_beside_the_stops(store: Store) -> None:
    """The stops come behind fields that a ticket may lack."""
    desk = await hospital(store)
    ticket = await registered(desk)
    before = await found(desk, ticket)
    await desk.transfer(HIP, ticket, to="medicine", by="clerk")
    after = await found(desk, ticket)
    assert (after.lane, after.reason, after.reply_parked) == (before.lane, before.reason, False)
    assert after.arrived_ms == before.arrived_ms


def test_a_ticket_packed_without_stops_is_read_and_so_is_one_with_values_of_a_later_release() -> None:
    packed = ["medicine", 2, 0, 1, 0, "M-001", 1, 1024.0, "", 0, 0, 0, 0, "request", 2, 1]
    assert ticket_of(b"20000-1", msgspec.msgpack.encode(packed)).stops == ()
    whole = [*packed, 0, 0, 5, 0, [["registration", 1, 2, 3, "more"]], "more"]
    assert ticket_of(b"20000-1", msgspec.msgpack.encode(whole)).stops == (Stop("registration", 1, 2, 3),)
