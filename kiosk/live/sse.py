"""``GET /live/{hip_id}``: a facility's queues as server-sent events, without a login: numbers and counters only.

Events: ``snapshot`` (JSON of ``queueing.facility_view.Snapshot``: at once, then after each change), ``pages`` (the mark
of the pages, once, after the first snapshot), ``stale`` (the store does not answer), ``beat`` (every 15 s), ``bye``
(subscribe again). ``GET /live/{hip_id}/phone`` is the same with what a ticket page uses. A plain ASGI endpoint: ten
thousand streams are open at once, and a response object, generator or timer for each would cost too much.
``GET /live/{hip_id}/now`` answers once (``kiosk.live.polling``).
"""

import asyncio
import random
import time
from typing import Any, Final, Protocol

from litestar import Litestar, asgi
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from kiosk.live.frames import pages_frame
from kiosk.live.hub import Hub, HubFull, Mailbox, UnknownFacility
from kiosk.live.polling import PollLimits, Polls, TooManyPolls
from kiosk.live.stream_limits import StreamLimits, TooManyStreams
from kiosk.observability import metrics
from kiosk.settings import Settings
from kiosk.web.client_address import Network, address_to_count
from kiosk.web.cookies import SCREEN, VALUE_MAX, cookie_name, is_secure
from kiosk.web.handover import services_of
from kiosk.web.page_mark import page_mark
from kiosk.web.security_headers import SECURITY
from queueing.errors import QueueingError
from queueing.screens import Screens, screen_id

STALLED_S: Final = 20.0
"""A reader that takes nothing for this long is cut off. It subscribes again when it wakes."""

NOW: Final = "/now"
"""Behind a facility's id: one answer in place of a stream."""
PHONE: Final = "/phone"
"""Behind a facility's id: the stream of a ticket page."""

_SECURITY: Final = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    *_SECURITY,
]


_ALLOW: Final = (b"allow", b"GET, HEAD, OPTIONS")


class Services(Protocol):
    """What the stream needs of the worker's services."""

    @property
    def hub(self) -> Hub: ...
    @property
    def stream_limits(self) -> StreamLimits: ...
    @property
    def screens(self) -> Screens: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def polls(self) -> Polls: ...
    @property
    def poll_limits(self) -> PollLimits: ...
    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...


@asgi("/live", is_mount=True, copy_scope=True)
async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """The stream of one facility, or its newest snapshot; 204 for OPTIONS, 404, 405, 429, 503.

    A mount, because Litestar 2.25 answers a raw route with path parameters by KeyError (it looks for the method's).
    """
    services: Services = services_of(Litestar.from_scope(scope))
    hub = services.hub
    if scope["method"] not in {"GET", "HEAD"}:  # type: ignore[typeddict-item]  # an HTTP endpoint is only reached by HTTP
        await _refuse(send, 204 if scope["method"] == "OPTIONS" else 405, [_ALLOW])  # type: ignore[typeddict-item]  # an HTTP endpoint is only reached by HTTP
        return
    facility, phone, poll = _wanted(scope)
    try:
        if poll:
            await _poll(services, facility, scope, send)
            return
        address, screen = address_to_count(scope, services.trusted_proxies), await _screen_of(services, scope, facility)
        with services.stream_limits.counted(address, facility, screen=screen):
            await _subscribed(hub, facility, scope, receive, send, phone=phone)
    except UnknownFacility:
        await _refuse(send, 404, [])
    except TooManyPolls:
        await _refuse(send, 429, [(b"retry-after", b"%d" % random.randint(5, 20))])  # noqa: S311 - spreads load, no secret
    except (HubFull, QueueingError, TooManyStreams):
        await _refuse(send, 503, [(b"retry-after", b"%d" % random.randint(5, 20))])  # noqa: S311 - spreads load, no secret


