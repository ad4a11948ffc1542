"""The whole queue on a cluster: functions, outbox and changes on all shards, and a primary that is killed."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from queueing import library
from queueing.api_rates import ApiRates
from queueing.desk import TICKETS_AT_MOST, OpdDesk
from queueing.errors import QueueingError, StoreRefused
from queueing.event_log import EventLog
from queueing.feed import EVERYTHING, Feed
from queueing.models import Arrival, Facility, Outcome, Place, Queue, Ticket
from queueing.outbox import Outbox
from queueing.redis_keys import facility_key, facility_root, partition_of
from queueing.registry import Registry
from queueing.store.slots import slot_of
from queueing.store.store import Store, open_store
from tests.queueing.a_facility import arrival, open_desk
from tests.queueing.real_cluster import PRIMARIES, RealNode, eventually, six_nodes

pytestmark = pytest.mark.anyio
HOSPITALS = [f"IN{number:010d}" for number in range(12)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[RealNode]]:
    with six_nodes() as made:
        yield made


@pytest.fixture
async def store(nodes: list[RealNode]) -> AsyncIterator[Store]:
    opened = await open_store(f"redis+cluster://127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}")
    await opened.each_primary("FLUSHALL")
    await library.load(opened)
    registry = Registry(opened)
    for hip in HOSPITALS:
        await registry.put_facility(Facility(hip_id=hip, name=hip))
        await registry.put_queue(hip, Queue(id="medicine", name="Medicine", prefix="M"), 2)
    yield opened
    await opened.close()


async def test_hospitals_are_spread_and_each_counts_for_itself(store: Store) -> None:
    shards = {slot_of(facility_root(hip).partition("}")[0].strip("{")) * PRIMARIES // 16384 for hip in HOSPITALS}
    assert shards == set(range(PRIMARIES))
    desk = open_desk(store)
    places = await asyncio.gather(*(desk.enqueue(arrival(facility=hip)) for hip in HOSPITALS for _ in range(20)))
    assert sorted(place.token for place in places) == sorted(
        f"M-{number:03d}" for _ in HOSPITALS for number in range(1, 21)
    )
    assert store.promise == "replica"


async def test_replies_of_every_shard_are_taken_and_delivered(store: Store) -> None:
    desk = open_desk(store)
    await asyncio.gather(*(desk.enqueue(arrival(facility=hip)) for hip in HOSPITALS for _ in range(5)))
    outbox = Outbox(store, "relay")
    taken: set[str] = set()
    async with asyncio.timeout(20):
        while len(taken) < 5 * len(HOSPITALS):
            pending_replies = await outbox.take(wait_ms=50)
            taken |= {pending.id for pending in pending_replies}
            await outbox.delivered(pending_replies)
    assert await outbox.backlog() == 0
    await outbox.close()


async def test_changes_of_every_shard_are_read(store: Store) -> None:
    desk, changes = open_desk(store), Feed(store).follow()
    heard: set[str] = set()
    async with asyncio.timeout(20):
        assert await anext(changes) == {EVERYTHING: True}
        for hip in HOSPITALS:
            await desk.enqueue(arrival(facility=hip))
        while len(heard) < len(HOSPITALS):
            heard |= (await anext(changes)).keys() - {EVERYTHING}  # each partition begins with it
    assert heard == {facility_key(hip) for hip in HOSPITALS}
    await changes.aclose()


def calls_of(nodes: list[RealNode], name: str) -> int:
    """How often the primaries executed a command so far."""
    stats = [node.ask("INFO", "commandstats") for node in nodes[:PRIMARIES]]
    return sum(int(one.partition(f"cmdstat_{name}:calls=")[2].partition(",")[0] or 0) for one in stats)


async def test_arrivals_of_one_slot_share_a_call_and_a_barrier(store: Store, nodes: list[RealNode]) -> None:
    desk = open_desk(store)
    await desk.enqueue(arrival(facility=HOSPITALS[0]))
    before = calls_of(nodes, "fcall"), calls_of(nodes, "wait")
    places = await asyncio.gather(*(desk.enqueue(arrival(facility=HOSPITALS[0])) for _ in range(64)))
    assert sorted(place.token for place in places) == [f"M-{number:03d}" for number in range(2, 66)]
    assert calls_of(nodes, "fcall") - before[0] <= 6, "sixteen share a call"
    assert calls_of(nodes, "wait") - before[1] <= 3


async def test_a_cluster_without_our_functions_gets_them_and_everybody_a_number(store: Store) -> None:
    desk = open_desk(store)
    await store.each_primary("FUNCTION", "FLUSH")
    places = await asyncio.gather(*(desk.enqueue(arrival(facility=hip)) for hip in HOSPITALS for _ in range(3)))
    assert sorted({place.token for place in places}) == ["M-001", "M-002", "M-003"]


async def test_on_a_cluster_an_arrival_that_fails_or_is_cancelled_disturbs_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = library.pack_values

    def broken(*values: object) -> bytes:
        return b"\xc1" if "mistake" in values else packed(*values)

    monkeypatch.setattr(library, "pack_values", broken)
    desk = open_desk(store)
    hip = HOSPITALS[0]
    arrivals = (arrival(facility=hip), arrival(facility=hip, request="mistake"), arrival(facility=hip))
    calls = [asyncio.ensure_future(desk.enqueue(one)) for one in arrivals]
    gone = asyncio.ensure_future(desk.enqueue(arrival(facility=hip)))
    await asyncio.sleep(0)
    gone.cancel()
    first, failed, second = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(failed, StoreRefused), failed
    assert {one.token for one in (first, second) if isinstance(one, Place)} <= {"M-001", "M-002", "M-003"}
    assert len({one.token for one in (first, second) if isinstance(one, Place)}) == 2


async def test_a_shard_without_a_replica_does_not_delay_replies_of_other_shards(
    store: Store, nodes: list[RealNode]
) -> None:
    """Replies of the other shards come within seconds. Its own come when its replica is back."""
    desk, outbox = open_desk(store), Outbox(store, "relay")
    alone = [
        hip for hip in HOSPITALS if slot_of(facility_root(hip).partition("}")[0].strip("{")) * PRIMARIES // 16384 == 1
    ]
    await outbox.take(wait_ms=300)
    with nodes[PRIMARIES + 1].paused():
        results = await asyncio.gather(
            *(desk.enqueue(arrival(facility=hip)) for hip in HOSPITALS for _ in range(3)), return_exceptions=True
        )
        in_doubt = [result for result in results if isinstance(result, QueueingError)]
        assert len(in_doubt) == 3 * len(alone)
        handed_over, facilities = set[str](), set[str]()
        async with asyncio.timeout(10):
            while len(handed_over) < 3 * (len(HOSPITALS) - len(alone)):
                pending_replies = await outbox.take(wait_ms=200)
                handed_over |= {pending.id for pending in pending_replies}
                facilities |= {pending.facility_key for pending in pending_replies}
                await outbox.delivered(pending_replies)
        assert facilities == {facility_key(hip) for hip in HOSPITALS if hip not in alone}
    async with asyncio.timeout(30):
        while len(handed_over) < 3 * len(HOSPITALS):
            pending_replies = await outbox.take(wait_ms=200)
            handed_over |= {pending.id for pending in pending_replies}
            await outbox.delivered(pending_replies)
    assert await outbox.backlog() == 0
    await outbox.close()


async def test_a_silent_shard_does_not_delay_screens_and_consumers_of_other_shards(
    store: Store, nodes: list[RealNode]
) -> None:
    desk, changes = open_desk(store), Feed(store).follow()
    others = [hip for hip in HOSPITALS if slot_of(facility_root(hip).partition("}")[0].strip("{")) < 16384 // 3 * 2]
    newest = {partition_of(facility_root(hip)): await EventLog(store).newest(hip) for hip in HOSPITALS}
    events = EventLog(store).follow(newest)
    heard, happened, reset = set[str](), set[str](), 0
    async with asyncio.timeout(30):
        assert await anext(changes) == {EVERYTHING: True}
        with nodes[2].paused():
            await asyncio.gather(*(desk.enqueue(arrival(facility=hip)) for hip in others))
            while not heard >= {facility_key(hip) for hip in others}:
                found = await anext(changes)
                heard |= found.keys()
                reset += EVERYTHING in found
            while not happened >= {facility_key(hip) for hip in others}:
                happened |= {event.facility_key for event in (await anext(events))[1]}
        assert reset <= 6, "the shards that are there are read on, not from their newest again and again"
    await changes.aclose()
    await events.aclose()


async def test_a_rate_of_a_key_is_one_for_all_workers_of_a_cluster(store: Store) -> None:
    taken = await asyncio.gather(*(ApiRates(store).take("a", 100, 60, 3) for _ in range(50)))
    assert sum(window.taken for window in taken) == 33


async def test_no_number_twice_and_none_lost_when_a_primary_dies(store: Store, nodes: list[RealNode]) -> None:
    """Runs last: the shard that loses its primary has no replica left, so only writes answered before are checked."""
    desk = open_desk(store)
    answered: dict[str, list[Place]] = {hip: [] for hip in HOSPITALS}
    stop = asyncio.Event()

    async def patients_of(hip: str) -> None:
        share = arrival(facility=hip)
        while not stop.is_set() and len(answered[hip]) < TICKETS_AT_MOST // 2:
            place = await until_answered(desk, share, stop)
            if place is not None:
                answered[hip].append(place)
                share = arrival(facility=hip)
                await asyncio.sleep(0.01)  # no more come than one list of tickets shows

    crowd = [asyncio.create_task(patients_of(hip)) for hip in HOSPITALS for _ in range(2)]
    await asyncio.to_thread(eventually, lambda: all(answered.values()))
    nodes[0].process.kill()
    successor = nodes[PRIMARIES]
    await asyncio.to_thread(eventually, lambda: "role:master" in successor.ask("INFO", "replication"))
    before = {hip: len(places) for hip, places in answered.items()}
    whole = [hip for hip in HOSPITALS if slot_of(facility_root(hip).partition("}")[0].strip("{")) >= 16384 // 3]
    await asyncio.to_thread(eventually, lambda: all(len(answered[hip]) > before[hip] for hip in whole))
    stop.set()
    await asyncio.gather(*crowd)
    for hip, places in answered.items():
        tokens = [place.token for place in places]
        assert len(tokens) < TICKETS_AT_MOST
        assert len(tokens) == len(set(tokens)), f"a number was given twice at {hip}"
        listed = {ticket.token for ticket in await listed_after_failover(desk, hip)}
        assert set(tokens) <= listed, f"an answered place was lost at {hip}"


async def until_answered(desk: OpdDesk, share: Arrival, stop: asyncio.Event) -> Place | None:
    """Send the same request id until it is answered, as the gateway does."""
    while not stop.is_set():
        try:
            place = await desk.enqueue(share)
        except QueueingError:
            await asyncio.sleep(0.05)
        else:
            assert place.outcome in (Outcome.NEW, Outcome.SAME_REQUEST)
            return place
    return None


async def listed_after_failover(desk: OpdDesk, hip: str) -> list[Ticket]:
    async with asyncio.timeout(30):
        while True:
            try:
                return await desk.tickets(hip, limit=TICKETS_AT_MOST)
            except QueueingError:
                await asyncio.sleep(0.2)
