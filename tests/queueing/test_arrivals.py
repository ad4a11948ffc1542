"""Arrivals of one turn of the event loop go to the store in one call, and none disturbs another."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from queueing import library
from queueing.arrivals import TOGETHER
from queueing.desk import OpdDesk
from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused
from queueing.models import Arrival, Facility, Outcome, Place, Queue
from queueing.redis_keys import facility_root
from queueing.registry import Registry
from queueing.store.store import Store, open_store
from tests.ports import free_ports
from tests.queueing.a_facility import again, arrival, build, open_desk
from tests.queueing.chaotic_server import Hostile, hostile
from tests.queueing.real_cluster import RealNode, answers, eventually

pytestmark = pytest.mark.anyio
IN_FLIGHT = 4
"""A greeting needs as many."""


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    return open_desk(store)


async def come(desk: OpdDesk, *arrivals: Arrival) -> list[Place | BaseException]:
    """Send all arrivals in one turn of the event loop."""
    return await asyncio.gather(*map(desk.enqueue, arrivals), return_exceptions=True)


def tokens(places: list[Place | BaseException]) -> list[str]:
    return [place.token if isinstance(place, Place) else type(place).__name__ for place in places]


async def calls_made(store: Store) -> int:
    reported = await store.call("", "INFO", "commandstats")
    assert isinstance(reported, bytes)
    found = re.search(rb"cmdstat_fcall:calls=(\d+)", reported)
    return int(found[1]) if found else 0


async def another_hospital(store: Store, hip: str, timezone: str = "") -> None:
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id=hip, name="Another", timezone=timezone))
    await registry.put_queue(hip, Queue(id="q", name="Q", prefix="Q"), 1)


async def test_arrivals_of_one_turn_of_the_loop_share_calls(desk: OpdDesk, store: Store) -> None:
    await another_hospital(store, "other")
    before = await calls_made(store)
    places = await come(desk, *[arrival(), arrival(facility="other", text="")] * TOGETHER)
    assert await calls_made(store) - before == 2
    assert {"M-001", "Q-001"} <= set(tokens(places))


async def test_more_arrivals_than_one_call_takes_get_numbers_in_order(desk: OpdDesk) -> None:
    assert tokens(await come(desk, *[arrival() for _ in range(TOGETHER + 1)])) == [
        f"M-{number:03d}" for number in range(1, TOGETHER + 2)
    ]


async def test_each_arrival_gets_its_own_answer(desk: OpdDesk) -> None:
    old = arrival()
    await desk.enqueue(old)
    places = await come(desk, arrival(), again(old), old, arrival(facility="nobody's"))
    assert [(place.outcome, place.token) for place in places if isinstance(place, Place)] == [
        (Outcome.NEW, "M-002"),
        (Outcome.SAME_PERSON, "M-001"),
        (Outcome.SAME_REQUEST, "M-001"),
        (Outcome.REFUSED, ""),
    ]


async def test_an_arrival_that_fails_in_the_store_fails_alone(desk: OpdDesk, store: Store) -> None:
    await another_hospital(store, "broken")
    await store.call(facility_root("broken"), "SET", f"{facility_root('broken')}:w:q", "planted")
    places = await come(desk, arrival(), arrival(facility="broken", text=""), arrival(), arrival())
    assert tokens(places) == ["M-001", "StoreRefused", "M-002", "M-003"]
    broken = places[1]
    assert isinstance(broken, StoreRefused)
    assert broken.code == "WRONGTYPE"


async def test_an_arrival_that_the_function_cannot_read_harms_no_other(
    desk: OpdDesk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours in one arrival, which raises an error of Lua and not of a command."""
    packed = library.pack_values

    def broken(*values: object) -> bytes:
        return b"\xc1" if "mistake" in values else packed(*values)

    monkeypatch.setattr(library, "pack_values", broken)
    assert tokens(await come(desk, arrival(), arrival(request="mistake"), arrival())) == [
        "M-001",
        "StoreRefused",
        "M-002",
    ]


async def test_hospitals_of_other_time_zones_may_come_in_the_same_turn(desk: OpdDesk, store: Store) -> None:
    await another_hospital(store, "island", timezone="Pacific/Kiritimati")
    for number in (1, 2):
        places = await come(desk, arrival(), arrival(facility="island", text=""), arrival())
        assert tokens(places) == [f"M-{2 * number - 1:03d}", f"Q-{number:03d}", f"M-{2 * number:03d}"]


async def test_a_store_without_our_functions_gets_them_and_everybody_a_number(desk: OpdDesk, store: Store) -> None:
    await store.each_primary("FUNCTION", "FLUSH")
    places = await come(desk, *[arrival() for _ in range(2 * TOGETHER)])
    assert sorted(tokens(places)) == [f"M-{number:03d}" for number in range(1, 2 * TOGETHER + 1)]


async def test_a_cancelled_arrival_does_not_disturb_the_others(desk: OpdDesk) -> None:
    waiting = [asyncio.create_task(desk.enqueue(arrival())) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    places = await asyncio.gather(*waiting, return_exceptions=True)
    assert tokens(places) == ["M-001", "CancelledError", "M-003"]


async def test_a_cut_leaves_all_arrivals_in_flight_in_doubt() -> None:
    async with hostile() as server, opened(f"redis://127.0.0.1:{server.port}") as store:
        server.answer = lambda command: None
        async with asyncio.TaskGroup() as tasks:
            coming = tasks.create_task(come(open_desk(store), *[arrival() for _ in range(TOGETHER + 1)]))
            await heard(server)
            server.cut_all()
        failures = coming.result()
        assert {type(failure) for failure in failures} == {InDoubt}
        assert len(set(map(id, failures))) == TOGETHER + 1


async def test_every_arrival_learns_that_the_store_is_away_or_busy() -> None:
    async with hostile() as server:
        async with opened(f"redis://127.0.0.1:{server.port}", in_flight=IN_FLIGHT) as store:
            server.answer = lambda command: None
            async with asyncio.TaskGroup() as tasks:
                coming = tasks.create_task(
                    come(open_desk(store), *[arrival() for _ in range((IN_FLIGHT + 1) * TOGETHER)])
                )
                await heard(server)
                await server.stop()
            failures = [type(failure) for failure in coming.result()]
            assert failures == [InDoubt] * IN_FLIGHT * TOGETHER + [StoreBusy] * TOGETHER
            away = await come(open_desk(store), *[arrival() for _ in range(TOGETHER)])
            assert [type(failure) for failure in away] == [StoreAway] * TOGETHER


async def heard(server: Hostile) -> None:
    """Wait until the server has the first call."""
    async with asyncio.timeout(10):
        while not server.seen:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_server_in_cluster_mode_is_asked_for_one_slot_at_a_time(tmp_path: Path) -> None:
    """One node that owns all slots can also be reached by a plain address."""
    port, bus_port = free_ports(2)
    node = RealNode(tmp_path / "node", port, bus_port)
    try:
        eventually(lambda: answers(node))
        node.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: "cluster_state:ok" in node.ask("CLUSTER", "INFO"))
        async with opened(f"redis://127.0.0.1:{port}") as store:
            await build(store)
            await another_hospital(store, "other")
            places = await come(open_desk(store), arrival(), arrival(facility="other", text=""), arrival())
            assert tokens(places) == ["M-001", "Q-001", "M-002"]
    finally:
        node.process.kill()
        node.process.wait()


@contextlib.asynccontextmanager
async def opened(url: str, *, in_flight: int = 4096) -> AsyncIterator[Store]:
    store = await open_store(url, in_flight=in_flight)
    try:
        yield store
    finally:
        await store.close()
