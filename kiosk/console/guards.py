"""Who may pass which console door. Every route names one of these guards; none of them is implied.

A guard leaves the session it proved in the request's state; a handler that asks for ``session`` without a guard before
it gets a refusal, so forgetting one closes a door and opens none. The facility of that session is the only one a
handler may use. Unsafe methods must come from our own page (``Sec-Fetch-Site`` or ``Origin``) and, once somebody is
signed in, carry the session's token. A store that does not answer closes every door.
"""

import asyncio
import hmac
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Scope

from kiosk.accounts.service import SignedIn, Staff
from kiosk.accounts.sessions import DEVICE_S, LONGEST_S, Session
from kiosk.settings import Settings
from kiosk.web import handover, request_body
from kiosk.web.client_address import Network, address_to_count
from kiosk.web.same_origin import SAFE_METHODS, Strictness, is_same_origin
from queueing.audit import Audit, Reader

T = TypeVar("T")
Connection = ASGIConnection[Any, Any, Any, State]
Asked = Request[Any, Any, State]

CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "_csrf"
FORM_FIELDS = 64
"""The longest form has a dozen."""

_SESSION = "console_session"


class Services(Protocol):
    """What a guard needs of the worker's services, before any dependency exists."""

    @property
    def settings(self) -> Settings: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...


class Refused(Exception):
    """Base of what a guard says no with."""


class NotSignedIn(Refused):
    """No session, or it is over, idle or revoked."""


class PasswordDue(Refused):
    """The first password must be changed before anything else."""


class NoFacilityYet(Refused):
    """A state administrator has not chosen where to work."""


class NotAdministrator(Refused):
    """This door is for the facility's administrator."""


class ForeignPage(Refused):
    """The request was not made by a page of ours, or without its token."""


async def visitor(connection: Connection, _: BaseRouteHandler) -> None:
    """Anybody with our page open: signing in."""
    _from_our_page(connection)


async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Anybody signed in, also with a first password: changing it, leaving."""
    await _prove(connection)


async def member(connection: Connection, _: BaseRouteHandler) -> None:
    """Signed in with a password of one's own; the facility may still be open."""
    if (await _prove(connection)).must_change:
        raise PasswordDue


async def clerk(connection: Connection, handler: BaseRouteHandler) -> None:
    """At work in one facility."""
    await member(connection, handler)
    if not connection.scope["state"][_SESSION].facility:
        raise NoFacilityYet


async def administrator(connection: Connection, handler: BaseRouteHandler) -> None:
    """At work in one facility, as its administrator."""
    await clerk(connection, handler)
    session = connection.scope["state"][_SESSION]
    if session.role != "admin":
        await _record_refusal(connection, session, "administrator's page")
        raise NotAdministrator


GUARDS = (visitor, signed_in, member, clerk, administrator)


async def proved_session(scope: Scope) -> Session:
    """The session a guard proved. Offered to handlers as ``session``."""
    session = scope["state"].get(_SESSION)
    if not isinstance(session, Session):
        raise NotSignedIn
    return session


async def reader_of(request: Asked, session: NamedDependency[Session]) -> Reader:
    """Who reads profiles by this request, for the audit. Offered to handlers as ``reader``."""
    return Reader(login=session.login, session=session.key, address=address_of(request))


async def form(request: Asked) -> dict[str, str]:
    """A submitted form, bounded; the last value of a name counts."""
    async with asyncio.timeout(request_body.DEADLINE_S):
        body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS, separator="&"
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise request_body.BadBody("the form cannot be read") from error
    return dict(pairs)


async def asked(request: Asked, decoder: "msgspec.json.Decoder[T]") -> T:
    """A JSON body, judged by size, type and depth before it is parsed."""
    request_body.require_plain(request.headers.get("content-encoding", "").encode("latin-1", "replace"))
    request_body.require_json(request.headers.get("content-type", "").encode("latin-1", "replace"))
    async with asyncio.timeout(request_body.DEADLINE_S):
        return request_body.parse(await request.body(), decoder)


def reference_of(connection: Connection) -> str:
    """What the browser says its session is."""
    return connection.cookies.get(_names(connection)[0], "")[:128]


def device_of(connection: Connection) -> str:
    return connection.cookies.get(_names(connection)[1], "")[:64]


def address_of(connection: Connection) -> str:
    """Where a try to sign in comes from, as limits count it."""
    return address_to_count(connection.scope, services_of(connection).trusted_proxies)


def cookies(connection: Connection, signed: SignedIn) -> list[Cookie]:
    session, device = _names(connection)
    return [
        _cookie(connection, session, signed.reference, LONGEST_S),
        _cookie(connection, device, signed.device, DEVICE_S),
    ]


def no_cookie(connection: Connection) -> Cookie:
    return _cookie(connection, _names(connection)[0], "", 0)


def services_of(connection: Connection) -> Services:
    services: Services = handover.services_of(connection.app)
    return services


async def _prove(connection: Connection) -> Session:
    _from_our_page(connection)
    reference = reference_of(connection)
    staff = services_of(connection).staff
    used = connection.headers.get("x-kiosk-live") != "1"  # the screen's own refreshing is no use by a person
    session = await staff.session(reference, used=used) if reference else None
    if session is None:
        raise NotSignedIn
    if connection.scope.get("method") not in SAFE_METHODS and not await _carries_token(connection, session):
        await _record_refusal(connection, session, "request without the page's token")
        raise ForeignPage
    connection.scope["state"][_SESSION] = session
    return session


def _from_our_page(connection: Connection) -> None:
    if connection.scope.get("method") in SAFE_METHODS:
        return
    public_url = services_of(connection).settings.public_url
    if not is_same_origin(connection.headers, connection.scope["scheme"], public_url, Strictness.COOKIE):
        raise ForeignPage


async def _record_refusal(connection: Connection, session: Session, why: str) -> None:
    audit = services_of(connection).audit
    address = address_of(connection)
    await audit.record(session.facility or session.home, "refused", by=session.login, address=address, why=why)


async def _carries_token(connection: Connection, session: Session) -> bool:
    token = connection.headers.get(CSRF_HEADER, "")
    if not token and isinstance(connection, Request):
        is_form = connection.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        token = (await form(connection)).get(CSRF_FIELD, "") if is_form else ""
    return hmac.compare_digest(token.encode(), session.csrf.encode())


def _names(connection: Connection) -> tuple[str, str]:
    """``__Host-`` needs Secure, which a browser keeps only over https: a plain loopback address goes without."""
    prefix = "__Host-" if _secure(connection) else ""
    return f"{prefix}kiosk", f"{prefix}kiosk-desk"


def _secure(connection: Connection) -> bool:
    return services_of(connection).settings.public_url.startswith("https://")


def _cookie(connection: Connection, name: str, value: str, max_age: int) -> Cookie:
    secure = _secure(connection)
    return Cookie(key=name, value=value, max_age=max_age, path="/", httponly=True, secure=secure, samesite="strict")
