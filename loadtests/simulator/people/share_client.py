"""A load generator that costs a few dozen microseconds a request, for it shares its cores with what it measures.

Kept-alive connections, one request in flight on each, requests made beforehand. Three ways to press: as fast as answers
come (``closed``), at a constant rate whatever comes (``open_at``, counted from the moment a request was due, so that a
stall is seen by everybody who would have come during it), or as fast as somebody else allows (``windowed``).
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
"""Between looks at the clock of an open run: two of them pass unseen in a wait of ten milliseconds."""
WINDOW_TICK_S = 0.004
"""Between looks at a window: a few hundred shares are under way, so none of them waits for the next look."""
IDLE_S = 2.0
"""After so long without a request a connection is made anew: servers close idle ones after a few seconds."""
LOST = 0
"""Status of a request whose connection ended before its answer."""
STALLED_S = 30.0
"""With no answer for this long a run is over."""


class DoorFailed(Exception):
    """The door took no more: connections lost or silent."""


class Went(Struct, frozen=True, kw_only=True):
    """How one run went. Times are by request, in the order in which they were sent."""

    seconds: float
    statuses: dict[int, int]
    answered: "array[int]"
    """Status by request; -1: never sent."""
    due_s: "array[float]"
    """Unix time at which each was sent, or in an open run was due."""
    took_s: "array[float]"

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile_ms(self, part: float) -> float:
        """Of the time from due to answered."""
        return percentile(self.took_s, part) * 1000

    @property
    def refused(self) -> int:
        """Answers other than 202, and none at all."""
        return sum(count for status, count in self.statuses.items() if status != 202)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that ``part`` of all do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def timestamp() -> str:
    """Now, as the gateway writes it. One for a batch is enough: the door allows ten minutes."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def post(authority: str, token: str, hip: str, request_id: str, body: bytes, *, now: str) -> bytes:
    """One share as the gateway sends it; ``now``: its TIMESTAMP."""
    head = (
        f"POST {SHARE} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nX-HIP-ID: {hip}\r\n"
        f"REQUEST-ID: {request_id}\r\nTIMESTAMP: {now}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


class Lanes(Protocol):
    """Whoever holds lanes and hears what becomes of their requests."""

    def answered(self, lane: "Lane", status: int) -> None: ...
    def lost(self, lane: "Lane") -> None: ...


class Lane(asyncio.Protocol):
    """One connection, one request in flight."""

    def __init__(self, share_client: Lanes) -> None:
        self.share_client = share_client
        self.transport: asyncio.Transport | None = None
        self.index = -1
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do what asyncio.Transport says and do not inherit from it.
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
        self.share_client.answered(self, int(data[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.share_client.lost(self)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class ShareClient:
    """Connections to one address. Use as a context; one run at a time."""

    def __init__(self, url: str, *, connections: int = 64) -> None:
        self.authority = urlsplit(url).netloc
        self._host, self._port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80
        self._connections = connections
        self._lanes: set[Lane] = set()
        self._idle: list[Lane] = []
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
        """As many connections as asked for, none of them idle for so long that the other side may be closing it."""
        loop = asyncio.get_running_loop()
        if time.monotonic() - self._used_at > IDLE_S:
            await self._close()
        while len(self._lanes) < self._connections:
            _, lane = await loop.create_connection(lambda: Lane(self), self._host, self._port)
            self._lanes.add(lane)
            self._idle.append(lane)

    async def __aexit__(self, *gone: object) -> None:
        await self._close()

    async def _close(self) -> None:
        for lane in tuple(self._lanes):
            if lane.transport is not None:
                lane.transport.close()
        while self._lanes:  # noqa: ASYNC110  each leaves when the loop has closed it
            await asyncio.sleep(0)
        self._idle.clear()

    async def closed(self, requests: Sequence[bytes]) -> Went:
        """As fast as answers come."""
        return await self._run(requests, self._free)

    async def open_at(self, requests: Sequence[bytes], per_s: float) -> Went:
        """At a constant rate. Each is due at its own moment, and late ones count from it."""
        return await self._run(requests, lambda began: self._metronome(began, per_s), every_s=1 / per_s)

    async def windowed(self, requests: Sequence[bytes], room: Callable[[], int]) -> Went:
        """Never more than ``room()`` sent since the run began; asked each few milliseconds."""
        return await self._run(requests, lambda began: self._window(room))

    async def _run(
        self, requests: Sequence[bytes], allow: Callable[[float], "asyncio.Future[None] | None"], every_s: float = 0.0
    ) -> Went:
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
        return Went(seconds=seconds, statuses=dict(counts), answered=self._status, due_s=due, took_s=self._took)

    async def _watched(self) -> None:
        """Until all are answered, or nothing moves any more."""
        assert self._over is not None  # noqa: S101  made just before; narrows the type
        seen = -1
        while not self._over.done():
            await asyncio.wait({self._over}, timeout=STALLED_S)
            if not self._over.done() and self._done == seen:
                raise DoorFailed(f"no answer for {STALLED_S:.0f} s after {self._done} of {len(self._requests)}")
            seen = self._done
        self._over.result()

    def _free(self, began: float) -> None:
        self._allowed = len(self._requests)

    def _metronome(self, began: float, per_s: float) -> "asyncio.Task[None]":
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

    def answered(self, lane: Lane, status: int) -> None:
        """A lane has its answer and is free again."""
        self._settle(lane, status)
        self._idle.append(lane)
        self._pump()

    def lost(self, lane: Lane) -> None:
        """A lane's connection ended."""
        self._lanes.discard(lane)
        if lane in self._idle:
            self._idle.remove(lane)
        if lane.index >= 0:
            self._settle(lane, LOST)
        if not self._lanes and self._over is not None and not self._over.done():
            self._over.set_exception(DoorFailed("every connection was closed by the other side"))

    def _settle(self, lane: Lane, status: int) -> None:
        place, lane.index = lane.index, -1
        self._status[place] = status
        self._took[place] = time.perf_counter() - self._due[place]
        self._done += 1
        if self._done == len(self._requests) and self._over is not None and not self._over.done():
            self._over.set_result(None)
