"""Opening hours and holidays: who is taken when, by the store's clock and the facility's wall clock."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from queueing.day import day_number
from queueing.event_log import EventKind, EventLog
from queueing.models import Assurance, Outcome, Place, Refusal, State
from queueing.opening_hours import (
    DAY_MIN,
    WEEK_MIN,
    Holiday,
    Opening,
    fault_of,
    is_within,
    local_minute,
    next_opening,
    spans_of_day,
)
from queueing.outbox import Outbox
from queueing.redis_keys import facility_root
from queueing.registry import DoesNotFit, Registry, UnknownQueue
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, again, arrival, build
from tests.queueing.moved_clock import MovedClock, moved_clock

anyio_mark = pytest.mark.anyio
RATE = {"facility_rate": 1_000_000, "facility_burst": 1_000_000}
MORNINGS = tuple(edge for day in range(6) for edge in (day * DAY_MIN + 540, day * DAY_MIN + 840))
"""Monday to Saturday 9:00 to 14:00."""
NIGHTS = tuple(edge for day in range(7) for edge in (day * DAY_MIN + 1_200, day * DAY_MIN + 1_560))
"""Each night 20:00 to 02:00; Sunday's ends in the next week."""
MONDAY = datetime(2040, 1, 2)
"""Far from the day on which this runs, so that no service day lies behind."""


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedClock]:
    with moved_clock(store, monkeypatch) as moved:
        yield moved


async def scan(clock: MovedClock, moment: datetime) -> Place:
    await clock.set_to(moment)
    return await clock.desk(**RATE).enqueue(arrival())


@anyio_mark
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
async def test_the_first_minute_is_open_and_the_minute_of_closing_is_not(
    store: Store, clock: MovedClock, zone: str
) -> None:
    await clock.set_to(MONDAY.replace(tzinfo=UTC) - timedelta(days=3))
    await build(store, timezone=zone)
    await Registry(store).set_hours(HIP, "medicine", MORNINGS)
    at = MONDAY.replace(tzinfo=ZoneInfo(zone))
    moments = [(8, 59, 50), (9, 0, 3), (13, 59, 50), (14, 0, 3)]
    places = [await scan(clock, at.replace(hour=h, minute=m, second=s)) for h, m, s in moments]
    assert [place.token for place in places] == ["", "M-001", "M-002", ""]
    assert {place.refusal for place in places} == {None, Refusal.CLOSED_QUEUE}
    assert not (await scan(clock, at + timedelta(days=6, hours=10))).token, "Sunday"
    assert (await scan(clock, at + timedelta(days=7, hours=10))).token == "M-001"


@anyio_mark
async def test_a_night_goes_over_midnight_and_over_the_end_of_the_week(store: Store, clock: MovedClock) -> None:
    await build(store, timezone="Asia/Kolkata")
    await Registry(store).set_hours(HIP, "medicine", NIGHTS)
    sunday = (MONDAY - timedelta(days=1)).replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    hours = [19.99, 20.01, 23.9, 24.5, 25.99, 26.01]
    places = [await scan(clock, sunday + timedelta(hours=hour)) for hour in hours]
    assert [place.token for place in places] == ["", "M-001", "M-002", "M-003", "M-004", ""], "two keep theirs"


@anyio_mark
async def test_a_holiday_closes_what_begins_on_it(store: Store, clock: MovedClock) -> None:
    await build(store, timezone="Asia/Kolkata")
    registry, tuesday = Registry(store), MONDAY + timedelta(days=1)
    await registry.set_hours(HIP, "medicine", NIGHTS)
    await registry.set_holidays(HIP, [Holiday(day_number(tuesday.date()), "Founder's day")])
    monday = MONDAY.replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    hours = {21: True, 24 + 1: True, 24 + 21: False, 48 + 1: False, 48 + 21: True}
    taken = [bool((await scan(clock, monday + timedelta(hours=hour))).token) for hour in hours]
    assert taken == list(hours.values())
    other = await clock.desk(**RATE).enqueue(arrival(text="R1"))
    assert other.token == "R-001"


