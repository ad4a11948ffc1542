"""The lists that Lua writes by concatenation are those of cmsgpack, byte for byte."""

from importlib.resources import files
from typing import Any

import pytest

from queueing.desk import OpdDesk
from queueing.models import Counter, Outcome, Queue
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio

PACKING = files("queueing").joinpath("functions", "shared", "packing.lua").read_text()
LENGTHS = (0, 1, 31, 32, 255, 256, 65_535)
NUMBERS = (0, 1, 127, 128, 255, 256, 1800, 65_535, 65_536, 86_400, 1_900_000_000_000)


async def pairs(store: Store, ours: str, theirs: str, values: tuple[int, ...]) -> list[Any]:
    """What two Lua expressions of ``value`` give for each number."""
    body = f"""{PACKING}
    local found = {{}}
    for i, text in ipairs(ARGV) do
      local value = tonumber(text)
      found[2 * i - 1], found[2 * i] = {ours}, {theirs}
    end
    return found"""
    reply: Any = await store.call("x", "EVAL", body, 0, *values)
    return list(zip(reply[::2], reply[1::2], strict=True))


async def test_a_text_of_any_length_has_the_head_of_cmsgpack(store: Store) -> None:
    text = "string.rep('x', value)"
    for ours, theirs in await pairs(store, f"text_head({text}) .. {text}", f"cmsgpack.pack({text})", LENGTHS):
        assert ours == theirs


async def test_a_whole_number_of_any_size_is_packed_as_by_cmsgpack(store: Store) -> None:
    for ours, theirs in await pairs(store, "pack_number(value)", "cmsgpack.pack(value)", NUMBERS):
        assert ours == theirs


async def test_the_time_of_a_call_is_packed_as_by_cmsgpack(store: Store) -> None:
    found = await pairs(store, "pack_now({now = value})", "cmsgpack.pack(value)", NUMBERS)
    assert all(ours == theirs for ours, theirs in found)


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    return open_desk(store)


async def test_a_counter_that_leads_to_another_queue_does_so_from_the_next_scan(store: Store, desk: OpdDesk) -> None:
    assert (await desk.enqueue(arrival())).queue == "medicine"
    assert (await desk.enqueue(arrival())).token == "M-002"
    await Registry(store).put_counter(HIP, Counter(name="M1", queues=("registration",)))
    place = await desk.enqueue(arrival())
    assert (place.outcome, place.queue, place.token) == (Outcome.NEW, "registration", "R-001")


async def test_changed_settings_of_the_queue_count_from_the_next_scan(store: Store, desk: OpdDesk) -> None:
    for _ in range(2):
        await desk.enqueue(arrival())
    await Registry(store).put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="Z"), 0)
    assert (await desk.enqueue(arrival())).token == "Z-003"
