"""A patient looks for the own ticket page by its number: what is found, and how guessing is slowed."""

import asyncio

import pytest

from queueing.audit import Audit
from queueing.models import State
from queueing.place_search import (
    BY_PATIENT,
    WRONG_PER_ADDRESS,
    WRONG_PER_FACILITY,
    WRONG_PER_NUMBER,
    PlaceSearch,
    Seeker,
)
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


def seeker(number: str = "n1", source: str = "s1") -> Seeker:
    return Seeker(number=number, source=source, address="192.0.2.7")


async def test_a_number_is_found_while_its_ticket_lives_and_after_it_ended_today(store: Store) -> None:
    await build(store)
    desk, search = open_desk(store), PlaceSearch(store)
    places = [await desk.enqueue(arrival()) for _ in range(3)]
    await desk.enqueue(arrival(text="R1"))
    await desk.call_next(HIP, "M1", by="asha")
    await desk.transfer(HIP, places[1].ticket, to="registration", by="asha")
    await desk.cancel(HIP, places[2].ticket, by="asha")
    for place, state in zip(places, (State.CALLED, State.WAITING, State.CANCELLED), strict=True):
        [found], wait_s = await search.candidates(HIP, place.token, seeker(place.token, place.token))
        assert (found.ticket.id, found.ticket.state, found.envelope) == (place.ticket, state, b"sealed envelope")
        assert wait_s == 0
    assert await search.candidates(HIP, "M-0", seeker("x", "x")) == ([], 0)
    assert await search.candidates(HIP, "M-004", seeker("y", "y")) == ([], 0)


async def test_a_reading_stands_in_the_audit_once_in_ten_minutes(store: Store) -> None:
    await build(store)
    desk, search = open_desk(store), PlaceSearch(store)
    place = await desk.enqueue(arrival())
    for _ in range(2):
        await search.candidates(HIP, place.token, seeker())
    await search.candidates(HIP, "M-999", seeker("other"))
    [entry] = await Audit(store).read(HIP)
    assert (entry.kind, entry.by, entry.address) == ("profile_compared", BY_PATIENT, "192.0.2.7")
    assert (entry.ticket, entry.why) == (place.ticket, "")


async def test_tries_of_one_number_end_whether_or_not_somebody_has_it(store: Store) -> None:
    await build(store)
    desk, search = open_desk(store), PlaceSearch(store)
    place = await desk.enqueue(arrival())
    for token in (place.token, "M-999"):
        tries = (search.candidates(HIP, token, seeker(token, f"{token}{n}")) for n in range(WRONG_PER_NUMBER + 3))
        waits = [wait_s for _, wait_s in await asyncio.gather(*tries)]
        assert [wait_s > 0 for wait_s in waits].count(False) == WRONG_PER_NUMBER, "tries together are all counted"
        assert max(waits) <= 6 * 3600


async def test_an_address_and_a_facility_have_a_bound_of_their_own(store: Store) -> None:
    await build(store)
    search = PlaceSearch(store)
    for n in range(WRONG_PER_ADDRESS):
        assert await search.candidates(HIP, "M-001", seeker(f"n{n}", "one")) == ([], 0)
    assert (await search.candidates(HIP, "M-001", seeker("new", "one")))[1] > 0
    for n in range(WRONG_PER_FACILITY - WRONG_PER_ADDRESS):
        assert await search.candidates(HIP, "M-001", seeker(f"m{n}", f"a{n}")) == ([], 0)
    assert (await search.candidates(HIP, "M-001", seeker("last", "last")))[1] > 0
    assert await search.candidates("IN0110000999", "M-001", seeker("last", "last")) == ([], 0), "another hospital"


async def test_who_proves_it_is_not_counted(store: Store) -> None:
    await build(store)
    desk, search = open_desk(store), PlaceSearch(store)
    place = await desk.enqueue(arrival())
    for _ in range(WRONG_PER_ADDRESS + 1):
        candidates, _ = await search.candidates(HIP, place.token, seeker())
        assert len(candidates) == 1
        await search.found(HIP, seeker())
    await search.found(HIP, seeker("never"))
    assert len((await search.candidates(HIP, place.token, seeker("never", "else")))[0]) == 1
