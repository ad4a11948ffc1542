"""Keeps the keys of a running process current: the key ring when its file changes, and the keys of each day."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from kiosk.observability import metrics
from kiosk.security.encryption import Seal, SealBroken
from kiosk.security.keyring_file import LOOK_EVERY_S, KeysOnDisk, KeysUnreadable
from queueing.day_keys import DayKeys
from queueing.errors import QueueingError
from tokens import KeyRing

SEAL_REFRESH_S: Final = 900
"""The next day's key is made a day ahead; this also bounds how late an erased day is forgotten in memory."""
ANNOUNCE_S: Final = 2 * LOOK_EVERY_S
"""Each process looks at the key ring within half of this."""
SEAL_AGAIN_S: Final = 5
"""When the store did not answer."""

_log = structlog.get_logger(__name__)


async def follow_ring(
    seal: Seal, day_keys: DayKeys, keys_on_disk: KeysOnDisk, use_ring: Callable[[KeyRing], None]
) -> None:
    """Use each new key ring within seconds, without end."""
    async for ring in keys_on_disk.changes():
        use_ring(ring)
        seal.use(ring.seal_masters(), ring.seal_master_id)
        # Every process has the new day key before any process seals with it.
        await _refresh(seal, day_keys, announce=True)
        await asyncio.sleep(ANNOUNCE_S)
        await _refresh(seal, day_keys)


async def renew_day_keys(seal: Seal, keys: DayKeys, keys_on_disk: KeysOnDisk) -> None:
    """Make each new day's key a day ahead. Erase old keys in the store and in the key ring. Runs without end."""
    refreshed = True
    while True:
        forgotten = await _forget_days(keys_on_disk, seal.retention_s)
        await asyncio.sleep(SEAL_REFRESH_S if forgotten and refreshed else SEAL_AGAIN_S)
        refreshed = await _refresh(seal, keys)


async def _forget_days(keys_on_disk: KeysOnDisk, retention_s: int) -> bool:
    try:
        await asyncio.to_thread(keys_on_disk.forget_days, int(time.time()), retention_s)
    except (KeysUnreadable, OSError) as failure:
        metrics.fell_open("day_keys")
        _log.warning("key_ring_not_renewed", error=type(failure).__name__)
        return False
    return True


async def read_day_keys(seal: Seal, keys: DayKeys) -> None:
    """At the start. Tells the operator if the key ring is another one than before. Raises SealBroken."""
    await seal.refresh(keys)
    if seal.lost_days:  # only in the process that made the new key
        reason = "keyring.json is not the one that sealed these days: restore it, or their profiles stay closed"
        _log.error("profiles_stay_closed", count=len(seal.lost_days), reason=reason)


async def _refresh(seal: Seal, keys: DayKeys, *, announce: bool = False) -> bool:
    try:
        await seal.refresh(keys, announce=announce)
    except (QueueingError, SealBroken) as away:
        # The keys in memory serve until midnight; the next day's key is made a day ahead.
        metrics.fell_open("day_keys")
        _log.warning("day_keys_not_refreshed", error=type(away).__name__)
        return False
    return True
