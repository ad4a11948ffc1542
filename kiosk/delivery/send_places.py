"""How many tries may be under way at once, so that receivers that hang hold nobody up."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

SENDS_AT_ONCE: Final = 200
"""Quick tries, over all targets: each holds a connection and some 10 kB."""
SLOW_AT_ONCE: Final = 50
"""Tries of targets that failed or were slow the last time."""
QUICK_S: Final = 1.0
"""A try that takes longer gives its quick place to others and goes on without one. Each target has at most eight."""


class SendPlaces:
    """Places for tries. A target that hangs without having failed before holds a quick place for a second at most; two
    hundred of them at once hold the others up for that second.
    """

    def __init__(self) -> None:
        self._quick = asyncio.Semaphore(SENDS_AT_ONCE)
        self._slow = asyncio.Semaphore(SLOW_AT_ONCE)
        self._slow_targets = set[str]()

    def forget(self, target_id: str) -> None:
        """The target is no more, or begins anew."""
        self._slow_targets.discard(target_id)

    @asynccontextmanager
    async def use(self, target_id: str, is_failing: Callable[[], bool]) -> AsyncGenerator[None, None]:
        """Waits for a place for one try. ``is_failing``: whether the target did not take the last event."""

        def is_slow() -> bool:
            return target_id in self._slow_targets or is_failing()

        if not is_slow():
            async with _QuickPlace(self._quick, late=partial(self._slow_targets.add, target_id)):
                if not is_slow():  # it may have become so while this waited
                    yield
                    return
        async with self._slow:
            began_s = asyncio.get_running_loop().time()
            yield
            if asyncio.get_running_loop().time() - began_s < QUICK_S:
                self._slow_targets.discard(target_id)


class _QuickPlace:
    """A place that is given back when its user is done or late. ``late`` is called then."""

    def __init__(self, places: asyncio.Semaphore, late: Callable[[], None]) -> None:
        self._places = places
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._places.acquire()
        self._timer = asyncio.get_running_loop().call_later(QUICK_S, self._give_back_late)

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._places.release()

    def _give_back_late(self) -> None:
        self._timer = None
        self._places.release()
        self._late()
