"""Work that follows the keys beside a role, from its start to its end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from kiosk.key_upkeep import follow_ring, renew_day_keys
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from queueing.day_keys import DayKeys
from tokens import KeyRing


async def follow_keys_on(
    stack: AsyncExitStack,
    seal: Seal,
    day_keys: DayKeys,
    keys_on_disk: KeysOnDisk,
    use_ring: Callable[[KeyRing], None] = lambda _ring: None,
) -> None:
    """Renew the day's keys, and take a rotated key ring within seconds, until the stack ends."""
    run_on(stack, renew_day_keys(seal, day_keys, keys_on_disk))
    run_on(stack, follow_ring(seal, day_keys, keys_on_disk, use_ring))


def run_on(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until the stack ends."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
