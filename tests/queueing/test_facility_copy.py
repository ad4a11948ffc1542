"""A facility gets queues, counters and rules from a template; nothing that is there is changed."""

import pytest

from queueing import facility_copy
from queueing.facility_copy import CopyPlan, Why
from queueing.models import Counter, Facility, Queue
from queueing.policy import Policy, PresenceRule
from queueing.registry import Hospital, Registry
from queueing.store.store import Store

pytestmark = pytest.mark.anyio
TEMPLATE, NEW = "IN0110000001", "IN0110000002"
RULES = Policy(far=PresenceRule.REFUSE, near_m=300, no_show_after_s=120)


@pytest.fixture
async def registry(store: Store) -> Registry:
    """A template with two queues, three counters and rules of its own; and a facility with nothing."""
    made = Registry(store)
    await made.put_facility(Facility(hip_id=TEMPLATE, name="Template"))
    await made.put_facility(Facility(hip_id=NEW, name="New Hospital"))
    eye = Queue(id="eye", name="Eye OPD", prefix="E", names={"hi": "नेत्र"}, limit=90)
    await made.put_queue(TEMPLATE, Queue(id="medicine", name="Medicine", prefix="M"), 1)
    await made.put_queue(TEMPLATE, eye, 1)
    await made.put_counter(TEMPLATE, Counter(name="Z9", queues=("eye", "medicine"), open=False))
    await made.set_policy(TEMPLATE, RULES)
    await made.set_default_queue(TEMPLATE, "eye")
    await made.map_text(TEMPLATE, "old poster", "Z9")
    return made


async def hospital(registry: Registry, hip: str) -> Hospital:
    found = await registry.hospital(hip)
    assert found
    return found


async def planned(registry: Registry) -> CopyPlan:
    return facility_copy.plan(await hospital(registry, TEMPLATE), await hospital(registry, NEW))


async def test_an_empty_facility_gets_what_the_template_has(registry: Registry) -> None:
    template, plan = await hospital(registry, TEMPLATE), await planned(registry)
    assert not (await hospital(registry, NEW)).queues, "a plan writes nothing"
    await facility_copy.make(registry, plan)
    copied = await hospital(registry, NEW)
    assert (copied.queues, copied.counters) == (template.queues, template.counters)
    assert (copied.facility.policy, copied.facility.default_queue) == (RULES, "eye")
    assert copied.facility.name == "New Hospital"
    assert await registry.texts(NEW) == {}
    again = await planned(registry)
    assert again.makes_nothing
    assert {one.why for one in again.left_out} == {Why.THERE}


async def test_who_serves_at_a_counter_is_not_copied(registry: Registry) -> None:
    await registry.put_counter(TEMPLATE, Counter(name="Z9", queues=("eye",), served_by="Dr. Asha Kumari"))
    await facility_copy.make(registry, await planned(registry))
    assert [one.served_by for one in await registry.counters(NEW)] == ["", "", ""]


async def test_what_is_there_stays_as_it_is(registry: Registry) -> None:
    own_rules = Policy(near_m=50)
    await registry.put_queue(NEW, Queue(id="medicine", name="Own Medicine", prefix="OM"), 1)
    await registry.put_queue(NEW, Queue(id="ent", name="ENT", prefix="E"), 0)
    await registry.set_policy(NEW, own_rules)
    before, plan = await hospital(registry, NEW), await planned(registry)
    left = {(one.kind, one.name): one.why for one in plan.left_out}
    assert left == {
        ("queue", "medicine"): Why.THERE, ("queue", "eye"): Why.PREFIX, ("counter", "E1"): Why.QUEUE,
        ("counter", "Z9"): Why.QUEUE, ("rules", ""): Why.THERE,
    }  # fmt: skip
    assert [one.name for one in plan.counters] == ["M1"]
    await facility_copy.make(registry, plan)
    after = await hospital(registry, NEW)
    assert after.queues == before.queues
    assert after.counters == (*before.counters, Counter(name="M1", queues=("medicine",)))
    assert (after.facility.policy, after.facility.default_queue) == (own_rules, "medicine")


async def test_what_somebody_adds_meanwhile_is_not_replaced(registry: Registry) -> None:
    plan, own_rules = await planned(registry), Policy(near_m=50)
    await registry.put_queue(NEW, Queue(id="eye", name="Own Eye", prefix="OE"), 0)
    await registry.put_queue(NEW, Queue(id="skin", name="Skin", prefix="M"), 0)
    await registry.put_counter(NEW, Counter(name="E1", queues=("skin",)))
    await registry.set_policy(NEW, own_rules)
    await facility_copy.make(registry, plan)
    after = await hospital(registry, NEW)
    assert {one.id: one.name for one in after.queues} == {"eye": "Own Eye", "skin": "Skin"}
    assert after.counters == (Counter(name="E1", queues=("skin",)),), "others serve a queue that is not there"
    assert (after.facility.policy, after.facility.default_queue) == (own_rules, "eye")
