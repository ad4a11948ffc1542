"""A simulator in a separate process, between a fake hospital service and phones."""

from collections.abc import AsyncIterator

import pytest

from loadtests.simulator.gateway.launch import Simulator
from loadtests.simulator.people.phones import Phones
from tests.loadtests.fake_hospital_service import FakeHospitalService


@pytest.fixture(scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator.start(seed=7) as running:
        yield running


@pytest.fixture
async def hip(simulator: Simulator) -> AsyncIterator[FakeHospitalService]:
    """A fake hospital service at a simulator that makes no faults."""
    stand_in = FakeHospitalService()
    await stand_in.server.listen("127.0.0.1", 0)
    await simulator.clear()
    await simulator.set_bridge(stand_in.url)
    stand_in.gateway, stand_in.announced = simulator.url, simulator.announced
    await stand_in.open_session()
    yield stand_in
    await simulator.clear()
    await stand_in.server.stop()
    await stand_in.client.close()


@pytest.fixture
async def phones(simulator: Simulator) -> AsyncIterator[Phones]:
    announced = simulator.announced
    async with Phones(announced.url, app_id=announced.app_id, secret=announced.app_secret) as app:
        yield app
