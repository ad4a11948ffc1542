"""Every route of the application is decided: who may call it. The routes are read from the application itself."""

from collections.abc import Iterator
from pathlib import Path

from litestar import Litestar, get
from litestar.routes import HTTPRoute

from kiosk.app import create_app
from kiosk.settings import load
from tests.kiosk.route_access import ROUTES

ADVICE = (
    "tests/kiosk/route_access.py must decide every route. Add the line of a new route to ROUTES: choose the decision "
    "that says what each caller must get (PUBLIC, STAFF, ADMINS_OF_THIS ...), and a sample of the request if it has "
    "parameters or a body. Remove the line of a route that is gone."
)


def routes_of(app: Litestar) -> Iterator[tuple[str, str]]:
    """Method and path of every route; OPTIONS and HEAD follow from the others."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from ((method, route.path) for method in handler.http_methods - {"HEAD", "OPTIONS"})
        else:
            yield "MOUNT", route.path


def test_every_route_has_a_decision_and_every_decision_a_route(tmp_path: Path) -> None:
    found = set(routes_of(create_app(load({"KIOSK_DATA_DIR": str(tmp_path)}))))
    undecided, gone = sorted(found - set(ROUTES)), sorted(set(ROUTES) - found)
    assert not undecided, f"{ADVICE}\nundecided: {undecided}"
    assert not gone, f"{ADVICE}\ngone: {gone}"


def test_a_route_without_a_decision_is_found() -> None:
    @get("/new", sync_to_thread=False)
    def new() -> None: ...

    assert ("GET", "/new") in set(routes_of(Litestar([new]))) - set(ROUTES)
