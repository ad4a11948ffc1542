"""One scan, one place: numbers, second scans, redeliveries, refusals."""

import asyncio
from dataclasses import dataclass

import msgspec
import pytest

from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.models import (
    Assurance,
    Counter,
    Facility,
    Lane,
    Nearness,
    Outcome,
    PendingReply,
    Policy,
    PresenceRule,
    Queue,
    Refusal,
    ReplyKind,
    State,
)
from queueing.outbox import Outbox
from queueing.redis_keys import facility_root
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, again, arrival, build, kolkata, open_desk

pytestmark = pytest.mark.anyio
SRINAGAR = (34.0837, 74.7973)


@dataclass
class Hall:
    store: Store
    desk: OpdDesk
    registry: Registry


@pytest.fixture
async def hall(store: Store) -> Hall:
    await build(store, latitude=SRINAGAR[0], longitude=SRINAGAR[1])
    return Hall(store, open_desk(store), Registry(store))


async def test_numbers_begin_at_one_and_are_the_queues_own(hall: Hall) -> None:
    first = await hall.desk.enqueue(arrival())
    second = await hall.desk.enqueue(arrival())
    other = await hall.desk.enqueue(arrival(text="R1"))
    assert [place.token for place in (first, second, other)] == ["M-001", "M-002", "R-001"]
    assert (first.ahead, second.ahead) == (0, 1)
    assert first.expires_in_s == 1800


async def test_64_scans_of_one_patient_at_once_give_one_number(hall: Hall) -> None:
    patient = arrival()
    places = await asyncio.gather(*(hall.desk.enqueue(again(patient)) for _ in range(64)))
    assert {place.token for place in places} == {"M-001"}
    assert sorted(place.outcome for place in places) == [Outcome.NEW] + [Outcome.SAME_PERSON] * 63


async def test_64_patients_at_once_get_64_numbers_without_a_gap(hall: Hall) -> None:
    places = await asyncio.gather(*(hall.desk.enqueue(arrival()) for _ in range(64)))
    assert sorted(place.token for place in places) == [f"M-{number:03d}" for number in range(1, 65)]


async def test_people_of_one_millisecond_are_called_in_the_order_of_their_numbers(hall: Hall) -> None:
    await asyncio.gather(*(hall.desk.enqueue(arrival()) for _ in range(64)))
    called = [await hall.desk.call_next(HIP, "M1", by="clerk") for _ in range(64)]
    assert [moved.ticket.token for moved in called if moved.ticket] == [f"M-{number:03d}" for number in range(1, 65)]


async def test_32_deliveries_of_one_request_at_once_write_once(hall: Hall) -> None:
    share = arrival()
    places = await asyncio.gather(*(hall.desk.enqueue(share) for _ in range(32)))
    assert {place.token for place in places} == {"M-001"}
    assert sorted(place.outcome for place in places) == [Outcome.NEW] + [Outcome.SAME_REQUEST] * 31
    assert await Outbox(hall.store, "relay").backlog() == 1


async def test_a_replayed_request_writes_nothing(hall: Hall) -> None:
    share = arrival()
    await hall.desk.enqueue(share)
    before = await everything(hall.store)
    assert (await hall.desk.enqueue(share)).outcome is Outcome.SAME_REQUEST
    assert await everything(hall.store) == before


async def test_a_request_id_with_another_body_gives_the_second_patient_nothing(hall: Hall) -> None:
    share = arrival()
    await hall.desk.enqueue(share)
    before = await everything(hall.store)
    other = msgspec.structs.replace(arrival(), request=share.request)
    place = await hall.desk.enqueue(other)
    assert (place.outcome, place.token) == (Outcome.CONFLICT, "")
    assert await everything(hall.store) == before


async def test_the_same_request_id_at_another_facility_is_another_request(hall: Hall) -> None:
    await hall.registry.put_facility(Facility(hip_id="other", name="Other"))
    await hall.registry.put_queue("other", Queue(id="q", name="Q", prefix="Q"), 1)
    share = arrival()
    await hall.desk.enqueue(share)
    place = await hall.desk.enqueue(msgspec.structs.replace(share, facility="other", text=""))
    assert (place.outcome, place.token) == (Outcome.NEW, "Q-001")


