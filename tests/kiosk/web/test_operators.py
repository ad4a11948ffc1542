"""What operators read, others do not see: not from another machine, not through a proxy, not in another spelling."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from kiosk.app import create_app
from kiosk.settings import load
from kiosk.web.operators import is_operator
from queueing.embedded.server import EmbeddedValkey

pytestmark = pytest.mark.anyio
PAGES = ["/metrics", "/metrics/", "/metrics%2f", "//metrics"]
PROXY = (ip_network("10.0.0.1"),)


def scope(client: str, forwarded: str = "") -> dict[str, object]:
    return {"client": (client, 5), "headers": [(b"x-forwarded-for", forwarded.encode())] if forwarded else []}


@pytest.mark.parametrize(
    ("caller", "sees"),
    [
        (scope("127.0.0.1"), True),
        (scope("192.0.2.7"), False),
        (scope("10.20.0.5"), True),
        (scope("10.0.0.1", "10.20.0.5"), True),
        (scope("10.0.0.1", "192.0.2.7"), False),
        (scope("192.0.2.7", "127.0.0.1"), False),
    ],
)
def test_this_machine_and_named_networks_see_and_nobody_else(caller: dict[str, object], sees: bool) -> None:
    assert is_operator(caller, PROXY, (ip_network("10.20.0.0/16"),)) is sees


def test_a_proxy_that_nobody_named_makes_no_neighbour_of_a_stranger() -> None:
    assert not is_operator(scope("127.0.0.1", "192.0.2.7"), (), ())


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Litestar]:
    async with EmbeddedValkey(tmp_path / "data") as store:
        app = create_app(load({"KIOSK_DATA_DIR": str(store.folder)}))
        async with app.lifespan():
            yield app


def caller(app: Litestar, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 9))  # type: ignore[arg-type]  # both mean ASGI
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def test_a_stranger_finds_nothing_and_hears_of_readiness_without_reasons(app: Litestar) -> None:
    async with caller(app, "192.0.2.7") as stranger, caller(app, "127.0.0.1") as operator:
        for page in PAGES:
            answer = await stranger.get(httpx.URL("http://127.0.0.1:8000").copy_with(raw_path=page.encode()))
            assert answer.request.url.raw_path == page.encode()  # a bare "//metrics" would name a host
            assert answer.status_code == 404, page
        assert (await operator.get("/metrics")).status_code == 200
        assert (await stranger.get("/schema/openapi.json")).status_code == 200, "the description is for everybody"
        assert (await stranger.get("/healthz")).status_code == 200
        ready = await stranger.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (200, [])
