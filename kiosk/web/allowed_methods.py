"""Which methods an address answers: for OPTIONS (204 with ``Allow``) and for ``Allow`` on 405 (RFC 9110).

The router knows. It names the methods of an address to a request whose method no address has.
"""

from collections.abc import Callable
from typing import Any, Final

from litestar import Litestar
from litestar.exceptions import MethodNotAllowedException
from litestar.routes import HTTPRoute
from litestar.types import Send
from litestar.utils import normalize_path

from kiosk.web.operators import operators_only

NO_METHOD: Final = "NONE"
"""A method that no route has."""
SERVER: Final = "*"
"""The target of ``OPTIONS *``: the server as a whole. Balancers ask so whether it lives."""
SERVER_METHODS: Final = "GET, HEAD, OPTIONS, POST"

Find = Callable[..., Any]
"""The router's own search, by path and method."""


def allowed_methods(find: Find, path: str) -> str | None:
    """The methods of this address; None when its endpoint answers every method itself. Raises NotFoundException."""
    if path == SERVER:
        return SERVER_METHODS
    try:
        find(path=normalize_path(path), method=NO_METHOD)
    except MethodNotAllowedException as refused:
        return with_implied((refused.headers or {}).get("allow", ""))
    return None


def with_implied(allow: str) -> str:
    """``Allow`` with HEAD beside GET, and OPTIONS: we answer both for every address."""
    methods = {method.strip() for method in allow.split(",")} - {""}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}))


def operators_addresses(app: Litestar) -> frozenset[str]:
    """The addresses whose pages do not exist for others."""
    pages = (route for route in app.routes if isinstance(route, HTTPRoute))
    return frozenset(
        page.path for page in pages if any(operators_only in one.resolve_guards() for one in page.route_handlers)
    )


async def answer_options(send: Send, allow: str) -> None:
    """204 with ``Allow``."""
    await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", allow.encode())]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
