"""A real Valkey, the services of a worker on it, and browsers in front."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from litestar import Litestar
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, expect

from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.services.web import Services
from queueing.embedded.server import EmbeddedValkey
from tests.kiosk.console.running_desk import Program, Served, desk_is_ready, running_program, watched_page
from tests.kiosk.console.signed_in import (
    HIP,
    OWN_PASSWORD,
    Browser,
    browser,
    build_hospital,
    build_hospitals,
    opened_app,
    ready_login,
    services_of,
)

_numbers = count(1)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """One embedded server for a file of tests, on a private socket."""
    with tempfile.TemporaryDirectory(prefix="kiosk-console-") as folder:
        with EmbeddedValkey(Path(folder) / "data", maxmemory_bytes=128 << 20, brief=True) as server:
            yield server.operator_url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the key ring is: the store's seals belong to it."""
    return tmp_path_factory.mktemp("services")


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


@pytest.fixture
async def overseer(app: Litestar, services: Services) -> AsyncIterator[Browser]:
    """An administrator of all facilities, signed in, who has chosen none."""
    await ready_login(services.staff, "sheikh", EVERY_FACILITY, "admin")
    async with browser(app, address="10.1.2.6") as one:
        assert (await one.sign_in("sheikh")).status_code == 303
        yield one


@pytest.fixture(scope="session")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """One web role for all files: it takes seconds to start, and each test has its own hospital there."""
    async with running_program(tmp_path_factory.mktemp("program")) as started:
        yield started


@pytest.fixture
async def served(program: Program) -> Served:
    hip = f"IN01{next(_numbers):08}"
    await build_hospital(program.services, hip, "District Hospital Baramulla")
    served = Served(program, hip)
    await ready_login(program.services.staff, served.login, hip, name="Asha Koul")
    return served


@pytest.fixture
async def page(chromium: Chromium, served: Served) -> AsyncIterator[Page]:
    """Signed in, sitting at M1; anything a page complains about fails the test at its end."""
    async with watched_page(chromium) as opened:
        await opened.context.add_cookies([{"name": "kiosk", "value": await served.session(), "url": served.address}])
        await opened.goto(served.address + "/console/at/M1")
        await desk_is_ready(opened)
        yield opened


@pytest.fixture
async def page_by_keys(chromium: Chromium, served: Served) -> AsyncIterator[Page]:
    """The same, with every step from the password to the counter done on the keyboard."""
    async with watched_page(chromium) as opened:
        await opened.goto(served.address + "/console")
        await expect(opened.locator("[name=login]")).to_be_focused()
        await opened.keyboard.type(served.login)
        await opened.keyboard.press("Tab")
        await opened.keyboard.type(OWN_PASSWORD)
        await opened.keyboard.press("Enter")
        await expect(opened.get_by_role("heading", name="Where do you sit?")).to_be_visible()
        await opened.keyboard.press("Enter")
        await desk_is_ready(opened)
        yield opened
