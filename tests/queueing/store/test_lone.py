"""A shard without a replica: when its primary may go on alone, tested on real nodes and on the rule itself."""

import asyncio
from collections.abc import Iterator

import pytest

from queueing.errors import InDoubt
from queueing.store.lone import LoneRule, Sight, read_sight
from queueing.store.slots import slot_of
from queueing.store.store import Store, open_store
from tests.queueing.real_cluster import PRIMARIES, RealNode, six_nodes

pytestmark = pytest.mark.anyio
ELECTABLE_S = 2 * 1 + 1
"""Node timeout times validity factor, and the ping period, of the nodes below."""
KEY = next(key for key in (f"{{k{n}}}" for n in range(100_000)) if slot_of(key) < 16384 // PRIMARIES)


@pytest.fixture
def nodes() -> Iterator[list[RealNode]]:
    with six_nodes(cluster_replica_validity_factor=1, repl_ping_replica_period=1) as made:
        yield made


async def write(store: Store) -> bool:
    """Make one write. Returns whether it was proved durable."""
    try:
        await store.call(KEY, "INCR", KEY)
        await store.durable(KEY)
    except InDoubt:
        return False
    return True


async def proved_within(store: Store, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while not await write(store):  # noqa: ASYNC110 - the cluster offers no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


@pytest.mark.proof
async def test_a_primary_without_replica_holds_then_goes_on_alone_and_stops_when_it_must(
    nodes: list[RealNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queueing.store.lone.HOLD_S", 1.0)
    url = f"redis+cluster://127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}"
    store, strict = await open_store(url), await open_store(url, may_go_alone=False)
    assert await write(store)
    nodes[PRIMARIES].kill()
    began = asyncio.get_running_loop().time()
    assert not await write(store), "it holds at first"
    assert store.promise == "replica"
    assert await proved_within(store, 20)
    assert asyncio.get_running_loop().time() - began > ELECTABLE_S, "its replica could have been elected until then"
    promises, alone = [store.promise], [store.lone_shards == 1]
    (reply,) = await store.call_durably([(KEY, ("INCR", KEY))])
    assert isinstance(reply, int), "batches go on too"
    assert not await proved_within(strict, 2), "who prefers silence gets it"

    nodes[PRIMARIES].start()
    async with asyncio.timeout(20):
        while store.lone_shards:
            await write(store)
    assert await proved_within(store, 5)
    promises.append(store.promise)
    assert (promises, alone) == (["disk", "replica"], [True])

    nodes[PRIMARIES].kill()
    assert await proved_within(store, 20)
    for other in (1, 2, PRIMARIES + 1, PRIMARIES + 2):
        nodes[other].kill()
    await asyncio.sleep(3)  # longer than the node timeout: the node notices that it has no majority
    results = await asyncio.gather(store.call_durably([(KEY, ("INCR", KEY))]), return_exceptions=True)
    assert not isinstance(results[0][0] if isinstance(results[0], list) else results[0], int), "it may be cut off"
    await store.close()
    await strict.close()


ALONE = Sight(replicas=0, attached=("1", "0"), sees_majority=True, hold_s=22.0)


def test_only_an_unbroken_time_without_replicas_counts() -> None:
    rule = LoneRule()
    for now, sight, lone in [
        (0.0, ALONE, False),
        (21.9, ALONE, False),
        (22.0, ALONE, True),
        (23.0, Sight(replicas=0, attached=("2", "0"), sees_majority=True, hold_s=22.0), False),
        (44.9, Sight(replicas=0, attached=("2", "0"), sees_majority=True, hold_s=22.0), False),
        (45.0, Sight(replicas=0, attached=("2", "0"), sees_majority=True, hold_s=22.0), True),
        (46.0, Sight(replicas=1, attached=("2", "0"), sees_majority=True, hold_s=22.0), False),
        (47.0, ALONE, False),
        (69.0, ALONE, True),
        (70.0, Sight(replicas=0, attached=("1", "0"), sees_majority=False, hold_s=22.0), False),
    ]:
        rule._note(sight, now)
        assert rule.is_lone == lone, now


def settings(timeout: int, factor: int, ping: int) -> list[bytes]:
    pairs = {
        "cluster-node-timeout": timeout,
        "cluster-replica-validity-factor": factor,
        "repl-ping-replica-period": ping,
    }
    return [word for name, value in pairs.items() for word in (name.encode(), b"%d" % value)]


def test_hidden_values_of_the_primary_count_against_going_alone() -> None:
    info = b"role:master\r\nconnected_slaves:0\r\nsync_full:1\r\nsync_partial_ok:0\r\n"
    healthy = b"cluster_state:ok\r\n"
    assert read_sight(info, healthy, settings(5000, 2, 10)) == ALONE
    assert read_sight(info, healthy, settings(15_000, 10, 10)).hold_s == 162, "the server's own defaults"
    assert read_sight(info, healthy, settings(5000, 0, 10)).hold_s == 0, "electable for ever"
    assert read_sight(info, healthy, []).hold_s == 0
    assert read_sight(b"", healthy, settings(5000, 2, 10)).replicas
    assert not read_sight(info, b"cluster_state:fail\r\n", settings(5000, 2, 10)).sees_majority
    assert not read_sight(info.replace(b"master", b"slave"), healthy, settings(5000, 2, 10)).sees_majority
