"""Events for other programs: the archive hands over what the event log did, once and in its order, for 35 days."""

import time
from typing import Any

import pytest
import sqlalchemy as sa

from kiosk.archive import expiry, public_events, schema, writer
from kiosk.archive import role as role_module
from kiosk.archive.database import ArchiveAway, Database
from kiosk.archive.public_events import events_after
from kiosk.archive.role import Parts
from queueing.desk import OpdDesk
from queueing.event_log import PUBLIC_KINDS, Event, EventKind, EventLog
from queueing.lanes import Lane
from queueing.models import Facility, Queue, Refusal
from queueing.outbox import Outbox
from queueing.redis_keys import facility_key, facility_root, partition_of
from queueing.registry import Registry
from queueing.store.store import Store
from tests.kiosk.archive.archived import archive, at_work, complete, new_ring, parts, seal_of
from tests.kiosk.archive.rows import insert
from tests.queueing.a_facility import HIP, again, arrival, build, open_desk

pytestmark = pytest.mark.anyio

OTHER = "IN0110000456"
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_module, "PAUSE_S", 0.02)
    monkeypatch.setattr(role_module, "FIRST_BACK_OFF_S", 0.02)
    monkeypatch.setattr(role_module, "LAST_BACK_OFF_S", 0.1)


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    await Registry(store).put_facility(Facility(hip_id=OTHER, name="Other"))
    await Registry(store).put_queue(OTHER, Queue(id="medicine", name="Medicine", prefix="M"), 1)
    return open_desk(store)


@pytest.fixture
async def one(store: Store, database: Database, desk: OpdDesk) -> Parts:
    ring = new_ring()
    return parts(store, database, desk, await seal_of(ring, store), ring)


async def a_day(desk: OpdDesk, store: Store) -> None:
    """Something of every kind that the archive must tell apart."""
    person = arrival()
    first = await desk.enqueue(person)
    await desk.enqueue(again(person))
    await desk.enqueue(person)  # redelivered: an event, but not a public one
    await desk.set_lane(HIP, first.ticket, Lane.SENIOR, by="anna")  # neither is this
    await desk.enqueue(arrival(refusal=Refusal.PROFILE))
    await desk.call_this(HIP, "M1", first.ticket, by="anna")
    await desk.start(HIP, first.ticket, by="anna")
    await desk.finish(HIP, first.ticket, by="anna")
    sent_on = await desk.enqueue(arrival())
    await desk.transfer(HIP, sent_on.ticket, to="registration", by="anna")
    for _ in range(3):
        await desk.enqueue(arrival())
        await desk.enqueue(arrival(facility=OTHER))
    parked = arrival()
    await desk.enqueue(parked)
    outbox = Outbox(store, "relay-1")
    while taken := await outbox.take(wait_ms=1):
        for pending in taken:
            if pending.request == parked.request:
                await outbox.park(pending, "the gateway answered 404")
        # Several in one step, of both facilities:
        await outbox.delivered([pending for pending in taken if pending.request != parked.request])
    await outbox.close()


async def logged(store: Store, hip: str) -> list[Event]:
    """The public events of a facility, as the event log has them."""
    page = await EventLog(store).read(hip, limit=500)
    return [event for event in page.events if event.kind in PUBLIC_KINDS]


def archived(database: Database, hip: str, limit: int = 500) -> list[Event]:
    """All events of a facility, read page by page."""
    found: list[Event] = []
    with database.reading() as connection:
        while page := events_after(connection, hip, found[-1].cursor if found else "0", limit):
            found += page
    return found


