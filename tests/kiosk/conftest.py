"""A hospital whose screens and pages are looked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.kiosk.hospital import Hospital, application, emptied, serving
from tests.ports import free_port


@pytest.fixture
async def hospital(valkey_url: str, tmp_path: Path) -> AsyncIterator[Hospital]:
    """Built and empty; its application runs, with nobody listening on a port."""
    await emptied(valkey_url)
    port = free_port()
    app = application(valkey_url, tmp_path / "data", port)
    async with app.lifespan():
        built = Hospital(app, f"http://127.0.0.1:{port}")
        await built.build()
        yield built


@pytest.fixture
async def served(valkey_url: str, tmp_path: Path) -> AsyncIterator[Hospital]:
    """The hospital behind a server."""
    await emptied(valkey_url)
    port = free_port()
    app = application(valkey_url, tmp_path / "data", port)
    async with serving(app, port):
        hospital = Hospital(app, f"http://127.0.0.1:{port}")
        await hospital.build()
        yield hospital


@pytest.fixture
async def visitor(hospital: Hospital) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser at the hospital's address, with no cookies and no language of its own."""
    transport = httpx.ASGITransport(app=hospital.app)  # type: ignore[arg-type]  # narrower words for the same ASGI
    async with httpx.AsyncClient(transport=transport, base_url=hospital.url) as client:
        yield client
