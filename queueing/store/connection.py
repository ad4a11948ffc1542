"""One connection that all concurrent calls of a process share.

Promises:

- An answer reaches the call it belongs to, or nobody. Commands are answered in order; whatever breaks that order (a
  cut, bytes that are not the protocol, an answer nobody asked for, a deadline passed) ends the connection, never a
  single call.
- When it ends, what had left is ``InDoubt``, what had not is ``StoreAway``. Nothing is ever sent twice.
- It comes back by itself, and while it is away every call fails at once: waiting belongs to those who know for how
  long.
- Bounded: calls in flight, bytes waiting to leave, bytes of an answer. Beyond the first two a call fails at once with
  ``StoreBusy``: a waiting room before a full store hides trouble and helps nobody.

Calls made in one turn of the event loop leave in few writes, which is what makes fsync-per-write cheap: the server
answers all of one write after one fsync. A cancelled caller's command still runs; its answer is dropped in its turn.
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
"""A store on the same machine or floor answers in milliseconds; who takes a second is away."""
FIRST_BACK_OFF_S = 0.02
LAST_BACK_OFF_S = 2.0
"""A store that restarts is ready after about a second; nobody should wait much longer than that for our next try."""
FACTS_EVERY_S = 10.0
"""A store that is set to forget keys while we run is refused after this at the latest; asking costs it some 50 µs."""
STEADY_S = 1.0
"""A connection that lived this long starts the back-off anew."""


class SharedConnection:
    """The lasting thing: connects, greets, watches, comes back. Made inside a running loop; ``close`` ends it."""

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
        """Grows with every connection made: equal numbers mean that nothing was cut in between."""
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
        """Returns when connected. Raises at once what waiting cannot heal, StoreAway after ``within_s``."""
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
        """Plan one command; the future brings its answer.

        Raises StoreAway or StoreBusy at once, and then nothing was sent.
        """
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        return self._wire.send(command)

    def send_together(self, commands: Sequence[Command]) -> "list[asyncio.Future[Reply]]":
        """Plan commands that nothing may come between: all or none of them leave."""
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        self._wire.admit(len(commands))
        return self._wire.plan_together([pack(command) for command in commands])

    async def call(self, *command: Argument) -> Reply:
        """One command, its answer."""
        return await self.send(command)

    async def refresh_facts(self) -> None:
        """Ask the server again what it is. Raises StoreAway, and StoreUnsuitable when it cannot serve us as it is; then
        every call fails until that has changed.
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
        """Ends it; calls still in flight are in doubt."""
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
        """For ever: connect, be there until cut, wait a little longer each time in vain."""
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
            # Half to whole, so that many processes do not all knock in the same instant.
            pause_s = back_off.pause_s(lived_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads knocks, guards no secret

    async def _until_lost(self, wire: Wire) -> QueueingError:
        """Why the connection ended. Meanwhile the server is asked now and then whether it still can serve us."""
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
        """Logged once per kind of trouble, not once per try."""
        if isinstance(failure, QueueingError):
            words = str(failure)
        else:
            words = getattr(failure, "strerror", None) or type(failure).__name__
        kind = StoreUnsuitable if isinstance(failure, StoreUnsuitable) else StoreAway
        before, self._why_away = str(self._why_away), kind(f"store at {self.address.where}: {words}")
        if str(self._why_away) != before:
            log.warning("%s", self._why_away)
        self._changes.set()

    def _forget(self, wire: Wire) -> None:
        """Called in the instant of a cut, so that the next call already fails fast."""
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
