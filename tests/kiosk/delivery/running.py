"""A delivery role on the test's store, with real senders, and people who come to the test's hospital."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kiosk.delivery.archived import ReadArchive
from kiosk.delivery.bodies import Bodies, Facilities
from kiosk.delivery.event_tickets import EventTickets
from kiosk.delivery.phone_alarms import PhoneAlarms
from kiosk.delivery.role import DeliveryRole, RoleParts
from kiosk.delivery.senders import Senders
from kiosk.exchange.addresses import Resolver
from kiosk.exchange.hospital_numbers import HospitalNumbers, NumberSeal
from kiosk.exchange.target_setup import new_secret
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal
from queueing.audit import Act, Audit
from queueing.day_keys import DayKeys
from queueing.event_log import Event, EventLog
from queueing.links import Links
from queueing.models import Ticket
from queueing.registry import Registry
from queueing.store.store import Store
from queueing.targets import Target, TargetKind, Targets, TargetState, new_id
from tests.queueing.a_facility import HIP, open_desk
from tokens import KeyRing

SECRET = new_secret()
RING = KeyRing.generate(int(time.time()))
MEENA = Patient(name="Meena Kumari", phone="9419012345", abha_number="91123456789012", abha_address="meena@sbx")


def webhook(url: str, **changed: Any) -> Target:
    fields: dict[str, Any] = {"kind": TargetKind.WEBHOOK, "facility": HIP, "address": url, "secret": SECRET}
    return Target(id=new_id(TargetKind.WEBHOOK), **(fields | changed))


async def added(store: Store, url: str, **changed: Any) -> Target:
    target = webhook(url, **changed)
    await Targets(store).add(target)
    return target


async def no_archive(_hip: str, _after: str, _limit: int) -> Sequence[Event]:
    return []


def opened(_hip: str, _ticket: Ticket, sealed: bytes) -> Patient | None:
    return MEENA if sealed else None


async def number_seal(store: Store) -> NumberSeal:
    """Seals numbers as the web workers do, with the keys of this store's days."""
    seal = Seal(RING.seal_masters(), RING.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    return NumberSeal(seal, RING.person_key())


async def link(store: Store, ticket_id: str, **numbers: str) -> None:
    """The hospital's system binds its own numbers to a ticket."""
    seal = await number_seal(store)
    ticket = await open_desk(store).ticket(HIP, ticket_id)
    assert ticket
    sealed = seal.close(HIP, ticket, HospitalNumbers(**numbers))
    act = Act(kind="links_set", by="api:key")
    await Links(store).put(HIP, ticket_id, sealed, persons=(), mark=b"m" * 12, number="", act=act)


@asynccontextmanager
async def role(
    store: Store, name: str = "role-1", read_archive: ReadArchive = no_archive,
    secret_of: Callable[[Target], str | None] = lambda target: target.secret, alarms: PhoneAlarms | None = None,
) -> AsyncIterator[DeliveryRole]:  # fmt: skip
    """A role that works while the context lasts. ``secret_of``: by which a target's events are signed."""
    resolver = Resolver(private_allowed=True)
    tickets = EventTickets(EventLog(store), Links(store), await number_seal(store))
    senders = Senders(resolver, secret_of)
    facilities = Facilities(Registry(store))
    parts = RoleParts(
        store=store,
        targets=Targets(store),
        facilities=facilities,
        bodies=Bodies(facilities, tickets, Audit(store), opened, "Asia/Kolkata"),
        senders=senders,
        read_archive=read_archive,
        name=name,
        has_ended=lambda _name: False,
        alarms=alarms,
    )
    working = DeliveryRole(parts)
    task = asyncio.create_task(working.run())
    try:
        yield working
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await senders.close()
        resolver.close()


async def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for a condition; the test fails when it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def reached(store: Store, target: Target, condition: Callable[[TargetState], bool]) -> TargetState:
    """The state of a target, when a condition of it has come true."""
    for _ in range(600):
        state = await Targets(store).one(target.id)
        if condition(state):
            return state
        await asyncio.sleep(0.05)
    raise AssertionError("the target did not get there in time")
