"""A week of a hospital in a minute: what stays in the store is bounded, and everything else expires."""

import asyncio
import re
from collections.abc import Awaitable

import pytest

from queueing import library
from queueing import outbox as outbox_room
from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Facility, Moved, Queue
from queueing.outbox import GROUP, Outbox
from queueing.redis_keys import LIBRARIES_KEY, changes_key, facility_root, outbox_key, partition_of
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import again, arrival, kolkata, midnight_in, open_desk

pytestmark = pytest.mark.anyio

HIPS = ("IN0100000001", "IN0100000002", "IN0100000003")
PATIENTS = 60
"""A day, in each hospital."""
DAYS = 7
LONGEST_LIFE_S = 3 * 24 * 3600
"""Of anything that belongs to a day."""


async def test_after_a_week_the_store_holds_no_more_than_after_the_second_day(store: Store) -> None:
    await build(store)
    clock = kolkata()
    desk, relay = open_desk(store, clock), Outbox(store, "relay")
    lasting = []
    for _ in range(DAYS):
        for hip in HIPS:
            await one_day(desk, hip)
        await deliver_pending(relay)
        lasting.append(await kept_for_ever(store))
        clock.moved_ms += midnight_in(clock, ms=0)
    await relay.close()
    second, *later = lasting[1:]
    for remaining in later:
        assert remaining.keys() == second.keys()
        assert sum(remaining.values()) < sum(second.values()) * 1.05, {
            key: (second[key], remaining[key]) for key in remaining
        }


async def build(store: Store) -> None:
    registry = Registry(store)
    for hip in HIPS:
        await registry.put_facility(Facility(hip_id=hip, name="District Hospital"))
        await registry.put_queue(hip, Queue(id="medicine", name="Medicine", prefix="M", carry_over_min=0), 2)
        await registry.put_queue(hip, Queue(id="registration", name="Registration", prefix="R", carry_over_min=0), 1)
    # The store keeps a bounded number of changes. A week of three small hospitals does not reach the bound, so it is
    # filled before they begin.
    row = ("f", "abcdefghijkl", "k", "transferred", "n", "M-001", "c", "M1", "b", "clerk")
    for changes in {changes_key(partition_of(facility_root(hip))) for hip in HIPS}:
        for _ in range(2):
            await asyncio.gather(*[store.call(changes, "XADD", changes, "*", *row) for _ in range(2_500)])


async def one_day(desk: OpdDesk, hip: str) -> None:
    """One day with every kind of move. Some people are still in line at the end."""
    arrivals = [arrival(facility=hip, lane=Lane(number % 4)) for number in range(PATIENTS)]
    await asyncio.gather(*map(desk.enqueue, arrivals))
    await asyncio.gather(*map(desk.enqueue, arrivals[:10]))
    for person in arrivals[10:20]:
        await desk.enqueue(again(person))
    for _ in range(3):
        await desk.enqueue(arrival(facility=hip, text="a poster of another house"))
        await desk.enqueue(arrival(facility=f"not ours {hip}"))
    for _ in range(5):
        called = await ticket(desk.call_next(hip, "M1", by="clerk"))
        await desk.recall(hip, "M1", by="clerk")
        await desk.start(hip, called, by="clerk")
        await desk.finish(hip, called, by="clerk")
        missed = await ticket(desk.call_next(hip, "M2", by="other"))
        await desk.no_show(hip, missed, by="other")
        held = await ticket(desk.call_next(hip, "M2", by="other"))
        await desk.hold(hip, held, by="other")
        await desk.undo(hip, "M2", by="other")
        sent_on = await ticket(desk.call_next(hip, "M1", by="clerk"))
        await desk.transfer(hip, sent_on, to="registration", by="clerk")
        await desk.cancel(hip, await ticket(desk.call_next(hip, "R1", by="third")), by="third")
    for number in range(5):
        await desk.running_token(
            hip, counter="", text="M1", request=f"{hip}-{number}", fingerprint=b"asked it", envelope=b"sealed envelope"
        )


async def ticket(move: Awaitable[Moved]) -> str:
    moved = (await move).ticket
    assert moved
    return moved.id


async def deliver_pending(relay: Outbox) -> None:
    """Deliver all pending replies except a few."""
    parked = 0
    while pending_replies := await relay.take(wait_ms=1):
        for pending in pending_replies[: 3 - parked]:
            await relay.park(pending, "the gateway answered 404")
            parked += 1
        await relay.delivered(pending_replies)


async def kept_for_ever(store: Store) -> dict[bytes, int]:
    """Bytes of every key without an end; what has an end has it soon. The key of the present day goes by one name on
    every day; the event log has its own bounds (test_event_log.py).
    """
    client = store.client()
    remaining: dict[bytes, int] = {}
    async for key in client.scan_iter(count=1_000):
        ends_s = await client.ttl(key)
        assert ends_s <= LONGEST_LIFE_S, key
        if ends_s < 0 and not key.endswith(b":events"):
            remaining[re.sub(rb":\d{5}$", b":DAY", key)] = await client.memory_usage(key, samples=0) or 0
    return remaining


async def test_a_relay_that_is_long_gone_is_forgotten_and_what_it_claimed_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await build(store)
    desk, reply_wanted = open_desk(store), outbox_key(partition_of(facility_root(HIPS[0])))
    await desk.enqueue(arrival(facility=HIPS[0]))
    for name in ("holds a pending reply", "holds nothing"):
        await Outbox(store, name).take(wait_ms=1)
    assert await relays(store, reply_wanted) == {b"holds a pending reply", b"holds nothing"}
    monkeypatch.setattr(outbox_room, "GONE_AFTER_MS", 50)
    await asyncio.sleep(0.1)
    new = Outbox(store, "new")
    assert await new.take(wait_ms=1) == []
    assert await relays(store, reply_wanted) == {b"holds a pending reply", b"new"}
    assert await new.backlog() == 1


async def relays(store: Store, reply_wanted: str) -> set[bytes]:
    return {row["name"] for row in await store.client().xinfo_consumers(reply_wanted, GROUP)}


async def test_functions_of_releases_long_gone_are_forgotten(store: Store) -> None:
    await store.each_primary("FUNCTION", "FLUSH")  # other tests of this server loaded libraries of their own
    for age in range(1, 5):
        body = f"redis.register_function('old_{age}', function() return 1 end)"
        await store.each_primary("FUNCTION", "LOAD", f"#!lua name=kiosk_{age}\n{body}")
        await store.call(LIBRARIES_KEY, "HSET", LIBRARIES_KEY, f"kiosk_{age}", 10 - age)
    await store.each_primary("FUNCTION", "LOAD", "#!lua name=anothers\nredis.register_function('a', function() end)")
    await library.load(store)
    left = {row[b"library_name"] for row in await libraries(store)}
    assert left == {b"anothers", b"kiosk_1", b"kiosk_2", f"kiosk_{library.version()}".encode()}


async def libraries(store: Store) -> list[dict[bytes, bytes]]:
    (row,) = await store.each_primary("FUNCTION", "LIST")
    assert isinstance(row, list)
    return [dict(zip(one[::2], one[1::2], strict=True)) for one in row]
