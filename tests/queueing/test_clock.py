"""After the clock ran ahead or was set back, numbers are given, correct scans are accepted and the order is kept."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from queueing import clock_health
from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.lanes import Lane
from queueing.models import Outcome, Place, Queue, State
from queueing.redis_keys import changes_key, facility_root, partition_of
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, again, arrival, build
from tests.queueing.moved_clock import MovedClock, moved_clock

pytestmark = pytest.mark.anyio

TEN_YEARS = 3_652
DAY_MS = 86_400_000


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedClock]:
    with moved_clock(store, monkeypatch) as moved:
        yield moved


async def scan(desk: OpdDesk, count: int = 1) -> list[Place]:
    places = [await desk.enqueue(arrival()) for _ in range(count)]
    assert {place.outcome for place in places} == {Outcome.NEW}, [place.refusal for place in places]
    return places


async def called(desk: OpdDesk, count: int) -> list[str]:
    moves = [await desk.call_next(HIP, "M1", by="clerk") for _ in range(count)]
    return [moved.ticket.token for moved in moves if moved.ticket]


async def next_tokens(desk: OpdDesk) -> tuple[str, ...]:
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    return snapshot.queues[0].next


async def test_numbers_continue_after_the_clock_was_ten_years_ahead_for_two_scans(
    store: Store, clock: MovedClock
) -> None:
    await build(store)
    desk = clock.desk()
    await clock.move(days=TEN_YEARS)
    await scan(desk, 2)
    await clock.move()
    places = await scan(desk, 30)
    assert [place.token for place in places] == [f"M-{n:03d}" for n in range(3, 33)]
    assert await called(desk, 4) == ["M-001", "M-002", "M-003", "M-004"]


async def test_with_people_in_line_before_the_jump_no_number_is_held_twice(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk, 5)
    await clock.move(days=TEN_YEARS)
    await scan(desk, 2)
    await clock.move()
    await scan(desk, 5)
    tokens = [ticket.token for ticket in await desk.tickets(HIP)]
    assert len(tokens) == len(set(tokens))


async def test_midnights_still_begin_new_days_after_the_clock_was_set_right(store: Store, clock: MovedClock) -> None:
    await build(store)
    own_day = Queue(id="medicine", name="Medicine", prefix="M", carry_over_min=0)
    # otherwise the test would carry people over when it runs in the evening
    await Registry(store).put_queue(HIP, own_day)
    desk = clock.desk()
    await clock.move(days=TEN_YEARS)
    left = (await scan(desk, 2))[0]
    await clock.move()
    await scan(desk, 3)
    await clock.move(days=1)
    assert (await scan(desk))[0].token == "M-001"
    ticket = await desk.ticket(HIP, left.ticket)
    assert ticket
    assert ticket.state is State.LAPSED
    await clock.move(days=2)
    assert (await scan(desk))[0].token == "M-001"


@pytest.mark.parametrize("minutes", [2, 3 * 60])
async def test_a_full_rate_measured_by_a_clock_ahead_refuses_nobody_later(
    store: Store, clock: MovedClock, minutes: int
) -> None:
    await build(store)
    desk = clock.desk(facility_rate=0.1, facility_burst=5)
    await clock.move(minutes=minutes)
    await scan(desk, 5)
    assert (await desk.enqueue(arrival())).outcome is Outcome.REFUSED
    await clock.move()
    await scan(desk, 5)
    assert (await desk.enqueue(arrival())).outcome is Outcome.REFUSED, "the limit itself still holds"


async def test_people_who_come_after_the_clock_went_back_are_called_after_earlier_people(
    store: Store, clock: MovedClock
) -> None:
    await build(store)
    desk = clock.desk()
    await clock.move(minutes=30)
    first = arrival(text="text of another system 1")
    await desk.enqueue(first)
    await scan(desk, 2)
    await clock.move()
    await scan(desk, 2)
    place = await desk.enqueue(arrival(lane=Lane.ORDINARY))
    assert place.ahead == 4
    await desk.check_in(HIP, (await desk.enqueue(again(first))).ticket, by="clerk")
    assert await next_tokens(desk) == ("M-002", "M-003", "M-004", "M-005", "M-006", "M-001")


async def test_a_machine_that_wakes_in_the_year_2000_goes_on_and_loses_nobody(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk, 3)
    await clock.move(days=-26 * 365)
    assert [place.token for place in await scan(desk, 2)] == ["M-004", "M-005"]
    await clock.move()
    assert [place.token for place in await scan(desk, 2)] == ["M-006", "M-007"]
    assert await next_tokens(desk) == tuple(f"M-{n:03d}" for n in range(1, 8))


async def test_gaps_between_calls_are_not_measured_over_a_clock_that_went_back(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk, 3)
    await clock.move(minutes=10)
    await called(desk, 1)
    await clock.move()
    await called(desk, 1)
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    assert snapshot.queues[0].pace_s == 0


async def test_healing_goes_back_to_the_day_and_people_lapsed_by_the_wrong_clock_wait_again(
    store: Store, clock: MovedClock
) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk, 5)
    await called(desk, 1)
    await clock.move(days=TEN_YEARS)
    await scan(desk, 2)
    await clock.move()
    await scan(desk, 1)
    assert await clock_health.heal(store, desk, by="asha") == 1
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    assert snapshot.day == datetime.now(ZoneInfo("Asia/Kolkata")).date().isoformat()
    assert snapshot.queues[0].next == ("M-004", "M-005", "M-001", "M-002", "M-003"), "numbers of today go first"
    assert (await scan(desk))[0].token == "M-006"
    assert await clock_health.heal(store, desk, by="asha") == 0
    tokens = [ticket.token for ticket in await desk.tickets(HIP)]
    assert len(tokens) == len(set(tokens))


async def test_healing_a_clock_that_is_right_changes_nothing(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk, 3)
    await called(desk, 1)
    before = await desk.tickets(HIP)
    assert await clock_health.heal(store, desk, by="asha") == 0
    assert await desk.tickets(HIP) == before


async def test_the_present_day_outlives_a_jump_of_the_clock(store: Store, clock: MovedClock) -> None:
    await build(store)
    await scan(clock.desk())
    root = facility_root(HIP)
    day = await store.call(root, "HGET", f"{root}:f", "day")
    assert isinstance(day, bytes)
    assert await store.call(root, "TTL", f"{root}:{day.decode()}") == -1


async def test_a_clock_that_ran_ahead_is_reported_until_it_is_healed(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    await scan(desk)
    assert await clock_health.clock_ran_ahead_ms(store) == 0
    key = changes_key(partition_of(facility_root(HIP)))
    await store.call(key, "XADD", key, f"{clock.now_ms() + 3 * DAY_MS}-0", "f", "facility")
    assert 2 * DAY_MS < await clock_health.clock_ran_ahead_ms(store) <= 3 * DAY_MS
    await scan(desk)
    await clock_health.heal(store, desk, by="asha")
    assert await clock_health.clock_ran_ahead_ms(store) == 0
    await store.call(key, "XADD", key, f"{clock.now_ms() + 4 * DAY_MS}-0", "f", "facility")
    assert await clock_health.clock_ran_ahead_ms(store) > 3 * DAY_MS


async def test_a_store_without_facilities_has_a_right_clock(store: Store) -> None:
    assert await Registry(store).count() == 0
    assert await clock_health.clock_ran_ahead_ms(store) == 0


async def test_an_unfinished_visit_of_the_night_lapses_at_the_next_midnight(store: Store, clock: MovedClock) -> None:
    await build(store)
    desk = clock.desk()
    [served] = await scan(desk)
    await desk.call_next(HIP, "M1", by="clerk")
    await desk.start(HIP, served.ticket, by="clerk")
    await clock.move(days=2)
    assert (await desk.recall(HIP, "M1", by="clerk")).outcome is Outcome.EMPTY
    ticket = await desk.ticket(HIP, served.ticket)
    assert ticket
    assert ticket.state is State.LAPSED


@pytest.mark.parametrize("callers_days", [-TEN_YEARS, TEN_YEARS, -2, 9])
async def test_a_caller_whose_clock_is_wrong_by_days_is_served_on_the_day_of_the_store(
    store: Store, clock: MovedClock, callers_days: int
) -> None:
    await build(store)
    await scan(clock.desk(), 2)
    wrong = OpdDesk(store, now_ms=lambda: clock.now_ms() + callers_days * DAY_MS)
    assert [place.token for place in await scan(wrong, 2)] == ["M-003", "M-004"]
    assert await called(wrong, 1) == ["M-001"]
    await clock.move(days=1)
    assert [place.token for place in await scan(wrong)] == ["M-001"], "the next midnight comes by the store's clock"
    assert [place.token for place in await scan(clock.desk())] == ["M-002"]


@pytest.mark.parametrize(
    ("store_days", "callers_days"),
    [
        pytest.param(TEN_YEARS, 0, id="the store's clock is the wrong one"),
        pytest.param(-TEN_YEARS, 0, id="it is behind the day"),
        pytest.param(3, 0, id="both days may be right"),
        pytest.param(5, TEN_YEARS, id="both are wrong"),
    ],
)
async def test_a_day_that_nobody_can_be_sure_of_is_refused(
    store: Store, clock: MovedClock, store_days: int, callers_days: int
) -> None:
    await build(store)
    await scan(clock.desk(), 2)
    now_ms = clock.now_ms()
    await clock.move(days=store_days)
    with pytest.raises(StoreRefused) as refused:
        await OpdDesk(store, now_ms=lambda: now_ms + callers_days * DAY_MS).enqueue(arrival())
    assert refused.value.code == "CLOCK"
    await clock.move()
    assert [place.token for place in await scan(clock.desk())] == ["M-003"], "nothing was written"
