"""Counts of requests of a key: a sliding window in the store, taken in parts, all of a part or nothing."""

import asyncio
from typing import cast

import pytest

from queueing.api_rates import ApiRates
from queueing.redis_keys import STAFF_SLOT
from queueing.store.store import Store

pytestmark = pytest.mark.anyio
KEY = f"{STAFF_SLOT}:apikeys:rate:a"


async def began(store: Store, ms_ago: int, *, count: int, before: int = 0) -> None:
    """As if the window of key ``a`` had begun so long ago."""
    seconds, microseconds = (int(part) for part in cast("list[bytes]", await store.call("time", "TIME")))
    now_ms = seconds * 1000 + microseconds // 1000
    await store.call(KEY, "HSET", KEY, "began", now_ms - ms_ago, "count", count, "before", before)


async def ttl_ms(store: Store) -> int:
    return cast("int", await store.call(KEY, "PTTL", KEY))


async def test_a_part_is_taken_whole_or_not_at_all(store: Store) -> None:
    rates = ApiRates(store)
    first = await rates.take("a", 10, 60, 7)
    assert (first.taken, first.count, first.before) == (True, 7, 0)
    assert first.left_s == 60.0
    second = await rates.take("a", 10, 60, 4)
    assert (second.taken, second.count) == (False, 7)
    assert (await rates.take("a", 10, 60, 3)).taken
    assert not (await rates.take("a", 10, 60, 1)).taken
    assert (await rates.take("b", 10, 60, 1)).taken


async def test_what_the_window_before_had_counts_less_and_less(store: Store) -> None:
    rates = ApiRates(store)
    await began(store, 75_000, count=80)
    window = await rates.take("a", 100, 60, 40)  # 80 × 45 s / 60 s = 60
    assert (window.taken, window.before, window.count) == (True, 80, 40)
    assert 44 < window.left_s <= 45
    assert not (await rates.take("a", 100, 60, 2)).taken


async def test_after_two_windows_nothing_counts_any_more(store: Store) -> None:
    rates = ApiRates(store)
    await began(store, 120_000, count=100, before=100)
    assert (await rates.take("a", 100, 60, 100)).taken


async def test_a_window_that_a_clock_put_into_the_future_ends_in_time(store: Store) -> None:
    rates = ApiRates(store)
    await began(store, -3_600_000, count=100)
    window = await rates.take("a", 100, 60, 1)
    assert not window.taken
    assert window.left_s == 60
    await began(store, -3_600_000, count=50)
    assert (await rates.take("a", 100, 60, 1)).taken
    assert await ttl_ms(store) <= 120_000


async def test_a_window_is_forgotten_by_itself_and_a_refusal_writes_nothing(store: Store) -> None:
    rates = ApiRates(store)
    assert not (await rates.take("a", 10, 60, 11)).taken
    assert await store.call(KEY, "EXISTS", KEY) == 0
    assert (await rates.take("a", 10, 1, 10)).taken
    assert 1_900 <= await ttl_ms(store) <= 2_000


async def test_many_processes_together_take_no_more_than_there_is(store: Store) -> None:
    taken = await asyncio.gather(*(ApiRates(store).take("a", 100, 60, 3) for _ in range(50)))
    assert sum(window.taken for window in taken) == 33