@anyio_mark
async def test_store_and_pages_agree_at_every_moment(store: Store, clock: MovedClock) -> None:
    await build(store, timezone="America/St_Johns")
    zone, dice = ZoneInfo("America/St_Johns"), random.Random(7)
    spans = (450, 500, 900, 1_440, 2_000, 3_300, 9_500, 10_500)
    holidays = {day_number(MONDAY.date()) + number for number in (1, 6, 8)}
    registry = Registry(store)
    await registry.set_hours(HIP, "medicine", spans)
    await registry.set_holidays(HIP, [Holiday(day) for day in sorted(holidays)])
    minutes = sorted({edge + shift for edge in spans for shift in (-1, 0)} | set(dice.sample(range(3 * WEEK_MIN), 60)))
    for minute in minutes:
        moment = (MONDAY + timedelta(minutes=minute, seconds=20)).replace(tzinfo=zone)
        place = await scan(clock, moment)
        expected = is_within(spans, holidays, local_minute(clock.now_ms(), zone))
        assert (place.refusal is None) is expected, f"minute {minute}"


@anyio_mark
async def test_a_refused_scan_is_answered_with_the_next_opening(store: Store, clock: MovedClock) -> None:
    await build(store, timezone="Asia/Kolkata")
    registry = Registry(store)
    await registry.set_hours(HIP, "medicine", MORNINGS)
    await registry.set_holidays(HIP, [Holiday(day_number(MONDAY.date()) + 1, "Id")])
    evening = MONDAY.replace(hour=18, tzinfo=ZoneInfo("Asia/Kolkata"))
    await scan(clock, evening)
    (pending,) = await Outbox(store, "relay").take(wait_ms=10)
    assert pending.refusal is Refusal.CLOSED_QUEUE
    assert pending.closed
    assert pending.closed.opening == Opening(2, "2040-01-04", "09:00")
    snapshot = await clock.desk().snapshot(HIP)
    assert snapshot
    medicine, registration = snapshot.queues
    assert (medicine.open, medicine.opens, medicine.today) == (False, pending.closed.opening, ("09:00–14:00",))
    assert (registration.open, registration.opens, registration.hours) == (True, None, None)


@anyio_mark
async def test_the_event_of_a_refused_scan_says_whether_hours_or_staff_had_closed_the_queue(
    store: Store, clock: MovedClock
) -> None:
    await build(store, timezone="Asia/Kolkata")
    registry = Registry(store)
    await registry.set_hours(HIP, "medicine", MORNINGS)
    await registry.set_holidays(HIP, [Holiday(day_number(MONDAY.date()) + 1, "Id")])
    noon = MONDAY.replace(hour=12, tzinfo=ZoneInfo("Asia/Kolkata"))
    by_hours = []
    for hours, is_open in ((6, True), (24, True), (48, False), (54, False)):
        await registry.open_queue(HIP, "medicine", is_open)
        assert (await scan(clock, noon + timedelta(hours=hours))).refusal is Refusal.CLOSED_QUEUE, (
            "phones read the same"
        )
        event = (await EventLog(store).read(HIP)).events[-1]
        assert (event.kind, event.refusal) == (EventKind.SHARE_REFUSED, Refusal.CLOSED_QUEUE)
        by_hours.append(event.by_hours)
    assert by_hours == [True, True, False, False]


@anyio_mark
async def test_who_waits_when_the_queue_closes_keeps_the_place_and_is_called(store: Store, clock: MovedClock) -> None:
    await build(store, timezone="Asia/Kolkata")
    await Registry(store).set_hours(HIP, "medicine", MORNINGS)
    monday, patient = MONDAY.replace(tzinfo=ZoneInfo("Asia/Kolkata")), arrival()
    await clock.set_to(monday + timedelta(hours=13, minutes=50))
    desk = clock.desk(**RATE)
    assert (await desk.enqueue(patient)).token == "M-001"
    await clock.set_to(monday + timedelta(hours=15))
    desk = clock.desk(**RATE)
    known, stranger = await desk.enqueue(again(patient)), await desk.enqueue(arrival())
    assert (known.outcome, known.token, stranger.refusal) == (Outcome.SAME_PERSON, "M-001", Refusal.CLOSED_QUEUE)
    called = await desk.call_next(HIP, "M1", by="clerk")
    assert called.ticket
    assert (called.ticket.token, called.ticket.state) == ("M-001", State.CALLED)


