"""Everything the rooms share in one web worker: made when the worker starts, closed when it ends.

Rooms ask for what they need by name (dependencies of the application); raw ASGI routes get the services itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

from kiosk.abdm.authentication import Gatekeeper
from kiosk.abdm.callers import Callers
from kiosk.abdm.client import Gateway
from kiosk.abdm.inbound import read_patient
from kiosk.abdm.jwks import KeySet
from kiosk.accounts.service import Staff
from kiosk.checkin import CheckIn
from kiosk.fittings import consumer_name, keep_sealing, new_gateway, new_seal, open_settings_store
from kiosk.live.hub import Hub
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import Settings
from kiosk.settings.table import KNOWN_ISSUERS
from queueing import library
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.feed import Feed
from queueing.outbox import Outbox
from queueing.registry import Registry
from queueing.store.store import Store
from tokens import CameraLinks, CounterCodes, KeyRing, TicketLinks


class Services:
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
        self.gateway_addresses = tuple(ip_network(network) for network in settings.gateway_addresses)
        self.callers = Callers()
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
    async def open(self) -> AsyncIterator["Services"]:
        """Connect, load the functions, bring the day's keys; and let go of all of it at the end."""
        self.store = await open_settings_store(self.settings)
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
            age_max_s=settings.gateway_token_age_max,
            late=settings.gateway_late_deliveries,
            own_issuer=self._issuer_of_own_token,
        )

    def _issuer_of_own_token(self) -> str:
        """Of the access token that the gateway gave us. An operator who named issuers means these alone."""
        own = self.gateway is not None and self.settings.gateway_issuers == KNOWN_ISSUERS
        return self.gateway.token.issuer if own and self.gateway else ""

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
