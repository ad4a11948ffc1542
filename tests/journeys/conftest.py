"""A running town and a Chromium, one of each for all journeys of a process."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser import chromium
from tests.journeys.running_hospital import Deployment, Hospital, opened


@pytest.fixture(scope="session")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """In the end nobody who came can be read on its disk or in its log, and no protocol was broken."""
    async with opened(tmp_path_factory.mktemp("town")) as running:
        yield running
        assert running.readable_marks() == set()
        assert not (await running.simulator.faults())["protocol_faults"]


@pytest.fixture(scope="session")
async def machine() -> AsyncIterator[Browser]:
    """One Chromium; every page of it is a visitor of its own."""
    async with chromium("--disable-quic") as browser:
        yield browser


@pytest.fixture
async def browser(machine: Browser) -> AsyncIterator[Browser]:
    """The same, emptied after each journey: an open screen goes on listening."""
    yield machine
    for context in machine.contexts:
        await context.close()


@pytest.fixture
def hospital(deployment: Deployment) -> Hospital:
    """Where this journey happens, and nothing else."""
    return deployment.hospital()
