"""Targets: who is told, how far each is, and that no writing overwrites another."""

import asyncio

import pytest

from queueing import targets as limits
from queueing.event_log import OLDEST, EventLog
from queueing.redis_keys import ALL_PARTITIONS, facility_key
from queueing.store.store import Store
from queueing.targets import (
    EVERY_FACILITY,
    Delivery,
    DeliveryFacts,
    EventRef,
    FailedTicket,
    NoSuchTarget,
    ParkedEvent,
    Saved,
    Target,
    TargetKind,
    Targets,
    TooManyTargets,
    new_id,
    partitions_of,
)
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio
LIFE_MS = 15_000


def webhook(facility: str = HIP) -> Target:
    return Target(
        id=new_id(TargetKind.WEBHOOK), kind=TargetKind.WEBHOOK, facility=facility, address="https://hmis.example/events"
    )


def ref(number: int) -> EventRef:
    return EventRef(facility_key(HIP), f"{number}-0", f"{facility_key(HIP)}-{number}-0")


def delivery(number: int) -> Delivery:
    return Delivery(number, ref(number), "ticket.called", "M-001", "delivered", "200", 12, "ok", 1)


def nobody_ended(_name: str) -> bool:
    return False


async def test_a_new_target_begins_behind_the_newest_event(store: Store) -> None:
    await build(store)
    desk, targets = open_desk(store), Targets(store)
    await desk.enqueue(arrival())
    target = webhook()
    await targets.add(target)
    state = await targets.one(target.id)
    (partition,) = partitions_of(target)
    assert (state.target, state.progress.cursors) == (target, {partition: await EventLog(store).newest(HIP)})
    assert state.progress.cursors[partition] != OLDEST


async def test_a_target_of_all_facilities_has_a_cursor_for_each_partition(store: Store) -> None:
    targets, target = Targets(store), webhook(EVERY_FACILITY)
    await targets.add(target)
    assert (await targets.one(target.id)).progress.cursors.keys() == set(ALL_PARTITIONS)
    assert [one.id for one in await targets.of(HIP)] == [target.id]


