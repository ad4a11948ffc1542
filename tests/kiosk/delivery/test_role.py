"""The delivery role: everything once at least, each ticket in its order, and no receiver delays another."""

import asyncio
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from msgspec import structs

from kiosk.delivery import courier
from kiosk.delivery import role as role_module
from kiosk.observability import metrics
from queueing.audit import Act, Audit
from queueing.event_log import Event, EventLog, cursor_numbers
from queueing.models import Facility, Queue
from queueing.redis_keys import STAFF_SLOT, events_key, facility_root, partition_of
from queueing.registry import Registry
from queueing.store.store import Store
from queueing.targets import EVERY_FACILITY, TargetFormat, Targets
from tests.kiosk.delivery.receiver import Received, Receiver, receiving
from tests.kiosk.delivery.running import MEENA, SECRET, added, reached, role, until
from tests.ports import free_port
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio

PATIENCE_S = 30


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of the contract, a hundred times shorter."""
    monkeypatch.setattr(courier, "PACE_MS", (50, 100, 200))
    monkeypatch.setattr(courier, "LAST_PACE_MS", 300)
    monkeypatch.setattr(role_module, "TICK_S", 0.02)
    monkeypatch.setattr(role_module, "SAVE_S", 0.05)
    monkeypatch.setattr(role_module, "REFRESH_S", 0.05)


async def visits(store: Store, count: int, *, finish: bool = True) -> list[str]:
    """People who come, are called and are done: created, called, done for each. Their ticket ids."""
    desk, ids = open_desk(store), []
    for _ in range(count):
        place = await desk.enqueue(arrival())
        ids.append(place.ticket)
        if finish:
            called = await desk.call_next(HIP, "M1", by="clerk")
            assert called.ticket
            await desk.finish(HIP, called.ticket.id, by="clerk")
    return ids


def by_ticket(receiver: Receiver) -> dict[str, list[str]]:
    """Types of the events that were taken, each id once, by ticket."""
    seen: set[str] = set()
    types: dict[str, list[str]] = defaultdict(list)
    for one in receiver.taken:
        event = one.event
        if event["id"] not in seen and event["data"].get("ticket"):
            seen.add(event["id"])
            types[event["data"]["ticket"]["id"]].append(event["type"])
    return types


def has_whole(receiver: Receiver, ticket: str) -> bool:
    return by_ticket(receiver) == {ticket: WHOLE}


WHOLE = ["ticket.created", "ticket.called", "ticket.done"]


async def test_every_event_arrives_signed_and_in_order(store: Store, receiver: Receiver) -> None:
    await build(store)
    target = await added(store, receiver.url)
    async with role(store):
        ids = await visits(store, 5)
        await until(lambda: [by_ticket(receiver).get(one) for one in ids] == [WHOLE] * 5)
        state = await reached(store, target, lambda one: len(one.deliveries) == 15)
    receiver.verify_all(SECRET)
    event = receiver.received[0].event
    assert event["facility"] == HIP
    assert "profile" not in event["data"]
    assert state.progress.failed == []
    assert {(one.result, one.status, one.answer) for one in state.deliveries} == {("delivered", "200", "taken")}


async def test_an_event_is_delivered_when_it_happens_and_waits_for_no_look_at_the_store(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for look in ("TICK_S", "SAVE_S", "REFRESH_S", "FACTS_S"):
        monkeypatch.setattr(role_module, look, 3_600.0)
    await build(store)
    await added(store, receiver.url)
    async with role(store) as working:
        await until(lambda: bool(working._couriers))
        await visits(store, 1, finish=False)
        await until(lambda: bool(receiver.taken))


async def test_what_happened_before_the_target_is_not_sent_until_it_is_replayed(
    store: Store, receiver: Receiver, fast: None
) -> None:
    await build(store)
    (before,) = await visits(store, 1)
    target = await added(store, receiver.url)
    async with role(store):
        (after,) = await visits(store, 1)
        await until(lambda: by_ticket(receiver) == {after: WHOLE})
        await Targets(store).replay(target.id, "0")
        await until(lambda: by_ticket(receiver) == {after: WHOLE, before: WHOLE})


async def test_only_the_types_that_were_asked_for_are_sent(store: Store, receiver: Receiver) -> None:
    await build(store)
    await added(store, receiver.url, events=("ticket.done",))
    async with role(store):
        ids = await visits(store, 3)
        await until(lambda: len(by_ticket(receiver)) == 3)
    assert by_ticket(receiver) == {one: ["ticket.done"] for one in ids}


async def test_another_facilitys_events_are_not_sent(store: Store, receiver: Receiver) -> None:
    await build(store)
    await Registry(store).put_facility(Facility(hip_id="IN0110000999", name="Other"))
    await added(store, receiver.url, facility="IN0110000999")
    with receiving() as every:
        await added(store, every.url, facility=EVERY_FACILITY)
        async with role(store):
            ids = await visits(store, 2)
            await until(lambda: by_ticket(every) == dict.fromkeys(ids, WHOLE))
    assert receiver.received == []


async def test_an_act_about_a_login_does_not_stop_a_target_of_all_facilities(store: Store, receiver: Receiver) -> None:
    await build(store)
    await added(store, receiver.url, facility=EVERY_FACILITY)
    async with role(store) as working:
        await visits(store, 1)
        await until(lambda: len(by_ticket(receiver)) == 1)
        before = working.position(STAFF_SLOT)
        await Audit(store).record_of_staff(EVERY_FACILITY, Act(kind="password_changed", by="state"))
        await until(lambda: working.position(STAFF_SLOT) != before)
        ids = await visits(store, 1)
        await until(lambda: ids[0] in by_ticket(receiver))


async def test_a_failed_ticket_is_tried_again_in_its_order_and_holds_up_no_other(
    store: Store, receiver: Receiver, fast: None
) -> None:
    await build(store)
    await added(store, receiver.url)
    bad: set[str] = set()
    tries: dict[str, int] = defaultdict(int)

    def answer(one: Received) -> tuple[int, bytes]:
        ticket = one.event["data"]["ticket"]["id"]
        bad.update(() if bad else (ticket,))
        tries[ticket] += 1
        return (500, b"") if ticket in bad and tries[ticket] <= 3 else (200, b"")

    receiver.answer = answer
    async with role(store):
        ids = await visits(store, 4)
        await until(lambda: len(by_ticket(receiver)) >= 3)
        assert bad.isdisjoint(by_ticket(receiver)) or tries[next(iter(bad))] > 3
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))


async def test_tries_that_were_on_their_way_when_a_target_went_down_do_not_delay_its_probes(
    store: Store, receiver: Receiver, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight tries fail at about the same time. Counted as probes they would lead to the longest pause at once."""
    monkeypatch.setattr(courier, "LAST_PACE_MS", 60_000)
    await build(store)
    target = await added(store, receiver.url)
    together = threading.Barrier(courier.LANES_AT_ONCE)

    def refuse(_one: Received) -> tuple[int, bytes]:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)
        return 500, b""

    receiver.answer = refuse
    async with role(store):
        ids = await visits(store, 4 * courier.LANES_AT_ONCE, finish=False)
        await reached(store, target, lambda one: one.progress.down_since_ms > 0)
        receiver.answer = lambda _one: (200, b"")
        await until(lambda: len(by_ticket(receiver)) == len(ids))


