"""The relay process: pays what is owed to the gateway, beside the web workers and never in their way."""

import asyncio
import contextlib
import time

from kiosk.abdm.relay import Relay, Verdict
from kiosk.fittings import consumer_name, has_ended, keep_sealing, new_gateway, new_seal, open_settings_store
from kiosk.observability import metrics
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import Settings
from queueing import library
from queueing.day_keys import DayKeys
from queueing.outbox import Outbox


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Pay until ``stop``; with ABDM off there is nothing to pay and it only waits."""
    gateway = new_gateway(settings)
    if gateway is None:
        await stop.wait()
        return
    store = await open_settings_store(settings)
    try:
        await library.prove(store)
        keys = DayKeys(store)
        disk = KeysOnDisk(settings.data_dir)
        seal = new_seal(disk.load_or_create(int(time.time())), settings)
        await seal.refresh(keys)
        outbox = Outbox(store, consumer_name(), has_ended=has_ended)
        followers = [asyncio.create_task(keep_sealing(seal, keys)), asyncio.create_task(_follow_keys(disk, seal, keys))]
        try:
            as_number = settings.gateway_expiry == "number"
            await Relay(outbox, gateway, seal, expiry_as_number=as_number, watch=_count).run(stop)
        finally:
            for task in followers:
                task.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
            await outbox.close()
    finally:
        with contextlib.suppress(Exception):
            await gateway.close()
        await store.close()
        metrics.write_counts()


def _count(verdict: Verdict, seconds: float) -> None:
    metrics.reply_ended(verdict.name.lower(), seconds)


async def _follow_keys(disk: KeysOnDisk, seal: Seal, keys: DayKeys) -> None:
    async for ring in disk.changes():
        seal.use(ring.seal_masters(), ring.seal_master_id)
        await seal.refresh(keys)
