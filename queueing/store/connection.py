"""One connection that all concurrent calls of a process share.

Promises:

- An answer never reaches a call that it does not belong to. Commands are answered in order. Anything that breaks the
  order (a cut, bytes that are not the protocol, an answer without a call, a passed deadline) ends the whole connection,
  not a single call.
- When the connection ends, calls that were sent fail with ``InDoubt``, calls that were not sent with ``StoreAway``.
  Nothing is ever sent twice.
- It reconnects by itself. While it is away every call fails at once: only the caller knows how long it can wait.
- These are bounded: calls in flight, bytes waiting to be sent, bytes of an answer. Beyond the first two a call fails at
  once with ``StoreBusy``, because a queue in front of a full store would only hide the trouble.

Calls made in one turn of the event loop leave in few writes. That makes one fsync per write cheap: the server answers
all commands of one write after one fsync. The command of a cancelled caller still runs, and its answer is dropped.
"""

import asyncio
import logging
import random
from collections.abc import Sequence, Set

from hiredis import HiredisError

from queueing.back_off import BackOff
from queueing.errors import QueueingError, StoreAway, StoreBusy, StoreUnsuitable
from queueing.store.address import Address, ReachablePath
from queueing.store.handshake import ServerFacts, ask_again, greet
from queueing.store.resp_protocol import Argument, Command, Reply, Wire, pack

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
"""A store on the same machine or in the same building answers in milliseconds. After a second it counts as away."""
FIRST_BACK_OFF_S = 0.02
LAST_BACK_OFF_S = 2.0
"""The longest pause between two tries. A store that restarts is ready after about a second."""
FACTS_EVERY_S = 10.0
"""How often the server is asked whether it may evict keys now; then it is refused. The question costs it some 50 µs."""
STEADY_S = 1.0
"""After a connection that lived this long the back-off starts from its shortest pause again."""


class SharedConnection:
    """Connects, does the handshake, watches the connection and reconnects. Create it inside a running event loop;
    ``close`` ends it.
    """

    def __init__(
        self,
        address: Address,
        *,
        in_flight: int = 4096,
        command_timeout_s: float = 2.0,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        name: str = "kiosk",
        vouched: Set[str] = frozenset(),
    ) -> None:
        self.address = address
        self.facts = ServerFacts()
        self.generation = 0
        """Counts the connections made. Equal numbers mean that the connection was not cut in between."""
        self._in_flight = in_flight
        self._command_timeout_s = command_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._name = name
        self._vouched = vouched
        self._wire: Wire | None = None
        self._why_away: QueueingError = StoreAway(f"store at {address.where}: not connected yet")
        self._changes = asyncio.Event()
        self._path = ReachablePath(address.path) if address.path else None
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name=f"store {address.where}")

    @property
    def connected(self) -> bool:
        return self._wire is not None

    @property
    def load(self) -> int:
        """Calls in flight now."""
        return self._wire.load if self._wire is not None else 0

    async def ready(self, within_s: float) -> None:
        """Returns when connected. Raises at once an error that waiting cannot mend, else StoreAway after
        ``within_s``.
        """
        try:
            async with asyncio.timeout(within_s):
                while self._wire is None:
                    if isinstance(self._why_away, StoreUnsuitable):
                        raise self._why_away
                    self._changes.clear()
                    await self._changes.wait()
        except TimeoutError:
            raise StoreAway(str(self._why_away)) from None

    def send(self, command: Command) -> "asyncio.Future[Reply]":
        """Plans one command. The future gets its answer.

        Raises StoreAway or StoreBusy at once, and then nothing was sent.
        """
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        return self._wire.send(command)

    def send_together(self, commands: Sequence[Command]) -> "list[asyncio.Future[Reply]]":
        """Plans commands that leave together, with no other command between them, or not at all."""
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        self._wire.admit(len(commands))
        return self._wire.plan_together([pack(command) for command in commands])

    async def call(self, *command: Argument) -> Reply:
        """One command, its answer."""
        return await self.send(command)

    async def refresh_facts(self) -> None:
        """Reads the server's facts again. Raises StoreAway, or StoreUnsuitable when its settings do not suit us; then
        every call fails until they do.
        """
        wire = self._wire
        if wire is None:
            raise type(self._why_away)(str(self._why_away))
        try:
            self.facts = await ask_again(wire, self._vouched)
        except StoreUnsuitable as unsuitable:
            wire.cut(str(unsuitable))
            raise

    async def close(self) -> None:
        """Ends the connection. Calls still in flight fail with InDoubt."""
        self._keeper.cancel()
        self._why_away = StoreAway(f"store at {self.address.where}: connection closed by us")
        wire = self._wire
        if wire is not None:
            wire.cut("closed by us")
            await asyncio.wait([wire.gone], timeout=CONNECT_TIMEOUT_S)
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._path is not None:
            self._path.close()

    async def _keep(self) -> None:
        """Connects, stays until the connection is cut, and connects again. After each failed try it waits longer."""
        loop = asyncio.get_running_loop()
        back_off = BackOff(FIRST_BACK_OFF_S, LAST_BACK_OFF_S, steady_s=STEADY_S)
        while True:
            since, lived_s = loop.time(), 0.0
            try:
                wire = await self._connect()
            except (OSError, TimeoutError, HiredisError, ValueError, QueueingError) as failure:
                self._say_away(failure)
            else:
                self._say_back(wire)
                self._say_away(await self._until_lost(wire))
                lived_s = loop.time() - since
            # A random share between half and all of the pause, so that many processes do not connect at the same
            # instant.
            pause_s = back_off.pause_s(lived_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads knocks, guards no secret

    async def _until_lost(self, wire: Wire) -> QueueingError:
        """Returns why the connection ended. Until then it asks the server every few seconds whether it
        still suits us.
        """
        while True:
            await asyncio.wait([wire.lost], timeout=FACTS_EVERY_S)
            if wire.lost.done():
                return StoreAway(wire.lost.result())
            try:
                await self.refresh_facts()
            except StoreUnsuitable as unsuitable:
                return unsuitable
            except (StoreAway, StoreBusy):
                continue

    def _say_back(self, wire: Wire) -> None:
        self._wire = wire
        self.generation += 1
        self._changes.set()
        log.info("store at %s: connected", self.address.where)

    def _say_away(self, failure: Exception) -> None:
        """Logs once for each kind of trouble, not once for each try."""
        if isinstance(failure, QueueingError):
            message = str(failure)
        else:
            message = getattr(failure, "strerror", None) or type(failure).__name__
        kind = StoreUnsuitable if isinstance(failure, StoreUnsuitable) else StoreAway
        before, self._why_away = str(self._why_away), kind(f"store at {self.address.where}: {message}")
        if str(self._why_away) != before:
            log.warning("%s", self._why_away)
        self._changes.set()

    def _forget(self, wire: Wire) -> None:
        """Called at the moment of a cut, so that the next call fails at once."""
        if self._wire is wire:
            self._wire = None

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        address = self.address

        def wire() -> Wire:
            return Wire(loop, self._in_flight, self._command_timeout_s, on_cut=self._forget)

        async with asyncio.timeout(self._connect_timeout_s):
            if self._path is not None:
                _, made = await loop.create_unix_connection(wire, self._path.text)
            else:
                tls = address.tls.context() if address.tls else None
                _, made = await loop.create_connection(wire, address.host, address.port, ssl=tls)
            try:
                self.facts = await greet(made, address, self._name, self._vouched)
            except BaseException:
                made.cut("greeting failed")
                raise
        return made