async def test_a_dead_target_goes_down_and_delays_nobody(store: Store, receiver: Receiver, fast: None) -> None:
    await build(store)
    port = free_port()
    dead = await added(store, f"http://127.0.0.1:{port}/events")
    await added(store, receiver.url)
    async with role(store) as working:
        ids = await visits(store, 30)
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))
        await until(lambda: working._couriers[dead.id].is_down)
        assert working._couriers[dead.id].pending >= 80
        with receiving(port) as back:
            await until(lambda: by_ticket(back) == dict.fromkeys(ids, WHOLE))
            await until(lambda: working._couriers[dead.id].pending == 0)
            await reached(store, dead, lambda one: not one.progress.failed and not one.progress.down_since_ms)


async def test_410_switches_off_and_an_administrator_switches_on_again(
    store: Store, receiver: Receiver, fast: None
) -> None:
    await build(store)
    target = await added(store, receiver.url)
    receiver.answer = lambda _one: (410, b"")
    async with role(store):
        ids = await visits(store, 2)
        targets = Targets(store)
        await reached(store, target, lambda one: one.target.off == "410")
        received = len(receiver.received)
        await asyncio.sleep(0.5)
        assert len(receiver.received) <= received + courier.LANES_AT_ONCE
        receiver.answer = lambda _one: (200, b"")
        await targets.switch_on(target.id)
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))


