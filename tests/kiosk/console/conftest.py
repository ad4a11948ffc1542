"""A real Valkey, a worker's house on it, and browsers in front."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from kiosk.house import House
from queueing.embedded import EmbeddedValkey
from queueing.store import open_store
from tests.kiosk.console.ward import (
    HIP,
    Browser,
    browser,
    build_hospitals,
    console_app,
    opened_house,
    ready_login,
)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    """One embedded server for a file of tests, on a private socket."""
    with tempfile.TemporaryDirectory(prefix="kiosk-console-") as folder:
        with EmbeddedValkey(Path(folder) / "data", maxmemory_bytes=128 << 20, brief=True) as server:
            yield server.url


@pytest.fixture
async def house(valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A worker's house with two hospitals and nobody in them."""
    emptied = await open_store(valkey_url)
    await emptied.each_primary("FLUSHALL")
    await emptied.close()
    async with opened_house(valkey_url, tmp_path) as opened:
        await build_hospitals(opened)
        yield opened


@pytest.fixture
def app(house: House) -> Litestar:
    return console_app(house)


@pytest.fixture
async def stranger(app: Litestar) -> AsyncIterator[Browser]:
    """Somebody who has not signed in."""
    async with browser(app) as one:
        yield one


@pytest.fixture
async def clerk(app: Litestar, house: House) -> AsyncIterator[Browser]:
    """A clerk of the first hospital, signed in."""
    await ready_login(house.staff, "asha", name="Asha")
    async with browser(app, address="10.1.2.4") as one:
        assert (await one.sign_in("asha")).status_code == 303
        yield one


@pytest.fixture
async def admin(app: Litestar, house: House) -> AsyncIterator[Browser]:
    """The administrator of the first hospital, signed in."""
    await ready_login(house.staff, "imran", HIP, "admin", name="Imran")
    async with browser(app, address="10.1.2.5") as one:
        assert (await one.sign_in("imran")).status_code == 303
        yield one
