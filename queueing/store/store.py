"""The store as the rest of queueing sees it: one call and one barrier, for a single server and a cluster alike.

``open_store`` reads the address and returns a store on one server or on a cluster. Both work with Valkey 8 or newer
and Redis 7.2 or newer. An older server is refused with a message.
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
    """The store that holds the queue."""

    def call(self, key: bytes | str, *command: Argument) -> Awaitable[Reply]:
        """One command on the node that owns the slot of ``key``, over the connection that all calls share.

        Raises StoreBusy and StoreAway (nothing was done), InDoubt (unknown: repeat with the same request id) and
        StoreRefused.
        """

    @property
    def spans(self) -> bool:
        """Whether one call may name keys of several slots."""

    def owner(self, key: str) -> object:
        """The node that owns the key's slot now: the same object for all its slots."""

    def call_durably(self, calls: "Sequence[tuple[str, Command]]") -> "Awaitable[list[Reply | QueueingError]]":
        """Commands for one node in one write, with one barrier: see ``ClusterStore.call_durably``."""

    @property
    def is_cluster(self) -> bool:
        """Whether single shards can be away or in doubt while others answer."""

    def durable(self, key: bytes | str) -> Awaitable[None]:
        """Returns when the promise holds for everything that this task wrote to the slot of ``key``; else raises
        InDoubt.
        """

    @property
    def promise(self) -> Promise:
        """What ``durable`` waits for at this moment."""

    @property
    def lone_shards(self) -> int:
        """The number of shards that go on without a replica: their answers are on one disk only."""

    @property
    def eviction_policy(self) -> str:
        """``noeviction``, or the other policy that a node reported last. Every node is asked every ten seconds."""

    async def refresh_facts(self) -> None:
        """Reads the facts of every node again. Raises StoreAway, or StoreUnsuitable when a node does not suit us."""

    async def each_primary(self, *command: Argument) -> list[Reply]:
        """The same command once on every primary."""

    def client(self) -> "Redis | RedisCluster":
        """A client with connections of its own, for blocking reads and administration. The store closes it
        at the end.
        """

    async def close(self) -> None:
        """Ends every connection. Calls in flight fail with InDoubt."""


async def open_store(
    url: str,
    *,
    in_flight: int = 4096,
    command_timeout_s: float = 2.0,
    vouched: Set[str] = frozenset(),
    may_go_alone: bool = True,
) -> Store:
    """Connects. Raises StoreAddressWrong, StoreUnsuitable, or StoreAway after five seconds.

    ``vouched``: what the operator vouches for when the store hides it (``handshake.Vouched``).
    ``may_go_alone``: a primary of a cluster may go on without a replica once that is proved to be safe (``lone``).
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
    """The clock of the store, unix seconds. Numbers and service days follow this clock."""
    seconds, microseconds = cast("list[bytes]", await store.call("time", "TIME"))
    return int(seconds) + int(microseconds) / 1_000_000


class _AtOnce:
    """An awaitable that is done already."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield  # never reached; it makes this function a generator, as ``__await__`` must be


_AT_ONCE: Final = _AtOnce()


class SingleStore:
    """One server. Writes are durable at once: with ``appendfsync always`` the server answers after the write is on
    disk.
    """

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
        """Read again at every new connection, so a server that restarts with weaker settings is noticed."""
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
