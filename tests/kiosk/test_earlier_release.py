"""A data folder that an earlier release wrote opens with today's code: tickets, profiles, replies, sessions are whole.

How the folder was made is told in ``tests/samples/README.md``. The clock of what is opened is set to the moment of its
making, because day keys are erased and sessions end when their time is over.
"""

import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import json

from kiosk.abdm.inbound import read_patient
from kiosk.abdm.note import read_note
from kiosk.abdm.outbound import body_of
from kiosk.accounts.outcomes import SignedIn
from kiosk.accounts.service import Staff
from kiosk.checkin import CheckIn
from kiosk.patient.envelope import ENVELOPE_PURPOSE, unpack_envelope
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal
from kiosk.security.keyring_file import KeysOnDisk
from queueing import library
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.embedded.server import EmbeddedValkey
from queueing.lanes import Lane
from queueing.models import Arrival, Assurance, Outcome, State
from queueing.outbox import Outbox
from queueing.pending_reply import PendingReply
from queueing.redis_keys import request_digest
from queueing.registry import Registry
from queueing.store.store import Store, open_store
from tokens import CounterCodes

pytestmark = pytest.mark.anyio

SAMPLES: Final = Path(__file__).parents[1] / "samples"
FOLDER: Final = "data-folder-0.1.0"
FACTS: Final[dict[str, Any]] = json.decode((SAMPLES / f"{FOLDER}.json").read_bytes())
HIP: Final[str] = FACTS["hip_id"]
MADE_S: Final[int] = FACTS["made_s"]


