"""A queue or counter that nobody uses can be removed, and that can be taken back."""

import msgspec
import pytest

from queueing.audit import UNRECORDED, Actor, Audit
from queueing.desk import OpdDesk
from queueing.desks import Desks
from queueing.last_changes import ChangedSince, LastChanges
from queueing.models import Assurance, Counter, Outcome, Queue, State
from queueing.registry import Registry, UnknownCounter, UnknownQueue
from queueing.removal import StillUsed, Use
from queueing.screens import Screen, ScreenId, ScreenKind, Screens
from queueing.store.store import Store
from tests.queueing.a_facility import DAY_MS, HIP, arrival, build, kolkata, open_desk

pytestmark = pytest.mark.anyio
SARA = Actor(login="sara", address="10.0.0.2")
EYE = Queue(id="eye", name="Eye", prefix="E", names={"hi": "नेत्र"})


async def why_not(desk: OpdDesk, *, queue: str = "", counter: str = "") -> Use | None:
    try:
        if queue:
            await desk.remove(HIP, "queue", queue, UNRECORDED)
        else:
            await desk.remove(HIP, "counter", counter, UNRECORDED)
    except StillUsed as wrong:
        return wrong.use
    return None


async def test_what_was_never_used_is_removed_recorded_and_can_be_taken_back(store: Store) -> None:
    await build(store)
    registry, desk, last = Registry(store), open_desk(store), LastChanges(store)
    before = await registry.hospital(HIP)
    await registry.put_queue(HIP, EYE, 1)
    whole = await registry.hospital(HIP)
    await desk.remove(HIP, "counter", "E1", SARA.act("admin_counter-removed", "E1"))
    await desk.remove(HIP, "queue", "eye", SARA.act("admin_queue-removed", "eye"))
    assert await registry.hospital(HIP) == before
    newest = await Audit(store).read(HIP, limit=2)
    assert [(one.kind, one.by, one.why) for one in newest] == [
        ("admin_queue-removed", "sara", "eye"), ("admin_counter-removed", "sara", "E1"),
    ]  # fmt: skip
    for kind in ("queue", "counter"):
        change = (await last.of(HIP))[kind]
        assert (change.by, change.name) == ("sara", {"queue": "eye", "counter": "E1"}[kind])
        await last.take_back(HIP, kind, change.mark, SARA)
        with pytest.raises(ChangedSince):
            await last.take_back(HIP, kind, change.mark, SARA)
    assert await registry.hospital(HIP) == whole
    assert await last.of(HIP) == {}


async def test_what_does_not_exist_is_named(store: Store) -> None:
    await build(store)
    desk = open_desk(store)
    with pytest.raises(UnknownQueue):
        await desk.remove(HIP, "queue", "nowhere", UNRECORDED)
    with pytest.raises(UnknownCounter):
        await desk.remove(HIP, "counter", "Z9", UNRECORDED)


async def test_a_queue_in_use_stays(store: Store) -> None:
    await build(store)
    registry, clock = Registry(store), kolkata()
    desk = open_desk(store, clock)
    await registry.put_queue(HIP, EYE)
    place = await desk.enqueue(arrival(text="", queue="eye", assurance=Assurance.STAFF))
    assert await why_not(desk, queue="eye") is Use.NUMBERS
    await desk.cancel(HIP, place.ticket, by="asha")
    assert await why_not(desk, queue="eye") is Use.NUMBERS
    clock.moved_ms = 2 * DAY_MS
    assert await why_not(desk, queue="registration") is Use.SERVED
    for name in ("R1", "R2"):
        assert await why_not(desk, counter=name) is None
    await registry.set_default_queue(HIP, "registration")
    assert await why_not(desk, queue="registration") is Use.DEFAULT
    hall = Screen(name="Hall", kind=ScreenKind.BOARD, queues=("eye", "medicine"))
    await Screens(store).put(HIP, ScreenId("a" * 40), hall, act=UNRECORDED)
    assert await why_not(desk, queue="eye") is Use.SCREEN
    await Screens(store).put(HIP, ScreenId("a" * 40), msgspec.structs.replace(hall, queues=()), act=UNRECORDED)
    assert await why_not(desk, queue="eye") is None, "the numbers of an earlier day do not count"


