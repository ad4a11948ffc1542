"""Many targets at once: those that hang hold no place of those that answer, and a message is made once for all."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from kiosk.delivery import bodies, send_places
from queueing.event_log import Event
from queueing.store.store import Store
from queueing.targets import EVERY_FACILITY, TargetFormat
from tests.kiosk.delivery.receiver import receiving
from tests.kiosk.delivery.running import added, role, until
from tests.queueing.a_facility import arrival, build, open_desk

pytestmark = pytest.mark.anyio

PLACES = 2
HANGING = 4


class Hanging:
    """A receiver that takes connections and never answers."""

    def __init__(self, server: socket.socket) -> None:
        server.setblocking(False)
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        self._server = server
        self._taken: list[socket.socket] = []

    def connections(self) -> int:
        with suppress(BlockingIOError):
            while True:
                self._taken.append(self._server.accept()[0])
        return len(self._taken)

    def close(self) -> None:
        for one in self._taken:
            one.close()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = Hanging(server)
        yield one
        one.close()


@pytest.fixture
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_places, "SENDS_AT_ONCE", PLACES)
    monkeypatch.setattr(send_places, "SLOW_AT_ONCE", PLACES)
    monkeypatch.setattr(send_places, "QUICK_S", 0.2)


@pytest.mark.usefixtures("few_places")
async def test_receivers_that_hang_hold_no_place_of_one_that_answers(store: Store, hanging: Hanging) -> None:
    """There are twice as many that hang as places; a try that hangs takes ten seconds."""
    await build(store)
    desk = open_desk(store)
    with receiving() as receiver:
        await added(store, receiver.url)
        async with role(store):
            await desk.enqueue(arrival())
            await until(lambda: len(receiver.ids()) == 1)
            for _ in range(HANGING):
                await added(store, hanging.url)
            await desk.enqueue(arrival())
            await until(lambda: hanging.connections() == HANGING, 5.0)
            for _ in range(10):
                await desk.enqueue(arrival())
            await until(lambda: len(receiver.ids()) == 12, 5.0)


@pytest.mark.usefixtures("few_places")
async def test_the_first_event_of_a_new_target_does_not_wait_for_new_ones_that_hang(
    store: Store, hanging: Hanging
) -> None:
    await build(store)
    with receiving() as receiver:
        for _ in range(HANGING):
            await added(store, hanging.url)
        await added(store, receiver.url)
        async with role(store):
            await open_desk(store).enqueue(arrival())
            await until(lambda: len(receiver.ids()) == 1, 5.0)
            assert hanging.connections() == HANGING


@pytest.mark.usefixtures("few_places")
async def test_a_place_counts_once_and_whoever_was_slow_waits_with_the_slow_until_it_is_quick() -> None:
    places, ended = send_places.SendPlaces(), asyncio.Event()

    async def use(target: str) -> None:
        async with places.use(target, lambda: False):
            await ended.wait()

    slow = [asyncio.create_task(use("slow")) for _ in range(PLACES)]
    await until(lambda: not places._quick.locked(), 5.0)  # the late ones gave theirs back
    late = [asyncio.create_task(use("slow")) for _ in range(PLACES)]
    await until(places._slow.locked)
    ended.set()
    await asyncio.gather(*slow, *late)
    assert (places._quick._value, places._slow._value) == (PLACES, PLACES)


async def test_a_message_is_made_once_for_all_targets_of_a_format(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[TargetFormat] = []
    make = bodies._body

    def body(target: Any, event: Event, *others: Any) -> bytes | None:
        made.append(target.format)
        return make(target, event, *others)

    monkeypatch.setattr(bodies, "_body", body)
    await build(store)
    with receiving() as receiver:
        for _ in range(5):
            await added(store, receiver.url, facility=EVERY_FACILITY)
            await added(store, receiver.url, facility=EVERY_FACILITY, format=TargetFormat.FHIR)
        async with role(store):
            await open_desk(store).enqueue(arrival())
            await until(lambda: len(receiver.taken) == 10)
    assert sorted(made) == [TargetFormat.FHIR, TargetFormat.JSON]
    assert len({one.body for one in receiver.taken}) == 2
    # The second in which it is sent is signed too.
    signed = {(one.body, one.headers["webhook-timestamp"]) for one in receiver.taken}
    assert len({one.headers["webhook-signature"] for one in receiver.taken}) == len(signed)


async def test_a_target_that_asks_for_profiles_has_messages_of_its_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit records each sending of a profile."""
    made: list[str] = []
    make = bodies._body

    def body(target: Any, event: Event, *others: Any) -> bytes | None:
        made.append(target.id)
        return make(target, event, *others)

    monkeypatch.setattr(bodies, "_body", body)
    await build(store)
    with receiving() as receiver:
        targets = [await added(store, receiver.url, wants_profiles=True) for _ in range(3)]
        async with role(store):
            await open_desk(store).enqueue(arrival())
            await until(lambda: len(receiver.taken) == 3)
    assert sorted(made) == sorted(one.id for one in targets)
