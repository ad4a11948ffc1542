"""Changes name the facility that changed; new settings are used from the next call."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from queueing.feed import EVERYTHING, Feed
from queueing.models import Counter, Facility, Queue
from queueing.policy import Policy, PresenceRule
from queueing.redis_keys import ALL_PARTITIONS, changes_key, facility_key, facility_root, partition_of
from queueing.registry import DoesNotFit, PrefixTaken, Registry, UnknownCounter, UnknownFacility, UnknownQueue
from queueing.store.store import Store
from queueing.waiting import Pace, estimate
from tests.queueing.a_facility import HIP, arrival, build, open_desk

anyio_mark = pytest.mark.anyio


async def changes_sent(store: Store) -> int:
    """The number of changes in the store, over all partitions."""
    lengths = await asyncio.gather(*[store.call(key, "XLEN", key) for key in map(changes_key, ALL_PARTITIONS)])
    return sum(count for count in lengths if isinstance(count, int))


@anyio_mark
async def test_changes_name_the_facility_that_changed(store: Store) -> None:
    await build(store)
    desk = open_desk(store)
    changes = Feed(store).follow()
    async with asyncio.timeout(20):
        assert await anext(changes) == {EVERYTHING: True}
        await desk.enqueue(arrival())
        assert await anext(changes) == {facility_key(HIP): False}
        await desk.call_next(HIP, "M1", by="clerk")
        assert await anext(changes) == {facility_key(HIP): True}
    await changes.aclose()


@anyio_mark
async def test_old_changes_are_dropped_also_when_only_patients_come(store: Store) -> None:
    await build(store)
    desk, changes = open_desk(store), changes_key(partition_of(facility_root(HIP)))
    for _ in range(2):
        await asyncio.gather(*[store.call(changes, "XADD", changes, "*", "f", "old") for _ in range(3_000)])
    seen = Feed(store).follow()
    async with asyncio.timeout(20):
        assert await anext(seen) == {EVERYTHING: True}
        await desk.enqueue(arrival())
        assert await anext(seen) == {facility_key(HIP): False}
    await seen.aclose()
    left = await changes_sent(store)
    assert 4_096 <= left <= 5_000


@anyio_mark
async def test_arrivals_of_one_moment_make_one_change(store: Store) -> None:
    hips = [f"IN{number:010d}" for number in range(9)]
    registry = Registry(store)
    for hip in hips:
        await registry.put_facility(Facility(hip_id=hip, name="Hospital"))
        await registry.put_queue(hip, Queue(id="medicine", name="Medicine", prefix="M"), 1)
    desk = open_desk(store)
    changes = Feed(store).follow()
    async with asyncio.timeout(20):
        assert await anext(changes) == {EVERYTHING: True}
        before = await changes_sent(store)
        await asyncio.gather(*[desk.enqueue(arrival(facility=hip)) for hip in hips])
        assert await anext(changes) == {facility_key(hip): False for hip in hips}
    assert await changes_sent(store) == before + 1
    await changes.aclose()


@anyio_mark
async def test_a_facility_keeps_its_rules_when_it_is_imported_again(store: Store) -> None:
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id=HIP, name="Old name"))
    await registry.put_queue(HIP, Queue(id="q", name="Q", prefix="Q"), 2)
    await registry.set_policy(HIP, Policy(far=PresenceRule.REFUSE))
    await registry.put_facility(
        Facility(hip_id=HIP, name="New name", extra={"beds": "40"}, latitude=34.1, longitude=74.8)
    )
    found = await registry.facility(HIP)
    assert found
    assert (found.name, found.policy.far, found.default_queue, found.extra) == (
        "New name",
        PresenceRule.REFUSE,
        "q",
        {"beds": "40"},
    )
    assert [queue.id for queue in await registry.queues(HIP)] == ["q"]


@anyio_mark
async def test_settings_that_do_not_fit_are_named(store: Store) -> None:
    await build(store)
    registry = Registry(store)
    with pytest.raises(PrefixTaken):
        await registry.put_queue(HIP, Queue(id="other", name="Other", prefix="M"))
    with pytest.raises(UnknownFacility):
        await registry.put_queue("nowhere", Queue(id="q", name="Q", prefix="Q"))
    with pytest.raises(UnknownQueue):
        await registry.set_default_queue(HIP, "nowhere")
    with pytest.raises(UnknownQueue):
        await registry.put_counter(HIP, Counter(name="M9", queues=("nowhere",)))
    with pytest.raises(UnknownCounter):
        await registry.map_text(HIP, "poster", "Z9")


async def _put(registry: Registry, value: Queue | Counter | Facility) -> None:
    match value:
        case Queue():
            await registry.put_queue(HIP, value)
        case Counter():
            await registry.put_counter(HIP, value)
        case Facility():
            await registry.put_facility(value)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (Queue(id="a b", name="Q", prefix="Q"), "id"),
        (Queue(id="q" * 33, name="Q", prefix="Q"), "id"),
        (Queue(id="q\n", name="Q", prefix="Q"), "id"),
        (Queue(id="q", name="", prefix="Q"), "name"),
        (Queue(id="q", name="Q" * 101, prefix="Q"), "name"),
        (Queue(id="q", name="Q", prefix="QQQQ"), "prefix"),
        (Queue(id="q", name="Q", prefix="Q1"), "prefix"),
        (Queue(id="q", name="Q", prefix="Q", limit=0), "limit"),
        (Queue(id="q", name="Q", prefix="Q", limit=100_000), "limit"),
        (Counter(name="", queues=("medicine",)), "name"),
        (Counter(name="M9", queues=()), "queues"),
        (Counter(name="M9", queues=("medicine",), served_by="x" * 65), "served_by"),
        (Facility(hip_id="", name="Hospital"), "hip_id"),
        (Facility(hip_id="H" * 251, name="Hospital"), "hip_id"),
        (Facility(hip_id="H", name="Hospital", latitude=91.0), "latitude"),
    ],
)
@anyio_mark
async def test_a_field_outside_its_limits_is_refused_by_its_name(
    store: Store, value: Queue | Counter | Facility, field: str
) -> None:
    await build(store)
    with pytest.raises(DoesNotFit) as refused:
        await _put(Registry(store), value)
    assert refused.value.field == field


@anyio_mark
async def test_facilities_are_listed_page_by_page(store: Store) -> None:
    registry = Registry(store)
    for number in range(7):
        await registry.put_facility(Facility(hip_id=f"IN{number}", name=f"Hospital {number}"))
    first = await registry.facilities(limit=4)
    second = await registry.facilities(after=first[-1].hip_id, limit=4)
    assert [one.hip_id for one in [*first, *second]] == [f"IN{number}" for number in range(7)]
    assert await registry.count() == 7


@anyio_mark
async def test_adding_counters_again_keeps_those_that_were_changed(store: Store) -> None:
    await build(store)
    registry = Registry(store)
    await registry.open_counter(HIP, "M2", False)
    await registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M"), 4)
    counters = {counter.name: counter.open for counter in await registry.counters(HIP) if counter.name[0] == "M"}
    assert counters == {"M1": True, "M2": False, "M3": True, "M4": True}


@anyio_mark
async def test_snapshot_and_hospital_have_who_serves_at_a_counter_in_its_display_form(store: Store) -> None:
    await build(store)
    registry = Registry(store)
    await registry.put_counter(HIP, Counter(name="M1", queues=("medicine",), served_by=" डॉ. आशा\u202e\x1b कुमारी\n"))
    await registry.open_counter(HIP, "M1", False)
    snapshot, hospital = await open_desk(store).snapshot(HIP), await registry.hospital(HIP)
    assert snapshot
    assert hospital
    for counters in (snapshot.counters, hospital.counters):
        assert next(one for one in counters if one.name == "M1").served_by == "डॉ. आशा कुमारी"
        assert {one.served_by for one in counters if one.name != "M1"} == {""}


class EarlierCounter(Struct, frozen=True, kw_only=True):
    """A counter as releases before ``served_by`` pack and read it."""

    name: str
    queues: tuple[str, ...]
    open: bool = True


@anyio_mark
async def test_counters_of_this_and_of_an_earlier_release_are_read_by_both(store: Store) -> None:
    await build(store)
    registry, record = Registry(store), f"{facility_root(HIP)}:f"
    await registry.put_counter(HIP, Counter(name="M1", queues=("medicine",), served_by="Dr. Asha Kumari"))
    packed = await store.call(facility_root(HIP), "HGET", record, "k:M1")
    assert isinstance(packed, bytes)
    earlier = msgspec.msgpack.decode(packed, type=EarlierCounter)
    assert earlier == EarlierCounter(name="M1", queues=("medicine",))
    await store.call(facility_root(HIP), "HSET", record, "k:M1", msgspec.msgpack.encode(earlier))
    assert next(one for one in await registry.counters(HIP) if one.name == "M1").served_by == ""
    snapshot = await open_desk(store).snapshot(HIP)
    assert snapshot
    assert {one.served_by for one in snapshot.counters} == {""}


@given(st.integers(0, 500), st.integers(1, 1200), st.integers(0, 1200), st.integers(5, 20))
def test_an_estimate_is_a_range_around_the_mean_whose_end_grows_with_the_line(
    ahead: int, mean_s: int, deviation_s: int, calls: int
) -> None:
    pace = Pace(mean_s=mean_s, deviation_s=deviation_s, calls=calls)
    now, later = estimate(ahead, pace, None, 0), estimate(ahead + 1, pace, None, 0)
    assert now
    assert later
    assert 0 <= now.low_min * 60 <= (ahead + 1) * mean_s <= now.high_min * 60
    assert now.high_min <= later.high_min


def test_from_fewer_than_five_gaps_there_is_no_estimate() -> None:
    assert estimate(5, Pace(mean_s=60, deviation_s=10, calls=4), None, 0) is None
    assert estimate(5, Pace(mean_s=60, deviation_s=10, calls=5), None, 0) is not None
