"""The story of one scan, with real keys, a real seal and a real queue."""

import json
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import msgspec
import pytest

from kiosk.abdm.client import timestamp
from kiosk.abdm.inbound import ECHO_MAX, RequestHeaders, read_patient, to_scan
from kiosk.abdm.note import Note, write_note
from kiosk.abdm.schemas import read_share
from kiosk.checkin import CheckIn
from kiosk.patient.envelope import ENVELOPE_PURPOSE
from kiosk.patient.identifiers import abha_address, abha_number
from kiosk.patient.person import Patient, Scan, StatusQuery
from kiosk.security.encryption import Seal, SealBroken
from queueing import library
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Assurance, Outcome, Refusal, State, Ticket
from queueing.outbox import Outbox
from queueing.reasons import Reason
from queueing.redis_keys import facility_key
from queueing.store.store import Store
from queueing.ticket_source import source_of
from tests.kiosk.share_builders import scan_of, share_body
from tests.queueing.a_facility import HIP, build, open_desk
from tokens import CounterCodes, KeyRing

pytestmark = pytest.mark.anyio
ASHA = Patient(
    name="Asha Devi",
    gender="F",
    year_of_birth=1988,
    abha_number="91000044441111",
    abha_address="Asha.Devi@sbx",
    phone="9000000001",
)


@dataclass
class CheckInParts:
    check_in: CheckIn
    codes: CounterCodes
    desk: OpdDesk
    store: Store
    requests: int = 0

    def scan(self, patient: Patient = ASHA, **profile_bytes: Any) -> Scan:
        self.requests += 1
        return scan_of(patient, f"00000000-0000-4000-8000-{self.requests:012d}", facility=HIP, **profile_bytes)

    async def ticket(self, ticket: str) -> Ticket:
        found = await self.desk.ticket(HIP, ticket)
        assert found
        return found


@pytest.fixture
async def parts(store: Store) -> CheckInParts:
    await build(store)
    ring = KeyRing.generate(int(time.time()))
    seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    desk, codes = open_desk(store), CounterCodes(ring)
    return CheckInParts(
        CheckIn(desk, codes, seal, person_key=ring.person_key(), read_patient=read_patient, now_s=time.time),
        codes,
        desk,
        store,
    )


async def test_a_code_of_the_live_screen_is_a_place_at_once(parts: CheckInParts) -> None:
    code = parts.codes.mint(HIP, "R2", int(time.time()))
    place = await parts.check_in.scanned(parts.scan(context=code))
    assert (place.outcome, place.token, place.state) == (Outcome.NEW, "R-001", State.WAITING)
    assert (await parts.ticket(place.ticket)).assurance is Assurance.SCREEN


async def test_an_old_code_of_the_screen_waits_for_check_in(parts: CheckInParts) -> None:
    code = parts.codes.mint(HIP, "R2", int(time.time()) - 3600)
    place = await parts.check_in.scanned(parts.scan(context=code))
    assert (place.token, place.state) == ("R-001", State.EXPECTED)
    assert (await parts.ticket(place.ticket)).assurance is Assurance.STALE


async def test_a_code_of_another_facility_proves_nothing(parts: CheckInParts) -> None:
    code = parts.codes.mint("another", "R2", int(time.time()))
    place = await parts.check_in.scanned(parts.scan(context=code))
    assert (place.token, place.state) == ("M-001", State.EXPECTED)
    assert (await parts.ticket(place.ticket)).assurance is Assurance.UNKNOWN


async def test_two_slots_of_one_counter_are_one_queue_and_one_person(parts: CheckInParts) -> None:
    now_s = int(time.time())
    first = await parts.check_in.scanned(parts.scan(context=parts.codes.mint(HIP, "M1", now_s - 60)))
    second = await parts.check_in.scanned(parts.scan(context=parts.codes.mint(HIP, "M1", now_s)))
    assert (second.outcome, second.token) == (Outcome.SAME_PERSON, first.token)


async def test_an_address_is_compared_without_case(parts: CheckInParts) -> None:
    await parts.check_in.scanned(parts.scan())
    shouted = msgspec.structs.replace(ASHA, abha_address="ASHA.DEVI@SBX", abha_number="")
    assert (await parts.check_in.scanned(parts.scan(shouted))).outcome is Outcome.SAME_PERSON


@pytest.mark.parametrize(
    ("born", "lane"), [(None, Lane.ORDINARY), (1990, Lane.ORDINARY), (1940, Lane.SENIOR), (1966, Lane.ORDINARY)]
)
async def test_seniors_go_sooner_without_asking(parts: CheckInParts, born: int | None, lane: Lane) -> None:
    year = born and born + (time.gmtime().tm_year - 2026)
    last_day = msgspec.structs.replace(ASHA, year_of_birth=year, month_of_birth=12, day_of_birth=31)
    place = await parts.check_in.scanned(parts.scan(last_day))
    assert (await parts.ticket(place.ticket)).lane is lane


