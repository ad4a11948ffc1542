"""The role: what happened in the queue stands in the archive, once, whatever fails in between."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiosk.archive import schema
from kiosk.archive.database import Database
from kiosk.archive.person_digests import MonthKeys, identity_of
from kiosk.archive.role import Parts
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal
from queueing.desk import OpdDesk
from queueing.event_log import cursor_numbers
from queueing.lanes import Lane
from queueing.models import Facility, Queue, Refusal
from queueing.outbox import Outbox
from queueing.person_records import PersonRecords
from queueing.reasons import Reason
from queueing.registry import Registry
from queueing.store.store import Store
from tests.kiosk.archive.archived import (
    archive,
    assert_sums,
    assert_true,
    new_ring,
    rows,
    shared,
)
from tests.kiosk.archive.visits import OTHER, deliver_all, patient, visit
from tests.queueing.a_facility import HIP, MovedMidnight, again, arrival, midnight_in

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_pauses")]


async def test_every_way_of_a_ticket_stands_in_its_row(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    done = await visit(desk)
    expected = (await desk.enqueue(arrival(text="nonsense of another system 7"))).ticket
    await desk.check_in(HIP, expected, by="anna")
    moved = (await desk.enqueue(arrival())).ticket
    await desk.call_this(HIP, "M2", moved, by="bilal")
    await desk.transfer(HIP, moved, to="registration", by="bilal")
    gone = (await desk.enqueue(arrival())).ticket
    await desk.call_this(HIP, "M2", gone, by="bilal")
    await desk.no_show(HIP, gone, by="bilal")
    cancelled = (await desk.enqueue(arrival(lane=Lane.PREGNANT))).ticket
    await desk.set_lane(HIP, cancelled, Lane.PRIORITY, reason=Reason.STAFF, by="bilal")
    await desk.cancel(HIP, cancelled, by="bilal")
    called_back = (await desk.enqueue(arrival())).ticket
    await desk.call_this(HIP, "M1", called_back, by="anna")
    await desk.undo(HIP, "M1", by="anna")
    await archive(one)
    await assert_true(store, database)
    by_number = {f"{row['token']}": row for row in rows(database, schema.tickets)}
    assert by_number["M-001"]["state"] == "done"
    assert by_number["M-001"]["called_first_ms"] == by_number["M-001"]["called_last_ms"] > 0
    assert by_number["M-002"]["checked_in_ms"] >= by_number["M-002"]["arrived_ms"]
    assert (by_number["M-003"]["queue"], by_number["M-005"]["lane"]) == ("registration", "priority")
    assert (by_number["M-005"]["reason"], by_number["M-001"]["reason"]) == ("staff", "")
    (sums,) = [row for row in rows(database, schema.daily_sums) if row["queue"] == "medicine"]
    assert (sums["lane_priority"], sums["reason_staff"], sums["lane_pregnant"]) == (1, 1, 0)
    assert by_number["M-006"]["called_first_ms"] == 0, "a call that was undone is no call"
    assert done.endswith("-1")
    (facility,) = rows(database, schema.facilities)
    assert (facility["hip_id"], facility["district"]) == (HIP, "Baramulla")
    assert facility["first_day"] == facility["last_day"] == rows(database, schema.tickets)[0]["service_day"]


async def test_a_share_outside_opening_hours_is_counted_apart_from_one_that_met_a_queue_closed_by_staff(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    registry = Registry(store)
    await registry.set_hours(HIP, "medicine", hours_of_another_day())
    await desk.enqueue(arrival())
    await registry.open_queue(HIP, "medicine", False)
    await desk.enqueue(arrival())
    await desk.enqueue(arrival())
    await archive(one)
    await assert_true(store, database)
    assert [row["by_hours"] for row in sorted(rows(database, schema.shares), key=_cursor)] == [True, False, False]
    (sums,) = rows(database, schema.daily_sums)
    assert (sums["refused"], sums["refused_closed_queue"], sums["refused_by_hours"]) == (3, 3, 1)


def hours_of_another_day() -> tuple[int, int]:
    """One hour, three days from now: closed now in every time zone. Minutes of the week from Monday."""
    opens = (datetime.now(UTC).weekday() + 3) % 7 * 1440 + 540
    return opens, opens + 60


def _cursor(row: dict[str, Any]) -> tuple[int, ...]:
    return cursor_numbers(row["cursor"])


async def test_shares_that_gave_no_place_have_rows_of_their_own(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    patient = arrival()
    place = await desk.enqueue(patient)
    await desk.enqueue(patient)  # delivered again by the gateway
    await desk.enqueue(again(patient))  # scanned again by the person
    await Registry(store).open_queue(HIP, "medicine", False)
    await desk.enqueue(arrival())
    await desk.enqueue(arrival(refusal=Refusal.PROFILE))
    delivered = await deliver_all(store)
    await archive(one)
    await assert_true(store, database)
    shares = rows(database, schema.shares)
    kinds = sorted((row["kind"], row["refusal"], row["ack"]) for row in shares)
    assert kinds == [
        ("redelivered", "", ""),
        ("refused", "closed_queue", "delivered"),
        ("refused", "profile", "delivered"),
        ("repeated", "", "delivered"),
    ]
    assert {row["ticket"] for row in shares} == {"", place.ticket}
    (ticket,) = rows(database, schema.tickets)
    assert ticket["ack"] == "delivered"
    assert ticket["ack_at_ms"] >= ticket["arrived_ms"]
    assert delivered == sum(row["ack"] == "delivered" for row in (*shares, ticket)) == 4


async def test_refusals_without_an_event_count_when_their_reply_is_delivered(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    slow = OpdDesk(store, facility_rate=0.1, facility_burst=1)
    for _ in range(3):
        await slow.enqueue(arrival())
    await slow.enqueue(arrival(facility="IN0000000000"))
    await deliver_all(store)
    await archive(one)
    refused = sorted((row["hip_id"], row["refusal"], row["ack"]) for row in rows(database, schema.shares))
    assert refused == [("", "unknown_facility", "delivered"), (HIP, "busy", "delivered"), (HIP, "busy", "delivered")]
    assert_sums(database)


async def test_a_reply_that_was_parked_and_sent_again_corrects_its_row(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    await desk.enqueue(arrival())
    outbox = Outbox(store, "relay-1")
    (pending,) = await outbox.take(wait_ms=1)
    await outbox.park(pending, "the gateway answered 404")
    await archive(one)
    assert [row["ack"] for row in rows(database, schema.tickets)] == ["parked"]
    (parked,) = await outbox.parked(HIP)
    await outbox.resend(HIP, parked.id)
    await deliver_all(store)
    await outbox.close()
    await archive(one)
    assert [row["ack"] for row in rows(database, schema.tickets)] == ["delivered"]
    assert_sums(database)


async def test_the_end_of_a_day_and_an_undo_after_it_correct_the_day_before(
    store: Store, database: Database, desk: OpdDesk, one: Parts, clock: MovedMidnight
) -> None:
    clock.moved_ms = midnight_in(clock, ms=600_000)
    waiting = (await desk.enqueue(arrival())).ticket
    left = (await desk.enqueue(arrival())).ticket
    await desk.call_this(HIP, "M1", left, by="anna")
    await archive(one)
    assert [row["state"] for row in rows(database, schema.tickets)] == ["waiting", "called"]
    await asyncio.sleep(0.1)  # the day before ends later than what happened in it
    clock.moved_ms += midnight_in(clock, ms=-10)
    await desk.call_this(HIP, "M2", waiting, by="anna")
    await desk.finish(HIP, waiting, by="anna")
    await archive(one)
    await assert_true(store, database)
    assert [row["state"] for row in rows(database, schema.tickets)] == ["done", "lapsed"]
    await desk.undo(HIP, "M2", by="anna")
    await archive(one)
    await assert_true(store, database)
    assert [row["state"] for row in rows(database, schema.tickets)] == ["called", "lapsed"]
    assert len({row["service_day"] for row in rows(database, schema.daily_sums)}) == 1


async def test_people_are_told_from_tokens_and_nobody_is_named(
    store: Store, database: Database, desk: OpdDesk, one: Parts, seal: Seal
) -> None:
    await Registry(store).put_facility(Facility(hip_id=OTHER, name="Other"))
    await Registry(store).put_queue(OTHER, Queue(id="medicine", name="Medicine", prefix="M"), 1)
    first = await desk.enqueue(shared(seal, patient(1), 1))
    await desk.call_this(HIP, "M1", first.ticket, by="anna")
    await desk.finish(HIP, first.ticket, by="anna")
    await desk.enqueue(shared(seal, patient(1), 2))  # the same person again after the visit
    await desk.enqueue(shared(seal, patient(1), 3, OTHER))
    await desk.enqueue(shared(seal, patient(2), 4))
    await desk.enqueue(shared(seal, Patient(name="Asha", year_of_birth=1980, phone="9876543210"), 5))
    await desk.enqueue(shared(seal, Patient(name="Asha"), 6))
    await archive(one)
    found = {row["request_id"]: row for row in rows(database, schema.tickets)}
    firsts = {
        name: "".join("dms"[i] for i, key in enumerate(("first_day", "first_month", "first_state")) if row[key])
        for name, row in found.items()
    }
    # Partitions are read in their order: whichever hospital comes first is the first of the whole state.
    assert firsts["share-2"] == ""
    assert sorted((firsts["share-1"], firsts["share-3"])) == ["dm", "dms"]
    assert (firsts["share-4"], firsts["share-5"], firsts["share-6"]) == ("dms", "dms", "")
    assert found["share-1"]["person"] == found["share-2"]["person"] == found["share-3"]["person"]
    assert found["share-6"]["person"] is None
    assert len({row["person"] for row in found.values()}) == 4
    assert_sums(database)
    everything = repr([rows(database, table) for table in schema.metadata.tables.values()])
    assert not [word for word in ("Patient", "Asha", "9876543210", f"{1:014d}") if word in everything]


@pytest.mark.parametrize("archived_before", [True, False])
async def test_an_erased_person_leaves_no_digest_and_the_counts_stay(
    store: Store, database: Database, desk: OpdDesk, one: Parts, seal: Seal, archived_before: bool
) -> None:
    first = await desk.enqueue(shared(seal, patient(1), 1))
    await desk.call_this(HIP, "M1", first.ticket, by="anna")
    await desk.finish(HIP, first.ticket, by="anna")
    second = await desk.enqueue(shared(seal, patient(1), 2))
    await desk.enqueue(shared(seal, patient(2), 3))
    if archived_before:
        await archive(one)
    digest = one.month_keys.digest(identity_of(patient(1)), date.today()) if archived_before else None
    erased = await PersonRecords(store).erase(HIP, token=second.ticket, by="admin")
    await desk.cancel(HIP, second.ticket, by="anna")
    await archive(one)
    assert [record.ticket.id for record in erased] == [second.ticket]
    found = {row["request_id"] or "unread": row["person"] for row in rows(database, schema.tickets)}
    if not archived_before:  # the envelope was gone before it was read
        assert found["unread"] is None
        return
    before = [row["digest"] for row in rows(database, schema.persons)]
    assert found["share-1"] == found["share-2"] not in (None, digest, found["share-3"])
    assert len(before) == 1
    assert before[0] == found["share-3"]
    assert_sums(database)


async def test_an_envelope_that_is_gone_is_an_unknown_person(
    store: Store, database: Database, desk: OpdDesk, one: Parts
) -> None:
    await desk.enqueue(arrival(envelope=b"sealed with a key that was destroyed"))
    await archive(one)
    (row,) = rows(database, schema.tickets)
    assert (row["person"], row["request_id"], row["first_day"]) == (None, "", False)


def test_the_key_of_a_month_is_made_new_and_destroyed_a_month_later(database: Database) -> None:
    ring = new_ring()
    keys = MonthKeys(ring.person_key())
    digests: dict[tuple[date, int], bytes | None] = {}
    for today in (date(2026, 9, 30), date(2026, 10, 1), date(2026, 11, 1)):
        with database.writing() as connection:
            keys.refresh(connection, today)
        digests |= {(today, month): keys.digest("number 1", date(2026, month, 1)) for month in (8, 9, 10, 11)}
    assert digests[date(2026, 9, 30), 9] == digests[date(2026, 10, 1), 9] is not None
    assert digests[date(2026, 9, 30), 10] is not None, "the next month's key is there before its first ticket"
    assert digests[date(2026, 11, 1), 9] is None
    assert digests[date(2026, 11, 1), 10] != digests[date(2026, 9, 30), 9]
    assert [row["month"].month for row in rows(database, schema.person_keys)] == [10, 11]
    again = MonthKeys(ring.person_key())
    with database.writing() as connection:
        again.refresh(connection, date(2026, 11, 1))
    assert again.digest("number 1", date(2026, 10, 1)) == digests[date(2026, 11, 1), 10]
    stolen = MonthKeys(new_ring().person_key())
    with database.writing() as connection:
        stolen.refresh(connection, date(2026, 11, 1))
    assert stolen.closed
    assert stolen.digest("number 1", date(2026, 10, 1)) is None, "the database alone does not say who anybody is"


def test_a_person_is_known_by_number_address_or_name_year_and_phone() -> None:
    assert identity_of(patient(1, abha_address="a@abdm")) == identity_of(patient(1, name="Other spelling"))
    assert identity_of(Patient(abha_address="Asha@abdm")) == identity_of(Patient(abha_address="asha@ABDM"))
    complete_person = Patient(name="Asha  Devi", year_of_birth=1980, phone="9876543210")
    assert identity_of(complete_person) == identity_of(
        Patient(name="asha devi", year_of_birth=1980, phone="9876543210")
    )
    assert identity_of(Patient(name="Asha", year_of_birth=1980)) == ""
