"""Delivers shares as the gateway does: at a fixed pace, and again with the same REQUEST-ID until accepted."""

import asyncio
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct

from loadtests.simulator.people.share_client import LOST, TICK_S, Connection, SendResult

AGAIN_S = 0.3
"""Seconds from a refusal to the next delivery of the same share."""
DIAL_AGAIN_S = 0.05
SILENT_S = 10.0
"""After this long without an answer the connection is closed."""
TAKEN_WITHIN_S = 60.0
"""Seconds after the last share was due. A share not accepted by then counts as never accepted."""


class Delivered(Struct, frozen=True):
    """The result of one run."""

    sent: SendResult
    statuses: dict[int, int]
    """The status of every delivery; 0: its connection ended first."""
    taken_s: list[float]
    """Unix times of the 202s, in order."""


class Redelivery:
    """A pool of connections that reconnect. Use as a context; one run at a time."""

    def __init__(self, url: str, *, connections: int) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._wanted = connections
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._sent_at: dict[Connection, float] = {}
        self._dialling: set[asyncio.Task[None]] = set()
        self._open = False
        self._requests: Sequence[bytes] = ()
        self._waiting: deque[int] = deque()
        self._statuses: Counter[int] = Counter()
        self._taken: dict[int, float] = {}
        self._last_taken_s = 0.0

    async def __aenter__(self) -> Self:
        self._open = True
        for _ in range(self._wanted):
            self._dial()
        return self

    async def __aexit__(self, *gone: object) -> None:
        self._open = False
        for task in self._dialling:
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        for connection in tuple(self._connections):
            self._hang_up(connection)

    async def deliver(self, requests: Sequence[bytes], per_s: float) -> Delivered:
        """Send each share when it is due, and again until it is accepted."""
        began, count, due = time.time(), len(requests), 0
        self._requests, self._taken = requests, {}
        self._statuses.clear()
        while len(self._taken) < count and time.time() < began + count / per_s + TAKEN_WITHIN_S:
            reached = min(count, int((time.time() - began) * per_s) + 1)
            self._waiting.extend(range(due, reached))
            due = reached
            self._pump()
            self._end_silent()
            await asyncio.sleep(TICK_S)
        self._waiting.clear()
        due_s = array("d", (began + place / per_s for place in range(count)))
        sent = SendResult(
            seconds=time.time() - began,
            statuses={202: len(self._taken)},
            answered=array("h", (202 if place in self._taken else -1 for place in range(count))),
            due_s=due_s,
            took_s=array("d", (self._taken.get(place, 0.0) - due_s[place] for place in range(count))),
        )
        return Delivered(sent, dict(self._statuses), sorted(self._taken.values()))

    async def taken_after(self, moment_s: float, *, within_s: float) -> None:
        """Returns when a share was accepted later than ``moment_s`` (Unix time), or after ``within_s``."""
        until = time.time() + within_s
        while self._last_taken_s < moment_s and time.time() < until:  # noqa: ASYNC110  a look now and then is enough
            await asyncio.sleep(0.05)

    def answered(self, connection: Connection, status: int) -> None:
        """Called by a ``Connection`` for each answer."""
        self._settle(connection, status)
        self._idle.append(connection)
        self._pump()

    def lost(self, connection: Connection) -> None:
        """Called by a ``Connection`` whose connection ended."""
        if connection.index >= 0:
            self._settle(connection, LOST)
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._open:
            self._dial()

    def _settle(self, connection: Connection, status: int) -> None:
        place, connection.index = connection.index, -1
        del self._sent_at[connection]
        self._statuses[status] += 1
        if status == 202:
            self._last_taken_s = time.time()
            self._taken.setdefault(place, self._last_taken_s)
        else:
            asyncio.get_running_loop().call_later(AGAIN_S, self._waiting.append, place)

    def _pump(self) -> None:
        while self._idle and self._waiting:
            place, connection = self._waiting.popleft(), self._idle.pop()
            self._sent_at[connection] = time.monotonic()
            connection.send(place, self._requests[place])

    def _end_silent(self) -> None:
        now = time.monotonic()
        for connection in [connection for connection, sent_at in self._sent_at.items() if now - sent_at > SILENT_S]:
            self._hang_up(connection)

    def _hang_up(self, connection: Connection) -> None:
        if connection.transport is not None:
            connection.transport.abort()

    def _dial(self) -> None:
        task = asyncio.get_running_loop().create_task(self._dialled())
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _dialled(self) -> None:
        while True:
            try:
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), self._host, self._port
                )
            except OSError:
                await asyncio.sleep(DIAL_AGAIN_S)
            else:
                self._connections.add(connection)
                self._idle.append(connection)
                return
