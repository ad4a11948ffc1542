"""A real Valkey, a worker's services on it, and browsers in front."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from kiosk.services import Services
from queueing.embedded.server import EmbeddedValkey
from tests.kiosk.console.signed_in import HIP, Browser, browser, build_hospitals, opened_app, ready_login, services_of


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """One embedded server for a file of tests, on a private socket."""
    with tempfile.TemporaryDirectory(prefix="kiosk-console-") as folder:
        with EmbeddedValkey(Path(folder) / "data", maxmemory_bytes=128 << 20, brief=True) as server:
            yield server.operator_url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the key ring is: the store's seals belong to it."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
async def running(valkey_url: str, folder: Path) -> AsyncIterator[Litestar]:
    """The program's own application."""
    async with opened_app(valkey_url, folder) as app:
        yield app


@pytest.fixture
async def app(running: Litestar) -> Litestar:
    """The same with two hospitals, without patients and without anything from the test before."""
    services = services_of(running)
    await services.store.each_primary("FLUSHALL")
    await services.seal.refresh(services.day_keys)
    await build_hospitals(services)
    return running


@pytest.fixture
def services(app: Litestar) -> Services:
    return services_of(app)


@pytest.fixture
async def stranger(app: Litestar) -> AsyncIterator[Browser]:
    """Somebody who has not signed in."""
    async with browser(app) as one:
        yield one


@pytest.fixture
async def clerk(app: Litestar, services: Services) -> AsyncIterator[Browser]:
    """A clerk of the first hospital, signed in."""
    await ready_login(services.staff, "asha", name="Asha")
    async with browser(app, address="10.1.2.4") as one:
        assert (await one.sign_in("asha")).status_code == 303
        yield one


@pytest.fixture
async def admin(app: Litestar, services: Services) -> AsyncIterator[Browser]:
    """The administrator of the first hospital, signed in."""
    await ready_login(services.staff, "imran", HIP, "admin", name="Imran")
    async with browser(app, address="10.1.2.5") as one:
        assert (await one.sign_in("imran")).status_code == 303
        yield one
