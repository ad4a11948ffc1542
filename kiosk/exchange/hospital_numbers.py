"""What a hospital's own system calls a patient and a visit, bound to a ticket.

The numbers are sealed like a profile. A hospital has one number for each ABHA: the store compares keyed digests, and
keeps the number sealed, so that a second one can be answered with the first.
"""

from hashlib import blake2b
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from kiosk.exchange.ticket_json import LinksJson
from kiosk.security.encryption import LastingSeal, Seal, SealBroken
from queueing.display_text import display_text
from queueing.models import Ticket
from queueing.redis_keys import facility_key

NUMBER_MAX: Final = 64
"""Characters of a patient's or visit's number; the longest in use have some twenty."""
URL_MAX: Final = 500
"""Characters of an address; one with two long ids has two hundred."""
PURPOSE: Final = "hospital numbers"
"""Bound into the seal, so that nothing else that is sealed passes for these."""
_MARK_BYTES: Final = 12

Number = Annotated[str, Meta(min_length=1, max_length=NUMBER_MAX)]
Address = Annotated[str, Meta(min_length=1, max_length=URL_MAX)]


class HospitalNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New fields have defaults: sealed ones outlive a release by days."""

    patient_id: Number
    """The hospital's number of the patient (UHID)."""
    visit_id: Number | None = None
    url: Address | None = None
    """Where the hospital's system shows the record; http or https."""


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(HospitalNumbers).decode


def fault_of(numbers: HospitalNumbers) -> str:
    """The first field that cannot be shown or followed, or empty."""
    for name in ("patient_id", "visit_id"):
        text = getattr(numbers, name)
        if text is not None and (not text.strip() or display_text(text, NUMBER_MAX) != text):
            return name
    return "url" if numbers.url is not None and not _is_web_address(numbers.url) else ""


def _is_web_address(url: str) -> bool:
    """An absolute address that a browser opens as a page, without a login in it and without spaces."""
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(url)
        is_plain = "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return is_plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def links_json(numbers: HospitalNumbers) -> LinksJson:
    """The numbers as other programs get them with a ticket."""
    return LinksJson(patient_id=numbers.patient_id, visit_id=numbers.visit_id, url=numbers.url)


class NumberSeal:
    """Seals the numbers of a ticket, and marks a patient's number for comparing."""

    def __init__(self, seal: Seal, person_key: bytes) -> None:
        self._seal = seal
        self._mark = blake2b(key=person_key, digest_size=_MARK_BYTES, person=b"kiosk uhid")
        self._lasting = LastingSeal(blake2b(key=person_key, digest_size=32, person=b"kiosk uhid seal").digest())

    def close(self, hip: str, ticket: Ticket, numbers: HospitalNumbers) -> bytes:
        """Seal the numbers with the day's key, bound to the ticket."""
        return self._seal.close(PURPOSE, facility_key(hip), ticket.request, _pack(numbers))

    def open(self, hip: str, ticket: Ticket, sealed: bytes) -> HospitalNumbers | None:
        """The numbers again; None when there are none, or their day's key is erased."""
        try:
            return _unpack(self._seal.open(PURPOSE, facility_key(hip), ticket.request, sealed)) if sealed else None
        except (SealBroken, msgspec.MsgspecError):
            return None

    def mark(self, hip: str, patient_id: str) -> bytes:
        """A keyed digest of a patient's number: equal numbers have equal marks."""
        digest = self._mark.copy()
        digest.update(f"{hip}\0{patient_id}".encode("utf-8", "surrogatepass"))
        return digest.digest()

    def close_number(self, hip: str, patient_id: str) -> str:
        """Seal a patient's number for as long as the key ring lives."""
        return self._lasting.close(hip, patient_id.encode("utf-8", "surrogatepass"))

    def open_number(self, hip: str, sealed: str) -> str:
        """The number again; empty when another key ring sealed it."""
        return (self._lasting.open(hip, sealed) or b"").decode("utf-8", "surrogatepass")
