"""Who came, as every entrance hands it to ``checkin``: plain data that the normalisers of this room have read."""

from typing import Final

from msgspec import Struct

from queueing.models import Refusal

ABHA_DIGITS: Final = 14


class Person(Struct, frozen=True, kw_only=True, gc=False):
    """As much of a patient as a place depends on, normalised. Empty text and None mean unknown."""

    abha_number: str = ""
    """Fourteen digits, or empty."""
    abha_address: str = ""
    """As written; compare it without case."""
    year_of_birth: int | None = None
    month_of_birth: int | None = None
    day_of_birth: int | None = None


class Patient(Person, frozen=True, kw_only=True, gc=False):
    """The whole profile, as people see it."""

    name: str = ""
    gender: str = ""
    """``M F O D T U``, or empty."""
    phone: str = ""
    """Ten digits of an Indian number, or a foreign one with its country code; or empty."""
    line: str = ""
    district: str = ""
    state: str = ""
    pincode: str = ""


def person_named(text: str) -> Person:
    """A person by the text of an ABHA number (fourteen digits, however they are grouped) or of an ABHA address."""
    digits = "".join(char for char in text if char.isdecimal())
    is_number = len(digits) == ABHA_DIGITS and "@" not in text
    return Person(abha_number=digits) if is_number else Person(abha_address=text.strip())


class Scan(Struct, frozen=True, kw_only=True, gc=False):
    """One share, as the gateway's endpoint understood it."""

    facility: str
    """HIP id; empty when the message named none."""
    context: str
    """Counter text as it came, at most 250 characters."""
    request_id: str
    """Idempotency key: the REQUEST-ID in lower case, without braces."""
    person: Person | None
    position: tuple[float, float] | None = None
    """Latitude and longitude of the phone, in degrees, when it sent both."""
    body: bytes
    """The message as it came."""
    note: bytes
    """What the reply will need (``kiosk.abdm.note.Note``), not sealed yet."""
    profile: bytes = b""
    """The patient's profile as it came, unread and not sealed yet; empty when there was none."""
    refusal: Refusal | None = None
    """Already refused by the endpoint; a known request still gets its old reply."""
    late: bool = False
    """Delivered after the caller's token had ended: the place waits for check-in."""


class StatusQuery(Struct, frozen=True, kw_only=True):
    """A patient's app asks which number is being served."""

    facility: str
    context: str
    request_id: str
    body: bytes
    note: bytes
    refusal: Refusal | None = None
