"""``GET /live/{hip_id}/now``: the newest snapshot in one answer, for screens whose stream is full or held back.

A facility that somebody streams is answered from the hub's frame. Another one is read at most once a second, however
many ask. An answer whose snapshot the screen has already is 304.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from kiosk.live.frames import snapshot_frame
from kiosk.live.hub import Hub, SnapshotSource, UnknownFacility
from kiosk.live.stream_limits import is_this_machine
from queueing.facility_view import Snapshot
from queueing.redis_keys import facility_key

FRESH_S: Final = 1.0
"""How long a read is reused. A screen polls every five seconds, so a call reaches it at most one second later."""
MOST_SAVED: Final = 4_096
"""More facilities than a state has (3,600); a snapshot of ten kilobytes each is 40 MB at most."""
READS_AT_ONCE: Final = 16
"""Snapshots read at the same time for polls. It is small, because scans share the connection."""
PER_ADDRESS_S: Final = 200
"""Polls of one address in one second: twice what 512 screens and phones need that poll every five seconds."""
PER_WORKER_S: Final = 1_000
"""Polls of one worker in one second: they take less than a quarter of a core."""

_encode = msgspec.json.Encoder().encode


class TooManyPolls(Exception):
    """This address or this worker has used all its polls of this second."""


class PollLimits:
    """Counts the polls of the running second."""

    def __init__(
        self,
        *,
        per_address: int = PER_ADDRESS_S,
        per_worker: int = PER_WORKER_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_address = per_address
        self._per_worker = per_worker
        self._clock_s = clock_s
        self._second = 0
        self._all = 0
        self._by_address: Counter[str] = Counter()

    def count(self, address: str) -> None:
        """Raises TooManyPolls. Callers on this machine count only for the worker, because a proxy may carry all
        callers.
        """
        second = int(self._clock_s())
        if second != self._second:
            self._second, self._all = second, 0
            self._by_address.clear()
        if self._all >= self._per_worker or self._by_address[address] >= self._per_address:
            raise TooManyPolls
        self._all += 1
        if not is_this_machine(address):
            self._by_address[address] += 1


class Newest(Struct, frozen=True):
    """A snapshot as it is answered."""

    frame: bytes
    """As the stream sends it."""
    tag: str
    """The same for the same content, whichever process answers and whenever it read."""
    until_s: float = 0.0

    @property
    def body(self) -> bytes:
        """The snapshot's JSON."""
        return self.frame[self.frame.index(b"data: ") + 6 : -2]


class Polls:
    """The newest snapshots of this process for those who ask."""

    def __init__(self, hub: Hub, desk: SnapshotSource, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._desk = desk
        self._clock_s = clock_s
        self._saved: dict[str, Newest] = {}
        self._reading: dict[str, asyncio.Task[Newest]] = {}
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    async def newest(self, hip_id: str) -> tuple[Newest, int]:
        """The snapshot, and since when the store does not answer (unix ms; 0: it does).

        Raises UnknownFacility or a QueueingError.
        """
        key = facility_key(hip_id)
        saved = self._saved.get(key)
        if (streamed := self._hub.newest(key)) is not None:
            content, frame, stale_since_ms = streamed
            if saved is None or saved.frame is not frame:
                saved = self._keep(key, Newest(frame, _tag(content)))
            return saved, stale_since_ms
        if saved is None or saved.until_s <= self._clock_s():
            saved = await self._read_once(key, hip_id)
        return saved, 0

    async def _read_once(self, key: str, hip_id: str) -> Newest:
        """One read for all who ask meanwhile."""
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(key, hip_id))
            reading.add_done_callback(lambda _: self._reading.pop(key, None))
        return await asyncio.shield(reading)

    async def _read(self, key: str, hip_id: str) -> Newest:
        async with self._reads:
            snapshot = await self._desk.snapshot(hip_id)
        if snapshot is None:
            raise UnknownFacility
        content = msgspec.structs.replace(snapshot, at_ms=0)
        return self._keep(key, Newest(snapshot_frame(snapshot), _tag(content), self._clock_s() + FRESH_S))

    def _keep(self, key: str, newest: Newest) -> Newest:
        if len(self._saved) >= MOST_SAVED and key not in self._saved:
            self._saved.clear()  # the next polls read each facility again, once
        self._saved[key] = newest
        return newest


def _tag(content: Snapshot) -> str:
    """``content``: a snapshot without its moment."""
    return f'"{blake2b(_encode(content), digest_size=12).hexdigest()}"'
