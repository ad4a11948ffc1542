"""Midnight: numbers begin again, people who just came keep their place, and the day never goes back."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.day import ServiceClock, place_ends_s
from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.models import Facility, Outcome, Queue, State
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import DAY_MS, HIP, MovedMidnight, arrival, build, kolkata, midnight_in, open_desk

anyio_mark = pytest.mark.anyio
ZONES = ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"]


async def at_midnight(store: Store, carry_over_min: int = 240) -> tuple[OpdDesk, MovedMidnight]:
    await build(store)
    queue = Queue(id="medicine", name="Medicine", prefix="M", carry_over_min=carry_over_min)
    await Registry(store).put_queue(HIP, queue)
    clock = kolkata()
    clock.moved_ms = midnight_in(clock, ms=60_000)
    return open_desk(store, clock), clock


@anyio_mark
async def test_the_first_of_a_day_stands_behind_the_last_of_the_day_before_in_the_same_millisecond(
    store: Store,
) -> None:
    desk, clock = await at_midnight(store)
    before_ms, registry = clock.moved_ms, Registry(store)
    queue = Queue(id="medicine", name="Medicine", prefix="M", carry_over_min=240)
    for number in range(60):  # some of them meet within one millisecond
        hip = f"{HIP[:-3]}{number:03d}"
        await registry.put_facility(Facility(hip_id=hip, name="Hospital"))
        await registry.put_queue(hip, queue, 1)
        clock.moved_ms = before_ms
        await desk.enqueue(arrival(facility=hip))
        last = await desk.enqueue(arrival(facility=hip))
        clock.moved_ms = before_ms + 65_000
        await desk.enqueue(arrival(facility=hip))
        snapshot = await desk.snapshot(hip)
        assert snapshot
        assert snapshot.queues[0].next[1] == last.token


@anyio_mark
async def test_numbers_begin_again_and_people_who_wait_stay_in_front(store: Store) -> None:
    desk, clock = await at_midnight(store)
    late = [await desk.enqueue(arrival()) for _ in range(3)]
    await desk.call_next(HIP, "M1", by="clerk")
    clock.moved_ms += 65_000
    new = await desk.enqueue(arrival())
    assert new.token == "M-001"
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    assert snapshot.queues[0].next == ("M-002", "M-003", "M-001")
    assert snapshot.queues[0].now == ()
    called = await desk.call_next(HIP, "M1", by="clerk")
    assert called.ticket
    assert called.ticket.id == late[1].ticket


@anyio_mark
async def test_a_day_clinic_begins_empty(store: Store) -> None:
    desk, clock = await at_midnight(store, carry_over_min=0)
    left = [await desk.enqueue(arrival()) for _ in range(3)]
    await desk.call_next(HIP, "M1", by="clerk")
    await anyio.sleep(0.1)
    clock.moved_ms += midnight_in(clock, ms=-10)
    assert (await desk.call_next(HIP, "M1", by="clerk", seen="")).outcome is Outcome.EMPTY
    for place in left:
        ticket = await desk.ticket(HIP, place.ticket)
        assert ticket
        assert ticket.state is State.LAPSED


@anyio_mark
async def test_a_carried_patient_who_scans_again_keeps_yesterdays_number(store: Store) -> None:
    desk, clock = await at_midnight(store)
    await desk.enqueue(arrival())
    patient = arrival(person="late")
    await desk.enqueue(patient)
    clock.moved_ms += 65_000
    place = await desk.enqueue(arrival(person="late"))
    assert (place.outcome, place.token) == (Outcome.SAME_PERSON, "M-002")


@anyio_mark
async def test_a_number_is_not_given_again_while_its_holder_waits(store: Store) -> None:
    desk, clock = await at_midnight(store)
    late = [await desk.enqueue(arrival()) for _ in range(6)]
    gone, held, missed, waiting, expected, sent_on = late
    await desk.cancel(HIP, gone.ticket, by="clerk")
    await desk.hold(HIP, held.ticket, by="clerk")
    await desk.call_this(HIP, "M1", missed.ticket, by="clerk")
    await desk.no_show(HIP, missed.ticket, by="clerk")
    await desk.transfer(HIP, sent_on.ticket, to="registration", by="clerk")
    clock.moved_ms += 65_000
    new = [await desk.enqueue(arrival()) for _ in range(4)]
    assert [place.token for place in new] == ["M-001", "M-007", "M-008", "M-009"]
    living = [ticket.token for ticket in await desk.tickets(HIP)]
    assert len(living) == len(set(living)) == 9
    assert {held.token, missed.token, waiting.token, expected.token, sent_on.token} <= set(living)


@anyio_mark
async def test_a_called_person_who_was_never_started_lapses_at_midnight(store: Store) -> None:
    desk, clock = await at_midnight(store)
    called = await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="clerk")
    clock.moved_ms += 65_000
    assert (await desk.call_next(HIP, "M1", by="clerk", seen="")).outcome is Outcome.EMPTY
    ticket = await desk.ticket(HIP, called.ticket)
    assert ticket
    assert ticket.state is State.LAPSED
    assert (await desk.bring_back(HIP, called.ticket, by="clerk")).outcome is Outcome.NOT_ALLOWED
    assert (await desk.enqueue(arrival())).token == "M-001"


@anyio_mark
async def test_a_person_at_a_night_counter_stays_there_over_midnight_until_finished(store: Store) -> None:
    desk, clock = await at_midnight(store)
    served = await desk.enqueue(arrival())
    await desk.call_next(HIP, "M2", by="night")
    await desk.start(HIP, served.ticket, by="night")
    clock.moved_ms += 65_000
    assert (await desk.enqueue(arrival())).token == "M-002", (
        "the number of the person at the counter is not given again"
    )
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    assert [(call.token, call.counter) for call in snapshot.queues[0].now] == [(served.token, "M2")]
    finished = await desk.finish(HIP, served.ticket, by="night")
    assert finished.outcome is Outcome.MOVED
    assert [ticket.id for ticket in await desk.ended(HIP)] == [served.ticket]
    assert (await desk.call_next(HIP, "M2", by="night", seen="")).outcome is Outcome.MOVED


@anyio_mark
async def test_an_unfinished_visit_lapses_where_places_are_not_carried_over(store: Store) -> None:
    desk, clock = await at_midnight(store, carry_over_min=0)
    served = await desk.enqueue(arrival())
    await desk.call_next(HIP, "M2", by="other")
    await desk.start(HIP, served.ticket, by="other")
    await anyio.sleep(0.1)
    clock.moved_ms += midnight_in(clock, ms=-10)
    assert (await desk.recall(HIP, "M2", by="other")).outcome is Outcome.EMPTY
    ticket = await desk.ticket(HIP, served.ticket)
    assert ticket
    assert ticket.state is State.LAPSED


@anyio_mark
async def test_tickets_of_today_and_yesterday_with_the_same_number_have_two_keys(store: Store) -> None:
    desk, clock = await at_midnight(store)
    old = await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="clerk")
    clock.moved_ms += 65_000
    new = await desk.enqueue(arrival())
    assert new.token == old.token
    await desk.call_next(HIP, "M1", by="clerk")
    snapshot = await desk.snapshot(HIP)
    yesterday, today = await desk.ticket(HIP, old.ticket), await desk.ticket(HIP, new.ticket)
    assert snapshot
    assert yesterday
    assert today
    assert [call.key for call in snapshot.queues[0].now] == [today.key]
    assert today.key != yesterday.key


@anyio_mark
async def test_a_person_finished_yesterday_is_not_brought_back_today(store: Store) -> None:
    desk, clock = await at_midnight(store, carry_over_min=0)
    place = await desk.enqueue(arrival())
    await desk.call_next(HIP, "M1", by="clerk")
    await desk.finish(HIP, place.ticket, by="clerk")
    assert [ticket.id for ticket in await desk.ended(HIP)] == [place.ticket]
    await anyio.sleep(0.1)
    clock.moved_ms += midnight_in(clock, ms=-10)
    assert (await desk.bring_back(HIP, place.ticket, by="clerk")).outcome is Outcome.NOT_ALLOWED
    assert await desk.ended(HIP) == []


@anyio_mark
async def test_the_day_never_goes_back(store: Store) -> None:
    desk, clock = await at_midnight(store)
    for _ in range(5):
        await desk.enqueue(arrival())
    clock.moved_ms += 65_000
    assert (await desk.enqueue(arrival())).token == "M-006", "five people still wait with the numbers before"
    clock.moved_ms -= 65_000
    assert (await desk.enqueue(arrival())).token == "M-007"


@anyio_mark
async def test_a_new_day_of_one_hospital_does_not_change_the_day_of_others_in_the_same_call(store: Store) -> None:
    desk, clock = await at_midnight(store)
    await Registry(store).put_facility(Facility(hip_id="other", name="Other"))
    await Registry(store).put_queue("other", Queue(id="q", name="Q", prefix="Q"), 1)
    elsewhere = {"facility": "other", "text": ""}
    assert (await desk.enqueue(arrival(**elsewhere))).token == "Q-001"
    clock.moved_ms += 65_000
    await desk.enqueue(arrival())
    clock.moved_ms -= 65_000
    places = await asyncio.gather(desk.enqueue(arrival()), desk.enqueue(arrival(**elsewhere)))
    assert [place.token for place in places] == ["M-002", "Q-002"]


@anyio_mark
async def test_a_clock_a_day_away_is_refused(store: Store) -> None:
    await build(store)
    far = OpdDesk(store, now_ms=lambda: int(datetime.now(UTC).timestamp() * 1000) + 2 * DAY_MS)
    with pytest.raises(StoreRefused) as refused:
        await far.enqueue(arrival())
    assert refused.value.code == "CLOCK"


@anyio_mark
async def test_a_facility_may_keep_its_own_zone(store: Store) -> None:
    await build(store, timezone="Pacific/Kiritimati")
    desk = open_desk(store)
    await desk.enqueue(arrival())
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    assert snapshot.day == datetime.now(ZoneInfo("Pacific/Kiritimati")).date().isoformat()


@pytest.mark.parametrize("zone", ZONES)
@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.integers(0, 47 * 3600))
def test_the_offset_sent_in_advance_is_the_one_of_the_zone(zone: str, moment: datetime, later_s: int) -> None:
    now = moment.replace(tzinfo=UTC)
    now_ms = int(now.timestamp() * 1000)
    _, offset, change, after, _ = ServiceClock(zone, lambda: now_ms).values()
    then_ms = now_ms + later_s * 1000
    clock_values = after if change and then_ms >= change else offset
    there = datetime.fromtimestamp(then_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    assert timedelta(milliseconds=clock_values) == there.utcoffset()


def test_a_place_ends_with_the_carried_hours_of_the_next_day_there() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    evening = int(datetime(2026, 11, 23, 23, 30, tzinfo=zone).timestamp())
    assert datetime.fromtimestamp(place_ends_s(zone, evening), zone) == datetime(2026, 11, 24, 4, 0, tzinfo=zone)
    past_midnight = evening + 3600
    assert datetime.fromtimestamp(place_ends_s(zone, past_midnight), zone) == datetime(2026, 11, 25, 4, 0, tzinfo=zone)
