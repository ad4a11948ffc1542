"""The last change of a setting can be taken back, once, and stands in the audit."""

import pytest

from queueing.audit import Actor, Audit
from queueing.last_changes import ChangedSince, LastChanges
from queueing.models import Queue
from queueing.policy import Policy, PresenceRule
from queueing.registry import PrefixTaken, Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, build

pytestmark = pytest.mark.anyio
IMRAN, SARA = Actor(login="imran", address="10.0.0.1"), Actor(login="sara", address="10.0.0.2")


async def test_what_was_set_before_is_set_again_and_that_can_be_taken_back_too(store: Store) -> None:
    await build(store)
    registry, last = Registry(store), LastChanges(store)
    assert await last.of(HIP) == {}, "what is new replaced nothing"
    await registry.acting(IMRAN).set_policy(HIP, Policy(far=PresenceRule.REFUSE, near_m=300, rate=7.5))
    change = (await last.of(HIP))["policy"]
    assert (change.by, change.policy) == ("imran", Policy())
    await last.take_back(HIP, "policy", change.mark, SARA)
    facility = await registry.facility(HIP)
    assert facility is not None
    assert facility.policy == Policy()
    undone = (await last.of(HIP))["policy"]
    assert (undone.by, undone.policy.near_m) == ("sara", 300)
    entry = (await Audit(store).read(HIP, limit=1))[0]
    assert (entry.kind, entry.by, entry.why) == ("admin_take-back", "sara", "policy")
    await last.take_back(HIP, "policy", undone.mark, SARA)
    facility = await registry.facility(HIP)
    assert facility is not None
    assert facility.policy.rate == 7.5


async def test_a_change_that_is_not_the_last_any_more_is_left_alone(store: Store) -> None:
    await build(store)
    registry, last = Registry(store), LastChanges(store)
    await registry.acting(IMRAN).open_queue(HIP, "medicine", False)
    first = (await last.of(HIP))["queue"]
    assert first.name == "medicine"
    await registry.acting(SARA).open_queue(HIP, "registration", False)
    with pytest.raises(ChangedSince):
        await last.take_back(HIP, "queue", first.mark, IMRAN)
    with pytest.raises(ChangedSince):
        await last.take_back(HIP, "counter", first.mark, IMRAN)
    assert [queue.open for queue in await registry.queues(HIP)] == [False, False]
    assert {entry.kind for entry in await Audit(store).read(HIP)} == {"admin_queue-open"}


async def test_every_kind_of_setting_goes_back_and_a_change_of_nothing_is_none(store: Store) -> None:
    await build(store)
    registry, last = Registry(store).acting(IMRAN), LastChanges(store)
    before = await registry.hospital(HIP)
    assert before is not None
    await registry.put_facility(before.facility)
    await registry.set_policy(HIP, before.facility.policy)
    assert await last.of(HIP) == {}
    await registry.open_counter(HIP, "M1", False)
    await registry.set_default_queue(HIP, "registration")
    await registry.map_text(HIP, "old poster", "M1")
    await registry.set_networks(HIP, ["10.20.0.0/16"])
    await registry.set_copy_templates(HIP, b"templates")
    await registry.put_queue(HIP, Queue(id="medicine", name="Other", prefix="M", limit=5))
    changes = await last.of(HIP)
    assert set(changes) == {"counter", "default", "text", "networks", "copy", "queue"}
    for kind, change in changes.items():
        await last.take_back(HIP, kind, change.mark, SARA)
    assert await Registry(store).hospital(HIP) == before
    assert (await registry.texts(HIP), await registry.copy_templates(HIP)) == ({}, None)


async def test_a_prefix_that_another_queue_took_meanwhile_is_not_taken_from_it(store: Store) -> None:
    await build(store)
    registry, last = Registry(store), LastChanges(store)
    await registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="A"))
    change = (await last.of(HIP))["queue"]
    await registry.put_queue(HIP, Queue(id="minor", name="Minor surgery", prefix="M"))
    with pytest.raises(PrefixTaken):
        await last.take_back(HIP, "queue", change.mark, IMRAN)
