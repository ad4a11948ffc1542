"""The fake gateway for all tests here."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk.abdm.authentication import Authenticator
from kiosk.abdm.client import Gateway
from kiosk.abdm.inbound import read_patient
from kiosk.abdm.jwks import KeySet
from kiosk.checkin import CheckIn
from kiosk.security.encryption import Seal
from queueing import library
from queueing.day_keys import DayKeys
from queueing.models import Facility, Queue
from queueing.registry import Registry
from queueing.store.store import Store
from tests.kiosk.abdm.endpoints import Services
from tests.kiosk.abdm.fake_gateway import ISSUER, FakeGateway, SigningKey
from tests.kiosk.abdm.gate import Gate
from tests.kiosk.abdm.relayed_hospital import HIP, Line
from tests.queueing.a_facility import open_desk
from tokens import CounterCodes, KeyRing


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


@pytest.fixture
async def gate(fake: FakeGateway, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = Gate(fake, tmp_path)
    yield gate
    await gate.gateway.close()


@pytest.fixture
async def services(fake: FakeGateway, gateway_key: SigningKey, tmp_path: Path) -> AsyncIterator[Services]:
    gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
    keys = KeySet(gateway.certs, tmp_path)
    services = Services(Authenticator(keys, issuers=(ISSUER,), audience="account", azps=("gateway",)), gateway_key)
    yield services
    await gateway.close()


@pytest.fixture
async def line(store: Store, fake: FakeGateway) -> AsyncIterator[Line]:
    await library.load(store)
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id=HIP, name="District Hospital"))
    await registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M"), 3)
    ring = KeyRing.generate(int(time.time()))
    seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    check_in = CheckIn(
        open_desk(store),
        CounterCodes(ring),
        seal,
        person_key=ring.person_key(),
        read_patient=read_patient,
        now_s=time.time,
    )
    line = Line(store, fake, seal, check_in)
    yield line
    await line.outbox.close()
    await line.gateway.close()
