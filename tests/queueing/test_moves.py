"""What staff do with tickets: only one clerk gets a patient, one key calls the next, and every move can be undone."""

import asyncio
from collections import Counter as Tally
from dataclasses import dataclass

import pytest

from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Outcome, State, Ticket
from queueing.policy import Policy
from queueing.reasons import Reason
from queueing.redis_keys import facility_root
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


@dataclass
class Facility:
    desk: OpdDesk

    async def arrive(self, count: int, text: str = "M1") -> list[str]:
        places = [await self.desk.enqueue(arrival(text=text)) for _ in range(count)]
        return [place.ticket for place in places]

    async def state(self, ticket: str) -> State:
        found = await self.desk.ticket(HIP, ticket)
        assert found
        return found.state


@pytest.fixture
async def facility(store: Store) -> Facility:
    await build(store)
    return Facility(open_desk(store))


def present(ticket: Ticket | None) -> Ticket:
    assert ticket
    return ticket


async def test_50_callers_at_one_counter_call_one_person(facility: Facility) -> None:
    await facility.arrive(60)
    moves = await asyncio.gather(*(facility.desk.call_next(HIP, "M1", by=f"clerk-{n}", seen="") for n in range(50)))
    assert Tally(move.outcome for move in moves) == {Outcome.MOVED: 1, Outcome.TAKEN: 49}
    assert {present(move.ticket).token for move in moves} == {"M-001"}


async def test_50_calls_without_looking_call_50_people(facility: Facility) -> None:
    await facility.arrive(60)
    moves = await asyncio.gather(*(facility.desk.call_next(HIP, f"M{n % 3 + 1}", by=f"clerk-{n}") for n in range(50)))
    assert {move.outcome for move in moves} == {Outcome.MOVED}
    assert {present(move.ticket).token for move in moves} == {f"M-{n:03d}" for n in range(1, 51)}


async def test_of_50_clerks_who_call_the_same_person_one_gets_the_person(facility: Facility) -> None:
    (ticket,) = await facility.arrive(1)
    moves = await asyncio.gather(
        *(facility.desk.call_this(HIP, f"M{n % 3 + 1}", ticket, by=f"clerk-{n}") for n in range(50))
    )
    assert Tally(move.outcome for move in moves) == {Outcome.MOVED: 1, Outcome.TAKEN: 49}