@anyio_mark
async def test_a_clerk_may_take_somebody_at_any_hour_but_not_into_a_queue_closed_by_hand(
    store: Store, clock: MovedClock
) -> None:
    await build(store, timezone="Asia/Kolkata")
    registry = Registry(store)
    await registry.set_hours(HIP, "medicine", MORNINGS)
    await clock.set_to(MONDAY.replace(hour=22, tzinfo=ZoneInfo("Asia/Kolkata")))
    desk = clock.desk(**RATE)
    walk_in: dict[str, Any] = {"queue": "medicine", "assurance": Assurance.STAFF, "any_hour": True}
    assert (await desk.enqueue(arrival(**walk_in))).token == "M-001"
    await registry.open_queue(HIP, "medicine", False)
    assert (await desk.enqueue(arrival(**walk_in))).refusal is Refusal.CLOSED_QUEUE


@anyio_mark
async def test_a_queue_of_an_earlier_release_is_open(store: Store) -> None:
    await build(store)
    root = facility_root(HIP)
    old = {"id": "medicine", "name": "Medicine", "prefix": "M", "open": True, "limit": 99_999, "carry_over_min": 240}
    await store.call(root, "HSET", f"{root}:f", "q:medicine", msgspec.msgpack.encode(old))
    registry = Registry(store)
    hospital = await registry.hospital(HIP)
    assert hospital
    assert (hospital.queues[0].hours, hospital.holidays) == (None, ())
    await registry.set_holidays(HIP, [Holiday(day_number(datetime.now(UTC).date()) + shift) for shift in (-1, 0, 1)])
    clock = MovedClock(store)
    assert (await clock.desk().enqueue(arrival())).token == "M-001"


@anyio_mark
async def test_hours_that_cannot_be_are_refused(store: Store) -> None:
    await build(store)
    registry = Registry(store)
    for spans in (
        (540,),
        (840, 540),
        (540, 840, 800, 900),
        (540, 540 + DAY_MIN + 1),
        (0, 60, WEEK_MIN - 60, WEEK_MIN + 30),
    ):
        with pytest.raises(DoesNotFit):
            await registry.set_hours(HIP, "medicine", spans)
    with pytest.raises(UnknownQueue):
        await registry.set_hours(HIP, "nowhere", MORNINGS)
    await registry.set_hours(HIP, "medicine", MORNINGS)
    await registry.set_hours(HIP, "medicine", ())
    assert (await registry.queues(HIP))[0].hours is None


def test_the_next_opening_passes_over_holidays() -> None:
    monday = day_number(MONDAY.date())
    minute = monday * DAY_MIN + 15 * 60
    assert next_opening(MORNINGS, {monday + 1}, minute) == Opening(2, "2040-01-04", "09:00")
    assert next_opening((0, 60), (), monday * DAY_MIN) == Opening(7, "2040-01-09", "00:00")
    assert next_opening(MORNINGS, set(range(monday, monday + 80)), minute) is None


def test_todays_hours_in_words() -> None:
    monday = day_number(MONDAY.date())
    spans = (540, 780, 1_200, 1_560, DAY_MIN, 2 * DAY_MIN)
    assert not fault_of((540, 780, 1_200, 1_440, DAY_MIN, 2 * DAY_MIN))
    assert spans_of_day(spans, (), monday) == ("09:00–13:00", "20:00–02:00")
    assert spans_of_day(spans, (), monday + 1) == ("00:00–24:00",)
    assert spans_of_day(spans, {monday}, monday) == ()
