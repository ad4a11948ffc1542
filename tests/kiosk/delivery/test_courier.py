"""A fault of ours with one event holds up no other event, and is not silent."""

from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.delivery import bodies, courier
from kiosk.delivery import role as role_module
from queueing.event_log import Event
from queueing.store.store import Store
from tests.kiosk.delivery.receiver import Receiver, receiving
from tests.kiosk.delivery.running import added, reached, role, until
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
