"""One reader of changes, many listeners.

Promised: every listener of a facility hears its newest snapshot within a second of a change while the store answers,
and hears ``stale`` within ten seconds when it does not. A slow listener never piles up: its mailbox holds one frame, a
newer one takes its place. A facility is drawn and encoded once for all its listeners: five times a second, or up to
twenty-five with few of them; waking ten thousand leaves room for scans in between. A call is drawn at once, arrivals
are gathered.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

import msgspec
import structlog

from queueing.feed import EVERYTHING
from queueing.models import Snapshot
from queueing.redis_keys import facility_key

REDRAW_S: Final = 0.2
"""The longest rest after a picture: five a second are more than an eye in a hall follows."""
GATHER_S: Final = 0.4
"""An arrival waits this long for others, or until somebody is called: a hall listens for calls, its count has time."""
REST_S: Final = 0.04
REST_FOR_EACH_S: Final = 0.0002
"""The rest for each listener: three times what a frame costs, so that drawing leaves most of the time to others, and a
call in a hall with a few screens need not wait as if for a crowd.
"""
WAKE_AT_ONCE: Final = 128
"""Listeners woken before other work has its turn: about five milliseconds of sending."""
BEAT_S: Final = 15.0
"""Proxies cut silent streams after 30 to 60 s; screens give a silent one up after 40 s."""
PULSE_S: Final = 5.0
"""One hall is read this often however quiet the changes are, so a store that went away is noticed."""
LOOK_AGAIN_S: Final = 30.0
"""A screen is never older than this, should a piece of changes be lost; it also carries a new day to a silent hall."""
READS_AT_ONCE: Final = 64
"""Snapshots asked for together when all halls must be read again: scans share the same connection."""
LIFE_S: Final = 3 * 3600.0
"""A stream ends after about this long and its screen joins again: after a restart the load spreads by itself."""
MOST_LISTENERS: Final = 20_000
"""Open streams of one process: above this memory, not processor time, would be the first to end."""

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode


class Hall(Protocol):
    """Where snapshots come from; ``queueing.desk.OpdDesk`` is one."""

    async def snapshot(self, hip: str) -> Snapshot | None: ...


class Changes(Protocol):
    """Where changes come from; ``queueing.feed.Feed`` is one."""

    def follow(self) -> AsyncIterator[dict[str, bool]]: ...


class UnknownHall(Exception):
    """No facility has this HIP id."""


class HubFull(Exception):
    """As many listeners as this process may hold, or it is closing; another time or another process takes this one."""


class Mailbox:
    """What one listener has yet to hear: one frame, the newest."""

    __slots__ = ("_closed", "_frame", "_waiter", "ends_at_s", "key")

    def __init__(self, key: str, ends_at_s: float) -> None:
        self.key = key
        self.ends_at_s = ends_at_s
        self._frame = b""
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        """Leave a frame; one not yet taken is forgotten."""
        if not self._closed:
            self._frame = frame
            self._wake()

    def beat(self) -> None:
        """Leave a sign of life, unless something better waits."""
        if not self._frame:
            self.put(beat_frame())

    def close(self, last: bytes = b"") -> None:
        """Nothing comes after ``last``. A second call does nothing."""
        if self._closed:
            return
        self._frame += last
        self._closed = True
        self._wake()

    async def take(self) -> bytes:
        """The newest frame, as soon as there is one; empty when the stream is over."""
        while not self._frame:
            if self._closed:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        frame, self._frame = self._frame, b""
        return frame

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Watched:
    """A facility that somebody listens to."""

    __slots__ = (
        "content",
        "drawing",
        "drawn_at_s",
        "first",
        "frame",
        "hip_id",
        "hurry",
        "mailboxes",
        "stale_since_ms",
        "turn",
        "wanted",
    )

    def __init__(self, hip_id: str) -> None:
        self.hip_id = hip_id
        self.mailboxes: set[Mailbox] = set()
        self.frame = b""
        self.content: Snapshot | None = None
        """What the frame shows, without its moment."""
        self.wanted = False
        self.hurry = asyncio.Event()
        """What is wanted cannot wait."""
        self.drawing: asyncio.Task[None] | None = None
        self.first: asyncio.Task[bool] | None = None
        self.drawn_at_s = 0.0
        self.stale_since_ms = 0
        self.turn = asyncio.Lock()
        """One look at a time, so that no older snapshot overtakes a newer one."""

    def greeting(self) -> bytes:
        """What a newcomer hears first."""
        return self.frame + (stale_frame(self.stale_since_ms) if self.stale_since_ms else b"")


class Hub:
    """All listeners of this process. ``start`` before the first, ``close`` once at the end."""

    def __init__(
        self,
        feed: Changes,
        desk: Hall,
        *,
        most_listeners: int = MOST_LISTENERS,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._desk = desk
        self._most = most_listeners
        self._clock_s = clock_s
        self._halls: dict[str, _Watched] = {}
        self._count = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._closing = False

    @property
    def listeners(self) -> int:
        """Open streams of this process."""
        return self._count

    @property
    def halls(self) -> int:
        """Facilities that somebody listens to."""
        return len(self._halls)

    def start(self) -> None:
        """Begin to follow the changes. Needs a running event loop."""
        self._tasks = [asyncio.create_task(work) for work in (self._follow(), self._beat(), self._look_again())]

    async def close(self) -> None:
        """Say goodbye to every listener and stop; streams end by themselves within moments."""
        self._closing = True
        for hall in list(self._halls.values()):
            await _hand_out(hall.mailboxes, lambda mailbox: mailbox.close(BYE))
        tasks = [*self._tasks, *(hall.drawing for hall in self._halls.values() if hall.drawing)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def join(self, hip_id: str) -> Mailbox:
        """A mailbox with the newest snapshot in it. Raises UnknownHall, HubFull, or what the store raises when away."""
        if self._closing or self._count >= self._most:
            raise HubFull
        self._count += 1
        key = facility_key(hip_id)
        hall = self._halls.setdefault(key, _Watched(hip_id))
        mailbox = Mailbox(key, self._clock_s() + LIFE_S * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, no secret
        hall.mailboxes.add(mailbox)
        try:
            if not hall.frame and not await self._first_look(hall):
                raise UnknownHall
        except BaseException:
            self.leave(mailbox)
            raise
        mailbox.put(hall.greeting())
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """The listener is gone; a second call does nothing. A hall without listeners is forgotten."""
        hall = self._halls.get(mailbox.key)
        if hall is None or mailbox not in hall.mailboxes:
            return
        hall.mailboxes.remove(mailbox)
        self._count -= 1
        mailbox.close()
        if not hall.mailboxes:
            del self._halls[mailbox.key]
            if hall.drawing is not None:
                hall.drawing.cancel()

    async def _first_look(self, hall: _Watched) -> bool:
        """Read a new hall once for all who came together; False for an unknown facility."""
        if hall.first is None or hall.first.done():
            hall.first = asyncio.create_task(self._look(hall))
        return await asyncio.shield(hall.first)

    async def _look(self, hall: _Watched) -> bool:
        """Draw the hall's newest frame; False for an unknown facility."""
        async with hall.turn:
            async with self._reads:
                snapshot = await self._desk.snapshot(hall.hip_id)
            hall.drawn_at_s = self._clock_s()
            if snapshot is None:
                return False
            content = msgspec.structs.replace(snapshot, at_ms=0)
            if content != hall.content or hall.stale_since_ms:
                hall.content, hall.stale_since_ms = content, 0
                hall.frame = snapshot_frame(snapshot)
                await _hand_out(hall.mailboxes, lambda mailbox: mailbox.put(hall.frame))
            return True

    def _redraw(self, hall: _Watched, *, soon: bool = True) -> None:
        hall.wanted = True
        if soon:
            hall.hurry.set()
        if hall.drawing is None:
            hall.drawing = asyncio.create_task(self._draw(hall))

    async def _draw(self, hall: _Watched) -> None:
        """Redraw while there is changes, with a pause after each picture. One at a time, so none overtakes another."""
        try:
            while hall.wanted:
                with suppress(TimeoutError):
                    await asyncio.wait_for(hall.hurry.wait(), GATHER_S)
                hall.wanted = False
                hall.hurry.clear()
                try:
                    await self._look(hall)
                except Exception as error:  # whatever is wrong there, these listeners must hear it
                    await self._say_stale(hall, error)
                await asyncio.sleep(_rest_s(len(hall.mailboxes)))
        finally:
            hall.drawing = None

    async def _say_stale(self, hall: _Watched, error: Exception) -> None:
        hall.drawn_at_s = self._clock_s()
        if not hall.stale_since_ms:
            hall.stale_since_ms = time.time_ns() // 1_000_000
            _log.warning("hall_stale", error=type(error).__name__, listeners=len(hall.mailboxes))
        await _hand_out(hall.mailboxes, lambda mailbox: mailbox.put(hall.greeting()))

    async def _follow(self) -> None:
        """Redraw what the changes name; a feed that fails is asked again, and then everything is looked at."""
        async for changed in _unending(self._feed):
            if EVERYTHING in changed:
                for hall in self._halls.values():
                    self._redraw(hall)
            for key in changed.keys() & self._halls.keys():
                self._redraw(self._halls[key], soon=changed[key])

    async def _look_again(self) -> None:
        """Check the eldest picture each pulse and every one in time; the first that fails makes all others look."""
        alarmed = False
        while True:
            await asyncio.sleep(PULSE_S)
            now_s = self._clock_s()
            halls = sorted(self._halls.values(), key=lambda hall: hall.drawn_at_s)
            stale = [hall for hall in halls if hall.stale_since_ms]
            due = [hall for hall in halls if now_s - hall.drawn_at_s >= LOOK_AGAIN_S]
            for hall in halls if stale and not alarmed else (*halls[:1], *stale, *due):
                self._redraw(hall)
            alarmed = bool(stale)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            now_s = self._clock_s()
            for hall in list(self._halls.values()):
                await _hand_out(
                    hall.mailboxes,
                    lambda mailbox: mailbox.close(BYE) if mailbox.ends_at_s <= now_s else mailbox.beat(),  # noqa: B023 - used at once
                )


