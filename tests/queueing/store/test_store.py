"""The store on one server: addresses, promises, going away and coming back."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from queueing import library
from queueing.embedded.server import EmbeddedValkey
from queueing.errors import StoreAddressWrong, StoreAway, StoreRefused, StoreUnsuitable
from queueing.store.address import parse_store_url
from queueing.store.store import Store, open_store
from tests.queueing.chaotic_server import INFO, bulk, hostile

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server whose settings a test may change."""
    with EmbeddedValkey(tmp_path / "own") as running:
        yield running


async def test_calls_reach_the_store_and_answers_come_back(store: Store) -> None:
    assert await store.call("a", "SET", "a", 41) == b"OK"
    assert await store.call("a", "INCR", b"a") == 42
    assert await store.call("a", "LRANGE", "none", 0, -1) == []
    assert await store.call("a", "GET", "none") is None
    with pytest.raises(StoreRefused) as refused:
        await store.call("a", "LPUSH", "a", "x")
    assert refused.value.code == "WRONGTYPE"


async def test_the_embedded_store_promises_the_disk(store: Store) -> None:
    assert store.promise == "disk"
    await store.durable("a")


async def test_a_store_that_fsyncs_later_promises_nothing_and_is_noticed_on_reconnection(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "data") as server:
        store = await open_store(server.operator_url)
        promises = [store.promise]
        await store.call("", "CONFIG", "SET", "appendfsync", "everysec")
        await store.client().execute_command("CLIENT", "KILL", "TYPE", "normal")
        with pytest.raises(StoreAway):
            await store.call("", "PING")
        await answers(store)
        promises.append(store.promise)
        await store.close()
    assert promises == ["disk", "none"]


async def test_each_primary_of_one_server_is_that_server(store: Store) -> None:
    assert await store.each_primary("ECHO", "x") == [b"x"]


async def test_a_blocking_reader_has_a_connection_of_its_own(store: Store) -> None:
    client = store.client()
    reading = asyncio.ensure_future(client.xread({"news": "$"}, block=10_000))
    async with asyncio.timeout(10):
        while b"blocked_clients:1" not in await answer_to(store, "INFO", "clients"):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        entry = await store.call("news", "XADD", "news", "*", "n", 7)
        assert await reading == [[b"news", [(entry, {b"n": b"7"})]]]


async def test_a_store_that_restarts_is_away_at_once_and_back_by_itself(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data")
    server.start()
    store = await open_store(server.operator_url)
    await store.call("a", "SET", "a", 1)
    server.stop()
    for _ in range(3):
        with pytest.raises(StoreAway):
            await store.call("a", "GET", "a")
    server.start()
    try:
        await answers(store)
        assert await store.call("a", "GET", "a") == b"1"
    finally:
        await store.close()
        server.stop()


async def test_a_socket_path_longer_than_the_kernel_takes_is_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 12) / ("जिला" * 12) / "data"
    assert len(os.fsencode(folder)) > 200
    with EmbeddedValkey(folder) as server:
        store = await open_store(server.operator_url)
        assert await store.call("a", "SET", "a", 1) == b"OK"
        assert await store.client().get("a") == b"1"
        await store.close()


async def test_a_store_that_is_not_there_is_reported_after_a_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queueing.store.store.OPEN_WITHIN_S", 0.3)
    with pytest.raises(StoreAway, match="No such file"):
        await open_store(f"unix://{tmp_path}/valkey.sock")


async def test_an_old_server_is_refused_with_a_message() -> None:
    async with hostile() as server:
        server.greeting[b"INFO"] = bulk(b"redis_version:7.0.15\r\n")
        with pytest.raises(StoreUnsuitable, match=r"redis 7\.0\.15; needed is Valkey 8\.0 or newer, or Redis 7\.2"):
            await open_store(f"redis://127.0.0.1:{server.port}")


EVICTING = [
    "volatile-lru",
    "volatile-ttl",
    "volatile-random",
    "volatile-lfu",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
]


@pytest.mark.parametrize("policy", EVICTING)
async def test_a_store_that_evicts_is_refused_in_one_line(server: EmbeddedValkey, policy: str) -> None:
    opened = await open_store(server.operator_url)
    assert opened.eviction_policy == "noeviction"
    await opened.call("", "CONFIG", "SET", "maxmemory-policy", policy)
    try:
        with pytest.raises(
            StoreUnsuitable, match=f"maxmemory-policy {policy}.*set maxmemory-policy noeviction"
        ) as refused:
            await open_store(server.operator_url)
        assert "\n" not in str(refused.value)
    finally:
        await opened.call("", "CONFIG", "SET", "maxmemory-policy", "noeviction")
        await opened.close()


