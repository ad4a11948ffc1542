"""Guards of the console: who may call which endpoint. Every route names one guard; there is no default.

A guard puts the session it verified into the request's state. A handler that takes ``session`` without a guard is
refused, so a forgotten guard closes an endpoint. The facility of that session is the only one a handler may use.
Unsafe methods must come from our own page (``Sec-Fetch-Site`` or ``Origin``) and, with a session, carry its CSRF
token. When the store does not answer, every endpoint refuses.
"""

import hmac
from typing import Any, Protocol, TypedDict

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Scope

from kiosk.accounts.browsers import browser_words
from kiosk.accounts.outcomes import CodeDue, SignedIn
from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import CODE_WITHIN_S, DEVICE_S, EVERY_FACILITY, LONGEST_S, Session
from kiosk.console import language
from kiosk.settings import Settings
from kiosk.web import handover
from kiosk.web.client_address import Network, address_to_count
from kiosk.web.cookies import DEVICE, SESSION, cookie_name, is_secure, new_cookie
from kiosk.web.page_bodies import read_form
from kiosk.web.request_body import is_json
from kiosk.web.same_origin import SAFE_METHODS, Strictness, is_same_origin
from queueing.audit import NO_FACILITY, Actor, Audit
from queueing.models import Reader

Connection = ASGIConnection[Any, Any, Any, State]
ConsoleRequest = Request[Any, Any, State]

CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "_csrf"

_SESSION = "console_session"


class Sender(TypedDict):
    address: str
    device: str
    browser: str


class Services(Protocol):
    """What guards use of the worker's services: guards run before dependencies are injected."""

    @property
    def settings(self) -> Settings: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...


class Refused(Exception):
    """Base of a guard's refusals."""


class NotSignedIn(Refused):
    """There is no session, or it ended, was idle too long, or was revoked."""


class PasswordDue(Refused):
    """The first password must be changed first."""


class CodeMissing(Refused):
    """The password was right; the code of the authenticator app comes next."""


class PhoneDue(Refused):
    """A state administrator must set up an authenticator app first."""


class NoFacilityYet(Refused):
    """A state administrator has not chosen a facility."""


class NotAdministrator(Refused):
    """The endpoint is for administrators of the facility."""


class NotOfTheState(NotAdministrator):
    """The endpoint is for administrators of all facilities."""


class ForeignPage(Refused):
    """The request did not come from our own page, or came without its CSRF token."""


async def visitor(connection: Connection, _: BaseRouteHandler) -> None:
    """No session needed, but our own page: signing in."""
    language.use("", connection.headers.get("accept-language", ""))
    await _require_our_page(connection)


async def half_signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """A session, also one that still waits for its code: entering it, signing out."""
    await _prove(connection)


async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """A session, also one with a first password: changing it."""
    if (await _prove(connection)).waits_for_code:
        raise CodeMissing


async def enrolling(connection: Connection, handler: BaseRouteHandler) -> None:
    """A session with a chosen password, of an administrator: setting up an authenticator app."""
    await signed_in(connection, handler)
    session: Session = connection.scope["state"][_SESSION]
    if session.must_change:
        raise PasswordDue
    await _require_administrator(connection)


async def member(connection: Connection, handler: BaseRouteHandler) -> None:
    """A session with a chosen password, and an authenticator app if it must have one; without a facility too."""
    await signed_in(connection, handler)
    session: Session = connection.scope["state"][_SESSION]
    if session.must_change:
        raise PasswordDue
    if session.must_enrol:
        raise PhoneDue


async def clerk(connection: Connection, handler: BaseRouteHandler) -> None:
    """A session with a chosen password and a facility."""
    await member(connection, handler)
    if not connection.scope["state"][_SESSION].facility:
        raise NoFacilityYet


async def administrator(connection: Connection, handler: BaseRouteHandler) -> None:
    """The same, of an administrator."""
    await clerk(connection, handler)
    await _require_administrator(connection)


async def any_administrator(connection: Connection, handler: BaseRouteHandler) -> None:
    """A session of an administrator with a chosen password; a facility need not be chosen."""
    await member(connection, handler)
    await _require_administrator(connection)


async def state_administrator(connection: Connection, handler: BaseRouteHandler) -> None:
    """A session of an administrator of all facilities; none need be chosen."""
    await any_administrator(connection, handler)
    session = connection.scope["state"][_SESSION]
    if session.home != EVERY_FACILITY:
        await _record_refusal(connection, session, "state administrator's page")
        raise NotOfTheState


