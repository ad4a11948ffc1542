"""Holds shares for some seconds while the store is away, so that no patient loses a scan when the store restarts.

The gateway repeats a refused share only after sixteen minutes, and the phone waits thirty seconds. So a patient who
gets a 503 gets no number. A share is held for three seconds at most, and 512 shares at once; more shares get a 503 at
once. It is safe to repeat the call to the store: attempts with the same request id count as one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from queueing.errors import StoreAway

HOLD_S: Final = 3.0
"""How long a share is held. The embedded store restarts in one to two seconds; the gateway waits some ten for an
answer."""
HELD_MAX: Final = 512
"""Shares held at once in one worker: at 300 a second the first two seconds of an outage, in a few megabytes."""
AGAIN_S: Final = 0.1
"""The pause between two attempts. 512 shares then make five thousand attempts a second; without a connection each fails
at once and costs nearly nothing."""

Answer = TypeVar("Answer")


class Hold:
    """One per worker."""

    def __init__(self, hold_s: float = HOLD_S, held_max: int = HELD_MAX) -> None:
        self._hold_s = hold_s
        self._held_max = held_max
        self.held = 0
        """Shares held now."""

    async def repeat(self, ask: Callable[[], Awaitable[Answer]], away: StoreAway) -> Answer:
        """Repeat until the store answers. When the time is over, raise the last ``StoreAway`` (``away`` if none
        followed).
        """
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
