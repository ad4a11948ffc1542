"""A fault of ours with one event holds up no other event, and is not silent."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from kiosk.delivery import bodies, courier
from kiosk.delivery import role as role_module
from kiosk.delivery.message import Attempt, Message
from queueing.event_log import Event, EventKind, EventLog
from queueing.redis_keys import facility_key
from queueing.store.store import Store
from queueing.targets import EventRef, Progress, Target, TargetState, partitions_of
from tests.kiosk.delivery.receiver import Receiver, receiving
from tests.kiosk.delivery.running import added, reached, role, until, webhook
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio

_body = bodies._body


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


async def test_an_event_whose_message_cannot_be_made_holds_up_no_other_ticket(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each ticket after the broken one arrives, the cursor moves on, and a later try sends the broken one."""
    monkeypatch.setattr(courier, "PACE_MS", (200, 200, 200))
    monkeypatch.setattr(role_module, "SAVE_S", 0.05)
    await build(store)
    target = await added(store, receiver.url)
    desk = open_desk(store)
    broken: set[str] = set()

    def body(to: Any, event: Event, *others: Any) -> bytes | None:
        if event.ticket is not None and event.ticket.id in broken:
            raise ValueError("Meena Kumari")
        return _body(to, event, *others)

    monkeypatch.setattr(bodies, "_body", body)
    first = await desk.enqueue(arrival())
    broken.add(first.ticket)
    others = [(await desk.enqueue(arrival())).ticket for _ in range(3)]
    async with role(store):
        await until(lambda: len(receiver.ids()) == len(others))
        state = await reached(store, target, lambda one: len(one.progress.failed) == 1 and len(one.deliveries) > 3)
        assert {one.event["data"]["ticket"]["id"] for one in receiver.taken} == set(others)
        fault = next(one for one in state.deliveries if one.result == "failed")
        assert (fault.status, fault.answer) == ("fault", "ValueError")
        called = await desk.call_this(HIP, "M1", first.ticket, by="clerk")
        assert called.ticket
        broken.clear()
        await until(lambda: len(receiver.ids()) == len(others) + 2)
        await reached(store, target, lambda one: one.progress.failed == [])
    of_first = [one.event["type"] for one in receiver.taken if one.event["data"]["ticket"]["id"] == first.ticket]
    assert of_first == ["ticket.created", "ticket.called"]


class SlowParts:
    """Sends take long; what was begun is kept."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def now_ms(self) -> int:
        return 1

    def position(self, _partition: str) -> str:
        return "0"

    async def read(self, _target: Target, _partition: str, after: str) -> tuple[list[Event], str]:
        return [], after

    async def find(self, _target: Target, _ref: EventRef) -> Event | None:
        return None

    async def message(self, _target: Target, event: Event) -> Message | None:
        return Message(event_id=event.id, event_type=event.kind.type, cursor=event.cursor, body=b"")

    async def send(self, _target: Target, message: Message) -> Attempt:
        self.begun.append(message.event_id)
        await asyncio.sleep(10)
        raise AssertionError("it was closed before")

    async def switch_off(self, _target: Target) -> None: ...

    def wants(self, _target: Target, _event: Event) -> bool:
        return True


async def test_a_courier_that_is_closed_begins_nothing_more() -> None:
    parts, target = SlowParts(), webhook("http://127.0.0.1:9/")
    (partition,) = partitions_of(target)
    progress = Progress(cursors={}, delivered_ms=1)
    one = courier.Courier(TargetState(target=target, generation=1, progress=progress, deliveries=[]), parts)
    events = [
        Event(
            id=f"e-{n}", cursor=f"{n}-0", facility_key=facility_key(HIP), kind=EventKind.CREATED, at_ms=1, by="",
            request=f"share-{n}",
        )
        for n in range(1, 21)
    ]  # fmt: skip
    one.accept(partition, events, "0")
    await until(lambda: len(parts.begun) == courier.LANES_AT_ONCE)
    await one.close()
    await asyncio.sleep(0.05)  # for what must not happen
    assert len(parts.begun) == courier.LANES_AT_ONCE


async def test_the_reply_to_a_repeated_share_waits_for_the_events_of_its_ticket(store: Store) -> None:
    await build(store)
    desk = open_desk(store)
    await desk.enqueue(arrival(persons=(b"meena",)))
    await desk.enqueue(arrival(persons=(b"meena",)))
    created, repeated = (await EventLog(store).read(HIP)).events
    assert repeated.kind is EventKind.SHARE_REPEATED
    assert repeated.ticket is not None
    assert repeated.request != repeated.ticket.request
    reply = structs.replace(
        repeated, id="e-9", cursor=f"{2**50}-0", kind=EventKind.ACKNOWLEDGEMENT_DELIVERED, ticket=None
    )
    parts, target = SlowParts(), webhook("http://127.0.0.1:9/")
    (partition,) = partitions_of(target)
    progress = Progress(cursors={}, delivered_ms=1)
    one = courier.Courier(TargetState(target=target, generation=1, progress=progress, deliveries=[]), parts)
    one.accept(partition, [created, repeated, reply], "0")
    await until(lambda: bool(parts.begun))
    await asyncio.sleep(0.05)  # for what must not happen
    assert parts.begun == [created.id]
    await one.close()
