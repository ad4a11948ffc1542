"""A store whose memory is full: new arrivals are refused completely, and people in line are called and finished."""

from collections.abc import AsyncIterator

import pytest

from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.models import Outcome
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[OpdDesk]:
    await build(store)
    yield open_desk(store)
    await store.each_primary("CONFIG", "SET", "maxmemory", "0")


async def test_with_full_memory_arrivals_are_refused_completely_and_moves_work(desk: OpdDesk, store: Store) -> None:
    first = await desk.enqueue(arrival())
    await desk.enqueue(arrival())
    keys = await store.each_primary("DBSIZE")
    await store.each_primary("CONFIG", "SET", "maxmemory", "1mb")
    with pytest.raises(StoreRefused, match="OOM"):
        await desk.enqueue(arrival())
    assert await store.each_primary("DBSIZE") == keys
    called = await desk.call_next(HIP, "M1", by="asha")
    assert (called.outcome, called.ticket and called.ticket.token) == (Outcome.MOVED, first.token)
    assert (await desk.finish(HIP, first.ticket, by="asha")).outcome is Outcome.MOVED
    await store.each_primary("CONFIG", "SET", "maxmemory", "0")
    assert (await desk.enqueue(arrival())).token == "M-003"
