"""One node of a cluster: the connection that all callers share, and the replication barrier.

The barrier has a connection of its own, because ``WAIT`` blocks the connection it runs on. It makes a tiny write and
waits until a replica has it. Replication keeps the order of writes, so everything that the node executed before is on
the replica too. Callers that ask while a barrier runs share the next one.
"""

import asyncio
import contextlib
from collections.abc import Sequence, Set
from typing import Any

from queueing.errors import InDoubt, QueueingError, StoreAway, StoreBusy, StoreRefused, StoreUnsuitable
from queueing.store.address import Address
from queueing.store.connection import SharedConnection
from queueing.store.lone import LoneRule
from queueing.store.resp_protocol import Command, Reply

BARRIER_WAIT_MS = 1500
"""A replica that needs longer is not keeping up. The timeout of the barrier's connection is a little longer."""
BARRIER_TIMEOUT_S = 2.5
BARRIER_KEY_LIFE_MS = 60_000
REPLICAS = 1
LONE_WAIT_MS = 1
"""A primary that goes on alone is not delayed by WAIT, but it is asked each time whether a replica has connected."""


class Node:
    """One node of the cluster: the connection that all callers share, and the barrier."""

    def __init__(
        self, address: Address, *, in_flight: int, command_timeout_s: float, vouched: Set[str], may_go_alone: bool
    ) -> None:
        self.address = address
        self.connection = SharedConnection(
            address, in_flight=in_flight, command_timeout_s=command_timeout_s, vouched=vouched
        )
        self._vouched = vouched
        self.used_at = 0.0
        self.tag = b""
        """A hash tag whose slot this node owns. The barrier writes there. Empty while the node owns no slot."""
        self._may_go_alone = may_go_alone
        self._lone = LoneRule()
        self._blocking: dict[str, SharedConnection] = {}
        """Connections that WAIT may block, by name: one for barriers, one for arrivals with their barriers."""
        self._waiting: list[asyncio.Future[None]] = []
        self._runner: asyncio.Task[None] | None = None

    @property
    def is_lone(self) -> bool:
        """The node goes on without a replica, so its promise is its own disk."""
        return self._lone.is_lone

    @property
    def mark(self) -> "tuple[Node, int]":
        """The node and its connection number. Equal marks mean that no connection was cut in between."""
        return self, self.connection.generation if self.connection.connected else 0

    async def replicated(self) -> None:
        """Returns when one replica has everything that this node executed before now; else raises InDoubt."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.get_running_loop().create_task(self._run_barriers())
        await done

    async def _run_barriers(self) -> None:
        """Runs one barrier at a time. It answers all callers that waited when it began."""
        while self._waiting:
            served, self._waiting = self._waiting, []
            failure: InDoubt | None = None
            try:
                await self._pass_barrier()
            except InDoubt as doubt:
                failure = doubt
            except (StoreAway, StoreBusy, StoreUnsuitable) as reason:
                failure = InDoubt(f"not proved to be replicated: {reason}")
            for done in served:
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(InDoubt(str(failure)))

    async def execute_durably(self, commands: Sequence[Command], *, barrier: bool) -> list[Reply | QueueingError]:
        """Sends commands and a barrier after them in one write, on a connection that may block. Replies in order.

        When the barrier fails, the replies become InDoubt.
        """
        try:
            connection = await self._blocking_connection("kiosk-arrivals")
            if barrier and not self.tag:
                raise StoreAway("the node owns no slot any more")
            lone = self._lone.is_lone
            sent = connection.send_together([*commands, *(self._barrier_commands() if barrier else ())])
        except (StoreAway, StoreBusy, StoreUnsuitable) as failure:
            return [StoreAway(str(failure)) for _ in commands]
        # Answers come in order, and a cut ends all calls: when the last answer is here, all of them are.
        with contextlib.suppress(StoreAway, StoreRefused):
            await sent[-1]
        answers: list[Any] = [call.exception() or call.result() for call in sent]
        results = answers[: len(commands)]
        doubt = await self._doubt(connection, lone, answers[len(commands) :]) if barrier else None
        return results if doubt is None else [one if isinstance(one, QueueingError) else doubt for one in results]

    async def _pass_barrier(self) -> None:
        if not self.tag:
            raise StoreAway("the node owns no slot any more")
        connection = await self._blocking_connection("kiosk-barrier")
        lone = self._lone.is_lone
        sent = connection.send_together(self._barrier_commands())
        doubt = await self._doubt(connection, lone, await asyncio.gather(*sent, return_exceptions=True))
        if doubt is not None:
            raise doubt

    def _barrier_commands(self) -> list[Command]:
        """A tiny write, then WAIT for a replica. The write covers everything before it, from every connection."""
        tiny: Command = ("SET", b"kiosk:barrier:{" + self.tag + b"}", 1, "PX", BARRIER_KEY_LIFE_MS)
        return [tiny, ("WAIT", REPLICAS, LONE_WAIT_MS if self._lone.is_lone else BARRIER_WAIT_MS)]

    async def _doubt(self, connection: SharedConnection, lone: bool, answers: Sequence[object]) -> InDoubt | None:
        """None when the answers to ``_barrier_commands`` prove that a replica has everything, or when the node may go
        on alone and was alone before and after the write.
        """
        failure = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if failure is not None:
            return InDoubt(f"not proved to be replicated: {failure}")
        count = answers[1]
        if isinstance(count, int) and count >= REPLICAS:
            self._lone.end()
            return None
        if self._may_go_alone:
            if lone and await self._lone.confirm(connection):
                return None
            self._lone.watch(self.connection)
        return InDoubt(f"not proved to be replicated: {count!r} of {REPLICAS} replicas have it")

    async def _blocking_connection(self, name: str) -> SharedConnection:
        """A connection that WAIT may block, ready. Raises StoreAway, StoreUnsuitable."""
        connection = self._blocking.get(name)
        if connection is None:
            connection = self._blocking[name] = SharedConnection(
                self.address, command_timeout_s=BARRIER_TIMEOUT_S, name=name, vouched=self._vouched
            )
        if not connection.connected:
            await connection.ready(BARRIER_TIMEOUT_S)
        return connection

    async def close(self) -> None:
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        for done in self._waiting:
            if not done.done():
                done.set_exception(InDoubt("closed by us"))
        await self._lone.close()
        await self.connection.close()
        for connection in self._blocking.values():
            await connection.close()
