"""The range of a wait holds four times in five, on simulated days, and is made of the gaps that the store measures."""

from statistics import fmean, stdev

import pytest

from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build
from tests.queueing.moved_clock import moved_clock
from tests.queueing.simulated_days import DAYS, KINDS, Kind, result_of

FOUR_IN_FIVE = 0.8
QUICK_DAYS = 3
ROOM = 0.1
"""Three days are few: a specialist has hundred looks in them."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.partition(",")[0])
def test_the_range_holds_on_a_few_simulated_days(kind: Kind) -> None:
    assert result_of(kind, QUICK_DAYS).inside >= FOUR_IN_FIVE - ROOM


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.partition(",")[0])
def test_the_range_holds_four_times_in_five(kind: Kind) -> None:
    assert result_of(kind, DAYS).inside >= FOUR_IN_FIVE


@pytest.mark.anyio
async def test_the_store_measures_mean_and_deviation_of_the_gaps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await build(store)
    with moved_clock(store, monkeypatch) as clock:
        desk = clock.desk()
        for _ in range(8):
            await desk.enqueue(arrival())
        minutes, gaps = 0, [1, 4, 2, 9, 3, 25]  # the last one was a pause
        for gap in (0, *gaps):
            minutes += gap
            await clock.move(minutes=minutes)
            await desk.call_next(HIP, "M1", by="asha")
        snapshot = await desk.snapshot(HIP)
    assert snapshot
    pace = snapshot.queues[0].pace
    seconds = [gap * 60 for gap in gaps[:-1]]
    assert pace.calls == len(seconds)
    assert pace.mean_s == pytest.approx(fmean(seconds), abs=1)
    assert pace.deviation_s == pytest.approx(stdev(seconds), abs=1)
