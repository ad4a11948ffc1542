"""The gateway's door: shares and running-token questions, at their path, its aliases and the legacy forms.

The promise of a 202: the share is ours, durably; the patient hears the rest by on-share. Business refusals are 202 too.
Everything else is decided in this order, each before the next is looked at: method (405), caller (401), REQUEST-ID
(400), kind and size and shape of the body (415, 413, 408, 400), then the story of the scan. With the store away the
answer is 503 at once: nothing was promised, the gateway delivers again.

These are raw ASGI routes: half the price of an ordinary handler, on the one path that is walked a thousand times a
second. They get no injected dependencies; ``routes`` takes a function that gives the worker's parts.
"""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol

from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Send
from litestar.types import Scope as AsgiScope

from kiosk.abdm.authentication import Gatekeeper
from kiosk.abdm.errors import NoRequestId, WrongMethod
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, same_request, to_query, to_scan
from kiosk.abdm.schemas import read_legacy, read_share, read_status
from kiosk.observability import metrics
from kiosk.patient.person import Scan, StatusQuery
from kiosk.web.problems import gateway_error, problem_of, where
from kiosk.web.request_body import SenderGone, drain, read_body, require_json
from queueing.models import Outcome, Place
from queueing.redis_keys import facility_key

SHARE: Final = (
    "/api/v3/hip/patient/share",
    "/patient-share/v3/share",
    "/v3/hip/patient/profile/share",
    "/v3/hip/patient/share",
    "/v3/hip/patient/share/profile",
)
SHARE_V1: Final = "/v1.0/patients/profile/share"
SHARE_V05: Final = "/v0.5/patients/profile/share"
STATUS: Final = "/api/v3/hip/patient/running-token/status"
BODY_MAX: Final = 512 * 1024
"""Bytes. The older shape carries a photo: 300 kB must pass."""
REQUEST_ID_MAX: Final = 100
"""A UUID has 36 characters; the rest is room for habits."""
HEADER_MAX: Final = 500

_JSON_TYPE: Final = (b"content-type", b"application/json")
_TAKEN: Final[tuple[Any, Any]] = (
    {"type": "http.response.start", "status": 202, "headers": [_JSON_TYPE, (b"content-length", b"2")]},
    {"type": "http.response.body", "body": b"{}", "more_body": False},
)
"""The answer to nearly every scan, made once."""
_COUNTED: Final = {outcome: outcome.name.lower() for outcome in Outcome}
_TELLING_HEADERS: Final = {401: (b"www-authenticate", b"Bearer"), 405: (b"allow", b"POST")}
_log = logging.getLogger(__name__)

Headers = dict[bytes, bytes]
Story = Callable[[RequestHeaders, bytes, float], Awaitable[object]]


class CheckInLike(Protocol):
    def scanned(self, scan: Scan) -> Awaitable[Place]: ...
    def asked(self, query: StatusQuery) -> Awaitable[object]: ...


class Door(Protocol):
    """What this room needs of the services."""

    @property
    def gatekeeper(self) -> Gatekeeper: ...
    @property
    def check_in(self) -> CheckInLike: ...
    @property
    def cm_id(self) -> str: ...


def routes(door: Callable[[], Door]) -> list[ASGIRouteHandler]:
    """The door's routes. ``door`` is called once per request, when the worker is up."""

    async def share(said: RequestHeaders, body: bytes, now_s: float) -> None:
        here = door()
        scan = to_scan(read_share(body), said, body=body, now_s=now_s, cm_id=here.cm_id)
        _count(scan, await here.check_in.scanned(scan))

    async def status(said: RequestHeaders, body: bytes, now_s: float) -> None:
        await door().check_in.asked(to_query(read_status(body), said, body=body, now_s=now_s))

    def legacy(form: Literal["v1", "v05"]) -> Story:
        async def share_of_old(said: RequestHeaders, body: bytes, now_s: float) -> None:
            here = door()
            scan = legacy_scan(read_legacy(body), said, form, body=body, now_s=now_s, cm_id=here.cm_id)
            _check_request_id(scan.request_id)
            _count(scan, await here.check_in.scanned(scan))

        return share_of_old

    return [
        _route(SHARE, door, share, id_in_headers=True),
        _route([SHARE_V1], door, legacy("v1"), id_in_headers=False),
        _route([SHARE_V05], door, legacy("v05"), id_in_headers=False),
        _route([STATUS], door, status, id_in_headers=True),
    ]


