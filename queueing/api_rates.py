"""Requests of API keys, counted in the store for all workers of all machines."""

from typing import Final

from msgspec import Struct

from queueing import library
from queueing.redis_keys import STAFF_SLOT as SLOT
from queueing.store.store import Store

MS: Final = 1000


class RateWindow(Struct, frozen=True, kw_only=True):
    """What the store has counted of a key; times in seconds."""

    taken: bool
    """Whether the call took what it asked for."""
    before: int
    """Requests of the window before this one."""
    before_left_s: float
    """For how long these count still, less and less."""
    count: int
    """Requests of this window."""
    left_s: float
    """Until this window ends."""


class ApiRates:
    """Takes parts of rates. Raises ``QueueingError`` when the store cannot answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, key_id: str, most: int, window_s: int, amount: int) -> RateWindow:
        """Take ``amount`` requests of this key's window, all or none, when it has at most ``most`` then."""
        taken, before, before_ms, count, left_ms = await library.call(
            self._store, "api_rate", SLOT, key_id, most, window_s * MS, amount
        )
        return RateWindow(
            taken=bool(taken), before=before, before_left_s=before_ms / MS, count=count, left_s=left_ms / MS
        )
