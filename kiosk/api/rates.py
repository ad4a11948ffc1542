"""How many requests a key may send: counted in each worker's memory, told in the headers of draft RateLimit.

The workers do not share the counts: the library counts in a store by scripts, which our store does not run. A limit
that holds within a factor of the workers keeps a program that loops from harming others just as well.
"""

import threading
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from kiosk.api.errors import TooFast
from queueing.api_keys import ApiKey

WINDOW_S: Final = 60
PER_FACILITY_KEY: Final = 6_000
"""A hundred a second: a busy hospital has one share in five seconds, and a page of events holds two hundred."""
PER_STATE_KEY: Final = 60_000
"""Of a key for all facilities: a state's 3,600 facilities, each asked four times a minute, four times over."""


class _NoThread(threading.Timer):
    """Stands where the library's storage has its thread, and says that it runs."""

    def __init__(self) -> None:
        super().__init__(0.0, lambda: None)

    def is_alive(self) -> bool:
        return True


class ThreadlessMemory(MemoryStorage):
    """The library's storage, which forgets old windows when it is told to.

    The library's own starts a thread for that at nearly every request: half of what a cheap request costs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.timer.join()
        self.timer = _NoThread()

    def forget_old(self) -> None:
        for key in list(self.expirations):
            self.get(key)  # it forgets a key whose time is over


class Rates:
    """Counts the requests of one worker."""

    def __init__(self, per_facility_key: int = PER_FACILITY_KEY, per_state_key: int = PER_STATE_KEY) -> None:
        self._memory = ThreadlessMemory()
        self._forget_s = 0.0
        self._limiter = SlidingWindowCounterRateLimiter(self._memory)
        self._facility: RateLimitItem = RateLimitItemPerMinute(per_facility_key)
        self._state: RateLimitItem = RateLimitItemPerMinute(per_state_key)

    def count(self, key: ApiKey) -> dict[str, str]:
        """Count one request. Returns the headers that tell what is left. Raises TooFast."""
        if (now_s := time.monotonic()) >= self._forget_s:
            self._memory.forget_old()
            self._forget_s = now_s + WINDOW_S
        item = self._state if key.is_for_all else self._facility
        admitted = self._limiter.hit(item, key.id)
        window = self._limiter.get_window_stats(item, key.id)
        reset_s = max(1, min(WINDOW_S, round(window.reset_time - time.time())))
        headers = {
            "RateLimit-Policy": f'"key";q={item.amount};w={WINDOW_S}',
            "RateLimit": f'"key";r={max(0, window.remaining)};t={reset_s}',
        }
        if not admitted:
            text = f"More than {item.amount} requests a minute. Wait {reset_s} s."
            raise TooFast(text, headers=headers | {"Retry-After": str(reset_s)})
        return headers
