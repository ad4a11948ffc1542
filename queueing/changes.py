"""Which facilities changed, for those in one process who wait for a change or remember what they read.

Fed by the one reader of change hints (``queueing.feed``). A hint may be lost with the process that was to send it, so
what is remembered must end by itself as well.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from queueing.feed import EVERYTHING

WAKE_AT_ONCE: Final = 128
"""Waiters woken before other work has its turn: each then reads from the store."""

Version = tuple[int, int]
"""How often everything changed, and how often this facility did."""


class Changes:
    """Counts the changes of each facility and wakes those who wait for one. Facilities are named by their keys."""

    def __init__(self) -> None:
        self._everything = 0
        self._counts: Counter[str] = Counter()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self.closed = False

    def version(self, key: str) -> Version:
        """Another one after each change of this facility."""
        return self._everything, self._counts[key]

    async def wait(self, key: str, seen: Version, timeout_s: float) -> bool:
        """Return when the facility's version is not ``seen``: True; or when the time is over or nobody may wait any
        more (``closed``): False.
        """
        if self.version(key) != seen or self.closed:
            return self.version(key) != seen
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, set()).add(waiter)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter, timeout_s)
        finally:
            self._forget(key, waiter)
        return self.version(key) != seen

    async def announce(self, changed: Iterable[str]) -> None:
        """These facilities changed; ``EVERYTHING`` among them: any may have."""
        names = list(changed)
        if EVERYTHING in names:
            self._everything += 1
            self._counts.clear()
            names = list(self._waiting)
        else:
            self._counts.update(names)
        await self._wake(names)

    async def close(self) -> None:
        """Wake all; nobody waits any more."""
        self.closed = True
        await self._wake(list(self._waiting))

    async def _wake(self, names: Iterable[str]) -> None:
        waiters = [waiter for name in names for waiter in self._waiting.get(name, ())]
        for number, waiter in enumerate(waiters, 1):
            if not waiter.done():
                waiter.set_result(None)
            if number % WAKE_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _forget(self, key: str, waiter: "asyncio.Future[None]") -> None:
        waiters = self._waiting.get(key, set())
        waiters.discard(waiter)
        if not waiters:
            self._waiting.pop(key, None)
