"""What every test may ask for: asyncio, and a real Valkey under our own supervisor."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from queueing.embedded.server import EmbeddedValkey
from queueing.store.store import Store, open_store


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """One embedded server for the whole run, on a private socket."""
    with tempfile.TemporaryDirectory(prefix="kiosk-tests-") as folder:
        with EmbeddedValkey(Path(folder) / "data", maxmemory_bytes=256 << 20) as server:
            yield server.url


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    """An open store with nothing in it."""
    opened = await open_store(valkey_url)
    await opened.each_primary("FLUSHALL")
    yield opened
    await opened.close()
