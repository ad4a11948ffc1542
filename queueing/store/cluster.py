"""The store as a cluster: every call goes to the primary that owns its key's slot.

Promises:

- A command is tried again on the right node, until ``PATIENCE_S``, when a node refused it without executing it
  (``MOVED``, ``ASK``, ``TRYAGAIN``, ``CLUSTERDOWN``, ``LOADING``, ``READONLY``, ``MASTERDOWN``, ``NOREPLICAS``) or when
  it was never sent. A command that was sent and not answered is InDoubt at once. Only the caller may repeat it, because
  only the caller knows its request id.
- ``durable`` proves by ``WAIT 1`` that a replica has every write to a slot that the calling task saw answered. It
  raises InDoubt when the slot has another owner since, when a connection was cut, or when no replica confirmed.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence, Set
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from redis.asyncio.cluster import RedisCluster

from queueing.errors import InDoubt, QueueingError, StoreAway, StoreBusy, StoreRefused, StoreUnsuitable
from queueing.store.address import Promise, StoreUrl
from queueing.store.cluster_node import Node
from queueing.store.handshake import NEVER_FORGETS
from queueing.store.redis_clients import close_clients, cluster_client
from queueing.store.resp_protocol import Argument, Command, Reply
from queueing.store.slots import SLOTS, slot_of

PATIENCE_S = 8.0
"""A cluster replaces a lost primary within about 5 s (node timeout 2–5 s and an election); after 8 the gateway may
ask again.
"""
NOT_EXECUTED = frozenset({"TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS"})
STALE_MAP = frozenset({"CLUSTERDOWN", "READONLY", "MASTERDOWN"})
"""The ones of these that may mean that another node owns the slot now."""
FIRST_PAUSE_S, LAST_PAUSE_S = 0.02, 0.5
"""The pause between two tries of one call."""
REDIRECTS_AT_ONCE = 4
"""How often MOVED and ASK are followed without a pause. A slot in migration needs two; a changing map needs time."""
MAP_EVERY_S = 0.1
"""The least time between two requests for the map, however many callers meet a redirection."""
MAP_TIMEOUT_S = 2.0
IDLE_NODE_S = 60.0
"""How long after its last use a node without slots is kept. Then its connections are closed."""
Trouble = StoreAway | StoreRefused
"""The error that explains why a try executed nothing."""


_slot_of_partition = lru_cache(maxsize=256)(slot_of)
"""Caches the slots of the few keys by which whole batches are sent."""


class ClusterStore:
    """A store of several servers. See ``queueing.store.store.Store``."""

    def __init__(
        self, url: StoreUrl, *, in_flight: int, command_timeout_s: float, vouched: Set[str], may_go_alone: bool
    ) -> None:
        self._url = url
        self._in_flight = in_flight
        self._command_timeout_s = command_timeout_s
        self._vouched = vouched
        self._may_go_alone = may_go_alone
        self._nodes: dict[tuple[str, int], Node] = {}
        self._owners: list[Node | None] = [None] * SLOTS
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at = 0.0
        self._waiting = 0
        """Calls that are between two tries."""
        self._clients: list[RedisCluster] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._answered: ContextVar[Mapping[int, tuple[Node, int]]] = ContextVar("answered")
        """Per task: the node that last answered for each slot. It is never changed in place, because tasks inherit it.
        """

    async def opened(self, within_s: float) -> None:
        """Waits until the map of all slots is known and all its primaries answer."""
        seeds = [self._node(seed.host, seed.port) for seed in self._url.seeds]
        try:
            async with asyncio.timeout(within_s):
                await self._first_map(seeds)
                await asyncio.gather(*[node.connection.ready(within_s) for node in self._primaries()])
        except TimeoutError:
            raise StoreAway(
                f"no node of the cluster at {seeds[0].address.where} knows the owner of every slot"
            ) from None

    async def _first_map(self, seeds: list[Node]) -> None:
        while None in self._owners:
            tried = await asyncio.gather(*[node.connection.ready(1.0) for node in seeds], return_exceptions=True)
            for failure in tried:
                if isinstance(failure, StoreUnsuitable):
                    raise failure
            try:
                await self._refresh()
            except StoreAway:
                await asyncio.sleep(MAP_EVERY_S)

    async def call(self, key: bytes | str, *command: Argument) -> Reply:
        slot = slot_of(key)
        node = self._owners[slot]
        if node is not None:
            try:
                return self._remember(slot, node, await node.connection.send(command))
            except InDoubt:
                self._suspect()
                raise
            except (StoreAway, StoreRefused) as trouble:
                if isinstance(trouble, StoreRefused) and trouble.code not in (*NOT_EXECUTED, "MOVED", "ASK"):
                    raise
                return await self._call_patiently(slot, command, trouble)
        return await self._call_patiently(slot, command, StoreAway("no node owns this slot"))

    def owner(self, key: str) -> object:
        """The node that owns the key's slot now; the same object for all slots of one node."""
        return self._owners[_slot_of_partition(key)]

    async def call_durably(self, calls: Sequence[tuple[str, Command]]) -> list[Reply | QueueingError]:
        """Sends commands for slots of one node in one write, with one barrier after all of them.

        Each command gets its own reply or error, in order. A reply is durable, as after ``durable``. Nothing is tried
        again. A command was not executed when the node refused it, or on a StoreAway that is not InDoubt.
        """
        node = self._owners[_slot_of_partition(calls[0][0])]
        if node is None:
            return [StoreAway("no node owns this slot") for _ in calls]
        results = await node.execute_durably([command for _, command in calls], barrier=self._url.promise != "disk")
        if any(isinstance(result, (StoreAway, StoreRefused)) for result in results):
            self._suspect()
        if all(self._owners[_slot_of_partition(key)] is node for key, _ in calls):
            return results
        moved = InDoubt("the slot changed hands while waiting for its replica")
        return [result if isinstance(result, QueueingError) else moved for result in results]

    async def _call_patiently(self, slot: int, command: Command, trouble: Trouble) -> Reply:
        """Tries again after a try that executed nothing: follows redirections and waits for elections, until
        PATIENCE_S.
        """
        if self._waiting >= self._in_flight:
            raise StoreBusy(f"{self._waiting} calls wait for the cluster to settle")
        self._waiting += 1
        try:
            return await self._try_until(asyncio.get_running_loop().time() + PATIENCE_S, slot, command, trouble)
        finally:
            self._waiting -= 1

    async def _try_until(self, deadline: float, slot: int, command: Command, trouble: Trouble) -> Reply:
        loop = asyncio.get_running_loop()
        pause_s, redirects = FIRST_PAUSE_S, 0
        while True:
            redirected = self._redirected(slot, trouble)
            redirects += redirected is not None
            if redirected is None or redirects > REDIRECTS_AT_ONCE:
                if loop.time() + pause_s > deadline:
                    raise trouble
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads tries, guards no secret
                pause_s = min(pause_s * 2, LAST_PAUSE_S)
            node = redirected or self._owners[slot]
            try:
                if node is None:
                    raise StoreAway("no node owns this slot")
                if isinstance(trouble, StoreRefused) and trouble.code == "ASK" and redirected is not None:
                    return self._remember(slot, node, await _asking(node, command))
                return self._remember(slot, node, await node.connection.send(command))
            except InDoubt:
                self._suspect()
                raise
            except (StoreAway, StoreRefused) as again:
                if isinstance(again, StoreRefused) and again.code not in (*NOT_EXECUTED, "MOVED", "ASK"):
                    raise
                trouble = again

    def _redirected(self, slot: int, trouble: Trouble) -> Node | None:
        """The node that a redirection names. A lasting redirection is noted in the map. None when the call
        must wait.
        """
        if not isinstance(trouble, StoreRefused):
            self._suspect()
            return None
        if trouble.code not in ("MOVED", "ASK"):
            if trouble.code in STALE_MAP:
                self._suspect()
            return None
        place = read_redirect(str(trouble))
        if place is None:
            return None
        host, port = place
        # An empty host means the host of the node that answered. Only nodes that share one host name do that, so the
        # present owner of the slot has the same host.
        owner = self._owners[slot]
        node = self._node(host or (owner.address.host if owner else self._url.seeds[0].host), port)
        if trouble.code == "MOVED":
            self._owners[slot] = node
            self._suspect()
        return node

    def _remember(self, slot: int, node: Node, reply: Reply) -> Reply:
        answered = self._answered.get({})
        mark = node.mark
        if answered.get(slot) != mark:
            self._answered.set({**answered, slot: mark})
        return reply

    @property
    def spans(self) -> bool:
        return False

    @property
    def is_cluster(self) -> bool:
        return True

    async def durable(self, key: bytes | str) -> None:
        if self._url.promise == "disk":
            return
        slot = slot_of(key)
        node = self._owners[slot]
        mark = self._answered.get({}).get(slot)
        if node is None or (mark is not None and mark != node.mark):
            self._suspect()
            raise InDoubt("the slot changed hands, or the connection was cut, since this was written")
        try:
            await node.replicated()
        except InDoubt:
            self._suspect()
            raise
        if self._owners[slot] is not node or (mark is not None and mark != node.mark):
            raise InDoubt("the slot changed hands while waiting for its replica")

    @property
    def promise(self) -> Promise:
        """``replica`` waits for one replica. Every node must also fsync before it answers, or a power cut of the whole
        rack loses writes.
        """
        if not all(node.connection.facts.fsync_always for node in self._primaries()):
            return "none"
        return "disk" if self.lone_shards else self._url.promise

    @property
    def lone_shards(self) -> int:
        return sum(node.is_lone for node in self._primaries())

    @property
    def eviction_policy(self) -> str:
        policies = [node.connection.facts.eviction_policy for node in self._primaries()]
        return next((policy for policy in policies if policy != NEVER_FORGETS), NEVER_FORGETS)

    async def refresh_facts(self) -> None:
        await asyncio.gather(*[node.connection.refresh_facts() for node in self._primaries()])

    async def each_primary(self, *command: Argument) -> list[Reply]:
        """Tries again while the map is older than an election, so the command must be safe to repeat."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            await self._refresh()
            try:
                return list(await asyncio.gather(*[node.connection.call(*command) for node in self._primaries()]))
            except (StoreAway, StoreRefused) as trouble:
                final = isinstance(trouble, StoreRefused) and trouble.code not in NOT_EXECUTED
                if final or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(LAST_PAUSE_S)

    def client(self) -> RedisCluster:
        client = cluster_client(tuple(node.address for node in self._primaries()) or self._url.seeds)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        await close_clients(self._clients)
        self._clients.clear()
        for task in (self._refreshing, *self._retiring):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*[node.close() for node in self._nodes.values()])
        self._nodes.clear()

    # The map.

    def _node(self, host: str, port: int) -> Node:
        node = self._nodes.get((host, port))
        if node is None:
            address = self._url.seeds[0].at(host, port)
            node = Node(
                address,
                in_flight=self._in_flight,
                command_timeout_s=self._command_timeout_s,
                vouched=self._vouched,
                may_go_alone=self._may_go_alone,
            )
            self._nodes[host, port] = node
        node.used_at = asyncio.get_running_loop().time()
        return node

    def _primaries(self) -> list[Node]:
        return list(dict.fromkeys(node for node in self._owners if node is not None))

    def _suspect(self) -> None:
        """The map may be old: read it again soon, once for all callers that noticed."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh_soon())

    async def _refresh_soon(self) -> None:
        pause_s = self._refreshed_at + MAP_EVERY_S - asyncio.get_running_loop().time()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        try:
            await self._refresh()
        except StoreAway:
            return  # the next call that needs the map starts a refresh again

    async def _refresh(self) -> None:
        """Asks the connected nodes one by one until one gives a map. Raises StoreAway when none does."""
        nodes = [node for node in self._nodes.values() if node.connection.connected]
        random.shuffle(nodes)  # a node cut off from the others has an old map: do not always ask it first
        for node in nodes:
            try:
                async with asyncio.timeout(MAP_TIMEOUT_S):
                    self._adopt(node, await node.connection.call("CLUSTER", "SLOTS"))
            except (TimeoutError, StoreAway, StoreBusy, StoreRefused, ValueError, TypeError, LookupError):
                continue
            return
        raise StoreAway("no node of the cluster gives its map")

    def _adopt(self, told_by: Node, answer: Any) -> None:
        """Replaces the map completely, or not at all when it cannot be read. CLUSTER SLOTS answers with
        ``[first, last, [host, port, id, …], replicas …]`` for each range.
        """
        ranges = [(int(row[0]), int(row[1]), _text(row[2][0]), int(row[2][1])) for row in answer]
        if not ranges:
            raise ValueError("an empty map")
        owners: list[Node | None] = [None] * SLOTS
        firsts: dict[Node, int] = {}
        for first, last, host, port in ranges:
            node = self._node(told_by.address.host if host in ("", "?") else host, port)
            firsts.setdefault(node, first)
            owners[first : last + 1] = [node] * (last + 1 - first)
        self._owners = owners
        self._refreshed_at = asyncio.get_running_loop().time()
        for node in self._nodes.values():
            if node not in firsts:
                node.tag = b""
            elif not node.tag or owners[slot_of(node.tag)] is not node:
                node.tag = _tag_owned_by(node, owners)
        self._retire_idle(firsts)

    def _retire_idle(self, owning: Mapping[Node, int]) -> None:
        """Closes connections to nodes that own no slot and were not used for a while. All their calls are answered."""
        now = asyncio.get_running_loop().time()
        for place, node in list(self._nodes.items()):
            if node not in owning and now - node.used_at > IDLE_NODE_S and node.connection.load == 0:
                del self._nodes[place]
                task = asyncio.get_running_loop().create_task(node.close())
                self._retiring.add(task)
                task.add_done_callback(self._retiring.discard)


async def _asking(node: Node, command: Command) -> Reply:
    """A command for a slot that is being imported. ASKING holds for the next command only, so both leave together."""
    if not node.connection.connected:
        await node.connection.ready(1.0)
    allowed, reply = node.connection.send_together([("ASKING",), command])
    await asyncio.gather(allowed, reply, return_exceptions=True)
    return reply.result()


def read_redirect(error: str) -> tuple[str, int] | None:
    """Host and port from ``MOVED 3999 127.0.0.1:6381`` or ``ASK …``."""
    parts = error.split(" ")
    host, _, port = parts[2].rpartition(":") if len(parts) >= 3 else ("", "", "")
    return (host, int(port)) if port.isdecimal() else None


def _tag_owned_by(node: Node, owners: list[Node | None]) -> bytes:
    """The first small number whose slot the node owns. With few nodes it is found after a few tries."""
    for number in range(SLOTS * 8):
        tag = b"%d" % number
        if owners[slot_of(tag)] is node:
            return tag
    return b""


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else ""