async def test_a_reader_that_knows_the_version_gets_nothing(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    version, rows = await targets.read("")
    assert (rows, await targets.read(version)) == ([(target, 1)], (version, []))
    await targets.switch_off(target.id, "410")
    changed, rows = await targets.read(version)
    assert (changed != version, [one.off for one, _ in rows]) == (True, ["410"])


async def test_a_removed_target_is_gone_with_everything(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    assert (await targets.remove(target.id), await targets.remove(target.id)) == (True, False)
    with pytest.raises(NoSuchTarget):
        await targets.one(target.id)
    with pytest.raises(NoSuchTarget):
        await targets.switch_off(target.id, "410")


async def test_a_facility_and_the_service_have_a_most(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = Targets(store)
    monkeypatch.setattr(limits, "TARGETS_OF_FACILITY", 1)
    await targets.add(webhook())
    with pytest.raises(TooManyTargets):
        await targets.add(webhook())
    monkeypatch.setattr(limits, "TARGETS_MAX", 2)
    await targets.add(webhook(EVERY_FACILITY))
    with pytest.raises(TooManyTargets):
        await targets.add(webhook(EVERY_FACILITY))


async def test_one_role_has_the_lease_and_a_dead_one_loses_it_at_once(store: Store) -> None:
    targets = Targets(store)
    assert await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    assert not await targets.take_lease("two-2", LIFE_MS, nobody_ended)
    assert await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    assert await targets.take_lease("two-2", LIFE_MS, "one-1".__eq__)
    await targets.give_lease_back("one-1")
    assert not await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    await targets.give_lease_back("two-2")
    assert await targets.take_lease("one-1", LIFE_MS, nobody_ended)


async def test_a_lease_ends_by_itself(store: Store) -> None:
    targets = Targets(store)
    assert await targets.take_lease("one-1", 50, nobody_ended)
    await asyncio.sleep(0.1)
    assert await targets.take_lease("two-2", LIFE_MS, nobody_ended)


async def test_only_the_holder_of_the_lease_writes(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    state = await targets.one(target.id)
    saved = Saved(id=target.id, generation=1, progress=state.progress, deliveries=[delivery(1)])
    assert await targets.save("one-1", [saved]) == []
    assert await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    assert await targets.save("one-1", [saved]) == [2]
    assert (await targets.one(target.id)).deliveries == [delivery(1)]


async def test_a_writing_that_read_an_old_generation_changes_nothing(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    before = await targets.one(target.id)
    await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    await targets.replay(target.id, "5")
    late = Saved(id=target.id, generation=before.generation, progress=before.progress, deliveries=[delivery(1)])
    assert await targets.save("one-1", [late]) == [0]
    after = await targets.one(target.id)
    assert (set(after.progress.cursors.values()), after.deliveries) == ({"5-0"}, [])


async def test_the_newest_hundred_deliveries_are_kept(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    progress = (await targets.one(target.id)).progress
    rows = [delivery(number) for number in range(130)]
    await targets.save("one-1", [Saved(id=target.id, generation=1, progress=progress, deliveries=rows)])
    assert (await targets.one(target.id)).deliveries == rows[:29:-1]


async def test_replay_forgets_failures_behind_the_cursor_and_keeps_those_before_it(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    progress = (await targets.one(target.id)).progress
    progress.failed = [FailedTicket("a", 2, 9, 1, [ref(4), ref(6)]), FailedTicket("b", 2, 9, 1, [ref(7)])]
    progress.parked = [ParkedEvent(ref(3), "ticket.called", "M-001", 1), ParkedEvent(ref(8), "ticket.done", "M-002", 1)]
    progress.down_since_ms = progress.failures = 30
    await targets.save("one-1", [Saved(id=target.id, generation=1, progress=progress)])
    await targets.replay(target.id, "5-0")
    after = (await targets.one(target.id)).progress
    assert [one.events for one in after.failed] == [[ref(4)]]
    assert [one.ref for one in after.parked] == [ref(3)]
    assert (after.down_since_ms, after.failures) == (0, 0)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "5-", "5--1", "٥", "5-0 "])
async def test_replay_refuses_what_is_no_cursor(store: Store, cursor: str) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    with pytest.raises(ValueError, match="not a cursor"):
        await targets.replay(target.id, cursor)


async def test_a_parked_event_is_sent_again_once(store: Store) -> None:
    targets, target = Targets(store), webhook()
    await targets.add(target)
    await targets.take_lease("one-1", LIFE_MS, nobody_ended)
    progress = (await targets.one(target.id)).progress
    progress.parked = [ParkedEvent(ref(3), "ticket.called", "M-001", 1)]
    await targets.save("one-1", [Saved(id=target.id, generation=1, progress=progress)])
    await targets.send_again(target.id, ref(3), 77)
    await targets.send_again(target.id, ref(3), 78)
    after = (await targets.one(target.id)).progress
    assert (after.parked, [(one.events, one.next_ms) for one in after.failed]) == ([], [([ref(3)], 78)])


async def test_two_facilities_switch_profiles_on_at_once_and_both_stand(store: Store) -> None:
    targets, target = Targets(store), webhook(EVERY_FACILITY)
    await targets.add(target)
    hips = [f"IN{number}" for number in range(6)]
    await asyncio.gather(*(targets.allow_profiles(target.id, hip, "admin") for hip in hips))
    await targets.allow_profiles(target.id, hips[0], "")
    assert (await targets.one(target.id)).target.profiles_on == dict.fromkeys(hips[1:], "admin")


async def test_what_the_role_says_of_itself_is_read_back(store: Store) -> None:
    targets = Targets(store)
    assert await targets.facts() is None
    await targets.write_facts(DeliveryFacts(5, {"webhook": 3}))
    assert await targets.facts() == DeliveryFacts(5, {"webhook": 3})
