"""The store as a cluster: six real nodes on this machine, and fake nodes that send wrong answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused
from queueing.store.cluster import ClusterStore
from queueing.store.slots import slot_of
from queueing.store.store import Store, open_store
from tests.queueing.chaotic_server import Command, Hostile, array, bulk, hostile
from tests.queueing.real_cluster import PRIMARIES, RealNode, eventually, six_nodes

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[RealNode]]:
    with six_nodes() as made:
        yield made


@pytest.fixture
async def cluster(nodes: list[RealNode]) -> AsyncIterator[ClusterStore]:
    store = await open_store(f"redis+cluster://127.0.0.1:{nodes[4].port},127.0.0.1:{nodes[0].port}")
    assert isinstance(store, ClusterStore)
    await store.each_primary("FLUSHALL")
    yield store
    await store.close()


def key_in(first: int, last: int) -> str:
    """A key whose slot is between these two."""
    return next(key for key in (f"{{k{n}}}" for n in range(100_000)) if first <= slot_of(key) <= last)


def crc16(data: bytes) -> int:
    """CRC16 XMODEM, bit by bit, as in the specification."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


async def test_slots_are_those_of_the_specification() -> None:
    assert slot_of("123456789") == 0x31C3
    assert slot_of("{user1000}.following") == slot_of(b"{user1000}.followers") == slot_of("user1000")
    assert slot_of("foo{}{bar}") == crc16(b"foo{}{bar}") % 16384
    assert slot_of("foo{bar") == crc16(b"foo{bar") % 16384
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")
    assert slot_of("foo{bar}{zap}") == slot_of("bar")


async def test_every_call_goes_to_the_owner_of_its_slot(cluster: ClusterStore, nodes: list[RealNode]) -> None:
    await asyncio.gather(*[cluster.call(f"k{n}", "SET", f"k{n}", n) for n in range(300)])
    replies = await asyncio.gather(*[cluster.call(f"k{n}", "GET", f"k{n}") for n in range(300)])
    assert replies == [b"%d" % n for n in range(300)]
    sizes = [int(node.ask("DBSIZE")) for node in nodes[:PRIMARIES]]
    assert sum(sizes) == 300
    assert min(sizes) > 50
    assert cluster.promise == "replica"


async def test_a_command_for_each_primary_runs_once_on_each(cluster: ClusterStore, nodes: list[RealNode]) -> None:
    answered = await cluster.each_primary("CLUSTER", "MYID")
    assert sorted(answered, key=str) == sorted((node.id.encode() for node in nodes[:PRIMARIES]), key=str)


async def test_the_client_for_blocking_reads_knows_the_cluster(cluster: ClusterStore) -> None:
    entry = await cluster.call("{a}", "XADD", "{a}", "*", "n", 1)
    client = cluster.client()
    assert await client.xread({"{a}": "0"}, block=1000) == [[b"{a}", [(entry, {b"n": b"1"})]]]


async def test_a_migrating_slot_is_followed_by_ask_and_then_by_moved(
    cluster: ClusterStore, nodes: list[RealNode]
) -> None:
    source, target = nodes[0], nodes[1]
    key = key_in(0, 1000)
    slot = slot_of(key)
    assert await cluster.call(key, "SET", f"{key}:there", "old") == b"OK"
    assert target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id) == "OK"
    assert source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id) == "OK"
    # ASK: keys not yet made are made at the target; others are still answered by the source.
    replies = await asyncio.gather(*[cluster.call(key, "INCR", f"{key}:new") for _ in range(100)])
    assert sorted(replies, key=str) == sorted(range(1, 101), key=str)
    assert await cluster.call(key, "GET", f"{key}:there") == b"old"
    assert source.ask("MIGRATE", "127.0.0.1", target.port, f"{key}:there", 0, 5000) == "OK"
    assert await cluster.call(key, "GET", f"{key}:there") == b"old"
    for node in (target, source, nodes[2]):
        assert node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.id) == "OK"
    # MOVED, and the new map holds.
    replies = await asyncio.gather(*[cluster.call(key, "INCR", f"{key}:new") for _ in range(100)])
    assert sorted(replies, key=str) == sorted(range(101, 201), key=str)
    await cluster.durable(key)
    before = source.ask("INFO", "errorstats")
    assert await cluster.call(key, "GET", f"{key}:new") == b"200"
    assert source.ask("INFO", "errorstats") == before, "the map was not learnt"


