"""The archive process: writes ticket events into the archive's database, at a lower priority than all other
processes.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from zoneinfo import ZoneInfo

from kiosk.abdm.inbound import read_patient
from kiosk.abdm.note import read_note
from kiosk.archive.audit_chain import Keys
from kiosk.archive.directory import Directory
from kiosk.archive.person_digests import Envelopes, MonthKeys
from kiosk.archive.role import ArchiveRole, Parts
from kiosk.key_upkeep import read_day_keys
from kiosk.runtime.process import give_way
from kiosk.runtime.work_until import work_until
from kiosk.security.keyring_file import KeysOnDisk, KeysUnreadable
from kiosk.services.keys import follow_keys_on
from kiosk.services.process import consumer_name, has_ended, new_archive, new_seal, open_store_on
from kiosk.settings import Settings
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.registry import Registry


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Archive until ``stop``."""
    give_way(scans_first=settings.scans_first)
    async with archive_parts(settings) as parts:
        await work_until(stop, ArchiveRole(parts).run())


def audit_keys(keys_on_disk: KeysOnDisk) -> Keys | None:
    """The keys of the audit's seals as the key ring has them now; None while it cannot be read."""
    try:
        return Keys.of(keys_on_disk.load().audit_keys())
    except KeysUnreadable:
        return None


@asynccontextmanager
async def archive_parts(settings: Settings) -> AsyncIterator[Parts]:
    """Connect to the store, and follow the keys that open envelopes; close all of it at the end."""
    async with AsyncExitStack() as stack:
        store = await open_store_on(stack, settings)
        keys_on_disk, day_keys = KeysOnDisk(settings.data_dir), DayKeys(store)
        ring = keys_on_disk.load_or_create(int(time.time()))
        seal = new_seal(ring, settings)
        await read_day_keys(seal, day_keys)
        await follow_keys_on(stack, seal, day_keys, keys_on_disk)
        database = new_archive(settings)
        stack.callback(database.close)
        zone = ZoneInfo(settings.timezone)
        yield Parts(
            store=store,
            database=database,
            desk=OpdDesk(store, timezone=settings.timezone),
            directory=Directory(Registry(store), zone),
            envelopes=Envelopes(seal, read_patient, lambda note: read_note(note).request_id),
            month_keys=MonthKeys(ring.person_key()),
            name=consumer_name(),
            has_ended=has_ended,
            keep_days=settings.archive_days,
            audit_days=settings.audit_days,
            audit_keys=lambda: audit_keys(keys_on_disk),
            zone=zone,
        )
