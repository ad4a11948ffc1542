"""One node of a cluster: the connection that everybody shares, and the barrier.

The barrier has a connection of its own, because ``WAIT`` blocks the one it stands on. It makes a tiny write and waits
until a replica has that; the replication offset is one line, so whatever the node executed before is covered too. All
who ask while one barrier is under way share the next.
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
"""A replica that needs longer is not keeping up; the barrier's own connection allows a little more."""
BARRIER_TIMEOUT_S = 2.5
BARRIER_KEY_LIFE_MS = 60_000
REPLICAS = 1
LONE_WAIT_MS = 1
"""A primary that goes on alone is not held up, but asked each time whether a replica has come."""


class Node:
    """One node of the cluster: the connection everybody shares, and the barrier."""

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
        """A hash tag whose slot this node owns: where its barrier writes. Empty while it owns none."""
        self._may_go_alone = may_go_alone
        self._lone = LoneRule()
        self._blocking: dict[str, SharedConnection] = {}
        """By name: one for barriers, one for arrivals with their barriers."""
        self._waiting: list[asyncio.Future[None]] = []
        self._runner: asyncio.Task[None] | None = None

    @property
    def is_lone(self) -> bool:
        """It goes on without a replica: its promise is its own disk."""
        return self._lone.is_lone

    @property
    def mark(self) -> "tuple[Node, int]":
        """Who answers, over which connection: equal marks mean one unbroken history as far as we can see."""
        return self, self.connection.generation if self.connection.connected else 0

    async def replicated(self) -> None:
        """Returns when one replica has all that this node executed before now; raises InDoubt."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.get_running_loop().create_task(self._run_barriers())
        await done

    async def _run_barriers(self) -> None:
        """One barrier at a time, for all who waited when it began."""
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
        """Commands and the barrier behind them in one write, on a connection that may block. Replies in order.

        When the barrier is not passed, what was answered is InDoubt.
        """
        try:
            connection = await self._blocking_connection("kiosk-arrivals")
            if barrier and not self.tag:
                raise StoreAway("the node owns no slot any more")
            lone = self._lone.is_lone
            sent = connection.send_together([*commands, *(self._barrier_commands() if barrier else ())])
        except (StoreAway, StoreBusy, StoreUnsuitable) as failure:
            return [StoreAway(str(failure)) for _ in commands]
        # Answers come in order, and a cut ends all calls: with the last of them all are there.
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
        """A tiny write, so that everything before it counts, whichever connection wrote it; then wait for a replica."""
        tiny: Command = ("SET", b"kiosk:barrier:{" + self.tag + b"}", 1, "PX", BARRIER_KEY_LIFE_MS)
        return [tiny, ("WAIT", REPLICAS, LONE_WAIT_MS if self._lone.is_lone else BARRIER_WAIT_MS)]

    async def _doubt(self, connection: SharedConnection, lone: bool, answers: Sequence[object]) -> InDoubt | None:
        """None when the answers to ``_barrier_commands`` prove that a replica has everything, or when the node was
        alone before the write, may be, and still is after it.
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
