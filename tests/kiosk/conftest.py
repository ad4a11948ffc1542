"""A hospital whose screens and pages are looked at."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from argon2 import PasswordHasher
from litestar import Litestar

from kiosk.accounts import passwords
from tests.kiosk.archive.databases import database, database_url, postgres, prepared_postgresql, prepared_sqlite
from tests.kiosk.hospital import Hospital, application, emptied, serving
from tests.ports import free_port

__all__ = ["database", "database_url", "postgres", "prepared_postgresql", "prepared_sqlite"]


class Unstarted(NamedTuple):
    """An application that no test has started yet, and what it was made for."""

    app: Litestar
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Passwords are hashed at the least cost that Argon2 knows: half of the pages' time went into guarding passwords
    that are no secret. ``tests/kiosk/accounts/test_passwords.py`` looks at the true cost.
    """
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "PasswordHasher", lambda **_: cheap)
        yield


@pytest.fixture(scope="session")
def unstarted(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Unstarted:
    """Made once: registering all routes takes a fifth of a second. Each start makes all services anew."""
    folder, port = tmp_path_factory.mktemp("hospital") / "data", free_port()
    return Unstarted(application(valkey_url, folder, port), folder, port)


@pytest.fixture
async def hospital(valkey_url: str, unstarted: Unstarted) -> AsyncIterator[Hospital]:
    """Built and empty; its application runs, with nobody listening on a port."""
    await emptied(valkey_url)
    shutil.rmtree(unstarted.folder, ignore_errors=True)
    async with unstarted.app.lifespan():
        built = Hospital(unstarted.app, unstarted.url)
        await built.build()
        yield built


@pytest.fixture
async def served(valkey_url: str, unstarted: Unstarted) -> AsyncIterator[Hospital]:
    """The hospital behind a server."""
    await emptied(valkey_url)
    shutil.rmtree(unstarted.folder, ignore_errors=True)
    async with serving(unstarted.app, unstarted.port):
        hospital = Hospital(unstarted.app, unstarted.url)
        await hospital.build()
        yield hospital


@pytest.fixture
async def visitor(hospital: Hospital) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser at the hospital's address, with no cookies and no language of its own."""
    transport = httpx.ASGITransport(app=hospital.app)  # type: ignore[arg-type]  # narrower words for the same ASGI
    async with httpx.AsyncClient(transport=transport, base_url=hospital.url) as client:
        yield client