def _rest_s(listeners: int) -> float:
    """How long a hall rests after a picture."""
    return min(REDRAW_S, max(REST_S, listeners * REST_FOR_EACH_S))


async def _unending(feed: Changes) -> AsyncIterator[dict[str, bool]]:
    """The feed's changes, and after each failure of the feed word that everything may have changed."""
    pause_s = 0.5
    while True:
        try:
            async for changed in feed.follow():
                pause_s = 0.5
                yield changed
        except Exception as error:  # the one reader of changes must outlive whatever befalls the store
            _log.warning("feed_lost", error=type(error).__name__)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, PULSE_S)
        yield {EVERYTHING: True}


async def _hand_out(mailboxes: Iterable[Mailbox], hand: Callable[[Mailbox], None]) -> None:
    listeners = tuple(mailboxes)
    for start in range(0, len(listeners), WAKE_AT_ONCE):
        for mailbox in listeners[start : start + WAKE_AT_ONCE]:
            hand(mailbox)
        await asyncio.sleep(0)


def snapshot_frame(snapshot: Snapshot) -> bytes:
    """The event as it goes over the wire. JSON has no raw line ends, so one ``data`` line holds it."""
    return b"event: snapshot\nid: %d\ndata: %b\n\n" % (snapshot.at_ms, _encode(snapshot))


def stale_frame(since_ms: int) -> bytes:
    """The store does not answer since then (unix ms); what was shown before may be old."""
    return b'event: stale\ndata: {"since_ms":%d}\n\n' % since_ms


def beat_frame() -> bytes:
    """A comment for proxies, and the same as an event: browsers hide comments from the page that watches."""
    return b': beat\nevent: beat\ndata: {"at_ms":%d}\n\n' % (time.time_ns() // 1_000_000)


BYE: Final = b"event: bye\ndata: {}\n\n"
"""This process ends; another takes over. Join again in a moment."""
