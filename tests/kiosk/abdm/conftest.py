"""The fake gateway for all tests here."""

from collections.abc import AsyncIterator

import pytest

from tests.kiosk.abdm.fake_gateway import FakeGateway, SigningKey


@pytest.fixture(scope="session")
def gateway_key() -> SigningKey:
    return SigningKey("AlRb5WCm8Tm9EJ_IfO9z06j9oCv51pKKFknGb_TBvK0")


@pytest.fixture(scope="session")
def second_key() -> SigningKey:
    return SigningKey("oc-l6O1yJ7wJKYEeyeUafsz3Aecq7YnCIqbzbIfkJk8", "RS512")


@pytest.fixture(scope="session")
def foreign_key() -> SigningKey:
    """A key of somebody else with the gateway's key id."""
    return SigningKey("AlRb5WCm8Tm9EJ_IfO9z06j9oCv51pKKFknGb_TBvK0")


@pytest.fixture
async def fake(gateway_key: SigningKey, second_key: SigningKey, anyio_backend: str) -> AsyncIterator[FakeGateway]:
    gateway = FakeGateway()
    gateway.keys = [gateway_key, second_key]
    await gateway.start()
    yield gateway
    await gateway.stop()
