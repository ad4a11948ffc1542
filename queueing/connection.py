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

Calls made in one turn of the event loop leave in one write, which is what makes fsync-per-write cheap: the server
answers them all after one fsync. A cancelled caller's command still runs; its answer is dropped in its turn.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from hiredis import HiredisError, PushNotification, Reader, pack_command
from msgspec import Struct

from queueing.address import Address, ReachablePath
from queueing.errors import InDoubt, QueueingError, StoreAway, StoreBusy, StoreRefused, StoreUnsuitable

log = logging.getLogger(__name__)

Reply = int | bytes | list[Any] | None
"""What hiredis makes of an answer; inside lists an error is a StoreRefused object."""
Word = bytes | str | int | float
Command = tuple[Word, ...]

CONNECT_TIMEOUT_S = 1.0
"""A store on the same machine or floor answers in milliseconds; who takes a second is away."""
FIRST_BACK_OFF_S = 0.02
LAST_BACK_OFF_S = 2.0
"""A store that restarts is ready after about a second; nobody should wait much longer than that for our next try."""
STEADY_S = 1.0
"""A connection that lived this long starts the back-off anew."""
MAX_UNSENT_BYTES = 32 << 20
"""Waiting for a store that does not read: some 4,096 calls of 8 kB. Beyond, memory would be the queue."""
MAX_REPLY_BYTES = 64 << 20
"""The largest answer asked for is a few hundred tickets with their sealed profiles, under 1 MB."""
NOTHING = object()
"""What the reader says while an answer is incomplete."""
OLDEST = {"valkey": (8, 0), "redis": (7, 2)}
"""The first that are still repaired and know all we ask for: functions, several names in one CONFIG GET."""
NOT_YET = frozenset({"LOADING", "BUSY", "MASTERDOWN"})
"""Answers to a greeting that mean: ask again later."""


