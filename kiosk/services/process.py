"""What every process of ours needs: the store, the keys, and the archive's database.

Commands and all roles import this file when they start, so it imports nothing that only the web role needs.
"""

import contextlib
import os
import socket
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from kiosk.security.encryption import Seal
from kiosk.settings import Settings
from kiosk.settings.values import is_loopback
from queueing import library
from queueing.embedded.data_folder import folder_url, start_time_of
from queueing.errors import StoreAway
from queueing.store.address import parse_store_url
from queueing.store.store import Store, open_store
from tokens import KeyRing

if TYPE_CHECKING:
    from kiosk.archive.database import Database


def new_seal(ring: KeyRing, settings: Settings) -> Seal:
    """A seal with this ring's master keys."""
    return Seal(
        ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=settings.retention_h
    )


def new_archive(settings: Settings) -> "Database":
    """The archive's database. Nothing is connected yet."""
    # Imported here: a relay needs no database, and the library takes twenty megabytes.
    from kiosk.archive.database import Database, default_url

    return Database(settings.archive_url or default_url(settings.data_dir))


def store_url(settings: Settings) -> str:
    """Where the store is: the address that was set, or the embedded server's socket in the data folder."""
    return settings.redis_url or folder_url(settings.data_dir)


def store_place(settings: Settings) -> str:
    """Where a store with a clock of its own is, for an operator; empty when it is on this machine."""
    if not settings.redis_url:
        return ""
    first = parse_store_url(settings.redis_url).seeds[0]
    return "" if first.path or is_loopback(first.host) else first.where


async def open_settings_store(settings: Settings) -> Store:
    """The store of these settings. Raises StoreAway after five seconds, StoreUnsuitable at once."""
    return await open_store(store_url(settings), vouched=settings.store_vouched, may_go_alone=settings.store_alone)


async def open_store_on(stack: AsyncExitStack, settings: Settings) -> Store:
    """The store with the functions of this release on it."""
    store = await open_settings_store(settings)
    stack.push_async_callback(store.close)
    await library.prove(store)
    return store


async def prove_store(settings: Settings) -> None:
    """Whether the store can serve us. Asked once, before processes start that would each fail on it.

    Raises StoreUnsuitable. A store that is away may come back: each process waits for it by itself.
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
