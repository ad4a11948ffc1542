"""The endpoints that the gateway calls: shares and running-token questions, with aliases and legacy paths.

A 202 means that the share is stored durably; the result goes to the patient's app by on-share. A share that is refused
by the hospital's rules also gets a 202. Other refusals are decided in this order: method (405), caller (401),
REQUEST-ID (400), type, size and shape of the body (415, 413, 408, 400), then the scan itself. A step starts only after
the step before it passed. While the store is away a share is held for three seconds (``kiosk.abdm.hold``), then the
answer is 503.

These are raw ASGI routes. They cost half of an ordinary handler, on the one path that is used a thousand times a
second. They get no injected dependencies: ``GatewayEndpoints`` is given a function that returns the worker's services.
"""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Literal, Protocol

from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Send
from litestar.types import Scope as AsgiScope

from kiosk.abdm.authentication import Authenticator, TokenLife
from kiosk.abdm.callers import Callers
from kiosk.abdm.error_form import gateway_error, gateway_problem
from kiosk.abdm.errors import CallerOutside, NoRequestId, NotTheGateway, WrongMethod
from kiosk.abdm.hold import Hold
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, same_request, to_query, to_scan
from kiosk.abdm.schemas import read_legacy, read_share, read_status
from kiosk.abdm.timestamps import lies_within
from kiosk.observability import metrics
from kiosk.patient.person import Scan, StatusQuery
from kiosk.security.failures import place_of
from kiosk.web.client_address import Network, client_address, is_in
from kiosk.web.limits import GATEWAY_BODY_MAX
from kiosk.web.request_body import SenderGone, TooLarge, read_body, require_json, require_plain
from kiosk.web.unread_body import answer_unread
from queueing.errors import StoreAway
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
REQUEST_ID_MAX: Final = 100
"""A UUID has 36 characters; some senders put a prefix before it."""
HEADER_MAX: Final = 500

_JSON_TYPE: Final = (b"content-type", b"application/json")
_ACCEPTED_START: Final[Any] = {
    "type": "http.response.start", "status": 202, "headers": [_JSON_TYPE, (b"content-length", b"2")]
}  # fmt: skip
_ACCEPTED_BODY: Final[Any] = {"type": "http.response.body", "body": b"{}", "more_body": False}
"""The answer to nearly every scan. It is built once, because it never changes."""
_COUNTED: Final = {outcome: outcome.name.lower() for outcome in Outcome}
_ALLOW: Final = (b"allow", b"OPTIONS, POST")
_STATUS_HEADERS: Final = {401: (b"www-authenticate", b"Bearer"), 405: _ALLOW}
_log = logging.getLogger(__name__)

Headers = dict[bytes, bytes]


class CheckInLike(Protocol):
    def scanned(self, scan: Scan) -> Awaitable[Place]: ...
    def answer_status(self, query: StatusQuery) -> Awaitable[object]: ...


class Services(Protocol):
    """What the endpoints need of the worker's services."""

    @property
    def authenticator(self) -> Authenticator: ...
    @property
    def callers(self) -> Callers: ...
    @property
    def check_in(self) -> CheckInLike: ...
    @property
    def gateway_addresses(self) -> tuple[Network, ...]: ...
    @property
    def aliases(self) -> dict[str, str]: ...
    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...
    @property
    def cm_id(self) -> str: ...


Take = Callable[[Services, RequestHeaders, bytes, float], Awaitable[object]]
"""Takes one message: its headers, its body, and unix seconds of now."""