def pack(command: Command) -> bytes:
    """As the protocol writes it. Raises TypeError and UnicodeError before anything is planned."""
    return pack_command(command)  # type: ignore[no-any-return, arg-type] # its stub takes tuples of one


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What a node said of itself when we connected. Empty where it refused to say."""

    product: str = ""
    version: tuple[int, ...] = ()
    fsync_always: bool = False
    """Every answer leaves after its write is on disk."""


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
    ) -> None:
        self.address = address
        self.facts = ServerFacts()
        self.generation = 0
        """Grows with every connection made: equal numbers mean that nothing was cut in between."""
        self._in_flight = in_flight
        self._command_timeout_s = command_timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._name = name
        self._wire: _Wire | None = None
        self._why_away: QueueingError = StoreAway(f"store at {address.where}: not connected yet")
        self._news = asyncio.Event()
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
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise StoreAway(str(self._why_away)) from None

    def send(self, command: Command) -> "asyncio.Future[Reply]":
        """Plan one command; the future brings its answer. Raises StoreAway or StoreBusy at once, and then nothing was
        sent.
        """
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        return self._wire.send(command)

    def send_together(self, commands: Sequence[Command]) -> "list[asyncio.Future[Reply]]":
        """Plan commands that nothing may come between: all or none of them leave."""
        if self._wire is None:
            raise StoreAway(str(self._why_away))
        self._wire.admit(len(commands))
        packed = [pack(command) for command in commands]
        return [self._wire.plan(piece) for piece in packed]

    async def call(self, *command: Word) -> Reply:
        """One command, its answer."""
        return await self.send(command)

    async def close(self) -> None:
        """Ends it; calls still in flight are in doubt."""
        self._keeper.cancel()
        self._why_away = StoreAway(f"store at {self.address.where}: connection closed by us")
        if self._wire is not None:
            self._wire.cut("closed by us")
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._path is not None:
            self._path.close()

    async def _keep(self) -> None:
        """For ever: connect, be there until cut, wait a little longer each time in vain."""
        loop = asyncio.get_running_loop()
        back_off_s = FIRST_BACK_OFF_S
        while True:
            since = loop.time()
            try:
                wire = await self._connect()
            except (OSError, TimeoutError, HiredisError, ValueError, QueueingError) as failure:
                self._say_away(failure)
            else:
                self._say_back(wire)
                self._say_away(StoreAway(await wire.lost))
                if loop.time() - since > STEADY_S:
                    back_off_s = FIRST_BACK_OFF_S
            # Half to whole, so that many processes do not all knock in the same instant.
            await asyncio.sleep(back_off_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads knocks, guards no secret
            back_off_s = min(back_off_s * 2, LAST_BACK_OFF_S)

    def _say_back(self, wire: "_Wire") -> None:
        self._wire = wire
        self.generation += 1
        self._news.set()
        log.info("store at %s: connected", self.address.where)

    def _say_away(self, failure: Exception) -> None:
        """Logged once per kind of trouble, not once per try."""
        if isinstance(failure, QueueingError):
            words = str(failure)
        else:
            words = getattr(failure, "strerror", None) or type(failure).__name__
        kind = StoreUnsuitable if isinstance(failure, StoreUnsuitable) else StoreAway
        said, self._why_away = str(self._why_away), kind(f"store at {self.address.where}: {words}")
        if str(self._why_away) != said:
            log.warning("%s", self._why_away)
        self._news.set()

    def _forget(self, wire: "_Wire") -> None:
        """Called in the instant of a cut, so that the next call already fails fast."""
        if self._wire is wire:
            self._wire = None

    async def _connect(self) -> "_Wire":
        loop = asyncio.get_running_loop()
        address = self.address

        def wire() -> _Wire:
            return _Wire(loop, self._in_flight, self._command_timeout_s, on_cut=self._forget)

        async with asyncio.timeout(self._connect_timeout_s):
            if self._path is not None:
                _, made = await loop.create_unix_connection(wire, self._path.text)
            else:
                tls = address.tls.context() if address.tls else None
                _, made = await loop.create_connection(wire, address.host, address.port, ssl=tls)
            try:
                self.facts = await greet(made, address, self._name)
            except BaseException:
                made.cut("greeting failed")
                raise
        return made


class _Wire(asyncio.Protocol):
    """One socket's life: a line of calls waiting for their answers, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, in_flight: int, timeout_s: float, *, on_cut: Any) -> None:
        self.lost: asyncio.Future[str] = loop.create_future()
        """Why it ended."""
        self._loop = loop
        self._in_flight = in_flight
        self._timeout_s = timeout_s
        self._on_cut = on_cut
        self._reader = Reader(replyError=StoreRefused, notEnoughData=NOTHING)
        self._pending: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._unsent: list[bytes] = []
        """Commands of the youngest pending calls that have not left yet."""
        self._unsent_bytes = 0
        self._partial_bytes = 0
        self._flush_planned = False
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._look_every_s = min(0.25, timeout_s / 4)
        self._last_look = loop.time()
        self._watch = loop.call_later(self._look_every_s, self._look)

    @property
    def load(self) -> int:
        return len(self._pending)

    def send(self, command: Command) -> asyncio.Future[Reply]:
        self.admit(1)
        return self.plan(pack(command))

    def admit(self, calls: int) -> None:
        """Raises StoreBusy when there is no room for so many more."""
        if len(self._pending) + calls > self._in_flight or self._unsent_bytes > MAX_UNSENT_BYTES:
            raise StoreBusy(f"{len(self._pending)} calls are in flight")

    def plan(self, packed: bytes) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        self._pending.append((future, self._loop.time()))
        self._unsent.append(packed)
        self._unsent_bytes += len(packed)
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)
        return future

    def _flush(self) -> None:
        self._flush_planned = False
        if self._paused or self._transport is None or not self._unsent:
            return
        data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        reader, pending = self._reader, self._pending
        try:
            reader.feed(data)
            self._partial_bytes += len(data)
            while (reply := reader.gets()) is not NOTHING:
                self._partial_bytes = 0
                kind = type(reply)
                if kind is PushNotification:
                    continue
                future, _ = pending.popleft()
                if future.done():  # its caller was cancelled
                    continue
                if kind is StoreRefused:
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (HiredisError, IndexError, MemoryError, UnicodeError):
            self.cut("the store sent what is no answer to any call")
            return
        if self._partial_bytes > MAX_REPLY_BYTES:
            self.cut(f"an answer of more than {MAX_REPLY_BYTES} bytes")
        elif len(pending) < len(self._unsent):
            self.cut("the store answered before it was asked")

    def _look(self) -> None:
        """Is the oldest call overdue? Answers come in order, so no other needs a clock of its own."""
        now = self._loop.time()
        late_ourselves = now - self._last_look > 2 * self._look_every_s
        self._last_look = now
        # After a stall of this process its answers may lie unread in the socket: give the loop one turn to fetch them.
        if not late_ourselves and self._pending and now - self._pending[0][1] > self._timeout_s:
            self.cut(f"no answer within {self._timeout_s:g} s")
            return
        self._watch = self._loop.call_later(self._look_every_s, self._look)

    def cut(self, why: str) -> None:
        """End it now. Safe to call twice."""
        if self.lost.done():
            return
        self.lost.set_result(why)
        self._on_cut(self)
        self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        gone = len(self._pending) - len(self._unsent)
        for place, (future, _) in enumerate(self._pending):
            if not future.done():
                future.set_exception(InDoubt(why) if place < gone else StoreAway(why))
        self._pending.clear()
        self._unsent.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            asyncio.Transport, transport
        )  # of stream sockets it always is, by another name in uvloop
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.cut("the connection was cut")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()


