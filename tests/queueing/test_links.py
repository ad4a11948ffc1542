"""The hospital system's numbers of a ticket, and the one number that a person has in a facility."""

from typing import Any

import pytest

from queueing.audit import Act, Audit
from queueing.desk import OpdDesk
from queueing.links import PERSON_KEPT_S, Linked, LinkReply, Links
from queueing.models import Reader, Ticket
from queueing.person_records import PersonRecords
from queueing.redis_keys import facility_root
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio
ASHA, ASHA_NUMBER = b"asha-address", b"\x00asha\nnumber"
ONE, TWO = b"mark-of-one-", b"mark-of-two-"
SENT = Act(kind="links_set", by="api:k1", address="10.1.2.3")
FORGOTTEN = Act(kind="links_removed", by="imran")


async def arrived(store: Store, *persons: bytes) -> str:
    return (await open_desk(store).enqueue(arrival(persons=persons))).ticket


async def put(store: Store, ticket: str, *persons: bytes, mark: bytes = ONE) -> LinkReply:
    number = "sealed " + mark.decode()
    return await Links(store).put(HIP, ticket, b"sealed numbers", persons=persons, mark=mark, number=number, act=SENT)


async def test_numbers_are_bound_to_their_ticket_and_stand_in_the_audit(store: Store) -> None:
    await build(store)
    ticket, other = await arrived(store, ASHA), await arrived(store, b"bilal")
    assert await put(store, ticket, ASHA, ASHA_NUMBER) == LinkReply(outcome=Linked.DONE)
    assert await Links(store).of(HIP, [ticket, other, "no-id", "1-1"]) == {ticket: b"sealed numbers"}
    [entry, *_] = await Audit(store).read(HIP)
    assert (entry.kind, entry.by, entry.address, entry.ticket, entry.why) == (
        "links_set", "api:k1", "10.1.2.3", ticket, "",
    )  # fmt: skip


async def test_a_ticket_that_does_not_exist_gets_no_numbers(store: Store) -> None:
    await build(store)
    assert (await put(store, "20000-1", ASHA)).outcome is Linked.UNKNOWN_TICKET
    assert (await put(store, "x", ASHA)).outcome is Linked.UNKNOWN_TICKET
    assert await Audit(store).read(HIP) == []


async def test_a_second_number_of_one_person_is_answered_with_the_first(store: Store) -> None:
    await build(store)
    first, second = await arrived(store, ASHA), await arrived(store, b"bilal")
    await put(store, first, ASHA, ASHA_NUMBER)
    for persons in ((ASHA,), (ASHA_NUMBER,), (b"another address", ASHA_NUMBER)):
        reply = await put(store, second, *persons, mark=TWO)
        assert reply == LinkReply(outcome=Linked.OTHER_NUMBER, first="sealed mark-of-one-")
    assert second not in await Links(store).of(HIP, [second])
    assert (await put(store, second, ASHA, ASHA_NUMBER)).outcome is Linked.DONE, "the same number again"


async def test_forgotten_numbers_leave_room_for_others(store: Store) -> None:
    await build(store)
    ticket = await arrived(store, ASHA)
    await put(store, ticket, ASHA)
    assert await Links(store).forget(HIP, ticket, persons=(ASHA,), act=FORGOTTEN)
    assert await Links(store).of(HIP, [ticket]) == {}
    assert not await Links(store).forget(HIP, ticket, persons=(ASHA,), act=FORGOTTEN)
    assert (await put(store, ticket, ASHA, mark=TWO)).outcome is Linked.DONE
    assert [entry.kind for entry in await Audit(store).read(HIP)] == ["links_set", "links_removed", "links_set"]


async def test_a_persons_number_ends_after_a_quarter(store: Store) -> None:
    await build(store)
    await put(store, await arrived(store, ASHA), ASHA)
    key = f"{facility_root(HIP)}:h:{ASHA.hex()}"
    left_s: Any = await store.call(key, "TTL", key)
    assert PERSON_KEPT_S - 60 < left_s <= PERSON_KEPT_S == 90 * 86_400


async def test_erasing_a_person_erases_their_numbers(store: Store) -> None:
    await build(store)
    ticket, other = await arrived(store, ASHA, ASHA_NUMBER), await arrived(store, b"bilal")
    await put(store, ticket, ASHA, ASHA_NUMBER)
    await put(store, other, b"bilal", mark=TWO)
    await PersonRecords(store).erase(HIP, [ASHA], by="imran")
    assert await Links(store).of(HIP, [ticket, other]) == {other: b"sealed numbers"}
    for digest in (ASHA, ASHA_NUMBER):
        assert (await put(store, other, digest, mark=TWO)).outcome is Linked.DONE, "no first number is left"


async def test_a_ticket_read_whole_comes_with_its_numbers(store: Store) -> None:
    await build(store)
    desk: OpdDesk = open_desk(store)
    ticket = await arrived(store, ASHA)
    await put(store, ticket, ASHA)
    found = await desk.ticket(HIP, ticket)
    assert isinstance(found, Ticket)
    reader = Reader(login="asha", session="s", address="")
    whole = await Audit(store).envelopes(HIP, [found], reader, whole=ticket, alarm_over=100)
    assert (whole.numbers, whole.sealed) == (b"sealed numbers", {ticket: b"sealed envelope"})
    listed = await Audit(store).envelopes(HIP, [found], reader, counter="M1", alarm_over=100)
    assert (listed.numbers, listed.sealed) == (b"", {ticket: b"sealed envelope"})
