"""Holds shares for some seconds while the store is away, so that a store that restarts costs no patient the scan.

The gateway repeats a refused share only after sixteen minutes, and the phone waits thirty seconds. So an answer of 503
means no number for this patient. A share is held for three seconds at most, and 512 shares at once; beyond that the
answer is 503 at once. Asking the store again is safe: the request id makes repeated attempts one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from queueing.errors import StoreAway

HOLD_S: Final = 3.0
"""A store of ours restarts in one to two seconds; the gateway's own limit for an answer is some ten."""
HELD_MAX: Final = 512
"""Shares at once in one worker: at 300 a second that is the first two seconds of an outage, and some megabytes."""
AGAIN_S: Final = 0.1
"""Between two attempts: 512 shares ask five thousand times a second, and a store that is away answers at no cost."""

Answer = TypeVar("Answer")


class Hold:
    """One per worker."""

    def __init__(self, hold_s: float = HOLD_S, held_max: int = HELD_MAX) -> None:
        self._hold_s = hold_s
        self._held_max = held_max
        self.held = 0
        """Shares held now."""

    async def repeat(self, ask: Callable[[], Awaitable[Answer]], away: StoreAway) -> Answer:
        """Ask until the store answers. Raises the latest ``StoreAway``, at first ``away``, when the time is over."""
        if self.held >= self._held_max:
            raise away
        self.held += 1
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._hold_s
        try:
            while loop.time() < ends:
                await asyncio.sleep(AGAIN_S)
                try:
                    return await ask()
                except StoreAway as still_away:
                    away = still_away
            raise away
        finally:
            self.held -= 1
