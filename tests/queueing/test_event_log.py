"""The event log: every state change once and in order, for any number of consumers."""

import asyncio
from itertools import pairwise

import pytest

from queueing.desk import OpdDesk
from queueing.event_log import OLDEST, Event, EventKind, EventLog
from queueing.lanes import Lane
from queueing.models import Assurance, Facility, Outcome, Queue, Refusal, State, Ticket
from queueing.outbox import Outbox
from queueing.policy import Policy, PresenceRule
from queueing.redis_keys import events_key, facility_key, facility_root, partition_of
from queueing.registry import Registry
from queueing.store.store import Store, open_store
from tests.queueing.a_facility import DAY_MS, HIP, again, arrival, build, kolkata, midnight_in, open_desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    return open_desk(store)


def _ticket(event: Event) -> Ticket:
    assert event.ticket is not None
    return event.ticket


async def read_all(store: Store, hip: str = HIP, after: str = OLDEST) -> list[Event]:
    log, events = EventLog(store), list[Event]()
    while True:
        page = await log.read(hip, after, limit=7)
        events += page.events
        if page.cursor == after:
            return events
        after = page.cursor


async def test_every_state_change_of_a_visit_is_recorded_in_order(store: Store, desk: OpdDesk) -> None:
    place = await desk.enqueue(arrival(text="nonsense of another system 7"))
    ticket = place.ticket
    await desk.check_in(HIP, ticket, by="anna")
    await desk.set_lane(HIP, ticket, Lane.PREGNANT, by="anna")
    await desk.call_next(HIP, "M1", by="anna")
    await desk.recall(HIP, "M1", by="anna")
    await desk.start(HIP, ticket, by="anna")
    await desk.hold(HIP, ticket, by="bilal")
    await desk.bring_back(HIP, ticket, by="bilal")
    await desk.transfer(HIP, ticket, to="registration", by="bilal")
    await desk.call_this(HIP, "R1", ticket, by="bilal")
    await desk.no_show(HIP, ticket, by="bilal")
    await desk.undo(HIP, "R1", by="bilal")
    await desk.finish(HIP, ticket, by="bilal")
    await desk.bring_back(HIP, ticket, by="bilal")
    await desk.cancel(HIP, ticket, by="bilal")
    events = await read_all(store)
    assert [event.kind.name.lower() for event in events] == [
        *("created", "checked_in", "lane_changed", "called", "recalled", "serving", "held", "returned"),
        *("transferred", "called", "no_show", "undone", "done", "returned", "cancelled"),
    ]
    assert events[0].kind.type == "ticket.created"
    assert {_ticket(event).id for event in events} == {ticket}
    assert {_ticket(event).token for event in events} == {"M-001"}
    assert [event.by for event in events] == ["", *["anna"] * 5, *["bilal"] * 9]
    states = [_ticket(event).state for event in events]
    assert states[:4] == [State.EXPECTED, State.WAITING, State.WAITING, State.CALLED]
    assert states[-4:] == [State.CALLED, State.DONE, State.WAITING, State.CANCELLED]
    assert [_ticket(event).queue for event in events][-1] == "registration"
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(events))
    assert len({event.id for event in events}) == len(events)


async def test_a_walk_in_names_who_registered_it(store: Store, desk: OpdDesk) -> None:
    await desk.enqueue(arrival(queue="registration", assurance=Assurance.STAFF, reply_wanted=False, by="anna"))
    (event,) = await read_all(store)
    assert (event.kind, event.by, _ticket(event).state) == (EventKind.CREATED, "anna", State.WAITING)


async def test_next_records_the_end_of_one_visit_and_the_call_of_another(store: Store, desk: OpdDesk) -> None:
    for _ in range(2):
        await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="clerk")
    await desk.call_next(HIP, "M1", by="clerk")
    ended, called = (await read_all(store))[-2:]
    assert (ended.kind, _ticket(ended).token, _ticket(ended).counter) == (EventKind.DONE, "M-001", "M1")
    assert (called.kind, _ticket(called).token, _ticket(called).counter) == (EventKind.CALLED, "M-002", "M1")


async def test_a_second_scan_that_checks_in_is_recorded_and_others_are_not(store: Store, desk: OpdDesk) -> None:
    patient = arrival(text="nonsense of another system 7")
    await desk.enqueue(patient)
    await desk.enqueue(patient)
    await desk.enqueue(again(patient, counter="M1", assurance=Assurance.SCREEN))
    await desk.enqueue(again(patient, counter="M1", assurance=Assurance.SCREEN))
    kinds = [event.kind for event in await read_all(store) if event.ticket and event.kind < EventKind.SHARE_REPEATED]
    assert kinds == [EventKind.CREATED, EventKind.CHECKED_IN]


