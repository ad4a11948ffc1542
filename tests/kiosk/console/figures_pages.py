"""What the tests of the pages of figures share: the program on an archive, and a state administrator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar

from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.archive.database import Database
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import Browser, browser, build_hospitals, opened_app, ready_login, services_of

__all__ = ["app", "overseer"]


@pytest.fixture
async def app(valkey_url: str, folder: Path, database: Database) -> AsyncIterator[Litestar]:
    """The program on this archive, with two hospitals and nobody there."""
    url = database.url.render_as_string(hide_password=False)
    async with opened_app(valkey_url, folder, KIOSK_ARCHIVE_URL=url) as opened:
        services = services_of(opened)
        await services.store.each_primary("FLUSHALL")
        await services.seal.refresh(services.day_keys)
        await build_hospitals(services)
        yield opened


@pytest.fixture
async def overseer(app: Litestar, services: Services) -> AsyncIterator[Browser]:
    """A state administrator who has chosen no facility."""
    await ready_login(services.staff, "omar", EVERY_FACILITY, "admin")
    async with browser(app, address="10.1.2.6") as one:
        assert (await one.sign_in("omar")).status_code == 303
        yield one