def _route(
    paths: tuple[str, ...] | list[str], door: Callable[[], Door], story: Story, *, id_in_headers: bool
) -> ASGIRouteHandler:
    @asgi(list(paths), copy_scope=False)
    async def gateway_door(scope: AsgiScope, receive: Receive, send: Send) -> None:
        began, now_s = time.perf_counter(), time.time()
        unread: Receive | None = receive
        try:
            if scope.get("method") != "POST":
                raise WrongMethod
            headers = dict(scope["headers"])
            keeper, authorization = door().gatekeeper, headers.get(b"authorization")
            if not keeper.remembers(authorization, now_s):
                await keeper.prove(authorization, now_s, time.monotonic())
            said = _read_headers(headers, id_in_headers=id_in_headers)
            unread = None
            await story(said, await read_body(receive, BODY_MAX, length=headers.get(b"content-length")), now_s)
        except SenderGone:
            return  # nobody is left to be answered
        except Exception as failure:  # the last resort: every failure has an answer, and none shows its words
            status = await _refuse(send, failure, unread)
        else:
            status = 202
            for message in _TAKEN:
                await send(message)
        metrics.answered("gateway", status, time.perf_counter() - began)

    return gateway_door


def _read_headers(headers: Headers, *, id_in_headers: bool) -> RequestHeaders:
    """What else is decided before a byte of the body is read."""
    said = _request_headers(headers)
    if id_in_headers:
        _check_request_id(said.request_id)
    require_json(headers.get(b"content-type"), missing_ok=True)
    return said


def _count(scan: Scan, place: Place) -> None:
    """Every decision is counted; a request id that came again with another body is a matter for the log as well."""
    metrics.scanned(_COUNTED[place.outcome])
    if place.outcome is Outcome.CONFLICT:
        _log.warning("a request id came again with another body, facility %s", facility_key(scan.facility))


def _check_request_id(request_id: str) -> None:
    """It must be something that can be echoed and compared."""
    usable = request_id.isascii() and request_id.isprintable() and len(request_id) <= REQUEST_ID_MAX
    if not (usable and same_request(request_id)):
        raise NoRequestId


def _request_headers(headers: Headers) -> RequestHeaders:
    """What the headers say, also in the 2023 draft's spelling with underscores."""
    return RequestHeaders(
        request_id=_text(headers.get(b"request-id") or headers.get(b"request_id")),
        hip_id=_text(headers.get(b"x-hip-id") or headers.get(b"x_hip_id")),
        timestamp=_text(headers.get(b"timestamp")),
    )


def _text(value: bytes | None) -> str:
    return value[:HEADER_MAX].decode("utf-8", "replace").strip() if value else ""


async def _refuse(send: Send, failure: Exception, unread: Receive | None) -> int:
    """Answer a failure, and take a body that nobody will read off the sender. Returns the status that was sent."""
    problem = problem_of(failure)
    words = problem.detail
    if not problem.expected:
        support_id = uuid.uuid4().hex[:12]
        _log.error("a share failed, id %s: %s", support_id, where(failure))
        words = f"{words} Id for support: {support_id}"
    if problem.status == 413:  # the gateway repeats what is not 2xx: somebody should know
        _log.warning("a share was larger than %d bytes and refused", BODY_MAX)
    more = [(b"retry-after", b"%d" % problem.retry_after_s)] if problem.retry_after_s else []
    if problem.status in _TELLING_HEADERS:
        more.append(_TELLING_HEADERS[problem.status])
    await _answer(send, problem.status, gateway_error(problem.status, problem.abdm_code, words), *more, unread=unread)
    return problem.status


async def _answer(
    send: Send, status: int, body: bytes, *more: tuple[bytes, bytes], unread: Receive | None = None
) -> None:
    headers: list[Any] = [_JSON_TYPE, (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if unread is None:
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return
    # The sender has its answer; it may finish writing before the connection is closed or used again.
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await drain(unread)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