def parked_webhooks() -> float:
    page = metrics.exposition(metrics.Facts(store_up=True, promise="disk", replies_pending=0)).decode()
    found = re.search(r'^kiosk_deliveries_total\{kind="webhook",result="parked"\} (\S+)$', page, re.MULTILINE)
    assert found, "a counter must stand at 0 before its first event, or no rise is seen"
    return float(found[1])


async def test_after_three_days_an_event_is_parked_and_can_be_sent_again(
    store: Store, receiver: Receiver, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await build(store)
    target = await added(store, receiver.url)
    monkeypatch.setattr(courier, "PARK_AFTER_MS", 300)
    receiver.answer = lambda _one: (500, b"")
    targets, counted = Targets(store), parked_webhooks()
    async with role(store):
        (ticket,) = await visits(store, 1, finish=False)
        parked = (await reached(store, target, lambda one: bool(one.progress.parked))).progress.parked
        assert [one.type for one in parked] == ["ticket.created"]
        assert parked_webhooks() == counted + 1, "the alert of parked deliveries stands on this"
        receiver.answer = lambda _one: (200, b"")
        await targets.send_again(target.id, parked[0].ref, 1)
        await until(lambda: by_ticket(receiver) == {ticket: ["ticket.created"]})
    assert "parked" in {one.result for one in (await targets.one(target.id)).deliveries}


async def test_a_profile_goes_only_where_it_was_asked_for_and_switched_on(store: Store, receiver: Receiver) -> None:
    await build(store)
    not_switched_on = await added(store, receiver.url, wants_profiles=True)
    with receiving() as allowed, receiving() as not_asked:
        on = await added(store, allowed.url, wants_profiles=True, profiles_on={HIP: "admin"})
        await added(store, not_asked.url, profiles_on={HIP: "admin"})
        async with role(store):
            (ticket,) = await visits(store, 1)
            for one in (receiver, allowed, not_asked):
                await until(partial(has_whole, one, ticket))
        assert {one.event["data"]["profile"]["name"] for one in allowed.taken} == {MEENA.name}
        assert all("profile" not in one.event["data"] for one in (*receiver.taken, *not_asked.taken))
    entries = [one for one in await Audit(store).read(HIP) if one.kind == "profile_sent"]
    assert [(one.by, one.ticket, one.address) for one in entries] == [(on.id, ticket, "127.0.0.1")] * len(WHOLE)
    assert not_switched_on.id != on.id


async def test_a_fhir_webhook_gets_bundles(store: Store, receiver: Receiver) -> None:
    await build(store)
    await added(store, receiver.url, format=TargetFormat.FHIR)
    async with role(store):
        await visits(store, 1)
        await until(lambda: len(receiver.taken) == 3)
    assert {one.event["resourceType"] for one in receiver.taken} == {"Bundle"}
    assert {one.headers["content-type"] for one in receiver.taken} == {"application/fhir+json"}


async def test_a_second_role_takes_over_and_loses_nothing(store: Store, receiver: Receiver, fast: None) -> None:
    await build(store)
    await added(store, receiver.url)
    ids: list[str] = []
    for number in range(4):
        async with role(store, f"role-{number}"):
            ids += await visits(store, 5)
    async with role(store, "last"):
        ids += await visits(store, 1)
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))


