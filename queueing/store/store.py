"""The store as the rest of queueing sees it: one call, one barrier, whatever stands behind.

``open_store`` reads the address and answers with a store on one server or on a cluster. Both speak to Valkey 8 or
newer and Redis 7.2 or newer; older ones are refused with words.
"""

import asyncio
from collections.abc import Awaitable, Generator, Sequence, Set
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from queueing.errors import QueueingError
from queueing.store.address import Address, Promise, ReachablePath, parse_store_url
from queueing.store.cluster import ClusterStore
from queueing.store.connection import SharedConnection
from queueing.store.redis_clients import close_clients, single_client
from queueing.store.resp_protocol import Argument, Command, Reply

OPEN_WITHIN_S = 5.0
"""How long a start waits for a store that is itself starting."""


class Store(Protocol):
    """Where the queue lives."""

    def call(self, key: bytes | str, *command: Argument) -> Awaitable[Reply]:
        """One command on the node that owns ``key``'s slot, over the connection that all calls share.

        Raises StoreBusy and StoreAway (nothing was done), InDoubt (unknown: ask again with the same request id) and
        StoreRefused.
        """

    @property
    def spans(self) -> bool:
        """Whether one call may name keys of several slots."""

    def owner(self, key: str) -> object:
        """The node that owns the key's slot now: one object for all that it owns."""

    def call_durably(self, calls: "Sequence[tuple[str, Command]]") -> "Awaitable[list[Reply | QueueingError]]":
        """Commands for one node, by their keys, in one go, with one barrier: see ``ClusterStore.call_durably``."""

    @property
    def is_cluster(self) -> bool:
        """Whether shards can be away or in doubt one by one."""

    def durable(self, key: bytes | str) -> Awaitable[None]:
        """Returns when everything this task has written to ``key``'s slot so far keeps the promise; raises InDoubt
        when it does not.
        """

    @property
    def promise(self) -> Promise:
        """What ``durable`` stands for at this moment."""

    @property
    def lone_shards(self) -> int:
        """Shards of a cluster that go on without a replica: what they answer is on one disk."""

    @property
    def eviction_policy(self) -> str:
        """``noeviction``, or what a node of it said last; every node is asked again each ten seconds."""

    async def refresh_facts(self) -> None:
        """Ask every node now what it is. Raises StoreAway, or StoreUnsuitable when one cannot serve us as it is."""

    async def each_primary(self, *command: Argument) -> list[Reply]:
        """The same command once on every primary."""

    def client(self) -> "Redis | RedisCluster":
        """A client with connections of its own, for blocking reads and administration. The store closes it when it
        closes.
        """

    async def close(self) -> None:
        """Ends every connection; calls in flight are in doubt."""


async def open_store(
    url: str,
    *,
    in_flight: int = 4096,
    command_timeout_s: float = 2.0,
    vouched: Set[str] = frozenset(),
    may_go_alone: bool = True,
) -> Store:
    """Connect, or say why not: StoreAddressWrong, StoreUnsuitable, or StoreAway after five seconds.

    ``vouched``: what the operator stands for where the store hides it (``handshake.Vouched``).
    ``may_go_alone``: a primary of a cluster goes on without a replica once that is proved to be safe (``lone``).
    """
    address = parse_store_url(url)
    store: SingleStore | ClusterStore
    if address.kind == "single":
        store = SingleStore(address.seeds[0], in_flight=in_flight, command_timeout_s=command_timeout_s, vouched=vouched)
    else:
        store = ClusterStore(
            address,
            in_flight=in_flight,
            command_timeout_s=command_timeout_s,
            vouched=vouched,
            may_go_alone=may_go_alone,
        )
    try:
        await store.opened(OPEN_WITHIN_S)
    except BaseException:
        await store.close()
        raise
    return store


async def store_time_s(store: Store) -> float:
    """The clock of the store, unix seconds: numbers and days are given by it."""
    seconds, microseconds = cast("list[bytes]", await store.call("time", "TIME"))
    return int(seconds) + int(microseconds) / 1_000_000


class _AtOnce:
    """Awaited, it has happened already."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield  # never reached; makes this a generator, which is what may be awaited


_AT_ONCE: Final = _AtOnce()


class SingleStore:
    """One server. Durable at once: with ``appendfsync always`` an answer leaves after its write is on disk."""

    def __init__(self, address: Address, *, in_flight: int, command_timeout_s: float, vouched: Set[str]) -> None:
        self._address = address
        self._connection = SharedConnection(
            address, in_flight=in_flight, command_timeout_s=command_timeout_s, vouched=vouched
        )
        self._path: ReachablePath | None = None
        self._clients: list[Redis] = []

    async def opened(self, within_s: float) -> None:
        """Waits for the first connection."""
        await self._connection.ready(within_s)

    def call(self, key: bytes | str, *command: Argument) -> Awaitable[Reply]:
        return self._connection.send(command)

    @property
    def spans(self) -> bool:
        return not self._connection.facts.has_slots

    def owner(self, key: str) -> object:
        return self

    async def call_durably(self, calls: Sequence[tuple[str, Command]]) -> list[Reply | QueueingError]:
        return await asyncio.gather(*[self._connection.send(command) for _, command in calls], return_exceptions=True)  # type: ignore[return-value]  # what a call raises is a QueueingError

    @property
    def is_cluster(self) -> bool:
        return False

    def durable(self, key: bytes | str) -> Awaitable[None]:
        return _AT_ONCE

    @property
    def promise(self) -> Promise:
        """Asked again at every connection: a server restarted with weaker settings is noticed."""
        return "disk" if self._connection.facts.fsync_always else "none"

    @property
    def lone_shards(self) -> int:
        return 0

    @property
    def eviction_policy(self) -> str:
        return self._connection.facts.eviction_policy

    async def refresh_facts(self) -> None:
        await self._connection.refresh_facts()

    async def each_primary(self, *command: Argument) -> list[Reply]:
        return [await self._connection.send(command)]

    def client(self) -> Redis:
        if self._address.path and self._path is None:
            self._path = ReachablePath(self._address.path)
        client = single_client(self._address, self._path.text if self._path else None)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        await close_clients(self._clients)
        self._clients.clear()
        await self._connection.close()
        if self._path is not None:
            self._path.close()
