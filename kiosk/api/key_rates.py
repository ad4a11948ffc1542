"""How many requests a key may send, over all workers of all machines; told in the headers of draft RateLimit.

The library ``limits`` decides, on counts in the store. A worker takes a lease of the rate there, several requests at
once, and counts them down in its memory: never more than the key used here in this window, nor than a fiftieth of
what is left. So all workers together never admit more than the rate, most requests ask the store nothing, and a
key that is spread over workers is refused at most a few hundredths of its rate too early.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from kiosk.api.errors import TooFast
from queueing.api_keys import ApiKey
from queueing.api_rates import MS, ApiRates, RateWindow
from queueing.errors import QueueingError

WINDOW_S: Final = 60
PER_FACILITY_KEY: Final = 6_000
"""A hundred a second: a busy hospital has one share in five seconds, and a page of events holds two hundred."""
PER_STATE_KEY: Final = 60_000
"""Of a key for all facilities: a state's 3,600 facilities, each asked four times a minute, four times over."""
LEASE_MIN: Final = 5
"""A program that asks four times a minute costs one call to the store a minute."""
LEASE_PART: Final = 50
"""A lease is at most this part of what is left: what other workers cannot use is small."""
UNCOUNTED_S: Final = 1.0
"""For so long nothing is counted after the store did not answer. The routes themselves ask it, and refuse."""
REFUSED_MIN_S: Final = 1.0
"""The store is not asked again before: a key over its rate costs one call a second. Callers are told whole seconds."""


class Windows(MemoryStorage):
    """The library's storage, with its sliding windows in the store. It keeps the last answer about each key."""

    def __init__(self, rates: ApiRates) -> None:
        super().__init__()
        self._rates = rates
        self._answered: dict[str, RateWindow] = {}

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take all of ``amount`` or nothing. Raises QueueingError when the store cannot answer."""
        self._answered[key] = window = await self._rates.take(key, limit, expiry, amount)
        return window.taken

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """As the store answered last."""
        window = self._answered[key]
        return window.before, window.before_left_s, window.count, min(window.left_s, expiry - 1 / MS)

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget what was answered. The store forgets by itself."""
        self._answered.pop(key, None)


class Lease:
    """What one worker may admit of one key without asking the store. Times are of a monotonic clock."""

    __slots__ = ("ends_s", "item", "left", "lock", "refused_until_s", "rest", "uncounted_until_s", "used")

    def __init__(self, item: RateLimitItem) -> None:
        self.item, self.lock = item, asyncio.Lock()
        self.left = self.used = 0
        """Requests that it still admits, and those of this window that it admitted."""
        self.rest = item.amount
        """What the store had left of the rate beside this lease."""
        self.ends_s = self.refused_until_s = self.uncounted_until_s = 0.0

    def knows(self, now_s: float) -> bool:
        """Whether it can answer a request without the store."""
        leased = self.left > 0 and now_s < self.ends_s
        return leased or now_s < self.refused_until_s or now_s < self.uncounted_until_s


class Rates:
    """Counts the requests of one worker. ``clock_s`` is monotonic."""

    def __init__(
        self,
        rates: ApiRates,
        per_facility_key: int = PER_FACILITY_KEY,
        per_state_key: int = PER_STATE_KEY,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._windows = Windows(rates)
        self._limiter = SlidingWindowCounterRateLimiter(self._windows)
        self._facility: RateLimitItem = RateLimitItemPerMinute(per_facility_key)
        self._state: RateLimitItem = RateLimitItemPerMinute(per_state_key)
        self._leases: dict[str, Lease] = {}
        self._clock_s = clock_s
        self._forget_s = clock_s() + WINDOW_S

    async def count(self, key: ApiKey) -> dict[str, str]:
        """Count one request. Returns the headers that tell what is left. Raises TooFast."""
        lease = self._leases.get(key.id) or await self._new_lease(key)
        if not lease.knows(self._clock_s()):
            async with lease.lock:  # one asks, and the others wait for its answer
                while not lease.knows(self._clock_s()):
                    await self._renew(key.id, lease)
        now_s = self._clock_s()
        headers = {"RateLimit-Policy": f'"key";q={lease.item.amount};w={WINDOW_S}'}
        if now_s < lease.refused_until_s:
            wait_s = _whole(lease.refused_until_s - now_s)
            headers |= {"RateLimit": f'"key";r=0;t={wait_s}', "Retry-After": str(wait_s)}
            raise TooFast(f"More than {lease.item.amount} requests a minute. Wait {wait_s} s.", headers=headers)
        lease.left, lease.used = max(0, lease.left - 1), lease.used + 1
        return headers | {"RateLimit": f'"key";r={lease.rest + lease.left};t={_whole(lease.ends_s - now_s)}'}

    async def _renew(self, key_id: str, lease: Lease) -> None:
        """Take more of the rate, or note for how long there is none, or that the store is away."""
        asked_s = self._clock_s()
        if asked_s >= lease.ends_s:
            lease.left = lease.used = 0
        wanted = max(LEASE_MIN, min(lease.used, lease.rest // LEASE_PART))
        try:
            while not await self._limiter.hit(lease.item, key_id, cost=wanted):
                window = await self._limiter.get_window_stats(lease.item, key_id)
                wanted = min(wanted - 1, window.remaining)
                if not wanted:
                    lease.rest = 0
                    lease.refused_until_s = self._clock_s() + max(REFUSED_MIN_S, window.reset_time - time.time())
                    return
        except QueueingError:
            lease.uncounted_until_s = self._clock_s() + UNCOUNTED_S
            return
        lease.left = wanted
        lease.rest = (await self._limiter.get_window_stats(lease.item, key_id)).remaining
        *_, left_s = await self._windows.get_sliding_window(lease.item.key_for(key_id), WINDOW_S)
        lease.ends_s = asked_s + left_s

    async def _new_lease(self, key: ApiKey) -> Lease:
        if (now_s := self._clock_s()) >= self._forget_s:
            await self._forget(now_s)
        return self._leases.setdefault(key.id, Lease(self._state if key.is_for_all else self._facility))

    async def _forget(self, now_s: float) -> None:
        """Drop the leases that ended, of keys that nobody uses any more."""
        self._forget_s = now_s + WINDOW_S
        for key_id, lease in list(self._leases.items()):
            if not (lease.lock.locked() or lease.knows(now_s)):
                del self._leases[key_id]
                await self._limiter.clear(lease.item, key_id)


def _whole(seconds: float) -> int:
    """Whole seconds, rounded up, at least one and at most a window."""
    return max(1, min(WINDOW_S, math.ceil(seconds)))
