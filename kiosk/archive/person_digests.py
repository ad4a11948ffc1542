"""Tells people apart from tokens without knowing anybody: one keyed digest for each person and month.

The key of a month is random, wrapped by the key ring and stored with the archive. It is deleted a month after its
month. From then on nobody can say which digest a person has, and digests of two months are never equal.
"""

import hmac
import os
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import REQUEST_ID_MAX, person_keys, persons
from kiosk.archive.upsert import insert_or_leave
from kiosk.patient.envelope import ENVELOPE_PURPOSE, unpack_envelope
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal, SealBroken

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
DIGEST_BYTES: Final = 16
"""Among the ten million people of a state two share one in 10^25 tries."""


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


class MonthKeys:
    """The keys of the present months. ``secret`` is the key ring's key of persons."""

    def __init__(self, secret: bytes) -> None:
        self._wrapping = AESGCM(hmac.digest(secret, b"kiosk/1 archive person keys", sha256))
        self._known: dict[date, bytes | None] = {}

    def refresh(self, connection: Connection, today: date) -> None:
        """Read the keys, make those that tickets of today and tomorrow need, and delete old ones with their persons."""
        this = month_of(today)
        last = month_of(this - timedelta(days=1))
        for table in (person_keys, persons):
            connection.execute(sa.delete(table).where(table.c.month < last))
        for month in {last, this, month_of(today + timedelta(days=1))}:
            insert_or_leave(connection, person_keys, {"month": month, "wrapped": self._wrap(month)})
        found = connection.execute(sa.select(person_keys.c.month, person_keys.c.wrapped))
        self._known = {month: self._unwrap(month, wrapped) for month, wrapped in found}

    @property
    def closed(self) -> bool:
        """Whether another key ring wrapped a key: people of that month are counted as unknown."""
        return None in self._known.values()

    def digest(self, identity: str, month: date) -> bytes | None:
        """None when the month's key is gone."""
        key = self._known.get(month)
        return hmac.digest(key, identity.encode("utf-8", "surrogatepass"), sha256)[:DIGEST_BYTES] if key else None

    def _wrap(self, month: date) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, os.urandom(KEY_BYTES), month.isoformat().encode())

    def _unwrap(self, month: date, wrapped: bytes) -> bytes | None:
        try:
            return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], month.isoformat().encode())
        except (InvalidTag, ValueError):
            return None


class Origin(Struct, frozen=True):
    """What the archive takes from an envelope. Nothing else of it leaves memory."""

    identity: str = ""
    """By this a person is the same within a month; empty when the person is unknown."""
    request_id: str = ""


UNKNOWN: Final = Origin()


class Envelopes:
    """Opens sealed envelopes."""

    def __init__(
        self,
        seal: Seal,
        read_patient: Callable[[bytes, bytes], Patient],
        read_request_id: Callable[[bytes], str],
    ) -> None:
        self._seal = seal
        self._read_patient = read_patient
        self._read_request_id = read_request_id

    def origin(self, facility_key: str, request: str, sealed: bytes) -> Origin:
        """Who it is and which request it was; UNKNOWN when the envelope does not open any more."""
        try:
            envelope = unpack_envelope(self._seal.open(ENVELOPE_PURPOSE, facility_key, request, sealed))
        except (SealBroken, msgspec.MsgspecError):
            return UNKNOWN
        patient = envelope.patient or self._read_patient(envelope.note, envelope.profile)
        request_id = self._read_request_id(envelope.note) if envelope.note else ""
        return Origin(identity_of(patient), request_id[:REQUEST_ID_MAX])


def identity_of(patient: Patient) -> str:
    """The ABHA number, or the ABHA address, or name, year of birth and phone together; empty when none is known."""
    if patient.abha_number:
        return f"number {patient.abha_number}"
    if patient.abha_address:
        return f"address {patient.abha_address.lower()}"
    name = " ".join(patient.name.casefold().split())
    if name and patient.year_of_birth and patient.phone:
        return f"person {name}\0{patient.year_of_birth}\0{patient.phone}"
    return ""
