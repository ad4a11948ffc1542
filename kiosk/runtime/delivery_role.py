"""The delivery process: sends ticket events to webhooks and HL7 receivers, in a process that gives way to scans."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec

from kiosk.abdm.inbound import read_patient
from kiosk.delivery.bodies import Bodies, Facilities
from kiosk.delivery.event_tickets import EventTickets
from kiosk.delivery.phone_alarms import PhoneAlarms
from kiosk.delivery.pinned_clients import PinnedClients
from kiosk.delivery.push_sender import PushSender
from kiosk.delivery.role import DeliveryRole, RoleParts
from kiosk.delivery.senders import Senders
from kiosk.exchange.addresses import Resolver
from kiosk.exchange.hospital_numbers import NumberSeal
from kiosk.exchange.push_subscription import open_subscription
from kiosk.key_upkeep import read_day_keys
from kiosk.observability import metrics
from kiosk.patient.envelope import ENVELOPE_PURPOSE, unpack_envelope
from kiosk.patient.person import Patient
from kiosk.runtime.process import give_way
from kiosk.runtime.work_until import work_until
from kiosk.security.encryption import LastingSeal, Seal, SealBroken
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.keys import follow_keys_on
from kiosk.services.process import consumer_name, has_ended, new_archive, new_seal, open_store_on
from kiosk.settings import Settings
from queueing.audit import Audit
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.errors import StoreAway
from queueing.event_log import Event, EventLog
from queueing.links import Links
from queueing.models import Ticket
from queueing.push_phones import PushPhones
from queueing.redis_keys import facility_key
from queueing.registry import Registry
from queueing.store.store import Store
from queueing.targets import Target, Targets
from tokens import KeyRing
from tokens.push_keys import PushKeys


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Deliver until ``stop``."""
    give_way(scans_first=settings.scans_first)
    async with role_parts(settings) as parts:
        try:
            await work_until(stop, DeliveryRole(parts).run())
        finally:
            metrics.write_counts()


@asynccontextmanager
async def role_parts(settings: Settings) -> AsyncIterator[RoleParts]:
    """Connect to the store, and follow the keys that open envelopes and secrets; close all of it at the end."""
    async with AsyncExitStack() as stack:
        store = await open_store_on(stack, settings)
        keys_on_disk, day_keys = KeysOnDisk(settings.data_dir), DayKeys(store)
        ring = keys_on_disk.load_or_create(int(time.time()))
        seal, target_seal = new_seal(ring, settings), LastingSeal(ring.target_secret_key())
        await read_day_keys(seal, day_keys)

        push_keys = PushKeys(ring, contact=settings.push_contact)

        def use_ring(changed: KeyRing) -> None:
            target_seal.use(changed.target_secret_key())
            push_keys.use(changed)

        await follow_keys_on(stack, seal, day_keys, keys_on_disk, use_ring)
        resolver = Resolver(private_allowed=settings.private_targets)
        stack.callback(resolver.close)
        senders = Senders(resolver, lambda target: opened_secret(target_seal, target))
        stack.push_async_callback(senders.close)
        facilities = Facilities(Registry(store))
        yield RoleParts(
            store=store,
            targets=Targets(store),
            facilities=facilities,
            bodies=Bodies(
                facilities,
                EventTickets(EventLog(store), Links(store), NumberSeal(seal, ring.person_key())),
                Audit(store),
                patient_opener(seal),
                settings.timezone,
            ),
            senders=senders,
            read_archive=_archive_reader(stack, settings),
            name=consumer_name(),
            has_ended=has_ended,
            alarms=_phone_alarms(stack, store, seal, resolver, push_keys, settings.push_services),
        )


def _phone_alarms(
    stack: AsyncExitStack, store: Store, seal: Seal, resolver: Resolver, keys: PushKeys, services: tuple[str, ...]
) -> PhoneAlarms | None:
    """None where the operator allows no push service."""
    if not services:
        return None
    clients = PinnedClients()
    stack.push_async_callback(clients.close)
    sender = PushSender(resolver, clients, keys.authorization, services)
    return PhoneAlarms(PushPhones(store), OpdDesk(store), partial(open_subscription, seal), sender.send)


def opened_secret(seal: LastingSeal, target: Target) -> str | None:
    """A webhook's secret; None when another key ring sealed it."""
    plain = seal.open(target.id, target.secret)
    return plain.decode() if plain is not None else None


def patient_opener(seal: Seal) -> Callable[[str, Ticket, bytes], Patient | None]:
    """Opens the profile of a facility's ticket; None when its time is over or it cannot be read."""

    def open_patient(hip: str, ticket: Ticket, sealed: bytes) -> Patient | None:
        try:
            envelope = unpack_envelope(seal.open(ENVELOPE_PURPOSE, facility_key(hip), ticket.request, sealed))
        except (SealBroken, msgspec.MsgspecError):
            return None
        return envelope.patient or read_patient(envelope.note, envelope.profile)

    return open_patient


def _archive_reader(
    stack: AsyncExitStack, settings: Settings
) -> Callable[[str, str, int], Awaitable[Sequence[Event]]]:  # fmt: skip
    """Reads events that the store has dropped. The database is connected when it is first needed."""
    database = new_archive(settings)
    stack.callback(database.close)

    async def read(hip: str, after: str, limit: int) -> Sequence[Event]:
        from kiosk.archive.database import ArchiveError
        from kiosk.archive.public_events import events_after

        try:
            return await database.ask(events_after, hip, after, limit)
        except ArchiveError:
            raise StoreAway("the archive does not answer") from None

    return read
