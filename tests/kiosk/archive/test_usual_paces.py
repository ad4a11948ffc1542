"""What the archive learns of past days reaches the pages: by queue, weekday and half hour, and nothing of anybody."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import count

import pytest

from kiosk.archive import public_events
from kiosk.archive import role as role_module
from kiosk.archive.database import Database
from kiosk.archive.places import Place
from kiosk.archive.usual_paces import Slot, day_of, learned, usual_days
from queueing.event_log import Event, EventKind
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, State, Ticket
from queueing.redis_keys import facility_key
from queueing.store.store import Store
from queueing.waiting import SLOT_S
from tests.kiosk.archive.archived import ZONE, at_work, new_ring, parts, seal_of, until
from tests.queueing.a_facility import HIP, build, open_desk

KEY = facility_key(HIP)
NINE_S = 9 * 3600
NINE = NINE_S // SLOT_S
_numbers: Iterator[int] = count(1)


def test_a_half_hour_counts_while_somebody_waited() -> None:
    """One comes at nine; the doctor at 9:20. Nobody waits from 9:25 to 9:50, and the last wait goes past ten."""
    minutes = [(0, 20), (10, 25), (50, 62)]
    day = day_of((NINE_S + came * 60, NINE_S + called * 60) for came, called in minutes)
    assert day == {NINE: Slot(1500, 2), NINE + 1: Slot(600, 0), NINE + 2: Slot(120, 1)}


def test_a_weekday_has_its_own_gaps_and_a_doctor_who_is_late_is_in_them() -> None:
    """On Mondays the first half hour passes without a call and others have fifteen; on Tuesdays each has thirty. In one
    nobody waits on Mondays: what is known of Tuesdays stands there.
    """
    mondays = [(0, {NINE: Slot(1800, 0), NINE + 1: Slot(1800, 15), NINE + 3: Slot(1800, 15)})] * 20
    tuesdays = [(1, {NINE + slot: Slot(1800, 30) for slot in range(4)})] * 20
    usual = usual_days([*mondays, *tuesdays])
    assert usual[0].first_s == usual[1].first_s == NINE_S
    assert usual[0].gaps_s == pytest.approx((1320, 115, 60, 115), rel=0.1)
    assert usual[1].gaps_s == pytest.approx((60, 60, 60, 60), rel=0.1)


def test_of_three_days_nothing_is_usual() -> None:
    day = {NINE: Slot(1800, 30)}
    assert usual_days([(0, day)] * 3) == {}
    assert usual_days([(0, day)] * 4).keys() == {0}


def test_days_that_differ_make_the_range_wider() -> None:
    alike = [(0, {NINE: Slot(1800, 30)})] * 6
    mixed = [(0, {NINE: Slot(1800, calls)}) for calls in (10, 50, 20, 45, 15, 40)]
    assert usual_days(alike)[0].spread < usual_days(mixed)[0].spread <= 100


def test_a_queue_in_which_nobody_is_ever_called_has_no_usual_day() -> None:
    assert usual_days([(0, {NINE: Slot(1800, 0)})] * 6) == {}


def event(day: date, minute: int, ticket: str, kind: EventKind, state: State, queue: str) -> Event:
    at_ms = round(datetime.combine(day, time_of_day(9), ZONE).timestamp() * 1000) + minute * 60_000
    cursor = f"{at_ms}-{next(_numbers)}"
    stands = Ticket(
        id=ticket, token="M-001", queue=queue, state=state, lane=Lane.ORDINARY, assurance=Assurance.SCREEN,
        nearness=Nearness.UNKNOWN, counter="", arrived_ms=at_ms, called_ms=0, started_ms=0, ended_ms=0, calls=0,
        ahead=0, request="",
    )  # fmt: skip
    return Event(
        id=f"{KEY}-{cursor}", cursor=cursor, facility_key=KEY, kind=kind, at_ms=at_ms, by="", ticket=stands, request=""
    )


def day_at_two_stops(day: date) -> Iterator[Event]:
    """Twenty stand at nine. Registration calls one each minute from 9:10 and sends them on to medicine, which calls
    one each three minutes from 9:30. One leaves, one is called from the bench.
    """
    for number in range(20):
        yield event(day, 0, f"{day}-{number}", EventKind.CREATED, State.WAITING, "registration")
    yield event(day, 1, f"{day}-90", EventKind.CREATED, State.WAITING, "registration")
    yield event(day, 9, f"{day}-90", EventKind.CANCELLED, State.CANCELLED, "registration")
    later = []
    for number in range(20):
        ticket = f"{day}-{number}"
        later += [
            event(day, 10 + number, ticket, EventKind.CALLED, State.CALLED, "registration"),
            event(day, 10 + number, ticket, EventKind.TRANSFERRED, State.WAITING, "medicine"),
            event(day, 30 + 3 * number, ticket, EventKind.CALLED, State.CALLED, "medicine"),
        ]
    yield from sorted(later, key=lambda one: one.at_ms)
    yield event(day, 300, f"{day}-3", EventKind.CALLED, State.CALLED, "medicine")


def write_weeks(database: Database, last: date, days: int) -> None:
    happened = [one for back in range(days) for one in day_at_two_stops(last - timedelta(days=back))]
    with database.writing() as connection:
        public_events.add(connection, happened, {KEY: Place(HIP, ZONE)})


def test_the_waits_of_each_stop_are_learned_from_the_moves(database: Database) -> None:
    database.prepare()
    today = datetime.now(ZONE).date()
    write_weeks(database, today, 8)
    with database.reading() as connection:
        usual = learned(connection, HIP, today, ZONE)
        assert learned(connection, HIP, today - timedelta(days=7), ZONE) == {}, "no day is before all of them"
        assert learned(connection, "IN0110000456", today, ZONE) == {}
    yesterday = (today - timedelta(days=1)).weekday()
    assert {queue for _, queue in usual} == {"registration", "medicine"}
    registration, medicine = usual[yesterday, "registration"], usual[yesterday, "medicine"]
    assert (registration.first_s, registration.gaps_s) == (NINE_S, (round(29 * 60 / 20),))
    assert medicine.first_s == NINE_S
    assert medicine.gaps_s == (0, 180, 162), "nobody is called in the first half hour, and it stands from 9:10"


@pytest.mark.anyio
async def test_the_role_tells_the_pages(store: Store, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role_module, "LEARN_EVERY_S", 0.05)
    await build(store, timezone="Asia/Kolkata")
    database.prepare()
    write_weeks(database, datetime.now(ZONE).date() - timedelta(days=1), 8)
    desk, ring = open_desk(store), new_ring()

    async def is_known() -> bool:
        snapshot = await desk.snapshot(HIP)
        return snapshot is not None and all(queue.usual for queue in snapshot.queues)

    assert not await is_known()
    async with at_work(parts(store, database, desk, await seal_of(ring, store), ring)):
        await until(is_known)
    snapshot = await desk.snapshot(HIP)
    medicine = snapshot.queues[0] if snapshot else None
    assert medicine
    assert medicine.usual
    assert medicine.usual.gaps_s == (0, 180, 162)
    begins = datetime.fromtimestamp(medicine.usual.from_ms / 1000, ZONE)
    assert (begins.hour, begins.minute) == (9, 0)