async def test_a_second_scan_keeps_the_number_and_owes_its_own_answer(hall: Hall) -> None:
    patient = arrival()
    first = await hall.desk.enqueue(patient)
    second = await hall.desk.enqueue(again(patient))
    assert (second.outcome, second.token) == (Outcome.SAME_PERSON, first.token)
    assert 60 <= second.expires_in_s <= first.expires_in_s
    pending_replies = await take_all(hall.store)
    assert [pending.token for pending in pending_replies] == ["M-001", "M-001"]
    assert len({pending.request for pending in pending_replies}) == 2


async def test_a_person_is_known_by_address_and_by_number(hall: Hall) -> None:
    both = arrival(persons=(b"address", b"number"))
    await hall.desk.enqueue(both)
    assert (await hall.desk.enqueue(arrival(persons=(b"address",)))).token == "M-001"
    assert (await hall.desk.enqueue(arrival(persons=(b"other address", b"number")))).token == "M-001"


async def test_another_queue_gives_another_ticket(hall: Hall) -> None:
    patient = arrival()
    await hall.desk.enqueue(patient)
    assert (await hall.desk.enqueue(again(patient, text="R1"))).token == "R-001"
    assert (await hall.desk.enqueue(again(patient, text="M2"))).token == "M-001"


async def test_after_done_or_cancelled_a_scan_gets_a_new_number(hall: Hall) -> None:
    patient = arrival()
    first = await hall.desk.enqueue(patient)
    await hall.desk.cancel(HIP, first.ticket, by="clerk")
    second = await hall.desk.enqueue(again(patient))
    assert second.token == "M-002"
    await hall.desk.call_next(HIP, "M1", by="clerk")
    await hall.desk.finish(HIP, second.ticket, by="clerk")
    assert (await hall.desk.enqueue(again(patient))).token == "M-003"


async def test_a_transferred_patient_who_scans_there_keeps_the_number(hall: Hall) -> None:
    patient = arrival()
    first = await hall.desk.enqueue(patient)
    await hall.desk.transfer(HIP, first.ticket, to="registration", by="clerk")
    assert (await hall.desk.enqueue(again(patient, text="R1"))).token == "M-001"


async def test_a_scan_of_the_live_screen_checks_an_expected_patient_in(hall: Hall) -> None:
    patient = arrival(text="nonsense")
    assert (await hall.desk.enqueue(patient)).expected
    present = await hall.desk.enqueue(again(patient, counter="M1", assurance=Assurance.SCREEN))
    assert (present.token, present.state) == ("M-001", State.WAITING)


async def test_a_no_show_who_scans_again_waits_near_the_front(hall: Hall) -> None:
    people = [arrival() for _ in range(6)]
    for person in people:
        await hall.desk.enqueue(person)
    called = await hall.desk.call_next(HIP, "M1", by="clerk")
    assert called.ticket
    await hall.desk.no_show(HIP, called.ticket.id, by="clerk")
    back = await hall.desk.enqueue(again(people[0]))
    assert (back.token, back.state, back.ahead) == ("M-001", State.WAITING, 2)


async def test_unknown_text_goes_to_the_default_queue_and_waits_for_check_in(hall: Hall) -> None:
    place = await hall.desk.enqueue(arrival(text="7f9c2ba4-e88f"))
    assert (place.token, place.state) == ("M-001", State.EXPECTED)
    assert (await hall.desk.call_next(HIP, "M1", by="clerk")).outcome is Outcome.EMPTY
    moved = await hall.desk.check_in(HIP, place.ticket, by="clerk")
    assert moved.ticket
    assert (moved.ticket.state, moved.ticket.assurance) == (State.WAITING, Assurance.UNKNOWN)


async def test_a_late_arrival_waits_for_check_in_whatever_the_policy_says(hall: Hall) -> None:
    taken = Policy(far=PresenceRule.TAKE, stale=PresenceRule.TAKE, unknown=PresenceRule.TAKE)
    await hall.registry.set_policy(HIP, taken)
    late = arrival(late=True, persons=(b"one", b"two"))
    place = await hall.desk.enqueue(late)
    assert (place.outcome, place.token, place.state) == (Outcome.NEW, "M-001", State.EXPECTED)
    again_late = await hall.desk.enqueue(late)
    assert (again_late.outcome, again_late.token) == (Outcome.SAME_REQUEST, "M-001"), "once per request id"
    punctual = await hall.desk.enqueue(arrival(persons=(b"one",)))
    assert (punctual.token, punctual.state) == ("M-001", State.WAITING), "the person has come and scanned again"
    assert (await hall.desk.enqueue(arrival())).state is State.WAITING


