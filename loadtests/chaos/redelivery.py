"""Delivers shares as the gateway does: at a fixed pace, and again with the same REQUEST-ID until accepted."""

import asyncio
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct

from loadtests.simulator.people.share_client import LOST, TICK_S, Lane, Went

AGAIN_S = 0.3
"""Seconds from a refusal to the next delivery of the same share."""
DIAL_AGAIN_S = 0.05
SILENT_S = 10.0
"""After this long without an answer the connection is closed."""
TAKEN_WITHIN_S = 60.0
"""Seconds after the last share was due. A share not accepted by then counts as never accepted."""


class Delivered(Struct, frozen=True):
    """The result of one run."""

    went: Went
    statuses: dict[int, int]
    """The status of every delivery; 0: its connection ended first."""
    taken_s: list[float]
    """Unix times of the 202s, in order."""


class Redelivery:
    """A pool of connections that reconnect. Use as a context; one run at a time."""

    def __init__(self, url: str, *, connections: int) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._connections = connections
        self._lanes: set[Lane] = set()
        self._idle: list[Lane] = []
        self._sent_at: dict[Lane, float] = {}
        self._dialling: set[asyncio.Task[None]] = set()
        self._open = False
        self._requests: Sequence[bytes] = ()
        self._waiting: deque[int] = deque()
        self._statuses: Counter[int] = Counter()
        self._taken: dict[int, float] = {}
        self._last_taken_s = 0.0

    async def __aenter__(self) -> Self:
        self._open = True
        for _ in range(self._connections):
            self._dial()
        return self

    async def __aexit__(self, *gone: object) -> None:
        self._open = False
        for task in self._dialling:
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        for lane in tuple(self._lanes):
            self._hang_up(lane)

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
        went = Went(
            seconds=time.time() - began,
            statuses={202: len(self._taken)},
            answered=array("h", (202 if place in self._taken else -1 for place in range(count))),
            due_s=due_s,
            took_s=array("d", (self._taken.get(place, 0.0) - due_s[place] for place in range(count))),
        )
        return Delivered(went, dict(self._statuses), sorted(self._taken.values()))

    async def taken_after(self, moment_s: float, *, within_s: float) -> None:
        """Returns when a share was accepted later than ``moment_s`` (Unix time), or after ``within_s``."""
        until = time.time() + within_s
        while self._last_taken_s < moment_s and time.time() < until:  # noqa: ASYNC110  a look now and then is enough
            await asyncio.sleep(0.05)

    def answered(self, lane: Lane, status: int) -> None:
        """Called by a ``Lane`` for each answer."""
        self._settle(lane, status)
        self._idle.append(lane)
        self._pump()

    def lost(self, lane: Lane) -> None:
        """Called by a ``Lane`` whose connection ended."""
        if lane.index >= 0:
            self._settle(lane, LOST)
        self._lanes.discard(lane)
        if lane in self._idle:
            self._idle.remove(lane)
        if self._open:
            self._dial()

    def _settle(self, lane: Lane, status: int) -> None:
        place, lane.index = lane.index, -1
        del self._sent_at[lane]
        self._statuses[status] += 1
        if status == 202:
            self._last_taken_s = time.time()
            self._taken.setdefault(place, self._last_taken_s)
        else:
            asyncio.get_running_loop().call_later(AGAIN_S, self._waiting.append, place)

    def _pump(self) -> None:
        while self._idle and self._waiting:
            place, lane = self._waiting.popleft(), self._idle.pop()
            self._sent_at[lane] = time.monotonic()
            lane.send(place, self._requests[place])

    def _end_silent(self) -> None:
        now = time.monotonic()
        for lane in [lane for lane, sent_at in self._sent_at.items() if now - sent_at > SILENT_S]:
            self._hang_up(lane)

    def _hang_up(self, lane: Lane) -> None:
        if lane.transport is not None:
            lane.transport.abort()

    def _dial(self) -> None:
        task = asyncio.get_running_loop().create_task(self._dialled())
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _dialled(self) -> None:
        while True:
            try:
                _, lane = await asyncio.get_running_loop().create_connection(lambda: Lane(self), self._host, self._port)
            except OSError:
                await asyncio.sleep(DIAL_AGAIN_S)
            else:
                self._lanes.add(lane)
                self._idle.append(lane)
                return
