"""The parts of one relay, and the client by which relay and web role call the gateway."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from kiosk.abdm.client import Gateway
from kiosk.abdm.connection_watch import ConnectionWatch
from kiosk.key_upkeep import read_day_keys
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.keys import follow_keys_on, run_on
from kiosk.services.process import consumer_name, has_ended, new_seal, open_store_on
from kiosk.settings import Settings
from queueing.day_keys import DayKeys
from queueing.outbox import Outbox


class RelayServices(Struct, frozen=True, kw_only=True):
    """The parts of one relay."""

    outbox: Outbox
    gateway: Gateway
    seal: Seal
    connection: ConnectionWatch


@asynccontextmanager
async def relay_services(settings: Settings) -> AsyncIterator[RelayServices | None]:
    """The parts of a relay, or None while ABDM is off."""
    async with AsyncExitStack() as stack:
        gateway = await gateway_on(stack, settings)
        if gateway is None:
            yield None
            return
        store = await open_store_on(stack, settings)
        keys_on_disk, day_keys = KeysOnDisk(settings.data_dir), DayKeys(store)
        seal = new_seal(keys_on_disk.load_or_create(int(time.time())), settings)
        await read_day_keys(seal, day_keys)
        outbox = Outbox(store, consumer_name(), has_ended=has_ended)
        stack.push_async_callback(outbox.close)
        await follow_keys_on(stack, seal, day_keys, keys_on_disk)
        connection = ConnectionWatch(store, f"relay-{consumer_name()}", gateway)
        run_on(stack, connection.publish())
        yield RelayServices(outbox=outbox, gateway=gateway, seal=seal, connection=connection)


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


async def gateway_on(stack: AsyncExitStack, settings: Settings) -> Gateway | None:
    """The same, closed when the stack ends."""
    gateway = new_gateway(settings)
    if gateway is not None:
        stack.push_async_callback(gateway.close)
    return gateway