async def test_the_archive_hands_over_the_public_events_of_the_log_unchanged(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    await a_day(desk, store)
    await archive(one)
    for hip in (HIP, OTHER):
        assert archived(database, hip) == await logged(store, hip)
        assert archived(database, hip, limit=1) == await logged(store, hip)
    kinds = {event.kind for event in archived(database, HIP)}
    assert {EventKind.SHARE_REPEATED, EventKind.SHARE_REFUSED, EventKind.ACKNOWLEDGEMENT_DELIVERED} < kinds
    assert {EventKind.ACKNOWLEDGEMENT_PARKED, EventKind.DONE} < kinds
    [sent_on] = [event.ticket for event in archived(database, HIP) if event.kind is EventKind.TRANSFERRED]
    assert sent_on
    assert [stop.queue for stop in sent_on.stops] == ["medicine"]
    assert not kinds & {EventKind.LANE_CHANGED, EventKind.SHARE_REDELIVERED, EventKind.ACT}


async def test_a_program_goes_on_in_the_log_where_the_archive_ended(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    await desk.enqueue(arrival())
    await archive(one)
    await desk.enqueue(arrival())
    (first,) = archived(database, HIP)
    page = await EventLog(store).read(HIP, first.cursor)
    assert [event.ticket.token for event in page.events if event.ticket] == ["M-002"]


async def test_each_event_stands_once_although_transactions_break(
    store: Store, database: Database, desk: OpdDesk, one: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, broken = writer.write, set[tuple[str, str]]()

    def fragile(connection: sa.Connection, batch: writer.Batch, *arguments: Any) -> None:
        """The first try of each batch breaks, as late as it can."""
        write(connection, batch, *arguments)
        if batch.after != batch.before and (batch.partition, batch.before) not in broken:
            broken.add((batch.partition, batch.before))
            raise ArchiveAway("the power went before the commit")

    monkeypatch.setattr(writer, "write", fragile)
    async with at_work(one):
        await a_day(desk, store)
        await complete(store, database)
    assert {partition for partition, _ in broken} == {partition_of(facility_root(hip)) for hip in (HIP, OTHER)}
    assert archived(database, HIP) == await logged(store, HIP)


async def test_tickets_that_stand_in_for_dropped_events_are_no_events(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    await desk.enqueue(arrival())
    batch = writer.Batch(
        partition="{p}", before="5-1", after="5-1", places={}, origins={}, zone=one.zone,
        events=(await logged(store, HIP)),
    )  # fmt: skip
    with database.writing() as connection:
        connection.execute(sa.insert(schema.cursors), {"partition": "{p}", "cursor": "5-1", "at_ms": 0})
        writer.write(connection, batch, one.month_keys, 1)
    assert archived(database, HIP) == []


def row(ms: int, number: int, place: int = 0, hip: str = HIP) -> dict[str, Any]:
    return {
        "hip_id": hip, "cursor_ms": ms, "cursor_number": number, "place": place, "kind": "acknowledgement.delivered",
        "at_ms": ms, "by": "", "ticket": "", "request": f"{ms}.{number}.{place}", "outcome": "new", "refusal": "",
    }  # fmt: skip


def test_cursors_rise_as_numbers_and_no_step_is_parted(database: Database) -> None:
    at = 1_790_000_000_000
    insert(database, schema.events, row(at, 10), row(at, 9), row(at, 2, 3), row(at, 2, 1), row(at, 2, 0))
    insert(database, schema.events, row(at + 1, 0), row(at, 9, hip=OTHER), row(999, 0))
    key = facility_key(HIP)
    with database.reading() as connection:
        ids = [event.id.removeprefix(f"{key}-") for event in events_after(connection, HIP, "0", 500)]
        in_order = ["999-0", f"{at}-2", f"{at}-2.1", f"{at}-2.3", f"{at}-9", f"{at}-10", f"{at + 1}-0"]
        assert ids == in_order
        steps = [event.id.removeprefix(f"{key}-") for event in events_after(connection, HIP, "999-0", 2)]
        assert steps == in_order[1:4], "the events of one cursor come together"
        assert [event.cursor for event in events_after(connection, HIP, f"{at}-9", 1)] == [f"{at}-10"]
        assert [event.cursor for event in events_after(connection, HIP, str(at), 1)] == [f"{at}-2"] * 3
        assert events_after(connection, HIP, f"{at + 1}-0", 500) == []
        assert events_after(connection, HIP, "18446744073709551615-18446744073709551615", 500) == []
        assert events_after(connection, "IN9", "0", 500) == []
        for nonsense in ("", "x", "1-x", "1-2-3"):
            with pytest.raises(ValueError, match="not a cursor"):
                events_after(connection, HIP, nonsense, 1)


def test_events_are_deleted_after_35_days_in_small_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "FACILITIES_AT_ONCE", 2)
    monkeypatch.setattr(expiry, "EVENTS_AT_ONCE", 3)
    assert public_events.KEEP_MS == 35 * DAY_MS
    now_ms = int(time.time() * 1000)
    hips = [f"IN{number}" for number in range(5)]
    for hip in hips:
        place = {"hip_id": hip, "key": hip, "name": hip, "district": "", "state": "", "timezone": ""}
        insert(database, schema.facilities, place)
        insert(database, schema.events, *(row(now_ms - days * DAY_MS, 0, hip=hip) for days in (0, 34, 36, 37, 90)))
    steps = 0
    behind: str | None = ""
    while behind is not None:
        with database.writing() as connection:
            before = connection.execute(sa.select(sa.func.count()).select_from(schema.events)).scalar_one()
            next_behind = expiry.delete_some_events(connection, now_ms - public_events.KEEP_MS, behind)
            after = connection.execute(sa.select(sa.func.count()).select_from(schema.events)).scalar_one()
            assert before - after <= 3
            behind, steps = next_behind, steps + 1
    assert steps == 8, "three, three, none of two facilities twice; three, none of the last"
    left = {hip: [event.at_ms for event in archived(database, hip)] for hip in hips}
    assert left == {hip: [now_ms - 34 * DAY_MS, now_ms] for hip in hips}
