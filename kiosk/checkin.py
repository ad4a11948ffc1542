"""Check-in: who came, what is proved, which place they get.

Every way in ends in one call to the desk: a share from the gateway, a person at the counter, a phone without an ABHA
app. Nothing here knows HTTP or the store.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Final

import msgspec

from kiosk.patient.consent import Consent
from kiosk.patient.envelope import ENVELOPE_PURPOSE, Envelope, pack_envelope, unpack_envelope
from kiosk.patient.person import ABHA_DIGITS, Patient, Person, Scan, StatusQuery
from kiosk.security.encryption import DAY_S, Seal, SealBroken
from queueing.desk import OpdDesk
from queueing.form_gate import FormSender, FormVerdict
from queueing.lanes import REASONS, Lane
from queueing.models import Arrival, Assurance, Outcome, Place, Ticket
from queueing.place_search import Candidate, Seeker
from queueing.reasons import Reason
from queueing.redis_keys import counter_text, facility_key, hmis_request, request_digest
from tokens import CounterCodeError, CounterCodes, Grade

SENIOR_FROM_YEARS: Final = 60
"""Senior citizen in India (Maintenance and Welfare of Parents and Senior Citizens Act, 2007)."""
PROFILE_KEPT_MAX: Final = 4096
"""Bytes. A profile takes some 200; of a longer one only the fields that people see are stored."""
_PROOF: Final = {Grade.FRESH: Assurance.SCREEN, Grade.STALE: Assurance.STALE}
_PERSON_BYTES: Final = 12


class CheckIn:
    """Gives places, for every endpoint."""

    def __init__(
        self,
        desk: OpdDesk,
        codes: CounterCodes,
        seal: Seal,
        *,
        person_key: bytes,
        read_patient: Callable[[bytes, bytes], Patient],
        now_s: Callable[[], float],
    ) -> None:
        """``read_patient`` makes a profile readable, from the note of its scan and the profile as it came."""
        self._desk = desk
        self._codes = codes
        self._seal = seal
        # Made once and copied for each person: taking the key in costs more than the digest.
        self._person = blake2b(key=person_key, digest_size=_PERSON_BYTES)
        self._read_patient = read_patient
        self._now_s = now_s

    def scanned(self, scan: Scan) -> Awaitable[Place]:
        """A share from the gateway: a new place, the old place, or a refusal that the phone shows."""
        counter, text, assurance = self._read_counter(scan.context, scan.facility)
        request = request_digest(scan.facility, scan.request_id)
        person = scan.person or Person()
        return self._desk.enqueue(
            Arrival(
                facility=scan.facility,
                counter=counter,
                text=text,
                assurance=assurance,
                position=scan.position,
                lane=self._lane(person),
                request=request,
                fingerprint=_fingerprint(scan.body),
                persons=self.known_as(scan.facility, person),
                envelope=self._close(scan.facility, request, self._envelope(scan)),
                reply_wanted=True,
                refusal=scan.refusal,
                late=scan.late,
            )
        )

    async def answer_status(self, query: StatusQuery) -> Outcome:
        """An app asks which number is served now. The reply goes to the outbox."""
        counter, text, _ = self._read_counter(query.context, query.facility)
        request = request_digest(query.facility, query.request_id)
        return await self._desk.running_token(
            query.facility,
            counter=counter,
            text=text,
            request=request,
            fingerprint=_fingerprint(query.body),
            envelope=self._close(query.facility, request, Envelope(query.note)),
            refusal=query.refusal,
        )

    async def walked_in(
        self,
        facility: str,
        queue: str,
        patient: Patient,
        reason: Reason,
        *,
        by: str,
        request_id: str = "",
        any_hour: bool = False,
    ) -> Place:
        """A clerk registers a person who is present; without a reason the age decides the lane. ``by`` is part of the
        request id, so two desks never share one.

        ``any_hour``: also while the queue's hours keep it closed.
        """
        request = request_digest(facility, f"{by}/{request_id or uuid.uuid4()}")
        arrival = Arrival(
            facility=facility,
            queue=queue,
            assurance=Assurance.STAFF,
            lane=REASONS[reason].lane if reason else self._lane(patient),
            request=request,
            by=by,
            reason=reason,
            any_hour=any_hour,
        )
        return await self._enqueue(arrival, patient)

    async def registered_elsewhere(
        self, facility: str, queue: str, patient: Patient, lane: Lane, *, by: str, request_id: str = ""
    ) -> Place:
        """The hospital's system registers a person who is present. ``by`` names its key; it is part of the request
        id, so two systems never share one.
        """
        arrival = Arrival(
            facility=facility,
            queue=queue,
            assurance=Assurance.STAFF,
            lane=max(lane, self._lane(patient)),
            request=hmis_request(facility, f"{by}/{request_id or uuid.uuid4()}"),
            by=by,
        )
        return await self._enqueue(arrival, patient)

    def walk_in_request(self, facility: str, by: str, request_id: str) -> str:
        """``Ticket.request`` of the walk-in that this clerk's form made, if it was sent before."""
        return request_digest(facility, f"{by}/{request_id}")

    def admit_form(
        self, facility: str, *, request_id: str, link: str, address: str, device: str
    ) -> Awaitable[tuple[FormVerdict, int]]:
        """Whether a form may ask for a place; the store counts keyed digests and knows neither address nor browser."""
        texts = (f"request {request_id}", f"link {link}", f"address {address}", f"device {device or address}")
        digests = [self._digest(f"{facility}\0form\0{text}").hex() for text in texts]
        return self._desk.admit_form(facility, FormSender(*digests))

    async def by_camera(
        self,
        facility: str,
        queue: str,
        patient: Patient,
        request_id: str,
        *,
        device: str = "",
        away: bool = False,
        consent: Consent | None = None,
    ) -> Place:
        """A patient without an ABHA app filled in the form behind the screen's camera link.

        ``device`` marks the browser. ``away``: the link is no longer fresh, so the place waits for check-in.
        """
        arrival = Arrival(
            facility=facility,
            queue=queue,
            assurance=Assurance.CAMERA,
            lane=self._lane(patient),
            request=request_digest(facility, f"camera/{request_id}"),
            late=away,
        )
        return await self._enqueue(arrival, patient, device=device, consent=consent)

    def patient(self, facility: str, ticket: Ticket, sealed: bytes) -> Patient:
        """The profile of a ticket, for staff of its facility. Raises SealBroken when it cannot be opened or read."""
        return self.patient_in(self.open_envelope(facility, ticket, sealed))

    def patient_in(self, envelope: Envelope) -> Patient:
        """The profile of an opened envelope. Raises SealBroken when it cannot be read."""
        return envelope.patient or self._read_patient(envelope.note, envelope.profile)

    def open_envelope(self, facility: str, ticket: Ticket, sealed: bytes) -> Envelope:
        """Everything that was sealed of a ticket's person. Raises SealBroken when it cannot be opened."""
        plain = self._seal.open(ENVELOPE_PURPOSE, facility_key(facility), ticket.request, sealed)
        try:
            return unpack_envelope(plain)
        except msgspec.MsgspecError:
            raise SealBroken("no envelope of this release") from None

    def seeker(self, facility: str, token: str, address: str) -> Seeker:
        """Who looks for the page of this number. The store counts keyed digests."""
        number = self._digest(f"{facility}\0seek number\0{token}").hex()
        return Seeker(number=number, source=self._digest(f"{facility}\0seek from\0{address}").hex(), address=address)

    def is_persons(self, facility: str, candidate: Candidate | None, digits: str) -> bool:
        """Whether these four digits are the year of birth of a ticket's person, or the end of their ABHA number.

        Without a ticket or an envelope another envelope is opened, so that the answer takes as long.
        """
        ticket, sealed = (candidate.ticket, candidate.envelope) if candidate else (None, b"")
        request = ticket.request if ticket else ""
        try:
            opened = self._seal.open(
                ENVELOPE_PURPOSE, facility_key(facility), request, sealed or self._decoy(facility, request)
            )
            person = self.patient_in(unpack_envelope(opened))
        except (SealBroken, msgspec.MsgspecError):
            return False
        year = f"{person.year_of_birth:04}" if person.year_of_birth else ""
        fits = compare_digest(year, digits) | compare_digest(person.abha_number[-len(digits) :], digits)
        return fits and bool(sealed)

    def _decoy(self, facility: str, request: str) -> bytes:
        return self._close(facility, request, Envelope(patient=Patient(year_of_birth=1, abha_number="0" * ABHA_DIGITS)))

    async def _enqueue(
        self, arrival: Arrival, patient: Patient, *, device: str = "", consent: Consent | None = None
    ) -> Place:
        """Ask for a place for a patient whose details were typed, not shared by an app."""
        facility = arrival.facility
        complete = msgspec.structs.replace(
            arrival,
            persons=self.known_as(facility, patient) or self._alike(facility, patient, device),
            envelope=self._close(facility, arrival.request, Envelope(patient=patient, consent=consent)),
        )
        return await self._desk.enqueue(complete)

    def _read_counter(self, context: str, facility: str) -> tuple[str, str, Assurance]:
        """The counter that a signed code proves; else the text, for the facility's own counter names and posters."""
        try:
            proof = self._codes.read(context, facility, int(self._now_s()))
        except CounterCodeError:
            return "", counter_text(context), Assurance.UNKNOWN
        return proof.counter, "", _PROOF[proof.grade]

    def _lane(self, person: Person) -> Lane:
        if person.year_of_birth is None:
            return Lane.ORDINARY
        born = (person.year_of_birth, person.month_of_birth or 1, person.day_of_birth or 1)
        return Lane.SENIOR if born <= _born_by(int(self._now_s()) // DAY_S) else Lane.ORDINARY

    def known_as(self, facility: str, person: Person) -> tuple[bytes, ...]:
        """Keyed digests: whoever holds the store cannot try all fourteen-digit numbers."""
        names = (person.abha_address.lower(), person.abha_number)
        return tuple([self._digest(f"{facility}\0{name}") for name in names if name])

    def _alike(self, facility: str, patient: Patient, device: str) -> tuple[bytes, ...]:
        """A patient without ABHA is the same when name, year of birth and phone are; without a phone the same browser
        must have sent them, because names and years are shared by many.
        """
        name, contact = " ".join(patient.name.casefold().split()), patient.phone or device
        if not (name and patient.year_of_birth and contact):
            return ()
        return (self._digest(f"{facility}\0alike\0{name}\0{patient.year_of_birth}\0{contact}"),)

    def _digest(self, name: str) -> bytes:
        person = self._person.copy()
        person.update(name.encode("utf-8", "surrogatepass"))
        return person.digest()

    def _envelope(self, scan: Scan) -> Envelope:
        """Of somebody refused here nothing is kept but what the answer needs. The queue may still refuse: then the
        envelope ends with the pending reply that carries it, and a pending reply that is parked goes on without the
        profile.
        """
        if scan.refusal:
            return Envelope(scan.note)
        if len(scan.profile) > PROFILE_KEPT_MAX:
            return Envelope(scan.note, patient=self._read_patient(scan.note, scan.profile))
        return Envelope(scan.note, scan.profile)

    def _close(self, facility: str, request: str, envelope: Envelope) -> bytes:
        return self._seal.close(ENVELOPE_PURPOSE, facility_key(facility), request, pack_envelope(envelope))


@lru_cache(maxsize=2)
def _born_by(day: int) -> tuple[int, int, int]:
    """Year, month and day of birth of the youngest senior on a day since 1970, UTC."""
    today = datetime.fromtimestamp(day * DAY_S, UTC)
    return today.year - SENIOR_FROM_YEARS, today.month, today.day


def _fingerprint(body: bytes) -> bytes:
    return sha256(body).digest()[:8]
