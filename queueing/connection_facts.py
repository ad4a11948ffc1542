"""What each process knows of the connection to the gateway, kept so that every process can tell it.

The facts are packed by their owner and never read here. Each process writes its own field of one hash about once a
minute. Fields of processes that ended are dropped by readers after a day.
"""

from typing import Any, Final

from queueing.redis_keys import CONNECTION_KEY
from queueing.store.store import Store

KEEP_S: Final = 172_800
"""The hash goes two days after the last process wrote: nothing older says anything about the connection."""
FIELDS_MAX: Final = 500
"""Processes read: a state has some dozens, and restarts leave some behind."""


async def write_facts(store: Store, process: str, packed: bytes) -> None:
    """Replace what this process said before."""
    await store.call(CONNECTION_KEY, "HSET", CONNECTION_KEY, process, packed)
    await store.call(CONNECTION_KEY, "EXPIRE", CONNECTION_KEY, KEEP_S)


async def read_facts(store: Store) -> dict[str, bytes]:
    """What each process said last, by process."""
    flat: Any = await store.call(CONNECTION_KEY, "HGETALL", CONNECTION_KEY)
    pairs = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
    return {process.decode(): packed for process, packed in list(pairs)[:FIELDS_MAX]}


async def drop_facts(store: Store, processes: list[str]) -> None:
    """Forget processes that ended long ago."""
    if processes:
        await store.call(CONNECTION_KEY, "HDEL", CONNECTION_KEY, *processes)