async def test_a_queue_with_somebody_of_the_night_stays(store: Store) -> None:
    await build(store)
    registry, clock = Registry(store), kolkata()
    desk = open_desk(store, clock)
    await registry.put_queue(HIP, msgspec.structs.replace(EYE, carry_over_min=1440))
    place = await desk.enqueue(arrival(text="", queue="eye", assurance=Assurance.STAFF))
    clock.moved_ms = DAY_MS
    assert await why_not(desk, queue="eye") is Use.NUMBERS
    assert (await desk.these(HIP, [place.ticket]))[0].state is State.WAITING


async def test_the_only_queue_is_removed_though_it_is_the_default(store: Store) -> None:
    await build(store)
    registry, desk = Registry(store), open_desk(store)
    for name in ("M1", "M2", "M3", "R1", "R2"):
        await desk.remove(HIP, "counter", name, UNRECORDED)
    for queue in ("registration", "medicine"):
        await desk.remove(HIP, "queue", queue, UNRECORDED)
    hospital = await registry.hospital(HIP)
    assert hospital is not None
    assert (hospital.queues, hospital.counters, hospital.facility.default_queue) == ((), (), "")
    await registry.put_queue(HIP, EYE, 1)
    hospital = await registry.hospital(HIP)
    assert hospital is not None
    assert (hospital.facility.default_queue, hospital.counters[0].name) == ("eye", "E1")


async def test_a_counter_in_use_stays(store: Store) -> None:
    await build(store)
    registry, desk, desks = Registry(store), open_desk(store), Desks(store)
    await desks.sit(HIP, "session", "M3", login="asha", name="Asha")
    assert await why_not(desk, counter="M3") is Use.DESK
    await desks.leave(HIP, "session", login="asha")
    await registry.map_text(HIP, "OLD POSTER", "M3")
    assert await why_not(desk, counter="M3") is Use.TEXT
    await registry.map_text(HIP, "OLD POSTER", "")
    codes = Screen(name="Door", kind=ScreenKind.COUNTER, counter="M3")
    await Screens(store).put(HIP, ScreenId("b" * 40), codes, act=UNRECORDED)
    assert await why_not(desk, counter="M3") is Use.SCREEN
    await desk.enqueue(arrival())
    called = await desk.call_next(HIP, "M2", by="asha")
    assert await why_not(desk, counter="M2") is Use.PERSON
    assert called.ticket is not None
    await desk.finish(HIP, called.ticket.id, by="asha")
    assert await why_not(desk, counter="M2") is Use.CALLED
    assert await why_not(desk, counter="M1") is None


async def test_nobody_comes_back_to_what_was_removed(store: Store) -> None:
    await build(store)
    registry, clock = Registry(store), kolkata()
    desk = open_desk(store, clock)
    await registry.put_queue(HIP, EYE)
    await registry.put_queue(HIP, Queue(id="late", name="Late", prefix="L", carry_over_min=1440))
    await registry.put_counter(HIP, Counter(name="L1", queues=("late", "eye")))
    places = [await desk.enqueue(arrival(text="", queue="late", assurance=Assurance.STAFF)) for _ in range(2)]
    for place in places:
        await desk.transfer(HIP, place.ticket, to="eye", by="asha")
    await registry.put_queue(HIP, msgspec.structs.replace(EYE, carry_over_min=1440))
    clock.moved_ms = DAY_MS
    await desk.transfer(HIP, places[0].ticket, to="medicine", by="asha")
    await desk.cancel(HIP, places[1].ticket, by="badri")
    await registry.put_counter(HIP, Counter(name="L1", queues=("late",)))
    assert await why_not(desk, queue="eye") is None
    assert (await desk.undo(HIP, "L1", by="asha")).outcome is Outcome.TAKEN
    assert (await desk.bring_back(HIP, places[1].ticket, by="badri")).outcome is Outcome.NOT_ALLOWED
    assert [one.queue for one in await desk.tickets(HIP)] == ["medicine"]
