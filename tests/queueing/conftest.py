"""Fixtures of several files."""

import pytest

from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import build, open_desk
from tests.queueing.one_hospital import SRINAGAR, Hospital


@pytest.fixture
async def hospital(store: Store) -> Hospital:
    await build(store, latitude=SRINAGAR[0], longitude=SRINAGAR[1])
    return Hospital(store, open_desk(store), Registry(store))