async def test_staff_read_the_profile_and_the_store_does_not(parts: CheckInParts) -> None:
    place = await parts.check_in.scanned(parts.scan())
    ticket = await parts.ticket(place.ticket)
    sealed = await parts.desk.envelope(HIP, place.ticket)
    assert sealed
    assert b"Asha" not in sealed
    assert parts.check_in.patient(HIP, ticket, sealed) == ASHA


async def test_of_a_message_with_a_photo_the_profile_is_kept_without_it(parts: CheckInParts) -> None:
    place = await parts.check_in.scanned(parts.scan(body=share_body(ASHA, photo="x" * 300_000)))
    sealed = await parts.desk.envelope(HIP, place.ticket)
    assert sealed
    assert len(sealed) < 500
    assert parts.check_in.patient(HIP, await parts.ticket(place.ticket), sealed) == ASHA


async def test_a_profile_of_too_many_words_is_kept_as_people_will_see_it(parts: CheckInParts) -> None:
    place = await parts.check_in.scanned(parts.scan(msgspec.structs.replace(ASHA, name="Asha Devi" + " " * 300_000)))
    sealed = await parts.desk.envelope(HIP, place.ticket)
    assert sealed
    assert len(sealed) < 500
    assert parts.check_in.patient(HIP, await parts.ticket(place.ticket), sealed) == ASHA


async def test_a_number_that_no_machine_holds_costs_nobody_the_place(parts: CheckInParts) -> None:
    body = share_body(ASHA).replace(b'"9000000001"', b"9" * 60)
    place = await parts.check_in.scanned(parts.scan(body=body))
    assert place.outcome is Outcome.NEW


@pytest.mark.parametrize("plain", [b"", b"\xff", b"\x93\x01\x02\x03"])
async def test_what_opens_and_is_no_envelope_counts_as_broken(parts: CheckInParts, plain: bytes) -> None:
    place = await parts.check_in.scanned(parts.scan())
    ticket = await parts.ticket(place.ticket)
    sealed = parts.check_in._seal.close(ENVELOPE_PURPOSE, facility_key(HIP), ticket.request, plain)
    with pytest.raises(SealBroken):
        parts.check_in.patient(HIP, ticket, sealed)


@pytest.mark.parametrize(
    ("note", "profile_bytes"), [(b"\xff", b"[]"), (b"", b"[]"), (None, b"{}"), (None, b"["), (None, b"")]
)
def test_what_cannot_be_read_any_more_leaves_the_name_empty(note: bytes | None, profile_bytes: bytes) -> None:
    taken = write_note(Note("v3", HIP, "M1", "a@sbx", "r")) if note is None else note
    assert read_patient(taken, profile_bytes) == Patient()


@pytest.mark.parametrize("form", ["v3", "v1"])
def test_a_profile_of_another_release_may_have_fewer_or_more_fields(form: Literal["v3", "v1"]) -> None:
    note = write_note(Note(form, HIP, "M1", "a@sbx", "r"))
    assert read_patient(note, b'["a@sbx"]' if form == "v1" else b'[null,"a@sbx"]').abha_address == "a@sbx"
    assert read_patient(note, b"[" + b"null," * 50 + b"1]") == Patient()


async def test_nothing_of_a_patient_stands_in_the_store_in_clear(parts: CheckInParts) -> None:
    await parts.check_in.scanned(parts.scan())
    await parts.check_in.walked_in(HIP, "medicine", ASHA, Reason.NONE, by="clerk")
    client = parts.store.client()
    keys = [key async for key in client.scan_iter() if isinstance(key, bytes)]
    dumps = [await client.dump(key) or b"" for key in keys]
    everything = b"".join([*dumps, *keys]).lower()
    for word in (b"asha", b"devi", b"91000044441111", b"9000000001", b"sbx"):
        assert word not in everything


async def test_a_refusal_before_the_queue_is_answered_without_a_profile(parts: CheckInParts) -> None:
    place = await parts.check_in.scanned(parts.scan(Patient(), refusal=Refusal.PROFILE))
    assert (place.outcome, place.refusal) == (Outcome.REFUSED, Refusal.PROFILE)
    outbox = Outbox(parts.store, "relay")
    (pending,) = await outbox.take()
    await outbox.close()
    assert pending.refusal is Refusal.PROFILE