async def test_many_barriers_become_few(cluster: ClusterStore, nodes: list[RealNode]) -> None:
    def waits() -> int:
        stats = nodes[2].ask("INFO", "commandstats")
        return int(stats.partition("cmdstat_wait:calls=")[2].partition(",")[0] or 0)

    key = key_in(12000, 16000)
    before = waits()

    async def issue(n: int) -> None:
        await cluster.call(key, "SET", f"{key}:{n}", n)
        await cluster.durable(key)

    await asyncio.gather(*[issue(n) for n in range(500)])
    assert 1 <= waits() - before <= 50
    assert nodes[5].ask("DBSIZE") == nodes[2].ask("DBSIZE"), "the replica has everything that was waited for"


async def test_without_an_answering_replica_nothing_is_durable(cluster: ClusterStore, nodes: list[RealNode]) -> None:
    key = key_in(12000, 16000)
    await cluster.call(key, "SET", key, 1)
    await cluster.durable(key)
    with nodes[5].paused():
        await cluster.call(key, "SET", key, 2)
        results = await asyncio.gather(*[cluster.durable(key) for _ in range(10)], return_exceptions=True)
        assert {type(result) for result in results} == {InDoubt}
        other = key_in(6000, 10000)
        await cluster.call(other, "SET", other, 1)
        await cluster.durable(other)
    await eventually_durable(cluster, key)


async def test_a_write_before_a_change_of_primary_is_in_doubt_afterwards(
    cluster: ClusterStore, nodes: list[RealNode]
) -> None:
    primary, replica = nodes[1], nodes[4]
    key = key_in(6000, 10000)
    await cluster.call(key, "SET", key, "before")
    assert replica.ask("CLUSTER", "FAILOVER") == "OK"
    eventually(lambda: "role:slave" in primary.ask("INFO", "replication"))
    try:
        # Another task meets the new primary, so the store knows it; this task's write was answered by the old one.
        assert await asyncio.create_task(cluster.call(key, "INCR", f"{key}:n")) == 1
        with pytest.raises(InDoubt):
            await cluster.durable(key)
        await cluster.call(key, "SET", key, "again")
        await eventually_durable(cluster, key)
    finally:
        eventually(lambda: "connected_slaves:1" in replica.ask("INFO", "replication"))
        eventually(lambda: primary.ask("CLUSTER", "FAILOVER") == "OK")
        eventually(lambda: "role:master" in primary.ask("INFO", "replication"))


async def test_callers_outlast_the_loss_of_a_primary(cluster: ClusterStore, nodes: list[RealNode]) -> None:
    """The last test on this cluster, because one node stays dead."""
    key = key_in(2000, 5000)
    counted = await cluster.call(key, "INCR", key)
    await cluster.durable(key)
    nodes[0].process.kill()
    doubts = 0

    async def insist() -> int:
        nonlocal doubts
        async with asyncio.timeout(30):
            while True:
                try:
                    reply = await cluster.call(key, "INCR", key)
                except InDoubt:
                    doubts += 1
                except StoreAway:
                    await asyncio.sleep(0.05)
                else:
                    assert isinstance(reply, int)
                    return reply

    numbers = await asyncio.gather(*[insist() for _ in range(50)])
    assert counted == 1
    assert sorted(numbers)[0] >= 2
    assert len(set(numbers)) == 50
    assert max(numbers) <= 51 + doubts
    assert int(nodes[3].ask("GET", key)) == max(numbers)


