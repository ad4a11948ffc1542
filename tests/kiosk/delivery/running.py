"""A delivery role on the test's store, with real senders, and people who come to the test's hospital."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kiosk.delivery.addresses import Resolver
from kiosk.delivery.bodies import Bodies, Facilities
from kiosk.delivery.hl7_sender import Hl7Sender
from kiosk.delivery.role import DeliveryRole, ReadArchive, RoleParts
from kiosk.delivery.webhook import WebhookSender
from kiosk.exchange.target_setup import new_secret
from kiosk.patient.person import Patient
from queueing.audit import Audit
from queueing.event_log import Event
from queueing.models import Ticket
from queueing.registry import Registry
from queueing.store.store import Store
from queueing.targets import Target, TargetKind, Targets, TargetState, new_id
from tests.queueing.a_facility import HIP

SECRET = new_secret()
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


@asynccontextmanager
async def role(
    store: Store, name: str = "role-1", read_archive: ReadArchive = no_archive
) -> AsyncIterator[DeliveryRole]:
    """A role that works while the context lasts."""
    resolver = Resolver(private_allowed=True)
    sender = WebhookSender(resolver, lambda target: target.secret)
    facilities = Facilities(Registry(store))
    parts = RoleParts(
        store=store,
        targets=Targets(store),
        facilities=facilities,
        bodies=Bodies(facilities, Audit(store), opened, "Asia/Kolkata"),
        senders={TargetKind.WEBHOOK: sender, TargetKind.HL7: Hl7Sender(resolver)},
        read_archive=read_archive,
        name=name,
        has_ended=lambda _name: False,
    )
    working = DeliveryRole(parts)
    task = asyncio.create_task(working.run())
    try:
        yield working
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.close()
        resolver.close()


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for a condition; the test fails when it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def reached(store: Store, target: Target, condition: Callable[[TargetState], bool]) -> TargetState:
    """The state of a target, when a condition of it has come true."""
    for _ in range(200):
        state = await Targets(store).one(target.id)
        if condition(state):
            return state
        await asyncio.sleep(0.05)
    raise AssertionError("the target did not get there in time")