class GatewayEndpoints:
    """The addresses that the gateway calls; one per application.

    Each coroutine that a scan passes through is felt, so a scan passes through as few as possible: the endpoint, the
    check-in and the desk.
    """

    def __init__(self, services: Callable[[], Services]) -> None:
        """``services`` is called once, at the first request after the worker has started."""
        self._open = services
        self._services: Services | None = None
        self._hold = Hold()

    def routes(self) -> list[ASGIRouteHandler]:
        return [
            asgi(list(SHARE), copy_scope=False)(self._callback(self._take_share, late_taken=True)),
            asgi([SHARE_V1], copy_scope=False)(self._callback(self._take_share_v1, id_in_headers=False)),
            asgi([SHARE_V05], copy_scope=False)(self._callback(self._take_share_v05, id_in_headers=False)),
            asgi([STATUS], copy_scope=False)(self._callback(_take_question)),
        ]

    def _callback(
        self, take: Take, *, id_in_headers: bool = True, late_taken: bool = False
    ) -> Callable[[AsgiScope, Receive, Send], Coroutine[Any, Any, None]]:
        """The endpoint of one callback: it proves the caller, reads headers and body, hands both to ``take`` and
        answers 202, or what is wrong.

        ``id_in_headers``: the request's id is a header; in older forms it stands in the body. ``late_taken``: a share
        that is delivered after its token ended is taken, if it was written while the token lived.
        """

        async def answer_post(scope: AsgiScope, receive: Receive, send: Send) -> None:
            began, now_s = time.perf_counter(), time.time()
            unread: Receive | None = receive
            try:
                if (method := scope.get("method")) != "POST":
                    if method == "OPTIONS":
                        await _answer_options(send)
                        return
                    raise WrongMethod
                services = self._services or self._opened()
                raw_headers = dict(scope["headers"])
                life = None
                if not _believes(services, scope, raw_headers.get(b"authorization"), now_s):
                    life = await _prove(services, raw_headers.get(b"authorization"), now_s)
                headers = _read_headers(raw_headers, id_in_headers=id_in_headers)
                if life is not None:
                    headers = _as_late(services, headers, life, now_s, taken=late_taken)
                unread = None
                body = await read_body(receive, GATEWAY_BODY_MAX, length=raw_headers.get(b"content-length"))
                await take(services, headers, body, now_s)
            except SenderGone:
                return  # the connection is closed: an answer could not be sent
            except Exception as failure:  # the last resort: every failure is answered, and no exception's text is shown
                if isinstance(failure, TooLarge) and failure.unread:
                    unread = receive
                status = await _refuse(send, failure, unread)
            else:
                status = 202
                await send(_ACCEPTED_START)
                await send(_ACCEPTED_BODY)
            metrics.answered("gateway", status, time.perf_counter() - began)

        return answer_post

    def _opened(self) -> Services:
        self._services = self._open()
        return self._services

    def _take_share(
        self, services: Services, headers: RequestHeaders, body: bytes, now_s: float
    ) -> Coroutine[Any, Any, None]:
        scan = to_scan(
            read_share(body), headers, body=body, now_s=now_s, cm_id=services.cm_id, aliases=services.aliases
        )
        return self._check_in(services.check_in, scan)

    def _take_share_v1(
        self, services: Services, headers: RequestHeaders, body: bytes, now_s: float
    ) -> Coroutine[Any, Any, None]:
        return self._take_legacy(services, headers, body, now_s, "v1")

    def _take_share_v05(
        self, services: Services, headers: RequestHeaders, body: bytes, now_s: float
    ) -> Coroutine[Any, Any, None]:
        return self._take_legacy(services, headers, body, now_s, "v05")

    def _take_legacy(
        self, services: Services, headers: RequestHeaders, body: bytes, now_s: float, form: Literal["v1", "v05"]
    ) -> Coroutine[Any, Any, None]:
        share = read_legacy(body)
        scan = legacy_scan(share, headers, form, body=body, now_s=now_s, cm_id=services.cm_id, aliases=services.aliases)
        _check_request_id(scan.request_id)
        return self._check_in(services.check_in, scan)

    async def _check_in(self, check_in: CheckInLike, scan: Scan) -> None:
        """Give the place. While the store is away the share is held for some seconds."""
        try:
            place = await check_in.scanned(scan)
        except StoreAway as away:
            place = await self._hold.repeat(lambda: check_in.scanned(scan), away)
        _count(scan, place)


def _take_question(services: Services, headers: RequestHeaders, body: bytes, now_s: float) -> Awaitable[object]:
    query = to_query(read_status(body), headers, body=body, now_s=now_s, aliases=services.aliases)
    return services.check_in.answer_status(query)


def _believes(services: Services, scope: AsgiScope, authorization: bytes | None, now_s: float) -> bool:
    """Whether this token proved the gateway before. Raises ``CallerOutside``."""
    if services.gateway_addresses:
        _require_inside(services, scope, now_s)
    if not services.authenticator.remembers(authorization, now_s):
        return False
    services.callers.accepted_s = now_s
    return True


def _require_inside(services: Services, scope: AsgiScope, now_s: float) -> None:
    """Raise ``CallerOutside`` for an address that the gateway never calls from."""
    if not is_in(client_address(scope, services.trusted_proxies), services.gateway_addresses):
        outside = CallerOutside()
        services.callers.refuse(outside.reason, now_s)
        raise outside


