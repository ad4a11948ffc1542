"""``python -m loadtests.bench.listeners``: thousands of screens on ``/live/{hip_id}``, in another process.

Reads a ``ListenerPlan`` as one line of JSON from standard input, opens the streams, prints ``ready``, listens until its
input is closed, then prints a ``ListenerReport``. Times are Unix seconds of this machine.
"""

import asyncio
import resource
import sys
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop
from msgspec import Struct, json

OPENING_AT_ONCE = 64
"""Connections opened at the same time. After a power cut real screens do not connect all at once either."""
OPEN_WITHIN_S = 90.0
PHONE = "/phone"


class ListenerPlan(Struct, frozen=True, kw_only=True):
    """The listeners and what they listen to."""

    url: str
    hips: list[str]
    """A HIP id for each listener; ``/phone`` stands behind it for a ticket page."""
    watched: list[str]
    """Facilities whose calls are timed; the frames of all others are only counted."""


class ListenerReport(Struct, frozen=True, kw_only=True):
    """What the listeners received."""

    frames: int
    bytes: int
    lost: int
    """Streams that ended before the end of the run."""
    calls: dict[str, list[float]]
    """For each ``hip token``: when each listener of the facility saw it at a counter."""


class _Called(Struct):
    token: str


class _Queue(Struct):
    now: list[_Called]


class _Hall(Struct):
    queues: list[_Queue]


_HALL = json.Decoder(_Hall)


class Screen(asyncio.Protocol):
    """One stream."""

    def __init__(self, screens: "OpenScreens", place: str) -> None:
        self.screens, self.place = screens, place
        self.hip = hip = place.removesuffix(PHONE)
        self.transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._seen: set[str] = set()
        self._watched = hip in screens.watched

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but do not inherit from it.
        self.transport = cast(asyncio.Transport, transport)
        request = (
            f"GET /live/{self.place} HTTP/1.1\r\nHost: {self.screens.authority}\r\nAccept: text/event-stream\r\n\r\n"
        )
        self.transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        self.screens.bytes += len(data)
        if not self.opened.done() and b"event: snapshot" in data:
            self.opened.set_result(None)
        if not self._watched:
            self.screens.frames += data.count(b"event: snapshot")
            return
        data = self._rest + data
        *events, self._rest = data.split(b"\n\n")
        for event in events:
            _, found, frame = event.partition(b"data: ")
            if b"event: snapshot" in event and found:
                self.screens.frames += 1
                self._look(frame)

    def _look(self, frame: bytes) -> None:
        now_s = time.time()
        for queue in _HALL.decode(frame).queues:
            for called in queue.now:
                if called.token not in self._seen:
                    self._seen.add(called.token)
                    self.screens.calls.setdefault(f"{self.hip} {called.token}", []).append(now_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.screens.lost += not self.screens.over
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"the stream of {self.hip} was refused"))


class OpenScreens:
    """All screens."""

    def __init__(self, plan: ListenerPlan) -> None:
        self.plan = plan
        self.authority = urlsplit(plan.url).netloc
        self.watched = frozenset(plan.watched)
        self.frames = self.bytes = self.lost = 0
        self.over = False
        self.calls: dict[str, list[float]] = {}
        self.opened: list[Screen] = []

    async def open(self) -> None:
        """Open all streams and wait for the first snapshot of each."""
        room = asyncio.Semaphore(OPENING_AT_ONCE)
        async with asyncio.timeout(OPEN_WITHIN_S):
            await asyncio.gather(*(self._one(hip, room) for hip in self.plan.hips))

    async def _one(self, hip: str, room: asyncio.Semaphore) -> None:
        where = urlsplit(self.plan.url)
        async with room:
            made = asyncio.get_running_loop().create_connection(
                lambda: Screen(self, hip), where.hostname or "", where.port or 80
            )
            _, screen = await made
            self.opened.append(screen)
            await screen.opened

    def close(self) -> None:
        """Close all streams."""
        self.over = True
        for screen in self.opened:
            if screen.transport is not None:
                screen.transport.abort()


async def _listen() -> None:
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    listening = OpenScreens(json.decode(await reader.readline(), type=ListenerPlan))
    await listening.open()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await reader.read()
    listening.close()
    report = ListenerReport(frames=listening.frames, bytes=listening.bytes, lost=listening.lost, calls=listening.calls)
    sys.stdout.write(json.encode(report).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """The command."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_listen())


if __name__ == "__main__":
    main()