async def test_a_share_that_gives_no_new_place_is_recorded(store: Store, desk: OpdDesk) -> None:
    patient = arrival(text="M1")
    place = await desk.enqueue(patient)
    second = again(patient, text="M1")
    await desk.enqueue(second)
    for _ in range(3):
        await desk.enqueue(second)
    await Registry(store).set_policy(HIP, Policy(unknown=PresenceRule.REFUSE))
    refused = arrival(text="nonsense of another system 7")
    await desk.enqueue(refused)
    await desk.enqueue(refused)
    events = (await read_all(store))[1:]
    assert [event.kind.type for event in events] == [
        *("share.repeated", "share.redelivered", "share.refused", "share.redelivered"),
    ]
    assert [event.request for event in events] == [second.request] * 2 + [refused.request] * 2
    assert [event.ticket and event.ticket.id for event in events] == [place.ticket, place.ticket, None, None]
    assert [event.refusal for event in events] == [None, None, *[Refusal.UNKNOWN_COUNTER] * 2]
    assert [event.outcome for event in events][:3] == [Outcome.SAME_PERSON, Outcome.SAME_PERSON, Outcome.REFUSED]


async def test_a_refused_share_names_the_place_that_the_person_has(store: Store, desk: OpdDesk) -> None:
    patient = arrival(text="M1")
    place = await desk.enqueue(patient)
    await Registry(store).open_queue(HIP, "medicine", False)
    assert (await desk.enqueue(again(patient))).refusal is Refusal.CLOSED_QUEUE
    assert (await desk.enqueue(again(patient, refusal=Refusal.FACILITY_MISMATCH))).refusal is Refusal.FACILITY_MISMATCH
    await desk.enqueue(arrival(text="M1"))
    refused = [event for event in await read_all(store) if event.kind is EventKind.SHARE_REFUSED]
    assert [event.ticket and event.ticket.id for event in refused] == [place.ticket, place.ticket, None]


async def test_shares_that_are_too_many_push_no_other_event_out_of_the_log(store: Store) -> None:
    await build(store)
    await Registry(store).set_policy(HIP, Policy(rate=1, burst=2))
    desk = open_desk(store)
    places = [await desk.enqueue(arrival()) for _ in range(5)]
    assert [place.refusal for place in places][2:] == [Refusal.BUSY] * 3
    assert [event.kind for event in await read_all(store)] == [EventKind.CREATED] * 2


async def test_delivered_replies_are_recorded_with_their_result(store: Store, desk: OpdDesk) -> None:
    shares = [arrival() for _ in range(3)]
    for share in shares:
        await desk.enqueue(share)
    outbox = Outbox(store, "r1")
    pending = await outbox.take()
    await outbox.delivered(pending)
    await outbox.delivered(pending)
    await outbox.close()
    events = (await read_all(store))[3:]
    assert {event.kind for event in events} == {EventKind.ACKNOWLEDGEMENT_DELIVERED}
    assert sorted(event.request for event in events) == sorted(share.request for share in shares)
    assert {(event.outcome, event.refusal, event.ticket) for event in events} == {(Outcome.NEW, None, None)}
    assert len({event.id for event in events}) == 3
    assert len({event.cursor for event in events}) == 1
    with_tickets = await EventLog(store).with_tickets(HIP, events)
    assert [event.ticket and event.ticket.request for event in with_tickets] == [event.request for event in events]


async def test_a_delivered_refusal_has_no_ticket_and_a_request_of_yesterday_has_one(store: Store) -> None:
    await build(store)
    clock = kolkata()
    desk = open_desk(store, clock)
    first, refused = arrival(), arrival(refusal=Refusal.INTENT)
    place = await desk.enqueue(first)
    await desk.enqueue(refused)
    outbox = Outbox(store, "r1")
    await outbox.delivered(await outbox.take())
    await outbox.close()
    clock.moved_ms = DAY_MS
    await desk.enqueue(arrival())
    events = await EventLog(store).with_tickets(HIP, await read_all(store))
    found = {event.request: event.ticket for event in events if event.kind is EventKind.ACKNOWLEDGEMENT_DELIVERED}
    assert found[refused.request] is None
    ticket = found[first.request]
    assert ticket
    assert ticket.id == place.ticket


async def test_the_end_of_the_day_is_recorded(store: Store) -> None:
    await build(store)
    clock = kolkata()
    clock.moved_ms = midnight_in(clock, ms=60_000)
    desk = open_desk(store, clock)
    await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="clerk")
    clock.moved_ms += 65_000
    await desk.call_next(HIP, "M1", by="clerk")
    last = (await read_all(store))[-1]
    assert (last.kind, _ticket(last).state, last.by) == (EventKind.LAPSED, State.LAPSED, "")


async def test_a_facility_gets_no_events_of_another_one_in_its_partition(store: Store) -> None:
    registry, by_partition = Registry(store), dict[str, list[str]]()
    for number in range(60):  # more than partitions: two of them share one
        by_partition.setdefault(partition_of(facility_root(f"IN{number}")), []).append(f"IN{number}")
    pair = next(hips for hips in by_partition.values() if len(hips) > 1)[:2]
    for hip in pair:
        await registry.put_facility(Facility(hip_id=hip, name=hip))
        await registry.put_queue(hip, Queue(id="q", name="Q", prefix="Q"), 1)
    desk = open_desk(store)
    await asyncio.gather(*(desk.enqueue(arrival(facility=pair[n % 2], text="Q1")) for n in range(40)))
    for hip in pair:
        events = await read_all(store, hip)
        assert sorted(_ticket(event).token for event in events) == [f"Q-{n:03d}" for n in range(1, 21)]
        assert {event.facility_key for event in events} == {facility_key(hip)}
        cursors = [tuple(map(int, event.cursor.split("-"))) for event in events]
        assert cursors == sorted(set(cursors))