async def _screen_of(services: Services, scope: Scope, facility: str) -> str:
    """The id of the paired screen that asks; empty for everybody else, and while the store does not answer."""
    name = cookie_name(SCREEN, secure=is_secure(services.settings.public_url))
    if not any(header == b"cookie" for header, _ in scope["headers"]):
        return ""  # a phone: ten thousand of them must cost nothing here
    connection: ASGIConnection[Any, Any, Any, State] = ASGIConnection(scope)
    secret = connection.cookies.get(name, "")[:VALUE_MAX]
    if not secret:
        return ""
    try:
        return screen_id(secret) if await services.screens.one(facility, screen_id(secret)) else ""
    except QueueingError:
        return ""


def _wanted(scope: Scope) -> tuple[str, bool, bool]:
    """The facility, whether a phone listens, and whether one answer is wanted.

    By the address as it came: a slash inside an id is encoded there, so the id ``IN01/now`` has its stream.
    """
    whole: bytes = scope.get("raw_path") or scope["path"].encode()
    raw = whole.partition(b"?")[0]
    poll = raw.endswith(NOW.encode())
    phone = raw.removesuffix(NOW.encode() if poll else b"").endswith(PHONE.encode())
    facility = scope["path"].strip("/")
    return facility.removesuffix(NOW if poll else "").removesuffix(PHONE if phone else ""), phone, poll


async def _poll(services: Services, facility: str, scope: Scope, send: Send) -> None:
    """Answer with the newest snapshot, or 304 when the screen has it."""
    services.poll_limits.count(address_to_count(scope, services.trusted_proxies))
    newest, stale_since_ms = await services.polls.newest(facility)
    metrics.polled()
    tag = newest.tag.encode()
    known = any(name == b"if-none-match" and tag in value for name, value in scope["headers"])
    head = scope["method"] == "HEAD"  # type: ignore[typeddict-item]  # an HTTP endpoint is only reached by HTTP
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"etag", tag),
        (b"kiosk-pages", page_mark().encode()),
        (b"kiosk-now-ms", b"%d" % (time.time_ns() // 1_000_000)),
        *([(b"kiosk-stale-since-ms", b"%d" % stale_since_ms)] if stale_since_ms else []),
        *([] if known else [(b"content-length", b"%d" % len(newest.body))]),
        *_SECURITY,
    ]
    await send({"type": "http.response.start", "status": 304 if known else 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if known or head else newest.body, "more_body": False})


async def _subscribed(
    hub: Hub, facility: str, scope: Scope, receive: Receive, send: Send, *, phone: bool
) -> None:  # fmt: skip
    """Send the stream from its first frame to its end. Raises what ``Hub.subscribe`` raises, before
    anything is sent.
    """
    mailbox = await hub.subscribe(facility, phone=phone)
    metrics.open_streams(hub.listeners)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if scope["method"] == "HEAD":  # type: ignore[typeddict-item]  # an HTTP endpoint is only reached by HTTP
            await _end(send)
        else:
            await _stream(mailbox, receive, send)
    finally:
        hub.unsubscribe(mailbox)
        metrics.open_streams(hub.listeners)


async def _stream(mailbox: Mailbox, receive: Receive, send: Send) -> None:
    watch = asyncio.create_task(_close_when_gone(mailbox, receive))
    retry = b"retry: %d\n\n" % random.randint(1_000, 5_000)  # noqa: S311 - a thousand screens must not return in step
    about = pages_frame(page_mark())
    try:
        while frame := await mailbox.take():
            async with asyncio.timeout(STALLED_S):
                await send({"type": "http.response.body", "body": retry + frame + about, "more_body": True})
            retry = about = b""
        await _end(send)
    except (TimeoutError, OSError):
        pass  # the reader stalled or went away
    finally:
        watch.cancel()


async def _close_when_gone(mailbox: Mailbox, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    mailbox.close()


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(send: Send, status: int, more: list[tuple[bytes, bytes]]) -> None:
    length = [] if status == 204 else [(b"content-length", b"0")]  # RFC 9110, section 8.6
    headers = [*length, (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _end(send)
