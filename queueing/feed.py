"""Follows the change hints: which facilities changed. Best effort: a screen only needs the newest state."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Final

from queueing.errors import QueueingError
from queueing.redis_keys import ALL_PARTITIONS, changes_key
from queueing.store.store import Store
from queueing.streams import PartitionPollers, Raw, StreamReader, streams_of

EVERYTHING: Final = "*"
"""Among the changed facilities: changes may have been missed, so read all of them."""
_GATHER_S: Final = 0.05
"""Pause after each read. It bounds the reads on a busy day; a call is shown at most this much later."""
_WAIT_MS: Final = 5_000
_BATCH: Final = 2_000
_TRY_AGAIN_S: Final = 0.5


class Feed:
    """Reads the changes for a whole process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: dict[str, str] = {}
        """Stream -> id of the last change read; a stream that is missing is read from its newest on."""

    def follow(self) -> AsyncGenerator[dict[str, bool], None]:
        """Yields facility key -> whether anything but arrivals happened there since the last yield. Continues by itself
        after the store was away; on a cluster the shards that are there go on.
        """
        return self._follow_cluster() if self._store.is_cluster else self._follow_server()

    async def _follow_server(self) -> AsyncGenerator[dict[str, bool], None]:
        reader = StreamReader(self._store)
        while True:
            try:
                if not self._last:
                    await asyncio.gather(*map(self._begin, map(changes_key, ALL_PARTITIONS)))
                    yield {EVERYTHING: True}
                found = await reader.read(("XREAD", "COUNT", _BATCH), self._last, _WAIT_MS)
                if found:
                    self._last.update((key, entries[-1][0].decode()) for key, entries in found.items())
                    yield _changed(found.values())
                    await asyncio.sleep(_GATHER_S)
            except QueueingError:
                # The streams may be new, with lower ids: start again and report that changes may be missing.
                self._last.clear()
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _follow_cluster(self) -> AsyncGenerator[dict[str, bool], None]:
        pollers = PartitionPollers(ALL_PARTITIONS, self._read_partition)
        try:
            while True:
                if found := await pollers.wait_for_entries(_WAIT_MS):
                    yield _changed(found.values())
                    await asyncio.sleep(_GATHER_S)
        finally:
            await pollers.close()

    async def _read_partition(self, partition: str) -> list[Raw]:
        key = changes_key(partition)
        try:
            if key not in self._last:
                await self._begin(key)
                return [_MISSED]
            reply: Any = await self._store.call(key, "XREAD", "COUNT", _BATCH, "STREAMS", key, self._last[key])
        except QueueingError:
            self._last.pop(key, None)
            raise
        entries: list[Raw] = streams_of(reply).get(key, [])
        if entries:
            self._last[key] = entries[-1][0].decode()
        return entries

    async def _begin(self, key: str) -> None:
        newest: Any = await self._store.call(key, "XREVRANGE", key, "+", "-", "COUNT", 1)
        self._last[key] = newest[0][0].decode() if newest else "0-0"


_MISSED: Final[Raw] = [b"0-0", [b"f", EVERYTHING.encode(), b"k", b""]]
"""Stands for the changes of a partition that could not be read."""


def _changed(streams: Iterable[list[Raw]]) -> dict[str, bool]:
    came, moved = set[bytes](), set[bytes]()
    for entries in streams:
        for _, flat in entries:
            if flat:  # a move has further fields after `f`; arrivals have `f` alone (arrival_hint.lua)
                if flat[-2] == b"f":
                    came.update(flat[1::2])
                else:
                    moved.add(flat[1])
    return {name.decode(): name in moved for name in came | moved}