async def test_who_walks_in_stands_in_the_same_queue(parts: CheckInParts) -> None:
    await parts.check_in.scanned(parts.scan())
    walk_in = await parts.check_in.walked_in(HIP, "medicine", Patient(name="Ghulam"), Reason.PREGNANT, by="clerk")
    by_camera = await parts.check_in.by_camera(HIP, "medicine", Patient(name="Sara"), "form-1")
    again = await parts.check_in.by_camera(HIP, "medicine", Patient(name="Sara"), "form-1")
    assert [walk_in.token, by_camera.token, again.token] == ["M-002", "M-003", "M-003"]
    assert again.outcome is Outcome.SAME_REQUEST
    snapshot = await parts.desk.snapshot(HIP)
    assert snapshot
    assert snapshot.queues[0].next == ("M-002", "M-001", "M-003")


async def test_whom_the_hospitals_system_registers_takes_a_place_and_is_found_again(parts: CheckInParts) -> None:
    person = ("medicine", ASHA, Lane.ORDINARY)
    first = await parts.check_in.registered_elsewhere(HIP, *person, by="api:one", request_id="7")
    again = await parts.check_in.registered_elsewhere(HIP, *person, by="api:one", request_id="7")
    other = await parts.check_in.registered_elsewhere(HIP, *person, by="api:two", request_id="7")
    assert (first.outcome, again.outcome, other.outcome) == (Outcome.NEW, Outcome.SAME_REQUEST, Outcome.SAME_PERSON)
    assert first.ticket == again.ticket == other.ticket
    ticket = await parts.ticket(first.ticket)
    assert (source_of(ticket), ticket.assurance, ticket.state) == ("hmis", Assurance.STAFF, State.WAITING)
    sealed = await parts.desk.envelope(HIP, ticket.id)
    assert sealed
    assert parts.check_in.patient(HIP, ticket, sealed).name == "Asha Devi"
    by_clerk = await parts.check_in.walked_in(HIP, "medicine", Patient(name="Ghulam"), Reason.NONE, by="asha")
    assert source_of(await parts.ticket(by_clerk.ticket)) == "staff"


async def test_the_clerk_who_types_an_abha_that_scanned_finds_the_same_ticket(parts: CheckInParts) -> None:
    scanned = await parts.check_in.scanned(parts.scan())
    typed = await parts.check_in.walked_in(HIP, "medicine", ASHA, Reason.NONE, by="clerk")
    assert (typed.outcome, typed.token) == (Outcome.SAME_PERSON, scanned.token)


async def test_the_running_token_is_asked_by_the_screens_code_too(parts: CheckInParts) -> None:
    await parts.check_in.scanned(parts.scan(context="R1"))
    code = parts.codes.mint(HIP, "R1", int(time.time()))
    query = StatusQuery(facility=HIP, context=code, request_id="q-1", body=b"{}", note=b"note")
    assert await parts.check_in.answer_status(query) is Outcome.NEW


async def test_the_longest_words_a_message_may_hold_are_kept_to_be_echoed(parts: CheckInParts) -> None:
    long = "\N{AHOM LETTER KA}" * ECHO_MAX  # four bytes each
    patient = {"abhaAddress": long, "abhaNumber": ASHA.abha_number, "name": long, "address": {"line": long}}
    profile_bytes = {
        "intent": "PROFILE_SHARE",
        "metaData": {"hipId": HIP, "context": long},
        "profile": {"patient": patient},
    }
    body, now_s = json.dumps(profile_bytes, ensure_ascii=False).encode(), time.time()
    headers = RequestHeaders("0" * 100, HIP, timestamp(now_s))
    place = await parts.check_in.scanned(to_scan(read_share(body), headers, body=body, now_s=now_s, cm_id="sbx"))
    assert place.outcome is Outcome.NEW
    sealed = await parts.desk.envelope(HIP, place.ticket)
    assert sealed
    assert 32_768 < len(sealed) < library.TEXT_MAX
    shown = parts.check_in.patient(HIP, await parts.ticket(place.ticket), sealed)
    assert shown.abha_number == ASHA.abha_number


@pytest.mark.parametrize(
    ("address", "number", "digests"),
    [
        ("Asha.Devi@SBX", "91-7507-6821-7770", ["131bd37c08a7ae420e242a8d", "2da8c0e971c85b9394c308d7"]),
        (" asha_2@abdm", "", ["1fa98ed06f0f461e98ee244b"]),
        ("", "91750768217770", ["2da8c0e971c85b9394c308d7"]),
        ("ज़ूनी@sbx", "", ["9670dd55db648d660f1c3550"]),
    ],
)
def test_the_same_person_has_the_digests_that_earlier_releases_stored(
    address: str, number: str, digests: list[str]
) -> None:
    check_in = CheckIn.__new__(CheckIn)
    check_in._person = blake2b(key=b"k" * 32, digest_size=12)
    person = Patient(abha_address=abha_address(address), abha_number=abha_number(number))
    assert [digest.hex() for digest in check_in.known_as("IN0110000123", person)] == digests
