"""A desk numbers its moves: one that is sent again is not made again, and one that waited disturbs no other counter."""

import asyncio

import pytest

from queueing.desk import OpdDesk
from queueing.models import Outcome, State
from queueing.redis_keys import facility_root
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    found = open_desk(store)
    for _ in range(4):
        await found.enqueue(arrival())
    return found


async def states(desk: OpdDesk) -> dict[str, State]:
    return {ticket.token: ticket.state for ticket in await desk.tickets(HIP)}


async def test_a_move_sent_twice_is_made_once_and_has_the_same_answer(desk: OpdDesk) -> None:
    first = await desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha")
    again = await desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha")
    assert first == again
    assert first.outcome is Outcome.MOVED
    assert list((await states(desk)).values()).count(State.CALLED) == 1
    other_page = await desk.sent_by("other", 1).call_next(HIP, "M2", by="asha")
    assert other_page.ticket
    assert other_page.ticket.token == "M-002"


async def test_fifty_copies_of_one_move_at_once_are_one_move(desk: OpdDesk) -> None:
    moves = await asyncio.gather(*(desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha") for _ in range(50)))
    assert {move.ticket.token for move in moves if move.ticket} == {"M-001"}
    assert list((await states(desk)).values()).count(State.CALLED) == 1


async def test_an_undo_sent_twice_takes_back_one_move_and_names_its_counter_both_times(desk: OpdDesk) -> None:
    for number in (1, 2):
        await desk.sent_by("desk", number).call_next(HIP, f"M{number}", by="asha")
    undone = [await desk.sent_by("desk", 3).undo(HIP, "M1", by="asha") for _ in range(2)]
    assert [(move.outcome, move.counter) for move in undone] == [(Outcome.MOVED, "M2")] * 2
    assert (await states(desk))["M-001"] is State.CALLED


async def test_a_copy_that_comes_after_a_later_move_is_not_made(desk: OpdDesk) -> None:
    called = await desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha")
    assert called.ticket
    await desk.sent_by("desk", 2).hold(HIP, called.ticket.id, by="asha")
    late = await desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha")
    assert late.outcome is Outcome.SAME_REQUEST
    assert (await states(desk))["M-002"] is State.WAITING


async def test_a_move_that_waited_moves_nobody_whom_another_counter_called(desk: OpdDesk) -> None:
    called = await desk.call_next(HIP, "M1", by="asha")
    assert called.ticket
    ticket = called.ticket.id
    await desk.hold(HIP, ticket, by="bilal")
    await desk.call_this(HIP, "M2", ticket, by="bilal")
    late = await desk.sent_by("desk", 1, counter="M1").finish(HIP, ticket, by="asha")
    assert (late.outcome, late.ticket and late.ticket.counter) == (Outcome.TAKEN, "M2")
    assert (await states(desk))["M-001"] is State.CALLED
    assert (await desk.sent_by("desk", 2, counter="M2").finish(HIP, ticket, by="asha")).outcome is Outcome.MOVED


async def test_a_chosen_call_that_waited_ends_only_the_visit_that_the_clerk_saw(desk: OpdDesk) -> None:
    seen = await desk.call_next(HIP, "M1", by="asha")
    assert seen.ticket
    await desk.call_next(HIP, "M1", by="bilal")
    wanted = next(ticket.id for ticket in await desk.tickets(HIP) if ticket.token == "M-004")
    late = await desk.call_this(HIP, "M1", wanted, by="asha", seen=seen.ticket.id)
    assert (late.outcome, late.ticket and late.ticket.token) == (Outcome.TAKEN, "M-002")
    assert (await states(desk))["M-004"] is State.WAITING


async def test_what_a_desk_sent_last_is_forgotten_after_a_day(store: Store, desk: OpdDesk) -> None:
    await desk.sent_by("desk", 1).call_next(HIP, "M1", by="asha")
    key = facility_root(HIP) + ":m:desk"
    assert await store.call(key, "TTL", key) in range(86_300, 86_401)
