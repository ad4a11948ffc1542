"""How many tickets of the day are in which state, by queue."""

import pytest

from queueing.day_counts import DayCounts
from queueing.models import Assurance, Facility, Outcome, State
from queueing.policy import Policy, PresenceRule
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, kolkata, midnight_in, open_desk

pytestmark = pytest.mark.anyio
NONE = dict.fromkeys(State, 0)


async def test_an_unknown_facility_and_one_without_queues_have_no_counts(store: Store) -> None:
    desk = open_desk(store)
    assert await desk.counts(HIP) is None
    await Registry(store).put_facility(Facility(hip_id=HIP, name="District Hospital"))
    assert await desk.counts(HIP) is None


async def test_every_ticket_of_the_day_counts_once_in_its_queue_and_state(store: Store) -> None:
    await build(store)
    desk = open_desk(store)
    assert await desk.counts(HIP) == DayCounts(ended=0, queues={"medicine": NONE, "registration": NONE})
    await Registry(store).set_policy(HIP, Policy(stale=PresenceRule.EXPECT))
    tickets = [(await desk.enqueue(arrival())).ticket for _ in range(9)]
    await desk.enqueue(arrival(counter="M1", assurance=Assurance.STALE))
    for ticket, counter in zip(tickets, ("M1", "M2", "M3", "M1", "M2", "M3"), strict=False):
        await desk.call_this(HIP, counter, ticket, by="clerk", current="finish")
    await desk.start(HIP, tickets[5], by="clerk")
    await desk.no_show(HIP, tickets[4], by="clerk")
    await desk.hold(HIP, tickets[6], by="clerk")
    await desk.cancel(HIP, tickets[7], by="clerk")
    await desk.transfer(HIP, tickets[8], to="registration", by="clerk")
    counts = await desk.counts(HIP)
    assert counts
    assert counts.ended == 4, "three were finished by the next call of their counter, one was cancelled"
    assert counts.queues["medicine"] == NONE | {
        State.EXPECTED: 1, State.CALLED: 1, State.SERVING: 1, State.HELD: 1, State.NO_SHOW: 1,
    }  # fmt: skip
    assert counts.queues["registration"] == NONE | {State.WAITING: 1}
    assert counts.now(State.CALLED, State.SERVING, State.WAITING) == 3


async def test_before_the_first_move_of_a_new_day_nobody_is_done(store: Store) -> None:
    await build(store)
    clock = kolkata()
    desk = open_desk(store, clock)
    for _ in range(2):
        await desk.enqueue(arrival())
        await desk.call_next(HIP, "M1", by="clerk", current="finish")
    counts = await desk.counts(HIP)
    assert counts
    assert (counts.ended, counts.now(State.CALLED)) == (1, 1)
    clock.moved_ms += midnight_in(clock, ms=-10)
    counts = await desk.counts(HIP)
    assert counts
    assert counts.ended == 0


async def test_no_count_of_ended_tickets_is_taken_for_the_answer_about_the_zone(store: Store) -> None:
    await build(store)
    desk = open_desk(store)
    for _ in range(Outcome.OTHER_ZONE):
        await desk.cancel(HIP, (await desk.enqueue(arrival())).ticket, by="clerk")
    counts = await desk.counts(HIP)
    assert counts
    assert counts.ended == Outcome.OTHER_ZONE
