"""Pending replies: claimed by one relay, kept until delivered or parked, and not lost when a relay is killed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from queueing import outbox as outbox_room
from queueing.desk import OpdDesk
from queueing.event_log import EventLog
from queueing.models import Outcome, Refusal, ReplyKind, State
from queueing.outbox import Outbox
from queueing.pending_reply import PendingReply
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(store: Store) -> OpdDesk:
    await build(store)
    return open_desk(store)


@pytest.fixture
async def outbox(store: Store) -> AsyncIterator[Outbox]:
    opened = Outbox(store, "first")
    yield opened
    await opened.close()


async def test_the_ticket_of_a_parked_reply_is_marked_until_it_is_sent_again(
    store: Store, desk: OpdDesk, outbox: Outbox
) -> None:
    place = await desk.enqueue(arrival())
    (pending,) = await outbox.take()
    await outbox.park(pending, "404")
    ticket = await desk.ticket(HIP, place.ticket)
    assert ticket
    assert ticket.reply_parked
    last = (await EventLog(store).read(HIP)).events[-1]
    assert (last.kind.type, last.ticket) == ("acknowledgement.parked", ticket)
    await desk.call_next(HIP, "M1", by="clerk")
    undone = (await desk.undo(HIP, "M1", by="clerk")).ticket
    assert undone
    assert (undone.reply_parked, undone.state) == (True, State.WAITING)
    await desk.call_next(HIP, "M1", by="clerk")
    (parked,) = await outbox.parked(HIP)
    assert await outbox.resend(HIP, parked.id)
    ticket = await desk.ticket(HIP, place.ticket)
    assert ticket
    assert (ticket.reply_parked, ticket.state) == (False, State.CALLED)


async def test_a_parked_refusal_marks_no_ticket(desk: OpdDesk, outbox: Outbox) -> None:
    place = await desk.enqueue(arrival())
    await desk.enqueue(arrival(refusal=Refusal.CLOCK))
    await desk.enqueue(arrival(facility="nowhere"))
    for pending in await outbox.take():
        if pending.refusal:
            await outbox.park(pending, "404")
    ticket = await desk.ticket(HIP, place.ticket)
    assert ticket
    assert not ticket.reply_parked


async def test_a_pending_reply_has_everything_that_the_gateway_needs(desk: OpdDesk, outbox: Outbox) -> None:
    await desk.enqueue(arrival(envelope=b"sealed \x00\xff envelope"))
    await desk.enqueue(arrival(facility="nowhere"))
    placed, refused = sorted(await outbox.take(), key=lambda pending: pending.outcome)
    assert (placed.kind, placed.outcome, placed.token, placed.expires_in_s) == (
        ReplyKind.ON_SHARE,
        Outcome.NEW,
        "M-001",
        1800,
    )
    assert placed.envelope == b"sealed \x00\xff envelope"
    assert (refused.outcome, refused.refusal, refused.token) == (Outcome.REFUSED, Refusal.UNKNOWN_FACILITY, "")


async def test_two_relays_never_take_the_same_reply(store: Store, desk: OpdDesk, outbox: Outbox) -> None:
    await asyncio.gather(*(desk.enqueue(arrival()) for _ in range(100)))
    second = Outbox(store, "second")
    taken = await asyncio.gather(*(relay.take(limit=10, wait_ms=1) for relay in (outbox, second) * 6))
    ids = [pending.id for batch in taken for pending in batch]
    assert len(ids) == len(set(ids)) == 100
    await second.close()


async def test_a_delivered_reply_is_deleted(desk: OpdDesk, outbox: Outbox) -> None:
    await asyncio.gather(*(desk.enqueue(arrival()) for _ in range(20)))
    await outbox.delivered(await outbox.take())
    assert await outbox.backlog() == 0


async def test_a_reply_that_one_relay_gives_back_is_taken_by_another(store: Store, desk: OpdDesk) -> None:
    await desk.enqueue(arrival())
    first, second = Outbox(store, "first"), Outbox(store, "second")
    (pending,) = await first.take()
    await first.close()
    adopted = await second.take(wait_ms=1)
    assert [one.id for one in adopted] == [pending.id]
    assert adopted[0].deliveries == 2
    await second.close()


async def test_a_dead_relays_claims_are_taken_over(
    store: Store, desk: OpdDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_room, "ABANDONED_AFTER_MS", 300)
    monkeypatch.setattr(outbox_room, "_TEND_EVERY_S", 0.1)
    await desk.enqueue(arrival())
    dead, heir = Outbox(store, "dead"), Outbox(store, "heir")
    (pending,) = await dead.take()
    assert dead._tending
    dead._tending.cancel()  # as if it was killed: it renews no claim and gives none back
    assert [one.id for one in await until_some(heir)] == [pending.id]
    await heir.close()


async def test_the_claims_of_a_relay_known_to_be_gone_are_taken_over_at_once(store: Store, desk: OpdDesk) -> None:
    await desk.enqueue(arrival())
    gone, slow = Outbox(store, "gone"), Outbox(store, "slow")
    (pending,) = await gone.take()
    await desk.enqueue(arrival())
    assert len(await slow.take()) == 1
    heir = Outbox(store, "heir", has_ended=lambda name: name == "gone")
    assert [one.id for one in await heir.take(wait_ms=1)] == [pending.id]
    assert await heir.take(wait_ms=1) == []
    await slow.close()
    await heir.close()


async def test_claims_in_hand_are_not_taken_away(store: Store, desk: OpdDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_room, "ABANDONED_AFTER_MS", 300)
    monkeypatch.setattr(outbox_room, "_TEND_EVERY_S", 0.05)
    await desk.enqueue(arrival())
    slow, other = Outbox(store, "slow"), Outbox(store, "other")
    assert len(await slow.take()) == 1
    for _ in range(5):
        assert await other.take(wait_ms=200) == []
    await slow.close()
    await other.close()


async def test_a_parked_answer_is_seen_and_sent_again(desk: OpdDesk, outbox: Outbox) -> None:
    await desk.enqueue(arrival())
    (pending,) = await outbox.take()
    await outbox.park(pending, "the gateway answered 404 ABDM-1001")
    assert await outbox.backlog() == 0
    (parked,) = await outbox.parked(HIP)
    assert (parked.token, parked.reason) == ("M-001", "the gateway answered 404 ABDM-1001")
    assert parked.parked_ms >= parked.created_ms
    assert await outbox.resend(HIP, parked.id)
    assert not await outbox.resend(HIP, parked.id)
    (again,) = await outbox.take()
    assert (again.envelope, again.token, again.request) == (pending.envelope, pending.token, pending.request)
    assert again.created_ms > pending.created_ms
    assert await outbox.parked(HIP) == []


async def test_the_outbox_goes_on_after_the_store_was_emptied(store: Store, desk: OpdDesk, outbox: Outbox) -> None:
    await outbox.take(wait_ms=1)
    await store.each_primary("FLUSHALL")
    await build(store)
    await desk.enqueue(arrival())
    assert [pending.token for pending in await until_some(outbox)] == ["M-001"]


async def test_the_running_token_reply_has_the_number_now_called(desk: OpdDesk, outbox: Outbox) -> None:
    async def ask(request: str) -> Outcome:
        return await desk.running_token(
            HIP, counter="", text="M1", request=request, fingerprint=b"", envelope=b"letter"
        )

    assert await ask("before anybody") is Outcome.REFUSED
    await desk.enqueue(arrival(reply_wanted=False))
    assert await ask("nobody called") is Outcome.NEW
    await desk.call_next(HIP, "M1", by="clerk")
    assert await ask("called") is Outcome.NEW
    assert await ask("called") is Outcome.SAME_REQUEST
    pending_replies = sorted(await outbox.take(), key=lambda pending: (pending.outcome is Outcome.NEW, pending.running))
    assert [(pending.kind, pending.refusal, pending.running) for pending in pending_replies] == [
        (ReplyKind.ON_STATUS, Refusal.NO_TOKENS, ""),
        (ReplyKind.ON_STATUS, None, "0"),
        (ReplyKind.ON_STATUS, None, "M-001"),
    ]


async def until_some(outbox: Outbox) -> list[PendingReply]:
    """Take repeatedly until a reply comes, as the relay does."""
    async with asyncio.timeout(20):
        while True:
            if taken := await outbox.take(wait_ms=50):
                return taken
