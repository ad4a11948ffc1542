"""The range of a wait holds four times in five, in simulated weeks, and is made of the gaps that the store measures and
of the usual day that it was told.
"""

from itertools import accumulate
from statistics import fmean, stdev

import pytest

from queueing.desk import OpdDesk
from queueing.redis_keys import facility_root
from queueing.store.store import Store
from queueing.usual_paces import KEEP_S, UsualDay, write_usual_days
from queueing.waiting import Pace, Usual, estimate
from tests.queueing.a_facility import DAY_MS, HIP, arrival, build, kolkata, open_desk
from tests.queueing.moved_clock import moved_clock
from tests.queueing.simulated_weeks import EARLY_GAPS, HOSPITALS, KINDS, Kind, looks_of, result_of

FOUR_IN_FIVE = 0.8
ROOM = 0.15
"""One week in one hospital is little: its days are alike."""
BEGINS_MS = 1_790_000_000_000
USUAL = Usual(from_ms=BEGINS_MS, gaps_s=(0, 60, 60, 30, 30), spread=20)
NOTHING = Pace(mean_s=0, deviation_s=0, calls=0)
HALF_HOUR_MS = 1_800_000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.partition(",")[0])
def test_the_range_holds_in_a_simulated_week(kind: Kind) -> None:
    assert result_of(looks_of(kind, 1, 1)).inside >= FOUR_IN_FIVE - ROOM


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.partition(",")[0])
def test_the_range_holds_four_times_in_five_and_is_better_for_what_was_learned(kind: Kind) -> None:
    looks = looks_of(kind, HOSPITALS)
    every, early = result_of(looks), result_of([look for look in looks if look.calls <= EARLY_GAPS])
    assert min(every.inside, early.inside) >= FOUR_IN_FIVE
    ours, usual, _, *plain = every.errors_min
    assert ours <= usual
    assert ours < min(plain)


def test_before_the_first_call_the_usual_day_says_how_long_it_takes() -> None:
    gate = estimate(9, NOTHING, USUAL, BEGINS_MS)
    later = estimate(9, NOTHING, USUAL, BEGINS_MS + HALF_HOUR_MS)
    assert gate
    assert later
    assert gate.low_min < 40 < gate.high_min, "half an hour until the first call, and ten calls of a minute"
    assert later.low_min < 10 < later.high_min < gate.high_min
    assert estimate(9, NOTHING, None, BEGINS_MS) is None


def test_a_day_that_does_not_begin_is_no_usual_day() -> None:
    assert estimate(9, NOTHING, USUAL, BEGINS_MS + 4 * HALF_HOUR_MS) is None


def test_what_today_shows_counts_more_the_more_calls_there_were() -> None:
    at_ms = BEGINS_MS + HALF_HOUR_MS
    slow = [estimate(19, Pace(mean_s=180, deviation_s=60, calls=calls), USUAL, at_ms) for calls in (5, 20)]
    usual = estimate(19, Pace(mean_s=60, deviation_s=60, calls=20), USUAL, at_ms)
    assert usual
    assert all(slow)
    assert usual.high_min < slow[0].high_min < slow[1].high_min  # type: ignore[union-attr]  # all are known


def test_after_the_usual_end_today_alone_counts() -> None:
    pace = Pace(mean_s=60, deviation_s=20, calls=9)
    assert estimate(3, pace, USUAL, BEGINS_MS + 6 * HALF_HOUR_MS) == estimate(3, pace, None, 0)


@pytest.mark.anyio
async def test_the_store_measures_mean_and_deviation_of_the_gaps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await build(store)
    with moved_clock(store, monkeypatch) as clock:
        desk = clock.desk()
        for _ in range(12):
            await desk.enqueue(arrival())

        async def pace_at(minute: int, *, after_a_call: bool = True) -> Pace:
            await clock.move(minutes=minute)
            if after_a_call:
                await desk.call_next(HIP, "M1", by="asha")
            snapshot = await desk.snapshot(HIP)
            assert snapshot
            return snapshot.queues[0].pace

        gaps = [1, 4, 2, 9, 3]
        *_, pace, paused = [await pace_at(minute) for minute in accumulate((0, *gaps, 25))]  # the last one was a pause
        rests = sum(gaps) + 25 + 121
        over = await pace_at(rests, after_a_call=False)
        anew, one, two = [await pace_at(minute) for minute in (rests, rests + 2, rests + 6)]
    assert pace == paused
    assert pace.calls == len(gaps)
    assert pace.mean_s == pytest.approx(fmean(gap * 60 for gap in gaps), abs=1)
    assert pace.deviation_s == pytest.approx(stdev(gap * 60 for gap in gaps), abs=1)
    assert over == anew == NOTHING, "two hours later another session begins"
    assert (one.calls, two.calls) == (1, 2)
    assert two.mean_s == pytest.approx(180, abs=1)


@pytest.mark.anyio
async def test_a_snapshot_has_the_usual_day_of_its_weekday(store: Store) -> None:
    await build(store)
    clock = kolkata()
    desk = open_desk(store, clock)
    now, offset, *_ = clock.values()
    weekday = ((now + offset) // DAY_MS + 3) % 7
    usual = UsualDay(first_s=9 * 3600, gaps_s=(0, 70, 35), spread=20)
    days = {(weekday, "medicine"): usual, ((weekday + 1) % 7, "registration"): usual}
    await write_usual_days(store, HIP, days)
    midnight_ms = (now + offset) // DAY_MS * DAY_MS - offset
    expected = Usual(from_ms=midnight_ms + 9 * 3_600_000, gaps_s=(0, 70, 35), spread=20)
    assert await seen(desk) == {"medicine": expected, "registration": None}
    clock.moved_ms = DAY_MS
    assert (await seen(desk))["medicine"] is None
    assert (await seen(desk))["registration"]
    clock.moved_ms = 0
    root = facility_root(HIP)
    assert 0 < int(await store.call(root, "TTL", f"{root}:y")) <= KEEP_S  # type: ignore[arg-type]  # a number
    await write_usual_days(store, HIP, {})
    assert await seen(desk) == {"medicine": None, "registration": None}


async def seen(desk: OpdDesk) -> dict[str, Usual | None]:
    snapshot = await desk.snapshot(HIP)
    assert snapshot
    return {queue.id: queue.usual for queue in snapshot.queues}


@pytest.mark.anyio
async def test_a_facility_that_is_not_registered_learns_nothing(store: Store) -> None:
    await write_usual_days(store, HIP, {(0, "medicine"): UsualDay(first_s=0, gaps_s=(60,), spread=20)})
    root = facility_root(HIP)
    assert await store.call(root, "EXISTS", f"{root}:y") == 0
