"""``/schema``: the description of the API, for programs as OpenAPI and for people as a page.

Both are for everybody: they hold nothing of this installation but the path under which it stands.
"""

from functools import lru_cache
from typing import Final

from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from kiosk.api.description import document
from kiosk.api.schema_page import schema_page
from kiosk.web.security_headers import SECURITY

KEPT_S: Final = 300
"""It changes with a release."""
_HEADERS: Final = {
    **SECURITY,
    "Cache-Control": f"public, max-age={KEPT_S}",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Editors and testing tools that run in a browser read the document from their own pages."""


def routes(server: str) -> list[ControllerRouterHandler]:
    """For the root of the application. ``server``: the path under which the service stands, or ``/``."""

    @lru_cache(maxsize=1)
    def described(app: Litestar) -> bytes:
        return document(app, server)

    @get("/schema/openapi.json", include_in_schema=False, sync_to_thread=False)
    def openapi_json(request: Request[object, object, State]) -> Response[bytes]:
        """The description of the API, OpenAPI 3.1."""
        return Response(described(request.app), media_type="application/json", headers=_HEADERS)

    @get("/schema", include_in_schema=False, sync_to_thread=False)
    def readable(request: Request[object, object, State]) -> Response[str]:
        """The same as a page that needs no internet."""
        return schema_page(described(request.app))

    return [openapi_json, readable]
