"""Everything the rooms share in one web worker: made when the worker starts, closed when it ends.

Rooms ask for what they need by name (dependencies of the application); raw ASGI routes get the house itself.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from kiosk.abdm.gatekeeper import Gatekeeper
from kiosk.abdm.gateway import Gateway
from kiosk.abdm.keyset import KeySet
from kiosk.abdm.reading import read_patient
from kiosk.checkin import CheckIn
from kiosk.console.staff import Staff
from kiosk.keys_on_disk import KeysOnDisk
from kiosk.live.hub import Hub
from kiosk.sealed import Seal
from kiosk.settings import Settings
from queueing import library
from queueing.daykeys import DayKeys
from queueing.desk import OpdDesk
from queueing.embedded import folder_url
from queueing.errors import QueueingError
from queueing.feed import Feed
from queueing.outbox import Outbox
from queueing.registry import Registry
from queueing.store import Store, open_store
from tokens import CameraLinks, CounterCodes, KeyRing, TicketLinks

SEAL_REFRESH_S: Final = 900
"""The next day's key is made a day ahead; this also bounds how late an erased day is forgotten in memory."""
SEAL_AGAIN_S: Final = 5


class House:
    """One worker's parts. Use as ``async with House(settings):``; nothing here works before."""

    store: Store
    registry: Registry
    desk: OpdDesk
    outbox: Outbox
    hub: Hub
    seal: Seal
    check_in: CheckIn
    staff: Staff
    gatekeeper: Gatekeeper
    gateway: Gateway | None
    ring: KeyRing

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cm_id = settings.cm_id
        self._keys = KeysOnDisk(settings.data_dir)
        self.ring = self._keys.load_or_create(int(time.time()))
        self.counter_codes = CounterCodes(self.ring)
        self.ticket_links = TicketLinks(self.ring, audience=settings.public_url)
        self.camera_links = CameraLinks(self.ring, audience=settings.public_url)
        self._jwks = self.ring.jwks()

    def jwks(self) -> bytes:
        """Public keys of the ring in hand."""
        return self._jwks

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        """Connect, load the functions, bring the day's keys; and let go of all of it at the end."""
        self.store = await open_store(store_url(self.settings))
        try:
            await library.load(self.store)
            self._furnish()
            self._day_keys = DayKeys(self.store)
            await self.seal.refresh(self._day_keys)
            async with self._followed():
                yield self
        finally:
            await self._leave()

    def _furnish(self) -> None:
        settings = self.settings
        self.registry = Registry(self.store)
        self.desk = OpdDesk(
            self.store,
            timezone=settings.timezone,
            facility_rate=settings.facility_rate,
            facility_burst=settings.facility_burst,
        )
        self.outbox = Outbox(self.store, consumer_name())
        self.seal = new_seal(self.ring, settings)
        self.check_in = CheckIn(
            self.desk,
            self.counter_codes,
            self.seal,
            person_key=self.ring.person_key(),
            read_patient=read_patient,
            now_s=time.time,
        )
        self.staff = Staff(self.store)
        self.hub = Hub(Feed(self.store), self.desk)
        self.gateway = new_gateway(settings)
        key_set = KeySet(self.gateway.certs, settings.data_dir) if self.gateway else None
        self.gatekeeper = Gatekeeper(
            key_set,
            issuers=settings.gateway_issuers,
            audience=settings.gateway_audience,
            azps=settings.gateway_azps,
        )

    @asynccontextmanager
    async def _followed(self) -> AsyncIterator[None]:
        self.hub.start()
        tasks = [asyncio.create_task(self._follow_keys()), asyncio.create_task(keep_sealing(self.seal, self._day_keys))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.hub.close()

    async def _leave(self) -> None:
        if getattr(self, "gateway", None) is not None:
            await self.gateway.close()  # type: ignore[union-attr]  # just looked at
        if hasattr(self, "staff"):
            self.staff.close()
        await self.store.close()

    async def _follow_keys(self) -> None:
        """Take a rotated key ring within seconds, without a restart."""
        async for ring in self._keys.changes():
            self.ring, self._jwks = ring, ring.jwks()
            for part in (self.counter_codes, self.ticket_links, self.camera_links):
                part.use(ring)
            self.seal.use(ring.seal_masters(), ring.seal_master_id)


def store_url(settings: Settings) -> str:
    """Where the store is: the address that was set, or the embedded server's socket in the data folder."""
    return settings.redis_url or folder_url(settings.data_dir)


def consumer_name() -> str:
    """Names one process to the outbox: two machines, or two processes of one, never share a name."""
    return f"{socket.gethostname()}-{os.getpid()}"


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
    while True:
        await asyncio.sleep(SEAL_REFRESH_S)
        with contextlib.suppress(QueueingError):
            await seal.refresh(keys)
