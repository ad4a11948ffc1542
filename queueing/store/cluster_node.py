"""One node of a cluster: the connection that everybody shares, and the barrier.

The barrier has a connection of its own, because ``WAIT`` blocks the one it stands on. It makes a tiny write and waits
until a replica has that; the replication offset is one line, so whatever the node executed before is covered too. All
who ask while one barrier is under way share the next.
"""

import asyncio
from collections.abc import Set

from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused, StoreUnsuitable
from queueing.store.address import Address
from queueing.store.connection import SharedConnection
from queueing.store.resp_protocol import Command

BARRIER_WAIT_MS = 1500
"""A replica that needs longer is not keeping up; the barrier's own connection allows a little more."""
BARRIER_TIMEOUT_S = 2.5
BARRIER_KEY_LIFE_MS = 60_000
REPLICAS = 1


class Node:
    """One node of the cluster: the connection everybody shares, and the barrier."""

    def __init__(self, address: Address, *, in_flight: int, command_timeout_s: float, vouched: Set[str]) -> None:
        self.address = address
        self.connection = SharedConnection(
            address, in_flight=in_flight, command_timeout_s=command_timeout_s, vouched=vouched
        )
        self._vouched = vouched
        self.used_at = 0.0
        self.tag = b""
        """A hash tag whose slot this node owns: where its barrier writes. Empty while it owns none."""
        self._barrier: SharedConnection | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._runner: asyncio.Task[None] | None = None

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
            except (StoreAway, StoreBusy, StoreRefused, StoreUnsuitable) as reason:
                failure = InDoubt(f"not proved to be replicated: {reason}")
            for done in served:
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(InDoubt(str(failure)))

    async def _pass_barrier(self) -> None:
        if not self.tag:
            raise StoreAway("the node owns no slot any more")
        if self._barrier is None:
            self._barrier = SharedConnection(
                self.address, command_timeout_s=BARRIER_TIMEOUT_S, name="kiosk-barrier", vouched=self._vouched
            )
        if not self._barrier.connected:
            await self._barrier.ready(BARRIER_TIMEOUT_S)
        tiny: Command = ("SET", b"kiosk:barrier:{" + self.tag + b"}", 1, "PX", BARRIER_KEY_LIFE_MS)
        written, reached = self._barrier.send_together([tiny, ("WAIT", REPLICAS, BARRIER_WAIT_MS)])
        answers = await asyncio.gather(written, reached, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        count = answers[1]
        if not isinstance(count, int) or count < REPLICAS:
            raise StoreAway(f"{count!r} of {REPLICAS} replicas have it")

    async def close(self) -> None:
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        for done in self._waiting:
            if not done.done():
                done.set_exception(InDoubt("closed by us"))
        await self.connection.close()
        if self._barrier is not None:
            await self._barrier.close()