async def test_printed_text_can_be_mapped_to_a_counter(hall: Hall) -> None:
    await hall.registry.map_text(HIP, "Old Poster 7", "R2")
    place = await hall.desk.enqueue(arrival(text=" old poster 7 "))
    assert (place.token, place.state) == ("R-001", State.WAITING)


@pytest.mark.parametrize(
    ("position", "nearness", "state"),
    [(SRINAGAR, Nearness.NEAR, State.WAITING), ((32.73, 74.87), Nearness.FAR, State.EXPECTED)],
)
async def test_a_phone_far_away_is_expected(
    hall: Hall, position: tuple[float, float], nearness: Nearness, state: State
) -> None:
    place = await hall.desk.enqueue(arrival(position=position))
    ticket = await hall.desk.ticket(HIP, place.ticket)
    assert ticket
    assert (ticket.nearness, ticket.state) == (nearness, state)


@pytest.mark.parametrize("metres", [990, 1010])
async def test_near_ends_where_the_policy_says(hall: Hall, metres: int) -> None:
    place = await hall.desk.enqueue(arrival(position=(SRINAGAR[0], SRINAGAR[1] + metres / (111_320 * 0.82818))))
    ticket = await hall.desk.ticket(HIP, place.ticket)
    assert ticket
    assert ticket.nearness is (Nearness.NEAR if metres < 1000 else Nearness.FAR)


async def test_policy_may_refuse_what_is_not_proved(hall: Hall) -> None:
    await hall.registry.set_policy(
        HIP, Policy(far=PresenceRule.REFUSE, stale=PresenceRule.TAKE, unknown=PresenceRule.REFUSE)
    )
    far = await hall.desk.enqueue(arrival(position=(28.6, 77.2)))
    unknown = await hall.desk.enqueue(arrival(text=""))
    stale = await hall.desk.enqueue(arrival(counter="M1", assurance=Assurance.STALE))
    assert (far.refusal, unknown.refusal) == (Refusal.FAR, Refusal.UNKNOWN_COUNTER)
    assert stale.state is State.WAITING


async def test_a_refusal_is_a_debt_and_stays_the_answer(hall: Hall) -> None:
    await hall.registry.open_counter(HIP, "M1", False)
    share = arrival()
    assert (await hall.desk.enqueue(share)).refusal is Refusal.CLOSED_COUNTER
    await hall.registry.open_counter(HIP, "M1", True)
    place = await hall.desk.enqueue(share)
    assert (place.outcome, place.refusal) == (Outcome.SAME_REQUEST, Refusal.CLOSED_COUNTER)
    pending_replies = await take_all(hall.store)
    assert [(pending.kind, pending.refusal, pending.token) for pending in pending_replies] == [
        (ReplyKind.ON_SHARE, Refusal.CLOSED_COUNTER, "")
    ]


async def test_each_closed_or_missing_thing_is_named(hall: Hall) -> None:
    await hall.registry.open_queue(HIP, "registration", False)
    await hall.registry.put_facility(Facility(hip_id="new", name="New"))
    closed = await hall.desk.enqueue(arrival(text="R1"))
    nowhere = await hall.desk.enqueue(arrival(facility="nowhere"))
    empty = await hall.desk.enqueue(arrival(facility="new"))
    assert [place.refusal for place in (closed, nowhere, empty)] == [
        Refusal.CLOSED_QUEUE,
        Refusal.UNKNOWN_FACILITY,
        Refusal.NO_QUEUE,
    ]


async def test_a_known_request_gets_its_old_answer_even_when_the_door_refuses(hall: Hall) -> None:
    share = arrival()
    await hall.desk.enqueue(share)
    place = await hall.desk.enqueue(msgspec.structs.replace(share, refusal=Refusal.CLOCK))
    assert (place.outcome, place.token) == (Outcome.SAME_REQUEST, "M-001")
    new = await hall.desk.enqueue(arrival(refusal=Refusal.CLOCK))
    assert (new.outcome, new.refusal) == (Outcome.REFUSED, Refusal.CLOCK)