async def test_next_finishes_the_person_at_the_counter(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.call_next(HIP, "M1", by="clerk")
    assert (await facility.state(first), await facility.state(second)) == (State.DONE, State.CALLED)
    assert (await facility.desk.call_next(HIP, "M1", by="clerk")).outcome is Outcome.EMPTY
    assert await facility.state(second) is State.DONE


async def test_a_counter_calls_the_earliest_of_all_its_queues(store: Store, facility: Facility) -> None:
    from queueing.models import Counter

    await Registry(store).put_counter(HIP, Counter(name="M9", queues=("medicine", "registration")))
    await facility.arrive(1, text="R1")
    await facility.arrive(1, text="M1")
    called = [present((await facility.desk.call_next(HIP, "M9", by="clerk")).ticket).token for _ in range(2)]
    assert called == ["R-001", "M-001"]


async def test_a_visit_goes_from_the_call_to_the_end(facility: Facility) -> None:
    (ticket,) = await facility.arrive(1, text="R1")
    await facility.desk.call_next(HIP, "R1", by="a")
    await facility.desk.start(HIP, ticket, by="a")
    moved = await facility.desk.transfer(HIP, ticket, to="medicine", by="a")
    assert (present(moved.ticket).token, present(moved.ticket).queue) == ("R-001", "medicine")
    called = present((await facility.desk.call_next(HIP, "M1", by="b")).ticket)
    assert (called.id, called.counter, called.calls) == (ticket, "M1", 2)
    done = present((await facility.desk.finish(HIP, ticket, by="b")).ticket)
    assert done.state is State.DONE
    assert done.ended_ms >= done.called_ms >= done.arrived_ms


async def test_recall_counts_and_the_call_can_still_be_taken_back(facility: Facility) -> None:
    await facility.arrive(1)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    assert present((await facility.desk.recall(HIP, "M1", by="clerk")).ticket).calls == 2
    assert (await facility.desk.recall(HIP, "M2", by="clerk")).outcome is Outcome.EMPTY
    undone = await facility.desk.undo(HIP, "M1", by="clerk")
    assert (undone.outcome, present(undone.ticket).state) == (Outcome.MOVED, State.WAITING)


async def test_a_person_on_hold_gets_the_old_place_back(facility: Facility) -> None:
    first, *_ = await facility.arrive(4)
    await facility.desk.hold(HIP, first, by="clerk")
    assert present((await facility.desk.bring_back(HIP, first, by="clerk")).ticket).ahead == 0


async def test_a_no_show_comes_back_after_the_next_two(facility: Facility) -> None:
    first, *_ = await facility.arrive(6)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.no_show(HIP, first, by="clerk")
    assert present((await facility.desk.bring_back(HIP, first, by="clerk")).ticket).ahead == 2


async def test_a_move_that_the_state_does_not_admit_changes_nothing(facility: Facility) -> None:
    (ticket,) = await facility.arrive(1)
    for act in (
        facility.desk.start,
        facility.desk.finish,
        facility.desk.no_show,
        facility.desk.bring_back,
        facility.desk.check_in,
    ):
        moved = await act(HIP, ticket, by="clerk")
        assert (moved.outcome, present(moved.ticket).state) == (Outcome.NOT_ALLOWED, State.WAITING)


async def test_a_thing_that_does_not_exist_is_named(facility: Facility) -> None:
    (ticket,) = await facility.arrive(1)
    assert (await facility.desk.call_next(HIP, "Z9", by="c")).outcome is Outcome.UNKNOWN_COUNTER
    assert (await facility.desk.hold(HIP, "20000-1", by="c")).outcome is Outcome.UNKNOWN_TICKET
    assert (await facility.desk.hold(HIP, "no ticket", by="c")).outcome is Outcome.UNKNOWN_TICKET
    assert (await facility.desk.transfer(HIP, ticket, to="nowhere", by="c")).outcome is Outcome.UNKNOWN_QUEUE
    assert (await facility.desk.transfer(HIP, ticket, to="medicine", by="c")).outcome is Outcome.NOT_ALLOWED
    assert (await facility.desk.undo(HIP, "M1", by="c")).outcome is Outcome.NOTHING_TO_UNDO


async def test_undo_of_next_brings_both_people_back(facility: Facility) -> None:
    first, second, third = await facility.arrive(3)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.undo(HIP, "M1", by="clerk")
    states = [await facility.state(ticket) for ticket in (first, second, third)]
    assert states == [State.CALLED, State.WAITING, State.WAITING]
    again = await facility.desk.call_next(HIP, "M1", by="clerk", seen=first)
    assert present(again.ticket).id == second


AS_BEFORE = """
local moves = cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))
for i, move in ipairs(moves) do moves[i] = cmsgpack.unpack(move) end
redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(moves))
return #moves
"""
"""Writes a clerk's moves as an earlier release did: each as a list in the list."""


async def test_moves_that_an_earlier_release_made_are_undone_too(facility: Facility, store: Store) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.start(HIP, first, by="clerk")
    key = f"{facility_root(HIP)}:u"
    assert await store.call(key, "EVAL", AS_BEFORE, 1, key, "clerk") == 2
    await facility.desk.call_next(HIP, "M1", by="clerk")
    undone = [await facility.desk.undo(HIP, "M1", by="clerk") for _ in range(4)]
    assert [one.outcome for one in undone] == [*[Outcome.MOVED] * 3, Outcome.NOTHING_TO_UNDO]
    assert [await facility.state(ticket) for ticket in (first, second)] == [State.WAITING, State.WAITING]


async def test_moves_of_one_clerk_are_undone_one_after_another(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.no_show(HIP, first, by="clerk")
    await facility.desk.call_next(HIP, "M1", by="clerk")
    states = []
    for _ in range(3):
        assert (await facility.desk.undo(HIP, "M1", by="clerk")).outcome is Outcome.MOVED
        states.append((await facility.state(first), await facility.state(second)))
    assert states == [
        (State.NO_SHOW, State.WAITING),
        (State.CALLED, State.WAITING),
        (State.WAITING, State.WAITING),
    ]
    assert (await facility.desk.undo(HIP, "M1", by="clerk")).outcome is Outcome.NOTHING_TO_UNDO


async def test_undo_does_not_go_back_over_a_move_of_somebody_else(facility: Facility) -> None:
    (first,) = await facility.arrive(1)
    await facility.desk.call_next(HIP, "M1", by="anna")
    await facility.desk.hold(HIP, first, by="bilal")
    await facility.desk.bring_back(HIP, first, by="bilal")
    await facility.desk.undo(HIP, "M1", by="bilal")
    assert (await facility.desk.undo(HIP, "M1", by="anna")).outcome is Outcome.TAKEN
    assert await facility.state(first) is State.HELD


async def test_undo_does_not_touch_a_ticket_that_somebody_moved_on(facility: Facility) -> None:
    first, _ = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="anna")
    await facility.desk.finish(HIP, first, by="bilal")
    undone = await facility.desk.undo(HIP, "M1", by="anna")
    assert (undone.outcome, present(undone.ticket).state) == (Outcome.TAKEN, State.DONE)


async def test_undo_does_not_put_two_people_at_one_counter(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="anna")
    await facility.desk.hold(HIP, first, by="anna")
    await facility.desk.call_next(HIP, "M1", by="bilal")
    assert (await facility.desk.undo(HIP, "M1", by="anna")).outcome is Outcome.TAKEN
    assert (await facility.state(first), await facility.state(second)) == (State.HELD, State.CALLED)


async def test_next_on_a_call_that_nobody_answered_asks_and_changes_nothing(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    unanswered = await facility.desk.call_next(HIP, "M1", by="clerk", current="ask")
    assert (unanswered.outcome, present(unanswered.ticket).id) == (Outcome.UNANSWERED, first)
    assert (await facility.state(first), await facility.state(second)) == (State.CALLED, State.WAITING)
    moved = await facility.desk.call_next(HIP, "M1", by="clerk", current="no_show")
    assert (moved.outcome, present(moved.ticket).id) == (Outcome.MOVED, second)
    assert await facility.state(first) is State.NO_SHOW
    await facility.desk.undo(HIP, "M1", by="clerk")
    await facility.desk.call_next(HIP, "M1", by="clerk", current="finish")
    assert await facility.state(first) is State.DONE


async def test_next_never_asks_about_a_person_who_was_started_or_an_empty_counter(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    assert (await facility.desk.call_next(HIP, "M1", by="clerk", current="ask")).outcome is Outcome.MOVED
    await facility.desk.start(HIP, first, by="clerk")
    assert (await facility.desk.call_next(HIP, "M1", by="clerk", current="ask")).outcome is Outcome.MOVED
    assert await facility.state(first) is State.DONE
    await facility.desk.start(HIP, second, by="clerk")
    await facility.desk.call_next(HIP, "M1", by="clerk", current="no_show")
    assert await facility.state(second) is State.DONE, "who is being served did come"


async def test_calling_a_chosen_ticket_asks_in_the_same_way(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    assert (await facility.desk.call_this(HIP, "M1", second, by="clerk", current="ask")).outcome is Outcome.UNANSWERED
    await facility.desk.call_this(HIP, "M1", second, by="clerk", current="no_show")
    assert (await facility.state(first), await facility.state(second)) == (State.NO_SHOW, State.CALLED)


@pytest.mark.parametrize(("after_s", "state"), [(1, State.NO_SHOW), (600, State.DONE), (0, State.DONE)])
async def test_the_facilitys_rule_decides_who_did_not_come(
    store: Store, facility: Facility, after_s: int, state: State
) -> None:
    await Registry(store).set_policy(HIP, Policy(no_show_after_s=after_s))
    first, _ = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await asyncio.sleep(1.1)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    assert await facility.state(first) is state


async def test_a_finished_person_is_found_and_comes_back_near_the_front(facility: Facility) -> None:
    first, *_ = await facility.arrive(6)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.finish(HIP, first, by="clerk")
    assert [ticket.id for ticket in await facility.desk.ended(HIP)] == [first]
    back = present((await facility.desk.bring_back(HIP, first, by="clerk")).ticket)
    assert (back.state, back.ahead, back.ended_ms) == (State.WAITING, 2, 0)
    assert await facility.desk.ended(HIP) == []
    assert (await facility.desk.undo(HIP, "M1", by="clerk")).outcome is Outcome.MOVED
    assert [ticket.id for ticket in await facility.desk.ended(HIP)] == [first]


async def test_a_person_cancelled_today_comes_back_near_the_front_and_undo_cancels_again(facility: Facility) -> None:
    first, *_ = await facility.arrive(6)
    await facility.desk.cancel(HIP, first, by="clerk")
    back = present((await facility.desk.bring_back(HIP, first, by="clerk")).ticket)
    assert (back.state, back.ahead, back.ended_ms) == (State.WAITING, 2, 0)
    assert (await facility.desk.undo(HIP, "M1", by="clerk")).outcome is Outcome.MOVED
    assert await facility.state(first) is State.CANCELLED


async def test_twenty_calls_at_once_are_all_there_for_a_board_in_order(facility: Facility) -> None:
    await facility.arrive(20)
    for number in range(20):
        await facility.desk.call_next(HIP, f"M{number % 3 + 1}", by="clerk")
    await facility.desk.recall(HIP, "M1", by="clerk")
    snapshot = await facility.desk.snapshot(HIP)
    assert snapshot
    tokens = [*(f"M-{number:03d}" for number in range(1, 21)), "M-019"]
    assert [call.token for call in snapshot.calls] == tokens
    assert [call.sequence for call in snapshot.calls] == list(range(1, 22))
    assert (snapshot.last_call, snapshot.calls[-1].calls) == (21, 2)
    assert {call.queue for call in snapshot.calls} == {"medicine"}


async def test_a_call_that_was_undone_is_not_announced_and_its_number_is_not_used_again(facility: Facility) -> None:
    await facility.arrive(3)
    for _ in range(2):
        await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.undo(HIP, "M1", by="clerk")
    await facility.desk.call_next(HIP, "M2", by="clerk")
    snapshot = await facility.desk.snapshot(HIP)
    assert snapshot
    assert [(call.sequence, call.token, call.counter) for call in snapshot.calls] == [
        (1, "M-001", "M1"),
        (3, "M-002", "M2"),
    ]


async def test_the_list_of_calls_is_bounded(facility: Facility) -> None:
    await facility.arrive(60)
    for _ in range(60):
        await facility.desk.call_next(HIP, "M1", by="clerk")
    snapshot = await facility.desk.snapshot(HIP)
    assert snapshot
    assert [call.sequence for call in snapshot.calls] == list(range(11, 61))


async def test_a_page_finds_its_ticket_by_a_key_that_tells_nothing_about_it(facility: Facility) -> None:
    first, second = await facility.arrive(2)
    await facility.desk.call_next(HIP, "M1", by="clerk")
    snapshot = await facility.desk.snapshot(HIP)
    assert snapshot
    medicine = snapshot.queues[0]
    called, waiting = [present(await facility.desk.ticket(HIP, ticket)) for ticket in (first, second)]
    assert [call.key for call in (*medicine.now, *medicine.recent, *snapshot.calls)] == [called.key] * 3
    assert medicine.next_keys == (waiting.key,)
    assert first not in str(snapshot)


async def test_every_move_can_be_taken_back(facility: Facility) -> None:
    (ticket,) = await facility.arrive(1)
    desk = facility.desk
    steps = [
        (desk.hold(HIP, ticket, by="c"), State.WAITING),
        (desk.cancel(HIP, ticket, by="c"), State.WAITING),
        (desk.transfer(HIP, ticket, to="registration", by="c"), State.WAITING),
        (desk.set_lane(HIP, ticket, Lane.PRIORITY, reason=Reason.DOCTOR, by="c"), State.WAITING),
        (desk.call_this(HIP, "M1", ticket, by="c"), State.WAITING),
    ]
    for step, before in steps:
        assert (await step).outcome is Outcome.MOVED
        undone = present((await desk.undo(HIP, "M1", by="c")).ticket)
        assert (undone.state, undone.queue, undone.lane) == (before, "medicine", Lane.ORDINARY)
        assert undone.reason is Reason.NONE


async def test_a_reason_stands_with_the_ticket_until_another_is_chosen(facility: Facility) -> None:
    desk = facility.desk
    place = await desk.enqueue(arrival(by="anna", lane=Lane.PRIORITY, reason=Reason.CHILD))
    (plain,) = await facility.arrive(1)
    assert present(await desk.ticket(HIP, place.ticket)).reason is Reason.CHILD
    assert present(await desk.ticket(HIP, plain)).reason is Reason.NONE
    await desk.transfer(HIP, place.ticket, to="registration", by="c")
    assert present(await desk.ticket(HIP, place.ticket)).reason is Reason.CHILD
    moved = present((await desk.set_lane(HIP, place.ticket, Lane.SENIOR, reason=Reason.SENIOR, by="c")).ticket)
    assert (moved.lane, moved.reason) == (Lane.SENIOR, Reason.SENIOR)
    moved = present((await desk.set_lane(HIP, place.ticket, Lane.ORDINARY, by="c")).ticket)
    assert (moved.lane, moved.reason) == (Lane.ORDINARY, Reason.NONE)


async def test_the_board_keeps_the_last_calls_and_forgets_those_taken_back(facility: Facility) -> None:
    await facility.arrive(12)
    for _ in range(10):
        await facility.desk.call_next(HIP, "M1", by="clerk")
    await facility.desk.undo(HIP, "M1", by="clerk")
    snapshot = await facility.desk.snapshot(HIP)
    assert snapshot
    board = snapshot.queues[0]
    assert [call.token for call in board.now] == ["M-009"]
    assert [call.token for call in board.recent] == [f"M-{n:03d}" for n in range(9, 2, -1)]
    assert board.next == ("M-010", "M-011", "M-012")
    assert (board.waiting, board.issued) == (3, 12)
