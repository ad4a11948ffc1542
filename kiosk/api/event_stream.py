"""Events as server-sent events. The ``id`` of an event is its cursor; a reader that comes back sends it as
``Last-Event-ID``.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.types import Receive, Scope, Send

from kiosk.api.errors import ApiProblem
from kiosk.api.event_pages import SELDOM_S, SOON_S, Events
from kiosk.api.guards import Caller, Services
from kiosk.api.shapes import LIMIT_MAX
from kiosk.archive.database import ArchiveError
from kiosk.exchange.event_json import EventJson
from kiosk.web import handover
from kiosk.web.outermost import is_head
from queueing.api_keys import ApiKeys
from queueing.changes import Version
from queueing.errors import QueueingError

EVENT_STREAM: Final = "text/event-stream"
LOOK_S: Final = 1.5
"""A stream looks this often whether its key still counts and its reader is there. With the time for which keys are
known (``queueing.api_keys``) a revoked key ends everywhere within five seconds."""
HEARTBEAT_S: Final = 15.0
"""Proxies cut a silent stream after 30 to 60 s."""
STALLED_S: Final = 20.0
"""A reader that takes nothing for this long is cut off. It comes back with its last id."""
LIFE_S: Final = 3 * 3600.0
"""A stream ends after about this long and its reader comes back, to any worker: the load spreads after a restart."""
_HEARTBEAT: Final = b": beat\n\n"
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_encode = msgspec.json.Encoder().encode


class EventStream(Response[bytes]):
    """The answer that does not end; ``found`` are the first events, ``after`` is their cursor."""

    def __init__(self, events: Events, caller: Caller, found: Sequence[EventJson], after: str) -> None:
        super().__init__(b"", media_type=EVENT_STREAM)
        self._events, self._caller, self._found, self._after = events, caller, found, after
        self._ends_s = time.monotonic() + LIFE_S * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, no secret
        self._sent_s = 0.0

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """The endpoint that sends the stream; Litestar calls what it gets with scope, receive and send."""
        return self._send_all

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        services: Services = handover.services_of(scope["litestar_app"])
        with self._events.counted(self._caller):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if not is_head(scope):
                await self._stream(services.api.keys, receive, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, keys: ApiKeys, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await self._send_events(keys, send, gone)
        except (TimeoutError, OSError, ApiProblem, ArchiveError, QueueingError):
            pass  # the reader stalled or went away, or the store did: it comes back with its last id
        finally:
            gone.cancel()

    async def _send_events(self, keys: ApiKeys, send: Send, gone: "asyncio.Task[None]") -> None:
        await self._send_frame(send, b"retry: %d\n\n" % random.randint(1_000, 5_000))  # noqa: S311 - spreads load
        found, version, pause_s = self._found, self._events.version(self._caller), SOON_S
        while True:
            if found:
                await self._send_frame(send, frames(found))
            pause_s = 0.0 if len(found) >= LIMIT_MAX else pause_s
            if not await self._rest(keys, send, gone, version, pause_s):
                return
            changed = self._events.version(self._caller) != version
            version, pause_s = self._events.version(self._caller), SOON_S if changed or found else SELDOM_S
            found, self._after = await self._events.read(self._caller, self._after, LIMIT_MAX)

    async def _rest(
        self, keys: ApiKeys, send: Send, gone: "asyncio.Task[None]", version: Version, pause_s: float
    ) -> bool:  # fmt: skip
        """Wait for a change, at most so long. False: the stream is over."""
        until_s = time.monotonic() + pause_s
        while True:
            if gone.done() or self._events.is_closing or time.monotonic() > self._ends_s:
                return False
            if not await keys.counts_still(self._caller.key):
                return False
            if time.monotonic() - self._sent_s > HEARTBEAT_S - LOOK_S:
                await self._send_frame(send, _HEARTBEAT)
            left_s = until_s - time.monotonic()
            if left_s <= 0 or await self._events.change(self._caller, version, min(left_s, LOOK_S)):
                return True

    async def _send_frame(self, send: Send, frame: bytes) -> None:
        async with asyncio.timeout(STALLED_S):
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        self._sent_s = time.monotonic()


def frames(events: Sequence[EventJson]) -> bytes:
    """The events as they go over the wire. Of events that one step wrote, only the last has the cursor as its id:
    whoever comes back after a part of them gets all of them again.
    """
    parts = []
    for event, following in pairwise([*events, None]):
        assert event is not None  # noqa: S101 - only the last is none
        cursor = b"" if following and following.cursor == event.cursor else b"id: %b\n" % event.cursor.encode()
        parts.append(b"%bevent: %b\ndata: %b\n\n" % (cursor, event.type.encode(), _encode(event)))
    return b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
