"""One scan, one place: numbers, second scans, redeliveries, refusals."""

import asyncio

import msgspec
import pytest

from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.lanes import Lane
from queueing.models import Assurance, Counter, Facility, Outcome, Queue, Refusal, ReplyKind, State
from queueing.outbox import Outbox
from queueing.pending_reply import PendingReply
from queueing.policy import Policy, PresenceRule
from queueing.redis_keys import facility_root
from queueing.registry import RegistryError
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, again, arrival, build, kolkata, open_desk
from tests.queueing.one_hospital import Hospital

pytestmark = pytest.mark.anyio


async def test_numbers_begin_at_one_and_are_the_queues_own(hospital: Hospital) -> None:
    first = await hospital.desk.enqueue(arrival())
    second = await hospital.desk.enqueue(arrival())
    other = await hospital.desk.enqueue(arrival(text="R1"))
    assert [place.token for place in (first, second, other)] == ["M-001", "M-002", "R-001"]
    assert (first.ahead, second.ahead) == (0, 1)
    assert first.expires_in_s == 1800


async def test_64_scans_of_one_patient_at_once_give_one_number(hospital: Hospital) -> None:
    patient = arrival()
    places = await asyncio.gather(*(hospital.desk.enqueue(again(patient)) for _ in range(64)))
    assert {place.token for place in places} == {"M-001"}
    assert sorted(place.outcome for place in places) == [Outcome.NEW] + [Outcome.SAME_PERSON] * 63


async def test_64_patients_at_once_get_64_numbers_without_a_gap(hospital: Hospital) -> None:
    places = await asyncio.gather(*(hospital.desk.enqueue(arrival()) for _ in range(64)))
    assert sorted(place.token for place in places) == [f"M-{number:03d}" for number in range(1, 65)]


async def test_people_who_come_in_one_millisecond_are_called_in_the_order_of_their_numbers(hospital: Hospital) -> None:
    await asyncio.gather(*(hospital.desk.enqueue(arrival()) for _ in range(64)))
    called = [await hospital.desk.call_next(HIP, "M1", by="clerk") for _ in range(64)]
    assert [moved.ticket.token for moved in called if moved.ticket] == [f"M-{number:03d}" for number in range(1, 65)]


async def test_32_deliveries_of_one_request_at_once_write_once(hospital: Hospital) -> None:
    share = arrival()
    places = await asyncio.gather(*(hospital.desk.enqueue(share) for _ in range(32)))
    assert {place.token for place in places} == {"M-001"}
    assert sorted(place.outcome for place in places) == [Outcome.NEW] + [Outcome.SAME_REQUEST] * 31
    assert await Outbox(hospital.store, "relay").backlog() == 1


async def test_a_replayed_request_is_noted_once_and_writes_nothing_after_that(hospital: Hospital) -> None:
    share = arrival()
    await hospital.desk.enqueue(share)
    replies = await Outbox(hospital.store, "relay").backlog()
    assert (await hospital.desk.enqueue(share)).outcome is Outcome.SAME_REQUEST
    before = await everything(hospital.store)
    assert (await hospital.desk.enqueue(share)).outcome is Outcome.SAME_REQUEST
    assert await Outbox(hospital.store, "relay").backlog() == replies
    assert await everything(hospital.store) == before


async def test_a_request_id_with_another_body_gives_the_second_patient_nothing(hospital: Hospital) -> None:
    share = arrival()
    await hospital.desk.enqueue(share)
    before = await everything(hospital.store)
    other = msgspec.structs.replace(arrival(), request=share.request)
    place = await hospital.desk.enqueue(other)
    assert (place.outcome, place.token) == (Outcome.CONFLICT, "")
    assert await everything(hospital.store) == before


