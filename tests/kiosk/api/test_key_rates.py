"""Rates of keys: counted in the store once for all workers, with few calls; not counted while the store is away."""

import asyncio
import time
from typing import Any

import pytest

from kiosk.api.errors import TooFast
from kiosk.api.key_rates import LEASE_MIN, LEASE_PART, REFUSED_MIN_S, UNCOUNTED_S, WINDOW_S, Rates
from queueing.api_keys import ApiKey
from queueing.api_rates import ApiRates, RateWindow
from queueing.errors import StoreAway
from queueing.store.store import Store

pytestmark = pytest.mark.anyio
KEY = ApiKey(id="0123456789", name="HIS", facility="IN01", scopes=(), digest="", made_s=0, by="asha")
RATE = 1_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Counted(ApiRates):
    """The store's counts; it notes each call, and fails while it is away."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.calls: list[int] = []
        self.is_away = False

    async def take(self, key_id: str, most: int, window_s: int, amount: int) -> RateWindow:
        self.calls.append(amount)
        if self.is_away:
            raise StoreAway("the store is away")
        return await super().take(key_id, most, window_s, amount)


class Worker:
    """One worker's rates."""

    def __init__(self, store: Store, rate: int = RATE) -> None:
        self.clock, self.counted = Clock(), Counted(store)
        self.rates = Rates(self.counted, per_facility_key=rate, clock_s=self.clock)

    async def admitted(self, requests: int) -> int:
        found = 0
        for _ in range(requests):
            try:
                await self.rates.count(KEY)
            except TooFast:
                continue
            found += 1
        return found


def left(headers: Any) -> int:
    return int(headers["RateLimit"].partition("r=")[2].partition(";")[0])


async def test_one_worker_admits_the_whole_rate_and_no_more(store: Store) -> None:
    worker = Worker(store)
    assert await worker.admitted(RATE + 50) == RATE


async def test_workers_together_admit_no_more_than_the_rate(store: Store) -> None:
    workers = [Worker(store) for _ in range(4)]
    admitted = 0
    for _ in range(RATE):
        admitted += sum([await worker.admitted(1) for worker in workers])
    assert admitted <= RATE
    assert admitted >= RATE - len(workers) * RATE // LEASE_PART


async def test_requests_at_once_are_admitted_once(store: Store) -> None:
    worker = Worker(store, rate=40)
    done = await asyncio.gather(*(worker.rates.count(KEY) for _ in range(60)), return_exceptions=True)
    assert sum(isinstance(one, dict) for one in done) == 40
    assert sum(isinstance(one, TooFast) for one in done) == 20


async def test_a_busy_key_costs_few_calls_and_a_slow_one_one_a_window(store: Store) -> None:
    busy = Worker(store, rate=6_000)
    assert await busy.admitted(3_000) == 3_000
    assert len(busy.counted.calls) < 60
    slow = Worker(store, rate=6_000)
    assert await slow.admitted(LEASE_MIN) == LEASE_MIN
    assert len(slow.counted.calls) == 1


async def test_what_a_worker_takes_ahead_is_not_more_than_it_used(store: Store) -> None:
    worker = Worker(store, rate=6_000)
    for used in range(400):
        taken = sum(worker.counted.calls)
        assert taken <= max(LEASE_MIN, 2 * used)
        await worker.rates.count(KEY)


async def test_a_refused_key_costs_one_call_until_the_time_that_it_was_told(store: Store) -> None:
    worker = Worker(store, rate=3)
    assert await worker.admitted(3) == 3
    with pytest.raises(TooFast) as refused:
        await worker.rates.count(KEY)
    wait_s = int(refused.value.headers["Retry-After"])
    assert WINDOW_S - 2 <= wait_s <= WINDOW_S
    calls = len(worker.counted.calls)
    worker.clock.now_s += wait_s - REFUSED_MIN_S - 1
    assert await worker.admitted(100) == 0
    assert len(worker.counted.calls) == calls
    worker.clock.now_s += REFUSED_MIN_S + 1
    assert await worker.admitted(1) == 0  # by the store's clock no time has passed
    assert len(worker.counted.calls) > calls


async def test_a_lease_ends_with_its_window(store: Store) -> None:
    worker = Worker(store)
    await worker.rates.count(KEY)
    worker.clock.now_s += WINDOW_S + 1
    await worker.rates.count(KEY)
    assert worker.counted.calls == [LEASE_MIN, LEASE_MIN]


async def test_while_the_store_is_away_requests_pass_and_it_is_asked_once_a_second(store: Store) -> None:
    worker = Worker(store, rate=20)
    worker.counted.is_away = True
    assert await worker.admitted(100) == 100
    assert len(worker.counted.calls) == 1
    worker.clock.now_s += UNCOUNTED_S
    worker.counted.is_away = False
    assert await worker.admitted(100) == 20


async def test_the_headers_count_down_over_several_workers(store: Store) -> None:
    here, there = Worker(store), Worker(store)
    assert [left(await here.rates.count(KEY)) for _ in range(12)] == list(range(RATE - 1, RATE - 13, -1))
    taken = sum(here.counted.calls)
    assert left(await there.rates.count(KEY)) == RATE - taken - 1


async def test_leases_of_keys_that_nobody_uses_are_dropped(store: Store) -> None:
    worker = Worker(store)
    await worker.rates.count(KEY)
    worker.clock.now_s += WINDOW_S + 1
    await worker.rates.count(ApiKey(id="9876543210", name="X", facility="IN01", scopes=(), digest="", made_s=0, by=""))
    assert list(worker.rates._leases) == ["9876543210"]
    assert len(worker.rates._windows._answered) == 1


async def test_a_request_within_a_lease_takes_microseconds(store: Store) -> None:
    worker = Worker(store, rate=600_000)
    await worker.admitted(20_000)
    began_s = time.perf_counter()
    await worker.admitted(5_000)
    assert (time.perf_counter() - began_s) / 5_000 < 50e-6
