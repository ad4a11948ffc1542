"""Who may read what operators read: metrics and reasons of readiness.

These pages tell how busy and how ill the service is, so only callers on this machine and of the networks that the
operator named (``KIOSK_OPS_ADDRESSES``) see them. For everybody else they do not exist. A caller whose address comes
from a header of a proxy that is not trusted is nobody's neighbour. ``KIOSK_OPS_PORT`` gives the same pages a port of
their own (``kiosk.runtime.ops_listener``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler

from kiosk.web.client_address import Network, client_address, is_in
from kiosk.web.handover import services_of

ON_OPS_PORT: Final = "kiosk.ops_port"
"""In the scope of a request that came to the operators' own port: who reaches that is an operator."""
Connection = ASGIConnection[Any, Any, Any, Any]


class Services(Protocol):
    """What the rule needs of the worker's services."""

    @property
    def trusted_proxies(self) -> tuple[Network, ...]: ...
    @property
    def ops_addresses(self) -> tuple[Network, ...]: ...


def is_operator(scope: Mapping[str, Any], trusted: Sequence[Network], operators: Sequence[Network]) -> bool:
    """Whether this caller may see operators' pages."""
    if scope.get(ON_OPS_PORT):
        return True
    if not trusted and any(name in {b"x-forwarded-for", b"forwarded"} for name, _ in scope["headers"]):
        return False
    address = client_address(scope, trusted)
    return address is not None and (address.is_loopback or is_in(address, operators))


def may_see(connection: Connection) -> bool:
    """The same for a request of this worker."""
    return is_operator_of(Litestar.from_scope(connection.scope), connection.scope)


def is_operator_of(app: Litestar, scope: Mapping[str, Any]) -> bool:
    """The same before the application has taken the request."""
    services: Services = services_of(app)
    return is_operator(scope, services.trusted_proxies, services.ops_addresses)


def operators_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: a page that does not exist for others."""
    if not may_see(connection):
        raise NotFoundException
