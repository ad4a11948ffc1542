"""Tells the screens where people came: a hint a facility, gathered over a moment.

A hint is best effort and off the scan's path: the call to the store that gives a place does not write it. One that is
lost costs a screen half a minute at most (``kiosk.live.hub``).
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final

from queueing import library
from queueing.errors import QueueingError
from queueing.redis_keys import partition_of
from queueing.store.store import Store

GATHER_S: Final = 0.05
"""A phone shows its number at once; a board shows the longer line this much later."""
AT_ONCE: Final = 100
"""Facilities named by one call."""


class ArrivalHints:
    """Gathers the hints of one worker."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._roots: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()

    def note(self, root: str) -> None:
        """Somebody came to the facility with this root."""
        if not self._roots:
            task = asyncio.create_task(self._send_soon())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        self._roots.add(root)

    async def _send_soon(self) -> None:
        await asyncio.sleep(GATHER_S)
        by_partition: dict[str, list[str]] = defaultdict(list)
        for root in self._roots:
            partition = partition_of(root)
            # Without slots, one call in any partition tells all: a reader of hints reads every partition.
            by_partition["" if self._store.spans else partition].append(root)
        self._roots.clear()
        calls = (roots[at : at + AT_ONCE] for roots in by_partition.values() for at in range(0, len(roots), AT_ONCE))
        await asyncio.gather(*map(self._send, calls))

    async def _send(self, roots: list[str]) -> None:
        with suppress(QueueingError):
            names = (root.partition(":")[2] for root in roots)
            await library.call(self._store, "arrival_hint", partition_of(roots[0]), *names)