async def test_a_reader_continues_where_it_stopped(store: Store, desk: OpdDesk) -> None:
    for _ in range(5):
        await desk.enqueue(arrival())
    page = await EventLog(store).read(HIP, limit=3)
    assert len(page.events) == 3
    await desk.enqueue(arrival())
    rest = await read_all(store, after=page.cursor)
    assert [_ticket(event).token for event in rest] == ["M-004", "M-005", "M-006"]
    assert await read_all(store, after=await EventLog(store).newest(HIP)) == []


async def test_a_consumer_that_dies_in_its_work_gets_the_same_events_again(
    store: Store, desk: OpdDesk, valkey_url: str
) -> None:
    """A consumer must store its cursor after its work. If it is killed before that, it misses nothing."""
    done, cursors = list[str](), dict[str, str]()

    async def consume(store: Store, *, die_after: int, stop_at: int) -> None:
        seen = 0
        async for partition, events in EventLog(store).follow(cursors):
            for event in events:
                if (seen := seen + 1) > die_after:
                    raise asyncio.CancelledError
                done.append(event.id)
                cursors[partition] = event.cursor
            if len(set(done)) >= stop_at:
                return

    for _ in range(10):
        await desk.enqueue(arrival())
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await consume(store, die_after=4, stop_at=99)
        for _ in range(10):
            await desk.enqueue(arrival())
        second = await open_store(valkey_url)
        await consume(second, die_after=99, stop_at=20)
        await second.close()
    assert len(done) == 20
    assert done == [event.id for event in await read_all(store)]


@pytest.mark.slow
async def test_the_log_is_bounded_by_count(store: Store, desk: OpdDesk) -> None:
    key = events_key(partition_of(facility_root(HIP)))
    await desk.enqueue(arrival())
    fields = ("f", "abcdefghijkl", "i", "1-1", "t", "packed")
    for _ in range(27):
        await asyncio.gather(*[store.call(key, "XADD", key, "*", *fields) for _ in range(4_000)])
    await desk.call_next(HIP, "M1", by="clerk")
    stored = await store.call(key, "XLEN", key)
    assert isinstance(stored, int)
    assert 100_000 <= stored < 101_000
    page = await EventLog(store).read(HIP, after=await EventLog(store).newest(HIP))
    assert page.events == []


async def test_events_older_than_three_days_are_dropped_with_a_new_day_and_younger_ones_are_not(store: Store) -> None:
    await build(store)
    key, clock = events_key(partition_of(facility_root(HIP))), kolkata()
    now_ms = clock.values()[0]
    fields = ("f", facility_key(HIP), "i", "1-1", "t", "packed")
    for days in (6, 5, 2, 1):
        for number in range(200):
            await store.call(key, "XADD", key, f"{now_ms - days * 86_400_000}-{number}", *fields)
    desk = open_desk(store, clock)
    await desk.enqueue(arrival())
    clock.moved_ms = 86_400_000
    await desk.call_next(HIP, "M1", by="clerk")
    stored = await store.call(key, "XRANGE", key, "-", "+")
    assert isinstance(stored, list)
    ages = [(now_ms - int(entry[0].split(b"-")[0])) // 86_400_000 for entry in stored]
    assert 6 not in ages
    assert ages.count(2) == ages.count(1) == 200


async def test_a_cursor_has_all_events_after_it_until_one_of_them_is_dropped(store: Store, desk: OpdDesk) -> None:
    log, partition = EventLog(store), partition_of(facility_root(HIP))
    key = events_key(partition)
    assert await log.has_all_after(partition, OLDEST), "no event yet"
    for number in range(3):
        await desk.enqueue(arrival(person=str(number)))
    first, _, last = [event.cursor for event in await read_all(store)]
    cursors = (OLDEST, first, last)
    assert [await log.has_all_after(partition, cursor) for cursor in cursors] == [True, True, True]
    await store.call(key, "XTRIM", key, "MAXLEN", 1)
    assert [await log.has_all_after(partition, cursor) for cursor in cursors] == [False, False, True]


async def test_an_emptied_log_does_not_claim_to_have_what_was_dropped(store: Store, desk: OpdDesk) -> None:
    log, partition = EventLog(store), partition_of(facility_root(HIP))
    for number in range(2):
        await desk.enqueue(arrival(person=str(number)))
    first, _ = await read_all(store)
    await store.call(events_key(partition), "XTRIM", events_key(partition), "MAXLEN", 0)
    assert not await log.has_all_after(partition, first.cursor)