async def test_two_roles_do_not_work_at_once(store: Store, receiver: Receiver) -> None:
    await build(store)
    await added(store, receiver.url)
    async with role(store, "one"), role(store, "two"):
        ids = await visits(store, 5)
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))
        await asyncio.sleep(0.5)
    assert len(receiver.received) == 15


async def test_a_removed_target_gets_nothing_more(store: Store, receiver: Receiver, fast: None) -> None:
    await build(store)
    target = await added(store, receiver.url)
    async with role(store) as working:
        await visits(store, 1)
        await until(lambda: len(receiver.taken) == 3)
        await Targets(store).remove(target.id)
        await until(lambda: target.id not in working._couriers)
        await visits(store, 1)
        await asyncio.sleep(0.3)
    assert len(receiver.received) == 3


async def test_events_that_the_store_dropped_come_from_the_archive(
    store: Store, receiver: Receiver, fast: None
) -> None:
    await build(store)
    target = await added(store, receiver.url)
    ids = await visits(store, 2)
    events = (await EventLog(store).read(HIP)).events
    key = events_key(partition_of(facility_root(HIP)))
    await store.call(key, "XTRIM", key, "MAXLEN", 1)

    async def read_archive(_hip: str, after: str, limit: int) -> list[Event]:
        return [one for one in events if cursor_numbers(one.cursor) > cursor_numbers(after)][:limit]

    async with role(store, read_archive=read_archive):
        await Targets(store).replay(target.id, "0")
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))


def neighbour() -> str:
    """The HIP id of another facility whose events stand in the same partition of the log."""
    own = partition_of(facility_root(HIP))
    return next(hip for hip in (f"IN02{number}" for number in range(10_000)) if partition_of(facility_root(hip)) == own)


async def test_a_target_of_all_facilities_gets_dropped_events_from_the_archive(
    store: Store, receiver: Receiver, fast: None
) -> None:
    hips = (HIP, neighbour())
    await build(store)
    await Registry(store).put_facility(Facility(hip_id=hips[1], name="Neighbour"))
    await Registry(store).put_queue(hips[1], Queue(id="medicine", name="Medicine", prefix="M"), 1)
    target = await added(store, receiver.url, facility=EVERY_FACILITY)
    desk = open_desk(store)
    for number in range(12):
        await desk.enqueue(arrival(facility=hips[number % 5 == 0]))
    archived = {hip: (await EventLog(store).read(hip)).events for hip in hips}
    key = events_key(partition_of(facility_root(HIP)))
    await store.call(key, "XTRIM", key, "MAXLEN", 1)

    async def read_archive(hip: str, after: str, limit: int) -> list[Event]:
        return [one for one in archived[hip] if cursor_numbers(one.cursor) > cursor_numbers(after)][:limit]

    async with role(store, read_archive=read_archive):
        await Targets(store).replay(target.id, "0")
        await until(lambda: set(receiver.ids()) == {one.id for events in archived.values() for one in events})


async def test_what_waits_is_told_for_the_metrics(
    store: Store, receiver: Receiver, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await build(store)
    await added(store, f"http://127.0.0.1:{free_port()}/")
    monkeypatch.setattr(role_module, "FACTS_S", 0.05)
    async with role(store):
        await visits(store, 2)
        facts = None
        async with asyncio.timeout(PATIENCE_S):
            while facts is None or facts.pending["webhook"] != 6:
                await asyncio.sleep(0.05)
                facts = await Targets(store).facts()
        assert facts.pending == {"webhook": 6, "hl7": 0}


async def test_a_target_that_changes_its_address_goes_on_where_it_was(
    store: Store, receiver: Receiver, fast: None
) -> None:
    await build(store)
    target = await added(store, f"http://127.0.0.1:{free_port()}/")
    async with role(store):
        ids = await visits(store, 2)
        await Targets(store).redefine(target.id, lambda one: structs.replace(one, address=receiver.url))
        await until(lambda: by_ticket(receiver) == dict.fromkeys(ids, WHOLE))