async def test_the_same_request_id_at_another_facility_is_another_request(hospital: Hospital) -> None:
    await hospital.registry.put_facility(Facility(hip_id="other", name="Other"))
    await hospital.registry.put_queue("other", Queue(id="q", name="Q", prefix="Q"), 1)
    share = arrival()
    await hospital.desk.enqueue(share)
    place = await hospital.desk.enqueue(msgspec.structs.replace(share, facility="other", text=""))
    assert (place.outcome, place.token) == (Outcome.NEW, "Q-001")


async def test_a_second_scan_keeps_the_number_and_has_its_own_reply(hospital: Hospital) -> None:
    patient = arrival()
    first = await hospital.desk.enqueue(patient)
    second = await hospital.desk.enqueue(again(patient))
    assert (second.outcome, second.token) == (Outcome.SAME_PERSON, first.token)
    assert 60 <= second.expires_in_s <= first.expires_in_s
    pending_replies = await take_all(hospital.store)
    assert [pending.token for pending in pending_replies] == ["M-001", "M-001"]
    assert len({pending.request for pending in pending_replies}) == 2


async def test_a_person_is_known_by_address_and_by_number(hospital: Hospital) -> None:
    both = arrival(persons=(b"address", b"number"))
    await hospital.desk.enqueue(both)
    assert (await hospital.desk.enqueue(arrival(persons=(b"address",)))).token == "M-001"
    assert (await hospital.desk.enqueue(arrival(persons=(b"other address", b"number")))).token == "M-001"


async def test_another_queue_gives_another_ticket(hospital: Hospital) -> None:
    patient = arrival()
    await hospital.desk.enqueue(patient)
    assert (await hospital.desk.enqueue(again(patient, text="R1"))).token == "R-001"
    assert (await hospital.desk.enqueue(again(patient, text="M2"))).token == "M-001"


async def test_after_done_or_cancelled_a_scan_gets_a_new_number(hospital: Hospital) -> None:
    patient = arrival()
    first = await hospital.desk.enqueue(patient)
    await hospital.desk.cancel(HIP, first.ticket, by="clerk")
    second = await hospital.desk.enqueue(again(patient))
    assert second.token == "M-002"
    await hospital.desk.call_next(HIP, "M1", by="clerk")
    await hospital.desk.finish(HIP, second.ticket, by="clerk")
    assert (await hospital.desk.enqueue(again(patient))).token == "M-003"


async def test_a_transferred_patient_who_scans_there_keeps_the_number(hospital: Hospital) -> None:
    patient = arrival()
    first = await hospital.desk.enqueue(patient)
    await hospital.desk.transfer(HIP, first.ticket, to="registration", by="clerk")
    assert (await hospital.desk.enqueue(again(patient, text="R1"))).token == "M-001"


async def test_a_scan_of_the_live_screen_checks_an_expected_patient_in(hospital: Hospital) -> None:
    patient = arrival(text="nonsense")
    assert (await hospital.desk.enqueue(patient)).expected
    present = await hospital.desk.enqueue(again(patient, counter="M1", assurance=Assurance.SCREEN))
    assert (present.token, present.state) == ("M-001", State.WAITING)


async def test_a_no_show_who_scans_again_waits_near_the_front(hospital: Hospital) -> None:
    arrivals = [arrival() for _ in range(6)]
    for person in arrivals:
        await hospital.desk.enqueue(person)
    called = await hospital.desk.call_next(HIP, "M1", by="clerk")
    assert called.ticket
    await hospital.desk.no_show(HIP, called.ticket.id, by="clerk")
    back = await hospital.desk.enqueue(again(arrivals[0]))
    assert (back.token, back.state, back.ahead) == ("M-001", State.WAITING, 2)


async def test_a_refusal_is_a_pending_reply_and_stays_the_answer(hospital: Hospital) -> None:
    await hospital.registry.open_counter(HIP, "M1", False)
    share = arrival()
    assert (await hospital.desk.enqueue(share)).refusal is Refusal.CLOSED_COUNTER
    await hospital.registry.open_counter(HIP, "M1", True)
    place = await hospital.desk.enqueue(share)
    assert (place.outcome, place.refusal) == (Outcome.SAME_REQUEST, Refusal.CLOSED_COUNTER)
    pending_replies = await take_all(hospital.store)
    assert [(pending.kind, pending.refusal, pending.token) for pending in pending_replies] == [
        (ReplyKind.ON_SHARE, Refusal.CLOSED_COUNTER, "")
    ]


