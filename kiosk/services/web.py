"""The parts of one web worker, made when it starts and closed when it ends.

Rooms get parts by name (dependencies of the application). Raw endpoints and guards get all services from the
application (``kiosk.web.handover``).
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from kiosk.abdm.authentication import Authenticator
from kiosk.abdm.callers import Callers
from kiosk.abdm.client import Gateway
from kiosk.abdm.connection_watch import ConnectionWatch
from kiosk.abdm.inbound import read_patient
from kiosk.abdm.jwks import KeySet
from kiosk.accounts.service import Staff
from kiosk.api.parts import ApiParts, api_parts
from kiosk.checkin import CheckIn
from kiosk.exchange.addresses import Resolver
from kiosk.exchange.hospital_numbers import NumberSeal
from kiosk.key_upkeep import read_day_keys
from kiosk.live.hub import Hub
from kiosk.live.polling import PollLimits, Polls
from kiosk.live.stream_limits import StreamLimits
from kiosk.posters.drawing import PosterPictures
from kiosk.posters.slip_printer import SlipPrinting
from kiosk.security.encryption import LastingSeal, Seal
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.keys import follow_keys_on, run_on
from kiosk.services.process import consumer_name, new_archive, new_seal, open_store_on, store_place
from kiosk.services.relay import gateway_on
from kiosk.settings import Settings
from kiosk.settings.table import KNOWN_ISSUERS
from kiosk.voice.clips import Clips
from kiosk.web.client_address import Network, networks_of
from queueing.announcements import Announcements
from queueing.audit import Audit
from queueing.corrected_sentences import CorrectedSentences
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.desks import Desks
from queueing.feed import Feed
from queueing.last_changes import LastChanges
from queueing.links import Links
from queueing.outbox import Outbox
from queueing.person_records import PersonRecords
from queueing.place_search import PlaceSearch
from queueing.push_phones import PushPhones
from queueing.registry import Registry
from queueing.screens import Screens
from queueing.slip_printers import SlipPrinters
from queueing.store.store import Store
from queueing.targets import Targets
from tokens import CameraLinks, CounterCodes, KeyRing, TicketLinks
from tokens.push_keys import PushKeys

if TYPE_CHECKING:
    from kiosk.archive.database import Database


class PublicKeys:
    """The public keys of the ring in use, as others fetch them."""

    def __init__(self, ring: KeyRing) -> None:
        self.jwks = ring.jwks()

    def use(self, ring: KeyRing) -> None:
        """Show the keys of this ring from now on."""
        self.jwks = ring.jwks()


class Signers(Struct, frozen=True, kw_only=True):
    """What signs and reads codes and links. All of them take a rotated key ring at once."""

    ring: KeyRing
    """The ring of the start. Its key of persons never changes."""
    counter_codes: CounterCodes
    ticket_links: TicketLinks
    camera_links: CameraLinks
    public_keys: PublicKeys
    push_keys: PushKeys

    def use(self, ring: KeyRing) -> None:
        """Sign and read with this ring from now on."""
        for signer in (self.counter_codes, self.ticket_links, self.camera_links, self.public_keys, self.push_keys):
            signer.use(ring)


class Services(Struct, frozen=True, kw_only=True):
    """The parts of one web worker. ``web_services`` makes it; every part works."""

    settings: Settings
    store: Store
    registry: Registry
    screens: Screens
    slip_printers: SlipPrinters
    slip_printing: SlipPrinting
    poster_pictures: PosterPictures
    addresses: Resolver
    """Which printers may be reached."""
    announcements: Announcements
    last_changes: LastChanges
    corrected_sentences: CorrectedSentences
    clips: Clips
    audit: Audit
    person_records: PersonRecords
    links: Links
    place_search: PlaceSearch
    push_phones: PushPhones
    number_seal: NumberSeal
    desk: OpdDesk
    desks: Desks
    outbox: Outbox
    hub: Hub
    day_keys: DayKeys
    seal: Seal
    keys_on_disk: KeysOnDisk
    signers: Signers
    check_in: CheckIn
    staff: Staff
    gateway: Gateway | None
    authenticator: Authenticator
    callers: Callers
    connection: ConnectionWatch
    gateway_addresses: tuple[Network, ...]
    """Networks that the gateway calls from; empty: any."""
    trusted_proxies: tuple[Network, ...]
    """Proxies that name the caller in ``X-Forwarded-For``."""
    ops_addresses: tuple[Network, ...]
    """Networks that see operators' pages."""
    stream_limits: StreamLimits
    archive: "Database"
    """What happened, for pages to read. It connects when it is first asked."""
    polls: Polls
    poll_limits: PollLimits
    targets: Targets
    """Webhooks and HL7 receivers."""
    target_seal: LastingSeal
    """Seals their secrets."""
    api: ApiParts

    @property
    def cm_id(self) -> str:
        """The consent manager whose messages we take."""
        return self.settings.cm_id

    @property
    def aliases(self) -> dict[str, str]:
        """Further HIP ids of facilities, and the ids they lead to."""
        return self.connection.aliases

    @property
    def counter_codes(self) -> CounterCodes:
        return self.signers.counter_codes

    @property
    def ticket_links(self) -> TicketLinks:
        return self.signers.ticket_links

    @property
    def camera_links(self) -> CameraLinks:
        return self.signers.camera_links


