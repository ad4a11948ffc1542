"""The story of one scan, readable aloud: who came, what is proved, which place they get.

No words of HTTP and none of the store's. Every way in ends in one call to the desk: a share from the gateway, a person
at the counter, a phone without an ABHA app.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import msgspec

from kiosk.people import Patient, Scan, StatusQuery
from kiosk.sealed import Seal
from queueing.desk import OpdDesk
from queueing.keys import facility_key, request_digest
from queueing.models import Arrival, Assurance, Lane, Outcome, Place, Ticket
from tokens import CounterCodeError, CounterCodes, Grade

SENIOR_FROM_YEARS: Final = 60
"""Senior citizen in India (Maintenance and Welfare of Parents and Senior Citizens Act, 2007)."""
RAW_KEPT_MAX: Final = 8192
"""A profile is under 1 kB; a longer body carries a photo, and its fields are kept without it."""
_PROOF: Final = {Grade.FRESH: Assurance.SCREEN, Grade.STALE: Assurance.STALE}
_PERSON_BYTES: Final = 12

PROFILE: Final = "profile"
NOTE: Final = "note"


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of one person: the fields that staff read, and the message as it came."""

    patient: Patient
    body: bytes


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Kept).decode


class CheckIn:
    """Everything a door needs to give somebody a place."""

    def __init__(
        self, desk: OpdDesk, codes: CounterCodes, seal: Seal, *, person_key: bytes, now_s: Callable[[], float]
    ) -> None:
        self._desk = desk
        self._codes = codes
        self._seal = seal
        self._person_key = person_key
        self._now_s = now_s

    async def scanned(self, scan: Scan) -> Place:
        """A share came from the gateway: a place, the old place, or a refusal that the phone will show."""
        counter, assurance = self._read_counter(scan.context, scan.facility)
        binding = request_digest(scan.facility, scan.request_id)
        patient = scan.patient or Patient()
        return await self._desk.enqueue(
            Arrival(
                facility=scan.facility,
                counter=counter,
                text=scan.context,
                assurance=assurance,
                position=_position(scan),
                lane=self._lane(patient),
                request=scan.request_id,
                fingerprint=_fingerprint(scan.body),
                persons=self._persons(scan.facility, patient),
                profile=self._close_profile(scan.facility, binding, patient, scan.body) if not scan.refusal else b"",
                note=self._seal.close(NOTE, facility_key(scan.facility), binding, scan.note),
                refusal=scan.refusal,
            )
        )

    async def asked(self, query: StatusQuery) -> Outcome:
        """Somebody's app asks which number is served now; the answer is owed like an acknowledgement."""
        counter, _ = self._read_counter(query.context, query.facility)
        binding = request_digest(query.facility, query.request_id)
        return await self._desk.running_token(
            query.facility,
            counter=counter,
            text=query.context,
            request=query.request_id,
            fingerprint=_fingerprint(query.body),
            note=self._seal.close(NOTE, facility_key(query.facility), binding, query.note),
            refusal=query.refusal,
        )

    async def walked_in(
        self, facility: str, queue: str, patient: Patient, lane: Lane, *, by: str, request_id: str = ""
    ) -> Place:
        """A clerk registers somebody who stands there. ``by`` is bound into the request, so no two desks share one."""
        request = f"{by}/{request_id or uuid.uuid4()}"
        return await self._register(facility, queue, patient, max(lane, self._lane(patient)), Assurance.STAFF, request)

    async def by_camera(self, facility: str, queue: str, patient: Patient, request_id: str) -> Place:
        """Somebody without an ABHA app filled in the form behind the screen's camera link."""
        return await self._register(
            facility, queue, patient, self._lane(patient), Assurance.CAMERA, f"camera/{request_id}"
        )

    def profile(self, facility: str, ticket: Ticket, sealed: bytes) -> Patient:
        """Opened for staff of that facility. Raises SealBroken."""
        return _unpack(self._seal.open(PROFILE, facility_key(facility), ticket.request, sealed)).patient

    async def _register(
        self, facility: str, queue: str, patient: Patient, lane: Lane, assurance: Assurance, request: str
    ) -> Place:
        binding = request_digest(facility, request)
        return await self._desk.enqueue(
            Arrival(
                facility=facility,
                queue=queue,
                assurance=assurance,
                lane=lane,
                request=request,
                persons=self._persons(facility, patient),
                profile=self._close_profile(facility, binding, patient, b""),
            )
        )

    def _read_counter(self, text: str, facility: str) -> tuple[str, Assurance]:
        """The counter a signed code proves; any other text is left to the facility's own names and posters."""
        try:
            proof = self._codes.read(text, facility, int(self._now_s()))
        except CounterCodeError:
            return "", Assurance.UNKNOWN
        return proof.counter, _PROOF[proof.grade]

    def _lane(self, patient: Patient) -> Lane:
        if patient.year_of_birth is None:
            return Lane.ORDINARY
        today = datetime.fromtimestamp(self._now_s(), UTC)
        birthday = (patient.month_of_birth or 1, patient.day_of_birth or 1)
        age = today.year - patient.year_of_birth - ((today.month, today.day) < birthday)
        return Lane.SENIOR if age >= SENIOR_FROM_YEARS else Lane.ORDINARY

    def _persons(self, facility: str, patient: Patient) -> tuple[bytes, ...]:
        """Keyed digests: whoever holds the store cannot try all fourteen-digit numbers."""
        known_by = (patient.abha_address.lower(), patient.abha_number)
        return tuple(
            blake2b(
                f"{facility}\0{name}".encode("utf-8", "surrogatepass"), key=self._person_key, digest_size=_PERSON_BYTES
            ).digest()
            for name in known_by
            if name
        )

    def _close_profile(self, facility: str, binding: str, patient: Patient, body: bytes) -> bytes:
        kept = _Kept(patient=patient, body=body if len(body) <= RAW_KEPT_MAX else b"")
        return self._seal.close(PROFILE, facility_key(facility), binding, _pack(kept))


def _fingerprint(body: bytes) -> bytes:
    return blake2b(body, digest_size=8).digest()


def _position(scan: Scan) -> tuple[float, float] | None:
    if scan.latitude is None or scan.longitude is None:
        return None
    return (scan.latitude, scan.longitude)