async def eventually_durable(store: Store, key: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await store.durable(key)
            except InDoubt:
                await asyncio.sleep(0.05)
                await store.call(key, "SET", key, "again")
            else:
                return


# Fake nodes that send wrong answers.


def map_of(*ranges: tuple[int, int, Hostile]) -> bytes:
    """An answer to CLUSTER SLOTS."""
    rows = [
        array(b":%d\r\n" % first, b":%d\r\n" % last, array(bulk(b"127.0.0.1"), b":%d\r\n" % node.port, bulk(b"id")))
        for first, last, node in ranges
    ]
    return array(*rows)


@contextlib.asynccontextmanager
async def two_liars() -> AsyncIterator[tuple[ClusterStore, Hostile, Hostile]]:
    """A cluster of two fake nodes. By default both answer that the first owns every slot."""
    async with hostile() as one, hostile() as two:
        slot_map = map_of((0, 16383, one))

        def answer(command: Command) -> bytes:
            return slot_map if command[0] == b"CLUSTER" else bulk(command[1]) if len(command) > 1 else b"+OK\r\n"

        one.answer = two.answer = answer
        store = await open_store(f"redis+cluster://127.0.0.1:{one.port},127.0.0.1:{two.port}", in_flight=100)
        assert isinstance(store, ClusterStore)
        try:
            yield store, one, two
        finally:
            await store.close()


def commands(node: Hostile) -> list[Command]:
    return [command for command in node.seen if command[0] != b"CLUSTER"]


async def test_asking_and_its_command_are_never_separated() -> None:
    async with two_liars() as (store, one, two):
        healthy = one.answer
        one.answer = lambda command: (
            healthy(command) if command[0] != b"ECHO" else b"-ASK 1 127.0.0.1:%d\r\n" % two.port
        )
        replies = await asyncio.gather(*[store.call("k", "ECHO", str(n)) for n in range(45)])
        assert replies == [str(n).encode() for n in range(45)]
        seen = commands(two)
        assert [command[0] for command in seen] == [b"ASKING", b"ECHO"] * 45


@pytest.mark.parametrize(
    "error",
    [
        b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        b"-CLUSTERDOWN The cluster is down\r\n",
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-MASTERDOWN Link with MASTER is down\r\n",
        b"-NOREPLICAS Not enough good replicas to write.\r\n",
    ],
)
async def test_a_command_that_was_not_executed_is_tried_until_it_is(error: bytes) -> None:
    async with two_liars() as (store, one, _two):
        healthy, left = one.answer, [3]

        def answer(command: Command) -> bytes | None:
            if command[0] == b"ECHO" and left[0]:
                left[0] -= 1
                return error
            return healthy(command)

        one.answer = answer
        assert await store.call("k", "ECHO", "patient") == b"patient"
        assert len([command for command in one.seen if command[0] == b"ECHO"]) == 4


async def test_after_the_patience_the_last_refusal_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueing.store.cluster.PATIENCE_S", 0.4)
    async with two_liars() as (store, one, two):
        healthy = one.answer
        one.answer = lambda command: (
            healthy(command) if command[0] != b"ECHO" else b"-CLUSTERDOWN The cluster is down\r\n"
        )
        with pytest.raises(StoreRefused) as refused:
            await store.call("k", "ECHO", "a")
        assert refused.value.code == "CLUSTERDOWN"
        one.answer = lambda command: (
            healthy(command) if command[0] != b"ECHO" else b"-MOVED 1 127.0.0.1:%d\r\n" % two.port
        )
        two.answer = lambda command: (
            healthy(command) if command[0] != b"ECHO" else b"-MOVED 1 127.0.0.1:%d\r\n" % one.port
        )
        with pytest.raises(StoreRefused, match="MOVED"):
            await store.call("k", "ECHO", "a")
        assert len(one.seen) < 40, "two nodes that point at each other must not be asked in a tight loop"


async def test_the_number_of_calls_that_wait_for_the_cluster_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueing.store.cluster.PATIENCE_S", 1.0)
    async with two_liars() as (store, one, two):
        await one.stop()
        await two.stop()
        calls = []
        for n in range(150):
            calls.append(asyncio.create_task(store.call("k", "ECHO", str(n))))
            await asyncio.sleep(0)
        results = await asyncio.gather(*calls, return_exceptions=True)
        kinds = [type(result) for result in results]
        assert kinds.count(StoreBusy) >= 40
        assert kinds.count(StoreAway) + kinds.count(InDoubt) == 150 - kinds.count(StoreBusy)


async def test_a_lost_answer_is_in_doubt_and_the_command_is_not_repeated() -> None:
    async with two_liars() as (store, one, _two):
        healthy = one.answer
        one.answer = lambda command: healthy(command) if command[0] != b"INCR" else b"!"
        with pytest.raises(InDoubt):
            await store.call("k", "INCR", "k")
        assert len([command for command in one.seen if command[0] == b"INCR"]) == 1
        one.answer = healthy
        assert await store.call("k", "ECHO", "back") == b"back"


@pytest.mark.parametrize(
    "count", [b":0\r\n", b"-UNBLOCKED force unblock from blocking operation\r\n", b"$1\r\n1\r\n", b"!"]
)
async def test_only_a_count_of_replicas_passes_a_barrier(count: bytes) -> None:
    async with two_liars() as (store, one, _two):
        healthy = one.answer
        one.answer = lambda command: count if command[0] == b"WAIT" else healthy(command)
        await store.call("k", "ECHO", "a")
        with pytest.raises(InDoubt):
            await store.durable("k")
        one.answer = lambda command: b":1\r\n" if command[0] == b"WAIT" else healthy(command)
        await store.call("k", "ECHO", "a")
        await store.durable("k")


async def test_a_cut_between_write_and_barrier_leaves_it_in_doubt() -> None:
    async with two_liars() as (store, one, _two):
        healthy = one.answer
        one.answer = lambda command: b":1\r\n" if command[0] == b"WAIT" else healthy(command)
        await store.call("k", "ECHO", "written")
        one.cut_all()
        await asyncio.create_task(goes_on(store))
        with pytest.raises(InDoubt):
            await store.durable("k")


async def test_a_slot_that_changes_hands_during_the_barrier_leaves_it_in_doubt() -> None:
    async with two_liars() as (store, one, two):
        healthy = one.answer
        one.answer = lambda command: b":1\r\n" if command[0] == b"WAIT" else healthy(command)
        one.held[b"WAIT"] = asyncio.Event()
        await store.call("k", "ECHO", "written")
        barrier = asyncio.create_task(store.durable("k"))
        async with asyncio.timeout(10):
            while [b"WAIT", b"1", b"1500"] not in one.seen:  # noqa: ASYNC110 - the server offers no event
                await asyncio.sleep(0.005)
        passing = one.answer
        moved = b"-MOVED 1 127.0.0.1:%d\r\n" % two.port
        slot_map = map_of((0, 16383, two))
        one.answer = lambda command: (
            slot_map
            if command[0] == b"CLUSTER"
            else moved
            if command[0] == b"GETDEL" and command[1] == b"k"
            else passing(command)
        )
        two.answer = lambda command: slot_map if command[0] == b"CLUSTER" else b"+OK\r\n"
        await asyncio.create_task(store.call("k", "GETDEL", "k"))
        one.held[b"WAIT"].set()
        with pytest.raises(InDoubt):
            await barrier


async def goes_on(store: Store) -> None:
    """Wait until the calls of another task are answered again."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(InDoubt):
                assert await store.call("k", "ECHO", "others go on") == b"others go on"
                return


async def test_a_map_that_cannot_be_read_changes_nothing() -> None:
    async with two_liars() as (store, one, two):
        healthy = one.answer
        for nonsense in (b"*0\r\n", b"*1\r\n*1\r\n:0\r\n", b"+OK\r\n", b"*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$0\r\n\r\n"):

            def lie(command: Command, slot_map: bytes = nonsense) -> bytes | None:
                return slot_map if command[0] == b"CLUSTER" else healthy(command)

            one.answer = two.answer = lie
            with pytest.raises(StoreAway):
                await store.each_primary("PING")
            assert await store.call("k", "ECHO", "a") == b"a"