async def _prove(services: Services, authorization: bytes | None, now_s: float) -> TokenLife | None:
    """Return when the token proves the gateway; else raise ``NotTheGateway`` or ``KeysUnknown``.

    Returns the token's life when the token ended within the last hour.
    """
    try:
        life = await services.authenticator.prove(authorization, now_s, time.monotonic())
    except NotTheGateway as refusal:
        services.callers.refuse(refusal.reason, now_s, refusal.seen)
        raise
    services.callers.accepted_s = now_s
    return life


def _as_late(
    services: Services, headers: RequestHeaders, life: TokenLife, now_s: float, *, taken: bool
) -> RequestHeaders:
    """Mark a late delivery. Its TIMESTAMP must lie in the token's life; else the token has simply ended."""
    if not taken or not lies_within(headers.timestamp, life.begins_s, life.ends_s):
        services.callers.refuse("exp", now_s)
        raise NotTheGateway("exp")
    _log.info("a share was delivered %d s after its token ended and is taken", now_s - life.ends_s)
    return RequestHeaders(headers.request_id, headers.hip_id, headers.timestamp, late=True)


def _read_headers(headers: Headers, *, id_in_headers: bool) -> RequestHeaders:
    """Check and read the headers before a byte of the body is read."""
    request_headers = _request_headers(headers)
    if id_in_headers:
        _check_request_id(request_headers.request_id)
    require_plain(headers.get(b"content-encoding"))
    require_json(headers.get(b"content-type"), missing_ok=True)
    return request_headers


def _count(scan: Scan, place: Place) -> None:
    """Count the outcome. A request id that came again with another body is logged as well."""
    metrics.scanned(_COUNTED[place.outcome])
    if place.outcome is Outcome.CONFLICT:
        _log.warning("a request id came again with another body, facility %s", facility_key(scan.facility))


def _check_request_id(request_id: str) -> None:
    """Raise ``NoRequestId`` unless the id can be echoed and compared."""
    usable = request_id.isascii() and request_id.isprintable() and len(request_id) <= REQUEST_ID_MAX
    # An id that ends in a letter or digit leaves something when it is read as a key; only others need the reading.
    if not (usable and (request_id[-1:].isalnum() or same_request(request_id))):
        raise NoRequestId


def _request_headers(headers: Headers) -> RequestHeaders:
    """Read the three headers, also in the 2023 draft's spelling with underscores."""
    return RequestHeaders(
        request_id=_text(headers.get(b"request-id") or headers.get(b"request_id")),
        hip_id=_text(headers.get(b"x-hip-id") or headers.get(b"x_hip_id")),
        timestamp=_text(headers.get(b"timestamp")),
    )


def _text(value: bytes | None) -> str:
    return value[:HEADER_MAX].decode("utf-8", "replace").strip() if value else ""


async def _answer_options(send: Send) -> None:
    """204 with the methods of this address (RFC 9110, section 9.3.7). No caller is checked for it."""
    await send({"type": "http.response.start", "status": 204, "headers": [_ALLOW]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _refuse(send: Send, failure: Exception, unread: Receive | None) -> int:
    """Answer a failure. ``unread`` is the body that is still to be received and dropped. Returns the status sent."""
    problem = gateway_problem(failure)
    sentence = problem.detail
    if not problem.expected:
        support_id = uuid.uuid4().hex[:12]
        _log.error("a share failed, id %s: %s", support_id, place_of(failure))
        sentence = f"{sentence} Id for support: {support_id}"
    if problem.status == 413:  # the gateway repeats a share without a 2xx, so an operator should know
        _log.warning("a share was larger than %d bytes and refused", GATEWAY_BODY_MAX)
    more = [(b"retry-after", b"%d" % problem.retry_after_s)] if problem.retry_after_s else []
    if problem.status in _STATUS_HEADERS:
        more.append(_STATUS_HEADERS[problem.status])
    await _answer(send, problem.status, gateway_error(failure, sentence), *more, unread=unread)
    return problem.status


async def _answer(
    send: Send, status: int, body: bytes, *more: tuple[bytes, bytes], unread: Receive | None = None
) -> None:
    headers: list[Any] = [_JSON_TYPE, (b"content-length", b"%d" % len(body)), *more]
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    if unread is not None:
        await answer_unread(send, start, body, unread)
        return
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
