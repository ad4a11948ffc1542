"""The stored data of one person can be shown and erased, and no other person loses anything."""

import pytest

from queueing.models import Outcome, State
from queueing.outbox import Outbox
from queueing.person_records import PersonRecords
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, again, arrival, build, open_desk

pytestmark = pytest.mark.anyio
ASHA, BILAL = b"asha-digest", b"bilal-digest"


async def test_a_person_is_found_by_digest_and_by_token(store: Store) -> None:
    await build(store)
    desk, records = open_desk(store), PersonRecords(store)
    first = await desk.enqueue(arrival("asha-digest"))
    second = await desk.enqueue(arrival("asha-digest", text="R1"))
    await desk.enqueue(arrival("bilal-digest"))
    found = await records.find(HIP, [ASHA])
    assert {(one.ticket.id, one.envelope) for one in found} == {
        (first.ticket, b"sealed envelope"),
        (second.ticket, b"sealed envelope"),
    }
    assert [one.ticket.id for one in await records.find(HIP, token=second.token)] == [second.ticket]
    assert await records.find(HIP, [b"nobody-here"]) == await records.find(HIP, token="M-999") == []


async def test_an_erased_person_is_unknown_and_the_ticket_goes_on(store: Store) -> None:
    await build(store)
    desk, records, outbox = open_desk(store), PersonRecords(store), Outbox(store, "relay")
    share = arrival("asha-digest", persons=(ASHA, b"asha-second"))
    place = await desk.enqueue(share)
    other = await desk.enqueue(arrival("bilal-digest"))
    assert [one.ticket.token for one in await records.erase(HIP, [ASHA], by="imran")] == [place.token]
    assert await desk.envelope(HIP, place.ticket) is None
    assert await desk.envelope(HIP, other.ticket) == b"sealed envelope"
    left = await desk.ticket(HIP, place.ticket)
    assert left
    assert left.state is State.WAITING
    assert await records.find(HIP, [b"asha-second"]) == []
    replies = await outbox.take(wait_ms=1)
    assert [one.token for one in replies] == [other.token]
    assert (await desk.enqueue(again(share))).outcome is Outcome.NEW
    await outbox.close()


async def test_a_parked_reply_of_an_erased_person_is_gone(store: Store) -> None:
    await build(store)
    desk, outbox = open_desk(store), Outbox(store, "relay")
    await desk.enqueue(arrival("asha-digest"))
    await desk.enqueue(arrival("bilal-digest"))
    for pending in await outbox.take(wait_ms=1):
        await outbox.park(pending, "refused")
    await PersonRecords(store).erase(HIP, [ASHA], by="imran")
    assert len(await outbox.parked(HIP)) == 1
    await outbox.close()


async def test_erasing_by_token_takes_the_digests_along(store: Store) -> None:
    await build(store)
    desk, records = open_desk(store), PersonRecords(store)
    place = await desk.enqueue(arrival("asha-digest"))
    await records.erase(HIP, token=place.token, by="imran")
    assert await records.find(HIP, [ASHA]) == []