class Opened:
    """The parts of today's program on the copied folder."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.desk = OpdDesk(store)
        self.registry = Registry(store)
        self.outbox = Outbox(store, "relay-of-today")
        self.staff = Staff(store, lambda: MADE_S)
        ring = KeysOnDisk(folder).load()
        self.seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: MADE_S, retention_h=48)
        self.check_in = CheckIn(
            self.desk, CounterCodes(ring), self.seal,
            person_key=ring.person_key(), read_patient=read_patient, now_s=lambda: MADE_S,
        )  # fmt: skip

    async def take_all(self) -> dict[str, PendingReply]:
        """Pending replies by token. The first turns bring what the relay of then had claimed, the next what is new."""
        taken: dict[str, PendingReply] = {}
        for _ in range(4):
            taken |= {pending.token: pending for pending in await self.outbox.take(wait_ms=100)}
        return taken

    def reply_of(self, pending: PendingReply) -> dict[str, Any]:
        """The body that the relay would send to the gateway."""
        plain = self.seal.open(ENVELOPE_PURPOSE, pending.facility_key, pending.request, pending.envelope)
        body: dict[str, Any] = json.decode(body_of(pending, read_note(unpack_envelope(plain).note), MADE_S))
        return body


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async with _opened(tmp_path / "data") as parts:
        yield parts


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Opened]:
    folder.mkdir(mode=0o700)
    with tarfile.open(SAMPLES / f"{FOLDER}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    async with EmbeddedValkey(folder, maxmemory_bytes=64 << 20) as server:
        store = await open_store(server.url)
        await library.load(store)
        parts = Opened(store, folder)
        try:
            await parts.seal.refresh(DayKeys(store))
            yield parts
        finally:
            await parts.outbox.close()
            parts.staff.close()
            await store.close()


async def test_the_hospital_and_its_queues_and_counters_are_there(opened: Opened) -> None:
    facility = await opened.registry.facility(HIP)
    assert facility is not None
    assert (facility.name, facility.district, facility.state) == (FACTS["facility"], "Srinagar", "J&K")
    assert facility.names == {}
    snapshot = await opened.desk.snapshot(HIP)
    assert snapshot is not None
    assert (snapshot.name, snapshot.names) == (FACTS["facility"], {})
    assert {queue.id for queue in await opened.registry.queues(HIP)} == set(FACTS["queues"])
    counters = {counter.name: counter.queues for counter in await opened.registry.counters(HIP)}
    assert counters == {name: (queue,) for queue, names in FACTS["queues"].items() for name in names}


async def test_every_ticket_is_there_with_its_number_state_lane_and_counter(opened: Opened) -> None:
    for token, fact in FACTS["tickets"].items():
        ticket = await opened.desk.ticket(HIP, fact["id"])
        assert ticket is not None, token
        assert (ticket.token, ticket.state, ticket.lane, ticket.counter) == (
            token, State[fact["state"].upper()], Lane[fact["lane"].upper()], fact["counter"],
        )  # fmt: skip


async def test_the_desk_lists_everybody_who_is_not_done_in_the_order_of_calling(opened: Opened) -> None:
    tokens = [ticket.token for ticket in await opened.desk.tickets(HIP, queues=["medicine"])]
    assert sorted(tokens) == sorted(set(FACTS["tickets"]) - {"M-001", "P-001"})
    waiting = [token for token in tokens if FACTS["tickets"][token]["state"] == "waiting"]
    assert waiting == ["M-008", "M-005", "M-006", "M-009", "M-010", "M-011"]


async def test_every_sealed_profile_opens(opened: Opened) -> None:
    for token, fact in FACTS["tickets"].items():
        ticket = await opened.desk.ticket(HIP, fact["id"])
        sealed = await opened.desk.envelope(HIP, fact["id"])
        assert ticket is not None
        assert sealed is not None
        patient: Patient = opened.check_in.patient(HIP, ticket, sealed)
        assert (patient.name, patient.gender, patient.abha_address, patient.abha_number, patient.phone) == (
            fact["name"], fact["gender"], fact["abha_address"], fact["abha_number"], fact["phone"],
        ), token  # fmt: skip


async def test_pending_replies_are_taken_and_become_the_gateways_bodies(opened: Opened) -> None:
    taken = await opened.take_all()
    assert set(taken) == set(FACTS["pending"])
    for token, request_id in FACTS["pending"].items():
        body = opened.reply_of(taken[token])
        assert body["response"]["requestId"] == request_id
        assert body["acknowledgement"]["status"] == "SUCCESS"
        assert body["acknowledgement"]["abhaAddress"] == FACTS["tickets"][token]["abha_address"]
        assert body["acknowledgement"]["profile"]["tokenNumber"] == token


async def test_the_parked_reply_is_there_and_can_be_sent_again(opened: Opened) -> None:
    [parked] = await opened.outbox.parked(HIP)
    [(token, request_id)] = FACTS["parked"].items()
    assert (parked.token, parked.refusal) == (token, None)
    assert "503" in parked.reason
    assert await opened.outbox.resend(HIP, parked.id)
    again = await opened.take_all()
    assert set(again) == {token, *FACTS["pending"]}
    assert opened.reply_of(again[token])["response"]["requestId"] == request_id


async def test_the_open_session_is_still_signed_in_and_the_password_still_counts(opened: Opened) -> None:
    known = FACTS["staff"]
    session = await opened.staff.session(known["session"])
    assert session is not None
    assert (session.login, session.role, session.facility) == (known["login"], "clerk", HIP)
    signed_in = await opened.staff.sign_in(known["login"], known["password"], address="127.0.0.1")
    assert isinstance(signed_in, SignedIn)
    assert {member.login for member in await opened.staff.of(HIP)} == {known["login"], known["admin"]}


async def test_the_hospital_goes_on_working(opened: Opened) -> None:
    arrival = Arrival(
        facility=HIP, queue="medicine", assurance=Assurance.STAFF, lane=Lane.ORDINARY,
        request=request_digest(HIP, "the first of today"), envelope=b"sealed",
    )  # fmt: skip
    place = await opened.desk.enqueue(arrival)
    assert place.outcome is Outcome.NEW
    assert place.token in {"M-001", "M-012"}, "a new day begins at 1; the day of the folder goes on at 12"
    moved = await opened.desk.call_next(HIP, "M2", by="asha")
    assert moved.ticket is not None