async def test_each_closed_or_missing_queue_or_counter_is_named(hospital: Hospital) -> None:
    await hospital.registry.open_queue(HIP, "registration", False)
    await hospital.registry.put_facility(Facility(hip_id="new", name="New"))
    closed = await hospital.desk.enqueue(arrival(text="R1"))
    nowhere = await hospital.desk.enqueue(arrival(facility="nowhere"))
    empty = await hospital.desk.enqueue(arrival(facility="new"))
    assert [place.refusal for place in (closed, nowhere, empty)] == [
        Refusal.CLOSED_QUEUE,
        Refusal.UNKNOWN_FACILITY,
        Refusal.NO_QUEUE,
    ]


async def test_a_known_request_gets_its_old_answer_even_when_the_endpoint_refuses(hospital: Hospital) -> None:
    share = arrival()
    await hospital.desk.enqueue(share)
    place = await hospital.desk.enqueue(msgspec.structs.replace(share, refusal=Refusal.CLOCK))
    assert (place.outcome, place.token) == (Outcome.SAME_REQUEST, "M-001")
    new = await hospital.desk.enqueue(arrival(refusal=Refusal.CLOCK))
    assert (new.outcome, new.refusal) == (Outcome.REFUSED, Refusal.CLOCK)


async def test_a_facility_that_takes_too_many_at_once_is_answered_busy(hospital: Hospital) -> None:
    desk = OpdDesk(hospital.store, facility_rate=0.001, facility_burst=5)
    places = [await desk.enqueue(arrival()) for _ in range(7)]
    assert [place.refusal for place in places] == [None] * 5 + [Refusal.BUSY] * 2


async def test_a_facility_may_have_a_rate_of_its_own(hospital: Hospital) -> None:
    desk = OpdDesk(hospital.store, facility_rate=0.001, facility_burst=2)
    await hospital.registry.set_policy(HIP, Policy(rate=0.1, burst=4))
    places = [await desk.enqueue(arrival()) for _ in range(6)]
    assert [place.refusal for place in places] == [None] * 4 + [Refusal.BUSY] * 2
    await hospital.registry.set_policy(HIP, Policy(rate=1_000, burst=100))
    assert (await desk.enqueue(arrival())).refusal is None
    facility = await hospital.registry.facility(HIP)
    assert facility
    assert (facility.policy.rate, facility.policy.burst) == (1_000, 100)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 10_001.0}, {"burst": 0}, {"burst": 100_001}, {"near_m": -1}])
async def test_a_rule_outside_its_limits_is_not_stored(hospital: Hospital, wrong: dict[str, float]) -> None:
    with pytest.raises(RegistryError):
        await hospital.registry.set_policy(HIP, msgspec.structs.replace(Policy(), **wrong))
    facility = await hospital.registry.facility(HIP)
    assert facility
    assert facility.policy == Policy()


async def test_rules_that_an_older_release_stored_are_read(hospital: Hospital) -> None:
    old = msgspec.msgpack.encode((PresenceRule.REFUSE, PresenceRule.TAKE, PresenceRule.EXPECT, 500))
    root = facility_root(HIP)
    await hospital.store.call(root, "HSET", f"{root}:f", "policy", old)
    facility = await hospital.registry.facility(HIP)
    assert facility
    assert facility.policy == Policy(far=PresenceRule.REFUSE, stale=PresenceRule.TAKE, near_m=500)
    assert (await hospital.desk.enqueue(arrival(position=(28.6, 77.2)))).refusal is Refusal.FAR
    assert (await hospital.desk.enqueue(arrival(counter="M1", assurance=Assurance.STALE))).state is State.WAITING


