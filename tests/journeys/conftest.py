"""One running deployment and one Chromium for all journeys of a process."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.journeys.running_hospital import Deployment, Hospital, opened


@pytest.fixture(scope="session")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """The deployment. At the end no patient may be readable on its disk or in its log, and no protocol
    fault recorded.
    """
    async with opened(tmp_path_factory.mktemp("town")) as running:
        yield running
        assert running.readable_marks() == set()
        assert not (await running.simulator.faults())["protocol_faults"]


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """One Chromium. Each page has its own session, and is closed after its journey."""
    return chromium


@pytest.fixture
def hospital(deployment: Deployment) -> Hospital:
    """A hospital for this journey only."""
    return deployment.hospital()
