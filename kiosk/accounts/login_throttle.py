"""How often somebody may try to sign in: counted in the store, so that workers and machines share one count.

Slow, not locked: a window of fifteen minutes that ends by itself. It falls closed: a store that does not answer lets
nobody in (the ``StoreAway`` passes through). A browser that this login signed in from before has a count of its own, so
a stranger guessing at a login does not keep its owner out.
"""

from kiosk.accounts import redis_keys
from queueing.store.store import Store

WINDOW_S = 15 * 60
PER_LOGIN = 10
PER_ADDRESS = 30
"""A hospital often shares one address; tries that succeed are given back, so a morning's shift change fits."""


class Tries:
    """Fixed windows: INCR, then a time to live if it has none, so a crash between the two mends at the next try."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, kind: str, who: str, most: int) -> int:
        """Count one try. 0: go ahead; otherwise the seconds until it helps to try again."""
        key = redis_keys.tries(kind, who)
        count = await self._store.call(key, "INCR", key)
        await self._store.call(key, "EXPIRE", key, WINDOW_S, "NX")
        if isinstance(count, int) and count <= most:
            return 0
        left = await self._store.call(key, "TTL", key)
        return max(1, left) if isinstance(left, int) else WINDOW_S

    async def give_back(self, kind: str, who: str) -> None:
        """A try that was honest does not count."""
        key = redis_keys.tries(kind, who)
        await self._store.call(key, "DECR", key)
        await self._store.call(key, "EXPIRE", key, WINDOW_S, "NX")

    async def forget(self, kind: str, who: str) -> None:
        key = redis_keys.tries(kind, who)
        await self._store.call(key, "DEL", key)
