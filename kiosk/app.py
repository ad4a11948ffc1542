"""The web application: opens a worker's house and hangs every room's doors. The one file that sees every room."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import ASGIRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from kiosk import console, displays, health, live, phone
from kiosk.abdm import errors as abdm_errors
from kiosk.abdm.callbacks import GatewayEndpoints
from kiosk.observability import metrics
from kiosk.services import Services
from kiosk.settings import Settings, load
from kiosk.web import problems, static_files
from kiosk.web.hosts import Hosts

JWKS_KEPT_S = 300
"""How long others may keep our public keys: the next key is published long before it signs."""
BODY_MAX = 16 * 1024
"""Bytes, on every door but the gateway's, which reads its own."""

SHARED = (
    "settings",
    "store",
    "registry",
    "desk",
    "outbox",
    "hub",
    "counter_codes",
    "ticket_links",
    "camera_links",
    "seal",
    "check_in",
    "staff",
)
"""What rooms may ask for by name: the services's parts of the same name."""


Door = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


class Kiosk(Litestar):
    """Litestar, with a door of its own for the gateway.

    The gateway's routes stand among the others and are found by the router like them. But a scan asks nothing of what
    lies between (path parameters, guards, exception handlers), and passing through it takes a tenth of its time: so
    their paths are looked up first.
    """

    def __init__(
        self, gateway_routes: list[ASGIRouteHandler], route_handlers: Sequence[Any], hosts: Hosts, **options: Any
    ) -> None:
        super().__init__([*gateway_routes, *route_handlers], **options)
        self._hosts = hosts
        self._doors: dict[str, Door] = {path: cast(Door, one.fn) for one in gateway_routes for path in one.paths}

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            if door := self._doors.get(scope["path"]):
                return door(scope, receive, send)
            try:
                self._hosts.check(scope["headers"])
            except HTTPException as refused:
                return problems.refuse(refused, send)
        return super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> Litestar:
    """The application of one worker. Settings are read from the environment unless given."""
    services = Services(settings or load())

    @asynccontextmanager
    async def furnished(app: Litestar) -> AsyncIterator[None]:
        async with services.open():
            app.state.hub = services.hub
            yield
        metrics.write_counts()

    return Kiosk(
        GatewayEndpoints(lambda: services).routes(),
        [
            *live.routes(),
            *displays.routes(),
            *phone.routes(),
            *console.routes(),
            *health.routes(),
            *static_files.routes(),
            public_keys,
        ],
        Hosts(services.settings.public_url, services.settings.hosts),
        dependencies=_dependencies(services),
        lifespan=[furnished],
        state=State({"services": services}),
        exception_handlers=problems.handlers(abdm_errors.ERROR_FORM),
        request_max_body_size=BODY_MAX,
        openapi_config=OpenAPIConfig(
            title="Scan and Share kiosk", version="1", path="/schema", render_plugins=[JsonRenderPlugin()]
        ),
        logging_config=None,
    )


def _dependencies(services: Services) -> dict[str, Provide]:
    def part(name: str) -> Provide:
        return Provide(lambda: getattr(services, name), sync_to_thread=False)

    look_once = health.Look(services)
    return {
        **{name: part(name) for name in SHARED},
        "services": Provide(lambda: services, sync_to_thread=False),
        "look_once": Provide(lambda: look_once, sync_to_thread=False),
        "now_s": Provide(lambda: int(time.time()), sync_to_thread=False, use_cache=False),
    }


@get("/.well-known/jwks.json", media_type="application/jwk-set+json", sync_to_thread=False)
def public_keys(services: NamedDependency[Services]) -> Response[bytes]:
    """The keys with which anybody can check a ticket link."""
    return Response(services.jwks(), headers={"Cache-Control": f"public, max-age={JWKS_KEPT_S}"})
