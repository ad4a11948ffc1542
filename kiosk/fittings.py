"""What the web and the relay role both have: the way to the store and to the gateway, a name at the outbox, a seal."""

import asyncio
import contextlib
import os
import socket
import time
from typing import Final

import structlog

from kiosk.abdm.client import Gateway
from kiosk.observability import metrics
from kiosk.security.encryption import Seal
from kiosk.settings import Settings
from queueing import library
from queueing.day_keys import DayKeys
from queueing.embedded.data_folder import folder_url, start_time_of
from queueing.errors import QueueingError, StoreAway
from queueing.store.store import Store, open_store
from tokens import KeyRing

_log = structlog.get_logger(__name__)

SEAL_REFRESH_S: Final = 900
"""The next day's key is made a day ahead; this also bounds how late an erased day is forgotten in memory."""
SEAL_AGAIN_S: Final = 5
"""When the store did not answer."""


def store_url(settings: Settings) -> str:
    """Where the store is: the address that was set, or the embedded server's socket in the data folder."""
    return settings.redis_url or folder_url(settings.data_dir)


async def open_settings_store(settings: Settings) -> Store:
    """The store of these settings. Raises StoreAway after five seconds, StoreUnsuitable at once."""
    return await open_store(store_url(settings), vouched=settings.store_vouched)


async def prove_store(settings: Settings) -> None:
    """Whether it can serve us at all, asked once before processes are started that would die of it again and again.

    Raises StoreUnsuitable. A store that is away may come yet: each process waits for it by itself.
    """
    try:
        store = await open_settings_store(settings)
    except StoreAway:
        return
    try:
        with contextlib.suppress(StoreAway):
            await library.prove(store)
    finally:
        await store.close()


def consumer_name() -> str:
    """Names one process to the outbox: two machines, or two processes of one, never share a name."""
    return f"{socket.gethostname()}-{os.getpid()}"


def has_ended(consumer: str) -> bool:
    """Whether a process of this name ran on this machine and is gone."""
    host, _, pid = consumer.rpartition("-")
    return host == socket.gethostname() and pid.isdecimal() and not start_time_of(int(pid))


def new_seal(ring: KeyRing, settings: Settings) -> Seal:
    """A seal with this ring's master keys."""
    return Seal(
        ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=settings.retention_h
    )


def new_gateway(settings: Settings) -> Gateway | None:
    """Our calls to the gateway; None while ABDM is off."""
    if not settings.gateway_client_id or not settings.gateway_client_secret:
        return None
    return Gateway(
        settings.gateway_url,
        client_id=settings.gateway_client_id,
        client_secret=settings.gateway_client_secret,
        cm_id=settings.cm_id,
    )


async def keep_sealing(seal: Seal, keys: DayKeys) -> None:
    """Bring each new day's key long before the day, and erase what is over."""
    wait_s = SEAL_REFRESH_S
    while True:
        await asyncio.sleep(wait_s)
        wait_s = SEAL_AGAIN_S
        try:
            await seal.refresh(keys)
        except QueueingError as away:
            # The keys in memory serve until midnight; the next day's key is made a day ahead.
            metrics.fell_open("day_keys")
            _log.warning("day_keys_not_refreshed", error=type(away).__name__)
        else:
            wait_s = SEAL_REFRESH_S
