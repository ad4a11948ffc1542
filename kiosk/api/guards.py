"""Who calls: the guard of every route of the API. A route names the scope that it needs; there is no default.

In this order: a valid key (401), its rate (429), its facility (403), its scope (403), a facility that exists (404).
When the store does not answer, every route refuses.
"""

import secrets
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from kiosk.api.errors import NoKey, NotThere, OtherFacility, ScopeMissing
from kiosk.api.key_rates import Rates
from kiosk.settings import Settings
from kiosk.web import handover
from kiosk.web.client_address import Network, address_to_count
from queueing.api_keys import ApiKey, ApiKeys
from queueing.api_keys import Scope as KeyScope
from queueing.models import Reader
from queueing.registry import Hospital, Registry

Connection = ASGIConnection[Any, Any, Any, Any]
ApiRequest = Request[Any, Any, Any]
_CALLER: Final = "api_caller"
_HEADERS: Final = "api_headers"
_KEY_MAX: Final = 200
"""Characters of a key that are looked at: twice its length."""


class Parts(Protocol):
    """Of ``kiosk.api.parts.ApiParts``, which imports this module's callers."""

    @property
    def keys(self) -> ApiKeys: ...
    @property
    def rates(self) -> Rates: ...


class Services(Protocol):
    """What guards use of the worker's services: guards run before dependencies are injected."""

    @property
    def settings(self) -> Settings: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def api(self) -> Parts: ...
    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...


class Caller(Struct, frozen=True, kw_only=True):
    """A program with a valid key, and the facility that it asks about."""

    key: ApiKey
    hospital: Hospital
    zone: ZoneInfo
    address: str

    @property
    def hip(self) -> str:
        return self.hospital.facility.hip_id

    @property
    def login(self) -> str:
        """How it stands in events and in the audit."""
        return self.key.login

    def new_reader(self) -> Reader:
        """As the one who reads profiles. Each reading is a session of its own, so that the audit has each as a line."""
        return Reader(login=self.login, session=f"{self.key.id}{secrets.token_hex(8)}", address=self.address)

    def require(self, scope: KeyScope) -> None:
        """Raises ScopeMissing."""
        if scope not in self.key.scopes:
            raise ScopeMissing(f"This key lacks the scope {scope}.")


async def reads_tickets(connection: Connection, _: BaseRouteHandler) -> None:
    await _prove(connection, KeyScope.TICKETS_READ)


async def writes_tickets(connection: Connection, _: BaseRouteHandler) -> None:
    await _prove(connection, KeyScope.TICKETS_WRITE)


async def reads_profiles(connection: Connection, _: BaseRouteHandler) -> None:
    await _prove(connection, KeyScope.PROFILES_READ)


async def proved_caller(scope: Scope) -> Caller:
    """The caller that a guard verified. Injected into handlers as ``caller``; a route without a guard is closed."""
    caller = scope["state"].get(_CALLER)
    if not isinstance(caller, Caller):
        raise NoKey
    return caller


async def _prove(connection: Connection, needed: KeyScope) -> None:
    services: Services = handover.services_of(connection.app)
    key = await services.api.keys.find(_key_text(connection))
    if key is None:
        raise NoKey
    connection.scope["state"][_HEADERS] = await services.api.rates.count(key)
    hip = connection.path_params["hip_id"]
    if not key.may_see(hip):
        raise OtherFacility("This key is for another facility.")
    if needed not in key.scopes:
        raise ScopeMissing(f"This key lacks the scope {needed}.")
    hospital = await services.registry.recent_hospital(hip)
    if hospital is None:
        raise NotThere("There is no facility with this HIP id.")
    connection.scope["state"][_CALLER] = Caller(
        key=key,
        hospital=hospital,
        zone=ZoneInfo(hospital.zone(services.settings.timezone)),
        address=address_to_count(connection.scope, services.trusted_proxies),
    )


def _key_text(connection: Connection) -> str:
    kind, _, text = connection.headers.get("authorization", "").strip()[:_KEY_MAX].partition(" ")
    return text.strip() if kind.lower() == "bearer" else ""


def tell_rate(app: ASGIApp) -> ASGIApp:
    """Middleware: every answer after the key was found tells what is left of its rate."""

    async def with_rate(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_rate(message: Any) -> None:
            if message["type"] == "http.response.start":
                rate: dict[str, str] = scope["state"].get(_HEADERS, {})
                more = [(name.lower().encode(), value.encode()) for name, value in rate.items()]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await app(scope, receive, send_with_rate)

    return with_rate
