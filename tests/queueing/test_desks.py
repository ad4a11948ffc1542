"""Who sits at which counter, and the breaks of counters."""

import asyncio
import time

import pytest

from queueing import desks as desks_module
from queueing.announcement import Break
from queueing.audit import Actor, Audit
from queueing.desk import OpdDesk
from queueing.desks import CounterNow, Desks
from queueing.facility_view import Snapshot
from queueing.models import Outcome
from queueing.redis_keys import facility_root
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio
ASHA = Actor(login="asha", address="10.1.2.3")


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    return open_desk(store)


def in_minutes(minutes: int) -> int:
    return time.time_ns() // 1_000_000 + minutes * 60_000


async def counter(desks: Desks, name: str) -> CounterNow:
    return next(one for one in await desks.counters(HIP) if one.name == name)


async def names_at(desks: Desks, name: str) -> list[str]:
    return [seat.name for seat in (await counter(desks, name)).seats]


async def snapshot(desk: OpdDesk) -> Snapshot:
    found = await desk.snapshot(HIP)
    assert found
    return found


async def test_two_desks_at_one_counter_see_each_other_and_one_that_moves_is_gone(store: Store, desk: OpdDesk) -> None:
    desks = Desks(store)
    await desks.sit(HIP, "session-1", "M1", login="asha", name="Asha Koul")
    await desks.sit(HIP, "session-2", "M1", login="bilal", name="Bilal میر")
    assert await names_at(desks, "M1") == ["Asha Koul", "Bilal میر"]
    await desks.sit(HIP, "session-1", "M2", login="asha", name="Asha Koul")
    assert await names_at(desks, "M1") == ["Bilal میر"]
    assert await names_at(desks, "M2") == ["Asha Koul"]
    await desks.leave(HIP, "session-1", login="asha")
    assert await names_at(desks, "M2") == []
    await desks.sit(HIP, "session-3", "Z9", login="carl", name="Carl")
    assert {seat.name for one in await desks.counters(HIP) for seat in one.seats} == {"Bilal میر"}


async def test_a_desk_that_stays_open_writes_once_a_minute_and_other_desks_hear_only_of_changes(
    store: Store, desk: OpdDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desks = Desks(store)
    await desks.sit(HIP, "session-1", "M1", login="asha", name="Asha")
    seen = (await snapshot(desk)).desks
    key = facility_root(HIP) + ":d"
    before = await store.call(key, "HGET", key, "session-1")
    for _ in range(20):
        await desks.sit(HIP, "session-1", "M1", login="asha", name="Asha")
    assert await store.call(key, "HGET", key, "session-1") == before
    monkeypatch.setattr(desks_module, "SEEN_EVERY_S", 0.0)
    await asyncio.sleep(0.002)
    await desks.sit(HIP, "session-1", "M1", login="asha", name="Asha")
    assert await store.call(key, "HGET", key, "session-1") != before
    assert (await snapshot(desk)).desks == seen
    assert await store.call(key, "PTTL", key) in range(1, 180_001)


async def test_a_counter_with_its_patient_and_its_break_is_seen_by_colleagues(store: Store, desk: OpdDesk) -> None:
    desks = Desks(store)
    await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="asha")
    back_ms = in_minutes(10)
    assert await desks.set_break(HIP, "M2", back_ms, ASHA.act("break_begun", "M2 11:10"))
    here, away = await counter(desks, "M1"), await counter(desks, "M2")
    assert here.ticket
    assert (here.ticket.token, here.back_ms) == ("M-001", 0)
    assert (away.ticket, away.back_ms) == (None, back_ms)
    assert (await snapshot(desk)).breaks == (Break(counter="M2", back_ms=back_ms),)


async def test_a_break_ends_by_itself_by_next_by_a_chosen_call_and_by_one_key(store: Store, desk: OpdDesk) -> None:
    desks = Desks(store)
    act = ASHA.act("break_begun", "M1")
    await desks.set_break(HIP, "M1", in_minutes(0) + 60, act)
    await asyncio.sleep(0.08)
    assert (await snapshot(desk)).breaks == ()
    assert not await desks.set_break(HIP, "M1", 0, act)

    await desks.set_break(HIP, "M1", in_minutes(5), act)
    assert (await desk.call_next(HIP, "M1", by="asha")).outcome is Outcome.EMPTY
    assert (await snapshot(desk)).breaks == ()

    place = await desk.enqueue(arrival())
    await desks.set_break(HIP, "M1", in_minutes(5), act)
    assert (await desk.call_this(HIP, "M1", place.ticket, by="asha")).outcome is Outcome.MOVED
    assert (await snapshot(desk)).breaks == ()

    await desks.set_break(HIP, "M1", in_minutes(5), act)
    assert (await desk.call_next(HIP, "M1", by="asha", current="ask")).outcome is Outcome.UNANSWERED
    assert len((await snapshot(desk)).breaks) == 1
    assert await desks.set_break(HIP, "M1", 0, ASHA.act("break_ended", "M1"))
    assert (await snapshot(desk)).breaks == ()


async def test_a_break_stands_in_the_audit_and_one_at_an_unknown_counter_does_not(store: Store, desk: OpdDesk) -> None:
    desks = Desks(store)
    await desks.set_break(HIP, "M1", in_minutes(5), ASHA.act("break_begun", "M1 11:10"))
    assert not await desks.set_break(HIP, "Z9", in_minutes(5), ASHA.act("break_begun", "Z9"))
    acts = [(entry.kind, entry.by, entry.why) for entry in await Audit(store).read(HIP)]
    assert acts == [("break_begun", "asha", "M1 11:10")]
