"""What several files of the archive's tests share."""

import pytest

from kiosk.archive import role as role_module
from kiosk.archive.database import Database
from kiosk.archive.role import Parts
from kiosk.security.encryption import Seal
from queueing.desk import OpdDesk
from queueing.store.store import Store
from tests.kiosk.archive.archived import (
    new_ring,
    parts,
    seal_of,
)
from tests.queueing.a_facility import MovedMidnight, build, kolkata, open_desk


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_module, "PAUSE_S", 0.02)
    monkeypatch.setattr(role_module, "STANDBY_S", 0.05)
    monkeypatch.setattr(role_module, "TEND_EVERY_S", 0.2)
    monkeypatch.setattr(role_module, "FIRST_BACK_OFF_S", 0.05)
    monkeypatch.setattr(role_module, "LAST_BACK_OFF_S", 0.5)


@pytest.fixture
def clock() -> MovedMidnight:
    return kolkata()


@pytest.fixture
async def desk(store: Store, clock: MovedMidnight) -> OpdDesk:
    await build(store, district="Baramulla")
    return open_desk(store, clock)


@pytest.fixture
async def one(store: Store, database: Database, desk: OpdDesk) -> Parts:
    ring = new_ring()
    return parts(store, database, desk, await seal_of(ring, store), ring)


@pytest.fixture
async def seal(one: Parts) -> Seal:
    return one.envelopes._seal
