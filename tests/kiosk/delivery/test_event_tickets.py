"""What an event does not carry itself goes along: the hospital's own numbers, and the ticket of a delivered reply."""

import asyncio
from typing import Any

import pytest

from kiosk.delivery.event_tickets import EventTickets
from kiosk.exchange.ticket_json import LinksJson
from queueing.event_log import EventLog
from queueing.links import Links
from queueing.outbox import Outbox
from queueing.store.store import Store
from queueing.targets import TargetFormat
from tests.kiosk.delivery.receiver import receiving
from tests.kiosk.delivery.running import added, link, number_seal, reached, role, until
from tests.kiosk.delivery.test_hl7_target import added as added_hl7
from tests.kiosk.delivery.test_hl7_target import engine
from tests.kiosk.delivery.test_role import visits
from tests.queueing.a_facility import HIP, build, open_desk

pytestmark = pytest.mark.anyio
NUMBERS = {"patient_id": "UHID-7", "visit_id": "V-1", "url": "https://his.example/patient/7"}


async def call_and_finish(store: Store) -> None:
    desk = open_desk(store)
    called = await desk.call_next(HIP, "M1", by="clerk")
    assert called.ticket
    await desk.finish(HIP, called.ticket.id, by="clerk")


def identifiers(bundle: dict[str, Any], kind: str) -> set[tuple[str, str]]:
    (found,) = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]
    return {(one["type"]["coding"][0]["code"], one["value"]) for one in found["identifier"] if "coding" in one["type"]}


async def test_the_hospitals_own_numbers_go_with_each_event_that_follows(store: Store) -> None:
    await build(store)
    with receiving() as as_json, receiving() as as_fhir:
        async with engine() as as_hl7:
            await added(store, as_json.url)
            await added(store, as_fhir.url, format=TargetFormat.FHIR)
            await added_hl7(store, as_hl7.port, allowed=False)
            async with role(store):
                (ticket,) = await visits(store, 1, finish=False)
                await until(lambda: len(as_json.taken) == len(as_fhir.taken) == len(as_hl7.messages) == 1)
                await link(store, ticket, **NUMBERS)
                await call_and_finish(store)
                await until(lambda: len(as_json.taken) == len(as_fhir.taken) == len(as_hl7.messages) == 3)
    assert [one.event["data"]["ticket"]["links"] for one in as_json.taken] == [None, NUMBERS, NUMBERS]
    bundle = as_fhir.taken[-1].event
    assert identifiers(bundle, "Patient") == {("MR", "UHID-7")}
    assert ("VN", "V-1") in identifiers(bundle, "Encounter")
    registered, *_, done = as_hl7.messages
    assert str(done.segment("PID")[3]) == f"UHID-7^^^{HIP}^MR"
    assert str(done.segment("PV1")[50]) == f"V-1^^^{HIP}^VN"
    assert "UHID" not in str(registered)


async def test_a_delivered_reply_comes_with_the_ticket_of_its_share(store: Store) -> None:
    await build(store)
    with receiving() as receiver:
        await added(store, receiver.url, events=("acknowledgement.delivered",), wants_profiles=True)
        async with role(store):
            (ticket,) = await visits(store, 1, finish=False)
            await link(store, ticket, **NUMBERS)
            outbox = Outbox(store, "relay")
            await outbox.delivered(await outbox.take())
            await outbox.close()
            await until(lambda: bool(receiver.taken))
    data = receiver.taken[0].event["data"]
    assert (data["ticket"]["id"], data["ticket"]["links"]) == (ticket, NUMBERS)
    assert "profile" not in data


async def test_an_answer_that_repeats_a_number_is_not_kept_as_it_is(store: Store) -> None:
    await build(store)
    with receiving() as receiver:
        receiver.answer = lambda _one: (200, b"registered UHID-7")
        target = await added(store, receiver.url, events=("ticket.called",))
        async with role(store):
            (ticket,) = await visits(store, 1, finish=False)
            await link(store, ticket, **NUMBERS)
            await call_and_finish(store)
            state = await reached(store, target, lambda one: bool(one.deliveries))
    assert [one.answer for one in state.deliveries] == ["registered …"]


class CountedLinks(Links):
    reads = 0

    async def of(self, hip: str, tickets: Any) -> dict[str, bytes]:
        self.reads += 1
        return await super().of(hip, tickets)


async def test_many_targets_of_one_event_cost_one_reading(store: Store) -> None:
    await build(store)
    (ticket,) = await visits(store, 1, finish=False)
    await link(store, ticket, patient_id="UHID-7")
    (event,) = [one for one in (await EventLog(store).read(HIP)).events if one.ticket]
    links, now_s = CountedLinks(store), [0.0]
    tickets = EventTickets(EventLog(store), links, await number_seal(store), clock_s=lambda: now_s[0])
    found = await asyncio.gather(*(tickets.complete(HIP, event) for _ in range(10)))
    assert [numbers for _, numbers in found] == [LinksJson(patient_id="UHID-7")] * 10
    assert links.reads == 1
    now_s[0] = 3.0
    await link(store, ticket, patient_id="UHID-8")
    assert (await tickets.complete(HIP, event))[1] == LinksJson(patient_id="UHID-8")