async def test_a_facility_that_takes_too_many_at_once_is_answered_busy(hall: Hall) -> None:
    desk = OpdDesk(hall.store, facility_rate=0.001, facility_burst=5)
    places = [await desk.enqueue(arrival()) for _ in range(7)]
    assert [place.refusal for place in places] == [None] * 5 + [Refusal.BUSY] * 2


async def test_a_full_queue_says_so(hall: Hall) -> None:
    await hall.registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M", limit=2))
    places = [await hall.desk.enqueue(arrival()) for _ in range(3)]
    assert [place.refusal for place in places] == [None, None, Refusal.QUEUE_FULL]


async def test_nobody_is_owed_an_answer_without_a_note(hall: Hall) -> None:
    await hall.desk.enqueue(arrival(reply_wanted=False, queue="registration", assurance=Assurance.STAFF))
    assert await Outbox(hall.store, "relay").backlog() == 0


async def test_lanes_go_sooner_and_emergencies_first(hall: Hall) -> None:
    lanes = (Lane.ORDINARY, Lane.SENIOR, Lane.ORDINARY, Lane.DISABLED, Lane.EMERGENCY)
    for lane in lanes:
        await hall.desk.enqueue(arrival(lane=lane))
    snapshot = await hall.desk.snapshot(HIP)
    assert snapshot
    assert snapshot.queues[0].next == ("M-005", "M-004", "M-002", "M-001", "M-003")


async def test_the_counter_that_was_taken_away_leads_to_the_default_queue(hall: Hall) -> None:
    place = await hall.desk.enqueue(arrival(counter="Z9", assurance=Assurance.SCREEN))
    assert (place.queue, place.state) == ("medicine", State.EXPECTED)


async def test_a_counter_may_lead_to_a_queue_of_another_prefix(hall: Hall) -> None:
    await hall.registry.put_counter(HIP, Counter(name="ENT", queues=("registration", "medicine")))
    assert (await hall.desk.enqueue(arrival(text="ent"))).token == "R-001"


@pytest.mark.parametrize("planted", ["{day}", "f", "w:medicine", "a:medicine"])
async def test_a_key_of_a_wrong_type_leaves_nothing_half_written(hall: Hall, planted: str) -> None:
    await hall.desk.enqueue(arrival())
    root, day = facility_root(HIP), await service_day(hall)
    await hall.store.call(root, "SET", f"{root}:{planted.format(day=day)}", "planted")
    await refused_whole(hall)


async def test_debts_of_a_wrong_type_leave_nothing_half_written(hall: Hall) -> None:
    await hall.desk.enqueue(arrival())
    await plant(hall, "owed")
    await refused_whole(hall)


async def test_news_that_cannot_be_told_cost_nobody_a_place(hall: Hall) -> None:
    await plant(hall, "news")
    assert (await hall.desk.enqueue(arrival())).token == "M-001"


async def plant(hall: Hall, key: str) -> None:
    root = facility_root(HIP)
    await hall.store.call(root, "SET", f"{root.partition(':')[0]}:{key}", "planted")


async def refused_whole(hall: Hall) -> None:
    before = await everything(hall.store)
    with pytest.raises(StoreRefused):
        await hall.desk.enqueue(arrival(text="neither a counter nor a poster"))
    assert await everything(hall.store) == before


async def service_day(hall: Hall) -> str:
    root = facility_root(HIP)
    day = await hall.store.call(root, "HGET", f"{root}:f", "day")
    assert isinstance(day, bytes)
    return day.decode()


async def everything(store: Store) -> dict[bytes, object]:
    """Every key with its content: what a dump would show."""
    client = store.client()
    return {key: await client.dump(key) for key in sorted([key async for key in client.scan_iter(count=1000)])}


async def take_all(store: Store) -> list[PendingReply]:
    outbox = Outbox(store, "reader")
    taken = await outbox.take(wait_ms=1)
    await outbox.close()
    return sorted(taken, key=lambda pending: pending.created_ms)


async def test_a_late_redelivery_of_yesterdays_request_gets_yesterdays_number(store: Store) -> None:
    await build(store)
    clock = kolkata()
    desk = open_desk(store, clock)
    share = arrival()
    await desk.enqueue(arrival())
    await desk.enqueue(share)
    clock.moved_ms = 86_400_000
    assert (await desk.enqueue(arrival())).token == "M-001"
    assert (await desk.enqueue(share)).token == "M-002"
