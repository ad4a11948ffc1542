"""Stores the wrapped sealing key of each day, so that every process of a service seals and opens alike.

Queueing cannot unwrap these keys. Deleting the key of a day erases the day: nothing sealed with it can be opened again,
in any copy.
"""

from typing import Final

from queueing.store.store import Store, store_time_s

_KEY: Final = "{daykeys}"


class DayKeys:
    """One wrapped key for each UTC day, by day number since 1970."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def offer(self, day: int, wrapped: bytes) -> bool:
        """Store this key for the day. False: another process was first. Durable when it returns."""
        is_first = await self._store.call(_KEY, "HSETNX", _KEY, day, wrapped)
        await self._store.durable(_KEY)
        return bool(is_first)

    async def all(self) -> dict[int, bytes]:
        """Every day's wrapped key."""
        flat = await self._store.call(_KEY, "HGETALL", _KEY)
        pairs = flat if isinstance(flat, list) else []
        return {int(day): wrapped for day, wrapped in zip(pairs[::2], pairs[1::2], strict=True)}

    async def time_s(self) -> float:
        """The store's clock, unix seconds: a second opinion about the day."""
        return await store_time_s(self._store)

    async def erase(self, days: list[int]) -> None:
        """Forget these days' keys for ever."""
        if days:
            await self._store.call(_KEY, "HDEL", _KEY, *days)