async def proved_session(scope: Scope) -> Session:
    """The session that a guard verified. Injected into handlers as ``session``."""
    session = scope["state"].get(_SESSION)
    if not isinstance(session, Session):
        raise NotSignedIn
    return session


async def reader_of(request: ConsoleRequest, session: NamedDependency[Session]) -> Reader:
    """Who reads profiles by this request, for the audit. Injected into handlers as ``reader``."""
    return Reader(login=session.login, session=session.key, address=address_of(request))


def reference_of(connection: Connection) -> str:
    """The session reference in the browser's cookie."""
    return connection.cookies.get(_names(connection)[0], "")[:128]


def device_of(connection: Connection) -> str:
    return connection.cookies.get(_names(connection)[1], "")[:64]


def address_of(connection: Connection) -> str:
    """The client's address, as limits count it and the audit records it."""
    return address_to_count(connection.scope, services_of(connection).trusted_proxies)


def actor_of(connection: Connection, session: Session) -> Actor:
    """Who acts by this request, for the audit."""
    return Actor(login=session.login, address=address_of(connection))


def sender_of(connection: Connection) -> Sender:
    """What signing in knows of the browser."""
    return {
        "address": address_of(connection),
        "device": device_of(connection),
        "browser": browser_words(connection.headers.get("user-agent", "")),
    }


def waiting_cookie(connection: Connection, due: CodeDue) -> Cookie:
    return new_cookie(SESSION, due.reference, secure=_secure(connection), max_age=CODE_WITHIN_S)


def cookies(connection: Connection, signed: SignedIn) -> list[Cookie]:
    secure = _secure(connection)
    return [
        new_cookie(SESSION, signed.reference, secure=secure, max_age=LONGEST_S),
        new_cookie(DEVICE, signed.device, secure=secure, max_age=DEVICE_S),
    ]


def no_cookie(connection: Connection) -> Cookie:
    return new_cookie(SESSION, "", secure=_secure(connection), max_age=0)


def services_of(connection: Connection) -> Services:
    services: Services = handover.services_of(connection.app)
    return services


async def _prove(connection: Connection) -> Session:
    accepted = connection.headers.get("accept-language", "")
    language.use("", accepted)
    await _require_our_page(connection)
    reference = reference_of(connection)
    staff = services_of(connection).staff
    used = connection.headers.get("x-kiosk-live") != "1"  # the page's own refreshing is not use by a person
    session = await staff.session(reference, used=used) if reference else None
    if session is None:
        raise NotSignedIn
    language.use(session.language, accepted)
    if connection.scope.get("method") not in SAFE_METHODS and not await _carries_token(connection, session):
        await _record_refusal(connection, session, "request without the page's token")
        raise ForeignPage
    connection.scope["state"][_SESSION] = session
    return session


async def _require_our_page(connection: Connection) -> None:
    if connection.scope.get("method") in SAFE_METHODS:
        return
    public_url = services_of(connection).settings.public_url
    if not is_same_origin(connection.headers, connection.scope["scheme"], public_url, Strictness.COOKIE):
        await _record_foreign_page(connection)
        raise ForeignPage


async def _require_administrator(connection: Connection) -> None:
    session = connection.scope["state"][_SESSION]
    if session.role != "admin":
        await _record_refusal(connection, session, "administrator's page")
        raise NotAdministrator


async def _record_foreign_page(connection: Connection) -> None:
    """In the audit of the session's facility; without a session in the audit of no facility."""
    reference, why = reference_of(connection), "request from another page"
    session = await services_of(connection).staff.session(reference, used=False) if reference else None
    if session is not None:
        await _record_refusal(connection, session, why)
        return
    await services_of(connection).audit.record(NO_FACILITY, "refused", by="", address=address_of(connection), why=why)


async def _record_refusal(connection: Connection, session: Session, why: str) -> None:
    audit = services_of(connection).audit
    address = address_of(connection)
    await audit.record(session.facility or session.home, "refused", by=session.login, address=address, why=why)


async def _carries_token(connection: Connection, session: Session) -> bool:
    token = connection.headers.get(CSRF_HEADER, "")
    kind = connection.headers.get("content-type", "")
    if not token and kind and isinstance(connection, Request) and not is_json(kind.encode("latin-1", "replace")):
        token = (await read_form(connection)).get(CSRF_FIELD, "")
    return hmac.compare_digest(token.encode(), session.csrf.encode())


def _names(connection: Connection) -> tuple[str, str]:
    secure = _secure(connection)
    return cookie_name(SESSION, secure=secure), cookie_name(DEVICE, secure=secure)


def _secure(connection: Connection) -> bool:
    return is_secure(services_of(connection).settings.public_url)
