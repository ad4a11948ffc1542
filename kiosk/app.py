"""The web application: opens a worker's services and registers the routes of every room."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from litestar import Litestar, Response, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send
from litestar.utils import normalize_path

from kiosk import api, console, displays, health, live, phone
from kiosk.abdm import callbacks
from kiosk.abdm import error_form as abdm_error_form
from kiosk.abdm.callbacks import GatewayEndpoints
from kiosk.api import errors as api_errors
from kiosk.api import guards as api_guards
from kiosk.api import schema
from kiosk.console import guards
from kiosk.live import sse
from kiosk.observability import metrics
from kiosk.services.web import Services, Signers, web_services
from kiosk.settings import Settings, load
from kiosk.web import encoded_slashes, outermost, problems, security_txt, static_files
from kiosk.web.alias_addresses import follow_aliases
from kiosk.web.allowed_methods import allowed_methods, answer_options, operators_addresses
from kiosk.web.handover import Lifespan, put_services, services_of
from kiosk.web.hosts import Hosts, is_before_hosts
from kiosk.web.limits import BODY_MAX
from kiosk.web.litestar_parts import resolve_in_turn
from kiosk.web.operators import is_operator_of
from kiosk.web.path_prefix import prefix_of

JWKS_KEPT_S = 300
"""How long others may keep our public keys: the next key is published long before it signs."""

Endpoint = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


class Kiosk(Litestar):
    """Litestar, with a short way to the gateway's endpoints.

    The gateway's routes stand among the others and are found by the router like them. But a scan asks nothing of what
    lies between (path parameters, guards, exception handlers), and passing through it takes a tenth of its time: so
    their paths are looked up first.
    """

    def __init__(
        self,
        gateway_routes: list[ASGIRouteHandler],
        route_handlers: Sequence[Any],
        hosts: Hosts,
        prefix: str,
        **options: Any,
    ) -> None:
        super().__init__([*gateway_routes, *route_handlers], **options)
        self._hosts = hosts
        self._prefix = prefix
        self._operators_addresses = operators_addresses(self)
        self._endpoints: dict[str, Endpoint] = {
            before + path: cast(Endpoint, route.fn)
            for route in gateway_routes
            for path in route.paths
            for before in ("", prefix)
        }

    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            if endpoint := self._endpoints.get(scope["path"]):
                return endpoint(scope, receive, send)
            return outermost.answer_whole(self._checked, scope, receive, send, prefix=self._prefix)
        return super().__call__(scope, receive, send)

    async def _checked(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """A request for one of our names, with its path as the router reads it."""
        encoded_slashes.hide(scope)
        if not is_before_hosts(scope):
            self._hosts.check(scope["headers"])
        if scope["method"] != "GET":
            path = normalize_path(scope["path"])
            if path in self._operators_addresses and not is_operator_of(self, scope):
                raise NotFoundException
            find = self.asgi_router.handle_routing
            if scope["method"] == "OPTIONS" and (allow := allowed_methods(find, scope["path"])):
                await answer_options(send, allow)
                return
        await super().__call__(scope, receive, send)


class HandedOver(guards.Services, api_guards.Services, sse.Services, callbacks.Services, Protocol):
    """What all raw endpoints and guards need together."""


def hand_over(app: Litestar, services: HandedOver) -> None:
    """Let raw endpoints and guards find the services."""
    put_services(app, services)


def create_app(settings: Settings | None = None, *, beside: Sequence[Lifespan] = ()) -> Litestar:
    """The application of one worker. Settings are read from the environment unless given.

    ``beside``: what else runs while the services are open.
    """
    settings = settings or load()
    prefix = prefix_of(settings.public_url)

    def services() -> Services:
        opened: Services = services_of(app)
        return opened

    @asynccontextmanager
    async def serving(app: Litestar) -> AsyncIterator[None]:
        async with web_services(settings) as opened:
            hand_over(app, opened)
            yield
        metrics.write_counts()

    app = Kiosk(
        GatewayEndpoints(services).routes(),
        [
            *api.routes(),
            *schema.routes(prefix or "/"),
            *live.routes(),
            *displays.routes(),
            *phone.routes(),
            *console.routes(),
            *health.routes(),
            *static_files.routes(),
            *security_txt.routes(),
            public_keys,
        ],
        Hosts(settings.public_url, settings.hosts),
        prefix,
        dependencies=_providers(services),
        lifespan=[serving, *beside],
        middleware=[encoded_slashes.restore, follow_aliases(lambda: services().aliases)],
        exception_handlers=problems.handlers(abdm_error_form.ERROR_FORM, api_errors.ERROR_FORM),
        request_max_body_size=BODY_MAX,
        openapi_config=None,
        logging_config=None,
    )
    resolve_in_turn(app)
    return app


def _providers(services: Callable[[], Services]) -> dict[str, Provide]:
    """Each parameter that a handler may name, and the part of the services that it gets."""
    look_once = health.Look(services)
    parts: dict[str, Callable[[], object]] = {
        "signers": lambda: services().signers,
        "settings": lambda: services().settings,
        "registry": lambda: services().registry,
        "announcements": lambda: services().announcements,
        "last_changes": lambda: services().last_changes,
        "corrected_sentences": lambda: services().corrected_sentences,
        "slip_printers": lambda: services().slip_printers,
        "slip_printing": lambda: services().slip_printing,
        "poster_pictures": lambda: services().poster_pictures,
        "addresses": lambda: services().addresses,
        "screens": lambda: services().screens,
        "api_keys": lambda: services().api.keys,
        "targets": lambda: services().targets,
        "target_seal": lambda: services().target_seal,
        "clips": lambda: services().clips,
        "archive": lambda: services().archive,
        "audit": lambda: services().audit,
        "desk": lambda: services().desk,
        "desks": lambda: services().desks,
        "person_records": lambda: services().person_records,
        "links": lambda: services().links,
        "push_phones": lambda: services().push_phones,
        "push_keys": lambda: services().signers.push_keys,
        "place_search": lambda: services().place_search,
        "number_seal": lambda: services().number_seal,
        "outbox": lambda: services().outbox,
        "hub": lambda: services().hub,
        "ticket_lists": lambda: services().api.ticket_lists,
        "events": lambda: services().api.events,
        "shown_tickets": lambda: services().api.shown_tickets,
        "idempotency": lambda: services().api.idempotency,
        "counter_codes": lambda: services().counter_codes,
        "ticket_links": lambda: services().ticket_links,
        "camera_links": lambda: services().camera_links,
        "seal": lambda: services().seal,
        "check_in": lambda: services().check_in,
        "staff": lambda: services().staff,
        "connection_report": lambda: services().connection.report,
        "clock_is_wrong": lambda: services().connection.clock_is_wrong,
        "look_once": lambda: look_once,
        "now_s": lambda: int(time.time()),
    }
    return {name: Provide(part, sync_to_thread=False) for name, part in parts.items()}


@get("/.well-known/jwks.json", media_type="application/jwk-set+json", sync_to_thread=False)
def public_keys(signers: NamedDependency[Signers]) -> Response[bytes]:
    """The keys with which anybody can check a ticket link."""
    return Response(signers.public_keys.jwks, headers={"Cache-Control": f"public, max-age={JWKS_KEPT_S}"})
