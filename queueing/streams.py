"""Reads the streams of all partitions: one blocking call on one server, one poller a partition on a cluster."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from queueing.errors import QueueingError, StoreAway, StoreRefused
from queueing.store.store import Store

_POLL_MIN_S: Final = 0.01
_POLL_MAX_S: Final = 0.1
"""A cluster cannot block on keys of many slots; an idle partition costs ten small reads a second."""
_TROUBLE_PAUSE_S: Final = 0.5
"""A partition that cannot be read is tried again after this; the call itself has waited for its shard already."""

Fields: TypeAlias = dict[bytes, bytes]
Entry: TypeAlias = tuple[bytes, Fields]
Raw: TypeAlias = list[Any]
"""One stream entry as the server sends it: id, then a list of field and value in turn (None for a deleted entry)."""


def entry_of(raw: Raw) -> Entry:
    """The same with its fields by name."""
    stream_id, flat = raw
    pairs = flat or []
    return stream_id, dict(zip(pairs[::2], pairs[1::2], strict=True))


def streams_of(raw: Any) -> dict[str, list[Raw]]:
    if raw is None:
        return {}
    named = raw.items() if isinstance(raw, Mapping) else raw
    return {key.decode(): entries for key, entries in named}


def _as_it_came(raw: Any, **_options: Any) -> Any:
    return raw


class StreamReader:
    """Reads many streams of one server; ``read`` waits until there is something or the wait is over. One reader at a
    time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: Redis | None = None

    async def read(self, command: tuple[str | int, ...], ids: Mapping[str, str], wait_ms: int) -> dict[str, list[Raw]]:
        """``command`` is everything of XREAD or XREADGROUP before BLOCK. Raises StoreAway, StoreRefused (NOGROUP)."""
        client = self._blocking_client()
        try:
            raw = await client.execute_command(*command, "BLOCK", max(1, wait_ms), "STREAMS", *ids, *ids.values())  # type: ignore[no-untyped-call]  # untyped upstream
        except ResponseError as error:
            raise StoreRefused(str(error)) from None
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from None
        return streams_of(raw)

    def _blocking_client(self) -> Redis:
        if self._client is None:
            client = self._store.client()
            if not isinstance(client, Redis):
                raise TypeError("a cluster is read partition by partition")
            # Raw replies: the parsing here is the only one.
            for name in ("XREAD", "XREADGROUP"):
                client.set_response_callback(name, _as_it_came)  # type: ignore[arg-type]  # any callable serves
            self._client = client
        return self._client


class PartitionPollers:
    """One poller for each partition of a cluster: a shard that is away or in doubt holds up no other.

    ``read_one`` reads a partition once and returns its entries, or none. Its QueueingErrors belong to that partition:
    it is read again after a pause. Pollers read only while somebody waits in ``wait_for_entries``.
    """

    def __init__(self, partitions: Iterable[str], read_one: Callable[[str], Awaitable[list[Raw]]]) -> None:
        self._read_one = read_one
        self._wanted = asyncio.Event()
        self._found: dict[str, list[Raw]] = {}
        self._arrived = asyncio.Event()
        self._tasks = [asyncio.create_task(self._poll(partition)) for partition in partitions]

    async def wait_for_entries(self, wait_ms: int) -> dict[str, list[Raw]]:
        """Entries by partition, as soon as one has any; nothing when the wait is over."""
        self._wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1000):
                await self._arrived.wait()
        self._wanted.clear()
        self._arrived.clear()
        found, self._found = self._found, {}
        return found

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _poll(self, partition: str) -> None:
        pause_s = _POLL_MIN_S
        while True:
            await self._wanted.wait()
            try:
                entries = await self._read_one(partition)
            except QueueingError:
                await asyncio.sleep(_TROUBLE_PAUSE_S)
                continue
            if entries:
                # One batch a partition and wait: ``wanted`` is cleared when these are fetched.
                self._found.setdefault(partition, []).extend(entries)
                self._arrived.set()
                pause_s = _POLL_MIN_S
            else:
                pause_s = min(_POLL_MAX_S, pause_s * 2)
            await asyncio.sleep(pause_s)
