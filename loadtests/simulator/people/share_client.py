"""A load generator that costs a few dozen microseconds a request, because it shares its cores with the kiosk it
measures.

It uses kept-alive connections with one request in flight on each. Requests are built beforehand. There are three ways
to send them:

- ``send_all``: as fast as answers come.
- ``send_at_rate``: at a constant rate. A request is timed from when it was due, so a stall counts for all requests
  in it.
- ``send_in_window``: as fast as the caller allows.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, Self, cast
from urllib.parse import urlsplit

from msgspec import Struct

SHARE = "/api/v3/hip/patient/share"
TICK_S = 0.002
"""Seconds between two checks of which requests are due, in a run at a constant rate. Compared with an answer of ten
milliseconds it is small."""
WINDOW_TICK_S = 0.004
"""Seconds between two checks of the window. A few hundred shares are in progress, so no part waits for the
next check.
"""
IDLE_S = 2.0
"""A connection that was idle for this long is opened anew, because servers close idle ones after a few seconds."""
LOST = 0
"""The status of a request whose connection ended before its answer."""
STALLED_S = 30.0
"""A run ends with an error when no answer came for this long."""


class ServerFailed(Exception):
    """The server stopped answering: connections were lost or silent."""


class SendResult(Struct, frozen=True, kw_only=True):
    """The result of one run. Times are by request, in the order of sending."""

    seconds: float
    statuses: dict[int, int]
    answered: "array[int]"
    """Status by request; -1: never sent."""
    due_s: "array[float]"
    """Unix time at which each was sent, or was due in a run at a constant rate."""
    took_s: "array[float]"

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile_ms(self, part: float) -> float:
        """A percentile of the time from due to answered."""
        return percentile(self.took_s, part) * 1000

    @property
    def refused(self) -> int:
        """Requests with another answer than 202, or with none."""
        return sum(count for status, count in self.statuses.items() if status != 202)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of all values do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def timestamp() -> str:
    """Now, as the gateway writes it. One for a batch is enough, because the kiosk allows ten minutes."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def post(authority: str, token: str, hip: str, request_id: str, body: bytes, *, now: str) -> bytes:
    """One share as the gateway sends it; ``now``: its TIMESTAMP."""
    head = (
        f"POST {SHARE} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nX-HIP-ID: {hip}\r\n"
        f"REQUEST-ID: {request_id}\r\nTIMESTAMP: {now}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


class ConnectionOwner(Protocol):
    """An owner of connections, which is told about answers and lost connections."""

    def answered(self, connection: "Connection", status: int) -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One connection, one request in flight."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self.owner = owner
        self.transport: asyncio.Transport | None = None
        self.index = -1
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but do not inherit from it.
        self.transport = cast(asyncio.Transport, transport)

    def send(self, index: int, request: bytes) -> None:
        self.index = index
        if self.transport is not None:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data[:end]):
            self._rest = data
            return
        self._rest = b""
        self.owner.answered(self, int(data[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.owner.lost(self)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class ShareClient:
    """Connections to one address. Use as a context; one run at a time."""

    def __init__(self, url: str, *, connections: int = 64) -> None:
        self.authority = urlsplit(url).netloc
        self._host, self._port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80
        self._wanted = connections
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._requests: Sequence[bytes] = ()
        self._allowed = 0
        self._next = 0
        self._done = 0
        self._paced = False
        self._used_at = time.monotonic()
        self._status: array[int] = array("h")
        self._due: array[float] = array("d")
        self._took: array[float] = array("d")
        self._over: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def _open(self) -> None:
        """Open all connections, and replace those that were idle so long that the server may be closing them."""
        loop = asyncio.get_running_loop()
        if time.monotonic() - self._used_at > IDLE_S:
            await self._close()
        while len(self._connections) < self._wanted:
            _, connection = await loop.create_connection(self.new_connection, self._host, self._port)
            self._connections.add(connection)
            self._idle.append(connection)

    def new_connection(self) -> Connection:
        """One more connection."""
        return Connection(self)

    async def __aexit__(self, *gone: object) -> None:
        await self._close()

    async def _close(self) -> None:
        for connection in tuple(self._connections):
            if connection.transport is not None:
                connection.transport.close()
        while self._connections:  # noqa: ASYNC110  each leaves when the loop has closed it
            await asyncio.sleep(0)
        self._idle.clear()

    async def send_all(self, requests: Sequence[bytes]) -> SendResult:
        """Send as fast as answers come."""
        return await self._run(requests, self._without_limit)

    async def send_at_rate(self, requests: Sequence[bytes], per_s: float) -> SendResult:
        """Send at a constant rate. Each request is timed from the moment when it was due."""
        return await self._run(requests, lambda began: self._at_rate(began, per_s), every_s=1 / per_s)

    async def send_in_window(self, requests: Sequence[bytes], room: Callable[[], int]) -> SendResult:
        """Send at most ``room()`` requests since the run began. ``room`` is called every few milliseconds."""
        return await self._run(requests, lambda began: self._window(room))

    async def _run(
        self, requests: Sequence[bytes], allow: Callable[[float], "asyncio.Future[None] | None"], every_s: float = 0.0
    ) -> SendResult:
        await self._open()
        count = len(requests)
        began_unix, began = time.time(), time.perf_counter()
        self._requests, self._next, self._done, self._allowed = requests, 0, 0, 0
        self._status = array("h", [-1]) * count
        self._due = array("d", (began + place * every_s for place in range(count)))
        self._took = array("d", [0.0]) * count
        self._paced = bool(every_s)
        self._over = asyncio.get_running_loop().create_future()
        clock = allow(began)
        try:
            self._pump()
            await self._watched()
        finally:
            self._over, self._used_at = None, time.monotonic()
            if clock is not None:
                clock.cancel()
                await asyncio.gather(clock, return_exceptions=True)
        seconds = time.perf_counter() - began
        due = array("d", (began_unix + at - began for at in self._due))
        counts = Counter(self._status)
        return SendResult(seconds=seconds, statuses=dict(counts), answered=self._status, due_s=due, took_s=self._took)

    async def _watched(self) -> None:
        """Wait until all are answered, or until no answer came for ``STALLED_S``."""
        assert self._over is not None  # noqa: S101  made just before; narrows the type
        seen = -1
        while not self._over.done():
            await asyncio.wait({self._over}, timeout=STALLED_S)
            if not self._over.done() and self._done == seen:
                raise ServerFailed(f"no answer for {STALLED_S:.0f} s after {self._done} of {len(self._requests)}")
            seen = self._done
        self._over.result()

    def _without_limit(self, began: float) -> None:
        self._allowed = len(self._requests)

    def _at_rate(self, began: float, per_s: float) -> "asyncio.Task[None]":
        async def tick() -> None:
            while self._allowed < len(self._requests):
                self._allowed = min(len(self._requests), int((time.perf_counter() - began) * per_s) + 1)
                self._pump()
                await asyncio.sleep(TICK_S)

        return asyncio.create_task(tick())

    def _window(self, room: Callable[[], int]) -> "asyncio.Task[None]":
        async def tick() -> None:
            while self._next < len(self._requests):
                self._allowed = min(len(self._requests), room())
                self._pump()
                await asyncio.sleep(WINDOW_TICK_S)

        return asyncio.create_task(tick())

    def _pump(self) -> None:
        idle = self._idle
        while idle and self._next < self._allowed:
            place = self._next
            self._next += 1
            if not self._paced:
                self._due[place] = time.perf_counter()
            idle.pop().send(place, self._requests[place])

    def answered(self, connection: Connection, status: int) -> None:
        """Called by a connection that got its answer and is free again."""
        self._settle(connection, status)
        self._idle.append(connection)
        self._pump()

    def lost(self, connection: Connection) -> None:
        """Called by a connection that ended."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if connection.index >= 0:
            self._settle(connection, LOST)
        if not self._connections and self._over is not None and not self._over.done():
            self._over.set_exception(ServerFailed("every connection was closed by the other side"))

    def _settle(self, connection: Connection, status: int) -> None:
        place, connection.index = connection.index, -1
        self._status[place] = status
        self._took[place] = time.perf_counter() - self._due[place]
        self._done += 1
        if self._done == len(self._requests) and self._over is not None and not self._over.done():
            self._over.set_result(None)
