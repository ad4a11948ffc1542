"""Keeps the keys of a running process current: the key ring when its file changes, and the keys of each day."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from kiosk.observability import metrics
from kiosk.observability.clocks import is_synchronized
from kiosk.security.encryption import DAY_S, Seal, SealBroken
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
CLOCK_SEEN_S: Final = 1
"""How soon a clock that was changed by days is noticed."""
CLOCK_MOVED_S: Final = 600
"""More than a time service ever corrects in small steps: somebody set the clock. Also between this clock and the
store's: one of both is wrong."""

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
    """Make each new day's key a day ahead. Erase old keys in the store and in the key ring. Runs without end.

    Nothing is erased before the clock went on undisturbed for ``SEAL_REFRESH_S``, and while its day is not sure: a
    clock that is wrong by days must not close the profiles of people who wait, whether for a moment or for hours.
    """
    since_s, apart_s, was_set = time.monotonic(), _clocks_apart_s(), False
    renewed = True
    while True:
        await _pause(seal, renewed)
        if abs(_clocks_apart_s() - apart_s) > CLOCK_MOVED_S:
            since_s, apart_s, was_set = time.monotonic(), _clocks_apart_s(), True
        steady_s = time.monotonic() - since_s
        erase = steady_s >= SEAL_REFRESH_S
        try:
            seal.day_is_sure = await _is_day_sure(seal, keys, steady_s, was_set=was_set)
        except QueueingError:  # the last answer stands; ``_refresh`` says that the store is away
            erase = False
        renewed = await _renew_ring(seal, keys_on_disk, erase and seal.day_is_sure)
        renewed = renewed and await _refresh(seal, keys, erase=erase)


async def _is_day_sure(seal: Seal, keys: DayKeys, steady_s: float, *, was_set: bool) -> bool:
    """Whether this machine's clock may say that the retention of a day is over. Raises QueueingError.

    Not while the store's clock disagrees. Else a time service makes it sure, or that the clock was steady for the whole
    retention, or that the service ran on the two days before this one and nobody set the clock since it started.
    """
    if abs(time.time() - await keys.time_s()) > CLOCK_MOVED_S:
        return False
    if is_synchronized() or steady_s >= seal.retention_s:
        return True
    today = int(time.time()) // DAY_S
    return not was_set and {today - 1, today - 2} <= seal.days_of(await keys.all())


def _clocks_apart_s() -> float:
    """Changes only when somebody sets the clock, or the machine slept."""
    return time.time() - time.monotonic()


async def _pause(seal: Seal, renewed: bool) -> None:
    """Until the keys are due, or the clock was changed to a day without a key."""
    if not renewed:
        await asyncio.sleep(SEAL_AGAIN_S)
        return
    due_s = time.monotonic() + SEAL_REFRESH_S
    while seal.has_todays_key and time.monotonic() < due_s:  # noqa: ASYNC110  no event tells of a changed clock
        await asyncio.sleep(CLOCK_SEEN_S)


async def _renew_ring(seal: Seal, keys_on_disk: KeysOnDisk, erase: bool) -> bool:
    """Read the key ring, with a master that seals today. ``erase``: it forgets the days whose retention is over."""
    try:
        if erase:
            await asyncio.to_thread(keys_on_disk.forget_days, int(time.time()), seal.retention_s)
        ring = await asyncio.to_thread(keys_on_disk.load_or_create, int(time.time()))
    except (KeysUnreadable, OSError) as failure:
        metrics.fell_open("day_keys")
        _log.warning("key_ring_not_renewed", error=type(failure).__name__)
        return False
    if not seal.has_todays_key:  # ``follow_ring`` takes every other change, once all processes know it
        seal.use(ring.seal_masters(), ring.seal_master_id)
    return True


async def read_day_keys(seal: Seal, keys: DayKeys) -> None:
    """At the start. Tells the operator if the key ring is another one than before. Raises SealBroken, QueueingError."""
    seal.day_is_sure = await _is_day_sure(seal, keys, 0, was_set=False)
    await seal.refresh(keys, erase=False)
    if seal.lost_days:  # only in the process that made the new key
        reason = "keyring.json is not the one that sealed these days: restore it, or their profiles stay closed"
        _log.error("profiles_stay_closed", count=len(seal.lost_days), reason=reason)


async def _refresh(seal: Seal, keys: DayKeys, *, announce: bool = False, erase: bool = False) -> bool:
    try:
        await seal.refresh(keys, announce=announce, erase=erase)
    except (QueueingError, SealBroken) as away:
        # The keys in memory serve on; the next day's key is made a day ahead.
        metrics.fell_open("day_keys")
        _log.warning("day_keys_not_refreshed", error=type(away).__name__)
        return False
    return True
