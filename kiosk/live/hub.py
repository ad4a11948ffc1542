"""One reader of changes, many listeners.

- While the store answers, every listener of a facility gets the newest snapshot within a second of a change.
- When the store does not answer, every listener gets ``stale`` within ten seconds.
- A mailbox holds one frame. A newer frame replaces it, so a slow listener uses no more memory than a fast one.
- A facility is read once for all its listeners, at most five times a second (25 with few listeners), and encoded once
  for its boards and once for its phones.
- A call is sent as soon as whoever made it has the answer. Arrivals are gathered for a moment.
- Ten thousand listeners are woken in small groups, so that scans are served in between.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

import msgspec
import structlog

from kiosk.live.frames import BYE, for_phones, heartbeat_frame, snapshot_frame, stale_frame
from kiosk.live.pace import MOST_LISTENERS, REDRAW_S
from queueing.changes import Changes
from queueing.facility_view import Snapshot
from queueing.feed import EVERYTHING
from queueing.redis_keys import facility_key

GATHER_S: Final = 0.4
"""An arrival waits this long for other arrivals, or until somebody is called. Only a call is urgent for a screen."""
ANSWER_FIRST_S: Final = 0.004
"""A call waits this long. Whoever made it waits for the answer: it comes 2 ms sooner when the frame is not read and
sent at the same moment, and on a slow PC the desk has drawn it before it hears of the change.
"""
REST_S: Final = 0.04
REST_FOR_EACH_S: Final = 0.0002
"""The rest for each listener: three times the cost of a frame. Sending then takes a quarter of the time at most, and a
facility with few screens rests only briefly.
"""
WAKE_AT_ONCE: Final = 128
"""Listeners woken before other work has its turn: about five milliseconds of sending."""
HEARTBEAT_S: Final = 15.0
"""Proxies cut silent streams after 30 to 60 s; screens give a silent one up after 40 s."""
PULSE_S: Final = 5.0
"""One facility is read this often even without changes, so that a store that stopped answering is noticed."""
REFRESH_AT_LATEST_S: Final = 30.0
"""Every facility is read this often, in case a change was lost or a new day began without a change."""
READS_AT_ONCE: Final = 64
"""Snapshots requested at once when all facilities must be read: scans share the same connection."""
LIFE_S: Final = 3 * 3600.0
"""A stream ends after about this long and its screen subscribes again. This spreads the load after a restart."""

_log = structlog.get_logger(__name__)


class SnapshotSource(Protocol):
    """Reads snapshots, as ``queueing.desk.OpdDesk`` does."""

    async def snapshot(self, hip: str) -> Snapshot | None: ...


class ChangeSource(Protocol):
    """Yields the facilities that changed, as ``queueing.feed.Feed`` does."""

    def follow(self) -> AsyncIterator[dict[str, bool]]: ...


class UnknownFacility(Exception):
    """No facility has this HIP id."""


class HubFull(Exception):
    """This process has its maximum of listeners, or it is closing. Try again later."""


class Mailbox:
    """The one frame that a listener has not taken yet."""

    __slots__ = ("_closed", "_frame", "_waiter", "ends_at_s", "key", "phone")

    def __init__(self, key: str, ends_at_s: float, *, phone: bool = False) -> None:
        self.key = key
        self.phone = phone
        self.ends_at_s = ends_at_s
        self._frame = b""
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        """Store a frame. It replaces one that was not taken."""
        if not self._closed:
            self._frame = frame
            self._wake()

    def heartbeat(self) -> None:
        """Store a heartbeat, unless a frame waits already."""
        if not self._frame:
            self.put(heartbeat_frame())

    def close(self, last: bytes = b"") -> None:
        """End the stream with ``last``. A second call does nothing."""
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


class FacilityFeed:
    """The newest frame of one facility, and its listeners."""

    __slots__ = (
        "content",
        "drawing",
        "drawn_at_s",
        "first",
        "frame",
        "hip_id",
        "hurry",
        "mailboxes",
        "phone_frame",
        "shown",
        "stale_since_ms",
        "turn",
        "wanted",
    )

    def __init__(self, hip_id: str) -> None:
        self.hip_id = hip_id
        self.mailboxes: set[Mailbox] = set()
        self.frame = b""
        self.phone_frame = b""
        """The same for phones; made when the first of them gets it."""
        self.shown: Snapshot | None = None
        self.content: Snapshot | None = None
        """What the frame shows, without its moment."""
        self.wanted = False
        self.hurry = asyncio.Event()
        """Set when the wanted refresh is urgent."""
        self.drawing: asyncio.Task[None] | None = None
        self.first: asyncio.Task[bool] | None = None
        self.drawn_at_s = 0.0
        self.stale_since_ms = 0
        self.turn = asyncio.Lock()
        """One read at a time, so that an older snapshot never replaces a newer one."""

    def show(self, snapshot: Snapshot) -> None:
        """Make the frame of a snapshot."""
        self.shown, self.frame, self.phone_frame = snapshot, snapshot_frame(snapshot), b""

    def frame_for(self, mailbox: Mailbox) -> bytes:
        """The newest frame, as this listener takes it."""
        if not mailbox.phone or self.shown is None:
            return self.frame
        if not self.phone_frame:
            self.phone_frame = snapshot_frame(for_phones(self.shown))
        return self.phone_frame

    def first_frame(self, mailbox: Mailbox) -> bytes:
        """What a new listener gets first."""
        return self.frame_for(mailbox) + (stale_frame(self.stale_since_ms) if self.stale_since_ms else b"")


class Hub:
    """All listeners of this process. ``start`` before the first, ``close`` once at the end."""

    def __init__(
        self,
        changes: ChangeSource,
        desk: SnapshotSource,
        *,
        most_listeners: int = MOST_LISTENERS,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changes = changes
        self._desk = desk
        self._most = most_listeners
        self._clock_s = clock_s
        self._feeds: dict[str, FacilityFeed] = {}
        self._count = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._closing = False
        self.changes = Changes()
        """For those who read something else than snapshots after a change."""

    @property
    def listeners(self) -> int:
        """Open streams of this process."""
        return self._count

    @property
    def facilities(self) -> int:
        """Facilities that somebody listens to."""
        return len(self._feeds)

    def start(self) -> None:
        """Start the background tasks. Needs a running event loop."""
        self._tasks = [asyncio.create_task(work) for work in (self._follow(), self._heartbeat(), self._refresh_old())]

    async def close(self) -> None:
        """Send ``bye`` to every listener and stop. The streams end shortly after."""
        self._closing = True
        await self.changes.close()
        for feed in list(self._feeds.values()):
            await _broadcast(feed.mailboxes, lambda mailbox: mailbox.close(BYE))
        tasks = [*self._tasks, *(feed.drawing for feed in self._feeds.values() if feed.drawing)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def subscribe(self, hip_id: str, *, phone: bool = False) -> Mailbox:
        """A mailbox that holds the newest snapshot. Raises UnknownFacility, HubFull or a QueueingError.

        ``phone``: a ticket page listens, which shows less than a board.
        """
        if self._closing or self._count >= self._most:
            raise HubFull
        self._count += 1
        key = facility_key(hip_id)
        feed = self._feeds.setdefault(key, FacilityFeed(hip_id))
        ends_at_s = self._clock_s() + LIFE_S * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, no secret
        mailbox = Mailbox(key, ends_at_s, phone=phone)
        feed.mailboxes.add(mailbox)
        try:
            if not feed.frame and not await self._first_refresh(feed):
                raise UnknownFacility
        except BaseException:
            self.unsubscribe(mailbox)
            raise
        mailbox.put(feed.first_frame(mailbox))
        return mailbox

    def unsubscribe(self, mailbox: Mailbox) -> None:
        """Remove a listener. A second call does nothing. A facility without listeners is forgotten."""
        feed = self._feeds.get(mailbox.key)
        if feed is None or mailbox not in feed.mailboxes:
            return
        feed.mailboxes.remove(mailbox)
        self._count -= 1
        mailbox.close()
        if not feed.mailboxes:
            del self._feeds[mailbox.key]
            if feed.drawing is not None:
                feed.drawing.cancel()

    def newest(self, key: str) -> tuple[Snapshot, bytes, int] | None:
        """Content and frame of a facility that has listeners, and since when it is stale. Reads nothing."""
        feed = self._feeds.get(key)
        if feed is None or feed.content is None:
            return None
        return feed.content, feed.frame, feed.stale_since_ms

    async def _first_refresh(self, feed: FacilityFeed) -> bool:
        """Read a facility once for all listeners that subscribe together. False: unknown facility."""
        if feed.first is None or feed.first.done():
            feed.first = asyncio.create_task(self._refresh(feed))
        return await asyncio.shield(feed.first)

    async def _refresh(self, feed: FacilityFeed) -> bool:
        """Read the snapshot and send it when it changed. False: unknown facility."""
        async with feed.turn:
            async with self._reads:
                snapshot = await self._desk.snapshot(feed.hip_id)
            feed.drawn_at_s = self._clock_s()
            if snapshot is None:
                return False
            content = msgspec.structs.replace(snapshot, at_ms=0)
            if content != feed.content or feed.stale_since_ms:
                feed.content, feed.stale_since_ms = content, 0
                feed.show(snapshot)
                await _broadcast(feed.mailboxes, lambda mailbox: mailbox.put(feed.frame_for(mailbox)))
            return True

    def _redraw(self, feed: FacilityFeed, *, soon: bool = True) -> None:
        feed.wanted = True
        if soon:
            feed.hurry.set()
        if feed.drawing is None:
            feed.drawing = asyncio.create_task(self._draw(feed))

    async def _draw(self, feed: FacilityFeed) -> None:
        """Refresh while changes come, with a rest after each. One task a facility, so that frames keep their order."""
        try:
            while feed.wanted:
                with suppress(TimeoutError):
                    await asyncio.wait_for(feed.hurry.wait(), GATHER_S)
                    await asyncio.sleep(ANSWER_FIRST_S)
                feed.wanted = False
                feed.hurry.clear()
                try:
                    await self._refresh(feed)
                except Exception as error:  # any failure must reach these listeners
                    await self._mark_stale(feed, error)
                await asyncio.sleep(_rest_s(len(feed.mailboxes)))
        finally:
            feed.drawing = None

    async def _mark_stale(self, feed: FacilityFeed, error: Exception) -> None:
        feed.drawn_at_s = self._clock_s()
        if not feed.stale_since_ms:
            feed.stale_since_ms = time.time_ns() // 1_000_000
            _log.warning("facility_stale", error=type(error).__name__, listeners=len(feed.mailboxes))
        await _broadcast(feed.mailboxes, lambda mailbox: mailbox.put(feed.first_frame(mailbox)))

    async def _follow(self) -> None:
        """Refresh the facilities that changed. After a failure of the source, refresh all."""
        async for changed in _unending(self._changes):
            await self.changes.announce(changed)
            if EVERYTHING in changed:
                for feed in self._feeds.values():
                    self._redraw(feed)
            for key in changed.keys() & self._feeds.keys():
                self._redraw(self._feeds[key], soon=changed[key])

    async def _refresh_old(self) -> None:
        """At each pulse, refresh the oldest frame and all frames that are due. If one fails, refresh all once."""
        alarmed = False
        while True:
            await asyncio.sleep(PULSE_S)
            now_s = self._clock_s()
            feeds = sorted(self._feeds.values(), key=lambda feed: feed.drawn_at_s)
            stale = [feed for feed in feeds if feed.stale_since_ms]
            due = [feed for feed in feeds if now_s - feed.drawn_at_s >= REFRESH_AT_LATEST_S]
            for feed in feeds if stale and not alarmed else (*feeds[:1], *stale, *due):
                self._redraw(feed)
            alarmed = bool(stale)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            now_s = self._clock_s()
            for feed in list(self._feeds.values()):
                await _broadcast(
                    feed.mailboxes,
                    lambda mailbox: mailbox.close(BYE) if mailbox.ends_at_s <= now_s else mailbox.heartbeat(),  # noqa: B023 - used at once
                )


def _rest_s(listeners: int) -> float:
    """How long a facility rests after a frame."""
    return min(REDRAW_S, max(REST_S, listeners * REST_FOR_EACH_S))


async def _unending(changes: ChangeSource) -> AsyncIterator[dict[str, bool]]:
    """The source's changes. After each failure of the source: everything may have changed."""
    pause_s = 0.5
    while True:
        try:
            async for changed in changes.follow():
                pause_s = 0.5
                yield changed
        except Exception as error:  # the one reader of changes must survive every failure of the store
            _log.warning("feed_lost", error=type(error).__name__)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, PULSE_S)
        yield {EVERYTHING: True}


async def _broadcast(mailboxes: Iterable[Mailbox], hand: Callable[[Mailbox], None]) -> None:
    listeners = tuple(mailboxes)
    for start in range(0, len(listeners), WAKE_AT_ONCE):
        for mailbox in listeners[start : start + WAKE_AT_ONCE]:
            hand(mailbox)
        await asyncio.sleep(0)