async def test_a_store_set_to_evict_while_we_run_is_refused_until_it_is_set_right(
    server: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queueing.store.connection.FACTS_EVERY_S", 0.05)
    store, operator = await open_store(server.operator_url), await open_store(server.operator_url)
    administration = operator.client()
    await administration.config_set("maxmemory-policy", "allkeys-lru")
    async with asyncio.timeout(10):
        with pytest.raises(StoreAway, match="allkeys-lru"):
            await keep_writing(store)
    await administration.config_set("maxmemory-policy", "noeviction")
    await answers(store)
    await store.refresh_facts()
    await store.close()
    await operator.close()


HIDDEN = b"-NOPERM User default has no permissions to run the 'config|get' command\r\n"
UNKNOWN = b"-ERR unknown command 'CONFIG', with args beginning with: 'GET'\r\n"


@pytest.mark.parametrize("answer", [HIDDEN, UNKNOWN, b"*0\r\n"])
async def test_values_that_a_managed_store_hides_come_from_info_or_the_operator(answer: bytes) -> None:
    async with hostile() as managed:
        url = f"redis://127.0.0.1:{managed.port}"
        managed.greeting[b"CONFIG"] = answer
        for vouched, promise in ((set[str](), "none"), ({"durable"}, "disk")):
            store = await open_store(url, vouched=vouched)
            assert [store.promise, store.eviction_policy] == [promise, "noeviction"]
            await store.close()
        managed.greeting[b"INFO"] = bulk(INFO.replace(b"noeviction", b"allkeys-lru"))
        with pytest.raises(StoreUnsuitable, match="allkeys-lru"):
            await open_store(url, vouched={"noeviction"})
        managed.greeting[b"INFO"] = b"-NOPERM no\r\n"
        with pytest.raises(StoreUnsuitable, match="KIOSK_STORE_VOUCHED=noeviction"):
            await open_store(url, vouched={"durable"})
        store = await open_store(url, vouched={"durable", "noeviction"})
        assert store.promise == "disk"
        await store.close()


async def test_the_answer_of_the_store_counts_more_than_vouching(server: EmbeddedValkey) -> None:
    store = await open_store(server.operator_url)
    await store.call("", "CONFIG", "SET", "appendfsync", "everysec")
    vouched = await open_store(server.operator_url, vouched={"durable", "noeviction"})
    promises = [vouched.promise]
    await store.call("", "CONFIG", "SET", "appendfsync", "always")
    await vouched.refresh_facts()
    promises.append(vouched.promise)
    assert promises == ["none", "disk"]
    await vouched.close()
    await store.close()


@pytest.mark.parametrize(
    "refusal",
    [
        b"-NOPERM User kiosk has no permissions to run the 'function|load' command\r\n",
        b"-ERR unknown command 'FUNCTION', with args beginning with: 'LOAD'\r\n",
        b"-ERR unknown subcommand 'LOAD'. Try FUNCTION HELP.\r\n",
    ],
)
@pytest.mark.parametrize("command", [b"FUNCTION", b"FCALL"])
async def test_a_store_that_does_not_allow_functions_is_refused_in_one_line(refusal: bytes, command: bytes) -> None:
    async with hostile() as managed:
        managed.answer = lambda request: refusal if request[0] == command else b"*0\r\n"
        store = await open_store(f"redis://127.0.0.1:{managed.port}")
        with pytest.raises(StoreUnsuitable, match="does not allow functions") as refused:
            await library.prove(store)
        assert "\n" not in str(refused.value)
        await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@host",
        "user:s3cret@host:6379",
        "s3cret",
        "",
        "redis://:s3cret@",
        "redis://:s3cret@host:notaport",
        "redis://:s3cret@host:99999",
        "redis://:s3cret@one:1,two:2",
        "redis://:s3cret@host/s3cret",
        "redis://:s3cret@host?s3cret",
        "redis://:s3cret@host?retry=s3cret",
        "redis+cluster://:s3cret@host:1?promise=s3cret",
        "redis+cluster://:s3cret@host:1/3",
        "redis+cluster://:s3cret@host:1,,",
        "unix://s3cret",
        "rediss+unix://:s3cret@/x",
        "redis://:s3[cret@host",
    ],
)
async def test_a_wrong_address_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(StoreAddressWrong) as refused:
        await open_store(url)
    assert "s3cret" not in str(refused.value)
    assert "s3[cret" not in str(refused.value)


async def test_addresses_are_read_as_they_are_written() -> None:
    single = parse_store_url("rediss://us%40er:p%2Fw@[::1]:7000/3?ssl_ca_certs=/ca.pem").seeds[0]
    assert (single.host, single.port, single.db) == ("::1", 7000, 3)
    assert (single.username, single.password) == ("us@er", "p/w")
    assert single.tls is not None
    assert single.tls.ca_certs == "/ca.pem"
    cluster = parse_store_url("redis+cluster://:pw@one:7001,two?promise=disk")
    assert cluster.kind == "cluster"
    assert [(seed.host, seed.port, seed.password) for seed in cluster.seeds] == [
        ("one", 7001, "pw"),
        ("two", 6379, "pw"),
    ]
    assert cluster.promise == "disk"
    assert parse_store_url("unix:///a%20b/valkey.sock?db=1").seeds[0].path == "/a b/valkey.sock"


async def answer_to(store: Store, *command: str) -> bytes:
    reply = await store.call("", *command)
    assert isinstance(reply, bytes)
    return reply


async def keep_writing(store: Store) -> None:
    while True:
        await store.call("a", "SET", "a", 1)
        await asyncio.sleep(0.02)


async def answers(store: Store) -> None:
    """Wait until the store is back."""
    async with asyncio.timeout(20):
        while True:
            try:
                await store.call("", "PING")
            except StoreAway:
                await asyncio.sleep(0.02)
            else:
                return