async def greet(wire: _Wire, address: Address, name: str) -> ServerFacts:
    """Say who we are, learn who answers, in one round trip.

    Raises StoreUnsuitable where trying again cannot help, StoreAway while the server is loading.
    """
    needed: list[Command] = []
    if address.password:
        needed.append(("AUTH", address.username, address.password) if address.username else ("AUTH", address.password))
    if address.db:
        needed.append(("SELECT", address.db))
    asked = [("CLIENT", "SETNAME", name), ("INFO", "server"), ("CONFIG", "GET", "appendonly", "appendfsync"), ("PING",)]
    answers = await asyncio.gather(*[wire.send(command) for command in [*needed, *asked]], return_exceptions=True)
    for answer in answers:
        if isinstance(answer, StoreAway):
            raise answer
    *agreed, _, info, config, pong = answers
    for answer in (*agreed, pong):
        if isinstance(answer, StoreRefused):
            raise (StoreAway if answer.code in NOT_YET else StoreUnsuitable)(f"it answers {answer.code}")
    if pong != b"PONG":
        raise StoreUnsuitable("it does not speak the Redis protocol")
    return demand_recent(read_facts(info, config))


def read_facts(info: object, config: object) -> ServerFacts:
    """From the answers to INFO and CONFIG GET, each of which an access list may refuse.

    Valkey names its own version and, for old clients, that of the Redis it sprang from.
    """
    lines = info.decode("utf-8", "replace").splitlines() if isinstance(info, bytes) else []
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    product = "valkey" if "valkey_version" in said else "redis"
    version = said.get(f"{product}_version", "")
    items = config if isinstance(config, list) else []
    settings = dict(zip(items[::2], items[1::2], strict=False))
    return ServerFacts(
        product=product if version else "",
        version=tuple(int(part) for part in version.split(".") if part.isdecimal()),
        fsync_always=settings == {b"appendonly": b"yes", b"appendfsync": b"always"},
    )


def demand_recent(facts: ServerFacts) -> ServerFacts:
    """Raises StoreUnsuitable for a server known to be too old. One that hides its version is believed."""
    if facts.product and facts.version < OLDEST[facts.product]:
        found = ".".join(map(str, facts.version))
        raise StoreUnsuitable(f"it is {facts.product} {found}; needed is Valkey 8.0 or newer, or Redis 7.2 or newer")
    return facts