async def test_a_full_queue_says_so(hospital: Hospital) -> None:
    await hospital.registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M", limit=2))
    places = [await hospital.desk.enqueue(arrival()) for _ in range(3)]
    assert [place.refusal for place in places] == [None, None, Refusal.QUEUE_FULL]


async def test_without_a_request_for_a_reply_none_is_pending(hospital: Hospital) -> None:
    await hospital.desk.enqueue(arrival(reply_wanted=False, queue="registration", assurance=Assurance.STAFF))
    assert await Outbox(hospital.store, "relay").backlog() == 0


async def test_lanes_go_sooner_and_emergencies_first(hospital: Hospital) -> None:
    lanes = (Lane.ORDINARY, Lane.SENIOR, Lane.ORDINARY, Lane.DISABLED, Lane.EMERGENCY)
    for lane in lanes:
        await hospital.desk.enqueue(arrival(lane=lane))
    snapshot = await hospital.desk.snapshot(HIP)
    assert snapshot
    assert snapshot.queues[0].next == ("M-005", "M-004", "M-002", "M-001", "M-003")


async def test_the_counter_that_was_taken_away_leads_to_the_default_queue(hospital: Hospital) -> None:
    place = await hospital.desk.enqueue(arrival(counter="Z9", assurance=Assurance.SCREEN))
    assert (place.queue, place.state) == ("medicine", State.EXPECTED)


async def test_a_counter_may_lead_to_a_queue_of_another_prefix(hospital: Hospital) -> None:
    await hospital.registry.put_counter(HIP, Counter(name="ENT", queues=("registration", "medicine")))
    assert (await hospital.desk.enqueue(arrival(text="ent"))).token == "R-001"


@pytest.mark.parametrize("planted", ["{day}", "f", "w:medicine", "a:medicine"])
async def test_a_key_of_a_wrong_type_leaves_nothing_half_written(hospital: Hospital, planted: str) -> None:
    await hospital.desk.enqueue(arrival())
    root, day = facility_root(HIP), await service_day(hospital)
    await hospital.store.call(root, "SET", f"{root}:{planted.format(day=day)}", "planted")
    await refused_whole(hospital)


async def test_an_outbox_of_a_wrong_type_leaves_nothing_half_written(hospital: Hospital) -> None:
    await hospital.desk.enqueue(arrival())
    await plant(hospital, "owed")
    await refused_whole(hospital)


@pytest.mark.parametrize("stream", ["news", "events"])
async def test_a_place_is_given_although_its_change_cannot_be_written(hospital: Hospital, stream: str) -> None:
    await plant(hospital, stream)
    assert (await hospital.desk.enqueue(arrival())).token == "M-001"


async def plant(hospital: Hospital, key: str) -> None:
    root = facility_root(HIP)
    await hospital.store.call(root, "SET", f"{root.partition(':')[0]}:{key}", "planted")


async def refused_whole(hospital: Hospital) -> None:
    await asyncio.gather(*hospital.desk._hints._sending)  # the hint of an earlier arrival is written 50 ms after it
    before = await everything(hospital.store)
    with pytest.raises(StoreRefused):
        await hospital.desk.enqueue(arrival(text="neither a counter nor a poster"))
    assert await everything(hospital.store) == before


async def service_day(hospital: Hospital) -> str:
    root = facility_root(HIP)
    day = await hospital.store.call(root, "HGET", f"{root}:f", "day")
    assert isinstance(day, bytes)
    return day.decode()


async def everything(store: Store) -> dict[bytes, object]:
    """Every key with its content, as in a dump.

    Without the change hints of screens: the hint of an arrival goes out a moment after its answer.
    """
    client = store.client()
    keys = sorted([key async for key in client.scan_iter(count=1000) if not key.endswith(b"}:news")])
    return {key: await client.dump(key) for key in keys}


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
    assert (await desk.enqueue(arrival())).token == "M-003", "two people still wait with M-001 and M-002"
    assert (await desk.enqueue(share)).token == "M-002"
