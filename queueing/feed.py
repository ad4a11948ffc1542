"""Follows the change hints: which facilities changed. Best effort: a screen only needs the newest state."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from queueing.errors import QueueingError
from queueing.redis_keys import ALL_PARTITIONS, changes_key
from queueing.store.store import Store
from queueing.streams import StreamReader

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

    async def follow(self) -> AsyncGenerator[dict[str, bool], None]:
        """Yields facility key -> whether anything but arrivals happened there since the last yield. Continues by itself
        after the store was away.
        """
        reader = StreamReader(self._store)
        last: dict[str, str] = {}
        while True:
            try:
                if not last:
                    last = await self._newest()
                    yield {EVERYTHING: True}
                changed = await self._changed(reader, last, _WAIT_MS)
                if changed:
                    yield changed
                    await asyncio.sleep(_GATHER_S)
            except QueueingError:
                # The streams may be new, with lower ids: start again and report that changes may be missing.
                last = {}
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _newest(self) -> dict[str, str]:
        keys = [changes_key(partition) for partition in ALL_PARTITIONS]
        replies: list[Any] = await asyncio.gather(
            *(self._store.call(key, "XREVRANGE", key, "+", "-", "COUNT", 1) for key in keys)
        )
        return {key: reply[0][0].decode() if reply else "0-0" for key, reply in zip(keys, replies, strict=True)}

    async def _changed(self, reader: StreamReader, last: dict[str, str], wait_ms: int) -> dict[str, bool]:
        found = await reader.read(("XREAD", "COUNT", _BATCH), last, wait_ms)
        came, moved = set[bytes](), set[bytes]()
        for key, entries in found.items():
            last[key] = entries[-1][0].decode()
            for _, flat in entries:
                if flat:  # a move has further fields after `f`; arrivals have `f` alone (arrival_hint.lua)
                    if flat[-2] == b"f":
                        came.update(flat[1::2])
                    else:
                        moved.add(flat[1])
        return {name.decode(): name in moved for name in came | moved}