@asynccontextmanager
async def web_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect, load the functions, make every part, and follow the keys; close all of it at the end."""
    async with AsyncExitStack() as stack:
        keys_on_disk = KeysOnDisk(settings.data_dir)
        signers = _new_signers(keys_on_disk.load_or_create(int(time.time())), settings)
        store = await open_store_on(stack, settings)
        gateway = await gateway_on(stack, settings)
        second_factors = LastingSeal(signers.ring.second_factor_key())
        staff = Staff(store, seal=second_factors)
        staff.sessions.end_before(signers.ring.sessions_from_s)
        stack.callback(staff.close)
        target_secrets = LastingSeal(signers.ring.target_secret_key())
        services = _new_services(settings, store, keys_on_disk, signers, gateway, staff, target_secrets)
        stack.callback(services.archive.close)
        stack.callback(services.addresses.close)
        stack.push_async_callback(services.slip_printing.close)
        services.hub.start()
        stack.push_async_callback(services.hub.close)
        await read_day_keys(services.seal, services.day_keys)

        def use_ring(ring: KeyRing) -> None:
            signers.use(ring)
            second_factors.use(ring.second_factor_key())
            target_secrets.use(ring.target_secret_key())
            staff.sessions.end_before(ring.sessions_from_s)

        await follow_keys_on(stack, services.seal, services.day_keys, keys_on_disk, use_ring)
        run_on(stack, services.connection.follow_aliases())
        run_on(stack, services.connection.watch_clocks())
        if gateway is not None:
            run_on(stack, services.connection.publish())
        yield services


def _new_services(
    settings: Settings, store: Store, keys_on_disk: KeysOnDisk, signers: Signers, gateway: Gateway | None, staff: Staff,
    target_seal: LastingSeal,
) -> Services:  # fmt: skip
    """Every part from what was opened before; nothing is connected or started here."""
    desk = OpdDesk(
        store,
        timezone=settings.timezone,
        facility_rate=settings.facility_rate,
        facility_burst=settings.facility_burst,
    )
    hub, archive = Hub(Feed(store), desk), new_archive(settings)
    seal = new_seal(signers.ring, settings)
    number_seal = NumberSeal(seal, signers.ring.person_key())
    check_in = CheckIn(
        desk,
        signers.counter_codes,
        seal,
        person_key=signers.ring.person_key(),
        read_patient=read_patient,
        now_s=time.time,
    )
    key_set, callers = KeySet(gateway.certs, settings.data_dir) if gateway else None, Callers()
    return Services(
        settings=settings,
        store=store,
        registry=Registry(store),
        screens=Screens(store),
        slip_printers=SlipPrinters(store),
        slip_printing=SlipPrinting(),
        poster_pictures=PosterPictures(),
        addresses=Resolver(private_allowed=settings.private_targets),
        announcements=Announcements(store),
        last_changes=LastChanges(store),
        corrected_sentences=CorrectedSentences(store),
        clips=Clips(settings.data_dir),
        audit=Audit(store),
        person_records=PersonRecords(store),
        links=Links(store),
        place_search=PlaceSearch(store),
        push_phones=PushPhones(store),
        number_seal=number_seal,
        desk=desk,
        desks=Desks(store),
        outbox=Outbox(store, consumer_name()),
        hub=hub,
        polls=Polls(hub, desk),
        poll_limits=PollLimits(),
        day_keys=DayKeys(store),
        seal=seal,
        keys_on_disk=keys_on_disk,
        signers=signers,
        check_in=check_in,
        staff=staff,
        gateway=gateway,
        authenticator=_new_authenticator(settings, gateway, key_set),
        callers=callers,
        connection=_new_connection_watch(settings, store, gateway, key_set, callers),
        gateway_addresses=networks_of(settings.gateway_addresses),
        trusted_proxies=networks_of(settings.trusted_proxies),
        ops_addresses=networks_of(settings.ops_addresses),
        stream_limits=StreamLimits(),
        targets=Targets(store),
        target_seal=target_seal,
        archive=archive,
        api=api_parts(store, desk, archive, hub.changes, number_seal),
    )


def _new_connection_watch(
    settings: Settings, store: Store, gateway: Gateway | None, key_set: KeySet | None, callers: Callers
) -> ConnectionWatch:
    return ConnectionWatch(
        store,
        consumer_name(),
        gateway,
        key_set,
        callers,
        public_url=settings.public_url,
        store_place=store_place(settings),
    )


def _new_authenticator(settings: Settings, gateway: Gateway | None, key_set: KeySet | None) -> Authenticator:
    def own_issuer() -> str:
        """Of the access token that the gateway gave us. An operator who named issuers means these alone."""
        return gateway.token.issuer if gateway and settings.gateway_issuers == KNOWN_ISSUERS else ""

    return Authenticator(
        key_set,
        issuers=settings.gateway_issuers,
        audience=settings.gateway_audience,
        azps=settings.gateway_azps,
        age_max_s=settings.gateway_token_age_max,
        late=settings.gateway_late_deliveries,
        own_issuer=own_issuer,
    )


def _new_signers(ring: KeyRing, settings: Settings) -> Signers:
    return Signers(
        ring=ring,
        counter_codes=CounterCodes(ring),
        ticket_links=TicketLinks(ring, audience=settings.public_url),
        camera_links=CameraLinks(ring, audience=settings.public_url),
        public_keys=PublicKeys(ring),
        push_keys=PushKeys(ring, contact=settings.push_contact),
    )
